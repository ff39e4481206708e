/* SPDX-License-Identifier: MIT */
/*
 * The answers that are mostly given from our own records, laid out with a few copies: a held name's
 * addresses, or that it has none of the type, with the CNAME from its other form before them or
 * without.
 *
 * Octet by octet what the writer would make of the same plan record by record (test_template); of a
 * name of a hundred labels and more, whose end the writer no longer remembers, it may be shorter.
 * Pure; any thread.
 */
#ifndef PRIVLINKD_RESOLVE_TEMPLATE_H
#define PRIVLINKD_RESOLVE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve/plan.h"
#include "wire/writer.h"

/*
 * RDATA of the SOA that Azure's private zones carry: serial 1, refresh 3600, retry 300, expire
 * 2419200, minimum 10.
 */
#define AZURE_SOA_LEN 77
#define AZURE_SOA_TTL_S 10
extern const uint8_t azure_soa[AZURE_SOA_LEN];

/*
 * Writes all records of such a plan; the question, and nothing else, has been written. False where
 * it is another plan, or does not fit: then nothing has changed.
 */
bool template_put(struct writer *writer, const struct plan *plan);

#endif
