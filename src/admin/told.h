/* SPDX-License-Identifier: MIT */
/* Complaints kept for a report, as well as passed on. One thread at a time. */
#ifndef PRIVLINKD_ADMIN_TOLD_H
#define PRIVLINKD_ADMIN_TOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/complaint.h"

/*
 * Lines kept of one run; all of them are passed on, so a report that was cut is whole in the log.
 */
#define TOLD_LINES_MAX 1000

struct told {
	complaint_fn *also; /* or NULL */
	void *arg;
	size_t count, errors;
	struct complaint *line; /* their texts are told's own */
};

void told_init(struct told *told, complaint_fn *also, void *arg);
void told_fini(struct told *told);

/* A complaint_fn; the argument is the struct told. */
void told_add(void *told, const struct complaint *complaint);

#endif
