/* Target: import_text, import_put. What is imported loads back; the first byte chooses the kind. */
#include <stdlib.h>

#include "policy/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena arena;
	auto_buf struct buf out;
	static struct problems problems;
	struct imported imported;
	problems.count = 0;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	buf_init(&out, IMPORT_MAX_MEMORY);
	if (size == 0)
		return 0;
	enum import_kind kind = (enum import_kind)(data[0] % IMPORT_KINDS);
	if (import_text(&arena, (struct import_from){kind, "f"}, (struct str){(const char *)data + 1, size - 1},
			&imported, &problems, NULL) != BERM_OK)
		return 0;
	enum berm_code code = import_put(&imported, &out, NULL);
	if (code != BERM_OK && code != BERM_ERR_LIMIT && code != BERM_ERR_NOMEM)
		abort();
	return 0;
}
