/* SPDX-License-Identifier: MIT */
/*
 * Any octets as a reply: its chain is walked from the question as the server would, and all of it
 * is written out again and must then say the same.
 *
 * Checked: every walk ends (links are counted); targets are well-formed names; a target of a DNAME
 * ends in what the DNAME says. The rewritten message must parse, with equal owners, types, TTLs and
 * data, must not be longer than the names and data written out in full, and the chain in it must
 * lead to the same place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "wire/chain.h"
#include "wire/owners.h"
#include "wire/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As the server follows them at most. */
#define LINKS_MAX 16
/* Records written again at most, and room for one's data. */
#define RECORDS_MAX 100
#define RDATA_MAX 4096

struct walk {
	enum chain_link last;
	unsigned links;
	uint8_t name[NAME_WIRE_MAX];
	uint32_t ttl;
};

/* The same whether the owners were hashed before or not. */
static enum chain_link next(struct message *message, const uint8_t *owner, uint16_t type,
			    struct chain_hop *hop)
{
	enum chain_link plain = chain_next(message, NULL, owner, type, hop), hashed;
	static struct owners owners;
	struct chain_hop other;

	if (owners_read(&owners, message) < 0)
		return plain;
	hashed = chain_next(message, &owners, owner, type, &other);
	MUST(hashed == plain);
	if (plain == CHAIN_DATA || plain == CHAIN_ALIAS)
		MUST(other.type == hop->type && other.ttl == hop->ttl);
	if (plain == CHAIN_ALIAS)
		MUST(other.from_dname == hop->from_dname &&
		     name_wire_equal(other.target, hop->target));
	return plain;
}

static void walk(struct walk *ret, struct message *message, const struct name *name, uint16_t type)
{
	struct chain_hop hop;
	struct name target;

	ret->ttl = 0;
	memcpy(ret->name, name->wire, name->len);
	for (ret->links = 0; ret->links < LINKS_MAX; ret->links++) {
		ret->last = next(message, ret->name, type, &hop);
		if (ret->last == CHAIN_DATA)
			ret->ttl = hop.ttl;
		if (ret->last != CHAIN_ALIAS)
			return;
		MUST(name_from_wire(&target, hop.target, sizeof(hop.target)) == 0);
		if (hop.from_dname) {
			struct name owner, dname;

			MUST(name_from_wire(&owner, ret->name, sizeof(ret->name)) == 0);
			MUST(name_from_wire(&dname, hop.dname_owner, sizeof(hop.dname_owner)) == 0);
			MUST(dname.labels < owner.labels && name_ends_with(&owner, &dname));
		}
		memcpy(ret->name, target.wire, target.len);
	}
}

static bool has_class_in(struct message *message)
{
	struct message_record record;

	message_rewind(message);
	while (message_next(message, &record) > 0) {
		if (record.class != CLASS_IN)
			return false;
	}
	return true;
}

/* Writes what `message` holds; 0 if part of it is malformed or it does not fit. */
static size_t rewrite(struct message *message, const struct name *name, uint16_t type,
		      uint16_t class, uint8_t *out, size_t cap)
{
	uint8_t owner[NAME_WIRE_MAX], rdata[RDATA_MAX];
	struct message_record record;
	size_t len, owner_len, full = DNS_HEADER_LEN + name->len + 4u;
	struct writer writer;
	unsigned n = 0;
	int got;

	writer_init(&writer, out, cap, message->id, message->flags);
	writer_question(&writer, name->wire, type, class);
	message_rewind(message);
	while ((got = message_next(message, &record)) > 0) {
		owner_len = message_owner(message, &record, owner);
		if (n++ == RECORDS_MAX || !owner_len ||
		    message_rdata(message, &record, rdata, sizeof(rdata), &len) < 0)
			return 0;
		writer_record(&writer, record.section, owner, record.type, record.ttl, rdata, len);
		full += owner_len + 10 + len;
		if (writer.full)
			return 0;
		MUST(writer.len <= full);
	}
	return got < 0 ? 0 : writer_finish(&writer);
}

static void compare(struct message *a, struct message *b)
{
	uint8_t owner[NAME_WIRE_MAX], rdata_a[RDATA_MAX], rdata_b[RDATA_MAX];
	struct message_record ra, rb;
	size_t len_a, len_b;

	message_rewind(a);
	message_rewind(b);
	while (message_next(a, &ra) > 0) {
		MUST(message_next(b, &rb) == 1);
		MUST(ra.section == rb.section && ra.type == rb.type && ra.ttl == rb.ttl);
		MUST(message_owner(a, &ra, owner) > 0 && message_owner_is(b, &rb, owner));
		MUST(message_rdata(a, &ra, rdata_a, RDATA_MAX, &len_a) == 0);
		MUST(message_rdata(b, &rb, rdata_b, RDATA_MAX, &len_b) == 0);
		/* Compression may change the case of a name in the data, never its length. */
		MUST(len_a == len_b);
	}
	MUST(message_next(b, &rb) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t out[65535];
	struct message message, again;
	struct walk before, after;
	struct name name, same;
	uint16_t type, class;
	size_t out_len;

	if (message_open(&message, data, len, &name, &type, &class) < 0)
		return 0;
	walk(&before, &message, &name, type);
	out_len = rewrite(&message, &name, type, class, out, sizeof(out));
	if (!out_len)
		return 0;
	MUST(message_open(&again, out, out_len, &same, NULL, NULL) == 0);
	MUST(name_equal(&name, &same));
	compare(&message, &again);
	if (!has_class_in(&message))
		return 0; /* the writer made IN of all */
	walk(&after, &again, &name, type);
	MUST(before.last == after.last && before.links == after.links);
	if (before.last != CHAIN_BAD)
		MUST(name_wire_equal(before.name, after.name) && before.ttl == after.ttl);
	return 0;
}
