/* SPDX-License-Identifier: MIT */
/*
 * What the operator is told of upstreams: who is set aside, why, and who is back. Main thread.
 */
#ifndef PRIVLINKD_UPSTREAM_TOLD_H
#define PRIVLINKD_UPSTREAM_TOLD_H

#include "upstream/upstream.h"

/*
 * Lines of one upstream a minute, and of one member of a group for its zone. Fixed: what changes
 * more often than this shows in its counters.
 */
#define UPSTREAM_TOLD_LINES 6

/*
 * Readable while there may be something to tell, of health or of TLS (upstreams_tls_tell);
 * upstreams_quiet makes it unreadable, before the telling.
 */
int upstreams_news_fd(const struct upstreams *upstreams);
void upstreams_quiet(struct upstreams *upstreams);

/*
 * Calls `tell` with a line for each that was set aside since, or is back. False: some were left out
 * for their rate, and are told by the next call after the minute, if they still hold.
 */
typedef void upstream_tell_fn(void *arg, bool good, const char *line);
bool upstreams_tell(struct upstreams *upstreams, upstream_tell_fn *tell, void *arg,
		    uint64_t now_ms);

#endif
