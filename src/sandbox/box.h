/* The caller's side of a running sandbox, for sandbox.c, live.c and their tests only. */
#ifndef BERM_SANDBOX_BOX_H
#define BERM_SANDBOX_BOX_H

#include "sandbox/ends.h"
#include "sandbox/live.h"

struct berm_sandbox {
	int control; /* our end of the socket pair; -1 when the stream has ended */
	int pidfd;
	pid_t helper;	   /* 0: reaped */
	char *cgroup;	   /* removed at the end, or NULL */
	char *private_tmp; /* removed if the helper did not come to it, or NULL */
	bool own_tree;
	bool has_status;
	bool tidy;   /* the helper came to its end and has removed what it made */
	int stopped; /* signal */
	struct berm_status status;
	struct live live;
	struct berm_network_ends ends; /* of a filtered network; -1 where they are handed out or there are none */
};

#endif
