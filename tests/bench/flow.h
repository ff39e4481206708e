/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_BENCH_FLOW_H
#define PRIVLINKD_BENCH_FLOW_H

/* A kept connection of the load generator, TCP or TLS: queries out in one write, replies in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define FLOW_OUT (64 * 1024)
#define FLOW_IN (256 * 1024)

struct flow {
	int fd;
	void *ssl; /* NULL: no TLS */
	size_t out_len, in_len;
	uint8_t out[FLOW_OUT], in[FLOW_IN];
};

/* Connects and shakes hands; nobody's certificate is looked at. 0 or -1. */
int flow_open(struct flow *flow, const struct sockaddr_storage *server, socklen_t len, bool tls);

/* Collects a query; what is collected is sent first where there is no room. */
void flow_put(struct flow *flow, const uint8_t *query, size_t len);

/* Sends what is collected. Waits where the server does not take it. -1: the connection is lost. */
int flow_flush(struct flow *flow);

/* Reads what is there and hands out the replies. -1: the connection has ended. */
typedef void flow_reply_fn(const uint8_t *reply, size_t len, unsigned number);
int flow_receive(struct flow *flow, flow_reply_fn *reply, unsigned number);

#endif
