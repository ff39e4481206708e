/* SPDX-License-Identifier: MIT */
/*
 * Whether something that answers questions is in good standing, and when to try it again if not.
 *
 * Atomic numbers, written by any thread without a lock: two that write at once may lose one
 * failure. Time is handed in.
 */
#ifndef PRIVLINKD_UPSTREAM_STANDING_H
#define PRIVLINKD_UPSTREAM_STANDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* So many failures one after the other, in the whole process, lose it: one may be chance. */
#define STANDING_FAILURES_MAX 2
/*
 * The first probe of one that was set aside comes after so long, later ones after twice the time
 * each, up to the second number: a restart is over in a second, and a probe every few seconds does
 * no harm to anything.
 */
#define STANDING_PROBE_FIRST_MS 500
#define STANDING_PROBE_MAX_MS 3000

struct standing {
	_Atomic uint32_t failures;  /* one after the other */
	_Atomic uint64_t aside_ms;  /* set aside since; 0: well */
	_Atomic uint64_t probe_ms;  /* when to probe it; 0: not at all */
	_Atomic uint32_t probes;    /* that failed since it was set aside */
	_Atomic uint32_t recovered; /* how often it became well again */
	_Atomic bool chance;        /* well again by standing_give_chance alone */
};

bool standing_is_well(const struct standing *standing);

/* For how long it has been set aside; 0: it is well. */
uint64_t standing_aside_ms(const struct standing *standing, uint64_t now_ms);

/* It did what it is for: it is well, whatever was before. True: that was not known before. */
bool standing_good(struct standing *standing);

/* Set aside for long enough: it counts as well again, though it has done nothing for it. */
void standing_give_chance(struct standing *standing);

/* It is set aside, or has done nothing good since it was. */
bool standing_is_unproved(const struct standing *standing);

/*
 * It failed. At STANDING_FAILURES_MAX it is set aside; with `confirm` it is to be probed at once
 * instead, and that decides. True: there is a probe to be made that nobody knows of yet.
 */
bool standing_bad(struct standing *standing, bool confirm, uint64_t now_ms);

/* Is a probe due? Then it is the caller's to make, and to tell the result of. */
bool standing_take_probe(struct standing *standing, uint64_t now_ms);
/* Has somebody taken it whose result is not known yet? */
bool standing_is_probed(const struct standing *standing);
/* When the next one is due; 0: none. */
uint64_t standing_probe_ms(const struct standing *standing);
/* The probe could not be made: once more, a little later. */
void standing_put_probe_back(struct standing *standing, uint64_t now_ms);
/*
 * It failed: it is set aside, or stays so. One that succeeded is standing_good's. True: it was
 * well.
 */
bool standing_probe_failed(struct standing *standing, uint64_t now_ms);

/* A number that changes whenever it becomes well again. */
uint32_t standing_recovered(const struct standing *standing);

#endif
