#include "cli/run_report.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "session/agent_sockets.h"
#include "ui/text.h"

int run_report_status(const struct berm_status *status, bool fail_on_deny)
{
	if (status->wall_limit)
		return EXIT_TIME_LIMIT;
	if (!status->exited)
		return EXIT_SIGNALLED + status->signal;
	if (status->exit_code == 0 && status->denied > 0 && fail_on_deny)
		return EXIT_SOME_DENIED;
	return status->exit_code;
}

int run_report_failure(enum berm_code code)
{
	if (code == BERM_ERR_NOTFOUND)
		return EXIT_NOT_FOUND;
	return code == BERM_ERR_DENIED ? EXIT_NOT_EXECUTABLE : EXIT_REFUSED;
}

static const struct {
	const char *word;
	const char *flag; /* what would grant it on an object of kind FILE */
} ops[] = {
	[BERM_OP_READ] = {"read", "-r"},     [BERM_OP_WRITE] = {"write", "-w"},	  [BERM_OP_CREATE] = {"create", "-w"},
	[BERM_OP_DELETE] = {"delete", "-w"}, [BERM_OP_RENAME] = {"rename", "-w"}, [BERM_OP_LINK] = {"link", "-w"},
	[BERM_OP_META] = {"meta", "-w"},     [BERM_OP_CONNECT] = {"connect", ""}, [BERM_OP_BIND] = {"bind", ""},
	[BERM_OP_LISTEN] = {"listen", ""},   [BERM_OP_SEND] = {"send", ""},	  [BERM_OP_SIGNAL] = {"signal", ""},
	[BERM_OP_EXEC] = {"run", "-x"},
};

static const char *op_word(const struct run_denial *denial)
{
	return (size_t)denial->op < ARRAY_LEN(ops) ? ops[denial->op].word : "access";
}

/* Words that a shell takes as they are. */
static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";
	return text[0] == '/' && text[strspn(text, letters)] == '\0';
}

/* What is denied by a line of the group itself, a private key, is so with the group as well. */
static bool is_line_of(const struct run_denial *denial, const char *group)
{
	char file[64];
	(void)snprintf(file, sizeof file, "groups/%s.yaml:", group);
	return strncmp(denial->at, file, strlen(file)) == 0;
}

/* The group with an agent that does what was wanted; NULL: none. */
static const char *agent_group(const struct run_denial *denial, bool connects)
{
	const char *group = connects ? agent_sockets_group(denial->object, NULL) : NULL;
	if (denial->kind == BERM_REQUEST_FILE)
		group = agent_sockets_group_of_file(denial->object);
	return group != NULL && !is_line_of(denial, group) ? group : NULL;
}

/* The narrowest flags that would allow it; nothing where no flag does. */
static void put_grant(const struct run_denial *denial, struct buf *out)
{
	bool connects = denial->kind == BERM_REQUEST_SOCKET && denial->op != BERM_OP_BIND;
	const char *group = agent_group(denial, connects);
	if (group != NULL)
		buf_printf(out, "-g %s", group);
	if (group != NULL || denial->narrows)
		return;
	if (denial->kind == BERM_REQUEST_NET)
		buf_puts(out, "-n host");
	else if (denial->kind == BERM_REQUEST_PROCESS)
		buf_puts(out, "--allow signals");
	else if (!is_plain(denial->object))
		return;
	else if (connects)
		buf_printf(out, "--socket %s", denial->object);
	else if (denial->kind == BERM_REQUEST_FILE && (size_t)denial->op < ARRAY_LEN(ops))
		buf_printf(out, "%s %s", ops[denial->op].flag, denial->object);
}

static void put_denial(const struct run_denial *denial, struct buf *out)
{
	buf_printf(out, "'%s ", op_word(denial));
	text_put_safe(out, str_from(denial->object));
	buf_putc(out, '\'');
	if (denial->rule[0] == '\0')
		return;
	buf_puts(out, " (");
	text_put_safe(out, str_from(denial->rule));
	if (denial->at[0] != '\0') {
		buf_puts(out, ", ");
		text_put_safe(out, str_from(denial->at));
	}
	buf_putc(out, ')');
}

void run_report_denials(const struct run_result *result, struct buf *out)
{
	if (result->status.denied == 0)
		return;
	buf_printf(out, "%llu denied", (unsigned long long)result->status.denied);
	for (size_t i = 0; i < result->denial_count; i++) {
		buf_puts(out, i == 0 ? ": " : ", ");
		put_denial(&result->denials[i], out);
	}
	if (result->more_denials)
		buf_puts(out, ", …");
	for (size_t i = 0; i < result->denial_count; i++) {
		auto_buf struct buf grant;
		buf_init(&grant, 2048);
		put_grant(&result->denials[i], &grant);
		if (grant.len == 0)
			continue;
		buf_puts(out, "; try: ");
		buf_put_str(out, buf_str(&grant));
		return;
	}
}
