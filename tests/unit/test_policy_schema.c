#include "check.h"

#include <string.h>

#include "policy/load.h"

enum { MAX = 1 << 20 };

/* tools/schema holds it against the loader, file by file; here: it is whole, and says each key. */
static void test_schema_is_json_and_has_every_key(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	auto_buf struct buf out;
	const struct node *root = NULL;
	struct berm_err err = {0};
	arena_init(&arena, 4U * MAX);
	buf_init(&out, MAX);
	policy_schema_print(&out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	if (node_parse(&arena, buf_str(&out), "schema", &root, NULL, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const char *path = policy_keys[i].path;
		const struct node *at = node_find(root, "properties");
		for (size_t len = strcspn(path, "."); path[len] == '.'; len = strcspn(path, ".")) {
			char name[32] = "";
			memcpy(name, path, len);
			at = node_find(node_find(at, name), "properties");
			path += len + 1;
		}
		assert_non_null(node_find(node_find(at, path), "description"));
	}
	const struct node *wants = node_find(node_find(node_find(root, "properties"), "wants"), "properties");
	assert_non_null(node_find(wants, "filesystem"));
	assert_null(node_find(node_find(node_find(wants, "filesystem"), "properties"), "deny"));
}

static void test_reference_has_every_key_and_attribute(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, MAX);
	policy_reference_print(&out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		assert_non_null(strstr(out.data, policy_keys[i].path));
	for (size_t i = 0; i < POLICY_ATTRS; i++)
		if (i != ATTR_OF)
			assert_non_null(strstr(out.data, policy_attrs[i].name));
}

/* Each row's example is a file that the loader takes. */
static void test_examples_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct policy_key_row *row = &policy_keys[i];
		auto_arena struct arena arena;
		auto_buf struct buf text;
		const struct policy_doc *doc = NULL;
		struct berm_err err = {0};
		size_t depth = 0;
		arena_init(&arena, MAX);
		buf_init(&text, MAX);
		for (const char *at = row->path; *at != '\0'; at += strspn(at, ".")) {
			size_t len = strcspn(at, ".");
			buf_printf(&text, "%*s%.*s:%s", (int)depth, "", (int)len, at, at[len] == '.' ? "\n" : " ");
			at += len;
			depth += 2;
		}
		buf_printf(&text, "%s\n", row->example);
		assert_false(text.failed);
		enum policy_doc_kind kind = i == KEY_REQUIRED	? POLICY_DOC_GROUP
					    : i == KEY_PROGRAMS ? POLICY_DOC_PROFILE
								: POLICY_DOC_FILE;
		if (policy_load(&arena, (struct policy_from){kind, row->path}, buf_str(&text), &doc, NULL, &err) !=
		    BERM_OK)
			fail_msg("%s: %s", text.data, err.msg);
	}
}

static void test_what_does_not_fit_is_told(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, 100);
	policy_schema_print(&out);
	assert_true(out.failed);
	buf_clear(&out);
	policy_reference_print(&out);
	assert_true(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_is_json_and_has_every_key),
		cmocka_unit_test(test_reference_has_every_key_and_attribute),
		cmocka_unit_test(test_examples_are_right),
		cmocka_unit_test(test_what_does_not_fit_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
