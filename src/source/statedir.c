/* SPDX-License-Identifier: MIT */
/*
 * Writing is the old way, since nothing newer is as sure: into a new file, fsync, rename over the
 * old one, fsync the folder. Without the first fsync a file system may put the rename on disk
 * before the data, and after a power cut there is an empty file under the right name. The new
 * file has a name of its own (one a source; we are the only writer), so what an interrupted
 * writing leaves is overwritten by the next, or removed at the next start.
 *
 * At a start every good source is read anew and would be written anew, as it was. So what would be
 * written is first compared with what is there, and writing is left out if only the time differs,
 * and that by less than a day: times are for the warning about old versions, which counts days.
 *
 * The lock is on the folder itself (flock), ends with the process however that ends, and leaves no
 * file behind. It keeps a server that is tried by hand from forgetting what the real one relies on.
 * A file system that cannot lock is used without.
 *
 * The name of a file is a hash, since a path is longer than a name may be; the path inside decides.
 */
#include "source/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Octets of the hash that are in a name: 128 bits do not meet by accident. */
#define NAME_HASH_LEN 16
#define SUFFIX ".good"
#define SUFFIX_NEW ".new"
#define NAME_CAP (2 * NAME_HASH_LEN + sizeof(SUFFIX))
/* Seconds by which a file may be older than what it would be replaced by, being the same. */
#define FRESH_S 86400

struct statedir {
	char *path;
	int fd;
};

/* ---- names ----------------------------------------------------------------------------------- */

static void name_of(const char *path, size_t len, const char *suffix, char name[NAME_CAP])
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };

	/* Without a hash (no memory) all have one name: the path inside tells. */
	EVP_Digest(path, len, hash, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < NAME_HASH_LEN; i++)
		sprintf(name + 2 * i, "%02x", hash[i]);
	strcpy(name + 2 * (size_t)NAME_HASH_LEN, suffix);
}

static bool is_ours(const char *name, const char *suffix)
{
	return strspn(name, "0123456789abcdef") == 2 * (size_t)NAME_HASH_LEN &&
	       strcmp(name + 2 * (size_t)NAME_HASH_LEN, suffix) == 0;
}

struct names {
	size_t count;
	char (*name)[NAME_CAP];
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names in the folder that end so, sorted. -1 when there is no memory or it cannot be read. */
static int read_names(const struct statedir *dir, const char *suffix, struct names *ret)
{
	struct names names = { .name = calloc(STATEDIR_FILES_MAX, NAME_CAP) };
	DIR *stream = names.name ? opendir(dir->path) : NULL;
	struct dirent *item;

	if (!stream) {
		free(names.name);
		return -1;
	}
	while (names.count < STATEDIR_FILES_MAX && (item = readdir(stream)))
		if (is_ours(item->d_name, suffix))
			strcpy(names.name[names.count++], item->d_name);
	closedir(stream);
	qsort(names.name, names.count, NAME_CAP, compare_names);
	*ret = names;
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct statedir *statedir_open(const char *path, struct err *err)
{
	struct statedir *dir = calloc(1, sizeof(*dir));
	struct names left;

	if (!dir || !(dir->path = strdup(path))) {
		free(dir);
		err_set(err, "%s: out of memory", path);
		return NULL;
	}
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (flock(dir->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		err_set(err, "%s: another server uses it", path);
		goto fail;
	}
	if (read_names(dir, SUFFIX_NEW, &left) == 0) {
		for (size_t i = 0; i < left.count; i++)
			unlinkat(dir->fd, left.name[i], 0);
		free(left.name);
	}
	return dir;
fail:
	statedir_close(dir);
	return NULL;
}

/* `each` says whether to go on; false if it did not, or the folder cannot be read. */
static bool walk(int folder, bool (*each)(int folder, const char *name, const void *arg),
		 const void *arg)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* closedir takes it */
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *item;
	bool good = stream != NULL;

	while (good && (item = readdir(stream)))
		good = strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0 ||
		       each(folder, item->d_name, arg);
	if (stream)
		closedir(stream);
	else if (copy >= 0)
		close(copy);
	return good;
}

static bool is_named_as_ours(int folder, const char *name, const void *arg)
{
	(void)folder;
	(void)arg;
	return is_ours(name, SUFFIX) || is_ours(name, SUFFIX_NEW);
}

/* A regular file, and no second name of one that lies elsewhere. */
static bool give_file(int folder, const char *name, const void *arg)
{
	const struct stat *owner = arg;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return true;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == 0)
		(void)!fchown(fd, owner->st_uid, owner->st_gid);
	close(fd);
	return true;
}

void statedir_give(const char *path, uid_t uid, gid_t gid)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat owner = { .st_uid = uid, .st_gid = gid }, st;

	if (folder < 0)
		return;
	/* Its files first: as long as it is root's nobody else changes what lies in it. */
	if (fstat(folder, &st) == 0 && st.st_uid == 0 && !(st.st_mode & S_IWOTH) &&
	    walk(folder, is_named_as_ours, NULL) && walk(folder, give_file, &owner))
		(void)!fchown(folder, uid, gid);
	close(folder);
}

void statedir_close(struct statedir *dir)
{
	if (!dir)
		return;
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The first octets of a file. -1 if it cannot be read. */
static ssize_t read_first(const struct statedir *dir, const char *name, uint8_t *octets, size_t cap)
{
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	size_t len = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (fd >= 0 && len < cap && (got = read(fd, octets + len, cap - len)) > 0)
		len += (size_t)got;
	if (fd >= 0)
		close(fd);
	return got < 0 ? -1 : (ssize_t)len;
}

struct found {
	char *path, *entry;
	struct state_head head;
};

static int compare_found(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

/* 1 with the head of a file; 0 if it is none, with a complaint; -1 without memory. */
static int find(const struct statedir *dir, const char *name, struct found *ret,
		struct complaints *to)
{
	uint8_t octets[STATE_HEAD_MAX];
	ssize_t len = read_first(dir, name, octets, sizeof(octets));
	struct found found;
	char expected[NAME_CAP];
	struct err err;

	if (len < 0)
		err_set(&err, "cannot be read: %s", strerror(errno));
	else if (state_read_head(octets, (size_t)len, &found.head, &err) == 0) {
		name_of(found.head.path, found.head.path_len, SUFFIX, expected);
		if (strcmp(name, expected) == 0) {
			found.path = strndup(found.head.path, found.head.path_len);
			found.entry = strndup(found.head.entry, found.head.entry_len);
			*ret = found;
			return found.path && found.entry ? 1 : -1;
		}
		err_set(&err, "has the name of another");
	}
	complain(to, COMPLAINT_WARNING, dir->path, 0, 0,
		 "%s %s; these last good records are lost; mend the source, then it is replaced",
		 name, err.text);
	return 0;
}

int statedir_list(struct statedir *dir, statedir_found_fn *call, void *arg, struct complaints *to)
{
	struct found *found = NULL;
	struct names names;
	size_t count = 0;
	int result = 0;

	if (read_names(dir, SUFFIX, &names) < 0)
		return -1;
	found = calloc(names.count + 1, sizeof(*found));
	for (size_t i = 0; found && i < names.count && result >= 0; i++) {
		result = find(dir, names.name[i], &found[count], to);
		count += result != 0;
	}
	if (!found)
		result = -1;
	if (count)
		qsort(found, result < 0 ? 0 : count, sizeof(*found), compare_found);
	for (size_t i = 0; i < count; i++) {
		if (result >= 0)
			result = call(arg, found[i].path, found[i].entry, &found[i].head);
		free(found[i].path);
		free(found[i].entry);
	}
	free(found);
	free(names.name);
	return result < 0 ? -1 : 0;
}

struct record_set *statedir_read(struct statedir *dir, const char *path, const struct zones *zones,
				 const struct builder_conf *conf, struct state_head *ret_head,
				 struct err *err)
{
	struct record_set *set = NULL;
	char name[NAME_CAP], *full;
	struct state_head head;
	uint8_t *octets;
	size_t len;

	name_of(path, strlen(path), SUFFIX, name);
	if (asprintf(&full, "%s/%s", dir->path, name) < 0) {
		err_set(err, "%s: out of memory", dir->path);
		return NULL;
	}
	if (file_read(full, STATE_FILE_MAX, &octets, &len, err) == 0) {
		set = state_read(octets, len, zones, conf, &head, err);
		if (!set) {
			err_prefix(err, "%s: ", full);
		} else if (head.path_len != strlen(path) ||
			   memcmp(head.path, path, head.path_len) != 0) {
			err_set(err, "%s: is of another source", full);
			record_set_unref(set);
			set = NULL;
		} else {
			*ret_head = head;
			/* They pointed into what goes now. */
			ret_head->path = ret_head->entry = NULL;
		}
		free(octets);
	}
	free(full);
	return set;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* A state_sink_fn: is this what comes next in the file? */
static int compare(void *arg, const uint8_t *octets, size_t len)
{
	uint8_t theirs[4096];
	int fd = *(int *)arg;

	while (len > 0) {
		ssize_t got = read(fd, theirs, len < sizeof(theirs) ? len : sizeof(theirs));

		if (got <= 0 || memcmp(theirs, octets, (size_t)got) != 0)
			return -1;
		octets += got;
		len -= (size_t)got;
	}
	return 0;
}

/* Does the file say what would be written, and is it fresh? */
static bool is_written(const struct statedir *dir, const char *name, const struct state_head *head,
		       const struct record_set *set)
{
	uint8_t octets[STATE_HEAD_MAX];
	ssize_t len = read_first(dir, name, octets, sizeof(octets));
	struct state_head theirs, same = *head;
	bool result;
	int fd;

	if (len <= 0 || state_read_head(octets, (size_t)len, &theirs, NULL) < 0 ||
	    theirs.taken > head->taken || head->taken - theirs.taken >= FRESH_S)
		return false;
	same.taken = theirs.taken;
	fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return false;
	result = state_write(&same, set, compare, &fd, NULL) == 0 && read(fd, octets, 1) == 0;
	close(fd);
	return result;
}

struct target {
	int fd, error; /* error: errno of what failed */
};

/* A state_sink_fn. */
static int write_piece(void *arg, const uint8_t *octets, size_t len)
{
	struct target *target = arg;

	while (len > 0) {
		ssize_t done = write(target->fd, octets, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			target->error = done < 0 ? errno : EIO;
			return -1;
		}
		octets += done;
		len -= (size_t)done;
	}
	return 0;
}

/* The new file, whole and on the disk. */
static int write_new(const struct statedir *dir, const char *name, const struct state_head *head,
		     const struct record_set *set, struct err *err)
{
	struct target target = { .fd = -1 };
	struct err why;
	int result = -1;

	unlinkat(dir->fd, name, 0);
	target.fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (target.fd < 0)
		return err_set(err, "%s: cannot write: %s", dir->path, strerror(errno));
	if (state_write(head, set, write_piece, &target, &why) < 0)
		err_set(err, "%s: cannot write: %s", dir->path,
			target.error ? strerror(target.error) : why.text);
	else if (fsync(target.fd) < 0)
		err_set(err, "%s: cannot write: %s", dir->path, strerror(errno));
	else
		result = 0;
	/* NFS may keep the bad news until then. */
	if (close(target.fd) < 0 && result == 0)
		result = err_set(err, "%s: cannot write: %s", dir->path, strerror(errno));
	return result;
}

int statedir_write(struct statedir *dir, const struct state_head *head,
		   const struct record_set *set, struct err *err)
{
	char name[NAME_CAP], name_new[NAME_CAP];

	name_of(head->path, head->path_len, SUFFIX, name);
	name_of(head->path, head->path_len, SUFFIX_NEW, name_new);
	if (is_written(dir, name, head, set))
		return 0;
	if (write_new(dir, name_new, head, set, err) < 0)
		goto fail;
	if (renameat(dir->fd, name_new, dir->fd, name) < 0) {
		err_set(err, "%s: cannot rename: %s", dir->path, strerror(errno));
		goto fail;
	}
	if (fsync(dir->fd) < 0)
		return err_set(err, "%s: cannot write: %s", dir->path, strerror(errno));
	return 0;
fail:
	unlinkat(dir->fd, name_new, 0);
	return -1;
}

void statedir_forget(struct statedir *dir, const char *const *paths, size_t count)
{
	char(*keep)[NAME_CAP] = calloc(count + 1, NAME_CAP);
	struct names names;
	bool gone = false;

	if (!keep || read_names(dir, SUFFIX, &names) < 0) {
		free(keep);
		return;
	}
	for (size_t i = 0; i < count; i++)
		name_of(paths[i], strlen(paths[i]), SUFFIX, keep[i]);
	qsort(keep, count, NAME_CAP, compare_names);
	for (size_t i = 0; i < names.count; i++)
		if (!bsearch(names.name[i], keep, count, NAME_CAP, compare_names) &&
		    unlinkat(dir->fd, names.name[i], 0) == 0)
			gone = true;
	if (gone)
		fsync(dir->fd);
	free(names.name);
	free(keep);
}
