#include "session/net.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/egress.h"
#include "os/sys.h"

struct net {
	pid_t pid;  /* 0: reaped */
	int status; /* then */
	int door;   /* -1: it is gone */
	struct door_question question;
	uint8_t bytes[DOOR_MESSAGE_MAX];
	char target[DOOR_TARGET_MAX + 1];
};

/* ---- the child ---------------------------------------------------------------------------------------------------- */

/* What the user has in the environment, keys among it, is nothing for a process that reads what strangers send. */
static void clear_environment(void)
{
	for (char **at = environ; at != NULL && *at != NULL; at++)
		explicit_bzero(*at, strlen(*at));
	environ = NULL;
}

/* Signals of a terminal are not for it: what ends it is the end of the door. Descriptors it gives up by itself. */
_Noreturn static void become_egress(int door, pid_t parent)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	if (sys_end_with_parent() < 0 || getppid() != parent)
		_exit(1);
	clear_environment();
	egress_main(door, NULL);
}

/* The process and this side of the door. */
static enum berm_code start(struct net *net, struct berm_err *err)
{
	int pair[2];
	const pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(err, "make the door of the network filter");
	auto_fd int ours = pair[0], theirs = pair[1];
	net->pid = fork();
	if (net->pid < 0)
		return err_sys(err, "start the network filter");
	if (net->pid == 0)
		become_egress(theirs, parent);
	net->door = take_fd(&ours);
	return BERM_OK;
}

enum berm_code net_start(struct net **ret_net, struct berm_err *err)
{
	auto_free struct net *net = calloc(1, sizeof(*net));
	if (net == NULL)
		return err_set(err, BERM_ERR_NOMEM, "start the network filter");
	TRY(start(net, err));
	*ret_net = take(net);
	return BERM_OK;
}

/* ---- the door ----------------------------------------------------------------------------------------------------- */

/* It is gone, or is to be. */
static void end(struct net *net)
{
	if (net->door >= 0)
		(void)close(net->door);
	net->door = -1;
	if (net->pid <= 0)
		return;
	/* Whoever ended the whole tree has reaped it as well: then the number may be another's. */
	if (waitpid(net->pid, &net->status, WNOHANG) == 0) {
		(void)kill(net->pid, SIGKILL);
		while (waitpid(net->pid, &net->status, 0) < 0 && errno == EINTR)
			continue;
	}
	net->pid = 0;
}

enum berm_code net_attach(struct net *net, struct berm_sandbox *box, struct berm_err *err)
{
	struct berm_network_ends ends = {.size = sizeof(ends)};
	TRY(berm_sandbox_network(box, &ends, err));
	int fds[DOOR_END_COUNT] = {ends.tcp[0],	    ends.tcp[1],   ends.dns_udp[0], ends.dns_udp[1], ends.dns_tcp[0],
				   ends.dns_tcp[1], ends.proxy[0], ends.proxy[1],   ends.origins};
	enum berm_code code = door_send_ends(net->door, fds, ends.proxy_port, err);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		own_close(&fds[i]);
	return code;
}

int net_fd(const struct net *net)
{
	return net->door;
}

bool net_next(struct net *net, const struct door_question **ret_question, const char **ret_target)
{
	enum berm_code code = BERM_ERR_PARSE;
	struct str text = STR("");
	while (net->door >= 0 && code == BERM_ERR_PARSE) /* a bad one is dropped: a denial when its time is over */
		code = door_take(net->door, net->bytes, &net->question, &text, NULL);
	if (net->door < 0 || code == BERM_ERR_TIMEOUT)
		return false;
	if (code != BERM_OK || text.len > DOOR_TARGET_MAX) {
		end(net);
		return false;
	}
	if (text.len > 0)
		memcpy(net->target, text.ptr, text.len);
	net->target[text.len] = '\0';
	*ret_question = &net->question;
	*ret_target = net->target;
	return true;
}

void net_answer(struct net *net, const struct door_answer *answer)
{
	if (net->door >= 0 && door_send(net->door, answer, NULL) != BERM_OK)
		end(net);
}

void net_end_text(const struct net *net, char *ret_text, size_t size)
{
	if (WIFSIGNALED(net->status))
		(void)snprintf(ret_text, size, "killed by signal %d", WTERMSIG(net->status));
	else
		(void)snprintf(ret_text, size, "ended with status %d", WEXITSTATUS(net->status));
}

void net_free(struct net *net)
{
	if (net == NULL)
		return;
	end(net);
	free(net);
}
