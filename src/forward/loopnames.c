/* SPDX-License-Identifier: MIT */
/*
 * The random bits of a slot are two atomic words. A reader that meets a change may see one old and
 * one new word: that matches no name that was ever sent.
 *
 * Below the root the name has one more random label. A name of one label would not be asked on by
 * every server that asks everything on: dnsmasq (`domain-needed`), systemd-resolved and stub
 * resolvers keep those for themselves.
 */
#include "forward/loopnames.h"

#include <string.h>

#include "net/random.h"

static const char prefix[] = "loop-probe-";
#define PREFIX_LEN (sizeof(prefix) - 1)
/* Prefix, slot, hyphen, random bits. */
#define LABEL_LEN (PREFIX_LEN + 2 + 1 + 32)
#define SECOND_LABEL_LEN 8

static const char hex[] = "0123456789abcdef";

static void write_hex(uint8_t *out, uint64_t value, unsigned digits)
{
	while (digits-- > 0) {
		out[digits] = (uint8_t)hex[value & 15];
		value >>= 4;
	}
}

/* -1: no hexadecimal digits in lower case. */
static int read_hex(const uint8_t *in, unsigned digits, uint64_t *ret)
{
	uint64_t value = 0;

	for (; digits > 0; digits--, in++) {
		const char *digit = *in ? strchr(hex, *in) : NULL;

		if (!digit)
			return -1;
		value = value << 4 | (uint64_t)(digit - hex);
	}
	*ret = value;
	return 0;
}

static size_t write_second_label(uint8_t *out)
{
	unsigned i;

	out[0] = SECOND_LABEL_LEN;
	for (i = 1; i <= SECOND_LABEL_LEN; i++)
		out[i] = (uint8_t)('a' + random_below(26));
	return SECOND_LABEL_LEN + 1;
}

bool loopnames_is_known(const struct loopnames *names, uint32_t i, uint64_t now_ms)
{
	return names->slot[i].waiting || now_ms < names->slot[i].until_ms;
}

uint32_t loopnames_take(struct loopnames *names, const uint8_t *zone, uint64_t pair,
			uint64_t now_ms, uint64_t until_ms, struct name *ret)
{
	uint8_t wire[NAME_WIRE_MAX + LABEL_LEN + 1 + SECOND_LABEL_LEN + 1];
	uint64_t random[2];
	size_t len = 1 + LABEL_LEN, zone_len = name_wire_len(zone);
	uint32_t i = names->next % LOOPNAMES_MAX, tried;

	for (tried = 0; tried < LOOPNAMES_MAX && loopnames_is_known(names, i, now_ms); tried++)
		i = (i + 1) % LOOPNAMES_MAX;
	if (tried == LOOPNAMES_MAX)
		return LOOPNAMES_NONE;
	random_bytes(random, sizeof(random));
	random[0] |= 1; /* never both 0 */
	wire[0] = LABEL_LEN;
	memcpy(wire + 1, prefix, PREFIX_LEN);
	write_hex(wire + 1 + PREFIX_LEN, i, 2);
	wire[1 + PREFIX_LEN + 2] = '-';
	write_hex(wire + 1 + PREFIX_LEN + 3, random[0], 16);
	write_hex(wire + 1 + PREFIX_LEN + 19, random[1], 16);
	if (zone_len == 1)
		len += write_second_label(wire + len);
	memcpy(wire + len, zone, zone_len);
	len += zone_len;
	if (len > NAME_WIRE_MAX || name_from_wire(ret, wire, len) < 0)
		return LOOPNAMES_NONE;
	atomic_store_explicit(&names->slot[i].random[0], random[0], memory_order_relaxed);
	atomic_store_explicit(&names->slot[i].random[1], random[1], memory_order_relaxed);
	names->slot[i].pair = pair;
	names->slot[i].until_ms = until_ms;
	names->slot[i].waiting = true;
	names->slot[i].returned = false;
	names->next = i + 1;
	return i;
}

bool loopnames_is_too_long(size_t zone_len)
{
	return 1 + LABEL_LEN + zone_len > NAME_WIRE_MAX;
}

uint32_t loopnames_find(const struct loopnames *names, const struct name *name)
{
	const uint8_t *label = name->fold + 1;
	uint64_t slot, random[2];

	if (name->fold[0] != LABEL_LEN || memcmp(label, prefix, PREFIX_LEN) != 0 ||
	    label[PREFIX_LEN + 2] != '-' || read_hex(label + PREFIX_LEN, 2, &slot) < 0 ||
	    read_hex(label + PREFIX_LEN + 3, 16, &random[0]) < 0 ||
	    read_hex(label + PREFIX_LEN + 19, 16, &random[1]) < 0)
		return LOOPNAMES_NONE;
	if (random[0] == 0 ||
	    atomic_load_explicit(&names->slot[slot].random[0], memory_order_relaxed) != random[0] ||
	    atomic_load_explicit(&names->slot[slot].random[1], memory_order_relaxed) != random[1])
		return LOOPNAMES_NONE;
	return (uint32_t)slot;
}
