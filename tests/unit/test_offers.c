/* What would allow what a run was denied, by the policy that was in force. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "resolve_rig.h"
#include "session/offers.h"

static void drop_denials(struct denials **denials)
{
	denials_free(*denials);
}
static void drop_offers(struct offers **offers)
{
	offers_free(*offers);
}

static void put(struct denials *denials, const char *op, const char *path)
{
	const struct event event = {.kind = EVENT_FILE, .op = op, .object.path = path, .decided = true, .count = 1};
	denials_put(denials, &event);
}

static void test_lines_for_what_is_open_none_for_what_is_closed(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	struct berm_err err;
	auto_rig rig = {0};
	struct denials *denials __attribute__((cleanup(drop_denials))) = NULL;
	struct offers *offers __attribute__((cleanup(drop_offers))) = NULL;
	if (make(&rig, "default", &input, no_lines, no_lines) != BERM_OK)
		fail_msg("no policy");
	assert_int_equal(denials_new(&denials, &err), BERM_OK);
	put(denials, "read", "/home/u/notes");
	put(denials, "read", "/home/u/.ssh/id_rsa");
	assert_int_equal(denials_count(denials), 2);
	assert_int_equal(offers_new(&input, denials, &offers, &err), BERM_OK);
	assert_int_equal(offers->denials.count, 2);
	assert_false(offers->dropped);
	assert_int_equal(offers->learn.lines.len, 1);
	assert_int_equal(offers->learn.skipped.len, 1);
	auto_buf struct buf line;
	buf_init(&line, 1024);
	offers_put_line(vec_at(&offers->learn.lines, 0), &line);
	assert_int_equal(buf_check(&line, NULL), BERM_OK);
	assert_string_equal(line.data, "filesystem.read: ~/notes");
}

static void test_nothing_denied_offers_nothing(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	struct berm_err err;
	auto_rig rig = {0};
	struct denials *denials __attribute__((cleanup(drop_denials))) = NULL;
	struct offers *offers __attribute__((cleanup(drop_offers))) = NULL;
	if (make(&rig, "default", &input, no_lines, no_lines) != BERM_OK)
		fail_msg("no policy");
	assert_int_equal(denials_new(&denials, &err), BERM_OK);
	assert_int_equal(offers_new(&input, denials, &offers, &err), BERM_OK);
	assert_int_equal(offers->denials.count + offers->learn.lines.len, 0);
	offers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_for_what_is_open_none_for_what_is_closed),
		cmocka_unit_test(test_nothing_denied_offers_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
