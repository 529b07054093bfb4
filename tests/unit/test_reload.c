/* Which changes of files make a reload: every way in which editors save, once for a burst, a mistake told once. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "folder_rig.h"
#include "session/reload.h"

static char base[] = "/tmp/berm-reload-XXXXXX";

/* A run whose policy never comes to a plan, so that no sandbox is needed: what is tried is when it is asked for. */
struct world {
	struct reload *reload;
	char files[3][128];
	int made;
	const char *mistake;
};

static const char *in_base(const char *name)
{
	static char text[2][128];
	static int turn;
	turn ^= 1;
	(void)snprintf(text[turn], sizeof text[turn], "%s/%s", base, name);
	return text[turn];
}

static void write_file(const char *name, const char *text)
{
	auto_fd int fd = open(in_base(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static enum berm_code make(void *ctx, const char *file, struct str text, struct berm_plan **ret_plan,
			   struct problems *problems, struct berm_err *err)
{
	struct world *world = ctx;
	(void)file;
	(void)text;
	(void)ret_plan;
	world->made++;
	problem_add(problems, &(struct place){"f", 1, 2}, "%s", world->mistake);
	return err_set(err, BERM_ERR_PARSE, "%s", world->mistake);
}

static void keep(void *ctx, bool in_force)
{
	(void)ctx;
	(void)in_force;
	fail();
}

static const char *file_at(void *ctx, size_t index)
{
	struct world *world = ctx;
	return index < ARRAY_LEN(world->files) ? world->files[index] : NULL;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct reload_maker maker = {.ctx = world, .make = make, .keep = keep, .file = file_at};
	*state = world;
	if (world == NULL || folder_make(base) < 0 || mkdir(in_base("conf"), 0755) < 0)
		return -1;
	static const char *const names[] = {"conf/policy.yaml", "work/.berm.yaml", "link.yaml"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)snprintf(world->files[i], sizeof world->files[i], "%s", in_base(names[i]));
	world->mistake = "first";
	write_file("conf/policy.yaml", "a");
	write_file("target", "a");
	if (symlink("target", in_base("link.yaml")) < 0)
		return -1;
	(void)clock_gettime(CLOCK_REALTIME, &maker.read);
	return reload_new(&maker, NULL, &world->reload, NULL) == BERM_OK ? 0 : -1;
}

static void begin(struct world *world)
{
	struct berm_err err;
	NOT_TORTURED();
	assert_true(reload_timeout_ms(world->reload) > 0);
	(void)poll(NULL, 0, reload_timeout_ms(world->reload) + 1);
	assert_int_equal(reload_next(world->reload, &err), RELOAD_NOTHING);
	assert_true(reload_fd(world->reload) >= 0);
}

static int teardown(void **state)
{
	struct world *world = *state;
	reload_free(world->reload);
	free(world);
	return folder_remove(base);
}

/* All that comes of what was done, at most a second later. */
static enum reload_outcome wait_for(struct world *world)
{
	struct berm_err err;
	for (int left = 1000; left > 0;) {
		struct pollfd wait = {.fd = reload_fd(world->reload), .events = POLLIN};
		int timeout = reload_timeout_ms(world->reload);
		int patience = timeout < 0 ? 150 : timeout;
		if (poll(&wait, 1, patience) == 0 && timeout < 0)
			return RELOAD_NOTHING;
		left -= patience < 1 ? 1 : patience;
		enum reload_outcome outcome = reload_next(world->reload, &err);
		if (outcome != RELOAD_NOTHING)
			return outcome;
	}
	return RELOAD_NOTHING;
}

static void expect_reload(struct world *world, const char *mistake)
{
	int before = world->made;
	world->mistake = mistake;
	assert_int_equal(wait_for(world), RELOAD_REFUSED);
	assert_int_equal(world->made, before + 1);
	assert_int_equal(reload_problems(world->reload)->count, 1);
}

static void each_way_to_save_is_seen(void **state)
{
	struct world *world = *state;
	begin(world);
	assert_int_equal(wait_for(world), RELOAD_NOTHING);
	assert_int_equal(reload_timeout_ms(world->reload), -1);
	write_file("conf/policy.yaml", "b");
	expect_reload(world, "written in place");
	write_file("conf/.policy.yaml.swp", "c");
	assert_int_equal(rename(in_base("conf/.policy.yaml.swp"), in_base("conf/policy.yaml")), 0);
	expect_reload(world, "renamed");
	assert_int_equal(unlink(in_base("conf/policy.yaml")), 0);
	expect_reload(world, "gone");
	write_file("conf/policy.yaml", "d");
	expect_reload(world, "back again");
	write_file("target", "e");
	expect_reload(world, "behind a link");
}

static void a_file_may_come_with_its_folder(void **state)
{
	struct world *world = *state;
	begin(world);
	assert_int_equal(mkdir(in_base("work"), 0755), 0);
	expect_reload(world, "folder");
	write_file("work/.berm.yaml", "x");
	expect_reload(world, "file");
}

static void other_names_are_not_ours(void **state)
{
	struct world *world = *state;
	begin(world);
	write_file("conf/other.yaml", "x");
	write_file("conf/policy.yaml~", "x");
	assert_int_equal(wait_for(world), RELOAD_NOTHING);
	assert_int_equal(world->made, 0);
}

static void a_burst_is_one_reload_and_a_mistake_is_told_once(void **state)
{
	struct world *world = *state;
	begin(world);
	for (int i = 0; i < 20; i++)
		write_file("conf/policy.yaml", "x");
	expect_reload(world, "broken");
	write_file("conf/policy.yaml", "y");
	assert_int_equal(wait_for(world), RELOAD_NOTHING);
	assert_int_equal(world->made, 2);
	write_file("conf/policy.yaml", "z");
	expect_reload(world, "broken in another way");
}

static void what_changed_before_the_watch_is_seen(void **state)
{
	struct world *world = *state;
	NOT_TORTURED();
	(void)poll(NULL, 0, 20); /* a tick of the clock that stamps files */
	write_file("conf/policy.yaml", "b");
	expect_reload(world, "early");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_way_to_save_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_may_come_with_its_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(what_changed_before_the_watch_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(other_names_are_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(a_burst_is_one_reload_and_a_mistake_is_told_once, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
