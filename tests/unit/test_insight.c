/* Where paths lead as a sandbox sees them, in a folder of files. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "session/insight.h"

static char base[PATH_MAX];

static const char *in(const char *name)
{
	static char path[4][2 * PATH_MAX];
	static unsigned turn;
	char *ret = path[turn++ % 4];
	(void)snprintf(ret, sizeof(path[0]), "%s%s%s", base, name[0] != '\0' ? "/" : "", name);
	return ret;
}

static void put(const char *name, mode_t mode)
{
	auto_fd int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && fchmod(fd, mode) == 0);
}

static int make_tree(void **state)
{
	(void)state;
	char name[] = "/tmp/berm-insight-XXXXXX";
	assert_true(mkdtemp(name) != NULL && realpath(name, base) != NULL);
	assert_true(mkdir(in("w"), 0755) == 0 && mkdir(in("w/sub"), 0755) == 0 && mkdir(in("shut"), 0) == 0 &&
		    mkdir(in("other"), 0755) == 0);
	put("w/f", 0644);
	put("other/f", 0644);
	put("w/closed", 0);
	assert_true(symlink("sub/../f", in("w/link")) == 0 && symlink("circle", in("w/circle")) == 0 &&
		    symlink("gone", in("w/dangling")) == 0 && symlink("../other/f", in("w/out")) == 0 &&
		    symlink("w", in("way")) == 0 && symlink("..", in("w/sub/up")) == 0 &&
		    symlink("..", in("w/back")) == 0 && symlink(".", in("w/here")) == 0 &&
		    symlink("/", in("w/top")) == 0);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	static const char *const names[] = {"w/f",   "other/f",	 "w/closed", "w/link", "w/circle", "w/dangling",
					    "w/out", "w/sub/up", "way",	     "w/sub",  "w/back",   "w/here",
					    "w/top", "shut",	 "other",    "w",      ""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(remove(in(names[i])) == 0);
	return 0;
}

struct want {
	const char *path;
	bool follow;
	int error;
	const char *leads; /* in the tree */
	bool last;
};

static void look(struct insight *insight, const struct want *want, size_t count)
{
	auto_free struct insight_place *place = calloc(1, sizeof(*place));
	assert_non_null(place);
	for (size_t i = 0; i < count; i++) {
		insight_find(insight, in(want[i].path), want[i].follow, place);
		if (place->error != want[i].error || place->last != want[i].last)
			fail_msg("%s: %s", want[i].path, strerror(place->error));
		assert_string_equal(place->path, in(want[i].leads));
	}
}

/* Without namespaces everything is seen. The folder is in /tmp, which is the machine's then. */
static void test_the_machine_as_it_is(void **state)
{
	(void)state;
	static const struct want want[] = {
		{"w/f", true, 0, "w/f", false},
		{"w/./sub//../f", true, 0, "w/f", false},
		{"w/link", true, 0, "w/f", false},
		{"w/link", false, 0, "w/link", false},
		{"w/sub/up/f", true, 0, "w/f", false},
		{"w/sub/up", true, 0, "w", false},
		{"w/sub/up/", false, 0, "w", false},
		{"w/f/", true, ENOTDIR, "w/f", false},
		{"w/f/x", true, ENOTDIR, "w/f/x", false},
		{"w/gone", true, ENOENT, "w/gone", true},
		{"w/gone/x/..", true, ENOENT, "w/gone", false},
		{"w/dangling", true, ENOENT, "w/gone", true},
		{"w/dangling", false, 0, "w/dangling", false},
		{"w/circle", true, ELOOP, "w/circle", false},
		{"way/f", true, 0, "w/f", false},
		{"shut/x", true, EACCES, "shut/x", false},
	};
	const struct berm_plan plan = {.backend = BERM_BACKEND_LANDLOCK};
	auto_free struct insight *insight = calloc(1, sizeof(*insight));
	assert_non_null(insight);
	insight_init(insight, &plan);
	look(insight, want, ARRAY_LEN(want));
	assert_true(insight_exists(insight, str_from(in("w")), "f"));
	assert_true(insight_exists(insight, str_from(in("w")), "dangling"));
	assert_false(insight_exists(insight, str_from(in("w")), "gone"));
	assert_false(insight_exists(insight, str_from(in("w/f")), "x"));
}

static void test_the_hidden_view(void **state)
{
	(void)state;
	static const struct want want[] = {
		{"w/f", true, 0, "w/f", false},		  {"w/out", true, ENOENT, "other/f", false},
		{"other", true, ENOENT, "other", true},	  {"way/f", true, 0, "w/f", false},
		{"way", false, 0, "way", false},	  {"", true, 0, "", false},
		{"w/closed", true, 0, "w/closed", false}, {"w/sub/up", true, EACCES, "w/sub/up", false},
	};
	char granted[2 * PATH_MAX], link[2 * PATH_MAX], masked[2 * PATH_MAX];
	(void)snprintf(granted, sizeof(granted), "%s", in("w"));
	(void)snprintf(link, sizeof(link), "%s", in("way"));
	(void)snprintf(masked, sizeof(masked), "%s", in("w/sub"));
	struct plan_grant grants[] = {{.path = granted, .rights = BERM_READ, .tree = true, .exists = true}};
	struct plan_link links[] = {{.path = link, .target = "w"}};
	struct plan_mask masks[] = {{.path = masked}};
	const struct berm_plan plan = {.backend = BERM_BACKEND_NAMESPACES,
				       .hidden = true,
				       .grants = grants,
				       .grant_count = 1,
				       .links = links,
				       .link_count = 1,
				       .masks = masks,
				       .mask_count = 1};
	auto_free struct insight *insight = calloc(1, sizeof(*insight));
	assert_non_null(insight);
	insight_init(insight, &plan);
	look(insight, want, ARRAY_LEN(want));
}

/* Of a folder that is reached by ".." or a link, what counts is how the sandbox sees it, not the name that led to it. */
static void test_folders_that_are_returned_to(void **state)
{
	(void)state;
	static const struct {
		const char *path, *leads;
		enum plan_sight sight;
	} want[] = {
		{"w/back", "", SIGHT_FOLDER},
		{"w/back/", "", SIGHT_FOLDER},
		{"w/..", "", SIGHT_FOLDER},
		{"w/sub/../..", "", SIGHT_FOLDER},
		{"w/sub/up/back", "", SIGHT_FOLDER},
		{"way/..", "", SIGHT_FOLDER},
		{"way/.", "w", SIGHT_REAL},
		{"w/here", "w", SIGHT_REAL},
		{"w/back/w/sub/..", "w", SIGHT_REAL},
		{"far", "", SIGHT_FOLDER},
		{"w/back/far/w/here/.", "w", SIGHT_REAL},
	};
	char granted[2 * PATH_MAX], way[2 * PATH_MAX], far[2 * PATH_MAX];
	(void)snprintf(granted, sizeof(granted), "%s", in("w"));
	(void)snprintf(way, sizeof(way), "%s", in("way"));
	(void)snprintf(far, sizeof(far), "%s", in("far"));
	struct plan_grant grants[] = {{.path = granted, .rights = BERM_READ, .tree = true, .exists = true}};
	struct plan_link links[] = {{.path = way, .target = "w"}, {.path = far, .target = "w/.."}};
	const struct berm_plan plan = {.backend = BERM_BACKEND_NAMESPACES,
				       .hidden = true,
				       .grants = grants,
				       .grant_count = 1,
				       .links = links,
				       .link_count = 2};
	auto_free struct insight *insight = calloc(1, sizeof(*insight));
	auto_free struct insight_place *place = calloc(1, sizeof(*place));
	assert_true(insight != NULL && place != NULL);
	insight_init(insight, &plan);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		insight_find(insight, in(want[i].path), true, place);
		assert_string_equal(place->path, in(want[i].leads));
		if (place->error != 0 || place->sight != want[i].sight || !S_ISDIR(place->st.st_mode))
			fail_msg("%s: sight %d, mode %o", want[i].path, (int)place->sight, place->st.st_mode);
	}
	insight_find(insight, in("w/top"), true, place);
	assert_string_equal(place->path, "/");
	assert_true(place->sight == SIGHT_FOLDER && S_ISDIR(place->st.st_mode) && place->error == 0);
	insight_find(insight, in("w/f/.."), true, place); /* the negative twin: no folder was passed */
	assert_int_equal(place->error, ENOTDIR);
}

static void test_permissions(void **state)
{
	(void)state;
	const struct berm_plan plan = {.backend = BERM_BACKEND_LANDLOCK};
	auto_free struct insight *insight = calloc(1, sizeof(*insight));
	assert_non_null(insight);
	insight_init(insight, &plan);
	struct stat own = {.st_uid = insight->uid, .st_mode = S_IFREG | 0477};
	assert_true(insight_may(insight, &own, 4));
	assert_false(insight_may(insight, &own, 2)); /* what others may do does not count */
	struct stat group = {.st_uid = insight->uid + 1, .st_gid = insight->groups[0], .st_mode = S_IFREG | 0747};
	assert_true(insight_may(insight, &group, 4));
	assert_false(insight_may(insight, &group, 1));
	struct stat other = {.st_uid = insight->uid + 1, .st_gid = (gid_t)-2, .st_mode = S_IFREG | 0771};
	assert_true(insight_may(insight, &other, 1));
	assert_false(insight_may(insight, &other, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_machine_as_it_is),
		cmocka_unit_test(test_the_hidden_view),
		cmocka_unit_test(test_folders_that_are_returned_to),
		cmocka_unit_test(test_permissions),
	};
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
