/* SPDX-License-Identifier: MIT */
/*
 * The main thread's loop: signals, the control socket, lines and letters of the workers, the
 * watchdog.
 */
#ifndef PRIVLINKD_ADMIN_RUN_H
#define PRIVLINKD_ADMIN_RUN_H

#include "admin/control.h"
#include "base/err.h"

/*
 * Runs until SIGTERM or SIGINT. *control_fd (-1: none) and `control_path` are those of
 * control_open; where the descriptor is taken, it is -1 afterwards. Workers run already. -1 if it
 * could not begin.
 */
int run_until_stopped(const struct control_parts *parts, int *control_fd, const char *control_path,
		      struct err *err);

#endif
