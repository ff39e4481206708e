/* SPDX-License-Identifier: MIT */
/*
 * The batch loop: take what is there, answer each, send what is ready.
 *
 * One struct for datagrams in and one for those out serve all sockets of the worker, since a
 * batch is done before the next begins. The resolver writes into the worker's scratch buffer and
 * the answer, some hundred octets, is copied into the batch that goes out. So a late answer that
 * comes while another question is being answered finds nothing half written.
 *
 * The resolver is shown the whole batch before it has to look into the cache for any of it (see
 * resolver_receive_some).
 *
 * A socket is left after UDP_SERVER_BATCHES; what remains in it wakes the worker again, after the
 * others had their turn. Answers that cannot be sent at once are dropped and counted: their
 * clients ask again, and waiting for one must not hold up the rest.
 *
 * Worker's thread. Nothing is allocated after udp_server_add.
 */
#include "serve/udp.h"

#include <stdlib.h>

#include "base/clock.h"
#include "net/udp.h"

struct udp_server_socket {
	struct udp_server *server;
	struct udp_server_socket *next;
	struct event *event;
	union addr local;
	bool wildcard;
	int fd;
	uint32_t slot;
};

struct udp_server {
	struct event_base *base;
	struct resolver *resolver;
	uint8_t *scratch;
	struct udp_counters *counters;
	struct udp_in *in;
	struct udp_out *out;
	struct udp_server_socket *sockets; /* the newest first: slots count down */
	uint32_t count;
};

struct udp_server *udp_server_new(struct event_base *base, struct resolver *resolver,
				  uint8_t *scratch, struct udp_counters *counters, struct err *err)
{
	struct udp_server *server = calloc(1, sizeof(*server));

	if (!server)
		goto fail;
	server->base = base;
	server->resolver = resolver;
	server->scratch = scratch;
	server->counters = counters;
	server->in = udp_in_new();
	server->out = udp_out_new();
	if (!server->in || !server->out)
		goto fail;
	return server;
fail:
	err_set(err, "no memory for UDP buffers");
	udp_server_free(server);
	return NULL;
}

void udp_server_free(struct udp_server *server)
{
	struct udp_server_socket *s;

	if (!server)
		return;
	while ((s = server->sockets)) {
		server->sockets = s->next;
		if (s->event)
			event_free(s->event);
		free(s);
	}
	udp_in_free(server->in);
	udp_out_free(server->out);
	free(server);
}

void udp_server_flush(struct udp_server *server)
{
	struct udp_sent sent;

	if (udp_out_count(server->out) == 0)
		return;
	sent = udp_flush(server->out);
	counter_add(&server->counters->sent, sent.sent);
	if (sent.dropped > 0)
		counter_add(&server->counters->send_dropped, sent.dropped);
}

static void put_answer(struct udp_server *server, const struct udp_server_socket *s,
		       const struct client *client, const uint8_t *message, size_t len)
{
	if (udp_put(server->out, s->fd, &client->from, &client->to, s->wildcard, client->ifindex,
		    message, len))
		return;
	udp_server_flush(server);
	if (!udp_put(server->out, s->fd, &client->from, &client->to, s->wildcard, client->ifindex,
		     message, len))
		counter_add(&server->counters->send_dropped, 1);
}

void udp_server_send(struct udp_server *server, const struct client *client, const uint8_t *message,
		     size_t len)
{
	const struct udp_server_socket *s;

	for (s = server->sockets; s; s = s->next) {
		if (s->slot == client->slot) {
			put_answer(server, s, client, message, len);
			return;
		}
	}
}

/* Those whose answers hang on the cache, which is on its way from memory by now. */
static void resume(struct udp_server_socket *s)
{
	struct udp_server *server = s->server;
	struct client client;
	size_t len;

	while (resolver_put_off(server->resolver) > 0)
		if (resolver_resume(server->resolver, &client, server->scratch, &len) ==
		    RESOLVER_ANSWER)
			put_answer(server, s, &client, server->scratch, len);
}

static void serve_batch(struct udp_server_socket *s, unsigned count, uint64_t now_ms)
{
	struct udp_server *server = s->server;
	struct client client = { .slot = s->slot };
	const struct udp_datagram *datagram;
	unsigned n;
	size_t len;

	for (n = 0; n < count; n++) {
		datagram = udp_in_at(server->in, n);
		if (n + 1 < count)
			__builtin_prefetch(udp_in_at(server->in, n + 1)->data);
		client.from = datagram->from;
		client.to = datagram->to;
		client.ifindex = datagram->ifindex;
		if (datagram->cut)
			counter_add(&server->counters->cut, 1);
		if (resolver_receive_some(server->resolver, &client, datagram->data, datagram->len,
					  now_ms, server->scratch, &len) == RESOLVER_ANSWER)
			put_answer(server, s, &client, server->scratch, len);
		if (resolver_put_off(server->resolver) == RESOLVER_PUT_OFF_MAX)
			resume(s);
	}
	resume(s);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct udp_server_socket *s = arg;
	struct udp_server *server = s->server;
	unsigned batch, count;

	(void)what;
	for (batch = 0; batch < UDP_SERVER_BATCHES; batch++) {
		count = udp_receive(server->in, fd, &s->local);
		if (count == 0)
			return;
		counter_add(&server->counters->received, count);
		counter_add(&server->counters->batches, 1);
		serve_batch(s, count, clock_now_ms());
		udp_server_flush(server);
		if (count < UDP_BATCH)
			return; /* it was empty a moment ago: no call just to hear that */
	}
}

int udp_server_add(struct udp_server *server, int fd, const union addr *local, struct err *err)
{
	struct udp_server_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, "no memory for a UDP socket");
	s->server = server;
	s->local = *local;
	s->wildcard = addr_is_wildcard(local);
	s->fd = fd;
	s->slot = server->count++;
	s->next = server->sockets;
	server->sockets = s;
	s->event = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, s);
	if (!s->event || event_add(s->event, NULL) < 0)
		return err_set(err, "cannot watch a UDP socket");
	return 0;
}
