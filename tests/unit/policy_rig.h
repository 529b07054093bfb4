/* Documents by hand for tests of the merge, and a finder that knows some. */
#ifndef BERM_TESTS_POLICY_RIG_H
#define BERM_TESTS_POLICY_RIG_H

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "policy/input.h"
#include "policy/policy.h"

#define LINE(k, t)                                                                                                     \
	{                                                                                                              \
		.key = (k), .line = __LINE__, .column = 5, .text = (t)                                                 \
	}
#define WANTED(k, t)                                                                                                   \
	{                                                                                                              \
		.key = (k), .wanted = true, .line = __LINE__, .column = 5, .text = (t)                                 \
	}
#define LINE_WITH(k, t, ...)                                                                                           \
	{                                                                                                              \
		.key = (k), .line = __LINE__, .column = 5, .text = (t),                                                \
		.attrs = (const struct policy_attr[]){__VA_ARGS__},                                                    \
		.attr_count = sizeof((const struct policy_attr[]){__VA_ARGS__}) / sizeof(struct policy_attr)           \
	}
#define LINES(...)                                                                                                     \
	.lines = (const struct policy_line[]){__VA_ARGS__},                                                            \
	.line_count = sizeof((const struct policy_line[]){__VA_ARGS__}) / sizeof(struct policy_line)
#define PROFILE(n, ...)                                                                                                \
	{                                                                                                              \
		.kind = POLICY_DOC_PROFILE, .file = "profiles/" n ".yaml", .name = (n), LINES(__VA_ARGS__)             \
	}
#define GROUP(n, ...)                                                                                                  \
	{                                                                                                              \
		.kind = POLICY_DOC_GROUP, .file = "groups/" n ".yaml", .name = (n), .shipped = true,                   \
		LINES(__VA_ARGS__)                                                                                     \
	}
#define REQUIRED(n, ...)                                                                                               \
	{                                                                                                              \
		.kind = POLICY_DOC_GROUP, .file = "groups/" n ".yaml", .name = (n), .shipped = true, .required = true, \
		LINES(__VA_ARGS__)                                                                                     \
	}
#define DOC_FILE(f, ...)                                                                                               \
	{                                                                                                              \
		.kind = POLICY_DOC_FILE, .file = (f), LINES(__VA_ARGS__)                                               \
	}
#define FLAGS(...)                                                                                                     \
	{                                                                                                              \
		.kind = POLICY_DOC_FLAGS, .file = "command line", LINES(__VA_ARGS__)                                   \
	}
#define DOCS(...) ((const struct policy_doc *const[]){__VA_ARGS__, NULL})
/* extends: [] */
#define EXTENDS_NOTHING LINE(KEY_EXTENDS, "")

struct rig {
	const struct policy_doc *const *known; /* NULL-terminated */
	struct policy_layers layers;
	struct policy_input input;
	struct problems problems;
	struct policy *policy;
	struct berm_err err;
};

__attribute__((unused)) static const struct policy_doc *rig_find(void *context, enum policy_doc_kind kind,
								 const char *name, struct problems *problems)
{
	const struct rig *rig = context;
	(void)problems;
	for (const struct policy_doc *const *doc = rig->known; doc != NULL && *doc != NULL; doc++)
		if ((*doc)->kind == kind && strcmp((*doc)->name, name) == 0)
			return *doc;
	return NULL;
}

__attribute__((unused)) static const char *rig_name(void *context, enum policy_doc_kind kind, size_t index)
{
	const struct rig *rig = context;
	for (const struct policy_doc *const *doc = rig->known; doc != NULL && *doc != NULL; doc++)
		if ((*doc)->kind == kind && index-- == 0)
			return (*doc)->name;
	return NULL;
}

__attribute__((unused)) static void rig_done(struct rig *rig)
{
	policy_free(rig->policy);
	rig->policy = NULL;
}

#define auto_rig __attribute__((cleanup(rig_done)))

#define RIG(...)                                                                                                       \
	{                                                                                                              \
		.input = {.home = "/home/u", .workspace = "/w", .cwd = "/w/sub", .os = "linux", .arch = "x86_64"},     \
		__VA_ARGS__                                                                                            \
	}

__attribute__((unused)) static enum berm_code rig_make(struct rig *rig)
{
	rig_done(rig);
	rig->problems = (struct problems){0};
	rig->layers.finder = (struct policy_finder){rig, rig_find, rig_name};
	return policy_make(&rig->layers, &rig->input, &rig->policy, &rig->problems, &rig->err);
}

/* The entry of that key and path, or text; NULL: there is none. */
__attribute__((unused)) static const struct policy_entry *rig_entry(const struct rig *rig, enum policy_key key,
								    const char *text)
{
	for (size_t i = 0; rig->policy != NULL && i < rig->policy->count; i++) {
		const struct policy_entry *entry = &rig->policy->entries[i];
		if (entry->line->key == key && strcmp(entry->path != NULL ? entry->path : entry->text, text) == 0)
			return entry;
	}
	return NULL;
}

__attribute__((unused)) static size_t rig_count(const struct rig *rig, enum policy_key key)
{
	size_t count = 0;
	for (size_t i = 0; rig->policy != NULL && i < rig->policy->count; i++)
		count += rig->policy->entries[i].line->key == key && rig->policy->entries[i].layer != LAYER_RUN;
	return count;
}

/* Is it there, and does it hold? */
__attribute__((unused)) static bool rig_holds(const struct rig *rig, enum policy_key key, const char *text)
{
	const struct policy_entry *entry = rig_entry(rig, key, text);
	return entry != NULL && entry->off == NULL;
}

__attribute__((unused)) static const char *rig_setting(const struct rig *rig, enum policy_key key)
{
	const struct policy_entry *entry = rig->policy != NULL ? rig->policy->setting[key] : NULL;
	return entry != NULL ? entry->line->text : "nothing";
}

/* Is there a problem with this in its text, at this place of the file (0: anywhere)? */
__attribute__((unused)) static bool rig_has_problem(const struct rig *rig, const char *part, uint32_t line)
{
	for (size_t i = 0; i < rig->problems.count; i++)
		if (strstr(rig->problems.items[i].text, part) != NULL &&
		    (line == 0 || rig->problems.items[i].line == line))
			return true;
	for (size_t i = 0; i < rig->problems.count; i++)
		(void)fprintf(stderr, "  %s:%u: %s (%s)\n", rig->problems.items[i].file, rig->problems.items[i].line,
			      rig->problems.items[i].text, rig->problems.items[i].hint);
	return false;
}

__attribute__((unused)) static bool rig_has_hint(const struct rig *rig, const char *part)
{
	for (size_t i = 0; i < rig->problems.count; i++)
		if (strstr(rig->problems.items[i].hint, part) != NULL)
			return true;
	return false;
}

#define MADE(rig) assert_int_equal(rig_make(rig), BERM_OK)
#define REFUSED(rig, part)                                                                                             \
	do {                                                                                                           \
		assert_int_equal(rig_make(rig), BERM_ERR_PARSE);                                                       \
		assert_null((rig)->policy);                                                                            \
		assert_true(rig_has_problem(rig, part, 0));                                                            \
	} while (0)

#endif
