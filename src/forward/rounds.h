/* SPDX-License-Identifier: MIT */
/*
 * Whom one question asks next: the members of its group in rounds, by policy and health.
 *
 * Pure but for the registry's health. One thread.
 */
#ifndef PRIVLINKD_FORWARD_ROUNDS_H
#define PRIVLINKD_FORWARD_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/upstream.h"

/*
 * An upstream that cannot be reached (ICMP, a connection refused or broken) is asked in so many
 * rounds: at 0, 0.4 and 1.2 s where it was never measured. That spans the restart of a name server,
 * and a question that all upstreams refuse still fails before clients ask anew or elsewhere.
 */
#define ROUNDS_REFUSED 3

struct rounds {
	uint16_t group;
	unsigned round;
	uint64_t ends_ms;    /* the time of the round's first query; 0: nobody was asked in it */
	uint32_t tried, bad; /* members: in this round; not to be asked again */
};

/* Members whose bit is set in `without` are never asked. */
void rounds_begin(struct rounds *rounds, uint16_t group, uint32_t without);

enum rounds_step {
	ROUNDS_ASK,  /* *ret_member, whose number is *ret_upstream */
	ROUNDS_WAIT, /* nobody before *ret_until_ms */
	ROUNDS_OVER, /* nobody any more */
};

/* `answered`: some upstream has spoken, though badly. */
enum rounds_step rounds_next(struct rounds *rounds, const struct upstreams *upstreams,
			     bool answered, uint64_t now_ms, uint8_t *ret_member,
			     uint16_t *ret_upstream, uint64_t *ret_until_ms);

/* A query went out, or was refused at once, whose time would be over at due_ms. */
void rounds_asked(struct rounds *rounds, uint64_t due_ms);
/* It was not asked after all: it may be, in this round. */
void rounds_put_back(struct rounds *rounds, uint8_t member);
/* This member is no help with this question: it is not asked again. */
void rounds_give_up(struct rounds *rounds, uint8_t member);
/* It cannot be reached: worth asking in the next round, but not for ever. */
void rounds_unreachable(struct rounds *rounds, uint8_t member);

#endif
