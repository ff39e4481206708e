/* SPDX-License-Identifier: MIT */
/*
 * Which names a cache of so many octets should keep: the cache itself (src/forward) beside others
 * that are simulated, over the same questions.
 *
 *     policy [OCTETS]                       one line a trace and policy: rate of hits, in per cent
 *
 * First-in-first-out, least recently used and CLOCK (first-in-first-out that gives what was asked
 * for since another round) are lists over an array here. They are given the octets that the real
 * one has left beside its index, and pay for an entry what it pays, but nothing for their lists.
 * The cache runs with a clock that stands still: nothing expires. Questions are drawn with a fixed
 * seed. Clarity over speed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/cache.h"
#include "wire/types.h"

#define QUESTIONS 2000000
#define HOT_MAX 50000
/* So that the cache is full before anything counts. */
#define WARM_UP (QUESTIONS / 5)

/* A question: names of the hot set are numbered below `hot`, others are never asked for again. */
struct trace {
	const char *title;
	unsigned hot;
	double skew;     /* of Zipf's law over the hot set; 0: all alike */
	unsigned others; /* of a hundred questions so many are for names that never come again */
	unsigned scan;   /* every so many questions as many in one go; 0: none */
	unsigned scan_len;
};

static const struct trace traces[] = {
	{ "hot set alone, a third more than fits", 9000, 0.9, 0, 0, 0 },
	{ "hot set, half of all random labels", 4000, 0.9, 50, 0, 0 },
	{ "hot set, 9 of 10 random labels", 4000, 0.9, 90, 0, 0 },
	{ "small hot set all alike, 9 of 10 random labels", 500, 0, 90, 0, 0 },
	{ "long tail, scans of 10,000 names", 50000, 1.0, 0, 50000, 10000 },
};

enum policy {
	POLICY_FIFO,
	POLICY_LRU,
	POLICY_CLOCK,
	POLICIES,
};

static const char *const titles[] = { "first in, first out", "least recently used", "CLOCK" };

/* ---- the questions --------------------------------------------------------------------------- */

static uint32_t questions[QUESTIONS];
static double below[HOT_MAX]; /* the share of the first so many names */

static double uniform(void)
{
	return (double)(random() & 0x7fffffff) / 0x80000000;
}

static uint32_t draw_hot(const struct trace *trace)
{
	double at = uniform() * below[trace->hot - 1];
	unsigned low = 0, high = trace->hot - 1;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (below[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void draw(const struct trace *trace)
{
	uint32_t other = trace->hot;
	unsigned i, scan = 0;

	srandom(1);
	for (i = 0; i < trace->hot; i++)
		below[i] = (i ? below[i - 1] : 0) + pow(i + 1, -trace->skew);
	for (i = 0; i < QUESTIONS; i++) {
		if (trace->scan && i % trace->scan == 0)
			scan = trace->scan_len;
		if (scan > 0 || (unsigned)(random() % 100) < trace->others) {
			questions[i] = other++;
			scan -= scan > 0;
		} else {
			questions[i] = draw_hot(trace);
		}
	}
}

/* Octets of the reply to a question: those of an address or two, rarely more. */
static size_t message_len(uint32_t question)
{
	return 60 + question * UINT32_C(2654435761) % 150;
}

/* What an entry costs the real cache: what it knows of it, the name, the message. */
#define ENTRY_FIXED 74

static void name_of(uint32_t question, struct name *ret)
{
	char text[64];

	snprintf(text, sizeof(text), "name%07u.some.example", question);
	name_from_text(ret, text, strlen(text));
}

static size_t entry_len(uint32_t question)
{
	return (ENTRY_FIXED + 26 + message_len(question) + 7) / 8 * 8;
}

/* ---- policies that are simulated ------------------------------------------------------------- */

static struct {
	uint32_t newer, older;
	bool there;
	uint8_t visits;
} * entries;
static uint32_t newest, oldest;
static size_t used;
#define NOBODY UINT32_MAX

static void unlink_entry(uint32_t i)
{
	if (entries[i].newer != NOBODY)
		entries[entries[i].newer].older = entries[i].older;
	else
		newest = entries[i].older;
	if (entries[i].older != NOBODY)
		entries[entries[i].older].newer = entries[i].newer;
	else
		oldest = entries[i].newer;
}

static void link_newest(uint32_t i)
{
	entries[i].newer = NOBODY;
	entries[i].older = newest;
	if (newest != NOBODY)
		entries[newest].newer = i;
	else
		oldest = i;
	newest = i;
}

static void make_room(enum policy policy, size_t len, size_t octets)
{
	while (used + len > octets) {
		uint32_t i = oldest;

		unlink_entry(i);
		if (policy == POLICY_CLOCK && entries[i].visits > 0) {
			entries[i].visits--;
			link_newest(i);
			continue;
		}
		entries[i].there = false;
		used -= entry_len(i);
	}
}

/* Is it there? If not it is put in. */
static bool simulate(enum policy policy, uint32_t i, size_t octets)
{
	if (entries[i].there) {
		if (entries[i].visits < 3)
			entries[i].visits++;
		if (policy == POLICY_LRU) {
			unlink_entry(i);
			link_newest(i);
		}
		return true;
	}
	make_room(policy, entry_len(i), octets);
	entries[i].there = true;
	entries[i].visits = 0;
	used += entry_len(i);
	link_newest(i);
	return false;
}

/* ---- the real one ---------------------------------------------------------------------------- */

static bool ask_cache(struct cache *cache, uint32_t i)
{
	static const struct cache_rules rules = { .ttl_max_s = 86400, .negative_ttl_max_s = 900 };
	static uint8_t buf[REPLY_LEN_MAX];
	struct forward_question question = { .type = TYPE_A };
	struct reply reply = { .data = buf, .len = message_len(i), .ttl_cap_s = 86400 };
	struct cache_shard *shard;
	struct question_key key;
	struct name name;
	bool found;

	name_of(i, &name);
	question.name = &name;
	key = cache_key_of(&question);
	shard = cache_lock(cache, key.hash);
	found = cache_find(shard, &key, &rules, CACHE_USUAL, 1, buf, sizeof(buf), &reply) !=
		CACHE_NONE;
	if (!found)
		cache_put(shard, &key, &reply, 86400, &rules, 1);
	cache_unlock(shard);
	return found;
}

/* ---- */

struct score {
	uint64_t asked[2], hits[2]; /* of names that never come again; of the hot set */
};

static void count(struct score *score, const struct trace *trace, unsigned at, bool found)
{
	bool hot = questions[at] < trace->hot;

	if (at < WARM_UP)
		return;
	score->asked[hot]++;
	score->hits[hot] += found;
}

static void print(const struct trace *trace, const char *policy, const struct score *score)
{
	printf("| %s | %s | %.1f |\n", trace->title, policy,
	       100.0 * (double)score->hits[1] / (double)score->asked[1]);
}

static void run(const struct trace *trace, size_t octets)
{
	struct cache *cache = cache_new(octets, NULL);
	struct score score = { 0 };
	unsigned policy, i;

	draw(trace);
	for (i = 0; i < QUESTIONS; i++)
		count(&score, trace, i, ask_cache(cache, questions[i]));
	print(trace, "privlinkd's cache", &score);
	cache_free(cache);
	for (policy = 0; policy < POLICIES; policy++) {
		memset(&score, 0, sizeof(score));
		memset(entries, 0, sizeof(*entries) * (QUESTIONS + HOT_MAX));
		newest = oldest = NOBODY;
		used = 0;
		for (i = 0; i < QUESTIONS; i++)
			count(&score, trace, i,
			      simulate(policy, questions[i], octets - octets / 32 * 3));
		print(trace, titles[policy], &score);
	}
}

int main(int argc, char **argv)
{
	size_t octets = argc > 1 ? strtoul(argv[1], NULL, 10) : 1 << 20, i;

	entries = calloc(QUESTIONS + HOT_MAX, sizeof(*entries));
	if (!entries)
		return 1;
	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		run(&traces[i], octets);
	free(entries);
	return 0;
}
