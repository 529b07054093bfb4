/* Questions and answers as JSON: what programs and other terminals are told, and what they say. docs/asking.md describes it. */
#ifndef BERM_SESSION_APPROVAL_TEXT_H
#define BERM_SESSION_APPROVAL_TEXT_H

#include "format/json_out.h"
#include "session/approver.h"

enum { APPROVAL_ANSWER_MAX = 4096 }; /* bytes of an answer */

/* One object, as a member called key (NULL: by itself). now_ms: for the time that is left. */
void approval_text_put(const struct approval_prompt *prompt, int64_t now_ms, struct json_out *json, const char *key);
/* {"decision": "allow" | "deny", "scope": ..., "extent": ..., "for": "15m", "reason": ..., "who": ...}: all but the decision may be
 * missing. by is left empty, who if it is not said. Errors: PARSE (anything else), LIMIT, NOMEM. */
MUST_USE enum berm_code approval_text_parse(struct str json, struct approval_answer *ret_answer, struct berm_err *err);

#endif
