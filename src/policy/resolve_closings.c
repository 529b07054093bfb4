/*
 * What is closed: deny and ask lines and the floor. A line becomes a capability where a grant lies around it or in it; a
 * grant that lies in it is not made: a shipped one in silence, one that a person wrote is told.
 */
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/resolve_build.h"

enum { CHANGING = BERM_WRITE | BERM_DELETE | BERM_REPLACE, FLOOR_PATTERN_MAX = 2048 };

/* ---- where grants are -------------------------------------------------------------------------------------------- */

static bool is_own(const struct claim *claim)
{
	return claim->entry == NULL || resolve_is_shipped(claim->entry);
}

static enum berm_code add_name(struct building *b, struct claim *claim, const char *front, struct str rest)
{
	struct str name = rest;
	size_t len = strlen(front);
	if (len > 0) {
		char *text = arena_array(&b->arena, len + rest.len + 1, 1);
		if (text == NULL)
			return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
		memcpy(stpcpy(text, front), rest.ptr, rest.len + 1);
		name = (struct str){text, len + rest.len};
	}
	claim->names[claim->name_count++] = name;
	return BERM_OK;
}

/* The home folder as the user has it is the same as where it really is: so is what lies below it, or around it. */
static enum berm_code add_otherwise(struct building *b, struct claim *claim, struct str path, const char *from,
				    const char *to)
{
	size_t len = strlen(from);
	if (!path_is_in(path, str_from(from)) && path_is_in(str_from(from), path)) {
		claim->part |= 1U << claim->name_count;
		return add_name(b, claim, "", str_from(to));
	}
	if (!path_is_in(path, str_from(from)))
		return BERM_OK;
	return add_name(b, claim, to, (struct str){path.ptr + len, path.len - len});
}

static enum berm_code add_names(struct building *b, struct claim *claim, struct str path)
{
	TRY(add_name(b, claim, "", path));
	if (b->real_home == NULL)
		return BERM_OK;
	size_t count = claim->name_count;
	TRY(add_otherwise(b, claim, path, b->real_home, b->home));
	return claim->name_count > count ? BERM_OK : add_otherwise(b, claim, path, b->home, b->real_home);
}

/* Does the path lead through a link of the home folder? Then what it closes, or grants, lies elsewhere. */
static bool is_linked(const struct building *b, const char *pattern)
{
	for (const char *const *link = b->input->links; link != NULL && *link != NULL; link++)
		if (path_is_in(str_from(pattern), str_from(*link)))
			return true;
	return false;
}

/* Whoever may write around it, an agent of yesterday, may have put a link in its place. */
static bool lies_in_writable(const struct building *b, const struct claim *claim)
{
	for (size_t i = 0; i < b->claims.len && b->writable; i++) {
		const struct claim *other = vec_at(&b->claims, i);
		if ((other->rights & BERM_WRITE) != 0 && strcmp(other->path, claim->path) != 0 &&
		    path_is_in(str_from(claim->path), str_from(other->path)))
			return true;
	}
	return false;
}

static bool may_be_led(const struct building *b, const struct claim *claim)
{
	return !is_own(claim) || is_linked(b, claim->path) || lies_in_writable(b, claim);
}

/* A path that a person wrote may pass links; what counts is where it leads. */
__attribute__((noinline)) static enum berm_code add_led(struct building *b, struct claim *claim)
{
	char real[PATH_MAX];
	if (b->input->resolve == NULL || !may_be_led(b, claim) || !b->input->resolve(claim->path, real) ||
	    strcmp(real, claim->path) == 0)
		return BERM_OK;
	const char *kept = arena_text(&b->arena, str_from(real));
	return kept != NULL ? add_names(b, claim, str_from(kept)) : err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
}

static struct str first_name(struct str path)
{
	if (path.len == 0)
		return path;
	const char *slash = memchr(path.ptr, '/', path.len);
	return (struct str){path.ptr, slash != NULL ? (size_t)(slash - path.ptr) : path.len};
}

/* A name, in either case of its letters, as one of 64. */
static uint64_t bit_of(struct str name)
{
	uint32_t hash = 0;
	for (size_t i = 0; i < name.len; i++)
		hash = hash * 31 + ((unsigned char)name.ptr[i] | 0x20);
	return UINT64_C(1) << ((hash ^ hash >> 6) & 63);
}

/* What stands in path behind folder and its slash; empty: nothing does. */
static struct str rest_below(struct str path, const char *folder)
{
	size_t len = folder != NULL ? strlen(folder) : 0;
	if (folder == NULL || path.len <= len + 1 || path.ptr[len] != '/' ||
	    !str_eq_nocase((struct str){path.ptr, len}, (struct str){folder, len}))
		return (struct str){NULL, 0};
	return (struct str){path.ptr + len + 1, path.len - len - 1};
}

static void note_reach(struct building *b, struct str name)
{
	struct str in_home = rest_below(name, b->home), in_root = rest_below(name, "");
	b->reach.all |= in_root.len == 0;
	b->reach.home |= b->home != NULL && path_is_in(str_from(b->home), name);
	if (in_root.len > 0)
		b->reach.names |= bit_of(first_name(in_root));
	if (in_home.len > 0)
		b->reach.home_names |= bit_of(first_name(in_home));
}

static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c == '*' || c == '?' || c == '[' || c == '{' || c == '\\')
			return false;
	}
	return true;
}

/* Most of what is shipped as closed is nowhere near a grant: the first name of its path tells. */
static bool is_reached(const struct building *b, const char *pattern)
{
	struct str path = str_from(pattern), in_home = rest_below(path, b->home), in_root = rest_below(path, "");
	struct str name = first_name(in_home.len > 0 ? in_home : in_root);
	if (b->reach.all || (in_home.len > 0 && b->reach.home) || name.len == 0 || !is_plain(name))
		return true;
	return ((in_home.len > 0 ? b->reach.home_names : b->reach.names) & bit_of(name)) != 0;
}

/* The names of a path that git's configuration names: as it is, and where it leads (which lives in real). *ret_there:
 * it leads somewhere. */
static enum berm_code name_git_read(struct building *b, const char *path, char real[static PATH_MAX],
				    struct claim *ret_claim, bool *ret_there)
{
	*ret_claim = (struct claim){.path = path, .rights = BERM_READ, .extent = BERM_TREE};
	*ret_there = true;
	TRY(add_names(b, ret_claim, str_from(path)));
	if (b->input->resolve == NULL)
		return BERM_OK;
	*ret_there = b->input->resolve(path, real);
	return *ret_there ? add_names(b, ret_claim, str_from(real)) : BERM_OK;
}

static void note_names(struct building *b, const struct claim *claim)
{
	for (size_t i = 0; i < claim->name_count; i++)
		note_reach(b, claim->names[i]);
}

__attribute__((noinline)) static enum berm_code note_git_read(struct building *b, const char *path)
{
	struct claim claim;
	char real[PATH_MAX];
	bool there;
	TRY(name_git_read(b, path, real, &claim, &there));
	note_names(b, &claim);
	return BERM_OK;
}

static enum berm_code name_claims(struct building *b)
{
	for (const char *const *path = b->input->git_reads; path != NULL && *path != NULL; path++)
		TRY(note_git_read(b, *path));
	for (size_t i = 0; i < b->claims.len; i++) {
		struct claim *claim = vec_at(&b->claims, i);
		TRY(add_names(b, claim, str_from(claim->path)));
		TRY(add_led(b, claim));
		note_names(b, claim);
	}
	return BERM_OK;
}

/* ---- the lines --------------------------------------------------------------------------------------------------- */

/* Of a pattern that begins with "**": its last name without wildcards; empty: none is sure to be in what it matches. */
static struct str key_of(const char *pattern)
{
	struct str rest = str_from(pattern), name, key = {NULL, 0};
	if (strncmp(pattern, "**/", 3) != 0 || strpbrk(pattern, "{\\") != NULL)
		return key;
	while (str_next(&rest, '/', &name))
		if (name.len > 0 && is_plain(name) && !str_eq(name, STR(".")))
			key = name;
	return key;
}

static enum berm_code add(struct building *b, struct closing closing)
{
	const char *path;
	bool tree;
	TRY(resolve_literal(b, closing.pattern, &path, &tree));
	closing.literal = path != NULL;
	if (path == NULL) {
		char *stem = arena_text(&b->arena, (struct str){closing.pattern, resolve_stem_len(closing.pattern)});
		if (stem == NULL)
			return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
		TRY(resolve_literal(b, stem, &path, &tree));
	}
	closing.stem = str_from(path != NULL ? path : "");
	closing.key = closing.literal ? (struct str){NULL, 0} : key_of(closing.pattern);
	b->key_count += closing.key.len > 0;
	return vec_push(&b->closings, &closing, b->err);
}

/* The row's pattern; *ret_pattern is NULL if it has no place here. */
__attribute__((noinline)) static enum berm_code place_row(struct building *b, const struct floor_row *row,
							  const char **ret_pattern)
{
	struct floor_places places = floor_places_of(b->input);
	char pattern[FLOOR_PATTERN_MAX];
	places.home = b->home;
	*ret_pattern = NULL;
	if (!floor_pattern(row, &places, pattern, sizeof pattern))
		return BERM_OK;
	*ret_pattern = arena_text(&b->arena, str_from(pattern));
	return *ret_pattern != NULL ? BERM_OK : err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
}

static enum berm_code add_floor(struct building *b)
{
	for (size_t i = 0; i < floor_row_count; i++) {
		const struct floor_row *row = &floor_rows[i];
		bool all = (row->rights & BERM_READ) != 0;
		const char *pattern = row->pattern;
		if ((row->os & FLOOR_LINUX) == 0 || (!all && !b->writable))
			continue;
		if (pattern[0] != '/')
			TRY(place_row(b, row, &pattern));
		if (pattern != NULL && is_reached(b, pattern))
			TRY(add(b, (struct closing){
					   .pattern = pattern, .rights = all ? BERM_DENY : BERM_PROTECT, .row = row}));
	}
	return BERM_OK;
}

static bool is_special(char c)
{
	return strchr("*?[]{},\\", c) != NULL;
}

/* A chroot with a /proc of the machine in it. */
static enum berm_code add_kernel_mounts(struct building *b)
{
	for (const char *const *path = b->input->kernel_mounts; path != NULL && *path != NULL; path++) {
		char *pattern = arena_array(&b->arena, 2 * strlen(*path) + 1, 1), *out = pattern;
		if (pattern == NULL)
			return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
		for (const char *at = *path; *at != '\0'; at++) {
			if (is_special(*at))
				*out++ = '\\';
			*out++ = *at;
		}
		*out = '\0';
		TRY(add(b, (struct closing){.pattern = pattern, .rights = BERM_DENY, .row = &floor_mounts_row}));
	}
	return BERM_OK;
}

enum berm_code resolve_closings_find(struct building *b)
{
	TRY(name_claims(b));
	TRY(add_floor(b));
	TRY(add_kernel_mounts(b));
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		bool closes = entry->line->key == KEY_DENY;
		if (entry->off != NULL || entry->path == NULL)
			continue;
		if (entry->line->key == KEY_ASK)
			TRY(resolve_ask_closes(b, entry, &closes));
		if (!closes)
			continue;
		bool linked = is_linked(b, entry->path);
		if (!resolve_is_shipped(entry) || linked || is_reached(b, entry->path))
			TRY(add(b, (struct closing){.pattern = entry->path,
						    .rights = BERM_DENY,
						    .wanted = linked,
						    .entry = entry}));
	}
	return BERM_OK;
}

/* ---- patterns, compiled when they are needed --------------------------------------------------------------------- */

static enum berm_code keep_glob(struct building *b, const char *pattern, struct glob **ret_glob)
{
	struct glob *glob = NULL;
	TRY(glob_new(GLOB_PATH, str_from(pattern), &glob, b->err));
	enum berm_code code = vec_push(&b->globs, &glob, b->err);
	if (code != BERM_OK) {
		glob_free(glob);
		return code;
	}
	*ret_glob = glob;
	return BERM_OK;
}

static enum berm_code compile(struct building *b, struct closing *closing)
{
	const char *const *except = closing->entry != NULL ? closing->entry->except : NULL;
	size_t count = 0;
	if (closing->compiled)
		return BERM_OK;
	if (!closing->literal)
		TRY(keep_glob(b, closing->pattern, &closing->glob));
	while (except != NULL && except[count] != NULL)
		count++;
	closing->excepts = arena_array(&b->arena, count + 1, sizeof(struct glob *));
	if (closing->excepts == NULL)
		return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
	for (size_t i = 0; i < count; i++)
		TRY(keep_glob(b, except[i], &closing->excepts[i]));
	closing->compiled = true;
	return BERM_OK;
}

/* Does it match the path, or a folder above it? What is closed is so in either case of its letters, as the supervisor
 * compares names; an exception is what it says. */
static bool matches_above(const struct glob *glob, struct str path, bool fold)
{
	while (!glob_match(glob, path, fold)) {
		while (path.len > 0 && path.ptr[path.len - 1] != '/')
			path.len--;
		if (path.len <= 1)
			return false;
		path.len--;
	}
	return true;
}

/* How a grant lies to a closing at or above whose beginning it lies. */
enum relation {
	APART = 0,
	AROUND,		/* something that is closed may lie in it */
	INSIDE,		/* it is closed */
	EXCEPTED,	/* it would be, but for an exception */
	EXCEPTED_BELOW, /* it is closed, but for what lies in it */
};

static enum relation relation_of(const struct closing *closing, const struct claim *claim, struct str path)
{
	bool tree = claim->extent == BERM_TREE && claim->rights != 0, below = false;
	if (closing->glob != NULL && !matches_above(closing->glob, path, true))
		return tree && glob_may_match_below(closing->glob, path, true) ? AROUND : APART;
	for (struct glob **except = closing->excepts; *except != NULL; except++) {
		if (matches_above(*except, path, false))
			return EXCEPTED;
		below |= tree && glob_may_match_below(*except, path, false);
	}
	return below ? EXCEPTED_BELOW : INSIDE;
}

/* ---- where grants and closings meet ------------------------------------------------------------------------------ */

struct meeting {
	struct building *b;
	struct claim *claim;
	struct str name; /* one of the claim's */
	bool part;	 /* which is of a part of it */
	enum berm_code code;
};

/* What to do instead of granting what is never granted. */
static const char *way_around(const struct floor_row *row)
{
	if (row->own)
		return "without this line: every sandbox has a /proc of its own";
	return (row->rights & BERM_READ) == 0 ? "reading it, if that is enough" : "without this line";
}

/* A group's line is lifted by an override; an own one has its exceptions where it stands. */
static void way_through(const struct policy_entry *closing, const char *path, char *ret, size_t size)
{
	const struct policy_doc *doc = closing->doc;
	if (doc->kind == POLICY_DOC_GROUP || doc->shipped)
		(void)snprintf(ret, size, "override: [{path: \"%.60s\", why: \"...\"}] in your own policy.yaml", path);
	else if (doc->kind == POLICY_DOC_FLAGS)
		(void)snprintf(ret, size, "one of the two");
	else
		(void)snprintf(ret, size, "{path: \"%.40s\", except: [\"%.60s\"]} there", closing->line->text, path);
}

static void complain(struct building *b, const struct claim *claim, const struct closing *closing)
{
	char words[256], hint[160];
	if (closing->row != NULL) {
		resolve_complain(b, BERM_ERR_INVALID, claim->entry, way_around(closing->row),
				 "'%.100s' is never granted: %s (%s)", claim->path, closing->row->class,
				 closing->row->why);
		return;
	}
	if (closing->entry == NULL) /* it is of one or the other */
		return;
	resolve_entry_words(closing->entry, words, sizeof words);
	way_through(closing->entry, claim->path, hint, sizeof hint);
	resolve_complain(b, BERM_ERR_INVALID, claim->entry, hint, "'%.100s' is closed by %s", claim->path, words);
}

/* Does the closing take away what the claim gives? */
static bool takes(const struct closing *closing, const struct claim *claim)
{
	return closing->rights == BERM_DENY || (claim->rights & CHANGING) != 0;
}

/* A grant in a closed place is not made. What a person wrote is told, and so is a workspace that cannot be used. What is
 * to be asked for is closed for now, but another day it would not be. */
static void take_claim(struct building *b, struct claim *claim, struct closing *closing)
{
	if (closing->entry != NULL && closing->entry->line->key == KEY_ASK) {
		closing->wanted = true;
		return;
	}
	if (!is_own(claim) || strcmp(claim->path, b->input->workspace != NULL ? b->input->workspace : "") == 0)
		complain(b, claim, closing);
	claim->dropped = true;
}

static bool meet(void *context, uint32_t value)
{
	struct meeting *meeting = context;
	struct closing *closing = vec_at(&meeting->b->closings, value);
	struct claim *claim = meeting->claim;
	if (!takes(closing, claim))
		return true;
	meeting->code = compile(meeting->b, closing);
	if (meeting->code != BERM_OK)
		return false;
	enum relation relation = relation_of(closing, claim, meeting->name);
	if (meeting->part) {
		closing->wanted |= relation != APART;
		return true;
	}
	/* read a folder for what is excepted in it; nobody changes it for that */
	bool partly = relation == EXCEPTED_BELOW && is_own(claim) && (claim->rights & CHANGING) == 0;
	closing->named |= relation == EXCEPTED || partly;
	closing->wanted |= relation == AROUND || partly;
	closing->below |= partly && meeting->name.len == closing->stem.len;
	if (relation == INSIDE || (relation == EXCEPTED_BELOW && !partly))
		take_claim(meeting->b, claim, closing);
	return !claim->dropped;
}

/* Patterns that hold anywhere are found by a name that each path they match has. */
static void meet_names(struct meeting *meeting)
{
	struct str rest = meeting->name, name;
	while (meeting->code == BERM_OK && !meeting->claim->dropped && str_next(&rest, '/', &name))
		if (name.len > 0)
			path_table_around(&meeting->b->key_table, name, meet, meeting);
}

static enum berm_code meet_claim(struct building *b, struct claim *claim)
{
	struct meeting meeting = {.b = b, .claim = claim};
	for (size_t i = 0; i < claim->name_count && !claim->dropped; i++) {
		meeting.name = claim->names[i];
		meeting.part = (claim->part >> i & 1) != 0;
		path_table_around(&b->closing_table, meeting.name, meet, &meeting);
		resolve_globs_meet(b, claim, meeting.name, meet, &meeting);
		if (b->key_table.count > 0)
			meet_names(&meeting);
		TRY(meeting.code);
	}
	b->has_trees |= !claim->dropped && claim->rights != 0 && claim->extent == BERM_TREE;
	return BERM_OK;
}

/* Which of the claim's names it was. */
struct surrounding {
	const struct building *b;
	struct closing *closing;
};

static bool surround(void *context, uint32_t value)
{
	struct surrounding *surrounding = context;
	struct closing *closing = surrounding->closing;
	const struct claim *claim = vec_at(&surrounding->b->claims, value / CLAIM_NAMES);
	bool equal = claim->names[value % CLAIM_NAMES].len == closing->stem.len;
	if ((claim->extent == BERM_TREE || equal) && takes(closing, claim))
		closing->wanted = true;
	return !closing->wanted;
}

static void surround_closing(const struct building *b, struct closing *closing)
{
	struct surrounding surrounding = {.b = b, .closing = closing};
	if (closing->key.len > 0)
		closing->wanted |= b->has_trees;
	else if (!closing->wanted && (closing->row == NULL || !closing->row->own))
		path_table_around(&b->claim_table, closing->stem, surround, &surrounding);
}

static enum berm_code index_closings(struct building *b)
{
	TRY(path_table_init(&b->closing_table, &b->arena, b->closings.len, b->err));
	TRY(path_table_init(&b->key_table, &b->arena, b->key_count, b->err));
	TRY(resolve_globs_find(b));
	for (size_t i = 0; i < b->closings.len; i++) {
		const struct closing *closing = vec_at(&b->closings, i);
		bool keyed = closing->key.len > 0;
		if (!resolve_globs_has(b, closing))
			path_table_add(keyed ? &b->key_table : &b->closing_table, keyed ? closing->key : closing->stem,
				       (uint32_t)i);
	}
	return BERM_OK;
}

static enum berm_code index_claims(struct building *b)
{
	TRY(path_table_init(&b->claim_table, &b->arena, CLAIM_NAMES * b->claims.len, b->err));
	for (size_t i = 0; i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		for (size_t k = 0; k < claim->name_count && !claim->dropped && claim->rights != 0; k++)
			path_table_add(&b->claim_table, claim->names[k], (uint32_t)(i * CLAIM_NAMES + k));
	}
	return BERM_OK;
}

enum berm_code resolve_closings_meet(struct building *b)
{
	TRY(index_closings(b));
	for (size_t i = 0; i < b->claims.len; i++)
		TRY(meet_claim(b, vec_at(&b->claims, i)));
	resolve_globs_want(b);
	TRY(index_claims(b));
	for (size_t i = 0; i < b->closings.len; i++)
		surround_closing(b, vec_at(&b->closings, i));
	return BERM_OK;
}

/* ---- capabilities ------------------------------------------------------------------------------------------------ */

/* Secrets below /etc: as a rule whoever can read one of these can read the others. */
static const char *const probes[] = {"/etc/shadow", "/etc/sudoers", "/etc/ssl/private", "/root"};

static bool reads(const struct building *b, const char *path)
{
	return b->input->readable == NULL || b->input->readable(path);
}

static bool reads_secrets(struct building *b)
{
	for (size_t i = 0; i < ARRAY_LEN(probes) && !b->looked_at_etc; i++)
		b->reads_etc = b->reads_etc || reads(b, probes[i]);
	b->looked_at_etc = true;
	return b->reads_etc;
}

/* For an ordinary user the system itself closes what is shipped as closed below /etc. */
static bool is_closed_anyway(struct building *b, const struct closing *closing)
{
	return path_is_in(closing->stem, STR("/etc")) && (!reads_secrets(b) || !reads(b, closing->stem.ptr));
}

static bool is_needed(struct building *b, const struct closing *closing)
{
	if (closing->entry == NULL)
		return closing->wanted;
	if (!resolve_is_shipped(closing->entry))
		return true;
	return closing->wanted && !is_closed_anyway(b, closing);
}

/* What a shipped line excepts is open where a line grants it by name; what an override adds to that, always. */
static const char *const *exceptions_of(const struct closing *closing)
{
	const struct policy_entry *entry = closing->entry;
	size_t written = 0, all = 0;
	if (entry == NULL || entry->except == NULL)
		return NULL;
	for (uint32_t i = 0; i < entry->line->attr_count; i++)
		written += entry->line->attrs[i].key == ATTR_EXCEPT;
	while (entry->except[all] != NULL)
		all++;
	return closing->named || all > written || !resolve_is_shipped(entry) ? entry->except : NULL;
}

/* Where the folder itself is granted for the sake of its exceptions, what is in it is closed instead of it. */
static enum berm_code put_below(struct building *b, const struct closing *closing, const char *const *excepts)
{
	struct berm_rule rule = {.right = closing->rights, .pattern = "*", .label = resolve_label(closing->entry)};
	return resolve_guards_below(b, closing->stem.ptr, rule, excepts);
}

/* Does a grant around it let it be changed? */
static bool is_changed(const struct building *b, const struct closing *closing)
{
	for (size_t i = 0; i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		for (size_t k = 0; k < claim->name_count && !claim->dropped && (claim->rights & CHANGING) != 0; k++)
			if (path_is_in(closing->stem, claim->names[k]))
				return true;
	}
	return false;
}

static enum berm_code put(struct building *b, const struct closing *closing)
{
	const struct policy_entry *entry = closing->entry;
	const char *const *excepts = exceptions_of(closing);
	bool excepted = excepts != NULL && excepts[0] != NULL;
	if (closing->literal && excepted && closing->below && !is_changed(b, closing))
		return put_below(b, closing, excepts);
	if (closing->literal && !excepted)
		return berm_caps_path(b->caps, closing->stem.ptr, closing->rights,
				      entry != NULL ? resolve_extent(entry) : BERM_TREE, b->err);
	struct berm_rule rule = {.right = closing->rights, .pattern = closing->pattern};
	if (entry != NULL)
		rule.label = resolve_label(entry);
	else if (closing->row != NULL)
		rule.label = closing->row->class;
	return resolve_guards_rule(b, rule, excepts);
}

static bool is_wide(const char *path)
{
	static const char *const wide[] = {"/",	   "/home", "/root", "/var", "/srv",  "/mnt", "/media",
					   "/run", "/proc", "/sys",  "/dev", "/boot", "/tmp", "/etc"};
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (strcmp(path, wide[i]) == 0)
			return true;
	return false;
}

/* Does the closing lie in the path, or the path in it? */
static enum berm_code meets(struct building *b, struct closing *closing, struct str path, bool *ret_meets)
{
	const struct claim claim = {.rights = BERM_READ, .extent = BERM_TREE};
	*ret_meets = path_is_in(closing->stem, path);
	if (*ret_meets || !path_is_in(path, closing->stem))
		return BERM_OK;
	TRY(compile(b, closing));
	enum relation relation = relation_of(closing, &claim, path);
	*ret_meets = relation >= INSIDE; /* an exception is for who names it */
	return BERM_OK;
}

static enum berm_code is_clear(struct building *b, struct str path, bool *ret_clear)
{
	*ret_clear = !is_wide(path.ptr) && (b->home == NULL || !path_is_in(str_from(b->home), path)) &&
		     (b->real_home == NULL || !path_is_in(str_from(b->real_home), path));
	for (size_t i = 0; i < b->closings.len && *ret_clear; i++) {
		bool met;
		TRY(meets(b, vec_at(&b->closings, i), path, &met));
		*ret_clear = !met;
	}
	return BERM_OK;
}

enum berm_code resolve_closings_clear(struct building *b, const char *path, bool *ret_clear)
{
	struct claim claim;
	char real[PATH_MAX];
	bool clear;
	TRY(name_git_read(b, path, real, &claim, &clear));
	for (size_t i = 0; i < claim.name_count && clear; i++)
		TRY(is_clear(b, claim.names[i], &clear));
	*ret_clear = clear;
	return BERM_OK;
}

enum berm_code resolve_closings_put(struct building *b)
{
	for (size_t i = 0; i < b->closings.len; i++) {
		const struct closing *closing = vec_at(&b->closings, i);
		if (!is_needed(b, closing))
			continue;
		TRY(resolve_told(b, put(b, closing), closing->entry, RESOLVE_SHORTER));
		TRY(resolve_note(b, closing->entry, closing->row != NULL ? "never granted" : NULL));
	}
	return BERM_OK;
}
