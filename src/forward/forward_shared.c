/* SPDX-License-Identifier: MIT */
/*
 * What all workers' forwarders stand on: made before the first, freed after the last.
 *
 * Limits of time that the main thread changes are looked at when a reply is kept and again when it
 * is given from the cache, so a lower one counts at once. They are read one by one: a reply may
 * meet the old one and the next the new.
 */
#include <assert.h>
#include <stdlib.h>

#include "forward/forward_inside.h"
#include "forward/looptable.h"
#include "upstream/health.h"

/*
 * Small stores for each question that may be in flight: its own, and replies that readers hold
 * while they ask for the rest of a chain. They are 2 KB of address space until the first use.
 */
#define STORES_A_QUESTION 4

static void set_limits(struct forward_shared *shared, const struct forward_limits *limits)
{
	atomic_store_explicit(&shared->ttl_max_s, limits->ttl_max_s, memory_order_relaxed);
	atomic_store_explicit(&shared->negative_ttl_max_s, limits->negative_ttl_max_s,
			      memory_order_relaxed);
	atomic_store_explicit(&shared->stale_s, limits->stale_s, memory_order_relaxed);
	atomic_store_explicit(&shared->prefetch, limits->prefetch, memory_order_relaxed);
}

struct forward_shared *forward_shared_new(const struct forward_conf *conf,
					  struct upstreams *upstreams, struct err *err)
{
	struct forward_shared *shared;
	unsigned n;

	assert(conf->workers > 0 && conf->inflight_max > 0 && conf->sockets_max > 0);
	assert(conf->datagrams_max > 0 && conf->near_misses_max < UINT8_MAX);
	assert(conf->large_max > 1 && conf->probes_max > 0 && conf->loop_probes_max > 0);
	shared = calloc(1, sizeof(*shared) + conf->workers * sizeof(shared->mailboxes[0]));
	if (!shared) {
		err_set(err, "forward: out of memory");
		return NULL;
	}
	shared->conf = *conf;
	set_limits(shared, &conf->limits);
	shared->upstreams = upstreams;
	shared->cache = cache_new(conf->limits.cache_bytes, err);
	if (!shared->cache)
		goto fail;
	shared->flights = flights_new(conf->workers, conf->inflight_max);
	shared->pool = store_pool_new(conf->workers * conf->inflight_max * STORES_A_QUESTION,
				      conf->large_max);
	shared->loops = looptable_new(upstreams, conf->loop_probes_max);
	if (!shared->flights || !shared->pool || !shared->loops) {
		err_set(err, "forward: out of memory");
		goto fail;
	}
	for (n = 0; n < conf->workers; n++) {
		shared->mailboxes[n] = mailbox_new(flights_waits_each(shared->flights));
		if (!shared->mailboxes[n]) {
			err_set(err, "forward: no memory or descriptor for a mailbox");
			goto fail;
		}
	}
	return shared;
fail:
	forward_shared_free(shared);
	return NULL;
}

void forward_shared_free(struct forward_shared *shared)
{
	unsigned n;

	if (!shared)
		return;
	for (n = 0; n < shared->conf.workers; n++)
		mailbox_free(shared->mailboxes[n]);
	cache_free(shared->cache);
	flights_free(shared->flights);
	store_pool_free(shared->pool);
	looptable_free(shared->loops);
	free(shared);
}

int forward_shared_configure(struct forward_shared *shared, const struct forward_limits *limits,
			     struct err *err)
{
	set_limits(shared, limits);
	return cache_resize(shared->cache, limits->cache_bytes, err);
}

struct cache_rules forward_rules(const struct forward_shared *shared, uint16_t group)
{
	return (struct cache_rules){
		.ttl_max_s = atomic_load_explicit(&shared->ttl_max_s, memory_order_relaxed),
		.negative_ttl_max_s =
			atomic_load_explicit(&shared->negative_ttl_max_s, memory_order_relaxed),
		.stale_s = atomic_load_explicit(&shared->stale_s, memory_order_relaxed),
		.prefetch = atomic_load_explicit(&shared->prefetch, memory_order_relaxed),
		.recovered = upstreams_group_recovered(shared->upstreams, group),
	};
}

size_t forward_flush(struct forward_shared *shared, const struct name *name)
{
	/* First: what ends in between is kept, and flushed with the rest. */
	flights_flush(shared->flights, shared->cache, name);
	return cache_flush(shared->cache, name);
}

void forward_cache_state(struct forward_shared *shared, struct forward_cache_state *ret)
{
	struct cache_counts counts;

	cache_count(shared->cache, &counts);
	*ret = (struct forward_cache_state){
		.entries = counts.entries,
		.bytes = counts.bytes,
		.bytes_max = counts.bytes_max,
		.inflight = atomic_load_explicit(&shared->inflight, memory_order_relaxed),
		.evicted = counts.evicted,
	};
}
