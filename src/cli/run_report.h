/* How a run ended: the exit status, and the lines about what was denied. Pure. */
#ifndef BERM_CLI_RUN_REPORT_H
#define BERM_CLI_RUN_REPORT_H

#include "base/buf.h"
#include "session/run.h"

/* The program's own; 128 plus the signal that ended it; EXIT_TIME_LIMIT; EXIT_SOME_DENIED for 0 if fail_on_deny and
 * something was denied. */
int run_report_status(const struct berm_status *status, bool fail_on_deny);
/* The exit status when nothing was started. */
int run_report_failure(enum berm_code code);
/* What was denied and the lines that "berm learn" would add, in some lines of text; nothing if nothing was denied:
 *
 *   3 denied; "berm learn" would add this line
 *       + filesystem.read: ~/.foo
 *       read '/home/u/.foo' by make, 2 times: nothing grants it; try: -r /home/u/.foo
 *       write '/w/.envrc' by sh: shell start files (groups/shell-startup.yaml:7:5)
 *
 * One that nothing would allow stands in the first line. Text for a person: unprintable bytes are '?'. */
void run_report_denials(const struct run_result *result, struct buf *out);

#endif
