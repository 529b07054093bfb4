#include "session/net_judge.h"

#include <stdio.h>
#include <string.h>

#include "format/address_special.h"

static struct policy_question question_of(const struct door_question *question, const char *target)
{
	struct policy_question ret = {
		.op = POLICY_OP_CONNECT,
		.host = question->host,
		.port = question->port,
		.program = question->task.exe[0] != '\0' ? question->task.exe : NULL,
	};
	if (question->kind == DOOR_DNS)
		ret.op = POLICY_OP_NAME;
	if (question->method[0] == '\0' || question->kind == DOOR_CONNECT || question->kind == DOOR_RECHECK)
		return ret;
	ret.op = POLICY_OP_HTTP;
	ret.method = question->method;
	ret.target = target;
	return ret;
}

void net_judge_question(const struct policy_index *index, const struct door_question *question, const char *target,
			struct policy_verdict *ret_verdict)
{
	const struct policy_question asked = question_of(question, target);
	*ret_verdict = (struct policy_verdict){.rule = "network", .answer = ANSWER_DENY};
	if (question->kind != DOOR_HTTP || asked.op == POLICY_OP_HTTP)
		policy_decide(index, &asked, ret_verdict);
}

/* ---- addresses ---------------------------------------------------------------------------------------------------- */

static const char *const class_words[] = {
	[ADDRESS_NEVER] = "no address to connect to",
	[ADDRESS_METADATA] = "where a machine's credentials are",
	[ADDRESS_LOOPBACK] = "this machine",
	[ADDRESS_LINK] = "on this link",
	[ADDRESS_PRIVATE] = "private",
	[ADDRESS_ASSIGNED] = "a protocol's own",
	[ADDRESS_TRANSLATED] = "another address in disguise",
};

struct judging {
	const struct policy_index *index;
	const struct policy_question *asked;
	bool private_ok; /* of the host */
	struct net_judged *ret;
};

static void set_grant(const struct judging *judging, const struct net_address *address, struct net_judged *judged)
{
	char text[ADDRESS_TEXT_SIZE];
	bool six = address->family == NET_IPV6;
	(void)address_print(address, text);
	(void)snprintf(judged->grant, sizeof judged->grant, "--allow-net %s%s%s:%u", six ? "[" : "", text,
		       six ? "]" : "", (unsigned)judging->asked->port);
}

/* The first refusal is told. Credentials and what is no destination are opened by hand alone. */
static void refuse_kind(const struct judging *judging, const struct net_address *address,
			const struct address_special *special)
{
	struct net_judged *judged = judging->ret;
	char text[ADDRESS_TEXT_SIZE];
	if (judged->text[0] != '\0')
		return;
	(void)address_print(address, text);
	(void)snprintf(judged->text, sizeof judged->text, "%s is %s (%s)", text, class_words[special->class],
		       special->source);
	if (special->class > ADDRESS_METADATA)
		set_grant(judging, address, judged);
}

static void refuse_by(const struct judging *judging, const struct net_address *address,
		      const struct policy_verdict *verdict)
{
	struct net_judged *judged = judging->ret;
	char text[ADDRESS_TEXT_SIZE];
	if (judged->text[0] != '\0')
		return;
	(void)address_print(address, text);
	judged->by = verdict->by;
	(void)snprintf(judged->text, sizeof judged->text, "%s: %.160s closes %s", verdict->rule, verdict->text, text);
}

/* What the lines say to the address as a host of its own. */
static void ask_lines(const struct judging *judging, const struct net_address *address, struct policy_verdict *ret)
{
	char text[ADDRESS_TEXT_SIZE];
	struct policy_question asked = *judging->asked;
	(void)address_print(address, text);
	asked.host = text;
	policy_decide(judging->index, &asked, ret);
}

static bool is_closed(const struct policy_verdict *verdict)
{
	return verdict->answer == ANSWER_DENY && verdict->by != NULL && verdict->by->line->key == KEY_NET_DENY;
}

/* A line that closes the IPv4 address inside an IPv6 one closes that one. */
static bool closed_inside(const struct judging *judging, const struct net_address *address,
			  struct policy_verdict *ret_verdict)
{
	struct net_address inside;
	for (size_t i = 0; address_embedded(address, i, &inside); i++) {
		ask_lines(judging, &inside, ret_verdict);
		if (is_closed(ret_verdict))
			return true;
	}
	return false;
}

static bool permits(const struct judging *judging, const struct address_special *special,
		    const struct policy_verdict *lines)
{
	bool allowed = lines->answer == ANSWER_ALLOW && !lines->http_rules;
	if (special == NULL)
		return true;
	if (special->class <= ADDRESS_METADATA)
		return allowed && lines->address_ok;
	return judging->private_ok || (allowed && lines->private_ok);
}

static bool judge_address(const struct judging *judging, const struct net_address *address)
{
	struct policy_verdict lines, inside;
	const struct address_special *special = address_special(address);
	if (address->family == NET_NONE)
		return false;
	ask_lines(judging, address, &lines);
	if (is_closed(&lines)) {
		refuse_by(judging, address, &lines);
		return false;
	}
	if (closed_inside(judging, address, &inside)) {
		refuse_by(judging, address, &inside);
		return false;
	}
	if (permits(judging, special, &lines))
		return true;
	refuse_kind(judging, address, special);
	return false;
}

void net_judge_addresses(const struct policy_index *index, const struct door_question *question, const char *target,
			 bool approved, struct net_judged *ret_judged)
{
	struct policy_verdict verdict;
	const struct policy_question asked = question_of(question, target);
	*ret_judged = (struct net_judged){.allowed = 0};
	policy_decide(index, &asked, &verdict);
	if (verdict.answer != ANSWER_ALLOW && (verdict.answer != ANSWER_ASK || !approved)) {
		ret_judged->by = verdict.by;
		(void)snprintf(ret_judged->text, sizeof ret_judged->text, "%s: %.200s", verdict.rule, verdict.text);
		return;
	}
	/* Where each request is asked for, what a request permits counts, and not what some request does. */
	const struct judging judging = {
		.index = index,
		.asked = &asked,
		.private_ok = verdict.answer == ANSWER_ALLOW && verdict.private_ok && !verdict.http_rules,
		.ret = ret_judged,
	};
	size_t count = question->address_count < DOOR_ADDRESSES_MAX ? question->address_count : DOOR_ADDRESSES_MAX;
	for (size_t i = 0; i < count; i++)
		if (judge_address(&judging, &question->addresses[i]))
			ret_judged->allowed = (uint16_t)(ret_judged->allowed | 1U << i);
}
