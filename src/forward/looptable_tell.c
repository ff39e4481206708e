/* SPDX-License-Identifier: MIT */
/*
 * What people are told of loops: log, status, explain.
 *
 * One loop, one line: a mark within the zone of another is not told, nor one within a zone whose
 * own probe has not ended yet, nor one whose probe is still under way, since it is not known yet
 * whether the upstream answers all the same.
 */
#include "forward/looptable_inside.h"

#include <string.h>

static void describe(const struct looptable *table, const struct pair *pair, struct loop_mark *ret)
{
	memcpy(ret->zone, pair->zone, pair->zone_len);
	ret->upstream = pair->upstream;
	ret->at = *upstream_addr(table->upstreams, pair->upstream);
	ret->answers = pair->answers || pair->labels == 0;
	ret->from = pair->from;
	ret->to = pair->to;
	ret->since_ms = pair->since_ms;
}

bool looptable_change(struct looptable *table, bool *ret_marked, struct loop_mark *ret)
{
	bool found = false;
	unsigned i;

	pthread_mutex_lock(&table->lock);
	for (i = 0; table->changed && !found && i < table->pairs.count; i++) {
		struct pair *pair = &table->pairs.pair[i];
		bool marked = pair->state == PAIR_MARKED;

		if (marked == pair->told)
			continue;
		/*
		 * A mark counts when the probe has ended that brought it, or renewed it after what
		 * it lay within became well.
		 */
		if (marked &&
		    (pair->underway || !pair->tries || pairs_is_early(&table->pairs, pair) ||
		     pairs_is_covered(&table->pairs, pair)))
			continue;
		pair->told = *ret_marked = marked;
		describe(table, pair, ret);
		found = true;
	}
	table->changed = found;
	pthread_mutex_unlock(&table->lock);
	return found;
}

bool looptable_mark_for(struct looptable *table, const struct name *name, uint16_t group,
			unsigned i, struct loop_mark *ret)
{
	unsigned labels = upstreams_group_labels(table->upstreams, group);
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	const struct pair *pair;
	bool marked;

	if (i >= upstreams_group_members(table->upstreams, group, member))
		return false;
	pthread_mutex_lock(&table->lock);
	pair = pairs_decide(&table->pairs, name, labels, member[i]);
	marked = pair && pair->state == PAIR_MARKED;
	if (marked)
		describe(table, pair, ret);
	pthread_mutex_unlock(&table->lock);
	return marked;
}

bool looptable_mark_at(struct looptable *table, size_t i, struct loop_mark *ret)
{
	bool found = false;
	unsigned n;

	pthread_mutex_lock(&table->lock);
	for (n = 0; n < table->pairs.count && !found; n++) {
		const struct pair *pair = &table->pairs.pair[n];

		if (pair->state != PAIR_MARKED || pairs_is_covered(&table->pairs, pair) || i-- > 0)
			continue;
		describe(table, pair, ret);
		found = true;
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}

void looptable_counts(struct looptable *table, struct loop_counts *ret)
{
	pthread_mutex_lock(&table->lock);
	*ret = table->counts;
	ret->pairs = table->pairs.count;
	ret->marked = atomic_load_explicit(&table->marked, memory_order_relaxed);
	pthread_mutex_unlock(&table->lock);
}
