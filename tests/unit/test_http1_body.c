#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"

static const struct http1_framing chunked = {.kind = HTTP1_BODY_CHUNKED};

/* Reads in pieces of step bytes. Payload comes to ret (256 bytes); *ret_used: bytes that belong to the body. */
static enum berm_code read_body(const struct http1_framing *framing, struct str text, size_t step, char *ret,
				size_t *ret_used)
{
	struct http1_body body;
	struct http1_piece piece = {.used = 0};
	size_t at = 0, end = 0, len = 0;
	http1_body_start(&body, framing);
	do {
		end = end + step < text.len ? end + step : text.len;
		do {
			TRY(http1_body_step(&body, (struct span){(const uint8_t *)text.ptr + at, end - at}, &piece,
					    NULL));
			assert_true(piece.used <= end - at && piece.data.len <= piece.used &&
				    len + piece.data.len < 256);
			if (piece.data.len > 0)
				memcpy(ret + len, piece.data.ptr, piece.data.len);
			len += piece.data.len;
			at += piece.used;
		} while (piece.used > 0 && !piece.done);
	} while (end < text.len && !piece.done);
	ret[len] = '\0';
	*ret_used = at;
	return http1_body_end(&body, NULL);
}

static void has_body(const char *text, const char *expected, size_t rest)
{
	size_t len = strlen(text);
	for (size_t step = 1; step <= len; step++) {
		char got[256];
		size_t used = 0;
		assert_int_equal(read_body(&chunked, str_from(text), step, got, &used), BERM_OK);
		assert_string_equal(got, expected);
		assert_int_equal(used, len - rest);
	}
}

static void test_chunks(void **state)
{
	(void)state;
	has_body("0\r\n\r\n", "", 0);
	has_body("3\r\nabc\r\n0\r\n\r\n", "abc", 0);
	has_body("3\r\nabc\r\n00A\r\n0123456789\r\n0000\r\n\r\nGET /", "abc0123456789", 5);
	has_body("1;a\r\nx\r\n1;b=c;d=\"e;\\\" f\";g\r\ny\r\n0;z=\"\"\r\n\r\n", "xy", 0);
	has_body("1\r\nx\r\n0\r\nA: b\r\nC-d:\r\nE:  f \t\r\n\r\nnext", "x", 4);
	has_body("0\r\nHos: a\r\nHosts: b\r\nContent-Lengt: c\r\nContent-Lengths: d\r\nxHost: e\r\n\r\n", "", 0);
	has_body("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0);
}

static void test_bad_chunks(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"3;\r\n",
		"3;;a\r\n",
		"3;a=\r\n",
		"3;a=;b\r\n",
		"3;a =b\r\n",
		"3; a\r\n",
		"3;a b\r\n",
		"3;a=b=c\r\n",
		"3;a=b\"c\"\r\n",
		"3;a=\"b\r\n",
		"3;a=\"b\"c\r\n",
		"3;a=\"\\\r\n",
		"3;\"a\"\r\n",
		"3;a=\"\x7f\"\r\n",
		"0\r\nContent-Length: 5\r\n\r\n",
		"0\r\nA: b\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
		"0\r\nhost: a\r\n\r\n",
		"\r\n",
		"g\r\n",
		"0x3\r\nabc",
		"-1\r\n",
		"+1\r\na\r\n",
		" 3\r\nabc\r\n",
		"3 \r\nabc\r\n",
		"3\nabc\r\n",
		"3\r\nabc\n",
		"3\r\nabcd\r\n",
		"3\r\nab\r\n0",
		"3\rabc",
		"3;a\nabc",
		"3;\x01\r\nabc",
		"3;a\rb\r\nabc",
		"3 ;a\r\nabc\r\n",
		"3,a\r\n",
		";a\r\n",
		"0\r\n\n",
		"0\r\n\rx",
		"0\r\nA b: c\r\n",
		"0\r\n: b\r\n",
		"0\r\nA : b\r\n",
		"0\r\n A: b\r\n",
		"0\r\nA: b\n\r\n",
		"0\r\nA: b\r\n c\r\n",
		"0\r\nA: \x02\r\n",
		"0\r\nA\r\n\r\n",
		"3\r\nabc\r\n\r\n",
		"0\n\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char got[256];
		size_t used = 0;
		assert_int_equal(read_body(&chunked, str_from(texts[i]), 64, got, &used), BERM_ERR_PARSE);
		assert_int_equal(read_body(&chunked, str_from(texts[i]), 1, got, &used), BERM_ERR_PARSE);
	}
}

static enum berm_code first_step(const char *text, struct http1_body *body)
{
	struct http1_piece piece;
	http1_body_start(body, &chunked);
	return http1_body_step(body, (struct span){(const uint8_t *)text, strlen(text)}, &piece, NULL);
}

static void test_sizes_of_chunks(void **state)
{
	(void)state;
	struct http1_body body;
	assert_int_equal(first_step("7fffffffffffffff\r\nabc", &body), BERM_OK);
	assert_true(body.left == (uint64_t)INT64_MAX - 3);
	assert_int_equal(first_step("8000000000000000\r\n", &body), BERM_ERR_LIMIT);
	assert_int_equal(first_step("fffffffffffffffff\r\n", &body), BERM_ERR_LIMIT);
	assert_int_equal(first_step("0000000000000003\r\n", &body), BERM_OK);
	assert_int_equal(first_step("00000000000000003\r\n", &body), BERM_ERR_LIMIT);
}

/* Feeds one byte over and over behind the start, until it is refused. */
static size_t count_until_limit(struct http1_body *body, const char *start, char byte)
{
	const uint8_t one = (uint8_t)byte;
	struct http1_piece piece;
	enum berm_code code = first_step(start, body);
	size_t count = 0;
	for (; code == BERM_OK && count < 100000; count++)
		code = http1_body_step(body, (struct span){&one, 1}, &piece, NULL);
	assert_int_equal(code, BERM_ERR_LIMIT);
	return count - 1;
}

static void test_extensions_and_trailers_have_a_maximum(void **state)
{
	(void)state;
	struct http1_body body;
	assert_int_equal(count_until_limit(&body, "1;", 'a'), HTTP1_CHUNK_LINE_MAX);
	assert_int_equal(count_until_limit(&body, "0\r\nA:", 'a'), HTTP1_TRAILERS_MAX - 2);
	struct http1_piece piece;
	static const char chunk[] = "1;0123456789\r\nx\r\n";
	enum berm_code code = BERM_OK;
	size_t chunks = 0;
	http1_body_start(&body, &chunked);
	for (; code == BERM_OK && chunks < 10000; chunks++)
		for (size_t at = 0; code == BERM_OK && at < sizeof chunk - 1; at += piece.used)
			code = http1_body_step(&body, (struct span){(const uint8_t *)chunk + at, sizeof chunk - 1 - at},
					       &piece, NULL);
	assert_int_equal(code, BERM_ERR_LIMIT);
	assert_int_equal(chunks - 1, HTTP1_EXTENSIONS_MAX / 11);
}

static void test_lengths(void **state)
{
	(void)state;
	char got[256];
	size_t used = 0;
	const struct http1_framing three = {.kind = HTTP1_BODY_LENGTH, .length = 3};
	const struct http1_framing none = {.kind = HTTP1_BODY_LENGTH, .length = 0};
	for (size_t step = 1; step < 6; step++) {
		assert_int_equal(read_body(&three, STR("abcGET"), step, got, &used), BERM_OK);
		assert_string_equal(got, "abc");
		assert_int_equal(used, 3);
	}
	assert_int_equal(read_body(&three, STR("ab"), 1, got, &used), BERM_ERR_PARSE);
	assert_int_equal(read_body(&none, STR("GET"), 3, got, &used), BERM_OK);
	assert_int_equal(used, 0);
}

static void test_other_kinds(void **state)
{
	(void)state;
	static const enum http1_body_kind empty[] = {HTTP1_BODY_NONE, HTTP1_BODY_TUNNEL};
	char got[256];
	size_t used = 0;
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		const struct http1_framing framing = {.kind = empty[i], .length = 3};
		assert_int_equal(read_body(&framing, STR("abc"), 3, got, &used), BERM_OK);
		assert_int_equal(used, 0);
	}
	const struct http1_framing open = {.kind = HTTP1_BODY_CLOSE};
	assert_int_equal(read_body(&open, STR("abc"), 2, got, &used), BERM_OK);
	assert_string_equal(got, "abc");
}

static void test_bodies_that_are_cut_off(void **state)
{
	(void)state;
	static const char text[] = "3\r\nabc\r\n0\r\nA: b\r\n\r\n";
	for (size_t len = 0; len < sizeof text - 1; len++) {
		char got[256];
		size_t used = 0;
		assert_int_equal(read_body(&chunked, (struct str){text, len}, 64, got, &used), BERM_ERR_PARSE);
	}
}

static void test_chunk_heads(void **state)
{
	(void)state;
	char head[HTTP1_CHUNK_HEAD_MAX];
	assert_int_equal(http1_print_chunk_head(head, 31), 4);
	assert_memory_equal(head, "1f\r\n", 4);
	assert_int_equal(http1_print_chunk_head(head, SIZE_MAX), 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_bad_chunks),
		cmocka_unit_test(test_sizes_of_chunks),
		cmocka_unit_test(test_extensions_and_trailers_have_a_maximum),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_bodies_that_are_cut_off),
		cmocka_unit_test(test_chunk_heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
