/* SPDX-License-Identifier: MIT */
/*
 * A view is built at each change of a record, a bundle of 140 authorities takes milliseconds to
 * read. So what was read is kept until a reload is asked for, by its path; a file that cannot be
 * read leaves what is there. A list, for who has more than a handful?
 */
#include "admin/trust.h"

#include <stdlib.h>
#include <string.h>

struct file {
	struct file *next;
	char *path; /* NULL: the system's */
	struct tls_roots *roots;
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
	struct file *file, *next;

	if (!trust)
		return;
	for (file = trust->files; file; file = next) {
		next = file->next;
		tls_roots_free(file->roots);
		free(file->path);
		free(file);
	}
	free(trust);
}

void trust_renew(struct trust *trust)
{
	struct file *file;

	for (file = trust->files; file; file = file->next)
		file->stale = true;
}

static struct file *find(const struct trust *trust, const char *path)
{
	struct file *file;

	for (file = trust->files; file; file = file->next) {
		if (path && file->path ? strcmp(path, file->path) == 0 : path == file->path)
			break;
	}
	return file;
}

int trust_get(struct trust *trust, const char *path, const struct tls_roots **ret, struct err *err)
{
	struct file *file = find(trust, path);
	struct tls_roots *roots;

	if (file && !file->stale) {
		*ret = file->roots;
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
		file->next = trust->files;
		trust->files = file;
	}
	tls_roots_free(file->roots);
	file->roots = roots;
	file->stale = false;
	*ret = roots;
	return 0;
}
