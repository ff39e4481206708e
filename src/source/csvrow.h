/* SPDX-License-Identifier: MIT */
/*
 * What one row of a CSV file says, gathered before anything of it is taken: all of a row counts or
 * none. Used by source/csv alone.
 */
#ifndef PRIVLINKD_SOURCE_CSVROW_H
#define PRIVLINKD_SOURCE_CSVROW_H

#include <stdbool.h>
#include <stddef.h>

#include "source/csv.h"
#include "source/csvcols.h"
#include "source/csvlex.h"
#include "source/csvval.h"
#include "source/rrlex.h"
#include "source/rrtext.h"
#include "source/token.h"

struct csvrow {
	const struct reader_input *in;
	struct builder *builder;
	struct complaints *to;
	struct csvlex *lex;  /* its row is this one */
	struct csvcols cols; /* where there is a header */
	struct rrtext *rr;   /* for types that are neither addresses nor CNAME */
	struct rrlex *entry;
	bool warned; /* of a row without a header that can be read in two ways */

	const struct name *zone; /* of this row, or the file's; NULL: not known */
	struct name own_zone;    /* room for that of the row */
	unsigned names, addresses;
	struct name_series name[CSV_NAMES_MAX]; /* each goes on from the row before */
	struct name_series target;              /* of a CNAME */
	struct token_address address[CSV_ADDRESSES_MAX];
	char record[CSV_ROW_MAX];
};

/* `cell` may be NULL: it is about the row. Return -1. */
int csvrow_refuse(struct csvrow *row, const struct csvcell *cell, const char *what);
/* The same, about some text: `before` (or ""), the text in quotes, `after`. */
int csvrow_refuse_text(struct csvrow *row, const struct csvcell *cell, const char *before,
		       const char *text, size_t len, const char *after);

/* How a name is completed. */
enum csvrow_naming {
	CSVROW_WHOLE,    /* as it is; one label is completed if a zone is known */
	CSVROW_GIVEN,    /* one label needs a zone; more are whole */
	CSVROW_RELATIVE, /* within the zone, unless it shows that it is whole */
};

/* Completed into `series->name`. -1 and a complaint. */
int csvrow_name(struct csvrow *row, const struct csvcell *cell, const char *text, size_t len,
		enum csvrow_naming naming, struct name_series *series);

/* All values of the cell into row->name or row->address. -1 and a complaint; none: fine. */
int csvrow_take_names(struct csvrow *row, const struct csvcell *cell, enum csvrow_naming naming);
int csvrow_take_addresses(struct csvrow *row, const struct csvcell *cell);

/* A row without a header: cells are told by what they hold. Fills names and addresses. */
int csvrow_take_by_content(struct csvrow *row);

/* Every name gets every address. */
void csvrow_add_addresses(struct csvrow *row, uint32_t ttl);

#endif
