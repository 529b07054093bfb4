/* Lines of events, as whoever names a file in BERM_DENIALS may have written them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/event_parse.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_list list = {0};
	auto_arena struct arena arena;
	arena_init(&arena, 16 * 1024 * 1024);
	if (event_parse_all(&arena, (struct str){(const char *)data, size}, 200, &list, NULL) != BERM_OK)
		return 0;
	for (size_t i = 0; i < list.count; i++) {
		struct event again;
		auto_buf struct buf line, sentence;
		buf_init(&line, 1024 * 1024);
		buf_init(&sentence, 1024 * 1024);
		event_sentence(&list.items[i], &sentence);
		event_print(&list.items[i], &line);
		/* what was read is written so that it is read again, if it is not too long then */
		if (!line.failed && line.len <= EVENT_LINE_MAX &&
		    event_parse(&arena, buf_str(&line), &again, NULL) != BERM_OK && arena.total < arena.max / 2)
			abort();
	}
	return 0;
}
