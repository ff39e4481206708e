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
 * A question may go out with nobody waiting: for a reply in use whose time is nearly over, or is
 * over already and whose stale answer was given. It is in flight like any other, so it is asked
 * once and whoever misses meanwhile joins it; its outcome just goes into the cache. Such questions
 * have a part of their own of what a worker may ask at once.
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
#include "forward/forward_inside.h"
#include "forward/looptable.h"
#include "forward/pending.h"
#include "upstream/health.h"
#include "upstream/prober.h"
#include "upstream/revive.h"
#include "wire/types.h"

/* A question of ours in flight. */
struct outgoing {
	struct reply_store *store; /* NULL: not in flight */
	bool ahead;                /* nobody waited when it went out */
};

struct forward {
	struct forward_shared *shared;
	unsigned n;
	forward_done_fn *done;
	void *arg;
	struct event *mail;
	struct pending *pending;
	struct prober *prober;
	struct revive *revive;     /* worker 0 has it */
	struct outgoing *outgoing; /* by the question's number */
	unsigned inflight, ahead;
	unsigned inflight_with[UPSTREAM_GROUPS_MAX];
	struct forward_counters counters;
};

static void on_outcome(void *arg, uint32_t i, const struct pending_outcome *outcome);
static void on_mail(evutil_socket_t fd, short what, void *arg);

struct forward *forward_new(struct forward_shared *shared, unsigned n, struct event_base *base,
			    forward_done_fn *done, void *arg, struct err *err)
{
	struct forward *forward = calloc(1, sizeof(*forward));
	struct pending_conf conf = {
		.max = shared->conf.inflight_max,
		.sockets_max = shared->conf.sockets_max,
		.datagrams_max = shared->conf.datagrams_max,
		.near_misses_max = shared->conf.near_misses_max,
		.conns = shared->conf.conns,
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
	forward->outgoing = calloc(conf.max, sizeof(forward->outgoing[0]));
	forward->mail = event_new(base, mailbox_fd(shared->mailboxes[n]), EV_READ | EV_PERSIST,
				  on_mail, forward);
	if (!forward->outgoing || !forward->mail || event_add(forward->mail, NULL) < 0) {
		err_set(err, "forward: out of memory");
		goto fail;
	}
	conf.counters = &forward->counters;
	forward->prober = prober_new(shared->conf.probes_max, shared->upstreams, base,
				     &forward->counters.upstream, err);
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
static void fill_failure(struct reply_store *store, const struct question_key *key, int ede)
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

/* Question `i` is not in flight any more. */
static void leave(struct forward *forward, uint32_t i, uint16_t group)
{
	forward->outgoing[i].store = NULL;
	forward->inflight--;
	forward->inflight_with[group]--;
	forward->ahead -= forward->outgoing[i].ahead;
	atomic_fetch_sub_explicit(&forward->shared->inflight, 1, memory_order_relaxed);
}

void forward_free(struct forward *forward)
{
	struct forward_shared *shared;
	unsigned i;

	if (!forward)
		return;
	shared = forward->shared;
	for (i = 0; forward->outgoing && i < shared->conf.inflight_max; i++) {
		struct flight *flight = flights_at(shared->flights, forward->n, i);
		struct reply_store *store = forward->outgoing[i].store;
		struct cache_shard *shard;
		uint32_t wait;

		if (!store)
			continue;
		fill_failure(store, &flight->key, EDE_NOT_READY);
		shard = cache_lock(shared->cache, flight->key.hash);
		wait = flights_remove(shared->flights, flight);
		cache_unlock(shard);
		leave(forward, i, flight->key.group);
		tell(forward, wait, store, false);
		store_drop(store);
	}
	pending_free(forward->pending);
	revive_free(forward->revive);
	prober_free(forward->prober);
	if (forward->mail)
		event_free(forward->mail);
	free(forward->outgoing);
	free(forward);
}

/* Moves an outcome into a store: the question's own, or a large one in its place. */
static struct reply_store *store_outcome(struct forward *forward, struct reply_store *store,
					 const struct question_key *key,
					 const struct pending_outcome *outcome, uint32_t cap_s)
{
	size_t len = outcome->len + (size_t)outcome->ttls * REPLY_PLACE_LEN;

	if (len > STORE_SMALL_LEN) {
		struct reply_store *large = store_take(forward->shared->pool, len);

		if (!large) {
			counter_add(&forward->counters.refused_large, 1);
			fill_failure(store, key, EDE_OTHER);
			return store;
		}
		store_drop(store);
		store = large;
	}
	if (outcome->data != store->data)
		memcpy(store->data, outcome->data, len);
	store->reply = (struct reply){
		.data = store->data,
		.len = outcome->len,
		.group = key->group,
		.rcode = outcome->rcode,
		.ad = outcome->ad,
		.failed = outcome->failed,
		.ede = outcome->ede,
		.negative = outcome->negative,
		.ttl_cap_s = cap_s,
		.ttl_places = outcome->ttls > 0 ? store->data + outcome->len : NULL,
		.ttls = outcome->ttls,
		.plain = outcome->plain,
		.store = store,
	};
	return store;
}

static void on_outcome(void *arg, uint32_t i, const struct pending_outcome *outcome)
{
	struct forward *forward = arg;
	struct forward_shared *shared = forward->shared;
	struct flight *flight = flights_at(shared->flights, forward->n, i);
	struct cache_rules rules = forward_rules(shared, flight->key.group);
	uint32_t cap_s = outcome->negative ? rules.negative_ttl_max_s : rules.ttl_max_s;
	uint32_t ttl_s = outcome->ttl_s, wait;
	struct reply_store *store;
	struct cache_shard *shard;

	store = store_outcome(forward, forward->outgoing[i].store, &flight->key, outcome, cap_s);
	if (outcome->failed || outcome->silent)
		forward_suspect_loop(shared, flight, &store->reply, outcome->silent,
				     clock_now_ms());
	leave(forward, i, flight->key.group);
	/* A failure is kept even where cache.ttl-max is 0 (RFC 9520); it has a bound of its own. */
	if (outcome->rcode != RCODE_SERVFAIL && ttl_s > cap_s)
		ttl_s = cap_s;
	shard = cache_lock(shared->cache, flight->key.hash);
	/* One that was too large for us says nothing of what is cached. */
	if (!flight->flushed && store->reply.len == outcome->len)
		cache_put(shard, &flight->key, &store->reply, ttl_s, &rules, clock_now_ms());
	wait = flights_remove(shared->flights, flight);
	cache_unlock(shard);
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
static enum forward_verdict fail_at_once(const struct question_key *key, const char *ede_text,
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

/* Has the group its share of the questions in flight? */
static bool has_share(const struct forward *forward, uint16_t group)
{
	unsigned free = forward->shared->conf.inflight_max - forward->inflight;

	return forward->inflight_with[group] >= FORWARD_GROUP_SHARE * free;
}

/*
 * Enters a question of ours as in flight, with all that it needs; waiter 0: nobody waits. With its
 * shard locked. *ret_i is to be started then.
 */
static enum forward_verdict enter(struct forward *forward, const struct question_key *key,
				  uint64_t waiter, uint32_t *ret_i)
{
	struct forward_shared *shared = forward->shared;
	struct reply_store *store = NULL;
	uint32_t wait = FLIGHT_NONE;
	struct flight *flight;
	int i;

	if (forward->inflight < shared->conf.inflight_max && has_share(forward, key->group)) {
		counter_add(&forward->counters.refused_share, 1);
		return FORWARD_FULL;
	}
	i = pending_take(forward->pending);
	if (i < 0)
		goto refuse;
	store = store_take(shared->pool, STORE_SMALL_LEN);
	if (!store)
		goto refuse;
	if (waiter) {
		wait = flights_take_wait(shared->flights, forward->n, waiter);
		if (wait == FLIGHT_NONE)
			goto refuse;
	}
	flight = flights_add(shared->flights, forward->n, (unsigned)i, key);
	if (waiter)
		flights_join(shared->flights, flight, wait);
	forward->outgoing[i] = (struct outgoing){ .store = store, .ahead = !waiter };
	forward->inflight++;
	forward->inflight_with[key->group]++;
	forward->ahead += !waiter;
	atomic_fetch_add_explicit(&shared->inflight, 1, memory_order_relaxed);
	*ret_i = (uint32_t)i;
	return FORWARD_WAITING;
refuse:
	if (i >= 0)
		pending_give(forward->pending, (uint32_t)i);
	store_drop(store);
	counter_add(&forward->counters.refused_inflight, 1);
	return FORWARD_FULL;
}

/* A question on its way out. */
struct launch {
	uint32_t i;       /* entered, and to be sent after the lock; FLIGHT_NONE: none */
	uint32_t without; /* members of the group that are left out */
	bool nobody;      /* is left */
};

static struct launch launch_prepare(const struct forward *forward,
				    const struct forward_question *question)
{
	struct launch launch = { .i = FLIGHT_NONE };

	launch.without = looptable_without(forward->shared->loops, question->name, question->group,
					   &launch.nobody);
	return launch;
}

static void launch_send(struct forward *forward, const struct launch *launch)
{
	struct flight *flight;

	if (launch->i == FLIGHT_NONE)
		return;
	flight = flights_at(forward->shared->flights, forward->n, launch->i);
	pending_start(forward->pending, launch->i, &flight->key,
		      forward->outgoing[launch->i].store->data, launch->without,
		      &flight->members_asked, clock_now_ms());
}

/* The reply is due: asks, unless somebody does. With its shard locked. */
static void ask_ahead(struct forward *forward, const struct question_key *key,
		      struct launch *launch)
{
	struct forward_shared *shared = forward->shared;

	if (launch->nobody || flights_find(shared->flights, key) ||
	    upstreams_group_size(shared->upstreams, key->group) == 0)
		return;
	if (forward->ahead > shared->conf.inflight_max / FORWARD_AHEAD_PART) {
		counter_add(&forward->counters.refused_ahead, 1);
		return;
	}
	if (enter(forward, key, 0, &launch->i) == FORWARD_WAITING)
		counter_add(&forward->counters.prefetched, 1);
}

/* With its shard locked. True where there is one. */
static bool look(struct forward *forward, struct cache_shard *shard, const struct question_key *key,
		 enum cache_wish wish, uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret,
		 struct launch *launch)
{
	struct cache_rules rules = forward_rules(forward->shared, key->group);
	enum cache_verdict verdict = cache_find(shard, key, &rules, wish, now_ms, buf, cap, ret);

	if (verdict == CACHE_NONE)
		return false;
	if (verdict == CACHE_DUE && wish != CACHE_FRESH)
		ask_ahead(forward, key, launch);
	counter_add(&forward->counters.hits, 1);
	if (ret->stale)
		counter_add(&forward->counters.stale, 1);
	return true;
}

uint32_t forward_asks(struct forward *forward, const struct name *name, uint16_t type,
		      uint16_t group)
{
	return forward_visit_flights(forward->shared, name, type, group, 0);
}

enum forward_verdict forward_get(struct forward *forward, const struct forward_question *question,
				 uint64_t waiter, uint64_t now_ms, uint8_t *buf, size_t cap,
				 struct reply *ret)
{
	struct forward_shared *shared = forward->shared;
	bool empty = upstreams_group_size(shared->upstreams, question->group) == 0;
	enum cache_wish wish = waiter ? CACHE_USUAL : CACHE_FRESH;
	struct question_key key = cache_key_of(question);
	enum forward_verdict verdict = FORWARD_MISS;
	struct cache_shard *shard;
	struct flight *flight;
	struct launch launch;

	/* Before the cache: who gets our stale answer for his own would keep it alive for ever. */
	if (forward_comes_back(shared, question, now_ms))
		return FORWARD_LOOP;
	launch = launch_prepare(forward, question);
	/* To wait for whom there is no reason to expect helps nobody (RFC 8767 5). */
	if (waiter && (empty || launch.nobody ||
		       upstreams_are_down(shared->upstreams, question->group, launch.without)))
		wish = CACHE_WHATEVER;
	shard = cache_lock(shared->cache, key.hash);
	if (look(forward, shard, &key, wish, now_ms, buf, cap, ret, &launch)) {
		verdict = FORWARD_HIT;
	} else {
		counter_add(&forward->counters.misses, 1);
		flight = waiter ? flights_find(shared->flights, &key) : NULL;
		if (flight)
			verdict = join(forward, flight, waiter);
		else if (waiter && !empty && !launch.nobody)
			verdict = enter(forward, &key, waiter, &launch.i);
	}
	cache_unlock(shard);
	if (verdict == FORWARD_MISS && waiter) {
		if (launch.nobody)
			counter_add(&forward->counters.looped, 1);
		return fail_at_once(&key,
				    launch.nobody ? "every upstream sends this zone back to this "
						    "server"
						  : NULL,
				    buf, cap, ret);
	}
	launch_send(forward, &launch);
	return verdict;
}

uint64_t forward_expect(struct forward *forward, const struct forward_question *question)
{
	struct question_key key = cache_key_of(question);

	cache_expect(forward->shared->cache, key.hash);
	return key.hash;
}

void forward_expect_reply(struct forward *forward, uint64_t expected)
{
	cache_expect_entry(forward->shared->cache, expected);
}

bool forward_get_stale(struct forward *forward, const struct forward_question *question,
		       uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret)
{
	struct question_key key = cache_key_of(question);
	struct launch launch = launch_prepare(forward, question);
	struct cache_shard *shard;
	struct reply reply;
	bool found;

	shard = cache_lock(forward->shared->cache, key.hash);
	found = look(forward, shard, &key, CACHE_WHATEVER, now_ms, buf, cap, &reply, &launch);
	cache_unlock(shard);
	launch_send(forward, &launch);
	if (!found || reply.rcode == RCODE_SERVFAIL)
		return false;
	*ret = reply;
	return true;
}

bool forward_serves_stale(const struct forward *forward)
{
	return atomic_load_explicit(&forward->shared->stale_s, memory_order_relaxed) > 0;
}

void forward_remember(struct forward *forward, const struct forward_question *question,
		      uint32_t serial, uint64_t memo)
{
	struct question_key key = cache_key_of(question);
	struct cache_shard *shard = cache_lock(forward->shared->cache, key.hash);

	cache_remember(shard, &key, serial, memo);
	cache_unlock(shard);
}

void forward_forget(struct forward *forward, uint64_t waiter)
{
	flights_forget(forward->shared->flights, forward->n, waiter);
}

struct looptable *forward_looptable(const struct forward *forward)
{
	return forward->shared->loops;
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
