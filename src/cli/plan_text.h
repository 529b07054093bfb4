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
/* A table of all lines. */
MUST_USE enum berm_code plan_text_lines(const struct berm_plan *plan, const struct say_screen *screen, struct buf *out,
					struct berm_err *err);
/* "plan": [{"guarantee": ..., "line": ..., "enforcer": ..., "holds": "yes"|"partly"|"no", "note": ...}] */
void plan_text_json(const struct berm_plan *plan, struct json_out *json);

#endif
