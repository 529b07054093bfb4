#include "cli/approve_text.h"

#include <ctype.h>
#include <string.h>

#include "base/own.h"
#include "ui/table.h"
#include "ui/text.h"

struct str approve_text_of(const struct node *map, const char *key, const char *below)
{
	const struct node *node = node_find(map, key);
	if (below != NULL)
		node = node_find(node, below);
	return node != NULL && node->text.ptr != NULL ? node->text : STR("");
}

static struct str object_of(const struct node *question)
{
	struct str path = approve_text_of(question, "object", "path");
	return path.len > 0 ? path : approve_text_of(question, "object", "address");
}

static struct str base_name(struct str path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/')
			return str_skip(path, i);
	return path;
}

static void put_upper(struct buf *out, struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		buf_putc(out, (char)toupper((unsigned char)word.ptr[i]));
}

static void put_pair(struct buf *out, const char *name, struct str text)
{
	if (text.len == 0)
		return;
	buf_printf(out, "    %-8s", name);
	text_put_safe(out, text);
	buf_putc(out, '\n');
}

static void put_who(const struct node *question, struct buf *out)
{
	struct str exe = approve_text_of(question, "task", "exe"), pid = approve_text_of(question, "task", "pid");
	text_put_safe(out, exe.len > 0 ? base_name(exe) : STR("something"));
	if (pid.len > 0)
		buf_printf(out, " (pid %s)", pid.ptr);
}

void approve_text_question(const struct node *question, bool colour, struct buf *out)
{
	struct str waiting = approve_text_of(question, "waiting", NULL);
	colour_start(out, colour, COLOUR_STRONG);
	put_upper(out, approve_text_of(question, "op", NULL));
	buf_putc(out, ' ');
	text_put_safe(out, object_of(question));
	colour_stop(out, colour, COLOUR_STRONG);
	buf_puts(out, "\n    wanted by ");
	put_who(question, out);
	buf_putc(out, '\n');
	put_pair(out, "program", approve_text_of(question, "task", "exe"));
	put_pair(out, "as", approve_text_of(question, "object", "as"));
	put_pair(out, "type", approve_text_of(question, "object", "type"));
	put_pair(out, "method", approve_text_of(question, "object", "method"));
	put_pair(out, "host", approve_text_of(question, "object", "host"));
	put_pair(out, "folder", approve_text_of(question, "folder", NULL));
	put_pair(out, "rule", approve_text_of(question, "rule", NULL));
	put_pair(out, "it says", approve_text_of(question, "reason", NULL));
	if (!str_eq(waiting, STR("1")))
		put_pair(out, "waiting", waiting);
}

enum berm_code approve_text_list(const struct node *questions, size_t width, bool colour, struct buf *out,
				 struct berm_err *err)
{
	static const char *const titles[] = {"id", "to", "object", "program", "rule"};
	auto_table struct table table;
	table_init(&table, titles, ARRAY_LEN(titles));
	if (questions == NULL || questions->first == NULL) {
		buf_puts(out, "nothing waits for an answer\n");
		return BERM_OK;
	}
	for (const struct node *question = questions->first; question != NULL; question = question->next) {
		const struct table_cell cells[] = {
			{.text = approve_text_of(question, "id", NULL), .colour = COLOUR_STRONG},
			{.text = approve_text_of(question, "op", NULL)},
			{.text = object_of(question)},
			{.text = approve_text_of(question, "task", "exe")},
			{.text = approve_text_of(question, "rule", NULL), .colour = COLOUR_FAINT}};
		TRY(table_row(&table, cells, err));
	}
	table_print(&table, width, colour, out);
	return BERM_OK;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

enum needs { ANYTHING = 0, A_FOLDER, A_HOST };
static const struct {
	char key;
	enum needs needs;
	const char *words, *answer;
} rows[] = {
	{'o', ANYTHING, "[o]nce", "{\"decision\":\"allow\",\"scope\":\"once\"}"},
	{'s', ANYTHING, "[s]ession", "{\"decision\":\"allow\",\"scope\":\"session\"}"},
	{'a', ANYTHING, "[a]lways", "{\"decision\":\"allow\",\"scope\":\"always\"}"},
	{'f', A_FOLDER, "[f]older", "{\"decision\":\"allow\",\"scope\":\"session\",\"extent\":\"folder\"}"},
	{'F', A_FOLDER, "[F]older always", "{\"decision\":\"allow\",\"scope\":\"always\",\"extent\":\"folder\"}"},
	{'h', A_HOST, "[h]ost", "{\"decision\":\"allow\",\"scope\":\"session\",\"extent\":\"host\"}"},
	{'H', A_HOST, "[H]ost always", "{\"decision\":\"allow\",\"scope\":\"always\",\"extent\":\"host\"}"},
	{'n', ANYTHING, "[n]o", "{\"decision\":\"deny\",\"scope\":\"once\"}"},
	{'N', ANYTHING, "[N]ever", "{\"decision\":\"deny\",\"scope\":\"always\"}"},
};

static bool fits(const struct node *question, enum needs needs)
{
	if (needs == A_FOLDER)
		return approve_text_of(question, "folder", NULL).len > 0;
	return needs == ANYTHING || approve_text_of(question, "object", "host").len > 0;
}

void approve_text_keys(const struct node *question, struct buf *out)
{
	uint64_t ms = 0;
	buf_puts(out, "  ");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (fits(question, rows[i].needs))
			buf_printf(out, "%s ", rows[i].words);
	if (str_u64(approve_text_of(question, "left_ms", NULL), UINT32_MAX, &ms, NULL) == BERM_OK)
		buf_printf(out, "[l]ater [q]uit (%llu s) ", (unsigned long long)(ms + 999) / 1000);
}

const char *approve_text_answer(const struct node *question, char key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].key == key && fits(question, rows[i].needs))
			return rows[i].answer;
	return NULL;
}
