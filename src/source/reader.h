/* SPDX-License-Identifier: MIT */
/*
 * What every reader of record files gets and gives: one file's text in, records into a builder,
 * complaints about the rest.
 *
 * A reader is a plain function over a stream of text. It opens nothing, knows no other file and
 * keeps nothing. It reads to the end whatever it meets: each bad line is one complaint with its
 * place, each good one a record. Whether the result may be used is decided by source/load from the
 * count of errors. Time is linear in the length of the text, memory does not grow with it: only
 * what goes to the builder does. One thread.
 */
#ifndef PRIVLINKD_SOURCE_READER_H
#define PRIVLINKD_SOURCE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "source/text.h"
#include "wire/name.h"
#include "zone/builder.h"

struct reader_input {
	const char *path;          /* for complaints */
	struct text *text;         /* surveyed, at its start; the reader leaves it anywhere */
	const struct name *origin; /* for relative names where the file has no origin; NULL: none */
	uint32_t ttl;              /* seconds, where the file has none */
};

typedef void reader_fn(const struct reader_input *in, struct builder *builder,
		       struct complaints *to);

#endif
