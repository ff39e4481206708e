/* SPDX-License-Identifier: MIT */
/* The part of status that tells of upstreams. Main thread. */
#ifndef PRIVLINKD_ADMIN_STATUSFORWARD_H
#define PRIVLINKD_ADMIN_STATUSFORWARD_H

#include <stdio.h>

#include "admin/status.h"
#include "base/json.h"

/* The routes of the view, with the state of their upstreams: lines, or where `json`, JSON. */
void status_forward(FILE *out, struct json *json, const struct status_input *input);

#endif
