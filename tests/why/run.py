#!/usr/bin/env python3
"""What `berm why` says against what the kernel does: random trees and policies, one sandbox for each, in which a program tries every
question that was put to `berm why --batch` before.

As root the suite runs as root and as an ordinary user. Both back-ends, both views. BERM_MUST_RUN=1 makes a skip a failure.
WHY_CASES is how many questions there are at least, SEED what the dice begin with; --one SEED:IDENTITY:WAY runs one case.
"""
import argparse
import errno
import json
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
import trees  # noqa: E402
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

LEAST = int(os.environ.get("WHY_CASES", "6000"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
WAYS = ["hidden", "visible", "landlock"]
QUESTIONS = 110
TIMEOUT = 60
KINDS = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENOTEMPTY, errno.ETXTBSY}
REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY}
PATH = "/usr/local/bin:/usr/bin:/bin"


def build(folder):
    program = os.path.join(folder, "try")
    flags = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-static"]
    subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), *flags, "-o", program, os.path.join(HERE, "try.c")], check=True)
    return program


class Case:
    """One tree, one policy, one way, one user."""

    def __init__(self, base, program, berm, identity, way, seed):
        self.base, self.program, self.berm, self.identity, self.way, self.seed = base, program, berm, identity, way, seed
        self.env = {"PATH": PATH, "HOME": base + "/home", "LANG": "C.UTF-8"}
        if way == "landlock":
            self.env["BERM_TEST_NO_USERNS"] = "1"

    def make(self):
        rng = random.Random(self.seed)
        os.mkdir(self.base, 0o755)
        os.mkdir(self.base + "/bin", 0o755)
        shutil.copy(self.program, self.base + "/bin/try")
        self.tree = trees.Tree(rng, self.base)
        self.questions = trees.questions(rng, self.tree, QUESTIONS)
        if os.geteuid() == 0 and self.identity.uid != 0:
            self.give_away(rng)
        self.tree.shut()
        self.refused = 0
        while not self.write_policy(rng):
            self.refused += 1

    def write_policy(self, rng):
        """Dice make many a policy whose lines contradict each other: false, but for the last of some."""
        with open(self.base + "/policy.yaml", "w", encoding="ascii") as file:
            file.write(trees.policy(rng, self.tree, "auto" if self.way == "landlock" else self.way))
        return self.refused == 8 or self.call("why", "-p", self.base + "/policy.yaml", "--batch", given="").returncode != 125

    def give_away(self, rng):
        """To the user, but for some files."""
        for path in [self.base + "/home", *self.tree.folders, *self.tree.files, *self.tree.links]:
            if rng.random() < (0.96 if path in self.tree.folders[3:] else 1 if path in self.tree.folders else 0.9):
                os.lchown(path, self.identity.uid, self.identity.gid)

    def call(self, *words, given):
        return subprocess.run([self.berm, *words], input=given, cwd=self.tree.work, env=self.env, capture_output=True, text=True,
                              timeout=TIMEOUT, **self.identity.popen_args())

    def answers(self):
        """What why says: a list of its answers, or None and why it refuses the policy."""
        lines = "".join("%s\t%s\n" % (op, path) for op, _, path in self.questions)
        done = self.call("why", "-p", self.base + "/policy.yaml", "--batch", given=lines)
        if done.returncode == 125:
            return None, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 or len(answers) != len(self.questions):
            raise AssertionError("why: status %d, %d answers: %s" % (done.returncode, len(answers), done.stderr[-500:]))
        return answers, ""

    def errnos(self):
        lines = "".join("%s\t%s\n" % (op, path) for _, op, path in self.questions)
        done = self.call("run", "-q", "-p", self.base + "/policy.yaml", "--", self.base + "/bin/try", given=lines)
        if done.returncode in (125, 126, 127):  # or the program itself is closed
            return None, done.stderr
        errors = [int(line) for line in done.stdout.split()]
        if done.returncode != 0 or len(errors) != len(self.questions):
            raise AssertionError("run: status %d, %d errors: %s" % (done.returncode, len(errors), done.stderr[-500:]))
        return errors, ""


def agree(op, answer, error):
    """None, or what is different: "lax" if the kernel allows what why denies."""
    told, allowed = answer.get("errno"), answer["answer"] == "allow"
    if told is None and allowed:
        return None if error == 0 else "strict"
    if error == 0:
        return "lax"
    if told == "ENOENT":
        # A removal in a place that is only read ends before the name is looked for.
        return None if error == errno.ENOENT or (op == "delete" and error in REFUSED) else "there"
    if error == errno.ENOENT:
        return "missing"
    if allowed:
        busy = told == "ENOTEMPTY" and error == errno.EBUSY
        return None if error == getattr(errno, told) or busy else "other"
    return None if error in REFUSED | KINDS else "other"


def run_case(case):
    """(questions, texts of what differs, refused)"""
    case.make()
    answers, refused = case.answers()
    errors, not_run = case.errnos()
    if answers is None or errors is None:
        if errors is not None:
            return 0, ["why refuses a policy that runs: " + refused], case.refused + 1
        if os.environ.get("WHY_REFUSALS"):
            print("refused: %s" % not_run)
        return 0, [], case.refused + 1
    wrong = []
    for (op, tried, path), answer, error in zip(case.questions, answers, errors):
        different = agree(op, answer, error)
        if different:
            name = errno.errorcode.get(error, "done") if error else "done"
            wrong.append("%s: %s %s\n      why: %s\n      kernel: %s" % (different, tried, path, json.dumps(answer), name))
    return len(answers), wrong, case.refused


def run_one(bases, program, berm, identity, way, seed, keep):
    base = bases[seed % 4 == 3]
    case = Case("%s/%s-%s-%d" % (base, identity.kind, way, seed), program, berm, identity, way, seed)
    try:
        count, wrong, refused = run_case(case)
    except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
        count, wrong, refused = 0, [str(error)], 0
    for text in wrong:
        print("FAIL  %s %s, seed %d: %s" % (identity.kind, way, seed, text), flush=True)
    if not keep:
        shutil.rmtree(case.base, ignore_errors=True)
    return count, len(wrong), refused


def run_all(bases, berm, options):
    program = build(bases[0])
    user = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), user] if user else [Identity(os.environ.get("USER", "user"), os.geteuid(), os.getegid())]
    cells = [(identity, way) for identity in identities for way in WAYS]
    skipped = [cell for cell in cells if cell[1] != "landlock" and not can_have_namespaces(cell[0])]
    for identity, way in skipped:
        print("SKIP  %s %s: no user namespaces" % (identity.kind, way))
    cells = [cell for cell in cells if cell not in skipped]
    done = {cell: [0, 0, 0, 0] for cell in cells}
    try:
        seed = SEED
        while sum(numbers[0] for numbers in done.values()) < LEAST:
            for cell in cells:
                if options.one and options.one != "%d:%s:%s" % (seed, cell[0].kind, cell[1]):
                    continue
                count, wrong, refused = run_one(bases, program, berm, *cell, seed, options.keep)
                done[cell] = [a + b for a, b in zip(done[cell], (count, wrong, refused, 1))]
            seed += 1
            if options.one or all(numbers[2] > 20 and numbers[0] == 0 for numbers in done.values()):
                break
    finally:
        if user:
            remove_user(user.name)
    return done, len(skipped)


def main():
    global SEED
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("berm")
    parser.add_argument("--one", metavar="SEED:IDENTITY:WAY", help="one case, as it is named in a failure")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    options = parser.parse_args()
    if options.one:
        SEED = int(options.one.split(":")[0])
    print("seed %d" % SEED)
    # One in four lies in a scratch folder of the sandboxes.
    bases = [tempfile.mkdtemp(prefix="berm-why-", dir=folder) for folder in (place_of_tests(), "/tmp")]
    try:
        for base in bases:
            os.chmod(base, 0o755)
        berm = shutil.copy(options.berm, os.path.join(bases[0], "berm"))
        done, skipped = run_all(bases, berm, options)
    finally:
        if options.keep:
            print("kept: %s %s" % tuple(bases))
        else:
            for base in bases:
                shutil.rmtree(base, ignore_errors=True)
    for (identity, way), (count, wrong, refused, cases) in done.items():
        print("%s  %-5s %-9s %6d questions, %d policies of which %d were refused, %d differ" %
              ("FAIL" if wrong else "ok  ", identity.kind, way, count, cases, refused, wrong))
    count, failed = sum(numbers[0] for numbers in done.values()), sum(numbers[1] for numbers in done.values())
    passed = count - failed
    if os.environ.get("BERM_MUST_RUN") == "1":
        failed, skipped = failed + skipped, 0
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
