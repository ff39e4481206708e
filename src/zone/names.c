/* SPDX-License-Identifier: MIT */
/*
 * Every name that comes by is asked two things: is it in a zone that we serve, and is it the public
 * form of a name in one? Both are a longest match over the ends of the name.
 *
 * All patterns, private and public, hang on their literal tails in one small hash table, found by
 * the suffix hashes that the name carries. A look-up probes once for each label of the name, no
 * further than the longest tail, in a table that fits into the first-level cache. Patterns with
 * words in braces share a tail with others; they are chained and compare the labels before it. The
 * chain is as long as whoever wrote the configuration made it.
 *
 * Public zones are kept once, whatever number of served zones they belong to, each with its pairs
 * in the order of adding: that is the order in which a look-up tries them. A pair knows which
 * label of the public name stands for which word of the private one.
 *
 * The longest match counts labels; of two as long the one with more literal labels wins, then the
 * earlier. A private match always goes before a public one: privatelink.blob.core.windows.net lies
 * below blob.core.windows.net.
 *
 * Refused: rules on text ("put privatelink before the zone"). Batch, Virtual Desktop, Elastic SAN,
 * Key Vault and others each break whatever rule one thinks of.
 *
 * Filled by zoneset.c on the main thread; here are pure look-ups, any thread, no allocation.
 */
#include <assert.h>
#include <string.h>

#include "zone/zoneset.h"

/* The best match of a kind so far. */
struct best {
	const struct pattern *pattern;
	unsigned at; /* number of the zone or public zone */
};

static void consider(struct best *best, const struct pattern *pattern, unsigned at)
{
	if (best->pattern &&
	    (best->pattern->labels > pattern->labels || (best->pattern->labels == pattern->labels &&
							 best->pattern->braces <= pattern->braces)))
		return;
	best->pattern = pattern;
	best->at = at;
}

/*
 * What a name is in: the longest of each kind. `below` needs a label before the public zone,
 * `apex` none.
 */
struct found {
	struct best served, below, apex;
};

/* Do the last `k` labels of the name make the tail? */
static inline bool has_tail(const struct name *name, unsigned k, const struct zone_tail *tail)
{
	return tail->hash == name->hash[k] && tail->labels == k && tail->len <= name->len &&
	       memcmp(tail->wire, name->fold + name->len - tail->len, tail->len) == 0;
}

static void walk(const struct zones *zones, const struct name *name, struct found *ret)
{
	unsigned k, max = name->labels;
	const struct pattern *pattern;
	const struct hanger *h;
	uint32_t at;

	memset(ret, 0, sizeof(*ret));
	if (!zone_ends_may_have(&zones->ends, name))
		return;
	if (max > zones->tail_labels_max)
		max = zones->tail_labels_max;
	for (k = zones->tail_labels_min; k <= max; k++) {
		for (at = zones_hook(zones, name->hash[k]); at; at = h->next) {
			h = &zones->hangers[at - 1];
			pattern = h->pattern;
			if (!has_tail(name, k, &pattern->tail) ||
			    (pattern->braces > 0 && !pattern_match_lead(pattern, name)))
				continue;
			if (!h->public)
				consider(&ret->served, pattern, h->at);
			else if (pattern->labels < name->labels)
				consider(&ret->below, pattern, h->at);
			else
				consider(&ret->apex, pattern, h->at);
		}
	}
}

bool zones_match_served(const struct zones *zones, const struct name *name, struct zone_match *ret)
{
	struct found found;

	walk(zones, name, &found);
	if (!found.served.pattern)
		return false;
	ret->zone = (uint16_t)found.served.at;
	ret->apex_labels = found.served.pattern->labels;
	return true;
}

void zones_near(const struct zones *zones, const struct name *name, struct zone_near *ret)
{
	struct found found;

	walk(zones, name, &found);
	*ret = (struct zone_near){ 0 };
	if (found.served.pattern) {
		ret->served = true;
		ret->match.zone = (uint16_t)found.served.at;
		ret->match.apex_labels = found.served.pattern->labels;
		return;
	}
	if (found.below.pattern)
		ret->below = found.below.at + 1;
	if (found.apex.pattern)
		ret->apex = found.apex.at + 1;
}

const struct zone_ends *zones_ends(const struct zones *zones)
{
	return &zones->ends;
}

bool zones_know(const struct zones *zones, const struct name *name)
{
	struct found found;

	walk(zones, name, &found);
	return found.served.pattern || found.below.pattern || found.apex.pattern;
}

unsigned zones_near_forms(const struct zones *zones, const struct name *name, uint32_t public,
			  struct zone_form ret[ZONE_FORMS_MAX])
{
	const struct pair *pair;
	unsigned n = 0, i, prefix;
	uint32_t at;

	if (!public)
		return 0;
	prefix = name->labels - zones->publics[public - 1].pattern->labels;
	for (at = zones->publics[public - 1].first_pair; at && n < ZONE_FORMS_MAX;
	     at = pair->next_of_public) {
		pair = &zones->pairs[at - 1];
		ret[n].zone = pair->zone;
		ret[n].pair = (uint16_t)(at - 1);
		ret[n].prefix_labels = (uint8_t)prefix;
		for (i = 0; i < zones->zones[pair->zone].pattern->braces; i++)
			ret[n].brace_at[i] = (uint8_t)(prefix + pair->public_label[i]);
		n++;
	}
	return n;
}

unsigned zones_private_forms(const struct zones *zones, const struct name *name,
			     struct zone_form ret[ZONE_FORMS_MAX])
{
	struct zone_near near;

	zones_near(zones, name, &near);
	return zones_near_forms(zones, name, near.below, ret);
}

unsigned zones_apex_forms(const struct zones *zones, const struct name *name,
			  struct zone_form ret[ZONE_FORMS_MAX])
{
	struct zone_near near;

	zones_near(zones, name, &near);
	return zones_near_forms(zones, name, near.apex, ret);
}

void zones_form_match(const struct zones *zones, const struct zone_form *form,
		      const struct name *private, struct zone_match *ret)
{
	bool served;

	ret->zone = form->zone;
	ret->apex_labels = zones->zones[form->zone].pattern->labels;
	if (zones->zones[form->zone].inner) {
		served = zones_match_served(zones, private, ret);
		assert(served);
		(void)served;
	}
}

const struct zone_tail *zones_form_tail(const struct zones *zones, const struct zone_form *form)
{
	const struct served_zone *zone = &zones->zones[form->zone];

	return zone->pattern->braces > 0 || zone->inner ? NULL : &zone->pattern->tail;
}

uint64_t zones_form_hash(const struct zones *zones, const struct name *name,
			 const struct zone_form *form)
{
	const struct pattern *pattern = zones->zones[form->zone].pattern;
	uint64_t hash = pattern->suffix_hash[pattern->tail.labels];
	const struct pattern_label *label;
	unsigned i;

	for (i = pattern->labels - pattern->tail.labels; i-- > 0;) {
		label = &pattern->label[i];
		hash = name_hash_extend(
			hash, label->brace < 0 ? label->hash
					       : name->label_hash[form->brace_at[label->brace]]);
	}
	for (i = form->prefix_labels; i-- > 0;)
		hash = name_hash_extend(hash, name->label_hash[i]);
	return hash;
}

int zones_private_form(const struct zones *zones, const struct name *name,
		       const struct zone_form *form, struct name *ret)
{
	return pattern_compose(zones->zones[form->zone].pattern, name, form->prefix_labels,
			       form->brace_at, ret);
}

int zones_place(const struct zones *zones, const struct name *name, struct name *ret_form,
		struct zone_place *ret)
{
	struct zone_form forms[ZONE_FORMS_MAX];
	unsigned n, i, chosen = 0;
	struct zone_match match;
	struct zone_near near;

	memset(ret, 0, sizeof(*ret));
	zones_near(zones, name, &near);
	if (near.served) {
		ret->in_zone = true;
		ret->zone = near.match.zone;
		ret->apex = near.match.apex_labels == name->labels;
		return 0;
	}
	ret->apex = near.apex;
	n = zones_near_forms(zones, name, near.below, forms);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++) {
		if (zones->pairs[forms[i].pair].regular) {
			chosen = i;
			break;
		}
	}
	if (zones_private_form(zones, name, &forms[chosen], ret_form) < 0)
		return -1;
	zones_form_match(zones, &forms[chosen], ret_form, &match);
	ret->folded = ret->in_zone = true;
	ret->ambiguous = n > 1;
	ret->zone = match.zone;
	ret->apex = match.apex_labels == ret_form->labels;
	return 0;
}

/* ---- one after the other ----------------------------------------------------------------- */

/* Is there a zone, public or not, whose literal tail is this whole name? */
static bool is_tail(const struct zones *zones, const struct name *name)
{
	const struct hanger *h;
	uint32_t at;

	if (name->labels > zones->tail_labels_max)
		return false;
	for (at = zones_hook(zones, name_hash(name)); at; at = h->next) {
		h = &zones->hangers[at - 1];
		if (h->pattern->tail.hash == name_hash(name))
			return true;
	}
	return false;
}

/*
 * Does the first label say which zones the name is in? A pattern looks at it that has as many
 * labels; those whose tail is the whole name are is_tail's. Of names of three labels or fewer it
 * may.
 */
static bool first_label_counts(const struct zones *zones, const struct name *name)
{
	const struct hanger *h;
	unsigned k;
	uint32_t at;

	if (name->labels <= 3)
		return true;
	for (k = 1; k < name->labels && k <= zones->tail_labels_max; k++) {
		for (at = zones_hook(zones, name->hash[k]); at; at = h->next) {
			h = &zones->hangers[at - 1];
			if (h->pattern->tail.hash == name->hash[k] &&
			    h->pattern->labels == name->labels)
				return true;
		}
	}
	return false;
}

/* Is it the last name but for the first label, and does that make no difference? */
static bool goes_likewise(const struct zones *zones, const struct name *name,
			  const struct zone_placing *last)
{
	return last->known && name->labels > 1 && name->len - name->at[1] == last->tail_len &&
	       memcmp(name->fold + name->at[1], last->tail, last->tail_len) == 0 &&
	       !is_tail(zones, name);
}

int zones_place_next(const struct zones *zones, const struct name *name, struct zone_placing *last,
		     const struct name **ret_form, struct zone_place *ret)
{
	if (goes_likewise(zones, name, last)) {
		if (!last->place.folded) {
			*ret = last->place;
			*ret_form = name;
			return 0;
		}
		if (name_relabel(&last->form, name->fold + 1, name->fold[0]) < 0)
			return -1;
		if (!is_tail(zones, &last->form)) {
			*ret = last->place;
			*ret_form = &last->form;
			return 0;
		}
	}
	last->known = false;
	if (zones_place(zones, name, &last->form, &last->place) < 0)
		return -1;
	*ret = last->place;
	*ret_form = ret->folded ? &last->form : name;
	if (is_tail(zones, name) || first_label_counts(zones, name) ||
	    (ret->folded &&
	     (is_tail(zones, &last->form) || first_label_counts(zones, &last->form))))
		return 0;
	last->known = true;
	last->tail_len = (uint8_t)(name->len - name->at[1]);
	memcpy(last->tail, name->fold + name->at[1], last->tail_len);
	return 0;
}

/* ---- back ------------------------------------------------------------------------------------ */

/* Where the braces of a public zone are to be read in a private name; false if one is not known. */
static bool public_braces(const struct zones *zones, const struct pair *pair, unsigned prefix,
			  uint8_t brace_at[ZONE_BRACES_MAX], const struct pattern **ret_public)
{
	const struct pattern *public = zones->publics[pair->public].pattern;
	bool known = true;
	unsigned i;

	for (i = 0; i < public->braces; i++) {
		if (pair->private_label[i] == LABEL_NONE)
			known = false;
		else
			brace_at[i] = (uint8_t)(prefix + pair->private_label[i]);
	}
	*ret_public = public;
	return known;
}

/* Does a look-up of this public name come back to the zone? */
static bool leads_to(const struct zones *zones, const struct name *public, unsigned zone)
{
	struct zone_form forms[ZONE_FORMS_MAX];
	unsigned n = zones_private_forms(zones, public, forms), i;

	for (i = 0; i < n; i++)
		if (forms[i].zone == zone)
			return true;
	return false;
}

int zones_public_form(const struct zones *zones, const struct name *name, size_t i,
		      struct name *ret)
{
	uint8_t brace_at[ZONE_BRACES_MAX];
	const struct pattern *public;
	const struct pair *pair;
	struct zone_match match;
	struct name form;
	unsigned prefix;
	uint32_t at;

	if (!zones_match_served(zones, name, &match) || name->labels == match.apex_labels)
		return -1;
	prefix = name->labels - match.apex_labels;
	for (at = zones->zones[match.zone].first_pair; at; at = pair->next_of_zone) {
		pair = &zones->pairs[at - 1];
		if (!public_braces(zones, pair, prefix, brace_at, &public) ||
		    pattern_compose(public, name, prefix, brace_at, &form) < 0 ||
		    !leads_to(zones, &form, match.zone))
			continue;
		if (i-- == 0) {
			name_strip(ret, &form, 0);
			return 0;
		}
	}
	return -1;
}

int zones_public_apex(const struct zones *zones, const struct name *name, size_t i,
		      struct name *ret)
{
	uint8_t brace_at[ZONE_BRACES_MAX];
	const struct pattern *public;
	const struct pair *pair = NULL;
	struct zone_match match;
	struct name apex;
	unsigned cut;
	uint32_t at;

	if (!zones_match_served(zones, name, &match))
		return -1;
	for (at = zones->zones[match.zone].first_pair; at && i > 0; at = pair->next_of_zone) {
		pair = &zones->pairs[at - 1];
		i--;
	}
	if (!at)
		return -1;
	pair = &zones->pairs[at - 1];
	memset(brace_at, 0, sizeof(brace_at));
	if (public_braces(zones, pair, name->labels - match.apex_labels, brace_at, &public))
		return pattern_compose(public, name, 0, brace_at, ret);
	/*
	 * An unknown word: any label will do in its place, it is cut off again with all before
	 * it.
	 */
	for (cut = public->braces; pair->private_label[cut - 1] != LABEL_NONE; cut--)
		;
	if (pattern_compose(public, name, 0, brace_at, &apex) < 0)
		return -1;
	name_strip(ret, &apex, public->brace_label[cut - 1] + 1u);
	return 0;
}

size_t zones_count(const struct zones *zones)
{
	return zones->zones_count;
}

const char *zones_private_text(const struct zones *zones, size_t i)
{
	return zones->zones[i].text;
}

size_t zones_public_count(const struct zones *zones, size_t i)
{
	return zones->zones[i].pairs;
}

const char *zones_public_text(const struct zones *zones, size_t i, size_t j)
{
	uint32_t at = zones->zones[i].first_pair;

	while (j-- > 0)
		at = zones->pairs[at - 1].next_of_zone;
	return zones->pairs[at - 1].public_text;
}

enum zone_type zones_type(const struct zones *zones, size_t i)
{
	return zones->zones[i].type;
}

const struct zone_tail *zones_tail(const struct zones *zones, size_t i)
{
	return &zones->zones[i].pattern->tail;
}

bool zones_is_site_recovery(const struct zones *zones, size_t i)
{
	return zones->zones[i].site_recovery;
}
