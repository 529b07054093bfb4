/*
 * Reads the events of a run (docs/events.md) as far as learning needs them: what was denied. Pure.
 */
#ifndef BERM_POLICY_LEARN_EVENTS_H
#define BERM_POLICY_LEARN_EVENTS_H

#include "format/problem.h"
#include "policy/learn.h"

struct learn_events {
	struct arena arena;    /* of their texts */
	struct vec items;      /* of struct learn_event */
	const char *workspace; /* of the last session that started; or NULL */
};

void learn_events_init(struct learn_events *events);
void learn_events_done(struct learn_events *events);
/* Adds the denials of text, and what was allowed because all that is asked for is: one JSON object a line. A line that is no event is a problem; one that is cut off at the end
 * of the text is left out. file: for problems. Errors: PARSE, LIMIT, NOMEM. */
MUST_USE enum berm_code learn_events_read(struct learn_events *events, struct str text, const char *file,
					  struct problems *problems, struct berm_err *err);

#define auto_learn_events __attribute__((cleanup(learn_events_done)))

#endif
