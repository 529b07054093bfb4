/* What every sandbox has, whatever was asked for: docs/guarantees.md. */
#include <string.h>

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

/* A tree where the outer berm gives more than this plan does; NULL: none. */
static const char *outer_gives_more(const struct build *build, bool on_behalf)
{
	const struct outer_node *outers = build->outer.items;
	for (size_t i = 0; i < build->outer.len; i++) {
		const struct path_node *node = outers[i].node;
		unsigned rights = node->denied ? 0 : node->inherited | node->own;
		if (outers[i].on_behalf == on_behalf && (outers[i].rights & ~rights) != 0)
			return node->path;
	}
	return NULL;
}

/* A line of the outer berm that is not among the capabilities; "" if all of them are. */
static struct str outer_names_more(const struct build *build, const char *guarantee, const char *verb)
{
	struct str line;
	for (size_t cursor = 0; facts_outer_next(build->facts, str_from(guarantee), &cursor, &line);) {
		bool named = !str_starts(line, str_from(verb));
		for (size_t i = 0; i < build->caps->lines.len && !named; i++)
			named = build_line(build, i)->text != NULL &&
				str_eq(str_from(build_line(build, i)->text), line);
		if (!named)
			return line;
	}
	return STR("");
}

/* Its supervisor acts for tasks of this sandbox as well, and our rules do not bind it. */
static bool outer_undoes(struct build *build, const char *guarantee, const char *verb, struct words *ret_words)
{
	const char *path = strcmp(guarantee, "files") == 0 ? outer_gives_more(build, true) : NULL;
	struct str line = outer_names_more(build, guarantee, verb);
	*ret_words = (struct words){.enforcer = "nobody", .note = "", .hold = BERM_REFUSED};
	ret_words->needs = "an outer berm that lets no more be done";
	if (path != NULL)
		ret_words->way_out = build_say(build, "grant changing '%.80s' here too", path);
	else if (line.len > 0)
		ret_words->way_out =
			build_say(build, "the line '%.*s' here too", (int)(line.len < 80 ? line.len : 80), line.ptr);
	return path != NULL || line.len > 0;
}

static struct words files(struct build *build, const char *line)
{
	struct words undone;
	bool truncate = !build->namespaces && build->plan->landlock_abi < 3;
	(void)line;
	if (outer_undoes(build, "files", "replace ", &undone))
		return undone;
	if (!build->landlock && !build->namespaces) {
		struct words words = missing(build, FACT_LANDLOCK_ABI);
		words.needs = build->no_namespaces == FACT_COUNT
				      ? words.needs
				      : build_say(build, "Landlock, or %s", fact_table[build->no_namespaces].about);
		return words;
	}
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
	const char *more = outer_gives_more(build, false);
	if (more != NULL)
		return partial(OUTER,
			       build_say(build, "those in '%.80s', which it lets be changed, are not held", more));
	if (outer(build, "metadata", line))
		return held(OUTER, "");
	return partial("nobody", better(build, "modes, owners and times of the user's own files can be changed",
					build->cannot_supervise));
}

static const char *led_by(const struct build *build)
{
	return build->plan->landlock_net != 0 ? "seccomp + supervisor + landlock" : "seccomp + supervisor";
}

/* Without a network of its own nothing leads datagrams to the filter, which go where their address says: there are none. */
static struct words filtered(struct build *build)
{
	if (!build->supervise)
		return missing(build, build->cannot_supervise);
	if (build->plan->capture == PLAN_CAPTURE_RULES)
		return held("network namespace + nf_tables + supervisor", "");
	if (build->plan->capture == PLAN_CAPTURE_LED)
		return held("network namespace + supervisor",
			    better(build, "programs see the filter as the other side of a connection", FACT_NF_TABLES));
	return held(led_by(build), "DNS over TCP alone; programs see the filter as the other side of a connection");
}

static struct words network(struct build *build, const char *line)
{
	const struct berm_plan *plan = build->plan;
	if (plan->network == BERM_NET_HOST)
		return held("granted", "the machine's network as it is, with what listens on its loopback");
	if (plan->network == BERM_NET_FILTERED)
		return filtered(build);
	if (plan->net_namespace)
		return held("network namespace", "");
	if (build->supervise)
		return held(led_by(build), "the loopback is the machine's: reached is only what listens inside");
	if (outer(build, "network", line))
		return held(OUTER, "");
	return held("seccomp", better(build, "no loopback either", build->cannot_supervise));
}

static struct words sockets(struct build *build, const char *line)
{
	struct words undone;
	if (outer_undoes(build, "sockets", "socket ", &undone))
		return undone;
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

static const char *const networks[] = {
	[BERM_NET_NONE] = "network none", [BERM_NET_HOST] = "network host", [BERM_NET_FILTERED] = "network filtered"};

bool build_guarantee(struct build *build, size_t index, const char **ret_guarantee, const char **ret_line,
		     struct words *ret_words)
{
	if (index >= ARRAY_LEN(guarantees))
		return false;
	const char *line = guarantees[index].line;
	if (line == NULL)
		line = networks[build->plan->network];
	*ret_guarantee = guarantees[index].guarantee;
	*ret_line = line;
	*ret_words = guarantees[index].judge(build, line);
	return true;
}
