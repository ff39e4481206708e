/* SPDX-License-Identifier: MIT */
/*
 * What every reader of record files gets and gives: one file's text in, records into a builder,
 * complaints about the rest.
 *
 * A reader is a plain function over text. It opens nothing, knows no other file and keeps nothing.
 * It reads to the end whatever it meets: each bad line is one complaint with its place, each good
 * one a record. Whether the result may be used is decided by source/load from the count of errors.
 * Time is linear in the length of the text. One thread.
 */
#ifndef PRIVLINKD_SOURCE_READER_H
#define PRIVLINKD_SOURCE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "wire/name.h"
#include "zone/builder.h"

struct reader_input {
	const char *path; /* for complaints */
	const char *text; /* from text_decode: no BOM, LF alone ends a line, no NUL inside */
	size_t len;       /* octets; text[len] is NUL */
	const struct name *origin; /* for relative names where the file has no origin; NULL: none */
	uint32_t ttl;              /* seconds, where the file has none */
};

typedef void reader_fn(const struct reader_input *in, struct builder *builder,
		       struct complaints *to);

#endif
