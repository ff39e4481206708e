/* SPDX-License-Identifier: MIT */
/*
 * A zone's name is nearly always literal; a few have a label that stands for a region or a
 * customer's prefix. Both are patterns here, so that nothing above need tell them apart.
 *
 * A name is matched from its end: the hash of the tail is one of the suffix hashes the name
 * came with, so a table of tails finds the candidates (names.c) and only the labels before the
 * tail, of which there are none in a literal pattern, are left to compare here. A form of a
 * name is put together by copying: its octets from the name and the pattern, the hashes of the
 * tail from the pattern, and only the suffixes above it are hashed on, from label hashes that
 * are all known. So changing the form costs about as much as copying the name.
 *
 * Composed names are in lower case: they are what our own CNAME records show, and those should
 * read the same whatever case a client happened to ask in.
 *
 * Refused: general globs (`contoso*`). No documented zone needs them and they would turn a hash
 * look-up into a search.
 *
 * Made on the main thread, then constant; any thread.
 */
#include "zone/pattern.h"

#include <stdlib.h>
#include <string.h>

static bool is_brace(const uint8_t *label, unsigned len)
{
	return len > 2 && label[0] == '{' && label[len - 1] == '}';
}

static bool has_brace_octet(const uint8_t *label, unsigned len)
{
	return memchr(label, '{', len) || memchr(label, '}', len);
}

/* Counts braces and looks for what cannot be a zone. */
static int survey(const struct name *name, const char *text, struct err *err, unsigned *ret_braces,
		  unsigned *ret_tail_labels)
{
	unsigned i, j, braces = 0, tail = 0;
	const uint8_t *label, *other;

	for (i = 0; i < name->labels; i++) {
		label = name->fold + name->at[i];
		if (is_brace(label + 1, label[0])) {
			for (j = 0; j < i; j++) {
				other = name->fold + name->at[j];
				if (memcmp(label, other, label[0] + 1u) == 0)
					return err_set(err,
						       "%s: one word in braces stands twice; "
						       "use different words",
						       text);
			}
			braces++;
			tail = 0;
		} else if (has_brace_octet(label + 1, label[0])) {
			return err_set(err,
				       "%s: braces stand for a whole label; "
				       "write {word} between two dots",
				       text);
		} else {
			tail++;
		}
	}
	if (name->labels == 0 || tail == 0)
		return err_set(err, "%s: a zone's name ends in a literal label", text);
	if (braces > ZONE_BRACES_MAX)
		return err_set(err, "%s: more than %d words in braces", text, ZONE_BRACES_MAX);
	*ret_braces = braces;
	*ret_tail_labels = tail;
	return 0;
}

struct pattern *pattern_new(const char *text, struct err *err)
{
	struct pattern *p;
	struct pattern_label *l;
	struct name name;
	unsigned braces = 0, tail_labels = 0, i;
	uint64_t *hashes;
	uint8_t *octets;

	if (name_from_text(&name, text, strlen(text)) < 0) {
		err_set(err, "%s: not a domain name", text);
		return NULL;
	}
	if (survey(&name, text, err, &braces, &tail_labels) < 0)
		return NULL;
	p = calloc(1, sizeof(*p) + name.labels * sizeof(p->label[0]) +
			      (tail_labels + 1) * sizeof(*hashes) + name.len);
	if (!p) {
		err_set(err, "%s: out of memory", text);
		return NULL;
	}
	hashes = (uint64_t *)(p->label + name.labels);
	octets = (uint8_t *)(hashes + tail_labels + 1);
	memcpy(octets, name.fold, name.len);
	memcpy(hashes, name.hash, (tail_labels + 1) * sizeof(*hashes));
	p->labels = name.labels;
	p->suffix_hash = hashes;
	p->tail.labels = (uint8_t)tail_labels;
	p->tail.wire = octets + name.at[name.labels - tail_labels];
	p->tail.len = (uint8_t)(name.len - name.at[name.labels - tail_labels]);
	p->tail.hash = hashes[tail_labels];
	for (i = 0; i < name.labels; i++) {
		l = &p->label[i];
		l->text = octets + name.at[i] + 1;
		l->len = octets[name.at[i]];
		l->hash = name.label_hash[i];
		l->brace = -1;
		if (is_brace(l->text, l->len)) {
			l->brace = (int8_t)p->braces;
			p->brace_label[p->braces++] = (uint8_t)i;
		}
	}
	return p;
}

bool pattern_same_shape(const struct pattern *a, const struct pattern *b)
{
	unsigned i;

	if (a->labels != b->labels || a->braces != b->braces)
		return false;
	for (i = 0; i < a->labels; i++) {
		if (a->label[i].brace != b->label[i].brace)
			return false;
		if (a->label[i].brace < 0 &&
		    (a->label[i].len != b->label[i].len ||
		     memcmp(a->label[i].text, b->label[i].text, a->label[i].len) != 0))
			return false;
	}
	return true;
}

int pattern_find_word(const struct pattern *pattern, const struct pattern *other, unsigned label)
{
	const struct pattern_label *want = &other->label[label], *have;
	unsigned i;

	for (i = 0; i < pattern->braces; i++) {
		have = &pattern->label[pattern->brace_label[i]];
		if (have->len == want->len && memcmp(have->text, want->text, want->len) == 0)
			return (int)i;
	}
	return -1;
}

bool pattern_match_lead(const struct pattern *pattern, const struct name *name)
{
	unsigned lead = pattern->labels - pattern->tail.labels, first, j;
	const struct pattern_label *l;
	const uint8_t *label;

	if (name->labels < pattern->labels)
		return false;
	first = name->labels - pattern->labels;
	for (j = 0; j < lead; j++) {
		l = &pattern->label[j];
		label = name->fold + name->at[first + j];
		if (l->brace < 0 && (label[0] != l->len || memcmp(label + 1, l->text, l->len) != 0))
			return false;
	}
	return true;
}

int pattern_compose(const struct pattern *pattern, const struct name *name, unsigned prefix,
		    const uint8_t *brace_at, struct name *ret)
{
	unsigned lead = pattern->labels - pattern->tail.labels, labels = prefix + pattern->labels;
	unsigned i, k, len = name->at[prefix], from;
	const struct pattern_label *l;

	/* Lengths first, so that nothing is written past the end. */
	for (i = 0; i < lead; i++) {
		l = &pattern->label[i];
		len += 1u + (l->brace < 0 ? l->len : name->fold[name->at[brace_at[l->brace]]]);
	}
	if (len + pattern->tail.len > NAME_WIRE_MAX)
		return -1;

	len = name->at[prefix];
	memcpy(ret->fold, name->fold, len);
	memcpy(ret->at, name->at, prefix);
	memcpy(ret->label_hash, name->label_hash, prefix * sizeof(ret->label_hash[0]));
	for (i = 0; i < lead; i++) {
		l = &pattern->label[i];
		ret->at[prefix + i] = (uint8_t)len;
		if (l->brace < 0) {
			ret->label_hash[prefix + i] = l->hash;
			ret->fold[len] = l->len;
			memcpy(ret->fold + len + 1, l->text, l->len);
		} else {
			from = brace_at[l->brace];
			ret->label_hash[prefix + i] = name->label_hash[from];
			memcpy(ret->fold + len, name->fold + name->at[from],
			       name->fold[name->at[from]] + 1u);
		}
		len += ret->fold[len] + 1u;
	}
	for (i = lead; i < pattern->labels; i++) {
		ret->at[prefix + i] =
			(uint8_t)(len + (pattern->label[i].text - 1 - pattern->tail.wire));
		ret->label_hash[prefix + i] = pattern->label[i].hash;
	}
	memcpy(ret->fold + len, pattern->tail.wire, pattern->tail.len);
	len += pattern->tail.len;
	ret->at[labels] = (uint8_t)(len - 1);
	ret->len = (uint8_t)len;
	ret->labels = (uint8_t)labels;
	memcpy(ret->hash, pattern->suffix_hash, (pattern->tail.labels + 1u) * sizeof(ret->hash[0]));
	for (k = pattern->tail.labels + 1u; k <= labels; k++)
		ret->hash[k] = name_hash_extend(ret->hash[k - 1], ret->label_hash[labels - k]);
	memcpy(ret->wire, ret->fold, len);
	return 0;
}
