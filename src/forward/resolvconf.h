/* SPDX-License-Identifier: MIT */
/*
 * The upstream `system`: the name servers of resolv.conf(5). Reads files; loading thread.
 */
#ifndef PRIVLINKD_FORWARD_RESOLVCONF_H
#define PRIVLINKD_FORWARD_RESOLVCONF_H

#include <stddef.h>

#include "net/addr.h"

#define RESOLVCONF_SERVERS_MAX 8

/*
 * The `nameserver` lines of `path` (normally /etc/resolv.conf), port 53. Servers at one of the
 * `own` addresses (same host and port; a wildcard one counts for every address of this machine) are
 * left out. systemd-resolved's stub (127.0.0.53, 127.0.0.54) is replaced by the servers of
 * `stub_path` (normally /run/systemd/resolve/resolv.conf) where that can be read, else left out.
 * Returns how many; 0 also where the file cannot be read.
 */
size_t resolvconf_servers(const char *path, const char *stub_path, const union addr *own,
			  size_t own_count, union addr ret[RESOLVCONF_SERVERS_MAX]);

#endif
