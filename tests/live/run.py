#!/usr/bin/env python3
"""Live changes: running sandboxes get other plans at random while threads inside try every path (live.c says what must hold);
policy files and `berm policy apply` change runs (reload.py).

As root the suite runs as root and as an ordinary user. BERM_MUST_RUN=1 makes a skip a failure. LIVE_UPDATES is how many
updates there are in all, SEED what the dice begin with.
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
sys.path.insert(0, HERE)
import reload  # noqa: E402
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

UPDATES = int(os.environ.get("LIVE_UPDATES", "1200"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
# way, mode, share of the updates (or a number of its own)
CASES = [("hidden", "", 0.3), ("visible", "", 0.1), ("landlock", "", 0.1), ("hidden", "nest", 20), ("hidden", "kill", 12),
         ("visible", "kill", 8), ("hidden", "helper", 10), ("landlock", "helper", 5), ("hidden", "pair", 1)]
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


def reload_cases(berm, base, identity, namespaces):
    """Numbers of cases passed and failed."""
    passed = failed = 0
    for way in reload.WAYS:
        for case in reload.CASES:
            if way == "namespaces" and not namespaces:
                continue
            wrong = reload.run_case(berm, base, identity, way, case)
            print("%s  %s %s %s %s" % ("FAIL" if wrong else "ok  ", identity.login, way, case.__name__, wrong or ""), flush=True)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    return passed, failed


def run_all(library, berm, base):
    passed = failed = skipped = 0
    program = build(library, base)
    user = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), user] if user else [Identity(os.environ.get("USER", "user"), os.geteuid(), os.getegid())]
    try:
        for identity in identities:
            namespaces = can_have_namespaces(identity)
            for case in CASES:
                name = "%s %s %s" % (identity.login, case[0], case[1])
                if case[0] != "landlock" and not namespaces:
                    print("SKIP  %s: no user namespaces" % name)
                    skipped += 1
                    continue
                good, text = attempt(program, base, identity, case)
                print("%s  %-28s %s" % ("ok  " if good else "FAIL", name, text), flush=True)
                passed, failed = passed + good, failed + (not good)
            good, bad = reload_cases(berm, base, identity, namespaces)
            passed, failed = passed + good, failed + bad
    finally:
        if user:
            remove_user(user.name)
    return passed, failed, skipped


def main():
    library, berm = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    print("seed %d" % SEED)
    # Not below a scratch folder of the sandboxes, where what is taken away leaves a folder of theirs.
    with tempfile.TemporaryDirectory(prefix="berm-live-", dir=place_of_tests()) as base:
        os.chmod(base, 0o755)
        shutil.copy(berm, os.path.join(base, "berm"))
        berm = os.path.join(base, "berm")
        passed, failed, skipped = run_all(library, berm, base)
    if os.environ.get("BERM_MUST_RUN") == "1":
        failed, skipped = failed + skipped, 0
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
