#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/socks.h"

#define RAW(literal)                                                                                                   \
	{                                                                                                              \
		(const uint8_t *)(literal), sizeof(literal) - 1                                                        \
	} /* for tables */
#define BYTES(literal) ((struct span)RAW(literal))
#define REQUEST_NAME                                                                                                   \
	"\5\1\0\3\x0b"                                                                                                 \
	"Example.org\x01\xbb"

static void assert_reply(const struct socks *socks, struct span wanted)
{
	struct span reply = socks_reply_bytes(socks);
	assert_int_equal(reply.len, wanted.len);
	assert_memory_equal(reply.ptr, wanted.ptr, wanted.len);
}

/* Feeds all of it at once; nothing may be left. */
static enum socks_step feed(struct socks *socks, struct span bytes)
{
	enum socks_step step = socks_feed(socks, &bytes);
	assert_int_equal(bytes.len, 0);
	return step;
}

static struct socks started(bool ask_login)
{
	struct socks socks;
	socks_init(&socks, ask_login);
	assert_int_equal(feed(&socks, BYTES("\5\2\0\2")), SOCKS_REPLY);
	assert_reply(&socks, ask_login ? BYTES("\5\2") : BYTES("\5\0"));
	return socks;
}

static void test_connect_by_name(void **state)
{
	(void)state;
	struct socks socks = started(false);
	assert_int_equal(feed(&socks, BYTES(REQUEST_NAME)), SOCKS_CONNECT);
	assert_int_equal(socks.host.kind, HOST_NAME);
	assert_string_equal(socks.host.name, "example.org");
	assert_int_equal(socks.port, 443);
	assert_int_equal(socks_answer(&socks, SOCKS_OK, NULL, 0), SOCKS_REPLY);
	assert_reply(&socks, BYTES("\5\0\0\1\0\0\0\0\0\0"));
}

static const struct {
	struct span request;
	const char *name;
	enum host_kind kind;
	uint16_t port;
} address_cases[] = {
	{RAW("\5\1\0\1\xc0\0\2\1\0\x16"), "192.0.2.1", HOST_ADDRESS, 22},
	{RAW("\5\1\0\4\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff"), "2001:db8::1", HOST_ADDRESS, 65535},
	{RAW("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\1"), "127.0.0.1", HOST_ADDRESS, 1},
	{RAW("\5\1\0\3\x09"
	     "192.0.2.1\0\x50"),
	 "192.0.2.1", HOST_ADDRESS, 80},
	{RAW("\5\1\0\3\x03"
	     "::1\0\x50"),
	 "::1", HOST_ADDRESS, 80},
	{RAW("\5\1\0\3\1a\0\x50"), "a", HOST_NAME, 80},
};

static void test_connect_by_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(address_cases); i++) {
		struct socks socks = started(false);
		assert_int_equal(feed(&socks, address_cases[i].request), SOCKS_CONNECT);
		assert_string_equal(socks.host.name, address_cases[i].name);
		assert_int_equal(socks.host.kind, address_cases[i].kind);
		assert_int_equal(socks.port, address_cases[i].port);
	}
}

static const struct {
	struct span request;
	uint8_t code;
	const char *why;
} request_faults[] = {
	{RAW("\5\2\0\1"), SOCKS_BAD_COMMAND, "only CONNECT is served"},
	{RAW("\5\3\0\3"), SOCKS_BAD_COMMAND, "only CONNECT is served"},
	{RAW("\5\0\0\1"), SOCKS_BAD_COMMAND, "only CONNECT is served"},
	{RAW("\4\1\0\1"), SOCKS_FAILURE, "not a request of RFC 1928"},
	{RAW("\5\1\1\1"), SOCKS_FAILURE, "not a request of RFC 1928"},
	{RAW("\5\1\0\2"), SOCKS_BAD_ADDRESS, "neither a name nor an address"},
	{RAW("\5\1\0\0"), SOCKS_BAD_ADDRESS, "neither a name nor an address"},
	{RAW("\5\1\0\xff"), SOCKS_BAD_ADDRESS, "neither a name nor an address"},
	{RAW("\5\1\0\1\xc0\0\2\1\0\0"), SOCKS_FAILURE, "port 0"},
	{RAW("\5\1\0\3\0\0\x50"), SOCKS_BAD_ADDRESS, "is empty"},
	{RAW("\5\1\0\3\x0d"
	     "evil\0.ok.test\0\x50"),
	 SOCKS_BAD_ADDRESS, "has a byte that no host name has"},
	{RAW("\5\1\0\3\005127.1\0\x50"), SOCKS_BAD_ADDRESS, "looks like an address, but is not one"},
	{RAW("\5\1\0\3\6"
	     "0x7f.1\0\x50"),
	 SOCKS_BAD_ADDRESS, "looks like an address, but is not one"},
	{RAW("\5\1\0\3\5[::1]\0\x50"), SOCKS_BAD_ADDRESS, "is not an IPv6 address"},
	{RAW("\5\1\0\3\4a:80\0\x50"), SOCKS_BAD_ADDRESS, "is not an IPv6 address"},
};

static void test_request_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(request_faults); i++) {
		struct socks socks = started(false);
		uint8_t reply[] = {5, request_faults[i].code, 0, 1, 0, 0, 0, 0, 0, 0};
		assert_int_equal(feed(&socks, request_faults[i].request), SOCKS_REFUSED);
		assert_string_equal(socks.why, request_faults[i].why);
		assert_reply(&socks, (struct span){reply, sizeof(reply)});
		struct span more = BYTES(REQUEST_NAME);
		assert_int_equal(socks_feed(&socks, &more), SOCKS_REFUSED);
		assert_int_equal(socks_reply_bytes(&socks).len, 0);
	}
}

static const struct {
	struct span hello, reply;
	bool ask_login;
	const char *why;
} start_faults[] = {
	{RAW("\4"), RAW("\0\x5b\0\0\0\0\0\0"), false, "SOCKS 4 is not spoken here"},
	{RAW("G"), RAW(""), false, "not a SOCKS client"},
	{RAW("\x16"), RAW(""), false, "not a SOCKS client"},
	{RAW("\0"), RAW(""), false, "not a SOCKS client"},
	{RAW("\5\0"), RAW("\5\xff"), false, "the client wants to log in"},
	{RAW("\5\1\2"), RAW("\5\xff"), false, "the client wants to log in"},
	{RAW("\5\1\0"), RAW("\5\xff"), true, "the client does not log in"},
	{RAW("\5\2\0\1"), RAW("\5\xff"), true, "the client does not log in"},
	{RAW("\5\1\xff"), RAW("\5\xff"), false, "the client wants to log in"},
};

static void test_start_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(start_faults); i++) {
		struct socks socks;
		socks_init(&socks, start_faults[i].ask_login);
		assert_int_equal(feed(&socks, start_faults[i].hello), SOCKS_REFUSED);
		assert_string_equal(socks.why, start_faults[i].why);
		assert_reply(&socks, start_faults[i].reply);
	}
}

static void test_login(void **state)
{
	(void)state;
	struct socks socks = started(true);
	assert_int_equal(feed(&socks, BYTES("\1\4user\6secret")), SOCKS_LOGIN);
	assert_int_equal(socks.user.len, 4);
	assert_memory_equal(socks.user.ptr, "user", 4);
	assert_int_equal(socks.password.len, 6);
	assert_memory_equal(socks.password.ptr, "secret", 6);
	struct span early = BYTES(REQUEST_NAME);
	assert_int_equal(socks_feed(&socks, &early), SOCKS_MORE);
	assert_int_equal(early.len, sizeof(REQUEST_NAME) - 1);
	assert_int_equal(socks_login(&socks, true), SOCKS_REPLY);
	assert_reply(&socks, BYTES("\1\0"));
	assert_null(memmem(&socks, sizeof(socks), "secret", 6));
	assert_int_equal(feed(&socks, BYTES(REQUEST_NAME)), SOCKS_CONNECT);
}

static void test_wrong_login(void **state)
{
	(void)state;
	struct socks socks = started(true);
	assert_int_equal(feed(&socks, BYTES("\1\4user\6secret")), SOCKS_LOGIN);
	assert_int_equal(socks_login(&socks, false), SOCKS_REFUSED);
	assert_reply(&socks, BYTES("\1\1"));
	assert_null(memmem(&socks, sizeof(socks), "secret", 6));
	struct span more = BYTES(REQUEST_NAME);
	assert_int_equal(socks_feed(&socks, &more), SOCKS_REFUSED);
	assert_int_equal(socks_login(&socks, true), SOCKS_REFUSED);
}

static void test_login_forms(void **state)
{
	(void)state;
	uint8_t longest[SOCKS_MESSAGE_MAX] = {1, 255, [257] = 255};
	struct socks socks = started(true);
	assert_int_equal(feed(&socks, (struct span){longest, sizeof(longest)}), SOCKS_LOGIN);
	assert_int_equal(socks.user.len, 255);
	assert_int_equal(socks.password.len, 255);
	socks = started(true);
	assert_int_equal(feed(&socks, BYTES("\1\1t\0")), SOCKS_LOGIN);
	assert_int_equal(socks.password.len, 0);
	socks = started(true);
	assert_int_equal(feed(&socks, BYTES("\1\0\0")), SOCKS_LOGIN);
	socks = started(true);
	assert_int_equal(feed(&socks, BYTES("\5")), SOCKS_REFUSED);
	assert_int_equal(socks_reply_bytes(&socks).len, 0);
}

static void test_answers(void **state)
{
	(void)state;
	struct net_address ipv6 = {NET_IPV6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	struct socks socks = started(false);
	assert_int_equal(feed(&socks, BYTES(REQUEST_NAME)), SOCKS_CONNECT);
	assert_int_equal(socks_answer(&socks, SOCKS_NOT_ALLOWED, &ipv6, 0x0102), SOCKS_REFUSED);
	assert_reply(&socks, BYTES("\5\2\0\4\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\2"));
	assert_int_equal(socks_answer(&socks, SOCKS_OK, NULL, 0), SOCKS_REFUSED);
	assert_int_equal(socks_reply_bytes(&socks).len, 0);
}

/* An answer or a verdict that nobody waits for changes nothing to the good. */
static void test_out_of_turn(void **state)
{
	(void)state;
	struct socks socks = started(true);
	assert_int_equal(socks_answer(&socks, SOCKS_OK, NULL, 0), SOCKS_REFUSED);
	assert_int_equal(socks_login(&socks, true), SOCKS_REFUSED);
	socks = started(false);
	assert_int_equal(socks_login(&socks, true), SOCKS_REFUSED);
	struct span more = BYTES(REQUEST_NAME);
	assert_int_equal(socks_feed(&socks, &more), SOCKS_REFUSED);
	struct socks zero = {0};
	assert_int_equal(socks_answer(&zero, SOCKS_OK, NULL, 0), SOCKS_REFUSED);
}

/* The same, a byte at a time; what stands behind a message stays where it is. */
static void test_byte_by_byte(void **state)
{
	(void)state;
	static const char stream[] = "\5\2\0\2"
				     "\1\4user\6secret" REQUEST_NAME "hello";
	struct socks socks;
	socks_init(&socks, true);
	size_t at = 0, steps = 0;
	enum socks_step step = SOCKS_MORE;
	while (step != SOCKS_CONNECT) {
		struct span byte = {(const uint8_t *)stream + at, 1};
		step = socks_feed(&socks, &byte);
		assert_int_equal(byte.len, 0);
		at++;
		if (step == SOCKS_LOGIN)
			step = socks_login(&socks, true);
		steps += step == SOCKS_REPLY;
		assert_int_not_equal(step, SOCKS_REFUSED);
	}
	assert_int_equal(steps, 2);
	assert_string_equal(stream + at, "hello");
	struct span rest = {(const uint8_t *)stream + at, 5};
	assert_int_equal(socks_feed(&socks, &rest), SOCKS_MORE);
	assert_int_equal(rest.len, 5);
}

/* All in one piece: each call takes one message. */
static void test_pipelined(void **state)
{
	(void)state;
	struct span stream = BYTES("\5\1\0" REQUEST_NAME "data");
	struct socks socks;
	socks_init(&socks, false);
	assert_int_equal(socks_feed(&socks, &stream), SOCKS_REPLY);
	assert_int_equal(socks_feed(&socks, &stream), SOCKS_CONNECT);
	assert_int_equal(stream.len, 4);
	assert_memory_equal(stream.ptr, "data", 4);
	struct span nothing = {NULL, 0};
	socks_init(&socks, false);
	assert_int_equal(socks_feed(&socks, &nothing), SOCKS_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_by_name), cmocka_unit_test(test_connect_by_address),
		cmocka_unit_test(test_request_faults),	cmocka_unit_test(test_start_faults),
		cmocka_unit_test(test_login),		cmocka_unit_test(test_wrong_login),
		cmocka_unit_test(test_login_forms),	cmocka_unit_test(test_answers),
		cmocka_unit_test(test_out_of_turn),	cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_pipelined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
