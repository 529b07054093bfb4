#include "sandbox/caps.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"

#define MAX_MEMORY ((size_t)256 << 20)
#define MAX_TEXT ((size_t)16384)
#define MAX_NAME 255
#define DEFAULT_JUDGE_BYTES ((size_t)1 << 20)
#define WRITING (BERM_WRITE | BERM_DELETE | BERM_REPLACE)
#define ASKABLE (BERM_ASK | BERM_READ | BERM_WRITE | BERM_DELETE)

static const struct {
	unsigned right;
	const char *word;
} right_words[] = {
	{BERM_READ, "read"}, {BERM_WRITE, "write"},	{BERM_DELETE, "delete"},   {BERM_EXEC, "exec"},
	{BERM_DENY, "deny"}, {BERM_PROTECT, "protect"}, {BERM_REPLACE, "replace"},
};

static const char *const extra_words[BERM_EXTRA_COUNT] = {
	[BERM_EXTRA_PTRACE] = "ptrace",	    [BERM_EXTRA_USERNS] = "userns",
	[BERM_EXTRA_IO_URING] = "io_uring", [BERM_EXTRA_MEMFD_EXEC] = "memfd-exec",
	[BERM_EXTRA_GPU] = "gpu",	    [BERM_EXTRA_KVM] = "kvm",
	[BERM_EXTRA_PERF] = "perf",	    [BERM_EXTRA_SIGNALS] = "signals",
	[BERM_EXTRA_HOST_TMP] = "host-tmp",
};

enum unit { UNIT_BYTES, UNIT_COUNT, UNIT_SECONDS, UNIT_MILLISECONDS };
static const struct {
	const char *word;
	enum unit unit;
} limit_words[BERM_LIMIT_COUNT] = {
	[BERM_LIMIT_MEMORY] = {"memory", UNIT_BYTES},	    [BERM_LIMIT_PROCESSES] = {"processes", UNIT_COUNT},
	[BERM_LIMIT_CPU_S] = {"cpu", UNIT_SECONDS},	    [BERM_LIMIT_OPEN_FILES] = {"open-files", UNIT_COUNT},
	[BERM_LIMIT_FILE_SIZE] = {"file-size", UNIT_BYTES}, [BERM_LIMIT_WALL_MS] = {"wall", UNIT_MILLISECONDS},
};

/* ---- life ------------------------------------------------------------------------------------------------------- */

static struct cap_store *store_new(void)
{
	struct cap_store *store = calloc(1, sizeof *store);
	if (store == NULL)
		return NULL;
	atomic_init(&store->users, 1);
	arena_init(&store->arena, MAX_MEMORY);
	vec_init(&store->globs, sizeof(struct glob *), (size_t)2 * CAPS_MAX_LINES);
	return store;
}

struct cap_store *cap_store_keep(struct cap_store *store)
{
	(void)atomic_fetch_add_explicit(&store->users, 1, memory_order_relaxed);
	return store;
}

void cap_store_drop(struct cap_store *store)
{
	if (store == NULL || atomic_fetch_sub_explicit(&store->users, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < store->globs.len; i++)
		glob_free(*(struct glob **)vec_at(&store->globs, i));
	vec_done(&store->globs);
	arena_done(&store->arena);
	free(store);
}

enum berm_code berm_caps_new(struct berm_caps **ret_caps, struct berm_err *err)
{
	struct berm_caps *caps = calloc(1, sizeof *caps);
	struct cap_store *store = store_new();
	if (caps == NULL || store == NULL) {
		cap_store_drop(store);
		free(caps);
		return err_set(err, BERM_ERR_NOMEM, "make capabilities");
	}
	caps->store = store;
	vec_init(&caps->lines, sizeof(struct cap_line), CAPS_MAX_LINES);
	*ret_caps = caps;
	return BERM_OK;
}

void berm_caps_free(struct berm_caps *caps)
{
	if (caps == NULL)
		return;
	vec_done(&caps->lines);
	cap_store_drop(caps->store);
	free(caps);
}

static enum berm_code out_of_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "remember a capability");
}

static enum berm_code line_add(struct berm_caps *caps, const struct cap_line *line, struct berm_err *err)
{
	if (caps->lines.len == CAPS_MAX_LINES)
		return err_set(err, BERM_ERR_LIMIT, "more than %d lines of capabilities", CAPS_MAX_LINES);
	return vec_push(&caps->lines, line, err);
}

/* A line for something that has one value: the first time it is set. */
static enum berm_code line_add_once(struct berm_caps *caps, enum cap_kind kind, unsigned which, struct berm_err *err)
{
	const struct cap_line *lines = caps->lines.items;
	for (size_t i = 0; i < caps->lines.len; i++)
		if (lines[i].kind == kind && lines[i].which == which)
			return BERM_OK;
	return line_add(caps, &(struct cap_line){.kind = kind, .which = which}, err);
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

static bool has_newline(const char *text)
{
	return strchr(text, '\n') != NULL;
}

/* Is it "/" once ".", ".." and empty parts are taken out by their names alone? */
static bool is_root(const char *path)
{
	size_t depth = 0;
	struct str rest = str_from(path), name;
	while (str_next(&rest, '/', &name)) {
		if (name.len == 0 || str_eq(name, STR(".")))
			continue;
		if (!str_eq(name, STR("..")))
			depth++;
		else if (depth > 0)
			depth--;
	}
	return depth == 0;
}

/* The absolute form of path: path itself, or a text that holds until the next one is made. */
static enum berm_code make_absolute(struct berm_caps *caps, const char *path, const char **ret_absolute,
				    struct berm_err *err)
{
	size_t len = strlen(path), used = 0;
	if (len == 0)
		return err_set(err, BERM_ERR_INVALID, "a path is empty");
	if (has_newline(path))
		return err_set(err, BERM_ERR_INVALID, "path '%.100s' holds a newline", path);
	if (path[0] != '/') {
		if (getcwd(caps->absolute, sizeof caps->absolute) == NULL)
			return err_sys(err, "ask for the current folder");
		if (caps->absolute[0] != '/')
			return err_set(err, BERM_ERR_INVALID,
				       "path '%.100s' is relative to a folder that is out of reach", path);
		used = strlen(caps->absolute);
		if (used + 1 < sizeof caps->absolute)
			caps->absolute[used++] = '/';
	}
	if (used + len >= sizeof caps->absolute)
		return err_set(err, BERM_ERR_LIMIT, "path '%.100s...' is too long", path);
	if (path[0] != '/')
		memcpy(caps->absolute + used, path, len + 1);
	*ret_absolute = path[0] == '/' ? path : caps->absolute;
	return BERM_OK;
}

static bool is_special(char c)
{
	return c == '*' || c == '?' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\\';
}

/* In words a path is a pattern that matches nothing else, so that no line reads like another. */
static void put_path(struct buf *text, const char *path)
{
	for (; *path != '\0'; path++) {
		if (is_special(*path))
			buf_putc(text, '\\');
		buf_putc(text, *path);
	}
}

/* Where path stands in the words of its line, unless it had to be escaped; else a copy of its own. */
static const char *path_copy(struct berm_caps *caps, const char *text, const char *path)
{
	const char *in_text = text == NULL ? NULL : strchr(text, '/');
	if (in_text != NULL && strcmp(in_text, path) == 0)
		return in_text;
	return text == NULL ? NULL : arena_text(&caps->store->arena, str_from(path));
}

static const char *text_copy(struct berm_caps *caps, const struct buf *text)
{
	return text->failed ? NULL : arena_text(&caps->store->arena, buf_str(text));
}

/* "VERB PATH" in one piece of memory: most paths hold nothing that must be escaped. */
static const char *plain_text(struct berm_caps *caps, const char *verb, const char *path)
{
	char *text = arena_array(&caps->store->arena, strlen(verb) + strlen(path) + 2, 1);
	if (text != NULL)
		(void)stpcpy(stpcpy(stpcpy(text, verb), " "), path);
	return text;
}

static const char *path_text(struct berm_caps *caps, const char *verb, const char *path, const char *suffix)
{
	if (strpbrk(path, "*?[]{}\\") == NULL && *suffix == '\0')
		return plain_text(caps, verb, path);
	auto_buf struct buf text = {0};
	buf_init(&text, MAX_TEXT);
	buf_puts(&text, verb);
	buf_putc(&text, ' ');
	put_path(&text, path);
	buf_puts(&text, suffix);
	return text_copy(caps, &text);
}

static enum berm_code path_line_add(struct berm_caps *caps, struct cap_line *line, const char *verb, const char *path,
				    struct berm_err *err)
{
	const char *absolute;
	TRY(make_absolute(caps, path, &absolute, err));
	bool all_below = line->kind == CAP_NARROW && line->rights == BERM_PROTECT && line->extent == BERM_TREE;
	line->text = path_text(caps, verb, absolute, all_below ? "/**" : "");
	const char *copy = path_copy(caps, line->text, absolute);
	if (copy == NULL)
		return out_of_memory(err);
	line->path = str_from(copy);
	return line_add(caps, line, err);
}

static enum berm_code check_rights(const char *path, unsigned rights, enum berm_extent extent, struct berm_err *err)
{
	unsigned known = BERM_ASK;
	for (size_t i = 0; i < ARRAY_LEN(right_words); i++)
		known |= right_words[i].right;
	if (rights == 0 || (rights & ~known) != 0)
		return err_set(err, BERM_ERR_INVALID, "rights %#x of '%.100s' are not a set of enum berm_right", rights,
			       path);
	if ((rights & BERM_DENY) != 0 && rights != BERM_DENY)
		return err_set(err, BERM_ERR_INVALID, "deny of '%.100s' cannot go with other rights", path);
	if ((rights & BERM_PROTECT) != 0 && rights != BERM_PROTECT)
		return err_set(err, BERM_ERR_INVALID, "protect of '%.100s' cannot go with other rights", path);
	if (extent != BERM_FILE && extent != BERM_TREE)
		return err_set(err, BERM_ERR_INVALID, "extent %d of '%.100s' is neither a file nor a tree", (int)extent,
			       path);
	if ((rights & BERM_ASK) != 0 && ((rights & ~(unsigned)ASKABLE) != 0 || rights == BERM_ASK))
		return err_set(err, BERM_ERR_INVALID, "what is asked for of '%.100s' is reading, writing, deleting",
			       path);
	if ((rights & BERM_REPLACE) != 0 && ((rights & BERM_EXEC) != 0 || extent == BERM_TREE))
		return err_set(err, BERM_ERR_INVALID, "replace of '%.100s' is for one file that is not run", path);
	return BERM_OK;
}

static void verb_of(unsigned rights, char *ret_verb, size_t size)
{
	size_t used = 0;
	ret_verb[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(right_words) && used < size; i++) {
		if ((rights & right_words[i].right) == 0)
			continue;
		int more = snprintf(ret_verb + used, size - used, "%s%s", used > 0 ? "+" : "", right_words[i].word);
		used += more > 0 ? (size_t)more : 0;
	}
}

enum berm_code berm_caps_path(struct berm_caps *caps, const char *path, unsigned rights, enum berm_extent extent,
			      struct berm_err *err)
{
	if (path == NULL)
		return err_set(err, BERM_ERR_INVALID, "no path");
	TRY(check_rights(path, rights, extent, err));
	char words[64] = "ask ", *verb = words + strlen("ask ");
	struct cap_line line = {.kind = CAP_GRANT, .rights = rights, .extent = extent};
	if ((rights & (BERM_DENY | BERM_PROTECT)) != 0)
		line.kind = CAP_NARROW;
	if ((rights & BERM_REPLACE) != 0) {
		line.kind = CAP_REPLACE;
		line.rights = BERM_REPLACE; /* reading, writing and deleting that file are part of it */
	}
	if ((rights & BERM_ASK) != 0) {
		line.kind = CAP_ASK;
		line.rights = rights & ~(unsigned)BERM_ASK;
	}
	if ((rights & WRITING) != 0 && line.kind != CAP_ASK) {
		const char *absolute;
		TRY(make_absolute(caps, path, &absolute, err));
		if (is_root(absolute))
			return err_set(err, BERM_ERR_INVALID, "writing cannot be granted for '/'");
	}
	verb_of(line.rights, verb, sizeof words - strlen("ask "));
	return path_line_add(caps, &line, line.kind == CAP_ASK ? words : verb, path, err);
}

enum berm_code berm_caps_socket(struct berm_caps *caps, const char *path, struct berm_err *err)
{
	if (path == NULL)
		return err_set(err, BERM_ERR_INVALID, "no path");
	return path_line_add(caps, &(struct cap_line){.kind = CAP_SOCKET}, "socket", path, err);
}

static bool is_variable(const char *name)
{
	const char *at = name;
	while ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || *at == '_' ||
	       (at > name && *at >= '0' && *at <= '9'))
		at++;
	return at > name && *at == '\0' && at - name <= MAX_NAME;
}

enum berm_code berm_caps_scratch(struct berm_caps *caps, const char *path, const char *variable, struct berm_err *err)
{
	struct cap_line line = {.kind = CAP_SCRATCH};
	if (path == NULL)
		return err_set(err, BERM_ERR_INVALID, "no path");
	const char *absolute;
	TRY(make_absolute(caps, path, &absolute, err));
	if (is_root(absolute))
		return err_set(err, BERM_ERR_INVALID, "'/' cannot be a scratch folder");
	if (variable != NULL && !is_variable(variable))
		return err_set(err, BERM_ERR_INVALID, "'%.100s' is not the name of an environment variable", variable);
	if (variable != NULL) {
		line.variable = arena_text(&caps->store->arena, str_from(variable));
		if (line.variable == NULL)
			return out_of_memory(err);
	}
	return path_line_add(caps, &line, "scratch", path, err);
}

/* ---- contents --------------------------------------------------------------------------------------------------- */

enum berm_code berm_caps_content(struct berm_caps *caps, const char *path, const void *bytes, size_t len,
				 struct berm_err *err)
{
	const char *absolute;
	if (path == NULL || (bytes == NULL && len > 0))
		return err_set(err, BERM_ERR_INVALID, "no path or no content");
	TRY(make_absolute(caps, path, &absolute, err));
	if (is_root(absolute) || str_ends(str_from(absolute), STR("/")))
		return err_set(err, BERM_ERR_INVALID, "'%.100s' is no file", path);
	if (caps->content_count == CAPS_MAX_CONTENTS || len > CAPS_MAX_CONTENT)
		return err_set(err, BERM_ERR_LIMIT, "more than %d files with a content of their own, or of %d bytes",
			       CAPS_MAX_CONTENTS, CAPS_MAX_CONTENT);
	char *copy = arena_text(&caps->store->arena, (struct str){len > 0 ? bytes : "", len});
	const char *name = arena_text(&caps->store->arena, str_from(absolute));
	if (copy == NULL || name == NULL)
		return out_of_memory(err);
	caps->contents[caps->content_count++] = (struct cap_content){name, copy, len};
	return BERM_OK;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static enum berm_code glob_add(struct berm_caps *caps, struct str pattern, struct glob **ret_glob, struct berm_err *err)
{
	struct glob *glob = NULL;
	TRY(glob_new(GLOB_PATH, pattern, &glob, err));
	enum berm_code code = vec_push(&caps->store->globs, &glob, err);
	if (code != BERM_OK) {
		glob_free(glob);
		return code;
	}
	*ret_glob = glob;
	return BERM_OK;
}

static enum berm_code check_rule(const struct berm_rule *rule, struct berm_err *err)
{
	if (rule == NULL || rule->size != sizeof *rule)
		return err_set(err, BERM_ERR_INVALID, "struct berm_rule has another size than this library's %zu bytes",
			       sizeof *rule);
	if (rule->pattern == NULL)
		return err_set(err, BERM_ERR_INVALID, "a rule has no pattern");
	if (rule->right != BERM_DENY && rule->right != BERM_PROTECT)
		return err_set(err, BERM_ERR_INVALID, "rule '%.100s' is neither deny nor protect", rule->pattern);
	bool shaped =
		rule->beside != NULL || rule->mkdir_only || rule->in_place || rule->removable || rule->judge != NULL;
	if (rule->right == BERM_DENY && shaped)
		return err_set(err, BERM_ERR_INVALID, "deny rule '%.100s' has a condition that only protect can have",
			       rule->pattern);
	const char *const texts[] = {rule->pattern, rule->except, rule->beside, rule->label};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i] != NULL && (has_newline(texts[i]) || strlen(texts[i]) >= PATH_MAX))
			return err_set(err, BERM_ERR_INVALID, "a text of rule '%.100s' has a newline or is too long",
				       rule->pattern);
	return BERM_OK;
}

/* "NAME" or "../NAME". */
static bool is_beside(const char *text)
{
	const char *name = strncmp(text, "../", 3) == 0 ? text + 3 : text;
	return *name != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool has_dots(struct str path)
{
	struct str name;
	while (str_next(&path, '/', &name))
		if (str_eq(name, STR("..")))
			return true;
	return false;
}

/* Splits the pattern of a literal into path and tree. False: it needs the pattern engine. */
static bool find_literal(struct str pattern, struct str *ret_path, bool *ret_tree)
{
	while (pattern.len > 1 && pattern.ptr[pattern.len - 1] == '/')
		pattern.len--;
	bool tree = str_ends(pattern, STR("/**"));
	struct str path = {pattern.ptr, tree ? pattern.len - 3 : pattern.len};
	if (path.len == 0 || path.ptr[0] != '/' || has_dots(path))
		return false;
	for (size_t i = 0; i < path.len; i++)
		if (is_special(path.ptr[i]))
			return false;
	*ret_path = path;
	*ret_tree = tree;
	return true;
}

/* "(except X, beside Y, judged)". */
static void put_conditions(char *at, const struct berm_rule *rule)
{
	const struct {
		bool on;
		const char *word, *value;
	} parts[] = {
		{rule->except != NULL, "except ", rule->except}, {rule->beside != NULL, "beside ", rule->beside},
		{rule->mkdir_only, "made by mkdir alone", ""},	 {rule->in_place, "the name alone", ""},
		{rule->removable, "may be removed", ""},	 {rule->judge != NULL, "judged", ""},
	};
	bool first = true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i].on)
			continue;
		at = stpcpy(stpcpy(stpcpy(at, first ? " (" : ", "), parts[i].word), parts[i].value);
		first = false;
	}
	if (!first)
		(void)stpcpy(at, ")");
}

static size_t length_of(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static const char *rule_text(struct berm_caps *caps, const struct berm_rule *rule)
{
	enum { WORDS = 128 }; /* of what is said beside the rule's own texts */
	bool labelled = rule->label != NULL && strcmp(rule->label, rule->pattern) != 0;
	size_t size = WORDS + length_of(rule->label) + length_of(rule->pattern) + length_of(rule->except) +
		      length_of(rule->beside);
	char *text = arena_array(&caps->store->arena, size, 1);
	if (text == NULL)
		return NULL;
	char *at = stpcpy(text, rule->right == BERM_DENY ? "deny " : "protect ");
	if (labelled)
		at = stpcpy(stpcpy(at, rule->label), ": ");
	put_conditions(stpcpy(at, rule->pattern), rule);
	return text;
}

/* A copy of text in the arena; NULL stays NULL. */
static enum berm_code keep_text(struct berm_caps *caps, const char *text, const char **ret_copy, struct berm_err *err)
{
	*ret_copy = NULL;
	if (text == NULL)
		return BERM_OK;
	*ret_copy = arena_text(&caps->store->arena, str_from(text));
	return *ret_copy != NULL ? BERM_OK : out_of_memory(err);
}

/* Rules come in groups with the same exception, so the one before is worth a look. */
static enum berm_code fill_except(struct berm_caps *caps, struct cap_rule *rule, struct berm_err *err)
{
	const struct cap_line *last = caps->lines.len > 0 ? vec_at(&caps->lines, caps->lines.len - 1) : NULL;
	if (rule->except_text == NULL)
		return BERM_OK;
	if (last == NULL || last->kind != CAP_RULE || last->rule->except_text == NULL ||
	    strcmp(last->rule->except_text, rule->except_text) != 0)
		return glob_add(caps, str_from(rule->except_text), &rule->except, err);
	rule->except = last->rule->except;
	return BERM_OK;
}

static enum berm_code fill_rule(struct berm_caps *caps, const struct berm_rule *given, struct cap_rule *rule,
				struct berm_err *err)
{
	const char *pattern = NULL;
	*rule = (struct cap_rule){.right = given->right,
				  .mkdir_only = given->mkdir_only,
				  .in_place = given->in_place,
				  .removable = given->removable,
				  .judge = given->judge,
				  .judge_change = given->judge_change};
	if (given->judge != NULL)
		rule->judge_max_bytes = given->judge_max_bytes > 0 ? given->judge_max_bytes : DEFAULT_JUDGE_BYTES;
	TRY(keep_text(caps, given->pattern, &pattern, err));
	TRY(keep_text(caps, given->beside, &rule->beside, err));
	TRY(keep_text(caps, given->except, &rule->except_text, err));
	TRY(keep_text(caps, given->label != NULL ? given->label : given->pattern, &rule->label, err));
	rule->pattern = str_from(pattern);
	if (!find_literal(rule->pattern, &rule->path, &rule->tree))
		TRY(glob_add(caps, rule->pattern, &rule->glob, err));
	return fill_except(caps, rule, err);
}

enum berm_code berm_caps_rule(struct berm_caps *caps, const struct berm_rule *rule, struct berm_err *err)
{
	TRY(check_rule(rule, err));
	if (rule->beside != NULL && !is_beside(rule->beside))
		return err_set(err, BERM_ERR_INVALID, "beside '%.100s' is not a name, nor '../' and a name",
			       rule->beside);
	struct cap_line line = {.kind = CAP_RULE, .rights = rule->right};
	line.rule = arena_alloc(&caps->store->arena, sizeof *line.rule);
	if (line.rule == NULL)
		return out_of_memory(err);
	TRY(fill_rule(caps, rule, line.rule, err));
	line.text = rule_text(caps, rule);
	return line.text != NULL ? line_add(caps, &line, err) : out_of_memory(err);
}

/* ---- what has one value ----------------------------------------------------------------------------------------- */

enum berm_code berm_caps_network(struct berm_caps *caps, enum berm_network mode, struct berm_err *err)
{
	if (mode != BERM_NET_NONE && mode != BERM_NET_HOST && mode != BERM_NET_FILTERED)
		return err_set(err, BERM_ERR_INVALID, "%d is not a network mode", (int)mode);
	caps->network = mode;
	return BERM_OK;
}

enum berm_code berm_caps_limit(struct berm_caps *caps, enum berm_limit limit, uint64_t value, struct berm_err *err)
{
	if ((unsigned)limit >= BERM_LIMIT_COUNT)
		return err_set(err, BERM_ERR_INVALID, "%d is not a limit", (int)limit);
	if (value == 0)
		return err_set(err, BERM_ERR_INVALID, "a limit of 0 for %s", limit_words[limit].word);
	TRY(line_add_once(caps, CAP_LIMIT, (unsigned)limit, err));
	caps->limit[limit] = value;
	return BERM_OK;
}

enum berm_code berm_caps_allow(struct berm_caps *caps, enum berm_extra extra, struct berm_err *err)
{
	if ((unsigned)extra >= BERM_EXTRA_COUNT)
		return err_set(err, BERM_ERR_INVALID, "%d is not an extra permission", (int)extra);
	TRY(line_add_once(caps, CAP_EXTRA, (unsigned)extra, err));
	caps->extra[extra] = true;
	return BERM_OK;
}

enum berm_code berm_caps_view(struct berm_caps *caps, enum berm_view view, struct berm_err *err)
{
	if (view != BERM_VIEW_AUTO && view != BERM_VIEW_VISIBLE && view != BERM_VIEW_HIDDEN)
		return err_set(err, BERM_ERR_INVALID, "%d is not a view", (int)view);
	TRY(line_add_once(caps, CAP_VIEW, 0, err));
	caps->view = view;
	return BERM_OK;
}

enum berm_code berm_caps_backend(struct berm_caps *caps, enum berm_backend backend, struct berm_err *err)
{
	if (backend != BERM_BACKEND_ANY && backend != BERM_BACKEND_NAMESPACES && backend != BERM_BACKEND_LANDLOCK)
		return err_set(err, BERM_ERR_INVALID, "%d is not a back-end", (int)backend);
	TRY(line_add_once(caps, CAP_BACKEND, 0, err));
	caps->backend = backend;
	return BERM_OK;
}

enum berm_code berm_caps_allow_asked(struct berm_caps *caps, struct berm_err *err)
{
	(void)err;
	caps->allow_asked = true;
	return BERM_OK;
}

enum berm_code berm_caps_tell_all(struct berm_caps *caps, struct berm_err *err)
{
	(void)err;
	caps->tell_all = true;
	return BERM_OK;
}

/* The largest unit that divides the value. */
static void value_text(uint64_t value, enum unit unit, char *ret_text, size_t size)
{
	static const struct {
		enum unit unit;
		uint64_t factor;
		const char *name;
	} units[] = {
		{UNIT_BYTES, (uint64_t)1 << 30, "GiB"}, {UNIT_BYTES, (uint64_t)1 << 20, "MiB"},
		{UNIT_BYTES, (uint64_t)1 << 10, "KiB"}, {UNIT_SECONDS, 1, "s"},
		{UNIT_MILLISECONDS, 1000, "s"},		{UNIT_MILLISECONDS, 1, "ms"},
	};
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].unit != unit || value % units[i].factor != 0)
			continue;
		(void)snprintf(ret_text, size, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
		return;
	}
	(void)snprintf(ret_text, size, "%" PRIu64, value);
}

void caps_line_text(const struct berm_caps *caps, const struct cap_line *line, char *ret_text, size_t size)
{
	static const char *const views[] = {"auto", "visible", "hidden"};
	static const char *const backends[] = {"any", "namespaces", "landlock"};
	char value[32];
	switch (line->kind) {
	case CAP_LIMIT:
		value_text(caps->limit[line->which], limit_words[line->which].unit, value, sizeof value);
		(void)snprintf(ret_text, size, "limit %s=%s", limit_words[line->which].word, value);
		return;
	case CAP_EXTRA:
		(void)snprintf(ret_text, size, "allow %s", extra_words[line->which]);
		return;
	case CAP_VIEW:
		(void)snprintf(ret_text, size, "view %s", views[caps->view]);
		return;
	case CAP_BACKEND:
		(void)snprintf(ret_text, size, "backend %s", backends[caps->backend]);
		return;
	case CAP_GRANT:
	case CAP_NARROW:
	case CAP_REPLACE:
	case CAP_RULE:
	case CAP_SOCKET:
	case CAP_ASK:
	case CAP_SCRATCH:
	default:
		(void)snprintf(ret_text, size, "%s", line->text);
		return;
	}
}
