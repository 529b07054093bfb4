#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy_rig.h"
#include "session/state_folders.h"

static char home[64];

static bool is_folder(const char *name, mode_t mode)
{
	char path[160];
	struct stat st;
	(void)snprintf(path, sizeof path, "%s/%s", home, name);
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == mode;
}

static bool is_there(const char *name)
{
	char path[160];
	struct stat st;
	(void)snprintf(path, sizeof path, "%s/%s", home, name);
	return lstat(path, &st) == 0;
}

#define WITH_MAKE(text) LINE_WITH(KEY_WRITE, text, {ATTR_MAKE, "true"})

static int make_home(void **state)
{
	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/berm-state-XXXXXX");
	char link[80];
	if (mkdtemp(home) == NULL)
		return -1;
	(void)snprintf(link, sizeof link, "%s/link", home);
	return symlink("/tmp", link);
}

static int remove_home(void **state)
{
	static const char *const names[] = {"state/deep", "state", "config", "link", ""};
	char path[160];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", home, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void test_only_what_is_meant_is_made(void **state)
{
	const struct policy_doc profile =
		PROFILE("agent", EXTENDS_NOTHING, WITH_MAKE("~/state/deep"),
			LINE_WITH(KEY_EXEC, "~/config", {ATTR_MAKE, "true"}), LINE(KEY_WRITE, "~/plain"),
			LINE_WITH(KEY_WRITE, "~/off", {ATTR_MAKE, "false"}), WITH_MAKE("~/link/berm-state-through"),
			WITH_MAKE("/tmp/berm-state-outside"), WITH_MAKE("~/closed/below"), LINE(KEY_DENY, "~/closed"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&profile)});
	(void)state;
	rig.input.home = home;
	assert_int_equal(rig_make(&rig), BERM_OK);
	state_folders_make(rig.policy, &rig.input);
	state_folders_make(rig.policy, &rig.input); /* nothing is left to do */
	assert_true(is_folder("state", 0700));
	assert_true(is_folder("state/deep", 0700));
	assert_true(is_folder("config", 0700));
	assert_false(is_there("plain"));
	assert_false(is_there("off"));
	assert_false(is_there("closed"));
	assert_int_not_equal(access("/tmp/berm-state-through", F_OK), 0);
	assert_int_not_equal(access("/tmp/berm-state-outside", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_what_is_meant_is_made, make_home, remove_home),
	};
	return cmocka_run_group_tests_name("state_folders", tests, NULL, NULL);
}
