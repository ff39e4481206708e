/* SPDX-License-Identifier: MIT */
/*
 * One source file, from the disk to a set. Internal to source. Blocks on the file.
 */
#ifndef PRIVLINKD_SOURCE_READFILE_H
#define PRIVLINKD_SOURCE_READFILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "source/filelist.h"

/*
 * Reads file->path. `still_ms` says since when it looks as it does; `put_off`, whether it may be
 * left for later because something good is served meanwhile, and then whether it was. Sets
 * `wait_ms`, `set` (stays NULL if nothing came of it), `seen`, `settled`, the format, and of the
 * status errors, warnings and complaint: those of this reading. Complaints are passed on.
 */
void readfile(const struct load *load, struct file *file);

/*
 * From start to stop complaints are counted in the status of the file, which keeps the first error
 * or else the first warning. They are kept, and passed on at the stop: a reading may not count.
 */
struct kept {
	enum complaint_level level;
	char *text;
	size_t place_len;
};
struct collector {
	struct complaints *to;
	struct complaints before;
	struct file *file;
	struct kept *kept; /* COMPLAINTS_A_FILE_MAX of a path are told at most */
	size_t count, room;
};
void collector_start(struct collector *collector, struct complaints *to, struct file *file);
void collector_stop(struct collector *collector);

/* The same file, unchanged as far as the file system can tell. */
bool same_file(const struct stat *a, const struct stat *b);

#endif
