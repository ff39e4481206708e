/* SPDX-License-Identifier: MIT */
/*
 * One line of a zone file whose meaning is beyond doubt: `[owner] [ttl] [class] type data` with an
 * A, AAAA or CNAME record, of plain words, with or without a comment. Nearly all lines of a large
 * file are of this kind; it is read here several times faster than by source/rrlex and rrtext, and
 * has to come to the same. Pure.
 */
#ifndef PRIVLINKD_SOURCE_RRLINE_H
#define PRIVLINKD_SOURCE_RRLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/rrlex.h"
#include "source/token.h"

/* Octets of a line: two names of full length and what is between them. Not taken: longer ones. */
#define RRLINE_MAX 1024

struct rrline {
	struct rrword owner; /* len 0: none, the line begins with a blank */
	bool has_ttl;
	uint32_t ttl;                 /* where has_ttl */
	uint16_t type;                /* TYPE_A, TYPE_AAAA, TYPE_CNAME */
	struct rrword target;         /* of a CNAME */
	struct token_address address; /* else */
};

/*
 * The line without its end. False: it is of another kind, or wrong, or holds no record; nothing is
 * said about it, and *ret holds scraps. Names are words of plain octets: whether they are names is
 * not looked at.
 */
bool rrline_read(const char *line, size_t len, struct rrline *ret);

#endif
