/*
 * One client connection, from the moment that it is known whose it is and where it goes. flow.c looks at the first bytes and
 * takes the way that fits: TLS by its hello, HTTP by http_flow.h, anything else as it is; a proxy's client by proxy_flow.h.
 */
#ifndef BERM_EGRESS_FLOW_H
#define BERM_EGRESS_FLOW_H

#include "base/buf.h"
#include "egress/egress.h"
#include "egress/reach.h"

/* What a way is given, all of it its own from then on but egress: it closes client, releases the synthetic address, and
 * calls flow_over once at its end. */
struct flow_start {
	struct egress *egress;
	int client; /* non-blocking */
	struct door_task task;
	bool by_proxy;
	struct host host; /* where the program wanted to go; by_proxy: none yet (HOST_NONE) */
	uint16_t port;
	struct net_address held; /* the synthetic address that is held for it; NET_NONE: none */
	bool http_rules;	 /* what is no HTTP is not sent */
	bool half_open;		 /* counted as such: flow_settled */
	struct str first;	 /* bytes of the client that were read already; copy them */
	/* Not 0: upstream is connected to host and port already, allowed as this; to be used or closed. */
	uint64_t connection;
	uint32_t generation; /* of the rules under which it was asked for, or older */
	int upstream;
	struct net_address address; /* that it is connected to; NET_NONE: not known, or a proxy's */
};

/* It is decided, and dialled: no longer one of limits.half_open. May be called again. */
void flow_settled(struct flow_start *flow);
/* Closes the client (and upstream, if connection is not 0), releases what is held, counts down. */
void flow_over(struct flow_start *flow);
/* The same with a reset, which no client takes for an end of the data. */
void flow_reset(struct flow_start *flow);
/* Sends text and ends, such that the client can read it: what it still sends is thrown away for a while. Takes the flow. */
void flow_answer(struct flow_start *flow, struct str text);
/* Fills in what is known of the flow: version, kind, task, host, port, by_proxy. */
void flow_question(const struct flow_start *flow, enum door_kind kind, struct door_question *ret_question);

/* ---- flow.c: what was led here, of whatever protocol. Takes the flow. ---- */
void flow_start(const struct flow_start *start);

/* ---- flow.c: a tunnel that a client of the proxy asked for (CONNECT, SOCKS) ----
 * Takes the flow, whose host, port, first, connection and upstream are set. Sends reply to the client; what the client sends
 * then is looked at like the first bytes of any other connection to that host. */
void flow_tunnel(struct flow_start *start, struct str reply);

/* ---- http_flow.c: HTTP/1.1 of a client that knows of no proxy, or (host is none) of one that does (absolute form,
 * CONNECT). Uses the connection that the flow has, if it has one, and asks for others. ---- */
/* Takes the flow; on an error the client is closed all the same. */
void http_flow_start(struct flow_start *flow);
/* Does it look like HTTP, well or badly formed (also behind empty lines, in lower case, of version 2)? 0: no, 1: yes,
 * -1: more bytes are needed. */
int http_flow_looks(struct str first);
/* The whole of a refusal: status, Connection: close, JSON {error, rule, detail, grant, retry: false}. Trying again makes
 * sense only with 429, 502, 503 and 504. */
struct http_refusal {
	uint16_t status;
	const char *error, *rule, *detail, *grant; /* "" or NULL: none */
	const char *field;			   /* one more line of the head; NULL: none */
	uint32_t retry_after_s;			   /* 0: not told */
};
void http_refusal_print(const struct http_refusal *refusal, struct buf *out);
/* What a way to host ended with that was not allowed or led nowhere. Borrows result and detail, which is filled. */
enum { HTTP_DETAIL_MAX = 400 };
struct http_refusal http_refusal_of(const struct reach_result *result, const char *host, uint16_t port,
				    char detail[static HTTP_DETAIL_MAX]);

/* ---- proxy_flow.c: clients of the proxy's end: SOCKS 5 by its first byte, else HTTP ---- */
void proxy_flow_start(struct flow_start *flow);

/* ---- relay.c: bytes both ways until both sides have ended ---- */
/* Takes the flow and upstream, and what is to be sent first to either; connection: reach_connection. */
void relay_start(struct flow_start *flow, int upstream, struct str to_upstream, struct str to_client,
		 uint64_t connection);

#endif
