#include "check.h"

#include "cli/policy_list.h"
#include "policy_rig.h"

static const struct policy_doc closed = REQUIRED("closed", LINE_WITH(KEY_DENY, "~/.ssh", {ATTR_EXCEPT, "~/.ssh/a"},
								     {ATTR_EXCEPT, "~/.ssh/b"}, {ATTR_WHY, "keys"}));
static const struct policy_doc own =
	DOC_FILE("/home/u/.config/berm/policy.yaml", EXTENDS_NOTHING, LINE(KEY_READ, "/opt/x"), LINE(KEY_READ, "~/y"),
		 LINE(KEY_NET_MODE, "none"), LINE(KEY_ENV_SET, "A=1"));
static const struct policy_doc flags = FLAGS(LINE(KEY_NET_MODE, "host"), LINE(KEY_ENV_SET, "A=2"));

static void make(struct rig *rig)
{
	rig->known = DOCS(&closed);
	rig->layers.profiles = DOCS(&own);
	rig->layers.flags = &flags;
	MADE(rig);
}

static void has(const struct buf *out, const char *part)
{
	assert_false(out->failed);
	if (strstr(out->data, part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, out->data);
}

static void has_not(const struct buf *out, const char *part)
{
	if (strstr(out->data, part) != NULL)
		fail_msg("'%s' is in:\n%s", part, out->data);
}

static void test_lines_in_force(void **state)
{
	(void)state;
	const struct say_screen screen = {.width = 100, .table_width = 100};
	auto_rig struct rig rig = RIG(.known = NULL);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	make(&rig);
	assert_int_equal(policy_list_text(rig.policy, false, &screen, &out, NULL), BERM_OK);
	has(&out, "filesystem.read");
	has(&out, "/opt/x");
	has(&out, "~/.ssh (except ~/.ssh/a, ~/.ssh/b)");
	has(&out, "host\n");
	has_not(&out, "keys");
	has_not(&out, "policy.yaml");
	/* the key stands before the first of its lines alone */
	has_not(&out, "filesystem.read  ~/y");
}

static void test_origins(void **state)
{
	(void)state;
	const struct say_screen screen = {.width = 160, .table_width = 160};
	auto_rig struct rig rig = RIG(.known = NULL);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	make(&rig);
	assert_int_equal(policy_list_text(rig.policy, true, &screen, &out, NULL), BERM_OK);
	has(&out, "groups/closed.yaml:");
	has(&out, "policy.yaml:");
	has(&out, "flag command line");
	/* what is taken away says by whom */
	has(&out, "A=1 [off: command line");
}

static void test_json(void **state)
{
	(void)state;
	struct json_out json;
	auto_rig struct rig rig = RIG(.known = NULL);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	make(&rig);
	json_init(&json, &out);
	json_object(&json, NULL);
	policy_list_json(rig.policy, &json);
	json_object_end(&json);
	has(&out, "\"line\":\"filesystem.deny\",\"value\":\"~/.ssh\",\"except\":[\"~/.ssh/a\",\"~/.ssh/"
		  "b\"],\"why\":\"keys\"");
	has(&out, "\"value\":\"~/y\",\"path\":\"/home/u/y\"");
	has(&out, "\"value\":\"none\"");
	has(&out, "\"holds\":false");
}

static void test_a_document(void **state)
{
	(void)state;
	const struct say_screen screen = {.width = 100, .table_width = 100};
	struct json_out json;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	assert_int_equal(policy_list_document(&closed, &screen, &out, NULL), BERM_OK);
	has(&out, "filesystem.deny");
	has(&out, "keys");
	buf_clear(&out);
	assert_int_equal(policy_list_document(&own, &screen, &out, NULL), BERM_OK);
	has(&out, "extends          []");
	buf_clear(&out);
	json_init(&json, &out);
	json_object(&json, NULL);
	policy_list_document_json(&closed, &json);
	json_object_end(&json);
	has(&out, "{\"lines\":[{\"line\":\"filesystem.deny\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_in_force),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_a_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
