/* What was denied, for people and for models: what, by which line, that retrying will not help, and what would allow it.
 * Pure. Unprintable bytes are '?'. */
#ifndef BERM_CLI_DENIAL_TEXT_H
#define BERM_CLI_DENIAL_TEXT_H

#include "audit/event.h"

/* "write '/home/u/.bashrc' by bash": the thing alone, for lists. */
void denial_text_put_what(const struct event *event, struct buf *out);
/* "shell start files (groups/shell-startup.yaml:7:5): detail"; "nothing grants it". */
void denial_text_put_why(const struct event *event, struct buf *out);
/* "-r /data", or "" if no flag or group allows it. Appended. */
void denial_text_put_grant(const struct event *event, struct buf *out);
/* All of it, in lines. */
void denial_text_put(const struct event *event, struct buf *out);

#endif
