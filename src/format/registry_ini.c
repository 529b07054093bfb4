/* Files of lines: npmrc, yarnrc, pip.conf, go's env, apt's sources. */
#include <string.h>

#include "base/own.h"
#include "format/registry_files.h"

enum { EXPANDED_MAX = 1024 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str text)
{
	while (text.len > 0 && is_space(text.ptr[0]))
		text = (struct str){text.ptr + 1, text.len - 1};
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static struct str unquote(struct str text)
{
	bool quoted =
		text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\'') && text.ptr[text.len - 1] == text.ptr[0];
	return quoted ? (struct str){text.ptr + 1, text.len - 2} : text;
}

/* "key SEPARATOR value"; without a separator the key is the whole line. */
static void split(struct str line, const char *separators, struct str *ret_key, struct str *ret_value)
{
	size_t at = 0;
	while (at < line.len && (line.ptr[at] == '\0' || strchr(separators, line.ptr[at]) == NULL))
		at++;
	*ret_key = trim((struct str){line.ptr, at});
	size_t from = at < line.len ? at + 1 : at;
	*ret_value = trim((struct str){line.ptr + from, line.len - from});
}

static bool is_comment(struct str line)
{
	return line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';';
}

/* The next word of *rest. */
static bool next_word(struct str *rest, struct str *ret_word)
{
	*rest = trim(*rest);
	size_t len = 0;
	while (len < rest->len && !is_space(rest->ptr[len]) && rest->ptr[len] != '\n')
		len++;
	*ret_word = (struct str){rest->ptr, len};
	*rest = (struct str){rest->ptr + len, rest->len - len};
	return len > 0;
}

bool registry_read_url(struct str value, enum registry_role role, const struct registry_sink *sink)
{
	value = trim(value);
	return value.len == 0 || sink->add(sink->context, role, value);
}

/* uv's form "name=address" counts as its address. */
static struct str without_name(struct str word)
{
	for (size_t i = 0; i < word.len && (word.ptr[i] != ':' && word.ptr[i] != '/'); i++)
		if (word.ptr[i] == '=')
			return (struct str){word.ptr + i + 1, word.len - i - 1};
	return word;
}

bool registry_read_words(struct str value, enum registry_role role, const struct registry_sink *sink)
{
	struct str line, word;
	while (str_next(&value, '\n', &line))
		while (next_word(&line, &word))
			if (!registry_read_url(without_name(word), role, sink))
				return false;
	return true;
}

/* ---- npm, yarn --------------------------------------------------------------------------------------------------- */

struct expanded {
	char text[EXPANDED_MAX];
	size_t len;
};

static bool expanded_put(struct expanded *to, struct str piece)
{
	if (piece.len > sizeof to->text - to->len)
		return false;
	memcpy(to->text + to->len, piece.ptr, piece.len);
	to->len += piece.len;
	return true;
}

/* ${NAME} and ${NAME?} become what the variable says. */
static bool expand(struct str value, const struct registry_sink *sink, struct expanded *to)
{
	while (value.len > 0) {
		const char *end = str_starts(value, STR("${")) ? memchr(value.ptr, '}', value.len) : NULL;
		struct str piece = {value.ptr, 1};
		size_t taken = 1;
		if (end != NULL) {
			struct str name = {value.ptr + 2, (size_t)(end - value.ptr) - 2};
			taken = name.len + 3;
			if (name.len > 0 && name.ptr[name.len - 1] == '?')
				name.len--;
			piece = sink->variable(sink->context, name);
		}
		if (!expanded_put(to, piece))
			return false;
		value = (struct str){value.ptr + taken, value.len - taken};
	}
	return true;
}

static bool npm_line(struct str key, struct str value, const struct registry_sink *sink)
{
	struct expanded expanded = {.len = 0};
	bool scope = key.len > 0 && key.ptr[0] == '@' && str_ends(key, STR(":registry"));
	if (!scope && !str_eq(key, STR("registry")))
		return true;
	if (!expand(unquote(value), sink, &expanded))
		return false;
	return registry_read_url((struct str){expanded.text, expanded.len}, scope ? REGISTRY_EXTRA : REGISTRY_MAIN,
				 sink);
}

bool registry_read_npmrc(struct str text, const struct registry_sink *sink)
{
	struct str line, key, value;
	while (str_next(&text, '\n', &line)) {
		line = trim(line);
		if (is_comment(line) || line.ptr[0] == '[')
			continue;
		split(line, "=", &key, &value);
		if (!npm_line(unquote(key), value, sink))
			return false;
	}
	return true;
}

/* `registry "https://..."` of yarn 1, `npmRegistryServer: "https://..."` of yarn 2 and later, its scopes too. */
bool registry_read_yarnrc(struct str text, const struct registry_sink *sink)
{
	struct str line, key, value;
	while (str_next(&text, '\n', &line)) {
		bool top = line.len > 0 && !is_space(line.ptr[0]);
		line = trim(line);
		if (is_comment(line))
			continue;
		split(line, ": \t", &key, &value);
		key = unquote(key);
		if (str_eq(key, STR("npmRegistryServer")) || (top && str_eq(key, STR("registry"))))
			if (!registry_read_url(unquote(value), top ? REGISTRY_MAIN : REGISTRY_EXTRA, sink))
				return false;
	}
	return true;
}

/* ---- pip --------------------------------------------------------------------------------------------------------- */

static bool pip_key(struct str key, const char *name)
{
	struct str wanted = str_from(name);
	if (key.len != wanted.len)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] != wanted.ptr[i] && !(key.ptr[i] == '_' && wanted.ptr[i] == '-'))
			return false;
	return true;
}

/* What a key of pip.conf is about; REGISTRY_ROLES: nothing of ours. */
static enum registry_role pip_role(struct str key)
{
	if (pip_key(key, "index-url"))
		return REGISTRY_MAIN;
	return pip_key(key, "extra-index-url") || pip_key(key, "find-links") ? REGISTRY_EXTRA : REGISTRY_ROLES;
}

static bool pip_section(struct str line)
{
	static const char *const sections[] = {"[global]", "[install]", "[download]", "[wheel]"};
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (str_eq(line, str_from(sections[i])))
			return true;
	return false;
}

bool registry_read_pip_conf(struct str text, const struct registry_sink *sink)
{
	enum registry_role role = REGISTRY_ROLES;
	bool ours = false;
	struct str line, key, value;
	while (str_next(&text, '\n', &line)) {
		bool goes_on = line.len > 0 && is_space(line.ptr[0]);
		line = trim(line);
		if (is_comment(line))
			continue;
		if (line.ptr[0] == '[' && !goes_on) {
			ours = pip_section(line);
			role = REGISTRY_ROLES;
			continue;
		}
		value = line;
		if (!goes_on) {
			split(line, "=:", &key, &value);
			role = ours ? pip_role(key) : REGISTRY_ROLES;
		}
		if (role != REGISTRY_ROLES && !registry_read_words(value, role, sink))
			return false;
	}
	return true;
}

/* ---- go ---------------------------------------------------------------------------------------------------------- */

bool registry_read_goproxy(struct str value, const struct registry_sink *sink)
{
	size_t at = 0;
	value = trim(value);
	if (value.len > 0 && !sink->add(sink->context, REGISTRY_MAIN, STR("")))
		return false;
	for (size_t i = 0; i <= value.len; i++) {
		if (i < value.len && value.ptr[i] != ',' && value.ptr[i] != '|')
			continue;
		struct str one = trim((struct str){value.ptr + at, i - at});
		at = i + 1;
		bool word = str_eq(one, STR("direct")) || str_eq(one, STR("off"));
		if (!word && !registry_read_url(one, REGISTRY_MAIN, sink))
			return false;
	}
	return true;
}

/* "off", "NAME", "NAME+KEY" or "NAME+KEY URL". */
bool registry_read_gosumdb(struct str value, const struct registry_sink *sink)
{
	static const char scheme[] = "https://";
	char url[EXPANDED_MAX];
	struct str name, address;
	value = trim(value);
	if (value.len == 0)
		return true;
	if (!sink->add(sink->context, REGISTRY_SUMS, STR("")) || !next_word(&value, &name))
		return false;
	if (str_eq(name, STR("off")))
		return true;
	if (next_word(&value, &address))
		return registry_read_url(address, REGISTRY_SUMS, sink);
	const char *plus = memchr(name.ptr, '+', name.len);
	name.len = plus != NULL ? (size_t)(plus - name.ptr) : name.len;
	if (name.len + sizeof scheme > sizeof url)
		return false;
	memcpy(url, scheme, sizeof scheme - 1);
	memcpy(url + sizeof scheme - 1, name.ptr, name.len);
	return registry_read_url((struct str){url, sizeof scheme - 1 + name.len}, REGISTRY_SUMS, sink);
}

struct str registry_go_env_value(struct str text, struct str name)
{
	struct str line, key, value, found = {"", 0};
	while (str_next(&text, '\n', &line)) {
		line = trim(line);
		if (is_comment(line))
			continue;
		split(line, "=", &key, &value);
		if (str_eq(key, name))
			found = unquote(value);
	}
	return found;
}

bool registry_read_go_env(struct str text, const struct registry_sink *sink)
{
	struct str line, key, value;
	while (str_next(&text, '\n', &line)) {
		line = trim(line);
		if (is_comment(line))
			continue;
		split(line, "=", &key, &value);
		if (str_eq(key, STR("GOPROXY")) && !registry_read_goproxy(unquote(value), sink))
			return false;
		if (str_eq(key, STR("GOSUMDB")) && !registry_read_gosumdb(unquote(value), sink))
			return false;
	}
	return true;
}

/* ---- apt --------------------------------------------------------------------------------------------------------- */

/* "deb [ options ] URI suite components". */
bool registry_read_apt_list(struct str text, const struct registry_sink *sink)
{
	struct str line, word;
	while (str_next(&text, '\n', &line)) {
		if (!next_word(&line, &word) || (!str_eq(word, STR("deb")) && !str_eq(word, STR("deb-src"))))
			continue;
		line = trim(line);
		const char *end = line.len > 0 && line.ptr[0] == '[' ? memchr(line.ptr, ']', line.len) : line.ptr;
		if (end == NULL)
			return false;
		size_t skipped = (size_t)(end - line.ptr) + (end != line.ptr);
		line = (struct str){line.ptr + skipped, line.len - skipped};
		if (next_word(&line, &word) && !registry_read_url(word, REGISTRY_MAIN, sink))
			return false;
	}
	return true;
}

/* The value of a field in a paragraph, its continuation lines with it; "" if it is not there. */
static struct str field_of(struct str paragraph, struct str name)
{
	struct str rest = paragraph, line, key, value;
	while (str_next(&rest, '\n', &line)) {
		if (line.len == 0 || is_space(line.ptr[0]) || line.ptr[0] == '#')
			continue;
		split(line, ":", &key, &value);
		if (!str_eq_nocase(key, name))
			continue;
		const char *end = line.ptr + line.len, *stop = paragraph.ptr + paragraph.len;
		while (end + 1 < stop && *end == '\n' && is_space(end[1])) {
			const char *next = memchr(end + 1, '\n', (size_t)(stop - end) - 1);
			end = next != NULL ? next : stop;
		}
		return (struct str){value.ptr, (size_t)(end - value.ptr)};
	}
	return (struct str){"", 0};
}

static bool apt_paragraph(struct str paragraph, const struct registry_sink *sink)
{
	if (str_eq_nocase(trim(field_of(paragraph, STR("Enabled"))), STR("no")))
		return true;
	struct str uris = field_of(paragraph, STR("URIs")), line;
	while (str_next(&uris, '\n', &line))
		if (!is_comment(trim(line)) && !registry_read_words(line, REGISTRY_MAIN, sink))
			return false;
	return true;
}

bool registry_read_apt_sources(struct str text, const struct registry_sink *sink)
{
	struct str rest = text, line;
	const char *start = text.ptr;
	while (str_next(&rest, '\n', &line)) {
		if (trim(line).len > 0)
			continue;
		if (!apt_paragraph((struct str){start, (size_t)(line.ptr - start)}, sink))
			return false;
		start = line.ptr + line.len;
	}
	return text.len == 0 || apt_paragraph((struct str){start, (size_t)(text.ptr + text.len - start)}, sink);
}
