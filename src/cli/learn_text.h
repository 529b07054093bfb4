/* What was learned, as text for people, as JSON and as a policy. */
#ifndef BERM_CLI_LEARN_TEXT_H
#define BERM_CLI_LEARN_TEXT_H

#include "base/buf.h"
#include "cli/say.h"
#include "policy/learn_events.h"

/* The lines that would be added, each with the events behind it, and what is not proposed with the reason. */
void learn_text_put(const struct learn *learn, const struct learn_events *events, const struct say_screen *screen,
		    struct buf *out);
void learn_text_json(const struct learn *learn, const struct learn_events *events, struct buf *out);

#endif
