/* SPDX-License-Identifier: MIT */
/*
 * Forwarding loops: which upstream sends the questions of which zone back to us.
 *
 * A *pair* is a zone and an upstream that its names may go to. Each is probed: the upstream is
 * asked for a random name of the zone, and if a question for that very name arrives here, from
 * anywhere, the pair is *marked*. A name belongs to the longest zone that was probed for its
 * upstream, within the forward zone that routes it. Marked pairs are probed until they are well.
 *
 * looptable_follow_* are for the main thread, looptable_next, _ended and _change for the one
 * prober, all else for any thread: one lock, held for a look-up, and not even taken while nothing
 * is marked.
 */
#ifndef PRIVLINKD_FORWARD_LOOPTABLE_H
#define PRIVLINKD_FORWARD_LOOPTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "upstream/upstream.h"
#include "wire/name.h"

/*
 * Zones times upstreams; all zones of Azure with a dozen upstreams. More are not probed, but
 * counted. Fixed: all are looked at for each probe, and who has more needs fewer upstreams.
 */
#define LOOPTABLE_PAIRS_MAX 4096
/*
 * Pairs that are not configured but came up by a suspicion (see looptable_came_back), at once.
 * Fixed, as the next three are: strangers can cause them, and more of them help nobody else.
 */
#define LOOPTABLE_SUSPECTS_MAX 64
/* Of one suspicion: the forward zone, and so many zones from there down to the name itself. */
#define LOOPTABLE_CLIMB_MAX 10
/* No more suspicions than one in so many ms: strangers can cause them, with a forged address. */
#define LOOPTABLE_SUSPECT_MS 100
/* What was found well is not suspected again before. */
#define LOOPTABLE_SUSPECT_AGAIN_MS 10000
/*
 * What is only doubted because a question stayed without an answer; such a question began about 4 s
 * ago, and a probe older than that says nothing about it.
 */
#define LOOPTABLE_SILENT_AGAIN_MS 3000
/* Probes without any answer that a suspicion is worth. */
#define LOOPTABLE_SUSPECT_TRIES 3

/*
 * A probe every so many ms, so that a start is no burst. Fixed: how many wait for their answer at
 * one time bounds what an upstream has to bear.
 */
#define LOOPTABLE_GAP_MS 20
/* A probe's name is known for so long: through a chain of servers it may take its time. */
#define LOOPTABLE_NAME_MS 5000

/*
 * When a pair that is marked is probed again: after the shorter, doubled each time up to the
 * longer. So a loop that was undone is noticed within seconds.
 */
#define LOOPTABLE_AGAIN_MIN_MS 1000
#define LOOPTABLE_AGAIN_MAX_MS 5000
/* A pair within the zone of another that is marked waits for that one. */
#define LOOPTABLE_COVERED_MS 60000
/* Where no answer came and nothing is known: doubled up to this. */
#define LOOPTABLE_SILENT_MAX_MS 300000
/*
 * A marked pair whose probes get SERVFAIL but have not come back for so long is well: what fails
 * there fails for another reason. Not sooner, since the SERVFAIL may be another server's that has
 * found the same loop.
 */
#define LOOPTABLE_STALE_MS 300000

struct looptable;

/*
 * `upstreams` must outlive it. At most underway_max probes wait for their answer at one time. NULL:
 * no memory or descriptor.
 */
struct looptable *looptable_new(const struct upstreams *upstreams, unsigned underway_max);
void looptable_free(struct looptable *table);

/*
 * The pairs of a new configuration: begin, each zone with the group that its names go to, commit.
 * What is known of pairs that stay stays; new ones are probed. Zones for which there was no room
 * are counted. -1: no memory, and nothing has changed. Begin again, or nothing, after a failure.
 */
void looptable_follow_begin(struct looptable *table);
int looptable_follow_add(struct looptable *table, const struct name *zone, uint16_t group,
			 struct err *err);
int looptable_follow_commit(struct looptable *table, uint64_t now_ms, struct err *err);

/*
 * Members of the group that must not be asked for this name (bit i: member i). Those that are
 * marked, while others are left; where none is, those that are marked and gave no answer to their
 * probe. One that did answer has another way beside the one through us, and one that is marked for
 * the root may have zones of its own: they are asked when nobody else is left, for the question
 * that comes back is refused then. *ret_nobody: nobody is left.
 */
uint32_t looptable_without(struct looptable *table, const struct name *name, uint16_t group,
			   bool *ret_nobody);

/* May a question from this address be one of ours? No lock; hardly ever true for nothing. */
bool looptable_may_be_peer(const struct looptable *table, const union addr *from);

/*
 * A question arrived from an address that looptable_may_be_peer, and the same is in flight at the
 * members `asked` of this group. True: it is ours that came back, answer SERVFAIL. If that was not
 * known of the pair, probes find out for which zone it holds.
 *
 * `here`: whoever asks from that address need not be the upstream (loopback, one of our own
 * addresses: any program on this machine asks from there). Then true only for a pair that is
 * marked; else the question may wait for the answer as others do, and the probes decide.
 */
bool looptable_came_back(struct looptable *table, const struct name *name, uint16_t group,
			 uint32_t asked, const union addr *from, bool here, uint64_t now_ms);

/*
 * Of the members `asked` some stayed silent for a while. The question may have come back from where
 * nobody could tell, and waited for itself: those zones of the configuration that it lies in are
 * probed again, if that was not done lately.
 */
void looptable_silent(struct looptable *table, const struct name *name, uint16_t group,
		      uint32_t asked, uint64_t now_ms);

/*
 * Is this the name of a probe of ours? Then it has come back: answer SERVFAIL. Cheap if not. After
 * LOOPTABLE_NAME_MS that proves nothing any more: somebody may have it from a log.
 */
bool looptable_probe_came_back(struct looptable *table, const struct name *name,
			       const union addr *from, const union addr *to, uint64_t now_ms);

/* ---- the prober ---- */

/* Becomes readable when looptable_next has something new to say; looptable_next quiets it. */
int looptable_fd(const struct looptable *table);

struct loop_probe {
	struct name name;
	uint16_t upstream;
	uint32_t token; /* for looptable_ended, which must follow */
};

/* A probe to send now; else false and *ret_wait_ms until there may be one (UINT64_MAX: never). */
bool looptable_next(struct looptable *table, uint64_t now_ms, struct loop_probe *ret,
		    uint64_t *ret_wait_ms);

enum loop_outcome {
	LOOP_NOT_SENT, /* no room; try again later */
	LOOP_SILENT,   /* no answer, or out of reach */
	LOOP_SERVFAIL,
	LOOP_REFUSED,  /* or the like */
	LOOP_ANSWERED, /* that there is such a name, or none */
};
void looptable_ended(struct looptable *table, uint32_t token, enum loop_outcome outcome,
		     uint64_t now_ms);

/* Of a pair that is marked. */
struct loop_mark {
	uint8_t zone[NAME_WIRE_MAX];
	uint16_t upstream;
	union addr at;   /* the upstream's address */
	bool answers;    /* it answers all the same: asked when nobody else is left */
	union addr from; /* where the probe came back from, ... */
	union addr to;   /* ... and to which address of ours */
	uint64_t since_ms;
};

/* What the operator should know: a pair is marked, or is well again; each once. False: no more. */
bool looptable_change(struct looptable *table, bool *ret_marked, struct loop_mark *ret);

/* ---- for status and explain ---- */

/*
 * The i-th pair that is marked, leaving out those within the zone of another; false past the end.
 */
bool looptable_mark_at(struct looptable *table, size_t i, struct loop_mark *ret);

/* The mark that sets member `i` of the group aside for this name; false: there is none. */
bool looptable_mark_for(struct looptable *table, const struct name *name, uint16_t group,
			unsigned i, struct loop_mark *ret);

struct loop_counts {
	uint64_t pairs, marked;
	uint64_t questions;        /* that came back */
	uint64_t probes, returned; /* sent; came back */
	uint64_t held_back;        /* times that a probe was due while underway_max waited */
	uint64_t unprobed;         /* pairs for which there was no room */
	uint64_t unsuspected;      /* suspicions dropped: too many at once */
};
void looptable_counts(struct looptable *table, struct loop_counts *ret);

#endif
