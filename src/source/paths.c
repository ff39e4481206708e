/* SPDX-License-Identifier: MIT */
/*
 * Order is precedence: the first file to hold a name wins. So names are sorted as octets, which is
 * the same on every machine and in every locale.
 *
 * Names that begin with a dot are left out: editors and copy programs keep unfinished things
 * there, and Kubernetes its own links. So are those that editors give to backups and to what is not
 * saved yet; an old version beside the new one would bring back what was taken out. What is no
 * regular file is passed over as well, and looked at with stat alone: opening a FIFO would wait for
 * ever.
 */
#include "source/paths.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void paths_fini(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->path[i]);
	free(paths->path);
	*paths = (struct paths){ 0 };
}

int paths_add(struct paths *paths, const char *path)
{
	if (paths->count == paths->cap) {
		size_t cap = paths->cap ? paths->cap * 2 : 16;
		char **grown = realloc(paths->path, cap * sizeof(*grown));

		if (!grown)
			return -1;
		paths->path = grown;
		paths->cap = cap;
	}
	paths->path[paths->count] = strdup(path);
	if (!paths->path[paths->count])
		return -1;
	paths->count++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_from(struct paths *paths, size_t first)
{
	if (paths->count > first)
		qsort(paths->path + first, paths->count - first, sizeof(*paths->path), compare);
}

void paths_sort(struct paths *paths)
{
	sort_from(paths, 0);
}

bool paths_has(const struct paths *paths, const char *path)
{
	return paths->count &&
	       bsearch(&path, paths->path, paths->count, sizeof(*paths->path), compare);
}

/*
 * `kind` is what the folder says of it (DT_...). What cannot be looked at, a link that leads
 * nowhere too, is taken for a file: it is not gone, and reading it tells what is wrong.
 */
static bool is_file(const char *path, unsigned char kind)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISREG(st.st_mode);
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return false;
	return kind == DT_REG || kind == DT_LNK || kind == DT_UNKNOWN;
}

/* 0, 1 past the limit (complained of once), -1 without memory. */
static int add_limited(struct paths *paths, const char *path, const char *entry,
		       struct complaints *to)
{
	if (paths->count < SOURCE_FILES_MAX)
		return paths_add(paths, path);
	complain(to, COMPLAINT_ERROR, entry, 0, 0,
		 "more than %d files; the rest is not read, join them", SOURCE_FILES_MAX);
	return 1;
}

/* `.x` and what editors leave beside a file: `x~` is the old one, `#x#` one that is being typed. */
static bool is_passed_over(const char *name)
{
	size_t len = strlen(name);

	return name[0] == '.' || name[len - 1] == '~' ||
	       (name[0] == '#' && len > 1 && name[len - 1] == '#');
}

static int expand_folder(struct paths *paths, const char *entry, struct complaints *to)
{
	size_t first = paths->count, len = strlen(entry);
	DIR *folder = opendir(entry);
	struct dirent *item;
	int result = 0, failed;

	if (!folder) {
		complain(to, COMPLAINT_ERROR, entry, 0, 0,
			 "cannot read the folder: %s; correct its permissions", strerror(errno));
		return 1;
	}
	/* A share may fail half way; then the rest is not gone. */
	while (result == 0 && (errno = 0, item = readdir(folder))) {
		char *path;

		if (is_passed_over(item->d_name))
			continue;
		if (asprintf(&path, "%s%s%s", entry, entry[len - 1] == '/' ? "" : "/",
			     item->d_name) < 0) {
			result = -1;
			break;
		}
		if (is_file(path, item->d_type))
			result = add_limited(paths, path, entry, to);
		free(path);
	}
	failed = result == 0 ? errno : 0;
	closedir(folder);
	sort_from(paths, first);
	if (!failed)
		return result < 0 ? -1 : 0;
	complain(to, COMPLAINT_ERROR, entry, 0, 0,
		 "cannot read the whole folder: %s; what is not seen is taken to be as it was",
		 strerror(failed));
	return 1;
}

static int expand_glob(struct paths *paths, const char *entry, struct complaints *to)
{
	size_t first = paths->count;
	glob_t found = { 0 };
	int result = glob(entry, GLOB_NOSORT, NULL, &found);

	if (result == GLOB_NOSPACE) {
		globfree(&found);
		return -1;
	}
	result = 0;
	for (size_t i = 0; i < found.gl_pathc && result == 0; i++)
		if (is_file(found.gl_pathv[i], DT_UNKNOWN))
			result = add_limited(paths, found.gl_pathv[i], entry, to);
	globfree(&found);
	if (paths->count == first && result == 0)
		complain(to, COMPLAINT_WARNING, entry, 0, 0,
			 "matches no file; correct it if files should be there");
	sort_from(paths, first);
	return result < 0 ? -1 : 0;
}

int paths_expand(struct paths *paths, const char *entry, struct complaints *to)
{
	struct stat st;

	if (stat(entry, &st) == 0 && S_ISDIR(st.st_mode))
		return expand_folder(paths, entry, to);
	/* A file whose very name holds such a character is that file. */
	if (lstat(entry, &st) < 0 && strpbrk(entry, "*?["))
		return expand_glob(paths, entry, to);
	return add_limited(paths, entry, entry, to) < 0 ? -1 : 0;
}
