/* SPDX-License-Identifier: MIT */
/*
 * The one way to read octets that came from outside.
 *
 * A read past the end sets `bad`, gives zeros and moves nothing; it stays bad. So a reader does
 * all its reads and tests `bad` once, at the end. Numbers are in network byte order (RFC 1035
 * 2.3.2).
 */
#ifndef PRIVLINKD_WIRE_CURSOR_H
#define PRIVLINKD_WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *data;
	size_t len;
	size_t at; /* <= len */
	bool bad;
};

static inline struct cursor cursor_over(const void *data, size_t len)
{
	return (struct cursor){ .data = data, .len = len };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->len - c->at;
}

/* `n` octets, or NULL and bad. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p;

	if (cursor_left(c) < n || c->bad) {
		c->bad = true;
		return NULL;
	}
	p = c->data + c->at;
	c->at += n;
	return p;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
	(void)cursor_bytes(c, n);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* Moves to an offset from the start; past the end is bad. */
static inline void cursor_seek(struct cursor *c, size_t at)
{
	if (c->bad || at > c->len) {
		c->bad = true;
		return;
	}
	c->at = at;
}

#endif
