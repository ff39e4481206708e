/* SPDX-License-Identifier: MIT */
/*
 * One reply in the cache: what is known of it, and whether it may be used at a moment and under the
 * rules of that moment. Pure, but for what entry_judge and entry_note_failure write into it; with
 * its shard locked.
 */
#ifndef PRIVLINKD_FORWARD_CACHE_ENTRY_H
#define PRIVLINKD_FORWARD_CACHE_ENTRY_H

#include "forward/cache.h"
#include "forward/ring.h"

struct entry {
	struct piece piece;
	uint64_t hash;
	uint64_t put_ms;
	uint64_t memo;
	uint64_t failed_ms; /* when it last could not be renewed; 0: never */
	uint32_t recovered; /* the number that failed_ms, or a failure, was noted under */
	uint32_t serial;
	uint32_t ttl_s, ttl_cap_s;
	uint16_t type, group;
	uint16_t message_len;
	int16_t ede;
	uint8_t name_len, rcode;
	uint8_t retry_s; /* how long from failed_ms on nobody is to try */
	uint8_t visits;
	uint8_t ttls; /* places of TTLs; 0: not known */
	bool do_bit : 1, cd_bit : 1, ad : 1, failed : 1, negative : 1, plain : 1;
	uint8_t octets[]; /* the folded name, the message, the places of its TTLs (reply.h) */
};

uint64_t entry_age_ms(const struct entry *entry, uint64_t now_ms);

/* An answer, not a failure of whatever kind. */
bool entry_is_answer(const struct entry *entry);

/* May it be used still, fresh or stale? */
bool entry_is_of_use(const struct entry *entry, const struct cache_rules *rules, uint64_t now_ms);

/* See cache_find. CACHE_WHATEVER notes with a stale one that it is given without waiting. */
enum cache_verdict entry_judge(struct entry *entry, const struct cache_rules *rules,
			       enum cache_wish wish, uint64_t now_ms, bool *ret_stale);

/* It could not be renewed now; nobody is to try for retry_s. */
void entry_note_failure(struct entry *entry, uint32_t retry_s, const struct cache_rules *rules,
			uint64_t now_ms);

/*
 * See reply.ttl_cap_s. It ages with the reply: whoever asks late would keep it as long again as we
 * did.
 */
uint32_t entry_cap_s(const struct entry *entry, const struct cache_rules *rules, bool stale,
		     uint32_t age_s);

#endif
