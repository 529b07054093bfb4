#include "sandbox/bpf.h"

enum {
	REACH = 255, /* the farthest a conditional jump can go */
	NEAR = 96,   /* a return farther behind is put down anew: near ones stay in reach for longer */
	CHAIN = 2,   /* so many single values are compared one after the other, at most */
};

void bpf_start(struct bpf *bpf, struct sock_filter *program, size_t max)
{
	*bpf = (struct bpf){.program = program, .max = max > UINT16_MAX ? UINT16_MAX : (uint32_t)max};
}

/* In a full program every place is 0, so that nothing behind it is read. */
static bpf_label put(struct bpf *bpf, struct sock_filter insn)
{
	if (bpf->len == bpf->max) {
		bpf->full = true;
		return 0;
	}
	bpf->program[bpf->len] = insn;
	return bpf->len++;
}

static bool is_return(const struct bpf *bpf, bpf_label at)
{
	return at < bpf->len && bpf->program[at].code == (BPF_RET | BPF_K);
}

bool bpf_same(const struct bpf *bpf, bpf_label a, bpf_label b)
{
	return a == b || (is_return(bpf, a) && is_return(bpf, b) && bpf->program[a].k == bpf->program[b].k);
}

static bpf_label put_return(struct bpf *bpf, uint32_t value)
{
	return put(bpf, (struct sock_filter){.code = BPF_RET | BPF_K, .k = value});
}

bpf_label bpf_return(struct bpf *bpf, uint32_t value)
{
	size_t i = 0;
	while (i < bpf->known && bpf->returns[i].value != value)
		i++;
	if (i < bpf->known && bpf->len - bpf->returns[i].at <= NEAR)
		return bpf->returns[i].at;
	bpf_label at = put_return(bpf, value);
	if (i < BPF_RETURNS) {
		bpf->returns[i].value = value;
		bpf->returns[i].at = at;
		bpf->known = i < bpf->known ? bpf->known : i + 1;
	}
	return at;
}

/* How many instructions the next one would have to jump over to get there. */
static uint32_t distance(const struct bpf *bpf, bpf_label to)
{
	return bpf->len - to - 1;
}

/* A place that does the same and is right behind the next instruction. */
static bpf_label bring(struct bpf *bpf, bpf_label to)
{
	if (is_return(bpf, to))
		return put_return(bpf, bpf->program[to].k);
	return put(bpf, (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = distance(bpf, to)});
}

static bpf_label within(struct bpf *bpf, bpf_label to, uint32_t reach)
{
	return distance(bpf, to) <= reach ? to : bring(bpf, to);
}

bpf_label bpf_jump(struct bpf *bpf, uint16_t op, uint32_t k, bpf_label yes, bpf_label no)
{
	if (bpf->full || bpf_same(bpf, yes, no))
		return no;
	yes = within(bpf, yes, REACH - 1); /* bringing the other nearer may push this one by one */
	no = within(bpf, no, REACH);
	if (bpf->full)
		return 0;
	return put(bpf, (struct sock_filter){.code = (uint16_t)(BPF_JMP | BPF_K | op),
					     .jt = (uint8_t)distance(bpf, yes),
					     .jf = (uint8_t)distance(bpf, no),
					     .k = k});
}

static bpf_label put_before(struct bpf *bpf, struct sock_filter insn, bpf_label next)
{
	if (bpf->full || is_return(bpf, next))
		return next;
	if (distance(bpf, next) > 0)
		(void)bring(bpf, next);
	return put(bpf, insn);
}

bpf_label bpf_load(struct bpf *bpf, uint32_t offset, bpf_label next)
{
	return put_before(bpf, (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = offset}, next);
}

bpf_label bpf_mask(struct bpf *bpf, uint32_t mask, bpf_label next)
{
	return put_before(bpf, (struct sock_filter){.code = BPF_ALU | BPF_AND | BPF_K, .k = mask}, next);
}

/* How many single values, each between twice the same, follow each other from range at on: "a, 5, a, 9, a" has two. */
static size_t count_singles(const struct bpf *bpf, const struct bpf_range *ranges, size_t count, size_t at)
{
	size_t singles = 0;
	for (size_t i = at; i + 2 < count && singles < CHAIN; i += 2, singles++)
		if (ranges[i + 1].first + 1 != ranges[i + 2].first || !bpf_same(bpf, ranges[at].to, ranges[i + 2].to))
			break;
	return singles;
}

/* One compare for each single value does in place of two, and their neighbours become one. Returns the new count. */
static size_t join_singles(struct bpf *bpf, struct bpf_range *ranges, size_t count)
{
	size_t len = 0;
	for (size_t at = 0; at < count;) {
		size_t singles = count_singles(bpf, ranges, count, at);
		struct bpf_range joined = ranges[at];
		for (size_t i = 1; i < 2 * singles; i += 2)
			joined.to = bpf_jump(bpf, BPF_JEQ, ranges[at + i].first, ranges[at + i].to, joined.to);
		ranges[len++] = joined;
		at += 2 * singles + 1;
	}
	return len;
}

/* Neighbours become one, two by two, until one is left. */
bpf_label bpf_switch(struct bpf *bpf, struct bpf_range *ranges, size_t count)
{
	for (count = join_singles(bpf, ranges, count); count > 1; count = (count + 1) / 2)
		for (size_t i = 0; i < count; i += 2) {
			struct bpf_range low = ranges[i];
			if (i + 1 < count)
				low.to = bpf_jump(bpf, BPF_JGE, ranges[i + 1].first, ranges[i + 1].to, low.to);
			ranges[i / 2] = low;
		}
	return ranges[0].to;
}

size_t bpf_finish(struct bpf *bpf)
{
	if (bpf->full)
		return 0;
	for (uint32_t i = 0, j = bpf->len; i + 1 < j; i++) {
		struct sock_filter last = bpf->program[--j];
		bpf->program[j] = bpf->program[i];
		bpf->program[i] = last;
	}
	return bpf->len;
}
