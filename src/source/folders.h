/* SPDX-License-Identifier: MIT */
/*
 * Notices of change in the folders that lead to files: inotify(7) on folders, never on files.
 *
 * The owner tells from time to time the whole list of paths to follow; a notice says only that
 * something on the way to one of them may have changed, and is given once for many changes. On
 * the thread of its event base.
 */
#ifndef PRIVLINKD_SOURCE_FOLDERS_H
#define PRIVLINKD_SOURCE_FOLDERS_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Folders watched at the most; the kernel allows a user 8,192 and more (max_user_watches). A
 * source needs one for each step of its path.
 */
#define FOLDERS_MAX 1024

struct folders;

typedef void folders_notice_fn(void *arg);

/* `max` folders. NULL with *err: the kernel gives no notices (which limit, is said). */
struct folders *folders_new(struct event_base *base, unsigned max, folders_notice_fn *notice,
			    void *arg, struct err *err);
void folders_free(struct folders *folders);

/*
 * Begin, the paths, end: from then on these are followed and no others. What was changed before the
 * end may give no notice: look after it.
 *
 * A path: each folder on its way, through symbolic links, for the one name that is next; so it may
 * be missing, wholly or in part, and come later. `whole`: it is a folder (or leads to one) of which
 * every name counts. End: -1 with *err if a limit left some unwatched, told which.
 */
void folders_begin(struct folders *folders);
void folders_follow(struct folders *folders, const char *path, bool whole);
int folders_end(struct folders *folders, struct err *err);

#endif
