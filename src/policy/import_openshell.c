/* Policies of OpenShell: paths of an image that are read (and run) or written, and which program reaches which host, with
 * which requests. The image's /sandbox is the workspace. */
#include <limits.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/import_build.h"

#define CREDENTIAL "secrets names a credential, where it is and which hosts get it"

/* ---- files ------------------------------------------------------------------------------------------------------- */

static const char *path_of(struct import *in, const char *text)
{
	static const char place[] = "/sandbox";
	size_t len = sizeof place - 1;
	if (strncmp(text, place, len) == 0 && (text[len] == '/' || text[len] == '\0'))
		return import_format(in, ".%s", text + len);
	return text;
}

static void put_path(struct import *in, import_at item, const char *text, const void *context)
{
	const struct import_row *row = context;
	if (text[0] != '/')
		import_left(in, item, false, import_show(in, item), "not a path from the root");
	else
		import_line(in, item, (enum policy_key)row->into, import_literal(in, path_of(in, text)));
}

static void take_paths(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, put_path, row);
}

static void take_workdir(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	if (import_is_true(node))
		import_line(in, node, (enum policy_key)row->into, ".");
}

static void take_filesystem(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"include_workdir", take_workdir, false, NULL, KEY_WRITE},
		{"read_only", take_paths, false, NULL, KEY_EXEC},
		{"read_write", take_paths, false, NULL, KEY_WRITE},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

struct attrs {
	struct policy_attr items[IMPORT_ATTRS_MAX];
	size_t count;
	bool full; /* something could not be taken */
};

static void add_attr(struct attrs *attrs, enum policy_attr_key key, const char *text)
{
	if (attrs->count < IMPORT_ATTRS_MAX)
		attrs->items[attrs->count++] = (struct policy_attr){key, text};
	else
		attrs->full = true;
}

static const char *text_of(import_at map, const char *key)
{
	import_at node = node_find(map, key);
	return node != NULL && node->kind == NODE_TEXT ? node->text.ptr : NULL;
}

/* What their documents say of "*", that it goes over "/" as well, is held where something is closed: "/a*b" closes "/a*b"
 * and what begins so with "b" at the end of a segment below. ('?' is one character, and has no equal.) */
static const char *crossing(struct import *in, const char *path)
{
	auto_buf struct buf out;
	buf_init(&out, PATH_MAX);
	for (const char *at = path; *at != '\0'; at++) {
		bool star = *at == '*' || *at == '?', first = at == path || at[-1] == '/';
		size_t stars = strspn(at, "*?");
		bool last = star && (at[stars] == '/' || at[stars] == '\0');
		if (!star) {
			buf_putc(&out, *at);
			continue;
		}
		buf_puts(&out, first ? "**" : "*/**");
		if (!last)
			buf_puts(&out, "/*");
		at += stars - 1;
	}
	return out.failed || out.len == 0 ? "/**" : import_format(in, "%.*s", (int)out.len, (const char *)out.data);
}

/* The same with "*" within a segment, and for "?" the wider "*". */
static const char *within(struct import *in, const char *path)
{
	char *copy = arena_text(in->arena, str_from(path));
	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if (*at == '?')
			*at = '*';
	return copy != NULL ? copy : "/**";
}

/* Keys of a rule that are more than a method and a path. NULL: none. */
static const char *has_more(import_at rule)
{
	for (import_at node = rule->kind == NODE_MAP ? rule->first : NULL; node != NULL; node = node->next)
		if (!str_eq(node->key, STR("method")) && !str_eq(node->key, STR("path")))
			return node->key.ptr;
	return NULL;
}

static void add_allowed(struct import *in, import_at rule, struct attrs *attrs)
{
	import_at allow = node_find(rule, "allow");
	const char *method = text_of(allow, "method"), *path = text_of(allow, "path");
	const char *more = allow != NULL ? has_more(allow) : NULL;
	if (method == NULL || path == NULL || more != NULL || rule->count != 1)
		import_left(in, rule, false,
			    import_format(in, "rules: %.60s %.200s", method != NULL ? method : "",
					  path != NULL ? path : ""),
			    "only a method and a path have an equal");
	else
		add_attr(attrs, ATTR_HTTP, import_format(in, "%s %s", method, path));
}

/* A closed request is closed whatever else it asks for. */
static void add_denied(struct import *in, import_at rule, struct attrs *attrs)
{
	const char *method = text_of(rule, "method"), *path = text_of(rule, "path"), *more = has_more(rule);
	const char *shown =
		import_format(in, "deny_rules: %.60s %.200s", method != NULL ? method : "", path != NULL ? path : "");
	if (method == NULL || path == NULL) {
		import_left(in, rule, false, shown, "no method and path; its endpoint is left out");
		attrs->full = true;
		return;
	}
	if (more != NULL)
		import_left(in, rule, false, import_format(in, "%s, %.60s", shown, more),
			    "closed whatever this is: only a method and a path have an equal");
	add_attr(attrs, ATTR_HTTP, import_format(in, "%s %s", method, within(in, path)));
	if (strpbrk(path, "*?") != NULL)
		add_attr(attrs, ATTR_HTTP, import_format(in, "%s %s", method, crossing(in, path)));
}

static void add_each(struct import *in, import_at list, struct attrs *attrs,
		     void (*each)(struct import *in, import_at rule, struct attrs *attrs))
{
	for (import_at rule = list != NULL && list->kind == NODE_LIST ? list->first : NULL; rule != NULL;
	     rule = rule->next)
		each(in, rule, attrs);
}

static const struct preset {
	const char *name;
	const char *methods[8];
} presets[] = {
	{"read-only", {"GET", "HEAD", "OPTIONS", NULL}},
	{"read-write", {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", NULL}},
	{"full", {"*", NULL}},
};

static void add_preset(struct import *in, import_at access, const char *path, struct attrs *attrs)
{
	for (size_t i = 0; i < ARRAY_LEN(presets); i++)
		if (access->kind == NODE_TEXT && str_eq(access->text, str_from(presets[i].name)))
			for (size_t m = 0; presets[i].methods[m] != NULL; m++)
				add_attr(
					attrs, ATTR_HTTP,
					import_format(in, "%s %s", presets[i].methods[m], path != NULL ? path : "/**"));
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static void add_program(struct import *in, import_at binary, struct attrs *attrs)
{
	static const struct import_row known[] = {{"path", NULL, false, NULL, 0}, {"harness", NULL, false, NULL, 0}};
	const char *path = text_of(binary, "path");
	if (binary->kind == NODE_MAP)
		import_rows(in, binary, known, ARRAY_LEN(known));
	if (path == NULL)
		import_left(in, binary, false, "binaries", "no path of a program");
	else if (strpbrk(path, "*?[{") != NULL)
		import_left(in, binary, false, import_format(in, "binaries: %.300s", path),
			    "by: names programs one by one");
	else
		add_attr(attrs, ATTR_BY, path_of(in, path));
}

/* ---- endpoints --------------------------------------------------------------------------------------------------- */

struct endpoint {
	import_at node;
	const char *host;
	struct attrs allowed, denied;
};

static void put_port(struct import *in, import_at item, const char *port, const void *context)
{
	const struct endpoint *endpoint = context;
	const struct attrs *allowed = &endpoint->allowed, *denied = &endpoint->denied;
	const char *to = import_format(in, "%s:%s", endpoint->host, port);
	if (denied->count == 0 || import_line_with(in, item, KEY_NET_DENY, to, denied->items, denied->count))
		(void)import_line_with(in, item, KEY_NET_ALLOW, to, allowed->items, allowed->count);
}

static bool has_port(import_at endpoint, struct str port)
{
	import_at one = node_find(endpoint, "port"), list = node_find(endpoint, "ports");
	import_at item = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
	while (item != NULL && !str_eq(item->text, port))
		item = item->next;
	return item != NULL || (one != NULL && str_eq(one->text, port));
}

static bool shares_port(import_at one, import_at other)
{
	import_at port = node_find(one, "port"), list = node_find(one, "ports");
	import_at item = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
	while (item != NULL && !has_port(other, item->text))
		item = item->next;
	return item != NULL || (port != NULL && has_port(other, port->text));
}

static bool matches(const char *pattern, const char *host)
{
	struct glob *glob = NULL;
	bool fits = glob_new(GLOB_HOST, str_from(pattern), &glob, NULL) != BERM_OK ||
		    glob_match(glob, str_from(host), false);
	glob_free(glob);
	return fits;
}

/* May there be a name that both are? */
static bool shares_host(const char *one, const char *other)
{
	bool wild = strchr(one, '*') != NULL && strchr(other, '*') != NULL;
	return wild || matches(one, other) || matches(other, one);
}

static bool has_rules(import_at endpoint)
{
	const char *protocol = text_of(endpoint, "protocol");
	return protocol != NULL && strcmp(protocol, "tcp") != 0;
}

/* There, the rules for a host's requests hold for every connection to it that a program or one above it has. */
static bool is_ruled_elsewhere(import_at policies, import_at endpoint)
{
	const char *host = text_of(endpoint, "host");
	for (import_at policy = policies->first; policy != NULL; policy = policy->next) {
		import_at list = node_find(policy, "endpoints");
		import_at other = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
		for (; other != NULL; other = other->next)
			if (has_rules(other) && text_of(other, "host") != NULL && shares_port(endpoint, other) &&
			    shares_host(host, text_of(other, "host")))
				return true;
	}
	return false;
}

/* Why it is no line of network.allow; NULL: it is one. */
static const char *lacks(import_at policies, import_at endpoint)
{
	const char *protocol = text_of(endpoint, "protocol");
	bool whole = !has_rules(endpoint);
	bool http = protocol != NULL && strcmp(protocol, "rest") == 0;
	import_at path = node_find(endpoint, "path");
	if (text_of(endpoint, "host") == NULL)
		return "an endpoint without a host: network.allow names hosts, or networks of addresses";
	if (!whole && !http)
		return "only requests of HTTP have an equal";
	if (whole && (path != NULL || node_find(endpoint, "rules") != NULL ||
		      node_find(endpoint, "deny_rules") != NULL || node_find(endpoint, "access") != NULL))
		return "rules for requests without protocol: rest";
	if (path != NULL && node_find(endpoint, "access") == NULL)
		return "a path with rules: put it into the rules";
	if (whole && is_ruled_elsewhere(policies, endpoint))
		return "rules for requests to this host stand elsewhere, and hold here as well";
	return NULL;
}

static void take_enforcement(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (!str_eq(node->text, STR("enforce")))
		import_left(in, node, false, import_show(in, node), "what is only told of there is closed here");
}

static const struct import_row endpoint_keys[] = {
	{"host", NULL, false, NULL, 0},
	{"port", NULL, false, NULL, 0},
	{"ports", NULL, false, NULL, 0},
	{"path", NULL, false, NULL, 0},
	{"protocol", NULL, false, NULL, 0},
	{"access", NULL, false, NULL, 0},
	{"rules", NULL, false, NULL, 0},
	{"deny_rules", NULL, false, NULL, 0},
	{"enforcement", take_enforcement, false, NULL, 0},
	{"tls", NULL, false, NULL, 0},
	{"allowed_ips", NULL, false, "a name resolves to public addresses only; private: true lifts that", 0},
	{"allow_encoded_slash", NULL, false, "an encoded slash is a part of its segment", 0},
	{"websocket_credential_rewrite", NULL, false, CREDENTIAL, 0},
	{"request_body_credential_rewrite", NULL, false, CREDENTIAL, 0},
	{"allow_uninspected_credentials", NULL, false, CREDENTIAL, 0},
	{"credential_signing", NULL, false, CREDENTIAL, 0},
	{"signing_service", NULL, false, CREDENTIAL, 0},
	{"signing_region", NULL, false, CREDENTIAL, 0},
	{"credential_binding", NULL, false, CREDENTIAL, 0},
	{"persisted_queries", NULL, false, "of GraphQL, which is not imported", 0},
	{"graphql_persisted_queries", NULL, false, "of GraphQL, which is not imported", 0},
	{"graphql_max_body_bytes", NULL, false, "of GraphQL, which is not imported", 0},
	{"mcp", NULL, false, "of MCP, which is not imported", 0},
	{"json_rpc", NULL, false, "of JSON-RPC, which is not imported", 0},
};

static void take_endpoint(struct import *in, import_at policies, import_at node, const struct attrs *programs)
{
	struct endpoint endpoint = {.node = node, .host = text_of(node, "host"), .allowed = *programs};
	const char *missing = lacks(policies, node), *path = text_of(node, "path");
	import_at access = node_find(node, "access"), rules = node_find(node, "rules");
	import_at port = node_find(node, "port"), port_list = node_find(node, "ports");
	import_rows(in, node, endpoint_keys, ARRAY_LEN(endpoint_keys));
	if (missing != NULL) {
		import_left(in, node, false,
			    import_format(in, "endpoint %.200s", endpoint.host != NULL ? endpoint.host : ""), missing);
		return;
	}
	if (access != NULL)
		add_preset(in, access, path, &endpoint.allowed);
	add_each(in, rules, &endpoint.allowed, add_allowed);
	add_each(in, node_find(node, "deny_rules"), &endpoint.denied, add_denied);
	/* Rules of which none could be taken grant nothing, not everything. */
	bool rest = has_rules(node);
	if (endpoint.denied.full || endpoint.allowed.full || (rest && endpoint.allowed.count == programs->count)) {
		import_left(in, node, false, import_format(in, "endpoint %.200s", endpoint.host),
			    rest && !endpoint.denied.full ? "no request of it could be taken" : "too many rules");
		return;
	}
	import_texts(in, port, false, put_port, &endpoint);
	import_texts(in, port_list, false, put_port, &endpoint);
	if (port == NULL && port_list == NULL)
		import_left(in, node, false, import_format(in, "endpoint %.200s", endpoint.host), "no port");
}

static void take_network_policy(struct import *in, import_at policies, import_at policy)
{
	static const struct import_row known[] = {{"name", NULL, false, NULL, 0},
						  {"endpoints", NULL, false, NULL, 0},
						  {"binaries", NULL, false, NULL, 0}};
	struct attrs programs = {.count = 0};
	import_at endpoints = node_find(policy, "endpoints");
	import_rows(in, policy, known, ARRAY_LEN(known));
	add_each(in, node_find(policy, "binaries"), &programs, add_program);
	if (programs.count == 0 || programs.full) {
		import_left(in, policy, false, import_show(in, policy),
			    programs.full ? "too many programs" : "no program is named, which is none there");
		return;
	}
	if (endpoints != NULL && endpoints->kind != NODE_LIST)
		import_left(in, endpoints, true, import_show(in, endpoints), "not a list");
	for (import_at node = endpoints != NULL && endpoints->kind == NODE_LIST ? endpoints->first : NULL; node != NULL;
	     node = node->next)
		take_endpoint(in, policies, node, &programs);
}

static void take_network(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	if (node->kind != NODE_MAP && node->kind != NODE_NULL)
		import_left(in, node, row->narrows, import_show(in, node), "not a map");
	for (import_at policy = node->kind == NODE_MAP ? node->first : NULL; policy != NULL; policy = policy->next)
		take_network_policy(in, node, policy);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void take_version(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	if (!str_eq(node->text, STR("1")))
		import_left(in, node, row->narrows, import_show(in, node), "a version that is not known");
}

void import_openshell(struct import *in, import_at root)
{
	static const struct import_row rows[] = {
		{"version", take_version, true, NULL, 0},
		{"filesystem_policy", take_filesystem, true, NULL, 0},
		{"network_policies", take_network, true, NULL, 0},
		{"network_middlewares", NULL, true, "requests and answers are changed by nothing", 0},
		{"landlock", NULL, false, "what cannot be held starts nothing", 0},
		{"process", NULL, false, "runs as the user who starts it", 0},
	};
	import_at network = node_find(root, "network_policies");
	import_line(in, NULL, KEY_EXTENDS, "");
	import_line(in, NULL, KEY_GROUPS, "base-environment");
	import_line(in, NULL, KEY_FS_DEFAULT, "deny");
	import_line(in, NULL, KEY_VIEW, "visible"); /* names are seen there, and links lead into what is granted */
	import_line(in, network, KEY_NET_MODE, network != NULL && network->count > 0 ? "filtered" : "none");
	import_line(in, network, KEY_NET_DEFAULT, "deny");
	import_left(in, NULL, false, "paths are those of an image", "here they are this machine's; /sandbox is '.'");
	import_rows(in, root, rows, ARRAY_LEN(rows));
}
