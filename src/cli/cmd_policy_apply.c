#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "format/node.h"
#include "os/fd.h"
#include "session/control.h"
#include "session/home.h"
#include "ui/table.h"

struct apply_choices {
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct apply_choices, json),
		.help = "the session's answer as JSON",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_apply_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static enum berm_code read_policy(const char *path, struct buf *text, struct berm_err *err)
{
	char part[1024];
	ssize_t n;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "open '%.100s'", path);
	while ((n = fd_read_full(fd, part, sizeof part)) > 0)
		buf_put(text, part, (size_t)n);
	return n < 0 ? err_sys(err, "read '%.100s'", path) : buf_check(text, err);
}

static enum berm_code ask(const char *session, const char *file, struct buf *answer, struct berm_err *err)
{
	const char *const *envp = (const char *const *)environ;
	char folder[PATH_MAX], home[1024];
	auto_buf struct buf text = {0};
	bool has_home = home_find(env_get(envp, "HOME"), getuid(), home, sizeof home);
	buf_init(&text, NODE_MAX_BYTES);
	TRY(read_policy(file, &text, err));
	TRY(control_folder(envp, has_home ? home : NULL, folder, err));
	const struct control_request request = {.op = "apply", .file = file, .text = buf_str(&text)};
	return control_ask(folder, session, &request, answer, err);
}

/* ---- telling ------------------------------------------------------------------------------------------------------- */

static struct str text_at(const struct node *map, const char *key)
{
	const struct node *node = node_find(map, key);
	return node != NULL ? node->text : STR("");
}

static enum colour colour_of(struct str when)
{
	return str_eq(when, STR("now")) ? COLOUR_GOOD : str_eq(when, STR("new opens")) ? COLOUR_PLAIN : COLOUR_WEAK;
}

static enum berm_code print_changes(const struct node *changes, struct buf *out, struct berm_err *err)
{
	static const char *const titles[] = {"line", "change", "in force", "note"};
	const struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_table struct table table;
	if (changes == NULL || changes->first == NULL) {
		buf_puts(out, "nothing changes\n");
		return BERM_OK;
	}
	table_init(&table, titles, ARRAY_LEN(titles));
	for (const struct node *change = changes->first; change != NULL; change = change->next) {
		struct str when = text_at(change, "when");
		const struct table_cell cells[] = {{.text = text_at(change, "line")},
						   {.text = text_at(change, "change")},
						   {.text = when, .colour = colour_of(when)},
						   {.text = text_at(change, "note")}};
		TRY(table_row(&table, cells, err));
	}
	table_print(&table, screen.table_width, screen.colour, out);
	return BERM_OK;
}

static void say_reported(const struct node *problems)
{
	for (const struct node *at = problems != NULL ? problems->first : NULL; at != NULL; at = at->next) {
		say_line("%s:%s:%s: %s", text_at(at, "file").ptr, text_at(at, "line").ptr, text_at(at, "column").ptr,
			 text_at(at, "text").ptr);
		if (text_at(at, "hint").len > 0)
			say_line("  try: %s", text_at(at, "hint").ptr);
	}
}

static int tell(const struct apply_choices *choices, const struct node *answer, const struct buf *raw)
{
	struct berm_err err;
	auto_buf struct buf out = {0};
	buf_init(&out, SAY_MAX);
	bool applied = str_eq(text_at(answer, "ok"), STR("true"));
	if (choices->json) {
		buf_put_str(&out, buf_str(raw));
		buf_putc(&out, '\n');
	} else if (!applied) {
		say_reported(node_find(answer, "problems"));
		say_line("%s; the policy in force stays", text_at(answer, "error").ptr);
	} else if (print_changes(node_find(answer, "changes"), &out, &err) != BERM_OK) {
		return say_failure(&err, "", EXIT_REFUSED);
	}
	int status = out.len > 0 ? say_result(&out) : EXIT_YES;
	return status != EXIT_YES || applied ? status : EXIT_NO;
}

/* One answer, looked at in memory of its own. */
static int apply(const struct apply_choices *choices, const char *session, const char *file)
{
	static struct problems problems;
	struct berm_err err;
	const struct node *root;
	auto_buf struct buf answer = {0};
	auto_arena struct arena arena;
	arena_init(&arena, NODE_MAX_MEMORY);
	buf_init(&answer, CONTROL_MAX);
	if (ask(session, file, &answer, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	if (node_parse(&arena, buf_str(&answer), session, &root, &problems, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	return tell(choices, root, &answer);
}

int cmd_policy_apply(const struct command *self, const char *const *argv)
{
	struct apply_choices choices = {0};
	struct berm_err err;
	const struct option_hint hint = {"berm policy apply SESSION FILE"};
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	if (options.rest[0] == NULL || options.rest[1] == NULL || options.rest[2] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "a session and a file are needed");
		return commands_usage(self, &err, &hint);
	}
	return apply(&choices, options.rest[0], options.rest[1]);
}
