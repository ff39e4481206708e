/* SPDX-License-Identifier: MIT */
/* Numbers of the DNS with their names (IANA "Domain Name System (DNS) Parameters"). Pure. */
#ifndef PRIVLINKD_WIRE_TYPES_H
#define PRIVLINKD_WIRE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

enum dns_type {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_CERT = 37,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_IPSECKEY = 45,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DNSKEY = 48,
	TYPE_NSEC3 = 50,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_ANY = 255,
};

enum dns_class {
	CLASS_IN = 1,
	CLASS_CH = 3,
};

enum dns_opcode {
	OPCODE_QUERY = 0,
};

enum dns_rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6, /* a DNAME led to too long a name (RFC 6672 2.2) */
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23, /* RFC 7873 8 */
};

/* Bits of the header's second 16-bit word (RFC 1035 4.1.1, RFC 4035 3). */
enum dns_flag {
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010,
};

/* Info codes of Extended DNS Errors (RFC 8914 4, and the registry). */
enum dns_ede {
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_STALE_ANSWER = 3,
	EDE_BOGUS_FIRST = 5, /* DNSSEC Indeterminate, to ... */
	EDE_BOGUS_LAST = 12, /* ... NSEC Missing */
	EDE_CACHED_ERROR = 13,
	EDE_NOT_READY = 14,
	EDE_BLOCKED = 15,
	EDE_PROHIBITED = 18,
	EDE_STALE_NXDOMAIN = 19,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
	EDE_INVALID_DATA = 24,
};

#define DNS_HEADER_LEN 12
#define DNS_PORT 53

/* Longest text type_to_text and rcode_to_text write, with the NUL. */
#define TYPE_TEXT_MAX 16

/* "A", or "TYPE1234" (RFC 3597 5) where no name is known. Returns `text`. */
const char *type_to_text(uint16_t type, char text[TYPE_TEXT_MAX]);

/* Either form, any case. -1 if it is none. */
int type_from_text(const char *text, uint16_t *ret_type);

/* "NOERROR", or "RCODE12". Returns `text`. */
const char *rcode_to_text(unsigned rcode, char text[TYPE_TEXT_MAX]);

/* A type that only makes sense in questions or in the transport (RFC 6895 3.1: 128-255, and
 * OPT). */
bool type_is_meta(uint16_t type);

#endif
