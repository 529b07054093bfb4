/* Target: rd_*, wr_*. Input: what to read, a byte each, up to a byte of 0xff; then the message. */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Reads one field and writes it again. */
static void copy_field(struct rd *rd, struct wr *wr, uint8_t what)
{
	size_t left = rd->left;
	bool failed = rd->failed;
	switch (what % 6) {
	case 0:
		wr_u8(wr, rd_u8(rd));
		break;
	case 1:
		wr_u16(wr, rd_u16(rd));
		break;
	case 2:
		wr_u32(wr, rd_u32(rd));
		break;
	case 3:
		wr_u64(wr, rd_u64(rd));
		break;
	case 4:
		wr_span(wr, rd_span(rd, what));
		break;
	default:
		wr_block(wr, rd_block(rd, what));
		break;
	}
	require(rd->left <= left && (!failed || (rd->failed && rd->left == left)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
	if (end == NULL)
		return 0;
	size_t fields = (size_t)(end - data);
	struct span message = {end + 1, size - fields - 1};
	uint8_t *copy = malloc(message.len + 1);
	if (copy == NULL)
		return 0;
	struct rd rd = rd_from(message);
	struct wr wr = wr_into(copy, message.len);
	for (size_t i = 0; i < fields; i++)
		copy_field(&rd, &wr, data[i]);
	size_t len = 0;
	if (rd_end(&rd, NULL) == BERM_OK) {
		require(wr_end(&wr, &len, NULL) == BERM_OK && len == message.len);
		require(len == 0 || memcmp(copy, message.ptr, len) == 0);
	}
	free(copy);
	return 0;
}
