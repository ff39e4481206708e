/* SPDX-License-Identifier: MIT */
/*
 * Strangers choose the names that end up in our tables (cache, flight, misses), so a known hash
 * would let them put thousands into one chain. What is asked for is little, though: nobody ever
 * sees a hash, only how long we take, and the keys are mostly labels of 3 to 30 octets, six or so
 * a query. A cipher-like hash such as SipHash would cost more than the rest of a look-up.
 *
 * The core is a folded product: two 64-bit words are mixed with key words that are secret, then
 * multiplied to 128 bits, and the halves are xored. Every bit of input then reaches every bit of
 * output through a carry chain that depends on the key. For one pair of different inputs of up to
 * 16 octets the chance of a collision is near 2^-60 over the choice of the key, and finding a pair
 * that collides more often needs the key, which is drawn anew in every process and shows nowhere.
 * Longer input is chained block by block; the state going in is as secret as the key. This is
 * flood protection, not a MAC: nothing may depend on a hash for the truth of a comparison.
 *
 * Length goes into the last product, so that overlapping reads at the tail (first and last 8 or 4
 * octets) still tell all inputs apart. Not into the first state: there `n1` and `n10` would meet
 * under half of all keys, a difference of length making up for one of data. No read leaves the
 * input. The values depend on the byte order of the machine; they never leave the process.
 *
 * The key is written once before threads start; after that everything here is pure.
 */
#include "base/hash.h"

#include <string.h>

/* Until hash_seed: digits of pi's fraction, so that nobody need ask where they are from. */
static uint64_t hash_key[4] = {
	UINT64_C(0x243f6a8885a308d3),
	UINT64_C(0x13198a2e03707344),
	UINT64_C(0xa4093822299f31d0),
	UINT64_C(0x082efa98ec4e6c89),
};

void hash_seed(const uint8_t key[32])
{
	memcpy(hash_key, key, sizeof(hash_key));
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint64_t load32(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

uint64_t hash_bytes(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t state = hash_key[0], all = len;
	uint64_t a = 0, b = 0;

	for (; len > 16; len -= 16, p += 16)
		state = fold(load64(p) ^ hash_key[1], load64(p + 8) ^ state) ^ hash_key[2];
	if (len >= 8) {
		a = load64(p);
		b = load64(p + len - 8);
	} else if (len >= 4) {
		a = load32(p);
		b = load32(p + len - 4);
	} else if (len > 0) {
		a = p[0];
		b = (uint64_t)p[len / 2] << 8 | p[len - 1];
	}
	state = fold(a ^ hash_key[2], b ^ state);
	/* Once more: the low bits, which pick a bucket, must hang on all bits of the product. */
	return fold(state ^ hash_key[3] ^ all, hash_key[1] | 1);
}
