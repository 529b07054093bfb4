#include <string.h>

#include "base/own.h"
#include "policy/load.h"
#include "policy/load_value.h"

/* ---- cells of Markdown's tables ---------------------------------------------------------------------------------- */

static void put_cell(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++)
		buf_printf(out, "%s%c", *text == '|' || *text == '*' ? "\\" : "", *text);
}

static void put_words(const char *const *words, struct buf *out)
{
	for (const char *const *word = words; *word != NULL; word++)
		buf_printf(out, "%s`%s`", word > words ? ", " : "", *word);
}

static void put_value(enum policy_value value, const char *const *words, struct buf *out)
{
	const char *expected;
	(void)load_value_fits(value, 0, &expected);
	if (value == VALUE_WORD)
		put_words(words, out);
	else
		put_cell(expected, out);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void put_row_value(const struct policy_key_row *row, struct buf *out)
{
	static const char *const before[] = {[SHAPE_SCALAR] = "",
					     [SHAPE_LIST] = "list; each: ",
					     [SHAPE_MAP] = "map of names and texts",
					     [SHAPE_NAMED] = "map of names and entries",
					     [SHAPE_ENTRY] = "map of conditions"};
	buf_puts(out, before[row->shape]);
	if (row->shape == SHAPE_SCALAR || row->shape == SHAPE_LIST)
		put_value(row->value, row->words, out);
	if (row->main != NULL)
		buf_printf(out, ", or a map with `%s`", row->main);
}

static void put_key(const struct policy_key_row *row, struct buf *out)
{
	buf_printf(out, "| `%s` | ", row->path);
	put_row_value(row, out);
	buf_puts(out, " | ");
	put_cell(row->about, out);
	buf_printf(out, "%s | `%s` |\n", row->wanted ? "; may stand below `wants`" : "", row->example);
}

static bool same_section(const char *a, const char *b)
{
	size_t len = strcspn(a, "."), other = strcspn(b, ".");
	bool in_section = a[len] == '.' || b[other] == '.';
	return in_section ? len == other && strncmp(a, b, len) == 0 : true;
}

static void put_keys(struct buf *out)
{
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const char *path = policy_keys[i].path;
		if (i == 0 || !same_section(policy_keys[i - 1].path, path)) {
			size_t len = strcspn(path, ".");
			buf_printf(out, "\n### %.*s\n\n| key | value | what it says | example |\n|---|---|---|---|\n",
				   path[len] == '.' ? (int)len : (int)strlen(i == 0 ? "document" : path),
				   i == 0 ? "document" : path);
		}
		put_key(&policy_keys[i], out);
	}
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void put_users(size_t attr, struct buf *out)
{
	size_t count = 0, all = 0;
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		count += policy_keys[i].attrs >> attr & 1;
		all += (policy_keys[i].attrs >> ATTR_WHY & 1) != 0;
	}
	if (count >= all) {
		buf_puts(out, "every entry");
		return;
	}
	const char *between = "";
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		if ((policy_keys[i].attrs >> attr & 1) == 0)
			continue;
		bool needed = (policy_keys[i].needs >> attr & 1) != 0;
		buf_printf(out, "%s`%s`%s", between, policy_keys[i].path, needed ? " (needed)" : "");
		between = ", ";
	}
}

static void put_attrs(struct buf *out)
{
	for (size_t i = 0; i < POLICY_ATTRS; i++) {
		const struct policy_attr_row *row = &policy_attrs[i];
		if (i == ATTR_OF) /* is no key of the file */
			continue;
		buf_printf(out, "| `%s` | ", row->name);
		put_value(row->value, row->words, out);
		buf_puts(out, row->list ? ", or a list | " : " | ");
		put_cell(row->about, out);
		buf_puts(out, " | ");
		put_users(i, out);
		buf_puts(out, " |\n");
	}
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void put_values(struct buf *out)
{
	static const struct {
		enum policy_value value;
		const char *about;
	} rows[] = {
		{VALUE_NAME, "letters, digits, `-`, `_`, `.` and `+`"},
		{VALUE_PATH, "`~` is the home folder, `.` the workspace, which relative paths start from too; `$NAME` "
			     "stands at the beginning only"},
		{VALUE_PATTERN,
		 "a path in which `*`, `**`, `?`, `[...]` and `{a,b}` may stand; see [patterns](patterns.md)"},
		{VALUE_HOST, "a name, in which `*` is one label and `**.` one or more in front; an address; a network "
			     "(IPv6 in brackets); a port behind it"},
		{VALUE_PORT, "a number from 1 to 65535"},
		{VALUE_URL, "of http or https"},
		{VALUE_SIZE, "bytes, or K, M, G, T and KiB, MiB, GiB, TiB of 1024"},
		{VALUE_COUNT, "a whole number from 1"},
		{VALUE_DURATION, "seconds, or ms, s, m, h, d"},
		{VALUE_HTTP, "a method in capitals (`*`: any), a pattern of paths, and for GraphQL the operation"},
		{VALUE_COMMAND, "words; `**` is any number of words"},
		{VALUE_VARIABLES, "a name, or the beginning of names and `*`"},
		{VALUE_SOURCE, "where a secret is, or a proxy"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *expected, *hint = load_value_hint(rows[i].value);
		(void)load_value_fits(rows[i].value, 0, &expected);
		buf_printf(out, "| %s | %s | ", expected, rows[i].about);
		put_cell(hint != NULL ? hint : "", out);
		buf_puts(out, " |\n");
	}
}

void policy_reference_print(struct buf *out)
{
	buf_puts(
		out,
		"# Policy reference\n\nEvery key of a policy file. This page is printed from the table that the loader "
		"goes by (`make reference`); [policy.md](policy.md)\nshows how files are written, and `berm policy "
		"schema` prints the same for editors.\n\n## Keys\n");
	put_keys(out);
	buf_puts(
		out,
		"\n### wants\n\nIn a project's file: a map with the keys above that may stand there. `wants: {network: "
		"[HOST]}` is short for `network.allow`.\n");
	buf_puts(out, "\n## Keys of entries\n\nAn entry of a list is a scalar, or a map with its main key and further "
		      "ones:\n\n| key | value | what it says | of |\n|---|---|---|---|\n");
	put_attrs(out);
	buf_puts(out, "\n`when.os` is written `when: {os: linux}`.\n\n## Values\n\n| value | what it is | for example "
		      "|\n|---|---|---|\n");
	put_values(out);
}
