/*
 * Kernel constants and structs by hand: the distribution's headers stop at Linux 6.1 (Landlock ABI 2). Each block names
 * the kernel that brought it. Nothing here may redefine what a header in use defines with another value.
 */
#ifndef BERM_OS_UAPI_H
#define BERM_OS_UAPI_H

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>

/* ---- Landlock: file system rights by ABI (include/uapi/linux/landlock.h) ---- */
#define LL_FS_EXECUTE (1ULL << 0) /* ABI 1, Linux 5.13 */
#define LL_FS_WRITE_FILE (1ULL << 1)
#define LL_FS_READ_FILE (1ULL << 2)
#define LL_FS_READ_DIR (1ULL << 3)
#define LL_FS_REMOVE_DIR (1ULL << 4)
#define LL_FS_REMOVE_FILE (1ULL << 5)
#define LL_FS_MAKE_CHAR (1ULL << 6)
#define LL_FS_MAKE_DIR (1ULL << 7)
#define LL_FS_MAKE_REG (1ULL << 8)
#define LL_FS_MAKE_SOCK (1ULL << 9)
#define LL_FS_MAKE_FIFO (1ULL << 10)
#define LL_FS_MAKE_BLOCK (1ULL << 11)
#define LL_FS_MAKE_SYM (1ULL << 12)
#define LL_FS_REFER (1ULL << 13)	/* ABI 2, 5.19 */
#define LL_FS_TRUNCATE (1ULL << 14)	/* ABI 3, 6.2 */
#define LL_FS_IOCTL_DEV (1ULL << 15)	/* ABI 5, 6.10 */
#define LL_FS_RESOLVE_UNIX (1ULL << 16) /* ABI 9, 7.1 */

#define LL_NET_BIND_TCP (1ULL << 0) /* ABI 4, 6.7 */
#define LL_NET_CONNECT_TCP (1ULL << 1)
#define LL_NET_UDP (1ULL << 2) /* ABI 10: first of the UDP rights */

#define LL_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6, 6.12 */
#define LL_SCOPE_SIGNAL (1ULL << 1)

#define LL_RESTRICT_SELF_LOG_SAME_EXEC_OFF (1U << 0) /* ABI 7, 6.15 */
#define LL_RESTRICT_SELF_LOG_NEW_EXEC_ON (1U << 1)
#define LL_RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2)

#define LL_CREATE_RULESET_VERSION (1U << 0)
#define LL_CREATE_RULESET_ERRATA (1U << 1)

#define LL_RULE_PATH_BENEATH 1
#define LL_RULE_NET_PORT 2

struct ll_ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;	     /* ABI 6 */
};

/* ---- seccomp ---- */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* 5.19 */
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t) /* 6.6 */
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* ---- mount_setattr, open_tree, move_mount (5.12, 5.2) ---- */
#define OS_MOUNT_ATTR_RDONLY 0x00000001
#define OS_MOUNT_ATTR_NOSUID 0x00000002
#define OS_MOUNT_ATTR_NODEV 0x00000004
#define OS_MOUNT_ATTR_NOEXEC 0x00000008
#define OS_OPEN_TREE_CLONE 1
#define OS_OPEN_TREE_CLOEXEC 02000000
#define OS_MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define OS_FSOPEN_CLOEXEC 1
#define OS_FSMOUNT_CLOEXEC 1
#define OS_FSCONFIG_SET_STRING 1
#define OS_FSCONFIG_CMD_CREATE 6
struct os_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* ---- openat2 (5.6) ---- */
#define OS_RESOLVE_NO_XDEV 0x01
#define OS_RESOLVE_NO_MAGICLINKS 0x02
#define OS_RESOLVE_NO_SYMLINKS 0x04
#define OS_RESOLVE_BENEATH 0x08
#define OS_RESOLVE_IN_ROOT 0x10
#define OS_RESOLVE_CACHED 0x20
struct os_open_how {
	uint64_t flags, mode, resolve;
};

/* ---- clone3 (5.5): handlers of the caller become the default in the child ---- */
#define OS_CLONE_CLEAR_SIGHAND 0x100000000ULL

/* ---- close_range (5.9, 5.11) ---- */
#define OS_CLOSE_RANGE_UNSHARE (1U << 1)
#define OS_CLOSE_RANGE_CLOEXEC (1U << 2)

/* ---- system call numbers that the 6.1 headers lack; the same on every architecture since 424 ---- */
#define OS_NR_open_tree 428
#define OS_NR_move_mount 429
#define OS_NR_fsopen 430
#define OS_NR_fsconfig 431
#define OS_NR_fsmount 432
#define OS_NR_pidfd_open 434
#define OS_NR_clone3 435
#define OS_NR_close_range 436
#define OS_NR_openat2 437
#define OS_NR_pidfd_getfd 438
#define OS_NR_faccessat2 439
#define OS_NR_mount_setattr 442
#define OS_NR_landlock_create_ruleset 444
#define OS_NR_landlock_add_rule 445
#define OS_NR_landlock_restrict_self 446
#define OS_NR_cachestat 451
#define OS_NR_fchmodat2 452	   /* 6.6 */
#define OS_NR_map_shadow_stack 453 /* 6.6 */
#define OS_NR_futex_wake 454
#define OS_NR_futex_wait 455
#define OS_NR_futex_requeue 456
#define OS_NR_statmount 457 /* 6.8 */
#define OS_NR_listmount 458
#define OS_NR_lsm_get_self_attr 459
#define OS_NR_lsm_set_self_attr 460
#define OS_NR_lsm_list_modules 461
#define OS_NR_mseal 462	     /* 6.10 */
#define OS_NR_setxattrat 463 /* 6.13 */
#define OS_NR_getxattrat 464
#define OS_NR_listxattrat 465
#define OS_NR_removexattrat 466
#define OS_NR_open_tree_attr 467 /* 6.15 */
#define OS_NR_file_getattr 468	 /* 6.17 */
#define OS_NR_file_setattr 469

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* 6.5 */
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* 6.3 */
#define MFD_EXEC 0x0010U
#endif

#endif
