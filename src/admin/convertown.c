/* SPDX-License-Identifier: MIT */
/*
 * The formats that our own readers take: yaml, zone, csv, hosts.
 *
 * The first three say everything and are read back to the same set, without a warning. For that,
 * several addresses of one name stand together (in one list, in one cell): on lines of their own
 * readers of those formats take them for two claims that may be meant or not.
 *
 * yaml has one TTL for all hosts. It is the one that most of them have; the others stand under
 * `records`. Found by majority vote in one pass without memory: where no TTL has a majority, any
 * one is as good.
 *
 * A hosts file is for a machine that knows nothing of us, so a name stands there in its public
 * forms, which clients ask for (the first of them is the canonical one, hosts(5)), and in the
 * private one. What a hosts file cannot say is left out loudly. TTLs it cannot say either; nobody
 * misses those.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/convert.h"
#include "source/token.h"

/* Octets of data whose text fits into a cell of 32,767 octets however much of it is escaped. */
#define CSV_DATA_MAX 8000

static const char no_odd_names[] =
	"the format has host names alone, of letters, digits, - and _; convert to yaml or zone";

/* ---- yaml ------------------------------------------------------------------------------------ */

/* The set stands under `hosts`, if its TTL fits. */
static bool yaml_is_host(const struct convert *convert, const struct convert_set *set)
{
	return convert_is_address(set->type) && set->ttl == convert->ttl && convert_is_plain(set);
}

static void yaml_vote(struct convert *convert, const struct convert_set *set)
{
	if (!convert_is_address(set->type) || !convert_is_plain(set))
		return;
	if (!convert->votes)
		convert->ttl = set->ttl;
	if (convert->ttl == set->ttl)
		convert->votes++;
	else
		convert->votes--;
	convert->hosts = true;
}

/* A text that means itself. */
static void yaml_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void yaml_addresses(struct convert *convert, const struct convert_set *set, bool more)
{
	char *data;
	size_t i;

	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		fprintf(convert->out, set->type == TYPE_A ? "%s%s" : "%s\"%s\"",
			more || i ? ", " : "", data ? data : "");
		free(data);
	}
}

/* Addresses of both types in one list. */
static void yaml_host(struct convert *convert, const struct convert_set *set)
{
	struct convert_set *other;
	bool has_other, list;

	if (!yaml_is_host(convert, set))
		return;
	if (convert->hosts) {
		fprintf(convert->out, "ttl: %u\nhosts:\n", convert->ttl);
		convert->hosts = false;
	}
	other = malloc(sizeof(*other));
	if (!other) {
		convert->no_memory = true;
		return;
	}
	has_other = convert_find(other, set->node, set->type == TYPE_A ? TYPE_AAAA : TYPE_A) &&
		    other->ttl == convert->ttl;
	/* The A set came before and wrote both. */
	if (has_other && set->type == TYPE_AAAA) {
		free(other);
		return;
	}
	list = has_other || set->count > 1;
	fputs("  ", convert->out);
	if (set->wildcard || set->owner[0] == '-')
		yaml_quoted(convert->out, set->owner);
	else
		fputs(set->owner, convert->out);
	fprintf(convert->out, ": %s", list ? "[" : "");
	yaml_addresses(convert, set, false);
	if (has_other)
		yaml_addresses(convert, other, true);
	fprintf(convert->out, "%s\n", list ? "]" : "");
	free(other);
}

static const char *dot(const struct convert_set *set)
{
	return set->name.labels ? "." : "";
}

static void yaml_record(struct convert *convert, const struct convert_set *set)
{
	char type[TYPE_TEXT_MAX], *data, *line = NULL;
	size_t i;

	if (yaml_is_host(convert, set))
		return;
	if (!convert->records)
		fputs("records:\n", convert->out);
	convert->records = true;
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		if (data && asprintf(&line, "%s%s %u IN %s %s", set->owner, dot(set), set->ttl,
				     type_to_text(set->type, type), data) >= 0) {
			fputs("  - ", convert->out);
			yaml_quoted(convert->out, line);
			fputc('\n', convert->out);
			free(line);
		} else {
			convert->no_memory = true;
		}
		free(data);
	}
}

const struct convert_format convert_yaml = { .name = "yaml",
					     .comment = "#",
					     .pass = { yaml_vote, yaml_host, yaml_record } };

/* ---- zone ------------------------------------------------------------------------------------ */

/* The owner relative to the zone; absolute outside served zones, where the zone is the root. */
static void zone_owner(const struct convert *convert, const struct convert_set *set, FILE *out)
{
	unsigned labels = (unsigned)(set->name.labels - convert->zone.labels);
	char text[NAME_TEXT_MAX];
	uint8_t wire[NAME_WIRE_MAX + 1];

	if (!convert->zone.labels) {
		fprintf(out, "%s%s", set->owner, dot(set));
	} else if (!labels) {
		fputc('@', out);
	} else {
		memcpy(wire, set->name.wire, set->name.at[labels]);
		wire[set->name.at[labels]] = 0;
		name_to_text(wire, text);
		fputs(text, out);
	}
}

static void zone_set(struct convert *convert, const struct convert_set *set)
{
	char type[TYPE_TEXT_MAX], text[NAME_TEXT_MAX], *data;
	size_t i;

	if (convert_zone_changes(convert, set)) {
		name_to_text(convert->zone.wire, text);
		fprintf(convert->out, "\n$ORIGIN %s%s\n", text, convert->zone.labels ? "." : "");
	}
	type_to_text(set->type, type);
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		zone_owner(convert, set, convert->out);
		fprintf(convert->out, " %u IN %s %s\n", set->ttl, type, data ? data : "");
		free(data);
	}
}

const struct convert_format convert_zone = { .name = "zone", .comment = ";", .pass = { zone_set } };

/* ---- csv ------------------------------------------------------------------------------------- */

static void csv_begin(struct convert *convert)
{
	fputs("fqdn,recordtype,ttl,data\n", convert->out);
}

/* RFC 4180 2.5 to 2.7. */
static void csv_cell(FILE *out, const char *text)
{
	if (!strpbrk(text, ",;\t\"\n ")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static bool is_host_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/*
 * Whatever no host name has is escaped, so that a backslash shows that it is one of presentation
 * format. A name of few labels has its last dot: it could be taken for one within some zone.
 */
static void csv_name(FILE *out, const struct name *name)
{
	char text[NAME_TEXT_MAX];
	const uint8_t *label = name->wire, *c;
	struct name same;
	size_t len = name_to_text(name->wire, text);
	/* Odd without an odd octet (digits alone): any escape will do. */
	bool odd = token_read_name(text, len, NULL, &same) && !strchr(text, '\\');

	for (; *label; label += *label + 1) {
		for (c = label + 1; c <= label + *label; c++) {
			if (!odd && (is_host_octet(*c) ||
				     (*c == '*' && *label == 1 && label == name->wire)))
				fputc(*c, out);
			else
				fprintf(out, "\\%03u", *c);
			odd = false;
		}
		if (label[*label + 1] || name->labels <= 2)
			fputc('.', out);
	}
}

static void csv_row(struct convert *convert, const struct convert_set *set, const char *data)
{
	char type[TYPE_TEXT_MAX];

	csv_name(convert->out, &set->name);
	fprintf(convert->out, ",%s,%u,", type_to_text(set->type, type), set->ttl);
	csv_cell(convert->out, data);
	fputc('\n', convert->out);
}

static void csv_addresses(struct convert *convert, const struct convert_set *set)
{
	char *text = NULL, *data;
	size_t len = 0, i;
	FILE *cell = open_memstream(&text, &len);

	for (i = 0; cell && i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		fprintf(cell, "%s%s", i ? " " : "", data ? data : "");
		free(data);
	}
	if (cell && fclose(cell) == 0)
		csv_row(convert, set, text);
	else
		convert->no_memory = true;
	free(text);
}

static void csv_cname(struct convert *convert, const struct convert_set *set,
		      const struct name *target)
{
	csv_name(convert->out, &set->name);
	fprintf(convert->out, ",CNAME,%u,", set->ttl);
	csv_name(convert->out, target);
	fputc('\n', convert->out);
}

static void csv_set(struct convert *convert, const struct convert_set *set)
{
	struct name target = { .labels = 1 };
	char *data;
	size_t i;

	if (set->type == TYPE_CNAME)
		name_from_wire(&target, set->record[0].rdata, set->record[0].rdata_len);
	if (!set->name.labels || !target.labels) {
		convert_leave_out(convert, set, no_odd_names);
		return;
	}
	if (set->type == TYPE_CNAME) {
		csv_cname(convert, set, &target);
		return;
	}
	if (convert_is_address(set->type)) {
		csv_addresses(convert, set);
		return;
	}
	for (i = 0; i < set->count; i++) {
		if (set->record[i].rdata_len > CSV_DATA_MAX) {
			convert_leave_out(convert, set,
					  "longer than a cell may be; convert to yaml or zone");
			return;
		}
	}
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		if (data)
			csv_row(convert, set, data);
		free(data);
	}
}

const struct convert_format convert_csv = {
	.name = "csv", .comment = "#", .begin = csv_begin, .pass = { csv_set }
};

/* ---- hosts ----------------------------------------------------------------------------------- */

static void hosts_set(struct convert *convert, const struct convert_set *set)
{
	char text[NAME_TEXT_MAX], *data;
	struct name public;
	size_t i, at;

	if (set->wildcard) {
		convert_leave_out(
			convert, set,
			"a hosts file has no wildcards; write each name, or convert to another "
			"format");
		return;
	}
	if (!convert_is_address(set->type)) {
		convert_leave_out(convert, set,
				  "a hosts file has addresses alone; convert to another format");
		return;
	}
	if (!convert_is_plain(set)) {
		convert_leave_out(convert, set, no_odd_names);
		return;
	}
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		fputs(data ? data : "", convert->out);
		for (at = 0; convert_public(convert, &set->name, &at, &public);) {
			name_to_text(public.wire, text);
			fprintf(convert->out, " %s", text);
		}
		fprintf(convert->out, " %s\n", set->owner);
		free(data);
	}
}

const struct convert_format convert_hosts = { .name = "hosts",
					      .comment = "#",
					      .pass = { hosts_set } };
