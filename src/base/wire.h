/*
 * Cursors over the bytes of a message between processes, little endian, no heap. A read past the end or a write past
 * the capacity leaves a mark, and everything after it reads as 0 or writes nothing; so code follows the format line by
 * line and asks once, with rd_end or wr_end, whether it held.
 */
#ifndef BERM_BASE_WIRE_H
#define BERM_BASE_WIRE_H

#include "base/str.h"

struct rd {
	const uint8_t *at;
	size_t left;
	bool failed;
};

struct rd rd_from(struct span bytes);
uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16(struct rd *rd);
uint32_t rd_u32(struct rd *rd);
uint64_t rd_u64(struct rd *rd);
/* len bytes, borrowed from what is read; empty if they are not there. */
struct span rd_span(struct rd *rd, size_t len);
/* The same with a u32 length of at most max in front. */
struct span rd_block(struct rd *rd, uint32_t max);
/* PARSE if anything was missing, too long, or is left over. */
MUST_USE enum berm_code rd_end(const struct rd *rd, struct berm_err *err);

struct wr {
	uint8_t *bytes; /* the caller's */
	size_t len, cap;
	bool failed;
};

struct wr wr_into(void *bytes, size_t cap);
void wr_u8(struct wr *wr, uint8_t value);
void wr_u16(struct wr *wr, uint16_t value);
void wr_u32(struct wr *wr, uint32_t value);
void wr_u64(struct wr *wr, uint64_t value);
void wr_span(struct wr *wr, struct span bytes);
/* A u32 length and the bytes. */
void wr_block(struct wr *wr, struct span bytes);
/* LIMIT if not everything fitted. */
MUST_USE enum berm_code wr_end(const struct wr *wr, size_t *ret_len, struct berm_err *err);

#endif
