/* SPDX-License-Identifier: MIT */
/*
 * Domain names: on the wire, in text, and prepared for look-up.
 *
 * A *wire name* is uncompressed: length octets and labels up to the root's zero octet, at most 255
 * octets (RFC 1035 3.1). Case is kept and never counts (RFC 4343: A-Z alone fold).
 *
 * A *prepared name* carries beside its wire form the folded one, where each label begins, and the
 * hash of every suffix, taken once, root first. All look-ups (zones, records, wildcards, routes,
 * cache) use those. Everything here is pure; any thread.
 */
#ifndef PRIVLINKD_WIRE_NAME_H
#define PRIVLINKD_WIRE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "wire/cursor.h"

#define NAME_WIRE_MAX 255   /* octets, with the root's (RFC 1035 2.3.4) */
#define NAME_LABEL_MAX 63   /* octets of a label (RFC 1035 2.3.4) */
#define NAME_LABELS_MAX 127 /* 127 labels of one octet and the root fill 255 octets */
#define NAME_TEXT_MAX 1025  /* every octet escaped as \DDD, dots, NUL */

/* Not initialised beyond what the labels need: it is large and lives on the stack. */
struct name {
	uint8_t len;                     /* octets in wire and fold, with the root's */
	uint8_t labels;                  /* without the root */
	uint8_t wire[NAME_WIRE_MAX + 1]; /* as it came */
	uint8_t fold[NAME_WIRE_MAX + 1]; /* lower case */
	/* offset of the i-th label, leftmost first; at[labels] is the root */
	uint8_t at[NAME_LABELS_MAX + 1];
	uint64_t label_hash[NAME_LABELS_MAX]; /* of the i-th label folded, leftmost first */
	/* hash[k]: of the suffix of the last k labels; hash[0] the root's */
	uint64_t hash[NAME_LABELS_MAX + 1];
};

/* Lower case (RFC 4343 3): A-Z alone change. Length octets, all below 'A', do not. */
static inline uint8_t name_fold_octet(uint8_t octet)
{
	return (uint8_t)(octet - 'A') < 26 ? octet | 0x20 : octet;
}

/* The hash of a suffix with one more label before it: how hash[] is made. hash[0] is
 * NAME_ROOT_HASH. */
#define NAME_ROOT_HASH UINT64_C(0x6c62272e07bb0142)
static inline uint64_t name_hash_extend(uint64_t suffix_hash, uint64_t label_hash)
{
	return hash_join(suffix_hash, label_hash);
}

static inline uint64_t name_hash(const struct name *name)
{
	return name->hash[name->labels];
}

/*
 * Reads a name at the cursor, following compression pointers (RFC 1035 4.1.4) into the cursor's
 * data, which begins with a message's header: each must lead to before the part of the name that
 * it ends, and not into the header; at most NAME_LABELS_MAX + 1 are followed. The cursor moves
 * behind the name. Label types other than 00 and 11 are refused. 0, or -1 and `bad`; then *ret
 * holds scraps.
 */
int name_read(struct name *ret, struct cursor *message);

/* The same without preparation: the wire name into out, its length given back; 0 and `bad` on
 * failure. */
size_t name_read_wire(uint8_t out[NAME_WIRE_MAX], struct cursor *message);

/* Is the name at offset `at` of the message this wire name? Case ignored; nothing is copied. */
bool name_read_matches(const struct cursor *message, size_t at, const uint8_t *wire);

/* Prepares a wire name of exactly `len` octets (or fewer: it ends at its root). -1 if it is
 * none. */
int name_from_wire(struct name *ret, const uint8_t *wire, size_t len);

/*
 * From presentation format (RFC 1035 5.1, RFC 4343 2.1): \X, \DDD; a trailing dot is allowed and
 * means nothing: every name is absolute. "." is the root, "" is refused. Any octets but unescaped
 * dots are taken as they are. -1 if it is no name (empty label, label or name too long, bad
 * escape); then *ret holds scraps.
 */
int name_from_text(struct name *ret, const char *text, size_t len);

/*
 * To presentation format without trailing dot ("." for the root): \X for . \ " ; ( ) @ $, \DDD for
 * space and what is not printable ASCII. Returns the length.
 */
size_t name_to_text(const uint8_t *wire, char text[NAME_TEXT_MAX]);

/*
 * The leftmost `labels` labels of `left` put before all of `right`; hashes are joined, not taken
 * anew. `ret` is neither of them. -1 if longer than 255 octets.
 */
int name_join(struct name *ret, const struct name *left, unsigned labels, const struct name *right);

/*
 * Puts another label, of any octets, in the place of the leftmost, which there must be. -1 if it is
 * empty or too long, or the name would be; nothing has changed then.
 */
int name_relabel(struct name *name, const uint8_t *label, size_t len);

/* What is left without the leftmost `labels` labels. `ret` may be `name`. */
void name_strip(struct name *ret, const struct name *name, unsigned labels);

/* Is `suffix` the end of `name`, or the same name? */
bool name_ends_with(const struct name *name, const struct name *suffix);

bool name_equal(const struct name *a, const struct name *b);

/* Wire names, case ignored. */
bool name_wire_equal(const uint8_t *a, const uint8_t *b);

/* Is `suffix` the end of `name`, or the same name? Wire names, case ignored. */
bool name_wire_ends_with(const uint8_t *name, const uint8_t *suffix);

/* Octets of a well-formed wire name, with the root's. */
size_t name_wire_len(const uint8_t *wire);

/* Canonical order of wire names (RFC 4034 6.1): below, equal to or above 0. */
int name_wire_compare(const uint8_t *a, const uint8_t *b);

#endif
