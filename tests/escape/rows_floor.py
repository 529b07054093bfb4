"""Class L: what is never granted (docs/floor.md), under the widest grants that a person can write."""
import os

from row import attempt, claimed, control, either, escape, exists, heard, holds, printed, sh

WIDE = ("-r", "/", "-w", "@home@", "-w", "@out@", "-w", "/dev/shm")


def wide(*more):
    return WIDE + more


# ---- kernel interfaces ----

SETTINGS = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
            "/sys/kernel/mm/ksm/run", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_helper", "/sys/module/loop/uevent",
            "/sys/power/state", "/sys/fs/cgroup/cgroup.procs")
INSIDES = ("/sys/kernel/debug/sleep_time", "/sys/kernel/debug/tracing/trace", "/sys/kernel/tracing/trace", "/sys/kernel/security/lsm",
           "/sys/fs/bpf/maps.debug", "/proc/kcore", "/proc/kmsg", "/proc/vmcore", "/dev/kmsg", "/dev/userfaultfd", "/dev/autofs")
escape("L-01a", "settings of the kernel with everything readable", attempt("open-any", "w", *SETTINGS), claimed, only=("root",), flags=wide(), real=True)
escape("L-01b", "settings of the kernel with /sys readable by name", attempt("open-any", "w", *SETTINGS), claimed, only=("root",), flags=wide("-r", "/sys"))
escape("L-01c", "settings of the kernel with /sys for programs", attempt("open-any", "w", *SETTINGS), claimed, only=("root",), flags=("-x", "/sys", "-x", "/"))
escape("L-01d", "insides of the kernel with everything readable", attempt("open-any", "r", *INSIDES), claimed, flags=wide("-r", "/sys", "-r", "/dev"),
       real=True, unproved="an ordinary user may have none of them")
escape("L-01e", "the kernel's messages, to write one", attempt("open-any", "w", "/dev/kmsg"), claimed, only=("root",), flags=wide("-w", "/dev"))

# A chroot with the machine's file systems in it, in a mount namespace of its own around the sandbox.
CHROOT = ("unshare", "-m", "sh", "-c", "mkdir -p @home@/jail/proc @home@/jail/sys && mount -t proc proc @home@/jail/proc && "
          "mount -t sysfs sysfs @home@/jail/sys && exec \"$@\"", "sh")
escape("L-01f", "settings of the kernel in a chroot", attempt("open-any", "w", "@home@/jail/proc/sys/kernel/core_pattern", "@home@/jail/sys/kernel/mm/ksm/run"),
       claimed, only=("root",), wrap=CHROOT, flags=("-w", "@home@"))
escape("L-01g", "the machine's processes in a chroot", sh("cat @home@/jail/proc/1/status >/dev/null && echo ACHIEVED"), claimed, only=("root",), wrap=CHROOT,
       flags=("-r", "/"))

# ---- firmware and boot ----

escape("L-02a", "firmware tables", attempt("open-any", "r", "/sys/firmware/acpi/tables/DSDT", "/sys/firmware/acpi/tables/FACP", "/sys/firmware/memmap/0/start",
                                           "/sys/firmware/dmi/tables/DMI", "/dev/nvram", "/dev/tpm0", "/dev/rtc0", "/dev/cpu/0/msr"),
       claimed, flags=wide("-r", "/sys", "-r", "/dev"), unproved="an ordinary user may have none of them")
escape("L-02b", "a file in /boot", sh("touch /boot/berm-test && echo ACHIEVED; rm -f /boot/berm-test"), claimed, only=("root",), flags=wide("-r", "/boot"))

# ---- memory of other processes ----


def victim(w):
    w.victim()


for letter, what in (("a", "environ"), ("b", "mem"), ("c", "root"), ("d", "cwd"), ("e", "fd")):
    argv = {"environ": sh("cat /proc/@victim@/environ | tr '\\0' '\\n'"), "mem": attempt("proc-file", "@victim@", "mem"),
            "root": sh("cat /proc/@victim@/root@out@/held"), "cwd": sh("cat /proc/@victim@/cwd/held"),
            "fd": sh("cat /proc/@victim@/fd/@victimfd@")}[what]
    if what == "mem":
        argv = sh("exec 3</proc/@victim@/mem && echo ACHIEVED")
    flags = ("-r", "/") if what in ("environ", "mem") else ("-r", "/", "--deny", "@out@")
    escape("L-03" + letter, "%s of an outside process" % what, argv, either(printed, claimed), setup=victim, flags=flags, real=letter in "ab")

# ---- raw devices ----

DISKS = ("/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/loop0", "/dev/loop-control", "/dev/mapper/control", "/dev/mem", "/dev/port", "/dev/tty1", "/dev/vcs",
         "/dev/console", "/dev/input/event0", "/dev/uinput", "/dev/vhost-net", "/dev/snapshot", "/dev/btrfs-control")
for letter, mode, flags in (("a", "r", ("-r", "/")), ("b", "r", ("-r", "/dev")), ("c", "w", ("-w", "/dev")), ("d", "r", ("-x", "/")), ("e", "w", ("-x", "/dev"))):
    escape("L-04" + letter, "a raw device by %s" % " ".join(flags), attempt("open-any", mode, *DISKS), claimed, flags=flags, real=letter == "c",
           unproved="an ordinary user may have none of them")
escape("L-04f", "a raw device by a link in the workspace", sh("ln -s /dev d; for i in vda sda nvme0n1 loop0 loop-control tty1; do head -c1 d/$i >/dev/null 2>&1 && "
                                                            "{ echo ACHIEVED; break; }; done; echo tried"),
       claimed, flags=("-r", "/dev", "-r", "@ws@/d"), unproved="an ordinary user may have none of them")

# ---- berm's own ----

OWN = "@home@/.config/berm/policy.yaml"


def own(w):
    w.file(OWN, "berm: 1\nextends: [default]\n")
    w.secret("@home@/.local/state/berm/consents")


def own_linked(w):
    w.file("@home@/dot/berm/policy.yaml", "berm: 1\nextends: [default]\n")
    w.folder("@home@/.config")
    os.symlink("../dot/berm", w.path("@home@/.config/berm"))


def own_file_linked(w):
    w.file("@home@/dot/policy.yaml", "berm: 1\nextends: [default]\n")
    w.folder("@home@/.config/berm")
    os.symlink("../../dot/policy.yaml", w.path(OWN))


escape("L-05a", "berm's state in a granted home folder", sh("cat @home@/.local/state/berm/consents"), printed, setup=own, flags=wide(), real=True)
escape("L-05b", "a consent put into berm's state", sh("echo planted >> @home@/.local/state/berm/consents"), holds("@home@/.local/state/berm/consents"),
       setup=own, flags=wide())
escape("L-05c", "berm's state folder renamed away", sh("mv @home@/.local/state/berm @home@/b; cat @home@/b/consents"), printed, setup=own, flags=wide())
escape("L-05d", "the folder around berm's state renamed away", sh("mv @home@/.local @home@/b; cat @home@/b/state/berm/consents"), printed, setup=own, flags=wide())
escape("L-05e", "a line of the user's policy", sh("echo planted >> " + OWN), holds(OWN), setup=own, flags=wide(), real=True)
escape("L-05f", "another policy renamed over the user's", sh("echo planted > new; mv new " + OWN), holds(OWN), setup=own, flags=wide())
escape("L-05g", "a new group beside the user's policy", sh("mkdir -p @home@/.config/berm/groups; echo planted > @home@/.config/berm/groups/x.yaml"),
       exists("@home@/.config/berm/groups/x.yaml"), setup=own, flags=wide())
escape("L-05h", "the user's policies renamed away", sh("mv @home@/.config/berm @home@/b && mkdir @home@/.config/berm && echo planted > " + OWN),
       holds(OWN), setup=own, flags=wide())
escape("L-05i", "the folder around the user's policies replaced", sh("mv @home@/.config @home@/b; mkdir -p @home@/.config/berm && echo planted > " + OWN),
       holds(OWN), setup=own, flags=wide())
escape("L-05j", "a policy where there was none", sh("mkdir -p @home@/.config/berm; echo planted > " + OWN), holds(OWN), flags=wide())
escape("L-05k", "the user's policy by a hard link", sh("ln %s l && echo planted >> l" % OWN), holds(OWN), setup=own, flags=wide())
escape("L-05l", "the user's policies behind a link, with what it leads to granted", sh("echo planted >> @home@/dot/berm/policy.yaml"),
       holds("@home@/dot/berm/policy.yaml"), setup=own_linked, flags=("-w", "@home@/dot"))
escape("L-05m", "a new group behind a link", sh("mkdir -p @home@/dot/berm/groups; echo planted > @home@/dot/berm/groups/x.yaml"),
       exists("@home@/dot/berm/groups/x.yaml"), setup=own_linked, flags=("-w", "@home@/dot"))
escape("L-05n", "the folder behind a link renamed away", sh("mv @home@/dot/berm @home@/dot/b; mkdir @home@/dot/berm; echo planted > @home@/dot/berm/policy.yaml"),
       holds("@home@/dot/berm/policy.yaml"), setup=own_linked, flags=("-w", "@home@/dot"))
escape("L-05o", "a policy file that is a link", sh("echo planted >> @home@/dot/policy.yaml"), holds("@home@/dot/policy.yaml"), setup=own_file_linked,
       flags=("-w", "@home@/dot"))
escape("L-05p", "a control socket of berm", attempt("unix-connect", "@home@/run/berm/s"), heard, setup=lambda w: w.unix("@home@/run/berm/s"),
       env={"XDG_RUNTIME_DIR": "@home@/run"}, flags=wide())
escape("L-05q", "the policies of the system", sh("mkdir -p /etc/berm/policy.d && echo ACHIEVED; rmdir /etc/berm/policy.d /etc/berm"), claimed, only=("root",),
       flags=("-w", "/etc"))

# ---- what is closed by way of a link ----


def linked_secret(w):
    w.secret("@home@/dot/ssh/id_rsa")
    w.secret("@home@/dot/gh/hosts.yml")
    w.folder("@home@/.config")
    os.symlink("dot/ssh", w.path("@home@/.ssh"))
    os.symlink("../dot/gh", w.path("@home@/.config/gh"))


escape("L-06a", "a secret folder that is a link, with what it leads to granted", sh("cat @home@/dot/ssh/id_rsa"), printed, setup=linked_secret,
       flags=("-r", "@home@/dot"), real=True)
escape("L-06b", "the same below .config", sh("cat @home@/dot/gh/hosts.yml"), printed, setup=linked_secret, flags=("-w", "@home@/dot"))

# ---- what these grants are for still works ----

for letter, flags in (("a", ("-r", "/")), ("b", ("-x", "/")), ("c", ("-r", "/dev")), ("d", ("-w", "/dev")), ("e", ("-w", "/dev/null", "-r", "/dev/tty")),
                      ("f", ("-r", "/dev/shm")), ("g", ("-r", "/sys"))):
    control("C-70" + letter, "ordinary work with %s" % " ".join(flags),
            sh("echo x > /dev/null && head -c4 /dev/urandom > r && test -s r && (cat /proc/self/status | grep -q Name) && echo DONE"), flags=flags)
control("C-70h", "shared memory of the host, if it is granted", sh("echo planted > /dev/shm/@name@ && rm /dev/shm/@name@ && echo DONE"), flags=("-w", "/dev/shm"))
control("C-70i", "the machine's /tmp, if it is granted", sh("echo x > /tmp/@name@ && rm /tmp/@name@ && echo DONE"), flags=("-w", "/tmp"))
