/* SPDX-License-Identifier: MIT */
/*
 * Where questions in flight meet what is known of loops.
 *
 * A question that comes back may come to another worker than the one that asked, with other bits
 * than it left with. So it is looked for among the questions in flight of all, under each of the
 * four keys that it may have. That is four shards' locks, one after the other; whoever asks from
 * elsewhere than an upstream's host, and everybody while nothing is in flight, is spared that.
 *
 * A health probe (revive.c) is in no flight, and its name is one that others ask for too. It is
 * known by its question while it is under way. Unrefused it would go to the very upstream that
 * waits for us, and that would look dead for as long as the loop lasts.
 *
 * What was refused here comes back as the upstream's SERVFAIL. The flight is marked, so that this
 * is not held against the upstream, and the client is told the reason.
 *
 * What comes back unseen, from an address that nobody knows, waits for itself; all that shows is an
 * upstream that says nothing. Or worse: the one who waits gets a stale answer of ours, and gives it
 * back as a fresh one. So silence is reason enough for a probe, whatever came after.
 */
#include "forward/forward_inside.h"

#include "forward/looptable.h"
#include "upstream/health.h"
#include "wire/types.h"

uint32_t forward_visit_flights(struct forward_shared *shared, const struct name *name,
			       uint16_t type, uint16_t group, uint32_t more)
{
	struct forward_question question = { .name = name, .type = type, .group = group };
	struct cache_shard *shard;
	struct flight *flight;
	struct question_key key;
	uint32_t asked = 0;
	unsigned bits;

	for (bits = 0; bits < 4; bits++) {
		question.do_bit = bits & 1;
		question.cd_bit = bits & 2;
		key = cache_key_of(&question);
		if (!flights_may_have(shared->flights, &key))
			continue;
		shard = cache_lock(shared->cache, key.hash);
		flight = flights_find(shared->flights, &key);
		if (flight)
			asked |= atomic_fetch_or_explicit(&flight->members_asked, more,
							  memory_order_relaxed);
		cache_unlock(shard);
	}
	return asked & ~FLIGHT_RETURNED;
}

/* The members of the group at which this is a health probe that is under way. */
static uint32_t asked_as_probe(const struct upstreams *upstreams,
			       const struct forward_question *question)
{
	if (question->type != upstreams_probe_type(upstreams, question->group) ||
	    question->name->labels != upstreams_group_labels(upstreams, question->group))
		return 0;
	return upstreams_probed(upstreams, question->group);
}

bool forward_comes_back(struct forward_shared *shared, const struct forward_question *question,
			uint64_t now_ms)
{
	uint32_t asked;

	if (!question->from || !looptable_may_be_peer(shared->loops, question->from))
		return false;
	asked = asked_as_probe(shared->upstreams, question);
	if (atomic_load_explicit(&shared->inflight, memory_order_relaxed))
		asked |= forward_visit_flights(shared, question->name, question->type,
					       question->group, 0);
	if (!asked || !looptable_came_back(shared->loops, question->name, question->group, asked,
					   question->from, question->here, now_ms))
		return false;
	forward_visit_flights(shared, question->name, question->type, question->group,
			      FLIGHT_RETURNED);
	return true;
}

void forward_suspect_loop(struct forward_shared *shared, const struct flight *flight,
			  struct reply *reply, bool silent, uint64_t now_ms)
{
	uint32_t asked = atomic_load_explicit(&flight->members_asked, memory_order_relaxed);
	struct name name;

	if (reply->failed && (asked & FLIGHT_RETURNED)) {
		reply->ede = EDE_OTHER;
		reply->ede_text = "forwarding loop: upstream sends this back to this server";
	} else if (silent) {
		name_from_wire(&name, flight->key.fold, flight->key.len);
		looptable_silent(shared->loops, &name, flight->key.group, asked, now_ms);
	}
}

struct looptable *forward_loops(const struct forward_shared *shared)
{
	return shared->loops;
}
