/* SPDX-License-Identifier: MIT */
/*
 * Text in, records and complaints out as text: what the tests of the readers compare.
 *
 * Records are taken from the finished set by way of a table, each as `name ttl TYPE data line`,
 * sorted. Data is text for addresses and names, hexadecimal for all else.
 */
#ifndef PRIVLINKD_UNIT_RECORDS_H
#define PRIVLINKD_UNIT_RECORDS_H

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/detect.h"
#include "source/reader.h"
#include "unit/unit.h"
#include "wire/types.h"
#include "zone/table.h"

#define RECORDS_MAX 200
#define RECORDS_TEXT_MAX 65536

struct read_result {
	size_t errors, warnings;
	char complaints[RECORDS_TEXT_MAX]; /* each `E text` or `W text` and a newline */
	char records[RECORDS_TEXT_MAX];
};

/* Calls back with each seed of a fuzz target, with a NUL behind its octets; `text` may change. */
static inline void records_seeds(const char *target, void (*each)(char *text, size_t len))
{
	static char path[4096], text[RECORDS_TEXT_MAX];
	const char *top = getenv("abs_top_srcdir");
	struct dirent *entry;
	unsigned count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s", top ? top : ".", target);
	folder = opendir(path);
	ck_assert_msg(folder != NULL, "cannot open %s", path);
	while ((entry = readdir(folder))) {
		FILE *file;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s/%s", top ? top : ".", target,
			 entry->d_name);
		file = fopen(path, "rb");
		ck_assert_ptr_nonnull(file);
		len = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[len] = '\0';
		each(text, len);
		count++;
	}
	closedir(folder);
	ck_assert_uint_ge(count, 10);
}

static void result_tell(void *arg, const struct complaint *complaint)
{
	struct read_result *result = arg;
	size_t len = strlen(result->complaints);

	snprintf(result->complaints + len, sizeof(result->complaints) - len, "%c %s\n",
		 complaint->level == COMPLAINT_ERROR ? 'E' : 'W', complaint->text);
}

static inline struct zones *records_zones(void)
{
	struct zones *zones = zones_new();

	ck_assert_ptr_nonnull(zones);
	ck_assert_int_eq(zones_add_preset(zones, "azure-migrate", ZONE_TRANSPARENT, NULL), 0);
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	return zones;
}

static inline void record_text(char *out, size_t room, const char *owner, uint16_t type,
			       uint32_t ttl, const struct node_record *record)
{
	char data[NAME_TEXT_MAX] = "", name[32];
	int at = 0;

	type_to_text(type, name);
	if (type == TYPE_A)
		inet_ntop(AF_INET, record->rdata, data, sizeof(data));
	else if (type == TYPE_AAAA)
		inet_ntop(AF_INET6, record->rdata, data, sizeof(data));
	else if (type == TYPE_CNAME)
		name_to_text(record->rdata, data);
	else
		for (size_t i = 0; i < record->rdata_len && i < 200; i++)
			at += sprintf(data + at, "%02x", record->rdata[i]);
	snprintf(out, room, "%s %u %s %s %u\n", owner, ttl, name, data, record->line);
}

static inline int record_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All records of the sets, sorted, into `out`. */
static inline void records_write(const struct zones *zones, struct record_set *const *sets,
				 size_t count, char out[RECORDS_TEXT_MAX])
{
	struct table_conf conf = { .conflict = TABLE_CONFLICT_MERGE };
	struct complaints to = { 0 };
	struct table *table = table_new(zones, sets, count, &conf, &to);
	const struct node *node;
	char *line[RECORDS_MAX];
	size_t lines = 0, at = 0;

	ck_assert_ptr_nonnull(table);
	out[0] = '\0';
	while ((node = table_next(table, &at))) {
		struct node_rrset rrset;
		struct name name;
		char owner[NAME_TEXT_MAX];
		size_t set_at = 0;

		node_name(table, node, &name);
		name_to_text(name.wire, owner);
		while (node_next(node, &set_at, &rrset)) {
			struct node_record record;
			size_t record_at = 0;

			while (lines < RECORDS_MAX &&
			       node_record_next(&rrset, &record_at, &record)) {
				line[lines] = malloc(4 * NAME_TEXT_MAX);
				record_text(line[lines++], 4 * NAME_TEXT_MAX, owner, rrset.type,
					    rrset.ttl, &record);
			}
		}
	}
	qsort(line, lines, sizeof(*line), record_compare);
	for (size_t i = 0; i < lines; i++) {
		strncat(out, line[i], RECORDS_TEXT_MAX - strlen(out) - 1);
		free(line[i]);
	}
	table_free(table);
}

/* A text of the tests as a stream that reads so many octets at a time (text_set_block). */
static inline struct text *records_stream(const char *octets, size_t len, size_t block)
{
	struct text *text = text_from_memory((const uint8_t *)octets, len);
	struct complaints to = { 0 };

	ck_assert_ptr_nonnull(text);
	text_set_block(text, block);
	ck_assert_int_eq(text_survey(text, "f", &to, NULL), 0);
	return text;
}

static inline void read_in_blocks(reader_fn *reader, bool lines_are_claims, const char *text,
				  const char *origin_text, size_t block, struct read_result *ret)
{
	struct zones *zones = records_zones();
	struct complaints to = { .tell = result_tell, .arg = ret };
	struct builder_conf conf = { .path = "f",
				     .ttl_max = 86400,
				     .lines_are_claims = lines_are_claims };
	struct reader_input in = { .path = "f", .ttl = 10 };
	struct builder *builder = builder_new(zones, &conf, &to);
	struct record_set *set;
	struct name origin;

	memset(ret, 0, sizeof(*ret));
	ck_assert_ptr_nonnull(builder);
	if (origin_text) {
		ck_assert_int_eq(name_from_text(&origin, origin_text, strlen(origin_text)), 0);
		in.origin = &origin;
	}
	in.text = records_stream(text, strlen(text), block);
	reader(&in, builder, &to);
	text_close(in.text);
	builder_settle(builder);
	ret->errors = to.errors;
	ret->warnings = to.warnings;
	set = builder_finish(builder);
	ck_assert_ptr_nonnull(set);
	builder_free(builder);
	records_write(zones, &set, 1, ret->records);
	record_set_unref(set);
	zones_free(zones);
}

/* Octets up to which a text is also read in small blocks. */
#define RECORDS_BLOCKS_TEXT_MAX 20000

/*
 * Reads `text` under the path `f`, in one piece and in blocks of odd sizes, which has to come to
 * the same. The result is static: valid until the next call.
 */
static inline const struct read_result *read_records(reader_fn *reader, bool lines_are_claims,
						     const char *text, const char *origin_text)
{
	static const size_t blocks[] = { 1, 2, 3, 7, 4096 };
	static struct read_result result, other;

	read_in_blocks(reader, lines_are_claims, text, origin_text, 0, &result);
	for (size_t i = strlen(text) > RECORDS_BLOCKS_TEXT_MAX ? 4 : 0;
	     i < sizeof(blocks) / sizeof(*blocks); i++) {
		read_in_blocks(reader, lines_are_claims, text, origin_text, blocks[i], &other);
		ck_assert_str_eq(other.complaints, result.complaints);
		ck_assert_str_eq(other.records, result.records);
		ck_assert_uint_eq(other.errors, result.errors);
	}
	return &result;
}

enum records_encoding {
	RECORDS_UTF8,
	RECORDS_BOM,
	RECORDS_UTF16LE,
	RECORDS_UTF16BE,
	RECORDS_ENCODINGS,
};

/* ASCII with LF in another encoding, with CR LF if asked; returns the octets written. */
static inline size_t records_encode(const char *text, enum records_encoding encoding, bool crlf,
				    uint8_t out[2 * RECORDS_TEXT_MAX])
{
	static const char *const marks[] = { "", "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff" };
	size_t len = strlen(marks[encoding]);

	memcpy(out, marks[encoding], len);
	for (bool cr = false; *text; text += !cr) {
		cr = crlf && *text == '\n' && !cr;
		if (encoding == RECORDS_UTF16BE)
			out[len++] = 0;
		out[len++] = cr ? '\r' : (uint8_t)*text;
		if (encoding == RECORDS_UTF16LE)
			out[len++] = 0;
	}
	return len;
}

/* The text of tests/data/records/NAME, decoded; the caller frees it. */
static inline char *records_fixture(const char *name)
{
	const char *top = getenv("abs_top_srcdir");
	struct complaints to = { 0 };
	static uint8_t data[RECORDS_TEXT_MAX];
	char path[4096], *text;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/data/records/%s", top ? top : ".", name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	ck_assert_int_eq(text_decode(path, data, len, &to, &text, &len), 0);
	return text;
}

#endif
