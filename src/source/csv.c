/* SPDX-License-Identifier: MIT */
/*
 * Nobody knows what the next export looks like, so as little as possible is asked of a file: some
 * separator, and a first row that either has an address in it, and is then the first of the rows,
 * or the words of a header that say where names and addresses stand.
 *
 * The separator is the one of three under which the first row makes most sense: as a header, as a
 * row of data, by the number of its cells, in this order. `sep=;` (Excel) says it outright. Titles
 * above the header are passed over: one cell with blanks in it. A header may come again, where
 * exports were put behind one another; the last one counts.
 *
 * With a header, columns say what is what; without one, each row's cells do (source/csvrow). What
 * is in a record's row beside names and addresses (other types) goes through the presentation
 * parser of zone files. NS at a zone's apex is passed over: zones are ours.
 *
 * A row that is wrong in one cell is left out whole. One thread; all memory is taken at the start.
 */
#include "source/csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/csvrow.h"
#include "wire/types.h"

/* Octets of a record type's word: CDNSKEY, TYPE65535. */
#define CSV_TYPE_MAX 15

/* ---- rows with a header ---------------------------------------------------------------------- */

static const struct csvcell *cell_of(const struct csvrow *row, enum csv_role role)
{
	size_t i = row->cols.first[role];

	return row->cols.columns[role] && i < row->lex->cells ? &row->lex->cell[i] : NULL;
}

/* The cell, if there is one with something in it. */
static const struct csvcell *filled(const struct csvrow *row, enum csv_role role)
{
	const struct csvcell *cell = cell_of(row, role);

	return cell && cell->len ? cell : NULL;
}

static int take_zone(struct csvrow *row)
{
	const struct csvcell *cell = filled(row, CSV_ZONE);
	const char *text, *slash, *why;
	struct err err;
	size_t len;

	if (!cell)
		return 0;
	text = cell->text;
	len = cell->len;
	/* A resource identifier ends in the zone's name. */
	slash = *text == '/' ? memrchr(text, '/', len) : NULL;
	if (slash) {
		len -= (size_t)(slash + 1 - text);
		text = slash + 1;
	}
	why = token_read_name(text, len, NULL, &row->own_zone);
	if (why) {
		err_set(&err, "%s; correct the row", why);
		return csvrow_refuse_text(row, cell, "the zone ", text, len, err.text);
	}
	row->zone = &row->own_zone;
	return 0;
}

static bool is_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') &&
		    !(text[i] >= '0' && text[i] <= '9'))
			return false;
	return true;
}

/*
 * The type's word into `out`, "" where there is none: `A`, `Host (A)` of the DNS console,
 * `Microsoft.Network/privateDnsZones/A`. A column that is just `type` may be of something else.
 */
static int take_type(struct csvrow *row, char out[CSV_TYPE_MAX + 1])
{
	static const char *const known[] = { "A",   "AAAA", "CNAME", "SOA", "NS",    "MX",
					     "TXT", "SRV",  "PTR",   "CAA", "HTTPS", "SVCB" };
	const struct csvcell *cell = filled(row, CSV_TYPE);
	const char *text, *open, *slash;
	size_t len;

	out[0] = '\0';
	if (!cell)
		return 0;
	text = cell->text;
	len = cell->len;
	open = memrchr(text, '(', len);
	slash = memrchr(text, '/', len);
	if (open && text[len - 1] == ')') {
		len -= (size_t)(open + 2 - text);
		text = open + 1;
	} else if (slash) {
		len -= (size_t)(slash + 1 - text);
		text = slash + 1;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (len == strlen(known[i]) && strncasecmp(text, known[i], len) == 0) {
			strcpy(out, known[i]);
			return 0;
		}
	}
	if (row->cols.loose_types)
		return 0;
	if (!len || len > CSV_TYPE_MAX || !is_word(text, len))
		return csvrow_refuse_text(row, cell, "", text, len,
					  "is no record type; correct the row");
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

static int take_ttl(struct csvrow *row, uint32_t *ret)
{
	const struct csvcell *cell = filled(row, CSV_TTL);

	*ret = row->in->ttl;
	if (!cell || csvval_read_ttl(cell->text, cell->len, ret))
		return 0;
	return csvrow_refuse_text(
		row, cell, "", cell->text, cell->len,
		"is no TTL; write seconds or hh:mm:ss, at most 2147483647 seconds");
}

/* All cells of a role, names or addresses. */
static int take_all(struct csvrow *row, enum csv_role role)
{
	enum csvrow_naming naming = CSVROW_GIVEN;

	if (row->cols.full_names)
		naming = CSVROW_WHOLE;
	else if (cell_of(row, CSV_ZONE) || row->cols.export_of_zone)
		naming = CSVROW_RELATIVE;
	for (size_t i = 0; i < row->cols.count && i < row->lex->cells; i++) {
		const struct csvcell *cell = &row->lex->cell[i];

		if (row->cols.role[i] != role)
			continue;
		if (role == CSV_NAME ? csvrow_take_names(row, cell, naming) < 0
				     : csvrow_take_addresses(row, cell) < 0)
			return -1;
	}
	return 0;
}

/* `type` is "", A or AAAA. */
static int take_addresses(struct csvrow *row, const char *type)
{
	const struct csvcell *data = filled(row, CSV_DATA), *cell = cell_of(row, CSV_ADDRESS);
	uint16_t wanted = strcmp(type, "A") == 0 ? TYPE_A : TYPE_AAAA;

	if (take_all(row, CSV_ADDRESS) < 0)
		return -1;
	if (!row->addresses && data) {
		cell = data;
		if (csvrow_take_addresses(row, data) < 0)
			return -1;
	}
	for (size_t i = 0; !row->addresses && i < row->lex->cells; i++) {
		const struct csvcell *other = &row->lex->cell[i];
		const char *lost = csvval_lost(other->text, other->len);

		if (lost)
			return csvrow_refuse_text(row, other, "", other->text, other->len, lost);
	}
	if (!row->addresses)
		return csvrow_refuse(row, cell,
				     "a row without an address; write one or take the row out");
	for (unsigned i = 0; *type && i < row->addresses; i++)
		if (row->address[i].type != wanted)
			return csvrow_refuse(
				row, cell,
				wanted == TYPE_A
					? "an IPv6 address in a record of type A; write AAAA"
					: "an IPv4 address in a record of type AAAA; write A");
	return 0;
}

/* The cell that holds what is neither A nor AAAA; NULL and a complaint if there is none. */
static const struct csvcell *data_cell(struct csvrow *row, const char *type)
{
	const struct csvcell *cell = filled(row, CSV_DATA);
	struct err err;
	const char *lost;

	if (!cell)
		cell = filled(row, CSV_ADDRESS);
	if (!cell) {
		err_set(&err,
			"a %s record without data; export it with a column `recorddata`, or take "
			"the "
			"row out",
			type);
		csvrow_refuse(row, filled(row, CSV_TYPE), err.text);
		return NULL;
	}
	lost = csvval_lost(cell->text, cell->len);
	if (lost) {
		csvrow_refuse_text(row, cell, "", cell->text, cell->len, lost);
		return NULL;
	}
	return cell;
}

static void read_cname(struct csvrow *row, uint32_t ttl)
{
	const struct csvcell *cell = data_cell(row, "CNAME");

	if (!cell || csvrow_name(row, cell, cell->text, cell->len, CSVROW_GIVEN, &row->target) < 0)
		return;
	for (unsigned i = 0; i < row->names; i++)
		builder_add(row->builder, &row->name[i].name, TYPE_CNAME, ttl,
			    row->target.name.wire, row->target.name.len, row->lex->row_line);
}

/* Through the parser of zone files. */
static void read_other(struct csvrow *row, const char *type, uint32_t ttl)
{
	const struct csvcell *cell = data_cell(row, type);
	struct rrtext_record record;
	struct err err;
	int len;

	if (!cell)
		return;
	/* The TTL keeps a type of digits alone from being one. */
	len = snprintf(row->record, sizeof(row->record), " 0 IN %s %.*s", type, (int)cell->len,
		       cell->text);
	rrtext_set_origin(row->rr, row->zone);
	rrlex_init_memory(row->entry, row->record, (size_t)len);
	if (rrlex_next(row->entry, &err) != 1 ||
	    rrtext_read(row->rr, row->entry->entry, &record, &err) < 0) {
		csvrow_refuse(row, cell, err.text);
		return;
	}
	if (rrlex_next(row->entry, &err) != 0) {
		csvrow_refuse(row, cell,
			      "more than one record in a cell; give each a row of its own");
		return;
	}
	for (unsigned i = 0; i < row->names; i++)
		builder_add(row->builder, &row->name[i].name, record.type, ttl, record.rdata,
			    record.rdata_len, row->lex->row_line);
}

/* Of all that may be wrong with such a row this is what helps: the others go with a new export. */
static bool is_lost(struct csvrow *row)
{
	for (size_t i = 0; i < row->lex->cells && i < row->cols.count; i++) {
		const struct csvcell *cell = &row->lex->cell[i];
		const char *lost = NULL;

		if (row->cols.role[i] == CSV_ADDRESS || row->cols.role[i] == CSV_DATA)
			lost = csvval_lost(cell->text, cell->len);
		if (lost) {
			csvrow_refuse_text(row, cell, "", cell->text, cell->len, lost);
			return true;
		}
	}
	return false;
}

/* Two names and five numbers, as zone files have them; the DNS console writes less. */
static bool is_soa(const struct csvcell *data)
{
	const char *at = data->text, *end = at + data->len;
	unsigned words = 0;

	while (at < end) {
		const char *start = at;
		bool digits = true;

		for (; at < end && *at != ' '; at++)
			digits &= *at >= '0' && *at <= '9';
		words += at > start;
		if (at > start && words > 2 && !digits)
			return false;
		at++;
	}
	return words == 7;
}

static bool is_at_apex(const struct csvrow *row)
{
	return row->names == 1 && row->zone && name_equal(&row->name[0].name, row->zone);
}

static void read_by_header(struct csvrow *row)
{
	char type[CSV_TYPE_MAX + 1];
	uint32_t ttl;
	bool ns;

	for (size_t i = row->cols.count; i < row->lex->cells; i++) {
		if (row->lex->cell[i].len) {
			csvrow_refuse(row, &row->lex->cell[i],
				      "more cells than the header has; put quotes around a list of "
				      "values");
			return;
		}
	}
	if (take_type(row, type) < 0)
		return;
	/*
	 * The records of a zone of ours are ours to make, and the builder passes them over; exports
	 * of addresses alone have them empty.
	 */
	ns = strcmp(type, "NS") == 0;
	if (ns && !filled(row, CSV_DATA))
		return;
	if (strcmp(type, "SOA") == 0 && (!filled(row, CSV_DATA) || !is_soa(filled(row, CSV_DATA))))
		return;
	if (is_lost(row) || take_zone(row) < 0 || take_ttl(row, &ttl) < 0)
		return;
	if (take_all(row, CSV_NAME) < 0)
		return;
	if (!row->names) {
		csvrow_refuse(row, cell_of(row, CSV_NAME),
			      "a row without a name; write one or take the row out");
		return;
	}
	if (ns && is_at_apex(row))
		return;
	if (strcmp(type, "CNAME") == 0)
		read_cname(row, ttl);
	else if (*type && strcmp(type, "A") != 0 && strcmp(type, "AAAA") != 0)
		read_other(row, type, ttl);
	else if (take_addresses(row, type) == 0)
		csvrow_add_addresses(row, ttl);
}

/* ---- the head of the file -------------------------------------------------------------------- */

static bool has_address(const struct csvlex *lex)
{
	for (size_t i = 0; i < lex->cells; i++)
		if (csvval_is_addresses(lex->cell[i].text, lex->cell[i].len))
			return true;
	return false;
}

static bool has_whole_name(const struct csvlex *lex)
{
	struct name name;

	for (size_t i = 0; i < lex->cells; i++) {
		const char *text = lex->cell[i].text;
		size_t len = lex->cell[i].len;

		token_unquote(&text, &len);
		if (memchr(text, '.', len) && !token_read_name(text, len, NULL, &name))
			return true;
	}
	return false;
}

/* How much sense the row at hand makes. */
static unsigned weigh(const struct csvlex *lex)
{
	struct csvcols cols;

	if (csvcols_read(&cols, lex->cell, lex->cells))
		return 4;
	if (has_address(lex))
		return lex->cells == 1 ? 0 : has_whole_name(lex) ? 3 : 2;
	return lex->cells > 1;
}

/* Finds the separator by the first row that has one; reading stands before it then. */
static void find_separator(struct csvlex *lex)
{
	static const char separators[] = { ',', ';', '\t' };
	unsigned best = 0;
	size_t cells = 0;
	char found = 0;

	for (size_t i = 0; i < sizeof(separators); i++) {
		unsigned weight;
		int got;

		lex->separator = separators[i];
		got = csvlex_next(lex, NULL);
		weight = got == 1 ? weigh(lex) : 0;
		if (weight > best || (weight == best && got == 1 && lex->cells > cells)) {
			best = weight;
			cells = lex->cells;
			found = separators[i];
		}
		csvlex_back(lex);
	}
	lex->separator = found ? found : ',';
}

/* Octets of `"sep=;"`. */
#define SEP_LINE_MAX 7

/* `sep=;`, alone on the first line, quoted or not. */
static bool read_sep(struct csvlex *lex)
{
	size_t left = text_fill(lex->text, SEP_LINE_MAX + 1), quote, len;
	const char *at = lex->text->at;

	quote = left && *at == '"';
	len = 5 + 2 * quote;
	if (left < len || strncasecmp(at + quote, "sep=", 4) != 0 ||
	    !strchr(",;\t", at[4 + quote]) || (quote && at[6] != '"') ||
	    (left > len && at[len] != '\n'))
		return false;
	lex->separator = at[4 + quote];
	text_pass_line(lex->text);
	lex->line++;
	return true;
}

static bool is_empty(const struct csvlex *lex)
{
	for (size_t i = 0; i < lex->cells; i++)
		if (lex->cell[i].len)
			return false;
	return true;
}

/* A line above the header that says what the file is: words, not a list of names or addresses. */
static bool is_title(const struct csvlex *lex)
{
	struct token_address address;
	struct csvlist list;
	const char *text;
	size_t len;
	bool words = false;

	for (size_t i = 1; i < lex->cells; i++)
		if (lex->cell[i].len)
			return false;
	if (!memchr(lex->cell[0].text, ' ', lex->cell[0].len) ||
	    !csvlist_init(&list, lex->cell[0].text, lex->cell[0].len))
		return false;
	while (csvlist_next(&list, &text, &len)) {
		if (token_read_address(text, len, &address))
			return false;
		words |= !memchr(text, '.', len);
	}
	return words;
}

enum head { HEAD_NONE, HEAD_FOUND, HEAD_UNUSABLE };

/* What the first row is. HEAD_NONE: a row of data, still to be read. */
static enum head read_head(struct csvrow *row)
{
	struct csvlex *lex = row->lex;
	bool has_sep = read_sep(lex);
	struct err err;

	for (;;) {
		int got;

		if (!has_sep)
			find_separator(lex);
		got = csvlex_next(lex, &err);
		if (got == 0)
			return HEAD_NONE;
		if (got < 0) {
			complain(row->to, COMPLAINT_ERROR, row->in->path, lex->row_line,
				 lex->bad_column, "%s", err.text);
			continue;
		}
		if (is_empty(lex) || is_title(lex))
			continue;
		if (csvcols_read(&row->cols, lex->cell, lex->cells))
			return HEAD_FOUND;
		row->cols = (struct csvcols){ 0 };
		if (has_address(lex) || has_whole_name(lex)) {
			csvlex_back(lex);
			return HEAD_NONE;
		}
		return HEAD_UNUSABLE;
	}
}

static void refuse_head(struct csvrow *row)
{
	struct err err;

	err_set(&err,
		"a header without a column of names and one of addresses; known words are %s; "
		"rename "
		"the columns or export them",
		csvcols_known);
	csvrow_refuse(row, &row->lex->cell[0], err.text);
}

/* ---- all rows -------------------------------------------------------------------------------- */

/* A header again? Neither a whole name nor an address is a word of one. */
static bool is_header(const struct csvrow *row, struct csvcols *ret)
{
	const struct csvlex *lex = row->lex;
	const struct csvcell *cell = filled(row, CSV_ADDRESS);
	struct token_address address;

	/* This spares the look at nearly all rows. */
	if (cell && token_read_address(cell->text, cell->len, &address))
		return false;
	return !has_address(lex) && !has_whole_name(lex) &&
	       csvcols_read(ret, lex->cell, lex->cells);
}

static void read_row(struct csvrow *row)
{
	struct csvcols cols;

	if (is_empty(row->lex))
		return;
	row->names = row->addresses = 0;
	row->zone = row->in->origin;
	if (is_header(row, &cols)) {
		row->cols = cols;
		return;
	}
	if (row->cols.count)
		read_by_header(row);
	else if (csvrow_take_by_content(row) == 0)
		csvrow_add_addresses(row, row->in->ttl);
}

static void read_rows(struct csvrow *row)
{
	struct err err;
	int got;

	if (read_head(row) == HEAD_UNUSABLE) {
		refuse_head(row);
		return;
	}
	while ((got = csvlex_next(row->lex, &err)) != 0) {
		if (got > 0)
			read_row(row);
		else
			complain(row->to, COMPLAINT_ERROR, row->in->path, row->lex->row_line,
				 row->lex->bad_column, "%s", err.text);
	}
}

void csv_read(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	struct csvrow *row = calloc(1, sizeof(*row));

	if (row) {
		row->in = in;
		row->builder = builder;
		row->to = to;
		row->lex = malloc(sizeof(*row->lex));
		row->rr = rrtext_new();
		row->entry = malloc(sizeof(*row->entry));
	}
	if (row && row->lex && row->rr && row->entry) {
		csvlex_init(row->lex, in->text);
		read_rows(row);
	} else {
		complain(to, COMPLAINT_ERROR, in->path, 0, 0, "no memory to read it; free some");
	}
	if (row) {
		free(row->lex);
		free(row->entry);
		rrtext_free(row->rr);
	}
	free(row);
}
