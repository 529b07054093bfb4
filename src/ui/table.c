#include "ui/table.h"

#include <string.h>

#include "ui/text.h"

enum { NARROW = 48, MIN_COLUMN = 10 };

struct row {
	struct table_cell cells[TABLE_MAX_COLUMNS];
};

void table_init(struct table *table, const char *const *titles, size_t columns)
{
	*table = (struct table){.titles = titles, .columns = columns, .gap = 2};
	vec_init(&table->rows, sizeof(struct row), TABLE_MAX_ROWS);
}

void table_done(struct table *table)
{
	vec_done(&table->rows);
}

enum berm_code table_row(struct table *table, const struct table_cell *cells, struct berm_err *err)
{
	struct row row = {0};
	memcpy(row.cells, cells, table->columns * sizeof(*cells));
	return vec_push(&table->rows, &row, err);
}

static struct str title(const struct table *table, size_t column)
{
	return table->titles != NULL ? str_from(table->titles[column]) : STR("");
}

static void natural_widths(const struct table *table, size_t *ret_widths)
{
	for (size_t column = 0; column < table->columns; column++)
		ret_widths[column] = text_width(title(table, column));
	for (size_t i = 0; i < table->rows.len; i++) {
		const struct row *row = vec_at(&table->rows, i);
		for (size_t column = 0; column < table->columns; column++) {
			size_t width = text_width(row->cells[column].text);
			if (width > ret_widths[column])
				ret_widths[column] = width;
		}
	}
}

static size_t total_width(const struct table *table, const size_t *widths)
{
	size_t total = table->indent + table->gap * (table->columns - 1);
	for (size_t column = 0; column < table->columns; column++)
		total += widths[column];
	return total;
}

/* Takes what is too much from the widest column, a step at a time, so that narrow columns stay whole. */
static void fit(const struct table *table, size_t width, size_t *widths)
{
	for (size_t total = total_width(table, widths); total > width; total--) {
		size_t widest = 0;
		for (size_t column = 1; column < table->columns; column++) {
			if (widths[column] > widths[widest])
				widest = column;
		}
		if (widths[widest] <= MIN_COLUMN)
			return;
		widths[widest]--;
	}
}

/* One line of each cell that has lines left; false when none has. */
static bool print_line(const struct table *table, struct row *rest, const size_t *widths, bool colour, struct buf *out)
{
	bool any = false;
	size_t owed = table->indent; /* spaces that are printed only if something follows: no line ends in a space */
	for (size_t column = 0; column < table->columns; column++) {
		struct table_cell *cell = &rest->cells[column];
		struct str line = STR("");
		any = text_next_line(&cell->text, widths[column], &line) || any;
		if (line.len > 0) {
			text_put_spaces(out, owed);
			owed = 0;
			colour_start(out, colour, cell->colour);
			text_put_safe(out, line);
			colour_stop(out, colour, cell->colour);
		}
		owed += widths[column] - text_width(line) + table->gap;
	}
	if (any)
		buf_putc(out, '\n');
	return any;
}

static void print_row(const struct table *table, const struct row *row, const size_t *widths, bool colour,
		      struct buf *out)
{
	struct row rest = *row;
	while (print_line(table, &rest, widths, colour, out))
		;
}

static void print_head(const struct table *table, const size_t *widths, bool colour, struct buf *out)
{
	struct row head = {0};
	for (size_t column = 0; column < table->columns; column++)
		head.cells[column] = (struct table_cell){title(table, column), COLOUR_STRONG};
	print_row(table, &head, widths, colour, out);
}

/* A row as a block: the first cell alone, the others below it. */
static void print_block(const struct table *table, const struct row *row, size_t width, bool colour, struct buf *out)
{
	struct table lines = {.columns = 1, .indent = table->indent};
	for (size_t column = 0; column < table->columns; column++) {
		size_t widths[TABLE_MAX_COLUMNS] = {width > lines.indent ? width - lines.indent : 1};
		struct row cell = {.cells = {row->cells[column]}};
		print_row(&lines, &cell, widths, colour, out);
		lines.indent = table->indent + table->gap;
	}
}

void table_print(const struct table *table, size_t width, bool colour, struct buf *out)
{
	size_t widths[TABLE_MAX_COLUMNS] = {0};
	natural_widths(table, widths);
	bool narrow = width < NARROW && total_width(table, widths) > width;
	if (!narrow)
		fit(table, width, widths);
	if (!narrow && table->titles != NULL)
		print_head(table, widths, colour, out);
	for (size_t i = 0; i < table->rows.len; i++) {
		if (narrow)
			print_block(table, vec_at(&table->rows, i), width, colour, out);
		else
			print_row(table, vec_at(&table->rows, i), widths, colour, out);
	}
}
