/* The words of a plan: for each line who holds it, what is weaker, or what is missing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "sandbox/plan_build.h"

enum { MAX_GUARANTEES = 32, LINE_SIZE = 96, SAY_SIZE = 500 };

static const char NOT_GRANTED[] = "not granted", OUTER[] = "the outer berm", NOBODY[] = "nobody";

const char *build_say(struct build *build, const char *format, ...)
{
	char text[SAY_SIZE];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	const char *copy = arena_text(build->keep, str_from(text));
	build->out_of_memory |= copy == NULL;
	return copy != NULL ? copy : "";
}

const char *build_base(const struct build *build)
{
	if (!build->namespaces)
		return "landlock";
	if (!build->landlock)
		return "hidden view";
	return build->plan->hidden ? "hidden view + landlock" : "read-only mounts + landlock";
}

static struct words held(const char *enforcer, const char *note)
{
	return (struct words){.enforcer = enforcer, .note = note, .hold = BERM_HELD};
}

static struct words partial(const char *enforcer, const char *note)
{
	return (struct words){.enforcer = enforcer, .note = note, .hold = BERM_PARTIAL};
}

static struct words refused(const char *needs, const char *way_out)
{
	return (struct words){.enforcer = NOBODY, .note = "", .hold = BERM_REFUSED, .needs = needs, .way_out = way_out};
}

static struct words refused_by(const struct build *build, enum fact fact)
{
	return refused(fact_table[fact].about, facts_improve(build->facts, fact));
}

/* "A + B" from the parts that are on. */
struct part {
	bool on;
	const char *text;
};
static const char *sum_of(struct build *build, const struct part *parts, size_t count)
{
	char text[SAY_SIZE];
	const char *only = "";
	size_t used = 0, on = 0;
	for (size_t i = 0; i < count; i++) {
		if (!parts[i].on)
			continue;
		only = parts[i].text;
		int more = snprintf(text + used, sizeof text - used, "%s%s", on++ > 0 ? " + " : "", parts[i].text);
		if (more < 0 || (size_t)more >= sizeof text - used)
			break;
		used += (size_t)more;
	}
	return on <= 1 ? only : build_say(build, "%s", text);
}

/* ---- grants ------------------------------------------------------------------------------------------------------ */

static void rights_text(unsigned rights, char *ret_text, size_t size)
{
	static const struct {
		unsigned right;
		const char *word;
	} words[] = {{BERM_READ, "read"}, {BERM_WRITE, "write"}, {BERM_DELETE, "delete"}, {BERM_EXEC, "exec"}};
	size_t used = 0;
	ret_text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((rights & words[i].right) == 0 || used >= size)
			continue;
		int more = snprintf(ret_text + used, size - used, "%s%s", used > 0 ? ", " : "", words[i].word);
		used += more > 0 ? (size_t)more : 0;
	}
}

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static const char *governed_text(struct build *build, const struct path_node *node, unsigned govern)
{
	char free_rights[64], taken[64], why[96];
	unsigned rights = node->inherited | node->own, on_behalf = 0;
	uint32_t protects = 0, denies = build_reads(node);
	if ((govern & GOVERN_WRITE) != 0) {
		on_behalf |= RIGHTS_CHANGE;
		protects = build_protects(build, node);
		denies = build_denies(build, node);
	}
	if ((govern & GOVERN_READ) != 0)
		on_behalf |= BERM_READ;
	rights_text(rights & ~on_behalf, free_rights, sizeof free_rights);
	rights_text(rights & on_behalf, taken, sizeof taken);
	why[0] = '\0';
	if (protects > 0 && denies > 0)
		(void)snprintf(why, sizeof why, ": %u protect, %u deny rules", protects, denies);
	else if (protects > 0)
		(void)snprintf(why, sizeof why, ": %u protect rule%s", protects, plural(protects));
	else if (denies > 0)
		(void)snprintf(why, sizeof why, ": %u deny rule%s", denies, plural(denies));
	return build_say(build, "%s%s%s%s + supervisor (%s%s)", build_base(build), free_rights[0] != '\0' ? " (" : "",
			 free_rights, free_rights[0] != '\0' ? ")" : "", taken, why);
}

/* Lines with the same answer come in rows; the words are made once. */
static const char *grant_enforcer(struct build *build, const struct path_node *node)
{
	unsigned govern = build_governs(build, node);
	if (govern == 0)
		return build_base(build);
	struct told_grant now = {.rights = node->inherited | node->own,
				 .govern = govern,
				 .protects = build_protects(build, node),
				 .denies = build_denies(build, node),
				 .reads = build_reads(node)};
	struct told_grant *last = &build->last_grant;
	if (last->text == NULL || last->rights != now.rights || last->govern != govern ||
	    last->protects != now.protects || last->denies != now.denies || last->reads != now.reads) {
		now.text = governed_text(build, node, govern);
		*last = now;
	}
	return last->text;
}

static struct words grant_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	const struct path_node *node = state->node;
	unsigned rights = node->inherited | node->own;
	if (state->root)
		return refused("a folder other than '/'", "grant the folders in it that are to be written");
	if (state->folder)
		return partial(NOT_GRANTED, "it is a folder: only as a tree can it be granted");
	if (node->denied)
		return partial(NOT_GRANTED, "a deny line closes it");
	bool there = node->seen == SEEN_FILE || node->seen == SEEN_FOLDER;
	if (!there && (line->rights & ~node->inherited) != 0)
		return partial(NOT_GRANTED, "it does not exist now: not granted in this run");
	if (!there)
		return held(build_base(build), "it does not exist: holds when it appears");
	if (build_has_own(build, node))
		return held(build_base(build), "the sandbox has its own");
	if (rights == 0)
		return partial(NOT_GRANTED, "in a scratch folder only what may be read can be granted");
	if (node->chain_trap && (rights & BERM_EXEC) != 0 && (rights & RIGHTS_CHANGE) != 0)
		return partial(grant_enforcer(build, node),
			       "programs that are made beside a denied name during the run cannot be started");
	if (node->chain_trap)
		return held(grant_enforcer(build, node), "");
	if (node->chain)
		return held(build_base(build), "what is made beside a denied name during the run cannot be read");
	if (node->seen == SEEN_FOLDER && (rights & (BERM_WRITE | BERM_DELETE)) == BERM_WRITE)
		return held(grant_enforcer(build, node), "nothing in it can be removed or renamed over");
	return held(grant_enforcer(build, node), "");
}

static struct words socket_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	if (!build->supervise && facts_outer_holds(build->facts, STR("sockets"), str_from(line->text)))
		return held(OUTER, "");
	if (!build->supervise)
		return refused_by(build, build->cannot_supervise);
	if (state->node->seen != SEEN_FILE && build->plan->hidden)
		return partial(NOT_GRANTED, "it does not exist now: not granted in this run");
	if (state->node->denied)
		return partial(NOT_GRANTED, "a deny line closes it");
	return held("supervisor", "");
}

static struct words scratch_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	if (!state->node->in_scratch)
		return held("granted", "the machine's own folder");
	if (build->namespaces)
		return held("private memory", "");
	if (line->variable == NULL)
		return partial(NOBODY, "without namespaces nothing stands in for it");
	return held("a private folder", build_say(build, "where the variable %s leads", line->variable));
}

/* ---- what narrows ------------------------------------------------------------------------------------------------ */

static struct words deny_words(struct build *build, const struct line_state *state)
{
	if (state->outer)
		return held(OUTER, "");
	if (state->touched == 0)
		return held(build_base(build), "it lies in no grant");
	if (state->permissions)
		return held("file permissions", "");
	const struct part parts[] = {
		{state->mask, "masks"},
		{state->chain, "landlock"},
		{state->governs_read || state->governs_write, !state->governs_read   ? "supervisor (write)"
							      : state->governs_write ? "supervisor (read, write)"
										     : "supervisor (read)"},
	};
	const char *enforcer = sum_of(build, parts, ARRAY_LEN(parts));
	if (state->not_looked)
		return partial(enforcer,
			       "trees with very many names that cannot be changed inside were not looked through");
	if (state->host_made)
		return partial(enforcer[0] != '\0' ? enforcer : NOBODY,
			       build->can_govern ? "what something outside makes under this name during the run is not "
						   "covered, because programs may be started from this tree"
						 : "what something outside makes under this name during the run is not "
						   "covered");
	return held(enforcer, state->mask ? "until something outside puts another object in its place" : "");
}

static struct words protect_words(struct build *build, const struct line_state *state)
{
	if (state->outer)
		return held(OUTER, "");
	if ((state->touched & RIGHTS_CHANGE) == 0)
		return held(build_base(build), "nothing can be changed there");
	return held("supervisor", "");
}

static struct words narrow_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	unsigned right = line->kind == CAP_RULE ? line->rule->right : line->rights;
	if (state->refused != NULL)
		return refused(state->refused, state->way_out);
	return right == BERM_DENY ? deny_words(build, state) : protect_words(build, state);
}

static struct words replace_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	(void)line;
	if (state->refused != NULL)
		return refused(state->refused, state->way_out);
	if (state->outer)
		return held(OUTER, "");
	if (!state->governs_write)
		return held(build_base(build), "its folder is granted");
	return held("supervisor", build->plan->hidden ? "the names in its folder can be seen" : "");
}

static struct words ask_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	(void)line;
	(void)state;
	if (!build->landlock)
		return refused_by(build, FACT_LANDLOCK_ABI);
	if (!build->supervise)
		return refused_by(build, build->cannot_supervise);
	if (build->plan->hidden)
		return refused("a view in which names outside the grants can be seen", "view visible");
	return held("supervisor", build->plan->allow_asked ? "allowed without a question" : "each access is asked for");
}

/* ---- limits, extras ---------------------------------------------------------------------------------------------- */

static struct words limit_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	bool cgroup = build->plan->cgroup != NULL, root = build->plan->user_is_root;
	(void)state;
	switch ((enum berm_limit)line->which) {
	case BERM_LIMIT_MEMORY:
		return cgroup ? held("cgroup", "")
			      : partial("rlimits",
					build_say(build, "for each process by itself; better with a cgroup: %s",
						  facts_improve(build->facts, FACT_CGROUP_MEMORY)));
	case BERM_LIMIT_PROCESSES:
		if (cgroup)
			return held("cgroup", "");
		if (root)
			return partial(NOBODY, "not held for root without a cgroup");
		return partial("rlimits", build->namespaces ? "threads count as well"
							    : "all processes and threads of this user count");
	case BERM_LIMIT_CPU_S:
		return partial("rlimits", "for each process by itself");
	case BERM_LIMIT_WALL_MS:
		return held("supervisor", "");
	case BERM_LIMIT_OPEN_FILES:
	case BERM_LIMIT_FILE_SIZE:
	case BERM_LIMIT_COUNT:
	default:
		return held("rlimits", "");
	}
}

static struct words io_uring_words(const struct build *build)
{
	const char *needs = "a filter that sees its operations, and there is none";
	if (build->narrowed)
		return refused(needs, "leave io_uring out, or the deny and protect lines");
	if (build->plan->network != BERM_NET_HOST && !build->plan->net_namespace)
		return refused(needs, "leave io_uring out, or grant the network");
	return held("granted", "its operations are seen by no filter");
}

static struct words extra_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	static const char *const notes[BERM_EXTRA_COUNT] = {
		[BERM_EXTRA_PTRACE] = "on processes of the sandbox",
		[BERM_EXTRA_USERNS] = "more of the kernel can be reached; Landlock lets nothing be mounted",
		[BERM_EXTRA_MEMFD_EXEC] = "programs that never were a file can be started",
		[BERM_EXTRA_GPU] = "the driver's whole interface can be reached",
		[BERM_EXTRA_KVM] = "the driver's whole interface can be reached",
		[BERM_EXTRA_PERF] = "more of the kernel can be reached",
		[BERM_EXTRA_SIGNALS] = "to all processes of this user",
		[BERM_EXTRA_HOST_TMP] = "the machine's /tmp, with what others leave there",
	};
	(void)state;
	switch ((enum berm_extra)line->which) {
	case BERM_EXTRA_IO_URING:
		return io_uring_words(build);
	case BERM_EXTRA_SIGNALS:
		if (build->namespaces)
			return partial(NOT_GRANTED,
				       "no process outside can be named in a pid namespace; try: backend landlock");
		break;
	case BERM_EXTRA_GPU:
	case BERM_EXTRA_KVM:
		if (!build->namespaces)
			return partial(NOT_GRANTED, "only with a /dev of its own, which needs namespaces");
		break;
	case BERM_EXTRA_PTRACE:
		if (build->facts->value[FACT_PTRACE] == 0)
			return partial("granted", "this machine lets nobody trace: kernel.yama.ptrace_scope");
		break;
	case BERM_EXTRA_USERNS:
	case BERM_EXTRA_MEMFD_EXEC:
	case BERM_EXTRA_PERF:
	case BERM_EXTRA_HOST_TMP:
	case BERM_EXTRA_COUNT:
	default:
		break;
	}
	return held("granted", line->which < BERM_EXTRA_COUNT ? notes[line->which] : "");
}

static struct words view_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	(void)line;
	(void)state;
	if (build->caps->view == BERM_VIEW_VISIBLE && !build->landlock)
		return refused_by(build, FACT_LANDLOCK_ABI);
	if (build->caps->view == BERM_VIEW_HIDDEN && !build->plan->hidden && build->namespaces)
		return refused("a grant of less than '/' or '/dev'", "--view visible");
	if (build->caps->view == BERM_VIEW_HIDDEN && !build->plan->hidden)
		return partial(NOBODY, build->no_namespaces == FACT_COUNT
					       ? "names outside the grants can be seen"
					       : build_say(build, "names outside the grants can be seen; needs %s: %s",
							   fact_table[build->no_namespaces].about,
							   facts_improve(build->facts, build->no_namespaces)));
	return held(build->plan->hidden ? "hidden view" : "visible view", "");
}

static struct words backend_words(struct build *build, const struct cap_line *line, const struct line_state *state)
{
	(void)line;
	(void)state;
	if (build->caps->backend == BERM_BACKEND_NAMESPACES && !build->namespaces)
		return refused_by(build, build->no_namespaces);
	if (build->caps->backend == BERM_BACKEND_LANDLOCK && !build->landlock)
		return refused_by(build, FACT_LANDLOCK_ABI);
	return held(build->namespaces ? "namespaces" : "landlock", "");
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *guarantee; /* NULL: by the line's right */
	struct words (*words)(struct build *build, const struct cap_line *line, const struct line_state *state);
} kinds[] = {
	[CAP_GRANT] = {"files", grant_words},	  [CAP_NARROW] = {NULL, narrow_words},
	[CAP_REPLACE] = {"files", replace_words}, [CAP_RULE] = {NULL, narrow_words},
	[CAP_ASK] = {"files", ask_words},	  [CAP_SOCKET] = {"sockets", socket_words},
	[CAP_SCRATCH] = {"files", scratch_words}, [CAP_LIMIT] = {"limits", limit_words},
	[CAP_EXTRA] = {NULL, extra_words},	  [CAP_VIEW] = {"files", view_words},
	[CAP_BACKEND] = {"files", backend_words},
};

static const char *guarantee_of(const struct cap_line *line)
{
	static const char *const by_extra[BERM_EXTRA_COUNT] = {
		[BERM_EXTRA_SIGNALS] = "processes", [BERM_EXTRA_HOST_TMP] = "files"};
	if (kinds[line->kind].guarantee != NULL)
		return kinds[line->kind].guarantee;
	if (line->kind == CAP_EXTRA)
		return by_extra[line->which] != NULL ? by_extra[line->which] : "kernel";
	unsigned right = line->kind == CAP_RULE ? line->rule->right : line->rights;
	return right == BERM_DENY ? "deny" : "protect";
}

static void refuse_plan(struct build *build, const char *line, const struct words *words)
{
	if (words->told_only || build->plan->refused)
		return;
	build->plan->refused = true;
	(void)err_set(&build->refusal, BERM_ERR_UNSUPPORTED, "cannot hold '%.90s': needs %s; try: %s", line,
		      words->needs, words->way_out);
}

/* What the line is about: for live.h. */
static void note_line(struct build *build, size_t index, struct plan_line *told)
{
	static const enum plan_line_kind by_kind[] = {
		[CAP_GRANT] = PLAN_LINE_GRANT,	 [CAP_NARROW] = PLAN_LINE_RULE,	  [CAP_REPLACE] = PLAN_LINE_RULE,
		[CAP_RULE] = PLAN_LINE_RULE,	 [CAP_SOCKET] = PLAN_LINE_SOCKET, [CAP_SCRATCH] = PLAN_LINE_FIXED,
		[CAP_LIMIT] = PLAN_LINE_LIMIT,	 [CAP_EXTRA] = PLAN_LINE_EXTRA,	  [CAP_VIEW] = PLAN_LINE_FIXED,
		[CAP_BACKEND] = PLAN_LINE_FIXED, [CAP_ASK] = PLAN_LINE_FIXED,
	};
	const struct cap_line *line = build_line(build, index);
	const struct path_node *node = build->states[index].node;
	told->kind = by_kind[line->kind];
	told->rights = line->kind == CAP_REPLACE ? (unsigned)BERM_REPLACE : line->rights;
	told->path = node != NULL ? node->path : line->path.ptr;
	if (line->kind != CAP_RULE)
		return;
	told->rights = line->rule->right;
	told->pattern = line->rule->glob;
	told->path = line->rule->path.ptr;
}

/* What one line needs, its neighbours mostly need as well. */
static const char *refusal(struct build *build, const struct words *words)
{
	struct told_refusal *last = &build->last_refusal;
	if (last->note == NULL || last->needs != words->needs || last->way_out != words->way_out)
		*last = (struct told_refusal){words->needs, words->way_out,
					      build_say(build, "needs %s; try: %s", words->needs, words->way_out)};
	return last->note;
}

static void add_line(struct build *build, const char *guarantee, const char *text, struct words *words)
{
	struct berm_plan *plan = build->plan;
	if (words->hold == BERM_REFUSED) {
		words->note = refusal(build, words);
		refuse_plan(build, text, words);
	}
	plan->lines[plan->line_count++] = (struct plan_line){.guarantee = guarantee,
							     .line = text,
							     .enforcer = words->enforcer,
							     .note = words->note,
							     .hold = words->hold};
}

static const char *line_text(struct build *build, const struct cap_line *line)
{
	char text[LINE_SIZE];
	caps_line_text(build->caps, line, text, sizeof text);
	return build_say(build, "%s", text);
}

enum berm_code build_lines(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	const char *guarantee, *text;
	struct words words;
	size_t count = build->caps->lines.len;
	plan->lines = arena_array(build->keep, count + MAX_GUARANTEES, sizeof *plan->lines);
	if (plan->lines == NULL)
		return build_no_memory(err);
	for (size_t i = 0; i < MAX_GUARANTEES && build_guarantee(build, i, &guarantee, &text, &words); i++)
		add_line(build, guarantee, text, &words);
	for (size_t i = 0; i < count; i++) {
		const struct cap_line *line = build_line(build, i);
		words = kinds[line->kind].words(build, line, &build->states[i]);
		add_line(build, guarantee_of(line), line->text != NULL ? line->text : line_text(build, line), &words);
		note_line(build, i, &plan->lines[plan->line_count - 1]);
	}
	return build->out_of_memory ? build_no_memory(err) : BERM_OK;
}
