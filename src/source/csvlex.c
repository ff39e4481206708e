/* SPDX-License-Identifier: MIT */
/*
 * A quote that is never closed swallows all that follows, and would cost every row behind it. So a
 * row that goes wrong is given up as a whole, and reading begins again with its second line. That
 * alone would be quadratic: a file in which every line opens a quote would be read anew from each.
 * Therefore what a failed row has covered (`whole_from` is its end) is read line by line the second
 * time: a quote has to close on its own line there. Each octet is so seen twice at most, and an
 * honest cell with line ends in it suffers only right behind a broken one.
 *
 * Unquoted cells are handed out in place. Quoted ones are copied: their quotes may be doubled.
 *
 * A quote inside an unquoted cell is kept as it is: whoever reads the cell will not like it.
 */
#include "source/csvlex.h"

#include <stdbool.h>
#include <string.h>

void csvlex_init(struct csvlex *lex, const char *text, size_t len)
{
	lex->place = (struct csvlex_place){ .at = text, .line = 1, .whole_from = text };
	lex->end = text + len;
	lex->separator = ',';
	lex->row_line = lex->bad_column = 0;
	lex->cells = 0;
}

static bool is_blank(const struct csvlex *lex, char c)
{
	return c != lex->separator && (c == ' ' || c == '\t' || c == '\f' || c == '\v');
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
	return (size_t)(lex->place.at - lex->row) >= CSV_ROW_MAX;
}

static int fail_long(struct csvlex *lex, struct err *err)
{
	return fail(lex, 0, err,
		    "a row of more than 131072 octets; is this CSV, and is every quote closed?");
}

/* At the quote; moves behind the closing one and the blanks that follow. */
static int read_quoted(struct csvlex *lex, struct csvcell *cell, bool whole, struct err *err)
{
	struct csvlex_place *place = &lex->place;
	char *out = lex->text + lex->used;
	size_t len = 0;

	for (place->at++;; place->at++) {
		if (is_long(lex))
			return fail_long(lex, err);
		if (place->at == lex->end || (*place->at == '\n' && !whole))
			return fail(lex, cell->column, err,
				    "a quote that is not closed; close it, double a quote that "
				    "belongs to "
				    "the text, or export the file again if it was cut off");
		if (*place->at == '"') {
			if (place->at + 1 == lex->end || place->at[1] != '"')
				break;
			place->at++;
		} else if (*place->at == '\n') {
			place->line++;
			lex->line_start = place->at + 1;
		}
		out[len++] = *place->at;
	}
	place->at++;
	while (place->at < lex->end && is_blank(lex, *place->at))
		place->at++;
	if (place->at < lex->end && *place->at != lex->separator && *place->at != '\n')
		return fail(
			lex, cell->column, err,
			"text behind a closing quote; double a quote that belongs to the text, or "
			"close one that is open before it");
	cell->text = out;
	cell->len = len;
	lex->used += len;
	return 0;
}

static int read_plain(struct csvlex *lex, struct csvcell *cell, struct err *err)
{
	struct csvlex_place *place = &lex->place;

	cell->text = place->at;
	while (place->at < lex->end && *place->at != '\n' && *place->at != lex->separator) {
		if (is_long(lex))
			return fail_long(lex, err);
		place->at++;
	}
	cell->len = (size_t)(place->at - cell->text);
	return 0;
}

static int read_cell(struct csvlex *lex, bool whole, struct err *err)
{
	struct csvlex_place *place = &lex->place;
	struct csvcell *cell = &lex->cell[lex->cells];
	int failed;

	while (place->at < lex->end && is_blank(lex, *place->at) && !is_long(lex))
		place->at++;
	cell->column =
		place->line == lex->row_line ? (unsigned)(place->at - lex->line_start) + 1 : 0;
	if (lex->cells == CSV_COLUMNS_MAX)
		return fail(lex, cell->column, err, "a row of more than 256 cells; is this CSV?");
	if (place->at < lex->end && *place->at == '"')
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
	struct csvlex_place *place = &lex->place;
	bool whole = place->at >= place->whole_from;

	for (;;) {
		if (read_cell(lex, whole, err) < 0)
			return -1;
		if (place->at == lex->end)
			return 0;
		if (*place->at++ == '\n') {
			place->line++;
			return 0;
		}
	}
}

static void pass_line(struct csvlex *lex)
{
	const char *newline = memchr(lex->place.at, '\n', (size_t)(lex->end - lex->place.at));

	lex->place.at = newline ? newline + 1 : lex->end;
	lex->place.line++;
}

int csvlex_next(struct csvlex *lex, struct err *err)
{
	struct csvlex_place *place = &lex->place;

	while (place->at < lex->end && *place->at == '#')
		pass_line(lex);
	if (place->at == lex->end)
		return 0;
	lex->row = lex->line_start = place->at;
	lex->row_line = place->line;
	lex->bad_column = 0;
	lex->cells = lex->used = 0;
	if (read_row(lex, err) == 0)
		return 1;
	if (place->line != lex->row_line)
		place->whole_from = place->at;
	place->at = lex->row;
	place->line = lex->row_line;
	pass_line(lex);
	return -1;
}
