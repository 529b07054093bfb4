/* Target: policy_load, policy_text_put. What is loaded is written and loads again as the same; what is not has told why. */
#include <stdlib.h>
#include <string.h>

#include "policy/load.h"
#include "policy/policy_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy_doc *load(struct arena *arena, struct str text)
{
	const struct policy_from from = {POLICY_DOC_FILE, "f"};
	struct problems problems = {0};
	const struct policy_doc *doc = NULL;
	enum berm_code code = policy_load(arena, from, text, &doc, &problems, NULL);
	if ((code == BERM_OK) != (doc != NULL) || (code == BERM_OK) != (problems.count == 0))
		abort();
	return doc;
}

static void check_lines(const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const struct policy_line *line = &doc->lines[i];
		if (line->line == 0 || line->column == 0 || line->text == NULL || line->key >= POLICY_KEYS)
			abort();
		for (uint32_t j = 0; j < line->attr_count; j++)
			if ((policy_keys[line->key].attrs >> line->attrs[j].key & 1) == 0)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { WRITTEN_MAX = 1 << 24 };
	auto_arena struct arena arena;
	auto_buf struct buf first, second;
	arena_init(&arena, NODE_MAX_MEMORY);
	buf_init(&first, WRITTEN_MAX);
	buf_init(&second, WRITTEN_MAX);
	const struct policy_doc *doc = load(&arena, (struct str){(const char *)data, size});
	if (doc == NULL)
		return 0;
	check_lines(doc);
	policy_text_put(doc, false, &first);
	if (first.failed)
		abort();
	const struct policy_doc *again = load(&arena, buf_str(&first));
	if (again == NULL)
		abort();
	policy_text_put(again, false, &second);
	if (second.failed || !str_eq(buf_str(&first), buf_str(&second)))
		abort();
	return 0;
}
