/* SPDX-License-Identifier: MIT */
/*
 * A file that changes while it is read is read again; if it will not stand still it is an error.
 * File systems stamp times coarsely, so a file that was written just before it was read may have
 * changed since under the same stamp: such a reading is not relied on (`settled`).
 *
 * Records and complaints come while it is read, so those of a reading that does not count have to
 * be forgotten: complaints are kept (there is a bound to how many are told of a file) and passed on
 * when the reading is through. The first is for the status.
 */
#include "source/readfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "source/azure.h"
#include "source/csv.h"
#include "source/hosts.h"
#include "source/reader.h"
#include "source/yaml.h"
#include "source/zonefile.h"

/* Seconds within which two changes may bear the same time (FAT: 2). */
#define SETTLE_SECONDS 2
/*
 * The same where times have a fraction: Linux stamps with the tick of the clock, 10 ms at the most;
 * servers of shares do no worse.
 */
#define SETTLE_FINE_MS 100

/* ---- complaints ------------------------------------------------------------------------------ */

static void collect(void *arg, const struct complaint *complaint)
{
	struct collector *collector = arg;
	struct kept *kept;

	if (collector->count == collector->room) {
		size_t room = 2 * collector->room + 4;

		kept = realloc(collector->kept, room * sizeof(*kept));
		if (!kept)
			return;
		collector->kept = kept;
		collector->room = room;
	}
	kept = &collector->kept[collector->count];
	kept->level = complaint->level;
	kept->text = strdup(complaint->text);
	kept->place_len = complaint->place_len;
	collector->count += kept->text != NULL;
}

void collector_start(struct collector *collector, struct complaints *to, struct file *file)
{
	*collector = (struct collector){ .to = to, .before = *to, .file = file };
	to->tell = collect;
	to->arg = collector;
}

/* As if nothing had been said. */
static void collector_drop(struct collector *collector)
{
	for (size_t i = 0; i < collector->count; i++)
		free(collector->kept[i].text);
	collector->count = 0;
	*collector->to = collector->before;
	collector->to->tell = collect;
	collector->to->arg = collector;
}

/* The file's first complaint, else the first error, is for the status. */
static void note(struct file *file, const struct kept *kept)
{
	bool error = kept->level == COMPLAINT_ERROR;

	if (file->complaint && (!error || file->complaint_is_error))
		return;
	free(file->complaint);
	file->complaint = strdup(kept->text);
	file->complaint_is_error = error;
}

void collector_stop(struct collector *collector)
{
	struct complaints *to = collector->to;
	struct file *file = collector->file;

	to->tell = collector->before.tell;
	to->arg = collector->before.arg;
	for (size_t i = 0; i < collector->count; i++) {
		struct kept *kept = &collector->kept[i];

		note(file, kept);
		if (to->tell)
			to->tell(to->arg, &(struct complaint){ .level = kept->level,
							       .text = kept->text,
							       .place_len = kept->place_len });
		free(kept->text);
	}
	free(collector->kept);
	file->status.errors = to->errors - collector->before.errors;
	file->status.warnings = to->warnings - collector->before.warnings;
	file->status.complaint = file->complaint ? file->complaint : "";
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* Would a further change have changed the stamps, too? */
static bool stamps_tell(const struct stat *st)
{
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec - st->st_mtim.tv_sec > SETTLE_SECONDS || now.tv_sec < st->st_mtim.tv_sec)
		return true;
	ms = (int64_t)(now.tv_sec - st->st_ctim.tv_sec) * 1000 +
	     (now.tv_nsec - st->st_ctim.tv_nsec) / 1000000;
	return st->st_mtim.tv_nsec && st->st_ctim.tv_nsec && ms > SETTLE_FINE_MS;
}

/* What is wrong may pass without a change that shows. */
static void try_later(struct file *file)
{
	uint64_t step_ms = file->still_ms;

	if (step_ms < STILL_RETRY_MS)
		step_ms = STILL_RETRY_MS;
	if (step_ms > STILL_RETRY_MAX_MS)
		step_ms = STILL_RETRY_MAX_MS;
	if (file->still_ms < UINT64_MAX - step_ms)
		file->wait_ms = file->still_ms + step_ms;
}

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "correct the path or take it out of `records`";
	case EACCES:
	case EPERM:
		return "correct its permissions";
	case ELOOP:
		return "correct the link";
	default:
		return "it is tried again";
	}
}

/* Which reader, or NULL with a complaint. */
static reader_fn *choose_reader(struct file *file, struct text *text, struct complaints *to)
{
	if (file->status.format == SOURCE_AUTO) {
		size_t len = text_fill(text, DETECT_HEAD_MAX);

		file->status.format = detect_format(text->at, len, len == text_length(text));
	}
	switch (file->status.format) {
	case SOURCE_HOSTS:
		return hosts_read;
	case SOURCE_ZONE:
		return zonefile_read;
	case SOURCE_YAML:
		return yaml_read;
	case SOURCE_CSV:
		return csv_read;
	case SOURCE_AZURE:
		return azure_read;
	case SOURCE_EMPTY:
		complain(to, COMPLAINT_ERROR, file->path, 0, 0,
			 "holds no record; delete it to remove its records");
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
			 "it cannot be told what this is, and hosts lines, CSV, zone files, "
			 "exports of "
			 "Azure in JSON or YAML and our own YAML are read; correct it or set "
			 "`format:`");
		break;
	}
	return NULL;
}

/*
 * Without an end of its last line a file may be cut off or under way. It is left for later while
 * something good is served; without that its lines are better than none. The warning comes when
 * it is taken for good.
 */
static void look_at_end(struct file *file, struct text *text, bool may_wait, struct complaints *to)
{
	if (!text_is_open_ended(text))
		return;
	if (file->still_ms < STILL_END_MS) {
		file->wait_ms = STILL_END_MS;
		file->put_off = may_wait;
		if (!may_wait)
			return;
		free(file->complaint);
		if (asprintf(&file->complaint,
			     "%s: the last line has no end; it is taken when the file has stood "
			     "still "
			     "for %d s",
			     file->path, STILL_END_MS / 1000) < 0)
			file->complaint = NULL;
		return;
	}
	complain(to, COMPLAINT_WARNING, file->path, text_count_lines(text) + 1, 0,
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
static struct record_set *build(const struct load *load, struct file *file, struct text *text)
{
	const struct source_conf *conf = &load->conf->sources[file->status.entry];
	struct builder_conf builder_conf = {
		.path = file->path,
		.ttl_min = load->conf->ttl_min,
		.ttl_max = load->conf->ttl_max,
		.records_max = SOURCE_RECORDS_MAX,
	};
	struct reader_input in = { .path = file->path, .text = text, .ttl = conf->ttl };
	size_t errors = load->to->errors;
	struct record_set *set = NULL;
	struct builder *builder;
	struct name origin;
	reader_fn *reader;

	reader = choose_reader(file, text, load->to);
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

/* It is there and cannot be read; `err` says why. */
static void refuse_unread(struct file *file, struct complaints *to, const struct err *err)
{
	if (S_ISREG(file->seen.st_mode) && file->seen.st_size <= (off_t)SOURCE_FILE_MAX)
		try_later(file);
	complain(to, COMPLAINT_ERROR, NULL, 0, 0, "%s%s", err->text,
		 strchr(err->text, ';') ? "" : "; it is tried again");
}

/* One reading. -1 where nothing can be read, with a complaint; 1: it changed meanwhile. */
static int read_once(const struct load *load, struct file *file, bool may_wait)
{
	struct text *text;
	size_t errors = load->to->errors;
	struct err err;
	int result;

	text = text_open(file->path, SOURCE_FILE_MAX, &err);
	if (!text || text_survey(text, file->path, load->to, &err) < 0) {
		refuse_unread(file, load->to, &err);
		text_close(text);
		return -1;
	}
	look_at_end(file, text, may_wait, load->to);
	/* Cut off before its first line's end: that was told. */
	if (!file->put_off && (text_length(text) || load->to->errors == errors))
		file->set = build(load, file, text);
	result = text_has_changed(text);
	text_close(text);
	return result;
}

/* Forgets a reading. */
static void forget(struct collector *collector, struct file *file, enum source_format format)
{
	collector_drop(collector);
	record_set_unref(file->set);
	file->set = NULL;
	file->status.format = format;
	free(file->complaint);
	file->complaint = NULL;
	file->complaint_is_error = false;
	file->put_off = false;
	file->wait_ms = 0;
}

/* Reads it until nothing changed meanwhile. */
static void read_still(const struct load *load, struct file *file, struct collector *collector)
{
	enum source_format format = file->status.format;
	bool may_wait = file->put_off;

	file->put_off = false;
	file->wait_ms = 0;
	for (int i = 0; i < SOURCE_READS_MAX; i++) {
		struct stat after;
		int changed;

		if (stat(file->path, &file->seen) < 0) {
			if (errno != ENOENT && errno != ENOTDIR)
				try_later(file);
			complain(load->to, COMPLAINT_ERROR, file->path, 0, 0,
				 "cannot be read: %s; %s", strerror(errno), advice(errno));
			return;
		}
		/* From here on. */
		file->settled = stamps_tell(&file->seen);
		changed = read_once(load, file, may_wait);
		if (changed < 0)
			return;
		if (!changed && stat(file->path, &after) == 0 && same_file(&file->seen, &after)) {
			if (!file->settled && !after.st_mtim.tv_nsec && !file->wait_ms &&
			    file->still_ms < STILL_COARSE_MS)
				file->wait_ms = STILL_COARSE_MS;
			return;
		}
		forget(collector, file, format);
	}
	complain(load->to, COMPLAINT_ERROR, file->path, 0, 0,
		 "changes while it is read; reload once it is written, or move it into place when "
		 "done");
}

void readfile(const struct load *load, struct file *file)
{
	struct collector collector;

	collector_start(&collector, load->to, file);
	read_still(load, file, &collector);
	collector_stop(&collector);
	complaints_end(load->to, file->path);
}
