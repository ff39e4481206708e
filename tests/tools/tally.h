/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_TALLY_H
#define PRIVLINKD_TESTS_TALLY_H

/* What fakeup has been asked: counts by name and type, in total, and the source ports seen. */

#include <stdint.h>

void tally_query(const char *lower_name, uint16_t type, const char *seen);
void tally_port(uint16_t port);
void tally_reset(void);

/* But for probes: random names for loops, SOA and the root's NS for health. */
long tally_total(void);
long tally_ports(void);

/* Of "name." over all types, or of "name. TYPE". */
long tally_count(const char *key);

/* The flags and EDNS of the last "name. TYPE", in words; NULL where there was none. */
const char *tally_seen(const char *key);

/* Calls back with each "name. TYPE", sorted. */
void tally_each(void (*visit)(const char *key, long n, void *arg), void *arg);

#endif
