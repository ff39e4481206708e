/* SPDX-License-Identifier: MIT */
/*
 * The files of certificate authorities that a configuration names, read where an upstream needs
 * them. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_TRUST_H
#define PRIVLINKD_ADMIN_TRUST_H

#include <stdbool.h>

#include "base/err.h"
#include "net/tls.h"

struct trust;

struct trust *trust_new(void);
void trust_free(struct trust *trust);

/* From here on files count as not read yet: the operator wants to have all read again. */
void trust_renew(struct trust *trust);

/* What is in the file; NULL: in the system's. Good until it is settled anew. -1 with the text. */
int trust_get(struct trust *trust, const char *path, const struct tls_roots **ret, struct err *err);

/*
 * What was read since the renewal takes the place of what was there, or, where not all could be
 * read, is forgotten: then what was there stays good.
 */
void trust_settle(struct trust *trust, bool keep);

#endif
