/* The home folder of the user, without the C library's name services: they load code and talk to daemons. */
#ifndef BERM_SESSION_HOME_H
#define BERM_SESSION_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

/* The home field of uid's line in a text like /etc/passwd; borrowed. False: no such line, or it is not absolute. */
bool home_parse(struct str passwd, uid_t uid, struct str *ret_home);
/* $HOME if it is absolute, else what /etc/passwd says, into size bytes. False: there is none. */
bool home_find(const char *variable, uid_t uid, char *ret_home, size_t size);

#endif
