"""Class P: other processes, the terminal, capabilities, and what is left behind."""
import os
import pty
import select
import signal
import struct
import subprocess
import time

from row import attempt, claimed, escape, printed, sh, signalled, survived
from world import Result


def victim(w):
    w.victim()


# ---- tracing and memory ----

escape("P-01a", "trace an outside process", attempt("trace", "@victim@"), claimed, setup=victim, real=True)
escape("P-01b", "seize an outside process", attempt("trace", "@victim@", "seize"), claimed, setup=victim)
escape("P-02a", "read an outside process's memory", attempt("vm-read", "@victim@", "@address@"), printed, setup=victim, real=True)
escape("P-02b", "write an outside process's memory", attempt("vm-write", "@victim@", "@address@"), claimed, setup=victim)
escape("P-02c", "read it through /proc", attempt("proc-mem", "@victim@", "@address@"), printed, setup=victim)
escape("P-03a", "the environment of an outside process", attempt("proc-file", "@victim@", "environ"), printed, setup=victim, real=True)
escape("P-03b", "the maps of an outside process", attempt("proc-file", "@victim@", "maps"), claimed, setup=victim)
escape("P-04", "the command line of an outside process", attempt("proc-file", "@victim@", "cmdline"), claimed, setup=victim,
       only=("ns",))
escape("P-04b", "any process of the host", sh("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null"),
       lambda w, r: "attempt victim" in r.out and "the victim was listed", setup=victim, only=("ns",))

# ---- signals ----

for letter, how in zip("abcdefg", ("kill", "tkill", "tgkill", "sigqueue", "tgsigqueue", "pidfd", "sigio")):
    escape("P-05" + letter, "a signal to an outside process by " + how, attempt("signal", how, "@victim@", str(int(signal.SIGUSR1))),
           signalled, setup=victim, real=letter in "afg")


def everybody(w):
    """A signal that does nothing to whoever does not wait for it; each identity its own, since its victims may run side by side."""
    w.victim()
    w.notes["expected"] = signal.SIGWINCH if w.identity.kind == "root" else signal.SIGCHLD
    w.vars["signal"] = str(int(w.notes["expected"]))


escape("P-05h", "a signal to everybody", attempt("signal", "kill", "-1", "@signal@"), signalled, setup=everybody, real=True)


def same_group(w, wrap, env):
    """The command, the sandbox and a victim in one process group, as in a shell's pipeline."""
    w.victim(session=False)
    w.notes["expected"] = signal.SIGURG
    return w.run(wrap([w.attempt, "signal", "kill", "-%d" % os.getpgid(w.notes["victim"].pid), str(int(signal.SIGURG))]), env=env)


escape("P-05i", "a signal to a process group outside", attempt(), signalled, drive=same_group)


def own_group(w, wrap, env):
    """kill(0): the group that the command was started in has somebody else in it, as in a script with background jobs."""
    w.victim()
    w.notes["expected"] = signal.SIGURG
    w.notes["signals"] = os.path.join(w.out, "signals2")
    shell = "%s victim %s/signals2 x %s/held > /dev/null & until [ -e %s/signals2 ]; do :; done; \"$@\"; sleep 0.1; kill -9 $!" % (
        w.attempt, w.out, w.out, w.out)
    return w.run(["sh", "-c", shell, "sh"] + wrap([w.attempt, "signal", "kill", "0", str(int(signal.SIGURG))]), env=env)


escape("P-05j", "a signal to one's own group", attempt(), signalled, drive=own_group)

# ---- without a signal ----

for id, what, words in (
        ("P-21", "the limits", ("limit", "@victim@")), ("P-22", "the priority", ("priority", "@victim@")),
        ("P-23", "the processors", ("affinity", "@victim@")), ("P-24", "the scheduler", ("scheduler", "@victim@")),
        ("P-25", "the I/O priority", ("ioprio", "@victim@")), ("P-26", "the memory", ("advise", "@victim@", "@address@")),
        ("P-27", "the open files, compared", ("kcmp", "@victim@"))):
    escape(id, "%s of an outside process" % what, attempt(*words), claimed, setup=victim, real=id in ("P-21", "P-22"),
           unproved="an ordinary user may not" if id == "P-26" else None)

# ---- the sandbox's own processes ----


def parent(*words):
    """The bare run has a parent as careless as can be; inside it is whoever stands above the command."""
    return {"argv": attempt(*words), "bare": ["./attempt", "parent", "./attempt", *words]}


def row(id, what, words, leak, **more):
    pair = parent(*words)
    escape(id, what, pair["argv"], leak, bare=pair["bare"], **more)


def went_on(w, r):
    """The run has to end by itself, with what the command said before and after."""
    if r.timed_out:
        return "the sandbox hangs"
    return r.status not in (0, 1) and "status %s" % r.status


row("P-06a", "kill the parent", ("hit-parent", str(int(signal.SIGKILL))), went_on, real=True)
row("P-06b", "terminate the parent", ("hit-parent", str(int(signal.SIGTERM))), went_on)
row("P-06c", "abort the parent", ("hit-parent", str(int(signal.SIGABRT))), went_on)


def stop_row(w, r):
    return r.timed_out and "the sandbox hangs"


row("P-06d", "stop the parent", ("hit-parent", str(int(signal.SIGSTOP))), stop_row, timeout=3)
row("P-06e", "the parent's limits", ("limit", "parent"), claimed, real=True)
row("P-06f", "the parent's priority", ("priority", "parent"), claimed)
row("P-06g", "the parent's processors", ("affinity", "parent"), claimed)
row("P-06h", "the parent's scheduler", ("scheduler", "parent"), claimed)
row("P-06i", "a signal to the parent by its pidfd", ("signal", "pidfd", "parent", str(int(signal.SIGUSR2))), lambda w, r: r.status not in (0, 1) and
    "status %s" % r.status)
SECRET_ENV = {"BERM_TEST_SECRET": "@secret@"}


def own_secret(w):
    w.vars["secret"] = w.token


row("P-07a", "trace the parent", ("trace", "parent"), claimed, real=True)
row("P-07b", "the parent's environment", ("proc-file", "parent", "environ"), printed, env=SECRET_ENV, setup=own_secret, real=True)
row("P-07c", "take a descriptor of the parent's", ("take-fd", "parent", "0"), claimed)
row("P-07d", "the parent's memory map", ("proc-file", "parent", "maps"), claimed)
escape("P-07e", "every environment in /proc", sh("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"), printed,
       bare=["./attempt", "parent", "/bin/sh", "-c", "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"],
       env=SECRET_ENV, setup=own_secret)

# ---- the terminal ----


def on_terminal(words, read=True):
    """Runs words in a session with a terminal, then lets a shell of the host read the terminal's input."""
    def drive(w, wrap, env):
        master, slave = pty.openpty()
        quoted = "\"$@\"; stty -echo 2>/dev/null; echo AFTER; read -r line && echo \"GOT=$line\" > %s/got" % w.out
        argv = ["setsid", "-c", "timeout", "--foreground", "8", "bash", "-c", quoted, "bash"] + wrap([w.fill(x) for x in words])
        proc = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, cwd=w.ws, env=w.environment(env),
                                **w.identity.popen_args())
        os.close(slave)
        out, end = b"", time.monotonic() + 8
        answered = False
        while time.monotonic() < end and proc.poll() is None:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    out += os.read(master, 65536)
                except OSError:
                    break
            if b"AFTER" in out and not answered:
                answered = True
                time.sleep(0.1)
                os.write(master, b"\nharmless\n")
        proc.kill() if proc.poll() is None else None
        proc.wait()
        os.close(master)
        return Result(0, out.decode("utf-8", "replace"), "", False, 0)
    return drive


def injected(w, r):
    return "GOT=echo-injected" in (w.read("@out@/got") or "") and "the shell outside got the line"


escape("P-09a", "push input into the terminal", attempt(), injected, drive=on_terminal(("./attempt", "tiocsti", "echo-injected")),
       needs=("tiocsti", "setsid"), real=True)
escape("P-09b", "the same with high bits in the request", attempt(), injected,
       drive=on_terminal(("./attempt", "tiocsti", "echo-injected", "high")), needs=("tiocsti", "setsid"))
escape("P-10", "paste the selection of a console", attempt("tioclinux"), claimed, unproved="there is no virtual console behind it")

# ---- what is left behind ----


def proof(w):
    w.file("@ws@/proof")


escape("P-13a", "a process in the background", attempt("daemon", "@ws@/proof"), survived, setup=proof, real=True)
escape("P-13b", "a stopped process", attempt("stopped", "@ws@/proof"), survived, setup=proof)
escape("P-13c", "a family with its own reaper", attempt("subreaper", "@ws@/proof"), survived, setup=proof, real=True)
escape("P-13d", "processes that fork faster than they are found", attempt("hydra", "@ws@/proof", "3000"), survived,
       bare=["./attempt", "hydra", "@ws@/proof"], setup=proof, real=True, timeout=20)
escape("P-13e", "nohup and setsid of the shell",
       sh("nohup setsid ./attempt daemon @ws@/proof >/dev/null 2>&1 & wait"), survived, setup=proof)

# ---- rights ----


def setuid_copy(w):
    path = os.path.join(w.out, "bin", "setuid")
    os.makedirs(os.path.dirname(path))
    with open(w.attempt, "rb") as src, open(path, "wb") as dst:
        dst.write(src.read())
    os.chmod(path, 0o4755)
    w.notes["keep_owner"] = {path}


def capable_copy(w):
    setuid_copy(w)
    path = os.path.join(w.out, "bin", "setuid")
    os.chmod(path, 0o755)
    subprocess.run(["/sbin/setcap", "cap_dac_read_search,cap_sys_admin+ep", path], check=True)


escape("P-15a", "a setuid program", ["@out@/bin/setuid", "euid"], claimed, setup=setuid_copy, flags=("-r", "@out@", "-x", "@out@"),
       only=("user",), needs=("root-host",), real=True)
escape("P-15b", "a program with capabilities", ["@out@/bin/setuid", "caps", "CapEff"], claimed, setup=capable_copy,
       flags=("-r", "@out@", "-x", "@out@"), only=("user",), needs=("root-host", "setcap"))
escape("P-16a", "effective capabilities", attempt("caps", "CapEff"), claimed, only=("root",), real=True)
escape("P-16b", "permitted capabilities", attempt("caps", "CapPrm"), claimed, only=("root",), real=True)
escape("P-16c", "the bounding set", attempt("caps", "CapBnd"), claimed, only=("root",), real=True)
# Without namespaces an ordinary user may not empty it, and with no_new_privs nothing can be taken out of it.
escape("P-16f", "the bounding set of a user", attempt("caps", "CapBnd"), claimed, only=("user", "ns"))
escape("P-16d", "inheritable capabilities", attempt("caps", "CapInh"), claimed, unproved="empty from the start")
escape("P-16e", "ambient capabilities", attempt("caps", "CapAmb"), claimed, unproved="empty from the start")
escape("P-17", "a core file", attempt("core"), claimed, bare=["sh", "-c", "ulimit -c unlimited; exec ./attempt core"],
       wrap=("sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh"))
