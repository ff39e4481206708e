/* SPDX-License-Identifier: MIT */
/*
 * The upstream `system`: the name servers of resolv.conf(5). Reads files; loading thread.
 */
#ifndef PRIVLINKD_UPSTREAM_RESOLVCONF_H
#define PRIVLINKD_UPSTREAM_RESOLVCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"

#define RESOLVCONF_SERVERS_MAX 8

/* Programs of this machine that stand in resolv.conf in place of the servers they ask. */
enum resolvconf_stub {
	/* systemd-resolved, 127.0.0.53 and .54; behind: /run/systemd/resolve/resolv.conf */
	RESOLVCONF_RESOLVED,
	/*
	 * The dnsmasq of an older NetworkManager, 127.0.1.1; behind:
	 * /run/NetworkManager/no-stub-resolv.conf (/run/NetworkManager/resolv.conf has the stub)
	 */
	RESOLVCONF_NETWORK_MANAGER,
	RESOLVCONF_STUBS,
};

/*
 * The `nameserver` lines of `path` (normally /etc/resolv.conf), port 53. Servers at one of the
 * `own` addresses (same host and port; a wildcard one counts for every address of this machine) are
 * left out. A local stub is replaced by the servers of the file behind it where that can be read,
 * else left out; NULL: none. Returns how many; 0 also where the file cannot be read.
 */
size_t resolvconf_servers(const char *path, const char *const behind[RESOLVCONF_STUBS],
			  const union addr *own, size_t own_count,
			  union addr ret[RESOLVCONF_SERVERS_MAX]);

/* Is this one of them, as above? */
bool resolvconf_is_own(const union addr *server, const union addr *own, size_t own_count);

#endif
