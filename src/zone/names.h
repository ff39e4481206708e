/* SPDX-License-Identifier: MIT */
/*
 * The zone table: which zones are served, and how a public name and its private form belong
 * together.
 *
 * A *served zone* is a private-link zone; each has *public zones*, its counterparts.
 * L.blob.core.windows.net and L.privatelink.blob.core.windows.net are two forms of one name,
 * for L of one or more labels. A word in braces stands for exactly one label: on both sides it
 * carries over, on the public side alone it is dropped. Irregular pairs abound, so this is a
 * table and not a rule about text.
 *
 * Filled once on the main thread, sealed, then read by any thread. All functions that read are
 * pure.
 */
#ifndef PRIVLINKD_ZONE_NAMES_H
#define PRIVLINKD_ZONE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/name.h"

enum zone_type {
	ZONE_TRANSPARENT, /* a name that is not held is asked of upstream */
	ZONE_STATIC,      /* ... does not exist: NXDOMAIN */
	ZONE_REFUSE,      /* ... is REFUSED */
};

/*
 * A row of the built-in table (etc/zones.tsv). private is NULL where only forwarders must know
 * the public zone.
 */
struct zone_pair {
	const char *cloud; /* commercial, usgov, china */
	const char *private;
	const char *public;
};
extern const struct zone_pair zone_pairs[];
extern const size_t zone_pairs_count;

/*
 * Is `pair` part of the preset? Presets: azure-migrate (the four zones of a migration),
 * azure-migrate-usgov, azure, azure-usgov, azure-china, none. Rows without a private zone
 * belong to the preset of their cloud too. -1 for an unknown preset.
 */
int zone_preset_has(const char *preset, const struct zone_pair *pair);
/* Names of the presets, NULL at the end. */
extern const char *const zone_presets[];

/* Served zones at most: braces count once. */
#define ZONES_MAX 4096
/* Private forms that one public name can have (zones that share a public zone). */
#define ZONE_FORMS_MAX 8
/* Words in braces in one zone name. */
#define ZONE_BRACES_MAX 4

struct zones;

/* Empty. NULL when there is no memory. */
struct zones *zones_new(void);
void zones_free(struct zones *zones);

/* All pairs of a preset. `type` for each of its zones. */
int zones_add_preset(struct zones *zones, const char *preset, enum zone_type type, struct err *err);

/*
 * One zone with its public zones (`count` may be 0). Text may hold words in braces. The same
 * zone again: its type is replaced, its public zones are added. The order of adding is the
 * order of trying.
 */
int zones_add(struct zones *zones, const char *private, const char *const *public, size_t count,
	      enum zone_type type, struct err *err);

/* Ends the filling; look-ups may begin. */
int zones_seal(struct zones *zones, struct err *err);

size_t zones_count(const struct zones *zones);
/* Zone `i` in the order of adding, braces and all. */
const char *zones_private_text(const struct zones *zones, size_t i);
size_t zones_public_count(const struct zones *zones, size_t i);
const char *zones_public_text(const struct zones *zones, size_t i, size_t j);
enum zone_type zones_type(const struct zones *zones, size_t i);

/*
 * The literal end of zone `i`'s name: all of it, or what follows its last word in braces. What
 * a name in the zone has before it is all that need be stored of the name. Folded wire octets
 * with the root's; `hash` as in struct name.
 */
struct zone_tail {
	const uint8_t *wire;
	uint8_t len, labels;
	uint64_t hash;
};
const struct zone_tail *zones_tail(const struct zones *zones, size_t i);

/* Is this the Site Recovery zone (any cloud), where `...-id1-` and `...-id1` find each other? */
bool zones_is_site_recovery(const struct zones *zones, size_t i);

/* The served zone that `name` is at or below: the longest. */
struct zone_match {
	uint16_t zone;
	uint8_t apex_labels; /* labels of the zone's name; L has the rest, 0 or more */
};
bool zones_match_served(const struct zones *zones, const struct name *name, struct zone_match *ret);

/*
 * What of the zones a name is near, found in one go: the longest served zone that it is at or
 * below; else the longest public zone that it is below, and the one that it is the apex of.
 */
struct zone_near {
	bool served;
	struct zone_match match;
	uint32_t below, apex; /* public zones, plus one; 0: none */
};
void zones_near(const struct zones *zones, const struct name *name, struct zone_near *ret);

/*
 * The private forms of a name given in public form, in the order of trying: by the longest
 * public zone that matches, and there in the table's order. 0 if it is in no public zone (L
 * must have a label), or is itself in a served zone.
 */
struct zone_form {
	uint16_t zone, pair;
	uint8_t prefix_labels;             /* of L */
	uint8_t brace_at[ZONE_BRACES_MAX]; /* label of the name for the private zone's i-th brace */
};
unsigned zones_private_forms(const struct zones *zones, const struct name *name,
			     struct zone_form ret[ZONE_FORMS_MAX]);

/* The same for what zones_near found: forms by way of `below`, or of `apex`. */
unsigned zones_near_forms(const struct zones *zones, const struct name *name, uint32_t public,
			  struct zone_form ret[ZONE_FORMS_MAX]);

/*
 * The same for a name that is itself the apex of a public zone: the forms are apexes of served
 * zones. (Such a name is no form of another; but it is an ancestor of names that may be held.)
 */
unsigned zones_apex_forms(const struct zones *zones, const struct name *name,
			  struct zone_form ret[ZONE_FORMS_MAX]);

/*
 * Writes out the private form, in lower case. -1 if it is longer than a name may be. `ret` must
 * not be `name`.
 */
int zones_private_form(const struct zones *zones, const struct name *name,
		       const struct zone_form *form, struct name *ret);

/* The served zone that the private form, written out in `private`, is in: mostly the form's own. */
void zones_form_match(const struct zones *zones, const struct zone_form *form,
		      const struct name *private, struct zone_match *ret);

/*
 * The private form's end, where it is no more than the first labels of the name and then this, and
 * can be in no other zone; else NULL.
 */
const struct zone_tail *zones_form_tail(const struct zones *zones, const struct zone_form *form);

/* The private form's name_hash, without writing it out. */
uint64_t zones_form_hash(const struct zones *zones, const struct name *name,
			 const struct zone_form *form);

/*
 * Where a record of this name is held: under a private form if the name is a public one. That is
 * the regular form (public with `privatelink` before it) where several are, else the first.
 */
struct zone_place {
	bool folded;    /* held under another form, which is in *ret_form */
	bool ambiguous; /* and there were several */
	bool in_zone;   /* in a served zone, `zone` */
	bool apex;      /* the apex of a served or a public zone */
	uint16_t zone;
};
/* -1 if the form would be too long. */
int zones_place(const struct zones *zones, const struct name *name, struct name *ret_form,
		struct zone_place *ret);

/*
 * The same for names that come one after the other, mostly with another first label alone: such a
 * one is placed as the one before, without a search. `last` is zeroed to begin, and its own;
 * *ret_form is the name as it is held: `name`, or the form, good until the next call.
 */
struct zone_placing {
	bool known; /* what follows goes for all names with this tail: */
	uint8_t tail_len;
	uint8_t tail[NAME_WIRE_MAX]; /* folded octets of the last name behind its first label */
	struct zone_place place;
	struct name form; /* of the last name, where it has one */
};
int zones_place_next(const struct zones *zones, const struct name *name, struct zone_placing *last,
		     const struct name **ret_form, struct zone_place *ret);

/*
 * The public forms of a name in a served zone: the i-th, in the table's order; those that need
 * a label we do not know (`{z}`), that would be too long, or that a longer public zone takes
 * for another name's are left out. -1 past the end. In lower case.
 */
int zones_public_form(const struct zones *zones, const struct name *name, size_t i,
		      struct name *ret);

/*
 * The apex of the i-th public zone of the zone that `name` is in. Where it has a word in braces
 * that is not known: what follows that word. -1 past the end.
 */
int zones_public_apex(const struct zones *zones, const struct name *name, size_t i,
		      struct name *ret);

/*
 * Ends of names, by the hash of their last two labels: most names that others ask for end in
 * nothing of ours, and that is seen at once.
 */
#define ZONE_ENDS_BITS 4096 /* half a kilobyte, for some hundred ends */
struct zone_ends {
	bool all; /* something of ours has one label: any name may end in it */
	uint64_t bits[ZONE_ENDS_BITS / 64];
};

/* Notes a name of at least two labels by name_hash of its last two. */
static inline void zone_ends_add(struct zone_ends *ends, uint64_t hash)
{
	ends->bits[hash % ZONE_ENDS_BITS / 64] |= UINT64_C(1) << hash % 64;
}

static inline bool zone_ends_may_have(const struct zone_ends *ends, const struct name *name)
{
	uint64_t hash;

	if (ends->all || name->labels < 2)
		return true;
	hash = name->hash[2];
	return ends->bits[hash % ZONE_ENDS_BITS / 64] >> hash % 64 & 1;
}

/* Of all served and public zones. */
const struct zone_ends *zones_ends(const struct zones *zones);

/* Is the name in (at or below) a served or public zone? */
bool zones_know(const struct zones *zones, const struct name *name);

#endif
