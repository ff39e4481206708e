/* SPDX-License-Identifier: MIT */
/*
 * What is served instead of a bad reading, and of an entry that shrinks too much. Internal to
 * source. Blocks on the state folder.
 */
#ifndef PRIVLINKD_SOURCE_LASTGOOD_H
#define PRIVLINKD_SOURCE_LASTGOOD_H

#include "source/filelist.h"

/* A first list from the state folder: files of which the sets are still there. -1: no memory. */
int lastgood_restore(struct sources *sources, struct complaints *to);

/*
 * The state folder came after the first load: what it has of files that have nothing good is theirs
 * at the next load. -1: no memory.
 */
int lastgood_recover(struct sources *sources, struct complaints *to);

/*
 * The last good set of a file of the old list, in the zones of this load: one reference. NULL if
 * there is none; a damaged one in the state folder is complained of.
 */
struct record_set *lastgood_set(const struct load *load, struct file *old);

/*
 * Decides between the new reading in file->set and what `old`, which is good, had; sets state,
 * records and loaded. `old` NULL: it had nothing. `there`: the file is not missing.
 */
void lastgood_settle(const struct load *load, struct file *file, struct file *old, bool there);

/*
 * Holds back each entry that loses too many names, by putting what it had in the place of its new
 * files. -1: no memory.
 */
int lastgood_guard(const struct load *load, struct file_list *list);

/* Warns of what has been in use for too long, at `now`; `again`: though it was said today. */
void lastgood_warn_old(struct file_list *list, time_t now, bool again, struct complaints *to);

#endif
