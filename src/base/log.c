/* SPDX-License-Identifier: MIT */
/*
 * Standard error may be a pipe that nobody empties, so a worker must never write to it. Its line
 * goes into a ring; an eventfd wakes the main thread, which writes. The ring has a mutex: lines
 * are rate-limited by those who log, and the lock is held for one copy of a line, never across a
 * system call. A full ring drops the new line and counts it, and the next drain says so.
 *
 * What waits is the level, the time and the text; how it looks (text or JSON) is decided where it
 * is written. One line is one write(2), so that lines of several threads do not mix in a pipe.
 *
 * Text carries no time of its own: journald, a terminal multiplexer or a container runtime adds
 * one. Where standard error is journald's own socket (JOURNAL_STREAM names its device and inode)
 * text begins with the `<N>` of sd-daemon(3), which gives the journal its priorities. Everywhere
 * else the level is a word. JSON carries time, level and message.
 *
 * Control characters are escaped in both, since names and texts from outside end up here: a line
 * must not forge another nor speak to a terminal.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

struct line {
	enum log_level level;
	struct timespec when;
	char text[LOG_LINE_MAX];
};

static const struct {
	const char *word;
	char priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", '3' },   [LOG_LEVEL_WARNING] = { "warning", '4' },
	[LOG_LEVEL_NOTICE] = { "notice", '5' }, [LOG_LEVEL_INFO] = { "info", '6' },
	[LOG_LEVEL_DEBUG] = { "debug", '7' },
};

static atomic_int log_level = LOG_LEVEL_NOTICE;
static atomic_int log_format = LOG_FORMAT_TEXT;
static atomic_bool log_journal;
static _Thread_local bool in_worker;

static struct {
	pthread_mutex_t lock;
	struct line line[LOG_RING_LINES];
	unsigned head, count;
	atomic_int fd;
	_Atomic uint64_t dropped;
	uint64_t dropped_told; /* main thread */
} ring = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* Is standard error the journal's socket? (systemd.exec(5), JOURNAL_STREAM) */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2 || fstat(2, &st) < 0)
		return false;
	return st.st_dev == (dev_t)device && st.st_ino == (ino_t)inode;
}

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
	atomic_store_explicit(&log_journal, stderr_is_journal(), memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_enter_worker(void)
{
	in_worker = true;
}

static void write_all(const char *text, size_t len)
{
	ssize_t done;

	while (len > 0) {
		done = write(2, text, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return; /* there is nowhere left to complain */
		text += done;
		len -= (size_t)done;
	}
}

static void write_text(const struct line *line)
{
	char out[LOG_LINE_MAX * 4 + 32]; /* \xNN for each octet at worst */
	const unsigned char *s;
	size_t len;

	if (atomic_load_explicit(&log_journal, memory_order_relaxed))
		len = (size_t)sprintf(out, "<%c>", levels[line->level].priority);
	else
		len = (size_t)sprintf(out, "%s: ", levels[line->level].word);
	for (s = (const unsigned char *)line->text; *s; s++) {
		if (*s < 0x20 || *s == 0x7f)
			len += (size_t)sprintf(out + len, "\\x%02x", (unsigned)*s);
		else
			out[len++] = (char)*s;
	}
	out[len++] = '\n';
	write_all(out, len);
}

static void write_json(const struct line *line)
{
	char when[40], *text;
	struct json json;
	struct tm tm;
	size_t len;

	gmtime_r(&line->when.tv_sec, &tm);
	len = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + len, sizeof(when) - len, ".%03dZ", (int)(line->when.tv_nsec / 1000000));
	json_init(&json);
	json_object(&json, NULL);
	json_string(&json, "ts", when);
	json_string(&json, "level", levels[line->level].word);
	json_string(&json, "msg", line->text);
	json_object_end(&json);
	text = json_finish(&json);
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: still one write */
	write_all(text, len + 1);
	free(text);
}

static void write_line(const struct line *line)
{
	if (atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_FORMAT_JSON)
		write_json(line);
	else
		write_text(line);
}

static void ring_put(const struct line *line)
{
	uint64_t one = 1;
	bool was_empty = false, full;
	int fd = atomic_load_explicit(&ring.fd, memory_order_acquire);

	pthread_mutex_lock(&ring.lock);
	full = ring.count == LOG_RING_LINES;
	if (!full) {
		was_empty = ring.count == 0;
		ring.line[(ring.head + ring.count) % LOG_RING_LINES] = *line;
		ring.count++;
	}
	pthread_mutex_unlock(&ring.lock);
	if (full)
		atomic_fetch_add_explicit(&ring.dropped, 1, memory_order_relaxed);
	else if (was_empty && fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: the counter is at its top, so it is readable already */
}

static bool ring_get(struct line *ret)
{
	bool got;

	pthread_mutex_lock(&ring.lock);
	got = ring.count > 0;
	if (got) {
		*ret = ring.line[ring.head];
		ring.head = (ring.head + 1) % LOG_RING_LINES;
		ring.count--;
	}
	pthread_mutex_unlock(&ring.lock);
	return got;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	struct line line;
	va_list args;

	if (!log_enabled(level))
		return;
	line.level = level;
	clock_gettime(CLOCK_REALTIME, &line.when);
	va_start(args, fmt);
	vsnprintf(line.text, sizeof(line.text), fmt, args);
	va_end(args);
	if (in_worker)
		ring_put(&line);
	else
		write_line(&line);
}

int log_ring_fd(void)
{
	int fd = atomic_load_explicit(&ring.fd, memory_order_relaxed);

	if (fd < 0) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		atomic_store_explicit(&ring.fd, fd, memory_order_release);
	}
	return fd;
}

void log_ring_drain(void)
{
	int fd = atomic_load_explicit(&ring.fd, memory_order_relaxed);
	uint64_t dropped = log_ring_dropped(), wakes;
	struct line line;
	unsigned n;

	/* The eventfd first: a line that comes meanwhile wakes us again. */
	if (fd >= 0 && read(fd, &wakes, sizeof(wakes)) < 0)
		wakes = 0;
	/* Bounded: workers that log all the time must not keep the main thread here. */
	for (n = 0; n < LOG_RING_LINES && ring_get(&line); n++)
		write_line(&line);
	wakes = 1;
	if (n == LOG_RING_LINES && fd >= 0 && write(fd, &wakes, sizeof(wakes)) < 0)
		wakes = 0;
	if (dropped > ring.dropped_told) {
		log_write(LOG_LEVEL_WARNING, "log: %" PRIu64 " lines of workers were dropped",
			  dropped - ring.dropped_told);
		ring.dropped_told = dropped;
	}
}

uint64_t log_ring_dropped(void)
{
	return atomic_load_explicit(&ring.dropped, memory_order_relaxed);
}
