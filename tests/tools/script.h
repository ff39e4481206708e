/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_SCRIPT_H
#define PRIVLINKD_TESTS_SCRIPT_H

/* What fakeup answers, read from a text file:
 *
 *     # comment
 *     rule NAME TYPE[,TYPE...] [WORD...]
 *       an RECORD          answer section, in exactly this order
 *       au RECORD          authority section
 *       ar RECORD          additional section
 *
 * NAME is absolute; `*.x.` matches every name below x. (not x. itself), at any depth; `*` matches
 * all. TYPE `*` matches all. In records `$Q` is the name asked, as it was asked, and `$L` its
 * labels that the star stood for (no dot at the end). Of the rules that match, an exact name goes
 * before a longer suffix before a shorter one, then the order of the file. No rule: NXDOMAIN with
 * the SOA of `.`.
 *
 * Words: rcode=NAME aa ra-off tc ad noopt        what the reply says
 *        options=HEX                             in its OPT (code, length, data, and so on)
 *        do nodo udp tcp edns cd nocd            match only such questions
 *        times=N                                 match N times, then never again
 *        hold drop close delay=MS duplicate      when it comes, and whether
 *        wrong-id wrong-question other-port garbage short       such a reply goes before the good
 *        one
 *        only                                    and the good one never comes
 *        formerr-edns                            FORMERR without OPT where the question has OPT
 *        raw=HEX                                 these bytes, id filled in */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCRIPT_AA = 1 << 0,
	SCRIPT_TC = 1 << 1,
	SCRIPT_AD = 1 << 2,
	SCRIPT_RA_OFF = 1 << 3,
	SCRIPT_NOOPT = 1 << 4,
	SCRIPT_IF_DO = 1 << 5,
	SCRIPT_IF_NODO = 1 << 6,
	SCRIPT_IF_UDP = 1 << 7,
	SCRIPT_IF_TCP = 1 << 8,
	SCRIPT_HOLD = 1 << 9,
	SCRIPT_DROP = 1 << 10,
	SCRIPT_CLOSE = 1 << 11,
	SCRIPT_DUPLICATE = 1 << 12,
	SCRIPT_WRONG_ID = 1 << 13,
	SCRIPT_WRONG_QUESTION = 1 << 14,
	SCRIPT_OTHER_PORT = 1 << 15,
	SCRIPT_GARBAGE = 1 << 16,
	SCRIPT_SHORT = 1 << 17,
	SCRIPT_ONLY = 1 << 18,
	SCRIPT_FORMERR_EDNS = 1 << 19,
	SCRIPT_IF_EDNS = 1 << 20,
	SCRIPT_IF_CD = 1 << 21,
	SCRIPT_IF_NOCD = 1 << 22,
};

#define SCRIPT_MAX_TYPES 8
#define SCRIPT_MAX_RECORDS 64

struct script_rule {
	char *name; /* lower case, dot at the end; for a wildcard the suffix */
	bool wildcard;
	size_t type_count; /* 0: all */
	uint16_t types[SCRIPT_MAX_TYPES];
	unsigned flags;
	int rcode;
	int delay_ms;
	long times; /* how often still; -1 without end */
	char *raw, *options;
	size_t record_count;
	struct {
		int section; /* 0 answer, 1 authority, 2 additional */
		char *text;
	} records[SCRIPT_MAX_RECORDS];
};

struct script {
	size_t rule_count;
	struct script_rule *rules;
};

/* Reads a file. Complaints go to standard error; NULL on any. */
struct script *script_load(const char *path);
void script_free(struct script *script);

/* The rule for a question, or NULL. `name` is lower case with its dot. `have` holds the
 * SCRIPT_IF_* bits that are true of the question. Counts `times` down. */
struct script_rule *script_find(struct script *script, const char *name, uint16_t type,
				unsigned have);

/* Fills in $Q and $L. Returns 0, or -1 where the result would not fit. */
int script_expand(const struct script_rule *rule, const char *text, const char *name, char *out,
		  size_t out_len);

#endif
