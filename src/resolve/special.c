/* SPDX-License-Identifier: MIT */
/*
 * A short table of suffixes, walked only for names that are not held and have one of four endings:
 * `localhost`, `invalid`, `onion` and `arpa`, told apart by their last label. Everything else
 * leaves at once.
 *
 * Windows' nslookup asks for the PTR of its server before anything else and says "timed out" where
 * nobody answers. So the addresses that we listen on have one: `localhost` for loopback, and for
 * others a name inside resolver.arpa, which RFC 9462 6.4 keeps on this machine anyway: it leaks
 * nothing and leads nowhere.
 *
 * Reverse zones of private addresses are answered with NXDOMAIN (RFC 6303 3) unless somebody behind
 * us can know them.
 */
#include "resolve/special.h"

#include <string.h>

#include "wire/types.h"

/* A wire name without its root, and how many labels that is. */
struct suffix {
	const char *wire;
	uint8_t len, labels;
};
#define SUFFIX(text, count)                   \
	{                                     \
		text, sizeof(text) - 1, count \
	}

/* RFC 6303 4.1 to 4.6; 172.16/12, RFC 7793's 100.64/10, `::` and `::1` below. */
static const struct suffix private_reverse[] = {
	SUFFIX("\00210\007in-addr\004arpa", 3),
	SUFFIX("\003168\003192\007in-addr\004arpa", 4),
	SUFFIX("\0010\007in-addr\004arpa", 3),
	SUFFIX("\003127\007in-addr\004arpa", 3),
	SUFFIX("\003254\003169\007in-addr\004arpa", 4),
	SUFFIX("\0012\0010\003192\007in-addr\004arpa", 5),
	SUFFIX("\003100\00251\003198\007in-addr\004arpa", 5),
	SUFFIX("\003113\0010\003203\007in-addr\004arpa", 5),
	SUFFIX("\003255\003255\003255\003255\007in-addr\004arpa", 6),
	SUFFIX("\001d\001f\003ip6\004arpa", 4),
	SUFFIX("\0018\001e\001f\003ip6\004arpa", 5),
	SUFFIX("\0019\001e\001f\003ip6\004arpa", 5),
	SUFFIX("\001a\001e\001f\003ip6\004arpa", 5),
	SUFFIX("\001b\001e\001f\003ip6\004arpa", 5),
	SUFFIX("\0018\001b\001d\0010\0011\0010\0010\0012\003ip6\004arpa", 10),
};

static const uint8_t rdata_localhost[] = "\011localhost";
static const uint8_t rdata_self[] = "\011privlinkd\010resolver\004arpa";
static const uint8_t rdata_loopback4[] = { 127, 0, 0, 1 };
static const uint8_t rdata_loopback6[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };

static bool ends_with(const struct name *name, const char *wire, size_t len, unsigned labels)
{
	size_t at;

	if (name->labels < labels)
		return false;
	at = name->at[name->labels - labels];
	return (size_t)name->len - 1 - at == len && memcmp(name->fold + at, wire, len) == 0;
}
#define ENDS_WITH(name, text, labels) ends_with(name, text, sizeof(text) - 1, labels)

/* A decimal label of an in-addr.arpa name; -1 if it is none (leading zeros included). */
static int octet_of(const uint8_t *label)
{
	int i, value = 0;

	if (label[0] < 1 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return -1;
	for (i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		value = value * 10 + label[i] - '0';
	}
	return value > 255 ? -1 : value;
}

static int nibble_of(const uint8_t *label)
{
	if (label[0] != 1)
		return -1;
	if (label[1] >= '0' && label[1] <= '9')
		return label[1] - '0';
	return label[1] >= 'a' && label[1] <= 'f' ? label[1] - 'a' + 10 : -1;
}

/* The address that a whole reverse name stands for (RFC 1035 3.5, RFC 3596 2.5). */
static bool address_of(const struct name *name, union addr *ret)
{
	uint8_t *octets;
	int i, value, low;

	memset(ret, 0, sizeof(*ret));
	if (name->labels == 6 && ENDS_WITH(name, "\007in-addr\004arpa", 2)) {
		ret->in4.sin_family = AF_INET;
		octets = (uint8_t *)&ret->in4.sin_addr;
		for (i = 0; i < 4; i++) {
			value = octet_of(name->fold + name->at[3 - i]);
			if (value < 0)
				return false;
			octets[i] = (uint8_t)value;
		}
		return true;
	}
	if (name->labels == 34 && ENDS_WITH(name, "\003ip6\004arpa", 2)) {
		ret->in6.sin6_family = AF_INET6;
		octets = (uint8_t *)&ret->in6.sin6_addr;
		for (i = 0; i < 16; i++) {
			value = nibble_of(name->fold + name->at[31 - 2 * i]);
			low = nibble_of(name->fold + name->at[30 - 2 * i]);
			if (value < 0 || low < 0)
				return false;
			octets[i] = (uint8_t)(value << 4 | low);
		}
		return true;
	}
	return false;
}

static bool is_own(const struct view *view, const union addr *addr, const union addr *to)
{
	size_t i;

	if (to && addr_same_host(addr, to))
		return true;
	for (i = 0; i < view->listen_count; i++)
		if (!addr_is_wildcard(&view->listen[i]) && addr_same_host(addr, &view->listen[i]))
			return true;
	return false;
}

static struct special data(uint16_t type, const uint8_t *rdata, size_t len, unsigned zone_labels)
{
	return (struct special){ .kind = SPECIAL_DATA,
				 .zone_labels = (uint8_t)zone_labels,
				 .type = type,
				 .rdata = rdata,
				 .rdata_len = (uint16_t)len };
}

static struct special nothing(enum special_kind kind, unsigned zone_labels)
{
	return (struct special){ .kind = kind, .zone_labels = (uint8_t)zone_labels };
}

/* 100.64.0.0/10: 64 to 127 before 100.in-addr.arpa (RFC 7793); 172.16.0.0/12 likewise (RFC 6303
 * 4.2). */
static bool in_range(const struct name *name, const char *wire, size_t len, int from, int to)
{
	int value;

	if (name->labels < 4)
		return false;
	if (!ends_with(name, wire, len, 3))
		return false;
	value = octet_of(name->fold + name->at[name->labels - 4]);
	return value >= from && value <= to;
}
#define IN_RANGE(name, text, from, to) in_range(name, text, sizeof(text) - 1, from, to)

/* `::` and `::1` (RFC 6303 4.5): 31 zeros before the last nibble, which is the first label. */
static bool is_low_ip6(const struct name *name)
{
	unsigned i;

	if (name->labels < 34 || !ENDS_WITH(name, "\003ip6\004arpa", 2))
		return false;
	for (i = name->labels - 33u; i < name->labels - 2u; i++)
		if (nibble_of(name->fold + name->at[i]) != 0)
			return false;
	i = name->labels - 34u;
	return nibble_of(name->fold + name->at[i]) == 0 || nibble_of(name->fold + name->at[i]) == 1;
}

/* Labels of the private reverse zone that the name is in, or 0. */
static unsigned private_reverse_zone(const struct name *name)
{
	size_t i;

	for (i = 0; i < sizeof(private_reverse) / sizeof(private_reverse[0]); i++)
		if (ends_with(name, private_reverse[i].wire, private_reverse[i].len,
			      private_reverse[i].labels))
			return private_reverse[i].labels;
	if (IN_RANGE(name, "\003172\007in-addr\004arpa", 16, 31) ||
	    IN_RANGE(name, "\003100\007in-addr\004arpa", 64, 127))
		return 4;
	return is_low_ip6(name) ? 34 : 0;
}

static struct special find_reverse(const struct view *view, const struct name *name, uint16_t type,
				   const union addr *addr, bool own)
{
	unsigned zone = private_reverse_zone(name), route;

	if (own) {
		if (type != TYPE_PTR && type != TYPE_ANY)
			return nothing(SPECIAL_NODATA, zone ? zone : name->labels);
		if (addr_is_loopback(addr))
			return data(TYPE_PTR, rdata_localhost, sizeof(rdata_localhost), zone);
		return data(TYPE_PTR, rdata_self, sizeof(rdata_self), zone);
	}
	if (zone == 0 || view->private_reverse_upstream)
		return nothing(SPECIAL_NONE, 0);
	routes_match(view->routes, name, &route);
	if (route > 0)
		return nothing(SPECIAL_NONE, 0);
	return nothing(name->labels == zone ? SPECIAL_NODATA : SPECIAL_NXDOMAIN, zone);
}

static struct special find_arpa(const struct view *view, const struct name *name, uint16_t type,
				const union addr *to)
{
	struct special special;
	union addr addr;
	bool is_address;

	if (ENDS_WITH(name, "\010resolver\004arpa", 2))
		return nothing(SPECIAL_NODATA, 2);
	is_address = address_of(name, &addr);
	special = find_reverse(view, name, type, &addr, is_address && is_own(view, &addr, to));
	special.by_address = is_address;
	return special;
}

struct special special_find(const struct view *view, const struct name *name, uint16_t type,
			    const union addr *to)
{
	if (ENDS_WITH(name, "\004arpa", 1))
		return find_arpa(view, name, type, to);
	if (ENDS_WITH(name, "\011localhost", 1)) {
		if (type == TYPE_A || type == TYPE_ANY)
			return data(TYPE_A, rdata_loopback4, sizeof(rdata_loopback4), 1);
		if (type == TYPE_AAAA)
			return data(TYPE_AAAA, rdata_loopback6, sizeof(rdata_loopback6), 1);
		return nothing(SPECIAL_NODATA, 1);
	}
	if (ENDS_WITH(name, "\007invalid", 1) || ENDS_WITH(name, "\005onion", 1))
		return nothing(SPECIAL_NXDOMAIN, 1);
	return nothing(SPECIAL_NONE, 0);
}

const char *special_chaos(const struct view *view, const struct name *name, uint16_t type)
{
	static const struct {
		const char *name;
		bool version;
	} known[] = {
		{ "\007version\004bind", true },
		{ "\007version\006server", true },
		{ "\002id\006server", false },
		{ "\010hostname\004bind", false },
	};
	size_t i;

	if (type != TYPE_TXT && type != TYPE_ANY)
		return NULL;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) + 1 == name->len &&
		    memcmp(known[i].name, name->fold, name->len) == 0)
			return known[i].version ? view->version : view->id;
	return NULL;
}
