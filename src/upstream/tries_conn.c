/* SPDX-License-Identifier: MIT */
/*
 * Tries on connections, over TCP and TLS.
 *
 * Those that wait on one connection form a list. What comes is matched by id, then by all that
 * ask.c matches. Nobody else can speak on a connection, so what fits no try is a late answer to one
 * that has ended; what has a try's id and another question is a server's fault, and that try's end.
 *
 * When a connection breaks that was of use before, its tries go on another one: the upstream has
 * closed what it took for idle, or closes after each answer (RFC 7766 6.2.4). That ends, for each
 * such connection must have brought an answer. When one breaks that never was, they have failed.
 */
#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"
#include "upstream/tries_inside.h"

/* How often connections are looked at: their times are not kept more exactly than that. */
#define TICK_MS 500
/* Reads of one connection a wake-up, of up to 64 KiB: others have their turn. */
#define TURNS_MAX 16

static void arm_tick(struct tries *tries)
{
	struct timeval wait = { .tv_usec = TICK_MS * 1000 };

	if (conns_open(tries->conns) == 0 || tries->ticking)
		return;
	tries->ticking = true;
	event_add(tries->tick, &wait);
}

/*
 * Over TCP nobody can speak for the upstream: a cookie is shown to learn whether it knows them.
 */
static enum try_verdict send_on_conn(struct tries *tries, uint32_t number,
				     const struct try_ask *ask, uint64_t now_ms)
{
	uint32_t conn = conns_pick(tries->conns, ask->upstream, now_ms), *first;
	struct try *try = &tries->all[number];
	uint8_t query[ASK_LEN_MAX];
	size_t len;

	if (conn == CONNS_NONE)
		return tries_no_room(tries);
	if (conn == CONNS_UNREACHABLE)
		return TRY_UNREACHABLE;
	arm_tick(tries);
	first = conns_first(tries->conns, conn);
	try->kind = TRY_TCP;
	try->slot = conn;
	try->warm = conns_stands(tries->conns, conn);
	len = tries_prepare(tries, try, ask, tries_draw_id(tries, *first), NULL, now_ms, query);
	try->sent_us = clock_now_us();
	tries_link(tries, number, first);
	if (conns_send(tries->conns, conn, query, len))
		return TRY_SENT;
	tries_end(tries, number);
	return tries_no_room(tries);
}

enum try_verdict tries_tcp(struct tries *tries, uint32_t number, const struct try_ask *ask,
			   uint64_t now_ms)
{
	enum try_verdict verdict = send_on_conn(tries, number, ask, now_ms);

	if (verdict == TRY_SENT)
		counter_add(&tries->conf.counters->tcp, 1);
	return verdict;
}

/* A message that came on a connection; the caller holds that. */
static void take_message(struct tries *tries, uint32_t conn, struct try_reply *reply,
			 uint64_t now_ms)
{
	struct cursor head = cursor_over(reply->data, reply->len);
	uint32_t number = *conns_first(tries->conns, conn);
	uint16_t id = cursor_u16(&head);
	enum ask_fit fit = ASK_OTHER;
	struct ask_reply said;

	while (number != TRY_NONE && tries->all[number].ask.id != id)
		number = tries->all[number].next;
	if (number == TRY_NONE) {
		counter_add(&tries->conf.counters->late, 1);
		return;
	}
	if (!head.bad)
		fit = ask_match(&tries->all[number].ask, reply->data, reply->len, &said);
	if (fit == ASK_OTHER) {
		counter_add(&tries->conf.counters->mismatched, 1);
		tries->conf.failed(tries->conf.arg, number, TRY_UNREACHABLE, now_ms);
		return;
	}
	conns_note_answer(tries->conns, conn, said.idle_ds, now_ms);
	tries_tell(tries, number, fit, &said, reply, false, now_ms);
}

/* Its query goes out once more, on another connection. False where that cannot be. */
static bool ask_again(struct tries *tries, uint32_t number, uint64_t now_ms)
{
	const struct try *try = &tries->all[number];
	struct try_ask ask = { .key = try->ask.key,
			       .upstream = try->upstream,
			       .edns = try->ask.edns,
			       .cookie = try->ask.cookie,
			       .ad = try->ask.ad,
			       .caps = try->ask.caps };

	tries_end(tries, number);
	if (send_on_conn(tries, number, &ask, now_ms) != TRY_SENT)
		return false;
	counter_add(&tries->conf.counters->asked_again, 1);
	return true;
}

/* It has ended: those that wait on it go elsewhere, or have failed. */
static void break_conn(struct tries *tries, uint32_t conn, uint64_t now_ms)
{
	uint32_t *first = conns_first(tries->conns, conn), number;
	bool again = conns_was_of_use(tries->conns, conn);

	conns_hold(tries->conns, conn, now_ms);
	while (*first != TRY_NONE) {
		number = *first;
		if (again && ask_again(tries, number, now_ms))
			continue;
		tries->conf.failed(tries->conf.arg, number, TRY_UNREACHABLE, now_ms);
		if (*first == number)
			tries_end(tries, number);
	}
	conns_release(tries->conns, conn, now_ms);
}

void tries_on_conn(struct tries *tries, uint32_t conn, uint64_t now_ms)
{
	enum conns_verdict verdict = CONNS_MESSAGES;
	unsigned turn;

	for (turn = 0; turn < TURNS_MAX; turn++) {
		struct try_reply reply = { .news = TRY_ANSWER };

		verdict = conns_step(tries->conns, conn, now_ms);
		if (verdict != CONNS_MESSAGES)
			break;
		conns_hold(tries->conns, conn, now_ms);
		while (conns_next(tries->conns, conn, &reply.data, &reply.len))
			take_message(tries, conn, &reply, now_ms);
		conns_release(tries->conns, conn, now_ms);
	}
	if (verdict == CONNS_BROKEN)
		break_conn(tries, conn, now_ms);
	else if (verdict == CONNS_MESSAGES)
		conns_leave(tries->conns, conn);
}

void tries_on_tick(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now_ms = clock_now_ms();
	struct tries *tries = arg;
	uint32_t conn;

	(void)fd;
	(void)what;
	tries->ticking = false;
	for (conn = 0; conn < tries->conf.conns.max; conn++) {
		if (conns_check(tries->conns, conn, now_ms) == CONNS_BROKEN)
			break_conn(tries, conn, now_ms);
	}
	arm_tick(tries);
}
