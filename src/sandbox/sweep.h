/* Ending a process tree where no pid namespace does it. No heap. */
#ifndef BERM_SANDBOX_SWEEP_H
#define BERM_SANDBOX_SWEEP_H

/* Kills and reaps every descendant of the calling process, which must be a subreaper: what is orphaned on the way
 * becomes its child. proc_fd: an open /proc. Ends when there is no child left, or after deadline_ms (false). */
#include <stdbool.h>

bool sweep_descendants(int proc_fd, int deadline_ms);

/* Removes a folder and all in it, by descriptors, following no link and crossing no mount. */
void sweep_folder(const char *path);

#endif
