#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/learn.h"
#include "policy/learn_names.h"

enum { MOST = 8, ROUNDS = 400, EVENTS = 60 };

#define HOME "/home/u"
#define WORK "/home/u/work"

/* ---- a policy of prefixes ---------------------------------------------------------------------------------------- */

struct closed {
	const char *const *denied, *const *allowed; /* NULL-terminated */
};

static enum learn_word look(void *context, enum policy_op op, const char *object, bool tree,
			    char ret_why[static LEARN_WHY_MAX])
{
	const struct closed *closed = context;
	(void)op;
	for (const char *const *at = closed->denied; *at != NULL; at++) {
		if (!learn_is_in(object, *at) && !(tree && learn_is_in(*at, object)))
			continue;
		(void)snprintf(ret_why, LEARN_WHY_MAX, "filesystem.deny: %s", *at);
		return LEARN_FORBIDDEN;
	}
	for (const char *const *at = closed->allowed; *at != NULL; at++) {
		if (learn_is_in(object, *at))
			return LEARN_ALLOWED;
	}
	return LEARN_OPEN;
}

static const char *const denied[] = {HOME "/.ssh", HOME "/.config/gh", HOME "/mixed/deep/key", NULL};
static const char *const allowed[] = {"/usr", NULL};
static const struct closed usual = {denied, allowed};

static enum berm_code learn_from(const struct learn_event *events, size_t count, const struct closed *closed,
				 struct learn *learn, struct berm_err *err)
{
	struct closed copy = *closed;
	const struct learn_judge judge = {.home = HOME, .workspace = WORK, .context = &copy, .look = look};
	return learn_make(events, count, &judge, learn, err);
}

/* ---- the table: events to lines ---------------------------------------------------------------------------------- */

#define READ(path)                                                                                                     \
	{                                                                                                              \
		POLICY_OP_READ, path, false, NULL, 0, 1                                                                \
	}
#define LIST(path)                                                                                                     \
	{                                                                                                              \
		POLICY_OP_READ, path, true, NULL, 0, 1                                                                 \
	}
#define WRITE(path)                                                                                                    \
	{                                                                                                              \
		POLICY_OP_WRITE, path, false, NULL, 0, 1                                                               \
	}
#define MAKE(path)                                                                                                     \
	{                                                                                                              \
		POLICY_OP_CREATE, path, false, NULL, 0, 1                                                              \
	}
#define MKDIR(path)                                                                                                    \
	{                                                                                                              \
		POLICY_OP_CREATE, path, true, NULL, 0, 1                                                               \
	}
#define EXEC(path)                                                                                                     \
	{                                                                                                              \
		POLICY_OP_EXEC, path, false, NULL, 0, 1                                                                \
	}
#define SOCKET(path)                                                                                                   \
	{                                                                                                              \
		POLICY_OP_SOCKET, path, false, NULL, 0, 1                                                              \
	}
#define CONNECT(host)                                                                                                  \
	{                                                                                                              \
		POLICY_OP_CONNECT, host, false, NULL, 0, 1                                                             \
	}

struct row {
	const char *name;
	struct learn_event events[MOST]; /* up to one without an object */
	const char *lines;		 /* "read ~/x; write ~/y", a '=' behind a path for extent: file */
	const char *skipped;		 /* reasons, parted by "; " */
};

static const struct row rows[] = {
	{"nothing", {{0}}, "", ""},
	{"a file", {READ(HOME "/.npmrc")}, "filesystem.read ~/.npmrc", ""},
	{"outside of the home", {READ("/opt/x/y")}, "filesystem.read /opt/x/y", ""},
	{"the same twice", {READ("/opt/x/y"), READ("/opt/x/y")}, "filesystem.read /opt/x/y", ""},
	{"a folder is listed alone", {LIST(HOME "/docs")}, "filesystem.read ~/docs=", ""},
	{"two files stay two",
	 {READ("/opt/x/a"), READ("/opt/x/b")},
	 "filesystem.read /opt/x/a; filesystem.read /opt/x/b",
	 ""},
	{"three are their folder",
	 {READ("/opt/x/a"), READ("/opt/x/b"), READ("/opt/x/c")},
	 "filesystem.read /opt/x",
	 ""},
	{"and its list",
	 {LIST("/opt/x"), READ("/opt/x/a"), READ("/opt/x/b"), READ("/opt/x/c")},
	 "filesystem.read /opt/x",
	 ""},
	{"three names twice are no three",
	 {READ("/opt/x/a"), READ("/opt/x/b"), READ("/opt/x/a")},
	 "filesystem.read /opt/x/a; filesystem.read /opt/x/b",
	 ""},
	{"reading and writing count apart",
	 {READ("/opt/x/a"), READ("/opt/x/b"), WRITE("/opt/x/c")},
	 "filesystem.read /opt/x/a; filesystem.read /opt/x/b; filesystem.write /opt/x/c",
	 ""},
	{"making and writing count together",
	 {MAKE("/opt/x/a"), MAKE("/opt/x/b"), WRITE("/opt/x/c")},
	 "filesystem.write /opt/x",
	 ""},
	{"writing includes reading", {READ("/opt/x/a"), WRITE("/opt/x/a")}, "filesystem.write /opt/x/a", ""},
	{"running includes reading", {READ("/opt/x/a"), EXEC("/opt/x/a")}, "filesystem.exec /opt/x/a", ""},
	{"replacing includes both",
	 {READ("/opt/x/a"), WRITE("/opt/x/a"), MAKE("/opt/x/a")},
	 "filesystem.replace /opt/x/a",
	 ""},
	{"locks and temporary files are of a file",
	 {MAKE(HOME "/.a.json.lock"), MAKE(HOME "/.a.json.tmp.123")},
	 "filesystem.replace ~/.a.json",
	 ""},
	{"a new folder", {MKDIR(HOME "/.cache/x")}, "filesystem.write ~/.cache/x", ""},
	{"and what is made in it",
	 {MKDIR(HOME "/.x"), MAKE(HOME "/.x/a"), READ(HOME "/.x/b")},
	 "filesystem.write ~/.x",
	 ""},
	/* never wider */
	{"not the root",
	 {READ("/a"), READ("/b"), READ("/c")},
	 "filesystem.read /a; filesystem.read /b; filesystem.read /c",
	 ""},
	{"not a folder of the root",
	 {READ("/opt/a"), READ("/opt/b"), READ("/opt/c")},
	 "filesystem.read /opt/a; filesystem.read /opt/b; filesystem.read /opt/c",
	 ""},
	{"not the home",
	 {READ(HOME "/a"), READ(HOME "/b"), READ(HOME "/c")},
	 "filesystem.read ~/a; filesystem.read ~/b; filesystem.read ~/c",
	 ""},
	{"not what holds the home",
	 {READ("/home/a"), READ("/home/b"), READ("/home/c")},
	 "filesystem.read /home/a; filesystem.read /home/b; filesystem.read /home/c",
	 ""},
	{"not the workspace",
	 {READ(WORK "/a"), READ(WORK "/b"), READ(WORK "/c")},
	 "filesystem.read ~/work/a; filesystem.read ~/work/b; filesystem.read ~/work/c",
	 ""},
	{"not what programs share",
	 {READ(HOME "/.config/a"), READ(HOME "/.config/b"), READ(HOME "/.config/c")},
	 "filesystem.read ~/.config/a; filesystem.read ~/.config/b; filesystem.read ~/.config/c",
	 ""},
	{"not what holds something denied",
	 {READ(HOME "/mixed/deep/a"), READ(HOME "/mixed/deep/b"), READ(HOME "/mixed/deep/c")},
	 "filesystem.read ~/mixed/deep/a; filesystem.read ~/mixed/deep/b; filesystem.read ~/mixed/deep/c",
	 ""},
	{"a folder of the home it is",
	 {READ(HOME "/x/a"), READ(HOME "/x/b"), READ(HOME "/x/c")},
	 "filesystem.read ~/x",
	 ""},
	/* versions */
	{"versions", {READ("/opt/t/1.2.3/x"), READ("/opt/t/1.3.0/x")}, "filesystem.read /opt/t/*/x", ""},
	{"versions behind a name",
	 {EXEC("/opt/t/node-v18.2.0/bin/node"), EXEC("/opt/t/node-v20.1.1/bin/node")},
	 "filesystem.exec /opt/t/node-*/bin/node",
	 ""},
	{"hashes", {READ(HOME "/.c/3f2a9c0b11/i"), READ(HOME "/.c/99aa9c0b11/i")}, "filesystem.read ~/.c/*/i", ""},
	{"one version is one", {READ("/opt/t/1.2.3/x")}, "filesystem.read /opt/t/1.2.3/x", ""},
	{"other files are others",
	 {READ("/opt/t/1.2.3/x"), READ("/opt/t/1.3.0/y")},
	 "filesystem.read /opt/t/1.2.3/x; filesystem.read /opt/t/1.3.0/y",
	 ""},
	{"words are no hashes",
	 {READ("/opt/t/deadbeef/x"), READ("/opt/t/cafebabe/x")},
	 "filesystem.read /opt/t/cafebabe/x; filesystem.read /opt/t/deadbeef/x",
	 ""},
	{"not beside something denied",
	 {READ(HOME "/mixed/1.2/x"), READ(HOME "/mixed/1.3/x")},
	 "filesystem.read ~/mixed/1.2/x; filesystem.read ~/mixed/1.3/x",
	 ""},
	/* sockets, hosts */
	{"a socket",
	 {SOCKET("/run/s"), SOCKET("/run/t"), SOCKET("/run/u")},
	 "network.sockets /run/s; network.sockets /run/t; network.sockets /run/u",
	 ""},
	{"hosts",
	 {CONNECT("example.org:443"), CONNECT("example.org:80"), CONNECT("[2001:db8::1]:5432")},
	 "network.allow [2001:db8::1]:5432; network.allow example.org; network.allow example.org:80",
	 ""},
	/* never at all */
	{"the loopback",
	 {CONNECT("127.0.0.1:80"), CONNECT("[::1]:80")},
	 "",
	 "a port of the host's loopback: \"network.reach\" is for that; a port of the host's loopback: "
	 "\"network.reach\" is for that"},
	{"denied", {READ(HOME "/.ssh/id"), READ(HOME "/a")}, "filesystem.read ~/a", "filesystem.deny: /home/u/.ssh"},
	{"a lock of something denied", {MAKE(HOME "/.ssh.lock")}, "", "filesystem.deny: /home/u/.ssh"},
	{"a folder around something denied", {MKDIR(HOME "/mixed")}, "", "filesystem.deny: /home/u/mixed/deep/key"},
	{"allowed", {READ("/usr/x")}, "", "allowed by now"},
	{"the kernel's",
	 {READ("/proc/1/mem"), READ("/sys/x"), WRITE("/dev/sda")},
	 "",
	 "a folder of the kernel's; a folder of the kernel's; a folder of the kernel's"},
	{"not final",
	 {READ("/opt/../etc/x"), READ("/opt//x"), READ("/opt/x/")},
	 "",
	 "not a final path; not a final path; not a final path"},
	{"relative", {READ("x")}, "", "not an absolute path"},
	{"unspeakable",
	 {READ("/opt/$HOME"), READ("/opt/a\nb")},
	 "",
	 "a name that a policy line cannot say; a name that a policy line cannot say"},
	{"the root itself", {LIST("/")}, "", "the root folder"},
	{"what no line allows",
	 {{POLICY_OP_RUN, "git push", false, NULL, 0, 1}},
	 "",
	 "nothing that a policy line allows"},
	{"wildcards in names", {READ("/opt/x/a*b")}, "filesystem.read /opt/x/a\\*b", ""},
};

static void put_lines(const struct learn *learn, struct buf *out)
{
	const struct learn_line *lines = learn->lines.items;
	for (size_t i = 0; i < learn->lines.len; i++)
		buf_printf(out, "%s%s %s%s", i > 0 ? "; " : "", policy_keys[lines[i].key].path, lines[i].text,
			   lines[i].file ? "=" : "");
}

static void put_skipped(const struct learn *learn, struct buf *out)
{
	const struct learn_skipped *skipped = learn->skipped.items;
	for (size_t i = 0; i < learn->skipped.len; i++)
		buf_printf(out, "%s%s", i > 0 ? "; " : "", skipped[i].why);
}

static void same_text(const char *name, const struct buf *got, const char *expected)
{
	const char *text = got->data != NULL ? got->data : "";
	if (strcmp(text, expected) != 0)
		fail_msg("%s: got '%s', expected '%s'", name, text, expected);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_learn struct learn learn;
		auto_buf struct buf lines, skipped;
		size_t count = 0;
		learn_init(&learn);
		buf_init(&lines, 4096);
		buf_init(&skipped, 4096);
		while (count < MOST && rows[i].events[count].object != NULL)
			count++;
		assert_int_equal(learn_from(rows[i].events, count, &usual, &learn, NULL), BERM_OK);
		put_lines(&learn, &lines);
		put_skipped(&learn, &skipped);
		assert_false(lines.failed || skipped.failed);
		same_text(rows[i].name, &lines, rows[i].lines);
		same_text(rows[i].name, &skipped, rows[i].skipped);
	}
}

/* Each event stands behind exactly one line, or was left out. */
static void count_events(const struct learn *learn, size_t count)
{
	const struct learn_line *lines = learn->lines.items;
	const struct learn_skipped *skipped = learn->skipped.items;
	size_t seen[EVENTS] = {0};
	for (size_t i = 0; i < learn->lines.len; i++)
		for (size_t at = 0; at < lines[i].event_count; at++)
			seen[lines[i].events[at]]++;
	for (size_t i = 0; i < learn->skipped.len; i++)
		seen[skipped[i].event]++;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(seen[i], 1);
}

/* ---- never what is denied ---------------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void random_path(uint32_t *state, char *ret, size_t size)
{
	static const char *const names[] = {"a", "b", ".ssh", "1.2", "1.3", "2.0.1", "0a1b2c3d4e", "9f8e7d6c5b"};
	static const char *const tops[] = {HOME, "/opt", "/home", "/srv/x", WORK};
	size_t at = (size_t)snprintf(ret, size, "%s", tops[next_random(state) % ARRAY_LEN(tops)]);
	for (uint32_t depth = 1 + next_random(state) % 4; depth > 0; depth--)
		at += (size_t)snprintf(ret + at, size - at, "/%s", names[next_random(state) % ARRAY_LEN(names)]);
}

/* Does the line reach what is denied: is it in there, or is that in it? */
static void check_line(const struct learn_line *line, const char *denied_path)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s%s", line->text[0] == '~' ? HOME : "",
		       line->text[0] == '~' ? line->text + 1 : line->text);
	struct glob *glob = NULL;
	assert_int_equal(glob_new(GLOB_PATH, str_from(path), &glob, NULL), BERM_OK);
	bool reaches = glob_match(glob, str_from(denied_path), false);
	bool around = line->file ? false : glob_may_match_below(glob, str_from(denied_path), false);
	glob_free(glob);
	bool one = line->file || line->key == KEY_REPLACE || line->key == KEY_SOCKETS; /* of that name alone */
	assert_false(reaches || around || learn_is_in(path, denied_path));
	assert_true(one || !learn_is_in(denied_path, path));
	/* a pattern: no part of it leads to what is denied */
	for (char *slash = strrchr(path, '/'); strchr(path, '*') != NULL && slash > path; slash = strrchr(path, '/')) {
		*slash = '\0';
		assert_true(strchr(path, '*') != NULL || !learn_is_in(denied_path, path));
	}
}

static void fill_events(uint32_t *state, char paths[EVENTS][256], struct learn_event events[EVENTS])
{
	static const enum policy_op ops[] = {POLICY_OP_READ,   POLICY_OP_WRITE, POLICY_OP_CREATE,
					     POLICY_OP_DELETE, POLICY_OP_EXEC,	POLICY_OP_SOCKET};
	for (size_t i = 0; i < EVENTS; i++) {
		random_path(state, paths[i], sizeof(paths[i]));
		events[i] = (struct learn_event){.op = ops[next_random(state) % ARRAY_LEN(ops)],
						 .object = paths[i],
						 .folder = next_random(state) % 5 == 0,
						 .count = 1};
	}
}

static void test_denied_is_never_proposed(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const char *const none[] = {NULL};
	static char paths[EVENTS][256], closed_paths[3][256];
	uint32_t random = 7;
	size_t lines_seen = 0, skipped_seen = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct learn_event events[EVENTS];
		auto_learn struct learn learn;
		learn_init(&learn);
		for (size_t i = 0; i < ARRAY_LEN(closed_paths); i++)
			random_path(&random, closed_paths[i], sizeof(closed_paths[i]));
		const char *const list[] = {closed_paths[0], closed_paths[1], closed_paths[2], NULL};
		const struct closed closed = {list, none};
		fill_events(&random, paths, events);
		assert_int_equal(learn_from(events, EVENTS, &closed, &learn, NULL), BERM_OK);
		const struct learn_line *lines = learn.lines.items;
		for (size_t i = 0; i < learn.lines.len; i++)
			for (size_t at = 0; list[at] != NULL; at++)
				check_line(&lines[i], list[at]);
		count_events(&learn, EVENTS);
		lines_seen += learn.lines.len;
		skipped_seen += learn.skipped.len;
	}
	assert_true(lines_seen > ROUNDS && skipped_seen > ROUNDS);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void test_events_of_a_line(void **state)
{
	(void)state;
	static const struct learn_event events[] = {READ("/opt/x/c"), READ(HOME "/.ssh/x"), READ("/opt/x/a"),
						    WRITE("/opt/y/z"), READ("/opt/x/b")};
	auto_learn struct learn learn;
	learn_init(&learn);
	assert_int_equal(learn_from(events, ARRAY_LEN(events), &usual, &learn, NULL), BERM_OK);
	count_events(&learn, ARRAY_LEN(events));
	const struct learn_line *lines = learn.lines.items;
	assert_int_equal(learn.lines.len, 2);
	assert_int_equal(lines[0].event_count, 3);
	assert_int_equal(lines[0].events[0], 0);
	assert_int_equal(lines[0].events[1], 2);
	assert_int_equal(lines[0].events[2], 4);
	assert_string_equal(lines[0].why, "three or more names of one folder");
	assert_string_equal(lines[1].why, "");
}

static void test_document(void **state)
{
	(void)state;
	static const struct learn_event events[] = {LIST(HOME "/docs"), CONNECT("example.org:443")};
	struct policy_doc doc;
	auto_learn struct learn learn;
	learn_init(&learn);
	assert_int_equal(learn_from(events, ARRAY_LEN(events), &usual, &learn, NULL), BERM_OK);
	assert_int_equal(learn_document(&learn, &doc, NULL), BERM_OK);
	assert_int_equal(doc.line_count, 2);
	assert_int_equal(doc.lines[0].key, KEY_READ);
	assert_string_equal(policy_attr_find(&doc.lines[0], ATTR_EXTENT), "file");
	assert_int_equal(doc.lines[1].key, KEY_NET_ALLOW);
	assert_null(policy_attr_find(&doc.lines[1], ATTR_EXTENT));
}

static void test_too_many(void **state)
{
	(void)state;
	static const struct learn_event event = READ("/opt/x");
	struct berm_err err;
	auto_learn struct learn learn;
	learn_init(&learn);
	assert_int_equal(learn_from(&event, LEARN_MAX_EVENTS + 1, &usual, &learn, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "more than 100000 events to learn from");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_denied_is_never_proposed),
		cmocka_unit_test(test_events_of_a_line),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
