/* SPDX-License-Identifier: MIT */
/*
 * Every look-up needs the same four things of a name: its octets in lower case, where its labels
 * begin, how many there are, and a hash of each suffix. They are made once, when the name comes
 * in, and everything behind (zone match, public and private form, wildcards, routes, cache) takes
 * the suffix hashes it wants. hash[k] is of the last k labels, so one number names a suffix
 * whatever stands before it.
 *
 * gather() copies labels and notes where they begin. Then the whole name is folded eight octets at
 * a time, length octets too: they are at most 63 and the first letter that folds is 65, so they
 * stay as they are. The arrays have 256 octets, so that the last, partial eight lie inside.
 *
 * Compression pointers must lead to before the start of the part being read, so that a name
 * cannot loop; and at most NAME_LABELS_MAX + 1 are followed, which every name can do with whose
 * pointers each lead to a label or the root. Without that bound a message of nothing but pointers
 * would cost thousands of steps a record. None may lead into the header, where no name can be;
 * with it a question that holds a pointer is refused, as nothing stands before it.
 *
 * Pure; any thread.
 */
#include "wire/name.h"

#include <assert.h>
#include <string.h>

#include "wire/types.h"

/* Pointers followed in one name. */
#define POINTERS_MAX (NAME_LABELS_MAX + 1)

/* Lower case for each of eight octets: A-Z alone; octets over 127 never carry into others. */
static inline uint64_t fold_eight(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low = x & (0x7f * ones);
	uint64_t from_a = low + (0x80 - 'A') * ones;     /* top bit: 'A' or above */
	uint64_t over_z = low + (0x80 - 'Z' - 1) * ones; /* top bit: above 'Z' */
	uint64_t upper = from_a & ~over_z & ~x & (0x80 * ones);

	return x | upper >> 2; /* 0x80 >> 2 is the bit that tells the cases apart */
}

/* Folds `len` octets at least, from the start; of what stands behind the name nobody reads. */
static inline void fold(struct name *name, size_t len)
{
	uint64_t x;
	size_t i;

	for (i = 0; i < len; i += 8) {
		memcpy(&x, name->wire + i, 8);
		x = fold_eight(x);
		memcpy(name->fold + i, &x, 8);
	}
}

/* Folds and hashes; wire, len, labels and at are there. */
static void prepare(struct name *name)
{
	uint64_t hash = NAME_ROOT_HASH;
	unsigned i, k;

	fold(name, name->len);
	name->hash[0] = hash;
	for (k = 1; k <= name->labels; k++) {
		i = name->labels - k;
		name->label_hash[i] =
			hash_bytes(name->fold + name->at[i] + 1, name->fold[name->at[i]]);
		hash = name_hash_extend(hash, name->label_hash[i]);
		name->hash[k] = hash;
	}
}

/* Follows one pointer, whose first octet is at *at; `start` is where the part being read began. */
static inline int follow(const struct cursor *c, size_t *at, size_t *start, unsigned *pointers)
{
	size_t target;

	if (c->len - *at < 2 || ++*pointers > POINTERS_MAX)
		return -1;
	target = (size_t)(c->data[*at] & 0x3f) << 8 | c->data[*at + 1];
	if (target >= *start || target < DNS_HEADER_LEN)
		return -1;
	*at = *start = target;
	return 0;
}

/*
 * Copies a name's labels out of the message, run by run: most names are one, without a pointer.
 * `at` gets where each begins in `out`, and the root. Returns the octets written, or 0 with the
 * cursor bad.
 */
static inline size_t gather(uint8_t out[NAME_WIRE_MAX], uint8_t at[NAME_LABELS_MAX + 1],
			    unsigned *ret_labels, struct cursor *c)
{
	size_t pos = c->at, start = pos, end = 0, len = 0, room, n;
	unsigned labels = 0, pointers = 0, octet = 0;
	const uint8_t *run;

	while (!c->bad && pos < c->len) {
		/* Labels up to the root or a pointer. The root must still find room. */
		run = c->data + pos;
		room = c->len - pos < NAME_WIRE_MAX - len ? c->len - pos : NAME_WIRE_MAX - len;
		for (n = 0; n < room; n += octet + 1) {
			octet = run[n];
			if (octet - 1 >= NAME_LABEL_MAX)
				break;
			at[labels++] = (uint8_t)(len + n);
		}
		if (n >= room || (octet > 0 && octet < 0xc0))
			break;
		if (octet == 0) {
			memcpy(out + len, run, n + 1);
			at[labels] = (uint8_t)(len + n);
			*ret_labels = labels;
			c->at = end ? end : pos + n + 1;
			return len + n + 1;
		}
		memcpy(out + len, run, n);
		len += n;
		pos += n;
		if (!end)
			end = pos + 2;
		if (follow(c, &pos, &start, &pointers) < 0)
			break;
	}
	c->bad = true;
	return 0;
}

int name_read(struct name *ret, struct cursor *message)
{
	unsigned labels;
	size_t len = gather(ret->wire, ret->at, &labels, message);

	if (!len)
		return -1;
	ret->len = (uint8_t)len;
	ret->labels = (uint8_t)labels;
	prepare(ret);
	return 0;
}

size_t name_read_wire(uint8_t out[NAME_WIRE_MAX], struct cursor *message)
{
	uint8_t at[NAME_LABELS_MAX + 1];
	unsigned labels;

	return gather(out, at, &labels, message);
}

/* Case ignored; as a rule it does not even differ. */
static inline bool same_octets(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	if (memcmp(a, b, len) == 0)
		return true;
	for (i = 0; i < len; i++) {
		if (name_fold_octet(a[i]) != name_fold_octet(b[i]))
			return false;
	}
	return true;
}

bool name_read_matches(const struct cursor *message, size_t at, const uint8_t *wire)
{
	size_t start = at;
	unsigned pointers = 0, n;

	while (at < message->len) {
		n = message->data[at];
		if (n >= 0xc0) {
			if (follow(message, &at, &start, &pointers) < 0)
				return false;
			continue;
		}
		/* An equal length octet is a good one: `wire` is well formed. */
		if (n != *wire || message->len - at < n + 1)
			return false;
		if (n == 0)
			return true;
		if (!same_octets(message->data + at + 1, wire + 1, n))
			return false;
		at += n + 1;
		wire += n + 1;
	}
	return false;
}

int name_from_wire(struct name *ret, const uint8_t *wire, size_t len)
{
	unsigned labels = 0, n;
	size_t at = 0;

	if (len > NAME_WIRE_MAX)
		len = NAME_WIRE_MAX;
	for (;;) {
		if (at >= len)
			return -1;
		n = wire[at];
		if (n == 0)
			break;
		/* The root must still find room. */
		if (n > NAME_LABEL_MAX || len - at < n + 2)
			return -1;
		ret->at[labels++] = (uint8_t)at;
		at += n + 1;
	}
	ret->at[labels] = (uint8_t)at;
	ret->labels = (uint8_t)labels;
	ret->len = (uint8_t)(at + 1);
	memcpy(ret->wire, wire, at + 1);
	prepare(ret);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet behind a backslash: \DDD or \X. Returns the characters taken, 0 if bad. */
static size_t unescape(const char *text, size_t len, uint8_t *ret)
{
	unsigned value;

	if (len < 1)
		return 0;
	if (!is_digit(text[0])) {
		*ret = (uint8_t)text[0];
		return 1;
	}
	if (len < 3 || !is_digit(text[1]) || !is_digit(text[2]))
		return 0;
	value = (unsigned)(text[0] - '0') * 100 + (unsigned)(text[1] - '0') * 10 +
		(unsigned)(text[2] - '0');
	if (value > 255)
		return 0;
	*ret = (uint8_t)value;
	return 3;
}

/*
 * Without escapes a text and its wire form differ only in that each dot is the length of what
 * follows it.
 */
static int read_plain_text(struct name *ret, const char *text, size_t len)
{
	size_t label = 0, n; /* `label`: where the open label's length goes */
	unsigned labels = 0;
	const uint8_t *dot;

	if (text[len - 1] == '.')
		len--;
	/* A length before it and the root behind it. */
	if (len + 2 > NAME_WIRE_MAX)
		return -1;
	memcpy(ret->wire + 1, text, len);
	do {
		dot = memchr(ret->wire + 1 + label, '.', len - label);
		n = dot ? (size_t)(dot - ret->wire) - 1 - label : len - label;
		if (!n || n > NAME_LABEL_MAX)
			return -1;
		ret->wire[label] = (uint8_t)n;
		ret->at[labels++] = (uint8_t)label;
		label += n + 1;
	} while (dot);
	ret->wire[label] = 0;
	ret->at[labels] = (uint8_t)label;
	ret->labels = (uint8_t)labels;
	ret->len = (uint8_t)(label + 1);
	prepare(ret);
	return 0;
}

static int read_escaped_text(struct name *ret, const char *text, size_t len)
{
	uint8_t wire[NAME_WIRE_MAX + 1];
	size_t out = 1, label = 0, i = 0, taken; /* `label`: where the open label's length goes */

	while (i < len) {
		if (text[i] == '.') {
			if (out == label + 1)
				return -1; /* empty label */
			wire[label] = (uint8_t)(out - label - 1);
			label = out++;
			if (out > NAME_WIRE_MAX)
				return -1;
			i++;
			continue;
		}
		/* The root's octet must still fit behind. */
		if (out - label - 1 == NAME_LABEL_MAX || out + 1 >= NAME_WIRE_MAX)
			return -1;
		if (text[i] == '\\') {
			taken = unescape(text + i + 1, len - i - 1, &wire[out]);
			if (!taken)
				return -1;
			i += 1 + taken;
		} else {
			wire[out] = (uint8_t)text[i++];
		}
		out++;
	}
	if (out > label + 1) {
		wire[label] = (uint8_t)(out - label - 1);
		label = out++;
	}
	wire[label] = 0;
	return name_from_wire(ret, wire, out);
}

int name_from_text(struct name *ret, const char *text, size_t len)
{
	if (len == 0)
		return -1;
	if (len == 1 && text[0] == '.')
		return name_from_wire(ret, (const uint8_t *)"", 1);
	if (memchr(text, '\\', len))
		return read_escaped_text(ret, text, len);
	return read_plain_text(ret, text, len);
}

/* Characters that mean something in a zone file (RFC 1035 5.1), and the backslash itself. */
static bool wants_backslash(uint8_t c)
{
	return c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' ||
	       c == '$';
}

size_t name_to_text(const uint8_t *wire, char text[NAME_TEXT_MAX])
{
	size_t len = 0;
	unsigned n;
	uint8_t c;

	if (wire[0] == 0)
		text[len++] = '.';
	for (n = *wire++; n > 0; n = *wire++) {
		if (len > 0)
			text[len++] = '.';
		for (; n > 0; n--) {
			c = *wire++;
			if (c <= ' ' || c >= 0x7f) {
				text[len++] = '\\';
				text[len++] = (char)('0' + c / 100);
				text[len++] = (char)('0' + c / 10 % 10);
				text[len++] = (char)('0' + c % 10);
				continue;
			}
			if (wants_backslash(c))
				text[len++] = '\\';
			text[len++] = (char)c;
		}
	}
	text[len] = '\0';
	return len;
}

int name_join(struct name *ret, const struct name *left, unsigned labels, const struct name *right)
{
	size_t left_len = left->at[labels];
	unsigned i, k;

	assert(ret != left && ret != right && labels <= left->labels);
	if (left_len + right->len > NAME_WIRE_MAX)
		return -1;
	ret->len = (uint8_t)(left_len + right->len);
	ret->labels = (uint8_t)(labels + right->labels);
	memcpy(ret->wire, left->wire, left_len);
	memcpy(ret->wire + left_len, right->wire, right->len);
	memcpy(ret->fold, left->fold, left_len);
	memcpy(ret->fold + left_len, right->fold, right->len);
	memcpy(ret->at, left->at, labels);
	for (i = 0; i <= right->labels; i++)
		ret->at[labels + i] = (uint8_t)(left_len + right->at[i]);
	memcpy(ret->label_hash, left->label_hash, labels * sizeof(ret->label_hash[0]));
	memcpy(ret->label_hash + labels, right->label_hash,
	       right->labels * sizeof(ret->label_hash[0]));
	memcpy(ret->hash, right->hash, (right->labels + 1u) * sizeof(ret->hash[0]));
	for (k = right->labels + 1u; k <= ret->labels; k++)
		ret->hash[k] = name_hash_extend(ret->hash[k - 1], ret->label_hash[ret->labels - k]);
	return 0;
}

int name_relabel(struct name *name, const uint8_t *label, size_t len)
{
	size_t old = name->wire[0], from = old + 1, rest = name->len - from;
	unsigned i;

	assert(name->labels > 0);
	if (!len || len > NAME_LABEL_MAX || len + 1 + rest > NAME_WIRE_MAX)
		return -1;
	if (len != old) {
		memmove(name->wire + len + 1, name->wire + from, rest);
		memmove(name->fold + len + 1, name->fold + from, rest);
		for (i = 1; i <= name->labels; i++)
			name->at[i] = (uint8_t)(name->at[i] + len - old);
		name->len = (uint8_t)(len + 1 + rest);
		name->wire[0] = (uint8_t)len;
	}
	memcpy(name->wire + 1, label, len);
	/* Octets behind the label too, which come to what they are. */
	fold(name, len + 1);
	name->label_hash[0] = hash_bytes(name->fold + 1, len);
	name->hash[name->labels] =
		name_hash_extend(name->hash[name->labels - 1], name->label_hash[0]);
	return 0;
}

void name_strip(struct name *ret, const struct name *name, unsigned labels)
{
	unsigned i, kept = name->labels - labels;
	size_t from = name->at[labels];

	assert(labels <= name->labels);
	/* Everything moves towards the front, so `ret` may be `name`. */
	ret->len = (uint8_t)(name->len - from);
	memmove(ret->wire, name->wire + from, ret->len);
	memmove(ret->fold, name->fold + from, ret->len);
	for (i = 0; i <= kept; i++)
		ret->at[i] = (uint8_t)(name->at[labels + i] - from);
	memmove(ret->label_hash, name->label_hash + labels, kept * sizeof(ret->label_hash[0]));
	memmove(ret->hash, name->hash, (kept + 1) * sizeof(ret->hash[0]));
	ret->labels = (uint8_t)kept;
}

bool name_ends_with(const struct name *name, const struct name *suffix)
{
	if (suffix->labels > name->labels ||
	    name->hash[suffix->labels] != suffix->hash[suffix->labels])
		return false;
	/* Equal hashes are a strong hint, no proof. */
	return name->len - name->at[name->labels - suffix->labels] == suffix->len &&
	       memcmp(name->fold + name->at[name->labels - suffix->labels], suffix->fold,
		      suffix->len) == 0;
}

bool name_equal(const struct name *a, const struct name *b)
{
	return a->len == b->len && name_hash(a) == name_hash(b) &&
	       memcmp(a->fold, b->fold, a->len) == 0;
}

bool name_wire_equal(const uint8_t *a, const uint8_t *b)
{
	unsigned n;

	do {
		n = *a;
		if (*a++ != *b++ || !same_octets(a, b, n))
			return false;
		a += n;
		b += n;
	} while (n > 0);
	return true;
}

size_t name_wire_len(const uint8_t *wire)
{
	size_t len = 0;

	while (wire[len] != 0)
		len += wire[len] + 1u;
	return len + 1;
}

static unsigned find_labels(const uint8_t *wire, uint8_t at[NAME_LABELS_MAX + 1])
{
	unsigned labels = 0;
	size_t pos;

	for (pos = 0; wire[pos] != 0; pos += wire[pos] + 1u)
		at[labels++] = (uint8_t)pos;
	return labels;
}

/* Octets as unsigned numbers, a shorter label first where one begins the other. */
static int compare_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned i, shorter = a[0] < b[0] ? a[0] : b[0];
	int difference;

	for (i = 1; i <= shorter; i++) {
		difference = name_fold_octet(a[i]) - name_fold_octet(b[i]);
		if (difference)
			return difference;
	}
	return a[0] - b[0];
}

bool name_wire_ends_with(const uint8_t *name, const uint8_t *suffix)
{
	size_t suffix_len = name_wire_len(suffix), left = name_wire_len(name);

	while (left > suffix_len) {
		left -= name[0] + 1u;
		name += name[0] + 1u;
	}
	return left == suffix_len && name_wire_equal(name, suffix);
}

int name_wire_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_LABELS_MAX + 1], at_b[NAME_LABELS_MAX + 1];
	unsigned left_a = find_labels(a, at_a), left_b = find_labels(b, at_b);
	int difference;

	while (left_a > 0 && left_b > 0) {
		difference = compare_labels(a + at_a[--left_a], b + at_b[--left_b]);
		if (difference)
			return difference;
	}
	return (int)left_a - (int)left_b;
}
