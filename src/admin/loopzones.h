/* SPDX-License-Identifier: MIT */
/*
 * Which zones are looked after for forwarding loops. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_LOOPZONES_H
#define PRIVLINKD_ADMIN_LOOPZONES_H

#include "base/err.h"
#include "forward/forward.h"
#include "resolve/view.h"

/*
 * Those of this view, from now on: every forward zone, and every zone of private link whose names
 * may go to an upstream. -1: no memory, and it is as it was.
 */
int loopzones_follow(struct forward_shared *forward, const struct view *view, struct err *err);

#endif
