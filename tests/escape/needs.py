"""What rows need of the machine, each found by trying."""
import os
import shutil
import subprocess

from world import PATH

_seen = {}


def _tool(name, *probe):
    """A program that this identity can start."""
    def test(identity):
        path = shutil.which(name, path=PATH)
        if not path:
            return "%s is not installed" % name
        done = subprocess.run([path, *probe], capture_output=True, stdin=subprocess.DEVNULL, env={"PATH": PATH, "HOME": "/"},
                              cwd="/", timeout=20, **identity.popen_args())
        return None if done.returncode == 0 else "%s does not start as %s" % (name, identity.kind)
    return test


def _file(path, why):
    return lambda identity: None if os.path.exists(path) else why


def _sysctl(path, good, why):
    def test(identity):
        try:
            with open(path) as file:
                return None if file.read().strip() in good else why
        except OSError:
            return why
    return test


def _compiled(name, why):
    return lambda identity: None if os.path.exists(os.path.join(TOOLS["folder"], name)) else why


def _host_run(identity):
    return None if os.geteuid() == 0 else "only root can put a socket into /run"


def _postgres(identity):
    found = postgres_folder()
    return None if found else "postgresql is not installed"


def postgres_folder():
    top = "/usr/lib/postgresql"
    for version in sorted(os.listdir(top), key=lambda v: float(v), reverse=True) if os.path.isdir(top) else ():
        if os.path.exists("%s/%s/bin/initdb" % (top, version)):
            return "%s/%s/bin" % (top, version)
    return None


TOOLS = {"folder": ""}
NEEDS = {
    "git": _tool("git", "--version"),
    "gcc": _tool("gcc", "--version"),
    "make": _tool("make", "--version"),
    "node": _tool("node", "--version"),
    "npm": _tool("npm", "--version"),
    "go": _tool("go", "version"),
    "cargo": _tool("cargo", "--version"),
    "javac": _tool("javac", "-version"),
    "postgres": _postgres,
    "sqlite3": _tool("sqlite3", "--version"),
    "rsync": _tool("rsync", "--version"),
    "busybox": _tool("busybox", "true"),
    "musl-gcc": _tool("musl-gcc", "--version"),
    "script": _tool("script", "--version"),
    "setsid": _tool("setsid", "--version"),
    "perl": _tool("perl", "-v"),
    "strace": _tool("strace", "-V"),
    "gdb": _tool("gdb", "--version"),
    "pip": _tool("python3", "-m", "pip", "--version"),
    "venv": _tool("python3", "-c", "import venv, ensurepip"),
    "setcap": _file("/sbin/setcap", "setcap is not installed"),
    "io_uring": _sysctl("/proc/sys/kernel/io_uring_disabled", ("0",), "the kernel has no io_uring"),
    "tiocsti": _sysctl("/proc/sys/dev/tty/legacy_tiocsti", ("1",), "the kernel refuses TIOCSTI (dev.tty.legacy_tiocsti)"),
    "userfaultfd": _file("/proc/sys/vm/unprivileged_userfaultfd", "the kernel has no userfaultfd"),
    "ipv6": _file("/proc/net/if_inet6", "the kernel has no IPv6"),
    "mptcp": _file("/proc/sys/net/mptcp/enabled", "the kernel has no MPTCP"),
    "elf32": _compiled("hello32", "the compiler makes no 32-bit program"),
    "host-run": _host_run,
    "root-host": lambda identity: None if os.geteuid() == 0 else "only root can prepare this",
}


def missing(name, identity):
    """None, or why the feature is not there."""
    key = (name, identity.kind)
    if key not in _seen:
        try:
            _seen[key] = NEEDS[name](identity)
        except (OSError, subprocess.SubprocessError) as error:
            _seen[key] = "%s: %s" % (name, error)
    return _seen[key]
