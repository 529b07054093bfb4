/*
 * Judging a content: it is read into memory that the sandbox cannot reach, a throw-away process that can do nothing but
 * compute looks at these bytes, and exactly these bytes become a new file, which no descriptor held inside leads to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

enum { JUDGE_DEADLINE_MS = 2000, ACCEPTED = 'y', REFUSED = 'n', COPY_MODES = 0777 };

struct case_file {
	struct supervisor *sup;
	const struct plan_rule *rule;
	const char *target;
	size_t len, before_len; /* 0: nothing stands under the name that could be told from the content */
};

static void put_reason(struct supervisor *sup, const char *text)
{
	size_t at = 0;
	sup->reason[0] = '\0';
	(void)text_put(sup->reason, sizeof(sup->reason), &at, text);
}

/* ---- the process that judges ------------------------------------------------------------------------------------- */

static bool decide(const struct case_file *file, char *reason, size_t size)
{
	const struct plan_rule *rule = file->rule;
	const struct berm_content content = {file->sup->content, file->len};
	const struct berm_content before = {file->sup->before, file->before_len};
	if (rule->judge_change != NULL && before.len > 0)
		return rule->judge_change(file->target, &content, &before, reason, size);
	return rule->judge(file->target, content.bytes, content.len, reason, size);
}

/* Without what a sanitizer's _exit does before. */
static _Noreturn void leave(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

static _Noreturn void judge_main(const struct case_file *file, int out)
{
	struct supervisor *sup = file->sup;
	struct sock_fprog program = {.len = (unsigned short)sup->judge_filter_len, .filter = sup->judge_filter};
	char answer[1 + sizeof(sup->reason)] = {REFUSED};
	if (out > 0 && sys_close_range(0, (unsigned)out - 1, 0) < 0)
		leave(1);
	if (sys_close_range((unsigned)out + 1, ~0U, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sys_seccomp_filter(&program, 0) < 0)
		leave(1);
	if (decide(file, answer + 1, sizeof(sup->reason)))
		answer[0] = ACCEPTED;
	answer[sizeof(answer) - 1] = '\0';
	leave(fd_write_full(out, answer, 1 + strlen(answer + 1) + 1) < 0);
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All that the judge says before it ends, or false after the deadline. */
static bool hear(int in, char *ret_answer, size_t size)
{
	size_t len = 0;
	int64_t end = now_ms() + JUDGE_DEADLINE_MS;
	while (len < size - 1) {
		struct pollfd wait = {.fd = in, .events = POLLIN};
		int64_t left = end - now_ms();
		int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		ssize_t n = read(in, ret_answer + len, size - 1 - len);
		if (n < 0)
			return false;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	ret_answer[len] = '\0';
	return len > 0;
}

static bool ended_well(pid_t pid)
{
	int status;
	pid_t got;
	while ((got = waitpid(pid, &status, __WALL)) < 0 && errno == EINTR)
		continue;
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* 0, or an errno. Anything but a clean yes is a no. */
static int ask_judge(const struct case_file *file)
{
	char answer[1 + sizeof(file->sup->reason)] = {0};
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	auto_fd int in = ends[0];
	auto_fd int out = ends[1];
	pid_t pid = sys_fork(0, 0, NULL);
	if (pid < 0)
		return errno;
	if (pid == 0)
		judge_main(file, out);
	(void)close(take_fd(&out));
	bool heard = hear(in, answer, sizeof(answer));
	if (!heard)
		(void)kill(pid, SIGKILL);
	if (!ended_well(pid) || !heard) {
		put_reason(file->sup, "the judge gave no answer");
		return EACCES;
	}
	put_reason(file->sup, answer + 1);
	return answer[0] == ACCEPTED ? 0 : EACCES;
}

/* ---- the copy ---------------------------------------------------------------------------------------------------- */

/* ".berm-" and sixteen digits that nobody can guess */
static int make_name(char ret_name[static JUDGE_NAME_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t random[8];
	size_t at = 0;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return errno;
	(void)text_put(ret_name, JUDGE_NAME_SIZE, &at, ".berm-");
	for (size_t i = 0; i < sizeof(random); i++) {
		ret_name[at++] = hex[random[i] >> 4];
		ret_name[at++] = hex[random[i] & 15];
	}
	ret_name[at] = '\0';
	return 0;
}

static int fill_copy(int fd, const struct case_file *file, const struct stat *original)
{
	const struct timespec times[2] = {original->st_atim, original->st_mtim};
	if (fd_write_full(fd, file->sup->content, file->len) < 0 || fchmod(fd, original->st_mode & COPY_MODES) < 0 ||
	    futimens(fd, times) < 0)
		return errno;
	return 0;
}

static int make_copy(int folder, const struct case_file *file, const struct stat *original,
		     char ret_name[static JUDGE_NAME_SIZE])
{
	int error = make_name(ret_name);
	if (error != 0)
		return error;
	auto_fd int fd = openat(folder, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	error = fill_copy(fd, file, original);
	if (error != 0)
		(void)unlinkat(folder, ret_name, 0);
	return error;
}

/* What stands under the name, if that is another regular file than the one that is judged: a file that gets its name
 * judged anew is no witness for itself. */
static void read_before(struct case_file *file, int folder, const struct stat *judged, size_t max)
{
	struct stat st = {0};
	const char *slash = strrchr(file->target, '/');
	if (file->rule->judge_change == NULL || slash == NULL)
		return;
	auto_fd int fd = openat(folder, slash + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_dev == judged->st_dev && st.st_ino == judged->st_ino))
		return;
	ssize_t n = fd_read_full(fd, file->sup->before, max + 1);
	file->before_len = n > 0 && (size_t)n <= max ? (size_t)n : 0;
}

int judge_content(const struct call *call, const struct plan_rule *rule, int folder, const char *target, int content_fd,
		  char ret_name[static JUDGE_NAME_SIZE])
{
	struct case_file file = {.sup = call->sup, .rule = rule, .target = target};
	struct supervisor *sup = call->sup;
	struct stat original = {0};
	size_t max = sup->content_size - 1;
	if (rule != NULL && rule->judge_max_bytes < max)
		max = rule->judge_max_bytes;
	sup->reason[0] = '\0';
	if (fstat(content_fd, &original) < 0)
		return errno;
	if (!S_ISREG(original.st_mode)) {
		put_reason(sup, "not a regular file");
		return EACCES;
	}
	ssize_t n = fd_read_full(content_fd, sup->content, max + 1);
	if (n < 0)
		return errno;
	if ((size_t)n > max) {
		put_reason(sup, "too large to be judged");
		return EACCES;
	}
	file.len = (size_t)n;
	int error = 0;
	if (rule != NULL) {
		read_before(&file, folder, &original, max);
		error = ask_judge(&file);
	}
	return error != 0 ? error : make_copy(folder, &file, &original, ret_name);
}
