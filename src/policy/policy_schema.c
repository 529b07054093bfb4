#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/json_out.h"
#include "policy/load.h"
#include "policy/load_value.h"

/*
 * Weaker than the loader where a regular expression cannot say it (addresses, patterns within patterns), never stronger:
 * an editor must not complain about what berm takes.
 */

enum { PATTERN_MAX = 1024 };

#define NAME "[A-Za-z0-9_+][A-Za-z0-9_.+-]*"
#define VARIABLE "[A-Za-z_][A-Za-z0-9_]*"
#define PATH "^(?!.*://)(?!.* $)(~(/.*)?|\\$" VARIABLE "(/.*)?|[^~$ ].*)$"

struct shape {
	const char *types[3]; /* of JSON, NULL-terminated */
	const char *pattern;  /* of texts; NULL: any */
	uint64_t max;	      /* of numbers; 0: any */
};

static const struct shape shapes[] = {
	[VALUE_TEXT] = {{"string"}, NULL, 0},
	[VALUE_NAME] = {{"string"}, "^" NAME "$", 0},
	[VALUE_BOOL] = {{"boolean"}, NULL, 0},
	[VALUE_VERSION] = {{"integer", "string"}, "^1$", 1},
	[VALUE_WORD] = {{"string"}, NULL, 0},
	[VALUE_PATH] = {{"string"}, PATH, 0},
	[VALUE_PATTERN] = {{"string"}, PATH, 0},
	[VALUE_HOST] = {{"string"}, "^(?!.*://)[^ :]+(:[0-9]+)?$|^[][0-9A-Fa-f:./]+$", 0},
	[VALUE_PORT] = {{"integer", "string"}, "^0*[1-9][0-9]{0,4}$", UINT16_MAX},
	[VALUE_URL] = {{"string"}, "^https?://[^/?#@* ]+([/?#][^ ]*)?$", 0},
	[VALUE_VARIABLE] = {{"string"}, "^" VARIABLE "$", 0},
	[VALUE_SIZE] = {{"integer", "string"}, "^0*[1-9][0-9]*(KiB|MiB|GiB|TiB|K|M|G|T)?$", 0},
	[VALUE_COUNT] = {{"integer", "string"}, "^0*[1-9][0-9]*$", 0},
	[VALUE_DURATION] = {{"integer", "string"}, "^0*[1-9][0-9]*(ms|s|m|h|d)?$", 0},
	[VALUE_HTTP] = {{"string"},
			"^([A-Z]+|\\*) (/|\\*\\*)[^ ]*( (query|mutation|subscription):([A-Za-z0-9_]+|\\*))?$",
			0},
	[VALUE_COMMAND] = {{"string"}, "^[^ ]", 0},
	[VALUE_GROUP] = {{"string"}, "^-?" NAME "$", 0},
	[VALUE_VARIABLES] = {{"string"}, "^(" VARIABLE "\\*?|\\*)$", 0},
	[VALUE_SOURCE] = {{"string"}, NULL, 0},
	[VALUE_PHRASE] = {{"string"}, NULL, 0},
	[VALUE_SETTING] = {{"string"}, "^[A-Za-z_][A-Za-z0-9_]*=", 0},
	[VALUE_TEST] = {{"string"}, NULL, 0},
};

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void put_texts(struct json_out *json, const char *key, const char *const *texts)
{
	json_array(json, key);
	for (; *texts != NULL; texts++)
		json_text(json, NULL, str_from(*texts));
	json_array_end(json);
}

/* "^(keyring|env)://" and alike. */
static void put_words_pattern(struct json_out *json, const char *const *words, const char *end)
{
	char pattern[PATTERN_MAX];
	size_t len = 0;
	for (const char *const *word = words; *word != NULL && len < sizeof pattern; word++)
		len += (size_t)snprintf(pattern + len, sizeof pattern - len, "%s%s", word > words ? "|" : "^(", *word);
	if (len < sizeof pattern)
		(void)snprintf(pattern + len, sizeof pattern - len, ")%s", end);
	json_text(json, "pattern", str_from(pattern));
}

static void put_members(struct json_out *json, enum policy_value value, const char *const *words)
{
	const struct shape *shape = &shapes[value];
	if (shape->types[1] != NULL)
		put_texts(json, "type", shape->types);
	else
		json_text(json, "type", str_from(shape->types[0]));
	if (value == VALUE_WORD && words != NULL)
		put_texts(json, "enum", words);
	else if (words != NULL)
		put_words_pattern(json, words, value == VALUE_SOURCE ? "://." : "( [^ ]|$)");
	if (shape->pattern != NULL)
		json_text(json, "pattern", str_from(shape->pattern));
	if (shape->types[1] != NULL)
		json_u64(json, "minimum", 1);
	if (shape->max > 0)
		json_u64(json, "maximum", shape->max);
}

static void put_value(struct json_out *json, const char *key, enum policy_value value, const char *const *words)
{
	json_object(json, key);
	put_members(json, value, words);
	json_object_end(json);
}

static void put_ref(struct json_out *json, const char *key, const char *name)
{
	json_object(json, key);
	json_text(json, "$ref", str_from(name));
	json_object_end(json);
}

static void put_description(struct json_out *json, const char *about)
{
	json_text(json, "description", str_from(about));
}

/* Opens a map that has these keys and no others; ends with map_end. */
static void map_start(struct json_out *json, const char *key)
{
	json_object(json, key);
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	json_object(json, "properties");
}

static void map_end(struct json_out *json)
{
	json_object_end(json);
	json_object_end(json);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void put_attr_members(struct json_out *json, const struct policy_attr_row *row)
{
	put_members(json, row->value, row->words);
	if (row->value == VALUE_TEXT)
		json_u64(json, "minLength", 1);
}

static void put_attr(struct json_out *json, const char *name, const struct policy_attr_row *row)
{
	json_object(json, name);
	put_description(json, row->about);
	if (!row->list) {
		put_attr_members(json, row);
		json_object_end(json);
		return;
	}
	json_array(json, "anyOf");
	json_object(json, NULL);
	put_attr_members(json, row);
	json_object_end(json);
	json_object(json, NULL);
	json_text(json, "type", STR("array"));
	json_u64(json, "minItems", 1);
	json_object(json, "items");
	put_attr_members(json, row);
	json_object_end(json);
	json_object_end(json);
	json_array_end(json);
	json_object_end(json);
}

static bool is_condition(size_t attr)
{
	return attr >= ATTR_WHEN_OS && attr <= ATTR_WHEN_NETWORK;
}

static void put_attrs(struct json_out *json, unsigned attrs)
{
	for (size_t i = 0; i < POLICY_ATTRS; i++)
		if ((attrs >> i & 1) != 0 && !is_condition(i))
			put_attr(json, policy_attrs[i].name, &policy_attrs[i]);
	if ((attrs >> ATTR_WHEN_OS & 1) != 0)
		put_ref(json, "when", "#/$defs/when");
}

static void put_required(struct json_out *json, const struct policy_key_row *row)
{
	json_array(json, "required");
	if (row->main != NULL)
		json_text(json, NULL, str_from(row->main));
	for (size_t i = 0; i < POLICY_ATTRS; i++)
		if ((row->needs >> i & 1) != 0)
			json_text(json, NULL, str_from(policy_attrs[i].name));
	json_array_end(json);
}

static void put_entry_map(struct json_out *json, const char *key, const struct policy_key_row *row)
{
	json_object(json, key);
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	put_required(json, row);
	json_object(json, "properties");
	if (row->main != NULL)
		put_value(json, row->main, row->value, row->words);
	put_attrs(json, row->attrs);
	json_object_end(json);
	json_object_end(json);
}

/* One of an entry's words, and what each is about. */
static void put_test(struct json_out *json, const struct policy_key_row *row)
{
	static const char *const definitions[] = {
		[VALUE_PATH] = "#/$defs/path", [VALUE_HOST] = "#/$defs/host", [VALUE_COMMAND] = "#/$defs/command"};
	json_object(json, "items");
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	put_required(json, row);
	json_array(json, "oneOf");
	for (const char *const *word = row->words; *word != NULL; word++) {
		json_object(json, NULL);
		put_texts(json, "required", (const char *const[]){*word, NULL});
		json_object_end(json);
	}
	json_array_end(json);
	json_object(json, "properties");
	for (const char *const *word = row->words; *word != NULL; word++) {
		enum policy_value value = load_value_of_test(str_from(*word), STR(""));
		const char *definition = value == VALUE_URL ? "#/$defs/url" : definitions[value];
		put_ref(json, *word, strcmp(*word, "delete") == 0 ? "#/$defs/text" : definition);
	}
	put_attrs(json, row->attrs);
	json_object_end(json);
	json_object_end(json);
}

static void put_group_of_approvers(struct json_out *json, const char *name)
{
	json_object(json, NULL);
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	put_texts(json, "required", (const char *const[]){name, NULL});
	json_object(json, "properties");
	json_object(json, name);
	json_text(json, "type", STR("array"));
	json_u64(json, "minItems", 1);
	put_ref(json, "items", "#/$defs/approver");
	json_object_end(json);
	json_object_end(json);
	json_object_end(json);
}

static void put_approvers(struct json_out *json)
{
	json_object(json, "items");
	json_array(json, "anyOf");
	put_ref(json, NULL, "#/$defs/approver");
	put_group_of_approvers(json, "all");
	put_group_of_approvers(json, "any");
	json_array_end(json);
	json_object_end(json);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void put_items(struct json_out *json, enum policy_key key)
{
	const struct policy_key_row *row = &policy_keys[key];
	if (key == KEY_TEST) {
		put_test(json, row);
	} else if (key == KEY_APPROVALS_BY) {
		put_approvers(json);
	} else if (row->attrs == 0) {
		put_value(json, "items", row->value, row->words);
	} else if (row->needs != 0) {
		put_entry_map(json, "items", row);
	} else {
		json_object(json, "items");
		json_array(json, "anyOf");
		put_value(json, NULL, row->value, row->words);
		put_entry_map(json, NULL, row);
		json_array_end(json);
		json_object_end(json);
	}
}

static void put_names(struct json_out *json, enum policy_value value)
{
	json_text(json, "type", STR("object"));
	put_value(json, "propertyNames", value, NULL);
}

static void put_key_members(struct json_out *json, enum policy_key key)
{
	const struct policy_key_row *row = &policy_keys[key];
	put_description(json, row->about);
	switch (row->shape) {
	case SHAPE_LIST:
		json_text(json, "type", STR("array"));
		put_items(json, key);
		break;
	case SHAPE_MAP:
		put_names(json, VALUE_VARIABLE);
		json_object(json, "additionalProperties");
		put_texts(json, "type", (const char *const[]){"string", "number", "boolean", NULL});
		json_object_end(json);
		break;
	case SHAPE_NAMED:
		put_names(json, row->value);
		put_entry_map(json, "additionalProperties", row);
		break;
	case SHAPE_ENTRY:
		json_text(json, "$ref", STR("#/$defs/when"));
		break;
	case SHAPE_SCALAR:
	default:
		put_members(json, row->value, row->words);
		break;
	}
}

static void put_key(struct json_out *json, const char *name, enum policy_key key)
{
	json_object(json, name);
	put_key_members(json, key);
	json_object_end(json);
}

/* "network" below "wants" may be the list of its hosts. */
static bool is_short(bool wanted, const char *name, size_t depth)
{
	return wanted && depth == 0 && strcmp(name, "network") == 0;
}

static void section_start(struct json_out *json, const char *name, bool may_be_list)
{
	if (!may_be_list) {
		map_start(json, name);
		return;
	}
	json_object(json, name);
	json_array(json, "anyOf");
	put_key(json, NULL, KEY_NET_ALLOW);
	map_start(json, NULL);
}

static void section_end(struct json_out *json, bool may_be_list)
{
	map_end(json);
	if (may_be_list) {
		json_array_end(json);
		json_object_end(json);
	}
}

enum { LEVELS = 4, NAME_BYTES = 32 };

/* The maps that are open around the key that is written. */
struct sections {
	char names[LEVELS][NAME_BYTES];
	size_t depth;
	bool wanted;
};

static void close_to(struct json_out *json, struct sections *sections, size_t depth)
{
	while (sections->depth > depth) {
		sections->depth--;
		section_end(json, is_short(sections->wanted, sections->names[sections->depth], sections->depth));
	}
}

static void put_row(struct json_out *json, struct sections *sections, enum policy_key key)
{
	const char *path = policy_keys[key].path;
	size_t depth = 0;
	char name[NAME_BYTES];
	for (size_t len = strcspn(path, "."); path[len] == '.' && depth < LEVELS; len = strcspn(path, "."), depth++) {
		(void)snprintf(name, sizeof name, "%.*s", (int)len, path);
		path += len + 1;
		if (depth < sections->depth && strcmp(sections->names[depth], name) == 0)
			continue;
		close_to(json, sections, depth);
		section_start(json, name, is_short(sections->wanted, name, depth));
		memcpy(sections->names[depth], name, sizeof name);
		sections->depth = depth + 1;
	}
	close_to(json, sections, depth);
	put_key(json, path, key);
}

static void put_rows(struct json_out *json, bool wanted)
{
	struct sections sections = {.wanted = wanted};
	for (enum policy_key key = 0; key < POLICY_KEYS; key++)
		if (!wanted || policy_keys[key].wanted)
			put_row(json, &sections, key);
	close_to(json, &sections, 0);
}

/* ---- definitions ------------------------------------------------------------------------------------------------- */

static void put_when(struct json_out *json)
{
	map_start(json, "when");
	for (size_t i = ATTR_WHEN_OS; i <= ATTR_WHEN_NETWORK; i++)
		put_attr(json, strchr(policy_attrs[i].name, '.') + 1, &policy_attrs[i]);
	map_end(json);
}

static void put_approver(struct json_out *json)
{
	json_object(json, "approver");
	json_array(json, "anyOf");
	put_value(json, NULL, VALUE_WORD, policy_keys[KEY_APPROVALS_BY].words);
	json_object(json, NULL);
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	put_texts(json, "required", (const char *const[]){"webhook", "key", NULL});
	json_object(json, "properties");
	put_value(json, "webhook", VALUE_URL, NULL);
	put_attr(json, "key", &policy_attrs[ATTR_KEY]);
	json_object_end(json);
	json_object_end(json);
	json_object(json, NULL);
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
	put_texts(json, "required", (const char *const[]){"program", NULL});
	json_object(json, "properties");
	put_attr(json, "program", &policy_attrs[ATTR_ARGV]);
	json_object_end(json);
	json_object_end(json);
	json_array_end(json);
	json_object_end(json);
}

void policy_schema_print(struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "$schema", STR("https://json-schema.org/draft/2020-12/schema"));
	json_text(&json, "title", STR("berm policy"));
	json_text(&json, "type", STR("object"));
	json_bool(&json, "additionalProperties", false);
	json_object(&json, "properties");
	put_rows(&json, false);
	map_start(&json, "wants");
	put_rows(&json, true);
	map_end(&json);
	json_object_end(&json);
	json_object(&json, "$defs");
	put_when(&json);
	put_approver(&json);
	put_value(&json, "path", VALUE_PATH, NULL);
	put_value(&json, "host", VALUE_HOST, NULL);
	put_value(&json, "url", VALUE_URL, NULL);
	put_value(&json, "command", VALUE_COMMAND, NULL);
	put_value(&json, "text", VALUE_TEXT, NULL);
	json_object_end(&json);
	json_object_end(&json);
	buf_putc(out, '\n');
}
