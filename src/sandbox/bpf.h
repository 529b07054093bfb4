/*
 * Classic BPF, written from its end to its start. A jump in BPF can only go forward, so when an instruction is put down
 * everything that it names already stands: no labels to patch, and a jump that is too far for its eight bits gets a
 * copy of the return it wants, or a long jump, right behind it. Knows nothing of system calls. No heap.
 */
#ifndef BERM_SANDBOX_BPF_H
#define BERM_SANDBOX_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in the program: the number of instructions that stand behind it. Valid in the program that gave it. */
typedef uint32_t bpf_label;

enum { BPF_RETURNS = 16 };

/* Fields are bpf.c's own; instructions are kept in reverse until bpf_finish. */
struct bpf {
	struct sock_filter *program;
	uint32_t max, len;
	bool full;
	size_t known; /* returns to be used again: the last one of each value, of the first few values */
	struct {
		uint32_t value;
		bpf_label at;
	} returns[BPF_RETURNS];
};

/* What holds from value first on, up to the next range's first. */
struct bpf_range {
	uint32_t first;
	bpf_label to;
};

/* program: the caller's, room for max instructions. A program that does not fit is noticed by bpf_finish. */
void bpf_start(struct bpf *bpf, struct sock_filter *program, size_t max);

/* Each of these puts down what comes before the places it is given, and returns the place to enter it. */
bpf_label bpf_return(struct bpf *bpf, uint32_t value);
/* op: BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET, on the accumulator and k. Nothing is put down if both ways are the same. */
bpf_label bpf_jump(struct bpf *bpf, uint16_t op, uint32_t k, bpf_label yes, bpf_label no);
/* The accumulator becomes the 32 bits at offset, or is masked. Nothing is put down if a return follows. */
bpf_label bpf_load(struct bpf *bpf, uint32_t offset, bpf_label next);
bpf_label bpf_mask(struct bpf *bpf, uint32_t mask, bpf_label next);
/* A balanced search on the accumulator. ranges: sorted, count > 0, the first begins at 0; used up by the call.
 * Neighbours that lead to the same are best merged before (bpf_same). */
bpf_label bpf_switch(struct bpf *bpf, struct bpf_range *ranges, size_t count);

/* Do two places do the same: one place, or two returns of one value? */
bool bpf_same(const struct bpf *bpf, bpf_label a, bpf_label b);

/* Turns the program round so that it begins with what was put down last. Returns its length, 0 if it did not fit. */
size_t bpf_finish(struct bpf *bpf);

#endif
