#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/tls_hello.h"

/* A hello in the making: a message, then records of it. */
struct made {
	uint8_t bytes[TLS_HELLO_MAX + 4096];
	size_t len;
};

static struct made message, stream;
static struct tls_hello hello;

static void add(struct made *to, const void *bytes, size_t len)
{
	assert_true(to->len + len <= sizeof to->bytes);
	memcpy(to->bytes + to->len, bytes, len);
	to->len += len;
}

static void add_u8(struct made *to, size_t value)
{
	const uint8_t byte = (uint8_t)value;
	add(to, &byte, 1);
}

static void add_u16(struct made *to, size_t value)
{
	add_u8(to, value >> 8);
	add_u8(to, value);
}

static void put_u16(struct made *to, size_t at, size_t value)
{
	to->bytes[at] = (uint8_t)(value >> 8);
	to->bytes[at + 1] = (uint8_t)value;
}

/* Up to the extensions; returns where their length stands. */
static size_t begin(uint16_t version)
{
	static const uint8_t zeros[32] = {0};
	message.len = 0;
	add(&message, "\x01\0\0\0", 4);
	add_u16(&message, version);
	add(&message, zeros, 32);
	add_u8(&message, 32);
	add(&message, zeros, 32);
	add(&message, "\0\x04\x13\x01\x13\x02", 6);
	add(&message, "\x01\0", 2);
	add_u16(&message, 0);
	return message.len - 2;
}

static void extend(uint16_t type, const void *bytes, size_t len)
{
	add_u16(&message, type);
	add_u16(&message, len);
	add(&message, bytes, len);
}

static void extend_name(const char *name)
{
	size_t len = strlen(name);
	add_u16(&message, 0);
	add_u16(&message, len + 5);
	add_u16(&message, len + 3);
	add_u8(&message, 0);
	add_u16(&message, len);
	add(&message, name, len);
}

static void end(size_t extensions)
{
	put_u16(&message, extensions, message.len - extensions - 2);
	put_u16(&message, 2, message.len - 4);
}

/* The message in records of that size. */
static struct span in_records(size_t size)
{
	stream.len = 0;
	for (size_t at = 0; at < message.len;) {
		size_t len = message.len - at < size ? message.len - at : size;
		add(&stream, "\x16\x03\x01", 3);
		add_u16(&stream, len);
		add(&stream, message.bytes + at, len);
		at += len;
	}
	return (struct span){stream.bytes, stream.len};
}

static struct span in_one_record(void)
{
	return in_records(16384);
}

static enum tls_hello_status read_made(void)
{
	struct berm_err err = {.code = BERM_OK};
	enum tls_hello_status status = tls_hello_read(in_one_record(), &hello, &err);
	assert_int_equal(err.msg[0] != '\0', status == TLS_HELLO_BAD);
	return status;
}

/* With one extension. */
static enum tls_hello_status read_extension(uint16_t type, const void *bytes, size_t len)
{
	size_t extensions = begin(0x0303);
	extend(type, bytes, len);
	end(extensions);
	return read_made();
}

static void make_full(void)
{
	static const uint8_t share[1200] = {0};
	size_t extensions = begin(0x0303);
	extend(0x4a4a, "", 0);
	extend_name("WWW.Example.org");
	extend(16, "\0\x0c\x02h2\x08http/1.1", 14);
	extend(43, "\x06\x1a\x1a\x03\x04\x03\x03", 7);
	extend(51, share, sizeof share);
	extend(0xfe0d, "\0\0\1\0\1\7\0\0\0\1x", 11);
	extend(42, "", 0);
	end(extensions);
}

static void test_a_hello(void **state)
{
	(void)state;
	struct str protocol = {"", 0};
	size_t at = 0;
	make_full();
	assert_int_equal(read_made(), TLS_HELLO_OK);
	assert_string_equal(hello.name, "www.example.org");
	assert_int_equal(hello.size, stream.len);
	assert_int_equal(hello.ech, TLS_ECH_OUTER);
	assert_true(hello.early_data);
	assert_false(hello.esni);
	assert_int_equal(hello.min_version, 0x0303);
	assert_int_equal(hello.max_version, 0x0304);
	assert_true(tls_hello_alpn(&hello, &at, &protocol) && str_eq(protocol, STR("h2")));
	assert_true(tls_hello_alpn(&hello, &at, &protocol) && str_eq(protocol, STR("http/1.1")));
	assert_false(tls_hello_alpn(&hello, &at, &protocol));
	assert_true(tls_hello_offers(&hello, STR("http/1.1")));
	assert_false(tls_hello_offers(&hello, STR("http/1")));
}

static void test_a_hello_byte_by_byte(void **state)
{
	(void)state;
	static const size_t sizes[] = {16384, 1000, 100, 50};
	make_full();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct span bytes = in_records(sizes[i]);
		for (size_t len = 0; len < bytes.len; len++)
			assert_int_equal(tls_hello_read((struct span){bytes.ptr, len}, &hello, NULL),
					 TLS_HELLO_NEED_MORE);
		add(&stream, "more", 4);
		bytes.len += 4;
		assert_int_equal(tls_hello_read(bytes, &hello, NULL), TLS_HELLO_OK);
		assert_int_equal(hello.size, bytes.len - 4);
		assert_string_equal(hello.name, "www.example.org");
	}
	assert_int_equal(tls_hello_read(in_records(10), &hello, NULL), TLS_HELLO_BAD); /* too many records */
}

static void test_records_of_one_byte_at_first(void **state)
{
	(void)state;
	size_t extensions = begin(0x0303);
	extend_name("a.example");
	end(extensions);
	(void)in_records(1);
	stream.len = 5 * 6; /* of the header, five bytes in a record each */
	add(&stream, "\x16\x03\x03", 3);
	add_u16(&stream, message.len - 5);
	add(&stream, message.bytes + 5, message.len - 5);
	assert_int_equal(tls_hello_read((struct span){stream.bytes, stream.len}, &hello, NULL), TLS_HELLO_OK);
	assert_string_equal(hello.name, "a.example");
}

static void test_a_hello_without_anything(void **state)
{
	(void)state;
	size_t extensions = begin(0x0302);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_OK);
	assert_string_equal(hello.name, "");
	assert_int_equal(hello.ech, TLS_ECH_NONE);
	assert_int_equal(hello.min_version, 0x0301);
	assert_int_equal(hello.max_version, 0x0302);
	message.len = extensions; /* not even a list of extensions (RFC 5246 7.4.1.2) */
	put_u16(&message, 2, message.len - 4);
	assert_int_equal(read_made(), TLS_HELLO_OK);
}

static void starts_as(const char *bytes, size_t len, enum tls_hello_status expected)
{
	assert_int_equal(tls_hello_read((struct span){(const uint8_t *)bytes, len}, &hello, NULL), expected);
}

static void test_other_protocols(void **state)
{
	(void)state;
	starts_as("", 0, TLS_HELLO_NEED_MORE);
	starts_as("\x16", 1, TLS_HELLO_NEED_MORE);
	starts_as("\x16\x03", 2, TLS_HELLO_NEED_MORE);
	starts_as("G", 1, TLS_HELLO_NOT_TLS);
	starts_as("GET / HTTP/1.1\r\n", 16, TLS_HELLO_NOT_TLS);
	starts_as("SSH-2.0-x\r\n", 11, TLS_HELLO_NOT_TLS);
	starts_as("\x15\x03\x01\0\2\1\0", 7, TLS_HELLO_NOT_TLS);
	starts_as("\x80\x2e\x02\0\2", 5, TLS_HELLO_NOT_TLS);
	starts_as("\x80\x2e\x01\7\2", 5, TLS_HELLO_NOT_TLS);
	starts_as("\x80\x2e\x01\0", 4, TLS_HELLO_NEED_MORE);
	starts_as("\x80\x2e\x01\0\2", 5, TLS_HELLO_BAD);
	starts_as("\x80\x2e\x01\3\1", 5, TLS_HELLO_BAD);
}

static void test_bad_records(void **state)
{
	(void)state;
	starts_as("\x16\x02\x00", 3, TLS_HELLO_BAD);
	starts_as("\x16\x03\x01\0\0", 5, TLS_HELLO_BAD);	 /* empty */
	starts_as("\x16\x03\x01\x40\x01", 5, TLS_HELLO_BAD);	 /* 16385 bytes */
	starts_as("\x16\x03\x01\0\4\2", 6, TLS_HELLO_BAD);	 /* a server's hello */
	starts_as("\x16\x03\x01\0\4\1\1\0\0", 9, TLS_HELLO_BAD); /* 65536 bytes */
	starts_as("\x16\x03\x01\0\1\1\x17", 7, TLS_HELLO_BAD);	 /* another kind of record within */
	starts_as("\x16\x03\x01\0\1\1\x16\x02", 8, TLS_HELLO_BAD);
	starts_as("\x16\x03\x01\0\1\1\x16\x03\1\0\0", 11, TLS_HELLO_BAD);
	make_full();
	add_u8(&message, 0); /* behind the message, in its record */
	assert_int_equal(read_made(), TLS_HELLO_BAD);
}

static void test_a_hello_has_a_maximum(void **state)
{
	(void)state;
	static uint8_t padding[TLS_HELLO_MAX];
	size_t extensions = begin(0x0303);
	extend(21, padding, 16384 - 81 - 4);
	end(extensions);
	assert_int_equal(message.len, 16384);
	assert_int_equal(read_made(), TLS_HELLO_OK);
	extensions = begin(0x0303);
	extend(21, padding, sizeof padding - 100);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_OK);
	extensions = begin(0x0303);
	extend(21, padding, sizeof padding - 80);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"",	     "example.org.", "a..b", ".a",	   "-a.org", "a b.org", "a_\x01.org", "b\xc3\xbc.org",
		"127.0.0.1", "::1",	     "1",    "0x7f000001", "[::1]",  "*.a.org", "a/b",	      "a:443",
	};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		size_t extensions = begin(0x0303);
		extend_name(refused[i]);
		end(extensions);
		assert_int_equal(read_made(), TLS_HELLO_BAD);
	}
	assert_int_equal(read_extension(0, "\0\4\0\0\1a", 6), TLS_HELLO_OK);
	assert_int_equal(read_extension(0, "", 0), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0, "\0\0", 2), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0, "\0\4\1\0\1a", 6), TLS_HELLO_BAD);		/* another type */
	assert_int_equal(read_extension(0, "\0\x08\0\0\1a\0\0\1b", 10), TLS_HELLO_BAD); /* two names */
	assert_int_equal(read_extension(0, "\0\4\0\0\1a\0", 7), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0, "\0\4\0\0\2a", 6), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0, "\0\6\0\0\3a\0b", 8), TLS_HELLO_BAD);
}

static void test_long_names(void **state)
{
	(void)state;
	char name[300];
	for (size_t len = 253; len < sizeof name; len++) {
		memset(name, 'a', sizeof name);
		for (size_t i = 49; i < len - 1; i += 50)
			name[i] = '.';
		name[len] = '\0';
		size_t extensions = begin(0x0303);
		extend_name(name);
		end(extensions);
		assert_int_equal(read_made(), len == 253 ? TLS_HELLO_OK : TLS_HELLO_BAD);
		if (len == sizeof name - 1)
			break;
	}
}

static void test_protocols(void **state)
{
	(void)state;
	static uint8_t many[2 + TLS_ALPN_MAX + 2];
	assert_int_equal(read_extension(16, "\0\2\1a", 4), TLS_HELLO_OK);
	assert_int_equal(read_extension(16, "", 0), TLS_HELLO_BAD);
	assert_int_equal(read_extension(16, "\0\0", 2), TLS_HELLO_BAD);
	assert_int_equal(read_extension(16, "\0\1\0", 3), TLS_HELLO_BAD);
	assert_int_equal(read_extension(16, "\0\3\1a\0", 5), TLS_HELLO_BAD);
	assert_int_equal(read_extension(16, "\0\2\2a", 4), TLS_HELLO_BAD);
	assert_int_equal(read_extension(16, "\0\2\1ab", 5), TLS_HELLO_BAD);
	for (size_t i = 2; i < sizeof many; i += 2)
		many[i] = 1;
	many[0] = 1;
	many[1] = 0;
	assert_int_equal(read_extension(16, many, 2 + TLS_ALPN_MAX), TLS_HELLO_OK);
	many[1] = 2;
	assert_int_equal(read_extension(16, many, 2 + TLS_ALPN_MAX + 2), TLS_HELLO_BAD);
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(read_extension(43, "\2\3\4", 3), TLS_HELLO_OK);
	assert_int_equal(hello.min_version, 0x0304);
	assert_int_equal(read_extension(43, "\4\3\1\x7f\x1c", 5), TLS_HELLO_OK); /* a draft's */
	assert_int_equal(hello.max_version, 0x0301);
	assert_int_equal(read_extension(43, "\0", 1), TLS_HELLO_BAD);
	assert_int_equal(read_extension(43, "\1\3", 2), TLS_HELLO_BAD);
	assert_int_equal(read_extension(43, "\2\x1a\x1a", 3), TLS_HELLO_BAD);
	assert_int_equal(read_extension(43, "\2\3\4\0", 4), TLS_HELLO_BAD);
	size_t extensions = begin(0x0300);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
	extensions = begin(0x0404);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
}

static void test_what_hides_a_name(void **state)
{
	(void)state;
	assert_int_equal(read_extension(0xfe0d, "\1", 1), TLS_HELLO_OK);
	assert_int_equal(hello.ech, TLS_ECH_INNER);
	assert_int_equal(read_extension(0xfe0d, "", 0), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0xfe0d, "\2", 1), TLS_HELLO_BAD);
	assert_int_equal(read_extension(0xffce, "x", 1), TLS_HELLO_OK);
	assert_true(hello.esni);
	assert_int_equal(read_extension(42, "x", 1), TLS_HELLO_BAD);
}

static void test_lists_of_extensions(void **state)
{
	(void)state;
	size_t extensions = begin(0x0303);
	extend(5, "", 0);
	extend(5, "", 0);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
	extensions = begin(0x0303);
	for (uint16_t i = 0; i < 65; i++)
		extend((uint16_t)(1000 + i), "", 0);
	end(extensions);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
	extensions = begin(0x0303);
	extend(5, "", 0);
	end(extensions);
	put_u16(&message, extensions, 3);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
	put_u16(&message, extensions, 5);
	assert_int_equal(read_made(), TLS_HELLO_BAD);
	put_u16(&message, extensions, 4);
	put_u16(&message, extensions + 4, 1); /* longer than the list */
	assert_int_equal(read_made(), TLS_HELLO_BAD);
}

/* Each length of the fixed part is one too large, or what may not be. */
static void test_lengths_of_the_fixed_part(void **state)
{
	(void)state;
	enum { AT_SESSION = 38, AT_CIPHERS = 71, AT_METHODS = 77 };
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{AT_SESSION, 33},	 {AT_SESSION, 255}, {AT_CIPHERS, 255}, {AT_CIPHERS + 1, 0},
		    {AT_CIPHERS + 1, 3}, {AT_METHODS, 0},   {AT_METHODS, 255}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make_full();
		message.bytes[rows[i].at] = rows[i].value;
		assert_int_equal(read_made(), TLS_HELLO_BAD);
	}
	size_t extensions = begin(0x0303);
	for (size_t len = 4; len < extensions; len++) {
		message.len = len;
		put_u16(&message, 2, len - 4);
		assert_int_equal(read_made(), TLS_HELLO_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hello),
		cmocka_unit_test(test_a_hello_byte_by_byte),
		cmocka_unit_test(test_records_of_one_byte_at_first),
		cmocka_unit_test(test_a_hello_without_anything),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_a_hello_has_a_maximum),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_what_hides_a_name),
		cmocka_unit_test(test_lists_of_extensions),
		cmocka_unit_test(test_lengths_of_the_fixed_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
