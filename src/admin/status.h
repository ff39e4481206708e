/* SPDX-License-Identifier: MIT */
/*
 * What `privlinkctl status` and the report of a reload say, as text and as JSON. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_STATUS_H
#define PRIVLINKD_ADMIN_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/build.h"
#include "admin/reload.h"
#include "forward/forward.h"
#include "resolve/view.h"
#include "serve/listen.h"
#include "serve/worker.h"
#include "source/account.h"

struct status_input {
	const struct account *account;
	bool is_reading; /* the next two say what, and for how long */
	char reading[READING_PATH_MAX];
	uint64_t reading_ms;
	const struct upstreams *upstreams;
	const struct view *view;
	unsigned views, views_most; /* alive now, and at once so far */
	const struct listeners *listeners;
	const struct workers *workers;
	struct forward_shared *forward;
	const struct tls_server *tls; /* or NULL */
	uint64_t uptime_ms;
};

/* For the caller to free; NULL when there is no memory. */
char *status_text(const struct status_input *input);
char *status_json(const struct status_input *input);

/* The complaints of a run and where each source stands after it. */
char *status_report_text(const struct reload_report *report);
char *status_report_json(const struct reload_report *report);

#endif
