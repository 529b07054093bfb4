/* A plan as people and programs read it: each line beside its enforcer. */
#ifndef BERM_CLI_PLAN_TEXT_H
#define BERM_CLI_PLAN_TEXT_H

#include "base/buf.h"
#include "berm/berm.h"
#include "format/json_out.h"

const char *plan_text_backend(const struct berm_plan *plan);
/* A table. */
MUST_USE enum berm_code plan_text_table(const struct berm_plan *plan, size_t width, bool colour, struct buf *out,
					struct berm_err *err);
/* "plan": [{"guarantee": ..., "line": ..., "enforcer": ..., "holds": "yes"|"partly"|"no", "note": ...}] */
void plan_text_json(const struct berm_plan *plan, struct json_out *json);

#endif
