#include "policy/resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/resolve_build.h"
#include "sandbox/caps.h"

enum { CLAIMS_MAX = 16384, ARENA_MAX = 64 * 1024 * 1024 };

/* ---- what the parts share ---------------------------------------------------------------------------------------- */

void resolve_entry_words(const struct policy_entry *entry, char *ret, size_t size)
{
	char place[160];
	policy_entry_place(entry, place, sizeof place);
	(void)snprintf(ret, size, "'%s: %.80s' (%s)", policy_keys[entry->line->key].path, entry->line->text, place);
}

void resolve_complain(struct building *b, enum berm_code code, const struct policy_entry *entry, const char *hint,
		      const char *format, ...)
{
	char text[512];
	struct place place = {.file = "this run"};
	if (entry != NULL)
		place = (struct place){entry->doc->file, entry->line->line, entry->line->column};
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problem_add(b->problems, &place, "%s", text);
	if (hint != NULL)
		problem_hint(b->problems, "%s", hint);
	if (b->failed != BERM_OK || (b->input->look && code == BERM_ERR_UNSUPPORTED))
		return;
	b->failed = code;
	(void)err_set(b->err, code, "%s", text);
}

enum berm_code resolve_told(struct building *b, enum berm_code code, const struct policy_entry *entry, const char *hint)
{
	if (code == BERM_OK || code == BERM_ERR_NOMEM || entry == NULL || b->err == NULL)
		return code;
	struct place place = {entry->doc->file, entry->line->line, entry->line->column};
	problem_add(b->problems, &place, "%s", b->err->msg);
	problem_hint(b->problems, "%s", hint);
	return code;
}

bool resolve_is_shipped(const struct policy_entry *entry)
{
	return entry->doc->shipped;
}

enum berm_extent resolve_extent(const struct policy_entry *entry)
{
	const char *extent = policy_attr_find(entry->line, ATTR_EXTENT);
	return extent != NULL && strcmp(extent, "file") == 0 ? BERM_FILE : BERM_TREE;
}

const char *resolve_label(const struct policy_entry *entry)
{
	const char *label = policy_attr_find(entry->line, ATTR_LABEL);
	return label != NULL ? label : entry->line->text;
}

enum berm_code resolve_note(struct building *b, const struct policy_entry *entry, const char *words)
{
	struct policy_origins *origins = b->origins;
	if (origins == NULL)
		return BERM_OK;
	while (origins->count < b->caps->lines.len) {
		if (origins->count == origins->room) {
			size_t room = origins->room > 0 ? 2 * origins->room : 256;
			struct policy_origin *items = reallocarray(origins->items, room, sizeof *items);
			if (items == NULL)
				return err_set(b->err, BERM_ERR_NOMEM, "remember where lines come from");
			origins->items = items;
			origins->room = room;
		}
		origins->items[origins->count++] = (struct policy_origin){.entry = entry, .words = words};
	}
	return BERM_OK;
}

void policy_origins_done(struct policy_origins *origins)
{
	free(origins->items);
	*origins = (struct policy_origins){0};
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum berm_code build(struct building *b)
{
	TRY(resolve_claims_find(b));
	TRY(resolve_closings_find(b));
	TRY(resolve_closings_meet(b));
	TRY(resolve_claims_put(b));
	TRY(resolve_guards_put(b));
	TRY(resolve_closings_put(b));
	TRY(resolve_settings_put(b));
	return b->failed;
}

static const char *home_text(const char *home)
{
	if (home == NULL || home[0] != '/')
		return NULL;
	return strcmp(home, "/") == 0 ? "" : home;
}

static void done(struct building *b)
{
	for (size_t i = 0; i < b->globs.len; i++)
		glob_free(*(struct glob **)vec_at(&b->globs, i));
	resolve_globs_done(b);
	vec_done(&b->globs);
	vec_done(&b->closings);
	vec_done(&b->claims);
	arena_done(&b->arena);
}

enum berm_code policy_caps(const struct policy_input *input, struct berm_caps **ret_caps,
			   struct policy_origins *origins, struct problems *problems, struct berm_err *err)
{
	struct building b = {.input = input,
			     .policy = input->policy,
			     .home = home_text(input->home),
			     .real_home = home_text(input->real_home),
			     .origins = origins,
			     .problems = problems,
			     .err = err};
	if (b.home == NULL || (b.real_home != NULL && strcmp(b.home, b.real_home) == 0))
		b.real_home = NULL;
	arena_init(&b.arena, ARENA_MAX);
	vec_init(&b.claims, sizeof(struct claim), CLAIMS_MAX);
	vec_init(&b.closings, sizeof(struct closing), CLAIMS_MAX);
	vec_init(&b.globs, sizeof(struct glob *), 2 * (size_t)CLAIMS_MAX);
	TRY(berm_caps_new(&b.caps, err));
	enum berm_code code = build(&b);
	done(&b);
	if (code == BERM_OK)
		*ret_caps = b.caps;
	else
		berm_caps_free(b.caps);
	return code;
}

/* ---- which line it was ------------------------------------------------------------------------------------------- */

static bool is_called(const struct policy_entry *entry, const char *rule)
{
	const char *label = policy_attr_find(entry->line, ATTR_LABEL);
	return (label != NULL && strcmp(label, rule) == 0) || strcmp(entry->line->text, rule) == 0 ||
	       (entry->path != NULL && strcmp(entry->path, rule) == 0);
}

/* Does it match the object, or a folder around it? */
static bool glob_matches(const char *pattern, struct str object)
{
	struct glob *glob;
	if (glob_new(GLOB_PATH, str_from(pattern), &glob, NULL) != BERM_OK)
		return false;
	bool match = glob_match(glob, object, false);
	while (!match && object.len > 1) {
		object = path_parent(object);
		match = object.len > 0 && glob_match(glob, object, false);
	}
	glob_free(glob);
	return match;
}

static bool matches(const char *pattern, struct str object)
{
	if (pattern == NULL)
		return false;
	bool plain = strpbrk(pattern, "*?[]{}\\") == NULL;
	return plain ? path_is_in(object, str_from(pattern)) : glob_matches(pattern, object);
}

static bool is_excepted(const struct policy_entry *entry, struct str object)
{
	for (const char *const *except = entry->except; except != NULL && *except != NULL; except++)
		if (matches(*except, object))
			return true;
	return false;
}

const struct policy_entry *policy_find_closing(const struct policy *policy, const char *object)
{
	struct str path = str_from(object);
	for (size_t i = 0; i < policy->count && path.len > 0 && path.ptr[0] == '/'; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		bool closes = entry->line->key == KEY_DENY || entry->line->key == KEY_ASK;
		if (closes && entry->off == NULL && matches(entry->path, path) && !is_excepted(entry, path))
			return entry;
	}
	return NULL;
}

/* libberm calls a line that asks by its words: "ask read+write+delete /srv". */
static const struct policy_entry *find_asking(const struct policy *policy, const char *rule)
{
	static const char words[] = "ask read+write+delete ";
	const char *path = rule + sizeof words - 1;
	if (strncmp(rule, words, sizeof words - 1) != 0)
		return NULL;
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (entry->line->key == KEY_ASK && entry->off == NULL && entry->path != NULL &&
		    strcmp(entry->path, path) == 0)
			return entry;
	}
	return strcmp(path, "/") == 0 ? policy->setting[KEY_FS_DEFAULT] : NULL;
}

const struct policy_entry *policy_find_rule(const struct policy *policy, const char *rule, const char *object)
{
	const struct policy_entry *first = NULL;
	if (rule == NULL || rule[0] == '\0')
		return NULL;
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		enum policy_key key = entry->line->key;
		if ((key != KEY_DENY && key != KEY_PROTECT && key != KEY_ASK) || entry->off != NULL ||
		    !is_called(entry, rule))
			continue;
		if (object == NULL || matches(entry->path, str_from(object)))
			return entry;
		first = first != NULL ? first : entry;
	}
	return first != NULL ? first : find_asking(policy, rule);
}
