/* Target: frame_parse. What it takes it prints again to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	uint8_t again[FRAME_MAX];
	if (!frame_parse(data, size, &frame))
		return 0;
	struct frame second;
	size_t len = frame_print(&frame, again);
	if (len == 0 || !frame_parse(again, len, &second))
		abort();
	return 0;
}
