/* Kernel surface: calls that no program under an agent needs, other call tables, namespaces, keys, shared memory. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long perf_open(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .exclude_kernel = 1};
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long clone_flags(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

static long clone3_flags(unsigned long flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

static long open_network_file(void)
{
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fd : syscall(SYS_setns, fd, CLONE_NEWNET);
}

/* A call counts as reached if the kernel answers anything but "you may not" and "there is no such call". The arguments
 * are such that a reached call does no harm. */
#define CALL(name, expression)                                                                                         \
	static long call_##name(void)                                                                                  \
	{                                                                                                              \
		return expression;                                                                                     \
	}
CALL(bpf_map, syscall(SYS_bpf, 0, (uint32_t[18]){2, 4, 4, 1}, 72))
CALL(perf_event_open, perf_open())
CALL(userfaultfd, syscall(SYS_userfaultfd, 1))
CALL(kexec_load, syscall(SYS_kexec_load, 0, 99, NULL, 0))
CALL(kexec_file_load, syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 4))
CALL(init_module, syscall(SYS_init_module, NULL, 0, ""))
CALL(finit_module, syscall(SYS_finit_module, -1, "", 0))
CALL(delete_module, syscall(SYS_delete_module, "no_such_module", 0))
CALL(add_key, syscall(SYS_add_key, "user", "berm-test", "x", 1, -2))
CALL(request_key, syscall(SYS_request_key, "user", "berm-absent", NULL, 0) < 0 && errno == ENOKEY ? 0 : -1)
CALL(keyctl, syscall(SYS_keyctl, 0, -3, 1))
CALL(io_uring_setup, syscall(SYS_io_uring_setup, 1, (char[120]){0}))
CALL(io_uring_enter, syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0))
CALL(io_uring_register, syscall(SYS_io_uring_register, -1, 0, NULL, 0))
CALL(personality_aslr, personality(ADDR_NO_RANDOMIZE))
CALL(personality_exec, personality(READ_IMPLIES_EXEC))
CALL(unshare_user, unshare(CLONE_NEWUSER))
CALL(unshare_mount, unshare(CLONE_NEWNS))
CALL(unshare_net, unshare(CLONE_NEWNET))
CALL(unshare_pid, unshare(CLONE_NEWPID))
CALL(clone_user, clone_flags(CLONE_NEWUSER))
CALL(clone_mount, clone_flags(CLONE_NEWNS))
CALL(clone3_user, clone3_flags(CLONE_NEWUSER))
CALL(clone3_time, clone3_flags(CLONE_NEWUSER | CLONE_NEWTIME))
CALL(setns, open_network_file())
CALL(mount, mount("x", "/", "no_such_fs", 0, NULL))
CALL(umount, umount2("/etc/passwd", 0))
CALL(pivot_root, syscall(SYS_pivot_root, "/nowhere", "/nowhere"))
CALL(chroot, chroot("/"))
CALL(open_tree, syscall(SYS_open_tree, AT_FDCWD, "/", 1))
CALL(fsopen, syscall(SYS_fsopen, "tmpfs", 0))
CALL(fsmount, syscall(SYS_fsmount, -1, 0, 0))
CALL(move_mount, syscall(SYS_move_mount, -1, "", -1, "", 4))
CALL(mount_setattr, syscall(SYS_mount_setattr, -1, "", 0x1000, (uint64_t[4]){1}, 32))
CALL(fspick, syscall(SYS_fspick, AT_FDCWD, "/", 0))
CALL(swapon, syscall(SYS_swapon, "/nowhere", 0))
CALL(reboot, syscall(SYS_reboot, 0, 0, 0, NULL))
CALL(sethostname, syscall(SYS_sethostname, (void *)-1L, 8))
CALL(settimeofday, syscall(SYS_settimeofday, NULL, (int[2]){99999, 0}))
CALL(syslog, syscall(SYS_syslog, 3, (char[16]){0}, 8))
CALL(acct, syscall(SYS_acct, "/nowhere"))
CALL(fanotify_init, syscall(SYS_fanotify_init, 0, 0))
#ifdef SYS_iopl
CALL(iopl, syscall(SYS_iopl, 3))
CALL(ioperm, syscall(SYS_ioperm, 0x80, 1, 1))
CALL(modify_ldt, syscall(SYS_modify_ldt, 0, (char[64]){0}, 64))
#endif

#define ROW(name)                                                                                                      \
	{                                                                                                              \
#name, call_##name                                                                                     \
	}
static const struct {
	const char *name;
	long (*make)(void);
} calls[] = {
	ROW(bpf_map),
	ROW(perf_event_open),
	ROW(userfaultfd),
	ROW(kexec_load),
	ROW(kexec_file_load),
	ROW(init_module),
	ROW(finit_module),
	ROW(delete_module),
	ROW(add_key),
	ROW(request_key),
	ROW(keyctl),
	ROW(io_uring_setup),
	ROW(io_uring_enter),
	ROW(io_uring_register),
	ROW(personality_aslr),
	ROW(personality_exec),
	ROW(unshare_user),
	ROW(unshare_mount),
	ROW(unshare_net),
	ROW(unshare_pid),
	ROW(clone_user),
	ROW(clone_mount),
	ROW(clone3_user),
	ROW(clone3_time),
	ROW(setns),
	ROW(mount),
	ROW(umount),
	ROW(pivot_root),
	ROW(chroot),
	ROW(open_tree),
	ROW(fsopen),
	ROW(fsmount),
	ROW(move_mount),
	ROW(mount_setattr),
	ROW(fspick),
	ROW(swapon),
	ROW(reboot),
	ROW(sethostname),
	ROW(settimeofday),
	ROW(syslog),
	ROW(acct),
	ROW(fanotify_init),
#ifdef SYS_iopl
	ROW(iopl),
	ROW(ioperm),
	ROW(modify_ldt),
#endif
};

static int call(int argc, char **argv)
{
	(void)argc;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, argv[0]) != 0)
			continue;
		errno = 0;
		long result = calls[i].make();
		if (result >= 0 || (errno != EPERM && errno != ENOSYS && errno != EACCES && errno != EAFNOSUPPORT))
			return achieved("%s reached the kernel", argv[0]);
		return refused("%s", argv[0]);
	}
	fprintf(stderr, "attempt: no call is called %s\n", argv[0]);
	return USAGE;
}

/* ---- other call tables ---- */

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* Memory that a 32-bit pointer can name. */
static char *low_memory(void)
{
	return mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

static int read_int80(int argc, char **argv)
{
	(void)argc;
	char *low = low_memory();
	snprintf(low, 4096, "%s", argv[0]);
	long fd = int80(5, (long)low, O_RDONLY, 0);
	errno = fd < 0 ? (int)-fd : 0;
	if (fd < 0)
		return refused("int 0x80 open");
	long got = int80(3, fd, (long)(low + 4096), 4096);
	if (got > 0)
		fwrite(low + 4096, 1, (size_t)got, stdout);
	return achieved("int 0x80 read %s", argv[0]);
}

static int mkdir_int80(int argc, char **argv)
{
	(void)argc;
	char *low = low_memory();
	snprintf(low, 4096, "%s", argv[0]);
	long result = int80(39, (long)low, 0755, 0);
	errno = result < 0 ? (int)-result : 0;
	return report(result, "int 0x80 mkdir");
}

/* socketcall(SYS_SOCKET, {family, type, 0}) */
static int socket_int80(int argc, char **argv)
{
	(void)argc;
	uint32_t *args = (uint32_t *)(void *)low_memory();
	args[0] = (uint32_t)number(argv[0]);
	args[1] = (uint32_t)number(argv[1]);
	args[2] = 0;
	long result = int80(102, 1, (long)args, 0);
	errno = result < 0 ? (int)-result : 0;
	return report(result, "socketcall");
}

static int x32_call(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return report(syscall(0x40000000 + SYS_getpid), "x32 getpid");
}
#endif

/* ---- namespaces and mounts ---- */

static int write_map_file(const char *path, unsigned id)
{
	char text[64];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int len = snprintf(text, sizeof(text), "0 %u 1", id);
	return fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -1;
}

static int become_root_of_a_namespace(void)
{
	unsigned uid = getuid();
	if (geteuid() == 0)
		return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -1 : 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || write_map_file("/proc/self/uid_map", uid))
		return -1;
	return 0;
}

/* Whatever stands in front of TARGET is put aside by a bind mount over it. */
static int bind_over(int argc, char **argv)
{
	(void)argc;
	if (become_root_of_a_namespace() || mount(argv[0], argv[1], NULL, MS_BIND, NULL))
		return refused("bind mount");
	return achieved("bind mount over %s", argv[1]);
}

static int new_mount(int argc, char **argv)
{
	(void)argc;
	if (become_root_of_a_namespace())
		return refused("namespaces");
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 1);
	if (fs < 0 || syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0))
		return refused("fsopen");
	int mnt = (int)syscall(SYS_fsmount, fs, 1, 0);
	if (mnt < 0 || syscall(SYS_move_mount, mnt, "", AT_FDCWD, argv[0], 4))
		return refused("move_mount");
	return achieved("a new mount at %s", argv[0]);
}

static int make_device(int argc, char **argv)
{
	(void)argc;
	dev_t dev = (dev_t)number(argv[1]) << 8 | (dev_t)number(argv[2]);
	mode_t type = argc > 3 ? S_IFBLK : S_IFCHR;
	if (mknod(argv[0], type | 0666, dev))
		return refused("mknod %s", argv[0]);
	int fd = open(argv[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return report(fd, "open of a device made on the spot");
}

/* The old way out of a chroot, whatever root we are in. */
static int leave_chroot(int argc, char **argv)
{
	(void)argc;
	int out = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdir("jail", 0755);
	if (chroot("jail") || fchdir(out))
		return refused("chroot");
	for (int i = 0; i < 64; i++)
		if (chdir(".."))
			return refused("chdir");
	if (chroot("."))
		return refused("chroot back");
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || show(fd) <= 0)
		return refused("read %s", argv[0]);
	return achieved("read %s", argv[0]);
}

/* ---- shared with the host ---- */

static int read_shm(int argc, char **argv)
{
	(void)argc;
	int id = shmget((key_t)number(argv[0]), 0, 0);
	char *map = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);
	if (map == (void *)-1)
		return refused("shmget");
	return achieved("shared memory: %.64s", map);
}

static int open_sem(int argc, char **argv)
{
	(void)argc;
	return report(semget((key_t)number(argv[0]), 0, 0), "semaphores of the host");
}

static int open_msg(int argc, char **argv)
{
	(void)argc;
	return report(msgget((key_t)number(argv[0]), 0), "message queue of the host");
}

static int open_mq(int argc, char **argv)
{
	(void)argc;
	return report(mq_open(argv[0], O_RDONLY), "POSIX message queue of the host");
}

/* Opens without changing anything; the first that opens counts. */
static int open_any(int argc, char **argv)
{
	int flags = strcmp(argv[0], "w") == 0 ? O_WRONLY : O_RDONLY;
	for (int i = 1; i < argc; i++)
		if (open(argv[i], flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) >= 0)
			return achieved("opened %s", argv[i]);
	return refused("open of any of %d files", argc - 1);
}

/* ---- filters of our own ---- */

/* A listener of the attempt's own that lets everything through, then a write that must still be refused. */
static int own_listener(int argc, char **argv)
{
	(void)argc;
	struct sock_filter all[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = 4, .filter = all};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		return refused("a second listener");
	pid_t pid = fork();
	if (pid == 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_WRONLY | O_CREAT, 0666);
		_exit(fd < 0);
	}
	struct seccomp_notif ask = {0};
	struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &ask))
		return refused("notification");
	answer.id = ask.id;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	int status;
	waitpid(pid, &status, 0);
	errno = EACCES;
	return status ? refused("write past the filter") : achieved("wrote %s past the filter", argv[0]);
}

/* An allow-all filter on top: the strictest answer must win. */
static int allow_filter(int argc, char **argv)
{
	(void)argc;
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = 1, .filter = all};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return refused("seccomp");
	int fd = open(argv[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	return report(fd, "write behind an allow-all filter");
}

const struct attempt kernel_attempts[] = {
	{"call", call, 1, "NAME"},
#ifdef __x86_64__
	{"read-int80", read_int80, 1, "PATH"},
	{"mkdir-int80", mkdir_int80, 1, "PATH"},
	{"socket-int80", socket_int80, 2, "FAMILY TYPE"},
	{"x32", x32_call, 0, ""},
#endif
	{"bind-over", bind_over, 2, "SOURCE TARGET"},
	{"new-mount", new_mount, 1, "TARGET"},
	{"make-device", make_device, 3, "PATH MAJOR MINOR [block]"},
	{"leave-chroot", leave_chroot, 1, "PATH"},
	{"read-shm", read_shm, 1, "KEY"},
	{"open-sem", open_sem, 1, "KEY"},
	{"open-msg", open_msg, 1, "KEY"},
	{"open-mq", open_mq, 1, "NAME"},
	{"open-any", open_any, 2, "r|w PATH..."},
	{"own-listener", own_listener, 1, "PATH"},
	{"allow-filter", allow_filter, 1, "PATH"},
	{NULL, NULL, 0, NULL},
};
