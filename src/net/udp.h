/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in batches, both ways, each with the address that was asked.
 *
 * A server on a wildcard address must answer from the very address that was asked, so a wildcard
 * socket learns it with each datagram (IP_PKTINFO, IPV6_PKTINFO) and names it again when it sends.
 *
 * Nothing here allocates after the two _new functions. One thread each.
 */
#ifndef PRIVLINKD_NET_UDP_H
#define PRIVLINKD_NET_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

/*
 * Datagrams a system call. At 32 a call's fixed cost (about 0.3 us) is a hundredth of a microsecond
 * each; more would only make the first of a batch wait longer for its answer.
 */
#define UDP_BATCH 32

/*
 * Octets of a datagram that are kept. No question comes near this: 255 for the name, an OPT with
 * cookie and padding to a multiple of 128 (RFC 8467). What is longer is cut, and told so.
 */
#define UDP_IN_MAX 4096

/*
 * Longest datagram that is sent: what passes every path unfragmented (RFC 9715 3.1, DNS flag day
 * 2020).
 */
#define UDP_OUT_MAX 1232

/* A new UDP socket's own settings: asked address with each datagram if it is a wildcard, IPv6 alone
 * on IPv6, no path MTU discovery. Before bind. -1 with errno. */
int udp_socket_prepare(int fd, const union addr *local);

struct udp_datagram {
	union addr from;
	union addr to;    /* the address and port that was asked */
	uint32_t ifindex; /* it came in by; 0 where the socket's own address tells all */
	const uint8_t *data;
	size_t len;
	bool cut; /* it was longer than UDP_IN_MAX */
};

struct udp_in;

struct udp_in *udp_in_new(void);
void udp_in_free(struct udp_in *in);

/*
 * Takes up to UDP_BATCH datagrams from a non-blocking socket that is bound to `local`. Returns
 * how many; 0 when there are none. Errors that ICMP left on the socket are passed over. Those of
 * an earlier call are gone.
 */
unsigned udp_receive(struct udp_in *in, int fd, const union addr *local);

/* The n-th of the last call; good until the next. */
const struct udp_datagram *udp_in_at(const struct udp_in *in, unsigned n);

struct udp_out;

struct udp_out *udp_out_new(void);
void udp_out_free(struct udp_out *out);

struct udp_sent {
	unsigned sent;
	unsigned dropped; /* no room in the socket, or unreachable: UDP may lose datagrams */
};

/*
 * Copies a datagram to be sent on `fd` to `to`, from `from` (an address that was asked). It
 * leaves with the next flush. False where UDP_BATCH of them wait for one, or it is longer than
 * UDP_OUT_MAX.
 */
bool udp_put(struct udp_out *out, int fd, const union addr *to, const union addr *from,
	     bool from_wildcard, uint32_t ifindex, const uint8_t *data, size_t len);

unsigned udp_out_count(const struct udp_out *out);

/* Sends all, neighbours of one socket in one call; what cannot be sent now is dropped. */
struct udp_sent udp_flush(struct udp_out *out);

#endif
