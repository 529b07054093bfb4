#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/named.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "policy/load.h"
#include "policy/policy_text.h"
#include "session/user_file.h"

struct new_choices {
	const char *from;
};

static const struct option_row rows[] = {
	{
		.name = "from",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct new_choices, from),
		.argument = "PROFILE",
		.help = "the profile that it starts from; without it, default",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set profile_new_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true};

/* What a beginner is shown, as comments: sections in the order of the table. */
static const enum policy_key shown[] = {
	KEY_READ,     KEY_WRITE,   KEY_EXEC,	 KEY_DENY,    KEY_PROTECT,	KEY_NET_MODE,	KEY_NET_ALLOW,
	KEY_NET_DENY, KEY_SOCKETS, KEY_ENV_PASS, KEY_ENV_SET, KEY_LIMIT_MEMORY, KEY_LIMIT_WALL, KEY_MAY,
};

/* "#   read: [/opt/data]    # what it does", with the sections that begin before it. */
static void put_key(enum policy_key key, const char *last, struct buf *out)
{
	struct str rest = str_from(policy_keys[key].path), before = str_from(last), name, other;
	size_t depth = 0;
	bool same = true;
	while (str_next(&rest, '.', &name)) {
		same = same && str_next(&before, '.', &other) && str_eq(name, other) && rest.len > 0;
		if (!same)
			buf_printf(out, "# %*s%.*s:%s", (int)(2 * depth), "", (int)name.len, name.ptr,
				   rest.len > 0 ? "\n" : " ");
		depth++;
	}
	buf_printf(out, "%s   # %s\n", policy_keys[key].example, policy_keys[key].about);
}

static void put_file(const char *name, const char *from, struct buf *out)
{
	buf_printf(out,
		   "# A profile of berm: berm run -p %s\n"
		   "# Lines with a \"#\" in front are examples. All there is: docs/policy-reference.md, berm policy "
		   "schema.\n"
		   "# What it comes to: berm policy show --origin -p %s. Mistakes: berm policy check.\n"
		   "berm: 1\nname: %s\nabout: \"\" # one line for berm profile list\nextends: [",
		   name, name, name);
	policy_text_scalar(from, out);
	buf_puts(out, "]\n\n# groups: [git, node] # berm group list; \"-NAME\" takes one out\n");
	const char *last = "";
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		put_key(shown[i], last, out);
		last = policy_keys[shown[i]].path;
	}
	buf_puts(out, "# tests: # questions with their answers; a profile that fails its own tests does not start\n"
		      "#   - {read: ~/.ssh/id_ed25519, is: deny}\n");
}

static int make(const char *name, const char *from, const struct named *named)
{
	struct berm_err err;
	char path[PATH_MAX];
	auto_buf struct buf text;
	const char *folder = sources_config_folder(named->sources);
	buf_init(&text, SAY_MAX);
	if (folder == NULL) {
		(void)err_set(&err, BERM_ERR_NOTFOUND, "no folder for policies: neither HOME nor BERM_CONFIG_DIR");
		return say_failure(&err, "", EXIT_REFUSED);
	}
	put_file(name, from, &text);
	if (snprintf(path, sizeof(path), "%s/profiles/%s.yaml", folder, name) >= (int)sizeof(path))
		(void)err_set(&err, BERM_ERR_LIMIT, "path too long: '%.60s'", name);
	else if (buf_check(&text, &err) == BERM_OK && user_file_new(path, buf_str(&text), &err) == BERM_OK) {
		say_line("%s is to be edited; then: berm run -p %s", path, name);
		return EXIT_YES;
	}
	return say_failure(&err, err.code == BERM_ERR_INVALID ? "another name" : "", EXIT_REFUSED);
}

int cmd_profile_new(const struct command *self, const char *const *argv)
{
	struct new_choices choices = {.from = "default"};
	struct berm_err err;
	auto_options struct options options = {0};
	auto_named struct named named = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	const char *name = options.rest[0];
	if (name == NULL || options.rest[1] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "one name is wanted");
		return commands_usage(self, &err, NULL);
	}
	if (policy_check_value(VALUE_NAME, NULL, str_from(name), &err) != BERM_OK)
		return commands_usage(self, &err, NULL);
	if (named_open(POLICY_DOC_PROFILE, &named, &err) != BERM_OK)
		return say_problems(named.problems, &err, EXIT_REFUSED);
	if (named_find(&named, choices.from) == NULL)
		return named_unknown(&named, self, choices.from);
	return make(name, choices.from, &named);
}
