/* SPDX-License-Identifier: MIT */
/*
 * A ring of letters, a lock and an eventfd.
 *
 * The descriptor is written when the box goes from empty to not empty, and read by the reader when
 * it finds the box empty, under the lock: so it is readable whenever a letter is there. It may
 * also be readable once too often (a writer posts, the reader takes, the writer then wakes it);
 * the reader finds nothing and goes on. A burst of letters costs one write.
 *
 * A ring without lock for many writers was refused: a letter is 24 octets, the lock is held
 * for that copy, and what posts here has already waited for the network.
 */
#include "base/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t lock;
	int fd;
	unsigned cap, first, count; /* under the lock */
	struct letter letters[];
};

struct mailbox *mailbox_new(unsigned letters)
{
	struct mailbox *mailbox;

	mailbox = calloc(1, sizeof(*mailbox) + letters * sizeof(mailbox->letters[0]));
	if (!mailbox)
		return NULL;
	mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->fd < 0) {
		free(mailbox);
		return NULL;
	}
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->cap = letters;
	return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

bool mailbox_post(struct mailbox *mailbox, const struct letter *letter)
{
	bool was_empty;

	pthread_mutex_lock(&mailbox->lock);
	if (mailbox->count == mailbox->cap) {
		pthread_mutex_unlock(&mailbox->lock);
		return false;
	}
	was_empty = mailbox->count == 0;
	mailbox->letters[(mailbox->first + mailbox->count) % mailbox->cap] = *letter;
	mailbox->count++;
	pthread_mutex_unlock(&mailbox->lock);
	/* Fails only where the count is at its maximum: then it is readable already. */
	if (was_empty)
		(void)eventfd_write(mailbox->fd, 1);
	return true;
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

bool mailbox_take(struct mailbox *mailbox, struct letter *ret)
{
	eventfd_t ignored;
	bool found;

	pthread_mutex_lock(&mailbox->lock);
	found = mailbox->count > 0;
	if (found) {
		*ret = mailbox->letters[mailbox->first];
		mailbox->first = (mailbox->first + 1) % mailbox->cap;
		mailbox->count--;
	} else {
		(void)eventfd_read(mailbox->fd, &ignored);
	}
	pthread_mutex_unlock(&mailbox->lock);
	return found;
}
