#include "cli/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "format/nearest.h"

/* What an option's value goes to. The first are the grants of a policy_flag, as
 * they are. */
enum mark {
	MARK_READ = POLICY_READ,
	MARK_WRITE = POLICY_WRITE,
	MARK_EXEC = POLICY_EXEC,
	MARK_DENY = POLICY_DENY,
	MARK_PROTECT = POLICY_PROTECT,
	MARK_NET,
	MARK_SOCKET,
	MARK_ENV,
	MARK_LIMIT,
	MARK_TIMEOUT,
	MARK_VIEW,
	MARK_BACKEND,
	MARK_ALLOW,
	MARK_COUNT
};

/* The order of each is that of its enum in berm.h. */
static const char *const net_words[] = {"none", "host", NULL};
static const char *const view_words[] = {"auto", "visible", "hidden", NULL};
static const char *const backend_words[] = {"any", "namespaces", "landlock", NULL};
static const char *const allow_words[] = {"ptrace", "userns", "io_uring", "memfd-exec", "gpu",
					  "kvm",    "perf",   "signals",  "host-tmp",	NULL};
static const char *const limit_words[] = {"memory=", "processes=", "cpu=", "files=", "file-size=", "wall=", NULL};
_Static_assert(BERM_NET_HOST == 1 && BERM_VIEW_HIDDEN == 2 && BERM_BACKEND_LANDLOCK == 2, "order of words");
_Static_assert(ARRAY_LEN(allow_words) == BERM_EXTRA_COUNT + 1 && BERM_EXTRA_HOST_TMP == 8, "order of words");
_Static_assert(ARRAY_LEN(limit_words) == BERM_LIMIT_COUNT + 1 && BERM_LIMIT_WALL_MS == 5, "order of words");

static const struct option_row rows[] = {
	{
		.letter = 'r',
		.name = "read",
		.kind = OPTION_USE,
		.mark = MARK_READ,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read files and list folders below PATH; may be given again, as all that follow here",
		.line = "filesystem.read",
	},
	{
		.letter = 'w',
		.name = "write",
		.kind = OPTION_USE,
		.mark = MARK_WRITE,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read, create, change, rename and remove files below PATH, and run programs there",
		.line = "filesystem.write",
	},
	{
		.letter = 'x',
		.name = "exec",
		.kind = OPTION_USE,
		.mark = MARK_EXEC,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "read PATH and run programs there",
		.line = "filesystem.exec",
	},
	{
		.name = "deny",
		.kind = OPTION_USE,
		.mark = MARK_DENY,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "no access to PATH, also where a grant around it gives it, and if it is made later; a pattern "
			"like '**/.env' holds at any depth",
		.line = "filesystem.deny",
	},
	{
		.name = "protect",
		.kind = OPTION_USE,
		.mark = MARK_PROTECT,
		.complete = COMPLETE_PATH,
		.argument = "PATH",
		.help = "PATH may be read, but not changed, made or removed; a path or a pattern",
		.line = "filesystem.protect",
	},
	{
		.letter = 'n',
		.name = "net",
		.kind = OPTION_USE,
		.mark = MARK_NET,
		.complete = COMPLETE_WORDS,
		.argument = "none|host",
		.words = net_words,
		.help = "none: no network beyond the sandbox's own loopback (the default); host: the machine's network "
			"as it is, with everything that listens on it",
		.line = "network.mode",
	},
	{
		.name = "socket",
		.kind = OPTION_USE,
		.mark = MARK_SOCKET,
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
		.mark = MARK_TIMEOUT,
		.argument = "TIME",
		.help = "end the sandbox after TIME: --limit wall=TIME",
		.line = "process.limits.wall",
	},
	{
		.name = "view",
		.kind = OPTION_USE,
		.mark = MARK_VIEW,
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
		.mark = MARK_BACKEND,
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
	struct policy_input *policy;
	const struct option_use *use;
	struct option_hint *hint;
	struct berm_err *err;
};

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

static enum berm_code find_word(const struct taking *taking, const char *const *words, size_t *ret_index)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], taking->use->value) == 0) {
			*ret_index = i;
			return BERM_OK;
		}
	}
	return bad_value(taking, taking->use->value, words);
}

static enum berm_code take_path(struct taking *taking)
{
	const char *path = taking->use->value;
	if (path[0] == '\0')
		return err_set(taking->err, BERM_ERR_INVALID, "empty path for '--%s'", taking->use->row->name);
	taking->choices->flags[taking->policy->flag_count++] =
		(struct policy_flag){(enum policy_grant)taking->use->row->mark, path};
	return BERM_OK;
}

static enum berm_code take_net(struct taking *taking)
{
	size_t index;
	if (strcmp(taking->use->value, "filtered") == 0) {
		(void)snprintf(taking->hint->text, sizeof(taking->hint->text), "--net=none or --net=host");
		return err_set(taking->err, BERM_ERR_INVALID, "no filtered network in this version");
	}
	TRY(find_word(taking, net_words, &index));
	taking->policy->network = (enum berm_network)index;
	return BERM_OK;
}

static enum berm_code take_socket(struct taking *taking)
{
	if (taking->use->value[0] == '\0')
		return err_set(taking->err, BERM_ERR_INVALID, "empty path for '--socket'");
	taking->choices->sockets[taking->policy->socket_count++] = taking->use->value;
	return BERM_OK;
}

static enum berm_code take_env(struct taking *taking)
{
	const char *value = taking->use->value;
	if (value[0] == '\0' || value[0] == '=')
		return err_set(taking->err, BERM_ERR_INVALID, "no variable named in '--env=%.60s'", value);
	taking->choices->env[taking->policy->env_count++] = value;
	return BERM_OK;
}

static enum berm_code parse_count(struct str text, uint64_t *ret_value, struct berm_err *err)
{
	return str_u64(text, UINT32_MAX, ret_value, err);
}

static enum berm_code parse_seconds(struct str text, uint64_t *ret_value, struct berm_err *err)
{
	uint64_t ms;
	TRY(str_duration_ms(text, &ms, err));
	*ret_value = ms / 1000 + (ms % 1000 != 0);
	return BERM_OK;
}

static enum berm_code set_limit(struct taking *taking, enum berm_limit limit, const char *text)
{
	static enum berm_code (*const parsers[BERM_LIMIT_COUNT])(struct str, uint64_t *, struct berm_err *) = {
		[BERM_LIMIT_MEMORY] = str_size,	    [BERM_LIMIT_PROCESSES] = parse_count,
		[BERM_LIMIT_CPU_S] = parse_seconds, [BERM_LIMIT_OPEN_FILES] = parse_count,
		[BERM_LIMIT_FILE_SIZE] = str_size,  [BERM_LIMIT_WALL_MS] = str_duration_ms,
	};
	uint64_t value;
	TRY(parsers[limit](str_from(text), &value, taking->err));
	if (value == 0)
		return err_set(taking->err, BERM_ERR_INVALID, "a limit of 0: '--%s=%.60s'", taking->use->row->name,
			       taking->use->value);
	taking->policy->limit[limit] = value;
	return BERM_OK;
}

static enum berm_code take_limit(struct taking *taking)
{
	const char *value = taking->use->value;
	for (int i = 0; i < BERM_LIMIT_COUNT; i++) {
		size_t len = strlen(limit_words[i]);
		if (strncmp(value, limit_words[i], len) == 0)
			return set_limit(taking, (enum berm_limit)i, value + len);
	}
	char key[NEAREST_MAX_LEN + 1];
	int len = (int)strcspn(value, "=");
	(void)snprintf(key, sizeof(key), "%.*s=", len < NEAREST_MAX_LEN - 1 ? len : NEAREST_MAX_LEN - 1, value);
	return bad_value(taking, key, limit_words);
}

static enum berm_code take_timeout(struct taking *taking)
{
	return set_limit(taking, BERM_LIMIT_WALL_MS, taking->use->value);
}

static enum berm_code take_view(struct taking *taking)
{
	size_t index;
	TRY(find_word(taking, view_words, &index));
	taking->policy->view = (enum berm_view)index;
	return BERM_OK;
}

static enum berm_code take_backend(struct taking *taking)
{
	size_t index;
	TRY(find_word(taking, backend_words, &index));
	taking->policy->backend = (enum berm_backend)index;
	return BERM_OK;
}

static enum berm_code take_allow(struct taking *taking)
{
	size_t index;
	TRY(find_word(taking, allow_words, &index));
	taking->policy->extra[index] = true;
	return BERM_OK;
}

static enum berm_code (*const takers[MARK_COUNT])(struct taking *) = {
	[MARK_READ] = take_path,       [MARK_WRITE] = take_path,   [MARK_EXEC] = take_path,
	[MARK_DENY] = take_path,       [MARK_PROTECT] = take_path, [MARK_NET] = take_net,
	[MARK_SOCKET] = take_socket,   [MARK_ENV] = take_env,	   [MARK_LIMIT] = take_limit,
	[MARK_TIMEOUT] = take_timeout, [MARK_VIEW] = take_view,	   [MARK_BACKEND] = take_backend,
	[MARK_ALLOW] = take_allow,
};

/* Session names stand in file names and listings. */
static enum berm_code check_name(const char *name, struct berm_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = name != NULL ? strlen(name) : 1;
	if (name != NULL && (len == 0 || len > 48 || name[0] == '-' || name[0] == '.' || strspn(name, letters) != len))
		return err_set(err, BERM_ERR_INVALID, "not a session name: '%.60s'", name);
	return BERM_OK;
}

enum berm_code run_options_apply(const struct options *options, struct run_choices *choices,
				 struct option_hint *ret_hint, struct berm_err *err)
{
	struct policy_input *policy = &choices->request.policy;
	size_t room = options->use_count + 1;
	ret_hint->text[0] = '\0';
	choices->flags = calloc(room, sizeof(*choices->flags));
	choices->sockets = calloc(room, sizeof(*choices->sockets));
	choices->env = calloc(room, sizeof(*choices->env));
	if (choices->flags == NULL || choices->sockets == NULL || choices->env == NULL)
		return err_set(err, BERM_ERR_NOMEM, "read the options");
	policy->flags = choices->flags;
	policy->sockets = choices->sockets;
	policy->env = choices->env;
	struct taking taking = {.choices = choices, .policy = policy, .hint = ret_hint, .err = err};
	for (size_t i = 0; i < options->use_count; i++) {
		taking.use = &options->uses[i];
		TRY(takers[taking.use->row->mark](&taking));
	}
	TRY(check_name(choices->name, err));
	choices->request.cwd = choices->cwd;
	choices->request.events = choices->events;
	choices->request.name = choices->name;
	return BERM_OK;
}

void run_options_done(struct run_choices *choices)
{
	free(choices->flags);
	free(choices->sockets);
	free(choices->env);
	*choices = (struct run_choices){0};
}
