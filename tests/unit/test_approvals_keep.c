/* Answers for ever as lines of a policy: the narrowest that says it, and none where there is none. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/policy_text.h"
#include "session/approvals_keep.h"

#define ALLOW BERM_VERDICT_ALLOW
#define DENY BERM_VERDICT_DENY
#define FILE_QUESTION(op_, path)                                                                                       \
	{                                                                                                              \
		.kind = APPROVAL_FILE, .op = (op_), .object = (path)                                                   \
	}

static const struct {
	struct approval_question question;
	enum berm_verdict verdict;
	enum approval_extent extent;
	const char *line; /* NULL: there is none */
} rows[] = {
	{FILE_QUESTION("read", "/d/a"), ALLOW, APPROVAL_OBJECT, "read:\n    - {path: /d/a, extent: file}"},
	{FILE_QUESTION("read", "/d/a"), ALLOW, APPROVAL_FOLDER, "read:\n    - /d"},
	{FILE_QUESTION("read", "/d/a[1]*$x"), ALLOW, APPROVAL_OBJECT,
	 "read:\n    - {path: \"/d/a\\\\[1\\\\]\\\\*\\\\$x\", extent: file}"},
	{FILE_QUESTION("write", "/d/a"), ALLOW, APPROVAL_OBJECT, "write:\n    - {path: /d/a, extent: file}"},
	{FILE_QUESTION("meta", "/d/a"), ALLOW, APPROVAL_FOLDER, "write:\n    - /d"},
	{FILE_QUESTION("create", "/d/a"), ALLOW, APPROVAL_OBJECT, NULL},
	{FILE_QUESTION("create", "/d/a"), ALLOW, APPROVAL_FOLDER, "write:\n    - /d"},
	{FILE_QUESTION("delete", "/d/a"), ALLOW, APPROVAL_OBJECT, NULL},
	{FILE_QUESTION("read", "/d/a"), DENY, APPROVAL_OBJECT, "deny:\n    - {path: /d/a, extent: file}"},
	{FILE_QUESTION("write", "/d/a"), DENY, APPROVAL_OBJECT, "protect:\n    - {path: /d/a, extent: file}"},
	{FILE_QUESTION("create", "/d/a"), DENY, APPROVAL_FOLDER, "protect:\n    - /d"},
	{{.kind = APPROVAL_EXEC, .op = "exec", .object = "/d/a"},
	 ALLOW,
	 APPROVAL_OBJECT,
	 "exec:\n    - {path: /d/a, extent: file}"},
	{{.kind = APPROVAL_SOCKET, .op = "connect", .object = "/d/a"}, ALLOW, APPROVAL_OBJECT, "sockets:\n    - /d/a"},
	{{.kind = APPROVAL_SOCKET, .op = "connect", .object = "@a"}, ALLOW, APPROVAL_OBJECT, NULL},
	{{.kind = APPROVAL_NET, .op = "connect", .object = "a.example:443", .host = "a.example", .port = 443},
	 ALLOW,
	 APPROVAL_OBJECT,
	 "allow:\n    - a.example:443"},
	{{.kind = APPROVAL_NET, .op = "connect", .object = "[2001:db8::1]:443", .host = "2001:db8::1", .port = 443},
	 DENY,
	 APPROVAL_HOST,
	 "deny:\n    - \"[2001:db8::1]:443\""},
	{{.kind = APPROVAL_NET, .op = "connect", .object = "1.2.3.4:443"}, ALLOW, APPROVAL_OBJECT, NULL},
	{{.kind = APPROVAL_DNS, .op = "query", .object = "a.example", .host = "a.example"},
	 ALLOW,
	 APPROVAL_HOST,
	 "allow:\n    - a.example"},
	{{.kind = APPROVAL_HTTP,
	  .op = "request",
	  .object = "https://a.example/b?c",
	  .host = "a.example",
	  .port = 443,
	  .method = "GET",
	  .target = "/b?c"},
	 ALLOW,
	 APPROVAL_OBJECT,
	 "allow:\n    - {to: a.example:443, http: \"GET /b\"}"},
	{{.kind = APPROVAL_HTTP,
	  .op = "request",
	  .object = "https://a.example/b",
	  .host = "a.example",
	  .port = 443,
	  .method = "GET",
	  .target = "/b"},
	 DENY,
	 APPROVAL_OBJECT,
	 NULL},
	{{.kind = APPROVAL_HTTP,
	  .op = "request",
	  .object = "https://a.example/*",
	  .host = "a.example",
	  .method = "GET",
	  .target = "/*"},
	 ALLOW,
	 APPROVAL_OBJECT,
	 NULL},
	{{.kind = APPROVAL_DNS, .op = "query", .object = "*.example", .host = "*.example"}, ALLOW, APPROVAL_HOST, NULL},
	{{.kind = APPROVAL_PROCESS, .op = "signal", .object = "12"}, ALLOW, APPROVAL_OBJECT, NULL},
};

static void answer_is_the_narrowest_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_doc *doc;
		const struct approval_prompt prompt = {.id = 1, .question = rows[i].question, .folder = "/d"};
		const struct approval_answer answer = {.verdict = rows[i].verdict,
						       .scope = APPROVAL_ALWAYS,
						       .extent = rows[i].extent,
						       .by = "program"};
		auto_buf struct buf text;
		auto_arena struct arena arena;
		arena_init(&arena, 65536);
		buf_init(&text, 65536);
		enum berm_code code = approvals_keep_line(&prompt, &answer, "2026-11-25", &arena, &doc, NULL);
		assert_int_equal(code, rows[i].line != NULL ? BERM_OK : BERM_ERR_UNSUPPORTED);
		if (code != BERM_OK)
			continue;
		assert_int_equal(doc->line_count, 1);
		policy_text_put(doc, true, &text);
		assert_int_equal(buf_check(&text, NULL), BERM_OK);
		if (strstr(text.data, rows[i].line) == NULL)
			fail_msg("row %zu: %s", i, text.data);
	}
}

static void line_says_where_it_comes_from(void **state)
{
	(void)state;
	const struct policy_doc *doc;
	const struct approval_prompt prompt = {
		.id = 1,
		.question = {.kind = APPROVAL_FILE, .op = "read", .object = "/d/a", .exe = "/usr/bin/c\033[2Jat"},
		.session = "quiet-otter"};
	const struct approval_answer answer = {
		.verdict = ALLOW, .scope = APPROVAL_ALWAYS, .by = "control", .who = "uid 0, pid 7"};
	auto_arena struct arena arena;
	arena_init(&arena, 65536);
	assert_int_equal(approvals_keep_line(&prompt, &answer, "2026-11-25", &arena, &doc, NULL), BERM_OK);
	const char *why = policy_attr_find(doc->lines, ATTR_WHY);
	assert_non_null(why);
	assert_string_equal(why, "2026-11-25 allowed by control (uid 0, pid 7): read by /usr/bin/c?[2Jat, session "
				 "quiet-otter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_is_the_narrowest_line),
		cmocka_unit_test(line_says_where_it_comes_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
