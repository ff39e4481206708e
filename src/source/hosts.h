/* SPDX-License-Identifier: MIT */
/*
 * Reader for hosts lines: `IP name [name...] [# comment]` and `name IP`. Takes /etc/hosts files,
 * the portal's "Generate hostfile" and a DNS-settings download in that shape. See source/reader.h.
 */
#ifndef PRIVLINKD_SOURCE_HOSTS_H
#define PRIVLINKD_SOURCE_HOSTS_H

#include "source/reader.h"

/* Octets of a line without its comment: 256 names of 255 octets would not fit, nobody has those. */
#define HOSTS_LINE_MAX 16384
/* Names and addresses of one line; every name gets every address, so their product is bounded. */
#define HOSTS_NAMES_MAX 256
#define HOSTS_ADDRESSES_MAX 16

void hosts_read(const struct reader_input *in, struct builder *builder, struct complaints *to);

#endif
