/* SPDX-License-Identifier: MIT */
/*
 * The words that all record files are made of: addresses, host names as people paste them, TTLs.
 * Pure.
 */
#ifndef PRIVLINKD_SOURCE_TOKEN_H
#define PRIVLINKD_SOURCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"
#include "wire/series.h"

/* Takes matching quotes ("..." or '...') from both ends, and a lone one from either. */
void token_unquote(const char **text, size_t *len);

struct token_address {
	uint16_t type; /* TYPE_A or TYPE_AAAA */
	uint8_t len;   /* 4 or 16 */
	uint8_t octets[16];
};

/* An IPv4 or IPv6 address, nothing around it. False if it is none. */
bool token_read_address(const char *text, size_t len, struct token_address *ret);

/* Loopback, multicast, broadcast: addresses that hosts files give to the machine itself. */
bool token_address_is_own(const struct token_address *address);

/*
 * A host name: `name`, `name.`, `https://name:443/path`, `*.name`. Letters, digits, hyphens,
 * underscores; other octets are refused here, a zone file or a `records:` line may hold them.
 * A name of one label is completed with `origin` where that is not NULL. NULL, or why it is none;
 * then *ret holds scraps.
 */
const char *token_read_name(const char *text, size_t len, const struct name *origin,
			    struct name *ret);

/*
 * The same into `series->name`, quicker where it is like the one before. Nobody else writes to
 * `series`.
 */
const char *token_read_next_name(const char *text, size_t len, const struct name *origin,
				 struct name_series *series);
/*
 * Is it like the one before: another label, of letters, digits, hyphens and underscores, before the
 * same text from a dot on? Then it is a name of several labels (if not too long), with or without
 * origin.
 */
bool token_is_next_name(const char *text, size_t len, const struct name_series *series);

/*
 * Seconds: digits, or digits with units (w d h m s) as in `1h30m`. False if it is none or over
 * 2^31-1 (RFC 2181 8).
 */
bool token_read_ttl(const char *text, size_t len, uint32_t *ret);

/* A piece of a file for a complaint: printable, cut to a sensible length. Returns buf. */
#define TOKEN_SHOWN_MAX 100
const char *token_show(char buf[TOKEN_SHOWN_MAX], const char *text, size_t len);

#endif
