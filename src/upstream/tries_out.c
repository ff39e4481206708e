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
 * Those of one socket are bundled: to the kernel a run of datagrams of one length, of which the
 * last may be shorter, is one that it takes apart at the very end (UDP_SEGMENT), so the way down is
 * gone once. They leave in the order of their lengths, so runs are of two at least. The upstream
 * sees datagrams as ever. Not every way can take bundles (IPsec, devices that cannot fill in
 * checksums), and says so: to that upstream they go singly from then on. If one should lose them
 * without a word, what is asked again goes singly in any case.
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
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream/tries_inside.h"

/* Older headers lack it; the value is the kernel's own for ever. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

_Static_assert(TRIES_OUT_MAX <= 64, "as many as any kernel takes in a bundle");

/* A kernel that knows none would send a bundle as one datagram, so it has to be asked. */
static bool kernel_bundles(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), len = 0;
	bool ret = fd >= 0 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &len, sizeof(len)) == 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

void tries_out_init(struct tries_out *out)
{
	out->unsent = TRY_NONE;
	memset(out->singly, !kernel_bundles(), sizeof(out->singly));
}

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

/* Takes out of the queue what leaves by this socket, from `at` on, the longest first. How many. */
static unsigned gather(struct tries *tries, uint32_t slot, unsigned at,
		       uint32_t numbers[TRIES_OUT_MAX])
{
	struct tries_out *out = &tries->out;
	unsigned count = 0, n;

	for (; at < out->count; at++) {
		if (out->number[at] == TRY_NONE || tries->all[out->number[at]].slot != slot)
			continue;
		for (n = count++; n > 0 && out->piece[n - 1].iov_len < out->len[at]; n--) {
			out->piece[n] = out->piece[n - 1];
			numbers[n] = numbers[n - 1];
		}
		out->piece[n] = (struct iovec){ out->query[at], out->len[at] };
		numbers[n] = out->number[at];
	}
	return count;
}

/* Of these, in the order of their lengths, so many from the first on leave as one. */
static unsigned bundle_size(const struct tries *tries, const uint32_t *numbers,
			    const struct iovec *piece, unsigned count)
{
	const struct try *all = tries->all;
	unsigned n = 1;

	if (tries->out.singly[all[numbers[0]].upstream] || all[numbers[0]].again)
		return 1;
	while (n < count && !all[numbers[n]].again && piece[n - 1].iov_len == piece[0].iov_len)
		n++;
	return n;
}

/*
 * Lays out the headers of what has not left of the gathered, the first `singly` of these in no
 * bundle. How many headers.
 */
static unsigned bundle(struct tries *tries, const uint32_t *numbers, unsigned sent, unsigned count,
		       unsigned singly)
{
	struct tries_out *out = &tries->out;
	unsigned headers = 0, size;

	for (; sent < count; sent += size) {
		union tries_segment *control = &out->control[headers];
		struct msghdr *header = &out->header[headers++].msg_hdr;
		uint16_t len = (uint16_t)out->piece[sent].iov_len;

		size = sent < singly ? 1
				     : bundle_size(tries, numbers + sent, &out->piece[sent],
						   count - sent);
		*header = (struct msghdr){ .msg_iov = &out->piece[sent], .msg_iovlen = size };
		if (size == 1)
			continue;
		control->header.cmsg_level = IPPROTO_UDP;
		control->header.cmsg_type = UDP_SEGMENT;
		control->header.cmsg_len = CMSG_LEN(sizeof(len));
		memcpy(CMSG_DATA(&control->header), &len, sizeof(len));
		header->msg_control = control;
		header->msg_controllen = sizeof(control->room);
	}
	return headers;
}

/*
 * A bundle met this error. True: because it is one, for want of room for so much, or (EPERM) by a
 * rule of a firewall, which sees it whole, and perhaps as too long; so they are to go singly.
 * False: it says nothing of bundles.
 */
static bool bundle_refused(struct tries *tries, uint16_t upstream, int error)
{
	if (sockets_limit_met(error) || error == EPERM)
		return true;
	if (error != EIO && error != EINVAL && error != EMSGSIZE && error != EOPNOTSUPP)
		return false;
	tries->out.singly[upstream] = true;
	return true;
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
	unsigned count = gather(tries, slot_number, at, numbers), sent = 0, singly = 0;
	const struct mmsghdr *header = tries->out.header;

	sockets_hold(&tries->sockets, slot_number);
	while (sent < count) {
		unsigned headers = bundle(tries, numbers, sent, count, singly), end = sent;
		int done = sendmmsg(fd, tries->out.header, headers, MSG_DONTWAIT | MSG_NOSIGNAL);
		int error = errno, n;

		if (done < 0 && error == EINTR)
			continue;
		if (done <= 0 && header->msg_hdr.msg_iovlen > 1 &&
		    bundle_refused(tries, tries->all[numbers[sent]].upstream, error)) {
			singly = sent + (unsigned)header->msg_hdr.msg_iovlen;
			continue;
		}
		if (done <= 0) {
			note_left(tries, numbers[sent], now_us);
			note_error(tries, numbers[sent++], error);
			continue;
		}
		for (n = 0; n < done; n++)
			end += (unsigned)header[n].msg_hdr.msg_iovlen;
		while (sent < end)
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
