/* SPDX-License-Identifier: MIT */
/*
 * From the text of a file to the format it is in.
 *
 * Formats are found by content, never by the file's name: exports arrive under any name. Pure.
 */
#ifndef PRIVLINKD_SOURCE_DETECT_H
#define PRIVLINKD_SOURCE_DETECT_H

#include <stdbool.h>
#include <stddef.h>

#include "source/text.h"

enum source_format {
	SOURCE_AUTO, /* in a configuration: find out. From detect_format: it cannot be told */
	SOURCE_HOSTS,
	SOURCE_ZONE,
	SOURCE_YAML,
	SOURCE_CSV,
	SOURCE_AZURE,
	SOURCE_PASTE, /* the portal's DNS configuration page, copied: recognised, never read */
	SOURCE_EMPTY, /* blank lines and comments alone */
};

/* `auto`, `hosts`, `zone`, `yaml`, `csv`, `azure`; for lists and status. */
const char *source_format_name(enum source_format format);
/* The value of `format:` in a configuration. -1 if it is none. */
int source_format_parse(const char *text, enum source_format *ret);
/* Has this version a reader for it? */
bool source_format_readable(enum source_format format);

/* Octets of a text that are looked at: 2,000 lines of a licence. */
#define DETECT_HEAD_MAX TEXT_WINDOW

/*
 * What decoded text is, told by its head: `whole` if that is all of it. Never SOURCE_AUTO's meaning
 * of "find out": that is "cannot be told" here.
 */
enum source_format detect_format(const char *text, size_t len, bool whole);

#endif
