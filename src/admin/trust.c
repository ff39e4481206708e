/* SPDX-License-Identifier: MIT */
/*
 * A view is built at each change of a record, a bundle of 140 authorities takes milliseconds to
 * read. So what was read is kept until a reload is asked for, by its path; a file that cannot be
 * read leaves what is there. Until all that a reload needs has been read, what was in force before
 * is kept beside it: a reload counts whole or not at all. A list, for who has more than a handful?
 */
#include "admin/trust.h"

#include <stdlib.h>
#include <string.h>

struct file {
	struct file *next_file;
	char *path;              /* NULL: the system's */
	struct tls_roots *roots; /* NULL: not read */
	struct tls_roots *next;  /* read since the renewal, or NULL */
	bool stale;
};

struct trust {
	struct file *files;
};

struct trust *trust_new(void)
{
	return calloc(1, sizeof(struct trust));
}

void trust_free(struct trust *trust)
{
	struct file *file, *next_file;

	if (!trust)
		return;
	for (file = trust->files; file; file = next_file) {
		next_file = file->next_file;
		tls_roots_free(file->roots);
		tls_roots_free(file->next);
		free(file->path);
		free(file);
	}
	free(trust);
}

void trust_renew(struct trust *trust)
{
	struct file *file;

	for (file = trust->files; file; file = file->next_file)
		file->stale = true;
}

void trust_settle(struct trust *trust, bool keep)
{
	struct file *file;

	for (file = trust->files; file; file = file->next_file) {
		file->stale = false;
		if (!file->next)
			continue;
		if (keep) {
			tls_roots_free(file->roots);
			file->roots = file->next;
		} else {
			tls_roots_free(file->next);
		}
		file->next = NULL;
	}
}

static struct file *find(const struct trust *trust, const char *path)
{
	struct file *file;

	for (file = trust->files; file; file = file->next_file) {
		if (path && file->path ? strcmp(path, file->path) == 0 : path == file->path)
			break;
	}
	return file;
}

int trust_get(struct trust *trust, const char *path, const struct tls_roots **ret, struct err *err)
{
	struct file *file = find(trust, path);
	struct tls_roots *roots;

	if (file && (file->next || (file->roots && !file->stale))) {
		*ret = file->next ? file->next : file->roots;
		return 0;
	}
	roots = tls_roots_load(path, err);
	if (!roots)
		return -1;
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (file && path)
			file->path = strdup(path);
		if (!file || (path && !file->path)) {
			free(file);
			tls_roots_free(roots);
			return err_set(err, "out of memory");
		}
		file->next_file = trust->files;
		trust->files = file;
	}
	file->next = roots;
	*ret = roots;
	return 0;
}
