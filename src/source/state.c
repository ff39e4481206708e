/* SPDX-License-Identifier: MIT */
/*
 * What was good is kept as records and not as the source's text: it is what was served, whatever
 * the configuration and the readers say today, and reading it back cannot fail for a reason that
 * the text had. Lines are kept too, so `privlinkctl records` still tells where a record came
 * from.
 *
 * The checksum is to find accidents: a torn write, a disk that lies, a hand that edited. Any would
 * do; SHA-256 is at hand in a library that we link anyway, is fast (SHA instructions: over 1 GB/s),
 * and leaves no table of our own to get wrong. It comes last, so that writing needs one pass and no
 * copy of the file in memory. It is no proof of who wrote the file: whoever may write the state
 * folder may as well write the sources. That is why reading is as careful as with any stranger's
 * octets: bounded reads, names and data checked for their form, records through builder_add.
 *
 * Refused: memory mapping (a file that shrinks under us is a SIGBUS), and compressing names (it
 * would save half of the disk and cost a decoder).
 */
#include "source/state.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cursor.h"
#include "wire/message.h"
#include "wire/name.h"
#include "zone/table.h"

/* Octets that go to the sink at once: few calls, and no more than a pipe of the kernel likes. */
#define PIECE_LEN 65536

static const uint8_t magic[8] = { 'p', 'r', 'i', 'v', 'l', 'i', 'n', 'k' };

/* ---- writing --------------------------------------------------------------------------------- */

struct output {
	state_sink_fn *sink;
	void *arg;
	struct err *err;
	EVP_MD_CTX *digest;
	size_t total, used;
	bool failed;
	uint8_t piece[PIECE_LEN];
};

static void fail(struct output *out, const char *what)
{
	if (!out->failed)
		err_set(out->err, "%s", what);
	out->failed = true;
}

static void flush(struct output *out)
{
	if (out->failed || !out->used)
		return;
	if (EVP_DigestUpdate(out->digest, out->piece, out->used) != 1)
		fail(out, "no checksum can be made");
	else if (out->sink(out->arg, out->piece, out->used) < 0)
		out->failed = true; /* the sink knows why */
	out->used = 0;
}

static void put(struct output *out, const void *octets, size_t len)
{
	const uint8_t *from = octets;

	out->total += len;
	if (out->total > STATE_FILE_MAX - STATE_CHECKSUM_LEN)
		fail(out, "more records than a file of the state folder may hold");
	while (len > 0 && !out->failed) {
		size_t room = PIECE_LEN - out->used, n = len < room ? len : room;

		memcpy(out->piece + out->used, from, n);
		out->used += n;
		from += n;
		len -= n;
		if (out->used == PIECE_LEN)
			flush(out);
	}
}

static void put_number(struct output *out, uint64_t number, size_t len)
{
	uint8_t octets[8];

	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)(number >> 8 * (len - 1 - i));
	put(out, octets, len);
}

static void put_text(struct output *out, const char *text, size_t len)
{
	if (len > STATE_PATH_MAX)
		fail(out, "the path is too long");
	put_number(out, len, 2);
	put(out, text, len);
}

static void put_set(struct output *out, const struct record_set *set)
{
	const struct node *node = NULL;
	void *walk = NULL;

	while (!out->failed && (node = record_set_next(set, &walk, node))) {
		struct node_rrset rrset;
		struct name owner;
		size_t at = 0;

		record_set_name(set, node, &owner);
		while (node_next(node, &at, &rrset)) {
			struct node_record record;
			size_t record_at = 0;

			put(out, owner.wire, owner.len);
			put_number(out, rrset.type, 2);
			put_number(out, rrset.ttl, 4);
			put_number(out, rrset.count, 2);
			while (node_record_next(&rrset, &record_at, &record)) {
				put_number(out, record.line, 4);
				put_number(out, record.rdata_len, 2);
				put(out, record.rdata, record.rdata_len);
			}
		}
	}
}

int state_write(const struct state_head *head, const struct record_set *set, state_sink_fn *sink,
		void *arg, struct err *err)
{
	struct output *out = calloc(1, sizeof(*out));
	uint8_t checksum[EVP_MAX_MD_SIZE];
	int result = -1;

	if (!out)
		return err_set(err, "out of memory");
	*out = (struct output){ .sink = sink, .arg = arg, .err = err };
	out->digest = EVP_MD_CTX_new();
	if (!out->digest || EVP_DigestInit_ex(out->digest, EVP_sha256(), NULL) != 1)
		fail(out, "no checksum can be made");
	put(out, magic, sizeof(magic));
	put_number(out, STATE_VERSION, 2);
	put_number(out, (uint64_t)head->taken, 8);
	put_number(out, head->format, 1);
	put_text(out, head->entry, head->entry_len);
	put_text(out, head->path, head->path_len);
	if (set)
		put_set(out, set);
	flush(out);
	if (!out->failed && EVP_DigestFinal_ex(out->digest, checksum, NULL) != 1)
		fail(out, "no checksum can be made");
	if (!out->failed)
		result = sink(arg, checksum, STATE_CHECKSUM_LEN);
	EVP_MD_CTX_free(out->digest);
	free(out);
	return result;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *read_text(struct cursor *c, size_t *ret_len)
{
	size_t len = cursor_u16(c);
	const char *text = (const char *)cursor_bytes(c, len);

	/* A path has no NUL; one with it would be compared as another. */
	if (!len || len > STATE_PATH_MAX || !text || memchr(text, '\0', len)) {
		c->bad = true;
		return NULL;
	}
	*ret_len = len;
	return text;
}

static int read_head(struct cursor *c, struct state_head *ret, struct err *err)
{
	const uint8_t *begin = cursor_bytes(c, sizeof(magic));
	struct state_head head;
	uint64_t taken;
	uint16_t version;
	uint8_t format;

	if (!begin || memcmp(begin, magic, sizeof(magic)) != 0)
		return err_set(err, "is no file of last good records");
	version = cursor_u16(c);
	if (!c->bad && version != STATE_VERSION)
		return err_set(err, "is of version %u, this program writes %u", version,
			       STATE_VERSION);
	taken = (uint64_t)cursor_u32(c) << 32;
	taken |= cursor_u32(c);
	format = cursor_u8(c);
	head = (struct state_head){ .taken = (time_t)taken, .format = format };
	head.entry = read_text(c, &head.entry_len);
	head.path = read_text(c, &head.path_len);
	/* Beyond the year 9999 no time can be shown. */
	if (c->bad || format > SOURCE_EMPTY || taken > UINT64_C(253402300799))
		return err_set(err, "is damaged");
	*ret = head;
	return 0;
}

int state_read_head(const uint8_t *octets, size_t len, struct state_head *ret, struct err *err)
{
	struct cursor cursor = cursor_over(octets, len);

	return read_head(&cursor, ret, err);
}

static bool checksum_fits(const uint8_t *octets, size_t len, const uint8_t *checksum)
{
	uint8_t ours[EVP_MAX_MD_SIZE];

	return EVP_Digest(octets, len, ours, NULL, EVP_sha256(), NULL) == 1 &&
	       memcmp(ours, checksum, STATE_CHECKSUM_LEN) == 0;
}

/* Is it the data of such a record, whole and uncompressed? */
static bool rdata_fits(uint16_t type, const uint8_t *rdata, size_t len)
{
	struct message message = { .cursor = cursor_over(rdata, len) };
	struct message_record record = { .type = type, .rdata_len = (uint16_t)len };
	uint8_t again[UINT16_MAX];
	size_t again_len;

	return message_rdata(&message, &record, again, sizeof(again), &again_len) == 0 &&
	       again_len == len && memcmp(again, rdata, len) == 0;
}

/* An uncompressed name. -1 and bad. */
static int read_owner(struct cursor *c, struct name *ret)
{
	size_t left = cursor_left(c);
	const uint8_t *wire = left ? c->data + c->at : NULL;

	if (!wire || name_from_wire(ret, wire, left < NAME_WIRE_MAX ? left : NAME_WIRE_MAX) < 0) {
		c->bad = true;
		return -1;
	}
	cursor_skip(c, ret->len);
	return 0;
}

/* One RRset into the builder. */
static void read_rrset(struct cursor *c, struct builder *builder)
{
	struct name owner;
	uint16_t type, count;
	uint32_t ttl;

	if (read_owner(c, &owner) < 0)
		return;
	type = cursor_u16(c);
	ttl = cursor_u32(c);
	count = cursor_u16(c);
	if (!count)
		c->bad = true;
	while (count-- > 0 && !c->bad) {
		uint32_t line = cursor_u32(c);
		uint16_t len = cursor_u16(c);
		const uint8_t *rdata = cursor_bytes(c, len);

		if (!rdata || !rdata_fits(type, rdata, len))
			c->bad = true;
		else
			builder_add(builder, &owner, type, ttl, rdata, len, line);
	}
}

struct record_set *state_read(const uint8_t *octets, size_t len, const struct zones *zones,
			      const struct builder_conf *conf, struct state_head *ret_head,
			      struct err *err)
{
	struct complaints unheard = { .tell = NULL };
	struct record_set *set = NULL;
	struct state_head head;
	struct builder *builder;
	struct cursor cursor;

	if (len < STATE_CHECKSUM_LEN) {
		err_set(err, "is damaged");
		return NULL;
	}
	len -= STATE_CHECKSUM_LEN;
	cursor = cursor_over(octets, len);
	if (read_head(&cursor, &head, err) < 0)
		return NULL;
	if (!checksum_fits(octets, len, octets + len)) {
		err_set(err, "is damaged");
		return NULL;
	}
	builder = builder_new(zones, conf, &unheard);
	if (!builder) {
		err_set(err, "no memory to read it");
		return NULL;
	}
	while (cursor_left(&cursor) > 0)
		read_rrset(&cursor, builder);
	if (cursor.bad)
		err_set(err, "is damaged");
	else if (!builder_count(builder))
		err_set(err, "holds no record");
	else if (!(set = builder_finish(builder)))
		err_set(err, "no memory to read it");
	builder_free(builder);
	if (set)
		*ret_head = head;
	return set;
}

/* ---- from one zone table to another ---------------------------------------------------------- */

struct buffer {
	uint8_t *data;
	size_t len, cap;
};

static int append(void *arg, const uint8_t *octets, size_t len)
{
	struct buffer *buffer = arg;

	if (buffer->cap - buffer->len < len) {
		size_t cap = 2 * buffer->cap + len;
		uint8_t *grown = realloc(buffer->data, cap);

		if (!grown)
			return -1;
		buffer->data = grown;
		buffer->cap = cap;
	}
	memcpy(buffer->data + buffer->len, octets, len);
	buffer->len += len;
	return 0;
}

struct record_set *state_convert(const struct record_set *set, const struct zones *zones,
				 const struct builder_conf *conf)
{
	/* The head is not looked at; it has to be one. */
	struct state_head head = { .entry = "-", .entry_len = 1, .path = "-", .path_len = 1 };
	struct buffer buffer = { .data = NULL };
	struct record_set *converted = NULL;

	if (state_write(&head, set, append, &buffer, NULL) == 0)
		converted = state_read(buffer.data, buffer.len, zones, conf, &head, NULL);
	free(buffer.data);
	return converted;
}
