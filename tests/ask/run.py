#!/usr/bin/env python3
"""Asking: a program that does random operations gives the same without a sandbox and where everything is asked for (ops.c, ask.c);
questions that are denied, never answered, or asked by many at once harm nobody else. Then berm itself, with those who answer
(approvals.py).

As root the suite runs as root and as an ordinary user. BERM_MUST_RUN=1 makes a skip a failure. ASK_SEEDS is how many pairs of
runs there are for each way, SEED the first: in CI always the same ones.
"""
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests/escape"))
import approvals  # noqa: E402
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

SEEDS = int(os.environ.get("ASK_SEEDS", "8"))
SEED = int(os.environ.get("SEED", "1"))
OPS = {"all": 800, "yes": 150}  # a question is a process
TIMEOUT = 120
MANY = """
import collections, threading
got = collections.Counter()
def read():
    for _ in range(3):
        got[open(%r).read()] += 1
threads = [threading.Thread(target=read) for _ in range(200)]
[t.start() for t in threads], [t.join() for t in threads]
print(dict(got))
"""


def build(library, folder):
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-static", "-I" + os.path.join(TOP, "include")]
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    for name, more in (("ask", [library]), ("ops", [])):
        subprocess.run([*compiler, *flags, "-o", os.path.join(folder, name), os.path.join(HERE, name + ".c"), *more], check=True)


class Place:
    """Folders of one identity: what is granted, what is not, and the programs."""

    def __init__(self, base, identity):
        self.identity = identity
        self.home = tempfile.mkdtemp(prefix="a", dir=base)
        for name in ("ws", "native", "asked"):
            os.mkdir(os.path.join(self.home, name))
        for name in ("ask", "ops"):
            shutil.copy(os.path.join(base, name), os.path.join(self.home, "ws", name))
        with open(os.path.join(self.home, "secret"), "w") as file:
            file.write("secret")
        for path in [self.home] + [os.path.join(self.home, name) for name in ("ws", "native", "asked", "secret")]:
            if os.geteuid() == 0:
                os.chown(path, identity.uid, identity.gid)

    def path(self, *names):
        return os.path.join(self.home, *names)

    def run(self, command, cwd, log=None):
        kept = {"pass_fds": (3,)} if log else {}
        if log:
            fd = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o666)
            os.dup2(fd, 3)
            if fd != 3:
                os.close(fd)
        try:
            return subprocess.run(command, cwd=cwd, env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=TIMEOUT, **kept, **self.identity.popen_args())
        finally:
            if log:
                os.close(3)

    def ask(self, how, way, *command, log=None):
        return self.run([self.path("ws", "ask"), how, way, self.path("ws"), *command], self.path("asked"), log)

    def remove(self):
        subprocess.run(["chmod", "-R", "u+rwx", self.home], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.home, ignore_errors=True)


def same_without(place, how, way, seed):
    """The same operations give the same, call by call."""
    ops = [place.path("ws", "ops"), str(seed), str(OPS[how])]
    native = place.run(ops, place.path("native"))
    asked = place.ask(how, way, *ops)
    if native.stdout == asked.stdout and asked.returncode == 0:
        return True, ""
    pairs = zip(native.stdout.splitlines(), asked.stdout.splitlines())
    first = next(("%r is %r" % pair for pair in pairs if pair[0] != pair[1]), "one ends")
    return False, "seed %d: %s; status %d %r" % (seed, first, asked.returncode, asked.stderr)


def denied(place, way):
    """No is EACCES, for one call; what is granted goes on."""
    script = "cat %s; mkdir %s/d; echo x > %s/f; echo ok > %s/f && cat %s/f" % (
        place.path("secret"), place.path("asked"), place.path("asked"), place.path("ws"), place.path("ws"))
    done = place.ask("no", way, "/bin/sh", "-c", script)
    good = done.stdout == b"ok\n" and done.stderr.count(b"Permission denied") == 3
    return good and os.listdir(place.path("asked")) == [], repr((done.stdout, done.stderr))


def never_answered(place, way):
    """A signal ends what waits, the question is withdrawn, and others are served meanwhile."""
    log = place.path("ws", "log")
    script = "cat %s & p=$!; sleep 0.3; echo ok > %s/g; cat %s/g; kill $p; wait $p; echo $?; sleep 0.6" % (
        place.path("secret"), place.path("ws"), place.path("ws"))
    done = place.ask("never", way, "/bin/sh", "-c", script, log=log)
    told = open(log).read()
    return done.stdout.startswith(b"ok\n143\n") and "open 0" in told and "withdrawn" in told, repr((done.stdout, done.stderr, told))


def nobody_looks(place, way):
    """A caller that only waits for the end denies what it is asked."""
    done = place.ask("leave", way, "/bin/sh", "-c", "cat %s; echo ok" % place.path("secret"))
    return done.stdout == b"ok\n" and b"Permission denied" in done.stderr, repr((done.returncode, done.stdout, done.stderr))


def many_at_once(place, way):
    done = place.ask("yes", way, "/usr/bin/python3", "-c", MANY % place.path("secret"))
    return done.stdout == b"{'secret': 600}\n", repr((done.stdout, done.stderr[-300:]))


def swapped(place, way):
    """While a path is asked about, others get the name: what is read is never a file that was not told of."""
    script = "i=0; while [ $i -lt 60 ]; do cat %s 2>/dev/null; i=$((i+1)); done" % place.path("asked", "swap")
    open(place.path("asked", "swap"), "w").write("a")
    mover = subprocess.Popen(["/bin/sh", "-c", "while :; do echo b > n; mv n swap; ln -sf %s n; mv n swap; done" % place.path("secret")],
                             cwd=place.path("asked"), stderr=subprocess.DEVNULL, **place.identity.popen_args())
    log = place.path("ws", "log")
    try:
        done = place.ask("yes", way, "/bin/sh", "-c", script, log=log)
    finally:
        mover.kill()
        mover.wait()
    told = open(log).read()
    good = b"secret" not in done.stdout or place.path("secret") in told
    return good and done.returncode in (0, 1), repr((done.stdout, done.stderr))


def cases_of(place, way):
    for how in ("all", "yes"):
        for seed in range(SEED, SEED + SEEDS):
            yield "%s seed %d" % (how, seed), same_without, (how, way, seed)
    for case in (denied, never_answered, nobody_looks, many_at_once, swapped):
        yield case.__name__, case, (way,)


def approvals_of(berm):
    for case in approvals.CASES:
        yield case.__name__, case, (berm,)


def main():
    library = os.path.abspath(sys.argv[1])
    passed = failed = skipped = 0
    identities = [Identity("root", 0, 0), make_user()] if os.geteuid() == 0 else [Identity("user", os.geteuid(), os.getegid())]
    base = tempfile.mkdtemp(prefix="berm-ask-", dir=place_of_tests())
    os.chmod(base, 0o755)
    build(library, base)
    for identity in identities:
        for way in ("visible", "landlock"):
            if way == "visible" and not can_have_namespaces(identity):
                print("SKIP  %s %s: no user namespaces here" % (identity.name, way))
                skipped += 1
                continue
            berm = os.path.join(os.path.dirname(library), "berm")
            more = [(name, case, (way, *args)) for name, case, args in approvals_of(berm)]
            for name, case, args in [*cases_of(None, way), *more]:
                place = Place(base, identity)
                try:
                    good, words = case(place, *args)
                except subprocess.TimeoutExpired:
                    good, words = False, "no end after %d s" % TIMEOUT
                except AssertionError as error:
                    good, words = False, str(error)
                place.remove()
                passed, failed = passed + good, failed + (not good)
                if not good:
                    print("FAIL  %s %s %s\n      %s" % (identity.name, way, name, words))
    shutil.rmtree(base, ignore_errors=True)
    if len(identities) > 1:
        remove_user(identities[1].name)
    if skipped and os.environ.get("BERM_MUST_RUN") == "1":
        failed += skipped
    print("seed %d" % SEED)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
