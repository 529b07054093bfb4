#!/usr/bin/env python3
"""Live changes: running sandboxes get other plans at random while threads inside try every path (live.c says what must hold);
policy files and `berm policy apply` change runs (reload.py).

As root the suite runs as root and as an ordinary user. BERM_MUST_RUN=1 makes a skip a failure. LIVE_UPDATES is how many
updates there are in all, SEED what the dice begin with; --one IDENTITY:WAY:CASE runs one case, as each failure names it.
"""
import argparse
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
sys.path.insert(0, HERE)
import reload  # noqa: E402
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

UPDATES = int(os.environ.get("LIVE_UPDATES", "1200"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
# way, mode, share of the updates (or a number of its own)
CASES = [("hidden", "", 0.3), ("visible", "", 0.1), ("landlock", "", 0.1), ("hidden", "nest", 20), ("hidden", "kill", 12),
         ("visible", "kill", 8), ("hidden", "helper", 10), ("landlock", "helper", 5), ("hidden", "pair", 5), ("landlock", "pair", 5)]
TIMEOUT = 120


def build(library, folder):
    program = os.path.join(folder, "program")
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-static", "-I" + os.path.join(TOP, "include")]
    subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), *flags, "-o", program, os.path.join(HERE, "live.c"), library, "-lpthread"],
                   check=True)
    return program


def attempt(program, base, identity, case):
    way, mode, share = case
    count = int(UPDATES * share) if isinstance(share, float) else share
    home = tempfile.mkdtemp(prefix="l", dir=base)
    shutil.copy(program, os.path.join(home, "program"))
    if os.geteuid() == 0:
        os.chown(home, identity.uid, identity.gid)
    command = [os.path.join(home, "program"), home, way, str(count), str(SEED), *([mode] if mode else [])]
    try:
        done = subprocess.run(command, cwd="/", env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT, **identity.popen_args())
    except subprocess.TimeoutExpired:
        return False, "no end after %d s" % TIMEOUT
    shutil.rmtree(home, ignore_errors=True)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


class Suite:
    """Which cases are run, and what came of them."""

    def __init__(self, options):
        self.options = options
        self.passed = self.failed = self.skipped = 0

    def wants(self, identity, way, case):
        self.name = "%s:%s:%s" % (identity.kind, way, case or "updates")
        return self.options.one in (None, self.name)

    def skip(self, why):
        print("SKIP  %s: %s" % (self.name, why))
        self.skipped += 1

    def tell(self, good, text):
        print("%s  %-28s %s" % ("ok  " if good else "FAIL", self.name, text), flush=True)
        if not good:
            words = (SEED, os.environ.get("LIVE_UPDATES"), self.options.library, self.options.berm, self.name)
            print("      again: SEED=%d %stests/live/run %s %s --one %s" %
                  (words[0], "LIVE_UPDATES=%s " % words[1] if words[1] else "", *words[2:]), flush=True)
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)


def run_identity(suite, program, berm, base, identity):
    namespaces = can_have_namespaces(identity)
    for case in CASES:
        if not suite.wants(identity, case[0], case[1]):
            continue
        if case[0] != "landlock" and not namespaces:
            suite.skip("no user namespaces")
        else:
            suite.tell(*attempt(program, base, identity, case))
    for way in reload.WAYS:
        for case in reload.CASES:
            if suite.wants(identity, way, case.__name__) and (way != "namespaces" or namespaces):
                wrong = reload.run_case(berm, base, identity, way, case)
                suite.tell(not wrong, wrong or "")


def run_all(suite, library, berm, base):
    program = build(library, base)
    user = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), user] if user else [Identity(os.environ.get("USER", "user"), os.geteuid(), os.getegid())]
    try:
        for identity in identities:
            run_identity(suite, program, berm, base, identity)
    finally:
        if user:
            remove_user(user.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("berm")
    parser.add_argument("--one", metavar="IDENTITY:WAY:CASE", help="one case, as it is named in a failure")
    suite = Suite(parser.parse_args())
    library, berm = os.path.abspath(suite.options.library), os.path.abspath(suite.options.berm)
    print("seed %d" % SEED)
    # Not below a scratch folder of the sandboxes, where what is taken away leaves a folder of theirs.
    with tempfile.TemporaryDirectory(prefix="berm-live-", dir=place_of_tests()) as base:
        os.chmod(base, 0o755)
        shutil.copy(berm, os.path.join(base, "berm"))
        berm = os.path.join(base, "berm")
        run_all(suite, library, berm, base)
    failed, skipped = suite.failed, suite.skipped
    if suite.passed + failed + skipped == 0:
        print("FAIL  no such case")
        failed = 1
    if os.environ.get("BERM_MUST_RUN") == "1":
        failed, skipped = failed + skipped, 0
    print("%d passed, %d failed%s" % (suite.passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
