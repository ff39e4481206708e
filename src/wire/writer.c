/* SPDX-License-Identifier: MIT */
/*
 * An answer is written front to back into the buffer it is sent from. What does not fit must leave
 * no trace, so that the caller can cut at a record and set TC; so every call works from a mark and
 * goes back to it.
 *
 * Most names are one of two: the question's, and the one written last, which is what a CNAME leads
 * to and the owner of what follows. Each is a comparison with that. Only for another one, and until
 * then not even for the question, there is the table.
 *
 * Compression: a table holds every suffix that was written out, as its first label (a place in the
 * message) and the entry of the rest. So the suffixes form a tree; a name is looked up in it from
 * its root on, each label once, only among the labels that follow the same rest. No hash: with 2 to
 * 20 records a message it would cost more than it saves. With a full table names come out longer,
 * never wrong.
 *
 * Data is trusted to be well formed where the types NS, CNAME, PTR, SOA and MX are (it comes from
 * message_rdata or our own builder); should it not be, it is written as it is.
 *
 * Pure; any thread.
 */
#include "wire/writer.h"

#include <assert.h>
#include <string.h>

#include "wire/octets.h"

/* A pointer has 14 bits (RFC 1035 4.1.4). */
#define POINTER_REACH 0x4000
/* Of an OPT without options: root, type, class, TTL, length. */
#define OPT_HEAD_LEN 11

static inline void put(struct writer *w, const void *data, size_t len)
{
	if (w->full || w->len + len > w->cap) {
		w->full = true;
		return;
	}
	memcpy(w->data + w->len, data, len);
	w->len += len;
}

static void put_u16(struct writer *w, unsigned value)
{
	uint8_t octets[2];

	octets_store_u16(octets, value);
	put(w, octets, sizeof(octets));
}

/* Forgets what was begun, but not that it did not fit. */
static void give_up(struct writer *w, const struct writer_mark *mark)
{
	writer_rollback(w, mark);
	w->full = true;
}

/* Where each label of a wire name begins; the number of labels. at[labels] is the root. */
static unsigned find_labels(const uint8_t *name, uint8_t at[NAME_LABELS_MAX + 1])
{
	unsigned labels = 0;
	size_t pos;

	for (pos = 0; name[pos] != 0; pos += name[pos] + 1u)
		at[labels++] = (uint8_t)pos;
	at[labels] = (uint8_t)pos;
	return labels;
}

/* Two labels, case ignored; most are equal to the octet. */
static bool label_equal(const uint8_t *a, const uint8_t *b)
{
	unsigned i;

	if (a[0] != b[0])
		return false;
	if (memcmp(a + 1, b + 1, a[0]) == 0)
		return true;
	for (i = 1; i <= a[0]; i++)
		if (name_fold_octet(a[i]) != name_fold_octet(b[i]))
			return false;
	return true;
}

/* The entry (plus one) of `label` before the suffix that entry `rest` (plus one; 0 the root) stands
 * for; 0: none. */
static unsigned find_suffix(const struct writer *w, const uint8_t *label, unsigned rest)
{
	unsigned i;

	for (i = rest; i < w->suffixes; i++) /* a rest is remembered before what stands before it */
		if (w->suffix[i].rest == rest && label_equal(w->data + w->suffix[i].at, label))
			return i + 1;
	return 0;
}

/* Remembers the first `fresh` labels of the name that begins at `start`, before the suffix
 * `rest`. */
static void remember(struct writer *w, size_t start, const uint8_t *at, unsigned fresh,
		     unsigned rest)
{
	while (fresh-- > 0) {
		if (w->suffixes == WRITER_SUFFIXES_MAX || start + at[fresh] >= POINTER_REACH)
			return;
		w->suffix[w->suffixes].at = (uint16_t)(start + at[fresh]);
		w->suffix[w->suffixes].rest = (uint16_t)rest;
		rest = ++w->suffixes;
	}
}

/*
 * Where this very name stands already, without looking at parts of names; 0: not known. A root
 * needs no pointer.
 */
static inline size_t find_whole(const struct writer *w, const uint8_t *name, size_t len)
{
	if (len == 1)
		return 0;
	if (len == w->question_len && memcmp(w->data + DNS_HEADER_LEN, name, len) == 0)
		return DNS_HEADER_LEN;
	if (len == w->last_len && memcmp(w->last, name, len) == 0)
		return w->last_at;
	return 0;
}

/* The question's name goes into the table when that is looked at first. */
static void remember_question(struct writer *w)
{
	uint8_t at[NAME_LABELS_MAX + 1];

	if (w->suffixes == 0 && w->question_len > 0)
		remember(w, DNS_HEADER_LEN, at, find_labels(w->data + DNS_HEADER_LEN, at), 0);
}

/* A name that is neither the question's nor the last. */
static void put_new_name(struct writer *w, const uint8_t *name, size_t len)
{
	uint8_t at[NAME_LABELS_MAX + 1];
	unsigned labels = find_labels(name, at), fresh = labels, rest = 0, found;
	size_t start = w->len;

	remember_question(w);
	while (fresh > 0 && (found = find_suffix(w, name + at[fresh - 1], rest)) != 0) {
		rest = found;
		fresh--;
	}
	put(w, name, rest ? at[fresh] : len);
	if (rest)
		put_u16(w, 0xc000 | w->suffix[rest - 1].at);
	if (w->full)
		return;
	remember(w, start, at, fresh, rest);
	if (fresh == 0)
		start = rest ? w->suffix[rest - 1].at : POINTER_REACH;
	if (start < POINTER_REACH) {
		memcpy(w->last, name, len);
		w->last_len = (uint8_t)len;
		w->last_at = (uint16_t)start;
	}
}

static void put_name(struct writer *w, const uint8_t *name, size_t len)
{
	size_t at = find_whole(w, name, len);

	if (at)
		put_u16(w, 0xc000 | (unsigned)at);
	else
		put_new_name(w, name, len);
}

void writer_init(struct writer *writer, uint8_t *data, size_t cap, uint16_t id, uint16_t flags)
{
	assert(cap >= DNS_HEADER_LEN);
	writer->data = data;
	writer->cap = cap;
	writer->len = DNS_HEADER_LEN;
	writer->full = false;
	writer->question_len = writer->last_len = 0;
	writer->last_at = 0;
	writer->suffixes = 0;
	memset(writer->count, 0, sizeof(writer->count));
	octets_store_u16(data, id);
	octets_store_u16(data + 2, flags);
	memset(data + 4, 0, DNS_HEADER_LEN - 4);
}

void writer_question_raw(struct writer *writer, const uint8_t *question, size_t len)
{
	assert(writer->len == DNS_HEADER_LEN);
	put(writer, question, len);
	if (writer->full)
		return;
	writer->count[SECTION_QUESTION]++;
	writer->question_len = (uint8_t)(len - 4);
}

void writer_records_raw(struct writer *writer, const uint8_t *message, size_t len)
{
	size_t from = writer->len;
	unsigned i;

	assert(writer->count[SECTION_ANSWER] == 0 && len >= from);
	put(writer, message + from, len - from);
	for (i = SECTION_ANSWER; i <= SECTION_ADDITIONAL && !writer->full; i++)
		writer->count[i] = octets_load_u16(message + 4 + 2 * i);
}

void writer_answers_raw(struct writer *writer, const uint8_t *records, size_t len, uint16_t count)
{
	assert(writer->count[SECTION_ANSWER] == 0);
	put(writer, records, len);
	if (!writer->full)
		writer->count[SECTION_ANSWER] = count;
}

uint8_t *writer_room(struct writer *writer, size_t len, unsigned answers, unsigned authorities)
{
	uint8_t *ret = writer->data + writer->len;

	assert(writer->count[SECTION_ANSWER] == 0);
	if (writer->full || writer->len + len > writer->cap)
		return NULL;
	writer->len += len;
	writer->count[SECTION_ANSWER] = (uint16_t)answers;
	writer->count[SECTION_AUTHORITY] = (uint16_t)authorities;
	return ret;
}

void writer_question(struct writer *writer, const uint8_t *name, uint16_t type, uint16_t class)
{
	uint8_t question[NAME_WIRE_MAX + 4];
	size_t len = name_wire_len(name);

	memcpy(question, name, len);
	octets_store_u16(question + len, type);
	octets_store_u16(question + len + 2, class);
	writer_question_raw(writer, question, len + 4);
}

void writer_reserve(struct writer *writer, int len)
{
	assert(len < 0 || (size_t)len <= writer->cap);
	writer->cap -= (size_t)len; /* modulo arithmetic: a negative len adds */
}

/*
 * Octets before the first name in the data, and how many names; 0 names: nothing to compress. SOA's
 * numbers behind its names need no mention: what is left is copied.
 */
static unsigned names_in(uint16_t type, size_t *ret_before)
{
	*ret_before = type == TYPE_MX ? 2 : 0;
	switch (type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_MX:
		return 1;
	case TYPE_SOA:
		return 2;
	default:
		return 0;
	}
}

/* Octets of the wire name at rdata[at], or 0 if there is none whole. */
static size_t name_within(const uint8_t *rdata, size_t len, size_t at)
{
	size_t pos = at;

	while (pos < len && rdata[pos] > 0 && rdata[pos] <= NAME_LABEL_MAX)
		pos += rdata[pos] + 1u;
	if (pos >= len || rdata[pos] != 0 || pos + 1 - at > NAME_WIRE_MAX)
		return 0;
	return pos + 1 - at;
}

static void put_rdata(struct writer *w, uint16_t type, const uint8_t *rdata, size_t len)
{
	size_t at, name_len;
	unsigned names = names_in(type, &at);

	if (names == 0 || at > len) {
		put(w, rdata, len);
		return;
	}
	put(w, rdata, at);
	for (; names > 0; names--) {
		name_len = name_within(rdata, len, at);
		if (!name_len)
			break;
		put_name(w, rdata + at, name_len);
		at += name_len;
	}
	put(w, rdata + at, len - at);
}

/* The fields between owner and data; the length is filled in by put_record_len. */
static void put_fields(struct writer *w, uint16_t type, uint16_t class, uint32_t ttl)
{
	uint8_t octets[10];

	octets_store_u16(octets, type);
	octets_store_u16(octets + 2, class);
	octets_store_u32(octets + 4, ttl);
	octets_store_u16(octets + 8, 0);
	put(w, octets, sizeof(octets));
}

/* Ends a record whose data began at `from`. Data never grows beyond what was given: 16 bits do. */
static void finish_record(struct writer *w, enum message_section section, size_t from,
			  const struct writer_mark *mark)
{
	if (w->full) {
		give_up(w, mark);
		return;
	}
	octets_store_u16(w->data + from - 2, (unsigned)(w->len - from));
	w->count[section]++;
}

void writer_record(struct writer *writer, enum message_section section, const uint8_t *owner,
		   uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t rdata_len)
{
	writer_record_class(writer, section, owner, type, CLASS_IN, ttl, rdata, rdata_len);
}

void writer_record_class(struct writer *writer, enum message_section section, const uint8_t *owner,
			 uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
			 size_t rdata_len)
{
	struct writer_mark mark = writer_mark(writer);
	size_t from;

	assert(rdata_len <= UINT16_MAX);
	if (writer->full)
		return;
	put_name(writer, owner, name_wire_len(owner));
	put_fields(writer, type, class, ttl);
	from = writer->len;
	put_rdata(writer, type, rdata, rdata_len);
	finish_record(writer, section, from, &mark);
}

struct writer_mark writer_mark(const struct writer *writer)
{
	struct writer_mark mark = { .len = writer->len, .suffixes = writer->suffixes };

	memcpy(mark.count, writer->count, sizeof(mark.count));
	return mark;
}

void writer_rollback(struct writer *writer, const struct writer_mark *mark)
{
	writer->len = mark->len;
	writer->suffixes = mark->suffixes;
	if (writer->last_at >= mark->len)
		writer->last_len = 0;
	memcpy(writer->count, mark->count, sizeof(mark->count));
	writer->full = false;
}

static size_t text_len(const char *text)
{
	return text ? strlen(text) : 0;
}

size_t writer_opt_len(const struct writer_opt *opt)
{
	size_t len = OPT_HEAD_LEN;

	if (opt->nsid)
		len += 4 + text_len(opt->nsid);
	if (opt->ede != EDE_NONE)
		len += 4 + 2 + text_len(opt->ede_text);
	if (opt->ede_more > 0)
		len += 4 + 2;
	if (opt->cookie)
		len += 4 + opt->cookie_len;
	if (opt->keepalive)
		len += 4 + 2;
	if (opt->ask_keepalive)
		len += 4;
	if (opt->pad_block)
		len += 4;
	return len;
}

/* Zeros up to the next whole block (RFC 7830 3): what is longer than the room ends with it. */
static void put_padding(struct writer *writer, unsigned block)
{
	static const uint8_t zeros[64];
	size_t len, part, room;

	put_u16(writer, EDNS_OPTION_PADDING);
	room = writer->cap - writer->len;
	len = (block - (writer->len + 2) % block) % block;
	if (room >= 2 && len > room - 2)
		len = room - 2;
	put_u16(writer, (unsigned)len);
	for (; len > 0; len -= part) {
		part = len < sizeof(zeros) ? len : sizeof(zeros);
		put(writer, zeros, part);
	}
}

/* The root's octet and the fields. */
static void put_opt_head(struct writer *w, const struct writer_opt *opt)
{
	uint8_t octets[OPT_HEAD_LEN] = { 0 };

	octets_store_u16(octets + 1, TYPE_OPT);
	octets_store_u16(octets + 3, opt->udp_size);
	octets[5] = opt->rcode_high;
	octets[7] = opt->do_bit ? 0x80 : 0;
	put(w, octets, sizeof(octets));
}

void writer_opt(struct writer *writer, const struct writer_opt *opt)
{
	struct writer_mark mark = writer_mark(writer);
	size_t from;

	if (writer->full)
		return;
	put_opt_head(writer, opt);
	from = writer->len;
	if (opt->nsid) {
		put_u16(writer, EDNS_OPTION_NSID);
		put_u16(writer, (unsigned)text_len(opt->nsid));
		put(writer, opt->nsid, text_len(opt->nsid));
	}
	if (opt->ede != EDE_NONE) {
		put_u16(writer, EDNS_OPTION_EDE);
		put_u16(writer, (unsigned)text_len(opt->ede_text) + 2);
		put_u16(writer, (unsigned)opt->ede);
		put(writer, opt->ede_text ? opt->ede_text : "", text_len(opt->ede_text));
	}
	if (opt->ede_more > 0) {
		put_u16(writer, EDNS_OPTION_EDE);
		put_u16(writer, 2);
		put_u16(writer, (unsigned)opt->ede_more);
	}
	if (opt->cookie) {
		put_u16(writer, EDNS_OPTION_COOKIE);
		put_u16(writer, (unsigned)opt->cookie_len);
		put(writer, opt->cookie, opt->cookie_len);
	}
	if (opt->keepalive) {
		put_u16(writer, EDNS_OPTION_KEEPALIVE);
		put_u16(writer, 2);
		put_u16(writer, opt->idle_ds);
	}
	if (opt->ask_keepalive) {
		put_u16(writer, EDNS_OPTION_KEEPALIVE);
		put_u16(writer, 0);
	}
	if (opt->pad_block)
		put_padding(writer, opt->pad_block);
	finish_record(writer, SECTION_ADDITIONAL, from, &mark);
}

void writer_set_flags(struct writer *writer, uint16_t set, uint16_t clear)
{
	unsigned flags = (unsigned)writer->data[2] << 8 | writer->data[3];

	octets_store_u16(writer->data + 2, (flags & ~(unsigned)clear) | set);
}

void writer_set_rcode(struct writer *writer, unsigned rcode)
{
	writer->data[3] = (uint8_t)((writer->data[3] & 0xf0) | (rcode & 0xf));
}

size_t writer_finish(struct writer *writer)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		octets_store_u16(writer->data + 4 + 2 * i, writer->count[i]);
	return writer->len;
}
