/* SPDX-License-Identifier: MIT */
/*
 * Users paste names from browsers, spreadsheets and consoles, so a host name comes with a scheme,
 * a port, a path, quotes or a trailing dot. All of that is noise and is taken off here, once, for
 * every reader. What is left has to be a host name of the plain kind: a stray `/24` or `10.0.0.`
 * must not become a record by accident, since nobody would notice a name that is never asked for.
 *
 * Refused: internationalised names in UTF-8. Which A-label they stand for depends on the IDNA
 * version; the operator writes the xn-- form.
 */
#include "source/token.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "wire/types.h"

void token_unquote(const char **text, size_t *len)
{
	if (*len && ((*text)[0] == '"' || (*text)[0] == '\'')) {
		(*text)++;
		(*len)--;
	}
	if (*len && ((*text)[*len - 1] == '"' || (*text)[*len - 1] == '\''))
		(*len)--;
}

bool token_read_address(const char *text, size_t len, struct token_address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	struct token_address address = { 0 };

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, address.octets) == 1) {
		address.type = TYPE_A;
		address.len = 4;
	} else if (memchr(copy, ':', len) && inet_pton(AF_INET6, copy, address.octets) == 1) {
		address.type = TYPE_AAAA;
		address.len = 16;
	} else {
		return false;
	}
	*ret = address;
	return true;
}

bool token_address_is_own(const struct token_address *address)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	const uint8_t *octets = address->octets;

	if (address->type == TYPE_A)
		return octets[0] == 127 || octets[0] >= 224;
	/* fe00:: is what Debian's template gives to ip6-localnet. */
	return memcmp(octets, loopback, 16) == 0 || octets[0] == 0xff ||
	       (octets[0] == 0xfe && octets[1] == 0);
}

/* What stands between scheme and path or port. */
static void strip_url(const char **text, size_t *len)
{
	static const char *const schemes[] = { "https://", "http://" };
	bool scheme = false;

	for (size_t i = 0; i < 2 && !scheme; i++) {
		size_t n = strlen(schemes[i]);

		if (*len > n && strncasecmp(*text, schemes[i], n) == 0) {
			*text += n;
			*len -= n;
			scheme = true;
		}
	}
	if (!scheme) {
		if (*len > 1 && (*text)[*len - 1] == '/')
			(*len)--;
		return;
	}
	for (size_t i = 0; i < *len; i++) {
		if (strchr("/:?#", (*text)[i])) {
			*len = i;
			return;
		}
	}
}

static bool is_name_octet(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

const char *token_read_name(const char *text, size_t len, const struct name *origin,
			    struct name *ret)
{
	struct name name;
	bool only_digits = true;

	strip_url(&text, &len);
	if (!len)
		return "is empty";
	if (len == 1 && *text == '*' && !origin)
		return "stands for every name there is; write the zone behind it";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			return "is not ASCII; write the name in its xn-- form";
		if (c == '*' && i == 0 && (len == 1 || text[1] == '.'))
			only_digits = false;
		else if (c != '.' && !is_name_octet(c))
			return c == ':'   ? "is neither an address nor a name"
			       : c == '*' ? "has a * that is not its whole first label"
			       : c == '/' ? "is neither an address nor a name (a prefix or a path?)"
					  : "holds a character that no host name has";
		else if (c != '.' && (c < '0' || c > '9'))
			only_digits = false;
	}
	if (only_digits)
		return "looks like an address but is none";
	if (name_from_text(&name, text, len) < 0)
		return "is no name (an empty or too long label, or over 255 octets)";
	if (origin && name.labels == 1 && text[len - 1] != '.') {
		if (name_join(ret, &name, 1, origin) < 0)
			return "is too long together with its zone";
		return NULL;
	}
	*ret = name;
	return NULL;
}

bool token_read_ttl(const char *text, size_t len, uint32_t *ret)
{
	uint64_t total = 0, part = 0;
	bool digits = false;

	/* "4294967295s" and the like are enough; more octets are no number that we take. */
	if (!len || len > 32)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint64_t unit;

		if (text[i] >= '0' && text[i] <= '9') {
			part = part * 10 + (uint64_t)(text[i] - '0');
			digits = true;
			if (part > INT32_MAX)
				return false;
			continue;
		}
		switch (text[i] | 0x20) {
		case 's':
			unit = 1;
			break;
		case 'm':
			unit = 60;
			break;
		case 'h':
			unit = 3600;
			break;
		case 'd':
			unit = 86400;
			break;
		case 'w':
			unit = 604800;
			break;
		default:
			return false;
		}
		if (!digits)
			return false;
		total += part * unit;
		part = 0;
		digits = false;
	}
	total += part;
	if (total > INT32_MAX)
		return false;
	*ret = (uint32_t)total;
	return true;
}

const char *token_show(char buf[TOKEN_SHOWN_MAX], const char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		/* Room for one escape, the dots and the NUL. */
		if (used + 4 + 3 + 1 > TOKEN_SHOWN_MAX) {
			memcpy(buf + used, "...", 3);
			used += 3;
			break;
		}
		if (c >= 0x20 && c < 0x7f) {
			buf[used++] = (char)c;
			continue;
		}
		buf[used++] = '\\';
		buf[used++] = (char)('0' + c / 100);
		buf[used++] = (char)('0' + c / 10 % 10);
		buf[used++] = (char)('0' + c % 10);
	}
	buf[used] = '\0';
	return buf;
}
