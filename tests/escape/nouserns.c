/*
 * nouserns: starts a program where the kernel refuses what a default container refuses: every new namespace, mounts and
 * setns, by a seccomp filter and, for root, with a container's short list of capabilities. More can be taken away, to
 * see that a sandbox fails closed:
 *
 *   nouserns [--no-landlock] [--no-notify] [--no-seccomp] PROGRAM [ARG...]
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NEW_NAMESPACES = 0x7e020080, MAX_INSTRUCTIONS = 128 };

static struct sock_filter program[MAX_INSTRUCTIONS];
static unsigned short length;

static void put(uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	program[length++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

static void load(size_t offset)
{
	put(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void refuse(long nr, int error)
{
	put(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

/* Refused if any of bits is set in the lower half of the argument. */
static void refuse_bits(long nr, int arg, uint32_t bits, int error)
{
	put(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4);
	load(offsetof(struct seccomp_data, args) + (size_t)arg * 8);
	put(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
	load(offsetof(struct seccomp_data, nr));
}

static void compile(int landlock, int notify, int seccomp)
{
	static const long mounts[] = {SYS_setns,     SYS_mount,	     SYS_umount2,      SYS_pivot_root,
				      SYS_open_tree, SYS_move_mount, SYS_fsopen,       SYS_fsconfig,
				      SYS_fsmount,   SYS_fspick,     SYS_mount_setattr};
	load(offsetof(struct seccomp_data, nr));
	refuse_bits(SYS_unshare, 0, NEW_NAMESPACES, EPERM);
	refuse_bits(SYS_clone, 0, NEW_NAMESPACES, EPERM);
	refuse(SYS_clone3, ENOSYS);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		refuse(mounts[i], EPERM);
	for (long nr = SYS_landlock_create_ruleset; !landlock && nr <= SYS_landlock_restrict_self; nr++)
		refuse(nr, EOPNOTSUPP);
	if (!notify)
		refuse_bits(SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, EINVAL);
	if (!seccomp) {
		refuse(SYS_seccomp, ENOSYS);
		refuse(SYS_prctl, EINVAL);
	}
	put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* The capabilities that container engines leave to root: files, ids, kill, bind, raw sockets, chroot, mknod. */
static int drop_capabilities(void)
{
	const uint32_t kept = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID |
			      1u << CAP_KILL | 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_SETPCAP |
			      1u << CAP_NET_BIND_SERVICE | 1u << CAP_NET_RAW | 1u << CAP_SYS_CHROOT | 1u << CAP_MKNOD |
			      1u << CAP_AUDIT_WRITE;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (cap > 31 || !(kept >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap);
	return (int)syscall(SYS_capset, &head, sets);
}

int main(int argc, char **argv)
{
	int landlock = 1, notify = 1, seccomp = 1, first = 1;
	for (; first < argc && argv[first][0] == '-'; first++) {
		landlock &= strcmp(argv[first], "--no-landlock") != 0;
		notify &= strcmp(argv[first], "--no-notify") != 0;
		seccomp &= strcmp(argv[first], "--no-seccomp") != 0;
	}
	if (first >= argc)
		return 2;
	compile(landlock, notify, seccomp);
	struct sock_fprog filter = {.len = length, .filter = program};
	int root = geteuid() == 0;
	if ((!root && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) || (root && drop_capabilities())) {
		perror("nouserns");
		return 125;
	}
	execvp(argv[first], argv + first);
	perror(argv[first]);
	return 127;
}
