/* SPDX-License-Identifier: MIT */
/*
 * Upstreams send chains in any order, with records that belong to nothing beside them. So a reply
 * is never read as a sequence: each link is looked up anew by its owner, and a record that hangs
 * on no name asked for is as if it were not there. That costs one walk a link, of at most 16.
 *
 * One walk collects what may matter for the owner: its CNAME, a DNAME above it, data of the type.
 * Which of them counts is decided at the end, so the order of the records never does:
 *   a CNAME (unless CNAME or ANY was asked), else, where CNAME or ANY was asked, data, else a
 *   DNAME, else data.
 * Data that a DNAME stands above is occluded (RFC 6672 2.4) and not believed, but the CNAME of the
 * owner is what servers make from that DNAME (RFC 6672 3.1), so for type CNAME it is the answer.
 *
 * Of several CNAMEs at one name, which RFC 2181 10.1 forbids, the first is taken. Of several DNAMEs
 * above a name the highest: what lies below a DNAME is occluded, other DNAMEs too. For ANY the
 * first type found that is not a signature, else RRSIG.
 *
 * Records of classes other than IN are passed over. Pure; any thread.
 */
#include "wire/chain.h"

#include <string.h>

#include "wire/owners.h"

/* What one walk found. */
struct found {
	struct message_record cname, dname;
	bool has_cname, has_dname, has_data;
	uint8_t dname_owner[NAME_WIRE_MAX];
	size_t dname_owner_len;
	unsigned dname_labels; /* of that, where owners are known */
	uint16_t type;
	uint32_t ttl; /* lowest of the data */
};

/* True: it is the one that counts, so far. */
static bool note_dname(struct found *found, const struct message *message,
		       const struct message_record *record, const uint8_t *owner, size_t owner_len)
{
	uint8_t name[NAME_WIRE_MAX];
	size_t len = message_owner(message, record, name);

	/* Above the owner, not at it (RFC 6672 2.3). */
	if (!len || len >= owner_len || !name_wire_ends_with(owner, name))
		return false;
	if (found->has_dname && found->dname_owner_len <= len)
		return false;
	found->has_dname = true;
	found->dname = *record;
	found->dname_owner_len = len;
	memcpy(found->dname_owner, name, len);
	return true;
}

static void note_data(struct found *found, const struct message_record *record, uint16_t type)
{
	if (type != TYPE_ANY && record->type != type)
		return;
	/* For ANY: the first type, but any other than RRSIG rather than that. */
	if (!found->has_data || (found->type == TYPE_RRSIG && record->type != TYPE_RRSIG)) {
		found->has_data = true;
		found->type = record->type;
		found->ttl = record->ttl;
	} else if (record->type == found->type && record->ttl < found->ttl) {
		found->ttl = record->ttl;
	}
}

/* What a record is to the name: no more is read of those that are nothing to it. */
struct filter {
	const struct owners *owners; /* NULL: any record may be anything */
	struct name name;            /* only with owners */
};

static bool may_be_its(const struct filter *filter, unsigned n)
{
	return !filter->owners || owners_may_be(filter->owners, n, &filter->name);
}

/* Above the name, and above the DNAME that was found before. */
static bool may_be_above(const struct filter *filter, unsigned n, const struct found *found)
{
	if (!filter->owners)
		return true;
	return owners_may_be_above(filter->owners, n, &filter->name) &&
	       (!found->has_dname || filter->owners->labels[n] < found->dname_labels);
}

/* Walks the answer section. -1 if malformed. */
static int find(struct found *found, struct message *message, const struct filter *filter,
		const uint8_t *owner, uint16_t type)
{
	struct message_record record;
	size_t owner_len = name_wire_len(owner);
	unsigned n;
	int got;

	message_rewind(message);
	for (n = 0; (got = message_next(message, &record)) > 0 && record.section == SECTION_ANSWER;
	     n++) {
		if (record.class != CLASS_IN)
			continue;
		if (record.type == TYPE_DNAME && may_be_above(filter, n, found) &&
		    note_dname(found, message, &record, owner, owner_len) && filter->owners)
			found->dname_labels = filter->owners->labels[n];
		if (!may_be_its(filter, n) || !message_owner_is(message, &record, owner))
			continue;
		if (record.type == TYPE_CNAME && !found->has_cname) {
			found->has_cname = true;
			found->cname = record;
		}
		note_data(found, &record, type);
	}
	return got < 0 ? -1 : 0;
}

/* The owner with the DNAME's owner replaced by its target (RFC 6672 2.2). */
static int substitute(uint8_t target[NAME_WIRE_MAX], const uint8_t *owner,
		      const struct found *found, const uint8_t *dname_target,
		      size_t dname_target_len)
{
	size_t kept = name_wire_len(owner) - found->dname_owner_len;

	if (kept + dname_target_len > NAME_WIRE_MAX)
		return -1;
	memcpy(target, owner, kept);
	memcpy(target + kept, dname_target, dname_target_len);
	return 0;
}

/*
 * The TTL of an owner's CNAME. One that a DNAME made is as good as that is (RFC 6672 3.1), even
 * where it comes with a TTL of 0, as Unbound and servers of RFC 2672 send it: taken literally,
 * nothing below a DNAME could ever be cached.
 */
static uint32_t cname_ttl(const struct message *message, const uint8_t *owner,
			  const struct found *found, const uint8_t *target)
{
	uint8_t dname_target[NAME_WIRE_MAX], made[NAME_WIRE_MAX];
	size_t len;

	if (found->cname.ttl > 0 || !found->has_dname ||
	    message_rdata(message, &found->dname, dname_target, sizeof(dname_target), &len) < 0 ||
	    substitute(made, owner, found, dname_target, len) < 0 || !name_wire_equal(made, target))
		return found->cname.ttl;
	return found->dname.ttl;
}

static enum chain_link follow_alias(const struct message *message, const uint8_t *owner,
				    const struct found *found, bool by_cname, struct chain_hop *ret)
{
	const struct message_record *record = by_cname ? &found->cname : &found->dname;
	uint8_t name[NAME_WIRE_MAX];
	size_t len;

	if (message_rdata(message, record, name, sizeof(name), &len) < 0)
		return CHAIN_BAD;
	if (by_cname)
		memcpy(ret->target, name, len);
	else if (substitute(ret->target, owner, found, name, len) < 0)
		return CHAIN_BAD;
	ret->type = record->type;
	ret->ttl = by_cname ? cname_ttl(message, owner, found, ret->target) : record->ttl;
	ret->from_dname = found->has_dname;
	if (found->has_dname)
		memcpy(ret->dname_owner, found->dname_owner, found->dname_owner_len);
	return CHAIN_ALIAS;
}

enum chain_link chain_next(struct message *message, const struct owners *owners,
			   const uint8_t *owner, uint16_t type, struct chain_hop *ret)
{
	struct filter filter;
	bool aliases_are_data = type == TYPE_CNAME || type == TYPE_ANY;
	struct found found;

	/* Not cleared whole: its names are large, and this runs for every link. */
	found.has_cname = found.has_dname = found.has_data = false;
	found.dname_owner_len = 0;
	found.type = 0;
	found.ttl = 0;
	filter.owners = owners;
	if (owners && name_from_wire(&filter.name, owner, NAME_WIRE_MAX) < 0)
		return CHAIN_BAD;
	if (find(&found, message, &filter, owner, type) < 0)
		return CHAIN_BAD;
	message_rewind(message);
	if (found.has_cname && !aliases_are_data)
		return follow_alias(message, owner, &found, true, ret);
	if (found.has_dname && !(aliases_are_data && found.has_data))
		return follow_alias(message, owner, &found, false, ret);
	if (!found.has_data)
		return CHAIN_END;
	ret->type = found.type;
	ret->ttl = found.ttl;
	ret->from_dname = found.has_dname && found.type == TYPE_CNAME;
	if (ret->from_dname)
		memcpy(ret->dname_owner, found.dname_owner, found.dname_owner_len);
	return CHAIN_DATA;
}
