/*
 * SOCKS 5 (RFC 1928) with user and password (RFC 1929), the server's side, CONNECT only: bytes in, requests out, replies
 * written. Bytes may come one by one. SOCKS 4 and 4a are recognised and refused in their own form. Pure, no heap.
 *
 * The conversation: feed what came; act on the step; write its reply; feed again.
 *   SOCKS_MORE      nothing to do but to read more
 *   SOCKS_REPLY     send socks_reply_bytes, then feed what is left
 *   SOCKS_LOGIN     user and password are there: answer with socks_login, send, feed
 *   SOCKS_CONNECT   host and port are there: dial, answer with socks_answer, send; what came behind the request is the
 *                   client's data
 *   SOCKS_REFUSED   send the reply (it may be empty) and close; why says what was wrong
 */
#ifndef BERM_FORMAT_SOCKS_H
#define BERM_FORMAT_SOCKS_H

#include "format/host.h"

#define SOCKS_MESSAGE_MAX 513 /* bytes of the longest message: version, lengths, user and password of 255 */
#define SOCKS_REPLY_MAX 22    /* bytes of the longest reply */

enum socks_step { SOCKS_REFUSED = 0, SOCKS_MORE, SOCKS_REPLY, SOCKS_LOGIN, SOCKS_CONNECT };

/* RFC 1928, 6. */
enum socks_code {
	SOCKS_OK = 0,
	SOCKS_FAILURE = 1,
	SOCKS_NOT_ALLOWED = 2, /* the rules say no */
	SOCKS_NET_UNREACHABLE = 3,
	SOCKS_HOST_UNREACHABLE = 4, /* the name has no address, too */
	SOCKS_CONNECTION_REFUSED = 5,
	SOCKS_TTL_EXPIRED = 6, /* a deadline passed */
	SOCKS_BAD_COMMAND = 7,
	SOCKS_BAD_ADDRESS = 8,
};

enum socks_state {
	SOCKS_AT_START = 0,
	SOCKS_AT_LOGIN,
	SOCKS_AT_VERDICT,
	SOCKS_AT_REQUEST,
	SOCKS_AT_ANSWER,
	SOCKS_AT_END
};

struct socks {
	bool ask_login; /* the client must log in; else no method but "none" is taken */
	enum socks_state state;
	uint8_t message[SOCKS_MESSAGE_MAX]; /* what came of the current message; wiped after a login */
	uint16_t message_len;
	struct span user, password; /* SOCKS_LOGIN: into message, until the next call */
	struct host host;	    /* SOCKS_CONNECT: canonical */
	uint16_t port;
	uint8_t reply[SOCKS_REPLY_MAX];
	uint8_t reply_len;
	const char *why; /* SOCKS_REFUSED: a constant text */
};

void socks_init(struct socks *socks, bool ask_login);
/* Takes bytes off the front of *bytes, up to the end of one message and never beyond it. */
enum socks_step socks_feed(struct socks *socks, struct span *bytes);
/* After SOCKS_LOGIN: REPLY, or REFUSED. */
enum socks_step socks_login(struct socks *socks, bool accepted);
/* After SOCKS_CONNECT: REPLY for OK, else REFUSED. bound: the address and port that the reply names; NULL: 0.0.0.0:0. */
enum socks_step socks_answer(struct socks *socks, enum socks_code code, const struct net_address *bound, uint16_t port);
struct span socks_reply_bytes(const struct socks *socks);

#endif
