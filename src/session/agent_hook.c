#include "session/agent_hook.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "format/json_out.h"

enum { TEXT_MAX = 64 * 1024, ADDED = 2 };

/* Claude Code: "--settings FILE-OR-JSON" is read beside the settings in files, and hooks of all of them run. */
static const struct agent {
	const char *name, *program, *option;
	const char *events[4];
	const char *matcher;
} agents[] = {
	{"claude-code", "claude", "--settings", {"PreToolUse", "PostToolUse", "PostToolUseFailure"}, "*"},
};

void agent_hook_done(struct agent_hook *hook)
{
	free(hook->argv);
	free(hook->text);
	*hook = (struct agent_hook){0};
}

static const struct agent *find_agent(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(agents); i++)
		if (strcmp(agents[i].name, name) == 0)
			return &agents[i];
	return NULL;
}

static bool is_started(const struct agent *agent, const char *const *argv)
{
	const char *slash = strrchr(argv[0], '/');
	size_t len = strlen(agent->option);
	if (strcmp(slash != NULL ? slash + 1 : argv[0], agent->program) != 0)
		return false;
	for (size_t i = 1; argv[i] != NULL; i++)
		if (strncmp(argv[i], agent->option, len) == 0 && (argv[i][len] == '\0' || argv[i][len] == '='))
			return false;
	return true;
}

/* A shell takes it as it is. */
static bool is_plain(const char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+";
	return path[0] == '/' && path[strspn(path, letters)] == '\0';
}

/* "PreToolUse":[{"matcher":"*","hooks":[{"type":"command","command":"..."}]}] */
static void put_event(struct json_out *json, const struct agent *agent, const char *event, struct str command)
{
	json_array(json, event);
	json_object(json, NULL);
	json_text(json, "matcher", str_from(agent->matcher));
	json_array(json, "hooks");
	json_object(json, NULL);
	json_text(json, "type", STR("command"));
	json_text(json, "command", command);
	json_object_end(json);
	json_array_end(json);
	json_object_end(json);
	json_array_end(json);
}

static char *make_text(const struct agent *agent, const char *program)
{
	struct json_out json;
	auto_buf struct buf text, command;
	buf_init(&text, TEXT_MAX);
	buf_init(&command, TEXT_MAX);
	buf_printf(&command, "%s why --hook %s", program, agent->name);
	json_init(&json, &text);
	json_object(&json, NULL);
	json_object(&json, "hooks");
	for (size_t i = 0; i < ARRAY_LEN(agent->events) && agent->events[i] != NULL; i++)
		put_event(&json, agent, agent->events[i], buf_str(&command));
	json_object_end(&json);
	json_object_end(&json);
	return buf_check(&command, NULL) == BERM_OK ? buf_take(&text) : NULL;
}

enum berm_code agent_hook_make(struct agent_hook *hook, const char *name, const char *const *argv, const char *program,
			       struct berm_err *err)
{
	size_t count = 0;
	const struct agent *agent = find_agent(name);
	if (agent == NULL || argv[0] == NULL || !is_started(agent, argv) || !is_plain(program))
		return BERM_OK;
	while (argv[count] != NULL)
		count++;
	auto_free const char **words = calloc(count + ADDED + 1, sizeof *words);
	char *text = make_text(agent, program);
	if (words == NULL || text == NULL) {
		free(text);
		return err_set(err, BERM_ERR_NOMEM, "lead an agent to what is denied");
	}
	words[0] = argv[0];
	words[1] = agent->option;
	words[2] = text;
	memcpy(words + 1 + ADDED, argv + 1, (count - 1) * sizeof *words);
	hook->argv = take(words);
	hook->text = text;
	return BERM_OK;
}

const char *const *agent_hook_argv(const struct agent_hook *hook, const char *const *argv)
{
	return hook->argv != NULL ? hook->argv : argv;
}
