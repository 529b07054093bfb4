/*
 * Reads events back from their lines, as far as people are told of them: what was denied or allowed, and why. Pure. What it
 * does not know is left out.
 */
#ifndef BERM_AUDIT_EVENT_PARSE_H
#define BERM_AUDIT_EVENT_PARSE_H

#include "audit/event.h"
#include "base/arena.h"

/* One line, with or without its newline. Texts live in arena. Errors: PARSE (no event of this version's format), LIMIT,
 * NOMEM. */
MUST_USE enum berm_code event_parse(struct arena *arena, struct str line, struct event *ret_event,
				    struct berm_err *err);

struct event_list {
	struct event *items; /* in the arena */
	struct str *lines;   /* of each, borrowed from the text */
	size_t count;
};
/* All lines of text that are events; a line that is none is left out, one that is cut off at the end as well. At most max,
 * the last ones. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code event_parse_all(struct arena *arena, struct str text, size_t max, struct event_list *ret_list,
					struct berm_err *err);

#endif
