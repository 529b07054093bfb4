#include "cli/policy_list.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/own.h"
#include "ui/table.h"

enum { MAX_MEMORY = 64 * 1024 * 1024, PLACE_MAX = 512 };

/* ---- one line ---------------------------------------------------------------------------------------------------- */

/* "except a, b": an attribute with all its values. */
static void put_attr(const struct policy_line *line, enum policy_attr_key key, struct buf *out)
{
	bool first = true;
	for (uint32_t i = 0; i < line->attr_count; i++) {
		if (line->attrs[i].key != key)
			continue;
		buf_printf(out, "%s%s", first ? policy_attrs[key].name : ",", " ");
		buf_puts(out, line->attrs[i].text);
		first = false;
	}
}

/* Conditions that were met say nothing any more. */
static bool is_told(const struct policy_line *line, enum policy_attr_key key, bool merged)
{
	bool condition = key == ATTR_WHEN_OS || key == ATTR_WHEN_DISTRO || key == ATTR_WHEN_ARCH;
	return key != ATTR_WHY && !(merged && condition) && policy_attr_find(line, key) != NULL;
}

static void put_value(const struct policy_line *line, const char *text, bool merged, struct buf *out)
{
	const char *before = " (";
	buf_puts(out, text[0] != '\0' ? text : "[]");
	for (int key = 0; key < POLICY_ATTRS; key++) {
		if (!is_told(line, (enum policy_attr_key)key, merged))
			continue;
		buf_puts(out, before);
		put_attr(line, (enum policy_attr_key)key, out);
		before = "; ";
	}
	if (before[0] == ';')
		buf_putc(out, ')');
}

void policy_list_value(const struct policy_entry *entry, struct buf *out)
{
	put_value(entry->line, entry->text, true, out);
	if (entry->path != NULL && entry->text[0] == '$')
		buf_printf(out, " = %s", entry->path);
}

static void put_place(const struct policy_entry *entry, struct buf *out)
{
	char place[PLACE_MAX];
	policy_entry_place(entry, place, sizeof(place));
	buf_puts(out, place);
}

/* ---- a table ----------------------------------------------------------------------------------------------------- */

struct listing {
	struct arena arena; /* texts of cells */
	struct table table;
	const char *last_key;
};

static void listing_done(struct listing *listing)
{
	table_done(&listing->table);
	arena_done(&listing->arena);
}
#define auto_listing __attribute__((cleanup(listing_done)))

static void listing_init(struct listing *listing, const char *const *titles, size_t columns)
{
	*listing = (struct listing){0};
	arena_init(&listing->arena, MAX_MEMORY);
	table_init(&listing->table, titles, columns);
}

static enum berm_code keep(struct listing *listing, const struct buf *text, struct str *ret_text, struct berm_err *err)
{
	TRY(buf_check(text, err));
	const char *copy = arena_text(&listing->arena, buf_str(text));
	if (copy == NULL)
		return err_set(err, BERM_ERR_NOMEM, "list a policy");
	*ret_text = (struct str){copy, text->len};
	return BERM_OK;
}

/* The key stands before the first of its lines. */
static struct table_cell key_cell(struct listing *listing, const char *key)
{
	bool again = listing->last_key != NULL && strcmp(listing->last_key, key) == 0;
	listing->last_key = key;
	return (struct table_cell){str_from(again ? "" : key), COLOUR_STRONG};
}

/* Who takes it away: another line, or the one that counts of a setting. NULL: it holds. */
static const struct policy_entry *taken_by(const struct policy *policy, const struct policy_entry *entry)
{
	const struct policy_entry *setting = policy->setting[entry->line->key];
	if (entry->off != NULL)
		return entry->off;
	return setting != NULL && setting != entry ? setting : NULL;
}

static void put_off(const struct policy_entry *entry, const struct policy_entry *by, struct buf *out)
{
	if (by == entry) {
		buf_puts(out, " [a maximum, grants nothing]");
		return;
	}
	buf_puts(out, " [off: ");
	put_place(by, out);
	buf_putc(out, ']');
}

static enum berm_code put_row(struct listing *listing, const struct policy *policy, const struct policy_entry *entry,
			      struct berm_err *err)
{
	struct str value = {0}, from = {0};
	const struct policy_entry *by = taken_by(policy, entry);
	auto_buf struct buf buf;
	buf_init(&buf, SAY_MAX);
	policy_list_value(entry, &buf);
	if (by != NULL)
		put_off(entry, by, &buf);
	TRY(keep(listing, &buf, &value, err));
	buf_clear(&buf);
	buf_printf(&buf, "%s ", policy_layer_words[entry->layer]);
	put_place(entry, &buf);
	TRY(keep(listing, &buf, &from, err));
	const struct table_cell cells[] = {key_cell(listing, policy_keys[entry->line->key].path),
					   {value, by != NULL ? COLOUR_FAINT : COLOUR_PLAIN},
					   {from, COLOUR_FAINT}};
	return table_row(&listing->table, cells, err);
}

/* A setting counts once: the strongest. */
static bool is_shown(const struct policy *policy, const struct policy_entry *entry, bool origin)
{
	enum policy_key key = entry->line->key;
	if (key == KEY_BERM || key == KEY_WHEN || entry->line->wanted)
		return false;
	return origin || taken_by(policy, entry) == NULL;
}

enum berm_code policy_list_text(const struct policy *policy, bool origin, const struct say_screen *screen,
				struct buf *out, struct berm_err *err)
{
	static const char *const titles[] = {"policy", "value", "from"};
	auto_listing struct listing listing;
	listing_init(&listing, titles, origin ? 3 : 2);
	for (int key = 0; key < POLICY_KEYS; key++) {
		for (size_t i = 0; i < policy->count; i++) {
			const struct policy_entry *entry = &policy->entries[i];
			if (entry->line->key == (enum policy_key)key && is_shown(policy, entry, origin))
				TRY(put_row(&listing, policy, entry, err));
		}
	}
	table_print(&listing.table, screen->table_width, screen->colour, out);
	return BERM_OK;
}

enum berm_code policy_list_document(const struct policy_doc *doc, const struct say_screen *screen, struct buf *out,
				    struct berm_err *err)
{
	static const char *const titles[] = {"policy", "value", "why"};
	auto_listing struct listing listing;
	listing_init(&listing, titles, 3);
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const struct policy_line *line = &doc->lines[i];
		struct str value = {0};
		if (line->key == KEY_BERM)
			continue;
		auto_buf struct buf buf;
		buf_init(&buf, SAY_MAX);
		put_value(line, line->text, false, &buf);
		TRY(keep(&listing, &buf, &value, err));
		const struct table_cell cells[] = {key_cell(&listing, policy_keys[line->key].path),
						   {value, COLOUR_PLAIN},
						   {str_from(policy_attr_find(line, ATTR_WHY)), COLOUR_FAINT}};
		TRY(table_row(&listing.table, cells, err));
	}
	table_print(&listing.table, screen->table_width, screen->colour, out);
	return BERM_OK;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* {"except": ["a", "b"], "why": "..."}: as in a file. */
static void put_attrs_json(const struct policy_line *line, struct json_out *json)
{
	for (int key = 0; key < POLICY_ATTRS; key++) {
		bool list = policy_attrs[key].list, first = true;
		for (uint32_t i = 0; i < line->attr_count; i++) {
			if (line->attrs[i].key != (enum policy_attr_key)key)
				continue;
			if (list && first)
				json_array(json, policy_attrs[key].name);
			first = false;
			json_text(json, list ? NULL : policy_attrs[key].name, str_from(line->attrs[i].text));
		}
		if (list && !first)
			json_array_end(json);
	}
}

static void put_at_json(const struct policy_entry *entry, const char *key, struct json_out *json)
{
	char place[PLACE_MAX];
	policy_entry_place(entry, place, sizeof(place));
	json_text(json, key, str_from(place));
}

static void put_entry_json(const struct policy *policy, const struct policy_entry *entry, struct json_out *json)
{
	const struct policy_entry *by = taken_by(policy, entry);
	json_object(json, NULL);
	json_text(json, "line", str_from(policy_keys[entry->line->key].path));
	json_text(json, "value", str_from(entry->text));
	put_attrs_json(entry->line, json);
	if (entry->path != NULL)
		json_text(json, "path", str_from(entry->path));
	json_text(json, "layer", str_from(policy_layer_words[entry->layer]));
	if (entry->via != NULL && entry->via[0] != '\0')
		json_text(json, "via", str_from(entry->via));
	put_at_json(entry, "at", json);
	json_bool(json, "holds", by == NULL);
	if (by != NULL)
		put_at_json(by, "off", json);
	json_object_end(json);
}

void policy_list_json(const struct policy *policy, struct json_out *json)
{
	json_array(json, "policy");
	for (size_t i = 0; i < policy->count; i++) {
		if (is_shown(policy, &policy->entries[i], true))
			put_entry_json(policy, &policy->entries[i], json);
	}
	json_array_end(json);
}

void policy_list_document_json(const struct policy_doc *doc, struct json_out *json)
{
	json_array(json, "lines");
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const struct policy_line *line = &doc->lines[i];
		json_object(json, NULL);
		json_text(json, "line", str_from(policy_keys[line->key].path));
		json_text(json, "value", str_from(line->text));
		put_attrs_json(line, json);
		json_u64(json, "at", line->line);
		json_object_end(json);
	}
	json_array_end(json);
}
