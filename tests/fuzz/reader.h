/* SPDX-License-Identifier: MIT */
/*
 * What the targets for record files share: octets are decoded in blocks of some size, looked at,
 * read by one reader into a builder that serves the zones of a migration. What came of it is put
 * into one number: whatever the size of the blocks, and by a quick way or a slow one, it has to be
 * the same.
 */
#ifndef PRIVLINKD_FUZZ_READER_H
#define PRIVLINKD_FUZZ_READER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "source/detect.h"
#include "source/reader.h"
#include "zone/builder.h"
#include "zone/names.h"
#include "zone/table.h"

/* `arg` is the number so far. */
static void fuzz_tell(void *arg, const struct complaint *complaint)
{
	uint64_t *sum = arg;

	if (!*complaint->text)
		abort();
	*sum = hash_join(*sum, hash_bytes(complaint->text, strlen(complaint->text)));
}

/* Names, types, TTLs, data and lines. */
static inline uint64_t fuzz_sum_set(const struct record_set *set, uint64_t sum)
{
	const struct node *node = NULL;
	void *walk = NULL;

	while ((node = record_set_next(set, &walk, node))) {
		struct node_rrset rrset;
		struct name name;
		size_t at = 0;

		record_set_name(set, node, &name);
		sum = hash_join(sum, hash_bytes(name.wire, name.len));
		while (node_next(node, &at, &rrset)) {
			struct node_record record;
			size_t record_at = 0;

			sum = hash_join(sum, (uint64_t)rrset.type << 32 | rrset.ttl);
			while (node_record_next(&rrset, &record_at, &record))
				sum = hash_join(hash_join(sum, record.line),
						hash_bytes(record.rdata, record.rdata_len));
		}
	}
	return sum;
}

/* How much is read at a time: told by the input, so that a seed keeps its path. */
static inline size_t fuzz_block(const uint8_t *data, size_t len)
{
	static const size_t blocks[] = { 0, 1, 2, 3, 7, 61, 4096 };

	return blocks[(len / 2 + (len ? data[len / 2] : 0)) % (sizeof(blocks) / sizeof(*blocks))];
}

static inline uint64_t fuzz_read(reader_fn *reader, bool lines_are_claims, const uint8_t *data,
				 size_t len, size_t block)
{
	static struct zones *zones;
	static struct name origin;
	uint64_t sum = 0;
	struct complaints to = { .tell = fuzz_tell, .arg = &sum };
	struct builder_conf conf = { .path = "fuzz",
				     .ttl_max = 86400,
				     .records_max = 100000,
				     .lines_are_claims = lines_are_claims };
	struct reader_input in = { .path = "fuzz", .ttl = 10 };
	struct record_set *set;
	struct builder *builder;
	size_t head;

	if (!zones) {
		zones = zones_new();
		if (!zones ||
		    zones_add_preset(zones, "azure-migrate", ZONE_TRANSPARENT, NULL) < 0 ||
		    zones_seal(zones, NULL) < 0 ||
		    name_from_text(&origin, "privatelink.blob.core.windows.net", 33) < 0)
			abort();
	}
	/* Both ways of relative names: told by the input, too. */
	if (len % 2)
		in.origin = &origin;
	in.text = text_from_memory(data, len);
	if (!in.text)
		abort();
	text_set_block(in.text, block);
	if (text_survey(in.text, "fuzz", &to, NULL) < 0)
		abort();
	head = text_fill(in.text, DETECT_HEAD_MAX);
	detect_format(in.text->at, head, head == text_length(in.text));
	builder = builder_new(zones, &conf, &to);
	if (!builder)
		abort();
	reader(&in, builder, &to);
	set = builder_finish(builder);
	if (set)
		sum = fuzz_sum_set(set, sum);
	record_set_unref(set);
	builder_free(builder);
	text_close(in.text);
	return hash_join(sum, to.errors << 32 | to.warnings);
}

static inline void fuzz_reader(reader_fn *reader, bool lines_are_claims, const uint8_t *data,
			       size_t len)
{
	size_t block = fuzz_block(data, len);
	uint64_t sum = fuzz_read(reader, lines_are_claims, data, len, block);

	if (block && fuzz_read(reader, lines_are_claims, data, len, 0) != sum)
		abort();
}

#endif
