/* SPDX-License-Identifier: MIT */
/*
 * The files are read by the server's readers into the server's table, so that a conversion never
 * disagrees with what would be served; a format is then a function that is shown one RRset after
 * the other and writes it down.
 *
 * Nothing of a configuration is applied: TTLs stay as they are, and the zones are those of a
 * preset. More zones than the server has would fold names that it serves as they stand, so the
 * default is the server's default.
 *
 * What a format cannot say is never dropped in silence: it is complained of with file and line,
 * stands as a comment in the output, and shows in the exit code.
 *
 * Data is written by ldns and read back at once; where that does not give the same octets, it is
 * written as RFC 3597 says instead. So a round trip loses nothing, whatever ldns thinks of a type.
 */
#include "admin/convert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/fileargs.h"
#include "admin/records.h"
#include "source/load.h"
#include "source/rrtext.h"
#include "source/token.h"

/* Links of a CNAME chain that is followed, as the server does. */
#define LINKS_MAX 16

static const struct convert_format *const formats[] = { &convert_yaml,    &convert_hosts,
							&convert_zone,    &convert_csv,
							&convert_unbound, &convert_dnsmasq };
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* ---- what the writers are given -------------------------------------------------------------- */

static int compare_records(const void *a, const void *b)
{
	const struct node_record *left = a, *right = b;
	size_t shorter = left->rdata_len < right->rdata_len ? left->rdata_len : right->rdata_len;
	int difference = memcmp(left->rdata, right->rdata, shorter);

	return difference ? difference : (int)left->rdata_len - (int)right->rdata_len;
}

static void fill_set(struct convert_set *set, const struct node_rrset *rrset)
{
	size_t at = 0;

	set->type = rrset->type;
	set->ttl = rrset->ttl;
	set->count = 0;
	while (set->count < RECORDS_A_SET_MAX &&
	       node_record_next(rrset, &at, &set->record[set->count]))
		set->count++;
	qsort(set->record, set->count, sizeof(set->record[0]), compare_records);
}

bool convert_find(struct convert_set *ret, const struct node *node, uint16_t type)
{
	struct node_rrset rrset;

	if (!node_find(node, type, &rrset))
		return false;
	fill_set(ret, &rrset);
	return true;
}

static char *generic_text(const struct node_record *record)
{
	char *text = malloc(16 + (size_t)record->rdata_len * 2);
	size_t i, at;

	if (!text)
		return NULL;
	at = (size_t)sprintf(text, "\\# %u%s", (unsigned)record->rdata_len,
			     record->rdata_len ? " " : "");
	for (i = 0; i < record->rdata_len; i++)
		at += (size_t)sprintf(text + at, "%02x", (unsigned)record->rdata[i]);
	return text;
}

/* Does our reader make the same octets of it? */
static bool reads_back(uint16_t type, const char *data, const struct node_record *record)
{
	struct rrtext *rr = rrtext_new();
	char type_text[TYPE_TEXT_MAX], *text = NULL;
	struct rrtext_record got;
	struct err err;
	bool same = false;

	type_to_text(type, type_text);
	if (rr && asprintf(&text, "IN %s %s", type_text, data) >= 0) {
		same = rrtext_read(rr, text, &got, &err) == 0 && got.type == type &&
		       got.rdata_len == record->rdata_len &&
		       memcmp(got.rdata, record->rdata, got.rdata_len) == 0;
		free(text);
	}
	rrtext_free(rr);
	return same;
}

char *convert_data(struct convert *convert, uint16_t type, const struct node_record *record)
{
	char *text = NULL;
	size_t len;

	if (convert_is_address(type)) {
		text = malloc(INET6_ADDRSTRLEN);
		if (text)
			inet_ntop(type == TYPE_A ? AF_INET : AF_INET6, record->rdata, text,
				  INET6_ADDRSTRLEN);
	} else if (type == TYPE_CNAME) {
		text = malloc(NAME_TEXT_MAX + 1);
		if (text && name_to_text(record->rdata, text) > 0 && strcmp(text, ".") != 0)
			strcat(text, ".");
	} else {
		text = records_data_text(type, record->rdata, record->rdata_len);
		/* ldns ends lists with a blank. */
		for (len = text ? strlen(text) : 0; len && text[len - 1] == ' '; len--)
			text[len - 1] = '\0';
		if (text && !reads_back(type, text, record)) {
			free(text);
			text = generic_text(record);
		}
	}
	if (!text)
		convert->no_memory = true;
	return text;
}

bool convert_public(const struct convert *convert, const struct name *name, size_t *at,
		    struct name *ret)
{
	struct table_hit hit;

	while (zones_public_form(convert->zones, name, *at, ret) == 0) {
		++*at;
		/* Of private zones that share a public one, another may hold this name too. */
		table_lookup(convert->table, ret, &hit);
		if (hit.match == TABLE_ALIAS && name_wire_equal(hit.target, name->wire))
			return true;
	}
	return false;
}

bool convert_is_plain(const struct convert_set *set)
{
	struct name name;

	return !token_read_name(set->owner, strlen(set->owner), NULL, &name) &&
	       name_equal(&name, &set->name);
}

bool convert_zone_changes(struct convert *convert, const struct convert_set *set)
{
	struct zone_match match = { .apex_labels = 0 };
	struct name zone;

	zones_match_served(convert->zones, &set->name, &match);
	name_strip(&zone, &set->name, set->name.labels - (unsigned)match.apex_labels);
	if (convert->has_zone && name_equal(&zone, &convert->zone))
		return false;
	convert->zone = zone;
	convert->has_zone = true;
	return true;
}

void convert_leave_out(struct convert *convert, const struct convert_set *set, const char *why)
{
	char type[TYPE_TEXT_MAX], *data;
	struct node_rrset rrset;
	size_t i;

	type_to_text(set->type, type);
	node_find(set->node, set->type, &rrset);
	complain(convert->complaints, COMPLAINT_ERROR,
		 node_record_path(convert->table, set->node, &rrset, &set->record[0]),
		 set->record[0].line, 0, "%s %s is left out: %s", set->owner, type, why);
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		if (data)
			fprintf(convert->out, "%s left out: %s%s %u IN %s %s\n", convert->comment,
				set->owner, set->name.labels ? "." : "", set->ttl, type, data);
		free(data);
	}
}

bool convert_follow(const struct convert *convert, const struct convert_set *cname,
		    struct convert_target *ret)
{
	struct convert_target target = { .ttl = cname->ttl, .exact = true };
	struct node_record record = cname->record[0];
	struct node_rrset rrset;
	struct table_hit hit;
	struct name name;
	size_t at;
	int links;

	for (links = 0; links < LINKS_MAX; links++) {
		if (name_from_wire(&name, record.rdata, record.rdata_len) < 0)
			return false;
		table_lookup(convert->table, &name, &hit);
		if (hit.match != TABLE_HELD && hit.match != TABLE_ALIAS)
			return false;
		target.node = hit.node;
		target.exact &= !hit.wildcard;
		if (node_ttl(hit.node) < target.ttl)
			target.ttl = node_ttl(hit.node);
		if (!node_find(hit.node, TYPE_CNAME, &rrset)) {
			if (!node_find(hit.node, TYPE_A, &rrset) &&
			    !node_find(hit.node, TYPE_AAAA, &rrset))
				return false;
			*ret = target;
			return true;
		}
		at = 0;
		node_record_next(&rrset, &at, &record);
	}
	return false;
}

/* ---- the walk -------------------------------------------------------------------------------- */

struct held {
	const struct node *node;
	uint8_t *wire; /* of its name */
};

struct held_list {
	struct held *held;
	size_t count;
};

static int compare_names(const void *a, const void *b)
{
	const struct held *left = a, *right = b;

	return name_wire_compare(left->wire, right->wire);
}

static int gather(struct held_list *list, const struct table *table)
{
	const struct node *node;
	struct name name;
	struct held *held;
	size_t at = 0;

	list->held = calloc(table_names(table) + 1, sizeof(*list->held));
	if (!list->held)
		return -1;
	while ((node = table_next(table, &at)) && list->count < table_names(table)) {
		held = &list->held[list->count];
		node_name(table, node, &name);
		held->node = node;
		held->wire = malloc(name.len);
		if (!held->wire)
			return -1;
		memcpy(held->wire, name.wire, name.len);
		list->count++;
	}
	qsort(list->held, list->count, sizeof(*list->held), compare_names);
	return 0;
}

/* The set of the lowest type above `after`; types are few, and stand in the order of the file. */
static bool next_set(const struct node *node, int after, struct node_rrset *ret)
{
	struct node_rrset rrset;
	bool found = false;
	size_t at = 0;

	while (node_next(node, &at, &rrset)) {
		if (rrset.type <= after || (found && rrset.type >= ret->type))
			continue;
		*ret = rrset;
		found = true;
	}
	return found;
}

static void walk(struct convert *convert, const struct held_list *list, struct convert_set *set,
		 convert_set_fn *write)
{
	struct node_rrset rrset;
	int type;
	size_t i;

	convert->has_zone = false;
	for (i = 0; i < list->count; i++) {
		set->node = list->held[i].node;
		if (name_from_wire(&set->name, list->held[i].wire, NAME_WIRE_MAX) < 0)
			continue;
		name_to_text(set->name.wire, set->owner);
		set->wildcard = set->name.wire[0] == 1 && set->name.wire[1] == '*';
		set->first = true;
		for (type = -1; next_set(set->node, type, &rrset); type = rrset.type) {
			fill_set(set, &rrset);
			write(convert, set);
			set->first = false;
		}
	}
}

/*
 * A path within a comment: blanks and what is not printable ASCII as \ooo. So it stays one line,
 * and no reader takes it for one of the comments that have a meaning in zone files.
 */
static void write_path(FILE *out, const char *path)
{
	const unsigned char *s;

	for (s = (const unsigned char *)path; *s; s++) {
		if (*s > 0x20 && *s < 0x7f && *s != '\\')
			fputc(*s, out);
		else
			fprintf(out, "\\%03o", *s);
	}
	fputc('\n', out);
}

static void write_all(struct convert *convert, const struct convert_format *format,
		      const struct sources *sources)
{
	struct convert_set *set = calloc(1, sizeof(*set));
	struct held_list list = { .count = 0 };
	size_t i;

	fprintf(convert->out, "%s Made by privlinkctl convert --to %s from\n", convert->comment,
		convert->format);
	for (i = 0; i < sources_count(sources); i++) {
		fprintf(convert->out, "%s   ", convert->comment);
		write_path(convert->out, sources_status(sources, i)->path);
	}
	if (!set || gather(&list, convert->table) < 0)
		convert->no_memory = true;
	if (format->begin)
		format->begin(convert);
	for (i = 0; i < CONVERT_PASSES_MAX && format->pass[i] && !convert->no_memory; i++)
		walk(convert, &list, set, format->pass[i]);
	for (i = 0; i < list.count; i++)
		free(list.held[i].wire);
	free(list.held);
	free(set);
}

/* ---- the command ----------------------------------------------------------------------------- */

struct request {
	const struct convert_format *format;
	const char *preset;
	const struct source_conf *source;
	size_t count;
};

static void print_complaint(void *arg, const struct complaint *complaint)
{
	(void)arg;
	complaint_print(stderr, complaint);
}

/* Reads, merges, writes. -1 with *err where there is nothing to write from. */
static int convert_sources(const struct request *request, struct complaints *complaints,
			   struct err *err)
{
	struct load_conf load = { .sources = request->source,
				  .count = request->count,
				  .ttl_max = INT32_MAX,
				  .max_shrink = 100 };
	struct table_conf table_conf = { .conflict = TABLE_CONFLICT_FIRST };
	struct convert convert = { .out = stdout,
				   .complaints = complaints,
				   .comment = request->format->comment,
				   .format = request->format->name };
	struct sources *sources = sources_new();
	struct zones *zones = zones_new();
	struct record_set *const *sets;
	struct table *table = NULL;
	size_t count;
	int failed = -1;

	err_set(err, "out of memory");
	if (!sources || !zones ||
	    zones_add_preset(zones, request->preset, ZONE_TRANSPARENT, err) < 0 ||
	    zones_seal(zones, err) < 0 || sources_load(sources, &load, zones, complaints, err) < 0)
		goto done;
	count = sources_sets(sources, &sets);
	table = table_new(zones, sets, count, &table_conf, complaints);
	if (!table)
		goto done;
	convert.table = table;
	convert.zones = zones;
	write_all(&convert, request->format, sources);
	if (convert.no_memory)
		goto done;
	failed = fflush(stdout) != 0 || ferror(stdout)
			 ? err_set(err, "standard output: %s; what was written is not whole",
				   strerror(errno))
			 : 0;
done:
	table_free(table);
	sources_free(sources);
	zones_free(zones);
	return failed;
}

static const struct convert_format *find_format(const char *word)
{
	const char *names[FORMATS];

	if (!word) {
		file_args_bad("convert", "--to FORMAT is wanted", "", NULL, 0);
		return NULL;
	}
	for (size_t i = 0; i < FORMATS; i++) {
		names[i] = formats[i]->name;
		if (strcmp(names[i], word) == 0)
			return formats[i];
	}
	file_args_bad("convert", "no such format: ", word, NULL, 0);
	file_args_bad("convert", "the formats are", "", names, FORMATS);
	return NULL;
}

/* -1: bad usage, which is told. */
static int read_request(struct request *request, struct source_conf *sources, int count,
			char **args)
{
	struct file_args read;

	if (file_args_read(&read, "convert", true, count, args) < 0)
		return -1;
	*request = (struct request){ .format = find_format(read.to),
				     .preset = read.preset,
				     .source = sources,
				     .count = read.count };
	for (size_t i = 0; i < read.count; i++)
		sources[i] = (struct source_conf){ .path = read.path[i],
						   .zone = read.zone,
						   .ttl = RECORD_TTL_DEFAULT };
	return request->format ? 0 : -1;
}

int convert_run(bool json, int count, char **args)
{
	struct complaints complaints = { .tell = print_complaint };
	struct source_conf *sources = calloc((size_t)count + 1, sizeof(*sources));
	struct request request;
	struct err err;
	int code = 2;

	if (!sources) {
		fputs("privlinkctl: out of memory\n", stderr);
		return 1;
	}
	if (json) {
		file_args_bad("convert", "writes what --to says; leave -j out", "", NULL, 0);
	} else if (read_request(&request, sources, count, args) == 0) {
		code = 1;
		if (convert_sources(&request, &complaints, &err) < 0)
			fprintf(stderr, "privlinkctl: %s\n", err.text);
		else
			code = complaints.errors ? 1 : 0;
		complaints_end(&complaints, NULL);
	}
	free(sources);
	return code;
}
