#include "ui/prompt.h"

#include <string.h>

#include "base/own.h"
#include "ui/text.h"

enum { TEXT_MAX = 64 * 1024 };

static const struct {
	char key;
	enum prompt_answer answer;
	const char *word;
} keys[] = {
	{'o', PROMPT_ONCE, "[o]nce"},	  {'s', PROMPT_SESSION, "[s]ession"}, {'a', PROMPT_ALWAYS, "[a]lways"},
	{'f', PROMPT_FOLDER, "[f]older"}, {'n', PROMPT_NO, "[n]o"},	      {'N', PROMPT_NEVER, "[N]ever"},
};

enum prompt_answer prompt_answer_of(uint32_t key, bool has_folder)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (key == (uint32_t)keys[i].key)
			return keys[i].answer == PROMPT_FOLDER && !has_folder ? PROMPT_NOTHING : keys[i].answer;
	return PROMPT_NOTHING;
}

/* What is being put together. */
struct lines {
	struct buf *out;
	size_t width, left, count;
	bool colour;
};

static void put_line(struct lines *lines, struct str text, enum colour colour)
{
	if (lines->left == 0)
		return;
	if (lines->count > 0)
		buf_putc(lines->out, '\n');
	colour_start(lines->out, lines->colour && colour != COLOUR_PLAIN, colour);
	text_put_safe(lines->out, text);
	colour_stop(lines->out, lines->colour && colour != COLOUR_PLAIN, colour);
	lines->left--;
	lines->count++;
}

/* Of a text that needs more than most lines the front and the end are shown. */
static void put_text(struct lines *lines, struct str text, size_t most, enum colour colour)
{
	size_t needed = 0;
	struct str rest = text, line;
	while (text_next_line(&rest, lines->width, &line))
		needed++;
	rest = text;
	for (size_t i = 0; i < needed && text_next_line(&rest, lines->width, &line); i++) {
		if (needed > most && i == most / 2 && most > 1)
			put_line(lines, (struct str){"...", lines->width < 3 ? lines->width : 3}, COLOUR_FAINT);
		else if (needed <= most || i < (most > 1 ? most / 2 : 1) || i + (most - most / 2 - 1) >= needed)
			put_line(lines, line, colour);
	}
}

static void put_built(struct lines *lines, struct buf *text, size_t most, enum colour colour)
{
	put_text(lines, buf_str(text), most, colour);
	buf_clear(text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static void say_keys(const struct prompt_view *view, struct buf *text)
{
	if (!view->keys) {
		buf_puts(text, "(keys are taken when nothing was typed for a moment)");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].answer != PROMPT_FOLDER || view->folder != NULL)
			buf_printf(text, "%s ", keys[i].word);
	buf_printf(text, " (%u s)", view->seconds_left);
}

static void say_who(const struct prompt_view *view, struct buf *text)
{
	if (view->program != NULL && view->program[0] != '\0')
		buf_printf(text, "by %s (%s, pid %d)", base_name(view->program), view->program, view->pid);
	else if (view->pid != 0)
		buf_printf(text, "by a program that is not known (pid %d)", view->pid);
	else
		buf_puts(text, "by a program inside (which one is not known)");
	if (view->waiting > 1)
		buf_printf(text, ", %zu calls wait", view->waiting);
}

/* What may be left out where there is no room, in order. */
static void put_details(struct lines *lines, const struct prompt_view *view, size_t room, struct buf *text)
{
	size_t all = lines->left;
	lines->left = room < all ? room : all;
	size_t before = lines->left;
	say_who(view, text);
	put_built(lines, text, 2, COLOUR_PLAIN);
	if (view->as != NULL && strcmp(view->as, view->object) != 0) {
		buf_printf(text, "written as %s", view->as);
		put_built(lines, text, 2, COLOUR_PLAIN);
	}
	if (view->reason != NULL && view->reason[0] != '\0') {
		buf_printf(text, "it says: %s", view->reason);
		put_built(lines, text, 2, COLOUR_PLAIN);
	}
	if (view->folder != NULL) {
		buf_printf(text, "[f] allows all of %s for this session", view->folder);
		put_built(lines, text, 2, COLOUR_FAINT);
	}
	if (view->rule != NULL && view->rule[0] != '\0') {
		buf_printf(text, "asked by: %s", view->rule);
		put_built(lines, text, 1, COLOUR_FAINT);
	}
	lines->left = all - (before - lines->left);
}

size_t prompt_print(const struct prompt_view *view, size_t width, size_t max_lines, bool colour, struct buf *out)
{
	struct lines lines = {.out = out, .width = width > 0 ? width : 1, .left = max_lines, .colour = colour};
	auto_buf struct buf text, answer;
	buf_init(&text, TEXT_MAX);
	buf_init(&answer, TEXT_MAX);
	say_keys(view, &answer);
	size_t keys_lines = 0;
	struct str rest = buf_str(&answer), line;
	while (text_next_line(&rest, lines.width, &line))
		keys_lines++;
	keys_lines = keys_lines < max_lines ? keys_lines : max_lines - 1;
	size_t room = max_lines - keys_lines;
	if (view->session != NULL && room > 3) {
		buf_printf(&text, "berm: session %s asks", view->session);
		put_built(&lines, &text, 1, COLOUR_FAINT);
		room--;
	}
	buf_printf(&text, "%s %s", view->effect, view->object);
	size_t most = room > 4 ? 4 : room;
	size_t before = lines.count;
	put_built(&lines, &text, most, COLOUR_STRONG);
	room -= lines.count - before;
	put_details(&lines, view, room, &text);
	put_built(&lines, &answer, keys_lines, COLOUR_STRONG);
	return lines.count;
}
