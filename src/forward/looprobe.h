/* SPDX-License-Identifier: MIT */
/*
 * Puts the probes that the table of loops wants, and tells what changes there.
 *
 * One in the process, on the event base of the worker whose prober it uses; its thread.
 */
#ifndef PRIVLINKD_FORWARD_LOOPROBE_H
#define PRIVLINKD_FORWARD_LOOPROBE_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"
#include "forward/looptable.h"
#include "upstream/prober.h"

/* An upstream sends the questions of a zone back to us (`marked`), or does not any more. */
typedef void looprobe_told_fn(void *arg, bool marked, const struct loop_mark *mark);

struct looprobe;

/* Table and prober must outlive it. */
struct looprobe *looprobe_new(struct looptable *table, struct prober *prober,
			      struct event_base *base, looprobe_told_fn *told, void *arg,
			      struct err *err);
void looprobe_free(struct looprobe *looprobe);

#endif
