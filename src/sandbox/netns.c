#include "sandbox/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/nl.h"
#include "os/sys.h"
#include "sandbox/netns_rules.h"

enum { NET_WORKING = 0, NET_DONE, NET_FAILED, SPIN_ROUNDS = 2000, WAIT_SECONDS = 10 };

/* One sandbox a helper process: what the child leaves for us. */
static struct {
	_Atomic uint32_t state;
	int fd, sys;
	char stack[16 * 1024];
} net;

/* What connections and queries are led to; then nothing is missing when the first one comes. The child has the helper's
 * errno: nothing here is decided by it, and where nothing is wrong nothing writes it. */
static bool make_filtered(struct launch *launch)
{
	static uint32_t messages[NETNS_RULES_SIZE / sizeof(uint32_t)];
	struct nl_out out = nl_into(messages, sizeof(messages));
	uint32_t failed, last;
	netns_addresses(&out);
	if (nl_transact_many(NETLINK_ROUTE, &out, NETNS_ADDRESSES_LAST, NETNS_ADDRESSES_IP6, &failed) < 0)
		return false;
	bool six = failed == 0;
	if (ends_open(six, &launch->ends) < 0)
		return false;
	out = nl_into(messages, sizeof(messages));
	last = netns_rules(&out, six);
	return launch->plan->capture != PLAN_CAPTURE_RULES ||
	       nl_transact_many(NETLINK_NETFILTER, &out, last, 0, &failed) == 0;
}

static int make_netns(void *arg)
{
	struct launch *launch = arg;
	bool filtered = launch->plan->network == BERM_NET_FILTERED;
	bool made = unshare(CLONE_NEWNET) == 0 && (filtered ? make_filtered(launch) : nl_loopback_up() == 0) &&
		    (net.fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) >= 0;
	net.sys = errno;
	atomic_store(&net.state, made ? NET_DONE : NET_FAILED);
	(void)syscall(SYS_futex, &net.state, FUTEX_WAKE, 1, NULL, NULL, 0);
	_exit(0);
}

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

int netns_begin(struct launch *launch)
{
	pid_t pid = clone(make_netns, net.stack + sizeof net.stack, CLONE_VM | CLONE_FILES | SIGCHLD, launch);
	return pid < 0 ? launch_fail(launch, STAGE_LOOPBACK, "clone") : 0;
}

/* Mostly it is done when we come: a short look saves the price of a sleep and a wake-up across processors. */
static uint32_t wait_state(void)
{
	struct timespec second = {.tv_sec = 1};
	for (int i = 0; i < SPIN_ROUNDS && atomic_load(&net.state) == NET_WORKING; i++)
		cpu_relax();
	for (int i = 0; i < WAIT_SECONDS && atomic_load(&net.state) == NET_WORKING; i++)
		(void)syscall(SYS_futex, &net.state, FUTEX_WAIT, NET_WORKING, &second, NULL, 0);
	return atomic_load(&net.state);
}

int netns_enter(struct launch *launch)
{
	uint32_t state = wait_state();
	errno = state == NET_WORKING ? ETIMEDOUT : net.sys;
	if (state != NET_DONE)
		return launch_fail(launch, STAGE_LOOPBACK, NULL);
	if (launch->plan->network == BERM_NET_FILTERED && ends_origins(&launch->ends, &launch->origins) < 0)
		return launch_fail(launch, STAGE_LOOPBACK, "socketpair");
	int entered = setns(net.fd, CLONE_NEWNET);
	(void)close(net.fd);
	return entered < 0 ? launch_fail(launch, STAGE_LOOPBACK, "setns") : 0;
}
