/* SPDX-License-Identifier: MIT */
/*
 * How the files of all sources look by stat(2), since when, and how they looked when they were
 * loaded: what has changed, and whether it still does.
 *
 * Times are clock_now_ms(). "Looks" are device, inode, size, time of change and time of status
 * change. Every entry of `records` has its own look, since each is polled at its own pace. One
 * thread; no system calls.
 */
#ifndef PRIVLINKD_SOURCE_STILL_H
#define PRIVLINKD_SOURCE_STILL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A change is taken after so much quiet (the contract's 200 ms). */
#define STILL_QUIET_MS 200
/* A file whose last line has no end is taken when it has stood still for so long. */
#define STILL_END_MS 2000
/*
 * File systems that stamp whole seconds (FAT: every other) show two changes as one; so a file that
 * was read sooner than this after its change is read once more.
 */
#define STILL_COARSE_MS 4000
/*
 * What cannot be read for a reason that may pass without a change that shows (a share fails) is
 * tried again after so long, after twice as long the next time, and so on, but at least so often.
 */
#define STILL_RETRY_MS 2000
#define STILL_RETRY_MAX_MS 300000
/* Files that are kept account of: sixteen full folders. What is beyond is never seen to change. */
#define STILL_FILES_MAX 65536

struct still;

/* NULL when there is no memory. */
struct still *still_new(void);
void still_free(struct still *still);

/*
 * The file looks like this now; `st` NULL: it is not to be had. Returns for how many ms it has been
 * seen to look so. Before the first look at an entry has ended the file's own times are believed,
 * so that what was written long ago needs no waiting at a start; later only what we saw ourselves:
 * the clock of a share may be wrong. Without memory UINT64_MAX.
 */
uint64_t still_note(struct still *still, const char *path, const struct stat *st, size_t entry,
		    uint64_t now_ms);

/* A look at an entry: begin, note each of its files, end. Files not noted are gone. */
void still_look_begin(struct still *still, size_t entry);
void still_look_end(struct still *still, size_t entry, uint64_t now_ms);

/*
 * What a load has read: begin, each file with its looks then (all zero: it was not to be had), end.
 * wait_ms: it is to be read again when it has stood still for so long, even unchanged; 0: no.
 * Entries from `entries` on are no more.
 */
void still_load_begin(struct still *still);
void still_loaded(struct still *still, const char *path, const struct stat *st, size_t entry,
		  uint64_t wait_ms);
void still_load_end(struct still *still, size_t entries);

struct still_summary {
	size_t ready;     /* other than loaded and quiet, or waited long enough */
	size_t busy;      /* other than loaded, and not quiet yet */
	uint64_t next_ms; /* until the next has waited long enough; UINT64_MAX: none waits */
};

struct still_summary still_summarize(const struct still *still, uint64_t now_ms);

#endif
