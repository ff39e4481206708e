/* SPDX-License-Identifier: MIT */
/*
 * The plan's items in order, the answer section's first, then the authority's. The room for the OPT
 * is kept free from the start, so it always fits. What does not fit into the client's limit is not
 * cut in the middle: the answer becomes question, TC and OPT, and the client comes back over TCP.
 *
 * Records of a reply are read from its message again here, through the same cursor as everything
 * from outside; the message has been cut down to what may be believed when it came (forward/reply).
 */
#include "resolve/answer.h"

#include <assert.h>
#include <string.h>

#include "resolve/template.h"
#include "wire/octets.h"
#include "wire/plain.h"
#include "wire/writer.h"

/* Largest RDATA that can be in a message at all; a record's uncompressed data may be longer than it
 * was on the wire. */
#define RDATA_MAX 65535

/* RFC 6303 3: what follows the zone's own name as MNAME. */
static const uint8_t local_soa_tail[] =
	"\006nobody\007invalid\000"
	"\000\000\000\001\000\000\016\020\000\000\004\260\000\011\072\200\000\000\052\060";
#define LOCAL_SOA_TTL_S 10800

/* What padded answers are a multiple of (RFC 8467 4.1). */
#define PADDING_BLOCK 468

/* Flags of a query that its answer repeats: the opcode, RD (RFC 1035 4.1.1) and CD (RFC 4035
 * 3.1.6). */
#define FLAGS_KEPT (0x7800 | FLAG_RD | FLAG_CD)

static size_t answer_limit(const struct answer_shape *shape, size_t cap)
{
	size_t limit = EDNS_UDP_SIZE_MIN;

	if (shape->stream)
		return cap;
	if (shape->edns && shape->udp_size > limit)
		limit = shape->udp_size < EDNS_UDP_SIZE ? shape->udp_size : EDNS_UDP_SIZE;
	return limit < cap ? limit : cap;
}

static void answer_begin(struct writer *writer, const struct answer_shape *shape, uint8_t *out,
			 size_t cap)
{
	writer_init(writer, out, answer_limit(shape, cap), shape->id,
		    (uint16_t)(FLAG_QR | FLAG_RA | (shape->flags & FLAGS_KEPT)));
	if (shape->question_len)
		writer_question_raw(writer, shape->question, shape->question_len);
}

static struct writer_opt answer_opt(const struct answer_shape *shape, int ede, const char *ede_text,
				    const char *nsid)
{
	struct writer_opt opt = {
		.udp_size = EDNS_UDP_SIZE,
		.do_bit = shape->do_bit,
		.ede = ede,
		.ede_text = ede_text,
		.nsid = shape->nsid && nsid && *nsid ? nsid : NULL,
		.keepalive = shape->keepalive,
		.idle_ds = shape->idle_ds,
		.pad_block = shape->padding ? PADDING_BLOCK : 0,
	};

	/* Beside the longest question the longest identity is too much for 512 octets. */
	if (opt.nsid && DNS_HEADER_LEN + shape->question_len + writer_opt_len(&opt) >
				answer_limit(shape, UINT16_MAX))
		opt.nsid = NULL;
	return opt;
}

size_t answer_error(const struct answer_shape *shape, unsigned rcode, int ede, const char *ede_text,
		    const char *nsid, uint8_t *out, size_t cap)
{
	struct writer_opt opt = answer_opt(shape, ede, ede_text, nsid);
	struct writer writer;

	answer_begin(&writer, shape, out, cap);
	writer_set_rcode(&writer, rcode & 15);
	if (shape->edns) {
		opt.rcode_high = (uint8_t)(rcode >> 4);
		writer_opt(&writer, &opt);
	}
	return writer_finish(&writer);
}

size_t answer_chaos(const struct answer_shape *shape, const char *text, uint8_t *out, size_t cap)
{
	struct writer_opt opt = answer_opt(shape, EDE_NONE, NULL, NULL);
	uint8_t rdata[256];
	struct writer writer;
	size_t len;

	if (!text || !*text)
		return answer_error(shape, RCODE_REFUSED, EDE_NONE, NULL, NULL, out, cap);
	len = strlen(text);
	if (len > sizeof(rdata) - 1)
		len = sizeof(rdata) - 1;
	rdata[0] = (uint8_t)len;
	memcpy(rdata + 1, text, len);
	answer_begin(&writer, shape, out, cap);
	writer_set_flags(&writer, FLAG_AA, 0);
	writer_record_class(&writer, SECTION_ANSWER, shape->question, TYPE_TXT, CLASS_CH, 0, rdata,
			    len + 1);
	if (shape->edns)
		writer_opt(&writer, &opt);
	return writer_finish(&writer);
}

static void put_records(struct writer *writer, const uint8_t *owner, const struct node_rrset *rrset)
{
	struct node_record record;
	size_t at = 0;

	while (node_record_next(rrset, &at, &record))
		writer_record(writer, SECTION_ANSWER, owner, rrset->type, rrset->ttl, record.rdata,
			      record.rdata_len);
}

/* Apart, for its room on the stack: most records' data stand in the reply as they go out. */
__attribute__((noinline)) static void
put_expanded_record(struct writer *writer, const struct reply *reply, const struct message *message,
		    const struct message_record *record, enum message_section section,
		    const uint8_t *owner)
{
	uint8_t rdata[RDATA_MAX];
	size_t len;

	if (message_rdata(message, record, rdata, sizeof(rdata), &len) < 0) {
		/* cannot be: it was written by us. An empty TC is safer than a hole. */
		writer->full = true;
		return;
	}
	writer_record(writer, section, owner, record->type, reply_ttl(reply, record->ttl), rdata,
		      len);
}

/* One record of a reply, its TTL aged and capped. */
static void put_reply_record(struct writer *writer, const struct reply *reply,
			     const struct message *message, const struct message_record *record,
			     enum message_section section, const uint8_t *owner)
{
	const uint8_t *rdata = message_rdata_as_is(message, record);

	if (rdata)
		writer_record(writer, section, owner, record->type, reply_ttl(reply, record->ttl),
			      rdata, record->rdata_len);
	else
		put_expanded_record(writer, reply, message, record, section, owner);
}

/* The type that an RRSIG covers: its first field (RFC 4034 3.1.1). */
static uint16_t rrsig_covers(const struct message *message, const struct message_record *record)
{
	struct cursor cursor = message->cursor;

	cursor_seek(&cursor, record->rdata_at);
	return cursor_u16(&cursor);
}

/* Is the DNAME's owner an ancestor of the name? */
static bool dname_is_above(const struct message *message, const struct message_record *record,
			   const uint8_t *name)
{
	for (; *name; name += *name + 1)
		if (message_owner_is(message, record, name + *name + 1))
			return true;
	return false;
}

/* Of a plain reply to the client's question: its records, of which only the TTLs are other ones. */
static bool put_plain(struct writer *writer, const struct plan_item *item, const uint8_t *name,
		      const struct reply *reply)
{
	size_t name_len = name_wire_len(name), end = DNS_HEADER_LEN + name_len + 4;
	struct plain plain;
	uint8_t *ttl;
	unsigned n;

	/* Our own replies begin with the question, whole; under the root there are no pointers. */
	if (writer->count[SECTION_ANSWER] > 0 || name_len == 1 || reply->len < end ||
	    (memcmp(reply->data + DNS_HEADER_LEN, name, name_len) != 0 &&
	     !name_wire_equal(reply->data + DNS_HEADER_LEN, name)) ||
	    octets_load_u16(reply->data + end - 4) != item->type ||
	    !plain_read(reply->data, reply->len, end, item->type, &plain))
		return false;
	ttl = writer->data + writer->len + PLAIN_TTL_AT;
	writer_answers_raw(writer, plain.records, plain.records_len, plain.count);
	for (n = 0; n < plain.count && !writer->full; n++) {
		octets_store_u32(ttl, reply_ttl(reply, octets_load_u32(ttl)));
		ttl += plain.records_len / plain.count;
	}
	return true;
}

/* Does the record belong to the RRset that the item stands for? */
static bool reply_record_fits(const struct message *message, const struct message_record *record,
			      const struct plan_item *item, const uint8_t *owner, bool do_bit)
{
	uint16_t type = record->type;

	if (type == TYPE_RRSIG && item->type != TYPE_RRSIG) {
		if (!do_bit)
			return false;
		type = rrsig_covers(message, record);
	}
	if (type == TYPE_DNAME && item->type == TYPE_CNAME)
		return do_bit && !item->no_dname && dname_is_above(message, record, owner);
	return type == item->type && message_owner_is(message, record, owner);
}

static void put_reply(struct writer *writer, const struct plan_item *item, const uint8_t *name,
		      const struct reply *reply, bool do_bit)
{
	uint8_t owner[NAME_WIRE_MAX];
	struct message_record record;
	struct message message;
	bool above;

	if (item->name == 0 && put_plain(writer, item, name, reply))
		return;
	if (message_open(&message, reply->data, reply->len, NULL, NULL, NULL) < 0)
		return;
	while (message_next(&message, &record) == 1) {
		if (record.section != SECTION_ANSWER)
			break;
		if (!reply_record_fits(&message, &record, item, name, do_bit))
			continue;
		/* A DNAME and its signatures stand above the name; all others are its own. */
		above = record.type == TYPE_DNAME || record.type == TYPE_RRSIG;
		if (above && !message_owner(&message, &record, owner))
			return;
		put_reply_record(writer, reply, &message, &record, SECTION_ANSWER,
				 above ? owner : name);
	}
}

/*
 * Does the reply deny the end of its chain? Then *ret_zone is the owner of the SOA that it says so
 * with, of length 0 where it has none.
 */
static bool reply_denies(const struct reply *reply, struct message *message,
			 uint8_t ret_zone[NAME_WIRE_MAX], size_t *ret_zone_len)
{
	struct message_record record;

	*ret_zone_len = 0;
	while (*ret_zone_len == 0 && message_next(message, &record) == 1)
		if (record.section == SECTION_AUTHORITY && record.type == TYPE_SOA)
			*ret_zone_len = message_owner(message, &record, ret_zone);
	message_rewind(message);
	return *ret_zone_len > 0 || reply->rcode != RCODE_NOERROR;
}

/*
 * The authority section of a reply. Where its chain goes on elsewhere, what it says of the chain's
 * end must not be told, but the proofs of wildcards on the way there must: where the end is denied
 * these are the records of other zones than the one that denies.
 */
static void put_proof(struct writer *writer, const struct plan_item *item,
		      const struct reply *reply, bool do_bit)
{
	uint8_t owner[NAME_WIRE_MAX], zone[NAME_WIRE_MAX];
	struct message_record record;
	struct message message;
	bool links = item->proof == PROOF_LINKS, denies = false;
	size_t zone_len = 0;

	/* Most have nothing there. */
	if (octets_load_u16(reply->data + 8) == 0 ||
	    message_open(&message, reply->data, reply->len, NULL, NULL, NULL) < 0)
		return;
	if (links && do_bit)
		denies = reply_denies(reply, &message, zone, &zone_len);
	if (links && (!do_bit || (denies && zone_len == 0)))
		return;
	while (message_next(&message, &record) == 1) {
		if (record.section != SECTION_AUTHORITY)
			continue;
		if (record.type != TYPE_SOA && (!do_bit || item->proof == PROOF_SOA))
			continue;
		if (!message_owner(&message, &record, owner))
			return;
		if (!denies || !name_wire_ends_with(owner, zone))
			put_reply_record(writer, reply, &message, &record, SECTION_AUTHORITY,
					 owner);
	}
}

static const uint8_t *strip_labels(const uint8_t *name, unsigned labels)
{
	while (labels-- > 0)
		name += *name + 1;
	return name;
}

static void put_local_soa(struct writer *writer, const uint8_t *zone)
{
	uint8_t rdata[NAME_WIRE_MAX + sizeof(local_soa_tail)];
	size_t len = name_wire_len(zone);

	memcpy(rdata, zone, len);
	memcpy(rdata + len, local_soa_tail, sizeof(local_soa_tail) - 1);
	writer_record(writer, SECTION_AUTHORITY, zone, TYPE_SOA, LOCAL_SOA_TTL_S, rdata,
		      len + sizeof(local_soa_tail) - 1);
}

static void put_item(struct writer *writer, const struct plan *plan, const struct plan_item *item,
		     const struct step_replies *replies, bool do_bit)
{
	const uint8_t *name = plan->name[item->name];
	const uint8_t *next = plan->name[item->name + 1];

	switch (item->kind) {
	case PLAN_RECORDS:
		put_records(writer, name, &item->rrset);
		break;
	case PLAN_ALIAS:
		writer_record(writer, SECTION_ANSWER, name, TYPE_CNAME, item->ttl, next,
			      plan->name_len[item->name + 1]);
		break;
	case PLAN_LITERAL:
		if (item->rdata)
			writer_record(writer, SECTION_ANSWER, name, item->type, item->ttl,
				      item->rdata, item->rdata_len);
		else
			writer_record(writer, SECTION_ANSWER, name, item->type, item->ttl, next,
				      plan->name_len[item->name + 1]);
		break;
	case PLAN_REPLY:
		put_reply(writer, item, name, &replies->item[item->reply], do_bit);
		break;
	case PLAN_APEX:
		writer_record(writer, SECTION_ANSWER, name, TYPE_SOA, AZURE_SOA_TTL_S, azure_soa,
			      sizeof(azure_soa));
		break;
	case PLAN_PROOF:
		put_proof(writer, item, &replies->item[item->reply], do_bit);
		break;
	case PLAN_SOA:
		writer_record(writer, SECTION_AUTHORITY, strip_labels(name, item->strip), TYPE_SOA,
			      AZURE_SOA_TTL_S, azure_soa, sizeof(azure_soa));
		break;
	case PLAN_LOCAL_SOA:
		put_local_soa(writer, strip_labels(name, item->strip));
		break;
	}
}

/* The answer section's, then the authority section's. */
static void put_items(struct writer *writer, const struct plan *plan,
		      const struct step_replies *replies, bool do_bit)
{
	unsigned i;

	for (i = 0; i < plan->count && !writer->full; i++)
		if (plan->item[i].kind < PLAN_PROOF)
			put_item(writer, plan, &plan->item[i], replies, do_bit);
	for (i = 0; i < plan->count && !writer->full; i++)
		if (plan->item[i].kind >= PLAN_PROOF)
			put_item(writer, plan, &plan->item[i], replies, do_bit);
}

/* A reply as it stands, its TTLs aged and capped. */
static void put_whole(struct writer *writer, const struct reply *reply)
{
	size_t from = writer->len, place;
	unsigned i;

	writer_records_raw(writer, reply->data, reply->len);
	if (writer->full)
		return;
	for (i = 0; i < reply->ttls; i++) {
		place = reply_ttl_place(reply, i);
		assert(place >= from && place + 4 <= writer->len);
		octets_store_u32(writer->data + place,
				 reply_ttl(reply, octets_load_u32(reply->data + place)));
	}
}

size_t answer_plan(const struct answer_shape *shape, const struct plan *plan,
		   const struct step_replies *replies, const char *nsid, uint8_t *out, size_t cap,
		   bool *ret_truncated)
{
	struct writer_opt opt = answer_opt(shape, plan->ede, plan->ede_text, nsid);
	struct writer writer;
	struct writer_mark empty;
	int opt_len = 0;

	opt.ede_more = plan->ede_more;
	if (shape->edns)
		opt_len = (int)writer_opt_len(&opt);
	answer_begin(&writer, shape, out, cap);
	writer_set_rcode(&writer, plan->rcode);
	if (plan->aa)
		writer_set_flags(&writer, FLAG_AA, 0);
	if (plan->ad && (shape->do_bit || (shape->flags & FLAG_AD))) /* RFC 6840 5.8 */
		writer_set_flags(&writer, FLAG_AD, 0);
	empty = writer_mark(&writer);
	writer_reserve(&writer, opt_len);
	if (plan->whole)
		put_whole(&writer, &replies->item[0]);
	else if (!template_put(&writer, plan))
		put_items(&writer, plan, replies, shape->do_bit);
	*ret_truncated = writer.full;
	if (writer.full) {
		writer_rollback(&writer, &empty);
		writer_set_flags(&writer, FLAG_TC, 0);
	}
	writer_reserve(&writer, -opt_len);
	if (shape->edns)
		writer_opt(&writer, &opt);
	return writer_finish(&writer);
}
