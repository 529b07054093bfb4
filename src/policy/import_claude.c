/* Settings of Claude Code: rules for its tools, in the dialect of gitignore for paths, and its own sandbox. */
#include <string.h>

#include "base/own.h"
#include "policy/import_build.h"

#define NO_POLICY "a setting of the program, no policy"

enum decision { ALLOW = 0, ASK, DENY };
static const char *const decision_words[] = {"allow", "ask", "deny"};

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* "//x" is from the root, "/x" and "x/y" from the project, "x" at any depth of it. What closes holds outside of the project
 * as well. */
static const char *anchor(struct import *in, const char *path, bool closes)
{
	const char *slash = strchr(path, '/');
	bool inner = slash != NULL && slash[1] != '\0';
	if (strncmp(path, "//", 2) == 0)
		return path + 1;
	if (strncmp(path, "~/", 2) == 0 || strncmp(path, "./", 2) == 0 || strcmp(path, "~") == 0 ||
	    strcmp(path, ".") == 0)
		return path;
	if (strncmp(path, "**/", 3) == 0)
		return closes ? path : import_format(in, "./%s", path);
	if (path[0] == '/')
		return import_format(in, ".%s", path);
	if (inner)
		return import_format(in, "./%s", path);
	return import_format(in, closes ? "**/%s" : "./**/%s", path);
}

/* "x/" and "x/..." with two stars are the folder and all in it: a path without wildcards is that already. */
static const char *without_end(struct import *in, const char *path)
{
	size_t len = strlen(path);
	if (len > 3 && strcmp(path + len - 3, "/**") == 0)
		len -= 3;
	while (len > 1 && path[len - 1] == '/')
		len--;
	return import_format(in, "%.*s", (int)len, path);
}

static void take_path(struct import *in, import_at at, const char *text, enum decision decision, bool edits)
{
	static const enum policy_key keys[][2] = {
		[ALLOW] = {KEY_READ, KEY_WRITE}, [ASK] = {KEY_ASK, KEY_ASK}, [DENY] = {KEY_DENY, KEY_PROTECT}};
	bool closes = decision != ALLOW;
	if (text[0] == '!') {
		import_left(in, at, !closes, import_show(in, at),
			    "an exception; here except: stands where the line does");
		return;
	}
	const char *path = without_end(in, anchor(in, text, closes));
	import_line(in, at, keys[decision][edits], import_pattern(in, path, "*?[]\\"));
	/* Who writes braces means either of them, which is no pattern there: both are closed. */
	if (closes && strchr(path, '{') != NULL)
		import_line(in, at, keys[decision][edits], import_pattern(in, path, "*?[]{}\\"));
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* Only a star is more than itself there. "": out of memory, which is no command. */
static const char *plain_words(struct import *in, const char *text)
{
	size_t len = 0;
	char *plain = arena_alloc(in->arena, 2 * strlen(text) + 1);
	for (; plain != NULL && *text != '\0'; text++) {
		if (strchr("?[]{}\\", *text) != NULL)
			plain[len++] = '\\';
		plain[len++] = *text;
	}
	return plain != NULL ? plain : "";
}

/* ":*" and " *" at the end are any further words. A star elsewhere is any text there, a part of one word here. */
static void take_command(struct import *in, import_at at, const char *text, enum decision decision)
{
	const struct policy_attr attr = {ATTR_DECISION, decision_words[decision]};
	size_t len = strlen(text);
	bool words = len > 2 && (strcmp(text + len - 2, ":*") == 0 || strcmp(text + len - 2, " *") == 0);
	const char *start = words ? import_format(in, "%.*s", (int)(len - 2), text) : text;
	start = plain_words(in, start);
	const char *star = strchr(start, '*');
	bool open = star != NULL && star[1] == '\0';
	(void)import_line_with(in, at, KEY_COMMAND, start, &attr, 1);
	if (words || open)
		(void)import_line_with(in, at, KEY_COMMAND, import_format(in, "%s **", start), &attr, 1);
	if (star != NULL && !open && decision != ALLOW)
		import_left(in, at, true, import_show(in, at),
			    "a '*' within is a part of one word here, and any text there");
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

static void take_fetch(struct import *in, import_at at, const char *text, enum decision decision)
{
	const char *colon = strchr(text, ':');
	const char *host = colon != NULL && str_starts(str_from(text), STR("domain:")) ? colon + 1 : "";
	if (host[0] == '\0')
		import_left(in, at, decision != ALLOW, import_show(in, at),
			    "a tool of the agent's; hosts are named here");
	else if (decision == ASK)
		import_left(in, at, false, import_show(in, at), "what no line of network.allow names is asked anyway");
	else
		import_line(in, at, decision == DENY ? KEY_NET_DENY : KEY_NET_ALLOW,
			    decision == DENY ? import_host(in, host) : host);
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

enum tool { TOOL_READ = 0, TOOL_EDIT, TOOL_COMMAND, TOOL_FETCH };
static const struct {
	const char *name;
	enum tool tool;
} tools[] = {
	{"Read", TOOL_READ},	     {"Edit", TOOL_EDIT},	  {"Write", TOOL_EDIT},	    {"Glob", TOOL_READ},
	{"Grep", TOOL_READ},	     {"MultiEdit", TOOL_EDIT},	  {"Bash", TOOL_COMMAND},   {"LS", TOOL_READ},
	{"NotebookRead", TOOL_READ}, {"NotebookEdit", TOOL_EDIT}, {"WebFetch", TOOL_FETCH},
};

/* A tool as a whole. */
static void take_bare(struct import *in, import_at at, enum tool tool, enum decision decision)
{
	if (tool == TOOL_COMMAND)
		(void)import_line_with(in, at, KEY_COMMAND, "**",
				       &(struct policy_attr){ATTR_DECISION, decision_words[decision]}, 1);
	else if (tool == TOOL_FETCH)
		take_fetch(in, at, "", decision);
	else if (decision != ALLOW)
		import_line(in, at, tool == TOOL_READ ? KEY_DENY : KEY_PROTECT, ".");
	else
		take_path(in, at, ".", ALLOW, tool == TOOL_EDIT);
}

static void take_tool(struct import *in, import_at at, enum tool tool, const char *inside, enum decision decision)
{
	if (inside == NULL || inside[0] == '\0' || strcmp(inside, "*") == 0)
		take_bare(in, at, tool, decision);
	else if (tool == TOOL_COMMAND)
		take_command(in, at, inside, decision);
	else if (tool == TOOL_FETCH)
		take_fetch(in, at, inside, decision);
	else
		take_path(in, at, inside, decision, tool == TOOL_EDIT);
}

static void take_rule(struct import *in, import_at item, const char *text, const void *context)
{
	enum decision decision = (enum decision)((const struct import_row *)context)->into;
	const char *open = strchr(text, '(');
	size_t len = strlen(text), name = open != NULL ? (size_t)(open - text) : len;
	bool whole = open == NULL || text[len - 1] == ')';
	for (size_t i = 0; i < ARRAY_LEN(tools) && whole; i++)
		if (strlen(tools[i].name) == name && memcmp(tools[i].name, text, name) == 0) {
			size_t inside = open != NULL ? len - name - 2 : 0;
			take_tool(in, item, tools[i].tool,
				  open != NULL ? import_format(in, "%.*s", (int)inside, open + 1) : NULL, decision);
			return;
		}
	import_left(in, item, decision != ALLOW, import_show(in, item),
		    "a tool of the agent's own, which the agent judges");
}

static void take_rules(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, take_rule, row);
}
static void take_folder(struct import *in, import_at item, const char *text, const void *context)
{
	(void)context;
	import_line(in, item, KEY_READ, import_literal(in, text));
}
static void take_folders(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)map;
	import_texts(in, node, row->narrows, take_folder, NULL);
}

static void take_permissions(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"allow", take_rules, false, NULL, ALLOW},
		{"ask", take_rules, true, NULL, ASK},
		{"deny", take_rules, true, NULL, DENY},
		{"additionalDirectories", take_folders, false, NULL, 0},
		{"defaultMode", NULL, false, "what the agent asks; the sandbox is the same in every mode", 0},
		{"disableBypassPermissionsMode", NULL, false,
		 "what the agent asks; the sandbox is the same in every mode", 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

/* ---- the sandbox, and the rest ----------------------------------------------------------------------------------- */

static void take_enabled(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (import_is_true(node))
		import_line(in, node, KEY_WRITE, ".");
}
static void take_sandbox(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row rows[] = {
		{"enabled", take_enabled, false, NULL, 0},
		{"network", import_srt_network, true, NULL, 0},
		{"filesystem", import_srt_filesystem, true, NULL, 0},
		{"failIfUnavailable", NULL, false, NULL, 0},
		{"autoAllowBashIfSandboxed", NULL, false, NO_POLICY, 0},
		{"allowUnsandboxedCommands", NULL, false, "nothing runs outside of the sandbox", 0},
		{"excludedCommands", NULL, false, "nothing runs outside of the sandbox", 0},
		{"enableWeakerNestedSandbox", NULL, false, "the sandbox is never weakened", 0},
		{"enableWeakerNetworkIsolation", NULL, false, "the sandbox is never weakened", 0},
		{"ignoreViolations", NULL, false, NO_POLICY, 0},
		{"ripgrep", NULL, false, NO_POLICY, 0},
	};
	(void)row;
	(void)map;
	import_rows(in, node, rows, ARRAY_LEN(rows));
}

void import_claude(struct import *in, import_at root)
{
	static const struct import_row rows[] = {
		{"permissions", take_permissions, true, NULL, 0},
		{"sandbox", take_sandbox, true, NULL, 0},
		{"env", import_variables, false, NULL, 0},
		{"$schema", NULL, false, NULL, 0},
		{NULL, NULL, false, NO_POLICY, 0},
	};
	import_line(in, NULL, KEY_EXTENDS, "none");
	import_line(in, NULL, KEY_GROUPS, "user-tools");
	import_line(in, NULL, KEY_READ, ".");
	import_rows(in, root, rows, ARRAY_LEN(rows));
}
