/* SPDX-License-Identifier: MIT */
/*
 * An answer's octets, with what is counted and told of it.
 *
 * query.c's. Each takes whose query it is, NULL for `explain`; writes up to RESOLVER_MESSAGE_MAX
 * octets to `out` and gives the length.
 */
#ifndef PRIVLINKD_RESOLVE_OUTCOME_H
#define PRIVLINKD_RESOLVE_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "resolve/answer.h"
#include "resolve/decide.h"
#include "resolve/step.h"

/* What resolver->plan says. The question's name is for what is told: NULL where nothing can be. */
size_t outcome_plan(struct resolver *resolver, const struct client *client,
		    const struct step_question *question, const struct answer_shape *shape,
		    uint8_t *out);

/* Without a plan: SERVFAIL, or REFUSED; `why` counts it. */
size_t outcome_failure(struct resolver *resolver, const struct client *client,
		       const struct step_question *question, const struct answer_shape *shape,
		       struct counter *why, int ede, const char *ede_text, uint8_t *out);

/* A question of ours that came back: whoever asked it on must learn that it ends nowhere. */
size_t outcome_loop(struct resolver *resolver, const struct client *client,
		    const struct step_question *question, const struct answer_shape *shape,
		    uint8_t *out);

#endif
