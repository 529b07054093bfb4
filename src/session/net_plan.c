#include "session/net_plan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/caps.h"
#include "sandbox/plan.h"

static bool is_refused(const struct berm_plan *plan)
{
	struct berm_plan_line line;
	for (size_t i = 0; berm_plan_line(plan, i, &line); i++)
		if (line.hold == BERM_REFUSED && strcmp(line.guarantee, "network") == 0)
			return true;
	return false;
}

static enum berm_code make(const struct net_plan_request *request, struct berm_plan **ret_plan, struct berm_err *err)
{
	return request->draft ? plan_draft(request->caps, request->facts, ret_plan, err)
			      : berm_plan_make(request->caps, request->facts, ret_plan, err);
}

/* Of a plan that was refused: not for the network? */
static bool can_filter(const struct net_plan_request *request)
{
	struct berm_plan *plan;
	if (plan_draft(request->caps, request->facts, &plan, NULL) != BERM_OK)
		return true;
	bool refused = is_refused(plan);
	berm_plan_free(plan);
	return !refused;
}

/* Does a line open something? What would be asked about is denied where nothing could be opened. */
static bool opens_something(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_NET_ALLOW && policy->entries[i].off == NULL)
			return true;
	return false;
}

static void complain(const struct policy *policy, struct problems *problems)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		const struct place at = {entry->doc->file, entry->line->line, entry->line->column};
		if (entry->line->key != KEY_NET_ALLOW || entry->off != NULL)
			continue;
		problem_add(problems, &at, "the network cannot be filtered here, so no host can be reached: '%.100s'",
			    entry->line->text);
		problem_hint(problems, "network.mode: host");
	}
}

/* Every name is asked of the filter, on the loopback, where most programs look without being told; what else the machine knows
 * names by is not there. */
static enum berm_code add_files(struct berm_caps *caps, struct berm_err *err)
{
	static const char resolver[] = "# berm: the network is filtered\nnameserver 127.0.0.1\noptions edns0\n";
	char name[256] = "localhost", hosts[512];
	if (gethostname(name, sizeof name - 1) < 0 || name[0] == '\0' || strpbrk(name, " \t\r\n#") != NULL)
		(void)snprintf(name, sizeof name, "localhost");
	int len = snprintf(hosts, sizeof hosts,
			   "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t%s\n", name);
	if (len < 0 || (size_t)len >= sizeof hosts)
		return err_set(err, BERM_ERR_LIMIT, "the name of this machine is too long");
	TRY(berm_caps_content(caps, "/etc/resolv.conf", resolver, sizeof resolver - 1, err));
	return berm_caps_content(caps, "/etc/hosts", hosts, (size_t)len, err);
}

enum berm_code net_plan_make(const struct net_plan_request *request, struct berm_plan **ret_plan,
			     struct problems *problems, struct berm_err *err)
{
	struct berm_plan *plan = NULL;
	struct berm_caps *caps = request->caps;
	if (caps->network == BERM_NET_FILTERED && caps->content_count == 0)
		TRY(add_files(caps, err));
	enum berm_code code = make(request, &plan, err);
	bool held = code == BERM_OK && !(request->draft && is_refused(plan));
	bool other = code != BERM_OK && (code != BERM_ERR_UNSUPPORTED || can_filter(request));
	bool missing = caps->network == BERM_NET_FILTERED && !held && !other;
	if (missing && !opens_something(request->policy)) {
		/* What is refused besides is told then, and not the network. */
		berm_plan_free(plan);
		TRY(berm_caps_network(caps, BERM_NET_NONE, err));
		return make(request, ret_plan, err);
	}
	if (missing)
		complain(request->policy, problems);
	if (code == BERM_OK)
		*ret_plan = plan;
	return code;
}
