#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "session/package_cache.h"

static char home[64], base[PATH_MAX];

static const char *in_home(const char *name)
{
	static char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/%s", home, name);
	return path;
}

static void make(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(in_home(name), 0700), 0);
	assert_int_equal(chmod(in_home(name), mode), 0);
}

static void put(const char *name)
{
	FILE *file = fopen(in_home(name), "w");
	assert_non_null(file);
	(void)fputs("content", file);
	assert_int_equal(fclose(file), 0);
}

static int make_home(void **state)
{
	static const char *const names[] = {"", "base", "base/a-1", "base/a-1/files", "base/b-2", "outside"};
	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/berm-packages-XXXXXX");
	if (mkdtemp(home) == NULL)
		return -1;
	for (size_t i = 1; i < ARRAY_LEN(names); i++)
		if (mkdir(in_home(names[i]), 0700) < 0)
			return -1;
	(void)snprintf(base, sizeof base, "%s/base", home);
	return 0;
}

static int remove_home(void **state)
{
	static const char *const names[] = {"a-1", "b-2"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (package_cache_remove(base, names[i], NULL) != BERM_OK)
			continue; /* the test has done it */
	(void)unlink(in_home("outside/file"));
	(void)unlink(in_home("link"));
	(void)rmdir(in_home("outside"));
	(void)rmdir(base);
	return rmdir(home);
}

static void test_each_workspace_has_a_name_of_its_own(void **state)
{
	char one[PATH_MAX], other[PATH_MAX], again[PATH_MAX];
	(void)state;
	assert_true(package_cache_path("/b", "/home/u/pro ject", one));
	assert_true(package_cache_path("/b", "/home/v/pro ject", other));
	assert_true(package_cache_path("/b", "/home/u/pro ject", again));
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	assert_memory_equal(one, "/b/pro_ject-", 12);
	assert_string_equal(one + strlen(one) - 6, "/files");
}

static void test_the_base_is_in_the_home_folder(void **state)
{
	static const char *const inside[] = {"XDG_DATA_HOME=/home/u/data", NULL};
	static const char *const outside[] = {"XDG_DATA_HOME=/data", NULL};
	char found[PATH_MAX];
	(void)state;
	assert_true(package_cache_base(NULL, "/home/u", found));
	assert_string_equal(found, "/home/u/.local/share/berm-packages");
	assert_true(package_cache_base(inside, "/home/u", found));
	assert_string_equal(found, "/home/u/data/berm-packages");
	assert_true(package_cache_base(outside, "/home/u", found));
	assert_string_equal(found, "/home/u/.local/share/berm-packages");
	assert_false(package_cache_base(NULL, NULL, found));
	assert_false(package_cache_base(NULL, "/", found));
}

static void test_what_a_link_leads_elsewhere_is_not_used(void **state)
{
	char path[PATH_MAX];
	(void)state;
	(void)snprintf(path, sizeof path, "%s/base/a-1/files", home);
	assert_true(package_cache_is_straight(path, home));
	assert_true(package_cache_is_straight(in_home("base/none/files"), home));
	assert_int_equal(symlink("base", in_home("link")), 0);
	assert_false(package_cache_is_straight(in_home("link/a-1/files"), home));
	assert_false(package_cache_is_straight(in_home("link"), home));

	assert_true(package_cache_take(path, "/home/u/work"));
	assert_true(package_cache_take(path, "/home/u/work"));
	assert_false(package_cache_take(in_home("link"), "/x"));
	assert_false(package_cache_take(in_home("none"), "/x"));
	assert_int_equal(chmod(path, 0777), 0);
	assert_false(package_cache_take(path, "/home/u/work"));
}

struct seen {
	size_t count;
	uint64_t bytes;
	char workspace[2][64];
};

static enum berm_code see(void *context, const struct package_cache_entry *entry, struct berm_err *err)
{
	struct seen *seen = context;
	(void)err;
	if (seen->count < 2)
		(void)snprintf(seen->workspace[seen->count], sizeof seen->workspace[0], "%s%s", entry->workspace,
			       entry->there ? " is there" : "");
	seen->count++;
	seen->bytes += entry->bytes;
	return BERM_OK;
}

static void test_they_are_listed_with_sizes(void **state)
{
	struct seen seen = {0};
	struct berm_err err;
	(void)state;
	put("base/a-1/files/x");
	assert_int_equal(symlink("/", in_home("base/a-1/workspace")), 0);
	assert_int_equal(package_cache_each(base, see, &seen, &err), BERM_OK);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.workspace[0], "/ is there");
	assert_string_equal(seen.workspace[1], "");
	assert_true(seen.bytes > 0);
	assert_int_equal(package_cache_each("/tmp/berm-packages-not-there", see, &seen, &err), BERM_OK);
	assert_int_equal(seen.count, 2);
}

/* As go leaves its modules, and as somebody may leave it who wants something else to go. */
static void test_all_of_it_is_removed_and_nothing_else(void **state)
{
	struct berm_err err;
	(void)state;
	put("outside/file");
	assert_int_equal(symlink("../../../outside", in_home("base/a-1/files/out")), 0);
	make("base/a-1/files/deep", 0700);
	make("base/a-1/files/deep/deeper", 0700);
	make("base/a-1/files/deep/deeper/.2", 0700);
	put("base/a-1/files/deep/deeper/.2/x");
	put("base/a-1/files/deep/deeper/y");
	make("base/a-1/files/deep/none", 0);
	assert_int_equal(chmod(in_home("base/a-1/files/deep/deeper/.2"), 0555), 0);
	assert_int_equal(chmod(in_home("base/a-1/files/deep/deeper"), 0555), 0);
	assert_int_equal(chmod(in_home("base/a-1/files/deep"), 0555), 0);
	assert_int_equal(package_cache_remove(base, "a-1", &err), BERM_OK);
	assert_int_not_equal(access(in_home("base/a-1"), F_OK), 0);
	assert_int_equal(access(in_home("outside/file"), F_OK), 0);
	assert_int_equal(package_cache_remove(base, "a-1", &err), BERM_ERR_NOTFOUND);
	assert_int_equal(package_cache_remove(base, "..", &err), BERM_ERR_NOTFOUND);
	assert_int_equal(package_cache_remove(base, "b-2/..", &err), BERM_ERR_NOTFOUND);
	assert_int_equal(package_cache_remove(base, "", &err), BERM_ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_workspace_has_a_name_of_its_own),
		cmocka_unit_test(test_the_base_is_in_the_home_folder),
		cmocka_unit_test_setup_teardown(test_what_a_link_leads_elsewhere_is_not_used, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_they_are_listed_with_sizes, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_all_of_it_is_removed_and_nothing_else, make_home, remove_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
