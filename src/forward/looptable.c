/* SPDX-License-Identifier: MIT */
/*
 * A loop is a matter of a zone and an upstream, not of an upstream alone: a corporate DNS that
 * forwards blob.core.windows.net to us answers everything else as it should. Nor is it a matter of
 * a forward entry: that zone has none, its names go where `.` goes. So marks hang on names. And
 * they hang on the longest zone of which something is known: where `.` comes back but corp.example
 * does not, the latter is asked as ever.
 *
 * Two things tell of a loop. A probe's name is known to nobody but those through whom the probe
 * went, so when it arrives here the loop is certain, by whatever address it came. A question that
 * arrives from the host of the very upstream at which the same question is in flight is almost
 * certain: somebody on that host may ask us directly, at the same moment, for the same name. That
 * one question is refused, which ends the loop it is in; but the mark waits for probes. Where it is
 * easy to be wrong (programs on this machine all come from one address) it is not even refused.
 *
 * A suspicion does not tell the zone. So it is climbed: the forward zone is probed for that
 * upstream, then each zone from there down to the name itself. The shortest that comes back is
 * marked, and that is what was forwarded to us over there.
 *
 * Marked is not the same as useless. An upstream that has us among several forwarders, or `forward
 * first`, answers after we have refused; and one whose `.` comes back has zones of its own. Such
 * are asked when nobody else is left. It costs one round, since the question that comes back is
 * refused at once. The others are not asked at all.
 *
 * The probes of an upstream that is another privlinkd with the same mark for us end there in
 * SERVFAIL and tell nothing: such a pair stays marked until somebody answers.
 *
 * All is behind one lock but two atomics: how many pairs are marked, and a filter of the hosts that
 * a question of ours can come from. Those two are all that a question costs while all is well.
 */
#include "forward/looptable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "forward/looptable_inside.h"

struct looptable *looptable_new(const struct upstreams *upstreams, unsigned underway_max)
{
	struct looptable *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->upstreams = upstreams;
	table->underway_max = underway_max;
	pthread_mutex_init(&table->lock, NULL);
	table->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (table->fd >= 0)
		return table;
	looptable_free(table);
	return NULL;
}

void looptable_free(struct looptable *table)
{
	if (!table)
		return;
	if (table->fd >= 0)
		close(table->fd);
	pairs_fini(&table->pairs);
	pairs_fini(&table->next);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static void wake(struct looptable *table)
{
	uint64_t one = 1;

	/* Fails only where it is readable already. */
	(void)!write(table->fd, &one, sizeof(one));
}

bool looptable_may_be_peer(const struct looptable *table, const union addr *from)
{
	return hostfilter_may_have(&table->peers, from);
}

/* ---- following the configuration ---- */

static void count_marked(struct looptable *table)
{
	unsigned i, marked = 0;

	for (i = 0; i < table->pairs.count; i++)
		marked += table->pairs.pair[i].state == PAIR_MARKED;
	atomic_store_explicit(&table->marked, marked, memory_order_relaxed);
}

void looptable_follow_begin(struct looptable *table)
{
	pairs_fini(&table->next);
}

int looptable_follow_add(struct looptable *table, const struct name *zone, uint16_t group,
			 struct err *err)
{
	unsigned labels = upstreams_group_labels(table->upstreams, group);
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	size_t count = upstreams_group_members(table->upstreams, group, member), i;

	for (i = 0; i < count; i++) {
		if (table->next.count == LOOPTABLE_PAIRS_MAX) {
			pthread_mutex_lock(&table->lock);
			table->counts.unprobed++;
			pthread_mutex_unlock(&table->lock);
		} else if (pairs_add(&table->next, zone, member[i], labels) < 0) {
			return err_set(err, "out of memory");
		}
	}
	return 0;
}

/* What is known of a pair that stays. */
static void keep_known(struct pair *pair, const struct pair *was)
{
	uint16_t parent = pair->parent;
	uint8_t route_labels = pair->route_labels;

	*pair = *was;
	pair->parent = parent;
	pair->route_labels = route_labels;
	pair->configured = true;
}

int looptable_follow_commit(struct looptable *table, uint64_t now_ms, struct err *err)
{
	struct pairs *next = &table->next, old;
	unsigned i;

	if (pairs_finish(next, LOOPTABLE_SUSPECTS_MAX) < 0) {
		pairs_fini(next);
		return err_set(err, "out of memory");
	}
	pthread_mutex_lock(&table->lock);
	old = table->pairs;
	for (i = 0; i < next->count; i++) {
		struct pair *pair = &next->pair[i];
		uint16_t was =
			pairs_find(&old, pair->hash, pair->zone, pair->zone_len, pair->upstream);

		hostfilter_add(&table->peers, upstream_addr(table->upstreams, pair->upstream));
		if (was != PAIR_NONE) {
			keep_known(pair, &old.pair[was]);
			continue;
		}
		pair->id = ++table->ids;
		pair->due_ms = now_ms;
	}
	table->pairs = *next;
	table->suspects = 0;
	table->changed = true;
	count_marked(table);
	pthread_mutex_unlock(&table->lock);
	*next = (struct pairs){ .count = 0 };
	pairs_fini(&old);
	wake(table);
	return 0;
}

/* ---- questions ---- */

uint32_t looptable_without(struct looptable *table, const struct name *name, uint16_t group,
			   bool *ret_nobody)
{
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	uint32_t marked = 0, useless = 0, all;
	unsigned labels;
	size_t count, i;

	*ret_nobody = false;
	if (!atomic_load_explicit(&table->marked, memory_order_relaxed))
		return 0;
	count = upstreams_group_members(table->upstreams, group, member);
	labels = upstreams_group_labels(table->upstreams, group);
	pthread_mutex_lock(&table->lock);
	for (i = 0; i < count; i++) {
		const struct pair *pair = pairs_decide(&table->pairs, name, labels, member[i]);

		if (!pair || pair->state != PAIR_MARKED)
			continue;
		marked |= UINT32_C(1) << i;
		if (!pair->answers && pair->labels > 0)
			useless |= UINT32_C(1) << i;
	}
	pthread_mutex_unlock(&table->lock);
	all = (uint32_t)((UINT64_C(1) << count) - 1);
	if (marked != all)
		return marked;
	*ret_nobody = useless == all && count > 0;
	return useless;
}

/* One that was not probed within again_ms is probed again. With the lock. */
static bool doubt(struct pair *pair, uint64_t again_ms, uint64_t due_ms, uint64_t now_ms)
{
	if (pair->state == PAIR_MARKED || pair->underway || now_ms - pair->probed_ms < again_ms)
		return false;
	pair->due_ms = due_ms;
	return true;
}

/*
 * Has the zones between the forward zone and the name probed, the shortest first. With the lock.
 */
static void suspect(struct looptable *table, const struct name *name, unsigned route_labels,
		    uint16_t upstream, uint64_t now_ms)
{
	struct pairs *pairs = &table->pairs;
	unsigned labels, step = 0;
	struct name zone;

	if (now_ms < table->suspect_next_ms || !pairs->slots) {
		table->counts.unsuspected++;
		return;
	}
	table->suspect_next_ms = now_ms + LOOPTABLE_SUSPECT_MS;
	for (labels = route_labels; labels <= name->labels && step < LOOPTABLE_CLIMB_MAX;
	     labels++, step++) {
		uint16_t i = pairs_find_suffix(pairs, name, labels, upstream);
		struct pair *pair = i == PAIR_NONE ? NULL : &pairs->pair[i];

		if (pair) {
			doubt(pair, LOOPTABLE_SUSPECT_AGAIN_MS, now_ms + step, now_ms);
			continue;
		}
		name_strip(&zone, name, name->labels - labels);
		pair = pairs_append(pairs, &zone, upstream, route_labels);
		if (!pair) {
			table->counts.unsuspected++;
			break;
		}
		pair->id = ++table->ids;
		pair->due_ms = now_ms + step;
		table->suspects++;
	}
	pairs_index(pairs);
	wake(table);
}

bool looptable_came_back(struct looptable *table, const struct name *name, uint16_t group,
			 uint32_t asked, const union addr *from, bool here, uint64_t now_ms)
{
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	size_t count = upstreams_group_members(table->upstreams, group, member), i;
	unsigned labels = upstreams_group_labels(table->upstreams, group);
	bool ours = false;

	pthread_mutex_lock(&table->lock);
	for (i = 0; i < count; i++) {
		bool is_host = addr_same_host(upstream_addr(table->upstreams, member[i]), from);
		const struct pair *pair;

		if (!(asked & UINT32_C(1) << i))
			continue;
		pair = pairs_decide(&table->pairs, name, labels, member[i]);
		if (pair && pair->state == PAIR_MARKED) {
			ours |= is_host || addr_same_host(&pair->from, from);
		} else if (is_host) {
			suspect(table, name, labels, member[i], now_ms);
			ours |= !here;
		}
	}
	table->counts.questions += ours;
	pthread_mutex_unlock(&table->lock);
	return ours;
}

void looptable_silent(struct looptable *table, const struct name *name, uint16_t group,
		      uint32_t asked, uint64_t now_ms)
{
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	size_t count = upstreams_group_members(table->upstreams, group, member), i;
	unsigned first = upstreams_group_labels(table->upstreams, group), labels;
	bool due = false;

	pthread_mutex_lock(&table->lock);
	for (i = 0; i < count; i++) {
		if (!(asked & UINT32_C(1) << i))
			continue;
		for (labels = first; labels <= name->labels; labels++) {
			uint16_t n = pairs_find_suffix(&table->pairs, name, labels, member[i]);

			if (n != PAIR_NONE && table->pairs.pair[n].configured)
				due |= doubt(&table->pairs.pair[n], LOOPTABLE_SILENT_AGAIN_MS,
					     now_ms, now_ms);
		}
	}
	pthread_mutex_unlock(&table->lock);
	if (due)
		wake(table);
}

/* ---- probes ---- */

bool looptable_probe_came_back(struct looptable *table, const struct name *name,
			       const union addr *from, const union addr *to, uint64_t now_ms)
{
	uint32_t slot = loopnames_find(&table->names, name);
	struct pair *pair;

	if (slot == LOOPNAMES_NONE)
		return false;
	pthread_mutex_lock(&table->lock);
	if (loopnames_is_known(&table->names, slot, now_ms)) {
		table->counts.returned += !table->names.slot[slot].returned;
		table->names.slot[slot].returned = true;
	}
	pair = pairs_by_id(&table->pairs, table->names.slot[slot].pair);
	if (pair && loopnames_is_known(&table->names, slot, now_ms)) {
		pair->from = *from;
		pair->to = *to;
		pair->returned_ms = now_ms;
		hostfilter_add(&table->peers, from);
		if (pair->state != PAIR_MARKED) {
			pair->state = PAIR_MARKED;
			pair->since_ms = now_ms;
			pair->answers = true; /* until it is known */
			pair->tries = 0;
			table->changed = true;
			count_marked(table);
		}
		if (!pair->underway) /* its answer was given up already */
			pair->due_ms = now_ms + LOOPTABLE_AGAIN_MIN_MS;
	}
	pthread_mutex_unlock(&table->lock);
	wake(table);
	return true;
}

int looptable_fd(const struct looptable *table)
{
	return table->fd;
}

/*
 * Is there no more to find out about a suspicion? What lies within a zone that is marked needs no
 * mark; what is well within it is an exception, and stays. With the lock.
 */
static bool is_settled(const struct pairs *pairs, const struct pair *pair, uint64_t now_ms)
{
	bool covered = pairs_is_covered(pairs, pair);

	if (pair->state == PAIR_WELL)
		return !covered && now_ms - pair->probed_ms >= LOOPTABLE_SUSPECT_AGAIN_MS;
	/* Silence settles nothing, but is not looked into for ever. */
	return covered || (pair->state == PAIR_UNKNOWN && pair->tries >= LOOPTABLE_SUSPECT_TRIES);
}

static void drop_settled(struct looptable *table, uint64_t now_ms)
{
	struct pairs *pairs = &table->pairs;
	unsigned i = table->suspects ? 0 : pairs->count, count = pairs->count;

	while (i < pairs->count) {
		const struct pair *pair = &pairs->pair[i];

		if (pair->configured || pair->told || pair->underway ||
		    !is_settled(pairs, pair, now_ms)) {
			i++;
			continue;
		}
		pairs_remove(pairs, i);
		table->suspects--;
		/* Parents are numbers: another must not stand in for the one that is gone. */
		pairs_index(pairs);
	}
	if (pairs->count != count)
		count_marked(table);
}

/* The pair whose probe is due first, and when that may be sent; NULL: none. With the lock. */
static struct pair *first_due(struct looptable *table, uint64_t now_ms, uint64_t *ret_due_ms)
{
	struct pair *first = NULL;
	uint64_t due_ms = UINT64_MAX;
	unsigned i;

	for (i = 0; i < table->pairs.count; i++) {
		struct pair *pair = &table->pairs.pair[i];

		if (pair->underway || pair->due_ms >= due_ms)
			continue;
		first = pair;
		due_ms = pair->due_ms;
	}
	if (!first)
		return NULL;
	/* With all under way the next thing to happen is that one of them ends. */
	if (table->underway == table->underway_max) {
		table->counts.held_back += !table->full && due_ms <= now_ms;
		table->full |= due_ms <= now_ms;
		return NULL;
	}
	*ret_due_ms = due_ms < table->quiet_until_ms ? table->quiet_until_ms : due_ms;
	return first;
}

bool looptable_next(struct looptable *table, uint64_t now_ms, struct loop_probe *ret,
		    uint64_t *ret_wait_ms)
{
	uint64_t due_ms = 0, drained;
	struct pair *pair;

	(void)!read(table->fd, &drained, sizeof(drained));
	*ret_wait_ms = UINT64_MAX;
	pthread_mutex_lock(&table->lock);
	drop_settled(table, now_ms);
	pair = first_due(table, now_ms, &due_ms);
	if (!pair || due_ms > now_ms) {
		if (pair)
			*ret_wait_ms = due_ms - now_ms;
		pthread_mutex_unlock(&table->lock);
		return false;
	}
	table->quiet_until_ms = now_ms + LOOPTABLE_GAP_MS;
	pair->due_ms = UINT64_MAX;
	pair->probed_ms = now_ms;
	ret->upstream = pair->upstream;
	ret->token = loopnames_take(&table->names, pair->zone, pair->id, now_ms,
				    now_ms + LOOPTABLE_NAME_MS, &ret->name);
	if (ret->token == LOOPNAMES_NONE) {
		/* No slot: when some have run out. A zone too long for a probe: never. */
		if (!loopnames_is_too_long(pair->zone_len))
			pair->due_ms = now_ms + LOOPTABLE_AGAIN_MIN_MS;
		*ret_wait_ms = LOOPTABLE_GAP_MS;
		pthread_mutex_unlock(&table->lock);
		return false;
	}
	pair->underway = true;
	table->underway++;
	table->counts.probes++;
	pthread_mutex_unlock(&table->lock);
	return true;
}

/* `first_ms`, doubled with each try, at most max_ms. */
static uint64_t backoff_ms(unsigned tries, uint64_t first_ms, uint64_t max_ms)
{
	uint64_t ms = tries < 20 ? first_ms << tries : max_ms;

	return ms < max_ms ? ms : max_ms;
}

/*
 * The upstream says something: what waits for it to speak need not wait any longer. Where a mark is
 * taken off, nor need the marks within its zone: they were not looked at meanwhile. With the lock.
 */
static void hurry_others(struct looptable *table, const struct pair *well, bool was_marked,
			 uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < table->pairs.count; i++) {
		struct pair *pair = &table->pairs.pair[i];

		if (pair == well || pair->upstream != well->upstream || !pair->tries ||
		    pair->due_ms == UINT64_MAX)
			continue;
		if (pair->state == PAIR_UNKNOWN ||
		    (was_marked && name_wire_ends_with(pair->zone, well->zone))) {
			pair->due_ms = now_ms;
			pair->tries = 0;
			pair->answers = true; /* more likely than not */
		}
	}
}

static void note_well(struct looptable *table, struct pair *pair, uint64_t now_ms)
{
	bool was_marked = pair->state == PAIR_MARKED;

	pair->state = PAIR_WELL;
	pair->tries = 0;
	pair->due_ms = UINT64_MAX;
	hurry_others(table, pair, was_marked, now_ms);
	if (was_marked)
		count_marked(table);
}

/* It said nothing: the other probes of this upstream wait too, and leave room for the rest. */
static void note_silence(struct looptable *table, struct pair *silent, uint64_t now_ms)
{
	uint64_t due_ms = now_ms + backoff_ms(silent->tries++, LOOPTABLE_AGAIN_MIN_MS,
					      LOOPTABLE_SILENT_MAX_MS);
	unsigned i;

	silent->due_ms = due_ms;
	for (i = 0; i < table->pairs.count; i++) {
		struct pair *pair = &table->pairs.pair[i];

		if (pair->upstream == silent->upstream && pair->state == PAIR_UNKNOWN &&
		    pair->due_ms < due_ms) {
			pair->due_ms = due_ms;
			pair->tries = silent->tries;
		}
	}
}

/* A probe that did not come back. With the lock. */
static void note_outcome(struct looptable *table, struct pair *pair, enum loop_outcome outcome,
			 uint64_t now_ms)
{
	if (outcome == LOOP_NOT_SENT)
		pair->due_ms = now_ms + LOOPTABLE_AGAIN_MIN_MS;
	else if (pair->state == PAIR_UNKNOWN && outcome == LOOP_SILENT)
		note_silence(table, pair, now_ms);
	else if (pair->state == PAIR_WELL && outcome == LOOP_SILENT)
		pair->due_ms = UINT64_MAX; /* as it was; the next silent question asks again */
	else if (pair->state != PAIR_MARKED || outcome == LOOP_ANSWERED ||
		 outcome == LOOP_REFUSED ||
		 (outcome == LOOP_SERVFAIL && now_ms - pair->returned_ms >= LOOPTABLE_STALE_MS))
		note_well(table, pair, now_ms);
}

void looptable_ended(struct looptable *table, uint32_t token, enum loop_outcome outcome,
		     uint64_t now_ms)
{
	struct pair *pair;

	pthread_mutex_lock(&table->lock);
	assert(table->names.slot[token].waiting);
	table->names.slot[token].waiting = false;
	table->underway--;
	table->full = false;
	table->changed = true; /* what was under way was not told */
	pair = pairs_by_id(&table->pairs, table->names.slot[token].pair);
	if (pair) {
		pair->underway = false;
		if (table->names.slot[token].returned)
			pair->answers = outcome == LOOP_ANSWERED;
		else
			note_outcome(table, pair, outcome, now_ms);
	}
	if (pair && pair->state == PAIR_MARKED && pair->due_ms == UINT64_MAX) {
		pair->due_ms = now_ms + backoff_ms(pair->tries++, LOOPTABLE_AGAIN_MIN_MS,
						   LOOPTABLE_AGAIN_MAX_MS);
		if (pairs_is_covered(&table->pairs, pair))
			pair->due_ms = now_ms + LOOPTABLE_COVERED_MS;
	}
	pthread_mutex_unlock(&table->lock);
}
