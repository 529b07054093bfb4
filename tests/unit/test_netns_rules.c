/*
 * The messages that make a filtered network: byte by byte as the kernel's headers lay them out, and on the kernel itself,
 * in a network of our own.
 */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/nl_nft.h"
#include "os/nl_route.h"
#include "sandbox/ends.h"
#include "sandbox/netns_rules.h"

enum { NO_NAMESPACES = 77, NO_RULES = 78 };

/* ---- bytes -------------------------------------------------------------------------------------------------------- */

/* Numbers of the host's order are written as this machine has them: the tests of bytes are for little endian ones. */
#define NOT_BIG_ENDIAN()                                                                                               \
	do {                                                                                                           \
		if (htons(1) == 1)                                                                                     \
			skip();                                                                                        \
	} while (0)

static void check_bytes(const struct nl_out *out, const uint8_t *wanted, size_t len)
{
	assert_false(out->failed);
	assert_int_equal(out->len, len);
	assert_memory_equal(out->bytes, wanted, len);
}

static void test_address_bytes(void **state)
{
	static const uint8_t wanted[] = {
		40, 0,	0, 0, 20,  0,  5, 6, 0, 0, 0, 0, 0, 0, 0, 0, /* length, RTM_NEWADDR, REQUEST|ACK|EXCL|CREATE */
		2,  32, 2, 0, 1,   0,  0, 0,			     /* AF_INET, /32, IFA_F_NODAD, scope; index */
		8,  0,	2, 0, 198, 18, 0, 1,			     /* IFA_LOCAL */
		8,  0,	1, 0, 198, 18, 0, 1,			     /* IFA_ADDRESS */
	};
	uint32_t bytes[32];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	NOT_BIG_ENDIAN();
	nl_address(&out, AF_INET, NL_LOOPBACK_INDEX, netns_own4);
	check_bytes(&out, wanted, sizeof(wanted));
}

static void test_route_bytes(void **state)
{
	static const uint8_t wanted[] = {
		56, 0, 0, 0, 24,   0,	 5,    4,    0,	   0, 0, 0, 0, 0, 0, 0, /* RTM_NEWROUTE, REQUEST|ACK|CREATE */
		10, 0, 0, 0, 255,  3,	 0,    2,    0,	   0, 0, 0, /* AF_INET6, /0; table local, boot, universe, RTN_LOCAL */
		8,  0, 4, 0, 1,	   0,	 0,    0,		    /* RTA_OIF */
		20, 0, 7, 0, 0xfd, 0x62, 0x65, 0x72, 0x6d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, /* RTA_PREFSRC */
	};
	uint32_t bytes[32];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	NOT_BIG_ENDIAN();
	nl_all_local(&out, AF_INET6, NL_LOOPBACK_INDEX, netns_own6);
	check_bytes(&out, wanted, sizeof(wanted));
}

static void test_batch_bytes(void **state)
{
	static const uint8_t wanted[] = {
		20, 0, 0, 0,  16,  0,  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* NFNL_MSG_BATCH_BEGIN */
		0,  0, 0, 10, /* family, version, the subsystem in network order */
		28, 0, 0, 0,  0,   10, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0, /* NFT_MSG_NEWTABLE, CREATE */
		1,  0, 0, 0,					     /* NFPROTO_INET */
		6,  0, 1, 0,  't', 0,  0, 0,			     /* NFTA_TABLE_NAME, padded */
		20, 0, 0, 0,  17,  0,  1, 0, 2, 0, 0, 0, 0, 0, 0, 0, /* NFNL_MSG_BATCH_END */
		0,  0, 0, 10,
	};
	uint32_t bytes[32];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	NOT_BIG_ENDIAN();
	nft_begin(&out);
	nft_table(&out, "t");
	nft_end(&out);
	check_bytes(&out, wanted, sizeof(wanted));
}

static void test_chain_bytes(void **state)
{
	static const struct nft_chain chain = {"t", "c", "filter", 3, -150};
	static const uint8_t wanted[] = {
		68, 0, 0, 0,	3,    10,   1,	  4,	0,   0,	  0, 0, 0, 0, 0, 0, /* NFT_MSG_NEWCHAIN */
		1,  0, 0, 0,	6,    0,    1,	  0,	't', 0,	  0, 0,		    /* NFTA_CHAIN_TABLE */
		6,  0, 3, 0,	'c',  0,    0,	  0,				    /* NFTA_CHAIN_NAME */
		11, 0, 7, 0,	'f',  'i',  'l',  't',	'e', 'r', 0, 0,		    /* NFTA_CHAIN_TYPE */
		20, 0, 4, 0x80,							    /* NFTA_CHAIN_HOOK, nested */
		8,  0, 1, 0,	0,    0,    0,	  3,	/* NFTA_HOOK_HOOKNUM, network order */
		8,  0, 2, 0,	0xff, 0xff, 0xff, 0x6a, /* NFTA_HOOK_PRIORITY: -150 */
	};
	uint32_t bytes[32];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	NOT_BIG_ENDIAN();
	nft_chain(&out, &chain);
	check_bytes(&out, wanted, sizeof(wanted));
}

static void test_rule_bytes(void **state)
{
	static const struct nft_chain chain = {"t", "c", "filter", 0, 0};
	static const uint8_t six = 6;
	static const uint8_t wanted[] = {
		120, 0, 0, 0,	 6,   10,  5,	12,  0,	  0,   0,   0, 0,  0, 0, 0, /* NFT_MSG_NEWRULE, REQUEST|ACK|CREATE|APPEND */
		1,   0, 0, 0,	 6,   0,   1,	0,   't', 0,   0,   0,		    /* NFTA_RULE_TABLE */
		6,   0, 2, 0,	 'c', 0,   0,	0,				    /* NFTA_RULE_CHAIN */
		84,  0, 4, 0x80,						    /* NFTA_RULE_EXPRESSIONS */
		36,  0, 1, 0x80,						    /* NFTA_LIST_ELEM */
		9,   0, 1, 0,	 'm', 'e', 't', 'a', 0,	  0,   0,   0,		    /* NFTA_EXPR_NAME */
		20,  0, 2, 0x80,						    /* NFTA_EXPR_DATA */
		8,   0, 2, 0,	 0,   0,   0,	16, /* NFTA_META_KEY: NFT_META_L4PROTO */
		8,   0, 1, 0,	 0,   0,   0,	1,  /* NFTA_META_DREG */
		44,  0, 1, 0x80, 8,   0,   1,	0,   'c', 'm', 'p', 0, 32, 0, 2, 0x80, 8,
		0,   1, 0, 0,	 0,   0,   1,	   /* NFTA_CMP_SREG */
		8,   0, 2, 0,	 0,   0,   0,	0, /* NFTA_CMP_OP: NFT_CMP_EQ */
		12,  0, 3, 0x80,		   /* NFTA_CMP_DATA */
		5,   0, 1, 0,	 6,   0,   0,	0, /* NFTA_DATA_VALUE, padded */
	};
	uint32_t bytes[64];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	NOT_BIG_ENDIAN();
	size_t rule = nft_rule_begin(&out, &chain, true);
	nft_meta(&out, NFT_META_L4PROTO);
	nft_compare(&out, NFT_CMP_EQ, &six, sizeof(six));
	nft_rule_end(&out, rule);
	check_bytes(&out, wanted, sizeof(wanted));
}

/* How many messages of a type there are, and the number of the last one that asks for an answer. */
static size_t count_type(const struct nl_out *out, uint16_t type, uint32_t *ret_answered)
{
	struct span rest = {out->bytes, out->len};
	struct nl_message message;
	size_t count = 0;
	while (nl_next_message(&rest, &message)) {
		count += message.type == type ? 1 : 0;
		if ((message.flags & NLM_F_ACK) != 0)
			*ret_answered = message.seq;
	}
	assert_int_equal(rest.len, 0);
	return count;
}

static void test_what_is_waited_for_is_answered(void **state)
{
	const uint16_t new_rule = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], answered = 0;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	assert_int_equal(netns_rules(&out, true), 4);
	assert_false(out.failed);
	assert_int_equal(count_type(&out, new_rule, &answered), 2);
	assert_int_equal(answered, 4);
	out = nl_into(bytes, sizeof(bytes));
	assert_int_equal(netns_rules(&out, false), 3);
	assert_int_equal(count_type(&out, new_rule, &answered), 1);
	assert_int_equal(answered, 3);
	out = nl_into(bytes, sizeof(bytes));
	netns_addresses(&out);
	assert_false(out.failed);
	assert_int_equal(count_type(&out, RTM_NEWROUTE, &answered), 2);
	assert_int_equal(answered, NETNS_ADDRESSES_LAST);
}

static void test_rules_that_do_not_fit_are_not_sent(void **state)
{
	uint32_t bytes[64], failed;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	(void)state;
	uint32_t last = netns_rules(&out, true);
	assert_true(out.failed);
	assert_int_equal(nl_transact_many(NETLINK_NETFILTER, &out, last, 0, &failed), -1);
	assert_int_equal(errno, EMSGSIZE);
}

/* ---- on the kernel ------------------------------------------------------------------------------------------------ */

static int in_child(int (*act)(void))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void check_in_child(int (*act)(void))
{
	int result = in_child(act);
	if (result == NO_NAMESPACES || result == NO_RULES) {
		print_message("skipped: this machine has no %s for this user\n",
			      result == NO_RULES ? "nf_tables with tproxy" : "network namespace");
		skip();
	}
	assert_int_equal(result, 0); /* else: the number of the step that failed */
}

static struct berm_network_ends ends;

/* Makes it all as netns.c does; six: as on a machine that has no IPv6, if it is false. */
static int make_network(bool six)
{
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], failed = ~0U;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return NO_NAMESPACES;
	netns_addresses(&out);
	errno = 0;
	if (nl_transact_many(NETLINK_ROUTE, &out, NETNS_ADDRESSES_LAST, NETNS_ADDRESSES_IP6, &failed) != 0)
		return 1;
	six = six && failed == 0;
	if (ends_open(six, &ends) != 0 || errno != 0)
		return 2;
	out = nl_into(bytes, sizeof(bytes));
	uint32_t last = netns_rules(&out, six);
	return nl_transact_many(NETLINK_NETFILTER, &out, last, 0, &failed) == 0 ? 0 : NO_RULES;
}

union name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t name_of(int family, const char *text, uint16_t port, union name *ret_name)
{
	memset(ret_name, 0, sizeof(*ret_name));
	ret_name->any.sa_family = (sa_family_t)family;
	ret_name->in.sin_port = htons(port); /* at the same place in both */
	void *at = family == AF_INET ? (void *)&ret_name->in.sin_addr : (void *)&ret_name->in6.sin6_addr;
	(void)inet_pton(family, text, at);
	return family == AF_INET ? sizeof(ret_name->in) : sizeof(ret_name->in6);
}

/* Does a connection to it come to the end, and know where it was going? */
static bool comes_to(int end, int family, const char *text, uint16_t port)
{
	union name wanted, seen = {0};
	socklen_t len = name_of(family, text, port, &wanted), seen_len = sizeof(seen);
	auto_fd int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 || connect(client, &wanted.any, len) != 0)
		return false;
	auto_fd int served = accept4(end, NULL, NULL, SOCK_CLOEXEC);
	return served >= 0 && getsockname(served, &seen.any, &seen_len) == 0 && memcmp(&seen, &wanted, len) == 0;
}

static bool asks_dns(int end, int family, const char *text)
{
	char query[8] = "query", seen[8] = "";
	union name wanted;
	socklen_t len = name_of(family, text, NETNS_DNS_PORT, &wanted);
	auto_fd int client = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return client >= 0 && sendto(client, query, sizeof(query), 0, &wanted.any, len) == sizeof(query) &&
	       recv(end, seen, sizeof(seen), 0) == sizeof(seen) && memcmp(seen, query, sizeof(query)) == 0;
}

static int fails_with(int family, const char *text, uint16_t port, int type)
{
	union name wanted;
	socklen_t len = name_of(family, text, port, &wanted);
	auto_fd int client = socket(family, type | SOCK_CLOEXEC, 0);
	if (client < 0 || connect(client, &wanted.any, len) != 0)
		return errno;
	if (type == SOCK_DGRAM && (send(client, "x", 1, 0) != 1 || recv(client, &wanted, 1, 0) < 0))
		return errno;
	return 0;
}

static int lead_four(void)
{
	if (!comes_to(ends.tcp[0], AF_INET, "203.0.113.5", 80) || !comes_to(ends.tcp[0], AF_INET, "10.0.0.1", 65535) ||
	    !comes_to(ends.tcp[0], AF_INET, "198.18.0.2", 809))
		return 10;
	if (!comes_to(ends.dns_tcp[0], AF_INET, "203.0.113.5", 53) ||
	    !asks_dns(ends.dns_udp[0], AF_INET, "203.0.113.5"))
		return 11;
	if (!comes_to(ends.proxy[0], AF_INET, "127.0.0.1", ends.proxy_port))
		return 12;
	/* what is not led anywhere ends here */
	if (fails_with(AF_INET, "127.0.0.1", 80, SOCK_STREAM) != ECONNREFUSED ||
	    fails_with(AF_INET, "198.18.0.1", 80, SOCK_STREAM) != ECONNREFUSED ||
	    fails_with(AF_INET, "203.0.113.5", 443, SOCK_DGRAM) != ECONNREFUSED)
		return 13;
	return accept(ends.tcp[0], NULL, NULL) < 0 && errno == EAGAIN ? 0 : 14;
}

static int lead_six(void)
{
	if (!comes_to(ends.tcp[1], AF_INET6, "2001:db8::1", 80) ||
	    !comes_to(ends.dns_tcp[1], AF_INET6, "2001:db8::1", 53) ||
	    !asks_dns(ends.dns_udp[1], AF_INET6, "2001:db8::1") ||
	    !comes_to(ends.proxy[1], AF_INET6, "::1", ends.proxy_port))
		return 20;
	if (fails_with(AF_INET6, "::1", 80, SOCK_STREAM) != ECONNREFUSED ||
	    fails_with(AF_INET6, "fd62:6572:6d00::1", 80, SOCK_STREAM) != ECONNREFUSED)
		return 21;
	return 0;
}

static int lead_both(void)
{
	int result = make_network(true);
	if (result == 0)
		result = lead_four();
	return result != 0 || ends.tcp[1] < 0 ? result : lead_six();
}

static void test_connections_and_queries_are_led(void **state)
{
	(void)state;
	check_in_child(lead_both);
}

/* The rules and ends of IPv4 alone are whole, and nothing of the other family is led. */
static int lead_without_six(void)
{
	int result = make_network(false);
	if (result != 0)
		return result;
	if (ends.tcp[1] != -1 || ends.dns_udp[1] != -1 || ends.dns_tcp[1] != -1 || ends.proxy[1] != -1)
		return 30;
	return fails_with(AF_INET6, "2001:db8::1", 80, SOCK_STREAM) != 0 ? lead_four() : 31;
}

static void test_without_ip6(void **state)
{
	(void)state;
	check_in_child(lead_without_six);
}

static bool has_ip6_loopback(void)
{
	const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	auto_fd int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)) == 0;
}

/* As the kernel is when IPv6 is switched off for what is new: the messages for it fail, and that is told. */
static int switched_off(void)
{
	static const char *const file = "/proc/sys/net/ipv6/conf/lo/disable_ipv6";
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], failed = 0;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return NO_NAMESPACES;
	auto_fd int fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return NO_NAMESPACES;
	netns_addresses(&out);
	errno = 0;
	if (nl_transact_many(NETLINK_ROUTE, &out, NETNS_ADDRESSES_LAST, NETNS_ADDRESSES_IP6, &failed) != 0 ||
	    failed == 0 || (failed & ~(uint32_t)NETNS_ADDRESSES_IP6) != 0 || errno != 0)
		return 40;
	if (has_ip6_loopback())
		return 41;
	/* and where it may not fail it does not pass */
	out = nl_into(bytes, sizeof(bytes));
	nl_address(&out, AF_INET6, NL_LOOPBACK_INDEX, netns_own6);
	return nl_transact_many(NETLINK_ROUTE, &out, 0, 0, &failed) == -1 && errno != 0 ? 0 : 42;
}

static void test_ip6_that_is_switched_off_is_told(void **state)
{
	(void)state;
	check_in_child(switched_off);
}

/* A batch whose one rule is refused leaves nothing in force. */
static int all_or_nothing(void)
{
	static const struct nft_chain nowhere = {"berm", "none", "filter", 0, 0};
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], failed;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	int result = make_network(true);
	if (result != 0)
		return result;
	nft_begin(&out);
	nft_table(&out, "other");
	nft_rule_end(&out, nft_rule_begin(&out, &nowhere, true));
	nft_end(&out);
	if (nl_transact_many(NETLINK_NETFILTER, &out, 2, 0, &failed) != -1 || errno != ENOENT)
		return 50;
	return lead_four();
}

static void test_a_refused_rule_is_told(void **state)
{
	(void)state;
	check_in_child(all_or_nothing);
}

static void test_origins_are_packets_and_do_not_block(void **state)
{
	struct berm_network_ends made;
	int origins = -1;
	char packet[16] = "";
	(void)state;
	ends_clear(&made);
	assert_int_equal(ends_origins(&made, &origins), 0);
	assert_int_equal(send(origins, "one", 3, 0), 3);
	assert_int_equal(send(origins, "second", 6, 0), 6);
	assert_int_equal(recv(made.origins, packet, sizeof(packet), 0), 3);
	assert_int_equal(recv(made.origins, packet, sizeof(packet), 0), 6);
	assert_int_equal(recv(made.origins, packet, sizeof(packet), 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(close(origins), 0);
	assert_int_equal(recv(made.origins, packet, sizeof(packet), 0), 0);
	ends_close(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_bytes),
		cmocka_unit_test(test_route_bytes),
		cmocka_unit_test(test_batch_bytes),
		cmocka_unit_test(test_chain_bytes),
		cmocka_unit_test(test_rule_bytes),
		cmocka_unit_test(test_what_is_waited_for_is_answered),
		cmocka_unit_test(test_rules_that_do_not_fit_are_not_sent),
		cmocka_unit_test(test_connections_and_queries_are_led),
		cmocka_unit_test(test_without_ip6),
		cmocka_unit_test(test_ip6_that_is_switched_off_is_told),
		cmocka_unit_test(test_a_refused_rule_is_told),
		cmocka_unit_test(test_origins_are_packets_and_do_not_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
