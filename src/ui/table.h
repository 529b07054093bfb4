/*
 * Tables for people: columns as wide as their text where the width allows it, else wrapped; on a very narrow terminal
 * each row becomes a short block. State in, text out.
 */
#ifndef BERM_UI_TABLE_H
#define BERM_UI_TABLE_H

#include "base/vec.h"
#include "ui/colour.h"

enum { TABLE_MAX_COLUMNS = 6, TABLE_MAX_ROWS = 20000 };

struct table_cell {
	struct str text; /* borrowed: must live until table_print */
	enum colour colour;
};

struct table {
	const char *const *titles; /* NULL: no head */
	size_t columns;
	size_t gap;	 /* spaces between columns */
	size_t indent;	 /* spaces before each line */
	struct vec rows; /* of struct table_cell[TABLE_MAX_COLUMNS] */
};

/* titles: one for each column, or NULL; borrowed. columns: 1 to TABLE_MAX_COLUMNS. */
void table_init(struct table *table, const char *const *titles, size_t columns);
void table_done(struct table *table);
/* Copies as many cells as there are columns. */
MUST_USE enum berm_code table_row(struct table *table, const struct table_cell *cells, struct berm_err *err);
void table_print(const struct table *table, size_t width, bool colour, struct buf *out);

#define auto_table __attribute__((cleanup(table_done)))

#endif
