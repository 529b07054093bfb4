/*
 * An interpreter of seccomp's dialect of classic BPF, written for the tests from the kernel's rules and not from the
 * assembler: what the kernel would refuse at installation is refused here, and what it would answer is answered.
 */
#ifndef BERM_TESTS_SIMULATE_H
#define BERM_TESTS_SIMULATE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One instruction as kernel/seccomp.c and net/core/filter.c accept it, of those that the assembler may use. */
static inline bool simulate_valid_insn(const struct sock_filter *program, size_t len, size_t at)
{
	const struct sock_filter *insn = &program[at];
	size_t left = len - at - 1;
	switch (insn->code) {
	case BPF_RET | BPF_K:
	case BPF_ALU | BPF_AND | BPF_K:
		return true;
	case BPF_LD | BPF_W | BPF_ABS:
		return insn->k < sizeof(struct seccomp_data) && insn->k % 4 == 0;
	case BPF_JMP | BPF_JA:
		return insn->k < left;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return insn->jt < left && insn->jf < left;
	default:
		return false;
	}
}

static inline bool simulate_valid(const struct sock_filter *program, size_t len)
{
	if (len == 0 || len > BPF_MAXINSNS || BPF_CLASS(program[len - 1].code) != BPF_RET)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!simulate_valid_insn(program, len, i))
			return false;
	return true;
}

static inline bool simulate_test(const struct sock_filter *insn, uint32_t a)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == insn->k;
	case BPF_JGT:
		return a > insn->k;
	case BPF_JGE:
		return a >= insn->k;
	default:
		return (a & insn->k) != 0;
	}
}

/* The program must be valid. ret_steps (may be NULL): how many instructions ran. */
static inline uint32_t simulate_run(const struct sock_filter *program, const struct seccomp_data *data,
				    size_t *ret_steps)
{
	uint32_t a = 0;
	size_t steps = 0;
	for (size_t pc = 0;; pc++) {
		const struct sock_filter *insn = &program[pc];
		steps++;
		switch (BPF_CLASS(insn->code)) {
		case BPF_RET:
			if (ret_steps)
				*ret_steps = steps;
			return insn->k;
		case BPF_LD:
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			break;
		case BPF_ALU:
			a &= insn->k;
			break;
		default:
			pc += insn->code == (BPF_JMP | BPF_JA) ? insn->k : simulate_test(insn, a) ? insn->jt : insn->jf;
			break;
		}
	}
}

/* The most instructions that any input could make it run. */
static inline size_t simulate_longest(const struct sock_filter *program, size_t len)
{
	static size_t longest[BPF_MAXINSNS];
	for (size_t i = len; i-- > 0;) {
		const struct sock_filter *insn = &program[i];
		size_t next = 0;
		if (insn->code == (BPF_JMP | BPF_JA))
			next = longest[i + 1 + insn->k];
		else if (BPF_CLASS(insn->code) == BPF_JMP)
			next = longest[i + 1 + insn->jt] > longest[i + 1 + insn->jf] ? longest[i + 1 + insn->jt]
										     : longest[i + 1 + insn->jf];
		else if (BPF_CLASS(insn->code) != BPF_RET)
			next = longest[i + 1];
		longest[i] = next + 1;
	}
	return longest[0];
}

#endif
