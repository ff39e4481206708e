/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_REPLY_H
#define PRIVLINKD_TESTS_REPLY_H

/* The question of a query, and the reply that a script rule gives to it, as bytes. */

#include "script.h"

#define REPLY_MAX 65535

struct reply_query {
	uint8_t bytes[4096]; /* the query as it came */
	size_t len;
	size_t question_len; /* bytes of the question after the header */
	char name[1100];     /* as asked, presentation format with its dot */
	char lower[1100];
	uint16_t type;
	bool tcp;
	bool edns;
	bool dnssec_ok, cd;
	char seen[160];    /* its flags and EDNS, in words */
	uint16_t udp_size; /* 512 without EDNS */
};

/* Reads a query with exactly one question. Returns 0 or -1; tcp must be set before. */
int reply_query_parse(struct reply_query *query);

/* The SCRIPT_IF_* bits that hold for this query. */
unsigned reply_query_have(const struct reply_query *query);

/* Lays the reply out (rule NULL: NXDOMAIN), truncated where UDP asks for it. Returns its length. */
size_t reply_build(const struct reply_query *query, const struct script_rule *rule, uint8_t *out);

#endif
