/*
 * The supervisor's loop: one notification in, one answer out. A call is described by struct call, looked up in a table
 * of handlers by its number, and answered by one of a handful of outcomes. It runs in the sandbox's helper process:
 * same user, groups, mounts, root and process ids as the tasks it serves, no capability, no Landlock domain. No heap:
 * everything is in struct supervisor, which is set up before the fork.
 *
 * Because every change in a governed tree goes through this one process, one call at a time, a check of a path and the
 * act that follows it cannot be raced from inside: nothing in a governed tree moves in between. CONTINUE is given only
 * where Landlock (or the network namespace) refuses by itself what must not be.
 */
#ifndef BERM_SANDBOX_SUPERVISE_H
#define BERM_SANDBOX_SUPERVISE_H

#include <limits.h>
#include <linux/seccomp.h>
#include <sys/types.h>

#include "sandbox/plan.h"

enum { SUP_MAX_HELPERS = 256, SUP_PATH_MAX = PATH_MAX };

struct supervisor;

enum sup_kind {
	SUP_DENY = 0, /* error holds the errno; zero stands for EACCES */
	SUP_VALUE,    /* the call returns value */
	SUP_CONTINUE, /* the kernel runs it and decides */
	SUP_FD,	      /* fd is put into the task and closed here; fd_cloexec */
	SUP_LATER,    /* a helper process answers */
};
struct sup_answer {
	enum sup_kind kind;
	int error;
	int64_t value;
	int fd;
	bool fd_cloexec;
};

/* One call that waits. args are the registers; whatever they point to is read once, by the functions of sup_task.h. */
struct call {
	struct supervisor *sup;
	uint64_t id;
	pid_t tid;
	int nr;
	const uint64_t *args;
};
typedef struct sup_answer (*sup_handler)(struct call *call);
struct sup_row {
	int nr;
	sup_handler handle;
};
extern const struct sup_row sup_open_rows[], sup_name_rows[], sup_meta_rows[], sup_access_rows[], sup_socket_rows[],
	sup_process_rows[], sup_exec_rows[];
/* each ends with {-1, NULL} */

/* What a denial looks like to whoever reads events; copied out at once. Strings may be NULL. */
struct sup_notice {
	enum berm_request_kind kind;
	enum berm_request_op op;
	int error;
	const char *object, *as, *rule, *detail;
	uint64_t dev, ino;
	uint32_t mode;
	bool allowed; /* it was to be asked for, and is done without */
};

/* ---- set up before the fork, in the caller ---- */
MUST_USE enum berm_code supervisor_new(const struct berm_plan *plan, struct supervisor **ret_sup, struct berm_err *err);
void supervisor_free(struct supervisor *sup);

/* ---- in the helper ---- */
/* proc_fd: the /proc that shows the tasks. notify: called for each notice, must not block. */
typedef void (*sup_notify)(void *ctx, const struct call *call, const struct sup_notice *notice);
void supervisor_start(struct supervisor *sup, int listener, int proc_fd, sup_notify notify, void *ctx);
/* How open requests reach the caller, and what they are done on. Before start. */
struct sup_questions {
	/* Asks, and waits for the answer: one byte, 1 for allowed, from answers, which ends if nobody will answer. In a process
	 * of its own. False: denied. */
	bool (*ask)(void *ctx, const struct call *call, const struct sup_notice *notice, uint64_t id, int answers);
	void (*withdraw)(void *ctx, uint64_t id); /* nobody waits for it any more; must not block */
	int host_fd; /* the host's tree, where what is asked for can be changed; -1: it is so in our own view */
};
void supervisor_asks(struct supervisor *sup, const struct sup_questions *questions);
/* The caller's answer; one to a request that is over is lost. */
void supervisor_answer(struct supervisor *sup, uint64_t id, bool allowed);
/* A folder that is the sandbox's own beyond the plan's scratch folders: its private temporary folder without namespaces.
 * Before start. */
void supervisor_own(struct supervisor *sup, const char *path);
/* The text that a berm inside gets when it asks what is held already (PLAN_OUTER_NAME). Borrowed. Before start. */
void supervisor_outer(struct supervisor *sup, const char *text);
/* Where a struct berm_origin is sent for each connection of a filtered network; borrowed. Before start. */
void supervisor_origins(struct supervisor *sup, int fd);
/* From the next call on another plan holds: one that came by live_image.h, and lives on. Calls that are being done by
 * helper processes end with EINTR. 0, or an errno: then nothing has changed. */
int supervisor_swap(struct supervisor *sup, const struct berm_plan *plan, const struct plan_rule **beside_rules,
		    size_t beside_count);
/* Removes what the sandbox left in places that everybody shares. At the end, when its processes are gone. */
void supervisor_finish(struct supervisor *sup);
/* Serves one notification; call when the listener is readable. 0, or -1 when the listener is of no more use. */
int supervisor_serve(struct supervisor *sup);
/* True if pid was one of the supervisor's own helper processes (reaped by the caller's wait loop). */
bool supervisor_reaped(struct supervisor *sup, pid_t pid);
/* Milliseconds until supervisor_tick wants to run (withdraws helpers whose task is gone), or -1. */
int supervisor_timeout_ms(const struct supervisor *sup);
/* A descriptor that becomes readable when supervisor_tick has something to do, or -1; asked anew before each wait. */
int supervisor_events(const struct supervisor *sup);
void supervisor_tick(struct supervisor *sup);
uint64_t supervisor_served(const struct supervisor *sup);
uint64_t supervisor_denied(const struct supervisor *sup);

/* ---- for handlers ---- */
const struct berm_plan *supervisor_plan(const struct supervisor *sup);
int supervisor_proc_fd(const struct supervisor *sup);
/* Still the same task that waits? To be asked after everything that was read through its pid. */
bool call_alive(const struct call *call);
/* Puts a descriptor into the task without answering yet, for calls that make two; fd stays the caller's. Returns its
 * number there, or a negative errno. */
int call_add_fd(const struct call *call, int fd, bool cloexec);
/* Counts, sends the notice, and returns the SUP_DENY answer for it. */
struct sup_answer call_refuse(struct call *call, const struct sup_notice *notice);
/* Sends a notice of what is allowed without being asked for. */
void call_tell(struct call *call, const struct sup_notice *notice);
/* Counts and sends a notice of what the kernel is about to refuse by itself. */
void call_report(struct call *call, const struct sup_notice *notice);
struct sup_answer answer_errno(int error);
struct sup_answer answer_value(int64_t value);
struct sup_answer answer_continue(void);
/* Result of a system call done on behalf: value, or errno if it is -1. */
struct sup_answer answer_result(int64_t result);
/* Runs act(call, ctx) in a helper process that answers by itself, for what may block: at most SUP_MAX_HELPERS at once
 * (beyond: EAGAIN). The helper is killed when its task is gone. ctx is copied by the fork. In a helper process: here. */
struct sup_answer call_in_helper(struct call *call, struct sup_answer (*act)(struct call *call, void *ctx), void *ctx);

#endif
