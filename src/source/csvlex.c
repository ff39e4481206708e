/* SPDX-License-Identifier: MIT */
/*
 * A quote that is never closed swallows all that follows, and would cost every row behind it. So a
 * row that goes wrong is given up as a whole, and reading begins again with its second line. That
 * alone would be quadratic: a file in which every line opens a quote would be read anew from each.
 * Therefore what a failed row has covered (`whole_from` is its end) is read line by line the second
 * time: a quote has to close on its own line there. Each octet is so seen twice at most, and an
 * honest cell with line ends in it suffers only right behind a broken one.
 *
 * A row is read once as much as it may have is at hand. Cells are handed out in place, but for
 * quoted ones with doubled quotes or line ends, which are copied.
 *
 * A quote inside an unquoted cell is kept as it is: whoever reads the cell will not like it.
 */
#include "source/csvlex.h"

#include <string.h>

/*
 * Octets at hand when a row begins: nothing behind them is looked at before the row counts as too
 * long, not even for the second one of two quotes.
 */
#define ROW_AT_HAND (CSV_ROW_MAX + 2)
_Static_assert(ROW_AT_HAND <= TEXT_WINDOW, "a row has to fit into the window");

void csvlex_init(struct csvlex *lex, struct text *text)
{
	lex->text = text;
	lex->line = 1;
	lex->whole_from = 0;
	lex->separator = ',';
	lex->row_line = lex->bad_column = 0;
	lex->cells = 0;
	lex->pass = false;
}

static bool is_blank(const struct csvlex *lex, char c)
{
	return (unsigned char)c <= ' ' && c != lex->separator &&
	       (c == ' ' || c == '\t' || c == '\f' || c == '\v');
}

/* Blanks and line ends around the text of a cell mean nothing. */
static void trim(const struct csvlex *lex, struct csvcell *cell)
{
	while (cell->len && (is_blank(lex, cell->text[0]) || cell->text[0] == '\n')) {
		cell->text++;
		cell->len--;
	}
	while (cell->len &&
	       (is_blank(lex, cell->text[cell->len - 1]) || cell->text[cell->len - 1] == '\n'))
		cell->len--;
}

static int fail(struct csvlex *lex, unsigned column, struct err *err, const char *what)
{
	lex->bad_column = column;
	return err_set(err, "%s", what);
}

static bool is_long(const struct csvlex *lex)
{
	return (size_t)(lex->at - lex->row) >= CSV_ROW_MAX;
}

static int fail_long(struct csvlex *lex, struct err *err)
{
	return fail(lex, 0, err,
		    "a row of more than 131072 octets; is this CSV, and is every quote closed?");
}

/* Where the line ends in which reading stands, or where the row may have no more of it. */
static const char *line_end(struct csvlex *lex)
{
	const char *at = lex->at, *end = lex->text->end, *newline;

	if (lex->line_end && lex->line_end >= at)
		return lex->line_end;
	if (end - lex->row > CSV_ROW_MAX)
		end = lex->row + CSV_ROW_MAX;
	if (end < at)
		end = at;
	newline = memchr(at, '\n', (size_t)(end - at));
	lex->line_end = newline ? newline : end;
	return lex->line_end;
}

/* The closing quote of a cell that stands there as it is: on one line, without doubled quotes. */
static const char *plain_quote(struct csvlex *lex)
{
	const char *start = lex->at + 1, *stop = line_end(lex), *quote = NULL;

	if (start < stop)
		quote = memchr(start, '"', (size_t)(stop - start));
	return quote && (quote + 1 == lex->text->end || quote[1] != '"') ? quote : NULL;
}

/* Within quotes, to the closing one; the text is copied. */
static int copy_quoted(struct csvlex *lex, struct csvcell *cell, bool whole, struct err *err)
{
	const char *end = lex->text->end;
	char *out = lex->copy + lex->used;
	size_t len = 0;

	for (lex->at++;; lex->at++) {
		if (is_long(lex))
			return fail_long(lex, err);
		if (lex->at == end || (*lex->at == '\n' && !whole))
			return fail(lex, cell->column, err,
				    "a quote that is not closed; close it, double a quote that "
				    "belongs to "
				    "the text, or export the file again if it was cut off");
		if (*lex->at == '"') {
			if (lex->at + 1 == end || lex->at[1] != '"')
				break;
			lex->at++;
		} else if (*lex->at == '\n') {
			lex->line++;
			lex->line_start = lex->at + 1;
		}
		out[len++] = *lex->at;
	}
	cell->text = out;
	cell->len = len;
	lex->used += len;
	return 0;
}

/* At the quote; moves behind the closing one and the blanks that follow. */
static int read_quoted(struct csvlex *lex, struct csvcell *cell, bool whole, struct err *err)
{
	const char *end = lex->text->end, *quote = plain_quote(lex);

	if (quote) {
		cell->text = lex->at + 1;
		cell->len = (size_t)(quote - cell->text);
		lex->at = quote;
	} else if (copy_quoted(lex, cell, whole, err) < 0) {
		return -1;
	}
	lex->at++;
	while (lex->at < end && is_blank(lex, *lex->at) && !is_long(lex))
		lex->at++;
	if (is_long(lex))
		return fail_long(lex, err);
	if (lex->at < end && *lex->at != lex->separator && *lex->at != '\n')
		return fail(
			lex, cell->column, err,
			"text behind a closing quote; double a quote that belongs to the text, or "
			"close one that is open before it");
	return 0;
}

static int read_plain(struct csvlex *lex, struct csvcell *cell, struct err *err)
{
	const char *stop = line_end(lex);
	const char *found = memchr(lex->at, lex->separator, (size_t)(stop - lex->at));

	cell->text = lex->at;
	lex->at = found ? found : stop;
	cell->len = (size_t)(lex->at - cell->text);
	if (is_long(lex) && lex->at < lex->text->end && *lex->at != '\n' &&
	    *lex->at != lex->separator)
		return fail_long(lex, err);
	return 0;
}

static int read_cell(struct csvlex *lex, bool whole, struct err *err)
{
	struct csvcell *cell = &lex->cell[lex->cells];
	const char *end = lex->text->end;
	int failed;

	while (lex->at < end && is_blank(lex, *lex->at) && !is_long(lex))
		lex->at++;
	cell->column = lex->line == lex->row_line ? (unsigned)(lex->at - lex->line_start) + 1 : 0;
	if (lex->cells == CSV_COLUMNS_MAX)
		return fail(lex, cell->column, err, "a row of more than 256 cells; is this CSV?");
	if (lex->at < end && *lex->at == '"')
		failed = read_quoted(lex, cell, whole, err);
	else
		failed = read_plain(lex, cell, err);
	if (failed)
		return -1;
	if (cell->len > CSV_CELL_MAX)
		return fail(lex, cell->column, err,
			    "a cell of more than 32767 octets; leave its column out of the export");
	trim(lex, cell);
	lex->cells++;
	return 0;
}

static int read_row(struct csvlex *lex, struct err *err)
{
	bool whole = text_offset(lex->text) >= lex->whole_from;

	for (;;) {
		if (read_cell(lex, whole, err) < 0)
			return -1;
		if (lex->at == lex->text->end)
			return 0;
		if (*lex->at++ == '\n') {
			lex->line++;
			return 0;
		}
	}
}

static void pass_line(struct csvlex *lex)
{
	text_pass_line(lex->text);
	lex->line++;
}

int csvlex_next(struct csvlex *lex, struct err *err)
{
	struct text *text = lex->text;

	if (lex->pass)
		pass_line(lex);
	lex->pass = false;
	while (text_fill(text, ROW_AT_HAND) && *text->at == '#')
		pass_line(lex);
	lex->row = lex->at = lex->line_start = text->at;
	lex->line_end = NULL;
	lex->row_line = lex->line;
	lex->row_whole_from = lex->whole_from;
	lex->bad_column = 0;
	lex->cells = lex->used = 0;
	if (text->at == text->end)
		return 0;
	if (read_row(lex, err) == 0) {
		text->at = lex->at;
		return 1;
	}
	if (lex->line != lex->row_line)
		lex->whole_from = text_offset(text) + (uint64_t)(lex->at - lex->row);
	lex->line = lex->row_line;
	lex->pass = true;
	return -1;
}

void csvlex_back(struct csvlex *lex)
{
	lex->text->at = lex->row;
	lex->line = lex->row_line;
	lex->whole_from = lex->row_whole_from;
	lex->pass = false;
}
