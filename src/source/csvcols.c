/* SPDX-License-Identifier: MIT */
/*
 * Nobody agrees on the words. Cmdlets, portals, queries and colleagues each have their own, so all
 * that were seen stand in one table, with the rank that says which counts when several are there:
 * an export of private endpoints has `name` (the endpoint's) beside `fqdn`, an inventory has `IP
 * address` beside `Private IP address`. Within the best rank there may be several columns of names
 * that are whole and of addresses (IPv4 and IPv6); of all else the first counts.
 *
 * Resource Graph joins the steps of a path: `customDnsConfig_fqdn`. Words that can mean but one
 * thing are therefore known as the end of a path too, unless the path is of something public.
 *
 * Refused: words by likeness. A column that is guessed is a record that nobody asked for.
 */
#include "source/csvcols.h"

#include <string.h>

/* Octets of a word without blanks and punctuation; longer ones are not known. */
#define CSVCOLS_WORD_MAX 40

/* Names up to this rank are whole names. */
#define RANK_FULL 1
/* Of records in a zone, as Azure and as Windows name the column. */
#define RANK_RECORD 2
#define RANK_HOST 3

static const struct column_word {
	const char *word;
	uint8_t role, rank;
	bool in_path; /* known at the end of a path too */
} column_words[] = {
	{ "fqdn", CSV_NAME, 0, true },
	{ "fqdns", CSV_NAME, 0, true },
	{ "recordfqdn", CSV_NAME, 0, false },
	{ "privatefqdn", CSV_NAME, 0, false },
	{ "publicfqdn", CSV_NAME, 0, false },
	{ "fqdnpublic", CSV_NAME, 0, false },
	{ "fqdnprivate", CSV_NAME, 0, false },
	{ "privatelinkfqdn", CSV_NAME, 0, false },
	{ "privateendpointfqdn", CSV_NAME, 0, false },
	{ "fullyqualifieddomainname", CSV_NAME, 0, false },
	{ "dnsname", CSV_NAME, 0, true },
	{ "dnshostname", CSV_NAME, 0, false },
	{ "url", CSV_NAME, RANK_FULL, false },
	{ "uri", CSV_NAME, RANK_FULL, false },
	{ "endpointurl", CSV_NAME, RANK_FULL, false },
	{ "recordname", CSV_NAME, RANK_RECORD, true },
	{ "recordsetname", CSV_NAME, RANK_RECORD, true },
	{ "dnsrecordname", CSV_NAME, RANK_RECORD, false },
	{ "relativerecordsetname", CSV_NAME, RANK_RECORD, false },
	{ "hostname", CSV_NAME, RANK_HOST, false },
	{ "host", CSV_NAME, RANK_HOST, false },
	{ "name", CSV_NAME, 4, false },
	{ "names", CSV_NAME, 4, false },
	{ "resourcename", CSV_NAME, 5, false },
	{ "privateip", CSV_ADDRESS, 0, true },
	{ "privateips", CSV_ADDRESS, 0, true },
	{ "privateipaddress", CSV_ADDRESS, 0, true },
	{ "privateipaddresses", CSV_ADDRESS, 0, true },
	{ "privateipv4address", CSV_ADDRESS, 0, true },
	{ "privateipv6address", CSV_ADDRESS, 0, true },
	{ "privateendpointip", CSV_ADDRESS, 0, false },
	{ "privateendpointipaddress", CSV_ADDRESS, 0, false },
	{ "ipprivate", CSV_ADDRESS, 0, false },
	{ "endpointip", CSV_ADDRESS, 0, false },
	{ "ip", CSV_ADDRESS, 1, false },
	{ "ips", CSV_ADDRESS, 1, false },
	{ "ipaddress", CSV_ADDRESS, 1, true },
	{ "ipaddresses", CSV_ADDRESS, 1, true },
	{ "ipv4", CSV_ADDRESS, 1, false },
	{ "ipv6", CSV_ADDRESS, 1, false },
	{ "ipv4address", CSV_ADDRESS, 1, true },
	{ "ipv6address", CSV_ADDRESS, 1, true },
	{ "ipv4addresses", CSV_ADDRESS, 1, true },
	{ "ipv6addresses", CSV_ADDRESS, 1, true },
	{ "address", CSV_ADDRESS, 2, false },
	{ "addresses", CSV_ADDRESS, 2, false },
	{ "recordtype", CSV_TYPE, 0, true },
	{ "dnsrecordtype", CSV_TYPE, 0, false },
	{ "recordsettype", CSV_TYPE, 0, false },
	{ "rrtype", CSV_TYPE, 0, false },
	{ "type", CSV_TYPE, 1, false },
	{ "ttl", CSV_TTL, 0, true },
	{ "timetolive", CSV_TTL, 0, true },
	{ "ttlseconds", CSV_TTL, 0, false },
	{ "ttlinseconds", CSV_TTL, 0, false },
	{ "zone", CSV_ZONE, 0, false },
	{ "zonename", CSV_ZONE, 0, true },
	{ "dnszone", CSV_ZONE, 0, false },
	{ "dnszonename", CSV_ZONE, 0, false },
	{ "privatednszone", CSV_ZONE, 0, false },
	{ "privatednszonename", CSV_ZONE, 0, false },
	{ "privatednszoneid", CSV_ZONE, 1, true },
	{ "recorddata", CSV_DATA, 0, true },
	{ "recordvalue", CSV_DATA, 0, false },
	{ "rdata", CSV_DATA, 0, false },
	{ "data", CSV_DATA, 0, false },
	{ "hostnamealias", CSV_DATA, 0, true },
	{ "cname", CSV_DATA, 0, false },
	{ "target", CSV_DATA, 0, false },
	{ "value", CSV_DATA, 1, false },
	{ "values", CSV_DATA, 1, false },
	{ "records", CSV_DATA, 1, false },
	{ "arecords", CSV_DATA, 1, false },
	{ "customdnsconfigs", CSV_DATA, 2, true },
};

const char csvcols_known[] = "fqdn, name, hostname, recordname or resourcename; ip, ipaddress(es), "
			     "address, private ip address or recorddata; and zone, recordtype, ttl";

/* Letters and digits alone, in lower case. False if there are none, too many, or others. */
static bool fold_word(const char *text, size_t len, char out[CSVCOLS_WORD_MAX + 1])
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if ((unsigned char)c >= 0x80)
			return false;
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			continue;
		if (used == CSVCOLS_WORD_MAX)
			return false;
		out[used++] = c;
	}
	out[used] = '\0';
	return used > 0;
}

static const struct column_word *find_folded(const char *folded)
{
	/* The shortest is `ip`. */
	if (!folded[1])
		return NULL;
	for (size_t i = 0; i < sizeof(column_words) / sizeof(*column_words); i++)
		if (column_words[i].word[0] == folded[0] &&
		    strcmp(column_words[i].word, folded) == 0)
			return &column_words[i];
	return NULL;
}

static const struct column_word *find_word(const char *text, size_t len)
{
	char folded[CSVCOLS_WORD_MAX + 1];
	const struct column_word *word;
	size_t tail = len;

	if (!fold_word(text, len, folded))
		return NULL;
	word = find_folded(folded);
	if (word)
		return word;
	while (tail && text[tail - 1] != '_' && text[tail - 1] != '.')
		tail--;
	if (!tail || strstr(folded, "public") || !fold_word(text + tail, len - tail, folded))
		return NULL;
	word = find_folded(folded);
	return word && word->in_path ? word : NULL;
}

bool csvcols_read(struct csvcols *ret, const struct csvcell *cell, size_t cells)
{
	uint8_t best[CSV_ROLES];

	*ret = (struct csvcols){ .count = cells };
	memset(best, UINT8_MAX, sizeof(best));
	for (size_t i = 0; i < cells; i++) {
		const struct column_word *word = find_word(cell[i].text, cell[i].len);

		if (word && word->rank < best[word->role])
			best[word->role] = word->rank;
	}
	ret->full_names = best[CSV_NAME] <= RANK_FULL;
	ret->export_of_zone = best[CSV_TYPE] != UINT8_MAX || best[CSV_NAME] == RANK_RECORD;
	ret->loose_types = best[CSV_TYPE] == 1;
	ret->labels_only = best[CSV_TYPE] == 0 &&
			   (best[CSV_NAME] == RANK_RECORD || best[CSV_NAME] == RANK_HOST);
	for (size_t i = 0; i < cells; i++) {
		const struct column_word *word = find_word(cell[i].text, cell[i].len);
		bool several;

		if (!word || word->rank != best[word->role])
			continue;
		several = word->role == CSV_ADDRESS || (word->role == CSV_NAME && ret->full_names);
		if (ret->columns[word->role] && !several)
			continue;
		ret->role[i] = word->role;
		if (!ret->columns[word->role]++)
			ret->first[word->role] = i;
	}
	return ret->columns[CSV_NAME] && (ret->columns[CSV_ADDRESS] || ret->columns[CSV_DATA]);
}
