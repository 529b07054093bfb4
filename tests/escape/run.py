#!/usr/bin/env python3
"""The escape suite: attempts that must fail and ordinary work that must not, judged from the host's side.

Every row is first run without a sandbox, where it must succeed, or it proves nothing. Then it is run in a fresh world for
each way: {root, ordinary user} x {namespaces, none}, and, for a part of the rows, behind a real filter that refuses
namespaces. docs/escapes.md tells how to read and extend it.
"""
import argparse
import concurrent.futures
import importlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import needs
import row as rows
from world import FORK, HERE, TOP, Identity, Setup, World, make_user, remove_user

MODULES = ("rows_files", "rows_socket", "rows_process", "rows_kernel", "rows_exec", "rows_super", "rows_git", "rows_names", "rows_start", "rows_floor",
           "controls_shell", "controls_files", "controls_build", "controls_berm")
MARKS = {"pass": "ok", "leak": "LEAK", "broke": "BROKE", "fail": "FAIL", "skip": "skip", "none": "-"}
INSIDE = {"ns": {}, "ll": {"BERM_TEST_NO_USERNS": "1"}, "real": {}}


class Outcome:
    def __init__(self, mark, text="", seconds=0.0):
        self.mark, self.text, self.seconds = mark, text, seconds


def build(folder):
    """The static tools, made anew when a source is younger."""
    os.makedirs(folder, exist_ok=True)
    sources = {"attempt": sorted(f for f in os.listdir(HERE) if f.startswith("attempt") and f.endswith(".c")),
               "nouserns": ["nouserns.c"]}
    cc = shlex.split(os.environ.get("CC", "gcc"))
    for name, files in sources.items():
        files = [os.path.join(HERE, f) for f in files]
        target = os.path.join(folder, name)
        newest = max(os.path.getmtime(f) for f in files + [os.path.join(HERE, "attempt.h")])
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-static", "-pthread"]
            subprocess.run(cc + flags + ["-o", target + ".new"] + files, check=True)
            os.rename(target + ".new", target)
    hello = os.path.join(folder, "hello32")
    if not os.path.exists(hello):
        flags = ["-m32", "-nostdlib", "-static", "-fno-pie", "-no-pie", "-o", hello]
        subprocess.run(cc + flags + [os.path.join(HERE, "hello32.c")], capture_output=True, check=False)


class Suite:
    def __init__(self, options, bases, identities):
        self.options, self.bases, self.identities = options, bases, identities
        self.lock = threading.Lock()
        self.outcomes = {}
        self.times = {}

    def ways(self, row, identity):
        """The ways of this row for this identity, as (name, kind)."""
        if self.options.against:
            kinds = ["ns"] if not row.ours and not row.flags else []
        else:
            kinds = ["ns", "ll"] + (["real"] if row.real else [])
            kinds = [k for k in kinds if not row.only & {"ns", "ll"} or k in row.only or (k == "real" and "ll" in row.only)]
        names = [("%s/%s" % (identity.kind, kind), kind) for kind in kinds]
        return [pair for pair in names if not self.options.way or pair[0] in self.options.way]

    def command(self, row, kind, world, argv):
        """The words that run argv in this way; None stands for no sandbox."""
        if kind is None:
            return argv
        if self.options.against:
            other = self.options.against.replace("{ws}", "@ws@").replace("{home}", "@home@").replace("{out}", "@out@")
            return [world.fill(word) for word in [*row.wrap, *shlex.split(other)]] + argv
        berm = os.path.join(os.path.dirname(world.root), "bin", "berm")
        front = [os.path.join(os.path.dirname(world.root), "bin", "nouserns")] if kind == "real" else []
        flags = row.flags(world) if callable(row.flags) else row.flags
        return [world.fill(w) for w in row.wrap] + front + [berm, "run", "-q", *[world.fill(f) for f in flags], "--"] + argv

    def execute(self, row, identity, kind, base):
        """One run in a fresh world. Returns (what the oracle saw, result, world)."""
        world = World(base, identity, os.path.join(base, "bin"))
        try:
            with FORK:
                if row.setup:
                    row.setup(world)
                world.give()
            for path in list(world.before):
                world.watch(path)
            words = row.bare if kind is None and row.bare else row.argv
            words = words(world) if callable(words) else words
            argv = [world.fill(word) for word in words]
            env = dict(INSIDE.get(kind, {}) if not self.options.against else {}, **{k: world.fill(v) for k, v in (row.env or {}).items()})
            if row.drive:
                result = row.drive(world, lambda more, env=env: self.command(row, kind, world, more), env)
            else:
                on_line = (lambda line: row.on_line(world, line)) if row.on_line else None
                front = [world.fill(w) for w in row.wrap] if kind is None else []
                result = world.run(front + self.command(row, kind, world, argv), env=env, cwd=world.path(row.cwd or "@ws@"),
                                   timeout=row.timeout, stdin=row.stdin, on_line=on_line)
            for after, folder in row.then(world) if callable(row.then) else row.then:
                done = world.outside(after, cwd=folder)
                if self.options.verbose > 1:
                    print("after:", after, done.status, done.out[-200:], done.err[-300:])
            oracle = row.leak or row.works
            return oracle(world, result), result
        finally:
            if self.options.keep:
                print("kept:", world.root)
            else:
                world.close()

    def try_row(self, row, identity, kind, base):
        start = time.monotonic()
        try:
            seen, result = self.execute(row, identity, kind, base)
        except (OSError, Setup, subprocess.SubprocessError, ValueError, KeyError) as error:
            return None, Outcome("fail", "%s: %s" % (type(error).__name__, error), time.monotonic() - start)
        seconds = time.monotonic() - start
        if self.options.verbose > 1:
            print("%s %s: %r status %s\n%s%s" % (row.id, kind, seen, result.status, result.out[-2000:], result.err[-2000:]))
        return (seen, result), Outcome("pass", "", seconds)

    def bare(self, row, identity, base):
        """None if the row is proved, else what is wrong with it."""
        if row.ours and row.kind == rows.CONTROLS:
            return None
        pair, outcome = self.try_row(row, identity, None, base)
        self.note_time(row, outcome.seconds)
        if pair is None:
            return outcome.text
        seen, result = pair
        if seen or (row.unproved and not result.timed_out):
            return None
        return "not proved: without a sandbox it must succeed, but status %s, %s" % (result.status, tail(result))

    def note_time(self, row, seconds):
        with self.lock:
            self.times[row.id] = self.times.get(row.id, 0) + seconds

    def judge(self, row, pair):
        seen, result = pair
        if row.kind == rows.CONTROLS:
            if seen:
                return Outcome("pass")
            why = "timed out" if result.timed_out else "status %s" % result.status
            return Outcome("broke", "%s, %s" % (why, tail(result)))
        if seen:
            return Outcome("leak", str(seen))
        if result.timed_out:
            return Outcome("fail", "timed out, %s" % tail(result))
        if not started(row, result):
            return Outcome("fail", "did not start: status %s, %s" % (result.status, tail(result)))
        return Outcome("pass")

    def job(self, index, row, identity):
        ways = self.ways(row, identity)
        if row.only & {"root", "user"} and identity.kind not in row.only:
            return
        if not ways:
            return
        reasons = [why for why in (needs.missing(name, identity) for name in row.needs) if why]
        base = self.bases[index % len(self.bases)]
        problem = None if reasons or self.options.no_proof else self.bare(row, identity, base)
        for number, (way, kind) in enumerate(ways):
            if reasons:
                outcome = Outcome("skip", reasons[0])
            elif problem:
                outcome = Outcome("fail", problem)
            else:
                base = self.bases[(index + number + 1) % len(self.bases)]
                pair, outcome = self.try_row(row, identity, kind, base)
                self.note_time(row, outcome.seconds)
                outcome = self.judge(row, pair) if pair else outcome
            with self.lock:
                self.outcomes[row.id, way] = outcome
            if self.options.verbose:
                print("%-8s %-10s %-5s %s" % (row.id, way, MARKS[outcome.mark], outcome.text), flush=True)

    def run(self, chosen):
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            jobs = [pool.submit(self.job, i, row, identity) for i, row in chosen for identity in self.identities]
            for job in jobs:
                job.result()


def started(row, result):
    """False if the sandbox never came to the program, so that a refusal proves nothing."""
    if row.may_refuse:
        return True
    if row.argv and not callable(row.argv) and row.argv[0] == "./attempt" and not row.drive:
        return "ACHIEVED" in result.out or "refused" in result.out or result.status < 0 or result.status > 128
    return result.status != 125


def tail(result):
    text = (result.err.strip() or result.out.strip()).splitlines()
    return "said: %s" % text[-1][:160] if text else "said nothing"


def table(suite, chosen, columns):
    width = max(len(c) for c in columns) + 1
    print("%-7s %-58s %s" % ("row", "", " ".join("%-*s" % (width, c) for c in columns)))
    for _, row in chosen:
        cells = []
        for way in columns:
            outcome = suite.outcomes.get((row.id, way))
            cells.append("%-*s" % (width, MARKS[outcome.mark] if outcome else "-"))
        print("%-7s %-58s %s" % (row.id, row.title[:58], " ".join(cells)))


def summary(suite, chosen):
    """Details of what did not pass, counts by class, and the line that counts."""
    must_run = os.environ.get("BERM_MUST_RUN") == "1"
    count = {"pass": 0, "fail": 0, "skip": 0}
    classes = {}
    print()
    for _, row in chosen:
        group = classes.setdefault(row.cls, {"rows": 0, "pass": 0, "fail": 0, "skip": 0})
        group["rows"] += 1
        for (name, way), outcome in sorted(suite.outcomes.items()):
            if name != row.id:
                continue
            kind = outcome.mark if outcome.mark in ("pass", "skip") else "fail"
            kind = "fail" if kind == "skip" and must_run else kind
            count[kind] += 1
            group[kind] += 1
            if outcome.mark != "pass":
                print("%-5s %s in %s: %s" % (MARKS[outcome.mark], row.id, way, outcome.text))
    print()
    for cls in sorted(classes):
        group = classes[cls]
        print("class %s: %3d rows, %4d passed, %d failed, %d skipped" % (cls, group["rows"], group["pass"], group["fail"],
                                                                       group["skip"]))
    return count


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--berm", default=os.path.join(TOP, "build/release/berm"), help="the program under test")
    parser.add_argument("--against", metavar="CMD", help="another sandbox command, run in front of each row; {ws}, {home} "
                        "and {out} stand for its folders")
    parser.add_argument("--only", help="rows, by id or class, with commas: F-01a,K,C")
    parser.add_argument("--way", type=lambda text: text.split(","), help="ways, with commas: root/ns,user/ll")
    parser.add_argument("--base", help="where the scratch folders go (else TMPDIR or /tmp, and /home)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--no-proof", action="store_true", help="leave out the runs without a sandbox")
    parser.add_argument("--no-slow", action="store_true", help="leave out the rows that take seconds")
    parser.add_argument("--keep", action="store_true", help="leave the scratch folders, print where they are")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument("--times", action="store_true", help="print the slowest rows")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    return parser.parse_args()


def choose(wanted, no_slow):
    names = wanted.split(",") if wanted else None
    picked = [(i, r) for i, r in enumerate(rows.ROWS) if not names or r.id in names or r.cls in names]
    return [(i, r) for i, r in picked if not (no_slow and r.slow)]


def make_bases(opts, folder):
    """Scratch folders in two places, because a path below /tmp and one below /home are not the same to a sandbox."""
    places = [opts.base] if opts.base else [tempfile.gettempdir(), "/home" if os.geteuid() == 0 else os.path.expanduser("~")]
    bases = []
    for place in places:
        if not os.access(place, os.W_OK | os.X_OK):
            continue
        base = tempfile.mkdtemp(prefix="berm-escape-", dir=place)
        os.chmod(base, 0o755)
        os.mkdir(os.path.join(base, "bin"))
        os.chmod(os.path.join(base, "bin"), 0o755)
        shutil.copy(os.path.join(folder, "attempt"), base)
        for name, program in (("berm", opts.berm), ("nouserns", os.path.join(folder, "nouserns")), ("hello32", os.path.join(folder, "hello32"))):
            if os.path.exists(program):
                shutil.copy(program, os.path.join(base, "bin", name))
        bases.append(base)
    return bases


def check_rows():
    seen = set()
    for r in rows.ROWS:
        if r.id in seen:
            raise SystemExit("two rows are called %s" % r.id)
        seen.add(r.id)
        for name in r.needs:
            if name not in needs.NEEDS:
                raise SystemExit("row %s needs %s, which needs.py does not know" % (r.id, name))


def main():
    # Whoever is started in the background by a script ignores these two, and so would all that is tested.
    for ignored in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_DFL)
    opts = options()
    for module in MODULES:
        importlib.import_module(module)
    check_rows()
    chosen = choose(opts.only, opts.no_slow)
    if opts.list:
        for _, r in chosen:
            print("%-7s %-8s %s" % (r.id, r.kind, r.title))
        print("%d rows" % len(chosen))
        return 0
    if not opts.against and not os.access(opts.berm, os.X_OK):
        raise SystemExit("run.py: there is no %s; build it first, or use --against" % opts.berm)
    os.umask(0o022)
    folder = os.path.join(TOP, "build/escape")
    build(folder)
    needs.TOOLS["folder"] = folder
    start = time.monotonic()
    identities, made = [], None
    if os.geteuid() == 0:
        made = make_user()
        identities = [Identity("root", 0, 0), made]
    else:
        identities = [Identity("user", os.getuid(), os.getgid())]
        print("not root: the ways of root are left out")
    bases = make_bases(opts, folder)
    suite = Suite(opts, bases, identities)
    try:
        suite.run(chosen)
    finally:
        for base in bases:
            if not opts.keep:
                shutil.rmtree(base, ignore_errors=True)
        if made:
            remove_user(made.name)
    columns = ["root/ns", "user/ns"] if opts.against else list(rows.WAYS)
    table(suite, chosen, [c for c in columns if any(way == c for _, way in suite.outcomes)])
    count = summary(suite, chosen)
    if opts.times:
        for name, seconds in sorted(suite.times.items(), key=lambda item: -item[1])[:25]:
            print("%7.2f s %s" % (seconds, name))
    print("%.0f s" % (time.monotonic() - start))
    print("escape: %d passed, %d failed, %d skipped" % (count["pass"], count["fail"], count["skip"]))
    return 1 if count["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
