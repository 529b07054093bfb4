/*
 * Netlink by hand: messages are built and read in the caller's memory. No heap; everything here may be called between
 * fork and exec and in the helper process. errno is written by what fails only: see sandbox/netns.c.
 */
#ifndef BERM_OS_NL_H
#define BERM_OS_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* ---- building: one or more messages one behind the other ---- */

struct nl_out {
	uint8_t *bytes; /* the caller's, aligned for uint32_t */
	size_t len, cap;
	size_t message; /* where the current message begins */
	uint32_t count; /* messages begun so far; a message's sequence number is how many were before it */
	bool failed;	/* something did not fit */
};

struct nl_out nl_into(void *bytes, size_t cap);
/* Begins a message: type and NLM_F_ flags, then the fixed header of its family. nl_end completes it. */
void nl_begin(struct nl_out *out, uint16_t type, uint16_t flags, const void *header, size_t header_len);
void nl_put(struct nl_out *out, uint16_t type, const void *value, size_t len);
void nl_put_u32(struct nl_out *out, uint16_t type, uint32_t value); /* in the machine's byte order */
/* Begins an attribute that holds attributes; what it returns goes to nl_nest_end. */
size_t nl_nest_begin(struct nl_out *out, uint16_t type);
void nl_nest_end(struct nl_out *out, size_t nest);
void nl_end(struct nl_out *out);

/* ---- reading ---- */

struct nl_message {
	uint16_t type, flags;
	uint32_t seq;
	struct span payload; /* borrowed from what is read */
};
struct nl_attribute {
	uint16_t type; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
	struct span value;
};

/* Takes the next message or attribute off the front of *rest; false at the end and at the first one that is cut short
 * or lies about its length. */
bool nl_next_message(struct span *rest, struct nl_message *ret_message);
bool nl_next_attribute(struct span *rest, struct nl_attribute *ret_attribute);

/* ---- asking ---- */

/* Sends one message with NLM_F_ACK to a netlink family (NETLINK_ROUTE, ...) and waits for the kernel's answer. 0, or -1
 * with the errno that it gave. */
int nl_transact(int protocol, const struct nl_out *out);
/* Sends all messages at once and waits until the one with the sequence number last is answered. Messages that are in the
 * set may_fail (bit: sequence number) may; *ret_failed says which did. 0, or -1 with the errno of the first other one. */
int nl_transact_many(int protocol, const struct nl_out *out, uint32_t last, uint32_t may_fail, uint32_t *ret_failed);
/* Sets the loopback interface of the current network namespace up. 0, or -1 with errno. */
int nl_loopback_up(void);

#endif
