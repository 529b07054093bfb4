/*
 * What a name server's reply says of the addresses of a name. Records are read in their order: a CNAME of the name leads
 * to the next one, as resolvers write them; what is about other names is passed over. The header's code and whose reply it
 * is were looked at by c-ares. Pure, no heap.
 */
#ifndef BERM_EGRESS_DNS_REPLY_H
#define BERM_EGRESS_DNS_REPLY_H

#include "format/dns.h"

enum { DNS_REPLY_ADDRESSES_MAX = 16 };

struct dns_reply {
	size_t count;
	struct net_address addresses[DNS_REPLY_ADDRESSES_MAX]; /* the first ones, each once */
	uint32_t ttl; /* seconds, the lowest of the records that led there; without an address it says nothing */
};

/* name: canonical (host.h). type: DNS_A or DNS_AAAA. Errors: PARSE (also a reply to another question). */
MUST_USE enum berm_code dns_reply_read(struct span message, struct str name, enum dns_type type,
				       struct dns_reply *ret_reply, struct berm_err *err);

#endif
