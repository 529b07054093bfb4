/*
 * The door between @egress and the monitor: every decision about a name, a connection or a request is asked of the monitor,
 * which has the policy, the approvals and the events; @egress has none of them. One SOCK_SEQPACKET pair, one message a
 * packet (door_message.h), with at most one text behind it. The side that gets a message checks it whole: a bad one is
 * dropped by the monitor (no answer: a denial when the deadline passes), and ends @egress.
 *
 * An answer may come at once, or after a person was asked. A question that nobody waits for any more is withdrawn.
 */
#ifndef BERM_EGRESS_DOOR_H
#define BERM_EGRESS_DOOR_H

#include "base/str.h"
#include "format/host.h"

enum {
	DOOR_TARGET_MAX = 8192, /* bytes of an HTTP target; a longer one is refused (414) before anybody is asked */
	DOOR_ADDRESSES_MAX = 16,
	DOOR_MESSAGE_MAX = 12288,
	DOOR_VERSION = 1,
};

enum door_kind {
	DOOR_NONE = 0,
	/* @egress asks: */
	DOOR_DNS,	/* may this name be known at all? host, dns_type */
	DOOR_CONNECT,	/* host (a name or an address), port */
	DOOR_HTTP,	/* host, port, method, target (text: canonical path and query) */
	DOOR_ADDRESSES, /* host, port, method and target as in the question before; which of these may be dialled? */
	DOOR_RECHECK, /* a connection that is open, after a reload: as CONNECT, nobody is asked, no event if allowed */
	/* @egress tells: */
	DOOR_WITHDRAW, /* nobody waits for the answer to id */
	DOOR_EVENT,    /* something was refused by @egress itself: host, port, detail (text) */
	DOOR_CLOSED,   /* a connection that was allowed (id) is over: sent, received */
	/* the monitor answers and tells: */
	DOOR_ANSWER,
	DOOR_RELOADED, /* another generation is in force: what is open is to be asked for again (RECHECK) */
	DOOR_ENDS,     /* the sandbox's network, with its descriptors (SCM_RIGHTS), once: text is a struct door_ends */
};

/* Who is at the other end of a connection; zero where it is not known. */
struct door_task {
	int32_t pid;
	uint64_t exe_dev, exe_ino;
	char exe[256];
};

struct door_question {
	uint16_t version;    /* DOOR_VERSION */
	uint16_t kind;	     /* enum door_kind */
	uint32_t text_len;   /* told by door.c */
	uint64_t id;	     /* of @egress, not 0, unique in its life */
	uint64_t connection; /* the CONNECT or HTTP question under which it is dialled; 0: none */
	struct door_task task;
	char host[HOST_NAME_MAX + 1]; /* canonical; "" if a DNS question is for no host */
	char method[25];
	uint16_t port;
	uint16_t dns_type;
	uint8_t by_proxy; /* it came by the proxy's end */
	uint8_t tls;	  /* the client began TLS */
	uint8_t address_count;
	struct net_address addresses[DOOR_ADDRESSES_MAX];
	uint64_t sent, received; /* bytes: DOOR_CLOSED */
};

enum door_verdict { DOOR_DENY = 0, DOOR_ALLOW };

/* Why a question was denied, for the form of the refusal. */
enum door_why { DOOR_BY_RULE = 0, DOOR_BY_PERSON, DOOR_UNANSWERED, DOOR_BY_ADDRESS, DOOR_BY_RATE, DOOR_BY_FAULT };

struct door_answer {
	uint16_t version, kind; /* DOOR_ANSWER, DOOR_RELOADED, DOOR_ENDS */
	uint32_t text_len;
	uint64_t id; /* of the question */
	uint32_t generation;
	uint8_t verdict, why;
	uint8_t http_rules;   /* CONNECT: every request is to be asked for as HTTP, and what is not HTTP is not sent */
	uint8_t all_requests; /* HTTP: no line tells requests to this host and port apart; until the next generation none
			       * is to be asked for on this connection. 0: each is */
	uint8_t close_denied;	/* RELOADED: what the new rules deny is closed; else it may go on */
	uint16_t allowed;	/* ADDRESSES: bit i for addresses[i] */
	uint16_t upstream_port; /* not 0: dial this proxy instead (upstream_host), with CONNECT or an absolute form */
	uint32_t wait_ms;	/* not 0, ALLOW: the route's rate is used up so far; begin no sooner than this */
	char upstream_host[HOST_NAME_MAX + 1];
	char upstream_login[512]; /* "Basic ..." for it; "": none */
	char rule[320];		  /* the line that decided, for the refusal's text */
	char grant[512];	  /* what would allow it; "": nothing does */
};

/* The text of DOOR_ENDS; the descriptors follow in this order, as many as are counted: tcp[0], tcp[1], dns_udp[0], [1],
 * dns_tcp[0], [1], proxy[0], [1], origins; those whose bit is set in present. */
enum { DOOR_END_COUNT = 9 };
struct door_ends {
	uint16_t present;
	uint16_t proxy_port;
};

/* ---- @egress's side ------------------------------------------------------------------------------------------------ */

struct egress;
struct door;
struct door_wait;
typedef void (*door_done)(struct door_wait *wait, const struct door_answer *answer);

enum {
	DOOR_WAITING_MAX = 16384,     /* questions without an answer */
	DOOR_QUEUE_MAX = 1024 * 1024, /* bytes of messages that wait for a place in the socket's buffer */
};

/* Lives in whoever waits; zero is idle. Several may wait for the same: each has its own id. */
struct door_wait {
	door_done done; /* called once, never from within door_ask; not after door_withdraw */
	uint64_t id;	/* 0: idle */
	struct door_wait *next, *previous;
};

/* What the monitor tells unasked. */
struct door_events {
	/* fds[i] is -1 where the bit is not set; they are the callee's from then on. At most once. */
	void (*ends)(struct egress *egress, const struct door_ends *ends, const int fds[DOOR_END_COUNT]);
	void (*reloaded)(struct egress *egress, const struct door_answer *answer);
};

/* egress: its loop is used; egress->stopping is set when the monitor is gone or has sent what it never sends. Nobody who
 * waits is called then. fd: closed by door_free. events: kept. */
MUST_USE enum berm_code door_new(struct egress *egress, int fd, const struct door_events *events,
				 struct door **ret_door, struct berm_err *err);
void door_free(struct door *door);
/* Did the monitor send what it never sends? */
bool door_failed(const struct door *door);
/* question->id, version and text_len are filled in. Errors: LIMIT (too much waits: a denial), NOMEM, CLOSED (the monitor is
 * gone), INVALID (a message that the monitor would drop). */
MUST_USE enum berm_code door_ask(struct door *door, struct door_question *question, struct str text,
				 struct door_wait *wait, door_done done, struct berm_err *err);
/* Nothing if it is idle. */
void door_withdraw(struct door *door, struct door_wait *wait);
/* Without an answer; lost if there is no place. question->id is filled in if it is 0; CLOSED names the connection's. */
void door_tell(struct door *door, struct door_question *question, struct str text);

/* ---- the monitor's side: one packet each ---------------------------------------------------------------------------- */

/* Reads one question: TIMEOUT (none is there, or so many answers wait for @egress that there might be no place for one more;
 * at most a millisecond is waited for it to fetch some), CLOSED (@egress is gone), PARSE (dropped; go on). ret_text borrows
 * from bytes, which has DOOR_MESSAGE_MAX. Texts inside the struct are NUL-terminated and of their alphabets afterwards. */
MUST_USE enum berm_code door_take(int fd, uint8_t *bytes, struct door_question *ret_question, struct str *ret_text,
				  struct berm_err *err);
/* Never waits: LIMIT if @egress does not read (it is then to be ended); CLOSED. */
MUST_USE enum berm_code door_send(int fd, const struct door_answer *answer, struct berm_err *err);
MUST_USE enum berm_code door_send_ends(int fd, const int fds[DOOR_END_COUNT], uint16_t proxy_port,
				       struct berm_err *err);

#endif
