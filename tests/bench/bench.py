#!/usr/bin/env python3
"""Figures of berm against a yardstick, a peer and nothing at all, as a table in Markdown. Decides nothing.

Everything runs as an ordinary user (made for it when the caller is root), in a folder on disk that is taken away again.
"""
import argparse
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests/escape")]
from world import make_user, remove_user  # noqa: E402
from timing import Command, Failed, median, output, paired, paired_numbers, ratio  # noqa: E402

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LANDLOCK = {"BERM_TEST_NO_USERNS": "1"}
BACKENDS = (("namespaces", {}), ("landlock", LANDLOCK))


class Bench:
    """Where everything is, and the rows of the table."""

    def __init__(self, base, quick):
        self.base, self.quick = base, quick
        self.bin, self.ws = os.path.join(base, "bin"), os.path.join(base, "home", "project")
        self.home = os.path.dirname(self.ws)
        self.log = os.path.join(base, "log")
        self.env = {"PATH": PATH, "HOME": self.home, "USER": os.environ.get("USER", "user"), "LANG": "C.UTF-8", "TERM": "dumb"}

    def tool(self, name):
        return os.path.join(self.bin, name)

    def berm(self, *argv, flags=()):
        return [self.tool("berm"), "run", "-q", *flags, "--", *argv]

    def rounds(self, many):
        return max(5, many // 6) if self.quick else many

    def say(self, line):
        print(line, flush=True)
        with open(os.path.join(self.home, "table.md"), "a") as file:
            file.write(line + "\n")

    def add(self, measure, value, target, how):
        self.say("| %s | %s | %s | `%s` |" % (measure, value, target, how))

    def compare(self, measure, commands, rounds, pairs, how):
        """Times the commands; pairs are (berm's name, the other's name, target)."""
        times = paired(commands, self.rounds(rounds), self.env, self.log)
        for ours, other, target in pairs:
            middle, low, high = ratio(times[ours], times[other])
            text = "**%.2f** (%.2f to %.2f; %.2f ms / %.2f ms)" % (middle, low, high, median(times[ours]), median(times[other]))
            self.add("%s, %s against %s" % (measure, ours, other), text, "≤ %s" % target if target else "", how)
        return times


# ---- start ----

def start(b):
    nothing = os.path.join(b.ws, "probe")
    for i in range(8):
        open(os.path.join(b.ws, "m%d" % i), "w").close()
    commands = [Command("berm", b.berm(nothing, "nothing")),
                Command("reference", [b.tool("reference"), "namespaces", b.ws, nothing, "nothing"]),
                Command("bare", [nothing, "nothing"])]
    pairs = [("berm", "reference", "1.15"), ("berm", "bare", "3.7")]
    if shutil.which("bwrap", path=PATH):
        peer = "bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all --die-with-parent"
        commands.append(Command("bwrap", shlex.split(peer) + [nothing, "nothing"]))
        pairs.insert(1, ("berm", "bwrap", "0.72"))
    b.compare("start to exit of an empty static program, namespaces", commands, 150, pairs, "berm run -q -- ./probe nothing")
    commands = [Command("berm", b.berm(nothing, "nothing"), LANDLOCK), Command("reference", [b.tool("reference"), "landlock", b.ws, nothing, "nothing"]),
                Command("bare", [nothing, "nothing"])]
    b.compare("the same, without namespaces", commands, 150, [("berm", "reference", "1.3"), ("berm", "bare", "")], "BERM_TEST_NO_USERNS=1 berm run -q -- ./probe nothing")


def rules(b):
    """Once as policies are that were learned, lines below lines; once with no line below another, where the kernel gets each."""
    folder = os.path.join(b.base, "rules")
    nested, apart = [], []
    for i in range(5000):
        path = os.path.join(folder, "d%d" % (i % 50), "f%d" % i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
        apart += ["-r", path]
        nested += ["-r", path if i >= 50 else os.path.dirname(path)]
    nothing = os.path.join(b.ws, "probe")
    for name, env in BACKENDS:
        commands = [Command("5,000 lines", b.berm(nothing, "nothing", flags=nested), env),
                    Command("5,000 files apart", b.berm(nothing, "nothing", flags=apart), env), Command("none", b.berm(nothing, "nothing"), env)]
        b.compare("start with lines in the policy, %s" % name, commands, 30, [("5,000 lines", "none", "2"), ("5,000 files apart", "none", "")],
                  "berm run -q -r PATH1 ... -r PATH5000 -- ./probe nothing")


# ---- calls ----

def calls(b):
    probe, data = os.path.join(b.ws, "probe"), os.path.join(b.ws, "data")
    open(data, "w").close()
    count = str(20000 if b.quick else 100000)
    words = [probe, "open", data, count]
    runs = {"layer": lambda: float(output([b.tool("reference"), "layer", b.ws, *words], b.env)), "bare": lambda: float(output(words, b.env))}
    for name, env in BACKENDS:
        runs[name] = lambda env=env: float(output(b.berm(*words), {**b.env, **env}))
    numbers = paired_numbers(runs, b.rounds(30))
    for name, _ in BACKENDS:
        middle, low, high = ratio(numbers[name], numbers["layer"])
        b.add("open and close of a granted file, %s against one Landlock layer" % name,
              "**%.2f** (%.2f to %.2f; %.0f ns / %.0f ns; bare %.0f ns)" % (middle, low, high, median(numbers[name]), median(numbers["layer"]), median(numbers["bare"])),
              "≤ 1.05", "berm run -q -- ./probe open FILE N")


def behalf(b):
    probe = os.path.join(b.ws, "probe")
    folder = os.path.join(b.ws, "calls")
    os.makedirs(folder, exist_ok=True)
    for name in ("file", "one"):
        open(os.path.join(folder, name), "w").close()
    count = str(1000 if b.quick else 5000)
    for what, path, on_behalf in (("write", folder + "/file", 1), ("create", folder, 2), ("rename", folder, 1)):
        words = [probe, what, path, count]
        runs = {"bare": lambda words=words: float(output(words, b.env))}
        for name, env in BACKENDS:
            runs[name] = lambda words=words, env=env: float(output(b.berm(*words), {**b.env, **env}))
        numbers = paired_numbers(runs, b.rounds(12))
        for name, _ in BACKENDS:
            added = (median(numbers[name]) - median(numbers["bare"])) / on_behalf / 1000
            b.add("a call on behalf: %s, %s" % (what, name), "%.1f µs more than bare (%.1f µs)" % (added, median(numbers["bare"]) / 1000), "printed",
                  "berm run -q -- ./probe %s PATH N" % what)


# ---- work ----

def bare_and_both(b, measure, words, rounds, target, prepare=None, flags=(), how=None):
    commands = [Command("bare", words, prepare=prepare)]
    commands += [Command(name, b.berm(*words, flags=flags), env, prepare) for name, env in BACKENDS]
    b.compare(measure, commands, rounds, [(name, "bare", target) for name, _ in BACKENDS], how or "berm run -q -- " + " ".join(words)[:70])


def compile_c(b):
    folder = os.path.join(b.ws, "c")
    os.makedirs(folder + "/o", exist_ok=True)
    for i in range(100):
        with open("%s/f%d.c" % (folder, i), "w") as file:
            file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
                "int f%d_%d(int x) { char s[64]; snprintf(s, sizeof s, \"%%d\", x); return (int)strlen(s) + atoi(s) * %d; }\n" % (i, j, j) for j in range(20)))
    with open(folder + "/Makefile", "w") as file:
        file.write("OBJ = $(patsubst %.c,o/%.o,$(wildcard *.c))\nall: $(OBJ)\no/%.o: %.c\n\tgcc -O1 -c -o $@ $<\n")
    bare_and_both(b, "gcc of 100 files", ["make", "-s", "-B", "-C", folder], 8, "1.06", how="berm run -q -- make -s -B -C c")


def make_tree(folder, files, size):
    for i in range(files):
        path = os.path.join(folder, "d%02d" % (i % 100), "e%d" % (i // 100 % 10), "f%d.txt" % i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(("line %d\n" % i) * size)


def git(b):
    files = 2000 if b.quick else 20000
    repo, copy = os.path.join(b.ws, "repo"), os.path.join(b.ws, "copy")
    make_tree(repo, files, 8)
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x"], ["repack", "-adq"], ["status"]):
        output(["git", "-C", repo, *words], b.env)
    bare_and_both(b, "git status on %d files" % files, ["git", "-C", repo, "status", "--porcelain"], 30, "1.06", how="berm run -q -- git -C repo status")
    bare_and_both(b, "git clone of %d files" % files, ["git", "clone", "-q", "--no-hardlinks", repo, copy], 8, "1.2",
                  prepare=lambda: shutil.rmtree(copy, ignore_errors=True), how="berm run -q -- git clone -q --no-hardlinks repo copy")
    shutil.rmtree(copy, ignore_errors=True)


def python_start(b):
    bare_and_both(b, "python start", ["/usr/bin/python3", "-c", "pass"], 60, "1.06")
    bare_and_both(b, "python start with imports", ["/usr/bin/python3", "-c", "import json, asyncio, http.client, sqlite3, email"], 40, "")


def tar(b):
    files = 1000 if b.quick else 10000
    source, archive, out = os.path.join(b.ws, "src"), os.path.join(b.ws, "a.tar"), os.path.join(b.ws, "out")
    make_tree(source, files, 16)
    output(["tar", "cf", archive, "-C", source, "."], b.env)

    def fresh():
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
    bare_and_both(b, "tar, unpacking %d files" % files, ["tar", "xf", archive, "-C", out], 10, "1.2", prepare=fresh, how="berm run -q -- tar xf a.tar -C out")
    shutil.rmtree(out, ignore_errors=True)


def npm(b):
    primed = os.path.join(b.base, "npm")
    if not os.path.isdir(os.path.join(primed, "cache")):
        raise Failed("no primed package cache; run tests/bench/prime once where a registry can be reached")
    folder, modules = os.path.join(b.ws, "npm"), os.path.join(b.ws, "npm", "node_modules")
    shutil.copytree(primed, folder, dirs_exist_ok=True)
    words = ["npm", "ci", "--prefix", folder, "--offline", "--cache", folder + "/cache", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier"]
    with open(folder + "/package-lock.json") as file:
        packages = len(re.findall(r'^    "node_modules/', file.read(), re.M))
    bare_and_both(b, "npm ci of %d packages, offline" % packages, words, 6, "1.2", prepare=lambda: shutil.rmtree(modules, ignore_errors=True),
                  how="berm run -q -- npm ci --offline")


# ---- memory ----

def family(pid):
    found = [pid]
    for one in found:
        try:
            with open("/proc/%d/task/%d/children" % (one, one)) as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def field(pid, name, path="status"):
    """Kilobytes of one line; 0 if it cannot be read."""
    try:
        with open("/proc/%d/%s" % (pid, path)) as file:
            match = re.search(r"^%s:\s*(\d+)" % name, file.read(), re.M)
            return int(match.group(1)) if match else 0
    except OSError:
        return 0


def start_staying(b, env):
    proc = subprocess.Popen(b.berm(os.path.join(b.ws, "probe"), "stay"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=b.ws, env={**b.env, **env})
    return proc


def stop(procs):
    for proc in procs:
        proc.stdin.close()
    for proc in procs:
        try:
            proc.wait(20)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
        proc.stdout.close()


def memory(b):
    for name, env in BACKENDS:
        proc = start_staying(b, env)
        proc.stdout.readline()
        own = [pid for pid in family(proc.pid) if not is_program(pid)]
        peak, now = sum(field(pid, "VmHWM") for pid in own), sum(field(pid, "VmRSS") for pid in own)
        anon = sum(field(pid, "RssAnon") for pid in own)
        stop([proc])
        b.add("peak memory of berm's %d processes together, %s" % (len(own), name), "**%.2f MB** (now %.2f MB, of that not shared with a file %.2f MB)" % (
            peak / 1024, now / 1024, anon / 1024), "≤ 2.5 MB", "berm run -q -- ./probe stay")


def is_program(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().split(b"\0")[1:2] == [b"stay"]
    except OSError:
        return True


def available():
    with open("/proc/meminfo") as file:
        return int(re.search(r"MemAvailable:\s*(\d+)", file.read()).group(1))


def crowd(b):
    count = 50 if b.quick else 500
    for name, env in BACKENDS:
        before, began, procs = available(), time.monotonic(), []
        try:
            for _ in range(count):
                procs.append(start_staying(b, env))
            up = sum(proc.stdout.readline() == b"up\n" for proc in procs)
            took = time.monotonic() - began
            used = (before - available()) / count
        finally:
            stop(procs)
        b.add("%d sandboxes alive at once, %s" % (count, name), "%d up after %.1f s; %.0f KiB of memory each" % (up, took, used), "all", "berm run -q -- ./probe stay, %d times" % count)


# ---- instructions ----

def instructions(b):
    """Of the caller alone, from its start to the end of the run: the policy, the plan, what is made before the fork."""
    if not shutil.which("valgrind", path=PATH):
        raise Failed("valgrind is not installed")
    for title, flags in (("no rule", []), ("5,000 rules", [w for i in range(5000) for w in ("-r", os.path.join(b.base, "rules", "d%d" % (i % 50), "f%d" % i))])):
        words = ["valgrind", "--tool=callgrind", "--child-silent-after-fork=yes", "--callgrind-out-file=/dev/null",
                 b.tool("berm"), "run", "-q", *flags, "--", os.path.join(b.ws, "probe"), "nothing"]
        done = subprocess.run(words, capture_output=True, text=True, env=b.env, cwd=b.ws, stdin=subprocess.DEVNULL)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            raise Failed("callgrind: %s" % done.stderr[-160:].strip())
        b.add("instructions of the caller, start to end, %s" % title, "%.2f million" % (int(found.group(1)) / 1e6), "printed",
              "valgrind --tool=callgrind --child-silent-after-fork=yes berm run -q -- ./probe nothing")


MEASURES = (start, rules, calls, behalf, python_start, compile_c, git, tar, npm, memory, crowd, instructions)


def run(base, quick, only):
    b = Bench(base, quick)
    os.chdir(b.ws)
    b.say("| measure | berm | target | command |\n|---|---|---|---|")
    for measure in MEASURES:
        if only and measure.__name__ not in only:
            continue
        try:
            measure(b)
        except Failed as error:
            b.say("| %s | left out: %s | | |" % (measure.__name__, str(error).replace("\n", " ")))


def machine():
    with open("/proc/cpuinfo") as file:
        name = re.search(r"model name\s*:\s*(.*)", file.read())
    return "%s, %d processors, Linux %s" % (name.group(1) if name else platform.machine(), os.cpu_count(), platform.release())


def build(folder):
    os.makedirs(folder, exist_ok=True)
    for name in ("reference", "probe"):
        flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-static", "-o", os.path.join(folder, name), os.path.join(HERE, name + ".c")]
        subprocess.run(shlex.split(os.environ.get("CC", "gcc")) + flags, check=True)


def prepare(folder, berm, place):
    base = tempfile.mkdtemp(prefix="berm-bench-", dir=place)
    os.chmod(base, 0o755)
    os.makedirs(os.path.join(base, "bin"))
    os.makedirs(os.path.join(base, "home", "project"))
    for name, program in (("reference", os.path.join(folder, "reference")), ("berm", berm)):
        shutil.copy(program, os.path.join(base, "bin", name))
    shutil.copy(os.path.join(folder, "probe"), os.path.join(base, "home", "project"))
    if os.path.isdir(os.path.join(folder, "npm")):
        shutil.copytree(os.path.join(folder, "npm"), os.path.join(base, "npm"))
    return base


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("berm", nargs="?", default=os.path.join(TOP, "build/release/berm"))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller trees")
    parser.add_argument("--only", help="measures by name, with commas: " + ",".join(m.__name__ for m in MEASURES))
    parser.add_argument("--write", metavar="FILE", help="put the table between the marks of this document as well")
    parser.add_argument("--place", default="/home" if os.geteuid() == 0 else os.path.expanduser("~"), help="a folder on disk for the scratch tree")
    opts = parser.parse_args()
    only = opts.only.split(",") if opts.only else None
    folder = os.path.join(TOP, "build/bench")
    build(folder)
    base = prepare(folder, opts.berm, opts.place)
    user = make_user() if os.geteuid() == 0 else None
    try:
        print("%s\n" % machine(), flush=True)
        if user:
            subprocess.run(["chown", "-R", "%d:%d" % (user.uid, user.gid), base], check=True)
        status = as_user(user, lambda: run(base, opts.quick, only))
        if opts.write and status == 0:
            write_table(opts.write, os.path.join(base, "home", "table.md"))
        return status
    finally:
        shutil.rmtree(base, ignore_errors=True)
        if user:
            remove_user(user.name)


MARKS = ("<!-- table: make bench -->\n", "<!-- end of table -->\n")


def write_table(document, table):
    with open(document) as file:
        before, rest = file.read().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
    with open(table) as file:
        text = file.read()
    with open(document, "w") as file:
        file.write(before + MARKS[0] + "\n%s\n\n%s\n" % (machine(), text) + MARKS[1] + after)


def as_user(user, work):
    """In a child that has become the user, if there is one; gives its status."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        if user:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            os.environ["USER"] = user.login
        work()
        status = 0
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
