/* SPDX-License-Identifier: MIT */
/*
 * Order matters: supplementary groups, then the group, then the user, since each step takes the
 * right to do the one before. Then the way back is tried, and it has to be closed: a server that
 * only believes to have dropped its rights is worse than one that says it could not.
 *
 * No capability is kept. Ports below 1024 are bound before, and a change of `listen` needs a
 * restart. PR_SET_NO_NEW_PRIVS holds for everybody, root or not: nothing is ever executed here.
 */
#include "admin/privdrop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int privdrop_find(const char *user, struct privdrop *ret, struct err *err)
{
	struct privdrop drop = { .wanted = false };
	struct passwd entry, *found = NULL;
	char buffer[4096];
	int error;

	if (geteuid() == 0) {
		error = getpwnam_r(user, &entry, buffer, sizeof(buffer), &found);
		if (!found)
			return err_set(
				err, "user %s: %s", user,
				error ? strerror(error)
				      : "there is none of that name; make it, or name another");
		if (strlen(user) >= sizeof(drop.user))
			return err_set(err, "user %s: the name is too long", user);
		strcpy(drop.user, user);
		drop.uid = entry.pw_uid;
		drop.gid = entry.pw_gid;
		drop.wanted = entry.pw_uid != 0;
	}
	*ret = drop;
	return 0;
}

int privdrop_apply(const struct privdrop *drop, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, "cannot refuse new privileges: %s", strerror(errno));
	if (!drop->wanted)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(drop->gid, drop->gid, drop->gid) < 0 ||
	    setresuid(drop->uid, drop->uid, drop->uid) < 0)
		return err_set(err, "cannot become user %s: %s", drop->user, strerror(errno));
	if (setuid(0) == 0 || seteuid(0) == 0 || geteuid() != drop->uid || getegid() != drop->gid)
		return err_set(err, "became user %s, but could become root again", drop->user);
	return 0;
}
