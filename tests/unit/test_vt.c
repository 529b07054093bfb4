#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/vt.h"

/* The keys that bytes are, as text; what is more than one byte stands as '*'. */
static void check_keys(const char *bytes, const char *wanted)
{
	char seen[64] = "";
	size_t len = 0;
	struct vt vt = {.keys = true};
	for (size_t i = 0; i < strlen(bytes); i++) {
		uint32_t key = vt_key(&vt, vt_take(&vt, (uint8_t)bytes[i]));
		if (key != 0 && len + 1 < sizeof seen)
			seen[len++] = key < 0x80 ? (char)key : '*';
	}
	seen[len] = '\0';
	if (strcmp(seen, wanted) != 0)
		fail_msg("'%s' instead of '%s'", seen, wanted);
}

static void test_keys(void **state)
{
	(void)state;
	check_keys("onN", "onN");
	check_keys("\r", "\r");
	check_keys("\xc3\xa9o", "*o");
	check_keys("\033[A\033[15~o", "o"); /* arrows and function keys are none */
	check_keys("\033OPo", "o");
	check_keys("\033[111u", "o"); /* kitty's protocol */
	check_keys("\033[110;2u", "N");
	check_keys("\033[111;1:3u", "");  /* released */
	check_keys("\033[111;5u", "");	  /* Ctrl */
	check_keys("\033[111;65u", "o");  /* with a lock */
	check_keys("\033[27;2;78~", "N"); /* xterm's modifyOtherKeys */
	check_keys("\033[27;5;111~", "");
}

/* What a terminal says by itself, when it is asked to by what a program writes, or clicked into. */
static void test_replies_are_no_keys(void **state)
{
	(void)state;
	check_keys("\033]l"
		   "ooo"
		   "\033\\o",
		   "o"); /* its title */
	check_keys("\033]0;ooo\007n", "n");
	check_keys("\033P1$rooo\033\\n", "n");
	check_keys("\033_ooo\033\\n", "n");
	check_keys("\033[?64;1;o2c", "2c"); /* "o" ends a sequence; no terminal says this */
	check_keys("\033[24;80R", "");
	check_keys("\033[Mooon", "n"); /* a click, in the oldest form */
	check_keys("\033[<0;111;5Mn", "n");
	check_keys("\033oN", "N");	  /* Alt and a key */
	check_keys("\033]0;o\030n", "n"); /* cancelled */
}

static void test_pasted_text_is_no_key(void **state)
{
	(void)state;
	check_keys("\033[200~oooN\033[201~n", "n");
	check_keys("\033[200~o\033[A\033[111;1uo", "");
	check_keys("\033[20~o", "o"); /* a function key */
}

static size_t ground_after(const char *bytes)
{
	struct vt vt = {0};
	size_t last = 0;
	for (size_t i = 0; i < strlen(bytes); i++) {
		(void)vt_take(&vt, (uint8_t)bytes[i]);
		if (vt_is_ground(&vt))
			last = i + 1;
	}
	return last;
}

static void test_ends_of_sequences(void **state)
{
	(void)state;
	assert_int_equal(ground_after("ab"), 2);
	assert_int_equal(ground_after("a\033[1;3"), 1);
	assert_int_equal(ground_after("a\033[1;31m"), 8);
	assert_int_equal(ground_after("a\033]0;title"), 1);
	assert_int_equal(ground_after("a\xe2\x82"), 1);
	assert_int_equal(ground_after("a\xe2\x82\xac"), 4);
	assert_int_equal(ground_after("a\xe2\x82z"), 4);
	assert_int_equal(ground_after("\033[31"), 0);
	assert_int_equal(ground_after("\033[31\033[0m"), 8);
	assert_int_equal(ground_after("\033(B"), 3);
	assert_int_equal(ground_after("\033[M"), 3); /* of a program: lines are deleted */
}

static void test_parameters(void **state)
{
	static const char bytes[] = "\033[?1049;2026:7;;5h";
	struct vt vt = {0};
	(void)state;
	enum vt_event event = VT_NONE;
	for (size_t i = 0; i + 1 < sizeof bytes; i++)
		event = vt_take(&vt, (uint8_t)bytes[i]);
	assert_int_equal(event, VT_CSI);
	assert_int_equal(vt.marker, '?');
	assert_int_equal(vt.final, 'h');
	assert_int_equal(vt.count, 4);
	assert_int_equal(vt.params[0], 1049);
	assert_int_equal(vt.params[1], 2026);
	assert_int_equal(vt.sub[1], 7);
	assert_int_equal(vt.params[2], 0);
	assert_int_equal(vt.params[3], 5);
}

static void test_more_than_fits(void **state)
{
	struct vt vt = {0};
	(void)state;
	(void)vt_take(&vt, 0x1b);
	(void)vt_take(&vt, '[');
	for (int i = 0; i < 1000; i++)
		assert_int_equal(vt_take(&vt, i % 3 == 0 ? ';' : '9'), VT_NONE);
	assert_int_equal(vt_take(&vt, 'm'), VT_CSI);
	assert_int_equal(vt.count, VT_PARAMS_MAX);
	assert_true(vt_is_ground(&vt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_replies_are_no_keys),
		cmocka_unit_test(test_pasted_text_is_no_key),
		cmocka_unit_test(test_ends_of_sequences),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_more_than_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
