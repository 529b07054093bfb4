/*
 * What the supervisor holds between calls; for the files sup_*.c and supervise.c only. One block of memory, made before
 * the fork, so that nothing is allocated afterwards. Handlers run one at a time: they use the scratch fields freely.
 */
#ifndef BERM_SANDBOX_SUP_STATE_H
#define BERM_SANDBOX_SUP_STATE_H

#include <linux/filter.h>
#include <time.h>

#include "sandbox/sup_path.h"
#include "sandbox/supervise.h"

enum {
	SUP_TABLE_SIZE = 512, /* system call numbers */
	SUP_MAX_OWN = 4,      /* folders that are the sandbox's own */
	SUP_MASK_SLOTS = 32,  /* tasks whose umask is known */
	SUP_PIDFD_SLOTS = 16, /* tasks whose pidfd is kept */
	SUP_PROC_SLOTS = 16,  /* tasks whose folder in /proc is kept */
	SUP_HELPER_TICK_MS = 200,
	SUP_SWAP_PATIENCE_MS = 500,
	SUP_STAGE_TICK_MS = 20, /* for loops that do not poll supervisor_events */
};

/* A call that is served from its beginning again: nothing was done for it. */
struct sup_again {
	uint64_t id;
	pid_t tid;
	int nr;
	uint64_t args[6];
};

struct sup_helper {
	pid_t pid, tid; /* of the process, 0: free; of the task */
	uint64_t id;
	uint64_t question; /* id of the open request that it waits for; 0: none */
	int answers;	   /* where its answer is written; valid with question */
	struct sup_again call;
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

/* A task's folder in /proc, by an O_PATH descriptor: it leads to nothing once the task is gone. */
struct sup_proc {
	pid_t tid;
	int fd; /* valid if tid is not 0 */
};

/* A file that was made in shared memory. */
enum { SUP_MAX_MADE = 256, SUP_MAX_SCRATCH = 64 };
struct sup_made {
	int pin;
	dev_t dev;
	ino_t ino;
};

/* A content that is being written and will be judged: sup_stage.c. */
enum { SUP_MAX_STAGES = 16 };
struct sup_stage {
	bool used;
	bool fresh;  /* nothing stands under the name until then */
	int content; /* for reading; a file without a name */
	int folder;  /* O_PATH, of the name */
	int watch;
	pid_t tid; /* who opened it */
	dev_t dev; /* of what stands under the name until then; of the folder, if nothing does */
	ino_t ino;
	char name[NAME_MAX + 1];
};

/* Looking through a folder and what lies below it, in one buffer and a bounded number of descriptors. */
enum { SUP_WALK_DEPTH = 40, SUP_WALK_ENTRIES = 10000 };
struct sup_walk {
	struct {
		int fd;
		int64_t next; /* where reading goes on after a folder below was looked through */
		size_t rel_len;
	} level[SUP_WALK_DEPTH];
	size_t depth, entries;
	char rel[SUP_PATH_MAX]; /* "/a/b", from the folder that the walk began in */
	size_t fill, at;
	_Alignas(8) uint8_t buffer[16 * 1024];
};

struct supervisor {
	const struct berm_plan *plan;
	int listener, proc_fd;
	int origins; /* where who begins a connection is told; -1: nowhere */
	sup_notify notify;
	void *notify_ctx;
	uint64_t served, denied;
	struct seccomp_notif *request; /* as large as the kernel's */
	struct seccomp_notif_resp *response;
	size_t request_size, response_size;
	sup_handler handlers[SUP_TABLE_SIZE];
	struct sup_helper helpers[SUP_MAX_HELPERS];
	size_t helper_count;
	struct sup_again again[SUP_MAX_HELPERS]; /* the plan changed while they waited for an answer */
	size_t again_count;
	int64_t looked_ms; /* when the helpers were last looked at */
	struct sup_questions questions;
	uint64_t question_count;
	struct {
		bool here;   /* this process serves one call, and asked for it */
		uint64_t id; /* of its request */
		int answers; /* valid if here */
	} asking;
	char own[SUP_MAX_OWN][SUP_PATH_MAX];
	size_t own_count;
	const char *outer;				    /* for a berm inside, or NULL */
	struct plan_grant scratch[SUP_MAX_SCRATCH], shared; /* scratch space that is served: sup_scratch.c */
	size_t scratch_count;
	char shared_path[16];
	struct sup_stage stages[SUP_MAX_STAGES];
	size_t stage_count;
	int events_fd; /* inotify, while there are stages: a user has few of them */
	struct sup_made made[SUP_MAX_MADE];
	size_t made_count;
	const struct plan_rule **beside_rules; /* those that wait for a name */
	size_t beside_count;

	/* what is known of tasks */
	struct sup_mask masks[SUP_MASK_SLOTS];
	size_t mask_next;
	struct sup_pidfd pidfds[SUP_PIDFD_SLOTS];
	struct sup_proc procs[SUP_PROC_SLOTS];
	mode_t umask; /* the process's own, as it was set last */

	/* scratch of the call being served */
	char text[2][SUP_PATH_MAX]; /* paths as the task wrote them */
	char work[2][SUP_PATH_MAX];
	char join[PLACE_PATH_MAX];
	struct place places[2]; /* closed after the answer */
	char old_path[PLACE_PATH_MAX], new_path[PLACE_PATH_MAX], link_path[PLACE_PATH_MAX], tail[PLACE_PATH_MAX];
	struct sup_walk walk;
	char reason[256];
	uint8_t value[64 * 1024]; /* of an extended attribute: its maximum */
	uint8_t *content;	  /* what is being judged */
	uint8_t *before;	  /* what stands under its name */
	size_t content_size;	  /* of both */
	struct sock_filter *judge_filter;
	size_t judge_filter_len;
};

int64_t sup_now_ms(void);
/* A process of its own goes on with this call: true there. Elsewhere false, and *ret_answer is the handler's. question: it
 * will ask the caller. */
bool sup_go_on(struct call *call, bool question, struct sup_answer *ret_answer);
/* struct linux_dirent64, as getdents64(2) describes it */
struct sup_entry {
	uint64_t ino;
	int64_t next;
	unsigned short len;
	unsigned char type;
	char name[];
};
/* The path of a folder that getcwd cannot tell any more. The current folder is folder afterwards. */
int deep_path(struct supervisor *sup, int folder, char *ret_path, size_t size, size_t *ret_len);
/* Contents that are judged when they are closed. open: the flags of the task; mode, without its umask: of a place that
 * does not exist, and gets its name only then. 0, or an errno. */
int stage_open(struct call *call, const struct place *place, int flags, mode_t mode, int *ret_fd);
void stage_collect(struct supervisor *sup); /* of those that were closed; does not wait */
/* Scratch space. Before the fork; once the private folder is known; once the view is there, which has not all of them: */
void scratch_init(struct supervisor *sup);
void scratch_private(struct supervisor *sup);
void scratch_begin(struct supervisor *sup);
/* What holds where the plan has this grant, or NULL: a scratch folder that lies in it takes its place. NULL: nothing that
 * is served. */
const struct plan_grant *scratch_grant_at(const struct supervisor *sup, struct str path,
					  const struct plan_grant *grant);
/* Somebody else's file in a folder that everybody shares? */
bool scratch_is_foreign(const struct supervisor *sup, const struct place *place);
/* A file was made; false: it cannot be kept account of, and must be removed again. */
bool scratch_remember(struct supervisor *sup, const struct place *place, int fd);
/* Shows each entry below the folder dir (consumed) to visit: its folder, its name, its DT_ type, its path from dir
 * (sup->walk.rel). Returns 0, EXDEV if there is more than the walk's maxima, an errno of reading, or what visit stopped
 * with. */
enum sup_walk_step { WALK_ON = 0, WALK_DOWN = -1 }; /* else: stop with this errno */
typedef int (*sup_visit)(void *ctx, int folder, const char *name, unsigned char type);
int sup_walk_folder(struct supervisor *sup, int dir, sup_visit visit, void *ctx);
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
