/* SPDX-License-Identifier: MIT */
/*
 * A watch on a file follows its inode and is lost when a new file is renamed over it, which is how
 * careful programs write. So folders are watched, each for the names that matter in it. A path is
 * walked step by step as the kernel would: every folder on the way is watched for the next step,
 * since any of them may be renamed, made anew or be a symbolic link that is swapped (Kubernetes
 * keeps `name -> ..data/name` and swaps `..data`). Where a step is missing the walk ends: its
 * folder tells when it appears.
 *
 * Adding a watch twice gives the same descriptor, so following anew is: add all, then take away
 * what was not added. Events are read in between never, so names and descriptors fit together.
 *
 * A folder that may not be read cannot be watched (one may walk through it all the same); nothing
 * is said of that, polling serves it. Limits are told.
 *
 * Refused: telling what has changed. Events are lost in an overflow, come for paths that mean
 * something else by now, and stat has the truth.
 */
#include "source/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/* Links on the way of one path; the kernel's own limit (path_resolution(7)). */
#define LINKS_MAX 40
/* Names that matter, over all folders. */
#define NAMES_MAX (FOLDERS_MAX * 16)
/* Reads a wake-up: the rest waits for the next round, behind signals and timers. */
#define READS_MAX 16

#define STEP_MASK                                                                           \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)
/* Where files are: what is written into them, too. */
#define FILE_MASK (STEP_MASK | IN_MODIFY | IN_CLOSE_WRITE)

struct folder {
	int wd;
	uint32_t mask;
	bool whole, wanted;
};

struct wanted_name {
	int wd;
	uint64_t hash;
};

struct folders {
	int fd;
	struct event *event;
	folders_notice_fn *notice;
	void *arg;
	unsigned count, max;
	struct folder *folder; /* max of them */
	size_t names;
	struct wanted_name *name; /* NAMES_MAX; sorted between end and begin */
	int limit; /* errno of the first folder that a limit left out; 0: none. E2BIG: our own */
};

static int compare_names(const void *left, const void *right)
{
	const struct wanted_name *a = left, *b = right;

	if (a->wd != b->wd)
		return a->wd < b->wd ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static struct folder *find(const struct folders *folders, int wd)
{
	for (unsigned i = 0; i < folders->count; i++)
		if (folders->folder[i].wd == wd)
			return &folders->folder[i];
	return NULL;
}

/* Does this event matter? */
static bool concerns(struct folders *folders, const struct inotify_event *event)
{
	struct folder *folder;
	struct wanted_name key = { .wd = event->wd };

	if (event->mask & IN_Q_OVERFLOW)
		return true;
	folder = find(folders, event->wd);
	if (!folder)
		return false;
	if (event->mask & IN_IGNORED) {
		*folder = folders->folder[--folders->count];
		return true;
	}
	if (folder->whole || !event->len)
		return true;
	key.hash = hash_bytes(event->name, strlen(event->name));
	return bsearch(&key, folders->name, folders->names, sizeof(key), compare_names);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char buffer[16384];
	struct folders *folders = arg;
	bool matters = false;

	(void)what;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t len = read(fd, buffer, sizeof(buffer));

		if (len <= 0)
			break;
		for (char *at = buffer; at < buffer + len;) {
			const struct inotify_event *event = (const void *)at;

			matters |= concerns(folders, event);
			at += sizeof(*event) + event->len;
		}
	}
	if (matters)
		folders->notice(folders->arg);
}

struct folders *folders_new(struct event_base *base, unsigned max, folders_notice_fn *notice,
			    void *arg, struct err *err)
{
	struct folders *folders = calloc(1, sizeof(*folders));

	if (!folders) {
		err_set(err, "no memory");
		return NULL;
	}
	folders->notice = notice;
	folders->arg = arg;
	folders->max = max;
	folders->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (folders->fd < 0) {
		err_set(err, "inotify: %s%s", strerror(errno),
			errno == EMFILE ? "; raise fs.inotify.max_user_instances" : "");
		goto fail;
	}
	folders->folder = calloc(max, sizeof(*folders->folder));
	folders->name = calloc(NAMES_MAX, sizeof(*folders->name));
	folders->event = event_new(base, folders->fd, EV_READ | EV_PERSIST, on_readable, folders);
	if (!folders->folder || !folders->name || !folders->event ||
	    event_add(folders->event, NULL) < 0) {
		err_set(err, "no memory");
		goto fail;
	}
	return folders;
fail:
	folders_free(folders);
	return NULL;
}

void folders_free(struct folders *folders)
{
	if (!folders)
		return;
	if (folders->event)
		event_free(folders->event);
	if (folders->fd >= 0)
		close(folders->fd);
	free(folders->folder);
	free(folders->name);
	free(folders);
}

void folders_begin(struct folders *folders)
{
	for (unsigned i = 0; i < folders->count; i++)
		folders->folder[i].wanted = folders->folder[i].whole = false;
	folders->names = 0;
	folders->limit = 0;
}

static void limit(struct folders *folders, int reason)
{
	if (!folders->limit)
		folders->limit = reason;
}

/* The folder, watched with `mask` at least; NULL: it cannot be. */
static struct folder *watch_folder(struct folders *folders, const char *path, uint32_t mask)
{
	struct folder *folder;
	int wd = inotify_add_watch(folders->fd, path, mask);

	if (wd < 0) {
		if (errno == ENOSPC || errno == ENOMEM)
			limit(folders, errno);
		return NULL;
	}
	folder = find(folders, wd);
	if (!folder && folders->count == folders->max) {
		inotify_rm_watch(folders->fd, wd);
		limit(folders, E2BIG);
		return NULL;
	}
	if (!folder) {
		folder = &folders->folder[folders->count++];
		*folder = (struct folder){ .wd = wd };
	}
	/* The last one counted; two paths may want the same folder for different things. */
	if (folder->wanted && (folder->mask & ~mask))
		inotify_add_watch(folders->fd, path, folder->mask | mask);
	folder->mask = folder->wanted ? folder->mask | mask : mask;
	folder->wanted = true;
	return folder;
}

static void watch_name(struct folders *folders, const char *path, const char *name, bool last)
{
	struct folder *folder = watch_folder(folders, path, last ? FILE_MASK : STEP_MASK);

	if (!folder)
		return;
	if (folders->names == NAMES_MAX) {
		folder->whole = true; /* more notices than needed rather than fewer */
		return;
	}
	folders->name[folders->names++] =
		(struct wanted_name){ folder->wd, hash_bytes(name, strlen(name)) };
}

/*
 * What is left of the way is `rest`, from the folder `at`. Takes one step: the name goes to `name`,
 * and `rest` moves on. False at the end.
 */
static bool next_step(char **rest, char name[NAME_MAX + 1])
{
	size_t len;

	*rest += strspn(*rest, "/");
	len = strcspn(*rest, "/");
	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, *rest, len);
	name[len] = '\0';
	*rest += len;
	return true;
}

/* `at` + "/" + name. False if it is too long. */
static bool join(char at[PATH_MAX], const char *name)
{
	size_t len = strlen(at), name_len = strlen(name);
	bool slash = at[len - 1] != '/';

	if (len + slash + name_len >= PATH_MAX)
		return false;
	if (slash)
		at[len++] = '/';
	memcpy(at + len, name, name_len + 1);
	return true;
}

/* Puts the link's target before the rest. False if it cannot be read or is too long. */
static bool splice(const char *link, char way[PATH_MAX], char **rest)
{
	char target[PATH_MAX];
	ssize_t len = readlink(link, target, sizeof(target) - 1);
	size_t rest_len = strlen(*rest);

	if (len <= 0 || (size_t)len + rest_len + 1 >= PATH_MAX)
		return false;
	memmove(way + len, *rest, rest_len + 1);
	memcpy(way, target, (size_t)len);
	*rest = way;
	return true;
}

void folders_follow(struct folders *folders, const char *path, bool whole)
{
	char at[PATH_MAX], to[PATH_MAX], way[PATH_MAX], name[NAME_MAX + 1], *rest = way;
	struct folder *folder;
	unsigned links = 0;
	struct stat st;

	if (strlen(path) >= sizeof(way))
		return;
	strcpy(way, path);
	strcpy(at, way[0] == '/' ? "/" : ".");
	while (next_step(&rest, name)) {
		if (strcmp(name, ".") == 0)
			continue;
		strcpy(to, at);
		if (!join(to, name))
			return;
		watch_name(folders, at, name, !whole && !rest[strspn(rest, "/")]);
		if (lstat(to, &st) < 0)
			return;
		if (S_ISLNK(st.st_mode)) {
			if (++links > LINKS_MAX || !splice(to, way, &rest))
				return;
			if (way[0] == '/')
				strcpy(at, "/");
		} else if (S_ISDIR(st.st_mode)) {
			strcpy(at, to);
		} else {
			return;
		}
	}
	if (!whole)
		return;
	folder = watch_folder(folders, at, FILE_MASK);
	if (folder)
		folder->whole = true;
}

int folders_end(struct folders *folders, struct err *err)
{
	for (unsigned i = 0; i < folders->count;) {
		struct folder *folder = &folders->folder[i];

		if (folder->wanted) {
			i++;
			continue;
		}
		inotify_rm_watch(folders->fd, folder->wd);
		*folder = folders->folder[--folders->count];
	}
	qsort(folders->name, folders->names, sizeof(*folders->name), compare_names);
	if (!folders->limit)
		return 0;
	if (folders->limit == E2BIG)
		return err_set(err, "more than %u folders; list fewer sources", folders->max);
	return err_set(err, "inotify: %s; raise fs.inotify.max_user_watches",
		       folders->limit == ENOSPC ? "no more watches for this user"
						: strerror(ENOMEM));
}
