/* SPDX-License-Identifier: MIT */
/*
 * A try is a datagram on one of the pool's sockets, for whose leaving see tries_out.c, or a message
 * on a connection, for which see tries_conn.c. A datagram comes back to its try by socket and id,
 * and must match in everything: source address and port (the kernel sees to the port of ours), id,
 * QR, opcode, and the whole question. What does not is counted and otherwise as if it had not come:
 * whoever could end a question with rubbish could choose who answers it. Only "I cannot read this"
 * may come without the question, for it does not answer it.
 *
 * The tries that wait on one socket form a list in the order in which they were asked, nearly that
 * of the answers, so the one that an answer belongs to is found near its front. On an ICMP error
 * the list is all that has to be told, and when the socket's port was found out, too.
 *
 * Sockets and connections hang in an epoll set of our own, which libevent sees as one descriptor:
 * they come and go without libevent allocating for them, and up to EVENTS_MAX are served in a
 * wake-up. An event may be older than what now stands in its slot; then there is nothing to be
 * read, and nothing happens.
 */
#include "upstream/tries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/random.h"
#include "upstream/tries_inside.h"
#include "wire/types.h"

/* Sockets served a wake-up; the rest are still ready at the next, after clients had their turn. */
#define EVENTS_MAX 64
/* Data of an epoll event from here on is a connection, below a socket. */
#define CONNS_BASE (UINT64_C(1) << 32)
/*
 * Drawing an id that is free on the socket: with some dozen in use the first one nearly always is.
 */
#define ID_DRAWS_MAX 8
/* How often idle sockets are looked at: they may outlive SOCKETS_LIFE_MS by so much. */
#define SWEEP_S 5

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_sweep(evutil_socket_t fd, short what, void *arg);

static void init_buffers(struct tries *tries)
{
	struct tries_out *out = &tries->out;
	struct tries_in *in = &tries->in;
	unsigned n;

	tries_out_init(out);
	for (n = 0; n < TRIES_IN_MAX; n++) {
		in->piece[n] = (struct iovec){ in->data[n], TRIES_DATAGRAM_MAX };
		in->header[n].msg_hdr.msg_iov = &in->piece[n];
		in->header[n].msg_hdr.msg_iovlen = 1;
		in->header[n].msg_hdr.msg_name = &in->from[n];
		in->header[n].msg_hdr.msg_namelen = sizeof(in->from[n]);
	}
}

struct tries *tries_new(const struct tries_conf *conf, struct err *err)
{
	struct tries *tries = calloc(1, sizeof(*tries));
	struct conns_conf conns = { .base = CONNS_BASE,
				    .limits = conf->conns,
				    .upstreams = conf->upstreams,
				    .counters = conf->counters };

	if (!tries) {
		err_set(err, "upstream: out of memory");
		return NULL;
	}
	tries->conf = *conf;
	init_buffers(tries);
	tries->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tries->epoll < 0) {
		err_set(err, "upstream: epoll: %s", strerror(errno));
		goto fail;
	}
	tries->all = calloc(conf->max, sizeof(tries->all[0]));
	conns.epoll = tries->epoll;
	tries->conns = conns_new(&conns);
	tries->readable =
		event_new(conf->base, tries->epoll, EV_READ | EV_PERSIST, on_readable, tries);
	tries->sweep = evtimer_new(conf->base, on_sweep, tries);
	tries->tick = evtimer_new(conf->base, tries_on_tick, tries);
	tries->out.turn = event_new(conf->base, -1, 0, tries_on_turn, tries);
	tries->cookies = cookies_new();
	if (!tries->all || !tries->out.turn || !tries->conns || !tries->cookies ||
	    !tries->readable || !tries->sweep || !tries->tick ||
	    sockets_init(&tries->sockets, conf->sockets_max, tries->epoll, conf->upstreams) < 0 ||
	    event_add(tries->readable, NULL) < 0) {
		err_set(err, "upstream: out of memory");
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
	if (tries->tick)
		event_free(tries->tick);
	if (tries->out.turn)
		event_free(tries->out.turn);
	sockets_fini(&tries->sockets);
	conns_free(tries->conns);
	cookies_free(tries->cookies);
	if (tries->epoll >= 0)
		close(tries->epoll);
	free(tries->all);
	free(tries);
}

void tries_arm_sweep(struct tries *tries)
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
	tries_arm_sweep(tries);
}

const struct try *tries_at(const struct tries *tries, uint32_t number)
{
	return &tries->all[number];
}

uint16_t tries_draw_id(const struct tries *tries, uint32_t first)
{
	uint16_t id = random_u16();
	unsigned draw;

	for (draw = 0; draw < ID_DRAWS_MAX; draw++) {
		uint32_t other = first;

		while (other != TRY_NONE && tries->all[other].ask.id != id)
			other = tries->all[other].next;
		if (other == TRY_NONE)
			break;
		id = random_u16();
	}
	return id;
}

void tries_link(struct tries *tries, uint32_t number, uint32_t *first)
{
	struct try *all = tries->all;

	all[number].next = TRY_NONE;
	if (*first == TRY_NONE) {
		all[number].prev = number;
		*first = number;
		return;
	}
	all[number].prev = all[*first].prev;
	all[all[number].prev].next = number;
	all[*first].prev = number;
}

void tries_unlink(struct tries *tries, uint32_t number, uint32_t *first)
{
	struct try *all = tries->all;
	uint32_t next = all[number].next;

	if (*first == number)
		*first = next;
	else
		all[all[number].prev].next = next;
	if (next != TRY_NONE)
		all[next].prev = all[number].prev;
	else if (*first != TRY_NONE)
		all[*first].prev = all[number].prev;
}

enum try_verdict tries_no_room(struct tries *tries)
{
	counter_add(&tries->conf.counters->no_room, 1);
	return TRY_NO_ROOM;
}

size_t tries_prepare(struct tries *tries, struct try *try, const struct try_ask *how, uint16_t id,
		     const union addr *local, uint64_t now_ms, uint8_t query[ASK_LEN_MAX])
{
	bool tls = upstream_is_tls(tries->conf.upstreams, how->upstream);
	const uint8_t *server = NULL;
	size_t server_len = 0;

	try->upstream = how->upstream;
	try->near_misses = 0;
	try->again = how->again;
	try->ask =
		(struct ask){ .key = how->key,
			      .id = id,
			      .edns = how->edns,
			      .ad = how->ad,
			      /* What guards against forgers has no one to guard against there. */
			      .caps = how->caps && !tls,
			      .cookie = how->edns && how->cookie && !tls,
			      .stream = try->kind == TRY_TCP,
			      .padded = tls };
	if (try->ask.caps)
		random_bytes(&try->ask.caps_bits, sizeof(try->ask.caps_bits));
	if (try->ask.cookie)
		server_len = cookies_show(tries->cookies, how->upstream, local, now_ms,
					  try->ask.client, &server);
	try->sent_us = now_ms * 1000; /* until it leaves */
	return ask_write(&try->ask, server, server_len, query);
}

/* Who wants TLS wants nobody to read along: there is no way from there to a datagram. */
enum try_verdict tries_ask(struct tries *tries, uint32_t number, const struct try_ask *ask,
			   uint64_t now_ms)
{
	if (upstream_is_tls(tries->conf.upstreams, ask->upstream))
		return tries_tcp(tries, number, ask, now_ms);
	return tries_send_on_socket(tries, number, ask, now_ms);
}

void tries_end(struct tries *tries, uint32_t number)
{
	struct try *try = &tries->all[number];

	switch (try->kind) {
	case TRY_UDP:
		tries_leave_socket(tries, number);
		break;
	case TRY_TCP:
		tries_unlink(tries, number, conns_first(tries->conns, try->slot));
		conns_release(tries->conns, try->slot, clock_now_ms());
		break;
	case TRY_UNSENT:
		tries_leave_unsent(tries, number);
		break;
	case TRY_UNUSED:
		break;
	}
	try->kind = TRY_UNUSED;
}

/* What a reply that fits says of cookies; the news it makes. */
static enum try_news take_cookie(struct tries *tries, const struct try *try,
				 const struct ask_reply *said, uint64_t now_ms)
{
	if (!try->ask.cookie)
		return TRY_ANSWER;
	if (said->server)
		cookies_learn(tries->cookies, try->upstream, try->ask.client, said->server,
			      said->server_len, now_ms);
	if (said->rcode == RCODE_BADCOOKIE && said->server && try->kind == TRY_UDP)
		return TRY_BAD_COOKIE;
	if (said->has_cookie || !cookies_are_shown(tries->cookies, try->upstream, now_ms))
		return TRY_ANSWER;
	if (try->kind == TRY_UDP) {
		counter_add(&tries->conf.counters->no_cookie, 1);
		return TRY_NO_COOKIE;
	}
	cookies_forget(tries->cookies, try->upstream);
	return TRY_ANSWER;
}

/*
 * A header alone shows no cookie. Of an upstream that has shown one it is believed no more than an
 * answer without: it would take EDNS away, and with it the cookies.
 */
static enum try_news take_header(struct tries *tries, const struct try *try, uint64_t now_ms)
{
	if (try->kind != TRY_UDP || !try->ask.cookie ||
	    !cookies_are_shown(tries->cookies, try->upstream, now_ms))
		return TRY_HEADER_ALONE;
	counter_add(&tries->conf.counters->no_cookie, 1);
	return TRY_NO_COOKIE;
}

void tries_tell(struct tries *tries, uint32_t number, enum ask_fit fit,
		const struct ask_reply *said, struct try_reply *reply, bool too_long,
		uint64_t now_ms)
{
	const struct try *try = &tries->all[number];

	reply->flags = said->flags;
	reply->rcode = said->rcode;
	if (fit == ASK_HEADER_ALONE)
		reply->news = take_header(tries, try, now_ms);
	else if (try->kind == TRY_UDP && (too_long || said->flags & FLAG_TC))
		reply->news = TRY_CUT;
	else if (fit == ASK_MALFORMED)
		reply->news = TRY_MALFORMED;
	else if (fit == ASK_WRONG_CASE && try->kind == TRY_UDP)
		reply->news = TRY_WRONG_CASE;
	else
		reply->news = take_cookie(tries, try, said, now_ms);
	reply->wrong_case = fit == ASK_WRONG_CASE;
	reply->plain = said->is_plain ? &said->plain : NULL;
	if (reply->news == TRY_WRONG_CASE)
		counter_add(&tries->conf.counters->wrong_case, 1);
	if (reply->news == TRY_MALFORMED)
		counter_add(&tries->conf.counters->malformed, 1);
	tries->conf.reply(tries->conf.arg, number, reply, now_ms);
}

/*
 * A reply from the right address to the right port that answers nothing which waits there. It may
 * have been meant for any of them, so each has had a guess; and when one has had too many, somebody
 * knows the port of all.
 */
static void count_near_miss(struct tries *tries, uint32_t slot_number, uint64_t now_ms)
{
	struct socket_slot *slot = &tries->sockets.slots[slot_number];
	struct try_reply reply = { .news = TRY_SUSPECT };
	uint32_t number, next;
	bool found = false;

	counter_add(&tries->conf.counters->mismatched, 1);
	for (number = slot->first; number != TRY_NONE; number = tries->all[number].next)
		found |= ++tries->all[number].near_misses > tries->conf.near_misses_max;
	if (!found)
		return;
	/* Its port is known: nobody is to wait on it any longer, nor to leave by it. */
	slot->retired = true;
	sockets_hold(&tries->sockets, slot_number);
	for (number = slot->first; number != TRY_NONE; number = next) {
		struct try *try = &tries->all[number];

		next = try->next;
		if (try->near_misses == 0)
			continue;
		try->near_misses = 0;
		counter_add(&tries->conf.counters->suspected, 1);
		tries->conf.reply(tries->conf.arg, number, &reply, now_ms);
		next = slot->first; /* the list may be another */
	}
	sockets_release(&tries->sockets, slot_number);
}

/* `len` is the datagram's whole length; at most TRIES_DATAGRAM_MAX of it are in data. */
static void take_datagram(struct tries *tries, uint32_t slot_number, const union addr *from,
			  const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct socket_slot *slot = &tries->sockets.slots[slot_number];
	struct try_reply reply = { .data = data,
				   .len = len < TRIES_DATAGRAM_MAX ? len : TRIES_DATAGRAM_MAX };
	struct ask_reply said;
	uint32_t number;

	if (!addr_equal(from, upstream_addr(tries->conf.upstreams, slot->upstream))) {
		counter_add(&tries->conf.counters->mismatched, 1);
		return;
	}
	for (number = slot->first; number != TRY_NONE; number = tries->all[number].next) {
		enum ask_fit fit = ask_match(&tries->all[number].ask, data, reply.len, &said);

		if (fit == ASK_OTHER)
			continue;
		tries_tell(tries, number, fit, &said, &reply, len > EDNS_UDP_SIZE, now_ms);
		return;
	}
	if (sockets_knows(slot, data, reply.len))
		counter_add(&tries->conf.counters->late, 1);
	else
		count_near_miss(tries, slot_number, now_ms);
}

/*
 * ICMP, for one of those that have left; those in the queue go all the same (tries_out.c). No new
 * try comes to a retired socket, so this ends; it stays open until then.
 */
static void fail_socket(struct tries *tries, uint32_t slot_number, uint64_t now_ms)
{
	struct socket_slot *slot = &tries->sockets.slots[slot_number];
	uint32_t number = slot->first;

	slot->retired = true;
	while (number != TRY_NONE) {
		const struct try *try = &tries->all[number];

		if (try->queued != TRY_LEFT) {
			number = try->next;
			continue;
		}
		tries->conf.failed(tries->conf.arg, number, TRY_UNREACHABLE, now_ms);
		if (try->kind == TRY_UDP && try->slot == slot_number)
			tries_end(tries, number);
		number = slot->first; /* the list may be another */
	}
}

/* What a call takes, once a wake-up: with more in it the socket is still ready at the next. */
static void on_socket(struct tries *tries, uint32_t slot_number, uint64_t now_ms)
{
	struct socket_slot *slot = &tries->sockets.slots[slot_number];
	struct tries_in *in = &tries->in;
	int n, count;

	if (slot->fd < 0)
		return;
	count = recvmmsg(slot->fd, in->header, TRIES_IN_MAX, MSG_DONTWAIT | MSG_TRUNC, NULL);
	/* What is received comes from this socket, also if meanwhile all that wait on it end. */
	sockets_hold(&tries->sockets, slot_number);
	if (count < 0 && errno != EAGAIN && errno != EINTR)
		fail_socket(tries, slot_number, now_ms);
	for (n = 0; n < count; n++) {
		take_datagram(tries, slot_number, &in->from[n], in->data[n], in->header[n].msg_len,
			      now_ms);
		in->header[n].msg_hdr.msg_namelen = sizeof(in->from[n]);
	}
	sockets_release(&tries->sockets, slot_number);
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
			tries_on_conn(tries, (uint32_t)(data - CONNS_BASE), now_ms);
		else
			on_socket(tries, (uint32_t)data, now_ms);
	}
}
