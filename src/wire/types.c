/* SPDX-License-Identifier: MIT */
/*
 * One table, sorted by number, serves both directions. Reading text is for configuration, record
 * files and the operator's tool, so a walk over it is quick enough; the packet path never needs a
 * type's name. Types without an entry are written and read as RFC 3597 5 says.
 */
#include "wire/types.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	uint16_t type;
	const char *text;
} types[] = {
	{ 1, "A" },       { 2, "NS" },          { 3, "MD" },        { 4, "MF" },
	{ 5, "CNAME" },   { 6, "SOA" },         { 7, "MB" },        { 8, "MG" },
	{ 9, "MR" },      { 10, "NULL" },       { 11, "WKS" },      { 12, "PTR" },
	{ 13, "HINFO" },  { 14, "MINFO" },      { 15, "MX" },       { 16, "TXT" },
	{ 17, "RP" },     { 18, "AFSDB" },      { 19, "X25" },      { 20, "ISDN" },
	{ 21, "RT" },     { 22, "NSAP" },       { 23, "NSAP-PTR" }, { 24, "SIG" },
	{ 25, "KEY" },    { 26, "PX" },         { 27, "GPOS" },     { 28, "AAAA" },
	{ 29, "LOC" },    { 30, "NXT" },        { 33, "SRV" },      { 35, "NAPTR" },
	{ 36, "KX" },     { 37, "CERT" },       { 39, "DNAME" },    { 41, "OPT" },
	{ 42, "APL" },    { 43, "DS" },         { 44, "SSHFP" },    { 45, "IPSECKEY" },
	{ 46, "RRSIG" },  { 47, "NSEC" },       { 48, "DNSKEY" },   { 49, "DHCID" },
	{ 50, "NSEC3" },  { 51, "NSEC3PARAM" }, { 52, "TLSA" },     { 53, "SMIMEA" },
	{ 55, "HIP" },    { 59, "CDS" },        { 60, "CDNSKEY" },  { 61, "OPENPGPKEY" },
	{ 62, "CSYNC" },  { 63, "ZONEMD" },     { 64, "SVCB" },     { 65, "HTTPS" },
	{ 99, "SPF" },    { 108, "EUI48" },     { 109, "EUI64" },   { 249, "TKEY" },
	{ 250, "TSIG" },  { 251, "IXFR" },      { 252, "AXFR" },    { 253, "MAILB" },
	{ 254, "MAILA" }, { 255, "ANY" },       { 256, "URI" },     { 257, "CAA" },
	{ 32768, "TA" },  { 32769, "DLV" },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static const char *const rcodes[] = {
	"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
};
#define RCODES (sizeof(rcodes) / sizeof(rcodes[0]))

const char *type_to_text(uint16_t type, char text[TYPE_TEXT_MAX])
{
	size_t i;

	for (i = 0; i < TYPES && types[i].type <= type; i++) {
		if (types[i].type == type) {
			memcpy(text, types[i].text, strlen(types[i].text) + 1);
			return text;
		}
	}
	snprintf(text, TYPE_TEXT_MAX, "TYPE%u", (unsigned)type);
	return text;
}

int type_from_text(const char *text, uint16_t *ret_type)
{
	unsigned number = 0;
	size_t i;

	for (i = 0; i < TYPES; i++) {
		if (strcasecmp(types[i].text, text) == 0) {
			*ret_type = types[i].type;
			return 0;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || !text[4])
		return -1;
	for (text += 4; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > UINT16_MAX)
			return -1;
	}
	*ret_type = (uint16_t)number;
	return 0;
}

const char *rcode_to_text(unsigned rcode, char text[TYPE_TEXT_MAX])
{
	if (rcode < RCODES)
		memcpy(text, rcodes[rcode], strlen(rcodes[rcode]) + 1);
	else if (rcode == RCODE_BADVERS)
		memcpy(text, "BADVERS", sizeof("BADVERS"));
	else
		snprintf(text, TYPE_TEXT_MAX, "RCODE%u", rcode & 0xffff);
	return text;
}

bool type_is_meta(uint16_t type)
{
	return type == TYPE_OPT || (type >= 128 && type <= 255);
}
