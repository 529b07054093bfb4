#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/say.h"

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

static void (*const printers[])(struct buf *out) = {completion_bash, completion_zsh, completion_fish};

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set completion_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

int cmd_completion(const struct command *self, const char *const *argv)
{
	struct berm_err err;
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, NULL, &options);
	if (status >= 0)
		return status;
	const char *shell = options.rest[0];
	for (size_t i = 0; shell != NULL && i < ARRAY_LEN(printers); i++) {
		if (strcmp(shell, completion_shells[i]) != 0)
			continue;
		auto_buf struct buf out;
		buf_init(&out, SAY_MAX);
		printers[i](&out);
		return say_result(&out);
	}
	const struct option_hint hint = {"berm completion bash|zsh|fish"};
	if (shell == NULL)
		(void)err_set(&err, BERM_ERR_INVALID, "no shell named");
	else
		(void)err_set(&err, BERM_ERR_INVALID, "no completions for '%.60s'", shell);
	return commands_usage(self, &err, &hint);
}
