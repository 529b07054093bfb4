/*
 * reference: the least that has to be done to start one program with the protections that berm gives, and nothing
 * besides: no policy, no checks, no messages, no supervision. It is the yardstick for start-up times and for the price of
 * one Landlock layer; it is not a sandbox to use.
 *
 *   reference KIND WORKSPACE PROGRAM [ARG...]
 *     layer        one Landlock layer
 *     landlock     and a seccomp filter of the size and shape of berm's
 *     namespaces   and seven namespaces with a view of their own: the tree read-only, the workspace writable, private
 *                  /tmp, /dev with its nodes, /proc, empty /run, eight files masked
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	ALL = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	LEAVES = 120, /* of the filter's tree; with its inner nodes some 240 instructions */
	MASKS = 8,
	NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		     CLONE_NEWCGROUP,
};

static const char *workspace;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "reference: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static long must(long result, const char *what)
{
	if (result < 0)
		give_up(what);
	return result;
}

/* ---- Landlock ---- */

static void allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights,
						  .parent_fd = open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0)
		return;
	must(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), path);
	close(rule.parent_fd);
}

static void add_layer(void)
{
	static const char *const readable[] = {"/usr", "/bin", "/sbin", "/lib",	 "/lib64", "/etc",
					       "/opt", "/var", "/sys",	"/proc", "/dev"};
	struct landlock_ruleset_attr attr = {.handled_access_fs = ALL};
	int ruleset = (int)must(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), "ruleset");
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow(ruleset, readable[i], READ);
	allow(ruleset, "/tmp", ALL);
	allow(ruleset, "/run", ALL);
	allow(ruleset, workspace, ALL);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(syscall(SYS_landlock_restrict_self, ruleset, 0), "restrict");
	close(ruleset);
}

/* ---- seccomp: a balanced tree over call numbers that allows everything ---- */

static struct sock_filter program[4 * LEAVES];
static unsigned length;

static void grow(unsigned low, unsigned high)
{
	if (high - low < 2) {
		program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		return;
	}
	unsigned middle = low + (high - low) / 2, branch = length++;
	grow(low, middle);
	program[branch] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, middle, (uint8_t)(length - branch - 1), 0);
	grow(middle, high);
}

static void add_filter(void)
{
	program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	grow(0, LEAVES);
	struct sock_fprog all = {.len = (unsigned short)length, .filter = program};
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all), "seccomp");
}

/* ---- the view ---- */

static void put(const char *path, const char *text)
{
	int fd = (int)must(open(path, O_WRONLY | O_CLOEXEC), path);
	must(write(fd, text, strlen(text)), path);
	close(fd);
}

/* From inside: a process may map the one id that it had. */
static void map_ids(unsigned uid, unsigned gid)
{
	char text[64];
	put("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	put("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	put("/proc/self/gid_map", text);
}

static void mount_fs(const char *type, const char *target, unsigned long flags, const char *data)
{
	must(mount(type, target, type, flags, data), target);
}

static void make_tree_read_only(void)
{
	uint64_t attr[4] = {MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "propagation");
	int tree = (int)must(
		syscall(SYS_open_tree, AT_FDCWD, workspace, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
		"clone");
	must(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, attr, sizeof(attr)), "read-only");
	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, workspace, MOVE_MOUNT_F_EMPTY_PATH), "workspace");
	close(tree);
}

static void make_devices(void)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	char from[32], to[32];
	must(mkdir("/run/dev", 0755), "dev");
	mount_fs("tmpfs", "/run/dev", MS_NOSUID | MS_NOEXEC, "mode=755");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		snprintf(to, sizeof(to), "/run/dev/%s", nodes[i]);
		must(mknod(to, S_IFREG | 0666, 0), to);
		must(mount(from, to, NULL, MS_BIND, NULL), to);
	}
	must(mkdir("/run/dev/pts", 0755), "pts");
	must(mkdir("/run/dev/shm", 01777), "shm");
	mount_fs("devpts", "/run/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620");
	must(symlink("pts/ptmx", "/run/dev/ptmx"), "ptmx");
	must(symlink("/proc/self/fd", "/run/dev/fd"), "fd");
	must(mount("/run/dev", "/dev", NULL, MS_MOVE, NULL), "/dev");
}

static void mask_files(void)
{
	char path[4096];
	for (int i = 0; i < MASKS; i++) {
		snprintf(path, sizeof(path), "%s/m%d", workspace, i);
		if (access(path, F_OK) == 0)
			must(mount("/dev/null", path, NULL, MS_BIND, NULL), path);
	}
}

static void make_view(void)
{
	make_tree_read_only();
	mount_fs("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_fs("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_fs("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
	make_devices();
	mask_files();
}

static _Noreturn void become(const char *kind, char **argv)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "death signal");
	add_layer();
	if (strcmp(kind, "layer") != 0)
		add_filter();
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(argv[0], argv);
	give_up(argv[0]);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	workspace = argv[2];
	bool namespaces = strcmp(argv[1], "namespaces") == 0;
	unsigned uid = getuid(), gid = getgid();
	pid_t pid = (pid_t)must(syscall(SYS_clone, SIGCHLD | (namespaces ? NAMESPACES : 0), 0, 0, 0, 0), "clone");
	if (pid == 0) {
		if (namespaces) {
			map_ids(uid, gid);
			make_view();
		}
		become(argv[1], argv + 3);
	}
	int status;
	must(waitpid(pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
