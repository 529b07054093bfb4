#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "audit/event.h"
#include "base/own.h"

/* ---- a small reader of JSON, so that lines can be held against the schema ----------------------------------------- */

enum { NODES_MAX = 1024 };

struct node {
	char type; /* { [ s n t */
	struct str key, text;
	int first, next; /* children, siblings; 0: none */
};
static struct node nodes[NODES_MAX];
static int node_count;

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \n");
}

static struct str read_string(const char **at)
{
	assert_int_equal(**at, '"');
	const char *start = ++*at;
	for (; **at != '"'; ++*at) {
		if ((unsigned char)**at < 0x20)
			fail_msg("a control byte in %s", start);
		*at += **at == '\\';
	}
	return (struct str){start, (size_t)((*at)++ - start)};
}

static int read_value(const char **at, struct str key);

static int read_members(const char **at, char close)
{
	int first = 0, *link = &first;
	for (*at = skip_space(*at + 1); **at != close;) {
		struct str key = {0};
		if (close == '}') {
			key = read_string(at);
			assert_int_equal(*(*at)++, ':');
		}
		*link = read_value(at, key);
		link = &nodes[*link].next;
		if (**at == ',')
			*at = skip_space(*at + 1);
		else
			assert_int_equal(**at, close);
	}
	++*at;
	return first;
}

static int read_value(const char **at, struct str key)
{
	int index = ++node_count;
	assert_in_range(index, 1, NODES_MAX - 1);
	nodes[index] = (struct node){.type = **at, .key = key};
	if (**at == '{' || **at == '[') {
		int first = read_members(at, **at == '{' ? '}' : ']');
		nodes[index].first = first;
		return index;
	}
	if (**at == '"') {
		nodes[index].type = 's';
		nodes[index].text = read_string(at);
		return index;
	}
	size_t len = strspn(*at, "-0123456789truefalsn");
	assert_true(len > 0);
	nodes[index].type = (**at == 't' || **at == 'f') ? 't' : 'n';
	nodes[index].text = (struct str){*at, len};
	*at += len;
	return index;
}

static int read_json(const char *text)
{
	assert_non_null(text);
	const char *at = text;
	int root = read_value(&at, (struct str){0});
	assert_string_equal(at, "\n");
	return root;
}

static int member(int object, const char *name)
{
	for (int i = nodes[object].first; i != 0; i = nodes[i].next)
		if (str_eq(nodes[i].key, str_from(name)))
			return i;
	return 0;
}

static struct str text_at(int object, const char *name)
{
	return nodes[member(object, name)].text;
}

static void type_agrees(int value, struct str type)
{
	static const struct {
		const char *type;
		char mark;
	} pairs[] = {{"object", '{'}, {"array", '['}, {"string", 's'}, {"integer", 'n'}, {"boolean", 't'}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (str_eq(type, str_from(pairs[i].type)))
			assert_int_equal(nodes[value].type, pairs[i].mark);
}

static void word_agrees(int value, int list)
{
	if (list == 0)
		return;
	for (int i = nodes[list].first; i != 0; i = nodes[i].next)
		if (str_eq(nodes[i].text, nodes[value].text))
			return;
	fail_msg("not a word of the schema: %.*s", (int)nodes[value].text.len, nodes[value].text.ptr);
}

static void agrees(int value, int schema)
{
	type_agrees(value, text_at(schema, "type"));
	word_agrees(value, member(schema, "enum"));
	int required = member(schema, "required"), properties = member(schema, "properties");
	char name[64];
	for (int i = nodes[required].first; required != 0 && i != 0; i = nodes[i].next) {
		(void)snprintf(name, sizeof name, "%.*s", (int)nodes[i].text.len, nodes[i].text.ptr);
		if (member(value, name) == 0)
			fail_msg("'%s' is missing", name);
	}
	for (int i = nodes[value].first; nodes[value].type == '{' && i != 0; i = nodes[i].next) {
		(void)snprintf(name, sizeof name, "%.*s", (int)nodes[i].key.len, nodes[i].key.ptr);
		if (member(properties, name) == 0)
			fail_msg("'%s' is not in the schema", name);
		agrees(i, member(properties, name));
	}
}

/* Prints the event, holds it against the schema and returns the line, which the caller frees. */
static char *checked_line(const struct event *event)
{
	auto_buf struct buf schema, line;
	buf_init(&schema, 1 << 16);
	buf_init(&line, EVENT_LINE_MAX);
	event_schema(&schema);
	event_print(event, &line);
	assert_int_equal(buf_check(&schema, NULL), BERM_OK);
	assert_int_equal(buf_check(&line, NULL), BERM_OK);
	node_count = 0;
	agrees(read_json(line.data), read_json(schema.data));
	return buf_take(&line);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static struct berm_request a_request(void)
{
	struct berm_request request = {
		.kind = BERM_REQUEST_FILE,
		.op = BERM_OP_READ,
		.error = 13,
		.count = 1,
		.pid = 12,
		.exe = "/usr/bin/python3.11",
		.object = "/home/u/.ssh/id_ed25519",
		.as = "../../.ssh/id_ed25519",
		.dev = makedev(8, 1),
		.ino = 1234,
		.mode = S_IFREG | 0600,
		.time_ns = 1764064800123456789,
	};
	return request;
}

static void test_a_denial_in_full(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event_by by = {.rule = "filesystem.deny", .text = "~/.ssh", .layer = "default", .at = "x.yaml:7:5"};
	struct event event;
	event_from_request(&request, &by, &event);
	event.seq = 41;
	event.session = "quiet-otter-1f3a";
	auto_free char *line = checked_line(&event);
	assert_string_equal(
		line,
		"{\"v\":1,\"seq\":41,\"time\":\"2025-11-25T10:00:00.123456Z\",\"session\":\"quiet-otter-1f3a\","
		"\"generation\":1,\"kind\":\"file\",\"op\":\"read\",\"object\":{\"path\":\"/home/u/.ssh/id_ed25519\","
		"\"as\":\"../../.ssh/id_ed25519\",\"dev\":\"8:1\",\"ino\":1234,\"type\":\"file\"},"
		"\"task\":{\"pid\":12,\"exe\":\"/usr/bin/python3.11\"},\"verdict\":\"deny\",\"errno\":\"EACCES\","
		"\"by\":{\"rule\":\"filesystem.deny\",\"text\":\"~/.ssh\",\"layer\":\"default\",\"at\":\"x.yaml:7:5\"},"
		"\"grant\":\"-r /home/u/.ssh/id_ed25519\",\"retry\":false,\"count\":1}\n");
}

static void test_what_is_not_known_is_left_out(void **state)
{
	(void)state;
	struct berm_request request = {.kind = BERM_REQUEST_NET, .op = BERM_OP_CONNECT, .object = "10.0.0.1:80"};
	struct event event;
	event_from_request(&request, NULL, &event);
	auto_free char *line = checked_line(&event);
	assert_string_equal(line, "{\"v\":1,\"seq\":0,\"time\":\"1970-01-01T00:00:00.000000Z\",\"generation\":1,"
				  "\"kind\":\"net\",\"op\":\"connect\",\"object\":{\"address\":\"10.0.0.1:80\"},"
				  "\"verdict\":\"deny\",\"grant\":\"-n host\",\"retry\":false,\"count\":1}\n");
}

static void test_an_open_request_has_no_verdict(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event event;
	request.open = true;
	event_from_request(&request, NULL, &event);
	auto_free char *line = checked_line(&event);
	assert_null(strstr(line, "verdict"));
	assert_null(strstr(line, "grant"));
	assert_null(strstr(line, "errno"));
}

static void test_an_allowed_request_needs_no_grant(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event event;
	request.verdict = BERM_VERDICT_ALLOW;
	event_from_request(&request, NULL, &event);
	auto_free char *line = checked_line(&event);
	assert_non_null(strstr(line, "\"verdict\":\"allow\""));
	assert_null(strstr(line, "grant"));
	assert_null(strstr(line, "retry"));
}

static void test_hostile_names_stay_one_line(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event event;
	(void)snprintf(request.object, sizeof request.object, "/w/a\n{\"v\":1}\x1b[2J\xff\"");
	event_from_request(&request, NULL, &event);
	auto_free char *line = checked_line(&event);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "/w/a\\n{\\\"v\\\":1}\\u001b[2J\\ufffd\\\""));
}

static void test_all_words_are_in_the_schema(void **state)
{
	(void)state;
	static const mode_t formats[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFSOCK, S_IFIFO, S_IFCHR, S_IFBLK};
	for (int kind = BERM_REQUEST_FILE; kind <= BERM_REQUEST_PROCESS; kind++)
		for (int op = BERM_OP_READ; op <= BERM_OP_EXEC; op++) {
			struct berm_request request = a_request();
			struct event event;
			request.kind = (enum berm_request_kind)kind;
			request.op = (enum berm_request_op)op;
			request.mode = formats[(size_t)op % ARRAY_LEN(formats)];
			event_from_request(&request, NULL, &event);
			auto_free char *line = checked_line(&event);
			assert_non_null(strstr(line, event_op_word(request.op)));
		}
}

static void test_session_and_limit(void **state)
{
	(void)state;
	static const char *const command[] = {"make", "-j2", NULL};
	struct event start = {.kind = EVENT_SESSION,
			      .op = "start",
			      .generation = 1,
			      .command = command,
			      .workspace = "/w",
			      .backend = "namespaces"};
	auto_free char *line = checked_line(&start);
	assert_non_null(strstr(line, "\"kind\":\"session\",\"op\":\"start\",\"command\":[\"make\",\"-j2\"],"
				     "\"workspace\":\"/w\",\"backend\":\"namespaces\"}"));

	struct berm_status status = {.exited = true, .exit_code = 0, .denied = 3};
	struct event stop = {.kind = EVENT_SESSION, .op = "stop", .status = &status};
	auto_free char *second = checked_line(&stop);
	assert_non_null(strstr(second, "\"status\":{\"exited\":true,\"code\":0,\"denied\":3,\"served\":0}}"));

	struct event hit = {.kind = EVENT_LIMIT, .op = "hit", .limit = "wall", .limit_value = 1500};
	auto_free char *third = checked_line(&hit);
	assert_non_null(strstr(third, "\"kind\":\"limit\",\"op\":\"hit\",\"limit\":\"wall\",\"value\":1500}"));
}

static void test_the_policy_of_a_session(void **state)
{
	(void)state;
	static const char *const files[] = {"/h/.config/berm/policy.yaml", "/w/.berm.yaml", NULL};
	struct event load = {
		.kind = EVENT_POLICY, .op = "load", .generation = 1, .detail = "profile default", .files = files};
	auto_free char *line = checked_line(&load);
	assert_non_null(strstr(line,
			       "\"generation\":1,\"kind\":\"policy\",\"op\":\"load\",\"detail\":\"profile default\","
			       "\"files\":[\"/h/.config/berm/policy.yaml\",\"/w/.berm.yaml\"]}"));
	struct event refuse = {.kind = EVENT_POLICY, .op = "refuse", .detail = "unknown key"};
	auto_free char *second = checked_line(&refuse);
	assert_null(strstr(second, "\"files\""));
}

static void test_a_long_command_is_cut_between_characters(void **state)
{
	(void)state;
	static char word[3 * EVENT_COMMAND_MAX];
	for (size_t i = 0; i + 2 < sizeof word; i += 2)
		memcpy(word + i, "\xc3\xa4", 2);
	const char *const command[] = {"x", word, "never seen", NULL};
	struct event event = {.kind = EVENT_SESSION, .op = "start", .command = command};
	auto_free char *line = checked_line(&event);
	assert_null(strstr(line, "never seen"));
	assert_null(strstr(line, "\\ufffd"));
	assert_in_range(strlen(line), EVENT_COMMAND_MAX - 10, EVENT_COMMAND_MAX + 200);
}

static void test_the_longest_event_fits(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event event;
	memset(request.object, '\x01', sizeof request.object - 1);
	memset(request.as, '\x02', sizeof request.as - 1);
	memset(request.exe, '\x03', sizeof request.exe - 1);
	memset(request.detail, '\x04', sizeof request.detail - 1);
	request.object[0] = '/';
	struct event_by by = {.text = request.detail};
	event_from_request(&request, &by, &event);
	free(checked_line(&event));

	static char word[2 * EVENT_COMMAND_MAX], path[4096];
	memset(word, '\x05', sizeof word - 1);
	memset(path, '\x06', sizeof path - 1);
	const char *const command[] = {word, NULL};
	struct event start = {.kind = EVENT_SESSION, .op = "start", .command = command, .workspace = path};
	free(checked_line(&start));
}

struct grant_case {
	enum berm_request_kind kind;
	enum berm_request_op op;
	const char *object;
	bool narrows;
	const char *grant;
};

static void test_the_narrowest_grant(void **state)
{
	(void)state;
	static const struct grant_case cases[] = {
		{BERM_REQUEST_FILE, BERM_OP_READ, "/a/b", false, "-r /a/b"},
		{BERM_REQUEST_FILE, BERM_OP_WRITE, "/a/b", false, "-w /a/b"},
		{BERM_REQUEST_FILE, BERM_OP_META, "/a/b", false, "-w /a/b"},
		{BERM_REQUEST_FILE, BERM_OP_CREATE, "/a/b", false, "-w /a"},
		{BERM_REQUEST_FILE, BERM_OP_DELETE, "/a/b", false, "-w /a"},
		{BERM_REQUEST_FILE, BERM_OP_RENAME, "/a/b", false, "-w /a"},
		{BERM_REQUEST_FILE, BERM_OP_CREATE, "/b", false, ""},
		{BERM_REQUEST_FILE, BERM_OP_READ, "/", false, ""},
		{BERM_REQUEST_FILE, BERM_OP_READ, "", false, ""},
		{BERM_REQUEST_FILE, BERM_OP_WRITE, "/a/b", true, ""},
		{BERM_REQUEST_FILE, BERM_OP_READ, "/a b/c'd", false, "-r '/a b/c'\\''d'"},
		{BERM_REQUEST_FILE, BERM_OP_READ, "/a$(x)", false, "-r '/a$(x)'"},
		{BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "/run/x.sock", false, "--socket /run/x.sock"},
		{BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "@abstract", false, ""},
		{BERM_REQUEST_SOCKET, BERM_OP_BIND, "/run/x.sock", false, "-w /run"},
		{BERM_REQUEST_NET, BERM_OP_CONNECT, "10.0.0.1:80", false, "-n host"},
		{BERM_REQUEST_NET, BERM_OP_LISTEN, "0.0.0.0:80", false, "-n host"},
		{BERM_REQUEST_PROCESS, BERM_OP_SIGNAL, "1", false, "--allow signals"},
		{BERM_REQUEST_PROCESS, BERM_OP_SIGNAL, "1", true, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_request request = {.kind = cases[i].kind, .op = cases[i].op};
		struct event_by by = {.narrows = cases[i].narrows};
		struct event event;
		(void)snprintf(request.object, sizeof request.object, "%s", cases[i].object);
		event_from_request(&request, &by, &event);
		assert_string_equal(event.grant, cases[i].grant);
	}
}

static void test_a_grant_that_does_not_fit_is_none(void **state)
{
	(void)state;
	struct berm_request request = {.kind = BERM_REQUEST_FILE, .op = BERM_OP_READ};
	struct event event;
	memset(request.object, '\'', sizeof request.object - 1);
	request.object[0] = '/';
	event_from_request(&request, NULL, &event);
	assert_string_equal(event.grant, "");
}

static void test_the_sentence(void **state)
{
	(void)state;
	struct berm_request request = a_request();
	struct event_by by = {.text = "git configuration", .narrows = true};
	struct event event;
	auto_buf struct buf out;
	buf_init(&out, 4096);
	event_from_request(&request, NULL, &event);
	event_sentence(&event, &out);
	assert_string_equal(out.data,
			    "denied: read '/home/u/.ssh/id_ed25519' by python3.11 (pid 12): nothing grants it; "
			    "retrying will not help; would be allowed by -r /home/u/.ssh/id_ed25519");

	buf_clear(&out);
	request.op = BERM_OP_RENAME;
	request.count = 3;
	(void)snprintf(request.object, sizeof request.object, "/w/\x1b[31m\xc2\x9b\xff\xc3\xa4/.git/config");
	(void)snprintf(request.detail, sizeof request.detail, "core.fsmonitor (line 4) names a program");
	event_from_request(&request, &by, &event);
	event_sentence(&event, &out);
	assert_string_equal(out.data, "denied: rename '/w/?[31m??\xc3\xa4/.git/config' by python3.11 (pid 12): "
				      "git configuration: core.fsmonitor (line 4) names a program (3 times); "
				      "retrying will not help");
}

static void test_errno_names(void **state)
{
	(void)state;
	assert_string_equal(event_errno_name(13), "EACCES");
	assert_string_equal(event_errno_name(30), "EROFS");
	assert_null(event_errno_name(0));
	assert_null(event_errno_name(-1));
	assert_null(event_errno_name(100000));
}

/* docs/events.md knows every field. Tests run in the project's folder; elsewhere there is nothing to hold it against. */
static void test_the_page_for_readers_names_every_field(void **state)
{
	(void)state;
	static char page[1 << 16];
	auto_buf struct buf schema;
	FILE *file = fopen("docs/events.md", "r");
	if (file == NULL)
		skip();
	size_t len = fread(page, 1, sizeof page - 1, file);
	(void)fclose(file);
	page[len] = '\0';
	buf_init(&schema, 1 << 16);
	event_schema(&schema);
	assert_int_equal(buf_check(&schema, NULL), BERM_OK);
	node_count = 0;
	int properties = member(read_json(schema.data), "properties");
	for (int i = nodes[properties].first; i != 0; i = nodes[i].next) {
		char name[64];
		(void)snprintf(name, sizeof name, "`%.*s`", (int)nodes[i].key.len, nodes[i].key.ptr);
		if (strstr(page, name) == NULL)
			fail_msg("docs/events.md does not name %s", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_denial_in_full),
		cmocka_unit_test(test_what_is_not_known_is_left_out),
		cmocka_unit_test(test_an_open_request_has_no_verdict),
		cmocka_unit_test(test_an_allowed_request_needs_no_grant),
		cmocka_unit_test(test_hostile_names_stay_one_line),
		cmocka_unit_test(test_all_words_are_in_the_schema),
		cmocka_unit_test(test_session_and_limit),
		cmocka_unit_test(test_the_policy_of_a_session),
		cmocka_unit_test(test_a_long_command_is_cut_between_characters),
		cmocka_unit_test(test_the_longest_event_fits),
		cmocka_unit_test(test_the_narrowest_grant),
		cmocka_unit_test(test_a_grant_that_does_not_fit_is_none),
		cmocka_unit_test(test_the_sentence),
		cmocka_unit_test(test_errno_names),
		cmocka_unit_test(test_the_page_for_readers_names_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
