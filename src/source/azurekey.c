/* SPDX-License-Identifier: MIT */
/*
 * A sorted table of folded words. What a word means depends on where it stands, which is
 * source/azure's business; here is only which of its spellings are one.
 *
 * Resource Graph names a column that is a path after the path: `properties_customDnsConfigs_0_fqdn`
 * stands for `fqdn`, so that prefix is taken off.
 *
 * Skipped with all that is in them: what users may write anything into (tags, metadata), and what
 * Terraform prints beside the values in the same words (types, plans, marks of sensitive values).
 */
#include "source/azurekey.h"

#include <stdlib.h>
#include <string.h>

#include "wire/types.h"

/* The longest word, and a path before it. Longer keys are none of ours. */
#define KEY_FOLDED_MAX 80

/* Sorted. */
static const struct azure_word words[] = {
	{ "aaaarecords", AZURE_RECORDS, 0, 0 },
	{ "address", AZURE_ADDRESS, 0, 0 },
	{ "addresses", AZURE_ADDRESSES, 0, 0 },
	{ "arecords", AZURE_RECORDS, 0, 0 },
	{ "cname", AZURE_TARGET, TYPE_CNAME, 0 },
	{ "cnamerecord", AZURE_RECORDS, 0, 0 },
	{ "configuration", AZURE_SKIP, 0, 0 },
	{ "connectionstate", AZURE_STATUS, 0, 0 },
	{ "connectionstatus", AZURE_STATUS, 0, 0 },
	{ "customdnsconfigs", AZURE_CONFIGS, 0, 0 },
	{ "dnsname", AZURE_HOST, 0, 0 },
	{ "dnszone", AZURE_ZONE, 0, 0 },
	{ "dnszonename", AZURE_ZONE, 0, 0 },
	{ "exchange", AZURE_TARGET, TYPE_MX, 0 },
	{ "fqdn", AZURE_FQDN, 0, 0 },
	{ "fqdns", AZURE_FQDN, 0, 0 },
	{ "hostname", AZURE_HOST, 0, 0 },
	{ "id", AZURE_ID, 0, 0 },
	{ "ip", AZURE_ADDRESS, 0, 0 },
	{ "ipaddress", AZURE_ADDRESS, 0, 0 },
	{ "ipaddresses", AZURE_ADDRESSES, 0, 0 },
	{ "ipconfigurations", AZURE_INNER, 0, 0 },
	{ "ips", AZURE_ADDRESSES, 0, 0 },
	{ "ipv4address", AZURE_ADDRESS, 0, 0 },
	{ "ipv6address", AZURE_ADDRESS, 0, 0 },
	{ "manualprivatelinkserviceconnections", AZURE_CONNECTIONS, 0, 0 },
	{ "metadata", AZURE_SKIP, 0, 0 },
	{ "mxrecords", AZURE_RECORDS, 0, 0 },
	{ "name", AZURE_NAME, 0, 0 },
	{ "networkinterfaces", AZURE_INNER, 0, 0 },
	{ "nextlink", AZURE_NEXT, 0, 0 },
	{ "odatanextlink", AZURE_NEXT, 0, 0 },
	{ "plannedvalues", AZURE_SKIP, 0, 0 },
	{ "port", AZURE_NUMBER, TYPE_SRV, 2 },
	{ "preference", AZURE_NUMBER, TYPE_MX, 0 },
	{ "priority", AZURE_NUMBER, TYPE_SRV, 0 },
	{ "privatednszoneconfigs", AZURE_ZONE_CONFIGS, 0, 0 },
	{ "privatednszoneid", AZURE_ZONE, 0, 0 },
	{ "privatednszonename", AZURE_ZONE, 0, 0 },
	{ "privateip", AZURE_ADDRESS, 0, 0 },
	{ "privateipaddress", AZURE_ADDRESS, 0, 0 },
	{ "privateipaddresses", AZURE_ADDRESSES, 0, 0 },
	{ "privateips", AZURE_ADDRESSES, 0, 0 },
	{ "privatelinkconnectionproperties", AZURE_LINK, 0, 0 },
	{ "privatelinkserviceconnections", AZURE_CONNECTIONS, 0, 0 },
	{ "privatelinkserviceconnectionstate", AZURE_CONNECTION_STATE, 0, 0 },
	{ "properties", AZURE_PROPERTIES, 0, 0 },
	{ "ptrdname", AZURE_TARGET, TYPE_PTR, 0 },
	{ "ptrrecords", AZURE_RECORDS, 0, 0 },
	{ "record", AZURE_RECORDS, 0, 0 },
	{ "recordname", AZURE_NAME, 0, 0 },
	{ "records", AZURE_RECORDS, 0, 0 },
	{ "recordsetname", AZURE_NAME, 0, 0 },
	{ "recordsets", AZURE_RECORD_SETS, 0, 0 },
	{ "recordtype", AZURE_TYPE, 0, 0 },
	{ "resourcechanges", AZURE_SKIP, 0, 0 },
	{ "resourcename", AZURE_NAME, 0, 0 },
	{ "sensitiveattributes", AZURE_SKIP, 0, 0 },
	{ "sensitivevalues", AZURE_SKIP, 0, 0 },
	{ "serialnumber", AZURE_SOA, 0, 0 },
	{ "skiptoken", AZURE_NEXT, 0, 0 },
	{ "soarecord", AZURE_SOA, 0, 0 },
	{ "srvrecords", AZURE_RECORDS, 0, 0 },
	{ "status", AZURE_STATUS, 0, 0 },
	{ "tags", AZURE_SKIP, 0, 0 },
	{ "target", AZURE_TARGET, TYPE_SRV, 0 },
	{ "timetolive", AZURE_TTL, 0, 0 },
	{ "ttl", AZURE_TTL, 0, 0 },
	{ "txtrecords", AZURE_RECORDS, 0, 0 },
	{ "type", AZURE_TYPE, 0, 0 },
	{ "value", AZURE_VALUE, 0, 0 },
	{ "weight", AZURE_NUMBER, TYPE_SRV, 1 },
	{ "zone", AZURE_ZONE, 0, 0 },
	{ "zonename", AZURE_ZONE, 0, 0 },
};
_Static_assert(sizeof(words) / sizeof(*words) <= AZURE_WORDS_MAX, "sets of words are too small");

static int compare(const void *key, const void *word)
{
	return strcmp(key, ((const struct azure_word *)word)->text);
}

/* `properties_customDnsConfigs_0_fqdn`, folded, is `fqdn`. */
static const char *strip_path(const char *folded)
{
	static const char properties[] = "properties", configs[] = "customdnsconfigs";
	const char *at = folded;

	if (strncmp(at, properties, strlen(properties)) == 0 && at[strlen(properties)])
		at += strlen(properties);
	if (strncmp(at, configs, strlen(configs)) == 0 && at[strlen(configs)]) {
		at += strlen(configs);
		while (*at >= '0' && *at <= '9')
			at++;
	}
	return at;
}

int azure_word_find(const char *text, size_t len)
{
	char folded[KEY_FOLDED_MAX];
	const struct azure_word *found;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '_' || c == '-' || c == '$' || c == '@' || c == '.')
			continue;
		if (used + 1 == sizeof(folded))
			return -1;
		folded[used++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	folded[used] = '\0';
	found = bsearch(strip_path(folded), words, sizeof(words) / sizeof(*words), sizeof(*words),
			compare);
	return found ? (int)(found - words) : -1;
}

const struct azure_word *azure_word(int index)
{
	static const struct azure_word none = { "", AZURE_NONE, 0, 0 };

	return index < 0 ? &none : &words[index];
}
