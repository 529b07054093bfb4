/* Target: policy_load, policy_make, on a set of documents. Input: each document behind a line "%% LAYER [NAME]", LAYER one
 * of system, user, profile, ask (a profile that the run asks for), group, project, flags. A line that closes is taken
 * out, and one byte of its text is made another: either that is an error, or nothing is granted that was not, no setting
 * is another, and every other line that closes is still there as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/node.h"
#include "policy/load.h"
#include "policy/policy_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DOCS_MAX = 16, TRIES_MAX = 12, SIZE_MAX_INPUT = 16384, NAME_SIZE = 32 };

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

enum role { SYSTEM = 0, USER, PROFILE, ASKED, GROUP, PROJECT, FLAGS, ROLES };
static const char *const role_words[ROLES] = {"system", "user", "profile", "ask", "group", "project", "flags"};
static const enum policy_doc_kind role_kinds[ROLES] = {[PROFILE] = POLICY_DOC_PROFILE,
						       [ASKED] = POLICY_DOC_PROFILE,
						       [GROUP] = POLICY_DOC_GROUP,
						       [FLAGS] = POLICY_DOC_FLAGS};

struct part {
	enum role role;
	char name[NAME_SIZE];
	struct str text;
	const struct policy_doc *doc;
	struct policy_doc named;
};

struct world {
	struct arena arena;
	struct part parts[DOCS_MAX];
	size_t count;
	const struct policy_doc *by_role[ROLES][DOCS_MAX + 1];
	size_t role_count[ROLES];
	struct policy *policy;
	struct problems problems;
};

static void world_done(struct world *world)
{
	policy_free(world->policy);
	arena_done(&world->arena);
}
#define auto_world __attribute__((cleanup(world_done))) struct world

/* "%% group tools" */
static bool take_head(struct str line, struct part *part)
{
	if (!str_starts(line, STR("%% ")))
		return false;
	struct str rest = {line.ptr + 3, line.len - 3};
	for (size_t i = 0; i < ROLES; i++) {
		struct str word = str_from(role_words[i]);
		if (!str_starts(rest, word))
			continue;
		rest = (struct str){rest.ptr + word.len, rest.len - word.len};
		if (rest.len > 1 && rest.len < NAME_SIZE && rest.ptr[0] == ' ')
			memcpy(part->name, rest.ptr + 1, rest.len - 1);
		part->role = (enum role)i;
		return true;
	}
	return false;
}

static size_t split(struct str text, struct part parts[DOCS_MAX])
{
	size_t count = 0;
	struct str line;
	while (str_next(&text, '\n', &line)) {
		struct part part = {.role = SYSTEM};
		if (take_head(line, &part)) {
			if (count == DOCS_MAX)
				return count;
			part.text = (struct str){text.ptr, 0};
			parts[count++] = part;
		} else if (count > 0) {
			parts[count - 1].text.len = (size_t)(line.ptr + line.len - parts[count - 1].text.ptr);
		}
	}
	return count;
}

static bool load_part(struct world *world, struct part *part)
{
	const struct policy_from from = {role_kinds[part->role], role_words[part->role]};
	if (part->doc == NULL &&
	    policy_load(&world->arena, from, part->text, &part->doc, &world->problems, NULL) != BERM_OK)
		return false;
	part->named = *part->doc;
	if (part->name[0] != '\0')
		part->named.name = part->name;
	bool has_name = part->named.name != NULL || role_kinds[part->role] == POLICY_DOC_FILE;
	if (has_name || part->role == FLAGS)
		world->by_role[part->role][world->role_count[part->role]++] = &part->named;
	return true;
}

/* ---- the merge --------------------------------------------------------------------------------------------------- */

/* What a profile that says nothing of it extends. */
static const struct policy_doc nothing = {
	.kind = POLICY_DOC_PROFILE, .file = "profiles/default.yaml", .name = "default"};

static const struct policy_doc *doc_at(const struct world *world, enum policy_doc_kind kind, size_t index)
{
	for (size_t role = 0; role < ROLES; role++)
		for (size_t i = 0; role_kinds[role] == kind && i < world->role_count[role]; i++)
			if (index-- == 0)
				return world->by_role[role][i];
	return index == 0 && kind == POLICY_DOC_PROFILE ? &nothing : NULL;
}

static const struct policy_doc *find(void *context, enum policy_doc_kind kind, const char *name,
				     struct problems *problems)
{
	const struct policy_doc *doc;
	(void)problems;
	for (size_t i = 0; (doc = doc_at(context, kind, i)) != NULL; i++)
		if (strcmp(doc->name, name) == 0)
			return doc;
	return NULL;
}

static const char *name_at(void *context, enum policy_doc_kind kind, size_t index)
{
	const struct policy_doc *doc = doc_at(context, kind, index);
	return doc != NULL ? doc->name : NULL;
}

static bool merge(struct world *world)
{
	static const char *const envp[] = {"PATH=/opt/tool/bin:/home/u/bin:/usr/bin", "CARGO_HOME=/srv/cargo",
					   "GOPATH=/home/u/go", NULL};
	static const struct policy_input input = {.cwd = "/w/sub",
						  .workspace = "/w",
						  .home = "/home/u",
						  .envp = envp,
						  .config_folder = "/home/u/.config/berm",
						  .state_folder = "/home/u/.local/state/berm",
						  .os = "linux",
						  .arch = "x86_64",
						  .distro = "debian"};
	const struct policy_layers layers = {.system = world->by_role[SYSTEM],
					     .user = world->by_role[USER],
					     .profiles = world->by_role[ASKED],
					     .project = world->by_role[PROJECT][0],
					     .flags = world->by_role[FLAGS][0],
					     .finder = {world, find, name_at}};
	struct berm_err err = {.code = BERM_OK};
	enum berm_code code = policy_make(&layers, &input, &world->policy, &world->problems, &err);
	require((code == BERM_OK) == (world->policy != NULL));
	require(code != BERM_ERR_PARSE || world->problems.count > 0);
	return code == BERM_OK;
}

/* Takes the parts as they are, loads those that are not, and merges. */
static bool make(struct world *world, const struct part *parts, size_t count)
{
	arena_init(&world->arena, NODE_MAX_MEMORY);
	memcpy(world->parts, parts, count * sizeof *parts);
	world->count = count;
	for (size_t i = 0; i < count; i++)
		if (!load_part(world, &world->parts[i]))
			return false;
	return merge(world);
}

/* ---- before and after -------------------------------------------------------------------------------------------- */

static bool is_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool has_attr(const struct policy_line *line, const struct policy_attr *attr)
{
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == attr->key && strcmp(line->attrs[i].text, attr->text) == 0)
			return true;
	return false;
}

static bool is_same_entry(const struct policy_entry *a, const struct policy_entry *b)
{
	bool same = a->layer == b->layer && a->line->key == b->line->key &&
		    a->line->attr_count == b->line->attr_count && is_text(a->text, b->text) &&
		    is_text(a->path, b->path);
	for (uint32_t i = 0; same && i < a->line->attr_count; i++)
		same = has_attr(b->line, &a->line->attrs[i]);
	return same;
}

static size_t count_excepts(const struct policy_entry *entry)
{
	size_t count = 0;
	while (entry->except != NULL && entry->except[count] != NULL)
		count++;
	return count;
}

static bool holds(const struct policy *policy, const struct policy_entry *wanted)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].off == NULL && is_same_entry(&policy->entries[i], wanted) &&
		    count_excepts(&policy->entries[i]) <= count_excepts(wanted))
			return true;
	return false;
}

static bool is_grant(const struct policy_entry *entry)
{
	return entry->off == NULL && entry->line->key != KEY_OVERRIDE && !merge_narrows(entry->line);
}

static bool closes(enum policy_key key)
{
	return key == KEY_DENY || key == KEY_PROTECT || key == KEY_NET_DENY;
}

/* What the environment names counts only outside of what is denied: those lines may be there now. */
static void check_grants(const struct world *before, const struct world *after, const struct policy_line *hit)
{
	for (size_t i = 0; i < after->policy->count; i++) {
		const struct policy_entry *entry = &after->policy->entries[i];
		bool named = entry->text[0] == '$' && hit->key == KEY_DENY;
		require(!is_grant(entry) || named || holds(before->policy, entry));
	}
}

static void check_closed(const struct world *before, const struct world *after, const struct policy_line *hit)
{
	for (size_t i = 0; i < before->policy->count; i++) {
		const struct policy_entry *entry = &before->policy->entries[i];
		if (entry->off == NULL && closes(entry->line->key) && entry->line != hit)
			require(holds(after->policy, entry));
	}
}

static void check_settings(const struct world *before, const struct world *after)
{
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct policy_entry *was = before->policy->setting[i], *is = after->policy->setting[i];
		require((was == NULL) == (is == NULL) && (was == NULL || is_text(was->text, is->text)));
	}
}

static void compare(const struct world *before, const struct world *after, const struct policy_line *hit)
{
	check_grants(before, after, hit);
	check_closed(before, after, hit);
	check_settings(before, after);
}

/* ---- a line less, a byte another --------------------------------------------------------------------------------- */

/* The line is gone from its document. */
static void take_out(const struct world *before, size_t at, uint32_t index)
{
	auto_world after = {.count = 0};
	struct part parts[DOCS_MAX];
	struct policy_doc doc = before->parts[at].named;
	const struct policy_line *hit = &doc.lines[index];
	struct policy_line *lines = calloc(doc.line_count, sizeof *lines);
	require(lines != NULL);
	memcpy(lines, doc.lines, index * sizeof *lines);
	memcpy(lines + index, doc.lines + index + 1, (doc.line_count - index - 1) * sizeof *lines);
	doc.lines = lines;
	doc.line_count--;
	memcpy(parts, before->parts, sizeof parts);
	parts[at].doc = &doc;
	if (make(&after, parts, before->count))
		compare(before, &after, hit);
	free(lines);
}

/* Where the text of a line of a document stands in the document's bytes; false: not as it is written. */
static bool find_text(struct str bytes, const struct policy_line *line, size_t *ret_at)
{
	struct str row, rest = bytes, text = str_from(line->text);
	for (uint32_t i = 0; i < line->line; i++)
		if (!str_next(&rest, '\n', &row))
			return false;
	if (text.len == 0 || row.len < text.len || line->column == 0)
		return false;
	for (size_t i = line->column - 1; i + text.len <= row.len; i++)
		if (memcmp(row.ptr + i, text.ptr, text.len) == 0) {
			*ret_at = (size_t)(row.ptr - bytes.ptr) + i;
			return true;
		}
	return false;
}

/* Quotes and a sign of a comment may move where the next text ends: what a person means by those no program knows. */
static void change_byte(const struct world *before, size_t at, uint32_t index, uint8_t random)
{
	static const char bytes[] = " \t\n:-[]{},|>!&*%@`~?\\/.$x1\x01\xc3\xff";
	auto_world after = {.count = 0};
	struct part parts[DOCS_MAX];
	const struct policy_doc *doc = &before->parts[at].named;
	const struct policy_line *hit = &doc->lines[index];
	struct str whole = before->parts[at].text;
	size_t start;
	if (!find_text(whole, hit, &start))
		return;
	char *copy = malloc(whole.len);
	require(copy != NULL);
	memcpy(copy, whole.ptr, whole.len);
	copy[start + random % strlen(hit->text)] = bytes[random % (sizeof bytes - 1)];
	memcpy(parts, before->parts, sizeof parts);
	parts[at].text = (struct str){copy, whole.len};
	parts[at].doc = NULL;
	if (make(&after, parts, before->count))
		compare(before, &after, hit);
	free(copy);
}

/* Some bytes that depend on the input alone. */
static uint8_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (uint8_t)(*seed >> 16);
}

static void try_each(const struct world *before, uint32_t seed)
{
	size_t tries = 0;
	for (size_t at = 0; at < before->count; at++)
		for (uint32_t i = 0; i < before->parts[at].named.line_count && tries < TRIES_MAX; i++)
			if (closes(before->parts[at].named.lines[i].key)) {
				tries++;
				take_out(before, at, i);
				change_byte(before, at, i, draw(&seed));
			}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_world before = {.count = 0};
	struct part parts[DOCS_MAX] = {0};
	uint32_t seed = 1;
	if (size > SIZE_MAX_INPUT)
		return 0;
	for (size_t i = 0; i < size; i++)
		seed = (seed ^ data[i]) * 16777619U;
	size_t count = split((struct str){(const char *)data, size}, parts);
	if (count > 0 && make(&before, parts, count))
		try_each(&before, seed);
	return 0;
}
