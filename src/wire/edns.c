/* SPDX-License-Identifier: MIT */
/*
 * An OPT record spreads its fields over those of an ordinary record (RFC 6891 6.1.2, 6.1.3). All
 * options are walked, so that a length that overruns is found, but only the values of EDE,
 * COOKIE and of a reply's keepalive are taken; of what a client may ask for it counts that it is
 * there. What a version over 0 puts into the data is not ours to judge: the caller answers BADVERS.
 */
#include "wire/edns.h"

int edns_read(struct edns *ret, uint16_t class, uint32_t ttl, struct cursor rdata)
{
	struct edns edns;
	unsigned options;
	uint16_t option, len;
	struct cursor value;
	const uint8_t *octets;

	edns_read_fields(&edns, class, ttl);
	for (options = 0; edns.version == 0 && cursor_left(&rdata) > 0; options++) {
		option = cursor_u16(&rdata);
		len = cursor_u16(&rdata);
		octets = cursor_bytes(&rdata, len);
		if (rdata.bad || options == EDNS_OPTIONS_MAX)
			return -1;
		value = cursor_over(octets, len);
		if (option == EDNS_OPTION_NSID) {
			edns.nsid = true;
		} else if (option == EDNS_OPTION_KEEPALIVE) {
			edns.keepalive = true;
			edns.idle_ds = len == 2 ? cursor_u16(&value) : -1;
		} else if (option == EDNS_OPTION_PADDING) {
			edns.padding = true;
		} else if (option == EDNS_OPTION_EDE && len >= 2 && edns.ede == EDE_NONE) {
			edns.ede = cursor_u16(&value);
		} else if (option == EDNS_OPTION_COOKIE && !edns.cookie) {
			edns.cookie = octets;
			edns.cookie_len = len;
		}
	}
	*ret = edns;
	return 0;
}
