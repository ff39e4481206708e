/* SPDX-License-Identifier: MIT */
/*
 * Ids and ports of forwarded questions are what stands between us and forged answers (RFC 5452), so
 * they come from the kernel's generator and nothing of ours in between. A system call for each
 * would cost about as much as the rest of a forwarded query; so each thread draws a block and
 * deals it out. What was dealt is wiped, so that a later leak of memory does not tell old ids.
 *
 * A failure of getrandom after random_start went well cannot happen on Linux; there is nothing safe
 * to do then, so we stop.
 */
#include "net/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Up to 256 octets getrandom is never cut short (getrandom(2)); 128 ids a call. */
#define BLOCK_LEN 256

static _Thread_local struct {
	uint8_t octets[BLOCK_LEN];
	size_t left; /* still to deal, at the end */
} block;

static int draw(uint8_t *octets, size_t len)
{
	ssize_t got;

	while (len > 0) {
		got = getrandom(octets, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		octets += got;
		len -= (size_t)got;
	}
	return 0;
}

int random_start(struct err *err)
{
	uint8_t octet;

	/* Blocks until the kernel's generator is ready, early at boot. */
	if (draw(&octet, 1) < 0)
		return err_set(err, "getrandom: %s; the kernel must offer it", strerror(errno));
	return 0;
}

void random_bytes(void *ret, size_t len)
{
	uint8_t *out = ret, *from;
	size_t n;

	while (len > 0) {
		if (block.left == 0) {
			if (draw(block.octets, BLOCK_LEN) < 0)
				abort();
			block.left = BLOCK_LEN;
		}
		n = len < block.left ? len : block.left;
		from = block.octets + BLOCK_LEN - block.left;
		memcpy(out, from, n);
		explicit_bzero(from, n);
		block.left -= n;
		out += n;
		len -= n;
	}
}

uint16_t random_u16(void)
{
	uint16_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

uint32_t random_below(uint32_t bound)
{
	uint32_t value, rest;

	assert(bound > 0);
	/* 2^32 modulo bound: values below it would make some results likelier. */
	rest = -bound % bound;
	do {
		random_bytes(&value, sizeof(value));
	} while (value < rest);
	return value % bound;
}
