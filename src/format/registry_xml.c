/* Maven's settings.xml: as much of XML as such files have. A document type, and so every entity of one's own, is refused. */
#include <string.h>

#include "format/registry_files.h"

enum { DEPTH_MAX = 32 };

struct xml {
	const char *at, *end;
	struct str open[DEPTH_MAX];
	size_t depth;
	struct str url, mirror_of; /* of the mirror that is being read */
	bool blocked;
	const struct registry_sink *sink;
};

static const char *find(const struct xml *x, struct str text)
{
	for (const char *at = x->at; (size_t)(x->end - at) >= text.len; at++)
		if (memcmp(at, text.ptr, text.len) == 0)
			return at;
	return NULL;
}

static bool skip_past(struct xml *x, struct str text)
{
	const char *found = find(x, text);
	if (found != NULL)
		x->at = found + text.len;
	return found != NULL;
}

static bool starts(const struct xml *x, struct str text)
{
	return str_starts((struct str){x->at, (size_t)(x->end - x->at)}, text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = (struct str){text.ptr + 1, text.len - 1};
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static struct str take_name(struct xml *x)
{
	const char *start = x->at;
	while (x->at < x->end && !is_blank(*x->at) && *x->at != '>' && *x->at != '/' && *x->at != '<')
		x->at++;
	return (struct str){start, (size_t)(x->at - start)};
}

static bool is_below(const struct xml *x, const char *parent, const char *name)
{
	return x->depth >= 2 && str_eq(x->open[x->depth - 1], str_from(name)) &&
	       str_eq(x->open[x->depth - 2], str_from(parent));
}

/* Does a mirror of these stand in for the central repository? "*", "external:*", "central" in a list that does not take it
 * out again. */
static bool stands_for_central(struct str list)
{
	struct str one;
	bool does = false;
	while (str_next(&list, ',', &one)) {
		one = trim(one);
		if (str_eq(one, STR("!central")))
			return false;
		does |= str_eq(one, STR("*")) || str_eq(one, STR("external:*")) || str_eq(one, STR("central"));
	}
	return does;
}

static bool end_mirror(struct xml *x)
{
	struct str url = x->url;
	enum registry_role role = stands_for_central(x->mirror_of) ? REGISTRY_MAIN : REGISTRY_EXTRA;
	bool blocked = x->blocked;
	x->url = x->mirror_of = (struct str){"", 0};
	x->blocked = false;
	return blocked || registry_read_url(url, role, x->sink);
}

/* The text of the innermost element. */
static bool take_content(struct xml *x, struct str text)
{
	if (is_below(x, "mirror", "url"))
		x->url = text;
	else if (is_below(x, "mirror", "mirrorOf"))
		x->mirror_of = text;
	else if (is_below(x, "mirror", "blocked"))
		x->blocked = str_eq(text, STR("true"));
	else if (is_below(x, "repository", "url") || is_below(x, "pluginRepository", "url"))
		return registry_read_url(text, REGISTRY_EXTRA, x->sink);
	return true;
}

static bool close_element(struct xml *x)
{
	struct str name = take_name(x);
	if (x->depth == 0 || !str_eq(name, x->open[x->depth - 1]))
		return false;
	x->depth--;
	return skip_past(x, STR(">")) && (!str_eq(name, STR("mirror")) || end_mirror(x));
}

/* Attributes, whose values may hold anything but their quote. */
static bool skip_attributes(struct xml *x, bool *ret_empty)
{
	char quote = '\0';
	for (; x->at < x->end; x->at++) {
		if (quote == '\0' && *x->at == '>') {
			*ret_empty = x->at[-1] == '/';
			x->at++;
			return true;
		}
		if (quote == *x->at)
			quote = '\0';
		else if (quote == '\0' && (*x->at == '"' || *x->at == '\''))
			quote = *x->at;
	}
	return false;
}

static bool open_element(struct xml *x)
{
	bool empty = false;
	struct str name = take_name(x);
	if (name.len == 0 || x->depth == DEPTH_MAX || !skip_attributes(x, &empty))
		return false;
	if (empty)
		return true;
	x->open[x->depth++] = name;
	const char *start = x->at, *end = find(x, STR("<"));
	x->at = end != NULL ? end : x->end;
	return take_content(x, trim((struct str){start, (size_t)(x->at - start)}));
}

static bool take_markup(struct xml *x)
{
	if (starts(x, STR("!--")))
		return skip_past(x, STR("-->"));
	if (starts(x, STR("?")))
		return skip_past(x, STR("?>"));
	if (starts(x, STR("!")))
		return false;
	if (!starts(x, STR("/")))
		return open_element(x);
	x->at++;
	return close_element(x);
}

bool registry_read_maven_settings(struct str text, const struct registry_sink *sink)
{
	struct xml xml = {
		.at = text.ptr, .end = text.ptr + text.len, .url = {"", 0}, .mirror_of = {"", 0}, .sink = sink};
	if (text.len == 0)
		return true;
	while (skip_past(&xml, STR("<")))
		if (!take_markup(&xml))
			return false;
	return xml.depth == 0;
}
