/* SPDX-License-Identifier: MIT */
/*
 * The certificate and key that clients over TLS are shown, as the configuration names them: read,
 * and judged. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_CERTIFICATE_H
#define PRIVLINKD_ADMIN_CERTIFICATE_H

#include "admin/config.h"
#include "base/complaint.h"
#include "base/err.h"
#include "net/tls.h"

/* A certificate is warned of when it has fewer days left: those that are renewed by a machine are
 * renewed earlier. */
#define CERTIFICATE_DAYS_LEFT 7

/*
 * Reads both into `server`. -1 with the text, which names key and file: what was there before
 * stays. Of one that clients will not believe today there is a warning.
 */
int certificate_load(const struct config *config, struct tls_server *server, struct complaints *to,
		     struct err *err);

/* For the start: a server with both in it, NULL where nothing is to be answered over TLS. */
int certificate_start(const struct config *config, struct tls_server **ret, struct complaints *to,
		      struct err *err);

/* Once the user is changed: warns of files that no reload will be able to read. */
void certificate_check_user(const struct config *config, struct complaints *to);

/* Logs which one is in use. */
void certificate_tell(const struct tls_server *server);

/* Whole days until then, rounded down; negative: it is over. */
long long certificate_days_left(const struct tls_server_info *info);

#endif
