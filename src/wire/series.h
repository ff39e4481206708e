/* SPDX-License-Identifier: MIT */
/*
 * Names that are read from text one after the other, as from a file. Most differ from the one
 * before in their first label alone, and all that is behind it need not be read again.
 *
 * Whoever reads a name the long way, into `name`, notes the text; of the next text name_series_head
 * tells whether it goes on like that, and name_series_put makes the name of it. What texts mean
 * (which octets they may hold, which are relative) stays with whoever reads them. Pure; one thread
 * an object.
 */
#ifndef PRIVLINKD_WIRE_SERIES_H
#define PRIVLINKD_WIRE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/name.h"

/* Zeroed to begin; who changes `name` otherwise than by name_series_put sets `noted` to false. */
struct name_series {
	struct name name;   /* the last one */
	bool noted;         /* what follows is of it: */
	uint8_t origin_len; /* octets of the origin that was put behind its text; 0: none was */
	uint8_t tail_len;
	char tail[NAME_WIRE_MAX]; /* its text from the first dot on */
};

/*
 * `name` was read from this text, with `origin` behind it where that is not NULL. Texts of which
 * the next cannot be told from this one are not noted: the root, `@`, an escape in the first label.
 */
void name_series_note(struct name_series *series, const char *text, size_t len,
		      const struct name *origin);

/*
 * So many octets of the text stand before what was noted, which with this origin (or without one)
 * means the same; 0: none do, or it does not. They are the text's first label if they mean
 * themselves: no dot, no backslash, no `@` for the origin. That is the caller's to find out.
 */
static inline size_t name_series_head(const struct name_series *series, const char *text,
				      size_t len, const struct name *origin)
{
	const struct name *name = &series->name;

	if (!series->noted || len <= series->tail_len ||
	    series->origin_len != (origin ? origin->len : 0) ||
	    memcmp(text + len - series->tail_len, series->tail, series->tail_len) != 0 ||
	    (origin &&
	     memcmp(name->wire + name->len - origin->len, origin->wire, origin->len) != 0))
		return 0;
	return len - series->tail_len;
}

/*
 * Makes `name` the one of that text, by its first label. -1: it would be none, and is as it was.
 */
static inline int name_series_put(struct name_series *series, const char *label, size_t len)
{
	return name_relabel(&series->name, (const uint8_t *)label, len);
}

#endif
