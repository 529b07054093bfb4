#include "policy/policy_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/question.h"

enum { PORT_ANY = 0, PORT_HTTPS = 443, PORT_MAX = 65535 };

static void set_verdict(struct policy_verdict *verdict, enum policy_answer answer, const struct policy_entry *by,
			const char *rule, const char *text)
{
	verdict->answer = answer;
	verdict->by = by;
	verdict->rule = rule;
	(void)snprintf(verdict->text, sizeof(verdict->text), "%.*s", (int)sizeof(verdict->text) - 1, text);
}

/* Where no line says anything. */
static void set_default(const struct policy *policy, enum policy_key key, struct policy_verdict *verdict)
{
	const struct policy_entry *setting = policy->setting[key];
	bool asks = setting != NULL && strcmp(setting->text, "ask") == 0;
	set_verdict(verdict, asks ? ANSWER_ASK : ANSWER_DENY, setting, policy_keys[key].path, asks ? "ask" : "deny");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void answer_file(const struct policy_answer_context *context, const struct policy_question *question,
			struct policy_verdict *verdict)
{
	char why[LEARN_WHY_MAX] = "";
	switch (learn_policy_look(context->rules, question->op, question->path, false, why)) {
	case LEARN_ALLOWED:
		set_verdict(verdict, ANSWER_ALLOW, NULL, why[0] != '\0' ? "granted" : "the sandbox's own", why);
		return;
	case LEARN_OPEN:
		if (why[0] == '\0')
			set_default(context->policy, KEY_FS_DEFAULT, verdict);
		else
			set_verdict(verdict, ANSWER_ASK, NULL, "asked", why);
		break;
	case LEARN_FORBIDDEN:
	default:
		set_verdict(verdict, ANSWER_DENY, NULL, "closed", why);
		break;
	}
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

/* Takes a line's "host:port" apart. */
static struct str split_host(const char *text, uint16_t without, uint16_t *ret_port)
{
	struct str host = str_from(text);
	const char *colon = strrchr(text, ':');
	uint64_t port;
	*ret_port = without;
	bool single = colon != NULL && (strchr(text, ':') == colon || (text[0] == '[' && strchr(colon, ']') == NULL));
	if (single && str_u64(str_from(colon + 1), PORT_MAX, &port, NULL) == BERM_OK) {
		*ret_port = (uint16_t)port;
		host.len = (size_t)(colon - text);
	}
	if (host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = (struct str){host.ptr + 1, host.len - 2};
	return host;
}

static enum berm_code matches_host(const struct policy_entry *entry, const struct policy_question *question,
				   bool *ret_matches, struct berm_err *err)
{
	uint16_t port;
	struct glob *glob = NULL;
	struct str pattern = split_host(entry->text, entry->line->key == KEY_NET_DENY ? PORT_ANY : PORT_HTTPS, &port);
	*ret_matches = false;
	if (port != PORT_ANY && port != question->port)
		return BERM_OK;
	*ret_matches = str_eq_nocase(pattern, str_from(question->host));
	enum berm_code code = *ret_matches ? BERM_OK : glob_new(GLOB_HOST, pattern, &glob, err);
	if (code == BERM_ERR_NOMEM)
		return code;
	if (glob != NULL)
		*ret_matches = glob_match(glob, str_from(question->host), false);
	glob_free(glob);
	return BERM_OK; /* what is no pattern of a name, a network of addresses, matches itself alone */
}

/* A line for some programs: one that is not known is none of them for a grant, and any for a denial. */
static bool matches_program(const struct policy_entry *entry, const char *program)
{
	bool named = false;
	const char *slash = program != NULL ? strrchr(program, '/') : NULL;
	for (uint32_t i = 0; i < entry->line->attr_count; i++) {
		const struct policy_attr *attr = &entry->line->attrs[i];
		if (attr->key != ATTR_BY)
			continue;
		named = true;
		if (program != NULL &&
		    (strcmp(attr->text, program) == 0 || (slash != NULL && strcmp(attr->text, slash + 1) == 0)))
			return true;
	}
	return !named || (program == NULL && entry->line->key == KEY_NET_DENY);
}

/* A method and a path; "query:" asks for a body, which nobody has here. */
static bool matches_request(const char *text, const struct policy_question *question)
{
	struct glob *glob = NULL;
	const char *space = strchr(text, ' ');
	size_t method = space != NULL ? (size_t)(space - text) : 0;
	bool any = method == 1 && text[0] == '*';
	if (space == NULL || strchr(space + 1, ' ') != NULL ||
	    (!any && (strlen(question->method) != method || strncasecmp(text, question->method, method) != 0)))
		return false;
	struct str path = {question->target, strcspn(question->target, "?")};
	bool matches = glob_new(GLOB_URL, str_from(space + 1), &glob, NULL) == BERM_OK && glob_match(glob, path, false);
	glob_free(glob);
	return matches;
}

/* A connection may be made if some request may; a denied request leaves the connection. */
static bool matches_http(const struct policy_entry *entry, const struct policy_question *question)
{
	bool named = false;
	for (uint32_t i = 0; i < entry->line->attr_count; i++) {
		if (entry->line->attrs[i].key != ATTR_HTTP)
			continue;
		named = true;
		if (question->op == POLICY_OP_HTTP && matches_request(entry->line->attrs[i].text, question))
			return true;
	}
	return !named || (question->op == POLICY_OP_CONNECT && entry->line->key == KEY_NET_ALLOW);
}

static enum berm_code find_host_line(const struct policy *policy, enum policy_key key,
				     const struct policy_question *question, const struct policy_entry **ret_entry,
				     struct berm_err *err)
{
	*ret_entry = NULL;
	for (size_t i = 0; i < policy->count && *ret_entry == NULL; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		bool matches = false;
		if (entry->line->key != key || entry->off != NULL)
			continue;
		TRY(matches_host(entry, question, &matches, err));
		if (matches && matches_program(entry, question->program) && matches_http(entry, question))
			*ret_entry = entry;
	}
	return BERM_OK;
}

static enum berm_code answer_host(const struct policy *policy, const struct policy_question *question,
				  struct policy_verdict *verdict, struct berm_err *err)
{
	const struct policy_entry *denies, *allows, *mode = policy->setting[KEY_NET_MODE];
	TRY(find_host_line(policy, KEY_NET_DENY, question, &denies, err));
	TRY(find_host_line(policy, KEY_NET_ALLOW, question, &allows, err));
	if (mode != NULL && strcmp(mode->text, "none") == 0)
		set_verdict(verdict, ANSWER_DENY, mode, "network.mode", "none");
	else if (denies != NULL)
		set_verdict(verdict, ANSWER_DENY, denies, "network.deny", denies->text);
	else if (mode != NULL && strcmp(mode->text, "host") == 0)
		set_verdict(verdict, ANSWER_ALLOW, mode, "network.mode", "host");
	else if (allows != NULL)
		set_verdict(verdict, ANSWER_ALLOW, allows, "network.allow", allows->text);
	else
		set_default(policy, KEY_NET_DEFAULT, verdict);
	return BERM_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

enum berm_code policy_answer(void *context, const struct policy_question *question, struct policy_verdict *ret_verdict,
			     struct berm_err *err)
{
	const struct policy_answer_context *answers = context;
	*ret_verdict = (struct policy_verdict){0};
	if (question_is_file(question->op))
		answer_file(answers, question, ret_verdict);
	else if (question->op != POLICY_OP_RUN)
		return answer_host(answers->policy, question, ret_verdict, err);
	else /* lines that say otherwise start nothing in this version */
		set_verdict(ret_verdict, ANSWER_ALLOW, NULL, "commands", "no line");
	return BERM_OK;
}
