/* Which back-end, and what the system call filter of it does. */
#include "base/own.h"
#include "os/uapi.h"
#include "sandbox/plan_build.h"

static bool has(const struct build *build, enum fact fact)
{
	return build->facts->value[fact] != 0;
}

/* ---- back-end ---------------------------------------------------------------------------------------------------- */

static enum fact first_missing(const struct build *build, const enum fact *needed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!has(build, needed[i]))
			return needed[i];
	return FACT_COUNT;
}

/* Is all of the host's tree granted, or all of its /dev, which a root of our own has no place for? Then there is nothing to
 * hide. */
static bool grants_all(const struct berm_caps *caps)
{
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = vec_at(&caps->lines, i);
		struct str path = line->path;
		while (path.len > 0 && path.ptr[path.len - 1] == '/')
			path.len--;
		if (line->kind == CAP_GRANT && (path.len == 0 || str_eq(path, STR("/dev"))))
			return true;
	}
	return false;
}

void build_backend(struct build *build)
{
	static const enum fact for_namespaces[] = {
		FACT_USER_NAMESPACE, FACT_MOUNT_NAMESPACE, FACT_PID_NAMESPACE, FACT_UTS_NAMESPACE, FACT_OPEN_TREE,
		FACT_MOUNT_SETATTR,  FACT_PROC_MOUNT,	   FACT_TMPFS_MOUNT,   FACT_DEVPTS_MOUNT,
	};
	static const enum fact for_supervision[] = {FACT_SECCOMP_FILTER, FACT_SECCOMP_LISTENER, FACT_SECCOMP_ADDFD,
						    FACT_PIDFD_GETFD, FACT_PROCESS_VM};
	struct berm_plan *plan = build->plan;
	const struct berm_caps *caps = build->caps;
	build->no_namespaces = first_missing(build, for_namespaces, ARRAY_LEN(for_namespaces));
	build->cannot_supervise = first_missing(build, for_supervision, ARRAY_LEN(for_supervision));
	build->supervise = build->cannot_supervise == FACT_COUNT;
	build->landlock = build->facts->value[FACT_LANDLOCK_ABI] >= 1;
	build->can_govern = build->landlock && build->supervise;
	build->namespaces = build->no_namespaces == FACT_COUNT && caps->backend != BERM_BACKEND_LANDLOCK;
	plan->backend = build->namespaces ? BERM_BACKEND_NAMESPACES : BERM_BACKEND_LANDLOCK;
	plan->hidden = build->namespaces &&
		       (!build->landlock || (caps->view != BERM_VIEW_VISIBLE && !grants_all(caps) &&
					     (caps->view == BERM_VIEW_HIDDEN || !build_wants_asks(caps))));
	plan->landlock_abi = (int)build->facts->value[FACT_LANDLOCK_ABI];
}

/* ---- filter ------------------------------------------------------------------------------------------------------ */

static void set_namespaces(struct build *build)
{
	struct berm_plan *plan = build->plan;
	if (!build->namespaces)
		return;
	plan->pid_namespace = true;
	plan->ipc_namespace = has(build, FACT_IPC_NAMESPACE);
	plan->cgroup_namespace = has(build, FACT_CGROUP_NAMESPACE);
	plan->net_namespace =
		plan->network != BERM_NET_HOST && has(build, FACT_NET_NAMESPACE) && has(build, FACT_LOOPBACK_UP);
	if (plan->network == BERM_NET_FILTERED && plan->net_namespace && build->supervise)
		plan->capture = has(build, FACT_NF_TABLES) ? PLAN_CAPTURE_RULES : PLAN_CAPTURE_LED;
}

static void set_landlock(struct build *build)
{
	struct berm_plan *plan = build->plan;
	if (plan->landlock_abi >= 6)
		plan->landlock_scoped =
			LL_SCOPE_ABSTRACT_UNIX_SOCKET | (plan->extra[BERM_EXTRA_SIGNALS] ? 0 : LL_SCOPE_SIGNAL);
}

static void trap_files(struct build *build)
{
	struct berm_plan *plan = build->plan;
	struct seccomp_spec *spec = &plan->spec;
	for (size_t i = 0; i < plan->grant_count; i++) {
		spec->trap_reads |= (plan->grants[i].govern & GOVERN_READ) != 0;
		spec->trap_changes |= (plan->grants[i].govern & GOVERN_WRITE) != 0;
		/* Its mount can be written to, so that the supervisor can: nothing else holds the modes of what is in it. */
		spec->trap_metadata |= plan->grants[i].closed && build->namespaces;
	}
	if (!build->namespaces) {
		spec->trap_metadata = true;
		spec->trap_changes |= plan->landlock_abi < 3; /* truncate is not Landlock's yet */
	}
	if (plan->ask_count > 0)
		spec->trap_reads = spec->trap_changes = spec->trap_metadata = spec->trap_access = true;
	if (build->caps->tell_all)
		spec->trap_exec = spec->trap_reads = spec->trap_changes = true;
	for (size_t i = 0; i < build->caps->lines.len && spec->trap_changes; i++)
		spec->trap_modes |= build->states[i].governs_write;
	spec->trap_modes |= spec->trap_metadata;
}

/* Without a supervisor a network of one's own is the only one that can be let be, unless a berm around this one holds
 * it: then the loopback is that one's. */
static void set_network(struct build *build)
{
	struct berm_plan *plan = build->plan;
	bool outer = facts_outer_holds(build->facts, STR("network"), STR("network none"));
	if (plan->network == BERM_NET_HOST || plan->net_namespace || (!build->supervise && outer))
		return;
	if (plan->network == BERM_NET_FILTERED && build->supervise)
		plan->capture = PLAN_CAPTURE_HOST;
	plan->spec.refuse_udp = true;
	plan->spec.trap_listen = build->supervise;
	plan->spec.refuse_ip = !build->supervise;
	if (plan->landlock_abi >= 4)
		plan->landlock_net = LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
}

static void trap_all(struct build *build)
{
	struct berm_plan *plan = build->plan;
	struct seccomp_spec *spec = &plan->spec;
	trap_files(build);
	spec->trap_connect = spec->trap_dgram_pair = true;
	spec->trap_memfd = !plan->extra[BERM_EXTRA_MEMFD_EXEC];
	spec->trap_peers = !plan->pid_namespace;
	spec->trap_signals = !plan->pid_namespace && plan->landlock_abi < 6 && !plan->extra[BERM_EXTRA_SIGNALS];
	spec->keep_dumpable = true;
	plan->listener = seccomp_spec_traps(spec);
	plan->wait_killable = has(build, FACT_SECCOMP_WAIT_KILLABLE);
	plan->sync_wakeup = has(build, FACT_SECCOMP_SYNC_WAKEUP);
}

void build_spec(struct build *build)
{
	struct berm_plan *plan = build->plan;
	set_namespaces(build);
	set_landlock(build);
	set_network(build);
	plan->spec.private_ipc = plan->ipc_namespace;
	plan->spec.private_pids = plan->pid_namespace;
	plan->spec.allow_ptrace = plan->extra[BERM_EXTRA_PTRACE];
	plan->spec.allow_userns = plan->extra[BERM_EXTRA_USERNS];
	plan->spec.allow_io_uring = plan->extra[BERM_EXTRA_IO_URING];
	plan->spec.allow_memfd_exec = plan->extra[BERM_EXTRA_MEMFD_EXEC];
	plan->spec.allow_perf = plan->extra[BERM_EXTRA_PERF];
	if (build->supervise)
		trap_all(build);
	else if (facts_outer_holds(build->facts, STR("kernel"), STR("a small kernel surface")))
		plan->spec.allow_memfd_exec = true; /* the outer supervisor's to make, and to give its seal */
}
