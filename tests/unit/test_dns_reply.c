#include "check.h"

#include <string.h>

#include "base/own.h"
#include "egress/dns_reply.h"

/* A reply to a question about www.example, with what a test adds. */
struct made {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct made *made, const char *bytes, size_t len)
{
	memcpy(made->bytes + made->len, bytes, len);
	made->len += len;
}
#define PUT(made, literal) put((made), (literal), sizeof(literal) - 1)

#define WWW "\3www\7example\0"
#define A_IN "\0\1\0\1"
#define AAAA_IN "\0\34\0\1"
#define CNAME_IN "\0\5\0\1"
#define TTL_60 "\0\0\0\74"
#define TTL_5 "\0\0\0\5"
#define POINTER "\300\14" /* to the question's name */

static struct made begin(uint8_t records)
{
	struct made made = {.len = 0};
	PUT(&made, "\1\2\201\200\0\1\0\0\0\0\0\0" WWW A_IN);
	made.bytes[7] = records;
	return made;
}

static enum berm_code read_made(const struct made *made, enum dns_type type, struct dns_reply *ret)
{
	return dns_reply_read((struct span){made->bytes, made->len}, STR("www.example"), type, ret, NULL);
}

static void assert_first(const struct made *made, const char *address, uint32_t ttl)
{
	struct dns_reply reply;
	char text[ADDRESS_TEXT_SIZE];
	assert_int_equal(read_made(made, DNS_A, &reply), BERM_OK);
	assert_int_equal(reply.count, 1);
	address_print(&reply.addresses[0], text);
	assert_string_equal(text, address);
	assert_int_equal(reply.ttl, ttl);
}

static void assert_bad(const struct made *made)
{
	struct dns_reply reply;
	assert_int_equal(read_made(made, DNS_A, &reply), BERM_ERR_PARSE);
}

static void assert_none(const struct made *made)
{
	struct dns_reply reply;
	assert_int_equal(read_made(made, DNS_A, &reply), BERM_OK);
	assert_int_equal(reply.count, 0);
}

static void test_an_address_is_read(void **state)
{
	(void)state;
	struct made made = begin(1);
	PUT(&made, POINTER A_IN TTL_60 "\0\4\300\0\2\1");
	assert_first(&made, "192.0.2.1", 60);
	made = begin(2); /* written out, in capitals; and twice the same */
	PUT(&made, "\3WWW\7EXample\0" A_IN TTL_5 "\0\4\300\0\2\1" POINTER A_IN TTL_60 "\0\4\300\0\2\1");
	assert_first(&made, "192.0.2.1", 5);
}

static void test_an_alias_leads_on(void **state)
{
	(void)state;
	struct made made = begin(3);
	PUT(&made, POINTER CNAME_IN TTL_5 "\0\6\3cdn\300\20"); /* cdn.example */
	PUT(&made, "\3cdn\300\20" A_IN TTL_60 "\0\4\300\0\2\7");
	PUT(&made, POINTER A_IN TTL_60 "\0\4\300\0\2\10"); /* no longer the one that counts */
	assert_first(&made, "192.0.2.7", 5);
}

static void test_records_of_others_do_not_count(void **state)
{
	(void)state;
	struct made made = begin(1);
	PUT(&made, "\5other\300\20" A_IN TTL_60 "\0\4\300\0\2\1");
	assert_none(&made);
	made = begin(1); /* of the class CHAOS */
	PUT(&made, POINTER "\0\1\0\3" TTL_60 "\0\4\300\0\2\1");
	assert_none(&made);
	made = begin(1); /* of another type, or of a size that is none */
	PUT(&made, POINTER AAAA_IN TTL_60 "\0\20\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1");
	assert_none(&made);
	made = begin(1);
	PUT(&made, POINTER A_IN TTL_60 "\0\5\300\0\2\1\1");
	assert_none(&made);
}

static void test_a_reply_to_another_question_is_none(void **state)
{
	(void)state;
	struct dns_reply reply;
	struct made made = begin(0);
	assert_none(&made);
	assert_int_equal(read_made(&made, DNS_AAAA, &reply), BERM_ERR_PARSE);
	made.bytes[14] = 'x';
	assert_bad(&made);
	made = begin(0);
	made.bytes[5] = 2;
	assert_bad(&made);
}

static void test_what_does_not_hold_is_refused(void **state)
{
	(void)state;
	struct made whole = begin(1);
	PUT(&whole, POINTER A_IN TTL_60 "\0\4\300\0\2\1");
	for (size_t len = 0; len < whole.len; len++) {
		struct made cut = whole;
		cut.len = len;
		assert_bad(&cut);
	}
	static const struct {
		const char *bytes;
		size_t len;
	} owners[] = {
		{"\300\35", 2},	     /* to itself */
		{"\300\377", 2},     /* forward */
		{"\3abc\300\35", 6}, /* to its own front */
		{"\100"
		 "a\0",
		 3}, /* a kind of label that is not used */
	};
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		struct made made = begin(1);
		put(&made, owners[i].bytes, owners[i].len);
		PUT(&made, A_IN TTL_60 "\0\4\300\0\2\1");
		assert_bad(&made);
	}
	struct made made = begin(1); /* an alias that ends in front of its record's end */
	PUT(&made, POINTER CNAME_IN TTL_5 "\0\7\3cdn\300\20x");
	assert_bad(&made);
}

static void test_a_name_may_not_be_too_long(void **state)
{
	(void)state;
	struct made made = begin(1);
	for (int i = 0; i < 4; i++) {
		PUT(&made, "\77");
		memset(made.bytes + made.len, 'a', 63);
		made.len += 63;
	}
	PUT(&made, "\0" A_IN TTL_60 "\0\4\300\0\2\1");
	assert_bad(&made);
}

static void test_addresses_have_a_maximum(void **state)
{
	(void)state;
	struct made made = begin(DNS_REPLY_ADDRESSES_MAX + 4);
	struct dns_reply reply;
	for (char i = 0; i < DNS_REPLY_ADDRESSES_MAX + 4; i++) {
		PUT(&made, POINTER A_IN TTL_60 "\0\4\300\0\2");
		put(&made, &i, 1);
	}
	assert_int_equal(read_made(&made, DNS_A, &reply), BERM_OK);
	assert_int_equal(reply.count, DNS_REPLY_ADDRESSES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_read),
		cmocka_unit_test(test_an_alias_leads_on),
		cmocka_unit_test(test_records_of_others_do_not_count),
		cmocka_unit_test(test_a_reply_to_another_question_is_none),
		cmocka_unit_test(test_what_does_not_hold_is_refused),
		cmocka_unit_test(test_a_name_may_not_be_too_long),
		cmocka_unit_test(test_addresses_have_a_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
