/* SPDX-License-Identifier: MIT */
/*
 * A log in a ring, and an index over it.
 *
 * Each shard owns one region, mapped once and touched as it fills. Entries of any length are
 * appended at the head; where room is needed the oldest go from the tail. So there is no free list,
 * no fragmentation, no malloc, and the bound is exact. Positions are 64-bit and only grow; modulo
 * the ring's length they are places in it. An entry never wraps: what is left at the ring's end is
 * filled with a blank.
 *
 * The index is open addressing with linear probing over {tag, place}, at most 7/8 full; a removal
 * moves later ones back, so there are no tombstones. A tag that fits is only a hint: the entry's
 * whole key is compared. An entry that was replaced or flushed stays in the log as a blank until
 * the tail comes by.
 *
 * Invariants: every index slot points to a live entry between tail and head; every live entry has
 * one slot. The lock of the shard covers all of it.
 *
 * A new size means new memory for every shard, and as a rule another number of shards. It is
 * mapped first, then put in place with all shards locked, which takes as long as writing 64
 * structs; then the old memory is given back. What it held is lost: to copy it would hold the locks
 * for as long as the cache is large. Which shard a hash belongs to is read without a lock and
 * looked at again under the lock; it changes only while all are held. So whoever has got a lock has
 * the right one, and keeps it. Locks are there for the most shards that can be, used or not.
 *
 * Later policies have their places: the step at the tail is where an entry that was read since may
 * be written again at the head (reinsertion) or into a second ring; an expired entry stays findable
 * until the tail takes it, for stale answers.
 *
 * Refused: lists of least recently used ones (two pointers an entry, and a write on every hit); a
 * slab for each size (it holds what one size needs from another); one lock for all.
 */
#include "forward/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* An entry may take this part of its ring: one name must not push out all others. */
#define CACHE_ENTRY_PART 4
/*
 * The index takes this part of a shard: an entry of 120 octets, the smallest that is usual, still
 * has its slot.
 */
#define CACHE_INDEX_PART 16
#define SLOTS_MIN 16
/* Places are 32 bits in units of 8 octets. */
#define CACHE_SHARD_BYTES_MAX ((size_t)16 << 30)

/* Zero, so that an index fresh from the system is empty without being touched. */
#define NO_PLACE 0

/* What stands before every piece of the log. A multiple of 8 octets, as every size is. */
struct piece {
	uint32_t size; /* with this */
	uint32_t live; /* 0: a blank */
};

struct entry {
	struct piece piece;
	uint64_t hash;
	uint64_t put_ms;
	uint64_t memo;
	uint32_t ttl_s, ttl_cap_s;
	uint16_t type, group;
	uint16_t message_len;
	int16_t ede;
	uint8_t name_len, rcode;
	bool do_bit, cd_bit, ad, failed, negative;
	uint8_t octets[]; /* the folded name, then the message */
};

struct slot {
	uint32_t tag;
	uint32_t place; /* in units of 8 octets, counted from one, or NO_PLACE */
};

struct cache_shard {
	_Alignas(64) pthread_mutex_t lock;
	uint8_t *ring;
	uint64_t ring_len;
	uint64_t head, tail;
	struct slot *slots;
	uint32_t slots_mask, entries, entries_max;
};

struct cache {
	_Atomic size_t bytes;
	_Atomic unsigned shift; /* hash >> shift is the shard; 64: there is one */
	size_t mapped;
	uint8_t *memory;
	struct cache_shard shards[CACHE_SHARDS_MAX]; /* those not in use have no memory */
};

/* Of a size: how it is divided. */
struct division {
	unsigned count, shift;
	size_t each;
};

struct cache_key cache_key_of(const struct forward_question *question)
{
	uint64_t rest = (uint64_t)question->type << 32 | (uint64_t)question->group << 8 |
			(uint64_t)question->do_bit << 1 | question->cd_bit;

	return (struct cache_key){
		.hash = hash_join(name_hash(question->name), rest),
		.fold = question->name->fold,
		.len = question->name->len,
		.do_bit = question->do_bit,
		.cd_bit = question->cd_bit,
		.type = question->type,
		.group = question->group,
	};
}

static void shard_clear(struct cache_shard *shard)
{
	if (shard->entries > 0)
		memset(shard->slots, 0, (shard->slots_mask + 1) * sizeof(shard->slots[0]));
	shard->head = shard->tail = 0;
	shard->entries = 0;
}

static void shard_set(struct cache_shard *shard, uint8_t *memory, size_t bytes)
{
	size_t slots = SLOTS_MIN;

	while (2 * slots * sizeof(struct slot) <= bytes / CACHE_INDEX_PART)
		slots *= 2;
	shard->slots = (struct slot *)(void *)memory;
	shard->slots_mask = (uint32_t)(slots - 1);
	shard->entries_max = (uint32_t)(slots / 8 * 7);
	shard->ring = memory + slots * sizeof(struct slot);
	shard->ring_len = bytes > slots * sizeof(struct slot)
				  ? (bytes - slots * sizeof(struct slot)) & ~UINT64_C(7)
				  : 0;
	shard->head = shard->tail = 0;
	shard->entries = 0;
}

static struct division divide(size_t bytes)
{
	struct division division = { .count = 1, .shift = 64 };

	while (division.count < CACHE_SHARDS_MAX &&
	       bytes / (2 * division.count) >= CACHE_SHARD_BYTES_MIN) {
		division.count *= 2;
		division.shift--;
	}
	division.each = bytes / division.count;
	if (division.each > CACHE_SHARD_BYTES_MAX)
		division.each = CACHE_SHARD_BYTES_MAX;
	if (division.each < SLOTS_MIN * sizeof(struct slot))
		division.each = SLOTS_MIN * sizeof(struct slot);
	division.each &= ~(size_t)63;
	return division;
}

/* With all shards locked, or before anybody else knows the cache. */
static void put_in_place(struct cache *cache, const struct division *division, uint8_t *memory)
{
	unsigned i;

	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		if (i < division->count) {
			shard_set(&cache->shards[i], memory + division->each * i, division->each);
		} else {
			cache->shards[i].slots = NULL;
			cache->shards[i].head = cache->shards[i].tail = 0;
			cache->shards[i].entries = 0;
		}
	}
	atomic_store_explicit(&cache->shift, division->shift, memory_order_relaxed);
}

int cache_resize(struct cache *cache, size_t bytes, struct err *err)
{
	struct division division = divide(bytes);
	size_t mapped = division.each * division.count, old_mapped = cache->mapped;
	uint8_t *memory, *old = cache->memory;
	unsigned i;

	if (old && bytes == atomic_load_explicit(&cache->bytes, memory_order_relaxed))
		return 0;
	memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return err_set(err, "cache: cannot map %zu octets; lower cache.size", mapped);
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_lock(&cache->shards[i].lock);
	put_in_place(cache, &division, memory);
	for (i = CACHE_SHARDS_MAX; i > 0; i--)
		pthread_mutex_unlock(&cache->shards[i - 1].lock);
	cache->memory = memory;
	cache->mapped = mapped;
	atomic_store_explicit(&cache->bytes, bytes, memory_order_relaxed);
	if (old)
		munmap(old, old_mapped);
	return 0;
}

struct cache *cache_new(size_t bytes, struct err *err)
{
	struct cache *cache = aligned_alloc(64, sizeof(*cache));
	unsigned i;

	if (!cache) {
		err_set(err, "cache: out of memory");
		return NULL;
	}
	memset(cache, 0, sizeof(*cache));
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_init(&cache->shards[i].lock, NULL);
	if (cache_resize(cache, bytes, err) < 0) {
		cache_free(cache);
		return NULL;
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	unsigned i;

	if (!cache)
		return;
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_destroy(&cache->shards[i].lock);
	if (cache->memory)
		munmap(cache->memory, cache->mapped);
	free(cache);
}

static struct cache_shard *shard_of(struct cache *cache, uint64_t hash)
{
	unsigned shift = atomic_load_explicit(&cache->shift, memory_order_relaxed);

	return &cache->shards[shift == 64 ? 0 : hash >> shift];
}

struct cache_shard *cache_lock(struct cache *cache, uint64_t hash)
{
	struct cache_shard *shard;

	for (;;) {
		shard = shard_of(cache, hash);
		pthread_mutex_lock(&shard->lock);
		if (shard == shard_of(cache, hash))
			return shard;
		pthread_mutex_unlock(&shard->lock);
	}
}

void cache_unlock(struct cache_shard *shard)
{
	pthread_mutex_unlock(&shard->lock);
}

/* The top bits chose the shard, the low ones choose the slot: the tag takes some between. */
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 24);
}

static struct piece *piece_at(const struct cache_shard *shard, uint64_t position)
{
	return (struct piece *)(void *)(shard->ring + position % shard->ring_len);
}

static struct entry *entry_in(const struct cache_shard *shard, const struct slot *slot)
{
	return (struct entry *)(void *)(shard->ring + (uint64_t)(slot->place - 1) * 8);
}

static uint32_t place_of(const struct cache_shard *shard, const struct entry *entry)
{
	return (uint32_t)(((const uint8_t *)entry - shard->ring) / 8) + 1;
}

static bool entry_is(const struct entry *entry, const struct cache_key *key)
{
	return entry->hash == key->hash && entry->type == key->type && entry->group == key->group &&
	       entry->do_bit == key->do_bit && entry->cd_bit == key->cd_bit &&
	       entry->name_len == key->len && memcmp(entry->octets, key->fold, key->len) == 0;
}

/* The key's slot, or NULL. */
static struct slot *find_slot(const struct cache_shard *shard, const struct cache_key *key)
{
	uint32_t at = (uint32_t)key->hash & shard->slots_mask;

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
		home = (uint32_t)entry_in(shard, &shard->slots[at])->hash & shard->slots_mask;
		/*
		 * It may move if the hole is no nearer to its home than home itself, going round.
		 */
		if (((at - home) & shard->slots_mask) < ((at - hole) & shard->slots_mask))
			continue;
		shard->slots[hole] = shard->slots[at];
		hole = at;
	}
	shard->slots[hole].place = NO_PLACE;
	shard->entries--;
}

static void forget_entry(struct cache_shard *shard, const struct entry *entry)
{
	uint32_t place = place_of(shard, entry);
	uint32_t at = (uint32_t)entry->hash & shard->slots_mask;

	while (shard->slots[at].place != place) {
		assert(shard->slots[at].place != NO_PLACE);
		at = (at + 1) & shard->slots_mask;
	}
	remove_slot(shard, &shard->slots[at]);
}

/* The oldest piece goes. */
static void drop_tail(struct cache_shard *shard)
{
	struct piece *piece = piece_at(shard, shard->tail);

	if (piece->live)
		forget_entry(shard, (struct entry *)(void *)piece);
	shard->tail += piece->size;
}

/* Room for `size` octets in one piece at the head, which the caller fills in. */
static struct entry *append(struct cache_shard *shard, uint32_t size)
{
	uint64_t to_end = shard->ring_len - shard->head % shard->ring_len;
	struct piece *piece;

	if (to_end < size) {
		while (shard->head + to_end - shard->tail > shard->ring_len)
			drop_tail(shard);
		*piece_at(shard, shard->head) = (struct piece){ .size = (uint32_t)to_end };
		shard->head += to_end;
	}
	while (shard->head + size - shard->tail > shard->ring_len)
		drop_tail(shard);
	piece = piece_at(shard, shard->head);
	*piece = (struct piece){ .size = size, .live = 1 };
	shard->head += size;
	return (struct entry *)(void *)piece;
}

bool cache_find(struct cache_shard *shard, const struct cache_key *key, uint64_t now_ms,
		uint8_t *buf, size_t cap, struct reply *ret)
{
	const struct slot *slot = find_slot(shard, key);
	const struct entry *entry;
	uint64_t age_ms;

	if (!slot)
		return false;
	entry = entry_in(shard, slot);
	/* Another worker may have put it a moment after this one read its clock. */
	age_ms = now_ms > entry->put_ms ? now_ms - entry->put_ms : 0;
	if (age_ms >= (uint64_t)entry->ttl_s * 1000 || entry->message_len > cap)
		return false;
	memcpy(buf, entry->octets + entry->name_len, entry->message_len);
	*ret = (struct reply){
		.data = buf,
		.len = entry->message_len,
		.group = entry->group,
		.rcode = entry->rcode,
		.ad = entry->ad,
		.failed = entry->failed,
		.negative = entry->negative,
		.ede = entry->ede,
		.age_s = (uint32_t)(age_ms / 1000),
		.ttl_cap_s = entry->ttl_cap_s,
		.memo = entry->memo,
	};
	return true;
}

void cache_put(struct cache_shard *shard, const struct cache_key *key, const struct reply *reply,
	       uint32_t ttl_s, uint64_t now_ms)
{
	size_t size = (sizeof(struct entry) + key->len + reply->len + 7) & ~(size_t)7;
	struct slot *slot = find_slot(shard, key);
	struct entry *entry;
	uint32_t at;

	if (slot)
		remove_slot(shard, slot);
	if (size > shard->ring_len / CACHE_ENTRY_PART)
		return;
	while (shard->entries >= shard->entries_max)
		drop_tail(shard);
	entry = append(shard, (uint32_t)size);
	entry->hash = key->hash;
	entry->put_ms = now_ms;
	entry->memo = 0;
	entry->ttl_s = ttl_s;
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
	memcpy(entry->octets, key->fold, key->len);
	memcpy(entry->octets + key->len, reply->data, reply->len);

	at = (uint32_t)key->hash & shard->slots_mask;
	while (shard->slots[at].place != NO_PLACE)
		at = (at + 1) & shard->slots_mask;
	shard->slots[at].tag = tag_of(key->hash);
	shard->slots[at].place = place_of(shard, entry);
	shard->entries++;
}

void cache_remember(struct cache_shard *shard, const struct cache_key *key, uint64_t memo)
{
	struct slot *slot = find_slot(shard, key);

	if (slot)
		entry_in(shard, slot)->memo = memo;
}

/* Is `name` the end of the entry's name, at a label's boundary? */
static bool entry_ends_with(const struct entry *entry, const struct name *name)
{
	unsigned at = 0;

	while (entry->name_len - at > name->len)
		at += entry->octets[at] + 1u;
	return entry->name_len - at == name->len &&
	       memcmp(entry->octets + at, name->fold, name->len) == 0;
}

static size_t shard_flush(struct cache_shard *shard, const struct name *name)
{
	uint64_t position;
	size_t count = 0;

	for (position = shard->tail; position != shard->head;) {
		struct piece *piece = piece_at(shard, position);
		struct entry *entry = (struct entry *)(void *)piece;

		position += piece->size;
		if (!piece->live || !entry_ends_with(entry, name))
			continue;
		forget_entry(shard, entry);
		count++;
	}
	return count;
}

size_t cache_flush(struct cache *cache, const struct name *name)
{
	size_t count = 0;
	unsigned i;

	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		if (name) {
			count += shard_flush(shard, name);
		} else {
			count += shard->entries;
			shard_clear(shard);
		}
		pthread_mutex_unlock(&shard->lock);
	}
	return count;
}

void cache_count(struct cache *cache, size_t *ret_entries, size_t *ret_bytes, size_t *ret_bytes_max)
{
	size_t entries = 0, bytes = 0;
	unsigned i;

	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		entries += shard->entries;
		bytes += (size_t)(shard->head - shard->tail);
		if (shard->slots)
			bytes += (shard->slots_mask + 1) * sizeof(struct slot);
		pthread_mutex_unlock(&shard->lock);
	}
	*ret_entries = entries;
	*ret_bytes = bytes;
	*ret_bytes_max = atomic_load_explicit(&cache->bytes, memory_order_relaxed);
}
