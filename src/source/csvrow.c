/* SPDX-License-Identifier: MIT */
/*
 * Names are the hard part. A column of names holds whole names in one export and labels within a
 * zone in the next, and a name of two labels may be either: `abc-rcm1.weu` is within a zone of
 * Site Recovery. So a name is whole if it shows it: a trailing dot, a scheme, or the last two
 * labels that its zone has (`x.vault.azure.net` beside `privatelink.vaultcore.azure.net`). A label
 * alone for which no zone is known is refused: no client would ever ask for it.
 *
 * Without a header a cell is an address, a whole name (it has a dot), a label, or neither; neither
 * is passed over. A label beside a whole name is nearly always the name of the endpoint, but if
 * the whole name begins with `privatelink` that is the zone of the label. The first other row in
 * which a label could be meant is warned of.
 */
#include "source/csvrow.h"

#include <string.h>
#include <strings.h>

int csvrow_refuse(struct csvrow *row, const struct csvcell *cell, const char *what)
{
	complain(row->to, COMPLAINT_ERROR, row->in->path, row->lex->row_line,
		 cell ? cell->column : 0, "%s", what);
	return -1;
}

int csvrow_refuse_text(struct csvrow *row, const struct csvcell *cell, const char *before,
		       const char *text, size_t len, const char *after)
{
	char shown[TOKEN_SHOWN_MAX];

	complain(row->to, COMPLAINT_ERROR, row->in->path, row->lex->row_line, cell->column,
		 "%s`%s` %s", before, token_show(shown, text, len), after);
	return -1;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool text_is(const char *text, size_t len, const char *other)
{
	return len == strlen(other) && strncasecmp(text, other, len) == 0;
}

/* The apex, as zone files and the DNS console of Windows write it. */
static bool is_apex(const char *text, size_t len)
{
	return text_is(text, len, "@") || text_is(text, len, "(same as parent folder)");
}

/* Does it end in the last two labels of the zone? */
static bool shares_end(const struct name *name, const struct name *zone)
{
	unsigned labels = zone->labels < 2 ? zone->labels : 2;
	size_t len = zone->len - (size_t)zone->at[zone->labels - labels];

	return name->labels >= labels && name->hash[labels] == zone->hash[labels] &&
	       name->len - (size_t)name->at[name->labels - labels] == len &&
	       memcmp(name->fold + name->len - len, zone->fold + zone->len - len, len) == 0;
}

static const char *read_name(const struct csvrow *row, const char *text, size_t len,
			     struct name_series *series)
{
	/* Escapes stand in exports of zones alone; elsewhere a backslash is a mistake. */
	if (row->cols.export_of_zone && memchr(text, '\\', len)) {
		series->noted = false;
		return name_from_text(&series->name, text, len) < 0 ? "is no domain name" : NULL;
	}
	return token_read_next_name(text, len, row->zone, series);
}

/* Completes a name of several labels that may lie within the zone of the row. */
static int put_within(struct csvrow *row, const struct csvcell *cell, const char *text, size_t len,
		      struct name_series *series)
{
	struct name left;

	if (shares_end(&series->name, row->zone))
		return 0;
	left = series->name;
	series->noted = false;
	if (name_join(&series->name, &left, left.labels, row->zone) < 0)
		return csvrow_refuse_text(row, cell, "", text, len,
					  "is too long together with its zone; correct the row");
	return 0;
}

int csvrow_name(struct csvrow *row, const struct csvcell *cell, const char *text, size_t len,
		enum csvrow_naming naming, struct name_series *series)
{
	static const char relative[] = "is relative and no zone is known; end the name with a dot, "
				       "add a column `zone`, or "
				       "set `zone:` for this path";
	bool apex = is_apex(text, len), whole, label;
	const char *why;
	struct err err;

	if (apex && row->zone) {
		series->noted = false;
		series->name = *row->zone;
		return 0;
	}
	if (apex)
		return csvrow_refuse_text(row, cell, "", text, len, relative);
	why = read_name(row, text, len, series);
	if (why) {
		err_set(&err, "%s; correct the row", why);
		return csvrow_refuse_text(row, cell, "", text, len, err.text);
	}
	whole = text[len - 1] == '.' || (memchr(text, ':', len) && memmem(text, len, "://", 3));
	label = !memchr(text, '.', len);
	if (!whole && !row->zone && naming != CSVROW_WHOLE &&
	    (label || (row->cols.labels_only && series->name.labels == 2)))
		return csvrow_refuse_text(row, cell, "", text, len, relative);
	/* A label alone has been completed already. */
	if (naming != CSVROW_RELATIVE || !row->zone || whole || label)
		return 0;
	return put_within(row, cell, text, len, series);
}

/* A list of names, not a text with blanks or a lone name: every value has a dot or a scheme. */
static bool is_list_of_names(const char *text, size_t len)
{
	struct csvlist list;
	size_t count = 0;

	if (len && text[0] == '[')
		return true;
	if (!csvlist_init(&list, text, len))
		return false;
	for (; csvlist_next(&list, &text, &len); count++)
		if (!memchr(text, '.', len))
			return false;
	return count > 1;
}

static int take_name(struct csvrow *row, const struct csvcell *cell, const char *text, size_t len,
		     enum csvrow_naming naming)
{
	if (row->names == CSV_NAMES_MAX)
		return csvrow_refuse(row, cell, "more than 16 names in a row; use several rows");
	if (csvrow_name(row, cell, text, len, naming, &row->name[row->names]) < 0)
		return -1;
	row->names++;
	return 0;
}

int csvrow_take_names(struct csvrow *row, const struct csvcell *cell, enum csvrow_naming naming)
{
	const char *lost = csvval_lost(cell->text, cell->len), *text;
	struct csvlist list;
	size_t len;

	if (!cell->len || text_is(cell->text, cell->len, "null"))
		return 0;
	if (lost)
		return csvrow_refuse_text(row, cell, "", cell->text, cell->len, lost);
	/* Nearly always there is one, like that of the row before. */
	if (row->names < CSV_NAMES_MAX &&
	    token_is_next_name(cell->text, cell->len, &row->name[row->names]))
		return take_name(row, cell, cell->text, cell->len, naming);
	if (!is_list_of_names(cell->text, cell->len)) {
		text = cell->text;
		len = cell->len;
		token_unquote(&text, &len);
		return len ? take_name(row, cell, text, len, naming) : 0;
	}
	if (!csvlist_init(&list, cell->text, cell->len))
		return csvrow_refuse_text(row, cell, "", cell->text, cell->len,
					  "is a list that is not closed; export it again");
	while (csvlist_next(&list, &text, &len))
		if (take_name(row, cell, text, len, naming) < 0)
			return -1;
	return 0;
}

/* ---- addresses ------------------------------------------------------------------------------- */

int csvrow_take_addresses(struct csvrow *row, const struct csvcell *cell)
{
	const char *lost, *text;
	struct csvlist list;
	size_t len;

	/* Nearly always there is one. */
	if (row->addresses < CSV_ADDRESSES_MAX &&
	    token_read_address(cell->text, cell->len, &row->address[row->addresses])) {
		row->addresses++;
		return 0;
	}
	lost = csvval_lost(cell->text, cell->len);
	if (lost)
		return csvrow_refuse_text(row, cell, "", cell->text, cell->len, lost);
	if (!csvlist_init(&list, cell->text, cell->len))
		return csvrow_refuse_text(row, cell, "", cell->text, cell->len,
					  "is a list that is not closed; export it again");
	while (csvlist_next(&list, &text, &len)) {
		if (row->addresses == CSV_ADDRESSES_MAX)
			return csvrow_refuse(row, cell,
					     "more than 256 addresses in a row; use several rows");
		if (!token_read_address(text, len, &row->address[row->addresses]))
			return csvrow_refuse_text(row, cell, "", text, len,
						  "is no address; write an IPv4 or IPv6 address");
		row->addresses++;
	}
	return 0;
}

void csvrow_add_addresses(struct csvrow *row, uint32_t ttl)
{
	for (unsigned i = 0; i < row->names; i++)
		for (unsigned j = 0; j < row->addresses; j++)
			builder_add(row->builder, &row->name[i].name, row->address[j].type, ttl,
				    row->address[j].octets, row->address[j].len,
				    row->lex->row_line);
}

/* ---- a row without a header ------------------------------------------------------------------ */

enum cell_kind {
	CELL_OTHER, /* an identifier, a state, a number: anybody's guess, and passed over */
	CELL_ADDRESSES,
	CELL_NAMES, /* whole ones */
	CELL_LABEL,
	CELL_ZONE, /* begins with `privatelink` */
	CELL_BAD,  /* an address that is none */
};

/* Digits and three dots. */
static bool is_mistyped_address(const char *text, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.')
			dots++;
		else if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return dots == 3;
}

static enum cell_kind tell_cell(const struct csvcell *cell)
{
	static const char *const words[] = { "A", "AAAA", "IN" };
	const char *text = cell->text;
	size_t len = cell->len;
	struct csvlist list;
	struct name name;

	if (!len)
		return CELL_OTHER;
	if (csvval_is_addresses(text, len))
		return CELL_ADDRESSES;
	if (is_mistyped_address(text, len))
		return CELL_BAD;
	if (is_list_of_names(text, len)) {
		if (!csvlist_init(&list, text, len))
			return CELL_OTHER;
		while (csvlist_next(&list, &text, &len))
			if (!memchr(text, '.', len) || token_read_name(text, len, NULL, &name))
				return CELL_OTHER;
		return CELL_NAMES;
	}
	token_unquote(&text, &len);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (len == strlen(words[i]) && memcmp(text, words[i], len) == 0)
			return CELL_OTHER;
	if (is_apex(text, len))
		return CELL_LABEL;
	if (token_read_name(text, len, NULL, &name))
		return CELL_OTHER;
	if (!memchr(text, '.', len))
		return CELL_LABEL;
	return len > 12 && strncasecmp(text, "privatelink.", 12) == 0 ? CELL_ZONE : CELL_NAMES;
}

struct cell_kinds {
	unsigned count[CELL_BAD + 1];
	const struct csvcell *last[CELL_BAD + 1];
};

static void warn_of_label(struct csvrow *row, const struct cell_kinds *kinds)
{
	const struct csvcell *label = kinds->last[CELL_LABEL], *name = kinds->last[CELL_NAMES];
	char shown[2][TOKEN_SHOWN_MAX];

	if (row->warned)
		return;
	row->warned = true;
	complain(row->to, COMPLAINT_WARNING, row->in->path, row->lex->row_line, label->column,
		 "`%s` beside `%s` is not taken for a name in that zone, here and below; write a "
		 "first "
		 "line with the names of the columns: fqdn and ip, or name, zone and ip",
		 token_show(shown[0], label->text, label->len),
		 token_show(shown[1], name->text, name->len));
}

static int refuse_kinds(struct csvrow *row, const struct cell_kinds *kinds)
{
	const struct csvcell *bad = kinds->last[CELL_BAD];

	if (bad)
		return csvrow_refuse_text(row, bad, "", bad->text, bad->len,
					  "looks like an address but is none; correct the row");
	for (size_t i = 0; i < row->lex->cells; i++) {
		const struct csvcell *cell = &row->lex->cell[i];
		const char *lost = csvval_lost(cell->text, cell->len);

		if (lost)
			return csvrow_refuse_text(row, cell, "", cell->text, cell->len, lost);
	}
	if (!row->addresses)
		return csvrow_refuse(
			row, NULL,
			"no cell of this row is an address; correct it or take the row out");
	if (kinds->count[CELL_LABEL] > 1)
		return csvrow_refuse(row, NULL,
				     "it cannot be told which cell is the name; write a first line "
				     "with the names "
				     "of the columns, as in: name,zone,ip");
	return csvrow_refuse(row, NULL,
			     "no cell of this row is a name; correct it or take the row out");
}

int csvrow_take_by_content(struct csvrow *row)
{
	struct cell_kinds kinds = { 0 };
	uint8_t kind[CSV_COLUMNS_MAX];
	enum cell_kind wanted = CELL_NAMES;
	enum csvrow_naming naming = CSVROW_GIVEN;

	for (size_t i = 0; i < row->lex->cells; i++) {
		const struct csvcell *cell = &row->lex->cell[i];

		kind[i] = (uint8_t)tell_cell(cell);
		kinds.count[kind[i]]++;
		kinds.last[kind[i]] = cell;
		if (kind[i] == CELL_ADDRESSES && csvrow_take_addresses(row, cell) < 0)
			return -1;
	}
	if (!row->addresses || kinds.count[CELL_BAD])
		return refuse_kinds(row, &kinds);
	if (kinds.count[CELL_ZONE] == 1 &&
	    (kinds.count[CELL_NAMES] || kinds.count[CELL_LABEL] == 1)) {
		const struct csvcell *zone = kinds.last[CELL_ZONE];

		naming = CSVROW_RELATIVE;
		row->zone = name_from_text(&row->own_zone, zone->text, zone->len) == 0
				    ? &row->own_zone
				    : NULL;
	} else if (kinds.count[CELL_ZONE]) {
		for (size_t i = 0; i < row->lex->cells; i++)
			if (kind[i] == CELL_ZONE)
				kind[i] = CELL_NAMES;
		kinds.count[CELL_NAMES] += kinds.count[CELL_ZONE];
		kinds.last[CELL_NAMES] = kinds.last[CELL_ZONE];
	}
	if (!kinds.count[CELL_NAMES] && kinds.count[CELL_LABEL] != 1)
		return refuse_kinds(row, &kinds);
	if (!kinds.count[CELL_NAMES])
		wanted = CELL_LABEL;
	else if (kinds.count[CELL_LABEL] == 1 && naming == CSVROW_GIVEN)
		warn_of_label(row, &kinds);
	for (size_t i = 0; i < row->lex->cells; i++)
		if (kind[i] == wanted && csvrow_take_names(row, &row->lex->cell[i], naming) < 0)
			return -1;
	return 0;
}
