/* SPDX-License-Identifier: MIT */
/*
 * How queries leave over UDP: those of one turn together.
 *
 * A try that is asked gets its socket and its id at once and stands in a queue until the turn ends;
 * then those of one socket, which is all that one upstream is asked in a turn, leave by one call.
 * The turn's end is an event that is made active with the first in the queue: libevent serves it
 * after those that were active before, so after all that can ask. A turn that asks more than
 * the queue holds sends what is there earlier.
 *
 * A failure is told at the turn's end alone, since nobody who asks expects a callback. Until then
 * such a try is on no socket but in a list of its own (TRY_UNSENT). Whoever is told may ask anew:
 * that leaves in the same turn. It ends, for every question asks each upstream once in a round, and
 * rounds are a time apart.
 *
 * What an error says depends on whose it is. A limit of ours concerns the one datagram. Anything
 * else, nearly always ICMP that came for an earlier one, is told to those that have left by this
 * socket and wait: it was meant for one of them, and the kernel tells it once. Those still in the
 * queue go all the same. sendmmsg keeps an error to itself where it has sent something before; then
 * the one that met it leaves at the second attempt, and what becomes of that is told by the next
 * error.
 */
#include <errno.h>

#include "base/clock.h"
#include "upstream/tries_inside.h"

void tries_leave_socket(struct tries *tries, uint32_t number)
{
	const struct try *try = &tries->all[number];

	tries_unlink(tries, number, &tries->sockets.slots[try->slot].first);
	if (try->queued != TRY_LEFT)
		tries->out.number[try->queued] = TRY_NONE;
	else
		sockets_ended(&tries->sockets, try->slot, try->ask.id);
	sockets_release(&tries->sockets, try->slot);
}

void tries_leave_unsent(struct tries *tries, uint32_t number)
{
	tries_unlink(tries, number, &tries->out.unsent);
}

static void arm_turn(struct tries *tries)
{
	if (tries->out.turning)
		return;
	tries->out.turning = true;
	event_active(tries->out.turn, EV_TIMEOUT, 0);
}

/* It is to be told of at the end of the turn. */
static void note_unsent(struct tries *tries, uint32_t number, enum try_verdict why)
{
	struct try *try = &tries->all[number];

	tries_leave_socket(tries, number);
	try->kind = TRY_UNSENT;
	try->why = why;
	tries_link(tries, number, &tries->out.unsent);
	arm_turn(tries);
	if (why == TRY_NO_ROOM)
		(void)tries_no_room(tries);
}

/* This one, out of the queue, met an error. */
static void note_error(struct tries *tries, uint32_t number, int error)
{
	struct socket_slot *slot = &tries->sockets.slots[tries->all[number].slot];
	uint32_t next;

	if (sockets_limit_met(error)) {
		note_unsent(tries, number, TRY_NO_ROOM);
		return;
	}
	slot->retired = true;
	for (number = slot->first; number != TRY_NONE; number = next) {
		next = tries->all[number].next;
		if (tries->all[number].queued == TRY_LEFT)
			note_unsent(tries, number, TRY_UNREACHABLE);
	}
}

/* Takes out of the queue what leaves by this socket, from `at` on. Returns how many. */
static unsigned gather(struct tries *tries, uint32_t slot, unsigned at,
		       uint32_t numbers[TRIES_OUT_MAX])
{
	struct tries_out *out = &tries->out;
	unsigned count = 0;

	for (; at < out->count; at++) {
		if (out->number[at] == TRY_NONE || tries->all[out->number[at]].slot != slot)
			continue;
		out->piece[count].iov_base = out->query[at];
		out->piece[count].iov_len = out->len[at];
		numbers[count++] = out->number[at];
	}
	return count;
}

static void note_left(struct tries *tries, uint32_t number, uint64_t now_us)
{
	struct try *try = &tries->all[number];

	tries->out.number[try->queued] = TRY_NONE;
	try->queued = TRY_LEFT;
	try->sent_us = now_us;
}

static void send_by_socket(struct tries *tries, uint32_t slot_number, unsigned at, uint64_t now_us)
{
	int fd = tries->sockets.slots[slot_number].fd;
	uint32_t numbers[TRIES_OUT_MAX];
	unsigned count = gather(tries, slot_number, at, numbers), sent = 0;

	sockets_hold(&tries->sockets, slot_number);
	while (sent < count) {
		int done = sendmmsg(fd, tries->out.header + sent, count - sent,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			int error = errno;

			note_left(tries, numbers[sent], now_us);
			note_error(tries, numbers[sent++], error);
			continue;
		}
		for (; done > 0; done--)
			note_left(tries, numbers[sent++], now_us);
	}
	sockets_release(&tries->sockets, slot_number);
}

static void send_queue(struct tries *tries)
{
	struct tries_out *out = &tries->out;
	uint64_t now_us = clock_now_us();
	unsigned at;

	for (at = 0; at < out->count; at++) {
		if (out->number[at] != TRY_NONE)
			send_by_socket(tries, tries->all[out->number[at]].slot, at, now_us);
	}
	out->count = 0;
	sockets_end_turn(&tries->sockets);
}

static void tell_unsent(struct tries *tries, uint64_t now_ms)
{
	while (tries->out.unsent != TRY_NONE) {
		uint32_t number = tries->out.unsent;

		tries->conf.failed(tries->conf.arg, number, tries->all[number].why, now_ms);
		if (tries->out.unsent == number)
			tries_end(tries, number);
	}
}

void tries_on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct tries *tries = arg;

	(void)fd;
	(void)what;
	do {
		send_queue(tries);
		tell_unsent(tries, clock_now_ms());
	} while (tries->out.count > 0);
	tries->out.turning = false;
}

static void queue(struct tries *tries, uint32_t number, size_t len)
{
	struct tries_out *out = &tries->out;

	tries->all[number].queued = (uint16_t)out->count;
	out->number[out->count] = number;
	out->len[out->count++] = len;
	if (!tries->conf.at_once)
		arm_turn(tries);
}

enum try_verdict tries_send_on_socket(struct tries *tries, uint32_t number,
				      const struct try_ask *ask, uint64_t now_ms)
{
	struct try *try = &tries->all[number];
	struct tries_out *out = &tries->out;
	struct socket_slot *slot;
	uint32_t slot_number;
	enum try_verdict why;
	size_t len;

	if (out->count == TRIES_OUT_MAX)
		send_queue(tries);
	slot_number = sockets_pick(&tries->sockets, ask->upstream, now_ms);
	if (slot_number == SOCKETS_NONE)
		return tries_no_room(tries);
	if (slot_number == SOCKETS_UNREACHABLE)
		return TRY_UNREACHABLE;
	tries_arm_sweep(tries);
	slot = &tries->sockets.slots[slot_number];
	try->kind = TRY_UDP;
	try->slot = slot_number;
	try->warm = true;
	len = tries_prepare(tries, try, ask, tries_draw_id(tries, slot->first), &slot->local,
			    now_ms, out->query[out->count]);
	tries_link(tries, number, &slot->first);
	queue(tries, number, len);
	if (!tries->conf.at_once)
		return TRY_SENT;
	send_queue(tries);
	if (try->kind != TRY_UNSENT)
		return TRY_SENT;
	why = try->why;
	tries_end(tries, number);
	return why;
}
