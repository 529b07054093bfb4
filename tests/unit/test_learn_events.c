#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "policy/learn_events.h"

#define DENY "\"verdict\":\"deny\",\"errno\":\"EACCES\""

struct row {
	const char *line;
	enum policy_op op;
	const char *object; /* NULL: no event to learn from */
	bool folder;
};

static const struct row rows[] = {
	{"{\"v\":1,\"seq\":2,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/x\",\"type\":\"file\"}," DENY
	 "}",
	 POLICY_OP_READ, "/x", false},
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/x\",\"type\":\"folder\"}," DENY "}",
	 POLICY_OP_LIST, "/x", true},
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"create\",\"object\":{\"path\":\"/x\",\"type\":\"folder\"}," DENY "}",
	 POLICY_OP_CREATE, "/x", true},
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"meta\",\"object\":{\"path\":\"/x\"}," DENY "}", POLICY_OP_WRITE, "/x",
	 false},
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"rename\",\"object\":{\"path\":\"/x\"}," DENY "}", POLICY_OP_CREATE, "/x",
	 false},
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"exec\",\"object\":{\"path\":\"/x\"}," DENY "}", POLICY_OP_EXEC, "/x",
	 false},
	{"{\"v\":1,\"kind\":\"socket\",\"op\":\"connect\",\"object\":{\"path\":\"/s\"}," DENY "}", POLICY_OP_SOCKET,
	 "/s", false},
	{"{\"v\":1,\"kind\":\"net\",\"op\":\"connect\",\"object\":{\"address\":\"1.2.3.4:80\"}," DENY "}",
	 POLICY_OP_CONNECT, "1.2.3.4:80", false},
	{"{\"v\":1,\"kind\":\"net\",\"op\":\"listen\",\"object\":{\"address\":\"0.0.0.0:80\"}," DENY "}", POLICY_OP_RUN,
	 "0.0.0.0:80", false},
	{"{\"v\":1,\"kind\":\"process\",\"op\":\"signal\",\"object\":{\"address\":\"1\"}," DENY "}", POLICY_OP_RUN, "1",
	 false},
	/* escaped as the writer does */
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/a\\n\\u00e4\"}," DENY "}", POLICY_OP_READ,
	 "/a\n\xc3\xa4", false},
	/* allowed without a line that grants it */
	{"{\"v\":1,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/x\"},\"verdict\":\"allow\"}",
	 POLICY_OP_READ, "/x", false},
	/* nothing to learn from */
	{"{\"v\":1,\"kind\":\"session\",\"op\":\"stop\"}", POLICY_OP_READ, NULL, false},
	{"{\"v\":1,\"kind\":\"dance\",\"op\":\"read\"," DENY "}", POLICY_OP_READ, NULL, false},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];
		auto_learn_events struct learn_events events;
		learn_events_init(&events);
		(void)snprintf(text, sizeof(text), "%s\n", rows[i].line);
		assert_int_equal(learn_events_read(&events, str_from(text), "e", NULL, NULL), BERM_OK);
		assert_int_equal(events.items.len, rows[i].object != NULL);
		if (rows[i].object == NULL)
			continue;
		const struct learn_event *event = vec_at(&events.items, 0);
		assert_int_equal(event->op, rows[i].op);
		assert_string_equal(event->object, rows[i].object);
		assert_int_equal(event->folder, rows[i].folder);
		assert_int_equal(event->count, 1);
	}
}

static void test_what_else_is_known(void **state)
{
	(void)state;
	static const char text[] = "{\"v\":1,\"seq\":1,\"kind\":\"session\",\"op\":\"start\",\"workspace\":\"/w\"}\n"
				   "{\"v\":1,\"seq\":7,\"kind\":\"file\",\"op\":\"write\",\"object\":{\"path\":\"/"
				   "x\"},\"task\":{\"pid\":3,"
				   "\"exe\":\"/bin/cat\"}," DENY ",\"count\":4}\n";
	auto_learn_events struct learn_events events;
	learn_events_init(&events);
	assert_int_equal(learn_events_read(&events, str_from(text), "e", NULL, NULL), BERM_OK);
	assert_string_equal(events.workspace, "/w");
	const struct learn_event *event = vec_at(&events.items, 0);
	assert_string_equal(event->program, "/bin/cat");
	assert_int_equal(event->seq, 7);
	assert_int_equal(event->count, 4);
}

static void test_mistakes_have_their_line(void **state)
{
	(void)state;
	static const char text[] =
		"{\"v\":1,\"kind\":\"session\",\"op\":\"stop\"}\n\nhello\n{\"v\":2}\n[1]\n{\"v\":1\n";
	static struct problems problems;
	struct berm_err err;
	auto_learn_events struct learn_events events;
	learn_events_init(&events);
	problems = (struct problems){0};
	assert_int_equal(learn_events_read(&events, str_from(text), "e.json", &problems, &err), BERM_ERR_PARSE);
	assert_int_equal(problems.count, 4);
	assert_int_equal(problems.items[0].line, 3);
	assert_int_equal(problems.items[3].line, 6);
	assert_string_equal(problems.items[0].file, "e.json");
	assert_string_equal(err.msg, "'e.json' holds lines that are no events");
}

/* A run that was ended while it wrote. */
static void test_the_last_line_may_be_cut(void **state)
{
	(void)state;
	static const char text[] = "{\"v\":1,\"kind\":\"session\",\"op\":\"stop\"}\n{\"v\":1,\"kind\":\"fi";
	static struct problems problems;
	auto_learn_events struct learn_events events;
	learn_events_init(&events);
	problems = (struct problems){0};
	assert_int_equal(learn_events_read(&events, str_from(text), "e", &problems, NULL), BERM_OK);
	assert_int_equal(problems.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_what_else_is_known),
		cmocka_unit_test(test_mistakes_have_their_line),
		cmocka_unit_test(test_the_last_line_may_be_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
