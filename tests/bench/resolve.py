#!/usr/bin/env python3
"""resolve.py CORE.a: what it takes to load, merge and resolve policies, as a table in Markdown: instructions counted by
callgrind, and time. Decides nothing."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
KINDS = (("default", "the default profile", "≤ 1 ms"), ("lines", "5,000 lines: grants, denials, patterns", "≤ 20 ms"),
         ("files", "5,000 grants that lie apart", "≤ 20 ms"), ("globs", "1,500 grants, 750 patterns in the same folder", ""),
         ("trees", "2,500 granted folders, 2,500 patterns that could match in each", "≤ 20 ms"))


def build(core, folder):
    program = os.path.join(folder, "resolve")
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-I" + os.path.join(TOP, "include"), "-I" + os.path.join(TOP, "src"), "-O2",
             "-Wall", "-Wextra", "-o", program, os.path.join(HERE, "resolve.c"), core, "-lyaml", "-lmd"]
    subprocess.run(shlex.split(os.environ.get("CC", "gcc")) + flags, check=True)
    return program


def instructions(program, kind):
    """Of one round: what a second one adds."""
    totals = []
    for rounds in (1, 2):
        words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, kind, str(rounds)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        totals.append(int(re.search(r"Collected : (\d+)", done.stderr).group(1)))
    return totals[1] - totals[0]


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = build(sys.argv[1], folder)
        print("| load, merge and resolve | instructions | time, the best of 21 | the middle | target |\n|---|---|---|---|---|")
        for kind, title, target in KINDS:
            best, middle = subprocess.run([program, kind, "21"], capture_output=True, text=True, check=True).stdout.split()
            count = instructions(program, kind)
            print("| %s | %.2f million | **%.2f ms** | %.2f ms | %s |" % (title, count / 1e6, int(best) / 1000, int(middle) / 1000, target), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
