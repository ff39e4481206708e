/* SPDX-License-Identifier: MIT */
/*
 * A slot a file, sorted by the hash of its path: a start fills it once, afterwards nearly every
 * call finds what is there. Looks are one number, a hash of what stat says; 0 stands for "not
 * there", so a file that is gone and was loaded as gone needs no slot.
 *
 * "Changed" is: looks now and looks when loaded are not the same. The looks when loaded come from
 * the load itself, taken around its reading, and not from a look before or after it: nothing that
 * happens in between can be missed, and nothing is read twice because of it.
 *
 * A path that two entries name belongs to the first, as in a load.
 *
 * One thread, that of loads and the watch.
 */
#include "source/still.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

struct slot {
	uint64_t path_hash;
	uint64_t looks;    /* now; 0: not there */
	uint64_t loaded;   /* when loaded; 0: not there */
	uint64_t since_ms; /* looks so */
	uint64_t wait_ms;
	size_t entry;
	bool noted; /* in the look under way */
};

struct still {
	size_t count, cap;
	struct slot *slot;
	bool looked; /* a look has ended */
};

struct still *still_new(void)
{
	return calloc(1, sizeof(struct still));
}

void still_free(struct still *still)
{
	if (!still)
		return;
	free(still->slot);
	free(still);
}

static uint64_t looks_of(const struct stat *st)
{
	uint64_t numbers[] = { st->st_dev,
			       st->st_ino,
			       (uint64_t)st->st_size,
			       st->st_mode & S_IFMT,
			       (uint64_t)st->st_mtim.tv_sec,
			       (uint64_t)st->st_mtim.tv_nsec,
			       (uint64_t)st->st_ctim.tv_sec,
			       (uint64_t)st->st_ctim.tv_nsec };

	return hash_bytes(numbers, sizeof(numbers)) | 1;
}

/* Where the slot is, or is to be. */
static size_t place(const struct still *still, uint64_t path_hash)
{
	size_t low = 0, high = still->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (still->slot[middle].path_hash < path_hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The file's slot, a new one (not there, not loaded) if need be; NULL: no room. */
static struct slot *take(struct still *still, const char *path, size_t entry)
{
	uint64_t path_hash = hash_bytes(path, strlen(path));
	size_t at = place(still, path_hash);
	struct slot *slot;

	if (at < still->count && still->slot[at].path_hash == path_hash)
		return &still->slot[at];
	if (still->count == STILL_FILES_MAX)
		return NULL;
	if (still->count == still->cap) {
		size_t cap = still->cap ? still->cap * 2 : 64;

		slot = realloc(still->slot, cap * sizeof(*slot));
		if (!slot)
			return NULL;
		still->slot = slot;
		still->cap = cap;
	}
	slot = &still->slot[at];
	memmove(slot + 1, slot, (still->count - at) * sizeof(*slot));
	still->count++;
	*slot = (struct slot){ .path_hash = path_hash, .entry = entry };
	return slot;
}

/* By the file's own times: since when at the most. */
static uint64_t age_ms(const struct stat *st)
{
	const struct timespec *last = &st->st_mtim;
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (st->st_ctim.tv_sec > last->tv_sec ||
	    (st->st_ctim.tv_sec == last->tv_sec && st->st_ctim.tv_nsec > last->tv_nsec))
		last = &st->st_ctim;
	if (now.tv_sec - last->tv_sec > STILL_COARSE_MS / 1000 + 1)
		return STILL_COARSE_MS;
	ms = (int64_t)(now.tv_sec - last->tv_sec) * 1000 + (now.tv_nsec - last->tv_nsec) / 1000000;
	return ms > 0 ? (uint64_t)ms : 0;
}

uint64_t still_note(struct still *still, const char *path, const struct stat *st, size_t entry,
		    uint64_t now_ms)
{
	uint64_t looks = st ? looks_of(st) : 0, age;
	struct slot *slot = take(still, path, entry);

	if (!slot)
		return UINT64_MAX;
	if (entry < slot->entry)
		slot->entry = entry;
	slot->noted = true;
	if (slot->looks != looks || !slot->since_ms) {
		age = st && !still->looked ? age_ms(st) : 0;
		slot->looks = looks;
		slot->since_ms = age < now_ms ? now_ms - age : 1;
	}
	return now_ms - slot->since_ms;
}

void still_look_begin(struct still *still, size_t entry)
{
	for (size_t i = 0; i < still->count; i++)
		if (still->slot[i].entry == entry)
			still->slot[i].noted = false;
}

/* Slots that say nothing any more. */
static void drop(struct still *still)
{
	size_t kept = 0;

	for (size_t i = 0; i < still->count; i++)
		if (still->slot[i].looks || still->slot[i].loaded || still->slot[i].wait_ms)
			still->slot[kept++] = still->slot[i];
	still->count = kept;
}

void still_look_end(struct still *still, size_t entry, uint64_t now_ms)
{
	for (size_t i = 0; i < still->count; i++) {
		struct slot *slot = &still->slot[i];

		if (slot->entry == entry && !slot->noted && slot->looks) {
			slot->looks = 0;
			slot->since_ms = now_ms;
		}
	}
	drop(still);
	still->looked = true;
}

void still_load_begin(struct still *still)
{
	for (size_t i = 0; i < still->count; i++)
		still->slot[i].loaded = still->slot[i].wait_ms = 0;
}

void still_loaded(struct still *still, const char *path, const struct stat *st, size_t entry,
		  uint64_t wait_ms)
{
	struct slot *slot = take(still, path, entry);

	if (!slot)
		return;
	slot->loaded = st->st_ino ? looks_of(st) : 0;
	slot->wait_ms = wait_ms;
	slot->entry = entry;
}

void still_load_end(struct still *still, size_t entries)
{
	for (size_t i = 0; i < still->count; i++)
		if (still->slot[i].entry >= entries)
			still->slot[i] = (struct slot){ .path_hash = still->slot[i].path_hash };
	drop(still);
}

struct still_summary still_summarize(const struct still *still, uint64_t now_ms)
{
	struct still_summary summary = { .next_ms = UINT64_MAX };

	for (size_t i = 0; i < still->count; i++) {
		const struct slot *slot = &still->slot[i];
		uint64_t still_ms = now_ms - slot->since_ms;

		if (slot->looks != slot->loaded) {
			if (still_ms >= STILL_QUIET_MS)
				summary.ready++;
			else
				summary.busy++;
		} else if (slot->wait_ms && still_ms >= slot->wait_ms) {
			summary.ready++;
		} else if (slot->wait_ms && slot->wait_ms - still_ms < summary.next_ms) {
			summary.next_ms = slot->wait_ms - still_ms;
		}
	}
	return summary;
}
