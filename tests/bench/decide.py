#!/usr/bin/env python3
"""decide.py CORE.a: what one decision of the index costs beside a scan over all lines, as a table in Markdown: instructions
counted by callgrind, and time. Decides nothing."""
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
KINDS = (("name", "a host by its name"), ("wildcard", "a host by `**.deepN.example.net`"), ("denied", "a host by a denial with a wildcard"),
         ("unknown", "a host that no line names"), ("address", "an address in a network"), ("request", "a request by host, method and path"),
         ("command", "a command by `toolN push **`"))
SIZES = (100, 5000)


def build(core, folder):
    program = os.path.join(folder, "decide")
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-I" + os.path.join(TOP, "include"), "-I" + os.path.join(TOP, "src"), "-O2",
             "-Wall", "-Wextra", "-o", program, os.path.join(HERE, "decide.c"), core]
    subprocess.run(shlex.split(os.environ.get("CC", "gcc")) + flags, check=True)
    return program


def output(words, count):
    return subprocess.run([*words, str(count)], capture_output=True, text=True, check=True).stdout.split()


def instructions(words, count):
    """Of one decision: what more decisions add."""
    totals = []
    for times in (count, 2 * count):
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        done = subprocess.run([*tool, *words, str(times)], capture_output=True, text=True, check=True)
        totals.append(int(re.search(r"Collected : (\d+)", done.stderr).group(1)))
    return (totals[1] - totals[0]) / count


def nanoseconds(words, count):
    return statistics.median(float(output(words, count)[0]) for _ in range(9))


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = build(sys.argv[1], folder)
        print("| one decision | instructions, 100 lines | 5,000 lines | the scan, 5,000 lines | scan against index | time, 5,000 lines |")
        print("|---|---|---|---|---|---|")
        for kind, title in KINDS:
            few, many = (instructions([program, str(size), kind, "index"], 200) for size in SIZES)
            scan = instructions([program, str(SIZES[1]), kind, "scan"], 4)
            took = nanoseconds([program, str(SIZES[1]), kind, "index"], 200000)
            print("| %s | %d | %d | %d | **%d** | %.2f µs |" % (title, few, many, scan, scan / many, took / 1000), flush=True)
        made = sorted(float(output([program, str(SIZES[1]), "name", "index"], 0)[2]) for _ in range(9))
        size = int(output([program, str(SIZES[1]), "name", "index"], 0)[1])
        print("\nThe index of 5,000 lines takes %.1f MiB and %.1f ms to make." % (size / 2**20, made[len(made) // 2] / 1000))
    return 0


if __name__ == "__main__":
    sys.exit(main())
