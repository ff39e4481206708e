/* SPDX-License-Identifier: MIT */
/*
 * Probes: one question to one upstream, of whose answer only the caller learns.
 *
 * Apart from clients' questions: tries, sockets, connections and timer of its own, and nothing of
 * what comes back is cached or given to anybody. At most so many at a time; one more is refused and
 * counted, and can be tried later. It keeps no health: what a result means is the caller's
 * business. Each worker has one, on its event base; one thread.
 */
#ifndef PRIVLINKD_UPSTREAM_PROBER_H
#define PRIVLINKD_UPSTREAM_PROBER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "upstream/counters.h"
#include "upstream/upstream.h"
#include "wire/name.h"

/* How long one probe waits. Its datagram is sent once: who needs an answer for sure asks again. */
#define PROBER_WAIT_MS 1500

enum prober_result {
	PROBER_ANSWERED, /* a reply that fits in address, id and question, whatever it says */
	PROBER_SILENT,
	PROBER_UNREACHABLE, /* ICMP, a connection refused or broken, a handshake that failed */
};

/*
 * The probe is over; from the event loop, never from within prober_ask. `rcode`: of an answer, with
 * the upper bits of its OPT; else 0. `rtt_us`: of an answer over UDP, else 0. May ask anew.
 */
typedef void prober_done_fn(void *arg, uint64_t token, enum prober_result result, unsigned rcode,
			    uint64_t rtt_us, uint64_t now_ms);

struct prober_question {
	uint16_t upstream;       /* its number in the registry */
	const struct name *name; /* copied */
	uint16_t type;
	prober_done_fn *done;
	void *arg;
	uint64_t token; /* the caller's */
	bool curious;   /* nothing hangs on it: it has half of the places */
};

struct prober;

/* At most `max` at a time. `counters` are the worker's. */
struct prober *prober_new(unsigned max, struct upstreams *upstreams, struct event_base *base,
			  struct upstream_counters *counters, struct err *err);
/* Probes under way end without a word. */
void prober_free(struct prober *prober);

/*
 * Asks: RD=1, EDNS where the upstream knows it. False where there is no room for one more or it
 * could not be sent for want of our own resources; `done` will not be called then.
 */
bool prober_ask(struct prober *prober, const struct prober_question *question, uint64_t now_ms);

/* No `done` comes with this `arg` any more. */
void prober_forget(struct prober *prober, const void *arg);

#endif
