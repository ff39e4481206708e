/* SPDX-License-Identifier: MIT */
/*
 * The sockets that clients reach: for each address a UDP and a TCP socket for every worker, or one
 * for DNS over TLS alone.
 *
 * All are opened by the main thread before it drops its privileges. The kernel spreads clients over
 * the workers' sockets (SO_REUSEPORT). Sockets are closed with the listeners, not by the workers.
 */
#ifndef PRIVLINKD_SERVE_LISTEN_H
#define PRIVLINKD_SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/addr.h"

struct listeners;

/*
 * Opens them. An address that stands twice is taken once. Port 0: the kernel chooses one, the same
 * for UDP, TCP and all workers. On failure the text names address, transport and what to do.
 */
struct listeners *listeners_new(const union addr *addrs, size_t count, unsigned workers,
				struct err *err);
void listeners_free(struct listeners *listeners);

/*
 * Opens addresses for DNS over TLS beside the others, in the same way. On failure those of before
 * stay open.
 */
int listeners_add_tls(struct listeners *listeners, const union addr *addrs, size_t count,
		      struct err *err);

/* Addresses listened on, and the n-th with its real port. */
size_t listeners_count(const struct listeners *listeners);
const union addr *listeners_addr(const struct listeners *listeners, size_t n);
unsigned listeners_workers(const struct listeners *listeners);

/* Is the n-th address for DNS over TLS alone? Such come last. */
bool listeners_tls(const struct listeners *listeners, size_t n);

/*
 * Worker `worker`'s sockets for the n-th address: non-blocking, bound; TCP is listening. For TLS
 * there is no UDP socket.
 */
int listeners_udp(const struct listeners *listeners, size_t n, unsigned worker);
int listeners_tcp(const struct listeners *listeners, size_t n, unsigned worker);

#endif
