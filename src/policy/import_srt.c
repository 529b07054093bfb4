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
	const struct import_row *row = context;
	import_line(in, item, (enum policy_key)row->into, pattern(in, text));
}

static void take_paths(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, take_path, row);
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

static import_at first_of(import_at map, const char *key)
{
	import_at list = node_find(map, key);
	return list != NULL && list->kind == NODE_LIST ? list->first : NULL;
}

/* Does a line of this list grant what is around the path? What is relative is in the workspace, which is read. */
static bool is_around(import_at map, const char *key, const char *path)
{
	bool around = path[0] != '/' && path[0] != '~' && path[0] != '$';
	for (import_at item = first_of(map, key); item != NULL && !around; item = item->next)
		around = item->kind == NODE_TEXT && is_below(path, item->text.ptr);
	return around;
}

/* What allowRead opens again within what denyRead closes is an exception of the line that closes it. Here the way to it
 * can be listed where something around it is granted. */
static void take_deny(struct import *in, import_at item, const char *text, const void *context)
{
	struct policy_attr except[IMPORT_ATTRS_MAX];
	size_t count = 0;
	import_at again = first_of(context, "allowRead");
	for (; again != NULL && count < IMPORT_ATTRS_MAX; again = again->next)
		if (again->kind == NODE_TEXT && is_below(again->text.ptr, text))
			except[count++] = (struct policy_attr){ATTR_EXCEPT, pattern(in, again->text.ptr)};
	(void)import_line_with(in, item, KEY_DENY, pattern(in, text), except, count);
	if (count > 0)
		import_left(in, item, is_around(context, "allowWrite", text) || is_around(context, "allowRead", text),
			    import_show(in, item), "names in it can be listed if what is around it is granted");
}

static void deny_files(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	import_texts(in, node, row->narrows, take_deny, map);
}

void import_srt_filesystem(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"denyRead", deny_files, true, NULL, 0},
		{"allowRead", take_paths, false, NULL, KEY_READ},
		{"allowWrite", take_paths, false, NULL, KEY_WRITE},
		{"denyWrite", take_paths, true, NULL, KEY_PROTECT},
		{"allowGitConfig", NULL, false, "changes of .git/config that run no program are taken anyway", 0},
		{"disabled", NULL, false, "files are never open as a whole", 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
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

static void allow_hosts(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, take_allowed, NULL);
}
static void deny_hosts(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	import_texts(in, node, row->narrows, take_denied, node_find(map, "deniedDomainReasons"));
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

void import_srt_network(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"allowedDomains", allow_hosts, false, NULL, 0},
		{"deniedDomains", deny_hosts, true, NULL, 0},
		{"deniedDomainReasons", NULL, false, NULL, 0},
		{"strictAllowlist", NULL, false, NULL, 0},
		{"allowManagedDomainsOnly", NULL, false, NO_POLICY, 0},
		{"allowUnixSockets", take_paths, false, NULL, KEY_SOCKETS},
		{"allowAllUnixSockets", NULL, false, "network.sockets names them one by one", 0},
		{"allowLocalBinding", NULL, false, "the sandbox has a loopback of its own, where everything may listen",
		 0},
		{"allowMachLookup", NULL, false, "macOS only", 0},
		{"httpProxyPort", NULL, true, "a proxy of one's own may filter; write its rules as network lines", 0},
		{"socksProxyPort", NULL, true, "a proxy of one's own may filter; write its rules as network lines", 0},
		{"mitmProxy", NULL, true, "a proxy of one's own may filter; write its rules as http: of network.allow",
		 0},
		{"tlsTerminate", NULL, false, NO_POLICY, 0},
		{"parentProxy", NULL, false, "network.upstream names one proxy", 0},
		{"filterRequest", NULL, true, "write its rules as http: of network.allow", 0},
	};
	(void)row;
	(void)map;
	import_line(in, NULL, KEY_NET_MODE, denies_all(node) ? "none" : "filtered");
	import_line(in, NULL, KEY_NET_DEFAULT, "deny");
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

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

static void take_credentials(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
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
		{"network", import_srt_network, true, NULL, 0},
		{"filesystem", import_srt_filesystem, true, NULL, 0},
		{"credentials", take_credentials, true, NULL, 0},
		{"$schema", NULL, false, NULL, 0},
		{"ignoreViolations", NULL, false, NO_POLICY, 0},
		{"enableWeakerNestedSandbox", NULL, false, "the sandbox is never weakened", 0},
		{"enableWeakerNetworkIsolation", NULL, false, "the sandbox is never weakened", 0},
		{"ripgrep", NULL, false, NO_POLICY, 0},
		{"mandatoryDenySearchDepth", NULL, false, "protected names hold at any depth", 0},
		{"allowPty", NULL, false, NO_POLICY, 0},
		{"seccomp", NULL, false, NO_POLICY, 0},
		{"git", NULL, false, NO_POLICY, 0},
		{"windows", NULL, false, NO_POLICY, 0},
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
	import_rows(in, root, rows, ARRAY_LEN(rows));
}
