/* SPDX-License-Identifier: MIT */
/*
 * Small letters from any thread to one thread, which is woken by an eventfd.
 *
 * Bounded: a full box refuses. Letters are copied in and out, in order. The lock is held for the
 * copy of one letter; nobody waits for room.
 */
#ifndef PRIVLINKD_BASE_MAILBOX_H
#define PRIVLINKD_BASE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct mailbox;

/* What a letter holds is a matter between its writers and its reader. */
struct letter {
	uint32_t kind;
	uint32_t number;
	uint64_t value;
	void *pointer;
};

/* Room for `letters`. NULL when there is no memory or no descriptor. */
struct mailbox *mailbox_new(unsigned letters);
void mailbox_free(struct mailbox *mailbox);

/* Any thread. False where the box is full. */
bool mailbox_post(struct mailbox *mailbox, const struct letter *letter);

/* Reader: becomes readable when there is a letter. */
int mailbox_fd(const struct mailbox *mailbox);

/* Reader: the oldest letter; false when there is none (which also quiets the descriptor). */
bool mailbox_take(struct mailbox *mailbox, struct letter *ret);

#endif
