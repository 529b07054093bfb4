#include "sandbox/netns_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "os/nl_nft.h"
#include "os/nl_route.h"

enum { PRIORITY_MANGLE = -150, IP4_DESTINATION = 16, IP6_DESTINATION = 24, TCP_DESTINATION = 2 };

const uint8_t netns_own4[4] = {198, 18, 0, 1};
const uint8_t netns_own6[16] = {0xfd, 0x62, 0x65, 0x72, 0x6d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

/* With an address beside the loopback's, programs that ask which families there are find them; and what is connected
 * anywhere has that one as its own, not the one that it connects to. */
void netns_addresses(struct nl_out *out)
{
	nl_link_up(out, NL_LOOPBACK_INDEX);
	nl_address(out, AF_INET, NL_LOOPBACK_INDEX, netns_own4);
	nl_all_local(out, AF_INET, NL_LOOPBACK_INDEX, netns_own4);
	nl_address(out, AF_INET6, NL_LOOPBACK_INDEX, netns_own6);
	nl_all_local(out, AF_INET6, NL_LOOPBACK_INDEX, netns_own6);
}

static const struct nft_chain chain = {"berm", "in", "filter", NF_INET_PRE_ROUTING, PRIORITY_MANGLE};

/* TCP of this family, but DNS. */
static void match_tcp(struct nl_out *out, uint8_t family)
{
	const uint8_t tcp = IPPROTO_TCP;
	const uint16_t dns = htons(NETNS_DNS_PORT);
	nft_meta(out, NFT_META_NFPROTO);
	nft_compare(out, NFT_CMP_EQ, &family, sizeof(family));
	nft_meta(out, NFT_META_L4PROTO);
	nft_compare(out, NFT_CMP_EQ, &tcp, sizeof(tcp));
	nft_payload(out, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DESTINATION, sizeof(dns));
	nft_compare(out, NFT_CMP_NEQ, &dns, sizeof(dns));
}

static void give_to_end(struct nl_out *out, uint32_t family, const void *loopback, size_t size)
{
	const uint16_t port = htons(NETNS_TCP_PORT);
	nft_immediate(out, NFT_MATCH, loopback, size);
	nft_immediate(out, NFT_VALUE, &port, sizeof(port));
	nft_tproxy(out, family);
}

static void put_rule4(struct nl_out *out, bool last)
{
	const uint8_t network = 127;
	const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
	size_t rule = nft_rule_begin(out, &chain, last);
	match_tcp(out, NFPROTO_IPV4);
	nft_payload(out, NFT_PAYLOAD_NETWORK_HEADER, IP4_DESTINATION, sizeof(network));
	nft_compare(out, NFT_CMP_NEQ, &network, sizeof(network));
	nft_payload(out, NFT_PAYLOAD_NETWORK_HEADER, IP4_DESTINATION, sizeof(netns_own4));
	nft_compare(out, NFT_CMP_NEQ, netns_own4, sizeof(netns_own4));
	give_to_end(out, NFPROTO_IPV4, &loopback, sizeof(loopback));
	nft_rule_end(out, rule);
}

static void put_rule6(struct nl_out *out)
{
	size_t rule = nft_rule_begin(out, &chain, true);
	match_tcp(out, NFPROTO_IPV6);
	nft_payload(out, NFT_PAYLOAD_NETWORK_HEADER, IP6_DESTINATION, sizeof(netns_own6));
	nft_compare(out, NFT_CMP_NEQ, &in6addr_loopback, sizeof(in6addr_loopback));
	nft_compare(out, NFT_CMP_NEQ, netns_own6, sizeof(netns_own6));
	give_to_end(out, NFPROTO_IPV6, &in6addr_loopback, sizeof(in6addr_loopback));
	nft_rule_end(out, rule);
}

uint32_t netns_rules(struct nl_out *out, bool six)
{
	nft_begin(out);
	nft_table(out, chain.table);
	nft_chain(out, &chain);
	put_rule4(out, !six);
	if (six)
		put_rule6(out);
	uint32_t last = out->count - 1;
	nft_end(out);
	return last;
}
