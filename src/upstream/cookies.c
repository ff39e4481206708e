/* SPDX-License-Identifier: MIT */
/*
 * A cookie is 64 bits more that a forger who cannot see our packets has to guess, on top of port,
 * id and case: he must show ours. That holds only for upstreams that are known to show cookies, so
 * an upstream that gave us one is expected to from then on, until it answers over TCP without, or
 * has shown none for COOKIES_SHOWN_MS: one that was replaced, and cannot be reached over TCP, would
 * else be lost until the next start. A forger would have to outrun every answer for as long.
 *
 * Ours is drawn from the random source, one for each upstream and address of ours, not computed
 * from a secret: there are few upstreams, and what is drawn cannot be worked out. The upstream's is
 * bound to ours and to our address, so it is forgotten with ours; that it shows cookies is not.
 *
 * Each worker has a table of its own: no lock, and no more than one question a worker goes out
 * without the upstream's cookie.
 */
#include "upstream/cookies.h"

#include <stdlib.h>
#include <string.h>

#include "net/random.h"

struct line {
	union addr local;
	uint64_t drawn_ms; /* 0: never */
	uint8_t client[ASK_CLIENT_COOKIE_LEN];
	uint64_t shown_ms; /* when it last gave us one; 0: never */
	uint8_t server_len;
	uint8_t server[ASK_SERVER_COOKIE_MAX];
};

struct cookies {
	struct line lines[UPSTREAMS_MAX];
};

struct cookies *cookies_new(void)
{
	return calloc(1, sizeof(struct cookies));
}

void cookies_free(struct cookies *cookies)
{
	free(cookies);
}

size_t cookies_show(struct cookies *cookies, uint16_t upstream, const union addr *local,
		    uint64_t now_ms, uint8_t client[ASK_CLIENT_COOKIE_LEN],
		    const uint8_t **ret_server)
{
	struct line *line = &cookies->lines[upstream];

	if (line->drawn_ms == 0 || now_ms >= line->drawn_ms + COOKIES_LIFE_MS ||
	    (local && !addr_same_host(&line->local, local))) {
		if (local)
			line->local = *local;
		line->drawn_ms = now_ms ? now_ms : 1;
		line->server_len = 0;
		random_bytes(line->client, sizeof(line->client));
	}
	memcpy(client, line->client, sizeof(line->client));
	*ret_server = line->server;
	return line->server_len;
}

void cookies_learn(struct cookies *cookies, uint16_t upstream,
		   const uint8_t client[ASK_CLIENT_COOKIE_LEN], const uint8_t *server,
		   size_t server_len, uint64_t now_ms)
{
	struct line *line = &cookies->lines[upstream];

	line->shown_ms = now_ms ? now_ms : 1;
	/* One that came for a cookie we have since replaced is of no use. */
	if (memcmp(line->client, client, sizeof(line->client)) != 0 ||
	    server_len > sizeof(line->server))
		return;
	memcpy(line->server, server, server_len);
	line->server_len = (uint8_t)server_len;
}

bool cookies_are_shown(const struct cookies *cookies, uint16_t upstream, uint64_t now_ms)
{
	uint64_t shown_ms = cookies->lines[upstream].shown_ms;

	return shown_ms && now_ms < shown_ms + COOKIES_SHOWN_MS;
}

void cookies_forget(struct cookies *cookies, uint16_t upstream)
{
	cookies->lines[upstream].shown_ms = 0;
	cookies->lines[upstream].server_len = 0;
}
