/* SPDX-License-Identifier: MIT */
/*
 * A load makes a new list of files beside the old one, reads what it must, takes over the rest, and
 * swaps the lists at the end; without memory the old list simply stays.
 *
 * A file keeps its set unread if device, inode, size, times and its entry's settings are the same
 * and its last reading had no error: a file with errors is read every time, so that a reload tells
 * them again. File systems stamp times coarsely, so a file that was written just before it was
 * read may have changed since under the same stamp: such a reading is not relied on (`settled`).
 *
 * At a start the old list is what the state folder has (lastgood.c), so there is one path for what
 * becomes of a bad file. Writing to that folder waits for the disk and is a call of its own, for
 * when the new records are served. What cannot be written is tried again with every load, and
 * told once.
 */
#include "source/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "source/between.h"
#include "source/filelist.h"
#include "source/lastgood.h"
#include "source/paths.h"
#include "source/readfile.h"

const char *source_state_name(enum source_state state)
{
	static const char *const names[] = {
		[SOURCE_GOOD] = "good",           [SOURCE_DEGRADED] = "degraded",
		[SOURCE_LAST_GOOD] = "last good", [SOURCE_FAILED] = "failed",
		[SOURCE_HELD] = "held back",
	};

	return names[state];
}

void file_fini(struct file *file)
{
	free(file->path);
	free(file->complaint);
	free(file->between.complaint);
	free(file->entry_path);
	record_set_unref(file->set);
}

void list_fini(struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		file_fini(&list->file[i]);
	for (size_t i = 0; i < list->entries; i++)
		free(list->entry[i].path);
	free(list->entry);
	free(list->file);
	free(list->sets);
	*list = (struct file_list){ 0 };
}

struct file *list_find(const struct file_list *list, const char *path)
{
	uint64_t hash = hash_bytes(path, strlen(path));

	for (size_t i = 0; i < list->count; i++)
		if (list->file[i].path_hash == hash && strcmp(list->file[i].path, path) == 0)
			return &list->file[i];
	return NULL;
}

struct sources *sources_new(void)
{
	return calloc(1, sizeof(struct sources));
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	list_fini(&sources->list);
	statedir_close(sources->state);
	free(sources->state_path);
	free(sources->state_trouble);
	free(sources);
}

size_t sources_sets(const struct sources *sources, struct record_set *const **ret)
{
	*ret = sources->list.sets;
	return sources->list.sets_count;
}

size_t sources_count(const struct sources *sources)
{
	return sources->list.count;
}

const struct source_status *sources_status(const struct sources *sources, size_t i)
{
	return &sources->list.file[i].status;
}

size_t sources_troubled(const struct sources *sources)
{
	size_t troubled = 0;

	for (size_t i = 0; i < sources->list.count; i++)
		troubled += sources->list.file[i].status.state != SOURCE_GOOD;
	return troubled;
}

/* ---- one file -------------------------------------------------------------------------------- */

static int take_over(struct file *file, const struct file *old)
{
	file->status = old->status;
	file->seen = old->seen;
	file->settled = old->settled;
	file->put_off = old->put_off;
	file->wait_ms = old->wait_ms;
	file->complaint_is_error = old->complaint_is_error;
	if (old->complaint) {
		file->complaint = strdup(old->complaint);
		if (!file->complaint)
			return -1;
	}
	file->set = old->set ? record_set_ref(old->set) : NULL;
	file->zones = old->zones;
	file->good = old->good;
	file->saved = old->saved && strcmp(file->entry_path, old->entry_path) == 0;
	file->absent = old->absent;
	file->gone = old->gone;
	file->looped = old->looped;
	/* Counted in the status until the next table. */
	file->between = old->between;
	file->between.complaint = NULL;
	file->warned = old->warned;
	file->status.path = file->path;
	file->status.complaint = file->complaint ? file->complaint : "";
	return 0;
}

/* Nothing is to be done about it in a load of changes: it has none, or is still being written. */
static bool is_left(const struct load *load, const struct file *file, const struct file *old,
		    const struct stat *now)
{
	if (!load->conf->changes_only)
		return false;
	if (!old)
		return file->still_ms < STILL_QUIET_MS;
	if (old->stored)
		return false;
	if (old->conf_hash != file->conf_hash || old->zones != load->zones)
		return false;
	if (!same_file(&old->seen, now))
		return file->still_ms < STILL_QUIET_MS;
	if (old->wait_ms)
		return file->still_ms < old->wait_ms;
	/* Whether its entry is still to be held back is found out anew. */
	if (old->status.state == SOURCE_HELD)
		return false;
	return old->settled || !now->st_ino;
}

/* Of errno: is it not there? Only a plain "no" says so: no denial, no failure. */
static bool says_gone(void)
{
	return errno == ENOENT || errno == ENOTDIR;
}

/* 0; 1: it is left out, as it was; -1: no memory. */
static int load_file(const struct load *load, struct file *file)
{
	struct file *old = list_find(&load->old->list, file->path), *last_good = NULL;
	size_t entry = file->status.entry;
	struct stat now;
	bool there, gone;

	reading_at(load->conf->reading, file->path);
	there = stat(file->path, &now) == 0;
	gone = !there && says_gone();

	if (!there)
		memset(&now, 0, sizeof(now));
	file->still_ms = load->conf->still ? still_note(load->conf->still, file->path,
							there ? &now : NULL, entry, clock_now_ms())
					   : UINT64_MAX;
	if (is_left(load, file, old, &now) && !old)
		return 1;
	if (old && old->good && (old->set || old->stored) && (!gone || old->absent))
		last_good = old;
	if (is_left(load, file, old, &now) ||
	    (!gone && last_good && old->status.state == SOURCE_GOOD && old->settled &&
	     old->zones == load->zones && old->conf_hash == file->conf_hash &&
	     same_file(&old->seen, &now))) {
		if (take_over(file, old) < 0)
			return -1;
		file->status.entry = entry;
		return 0;
	}
	file->gone = gone;
	file->put_off = !gone && last_good;
	readfile(load, file);
	between_check_file(load, file, last_good);
	lastgood_settle(load, file, last_good, !gone);
	return 0;
}

/* ---- the list -------------------------------------------------------------------------------- */

/* Settings that change what a file's text becomes. */
static uint64_t conf_hash(const struct load_conf *conf, const struct source_conf *source)
{
	uint32_t numbers[] = { (uint32_t)source->format, source->ttl, conf->ttl_min,
			       conf->ttl_max };
	uint64_t hash = hash_bytes(numbers, sizeof(numbers));

	return source->zone ? hash_join(hash, hash_bytes(source->zone, strlen(source->zone)))
			    : hash;
}

/* Is it to be looked after although its entry does not show it? */
static bool still_counts(const struct file *old, bool entry_missing)
{
	struct stat st;

	if (!old->set && !old->stored)
		return false;
	if (entry_missing && old->absent && old->good)
		return true;
	return stat(old->path, &st) == 0 ? S_ISREG(st.st_mode) : !says_gone();
}

/* Adds those files of the entry's that count and are not in `shown`, which is in order. */
static int add_old_paths(const struct load *load, const struct source_conf *source,
			 bool entry_missing, const struct paths *shown, struct paths *paths)
{
	const struct file_list *old = &load->old->list;

	for (size_t i = 0; i < old->count; i++)
		if (strcmp(old->file[i].entry_path, source->path) == 0 &&
		    !paths_has(shown, old->file[i].path) &&
		    still_counts(&old->file[i], entry_missing) &&
		    paths_add(paths, old->file[i].path) < 0)
			return -1;
	return 0;
}

/*
 * The files of an entry: what it shows; what it had and does not show though it may be there, since
 * a folder on the way cannot be searched or a share fails; and what the state folder has where
 * nothing was there when we started (a share that is not mounted yet). *ret_unread: it is a folder
 * that cannot be read.
 */
static int entry_paths(const struct load *load, const struct source_conf *source,
		       struct paths *paths, bool *ret_unread)
{
	struct paths more = { 0 };
	int result = paths_expand(paths, source->path, load->to);
	struct stat st;
	bool missing;

	*ret_unread = result > 0;
	/* What is not there is taken for a file of that name, a pattern for none. */
	missing = !paths->count || (paths->count == 1 && strcmp(paths->path[0], source->path) == 0);
	missing = missing && result == 0 && stat(source->path, &st) < 0 && says_gone();
	if (result < 0 || add_old_paths(load, source, missing, paths, &more) < 0)
		goto fail;
	if (missing && more.count)
		paths_fini(paths);
	for (size_t i = 0; i < more.count; i++)
		if (paths_add(paths, more.path[i]) < 0)
			goto fail;
	if (more.count)
		paths_sort(paths);
	paths_fini(&more);
	return 0;
fail:
	paths_fini(&more);
	return -1;
}

static int list_add(struct file_list *list, const struct load *load, size_t entry, const char *path)
{
	const struct source_conf *source = &load->conf->sources[entry];
	struct file file = { .path_hash = hash_bytes(path, strlen(path)) };
	struct file *grown;
	int left;

	file.path = strdup(path);
	file.entry_path = strdup(source->path);
	grown = realloc(list->file, (list->count + 1) * sizeof(*grown));
	if (grown)
		list->file = grown;
	if (!file.path || !file.entry_path || !grown)
		goto fail;
	if (list_find(list, path)) {
		complain(load->to, COMPLAINT_WARNING, path, 0, 0,
			 "is named a second time under `records`; the first counts, take one out");
		file_fini(&file);
		return 0;
	}
	file.conf_hash = conf_hash(load->conf, source);
	file.status = (struct source_status){
		.path = file.path, .entry = entry, .complaint = "", .format = source->format
	};
	left = load_file(load, &file);
	if (left < 0)
		goto fail;
	if (left)
		file_fini(&file);
	else
		list->file[list->count++] = file;
	return 0;
fail:
	file_fini(&file);
	return -1;
}

/* A folder that cannot be read, as if it were a file: the status is to tell. */
static int list_add_folder(struct file_list *list, size_t entry, const char *path,
			   struct file *folder)
{
	struct file *grown = realloc(list->file, (list->count + 1) * sizeof(*grown));

	if (!grown)
		return -1;
	list->file = grown;
	folder->path = strdup(path);
	folder->entry_path = strdup(path);
	if (!folder->path || !folder->entry_path)
		return -1;
	folder->status.path = folder->path;
	folder->status.entry = entry;
	folder->status.state = SOURCE_FAILED;
	list->file[list->count++] = *folder;
	return 0;
}

/* The files of an entry. */
static int list_add_entry(struct file_list *list, const struct load *load, size_t entry)
{
	const struct source_conf *source = &load->conf->sources[entry];
	struct file folder = { .path_hash = hash_bytes(source->path, strlen(source->path)) };
	struct paths paths = { 0 };
	struct collector collector;
	bool unread, added = false;
	int result;

	collector_start(&collector, load->to, &folder);
	reading_at(load->conf->reading, source->path);
	result = entry_paths(load, source, &paths, &unread);
	collector_stop(&collector);
	if (result == 0 && unread) {
		result = list_add_folder(list, entry, source->path, &folder);
		added = result == 0;
	}
	for (size_t i = 0; i < paths.count && result == 0; i++)
		result = list_add(list, load, entry, paths.path[i]);
	paths_fini(&paths);
	if (!added)
		file_fini(&folder);
	return result;
}

static int list_entries(struct file_list *list, const struct load_conf *conf)
{
	list->entry = calloc(conf->count + 1, sizeof(*list->entry));
	if (!list->entry)
		return -1;
	for (; list->entries < conf->count; list->entries++) {
		struct entry *entry = &list->entry[list->entries];

		entry->path = strdup(conf->sources[list->entries].path);
		if (!entry->path)
			return -1;
	}
	return 0;
}

static int list_fill(struct file_list *list, const struct load *load)
{
	if (list_entries(list, load->conf) < 0)
		return -1;
	for (size_t entry = 0; entry < load->conf->count; entry++)
		if (list_add_entry(list, load, entry) < 0)
			return -1;
	if (lastgood_guard(load, list) < 0)
		return -1;
	lastgood_warn_old(list, time(NULL), !load->conf->changes_only, load->to);
	list->sets = calloc(list->count + 1, sizeof(struct record_set *));
	if (!list->sets)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (list->file[i].set)
			list->sets[list->sets_count++] = list->file[i].set;
	return 0;
}

/* ---- the state folder ------------------------------------------------------------------------ */

/* What is wrong with it, or NULL. Told when it begins and when it becomes another. */
static void state_trouble(struct sources *sources, const char *text, struct complaints *to)
{
	if (text && (!sources->state_trouble || strcmp(sources->state_trouble, text) != 0))
		complain(to, COMPLAINT_WARNING, NULL, 0, 0,
			 "state folder %s; last good records are kept in memory only until it can "
			 "be "
			 "written",
			 text);
	free(sources->state_trouble);
	sources->state_trouble = text ? strdup(text) : NULL;
}

/* 0, too, where it is not to be had. -1: no memory. */
static int open_state(struct sources *sources, struct complaints *to)
{
	struct err err;

	sources->state = statedir_open(sources->state_path, &err);
	state_trouble(sources, sources->state ? NULL : err.text, to);
	if (!sources->state)
		return 0;
	for (size_t i = 0; i < sources->list.count; i++)
		sources->list.file[i].saved = false;
	if (!sources->begun)
		return lastgood_restore(sources, to);
	return sources->state_late ? lastgood_recover(sources, to) : 0;
}

/* Another folder, or one that was not to be had. -1: no memory. */
static int follow_state(struct sources *sources, const struct load_conf *conf,
			struct complaints *to)
{
	bool same =
		sources->state_path && conf->state && strcmp(sources->state_path, conf->state) == 0;

	sources->state_forget = conf->state_forget;
	if (!same) {
		/* One that is named later has nothing of ours. */
		sources->state_late = !sources->begun;
		statedir_close(sources->state);
		sources->state = NULL;
		free(sources->state_path);
		sources->state_path = conf->state ? strdup(conf->state) : NULL;
		state_trouble(sources, NULL, to);
	}
	return sources->state_path && !sources->state ? open_state(sources, to) : 0;
}

void sources_save(struct sources *sources, struct complaints *complaints)
{
	const struct file_list *list = &sources->list;
	const char **keep;
	struct err err = { .text = "" };
	bool tried = false, failed = false;
	size_t count = 0;

	if (!sources->state)
		return;
	keep = calloc(list->count + 1, sizeof(*keep));
	for (size_t i = 0; i < list->count; i++) {
		struct file *file = &list->file[i];
		struct state_head head = { .taken = file->status.loaded,
					   .format = file->status.format,
					   .path = file->path,
					   .entry = file->entry_path,
					   .path_len = strlen(file->path),
					   .entry_len = strlen(file->entry_path) };

		/* Of a file in trouble, too, that has more than what is served. */
		if (keep && (file->good || !file->gone))
			keep[count++] = file->path;
		if (!file->set || !file->good || file->stored || file->saved)
			continue;
		tried = true;
		file->saved = statedir_write(sources->state, &head, file->set, &err) == 0;
		failed |= !file->saved;
	}
	if (failed || tried)
		state_trouble(sources, failed ? err.text : NULL, complaints);
	if (keep && sources->state_forget)
		statedir_forget(sources->state, keep, count);
	free(keep);
}

bool sources_tend(struct sources *sources, time_t now, struct complaints *complaints)
{
	sources->recovered = false;
	lastgood_warn_old(&sources->list, now, false, complaints);
	if (!sources->begun || !sources->state_path || !sources->state_trouble)
		return false;
	if (!sources->state && open_state(sources, complaints) < 0)
		return false;
	sources_save(sources, complaints);
	return sources->recovered;
}

const char *sources_state(const struct sources *sources, const char **ret_trouble)
{
	*ret_trouble = sources->state_trouble;
	return sources->state_path;
}

/* ---- an entry that is held back -------------------------------------------------------------- */

bool sources_hold(const struct sources *sources, size_t i, struct source_hold *ret)
{
	const struct entry *entry = &sources->list.entry[sources->list.file[i].status.entry];

	if (!entry->names)
		return false;
	*ret = (struct source_hold){ .path = entry->path,
				     .lost = entry->lost,
				     .names = entry->names };
	return true;
}

/* The same path, but for slashes at its end. */
static bool same_path(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	while (a_len > 1 && a[a_len - 1] == '/')
		a_len--;
	while (b_len > 1 && b[b_len - 1] == '/')
		b_len--;
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

int sources_accept(struct sources *sources, const char *path, struct err *err)
{
	struct file_list *list = &sources->list;
	const struct file *named = list_find(list, path);
	struct entry *entry = named ? &list->entry[named->status.entry] : NULL;
	size_t absent = 0;

	for (size_t i = 0; !entry && i < list->entries; i++)
		if (same_path(list->entry[i].path, path))
			entry = &list->entry[i];
	if (!entry)
		return err_set(err, "%s: no source of that name; status lists them", path);
	for (size_t i = 0; i < list->count; i++) {
		struct file *file = &list->file[i];

		if (&list->entry[file->status.entry] == entry && file->absent && file->set) {
			absent += record_set_names(file->set);
			file->absent = false;
		}
	}
	if (!entry->names && !absent)
		return err_set(err, "%s: is not held back; there is nothing to accept", path);
	entry->accepted = entry->names ? entry->lost : absent;
	return 0;
}

/* What the watch is to compare with. */
static void tell_still(struct still *still, const struct load_conf *conf,
		       const struct file_list *list)
{
	still_load_begin(still);
	for (size_t i = 0; i < list->count; i++) {
		const struct file *file = &list->file[i];

		still_loaded(still, file->path, &file->seen, file->status.entry, file->wait_ms);
	}
	still_load_end(still, conf->count);
}

int sources_load(struct sources *sources, const struct load_conf *conf, const struct zones *zones,
		 struct complaints *complaints, struct err *err)
{
	struct load load = { .conf = conf, .zones = zones, .to = complaints, .old = sources };
	struct file_list list = { 0 };
	int result = follow_state(sources, conf, complaints);

	if (result == 0)
		result = list_fill(&list, &load);
	reading_at(conf->reading, NULL);
	if (result < 0) {
		list_fini(&list);
		return err_set(err, "no memory to load the records; what was served before stays");
	}
	list_fini(&sources->list);
	sources->list = list;
	sources->begun = true;
	sources->ttl_min = conf->ttl_min;
	sources->ttl_max = conf->ttl_max;
	if (conf->still)
		tell_still(conf->still, conf, &sources->list);
	return 0;
}
