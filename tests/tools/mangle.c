/* SPDX-License-Identifier: MIT */
/*
 * Damage to DNS messages.
 *
 * Damage that no reader can tell from an honest message (a bit of an address, an rcode) proves
 * nothing about the reader: the checksum below and the signatures above are there for that. So
 * there are two kinds. mangle_corrupt touches just what a reply is matched by, and a client may
 * then demand the right answer; mangle_scramble touches anything, and a client may demand
 * only that the reader lives on.
 *
 * The walk over records trusts nothing: it stops at the first thing it cannot read.
 */
#include "mangle.h"

#include <string.h>

#define HEADER_LEN 12

static uint64_t state = 1;

void mangle_seed(uint64_t seed)
{
	state = seed ? seed : 1;
}

/* xorshift64*: good enough for throwing dice, and the same on every machine. */
uint32_t mangle_random(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return below ? (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32) % below : 0;
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

/* Behind the name at `at`, or len + 1 where there is none. */
static size_t skip_name(const uint8_t *message, size_t len, size_t at)
{
	while (at < len) {
		if (message[at] >= 0xc0)
			return at + 2;
		if (message[at] == 0)
			return at + 1;
		at += 1u + message[at];
	}
	return len + 1;
}

/* Behind the question, or len where it cannot be read. */
static size_t question_end(const uint8_t *message, size_t len)
{
	size_t at = HEADER_LEN;

	if (len < HEADER_LEN)
		return len;
	for (unsigned i = get16(message + 4); i > 0 && at <= len; i--)
		at = skip_name(message, len, at) + 4;
	return at < len ? at : len;
}

void mangle_poison(uint8_t *message, size_t len)
{
	static const uint8_t v4[4] = { 6, 6, 6, 6 }, v6[16] = { 0x66, 0x66 };
	size_t at = question_end(message, len);

	while (at < len) {
		at = skip_name(message, len, at);
		if (at + 10 > len)
			return;
		unsigned type = get16(message + at), rdata_len = get16(message + at + 8);
		at += 10;
		if (at + rdata_len > len)
			return;
		if (type == 1 && rdata_len == sizeof(v4))
			memcpy(message + at, v4, sizeof(v4));
		else if (type == 28 && rdata_len == sizeof(v6))
			memcpy(message + at, v6, sizeof(v6));
		at += rdata_len;
	}
}

size_t mangle_truncate(uint8_t *message, size_t len)
{
	if (len < HEADER_LEN)
		return len;
	message[2] |= 2;
	memset(message + 6, 0, 6);
	return question_end(message, len);
}

void mangle_corrupt(uint8_t *message, size_t len)
{
	/* QR and the opcode are the upper five bits of the third octet; the rest is left alone. */
	size_t end = question_end(message, len);
	uint32_t bits = 16 + 5 + (end > HEADER_LEN ? (uint32_t)(end - HEADER_LEN) * 8 : 0);
	uint32_t bit = mangle_random(bits);

	if (len < HEADER_LEN)
		return;
	if (bit < 16) {
		message[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		return;
	}
	bit -= 16;
	if (bit < 5) {
		message[2] ^= (uint8_t)(0x80 >> bit);
		return;
	}
	bit -= 5;
	uint8_t *octet = message + HEADER_LEN + bit / 8;
	uint8_t mask = (uint8_t)(0x80 >> bit % 8);
	/* The other case of a letter is the same name: no damage. */
	if (mask == 0x20 && ((*octet | 0x20) >= 'a' && (*octet | 0x20) <= 'z'))
		mask = 0x01;
	*octet ^= mask;
}

void mangle_scramble(uint8_t *message, size_t len)
{
	for (uint32_t n = 1 + mangle_random(8); n > 0 && len > 0; n--)
		message[mangle_random((uint32_t)len)] = (uint8_t)mangle_random(256);
}

void mangle_garbage(uint8_t *message, size_t len)
{
	for (size_t at = question_end(message, len); at < len; at++)
		message[at] = (uint8_t)mangle_random(256);
}

void mangle_noise(uint8_t *message, size_t len)
{
	for (size_t at = 0; at < len; at++)
		message[at] = (uint8_t)mangle_random(256);
}

void mangle_question(uint8_t *message, size_t len)
{
	if (len > HEADER_LEN + 1 && message[HEADER_LEN] > 0)
		message[HEADER_LEN + 1] = message[HEADER_LEN + 1] == 'x' ? 'y' : 'x';
}
