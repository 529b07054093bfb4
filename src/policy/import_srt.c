/* Settings of Anthropic's sandbox-runtime: reads are open but for what is denied, writes and hosts closed but for what is
 * allowed. */
#include <string.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/import_build.h"

#define NO_POLICY "a setting of the program, no policy"

/* ---- files ------------------------------------------------------------------------------------------------------- */

static const char *pattern(struct import *in, const char *path)
{
	return import_pattern(in, path, "*?[]");
}

static void take_path(struct import *in, import_at item, const char *text, const void *context)
{
	import_line(in, item, *(const enum policy_key *)context, pattern(in, text));
}

/* A path without wildcards that is inside the other one, not that itself; what stands in the workspace is inside the folders
 * around every workspace. */
static bool is_below(const char *path, const char *folder)
{
	bool wide = strcmp(folder, "~") == 0 || strcmp(folder, "~/") == 0 || strcmp(folder, "/") == 0 ||
		    strcmp(folder, "/home") == 0;
	bool relative = path[0] != '/' && path[0] != '~' && path[0] != '$';
	bool same = path_is_in(str_from(folder), str_from(path));
	if (strpbrk(path, "*?[") != NULL)
		return false;
	return (wide && relative) || (!same && path_is_in(str_from(path), str_from(folder)));
}

/* What allowRead opens again within what denyRead closes is an exception of the line that closes it. */
static void take_deny(struct import *in, import_at item, const char *text, const void *context)
{
	struct policy_attr except[IMPORT_ATTRS_MAX];
	size_t count = 0;
	const struct node *open = context;
	import_at again = open != NULL && open->kind == NODE_LIST ? open->first : NULL;
	for (; again != NULL && count < IMPORT_ATTRS_MAX; again = again->next)
		if (again->kind == NODE_TEXT && is_below(again->text.ptr, text))
			except[count++] = (struct policy_attr){ATTR_EXCEPT, pattern(in, again->text.ptr)};
	(void)import_line_with(in, item, KEY_DENY, pattern(in, text), except, count);
}

static void read_again(struct import *in, import_at node, const void *context)
{
	static const enum policy_key key = KEY_READ;
	(void)context;
	import_texts(in, node, false, take_path, &key);
}
static void write_files(struct import *in, import_at node, const void *context)
{
	static const enum policy_key key = KEY_WRITE;
	(void)context;
	import_texts(in, node, false, take_path, &key);
}
static void protect_files(struct import *in, import_at node, const void *context)
{
	static const enum policy_key key = KEY_PROTECT;
	(void)context;
	import_texts(in, node, true, take_path, &key);
}
static void deny_files(struct import *in, import_at node, const void *context)
{
	import_texts(in, node, true, take_deny, node_find(context, "allowRead"));
}

void import_srt_filesystem(struct import *in, import_at map)
{
	static const struct import_row rows[] = {
		{"denyRead", deny_files, true, NULL},
		{"allowRead", read_again, false, NULL},
		{"allowWrite", write_files, false, NULL},
		{"denyWrite", protect_files, true, NULL},
		{"allowGitConfig", NULL, false, "changes of .git/config that run no program are taken anyway"},
		{"disabled", NULL, false, "files are never open as a whole"},
	};
	import_rows(in, map, rows, ARRAY_LEN(rows), map);
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

static bool has_port(const char *host)
{
	const char *colon = strrchr(host, ':');
	return colon != NULL && strchr(colon, ']') == NULL;
}

/* Without a port it is any there; here the two of the web. */
static void take_allowed(struct import *in, import_at item, const char *text, const void *context)
{
	(void)context;
	if (strcmp(text, "localhost") == 0 || strncmp(text, "localhost:", 10) == 0) {
		import_left(in, item, false, import_show(in, item),
			    "network.reach names ports of the machine's own loopback");
		return;
	}
	const char *host = import_host(in, text);
	import_line(in, item, KEY_NET_ALLOW, host);
	if (!has_port(text))
		import_line(in, item, KEY_NET_ALLOW, import_format(in, "%s:80", host));
}

static void take_denied(struct import *in, import_at item, const char *text, const void *context)
{
	import_at why = node_find(context, text);
	bool told = why != NULL && why->kind == NODE_TEXT;
	if (strcmp(text, "*") == 0) /* is the mode */
		return;
	(void)import_line_with(in, item, KEY_NET_DENY,
			       strncmp(text, "*:", 2) == 0 ? import_format(in, "*%s", text) : import_host(in, text),
			       &(struct policy_attr){ATTR_WHY, told ? why->text.ptr : ""}, told);
	if (strncmp(text, "*:", 2) == 0)
		import_left(in, item, true, import_show(in, item), "holds for names here, not for addresses");
}

static void allow_hosts(struct import *in, import_at node, const void *context)
{
	(void)context;
	import_texts(in, node, false, take_allowed, NULL);
}
static void deny_hosts(struct import *in, import_at node, const void *context)
{
	import_texts(in, node, true, take_denied, node_find(context, "deniedDomainReasons"));
}
static void open_sockets(struct import *in, import_at node, const void *context)
{
	static const enum policy_key key = KEY_SOCKETS;
	(void)context;
	import_texts(in, node, false, take_path, &key);
}

/* "*" in deniedDomains wins over all the rest, so mode is said once. */
static bool denies_all(import_at map)
{
	import_at list = node_find(map, "deniedDomains");
	import_at item = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
	while (item != NULL && !str_eq(item->text, STR("*")))
		item = item->next;
	return item != NULL;
}

void import_srt_network(struct import *in, import_at map)
{
	static const struct import_row rows[] = {
		{"allowedDomains", allow_hosts, false, NULL},
		{"deniedDomains", deny_hosts, true, NULL},
		{"deniedDomainReasons", NULL, false, NULL},
		{"strictAllowlist", NULL, false, NULL},
		{"allowManagedDomainsOnly", NULL, false, NO_POLICY},
		{"allowUnixSockets", open_sockets, false, NULL},
		{"allowAllUnixSockets", NULL, false, "network.sockets names them one by one"},
		{"allowLocalBinding", NULL, false,
		 "the sandbox has a loopback of its own, where everything may listen"},
		{"allowMachLookup", NULL, false, "macOS only"},
		{"httpProxyPort", NULL, true, "a proxy of one's own may filter; write its rules as network lines"},
		{"socksProxyPort", NULL, true, "a proxy of one's own may filter; write its rules as network lines"},
		{"mitmProxy", NULL, true, "a proxy of one's own may filter; write its rules as http: of network.allow"},
		{"tlsTerminate", NULL, false, NO_POLICY},
		{"parentProxy", NULL, false, "network.upstream names one proxy"},
		{"filterRequest", NULL, true, "write its rules as http: of network.allow"},
	};
	import_line(in, NULL, KEY_NET_MODE, denies_all(map) ? "none" : "filtered");
	import_line(in, NULL, KEY_NET_DEFAULT, "deny");
	import_rows(in, map, rows, ARRAY_LEN(rows), map);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void take_network(struct import *in, import_at node, const void *context)
{
	(void)context;
	import_srt_network(in, node);
}
static void take_filesystem(struct import *in, import_at node, const void *context)
{
	(void)context;
	import_srt_filesystem(in, node);
}

static void take_credential(struct import *in, import_at entry)
{
	import_at path = node_find(entry, "path"), mode = node_find(entry, "mode");
	if (path == NULL || path->kind != NODE_TEXT)
		import_left(in, entry, true, "credentials.files", "an entry without a path");
	else
		import_line(in, entry, KEY_DENY, pattern(in, path->text.ptr));
	if (mode != NULL && str_eq(mode->text, STR("mask")))
		import_left(in, entry, false, import_show(in, path != NULL ? path : entry),
			    "closed, as nothing stands in for it");
}

static void take_credentials(struct import *in, import_at node, const void *context)
{
	(void)context;
	for (import_at part = node->kind == NODE_MAP ? node->first : NULL; part != NULL; part = part->next) {
		bool files = str_eq(part->key, STR("files")) && part->kind == NODE_LIST;
		for (import_at entry = files ? part->first : NULL; entry != NULL; entry = entry->next)
			take_credential(in, entry);
		if (!files)
			import_left(in, part, true, import_show(in, part),
				    "variables are passed only if environment.pass or a group names them: look there");
	}
}

void import_srt(struct import *in, import_at root)
{
	static const struct import_row rows[] = {
		{"network", take_network, true, NULL},
		{"filesystem", take_filesystem, true, NULL},
		{"credentials", take_credentials, true, NULL},
		{"$schema", NULL, false, NULL},
		{"ignoreViolations", NULL, false, NO_POLICY},
		{"enableWeakerNestedSandbox", NULL, false, "the sandbox is never weakened"},
		{"enableWeakerNetworkIsolation", NULL, false, "the sandbox is never weakened"},
		{"ripgrep", NULL, false, NO_POLICY},
		{"mandatoryDenySearchDepth", NULL, false, "protected names hold at any depth"},
		{"allowPty", NULL, false, NO_POLICY},
		{"seccomp", NULL, false, NO_POLICY},
		{"git", NULL, false, NO_POLICY},
		{"windows", NULL, false, NO_POLICY},
	};
	static const char *const groups[] = {"user-tools", "git-persistence", "shell-startup", "login-startup"};
	import_line(in, NULL, KEY_EXTENDS, "none");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		import_line(in, NULL, KEY_GROUPS, groups[i]);
	import_line(in, NULL, KEY_READ, ".");
	import_line(in, NULL, KEY_FS_DEFAULT, "deny");
	import_left(in, NULL, false, "every file may be read",
		    "only the system, tools and the workspace; filesystem.read names more");
	if (node_find(root, "network") == NULL)
		import_line(in, NULL, KEY_NET_MODE, "none");
	import_rows(in, root, rows, ARRAY_LEN(rows), NULL);
}
