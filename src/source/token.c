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

static inline unsigned digit(const char *at, const char *end)
{
	return at < end ? (uint8_t)(*at - '0') : 10;
}

/* Four numbers up to 255 without leading zeros, dots between: inet_pton's rules. */
static bool read_quad(const char *text, size_t len, uint8_t ret[4])
{
	const char *at = text, *end = text + len;
	unsigned i, value, next;

	for (i = 0; i < 4; i++) {
		if (i && (at == end || *at++ != '.'))
			return false;
		value = digit(at, end);
		if (value > 9)
			return false;
		for (at++; value && value < 256 && (next = digit(at, end)) < 10; at++)
			value = value * 10 + next;
		if (value > 255)
			return false;
		ret[i] = (uint8_t)value;
	}
	return at == end;
}

/* May an IPv6 address begin so? Names mostly do not. */
static inline bool begins_v6(char c)
{
	return c == ':' || (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 6;
}

bool token_read_address(const char *text, size_t len, struct token_address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	struct token_address address = { .type = TYPE_A, .len = 4 };

	if (!len || len >= sizeof(copy))
		return false;
	if (read_quad(text, len, address.octets)) {
		*ret = address;
		return true;
	}
	if (!begins_v6(*text) || !memchr(text, ':', len) || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, address.octets) != 1)
		return false;
	address.type = TYPE_AAAA;
	address.len = 16;
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
		char c = (*text)[i];

		if (c == '/' || c == ':' || c == '?' || c == '#') {
			*len = i;
			return;
		}
	}
}

/* What an octet may be part of. */
enum { IN_NAME = 1, IN_NUMBERS = 2, IN_LABEL = 4 };
static const uint8_t octet_kinds[256] = {
	['.'] = IN_NAME | IN_NUMBERS,       ['0' ... '9'] = IN_NAME | IN_NUMBERS | IN_LABEL,
	['a' ... 'z'] = IN_NAME | IN_LABEL, ['A' ... 'Z'] = IN_NAME | IN_LABEL,
	['-'] = IN_NAME | IN_LABEL,         ['_'] = IN_NAME | IN_LABEL,
};

/* What all octets of a text may be part of. */
static unsigned kinds_of(const char *text, size_t len)
{
	unsigned kinds = IN_NAME | IN_NUMBERS | IN_LABEL;

	for (size_t i = 0; i < len; i++)
		kinds &= octet_kinds[(uint8_t)text[i]];
	return kinds;
}

/*
 * Takes off what is around a name and looks at what is left, without the asterisk of a wildcard:
 * NULL, and its kinds, or why it is none.
 */
static const char *strip_name(const char **text, size_t *len, bool whole, unsigned *ret_kinds)
{
	bool wildcard;

	strip_url(text, len);
	if (!*len)
		return "is empty";
	if (*len == 1 && **text == '*' && whole)
		return "stands for every name there is; write the zone behind it";
	wildcard = **text == '*' && (*len == 1 || (*text)[1] == '.');
	*ret_kinds = kinds_of(*text + wildcard, *len - wildcard);
	if (wildcard)
		*ret_kinds &= ~IN_NUMBERS;
	for (size_t i = wildcard; i < *len; i++) {
		unsigned char c = (unsigned char)(*text)[i];

		if (c >= 0x80)
			return "is not ASCII; write the name in its xn-- form";
		if (!octet_kinds[c])
			return c == ':'   ? "is neither an address nor a name"
			       : c == '*' ? "has a * that is not its whole first label"
			       : c == '/' ? "is neither an address nor a name (a prefix or a path?)"
					  : "holds a character that no host name has";
	}
	return NULL;
}

const char *token_read_name(const char *text, size_t len, const struct name *origin,
			    struct name *ret)
{
	static const char bad[] = "is no name (an empty or too long label, or over 255 octets)";
	unsigned kinds = len ? kinds_of(text, len) : 0;
	struct name label;
	const char *why;

	/* Nearly all are plain, with nothing around them. */
	if (!(kinds & IN_NAME)) {
		why = strip_name(&text, &len, !origin, &kinds);
		if (why)
			return why;
	}
	if (kinds & IN_NUMBERS)
		return "looks like an address but is none";
	if (!origin || memchr(text, '.', len))
		return name_from_text(ret, text, len) < 0 ? bad : NULL;
	if (name_from_text(&label, text, len) < 0)
		return bad;
	return name_join(ret, &label, 1, origin) < 0 ? "is too long together with its zone" : NULL;
}

/* Octets of the first label where the rest is as it was, and good; else 0. */
static size_t next_label(const char *text, size_t len, const struct name *origin,
			 const struct name_series *series)
{
	size_t label = name_series_head(series, text, len, series->tail_len ? NULL : origin);

	/* Digits alone may be no name with what is behind them. */
	return label && (kinds_of(text, label) & (IN_LABEL | IN_NUMBERS)) == IN_LABEL ? label : 0;
}

bool token_is_next_name(const char *text, size_t len, const struct name_series *series)
{
	return series->tail_len && next_label(text, len, NULL, series);
}

const char *token_read_next_name(const char *text, size_t len, const struct name *origin,
				 struct name_series *series)
{
	size_t label = next_label(text, len, origin, series);
	const char *why;

	if (label && name_series_put(series, text, label) == 0)
		return NULL;
	series->noted = false;
	why = token_read_name(text, len, origin, &series->name);
	if (!why)
		name_series_note(series, text, len, memchr(text, '.', len) ? NULL : origin);
	return why;
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
