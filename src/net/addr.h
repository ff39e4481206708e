/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses and prefixes, in text as Unbound writes them: `192.0.2.1`, `192.0.2.1@5353`,
 * `2001:db8::1@853`. Pure, but that interface names in text (fe80::1%eth0) are asked of the kernel.
 */
#ifndef PRIVLINKD_NET_ADDR_H
#define PRIVLINKD_NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* With scope id (fe80::1%eth0@53) and NUL. */
#define ADDR_TEXT_MAX 80

union addr {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/*
 * Reads `text`; without @PORT the port is default_port (host byte order). -1 if it is none. No host
 * names. Port 0 is taken: a listener then gets a free one.
 */
int addr_parse(union addr *ret, const char *text, uint16_t default_port);

/* With @PORT unless the port is default_port (0: always with it). Returns `text`. */
const char *addr_to_text(const union addr *addr, uint16_t default_port, char text[ADDR_TEXT_MAX]);

socklen_t addr_len(const union addr *addr);
uint16_t addr_port(const union addr *addr); /* host byte order */
void addr_set_port(union addr *addr, uint16_t port);

/* Address, port and, where both have one, scope are the same. */
bool addr_equal(const union addr *a, const union addr *b);
/* The addresses alone; scopes count where both have one. IPv4-mapped IPv6 is the same as its
 * IPv4. */
bool addr_same_host(const union addr *a, const union addr *b);

bool addr_is_wildcard(const union addr *addr);
bool addr_is_loopback(const union addr *addr);
/* 127.0.0.1 or ::1, where the programs of this machine ask from. */
bool addr_is_localhost(const union addr *addr);
/* RFC 1918, fc00::/7, link-local (169.254/16, fe80::/10). IPv4-mapped IPv6 counts as its IPv4. */
bool addr_is_private(const union addr *addr);

struct addr_prefix {
	uint8_t octets[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;       /* of the 128 */
};

/*
 * `192.0.2.0/24`, `192.0.2.1`, `fd00::/8`. -1 if it is none or has bits set behind the prefix. An
 * IPv6 prefix that would hold all of IPv4's mapped form (`::/0`) matches IPv6 alone.
 */
int addr_prefix_parse(struct addr_prefix *ret, const char *text);
bool addr_prefix_match(const struct addr_prefix *prefix, const union addr *addr);

/* Who may ask: the words loopback, private, any and prefixes. */
struct addr_list {
	bool any, loopback, private;
	size_t count;
	struct addr_prefix *prefixes; /* count, owned by whoever filled it */
};
bool addr_list_match(const struct addr_list *list, const union addr *addr);

#endif
