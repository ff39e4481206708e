/* SPDX-License-Identifier: MIT */
/*
 * Which hosts are surely not among those that were added: asked for a packet, so without a lock.
 *
 * One bit a host, by the hash of its address. Hosts are not taken out again. Any thread.
 */
#ifndef PRIVLINKD_NET_HOSTFILTER_H
#define PRIVLINKD_NET_HOSTFILTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "net/addr.h"

/* With a dozen hosts in it one stranger in a hundred passes. */
#define HOSTFILTER_BITS 1024

struct hostfilter {
	_Atomic uint64_t bits[HOSTFILTER_BITS / 64];
};

/* IPv4-mapped IPv6 is the same as its IPv4; ports and scopes do not count. */
static inline unsigned hostfilter_bit(const union addr *host)
{
	const uint8_t *octets = host->in6.sin6_addr.s6_addr;
	size_t len = 16;

	if (host->any.sa_family == AF_INET) {
		octets = (const uint8_t *)&host->in4.sin_addr;
		len = 4;
	} else if (IN6_IS_ADDR_V4MAPPED(&host->in6.sin6_addr)) {
		octets += 12;
		len = 4;
	}
	return (unsigned)(hash_bytes(octets, len) % HOSTFILTER_BITS);
}

static inline void hostfilter_add(struct hostfilter *filter, const union addr *host)
{
	unsigned bit = hostfilter_bit(host);

	atomic_fetch_or_explicit(&filter->bits[bit / 64], UINT64_C(1) << bit % 64,
				 memory_order_relaxed);
}

static inline bool hostfilter_may_have(const struct hostfilter *filter, const union addr *host)
{
	unsigned bit = hostfilter_bit(host);

	return atomic_load_explicit(&filter->bits[bit / 64], memory_order_relaxed) >> bit % 64 & 1;
}

#endif
