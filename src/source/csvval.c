/* SPDX-License-Identifier: MIT */
/*
 * A list in a cell is a JSON text when a portal wrote it, whatever a script's author liked when a
 * script did. Addresses and names hold none of the usual separators, so all are taken as such at
 * once, and brackets of either kind are taken off; nothing needs to be known of who wrote it.
 *
 * Export-Csv writes an object as the name of its class. The values are gone then, and the only help
 * is to say which command keeps them: which one is told by the class.
 */
#include "source/csvval.h"

#include <string.h>
#include <strings.h>

/* Days of the longest TTL, 2^31-1 seconds. */
#define TTL_DAYS_MAX 24855

static inline bool separates(char c)
{
	static const bool yes[256] = {
		[' '] = true,  ['\t'] = true, ['\f'] = true, ['\v'] = true,
		['\n'] = true, [','] = true,  [';'] = true,  ['|'] = true,
	};

	return yes[(uint8_t)c];
}

bool csvlist_init(struct csvlist *list, const char *text, size_t len)
{
	list->at = text;
	list->end = text + len;
	if (!len || (text[0] != '[' && text[0] != '{'))
		return true;
	list->at++;
	if (len < 2 || text[len - 1] != (text[0] == '[' ? ']' : '}'))
		return false;
	list->end--;
	return true;
}

bool csvlist_next(struct csvlist *list, const char **ret_text, size_t *ret_len)
{
	for (;;) {
		const char *start;
		size_t len;

		while (list->at < list->end && separates(*list->at))
			list->at++;
		if (list->at == list->end)
			return false;
		start = list->at;
		while (list->at < list->end && !separates(*list->at))
			list->at++;
		len = (size_t)(list->at - start);
		if (len == 4 && memcmp(start, "null", 4) == 0)
			continue;
		token_unquote(&start, &len);
		if (!len)
			continue;
		*ret_text = start;
		*ret_len = len;
		return true;
	}
}

bool csvval_is_addresses(const char *text, size_t len)
{
	struct token_address address;
	struct csvlist list;
	size_t count = 0;

	if (!csvlist_init(&list, text, len))
		return false;
	for (; csvlist_next(&list, &text, &len); count++)
		if (!token_read_address(text, len, &address))
			return false;
	return count > 0;
}

/* Digits, at most `max`, up to `stop` or the end; both ends of *text move. */
static bool take_number(const char **text, size_t *len, char stop, uint32_t max, uint32_t *ret)
{
	uint32_t value = 0;
	size_t i;

	for (i = 0; i < *len && (*text)[i] >= '0' && (*text)[i] <= '9'; i++) {
		value = value * 10 + (uint32_t)((*text)[i] - '0');
		if (value > max)
			return false;
	}
	if (!i || (i < *len ? (*text)[i] != stop : stop != '\0'))
		return false;
	if (i < *len)
		i++;
	*text += i;
	*len -= i;
	*ret = value;
	return true;
}

bool csvval_read_ttl(const char *text, size_t len, uint32_t *ret)
{
	const char *dot = memchr(text, '.', len), *colon = memchr(text, ':', len);
	uint32_t days = 0, hours, minutes, seconds;
	uint64_t total;

	if (!colon)
		return token_read_ttl(text, len, ret);
	if (dot && dot < colon && !take_number(&text, &len, '.', TTL_DAYS_MAX, &days))
		return false;
	/* A fraction of a second is nothing to a TTL. */
	dot = memchr(text, '.', len);
	if (dot) {
		for (const char *at = dot + 1; at < text + len; at++)
			if (*at < '0' || *at > '9')
				return false;
		len = (size_t)(dot - text);
	}
	if (!take_number(&text, &len, ':', 23, &hours) ||
	    !take_number(&text, &len, ':', 59, &minutes) ||
	    !take_number(&text, &len, '\0', 59, &seconds))
		return false;
	total = ((uint64_t)days * 24 + hours) * 3600 + minutes * 60 + seconds;
	if (total > INT32_MAX)
		return false;
	*ret = (uint32_t)total;
	return true;
}

/* Could csvval_lost find anything? By an octet that all it looks for have. */
static bool may_be_lost(const char *text, size_t len)
{
	return len && (*text == '[' || *text == '{' || *text == 'S' || *text == 'M' ||
		       memchr(text, 'D', len) || memchr(text, 'C', len));
}

const char *csvval_lost(const char *text, size_t len)
{
	static const char *const starts[] = { "System.Collections", "System.Object[",
					      "System.String[", "Microsoft.Azure." };

	if (!may_be_lost(text, len))
		return NULL;
	if (memmem(text, len, "DnsServerResourceRecord", 23) ||
	    memmem(text, len, "CimInstance", 11))
		return "is what Export-Csv leaves of an object, its addresses are lost; export "
		       "again "
		       "with: Get-DnsServerResourceRecord -ZoneName ZONE -RRType A | Select-Object "
		       "HostName,RecordType,TimeToLive,@{n='IPv4Address';e={$_.RecordData."
		       "IPv4Address}} | Export-Csv -NoTypeInformation FILE";
	if (memmem(text, len, "CustomDnsConfig", 15))
		return "is what Export-Csv leaves of an object, its addresses are lost; export "
		       "again "
		       "with: Get-AzPrivateEndpoint | ForEach-Object CustomDnsConfigs | "
		       "Select-Object Fqdn,@{n='IpAddresses';e={$_.IpAddresses -join ' '}} | "
		       "Export-Csv -NoTypeInformation FILE";
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (len > strlen(starts[i]) && memcmp(text, starts[i], strlen(starts[i])) == 0)
			return "is what Export-Csv leaves of an object, its addresses are lost; "
			       "export again with: Get-AzPrivateDnsRecordSet -ResourceGroupName "
			       "GROUP -ZoneName ZONE -RecordType A | Select-Object "
			       "Name,ZoneName,RecordType,Ttl,@{n='IpAddresses';e={$_.Records."
			       "Ipv4Address -join ' '}} | Export-Csv -NoTypeInformation FILE";
	/* A JSON object, or a list of them. */
	if (len && *text == '[') {
		do {
			text++;
			len--;
		} while (len && separates(*text));
	}
	if (len && *text == '{') {
		do {
			text++;
			len--;
		} while (len && separates(*text));
		if (len && *text == '"')
			return "is a JSON object, not an address or a name; export the values in "
			       "columns of their own (mv-expand in a Resource Graph query), or the "
			       "whole as JSON";
	}
	return NULL;
}
