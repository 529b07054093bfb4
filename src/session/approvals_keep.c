#include "session/approvals_keep.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/own.h"
#include "session/user_file.h"

enum { ARENA_MAX = 256 * 1024, TEXT_MAX = 4 * APPROVAL_TEXT_MAX, SHOWN_MAX = 60 };

struct keeping {
	const struct approval_prompt *prompt;
	const struct approval_answer *answer;
	struct arena *arena;
	struct policy_line *line;
	struct policy_attr *attrs; /* room for three */
	struct berm_err *err;
};

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static enum berm_code keep_text(const struct keeping *keeping, struct buf *text, const char **ret_text)
{
	TRY(buf_check(text, keeping->err));
	*ret_text = arena_text(keeping->arena, buf_str(text));
	return *ret_text != NULL ? BERM_OK : err_set(keeping->err, BERM_ERR_NOMEM, "write an answer down");
}

static void add_attr(const struct keeping *keeping, enum policy_attr_key key, const char *text)
{
	keeping->attrs[keeping->line->attr_count++] = (struct policy_attr){.key = key, .text = text};
}

/* A path as a pattern that is met by it alone. */
static enum berm_code path_text(const struct keeping *keeping, const char *path, const char **ret_text)
{
	auto_buf struct buf text;
	buf_init(&text, TEXT_MAX);
	for (const char *at = path; *at != '\0'; at++) {
		if (strchr("*?[]{},\\$", *at) != NULL)
			buf_putc(&text, '\\');
		buf_putc(&text, *at);
	}
	return keep_text(keeping, &text, ret_text);
}

/* What a person reads later, beside the line: printable, and short. */
static enum berm_code why_text(const struct keeping *keeping, const char *day, const char **ret_text)
{
	const struct approval_question *question = &keeping->prompt->question;
	const struct approval_answer *answer = keeping->answer;
	auto_buf struct buf text, plain;
	buf_init(&text, TEXT_MAX);
	buf_init(&plain, TEXT_MAX);
	buf_printf(&text, "%s %s by %s", day, answer->verdict == BERM_VERDICT_ALLOW ? "allowed" : "denied", answer->by);
	if (answer->who[0] != '\0')
		buf_printf(&text, " (%.*s)", SHOWN_MAX, answer->who);
	buf_printf(&text, ": %.20s", question->op);
	if (question->exe != NULL && question->exe[0] != '\0')
		buf_printf(&text, " by %.*s", SHOWN_MAX, question->exe);
	if (keeping->prompt->session != NULL)
		buf_printf(&text, ", session %.*s", SHOWN_MAX, keeping->prompt->session);
	TRY(buf_check(&text, keeping->err));
	for (size_t i = 0; i < text.len; i++)
		buf_putc(&plain, text.data[i] >= ' ' && text.data[i] < 0x7f ? text.data[i] : '?');
	return keep_text(keeping, &plain, ret_text);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool is_allowed(const struct keeping *keeping)
{
	return keeping->answer->verdict == BERM_VERDICT_ALLOW;
}

/* A grant of one file is for what is there: names are made and removed by a grant of their folder. */
static bool is_about_a_name(const char *op)
{
	static const char *const ops[] = {"create", "delete", "rename", "link"};
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (strcmp(ops[i], op) == 0)
			return true;
	return false;
}

static enum berm_code file_line(const struct keeping *keeping)
{
	bool reads = strcmp(keeping->prompt->question.op, "read") == 0;
	bool folder = keeping->answer->extent == APPROVAL_FOLDER;
	if (is_allowed(keeping) && !folder && is_about_a_name(keeping->prompt->question.op))
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "a line allows that for the folder alone");
	if (is_allowed(keeping))
		keeping->line->key = reads ? KEY_READ : KEY_WRITE;
	else
		keeping->line->key = reads ? KEY_DENY : KEY_PROTECT;
	if (!folder)
		add_attr(keeping, ATTR_EXTENT, "file");
	return path_text(keeping, folder ? keeping->prompt->folder : keeping->prompt->question.object,
			 &keeping->line->text);
}

static enum berm_code exec_line(const struct keeping *keeping)
{
	keeping->line->key = is_allowed(keeping) ? KEY_EXEC : KEY_DENY;
	add_attr(keeping, ATTR_EXTENT, "file");
	return path_text(keeping, keeping->prompt->question.object, &keeping->line->text);
}

static enum berm_code socket_line(const struct keeping *keeping)
{
	keeping->line->key = is_allowed(keeping) ? KEY_SOCKETS : KEY_DENY;
	if (keeping->prompt->question.object[0] != '/')
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line is for a socket without a path");
	return path_text(keeping, keeping->prompt->question.object, &keeping->line->text);
}

/* No letter of it means more in a line than itself. */
static bool is_literal(const char *text, const char *more)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	for (; *text != '\0'; text++)
		if (strchr(letters, *text) == NULL && strchr(more, *text) == NULL)
			return false;
	return true;
}

static enum berm_code request_attr(const struct keeping *keeping)
{
	const struct approval_question *question = &keeping->prompt->question;
	const char *rule;
	auto_buf struct buf text;
	buf_init(&text, TEXT_MAX);
	if (question->method == NULL || question->target == NULL)
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line is for a request without a target");
	buf_printf(&text, "%s %.*s", question->method, (int)strcspn(question->target, "?#"), question->target);
	TRY(keep_text(keeping, &text, &rule));
	if (!is_literal(rule, " /%~!&'()+,;=:@"))
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line is for this request alone");
	add_attr(keeping, ATTR_HTTP, rule);
	return BERM_OK;
}

static enum berm_code host_line(const struct keeping *keeping)
{
	const struct approval_question *question = &keeping->prompt->question;
	auto_buf struct buf text;
	buf_init(&text, TEXT_MAX);
	bool request = question->kind == APPROVAL_HTTP && keeping->answer->extent != APPROVAL_HOST;
	if (question->host == NULL || question->host[0] == '\0' || !is_literal(question->host, ":"))
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line is for a host without a name");
	if (request && !is_allowed(keeping))
		return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line denies one request");
	keeping->line->key = is_allowed(keeping) ? KEY_NET_ALLOW : KEY_NET_DENY;
	bool six = strchr(question->host, ':') != NULL;
	buf_printf(&text, six ? "[%s]" : "%s", question->host);
	if (question->port != 0)
		buf_printf(&text, ":%u", question->port);
	TRY(keep_text(keeping, &text, &keeping->line->text));
	return request ? request_attr(keeping) : BERM_OK;
}

static enum berm_code no_line(const struct keeping *keeping)
{
	return err_set(keeping->err, BERM_ERR_UNSUPPORTED, "no line of a policy says this");
}

static enum berm_code (*const lines[APPROVAL_KINDS])(const struct keeping *keeping) = {
	[APPROVAL_FILE] = file_line,  [APPROVAL_EXEC] = exec_line, [APPROVAL_SOCKET] = socket_line,
	[APPROVAL_NET] = host_line,   [APPROVAL_DNS] = host_line,  [APPROVAL_HTTP] = host_line,
	[APPROVAL_PROCESS] = no_line,
};

enum berm_code approvals_keep_line(const struct approval_prompt *prompt, const struct approval_answer *answer,
				   const char *day, struct arena *arena, const struct policy_doc **ret_doc,
				   struct berm_err *err)
{
	const char *why;
	struct policy_doc *doc = arena_alloc(arena, sizeof *doc);
	struct keeping keeping = {.prompt = prompt,
				  .answer = answer,
				  .arena = arena,
				  .line = arena_alloc(arena, sizeof *keeping.line),
				  .attrs = arena_array(arena, 3, sizeof *keeping.attrs),
				  .err = err};
	if (doc == NULL || keeping.line == NULL || keeping.attrs == NULL)
		return err_set(err, BERM_ERR_NOMEM, "write an answer down");
	TRY(lines[prompt->question.kind](&keeping));
	TRY(why_text(&keeping, day, &why));
	add_attr(&keeping, ATTR_WHY, why);
	keeping.line->attrs = keeping.attrs;
	*doc = (struct policy_doc){.kind = POLICY_DOC_FILE, .lines = keeping.line, .line_count = 1};
	*ret_doc = doc;
	return BERM_OK;
}

enum berm_code approvals_keep(const char *file, const struct approval_prompt *prompt,
			      const struct approval_answer *answer, struct berm_err *err)
{
	char day[16] = "";
	struct tm utc;
	time_t now = time(NULL);
	const struct policy_doc *doc;
	auto_arena struct arena arena;
	arena_init(&arena, ARENA_MAX);
	if (gmtime_r(&now, &utc) != NULL)
		(void)strftime(day, sizeof day, "%Y-%m-%d", &utc);
	TRY(approvals_keep_line(prompt, answer, day, &arena, &doc, err));
	return user_file_insert(file, doc, err);
}
