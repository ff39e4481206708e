/* SPDX-License-Identifier: MIT */
/* The list kinds of admin/value (internal to it), and how an upstream is written. */
#ifndef PRIVLINKD_ADMIN_VALUELIST_H
#define PRIVLINKD_ADMIN_VALUELIST_H

#include "admin/value.h"

value_fn value_read_addrs;
value_fn value_read_allow;
value_fn value_read_texts;
value_fn value_read_upstreams;
value_fn value_read_pins;
value_fn value_read_aliases;

/* `ADDR[@PORT]`, `tls://ADDR[@PORT][#NAME]`, `system`. NULL, or why it is none. */
const char *value_read_upstream(const char *text, struct config_upstream *ret);

#endif
