/* SPDX-License-Identifier: MIT */
/*
 * How the sources stand, copied: for a thread that is not the one that loads them.
 *
 * Never changed once it is made, so it may be handed from thread to thread. Its functions say what
 * those of load.h say (sources_count and so on), of the moment when it was taken.
 */
#ifndef PRIVLINKD_SOURCE_ACCOUNT_H
#define PRIVLINKD_SOURCE_ACCOUNT_H

#include "source/load.h"

struct account;

/* NULL when there is no memory. */
struct account *account_take(const struct sources *sources);
void account_free(struct account *account);

size_t account_count(const struct account *account);
const struct source_status *account_status(const struct account *account, size_t i);
size_t account_troubled(const struct account *account);
bool account_hold(const struct account *account, size_t i, struct source_hold *ret);
const char *account_state(const struct account *account, const char **ret_trouble);

#endif
