/* SPDX-License-Identifier: MIT */
/*
 * The inside of struct zones: filled by zoneset.c, read by names.c, known to nobody else.
 *
 * Numbers that may be missing are kept plus one, so that zero means none.
 */
#ifndef PRIVLINKD_ZONE_ZONESET_H
#define PRIVLINKD_ZONE_ZONESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/names.h"
#include "zone/pattern.h"

/* Pairs at most: twice as many public zones as served ones is twice what Azure needs. */
#define PAIRS_MAX (2 * ZONES_MAX)
/* In private_label: the public zone's word in braces stands on the public side alone. */
#define LABEL_NONE 0xff

struct served_zone {
	char *text;
	struct pattern *pattern;
	enum zone_type type;
	bool site_recovery;
	bool inner; /* another served zone may lie below it; by zones_seal */
	unsigned pairs;
	uint32_t first_pair, last_pair; /* plus one */
};

struct public_zone {
	struct pattern *pattern;
	unsigned pairs;
	uint32_t first_pair, last_pair; /* plus one */
};

struct pair {
	uint16_t zone, public;
	bool regular;      /* the private zone is `privatelink.` and the public one */
	char *public_text; /* with its own words in braces */
	/* For the i-th brace of the one: which label of the other. */
	uint8_t public_label[ZONE_BRACES_MAX];
	uint8_t private_label[ZONE_BRACES_MAX];
	uint32_t next_of_zone, next_of_public; /* plus one */
};

/* A pattern on its tail. */
struct hanger {
	const struct pattern *pattern;
	bool public;
	uint16_t at;   /* number of the served or public zone */
	uint32_t next; /* of the same slot, plus one */
};

struct zones {
	struct served_zone *zones;
	size_t zones_count, zones_room;
	struct public_zone *publics;
	size_t publics_count, publics_room;
	struct pair *pairs;
	size_t pairs_count, pairs_room;

	/* Made by zones_seal. */
	bool sealed;
	struct hanger *hangers;
	uint32_t *slots; /* hanger plus one, by the tail's hash */
	size_t slots_mask;
	unsigned tail_labels_min, tail_labels_max;
	struct zone_ends ends;
};

/* First hanger that may have this tail, plus one; 0: none. */
static inline uint32_t zones_hook(const struct zones *zones, uint64_t tail_hash)
{
	return zones->slots[tail_hash & zones->slots_mask];
}

#endif
