#include "egress/egress.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/confine.h"
#include "egress/dns_server.h"
#include "egress/listeners.h"
#include "egress/origins.h"
#include "egress/pipes.h"
#include "egress/resolver.h"
#include "os/sys.h"

enum {
	OTHER_DESCRIPTORS = 512, /* the ends, queries to DNS servers, attempts to connect */
	RECHECKS_A_TURN = 32,
	RECHECK_AGAIN_MS = 5,	 /* the door was full */
	NAMES_EXPIRY_MS = 60000, /* dns_names.h tells clients less */
	NAMES_QUARANTINE_MS = 600000,
};

const struct egress_limits egress_usual_limits = {
	.connections = 16384,
	.half_open = 4096,
	.connection_bytes = 65536,
	.origin_ms = 1000,
	.first_ms = 10000,
	.connect_ms = 30000,
	.idle_ms = 2 * 3600 * 1000,
	.linger_ms = 120000,
	.names = 16384,
};

/* ---- what is open, and asked for again ----------------------------------------------------------------------------- */

void egress_open_add(struct egress *egress, struct egress_open *open, bool (*recheck)(struct egress_open *open))
{
	*open = (struct egress_open){.recheck = recheck, .next = egress->open};
	if (egress->open != NULL)
		egress->open->previous = open;
	egress->open = open;
}

void egress_open_remove(struct egress *egress, struct egress_open *open)
{
	if (egress->unchecked == open)
		egress->unchecked = open->next;
	if (open->next != NULL)
		open->next->previous = open->previous;
	if (open->previous != NULL)
		open->previous->next = open->next;
	else if (egress->open == open)
		egress->open = open->next;
	*open = (struct egress_open){0};
}

static void recheck_due(struct loop_source *source, uint32_t events)
{
	struct egress *egress = (struct egress *)(void *)((char *)source - offsetof(struct egress, recheck));
	bool full = false;
	(void)events;
	for (int i = 0; i < RECHECKS_A_TURN && egress->unchecked != NULL && !full; i++) {
		struct egress_open *open = egress->unchecked;
		full = !open->recheck(open);
		if (!full)
			egress->unchecked = open->next;
	}
	if (egress->unchecked != NULL)
		loop_deadline(source, full ? RECHECK_AGAIN_MS : 0);
}

/* What begins later was asked for under the new rules. */
static void reloaded(struct egress *egress, const struct door_answer *answer)
{
	egress->generation = answer->generation;
	if (answer->close_denied == 0)
		return;
	egress->unchecked = egress->open;
	if (egress->unchecked != NULL)
		loop_deadline(&egress->recheck, 0);
}

/* ---- the ends ------------------------------------------------------------------------------------------------------ */

enum { END_TCP = 0, END_DNS_UDP = 2, END_DNS_TCP = 4, END_PROXY = 6, END_ORIGINS = 8 };

static enum berm_code take_ends(struct egress *egress, const int fds[DOOR_END_COUNT], struct berm_err *err)
{
	if (fds[END_ORIGINS] >= 0)
		TRY(origins_new(&egress->loop, fds[END_ORIGINS], egress->limits.origin_ms, &egress->origins, err));
	TRY(dns_server_new(egress, &fds[END_DNS_UDP], &fds[END_DNS_TCP], &egress->dns, err));
	return listeners_new(egress, &fds[END_TCP], &fds[END_PROXY], &egress->listeners, err);
}

static void ends_came(struct egress *egress, const struct door_ends *ends, const int fds[DOOR_END_COUNT])
{
	egress->proxy_port = ends->proxy_port;
	if (take_ends(egress, fds, NULL) != BERM_OK)
		egress->stopping = true;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static enum berm_code prepare(struct egress *egress, int door_fd, struct berm_err *err)
{
	static const struct door_events events = {ends_came, reloaded};
	const struct synthetic_limits names = {egress->limits.names, NAMES_EXPIRY_MS, NAMES_QUARANTINE_MS};
	TRY(confine_descriptors(door_fd, err));
	TRY(loop_init(&egress->loop, err));
	loop_add_timer(&egress->loop, &egress->recheck, recheck_due);
	TRY(door_new(egress, door_fd, &events, &egress->door, err));
	TRY(pipes_new(&egress->pipes, err));
	TRY(synthetic_new(&names, &egress->names, err));
	return resolver_new(&egress->loop, "/", &egress->resolver, err);
}

/* Two descriptors a connection; what is not for connections is left over. */
static enum berm_code give_up_the_rest(struct egress *egress, struct berm_err *err)
{
	size_t count = 0;
	TRY(confine_process((size_t)egress->limits.connections * 2 + OTHER_DESCRIPTORS, &count, err));
	size_t connections = count > OTHER_DESCRIPTORS ? (count - OTHER_DESCRIPTORS) / 2 : 0;
	if (connections < egress->limits.connections)
		egress->limits.connections = (uint32_t)connections;
	return BERM_OK;
}

static enum berm_code run(struct egress *egress, int door_fd, struct berm_err *err)
{
	TRY(prepare(egress, door_fd, err));
	TRY(give_up_the_rest(egress, err));
	while (!egress->stopping)
		TRY(loop_turn(&egress->loop, err));
	return BERM_OK;
}

/* Without what a libc or a sanitizer does at an exit, which is not in the list of confine.c. */
static _Noreturn void leave(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

/* It ends when the door does. What a terminal or a service manager sends to a whole group is for others to act on first; the
 * rest is what writing to a peer that is gone would bring (splice(2) cannot be told not to). */
static void ignore_signals(void)
{
	static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGPIPE, SIGTSTP,
				      SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM, SIGXFSZ};
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)signal(signals[i], SIG_IGN);
}

_Noreturn void egress_main(int door_fd, const struct egress_limits *limits)
{
	struct egress *egress = calloc(1, sizeof(*egress));
	int fd = door_fd > STDERR_FILENO ? door_fd : fcntl(door_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (egress == NULL || fd < 0)
		leave(1);
	ignore_signals();
	(void)sys_set_name("berm @egress");
	egress->limits = limits != NULL ? *limits : egress_usual_limits;
	leave(run(egress, fd, NULL) == BERM_OK && !door_failed(egress->door) ? 0 : 1);
}
