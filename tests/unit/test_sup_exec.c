/* Programs that are started where all of what is refused is told: the call itself goes on, whatever is told of it. */
#include "sup_rig.h"

#include <sys/syscall.h>

static char folder[64], program[100], link_to[100]; /* granted for programs; a script, a link to a program elsewhere */

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/berm-exec-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(program, sizeof(program), "%s/program", folder);
	(void)snprintf(link_to, sizeof(link_to), "%s/link", folder);
	int fd = open(program, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	bool written = fd >= 0 && write(fd, "#!/bin/sh\nexit 0\n", 17) == 17;
	(void)close(fd);
	return written && symlink("/bin/true", link_to) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(program);
	(void)unlink(link_to);
	return rmdir(folder);
}

/* The errno of the call, made by a child; 0: the program ran. */
static int start_at(int dirfd, const char *path, int flags)
{
	static char name[] = "program";
	static char *const argv[] = {name, NULL}, *const envp[] = {NULL};
	int status = 0;
	pid_t pid = rig_fork();
	if (pid == 0) {
		if (flags < 0)
			(void)syscall(SYS_execve, path, argv, envp);
		else
			(void)syscall(SYS_execveat, dirfd, path, argv, envp, flags);
		_exit(errno);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int start(const char *path)
{
	return start_at(-1, path, -1);
}

static void start_what_is_granted(void *arg)
{
	(void)arg;
	int dir = open(folder, O_PATH); /* NOLINT(android-cloexec-open): the script is read by way of it */
	CHECK(start(program) == 0);
	CHECK(dir >= 0 && start_at(dir, "program", 0) == 0);
	CHECK(chdir(folder) == 0 && start("./program") == 0 && start_at(AT_FDCWD, "program", 0) == 0);
}

static void start_what_is_not(void *arg)
{
	(void)arg;
	int bin = open("/bin", O_PATH | O_CLOEXEC);
	CHECK(start("/bin/true") == 0); /* only Landlock would refuse it, and this task has none */
	CHECK(start(link_to) == 0);
	CHECK(bin >= 0 && start_at(bin, "false", 0) == 1);
}

/* What would not have started anyway is not told. */
static void start_what_cannot_be(void *arg)
{
	static const char *volatile nowhere = (const char *)16; /* NOLINT(performance-no-int-to-ptr) */
	(void)arg;
	int file = open("/bin/true", O_RDONLY); /* NOLINT(android-cloexec-open): the program reads it by its number */
	CHECK(start("/bin/there-is-none") == ENOENT);
	CHECK(start("") == ENOENT);
	CHECK(start(nowhere) == EFAULT);
	CHECK(start("/usr") == EACCES);
	CHECK(start_at(AT_FDCWD, link_to, AT_SYMLINK_NOFOLLOW) == ELOOP);
	CHECK(start_at(-1, "true", 0) == EBADF);
	CHECK(file >= 0 && start_at(file, "", AT_EMPTY_PATH) == 0); /* by its descriptor: it has no name to be told */
}

static int run(void (*task)(void *arg))
{
	struct plan_grant grants[] = {
		{.path = "/", .rights = BERM_READ, .exists = true, .tree = true},
		{.path = folder, .rights = BERM_READ | BERM_EXEC, .exists = true, .tree = true},
	};
	const struct rig rig = {
		.plan = {.backend = BERM_BACKEND_LANDLOCK,
			 .listener = true,
			 .wait_killable = true,
			 .grants = grants,
			 .grant_count = ARRAY_LEN(grants),
			 .spec = {.trap_exec = true}},
		.task = task,
	};
	return rig_run(&rig);
}

static size_t count_told(void)
{
	size_t count = 0;
	for (size_t i = 0; i < rig_notice_count; i++)
		count += rig_notices[i].op == BERM_OP_EXEC;
	return count;
}

static void test_what_is_granted_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(run(start_what_is_granted), 0);
	assert_int_equal(count_told(), 0);
}

static void test_what_is_not_granted_is_told_and_goes_on(void **state)
{
	(void)state;
	char real[PATH_MAX], other[PATH_MAX];
	assert_non_null(realpath("/bin/true", real));
	assert_non_null(realpath("/bin/false", other));
	assert_int_equal(run(start_what_is_not), 0);
	assert_true(rig_told(BERM_OP_EXEC, EACCES, real));
	assert_true(rig_told(BERM_OP_EXEC, EACCES, other));
	assert_int_equal(count_told(), 3);
}

static void test_what_cannot_start_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(run(start_what_cannot_be), 0);
	assert_int_equal(count_told(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_granted_is_not_told),
		cmocka_unit_test(test_what_is_not_granted_is_told_and_goes_on),
		cmocka_unit_test(test_what_cannot_start_is_not_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
