#include "check.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/dns.h"

/* Literals end in a NUL that is not theirs. */
#define RAW(literal)                                                                                                   \
	{                                                                                                              \
		(const uint8_t *)(literal), sizeof(literal) - 1                                                        \
	} /* for tables */
#define BYTES(literal) ((struct span)RAW(literal))

#define HEADER "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
#define HEADER_OPT "\x12\x34\x01\x00\0\1\0\0\0\0\0\1"
#define EXAMPLE "\7Example\3oRg\0"
#define A_IN "\0\1\0\1"
#define AAAA_IN "\0\x1c\0\1"
#define HTTPS_IN "\0\x41\0\1"
#define OPT(size) "\0\0\x29" size "\0\0\0\0\0\0"
#define LABEL63                                                                                                        \
	"\x3f"                                                                                                         \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define LABEL61                                                                                                        \
	"\x3d"                                                                                                         \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"
#define LABEL62                                                                                                        \
	"\x3e"                                                                                                         \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg"

static struct dns_query read_query(struct span message)
{
	struct dns_query query;
	struct berm_err err;
	if (dns_query_parse(message, &query, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	return query;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static void test_query(void **state)
{
	(void)state;
	struct dns_query query = read_query(BYTES(HEADER EXAMPLE A_IN));
	assert_int_equal(query.code, DNS_NOERROR);
	assert_int_equal(query.id, 0x1234);
	assert_true(query.recursion_desired);
	assert_false(query.checking_disabled);
	assert_false(query.has_edns);
	assert_int_equal(query.udp_size, 512);
	assert_int_equal(query.type, DNS_A);
	assert_int_equal(query.class, 1);
	assert_string_equal(query.name, "example.org");
	assert_int_equal(query.name_len, 11);
	assert_true(query.is_host);
	assert_int_equal(query.question_len, 17);
	assert_memory_equal(query.question, EXAMPLE, 13);
}

static const struct {
	struct span message;
	uint16_t udp_size;
	bool dnssec_ok;
} edns_cases[] = {
	{RAW(HEADER_OPT EXAMPLE A_IN OPT("\x04\xd0")), 1232, false},
	{RAW(HEADER_OPT EXAMPLE A_IN OPT("\x10\x00")), 1232, false},
	{RAW(HEADER_OPT EXAMPLE A_IN OPT("\x02\x58")), 600, false},
	{RAW(HEADER_OPT EXAMPLE A_IN OPT("\0\0")), 512, false},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\x04\xd0\0\0\x80\0\0\0"), 1232, true},
	/* a cookie (RFC 7873) and an empty option */
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\x10\0\x0a\0\x08"
				     "12345678"
				     "\0\x0c\0\0"),
	 1232, false},
};

static void test_edns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edns_cases); i++) {
		struct dns_query query = read_query(edns_cases[i].message);
		assert_int_equal(query.code, DNS_NOERROR);
		assert_true(query.has_edns);
		assert_int_equal(query.udp_size, edns_cases[i].udp_size);
		assert_int_equal(query.dnssec_ok, edns_cases[i].dnssec_ok);
	}
}

static const struct {
	struct span message;
	const char *name;
	bool is_host;
} name_cases[] = {
	{RAW(HEADER "\1a\0" A_IN), "a", true},
	{RAW(HEADER "\0" A_IN), "", false},
	{RAW(HEADER "\4_dns\1B\0" A_IN), "_dns.b", true},
	{RAW(HEADER LABEL63 LABEL63 LABEL63 LABEL61 "\0" A_IN),
	 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
	 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
	 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg."
	 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
	 true},
	{RAW(HEADER "\3a.b\3org\0" A_IN), "a?b.org", false},
	{RAW(HEADER "\3a\0b\3org\0" A_IN), "a?b.org", false},
	{RAW(HEADER "\3a b\3org\0" A_IN), "a?b.org", false},
	{RAW(HEADER "\2\xc3\xbc\3org\0" A_IN), "??.org", false},
	{RAW(HEADER "\1*\3org\0" A_IN), "?.org", false},
	{RAW(HEADER "\2-a\3org\0" A_IN), "-a.org", false},
	{RAW(HEADER "\003127\1"
		    "1\0" A_IN),
	 "127.1", false},
	{RAW(HEADER "\0010\0010\0010\0010\0" A_IN), "0.0.0.0", false},
	{RAW(HEADER "\4"
		    "0x7f\0" A_IN),
	 "0x7f", false},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(name_cases); i++) {
		struct dns_query query = read_query(name_cases[i].message);
		assert_int_equal(query.code, DNS_NOERROR);
		assert_string_equal(query.name, name_cases[i].name);
		assert_int_equal(query.name_len, strlen(name_cases[i].name));
		if (query.is_host != name_cases[i].is_host)
			fail_msg("'%s' is %s host name", query.name, query.is_host ? "a" : "no");
	}
}

static const struct {
	struct span message;
	enum dns_code code;
} fault_cases[] = {
	/* counts */
	{RAW("\x12\x34\x01\x00\0\0\0\0\0\0\0\0"), DNS_FORMERR},
	{RAW("\x12\x34\x01\x00\0\2\0\0\0\0\0\0" EXAMPLE A_IN EXAMPLE A_IN), DNS_FORMERR},
	{RAW("\x12\x34\x01\x00\0\1\0\1\0\0\0\0" EXAMPLE A_IN), DNS_FORMERR},
	{RAW("\x12\x34\x01\x00\0\1\0\0\0\1\0\0" EXAMPLE A_IN), DNS_FORMERR},
	{RAW("\x12\x34\x01\x00\0\1\0\0\0\0\0\2" EXAMPLE A_IN OPT("\4\0") OPT("\4\0")), DNS_FORMERR},
	{RAW("\x12\x34\x03\x00\0\1\0\0\0\0\0\0" EXAMPLE A_IN), DNS_FORMERR},
	/* names */
	{RAW(HEADER "\xc0\x0c" A_IN), DNS_FORMERR},
	{RAW(HEADER "\1a\xc0\x0c" A_IN), DNS_FORMERR},
	{RAW(HEADER "\x40"
		    "a\0" A_IN),
	 DNS_FORMERR},
	{RAW(HEADER "\x80"
		    "a\0" A_IN),
	 DNS_FORMERR},
	{RAW(HEADER LABEL63 LABEL63 LABEL63 LABEL62 "\0" A_IN), DNS_FORMERR},
	{RAW(HEADER "\7Example\3org"), DNS_FORMERR},
	{RAW(HEADER "\7Exa"), DNS_FORMERR},
	{RAW(HEADER), DNS_FORMERR},
	{RAW(HEADER EXAMPLE "\0\1\0"), DNS_FORMERR},
	{RAW(HEADER EXAMPLE "\0"), DNS_FORMERR},
	/* behind it */
	{RAW(HEADER EXAMPLE A_IN "x"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN OPT("\4\0") "x"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\4\0\0\0\0\0\0"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\1a\0\0\x29\4\0\0\0\0\0\0\0"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x01\4\0\0\0\0\0\0\0"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\4\0\0\0\0\0\0\3\0\x0a\0"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\4\0\0\0\0\0\0\5\0\x0a\0\2x"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\4\0\0\0\0\0\0\5\0\x0a\0\1"), DNS_FORMERR},
	{RAW(HEADER_OPT EXAMPLE A_IN "\0\0\x29\4\0\0\1\0\0\0\0"), DNS_BADVERS},
	/* what is not asked here */
	{RAW("\x12\x34\x21\x00\0\1\0\0\0\0\0\0" EXAMPLE A_IN), DNS_NOTIMP},
	{RAW("\x12\x34\x29\x00\0\0\0\0\0\0\0\0"), DNS_NOTIMP},
	{RAW(HEADER EXAMPLE "\0\1\0\3"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\1\0\xff"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\1\0\0"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\xfc\0\1"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\xfb\0\1"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\x29\0\1"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\0\0\1"), DNS_REFUSED},
	{RAW(HEADER EXAMPLE "\0\xff\0\1"), DNS_NOERROR},
	{RAW(HEADER EXAMPLE "\xff\xff\0\1"), DNS_NOERROR},
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fault_cases); i++) {
		struct dns_query query = read_query(fault_cases[i].message);
		if (query.code != fault_cases[i].code)
			fail_msg("case %zu: code %d, not %d", i, (int)query.code, (int)fault_cases[i].code);
		assert_int_equal(query.id, 0x1234);
	}
}

static void test_no_answer_to_these(void **state)
{
	(void)state;
	static const uint8_t long_one[DNS_QUERY_MAX + 1];
	struct dns_query query = {.id = 7};
	assert_int_equal(dns_query_parse(BYTES(""), &query, NULL), BERM_ERR_PARSE);
	assert_int_equal(dns_query_parse((struct span){NULL, 0}, &query, NULL), BERM_ERR_PARSE);
	assert_int_equal(dns_query_parse(BYTES("\x12\x34\x01\x00\0\1\0\0\0\0\0"), &query, NULL), BERM_ERR_PARSE);
	assert_int_equal(dns_query_parse(BYTES("\x12\x34\x81\x00\0\1\0\0\0\0\0\0" EXAMPLE A_IN), &query, NULL),
			 BERM_ERR_PARSE);
	assert_int_equal(dns_query_parse((struct span){long_one, sizeof(long_one)}, &query, NULL), BERM_ERR_LIMIT);
	assert_int_equal(query.id, 7);
	assert_int_equal(dns_query_parse((struct span){long_one, sizeof(long_one) - 1}, &query, NULL), BERM_OK);
	assert_int_equal(query.code, DNS_FORMERR);
}

/* ---- responses: glibc's parser reads them ---------------------------------------------------------------------- */

struct reply {
	uint8_t bytes[DNS_RESPONSE_SIZE];
	size_t len;
	ns_msg msg;
};

static void respond(struct reply *reply, struct span message, const struct dns_answer *answer)
{
	struct dns_query query = read_query(message);
	reply->len = dns_respond(&query, answer, DNS_UDP, reply->bytes);
	assert_true(reply->len <= query.udp_size);
	assert_int_equal(ns_initparse(reply->bytes, (int)reply->len, &reply->msg), 0);
	assert_int_equal(ns_msg_id(reply->msg), query.id);
	assert_int_equal(ns_msg_getflag(reply->msg, ns_f_qr), 1);
	assert_int_equal(ns_msg_getflag(reply->msg, ns_f_ra), 1);
	assert_int_equal(ns_msg_getflag(reply->msg, ns_f_aa), 0);
	assert_int_equal(ns_msg_getflag(reply->msg, ns_f_ad), 0);
	assert_int_equal(ns_msg_getflag(reply->msg, ns_f_rd), query.recursion_desired);
}

static int count_of(const struct reply *reply, ns_sect section)
{
	return ns_msg_count(reply->msg, section);
}

static ns_rr record(struct reply *reply, ns_sect section, int index)
{
	ns_rr rr;
	assert_int_equal(ns_parserr(&reply->msg, section, index, &rr), 0);
	return rr;
}

static const struct net_address answers[] = {
	{NET_IPV4, {198, 18, 1, 0}},
	{NET_IPV6, {0xfd, 0x37, [15] = 1}},
	{NET_NONE, {0}},
	{NET_IPV4, {198, 18, 1, 1}},
};

static void test_addresses(void **state)
{
	(void)state;
	struct reply reply;
	struct dns_answer answer = {.addresses = answers, .address_count = ARRAY_LEN(answers), .ttl = 30};
	respond(&reply, BYTES(HEADER EXAMPLE A_IN), &answer);
	assert_int_equal(ns_msg_getflag(reply.msg, ns_f_rcode), 0);
	assert_int_equal(count_of(&reply, ns_s_qd), 1);
	assert_int_equal(count_of(&reply, ns_s_an), 2);
	assert_int_equal(count_of(&reply, ns_s_ns), 0);
	assert_int_equal(count_of(&reply, ns_s_ar), 0);
	assert_string_equal(ns_rr_name(record(&reply, ns_s_qd, 0)), "Example.oRg");
	ns_rr rr = record(&reply, ns_s_an, 1);
	assert_string_equal(ns_rr_name(rr), "Example.oRg");
	assert_int_equal(ns_rr_type(rr), ns_t_a);
	assert_int_equal(ns_rr_ttl(rr), 30);
	assert_int_equal(ns_rr_rdlen(rr), 4);
	assert_memory_equal(ns_rr_rdata(rr), answers[3].bytes, 4);
	respond(&reply, BYTES(HEADER EXAMPLE AAAA_IN), &answer);
	assert_int_equal(count_of(&reply, ns_s_an), 1);
	rr = record(&reply, ns_s_an, 0);
	assert_int_equal(ns_rr_type(rr), ns_t_aaaa);
	assert_memory_equal(ns_rr_rdata(rr), answers[1].bytes, 16);
}

static void assert_soa(struct reply *reply, uint32_t ttl)
{
	uint8_t minimum[4] = {(uint8_t)(ttl >> 24), (uint8_t)(ttl >> 16), (uint8_t)(ttl >> 8), (uint8_t)ttl};
	assert_int_equal(count_of(reply, ns_s_an), 0);
	assert_int_equal(count_of(reply, ns_s_ns), 1);
	ns_rr rr = record(reply, ns_s_ns, 0);
	assert_int_equal(ns_rr_type(rr), ns_t_soa);
	assert_string_equal(ns_rr_name(rr), ".");
	assert_int_equal(ns_rr_ttl(rr), ttl);
	assert_int_equal(ns_rr_rdlen(rr), 22);
	assert_memory_equal(ns_rr_rdata(rr) + 18, minimum, 4);
}

static void test_nodata(void **state)
{
	(void)state;
	struct reply reply;
	struct dns_answer answer = {.addresses = answers, .address_count = ARRAY_LEN(answers), .ttl = 0x01020304};
	respond(&reply, BYTES(HEADER EXAMPLE HTTPS_IN), &answer);
	assert_int_equal(ns_msg_getflag(reply.msg, ns_f_rcode), 0);
	assert_soa(&reply, 0x01020304);
	answer = (struct dns_answer){.addresses = answers, .address_count = 1, .ttl = 0xffffffff};
	respond(&reply, BYTES(HEADER EXAMPLE AAAA_IN), &answer);
	assert_soa(&reply, 0x7fffffff);
}

static void test_a_pointer(void **state)
{
	(void)state;
	struct reply reply;
	ns_rr rr;
	char name[256];
	struct dns_answer answer = {.pointer = "www.example.org", .ttl = 7};
	respond(&reply, BYTES(HEADER EXAMPLE "\0\x0c\0\1"), &answer);
	assert_int_equal(ns_parserr(&reply.msg, ns_s_an, 0, &rr), 0);
	assert_int_equal(ns_rr_type(rr), ns_t_ptr);
	assert_true(dn_expand(reply.bytes, reply.bytes + reply.len, ns_rr_rdata(rr), name, sizeof(name)) > 0);
	assert_string_equal(name, "www.example.org");
	assert_int_equal(ns_msg_count(reply.msg, ns_s_ns), 0);
	respond(&reply, BYTES(HEADER EXAMPLE A_IN), &answer); /* no pointer was asked for */
	assert_int_equal(ns_msg_count(reply.msg, ns_s_an), 0);
	assert_int_equal(ns_msg_count(reply.msg, ns_s_ns), 1);
}

static void test_nxdomain(void **state)
{
	(void)state;
	struct reply reply;
	struct dns_answer answer = {.code = DNS_NXDOMAIN, .addresses = answers, .address_count = 1, .ttl = 5};
	respond(&reply, BYTES(HEADER EXAMPLE A_IN), &answer);
	assert_int_equal(ns_msg_getflag(reply.msg, ns_f_rcode), ns_r_nxdomain);
	assert_int_equal(count_of(&reply, ns_s_qd), 1);
	assert_soa(&reply, 5);
}

static void test_codes_without_soa(void **state)
{
	(void)state;
	static const enum dns_code codes[] = {DNS_SERVFAIL, DNS_REFUSED, DNS_NOTIMP, DNS_FORMERR};
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct reply reply;
		struct dns_answer answer = {.code = codes[i], .addresses = answers, .address_count = 1};
		respond(&reply, BYTES(HEADER EXAMPLE A_IN), &answer);
		assert_int_equal(ns_msg_getflag(reply.msg, ns_f_rcode), (int)codes[i]);
		assert_int_equal(count_of(&reply, ns_s_an), 0);
		assert_int_equal(count_of(&reply, ns_s_ns), 0);
	}
}

static void test_fault_of_the_query_wins(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fault_cases); i++) {
		struct reply reply;
		struct dns_answer answer = {.addresses = answers, .address_count = 1, .ttl = 1};
		if (fault_cases[i].code == DNS_NOERROR)
			continue;
		struct dns_query query = read_query(fault_cases[i].message);
		respond(&reply, fault_cases[i].message, &answer);
		assert_int_equal(ns_msg_getflag(reply.msg, ns_f_rcode), (int)fault_cases[i].code & 0xf);
		assert_int_equal(count_of(&reply, ns_s_qd), query.question_len > 0);
		assert_int_equal(count_of(&reply, ns_s_an), 0);
		assert_int_equal(ns_msg_getflag(reply.msg, ns_f_opcode), query.opcode);
	}
}

static void test_opt_is_given_back(void **state)
{
	(void)state;
	struct reply reply;
	struct dns_answer answer = {.code = DNS_NXDOMAIN, .reason = DNS_BLOCKED, .reason_text = "no rule"};
	respond(&reply, BYTES(HEADER_OPT EXAMPLE A_IN "\0\0\x29\x04\xd0\0\0\x80\0\0\0"), &answer);
	assert_int_equal(count_of(&reply, ns_s_ar), 1);
	ns_rr rr = record(&reply, ns_s_ar, 0);
	assert_int_equal(ns_rr_type(rr), ns_t_opt);
	assert_int_equal(ns_rr_class(rr), 1232);
	assert_int_equal(ns_rr_ttl(rr), 0x8000);
	assert_int_equal(ns_rr_rdlen(rr), 13);
	assert_memory_equal(ns_rr_rdata(rr),
			    "\0\x0f\0\x09\0\x0f"
			    "no rule",
			    13);
	respond(&reply, BYTES(HEADER EXAMPLE A_IN), &answer);
	assert_int_equal(count_of(&reply, ns_s_ar), 0);
	respond(&reply, BYTES(HEADER_OPT EXAMPLE A_IN "\0\0\x29\x04\xd0\0\1\0\0\0\0"), &answer);
	assert_int_equal(ns_rr_ttl(record(&reply, ns_s_ar, 0)), 0x01000000);
}

/* 255 bytes of name, 8 addresses and a long reason are more than 512 bytes. */
static void test_truncation(void **state)
{
	(void)state;
	struct net_address many[DNS_ADDRESSES_MAX + 4];
	char text[DNS_REASON_TEXT_MAX + 50] = {0};
	struct reply reply;
	struct dns_answer answer = {.addresses = many, .ttl = 1, .reason = DNS_BLOCKED, .reason_text = text};
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = answers[1];
	memset(text, 'x', sizeof(text) - 1);
	answer.address_count = ARRAY_LEN(many);
	struct span whole = BYTES(HEADER_OPT LABEL63 LABEL63 LABEL63 LABEL61 "\0" AAAA_IN OPT("\x04\xd0"));
	struct span small = BYTES(HEADER_OPT LABEL63 LABEL63 LABEL63 LABEL61 "\0" AAAA_IN OPT("\0\0"));
	struct span plain = BYTES(HEADER LABEL63 LABEL63 LABEL63 LABEL61 "\0" AAAA_IN);
	respond(&reply, whole, &answer);
	assert_int_equal(reply.len, 12 + 259 + 8 * 28 + 11 + 6 + DNS_REASON_TEXT_MAX);
	assert_int_equal(count_of(&reply, ns_s_an), DNS_ADDRESSES_MAX);
	respond(&reply, plain, &answer);
	assert_int_equal(ns_msg_getflag(reply.msg, ns_f_tc), 0);
	assert_int_equal(count_of(&reply, ns_s_an), DNS_ADDRESSES_MAX);
	respond(&reply, small, &answer);
	assert_int_equal(ns_msg_getflag(reply.msg, ns_f_tc), 0);
	assert_int_equal(count_of(&reply, ns_s_an), DNS_ADDRESSES_MAX);
	assert_int_equal(ns_rr_rdlen(record(&reply, ns_s_ar, 0)), 6);
}

static void test_tcp(void **state)
{
	(void)state;
	uint8_t udp[DNS_RESPONSE_SIZE], tcp[DNS_RESPONSE_SIZE];
	struct dns_query query = read_query(BYTES(HEADER EXAMPLE A_IN));
	struct dns_answer answer = {.addresses = answers, .address_count = 1, .ttl = 1};
	size_t udp_len = dns_respond(&query, &answer, DNS_UDP, udp);
	size_t tcp_len = dns_respond(&query, &answer, DNS_TCP, tcp);
	assert_int_equal(tcp_len, udp_len + 2);
	assert_int_equal(tcp[0] << 8 | tcp[1], udp_len);
	assert_memory_equal(tcp + 2, udp, udp_len);
}

/* A query of a size that cannot be sent makes TC, and the same over TCP does not. */
static void test_truncated_over_udp_only(void **state)
{
	(void)state;
	uint8_t bytes[DNS_RESPONSE_SIZE];
	struct dns_query query = read_query(BYTES(HEADER_OPT EXAMPLE A_IN OPT("\x04\xd0")));
	struct dns_answer answer = {.code = DNS_NXDOMAIN, .ttl = 1, .reason = DNS_BLOCKED, .reason_text = "x"};
	query.udp_size = 40; /* smaller than any client may say */
	size_t len = dns_respond(&query, &answer, DNS_UDP, bytes);
	assert_int_equal(len, 12 + 17 + 11);
	assert_int_equal(bytes[2] & 2, 2);
	assert_memory_equal(bytes + 4, "\0\1\0\0\0\0\0\1", 8);
	query.udp_size = 79; /* with the reason's number, but without its text */
	len = dns_respond(&query, &answer, DNS_UDP, bytes);
	assert_int_equal(len, 12 + 17 + 33 + 11 + 6);
	assert_int_equal(bytes[2] & 2, 0);
	len = dns_respond(&query, &answer, DNS_TCP, bytes);
	assert_int_equal(bytes[4] & 2, 0);
	assert_int_equal(len, 2 + 12 + 17 + 33 + 11 + 6 + 1);
}

/* ---- framing --------------------------------------------------------------------------------------------------- */

static void test_frames(void **state)
{
	(void)state;
	struct span message = {NULL, 0};
	size_t taken = 9;
	struct span stream = BYTES("\0\x0c"
				   "123456789abc"
				   "\0\x0d"
				   "x");
	for (size_t len = 0; len < 14; len++) {
		assert_int_equal(dns_frame_next((struct span){stream.ptr, len}, &message, &taken, NULL), BERM_OK);
		assert_int_equal(taken, 0);
		assert_null(message.ptr);
	}
	assert_int_equal(dns_frame_next(stream, &message, &taken, NULL), BERM_OK);
	assert_int_equal(taken, 14);
	assert_int_equal(message.len, 12);
	assert_ptr_equal(message.ptr, stream.ptr + 2);
	assert_int_equal(dns_frame_next((struct span){NULL, 0}, &message, &taken, NULL), BERM_OK);
	assert_int_equal(taken, 0);
	assert_int_equal(dns_frame_next(BYTES("\0\x0b"), &message, &taken, NULL), BERM_ERR_PARSE);
	assert_int_equal(dns_frame_next(BYTES("\0\0"), &message, &taken, NULL), BERM_ERR_PARSE);
	assert_int_equal(dns_frame_next(BYTES("\x10\x00"), &message, &taken, NULL), BERM_OK);
	assert_int_equal(dns_frame_next(BYTES("\x10\x01"), &message, &taken, NULL), BERM_ERR_LIMIT);
	assert_int_equal(dns_frame_next(BYTES("\xff\xff"), &message, &taken, NULL), BERM_ERR_LIMIT);
}

static void test_type_texts(void **state)
{
	(void)state;
	char text[16];
	assert_string_equal(dns_type_text(DNS_A, text), "A");
	assert_string_equal(dns_type_text(DNS_HTTPS, text), "HTTPS");
	assert_string_equal(dns_type_text(65535, text), "TYPE65535");
	assert_string_equal(dns_type_text(0, text), "TYPE0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_edns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_answer_to_these),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_nodata),
		cmocka_unit_test(test_a_pointer),
		cmocka_unit_test(test_nxdomain),
		cmocka_unit_test(test_codes_without_soa),
		cmocka_unit_test(test_fault_of_the_query_wins),
		cmocka_unit_test(test_opt_is_given_back),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_truncated_over_udp_only),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_type_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
