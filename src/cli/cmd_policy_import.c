#include <fcntl.h>
#include <string.h>

#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "policy/import.h"
#include "session/policy_file.h"
#include "session/user_file.h"

struct import_choices {
	const char *from, *output;
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "from",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct import_choices, from),
		.complete = COMPLETE_WORDS,
		.argument = "KIND",
		.words = import_names,
		.help = "what FILE is: srt, landrun, claude, landlockconfig, nono or openshell; without it, the "
			"content tells",
	},
	{
		.letter = 'o',
		.name = "output",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct import_choices, output),
		.complete = COMPLETE_PATH,
		.argument = "FILE",
		.help = "write the policy to FILE, which must not be there yet; without it, to standard output",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct import_choices, json),
		.help = "what has no equal as JSON on standard output; the policy only with -o",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_import_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

/* ---- what has no equal ------------------------------------------------------------------------------------------- */

static void tell_lefts(const struct imported *imported)
{
	say_line("%s: taken for %s; %u lines, %zu without an equal, %zu of them missing here", imported->file,
		 import_names[imported->kind - 1], imported->doc.line_count, imported->left_count, imported->narrows);
	for (size_t i = 0; i < imported->left_count; i++) {
		const struct import_left *left = &imported->lefts[i];
		const char *mark = left->narrows ? "MISSING: " : "";
		if (left->line > 0)
			say_line("%s:%u:%u: %s%s: %s", imported->file, (unsigned)left->line, (unsigned)left->column,
				 mark, left->what, left->why);
		else
			say_line("%s: %s%s: %s", imported->file, mark, left->what, left->why);
	}
}

static void put_json(const struct imported *imported, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "file", str_from(imported->file));
	json_text(&json, "from", str_from(import_names[imported->kind - 1]));
	json_u64(&json, "lines", imported->doc.line_count);
	json_array(&json, "left");
	for (size_t i = 0; i < imported->left_count; i++) {
		const struct import_left *left = &imported->lefts[i];
		json_object(&json, NULL);
		json_u64(&json, "line", left->line);
		json_u64(&json, "column", left->column);
		json_bool(&json, "narrows", left->narrows);
		json_text(&json, "what", str_from(left->what));
		json_text(&json, "why", str_from(left->why));
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	buf_putc(out, '\n');
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static enum berm_code read_source(const struct import_choices *choices, const char *const *operands,
				  struct arena *arena, struct imported *ret_imported, struct problems *problems,
				  struct berm_err *err)
{
	enum import_kind kind = choices->from != NULL ? import_find(choices->from) : IMPORT_UNKNOWN;
	auto_buf struct buf text;
	if (operands[0][0] == '-')
		return import_flags(arena, operands, ret_imported, err);
	buf_init(&text, POLICY_FILE_MAX_BYTES);
	TRY(policy_file_read(AT_FDCWD, operands[0], operands[0], POLICY_FILE_NAMED, &text, err));
	return import_text(arena, (struct import_from){kind, operands[0]}, buf_str(&text), ret_imported, problems, err);
}

static int write_result(const struct import_choices *choices, const struct imported *imported)
{
	struct berm_err err;
	auto_buf struct buf policy, json;
	buf_init(&policy, SAY_MAX);
	buf_init(&json, SAY_MAX);
	if (import_put(imported, &policy, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	if (choices->output != NULL && user_file_new(choices->output, buf_str(&policy), &err) != BERM_OK)
		return say_failure(&err, err.code == BERM_ERR_INVALID ? "another name" : "", EXIT_REFUSED);
	if (choices->json)
		put_json(imported, &json);
	else
		tell_lefts(imported);
	int status = EXIT_YES;
	if (choices->json || choices->output == NULL)
		status = say_result(choices->json ? &json : &policy);
	if (status != EXIT_YES)
		return status;
	return imported->narrows > 0 ? EXIT_NO : EXIT_YES;
}

int cmd_policy_import(const struct command *self, const char *const *argv)
{
	struct import_choices choices = {0};
	struct berm_err err = {0};
	struct imported imported;
	auto_options struct options options = {0};
	auto_arena struct arena arena;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	const char *const *operands = options.rest;
	bool flags = operands[0] != NULL && operands[0][0] == '-';
	if (operands[0] == NULL || (!flags && operands[1] != NULL)) {
		(void)err_set(&err, BERM_ERR_INVALID, "one file is wanted, or flags of landrun behind --");
		return commands_usage(self, &err, NULL);
	}
	if (choices.from != NULL && import_find(choices.from) == IMPORT_UNKNOWN) {
		(void)err_set(&err, BERM_ERR_INVALID, "unknown kind '%.60s'", choices.from);
		return commands_usage(self, &err, NULL);
	}
	if (read_source(&choices, operands, &arena, &imported, problems, &err) != BERM_OK) {
		if (err.code == BERM_ERR_INVALID)
			return say_failure(&err, "--from srt, landrun, claude, landlockconfig, nono or openshell",
					   EXIT_REFUSED);
		return say_problems(problems, &err, EXIT_REFUSED);
	}
	return write_result(&choices, &imported);
}
