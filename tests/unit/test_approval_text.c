/* Answers as JSON: what is one, and that everything else is none. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "session/approval_text.h"

static const struct {
	const char *json;
	enum berm_code code;
	struct approval_answer answer;
} rows[] = {
	{"{\"decision\":\"allow\"}", BERM_OK, {.verdict = BERM_VERDICT_ALLOW}},
	{"{\"decision\":\"deny\"}\n", BERM_OK, {.verdict = BERM_VERDICT_DENY}},
	{"{\"decision\":\"allow\",\"scope\":\"always\",\"extent\":\"host\"}",
	 BERM_OK,
	 {.verdict = BERM_VERDICT_ALLOW, .scope = APPROVAL_ALWAYS, .extent = APPROVAL_HOST}},
	{"{\"scope\":\"session\",\"for\":\"15m\",\"decision\":\"deny\",\"reason\":\"r\",\"who\":\"w\"}",
	 BERM_OK,
	 {.scope = APPROVAL_SESSION, .for_ms = 900000, .reason = "r", .who = "w"}},
	{"", BERM_ERR_PARSE, {0}},
	{"{}", BERM_ERR_PARSE, {0}},
	{"null", BERM_ERR_PARSE, {0}},
	{"[\"allow\"]", BERM_ERR_PARSE, {0}},
	{"allow", BERM_ERR_PARSE, {0}},
	{"decision: allow", BERM_ERR_PARSE, {0}}, /* no YAML */
	{"{\"decision\":true}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":1}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"ALLOW\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"decision\":\"deny\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\"}{\"decision\":\"allow\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"scope\":\"ever\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"scope\":[\"always\"]}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"more\":1}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"for\":\"15m\"}", BERM_ERR_PARSE, {0}}, /* once has no time */
	{"{\"decision\":\"allow\",\"scope\":\"always\",\"for\":\"15m\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"scope\":\"session\",\"for\":\"0s\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"scope\":\"session\",\"for\":\"long\"}", BERM_ERR_PARSE, {0}},
	{"{\"decision\":\"allow\",\"scope\":\"session\",\"for\":\"999999d\"}", BERM_ERR_PARSE, {0}},
};

static void only_answers_are_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct approval_answer answer = {.verdict = BERM_VERDICT_DENY, .scope = APPROVAL_SCOPES};
		assert_int_equal(approval_text_parse(str_from(rows[i].json), &answer, NULL), rows[i].code);
		if (rows[i].code != BERM_OK) {
			assert_int_equal(answer.scope, APPROVAL_SCOPES); /* untouched */
			continue;
		}
		assert_int_equal(answer.verdict, rows[i].answer.verdict);
		assert_int_equal(answer.scope, rows[i].answer.scope);
		assert_int_equal(answer.extent, rows[i].answer.extent);
		assert_int_equal(answer.for_ms, rows[i].answer.for_ms);
		assert_string_equal(answer.reason, rows[i].answer.reason);
		assert_string_equal(answer.who, rows[i].answer.who);
	}
}

static void long_ones_are_none(void **state)
{
	(void)state;
	struct approval_answer answer;
	auto_buf struct buf text;
	buf_init(&text, (size_t)2 * APPROVAL_ANSWER_MAX);
	buf_puts(&text, "{\"decision\":\"allow\"}");
	while (text.len <= APPROVAL_ANSWER_MAX && !text.failed)
		buf_putc(&text, ' ');
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_int_equal(approval_text_parse(buf_str(&text), &answer, NULL), BERM_ERR_LIMIT);
	assert_int_equal(approval_text_parse((struct str){text.data, APPROVAL_ANSWER_MAX}, &answer, NULL), BERM_OK);
	/* A reason is taken whole or not at all. */
	buf_clear(&text);
	buf_puts(&text, "{\"decision\":\"allow\",\"reason\":\"");
	for (int i = 0; i < APPROVAL_REASON_SIZE; i++)
		buf_putc(&text, 'a');
	buf_puts(&text, "\"}");
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_int_equal(approval_text_parse(buf_str(&text), &answer, NULL), BERM_ERR_PARSE);
}

static void question_of_the_network_has_its_parts(void **state)
{
	(void)state;
	const struct approval_prompt prompt = {
		.id = 4,
		.question = {.kind = APPROVAL_HTTP,
			     .op = "request",
			     .object = "https://a.example/b?c",
			     .host = "a.example",
			     .port = 443,
			     .method = "GET",
			     .target = "/b?c",
			     .pid = 12,
			     .reason = "to look"},
		.until_ms = 5000,
		.waiting = 1,
	};
	struct json_out json;
	auto_buf struct buf text;
	buf_init(&text, 4096);
	json_init(&json, &text);
	approval_text_put(&prompt, 2000, &json, NULL);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_string_equal(text.data,
			    "{\"v\":1,\"id\":4,\"kind\":\"http\",\"op\":\"request\",\"object\":{\"address\":"
			    "\"https://a.example/b?c\",\"host\":\"a.example\",\"port\":443,\"method\":\"GET\","
			    "\"target\":\"/b?c\"},\"task\":{\"pid\":12},\"reason\":\"to look\",\"waiting\":1,"
			    "\"left_ms\":3000}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_answers_are_answers),
		cmocka_unit_test(long_ones_are_none),
		cmocka_unit_test(question_of_the_network_has_its_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
