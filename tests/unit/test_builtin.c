#include "check.h"

#include <string.h>

#include "policy/builtin.h"

static void expect_docs(enum policy_doc_kind kind, const struct policy_doc *docs, size_t count)
{
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		const struct policy_doc *doc = &docs[i];
		assert_int_equal(doc->kind, kind);
		assert_true(doc->shipped);
		assert_non_null(doc->about);
		assert_non_null(strstr(doc->file, doc->name));
		assert_true(doc->line_count > 0);
		assert_ptr_equal(builtin_find(kind, doc->name), doc);
		if (i > 0)
			assert_true(strcmp(docs[i - 1].name, doc->name) < 0);
	}
}

static void test_all_are_found_by_name(void **state)
{
	(void)state;
	expect_docs(POLICY_DOC_GROUP, builtin_groups, builtin_group_count);
	expect_docs(POLICY_DOC_PROFILE, builtin_profiles, builtin_profile_count);
	assert_null(builtin_find(POLICY_DOC_GROUP, "no-such-group"));
	assert_null(builtin_find(POLICY_DOC_GROUP, ""));
	assert_null(builtin_find(POLICY_DOC_PROFILE, "git"));
	assert_null(builtin_find(POLICY_DOC_FILE, "default"));
	assert_non_null(builtin_find(POLICY_DOC_PROFILE, "default"));
}

/* Texts, places and attributes come through as they stand in the file. */
static void test_lines_are_those_of_the_file(void **state)
{
	(void)state;
	const struct policy_doc *credentials = builtin_find(POLICY_DOC_GROUP, "credentials");
	assert_non_null(credentials);
	assert_true(credentials->required);
	const struct policy_line none = {.text = ""}, *ssh = &none;
	for (uint32_t i = 0; i < credentials->line_count; i++)
		if (strcmp(credentials->lines[i].text, "~/.ssh") == 0)
			ssh = &credentials->lines[i];
	assert_ptr_not_equal(ssh, &none);
	assert_int_equal(ssh->key, KEY_DENY);
	assert_true(ssh->line > 1);
	assert_string_equal(policy_attr_find(ssh, ATTR_EXCEPT), "~/.ssh/known_hosts");
	assert_non_null(policy_attr_find(ssh, ATTR_WHY));
}

static void test_programs_have_their_profile(void **state)
{
	(void)state;
	for (size_t i = 0; i < builtin_program_count; i++) {
		assert_ptr_equal(builtin_for_program(builtin_programs[i].name), builtin_programs[i].profile);
		if (i > 0)
			assert_true(strcmp(builtin_programs[i - 1].name, builtin_programs[i].name) < 0);
	}
	assert_null(builtin_for_program("no-such-program"));
	assert_null(builtin_for_program(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_found_by_name),
		cmocka_unit_test(test_lines_are_those_of_the_file),
		cmocka_unit_test(test_programs_have_their_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
