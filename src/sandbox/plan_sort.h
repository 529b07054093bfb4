/* Sorting of paths, which share long beginnings: eight bytes at a time, and no byte is looked at twice. */
#ifndef BERM_SANDBOX_PLAN_SORT_H
#define BERM_SANDBOX_PLAN_SORT_H

#include "base/arena.h"

struct sort_item {
	uint64_t key; /* the sort's own */
	const char *path;
	uint32_t len;
	uint32_t index; /* the caller's */
};

/* By bytes (as strcmp), or without regard to ASCII case. false: memory is out. */
bool plan_sort(struct sort_item *items, size_t count, bool fold, struct arena *temp);

#endif
