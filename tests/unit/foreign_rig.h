/* Policies of other sandboxes, made at random, and what each of them means: models that know nothing of berm's code. */
#ifndef BERM_TESTS_UNIT_FOREIGN_RIG_H
#define BERM_TESTS_UNIT_FOREIGN_RIG_H

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "policy/decide.h"
#include "sandbox/plan_decide.h"

enum { RULES_MAX = 48, PATTERN_MAX = 160 };

static uint64_t state_of_draws;

/* xorshift64*: the same in every run. */
static size_t draw(size_t below)
{
	state_of_draws ^= state_of_draws >> 12;
	state_of_draws ^= state_of_draws << 25;
	state_of_draws ^= state_of_draws >> 27;
	return (size_t)((state_of_draws * 0x2545f4914f6cdd1dU) >> 33) % below;
}

static const char *pick(const char *const *words, size_t count)
{
	return words[draw(count)];
}
#define PICK(words) pick(words, ARRAY_LEN(words))

/* ---- names on a small machine ------------------------------------------------------------------------------------ */

static const char home[] = "/home/u", workspace[] = "/home/u/w";
static const char *const roots[] = {"/home/u", "/home/u/w", "/srv", "/data"};
static const char *const folders[] = {"a", "b", ".c"};
static const char *const files[] = {"x", "y.md", "sub/x", "sub/.env"};

/* ---- what was written -------------------------------------------------------------------------------------------- */

/* Kinds of access, as sets. */
enum access {
	MAY_READ = 1 << PLAN_OP_READ,
	MAY_LIST = 1 << PLAN_OP_LIST,
	MAY_WRITE = 1 << PLAN_OP_WRITE,
	MAY_CREATE = 1 << PLAN_OP_CREATE,
	MAY_DELETE = 1 << PLAN_OP_DELETE,
	MAY_EXEC = 1 << PLAN_OP_EXEC,
	MAY_SEE = MAY_READ | MAY_LIST | MAY_EXEC,
	MAY_CHANGE = MAY_WRITE | MAY_CREATE | MAY_DELETE,
	MAY_ALL = MAY_SEE | MAY_CHANGE,
};

struct path_rule {
	char pattern[PATTERN_MAX]; /* absolute, "*" in a name, "**" for names */
	unsigned opens, closes;
	bool file;  /* the object alone */
	bool again; /* it opens what is closed as well */
};
struct word_rule {
	char text[PATTERN_MAX]; /* of a host, or a command */
	unsigned port;		/* 0: any */
	bool closes, words;
	const char *program, *method, *path; /* or NULL */
};

/* A document of another tool, and what it means. */
struct foreign {
	struct buf text;
	unsigned by_default;
	struct path_rule paths[RULES_MAX];
	struct word_rule hosts[RULES_MAX], commands[RULES_MAX];
	size_t path_count, host_count, command_count;
	bool hosts_open; /* what no rule names is open */
	bool all_closed; /* the network */
	bool wild;	 /* grants may have wildcards, which this version holds in no plan */
	bool one_label;	 /* is what a "*" of a host stands for */
	bool commands_open;
};

static void foreign_done(struct foreign *foreign)
{
	buf_done(&foreign->text);
}
#define auto_foreign __attribute__((cleanup(foreign_done))) struct foreign

static struct path_rule *add_path(struct foreign *foreign, const char *pattern, unsigned opens, unsigned closes)
{
	assert_true(foreign->path_count < RULES_MAX);
	struct path_rule *rule = &foreign->paths[foreign->path_count++];
	*rule = (struct path_rule){.opens = opens, .closes = closes};
	(void)snprintf(rule->pattern, sizeof rule->pattern, "%s", pattern);
	return rule;
}

static struct word_rule *add_word(struct word_rule *rules, size_t *count, const char *text, bool closes)
{
	assert_true(*count < RULES_MAX);
	struct word_rule *rule = &rules[(*count)++];
	*rule = (struct word_rule){.closes = closes};
	(void)snprintf(rule->text, sizeof rule->text, "%s", text);
	return rule;
}

/* ---- the models' own matching ------------------------------------------------------------------------------------ */

/* One name; "*" is any part of it. */
static bool name_fits(const char *pattern, size_t len, const char *name, size_t name_len)
{
	if (len == 0)
		return name_len == 0;
	if (pattern[0] == '*')
		return name_fits(pattern + 1, len - 1, name, name_len) ||
		       (name_len > 0 && name_fits(pattern, len, name + 1, name_len - 1));
	return name_len > 0 && pattern[0] == name[0] && name_fits(pattern + 1, len - 1, name + 1, name_len - 1);
}

/* Both begin with "/", or are at their end. tree: what lies below fits as well. */
static bool path_fits(const char *pattern, const char *path, bool tree)
{
	if (*pattern == '\0')
		return tree || *path == '\0';
	const char *next = pattern + 1 + strcspn(pattern + 1, "/"), *rest = path + (*path == '/');
	rest += strcspn(rest, "/");
	if (strncmp(pattern, "/**", 3) == 0 && (size_t)(next - pattern) == 3)
		return path_fits(next, path, tree) || (*path == '/' && path_fits(pattern, rest, tree));
	return *path == '/' &&
	       name_fits(pattern + 1, (size_t)(next - pattern - 1), path + 1, (size_t)(rest - path - 1)) &&
	       path_fits(next, rest, tree);
}

static bool rule_fits(const struct path_rule *rule, const char *path)
{
	return path_fits(rule->pattern, path, !rule->file);
}

/* What the other tool lets pass there. */
static unsigned opened_at(const struct foreign *foreign, const char *path)
{
	unsigned open = foreign->by_default, closed = 0, again = 0;
	for (size_t i = 0; i < foreign->path_count; i++) {
		const struct path_rule *rule = &foreign->paths[i];
		if (!rule_fits(rule, path))
			continue;
		open |= rule->opens;
		closed |= rule->closes;
		again |= rule->again ? rule->opens : 0;
	}
	return open & (~closed | again);
}

/* "*." in front: one label, or any labels. */
static bool host_fits(const char *pattern, const char *host, bool one_label)
{
	size_t len = strlen(host), suffix = strlen(pattern);
	if (strncmp(pattern, "*.", 2) != 0)
		return strcmp(pattern, host) == 0;
	if (one_label)
		return strchr(host, '.') != NULL && strcmp(strchr(host, '.'), pattern + 1) == 0;
	return len >= suffix && strcmp(host + len - (suffix - 1), pattern + 1) == 0;
}

static bool is_host_open(const struct foreign *foreign, const struct policy_question *question)
{
	bool open = foreign->hosts_open;
	if (foreign->all_closed)
		return false;
	for (size_t i = 0; i < foreign->host_count; i++) {
		const struct word_rule *rule = &foreign->hosts[i];
		bool fits = host_fits(rule->text, question->host, foreign->one_label) &&
			    (rule->port == 0 || rule->port == question->port) &&
			    (rule->program == NULL ||
			     (question->program != NULL && strcmp(rule->program, question->program) == 0));
		if (fits && rule->method != NULL && question->op == POLICY_OP_HTTP)
			fits = (strcmp(rule->method, "*") == 0 || strcmp(rule->method, question->method) == 0) &&
			       path_fits(rule->path, question->target, false);
		else if (fits && rule->method != NULL && rule->closes) /* only some requests are */
			fits = false;
		if (fits && rule->closes)
			return false;
		open |= fits;
	}
	return open;
}

/* Is this command closed or asked about by its words? */
static bool is_command_closed(const struct foreign *foreign, const char *command)
{
	for (size_t i = 0; i < foreign->command_count; i++) {
		const struct word_rule *rule = &foreign->commands[i];
		size_t len = strlen(rule->text);
		bool fits = strcmp(rule->text, command) == 0 ||
			    (rule->words && strncmp(rule->text, command, len) == 0 && command[len] == ' ');
		if (fits && rule->closes)
			return true;
	}
	return false;
}

/* ---- paths at random --------------------------------------------------------------------------------------------- */

/* An absolute path of the small machine; now and then with wildcards. */
static const char *draw_path(char path[static PATTERN_MAX], bool wild)
{
	const char *root = PICK(roots);
	const char *folder = wild && draw(6) == 0 ? "*" : PICK(folders);
	switch (draw(wild ? 6 : 4)) {
	case 0:
		(void)snprintf(path, PATTERN_MAX, "%s", root);
		break;
	case 1:
	case 2:
		(void)snprintf(path, PATTERN_MAX, "%s/%s", root, folder);
		break;
	case 3:
		(void)snprintf(path, PATTERN_MAX, "%s/%s/%s", root, folder, PICK(files));
		break;
	case 4:
		(void)snprintf(path, PATTERN_MAX, "%s/**/%s", root, draw(2) == 0 ? "x" : "*.md");
		break;
	default:
		(void)snprintf(path, PATTERN_MAX, "%s/%s/%s", root, folder, draw(2) == 0 ? "*" : "s*/x");
		break;
	}
	return path;
}

static bool is_in_folder(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The path as a person may write it. relative: what stands in front of one in the workspace. */
static void put_path(struct buf *out, const char *path, const char *relative)
{
	size_t inside = strlen(workspace), at_home = strlen(home);
	if (is_in_folder(path, workspace) && path[inside] == '/' && draw(2) == 0)
		buf_printf(out, "%s%s", relative, path + inside + 1);
	else if (is_in_folder(path, home) && draw(2) == 0)
		buf_printf(out, "~%s", path + at_home);
	else
		buf_puts(out, path);
}

/* "NAME": [...], each entry made by put; returns whether something was put. */
typedef void (*entry_put)(struct foreign *foreign, unsigned what);
static void put_list(struct foreign *foreign, const char *name, size_t most, entry_put put, unsigned what)
{
	buf_printf(&foreign->text, "\"%s\": [", name);
	for (size_t i = draw(most + 1); i > 0; i--) {
		put(foreign, what);
		buf_puts(&foreign->text, i > 1 ? ", " : "");
	}
	buf_puts(&foreign->text, "]");
}

/* ---- hosts at random --------------------------------------------------------------------------------------------- */

static const char *const host_patterns[] = {"a.example",   "b.example", "*.a.example",
					    "x.a.example", "*.example", "c.d.example"};
static const char *const hosts[] = {"a.example",   "b.example", "x.a.example", "y.x.a.example",
				    "c.d.example", "d.example", "e.test"};
static const uint16_t ports[] = {443, 80, 8443, 22};

enum { OPENS = 0, CLOSES = 1 };

static void put_host(struct foreign *foreign, unsigned closes)
{
	const char *host = PICK(host_patterns);
	struct word_rule *rule = add_word(foreign->hosts, &foreign->host_count, host, closes == CLOSES);
	rule->port = draw(4) == 0 ? 8443 : 0;
	if (rule->port != 0)
		buf_printf(&foreign->text, "\"%s:%u\"", host, rule->port);
	else
		buf_printf(&foreign->text, "\"%s\"", host);
}

/* ---- sandbox-runtime --------------------------------------------------------------------------------------------- */

enum srt_list { SRT_DENY_READ = 0, SRT_ALLOW_READ, SRT_ALLOW_WRITE, SRT_DENY_WRITE };

static void put_srt_path(struct foreign *foreign, unsigned list)
{
	char path[PATTERN_MAX];
	static const unsigned opens[] = {
		[SRT_ALLOW_READ] = MAY_SEE, [SRT_ALLOW_WRITE] = MAY_CHANGE, [SRT_DENY_WRITE] = 0};
	static const unsigned closes[] = {[SRT_DENY_READ] = MAY_SEE, [SRT_DENY_WRITE] = MAY_CHANGE};
	draw_path(path, list == SRT_DENY_READ || list == SRT_DENY_WRITE || (foreign->wild && list == SRT_ALLOW_WRITE));
	struct path_rule *rule = add_path(foreign, path, opens[list], closes[list]);
	rule->again = list == SRT_ALLOW_READ;
	buf_putc(&foreign->text, '"');
	put_path(&foreign->text, path, draw(2) == 0 ? "./" : "");
	buf_putc(&foreign->text, '"');
}

static void put_srt_filesystem(struct foreign *foreign)
{
	buf_puts(&foreign->text, "\"filesystem\": {");
	put_list(foreign, "denyRead", 3, put_srt_path, SRT_DENY_READ);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "allowRead", 2, put_srt_path, SRT_ALLOW_READ);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "allowWrite", 3, put_srt_path, SRT_ALLOW_WRITE);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "denyWrite", 3, put_srt_path, SRT_DENY_WRITE);
	buf_puts(&foreign->text, "}");
}

static void put_srt_network(struct foreign *foreign)
{
	buf_puts(&foreign->text, "\"network\": {");
	put_list(foreign, "allowedDomains", 4, put_host, OPENS);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "deniedDomains", 3, put_host, CLOSES);
	buf_puts(&foreign->text, "}");
}

static void make_srt(struct foreign *foreign)
{
	foreign->by_default = MAY_SEE;
	foreign->commands_open = true;
	buf_puts(&foreign->text, "{");
	put_srt_filesystem(foreign);
	buf_puts(&foreign->text, ", ");
	put_srt_network(foreign);
	buf_puts(&foreign->text, "}");
}

/* ---- landrun ----------------------------------------------------------------------------------------------------- */

static void make_landrun(struct foreign *foreign)
{
	static const struct {
		const char *flag;
		unsigned opens;
	} flags[] = {{"--ro", MAY_READ | MAY_LIST},
		     {"--rox", MAY_SEE},
		     {"--rw", MAY_ALL & ~(unsigned)MAY_EXEC},
		     {"--rwx", MAY_ALL}};
	char path[PATTERN_MAX];
	foreign->commands_open = true;
	buf_puts(&foreign->text, "landrun");
	for (size_t i = 1 + draw(4); i > 0; i--) {
		size_t flag = draw(ARRAY_LEN(flags));
		buf_printf(&foreign->text, " %s%s", flags[flag].flag, draw(2) == 0 ? "=" : " ");
		for (size_t n = 1 + draw(2); n > 0; n--) {
			draw_path(path, false);
			(void)add_path(foreign, path, flags[flag].opens, 0);
			buf_printf(&foreign->text, "%s%s", path, n > 1 ? "," : "");
		}
	}
	foreign->all_closed = draw(4) != 0;
	foreign->hosts_open = !foreign->all_closed;
	buf_puts(&foreign->text, foreign->all_closed ? " -- ls" : " --unrestricted-network -- ls");
}

/* ---- landlockconfig ---------------------------------------------------------------------------------------------- */

static void make_landlock(struct foreign *foreign)
{
	static const struct {
		const char *words;
		unsigned opens;
	} rights[] = {
		{"\"abi.all\"", MAY_ALL},
		{"\"abi.read_execute\"", MAY_SEE},
		{"\"abi.read_write\"", MAY_ALL & ~(unsigned)MAY_EXEC},
		{"\"read_file\", \"read_dir\"", MAY_READ | MAY_LIST},
		{"\"read_file\"", MAY_READ},
		{"\"read_dir\"", MAY_LIST},
		{"\"execute\"", MAY_EXEC},
		{"\"read_file\", \"read_dir\", \"execute\", \"write_file\"", MAY_SEE | MAY_WRITE},
		{"\"read_file\", \"read_dir\", \"make_reg\", \"remove_file\"",
		 MAY_READ | MAY_LIST | MAY_CREATE | MAY_DELETE},
	};
	static const struct {
		const char *words;
		unsigned handled;
	} handled[] = {{"\"abi.all\"", MAY_ALL},
		       {"\"abi.all\", \"v1.all\"", MAY_ALL},
		       {"\"abi.read_write\"", MAY_ALL & ~(unsigned)MAY_EXEC},
		       {"\"write_file\", \"make_reg\", \"remove_file\", \"remove_dir\"", MAY_CHANGE}};
	char path[PATTERN_MAX];
	size_t set = draw(3) == 0 ? draw(ARRAY_LEN(handled)) : 0;
	unsigned used = handled[set].handled;
	foreign->commands_open = foreign->hosts_open = true;
	buf_printf(&foreign->text, "abi = 6\n[[ruleset]]\nhandled_access_fs = [%s]\n", handled[set].words);
	for (size_t i = 1 + draw(4); i > 0; i--) {
		size_t right = draw(ARRAY_LEN(rights));
		draw_path(path, false);
		(void)add_path(foreign, path, rights[right].opens, 0);
		used |= rights[right].opens; /* what is used is handled */
		buf_printf(&foreign->text, "[[path_beneath]]\nallowed_access = [%s]\nparent = [\"%s\"]\n",
			   rights[right].words, path);
	}
	foreign->by_default = MAY_ALL & ~used;
}

/* ---- nono -------------------------------------------------------------------------------------------------------- */

enum nono_list { NONO_ALLOW = 0, NONO_READ, NONO_WRITE, NONO_READ_FILE, NONO_DENY };

static void put_nono_path(struct foreign *foreign, unsigned list)
{
	static const unsigned opens[] = {[NONO_ALLOW] = MAY_ALL,
					 [NONO_READ] = MAY_SEE,
					 [NONO_WRITE] = MAY_CHANGE,
					 [NONO_READ_FILE] = MAY_SEE,
					 [NONO_DENY] = 0};
	static const char *const conditions[] = {"linux", "macos", "container"};
	char path[PATTERN_MAX];
	size_t condition = draw(8);
	draw_path(path, list == NONO_DENY || (foreign->wild && list < NONO_WRITE));
	/* A condition that is not known grants nothing and closes. */
	bool counts = condition == 0 || condition >= ARRAY_LEN(conditions) || (condition == 2 && list == NONO_DENY);
	if (counts)
		add_path(foreign, path, opens[list], list == NONO_DENY ? MAY_ALL : 0)->file = list == NONO_READ_FILE;
	buf_puts(&foreign->text, condition < ARRAY_LEN(conditions) ? "{\"path\": \"" : "\"");
	put_path(&foreign->text, path, "");
	if (condition < ARRAY_LEN(conditions))
		buf_printf(&foreign->text, "\", \"when\": \"%s\"}", conditions[condition]);
	else
		buf_putc(&foreign->text, '"');
}

static const char *const programs[] = {"git", "npm", "rm", "git push"};
static const char *const commands[] = {"git",	   "git push", "git push origin", "npm", "npm run x",
				       "rm -rf x", "ls",       "git -C x push"};

static void put_nono_command(struct foreign *foreign, unsigned closes)
{
	const char *text = PICK(programs);
	struct word_rule *rule = add_word(foreign->commands, &foreign->command_count, text, closes == CLOSES);
	rule->words = true;
	buf_printf(&foreign->text, "\"%s\"", text);
}

static void put_nono_filesystem(struct foreign *foreign)
{
	buf_puts(&foreign->text, "\"filesystem\": {");
	put_list(foreign, "allow", 2, put_nono_path, NONO_ALLOW);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "read", 3, put_nono_path, NONO_READ);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "write", 2, put_nono_path, NONO_WRITE);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "read_file", 2, put_nono_path, NONO_READ_FILE);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "deny", 2, put_nono_path, NONO_DENY);
	buf_puts(&foreign->text, "}, ");
}

static void put_nono_network(struct foreign *foreign)
{
	foreign->all_closed = draw(5) == 0;
	foreign->hosts_open = false;
	buf_printf(&foreign->text, "\"network\": {%s", foreign->all_closed ? "\"block\": true, " : "");
	put_list(foreign, "allow_domain", 4, put_host, OPENS);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "deny_domain", 3, put_host, CLOSES);
	buf_puts(&foreign->text, "}, ");
}

static void make_nono(struct foreign *foreign)
{
	static const struct {
		const char *word;
		unsigned opens;
	} access[] = {{"none", 0}, {"read", MAY_SEE}, {"readwrite", MAY_ALL}};
	size_t workdir = draw(ARRAY_LEN(access));
	foreign->commands_open = true;
	buf_puts(&foreign->text, "{\"meta\": {\"name\": \"p\"}, ");
	put_nono_filesystem(foreign);
	put_nono_network(foreign);
	buf_printf(&foreign->text, "\"workdir\": {\"access\": \"%s\"}, \"commands\": {", access[workdir].word);
	(void)add_path(foreign, workspace, access[workdir].opens, 0);
	put_list(foreign, "deny", foreign->wild ? 2 : 0, put_nono_command, CLOSES);
	buf_puts(&foreign->text, "}}");
}

/* ---- OpenShell --------------------------------------------------------------------------------------------------- */

static const char *const tools[] = {"/usr/bin/git", "/usr/bin/curl"};
static const char *const request_paths[] = {"/**", "/a/**", "/a/b", "/a/b/c"};
static const char *const targets[] = {"/", "/a", "/a/b", "/a/b/c", "/b"};
static const char *const methods[] = {"GET", "POST", "DELETE"};

static void put_openshell_paths(struct foreign *foreign, const char *name, unsigned opens)
{
	char path[PATTERN_MAX];
	size_t inside = strlen(workspace);
	buf_printf(&foreign->text, "  %s:\n", name);
	for (size_t i = 1 + draw(3); i > 0; i--) {
		draw_path(path, false);
		(void)add_path(foreign, path, opens, 0);
		if (is_in_folder(path, workspace))
			buf_printf(&foreign->text, "    - /sandbox%s\n", path + inside);
		else
			buf_printf(&foreign->text, "    - %s\n", path);
	}
}

/* A rule for requests stands for every program and both of its lists, as the tool's own text has it. */
static void put_openshell_rules(struct foreign *foreign, const struct word_rule *endpoint)
{
	buf_puts(&foreign->text, "        protocol: rest\n        enforcement: enforce\n        rules:\n");
	for (size_t i = 1 + draw(2); i > 0; i--) {
		struct word_rule *rule = add_word(foreign->hosts, &foreign->host_count, endpoint->text, false);
		rule->port = endpoint->port;
		rule->program = endpoint->program;
		rule->method = PICK(methods);
		rule->path = PICK(request_paths);
		buf_printf(&foreign->text, "          - allow: {method: %s, path: \"%s\"}\n", rule->method, rule->path);
	}
	if (draw(2) == 0)
		return;
	struct word_rule *rule = add_word(foreign->hosts, &foreign->host_count, endpoint->text, true);
	rule->port = endpoint->port;
	rule->program = endpoint->program;
	rule->method = PICK(methods);
	rule->path = PICK(request_paths);
	buf_printf(&foreign->text, "        deny_rules:\n          - {method: %s, path: \"%s\"}\n", rule->method,
		   rule->path);
}

static void put_openshell_policy(struct foreign *foreign, size_t number)
{
	struct word_rule endpoint = {.port = draw(2) == 0 ? 443 : 8443, .program = PICK(tools)};
	(void)snprintf(endpoint.text, sizeof endpoint.text, "%s", PICK(host_patterns));
	buf_printf(&foreign->text, "  p%zu:\n    name: p%zu\n    endpoints:\n      - host: \"%s\"\n        port: %u\n",
		   number, number, endpoint.text, endpoint.port);
	if (draw(2) == 0)
		put_openshell_rules(foreign, &endpoint);
	else
		*add_word(foreign->hosts, &foreign->host_count, "", false) = endpoint;
	buf_printf(&foreign->text, "    binaries:\n      - {path: %s}\n", endpoint.program);
}

static void make_openshell(struct foreign *foreign)
{
	foreign->commands_open = foreign->one_label = true;
	buf_puts(&foreign->text, "version: 1\nfilesystem_policy:\n");
	bool workdir = draw(2) == 0;
	buf_printf(&foreign->text, "  include_workdir: %s\n", workdir ? "true" : "false");
	if (workdir)
		(void)add_path(foreign, workspace, MAY_ALL, 0);
	put_openshell_paths(foreign, "read_only", MAY_SEE);
	put_openshell_paths(foreign, "read_write", MAY_ALL);
	buf_puts(&foreign->text, "network_policies:\n");
	for (size_t i = 1 + draw(3); i > 0; i--)
		put_openshell_policy(foreign, i);
}

/* ---- Claude Code ------------------------------------------------------------------------------------------------- */

enum { CLAUDE_ALLOW = 0, CLAUDE_ASK, CLAUDE_DENY };

/* A pattern of gitignore's dialect, and the same from the root. */
static void put_claude_path(struct foreign *foreign, char pattern[static PATTERN_MAX], bool wild)
{
	static const char *const bare[] = {"x", "*.md", ".env", "**/x", "**/sub/*"};
	size_t inside = strlen(workspace), at_home = strlen(home), start = foreign->text.len;
	if (wild && draw(4) == 0) {
		const char *name = PICK(bare);
		(void)snprintf(pattern, PATTERN_MAX, "%s/%s%s", workspace, name[1] == '*' ? "" : "**/", name);
		buf_puts(&foreign->text, name);
		return;
	}
	draw_path(pattern, wild);
	if (is_in_folder(pattern, workspace) && pattern[inside] == '/' && strchr(pattern + inside + 1, '/') != NULL)
		buf_printf(&foreign->text, "%s%s", draw(2) == 0 ? "/" : "./", pattern + inside + 1);
	else if (is_in_folder(pattern, home) && pattern[at_home] == '/')
		buf_printf(&foreign->text, "~%s", pattern + at_home);
	else
		buf_printf(&foreign->text, "/%s", pattern);
	assert_true(foreign->text.len > start);
	if (draw(3) == 0)
		buf_puts(&foreign->text, "/**");
}

static void put_claude_command(struct foreign *foreign, unsigned decision)
{
	const char *text = PICK(programs);
	static const char *const ends[] = {"", ":*", " *"};
	size_t end = draw(ARRAY_LEN(ends));
	add_word(foreign->commands, &foreign->command_count, text, decision != CLAUDE_ALLOW)->words = end > 0;
	buf_printf(&foreign->text, "\"Bash(%s%s)\"", text, ends[end]);
}

static void put_claude_rule(struct foreign *foreign, unsigned decision)
{
	char pattern[PATTERN_MAX];
	size_t kind = draw(6);
	if (kind == 0 && foreign->wild) {
		put_claude_command(foreign, decision);
		return;
	}
	if (kind == 1) {
		const char *host = PICK(host_patterns);
		if (decision != CLAUDE_ASK)
			(void)add_word(foreign->hosts, &foreign->host_count, host, decision == CLAUDE_DENY);
		buf_printf(&foreign->text, "\"WebFetch(domain:%s)\"", host);
		return;
	}
	bool edits = kind > 3;
	buf_puts(&foreign->text, edits ? "\"Edit(" : "\"Read(");
	put_claude_path(foreign, pattern, foreign->wild || decision != CLAUDE_ALLOW);
	buf_puts(&foreign->text, ")\"");
	unsigned changes = decision == CLAUDE_ALLOW ? MAY_ALL : MAY_CHANGE, what = edits ? changes : MAY_SEE;
	(void)add_path(foreign, pattern, decision == CLAUDE_ALLOW ? what : 0, decision == CLAUDE_ALLOW ? 0 : what);
}

static void make_claude(struct foreign *foreign)
{
	buf_puts(&foreign->text, "{\"permissions\": {");
	put_list(foreign, "allow", 4, put_claude_rule, CLAUDE_ALLOW);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "ask", 2, put_claude_rule, CLAUDE_ASK);
	buf_puts(&foreign->text, ", ");
	put_list(foreign, "deny", 3, put_claude_rule, CLAUDE_DENY);
	buf_printf(&foreign->text, "}");
	(void)add_path(foreign, workspace, MAY_SEE, 0); /* without a word */
	if (draw(2) == 0) {
		buf_puts(&foreign->text, ", \"sandbox\": {\"enabled\": true}");
		(void)add_path(foreign, workspace, MAY_ALL, 0);
	}
	buf_puts(&foreign->text, "}");
	foreign->commands_open = true;
}

#endif
