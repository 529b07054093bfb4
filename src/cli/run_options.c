#include "cli/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "cli/commands.h"
#include "format/nearest.h"
#include "policy/load.h"

enum { MAX_TEXT = 64 * 1024 * 1024 };

/* What an option's value goes to: a policy line of that key, or one of these. */
enum mark {
	MARK_PROFILE = POLICY_KEYS,
	MARK_NO_PROFILE,
	MARK_ENV,
	MARK_LIMIT,
	MARK_ALLOW,
	MARK_ASK,
	MARK_NO_ASK,
	MARK_COUNT
};

static const char *const net_words[] = {"filtered", "none", "host", NULL};
static const char *const view_words[] = {"auto", "visible", "hidden", NULL};
static const char *const backend_words[] = {"any", "namespaces", "landlock", NULL};
static const char *const allow_words[] = {"ptrace", "userns", "io_uring", "memfd-exec", "gpu",
					  "kvm",    "perf",   "signals",  "host-tmp",	NULL};
static const char *const limit_words[] = {"memory=", "processes=", "cpu=", "files=", "file-size=", "wall=", NULL};

static const struct option_row rows[] = {
	{
		.letter = 'p',
		.name = "profile",
		.kind = OPTION_USE,
		.mark = MARK_PROFILE,
		.complete = COMPLETE_PATH,
		.argument = "PROFILE|FILE",
		.policy = true,
		.help = "the policy to start from: the name of a profile, or a file (with a '/' in it); may be given "
			"again, as all that follow here; without it the one that names the program, else default",
	},
	{
		.name = "no-profile",
		.kind = OPTION_USE,
		.mark = MARK_NO_PROFILE,
		.policy = true,
		.help = "no profile: the system's programs, scratch folders, and what the other options say",
	},
	{
		.letter = 'g',
		.name = "group",
		.kind = OPTION_USE,
		.mark = KEY_GROUPS,
		.argument = "GROUP",
		.help = "the lines of a group (\"berm group list\"); -g -GROUP takes them out",
		.line = "groups",
	},
	{
		.letter = 'r',
		.name = "read",
		.kind = OPTION_USE,
		.mark = KEY_READ,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read files and list folders below PATH",
		.line = "filesystem.read",
	},
	{
		.letter = 'w',
		.name = "write",
		.kind = OPTION_USE,
		.mark = KEY_WRITE,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read, create, change, rename and remove files below PATH, and run programs there",
		.line = "filesystem.write",
	},
	{
		.letter = 'x',
		.name = "exec",
		.kind = OPTION_USE,
		.mark = KEY_EXEC,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read PATH and run programs there",
		.line = "filesystem.exec",
	},
	{
		.name = "deny",
		.kind = OPTION_USE,
		.mark = KEY_DENY,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "no access to PATH, also where a grant around it gives it, and if it is made later; a pattern "
			"like '**/.env' holds at any depth",
		.line = "filesystem.deny",
	},
	{
		.name = "protect",
		.kind = OPTION_USE,
		.mark = KEY_PROTECT,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "PATH may be read, but not changed, made or removed; a path or a pattern",
		.line = "filesystem.protect",
	},
	{
		.letter = 'n',
		.name = "net",
		.kind = OPTION_USE,
		.mark = KEY_NET_MODE,
		.complete = COMPLETE_WORDS,
		.argument = "filtered|none|host",
		.words = net_words,
		.help = "filtered: the hosts that the policy allows (the default); "
			"none: "
			"no network beyond the sandbox's own loopback; host: the machine's network as it is, with "
			"everything that listens on it",
		.line = "network.mode",
	},
	{
		.name = "allow-net",
		.kind = OPTION_USE,
		.mark = KEY_NET_ALLOW,
		.argument = "HOST[:PORT]",
		.help = "HOST may be reached, at port 443 unless one is named; '*.HOST' is what is one label below it",
		.line = "network.allow",
	},
	{
		.name = "deny-net",
		.kind = OPTION_USE,
		.mark = KEY_NET_DENY,
		.argument = "HOST[:PORT]",
		.help = "HOST may not be reached, whatever allows it",
		.line = "network.deny",
	},
	{
		.name = "reach",
		.kind = OPTION_USE,
		.mark = KEY_REACH,
		.argument = "PORT",
		.help = "a port of the host's loopback can be reached inside (not in this version)",
		.line = "network.reach",
	},
	{
		.name = "publish",
		.kind = OPTION_USE,
		.mark = KEY_PUBLISH,
		.argument = "PORT",
		.help = "a port inside can be reached on the host's loopback (not in this version)",
		.line = "network.publish",
	},
	{
		.name = "upstream",
		.kind = OPTION_USE,
		.mark = KEY_UPSTREAM,
		.argument = "URL",
		.help = "the proxy through which the network is reached (not in this version)",
		.line = "network.upstream",
	},
	{
		.name = "secret",
		.kind = OPTION_USE,
		.mark = KEY_SECRET,
		.argument = "NAME",
		.help = "put a secret into requests (not in this version)",
		.line = "secrets",
	},
	{
		.name = "socket",
		.kind = OPTION_USE,
		.mark = KEY_SOCKETS,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "connect to the Unix socket at PATH",
		.line = "network.sockets",
	},
	{
		.letter = 'e',
		.name = "env",
		.kind = OPTION_USE,
		.mark = MARK_ENV,
		.argument = "NAME[=VALUE]",
		.help = "pass the variable NAME on, or set it to VALUE; others than a short list are not passed on",
		.line = "environment",
	},
	{
		.name = "limit",
		.kind = OPTION_USE,
		.mark = MARK_LIMIT,
		.complete = COMPLETE_WORDS,
		.argument = "KEY=VALUE",
		.words = limit_words,
		.help = "memory=SIZE, processes=N, cpu=TIME, files=N (open at once), file-size=SIZE or wall=TIME; "
			"sizes as 512MiB, times as 90s, 15m, 2h",
		.line = "process.limits",
	},
	{
		.name = "timeout",
		.kind = OPTION_USE,
		.mark = KEY_LIMIT_WALL,
		.argument = "TIME",
		.help = "end the sandbox after TIME: --limit wall=TIME",
		.line = "process.limits.wall",
	},
	{
		.name = "view",
		.kind = OPTION_USE,
		.mark = KEY_VIEW,
		.complete = COMPLETE_WORDS,
		.argument = "visible|hidden|auto",
		.words = view_words,
		.help = "hidden: what is not granted is not there; visible: its names can be seen; auto: hidden where "
			"the machine can do it (the default)",
		.line = "filesystem.view",
	},
	{
		.name = "backend",
		.kind = OPTION_USE,
		.mark = KEY_BACKEND,
		.complete = COMPLETE_WORDS,
		.argument = "namespaces|landlock|any",
		.words = backend_words,
		.help = "demand where the enforcement comes from; without it the strongest there is",
		.line = "backend",
	},
	{
		.name = "allow",
		.kind = OPTION_USE,
		.mark = MARK_ALLOW,
		.complete = COMPLETE_WORDS,
		.argument = "EXTRA",
		.words = allow_words,
		.help = "what is off unless asked for: ptrace, userns, io_uring, memfd-exec, gpu, kvm, perf, signals "
			"(to processes outside), host-tmp (instead of a private /tmp)",
		.line = "process.may",
	},
	{
		.name = "ask",
		.kind = OPTION_USE,
		.mark = MARK_ASK,
		.help = "somebody is asked: whom approvals.by names, else whoever runs \"berm approve\" in another "
			"terminal",
		.line = "approvals.mode",
	},
	{
		.name = "no-ask",
		.kind = OPTION_USE,
		.mark = MARK_NO_ASK,
		.help = "nobody can be asked: what is to be asked is denied",
		.line = "approvals.mode",
	},
	{
		.name = "accept-hash",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct run_choices, accept_hash),
		.argument = "HASH",
		.policy = true,
		.help = "what the project's .berm.yaml wants is agreed to for this run, if the file has this SHA-256",
	},
	{
		.name = "name",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct run_choices, name),
		.argument = "NAME",
		.help = "the name of the session in events",
	},
	{
		.name = "events",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct run_choices, events),
		.complete = COMPLETE_PATH,
		.argument = "FILE|fd:N",
		.help = "append what happens to FILE, or to the descriptor N, one JSON object a line",
	},
	{
		.name = "cwd",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct run_choices, cwd),
		.complete = COMPLETE_FOLDER,
		.argument = "DIR",
		.policy = true,
		.help = "as if berm had been started in DIR",
	},
	{
		.name = "fail-on-deny",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct run_choices, fail_on_deny),
		.help = "exit status 123 instead of 0 if anything was denied",
	},
	{
		.name = "explain",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct run_choices, explain),
		.help = "print the policy, the plan and who enforces what, and start nothing",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct run_choices, json),
		.help = "with --explain: as JSON",
	},
	{
		.letter = 'q',
		.name = "quiet",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct run_choices, quiet),
		.help = "say nothing but errors",
	},
	{
		.letter = 'v',
		.name = "verbose",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct run_choices, verbose),
		.help = "say which back-end is used, and how it ended",
	},
	{
		.letter = 'h',
		.name = "help",
		.kind = OPTION_HELP,
		.help = "this text",
	},
};
const struct option_set run_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};
const struct option_set shell_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

struct taking {
	struct run_choices *choices;
	const struct option_use *use;
	struct option_hint *hint;
	struct berm_err *err;
};

static enum berm_code no_memory(const struct taking *taking)
{
	return err_set(taking->err, BERM_ERR_NOMEM, "read the options");
}

static enum berm_code bad_value(const struct taking *taking, const char *word, const char *const *words)
{
	struct nearest nearest;
	nearest_init(&nearest, word);
	for (; *words != NULL; words++)
		nearest_offer(&nearest, *words);
	const struct option_row *row = taking->use->row;
	(void)snprintf(taking->hint->text, sizeof(taking->hint->text), "--%s=%s", row->name,
		       nearest.best != NULL ? nearest.best : row->argument);
	return err_set(taking->err, BERM_ERR_INVALID, "unknown value '%.60s' for '--%s'", word, row->name);
}

static enum berm_code check_word(const struct taking *taking)
{
	const char *const *words = taking->use->row->words;
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], taking->use->value) == 0)
			return BERM_OK;
	return bad_value(taking, taking->use->value, words);
}

/* text is kept. */
static enum berm_code add_line(struct taking *taking, enum policy_key key, const char *text)
{
	struct run_choices *choices = taking->choices;
	const struct policy_line line = {.key = key, .line = (uint32_t)(taking->use - choices->uses) + 1, .text = text};
	choices->lines[choices->flags.line_count++] = line;
	return BERM_OK;
}

/* ---- one option -------------------------------------------------------------------------------------------------- */

static enum berm_code check_pattern(const char *text, struct berm_err *err)
{
	struct glob *glob;
	TRY(glob_new(GLOB_PATH, str_from(text[0] == '.' ? text + 1 : text), &glob, err));
	glob_free(glob);
	return BERM_OK;
}

/* Grants are paths, denials may be patterns; neither has variables, and both start from the current folder. */
static enum berm_code take_path(struct taking *taking)
{
	const char *path = taking->use->value;
	enum policy_key key = (enum policy_key)taking->use->row->mark;
	bool pattern = key == KEY_DENY || key == KEY_PROTECT;
	if (path[0] == '\0')
		return err_set(taking->err, BERM_ERR_INVALID, "empty path for '--%s'", taking->use->row->name);
	if (strchr(path, '\n') != NULL)
		return err_set(taking->err, BERM_ERR_INVALID, "path '%.100s' holds a newline", path);
	char *text = arena_array(&taking->choices->arena, 2 * strlen(path) + 3, 1), *to = text;
	if (text == NULL)
		return no_memory(taking);
	if (path[0] != '/' && !(pattern && strncmp(path, "**", 2) == 0))
		to = stpcpy(to, "./");
	for (; *path != '\0'; path++) {
		if (!pattern && strchr("*?[]{}\\", *path) != NULL)
			*to++ = '\\';
		*to++ = *path;
	}
	if (pattern)
		TRY(check_pattern(text, taking->err));
	return add_line(taking, key, text);
}

static enum berm_code take_word(struct taking *taking)
{
	TRY(check_word(taking));
	return add_line(taking, (enum policy_key)taking->use->row->mark, taking->use->value);
}

static enum berm_code take_value(struct taking *taking)
{
	const struct policy_key_row *key = &policy_keys[taking->use->row->mark];
	TRY(policy_check_value(key->value, key->words, str_from(taking->use->value), taking->err));
	return add_line(taking, (enum policy_key)taking->use->row->mark, taking->use->value);
}

static enum berm_code take_env(struct taking *taking)
{
	const char *value = taking->use->value;
	if (value[0] == '\0' || value[0] == '=')
		return err_set(taking->err, BERM_ERR_INVALID, "no variable named in '--env=%.60s'", value);
	return add_line(taking, strchr(value, '=') != NULL ? KEY_ENV_SET : KEY_ENV_PASS, value);
}

static enum berm_code set_limit(struct taking *taking, enum policy_key key, const char *text)
{
	uint64_t count;
	TRY(policy_check_value(policy_keys[key].value, NULL, str_from(text), taking->err));
	if (policy_keys[key].value == VALUE_COUNT)
		TRY(str_u64(str_from(text), UINT32_MAX, &count, taking->err));
	return add_line(taking, key, text);
}

static enum berm_code take_limit(struct taking *taking)
{
	static const enum policy_key keys[] = {KEY_LIMIT_MEMORY, KEY_LIMIT_PROCESSES, KEY_LIMIT_CPU,
					       KEY_LIMIT_FILES,	 KEY_LIMIT_FILE_SIZE, KEY_LIMIT_WALL};
	const char *value = taking->use->value;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t len = strlen(limit_words[i]);
		if (strncmp(value, limit_words[i], len) == 0)
			return set_limit(taking, keys[i], value + len);
	}
	char key[NEAREST_MAX_LEN + 1];
	int len = (int)strcspn(value, "=");
	(void)snprintf(key, sizeof(key), "%.*s=", len < NEAREST_MAX_LEN - 1 ? len : NEAREST_MAX_LEN - 1, value);
	return bad_value(taking, key, limit_words);
}

static enum berm_code take_timeout(struct taking *taking)
{
	return set_limit(taking, KEY_LIMIT_WALL, taking->use->value);
}

static enum berm_code take_allow(struct taking *taking)
{
	TRY(check_word(taking));
	if (strcmp(taking->use->value, "host-tmp") == 0)
		return add_line(taking, KEY_TMP, "host");
	return add_line(taking, KEY_MAY, taking->use->value);
}

static enum berm_code take_ask(struct taking *taking)
{
	return add_line(taking, KEY_APPROVALS_MODE, taking->use->row->mark == MARK_ASK ? "ask" : "deny");
}

static enum berm_code take_profile(struct taking *taking)
{
	if (taking->use->value[0] == '\0')
		return err_set(taking->err, BERM_ERR_INVALID, "empty name for '--profile'");
	taking->choices->profiles[taking->choices->profile_count++] = taking->use->value;
	return BERM_OK;
}

static enum berm_code take_no_profile(struct taking *taking)
{
	taking->choices->request.no_profile = true;
	return BERM_OK;
}

static enum berm_code (*const takers[MARK_COUNT])(struct taking *) = {
	[KEY_READ] = take_path,
	[KEY_WRITE] = take_path,
	[KEY_EXEC] = take_path,
	[KEY_DENY] = take_path,
	[KEY_PROTECT] = take_path,
	[KEY_SOCKETS] = take_path,
	[KEY_NET_MODE] = take_word,
	[KEY_VIEW] = take_word,
	[KEY_BACKEND] = take_word,
	[KEY_GROUPS] = take_value,
	[KEY_NET_ALLOW] = take_value,
	[KEY_NET_DENY] = take_value,
	[KEY_REACH] = take_value,
	[KEY_PUBLISH] = take_value,
	[KEY_UPSTREAM] = take_value,
	[KEY_SECRET] = take_value,
	[KEY_LIMIT_WALL] = take_timeout,
	[MARK_PROFILE] = take_profile,
	[MARK_NO_PROFILE] = take_no_profile,
	[MARK_ENV] = take_env,
	[MARK_LIMIT] = take_limit,
	[MARK_ALLOW] = take_allow,
	[MARK_ASK] = take_ask,
	[MARK_NO_ASK] = take_ask,
};

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Session names stand in file names and listings. */
static enum berm_code check_name(const char *name, struct berm_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = name != NULL ? strlen(name) : 1;
	if (name != NULL && (len == 0 || len > 48 || name[0] == '-' || name[0] == '.' || strspn(name, letters) != len))
		return err_set(err, BERM_ERR_INVALID, "not a session name: '%.60s'", name);
	return BERM_OK;
}

static enum berm_code check_profiles(const struct run_choices *choices, struct option_hint *hint, struct berm_err *err)
{
	if (!choices->request.no_profile || choices->profile_count == 0)
		return BERM_OK;
	(void)snprintf(hint->text, sizeof(hint->text), "--profile=%.60s alone", choices->profiles[0]);
	return err_set(err, BERM_ERR_INVALID, "'--no-profile' beside '--profile'");
}

static void fill_request(struct run_choices *choices)
{
	struct run_request *request = &choices->request;
	choices->flags.kind = POLICY_DOC_FLAGS;
	choices->flags.file = "command line";
	choices->flags.lines = choices->lines;
	request->flags = choices->flags.line_count > 0 ? &choices->flags : NULL;
	request->profiles = choices->profile_count > 0 ? choices->profiles : NULL;
	request->accept_hash = choices->accept_hash;
	request->cwd = choices->cwd;
	request->events = choices->events;
	request->name = choices->name;
}

enum berm_code run_options_apply(const struct options *options, struct run_choices *choices,
				 struct option_hint *ret_hint, struct berm_err *err)
{
	struct taking taking = {.choices = choices, .hint = ret_hint, .err = err};
	ret_hint->text[0] = '\0';
	arena_init(&choices->arena, MAX_TEXT);
	choices->lines = arena_array(&choices->arena, options->use_count + 1, sizeof(*choices->lines));
	choices->profiles = arena_array(&choices->arena, options->use_count + 1, sizeof(*choices->profiles));
	if (choices->lines == NULL || choices->profiles == NULL)
		return no_memory(&taking);
	choices->uses = options->uses;
	for (size_t i = 0; i < options->use_count; i++) {
		taking.use = &options->uses[i];
		TRY(takers[taking.use->row->mark](&taking));
	}
	TRY(check_name(choices->name, err));
	TRY(check_profiles(choices, ret_hint, err));
	fill_request(choices);
	return BERM_OK;
}

void run_options_done(struct run_choices *choices)
{
	arena_done(&choices->arena);
	*choices = (struct run_choices){0};
}
