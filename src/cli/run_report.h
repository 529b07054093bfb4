/* How a run ended: the exit status, and the one line about what was denied. Pure. */
#ifndef BERM_CLI_RUN_REPORT_H
#define BERM_CLI_RUN_REPORT_H

#include "base/buf.h"
#include "session/run.h"

/* The program's own; 128 plus the signal that ended it; EXIT_TIME_LIMIT; EXIT_SOME_DENIED for 0 if fail_on_deny and
 * something was denied. */
int run_report_status(const struct berm_status *status, bool fail_on_deny);
/* The exit status when nothing was started. */
int run_report_failure(enum berm_code code);
/* "3 denied: 'write /home/u/.bashrc' (shell start files), ...; try: -r /data"; nothing if nothing was denied. Text for a
 * person: unprintable bytes are '?'. */
void run_report_denials(const struct run_result *result, struct buf *out);

#endif
