#include "check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources_rig.h"

#include "base/str.h"
#include "session/home_links.h"

static void drop(char ***links)
{
	str_free_all(*links);
}
#define auto_links __attribute__((cleanup(drop))) char **

static bool has(char *const *links, const char *path)
{
	for (; *links != NULL; links++)
		if (strcmp(*links, path) == 0)
			return true;
	return false;
}

static void test_links_where_settings_are(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_links links = NULL;
	place_put(place, "h/.config/git/config", "x");
	place_put(place, "h/.local/share/keyrings/login", "x");
	place_put(place, "h/deep/er/file", "x");
	assert_int_equal(symlink("dot/ssh", in_place(place, "h/.ssh")), 0);
	assert_int_equal(symlink("/nowhere", in_place(place, "h/.config/gh")), 0);
	assert_int_equal(symlink("keyrings", in_place(place, "h/.local/share/kwalletd")), 0);
	assert_int_equal(symlink("file", in_place(place, "h/deep/er/link")), 0);
	enum berm_code code = home_links_find(in_place(place, "h"), &links, &err);
	assert_int_equal(code, BERM_OK);
	assert_true(has(links, in_place(place, "h/.ssh")));
	assert_true(has(links, in_place(place, "h/.config/gh")));
	assert_true(has(links, in_place(place, "h/.local/share/kwalletd")));
	assert_false(has(links, in_place(place, "h/.config/git")));
	assert_false(has(links, in_place(place, "h/deep/er/link")));
}

static void test_a_home_that_is_not_there_has_none(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_links links = NULL;
	assert_int_equal(home_links_find(in_place(place, "none"), &links, &err), BERM_OK);
	assert_null(links[0]);
	str_free_all(NULL);
}

static void test_too_many_are_told(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_links links = NULL;
	char name[64];
	NOT_TORTURED();
	place_put(place, "many/file", "x");
	for (int i = 0; i <= HOME_LINKS_MAX; i++) {
		(void)snprintf(name, sizeof name, "many/%d", i);
		assert_int_equal(symlink("file", in_place(place, name)), 0);
	}
	assert_int_equal(home_links_find(in_place(place, "many"), &links, &err), BERM_ERR_LIMIT);
	assert_null(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_place(test_links_where_settings_are),
		on_place(test_a_home_that_is_not_there_has_none),
		on_place(test_too_many_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
