#include "policy/policy_merge.h"

#include <stdio.h>
#include <string.h>

#include "format/nearest.h"

/* Who named whom: the documents that are being followed. */
struct chain {
	const struct policy_doc *doc;
	const struct policy_line *line; /* of doc: by which the next was named */
	const struct chain *up;
	const char *label; /* "profile node-dev > group git", or "" */
	enum policy_layer layer;
	unsigned depth;
};

struct place merge_place(const struct policy_doc *doc, const struct policy_line *line)
{
	return (struct place){doc->file, line != NULL ? line->line : 0, line != NULL ? line->column : 0};
}

enum berm_code merge_no_memory(struct merge *merge)
{
	return err_set(merge->err, BERM_ERR_NOMEM, "put a policy together");
}

uint32_t merge_strength(const struct merge *merge, const struct policy_entry *entry)
{
	for (size_t i = 0; i < merge->doc_count; i++)
		if (merge->docs[i].doc == entry->doc && merge->docs[i].layer == entry->layer && !merge->docs[i].out)
			return merge->docs[i].strength;
	return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const char *const kind_words[] = {[POLICY_DOC_FILE] = "file",
					 [POLICY_DOC_PROFILE] = "profile",
					 [POLICY_DOC_GROUP] = "group",
					 [POLICY_DOC_FLAGS] = "flags"};

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

/* Whoever looks for a document makes a file name of it. */
static bool is_name(const char *name)
{
	size_t len = 0;
	while (is_name_byte(name[len]))
		len++;
	return len > 0 && name[len] == '\0' && name[0] != '.' && name[0] != '-';
}

static size_t problem_count(const struct merge *merge)
{
	return merge->problems->count + merge->problems->more;
}

static void say_unknown(struct merge *merge, const struct place *at, enum policy_doc_kind kind, const char *name)
{
	const struct policy_finder *finder = &merge->layers->finder;
	struct nearest nearest;
	const char *candidate;
	nearest_init(&nearest, name);
	problem_add(merge->problems, at, "no such %s: '%.60s'", kind_words[kind], name);
	for (size_t i = 0; finder->name != NULL && (candidate = finder->name(finder->context, kind, i)) != NULL; i++)
		nearest_offer(&nearest, candidate);
	if (nearest.best != NULL)
		problem_hint(merge->problems, "%s", nearest.best);
	else
		problem_hint(merge->problems, "berm %s list", kind_words[kind]);
}

/* NULL: a problem was added. */
static const struct policy_doc *find(struct merge *merge, const struct place *at, enum policy_doc_kind kind,
				     const char *name)
{
	const struct policy_finder *finder = &merge->layers->finder;
	size_t before = problem_count(merge);
	if (!is_name(name)) {
		problem_add(merge->problems, at, "not a name of a %s: '%.60s'", kind_words[kind], name);
		return NULL;
	}
	const struct policy_doc *doc =
		finder->find != NULL ? finder->find(finder->context, kind, name, merge->problems) : NULL;
	if (doc == NULL && problem_count(merge) == before)
		say_unknown(merge, at, kind, name);
	return doc;
}

/* "FRONT > KIND NAME" */
static const char *label(struct merge *merge, const char *front, const struct policy_doc *doc)
{
	bool named = doc->name != NULL && (doc->kind == POLICY_DOC_PROFILE || doc->kind == POLICY_DOC_GROUP);
	const char *parts[] = {front, front[0] != '\0' ? " > " : "", named ? kind_words[doc->kind] : "",
			       named ? " " : "", named ? doc->name : doc->file};
	size_t len[5], total = 0;
	for (size_t i = 0; i < 5; i++)
		total += len[i] = parts[i] != NULL ? strlen(parts[i]) : 0;
	char *text = arena_alloc(&merge->policy->arena, total + 1);
	for (size_t i = 0, at = 0; text != NULL && i < 5; at += len[i++])
		if (len[i] > 0)
			memcpy(text + at, parts[i], len[i]);
	return text;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static struct merge_doc *find_doc(const struct merge *merge, const struct policy_doc *doc, enum policy_layer layer)
{
	for (size_t i = 0; i < merge->doc_count; i++)
		if (merge->docs[i].doc == doc && merge->docs[i].layer == layer)
			return &merge->docs[i];
	return NULL;
}

static enum berm_code make_room(struct merge *merge)
{
	if (merge->doc_count < merge->doc_cap)
		return BERM_OK;
	size_t cap = merge->doc_cap > 0 ? 2 * merge->doc_cap : 64;
	if (cap > MERGE_MAX_DOCS)
		return err_set(merge->err, BERM_ERR_LIMIT, "more than %d documents in a policy", MERGE_MAX_DOCS);
	struct merge_doc *docs = arena_array(&merge->policy->arena, cap, sizeof *docs);
	if (docs == NULL)
		return merge_no_memory(merge);
	if (merge->doc_count > 0)
		memcpy(docs, merge->docs, merge->doc_count * sizeof *docs);
	merge->docs = docs;
	merge->doc_cap = cap;
	return BERM_OK;
}

static enum berm_code add_doc(struct merge *merge, const struct merge_doc *added)
{
	TRY(make_room(merge));
	merge->docs[merge->doc_count++] = *added;
	return BERM_OK;
}

/* What names a document gives it its strength: a group that a flag names is as strong as a flag. */
static uint32_t next_strength(struct merge *merge, enum policy_layer layer)
{
	static const uint32_t base[POLICY_LAYERS] = {[LAYER_PROFILE] = MERGE_STRENGTH_PROFILE,
						     [LAYER_USER] = MERGE_STRENGTH_USER,
						     [LAYER_FLAG] = MERGE_STRENGTH_FLAGS};
	return base[layer] + ++merge->sequence;
}

static bool is_in_chain(const struct chain *chain, const struct policy_doc *doc)
{
	for (; chain != NULL; chain = chain->up)
		if (chain->doc == doc)
			return true;
	return false;
}

static const char *name_of(const struct policy_doc *doc)
{
	return doc->name != NULL ? doc->name : doc->file;
}

/* "a -> b -> a", told where the circle is closed, with the place of each step. */
static void say_circle(struct merge *merge, const struct chain *chain, const struct policy_doc *doc)
{
	char steps[160], line[96];
	size_t at = sizeof steps - 1;
	steps[at] = '\0';
	for (const struct chain *step = chain; step != NULL; step = step->up) {
		int len = snprintf(line, sizeof line, "%.40s (%.24s:%u) -> ", name_of(step->doc), step->doc->file,
				   (unsigned)step->line->line);
		if (len < 0 || (size_t)len >= sizeof line || (size_t)len > at)
			break;
		at -= (size_t)len;
		memcpy(steps + at, line, (size_t)len);
		if (step->doc == doc)
			break;
	}
	struct place place = merge_place(chain->doc, chain->line);
	problem_add(merge->problems, &place, "goes in a circle: %s%.40s", steps + at, name_of(doc));
	problem_hint(merge->problems, "take one of these names out");
}

/* May the document be followed from here? */
static bool may_follow(struct merge *merge, const struct chain *chain, const struct policy_doc *doc)
{
	if (is_in_chain(chain, doc)) {
		say_circle(merge, chain, doc);
		return false;
	}
	if (chain == NULL || chain->depth < MERGE_MAX_DEPTH)
		return true;
	struct place place = merge_place(chain->doc, chain->line);
	problem_add(merge->problems, &place, "'%.60s' is more than %d documents deep", name_of(doc), MERGE_MAX_DEPTH);
	return false;
}

static bool holds_as_whole(struct merge *merge, const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_WHEN && !merge_holds_early(merge, &doc->lines[i]))
			return false;
	return true;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* In which layer do groups stand that a document of this layer names? */
static enum policy_layer group_layer(enum policy_layer layer)
{
	return layer == LAYER_SYSTEM || layer == LAYER_PROJECT ? layer : LAYER_GROUP;
}

static bool is_guard(enum policy_key key)
{
	return key == KEY_DENY || key == KEY_PROTECT || key == KEY_ASK || key == KEY_NET_DENY;
}

/* The first line that a project's file could not have itself. */
static const struct policy_line *find_widening(const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (!merge_narrows(&doc->lines[i]))
			return &doc->lines[i];
	return NULL;
}

/* A project may name only what narrows. */
static bool may_project_add(struct merge *merge, const struct chain *chain, const struct policy_doc *doc)
{
	const struct policy_line *line = find_widening(doc);
	if (line == NULL)
		return true;
	struct place place = merge_place(chain->doc, chain->line);
	problem_add(merge->problems, &place, "a project's file narrows only: %s '%.60s' has '%s'",
		    kind_words[doc->kind], name_of(doc), policy_keys[line->key].path);
	problem_hint(merge->problems, "name it in your own policy, or with %s %.60s",
		     doc->kind == POLICY_DOC_GROUP ? "-g" : "-p", name_of(doc));
	return false;
}

static enum berm_code follow_groups(struct merge *merge, const struct chain *chain);

static enum berm_code put_group(struct merge *merge, const struct chain *chain, const struct policy_doc *doc,
				const char *front)
{
	enum policy_layer layer = group_layer(chain->layer);
	struct merge_doc *there = find_doc(merge, doc, layer);
	if (layer == LAYER_PROJECT) {
		const struct merge_doc *granted = find_doc(merge, doc, LAYER_GROUP);
		if ((granted != NULL && !granted->out) || !may_project_add(merge, chain, doc))
			return BERM_OK;
	}
	if (!holds_as_whole(merge, doc))
		return BERM_OK;
	const char *via = there != NULL && !there->out ? there->via : label(merge, front, doc);
	if (via == NULL)
		return merge_no_memory(merge);
	const struct chain here = {.doc = doc,
				   .up = chain->doc == NULL ? NULL : chain,
				   .label = via,
				   .layer = chain->layer,
				   .depth = chain->depth + 1};
	TRY(follow_groups(merge, &here));
	there = find_doc(merge, doc, layer);
	const struct merge_doc put = {doc, layer, next_strength(merge, chain->layer), via, false};
	if (there == NULL)
		return add_doc(merge, &put);
	*there = put;
	return BERM_OK;
}

static bool has_groups(const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_GROUPS)
			return true;
	return false;
}

static bool has_guard(const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (is_guard(doc->lines[i].key) || doc->lines[i].key == KEY_COMMAND)
			return true;
	return false;
}

static void take_group_out(struct merge *merge, const struct chain *chain, const struct policy_doc *doc)
{
	struct place place = merge_place(chain->doc, chain->line);
	struct merge_doc *there = find_doc(merge, doc, group_layer(chain->layer));
	if (chain->layer == LAYER_PROJECT && there == NULL)
		there = find_doc(merge, doc, LAYER_GROUP);
	if (doc->required) {
		problem_add(merge->problems, &place, "group '%.60s' is required: it cannot be taken out", name_of(doc));
		problem_hint(merge->problems, "override: [{path: PATH, why: REASON}] for one of its paths");
	} else if (chain->doc->kind == POLICY_DOC_GROUP) {
		problem_add(merge->problems, &place, "a group takes no other out: '-%.60s'", name_of(doc));
	} else if (has_groups(doc)) {
		problem_add(merge->problems, &place, "group '%.60s' is made of others: take these out by name",
			    name_of(doc));
	} else if (chain->layer == LAYER_PROJECT && has_guard(doc)) {
		problem_add(merge->problems, &place,
			    "a project's file narrows only: group '%.60s' denies or protects something", name_of(doc));
	} else if (there != NULL) {
		there->out = true;
	}
}

/* "git", or "-docker". */
static enum berm_code follow_group(struct merge *merge, const struct chain *chain)
{
	struct place place = merge_place(chain->doc, chain->line);
	const char *name = chain->line->text;
	bool out = name[0] == '-';
	if (++merge->vote_count > MERGE_MAX_VOTES)
		return err_set(merge->err, BERM_ERR_LIMIT, "more than %d groups are named", MERGE_MAX_VOTES);
	const struct policy_doc *doc = find(merge, &place, POLICY_DOC_GROUP, name + out);
	if (doc == NULL || !may_follow(merge, chain, doc))
		return BERM_OK;
	if (!out)
		return put_group(merge, chain, doc, chain->label);
	take_group_out(merge, chain, doc);
	return BERM_OK;
}

static enum berm_code follow_groups(struct merge *merge, const struct chain *chain)
{
	struct chain here = *chain;
	for (uint32_t i = 0; i < chain->doc->line_count; i++) {
		here.line = &chain->doc->lines[i];
		if (here.line->key == KEY_GROUPS && !here.line->wanted && merge_holds_early(merge, here.line))
			TRY(follow_group(merge, &here));
	}
	return BERM_OK;
}

static enum berm_code add_required(struct merge *merge)
{
	const struct policy_finder *finder = &merge->layers->finder;
	static const struct place nowhere = {"required groups", 0, 0};
	const struct chain here = {.layer = LAYER_PROFILE, .label = ""};
	const char *name;
	for (size_t i = 0; finder->name != NULL && (name = finder->name(finder->context, POLICY_DOC_GROUP, i)) != NULL;
	     i++) {
		const struct policy_doc *doc = find(merge, &nowhere, POLICY_DOC_GROUP, name);
		if (doc != NULL && doc->required)
			TRY(put_group(merge, &here, doc, "required"));
	}
	return BERM_OK;
}

/* ---- what documents extend ----------------------------------------------------------------------------------------- */

static enum berm_code follow(struct merge *merge, const struct chain *up, const struct policy_doc *doc,
			     enum policy_layer layer);

static enum policy_layer profile_layer(enum policy_layer layer)
{
	return layer == LAYER_SYSTEM || layer == LAYER_PROJECT ? layer : LAYER_PROFILE;
}

static enum berm_code follow_profile(struct merge *merge, const struct chain *chain, const char *name)
{
	struct place place = merge_place(chain->doc, chain->line);
	const struct policy_doc *doc = find(merge, &place, POLICY_DOC_PROFILE, name);
	if (doc == NULL || !may_follow(merge, chain, doc))
		return BERM_OK;
	enum policy_layer layer = profile_layer(chain->layer);
	if (layer == LAYER_PROJECT &&
	    (find_doc(merge, doc, LAYER_PROFILE) != NULL || !may_project_add(merge, chain, doc)))
		return BERM_OK;
	return follow(merge, chain, doc, layer);
}

/* A profile that says nothing of what it extends extends the default one, which itself extends nothing. */
static enum berm_code follow_default(struct merge *merge, const struct chain *chain)
{
	static const struct policy_line implied = {.key = KEY_EXTENDS, .text = "default"};
	struct chain here = *chain;
	here.line = &implied;
	struct place place = merge_place(chain->doc, &implied);
	const struct policy_doc *doc = find(merge, &place, POLICY_DOC_PROFILE, implied.text);
	if (doc == NULL || is_in_chain(chain, doc))
		return BERM_OK;
	return follow(merge, &here, doc, LAYER_PROFILE);
}

static enum berm_code follow_extends(struct merge *merge, const struct chain *chain)
{
	struct chain here = *chain;
	bool said = false;
	for (uint32_t i = 0; i < chain->doc->line_count; i++) {
		here.line = &chain->doc->lines[i];
		if (here.line->key != KEY_EXTENDS || here.line->wanted)
			continue;
		said = true;
		if (here.line->text[0] != '\0')
			TRY(follow_profile(merge, &here, here.line->text));
	}
	return said || chain->layer != LAYER_PROFILE ? BERM_OK : follow_default(merge, chain);
}

/* What it extends, its groups, then the document itself: the later is the stronger. */
static enum berm_code follow(struct merge *merge, const struct chain *up, const struct policy_doc *doc,
			     enum policy_layer layer)
{
	if (find_doc(merge, doc, layer) != NULL || !holds_as_whole(merge, doc))
		return BERM_OK;
	const char *text = label(merge, up != NULL ? up->label : "", doc);
	if (text == NULL)
		return merge_no_memory(merge);
	const struct chain here = {
		.doc = doc, .up = up, .label = text, .layer = layer, .depth = up != NULL ? up->depth + 1 : 1};
	TRY(follow_extends(merge, &here));
	TRY(follow_groups(merge, &here));
	const struct merge_doc added = {doc, layer, next_strength(merge, layer), up != NULL ? text : "", false};
	return add_doc(merge, &added);
}

static enum berm_code follow_all(struct merge *merge, const struct policy_doc *const *docs, enum policy_layer layer)
{
	for (; docs != NULL && *docs != NULL; docs++)
		TRY(follow(merge, NULL, *docs, layer));
	return BERM_OK;
}

static enum berm_code collect(struct merge *merge)
{
	const struct policy_layers *layers = merge->layers;
	merge->doc_count = merge->vote_count = 0;
	merge->sequence = 0;
	TRY(follow_all(merge, layers->system, LAYER_SYSTEM));
	TRY(add_required(merge));
	TRY(follow_all(merge, layers->profiles, LAYER_PROFILE));
	TRY(follow_all(merge, layers->user, LAYER_USER));
	if (layers->project != NULL)
		TRY(follow(merge, NULL, layers->project, LAYER_PROJECT));
	if (layers->flags != NULL)
		TRY(follow(merge, NULL, layers->flags, LAYER_FLAG));
	return BERM_OK;
}

/* Which documents there are may depend on the network, whose mode they say: without those first. */
enum berm_code merge_collect(struct merge *merge)
{
	static const struct place nowhere = {"policy", 0, 0};
	TRY(collect(merge));
	const char *mode = merge_network(merge);
	bool again = merge->asks_network && problem_count(merge) == 0;
	merge->network = mode;
	if (!again)
		return BERM_OK;
	TRY(collect(merge));
	if (strcmp(merge_network(merge), mode) != 0)
		problem_add(merge->problems, &nowhere,
			    "'network.mode' is set by a document that is there only with a certain network.mode");
	return BERM_OK;
}
