/*
 * libberm: run a program inside limits that the kernel enforces, without root.
 *
 *   capabilities (what is granted)  x  facts (what this machine can hold)  ->  plan  ->  sandbox  ->  requests, status
 *
 * The library takes structs, never text files; it prints nothing, reads no environment, leaves no signal handler, no
 * thread and no global behind, and may be used in a process that has threads and children of its own. One helper
 * process for each sandbox does what must not happen in the caller: it is the sandbox's supervisor and reaper, and it
 * ends the sandbox when the caller ends.
 *
 * Objects: whoever calls _new, _probe, _make, _load or _spawn owns the result and frees it with the matching _free;
 * _free takes NULL. Strings and structs passed in are copied, strings handed out are borrowed from the object they
 * were asked of and live as long as it does, unless a function says otherwise. Functions that can fail return
 * enum berm_code and describe the failure in err, which may be NULL; out-parameters are untouched on failure.
 * An object may be used by one thread at a time.
 */
#ifndef BERM_BERM_H
#define BERM_BERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berm/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- capabilities: absolute, policy-free grants; what is not granted is refused ---------------------------------- */

struct berm_caps;

/* Rights on a path. READ: open files for reading, list folders. WRITE: create, change, rename (includes what is needed
 * to make a file), not delete. DELETE: remove, and rename over something. EXEC: start programs, map as executable.
 * DENY and PROTECT narrow a grant around them and cannot be combined with the others: DENY nothing at all, not even
 * for names that come into being later; PROTECT may be read, never changed, made or removed.
 * REPLACE: one file of a closed folder together with its lock and temporary siblings (NAME.*, .NAME.*), so that an
 * atomic save works.
 * ASK: with READ, WRITE, DELETE: what no other line grants of these becomes an open request (berm_sandbox_answer), and is
 * done on behalf if it is allowed; the program waits meanwhile. DENY and PROTECT narrow it like a grant, and "/" may be
 * asked for with WRITE. Names outside the grants can be seen then (BERM_VIEW_VISIBLE). */
enum berm_right {
	BERM_READ = 1 << 0,
	BERM_WRITE = 1 << 1,
	BERM_DELETE = 1 << 2,
	BERM_EXEC = 1 << 3,
	BERM_DENY = 1 << 4,
	BERM_PROTECT = 1 << 5,
	BERM_REPLACE = 1 << 6,
	BERM_ASK = 1 << 7,
};

/* FILE: the object itself. TREE: a folder and all below it. */
enum berm_extent { BERM_FILE = 0, BERM_TREE = 1 };

BERM_API BERM_MUST_USE enum berm_code berm_caps_new(struct berm_caps **ret_caps, struct berm_err *err);
BERM_API void berm_caps_free(struct berm_caps *caps);

/* Grants or narrows one path. path is absolute or relative to the current folder of the caller; symbolic links in it
 * are resolved when the plan is made. A path that does not exist yet is kept: the plan says whether it will hold when
 * it appears. rights: a set of enum berm_right. Errors: INVALID (an empty set, DENY or PROTECT beside others, "/" with
 * WRITE, a NUL or newline in the path), LIMIT (more than 8192 lines). */
BERM_API BERM_MUST_USE enum berm_code berm_caps_path(struct berm_caps *caps, const char *path, unsigned rights,
						     enum berm_extent extent, struct berm_err *err);

/* A judge looks at the content that is about to get a protected name. It runs in a throw-away process that can do
 * nothing but compute and answer: bytes in, verdict out. Returns true to accept; otherwise writes a short reason
 * (what in the content is refused) to reason. Must not allocate, lock or call anything that is not
 * async-signal-safe. target is the path the content will have. */
typedef bool (*berm_judge)(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size);

/* The same for a content that is to take the place of another. before is what stands under the name: nobody inside put it
 * there but through a judge, so what it says already may be let stay. */
struct berm_content {
	const uint8_t *bytes;
	size_t len;
};
typedef bool (*berm_judge_change)(const char *target, const struct berm_content *content,
				  const struct berm_content *before, char *reason, size_t reason_size);

/* Narrows by pattern, inside every granted tree, at any depth, for names that exist and that do not exist yet. */
struct berm_rule {
	size_t size;	     /* sizeof (struct berm_rule) */
	const char *pattern; /* absolute glob; see docs/patterns.md */
	const char *except;  /* a glob of what the rule does not hold for, or NULL */
	unsigned right;	     /* BERM_DENY or BERM_PROTECT */
	const char *beside;  /* holds only in folders where a file or folder of this name is; and making that name is
			      * judged as if the rule's names were made anew. "../NAME" looks beside the folder that
			      * holds the name ("hooks/x" beside "../refs"). NULL: everywhere */
	bool mkdir_only;  /* the name may come into being by mkdir alone: no rename, link or symbolic link makes it */
	berm_judge judge; /* PROTECT only: a content renamed into place that the judge accepts is taken, as a fresh
			      * copy that no descriptor held inside can change; NULL: nothing is accepted */
	size_t judge_max_bytes; /* larger contents are refused; 0 stands for 1 MiB */
	const char *label;	/* how the plan and denials call the rule; NULL: the pattern */
	bool in_place;	/* the name alone is guarded, not what stands under it: a folder or a new file may be made,
			      * changed and removed there, but no rename, link or symbolic link makes the name, unless
			      * the judge accepts the file that is renamed. With a judge, what is written in place is
			      * judged as well when it is closed, and a new name is there from then on */
	bool removable; /* the names may be removed and renamed away; they come back only as the rule says */
	berm_judge_change judge_change; /* asked instead of judge where a file stands under the name; NULL: judge is */
};
BERM_API BERM_MUST_USE enum berm_code berm_caps_rule(struct berm_caps *caps, const struct berm_rule *rule,
						     struct berm_err *err);

/* NONE: nothing beyond the sandbox's own loopback. HOST: the machine's network as it is. FILTERED: every TCP connection that
 * leaves the sandbox's loopback and every DNS query is led to the ends that berm_sandbox_network hands out, whose owner
 * decides what becomes of it; nothing else leaves. */
enum berm_network { BERM_NET_NONE = 0, BERM_NET_HOST = 1, BERM_NET_FILTERED = 2 };
BERM_API BERM_MUST_USE enum berm_code berm_caps_network(struct berm_caps *caps, enum berm_network mode,
							struct berm_err *err);

/* Allows connecting to one Unix socket of the host, by its path. */
BERM_API BERM_MUST_USE enum berm_code berm_caps_socket(struct berm_caps *caps, const char *path, struct berm_err *err);

/* Limits hold for the whole tree where a cgroup is delegated, else for each process as far as rlimits go; the plan
 * says which. WALL_MS ends the sandbox. A limit of 0 is INVALID. */
enum berm_limit {
	BERM_LIMIT_MEMORY = 0, /* bytes */
	BERM_LIMIT_PROCESSES,
	BERM_LIMIT_CPU_S,
	BERM_LIMIT_OPEN_FILES,
	BERM_LIMIT_FILE_SIZE, /* bytes */
	BERM_LIMIT_WALL_MS,
	BERM_LIMIT_COUNT
};
BERM_API BERM_MUST_USE enum berm_code berm_caps_limit(struct berm_caps *caps, enum berm_limit limit, uint64_t value,
						      struct berm_err *err);

/* What is off unless asked for. */
enum berm_extra {
	BERM_EXTRA_PTRACE = 0, /* debuggers and tracers, on processes of the sandbox */
	BERM_EXTRA_USERNS,     /* user namespaces inside: browsers, nested container tools */
	BERM_EXTRA_IO_URING,   /* file operations that no filter sees: refused together with DENY, PROTECT rules */
	BERM_EXTRA_MEMFD_EXEC, /* run programs that never were a file */
	BERM_EXTRA_GPU,	       /* /dev/dri, /dev/nvidia*, /dev/kfd */
	BERM_EXTRA_KVM,	       /* /dev/kvm */
	BERM_EXTRA_PERF,       /* perf_event_open */
	BERM_EXTRA_SIGNALS,    /* signals to processes outside, as far as the user may send them */
	BERM_EXTRA_HOST_TMP,   /* the host's /tmp instead of a private one */
	BERM_EXTRA_COUNT
};
BERM_API BERM_MUST_USE enum berm_code berm_caps_allow(struct berm_caps *caps, enum berm_extra extra,
						      struct berm_err *err);

/* VISIBLE: names outside the grants can be seen. HIDDEN: what is not granted is not there. AUTO: hidden where the
 * machine can do it. Without namespaces every view is visible, and the plan says so. */
enum berm_view { BERM_VIEW_AUTO = 0, BERM_VIEW_VISIBLE, BERM_VIEW_HIDDEN };
BERM_API BERM_MUST_USE enum berm_code berm_caps_view(struct berm_caps *caps, enum berm_view view, struct berm_err *err);

/* Where the enforcement must come from. ANY takes the strongest there is; a demand that cannot be met is a refusal. */
enum berm_backend { BERM_BACKEND_ANY = 0, BERM_BACKEND_NAMESPACES, BERM_BACKEND_LANDLOCK };
BERM_API BERM_MUST_USE enum berm_code berm_caps_backend(struct berm_caps *caps, enum berm_backend backend,
							struct berm_err *err);

/* A folder that is the sandbox's own, empty at the start and gone at the end: private memory with namespaces (mounted
 * over path, which need not exist), else a folder below the private temporary folder that the command's environment
 * variable `variable` is set to. variable may be NULL: then nothing stands in for it without namespaces. */
BERM_API BERM_MUST_USE enum berm_code berm_caps_scratch(struct berm_caps *caps, const char *path, const char *variable,
							struct berm_err *err);

/* What the file at this path says inside, whatever it says outside: it is that for everybody there, can be read where the path
 * may be, and not be changed. The last name may be a symbolic link, which is not followed; it has to be there. Only with
 * namespaces; without, and where the name is missing, this says nothing. Errors: INVALID (no file's path), LIMIT (16 of
 * them, 64 KiB each). */
BERM_API BERM_MUST_USE enum berm_code berm_caps_content(struct berm_caps *caps, const char *path, const void *bytes,
							size_t len, struct berm_err *err);

/* Tells of every refused file as a request: those as well that the kernel alone refuses and nobody is told of, for
 * reading or starting one. To learn from a run: each open and each start is looked at, which makes them slower. It
 * changes nothing about what is refused. Files that are not there in a hidden view are not refused, so the demand for
 * BERM_BACKEND_LANDLOCK, where they can be seen, belongs with it. */
BERM_API BERM_MUST_USE enum berm_code berm_caps_tell_all(struct berm_caps *caps, struct berm_err *err);

/* What ASK lines cover is allowed without a request: DENY and PROTECT still hold, nothing is asked. */
BERM_API BERM_MUST_USE enum berm_code berm_caps_allow_asked(struct berm_caps *caps, struct berm_err *err);

/* ---- facts: what this kernel, user and container can hold, found by trying --------------------------------------- */

struct berm_facts;

/* Tries everything in throw-away children (some 5 ms). */
BERM_API BERM_MUST_USE enum berm_code berm_facts_probe(struct berm_facts **ret_facts, struct berm_err *err);
/* From text as berm_facts_print writes it: one "name=value" a line; unknown names are PARSE errors. For caches, and
 * to plan for another machine. Facts that are not named are 0: not there. */
BERM_API BERM_MUST_USE enum berm_code berm_facts_load(const char *text, size_t len, struct berm_facts **ret_facts,
						      struct berm_err *err);
BERM_API void berm_facts_free(struct berm_facts *facts);
/* The same facts as text, on the heap; the caller frees with free(). NULL when memory is out. */
BERM_API char *berm_facts_print(const struct berm_facts *facts);
/* One fact by name ("landlock_abi", "user_namespace", ...), -1 if there is no such fact. */
BERM_API long berm_facts_get(const struct berm_facts *facts, const char *name);
BERM_API BERM_MUST_USE enum berm_code berm_facts_set(struct berm_facts *facts, const char *name, long value,
						     struct berm_err *err);

/* ---- plan: each line beside its enforcer, or a refusal ------------------------------------------------------------ */

struct berm_plan;

/* Pure but for resolving the granted paths: capabilities x facts. Fails with UNSUPPORTED if a line cannot be held; the
 * text names the line, what is missing and what to do. The plan may be spawned any number of times; it keeps no
 * pointer into caps or facts. */
BERM_API BERM_MUST_USE enum berm_code berm_plan_make(const struct berm_caps *caps, const struct berm_facts *facts,
						     struct berm_plan **ret_plan, struct berm_err *err);
BERM_API void berm_plan_free(struct berm_plan *plan);
BERM_API enum berm_backend berm_plan_backend(const struct berm_plan *plan);

enum berm_hold { BERM_HELD = 0, BERM_PARTIAL, BERM_REFUSED };
struct berm_plan_line {
	const char *guarantee; /* stable key: "files", "protect", "network", ... (docs/guarantees.md) */
	const char *line;      /* the capability in words: "write /home/u/project" */
	const char *enforcer;  /* who holds it: "landlock + supervisor" */
	const char *note;      /* what is weaker, or what would improve it; "" if nothing */
	enum berm_hold hold;
};
/* Line number index, from 0; false past the end. Strings live as long as the plan. */
BERM_API bool berm_plan_line(const struct berm_plan *plan, size_t index, struct berm_plan_line *ret_line);

/* ---- sandbox: the running process tree ---------------------------------------------------------------------------- */

struct berm_command {
	size_t size;		 /* sizeof (struct berm_command) */
	const char *const *argv; /* NULL-terminated; argv[0] without '/' is looked up in PATH of envp, inside */
	const char *const *envp; /* NULL-terminated; the whole environment of the command */
	const char *cwd;	 /* working folder inside; NULL: the caller's */
	int stdio[3];		 /* descriptors that become 0, 1, 2; -1: /dev/null */
	const int *keep_fds;	 /* further descriptors that stay open under their own numbers */
	size_t keep_count;
	int terminal;	     /* the controlling terminal, given to the command's process group if the caller is in the
			    * foreground there; with new_session one that is nobody's, and becomes that of the command's session; -1: none */
	const char *scratch; /* where the private temporary folder is made if nothing can be mounted; NULL: /tmp */
	/* Further variables that tell programs of that folder, "NAME=what stands before it", NULL-terminated; one that
	 * is in envp is left alone. NULL: none */
	const char *const *scratch_variables;
	bool new_session; /* start the command in a session of its own */
	bool own_tree;	  /* the caller is a subreaper (PR_SET_CHILD_SUBREAPER) and has no other children: used to end
			    * the whole tree where there is no pid namespace even if the helper is killed */
};

struct berm_sandbox;

/* Starts the command. It runs only if every line of the plan was put in force; otherwise nothing ran, and err says at
 * which step which line failed: UNSUPPORTED with err->sys if the machine refused something that the facts promised.
 * NOTFOUND: no such program; DENIED: it is there and may not be executed. */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_spawn(const struct berm_plan *plan,
							 const struct berm_command *command,
							 struct berm_sandbox **ret_box, struct berm_err *err);

enum berm_request_kind { BERM_REQUEST_FILE = 0, BERM_REQUEST_SOCKET, BERM_REQUEST_NET, BERM_REQUEST_PROCESS };
enum berm_request_op {
	BERM_OP_READ = 0,
	BERM_OP_WRITE,
	BERM_OP_CREATE,
	BERM_OP_DELETE,
	BERM_OP_RENAME,
	BERM_OP_LINK,
	BERM_OP_META,
	BERM_OP_CONNECT,
	BERM_OP_BIND,
	BERM_OP_LISTEN,
	BERM_OP_SEND,
	BERM_OP_SIGNAL,
	BERM_OP_EXEC, /* starting a file; told with berm_caps_tell_all alone */
};
enum berm_verdict { BERM_VERDICT_DENY = 0, BERM_VERDICT_ALLOW = 1 };

/* One access that the capabilities did not let pass. The strings are copies of the library's own, valid until the next
 * call of berm_sandbox_next on the same sandbox. */
struct berm_request {
	uint64_t id; /* unique in the sandbox */
	enum berm_request_kind kind;
	enum berm_request_op op;
	bool open;		   /* true: waits for berm_sandbox_answer; false: decided, for information */
	bool withdrawn;		   /* the open request of this id is over: its program is gone or was interrupted */
	enum berm_verdict verdict; /* what was decided, if not open */
	int error;		   /* errno that the program got, if denied */
	uint32_t count;		   /* how often the same was seen since it was last told */
	pid_t pid;		   /* the task, as seen inside the sandbox */
	char exe[256];		   /* its program */
	char object[1024];	   /* final path of the object, or address */
	char as[1024];		   /* as the task wrote it */
	uint64_t dev, ino;	   /* 0 if the object does not exist */
	uint32_t mode;		   /* type and permissions of the object, 0 if it does not exist */
	char rule[256];		   /* the line that decided */
	char detail[256];	   /* more: the key a judge refused, for example */
	int64_t time_ns;	   /* CLOCK_REALTIME */
};

struct berm_decision {
	size_t size; /* sizeof (struct berm_decision) */
	enum berm_verdict verdict;
};

/* Poll this descriptor for reading in your own loop; when readable call berm_sandbox_next with timeout 0. */
BERM_API int berm_sandbox_fd(const struct berm_sandbox *box);
/* The next request. timeout_ms: -1 waits as long as the sandbox lives. TIMEOUT: none; CLOSED: the sandbox has ended. */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_next(struct berm_sandbox *box, int timeout_ms,
							struct berm_request *ret_request, struct berm_err *err);
/* Decides an open request, in any order, at any time. An answer to one that is over is lost. NOTFOUND: none was told with
 * this id. */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_answer(struct berm_sandbox *box, uint64_t id,
							  const struct berm_decision *decision, struct berm_err *err);

/* ---- a filtered network ---- */

/* Addresses that the sandbox may have as its own beside 127.0.0.1 and ::1: no name is to be answered with them. */
#define BERM_NET_OWN4 "198.18.0.1"
#define BERM_NET_OWN6 "fd62:6572:6d00::1"

/* What it leads to: index 0 for IPv4, 1 for IPv6; -1: the sandbox has none. The descriptors are the caller's from then on,
 * closed on exec and non-blocking. In a sandbox without a network of its own they are on the machine's loopback, where
 * nobody else gets through to them, and dns_udp is -1: its programs have no UDP, and are to be told to ask over TCP.
 * dns_udp: an answer is sent by sendmsg with the very control data (IP_PKTINFO, IPV6_PKTINFO) that recvmsg gave with the
 * query, so that it comes from the address that was asked; without, it may be lost. */
struct berm_network_ends {
	size_t size;		    /* sizeof (struct berm_network_ends), set before the call */
	int tcp[2];		    /* listening: connections to any address but the sandbox's own */
	int dns_udp[2], dns_tcp[2]; /* queries to port 53 of whatever address; dns_tcp is listening */
	int proxy[2];		    /* listening on the loopback: for programs that are told of a proxy */
	uint16_t proxy_port;	    /* of both */
	int origins; /* SOCK_SEQPACKET, to read from: a struct berm_origin for each connection to tcp and proxy; end of
		      * file: no further connection can begin */
};

/* Who began a connection, and where it was going. It is told by the supervisor, which did the connect, as one packet that is
 * sent once the connection has begun: so it may come a moment after the connection itself. A connection of which nothing
 * is told was not begun by the supervisor, and is to be closed. A destination that is an end itself (127.0.0.1 and the
 * port of tcp) leads nowhere, and is to be refused. */
struct berm_origin {
	uint32_t size;		 /* sizeof (struct berm_origin) of the library that wrote it */
	uint8_t family;		 /* 4 or 6, of the end that it comes in by; of both addresses, 4 for ::ffff:a.b.c.d */
	uint8_t protocol;	 /* IPPROTO_TCP */
	uint16_t source_port;	 /* with source: as getpeername of the accepted socket has them. In host order */
	uint8_t source[16];	 /* IPv4 in the first 4 bytes */
	uint8_t destination[16]; /* as the program asked for it */
	uint16_t destination_port;
	uint16_t reserved;
	int32_t pid;		   /* the thread that connected, as seen inside the sandbox */
	uint64_t exe_dev, exe_ino; /* its opened executable, 0 if unknown */
	char exe[256];		   /* the path of it, escaped as in requests; "" if unknown */
};

/* Hands out the ends of a sandbox with BERM_NET_FILTERED, once. NOTFOUND: they are handed out, or it has none; INVALID: a
 * size that the library does not know. */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_network(struct berm_sandbox *box, struct berm_network_ends *ret_ends,
							   struct berm_err *err);

/* ---- changing it while it runs ---- */

/* When a line that differs between two plans is in force. */
enum berm_when {
	BERM_WHEN_NEXT_RUN = 0, /* not in this sandbox */
	BERM_WHEN_NEW_OPENS,	/* now, but for descriptors, working folders and connections that are held already */
	BERM_WHEN_NOW,
};
struct berm_change {
	const char *guarantee, *line; /* as in struct berm_plan_line */
	bool added;		      /* false: the line was in the plan before, and is not any more */
	bool narrows;		      /* less may be done with this change than without it */
	enum berm_when when;
	const char *note; /* what is missing; "" if nothing */
};

/* PARTIAL: a line that narrows and cannot be put in force before the next run is told as such; without it the whole update
 * fails then, and the sandbox keeps the plan that it has. */
enum berm_update { BERM_UPDATE_WHOLE = 0, BERM_UPDATE_PARTIAL = 1 };

/* Gives a running sandbox another plan, made on the same machine with the same back-end and view. What narrows is in
 * force before anything widens, and all of it when this returns OK. What descriptors were opened for before stays. The
 * plan may be freed afterwards. Not from two threads at once: the second fails with TIMEOUT. Other errors: UNSUPPORTED (a
 * line that narrows cannot be put in force: nothing has changed; or this sandbox cannot be changed), INVALID (another
 * back-end or view), CLOSED (it has ended), SYS, TIMEOUT (cut short: what narrows may be in force in part, nothing is wider
 * than one of the two plans). */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_update(struct berm_sandbox *box, const struct berm_plan *plan,
							  enum berm_update how, struct berm_err *err);
/* Change number index of the last update, from 0, also of one that was UNSUPPORTED; false past the end. Strings live
 * until the next update. */
BERM_API bool berm_sandbox_change(const struct berm_sandbox *box, size_t index, struct berm_change *ret_change);
/* How many plans the sandbox has had: 1 as long as none was changed. */
BERM_API uint64_t berm_sandbox_generation(const struct berm_sandbox *box);

/* Sends a signal to the command's process group. SIGSTOP and SIGCONT work as in a shell. */
BERM_API BERM_MUST_USE enum berm_code berm_sandbox_signal(struct berm_sandbox *box, int signal, struct berm_err *err);
/* Ends every process of the sandbox, at once. */
BERM_API void berm_sandbox_kill(struct berm_sandbox *box);

struct berm_status {
	bool exited; /* the command ended by itself: exit_code counts */
	int exit_code;
	int signal;	 /* else the signal that ended it */
	bool wall_limit; /* ended because its time was over */
	uint64_t denied; /* requests denied */
	uint64_t served; /* calls done on behalf */
};
/* Waits until the command and every process of the sandbox are gone. Requests that were not fetched are dropped, open ones
 * denied. */
BERM_API enum berm_code berm_sandbox_wait(struct berm_sandbox *box, struct berm_status *ret_status,
					  struct berm_err *err);
/* The signal that stopped the command since the last call, or 0; for job control on a terminal. Fed by
 * berm_sandbox_next. */
BERM_API int berm_sandbox_stopped(struct berm_sandbox *box);
/* Kills what still runs and frees. */
BERM_API void berm_sandbox_free(struct berm_sandbox *box);

/* The version as text: "0.1.0". */
BERM_API const char *berm_version(void);

#ifdef __cplusplus
}
#endif
#endif
