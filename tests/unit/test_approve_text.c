/* What a person sees of a question, and which keys answer it. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/approve_text.h"

static const char file[] =
	"{\"id\":3,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/d/a\\u001b[2Jb\",\"as\":\"../a\","
	"\"type\":\"file\"},\"task\":{\"pid\":12,\"exe\":\"/usr/bin/cat\"},\"rule\":\"filesystem.default: ask\","
	"\"folder\":\"/d\",\"waiting\":2,\"left_ms\":57001}";
static const char host[] =
	"{\"id\":4,\"kind\":\"net\",\"op\":\"connect\",\"object\":{\"address\":\"a.example:443\",\"host\":\"a."
	"example\"},\"task\":{},\"waiting\":1,\"left_ms\":0}";

static const struct node *parse(struct arena *arena, const char *text)
{
	const struct node *root;
	auto_free struct problems *problems = calloc(1, sizeof *problems);
	assert_non_null(problems);
	assert_int_equal(node_parse(arena, str_from(text), "question", &root, problems, NULL), BERM_OK);
	return root;
}

static void question_begins_with_what_is_to_be_done(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	auto_buf struct buf out;
	arena_init(&arena, 65536);
	buf_init(&out, 4096);
	const struct node *root = parse(&arena, file);
	approve_text_question(root, false, &out);
	approve_text_keys(root, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data,
			    "READ /d/a?[2Jb\n"
			    "    wanted by cat (pid 12)\n"
			    "    program /usr/bin/cat\n"
			    "    as      ../a\n"
			    "    type    file\n"
			    "    folder  /d\n"
			    "    rule    filesystem.default: ask\n"
			    "    waiting 2\n"
			    "  [o]nce [s]ession [a]lways [f]older [F]older always [n]o [N]ever [l]ater [q]uit (58 s) ");
}

static void only_keys_that_are_shown_answer(void **state)
{
	(void)state;
	static const struct {
		const char *question, *keys;
	} rows[] = {{file, "osafFnN"}, {host, "osahHnN"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena arena;
		arena_init(&arena, 65536);
		const struct node *root = parse(&arena, rows[i].question);
		for (int key = 0; key < 256; key++) {
			bool answers = key != 0 && strchr(rows[i].keys, key) != NULL;
			assert_int_equal(approve_text_answer(root, (char)key) != NULL, answers);
		}
		assert_null(approve_text_answer(root, '\n')); /* Enter is no answer */
		assert_non_null(strstr(approve_text_answer(root, 'n'), "\"deny\""));
		assert_non_null(strstr(approve_text_answer(root, 'N'), "\"deny\""));
		assert_non_null(strstr(approve_text_answer(root, 'o'), "\"once\""));
	}
}

static void lists_are_tables(void **state)
{
	(void)state;
	char text[2048];
	auto_arena struct arena arena;
	auto_buf struct buf out;
	buf_init(&out, 4096);
	arena_init(&arena, 65536);
	(void)snprintf(text, sizeof text, "[%s,%s]", file, host);
	assert_int_equal(approve_text_list(parse(&arena, text), 200, false, &out, NULL), BERM_OK);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_non_null(strstr(out.data, "3   read     /d/a?[2Jb"));
	assert_non_null(strstr(out.data, "4   connect  a.example:443"));
	buf_clear(&out);
	assert_int_equal(approve_text_list(NULL, 200, false, &out, NULL), BERM_OK);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "nothing waits for an answer\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_begins_with_what_is_to_be_done),
		cmocka_unit_test(only_keys_that_are_shown_answer),
		cmocka_unit_test(lists_are_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
