#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/policy_insert.h"

static const struct policy_attr file_attr = {ATTR_EXTENT, "file"};
static const struct policy_line one[] = {{.key = KEY_READ, .text = "~/x"}};
static const struct policy_line several[] = {
	{.key = KEY_READ, .text = "~/x"},
	{.key = KEY_READ, .text = "~/a b", .attrs = &file_attr, .attr_count = 1},
	{.key = KEY_WRITE, .text = "~/y"},
	{.key = KEY_NET_ALLOW, .text = "example.org:80"},
};

struct row {
	const char *before, *after; /* after NULL: it cannot be done */
};

static void run_rows(const struct row *rows, size_t count, const struct policy_doc *doc)
{
	for (size_t i = 0; i < count; i++) {
		struct berm_err err = {0};
		auto_buf struct buf out;
		buf_init(&out, 65536);
		enum berm_code code = policy_insert(str_from(rows[i].before), doc, &out, &err);
		if (rows[i].after == NULL) {
			assert_true(code == BERM_ERR_UNSUPPORTED || code == BERM_ERR_PARSE);
			assert_int_equal(out.len, 0);
			continue;
		}
		if (code != BERM_OK)
			fail_msg("%s: %s", rows[i].before, err.msg);
		assert_string_equal(out.data, rows[i].after);
	}
}

static void test_one_line(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"", "berm: 1\nfilesystem:\n  read: [~/x]\n"},
		{"berm: 1", "berm: 1\nfilesystem:\n  read: [~/x]\n"},
		{"berm: 1\nfilesystem:\n  read: [/a, /b] # mine\n",
		 "berm: 1\nfilesystem:\n  read: [~/x, /a, /b] # mine\n"},
		{"berm: 1\nfilesystem:\n  read: []\n", "berm: 1\nfilesystem:\n  read: [~/x]\n"},
		{"berm: 1\nfilesystem:\n  read:\n", NULL},
		{"berm: 1\nfilesystem:\n  read:\n    # why\n    - /a\n    - /b\n",
		 "berm: 1\nfilesystem:\n  read:\n    # why\n    - ~/x\n    - /a\n    - /b\n"},
		{"berm: 1\nfilesystem:\n  read:\n  - {path: /a, why: b}\n",
		 "berm: 1\nfilesystem:\n  read:\n  - ~/x\n  - {path: /a, why: b}\n"},
		{"berm: 1\nfilesystem:\n  read:\n    - path: /a\n      why: b\n",
		 "berm: 1\nfilesystem:\n  read:\n    - ~/x\n    - path: /a\n      why: b\n"},
		{"berm: 1\nfilesystem:\n    # mine\n    deny: [/a]\nnetwork: {mode: none}\n",
		 "berm: 1\nfilesystem:\n    # mine\n    read: [~/x]\n    deny: [/a]\nnetwork: {mode: none}\n"},
		{"berm: 1\nfilesystem: {deny: [/a]}\n", "berm: 1\nfilesystem: {read: [~/x], deny: [/a]}\n"},
		{"berm: 1\nfilesystem:\nnetwork: {mode: none}\n", NULL},
		{"berm: 1\nabout: \"\xc3\xa4\" # \xc3\xa4\nfilesystem: {read: [/\xc3\xa4, /b]}\n",
		 "berm: 1\nabout: \"\xc3\xa4\" # \xc3\xa4\nfilesystem: {read: [~/x, /\xc3\xa4, /b]}\n"},
		{"{\"berm\": 1}", "{\"filesystem\": {\"read\": [\"~/x\"]}, \"berm\": 1}"},
		{"{\"berm\": 1, \"filesystem\": {\"read\": [\"/a\"]}}",
		 "{\"berm\": 1, \"filesystem\": {\"read\": [\"~/x\", \"/a\"]}}"},
		{"berm: 1\nfilesystem: {}\n", "berm: 1\nfilesystem: {read: [~/x]}\n"},
		/* no policy */
		{"berm: 2\n", NULL},
		{"berm: 1\nfilesystem: [", NULL},
		{"berm: 1\nfilesystem: 12\n", NULL},
	};
	const struct policy_doc doc = {.lines = one, .line_count = 1};
	run_rows(rows, ARRAY_LEN(rows), &doc);
}

static void test_several_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"", "berm: 1\nfilesystem:\n  write: [~/y]\n  read: [{path: \"~/a b\", extent: file}, ~/x]\n"
		     "network:\n  allow: [example.org:80]\n"},
		{"{\"berm\": 1}",
		 "{\"network\": {\"allow\": [\"example.org:80\"]}, \"filesystem\": {\"write\": [\"~/y\"], \"read\": "
		 "[{\"path\": \"~/a b\", \"extent\": \"file\"}, \"~/x\"]}, \"berm\": 1}"},
	};
	const struct policy_doc doc = {.lines = several, .line_count = ARRAY_LEN(several)};
	run_rows(rows, ARRAY_LEN(rows), &doc);
}

/* What is no list of a section has no place that could be found. */
static void test_other_keys(void **state)
{
	(void)state;
	static const struct policy_line lines[] = {{.key = KEY_NET_MODE, .text = "host"}};
	static const struct row rows[] = {{"berm: 1\n", NULL}};
	const struct policy_doc doc = {.lines = lines, .line_count = 1};
	run_rows(rows, ARRAY_LEN(rows), &doc);
}

static void test_nothing(void **state)
{
	(void)state;
	static const struct row rows[] = {{"berm: 1 # x\n", "berm: 1 # x\n"}};
	const struct policy_doc doc = {0};
	run_rows(rows, ARRAY_LEN(rows), &doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_several_lines),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
