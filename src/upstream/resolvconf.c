/* SPDX-License-Identifier: MIT */
/*
 * Which servers this machine itself would ask.
 *
 * Only `nameserver` lines count (resolv.conf(5)); what is no address is passed over, as the C
 * library does. Asking ourselves would be a loop, so servers at addresses that we listen on
 * are left out. The stubs of systemd-resolved and of NetworkManager are left out too, for they may
 * well forward to us: the servers behind them are asked directly where a file of theirs names them.
 *
 * No answer is not an error here: the caller knows whether it is one.
 */
#include "upstream/resolvconf.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "wire/types.h"

/* A file with eight useful lines; anything larger is not one. */
#define RESOLVCONF_FILE_MAX (64 * 1024)

static bool is_on_this_machine(const union addr *server)
{
	struct ifaddrs *all, *one;
	bool found = false;

	if (addr_is_loopback(server))
		return true;
	if (getifaddrs(&all) < 0)
		return false;
	for (one = all; one && !found; one = one->ifa_next) {
		union addr addr = { 0 };

		if (!one->ifa_addr)
			continue;
		if (one->ifa_addr->sa_family == AF_INET)
			memcpy(&addr.in4, one->ifa_addr, sizeof(addr.in4));
		else if (one->ifa_addr->sa_family == AF_INET6)
			memcpy(&addr.in6, one->ifa_addr, sizeof(addr.in6));
		else
			continue;
		found = addr_same_host(&addr, server);
	}
	freeifaddrs(all);
	return found;
}

bool resolvconf_is_own(const union addr *server, const union addr *own, size_t own_count)
{
	size_t i;

	for (i = 0; i < own_count; i++) {
		if (addr_port(&own[i]) != addr_port(server))
			continue;
		if (addr_same_host(&own[i], server))
			return true;
		if (addr_is_wildcard(&own[i]) && is_on_this_machine(server))
			return true;
	}
	return false;
}

/* Which stub this is; RESOLVCONF_STUBS: none. */
static enum resolvconf_stub stub_at(const union addr *server)
{
	if (server->any.sa_family != AF_INET)
		return RESOLVCONF_STUBS;
	switch (ntohl(server->in4.sin_addr.s_addr)) {
	case 0x7f000035: /* systemd-resolved.service(8) */
	case 0x7f000036: /* the same, without local names */
		return RESOLVCONF_RESOLVED;
	case 0x7f000101:
		return RESOLVCONF_NETWORK_MANAGER;
	default:
		return RESOLVCONF_STUBS;
	}
}

struct list {
	const union addr *own;
	size_t own_count, count;
	union addr servers[RESOLVCONF_SERVERS_MAX];
	bool seen[RESOLVCONF_STUBS];
};

static void add(struct list *list, const union addr *server)
{
	enum resolvconf_stub stub = stub_at(server);
	size_t i;

	if (stub != RESOLVCONF_STUBS) {
		list->seen[stub] = true;
		return;
	}
	if (addr_is_wildcard(server) || resolvconf_is_own(server, list->own, list->own_count))
		return;
	for (i = 0; i < list->count; i++) {
		if (addr_equal(&list->servers[i], server))
			return;
	}
	if (list->count < RESOLVCONF_SERVERS_MAX)
		list->servers[list->count++] = *server;
}

static void read_line(struct list *list, const char *line)
{
	static const char word[] = "nameserver";
	char text[ADDR_TEXT_MAX];
	union addr server;
	size_t len;

	if (strncmp(line, word, sizeof(word) - 1) != 0)
		return;
	line += sizeof(word) - 1;
	if (*line != ' ' && *line != '\t')
		return;
	line += strspn(line, " \t");
	len = strcspn(line, " \t\r#;");
	if (len == 0 || len >= sizeof(text) || memchr(line, '@', len))
		return;
	memcpy(text, line, len);
	text[len] = '\0';
	if (addr_parse(&server, text, DNS_PORT) == 0)
		add(list, &server);
}

static void read_servers(struct list *list, const char *path)
{
	char *line, *rest;
	uint8_t *data;
	size_t len;

	if (file_read(path, RESOLVCONF_FILE_MAX, &data, &len, NULL) < 0)
		return;
	rest = (char *)data;
	while ((line = strsep(&rest, "\n")))
		read_line(list, line);
	free(data);
}

size_t resolvconf_servers(const char *path, const char *const behind[RESOLVCONF_STUBS],
			  const union addr *own, size_t own_count,
			  union addr ret[RESOLVCONF_SERVERS_MAX])
{
	struct list list = { .own = own, .own_count = own_count };
	unsigned stub;

	read_servers(&list, path);
	/* In this order: resolved may ask NetworkManager's. */
	for (stub = 0; stub < RESOLVCONF_STUBS; stub++) {
		if (list.seen[stub] && behind[stub])
			read_servers(&list, behind[stub]);
	}
	memcpy(ret, list.servers, list.count * sizeof(ret[0]));
	return list.count;
}
