/* Reading and writing outside the grants, by every road that names a file. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int read_file(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || show(fd) < 0)
		return refused("read %s", argv[0]);
	return achieved("read %s", argv[0]);
}

static int read_openat2(int argc, char **argv)
{
	(void)argc;
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, argv[0], &how, sizeof(how));
	if (fd < 0 || show(fd) < 0)
		return refused("openat2 %s", argv[0]);
	return achieved("openat2 %s", argv[0]);
}

/* From the descriptor of a folder, through as many ".." as it takes. */
static int read_from_fd(int argc, char **argv)
{
	(void)argc;
	int fd = openat((int)number(argv[0]), argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || show(fd) < 0)
		return refused("openat %s, %s", argv[0], argv[1]);
	return achieved("openat %s, %s", argv[0], argv[1]);
}

static int read_open_fd(int argc, char **argv)
{
	(void)argc;
	if (show((int)number(argv[0])) <= 0)
		return refused("read descriptor %s", argv[0]);
	return achieved("read descriptor %s", argv[0]);
}

/* Any descriptor above 2, but for the one that reads the folder. */
static int list_fds(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return achieved("descriptor %d is open", fd);
	errno = EBADF;
	return refused("no descriptor above 2");
}

static int write_file(int argc, char **argv)
{
	int fd = open(argv[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	const char *text = argc > 1 ? argv[1] : "planted";
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return refused("write %s", argv[0]);
	return achieved("wrote %s", argv[0]);
}

static int write_map(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[0], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return refused("open %s for a shared map", argv[0]);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return refused("shared map of %s", argv[0]);
	memcpy(map, "PLANTED", 7);
	return achieved("wrote %s by a map", argv[0]);
}

/* Opened for reading once, then opened again for writing through the magic link. */
static int write_reopened(int argc, char **argv)
{
	(void)argc;
	char link[64];
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refused("open %s", argv[0]);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int again = open(link, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (again < 0 || write(again, "planted", 7) < 0)
		return refused("reopen %s", link);
	return achieved("wrote %s through %s", argv[0], link);
}

/* A file handle of the target, reopened by its inode. PATH is only used to get the handle. */
static int read_handle(int argc, char **argv)
{
	(void)argc;
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;
	/* Inside the path may be hidden, so the handle can be handed in as text: bytes, type, data. */
	if (argc > 3) {
		handle.head.handle_bytes = (unsigned)number(argv[1]);
		handle.head.handle_type = (int)number(argv[2]);
		for (unsigned i = 0; i < handle.head.handle_bytes && i < MAX_HANDLE_SZ; i++) {
			unsigned byte = 0;
			sscanf(argv[3] + (size_t)i * 2, "%2x", &byte);
			handle.head.f_handle[i] = (unsigned char)byte;
		}
	} else if (name_to_handle_at(AT_FDCWD, argv[0], &handle.head, &mount_id, 0)) {
		return refused("name_to_handle_at %s", argv[0]);
	}
	int at = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open_by_handle_at(at, &handle.head, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || show(fd) < 0)
		return refused("open_by_handle_at");
	return achieved("read by handle");
}

static int print_handle(int argc, char **argv)
{
	(void)argc;
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, argv[0], &handle.head, &mount_id, 0))
		return refused("name_to_handle_at %s", argv[0]);
	printf("%u %d ", handle.head.handle_bytes, handle.head.handle_type);
	for (unsigned i = 0; i < handle.head.handle_bytes; i++)
		printf("%02x", handle.head.f_handle[i]);
	putchar('\n');
	return ACHIEVED;
}

/* One SQE, one wait, no library. Returns the result of the operation, or -errno. */
static int ring_openat(const char *path, int flags)
{
	struct io_uring_params params = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		return -errno;
	size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	size_t size = sq_size > cq_size ? sq_size : cq_size;
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
					 ring, (off_t)IORING_OFF_SQES);
	if (map == MAP_FAILED || sqes == MAP_FAILED)
		return -errno;
	memset(&sqes[0], 0, sizeof(sqes[0]));
	sqes[0].opcode = IORING_OP_OPENAT;
	sqes[0].fd = AT_FDCWD;
	sqes[0].addr = (uintptr_t)path;
	sqes[0].open_flags = (unsigned)flags;
	sqes[0].len = 0644;
	((unsigned *)(void *)(map + params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(void *)(map + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return ((struct io_uring_cqe *)(void *)(map + params.cq_off.cqes))[0].res;
}

static int uring_read(int argc, char **argv)
{
	(void)argc;
	int fd = ring_openat(argv[0], O_RDONLY);
	errno = fd < 0 ? -fd : 0;
	if (fd < 0 || show(fd) < 0)
		return refused("io_uring open %s", argv[0]);
	return achieved("io_uring read %s", argv[0]);
}

static int uring_write(int argc, char **argv)
{
	(void)argc;
	int fd = ring_openat(argv[0], O_WRONLY | O_CREAT);
	errno = fd < 0 ? -fd : 0;
	if (fd < 0 || write(fd, "planted", 7) < 0)
		return refused("io_uring open %s", argv[0]);
	return achieved("io_uring wrote %s", argv[0]);
}

/* The hard link is made from a descriptor, not from a name. */
static int link_fd(int argc, char **argv)
{
	(void)argc;
	char link[64];
	int fd = open(argv[0], O_PATH | O_CLOEXEC);
	if (fd < 0)
		return refused("O_PATH %s", argv[0]);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, link, AT_FDCWD, argv[1], AT_SYMLINK_FOLLOW))
		return refused("linkat %s", link);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || show(fd) < 0)
		return refused("open the link");
	return achieved("linked and read %s", argv[0]);
}

/* An O_PATH descriptor is enough to read through its magic link. */
static int read_opath(int argc, char **argv)
{
	(void)argc;
	char link[64];
	int fd = open(argv[0], O_PATH | O_CLOEXEC);
	if (fd < 0)
		return refused("O_PATH %s", argv[0]);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int again = open(link, O_RDONLY | O_CLOEXEC);
	if (again < 0 || show(again) < 0)
		return refused("open %s", link);
	return achieved("read %s through %s", argv[0], link);
}

static int exchange(int argc, char **argv)
{
	(void)argc;
	return report(syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 2), "exchange");
}

/* A whiteout is a character device 0:0 that renameat2 leaves behind. */
static int rename_whiteout(int argc, char **argv)
{
	(void)argc;
	return report(syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 4), "rename with a whiteout");
}

static int stat_path(int argc, char **argv)
{
	(void)argc;
	struct stat st;
	if (stat(argv[0], &st) && access(argv[0], F_OK))
		return refused("stat %s", argv[0]);
	return achieved("%s is there, %lld bytes", argv[0], (long long)st.st_size);
}

/* Waits until PATH is there (the host makes it while we run), then reads it. */
static int read_late(int argc, char **argv)
{
	(void)argc;
	puts("WAITING");
	fflush(stdout);
	for (int i = 0; i < 20000; i++) {
		int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && show(fd) > 0)
			return achieved("read %s", argv[0]);
		if (fd >= 0)
			close(fd);
		if (access("go-on", F_OK) == 0 && i % 100 == 99)
			break;
		usleep(100);
	}
	return refused("read %s", argv[0]);
}

const struct attempt file_attempts[] = {
	{"read", read_file, 1, "PATH"},
	{"read-openat2", read_openat2, 1, "PATH"},
	{"read-from-fd", read_from_fd, 2, "FD PATH"},
	{"read-fd", read_open_fd, 1, "FD"},
	{"list-fds", list_fds, 0, ""},
	{"write", write_file, 1, "PATH [TEXT]"},
	{"write-map", write_map, 1, "PATH"},
	{"write-reopened", write_reopened, 1, "PATH"},
	{"read-handle", read_handle, 1, "PATH [BYTES TYPE HEX]"},
	{"print-handle", print_handle, 1, "PATH"},
	{"uring-read", uring_read, 1, "PATH"},
	{"uring-write", uring_write, 1, "PATH"},
	{"link-fd", link_fd, 2, "PATH NEW"},
	{"read-opath", read_opath, 1, "PATH"},
	{"exchange", exchange, 2, "PATH PATH"},
	{"whiteout", rename_whiteout, 2, "OLD NEW"},
	{"stat", stat_path, 1, "PATH"},
	{"read-late", read_late, 1, "PATH"},
	{NULL, NULL, 0, NULL},
};
