/* SPDX-License-Identifier: MIT */
/*
 * Cuts an upstream's message down to what may be believed.
 *
 * The chain is walked from the question, link by link, and written out in that order; then the
 * records at its end; then, from the authority section, the SOA that proves there are none.
 * Whatever hangs on no name of that walk never gets into the new message, so it cannot be cached
 * (the poisoning that out-of-bailiwick and unsolicited records are used for). With DO the
 * signatures of what is kept go along, the DNAMEs, and NSEC and NSEC3 with their signatures; nobody
 * here relies on those, a validating client checks them.
 *
 * A CNAME that a DNAME implies is written out where the upstream left it to us (RFC 6672 3.1), so
 * readers find CNAMEs alone. A chain that is too long or comes back to itself is kept up to one
 * link over the limit: the resolver, who counts links, then sees that it is too long, and no more
 * than that is carried about.
 *
 * SOAs are believed only from a zone that the chain's last name is in (RFC 2308 2.1, 5); its TTL is
 * lowered to its MINIMUM here, once. A chain without data and without SOA under NOERROR is
 * unfinished, not negative: just the chain is kept.
 *
 * Pure: bytes in, bytes out. Every link walks over the message, 17 times at most; so that a hostile
 * one of 64 KB does not make each of these walks read thousands of long names, the owners of a
 * message with many records are hashed first (wire/owners.h), and a loop is walked once.
 */
#include "forward/reply.h"

#include <string.h>

#include "wire/chain.h"
#include "wire/cursor.h"
#include "wire/owners.h"
#include "wire/types.h"
#include "wire/writer.h"

/* 16 are followed (interface: chains); the 17th shows that there were more. */
#define REPLY_LINKS_MAX 17
/* With more records than this their owners are hashed first: an honest chain has fewer. */
#define REPLY_PLAIN_RECORDS 24

struct scrub {
	const struct forward_question *question;
	struct message message;
	struct writer writer;
	const struct owners *owners;  /* of a message of many records, else NULL */
	uint8_t final[NAME_WIRE_MAX]; /* where the chain has led so far */
	uint8_t soa[NAME_WIRE_MAX];   /* owner of the SOA that was kept */
	/* owners of the DNAMEs that were kept: links may share them */
	uint8_t dnames[REPLY_LINKS_MAX][NAME_WIRE_MAX];
	unsigned dnames_count, links;
	uint64_t been[REPLY_LINKS_MAX + 1]; /* hashes of the names on the way */
	bool has_data, has_soa;
	uint32_t ttl;                 /* lowest so far */
	uint8_t rdata[REPLY_LEN_MAX]; /* not initialised: large */
};

static void lower_ttl(struct scrub *scrub, uint32_t ttl)
{
	if (ttl < scrub->ttl)
		scrub->ttl = ttl;
}

/* What an RRSIG in rdata covers (RFC 4034 3.1). */
static uint16_t covered_type(const uint8_t *rdata, size_t len)
{
	struct cursor cursor = cursor_over(rdata, len);

	return cursor_u16(&cursor);
}

static int read_rdata(struct scrub *scrub, const struct message_record *record, size_t *ret_len)
{
	return message_rdata(&scrub->message, record, scrub->rdata, sizeof(scrub->rdata), ret_len);
}

/* The record, with the data that read_rdata gave. */
static void write_record(struct scrub *scrub, const struct message_record *record,
			 const uint8_t *owner, uint32_t ttl, size_t len)
{
	writer_record(&scrub->writer, record->section, owner, record->type, ttl, scrub->rdata, len);
	lower_ttl(scrub, ttl);
}

/* May this record of rdata in scrub->rdata be a signature over `covered`? */
static bool is_signature_of(const struct scrub *scrub, const struct message_record *record,
			    size_t len, uint16_t covered)
{
	return record->type == TYPE_RRSIG && covered_type(scrub->rdata, len) == covered;
}

/* The answer section's records of this type at this name; `covered`: only signatures over that. */
static int copy_records(struct scrub *scrub, const uint8_t *owner, uint16_t type,
			const uint16_t *covered)
{
	struct message_record record;
	struct name name;
	size_t len;
	unsigned n;
	int got;

	if (scrub->owners && name_from_wire(&name, owner, NAME_WIRE_MAX) < 0)
		return -1;
	message_rewind(&scrub->message);
	for (n = 0;
	     (got = message_next(&scrub->message, &record)) > 0 && record.section == SECTION_ANSWER;
	     n++) {
		if (record.class != CLASS_IN || record.type != type)
			continue;
		if (scrub->owners && !owners_may_be(scrub->owners, n, &name))
			continue;
		if (!message_owner_is(&scrub->message, &record, owner))
			continue;
		if (read_rdata(scrub, &record, &len) < 0)
			return -1;
		if (!covered || is_signature_of(scrub, &record, len, *covered))
			write_record(scrub, &record, owner, record.ttl, len);
		if (scrub->writer.full)
			return -1; /* reading the rest is of no use */
	}
	return got < 0 ? -1 : 0;
}

/* With DO: the answer section's signatures over the records of this type at this name. */
static int copy_signatures(struct scrub *scrub, const uint8_t *owner, uint16_t type)
{
	if (!scrub->question->do_bit || type == TYPE_RRSIG)
		return 0;
	return copy_records(scrub, owner, TYPE_RRSIG, &type);
}

static int copy_rrset(struct scrub *scrub, const uint8_t *owner, uint16_t type)
{
	if (copy_records(scrub, owner, type, NULL) < 0)
		return -1;
	return copy_signatures(scrub, owner, type);
}

/* A DNAME that links hang on, once however many do. */
static int copy_dname(struct scrub *scrub, const uint8_t *owner)
{
	unsigned i;

	for (i = 0; i < scrub->dnames_count; i++) {
		if (name_wire_equal(owner, scrub->dnames[i]))
			return 0;
	}
	memcpy(scrub->dnames[scrub->dnames_count++], owner, name_wire_len(owner));
	return copy_rrset(scrub, owner, TYPE_DNAME);
}

/* One link: with DO its DNAME; its CNAME, found or made; with DO the signature of the CNAME. */
static int copy_link(struct scrub *scrub, const uint8_t *owner, const struct chain_hop *hop)
{
	if (hop->from_dname && scrub->question->do_bit && copy_dname(scrub, hop->dname_owner) < 0)
		return -1;
	/* Of several CNAMEs at one name only the one that is followed. */
	writer_record(&scrub->writer, SECTION_ANSWER, owner, TYPE_CNAME, hop->ttl, hop->target,
		      name_wire_len(hop->target));
	lower_ttl(scrub, hop->ttl);
	return hop->type == TYPE_CNAME ? copy_signatures(scrub, owner, TYPE_CNAME) : 0;
}

/* Has the chain led to a name where it was before? */
static bool comes_back(struct scrub *scrub)
{
	struct name name;
	uint64_t hash;
	unsigned i;

	if (name_from_wire(&name, scrub->final, NAME_WIRE_MAX) < 0)
		return false;
	hash = name_hash(&name);
	for (i = 0; i < scrub->links; i++) {
		if (scrub->been[i] == hash)
			return true;
	}
	scrub->been[scrub->links] = hash;
	return false;
}

/* A CNAME was asked for, and this one a DNAME made: nobody has signed it, only the DNAME. */
static int copy_made_cname(struct scrub *scrub)
{
	struct chain_hop hop;

	/* As a link it has its target and TTL; any type does that is not CNAME itself. */
	if (chain_next(&scrub->message, scrub->owners, scrub->final, TYPE_A, &hop) != CHAIN_ALIAS)
		return -1;
	return copy_link(scrub, scrub->final, &hop);
}

/* Walks the chain from the question and copies it and what stands at its end. */
static int copy_answer(struct scrub *scrub, uint8_t rcode)
{
	const struct forward_question *question = scrub->question;
	struct chain_hop hop;

	memcpy(scrub->final, question->name->wire, question->name->len);
	scrub->been[0] = name_hash(question->name);
	while (scrub->links < REPLY_LINKS_MAX) {
		switch (chain_next(&scrub->message, scrub->owners, scrub->final, question->type,
				   &hop)) {
		case CHAIN_ALIAS:
			if (copy_link(scrub, scrub->final, &hop) < 0)
				return -1;
			memcpy(scrub->final, hop.target, name_wire_len(hop.target));
			scrub->links++;
			/* What there is of a loop is written; whoever follows it goes round. */
			if (comes_back(scrub))
				scrub->links = REPLY_LINKS_MAX;
			/* Only a DNAME is followed here: the CNAME made from it is the answer. */
			if (question->type == TYPE_CNAME || question->type == TYPE_ANY) {
				scrub->has_data = true;
				return 0;
			}
			break;
		case CHAIN_DATA:
			if (rcode == RCODE_SERVFAIL)
				return 0; /* no answer, whatever it holds */
			scrub->has_data = true;
			return hop.from_dname ? copy_made_cname(scrub)
					      : copy_rrset(scrub, scrub->final, hop.type);
		case CHAIN_END:
			return 0;
		case CHAIN_BAD:
			/* Just what YXDOMAIN says: what led there is kept. */
			return rcode == RCODE_YXDOMAIN ? 0 : -1;
		}
	}
	return 0;
}

/* A record of the authority section whose data stands in scrub->rdata. */
static void take_authority(struct scrub *scrub, const struct message_record *record,
			   const uint8_t *owner, size_t len, bool negative)
{
	bool with_do = scrub->question->do_bit;
	struct cursor minimum;
	uint32_t ttl;

	if (record->type == TYPE_SOA) {
		if (!negative || scrub->has_soa || !name_wire_ends_with(scrub->final, owner))
			return;
		minimum = cursor_over(scrub->rdata, len);
		cursor_seek(&minimum, len - sizeof(uint32_t));
		ttl = cursor_u32(&minimum);
		scrub->has_soa = true;
		memcpy(scrub->soa, owner, name_wire_len(owner));
		write_record(scrub, record, owner, ttl < record->ttl ? ttl : record->ttl, len);
	} else if (!with_do) {
		return;
	} else if (record->type == TYPE_NSEC || record->type == TYPE_NSEC3 ||
		   is_signature_of(scrub, record, len, TYPE_NSEC) ||
		   is_signature_of(scrub, record, len, TYPE_NSEC3)) {
		write_record(scrub, record, owner, record->ttl, len);
	} else if (is_signature_of(scrub, record, len, TYPE_SOA) && scrub->has_soa &&
		   name_wire_equal(owner, scrub->soa)) {
		write_record(scrub, record, owner, record->ttl, len);
	}
}

static int copy_authority(struct scrub *scrub, bool negative)
{
	struct message_record record;
	uint8_t owner[NAME_WIRE_MAX];
	size_t len;
	int got;

	message_rewind(&scrub->message);
	while ((got = message_next(&scrub->message, &record)) > 0 &&
	       record.section != SECTION_ADDITIONAL) {
		if (record.section != SECTION_AUTHORITY || record.class != CLASS_IN)
			continue;
		if (record.type != TYPE_SOA && record.type != TYPE_NSEC &&
		    record.type != TYPE_NSEC3 && record.type != TYPE_RRSIG)
			continue;
		if (!message_owner(&scrub->message, &record, owner) ||
		    read_rdata(scrub, &record, &len) < 0)
			return -1;
		take_authority(scrub, &record, owner, len, negative);
	}
	return got < 0 ? -1 : 0;
}

/* One walk over all of it: is it whole, and what does its OPT say? */
static int survey(struct message *message, struct reply_cut *ret)
{
	struct message_record record;
	bool ns = false, soa = false;
	struct edns edns;
	int got;

	ret->full_rcode = message->flags & 0xf;
	ret->has_opt = false;
	ret->ede = EDE_NONE;
	while ((got = message_next(message, &record)) > 0) {
		struct cursor rdata;

		if (record.section == SECTION_AUTHORITY) {
			soa |= record.type == TYPE_SOA;
			ns |= record.type == TYPE_NS;
		}
		if (record.section != SECTION_ADDITIONAL || record.type != TYPE_OPT || ret->has_opt)
			continue;
		rdata = cursor_over(message->cursor.data + record.rdata_at, record.rdata_len);
		if (edns_read(&edns, record.class, record.ttl, rdata) < 0)
			return -1;
		ret->has_opt = true;
		ret->ede = edns.ede;
		ret->full_rcode = (uint16_t)(ret->full_rcode | edns.rcode_high << 4);
	}
	/* RFC 2308 2.2: NODATA has a SOA, or at least no NS. */
	ret->referral =
		ns && !soa && !(message->flags & FLAG_AA) && ret->full_rcode == RCODE_NOERROR;
	return got;
}

static uint8_t believed_rcode(uint16_t full)
{
	if (full == RCODE_NOERROR || full == RCODE_NXDOMAIN || full == RCODE_YXDOMAIN)
		return (uint8_t)full;
	return RCODE_SERVFAIL;
}

static int cut_down(const struct forward_question *question, struct message *message,
		    const struct owners *owners, uint8_t *out, size_t cap, struct reply_cut *ret)
{
	struct reply_cut cut = { 0 };
	struct scrub scrub;
	uint16_t flags = FLAG_QR | FLAG_RD | FLAG_RA;

	scrub.question = question;
	scrub.message = *message;
	scrub.owners = owners;
	scrub.dnames_count = scrub.links = 0;
	scrub.has_data = scrub.has_soa = false;
	scrub.ttl = UINT32_MAX;
	if (survey(&scrub.message, &cut) < 0)
		return -1;
	cut.rcode = believed_rcode(cut.full_rcode);
	writer_init(&scrub.writer, out, cap, 0, flags);
	writer_set_rcode(&scrub.writer, cut.rcode);
	writer_question(&scrub.writer, question->name->wire, question->type, CLASS_IN);
	if (copy_answer(&scrub, cut.rcode) < 0)
		return -1;
	if (cut.rcode == RCODE_NOERROR || cut.rcode == RCODE_NXDOMAIN) {
		if (copy_authority(&scrub, !scrub.has_data && scrub.links < REPLY_LINKS_MAX) < 0)
			return -1;
		cut.negative = cut.rcode == RCODE_NXDOMAIN ||
			       (!scrub.has_data && (scrub.links == 0 || scrub.has_soa));
	}
	if (scrub.writer.full)
		return -1;
	cut.len = writer_finish(&scrub.writer);
	cut.links = scrub.links;
	cut.referral = cut.referral && !scrub.has_data && scrub.links == 0;
	if ((cut.negative && !scrub.has_soa) || scrub.ttl == UINT32_MAX)
		cut.ttl_s = 0;
	else
		cut.ttl_s = scrub.ttl;
	*ret = cut;
	return 0;
}

/* Apart, for its room on the stack, which the others do not need. */
__attribute__((noinline)) static int cut_down_long(const struct forward_question *question,
						   struct message *message, uint8_t *out,
						   size_t cap, struct reply_cut *ret)
{
	struct owners owners;

	if (owners_read(&owners, message) < 0)
		return -1;
	return cut_down(question, message, &owners, out, cap, ret);
}

/* It is whole already: its records follow our question as they followed the upstream's. */
static bool take_plain(const struct question_key *key, unsigned rcode, const struct plain *plain,
		       uint8_t *out, size_t cap, struct reply_cut *ret)
{
	size_t each = plain->records_len / plain->count, place;
	struct writer writer;
	uint16_t n, at;

	/* Under the root no pointers are written. */
	if (key->len == 1 || rcode != RCODE_NOERROR || plain->edns.rcode_high != 0 ||
	    plain->count > REPLY_PLACES_MAX)
		return false;
	writer_init(&writer, out, cap, 0, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_question(&writer, key->fold, key->type, CLASS_IN);
	place = writer.len + PLAIN_TTL_AT;
	writer_answers_raw(&writer, plain->records, plain->records_len, plain->count);
	if (writer.full || cap - writer.len < (size_t)plain->count * REPLY_PLACE_LEN)
		return false;
	*ret = (struct reply_cut){ .len = writer_finish(&writer),
				   .ttl_s = plain->ttl,
				   .has_opt = plain->has_opt,
				   .ede = plain->has_opt ? plain->edns.ede : EDE_NONE,
				   .ttls = plain->count,
				   .plain = true };
	for (n = 0; n < plain->count; n++, place += each) {
		at = (uint16_t)place;
		memcpy(out + ret->len + REPLY_PLACE_LEN * n, &at, sizeof(at));
	}
	return true;
}

int reply_cut(const struct forward_question *question, const uint8_t *data, size_t len,
	      uint8_t *out, size_t cap, struct reply_cut *ret)
{
	struct message message;

	if (message_open(&message, data, len, NULL, NULL, NULL) < 0)
		return -1;
	if (message.count[SECTION_ANSWER] > REPLY_PLAIN_RECORDS)
		return cut_down_long(question, &message, out, cap, ret);
	return cut_down(question, &message, NULL, out, cap, ret);
}

int reply_take(const struct question_key *key, const uint8_t *data, size_t len,
	       const struct plain *plain, uint8_t *out, size_t cap, struct reply_cut *ret)
{
	struct forward_question question = {
		.type = key->type, .group = key->group, .do_bit = key->do_bit, .cd_bit = key->cd_bit
	};
	struct name name;

	if (plain && take_plain(key, data[3] & 0xf, plain, out, cap, ret))
		return 0;
	if (name_from_wire(&name, key->fold, key->len) < 0)
		return -1;
	question.name = &name;
	return reply_cut(&question, data, len, out, cap, ret);
}

int reply_scrub(const struct forward_question *question, const uint8_t *data, size_t len,
		uint8_t *out, size_t cap, size_t *ret_len, uint32_t *ret_ttl_s)
{
	struct reply_cut cut;

	if (reply_cut(question, data, len, out, cap, &cut) < 0)
		return -1;
	*ret_len = cut.len;
	*ret_ttl_s = cut.ttl_s;
	return 0;
}

size_t reply_failure(const uint8_t *name, uint16_t type, uint8_t *out, size_t cap)
{
	struct writer writer;

	writer_init(&writer, out, cap, 0, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_set_rcode(&writer, RCODE_SERVFAIL);
	writer_question(&writer, name, type, CLASS_IN);
	return writer_finish(&writer);
}

bool reply_is_for(const struct reply *reply, const struct name *name, uint16_t group)
{
	struct cursor message = cursor_over(reply->data, reply->len);

	return reply->group == group && name_read_matches(&message, DNS_HEADER_LEN, name->fold);
}

int reply_find_ttls(const uint8_t *data, size_t len, uint16_t places[REPLY_PLACES_MAX])
{
	struct message_record record;
	struct message message;
	int count = 0, got;

	if (message_open(&message, data, len, NULL, NULL, NULL) < 0)
		return -1;
	while ((got = message_next(&message, &record)) > 0) {
		if (count == REPLY_PLACES_MAX)
			return -1;
		places[count++] = (uint16_t)record.ttl_at;
	}
	return got < 0 || len + (size_t)count * REPLY_PLACE_LEN > REPLY_LEN_MAX ? -1 : count;
}

uint32_t reply_ttl(const struct reply *reply, uint32_t ttl)
{
	if (ttl > reply->age_s)
		ttl -= reply->age_s;
	else
		ttl = reply->stale ? reply->ttl_cap_s : 0; /* RFC 8767 4: greater than 0 */
	return ttl < reply->ttl_cap_s ? ttl : reply->ttl_cap_s;
}
