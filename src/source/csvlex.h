/* SPDX-License-Identifier: MIT */
/*
 * Cuts the text of a CSV file into rows of cells (RFC 4180), with one separator for the whole file.
 *
 * Quoted cells may hold separators, line ends and doubled quotes; blanks around a cell, within its
 * quotes too, are taken off. Lines that begin with `#` are passed over (`#TYPE` of PowerShell 5.1,
 * comments). A malformed row is told and reading goes on with the next line, so that a quote that
 * is never closed costs its own row alone. Each octet is looked at twice at most, and one row is in
 * memory at a time. One thread an object.
 */
#ifndef PRIVLINKD_SOURCE_CSVLEX_H
#define PRIVLINKD_SOURCE_CSVLEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "source/text.h"

/* Octets of a cell: what Excel takes into one. */
#define CSV_CELL_MAX 32767
/* Cells of a row: the widest export known (all of a resource) has some fifty. */
#define CSV_COLUMNS_MAX 256
/* Octets of a row, quotes and line ends counted: four full cells. */
#define CSV_ROW_MAX 131072

struct csvcell {
	const char *text; /* without quotes; not NUL-terminated; good until the next row is read */
	size_t len;
	unsigned column; /* of its first octet or quote; 0: on a later line than the row's first */
};

struct csvlex {
	struct text *text;
	unsigned line;       /* of where reading stands, from one */
	uint64_t whole_from; /* before it (text_offset) quotes hold no line ends, see csvlex.c */
	char separator;
	unsigned row_line;   /* where the last row (or error) begins */
	unsigned bad_column; /* of the last error; 0: not known */
	size_t cells;
	struct csvcell cell[CSV_COLUMNS_MAX];

	/* The row that is being read. */
	const char *row, *at, *line_start;
	const char *line_end;    /* of a line that was looked for, perhaps before `at`; or NULL */
	uint64_t row_whole_from; /* what whole_from was */
	bool pass;               /* its first line is still to be passed: it was malformed */
	size_t used;
	char copy[CSV_ROW_MAX];
};

void csvlex_init(struct csvlex *lex, struct text *text);

/*
 * 1: `cell` holds the next row, of one cell at least. 0: there is none left. -1: one was malformed,
 * `err` says how (without path and line); reading goes on with the line behind its first.
 */
int csvlex_next(struct csvlex *lex, struct err *err);

/* Back to the start of the row (or error) that was read last. */
void csvlex_back(struct csvlex *lex);

#endif
