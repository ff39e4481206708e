/* SPDX-License-Identifier: MIT */
/*
 * A small upstream for tests: a thread that answers UDP and TCP on one port that the kernel chose.
 *
 * What it says is a function's business. Counts and the last query may be read at any time.
 */
#ifndef PRIVLINKD_UNIT_RESPONDER_H
#define PRIVLINKD_UNIT_RESPONDER_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"
#include "wire/message.h"
#include "wire/types.h"
#include "wire/writer.h"

struct responder;

/* Writes a reply to `out` (REPLY_MAX octets) and returns its length; 0: says nothing. */
typedef size_t responder_fn(struct responder *responder, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out);
#define REPLY_MAX 65535

struct responder {
	responder_fn *_Atomic answer; /* tests change it */
	union addr addr;
	int udp, tcp, stop[2];
	pthread_t thread;
	_Atomic unsigned asked, asked_tcp, with_edns;
	_Atomic unsigned last_flags;
	struct sockaddr_storage peer; /* of the query being answered */
	socklen_t peer_len;
};

static void responder_serve_udp(struct responder *r)
{
	static _Thread_local uint8_t in[4096], out[REPLY_MAX];
	struct message_query query;
	responder_fn *answer;
	ssize_t got;
	size_t len;

	r->peer_len = sizeof(r->peer);
	got = recvfrom(r->udp, in, sizeof(in), 0, (struct sockaddr *)&r->peer, &r->peer_len);
	if (got <= 0 || message_read_query(&query, in, (size_t)got) != MESSAGE_OK)
		return;
	r->asked++;
	r->with_edns += query.edns.present;
	r->last_flags = query.flags;
	answer = r->answer; /* a call through it is no atomic load for gcc 12 */
	len = answer(r, &query, in, false, out);
	if (len)
		(void)!sendto(r->udp, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
}

static void responder_serve_tcp(struct responder *r)
{
	static _Thread_local uint8_t in[4096], out[REPLY_MAX + 2];
	int fd = accept(r->tcp, NULL, NULL);
	struct message_query query;
	responder_fn *answer;
	size_t len, at = 0;
	ssize_t got;

	got = recv(fd, in, 2, MSG_WAITALL);
	len = got == 2 ? (size_t)(in[0] << 8 | in[1]) : 0;
	if (len && recv(fd, in, len, MSG_WAITALL) == (ssize_t)len &&
	    message_read_query(&query, in, len) == MESSAGE_OK) {
		r->asked++;
		r->asked_tcp++;
		answer = r->answer;
		len = answer(r, &query, in, true, out + 2);
		out[0] = (uint8_t)(len >> 8);
		out[1] = (uint8_t)len;
		while (len && at < len + 2) {
			got = send(fd, out + at, len + 2 - at, MSG_NOSIGNAL);
			if (got <= 0)
				break;
			at += (size_t)got;
		}
	}
	close(fd);
}

static void *responder_run(void *arg)
{
	struct responder *r = arg;

	for (;;) {
		struct pollfd fds[3] = { { r->udp, POLLIN, 0 },
					 { r->tcp, POLLIN, 0 },
					 { r->stop[0], POLLIN, 0 } };

		poll(fds, 3, -1);
		if (fds[2].revents)
			return NULL;
		if (fds[0].revents)
			responder_serve_udp(r);
		if (fds[1].revents)
			responder_serve_tcp(r);
	}
}

/* On this address; port 0: one that the kernel chooses, in r->addr. */
static inline void responder_start_at(struct responder *r, responder_fn *answer, const char *at)
{
	socklen_t len;
	bool bound = false;
	int on = 1;

	memset(r, 0, sizeof(*r));
	r->answer = answer;
	/* The TCP port must be the UDP one; somebody else may have that. */
	while (!bound) {
		addr_parse(&r->addr, at, 0);
		len = addr_len(&r->addr);
		r->udp = socket(r->addr.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		r->tcp = socket(r->addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(r->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		bound = bind(r->udp, &r->addr.any, len) == 0 &&
			getsockname(r->udp, &r->addr.any, &len) == 0 &&
			bind(r->tcp, &r->addr.any, len) == 0 && listen(r->tcp, 16) == 0;
		if (!bound) {
			close(r->udp);
			close(r->tcp);
		}
	}
	(void)!pipe(r->stop);
	pthread_create(&r->thread, NULL, responder_run, r);
}

static inline void responder_start(struct responder *r, responder_fn *answer)
{
	responder_start_at(r, answer, "127.0.0.1@0");
}

static inline void responder_stop(struct responder *r)
{
	(void)!write(r->stop[1], "", 1);
	pthread_join(r->thread, NULL);
	close(r->udp);
	close(r->tcp);
	close(r->stop[0]);
	close(r->stop[1]);
}

/* Header and question of a reply, which the caller may add to. */
static inline void responder_begin(struct writer *writer, const struct message_query *query,
				   const uint8_t *data, unsigned rcode, uint8_t *out)
{
	writer_init(writer, out, REPLY_MAX, query->id, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_set_rcode(writer, rcode);
	writer_question_raw(writer, data + DNS_HEADER_LEN, query->question_len);
}

/* 192.0.2.1 for whatever name, TTL 300. */
static inline size_t responder_address(struct responder *r, const struct message_query *query,
				       const uint8_t *data, bool tcp, uint8_t *out)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };
	struct writer writer;

	(void)r;
	(void)tcp;
	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_A, 300, address, 4);
	return writer_finish(&writer);
}

static inline size_t responder_silent(struct responder *r, const struct message_query *query,
				      const uint8_t *data, bool tcp, uint8_t *out)
{
	(void)r;
	(void)query;
	(void)data;
	(void)tcp;
	(void)out;
	return 0;
}

#endif
