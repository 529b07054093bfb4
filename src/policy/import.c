#include "policy/import.h"

#include <string.h>

#include "base/own.h"
#include "policy/import_build.h"
#include "policy/load.h"
#include "policy/policy_text.h"

const char *const import_names[IMPORT_KINDS] = {"srt",	"landrun",   "claude", "landlockconfig",
						"nono", "openshell", NULL};

enum import_kind import_find(const char *name)
{
	for (size_t i = 0; import_names[i] != NULL; i++)
		if (strcmp(import_names[i], name) == 0)
			return (enum import_kind)(i + 1);
	return IMPORT_UNKNOWN;
}

/* ---- what it is -------------------------------------------------------------------------------------------------- */

/* Keys that only this kind has; two keys: one below the other. */
static const struct mark {
	enum import_kind kind;
	const char *key, *below;
} marks[] = {
	{IMPORT_CLAUDE, "permissions", NULL},
	{IMPORT_CLAUDE, "sandbox", NULL},
	{IMPORT_SRT, "filesystem", "allowWrite"},
	{IMPORT_SRT, "filesystem", "denyWrite"},
	{IMPORT_SRT, "filesystem", "denyRead"},
	{IMPORT_SRT, "network", "allowedDomains"},
	{IMPORT_SRT, "network", "deniedDomains"},
	{IMPORT_LANDLOCK, "path_beneath", NULL},
	{IMPORT_LANDLOCK, "pathBeneath", NULL},
	{IMPORT_LANDLOCK, "net_port", NULL},
	{IMPORT_LANDLOCK, "netPort", NULL},
	{IMPORT_LANDLOCK, "ruleset", NULL},
	{IMPORT_OPENSHELL, "filesystem_policy", NULL},
	{IMPORT_OPENSHELL, "network_policies", NULL},
	{IMPORT_NONO, "workdir", "access"},
	{IMPORT_NONO, "meta", "name"},
	{IMPORT_NONO, "groups", "include"},
	{IMPORT_NONO, "security", "groups"},
	{IMPORT_NONO, "filesystem", "allow"},
	{IMPORT_NONO, "filesystem", "allow_file"},
	{IMPORT_NONO, "filesystem", "read_file"},
	{IMPORT_NONO, "network", "allow_domain"},
	{IMPORT_NONO, "network", "block"},
};

static enum import_kind kind_of(import_at root)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		import_at node = node_find(root, marks[i].key);
		if (node != NULL && (marks[i].below == NULL || node_find(node, marks[i].below) != NULL))
			return marks[i].kind;
	}
	return IMPORT_UNKNOWN;
}

/* The first byte that is neither white nor in a comment. */
static struct str content(struct str text)
{
	while (text.len > 0) {
		bool comment = text.ptr[0] == '#';
		size_t skip = 1;
		if (comment)
			while (skip < text.len && text.ptr[skip] != '\n')
				skip++;
		else if (strchr(" \t\r\n", text.ptr[0]) == NULL || text.ptr[0] == '\0')
			break;
		text = (struct str){text.ptr + skip, text.len - skip};
	}
	return text;
}

static bool looks_like_landrun(struct str text)
{
	struct str line = text, word;
	return str_starts(text, STR("-")) || str_starts(text, STR("landrun ")) ||
	       (str_next(&line, ' ', &word) && str_ends(word, STR("/landrun")));
}

/* A table's header, or a name and "=": neither begins YAML or JSON. */
static bool looks_like_toml(struct str text)
{
	size_t word = 0;
	if (str_starts(text, STR("[[")))
		return true;
	while (word < text.len && strchr("=:{[\"'\n", text.ptr[word]) == NULL)
		word++;
	return word > 0 && word < text.len && text.ptr[word] == '=';
}

static enum berm_code parse(struct arena *arena, struct import_from from, struct str text, const struct node **ret_root,
			    struct problems *problems, struct berm_err *err)
{
	struct str start = content(text);
	bool json = str_starts(start, STR("{")) || str_starts(start, STR("//")) || str_starts(start, STR("/*"));
	bool yaml = from.kind == IMPORT_OPENSHELL || from.kind == IMPORT_UNKNOWN;
	if (from.kind == IMPORT_LANDLOCK ? !json : from.kind == IMPORT_UNKNOWN && looks_like_toml(start))
		return node_parse_toml(arena, text, from.file, ret_root, problems, err);
	if (yaml && !json)
		return node_parse(arena, text, from.file, ret_root, problems, err);
	return node_parse_jsonc(arena, text, from.file, ret_root, problems, err);
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static void init(struct import *in, struct arena *arena, struct berm_err *err)
{
	*in = (struct import){.arena = arena, .err = err};
	vec_init(&in->lines, sizeof(struct policy_line), IMPORT_MAX_LINES);
	vec_init(&in->lefts, sizeof(struct import_left), IMPORT_MAX_LINES);
}

static void done(struct import *in)
{
	vec_done(&in->lines);
	vec_done(&in->lefts);
}
#define auto_import __attribute__((cleanup(done)))

/* An array of the vector's items that lives as long as the arena. */
static enum berm_code keep(struct import *in, const struct vec *vec, const void **ret_items)
{
	void *items = NULL;
	if (vec->len > 0 && vec->items != NULL) {
		items = arena_array(in->arena, vec->len, vec->item_size);
		if (items == NULL)
			return err_set(in->err, BERM_ERR_NOMEM, "import a policy");
		memcpy(items, vec->items, vec->len * vec->item_size);
	}
	*ret_items = items;
	return BERM_OK;
}

static enum berm_code finish(struct import *in, enum import_kind kind, const char *file, struct imported *ret_imported)
{
	const void *lines, *lefts;
	TRY(in->code);
	TRY(keep(in, &in->lines, &lines));
	TRY(keep(in, &in->lefts, &lefts));
	struct imported result = {.kind = kind, .file = file, .lefts = lefts, .left_count = in->lefts.len};
	result.doc = (struct policy_doc){.kind = POLICY_DOC_PROFILE,
					 .file = "import",
					 .name = in->name,
					 .about = in->about,
					 .lines = lines,
					 .line_count = (uint32_t)in->lines.len};
	for (size_t i = 0; result.lefts != NULL && i < result.left_count; i++)
		result.narrows += result.lefts[i].narrows;
	*ret_imported = result;
	return BERM_OK;
}

static void (*const takes[IMPORT_KINDS])(struct import *in, import_at root) = {
	[IMPORT_SRT] = import_srt,   [IMPORT_CLAUDE] = import_claude,	    [IMPORT_LANDLOCK] = import_landlock,
	[IMPORT_NONO] = import_nono, [IMPORT_OPENSHELL] = import_openshell,
};

enum berm_code import_flags(struct arena *arena, const char *const *argv, struct imported *ret_imported,
			    struct berm_err *err)
{
	auto_import struct import in;
	init(&in, arena, err);
	import_landrun(&in, argv);
	return finish(&in, IMPORT_LANDRUN, "landrun's flags", ret_imported);
}

enum berm_code import_text(struct arena *arena, struct import_from from, struct str text, struct imported *ret_imported,
			   struct problems *problems, struct berm_err *err)
{
	const char *const *argv, *file = from.file;
	const struct node *root;
	enum import_kind kind = from.kind;
	if (kind == IMPORT_LANDRUN || (kind == IMPORT_UNKNOWN && looks_like_landrun(content(text)))) {
		TRY(import_landrun_words(arena, file, text, &argv, problems, err));
		TRY(import_flags(arena, argv, ret_imported, err));
		ret_imported->file = file;
		return BERM_OK;
	}
	TRY(parse(arena, from, text, &root, problems, err));
	if (root->kind != NODE_MAP) {
		problem_add(problems, &(struct place){file, root->line, root->column}, "not a map");
		return err_set(err, BERM_ERR_PARSE, "'%.200s' is not a map", file);
	}
	kind = kind != IMPORT_UNKNOWN ? kind : kind_of(root);
	if (kind == IMPORT_UNKNOWN)
		return err_set(err, BERM_ERR_INVALID, "'%.200s' does not look like a policy that is known", file);
	auto_import struct import in;
	init(&in, arena, err);
	takes[kind](&in, root);
	return finish(&in, kind, file, ret_imported);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* No byte of the source may end a comment. */
static void put_comment(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++)
		buf_putc(out, (uint8_t)*text < 0x20 || (uint8_t)*text >= 0x7f ? '?' : *text);
}

static void put_lefts(const struct imported *imported, bool narrows, const char *title, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < imported->left_count; i++) {
		const struct import_left *left = &imported->lefts[i];
		if (left->narrows != narrows)
			continue;
		if (!any)
			buf_printf(out, "# %s\n", title);
		any = true;
		buf_puts(out, "#   ");
		if (left->line > 0)
			buf_printf(out, "%u:%u: ", (unsigned)left->line, (unsigned)left->column);
		put_comment(left->what, out);
		buf_puts(out, ": ");
		put_comment(left->why, out);
		buf_putc(out, '\n');
	}
}

enum berm_code import_put(const struct imported *imported, struct buf *out, struct berm_err *err)
{
	auto_arena struct arena arena;
	const struct policy_doc *doc;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	buf_printf(out, "# Made by berm policy import from %s, ", import_names[imported->kind - 1]);
	put_comment(imported->file, out);
	buf_puts(out, "\n");
	put_lefts(imported, true, "MISSING: this closed something there and does not here, or is wider here", out);
	put_lefts(imported, false, "Without an equal here", out);
	policy_text_put(&imported->doc, true, out);
	TRY(buf_check(out, err));
	enum berm_code code = policy_load(&arena, (struct policy_from){POLICY_DOC_PROFILE, imported->file},
					  buf_str(out), &doc, problems, err);
	if (code == BERM_ERR_NOMEM || code == BERM_OK)
		return code;
	return err_wrap(err, "the policy that was made cannot be loaded");
}
