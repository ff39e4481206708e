/* SPDX-License-Identifier: MIT */
/*
 * Two logs in rings, and an index over them: S3-FIFO (Yang et al., SOSP 2023).
 *
 * Each shard has a small ring, an eighth, and a main ring. What is new goes into the small one. At
 * its tail what was asked for again meanwhile moves to the main ring; the rest goes and leaves a
 * fingerprint, and whoever comes back while that is there goes to the main ring at once. At the
 * main ring's tail what was asked for since it came there moves to the head again, once for each
 * time it was asked for, up to three; the rest goes. So names that are asked for once (random
 * labels under a domain, scans) pass through the small ring and push nothing out that is used. A
 * hit writes one counter of two bits, in the entry that was read anyway. tests/bench/cache compares
 * hit rates with first-in-first-out, least recently used, CLOCK and Unbound.
 *
 * Refused: least recently used lists (two pointers an entry, a write to three on every hit, and a
 * scan empties them); SIEVE (takes from the middle, which a log cannot; and a scan walks through
 * all of it); a slab for each size; one lock for all.
 *
 * The index is open addressing with linear probing over {tag, place}, at most 7/8 full; a removal
 * moves later ones back, so there are no tombstones. A tag is the low half of the hash: it tells
 * where the slot's home is, so that an insertion and the removal that makes room for it, with the
 * fingerprints beside the slots, look at no entries but their own. Each would be a wait for memory.
 * A tag that fits is only a hint: the entry's whole key is compared. A reply that takes an older
 * one's place is written over it where it fits, as it does as a rule; else the old one stays in the
 * log as a blank until the tail comes by.
 *
 * Invariants: every index slot points to a live entry in one of the rings; every live entry has one
 * slot. The lock of the shard covers all of it. Work under it is bounded: one insertion moves at
 * most MOVES_MAX entries.
 *
 * An entry stays findable past its time, for stale answers, until it makes room; what nobody may
 * use any more is not moved at a tail. A failure is kept like a reply; but where an answer is there
 * that may still be used it is only noted with it, and while that is young the stale answer is
 * given without waiting.
 */
#include "forward/cache_shard.h"

#include <assert.h>
#include <string.h>

#include "forward/cache_entry.h"
#include "wire/types.h"

/* An entry may take this part of the main ring: one name must not push out all others. */
#define CACHE_ENTRY_PART 4
/* Octets of a shard to a slot: an entry of 120 octets, the smallest that is usual, has its own. */
#define CACHE_SLOT_PART 128
/* The small ring takes this part of what is left. */
#define CACHE_SMALL_PART 8
#define SLOTS_MIN 16

/* How often an entry may be moved to the main ring's head without having been asked for. */
#define VISITS_MAX 3
/* From so many times asked for on an entry moves from the small ring to the main ring. */
#define VISITS_WORTH 1
/*
 * So that nobody holds a lock for as long as a ring is large: after so many the oldest goes, used
 * or not. A tenth of a millisecond.
 */
#define MOVES_MAX 64

/* Zero, so that an index fresh from the system is empty without being touched. */
#define NO_PLACE 0

static void shard_clear(struct cache_shard *shard)
{
	if (shard->entries > 0)
		memset(shard->slots, 0, (shard->slots_mask + 1) * sizeof(shard->slots[0]));
	ring_clear(&shard->small);
	ring_clear(&shard->main);
	shard->entries = 0;
}

static size_t index_bytes(size_t slots)
{
	return slots * sizeof(struct slot);
}

_Static_assert(SLOTS_MIN * sizeof(struct slot) == CACHE_SHARD_BYTES_LEAST, "the smallest index");

static size_t slots_of(size_t bytes)
{
	size_t slots = SLOTS_MIN;

	while (2 * slots <= bytes / CACHE_SLOT_PART)
		slots *= 2;
	return slots;
}

size_t cache_shard_index_bytes(size_t bytes)
{
	return index_bytes(slots_of(bytes));
}

static void note_expect(struct cache_shard *shard)
{
	atomic_store_explicit(&shard->expect_slots, shard->slots, memory_order_relaxed);
	atomic_store_explicit(&shard->expect_mask, shard->slots_mask, memory_order_relaxed);
}

void cache_shard_set(struct cache_shard *shard, uint8_t *index, uint8_t *rings, size_t bytes)
{
	size_t slots = slots_of(bytes), left, small;

	shard->slots = (struct slot *)(void *)index;
	shard->slots_mask = (uint32_t)(slots - 1);
	note_expect(shard);
	shard->entries_max = (uint32_t)(slots / 8 * 7);
	left = bytes > index_bytes(slots) ? bytes - index_bytes(slots) : 0;
	small = left / CACHE_SMALL_PART & ~(size_t)7;
	ring_init(&shard->small, rings, small);
	ring_init(&shard->main, shard->small.memory + small, left - small);
	shard->entries = 0;
}

void cache_shard_unset(struct cache_shard *shard)
{
	shard->slots = NULL;
	note_expect(shard);
	ring_clear(&shard->small);
	ring_clear(&shard->main);
	shard->entries = 0;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash;
}

/* Where the search for a tag begins. */
static uint32_t home_of(const struct cache_shard *shard, uint32_t tag)
{
	return tag & shard->slots_mask;
}

static struct entry *entry_in(const struct cache_shard *shard, const struct slot *slot)
{
	return (struct entry *)(void *)(shard->small.memory + (uint64_t)(slot->place - 1) * 8);
}

static uint32_t place_of(const struct cache_shard *shard, const void *entry)
{
	return (uint32_t)(((const uint8_t *)entry - shard->small.memory) / 8) + 1;
}

static bool entry_is(const struct entry *entry, const struct question_key *key)
{
	return entry->hash == key->hash && entry->type == key->type && entry->group == key->group &&
	       entry->do_bit == key->do_bit && entry->cd_bit == key->cd_bit &&
	       entry->name_len == key->len && memcmp(entry->octets, key->fold, key->len) == 0;
}

/* The key's slot, or NULL. */
static struct slot *find_slot(const struct cache_shard *shard, const struct question_key *key)
{
	uint32_t at = home_of(shard, tag_of(key->hash));

	for (; shard->slots[at].place != NO_PLACE; at = (at + 1) & shard->slots_mask) {
		if (shard->slots[at].tag == tag_of(key->hash) &&
		    entry_is(entry_in(shard, &shard->slots[at]), key))
			return &shard->slots[at];
	}
	return NULL;
}

/* Takes a slot out and moves back those behind it that may stand nearer to home. */
static void remove_slot(struct cache_shard *shard, struct slot *slot)
{
	uint32_t hole = (uint32_t)(slot - shard->slots), at = hole;

	entry_in(shard, slot)->piece.live = 0;
	for (;;) {
		uint32_t home;

		at = (at + 1) & shard->slots_mask;
		if (shard->slots[at].place == NO_PLACE)
			break;
		home = home_of(shard, shard->slots[at].tag);
		/*
		 * It may move if the hole is no nearer to its home than home itself, going round.
		 */
		if (((at - home) & shard->slots_mask) < ((at - hole) & shard->slots_mask))
			continue;
		shard->slots[hole].tag = shard->slots[at].tag;
		shard->slots[hole].place = shard->slots[at].place;
		hole = at;
	}
	shard->slots[hole].place = NO_PLACE;
	shard->entries--;
}

static struct slot *slot_of(const struct cache_shard *shard, const struct entry *entry)
{
	uint32_t place = place_of(shard, entry);
	uint32_t at = home_of(shard, tag_of(entry->hash));

	while (shard->slots[at].place != place) {
		assert(shard->slots[at].place != NO_PLACE);
		at = (at + 1) & shard->slots_mask;
	}
	return &shard->slots[at];
}

/* ---- finding ---- */

void cache_shard_expect(struct cache_shard *shard, uint64_t hash)
{
	/* Both may be of before a resize, or one: then it fetches in vain, which does no harm. */
	const struct slot *slots = atomic_load_explicit(&shard->expect_slots, memory_order_relaxed);
	uint32_t mask = atomic_load_explicit(&shard->expect_mask, memory_order_relaxed);

	__builtin_prefetch(&shard->lock, 1);
	if (slots)
		__builtin_prefetch(slots + ((uint32_t)hash & mask));
}

void cache_shard_expect_entry(struct cache_shard *shard, uint64_t hash)
{
	/* That of the reply; or, for one that is yet to come, that which will make room for it. */
	const void *entry = NULL;
	const struct slot *slot;

	pthread_mutex_lock(&shard->lock);
	if (shard->slots) {
		slot = &shard->slots[home_of(shard, tag_of(hash))];
		if (slot->place != NO_PLACE && slot->tag == tag_of(hash))
			entry = entry_in(shard, slot);
		else
			entry = ring_oldest(&shard->small);
	}
	/* Its head, name and a short message. */
	if (entry) {
		__builtin_prefetch(entry, 1);
		__builtin_prefetch((const uint8_t *)entry + 64);
		__builtin_prefetch((const uint8_t *)entry + 128);
	}
	pthread_mutex_unlock(&shard->lock);
}

/* A reply will be put in: who goes for it, and that one's slot. The first should be here by now. */
static void expect_room(const struct cache_shard *shard)
{
	const struct entry *entry = (const void *)ring_oldest(&shard->small);

	if (entry)
		__builtin_prefetch(&shard->slots[home_of(shard, tag_of(entry->hash))], 1);
}

enum cache_verdict cache_find(struct cache_shard *shard, const struct question_key *key,
			      const struct cache_rules *rules, enum cache_wish wish,
			      uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret)
{
	const struct slot *slot = find_slot(shard, key);
	enum cache_verdict verdict;
	struct entry *entry;
	uint32_t age_s;
	bool stale, places;
	size_t len;

	if (!slot) {
		expect_room(shard);
		return CACHE_NONE;
	}
	entry = entry_in(shard, slot);
	/* Past its time too: it is the name that is in use. */
	if (entry->visits < VISITS_MAX)
		entry->visits++;
	verdict = entry_judge(entry, rules, wish, now_ms, &stale);
	if (verdict == CACHE_NONE || entry->message_len > cap)
		return CACHE_NONE;
	age_s = (uint32_t)(entry_age_ms(entry, now_ms) / 1000);
	len = entry->message_len + (size_t)entry->ttls * REPLY_PLACE_LEN;
	places = entry->ttls > 0 && len <= cap;
	memcpy(buf, entry->octets + entry->name_len, places ? len : entry->message_len);
	*ret = (struct reply){
		.data = buf,
		.len = entry->message_len,
		.group = entry->group,
		.rcode = entry->rcode,
		.ad = entry->ad,
		.failed = entry->failed,
		.negative = entry->negative,
		.stale = stale,
		.ede = entry->ede,
		.age_s = age_s,
		.ttl_cap_s = entry_cap_s(entry, rules, stale, age_s),
		.serial = entry->serial,
		.memo = entry->memo,
		.ttl_places = places ? buf + entry->message_len : NULL,
		.ttls = places ? entry->ttls : 0,
		.plain = places && entry->plain,
	};
	return verdict;
}

/* ---- making room ---- */

static void forget_entry(struct cache_shard *shard, struct entry *entry)
{
	remove_slot(shard, slot_of(shard, entry));
}

static uint32_t *ghost_of(const struct cache_shard *shard, uint64_t hash)
{
	return &shard->slots[home_of(shard, tag_of(hash))].ghost;
}

/* Never 0. The low bits chose the slot, the top ones the shard: it takes some between. */
static uint32_t ghost_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 24) | 1;
}

/* Did it go from the small ring not long ago? Asked once. */
static bool ghost_take(const struct cache_shard *shard, uint64_t hash)
{
	uint32_t *ghost = ghost_of(shard, hash);

	if (*ghost != ghost_tag(hash))
		return false;
	*ghost = 0;
	return true;
}

/* Who has to go from where, and what it is measured by. */
struct eviction {
	const struct cache_rules *rules;
	uint64_t now_ms;
	unsigned moves;
};

static void evict(struct cache_shard *shard, struct entry *entry, const struct eviction *eviction)
{
	shard->evicted += entry_is_of_use(entry, eviction->rules, eviction->now_ms);
	forget_entry(shard, entry);
}

static bool is_worth_a_move(const struct entry *entry, unsigned visits, struct eviction *eviction)
{
	if (entry->visits < visits || eviction->moves >= MOVES_MAX ||
	    !entry_is_of_use(entry, eviction->rules, eviction->now_ms))
		return false;
	eviction->moves++;
	return true;
}

/* The main ring's oldest goes, or becomes its newest. */
static void turn_main(struct cache_shard *shard, struct eviction *eviction)
{
	struct piece *piece = ring_oldest(&shard->main);
	struct entry *entry = (struct entry *)(void *)piece;
	struct slot *slot;

	if (piece->live && is_worth_a_move(entry, 1, eviction)) {
		slot = slot_of(shard, entry);
		entry = (struct entry *)(void *)ring_renew(&shard->main);
		entry->visits--;
		slot->place = place_of(shard, entry);
		return;
	}
	if (piece->live)
		evict(shard, entry, eviction);
	ring_drop(&shard->main);
}

/* The small ring's oldest goes, or moves to the main ring. */
static void turn_small(struct cache_shard *shard, struct eviction *eviction)
{
	struct piece *piece = ring_oldest(&shard->small);
	struct entry *entry = (struct entry *)(void *)piece, *moved;
	/* There is no sense in a main ring that is half empty. */
	unsigned visits = ring_has_room(&shard->main, piece->size) ? 0 : VISITS_WORTH;

	if (piece->live && is_worth_a_move(entry, visits, eviction)) {
		while (!ring_has_room(&shard->main, piece->size))
			turn_main(shard, eviction);
		moved = (struct entry *)(void *)ring_append(&shard->main, piece->size);
		memcpy(moved, entry, piece->size);
		moved->visits = 0;
		slot_of(shard, entry)->place = place_of(shard, moved);
	} else if (piece->live) {
		*ghost_of(shard, entry->hash) = ghost_tag(entry->hash);
		evict(shard, entry, eviction);
	}
	ring_drop(&shard->small);
}

/* Room for `size` octets in one piece, and in the index. */
static struct piece *make_room(struct cache_shard *shard, uint32_t size, bool in_main,
			       struct eviction *eviction)
{
	struct ring *ring = in_main ? &shard->main : &shard->small;

	/* The index first: what leaves the small ring for it may take room in the main ring. */
	while (shard->entries >= shard->entries_max) {
		if (ring_oldest(&shard->small) && (!in_main || !ring_oldest(&shard->main)))
			turn_small(shard, eviction);
		else
			turn_main(shard, eviction);
	}
	while (!ring_has_room(ring, size)) {
		if (in_main)
			turn_main(shard, eviction);
		else
			turn_small(shard, eviction);
	}
	return ring_append(ring, size);
}

/* ---- putting in ---- */

/* A reply to be kept, and where its TTLs stand. */
struct keeping {
	const struct question_key *key;
	const struct reply *reply;
	uint32_t ttl_s;
	unsigned ttls;
	const void *places;
	uint16_t found[REPLY_PLACES_MAX];
};

static void find_places(struct keeping *keeping)
{
	const struct reply *reply = keeping->reply;
	int found;

	keeping->ttls = reply->ttls;
	keeping->places = reply->ttl_places;
	if (reply->ttl_places)
		return;
	found = reply_find_ttls(reply->data, reply->len, keeping->found);
	keeping->ttls = found > 0 ? (unsigned)found : 0;
	keeping->places = keeping->found;
}

static size_t entry_size(const struct keeping *keeping)
{
	return (sizeof(struct entry) + keeping->key->len + keeping->reply->len +
		(size_t)keeping->ttls * REPLY_PLACE_LEN + 7) &
	       ~(size_t)7;
}

static void fill(struct cache_shard *shard, struct entry *entry, const struct keeping *keeping,
		 const struct cache_rules *rules, uint64_t now_ms)
{
	const struct question_key *key = keeping->key;
	const struct reply *reply = keeping->reply;

	entry->hash = key->hash;
	entry->put_ms = now_ms;
	entry->serial = ++shard->serial;
	entry->memo = 0;
	entry->failed_ms = 0;
	entry->retry_s = 0;
	entry->recovered = rules->recovered;
	entry->ttl_s = keeping->ttl_s;
	entry->ttl_cap_s = reply->ttl_cap_s;
	entry->type = key->type;
	entry->group = key->group;
	entry->message_len = (uint16_t)reply->len;
	entry->ede = (int16_t)reply->ede;
	entry->name_len = key->len;
	entry->rcode = reply->rcode;
	entry->do_bit = key->do_bit;
	entry->cd_bit = key->cd_bit;
	entry->ad = reply->ad;
	entry->failed = reply->failed;
	entry->negative = reply->negative;
	entry->plain = reply->plain;
	entry->ttls = (uint8_t)keeping->ttls;
	memcpy(entry->octets, key->fold, key->len);
	memcpy(entry->octets + key->len, reply->data, reply->len);
	memcpy(entry->octets + key->len + reply->len, keeping->places,
	       (size_t)keeping->ttls * REPLY_PLACE_LEN);
}

static void insert_slot(struct cache_shard *shard, const struct entry *entry)
{
	uint32_t at = home_of(shard, tag_of(entry->hash));

	while (shard->slots[at].place != NO_PLACE)
		at = (at + 1) & shard->slots_mask;
	shard->slots[at].tag = tag_of(entry->hash);
	shard->slots[at].place = place_of(shard, entry);
	shard->entries++;
}

void cache_put(struct cache_shard *shard, const struct question_key *key, const struct reply *reply,
	       uint32_t ttl_s, const struct cache_rules *rules, uint64_t now_ms)
{
	struct slot *slot = find_slot(shard, key);
	struct eviction eviction = { .rules = rules, .now_ms = now_ms };
	struct keeping keeping;
	bool in_main = false;
	struct entry *entry;
	uint8_t visits = 0;
	size_t size;

	keeping.key = key;
	keeping.reply = reply;
	keeping.ttl_s = ttl_s;
	find_places(&keeping);
	size = entry_size(&keeping);
	if (slot) {
		entry = entry_in(shard, slot);
		if (reply->rcode == RCODE_SERVFAIL && entry_is_answer(entry) &&
		    entry_is_of_use(entry, rules, now_ms)) {
			entry_note_failure(entry, ttl_s, rules, now_ms);
			entry->ede = (int16_t)reply->ede;
			return;
		}
		/* Not where a large one's place would be held by a small one. */
		if (ttl_s > 0 && size <= entry->piece.size && 2 * size >= entry->piece.size) {
			fill(shard, entry, &keeping, rules, now_ms);
			return;
		}
		visits = entry->visits;
		in_main = ring_holds(&shard->main, entry);
		remove_slot(shard, slot);
	} else if (ttl_s > 0) {
		in_main = ghost_take(shard, key->hash);
	}
	if (ttl_s == 0 || size > shard->main.len / CACHE_ENTRY_PART)
		return;
	in_main |= size > shard->small.len / CACHE_ENTRY_PART;
	entry = (struct entry *)(void *)make_room(shard, (uint32_t)size, in_main, &eviction);
	entry->visits = visits;
	fill(shard, entry, &keeping, rules, now_ms);
	insert_slot(shard, entry);
}

void cache_remember(struct cache_shard *shard, const struct question_key *key, uint32_t serial,
		    uint64_t memo)
{
	struct slot *slot = find_slot(shard, key);

	if (slot && entry_in(shard, slot)->serial == serial)
		entry_in(shard, slot)->memo = memo;
}

static size_t ring_flush(struct cache_shard *shard, const struct ring *ring,
			 const struct name *name)
{
	uint64_t position = ring->tail;
	struct piece *piece;
	size_t count = 0;

	while ((piece = ring_next(ring, &position))) {
		struct entry *entry = (struct entry *)(void *)piece;

		if (!piece->live || !name_wire_ends_with(entry->octets, name->fold))
			continue;
		forget_entry(shard, entry);
		count++;
	}
	return count;
}

size_t cache_shard_flush(struct cache_shard *shard, const struct name *name)
{
	size_t count = shard->entries;

	if (name)
		return ring_flush(shard, &shard->small, name) +
		       ring_flush(shard, &shard->main, name);
	shard_clear(shard);
	return count;
}

void cache_shard_count(const struct cache_shard *shard, struct cache_counts *counts)
{
	counts->entries += shard->entries;
	counts->evicted += shard->evicted;
	counts->bytes += ring_used(&shard->small) + ring_used(&shard->main);
	if (shard->slots)
		counts->bytes += index_bytes(shard->slots_mask + 1);
}
