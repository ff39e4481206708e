/* SPDX-License-Identifier: MIT */
/*
 * Hands an immutable object to every worker, and frees the old one when the last has moved on.
 *
 * One publisher (the main thread or a loading thread), a fixed number of readers, each a thread.
 * A reader's slot holds the newest object. The reader takes it between batches, which is its word
 * that it uses no older one; it may use what it took until it takes again. No lock, no atomic
 * read-modify-write on the reader's side.
 */
#ifndef PRIVLINKD_BASE_PUBLISH_H
#define PRIVLINKD_BASE_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

struct publish;

/* `release` gets each object once, on the publisher's thread, when no reader can hold it. */
struct publish *publish_new(unsigned readers, void (*release)(void *object));

/* No reader may run any more. Releases what is left. */
void publish_free(struct publish *publish);

/*
 * Publisher: makes `object` the newest. At most two live: the one before the current must have
 * been settled (publish_settled is true), else this is a bug.
 */
void publish_offer(struct publish *publish, void *object);

/* Publisher: true once every reader has taken the newest object; older ones are released by
 * then. */
bool publish_settled(struct publish *publish);

/* Publisher: the newest object, or NULL before the first. */
void *publish_newest(struct publish *publish);

/* Publisher: how many objects live now, and in *ret_most how many did at most. */
unsigned publish_alive(const struct publish *publish, unsigned *ret_most);

/* Reader `n`: the newest object; what it took before may be gone from now on. NULL before the
 * first. */
void *publish_take(struct publish *publish, unsigned n);

#endif
