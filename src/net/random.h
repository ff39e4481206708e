/* SPDX-License-Identifier: MIT */
/*
 * Numbers that nobody can guess: ids, ports, hash keys.
 *
 * From the kernel (getrandom), drawn in blocks a thread. Any thread, no lock; never blocks once the
 * kernel's source is ready, which random_start waits for.
 */
#ifndef PRIVLINKD_NET_RANDOM_H
#define PRIVLINKD_NET_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

int random_start(struct err *err);
void random_bytes(void *ret, size_t len);
uint16_t random_u16(void);
/* Evenly below `bound` (> 0). */
uint32_t random_below(uint32_t bound);

#endif
