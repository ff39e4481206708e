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
 * A file that changes while it is read is read again; if it will not stand still it is an error.
 *
 * Last good lives in memory and belongs to the zone table that it was built with: private forms of
 * another table would be wrong ones, so a new table begins without.
 *
 * Complaints pass through a collector that keeps the first for the status.
 */
#include "source/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "source/hosts.h"
#include "source/paths.h"
#include "source/reader.h"
#include "source/yaml.h"
#include "source/zonefile.h"

/* Seconds within which two changes may bear the same time (FAT: 2). */
#define SETTLE_SECONDS 2

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
	struct record_set *set; /* NULL: nothing is served */
};

struct file_list {
	size_t count;
	struct file *file;
	size_t sets_count;
	struct record_set **sets;
};

struct sources {
	struct file_list list;
	const struct zones *zones; /* of the sets in list */
};

/* What is the same for all files of one load. */
struct load {
	const struct load_conf *conf;
	const struct zones *zones;
	struct complaints *to;
	const struct sources *old;
};

const char *source_state_name(enum source_state state)
{
	static const char *const names[] = {
		[SOURCE_GOOD] = "good",
		[SOURCE_DEGRADED] = "degraded",
		[SOURCE_LAST_GOOD] = "last good",
		[SOURCE_FAILED] = "failed",
	};

	return names[state];
}

static void file_fini(struct file *file)
{
	free(file->path);
	free(file->complaint);
	free(file->entry_path);
	record_set_unref(file->set);
}

static void list_fini(struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		file_fini(&list->file[i]);
	free(list->file);
	free(list->sets);
	*list = (struct file_list){ 0 };
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

/* ---- complaints ------------------------------------------------------------------------------ */

struct collector {
	struct complaints *to;
	complaint_fn *tell;
	void *arg;
	size_t errors, warnings; /* at the start */
	struct file *file;
};

static void collect(void *arg, const struct complaint *complaint)
{
	struct collector *collector = arg;
	struct file *file = collector->file;
	bool error = complaint->level == COMPLAINT_ERROR;

	if (!file->complaint || (error && !file->complaint_is_error)) {
		free(file->complaint);
		file->complaint = strdup(complaint->text);
		file->complaint_is_error = error;
	}
	if (collector->tell)
		collector->tell(collector->arg, complaint);
}

static void collector_start(struct collector *collector, struct complaints *to, struct file *file)
{
	*collector = (struct collector){ .to = to,
					 .tell = to->tell,
					 .arg = to->arg,
					 .errors = to->errors,
					 .warnings = to->warnings,
					 .file = file };
	to->tell = collect;
	to->arg = collector;
}

static void collector_stop(struct collector *collector)
{
	struct file *file = collector->file;

	collector->to->tell = collector->tell;
	collector->to->arg = collector->arg;
	file->status.errors = collector->to->errors - collector->errors;
	file->status.warnings = collector->to->warnings - collector->warnings;
	file->status.complaint = file->complaint ? file->complaint : "";
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* Reads it until nothing changed meanwhile. -1 with a complaint. */
static int read_still(struct file *file, struct complaints *to, uint8_t **ret_data, size_t *ret_len)
{
	struct timespec now;
	struct err err;

	for (int i = 0; i < SOURCE_READS_MAX; i++) {
		struct stat after;
		uint8_t *data;
		size_t len;

		if (stat(file->path, &file->seen) < 0) {
			complain(to, COMPLAINT_ERROR, file->path, 0, 0, "cannot be read: %s; %s",
				 strerror(errno),
				 errno == ENOENT || errno == ENOTDIR
					 ? "correct the path or take it out of `records`"
					 : "correct its permissions");
			return -1;
		}
		if (file_read(file->path, SOURCE_FILE_MAX, &data, &len, &err) < 0) {
			complain(to, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
			return -1;
		}
		if (stat(file->path, &after) == 0 && same_file(&file->seen, &after)) {
			clock_gettime(CLOCK_REALTIME, &now);
			file->settled = now.tv_sec - after.st_mtim.tv_sec > SETTLE_SECONDS ||
					now.tv_sec < after.st_mtim.tv_sec;
			*ret_data = data;
			*ret_len = len;
			return 0;
		}
		free(data);
	}
	complain(to, COMPLAINT_ERROR, file->path, 0, 0,
		 "changes while it is read; reload once it is written, or move it into place when "
		 "done");
	return -1;
}

/* Which reader, or NULL with a complaint. */
static reader_fn *choose_reader(struct file *file, const char *text, size_t len,
				struct complaints *to)
{
	static const char readable[] =
		"this version reads hosts lines, zone files and its own YAML";

	if (file->status.format == SOURCE_AUTO)
		file->status.format = detect_format(text, len);
	switch (file->status.format) {
	case SOURCE_HOSTS:
		return hosts_read;
	case SOURCE_ZONE:
		return zonefile_read;
	case SOURCE_YAML:
		return yaml_read;
	case SOURCE_EMPTY:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "holds no record; delete it to remove its records");
		break;
	case SOURCE_CSV:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "this is CSV, and %s; write it as "
			 "lines of `IP name`",
			 readable);
		break;
	case SOURCE_AZURE:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "this is JSON or YAML of an Azure "
			 "export, and %s; use `az network private-dns zone export` or the portal's "
			 "\"Generate hostfile\" instead",
			 readable);
		break;
	case SOURCE_PASTE:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "addresses and names stand on lines of "
			 "their own, as copied from the portal's DNS configuration page; use the "
			 "portal's "
			 "\"Generate hostfile\" or write `IP name` on one line");
		break;
	case SOURCE_AUTO:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "it cannot be told what this is, and "
			 "%s; correct it or set `format:`",
			 readable);
		break;
	}
	return NULL;
}

static void warn_of_end(const struct file *file, const char *text, size_t len,
			struct complaints *to)
{
	unsigned line = 1;

	if (!len || text[len - 1] == '\n')
		return;
	for (const char *at = text; (at = memchr(at, '\n', (size_t)(text + len - at))); at++)
		line++;
	complain(to, COMPLAINT_WARNING, file->path, line, 0,
		 "the last line has no end; if the file was cut off, copy it again");
}

static const struct name *source_origin(const struct source_conf *conf, struct name *space,
					struct complaints *to)
{
	if (!conf->zone)
		return NULL;
	if (name_from_text(space, conf->zone, strlen(conf->zone)) == 0)
		return space;
	complain(to, COMPLAINT_ERROR, conf->path, 0, 0, "`zone: %s` is no domain name; correct it",
		 conf->zone);
	return NULL;
}

/* Text to set. NULL with a complaint if nothing came of it. */
static struct record_set *build(const struct load *load, struct file *file, const char *text,
				size_t len)
{
	const struct source_conf *conf = &load->conf->sources[file->status.entry];
	struct builder_conf builder_conf = {
		.path = file->path,
		.ttl_min = load->conf->ttl_min,
		.ttl_max = load->conf->ttl_max,
		.records_max = SOURCE_RECORDS_MAX,
	};
	struct reader_input in = { .path = file->path, .text = text, .len = len, .ttl = conf->ttl };
	size_t errors = load->to->errors;
	struct record_set *set = NULL;
	struct builder *builder;
	struct name origin;
	reader_fn *reader;

	reader = choose_reader(file, text, len, load->to);
	if (!reader)
		return NULL;
	in.origin = source_origin(conf, &origin, load->to);
	builder_conf.lines_are_claims = file->status.format != SOURCE_ZONE;
	builder = builder_new(load->zones, &builder_conf, load->to);
	if (!builder) {
		complain(load->to, COMPLAINT_ERROR, file->path, 0, 0, "no memory; split the file");
		return NULL;
	}
	reader(&in, builder, load->to);
	if (builder_count(builder)) {
		set = builder_finish(builder);
		if (!set)
			complain(load->to, COMPLAINT_ERROR, file->path, 0, 0,
				 "no memory; split the file");
	} else if (load->to->errors == errors) {
		complain(load->to, COMPLAINT_ERROR, file->path, 0, 0,
			 "holds no record; delete it to remove its records");
	}
	builder_free(builder);
	return set;
}

static void read_file(const struct load *load, struct file *file)
{
	uint8_t *data;
	size_t data_len, len;
	char *text;
	size_t errors = load->to->errors;
	int failed;

	if (read_still(file, load->to, &data, &data_len) < 0)
		return;
	failed = text_decode(file->path, data, data_len, load->to, &text, &len);
	free(data);
	if (failed)
		return;
	warn_of_end(file, text, len, load->to);
	/* Cut off before its first line's end: that was told. */
	if (len || load->to->errors == errors)
		file->set = build(load, file, text, len);
	free(text);
}

/* Takes the new reading, or what was good before; says which. */
static void settle(struct file *file, const struct file *last_good)
{
	struct source_status *status = &file->status;

	if (status->errors && last_good) {
		record_set_unref(file->set);
		file->set = record_set_ref(last_good->set);
		status->state = SOURCE_LAST_GOOD;
		status->loaded = last_good->status.loaded;
	} else if (file->set) {
		status->state = status->errors ? SOURCE_DEGRADED : SOURCE_GOOD;
		status->loaded = time(NULL);
	} else {
		status->state = SOURCE_FAILED;
	}
	status->records = file->set ? record_set_records(file->set) : 0;
}

static const struct file *find_old(const struct sources *old, const struct file *file)
{
	for (size_t i = 0; i < old->list.count; i++)
		if (old->list.file[i].path_hash == file->path_hash &&
		    strcmp(old->list.file[i].path, file->path) == 0)
			return &old->list.file[i];
	return NULL;
}

static int take_over(struct file *file, const struct file *old)
{
	file->status = old->status;
	file->seen = old->seen;
	file->settled = old->settled;
	file->complaint_is_error = old->complaint_is_error;
	if (old->complaint) {
		file->complaint = strdup(old->complaint);
		if (!file->complaint)
			return -1;
	}
	file->set = record_set_ref(old->set);
	file->status.path = file->path;
	file->status.complaint = file->complaint ? file->complaint : "";
	return 0;
}

static int load_file(const struct load *load, struct file *file)
{
	const struct file *old = find_old(load->old, file), *last_good = NULL;
	size_t entry = file->status.entry;
	struct collector collector;
	struct stat now;
	bool gone = stat(file->path, &now) < 0 && (errno == ENOENT || errno == ENOTDIR);

	if (old && old->set && load->old->zones == load->zones &&
	    (old->status.state == SOURCE_GOOD || old->status.state == SOURCE_LAST_GOOD))
		last_good = old;
	if (!gone && last_good && old->status.state == SOURCE_GOOD && old->settled &&
	    old->conf_hash == file->conf_hash && same_file(&old->seen, &now)) {
		if (take_over(file, old) < 0)
			return -1;
		file->status.entry = entry;
		return 0;
	}
	collector_start(&collector, load->to, file);
	read_file(load, file);
	collector_stop(&collector);
	complaints_end(load->to);
	settle(file, gone ? NULL : last_good);
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

/* The files of an entry; those of the last time where its folder cannot be read. */
static int entry_paths(const struct load *load, const struct source_conf *source,
		       struct paths *paths)
{
	const struct file_list *old = &load->old->list;
	int result = paths_expand(paths, source->path, load->to);

	if (result <= 0)
		return result;
	for (size_t i = 0; i < old->count; i++)
		if (strcmp(old->file[i].entry_path, source->path) == 0 &&
		    paths_add(paths, old->file[i].path) < 0)
			return -1;
	return 0;
}

static bool is_listed(const struct file_list *list, const struct file *file)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->file[i].path_hash == file->path_hash &&
		    strcmp(list->file[i].path, file->path) == 0)
			return true;
	return false;
}

static int list_add(struct file_list *list, const struct load *load, size_t entry, const char *path)
{
	const struct source_conf *source = &load->conf->sources[entry];
	struct file file = { .path_hash = hash_bytes(path, strlen(path)) };
	struct file *grown;

	file.path = strdup(path);
	file.entry_path = strdup(source->path);
	grown = realloc(list->file, (list->count + 1) * sizeof(*grown));
	if (grown)
		list->file = grown;
	if (!file.path || !file.entry_path || !grown)
		goto fail;
	if (is_listed(list, &file)) {
		complain(load->to, COMPLAINT_WARNING, path, 0, 0,
			 "is named a second time under `records`; the first counts, take one out");
		file_fini(&file);
		return 0;
	}
	file.conf_hash = conf_hash(load->conf, source);
	file.status = (struct source_status){
		.path = file.path, .entry = entry, .complaint = "", .format = source->format
	};
	if (load_file(load, &file) < 0)
		goto fail;
	list->file[list->count++] = file;
	return 0;
fail:
	file_fini(&file);
	return -1;
}

static int list_fill(struct file_list *list, const struct load *load)
{
	struct paths paths = { 0 };

	for (size_t entry = 0; entry < load->conf->count; entry++) {
		if (entry_paths(load, &load->conf->sources[entry], &paths) < 0)
			goto fail;
		for (size_t i = 0; i < paths.count; i++)
			if (list_add(list, load, entry, paths.path[i]) < 0)
				goto fail;
		paths_fini(&paths);
	}
	list->sets = calloc(list->count + 1, sizeof(struct record_set *));
	if (!list->sets)
		goto fail;
	for (size_t i = 0; i < list->count; i++)
		if (list->file[i].set)
			list->sets[list->sets_count++] = list->file[i].set;
	return 0;
fail:
	paths_fini(&paths);
	return -1;
}

int sources_load(struct sources *sources, const struct load_conf *conf, const struct zones *zones,
		 struct complaints *complaints, struct err *err)
{
	struct load load = { .conf = conf, .zones = zones, .to = complaints, .old = sources };
	struct file_list list = { 0 };

	if (list_fill(&list, &load) < 0) {
		list_fini(&list);
		return err_set(err, "no memory to load the records; what was served before stays");
	}
	list_fini(&sources->list);
	sources->list = list;
	sources->zones = zones;
	return 0;
}
