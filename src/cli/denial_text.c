#include "cli/denial_text.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "policy/keys.h"
#include "session/agent_sockets.h"
#include "ui/text.h"

enum { GRANT_TEXT_MAX = 2048 };

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static void put_safe(struct buf *out, const char *text)
{
	text_put_safe(out, str_from(text != NULL ? text : ""));
}

void denial_text_put_what(const struct event *event, struct buf *out)
{
	const char *exe = event->task.exe, *slash = is_set(exe) ? strrchr(exe, '/') : NULL;
	put_safe(out, event->op);
	buf_puts(out, " '");
	put_safe(out, is_set(event->object.path) ? event->object.path : event->object.as);
	buf_putc(out, '\'');
	if (!is_set(exe))
		return;
	buf_puts(out, " by ");
	put_safe(out, slash != NULL ? slash + 1 : exe);
}

void denial_text_put_why(const struct event *event, struct buf *out)
{
	bool asks = is_set(event->by.rule) && strcmp(event->by.rule, policy_keys[KEY_ASK].path) == 0;
	buf_puts(out, asks ? "would be asked: " : "");
	put_safe(out, is_set(event->by.text) ? event->by.text : "nothing grants it");
	if (is_set(event->by.at)) {
		buf_puts(out, " (");
		put_safe(out, event->by.at);
		buf_putc(out, ')');
	}
	if (!is_set(event->detail))
		return;
	buf_puts(out, ": ");
	put_safe(out, event->detail);
}

/* What is denied by a line of the group itself, a private key, is so with the group as well. */
static bool is_line_of(const struct event *event, const char *group)
{
	char file[64];
	(void)snprintf(file, sizeof file, "groups/%s.yaml:", group);
	return is_set(event->by.at) && strncmp(event->by.at, file, strlen(file)) == 0;
}

/* The group with an agent that does what was wanted; NULL: none. */
static const char *agent_group(const struct event *event)
{
	const char *group = NULL;
	if (!is_set(event->object.path))
		return NULL;
	if (event->kind == EVENT_SOCKET && strcmp(event->op, "bind") != 0)
		group = agent_sockets_group(event->object.path, NULL);
	else if (event->kind == EVENT_FILE)
		group = agent_sockets_group_of_file(event->object.path);
	return group != NULL && !is_line_of(event, group) ? group : NULL;
}

void denial_text_put_grant(const struct event *event, struct buf *out)
{
	const char *group = agent_group(event);
	if (group != NULL)
		buf_printf(out, "-g %s", group);
	else
		put_safe(out, event->grant);
}

void denial_text_put(const struct event *event, struct buf *out)
{
	auto_buf struct buf grant;
	buf_init(&grant, GRANT_TEXT_MAX);
	denial_text_put_grant(event, &grant);
	buf_puts(out, "denied: ");
	denial_text_put_what(event, out);
	if (event->task.pid > 0)
		buf_printf(out, " (pid %lld)", (long long)event->task.pid);
	if (event->count > 1)
		buf_printf(out, ", %u times", event->count);
	buf_puts(out, "\n    ");
	if (is_set(event->by.rule))
		buf_printf(out, "%s: ", event->by.rule);
	denial_text_put_why(event, out);
	buf_puts(out, "\n    retrying will not help; ");
	if (grant.len == 0)
		buf_puts(out, "no flag allows it\n");
	else
		buf_printf(out, "would be allowed by: berm run %s\n", grant.data);
}
