/* SPDX-License-Identifier: MIT */
/*
 * Every counter of the server by name: what `privlinkctl stats` prints.
 *
 * Counters of the workers are added up. A counter that is new in a struct needs a row in stats.c:
 * without one the build fails, or test_stats. Names are an interface: they are added to, never
 * changed. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_STATS_H
#define PRIVLINKD_ADMIN_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "admin/status.h"

/* One part: the names of a struct of counters, in the order of its members. */
struct stats_row {
	const char *name; /* without the part's */
	const char *help; /* what it counts; a limit that was met names its key */
};
struct stats_part {
	const char *name; /* stands before the names of its rows, with `_` */
	const struct stats_row *row;
	size_t count;
	size_t counters; /* of the struct */
};

/* Those of the workers. */
extern const struct stats_part stats_parts[];
extern const size_t stats_parts_count;

/* For the caller to free; NULL when there is no memory. Lines `name value help`. */
char *stats_text(const struct status_input *input);
/* An object `counters` with a number for each name, and a list `upstreams`. */
char *stats_json(const struct status_input *input);

#endif
