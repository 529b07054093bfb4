/*
 * What the supervisor holds between calls; for the files sup_*.c and supervise.c only. One block of memory, made before
 * the fork, so that nothing is allocated afterwards. Handlers run one at a time: they use the scratch fields freely.
 */
#ifndef BERM_SANDBOX_SUP_STATE_H
#define BERM_SANDBOX_SUP_STATE_H

#include <time.h>

#include "sandbox/sup_path.h"
#include "sandbox/supervise.h"

enum {
	SUP_TABLE_SIZE = 512, /* system call numbers */
	SUP_MAX_OWN = 4,      /* folders that are the sandbox's own */
	SUP_MASK_SLOTS = 32,  /* tasks whose umask is known */
	SUP_PIDFD_SLOTS = 16, /* tasks whose pidfd is kept */
	SUP_HELPER_TICK_MS = 200,
};

struct sup_helper {
	pid_t pid; /* 0: free */
	uint64_t id;
};

/* The umask of a task, as its status told or its umask call said. */
struct sup_mask {
	pid_t tid, tgid; /* 0: free */
	mode_t umask;
	int64_t until_ms; /* a task number is not used anew as fast as this */
};

struct sup_pidfd {
	pid_t tid;
	int fd; /* valid if tid is not 0 */
};

struct supervisor {
	const struct berm_plan *plan;
	int listener, proc_fd;
	sup_notify notify;
	void *notify_ctx;
	uint64_t served, denied;
	struct seccomp_notif *request; /* as large as the kernel's */
	struct seccomp_notif_resp *response;
	size_t request_size, response_size;
	sup_handler handlers[SUP_TABLE_SIZE];
	struct sup_helper helpers[SUP_MAX_HELPERS];
	size_t helper_count;
	size_t *grant_up; /* for each grant the nearest one before it whose path is a string prefix of its own, plus one */
	char own[SUP_MAX_OWN][SUP_PATH_MAX];
	size_t own_count;

	/* what is known of tasks */
	struct sup_mask masks[SUP_MASK_SLOTS];
	size_t mask_next;
	struct sup_pidfd pidfds[SUP_PIDFD_SLOTS];
	mode_t umask; /* the process's own, as it was set last */

	/* scratch of the call being served */
	char text[2][SUP_PATH_MAX]; /* paths as the task wrote them */
	char join[SUP_PATH_MAX];
	struct place places[2]; /* closed after the answer */
	char reason[256];
	uint8_t *content; /* what is being judged */
	size_t content_size;
};

int64_t sup_now_ms(void);
/* Appends text or a number at *at inside size bytes (the end stays NUL-terminated); false: it does not fit. */
bool text_put(char *text, size_t size, size_t *at, const char *more);
bool text_put_number(char *text, size_t size, size_t *at, uint64_t number);
/* "TID/what" into a buffer of SUP_PROC_SIZE; what is short. */
enum { SUP_PROC_SIZE = 64 };
void proc_name(char ret_name[static SUP_PROC_SIZE], pid_t tid, const char *what);
void proc_fd_name(char ret_name[static SUP_PROC_SIZE], pid_t tid, int fd);
/* "self/fd/N" */
void self_fd_name(char ret_name[static SUP_PROC_SIZE], int fd);

#endif
