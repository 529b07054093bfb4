/*
 * Reads streams (a length of four bytes, most significant first, and the bytes) and prints for each one line of JSON: the requests
 * that berm's parser sees until it refuses or the stream ends, and the stream that it would send on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"
#include "format/json_out.h"

enum { STREAM_MAX = 1 << 20, OUTPUT_MAX = 1 << 24 };

struct stream {
	struct str rest;
	struct buf forwarded;
	struct json_out *json;
	bool last; /* no request follows */
};

static struct http1_request request;

static void put_chunk(struct buf *out, struct span data)
{
	char head[HTTP1_CHUNK_HEAD_MAX];
	buf_put(out, head, http1_print_chunk_head(head, data.len));
	buf_put(out, data.ptr, data.len);
	buf_puts(out, "\r\n");
}

/* The body of the request, written anew behind its head. */
static enum berm_code forward_body(struct stream *s, uint64_t *ret_len, struct berm_err *err)
{
	struct http1_body body;
	struct http1_piece piece = {.used = 1};
	http1_body_start(&body, &request.head.framing);
	for (*ret_len = 0; !body.done && piece.used > 0;) {
		TRY(http1_body_step(&body, (struct span){(const uint8_t *)s->rest.ptr, s->rest.len}, &piece, err));
		if (piece.data.len > 0 && body.kind == HTTP1_BODY_CHUNKED)
			put_chunk(&s->forwarded, piece.data);
		else
			buf_put(&s->forwarded, piece.data.ptr, piece.data.len);
		*ret_len += piece.data.len;
		s->rest = (struct str){s->rest.ptr + piece.used, s->rest.len - piece.used};
	}
	if (body.kind == HTTP1_BODY_CHUNKED && body.done)
		buf_puts(&s->forwarded, "0\r\n\r\n");
	return http1_body_end(&body, err);
}

static void tell(struct stream *s, uint64_t body)
{
	json_object(s->json, NULL);
	json_text(s->json, "method", request.method);
	json_text(s->json, "target", request.raw_target);
	json_text(s->json, "sent", (struct str){request.url.target.text, request.url.target.len});
	json_u64(s->json, "body", body);
	json_object_end(s->json);
}

static enum berm_code take_request(struct stream *s, struct berm_err *err)
{
	static const struct http1_print how = {.close = false};
	struct http1_find find = {.seen = 0};
	size_t len = 0, before = s->forwarded.len;
	uint64_t body = 0;
	TRY(http1_find_head(&find, s->rest, &len, err));
	if (len == 0)
		return err_set(err, BERM_ERR_PARSE, "a head was cut off");
	TRY(http1_read_request((struct str){s->rest.ptr, len}, &request, err));
	s->rest = (struct str){s->rest.ptr + len, s->rest.len - len};
	s->last = request.head.close || request.form == HTTP1_AUTHORITY || request.head.upgrade != HTTP1_UPGRADE_NONE;
	if (!request.has_host)
		TRY(url_authority_parse(STR("nameless.example"), &request.url.authority, err));
	if (request.form != HTTP1_AUTHORITY)
		TRY(http1_print_request(&request, &how, &s->forwarded, err));
	enum berm_code code = forward_body(s, &body, err);
	if (code == BERM_OK)
		tell(s, body);
	else /* what was not whole is not sent */
		s->forwarded.len = before;
	return code;
}

static void put_hex(struct json_out *json, struct str bytes)
{
	auto_buf struct buf hex = {0};
	buf_init(&hex, OUTPUT_MAX);
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(&hex, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
	json_text(json, "forwarded", buf_str(&hex));
}

static void do_stream(struct str bytes)
{
	auto_buf struct buf out = {0};
	struct json_out json;
	struct stream stream = {.rest = bytes, .json = &json};
	struct berm_err err = {.code = BERM_OK};
	buf_init(&out, OUTPUT_MAX);
	buf_init(&stream.forwarded, OUTPUT_MAX);
	json_init(&json, &out);
	json_object(&json, NULL);
	json_array(&json, "requests");
	while (stream.rest.len > 0 && !stream.last && take_request(&stream, &err) == BERM_OK)
		;
	json_array_end(&json);
	json_text(&json, "refused", str_from(err.code == BERM_OK ? "" : err.msg));
	put_hex(&json, buf_str(&stream.forwarded));
	json_object_end(&json);
	if (buf_check(&out, NULL) != BERM_OK)
		abort();
	(void)puts(out.data);
	buf_done(&stream.forwarded);
}

int main(void)
{
	uint8_t head[4];
	auto_free char *bytes = malloc(STREAM_MAX);
	while (bytes != NULL && fread(head, 1, sizeof head, stdin) == sizeof head) {
		size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
		if (len > STREAM_MAX || fread(bytes, 1, len, stdin) != len)
			return 1;
		do_stream((struct str){bytes, len});
	}
	return bytes == NULL;
}
