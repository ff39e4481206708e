/* SPDX-License-Identifier: MIT */
/*
 * The writer finds out where each name of an answer stands already. Here that is known beforehand:
 * the question stands at 12; a target shares its end with it, which one comparison from behind
 * tells; the owner of the records is one of the two; the SOA's owner is an end of one of the two.
 * So the length is known before the first octet is written, and there is one check for room. What
 * does not fit is left to the writer, as is everything out of the ordinary: names of one label,
 * other types than addresses, whatever an upstream has a part in.
 *
 * Of the SOA's two names the one may end as the question does, in `net` or in `com`. Below
 * azureprivatedns.net and microsoft.com even more of it would: not here.
 *
 * Refused: answers that are kept ready. They would take more memory than the records themselves,
 * and most of the time goes into what is left: reading the question and finding the name.
 */
#include "resolve/template.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "wire/octets.h"

/* A record up to its data, the owner being a pointer. */
#define HEAD_LEN 12
#define POINTER_LEN 2

/* Parts of azure_soa: where the ends of its names stand, and its numbers. */
#define SOA_NET_AT 16
#define SOA_RNAME_AT 21
#define SOA_COM_AT 52
#define SOA_NUMBERS_AT 57
/* By a pointer in place of `net` or `com`. */
#define SOA_SAVED (SOA_RNAME_AT - SOA_NET_AT - POINTER_LEN)

const uint8_t azure_soa[AZURE_SOA_LEN] =
	"\017azureprivatedns\003net\000"
	"\024azureprivatedns-host\011microsoft\003com\000"
	"\000\000\000\001\000\000\016\020\000\000\001\054\000\044\352\000\000\000\000\012";

/* What is to be written, measured. `at` are places in the message. */
struct layout {
	const struct plan *plan;
	const struct plan_item *alias, *records, *soa; /* or NULL */
	/* alias: the target's octets that do not stand in the question, and where the others do */
	unsigned fresh, shared_at;
	unsigned owner_at; /* of the records */
	/* soa: where its owner stands, and the last label of the question */
	unsigned zone_at, end_at;
	enum { END_NET, END_COM, END_OTHER } end;
	size_t len;
};

/* Of their data neither holds a name; the builder has seen to their lengths. */
static bool has_addresses(const struct node_rrset *rrset)
{
	return rrset->type == TYPE_A || rrset->type == TYPE_AAAA;
}

static unsigned address_len(uint16_t type)
{
	return type == TYPE_A ? 4 : 16;
}

static inline uint64_t load_before(const uint8_t *end)
{
	uint64_t octets;

	memcpy(&octets, end - sizeof(octets), sizeof(octets));
	return le64toh(octets);
}

/* How many octets are the same at the end of both. */
static unsigned same_octets(const uint8_t *a_end, const uint8_t *b_end, unsigned most)
{
	unsigned same = 0;
	uint64_t differ;

	for (; same + 8 <= most; same += 8) {
		differ = load_before(a_end - same) ^ load_before(b_end - same);
		if (differ)
			return same + (unsigned)__builtin_clzll(differ) / 8;
	}
	while (same < most && a_end[-1 - (int)same] == b_end[-1 - (int)same])
		same++;
	return same;
}

/* The first label of the question from which on the target, in lower case, ends like it. */
static unsigned shared_from(const struct name *question, const uint8_t *target, unsigned len)
{
	unsigned same = same_octets(question->fold + question->len, target + len,
				    len < question->len ? len : question->len);
	unsigned i, at = 0, start;

	for (i = 0; i < question->labels; i++) {
		if (question->len - question->at[i] > (int)same)
			continue;
		/* The same octets, but do they begin a label there too? */
		start = len - (question->len - question->at[i]);
		while (at < start)
			at += target[at] + 1u;
		if (at == start)
			break;
	}
	return i;
}

/* Label `i` of the name from the right, 0 the last: is it this one, with its length? */
static inline bool label_is(const struct name *name, unsigned i, const char *label)
{
	const uint8_t *is = name->fold + name->at[name->labels - 1 - i];

	return *is == *label && memcmp(is + 1, label + 1, *is) == 0;
}

/* The CNAME to plan->name[1]; the place of that name becomes the records' owner. */
static bool measure_alias(struct layout *l, const struct name *question)
{
	const struct plan *plan = l->plan;
	unsigned from = shared_from(question, plan->name[1], plan->name_len[1]);

	/* Two labels and more, so that the SOA's names stand to both as to the question. */
	if (from + 2 > question->labels)
		return false;
	l->shared_at = DNS_HEADER_LEN + question->at[from];
	l->fresh = plan->name_len[1] - (question->len - question->at[from]);
	l->owner_at = DNS_HEADER_LEN + question->len + 4 + HEAD_LEN;
	l->len += HEAD_LEN + l->fresh + POINTER_LEN;
	return l->fresh > 0;
}

/* The SOA's owner is a name of the plan without its first labels; on its own names see above. */
static bool measure_soa(struct layout *l, const struct name *question)
{
	const uint8_t *name = l->plan->name[l->soa->name];
	unsigned i, at = 0;

	for (i = 0; i < l->soa->strip; i++)
		at += name[at] + 1u;
	l->zone_at = l->owner_at + at;
	if (l->alias && at >= l->fresh)
		l->zone_at = l->shared_at + at - l->fresh;
	l->end_at = DNS_HEADER_LEN + question->at[question->labels - 1];
	if (label_is(question, 0, "\003net"))
		l->end = END_NET;
	else if (label_is(question, 0, "\003com"))
		l->end = END_COM;
	else
		l->end = END_OTHER;
	l->len += HEAD_LEN + AZURE_SOA_LEN - (l->end == END_OTHER ? 0 : SOA_SAVED);
	return !(l->end == END_NET && label_is(question, 1, "\017azureprivatedns")) &&
	       !(l->end == END_COM && label_is(question, 1, "\011microsoft"));
}

/* False: it is none of these plans. */
static bool measure(struct layout *l, const struct plan *plan)
{
	const struct plan_item *last;

	if (plan->count == 0 || plan->count > 2 ||
	    (plan->count == 2 && plan->item[0].kind != PLAN_ALIAS))
		return false;
	last = &plan->item[plan->count - 1];
	*l = (struct layout){ .plan = plan, .owner_at = DNS_HEADER_LEN };
	l->alias = plan->item[0].kind == PLAN_ALIAS ? &plan->item[0] : NULL;
	if (last->kind == PLAN_SOA)
		l->soa = last;
	else if (last->kind == PLAN_RECORDS && has_addresses(&last->rrset))
		l->records = last;
	else if (last != l->alias)
		return false;
	/* Names are counted from the question. */
	if (plan->item[0].name > 0 || plan->question->labels < 2)
		return false;
	if (l->alias && !measure_alias(l, plan->question))
		return false;
	if (l->records)
		l->len +=
			l->records->rrset.count * (HEAD_LEN + address_len(l->records->rrset.type));
	return !l->soa || measure_soa(l, plan->question);
}

static inline uint8_t *put(uint8_t *to, const uint8_t *octets, size_t len)
{
	memcpy(to, octets, len);
	return to + len;
}

static inline uint8_t *put_pointer(uint8_t *to, unsigned at)
{
	octets_store_u16(to, 0xc000 | at);
	return to + POINTER_LEN;
}

static inline uint8_t *put_head(uint8_t *to, unsigned owner_at, uint16_t type, uint32_t ttl,
				unsigned len)
{
	put_pointer(to, owner_at);
	octets_store_u16(to + 2, type);
	octets_store_u16(to + 4, CLASS_IN);
	octets_store_u32(to + 6, ttl);
	octets_store_u16(to + 10, len);
	return to + HEAD_LEN;
}

static uint8_t *put_soa(uint8_t *to, const struct layout *l)
{
	to = put_head(to, l->zone_at, TYPE_SOA, AZURE_SOA_TTL_S,
		      AZURE_SOA_LEN - (l->end == END_OTHER ? 0 : SOA_SAVED));
	switch (l->end) {
	case END_NET:
		to = put(to, azure_soa, SOA_NET_AT);
		to = put_pointer(to, l->end_at);
		return put(to, azure_soa + SOA_RNAME_AT, AZURE_SOA_LEN - SOA_RNAME_AT);
	case END_COM:
		to = put(to, azure_soa, SOA_COM_AT);
		to = put_pointer(to, l->end_at);
		return put(to, azure_soa + SOA_NUMBERS_AT, AZURE_SOA_LEN - SOA_NUMBERS_AT);
	case END_OTHER:
	default:
		return put(to, azure_soa, AZURE_SOA_LEN);
	}
}

bool template_put(struct writer *writer, const struct plan *plan)
{
	const struct node_rrset *rrset;
	struct node_record record;
	struct layout l;
	size_t at = 0;
	uint8_t *to;

	if (!measure(&l, plan))
		return false;
	rrset = l.records ? &l.records->rrset : NULL;
	to = writer_room(writer, l.len, (l.alias ? 1 : 0) + (rrset ? rrset->count : 0u),
			 l.soa ? 1 : 0);
	if (!to)
		return false;
	if (l.alias) {
		to = put_head(to, DNS_HEADER_LEN, TYPE_CNAME, l.alias->ttl, l.fresh + POINTER_LEN);
		to = put_pointer(put(to, plan->name[1], l.fresh), l.shared_at);
	}
	while (rrset && node_record_next(rrset, &at, &record)) {
		to = put_head(to, l.owner_at, rrset->type, rrset->ttl, record.rdata_len);
		to = put(to, record.rdata, record.rdata_len);
	}
	if (l.soa)
		to = put_soa(to, &l);
	assert(to == writer->data + writer->len);
	return true;
}
