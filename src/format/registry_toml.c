/* Files in TOML: cargo's config.toml and uv's uv.toml. */
#include "base/own.h"
#include "format/registry_files.h"
#include "format/toml_scan.h"

enum { HOPS_MAX = 8 }; /* of replace-with */

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- cargo ------------------------------------------------------------------------------------------------------- */

struct cargo_search {
	struct str source; /* a name below [source] */
	const char *key;
	struct str found; /* ptr NULL: not there */
};

static bool cargo_match(void *context, const struct toml_value *value)
{
	struct cargo_search *search = context;
	if (value->text && !value->escaped && toml_is(value, KEYS("source", "*", search->key)) &&
	    str_eq(value->keys[1], search->source))
		search->found = value->value;
	return true;
}

static struct str cargo_find(struct str text, struct str source, const char *key)
{
	struct cargo_search search = {.source = source, .key = key};
	return toml_scan(text, cargo_match, &search) ? search.found : (struct str){NULL, 0};
}

static bool cargo_index(void *context, const struct toml_value *value)
{
	const struct registry_sink *sink = context;
	bool index = value->text && !value->escaped && toml_is(value, KEYS("registries", "*", "index"));
	return !index || registry_read_url(value->value, REGISTRY_EXTRA, sink);
}

/* The source that stands in for crates.io, in the end. */
static bool cargo_replaced(struct str text, struct str source, const struct registry_sink *sink)
{
	static const char *const places[] = {"registry", "git"};
	for (size_t i = 0; i < HOPS_MAX; i++) {
		struct str next = cargo_find(text, source, "replace-with");
		if (next.ptr == NULL)
			break;
		source = next;
	}
	if (!sink->add(sink->context, REGISTRY_MAIN, STR("")))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct str url = cargo_find(text, source, places[i]);
		if (url.ptr != NULL && !registry_read_url(url, REGISTRY_MAIN, sink))
			return false;
	}
	return true;
}

bool registry_read_cargo_config(struct str text, const struct registry_sink *sink)
{
	struct registry_sink copy = *sink;
	if (!toml_scan(text, cargo_index, &copy))
		return false;
	struct str other = cargo_find(text, STR("crates-io"), "replace-with");
	return other.ptr == NULL || cargo_replaced(text, other, sink);
}

/* ---- uv ---------------------------------------------------------------------------------------------------------- */

struct uv_search {
	const struct registry_sink *sink;
	size_t table;	/* of the [[index]] that is being read */
	struct str url; /* its url, not told yet; ptr NULL: none */
	bool is_default;
};

static bool uv_flush(struct uv_search *search)
{
	struct str url = search->url;
	enum registry_role role = search->is_default ? REGISTRY_MAIN : REGISTRY_EXTRA;
	search->url = (struct str){NULL, 0};
	search->is_default = false;
	return url.ptr == NULL || registry_read_url(url, role, search->sink);
}

static bool uv_index(struct uv_search *search, const struct toml_value *value)
{
	if (value->table != search->table && !uv_flush(search))
		return false;
	search->table = value->table;
	if (toml_is(value, KEYS("index", "url")) && value->text && !value->escaped)
		search->url = value->value;
	if (toml_is(value, KEYS("index", "default")) && str_eq(value->value, STR("true")))
		search->is_default = true;
	return true;
}

/* Keys stand at the top or below [pip]. */
static bool uv_is(const struct toml_value *value, const char *key)
{
	return toml_is(value, KEYS(key)) || toml_is(value, KEYS("pip", key));
}

static bool uv_value(void *context, const struct toml_value *value)
{
	struct uv_search *search = context;
	if (value->key_count == 2 && str_eq(value->keys[0], STR("index")))
		return uv_index(search, value);
	if (!value->text || value->escaped)
		return true;
	if (uv_is(value, "index-url"))
		return registry_read_url(value->value, REGISTRY_MAIN, search->sink);
	if (uv_is(value, "extra-index-url") || uv_is(value, "find-links") || uv_is(value, "python-install-mirror"))
		return registry_read_url(value->value, REGISTRY_EXTRA, search->sink);
	return true;
}

bool registry_read_uv_toml(struct str text, const struct registry_sink *sink)
{
	struct uv_search search = {.sink = sink};
	return toml_scan(text, uv_value, &search) && uv_flush(&search);
}
