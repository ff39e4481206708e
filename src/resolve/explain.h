/* SPDX-License-Identifier: MIT */
/* A decision in words, for `privlinkctl explain`. Any thread. */
#ifndef PRIVLINKD_RESOLVE_EXPLAIN_H
#define PRIVLINKD_RESOLVE_EXPLAIN_H

#include <stddef.h>

#include "forward/looptable.h"
#include "resolve/step.h"

/* Room for the longest trace: every event with its names escaped. */
#define EXPLAIN_TEXT_MAX 65536

/*
 * One line an event of `trace`, then one for the outcome; NUL-terminated, cut where `cap` ends.
 * `trace`, `plan` and `replies` are those of one resolve_step over `view`. `loops`, which may be
 * NULL, tells who is set aside.
 */
void explain_text(const struct view *view, const struct plan *plan,
		  const struct step_replies *replies, const struct trace *trace, uint16_t type,
		  struct looptable *loops, char *text, size_t cap);

#endif
