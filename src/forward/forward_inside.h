/* SPDX-License-Identifier: MIT */
/* What the workers' forwarders share, for forward.c and forward_shared.c alone. */
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

/* What holds for replies of this group now. Any thread. */
struct cache_rules forward_rules(const struct forward_shared *shared, uint16_t group);

#endif
