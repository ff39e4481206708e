/* SPDX-License-Identifier: MIT */
/*
 * Lists in privlinkd.yaml: addresses, prefixes, texts, upstreams. A list goes on behind a bad
 * element, so that every mistake is told; the field is filled only if there was none.
 *
 * An IPv6 address in a flow list may read as a map, since YAML takes a colon for the end of a
 * key: the complaint says what to do about it.
 *
 * Thread: the one that loads; nothing is kept between calls.
 */
#include "admin/valuelist.h"

#include <inttypes.h>
#include <string.h>

#include "wire/name.h"
#include "wire/types.h"

/* Port of DNS over TLS (RFC 7858 3.1). */
#define TLS_PORT 853

/* Takes an element's text into a list; false after a complaint. */
typedef bool take_fn(const struct value_reader *reader, const struct key *key,
		     const struct ynode *element, const char *text, void *list);

/* Room for all elements of a list, `size` octets each; NULL with a complaint, too, for too many. */
static void *list_room(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, size_t size)
{
	if (node->count <= key->max)
		return value_take(reader, key, node, node->count * size);
	value_refuse(reader, node, key, "has %zu values, at most %" PRIu64 " are allowed",
		     node->count, key->max);
	return NULL;
}

/* Gives `take` every element; false if anything was complained of. */
static bool list_walk(const struct value_reader *reader, const struct key *key,
		      const struct ynode *node, take_fn *take, void *list)
{
	const struct ynode *element;
	bool good = true;

	for (element = node->first; element; element = element->next) {
		if (element->kind == YNODE_SCALAR && !ynode_is_null(element)) {
			good &= take(reader, key, element, element->text, list);
			continue;
		}
		good = false;
		if (element->kind == YNODE_ALIAS)
			continue;
		value_refuse(reader, element, key,
			     "an element of this list must be a plain value%s",
			     element->kind == YNODE_MAP ? "; put an IPv6 address in quotes" : "");
	}
	return good;
}

static bool take_addr(const struct value_reader *reader, const struct key *key,
		      const struct ynode *element, const char *text, void *list)
{
	struct config_addrs *addrs = list;

	if (addr_parse(&addrs->at[addrs->count], text, (uint16_t)key->min) < 0) {
		value_refuse(reader, element, key, "'%.*s' is no address; write ADDR or ADDR@PORT",
			     VALUE_SHOWN, text);
		return false;
	}
	addrs->count++;
	return true;
}

int value_read_addrs(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	struct config_addrs list = { .place = { node->line, node->column } };

	list.at = list_room(reader, key, node, sizeof(*list.at));
	if (!list.at || !list_walk(reader, key, node, take_addr, &list))
		return -1;
	*(struct config_addrs *)field = list;
	return 0;
}

static bool take_allowed(const struct value_reader *reader, const struct key *key,
			 const struct ynode *element, const char *text, void *list)
{
	struct addr_list *allow = list;

	if (strcmp(text, "loopback") == 0) {
		allow->loopback = true;
	} else if (strcmp(text, "private") == 0) {
		allow->private = true;
	} else if (strcmp(text, "any") == 0) {
		allow->any = true;
	} else if (addr_prefix_parse(&allow->prefixes[allow->count], text) == 0) {
		allow->count++;
	} else {
		value_refuse(reader, element, key,
			     "'%.*s' is no prefix, nor loopback, private or any; bits behind "
			     "the prefix must be zero, as in 192.0.2.0/24",
			     VALUE_SHOWN, text);
		return false;
	}
	return true;
}

int value_read_allow(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	struct addr_list list = { .count = 0 };

	list.prefixes = list_room(reader, key, node, sizeof(*list.prefixes));
	if (!list.prefixes || !list_walk(reader, key, node, take_allowed, &list))
		return -1;
	*(struct addr_list *)field = list;
	return 0;
}

static bool take_text(const struct value_reader *reader, const struct key *key,
		      const struct ynode *element, const char *text, void *list)
{
	struct config_texts *texts = list;
	struct config_text *at = &texts->at[texts->count];

	at->place = (struct config_place){ element->line, element->column };
	at->text = value_copy(reader, key, element, text);
	texts->count += at->text != NULL;
	return at->text != NULL;
}

int value_read_texts(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	struct config_texts list = { .count = 0 };

	list.at = list_room(reader, key, node, sizeof(*list.at));
	if (!list.at || !list_walk(reader, key, node, take_text, &list))
		return -1;
	*(struct config_texts *)field = list;
	return 0;
}

const char *value_read_upstream(const char *text, struct config_upstream *ret)
{
	struct config_upstream upstream = { .system = strcmp(text, "system") == 0 };
	char addr[ADDR_TEXT_MAX];
	const char *hash;
	struct name name;
	size_t len;

	if (upstream.system) {
		*ret = upstream;
		return NULL;
	}
	upstream.conf.tls = strncmp(text, "tls://", 6) == 0;
	if (upstream.conf.tls)
		text += 6;
	hash = strchr(text, '#');
	len = hash ? (size_t)(hash - text) : strlen(text);
	if (len >= sizeof(addr) || (hash && !upstream.conf.tls))
		return "no upstream; write ADDR[@PORT], tls://ADDR[@PORT][#NAME] or system";
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (addr_parse(&upstream.conf.addr, addr, upstream.conf.tls ? TLS_PORT : DNS_PORT) < 0)
		return "no upstream; write ADDR[@PORT], tls://ADDR[@PORT][#NAME] or system";
	if (addr_port(&upstream.conf.addr) == 0)
		return "no upstream: its port is 0";
	if (addr_is_wildcard(&upstream.conf.addr))
		return "no upstream: nobody can be asked at a wildcard address";
	/* A name may hold any octet, but nobody has a certificate for this one. */
	if (hash && strchr(hash, '@'))
		return "no upstream; write the port before the name, tls://ADDR@PORT#NAME";
	if (hash) {
		if (name_from_text(&name, hash + 1, strlen(hash + 1)) < 0 || name.labels == 0 ||
		    strlen(hash + 1) >= sizeof(upstream.conf.tls_name))
			return "no upstream: the name of its certificate is no domain name";
		strcpy(upstream.conf.tls_name, hash + 1);
	}
	*ret = upstream;
	return NULL;
}

static bool take_upstream(const struct value_reader *reader, const struct key *key,
			  const struct ynode *element, const char *text, void *list)
{
	struct config_upstreams *upstreams = list;
	const char *why = value_read_upstream(text, &upstreams->at[upstreams->count]);

	upstreams->count += !why;
	if (why)
		value_refuse(reader, element, key, "'%.*s' is %s", VALUE_SHOWN, text, why);
	return !why;
}

int value_read_upstreams(const struct value_reader *reader, const struct key *key,
			 const struct ynode *node, void *field)
{
	struct config_upstreams list = { .count = 0 };

	if (!node->count)
		return value_refuse(reader, node, key, "names no upstream");
	list.at = list_room(reader, key, node, sizeof(*list.at));
	if (!list.at || !list_walk(reader, key, node, take_upstream, &list))
		return -1;
	*(struct config_upstreams *)field = list;
	return 0;
}

static bool take_pin(const struct value_reader *reader, const struct key *key,
		     const struct ynode *element, const char *text, void *list)
{
	struct config_pins *pins = list;

	if (tls_pin_parse(&pins->at[pins->count], text) < 0) {
		value_refuse(reader, element, key,
			     "'%.*s' is no pin; write the SHA-256 of the server's public key in "
			     "base64, 44 characters",
			     VALUE_SHOWN, text);
		return false;
	}
	pins->count++;
	return true;
}

int value_read_pins(const struct value_reader *reader, const struct key *key,
		    const struct ynode *node, void *field)
{
	struct config_pins list = { .count = 0 };

	list.at = list_room(reader, key, node, sizeof(*list.at));
	if (!list.at || !list_walk(reader, key, node, take_pin, &list))
		return -1;
	*(struct config_pins *)field = list;
	return 0;
}

int value_read_aliases(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, void *field)
{
	static const char *const words[] = { "any", "own", NULL };
	struct config_aliases aliases = { .whose = VIEW_ALIASES_LIST };

	if (node->kind == YNODE_LIST) {
		if (value_read_texts(reader, key, node, &aliases.suffixes) < 0)
			return -1;
	} else if (strcmp(node->text, "any") == 0) {
		aliases.whose = VIEW_ALIASES_ANY;
	} else if (strcmp(node->text, "own") == 0) {
		aliases.whose = VIEW_ALIASES_OWN;
	} else {
		return value_refuse_word(reader, key, node, words);
	}
	*(struct config_aliases *)field = aliases;
	return 0;
}
