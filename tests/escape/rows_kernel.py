"""Class K: kernel surface."""
import ctypes
import os
import struct
import subprocess

from row import attempt, claimed, either, escape, exists, holds, printed, sh

# Without privileges each of these answers something other than "you may not".
EVERYBODY = (
    ("K-04a", "unshare_user", ()), ("K-04b", "clone_user", ()), ("K-04c", "clone3_user", ()), ("K-04d", "clone3_time", ()),
    ("K-06a", "bpf_map", ()), ("K-06b", "perf_event_open", ()), ("K-06c", "userfaultfd", ("userfaultfd",)),
    ("K-06d", "io_uring_setup", ("io_uring",)), ("K-06e", "io_uring_enter", ("io_uring",)),
    ("K-06f", "io_uring_register", ("io_uring",)), ("K-06g", "modify_ldt", ()), ("K-06h", "fanotify_init", ()),
    ("K-07a", "add_key", ()), ("K-07b", "request_key", ()), ("K-07c", "keyctl", ()),
    ("K-08a", "personality_aslr", ()), ("K-08b", "personality_exec", ()),
)
UNPROVED = {"fanotify_init": "needs a capability or a newer kernel",
            "bpf_map": "kernel.unprivileged_bpf_disabled may be set", "perf_event_open": "kernel.perf_event_paranoid may be set",
            "unshare_user": "user namespaces may be off", "clone_user": "user namespaces may be off",
            "clone3_user": "user namespaces may be off", "clone3_time": "user namespaces may be off"}
for id, name, needed in EVERYBODY:
    escape(id, name.replace("_", " "), attempt("call", name), claimed, needs=needed, unproved=UNPROVED.get(name),
           real=name in ("unshare_user", "clone3_user", "io_uring_setup"))

# Only root can; in the sandbox root has no capability and the filter does not know the call.
ROOT_ONLY = ("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "unshare_mount", "unshare_net",
             "unshare_pid", "clone_mount", "setns", "mount", "umount", "pivot_root", "chroot", "open_tree", "fsopen", "fsmount",
             "move_mount", "mount_setattr", "fspick", "swapon", "reboot", "sethostname", "settimeofday", "syslog", "acct",
             "iopl", "ioperm")
UNPROVED_ROOT = {"kexec_load": "the kernel may lack it", "kexec_file_load": "the kernel may lack it",
                 "init_module": "the kernel may lack modules", "finit_module": "the kernel may lack modules",
                 "delete_module": "the kernel may lack modules", "iopl": "the kernel may lack it", "ioperm": "the kernel may lack it",
                 "setns": "the first process may not be ours to look at", "acct": "the kernel may lack it", "swapon": "the kernel may lack it"}
for number, name in enumerate(ROOT_ONLY):
    escape("K-05%s" % (chr(ord("a") + number) if number < 26 else "z" + str(number)), "root's " + name.replace("_", " "),
           attempt("call", name), claimed, only=("root",), unproved=UNPROVED_ROOT.get(name),
           real=name in ("mount", "chroot", "sethostname"))


def secret(w):
    w.secret("@out@/secret")


escape("K-01", "an x32 call", attempt("x32"), claimed, unproved="most kernels have no x32")
escape("K-02a", "read by int 0x80", attempt("read-int80", "@out@/secret"), printed, setup=secret, real=True)
escape("K-02b", "a folder in .git/hooks by int 0x80", sh("mkdir -p .git/hooks; ./attempt mkdir-int80 .git/hooks/x"),
       exists("@ws@/.git/hooks/x"))
escape("K-02c", "any int 0x80 call", attempt("mkdir-int80", "here"), exists("@ws@/here"))
escape("K-02d", "a raw socket by socketcall", attempt("socket-int80", "16", "3"), claimed)
escape("K-03", "a 32-bit program", ["@tools@/hello32"], claimed, needs=("elf32",), flags=("-r", "@tools@", "-x", "@tools@"), real=True)

escape("K-09", "the kernel's cipher sockets", attempt("socket", "38", "5", "0"), claimed, unproved="AF_ALG may not be compiled in")
escape("K-11", "RxRPC sockets", attempt("socket", "33", "2", "2"), claimed, unproved="RxRPC may not be compiled in")
for letter, family, what in (("a", "21", "RDS"), ("b", "30", "TIPC"), ("c", "43", "SMC"), ("d", "29", "CAN"), ("e", "9", "X.25"),
                             ("f", "37", "CAIF"), ("g", "31", "Bluetooth"), ("h", "41", "KCM")):
    escape("K-12" + letter, what + " sockets", attempt("socket", family, "5", "0"), claimed,
           unproved="%s may not be compiled in" % what)
escape("K-12x", "XDP sockets", attempt("socket", "44", "3", "0"), claimed, only=("root",), unproved="XDP may not be compiled in")

PROC_FILES = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
              "/proc/sys/kernel/hostname", "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper",
              "/sys/fs/cgroup/release_agent", "/proc/self/oom_score_adj_no")
escape("K-15a", "settings of the whole machine", attempt("open-any", "w", *PROC_FILES), claimed, only=("root",), real=True)
escape("K-15b", "the kernel's memory and keys", attempt("open-any", "r", "/proc/kcore", "/proc/kmsg", "/proc/vmcore",
                                                        "/sys/kernel/debug/sleep_time", "/sys/kernel/tracing/trace"),
       claimed, only=("root",), real=True)
DEVICES = ("/dev/kmsg", "/dev/mem", "/dev/port", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/loop-control", "/dev/loop0",
           "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/uinput", "/dev/input/event0", "/dev/vhost-net", "/dev/userfaultfd",
           "/dev/vsock", "/dev/snapshot", "/dev/mapper/control", "/dev/tty0", "/dev/tty1", "/dev/vcs", "/dev/ttyS0", "/dev/rtc0")
escape("K-16a", "a device node", attempt("open-any", "r", *DEVICES), claimed, real=True,
       unproved="an ordinary user may have none of them")
escape("K-16b", "a character device made on the spot", attempt("make-device", "kmsg", "1", "11"), claimed, only=("root",), real=True)
escape("K-16c", "a block device made on the spot", attempt("make-device", "disk", "7", "0", "block"), claimed, only=("root",),
       unproved="there may be no such block device")
escape("K-16d", "a device by a whiteout", sh("echo > a; ./attempt whiteout a b; test -c a && echo ACHIEVED"), claimed,
       only=("root",), unproved="not every file system has whiteouts")


# ---- memory that is shared by key or name ----

def shared_memory(w):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    key = struct.unpack("I", os.urandom(4))[0] & 0x7FFFFFFF or 1
    ident = libc.shmget(key, 4096, 0o1666)
    address = libc.shmat(ident, None, 0)
    ctypes.memmove(address, w.token.encode() + b"\0", len(w.token) + 1)
    w.vars["key"] = str(key)
    w.closers.append(lambda: libc.shmctl(ident, 0, None))


def by_key(get, control):
    def make(w):
        libc = ctypes.CDLL(None, use_errno=True)
        key = struct.unpack("I", os.urandom(4))[0] & 0x7FFFFFFF or 1
        ident = libc.semget(key, 1, 0o1666) if get == "sem" else libc.msgget(key, 0o1666)
        w.vars["key"] = str(key)
        w.closers.append(lambda: libc.semctl(ident, 0, 0) if get == "sem" else libc.msgctl(ident, 0, None))
    return make


def posix_queue(w):
    librt = ctypes.CDLL(None, use_errno=True)
    name = "/" + w.vars["name"]
    old = os.umask(0)
    fd = librt.mq_open(name.encode(), os.O_CREAT | os.O_RDWR, 0o666, None)
    os.umask(old)
    os.close(fd)
    w.closers.append(lambda: librt.mq_unlink(name.encode()))


escape("K-17a", "shared memory of the host", attempt("read-shm", "@key@"), printed, setup=shared_memory, real=True)
escape("K-17b", "semaphores of the host", attempt("open-sem", "@key@"), claimed, setup=by_key("sem", 0))
escape("K-17c", "a message queue of the host", attempt("open-msg", "@key@"), claimed, setup=by_key("msg", 0))
escape("K-17d", "a POSIX message queue of the host", attempt("open-mq", "/@name@"), claimed, setup=posix_queue)

# ---- mounts in a namespace of one's own ----


def hooks(w):
    w.file("@ws@/.git/hooks/pre-commit.sample", "sample\n")
    w.folder("@ws@/mine")
    w.secret("@out@/secret")


escape("F-29a", "a bind mount over a protected folder", attempt("bind-over", "@ws@/mine", "@ws@/.git/hooks"), claimed, setup=hooks)
escape("F-29b", "a bind mount of the outside", attempt("bind-over", "@out@", "@ws@/mine"), claimed, setup=hooks)
escape("F-29c", "a new mount by the new calls", attempt("new-mount", "@ws@/mine"), claimed, setup=hooks, real=True)
escape("F-29d", "out of a root made on the spot", attempt("leave-chroot", "@out@/secret"), printed, setup=hooks, only=("root",))
escape("F-27", "a device of the host's disk", attempt("make-device", "null", "1", "3"), claimed, only=("root",))

# ---- filters of the program's own ----

escape("K-22a", "a listener of the program's own that allows", attempt("own-listener", "@ws@/.git/hooks/pre-commit"),
       exists("@ws@/.git/hooks/pre-commit"), setup=hooks, real=True)
escape("K-22b", "an allow-all filter on top", attempt("allow-filter", "@ws@/.git/hooks/pre-commit"),
       exists("@ws@/.git/hooks/pre-commit"), setup=hooks)
