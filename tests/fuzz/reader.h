/* SPDX-License-Identifier: MIT */
/*
 * What the targets for record files share: octets are decoded in blocks of some size, looked at,
 * read by one reader into a builder that serves the zones of a migration. The set is made and
 * dropped again.
 */
#ifndef PRIVLINKD_FUZZ_READER_H
#define PRIVLINKD_FUZZ_READER_H

#include <stdint.h>
#include <stdlib.h>

#include "source/detect.h"
#include "source/reader.h"
#include "zone/builder.h"
#include "zone/names.h"

static void fuzz_tell(void *arg, const struct complaint *complaint)
{
	(void)arg;
	if (!*complaint->text)
		abort();
}

static inline void fuzz_reader(reader_fn *reader, bool lines_are_claims, const uint8_t *data,
			       size_t len)
{
	static struct zones *zones;
	static struct name origin;
	struct complaints to = { .tell = fuzz_tell };
	struct builder_conf conf = { .path = "fuzz",
				     .ttl_max = 86400,
				     .records_max = 100000,
				     .lines_are_claims = lines_are_claims };
	struct reader_input in = { .path = "fuzz", .ttl = 10 };
	static const size_t blocks[] = { 0, 1, 2, 3, 7, 61, 4096 };
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
	/*
	 * Both ways of relative names, and how much is read at a time: told by the input, so that a
	 * seed keeps its path.
	 */
	if (len % 2)
		in.origin = &origin;
	in.text = text_from_memory(data, len);
	if (!in.text)
		abort();
	text_set_block(
		in.text,
		blocks[(len / 2 + (len ? data[len / 2] : 0)) % (sizeof(blocks) / sizeof(*blocks))]);
	if (text_survey(in.text, "fuzz", &to, NULL) < 0)
		abort();
	head = text_fill(in.text, DETECT_HEAD_MAX);
	detect_format(in.text->at, head, head == text_length(in.text));
	builder = builder_new(zones, &conf, &to);
	if (!builder)
		abort();
	reader(&in, builder, &to);
	record_set_unref(builder_finish(builder));
	builder_free(builder);
	text_close(in.text);
}

#endif
