#include "cli/named.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "cli/policy_list.h"
#include "cli/say.h"
#include "format/nearest.h"
#include "policy/policy_text.h"
#include "session/home.h"
#include "ui/table.h"
#include "ui/text.h"

struct list_choices {
	bool json;
};
struct show_choices {
	bool json, yaml;
};

static const struct option_row list_rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct list_choices, json),
		.help = "as JSON, one object each",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set named_list_option_set = {.rows = list_rows, .count = ARRAY_LEN(list_rows), .anywhere = true};

static const struct option_row show_rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct show_choices, json),
		.help = "as JSON, a line an object",
	},
	{
		.name = "yaml",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct show_choices, yaml),
		.help = "as a policy file",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set named_show_option_set = {.rows = show_rows, .count = ARRAY_LEN(show_rows), .anywhere = true};

/* ---- finding ----------------------------------------------------------------------------------------------------- */

const char *named_word(enum policy_doc_kind kind)
{
	return kind == POLICY_DOC_GROUP ? "group" : "profile";
}

enum berm_code named_open(enum policy_doc_kind kind, struct named *ret_named, struct berm_err *err)
{
	const char *const *envp = (const char *const *)environ;
	*ret_named =
		(struct named){.kind = kind, .problems = calloc(1, sizeof(struct problems)), .home = malloc(PATH_MAX)};
	if (ret_named->problems == NULL || ret_named->home == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for policies");
	bool has_home = home_find(env_get(envp, "HOME"), getuid(), ret_named->home, PATH_MAX);
	const struct sources_request request = {
		.no_profile = true,
		.home = has_home ? ret_named->home : NULL,
		.envp = envp,
	};
	return sources_open(&request, &ret_named->sources, ret_named->problems, err);
}

void named_done(struct named *named)
{
	sources_free(named->sources);
	free(named->problems);
	free(named->home);
	*named = (struct named){0};
}

static const struct policy_finder *finder_of(const struct named *named)
{
	return &sources_layers(named->sources)->finder;
}

const struct policy_doc *named_find(const struct named *named, const char *name)
{
	const struct policy_finder *finder = finder_of(named);
	return finder->find(finder->context, named->kind, name, named->problems);
}

static const char *name_at(const struct named *named, size_t index)
{
	const struct policy_finder *finder = finder_of(named);
	return finder->name(finder->context, named->kind, index);
}

int named_unknown(const struct named *named, const struct command *self, const char *name)
{
	struct berm_err err;
	struct option_hint hint = {""};
	struct nearest nearest;
	const char *candidate;
	nearest_init(&nearest, name);
	for (size_t i = 0; (candidate = name_at(named, i)) != NULL; i++)
		nearest_offer(&nearest, candidate);
	(void)err_set(&err, BERM_ERR_NOTFOUND, "no %s '%.60s'", named_word(named->kind), name);
	if (named->problems->count > 0)
		return say_problems(named->problems, &err, EXIT_REFUSED);
	if (nearest.best != NULL)
		(void)snprintf(hint.text, sizeof(hint.text), "berm %s %s", self->name, nearest.best);
	else
		(void)snprintf(hint.text, sizeof(hint.text), "berm %s list", named_word(named->kind));
	return say_failure(&err, hint.text, EXIT_NO);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

enum { MAX_CELL = 64 * 1024, MAX_MEMORY = 16 * 1024 * 1024 };

/* "claude, codex": the programs that get a profile. */
static void put_programs(const struct policy_doc *doc, struct buf *out)
{
	const char *comma = "";
	for (uint32_t i = 0; i < doc->line_count; i++) {
		if (doc->lines[i].key != KEY_PROGRAMS)
			continue;
		buf_printf(out, "%s%s", comma, doc->lines[i].text);
		comma = ", ";
	}
}

static const char *origin_of(const struct policy_doc *doc)
{
	return doc->shipped ? "shipped" : doc->file;
}

static enum berm_code put_list_row(const struct named *named, const struct policy_doc *doc, struct arena *arena,
				   struct table *table, struct berm_err *err)
{
	auto_buf struct buf programs;
	buf_init(&programs, MAX_CELL);
	put_programs(doc, &programs);
	TRY(buf_check(&programs, err));
	const char *extra = named->kind == POLICY_DOC_GROUP ? (doc->required ? "always" : "")
							    : arena_text(arena, buf_str(&programs));
	if (extra == NULL)
		return err_set(err, BERM_ERR_NOMEM, "list policies");
	const struct table_cell cells[] = {{str_from(doc->name), COLOUR_STRONG},
					   {str_from(doc->about), COLOUR_PLAIN},
					   {str_from(extra), COLOUR_PLAIN},
					   {str_from(origin_of(doc)), COLOUR_FAINT}};
	return table_row(table, cells, err);
}

static enum berm_code print_list(const struct named *named, struct buf *out, struct berm_err *err)
{
	static const char *const titles[][4] = {{"profile", "what for", "programs", "from"},
						{"group", "what for", "", "from"}};
	struct say_screen screen = say_screen(STDOUT_FILENO);
	const char *name;
	auto_arena struct arena arena;
	auto_table struct table table;
	arena_init(&arena, MAX_MEMORY);
	table_init(&table, titles[named->kind == POLICY_DOC_GROUP], 4);
	for (size_t i = 0; (name = name_at(named, i)) != NULL; i++) {
		const struct policy_doc *doc = named_find(named, name);
		if (doc != NULL)
			TRY(put_list_row(named, doc, &arena, &table, err));
	}
	table_print(&table, screen.table_width, screen.colour, out);
	return BERM_OK;
}

static void put_head_json(const struct policy_doc *doc, struct json_out *json)
{
	json_text(json, "name", str_from(doc->name));
	json_text(json, "about", str_from(doc->about));
	json_text(json, "from", str_from(doc->file));
	json_bool(json, "shipped", doc->shipped);
	json_bool(json, "required", doc->required);
	json_array(json, "programs");
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_PROGRAMS)
			json_text(json, NULL, str_from(doc->lines[i].text));
	json_array_end(json);
}

static void print_list_json(const struct named *named, struct buf *out)
{
	struct json_out json;
	const char *name;
	json_init(&json, out);
	json_array(&json, NULL);
	for (size_t i = 0; (name = name_at(named, i)) != NULL; i++) {
		const struct policy_doc *doc = named_find(named, name);
		if (doc == NULL)
			continue;
		json_object(&json, NULL);
		put_head_json(doc, &json);
		json_object_end(&json);
	}
	json_array_end(&json);
	buf_putc(out, '\n');
}

int named_list(const struct command *self, const char *const *argv, enum policy_doc_kind kind)
{
	struct list_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	auto_named struct named named = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (named_open(kind, &named, &err) != BERM_OK)
		return say_problems(named.problems, &err, EXIT_REFUSED);
	if (choices.json)
		print_list_json(&named, &out);
	else if (print_list(&named, &out, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	status = say_result(&out);
	if (status != EXIT_YES || named.problems->count == 0)
		return status;
	(void)err_set(&err, BERM_ERR_PARSE, "some are broken");
	return say_problems(named.problems, &err, EXIT_NO);
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static enum berm_code print_doc(const struct policy_doc *doc, const struct show_choices *choices, struct buf *out,
				struct berm_err *err)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	struct json_out json;
	if (choices->yaml) {
		policy_text_put(doc, true, out);
		return BERM_OK;
	}
	if (choices->json) {
		json_init(&json, out);
		json_object(&json, NULL);
		put_head_json(doc, &json);
		policy_list_document_json(doc, &json);
		json_object_end(&json);
		buf_putc(out, '\n');
		return BERM_OK;
	}
	buf_printf(out, "%s: ", doc->name);
	text_put_wrapped(out, str_from(doc->about), 2, screen.width);
	buf_printf(out, "\nfrom %s%s%s\n\n", doc->file, doc->shipped ? ", shipped" : "",
		   doc->required ? ", always in force" : "");
	return policy_list_document(doc, &screen, out, err);
}

int named_show(const struct command *self, const char *const *argv, enum policy_doc_kind kind)
{
	struct show_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	auto_named struct named named = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	if (options.rest[0] == NULL || options.rest[1] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "the name of one %s is wanted", named_word(kind));
		return commands_usage(self, &err, NULL);
	}
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (named_open(kind, &named, &err) != BERM_OK)
		return say_problems(named.problems, &err, EXIT_REFUSED);
	const struct policy_doc *doc = named_find(&named, options.rest[0]);
	if (doc == NULL)
		return named_unknown(&named, self, options.rest[0]);
	if (print_doc(doc, &choices, &out, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	return say_result(&out);
}
