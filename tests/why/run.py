#!/usr/bin/env python3
"""What `berm why` says against what the kernel does: fixed and random trees and policies, one sandbox for each, in which a program
tries every question that was put to `berm why --batch` before.

As root the suite runs as root and as an ordinary user. Both back-ends, both views. BERM_MUST_RUN=1 makes a skip a failure.
WHY_CASES is how many questions there are at least, SEED what the dice begin with; --one CASE:IDENTITY:WAY runs one case, as each
failure names it: a seed, or a name of fixed.py.
"""
import argparse
import errno
import glob
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
import fixed  # noqa: E402
import trees  # noqa: E402
from world import Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

LEAST = int(os.environ.get("WHY_CASES", "6000"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
WAYS = ["hidden", "visible", "landlock"]
QUESTIONS = 110
DRAWS = 9
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
        self.view = "auto" if way == "landlock" else way
        if way == "landlock":
            self.env["BERM_TEST_NO_USERNS"] = "1"
        self.drawn = 1  # policies, of which only the last may be asked about
        self.wanted = None

    def make(self):
        os.mkdir(self.base, 0o755)
        os.mkdir(self.base + "/bin", 0o755)
        shutil.copy(self.program, self.base + "/bin/try")
        if self.seed in fixed.FIXED:
            self.make_fixed(fixed.FIXED[self.seed])
        else:
            self.make_random(random.Random(self.seed))

    def make_fixed(self, what):
        self.tree = fixed.Tree(self.base, what)
        self.questions, self.wanted = fixed.questions(what, self.base, self.tree)
        for path in [*self.tree.folders, *self.tree.files, *self.tree.links]:
            os.lchown(path, self.identity.uid, self.identity.gid)
        self.write_policy(fixed.policy(what, self.base, self.view))

    def make_random(self, rng):
        self.tree = trees.Tree(rng, self.base)
        self.questions = trees.questions(rng, self.tree, QUESTIONS)
        if os.geteuid() == 0 and self.identity.uid != 0:
            self.give_away(rng)
        self.tree.shut()
        self.write_policy(trees.policy(rng, self.tree, self.view))
        while self.drawn < DRAWS and self.is_refused():
            self.drawn += 1
            self.write_policy(trees.policy(rng, self.tree, self.view))

    def write_policy(self, text):
        with open(self.base + "/policy.yaml", "w", encoding="ascii") as file:
            file.write(text)

    def is_refused(self):
        """Dice make many a policy whose lines contradict each other."""
        return self.call("why", "-p", self.base + "/policy.yaml", "--batch", given="").returncode == 125

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
        if done.returncode in (125, 126, 127):  # 126, 127: the program itself is closed
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


class Sums:
    """Of one identity and way."""

    def __init__(self):
        self.cases = self.questions = self.differ = self.discarded = self.closed = 0

    def text(self):
        # A case has the first policy that the dice draw and why takes. What no machine or kernel can hold of that, why answers for
        # all the same, but nothing runs; as where the policy closes the program that tries.
        return "%6d questions in %d cases (%d more did not run; %d policies were drawn again), %d differ" % (
            self.questions, self.cases - self.closed, self.closed, self.discarded, self.differ)


def compare(case, answers, errors):
    """Texts of what differs."""
    wrong = []
    for number, ((op, tried, path), answer, error) in enumerate(zip(case.questions, answers, errors)):
        different = agree(op, answer, error)
        if not different and case.wanted and case.way == "hidden" and case.wanted[number] not in (error, fixed.NEVER):
            different = "both"
        if different:
            name = errno.errorcode.get(error, "done") if error else "done"
            wrong.append("%s: %s %s\n      why: %s\n      kernel: %s" % (different, tried, path, json.dumps(answer), name))
    return wrong


def run_case(case, sums):
    """Texts of what differs."""
    case.make()
    sums.discarded += case.drawn - 1
    answers, refused = case.answers()
    errors, not_run = case.errnos()
    if answers is not None and errors is not None:
        sums.questions += len(answers)
        return compare(case, answers, errors)
    sums.closed += 1
    if errors is not None:
        return ["why refuses a policy that runs: " + refused]
    if case.wanted:
        return ["a fixed case that does not run: " + not_run]
    if os.environ.get("WHY_REFUSALS"):
        print("refused: %s" % not_run)
    return []


def run_one(bases, program, options, cell, seed, sums):
    identity, way = cell
    in_tmp = fixed.FIXED[seed].get("in_tmp", False) if seed in fixed.FIXED else seed % 4 == 3
    name = "%s/%s-%s-%s" % (bases[in_tmp], identity.kind, way, str(seed).replace(" ", "-"))
    case = Case(name, program, options.copies[in_tmp], identity, way, seed)
    try:
        wrong = run_case(case, sums)
    except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
        wrong = [str(error)]
    for text in wrong:
        print("FAIL  %s %s, %s: %s" % (identity.kind, way, seed, text), flush=True)
    if wrong:
        print("      again: tests/why/run %s --one '%s:%s:%s'" % (options.berm, seed, identity.kind, way), flush=True)
    sums.cases += 1
    sums.differ += len(wrong)
    for path in glob.glob(fixed.shm(case.base) + "*"):
        os.unlink(path)
    if not options.keep:
        shutil.rmtree(case.base, ignore_errors=True)


def run_dice(bases, program, options, done):
    """Until there are enough questions. What is closed to all is told at the end."""
    seed = SEED
    while sum(sums.questions for sums in done.values()) < LEAST and any(sums.questions or sums.closed < 20 for sums in done.values()):
        for cell, sums in done.items():
            run_one(bases, program, options, cell, seed, sums)
        seed += 1


def run_all(bases, options):
    program = build(bases[0])
    user = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), user] if user else [Identity(os.environ.get("USER", "user"), os.geteuid(), os.getegid())]
    cells = [(identity, way) for identity in identities for way in WAYS]
    skipped = [cell for cell in cells if cell[1] != "landlock" and not can_have_namespaces(cell[0])]
    for identity, way in skipped:
        print("SKIP  %s %s: no user namespaces" % (identity.kind, way))
    done = {cell: Sums() for cell in cells if cell not in skipped}
    try:
        if options.one:
            seed, kind, way = options.one.rsplit(":", 2)
            done = {cell: sums for cell, sums in done.items() if (cell[0].kind, cell[1]) == (kind, way)}
            for cell, sums in done.items():
                run_one(bases, program, options, cell, seed if seed in fixed.FIXED else int(seed), sums)
        else:
            for name in fixed.FIXED:
                for cell, sums in done.items():
                    run_one(bases, program, options, cell, name, sums)
            run_dice(bases, program, options, done)
    finally:
        if user:
            remove_user(user.name)
    return done, len(skipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("berm")
    parser.add_argument("--one", metavar="CASE:IDENTITY:WAY", help="one case, as it is named in a failure")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    options = parser.parse_args()
    print("seed %d" % SEED if not options.one else "case %s" % options.one)
    # One in four lies in a scratch folder of the sandboxes.
    bases = [tempfile.mkdtemp(prefix="berm-why-", dir=folder) for folder in (place_of_tests(), "/tmp")]
    try:
        for base in bases:
            os.chmod(base, 0o755)
        # A run shows its program inside, so that is where the case is.
        options.copies = [shutil.copy(options.berm, os.path.join(base, "berm")) for base in bases]
        done, skipped = run_all(bases, options)
    finally:
        if options.keep:
            print("kept: %s %s" % tuple(bases))
        else:
            for base in bases:
                shutil.rmtree(base, ignore_errors=True)
    passed = failed = 0
    for (identity, way), sums in done.items():
        empty = sums.questions == 0  # and so nothing was compared
        print("%s  %-5s %-9s %s" % ("FAIL" if sums.differ or empty else "ok  ", identity.kind, way, sums.text()))
        passed, failed = passed + sums.questions - min(sums.differ, sums.questions), failed + max(sums.differ, int(empty))
    if not done and not skipped:
        print("FAIL  no such case")
        failed += 1
    if os.environ.get("BERM_MUST_RUN") == "1":
        failed, skipped = failed + skipped, 0
    if failed and not options.one:
        print("all again: SEED=%d tests/why/run %s" % (SEED, options.berm))
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
