/* A folder of the user's that berm keeps something in for a session, and that is nobody else's. */
#ifndef BERM_SESSION_OWN_FOLDER_H
#define BERM_SESSION_OWN_FOLDER_H

#include "base/err.h"

/* Makes it if need be, with what is above it. Where that cannot be written it is not made, and opening it tells so. Errors:
 * LIMIT, SYS. */
MUST_USE enum berm_code own_folder_make(const char *folder, struct berm_err *err);
/* fd: the folder, open. Owned by the user, and nobody else can so much as look into it; DENIED: it is not so. */
MUST_USE enum berm_code own_folder_check(int fd, const char *folder, struct berm_err *err);

#endif
