/* SPDX-License-Identifier: MIT */
/* What the workers' forwarders share, for forward.c, forward_shared.c and forward_loops.c alone. */
#ifndef PRIVLINKD_FORWARD_FORWARD_INSIDE_H
#define PRIVLINKD_FORWARD_FORWARD_INSIDE_H

#include "base/mailbox.h"
#include "forward/cache.h"
#include "forward/flight.h"
#include "forward/forward.h"
#include "forward/store.h"

struct forward_shared {
	struct forward_conf conf;
	struct upstreams *upstreams;
	struct cache *cache;
	struct flights *flights;
	struct store_pool *pool;
	struct looptable *loops;
	_Atomic size_t inflight;
	/* Instead of conf.limits: the main thread changes them. */
	_Atomic uint32_t ttl_max_s, negative_ttl_max_s, stale_s;
	_Atomic bool prefetch;
	/* one a worker; letters: number is the wait, pointer the store */
	struct mailbox *mailboxes[];
};

/*
 * Loops (forward_loops.c). Any thread, no lock held.
 *
 * The members of the group at which this question is in flight, with whatever DO and CD; sets
 * `more` in its members_asked.
 */
uint32_t forward_visit_flights(struct forward_shared *shared, const struct name *name,
			       uint16_t type, uint16_t group, uint32_t more);

/* Has an upstream sent us a question that we sent to it? */
bool forward_comes_back(struct forward_shared *shared, const struct forward_question *question,
			uint64_t now_ms);

/*
 * The question of this flight failed, or somebody stayed silent: was it a loop? The failure says
 * so, or probes are wanted.
 */
void forward_suspect_loop(struct forward_shared *shared, const struct flight *flight,
			  struct reply *reply, bool silent, uint64_t now_ms);

/* What holds for replies of this group now. Any thread. */
struct cache_rules forward_rules(const struct forward_shared *shared, uint16_t group);

#endif
