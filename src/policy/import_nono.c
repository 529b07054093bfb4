/* Profiles of nono: what is named is granted, with the system's programs; keys, keychains, browsers and shell histories are
 * closed always. Reading is starting as well there, as filesystem.exec is here. */
#include <string.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/builtin.h"
#include "policy/import_build.h"
#include "policy/load.h"

#define NO_POLICY "a setting of the program, no policy"
#define ASKING "approvals.by says who is asked"
#define CREDENTIAL "secrets names a credential, where it is and which hosts get it"

/* ---- entries: a text, or a map with it and "when" ---------------------------------------------------------------- */

struct entry {
	const char *text;
	struct policy_attr attrs[IMPORT_ATTRS_MAX];
	size_t count;
	bool open; /* a condition that has no equal: "when" is not all of it */
};

static void add_when(struct import *in, import_at item, const char *text, const void *context)
{
	struct entry *entry = *(struct entry *const *)context;
	bool known = strcmp(text, "linux") == 0 || strcmp(text, "macos") == 0;
	(void)in;
	(void)item;
	if (known && entry->count < IMPORT_ATTRS_MAX)
		entry->attrs[entry->count++] = (struct policy_attr){ATTR_WHEN_OS, text};
	else
		entry->open = true;
}

/* False: it is left. */
static bool take_entry(struct import *in, import_at item, const char *key, bool closes, struct entry *ret_entry)
{
	const struct import_row known[] = {{key, NULL, false, NULL, 0}, {"when", NULL, false, NULL, 0}};
	import_at text = item->kind == NODE_MAP ? node_find(item, key) : item, when = node_find(item, "when");
	struct entry *entry = ret_entry;
	*ret_entry = (struct entry){.count = 0};
	if (text == NULL || text->kind != NODE_TEXT) {
		import_left(in, item, closes, import_show(in, item), "neither a text nor a map with one");
		return false;
	}
	if (item->kind == NODE_MAP)
		import_rows(in, item, known, ARRAY_LEN(known));
	import_texts(in, when, closes, add_when, &entry);
	ret_entry->text = text->text.ptr;
	if (!ret_entry->open)
		return true;
	import_left(in, item, false, import_format(in, "when, of %.300s", text->text.ptr),
		    closes ? "closed everywhere: a condition without an equal" : "a condition without an equal");
	ret_entry->count = 0; /* what closes, closes everywhere */
	return closes;
}

typedef void (*each_entry)(struct import *in, import_at item, struct entry *entry, const struct import_row *row);

static void take_entries(struct import *in, import_at list, const char *key, const struct import_row *row,
			 each_entry each)
{
	struct entry entry;
	import_at one = list->kind == NODE_LIST ? list->first : list;
	for (; one != NULL && list->kind != NODE_NULL; one = list->kind == NODE_LIST ? one->next : NULL)
		if (take_entry(in, one, key, row->narrows, &entry))
			each(in, one, &entry, row);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static const char *of_variable(struct import *in, const char *path)
{
	static const struct {
		const char *name, *path;
	} names[] = {{"$HOME", "~"}, {"$WORKDIR", "."}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t len = strlen(names[i].name);
		if (strncmp(path, names[i].name, len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return import_format(in, "%s%s", names[i].path, path + len);
	}
	return path;
}

/* NULL: it is left. */
static const char *path_of(struct import *in, import_at item, const char *text, bool closes)
{
	const char *path = of_variable(in, text);
	bool computed = path[0] == '@' || (path[0] != '\0' && strchr(path + 1, '$') != NULL);
	if (!computed)
		return import_pattern(in, path, "*");
	import_left(in, item, closes, import_format(in, "%.300s", text), "a path that is computed");
	return NULL;
}

enum { AS_TREE = 0, AS_FILE = 1 << 8, ANYTHING_IN = 1 << 9, BELOW = 1 << 10, KEY_MASK = AS_FILE - 1 };

static void put_path(struct import *in, import_at item, struct entry *entry, const struct import_row *row)
{
	enum policy_key key = (enum policy_key)(row->into & KEY_MASK);
	const char *path = path_of(in, item, entry->text, row->narrows);
	if (path == NULL)
		return;
	if ((row->into & (ANYTHING_IN | BELOW)) != 0)
		path = import_format(in, "%s/%s", path, (row->into & BELOW) != 0 ? "**" : "*");
	if ((row->into & AS_FILE) != 0 && entry->count < IMPORT_ATTRS_MAX)
		entry->attrs[entry->count++] = (struct policy_attr){ATTR_EXTENT, "file"};
	if (key == KEY_OVERRIDE && entry->count < IMPORT_ATTRS_MAX)
		entry->attrs[entry->count++] =
			(struct policy_attr){ATTR_WHY, "bypass_protection of the profile for nono"};
	(void)import_line_with(in, item, key, path, entry->attrs, entry->count);
	if (row->why != NULL)
		import_left(in, item, false, import_format(in, "%s: %.300s", row->key, entry->text), row->why);
}

static void take_paths(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	take_entries(in, node, "path", row, put_path);
}

/* Only written, there; a line of write reads as well, and so it has to stand where something else is read. What is read as
 * a file is not read as a folder. */
static bool is_read(const struct import *in, const char *path, bool as_file)
{
	const struct policy_line *lines = in->lines.items;
	for (size_t i = 0; i < in->lines.len; i++) {
		bool reads = lines[i].key == KEY_EXEC || lines[i].key == KEY_WRITE;
		bool file = lines[i].attr_count == 1 && lines[i].attrs[0].key == ATTR_EXTENT;
		bool whole = strpbrk(lines[i].text, "*?[{\\") == NULL && strpbrk(path, "*?[{\\") == NULL;
		if (!reads || !whole || (lines[i].attr_count > 0 && !file) || (file && !as_file))
			continue;
		if (file ? strcmp(lines[i].text, path) == 0 : path_is_in(str_from(path), str_from(lines[i].text)))
			return strstr(path, "..") == NULL;
	}
	return false;
}

static void put_written(struct import *in, import_at item, struct entry *entry, const struct import_row *row)
{
	const char *path = path_of(in, item, entry->text, false);
	if (path == NULL)
		return;
	if (is_read(in, path, (row->into & AS_FILE) != 0))
		put_path(in, item, entry, row);
	else
		import_left(in, item, false, import_format(in, "%s: %.300s", row->key, entry->text),
			    "what can be written can be read here: filesystem.write if it may");
}

static void take_written(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	take_entries(in, node, "path", row, put_written);
}

#define BINDS "connecting is; for making it: filesystem.write of its folder"

static void take_filesystem(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"allow", take_paths, false, NULL, KEY_WRITE},
		{"read", take_paths, false, NULL, KEY_EXEC},
		{"write", NULL, false, NULL, 0}, /* later */
		{"allow_file", take_paths, false, NULL, (int)KEY_WRITE | AS_FILE},
		{"read_file", take_paths, false, NULL, (int)KEY_EXEC | AS_FILE},
		{"write_file", NULL, false, NULL, 0},
		{"deny", take_paths, true, NULL, KEY_DENY},
		{"bypass_protection", take_paths, false, NULL, KEY_OVERRIDE},
		{"unix_socket", take_paths, false, NULL, KEY_SOCKETS},
		{"unix_socket_bind", take_paths, false, BINDS, KEY_SOCKETS},
		{"unix_socket_dir", take_paths, false, NULL, (int)KEY_SOCKETS | ANYTHING_IN},
		{"unix_socket_dir_bind", take_paths, false, BINDS, (int)KEY_SOCKETS | ANYTHING_IN},
		{"unix_socket_subtree", take_paths, false, NULL, (int)KEY_SOCKETS | BELOW},
		{"unix_socket_subtree_bind", take_paths, false, BINDS, (int)KEY_SOCKETS | BELOW},
		{"suppress_save_prompt", NULL, false, NO_POLICY, 0},
		{"ignore", NULL, false, NO_POLICY, 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

static void take_written_files(struct import *in, import_at filesystem)
{
	static const struct import_row rows[] = {
		{"write", take_written, false, NULL, KEY_WRITE},
		{"write_file", take_written, false, NULL, (int)KEY_WRITE | AS_FILE},
		{NULL, NULL, false, NULL, 0}, /* has been taken */
	};
	if (filesystem != NULL && filesystem->kind == NODE_MAP)
		import_rows(in, filesystem, rows, ARRAY_LEN(rows));
}

static void take_workdir(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row known[] = {{"access", NULL, false, NULL, 0}};
	import_at access = node_find(node, "access");
	const char *text = access != NULL && access->kind == NODE_TEXT ? access->text.ptr : "none";
	(void)row;
	(void)map;
	import_rows(in, node, known, ARRAY_LEN(known));
	if (strcmp(text, "readwrite") == 0)
		import_line(in, access, KEY_WRITE, ".");
	else if (strcmp(text, "read") == 0)
		import_line(in, access, KEY_EXEC, ".");
	else if (strcmp(text, "none") != 0)
		import_left(in, access, false, import_show(in, access), "'read' or 'readwrite' have an equal");
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

struct group {
	const char *prefix; /* of nono's name */
	bool always;	    /* it holds here for every policy */
	const char *here;   /* the group that is near; NULL: none */
};
static const struct group groups[] = {
	{"deny_", true, NULL},
	{"system_read_", true, "system-read"},
	{"system_write_", true, "temp"},
	{"linux_temp_read", true, "temp"},
	{"user_caches_", true, "caches"},
	{"user_tools", false, "user-tools"},
	{"node_runtime", false, "node"},
	{"python_runtime", false, "python"},
	{"rust_runtime", false, "rust"},
	{"go_runtime", false, "go"},
	{"java_runtime", false, "java"},
	{"nix_runtime", false, "nix"},
	{"homebrew_", false, "homebrew"},
	{"git_config", false, "git"},
	{"vscode_", false, "vscode"},
	{"unlink_protection", false, NULL},
};

static const struct group *find_group(const char *name)
{
	static const struct group none = {"", false, NULL};
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (strncmp(name, groups[i].prefix, strlen(groups[i].prefix)) == 0)
			return &groups[i];
	return &none;
}

static void put_group(struct import *in, import_at item, struct entry *entry, const struct import_row *row)
{
	const struct group *group = find_group(entry->text);
	const char *what = import_format(in, "%s: %.200s", row->key, entry->text);
	bool closes = strncmp(entry->text, "dangerous_commands", 18) == 0;
	if (group->always)
		import_left(in, item, false, what, "holds for every policy that is imported");
	else if (group->here != NULL)
		import_left(in, item, false, what,
			    import_format(in,
					  "the group '%s' is near, not equal: berm group show %s; then groups: [%s]",
					  group->here, group->here, group->here));
	else
		import_left(in, item, closes, what,
			    closes ? "commands: deny names them one by one; files decide on the rest"
				   : "no group is near: berm group list");
}

static void put_exclusion(struct import *in, import_at item, struct entry *entry, const struct import_row *row)
{
	const struct group *group = find_group(entry->text);
	const char *what = import_format(in, "%s: %.200s", row->key, entry->text);
	if (strncmp(entry->text, "deny_", 5) == 0)
		import_left(in, item, false, what, "stays closed; override opens a path");
	else if (group->always && group->here != NULL)
		import_line(in, item, KEY_GROUPS, import_format(in, "-%s", group->here));
	else
		import_left(in, item, false, what, "is not granted here");
}

static void include_groups(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	take_entries(in, node, "name", row, put_group);
}
static void exclude_groups(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	take_entries(in, node, "name", row, put_exclusion);
}

static void take_groups(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"include", include_groups, false, NULL, 0},
		{"exclude", exclude_groups, true, NULL, 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

static void take_base(struct import *in, import_at item, const char *text, const void *context)
{
	(void)context;
	if (strcmp(text, "default") != 0)
		import_left(in, item, true, import_format(in, "extends: %.200s", text),
			    "what it closes is not here: import it as well, and name it in extends");
}

static void take_extends(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, take_base, NULL);
}

/* ---- network ----------------------------------------------------------------------------------------------------- */

static bool holds_something(import_at map, const char *key)
{
	import_at node = node_find(map, key);
	bool holds = node != NULL && (node->kind == NODE_LIST || node->kind == NODE_MAP);
	return holds ? node->first != NULL : node != NULL && node->kind != NODE_NULL;
}

/* Open to all, unless something is named that only a filter can hold. */
static const char *mode_of(import_at map)
{
	static const char *const filters[] = {
		"allow_domain",	  "proxy_allow",	"allow_proxy",	     "deny_domain",	  "network_profile",
		"credentials",	  "proxy_credentials",	"open_port",	     "port_allow",	  "allow_port",
		"connect_port",	  "open_port_range",	"listen_port",	     "listen_port_range", "upstream_proxy",
		"external_proxy", "custom_credentials", "approval_backends",
	};
	import_at block = node_find(map, "block");
	if (import_is_true(block))
		return "none";
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (holds_something(map, filters[i]))
			return "filtered";
	return block != NULL && block->kind == NODE_BOOL ? "host" : "filtered";
}

/* "METHOD /path" of each {method, path}; what cannot be one is left, and grants nothing. */
static size_t take_requests(struct import *in, import_at list, struct policy_attr attrs[static IMPORT_ATTRS_MAX])
{
	static const struct import_row known[] = {{"method", NULL, false, NULL, 0}, {"path", NULL, false, NULL, 0}};
	size_t count = 0;
	for (import_at one = list != NULL ? list->first : NULL; one != NULL; one = one->next) {
		import_at method = node_find(one, "method"), path = node_find(one, "path");
		import_rows(in, one, known, ARRAY_LEN(known));
		if (count < IMPORT_ATTRS_MAX && method != NULL && method->kind == NODE_TEXT && path != NULL &&
		    path->kind == NODE_TEXT)
			attrs[count++] = (struct policy_attr){
				ATTR_HTTP, import_format(in, "%s %s", method->text.ptr, path->text.ptr)};
		else
			import_left(in, one, false, "endpoints", "no method and path, or too many");
	}
	return count;
}

static void take_domain_rules(struct import *in, import_at entry)
{
	static const struct import_row known[] = {{"domain", NULL, false, NULL, 0},
						  {"endpoints", NULL, false, NULL, 0}};
	struct policy_attr attrs[IMPORT_ATTRS_MAX];
	import_at domain = node_find(entry, "domain");
	import_rows(in, entry, known, ARRAY_LEN(known));
	size_t count = take_requests(in, node_find(entry, "endpoints"), attrs);
	if (domain != NULL && domain->kind == NODE_TEXT && count > 0)
		(void)import_line_with(in, entry, KEY_NET_ALLOW, import_host(in, domain->text.ptr), attrs, count);
	else
		import_left(in, entry, false, "allow_domain", "no domain, or no endpoint of it");
}

/* Without a port it is any there; here the two of the web. */
static void put_host(struct import *in, import_at item, const char *host)
{
	bool port = strchr(host, ':') != NULL;
	import_line(in, item, KEY_NET_ALLOW, import_host(in, host));
	if (!port)
		import_line(in, item, KEY_NET_ALLOW, import_format(in, "%s:80", import_host(in, host)));
}

static void allow_domains(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (node->kind != NODE_LIST && node->kind != NODE_NULL)
		import_left(in, node, false, import_show(in, node), "not a list");
	for (import_at item = node->kind == NODE_LIST ? node->first : NULL; item != NULL; item = item->next) {
		if (item->kind == NODE_MAP)
			take_domain_rules(in, item);
		else if (item->kind == NODE_TEXT)
			put_host(in, item, item->text.ptr);
		else
			import_left(in, item, false, import_show(in, item), "neither a host nor a map with one");
	}
}

static void put_value(struct import *in, import_at item, const char *text, const void *context)
{
	const struct import_row *row = context;
	enum policy_key key = (enum policy_key)row->into;
	import_line(in, item, key, key == KEY_NET_DENY ? import_host(in, text) : text);
}

static void take_values(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, put_value, row);
}

/* With the machine's network its own loopback is there anyway. */
static void take_ports(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	if (strcmp(mode_of(map), "host") != 0)
		import_texts(in, node, row->narrows, put_value, row);
}

static void put_upstream(struct import *in, import_at item, const char *text, const void *context)
{
	(void)context;
	import_line(in, item, KEY_UPSTREAM, strstr(text, "://") != NULL ? text : import_format(in, "http://%s", text));
}

static void take_upstream(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, put_upstream, NULL);
}

static void take_network(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"block", NULL, false, NULL, 0},
		{"allow_domain", allow_domains, false, NULL, 0},
		{"proxy_allow", allow_domains, false, NULL, 0},
		{"allow_proxy", allow_domains, false, NULL, 0},
		{"deny_domain", take_values, true, NULL, KEY_NET_DENY},
		{"network_profile", NULL, false,
		 "name hosts, or groups: llm-apis, package-registries, code-hosting, documentation", 0},
		{"credentials", NULL, false, CREDENTIAL, 0},
		{"proxy_credentials", NULL, false, CREDENTIAL, 0},
		{"custom_credentials", NULL, false, CREDENTIAL, 0},
		{"open_port", take_ports, false, NULL, KEY_REACH},
		{"port_allow", take_ports, false, NULL, KEY_REACH},
		{"allow_port", take_ports, false, NULL, KEY_REACH},
		{"listen_port", take_ports, false, NULL, KEY_PUBLISH},
		{"connect_port", NULL, false, "any host at a port: network.allow names hosts", 0},
		{"open_port_range", NULL, false, "network.reach names ports one by one", 0},
		{"listen_port_range", NULL, false, "network.publish names ports one by one", 0},
		{"upstream_proxy", take_upstream, false, NULL, 0},
		{"external_proxy", take_upstream, false, NULL, 0},
		{"upstream_bypass", NULL, false, "network.upstream is the way of all hosts", 0},
		{"external_proxy_bypass", NULL, false, "network.upstream is the way of all hosts", 0},
		{"no_proxy", NULL, false, NO_POLICY, 0},
		{"allow_http2", NULL, false, NO_POLICY, 0},
		{"tls_intercept", NULL, false, NO_POLICY, 0},
		{"approval_backends", NULL, false, ASKING, 0},
		{"approval_defaults", NULL, false, ASKING, 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

static void start_network(struct import *in, import_at network)
{
	const char *mode = mode_of(network);
	import_line(in, network, KEY_NET_MODE, mode);
	import_line(in, network, KEY_NET_DEFAULT, "deny");
	if (strcmp(mode, "filtered") == 0 && !holds_something(network, "allow_domain"))
		import_left(in, network, false, "every host may be reached",
			    "network.allow names hosts; network.mode: host is the machine's network");
}

/* ---- environment ------------------------------------------------------------------------------------------------- */

/* Both may end with "*". */
static bool may_be_same(const char *one, const char *other)
{
	size_t first = strcspn(one, "*"), second = strcspn(other, "*");
	bool wild = one[first] == '*' || other[second] == '*';
	return wild ? strncmp(one, other, first < second ? first : second) == 0 : strcmp(one, other) == 0;
}

static void deny_variable(struct import *in, import_at item, const char *text, const void *context)
{
	const struct policy_doc *base = builtin_find(POLICY_DOC_GROUP, "base-environment");
	bool passed = base == NULL;
	(void)context;
	for (uint32_t i = 0; base != NULL && i < base->line_count; i++)
		passed |= base->lines[i].key == KEY_ENV_PASS && may_be_same(base->lines[i].text, text);
	import_left(in, item, passed, import_format(in, "deny_vars: %.200s", text),
		    passed ? "passed by the group base-environment: groups: [-base-environment], and environment.pass"
			   : "no variable is passed unless a line names it");
}

static void deny_variables(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, deny_variable, NULL);
}

/* A list of what is passed is the whole list. */
static void pass_variables(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	if (node->kind == NODE_LIST)
		import_line(in, node, KEY_GROUPS, "-base-environment");
	import_texts(in, node, row->narrows, put_value, row);
}

static void take_environment(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"allow_vars", pass_variables, false, NULL, KEY_ENV_PASS},
		{"deny_vars", deny_variables, true, NULL, 0},
		{"set_vars", import_variables, false, NULL, 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

/* ---- processes and commands -------------------------------------------------------------------------------------- */

static void take_signals(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (node->kind == NODE_TEXT && str_eq(node->text, STR("allow_all")))
		import_line(in, node, KEY_MAY, "signals");
}

static void take_elevation(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (import_is_true(node))
		import_left(in, node, false, import_show(in, node), "filesystem.default: ask asks for files");
}

static void take_security(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"groups", include_groups, false, NULL, 0},
		{"signal_mode", take_signals, false, NULL, 0},
		{"process_info_mode", NULL, false, "processes outside cannot be seen", 0},
		{"ipc_mode", NULL, false, "shared memory and semaphores are the sandbox's own", 0},
		{"capability_elevation", take_elevation, false, NULL, 0},
		{"approval_backends", NULL, false, ASKING, 0},
		{"approval_defaults", NULL, false, ASKING, 0},
		{"wsl2_proxy_policy", NULL, false, "the sandbox is never weakened", 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

static void deny_command(struct import *in, import_at item, const char *text, const void *context)
{
	const struct policy_attr attr = {ATTR_DECISION, "deny"};
	(void)context;
	if (import_line_with(in, item, KEY_COMMAND, text, &attr, 1))
		(void)import_line_with(in, item, KEY_COMMAND, import_format(in, "%s **", text), &attr, 1);
}

static void deny_commands(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, deny_command, NULL);
}

static void take_commands(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"deny", deny_commands, true, NULL, 0},
		{"allow", NULL, false, "no command is closed by its name unless a line says so", 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

static void take_command_policies(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (holds_something(node, "commands"))
		import_left(in, node, true, import_show(in, node),
			    "a sandbox for each command: commands with a decision, or a profile for each program");
}

static void take_linux(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"af_unix_mediation", NULL, false, "sockets are closed unless network.sockets names them", 0},
		{"sandbox_policy", NULL, false, "backend says where enforcement must come from", 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* A text that the document may be called by, or is about. */
static const char *fit(import_at node, enum policy_key key)
{
	const struct policy_key_row *row = &policy_keys[key];
	bool text = node != NULL && node->kind == NODE_TEXT;
	return text && policy_check_value(row->value, row->words, node->text, NULL) == BERM_OK ? node->text.ptr : NULL;
}

static void take_meta(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"name", NULL, false, NULL, 0},
		{"description", NULL, false, NULL, 0},
		{"version", NULL, false, NULL, 0},
		{"author", NULL, false, NULL, 0},
	};
	(void)row;
	(void)map;
	in->name = fit(node_find(node, "name"), KEY_NAME);
	in->about = fit(node_find(node, "description"), KEY_ABOUT);
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

void import_nono(struct import *in, import_at root)
{
	static const struct import_row rows[] = {
		{"$schema", NULL, false, NULL, 0},
		{"meta", take_meta, false, NULL, 0},
		{"extends", take_extends, true, NULL, 0},
		{"groups", take_groups, true, NULL, 0},
		{"security", take_security, true, NULL, 0},
		{"filesystem", take_filesystem, true, NULL, 0},
		{"workdir", take_workdir, false, NULL, 0},
		{"network", take_network, true, NULL, 0},
		{"environment", take_environment, true, NULL, 0},
		{"commands", take_commands, true, NULL, 0},
		{"command_policies", take_command_policies, true, NULL, 0},
		{"linux", take_linux, false, NULL, 0},
		{"env_credentials", NULL, false, CREDENTIAL, 0},
		{"secrets", NULL, false, CREDENTIAL, 0},
		{"credential_capture", NULL, false, CREDENTIAL, 0},
		{"credential_providers", NULL, false, CREDENTIAL, 0},
		{"credential_routes", NULL, false, CREDENTIAL, 0},
		{"platform_overrides", NULL, true, "write its lines with when: {os: ...}", 0},
		{"allow_gpu", NULL, false, "process.may: [gpu]", 0},
		{"open_urls", NULL, false, "nothing is opened outside", 0},
		{"hooks", NULL, false, NO_POLICY, 0},
		{"session_hooks", NULL, false, "nothing is run outside", 0},
		{"rollback", NULL, false, "undo.mode", 0},
		{"undo", NULL, false, "undo.mode", 0},
		{"diagnostics", NULL, false, NO_POLICY, 0},
		{"skipdirs", NULL, false, NO_POLICY, 0},
		{"packs", NULL, false, NO_POLICY, 0},
		{"binary", NULL, false, "the command stands behind berm run --", 0},
		{"command_args", NULL, false, "the command stands behind berm run --", 0},
		{"interactive", NULL, false, NO_POLICY, 0},
		{"allow_launch_services", NULL, false, "macOS only", 0},
		{"allow_parent_of_protected", NULL, false, "macOS only", 0},
		{"unsafe_macos_seatbelt_rules", NULL, false, "macOS only", 0},
	};
	import_line(in, NULL, KEY_EXTENDS, "none");
	import_line(in, NULL, KEY_GROUPS, "shell-config");
	import_line(in, NULL, KEY_FS_DEFAULT, "deny");
	start_network(in, node_find(root, "network"));
	import_rows(in, root, rows, ARRAY_LEN(rows));
	take_written_files(in, node_find(root, "filesystem"));
}
