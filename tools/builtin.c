/*
 * The loader of policies as a program of its own, which runs where berm is built:
 *   builtin tables FILE...   the C source of src/policy/builtin.h's tables, from groups and profiles; a mistake in a file is
 *                            told with its place and ends the build
 *   builtin schema           the JSON Schema
 *   builtin reference        docs/policy-reference.md
 *   builtin json FILE        a file's tree as JSON
 *   builtin check FILE...    "good FILE" or "bad FILE" for each
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/vec.h"
#include "format/nearest.h"
#include "policy/load.h"

enum { DOCS_MAX = 4096, MEMORY_MAX = 256 << 20 };

struct program {
	const char *name;
	size_t profile; /* among profiles */
};

struct tables {
	struct arena arena;
	const struct policy_doc *groups[DOCS_MAX], *profiles[DOCS_MAX];
	size_t group_count, profile_count;
	struct program programs[DOCS_MAX];
	size_t program_count;
	struct problems problems;
};

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "builtin: %s: %s\n", what, why);
	exit(1);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static struct str read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = arena_alloc(arena, NODE_MAX_BYTES + 1);
	if (file == NULL || text == NULL)
		die(path, strerrordesc_np(errno));
	size_t len = fread(text, 1, NODE_MAX_BYTES + 1, file);
	if (ferror(file) || fclose(file) != 0)
		die(path, "cannot be read");
	return (struct str){text, len};
}

/* "git" of "groups/git.yaml". */
static bool is_named_like_file(const struct policy_doc *doc)
{
	const char *slash = strrchr(doc->file, '/'), *stem = slash != NULL ? slash + 1 : doc->file;
	size_t len = doc->name != NULL ? strlen(doc->name) : 0;
	return len > 0 && strncmp(stem, doc->name, len) == 0 && strcmp(stem + len, ".yaml") == 0;
}

static void load_file(struct tables *tables, const char *path)
{
	bool profile = strncmp(path, "profiles/", 9) == 0;
	const struct policy_from from = {profile ? POLICY_DOC_PROFILE : POLICY_DOC_GROUP, path};
	struct arena text_arena;
	struct berm_err err = {0};
	const struct policy_doc *doc = NULL;
	arena_init(&text_arena, 2 * (size_t)NODE_MAX_BYTES);
	size_t before = tables->problems.count;
	enum berm_code code =
		policy_load(&tables->arena, from, read_file(&text_arena, path), &doc, &tables->problems, &err);
	arena_done(&text_arena);
	if (code != BERM_OK && tables->problems.count == before)
		die(path, err.msg);
	if (code != BERM_OK)
		return;
	const struct place at = {doc->file, 0, 0};
	if (!is_named_like_file(doc))
		problem_add(&tables->problems, &at, "'name' is not that of the file");
	if (doc->about == NULL)
		problem_add(&tables->problems, &at, "'about' is missing");
	if (profile)
		tables->profiles[tables->profile_count++] = doc;
	else
		tables->groups[tables->group_count++] = doc;
}

/* ---- looking at all of them -------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct policy_doc *const *first = a, *const *second = b;
	const char *left = (*first)->name, *right = (*second)->name;
	return strcmp(left != NULL ? left : "", right != NULL ? right : "");
}

static int by_program(const void *a, const void *b)
{
	const struct program *first = a, *second = b;
	return strcmp(first->name, second->name);
}

static void check_name(struct tables *tables, const struct policy_doc *doc, const struct policy_line *line)
{
	bool groups = line->key == KEY_GROUPS;
	const struct policy_doc *const *docs = groups ? tables->groups : tables->profiles;
	size_t count = groups ? tables->group_count : tables->profile_count;
	const char *name = groups && line->text[0] == '-' ? line->text + 1 : line->text;
	struct nearest nearest;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < count; i++) {
		if (docs[i]->name != NULL && strcmp(docs[i]->name, name) == 0)
			return;
		if (docs[i]->name != NULL)
			nearest_offer(&nearest, docs[i]->name);
	}
	const struct place at = {doc->file, line->line, line->column};
	problem_add(&tables->problems, &at, "there is no %s '%s'", groups ? "group" : "profile", name);
	if (nearest.best != NULL)
		problem_hint(&tables->problems, "%s", nearest.best);
}

static void look_at(struct tables *tables, const struct policy_doc *doc, size_t index)
{
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const struct policy_line *line = &doc->lines[i];
		bool names = line->key == KEY_GROUPS || line->key == KEY_EXTENDS;
		if (names && line->text[0] != '\0')
			check_name(tables, doc, line);
		if (line->key == KEY_PROGRAMS && tables->program_count < DOCS_MAX)
			tables->programs[tables->program_count++] = (struct program){line->text, index};
	}
}

static void look_at_all(struct tables *tables)
{
	qsort(tables->groups, tables->group_count, sizeof *tables->groups, by_name);
	qsort(tables->profiles, tables->profile_count, sizeof *tables->profiles, by_name);
	for (size_t i = 0; i < tables->group_count; i++)
		look_at(tables, tables->groups[i], 0);
	for (size_t i = 0; i < tables->profile_count; i++)
		look_at(tables, tables->profiles[i], i);
	qsort(tables->programs, tables->program_count, sizeof *tables->programs, by_program);
	for (size_t i = 1; i < tables->program_count; i++)
		if (by_program(&tables->programs[i - 1], &tables->programs[i]) == 0)
			die(tables->programs[i].name, "two profiles name this program");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* As C and JSON both read it. */
static void put_text(const char *text)
{
	if (text == NULL) {
		(void)printf("NULL");
		return;
	}
	(void)putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)printf("\\%c", *text);
		else if (*text == '\n' || *text == '\t')
			(void)printf("\\%c", *text == '\n' ? 'n' : 't');
		else if ((unsigned char)*text < 0x20)
			die(text, "a control character");
		else
			(void)putchar(*text);
	}
	(void)putchar('"');
}

static void put_attrs(const struct policy_doc *doc)
{
	for (uint32_t i = 0; i < doc->line_count; i++)
		for (uint32_t j = 0; j < doc->lines[i].attr_count; j++) {
			(void)printf("\t{(enum policy_attr_key)%d, ", (int)doc->lines[i].attrs[j].key);
			put_text(doc->lines[i].attrs[j].text);
			(void)printf("},\n");
		}
}

static void put_lines(const struct policy_doc *doc, size_t *attr)
{
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const struct policy_line *line = &doc->lines[i];
		(void)printf("\t{.key = (enum policy_key)%d, .line = %u, .column = %u, .text = ", (int)line->key,
			     (unsigned)line->line, (unsigned)line->column);
		put_text(line->text);
		if (line->attr_count > 0)
			(void)printf(", .attrs = attrs + %zu, .attr_count = %u", *attr, (unsigned)line->attr_count);
		(void)printf("},\n");
		*attr += line->attr_count;
	}
}

static void put_docs(const char *name, const struct policy_doc *const *docs, size_t count, size_t *line)
{
	(void)printf("const size_t builtin_%s_count = %zu;\nconst struct policy_doc builtin_%ss[] = {\n", name, count,
		     name);
	for (size_t i = 0; i < count; i++) {
		(void)printf("\t{.kind = (enum policy_doc_kind)%d, .file = ", (int)docs[i]->kind);
		put_text(docs[i]->file);
		(void)printf(", .name = ");
		put_text(docs[i]->name);
		(void)printf(", .about = ");
		put_text(docs[i]->about);
		(void)printf(", .required = %d, .shipped = true, .lines = lines + %zu, .line_count = %u},\n",
			     docs[i]->required, *line, (unsigned)docs[i]->line_count);
		*line += docs[i]->line_count;
	}
	(void)printf("\t{0}};\n\n");
}

static void put_all(const struct tables *tables)
{
	size_t attr = 0, line = 0;
	(void)printf("/* Made by tools/builtin.c from groups and profiles. */\n#include \"policy/builtin.h\"\n\n");
	(void)printf("static const struct policy_attr attrs[] = {\n");
	for (size_t i = 0; i < tables->group_count; i++)
		put_attrs(tables->groups[i]);
	for (size_t i = 0; i < tables->profile_count; i++)
		put_attrs(tables->profiles[i]);
	(void)printf("\t{0}};\n\nstatic const struct policy_line lines[] = {\n");
	for (size_t i = 0; i < tables->group_count; i++)
		put_lines(tables->groups[i], &attr);
	for (size_t i = 0; i < tables->profile_count; i++)
		put_lines(tables->profiles[i], &attr);
	(void)printf("\t{0}};\n\n");
	put_docs("group", tables->groups, tables->group_count, &line);
	put_docs("profile", tables->profiles, tables->profile_count, &line);
	(void)printf("const size_t builtin_program_count = %zu;\nconst struct builtin_program builtin_programs[] = {\n",
		     tables->program_count);
	for (size_t i = 0; i < tables->program_count; i++) {
		(void)printf("\t{");
		put_text(tables->programs[i].name);
		(void)printf(", &builtin_profiles[%zu]},\n", tables->programs[i].profile);
	}
	(void)printf("\t{0}};\n");
}

static int print_tables(int count, char **files)
{
	static struct tables tables;
	auto_buf struct buf report;
	arena_init(&tables.arena, MEMORY_MAX);
	buf_init(&report, 1 << 20);
	if (count > DOCS_MAX)
		die("files", "too many");
	for (int i = 0; i < count; i++)
		load_file(&tables, files[i]);
	if (tables.problems.count == 0)
		look_at_all(&tables);
	problems_print(&tables.problems, &report);
	if (report.len > 0)
		(void)fputs(report.data, stderr);
	if (tables.problems.count == 0)
		put_all(&tables);
	arena_done(&tables.arena);
	return tables.problems.count > 0;
}

/* ---- for checks -------------------------------------------------------------------------------------------------- */

static int print_with(void (*print)(struct buf *out))
{
	auto_buf struct buf out;
	buf_init(&out, 1 << 22);
	print(&out);
	if (out.failed)
		die("output", "too long");
	(void)fputs(out.data, stdout);
	return 0;
}

static void put_json(const struct node *node)
{
	if (node->kind != NODE_LIST && node->kind != NODE_MAP) {
		if (node->kind == NODE_TEXT)
			put_text(node->text.ptr);
		else
			(void)fputs(node->kind == NODE_NULL ? "null" : node->text.ptr, stdout);
		return;
	}
	(void)putchar(node->kind == NODE_MAP ? '{' : '[');
	for (const struct node *child = node->first; child != NULL; child = child->next) {
		if (child != node->first)
			(void)putchar(',');
		if (node->kind == NODE_MAP) {
			put_text(child->key.ptr);
			(void)putchar(':');
		}
		put_json(child);
	}
	(void)putchar(node->kind == NODE_MAP ? '}' : ']');
}

static int print_json(const char *path)
{
	auto_arena struct arena arena;
	const struct node *root = NULL;
	struct berm_err err = {0};
	arena_init(&arena, MEMORY_MAX);
	if (node_parse(&arena, read_file(&arena, path), path, &root, NULL, &err) != BERM_OK)
		die(path, err.msg);
	put_json(root);
	(void)putchar('\n');
	return 0;
}

static int check_files(int count, char **files)
{
	for (int i = 0; i < count; i++) {
		auto_arena struct arena arena;
		const struct policy_doc *doc = NULL;
		arena_init(&arena, MEMORY_MAX);
		const struct policy_from from = {POLICY_DOC_FILE, files[i]};
		enum berm_code code = policy_load(&arena, from, read_file(&arena, files[i]), &doc, NULL, NULL);
		(void)printf("%s %s\n", code == BERM_OK ? "good" : "bad", files[i]);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	if (strcmp(word, "tables") == 0)
		return print_tables(argc - 2, argv + 2);
	if (strcmp(word, "schema") == 0)
		return print_with(policy_schema_print);
	if (strcmp(word, "reference") == 0)
		return print_with(policy_reference_print);
	if (strcmp(word, "json") == 0 && argc == 3)
		return print_json(argv[2]);
	if (strcmp(word, "check") == 0)
		return check_files(argc - 2, argv + 2);
	die("usage", "builtin tables|schema|reference|json|check [FILE...]");
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);
	return status != 0 || fflush(stdout) != 0 || ferror(stdout);
}
