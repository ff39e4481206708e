/* SPDX-License-Identifier: MIT */
/*
 * A try is a datagram on one of the pool's sockets, or a connection. A datagram comes back to its
 * try by socket and id, and must match in everything: source address and port (the kernel sees to
 * the port of ours), id, QR, opcode, and the whole question. What does not is counted and otherwise
 * as if it had not come: whoever could end a question with rubbish could choose who answers it.
 * Only "I cannot read this" may come without the question, for it does not answer it.
 *
 * The tries that wait on one socket form a list, a handful long: the pool spreads them. On an ICMP
 * error the list is all that has to be told.
 *
 * Sockets and connections hang in an epoll set of our own, which libevent sees as one descriptor:
 * they come and go without libevent allocating for them, and up to EVENTS_MAX are served in a
 * wake-up. An event may be older than what now stands in its slot; then there is nothing to be
 * read, and nothing happens.
 */
#include "forward/tries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "forward/conns.h"
#include "forward/sockets.h"
#include "net/random.h"
#include "wire/types.h"
#include "wire/writer.h"

/* Sockets served a wake-up; the rest are still ready at the next, after clients had their turn. */
#define EVENTS_MAX 64
/* Room for a datagram: what we ask for, and enough more to tell that it is too long. */
#define DATAGRAM_MAX 2048
/* Data of an epoll event from here on is a connection, below a socket. */
#define CONNS_BASE (UINT64_C(1) << 32)
/*
 * Drawing an id that is free on the socket: with some dozen in use the first one nearly always is.
 */
#define ID_DRAWS_MAX 8
/* How often idle sockets are looked at: they may outlive SOCKETS_LIFE_MS by so much. */
#define SWEEP_S 5

struct tries {
	struct tries_conf conf;
	int epoll;
	struct event *readable;
	struct event *sweep; /* pending while a socket is open */
	bool sweeping;
	struct sockets sockets;
	struct conns *conns;
	struct try *all;
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_sweep(evutil_socket_t fd, short what, void *arg);

struct tries *tries_new(const struct tries_conf *conf, struct err *err)
{
	struct tries *tries = calloc(1, sizeof(*tries));

	if (!tries) {
		err_set(err, "forward: out of memory");
		return NULL;
	}
	tries->conf = *conf;
	tries->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tries->epoll < 0) {
		err_set(err, "forward: epoll: %s", strerror(errno));
		goto fail;
	}
	tries->all = calloc(conf->max, sizeof(tries->all[0]));
	tries->conns = conns_new(tries->epoll, CONNS_BASE);
	tries->readable =
		event_new(conf->base, tries->epoll, EV_READ | EV_PERSIST, on_readable, tries);
	tries->sweep = evtimer_new(conf->base, on_sweep, tries);
	if (!tries->all || !tries->conns || !tries->readable || !tries->sweep ||
	    sockets_init(&tries->sockets, conf->sockets_max, tries->epoll, conf->upstreams) < 0 ||
	    event_add(tries->readable, NULL) < 0) {
		err_set(err, "forward: out of memory");
		goto fail;
	}
	return tries;
fail:
	tries_free(tries);
	return NULL;
}

void tries_free(struct tries *tries)
{
	if (!tries)
		return;
	if (tries->readable)
		event_free(tries->readable);
	if (tries->sweep)
		event_free(tries->sweep);
	sockets_fini(&tries->sockets);
	conns_free(tries->conns);
	if (tries->epoll >= 0)
		close(tries->epoll);
	free(tries->all);
	free(tries);
}

static void arm_sweep(struct tries *tries)
{
	struct timeval wait = { .tv_sec = SWEEP_S };

	if (tries->sockets.opened == 0 || tries->sweeping)
		return;
	tries->sweeping = true;
	event_add(tries->sweep, &wait);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct tries *tries = arg;

	(void)fd;
	(void)what;
	tries->sweeping = false;
	sockets_retire(&tries->sockets, clock_now_ms());
	arm_sweep(tries);
}

const struct try *tries_at(const struct tries *tries, uint32_t number)
{
	return &tries->all[number];
}

/* AD asks to be told (RFC 6840 5.7), where it would be believed. */
static size_t build_query(const struct tries *tries, const struct try *try,
			  uint8_t out[CONNS_QUERY_MAX])
{
	const struct cache_key *key = try->key;
	struct writer_opt opt = { .udp_size = EDNS_UDP_SIZE,
				  .do_bit = key->do_bit,
				  .ede = EDE_NONE };
	uint16_t flags = FLAG_RD;
	struct writer writer;

	if (key->cd_bit)
		flags |= FLAG_CD;
	if (upstream_trusts_ad(tries->conf.upstreams, key->group, try->upstream))
		flags |= FLAG_AD;
	writer_init(&writer, out, CONNS_QUERY_MAX, try->id, flags);
	writer_question(&writer, key->fold, key->type, CLASS_IN);
	if (try->edns)
		writer_opt(&writer, &opt);
	return writer_finish(&writer);
}

/* An id that no other try on this socket has. */
static uint16_t draw_id(const struct tries *tries, uint32_t slot)
{
	uint16_t id = random_u16();
	unsigned draw;

	for (draw = 0; draw < ID_DRAWS_MAX; draw++) {
		uint32_t other = tries->sockets.slots[slot].first;

		while (other != TRY_NONE && tries->all[other].id != id)
			other = tries->all[other].next;
		if (other == TRY_NONE)
			break;
		id = random_u16();
	}
	return id;
}

static enum try_verdict no_room(struct tries *tries)
{
	counter_add(&tries->conf.counters->no_room, 1);
	return TRY_NO_ROOM;
}

enum try_verdict tries_udp(struct tries *tries, uint32_t number, const struct cache_key *key,
			   uint16_t upstream, bool edns, uint64_t now_ms)
{
	uint32_t slot_number = sockets_pick(&tries->sockets, upstream, now_ms);
	struct try *try = &tries->all[number];
	uint8_t query[CONNS_QUERY_MAX];
	struct socket_slot *slot;
	bool ours;
	size_t len;

	if (slot_number == SOCKETS_NONE)
		return no_room(tries);
	if (slot_number == SOCKETS_UNREACHABLE)
		return TRY_UNREACHABLE;
	arm_sweep(tries);
	slot = &tries->sockets.slots[slot_number];
	*try = (struct try){ .kind = TRY_UDP,
			     .key = key,
			     .slot = slot_number,
			     .next = slot->first,
			     .prev = TRY_NONE,
			     .id = draw_id(tries, slot_number),
			     .upstream = upstream,
			     .edns = edns };
	if (slot->first != TRY_NONE)
		tries->all[slot->first].prev = number;
	slot->first = number;
	len = build_query(tries, try, query);
	try->sent_us = clock_now_us();
	if (send(slot->fd, query, len, MSG_NOSIGNAL) == (ssize_t)len)
		return TRY_SENT;
	/* What ICMP said to an earlier one shows here; the socket is not to be used again. */
	ours = sockets_limit_met(errno);
	slot->retired = !ours;
	tries_end(tries, number);
	return ours ? no_room(tries) : TRY_UNREACHABLE;
}

enum try_verdict tries_tcp(struct tries *tries, uint32_t number, const struct cache_key *key,
			   uint16_t upstream, bool edns)
{
	struct try *try = &tries->all[number];
	uint8_t query[CONNS_QUERY_MAX];
	size_t len;

	*try = (struct try){ .kind = TRY_UNUSED,
			     .key = key,
			     .id = random_u16(),
			     .upstream = upstream,
			     .edns = edns };
	len = build_query(tries, try, query);
	try->sent_us = clock_now_us();
	try->slot = conns_open(tries->conns, upstream_addr(tries->conf.upstreams, upstream), query,
			       len, number);
	if (try->slot == CONNS_NONE)
		return no_room(tries);
	if (try->slot == CONNS_UNREACHABLE)
		return TRY_UNREACHABLE;
	try->kind = TRY_TCP;
	counter_add(&tries->conf.counters->tcp, 1);
	return TRY_SENT;
}

void tries_end(struct tries *tries, uint32_t number)
{
	struct try *try = &tries->all[number];

	if (try->kind == TRY_UDP) {
		if (try->next != TRY_NONE)
			tries->all[try->next].prev = try->prev;
		if (try->prev != TRY_NONE)
			tries->all[try->prev].next = try->next;
		else
			tries->sockets.slots[try->slot].first = try->next;
		sockets_release(&tries->sockets, try->slot);
	} else if (try->kind == TRY_TCP) {
		conns_close(tries->conns, try->slot);
	}
	try->kind = TRY_UNUSED;
}

/* All of it is a header that says that a query with EDNS was not understood. */
static bool is_header_alone(const struct try *try, struct cursor counts, uint16_t flags)
{
	unsigned rcode = flags & 0xf;
	uint64_t any = 0;

	if (!try->edns || counts.len != DNS_HEADER_LEN)
		return false;
	while (cursor_left(&counts) > 0)
		any |= cursor_u16(&counts);
	return any == 0 && (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP);
}

/*
 * Is this a response to just this question? The name stands uncompressed: nothing is before it.
 * ret->flags and ret->header_alone are filled in.
 */
static bool is_answer_to(const struct try *try, struct try_reply *ret)
{
	const struct cache_key *key = try->key;
	struct cursor cursor = cursor_over(ret->data, ret->len);
	bool same = cursor_u16(&cursor) == try->id;
	uint16_t flags = cursor_u16(&cursor);

	same = same && (flags & FLAG_QR) && (flags >> 11 & 0xf) == OPCODE_QUERY && !cursor.bad;
	if (!same)
		return false;
	ret->flags = flags;
	ret->header_alone = is_header_alone(try, cursor, flags);
	if (ret->header_alone)
		return true;
	same = cursor_u16(&cursor) == 1 && name_read_matches(&cursor, DNS_HEADER_LEN, key->fold);
	cursor_seek(&cursor, DNS_HEADER_LEN);
	cursor_skip(&cursor, key->len);
	same = cursor_u16(&cursor) == key->type && same;
	same = cursor_u16(&cursor) == CLASS_IN && same;
	return same && !cursor.bad;
}

/* `len` is the datagram's whole length; at most DATAGRAM_MAX of it are in data. */
static void take_datagram(struct tries *tries, const struct socket_slot *slot,
			  const union addr *from, const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct try_reply reply = { .data = data, .len = len < DATAGRAM_MAX ? len : DATAGRAM_MAX };
	uint32_t number = slot->first;

	if (!addr_equal(from, upstream_addr(tries->conf.upstreams, slot->upstream)))
		number = TRY_NONE;
	while (number != TRY_NONE && !is_answer_to(&tries->all[number], &reply))
		number = tries->all[number].next;
	if (number == TRY_NONE) {
		counter_add(&tries->conf.counters->mismatched, 1);
		return;
	}
	reply.cut = (reply.flags & FLAG_TC) || len > EDNS_UDP_SIZE;
	tries->conf.reply(tries->conf.arg, number, &reply, now_ms);
}

static void on_socket(struct tries *tries, uint32_t slot_number, uint64_t now_ms)
{
	struct socket_slot *slot = &tries->sockets.slots[slot_number];
	union addr from = { 0 };
	socklen_t from_len = sizeof(from);
	uint8_t data[DATAGRAM_MAX];
	ssize_t len;

	if (slot->fd < 0)
		return;
	/*
	 * One a wake-up: a socket of many seldom has two, and a try after the last would cost each
	 * a call.
	 */
	len = recvfrom(slot->fd, data, sizeof(data), MSG_TRUNC, &from.any, &from_len);
	if (len >= 0) {
		take_datagram(tries, slot, &from, data, (size_t)len, now_ms);
		return;
	}
	if (errno == EAGAIN || errno == EINTR)
		return;
	/* ICMP. No new try comes to a retired socket, so this ends; it stays open until then. */
	slot->retired = true;
	sockets_hold(&tries->sockets, slot_number);
	while (slot->first != TRY_NONE) {
		uint32_t number = slot->first;

		tries->conf.failed(tries->conf.arg, number, now_ms);
		if (slot->first == number)
			tries_end(tries, number);
	}
	sockets_release(&tries->sockets, slot_number);
}

static void on_conn(struct tries *tries, uint32_t conn, uint64_t now_ms)
{
	struct try_reply reply = { 0 };
	uint32_t number = TRY_NONE;

	switch (conns_step(tries->conns, conn, &number, &reply.data, &reply.len)) {
	case CONNS_WAIT:
		return;
	case CONNS_BROKEN:
		break;
	case CONNS_MESSAGE:
		if (is_answer_to(&tries->all[number], &reply)) {
			tries->conf.reply(tries->conf.arg, number, &reply, now_ms);
			return;
		}
		counter_add(&tries->conf.counters->mismatched, 1);
		break;
	}
	tries->conf.failed(tries->conf.arg, number, now_ms);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct epoll_event events[EVENTS_MAX];
	struct tries *tries = arg;
	uint64_t now_ms = clock_now_ms();
	int n, count = epoll_wait(tries->epoll, events, EVENTS_MAX, 0);

	(void)fd;
	(void)what;
	for (n = 0; n < count; n++) {
		uint64_t data = events[n].data.u64;

		if (data >= CONNS_BASE)
			on_conn(tries, (uint32_t)(data - CONNS_BASE), now_ms);
		else
			on_socket(tries, (uint32_t)data, now_ms);
	}
}
