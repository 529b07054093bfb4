#!/usr/bin/env python3
"""Questions on the terminal: berm is run on a pseudo terminal, whose other side is looked at and typed into by the suite.

As root the suite runs as root and as an ordinary user, with namespaces and without (BERM_TEST_NO_USERNS). BERM_MUST_RUN=1 makes a
skip a failure.
"""
import errno
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "escape"))
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

TIMEOUT = 30
ROWS, COLUMNS = 24, 80
KEYS = b"[o]nce"
STOPPED = b"<stopped>"
OUTSIDE = "from outside"
STEAL = """
import fcntl, os, sys, termios
for key in "oooo":
    try:
        fcntl.ioctl(0, termios.TIOCSTI, key)
    except OSError:
        pass
sys.stdout.write("\\033]2;oooo\\033\\\\\\033[21t\\005oooo\\n")
sys.stdout.flush()
try:
    print(open(sys.argv[1]).read())
except OSError as error:
    print("refused", error.errno)
"""


def shell(argv, environment):
    """A job in the foreground; when it is stopped the shell has the terminal for a moment, and then the job goes on."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execve(argv[0], argv, environment)
    while True:
        status = os.waitpid(job, os.WUNTRACED)[1]
        if not os.WIFSTOPPED(status):
            break
        os.tcsetpgrp(0, os.getpgrp())
        os.write(1, STOPPED)
        time.sleep(0.5)
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


class Terminal:
    """One run on a terminal. What it shows is in seen."""

    def __init__(self, place, *command, options=(), env=None):
        self.seen, self.mark, self.status = b"", 0, None
        argv = [place.berm, "run", *options, "--", *command]
        environment = {"PATH": "/usr/bin:/bin", "HOME": place.path("home"), "TERM": "xterm", "USER": "somebody", **place.env, **(env or {})}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            status = 99
            try:
                os.chdir(place.path("ws"))
                if os.geteuid() == 0 and place.identity.uid != 0:
                    os.setgroups([])
                    os.setgid(place.identity.gid)
                    os.setuid(place.identity.uid)
                status = shell(argv, environment)
            finally:
                os._exit(status)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.modes = termios.tcgetattr(self.fd)

    def wait(self, text=None, within=TIMEOUT):
        """Until text comes behind what was waited for before, or (None) the run has ended. False: it did not."""
        end = time.monotonic() + within
        while text is None or text not in self.seen[self.mark:]:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                return False
            try:
                part = os.read(self.fd, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                part = b""
            if not part:
                return text is None
            self.seen += part
        self.mark = self.seen.index(text, self.mark) + len(text)
        return True

    def type(self, keys):
        os.write(self.fd, keys)

    def answer(self, key):
        if self.wait(KEYS):
            self.type(key)

    def end(self):
        """The status as a shell has it, once all is over."""
        self.wait()
        for _ in range(200):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        return "no end"


class Place:
    """Folders of one identity: a workspace, a home, and something outside of both."""

    def __init__(self, base, identity, berm, namespaces):
        self.identity, self.berm = identity, berm
        self.env = {} if namespaces else {"BERM_TEST_NO_USERNS": "1"}
        self.home = tempfile.mkdtemp(prefix="t", dir=base)
        for name in ("ws", "home", "out"):
            os.mkdir(self.path(name))
        for name in ("a", "b", "c"):
            with open(self.path("out", name), "w") as file:
                file.write("%s %s\n" % (OUTSIDE, name))
        with open(self.path("ws", "steal.py"), "w") as file:
            file.write(STEAL)
        for folder, _, files in os.walk(self.home):
            for name in [folder] + [os.path.join(folder, file) for file in files]:
                os.chown(name, identity.uid, identity.gid)

    def path(self, *names):
        return os.path.join(self.home, *names)


def result(run, good, status):
    got = run.end()
    return good and got == status, "status %r, seen %r" % (got, run.seen[-1500:])


def once(place):
    """The program gets what it wanted, and the screen is the usual one again, with nothing of the question left."""
    run = Terminal(place, "cat", place.path("out", "a"), place.path("out", "a"))
    run.answer(b"o")
    run.answer(b"o")
    good, words = result(run, True, 0)
    left = run.seen[run.seen.rindex(b"\033[?1049l"):]
    return good and run.seen.count(b"\033[?1049h") == 2 and left.count(b"from outside a") == 1, words


def no(place):
    run = Terminal(place, "cat", place.path("out", "a"))
    run.answer(b"n")
    return result(run, run.wait(b"Permission denied"), 1)


def session(place):
    """One question for the object, whoever opens it again."""
    run = Terminal(place, "sh", "-c", "cat %s; cat %s" % (place.path("out", "a"), place.path("out", "a")))
    run.answer(b"s")
    good, words = result(run, True, 0)
    return good and run.seen.count(b"from outside a") == 2 and run.seen.count(b"\033[?1049h") == 1, words


def folder(place):
    run = Terminal(place, "cat", place.path("out", "a"), place.path("out", "b"), place.path("out", "c"))
    run.answer(b"f")
    good, words = result(run, True, 0)
    return good and run.seen.count(b"\033[?1049h") == 1 and run.seen.count(b"from outside") == 3, words


def always(place):
    """It is written into the user's policy, and is not asked about in the next session."""
    run = Terminal(place, "cat", place.path("out", "a"))
    run.answer(b"a")
    good, words = result(run, True, 0)
    again = Terminal(place, "cat", place.path("out", "a"))
    good_again, words_again = result(again, True, 0)
    with open(place.path("home", ".config", "berm", "policy.yaml")) as file:
        kept = place.path("out", "a") in file.read()
    return good and good_again and kept and b"\033[?1049h" not in again.seen, words + words_again


def never(place):
    run = Terminal(place, "sh", "-c", "cat %s; cat %s" % (place.path("out", "a"), place.path("out", "a")))
    run.answer(b"N")
    good, words = result(run, True, 1)
    return good and run.seen.count(b"Permission denied") == 2 and run.seen.count(b"\033[?1049h") == 1, words


def other_keys(place):
    """Enter, space and what is none of the keys answer nothing."""
    run = Terminal(place, "cat", place.path("out", "a"))
    run.answer(b"\r\n y\033[A\033oO")
    time.sleep(0.3)
    run.type(b"o")
    return result(run, run.wait(b"from outside a"), 0)


def full_screen(place):
    """A question over a program that has the whole screen: it goes on as if nothing had happened."""
    run = Terminal(place, "sh", "-c", "(until test -e go; do sleep 0.05; done; cat %s >got) & LESSHISTFILE=- less steal.py; wait" % place.path("out", "a"))
    good = run.wait(b"TIOCSTI")
    with open(place.path("ws", "go"), "w"):
        pass
    run.answer(b"o")
    good = good and run.wait(b"\0338")
    run.type(b"q")
    good, words = result(run, good, 0)
    with open(place.path("ws", "got")) as file:
        return good and file.read() == "from outside a\n", words


def from_inside(place):
    """What the program writes, or puts into its own terminal's queue, is no key."""
    with open(place.path("short.yaml"), "w") as file:
        file.write("extends: [default]\napprovals: {timeout: 2s}\n")
    run = Terminal(place, "python3", "steal.py", place.path("out", "a"), options=("-p", place.path("short.yaml")))
    return result(run, run.wait(b"refused 13"), 0)


def typed_before(place):
    """What was typed for the program answers nothing, and gets to it."""
    run = Terminal(place, "sh", "-c", "echo ready; cat %s; read line; echo \"got <$line>\"" % place.path("out", "a"))
    good = run.wait(b"ready")
    run.type(b"on")
    run.answer(b"o")
    good = good and run.wait(b"from outside a")
    run.type(b"ward\r")
    return result(run, good and run.wait(b"got <onward>"), 0)


def interrupted(place):
    """Ctrl-C is for the program; while a question is shown it waits for the answer."""
    run = Terminal(place, "sh", "-c", "echo ready; sleep 60")
    good = run.wait(b"ready")
    run.type(b"\003")
    return result(run, good, 130)


def signalled(place):
    """A program that is ended while it waits takes its question with it."""
    run = Terminal(place, "sh", "-c", "cat %s & sleep 1; kill $!; wait $!; echo over" % place.path("out", "a"))
    good = run.wait(KEYS) and run.wait(b"\033[?1049l") and run.wait(b"over")
    return result(run, good, 0)


def stopped(place):
    """Ctrl-Z stops berm as one job, with the terminal as it was; it goes on as it stopped."""
    run = Terminal(place, "sh", "-c", "echo ready; sleep 2; stty -a </dev/tty >/dev/null; echo there")
    good = run.wait(b"ready")
    run.type(b"\032")
    good = good and run.wait(STOPPED) and termios.tcgetattr(run.fd)[:4] == run.modes[:4]
    return result(run, good and run.wait(b"there"), 0)


def modes_afterwards(place):
    run = Terminal(place, "sh", "-c", "stty raw -echo; stty size")
    good = run.wait(b"24 80")
    held = os.open(os.ptsname(run.fd), os.O_RDWR | os.O_NOCTTY) if hasattr(os, "ptsname") else os.dup(run.fd)
    good, words = result(run, good, 0)
    good = good and termios.tcgetattr(held)[:4] == run.modes[:4]
    os.close(held)
    return good, words


def much_output(place):
    """Nothing is lost or changed on the way."""
    run = Terminal(place, "sh", "-c", "stty -opost; seq 1 200000")
    good, words = result(run, True, 0)
    lines = run.seen.split()
    return good and lines[-1] == b"200000" and len(lines) == 200000, words


CASES = (once, no, session, folder, always, never, other_keys, full_screen, from_inside, typed_before, interrupted, signalled, stopped,
         modes_afterwards, much_output)


def main():
    berm = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    passed = failed = skipped = 0
    identities = [Identity("root", 0, 0), make_user()] if os.geteuid() == 0 else [Identity("user", os.geteuid(), os.getegid())]
    base = tempfile.mkdtemp(prefix="berm-terminal-", dir=place_of_tests())
    os.chmod(base, 0o755)
    shutil.copy(berm, os.path.join(base, "berm"))
    for identity in identities:
        for namespaces in (True, False):
            if namespaces and not can_have_namespaces(identity):
                print("SKIP  %s: no user namespaces here" % identity.name)
                skipped += 1
                continue
            for case in CASES:
                if wanted and case.__name__ not in wanted:
                    continue
                place = Place(base, identity, os.path.join(base, "berm"), namespaces)
                good, words = case(place)
                passed, failed = passed + good, failed + (not good)
                if not good:
                    print("FAIL  %s %s %s\n      %s" % (identity.name, "namespaces" if namespaces else "landlock", case.__name__, words))
    shutil.rmtree(base, ignore_errors=True)
    if len(identities) > 1:
        remove_user(identities[1].name)
    if skipped and os.environ.get("BERM_MUST_RUN") == "1":
        failed += skipped
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
