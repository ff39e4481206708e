/* SPDX-License-Identifier: MIT */
/*
 * A network share that hangs when it is told to: `share FOLDER MOUNT SWITCH`.
 *
 * Shows the files of FOLDER (no folders in it) read-only at MOUNT, through FUSE, spoken here by
 * hand: what a test needs is a call in the kernel that does not return, as from a server that is
 * gone. While the file SWITCH is there no request is taken: as with a share of NFS, who waits can
 * be killed, which he could not be once his request was taken. Nothing is cached, so that each
 * stat(2) comes here. Ends by SIGTERM; then whoever waits gets an error. Prints `ready` when it is
 * mounted; exit status 77 if that cannot be done here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 64
#define ROOT_ID 1 /* FUSE_ROOT_ID; file i of ours is i + 2 */

static const char *folder, *mount_point, *switch_path;
static char names[FILES_MAX][256];
static unsigned count;
static int fd;

static void on_term(int number)
{
	(void)number;
	umount2(mount_point, MNT_DETACH);
	_exit(0);
}

static void reply(const struct fuse_in_header *in, int error, const void *data, size_t len)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + len),
				       .error = -error,
				       .unique = in->unique };
	struct iovec parts[] = { { &out, sizeof(out) }, { (void *)data, len } };

	if (writev(fd, parts, 2) < 0 && errno != ENOENT)
		perror("share: reply");
}

static void path_of(uint64_t node, char path[4096])
{
	snprintf(path, 4096, "%s/%s", folder, node >= 2 && node < 2 + count ? names[node - 2] : "");
}

static int attributes(uint64_t node, struct fuse_attr *ret)
{
	char path[4096];
	struct stat st;

	path_of(node, path);
	if (stat(path, &st) < 0)
		return errno;
	*ret = (struct fuse_attr){ .ino = node,
				   .size = (uint64_t)st.st_size,
				   .mtime = (uint64_t)st.st_mtim.tv_sec,
				   .ctime = (uint64_t)st.st_ctim.tv_sec,
				   .mtimensec = (uint32_t)st.st_mtim.tv_nsec,
				   .ctimensec = (uint32_t)st.st_ctim.tv_nsec,
				   .mode = st.st_mode,
				   .nlink = 1 };
	return 0;
}

static void look_up(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { .nodeid = 0 };
	unsigned i = 0;
	int error;

	while (i < count && strcmp(names[i], name) != 0)
		i++;
	if (i == FILES_MAX || strlen(name) >= sizeof(names[0])) {
		reply(in, ENOENT, NULL, 0);
		return;
	}
	if (i == count)
		strcpy(names[count++], name);
	out.nodeid = i + 2;
	error = attributes(out.nodeid, &out.attr);
	reply(in, error, &out, error ? 0 : sizeof(out));
}

static void read_file(const struct fuse_in_header *in, const struct fuse_read_in *wanted)
{
	static char data[1 << 17];
	char path[4096];
	ssize_t len = -1;
	int file;

	path_of(in->nodeid, path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		len = pread(file, data, wanted->size < sizeof(data) ? wanted->size : sizeof(data),
			    (off_t)wanted->offset);
		close(file);
	}
	reply(in, len < 0 ? errno : 0, data, len < 0 ? 0 : (size_t)len);
}

/* All at once: there are few. */
static void read_folder(const struct fuse_in_header *in, const struct fuse_read_in *wanted)
{
	static char data[FILES_MAX * (sizeof(struct fuse_dirent) + 256)];
	DIR *stream = wanted->offset ? NULL : opendir(folder);
	const struct dirent *item;
	size_t len = 0;

	memset(data, 0, sizeof(data));
	while (stream && (item = readdir(stream))) {
		struct fuse_dirent *out = (struct fuse_dirent *)(data + len);
		size_t name_len = strlen(item->d_name);
		size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name_len);

		if (len + size > wanted->size || len + size > sizeof(data))
			break;
		len += size;
		out->ino = item->d_ino;
		out->off = len;
		out->namelen = (uint32_t)name_len;
		memcpy(out->name, item->d_name, name_len);
	}
	if (stream)
		closedir(stream);
	reply(in, 0, data, len);
}

static void serve(const struct fuse_in_header *in, const void *rest)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = 31, /* of 2019; nothing newer is needed */
				      .max_write = 4096 };
	struct fuse_attr_out attr = { .attr_valid = 0 };
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };
	int error;

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(in, rest);
		break;
	case FUSE_GETATTR:
		error = attributes(in->nodeid, &attr.attr);
		reply(in, error, &attr, error ? 0 : sizeof(attr));
		break;
	case FUSE_OPENDIR:
	case FUSE_OPEN:
		reply(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_file(in, rest);
		break;
	case FUSE_READDIR:
		read_folder(in, rest);
		break;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* no reply */
	default:
		reply(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static _Alignas(8) char buffer[1 << 18];
	const struct fuse_in_header *in = (const struct fuse_in_header *)buffer;
	char options[128];
	ssize_t len;

	if (argc != 4) {
		fprintf(stderr, "usage: share FOLDER MOUNT SWITCH\n");
		return 2;
	}
	folder = argv[1];
	mount_point = argv[2];
	switch_path = argv[3];
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other",
		 fd);
	if (fd < 0 || mount("share", mount_point, "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		perror("share: mount");
		return 77;
	}
	signal(SIGTERM, on_term);
	puts("ready");
	fflush(stdout);
	for (;;) {
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
		if (access(switch_path, F_OK) == 0) {
			usleep(10000);
			continue;
		}
		len = read(fd, buffer, sizeof(buffer) - 1);
		if (len < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (len < (ssize_t)sizeof(*in))
			return 0; /* it is unmounted */
		buffer[len] = '\0';
		serve(in, buffer + sizeof(*in));
	}
}
