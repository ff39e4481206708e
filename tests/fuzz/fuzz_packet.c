/* SPDX-License-Identifier: MIT */
/*
 * Any octets as a message, read by us and by ldns: who reads what, and is it the same?
 *
 * Compared are the question, the records of each section in order, their owners, and the data of
 * those types whose names we write out. Differences that are meant:
 *   - We want exactly one question.
 *   - We follow pointers only to before the part of the name that they end, not into the header,
 *     and at most 128 of them; ldns takes any that come to an end. So where ldns reads an owner
 *     that we do not, the name must break one of those rules. strict_name below, a slow second
 *     reader that knows them, must agree with ours on every owner.
 *   - Within data ldns takes records that stop early (an empty A); we refuse those. Only what we
 *     read must be read by ldns, not the other way round.
 *   - ldns looks into types that are plain octets to us: it may refuse them, and of some (TSIG) it
 *     takes fewer octets than the record says and reads on in the wrong place. So only messages of
 *     types in `shaped`, and an OPT, are compared.
 *   - A TTL over 2^31-1 is 0 to us.
 *   - ldns takes an OPT out of the additional section.
 *
 * message_read_query runs over the same octets; what it says must agree with message_open.
 */
#include <ldns/ldns.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Records compared at most: enough, and a run stays quick. */
#define RECORDS_MAX 200

static const uint16_t shaped[] = { TYPE_A,  TYPE_NS,   TYPE_CNAME, TYPE_SOA,  TYPE_PTR,
				   TYPE_MX, TYPE_AAAA, TYPE_SRV,   TYPE_DNAME };

static bool is_shaped(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(shaped) / sizeof(shaped[0]); i++) {
		if (shaped[i] == type)
			return true;
	}
	return false;
}

static bool is_opt(const struct message_record *record)
{
	return record->type == TYPE_OPT && record->section == SECTION_ADDITIONAL;
}

/* Does the name at `at` keep our rules on pointers, and is it a name at all? */
static bool strict_name(const uint8_t *data, size_t len, size_t at)
{
	size_t start = at, octets = 0, pointers = 0;

	while (at < len) {
		if (data[at] >= 0xc0) {
			if (at + 1 >= len)
				return false;
			at = (size_t)(data[at] & 0x3f) * 256 + data[at + 1];
			if (at < 12 || at >= start || ++pointers > 128)
				return false;
			start = at;
			continue;
		}
		if (data[at] > 63)
			return false;
		octets += data[at] + 1u;
		if (octets > 255)
			return false;
		if (data[at] == 0)
			return true;
		at += data[at] + 1u;
	}
	return false;
}

static void compare_rdata(const ldns_rr *rr, const uint8_t *rdata, size_t len)
{
	uint8_t theirs[4096];
	size_t i, at = 0;

	for (i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		MUST(at + ldns_rdf_size(rdf) <= sizeof(theirs));
		memcpy(theirs + at, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		at += ldns_rdf_size(rdf);
	}
	MUST(at == len && memcmp(theirs, rdata, len) == 0);
}

static void compare_record(const struct message *message, const struct message_record *record,
			   const ldns_rr *rr)
{
	uint8_t owner[NAME_WIRE_MAX], rdata[4096];
	size_t len = message_owner(message, record, owner), rdata_len;
	uint32_t ttl = ldns_rr_ttl(rr);

	MUST(len > 0 && len == ldns_rdf_size(ldns_rr_owner(rr)));
	MUST(memcmp(owner, ldns_rdf_data(ldns_rr_owner(rr)), len) == 0);
	MUST(message_owner_is(message, record, owner));
	MUST(record->type == ldns_rr_get_type(rr));
	MUST(record->class == ldns_rr_get_class(rr));
	MUST(record->ttl == (ttl > INT32_MAX ? 0 : ttl));
	if (is_shaped(record->type) &&
	    message_rdata(message, record, rdata, sizeof(rdata), &rdata_len) == 0)
		compare_rdata(rr, rdata, rdata_len);
}

/* Reads all. True if every part is good; *ret_plain tells that all types are shaped. */
static bool read_ours(struct message *message, bool *ret_plain)
{
	uint8_t owner[NAME_WIRE_MAX], *rdata = malloc(UINT16_MAX + 1024);
	struct message_record record;
	bool good = true;
	size_t len;
	int got;

	*ret_plain = true;
	MUST(rdata);
	message_rewind(message);
	while ((got = message_next(message, &record)) > 0) {
		if (!is_shaped(record.type) && !is_opt(&record))
			*ret_plain = false;
		MUST(strict_name(message->cursor.data, message->cursor.len, record.owner_at) ==
		     (message_owner(message, &record, owner) > 0));
		if (!message_owner(message, &record, owner) ||
		    message_rdata(message, &record, rdata, UINT16_MAX + 1024, &len) < 0)
			good = false;
	}
	free(rdata);
	return good && got == 0;
}

static ldns_rr_list *section_of(const ldns_pkt *pkt, enum message_section section)
{
	return section == SECTION_ANSWER      ? ldns_pkt_answer(pkt)
	       : section == SECTION_AUTHORITY ? ldns_pkt_authority(pkt)
					      : ldns_pkt_additional(pkt);
}

static void compare_all(struct message *message, const ldns_pkt *pkt)
{
	struct message_record record;
	size_t at[4] = { 0 }, n = 0;

	message_rewind(message);
	while (n++ < RECORDS_MAX && message_next(message, &record) > 0) {
		if (is_opt(&record))
			continue;
		compare_record(
			message, &record,
			ldns_rr_list_rr(section_of(pkt, record.section), at[record.section]++));
	}
}

static void compare_question(const struct name *name, uint16_t type, uint16_t class,
			     const ldns_pkt *pkt)
{
	const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);

	MUST(name->len == ldns_rdf_size(ldns_rr_owner(rr)));
	MUST(memcmp(name->wire, ldns_rdf_data(ldns_rr_owner(rr)), name->len) == 0);
	MUST(type == ldns_rr_get_type(rr) && class == ldns_rr_get_class(rr));
}

static void check_query(const uint8_t *data, size_t len)
{
	struct message_query query;
	struct message message;
	struct name name;
	uint16_t type, class;
	enum message_verdict verdict = message_read_query(&query, data, len);
	int opened = message_open(&message, data, len, &name, &type, &class);

	if (verdict == MESSAGE_DROP)
		return;
	MUST((opened == 0) == query.has_question);
	if (opened < 0)
		return;
	MUST(name_equal(&query.name, &name) && query.type == type && query.class == class);
	MUST(query.question_len == message.records_at - DNS_HEADER_LEN);
	MUST(query.question_len == name.len + 4u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct message message;
	struct name name;
	uint16_t type, class;
	ldns_pkt *pkt = NULL;
	bool good, plain;

	check_query(data, len);
	if (message_open(&message, data, len, &name, &type, &class) < 0)
		return 0;
	good = read_ours(&message, &plain);
	if (ldns_wire2pkt(&pkt, data, len) != LDNS_STATUS_OK) {
		MUST(!good || !plain);
		return 0;
	}
	if (good && plain) {
		compare_question(&name, type, class, pkt);
		compare_all(&message, pkt);
	}
	ldns_pkt_free(pkt);
	return 0;
}
