/* SPDX-License-Identifier: MIT */
/*
 * DNS cookies to upstreams (RFC 7873): what we show each, and what each gave us.
 *
 * A worker's own; one thread. Preallocated, a line for each upstream of the registry.
 */
#ifndef PRIVLINKD_UPSTREAM_COOKIES_H
#define PRIVLINKD_UPSTREAM_COOKIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "upstream/ask.h"
#include "upstream/upstream.h"

/*
 * Our cookie for an upstream is drawn anew after so long, and where we speak from another address:
 * who saw it once shall not use it for ever (RFC 7873 7.1), and two addresses of ours shall not be
 * known as one by it (RFC 7873 6).
 */
#define COOKIES_LIFE_MS (60 * 60 * 1000)

/* An upstream that has given us a cookie is expected to for so long from the last one on. */
#define COOKIES_SHOWN_MS (10 * 60 * 1000)

struct cookies;

/* NULL without memory. */
struct cookies *cookies_new(void);
void cookies_free(struct cookies *cookies);

/*
 * What to show this upstream from our address `local` (NULL: the last one): `client` is filled in,
 * and the upstream's own cookie that goes with it in *ret_server (good until the next call). The
 * length of that, 0: none yet.
 */
size_t cookies_show(struct cookies *cookies, uint16_t upstream, const union addr *local,
		    uint64_t now_ms, uint8_t client[ASK_CLIENT_COOKIE_LEN],
		    const uint8_t **ret_server);

/* A reply that showed our cookie `client` brought this one of the upstream. */
void cookies_learn(struct cookies *cookies, uint16_t upstream,
		   const uint8_t client[ASK_CLIENT_COOKIE_LEN], const uint8_t *server,
		   size_t server_len, uint64_t now_ms);

/* Has it given us a cookie of late? Then what comes without is not its answer. */
bool cookies_are_shown(const struct cookies *cookies, uint16_t upstream, uint64_t now_ms);

/* It knows none any more: so it said where nobody could speak in its place. */
void cookies_forget(struct cookies *cookies, uint16_t upstream);

#endif
