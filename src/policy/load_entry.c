#include "policy/load_entry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/json_out.h"
#include "format/nearest.h"
#include "policy/load.h"
#include "policy/load_value.h"
#include "policy/policy_text.h"

enum { ENTRY_TEXT_MAX = 64 * 1024, HINT_MAX = 150 };

/* The line that is being read. */
struct entry {
	enum policy_key key;
	const struct policy_key_row *row;
	bool wanted;
	const struct node *node;
	const char *text; /* NULL: not read yet */
};

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

void load_fault(struct load *load, const struct place *at, const char *format, ...)
{
	char text[sizeof((struct problem *)NULL)->text];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problem_add(load->problems, at, "%s", text);
	if (load->code == BERM_OK)
		load->code = err_set(load->err, BERM_ERR_PARSE, "%s:%u:%u: %s", at->file, (unsigned)at->line,
				     (unsigned)at->column, text);
}

bool load_is_heard(const struct load *load)
{
	return load->problems != NULL && !load->problems->more;
}

static struct place place_of(const struct load *load, const struct node *node)
{
	return (struct place){load->file, node->line, node->column};
}

static struct place key_place_of(const struct load *load, const struct node *node)
{
	return (struct place){load->file, node->key_line, node->key_column};
}

/* "123" where a text is meant, a scalar where a list of one is meant: the way out is known. */
static void hint_at_kind(const struct load *load, const struct node *node, const char *what)
{
	bool scalar = node->kind != NODE_LIST && node->kind != NODE_MAP && node->kind != NODE_NULL;
	auto_buf struct buf text;
	buf_init(&text, HINT_MAX);
	if (scalar)
		policy_text_scalar(node->text.ptr, &text);
	if (text.failed)
		return;
	if (strcmp(what, "a list") == 0 && scalar)
		problem_hint(load->problems, "[%s]", text.data);
	else if (strcmp(what, "true or false") == 0)
		problem_hint(load->problems, "true or false, without quotes");
	else if (scalar && strncmp(what, "a map", 5) != 0)
		problem_hint(load->problems, "\"%s\"", node->text.ptr);
}

void load_expect(struct load *load, const struct node *node, const char *what)
{
	const struct place at = place_of(load, node);
	load_fault(load, &at, "expected %s, found %s", what, node_kind_text(node->kind));
	hint_at_kind(load, node, what);
}

static enum berm_code no_memory(const struct load *load)
{
	return err_set(load->err, BERM_ERR_NOMEM, "%s: out of memory", load->file);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void hint_at_value(const struct load *load, enum policy_value value, const char *const *words, const char *text)
{
	if (!load_is_heard(load))
		return;
	struct nearest nearest;
	char first[NEAREST_MAX_LEN + 1];
	(void)snprintf(first, sizeof first, "%.*s", (int)strcspn(text, " :"), text);
	nearest_init(&nearest, first);
	for (; words != NULL && *words != NULL; words++)
		nearest_offer(&nearest, *words);
	if (nearest.best != NULL && strcmp(nearest.best, first) != 0)
		problem_hint(load->problems, "%s", nearest.best);
	else if (load_value_hint(value) != NULL)
		problem_hint(load->problems, "%s", load_value_hint(value));
}

static bool check_text(struct load *load, const struct place *at, enum policy_value value, const char *const *words,
		       struct str text)
{
	struct berm_err why = {0};
	if (policy_check_value(value, words, text, &why) == BERM_OK)
		return true;
	load_fault(load, at, "%s", why.msg);
	hint_at_value(load, value, words, text.ptr);
	return false;
}

/* Where a comma or a dash got lost, two paths become one. */
static void check_pair_of_paths(struct load *load, const struct node *node, enum policy_value value)
{
	const struct place at = place_of(load, node);
	const char *space = node->plain ? strchr(node->text.ptr, ' ') : NULL;
	while (space != NULL && strchr("~/$.*-\"'[{", space[1]) == NULL)
		space = strchr(space + 1, ' ');
	if (space == NULL || (value != VALUE_PATTERN && value != VALUE_PATH))
		return;
	load_fault(load, &at, "one path or two: '%s'", node->text.ptr);
	problem_hint(load->problems, "put a comma between two, or quotes around one");
}

/* The text of a scalar that is such a value; NULL: it is none, which has been told. */
static const char *scalar(struct load *load, const struct node *node, enum policy_value value, const char *const *words)
{
	const char *expected;
	const struct place at = place_of(load, node);
	if (!load_value_fits(value, node->kind, &expected)) {
		load_expect(load, node, expected);
		return NULL;
	}
	if (!check_text(load, &at, value, words, node->text))
		return NULL;
	check_pair_of_paths(load, node, value);
	return node->text.ptr;
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static enum berm_code add_attr(struct load *load, enum policy_attr_key key, const char *text)
{
	const struct policy_attr attr = {key, text};
	return text != NULL ? vec_push(&load->attrs, &attr, load->err) : BERM_OK;
}

/* The exceptions of a line about hosts are hosts. */
static enum policy_value value_of(enum policy_key of, enum policy_attr_key key)
{
	return of == KEY_NET_DENY && key == ATTR_EXCEPT ? VALUE_HOST : policy_attrs[key].value;
}

static enum berm_code take_value(struct load *load, enum policy_key of, enum policy_attr_key key,
				 const struct node *node)
{
	const struct policy_attr_row *row = &policy_attrs[key];
	const struct place at = place_of(load, node);
	const char *text = scalar(load, node, value_of(of, key), row->words);
	if (text != NULL && text[0] == '\0')
		load_fault(load, &at, "'%s' says nothing", row->name);
	return add_attr(load, key, text);
}

/* A scalar stands for a list of one. */
static enum berm_code take_values(struct load *load, enum policy_key of, enum policy_attr_key key,
				  const struct node *node)
{
	const struct policy_attr_row *row = &policy_attrs[key];
	const struct place at = place_of(load, node);
	if (!row->list || node->kind != NODE_LIST)
		return take_value(load, of, key, node);
	if (node->count == 0)
		load_fault(load, &at, "'%s' names nothing", node->key.ptr);
	for (const struct node *item = node->first; item != NULL; item = item->next)
		TRY(take_value(load, of, key, item));
	return BERM_OK;
}

/* prefix: "when." or "". POLICY_ATTRS: there is none of that name, or not here. */
static enum policy_attr_key find_attr(unsigned attrs, const char *prefix, const char *name)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < POLICY_ATTRS && strchr(name, '.') == NULL; i++) /* dots are the table's */
		if ((attrs >> i & 1) != 0 && strncmp(policy_attrs[i].name, prefix, len) == 0 &&
		    strcmp(policy_attrs[i].name + len, name) == 0)
			return (enum policy_attr_key)i;
	return POLICY_ATTRS;
}

/* The keys that may stand there: prefix is "" or "when.". */
static void offer_attrs(struct nearest *nearest, const struct entry *entry, const char *prefix)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < POLICY_ATTRS; i++) {
		const char *name = policy_attrs[i].name + len;
		if ((entry->row->attrs >> i & 1) != 0 && strncmp(policy_attrs[i].name, prefix, len) == 0)
			nearest_offer(nearest, strchr(name, '.') == NULL ? name : "when");
	}
	if (len > 0)
		return;
	if (entry->row->main != NULL)
		nearest_offer(nearest, entry->row->main);
	for (const char *const *word = entry->key == KEY_TEST ? entry->row->words : NULL; word != NULL && *word != NULL;
	     word++)
		nearest_offer(nearest, *word);
}

static void tell_unknown_attr(struct load *load, const struct entry *entry, const char *prefix, const struct node *node)
{
	struct nearest nearest;
	const char *key = node->key.ptr;
	const struct place at = key_place_of(load, node);
	load_fault(load, &at, "unknown key '%s' in an entry of '%s'", key, entry->row->path);
	if (!load_is_heard(load))
		return;
	nearest_init(&nearest, key);
	offer_attrs(&nearest, entry, prefix);
	if (strncmp(key, "when.", 5) == 0)
		problem_hint(load->problems, "when: {%s: ...}", key + 5);
	else if (nearest.best != NULL)
		problem_hint(load->problems, "%s", nearest.best);
}

/* "when: {os: linux}" */
static enum berm_code take_when(struct load *load, const struct entry *entry, const struct node *map)
{
	if (map->kind != NODE_MAP) {
		load_expect(load, map, "a map");
		return BERM_OK;
	}
	for (const struct node *node = map->first; node != NULL; node = node->next) {
		enum policy_attr_key key = find_attr(entry->row->attrs, "when.", node->key.ptr);
		if (key == POLICY_ATTRS)
			tell_unknown_attr(load, entry, "when.", node);
		else
			TRY(take_values(load, entry->key, key, node));
	}
	return BERM_OK;
}

static enum berm_code take_attr(struct load *load, const struct entry *entry, const struct node *node)
{
	bool has_when = (entry->row->attrs >> ATTR_WHEN_OS & 1) != 0;
	if (has_when && str_eq(node->key, STR("when")))
		return take_when(load, entry, node);
	enum policy_attr_key key = find_attr(entry->row->attrs, "", node->key.ptr);
	if (key != POLICY_ATTRS)
		return take_values(load, entry->key, key, node);
	tell_unknown_attr(load, entry, "", node);
	return BERM_OK;
}

static bool has_attr(const struct load *load, enum policy_attr_key key)
{
	for (size_t i = 0; i < load->attrs.len; i++)
		if (((const struct policy_attr *)vec_at(&load->attrs, i))->key == key)
			return true;
	return false;
}

static void check_needs(struct load *load, const struct entry *entry)
{
	const struct place at = place_of(load, entry->node);
	for (size_t i = 0; i < POLICY_ATTRS; i++) {
		bool needed = (entry->row->needs >> i & 1) != 0;
		bool is_map = entry->node->kind == NODE_MAP;
		if (!needed || (is_map && node_find(entry->node, policy_attrs[i].name) != NULL))
			continue;
		load_fault(load, &at, "an entry of '%s' needs '%s': %s", entry->row->path, policy_attrs[i].name,
			   policy_attrs[i].about);
	}
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* With the attributes that were read since the last one. */
static enum berm_code add_line(struct load *load, const struct entry *entry, const struct place *at)
{
	struct policy_line line = {.key = entry->key,
				   .wanted = entry->wanted,
				   .line = at->line,
				   .column = at->column,
				   .text = entry->text};
	size_t count = load->attrs.len;
	if (count > 0) {
		struct policy_attr *attrs = arena_array(load->arena, count, sizeof *attrs);
		if (attrs == NULL)
			return no_memory(load);
		memcpy(attrs, load->attrs.items, count * sizeof *attrs);
		line.attrs = attrs;
		line.attr_count = (uint32_t)count;
	}
	load->attrs.len = 0;
	return entry->text != NULL ? vec_push(&load->lines, &line, load->err) : BERM_OK;
}

static enum berm_code joined(const struct load *load, const char *head, char between, const char *tail,
			     const char **ret_text)
{
	auto_buf struct buf text;
	buf_init(&text, ENTRY_TEXT_MAX);
	buf_printf(&text, "%s%c%s", head, between, tail);
	TRY(buf_check(&text, load->err));
	const char *copy = arena_text(load->arena, buf_str(&text));
	if (copy == NULL)
		return no_memory(load);
	*ret_text = copy;
	return BERM_OK;
}

static enum berm_code load_scalar(struct load *load, struct entry *entry)
{
	const struct place at = place_of(load, entry->node);
	entry->text = scalar(load, entry->node, entry->row->value, entry->row->words);
	return add_line(load, entry, &at);
}

/* ---- tests, approvers -------------------------------------------------------------------------------------------- */

static bool is_test_word(const struct entry *entry, const struct node *node)
{
	const char *const *word = entry->row->words;
	while (*word != NULL && strcmp(*word, node->key.ptr) != 0)
		word++;
	return *word != NULL;
}

/* {read: PATH, is: deny} becomes "read PATH". */
static enum berm_code take_question(struct load *load, struct entry *entry, const struct node *node)
{
	const char *expected;
	const struct place at = place_of(load, node), key_at = key_place_of(load, node);
	if (entry->text != NULL)
		load_fault(load, &key_at, "a test asks one thing: '%s' is the second", node->key.ptr);
	if (!load_value_fits(load_value_of_test(node->key, node->text), node->kind, &expected)) {
		load_expect(load, node, expected);
		return BERM_OK;
	}
	TRY(joined(load, node->key.ptr, ' ', node->text.ptr, &entry->text));
	(void)check_text(load, &at, entry->row->value, entry->row->words, str_from(entry->text));
	return BERM_OK;
}

/* One of those who approve, {webhook: URL, key: SECRET} or {program: [...]}. */
static enum berm_code take_approver(struct load *load, struct entry *entry, const struct node *node)
{
	const struct place at = key_place_of(load, node);
	bool is_group = str_eq(node->key, STR("all")) || str_eq(node->key, STR("any"));
	if (str_eq(node->key, STR("key")))
		return take_values(load, KEY_APPROVALS_BY, ATTR_KEY, node);
	if (entry->text != NULL)
		load_fault(load, &at, "'%s' stands alone in its entry", node->key.ptr);
	if (str_eq(node->key, STR("webhook"))) {
		const char *url = scalar(load, node, VALUE_URL, NULL);
		return url != NULL ? joined(load, "webhook", ' ', url, &entry->text) : BERM_OK;
	}
	entry->text = node->key.ptr;
	if (str_eq(node->key, STR("program")))
		return take_values(load, KEY_APPROVALS_BY, ATTR_ARGV, node);
	if (!is_group) {
		load_fault(load, &at, "unknown key '%s' in an entry of '%s'", node->key.ptr, entry->row->path);
		problem_hint(load->problems, "webhook, program, all or any");
	}
	return BERM_OK;
}

static bool is_approver_group(const struct node *node)
{
	return node->kind == NODE_MAP && (node_find(node, "all") != NULL || node_find(node, "any") != NULL);
}

/* A member of all or any as text: its word, or {"program":["a"]} and {"webhook":URL,"key":SECRET}. */
static enum berm_code put_member(struct load *load, const struct node *member)
{
	auto_buf struct buf text;
	struct json_out json;
	buf_init(&text, ENTRY_TEXT_MAX);
	json_init(&json, &text);
	json_object(&json, NULL);
	for (const struct node *node = member->first; node != NULL; node = node->next) {
		if (node->kind != NODE_LIST) {
			json_text(&json, node->key.ptr, node->text);
			continue;
		}
		json_array(&json, node->key.ptr);
		for (const struct node *item = node->first; item != NULL; item = item->next)
			json_text(&json, NULL, item->text);
		json_array_end(&json);
	}
	json_object_end(&json);
	TRY(buf_check(&text, load->err));
	const char *copy = arena_text(load->arena, buf_str(&text));
	return copy != NULL ? add_attr(load, ATTR_OF, copy) : no_memory(load);
}

static enum berm_code take_pairs(struct load *load, struct entry *entry, const struct node *map)
{
	for (const struct node *node = map->first; node != NULL; node = node->next)
		TRY(take_approver(load, entry, node));
	const struct place at = place_of(load, map);
	bool webhook = entry->text != NULL && strncmp(entry->text, "webhook ", 8) == 0;
	if (entry->text == NULL && load->code == BERM_OK)
		load_fault(load, &at, "an entry of '%s' names nobody", entry->row->path);
	if (webhook != has_attr(load, ATTR_KEY) && load->code == BERM_OK)
		load_fault(load, &at,
			   webhook ? "a webhook needs 'key': the secret that signs requests" : "'key' is a webhook's");
	return BERM_OK;
}

/* Members are looked at like entries, and then kept as texts. */
static enum berm_code take_member(struct load *load, const struct entry *entry, const struct node *member)
{
	if (member->kind != NODE_MAP)
		return add_attr(load, ATTR_OF, scalar(load, member, entry->row->value, entry->row->words));
	const struct place at = place_of(load, member);
	if (is_approver_group(member)) {
		load_fault(load, &at, "'all' and 'any' are not put into each other");
		return BERM_OK;
	}
	struct entry inner = {.key = entry->key, .row = entry->row, .node = member};
	size_t before = load->attrs.len;
	TRY(take_pairs(load, &inner, member));
	load->attrs.len = before;
	return load->code == BERM_OK ? put_member(load, member) : BERM_OK;
}

static enum berm_code take_members(struct load *load, struct entry *entry)
{
	const struct node *list = entry->node->first;
	const struct place at = place_of(load, entry->node);
	entry->text = list->key.ptr;
	if (entry->node->count > 1)
		load_fault(load, &at, "'%s' stands alone in its entry", list->key.ptr);
	if (list->kind != NODE_LIST || list->count == 0) {
		load_expect(load, list, "a list of those who are asked");
		return BERM_OK;
	}
	for (const struct node *member = list->first; member != NULL; member = member->next)
		TRY(take_member(load, entry, member));
	return BERM_OK;
}

/* ---- entries of lists -------------------------------------------------------------------------------------------- */

static enum berm_code take_pair(struct load *load, struct entry *entry, const struct node *node)
{
	const struct policy_key_row *row = entry->row;
	if (row->main != NULL && strcmp(node->key.ptr, row->main) == 0) {
		entry->text = scalar(load, node, row->value, row->words);
		return BERM_OK;
	}
	if (entry->key == KEY_TEST && is_test_word(entry, node))
		return take_question(load, entry, node);
	return take_attr(load, entry, node);
}

static void check_main(struct load *load, const struct entry *entry)
{
	const struct place at = place_of(load, entry->node);
	const char *main = entry->row->main;
	if (main != NULL && node_find(entry->node, main) == NULL)
		load_fault(load, &at, "an entry of '%s' needs '%s'", entry->row->path, main);
	else if (entry->key == KEY_TEST && entry->text == NULL && load->code == BERM_OK)
		load_fault(load, &at, "the test asks nothing");
}

static enum berm_code take_map(struct load *load, struct entry *entry)
{
	if (entry->key == KEY_APPROVALS_BY)
		return is_approver_group(entry->node) ? take_members(load, entry)
						      : take_pairs(load, entry, entry->node);
	for (const struct node *node = entry->node->first; node != NULL; node = node->next)
		TRY(take_pair(load, entry, node));
	check_main(load, entry);
	check_needs(load, entry);
	return BERM_OK;
}

static enum berm_code load_entry(struct load *load, struct entry entry)
{
	const struct place at = place_of(load, entry.node);
	bool may_be_map = entry.row->attrs != 0, may_be_scalar = entry.key != KEY_TEST;
	if (entry.node->kind == NODE_MAP && may_be_map) {
		TRY(take_map(load, &entry));
	} else if (!may_be_scalar || entry.node->kind == NODE_MAP || entry.node->kind == NODE_LIST) {
		load_expect(load, entry.node, may_be_scalar ? "a text" : "a map such as {read: PATH, is: deny}");
	} else {
		entry.text = scalar(load, entry.node, entry.row->value, entry.row->words);
		check_needs(load, &entry);
	}
	return add_line(load, &entry, &at);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static enum berm_code load_list(struct load *load, struct entry *list)
{
	const struct node *node = list->node;
	const struct place at = place_of(load, node);
	if (node->kind != NODE_LIST) {
		load_expect(load, node, "a list");
		return BERM_OK;
	}
	list->text = "";
	if (node->count == 0)
		return list->key == KEY_EXTENDS || list->key == KEY_DELETE ? add_line(load, list, &at) : BERM_OK;
	struct entry entry = *list;
	entry.text = NULL;
	for (entry.node = node->first; entry.node != NULL; entry.node = entry.node->next)
		TRY(load_entry(load, entry));
	return BERM_OK;
}

/* {NAME: VALUE}: what a variable is set to may be written as a number, too. */
static enum berm_code load_map(struct load *load, struct entry *map)
{
	if (map->node->kind != NODE_MAP) {
		load_expect(load, map->node, "a map");
		return BERM_OK;
	}
	for (const struct node *node = map->node->first; node != NULL; node = node->next) {
		const struct place at = place_of(load, node), key_at = key_place_of(load, node);
		(void)check_text(load, &key_at, VALUE_VARIABLE, NULL, node->key);
		if (node->kind == NODE_NULL || node->kind == NODE_LIST || node->kind == NODE_MAP)
			load_expect(load, node, "a text");
		else if (check_text(load, &at, map->row->value, NULL, node->text))
			TRY(joined(load, node->key.ptr, '=', node->text.ptr, &map->text));
		TRY(add_line(load, map, &key_at));
		map->text = NULL;
	}
	return BERM_OK;
}

/* {NAME: {ATTRIBUTE: VALUE}} */
static enum berm_code load_named(struct load *load, const struct entry *named)
{
	if (named->node->kind != NODE_MAP) {
		load_expect(load, named->node, "a map");
		return BERM_OK;
	}
	struct entry entry = *named;
	for (const struct node *node = named->node->first; node != NULL; node = node->next) {
		const struct place at = key_place_of(load, node);
		entry.node = node;
		entry.text = node->key.ptr;
		(void)check_text(load, &at, named->row->value, NULL, node->key);
		if (node->kind == NODE_MAP)
			TRY(take_map(load, &entry));
		else
			load_expect(load, node, "a map");
		TRY(add_line(load, &entry, &at));
	}
	return BERM_OK;
}

/* {ATTRIBUTE: VALUE}: a condition of the whole document. */
static enum berm_code load_attrs(struct load *load, struct entry *entry)
{
	const struct place at = place_of(load, entry->node);
	entry->text = "";
	TRY(take_when(load, entry, entry->node));
	return add_line(load, entry, &at);
}

enum berm_code load_row(struct load *load, enum policy_key key, bool wanted, const struct node *node)
{
	struct entry entry = {.key = key, .row = &policy_keys[key], .wanted = wanted, .node = node};
	switch (entry.row->shape) {
	case SHAPE_LIST:
		return load_list(load, &entry);
	case SHAPE_MAP:
		return load_map(load, &entry);
	case SHAPE_NAMED:
		return load_named(load, &entry);
	case SHAPE_ENTRY:
		return load_attrs(load, &entry);
	case SHAPE_SCALAR:
	default:
		return load_scalar(load, &entry);
	}
}
