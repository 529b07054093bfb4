/*
 * DNS messages (RFC 1035, 6891, 8914, 9460) as a filter needs them: one question is read strictly, an answer is written.
 * Not a resolver: no answer of others is read here. Pure, no heap, no clock.
 *
 * How clients take answers decides how a filter gives them:
 *  - Refusal: NXDOMAIN with a SOA. musl takes only NOERROR and NXDOMAIN for an answer and waits out its 5 s at any other
 *    code; glibc and Go ask the next server, then the same again, and report "try again" for REFUSED and SERVFAIL. NXDOMAIN
 *    ends the lookup at once for all of them, and the SOA tells for how long (RFC 2308). REFUSED is for what is no question
 *    about a host at all (zone transfers, classes other than IN), SERVFAIL for a failure of ours.
 *  - A name that exists but has nothing of this type gets NODATA (NOERROR, no answer, SOA), never NXDOMAIN: clients ask A
 *    and AAAA side by side, and one NXDOMAIN can end both.
 *  - HTTPS and SVCB: NODATA, always. A client then uses A and AAAA (RFC 9460, 3), so it comes to us over TCP with a
 *    readable server name. Its own record would take it elsewhere: ipv4hint and ipv6hint to the real address, alpn=h3 to
 *    UDP, ech to a hidden server name, a TargetName to another name. An error code instead would make careful clients
 *    give up (RFC 9460, 3.1).
 */
#ifndef BERM_FORMAT_DNS_H
#define BERM_FORMAT_DNS_H

#include "format/address.h"

#define DNS_NAME_TEXT_MAX 253 /* bytes of a name as text, without the final dot */
#define DNS_QUESTION_MAX 259  /* bytes of a question: a name of 255, type, class */
#define DNS_QUERY_MAX 4096    /* bytes of a query: header, question, OPT; more is refused (LIMIT) */
#define DNS_UDP_MIN 512	      /* what everyone takes over UDP */
#define DNS_UDP_MAX 1232      /* what we offer and send over UDP, whatever the client says (DNS flag day 2020) */
#define DNS_ADDRESSES_MAX 8   /* of one answer */
#define DNS_REASON_TEXT_MAX 128
#define DNS_FRAME_SIZE 2			 /* length in front of a message over TCP (RFC 1035 4.2.2) */
#define DNS_RESPONSE_SIZE (DNS_FRAME_SIZE + 768) /* no response is longer */

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_OPT = 41,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

enum dns_code {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16
};

/* What may be told beside the code (RFC 8914), to clients that sent an OPT. */
enum dns_reason {
	DNS_NO_REASON = 0,
	DNS_BLOCKED = 15,
	DNS_PROHIBITED = 18,
	DNS_NOT_READY = 14,
	DNS_NETWORK_ERROR = 23
};

struct dns_query {
	uint16_t id;
	uint8_t opcode; /* 0: QUERY */
	bool recursion_desired, checking_disabled;
	bool has_edns, dnssec_ok;
	uint16_t udp_size;		    /* what the client takes over UDP: DNS_UDP_MIN to DNS_UDP_MAX */
	uint16_t type, class;		    /* as asked; enum dns_type for the known ones */
	uint8_t question[DNS_QUESTION_MAX]; /* its bytes as they came: 0x20-randomised letters are given back */
	uint16_t question_len;
	char name[DNS_NAME_TEXT_MAX + 1]; /* canonical: lower case, no final dot, NUL-terminated; "" for the root */
	uint8_t name_len;
	bool is_host;	    /* name is a host's (host.h), and no address; else it is only for the log */
	enum dns_code code; /* not NOERROR: what to answer, whatever the name */
};

/*
 * Reads one message without its TCP length. Fails (PARSE, LIMIT) for what gets no answer: shorter than a header, a
 * response, too long. Anything else that is wrong, but has a header, succeeds with code set: FORMERR (not exactly one
 * question, records other than one OPT, compression or a bad label in the question, bytes left over), NOTIMP (an opcode
 * but QUERY), BADVERS (EDNS above 0), REFUSED (a class but IN, a zone transfer, a type that is no data). question_len is
 * then 0 if the question could not be read.
 * Bytes of the name that are no host name's, also a '.' inside a label, are written as '?'; is_host is then false, and
 * the right answer is NXDOMAIN.
 */
MUST_USE enum berm_code dns_query_parse(struct span message, struct dns_query *ret_query, struct berm_err *err);

struct dns_answer {
	enum dns_code code;
	const struct net_address *addresses; /* of the family that the type asks for; others are left out */
	size_t address_count;		     /* the first DNS_ADDRESSES_MAX are sent */
	const char *pointer;		     /* a canonical name, sent if the type is PTR; NULL: none */
	uint32_t ttl;			     /* seconds, of addresses or of the absence */
	enum dns_reason reason;		     /* with EDNS only */
	const char *reason_text;	     /* cut at DNS_REASON_TEXT_MAX bytes; NULL: none */
};

enum dns_transport { DNS_UDP = 0, DNS_TCP };

/*
 * Writes the response to query, over TCP with its length in front; returns how many bytes it takes, at most
 * DNS_RESPONSE_SIZE. NOERROR without an address or pointer that fits the type is NODATA; it and NXDOMAIN carry a SOA of ttl.
 * query->code, if set, wins over the answer's. What does not fit the client's UDP size goes without reason_text, and what
 * still does not without any record but with TC set, so that the client asks again over TCP.
 */
size_t dns_respond(const struct dns_query *query, const struct dns_answer *answer, enum dns_transport transport,
		   uint8_t ret_bytes[DNS_RESPONSE_SIZE]);

/* Over TCP: the message at the front of bytes, borrowed from there; *ret_taken is what to take off the front for it, 0 if
 * more bytes are needed. Errors: LIMIT (longer than DNS_QUERY_MAX), PARSE (shorter than a header): close the connection. */
MUST_USE enum berm_code dns_frame_next(struct span bytes, struct span *ret_message, size_t *ret_taken,
				       struct berm_err *err);
/* "A", "HTTPS", or "TYPE65535" (RFC 3597). */
const char *dns_type_text(uint16_t type, char ret_text[16]);

#endif
