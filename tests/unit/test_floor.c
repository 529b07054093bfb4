#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "berm/berm.h"
#include "policy/floor.h"

static const struct floor_places places = {
	.home = "/home/u", .config = "/cfg/b[e]rm", .state = "/state/berm", .runtime = "/run/user/1000/berm"};

static void drop(struct glob **glob)
{
	glob_free(*glob);
}

static void test_every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < floor_row_count; i++) {
		const struct floor_row *row = &floor_rows[i];
		char pattern[4096];
		__attribute__((cleanup(drop))) struct glob *glob = NULL;
		assert_true(row->class != NULL && row->class[0] != '\0');
		assert_true(row->why != NULL && row->why[0] != '\0');
		assert_true(row->os >= FLOOR_LINUX && row->os <= FLOOR_ANY);
		const unsigned change = BERM_WRITE | BERM_DELETE;
		assert_true(row->rights == change || row->rights == (change | BERM_READ | BERM_EXEC));
		assert_true(floor_pattern(row, &places, pattern, sizeof(pattern)));
		assert_int_equal(pattern[0], '/');
		assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &glob, NULL), BERM_OK);
	}
}

static void test_no_row_is_there_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < floor_row_count; i++)
		for (size_t k = 0; k < i; k++)
			assert_false((floor_rows[i].os & floor_rows[k].os) != 0 &&
				     strcmp(floor_rows[i].pattern, floor_rows[k].pattern) == 0);
}

static void test_what_is_on_the_floor(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		unsigned rights;
		const char *class; /* NULL: not on the floor */
	} cases[] = {
		{"/proc/sys/kernel/core_pattern", BERM_WRITE, "kernel interfaces"},
		{"/proc/sys/vm/drop_caches", BERM_READ, "kernel interfaces"},
		{"/proc/sysrq-trigger", BERM_WRITE, "kernel interfaces"},
		{"/proc/kallsyms", BERM_READ, "kernel interfaces"},
		{"/proc/kcore", BERM_READ, "memory of other processes"},
		{"/proc/1/mem", BERM_READ, "memory of other processes"},
		{"/proc/12/environ", BERM_READ, "memory of other processes"},
		{"/proc/12/root/etc/shadow", BERM_READ, "memory of other processes"},
		{"/proc/12/task/12/status", BERM_READ, "memory of other processes"},
		{"/proc", BERM_READ, "memory of other processes"},
		{"/procedures", BERM_WRITE, NULL},
		{"/sys/kernel/debug/x", BERM_READ, "kernel interfaces"},
		{"/sys/kernel/tracing", BERM_READ, "kernel interfaces"},
		{"/sys/kernel/mm/ksm/run", BERM_WRITE, "kernel interfaces"},
		{"/sys/kernel/mm/ksm/run", BERM_READ, NULL},
		{"/sys/devices/system/cpu", BERM_READ, NULL},
		{"/sys/module/ext4/sections/.text", BERM_READ, "kernel interfaces"},
		{"/sys/module/ext4/parameters", BERM_READ, NULL},
		{"/sys", BERM_READ, NULL},
		{"/sys", BERM_DELETE, "kernel interfaces"},
		{"/sys/firmware/efi/efivars/x", BERM_READ, "firmware and boot"},
		{"/boot/vmlinuz", BERM_READ, NULL},
		{"/boot/vmlinuz", BERM_WRITE, "firmware and boot"},
		{"/boot/vmlinuz", BERM_READ | BERM_DELETE, "firmware and boot"},
		{"/home/u/boot/vmlinuz", BERM_WRITE, NULL},
		{"/dev/mem", BERM_READ, "memory of other processes"},
		{"/dev/memory", BERM_READ, NULL},
		{"/dev/sda", BERM_READ, "raw devices"},
		{"/dev/sda1", BERM_WRITE, "raw devices"},
		{"/dev/nvme0n1p2", BERM_READ, "raw devices"},
		{"/dev/mapper/root", BERM_READ, "raw devices"},
		{"/dev/disk/by-id/x", BERM_READ, "raw devices"},
		{"/dev/loop-control", BERM_READ, "raw devices"},
		{"/dev/input/event0", BERM_READ, "raw devices"},
		{"/dev/uinput", BERM_WRITE, "raw devices"},
		{"/dev/vhost-net", BERM_READ, "raw devices"},
		{"/dev/tty1", BERM_READ, "raw devices"},
		{"/dev/tty", BERM_READ, NULL},
		{"/dev/null", BERM_WRITE, NULL},
		{"/dev/urandom", BERM_READ, NULL},
		{"/dev/shm/x", BERM_WRITE, NULL},
		{"/dev/pts/0", BERM_WRITE, NULL},
		{"/dev/ptmx", BERM_WRITE, NULL},
		{"/dev/stdout", BERM_WRITE, NULL},
		{"/dev/dri/card0", BERM_WRITE, NULL},
		{"/dev/kvm", BERM_WRITE, NULL},
		{"/dev/ttyUSB0", BERM_WRITE, NULL},
		{"/state/berm/consents", BERM_READ, "berm's own"},
		{"/home/u/.local/state/berm", BERM_READ, "berm's own"},
		{"/home/u/.local/state/other", BERM_WRITE, NULL},
		{"/home/u/.config/berm/policy.yaml", BERM_WRITE, "berm's own"},
		{"/home/u/.config/berm/policy.yaml", BERM_READ, NULL},
		{"/home/u/.config/bermuda", BERM_WRITE, NULL},
		{"/cfg/b[e]rm/policy.yaml", BERM_WRITE, "berm's own"},
		{"/cfg/berm/policy.yaml", BERM_WRITE, NULL},
		{"/run/user/1000/berm/s", BERM_WRITE, "berm's own"},
		{"/run/user/7/berm/s", BERM_READ, "berm's own"},
		{"/etc/berm/policy.d/x", BERM_WRITE, "berm's own"},
		{"/etc/berm/policy.d/x", BERM_READ, NULL},
		{"/DEV/SDA", BERM_READ, "raw devices"}, /* on a file system that takes both cases for one */
		{"/", BERM_READ, NULL},
		{"/usr/bin", BERM_READ | BERM_EXEC, NULL},
		{"/dev/rdisk0", BERM_READ, NULL}, /* of another system */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct floor_row *row = floor_find(cases[i].path, cases[i].rights, &places);
		if ((row == NULL) != (cases[i].class == NULL) ||
		    (row != NULL && strcmp(row->class, cases[i].class) != 0))
			fail_msg("'%s': %s", cases[i].path, row == NULL ? "not on the floor" : row->pattern);
	}
}

static void test_folders_around_entries_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		enum floor_relation relation;
	} cases[] = {
		{"/sys/kernel/debug", "/", FLOOR_AROUND},
		{"/sys/kernel/debug", "/sys", FLOOR_AROUND},
		{"/sys/kernel/debug", "/sys/kernel/debug", FLOOR_INSIDE},
		{"/sys/kernel/debug", "/sys/kernel/debug/x", FLOOR_INSIDE},
		{"/sys/kernel/debug", "/sys/devices", FLOOR_APART},
		{"/sys/module/*/sections", "/sys/module/ext4", FLOOR_AROUND},
		{"/sys/module/*/sections", "/sys/module", FLOOR_AROUND},
		{"/sys/module/*/sections", "/sys/class", FLOOR_APART},
		{"~/.config/berm", "/home/u", FLOOR_AROUND},
		{"~/.config/berm", "/home/u/.config", FLOOR_AROUND},
		{"~/.config/berm", "/home/v", FLOOR_APART},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct floor_row row = {.pattern = cases[i].pattern};
		if (floor_relate(&row, &places, cases[i].path) != cases[i].relation)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
	}
}

static void test_places_that_are_nowhere_have_no_rows(void **state)
{
	(void)state;
	const struct floor_places none = {0};
	const struct floor_places relative = {.home = "home/u"};
	const struct floor_row row = {.pattern = "~/.config/berm"};
	char pattern[8] = "";
	assert_false(floor_pattern(&row, &none, pattern, sizeof(pattern)));
	assert_false(floor_pattern(&row, &relative, pattern, sizeof(pattern)));
	assert_false(floor_pattern(&row, &places, pattern, sizeof(pattern))); /* too long */
	assert_null(floor_find("/home/u/.config/berm", BERM_WRITE, &none));
	assert_non_null(floor_find("/boot", BERM_WRITE, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_whole),
		cmocka_unit_test(test_no_row_is_there_twice),
		cmocka_unit_test(test_what_is_on_the_floor),
		cmocka_unit_test(test_folders_around_entries_are_told),
		cmocka_unit_test(test_places_that_are_nowhere_have_no_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
