/* SPDX-License-Identifier: MIT */
/*
 * A YAML file as a small tree whose every node knows where it stands, for the configuration.
 *
 * One document. Anchors, aliases and tags are refused, and so is a key that stands twice in a map.
 * The tree is bounded in depth, nodes and octets. Nodes and texts live in the arena that was given.
 * One thread.
 */
#ifndef PRIVLINKD_ADMIN_YTREE_H
#define PRIVLINKD_ADMIN_YTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/complaint.h"

/* The deepest path of a configuration is root, section, list, map, list, value: six. */
#define YTREE_DEPTH_MAX 8
/* Two lists of 10,000 names with room to spare; it bounds memory at some 20 MiB. */
#define YTREE_NODES_MAX 100000
/* Octets of a configuration. */
#define YTREE_BYTES_MAX ((size_t)4 << 20)

enum ynode_kind {
	YNODE_SCALAR,
	YNODE_LIST,
	YNODE_MAP,
	YNODE_ALIAS, /* has been complained of: nobody else need */
};

struct ynode {
	enum ynode_kind kind;
	bool plain;            /* a scalar without quotes: may be a number, true or nothing */
	unsigned line, column; /* from one */
	const char *text;      /* of a scalar; no NUL inside */
	const char *key;       /* inside a map: its key ... */
	unsigned key_line, key_column; /* ... and where that stands */
	struct ynode *first, *last;    /* children, in order */
	struct ynode *next;            /* of its parent */
	size_t count;
};

/*
 * NULL where the file is not well formed, with one complaint. Anchors, aliases, tags, keys that
 * stand twice and a second document are complained of, and the tree goes on: to be used only where
 * nobody complained. An empty file is an empty map. `path` is for complaints.
 */
struct ynode *ytree_parse(struct arena *arena, const char *path, const char *text, size_t len,
			  struct complaints *to);

/* Nothing, `~` or `null`, without quotes. */
bool ynode_is_null(const struct ynode *node);

#endif
