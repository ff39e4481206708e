/* SPDX-License-Identifier: MIT */
/*
 * A file that changes while it is read is read again; if it will not stand still it is an error.
 * File systems stamp times coarsely, so a file that was written just before it was read may have
 * changed since under the same stamp: such a reading is not relied on (`settled`).
 *
 * Complaints pass through a collector that keeps the first for the status.
 */
#include "source/readfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
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

void collector_start(struct collector *collector, struct complaints *to, struct file *file)
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

void collector_stop(struct collector *collector)
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

/* Reads it until nothing changed meanwhile. -1 with a complaint. */
static int read_still(struct file *file, struct complaints *to, uint8_t **ret_data, size_t *ret_len)
{
	struct err err;

	for (int i = 0; i < SOURCE_READS_MAX; i++) {
		struct stat after;
		uint8_t *data;
		size_t len;

		if (stat(file->path, &file->seen) < 0) {
			if (errno != ENOENT && errno != ENOTDIR)
				try_later(file);
			complain(to, COMPLAINT_ERROR, file->path, 0, 0, "cannot be read: %s; %s",
				 strerror(errno), advice(errno));
			return -1;
		}
		if (file_read(file->path, SOURCE_FILE_MAX, &data, &len, &err) < 0) {
			if (S_ISREG(file->seen.st_mode) &&
			    file->seen.st_size <= (off_t)SOURCE_FILE_MAX)
				try_later(file);
			complain(to, COMPLAINT_ERROR, NULL, 0, 0, "%s%s", err.text,
				 strchr(err.text, ';') ? "" : "; it is tried again");
			return -1;
		}
		if (stat(file->path, &after) == 0 && same_file(&file->seen, &after)) {
			file->settled = stamps_tell(&after);
			if (!file->settled && !after.st_mtim.tv_nsec &&
			    file->still_ms < STILL_COARSE_MS)
				file->wait_ms = STILL_COARSE_MS;
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
	if (file->status.format == SOURCE_AUTO)
		file->status.format = detect_format(text, len);
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
static void look_at_end(struct file *file, const char *text, size_t len, bool may_wait,
			struct complaints *to)
{
	unsigned line = 1;

	if (!len || text[len - 1] == '\n')
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

static void read_text(const struct load *load, struct file *file)
{
	uint8_t *data;
	size_t data_len, len;
	char *text;
	size_t errors = load->to->errors;
	bool may_wait = file->put_off;
	int failed;

	file->put_off = false;
	file->wait_ms = 0;
	if (read_still(file, load->to, &data, &data_len) < 0)
		return;
	failed = text_decode(file->path, data, data_len, load->to, &text, &len);
	free(data);
	if (failed)
		return;
	look_at_end(file, text, len, may_wait, load->to);
	/* Cut off before its first line's end: that was told. */
	if (!file->put_off && (len || load->to->errors == errors))
		file->set = build(load, file, text, len);
	free(text);
}

void readfile(const struct load *load, struct file *file)
{
	struct collector collector;

	collector_start(&collector, load->to, file);
	read_text(load, file);
	collector_stop(&collector);
	complaints_end(load->to, file->path);
}
