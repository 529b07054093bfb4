#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "doc_listing.h"
#include "policy/builtin.h"
#include "policy/load.h"
#include "policy/policy_text.h"

enum { MAX = 1 << 20 };

/* ---- rig --------------------------------------------------------------------------------------------------------- */

static const struct policy_doc *load(struct arena *arena, enum policy_doc_kind kind, struct str text)
{
	struct berm_err err = {0};
	const struct policy_doc *doc = NULL;
	if (policy_load(arena, (struct policy_from){kind, "p"}, text, &doc, NULL, &err) != BERM_OK)
		fail_msg("%s in %s", err.msg, text.ptr);
	return doc;
}

static int by_text(const void *a, const void *b)
{
	const char *const *first = a, *const *second = b;
	return strcmp(*first, *second);
}

/* The lines of a listing in order of their text: between keys, order says nothing. */
static void sort_lines(struct buf *listing)
{
	enum { LINES = 4096 };
	auto_free char *copy = str_dup(buf_str(listing));
	auto_free const char **lines = calloc(LINES, sizeof *lines);
	size_t count = 0;
	assert_non_null(copy);
	assert_non_null(lines);
	char *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line != NULL && count < LINES;
	     line = strtok_r(NULL, "\n", &save))
		lines[count++] = line;
	qsort(lines, count, sizeof *lines, by_text);
	buf_clear(listing);
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i], "berm 1") != 0)
			buf_printf(listing, "%s\n", lines[i]);
	buf_putc(listing, '\0');
	assert_false(listing->failed);
}

/* What is written is read as the same, and written again as the same. */
static void expect_back(const struct policy_doc *doc)
{
	auto_arena struct arena arena;
	auto_buf struct buf text, again, before, after;
	arena_init(&arena, 16U * MAX);
	buf_init(&text, MAX);
	buf_init(&again, MAX);
	buf_init(&before, MAX);
	buf_init(&after, MAX);
	policy_text_put(doc, false, &text);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	const struct policy_doc *back = load(&arena, doc->kind, buf_str(&text));
	doc_listing(doc, &before);
	doc_listing(back, &after);
	sort_lines(&before);
	sort_lines(&after);
	assert_string_equal(before.data, after.data);
	policy_text_put(back, false, &again);
	buf_putc(&again, '\0');
	buf_putc(&text, '\0');
	assert_false(text.failed || again.failed);
	assert_string_equal(text.data, again.data);
	/* with comments it can be read as well */
	buf_clear(&again);
	policy_text_put(doc, true, &again);
	assert_int_equal(buf_check(&again, NULL), BERM_OK);
	assert_int_equal(load(&arena, doc->kind, buf_str(&again))->line_count, back->line_count);
}

static void expect_text(const char *text, bool comments, const char *expected)
{
	auto_arena struct arena arena;
	auto_buf struct buf out;
	arena_init(&arena, MAX);
	buf_init(&out, MAX);
	policy_text_put(load(&arena, POLICY_DOC_FILE, str_from(text)), comments, &out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
}

/* ---- what it looks like ------------------------------------------------------------------------------------------ */

static const char everything[] = "name: x\nabout: what it is\nwhen: {os: linux, arch: [x86_64, arm64]}\nextends: [a, "
				 "b]\ngroups: [git, -docker, {name: "
				 "node, when: {os: macos}}]\nbackend: any\nfilesystem:\n  deny: [\"**/.env\", {path: "
				 "~/.ssh, except: [~/.ssh/known_hosts, "
				 "\"~/.ssh/*.pub\"], why: keys}]\n  delete: []\n  read: [/opt]\n  default: "
				 "ask\noverride: [{path: ~/.ssh/config, why: \"no "
				 "secret: names\"}]\nnetwork:\n  allow: [a.example, {to: \"*.b.example:80\", by: [git, "
				 "gh], http: \"GET /x/**\", private: "
				 "true}]\n  publish: [3000]\nsecrets: {k: {from: \"env://K\", to: a.example, as: "
				 "header x-key, env: K}}\nenvironment: {pass: "
				 "[\"LC_*\"], set: {A: \"1\", B: \"a: b #c\"}}\nprocess: {limits: {memory: 8GiB, "
				 "processes: 10}, may: [gpu]}\ncommands: [{run: "
				 "\"git push **\", decision: ask}]\napprovals: {by: [terminal, {webhook: "
				 "\"https://a.example\", key: k}, {program: [a, \"-b "
				 "c\"]}, {all: [control, {program: [x]}]}], timeout: 60s}\nwants: {network: "
				 "[c.example], environment: {set: {D: e}}}\ntests: "
				 "[{read: ~/x, is: deny}, {run: git push, is: ask, by: sh}]\n";

static const char everything_written[] =
	"berm: 1\n"
	"name: x\n"
	"about: \"what it is\"\n"
	"extends:\n"
	"  - a\n"
	"  - b\n"
	"groups:\n"
	"  - git\n"
	"  - -docker\n"
	"  - {name: node, when: {os: macos}}\n"
	"when: {os: linux, arch: [x86_64, arm64]}\n"
	"backend: any\n"
	"filesystem:\n"
	"  read:\n"
	"    - /opt\n"
	"  delete: []\n"
	"  deny:\n"
	"    - \"**/.env\"\n"
	"    - {path: ~/.ssh, except: [~/.ssh/known_hosts, \"~/.ssh/*.pub\"], why: keys}\n"
	"  default: ask\n"
	"override:\n"
	"  - {path: ~/.ssh/config, why: \"no secret: names\"}\n"
	"network:\n"
	"  allow:\n"
	"    - a.example\n"
	"    - {to: \"*.b.example:80\", by: [git, gh], http: \"GET /x/**\", private: true}\n"
	"  publish:\n"
	"    - 3000\n"
	"secrets:\n"
	"  k: {from: env://K, to: a.example, as: \"header x-key\", env: K}\n"
	"environment:\n"
	"  pass:\n"
	"    - \"LC_*\"\n"
	"  set:\n"
	"    A: \"1\"\n"
	"    B: \"a: b #c\"\n"
	"process:\n"
	"  limits:\n"
	"    memory: 8GiB\n"
	"    processes: 10\n"
	"  may:\n"
	"    - gpu\n"
	"commands:\n"
	"  - {run: \"git push **\", decision: ask}\n"
	"approvals:\n"
	"  by:\n"
	"    - terminal\n"
	"    - {webhook: https://a.example, key: k}\n"
	"    - {program: [a, \"-b c\"]}\n"
	"    - {all: [control, {\"program\":[\"x\"]}]}\n"
	"  timeout: 60s\n"
	"tests:\n"
	"  - {read: ~/x, is: deny}\n"
	"  - {run: \"git push\", is: ask, by: sh}\n"
	"wants:\n"
	"  network:\n"
	"    allow:\n"
	"      - c.example\n"
	"  environment:\n"
	"    set:\n"
	"      D: e\n";

static void test_a_document_is_written(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	arena_init(&arena, MAX);
	expect_text("", false, "berm: 1\n");
	expect_text(everything, false, everything_written);
	expect_back(load(&arena, POLICY_DOC_FILE, STR(everything)));
}

static void test_reasons_as_comments(void **state)
{
	(void)state;
	expect_text("filesystem: {deny: [{path: /a, why: \"x\\ny\"}, {path: /b, why: z, except: /b/c}]}\noverride: "
		    "[{path: /c, "
		    "why: w}]\n",
		    true,
		    "berm: 1\nfilesystem:\n  deny:\n    - /a  # x y\n    - {path: /b, except: /b/c}  # z\noverride:\n  "
		    "- {path: "
		    "/c, why: w}\n");
}

static void test_what_is_shipped_comes_back(void **state)
{
	(void)state;
	NOT_TORTURED();
	for (size_t i = 0; i < builtin_group_count; i++)
		expect_back(&builtin_groups[i]);
	for (size_t i = 0; i < builtin_profile_count; i++)
		expect_back(&builtin_profiles[i]);
}

/* What was said twice is said once, as it counts. */
static void test_later_lines_count(void **state)
{
	(void)state;
	const struct policy_line lines[] = {
		{.key = KEY_NET_MODE, .text = "none"}, {.key = KEY_ENV_SET, .text = "A=1"},
		{.key = KEY_NET_MODE, .text = "host"}, {.key = KEY_ENV_SET, .text = "AB=2"},
		{.key = KEY_ENV_SET, .text = "A=3"},   {.key = KEY_ENV_SET, .text = "C=", .wanted = true},
		{.key = KEY_READ, .text = "/a"},       {.key = KEY_READ, .text = "/a"},
	};
	const struct policy_doc doc = {.lines = lines, .line_count = ARRAY_LEN(lines)};
	auto_buf struct buf out;
	buf_init(&out, MAX);
	policy_text_put(&doc, false, &out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data,
			    "berm: 1\nfilesystem:\n  read:\n    - /a\n    - /a\nnetwork:\n  mode: "
			    "host\nenvironment:\n  set:\n    AB: \"2\"\n    A: \"3\"\nwants:\n  environment:\n    "
			    "set:\n      C: \"\"\n");
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static const char *const plain[] = {"a",   "/x/y.z",  "~/.ssh", "$HOME/x", ".",	 "..",	"-docker",
				    "a@b", "env://K", "a:b",	"a-b",	   "x1", "8GiB"};
static const char *const quoted[] = {"",
				     "~",
				     "true",
				     "False",
				     "no",
				     "1",
				     "1e3",
				     "12:30",
				     "2001-01-01",
				     "0x1f",
				     "a b",
				     "*",
				     "a: b",
				     "a #b",
				     "#a",
				     "- a",
				     "-",
				     ":",
				     "a:",
				     "[a]",
				     "{a}",
				     "a,b",
				     "!a",
				     "&a",
				     "|",
				     ">",
				     "%a",
				     "@a",
				     "`a",
				     "'a'",
				     "\"a\"",
				     "a\\b",
				     "a\nb",
				     "a\tb",
				     "\x7f",
				     "\033",
				     "?",
				     "? a",
				     "<<",
				     "..1",
				     "\xc2\x85",
				     "\xe2\x80\xa8",
				     "\357\273\277a",
				     "\xc3\xa4",
				     "\xf0\x9f\x98\x80",
				     "\xef\xbf\xbe"};

/* A scalar stands in a list and in a map, in lines and in brackets. */
static void expect_scalar_back(const char *text)
{
	auto_arena struct arena arena;
	auto_buf struct buf scalar, all;
	const struct node *root = NULL;
	struct berm_err err = {0};
	arena_init(&arena, MAX);
	buf_init(&scalar, MAX);
	buf_init(&all, MAX);
	policy_text_scalar(text, &scalar);
	buf_putc(&scalar, '\0');
	assert_false(scalar.failed);
	buf_printf(&all, "a: %s\nb:\n  - %s\nc: [%s, {d: %s}]\n", scalar.data, scalar.data, scalar.data, scalar.data);
	assert_false(all.failed);
	if (node_parse(&arena, buf_str(&all), "f", &root, NULL, &err) != BERM_OK)
		fail_msg("%s: %s", scalar.data, err.msg);
	const struct node *places[] = {node_find(root, "a"), node_find(root, "b")->first, node_find(root, "c")->first,
				       node_find(root, "c")->first->next->first};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		assert_int_equal(places[i]->kind, NODE_TEXT);
		assert_string_equal(places[i]->text.ptr, text);
	}
}

static void test_scalars(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		auto_buf struct buf out;
		buf_init(&out, MAX);
		policy_text_scalar(plain[i], &out);
		buf_putc(&out, '\0');
		assert_false(out.failed);
		assert_string_equal(out.data, plain[i]);
		expect_scalar_back(plain[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(quoted); i++) {
		auto_buf struct buf out;
		buf_init(&out, MAX);
		policy_text_scalar(quoted[i], &out);
		assert_false(out.failed);
		assert_int_equal(out.data[0], '"');
		expect_scalar_back(quoted[i]);
	}
}

static void test_every_short_text_comes_back(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const char letters[] = "a1~/.-:#*&!|>'\"%@`,[]{}\\? \n";
	char text[4] = "";
	for (size_t i = 0; i + 1 < sizeof letters; i++)
		for (size_t j = 0; j + 1 < sizeof letters; j++)
			for (size_t k = 0; k < sizeof letters; k++) {
				text[0] = letters[i];
				text[1] = letters[j];
				text[2] = letters[k];
				expect_scalar_back(text);
			}
}

static void test_what_yaml_cannot_say_is_told(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, MAX);
	policy_text_scalar("/a\xff", &out);
	assert_true(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_document_is_written),
		cmocka_unit_test(test_reasons_as_comments),
		cmocka_unit_test(test_what_is_shipped_comes_back),
		cmocka_unit_test(test_later_lines_count),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_every_short_text_comes_back),
		cmocka_unit_test(test_what_yaml_cannot_say_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
