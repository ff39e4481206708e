/* SPDX-License-Identifier: MIT */
/*
 * All configured sources: which files they are, what each holds, and what is served of it.
 *
 * Errors and last good are per file. A file with an error is not taken while there is a last good
 * set of it, in memory or in the state folder; without one its good lines are served. An unchanged
 * good file keeps its set and is not read again. A file that is gone takes its records along; one
 * that is not there when we start is served from the state folder.
 *
 * An entry that loses too many names at once is held back as a whole: what it had is served.
 *
 * The same calls serve the server, `privlinkd -t` and `privlinkctl check`: those make a
 * `struct sources`, load once and look at complaints and status. Blocks on files; one thread.
 */
#ifndef PRIVLINKD_SOURCE_LOAD_H
#define PRIVLINKD_SOURCE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/complaint.h"
#include "base/err.h"
#include "source/detect.h"
#include "source/reading.h"
#include "source/still.h"
#include "zone/builder.h"
#include "zone/names.h"
#include "zone/table.h"

/* Octets of a file: some five million records. Beyond it is a disk image or a mistake. */
#define SOURCE_FILE_MAX ((size_t)256 << 20)
/* Records of a file: about half a gigabyte of sets. */
#define SOURCE_RECORDS_MAX 5000000
/* Times that a file is read anew because it changed meanwhile, before it counts as unfinished. */
#define SOURCE_READS_MAX 3

/* An entry of `records`. Texts need to live during sources_load alone. */
struct source_conf {
	const char *path;          /* file, folder or glob */
	enum source_format format; /* SOURCE_AUTO: by content */
	const char *zone; /* origin of relative names where the file has none; NULL: none */
	uint32_t ttl;     /* seconds, where the file has none; RECORD_TTL_DEFAULT */
};

struct load_conf {
	const struct source_conf *sources; /* in order of precedence */
	size_t count;
	uint32_t ttl_min, ttl_max; /* seconds */
	unsigned max_shrink;       /* percent of an entry's names that may go at once; 100: all */
	/*
	 * The folder of last good sets; NULL: they are in memory alone. Trouble with it is a
	 * warning, once. Another folder than the last time is only written to.
	 */
	const char *state;
	bool state_forget; /* sets of files that are not configured are removed from it */
	/*
	 * Account of how files look, shared with the watch; NULL: nobody comes back later, so every
	 * file is taken as it is.
	 */
	struct still *still;
	struct reading *reading; /* is told which file it is at; or NULL */
	/*
	 * Only what has changed is wanted: files with errors are not read again as long as they
	 * look the same, and one that still changes (STILL_QUIET_MS) is left as it was.
	 */
	bool changes_only;
};

/* Names of an entry from which max_shrink counts: below, a single file is half of everything. */
#define SOURCE_SHRINK_NAMES_MIN 10
/* Seconds after which a last good version that is in use is warned of. */
#define SOURCE_OLD_S (7 * 86400)
/* And between two such warnings about one file, where nobody asks. */
#define SOURCE_WARN_S 86400

enum source_state {
	SOURCE_GOOD,      /* read without an error */
	SOURCE_DEGRADED,  /* it has errors and no last good: its good lines are served */
	SOURCE_LAST_GOOD, /* it has errors: what it held before is served */
	SOURCE_FAILED,    /* nothing of it is served */
	SOURCE_HELD,      /* its entry is held back: what it held before is served, if anything */
};
/* `good`, `degraded`, `last good`, `failed`, `held back`. */
const char *source_state_name(enum source_state state);

/* Of one file, in order of precedence. */
struct source_status {
	const char *path;
	size_t entry; /* which of load_conf's sources it belongs to */
	enum source_state state;
	enum source_format format; /* SOURCE_AUTO: unknown */
	size_t records;            /* served */
	time_t loaded;             /* when what is served was read; 0: nothing is */
	/* Of its last reading, and of its records beside those of others. */
	size_t errors, warnings;
	const char *complaint; /* the first error, else the first warning, else "" */
};

struct sources;

/* Without files. NULL when there is no memory. */
struct sources *sources_new(void);
void sources_free(struct sources *sources);

/*
 * Reads what has changed since the last call and tells every complaint. `zones` is sealed and has
 * to live as long as the sets. Another `zones` than the last time: everything is read anew and no
 * set of the old one is kept, so the old zones (which must be alive during this call) may go when
 * their sets are gone. 0 however many complaints there were; -1 without memory: then nothing has
 * changed.
 */
int sources_load(struct sources *sources, const struct load_conf *conf, const struct zones *zones,
		 struct complaints *complaints, struct err *err);

/*
 * The sets to serve, in order of precedence; valid until the next call that changes `sources`.
 * Returns how many.
 */
size_t sources_sets(const struct sources *sources, struct record_set *const **ret);

/*
 * The table of all sets, in order of precedence; see table_new. What it complains of shows in the
 * status of the files.
 */
struct table *sources_table(struct sources *sources, const struct zones *zones,
			    const struct table_conf *conf, struct complaints *complaints);

/* One for each file, and for each entry that is missing. Pointers are valid as above. */
size_t sources_count(const struct sources *sources);
const struct source_status *sources_status(const struct sources *sources, size_t i);

/* Files that are not good. */
size_t sources_troubled(const struct sources *sources);

/*
 * Writes the good sets that the state folder does not have yet, and forgets others. To be called
 * after sources_load, once what it gave is served: it waits for the disk.
 */
void sources_save(struct sources *sources, struct complaints *complaints);

/*
 * What is due by the clock and not by a change, to be called each minute or so: warnings of last
 * good versions that are old by now, and another try of what the state folder did not take. True: a
 * load is wanted, since the state folder is there at last and has something better than what is
 * served.
 */
bool sources_tend(struct sources *sources, time_t now, struct complaints *complaints);

/* The state folder, or NULL; *ret_trouble is what is wrong with it, or NULL. */
const char *sources_state(const struct sources *sources, const char **ret_trouble);

/* What max_shrink holds back. */
struct source_hold {
	const char *path;   /* of the entry: what sources_accept is told */
	size_t lost, names; /* so many of so many names would be lost */
};
/* Of the entry of file i. false: it is not held back. */
bool sources_hold(const struct sources *sources, size_t i, struct source_hold *ret);

/*
 * The next load takes this entry (or the entry of this file) although it loses names: as many as it
 * was held back for, no more. Also lets go of its files that were not there at the start. -1 if
 * there is nothing to accept.
 */
int sources_accept(struct sources *sources, const char *path, struct err *err);

#endif
