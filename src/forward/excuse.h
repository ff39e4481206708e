/* SPDX-License-Identifier: MIT */
/*
 * What a question is ended with when nobody answers it with sense: the most telling of what came.
 *
 * Pure. One thread.
 */
#ifndef PRIVLINKD_FORWARD_EXCUSE_H
#define PRIVLINKD_FORWARD_EXCUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "forward/pending.h"
#include "forward/reply.h"

/* How telling it is. */
enum excuse_telling {
	EXCUSE_NONE,    /* nobody said anything */
	EXCUSE_FAILURE, /* SERVFAIL or the like */
	EXCUSE_CHAIN,   /* the same behind a chain of CNAMEs: a held name may stand in it */
};

struct excuse {
	uint8_t *room; /* STORE_SMALL_LEN octets, the caller's: the bad answer */
	struct reply_cut best;
	enum excuse_telling telling;
	/* what else there was: somebody out of reach, somebody silent, our own want */
	bool unreachable, silent, no_room;
};

void excuse_begin(struct excuse *excuse, uint8_t *room);

/* A bad answer, its message in `data`: kept if it tells more than what there was. */
void excuse_take(struct excuse *excuse, const struct reply_cut *cut, const uint8_t *data);

/* With len 0 where there is no bad answer to give: the caller writes one of its own to `room`. */
struct pending_outcome excuse_outcome(const struct excuse *excuse);

#endif
