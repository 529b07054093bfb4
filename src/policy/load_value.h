/* What the loader needs of values besides policy_check_value: the words of its messages. */
#ifndef BERM_POLICY_LOAD_VALUE_H
#define BERM_POLICY_LOAD_VALUE_H

#include "format/node.h"
#include "policy/keys.h"

/* How a value of this kind looks, for "try:"; NULL: nothing short can be said. */
const char *load_value_hint(enum policy_value value);
/* May a node of this kind be such a value? ret_expected: else what is. */
bool load_value_fits(enum policy_value value, enum node_kind kind, const char **ret_expected);
/* What a policy test asks, by its first word ("read", "get"); its words are policy_keys[KEY_TEST].words. */
enum policy_value load_value_of_test(struct str word, struct str object);

#endif
