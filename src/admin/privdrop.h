/* SPDX-License-Identifier: MIT */
/*
 * From root to an ordinary user, for good. Main thread, before there are others.
 */
#ifndef PRIVLINKD_ADMIN_PRIVDROP_H
#define PRIVLINKD_ADMIN_PRIVDROP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct privdrop {
	bool wanted; /* we are root, and the user is there */
	uid_t uid;
	gid_t gid;
	char user[64];
};

/*
 * Who to become. Not root: nobody, whatever `user` says. A user that is not there: -1 and the text;
 * the caller knows whether that is an error.
 */
int privdrop_find(const char *user, struct privdrop *ret, struct err *err);

/*
 * Becomes that user where wanted and makes sure that there is no way back. No new privileges
 * either way.
 */
int privdrop_apply(const struct privdrop *drop, struct err *err);

#endif
