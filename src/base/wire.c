#include "base/wire.h"

#include <string.h>

struct rd rd_from(struct span bytes)
{
	return (struct rd){bytes.ptr, bytes.len, false};
}

struct span rd_span(struct rd *rd, size_t len)
{
	if (rd->failed || len > rd->left) {
		rd->failed = true;
		return (struct span){NULL, 0};
	}
	struct span bytes = {rd->at, len};
	if (len > 0)
		rd->at += len;
	rd->left -= len;
	return bytes;
}

static uint64_t rd_bytes(struct rd *rd, size_t width)
{
	struct span bytes = rd_span(rd, width);
	uint64_t value = 0;
	for (size_t i = bytes.len; i > 0; i--)
		value = value << 8 | bytes.ptr[i - 1];
	return value;
}

uint8_t rd_u8(struct rd *rd)
{
	return (uint8_t)rd_bytes(rd, 1);
}

uint16_t rd_u16(struct rd *rd)
{
	return (uint16_t)rd_bytes(rd, 2);
}

uint32_t rd_u32(struct rd *rd)
{
	return (uint32_t)rd_bytes(rd, 4);
}

uint64_t rd_u64(struct rd *rd)
{
	return rd_bytes(rd, 8);
}

struct span rd_block(struct rd *rd, uint32_t max)
{
	uint32_t len = rd_u32(rd);
	if (len > max)
		rd->failed = true;
	return rd_span(rd, len);
}

enum berm_code rd_end(const struct rd *rd, struct berm_err *err)
{
	if (rd->failed)
		return err_set(err, BERM_ERR_PARSE, "message is cut short or a field is too long");
	if (rd->left > 0)
		return err_set(err, BERM_ERR_PARSE, "%zu bytes behind the end of the message", rd->left);
	return BERM_OK;
}

struct wr wr_into(void *bytes, size_t cap)
{
	return (struct wr){bytes, 0, cap, false};
}

void wr_span(struct wr *wr, struct span bytes)
{
	if (wr->failed || bytes.len > wr->cap - wr->len) {
		wr->failed = true;
		return;
	}
	if (bytes.len > 0)
		memcpy(wr->bytes + wr->len, bytes.ptr, bytes.len);
	wr->len += bytes.len;
}

static void wr_bytes(struct wr *wr, uint64_t value, size_t width)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	wr_span(wr, (struct span){bytes, width});
}

void wr_u8(struct wr *wr, uint8_t value)
{
	wr_bytes(wr, value, 1);
}

void wr_u16(struct wr *wr, uint16_t value)
{
	wr_bytes(wr, value, 2);
}

void wr_u32(struct wr *wr, uint32_t value)
{
	wr_bytes(wr, value, 4);
}

void wr_u64(struct wr *wr, uint64_t value)
{
	wr_bytes(wr, value, 8);
}

void wr_block(struct wr *wr, struct span bytes)
{
	if (bytes.len > UINT32_MAX)
		wr->failed = true;
	wr_u32(wr, (uint32_t)bytes.len);
	wr_span(wr, bytes);
}

enum berm_code wr_end(const struct wr *wr, size_t *ret_len, struct berm_err *err)
{
	if (wr->failed)
		return err_set(err, BERM_ERR_LIMIT, "message is longer than %zu bytes", wr->cap);
	*ret_len = wr->len;
	return BERM_OK;
}
