/*
 * The bytes of a message between @egress and the monitor: the fields one after the other, little endian, each text with
 * its length in front, so that nothing of either process's memory goes with it. Both sides check by the same rules: what
 * a kind has to have, may have and has not; hosts canonical, texts of their alphabet. Pure, no heap.
 */
#ifndef BERM_EGRESS_DOOR_MESSAGE_H
#define BERM_EGRESS_DOOR_MESSAGE_H

#include "egress/door.h"

enum { DOOR_ANSWER_MAX = 2048 }; /* bytes of an answer */

/* text: of an HTTP target or an event's detail. version and text_len are not looked at. Errors: INVALID (what the other
 * side would not take). */
MUST_USE enum berm_code door_print_question(const struct door_question *question, struct str text,
					    uint8_t ret_bytes[DOOR_MESSAGE_MAX], size_t *ret_len, struct berm_err *err);
/* ret_text borrows from bytes. Errors: PARSE. */
MUST_USE enum berm_code door_parse_question(struct span bytes, struct door_question *ret_question, struct str *ret_text,
					    struct berm_err *err);
/* ends: of DOOR_ENDS, else NULL. Control bytes in rule and grant become '?'. Errors: INVALID. */
MUST_USE enum berm_code door_print_answer(const struct door_answer *answer, const struct door_ends *ends,
					  uint8_t ret_bytes[DOOR_ANSWER_MAX], size_t *ret_len, struct berm_err *err);
/* ret_ends: nothing is present in it but with DOOR_ENDS. Errors: PARSE. */
MUST_USE enum berm_code door_parse_answer(struct span bytes, struct door_answer *ret_answer, struct door_ends *ret_ends,
					  struct berm_err *err);

#endif
