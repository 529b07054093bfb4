"""What the tests of the program share: ways to run it, temporary folders, and the list of tests."""
import os
import shutil
import subprocess
import sys
import tempfile

BERM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release/berm")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
USER = 12345  # an ordinary user that needs no entry anywhere
WAIT = 60     # seconds after which a run counts as hanging

TESTS = []    # (name, function, ways)


class Failure(Exception):
    pass


class Way:
    """As whom, and with which back-end."""

    def __init__(self, user, namespaces):
        self.user, self.namespaces = user, namespaces

    def __str__(self):
        return ("root" if self.user == 0 else "user") + ("" if self.namespaces else ", no namespaces")


def ways():
    """All four as root, the user's own two otherwise."""
    users = [0, USER] if os.getuid() == 0 else [os.getuid()]
    return [Way(user, namespaces) for user in users for namespaces in (True, False)]


def test(function):
    """A test that is run once: nothing is put into a sandbox."""
    TESTS.append((function.__name__, function, [Way(os.getuid(), True)]))
    return function


def test_ways(function):
    """A test that is run in each way."""
    TESTS.append((function.__name__, function, ways()))
    return function


def equal(got, expected, what=""):
    if got != expected:
        raise Failure(f"{what or 'value'}: got {got!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}, out {self.out[-2000:]!r}, err {self.err[-2000:]!r}"

    def ok(self, out=None):
        """Ended well, and said this."""
        true(self.status == 0, f"failed: {self!r}")
        if out is not None:
            equal(self.out, out, "output")
        return self


class Place:
    """A home folder with a workspace in it, owned by the one who runs; gone at the end."""

    def __init__(self, way):
        self.way = way
        self.base = tempfile.mkdtemp(prefix="berm-cli-", dir="/var/tmp")
        os.chmod(self.base, 0o755)
        self.home = self.folder("home")
        self.work = self.folder("home/work")

    def folder(self, name):
        path = self.base
        for part in name.split("/"):
            path = os.path.join(path, part)
            if not os.path.isdir(path):
                os.mkdir(path)
                self.give(path)
        return path

    def file(self, name, text="", mode=0o644):
        path = os.path.join(self.base, name)
        if "/" in name:
            self.folder(os.path.dirname(name))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        self.give(path)
        return path

    def give(self, path):
        if os.getuid() == 0:
            os.chown(path, self.way.user, self.way.user)

    def become(self):
        """Between fork and exec: the user of this way."""
        if os.getuid() == 0 and self.way.user != 0:
            os.setgroups([])
            os.setgid(self.way.user)
            os.setuid(self.way.user)

    def environment(self, extra=None):
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.home, "LANG": "C.UTF-8", "TERM": "xterm"}
        if not self.way.namespaces:
            environment["BERM_TEST_NO_USERNS"] = "1"
        environment.update(extra or {})
        return environment

    def command(self, argv, cwd=None, env=None, stdin=b"", **more):
        """Any program, as this user."""
        done = subprocess.run(argv, cwd=cwd or self.work, env=self.environment(env), input=stdin, capture_output=True,
                              preexec_fn=self.become, timeout=WAIT, check=False, **more)
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def berm(self, *args, **more):
        return self.command([BERM, *args], **more)

    def run(self, *args, **more):
        return self.berm("run", *args, **more)

    def sh(self, script, *options, **more):
        """A shell script in a sandbox."""
        return self.run(*options, "--", "/bin/sh", "-c", script, **more)

    def start(self, argv, **more):
        """A program that goes on running; pipes for all three."""
        return subprocess.Popen(argv, cwd=self.work, env=self.environment(), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=self.become, **more)

    def remove(self):
        shutil.rmtree(self.base, ignore_errors=True)


def run_all(pattern):
    passed = failed = 0
    for name, function, its_ways in TESTS:
        for way in its_ways:
            label = f"{name} ({way})" if len(its_ways) > 1 else name
            if pattern not in label:
                continue
            place = Place(way)
            try:
                function(place)
                passed += 1
            except (Failure, subprocess.TimeoutExpired, OSError, ValueError, KeyError, IndexError) as failure:
                failed += 1
                print(f"FAILED {label}: {failure}", flush=True)
            finally:
                place.remove()
    print(f"cli: {passed} passed, {failed} failed")
    return 0 if failed == 0 else 1
