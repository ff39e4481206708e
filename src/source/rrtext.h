/* SPDX-License-Identifier: MIT */
/*
 * One record in presentation format (RFC 1035 5.1, RFC 3597 5) to wire format.
 *
 * Takes entries as source/rrlex makes them. Any type that ldns knows and TYPE1234. One thread an
 * object.
 */
#ifndef PRIVLINKD_SOURCE_RRTEXT_H
#define PRIVLINKD_SOURCE_RRTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "source/rrlex.h"
#include "source/rrline.h"
#include "wire/name.h"
#include "wire/series.h"

struct rrtext;

/* NULL when there is no memory. */
struct rrtext *rrtext_new(void);
void rrtext_free(struct rrtext *rr);

/* What relative names end in; NULL: there is none, relative names are errors. Copied. */
void rrtext_set_origin(struct rrtext *rr, const struct name *origin);
const struct name *rrtext_origin(const struct rrtext *rr);

/*
 * A name: absolute, relative to the origin, or `@`. `err` says why not, without path and line; then
 * *ret holds scraps.
 */
int rrtext_name(const struct rrtext *rr, const struct rrword *word, struct name *ret,
		struct err *err);

/*
 * The same of a word of plain octets (source/rrline) into `series->name`, quicker where it is like
 * the one before.
 */
int rrtext_next_name(const struct rrtext *rr, const struct rrword *word,
		     struct name_series *series);

/*
 * The data of a plain record, in `record` or, of a CNAME, in *target, which must stay as long as
 * *ret. -1: its target is no name here.
 */
int rrtext_plain_data(const struct rrtext *rr, const struct rrline *record, struct name *target,
		      const uint8_t **ret, size_t *ret_len);

struct rrtext_record {
	uint16_t type;
	bool has_ttl;
	uint32_t ttl;         /* where has_ttl */
	const uint8_t *rdata; /* uncompressed; valid until the next call */
	size_t rdata_len;
};

/* All behind the owner: `[AGE:n] [ttl] [class] type data`, NUL-terminated. Class IN alone. */
int rrtext_read(struct rrtext *rr, const char *text, struct rrtext_record *ret, struct err *err);

#endif
