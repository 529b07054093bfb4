/*
 * The judge of learning for a merged policy: what the floor and its lines say to a path or host. Pure. Where it cannot be
 * sure it says FORBIDDEN: what is not proposed can still be written by hand.
 */
#ifndef BERM_POLICY_LEARN_POLICY_H
#define BERM_POLICY_LEARN_POLICY_H

#include "policy/floor.h"
#include "policy/learn.h"

struct learn_policy;

/* Borrows policy and places. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code learn_policy_new(const struct policy *policy, const struct floor_places *places,
					 struct learn_policy **ret_rules, struct berm_err *err);
void learn_policy_free(struct learn_policy *rules);
void learn_policy_drop(struct learn_policy **rules);
#define auto_learn_policy __attribute__((cleanup(learn_policy_drop)))
/* The look of struct learn_judge; context: a struct learn_policy. */
enum learn_word learn_policy_look(void *context, enum policy_op op, const char *object, bool tree,
				  char ret_why[static LEARN_WHY_MAX]);

#endif
