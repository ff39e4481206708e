/* SPDX-License-Identifier: MIT */
/*
 * The folder of last good sets: one file a source (source/state.h), named by a hash of its path.
 *
 * A file is either the old one or the new one, whole, whenever the program or the machine stops.
 * The folder is ours alone while it is open: a second server that opens it gets an error. Files
 * in it that are not named as ours are left alone. Blocks on the disk; one thread.
 */
#ifndef PRIVLINKD_SOURCE_STATEDIR_H
#define PRIVLINKD_SOURCE_STATEDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/complaint.h"
#include "base/err.h"
#include "source/state.h"

/* Files of ours: as many as there can be sources (SOURCE_FILES_MAX). More are not looked at. */
#define STATEDIR_FILES_MAX 4096

struct statedir;

/* Opens it and removes what an interrupted writing left. NULL with the text, which names it. */
struct statedir *statedir_open(const char *path, struct err *err);
void statedir_close(struct statedir *dir);

/*
 * A folder of root's with nothing in it but files of ours, or nothing at all, becomes this user's,
 * and so do root's files: a service manager makes it so, and takes it back at each start of a
 * service that begins as root (systemd's StateDirectory). One in which something else lies was not
 * made for us and stays as it is, and so does what cannot be given: statedir_open will tell.
 */
void statedir_give(const char *path, uid_t uid, gid_t gid);

/* One file, by its head; texts are good during the call. -1 ends the walk. */
typedef int statedir_found_fn(void *arg, const char *path, const char *entry,
			      const struct state_head *head);

/*
 * Every file, in bytewise order of the sources' paths. Heads that cannot be read are complained of
 * and passed over. -1 when there is no memory, or `found` said so.
 */
int statedir_list(struct statedir *dir, statedir_found_fn *found, void *arg, struct complaints *to);

/* The set of this source, with one reference. NULL with the text, which names the file. */
struct record_set *statedir_read(struct statedir *dir, const char *path, const struct zones *zones,
				 const struct builder_conf *conf, struct state_head *ret_head,
				 struct err *err);

/*
 * Keeps this set for head->path. Nothing is written where the file says the same and is not a day
 * older. -1 with the text; then what was there is there.
 */
int statedir_write(struct statedir *dir, const struct state_head *head,
		   const struct record_set *set, struct err *err);

/* Removes every file of ours but those of these paths. */
void statedir_forget(struct statedir *dir, const char *const *paths, size_t count);

#endif
