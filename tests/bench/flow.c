/* SPDX-License-Identifier: MIT */
/*
 * One write a round of queries, and reads until nothing is left, since the generator must be
 * cheaper than what it measures. A server that stops reading until its answers are taken is not
 * waited for blindly: while writing blocks, replies are read into the buffer.
 */
#include "flow.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int flow_open(struct flow *flow, const struct sockaddr_storage *server, socklen_t len, bool tls)
{
	static const uint8_t alpn[] = "\3dot";
	static SSL_CTX *ctx;
	int on = 1;

	flow->fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	flow->ssl = NULL;
	flow->out_len = flow->in_len = 0;
	if (flow->fd < 0 || connect(flow->fd, (const struct sockaddr *)server, len) < 0 ||
	    setsockopt(flow->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -1;
	if (!tls)
		return 0;
	if (!ctx) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_read_ahead(ctx, 1);
		SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	SSL *ssl = flow->ssl = SSL_new(ctx);
	if (!ssl || SSL_set_alpn_protos(ssl, alpn, 4) != 0 || SSL_set_fd(ssl, flow->fd) != 1 ||
	    SSL_connect(ssl) != 1) {
		fputs("load: no TLS handshake\n", stderr);
		return -1;
	}
	return 0;
}

/* As read(2), never blocking: 0 at the end, -1 with EAGAIN where nothing is there. */
static ssize_t take(struct flow *flow)
{
	void *at = flow->in + flow->in_len;
	size_t room = sizeof(flow->in) - flow->in_len;
	struct pollfd p = { .fd = flow->fd, .events = POLLIN };

	if (!flow->ssl)
		return recv(flow->fd, at, room, MSG_DONTWAIT);
	/* The socket blocks, so that the handshake could be left to OpenSSL. */
	if (!SSL_has_pending(flow->ssl) && poll(&p, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	int got = SSL_read(flow->ssl, at, (int)room);
	return got > 0 ? got : 0;
}

int flow_flush(struct flow *flow)
{
	size_t at = 0;
	ssize_t n;

	while (at < flow->out_len) {
		struct pollfd p = { .fd = flow->fd, .events = POLLIN | POLLOUT };
		if (poll(&p, 1, -1) != 1)
			return -1;
		if ((p.revents & POLLIN) && !(p.revents & POLLOUT)) {
			n = take(flow);
			if (n == 0)
				return -1;
			flow->in_len += n > 0 ? (size_t)n : 0;
			continue;
		}
		if (flow->ssl)
			n = SSL_write(flow->ssl, flow->out + at, (int)(flow->out_len - at));
		else
			n = send(flow->fd, flow->out + at, flow->out_len - at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0 && (flow->ssl || errno != EAGAIN))
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	flow->out_len = 0;
	return 0;
}

void flow_put(struct flow *flow, const uint8_t *query, size_t len)
{
	if (flow->out_len + 2 + len > sizeof(flow->out) && flow_flush(flow) < 0)
		flow->out_len = 0; /* they count as lost */
	flow->out[flow->out_len++] = (uint8_t)(len >> 8);
	flow->out[flow->out_len++] = (uint8_t)len;
	memcpy(flow->out + flow->out_len, query, len);
	flow->out_len += len;
}

int flow_receive(struct flow *flow, flow_reply_fn *reply, unsigned number)
{
	ssize_t n;

	do {
		n = take(flow);
		if (n == 0)
			return -1;
		flow->in_len += n > 0 ? (size_t)n : 0;
		size_t at = 0;
		while (flow->in_len - at >= 2) {
			size_t len = (size_t)(flow->in[at] << 8 | flow->in[at + 1]);
			if (flow->in_len - at - 2 < len)
				break;
			reply(flow->in + at + 2, len, number);
			at += 2 + len;
		}
		memmove(flow->in, flow->in + at, flow->in_len - at);
		flow->in_len -= at;
	} while (n > 0);
	return 0;
}
