/* SPDX-License-Identifier: MIT */
/*
 * A record set as octets, for keeping the last good one of a source file on disk.
 *
 * All numbers are in network byte order:
 *
 *     "privlink"                       8 octets
 *     version                          2: STATE_VERSION
 *     taken                            8: when the source was read, seconds since 1970
 *     format                           1: enum source_format
 *     entry, path                      each 2 for its length, and the octets
 *     RRsets, until the checksum:
 *         owner                        wire name, uncompressed, as it is held
 *         type, ttl, count             2, 4, 2
 *         count records: line, length  4, 2, and the data, uncompressed
 *     checksum                         32: SHA-256 of everything before it
 *
 * Reading trusts nothing: it goes through wire/cursor and zone/builder, so octets that somebody
 * made up can at worst become records. Pure but for the sink; one thread.
 */
#ifndef PRIVLINKD_SOURCE_STATE_H
#define PRIVLINKD_SOURCE_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "source/detect.h"
#include "zone/builder.h"
#include "zone/names.h"

#define STATE_VERSION 1
#define STATE_CHECKSUM_LEN 32
/*
 * Octets of a file. A source of SOURCE_FILE_MAX octets becomes about as many; one of very short
 * lines under a long origin grows, and past this it is kept in memory alone.
 */
#define STATE_FILE_MAX ((size_t)1 << 30)
/* Octets of a path: PATH_MAX. */
#define STATE_PATH_MAX 4096
/* Octets from the start that hold everything before the RRsets. */
#define STATE_HEAD_MAX (8 + 2 + 8 + 1 + 2 * (2 + STATE_PATH_MAX))

struct state_head {
	time_t taken;
	enum source_format format;
	/* Of the octets' own, or the caller's; not NUL-terminated when read. */
	const char *entry, *path;
	size_t entry_len, path_len;
};

/* Takes `len` octets; -1 ends the writing. */
typedef int state_sink_fn(void *arg, const uint8_t *octets, size_t len);

/*
 * Writes a set, in pieces, the checksum as one piece of its own at the end. `set` NULL: none. -1 if
 * the sink said so, if there is no memory, or past STATE_FILE_MAX, with the text.
 */
int state_write(const struct state_head *head, const struct record_set *set, state_sink_fn *sink,
		void *arg, struct err *err);

/*
 * The head of a file of which `octets` are the first (all, or STATE_HEAD_MAX). The checksum is not
 * looked at. -1 if it is none, or of another version.
 */
int state_read_head(const uint8_t *octets, size_t len, struct state_head *ret, struct err *err);

/*
 * A whole file to a set with one reference. `conf` gives the path of the set and the bounds of
 * TTLs; records that the zone table of today refuses are left out. NULL with the text: damaged,
 * another version, nothing left, or no memory.
 */
struct record_set *state_read(const uint8_t *octets, size_t len, const struct zones *zones,
			      const struct builder_conf *conf, struct state_head *ret_head,
			      struct err *err);

/* The same records under another zone table; NULL when there is no memory or nothing is left. */
struct record_set *state_convert(const struct record_set *set, const struct zones *zones,
				 const struct builder_conf *conf);

#endif
