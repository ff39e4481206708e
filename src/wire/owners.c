/* SPDX-License-Identifier: MIT */
/*
 * A name's hash is that of the rest of it, extended by its first label (name.h). So what is known
 * of the name that begins at an offset is kept, and every name that leads there by a pointer goes
 * on from it: each label of the message is hashed once, however many records use it, and the whole
 * costs no more than a walk over the octets. Reading every owner anew would cost 127 labels a
 * record, and did, for every link of a chain: a tenth of a second for one message.
 *
 * What is malformed may get a hash or none: it is compared before it counts, and then found bad.
 */
#include "wire/owners.h"

#include <string.h>

#include "wire/types.h"

#define NO_NAME UINT8_MAX
/* Followed in one name; as in name.c, where more are refused. */
#define POINTERS_MAX (NAME_LABELS_MAX + 1)

static uint64_t hash_label(const uint8_t *octets, unsigned len)
{
	uint8_t fold[NAME_LABEL_MAX];
	unsigned i;

	for (i = 0; i < len; i++)
		fold[i] = name_fold_octet(octets[i]);
	return hash_bytes(fold, len);
}

static bool is_known(const struct owners *owners, size_t at)
{
	return at < OWNERS_REACH && owners->known_labels[at] > 0;
}

/*
 * The offsets of the labels from the cursor on, until a known name or the root, where the cursor
 * then is. How many, or -1.
 */
static int gather(const struct owners *owners, struct cursor *c, size_t at[NAME_LABELS_MAX])
{
	size_t start = c->at;
	unsigned pointers = 0;
	int count = 0;

	while (!is_known(owners, c->at)) {
		size_t here = c->at;
		unsigned n = cursor_u8(c);

		if (n >= 0xc0) {
			size_t target = (size_t)(n & 0x3f) << 8 | cursor_u8(c);

			if (c->bad || target >= start || ++pointers > POINTERS_MAX)
				return -1;
			start = target;
			cursor_seek(c, target);
			continue;
		}
		if (n == 0 && !c->bad) {
			cursor_seek(c, here);
			return count;
		}
		if (n > NAME_LABEL_MAX || count == NAME_LABELS_MAX)
			return -1;
		cursor_skip(c, n);
		if (c->bad)
			return -1;
		at[count++] = here;
	}
	return count;
}

/* The owner at this offset as the next record's. */
static void add(struct owners *owners, const struct message *message, size_t owner_at)
{
	struct cursor c = cursor_over(message->cursor.data, message->cursor.len);
	size_t at[NAME_LABELS_MAX];
	uint64_t hash = NAME_ROOT_HASH;
	unsigned labels = 0, i = owners->count++;
	int count;

	owners->labels[i] = NO_NAME;
	cursor_seek(&c, owner_at);
	count = gather(owners, &c, at);
	if (count < 0)
		return;
	if (is_known(owners, c.at)) {
		hash = owners->known_hash[c.at];
		labels = owners->known_labels[c.at] - 1u;
	}
	if (labels + (unsigned)count > NAME_LABELS_MAX)
		return;
	while (count-- > 0) {
		unsigned len;

		cursor_seek(&c, at[count]);
		len = cursor_u8(&c);
		hash = name_hash_extend(hash, hash_label(cursor_bytes(&c, len), len));
		labels++;
		if (at[count] < OWNERS_REACH) {
			owners->known_hash[at[count]] = hash;
			owners->known_labels[at[count]] = (uint8_t)(labels + 1);
		}
	}
	owners->hash[i] = hash;
	owners->labels[i] = (uint8_t)labels;
}

int owners_read(struct owners *owners, struct message *message)
{
	size_t reach = message->cursor.len < OWNERS_REACH ? message->cursor.len : OWNERS_REACH;
	struct message_record record;
	int got;

	owners->count = 0;
	memset(owners->known_labels, 0, reach);
	message_rewind(message);
	while ((got = message_next(message, &record)) > 0 && record.section == SECTION_ANSWER)
		add(owners, message, record.owner_at);
	message_rewind(message);
	return got < 0 ? -1 : 0;
}
