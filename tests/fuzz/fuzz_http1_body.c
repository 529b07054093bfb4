/* Target: bodies of HTTP/1. The first byte chooses the framing and how large the pieces are. The same payload and the same
 * end come out however the bytes come in, and what is written anew in chunks has the same payload. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	enum berm_code code;
	bool done;
	size_t used;
	struct buf payload;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_all(const struct http1_framing *framing, struct span bytes, size_t step, struct result *ret)
{
	struct http1_body body;
	struct http1_piece piece = {.used = 0};
	http1_body_start(&body, framing);
	buf_clear(&ret->payload);
	ret->used = 0;
	for (size_t end = 0; ret->code == BERM_OK && !body.done && end < bytes.len;) {
		end = bytes.len - end > step ? end + step : bytes.len;
		do {
			const struct span there = {bytes.ptr + ret->used, end - ret->used};
			ret->code = http1_body_step(&body, there, &piece, NULL);
			if (ret->code != BERM_OK)
				break;
			must(piece.used <= there.len && piece.data.len <= piece.used && piece.done == body.done);
			buf_put(&ret->payload, piece.data.ptr, piece.data.len);
			ret->used += piece.used;
		} while (piece.used > 0 && !body.done);
		must(ret->code != BERM_OK || body.done || ret->used == end);
	}
	ret->done = body.done;
}

/* The payload as one chunk. */
static void write_anew(struct str payload, struct buf *out)
{
	char head[HTTP1_CHUNK_HEAD_MAX];
	if (payload.len > 0) {
		buf_put(out, head, http1_print_chunk_head(head, payload.len));
		buf_put_str(out, payload);
		buf_puts(out, "\r\n");
	}
	buf_puts(out, "0\r\n\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum http1_body_kind kinds[] = {HTTP1_BODY_CHUNKED, HTTP1_BODY_CHUNKED, HTTP1_BODY_LENGTH,
						     HTTP1_BODY_CLOSE};
	static const struct http1_framing chunked = {.kind = HTTP1_BODY_CHUNKED};
	if (size == 0 || size > 65536)
		return 0;
	const struct http1_framing framing = {.kind = kinds[data[0] & 3], .length = data[0] >> 2};
	const struct span bytes = {data + 1, size - 1};
	struct result whole = {.code = BERM_OK}, pieces = {.code = BERM_OK}, last = {.code = BERM_OK};
	auto_buf struct buf out = {0};
	buf_init(&out, 1 << 18);
	buf_init(&whole.payload, 1 << 17);
	buf_init(&pieces.payload, 1 << 17);
	buf_init(&last.payload, 1 << 17);
	read_all(&framing, bytes, bytes.len, &whole);
	read_all(&framing, bytes, 1 + (data[0] >> 5), &pieces);
	must(whole.code == pieces.code && whole.done == pieces.done);
	must(str_eq(buf_str(&whole.payload), buf_str(&pieces.payload)));
	must(whole.code != BERM_OK || whole.used == pieces.used);
	write_anew(buf_str(&whole.payload), &out);
	read_all(&chunked, (struct span){(const uint8_t *)out.data, out.len}, out.len, &last);
	must(last.code == BERM_OK && last.done && last.used == out.len);
	must(str_eq(buf_str(&whole.payload), buf_str(&last.payload)));
	buf_done(&whole.payload);
	buf_done(&pieces.payload);
	buf_done(&last.payload);
	return 0;
}
