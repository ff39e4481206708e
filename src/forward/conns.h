/* SPDX-License-Identifier: MIT */
/*
 * Questions over TCP: one connection a question, one message out and one back (RFC 7766).
 *
 * Preallocated; a buffer of 64 KB each, touched when used. One thread.
 */
#ifndef PRIVLINKD_FORWARD_CONNS_H
#define PRIVLINKD_FORWARD_CONNS_H

#include <stddef.h>
#include <stdint.h>

#include "forward/ask.h"
#include "net/addr.h"

/*
 * A worker's connections at one time. Few replies need TCP; in a flood of them one more counts as
 * no answer.
 */
#define CONNS_MAX 64
/* Longest query. */
#define CONNS_QUERY_MAX ASK_LEN_MAX

#define CONNS_NONE UINT32_MAX
#define CONNS_UNREACHABLE (UINT32_MAX - 1)

struct conns;

/* Connections are added to `epoll` with their number plus `base` as data. NULL without memory. */
struct conns *conns_new(int epoll, uint64_t base);
void conns_free(struct conns *conns);

/*
 * Begins to connect and will send this query. Its number, or CONNS_NONE (no room, or a limit of
 * this machine), or CONNS_UNREACHABLE. `owner` is the caller's.
 */
uint32_t conns_open(struct conns *conns, const union addr *to, const uint8_t *query, size_t len,
		    uint32_t owner);
void conns_close(struct conns *conns, uint32_t i);

enum conns_verdict {
	CONNS_WAIT,
	CONNS_MESSAGE, /* whole: *ret_data, good until it is closed */
	CONNS_BROKEN,  /* refused, reset or ended before the message was whole */
};

/* Something happened to it. CONNS_WAIT also for a number that is not in use. */
enum conns_verdict conns_step(struct conns *conns, uint32_t i, uint32_t *ret_owner,
			      const uint8_t **ret_data, size_t *ret_len);

#endif
