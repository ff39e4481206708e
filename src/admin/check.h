/* SPDX-License-Identifier: MIT */
/* `privlinkd -t`: reads what a start would read, and tells. */
#ifndef PRIVLINKD_ADMIN_CHECK_H
#define PRIVLINKD_ADMIN_CHECK_H

#include "admin/reload.h"
#include "source/load.h"

/*
 * Prints every complaint and a line that sums up, to standard error and output. Opens no socket.
 * 0, or -1 where there was any error.
 */
int check_configuration(const struct reload_conf *conf);

/* A line a file on standard output: path, format, records, errors, warnings. */
void check_print_sources(const struct sources *sources);

#endif
