#include "policy/policy_merge.h"

#include <stdio.h>
#include <string.h>

#include "format/nearest.h"

/* A document that is being followed: first what it extends, then its groups, then the document itself. */
struct step {
	const struct policy_doc *doc;
	const struct policy_line *line; /* the one that is followed */
	uint32_t next;			/* of doc's lines */
	bool groups;			/* what it extends is done */
	bool extends;			/* it says what it extends */
	const char *label;		/* "profile node-dev > group git" */
	const char *via;
	enum policy_layer layer; /* of whoever named it, up to the layer's own file */
	enum policy_layer own;	 /* of its own lines */
};
/* Who named whom, the outermost first. */
struct walk {
	struct merge *merge;
	struct step steps[MERGE_MAX_DEPTH + 1];
	size_t depth;
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

static struct step *top_of(struct walk *walk)
{
	return &walk->steps[walk->depth - 1];
}

static struct place place_of(const struct step *step)
{
	return merge_place(step->doc, step->line);
}

static bool is_followed(const struct walk *walk, const struct policy_doc *doc)
{
	for (size_t i = 0; i < walk->depth; i++)
		if (walk->steps[i].doc == doc)
			return true;
	return false;
}

static const char *name_of(const struct policy_doc *doc)
{
	return doc->name != NULL ? doc->name : doc->file;
}

/* "a -> b -> a", told where the circle is closed, with the place of each step. */
static void say_circle(struct walk *walk, const struct policy_doc *doc)
{
	char steps[160];
	size_t at = 0, first = 0;
	while (walk->steps[first].doc != doc)
		first++;
	steps[0] = '\0';
	for (size_t i = first; i < walk->depth && at < sizeof steps; i++) {
		const struct step *step = &walk->steps[i];
		int len = snprintf(steps + at, sizeof steps - at, "%.40s (%.40s:%u) -> ", name_of(step->doc),
				   step->doc->file, (unsigned)step->line->line);
		at += len > 0 ? (size_t)len : 0;
	}
	struct place place = place_of(top_of(walk));
	problem_add(walk->merge->problems, &place, "goes in a circle: %s%.40s", steps, name_of(doc));
	problem_hint(walk->merge->problems, "take one of these names out");
}

/* May the document be followed from here? */
static bool may_follow(struct walk *walk, const struct policy_doc *doc)
{
	if (is_followed(walk, doc)) {
		say_circle(walk, doc);
		return false;
	}
	if (walk->depth < MERGE_MAX_DEPTH)
		return true;
	struct place place = place_of(top_of(walk));
	problem_add(walk->merge->problems, &place, "'%.60s' is more than %d documents deep", name_of(doc),
		    MERGE_MAX_DEPTH);
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
static bool may_project_add(struct walk *walk, const struct policy_doc *doc)
{
	const struct policy_line *line = find_widening(doc);
	struct merge *merge = walk->merge;
	if (line == NULL)
		return true;
	struct place place = place_of(top_of(walk));
	problem_add(merge->problems, &place, "a project's file narrows only: %s '%.60s' has '%s'",
		    kind_words[doc->kind], name_of(doc), policy_keys[line->key].path);
	problem_hint(merge->problems, "name it in your own policy, or with %s %.60s",
		     doc->kind == POLICY_DOC_GROUP ? "-g" : "-p", name_of(doc));
	return false;
}

/* The group is to be followed; layer is that of whoever names it. */
static enum berm_code enter_group(struct walk *walk, const struct policy_doc *doc, enum policy_layer layer,
				  const char *front)
{
	struct merge *merge = walk->merge;
	if (!holds_as_whole(merge, doc))
		return BERM_OK;
	const struct merge_doc *there = find_doc(merge, doc, group_layer(layer));
	const char *text = label(merge, front, doc);
	if (text == NULL)
		return merge_no_memory(merge);
	walk->steps[walk->depth++] = (struct step){.doc = doc,
						   .groups = true,
						   .label = text,
						   .via = there != NULL && !there->out ? there->via : text,
						   .layer = layer,
						   .own = group_layer(layer)};
	return BERM_OK;
}

static enum berm_code name_group(struct walk *walk, const struct policy_doc *doc)
{
	const struct step *top = top_of(walk);
	const struct merge_doc *granted = find_doc(walk->merge, doc, LAYER_GROUP);
	bool is_in = granted != NULL && !granted->out;
	if (top->layer == LAYER_PROJECT && (is_in || !may_project_add(walk, doc)))
		return BERM_OK;
	return enter_group(walk, doc, top->layer, top->label);
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

static void take_group_out(struct walk *walk, const struct policy_doc *doc)
{
	struct merge *merge = walk->merge;
	const struct step *top = top_of(walk);
	struct place place = place_of(top);
	struct merge_doc *there = find_doc(merge, doc, group_layer(top->layer));
	if (top->layer == LAYER_PROJECT && there == NULL)
		there = find_doc(merge, doc, LAYER_GROUP);
	if (doc->required) {
		problem_add(merge->problems, &place, "group '%.60s' is required: it cannot be taken out", name_of(doc));
		problem_hint(merge->problems, "override: [{path: PATH, why: REASON}] for one of its paths");
	} else if (top->doc->kind == POLICY_DOC_GROUP) {
		problem_add(merge->problems, &place, "a group takes no other out: '-%.60s'", name_of(doc));
	} else if (has_groups(doc)) {
		problem_add(merge->problems, &place, "group '%.60s' is made of others: take these out by name",
			    name_of(doc));
	} else if (top->layer == LAYER_PROJECT && has_guard(doc)) {
		problem_add(merge->problems, &place,
			    "a project's file narrows only: group '%.60s' denies or protects something", name_of(doc));
	} else if (there != NULL) {
		there->out = true;
	}
}

/* "git", or "-docker". */
static enum berm_code follow_group(struct walk *walk)
{
	struct merge *merge = walk->merge;
	const struct step *top = top_of(walk);
	struct place place = place_of(top);
	const char *name = top->line->text;
	bool out = name[0] == '-';
	if (++merge->vote_count > MERGE_MAX_VOTES)
		return err_set(merge->err, BERM_ERR_LIMIT, "more than %d groups are named", MERGE_MAX_VOTES);
	const struct policy_doc *doc = find(merge, &place, POLICY_DOC_GROUP, name + out);
	if (doc == NULL || !may_follow(walk, doc))
		return BERM_OK;
	if (!out)
		return name_group(walk, doc);
	take_group_out(walk, doc);
	return BERM_OK;
}

/* ---- what documents extend --------------------------------------------------------------------------------------- */

/* A profile that says nothing of what it extends extends the default one, which itself extends nothing. */
static const struct policy_line implied = {.key = KEY_EXTENDS, .text = "default"};

static enum policy_layer profile_layer(enum policy_layer layer)
{
	return layer == LAYER_SYSTEM || layer == LAYER_PROJECT ? layer : LAYER_PROFILE;
}

/* via: NULL: it is the layer's own file. */
static enum berm_code enter(struct walk *walk, const struct policy_doc *doc, enum policy_layer layer, const char *front)
{
	struct merge *merge = walk->merge;
	if (find_doc(merge, doc, layer) != NULL || !holds_as_whole(merge, doc))
		return BERM_OK;
	const char *text = label(merge, front != NULL ? front : "", doc);
	if (text == NULL)
		return merge_no_memory(merge);
	walk->steps[walk->depth++] = (struct step){
		.doc = doc, .label = text, .via = front != NULL ? text : "", .layer = layer, .own = layer};
	return BERM_OK;
}

static enum berm_code follow_profile(struct walk *walk)
{
	struct merge *merge = walk->merge;
	const struct step *top = top_of(walk);
	struct place place = place_of(top);
	const struct policy_doc *doc = find(merge, &place, POLICY_DOC_PROFILE, top->line->text);
	bool itself = top->line == &implied && is_followed(walk, doc);
	if (doc == NULL || itself || !may_follow(walk, doc))
		return BERM_OK;
	enum policy_layer layer = profile_layer(top->layer);
	if (layer == LAYER_PROJECT && (find_doc(merge, doc, LAYER_PROFILE) != NULL || !may_project_add(walk, doc)))
		return BERM_OK;
	return enter(walk, doc, layer, top->label);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

static const struct policy_line *next_of(struct step *step, enum policy_key key)
{
	while (step->next < step->doc->line_count) {
		const struct policy_line *line = &step->doc->lines[step->next++];
		if (line->key == key && !line->wanted)
			return line;
	}
	return NULL;
}

static const struct policy_line *next_extended(struct step *step)
{
	const struct policy_line *line;
	while (!step->groups && (line = next_of(step, KEY_EXTENDS)) != NULL) {
		step->extends = true;
		if (line->text[0] != '\0')
			return line;
	}
	bool implies = !step->groups && !step->extends && step->own == LAYER_PROFILE;
	if (!step->groups)
		step->next = 0;
	step->groups = true;
	return implies ? &implied : NULL;
}

/* The next name that is to be followed; NULL: there is none. */
static const struct policy_line *next_name(struct merge *merge, struct step *step)
{
	const struct policy_line *line = next_extended(step);
	if (line != NULL)
		return line;
	while ((line = next_of(step, KEY_GROUPS)) != NULL)
		if (merge_holds_early(merge, line))
			return line;
	return NULL;
}

/* Everything that the document names is there: the later is the stronger. */
static enum berm_code leave(struct walk *walk)
{
	struct merge *merge = walk->merge;
	const struct step *top = top_of(walk);
	struct merge_doc *there = find_doc(merge, top->doc, top->own);
	const struct merge_doc put = {top->doc, top->own, next_strength(merge, top->layer), top->via, false};
	walk->depth--;
	if (there == NULL)
		return add_doc(merge, &put);
	*there = put;
	return BERM_OK;
}

static enum berm_code follow_all_of(struct walk *walk)
{
	while (walk->depth > 0) {
		struct step *top = top_of(walk);
		top->line = next_name(walk->merge, top);
		if (top->line == NULL)
			TRY(leave(walk));
		else
			TRY(top->line->key == KEY_EXTENDS ? follow_profile(walk) : follow_group(walk));
	}
	return BERM_OK;
}

static enum berm_code follow(struct walk *walk, const struct policy_doc *doc, enum policy_layer layer)
{
	if (doc == NULL)
		return BERM_OK;
	TRY(enter(walk, doc, layer, NULL));
	return follow_all_of(walk);
}

static enum berm_code follow_each(struct walk *walk, const struct policy_doc *const *docs, enum policy_layer layer)
{
	for (; docs != NULL && *docs != NULL; docs++)
		TRY(follow(walk, *docs, layer));
	return BERM_OK;
}

static enum berm_code add_required(struct walk *walk)
{
	const struct policy_finder *finder = &walk->merge->layers->finder;
	static const struct place nowhere = {"required groups", 0, 0};
	const char *name;
	for (size_t i = 0; finder->name != NULL && (name = finder->name(finder->context, POLICY_DOC_GROUP, i)) != NULL;
	     i++) {
		const struct policy_doc *doc = find(walk->merge, &nowhere, POLICY_DOC_GROUP, name);
		if (doc == NULL || !doc->required)
			continue;
		TRY(enter_group(walk, doc, LAYER_PROFILE, "required"));
		TRY(follow_all_of(walk));
	}
	return BERM_OK;
}

static enum berm_code collect(struct merge *merge)
{
	const struct policy_layers *layers = merge->layers;
	struct walk walk = {.merge = merge};
	merge->doc_count = merge->vote_count = 0;
	merge->sequence = 0;
	TRY(follow_each(&walk, layers->system, LAYER_SYSTEM));
	TRY(add_required(&walk));
	TRY(follow_each(&walk, layers->profiles, LAYER_PROFILE));
	TRY(follow_each(&walk, layers->user, LAYER_USER));
	TRY(follow(&walk, layers->project, LAYER_PROJECT));
	return follow(&walk, layers->flags, LAYER_FLAG);
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
