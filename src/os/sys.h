/*
 * One thin wrapper for each system call that libc 2.36 does not have or that berm needs raw. They return what the
 * kernel returns with errno set, touch nothing else, and are async-signal-safe: usable between fork and exec and in
 * the helper process, which must not use the heap.
 */
#ifndef BERM_OS_SYS_H
#define BERM_OS_SYS_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/uapi.h"

int sys_landlock_create_ruleset(const struct ll_ruleset_attr *attr, size_t size, uint32_t flags);
int sys_landlock_add_path(int ruleset_fd, int parent_fd, uint64_t access);
int sys_landlock_add_port(int ruleset_fd, uint16_t port, uint64_t access);
int sys_landlock_restrict_self(int ruleset_fd, uint32_t flags);
/* seccomp(SECCOMP_SET_MODE_FILTER): the listener's descriptor with SECCOMP_FILTER_FLAG_NEW_LISTENER, else 0. */
int sys_seccomp_filter(const struct sock_fprog *program, unsigned long flags);
/* Nothing but read, write and the exit of a thread from now on (SECCOMP_MODE_STRICT); anything else kills. */
int sys_seccomp_strict(void);
int sys_seccomp_action_avail(uint32_t action);
int sys_seccomp_notif_sizes(struct seccomp_notif_sizes *ret_sizes);
int sys_openat2(int dirfd, const char *path, const struct os_open_how *how);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct os_mount_attr *attr);
int sys_fsopen(const char *type, unsigned flags);
int sys_fsconfig(int fs_fd, unsigned command, const char *key, const char *value);
int sys_fsmount(int fs_fd, unsigned flags, unsigned attributes);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_getfd(int pidfd, int fd);
int sys_pidfd_send_signal(int pidfd, int signal);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_pivot_root(const char *new_root, const char *put_old);
/* Ends this thread alone: what a process of one thread can still do in the strict mode. */
_Noreturn void sys_exit_thread(int status);
/* clone3 without a stack of its own (like fork), or clone where clone3 is refused: flags of clone, exit_signal 0 for a
 * child that only __WALL sees; *ret_pidfd is written if flags has CLONE_PIDFD. 0 in the child. */
pid_t sys_fork(uint64_t flags, int exit_signal, int *ret_pidfd);
/* No other process of the user looks into this one (PR_SET_DUMPABLE 0). */
int sys_not_dumpable(void);
/* Orphans below this process become its children instead of init's. */
int sys_become_subreaper(void);
/* This process is ended (SIGKILL) when the thread that made it ends; not kept over an exec that changes ids. */
int sys_end_with_parent(void);
/* What lists of processes call this one, at most 15 bytes. */
int sys_set_name(const char *name);
ssize_t sys_process_read(pid_t pid, uint64_t address, void *ret_bytes, size_t len);
ssize_t sys_process_write(pid_t pid, uint64_t address, const void *bytes, size_t len);

#endif
