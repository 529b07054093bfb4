/* Events of a run, as anybody may have written them; and files that lines are put into. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "policy/learn_events.h"
#include "policy/policy_insert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum learn_word look(void *context, enum policy_op op, const char *object, bool tree,
			    char ret_why[static LEARN_WHY_MAX])
{
	(void)context;
	(void)op;
	ret_why[0] = '\0';
	return strstr(object, "key") != NULL || (tree && strstr(object, "keys") != NULL) ? LEARN_FORBIDDEN : LEARN_OPEN;
}

static void learn_from(const struct learn_events *events)
{
	const struct learn_judge judge = {.home = "/home/u", .workspace = "/home/u/w", .look = look};
	struct policy_doc doc;
	struct berm_err err;
	auto_learn struct learn learn;
	auto_buf struct buf out;
	learn_init(&learn);
	buf_init(&out, 1024 * 1024);
	if (learn_make(events->items.items, events->items.len, &judge, &learn, &err) != BERM_OK ||
	    learn_document(&learn, &doc, &err) != BERM_OK)
		return;
	const struct learn_line *lines = learn.lines.items;
	for (size_t i = 0; i < learn.lines.len; i++)
		if (lines[i].key != KEY_NET_ALLOW && strstr(lines[i].text, "key") != NULL)
			abort();
	/* whatever was learned can be written into an empty file, or is refused */
	if (policy_insert(STR(""), &doc, &out, &err) == BERM_OK && out.len == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct policy_line line = {.key = KEY_READ, .text = "~/x"};
	static const struct policy_doc doc = {.lines = &line, .line_count = 1};
	struct str text = {(const char *)data, size};
	struct berm_err err;
	auto_learn_events struct learn_events events;
	auto_buf struct buf out;
	learn_events_init(&events);
	buf_init(&out, 8 * 1024 * 1024);
	(void)!learn_events_read(&events, text, "fuzz", NULL, &err);
	learn_from(&events);
	auto_free char *copy = str_dup(text);
	if (copy != NULL)
		(void)!policy_insert((struct str){copy, size}, &doc, &out, &err);
	return 0;
}
