/*
 * Who the sandbox is: one user and one group mapped onto themselves, and no capability in any of the five sets. Setting
 * the maps needs no privilege, since each has one line that names ourselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/launch.h"

int launch_fail(struct launch *launch, enum launch_stage stage, const char *detail)
{
	launch->failure.sys = errno;
	launch->failure.stage = stage;
	size_t n = 0;
	for (; detail != NULL && detail[n] != '\0' && n < LAUNCH_DETAIL_SIZE - 1; n++)
		launch->failure.detail[n] = detail[n];
	launch->failure.detail[n] = '\0';
	return -1;
}

/* "ID ID 1\n" without stdio: the helper may be the child of a process with threads. */
static void map_line(uint64_t id, char ret_line[static 48])
{
	char digits[21];
	size_t len = 0, out = 0;
	do
		digits[len++] = (char)('0' + id % 10);
	while ((id /= 10) != 0);
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = len; i > 0; i--)
			ret_line[out++] = digits[i - 1];
		ret_line[out++] = ' ';
	}
	ret_line[out++] = '1';
	ret_line[out++] = '\n';
	ret_line[out] = '\0';
}

int ids_map(struct launch *launch, pid_t helper)
{
	char path[16] = "/proc/", line[48];
	size_t at = 6, digits = 1;
	for (pid_t rest = helper; rest >= 10; rest /= 10)
		digits++;
	for (size_t i = digits; i > 0; helper /= 10)
		path[at + --i] = (char)('0' + helper % 10);
	path[at + digits] = '\0';
	auto_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return launch_fail(launch, STAGE_IDS, path);
	/* Absent before Linux 3.19, where gid_map needs no such promise. */
	if (fd_write_file(proc, "setgroups", "deny") < 0 && errno != ENOENT)
		return launch_fail(launch, STAGE_IDS, "setgroups");
	map_line(launch->uid, line);
	if (fd_write_file(proc, "uid_map", line) < 0)
		return launch_fail(launch, STAGE_IDS, "uid_map");
	map_line(launch->gid, line);
	if (fd_write_file(proc, "gid_map", line) < 0)
		return launch_fail(launch, STAGE_IDS, "gid_map");
	return 0;
}

/* The bounding set ends at the first number the kernel does not know (EINVAL). Without CAP_SETPCAP (an ordinary user
 * without namespaces) it cannot be emptied and need not be: no_new_privs keeps a program from gaining anything. */
static int drop_bounding(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		return errno == EINVAL || errno == EPERM ? 0 : -1;
	}
	return 0;
}

int ids_drop_bounding(struct launch *launch)
{
	if (drop_bounding() < 0)
		return launch_fail(launch, STAGE_DROP, "bounding set");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return launch_fail(launch, STAGE_DROP, "ambient set");
	return 0;
}

int ids_drop(struct launch *launch)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	if (syscall(SYS_capset, &header, none) < 0)
		return launch_fail(launch, STAGE_DROP, "capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return launch_fail(launch, STAGE_DROP, "no_new_privs");
	if (sys_not_dumpable() < 0)
		return launch_fail(launch, STAGE_DROP, "dumpable");
	return 0;
}
