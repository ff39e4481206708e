/* SPDX-License-Identifier: MIT */
/*
 * Notices come from folders.c and say only "look"; polls look too. A look is a stat of every file.
 * The first notice is followed by a look at once, which is where a file's quiet begins, and by
 * another one when 200 ms went by without a notice. What differs from what was loaded and has
 * looked the same for 200 ms is ready. If nothing differs the notice meant nothing to us (a change
 * of access time, an editor's swap file, our own doing) and no load follows.
 *
 * While some file is still being written the others wait with it, up to two seconds: what is
 * written together belongs together. Then a load takes what is ready and leaves out the rest.
 *
 * A poll that sees a difference is a notice like any other; the look 200 ms later tells whether
 * it goes on. So half a file on a share, without notices, is seen to grow.
 *
 * Bounds on work: one load each two seconds on average, WATCH_BURST at once; looks grow rarer while
 * a file changes on; one look for any number of notices.
 *
 * Folders are followed anew before each look that a notice caused, so whatever changes after that
 * look gives a notice again.
 */
#include "source/watch.h"

#include <dirent.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "source/folders.h"
#include "source/paths.h"

/* Timers may come a little early by another clock; a look must find its 200 ms full. */
#define SLACK_MS 5

struct entry {
	char *path;
	uint64_t poll_ms, due_ms;
	bool unreadable; /* the folder; its files are taken to be as they were */
};

struct watch {
	struct watch_conf conf;
	struct event *timer;
	struct folders *folders;
	struct entry *entry;
	size_t count;
	bool asked;  /* a load, and it is not over */
	bool forced; /* a load is due whatever the files look like */
	bool limit_told, busy_told;
	bool pending;      /* a notice came */
	uint64_t first_ms; /* of the pending notices */
	uint64_t look_ms;  /* the next look, if pending */
	uint64_t step_ms;  /* to the one after that */
	uint64_t wait_ms;  /* a waiting file is due; UINT64_MAX: none */
	unsigned loads;    /* still allowed at once */
	uint64_t loads_ms; /* the last was added */
};

/* ---- looks ----------------------------------------------------------------------------------- */

static void look_at(struct watch *watch, size_t i, uint64_t now_ms)
{
	struct entry *entry = &watch->entry[i];
	struct complaints silent = { 0 };
	struct paths paths = { 0 };
	struct stat st;
	int result;

	reading_at(watch->conf.reading, entry->path);
	result = paths_expand(&paths, entry->path, &silent);

	/* Told by the load, which goes on with the files it knew. */
	watch->forced |= result > 0 && !entry->unreadable;
	entry->unreadable = result > 0;
	if (result == 0) {
		still_look_begin(watch->conf.still, i);
		for (size_t k = 0; k < paths.count; k++)
			still_note(watch->conf.still, paths.path[k],
				   stat(paths.path[k], &st) == 0 ? &st : NULL, i, now_ms);
		still_look_end(watch->conf.still, i, now_ms);
	}
	paths_fini(&paths);
	reading_at(watch->conf.reading, NULL);
}

static void look_at_all(struct watch *watch, uint64_t now_ms)
{
	for (size_t i = 0; i < watch->count; i++)
		look_at(watch, i, now_ms);
}

/* ---- following ------------------------------------------------------------------------------- */

/* What a pattern matches: folders whole, or links in their last step. */
static void follow_matches(struct watch *watch, const char *pattern, bool whole)
{
	glob_t found = { 0 };
	struct stat st;

	if (glob(pattern, GLOB_NOSORT | (whole ? GLOB_ONLYDIR : 0), NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && i < SOURCE_FILES_MAX; i++)
			if (whole || (lstat(found.gl_pathv[i], &st) == 0 && S_ISLNK(st.st_mode)))
				folders_follow(watch->folders, found.gl_pathv[i], whole);
	globfree(&found);
}

/* Folders in which files may come to match: the one before the first wildcard, and those found. */
static void follow_glob(struct watch *watch, const char *pattern)
{
	const char *wild = strpbrk(pattern, "*?["), *slash = NULL, *last = strrchr(pattern, '/');
	char *path;

	for (const char *at = pattern; at < wild; at++)
		if (*at == '/')
			slash = at;
	path = slash ? strndup(pattern, (size_t)(slash - pattern) + 1) : strdup(".");
	if (path)
		folders_follow(watch->folders, path, true);
	free(path);
	follow_matches(watch, pattern, false);
	if (!last || last < wild)
		return;
	path = strndup(pattern, (size_t)(last - pattern) + 1);
	if (path)
		follow_matches(watch, path, true);
	free(path);
}

/* Links in a folder lead out of it, some to what is not there yet. */
static void follow_links(struct watch *watch, const char *folder)
{
	DIR *stream = opendir(folder);
	struct dirent *item;
	unsigned links = 0;
	char *path;

	while (stream && links < SOURCE_FILES_MAX && (item = readdir(stream))) {
		if (item->d_name[0] == '.' ||
		    (item->d_type != DT_LNK && item->d_type != DT_UNKNOWN))
			continue;
		if (asprintf(&path, "%s/%s", folder, item->d_name) < 0)
			break;
		links++;
		folders_follow(watch->folders, path, false);
		free(path);
	}
	if (stream)
		closedir(stream);
}

static void follow_entry(struct watch *watch, const char *path)
{
	struct stat st;
	bool there = stat(path, &st) == 0;

	if (!there && lstat(path, &st) < 0 && strpbrk(path, "*?["))
		follow_glob(watch, path);
	else
		folders_follow(watch->folders, path, there && S_ISDIR(st.st_mode));
	if (there && S_ISDIR(st.st_mode))
		follow_links(watch, path);
}

static void warn(struct watch *watch, const char *what, const struct err *err)
{
	char text[ERR_TEXT_MAX + 128];

	snprintf(text, sizeof(text), "%s: %s; changes are found by polling", what, err->text);
	watch->conf.warn(watch->conf.arg, text);
}

static void follow_all(struct watch *watch)
{
	struct err err;
	bool limited;

	if (!watch->folders)
		return;
	folders_begin(watch->folders);
	for (size_t i = 0; i < watch->count; i++) {
		reading_at(watch->conf.reading, watch->entry[i].path);
		follow_entry(watch, watch->entry[i].path);
	}
	reading_at(watch->conf.reading, NULL);
	limited = folders_end(watch->folders, &err) < 0;
	if (limited && !watch->limit_told)
		warn(watch, "records: not every folder can be watched", &err);
	watch->limit_told = limited;
}

/* ---- when ------------------------------------------------------------------------------------ */

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void schedule(struct watch *watch, uint64_t now_ms)
{
	uint64_t due_ms = UINT64_MAX, wait_ms;
	struct timeval wait;

	if (!watch->asked) {
		due_ms = watch->wait_ms;
		if (watch->pending)
			due_ms = lower(due_ms, watch->look_ms);
	}
	for (size_t i = 0; i < watch->count; i++)
		due_ms = lower(due_ms, watch->entry[i].due_ms);
	if (due_ms == UINT64_MAX) {
		event_del(watch->timer);
		return;
	}
	wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
	wait.tv_sec = (time_t)(wait_ms / 1000);
	wait.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000;
	event_add(watch->timer, &wait);
}

/* A notice. The first of some begins with a look, so that the next can tell what has changed. */
static void note_change(struct watch *watch, uint64_t now_ms)
{
	uint64_t last_ms, probe_ms;

	if (!watch->pending) {
		watch->pending = true;
		watch->first_ms = now_ms;
		watch->step_ms = STILL_QUIET_MS;
		follow_all(watch);
		look_at_all(watch, now_ms);
	}
	/*
	 * Further notices put the look off, but not the last two: one to see what has come, beside
	 * a file that changes all the time, and one to see that it has kept still since.
	 */
	last_ms = watch->first_ms + WATCH_LATEST_MS;
	probe_ms = last_ms - STILL_QUIET_MS - SLACK_MS;
	if (now_ms < probe_ms)
		watch->look_ms = lower(now_ms + STILL_QUIET_MS + SLACK_MS, probe_ms);
	else if (now_ms < last_ms)
		watch->look_ms = lower(watch->look_ms, last_ms);
}

static bool load_is_allowed(struct watch *watch, uint64_t now_ms)
{
	while (watch->loads < WATCH_BURST && now_ms - watch->loads_ms >= WATCH_PACE_MS) {
		watch->loads++;
		watch->loads_ms += WATCH_PACE_MS;
	}
	if (watch->loads == WATCH_BURST)
		watch->loads_ms = now_ms;
	return watch->loads > 0;
}

static void ask(struct watch *watch)
{
	watch->loads--;
	watch->asked = true;
	watch->pending = watch->forced = watch->busy_told = false;
	watch->conf.changed(watch->conf.arg);
}

/* Some file still changes: further looks, each later than the one before. */
static void look_again(struct watch *watch, uint64_t now_ms, bool late)
{
	if (late && !watch->busy_told) {
		watch->conf.warn(watch->conf.arg,
				 "records: a file keeps changing; it is read once it stands still");
		watch->busy_told = true;
	}
	if (late)
		watch->first_ms = now_ms;
	watch->step_ms = lower(watch->step_ms * 2, WATCH_LATEST_MS);
	watch->look_ms = lower(now_ms + watch->step_ms, watch->first_ms + WATCH_LATEST_MS);
}

/* A look is due: what came of it? */
static void judge(struct watch *watch, uint64_t now_ms)
{
	bool late = watch->pending && now_ms >= watch->first_ms + WATCH_LATEST_MS;
	struct still_summary now;

	follow_all(watch);
	look_at_all(watch, now_ms);
	now = still_summarize(watch->conf.still, now_ms);
	watch->wait_ms = now.next_ms == UINT64_MAX ? UINT64_MAX : now_ms + now.next_ms + SLACK_MS;
	if ((now.ready && (late || !now.busy)) || watch->forced) {
		if (load_is_allowed(watch, now_ms)) {
			ask(watch);
			return;
		}
		if (!watch->pending)
			watch->first_ms = now_ms;
		watch->pending = true;
		watch->look_ms = watch->loads_ms + WATCH_PACE_MS;
	} else if (now.busy) {
		if (!watch->pending)
			watch->first_ms = now_ms;
		watch->pending = true;
		look_again(watch, now_ms, late);
	} else {
		watch->pending = watch->busy_told = false;
	}
}

static void poll_entries(struct watch *watch, uint64_t now_ms)
{
	struct still_summary now;
	bool polled = false;

	for (size_t i = 0; i < watch->count; i++) {
		if (watch->entry[i].due_ms > now_ms)
			continue;
		watch->entry[i].due_ms = now_ms + watch->entry[i].poll_ms;
		look_at(watch, i, now_ms);
		polled = true;
	}
	if (!polled)
		return;
	now = still_summarize(watch->conf.still, now_ms);
	if (!watch->pending && (now.ready || now.busy || watch->forced))
		note_change(watch, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	uint64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	poll_entries(watch, now_ms);
	if (!watch->asked &&
	    ((watch->pending && now_ms >= watch->look_ms) || now_ms >= watch->wait_ms))
		judge(watch, now_ms);
	schedule(watch, now_ms);
}

static void on_notice(void *arg)
{
	struct watch *watch = arg;
	uint64_t now_ms = clock_now_ms();

	note_change(watch, now_ms);
	schedule(watch, now_ms);
}

/* ---- its life -------------------------------------------------------------------------------- */

static void free_entries(struct entry *entry, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(entry[i].path);
	free(entry);
}

struct watch *watch_new(const struct watch_conf *conf, struct err *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct err why;

	if (watch) {
		watch->conf = *conf;
		watch->wait_ms = UINT64_MAX;
		watch->loads = WATCH_BURST;
		watch->loads_ms = clock_now_ms();
		watch->timer = event_new(conf->base, -1, 0, on_timer, watch);
	}
	if (!watch || !watch->timer) {
		err_set(err, "no memory to watch the records");
		watch_free(watch);
		return NULL;
	}
	if (conf->folders_max)
		watch->folders = folders_new(conf->base, conf->folders_max, on_notice, watch, &why);
	if (conf->folders_max && !watch->folders)
		warn(watch, "records: the kernel gives no notices of change", &why);
	return watch;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->timer)
		event_free(watch->timer);
	folders_free(watch->folders);
	free_entries(watch->entry, watch->count);
	free(watch);
}

/* The same as before: then polls keep their pace. */
static bool same_entries(const struct watch *watch, const struct watch_entry *entries, size_t count)
{
	if (count != watch->count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i].path, watch->entry[i].path) != 0 ||
		    entries[i].poll_s * UINT64_C(1000) != watch->entry[i].poll_ms)
			return false;
	return true;
}

static int set_entries(struct watch *watch, const struct watch_entry *entries, size_t count,
		       uint64_t now_ms)
{
	struct entry *copy = calloc(count + 1, sizeof(*copy));

	if (!copy)
		return -1;
	for (size_t i = 0; i < count; i++) {
		copy[i].path = strdup(entries[i].path);
		copy[i].poll_ms = entries[i].poll_s * UINT64_C(1000);
		copy[i].due_ms = now_ms + copy[i].poll_ms;
		if (!copy[i].path) {
			free_entries(copy, count);
			return -1;
		}
	}
	free_entries(watch->entry, watch->count);
	watch->entry = copy;
	watch->count = count;
	return 0;
}

int watch_follow(struct watch *watch, const struct watch_entry *entries, size_t count)
{
	uint64_t now_ms = clock_now_ms();
	int result = 0;

	if (!same_entries(watch, entries, count))
		result = set_entries(watch, entries, count, now_ms);
	watch->asked = false;
	/* Whatever changed since the load, or before there were watches. */
	note_change(watch, now_ms);
	schedule(watch, now_ms);
	return result;
}
