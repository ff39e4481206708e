/* SPDX-License-Identifier: MIT */
/*
 * A reply's life is its TTL, cut to the limit of now; a failure's is a bound of its own. In the
 * last tenth of it whoever asks has it asked for again. After it, an answer is stale and may be
 * used for as long as the rules say: when the wait for a fresh one is over, and then, for a while,
 * at once.
 *
 * "A while" counts from the last time that it could not be renewed. So a name that is asked for all
 * the time is answered at once as long as its upstreams are silent, for every failure renews the
 * while; a name that nobody has asked for since has its clients wait for a fresh answer first. That
 * upstreams are well again ends every while at once.
 */
#include "forward/cache_entry.h"

#include "wire/types.h"

uint64_t entry_age_ms(const struct entry *entry, uint64_t now_ms)
{
	/* Another thread's clock may be a little behind. */
	return now_ms > entry->put_ms ? now_ms - entry->put_ms : 0;
}

static uint32_t limit_s(const struct entry *entry, const struct cache_rules *rules)
{
	return entry->negative ? rules->negative_ttl_max_s : rules->ttl_max_s;
}

/* A failure has a bound of its own, and is kept even where ttl-max is 0 (RFC 9520). */
static uint64_t life_ms(const struct entry *entry, const struct cache_rules *rules)
{
	uint32_t limit = limit_s(entry, rules);

	if (entry->rcode == RCODE_SERVFAIL || entry->ttl_s < limit)
		return (uint64_t)entry->ttl_s * 1000;
	return (uint64_t)limit * 1000;
}

bool entry_is_answer(const struct entry *entry)
{
	return entry->rcode == RCODE_NOERROR || entry->rcode == RCODE_NXDOMAIN;
}

bool entry_is_of_use(const struct entry *entry, const struct cache_rules *rules, uint64_t now_ms)
{
	uint64_t life = life_ms(entry, rules);

	if (life > 0 && entry_is_answer(entry))
		life += (uint64_t)rules->stale_s * 1000;
	return entry_age_ms(entry, now_ms) < life;
}

static bool failed_lately(const struct entry *entry, const struct cache_rules *rules,
			  uint64_t now_ms)
{
	return entry->failed_ms && entry->recovered == rules->recovered &&
	       now_ms < entry->failed_ms + CACHE_FAILURE_MS;
}

/* Would it be right to ask now? */
static bool may_retry(const struct entry *entry, const struct cache_rules *rules, uint64_t now_ms)
{
	return !failed_lately(entry, rules, now_ms) ||
	       now_ms >= entry->failed_ms + entry->retry_s * 1000u;
}

void entry_note_failure(struct entry *entry, uint32_t retry_s, const struct cache_rules *rules,
			uint64_t now_ms)
{
	entry->failed_ms = now_ms;
	entry->retry_s = retry_s < UINT8_MAX ? (uint8_t)retry_s : UINT8_MAX;
	entry->recovered = rules->recovered;
}

static enum cache_verdict judge_fresh(const struct entry *entry, const struct cache_rules *rules,
				      uint64_t now_ms)
{
	uint64_t life = life_ms(entry, rules);

	if (entry->rcode == RCODE_SERVFAIL && entry->recovered != rules->recovered)
		return CACHE_NONE;
	if (rules->prefetch && entry_is_answer(entry) && life >= CACHE_PREFETCH_TTL_MIN_S * 1000 &&
	    life - entry_age_ms(entry, now_ms) <= life / CACHE_PREFETCH_PART &&
	    may_retry(entry, rules, now_ms))
		return CACHE_DUE;
	return CACHE_FOUND;
}

static enum cache_verdict judge_stale(struct entry *entry, const struct cache_rules *rules,
				      enum cache_wish wish, uint64_t now_ms)
{
	bool failed = failed_lately(entry, rules, now_ms);

	if (wish == CACHE_FRESH || !entry_is_of_use(entry, rules, now_ms) ||
	    (wish == CACHE_USUAL && !failed))
		return CACHE_NONE;
	if (!failed) {
		/* Whoever asks next need not wait as long again. */
		entry_note_failure(entry, 0, rules, now_ms);
		entry->ede = EDE_NONE;
	}
	return may_retry(entry, rules, now_ms) ? CACHE_DUE : CACHE_FOUND;
}

uint32_t entry_cap_s(const struct entry *entry, const struct cache_rules *rules, bool stale,
		     uint32_t age_s)
{
	uint32_t cap = entry->ttl_cap_s, limit = limit_s(entry, rules);

	if (entry->rcode == RCODE_SERVFAIL)
		return cap;
	if (cap > limit)
		cap = limit;
	if (stale)
		return cap < CACHE_STALE_TTL_S ? cap : CACHE_STALE_TTL_S;
	return cap > age_s ? cap - age_s : 0;
}

enum cache_verdict entry_judge(struct entry *entry, const struct cache_rules *rules,
			       enum cache_wish wish, uint64_t now_ms, bool *ret_stale)
{
	*ret_stale = entry_age_ms(entry, now_ms) >= life_ms(entry, rules);
	return *ret_stale ? judge_stale(entry, rules, wish, now_ms)
			  : judge_fresh(entry, rules, now_ms);
}
