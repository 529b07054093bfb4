#include "cli/options_text.h"

#include <string.h>

#include "ui/colour.h"
#include "ui/text.h"

enum { INDENT = 2, GAP = 2, NARROW = 60, HANGING = 8, MAN_WIDTH = 78 };

/* "-r, --read PATH", or "    --name NAME" where there is no letter. */
static void put_usage(const struct option_row *row, struct buf *out)
{
	if (row->letter != '\0')
		buf_printf(out, "-%c, ", row->letter);
	else
		buf_puts(out, "    ");
	buf_printf(out, "--%s", row->name);
	if (row->argument != NULL)
		buf_printf(out, " %s", row->argument);
}

static size_t usage_width(const struct option_row *row)
{
	size_t width = text_width(STR("-x, --")) + text_width(str_from(row->name));
	return row->argument != NULL ? width + 1 + text_width(str_from(row->argument)) : width;
}

static size_t widest_usage(const struct option_set *set)
{
	size_t widest = 0;
	const struct option_row *row;
	for (size_t i = 0; (row = options_row(set, i)) != NULL; i++) {
		size_t width = usage_width(row);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void put_policy_title(size_t width, bool colour, struct buf *out)
{
	buf_putc(out, '\n');
	colour_start(out, colour, COLOUR_STRONG);
	text_put_wrapped(out, STR("options that say what the policy is, as for \"berm run\":"), 0, width);
	colour_stop(out, colour, COLOUR_STRONG);
	buf_putc(out, '\n');
}

void options_text_help(const struct option_set *set, size_t width, bool colour, struct buf *out)
{
	size_t usage = widest_usage(set);
	bool narrow = width < NARROW; /* the text on lines of its own */
	size_t indent = narrow ? HANGING : INDENT + usage + GAP;
	const struct option_row *row;
	for (size_t i = 0; (row = options_row(set, i)) != NULL; i++) {
		if (i == set->count)
			put_policy_title(width, colour, out);
		text_put_spaces(out, INDENT);
		colour_start(out, colour, COLOUR_STRONG);
		put_usage(row, out);
		colour_stop(out, colour, COLOUR_STRONG);
		if (narrow)
			buf_putc(out, '\n');
		text_put_spaces(out, narrow ? HANGING : usage - usage_width(row) + GAP);
		text_put_wrapped(out, str_from(row->help), indent, width);
		buf_putc(out, '\n');
	}
}

/* Text in a man page, in lines as mandoc likes them: a backslash is written out, and no line begins with '.' or '\''. */
static void put_mdoc(struct buf *out, struct str text)
{
	struct str line;
	while (text_next_line(&text, MAN_WIDTH, &line)) {
		if (line.ptr[0] == '.' || line.ptr[0] == '\'')
			buf_puts(out, "\\&");
		for (size_t i = 0; i < line.len; i++) {
			buf_putc(out, line.ptr[i]);
			if (line.ptr[i] == '\\')
				buf_putc(out, 'e');
		}
		buf_putc(out, '\n');
	}
}

void options_text_mdoc_sentence(const char *text, struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	auto_buf struct buf sentence;
	buf_init(&sentence, out->max);
	char first = text[0];
	if (first >= 'a' && first <= 'z')
		first = letters[first - 'a'];
	buf_putc(&sentence, first);
	buf_puts(&sentence, text + 1);
	if (text[strlen(text) - 1] != '.')
		buf_putc(&sentence, '.');
	/* a new sentence, a new line */
	for (const char *at = sentence.data; at != NULL && *at != '\0';) {
		const char *stop = strstr(at, ". ");
		size_t len = stop != NULL ? (size_t)(stop + 1 - at) : strlen(at);
		put_mdoc(out, (struct str){at, len});
		at += stop != NULL ? len + 1 : len;
	}
	out->failed = out->failed || sentence.failed;
}

void options_text_mdoc(const struct option_set *set, struct buf *out)
{
	buf_puts(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < set->count; i++) {
		const struct option_row *row = &set->rows[i];
		buf_puts(out, ".It ");
		if (row->letter != '\0')
			buf_printf(out, "Fl %c , ", row->letter);
		buf_printf(out, "Fl \\-%s", row->name);
		if (row->argument != NULL)
			buf_printf(out, " Ar %s", row->argument);
		buf_putc(out, '\n');
		options_text_mdoc_sentence(row->help, out);
		if (row->line != NULL)
			buf_printf(out, "Policy line:\n.Li %s\n", row->line);
	}
	buf_puts(out, ".El\n");
	if (set->policy != NULL)
		buf_puts(out, ".Pp\nAll options of\n.Xr berm-run 1\nthat say what the policy is are taken as well.\n");
}
