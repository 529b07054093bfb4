/* Flags of landrun: all that is allowed is named, the system's folders as well; nothing is closed within it. */
#include <string.h>

#include "base/own.h"
#include "policy/import_build.h"

enum { WORDS_MAX = 4096 };

/* ---- the words of a command line --------------------------------------------------------------------------------- */

struct words {
	struct str rest;
	char *to; /* where the word goes: it is never longer than the text */
	bool shell;
};

static void skip(struct words *in)
{
	in->rest = (struct str){in->rest.ptr + 1, in->rest.len - 1};
}

static bool at_white(const struct words *in)
{
	return in->rest.len > 0 && strchr(" \t\r\n", in->rest.ptr[0]) != NULL;
}

/* A character of a word by the shell's rules of quoting. */
static void take_character(struct words *in, char *quote)
{
	char c = in->rest.ptr[0];
	skip(in);
	if ((c == '"' || c == '\'') && (*quote == '\0' || *quote == c)) {
		*quote = *quote == c ? '\0' : c;
		return;
	}
	bool escape = c == '\\' && *quote != '\'' && in->rest.len > 0;
	if (escape) {
		c = in->rest.ptr[0];
		skip(in);
		if (c == '\n')
			return;
	} else if (*quote != '\'') {
		in->shell |= strchr(*quote == '"' ? "`$" : "`$;|&<>()*?[{", c) != NULL;
	}
	*in->to++ = c;
}

/* False: the text ends. */
static bool next_word(struct words *in, char **ret_word)
{
	char quote = '\0', *word = in->to;
	while (at_white(in) || str_starts(in->rest, STR("\\\n"))) {
		if (!at_white(in))
			skip(in);
		skip(in);
	}
	bool any = in->rest.len > 0;
	while (in->rest.len > 0 && (quote != '\0' || !at_white(in)))
		take_character(in, &quote);
	in->shell |= quote != '\0';
	*in->to++ = '\0';
	*ret_word = word;
	return any;
}

enum berm_code import_landrun_words(struct arena *arena, const char *file, struct str text,
				    const char *const **ret_argv, struct problems *problems, struct berm_err *err)
{
	const char **argv = arena_array(arena, WORDS_MAX + 1, sizeof *argv);
	char *memory = arena_alloc(arena, 2 * text.len + 2), *word;
	if (argv == NULL || memory == NULL)
		return err_set(err, BERM_ERR_NOMEM, "import a policy");
	if (text.len > NODE_MAX_BYTES || memchr(text.ptr, '\0', text.len) != NULL)
		return err_set(err, BERM_ERR_LIMIT, "'%.200s' is no command line", file);
	struct words words = {.rest = text, .to = memory};
	size_t count = 0;
	while (count < WORDS_MAX && next_word(&words, &word))
		argv[count++] = word;
	if (words.shell || count == WORDS_MAX) {
		problem_add(problems, &(struct place){file, 0, 0}, "not plain words: what only a shell can read");
		problem_hint(problems, "write what the shell makes of it, or give the flags behind --");
		return err_set(err, BERM_ERR_PARSE, "'%.200s' is not plain words", file);
	}
	*ret_argv = argv;
	return BERM_OK;
}

/* ---- flags ------------------------------------------------------------------------------------------------------- */

struct flag {
	const char *name;
	bool value;
	enum policy_key key;
	const char *why; /* what is left of it as well */
	bool narrows;
};
static const struct flag flags[] = {
	{"ro", true, KEY_READ, NULL, false},
	{"rox", true, KEY_EXEC, NULL, false},
	{"rw", true, KEY_READ, "not written: what can be written can be started here; filesystem.write if it may",
	 false},
	{"rwx", true, KEY_WRITE, NULL, false},
	{"unix", true, KEY_SOCKETS, NULL, false},
	{"bind-tcp", true, KEY_PUBLISH, NULL, false},
	{"connect-tcp", true, POLICY_KEYS, "any host at a port: network.allow names hosts", false},
	{"env", true, KEY_ENV_PASS, NULL, false},
	{"log-level", true, POLICY_KEYS, NULL, false},
	{"best-effort", false, POLICY_KEYS, NULL, false},
	{"unrestricted-network", false, KEY_NET_MODE, NULL, false},
	{"unrestricted-filesystem", false, POLICY_KEYS, "files are never open as a whole", false},
	{"unrestricted-scoped", false, POLICY_KEYS, "sockets without a path and signals stay inside", false},
	{"ignore-missing", false, POLICY_KEYS, NULL, false},
	{"log-disable-originating", false, POLICY_KEYS, NULL, false},
	{"log-enable-subprocesses", false, POLICY_KEYS, NULL, false},
	{"log-disable-subdomains", false, POLICY_KEYS, NULL, false},
	{"add-exec", false, POLICY_KEYS, "name the program in filesystem.exec", false},
	{"ldd", false, POLICY_KEYS, "name the libraries in filesystem.exec", false},
};

static void take_value(struct import *in, enum policy_key key, const char *text)
{
	if (key == KEY_ENV_PASS)
		import_line(in, NULL, strchr(text, '=') != NULL ? KEY_ENV_SET : key, text);
	else
		import_line(in, NULL, key, key == KEY_PUBLISH ? text : import_literal(in, text));
}

static void take_flag(struct import *in, const struct flag *flag, const char *value)
{
	const char *shown = import_format(in, "--%s%s%s", flag->name, flag->value ? " " : "", flag->value ? value : "");
	struct str rest = str_from(value), piece;
	if (flag->why != NULL)
		import_left(in, NULL, flag->narrows, shown, flag->why);
	if (!flag->value || value == NULL || flag->key == POLICY_KEYS)
		return;
	if (strchr(value, '=') != NULL && flag->key == KEY_ENV_PASS)
		take_value(in, flag->key, value);
	else
		while (str_next(&rest, ',', &piece))
			take_value(in, flag->key, import_format(in, "%.*s", (int)piece.len, piece.ptr));
}

/* The flag that a word is, with what stands behind its "="; NULL: none. */
static const struct flag *find_flag(const char *word, const char **ret_value)
{
	const char *name = word + strspn(word, "-"), *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	*ret_value = equals != NULL ? equals + 1 : NULL;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0)
			return &flags[i];
	return NULL;
}

void import_landrun(struct import *in, const char *const *argv)
{
	const char *value, *mode = "none";
	import_line(in, NULL, KEY_EXTENDS, "");
	import_line(in, NULL, KEY_FS_DEFAULT, "deny");
	import_line(in, NULL, KEY_VIEW, "visible"); /* names are seen there, and links lead into what is granted */
	if (*argv != NULL && **argv != '-')
		argv++;
	for (; *argv != NULL && **argv == '-' && strcmp(*argv, "--") != 0; argv++) {
		const struct flag *flag = find_flag(*argv, &value);
		if (flag == NULL) {
			import_left(in, NULL, true, import_format(in, "%.300s", *argv), "a flag that is not known");
			continue;
		}
		if (flag->value && value == NULL)
			value = argv[1] != NULL ? *++argv : "";
		mode = flag->key == KEY_NET_MODE ? "host" : mode;
		take_flag(in, flag, flag->value ? value : "");
	}
	import_line(in, NULL, KEY_NET_MODE, mode);
}
