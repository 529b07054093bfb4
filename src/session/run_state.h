/* What a run holds, shared by the files that make it: run.c (up to the start), run_change.c (another policy while it
 * runs), run_serve.c (what its sandbox asks and tells). Not for anybody else. */
#ifndef BERM_SESSION_RUN_STATE_H
#define BERM_SESSION_RUN_STATE_H

#include <limits.h>
#include <time.h>

#include "session/agent_hook.h"
#include "session/approvals.h"
#include "session/approver_control.h"
#include "session/control.h"
#include "session/denials.h"
#include "session/generation.h"
#include "session/jobs.h"
#include "session/journal.h"
#include "session/machine_values.h"
#include "session/net.h"
#include "session/pty.h"
#include "session/reload.h"
#include "session/run.h"
#include "session/streams.h"
#include "session/workspace.h"

enum { RUN_NET_SEEN = 32 };

/* The network filter of a run. */
enum { RUN_NET_OBJECT = HOST_NAME_MAX + 16 };
struct run_net_seen {
	const char *op;
	bool allowed;
	char object[RUN_NET_OBJECT];
	int32_t pid;
	int64_t told_ms;
	uint32_t count; /* since then */
};
/* What somebody let pass, a name, or an address and its port: the questions that follow from the first one are not asked again. */
struct run_net_passed {
	char object[RUN_NET_OBJECT];
	int64_t until_ms; /* for further connections; those that are there may stay */
};
enum { RUN_NET_PASSED = 64 };
struct net_asked;

struct run_net {
	struct net *net;	    /* NULL: the network is not filtered */
	struct policy_index *index; /* of the policy in force; NULL: nothing was asked yet */
	uint64_t denied;
	uint32_t open; /* connections that may be there: those that were let be dialled and are not told to be over */
	bool died;
	const char **also; /* of the environment */
	struct run_net_seen seen[RUN_NET_SEEN];
	size_t seen_next;
	struct run_net_passed passed[RUN_NET_PASSED];
	size_t passed_next;
	struct net_asked *asked; /* questions that wait for an answer of somebody */
};

struct run {
	struct run_request request;
	char cwd[PATH_MAX], home[PATH_MAX], real_home[PATH_MAX], cache[PATH_MAX];
	const char *cache_values[2]; /* of $WORKSPACE_CACHE */
	struct policy_variable cache_variable;
	char events[2 * PATH_MAX]; /* "fd:N", or an absolute path */
	struct workspace workspace;
	struct berm_err no_workspace; /* why there is none; code OK: there is one */
	char **closed;		      /* further secrets of the system */
	char **links;		      /* in the home folder */
	char **kernel_mounts;	      /* besides the usual ones */
	const char *kept[2];	      /* the events file */
	char distro[128];
	struct sources_request asked;
	struct sources *sources;
	struct machine_values values; /* of variables, when they are asked for */
	struct policy_input input;
	struct policy *policy;
	struct policy_origins origins; /* with examine */
	bool unheld;		       /* with examine: lines of the policy cannot be held in this version */
	struct berm_caps *caps;
	struct berm_facts *facts;
	bool facts_are_quick;
	struct berm_plan *plan;
	char **environment;
	struct agent_hook hook; /* the command's words, if an agent is to be led to what was denied */
	bool had_children;	/* before berm has any itself */
	struct terminal terminal;
	struct ev_loop terminal_loop; /* epoll_fd -1: not made */
	struct pty *pty;	      /* between the command and the terminal; NULL: nothing is */
	struct jobs jobs;
	struct journal journal;
	struct denials *denials; /* what was denied; NULL with examine */
	struct offers *offers;	 /* made of it at the end; or NULL */
	char program[PATH_MAX];	 /* berm's own */
	struct berm_sandbox *box;
	struct reload *reload;	 /* NULL: the files are not watched */
	struct control *control; /* NULL: nobody can ask for changes */
	struct approvals *approvals;
	struct approver_desk desk;
	char *asked_by;		     /* the policy's lines about asking, as they are in force */
	struct asked *open_requests; /* open requests of the sandbox */
	char kept_in[PATH_MAX];	     /* where answers for ever are written; "": nowhere */
	bool by_control;	     /* nobody but another terminal is asked, and the person has not been told */
	struct generation next;	     /* a policy that is being put in force */
	struct timespec read;	     /* when the policy's files were read, at the earliest */
	char *watched[3];	     /* files that may appear */
	struct run_net net;
	struct run_result result;
};

/* The line of the policy that decided, with the texts that its event needs. */
struct run_line {
	struct event_by by; /* texts borrow from the entry and from this struct */
	char at[160], layer[96], text[256];
};
/* entry: NULL, none; then text is all that is known. */
void run_line_find(const struct policy_entry *entry, const char *text, struct run_line *ret_line);

/* "" is no text. */
const char *run_text_or_null(const char *text);

/* Watches the policy's files and opens the control socket. Neither is needed for the run itself: where one cannot be had,
 * the policy stays as it is. */
void run_watch_policy(struct run *run);
/* Milliseconds until run_take_changes has something to do, or -1. */
int run_change_timeout_ms(const struct run *run);
/* files, asked: there is something to read from the files' watch, from the control socket. */
void run_take_changes(struct run *run, bool files, bool asked);

/* run_terminal.c: is somebody at the terminal, who sees what the command shows there? */
bool run_has_person(void);
/* Before the spawn, once the plan is made; then for the command. Errors: SYS. */
MUST_USE enum berm_code run_terminal_begin(struct run *run, struct berm_err *err);
void run_terminal_command(const struct run *run, struct berm_command *command);
int run_terminal_fd(const struct run *run); /* to be polled for reading, or -1; then, and in time, run_terminal_turn */
int run_terminal_timeout_ms(const struct run *run);
void run_terminal_turn(struct run *run);
void run_terminal_signals(struct run *run); /* of jobs.signal_fd */
void run_terminal_stopped(struct run *run, int signal);
void run_terminal_end(struct run *run); /* the terminal is as it was */

/* run_net_ask.c: asks about the host of a question of @egress, a DNS, CONNECT or HTTP one. done is called once, perhaps at once;
 * words: who decided it; NULL: nobody could be asked. */
typedef void (*run_net_answered)(struct run *run, const struct door_question *question, const char *target,
				 bool allowed, const char *words);
void run_net_ask(struct run *run, const struct door_question *question, const char *target, const char *rule,
		 run_net_answered done);
/* Nobody waits for the answer any more. */
void run_net_withdraw(struct run *run, uint64_t id);
/* Did somebody let it pass? recent: a moment ago, so that it holds for what comes now. */
bool run_net_has_passed(const struct run *run, const struct door_question *question, bool recent);
/* run_net.c: "example.org:443"; the host alone without a port. */
void run_net_object(const struct door_question *question, char ret_object[static RUN_NET_OBJECT]);

/* run_ask.c: "allowed by program approve (session): fine" */
void run_ask_words(const struct approval_answer *answer, char *ret_words, size_t size);
/* Who could be asked here, for the policy's input. */
unsigned run_answerers(const struct run *run);
/* What waits for an answer. Errors: those of approvals_new and approver_build. */
MUST_USE enum berm_code run_ask_begin(struct run *run, struct berm_err *err);
void run_ask_end(struct run *run);
/* The policy has changed. */
void run_ask_change(struct run *run);
/* An open request, or one that was withdrawn. */
void run_ask_take(struct run *run, const struct berm_request *request);
/* "approvals" and "approve" of the control socket; false: it is neither. */
bool run_ask_control(struct run *run, const struct control_request *request, struct buf *answer);

/* run_serve.c: the event of a decided request, and the report's line. words: who decided it, or NULL. */
void run_put_request(struct run *run, const struct berm_request *request, const char *words);
/* run_net.c. Starts @egress if the plan wants the network filtered, before the spawn; hands it the sandbox's network, after it. */
MUST_USE enum berm_code run_net_start(struct run *run, struct berm_err *err);
MUST_USE enum berm_code run_net_attach(struct run *run, struct berm_err *err);
/* There is something to read at the door. */
void run_net_take(struct run *run);
/* The sandbox has ended: what its connections come to is waited for, a moment. */
void run_net_finish(struct run *run);
/* Further variables of the command, also and those that programs need to find names here; also without memory. */
const char *const *run_net_environment(struct run *run, const char *const *also);
/* Another policy is in force. */
void run_net_reloaded(struct run *run);
void run_net_done(struct run *run);

#endif
