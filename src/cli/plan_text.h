/* A plan as people and programs read it: each line beside its enforcer. */
#ifndef BERM_CLI_PLAN_TEXT_H
#define BERM_CLI_PLAN_TEXT_H

#include "base/buf.h"
#include "berm/berm.h"
#include "cli/say.h"
#include "format/json_out.h"

const char *plan_text_backend(const struct berm_plan *plan);
/* A table of the guarantees alone, the first line of each; what single grants and names come to is left out. */
MUST_USE enum berm_code plan_text_guarantees(const struct berm_plan *plan, const struct say_screen *screen,
					     struct buf *out, struct berm_err *err);
/* Where a line comes from; "" if that is not known. The text lives as long as what is printed. */
struct plan_text_origins {
	const char *(*find)(const void *context, const char *line);
	const void *context;
};
/* A table of all lines; origins may be NULL. */
MUST_USE enum berm_code plan_text_lines(const struct berm_plan *plan, const struct plan_text_origins *origins,
					const struct say_screen *screen, struct buf *out, struct berm_err *err);
/* "plan": [{"guarantee": ..., "line": ..., "enforcer": ..., "holds": "yes"|"partly"|"no", "note": ...}], each with an
 * "origin" if origins is not NULL. */
void plan_text_json(const struct berm_plan *plan, const struct plan_text_origins *origins, struct json_out *json);

#endif
