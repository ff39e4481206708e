/* SPDX-License-Identifier: MIT */
/*
 * The values of privlinkd.yaml: from a node of the tree to a field, checked. One thread.
 */
#ifndef PRIVLINKD_ADMIN_VALUE_H
#define PRIVLINKD_ADMIN_VALUE_H

#include <stdbool.h>

#include "admin/config.h"
#include "admin/keys.h"
#include "admin/ytree.h"
#include "base/arena.h"
#include "base/complaint.h"

struct value_reader {
	struct arena *arena; /* where lists and texts go */
	const char *path;    /* of the file, for complaints */
	struct complaints *to;
};

/* One error at the node, which names the key. Returns -1. */
int value_refuse(const struct value_reader *reader, const struct ynode *node, const struct key *key,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Any kind but sections and entries. `field` is where key->offset points. -1 with complaints, and
 * the field is untouched.
 */
int value_read(const struct value_reader *reader, const struct key *key, const struct ynode *node,
	       void *field);

/* Do both fields say the same? */
bool value_equal(const struct key *key, const void *a, const void *b);

/* For the readers of single kinds. */
typedef int value_fn(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field);
/* Octets of a bad value that a complaint shows. */
#define VALUE_SHOWN 60
/* Zeroed memory, and a copy of a text, in the arena; NULL with a complaint. */
void *value_take(const struct value_reader *reader, const struct key *key, const struct ynode *node,
		 size_t size);
const char *value_copy(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, const char *text);
/* The node's text is none of `words`. Returns -1. */
int value_refuse_word(const struct value_reader *reader, const struct key *key,
		      const struct ynode *node, const char *const *words);

#endif
