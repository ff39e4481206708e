/* SPDX-License-Identifier: MIT */
/*
 * One worker's UDP sockets: batches in, answers out. The worker's thread.
 *
 * Answers that are ready leave when their batch is done; late ones are collected until
 * udp_server_flush, at the end of a turn of the worker's loop.
 */
#ifndef PRIVLINKD_SERVE_UDP_H
#define PRIVLINKD_SERVE_UDP_H

#include <event2/event.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/err.h"
#include "net/addr.h"
#include "resolve/query.h"

/*
 * Batches taken from one socket a wake-up, so that TCP and the sockets to the upstreams get their
 * turn: at 2 us a query the others wait half a millisecond.
 */
#define UDP_SERVER_BATCHES 8

/* One writer: the worker. Counters alone: may be walked as an array. */
struct udp_counters {
	struct counter received, sent;
	struct counter batches;      /* received / batches is the mean fill */
	struct counter cut;          /* longer than UDP_IN_MAX */
	struct counter send_dropped; /* no room in the socket, or unreachable */
};

struct udp_server;

/*
 * `scratch` has room for RESOLVER_MESSAGE_MAX octets and is the worker's, used during a call only.
 */
struct udp_server *udp_server_new(struct event_base *base, struct resolver *resolver,
				  uint8_t *scratch, struct udp_counters *counters, struct err *err);
void udp_server_free(struct udp_server *server);

/* Serves a socket bound to `local`; it stays the caller's. */
int udp_server_add(struct udp_server *server, int fd, const union addr *local, struct err *err);

/* A late answer (see resolver_send_fn). */
void udp_server_send(struct udp_server *server, const struct client *client, const uint8_t *message,
		     size_t len);

void udp_server_flush(struct udp_server *server);

#endif
