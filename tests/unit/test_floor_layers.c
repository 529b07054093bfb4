/*
 * The floor against everything that can grant: each entry of it, in each spelling, is granted by each layer in each way.
 * Either there is an error, or nothing that comes of it reaches the entry.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "pattern_met.h"
#include "policy/floor.h"
#include "policy/resolve.h"
#include "sandbox/caps.h"

enum { SAMPLES_MAX = 32, PATH_SIZE = 256, LINES_MAX = 6, CHANGE = BERM_WRITE | BERM_DELETE };

/* ---- what the machine is ----------------------------------------------------------------------------------------- */

static char link_target[PATH_SIZE]; /* of /home/u/link */

/* The one link of this machine. */
static bool lead(const char *path, char ret_real[static PATH_MAX])
{
	static const char link[] = "/home/u/link";
	bool passes = path_is_in(str_from(path), STR("/home/u/link"));
	(void)snprintf(ret_real, PATH_MAX, "%s%s", passes ? link_target : path, passes ? path + strlen(link) : "");
	return true;
}

static const char *const no_env[] = {NULL}, *const links[] = {"/home/u/link", NULL};

static struct policy_input machine(void)
{
	return (struct policy_input){.cwd = "/home/u/p",
				     .workspace = "/home/u/p",
				     .home = "/home/u",
				     .envp = no_env,
				     .resolve = lead,
				     .links = links,
				     .config_folder = "/home/u/etc/berm",
				     .state_folder = "/home/u/var/berm",
				     .runtime_folder = "/run/user/7/berm",
				     .uid = 7,
				     .os = "linux"};
}

/* ---- the layers -------------------------------------------------------------------------------------------------- */

struct rig {
	struct policy_line lines[LINES_MAX];
	struct policy_attr attrs[LINES_MAX];
	struct policy_doc doc, empty, naming;
	const struct policy_doc *docs[2], *profiles[2];
	struct policy_layers layers;
	struct policy *policy;
	struct berm_caps *caps;
	struct problems problems;
	struct berm_err err;
};

static void rig_done(struct rig *rig)
{
	berm_caps_free(rig->caps);
	policy_free(rig->policy);
}
#define auto_rig __attribute__((cleanup(rig_done))) struct rig

static const struct policy_doc *find_mine(void *context, enum policy_doc_kind kind, const char *name,
					  struct problems *problems)
{
	struct rig *rig = context;
	(void)problems;
	return kind == POLICY_DOC_GROUP && strcmp(name, "mine") == 0 ? &rig->doc : NULL;
}

static const char *no_name(void *context, enum policy_doc_kind kind, size_t index)
{
	(void)context;
	(void)kind;
	(void)index;
	return NULL;
}

static const struct policy_line extends_nothing = {.key = KEY_EXTENDS, .text = ""};
static const struct policy_line names_mine = {.key = KEY_GROUPS, .line = 1, .text = "mine"};

static void add(struct rig *rig, enum policy_key key, const char *text)
{
	struct policy_line *line = &rig->lines[rig->doc.line_count++];
	*line = (struct policy_line){.key = key, .line = rig->doc.line_count, .column = 3, .text = text};
	rig->doc.lines = rig->lines;
}

static void add_attr(struct rig *rig, enum policy_attr_key key, const char *text)
{
	size_t last = rig->doc.line_count - 1;
	rig->attrs[last] = (struct policy_attr){key, text};
	rig->lines[last].attrs = &rig->attrs[last];
	rig->lines[last].attr_count = 1;
}

static void as_system(struct rig *rig)
{
	rig->layers.system = rig->docs;
}

static void as_user(struct rig *rig)
{
	rig->layers.user = rig->docs;
}

static void as_profile(struct rig *rig)
{
	rig->doc.kind = POLICY_DOC_PROFILE;
	rig->doc.name = "own";
	rig->layers.profiles = rig->docs;
}

static void as_shipped_profile(struct rig *rig)
{
	rig->doc.shipped = true;
	as_profile(rig);
}

static void as_group(struct rig *rig)
{
	rig->doc.kind = POLICY_DOC_GROUP;
	rig->doc.name = "mine";
	rig->naming = (struct policy_doc){
		.kind = POLICY_DOC_FILE, .file = "/home/u/etc/berm/policy.yaml", .lines = &names_mine, .line_count = 1};
	rig->docs[0] = &rig->naming;
	rig->layers.user = rig->docs;
}

static void as_project(struct rig *rig)
{
	rig->doc.file = "/home/u/p/.berm.yaml";
	rig->layers.project = &rig->doc;
}

static void as_wish(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->doc.line_count; i++)
		rig->lines[i].wanted = true;
	as_project(rig);
}

/* What consent makes of a wish: lines of the user's layer. */
static void as_consent(struct rig *rig)
{
	rig->doc.file = "/home/u/p/.berm.yaml";
	as_user(rig);
}

static void as_flags(struct rig *rig)
{
	rig->doc.kind = POLICY_DOC_FLAGS;
	rig->doc.file = "command line";
	rig->doc.folder = "/home/u/p";
	rig->layers.flags = &rig->doc;
}

static const struct layer {
	const char *name;
	void (*put)(struct rig *rig);
} layers[] = {
	{"flags", as_flags},
	{"the user's policy", as_user},
	{"a profile", as_profile},
	{"a shipped profile", as_shipped_profile},
	{"a group", as_group},
	{"the system's policy", as_system},
	{"a project", as_project},
	{"a project's wish", as_wish},
	{"an accepted wish", as_consent},
};

/* ---- the ways to grant ------------------------------------------------------------------------------------------- */

static void by_read(struct rig *rig, const char *text)
{
	add(rig, KEY_READ, text);
}

static void by_exec(struct rig *rig, const char *text)
{
	add(rig, KEY_EXEC, text);
}

static void by_write(struct rig *rig, const char *text)
{
	add(rig, KEY_WRITE, text);
}

static void by_delete(struct rig *rig, const char *text)
{
	add(rig, KEY_WRITE, "/home/u/p");
	add(rig, KEY_DELETE, text);
}

static void by_replace(struct rig *rig, const char *text)
{
	add(rig, KEY_REPLACE, text);
}

static void by_socket(struct rig *rig, const char *text)
{
	add(rig, KEY_SOCKETS, text);
}

static void by_override(struct rig *rig, const char *text)
{
	add(rig, KEY_OVERRIDE, text);
	add_attr(rig, ATTR_WHY, "it is mine");
	add(rig, KEY_WRITE, text);
}

static void by_exception(struct rig *rig, const char *text)
{
	add(rig, KEY_WRITE, text);
	add(rig, KEY_DENY, "/");
	add_attr(rig, ATTR_EXCEPT, text);
}

static void by_asking(struct rig *rig, const char *text)
{
	add(rig, KEY_APPROVALS_MODE, "allow");
	add(rig, KEY_FS_DEFAULT, "ask");
	add(rig, KEY_ASK, text);
	add(rig, KEY_WRITE, text);
}

static const struct way {
	const char *name;
	void (*put)(struct rig *rig, const char *text);
} ways[] = {
	{"read", by_read},	   {"exec", by_exec},	     {"write", by_write},
	{"delete", by_delete},	   {"replace", by_replace},  {"socket", by_socket},
	{"override", by_override}, {"except", by_exception}, {"ask and allow", by_asking},
};

/* ---- spellings --------------------------------------------------------------------------------------------------- */

struct spelling {
	char text[2 * PATH_SIZE];
};

static void exact(const char *path, struct spelling *ret)
{
	(void)snprintf(ret->text, sizeof ret->text, "%s", path);
}

static void below(const char *path, struct spelling *ret)
{
	(void)snprintf(ret->text, sizeof ret->text, "%s/more", path);
}

static void parent(const char *path, struct spelling *ret)
{
	struct str up = path_parent(str_from(path));
	(void)snprintf(ret->text, sizeof ret->text, "%.*s", up.len > 0 ? (int)up.len : 1, up.len > 0 ? up.ptr : "/");
}

static void top(const char *path, struct spelling *ret)
{
	(void)path;
	(void)snprintf(ret->text, sizeof ret->text, "/");
}

static void dots(const char *path, struct spelling *ret)
{
	(void)snprintf(ret->text, sizeof ret->text, "/home/u/p/../../..%s/x/..", path);
}

static void slashes(const char *path, struct spelling *ret)
{
	size_t at = 0;
	for (; *path != '\0' && at + 4 < sizeof ret->text; path++) {
		ret->text[at++] = *path;
		if (*path == '/')
			ret->text[at++] = '/';
	}
	(void)snprintf(ret->text + at, sizeof ret->text - at, "//.");
}

static void other_case(const char *path, struct spelling *ret)
{
	size_t at = 0;
	for (; *path != '\0' && at + 1 < sizeof ret->text; path++)
		ret->text[at++] = (char)(*path >= 'a' && *path <= 'z' ? *path & ~0x20 : *path);
	ret->text[at] = '\0';
}

static void by_link(const char *path, struct spelling *ret)
{
	(void)snprintf(link_target, sizeof link_target, "%s", path);
	(void)snprintf(ret->text, sizeof ret->text, "/home/u/link");
}

static void through_link(const char *path, struct spelling *ret)
{
	struct str up = path_parent(str_from(path));
	(void)snprintf(link_target, sizeof link_target, "%.*s", (int)up.len, up.ptr);
	(void)snprintf(ret->text, sizeof ret->text, "/home/u/link%s", path + up.len);
}

static void parent_by_link(const char *path, struct spelling *ret)
{
	struct spelling up;
	parent(path, &up);
	(void)snprintf(link_target, sizeof link_target, "%.*s", PATH_SIZE - 1, up.text);
	(void)snprintf(ret->text, sizeof ret->text, "/home/u/link");
}

static void stars(const char *path, struct spelling *ret)
{
	struct str up = path_parent(str_from(path));
	(void)snprintf(ret->text, sizeof ret->text, "%.*s/*", (int)up.len, up.ptr);
}

static void all_below(const char *path, struct spelling *ret)
{
	(void)snprintf(ret->text, sizeof ret->text, "%s/**", path);
}

static void set_of_one(const char *path, struct spelling *ret)
{
	size_t len = strlen(path);
	(void)snprintf(ret->text, sizeof ret->text, "%.*s[%c]", (int)len - 1, path, path[len - 1]);
}

static const struct {
	const char *name;
	void (*put)(const char *path, struct spelling *ret);
} spellings[] = {
	{"itself", exact},
	{"below it", below},
	{"the folder around it", parent},
	{"everything", top},
	{"with '..'", dots},
	{"with '//'", slashes},
	{"in capitals", other_case},
	{"a link to it", by_link},
	{"through a link", through_link},
	{"a link around it", parent_by_link},
	{"a pattern", stars},
	{"all below it", all_below},
	{"a pattern of one", set_of_one},
};

/* ---- what comes of it -------------------------------------------------------------------------------------------- */

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strlen(path) >= len && str_eq_nocase((struct str){path, len}, (struct str){folder, len}) &&
	       (path[len] == '/' || path[len] == '\0');
}

static bool closes(const struct cap_line *line, const char *path, unsigned right)
{
	if (line->kind == CAP_NARROW)
		return (line->rights & right) != 0 && lies_in(path, line->path.ptr);
	if (line->kind != CAP_RULE || (line->rule->right & right) == 0 || !is_met(line->rule->pattern.ptr, path))
		return false;
	return line->rule->except_text == NULL || !is_met(line->rule->except_text, path);
}

static bool is_closed(const struct berm_caps *caps, const char *path, unsigned right)
{
	for (size_t i = 0; i < caps->lines.len; i++)
		if (closes((const struct cap_line *)caps->lines.items + i, path, right))
			return true;
	return false;
}

/* "/" shows the sandbox's own where it has one. */
static bool grants(const struct cap_line *line, const struct floor_row *row, const char *path)
{
	char real[PATH_MAX];
	if (line->kind != CAP_GRANT && line->kind != CAP_REPLACE && line->kind != CAP_SOCKET)
		return false;
	unsigned rights = line->kind == CAP_GRANT ? line->rights : (unsigned)CHANGE;
	if (line->kind == CAP_SOCKET)
		rights = BERM_READ;
	if ((rights & row->rights) == 0 || !lead(line->path.ptr, real))
		return false;
	if (line->kind != CAP_GRANT) /* of one object */
		return str_eq_nocase(str_from(path), str_from(real));
	return lies_in(path, real) && !(row->own && strcmp(real, "/") == 0);
}

static const char *find_hole(const struct berm_caps *caps, const struct floor_row *row, const char *path)
{
	unsigned right = (row->rights & BERM_READ) != 0 ? (unsigned)BERM_DENY : BERM_DENY | BERM_PROTECT;
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = (const struct cap_line *)caps->lines.items + i;
		if (grants(line, row, path) && !is_closed(caps, path, right))
			return line->path.ptr;
	}
	return NULL;
}

struct attempt {
	const struct floor_row *row;
	const char *path; /* one that the row closes */
	const struct layer *layer;
	const struct way *way;
	size_t spelling;
};

static size_t refused, taken; /* attempts */

static bool make(struct rig *rig, struct policy_input *input)
{
	if (policy_make(&rig->layers, input, &rig->policy, &rig->problems, &rig->err) != BERM_OK)
		return false;
	input->policy = rig->policy;
	return policy_caps(input, &rig->caps, NULL, &rig->problems, &rig->err) == BERM_OK;
}

static void try_it(const struct attempt *attempt)
{
	struct spelling text;
	struct policy_input input = machine();
	auto_rig rig = {.doc = {.kind = POLICY_DOC_FILE, .file = "/home/u/etc/berm/policy.yaml"}};
	rig.empty = (struct policy_doc){.kind = POLICY_DOC_PROFILE,
					.file = "empty.yaml",
					.name = "empty",
					.shipped = true,
					.lines = &extends_nothing,
					.line_count = 1};
	rig.profiles[0] = &rig.empty;
	rig.docs[0] = &rig.doc;
	rig.layers.profiles = rig.profiles;
	rig.layers.finder = (struct policy_finder){&rig, find_mine, no_name};
	spellings[attempt->spelling].put(attempt->path, &text);
	attempt->way->put(&rig, text.text);
	if (attempt->layer->put == as_profile || attempt->layer->put == as_shipped_profile) {
		rig.lines[rig.doc.line_count++] = extends_nothing;
	}
	attempt->layer->put(&rig);
	bool made = make(&rig, &input);
	*(made ? &taken : &refused) += 1;
	const char *hole = made ? find_hole(rig.caps, attempt->row, attempt->path) : NULL;
	if (hole != NULL)
		fail_msg("%s of %s by %s, %s ('%s'): '%s' reaches it", attempt->way->name, attempt->path,
			 attempt->layer->name, spellings[attempt->spelling].name, text.text, hole);
}

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

struct samples {
	char path[SAMPLES_MAX][PATH_SIZE];
	size_t count;
};

/* A star is two letters, a set of digits one of them. */
static void put_sample(struct samples *samples, const char *pattern)
{
	assert_true(samples->count < SAMPLES_MAX);
	char *out = samples->path[samples->count++];
	size_t at = 0;
	for (; *pattern != '\0'; pattern++) {
		assert_true(at + 3 < PATH_SIZE);
		if (*pattern == '*') {
			out[at++] = 'q';
			out[at++] = 'z';
		} else if (*pattern == '[') {
			out[at++] = '7';
			pattern = strchr(pattern, ']');
		} else {
			out[at++] = *pattern;
		}
	}
	out[at] = '\0';
}

/* Each alternative of the one pair of braces that a row may have. */
static void sample(const struct floor_row *row, const struct floor_places *places, struct samples *samples)
{
	char pattern[4096], one[PATH_SIZE];
	samples->count = 0;
	assert_true(floor_pattern(row, places, pattern, sizeof pattern));
	const char *open = strchr(pattern, '{'), *close = strchr(pattern, '}');
	if (open == NULL) {
		put_sample(samples, pattern);
		return;
	}
	struct str rest = {open + 1, (size_t)(close - open) - 1}, part;
	while (str_next(&rest, ',', &part)) {
		(void)snprintf(one, sizeof one, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)part.len, part.ptr,
			       close + 1);
		put_sample(samples, one);
	}
}

static void try_spellings(struct attempt *attempt)
{
	for (attempt->spelling = 0; attempt->spelling < ARRAY_LEN(spellings); attempt->spelling++)
		try_it(attempt);
}

static void try_all(const struct floor_row *row, const char *path)
{
	struct attempt attempt = {.row = row, .path = path};
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		attempt.layer = &layers[i];
		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			attempt.way = &ways[k];
			try_spellings(&attempt);
		}
	}
}

static void test_no_layer_lifts_an_entry(void **state)
{
	(void)state;
	NOT_TORTURED();
	const struct policy_input input = machine();
	const struct floor_places places = floor_places_of(&input);
	struct samples samples;
	for (size_t i = 0; i < floor_row_count; i++) {
		if ((floor_rows[i].os & FLOOR_LINUX) == 0)
			continue;
		sample(&floor_rows[i], &places, &samples);
		for (size_t k = 0; k < samples.count; k++) {
			if (floor_find(samples.path[k], floor_rows[i].rights, &places) == NULL)
				fail_msg("'%s' is not on the floor", samples.path[k]);
			if (k == 0)
				try_all(&floor_rows[i], samples.path[k]);
			struct attempt attempt = {
				.row = &floor_rows[i], .path = samples.path[k], .layer = &layers[0], .way = &ways[2]};
			try_spellings(&attempt);
		}
	}
	assert_true(refused > 10000 && taken > 3000);
}

/* The same judge finds a hole where there is one. */
static void test_the_judge_is_awake(void **state)
{
	(void)state;
	struct policy_input input = machine();
	const struct floor_row not_there = {.class = "c", .pattern = "/srv", .rights = CHANGE, .os = FLOOR_LINUX};
	auto_rig rig = {.doc = {.kind = POLICY_DOC_FILE, .file = "/home/u/etc/berm/policy.yaml"}};
	rig.docs[0] = &rig.doc;
	rig.layers.finder = (struct policy_finder){&rig, find_mine, no_name};
	by_write(&rig, "/home/u/link/..");
	by_write(&rig, "/srv/a");
	as_profile(&rig);
	rig.lines[rig.doc.line_count++] = extends_nothing;
	assert_true(make(&rig, &input));
	assert_non_null(find_hole(rig.caps, &not_there, "/srv/a/x"));
	assert_non_null(find_hole(rig.caps, &not_there, "/SRV/A"));
	assert_null(find_hole(rig.caps, &not_there, "/srv/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_layer_lifts_an_entry),
		cmocka_unit_test(test_the_judge_is_awake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
