"""Paired timing: commands are run in turn, in another order each round, and compared round by round, so that a machine
whose speed drifts does not lie."""
import os
import random
import statistics
import subprocess
import time


class Failed(Exception):
    """A command of the bench did not end well; its measure is left out, with the reason."""


class Command:
    """One command line. prepare() is run before each round and not timed."""

    def __init__(self, name, argv, env=None, prepare=None):
        self.name, self.argv, self.env, self.prepare = name, argv, env, prepare


def spawn(command, env, log):
    """Milliseconds from start to exit."""
    if command.prepare:
        command.prepare()
    null = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
    whole = {**env, **(command.env or {})}
    start = time.perf_counter()
    pid = os.posix_spawnp(command.argv[0], command.argv, whole, file_actions=null)
    status = os.waitpid(pid, 0)[1]
    took = (time.perf_counter() - start) * 1000
    if status:
        with open(log, errors="replace") as file:
            raise Failed("%s ended with %s: %s" % (" ".join(command.argv)[:80], os.waitstatus_to_exitcode(status), file.read()[-160:].strip()))
    return took


def paired(commands, rounds, env, log, warm=2):
    """{name: [milliseconds]}, all lists of the same length."""
    times = {command.name: [] for command in commands}
    order = list(commands)
    rng = random.Random(1)
    for number in range(rounds + warm):
        rng.shuffle(order)
        for command in order:
            took = spawn(command, env, log)
            if number >= warm:
                times[command.name].append(took)
    return times


def paired_numbers(runs, rounds):
    """The same for programs that time themselves: runs is {name: function that gives a number}."""
    numbers = {name: [] for name in runs}
    order = list(runs)
    rng = random.Random(2)
    for _ in range(rounds):
        rng.shuffle(order)
        for name in order:
            numbers[name].append(runs[name]())
    return numbers


def ratio(first, second):
    """The median of the ratios of each round, and how far the middle half of them lies apart."""
    ratios = sorted(a / b for a, b in zip(first, second))
    quarter = len(ratios) // 4
    return statistics.median(ratios), ratios[quarter], ratios[-1 - quarter]


def median(values):
    return statistics.median(values)


def output(argv, env, cwd=None):
    done = subprocess.run(argv, capture_output=True, text=True, env=env, cwd=cwd, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failed("%s ended with %s: %s" % (" ".join(argv)[:80], done.returncode, done.stderr[-160:].strip()))
    return done.stdout
