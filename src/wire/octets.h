/* SPDX-License-Identifier: MIT */
/*
 * Numbers in network byte order (RFC 1035 2.3.2) in octets of our own, at any alignment. What came
 * from outside is read through the cursor.
 */
#ifndef PRIVLINKD_WIRE_OCTETS_H
#define PRIVLINKD_WIRE_OCTETS_H

#include <stdint.h>

static inline uint16_t octets_load_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t octets_load_u32(const uint8_t *p)
{
	return (uint32_t)octets_load_u16(p) << 16 | octets_load_u16(p + 2);
}

static inline void octets_store_u16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void octets_store_u32(uint8_t *p, uint32_t value)
{
	octets_store_u16(p, value >> 16);
	octets_store_u16(p + 2, value & 0xffff);
}

#endif
