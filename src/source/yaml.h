/* SPDX-License-Identifier: MIT */
/*
 * Reader for our own YAML: `ttl`, `hosts` (name: address or list of addresses) and `records`
 * (presentation format). JSON of that shape is read as well. See source/reader.h.
 */
#ifndef PRIVLINKD_SOURCE_YAML_H
#define PRIVLINKD_SOURCE_YAML_H

#include "source/reader.h"

/* Nesting: the format itself needs three levels. libyaml is quadratic in it. */
#define YAML_DEPTH_MAX 16
/* Addresses of one name: more never fit into an answer. */
#define YAML_ADDRESSES_MAX RECORDS_A_SET_MAX

void yaml_read(const struct reader_input *in, struct builder *builder, struct complaints *to);

/* The same without source/yamlplain and rrline, which has to come to the same: for tests. */
void yaml_read_slowly(const struct reader_input *in, struct builder *builder,
		      struct complaints *to);

#endif
