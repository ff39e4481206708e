/* SPDX-License-Identifier: MIT */
/*
 * The TLS side of upstreams: who they must show themselves to be, and what was wrong with whoever
 * answered in their place. Any worker at any time, but where it says otherwise.
 */
#ifndef PRIVLINKD_UPSTREAM_TLS_H
#define PRIVLINKD_UPSTREAM_TLS_H

#include "net/tls.h"
#include "upstream/told.h"
#include "upstream/upstream.h"

/*
 * After a handshake that failed no other is begun for so long: a handshake costs both sides a
 * millisecond of work, and every question would begin one. Short: what was put right shows at once.
 */
#define UPSTREAM_TLS_PAUSE_MS 1000

/* Lines of one upstream a minute that the log gets. */
#define UPSTREAM_TLS_LINES 6

/* For sessions with it; NULL: it is asked in clear text. */
struct tls_client *upstream_tls_client(const struct upstreams *upstreams, uint16_t upstream);

/* Is this the time after a failed handshake? */
bool upstream_tls_pauses(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);

/* A session stands. */
void upstream_note_tls_session(struct upstreams *upstreams, uint16_t upstream, bool resumed,
			       uint64_t now_ms);
/* A handshake failed. Health is told apart from this: upstream_note_unreachable. */
void upstream_note_tls_fault(struct upstreams *upstreams, uint16_t upstream,
			     const struct tls_fault *fault, uint64_t now_ms);

/* For status. */
struct upstream_tls_state {
	char name[256]; /* what its certificate must show; "": its address */
	uint64_t sessions, resumed, failed;
	struct tls_fault fault; /* TLS_FAULT_NONE: the last handshake was good, or there was none */
};
/* False for one that is asked in clear text. */
bool upstream_tls_state(const struct upstreams *upstreams, uint16_t upstream,
			struct upstream_tls_state *ret);

/* For the log, main thread, when upstreams_news_fd says so: calls `tell` with each line. */
void upstreams_tls_tell(struct upstreams *upstreams, upstream_tell_fn *tell, void *arg);

#endif
