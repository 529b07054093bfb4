/*
 * The compiled filter, run by an interpreter of our own: rows of what each call gets, sweeps over all numbers, bounds of
 * size and path, the tables' own rules, and libseccomp's opinion on the numbers.
 */
#include "check.h"

#include <dlfcn.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/seccomp_rows.h"
#include "model/simulate.h"
#include "sandbox/seccomp.h"
#include "sandbox/seccomp_table.h"

enum { MAX_INSTRUCTIONS = 450, MAX_PATH = 28, USUAL_INSTRUCTIONS = 260, USUAL_PATH = 24 };

static const uint32_t arches[SYSCALLS_ARCH_COUNT] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64};
static const char *const arch_names[SYSCALLS_ARCH_COUNT] = {"x86_64", "arm64"};

static struct sock_filter program[SECCOMP_MAX_INSTRUCTIONS];
static size_t program_len;

static void compile(const struct seccomp_spec *spec, size_t arch)
{
	struct berm_err err = {0};
	assert_int_equal(seccomp_compile(spec, arches[arch], program, &program_len, &err), BERM_OK);
	assert_true(simulate_valid(program, program_len));
}

static uint32_t ask(uint32_t audit_arch, uint32_t nr, const uint64_t args[6])
{
	struct seccomp_data data = {.nr = (int)nr, .arch = audit_arch, .instruction_pointer = 0x1122334455667788};
	memcpy(data.args, args, sizeof(data.args));
	return simulate_run(program, &data, NULL);
}

static const struct syscalls_row *find_call(const char *name)
{
	for (size_t i = 0; i < syscalls_count; i++)
		if (strcmp(syscalls_rows[i].name, name) == 0)
			return &syscalls_rows[i];
	return NULL;
}

static const struct syscalls_row *find_number(size_t arch, uint32_t nr)
{
	for (size_t i = 0; i < syscalls_count; i++)
		if (syscalls_rows[i].nr[arch] >= 0 && (uint32_t)syscalls_rows[i].nr[arch] == nr)
			return &syscalls_rows[i];
	return NULL;
}

/* ---- rows ---- */

static bool row_holds(const struct row *row, size_t arch, uint32_t nr)
{
	uint32_t got = ask(arches[arch], nr, row->args);
	if (got == row->want)
		return true;
	printf("row %zu: %s %s(%llx, %llx, %llx, %llx, %llx): got %08x, not %08x\n", (size_t)(row - rows),
	       arch_names[arch], row->call, (unsigned long long)row->args[0], (unsigned long long)row->args[1],
	       (unsigned long long)row->args[2], (unsigned long long)row->args[3], (unsigned long long)row->args[4],
	       got, row->want);
	return false;
}

static void check_rows(size_t arch)
{
	size_t passed = 0, failed = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct syscalls_row *call = find_call(rows[i].call);
		if (call == NULL)
			fail_msg("row %zu: no call is called %s", i, rows[i].call);
		if (call == NULL || call->nr[arch] < 0)
			continue;
		compile(&specs[rows[i].spec], arch);
		bool holds = row_holds(&rows[i], arch, (uint32_t)call->nr[arch]);
		passed += holds;
		failed += !holds;
	}
	printf("rows on %s: %zu passed, %zu failed\n", arch_names[arch], passed, failed);
	assert_int_equal(failed, 0);
	assert_in_range(passed, 250, 2000);
}

static void test_rows_x86_64(void **state)
{
	(void)state;
	check_rows(SYSCALLS_X86_64);
}

static void test_rows_arm64(void **state)
{
	(void)state;
	check_rows(SYSCALLS_ARM64);
}

/* ---- sweeps ---- */

static const uint64_t patterns[][6] = {
	{0, 0, 0, 0, 0, 0},	     {1, 1, 1, 1, 1, 1},
	{2, 2, 2, 2, 2, 2},	     {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
	{P, P, P, P, P, P},	     {AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, 0, 0},
	{3, TIOCGWINSZ, P, P, P, P},
};
enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

/* Never let through nor handed on, whatever is granted. */
static const char *const never[] = {
	"add_key",
	"request_key",
	"keyctl",
	"bpf",
	"userfaultfd",
	"fanotify_init",
	"fanotify_mark",
	"syslog",
	"iopl",
	"ioperm",
	"quotactl",
	"quotactl_fd",
	"vhangup",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"swapon",
	"swapoff",
	"acct",
	"settimeofday",
	"clock_settime",
	"adjtimex",
	"clock_adjtime",
	"open_by_handle_at",
	"modify_ldt",
	"lookup_dcookie",
	"nfsservctl",
	"uselib",
	"sysfs",
	"_sysctl",
	"remap_file_pages",
	"create_module",
	"query_module",
	"get_kernel_syms",
	"lsm_set_self_attr",
	"name_to_handle_at",
};
/* Refused too by all specs that do not name them. */
static const char *const unless_extra[] = {
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"kcmp",
	"pidfd_getfd",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"setns",
	"open_tree",
	"open_tree_attr",
	"move_mount",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"sethostname",
	"setdomainname",
	"clone3",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"perf_event_open",
};

static bool listed(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool may_pass(const struct syscalls_row *call, enum spec_id spec)
{
	if (call == NULL || listed(call->name, never, sizeof(never) / sizeof(never[0])))
		return false;
	return spec == EXTRA || !listed(call->name, unless_extra, sizeof(unless_extra) / sizeof(unless_extra[0]));
}

static bool passes(uint32_t verdict)
{
	return verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_USER_NOTIF || verdict == SECCOMP_RET_ERRNO;
}

static void sweep(size_t arch, enum spec_id spec)
{
	compile(&specs[spec], arch);
	for (uint32_t nr = 0; nr <= 600; nr++) {
		const struct syscalls_row *call = find_number(arch, nr);
		for (size_t i = 0; i < PATTERNS; i++) {
			uint32_t got = ask(arches[arch], nr, patterns[i]);
			if (call == NULL)
				assert_int_equal(got, NO(ENOSYS));
			if (!may_pass(call, spec))
				assert_false(passes(got));
			assert_int_not_equal(got, SECCOMP_RET_KILL_PROCESS);
		}
	}
}

static void test_nothing_unlisted_passes(void **state)
{
	(void)state;
	for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++)
		for (enum spec_id spec = 0; spec < SPEC_COUNT; spec++)
			sweep(arch, spec);
}

/* x32 is bit 30 on top of a number; negative numbers are what a tracer leaves to skip a call. */
static void test_x32_and_negative_numbers(void **state)
{
	(void)state;
	static const uint32_t bases[] = {0x40000000, 0x80000000, 0xc0000000, 0xfffffd00, 0x3ffffe00, 0x10000, 0x200};
	for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++) {
		compile(&specs[EXTRA], arch);
		for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
			for (uint32_t nr = 0; nr <= 600; nr++)
				assert_int_equal(ask(arches[arch], bases[i] + nr, patterns[nr % PATTERNS]), NO(ENOSYS));
		assert_int_equal(ask(arches[arch], UINT32_MAX, patterns[0]), NO(ENOSYS));
	}
}

static void test_other_architectures_kill(void **state)
{
	(void)state;
	static const uint32_t others[] = {AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, 0,
					  UINT32_MAX};
	for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++) {
		compile(&specs[EXTRA], arch);
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			for (uint32_t nr = 0; others[i] != arches[arch] && nr <= 600; nr++)
				assert_int_equal(ask(others[i], nr, patterns[0]), SECCOMP_RET_KILL_PROCESS);
	}
}

/* With no trap in the spec nothing goes to a listener that is not there. */
static void test_no_trap_no_notification(void **state)
{
	(void)state;
	static const enum spec_id without[] = {QUIET, BARE, EXTRA, NO_IP};
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		assert_false(seccomp_spec_traps(&specs[without[i]]));
		compile(&specs[without[i]], SYSCALLS_X86_64);
		for (size_t at = 0; at < program_len; at++)
			assert_false(program[at].code == (BPF_RET | BPF_K) && program[at].k == SECCOMP_RET_USER_NOTIF);
	}
}

/* Each fact that begins with trap_ asks for a listener, and no other. */
static void test_each_trap_needs_a_listener(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(struct seccomp_spec); i++) {
		struct seccomp_spec spec = {0};
		((bool *)&spec)[i] = true;
		compile(&spec, SYSCALLS_X86_64);
		bool asks = false;
		for (size_t at = 0; at < program_len; at++)
			asks |= program[at].code == (BPF_RET | BPF_K) && program[at].k == SECCOMP_RET_USER_NOTIF;
		assert_int_equal(asks, seccomp_spec_traps(&spec));
	}
}

/* ---- size ---- */

static void check_bounds(const struct seccomp_spec *spec, size_t arch, size_t max_len, size_t max_path)
{
	compile(spec, arch);
	assert_in_range(program_len, 50, max_len);
	assert_in_range(simulate_longest(program, program_len), 5, max_path);
}

static void test_usual_program_is_small(void **state)
{
	(void)state;
	for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++) {
		check_bounds(&specs[USUAL], arch, USUAL_INSTRUCTIONS, USUAL_PATH);
		printf("usual filter on %s: %zu instructions, %zu on the longest path\n", arch_names[arch], program_len,
		       simulate_longest(program, program_len));
	}
}

static void test_every_spec_is_bounded(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (size_t i = 0; i < 3000; i++) {
		struct seccomp_spec spec;
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		for (size_t bit = 0; bit < sizeof(spec); bit++)
			((bool *)&spec)[bit] = (seed >> (20 + bit)) & 1;
		check_bounds(&spec, i % SYSCALLS_ARCH_COUNT, MAX_INSTRUCTIONS, MAX_PATH);
	}
}

static void test_same_spec_same_program(void **state)
{
	(void)state;
	static struct sock_filter other[SECCOMP_MAX_INSTRUCTIONS];
	size_t len = 0;
	compile(&specs[HOST], SYSCALLS_X86_64);
	assert_int_equal(seccomp_compile(&specs[HOST], AUDIT_ARCH_X86_64, other, &len, NULL), BERM_OK);
	assert_int_equal(len, program_len);
	assert_memory_equal(other, program, len * sizeof(other[0]));
}

static void test_unknown_architecture_is_refused(void **state)
{
	(void)state;
	struct berm_err err = {0};
	size_t len = 77;
	assert_int_equal(seccomp_compile(&specs[QUIET], AUDIT_ARCH_I386, program, &len, &err), BERM_ERR_UNSUPPORTED);
	assert_int_equal(len, 77);
	assert_int_equal(seccomp_judge_program(AUDIT_ARCH_I386, program), 0);
#if defined(__x86_64__)
	assert_int_equal(seccomp_native_arch(), AUDIT_ARCH_X86_64);
#elif defined(__aarch64__)
	assert_int_equal(seccomp_native_arch(), AUDIT_ARCH_AARCH64);
#endif
}

/* ---- the judge ---- */

static void test_judge_only_reads_writes_and_ends(void **state)
{
	(void)state;
	static const char *const calls[] = {"read", "write", "rt_sigreturn", "exit", "exit_group"};
	for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++) {
		program_len = seccomp_judge_program(arches[arch], program);
		assert_true(simulate_valid(program, program_len));
		for (uint32_t nr = 0; nr <= 600; nr++) {
			const struct syscalls_row *call = find_number(arch, nr);
			bool wanted = call != NULL && listed(call->name, calls, sizeof(calls) / sizeof(calls[0]));
			assert_int_equal(ask(arches[arch], nr, patterns[0]),
					 wanted ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(ask(arches[arch], 0x40000000 + nr, patterns[0]), SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(ask(AUDIT_ARCH_I386, nr, patterns[0]), SECCOMP_RET_KILL_PROCESS);
		}
	}
}

/* ---- the tables ---- */

static void test_each_call_stands_once(void **state)
{
	(void)state;
	bool used[GROUP_COUNT] = {false};
	for (size_t i = 0; i < syscalls_count; i++) {
		const struct syscalls_row *call = &syscalls_rows[i];
		assert_ptr_equal(find_call(call->name), call);
		assert_in_range(call->group, 0, GROUP_COUNT - 1);
		used[call->group] = true;
		for (size_t arch = 0; arch < SYSCALLS_ARCH_COUNT; arch++) {
			assert_true(call->nr[arch] <= SYSCALLS_MAX_NR);
			if (call->nr[arch] >= 0)
				assert_ptr_equal(find_number(arch, (uint32_t)call->nr[arch]), call);
		}
		if (call->nr[0] >= 424 && call->nr[1] >= 0)
			assert_int_equal(call->nr[0], call->nr[1]); /* since then the same everywhere */
	}
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		assert_true(used[i]);
		assert_non_null(seccomp_groups[i].name);
		assert_non_null(seccomp_groups[i].reason);
	}
}

static void check_target(const struct seccomp_group *group, size_t at, uint8_t to)
{
	if (!SECCOMP_IS_GO(to))
		assert_in_range(to, 0, TO_COUNT - 1);
	else
		assert_in_range(SECCOMP_GO_TEST(to), at, (size_t)group->test_count - 1);
}

static void test_tests_only_lead_on(void **state)
{
	(void)state;
	for (size_t g = 0; g < GROUP_COUNT; g++) {
		const struct seccomp_group *group = &seccomp_groups[g];
		assert_in_range(group->test_count, 0, SECCOMP_MAX_TESTS);
		check_target(group, 0, group->to);
		for (size_t i = 0; i < group->test_count; i++) {
			const struct seccomp_test *test = &group->tests[i];
			assert_in_range(test->word, 0, 11);
			assert_in_range(test->count, 1, SECCOMP_MAX_SPANS);
			check_target(group, i + 1, test->other);
			for (size_t s = 0; s < test->count; s++) {
				check_target(group, i + 1, test->spans[s].to);
				assert_true(test->spans[s].first <= test->spans[s].last);
				assert_int_equal(test->spans[s].last & ~test->mask, 0);
				if (s > 0)
					assert_true(test->spans[s - 1].last < test->spans[s].first);
			}
		}
	}
}

static void test_verdicts_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < TO_COUNT; i++) {
		const struct seccomp_verdict *verdict = &seccomp_verdicts[i];
		assert_true(verdict->conditional || verdict->action != 0 || i != TO_ALLOW);
		if (!verdict->conditional)
			continue;
		assert_in_range(verdict->fact, 0, sizeof(struct seccomp_spec) - 1);
		assert_true(!seccomp_verdicts[verdict->set].conditional || verdict->set > i);
		assert_true(!seccomp_verdicts[verdict->unset].conditional || verdict->unset > i);
	}
}

/* ---- second opinion ---- */

#if defined(__has_include) && defined(__x86_64__)
#if __has_include(<seccomp.h>)
#include <seccomp.h>
#define HAVE_LIBSECCOMP
#endif
#endif

#ifdef HAVE_LIBSECCOMP
/* Numbers that the kernel lists and never gave a meaning, or took it away. */
static const char *const left_out[] = {"afs_syscall",	  "epoll_ctl_old", "epoll_wait_old", "get_thread_area",
				       "set_thread_area", "getpmsg",	   "putpmsg",	     "security",
				       "tuxcall",	  "vserver"};

static int (*resolve_name)(uint32_t arch, const char *name);
static char *(*resolve_number)(uint32_t arch, int nr);

static void open_libseccomp(void)
{
	void *library = dlopen("libseccomp.so.2", RTLD_NOW);
	assert_non_null(library);
	*(void **)&resolve_name = dlsym(library, "seccomp_syscall_resolve_name_arch");
	*(void **)&resolve_number = dlsym(library, "seccomp_syscall_resolve_num_arch");
	assert_true(resolve_name != NULL && resolve_number != NULL);
}

static void check_against_libseccomp(size_t arch, uint32_t token)
{
	size_t agreed = 0;
	for (size_t i = 0; i < syscalls_count; i++) {
		int theirs = resolve_name(token, syscalls_rows[i].name);
		if (theirs == __NR_SCMP_ERROR) /* newer than the library */
			continue;
		if (theirs < 0 ? syscalls_rows[i].nr[arch] >= 0 : theirs != syscalls_rows[i].nr[arch])
			fail_msg("%s: %s is %d, libseccomp says %d", arch_names[arch], syscalls_rows[i].name,
				 syscalls_rows[i].nr[arch], theirs);
		agreed++;
	}
	for (int nr = 0; nr <= SYSCALLS_MAX_NR; nr++) {
		char *theirs = resolve_number(token, nr);
		if (theirs == NULL)
			continue;
		const struct syscalls_row *ours = find_number(arch, (uint32_t)nr);
		if (ours == NULL ? !listed(theirs, left_out, sizeof(left_out) / sizeof(left_out[0]))
				 : strcmp(theirs, ours->name) != 0)
			fail_msg("%s: %d is %s for libseccomp", arch_names[arch], nr, theirs);
		free(theirs);
	}
	printf("libseccomp agrees on %zu calls of %s\n", agreed, arch_names[arch]);
	assert_in_range(agreed, 330, syscalls_count);
}

static void test_libseccomp_agrees_on_numbers(void **state)
{
	(void)state;
	open_libseccomp();
	check_against_libseccomp(SYSCALLS_X86_64, SCMP_ARCH_X86_64);
	check_against_libseccomp(SYSCALLS_ARM64, SCMP_ARCH_AARCH64);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_x86_64),
		cmocka_unit_test(test_rows_arm64),
		cmocka_unit_test(test_nothing_unlisted_passes),
		cmocka_unit_test(test_x32_and_negative_numbers),
		cmocka_unit_test(test_other_architectures_kill),
		cmocka_unit_test(test_no_trap_no_notification),
		cmocka_unit_test(test_each_trap_needs_a_listener),
		cmocka_unit_test(test_usual_program_is_small),
		cmocka_unit_test(test_every_spec_is_bounded),
		cmocka_unit_test(test_same_spec_same_program),
		cmocka_unit_test(test_unknown_architecture_is_refused),
		cmocka_unit_test(test_judge_only_reads_writes_and_ends),
		cmocka_unit_test(test_each_call_stands_once),
		cmocka_unit_test(test_tests_only_lead_on),
		cmocka_unit_test(test_verdicts_end),
#ifdef HAVE_LIBSECCOMP
		cmocka_unit_test(test_libseccomp_agrees_on_numbers),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
