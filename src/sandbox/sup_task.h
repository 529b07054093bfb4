/*
 * Reading what a waiting task passed: memory, strings, descriptors, credentials. Each read is one copy, made once.
 * Functions return 0, or an errno to answer with. Descriptors handed out are O_CLOEXEC and the caller's to close.
 */
#ifndef BERM_SANDBOX_SUP_TASK_H
#define BERM_SANDBOX_SUP_TASK_H

#include "sandbox/supervise.h"

/* Exactly len bytes, or EFAULT. */
int task_read(const struct call *call, uint64_t address, void *ret_bytes, size_t len);
int task_write(const struct call *call, uint64_t address, const void *bytes, size_t len);
/* A NUL-terminated path into size bytes; EFAULT, ENAMETOOLONG. An empty path is fine. */
int task_path(const struct call *call, uint64_t address, char *ret_path, size_t size);
/* The folder that a path relative to dirfd starts from: AT_FDCWD is the task's folder. O_PATH. EBADF. */
int task_dirfd(const struct call *call, int dirfd, int *ret_fd);
/* The same, but the supervisor's own current folder becomes it, which costs half. ENOTDIR, EACCES: as a path relative to
 * it would fail. */
int task_enter_dir(const struct call *call, int dirfd);
/* The very descriptor number fd of the task (pidfd_getfd): same open file description. EBADF, EPERM. */
int task_fd(const struct call *call, int fd, int *ret_fd);
/* Takes over the task's umask (before anything is made on its behalf). It is read from /proc (13 us) and remembered for
 * a quarter of a second, in which a change cannot be missed, because umask itself is trapped. ret_umask may be NULL. */
int task_umask(const struct call *call, mode_t *ret_umask);
/* The number of the process that the thread belongs to. */
int task_group(const struct call *call, pid_t *ret_tgid);
/* The task is about to set its umask (the call is continued): what is remembered of it follows. */
void task_umask_changes(const struct call *call, mode_t now);
/* The task's soft RLIMIT_FSIZE. */
uint64_t task_file_limit(const struct call *call);
/* Does a signal wait that the task should see at once: to interrupt, stop or end it? */
bool task_is_signalled(struct supervisor *sup, pid_t tid);
/* The program of the task, escaped and cut to size; "" if unknown. */
void task_exe(const struct call *call, char *ret_exe, size_t size);

#endif
