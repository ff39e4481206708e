/* SPDX-License-Identifier: MIT */
/*
 * `privlinkctl records`: what a view holds, with the line that each record came from. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_RECORDS_H
#define PRIVLINKD_ADMIN_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "resolve/view.h"

/*
 * Octets of a list; a longer one is cut and says so. It is held in memory while the client reads.
 */
#define RECORDS_REPLY_MAX ((size_t)64 << 20)

/*
 * All records, or those at and below `name` (either form; a leading `*.` means nothing more).
 * Text lines are `name. ttl IN type data ; path:line`, in canonical order of names. NULL with
 * err: no such name, nothing held, no memory. The caller frees it.
 */
char *records_list(const struct view *view, const char *name, bool json, struct err *err);

/*
 * Data of a record in presentation format; RFC 3597's where it is not known. The caller frees it.
 */
char *records_data_text(uint16_t type, const uint8_t *rdata, size_t len);

#endif
