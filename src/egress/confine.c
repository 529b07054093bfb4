#include "egress/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/bpf.h"
#include "sandbox/plan.h"
#include "sandbox/seccomp.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Far more than the maxima of egress.h and their tables come to. A sanitizer's shadow alone is larger. */
#define MEMORY_MAX ((rlim_t)1 << 30)

/* ---- the list ------------------------------------------------------------------------------------------------------ */

/* Whatever their arguments. What is not on an architecture is left out. */
static const uint32_t allowed[] = {
	/* bytes */
	SYS_recvfrom, SYS_sendto, SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_recvmmsg, SYS_sendmsg,
	SYS_sendmmsg, SYS_splice, SYS_pipe2,
	/* connections; bind and listen are not among them */
	SYS_accept4, SYS_connect, SYS_shutdown, SYS_close, SYS_getsockname, SYS_getpeername, SYS_getsockopt,
	SYS_setsockopt,
/* waiting */
#ifdef SYS_epoll_wait
	SYS_epoll_wait, SYS_poll,
#endif
	SYS_epoll_pwait, SYS_epoll_ctl, SYS_ppoll,
	/* time and numbers at random */
	SYS_clock_gettime, SYS_gettimeofday, SYS_getrandom,
	/* memory, with mmap and mprotect below */
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
	/* ending, and what a libc does on the way; futex: one thread, but libc's locks know nothing of that */
	SYS_exit_group, SYS_exit, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_futex,
	SYS_getpid, SYS_gettid, SYS_restart_syscall, SYS_sched_yield};

/* A library that looks for a file goes on without it; everything else that is not allowed ends the process. */
static const uint32_t refused[] = {SYS_openat, SYS_newfstatat, SYS_readlinkat, SYS_faccessat, OS_NR_openat2,
#ifdef SYS_open
				   SYS_open,   SYS_stat,       SYS_lstat,      SYS_readlink,  SYS_access,
#endif
				   SYS_getuid, SYS_geteuid,    SYS_uname,      SYS_sysinfo};

/* The call is allowed if the argument under the mask is one of the values, in each row of the call. */
static const struct rule {
	uint32_t call, argument, mask;
	uint8_t count;
	uint32_t values[6];
} rules[] = {
	{SYS_socket, 0, ~0U, 2, {AF_INET, AF_INET6}},
	{SYS_socket, 1, 0xf, 2, {SOCK_STREAM, SOCK_DGRAM}},
	{SYS_socket, 2, ~0U, 3, {0, IPPROTO_TCP, IPPROTO_UDP}},
	{SYS_fcntl, 1, ~0U, 6, {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_SETPIPE_SZ}},
	{SYS_ioctl, 1, ~0U, 2, {FIONREAD, FIONBIO}},
	{SYS_mmap, 2, PROT_EXEC, 1, {0}},
	{SYS_mprotect, 2, PROT_EXEC, 1, {0}},
};

enum { PROGRAM_MAX = 512 };

static bpf_label put_rule(struct bpf *bpf, const struct rule *rule, bpf_label next)
{
	bpf_label at = bpf_return(bpf, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < rule->count; i++)
		at = bpf_jump(bpf, BPF_JEQ, rule->values[i], next, at);
	if (rule->mask != ~0U)
		at = bpf_mask(bpf, rule->mask, at);
	return bpf_load(bpf, (uint32_t)offsetof(struct seccomp_data, args) + 8 * rule->argument, at);
}

/* Rows of one call stand side by side. */
static bpf_label put_rules(struct bpf *bpf, bpf_label calls)
{
	for (size_t i = 0; i < ARRAY_LEN(rules);) {
		uint32_t call = rules[i].call;
		bpf_label at = bpf_return(bpf, SECCOMP_RET_ALLOW);
		for (; i < ARRAY_LEN(rules) && rules[i].call == call; i++)
			at = put_rule(bpf, &rules[i], at);
		calls = bpf_jump(bpf, BPF_JEQ, call, at, calls);
	}
	return calls;
}

static size_t compile(struct sock_filter *ret_program)
{
	struct bpf bpf;
	bpf_start(&bpf, ret_program, PROGRAM_MAX);
	bpf_label calls = put_rules(&bpf, bpf_return(&bpf, SECCOMP_RET_KILL_PROCESS));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		calls = bpf_jump(&bpf, BPF_JEQ, refused[i], bpf_return(&bpf, SECCOMP_RET_ERRNO | EACCES), calls);
	for (size_t i = ARRAY_LEN(allowed); i-- > 0;)
		calls = bpf_jump(&bpf, BPF_JEQ, allowed[i], bpf_return(&bpf, SECCOMP_RET_ALLOW), calls);
	calls = bpf_load(&bpf, offsetof(struct seccomp_data, nr), calls);
	bpf_label kill = bpf_return(&bpf, SECCOMP_RET_KILL_PROCESS);
	(void)bpf_load(&bpf, offsetof(struct seccomp_data, arch),
		       bpf_jump(&bpf, BPF_JEQ, seccomp_native_arch(), calls, kill));
	return bpf_finish(&bpf);
}

static enum berm_code install_list(struct berm_err *err)
{
	struct sock_filter program[PROGRAM_MAX];
	size_t len = compile(program);
	struct sock_fprog whole = {.len = (unsigned short)len, .filter = program};
	if (len == 0)
		return err_set(err, BERM_ERR_UNSUPPORTED, "the list of system calls of @egress is too long");
	return sys_seccomp_filter(&whole, 0) == 0 ? BERM_OK : err_sys(err, "put the list of system calls in force");
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

enum berm_code confine_descriptors(int keep_fd, struct berm_err *err)
{
	if (keep_fd <= STDERR_FILENO)
		return err_set(err, BERM_ERR_INVALID, "the door is one of the standard descriptors");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(err, "open /dev/null");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fd != null && dup2(null, fd) < 0)
			return err_sys(err, "replace descriptor %d", fd);
	}
	if ((keep_fd > STDERR_FILENO + 1 && sys_close_range(STDERR_FILENO + 1, (unsigned)keep_fd - 1, 0) < 0) ||
	    sys_close_range((unsigned)keep_fd + 1, ~0U, 0) < 0)
		return err_sys(err, "close descriptors");
	return BERM_OK;
}

static enum berm_code limit(int resource, rlim_t value, struct berm_err *err)
{
	struct rlimit limit = {value, value};
	return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? BERM_OK : err_sys(err, "set a limit");
}

static enum berm_code limit_all(size_t descriptors, size_t *ret_descriptors, struct berm_err *err)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return err_sys(err, "read a limit");
	rlim_t count = files.rlim_max < descriptors ? files.rlim_max : (rlim_t)descriptors;
	TRY(limit(RLIMIT_NOFILE, count, err));
	TRY(limit(RLIMIT_CORE, 0, err));
	TRY(limit(RLIMIT_FSIZE, 0, err));
	TRY(limit(RLIMIT_NPROC, 0, err));
	if (!SANITIZED)
		TRY(limit(RLIMIT_AS, MEMORY_MAX, err));
	*ret_descriptors = (size_t)count;
	return BERM_OK;
}

/* No path has any right. */
static enum berm_code give_up_files(struct berm_err *err)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_VERSION);
	if (abi < 1)
		return BERM_OK;
	const struct ll_ruleset_attr attr = {
		.handled_access_fs = landlock_handled(abi),
		.handled_access_net = abi >= 4 ? LL_NET_BIND_TCP : 0,
		.scoped = abi >= 6 ? LL_SCOPE_ABSTRACT_UNIX_SOCKET | LL_SCOPE_SIGNAL : 0,
	};
	size_t size = abi >= 6 ? sizeof(attr) : offsetof(struct ll_ruleset_attr, scoped);
	auto_fd int ruleset = sys_landlock_create_ruleset(&attr, abi >= 4 ? size : sizeof(attr.handled_access_fs), 0);
	if (ruleset < 0 || sys_landlock_restrict_self(ruleset, 0) != 0)
		return err_sys(err, "give up all files");
	return BERM_OK;
}

static enum berm_code give_up_capabilities(struct berm_err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return syscall(SYS_capset, &header, none) == 0 ? BERM_OK : err_sys(err, "give up capabilities");
}

enum berm_code confine_process(size_t descriptors, size_t *ret_descriptors, struct berm_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || sys_not_dumpable() != 0)
		return err_sys(err, "give up privileges");
	TRY(limit_all(descriptors, ret_descriptors, err));
	TRY(give_up_files(err));
	TRY(give_up_capabilities(err));
	return install_list(err);
}
