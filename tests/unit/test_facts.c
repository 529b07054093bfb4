#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/facts.h"
#include "sandbox/plan.h"

/* ---- text ------------------------------------------------------------------------------------------------------- */

static struct berm_facts *load(const char *text)
{
	struct berm_facts *facts;
	struct berm_err err;
	if (berm_facts_load(text, strlen(text), &facts, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	return facts;
}

static void test_text_goes_both_ways(void **state)
{
	(void)state;
	struct berm_facts *facts = load("# a comment\nkernel=6.1.0\nlandlock_abi=2\n\ncaps=2199006478335\n"
					"cgroup=/sys/fs/cgroup/a\nouter=files\tread /usr\nouter=deny\tdeny /a b\n");
	char *text = berm_facts_print(facts);
	assert_non_null(text);
	struct berm_facts *again = load(text);
	char *text_again = berm_facts_print(again);
	assert_string_equal(text, text_again);
	assert_int_equal(berm_facts_get(again, "landlock_abi"), 2);
	assert_int_equal(berm_facts_get(again, "caps"), 2199006478335);
	assert_int_equal(berm_facts_get(again, "user_namespace"), 0);
	assert_int_equal(berm_facts_get(again, "outer_plan"), 1);
	assert_string_equal(again->cgroup, "/sys/fs/cgroup/a");
	assert_true(facts_outer_holds(again, STR("deny"), STR("deny /a b")));
	free(text);
	free(text_again);
	berm_facts_free(facts);
	berm_facts_free(again);
}

static void test_text_that_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"landlock_abi=2\nno_such_fact=1\n", "facts, line 2: there is no fact 'no_such_fact'"},
		{"landlock_abi\n", "facts, line 1: not of the form name=value"},
		{"\n\nuid=x\n", "facts, line 3"},
		{"uid=-1\n", "facts, line 1"},
		{"uid=99999999999999999999\n", "facts, line 1"},
		{"uid=\n", "facts, line 1"},
		{"outer=no tab\n", "outer plan, line 1"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_facts *facts = NULL;
		struct berm_err err = {0};
		assert_int_equal(berm_facts_load(cases[i].text, strlen(cases[i].text), &facts, &err), BERM_ERR_PARSE);
		assert_null(facts);
		if (strstr(err.msg, cases[i].message) == NULL)
			fail_msg("'%s' is not in '%s'", cases[i].message, err.msg);
	}
	struct berm_facts *facts = NULL;
	assert_int_equal(berm_facts_load("uid=1\0=2\n", 9, &facts, NULL), BERM_ERR_PARSE);
	assert_null(facts);
}

static void test_facts_by_name(void **state)
{
	(void)state;
	struct berm_facts *facts = load("");
	assert_int_equal(berm_facts_set(facts, "landlock_abi", 9, NULL), BERM_OK);
	assert_int_equal(berm_facts_get(facts, "landlock_abi"), 9);
	assert_int_equal(berm_facts_set(facts, "landlock", 9, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_facts_get(facts, "landlock"), -1);
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		assert_non_null(fact_table[fact].name);
		assert_non_null(fact_table[fact].about);
		assert_int_equal(berm_facts_set(facts, fact_table[fact].name, fact + 1, NULL), BERM_OK);
	}
	for (int fact = 0; fact < FACT_COUNT; fact++)
		assert_int_equal(facts->value[fact], fact + 1);
	facts_without_namespaces(facts);
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		bool namespaces = fact >= FACT_USER_NAMESPACE && fact <= FACT_NF_TABLES;
		assert_int_equal(facts->value[fact], namespaces ? 0 : fact + 1);
	}
	berm_facts_free(facts);
	berm_facts_free(NULL);
}

static void test_outer_lines_are_found_whole(void **state)
{
	(void)state;
	static const char text[] = "protect\tprotect **/.git/config\ndeny\tdeny /a\n\ndeny\tdeny /b\n";
	struct berm_facts *facts = load("");
	struct berm_err err;
	assert_false(facts_outer_holds(facts, STR("deny"), STR("deny /a")));
	assert_int_equal(facts_set_outer(facts, text, sizeof text - 1, NULL), BERM_OK);
	assert_true(facts_outer_holds(facts, STR("deny"), STR("deny /a")));
	assert_true(facts_outer_holds(facts, STR("deny"), STR("deny /b")));
	assert_false(facts_outer_holds(facts, STR("deny"), STR("deny /")));
	assert_false(facts_outer_holds(facts, STR("protect"), STR("deny /a")));
	assert_false(facts_outer_holds(facts, STR("deny"), STR("deny /a/b")));
	size_t cursor = 0, count = 0;
	struct str line;
	while (facts_outer_next(facts, STR("deny"), &cursor, &line))
		count++;
	assert_int_equal(count, 2);
	/* a text that is refused changes nothing */
	assert_int_equal(facts_set_outer(facts, "deny /a\n", 8, &err), BERM_ERR_PARSE);
	assert_true(facts_outer_holds(facts, STR("deny"), STR("deny /a")));
	assert_int_equal(facts_set_outer(facts, "", 0, NULL), BERM_OK);
	assert_false(facts_outer_holds(facts, STR("deny"), STR("deny /a")));
	berm_facts_free(facts);
}

static void test_what_would_help_fits_the_machine(void **state)
{
	(void)state;
	static const struct {
		const char *facts;
		enum fact missing;
		const char *hint;
	} cases[] = {
		{"", FACT_USER_NAMESPACE, "unprivileged user namespaces"},
		{"apparmor_userns=1\n", FACT_USER_NAMESPACE, "AppArmor"},
		{"userns_sysctl=1\n", FACT_MOUNT_NAMESPACE, "max_user_namespaces"},
		{"in_container=1\n", FACT_PID_NAMESPACE, "container"},
		{"outer_landlock=1\n", FACT_MOUNT_NAMESPACE, "outside the sandbox"},
		{"outer_plan=1\n", FACT_SECCOMP_LISTENER, "outside the sandbox"},
		{"", FACT_LANDLOCK_ABI, "5.13"},
		{"", FACT_CGROUP_PIDS, "Delegate"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_facts *facts = load(cases[i].facts);
		if (strstr(facts_improve(facts, cases[i].missing), cases[i].hint) == NULL)
			fail_msg("'%s' is not in '%s'", cases[i].hint, facts_improve(facts, cases[i].missing));
		berm_facts_free(facts);
	}
}

/* ---- this machine ----------------------------------------------------------------------------------------------- */

static size_t count_fds(void)
{
	size_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static volatile sig_atomic_t children_heard;

static void hear_child(int sig)
{
	(void)sig;
	children_heard++;
}

static void test_probing_leaves_nothing_behind(void **state)
{
	(void)state;
	struct berm_facts *facts = NULL;
	struct sigaction hear = {.sa_handler = hear_child}, before;
	sigset_t mask, mask_after;
	assert_int_equal(sigaction(SIGCHLD, &hear, &before), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	size_t fds = count_fds();
	enum berm_code code = berm_facts_probe(&facts, NULL);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(children_heard, 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&mask, sig), sigismember(&mask_after, sig));
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	assert_int_equal(code, BERM_OK);
	berm_facts_free(facts);
}

/* What one can know without trying must be the same in both. */
static void test_the_quick_look_agrees(void **state)
{
	(void)state;
	static const enum fact same[] = {
		FACT_LANDLOCK_ABI, FACT_LANDLOCK_ERRATA, FACT_SECCOMP_FILTER,	    FACT_UID, FACT_IS_ROOT,
		FACT_CAPS,	   FACT_NO_NEW_PRIVS,	 FACT_SECCOMP_WAIT_KILLABLE};
	struct berm_facts *full, *quick;
	assert_int_equal(berm_facts_probe(&full, NULL), BERM_OK);
	assert_int_equal(facts_probe_quick(&quick, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_int_equal(full->value[same[i]], quick->value[same[i]]);
	assert_int_equal(full->value[FACT_UID], geteuid());
	for (int fact = 0; fact < FACT_COUNT; fact++)
		if (fact_table[fact].assumed && full->value[fact] != 0)
			assert_int_equal(quick->value[fact], 1);
	assert_true(strlen(full->kernel) > 0);
	berm_facts_free(full);
	berm_facts_free(quick);
}

/* Runs what prepare does to a child, and then the probe in it; the facts come back as text. */
typedef int (*prepare_fn)(void);
static struct berm_facts *probe_after(prepare_fn prepare)
{
	static char text[16384];
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct berm_facts *facts = NULL;
		(void)close(ends[0]);
		if (prepare() != 0)
			_exit(77);
		char *told = berm_facts_probe(&facts, NULL) == BERM_OK ? berm_facts_print(facts) : NULL;
		bool written = told != NULL && write(ends[1], told, strlen(told)) == (ssize_t)strlen(told);
		free(told);
		berm_facts_free(facts);
		_exit(written ? 0 : 1);
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(ends[0]);
	text[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		return NULL; /* this machine cannot be made like that */
	assert_int_equal(WEXITSTATUS(status), 0);
	return load(text);
}

static int install(const struct sock_filter *filter, size_t len, unsigned long flags)
{
	struct sock_fprog program = {.len = (unsigned short)len, .filter = (struct sock_filter *)(uintptr_t)filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : sys_seccomp_filter(&program, flags);
}

static int refuse_call(uint32_t nr, int error)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	return install(filter, ARRAY_LEN(filter), 0);
}

static int without_clone3(void)
{
	return refuse_call(OS_NR_clone3, ENOSYS);
}

static int without_mounts(void)
{
	return refuse_call(SYS_mount, EPERM);
}

static int under_listener(void)
{
	const struct sock_filter filter[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	return install(filter, ARRAY_LEN(filter), SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0 ? 0 : -1;
}

/* Everything handled, reading and writing granted everywhere: nothing but mounts is in the way. */
static int under_landlock(void)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_VERSION);
	struct ll_ruleset_attr attr = {.handled_access_fs = landlock_handled(abi)};
	if (abi < 1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	int ruleset = sys_landlock_create_ruleset(&attr, sizeof attr.handled_access_fs, 0);
	int root = open("/", O_PATH | O_CLOEXEC);
	return ruleset >= 0 && root >= 0 && sys_landlock_add_path(ruleset, root, attr.handled_access_fs) == 0
		       ? sys_landlock_restrict_self(ruleset, 0)
		       : -1;
}

static int unchanged(void)
{
	return 0;
}

static void test_probing_where_clone3_is_refused(void **state)
{
	(void)state;
	struct berm_facts *plain = probe_after(unchanged), *facts = probe_after(without_clone3);
	if (facts == NULL)
		skip();
	for (int fact = 0; fact < FACT_COUNT; fact++)
		if (fact != FACT_NO_NEW_PRIVS)
			assert_int_equal(facts->value[fact], plain->value[fact]);
	berm_facts_free(plain);
	berm_facts_free(facts);
}

static void test_probing_where_mounts_are_refused(void **state)
{
	(void)state;
	struct berm_facts *facts = probe_after(without_mounts);
	if (facts == NULL)
		skip();
	assert_int_equal(facts->value[FACT_MOUNT_NAMESPACE], 0);
	assert_int_equal(facts->value[FACT_PROC_MOUNT], 0);
	assert_int_equal(facts->value[FACT_TMPFS_MOUNT], 0);
	berm_facts_free(facts);
}

static void test_probing_under_another_listener(void **state)
{
	(void)state;
	struct berm_facts *facts = probe_after(under_listener);
	if (facts == NULL)
		skip();
	assert_int_equal(facts->value[FACT_SECCOMP_FILTER], 1);
	assert_int_equal(facts->value[FACT_SECCOMP_LISTENER], 0);
	assert_int_equal(facts->value[FACT_SECCOMP_ADDFD], 0);
	assert_int_equal(facts->value[FACT_NO_NEW_PRIVS], 1);
	berm_facts_free(facts);
}

static void test_probing_in_a_landlock_domain(void **state)
{
	(void)state;
	struct berm_facts *plain = probe_after(unchanged), *facts = probe_after(under_landlock);
	if (facts == NULL || plain->value[FACT_MOUNT_NAMESPACE] == 0)
		skip();
	assert_int_equal(plain->value[FACT_OUTER_LANDLOCK], 0);
	assert_int_equal(facts->value[FACT_OUTER_LANDLOCK], 1);
	assert_int_equal(facts->value[FACT_USER_NAMESPACE], 1);
	assert_int_equal(facts->value[FACT_MOUNT_NAMESPACE], 0);
	assert_int_equal(facts->value[FACT_LANDLOCK_ABI], plain->value[FACT_LANDLOCK_ABI]);
	berm_facts_free(plain);
	berm_facts_free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_goes_both_ways),
		cmocka_unit_test(test_text_that_is_refused),
		cmocka_unit_test(test_facts_by_name),
		cmocka_unit_test(test_outer_lines_are_found_whole),
		cmocka_unit_test(test_what_would_help_fits_the_machine),
		cmocka_unit_test(test_probing_leaves_nothing_behind),
		cmocka_unit_test(test_the_quick_look_agrees),
		cmocka_unit_test(test_probing_where_clone3_is_refused),
		cmocka_unit_test(test_probing_where_mounts_are_refused),
		cmocka_unit_test(test_probing_under_another_listener),
		cmocka_unit_test(test_probing_in_a_landlock_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
