/* SPDX-License-Identifier: MIT */
/*
 * From the octets of a file to text, and from the text to the format it is in.
 *
 * Formats are found by content, never by the file's name: exports arrive under any name. Pure.
 */
#ifndef PRIVLINKD_SOURCE_DETECT_H
#define PRIVLINKD_SOURCE_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"

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

/*
 * UTF-8 with or without BOM, and UTF-16 of either order with BOM, become UTF-8 without BOM; CR LF
 * and lone CR become LF. Octets that are no UTF-8 are kept: they are harmless in comments, and
 * readers refuse them elsewhere. Before a NUL character or half a UTF-16 character, which are
 * complained of, the text ends with the last whole line. *ret_text is from malloc, *ret_len octets
 * and a NUL. -1 with a complaint when there is no memory.
 */
int text_decode(const char *path, const uint8_t *data, size_t len, struct complaints *to,
		char **ret_text, size_t *ret_len);

/*
 * What decoded text is. Never SOURCE_AUTO's meaning of "find out": that is "cannot be told" here.
 */
enum source_format detect_format(const char *text, size_t len);

#endif
