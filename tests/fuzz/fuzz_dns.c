/* Target: dns_query_parse, dns_respond, dns_frame_next. Whatever has a header and is a query is answered, with its id, within
 * what the client takes, and with the question as it came. */
#include <stdlib.h>
#include <string.h>

#include "format/dns.h"
#include "format/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_query(const struct dns_query *query)
{
	struct host host;
	check(query->name[query->name_len] == '\0' && strlen(query->name) == query->name_len);
	check(query->question_len <= DNS_QUESTION_MAX);
	check(query->udp_size >= DNS_UDP_MIN && query->udp_size <= DNS_UDP_MAX);
	if (!query->is_host)
		return;
	check(host_read((struct str){query->name, query->name_len}, false, &host, NULL) && host.kind == HOST_NAME);
	check(strcmp(host.name, query->name) == 0);
}

static void check_response(const struct dns_query *query, const struct dns_answer *answer)
{
	uint8_t udp[DNS_RESPONSE_SIZE], tcp[DNS_RESPONSE_SIZE];
	size_t udp_len = dns_respond(query, answer, DNS_UDP, udp), tcp_len = dns_respond(query, answer, DNS_TCP, tcp);
	check(udp_len >= 12 && udp_len <= query->udp_size && tcp_len <= sizeof(tcp));
	check((size_t)(tcp[0] << 8 | tcp[1]) + DNS_FRAME_SIZE == tcp_len);
	check((udp[0] << 8 | udp[1]) == query->id && (udp[2] & 0x80) != 0);
	check(memcmp(udp + 12, query->question, query->question_len) == 0);
	check((tcp[4] & 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct net_address addresses[] = {
		{NET_IPV4, {198, 18, 1}}, {NET_IPV6, {0xfd}}, {NET_IPV6, {0xfe}}};
	static char longest[HOST_NAME_MAX + 1];
	static const struct dns_answer answers[] = {
		{.addresses = addresses, .address_count = 3, .ttl = 30},
		{.code = DNS_NXDOMAIN, .ttl = 5, .reason = DNS_BLOCKED, .reason_text = "no rule names it"},
		{.code = DNS_SERVFAIL},
		{.pointer = longest, .ttl = 5},
	};
	memset(longest, 'a', sizeof(longest) - 1);
	for (size_t i = 63; i < sizeof(longest) - 1; i += 64)
		longest[i] = '.';
	struct dns_query query;
	struct span message, bytes = {data, size};
	size_t taken;
	if (dns_frame_next(bytes, &message, &taken, NULL) == BERM_OK && taken > 0)
		check(taken == message.len + DNS_FRAME_SIZE && taken <= size);
	if (dns_query_parse(bytes, &query, NULL) != BERM_OK)
		return 0;
	check_query(&query);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		check_response(&query, &answers[i]);
	return 0;
}
