/* SPDX-License-Identifier: MIT */
/*
 * The steps of a start that touch the machine: descriptors, the control socket, the user, the state
 * folder. What is built in and missing is a warning, what the configuration names an error.
 * Main thread, before there are others.
 */
#ifndef PRIVLINKD_ADMIN_START_H
#define PRIVLINKD_ADMIN_START_H

#include "admin/build.h"
#include "admin/config.h"
#include "base/err.h"
#include "forward/forward.h"
#include "serve/worker.h"

/* Threads that are to answer: as configured, or one a CPU that we may use. */
unsigned start_workers(const struct config *config);

/* What of the configuration the forwarder follows while it runs. */
struct forward_limits start_limits(const struct config *config);

/* Limits of the forwarder for that many workers, fitted to the descriptors that we may have. */
struct forward_conf start_forward(const struct config *config, unsigned workers);

/* Limits of the workers themselves. */
struct workers_conf start_workers_conf(const struct config *config);

/* The state folder that the configuration names, if it does, is one. */
int start_check_state(const struct config *config, struct err *err);

/*
 * Opens the control socket and becomes the configured user. Listening sockets are open already.
 * *ret_control_fd is -1 where the server runs without.
 */
int start_privileges(const struct config *config, int *ret_control_fd, struct err *err);

/* After the first load: a record file that the user may not read is an error. */
int start_check_sources(const struct sources *sources, struct err *err);

#endif
