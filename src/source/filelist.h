/* SPDX-License-Identifier: MIT */
/*
 * The files of one load, as load.c and its helpers see them. Internal to source.
 */
#ifndef PRIVLINKD_SOURCE_FILELIST_H
#define PRIVLINKD_SOURCE_FILELIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "source/load.h"
#include "source/statedir.h"

/* Complaints of the last table, counted in the status beside those of the file's own reading. */
struct between {
	size_t errors, warnings;
	char *complaint; /* the first error, else the first warning; NULL: none */
};

struct file {
	struct source_status status; /* path and complaint point into the next two */
	char *path;
	char *complaint;
	bool complaint_is_error;
	uint64_t path_hash;
	char *entry_path;
	uint64_t conf_hash;
	struct stat seen;
	bool settled;
	bool put_off;              /* left unread, or not taken: it is still being written */
	uint64_t still_ms;         /* it has looked as it does now; UINT64_MAX: for ever */
	uint64_t wait_ms;          /* read it again when it has stood still for so long; 0: no */
	struct record_set *set;    /* NULL: nothing is served */
	const struct zones *zones; /* that the set was made with */
	bool good;                 /* the set came of a reading without errors, now or before */
	bool stored; /* a good set of it is in the state folder, not in `set`: not read yet */
	bool saved;  /* the state folder has this set */
	/*
	 * The file was not there when we started, and has not come since: what the state folder
	 * has is served. One that was there and goes takes its records along.
	 */
	bool absent;
	bool looped; /* its own CNAMEs lead in a circle */
	struct between between;
	bool gone;     /* it was not there at the last look */
	time_t warned; /* of the age of what is served; 0: never */
};

/* An entry of `records`. */
struct entry {
	char *path;
	/* Held back, by max-shrink: so many names of so many would be lost. names 0: it is not. */
	size_t lost, names;
	size_t accepted; /* the operator accepts that so many are lost at the next load */
};

struct file_list {
	size_t count;
	struct file *file;
	size_t sets_count;
	struct record_set **sets;
	size_t entries;
	struct entry *entry; /* as in load_conf */
};

struct sources {
	struct file_list list;
	struct statedir *state; /* NULL: last good sets are in memory alone */
	char *state_path;       /* as configured; NULL: not to be used */
	bool state_forget;
	bool state_late;     /* it was configured from the start: if it comes later, it is ours */
	char *state_trouble; /* what is wrong with it; NULL: nothing */
	bool begun;          /* has been loaded */
	uint32_t ttl_min, ttl_max; /* that the sets in `list` were made with */
	bool recovered; /* the state folder came late, and has what the next load wants */
};

/* What is the same for all files of one load. */
struct load {
	const struct load_conf *conf;
	const struct zones *zones;
	struct complaints *to;
	struct sources *old;
};

/* The file of this path, or NULL. */
struct file *list_find(const struct file_list *list, const char *path);

void file_fini(struct file *file);
void list_fini(struct file_list *list);

#endif
