/* SPDX-License-Identifier: MIT */
/*
 * The words of Azure's exports. `ipAddresses` (az, REST), `IpAddresses` (PowerShell) and
 * `ip_addresses` (Terraform) are one word; a query of Resource Graph may give it any case. Pure.
 */
#ifndef PRIVLINKD_SOURCE_AZUREKEY_H
#define PRIVLINKD_SOURCE_AZUREKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum azure_key {
	AZURE_NONE,      /* nothing that matters */
	AZURE_SKIP,      /* what is in it must not be looked at */
	AZURE_FQDN,      /* whole names: fqdn, fqdns */
	AZURE_HOST,      /* whole names where there is no fqdn */
	AZURE_ADDRESS,   /* one address, a word that many objects have */
	AZURE_ADDRESSES, /* the plural, which in one object with a name means just one thing */
	AZURE_NAME,      /* of the resource, or relative to a zone */
	AZURE_ZONE,      /* a name, or the id of a zone */
	AZURE_ID,
	AZURE_TTL,
	AZURE_TYPE,
	AZURE_STATUS,       /* of the connection */
	AZURE_CONFIGS,      /* customDnsConfigs */
	AZURE_ZONE_CONFIGS, /* privateDnsZoneConfigs */
	AZURE_RECORD_SETS,
	AZURE_INNER, /* other parts of an endpoint or NIC */
	AZURE_LINK,  /* privateLinkConnectionProperties of a NIC */
	AZURE_PROPERTIES,
	AZURE_CONNECTIONS,
	AZURE_CONNECTION_STATE,
	AZURE_NEXT, /* where the list goes on */
	AZURE_VALUE,
	AZURE_RECORDS, /* aRecords, records ...: a list of record data, or one */
	AZURE_SOA,
	/* Fields of record data. */
	AZURE_TARGET, /* a name: of CNAME, PTR, MX, SRV; see type */
	AZURE_NUMBER, /* of MX, SRV; see place */
};

struct azure_word {
	const char *text; /* lower case, without `_ - $ @ .` */
	enum azure_key key;
	uint16_t type; /* AZURE_TARGET, AZURE_NUMBER: what the data is */
	uint8_t place; /* AZURE_NUMBER: which of its numbers */
};

/* Words there are: for sets of them. */
#define AZURE_WORDS_MAX 128

/* The index of a key's word; -1: none of ours. */
int azure_word_find(const char *text, size_t len);
const struct azure_word *azure_word(int index);

#endif
