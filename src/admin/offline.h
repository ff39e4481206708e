/* SPDX-License-Identifier: MIT */
/*
 * What privlinkctl does without a server. Each returns an exit code: 0, 1 for errors, 2 for bad
 * usage.
 */
#ifndef PRIVLINKD_ADMIN_OFFLINE_H
#define PRIVLINKD_ADMIN_OFFLINE_H

#include <stdbool.h>

/* `[--preset PRESET] [--zone ZONE] FILE...`: reads as the server would, prints what was found. */
int offline_check(bool json, int count, char **args);

/* The built-in table of a preset (0 or 1 arguments; none: azure-migrate). */
int offline_zones(bool json, int count, char **presets);

#endif
