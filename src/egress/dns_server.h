/*
 * The DNS ends of a sandbox: queries to port 53 of whatever address, over UDP and TCP. What is answered is dns_names.h's.
 * A UDP answer goes with the control data that came with its query (berm_network_ends says why). A TCP client has some
 * queries under way at most, and some seconds for each.
 */
#ifndef BERM_EGRESS_DNS_SERVER_H
#define BERM_EGRESS_DNS_SERVER_H

#include "egress/egress.h"

enum {
	DNS_SERVER_BATCH = 16,	    /* messages of a turn */
	DNS_SERVER_CLIENTS = 128,   /* of TCP; more: the oldest without a query under way goes */
	DNS_SERVER_PIPELINE = 16,   /* queries of one client under way; it is not read further */
	DNS_SERVER_IDLE_MS = 10000, /* from one whole query to the next, if none is under way (RFC 7766 6.2.3) */
};

struct dns_server;

/* udp and tcp: index 0 IPv4, 1 IPv6; -1: none. They are the server's from then on, after an error as well. Errors: SYS,
 * NOMEM. */
MUST_USE enum berm_code dns_server_new(struct egress *egress, const int udp[2], const int tcp[2],
				       struct dns_server **ret_server, struct berm_err *err);
void dns_server_free(struct dns_server *server);

#endif
