/* SPDX-License-Identifier: MIT */
/*
 * What is small by nature (configuration, resolv.conf, last good sets) is read whole before
 * anything looks at it: a file that changes under a reader would otherwise be half one state and
 * half another. The bound keeps a stray disk image or /dev/zero from eating the memory. Record
 * files are read as streams (source/text).
 *
 * The size that fstat gives is a first guess only: read goes on to the end of the file, so that one
 * that grows meanwhile (or one under /proc, which says 0) comes whole. Opened without blocking and
 * checked after, so a FIFO in the folder cannot hold the loader.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* First guess where the size is 0; doubled as needed. */
#define FILE_GUESS 4096

static int read_all(int fd, const char *path, size_t guess, size_t max, uint8_t **ret_data,
		    size_t *ret_len, struct err *err)
{
	size_t cap = guess, len = 0;
	uint8_t *data, *grown;
	ssize_t got;

	/* One octet more than the text: the NUL; and one more, so that growth shows at once. */
	data = malloc(cap + 2);
	if (!data)
		return err_set(err, "%s: no memory for %zu octets", path, cap);
	for (;;) {
		got = read(fd, data + len, cap + 1 - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_set(err, "%s: cannot read: %s", path, strerror(errno));
			goto fail;
		}
		if (got == 0)
			break;
		len += (size_t)got;
		if (len > max) {
			err_set(err, "%s: larger than %zu octets; split it or check what it is",
				path, max);
			goto fail;
		}
		if (len > cap) {
			cap = cap > max / 2 ? max : cap * 2;
			grown = realloc(data, cap + 2);
			if (!grown) {
				err_set(err, "%s: no memory for %zu octets", path, cap);
				goto fail;
			}
			data = grown;
		}
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;

fail:
	free(data);
	return -1;
}

int file_read(const char *path, size_t max, uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	struct stat st;
	size_t guess;
	int fd, result;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, "%s: cannot open: %s; correct the path or its permissions",
			       path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		result = err_set(err, "%s: cannot read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		result = err_set(err, "%s: not a regular file; name a file", path);
	} else {
		guess = st.st_size > 0 ? (size_t)st.st_size : FILE_GUESS;
		result = read_all(fd, path, guess < max ? guess : max, max, ret_data, ret_len, err);
	}
	close(fd);
	return result;
}
