/* SPDX-License-Identifier: MIT */
/*
 * Keyed hashing for tables that strangers choose the keys of.
 *
 * The key is drawn once a process. Until hash_seed is called a fixed key is in force, so that
 * tests, fuzzers and the offline tools repeat themselves.
 */
#ifndef PRIVLINKD_BASE_HASH_H
#define PRIVLINKD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 32 octets from the kernel's random source. Once, before anything was hashed and before
 * threads. */
void hash_seed(const uint8_t key[32]);

/* Of `len` octets. Any thread. */
uint64_t hash_bytes(const void *data, size_t len);

/* Joins two hashes; the order counts: hash_join(a, b) is not hash_join(b, a). */
static inline uint64_t hash_join(uint64_t left, uint64_t right)
{
	uint64_t x = ((left << 23) | (left >> 41)) ^ right;

	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 32);
}

#endif
