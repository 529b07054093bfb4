/* Target: door_parse_question, door_parse_answer. What is taken holds the rules of its kind, is printed again, and is then the
 * same. The first byte says which of the two it is. */
#include <stdlib.h>
#include <string.h>

#include "egress/door_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_plain(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return len < size;
}

static void check_host(const char *text, size_t size)
{
	struct host host;
	check(strnlen(text, size) < size);
	check(text[0] == '\0' || (host_read(str_from(text), false, &host, NULL) && strcmp(host.name, text) == 0));
}

static void check_question(struct span bytes)
{
	static uint8_t again[DOOR_MESSAGE_MAX];
	struct door_question question, second;
	struct str text, second_text;
	size_t len;
	if (door_parse_question(bytes, &question, &text, NULL) != BERM_OK)
		return;
	check(question.kind > DOOR_NONE && question.kind <= DOOR_CLOSED && question.id != 0);
	check_host(question.host, sizeof(question.host));
	check(is_plain(question.method, sizeof(question.method)) &&
	      is_plain(question.task.exe, sizeof(question.task.exe)));
	check(text.len <= DOOR_TARGET_MAX && question.address_count <= DOOR_ADDRESSES_MAX);
	check(memchr(text.ptr, '\0', text.len) == NULL);
	check(door_print_question(&question, text, again, &len, NULL) == BERM_OK && len == bytes.len);
	check(memcmp(again, bytes.ptr, len) == 0);
	check(door_parse_question((struct span){again, len}, &second, &second_text, NULL) == BERM_OK);
	check(memcmp(&question, &second, sizeof(question)) == 0 && str_eq(text, second_text));
}

static void check_answer(struct span bytes)
{
	uint8_t again[DOOR_ANSWER_MAX];
	struct door_answer answer;
	struct door_ends ends;
	size_t len;
	if (door_parse_answer(bytes, &answer, &ends, NULL) != BERM_OK)
		return;
	check(answer.kind >= DOOR_ANSWER && answer.kind <= DOOR_ENDS && answer.verdict <= DOOR_ALLOW);
	check((answer.kind == DOOR_ANSWER) == (answer.id != 0));
	check(answer.kind == DOOR_ENDS || ends.present == 0);
	check(ends.present < 1U << DOOR_END_COUNT);
	check_host(answer.upstream_host, sizeof(answer.upstream_host));
	check(is_plain(answer.upstream_login, sizeof(answer.upstream_login)));
	check(is_plain(answer.rule, sizeof(answer.rule)) && is_plain(answer.grant, sizeof(answer.grant)));
	check(door_print_answer(&answer, answer.kind == DOOR_ENDS ? &ends : NULL, again, &len, NULL) == BERM_OK);
	check(len == bytes.len && memcmp(again, bytes.ptr, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct span bytes = {data + 1, size - 1};
	if (data[0] % 2 == 0)
		check_question(bytes);
	else
		check_answer(bytes);
	return 0;
}
