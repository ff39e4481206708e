/* SPDX-License-Identifier: MIT */
/*
 * Finds out when upstreams that were set aside are well again, and whether those in doubt are.
 *
 * One in the process, on one worker's event base with that worker's prober.
 */
#ifndef PRIVLINKD_UPSTREAM_REVIVE_H
#define PRIVLINKD_UPSTREAM_REVIVE_H

#include <event2/event.h>

#include "base/err.h"
#include "upstream/prober.h"
#include "upstream/upstream.h"

struct revive;

struct revive *revive_new(struct upstreams *upstreams, struct prober *prober,
			  struct event_base *base, struct err *err);
/* Before its prober. */
void revive_free(struct revive *revive);

#endif
