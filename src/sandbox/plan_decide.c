#include "sandbox/plan_decide.h"

#include <string.h>
#include <sys/stat.h>

#include "base/own.h"

static const unsigned ALL_RIGHTS = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC;

static bool lies_in(struct str path, struct str folder)
{
	return path.len >= folder.len && memcmp(path.ptr, folder.ptr, folder.len) == 0 &&
	       (path.len == folder.len || path.ptr[folder.len] == '/' || folder.len == 1);
}

static const struct plan_grant *grant_at(const struct berm_plan *plan, struct str path)
{
	const struct plan_grant *grant = plan_grant_at(plan, path);
	return grant != NULL && grant->exists ? grant : NULL;
}

/* The longest granted tree that holds the folder of path. */
static const struct plan_grant *holder_of(const struct berm_plan *plan, struct str path)
{
	const struct plan_grant *grant = grant_at(plan, path);
	return grant != NULL && strlen(grant->path) == path.len ? grant_at(plan, plan_parent(path)) : grant;
}

/* ---- what the sandbox sees --------------------------------------------------------------------------------------- */

bool plan_root_is_readable(const struct berm_plan *plan)
{
	if (!plan->hidden)
		return false;
	for (size_t i = 0; i < plan->grant_count; i++)
		if ((plan->grants[i].rights & BERM_READ) == 0 || (plan->grants[i].govern & GOVERN_READ) != 0)
			return false;
	return true;
}

static const char *longer(struct str path, const char *folder, const char *best)
{
	bool holds = lies_in(path, str_from(folder));
	return holds && (best == NULL || strlen(folder) > strlen(best)) ? folder : best;
}

const char *plan_own_folder(const struct berm_plan *plan, struct str path)
{
	const bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	const struct plan_grant *grant = grant_at(plan, path);
	const char *best = longer(path, "/proc", NULL);
	best = namespaces || grant == NULL ? longer(path, "/dev", best) : best;
	best = plan_scratch_is_granted(plan, "/dev/shm") ? best : longer(path, "/dev/shm", best);
	for (size_t i = 0; namespaces && i < plan->scratch_count; i++)
		best = longer(path, plan->scratches[i].path, best);
	if (best == NULL || grant == NULL)
		return best;
	/* Of the same path the hidden view has the scratch folder, the visible one the grant. */
	size_t own = strlen(best), granted = strlen(grant->path);
	return granted > own || (granted == own && !plan->hidden) ? NULL : best;
}

/* Is something of the view below path? */
static bool is_on_the_way(const struct berm_plan *plan, struct str path)
{
	static const char *const always[] = {"/dev/shm", "/proc", "/run", "/sys"};
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (lies_in(str_from(always[i]), path))
			return true;
	for (size_t i = 0; i < plan->grant_count; i++)
		if (plan->grants[i].exists && lies_in(str_from(plan->grants[i].path), path))
			return true;
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (lies_in(str_from(plan->scratches[i].path), path))
			return true;
	for (size_t i = 0; i < plan->link_count; i++)
		if (lies_in(str_from(plan->links[i].path), path))
			return true;
	return false;
}

static bool is_link(const struct berm_plan *plan, struct str path)
{
	for (size_t i = 0; i < plan->link_count; i++)
		if (str_eq(str_from(plan->links[i].path), path))
			return true;
	return false;
}

static bool is_masked(const struct berm_plan *plan, struct str path)
{
	for (size_t i = 0; i < plan->mask_count; i++)
		if (lies_in(path, str_from(plan->masks[i].path)))
			return true;
	return false;
}

/* The control sockets of the host are not there unless something of them was granted: view.c. */
static bool is_covered_run(const struct berm_plan *plan, struct str path)
{
	const struct str run = STR("/run");
	bool covered = plan->backend == BERM_BACKEND_NAMESPACES && lies_in(path, run);
	for (size_t i = 0; covered && i < plan->grant_count; i++)
		covered = !lies_in(str_from(plan->grants[i].path), run);
	for (size_t i = 0; covered && i < plan->socket_count; i++)
		covered = !lies_in(str_from(plan->sockets[i]), run);
	return covered;
}

enum plan_sight plan_sight_of(const struct berm_plan *plan, struct str path)
{
	if (is_masked(plan, path))
		return SIGHT_MASKED;
	const char *own = plan_own_folder(plan, path);
	if (is_link(plan, path))
		return SIGHT_LINK;
	if (own != NULL)
		return strlen(own) < path.len && is_on_the_way(plan, path) ? SIGHT_FOLDER : SIGHT_OWN;
	if (grant_at(plan, path) != NULL || (!plan->hidden && !is_covered_run(plan, path)))
		return SIGHT_REAL;
	return is_on_the_way(plan, path) ? SIGHT_FOLDER : SIGHT_HIDDEN;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static struct plan_answer denied(const char *why)
{
	return (struct plan_answer){.why = why};
}

static struct plan_answer missing(const char *why)
{
	return (struct plan_answer){.missing = true, .why = why};
}

static struct plan_answer allowed(const char *why)
{
	return (struct plan_answer){.allowed = true, .why = why};
}

static bool is_beside(void *ctx, struct str folder, const char *name)
{
	(void)ctx;
	(void)folder;
	(void)name;
	return true;
}
static const struct plan_condition always_met = {is_beside, NULL};

static struct place_verdict judge(const struct berm_plan *plan, const struct plan_question *question,
				  const struct plan_grant *grant, enum place_act act)
{
	const struct plan_condition *condition = question->condition != NULL ? question->condition : &always_met;
	return plan_judge_act(plan, question->path, grant, act, 0, condition);
}

/* Content that a judge looks at may come to be there in place of what no rule lets be written. */
static const struct plan_rule *judge_of(const struct berm_plan *plan, const struct plan_question *question,
					const struct plan_grant *holder)
{
	bool is_file = question->mode == 0 || S_ISREG(question->mode);
	if ((question->op != PLAN_OP_WRITE && question->op != PLAN_OP_CREATE) || !is_file)
		return NULL;
	struct place_verdict verdict = judge(plan, question, holder, ACT_ARRIVE_FILE);
	return verdict.rule == NULL ? verdict.judge : NULL;
}

/* ---- /proc and /dev ---------------------------------------------------------------------------------------------- */

static bool changes(enum plan_op op)
{
	return op == PLAN_OP_WRITE || op == PLAN_OP_CREATE || op == PLAN_OP_DELETE;
}

static bool is_one_of(struct str name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (str_eq(name, str_from(*names)))
			return true;
	return false;
}

/* The sandbox's own processes can be looked into; the machine's cannot. */
static struct plan_answer decide_proc(const struct berm_plan *plan, const struct plan_question *question)
{
	static const char *const selves[] = {"self", "thread-self", NULL};
	static const char *const closed[] = {"kcore",	   "kmsg",	 "vmcore",	"sysrq-trigger",
					     "kpagecount", "kpageflags", "kpagecgroup", NULL};
	static const char *const public[] = {"stat",   "status", "statm",     "cmdline", "comm",
					     "cgroup", "limits", "mountinfo", "mounts",	 NULL};
	struct str rest = question->path, name = STR("");
	(void)str_next(&rest, '/', &name); /* before the first slash */
	(void)str_next(&rest, '/', &name); /* "proc" */
	name = STR("");
	(void)str_next(&rest, '/', &name);
	const bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	if (question->op == PLAN_OP_EXEC)
		return denied("nothing is run from /proc");
	if (is_one_of(name, selves))
		return question->op == PLAN_OP_CREATE || question->op == PLAN_OP_DELETE ||
				       (question->op == PLAN_OP_WRITE && !namespaces)
			       ? denied("/proc is not written to")
			       : allowed("of the sandbox's own processes");
	if (changes(question->op))
		return denied("/proc is not written to");
	if (is_one_of(name, closed))
		return denied("closed by the kernel to whoever has no capability");
	if (!str_is_number(name))
		return allowed("every sandbox has a /proc");
	if (namespaces)
		return missing("a process of the machine: the sandbox sees its own alone");
	return is_one_of(rest, public) ? allowed("names and states of processes can be seen without namespaces")
				       : denied("a process of the machine");
}

/* The node below /dev that is the sandbox's, with what it may do. */
static bool is_own_device(const struct berm_plan *plan, struct str rest)
{
	static const char *const nodes[] = {"null", "zero", "full",  "random", "urandom", "tty",
					    "ptmx", "fd",   "stdin", "stdout", "stderr",  NULL};
	static const char *const gpu[] = {"dri",
					  "kfd",
					  "nvidiactl",
					  "nvidia-uvm",
					  "nvidia-caps",
					  "nvidia-modeset",
					  "nvidia-uvm-tools",
					  "dxg",
					  "nvidia0",
					  "nvidia1",
					  "nvidia2",
					  "nvidia3",
					  NULL};
	struct str name = STR("");
	bool alone = is_one_of(rest, nodes);
	(void)str_next(&rest, '/', &name);
	return alone || str_eq(name, STR("pts")) || (plan->extra[BERM_EXTRA_GPU] && is_one_of(name, gpu)) ||
	       (plan->extra[BERM_EXTRA_KVM] && str_eq(name, STR("kvm")));
}

static struct plan_answer decide_dev(const struct berm_plan *plan, const struct plan_question *question)
{
	const struct str prefix = STR("/dev/");
	const bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	const enum plan_op op = question->op;
	if (question->path.len < prefix.len)
		return op == PLAN_OP_LIST && namespaces ? allowed("every sandbox has a /dev")
							: denied("/dev can be changed by nothing inside");
	struct str rest = {question->path.ptr + prefix.len, question->path.len - prefix.len};
	if (is_own_device(plan, rest))
		return op == PLAN_OP_READ || op == PLAN_OP_WRITE || op == PLAN_OP_LIST
			       ? allowed("every sandbox has it")
			       : denied("/dev can be changed by nothing inside");
	return namespaces ? missing("a device of the machine: the sandbox has its own /dev")
			  : denied("a device of the machine");
}

/* ---- scratch folders --------------------------------------------------------------------------------------------- */

/* Rules hold in it as well where a grant lies in it, and in /dev/shm where that is the machine's. */
static struct plan_answer rules_in_scratch(const struct berm_plan *plan, const struct plan_question *question,
					   const char *folder, enum place_act act)
{
	const bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	const unsigned changing = act != ACT_READ ? GOVERN_READ | GOVERN_WRITE : 0;
	const struct plan_grant grant = {
		.path = folder,
		.rights = ALL_RIGHTS,
		.tree = true,
		.exists = true,
		.govern = namespaces ? plan_scratch_govern(plan, folder) & (changing | GOVERN_READ) : changing,
	};
	if (grant.govern != 0) {
		struct place_verdict verdict = judge(plan, question, &grant, act);
		const struct plan_rule *judged = verdict.rule != NULL ? judge_of(plan, question, &grant) : NULL;
		if (verdict.rule != NULL)
			return (struct plan_answer){
				.allowed = judged != NULL, .by = judged != NULL ? judged : verdict.by, .why = ""};
	}
	return allowed(act == ACT_READ ? "a folder that is the sandbox's own"
				       : "in a folder that is the sandbox's own");
}

static struct plan_answer decide_scratch(const struct berm_plan *plan, const struct plan_question *question,
					 const char *folder)
{
	if (plan->backend != BERM_BACKEND_NAMESPACES && question->mode != 0)
		return denied("shared memory that was made outside");
	enum plan_sight sight = plan_sight_of(plan, question->path);
	if (sight == SIGHT_LINK && question->op == PLAN_OP_DELETE) /* one that was made there on the way to a grant */
		return rules_in_scratch(plan, question, folder, ACT_REMOVE);
	if (strlen(folder) == question->path.len || sight == SIGHT_FOLDER)
		return question->op == PLAN_OP_LIST ? rules_in_scratch(plan, question, folder, ACT_READ)
						    : denied("the sandbox's own folder, which stays");
	return question->op == PLAN_OP_CREATE ? rules_in_scratch(plan, question, folder, ACT_MAKE)
					      : missing("in a folder that is the sandbox's own, empty when it starts");
}

/* ---- granted trees ----------------------------------------------------------------------------------------------- */

/* Without namespaces: what lies beside denied names was granted one by one. */
static unsigned rights_around(const struct berm_plan *plan, struct str path)
{
	unsigned rights = 0;
	for (size_t i = 0; i < plan->around_count; i++) {
		const struct plan_grant *around = &plan->around[i];
		struct str own = str_from(around->path);
		if (str_eq(own, path) || (around->tree && lies_in(path, own)))
			rights |= around->rights;
	}
	return rights;
}

/* A grant as the kernel and the supervisor together hold it. Of a closed folder that lies in a tree which may be read,
 * reading is not governed. */
static struct plan_grant held_grant(const struct berm_plan *plan, const struct plan_question *question,
				    const struct plan_grant *grant)
{
	struct plan_grant held = grant != NULL ? *grant : (struct plan_grant){.path = "", .tree = true};
	unsigned around = plan->around_count > 0 ? rights_around(plan, question->path) : 0;
	held.rights |= around;
	if (held.closed && !changes(question->op) &&
	    ((held.govern & GOVERN_READ) == 0 || (question->op == PLAN_OP_EXEC && around != 0)))
		held.closed = false;
	if (question->op == PLAN_OP_LIST && (held.rights & PLAN_LIST) != 0)
		held.rights |= BERM_READ;
	return held;
}

static enum place_act act_of(const struct plan_question *question)
{
	static const uint8_t by_op[] = {
		[PLAN_OP_READ] = ACT_READ,   [PLAN_OP_LIST] = ACT_READ,	    [PLAN_OP_WRITE] = ACT_WRITE,
		[PLAN_OP_CREATE] = ACT_MAKE, [PLAN_OP_DELETE] = ACT_REMOVE, [PLAN_OP_EXEC] = ACT_READ,
	};
	enum place_act act = by_op[question->op];
	return act == ACT_REMOVE && S_ISDIR(question->mode) ? ACT_RMDIR : act;
}

/* A folder that is denied with exceptions below it is not masked. */
static bool shows_names(const struct berm_plan *plan, const struct plan_question *question,
			const struct plan_grant *held)
{
	bool inner = false;
	if (question->op != PLAN_OP_LIST || (held->govern & GOVERN_READ) != 0 || (held->rights & BERM_READ) == 0 ||
	    is_masked(plan, question->path))
		return false;
	return plan_denied_by(plan, question->path, &inner) != NULL && inner;
}

/* What may be removed, but not written, lies on a mount that is only read, but where its folder's shows it (view.c). */
static bool is_on_writable_mount(const struct berm_plan *plan, const struct plan_grant *grant)
{
	if (plan->backend != BERM_BACKEND_NAMESPACES)
		return true;
	while (grant != NULL && (grant->rights & BERM_WRITE) == 0) {
		if (plan->hidden || (grant->rights & BERM_EXEC) != 0 || strcmp(grant->path, "/") == 0)
			return false;
		grant = grant_at(plan, plan_parent(str_from(grant->path)));
	}
	return grant != NULL;
}

static struct plan_answer decide_granted(const struct berm_plan *plan, const struct plan_question *question)
{
	const enum place_act act = act_of(question);
	const struct plan_grant *holder = holder_of(plan, question->path), *grant = grant_at(plan, question->path);
	const struct plan_grant *asked = plan_act_of_name(act) ? holder : grant;
	const struct plan_grant held = held_grant(plan, question, asked);
	struct plan_answer answer = {.grant = asked, .why = ""};
	struct place_verdict verdict = judge(plan, question, &held, act);
	if (verdict.by != NULL && shows_names(plan, question, &held))
		return (struct plan_answer){.allowed = true,
					    .grant = asked,
					    .why = "names in it can be seen: exceptions of the deny line lie below"};
	if (verdict.rule != NULL) {
		answer.by = verdict.by != NULL ? judge_of(plan, question, holder) : NULL;
		answer.allowed = answer.by != NULL;
		answer.by = answer.allowed ? answer.by : verdict.by;
		return answer;
	}
	if (question->op == PLAN_OP_EXEC && (held.rights & BERM_EXEC) == 0)
		return answer;
	if (question->op == PLAN_OP_DELETE && !is_on_writable_mount(plan, asked)) {
		answer.why = "nothing can be written there, so nothing can be removed";
		return answer;
	}
	answer.allowed =
		question->op != PLAN_OP_DELETE || !plan_is_pinned(plan, grant, question->path, S_ISDIR(question->mode));
	if (!answer.allowed)
		answer.why = "a line names it, so it stays";
	return answer;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bool is_asked_for(const struct berm_plan *plan, const struct plan_question *question)
{
	const struct plan_ask *ask = plan_ask_at(plan, question->path);
	return ask != NULL && question->op != PLAN_OP_EXEC && (plan_act_needs(act_of(question)) & ~ask->rights) == 0;
}

/* A rule is told before a want of grants: it is what no grant lifts. */
static struct plan_answer decide_ungranted(const struct berm_plan *plan, const struct plan_question *question)
{
	const struct plan_grant all = {.path = "", .rights = ALL_RIGHTS, .tree = true, .exists = true};
	struct place_verdict verdict = judge(plan, question, &all, act_of(question));
	const struct str folder = question->op == PLAN_OP_CREATE ? plan_parent(question->path) : question->path;
	struct plan_answer answer = {.by = verdict.by, .why = ""};
	if (verdict.by == NULL && is_asked_for(plan, question))
		return plan->allow_asked ? allowed("what is asked for is allowed") : answer;
	enum plan_sight sight = plan_sight_of(plan, folder);
	answer.missing = sight == SIGHT_HIDDEN;
	if (sight == SIGHT_FOLDER && question->op == PLAN_OP_LIST && plan_root_is_readable(plan))
		return allowed("a folder on the way to what is granted; nothing else is shown in it");
	return answer;
}

static struct plan_answer decide(const struct berm_plan *plan, const struct plan_question *question)
{
	const char *own = plan_own_folder(plan, question->path);
	const struct str at = own != NULL ? str_from(own) : STR("");
	if (str_eq(at, STR("/proc")))
		return decide_proc(plan, question);
	if (str_eq(at, STR("/dev")))
		return decide_dev(plan, question);
	if (own != NULL)
		return decide_scratch(plan, question, own);
	bool names = question->op == PLAN_OP_CREATE || question->op == PLAN_OP_DELETE;
	const struct plan_grant *grant = names ? holder_of(plan, question->path) : grant_at(plan, question->path);
	bool around = plan->around_count > 0 && rights_around(plan, question->path) != 0;
	return grant != NULL || around ? decide_granted(plan, question) : decide_ungranted(plan, question);
}

struct plan_answer plan_decide(const struct berm_plan *plan, const struct plan_question *question)
{
	struct plan_question asked = *question;
	if (asked.op == PLAN_OP_READ && S_ISDIR(asked.mode))
		asked.op = PLAN_OP_LIST; /* it is the same call */
	return decide(plan, &asked);
}
