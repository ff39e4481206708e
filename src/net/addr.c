/* SPDX-License-Identifier: MIT */
/*
 * Addresses come as text from the configuration and as sockaddr from the kernel. On a socket of
 * both families an IPv4 client shows as ::ffff:a.b.c.d, so every test of what an address *is* first
 * brings it to one form of 16 octets in which IPv4 is mapped. A prefix is 16 octets and a number
 * of bits in that form.
 *
 * Left so, `::/0` would hold all of IPv4, which nobody who writes it means. Hence: a prefix of
 * fewer than 96 bits never matches an IPv4 address, and `0.0.0.0/0` is 96 bits.
 *
 * inet_pton reads the addresses: it takes no octal, no short forms, no names. Interface names
 * (fe80::1%eth0) need the kernel; that happens when configuration is read, never on the packet
 * path. Everything else is pure; any thread.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bits before an IPv4 address in its mapped form. */
#define MAPPED_BITS 96

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* The 16-octet form. True if it is an IPv4 address. */
static bool to_octets(const union addr *addr, uint8_t octets[16])
{
	if (addr->any.sa_family == AF_INET) {
		memcpy(octets, mapped_prefix, sizeof(mapped_prefix));
		memcpy(octets + 12, &addr->in4.sin_addr, 4);
		return true;
	}
	memcpy(octets, &addr->in6.sin6_addr, 16);
	return memcmp(octets, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* A decimal number without sign or spaces, at most `max`. */
static int parse_number(const char *text, unsigned max, unsigned *ret)
{
	unsigned value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -1;
	}
	*ret = value;
	return 0;
}

/* The index of the interface after '%': its name, or a number. */
static int parse_scope(const char *text, uint32_t *ret)
{
	unsigned number = if_nametoindex(text);

	if (!number && (parse_number(text, 1u << 30, &number) < 0 || !number))
		return -1;
	*ret = number;
	return 0;
}

/* An address without port, in a buffer that may be written to. */
static int parse_host(union addr *ret, char *text)
{
	char *percent = strchr(text, '%');

	if (!percent && inet_pton(AF_INET, text, &ret->in4.sin_addr) == 1) {
		ret->in4.sin_family = AF_INET;
		return 0;
	}
	if (percent) {
		*percent = '\0';
		if (parse_scope(percent + 1, &ret->in6.sin6_scope_id) < 0)
			return -1;
	}
	if (inet_pton(AF_INET6, text, &ret->in6.sin6_addr) != 1)
		return -1;
	ret->in6.sin6_family = AF_INET6;
	return 0;
}

int addr_parse(union addr *ret, const char *text, uint16_t default_port)
{
	char copy[ADDR_TEXT_MAX], *at;
	union addr addr;
	unsigned port = default_port;

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	at = strchr(copy, '@');
	if (at) {
		*at = '\0';
		if (parse_number(at + 1, UINT16_MAX, &port) < 0)
			return -1;
	}
	memset(&addr, 0, sizeof(addr));
	if (parse_host(&addr, copy) < 0)
		return -1;
	addr_set_port(&addr, (uint16_t)port);
	*ret = addr;
	return 0;
}

const char *addr_to_text(const union addr *addr, uint16_t default_port, char text[ADDR_TEXT_MAX])
{
	char name[IF_NAMESIZE];
	uint16_t port = addr_port(addr);
	size_t len;

	if (addr->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &addr->in4.sin_addr, text, ADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, text, ADDR_TEXT_MAX);
	len = strlen(text);
	if (addr->any.sa_family == AF_INET6 && addr->in6.sin6_scope_id) {
		if (!if_indextoname(addr->in6.sin6_scope_id, name))
			snprintf(name, sizeof(name), "%u", (unsigned)addr->in6.sin6_scope_id);
		len += (size_t)snprintf(text + len, ADDR_TEXT_MAX - len, "%%%s", name);
	}
	if (default_port == 0 || port != default_port)
		snprintf(text + len, ADDR_TEXT_MAX - len, "@%u", (unsigned)port);
	return text;
}

socklen_t addr_len(const union addr *addr)
{
	return addr->any.sa_family == AF_INET ? sizeof(addr->in4) : sizeof(addr->in6);
}

uint16_t addr_port(const union addr *addr)
{
	return ntohs(addr->any.sa_family == AF_INET ? addr->in4.sin_port : addr->in6.sin6_port);
}

void addr_set_port(union addr *addr, uint16_t port)
{
	if (addr->any.sa_family == AF_INET)
		addr->in4.sin_port = htons(port);
	else
		addr->in6.sin6_port = htons(port);
}

bool addr_same_host(const union addr *a, const union addr *b)
{
	uint8_t octets_a[16], octets_b[16];
	uint32_t scope_a = a->any.sa_family == AF_INET6 ? a->in6.sin6_scope_id : 0;
	uint32_t scope_b = b->any.sa_family == AF_INET6 ? b->in6.sin6_scope_id : 0;

	if (a->any.sa_family == AF_INET && b->any.sa_family == AF_INET)
		return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	to_octets(a, octets_a);
	to_octets(b, octets_b);
	return memcmp(octets_a, octets_b, 16) == 0 && (!scope_a || !scope_b || scope_a == scope_b);
}

bool addr_equal(const union addr *a, const union addr *b)
{
	return addr_port(a) == addr_port(b) && addr_same_host(a, b);
}

bool addr_is_wildcard(const union addr *addr)
{
	static const uint8_t zeros[16];
	uint8_t octets[16];

	if (to_octets(addr, octets))
		return memcmp(octets + 12, zeros, 4) == 0;
	return memcmp(octets, zeros, 16) == 0;
}

bool addr_is_loopback(const union addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t octets[16];

	if (to_octets(addr, octets))
		return octets[12] == 127;
	return memcmp(octets, one, 16) == 0;
}

bool addr_is_localhost(const union addr *addr)
{
	static const uint8_t one[4] = { 127, 0, 0, 1 };
	uint8_t octets[16];

	if (to_octets(addr, octets))
		return memcmp(octets + 12, one, 4) == 0;
	return addr_is_loopback(addr);
}

bool addr_is_private(const union addr *addr)
{
	uint8_t octets[16];
	const uint8_t *v4 = octets + 12;

	if (!to_octets(addr, octets))
		return (octets[0] & 0xfe) == 0xfc ||
		       (octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80);
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254);
}

/* Do the first `bits` bits agree? */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int addr_prefix_parse(struct addr_prefix *ret, const char *text)
{
	char copy[ADDR_TEXT_MAX], *slash;
	struct addr_prefix prefix;
	union addr addr;
	unsigned bits, i;
	bool is_v4;

	if (strlen(text) >= sizeof(copy) || strpbrk(text, "%@"))
		return -1;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (addr_parse(&addr, copy, 0) < 0)
		return -1;
	is_v4 = addr.any.sa_family == AF_INET;
	bits = is_v4 ? 32 : 128;
	if (slash && parse_number(slash + 1, bits, &bits) < 0)
		return -1;
	to_octets(&addr, prefix.octets);
	prefix.bits = (uint8_t)(is_v4 ? bits + MAPPED_BITS : bits);
	for (i = prefix.bits; i < 128; i++) {
		if (prefix.octets[i / 8] & (0x80 >> i % 8))
			return -1;
	}
	*ret = prefix;
	return 0;
}

bool addr_prefix_match(const struct addr_prefix *prefix, const union addr *addr)
{
	uint8_t octets[16];

	if (to_octets(addr, octets) && prefix->bits < MAPPED_BITS)
		return false;
	return bits_equal(prefix->octets, octets, prefix->bits);
}

bool addr_list_match(const struct addr_list *list, const union addr *addr)
{
	size_t i;

	if (list->any || (list->loopback && addr_is_loopback(addr)) ||
	    (list->private && addr_is_private(addr)))
		return true;
	for (i = 0; i < list->count; i++) {
		if (addr_prefix_match(&list->prefixes[i], addr))
			return true;
	}
	return false;
}
