/*
 * What the files of http_flow share: one client's connection, with the one upstream that it has at a time. Requests are
 * served in their order, one after the other; what came of the next one waits. A head is kept in client.in while the monitor
 * is asked about it, and read once more then: nothing of it is copied, and nothing is kept of a connection that is idle.
 *
 *   http_flow.c      beginning, events, deadlines, end
 *   http_client.c    requests: read, judged, passed on
 *   http_ask.c       the monitor's answer, a connection upstream, tunnels of a proxy's clients
 *   http_upstream.c  responses
 *   http_side.c      bytes in and out of either side
 */
#ifndef BERM_EGRESS_HTTP_PARTS_H
#define BERM_EGRESS_HTTP_PARTS_H

#include "egress/flow.h"
#include "format/http1.h"

enum {
	HTTP_SCRATCH = 98304,		   /* what is kept of a side, and what is read behind it */
	HTTP_READ_MAX = 65536,		   /* at a time */
	HTTP_DIRECT_MIN = 16384,	   /* a run of payload of which no copy is made */
	HTTP_KEPT_MAX = 128 * 1024 * 1024, /* by all connections; beyond it little is read at a time */
	HTTP_READ_LITTLE = 4096,
	HTTP_INFORMAL_MAX = 16, /* responses of 1xx to one request */
};

struct http_side {
	struct loop_source source;
	int fd;		/* -1: none */
	struct buf in;	/* came, and is not used up yet */
	struct buf out; /* is to be sent */
	size_t out_at;	/* of it was sent */
	uint64_t received, sent;
	struct http1_find find;
	struct http1_body body;	     /* of the message that comes from here */
	enum http1_body_kind passed; /* as what it is passed on */
	bool ended;		     /* nothing more comes */
	bool broken;		     /* nothing can be sent any more; what would be is dropped */
	bool hung;		     /* epoll tells so whenever it is asked */
	bool muted;		     /* something came that nobody wants yet */
};

/* Of the requests. */
enum http_state {
	HTTP_AT_HEAD = 0, /* the next head is waited for */
	HTTP_ASKING,	  /* it is in client.in; http_ask.c is at work */
	HTTP_IN_BODY,
	HTTP_SENT,    /* it is passed on, the response is not */
	HTTP_LEAVING, /* nothing more is served: what there is for the client is sent, then the client closes */
};

/* Of the responses. */
enum http_answering {
	HTTP_SILENT = 0, /* nothing was asked for, so nothing may come */
	HTTP_AT_STATUS,
	HTTP_ANSWERING, /* the head was passed on */
	HTTP_ANSWERED,
};

/* What a deadline is for. */
enum http_phase { HTTP_NO_PHASE = 0, HTTP_IDLE, HTTP_SLOW_HEAD, HTTP_EXCHANGE, HTTP_LINGER };

struct http_flow {
	struct flow_start flow;
	struct http_side client, upstream;
	struct loop_source timer;
	struct reach reach;
	struct egress_open open; /* while there is an upstream */
	struct door_wait recheck;
	size_t kept; /* of egress->kept_bytes */
	enum http_state state;
	enum http_answering answering;
	enum http_phase phase;
	bool proxy; /* the client knows that it speaks to a proxy */

	/* The request. */
	size_t head_len;  /* of the head in client.in, once it is whole */
	bool admitted;	  /* it may be passed on */
	bool tunnel;	  /* it is a CONNECT */
	bool close;	  /* the client's connection ends behind the response */
	uint8_t minor;	  /* the client's version */
	uint8_t informal; /* responses of 1xx */
	struct http1_asked asked;

	/* The upstream. */
	struct host host; /* whose it is */
	uint16_t port;
	uint64_t connection;
	uint32_t requests;	    /* that it was sent */
	bool upstream_close;	    /* it ends behind the response */
	bool by_upstream_proxy;	    /* it is one */
	struct net_address address; /* NET_NONE: not known, or a proxy's */
	char *login;		    /* for that one; NULL: none */
	bool covered;		    /* all requests to host and port may pass, as long as the generation is in force */
	uint32_t generation, asked_generation; /* of covered; of the question that is under way */

	bool moved;  /* bytes did, in this callback */
	bool again;  /* client.in is to be looked at once more */
	bool over;   /* to be freed at the end of this callback */
	bool reset;  /* with a reset: what the client got is not whole */
	bool handed; /* the client's connection is another's now */
};

/* ---- http_flow.c ---- */
/* What every callback ends with: the flow may be freed. */
void http_flow_settle(struct http_flow *h);
/* Answers with a refusal and serves nothing more; a reset if a response has begun. */
void http_flow_refuse(struct http_flow *h, const struct http_refusal *refusal);
/* The same for what @egress refuses by itself, which it tells the monitor. */
void http_flow_refuse_own(struct http_flow *h, uint16_t status, const char *error, const char *detail);
void http_flow_reset(struct http_flow *h);
/* What is under way to the client is sent, then it is closed. */
void http_flow_leave(struct http_flow *h);
/* A run of payload goes to the other side. */
void http_flow_pass(struct http_flow *h, struct http_side *from, struct http_side *to, struct span data);
/* Sends what was gathered. */
void http_flow_flush(struct http_flow *h, struct http_side *to);
/* Watches a new connection. */
void http_flow_attach(struct http_flow *h, int fd, uint64_t connection);
void http_flow_drop_upstream(struct http_flow *h);
/* It is no longer ours to be asked for again after a reload. */
void http_flow_close_open(struct http_flow *h);

/* ---- http_client.c ---- */
/* bytes: all that there is of the client. What is not used is kept. */
void http_client_take(struct http_flow *h, struct span bytes);

/* ---- http_ask.c ---- */
/* Are all requests to its host allowed? */
bool http_ask_is_free(const struct http_flow *h, const struct http1_request *request);
/* May it be passed on at once, on the connection that is there? */
bool http_ask_may_pass(const struct http_flow *h, const struct http1_request *request);
/* Else: the monitor is asked, and a connection made if there is none. */
void http_ask_start(struct http_flow *h, const struct http1_request *request);

/* ---- http_upstream.c ---- */
void http_upstream_take(struct http_flow *h, struct span bytes);
/* whole: it was an end, not a failure. */
void http_upstream_end(struct http_flow *h, bool whole);
/* Request and response are over, if they are. */
void http_upstream_finish(struct http_flow *h);

/* ---- http_side.c: one thread has one scratch buffer and one that gathers output; neither is kept over a callback ---- */
void http_side_init(struct http_side *side);
void http_side_done(struct http_side *side); /* without its descriptor */
size_t http_side_pending(const struct http_side *side);
/* What was kept, in the scratch buffer. */
struct span http_side_load(struct http_side *side);
/* The same with what there is to be read behind it. Returns what recv did. */
ssize_t http_side_read(struct http_side *side, size_t max, struct span *ret_bytes);
/* Keeps rest, which lies in the scratch buffer. False: out of memory. */
bool http_side_keep(struct http_side *side, struct span rest);
struct buf *http_side_gather(void);
/* Sends what was gathered, then parts (at most two); what cannot be sent now is kept. False: out of memory. */
bool http_side_send(struct http_side *side, const struct span *parts, size_t count);
/* Sends what was kept. */
void http_side_flush(struct http_side *side);

#endif
