/* SPDX-License-Identifier: MIT */
/*
 * Names that nobody asks for but our own probes: `loop-probe-SS-<128 random bits>.zone`.
 *
 * SS is the slot, so that a name is found without a search; the random bits, which only those see
 * through whom the probe goes, tell it from what anybody could make up. Slots are taken and given
 * back under the caller's lock; whether a name is one of ours is asked without.
 */
#ifndef PRIVLINKD_FORWARD_LOOPNAMES_H
#define PRIVLINKD_FORWARD_LOOPNAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"

/* Known at once; two hexadecimal digits. */
#define LOOPNAMES_MAX 256
#define LOOPNAMES_NONE UINT32_MAX

struct loopnames {
	uint32_t next; /* where to look for a free one */
	struct {
		_Atomic uint64_t random[2]; /* both 0: not in use */
		uint64_t pair;              /* the caller's */
		uint64_t until_ms;
		bool waiting;  /* for its answer: in use beyond until_ms too */
		bool returned; /* the caller's */
	} slot[LOOPNAMES_MAX];
};

/*
 * A new name below this zone (a wire name), known until `until_ms` and as long as `waiting` is
 * set, as it is now. LOOPNAMES_NONE: no slot is free, or the name would be too long.
 */
uint32_t loopnames_take(struct loopnames *names, const uint8_t *zone, uint64_t pair,
			uint64_t now_ms, uint64_t until_ms, struct name *ret);

/* Is a zone of so many octets too long for a name below it? */
bool loopnames_is_too_long(size_t zone_len);

/*
 * The slot that this name has, or LOOPNAMES_NONE. Any thread. It is found, and no name of anybody
 * else's, until another takes the slot; but by then it may be in logs, for everybody to ask for.
 */
uint32_t loopnames_find(const struct loopnames *names, const struct name *name);

/* Is it known, so that it proves something? */
bool loopnames_is_known(const struct loopnames *names, uint32_t i, uint64_t now_ms);

#endif
