#include "sandbox/plan_sort.h"

#include "base/own.h"

struct range {
	size_t begin, end, depth; /* all paths of the range are equal up to depth */
	struct range *next;
};

static uint64_t lower(uint64_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* The eight bytes from depth on, the first one highest; zeros behind the end. */
static uint64_t key_at(const struct sort_item *item, size_t depth, bool fold)
{
	uint64_t key = 0;
	for (size_t i = depth; i < depth + 8; i++) {
		uint64_t byte = i < item->len ? (unsigned char)item->path[i] : 0;
		key = key << 8 | (fold ? lower(byte) : byte);
	}
	return key;
}

/* Shell's sort, with Ciura's gaps: no memory, no recursion, and no input that makes it slow. */
static void sort_keys(struct sort_item *items, size_t count)
{
	static const size_t gaps[] = {29921, 13102, 5827, 2590, 1151, 701, 301, 132, 57, 23, 10, 4, 1};
	for (size_t g = 0; g < ARRAY_LEN(gaps); g++) {
		size_t gap = gaps[g];
		for (size_t i = gap; i < count; i++) {
			struct sort_item item = items[i];
			size_t at = i;
			for (; at >= gap && items[at - gap].key > item.key; at -= gap)
				items[at] = items[at - gap];
			items[at] = item;
		}
	}
}

/* True if the keys were in order before. */
static bool load_keys(struct sort_item *items, const struct range *range, bool fold)
{
	bool sorted = true;
	for (size_t i = range->begin; i < range->end; i++) {
		items[i].key = key_at(&items[i], range->depth, fold);
		sorted = sorted && (i == range->begin || items[i - 1].key <= items[i].key);
	}
	return sorted;
}

static struct range *push(struct arena *temp, struct range *todo, struct range range)
{
	struct range *pushed = arena_alloc(temp, sizeof *pushed);
	if (pushed == NULL)
		return NULL;
	*pushed = range;
	pushed->next = todo;
	return pushed;
}

bool plan_sort(struct sort_item *items, size_t count, bool fold, struct arena *temp)
{
	struct range whole = {.end = count}, *todo = &whole;
	while (todo != NULL) {
		struct range range = *todo;
		todo = range.next;
		if (!load_keys(items, &range, fold))
			sort_keys(items + range.begin, range.end - range.begin);
		for (size_t i = range.begin, end; i < range.end; i = end) {
			for (end = i + 1; end < range.end && items[end].key == items[i].key;)
				end++;
			/* A zero in the lowest byte: they end here, and are equal. */
			if (end - i < 2 || (items[i].key & 0xff) == 0)
				continue;
			todo = push(temp, todo, (struct range){.begin = i, .end = end, .depth = range.depth + 8});
			if (todo == NULL)
				return false;
		}
	}
	return true;
}
