#include "check.h"

#include "sources_rig.h"

#include "cli/named.h"

/* ---- the user's own, and what is said ---------------------------------------------------------------------------- */

static char config_variable[PLACE_PATH + 32], home_variable[PLACE_PATH + 32];
static char *own_environment[] = {config_variable, home_variable, NULL};
static char **found_environment;

static int named_setup(void **state)
{
	if (place_setup(state) != 0)
		return -1;
	const struct place_rig *place = *state;
	(void)snprintf(config_variable, sizeof config_variable, "BERM_CONFIG_DIR=%s/config", place->root);
	(void)snprintf(home_variable, sizeof home_variable, "HOME=%s/home", place->root);
	found_environment = environ;
	environ = own_environment;
	return 0;
}

static int named_teardown(void **state)
{
	environ = found_environment;
	return place_teardown(state);
}
#define on_names(name) cmocka_unit_test_setup_teardown(name, named_setup, named_teardown)

/* What a call says on stdout and stderr goes into files as long as this lives. */
struct said {
	const struct place_rig *place;
	int out, err; /* where they went before */
};

static void aim(const char *path, int fd)
{
	auto_fd int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(file >= 0 && dup2(file, fd) == fd);
}

static void said_end(struct said *said)
{
	if (said->out < 0)
		return;
	(void)dup2(said->out, STDOUT_FILENO);
	(void)dup2(said->err, STDERR_FILENO);
	(void)close(said->out);
	(void)close(said->err);
	said->out = -1;
}
#define auto_said __attribute__((cleanup(said_end))) struct said

static struct said said_begin(const struct place_rig *place)
{
	struct said said = {place, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
	(void)fflush(NULL);
	aim(in_place(place, "stdout"), STDOUT_FILENO);
	aim(in_place(place, "stderr"), STDERR_FILENO);
	return said;
}

/* Was this said there ("stdout", "stderr")? */
static bool has_said(const struct place_rig *place, const char *where, const char *part)
{
	static char text[256 * 1024];
	auto_fd int fd = open(in_place(place, where), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t len = read(fd, text, sizeof text - 1);
	assert_true(len >= 0);
	text[len] = '\0';
	return strstr(text, part) != NULL;
}

typedef int word_function(const struct command *self, const char *const *argv, enum policy_doc_kind kind);

static int call(const struct place_rig *place, word_function *function, enum policy_doc_kind kind, const char *word,
		const char *const *argv)
{
	const struct command *self = commands_find_below(commands_find(named_word(kind)), word);
	assert_non_null(self);
	auto_said said = said_begin(place);
	return function(self, argv, kind);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGS ((const char *const[]){NULL})

static int list(const struct place_rig *place, enum policy_doc_kind kind, const char *const *argv)
{
	return call(place, named_list, kind, "list", argv);
}

static int show(const struct place_rig *place, enum policy_doc_kind kind, const char *const *argv)
{
	return call(place, named_show, kind, "show", argv);
}

static void put_own(const struct place_rig *place)
{
	place_put(place, "config/groups/mine.yaml",
		  "berm: 1\nname: mine\nabout: my tools\nfilesystem:\n  read: [/opt/mine]\n");
	place_put(place, "config/profiles/work.yaml",
		  "berm: 1\nname: work\nabout: my work\nprograms: [workbot, workbot2]\n");
}

static void put_broken(const struct place_rig *place)
{
	place_put(place, "config/groups/broken.yaml", "berm: 1\nname: broken\nfilesystem: [\n");
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static void test_shipped_ones_and_the_users_are_found(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_named struct named groups = {0}, profiles = {0};
	put_own(place);
	assert_int_equal(named_open(POLICY_DOC_GROUP, &groups, &err), BERM_OK);
	assert_int_equal(named_open(POLICY_DOC_PROFILE, &profiles, &err), BERM_OK);
	const struct policy_doc *git = named_find(&groups, "git"), *mine = named_find(&groups, "mine");
	assert_non_null(git);
	assert_true(git->shipped && git->kind == POLICY_DOC_GROUP);
	assert_non_null(mine);
	assert_false(mine->shipped);
	assert_string_equal(mine->about, "my tools");
	assert_non_null(named_find(&profiles, "work"));
	assert_non_null(named_find(&profiles, "default"));
	assert_null(named_find(&profiles, "mine"));
	assert_null(named_find(&groups, "work"));
	assert_null(named_find(&groups, "gitt"));
	assert_int_equal(groups.problems->count, 0);
}

static void test_one_that_is_broken_is_told(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_named struct named groups = {0};
	put_broken(place);
	assert_int_equal(named_open(POLICY_DOC_GROUP, &groups, &err), BERM_OK);
	assert_null(named_find(&groups, "broken"));
	assert_true(groups.problems->count > 0);
	assert_non_null(strstr(groups.problems->items[0].file, "broken.yaml"));
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(named_word(POLICY_DOC_GROUP), "group");
	assert_string_equal(named_word(POLICY_DOC_PROFILE), "profile");
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

static void test_a_list_has_all_of_a_kind(void **state)
{
	const struct place_rig *place = *state;
	put_own(place);
	assert_int_equal(list(place, POLICY_DOC_GROUP, NO_ARGS), EXIT_YES);
	assert_true(has_said(place, "stdout", "mine"));
	assert_true(has_said(place, "stdout", "my tools"));
	assert_true(has_said(place, "stdout", "config/groups/mine.yaml"));
	assert_true(has_said(place, "stdout", "shipped"));
	assert_false(has_said(place, "stdout", "my work"));
	assert_int_equal(list(place, POLICY_DOC_PROFILE, NO_ARGS), EXIT_YES);
	assert_true(has_said(place, "stdout", "workbot, workbot2"));
	assert_false(has_said(place, "stdout", "my tools"));
	assert_false(has_said(place, "stderr", "berm"));
}

static void test_a_list_as_json(void **state)
{
	const struct place_rig *place = *state;
	put_own(place);
	assert_int_equal(list(place, POLICY_DOC_PROFILE, ARGS("--json")), EXIT_YES);
	assert_true(has_said(place, "stdout", "\"name\":\"work\",\"about\":\"my work\""));
	assert_true(has_said(place, "stdout", "\"programs\":[\"workbot\",\"workbot2\"]"));
	assert_false(has_said(place, "stdout", "my tools"));
	assert_int_equal(list(place, POLICY_DOC_GROUP, ARGS("--json")), EXIT_YES);
	assert_true(has_said(place, "stdout", "\"shipped\":false,\"required\":false"));
	assert_true(has_said(place, "stdout", "\"shipped\":true,\"required\":true"));
}

/* The others are listed all the same. */
static void test_a_list_with_one_that_is_broken(void **state)
{
	const struct place_rig *place = *state;
	put_own(place);
	put_broken(place);
	assert_int_equal(list(place, POLICY_DOC_GROUP, NO_ARGS), EXIT_NO);
	assert_true(has_said(place, "stdout", "my tools"));
	assert_true(has_said(place, "stderr", "groups/broken.yaml:"));
	assert_int_equal(list(place, POLICY_DOC_PROFILE, NO_ARGS), EXIT_YES);
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static void test_one_is_shown(void **state)
{
	const struct place_rig *place = *state;
	put_own(place);
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("mine")), EXIT_YES);
	assert_true(has_said(place, "stdout", "mine: my tools\nfrom "));
	assert_true(has_said(place, "stdout", "/opt/mine"));
	assert_false(has_said(place, "stdout", "shipped"));
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("mine", "--yaml")), EXIT_YES);
	assert_true(has_said(place, "stdout", "name: mine\n"));
	assert_true(has_said(place, "stdout", "read:"));
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("--json", "mine")), EXIT_YES);
	assert_true(has_said(place, "stdout", "{\"name\":\"mine\",\"about\":\"my tools\""));
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("credentials")), EXIT_YES);
	assert_true(has_said(place, "stdout", ", shipped, always in force\n"));
}

static void test_what_is_not_there_is_told_with_what_is_near(void **state)
{
	const struct place_rig *place = *state;
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("gti")), EXIT_NO);
	assert_true(has_said(place, "stderr", "no group 'gti'"));
	assert_true(has_said(place, "stderr", "berm group show git"));
	assert_int_equal(show(place, POLICY_DOC_PROFILE, ARGS("quite-another-thing")), EXIT_NO);
	assert_true(has_said(place, "stderr", "berm profile list"));
	assert_false(has_said(place, "stdout", "from"));
}

static void test_one_that_is_broken_is_not_shown(void **state)
{
	const struct place_rig *place = *state;
	put_broken(place);
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("broken")), EXIT_REFUSED);
	assert_true(has_said(place, "stderr", "groups/broken.yaml:"));
	assert_int_equal(show(place, POLICY_DOC_GROUP, ARGS("git")), EXIT_YES);
}

static void test_one_name_is_wanted(void **state)
{
	const struct place_rig *place = *state;
	assert_int_equal(show(place, POLICY_DOC_GROUP, NO_ARGS), EXIT_USAGE);
	assert_true(has_said(place, "stderr", "the name of one group is wanted"));
	assert_int_equal(show(place, POLICY_DOC_PROFILE, ARGS("default", "strict")), EXIT_USAGE);
	assert_int_equal(show(place, POLICY_DOC_PROFILE, ARGS("default", "--nonsense")), EXIT_USAGE);
	assert_int_equal(list(place, POLICY_DOC_PROFILE, ARGS("--nonsense")), EXIT_USAGE);
	assert_int_equal(show(place, POLICY_DOC_PROFILE, ARGS("default")), EXIT_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_names(test_shipped_ones_and_the_users_are_found),
		on_names(test_one_that_is_broken_is_told),
		cmocka_unit_test(test_words),
		on_names(test_a_list_has_all_of_a_kind),
		on_names(test_a_list_as_json),
		on_names(test_a_list_with_one_that_is_broken),
		on_names(test_one_is_shown),
		on_names(test_what_is_not_there_is_told_with_what_is_near),
		on_names(test_one_that_is_broken_is_not_shown),
		on_names(test_one_name_is_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
