/* SPDX-License-Identifier: MIT */
/*
 * Two failures with nothing good between set it aside. It is then probed, and one good thing, by a
 * probe or otherwise, makes it well again at once.
 *
 * Some failures may be the question's fault and not the answerer's: then the second asks for a
 * probe that cannot be its own fault, and the probe decides. What is asked meanwhile goes on as
 * before. A probe is asked for once and not again before its result is there.
 *
 * Between two threads anything may happen between any two of these loads and stores. What may come
 * of it: a failure is not counted, a probe is made twice, or one that is well is probed in vain. It
 * is never aside without a probe to come: who sets it aside asks for one after that, and who takes
 * the request away either makes it, or sees by the request itself that it is aside and ends that.
 * So requests are written with release and taken away by an exchange with acquire; all else is
 * relaxed.
 */
#include "upstream/standing.h"

/* A probe is being made. Far enough away never to be due. */
#define BEING_MADE UINT64_MAX

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

/* Asks for a probe. What was written before is seen by who takes this away. */
static void request(struct standing *standing, uint64_t due_ms)
{
	atomic_store_explicit(&standing->probe_ms, due_ms, memory_order_release);
}

bool standing_is_well(const struct standing *standing)
{
	return get(&standing->aside_ms) == 0;
}

uint64_t standing_aside_ms(const struct standing *standing, uint64_t now_ms)
{
	uint64_t since_ms = get(&standing->aside_ms);

	return since_ms && now_ms > since_ms ? now_ms - since_ms : 0;
}

bool standing_good(struct standing *standing)
{
	bool chance = atomic_load_explicit(&standing->chance, memory_order_relaxed);

	/* Nearly always nothing is to be written: this runs for every answer. */
	if (atomic_load_explicit(&standing->failures, memory_order_relaxed))
		atomic_store_explicit(&standing->failures, 0, memory_order_relaxed);
	if (get(&standing->probe_ms))
		atomic_exchange_explicit(&standing->probe_ms, 0, memory_order_acq_rel);
	if (chance)
		atomic_store_explicit(&standing->chance, false, memory_order_relaxed);
	if (get(&standing->aside_ms) == 0)
		return chance;
	set(&standing->aside_ms, 0);
	atomic_store_explicit(&standing->probes, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&standing->recovered, 1, memory_order_relaxed);
	return true;
}

void standing_give_chance(struct standing *standing)
{
	standing_good(standing);
	atomic_store_explicit(&standing->chance, true, memory_order_relaxed);
}

bool standing_is_unproved(const struct standing *standing)
{
	return get(&standing->aside_ms) ||
	       atomic_load_explicit(&standing->chance, memory_order_relaxed);
}

bool standing_bad(struct standing *standing, bool confirm, uint64_t now_ms)
{
	uint32_t failures =
		atomic_fetch_add_explicit(&standing->failures, 1, memory_order_relaxed) + 1;

	if (failures < STANDING_FAILURES_MAX || get(&standing->probe_ms))
		return false;
	if (confirm) {
		request(standing, now_ms);
		return true;
	}
	set(&standing->aside_ms, now_ms);
	request(standing, now_ms + STANDING_PROBE_FIRST_MS);
	return true;
}

bool standing_take_probe(struct standing *standing, uint64_t now_ms)
{
	uint64_t due_ms = get(&standing->probe_ms);

	if (due_ms == 0 || due_ms > now_ms)
		return false;
	atomic_exchange_explicit(&standing->probe_ms, BEING_MADE, memory_order_acq_rel);
	return true;
}

bool standing_is_probed(const struct standing *standing)
{
	return get(&standing->probe_ms) == BEING_MADE;
}

uint64_t standing_probe_ms(const struct standing *standing)
{
	uint64_t due_ms = get(&standing->probe_ms);

	return due_ms == BEING_MADE ? 0 : due_ms;
}

void standing_put_probe_back(struct standing *standing, uint64_t now_ms)
{
	request(standing, now_ms + STANDING_PROBE_FIRST_MS);
}

bool standing_probe_failed(struct standing *standing, uint64_t now_ms)
{
	uint32_t probes = atomic_load_explicit(&standing->probes, memory_order_relaxed);
	uint64_t first_ms = STANDING_PROBE_FIRST_MS, wait_ms = STANDING_PROBE_MAX_MS;
	bool was_well;

	/* Something good came while it was under way, and took the request away. */
	if (get(&standing->probe_ms) != BEING_MADE)
		return false;
	if (probes < 8 && (first_ms << probes) < wait_ms)
		wait_ms = first_ms << probes;
	atomic_store_explicit(&standing->probes, probes + 1, memory_order_relaxed);
	was_well = get(&standing->aside_ms) == 0;
	if (was_well)
		set(&standing->aside_ms, now_ms);
	request(standing, now_ms + wait_ms);
	return was_well;
}

uint32_t standing_recovered(const struct standing *standing)
{
	return atomic_load_explicit(&standing->recovered, memory_order_relaxed);
}
