#include "check.h"

#include <stdio.h>
#include <string.h>

#include "format/toml_scan.h"

struct told {
	char text[1024];
	size_t len;
	int stop_after;
};

/* "a.b=value;" for each; a string is in quotes, with "~" behind if it has escapes. */
static bool tell(void *context, const struct toml_value *value)
{
	struct told *told = context;
	char *at = told->text + told->len;
	size_t room = sizeof told->text - told->len;
	int len = 0;
	for (size_t i = 0; i < value->key_count; i++)
		len += snprintf(at + len, room - (size_t)len, "%s%.*s", i > 0 ? "." : "", (int)value->keys[i].len,
				value->keys[i].ptr);
	len += snprintf(at + len, room - (size_t)len, value->text ? "='%.*s'%s;" : "=%.*s%s;", (int)value->value.len,
			value->value.ptr, value->escaped ? "~" : "");
	told->len += (size_t)len;
	return told->stop_after == 0 || --told->stop_after > 0;
}

static void tells(const char *text, const char *expected)
{
	struct told told = {.len = 0};
	assert_true(toml_scan(str_from(text), tell, &told));
	assert_string_equal(told.text, expected);
}

static void refuses(const char *text)
{
	struct told told = {.len = 0};
	assert_false(toml_scan(str_from(text), tell, &told));
}

static void test_keys_and_tables(void **state)
{
	(void)state;
	tells("", "");
	tells("# nothing\n\n", "");
	tells("a = \"x\" # why\r\nb='y'", "a='x';b='y';");
	tells("[t]\na = 1\n[t.u]\nb = true\n", "t.a=1;t.u.b=true;");
	tells("[\"a.b\".'c']\nd.e = 'f'\n", "a.b.c.d.e='f';");
	tells("[[i]]\nu = '1'\n[[i]]\nu = '2'\n", "i.u='1';i.u='2';");
	tells("d = 1979-05-27T07:32:00Z\nf = -1.5e+3\n", "d=1979-05-27T07:32:00Z;f=-1.5e+3;");
}

static void test_values_within_values(void **state)
{
	(void)state;
	tells("a = [ 'x', \n 'y', # z\n ]\nb = 'c'\n", "a='x';a='y';b='c';");
	tells("a = []\nb = {}\nc = [[], [1, [2]]]\n", "c=1;c=2;");
	tells("a = { b = 'c', d.e = [ 'f' ] }\ng = 1\n", "a.b='c';a.d.e='f';g=1;");
	tells("[s]\nx = [{ u = '1' }, { u = '2' }]\ny = 3\n", "s.x.u='1';s.x.u='2';s.y=3;");
}

static void test_strings(void **state)
{
	(void)state;
	tells("a = \"q\\\"]\\\\\"\nb = 'no \\ escape'\n", "a='q\\\"]\\\\'~;b='no \\ escape';");
	tells("a = \"\"\"one\n\"two\" \\\" [x]\"\"\"\nb = 1\n", "a='one\n\"two\" \\\" [x]'~;b=1;");
	tells("a = '''x''''\nb = \"\"\n", "a='x''~;b='';");
}

static void test_what_is_no_toml_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"a",
		"a =",
		"a = 'x",
		"a = \"x\n\"",
		"= 1",
		"a b = 1",
		"[t",
		"[t]]",
		"[[t]",
		"[]",
		"a = [1",
		"a = [1 2]",
		"a = {b = 1",
		"a = {b}",
		"a = {1}",
		"a = 'x' y",
		"[t] a = 1",
		"a = '''x",
		"a = \"\"\"x\\",
		"a = ]",
		"a = @",
		"a = [1}",
		"a.b.c.d.e.f.g.h.i = 1",
		"a = [[[[[[[[[1]]]]]]]]]",
		"\"a\n\" = 1",
		"a. = 1",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuses(wrong[i]);
}

static void test_the_visitor_stops_it(void **state)
{
	(void)state;
	struct told told = {.stop_after = 1};
	assert_false(toml_scan(STR("a = 1\nb = 2\n"), tell, &told));
	assert_string_equal(told.text, "a=1;");
}

static bool is_index(void *context, const struct toml_value *value)
{
	size_t *count = context;
	static const char *const keys[] = {"registries", "*", "index", NULL};
	*count += toml_is(value, keys) ? 1 : 0;
	return true;
}

static void test_keys_are_compared_whole(void **state)
{
	(void)state;
	size_t count = 0;
	assert_true(toml_scan(STR("[registries.x]\nindex = 'a'\nindexes = 'b'\n[registries]\nindex = 'c'\n"
				  "[registries.y.index]\nz = 1\n"),
			      is_index, &count));
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_and_tables),
		cmocka_unit_test(test_values_within_values),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_what_is_no_toml_is_refused),
		cmocka_unit_test(test_the_visitor_stops_it),
		cmocka_unit_test(test_keys_are_compared_whole),
	};
	return cmocka_run_group_tests_name("toml_scan", tests, NULL, NULL);
}
