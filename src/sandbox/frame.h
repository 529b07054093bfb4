/*
 * The wire between the caller and the helper process: one message a packet on a SOCK_SEQPACKET pair, a type byte and
 * fixed fields in order, integers little endian, strings with a length in front. No heap.
 */
#ifndef BERM_SANDBOX_FRAME_H
#define BERM_SANDBOX_FRAME_H

#include "berm/berm.h"
#include "sandbox/ends.h"
#include "sandbox/launch.h"

enum { FRAME_MAX = 4096 };

/* In the ids of open requests, and in no others. */
#define REQUEST_OPEN ((uint64_t)1 << 63)

enum frame_type {
	FRAME_STARTED = 1, /* helper: the command runs */
	FRAME_FAILED,	   /* helper: it does not, and nothing ran */
	FRAME_REQUEST,	   /* helper: something was denied or waits for an answer */
	FRAME_WITHDRAWN,   /* helper: an open request is over */
	FRAME_STOPPED,	   /* helper: the command was stopped by a signal */
	FRAME_STATUS,	   /* helper: the end; nothing follows */
	FRAME_MAPPED,	   /* caller: the helper's user and group are mapped */
	FRAME_SIGNAL,	   /* caller: to the command's process group */
	FRAME_KILL,	   /* caller: end everything */
	FRAME_ANSWER,	   /* caller: decides an open request */
	FRAME_LEND,	   /* caller: the helper's user and mount namespace are wanted; with the socket for FRAME_LENT
			    * and all FRAME_SWAPPED */
	FRAME_LENT,	   /* helper: with their descriptors, if it has namespaces */
	FRAME_SWAP,	   /* caller: another plan, with the image's descriptor */
	FRAME_SWAPPED,	   /* helper: it holds, or error says why the old one still does */
	FRAME_NETWORK,	   /* helper: the ends of a filtered network, before FRAME_STARTED */
};

struct frame {
	enum frame_type type;
	union {
		struct launch_failure failure;
		struct berm_request request;
		struct berm_status status;
		int signal;
		struct {
			uint64_t id;
			enum berm_verdict verdict;
		} answer;
		struct {
			uint64_t generation;
			int error;
		} swap;
		struct {
			uint32_t present; /* as ends_pack */
			uint32_t proxy_port;
		} network;
	};
};

/* Writes the frame into bytes; returns its length, 0 if it does not fit. */
size_t frame_print(const struct frame *frame, uint8_t bytes[static FRAME_MAX]);
/* Reads one; false if the bytes are not exactly one frame. Strings are always terminated. */
bool frame_parse(const uint8_t *bytes, size_t len, struct frame *ret_frame);
/* Sends without blocking: 0, or -1 with EAGAIN if the other side does not read, EPIPE if it is gone. */
int frame_send(int fd, const struct frame *frame);
/* Receives: 1, 0 at the end of the stream, -1 with errno (EAGAIN if wait is false; EPROTO for garbage). */
int frame_recv(int fd, bool wait, struct frame *ret_frame);
/* The same with descriptors: at most FRAME_MAX_FDS, closed on exec when received, -1 where there is none. What
 * frame_recv is sent with one loses it. */
enum { FRAME_MAX_FDS = ENDS_COUNT };
int frame_send_fds(int fd, const struct frame *frame, const int *fds, size_t count);
void frame_close_fds(int fds[static FRAME_MAX_FDS]); /* those that are there */
int frame_recv_fds(int fd, bool wait, struct frame *ret_frame, int ret_fds[static FRAME_MAX_FDS]);

#endif
