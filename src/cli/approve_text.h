/* What waits for an answer, for people: from the JSON that a session gives. */
#ifndef BERM_CLI_APPROVE_TEXT_H
#define BERM_CLI_APPROVE_TEXT_H

#include "base/buf.h"
#include "format/node.h"

/* A member of a member; "" if it is not there. */
struct str approve_text_of(const struct node *map, const char *key, const char *below);
/* "cat (pid 12) wants to READ /home/u/spec.pdf", and below it what else is known, a line each; the object and what is to be
 * done come first. */
void approve_text_question(const struct node *question, bool colour, struct buf *out);
/* The questions as a table, or that there are none. Errors: NOMEM. */
MUST_USE enum berm_code approve_text_list(const struct node *questions, size_t width, bool colour, struct buf *out,
					  struct berm_err *err);
/* "  [o]nce [s]ession ... (58 s) ", for the answers that this question can have. */
void approve_text_keys(const struct node *question, struct buf *out);

/* What a key of a person says; NULL: nothing (with a hint that is no answer either). The text is a JSON object. */
const char *approve_text_answer(const struct node *question, char key);

#endif
