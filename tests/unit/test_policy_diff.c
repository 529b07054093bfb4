#include "check.h"

#include "policy/policy_diff.h"
#include "policy_rig.h"

static void drop_lines(struct vec *lines)
{
	vec_done(lines);
}

/* "+read /x wider; -deny /y wider; network.mode none>host wider" */
static void put_diff(const struct vec *lines, struct buf *out)
{
	const struct diff_line *items = lines->items;
	for (size_t i = 0; i < lines->len; i++) {
		const struct policy_entry *entry = items[i].after != NULL ? items[i].after : items[i].before;
		buf_printf(out, "%s%s%s %s", i > 0 ? "; " : "",
			   items[i].before == NULL  ? "+"
			   : items[i].after == NULL ? "-"
						    : "",
			   policy_keys[entry->line->key].path, items[i].before != NULL ? items[i].before->text : "");
		if (items[i].before != NULL && items[i].after != NULL)
			buf_putc(out, '>');
		buf_printf(out, "%s %s", items[i].after != NULL ? items[i].after->text : "",
			   policy_diff_word(items[i].effect));
	}
}

static void differ(const struct policy_doc *a, const struct policy_doc *b, const char *expected)
{
	auto_rig struct rig before = RIG(.layers = {.profiles = DOCS(a)});
	auto_rig struct rig after = RIG(.layers = {.profiles = DOCS(b)});
	__attribute__((cleanup(drop_lines))) struct vec lines;
	vec_init(&lines, 1, 1);
	auto_buf struct buf text;
	buf_init(&text, 4096);
	MADE(&before);
	MADE(&after);
	assert_int_equal(policy_diff(before.policy, after.policy, &lines, NULL), BERM_OK);
	put_diff(&lines, &text);
	assert_false(text.failed);
	assert_string_equal(text.data != NULL ? text.data : "", expected);
}

static const struct policy_doc base = PROFILE("base", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_DENY, "/a/b"),
					      LINE(KEY_NET_MODE, "none"), LINE(KEY_LIMIT_MEMORY, "1GiB"));

static void test_the_same(void **state)
{
	(void)state;
	differ(&base, &base, "");
	/* another order, another name, a reason, twice */
	const struct policy_doc other =
		PROFILE("other", EXTENDS_NOTHING, LINE(KEY_LIMIT_MEMORY, "1024MiB"), LINE(KEY_NET_MODE, "none"),
			LINE_WITH(KEY_DENY, "/a/b", {ATTR_WHY, "so"}), LINE(KEY_READ, "/a"), LINE(KEY_READ, "/a/"));
	differ(&base, &other, "process.limits.memory 1GiB>1024MiB neutral");
}

static void test_lines(void **state)
{
	(void)state;
	const struct policy_doc more =
		PROFILE("more", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_READ, "/c"), LINE(KEY_NET_MODE, "none"),
			LINE(KEY_ENV_SET, "CI=1"), LINE(KEY_LIMIT_MEMORY, "1GiB"));
	differ(&base, &more, "+filesystem.read /c wider; -filesystem.deny /a/b wider; +environment.set CI=1 neutral");
	differ(&more, &base,
	       "-filesystem.read /c narrower; +filesystem.deny /a/b narrower; -environment.set CI=1 neutral");
}

static void test_attributes_count(void **state)
{
	(void)state;
	const struct policy_doc less =
		PROFILE("less", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_NET_MODE, "none"),
			LINE_WITH(KEY_DENY, "/a/b", {ATTR_EXCEPT, "/a/b/c"}), LINE(KEY_LIMIT_MEMORY, "1GiB"));
	differ(&base, &less, "-filesystem.deny /a/b wider; +filesystem.deny /a/b narrower");
}

static void test_settings(void **state)
{
	(void)state;
	const struct policy_doc wide = PROFILE("wide", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_DENY, "/a/b"),
					       LINE(KEY_NET_MODE, "host"), LINE(KEY_LIMIT_MEMORY, "2GiB"));
	const struct policy_doc bare = PROFILE("bare", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_DENY, "/a/b"),
					       LINE(KEY_NET_MODE, "none"));
	differ(&base, &wide, "network.mode none>host wider; process.limits.memory 1GiB>2GiB wider");
	differ(&wide, &base, "network.mode host>none narrower; process.limits.memory 2GiB>1GiB narrower");
	differ(&base, &bare, "-process.limits.memory 1GiB wider");
	differ(&bare, &base, "+process.limits.memory 1GiB narrower");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_attributes_count),
		cmocka_unit_test(test_settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
