/* SPDX-License-Identifier: MIT */
/*
 * What one worker has to tell the operator, as lines in the log: mostly its resolver. Its thread.
 *
 * Anybody can cause such lines, by asking, so each kind has a limit; but for the query log, which
 * is meant to be whole.
 */
#ifndef PRIVLINKD_SERVE_REPORT_H
#define PRIVLINKD_SERVE_REPORT_H

#include <event2/event.h>

#include "base/counter.h"
#include "forward/looptable.h"
#include "resolve/query.h"

/* Lines of one kind of event a minute; how many more there were is told in one line. */
#define REPORT_LINES 10

struct report;

/* `suppressed` counts the lines that were not written. NULL when there is no memory. */
struct report *report_new(struct event_base *base, struct counter *suppressed);
void report_free(struct report *report);

/* As looprobe_told_fn; marks are few and change seldom. */
void report_loop(bool marked, const struct loop_mark *mark);

/* As resolver_event_fn. */
void report_event(struct report *report, enum resolver_event event, const struct client *client,
		  const struct name *name, uint16_t type, const char *text);

/* Why no TLS came about with a client. */
void report_handshake(struct report *report, const union addr *from, const char *why);

#endif
