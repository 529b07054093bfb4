#include "policy/policy_text.h"

#include <string.h>

#include "base/own.h"
#include "format/node.h"
#include "format/utf8.h"

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static bool is_plain_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_./~$+@=-:", c) != NULL);
}

/* What is a text to this loader and something else to another reader of YAML is quoted as well. */
static bool is_odd_word(struct str text)
{
	static const char *const words[] = {"~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "-"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_nocase(text, str_from(words[i])))
			return true;
	return false;
}

/* Numbers, dates, times of day. */
static bool is_number_like(struct str text)
{
	bool digit = false;
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("0123456789abcdefABCDEFoOxX.:+-_", text.ptr[i]) == NULL)
			return false;
		digit |= text.ptr[i] >= '0' && text.ptr[i] <= '9';
	}
	return digit && strchr("0123456789+-.", text.ptr[0]) != NULL;
}

static bool is_plain(struct str text)
{
	if (text.len == 0 || is_odd_word(text) || is_number_like(text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_plain_byte(text.ptr[i]) ||
		    (text.ptr[i] == ':' && (i == 0 || i + 1 == text.len || text.ptr[i + 1] == ':')))
			return false;
	return strchr("@=+:", text.ptr[0]) == NULL;
}

static uint32_t character(struct str text, size_t len)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t value = (uint8_t)text.ptr[0] & masks[len];
	for (size_t i = 1; i < len; i++)
		value = value << 6 | ((uint8_t)text.ptr[i] & 0x3f);
	return value;
}

/* As it is; others stand as escapes. */
static bool is_shown(uint32_t c)
{
	bool usual = (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800) || (c >= 0xe000 && c < 0xfeff) ||
		     (c > 0xfeff && c < 0xfffe) || c >= 0x10000;
	return usual && c != 0x2028 && c != 0x2029;
}

static void put_character(struct str text, size_t len, struct buf *out)
{
	uint32_t c = character(text, len);
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", (char)c);
	else if (c == '\n')
		buf_puts(out, "\\n");
	else if (is_shown(c))
		buf_put(out, text.ptr, len);
	else
		buf_printf(out, "\\u%04x", (unsigned)c);
}

void policy_text_scalar(const char *text, struct buf *out)
{
	struct str rest = str_from(text);
	if (is_plain(rest)) {
		buf_put_str(out, rest);
		return;
	}
	buf_putc(out, '"');
	while (rest.len > 0) {
		size_t len = utf8_length(rest);
		if (len == 0) { /* YAML cannot say it, and another name must not stand for it */
			out->failed = true;
			return;
		}
		put_character(rest, len, out);
		rest = (struct str){rest.ptr + len, rest.len - len};
	}
	buf_putc(out, '"');
}

/* Numbers and truth values stand without quotes where they are meant. */
static void put_value(enum policy_value value, const char *text, struct buf *out)
{
	bool bare = value == VALUE_BOOL || value == VALUE_PORT || value == VALUE_COUNT || value == VALUE_SIZE ||
		    value == VALUE_DURATION;
	for (const char *at = text; bare && *at != '\0'; at++)
		bare = is_plain_byte(*at) && *at != ':';
	if (bare && *text != '\0')
		buf_puts(out, text);
	else
		policy_text_scalar(text, out);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

struct writer {
	const struct policy_doc *doc;
	struct buf *out;
	bool comments;
	bool comma; /* the next pair needs one in front */
};

static bool is_commented(const struct writer *writer, const struct policy_line *line, enum policy_attr_key key)
{
	return writer->comments && key == ATTR_WHY && (policy_keys[line->key].needs >> ATTR_WHY & 1) == 0;
}

static void put_name(struct writer *writer, const char *name)
{
	buf_printf(writer->out, "%s%s: ", writer->comma ? ", " : "", name);
	writer->comma = true;
}

static size_t count_attr(const struct policy_line *line, enum policy_attr_key key)
{
	size_t count = 0;
	for (uint32_t i = 0; i < line->attr_count; i++)
		count += line->attrs[i].key == key;
	return count;
}

/* A member of all or any is kept as JSON, which is YAML. */
static void put_item(const struct policy_attr *attr, struct buf *out)
{
	if (attr->key == ATTR_OF && attr->text[0] == '{')
		buf_puts(out, attr->text);
	else
		put_value(policy_attrs[attr->key].value, attr->text, out);
}

/* One, or a list. */
static void put_items(const struct policy_line *line, enum policy_attr_key key, struct buf *out)
{
	bool list = count_attr(line, key) > 1 || key == ATTR_ARGV || key == ATTR_OF;
	const char *between = list ? "[" : "";
	for (uint32_t i = 0; i < line->attr_count; i++) {
		if (line->attrs[i].key != key)
			continue;
		buf_puts(out, between);
		put_item(&line->attrs[i], out);
		between = ", ";
	}
	buf_puts(out, list ? "]" : "");
}

static bool is_condition(enum policy_attr_key key)
{
	return key >= ATTR_WHEN_OS && key <= ATTR_WHEN_NETWORK;
}

/* {os: linux, arch: [x86_64, arm64]} */
static void put_when(const struct policy_line *line, struct buf *out)
{
	struct writer inner = {.out = out};
	buf_putc(out, '{');
	for (enum policy_attr_key key = ATTR_WHEN_OS; key <= ATTR_WHEN_NETWORK; key++) {
		if (count_attr(line, key) == 0)
			continue;
		put_name(&inner, strchr(policy_attrs[key].name, '.') + 1);
		put_items(line, key, out);
	}
	buf_putc(out, '}');
}

static bool is_first(const struct policy_line *line, uint32_t index)
{
	enum policy_attr_key key = line->attrs[index].key;
	for (uint32_t i = 0; i < index; i++)
		if (line->attrs[i].key == key || (is_condition(line->attrs[i].key) && is_condition(key)))
			return false;
	return true;
}

/* The attributes, but for those of who approves, which stand elsewhere. */
static void put_attrs(struct writer *writer, const struct policy_line *line)
{
	for (uint32_t i = 0; i < line->attr_count; i++) {
		enum policy_attr_key key = line->attrs[i].key;
		if (key == ATTR_ARGV || key == ATTR_OF || !is_first(line, i) || is_commented(writer, line, key))
			continue;
		put_name(writer, is_condition(key) ? "when" : policy_attrs[key].name);
		if (is_condition(key))
			put_when(line, writer->out);
		else
			put_items(line, key, writer->out);
	}
}

/* "read PATH" as read: PATH; what approvers are asked by likewise. */
static void put_pair_of_text(struct writer *writer, const char *text)
{
	size_t len = strcspn(text, " ");
	buf_printf(writer->out, "%.*s: ", (int)len, text);
	writer->comma = true;
	policy_text_scalar(text[len] == ' ' ? text + len + 1 : "", writer->out);
}

static void put_main(struct writer *writer, const struct policy_line *line)
{
	const struct policy_key_row *row = &policy_keys[line->key];
	enum policy_attr_key list = count_attr(line, ATTR_OF) > 0 ? ATTR_OF : ATTR_ARGV;
	if (row->main != NULL) {
		put_name(writer, row->main);
		put_value(row->value, line->text, writer->out);
	} else if (line->key == KEY_APPROVALS_BY && count_attr(line, list) > 0) {
		put_name(writer, line->text);
		put_items(line, list, writer->out);
	} else if (line->key == KEY_APPROVALS_BY || line->key == KEY_TEST) {
		put_pair_of_text(writer, line->text);
	}
}

static bool has_attrs(const struct writer *writer, const struct policy_line *line)
{
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (!is_commented(writer, line, line->attrs[i].key))
			return true;
	return line->key == KEY_TEST || line->key == KEY_SECRET;
}

static void put_entry(struct writer *writer, const struct policy_line *line)
{
	writer->comma = false;
	if (!has_attrs(writer, line)) {
		put_value(policy_keys[line->key].value, line->text, writer->out);
		return;
	}
	buf_putc(writer->out, '{');
	put_main(writer, line);
	put_attrs(writer, line);
	buf_putc(writer->out, '}');
}

/* Behind an entry, in one line whatever it says. */
static void put_comment(const struct writer *writer, const struct policy_line *line)
{
	const char *why = is_commented(writer, line, ATTR_WHY) ? policy_attr_find(line, ATTR_WHY) : NULL;
	struct str rest = str_from(why);
	if (why != NULL)
		buf_puts(writer->out, "  # ");
	while (rest.len > 0) {
		size_t len = utf8_length(rest);
		if (len > 0 && is_shown(character(rest, len)))
			buf_put(writer->out, rest.ptr, len);
		else
			buf_putc(writer->out, ' ');
		len = len > 0 ? len : 1;
		rest = (struct str){rest.ptr + len, rest.len - len};
	}
	buf_putc(writer->out, '\n');
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void indent(struct buf *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buf_puts(out, "  ");
}

/* NAME=VALUE of which a later line says something else. */
static bool is_said_again(const struct policy_doc *doc, uint32_t index)
{
	const struct policy_line *line = &doc->lines[index];
	const struct policy_key_row *row = &policy_keys[line->key];
	size_t len = strcspn(line->text, "=");
	for (uint32_t i = index + 1; i < doc->line_count && row->shape != SHAPE_LIST; i++) {
		const struct policy_line *later = &doc->lines[i];
		if (later->key != line->key || later->wanted != line->wanted)
			continue;
		if (row->shape == SHAPE_SCALAR || row->shape == SHAPE_ENTRY ||
		    (row->shape == SHAPE_MAP && strncmp(later->text, line->text, len + 1) == 0) ||
		    (row->shape == SHAPE_NAMED && strcmp(later->text, line->text) == 0))
			return true;
	}
	return false;
}

static void put_named(struct writer *writer, const struct policy_line *line, size_t depth)
{
	bool map = policy_keys[line->key].shape == SHAPE_MAP;
	size_t len = map ? strcspn(line->text, "=") : strlen(line->text);
	indent(writer->out, depth);
	buf_printf(writer->out, "%.*s: ", (int)len, line->text);
	if (map)
		policy_text_scalar(line->text[len] == '=' ? line->text + len + 1 : "", writer->out);
	else
		put_entry(writer, line);
}

static void put_line(struct writer *writer, const struct policy_line *line, size_t depth)
{
	switch (policy_keys[line->key].shape) {
	case SHAPE_LIST:
		indent(writer->out, depth);
		buf_puts(writer->out, "- ");
		put_entry(writer, line);
		break;
	case SHAPE_MAP:
	case SHAPE_NAMED:
		put_named(writer, line, depth);
		break;
	case SHAPE_ENTRY:
	case SHAPE_SCALAR:
	default:
		break;
	}
	put_comment(writer, line);
}

static bool is_said(const struct policy_doc *doc, enum policy_key key, bool wanted, uint32_t *ret_first)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == key && doc->lines[i].wanted == wanted) {
			*ret_first = i;
			return true;
		}
	return false;
}

/* What stands behind the key itself. */
static void put_lines(struct writer *writer, enum policy_key key, bool wanted, uint32_t first, size_t depth)
{
	const struct policy_doc *doc = writer->doc;
	const struct policy_key_row *row = &policy_keys[key];
	bool one = row->shape == SHAPE_SCALAR || row->shape == SHAPE_ENTRY;
	bool empty = row->shape == SHAPE_LIST && doc->lines[first].text[0] == '\0';
	buf_puts(writer->out, empty ? " []\n" : one ? " " : "\n");
	for (uint32_t i = first; i < doc->line_count && !empty; i++) {
		const struct policy_line *line = &doc->lines[i];
		if (line->key != key || line->wanted != wanted || is_said_again(doc, i))
			continue;
		if (!one) {
			put_line(writer, line, depth + 1);
			continue;
		}
		if (row->shape == SHAPE_ENTRY)
			put_when(line, writer->out);
		else
			put_value(row->value, line->text, writer->out);
		buf_putc(writer->out, '\n');
	}
}

/* The names of maps around the key, as far as they are not open already; ends with the key. Returns its depth. */
static size_t put_path(struct buf *out, const char *path, const char *before, size_t base)
{
	size_t depth = base;
	bool open = true;
	for (;; depth++) {
		size_t len = strcspn(path, ".");
		open = open && strncmp(path, before, len + 1) == 0 && path[len] == '.';
		if (!open) {
			indent(out, depth);
			buf_printf(out, "%.*s:%s", (int)len, path, path[len] == '.' ? "\n" : "");
		}
		if (path[len] == '\0')
			return depth;
		path += len + 1;
		before += open ? len + 1 : 0;
	}
}

static void put_keys(struct writer *writer, bool wanted)
{
	size_t base = wanted ? 1 : 0;
	const char *before = "";
	uint32_t first;
	for (enum policy_key key = KEY_PROGRAMS; key < POLICY_KEYS; key++) {
		if (!is_said(writer->doc, key, wanted, &first))
			continue;
		if (wanted && before[0] == '\0')
			buf_puts(writer->out, "wants:\n");
		size_t depth = put_path(writer->out, policy_keys[key].path, before, base);
		put_lines(writer, key, wanted, first, depth);
		before = policy_keys[key].path;
	}
}

void policy_text_put(const struct policy_doc *doc, bool comments, struct buf *out)
{
	struct writer writer = {.doc = doc, .out = out, .comments = comments};
	buf_puts(out, "berm: 1\n");
	if (doc->name != NULL) {
		buf_puts(out, "name: ");
		policy_text_scalar(doc->name, out);
		buf_putc(out, '\n');
	}
	if (doc->about != NULL) {
		buf_puts(out, "about: ");
		policy_text_scalar(doc->about, out);
		buf_putc(out, '\n');
	}
	if (doc->required)
		buf_puts(out, "required: true\n");
	put_keys(&writer, false);
	put_keys(&writer, true);
}
