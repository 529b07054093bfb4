/* What every sandbox has, whatever was asked for: docs/guarantees.md. */
#include "base/own.h"
#include "sandbox/plan_build.h"

static const char OUTER[] = "the outer berm";

static struct words held(const char *enforcer, const char *note)
{
	return (struct words){.enforcer = enforcer, .note = note, .hold = BERM_HELD};
}

static struct words partial(const char *enforcer, const char *note)
{
	return (struct words){.enforcer = enforcer, .note = note, .hold = BERM_PARTIAL};
}

static struct words missing(const struct build *build, enum fact fact)
{
	return (struct words){.enforcer = "nobody",
			      .note = "",
			      .hold = BERM_REFUSED,
			      .needs = fact_table[fact].about,
			      .way_out = facts_improve(build->facts, fact)};
}

static const char *better(struct build *build, const char *text, enum fact fact)
{
	return build_say(build, "%s; better with %s: %s", text, fact_table[fact].about,
			 facts_improve(build->facts, fact));
}

static bool outer(const struct build *build, const char *guarantee, const char *line)
{
	return facts_outer_holds(build->facts, str_from(guarantee), str_from(line));
}

static struct words files(struct build *build, const char *line)
{
	bool truncate = !build->namespaces && build->plan->landlock_abi < 3;
	(void)line;
	if (!build->landlock && !build->namespaces)
		return missing(build, FACT_LANDLOCK_ABI);
	if (!build->landlock)
		return held(build_base(build), better(build, "by the view alone", FACT_LANDLOCK_ABI));
	if (truncate && !build->supervise)
		return missing(build, build->cannot_supervise);
	if (truncate)
		return held("landlock + supervisor (truncate)", "");
	return held(build_base(build), build->namespaces ? "" : "names and metadata outside can be seen");
}

static struct words deny(struct build *build, const char *line)
{
	(void)line;
	if (build->can_govern)
		return held(build->namespaces ? "masks + supervisor" : "landlock + supervisor", "");
	enum fact fact = build->landlock ? build->cannot_supervise : FACT_LANDLOCK_ABI;
	return partial(build->namespaces ? "masks" : "landlock",
		       better(build, "only what exists, and where nothing can be changed", fact));
}

static struct words protect(struct build *build, const char *line)
{
	(void)line;
	if (build->can_govern)
		return held("supervisor", "");
	struct words words = missing(build, build->landlock ? build->cannot_supervise : FACT_LANDLOCK_ABI);
	words.told_only = true;
	return words;
}

static struct words metadata(struct build *build, const char *line)
{
	if (build->namespaces)
		return held(build->plan->spec.trap_metadata ? "read-only mounts + supervisor" : "read-only mounts", "");
	if (build->supervise)
		return held("supervisor", "");
	if (outer(build, "metadata", line))
		return held(OUTER, "");
	return partial("nobody", better(build, "modes, owners and times of the user's own files can be changed",
					build->cannot_supervise));
}

static struct words network(struct build *build, const char *line)
{
	const struct berm_plan *plan = build->plan;
	if (plan->network == BERM_NET_HOST)
		return held("granted", "the machine's network as it is, with what listens on its loopback");
	if (plan->net_namespace)
		return held("network namespace", "");
	if (build->supervise)
		return held(plan->landlock_net != 0 ? "seccomp + supervisor + landlock" : "seccomp + supervisor",
			    "the loopback is the machine's: reached is only what listens inside");
	if (outer(build, "network", line))
		return held(OUTER, "");
	return held("seccomp", better(build, "no loopback either", build->cannot_supervise));
}

static struct words sockets(struct build *build, const char *line)
{
	if (build->supervise)
		return held(build->namespaces ? "mounts + supervisor" : "supervisor", "");
	if (outer(build, "sockets", line))
		return held(OUTER, "");
	if (!build->plan->hidden)
		return missing(build, build->cannot_supervise);
	return partial("hidden view",
		       better(build, "a socket in a granted tree can be connected to", build->cannot_supervise));
}

static struct words processes(struct build *build, const char *line)
{
	bool scopes = build->plan->landlock_abi >= 6;
	if (build->namespaces)
		return held(scopes ? "pid namespace + own /proc + landlock" : "pid namespace + own /proc", "");
	if (outer(build, "processes", line))
		return held("seccomp + the outer berm", "");
	const char *seen = "other processes and their command lines can be seen in /proc";
	const char *sent = "other processes can be seen in /proc, and signalled";
	bool signals = (scopes || build->supervise) && !build->plan->extra[BERM_EXTRA_SIGNALS];
	const char *enforcer = scopes ? "seccomp + landlock" : build->supervise ? "seccomp + supervisor" : "seccomp";
	if (build->no_namespaces == FACT_COUNT)
		return partial(enforcer, signals ? seen : sent);
	return partial(enforcer, better(build, signals ? seen : sent, build->no_namespaces));
}

static struct words kernel(struct build *build, const char *line)
{
	(void)line;
	if (build->facts->value[FACT_SECCOMP_FILTER] == 0)
		return missing(build, FACT_SECCOMP_FILTER);
	return held("seccomp", "");
}

static struct words limits(struct build *build, const char *line)
{
	const struct berm_facts *facts = build->facts;
	(void)line;
	if (facts->cgroup[0] != '\0' && facts->value[FACT_CGROUP_MEMORY] != 0 && facts->value[FACT_CGROUP_PIDS] != 0)
		return held("cgroup + rlimits", "");
	return partial("rlimits",
		       better(build,
			      facts->value[FACT_IS_ROOT] != 0
				      ? "for each process by itself; the number of processes not at all for root"
				      : "for each process by itself",
			      FACT_CGROUP_MEMORY));
}

static struct words end(struct build *build, const char *line)
{
	(void)line;
	return held(build->namespaces ? "pid namespace" : "subreaper + sweep", "");
}

static struct words environment(struct build *build, const char *line)
{
	(void)build;
	(void)line;
	return held("spawn", "");
}

static const struct {
	const char *guarantee, *line;
	struct words (*judge)(struct build *build, const char *line);
} guarantees[] = {
	{"files", "files outside the grants are closed", files},
	{"deny", "denied names in grants", deny},
	{"protect", "protected names in grants", protect},
	{"metadata", "metadata of files outside the grants cannot be changed", metadata},
	{"network", NULL, network},
	{"sockets", "no local socket but named ones", sockets},
	{"processes", "no other process is seen, signalled or traced", processes},
	{"kernel", "a small kernel surface", kernel},
	{"limits", "limits hold for the whole tree", limits},
	{"end", "the whole tree is gone at the end", end},
	{"environment", "no descriptor and no variable but the given ones", environment},
};

bool build_guarantee(struct build *build, size_t index, const char **ret_guarantee, const char **ret_line,
		     struct words *ret_words)
{
	if (index >= ARRAY_LEN(guarantees))
		return false;
	const char *line = guarantees[index].line;
	if (line == NULL)
		line = build->plan->network == BERM_NET_HOST ? "network host" : "network none";
	*ret_guarantee = guarantees[index].guarantee;
	*ret_line = line;
	*ret_words = guarantees[index].judge(build, line);
	return true;
}
