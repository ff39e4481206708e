/* SPDX-License-Identifier: MIT */
/*
 * The log: lines on standard error, text or JSON, with a level.
 *
 * Called by main.c, ctl.c, admin and serve; what lies below them returns errors instead.
 * The main thread writes at once. A worker thread puts its line into a bounded ring that the main
 * thread drains, since standard error can block; a full ring drops the line and counts it.
 */
#ifndef PRIVLINKD_BASE_LOG_H
#define PRIVLINKD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* Longest line, with the NUL; a longer one is cut. */
#define LOG_LINE_MAX 1024

/* Lines that may wait for the main thread, over all workers. */
#define LOG_RING_LINES 1024

/* Main thread, before workers start and on reload. */
void log_configure(enum log_level level, enum log_format format);

/* True where a line of this level would be written: ask before costly arguments. Any thread. */
bool log_enabled(enum log_level level);

/* One line without its newline. Any thread; never blocks in a worker. Control characters are
 * escaped. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Marks the calling thread as a worker: its lines go to the ring. */
void log_enter_worker(void);

/* An eventfd that becomes readable when the ring holds lines, and what empties it. Main thread. */
int log_ring_fd(void);
void log_ring_drain(void);

/* Lines lost to a full ring since the start. Any thread. */
uint64_t log_ring_dropped(void);

#endif
