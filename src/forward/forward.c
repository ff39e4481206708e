/* SPDX-License-Identifier: MIT */
/*
 * Joins the cache, the questions in flight and the asking.
 *
 * A look-up takes the lock of one cache shard, once. Under it the question is either found, or
 * found to be in flight (the waiter joins), or entered as in flight by this worker. So however many
 * workers and clients ask at the same moment, one question goes out, and none is asked between "not
 * in the cache" and "in flight". When it ends, its reply is put into the cache and the flight taken
 * out under the same lock, then the waiters are told: our own by calling `done`, those of other
 * workers by a letter that carries a counted reference to the reply. Options of clients play no
 * part in the key, so they cannot split it.
 *
 * Nothing is lost for want of room. A question takes all that it needs before it goes out: a place
 * among the pending, a place to wait, and a store that holds at least a failure; if one of them is
 * not to be had the caller hears FORWARD_FULL at once. A mailbox has a letter for each place to
 * wait, so it is never full. A reply that needs a large store when there is none becomes a failure,
 * counted.
 *
 * Limits of time that the main thread changes are looked at when a reply is kept and again when it
 * is given from the cache, so a lower one counts at once. They are read one by one: a reply may
 * meet the old one and the next the new.
 *
 * forward_free with questions outstanding: waiters of other workers get a failure, our own nothing
 * (their owner is the one who is ending). Cache, flights, stores and mailboxes are the shared
 * part's and outlive every worker.
 */
#include "forward/forward.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "forward/cache.h"
#include "forward/flight.h"
#include "forward/looptable.h"
#include "forward/pending.h"
#include "forward/prober.h"
#include "forward/revive.h"
#include "forward/store.h"
#include "wire/types.h"

/*
 * Small stores for each question that may be in flight: its own, and replies that readers hold
 * while they ask for the rest of a chain. They are 2 KB of address space until the first use.
 */
#define STORES_A_QUESTION 4

struct forward_shared {
	struct forward_conf conf;
	struct upstreams *upstreams;
	struct cache *cache;
	struct flights *flights;
	struct store_pool *pool;
	struct looptable *loops;
	_Atomic size_t inflight;
	/* Instead of those of conf: the main thread changes them. */
	_Atomic uint32_t ttl_max_s, negative_ttl_max_s;
	/* one a worker; letters: number is the wait, pointer the store */
	struct mailbox *mailboxes[];
};

struct forward {
	struct forward_shared *shared;
	unsigned n;
	forward_done_fn *done;
	void *arg;
	struct event *mail;
	struct pending *pending;
	struct prober *prober;
	struct revive *revive;       /* worker 0 has it */
	struct reply_store **stores; /* of the questions in flight; NULL: not in flight */
	struct forward_counters counters;
};

struct forward_shared *forward_shared_new(const struct forward_conf *conf,
					  struct upstreams *upstreams, struct err *err)
{
	struct forward_shared *shared;
	unsigned n;

	assert(conf->workers > 0 && conf->inflight_max > 0 && conf->sockets_max > 0);
	shared = calloc(1, sizeof(*shared) + conf->workers * sizeof(shared->mailboxes[0]));
	if (!shared) {
		err_set(err, "forward: out of memory");
		return NULL;
	}
	shared->conf = *conf;
	shared->ttl_max_s = conf->ttl_max_s;
	shared->negative_ttl_max_s = conf->negative_ttl_max_s;
	shared->upstreams = upstreams;
	shared->cache = cache_new(conf->cache_bytes, err);
	if (!shared->cache)
		goto fail;
	shared->flights = flights_new(conf->workers, conf->inflight_max);
	shared->pool = store_pool_new(conf->workers * conf->inflight_max * STORES_A_QUESTION);
	shared->loops = looptable_new(upstreams);
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
	atomic_store_explicit(&shared->ttl_max_s, limits->ttl_max_s, memory_order_relaxed);
	atomic_store_explicit(&shared->negative_ttl_max_s, limits->negative_ttl_max_s,
			      memory_order_relaxed);
	return cache_resize(shared->cache, limits->cache_bytes, err);
}

static uint32_t ttl_limit(struct forward_shared *shared, bool negative)
{
	return atomic_load_explicit(negative ? &shared->negative_ttl_max_s : &shared->ttl_max_s,
				    memory_order_relaxed);
}

static void on_outcome(void *arg, uint32_t i, const struct pending_outcome *outcome);
static void on_mail(evutil_socket_t fd, short what, void *arg);

struct forward *forward_new(struct forward_shared *shared, unsigned n, struct event_base *base,
			    forward_done_fn *done, void *arg, struct err *err)
{
	struct forward *forward = calloc(1, sizeof(*forward));
	struct pending_conf conf = {
		.max = shared->conf.inflight_max,
		.sockets_max = shared->conf.sockets_max,
		.upstreams = shared->upstreams,
		.base = base,
		.done = on_outcome,
		.arg = forward,
	};

	assert(n < shared->conf.workers);
	if (!forward) {
		err_set(err, "forward: out of memory");
		return NULL;
	}
	forward->shared = shared;
	forward->n = n;
	forward->done = done;
	forward->arg = arg;
	forward->stores = calloc(conf.max, sizeof(forward->stores[0]));
	forward->mail = event_new(base, mailbox_fd(shared->mailboxes[n]), EV_READ | EV_PERSIST,
				  on_mail, forward);
	if (!forward->stores || !forward->mail || event_add(forward->mail, NULL) < 0) {
		err_set(err, "forward: out of memory");
		goto fail;
	}
	conf.counters = &forward->counters;
	forward->prober = prober_new(shared->upstreams, base, &forward->counters, err);
	conf.prober = forward->prober;
	forward->pending = forward->prober ? pending_new(&conf, err) : NULL;
	if (!forward->pending)
		goto fail;
	/* One of the workers is enough. */
	if (n == 0) {
		forward->revive = revive_new(shared->upstreams, forward->prober, base, err);
		if (!forward->revive)
			goto fail;
	}
	return forward;
fail:
	forward_free(forward);
	return NULL;
}

/* Makes the store's reply a failure of our own. */
static void fill_failure(struct reply_store *store, const struct cache_key *key, int ede)
{
	store->reply = (struct reply){
		.data = store->data,
		.len = pending_failure(key, store->data),
		.group = key->group,
		.rcode = RCODE_SERVFAIL,
		.failed = true,
		.ede = ede,
		.ttl_cap_s = FAILURE_TTL_S,
		.store = store,
	};
}

/* Tells all waiters from `wait` on; what is called may ask anew at once. */
static void tell(struct forward *forward, uint32_t wait, struct reply_store *store, bool own)
{
	struct forward_shared *shared = forward->shared;

	while (wait != FLIGHT_NONE) {
		uint32_t next = flights_next_wait(shared->flights, wait);
		unsigned worker = flights_wait_worker(shared->flights, wait);
		struct letter letter = { .number = wait, .pointer = store };
		uint64_t waiter;

		if (worker != forward->n) {
			reply_hold(&store->reply);
			if (!mailbox_post(shared->mailboxes[worker], &letter))
				assert(!"a mailbox has room for every wait");
		} else if (flights_end_wait(shared->flights, wait, &waiter) && own) {
			forward->done(forward->arg, waiter, &store->reply);
		}
		wait = next;
	}
}

void forward_free(struct forward *forward)
{
	struct forward_shared *shared;
	unsigned i;

	if (!forward)
		return;
	shared = forward->shared;
	for (i = 0; forward->stores && i < shared->conf.inflight_max; i++) {
		struct flight *flight = flights_at(shared->flights, forward->n, i);
		struct reply_store *store = forward->stores[i];
		struct cache_shard *shard;
		uint32_t wait;

		if (!store)
			continue;
		fill_failure(store, &flight->key, EDE_NOT_READY);
		shard = cache_lock(shared->cache, flight->key.hash);
		wait = flights_remove(shared->flights, flight);
		cache_unlock(shard);
		atomic_fetch_sub_explicit(&shared->inflight, 1, memory_order_relaxed);
		tell(forward, wait, store, false);
		store_drop(store);
	}
	pending_free(forward->pending);
	revive_free(forward->revive);
	prober_free(forward->prober);
	if (forward->mail)
		event_free(forward->mail);
	free(forward->stores);
	free(forward);
}

/* Moves an outcome into a store: the question's own, or a large one in its place. */
static struct reply_store *store_outcome(struct forward *forward, struct reply_store *store,
					 const struct cache_key *key,
					 const struct pending_outcome *outcome)
{
	if (outcome->len > STORE_SMALL_LEN) {
		struct reply_store *large = store_take(forward->shared->pool, outcome->len);

		if (!large) {
			counter_add(&forward->counters.refused_inflight, 1);
			fill_failure(store, key, EDE_OTHER);
			return store;
		}
		store_drop(store);
		store = large;
	}
	if (outcome->data != store->data)
		memcpy(store->data, outcome->data, outcome->len);
	store->reply = (struct reply){
		.data = store->data,
		.len = outcome->len,
		.group = key->group,
		.rcode = outcome->rcode,
		.ad = outcome->ad,
		.failed = outcome->failed,
		.ede = outcome->ede,
		.negative = outcome->negative,
		.ttl_cap_s = ttl_limit(forward->shared, outcome->negative),
		.store = store,
	};
	return store;
}

static void on_outcome(void *arg, uint32_t i, const struct pending_outcome *outcome)
{
	struct forward *forward = arg;
	struct forward_shared *shared = forward->shared;
	struct flight *flight = flights_at(shared->flights, forward->n, i);
	struct reply_store *store = forward->stores[i];
	uint32_t ttl_s = outcome->ttl_s, wait;
	struct cache_shard *shard;

	forward->stores[i] = NULL;
	store = store_outcome(forward, store, &flight->key, outcome);
	/* A failure is kept even where cache.ttl-max is 0 (RFC 9520); it has a bound of its own. */
	if (outcome->rcode != RCODE_SERVFAIL && ttl_s > store->reply.ttl_cap_s)
		ttl_s = store->reply.ttl_cap_s;
	if (store->reply.len != outcome->len)
		ttl_s = 0; /* had no room */
	shard = cache_lock(shared->cache, flight->key.hash);
	if (ttl_s > 0)
		cache_put(shard, &flight->key, &store->reply, ttl_s, clock_now_ms());
	wait = flights_remove(shared->flights, flight);
	cache_unlock(shard);
	atomic_fetch_sub_explicit(&shared->inflight, 1, memory_order_relaxed);
	/* From here on the flight may be another question's. */
	tell(forward, wait, store, true);
	store_drop(store);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct forward *forward = arg;
	struct forward_shared *shared = forward->shared;
	struct letter letter;
	uint64_t waiter;

	(void)fd;
	(void)what;
	while (mailbox_take(shared->mailboxes[forward->n], &letter)) {
		struct reply_store *store = letter.pointer;

		if (flights_end_wait(shared->flights, letter.number, &waiter))
			forward->done(forward->arg, waiter, &store->reply);
		store_drop(store);
	}
}

/* Nobody can be asked: nothing to wait for, and nothing to keep. */
static enum forward_verdict fail_at_once(const struct cache_key *key, const char *ede_text,
					 uint8_t *buf, size_t cap, struct reply *ret)
{
	uint8_t failure[STORE_SMALL_LEN];
	size_t len = pending_failure(key, failure);

	if (len > cap)
		return FORWARD_FULL;
	memcpy(buf, failure, len);
	*ret = (struct reply){
		.data = buf,
		.len = len,
		.group = key->group,
		.rcode = RCODE_SERVFAIL,
		.failed = true,
		.ede = EDE_NO_REACHABLE_AUTHORITY,
		.ede_text = ede_text,
		.ttl_cap_s = FAILURE_TTL_S,
	};
	return FORWARD_HIT;
}

/* Joins a question that is in flight. With its shard locked. */
static enum forward_verdict join(struct forward *forward, struct flight *flight, uint64_t waiter)
{
	struct forward_shared *shared = forward->shared;
	uint32_t wait = FLIGHT_NONE;

	if (flight->waits < shared->conf.waiters_max)
		wait = flights_take_wait(shared->flights, forward->n, waiter);
	if (wait == FLIGHT_NONE) {
		counter_add(&forward->counters.refused_waiters, 1);
		return FORWARD_FULL;
	}
	flights_join(shared->flights, flight, wait);
	counter_add(&forward->counters.joined, 1);
	return FORWARD_WAITING;
}

/* Enters a question of ours as in flight, with all that it needs. With its shard locked. */
static enum forward_verdict enter(struct forward *forward, const struct cache_key *key,
				  uint64_t waiter, uint32_t *ret_i)
{
	struct forward_shared *shared = forward->shared;
	int i = pending_take(forward->pending);
	struct reply_store *store;
	struct flight *flight;
	uint32_t wait;

	if (i < 0)
		goto refuse;
	store = store_take(shared->pool, STORE_SMALL_LEN);
	if (!store) {
		pending_give(forward->pending, (uint32_t)i);
		goto refuse;
	}
	wait = flights_take_wait(shared->flights, forward->n, waiter);
	if (wait == FLIGHT_NONE) {
		store_drop(store);
		pending_give(forward->pending, (uint32_t)i);
		goto refuse;
	}
	forward->stores[i] = store;
	flight = flights_add(shared->flights, forward->n, (unsigned)i, key);
	flights_join(shared->flights, flight, wait);
	atomic_fetch_add_explicit(&shared->inflight, 1, memory_order_relaxed);
	*ret_i = (uint32_t)i;
	return FORWARD_WAITING;
refuse:
	counter_add(&forward->counters.refused_inflight, 1);
	return FORWARD_FULL;
}

/*
 * Fits a cached reply to the limits of now; false: by these it is over. The limit ages with the
 * reply: else whoever asks late would keep it as long again as we did.
 */
static bool limit(struct forward_shared *shared, struct reply *reply)
{
	uint32_t limit_s = ttl_limit(shared, reply->negative);

	if (reply->rcode == RCODE_SERVFAIL)
		return true; /* see on_outcome */
	if (reply->ttl_cap_s > limit_s)
		reply->ttl_cap_s = limit_s;
	if (reply->age_s >= reply->ttl_cap_s)
		return false;
	reply->ttl_cap_s -= reply->age_s;
	return true;
}

/*
 * Has an upstream sent us a question that we sent to it? Whoever asks from elsewhere, and all while
 * nothing is in flight, costs a look at two words.
 */
static bool comes_back(struct forward *forward, const struct forward_question *question,
		       uint64_t now_ms)
{
	struct forward_shared *shared = forward->shared;
	uint32_t asked;

	if (!question->from || !atomic_load_explicit(&shared->inflight, memory_order_relaxed) ||
	    !looptable_may_be_peer(shared->loops, question->from))
		return false;
	asked = forward_asks(forward, question->name, question->type, question->group);
	return asked && looptable_came_back(shared->loops, question->name, question->group, asked,
					    question->from, question->here, now_ms);
}

enum forward_verdict forward_get(struct forward *forward, const struct forward_question *question,
				 uint64_t waiter, uint64_t now_ms, uint8_t *buf, size_t cap,
				 struct reply *ret)
{
	struct forward_shared *shared = forward->shared;
	struct cache_key key = cache_key_of(question);
	enum forward_verdict verdict = FORWARD_MISS;
	struct cache_shard *shard;
	struct flight *flight;
	struct reply reply;
	uint32_t i = FLIGHT_NONE, without;
	bool nobody;

	if (waiter && upstreams_group_size(shared->upstreams, question->group) == 0)
		return fail_at_once(&key, NULL, buf, cap, ret);
	if (comes_back(forward, question, now_ms))
		return FORWARD_LOOP;
	without = looptable_without(shared->loops, question->name, question->group, &nobody);
	shard = cache_lock(shared->cache, key.hash);
	if (cache_find(shard, &key, now_ms, buf, cap, &reply) && limit(shared, &reply)) {
		*ret = reply;
		cache_unlock(shard);
		counter_add(&forward->counters.hits, 1);
		return FORWARD_HIT;
	}
	if (waiter && !nobody) {
		flight = flights_find(shared->flights, &key);
		if (flight)
			verdict = join(forward, flight, waiter);
		else
			verdict = enter(forward, &key, waiter, &i);
	}
	cache_unlock(shard);
	counter_add(&forward->counters.misses, 1);
	if (waiter && nobody) {
		counter_add(&forward->counters.looped, 1);
		return fail_at_once(&key, "every upstream sends this zone back to this server", buf,
				    cap, ret);
	}
	if (i != FLIGHT_NONE) {
		struct flight *mine = flights_at(shared->flights, forward->n, i);

		pending_start(forward->pending, i, &mine->key, forward->stores[i]->data, without,
			      &mine->members_asked, clock_now_ms());
	}
	return verdict;
}

void forward_remember(struct forward *forward, const struct forward_question *question,
		      uint64_t memo)
{
	struct cache_key key = cache_key_of(question);
	struct cache_shard *shard = cache_lock(forward->shared->cache, key.hash);

	cache_remember(shard, &key, memo);
	cache_unlock(shard);
}

void forward_forget(struct forward *forward, uint64_t waiter)
{
	flights_forget(forward->shared->flights, forward->n, waiter);
}

uint32_t forward_asks(struct forward *forward, const struct name *name, uint16_t type,
		      uint16_t group)
{
	struct forward_question question = { .name = name, .type = type, .group = group };
	struct flights *flights = forward->shared->flights;
	struct cache_shard *shard;
	struct flight *flight;
	struct cache_key key;
	uint32_t asked = 0;
	unsigned bits;

	for (bits = 0; bits < 4; bits++) {
		question.do_bit = bits & 1;
		question.cd_bit = bits & 2;
		key = cache_key_of(&question);
		shard = cache_lock(forward->shared->cache, key.hash);
		flight = flights_find(flights, &key);
		if (flight)
			asked |= atomic_load_explicit(&flight->members_asked, memory_order_relaxed);
		cache_unlock(shard);
	}
	return asked;
}

struct looptable *forward_loops(const struct forward_shared *shared)
{
	return shared->loops;
}

bool forward_is_probe(struct forward *forward, const struct name *name, const union addr *from,
		      const union addr *to, uint64_t now_ms)
{
	return looptable_probe_came_back(forward->shared->loops, name, from, to, now_ms);
}

struct prober *forward_prober(struct forward *forward)
{
	return forward->prober;
}

const struct forward_counters *forward_counters(const struct forward *forward)
{
	return &forward->counters;
}

size_t forward_flush(struct forward_shared *shared, const struct name *name)
{
	return cache_flush(shared->cache, name);
}

void forward_cache_state(struct forward_shared *shared, struct forward_cache_state *ret)
{
	cache_count(shared->cache, &ret->entries, &ret->bytes, &ret->bytes_max);
	ret->inflight = atomic_load_explicit(&shared->inflight, memory_order_relaxed);
}
