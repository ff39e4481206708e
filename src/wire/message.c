/* SPDX-License-Identifier: MIT */
/*
 * Two readers. message_read_query takes a client's query in one go and says what is wrong with it;
 * it is on the hot path, so it touches nothing it need not: no field of the big name is cleared,
 * and a query without further records ends after its question. message_open and message_next walk
 * a reply without copying; only the names and data that somebody asks for are followed.
 *
 * What a walk checks is that every record lies within the message. Owners are stepped over by
 * their labels or their pointer; whether a pointer leads somewhere shows when the name is read, and
 * whoever wants a name reads it. So a walk is linear in the message's length whatever is in it.
 *
 * A query with octets behind its last record is FORMERR, as in Knot DNS. Others take it (Unbound
 * and NSD as built by default look no further than the OPT), but no client means anything by it,
 * and such octets are how something is carried past a filter. In a reply they are left alone:
 * everything that was counted was there.
 *
 * Two OPTs, an OPT outside the additional section or with an owner other than the root: FORMERR
 * (RFC 6891 6.1.1, 6.1.2).
 *
 * Pure; any thread.
 */
#include "wire/message.h"

#include <assert.h>
#include <string.h>

#include "wire/octets.h"

/* Of a record, between owner and data: type, class, TTL, length. */
#define RECORD_FIELDS_LEN 10

/* Steps over a name without following it. */
static inline void skip_name(struct cursor *c)
{
	unsigned n, len = 0;

	do {
		n = cursor_u8(c);
		if (n >= 0xc0) {
			cursor_skip(c, 1);
			return;
		}
		cursor_skip(c, n);
		len += n + 1;
		if (n > NAME_LABEL_MAX || len > NAME_WIRE_MAX)
			c->bad = true;
	} while (n > 0 && !c->bad);
}

/* The fields of a record at the cursor, which moves behind it. */
static inline int read_record(struct cursor *c, struct message_record *ret)
{
	const uint8_t *fields;

	ret->owner_at = c->at;
	skip_name(c);
	fields = cursor_bytes(c, RECORD_FIELDS_LEN);
	if (!fields)
		return -1;
	ret->type = octets_load_u16(fields);
	ret->class = octets_load_u16(fields + 2);
	ret->ttl_at = c->at - 6;
	ret->ttl = octets_load_u32(fields + 4);
	ret->rdata_len = octets_load_u16(fields + 8);
	ret->rdata_at = c->at;
	cursor_skip(c, ret->rdata_len);
	return c->bad ? -1 : 0;
}

/* The OPT of a query. Its record lies within the message. */
static int read_opt(struct edns *edns, const struct cursor *c, const struct message_record *record,
		    bool additional)
{
	if (edns->present || !additional || c->data[record->owner_at] != 0)
		return -1;
	return edns_read(edns, record->class, record->ttl,
			 cursor_over(c->data + record->rdata_at, record->rdata_len));
}

/* Is all that is left an OPT without options? Most queries end so. */
static bool read_plain_opt(struct edns *ret, const struct cursor *c)
{
	struct cursor rest = *c;
	const uint8_t *p = cursor_bytes(&rest, 1 + RECORD_FIELDS_LEN);

	if (!p || cursor_left(&rest) > 0 || p[0] != 0 || octets_load_u16(p + 1) != TYPE_OPT ||
	    octets_load_u16(p + 9) != 0)
		return false;
	edns_read_fields(ret, octets_load_u16(p + 3), octets_load_u32(p + 5));
	return true;
}

/* The records behind a query's question: all must be well formed, the OPT is taken. */
static enum message_verdict read_query_records(struct message_query *ret, struct cursor *c,
					       uint32_t others, uint32_t additional)
{
	struct message_record record;
	struct edns edns = { .ede = EDE_NONE };
	uint32_t i;

	if (others == 0 && additional == 1 && read_plain_opt(&ret->edns, c))
		return ret->edns.version > 0 ? MESSAGE_BADVERS : MESSAGE_OK;

	for (i = 0; i < others + additional; i++) {
		if (read_record(c, &record) < 0)
			return MESSAGE_FORMERR;
		if (record.type == TYPE_OPT && read_opt(&edns, c, &record, i >= others) < 0)
			return MESSAGE_FORMERR;
	}
	if (cursor_left(c) > 0)
		return MESSAGE_FORMERR;
	ret->edns = edns;
	return edns.version > 0 ? MESSAGE_BADVERS : MESSAGE_OK;
}

enum message_verdict message_read_query(struct message_query *ret, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_over(data, len);
	const uint8_t *header = cursor_bytes(&c, DNS_HEADER_LEN);
	const uint8_t *type_and_class;
	uint32_t others, additional;
	bool other_opcode;

	if (!header)
		return MESSAGE_DROP;
	ret->id = octets_load_u16(header);
	ret->flags = octets_load_u16(header + 2);
	others = (uint32_t)octets_load_u16(header + 6) + octets_load_u16(header + 8);
	additional = octets_load_u16(header + 10);
	if (ret->flags & FLAG_QR)
		return MESSAGE_DROP;
	ret->has_question = false;
	ret->edns.present = false;
	ret->edns.version = 0;
	ret->edns.rcode_high = 0;
	ret->edns.udp_size = EDNS_UDP_SIZE_MIN;
	ret->edns.do_bit = false;
	ret->edns.nsid = false;
	ret->edns.ede = EDE_NONE;
	/* UPDATE and NOTIFY have something of the same shape where the question is; echo it. */
	other_opcode = (ret->flags >> 11 & 0xf) != OPCODE_QUERY;
	if (octets_load_u16(header + 4) != 1)
		return other_opcode ? MESSAGE_NOTIMP : MESSAGE_FORMERR;
	name_read(&ret->name, &c);
	type_and_class = cursor_bytes(&c, 4);
	if (type_and_class) {
		ret->type = octets_load_u16(type_and_class);
		ret->class = octets_load_u16(type_and_class + 2);
		ret->has_question = true;
	}
	ret->question_len = c.at - DNS_HEADER_LEN;
	if (other_opcode)
		return MESSAGE_NOTIMP;
	if (c.bad)
		return MESSAGE_FORMERR;
	if (others + additional == 0)
		return cursor_left(&c) > 0 ? MESSAGE_FORMERR : MESSAGE_OK;
	return read_query_records(ret, &c, others, additional);
}

/* Steps over the question's name. No pointer can lead to before it. */
static void skip_question_name(struct cursor *c)
{
	unsigned n, len = 0;

	do {
		n = cursor_u8(c);
		cursor_skip(c, n);
		len += n + 1;
		if (n > NAME_LABEL_MAX || len > NAME_WIRE_MAX)
			c->bad = true;
	} while (n > 0 && !c->bad);
}

int message_open(struct message *ret, const uint8_t *data, size_t len, struct name *name,
		 uint16_t *ret_type, uint16_t *ret_class)
{
	struct cursor c = cursor_over(data, len);
	const uint8_t *header = cursor_bytes(&c, DNS_HEADER_LEN), *type_and_class;
	unsigned i;

	if (name)
		name_read(name, &c);
	else
		skip_question_name(&c);
	type_and_class = cursor_bytes(&c, 4);
	if (!type_and_class || octets_load_u16(header + 4) != 1)
		return -1;
	ret->id = octets_load_u16(header);
	ret->flags = octets_load_u16(header + 2);
	for (i = 0; i < 4; i++)
		ret->count[i] = octets_load_u16(header + 4 + 2 * i);
	ret->cursor = c;
	ret->records_at = c.at;
	message_rewind(ret);
	if (ret_type)
		*ret_type = octets_load_u16(type_and_class);
	if (ret_class)
		*ret_class = octets_load_u16(type_and_class + 2);
	return 0;
}

void message_rewind(struct message *message)
{
	message->cursor.bad = false;
	message->cursor.at = message->records_at;
	message->section = SECTION_ANSWER;
	message->left = message->count[SECTION_ANSWER];
}

int message_next(struct message *message, struct message_record *ret)
{
	struct message_record record;

	if (message->cursor.bad)
		return -1;
	while (message->left == 0) {
		if (message->section == SECTION_ADDITIONAL)
			return 0;
		message->left = message->count[++message->section];
	}
	message->left--;
	record.section = (enum message_section)message->section;
	if (read_record(&message->cursor, &record) < 0)
		return -1;
	if (record.ttl > INT32_MAX && record.type != TYPE_OPT)
		record.ttl = 0;
	*ret = record;
	return 1;
}

bool message_owner_is(const struct message *message, const struct message_record *record,
		      const uint8_t *wire)
{
	return name_read_matches(&message->cursor, record->owner_at, wire);
}

size_t message_owner(const struct message *message, const struct message_record *record,
		     uint8_t out[NAME_WIRE_MAX])
{
	struct cursor c = cursor_over(message->cursor.data, message->cursor.len);

	cursor_seek(&c, record->owner_at);
	return name_read_wire(out, &c);
}

/*
 * Where names are within the data of a type: each letter is a part. n a name, 2 or 4 octets, s a
 * character string, * the rest. Those of RFC 1035 3.3 and RFC 3597 4; in no other type may a name
 * be compressed (RFC 3597 4).
 */
static const char *rdata_shape(uint16_t type)
{
	switch (type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_DNAME:
	case 3: /* MD */
	case 4: /* MF */
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
		return "n";
	case 14: /* MINFO */
	case 17: /* RP */
		return "nn";
	case TYPE_SOA:
		return "nn44444";
	case TYPE_MX:
	case 18: /* AFSDB */
	case 21: /* RT */
	case 36: /* KX */
		return "2n";
	case 26: /* PX */
		return "2nn";
	case TYPE_SRV:
		return "222n";
	case 35: /* NAPTR */
		return "22sssn";
	case 30: /* NXT */
		return "n*";
	case 24: /* SIG */
		return "44442n*";
	default:
		return "*";
	}
}

static int expand_rdata(struct cursor *c, const char *shape, uint8_t *out, size_t cap,
			size_t *ret_len)
{
	uint8_t name[NAME_WIRE_MAX];
	const uint8_t *from;
	size_t len = 0, n;

	for (; *shape; shape++) {
		if (*shape == 'n') {
			n = name_read_wire(name, c);
			from = name;
		} else {
			if (*shape == '*')
				n = cursor_left(c);
			else if (*shape == 's')
				n = cursor_left(c) ? c->data[c->at] + 1u : 1;
			else
				n = (size_t)(*shape - '0');
			from = cursor_bytes(c, n);
		}
		if (c->bad || cap - len < n)
			return -1;
		if (n > 0)
			memcpy(out + len, from, n);
		len += n;
	}
	if (cursor_left(c) > 0)
		return -1;
	*ret_len = len;
	return 0;
}

static bool has_wrong_len(const struct message_record *record)
{
	return (record->type == TYPE_A && record->rdata_len != 4) ||
	       (record->type == TYPE_AAAA && record->rdata_len != 16);
}

const uint8_t *message_rdata_as_is(const struct message *message,
				   const struct message_record *record)
{
	if (has_wrong_len(record) || *rdata_shape(record->type) != '*')
		return NULL;
	return message->cursor.data + record->rdata_at;
}

int message_rdata(const struct message *message, const struct message_record *record, uint8_t *out,
		  size_t cap, size_t *ret_len)
{
	/* Ends where the data ends: pointers lead backwards only, so nothing behind is needed. */
	struct cursor c = cursor_over(message->cursor.data, record->rdata_at + record->rdata_len);

	assert(c.len <= message->cursor.len);
	if (has_wrong_len(record))
		return -1;
	cursor_seek(&c, record->rdata_at);
	return expand_rdata(&c, rdata_shape(record->type), out, cap, ret_len);
}
