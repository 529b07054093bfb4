/*
 * The tests that a policy brings along: questions with the answer that each must have. Run by "berm policy test" and
 * before a start; a policy that fails its own tests does not start.
 */
#ifndef BERM_POLICY_TESTS_H
#define BERM_POLICY_TESTS_H

#include "base/vec.h"
#include "policy/decide.h"

/* Who answers. */
struct policy_answers {
	void *context;
	/* Errors: any; they end the tests. */
	enum berm_code (*decide)(void *context, const struct policy_question *question,
				 struct policy_verdict *ret_verdict, struct berm_err *err);
};

struct policy_test {
	const struct policy_entry *entry; /* of the policy */
	const char *program;		  /* for which it was asked; NULL: any */
	enum policy_answer expected, got;
	char by[320]; /* what decided: "filesystem.deny: ~/.ssh (groups/credentials.yaml:7:5)" */
};
struct policy_tests {
	size_t passed, failed;
	struct vec items; /* of struct policy_test, in order of the policy */
};

void policy_tests_init(struct policy_tests *tests);
void policy_tests_done(struct policy_tests *tests);
/* Runs them all. A question that cannot be read is a problem and counts as failed. Errors: those of answers->decide,
 * LIMIT, NOMEM. */
MUST_USE enum berm_code policy_tests_run(const struct policy *policy, const struct policy_answers *answers,
					 struct policy_tests *tests, struct problems *problems, struct berm_err *err);
/* A problem for each that failed, where it stands. Returns PARSE if there is one. */
MUST_USE enum berm_code policy_tests_check(const struct policy_tests *tests, struct problems *problems,
					   struct berm_err *err);
/* "read ~/.ssh/id_ed25519 by git is deny". */
void policy_test_text(const struct policy_test *test, struct buf *out);

#define auto_policy_tests __attribute__((cleanup(policy_tests_done)))

#endif
