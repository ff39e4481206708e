/* SPDX-License-Identifier: MIT */
/*
 * Every key of privlinkd.yaml as data: what it is called, what it holds, where it goes, its bounds
 * and its default. The manual page and the tests are checked against this table. Pure.
 */
#ifndef PRIVLINKD_ADMIN_KEYS_H
#define PRIVLINKD_ADMIN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_kind {
	KEY_SECTION,   /* a map of keys below it */
	KEY_ENTRIES,   /* a list of maps, whose keys are below it; struct config_list */
	KEY_BOOL,      /* bool */
	KEY_DURATION,  /* uint32_t, seconds; min and max in seconds */
	KEY_TTL,       /* the same; a bare number is seconds */
	KEY_SIZE,      /* size_t, octets */
	KEY_PERCENT,   /* uint32_t */
	KEY_COUNT,     /* uint32_t */
	KEY_WORKERS,   /* uint32_t; `auto` is 0 */
	KEY_WORD,      /* an enum of int's size: the place among `words` */
	KEY_TEXT,      /* const char *; min and max of its length */
	KEY_PATH,      /* const char * */
	KEY_NAME,      /* const char *: a domain name */
	KEY_PRESET,    /* const char *: of zone_presets */
	KEY_IDENTITY,  /* const char *: hide is "", auto is replaced */
	KEY_FORMAT,    /* enum source_format */
	KEY_ADDRS,     /* struct config_addrs; min is the default port */
	KEY_ALLOW,     /* struct addr_list */
	KEY_TEXTS,     /* struct config_texts; max is their number */
	KEY_UPSTREAMS, /* struct config_upstreams */
	KEY_PINS,      /* struct config_pins; max is their number */
	KEY_ALIASES,   /* struct config_aliases */
};

enum key_state {
	KEY_ACTIVE,
	KEY_LATER, /* checked; does nothing in this version */
};

struct key {
	const char *path; /* `server.listen`, `zones[].preset` */
	enum key_kind kind;
	size_t offset; /* in struct config, or in the entry */
	uint64_t min, max;
	const char *const *words; /* NULL at the end */
	const char *fallback;     /* the default, as YAML; NULL: zero octets */
	enum key_state state;
	bool restart; /* a change needs a restart */
	size_t size;  /* of an entry */
};

extern const struct key keys[];
extern const size_t keys_count;

/*
 * The key `name` in the section or entry `path` ("" for the top, `zones[]`); NULL: there is none.
 */
const struct key *key_find(const char *path, const char *name);

/* By its whole path; NULL if there is none. */
const struct key *key_get(const char *path);

/* Is this key directly in `path`? */
bool key_is_in(const struct key *key, const char *path);

/* The last word of its path. */
const char *key_leaf(const struct key *key);

/*
 * The path of the key that was probably meant by `name` in `path`: a near one there, or one of that
 * name elsewhere. NULL if none is near.
 */
const char *key_near(const char *path, const char *name);

/* The nearest of `words`, or NULL. */
const char *word_near(const char *const *words, const char *word);

#endif
