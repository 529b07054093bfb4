/*
 * From words to a question: "read /x", "connect host:port", "get https://host/path", "run git push". Policy tests are
 * written so. Pure: paths are absolute already.
 */
#ifndef BERM_POLICY_QUESTION_H
#define BERM_POLICY_QUESTION_H

#include "policy/decide.h"

/* word: "read", "list", "write", "create", "delete", "exec", "socket", "connect", "run", or a method of HTTP in small
 * letters. object: what it is about. What ret_question points to lives in arena. Errors: PARSE (no such word, no
 * absolute path, no host, no URL), NOMEM. */
MUST_USE enum berm_code question_parse(struct arena *arena, const char *word, const char *object,
				       struct policy_question *ret_question, struct berm_err *err);
/* Is it about a path? */
bool question_is_file(enum policy_op op);
/* The op of a word ("read", "run"); false: there is none. Methods of HTTP are none, nor is "http" or "name". */
bool question_find_op(const char *word, enum policy_op *ret_op);
/* "read", ..., "connect", "http", "run", "name". */
const char *question_op_word(enum policy_op op);
/* "allow", "ask", "deny". */
const char *question_answer_word(enum policy_answer answer);

#endif
