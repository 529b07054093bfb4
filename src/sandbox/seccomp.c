#include "sandbox/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "sandbox/bpf.h"
#include "sandbox/seccomp_table.h"

enum { DATA_NR = offsetof(struct seccomp_data, nr), DATA_ARCH = offsetof(struct seccomp_data, arch) };

static const uint32_t audit_arches[SYSCALLS_ARCH_COUNT] = {
	[SYSCALLS_X86_64] = AUDIT_ARCH_X86_64,
	[SYSCALLS_ARM64] = AUDIT_ARCH_AARCH64,
};

uint32_t seccomp_native_arch(void)
{
#if defined(__x86_64__)
	return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
	return AUDIT_ARCH_AARCH64;
#else
#error "the filter knows x86_64 and arm64"
#endif
}

/* false: not one of ours. */
static bool find_arch(uint32_t audit_arch, size_t *ret_arch)
{
	for (size_t i = 0; i < SYSCALLS_ARCH_COUNT; i++)
		if (audit_arches[i] == audit_arch) {
			*ret_arch = i;
			return true;
		}
	return false;
}

/* ---- one group: its tests, last one first ------------------------------------------------------------------------ */

struct compiler {
	struct bpf bpf;
	const struct seccomp_spec *spec;
};

/* A test can be entered with its argument to be read, or with the accumulator holding it already. */
struct entry {
	bpf_label load, loaded;
};

/* The conditions in the table form no circle: a verdict names only such as stand behind it, or plain ones (a model test
 * holds it to that). */
static uint32_t verdict_action(const struct seccomp_spec *spec, uint8_t to)
{
	const struct seccomp_verdict *verdict = &seccomp_verdicts[to];
	while (verdict->conditional) {
		bool fact = *(const bool *)((const char *)spec + verdict->fact);
		verdict = &seccomp_verdicts[fact ? verdict->set : verdict->unset];
	}
	return verdict->action;
}

static bool is_bit_test(const struct seccomp_test *test)
{
	return test->count == 1 && test->spans[0].first == 0 && test->spans[0].last == 0;
}

/* What the accumulator is masked with when the test looks at it: a test of bits needs no mask. */
static uint32_t load_mask(const struct seccomp_test *test)
{
	return is_bit_test(test) ? UINT32_MAX : test->mask;
}

/* from: the test that leads there, or NULL. */
static bpf_label target(struct compiler *compiler, const struct seccomp_group *group, const struct entry *entries,
			const struct seccomp_test *from, uint8_t to)
{
	if (!SECCOMP_IS_GO(to))
		return bpf_return(&compiler->bpf, verdict_action(compiler->spec, to));
	size_t index = SECCOMP_GO_TEST(to);
	const struct seccomp_test *next = &group->tests[index];
	bool loaded = from != NULL && from->word == next->word && load_mask(from) == load_mask(next);
	return loaded ? entries[index].loaded : entries[index].load;
}

static void add_range(const struct bpf *bpf, struct bpf_range *ranges, size_t *count, uint32_t first, bpf_label to)
{
	if (*count == 0 || !bpf_same(bpf, ranges[*count - 1].to, to))
		ranges[(*count)++] = (struct bpf_range){.first = first, .to = to};
}

static bpf_label put_spans(struct compiler *compiler, const struct seccomp_group *group, const struct entry *entries,
			   const struct seccomp_test *test)
{
	struct bpf_range ranges[2 * SECCOMP_MAX_SPANS + 1];
	size_t count = 0;
	uint64_t next = 0; /* the first value that no range holds yet */
	bpf_label other = target(compiler, group, entries, test, test->other);
	for (size_t i = 0; i < test->count; i++) {
		const struct seccomp_span *span = &test->spans[i];
		if (span->first > next)
			add_range(&compiler->bpf, ranges, &count, (uint32_t)next, other);
		add_range(&compiler->bpf, ranges, &count, span->first,
			  target(compiler, group, entries, test, span->to));
		next = (uint64_t)span->last + 1;
	}
	if (next <= UINT32_MAX)
		add_range(&compiler->bpf, ranges, &count, (uint32_t)next, other);
	return bpf_switch(&compiler->bpf, ranges, count);
}

static bpf_label put_bits(struct compiler *compiler, const struct seccomp_group *group, const struct entry *entries,
			  const struct seccomp_test *test)
{
	bpf_label some = target(compiler, group, entries, test, test->other);
	bpf_label none = target(compiler, group, entries, test, test->spans[0].to);
	if (test->mask == UINT32_MAX)
		return bpf_jump(&compiler->bpf, BPF_JEQ, 0, none, some);
	return bpf_jump(&compiler->bpf, BPF_JSET, test->mask, some, none);
}

static struct entry put_test(struct compiler *compiler, const struct seccomp_group *group, const struct entry *entries,
			     const struct seccomp_test *test)
{
	struct bpf *bpf = &compiler->bpf;
	bool bits = is_bit_test(test);
	bpf_label loaded = bits ? put_bits(compiler, group, entries, test) : put_spans(compiler, group, entries, test);
	uint32_t mask = load_mask(test);
	bpf_label load = mask == UINT32_MAX ? loaded : bpf_mask(bpf, mask, loaded);
	uint32_t offset = (uint32_t)offsetof(struct seccomp_data, args) + 4U * test->word; /* both are little-endian */
	return (struct entry){.load = bpf_load(bpf, offset, load), .loaded = loaded};
}

static bpf_label put_group(struct compiler *compiler, const struct seccomp_group *group)
{
	struct entry entries[SECCOMP_MAX_TESTS] = {0};
	for (size_t i = group->test_count; i > 0; i--)
		entries[i - 1] = put_test(compiler, group, entries, &group->tests[i - 1]);
	return target(compiler, group, entries, NULL, group->to);
}

/* ---- the whole program ------------------------------------------------------------------------------------------- */

static size_t find_ranges(struct compiler *compiler, size_t arch, struct bpf_range *ret_ranges)
{
	uint8_t group_of[SYSCALLS_MAX_NR + 1];
	for (size_t nr = 0; nr <= SYSCALLS_MAX_NR; nr++)
		group_of[nr] = GROUP_COUNT;
	for (size_t i = 0; i < syscalls_count; i++)
		if (syscalls_rows[i].nr[arch] >= 0)
			group_of[syscalls_rows[i].nr[arch]] = syscalls_rows[i].group;

	bpf_label labels[GROUP_COUNT + 1];
	for (size_t i = 0; i < GROUP_COUNT; i++)
		labels[i] = put_group(compiler, &seccomp_groups[i]);
	labels[GROUP_COUNT] = bpf_return(&compiler->bpf, verdict_action(compiler->spec, TO_ENOSYS));

	size_t count = 0;
	for (uint32_t nr = 0; nr <= SYSCALLS_MAX_NR; nr++)
		add_range(&compiler->bpf, ret_ranges, &count, nr, labels[group_of[nr]]);
	/* All above, the numbers of x32 and those that are negative included. */
	add_range(&compiler->bpf, ret_ranges, &count, SYSCALLS_MAX_NR + 1, labels[GROUP_COUNT]);
	return count;
}

/* Puts the check of the architecture in front. Another one means other numbers: there is no errno that makes a program of
 * that kind do better, and none of its calls may reach the kernel. */
static void put_arch(struct bpf *bpf, uint32_t audit_arch, bpf_label calls)
{
	calls = bpf_load(bpf, DATA_NR, calls);
	bpf_label kill = bpf_return(bpf, SECCOMP_RET_KILL_PROCESS);
	(void)bpf_load(bpf, DATA_ARCH, bpf_jump(bpf, BPF_JEQ, audit_arch, calls, kill));
}

enum berm_code seccomp_compile(const struct seccomp_spec *spec, uint32_t audit_arch, struct sock_filter *ret_program,
			       size_t *ret_len, struct berm_err *err)
{
	size_t arch;
	if (!find_arch(audit_arch, &arch))
		return err_set(err, BERM_ERR_UNSUPPORTED, "no system call table for architecture 0x%x", audit_arch);
	struct compiler compiler = {.spec = spec};
	bpf_start(&compiler.bpf, ret_program, SECCOMP_MAX_INSTRUCTIONS);
	struct bpf_range ranges[SYSCALLS_MAX_NR + 2];
	size_t count = find_ranges(&compiler, arch, ranges);
	put_arch(&compiler.bpf, audit_arch, bpf_switch(&compiler.bpf, ranges, count));
	size_t len = bpf_finish(&compiler.bpf);
	if (len == 0)
		return err_set(err, BERM_ERR_LIMIT, "the system call filter needs more than %d instructions",
			       SECCOMP_MAX_INSTRUCTIONS);
	*ret_len = len;
	return BERM_OK;
}

/* ---- the judge --------------------------------------------------------------------------------------------------- */

/* read, write, rt_sigreturn, exit, exit_group */
static const int16_t judge_calls[SYSCALLS_ARCH_COUNT][5] = {
	[SYSCALLS_X86_64] = {0, 1, 15, 60, 231},
	[SYSCALLS_ARM64] = {63, 64, 139, 93, 94},
};

size_t seccomp_judge_program(uint32_t audit_arch, struct sock_filter *ret_program)
{
	size_t arch;
	if (!find_arch(audit_arch, &arch))
		return 0;
	struct bpf bpf;
	bpf_start(&bpf, ret_program, SECCOMP_MAX_INSTRUCTIONS);
	bpf_label allow = bpf_return(&bpf, SECCOMP_RET_ALLOW);
	bpf_label calls = bpf_return(&bpf, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < sizeof(judge_calls[0]) / sizeof(judge_calls[0][0]); i++)
		calls = bpf_jump(&bpf, BPF_JEQ, (uint32_t)judge_calls[arch][i], allow, calls);
	put_arch(&bpf, audit_arch, calls);
	return bpf_finish(&bpf);
}
