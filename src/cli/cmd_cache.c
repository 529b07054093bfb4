/* "berm cache": the package caches that workspaces have of their own. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "session/home.h"
#include "session/package_cache.h"
#include "ui/table.h"

enum { CACHES_MAX = 100000, CACHES_BYTES = 64 * 1024 * 1024, SIZE_CHARS = 24 };

struct caches {
	char base[PATH_MAX];
	struct arena arena;
	struct vec entries; /* struct package_cache_entry, with copies of its texts */
};

static void caches_done(struct caches *caches)
{
	vec_done(&caches->entries);
	arena_done(&caches->arena);
}
#define auto_caches __attribute__((cleanup(caches_done)))

static enum berm_code keep(void *context, const struct package_cache_entry *entry, struct berm_err *err)
{
	struct caches *caches = context;
	struct package_cache_entry copy = *entry;
	copy.name = arena_text(&caches->arena, str_from(entry->name));
	copy.workspace = arena_text(&caches->arena, str_from(entry->workspace));
	if (copy.name == NULL || copy.workspace == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look at package caches");
	return vec_push(&caches->entries, &copy, err);
}

__attribute__((noinline)) static enum berm_code read_caches(struct caches *caches, struct berm_err *err)
{
	char home[PATH_MAX];
	const char *const *envp = (const char *const *)environ;
	arena_init(&caches->arena, CACHES_BYTES);
	vec_init(&caches->entries, sizeof(struct package_cache_entry), CACHES_MAX);
	if (!home_find(env_get(envp, "HOME"), getuid(), home, sizeof(home)) ||
	    !package_cache_base(envp, home, caches->base))
		return err_set(err, BERM_ERR_NOTFOUND, "there is no home folder");
	return package_cache_each(caches->base, keep, caches, err);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

struct list_choices {
	bool json;
};

static const struct option_row list_rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct list_choices, json),
		.help = "as JSON, a cache an object",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
static const struct option_set list_option_set = {.rows = list_rows, .count = ARRAY_LEN(list_rows)};

static void print_json(const struct caches *caches, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_array(&json, NULL);
	for (size_t i = 0; i < caches->entries.len; i++) {
		const struct package_cache_entry *entry = vec_at(&caches->entries, i);
		json_object(&json, NULL);
		json_text(&json, "name", str_from(entry->name));
		json_text(&json, "workspace", str_from(entry->workspace));
		json_bool(&json, "there", entry->there);
		json_u64(&json, "bytes", entry->bytes);
		json_object_end(&json);
	}
	json_array_end(&json);
	buf_putc(out, '\n');
}

static const char *size_text(struct caches *caches, uint64_t bytes)
{
	char text[SIZE_CHARS];
	(void)snprintf(text, sizeof text, "%llu.%llu MiB", (unsigned long long)(bytes >> 20),
		       (unsigned long long)((bytes & 0xfffff) * 10 >> 20));
	const char *kept = arena_text(&caches->arena, str_from(text));
	return kept != NULL ? kept : "";
}

static enum berm_code print_table(struct caches *caches, struct buf *out, struct berm_err *err)
{
	static const char *const titles[] = {"size", "name", "workspace"};
	const struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_table struct table table;
	table_init(&table, titles, ARRAY_LEN(titles));
	for (size_t i = 0; i < caches->entries.len; i++) {
		const struct package_cache_entry *entry = vec_at(&caches->entries, i);
		const struct table_cell cells[] = {
			{.text = str_from(size_text(caches, entry->bytes))},
			{.text = str_from(entry->name)},
			{.text = str_from(entry->workspace), .colour = entry->there ? COLOUR_PLAIN : COLOUR_FAINT}};
		TRY(table_row(&table, cells, err));
	}
	if (caches->entries.len > 0)
		table_print(&table, screen.table_width, screen.colour, out);
	return BERM_OK;
}

static int list(const struct command *self, const char *const *argv)
{
	struct list_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	auto_caches struct caches caches = {0};
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	enum berm_code code = read_caches(&caches, &err);
	if (code == BERM_OK && choices.json)
		print_json(&caches, &out);
	else if (code == BERM_OK)
		code = print_table(&caches, &out, &err);
	return code == BERM_OK ? say_result(&out) : say_failure(&err, "", EXIT_REFUSED);
}

/* ---- clear ------------------------------------------------------------------------------------------------------- */

struct clear_choices {
	bool all, gone;
};

static const struct option_row clear_rows[] = {
	{
		.name = "all",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct clear_choices, all),
		.help = "those of all workspaces",
	},
	{
		.name = "gone",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct clear_choices, gone),
		.help = "those whose workspace is not there any more",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
static const struct option_set clear_option_set = {
	.rows = clear_rows, .count = ARRAY_LEN(clear_rows), .anywhere = true};

/* A workspace by its path, or a cache by its name. */
__attribute__((noinline)) static bool is_named(const struct package_cache_entry *entry, const char *const *operands)
{
	char real[PATH_MAX];
	for (; operands != NULL && *operands != NULL; operands++) {
		if (strcmp(*operands, entry->name) == 0 || strcmp(*operands, entry->workspace) == 0)
			return true;
		if (realpath(*operands, real) != NULL && strcmp(real, entry->workspace) == 0)
			return true;
	}
	return false;
}

__attribute__((noinline)) static int clear_caches(const struct clear_choices *choices, const char *const *operands)
{
	struct berm_err err;
	size_t removed = 0;
	auto_caches struct caches caches = {0};
	if (read_caches(&caches, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	for (size_t i = 0; i < caches.entries.len; i++) {
		const struct package_cache_entry *entry = vec_at(&caches.entries, i);
		bool meant = choices->all || (choices->gone && !entry->there) || is_named(entry, operands);
		if (!meant)
			continue;
		if (package_cache_remove(caches.base, entry->name, &err) != BERM_OK)
			return say_failure(&err, "", EXIT_REFUSED);
		removed++;
	}
	if (removed == 0 && operands[0] != NULL) {
		(void)err_set(&err, BERM_ERR_NOTFOUND, "there is no package cache of '%.100s'", operands[0]);
		return say_failure(&err, "berm cache list", EXIT_NO);
	}
	say_line("%zu removed", removed);
	return EXIT_YES;
}

static int clear(const struct command *self, const char *const *argv)
{
	struct clear_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	if (!choices.all && !choices.gone && options.rest[0] == NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "name a workspace, or --all");
		return commands_usage(self, &err, NULL);
	}
	return clear_caches(&choices, options.rest);
}

const struct command cache_commands[] = {
	{
		.name = "cache list",
		.run = list,
		.options = &list_option_set,
		.operands = "",
		.summary = "the package caches there are, and their sizes",
		.about = "Lists the package caches that workspaces have of their own, with what they take on disk.",
	},
	{
		.name = "cache clear",
		.run = clear,
		.options = &clear_option_set,
		.operands = "[WORKSPACE...]",
		.takes_files = true,
		.summary = "remove package caches",
		.about = "Removes the package caches of workspaces, given by their folder or by the name that "
			 "\"berm cache list\" shows. The next install fetches again.",
	},
	{.name = NULL},
};
