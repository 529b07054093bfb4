/*
 * Plans for machines that are made up: tests/vectors/plan/NAME.txt holds facts, a file system, and cases of capabilities
 * with what must come of them (tests/vectors/plan/README says how it is written).
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "os/fd.h"
#include "sandbox/plan_build.h"

static const char FOLDER[] = "tests/vectors/plan";

/* ---- a made-up file system -------------------------------------------------------------------------------------- */

struct object {
	char path[256], target[128];
	enum seen seen;
	bool closed, blind;
};
enum { MAX_OBJECTS = 256 };
struct world {
	struct object object[MAX_OBJECTS];
	size_t count;
};

static const struct object *world_find(const struct world *world, const char *path)
{
	for (size_t i = 0; i < world->count; i++)
		if (strcmp(world->object[i].path, path) == 0)
			return &world->object[i];
	return NULL;
}

static enum seen world_look(void *ctx, const char *path, char *ret_target, size_t size)
{
	const struct object *object = world_find(ctx, path);
	if (object == NULL)
		return SEEN_MISSING;
	if (object->seen == SEEN_LINK)
		(void)snprintf(ret_target, size, "%s", object->target);
	return object->seen;
}

static bool world_closed(void *ctx, const char *path)
{
	const struct object *object = world_find(ctx, path);
	return object != NULL && object->closed;
}

static bool world_list(void *ctx, const char *path, eyes_entry entry, void *arg)
{
	const struct world *world = ctx;
	size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);
	const struct object *folder = world_find(ctx, path);
	if (folder != NULL && folder->blind)
		return false;
	for (size_t i = 0; i < world->count; i++) {
		const char *name = world->object[i].path;
		if (strncmp(name, path, len) != 0 || name[len] != '/' || strchr(name + len + 1, '/') != NULL)
			continue;
		if (!entry(arg, str_from(name + len + 1), world->object[i].seen))
			return false;
	}
	return true;
}

static void world_add(struct world *world, enum seen seen, const char *path, const char *more)
{
	assert_true(world->count < MAX_OBJECTS);
	struct object *object = &world->object[world->count++];
	*object = (struct object){.seen = seen,
				  .closed = more != NULL && strcmp(more, "closed") == 0,
				  .blind = more != NULL && strcmp(more, "blind") == 0};
	(void)snprintf(object->path, sizeof object->path, "%s", path);
	if (seen == SEEN_LINK)
		(void)snprintf(object->target, sizeof object->target, "%s", more);
}

/* ---- a vector file ---------------------------------------------------------------------------------------------- */

struct vector {
	char file[64];
	int line;
	char name[64]; /* of the case */
	struct world world;
	struct buf facts_text;
	struct berm_facts *facts;
	struct berm_caps *caps;
	struct berm_plan *plan;
	bool made, want_refusal, refused_well;
	struct berm_err err;
	size_t checks, cases;
};

static _Noreturn void complain(const struct vector *vector, const char *what, const char *detail)
{
	fail_msg("%s:%d (%s): %s: %s", vector->file, vector->line, vector->name, what, detail);
	abort();
}

static void need(const struct vector *vector, bool condition, const char *what, const char *detail)
{
	if (!condition)
		complain(vector, what, detail);
}

static void need_ok(const struct vector *vector, enum berm_code code, const char *detail)
{
	if (code != BERM_OK)
		complain(vector, vector->err.msg, detail);
}

static unsigned rights_of(const struct vector *vector, const char *words)
{
	static const struct {
		const char *word;
		unsigned right;
	} table[] = {{"read", BERM_READ},	{"write", BERM_WRITE}, {"delete", BERM_DELETE},
		     {"exec", BERM_EXEC},	{"deny", BERM_DENY},   {"protect", BERM_PROTECT},
		     {"replace", BERM_REPLACE}, {"list", PLAN_LIST},   {"nothing", 0}};
	unsigned rights = 0;
	struct str rest = str_from(words), word;
	while (str_next(&rest, '+', &word)) {
		size_t i = 0;
		while (i < ARRAY_LEN(table) && !str_eq(word, str_from(table[i].word)))
			i++;
		need(vector, i < ARRAY_LEN(table), "unknown right", words);
		rights |= table[i].right;
	}
	return rights;
}

static int word_index(const struct vector *vector, const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	complain(vector, "unknown word", word);
}

/* ---- capabilities ----------------------------------------------------------------------------------------------- */

static bool accept_all(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)content;
	(void)len;
	(void)reason;
	(void)reason_size;
	return true;
}

/* rule RIGHT PATTERN [except GLOB] [beside NAME] [label TEXT] [mkdir] [judge] */
static void cap_rule(struct vector *vector, char **words, size_t count)
{
	struct berm_rule rule = {.size = sizeof rule, .right = rights_of(vector, words[1]), .pattern = words[2]};
	for (size_t i = 3; i < count; i++) {
		if (strcmp(words[i], "except") == 0)
			rule.except = words[++i];
		else if (strcmp(words[i], "beside") == 0)
			rule.beside = words[++i];
		else if (strcmp(words[i], "label") == 0)
			rule.label = words[++i];
		else if (strcmp(words[i], "mkdir") == 0)
			rule.mkdir_only = true;
		else if (strcmp(words[i], "judge") == 0)
			rule.judge = accept_all;
		else
			complain(vector, "unknown word", words[i]);
	}
	need_ok(vector, berm_caps_rule(vector->caps, &rule, &vector->err), rule.pattern);
}

static void cap_path(struct vector *vector, char **words, size_t count)
{
	static const char *const extents[] = {"file", "tree"};
	need(vector, count == 4, "want: grant RIGHTS file|tree PATH", words[0]);
	int extent = word_index(vector, words[2], extents, ARRAY_LEN(extents));
	need_ok(vector,
		berm_caps_path(vector->caps, words[3], rights_of(vector, words[1]), (enum berm_extent)extent,
			       &vector->err),
		words[3]);
}

static void cap_value(struct vector *vector, char **words, size_t count)
{
	static const char *const limits[] = {"memory", "processes", "cpu", "open-files", "file-size", "wall"};
	static const char *const extras[] = {"ptrace", "userns", "io_uring", "memfd-exec", "gpu",
					     "kvm",    "perf",	 "signals",  "host-tmp"};
	static const char *const networks[] = {"none", "host", "filtered"};
	static const char *const views[] = {"auto", "visible", "hidden"};
	static const char *const backends[] = {"any", "namespaces", "landlock"};
	struct berm_err *err = &vector->err;
	enum berm_code code = BERM_ERR_INVALID;
	if (strcmp(words[0], "tell") == 0) {
		need_ok(vector, berm_caps_tell_all(vector->caps, err), words[0]);
		return;
	}
	need(vector, count >= 2, "want a value", words[0]);
	if (strcmp(words[0], "network") == 0)
		code = berm_caps_network(vector->caps,
					 (enum berm_network)word_index(vector, words[1], networks, ARRAY_LEN(networks)),
					 err);
	else if (strcmp(words[0], "view") == 0)
		code = berm_caps_view(vector->caps,
				      (enum berm_view)word_index(vector, words[1], views, ARRAY_LEN(views)), err);
	else if (strcmp(words[0], "backend") == 0)
		code = berm_caps_backend(vector->caps,
					 (enum berm_backend)word_index(vector, words[1], backends, ARRAY_LEN(backends)),
					 err);
	else if (strcmp(words[0], "allow") == 0)
		code = berm_caps_allow(vector->caps,
				       (enum berm_extra)word_index(vector, words[1], extras, ARRAY_LEN(extras)), err);
	else if (strcmp(words[0], "limit") == 0)
		code = berm_caps_limit(vector->caps,
				       (enum berm_limit)word_index(vector, words[1], limits, ARRAY_LEN(limits)),
				       strtoull(words[2], NULL, 10), err);
	else if (strcmp(words[0], "socket") == 0)
		code = berm_caps_socket(vector->caps, words[1], err);
	else if (strcmp(words[0], "scratch") == 0)
		code = berm_caps_scratch(vector->caps, words[1], count > 2 ? words[2] : NULL, err);
	else
		complain(vector, "unknown line", words[0]);
	need_ok(vector, code, words[0]);
}

/* ---- expectations ----------------------------------------------------------------------------------------------- */

static void make(struct vector *vector)
{
	const struct plan_eyes eyes = {
		.ctx = &vector->world, .look = world_look, .closed = world_closed, .list = world_list};
	if (vector->made)
		return;
	vector->made = true;
	vector->err = (struct berm_err){0};
	enum berm_code code = build_plan(vector->caps, vector->facts, &eyes, false, &vector->plan, &vector->err);
	need(vector, code == BERM_OK || code == BERM_ERR_UNSUPPORTED, "plan", vector->err.msg);
}

static void expect_refused(struct vector *vector, const char *text)
{
	make(vector);
	need(vector, vector->plan == NULL, "a plan was made, want a refusal", text);
	need(vector, strstr(vector->err.msg, text) != NULL, vector->err.msg, text);
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/* line GUARANTEE | LINE | ENFORCER | held or partial or refused | part of the note */
static void expect_line(struct vector *vector, char *rest)
{
	static const char *const holds[] = {"held", "partial", "refused"};
	const char *field[5] = {"", "", "", "held", ""};
	struct berm_plan_line line;
	for (size_t i = 0; i < 5 && rest != NULL; i++)
		field[i] = trim(strsep(&rest, "|"));
	for (size_t i = 0; berm_plan_line(vector->plan, i, &line); i++) {
		if (strcmp(line.guarantee, field[0]) != 0 || strcmp(line.line, field[1]) != 0)
			continue;
		need(vector, strcmp(line.enforcer, field[2]) == 0, line.enforcer, field[2]);
		need(vector, strcmp(holds[line.hold], field[3]) == 0, holds[line.hold], field[3]);
		need(vector, field[4][0] != '\0' ? strstr(line.note, field[4]) != NULL : line.note[0] == '\0',
		     line.note, field[4]);
		return;
	}
	complain(vector, "no such line", field[1]);
}

/* grant RIGHTS file|tree GOVERNS PATH, governs: - r w rw; missing in front of the path: it does not exist */
static void expect_grant(struct vector *vector, char **words, size_t count)
{
	need(vector, count == 6, "want: expect grant RIGHTS file|tree -|r|w|rw PATH", words[0]);
	bool missing = words[5][0] == '!';
	const char *path = words[5] + missing;
	const struct plan_grant *grant = plan_grant_at(vector->plan, str_from(path));
	need(vector, grant != NULL && strcmp(grant->path, path) == 0, "no such grant", path);
	unsigned govern = (strchr(words[4], 'r') != NULL ? (unsigned)GOVERN_READ : 0) |
			  (strchr(words[4], 'w') != NULL ? (unsigned)GOVERN_WRITE : 0);
	char text[96];
	(void)snprintf(text, sizeof text, "rights %x tree %d govern %u exists %d", grant->rights, grant->tree,
		       grant->govern, grant->exists);
	need(vector, grant->rights == rights_of(vector, words[2]), text, words[2]);
	need(vector, grant->tree == (strcmp(words[3], "tree") == 0), text, words[3]);
	need(vector, grant->govern == govern, text, words[4]);
	need(vector, grant->exists == !missing, text, words[5]);
}

static bool has_path(const struct berm_plan *plan, const char *what, const char *path)
{
	bool found = false;
	if (strcmp(what, "grant") == 0)
		for (size_t i = 0; i < plan->grant_count; i++)
			found |= strcmp(plan->grants[i].path, path) == 0;
	if (strcmp(what, "mask") == 0)
		for (size_t i = 0; i < plan->mask_count; i++)
			found |= strcmp(plan->masks[i].path, path) == 0;
	if (strcmp(what, "around") == 0)
		for (size_t i = 0; i < plan->around_count; i++)
			found |= strcmp(plan->around[i].path, path) == 0;
	if (strcmp(what, "link") == 0)
		for (size_t i = 0; i < plan->link_count; i++)
			found |= strcmp(plan->links[i].path, path) == 0;
	if (strcmp(what, "scratch") == 0)
		for (size_t i = 0; i < plan->scratch_count; i++)
			found |= strcmp(plan->scratches[i].path, path) == 0;
	if (strcmp(what, "socket") == 0)
		for (size_t i = 0; i < plan->socket_count; i++)
			found |= strcmp(plan->sockets[i], path) == 0;
	return found;
}

static void expect_spec(struct vector *vector, const char *word, bool wanted)
{
	const struct seccomp_spec *spec = &vector->plan->spec;
	const struct {
		const char *word;
		bool on;
	} table[] = {
		{"changes", spec->trap_changes},
		{"reads", spec->trap_reads},
		{"exec", spec->trap_exec},
		{"modes", spec->trap_modes},
		{"metadata", spec->trap_metadata},
		{"connect", spec->trap_connect},
		{"listen", spec->trap_listen},
		{"signals", spec->trap_signals},
		{"peers", spec->trap_peers},
		{"memfd", spec->trap_memfd},
		{"refuse_ip", spec->refuse_ip},
		{"refuse_udp", spec->refuse_udp},
		{"private_ipc", spec->private_ipc},
		{"private_pids", spec->private_pids},
		{"listener", vector->plan->listener},
		{"net_namespace", vector->plan->net_namespace},
		{"allow_ptrace", spec->allow_ptrace},
		{"cgroup", vector->plan->cgroup != NULL},
		{"landlock_net", vector->plan->landlock_net != 0},
		{"scoped", vector->plan->landlock_scoped != 0},
		{"wait_killable", vector->plan->wait_killable},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].word, word) != 0)
			continue;
		need(vector, table[i].on == wanted, wanted ? "is off" : "is on", word);
		return;
	}
	complain(vector, "unknown word", word);
}

static void expect(struct vector *vector, char *rest, char **words, size_t count)
{
	make(vector);
	vector->checks++;
	if (strcmp(words[1], "refused") == 0) {
		expect_refused(vector, trim(strstr(rest, "refused") + 7));
		return;
	}
	need(vector, vector->plan != NULL, "refused", vector->err.msg);
	bool negated = strcmp(words[1], "no") == 0;
	if (strcmp(words[1], "line") == 0)
		expect_line(vector, strstr(rest, "line") + 4);
	else if (strcmp(words[1], "backend") == 0)
		need(vector,
		     (strcmp(words[2], "namespaces") == 0) ==
			     (berm_plan_backend(vector->plan) == BERM_BACKEND_NAMESPACES),
		     "other back-end", words[2]);
	else if (strcmp(words[1], "view") == 0)
		need(vector, (strcmp(words[2], "hidden") == 0) == vector->plan->hidden, "other view", words[2]);
	else if (strcmp(words[1], "grant") == 0)
		expect_grant(vector, words, count);
	else if (strcmp(words[1], "on") == 0 || strcmp(words[1], "off") == 0)
		for (size_t i = 2; i < count; i++)
			expect_spec(vector, words[i], strcmp(words[1], "on") == 0);
	else
		need(vector, has_path(vector->plan, words[1 + negated], words[2 + negated]) != negated,
		     words[1 + negated], words[2 + negated]);
}

/* ---- reading it ------------------------------------------------------------------------------------------------- */

static void end_case(struct vector *vector)
{
	berm_plan_free(vector->plan);
	berm_caps_free(vector->caps);
	vector->plan = NULL;
	vector->caps = NULL;
	vector->made = false;
}

static void start_case(struct vector *vector, const char *name)
{
	end_case(vector);
	if (vector->facts == NULL)
		need_ok(vector,
			berm_facts_load(vector->facts_text.data, vector->facts_text.len, &vector->facts, &vector->err),
			"facts");
	(void)snprintf(vector->name, sizeof vector->name, "%s", name);
	need_ok(vector, berm_caps_new(&vector->caps, &vector->err), "caps");
	vector->cases++;
}

static void read_file(struct vector *vector, const char *name);

static void read_line(struct vector *vector, char *line)
{
	char copy[1024], *words[16] = {0}, *rest = copy, *word;
	size_t count = 0;
	if (line[0] == '#' || line[0] == '\0')
		return;
	if (vector->caps == NULL && strchr(line, '=') != NULL) {
		buf_printf(&vector->facts_text, "%s\n", line);
		return;
	}
	(void)snprintf(copy, sizeof copy, "%s", line);
	while (count < ARRAY_LEN(words) - 1 && (word = strsep(&rest, " \t")) != NULL)
		if (*word != '\0')
			words[count++] = word;
	if (strcmp(words[0], "include") == 0)
		read_file(vector, words[1]);
	else if (strcmp(words[0], "folder") == 0)
		world_add(&vector->world, SEEN_FOLDER, words[1], words[2]);
	else if (strcmp(words[0], "file") == 0)
		world_add(&vector->world, SEEN_FILE, words[1], words[2]);
	else if (strcmp(words[0], "link") == 0)
		world_add(&vector->world, SEEN_LINK, words[1], words[2]);
	else if (strcmp(words[0], "case") == 0)
		start_case(vector, words[1]);
	else if (vector->caps == NULL)
		complain(vector, "not a fact, file or case", line);
	else if (strcmp(words[0], "expect") == 0)
		expect(vector, line, words, count);
	else if (strcmp(words[0], "grant") == 0)
		cap_path(vector, words, count);
	else if (strcmp(words[0], "rule") == 0)
		cap_rule(vector, words, count);
	else
		cap_value(vector, words, count);
}

static void read_file(struct vector *vector, const char *name)
{
	char path[128], outer_file[64];
	char *text = calloc(1, 65536);
	int outer_at = vector->line;
	assert_non_null(text);
	(void)snprintf(outer_file, sizeof outer_file, "%s", vector->file);
	(void)snprintf(vector->file, sizeof vector->file, "%s", name);
	(void)snprintf(path, sizeof path, "%s/%s", FOLDER, name);
	ssize_t len = fd_read_file(AT_FDCWD, path, text, 65536);
	need(vector, len > 0 && len < 65535, "cannot be read", path);
	char *rest = text, *line;
	vector->line = 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		vector->line++;
		read_line(vector, line);
	}
	free(text);
	vector->line = outer_at;
	(void)snprintf(vector->file, sizeof vector->file, "%s", outer_file);
}

static void run_vector(const char *name)
{
	struct vector *vector = calloc(1, sizeof *vector);
	assert_non_null(vector);
	buf_init(&vector->facts_text, 1 << 20);
	world_add(&vector->world, SEEN_FOLDER, "/", NULL);
	read_file(vector, name);
	end_case(vector);
	assert_true(vector->cases > 0 && vector->checks > 0);
	berm_facts_free(vector->facts);
	buf_done(&vector->facts_text);
	free(vector);
}

static const char *const vectors[] = {
	"5.10-bare",	"6.1",	  "6.12",   "6.18",	  "6.7",  "7.1",
	"berm-in-berm", "docker", "gvisor", "kubernetes", "root", "sandbox-in-sandbox",
	"ubuntu",	"wsl2",
};

static void test_vector(void **state)
{
	char name[64];
	(void)snprintf(name, sizeof name, "%s.txt", (const char *)*state);
	run_vector(name);
}

static int is_vector(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void test_all_vectors_are_run(void **state)
{
	struct dirent **entries = NULL;
	(void)state;
	int count = scandir(FOLDER, &entries, is_vector, alphasort);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	assert_int_equal(count, ARRAY_LEN(vectors));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(vectors) + 1] = {cmocka_unit_test(test_all_vectors_are_run)};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		tests[i + 1] = (struct CMUnitTest){
			.name = vectors[i], .test_func = test_vector, .initial_state = (void *)(uintptr_t)vectors[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
