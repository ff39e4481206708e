/* SPDX-License-Identifier: MIT */
/*
 * Reader for zone files (RFC 1035 5): BIND's, `az network private-dns zone export`, Windows
 * Export-DnsServerZone. See source/reader.h.
 */
#ifndef PRIVLINKD_SOURCE_ZONEFILE_H
#define PRIVLINKD_SOURCE_ZONEFILE_H

#include "source/reader.h"

/* Lines of comment at the start in which the zone's name is looked for. */
#define ZONEFILE_HEADER_LINES 50
/* Octets of such a line that are looked at. */
#define ZONEFILE_HEADER_LINE_MAX 4096

void zonefile_read(const struct reader_input *in, struct builder *builder, struct complaints *to);

/* The same without source/rrline, which has to come to the same: for tests. */
void zonefile_read_slowly(const struct reader_input *in, struct builder *builder,
			  struct complaints *to);

#endif
