/* SPDX-License-Identifier: MIT */
/*
 * What a cell of a CSV file may hold: one value or a list of them, a time span, an object whose
 * values an export lost. Pure; time linear in the cell.
 */
#ifndef PRIVLINKD_SOURCE_CSVVAL_H
#define PRIVLINKD_SOURCE_CSVVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/token.h"

/*
 * The values of a cell: of a JSON list, of a list between commas, semicolons, bars or blanks, with
 * or without brackets, or the one that it is. `null` is no value.
 */
struct csvlist {
	const char *at, *end;
};

/* False if a bracket is open at the end: the cell was cut. */
bool csvlist_init(struct csvlist *list, const char *text, size_t len);
/* The next value without quotes; false when there is none left. */
bool csvlist_next(struct csvlist *list, const char **ret_text, size_t *ret_len);

/* Is every value an address, and is there one? */
bool csvval_is_addresses(const char *text, size_t len);

/* token_read_ttl's, and .NET's time spans: [d.]hh:mm:ss[.fraction]. False if it is none. */
bool csvval_read_ttl(const char *text, size_t len, uint32_t *ret);

/*
 * Why a cell has no values though an object that had them stood there, and how to export them; NULL
 * if it is nothing of that kind.
 */
const char *csvval_lost(const char *text, size_t len);

#endif
