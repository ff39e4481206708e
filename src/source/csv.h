/* SPDX-License-Identifier: MIT */
/*
 * Reader for CSV: a row is one or more names and one or more addresses, or a record of another
 * type. Takes spreadsheets, Export-Csv of PowerShell and of Windows DNS, Resource Graph's and the
 * portal's CSV, a DNS-settings download in that shape, with a header or without. See
 * source/reader.h.
 *
 * Comma, semicolon or tab; limits of rows and cells are csvlex.h's.
 */
#ifndef PRIVLINKD_SOURCE_CSV_H
#define PRIVLINKD_SOURCE_CSV_H

#include "source/reader.h"

/* Names and addresses of one row; every name gets every address, so their product is bounded. */
#define CSV_NAMES_MAX 16
#define CSV_ADDRESSES_MAX 256

void csv_read(const struct reader_input *in, struct builder *builder, struct complaints *to);

#endif
