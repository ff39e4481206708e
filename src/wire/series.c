/* SPDX-License-Identifier: MIT */
/*
 * The text behind the first label is kept as it was written, so that nothing need be known of how
 * texts are read: the same octets behind a label of plain ones mean the same labels. Only where the
 * first label of the text is not the first of the name, or the name is the origin itself, would
 * that be wrong; those are not noted. An origin is known again by its octets, since it may change
 * in its place.
 *
 * Refused: keeping several tails. Exports go zone by zone.
 */
#include "wire/series.h"

#include <string.h>

void name_series_note(struct name_series *series, const char *text, size_t len,
		      const struct name *origin)
{
	const char *dot = memchr(text, '.', len);
	size_t label = dot ? (size_t)(dot - text) : len, tail = len - label;
	const struct name *name = &series->name;

	series->noted = label && label == name->wire[0] && tail <= sizeof(series->tail) &&
			memcmp(name->wire + 1, text, label) == 0 &&
			(!origin || label + 1 + origin->len <= name->len);
	if (!series->noted)
		return;
	series->origin_len = origin ? origin->len : 0;
	series->tail_len = (uint8_t)tail;
	memcpy(series->tail, text + label, tail);
}
