"""Exit statuses and signals."""
import os
import signal
import time

from harness import BERM, equal, test_ways, true


@test_ways
def the_programs_own_status(place):
    for code in (0, 1, 2, 3, 42, 123, 124, 125, 126, 127, 128, 200, 255):
        result = place.sh(f"exit {code}")
        equal(result.status, code)
        equal((result.out, result.err), ("", ""))


@test_ways
def signals_are_128_and_their_number(place):
    for name, number in (("TERM", 15), ("KILL", 9), ("INT", 2), ("SEGV", 11), ("ABRT", 6), ("USR1", 10)):
        equal(place.sh(f"kill -{name} $$").status, 128 + number, name)


@test_ways
def not_found_and_not_executable(place):
    result = place.run("no-such-program")
    equal(result.status, 127)
    true(result.err.startswith("berm: execute 'no-such-program': "), repr(result))
    equal(place.run("./missing").status, 127)
    place.file("home/work/data", "text")
    result = place.run("./data")
    equal(result.status, 126)
    true("./data" in result.err and result.err.startswith("berm: "), repr(result))
    equal(place.run("/").status, 126)


@test_ways
def the_time_limit(place):
    begin = time.monotonic()
    result = place.sh("sleep 50 & sleep 60", "--timeout", "300ms")
    equal(result.status, 124)
    true(time.monotonic() - begin < 20, "took too long")
    equal(result.err, "berm: time limit reached: everything in the sandbox was ended\n")
    equal(place.sh("sleep 60", "-q", "--limit", "wall=300ms").err, "")
    place.sh("true", "--timeout", "1h").ok()


@test_ways
def denials_can_fail_a_run(place):
    script = "mkdir -p .git && echo x 2>/dev/null >.envrc; exit 0"
    place.sh(script).ok()
    result = place.sh(script, "--fail-on-deny")
    equal(result.status, 123, repr(result))
    equal(place.sh(script + "5", "--fail-on-deny").status, 5)
    place.sh("true", "--fail-on-deny").ok()


@test_ways
def a_line_that_cannot_be_held_starts_nothing(place):
    if place.way.namespaces:
        return
    result = place.sh("touch ran", "--backend", "namespaces")
    equal(result.status, 125)
    true(result.err.startswith("berm: "), repr(result))
    true(not os.path.exists(os.path.join(place.work, "ran")), "it ran")


def started(place, script, *options):
    """A script in a sandbox that has said "ready"."""
    process = place.start([BERM, "run", *options, "--", "/bin/sh", "-c", script])
    equal(process.stdout.readline(), b"ready\n")
    return process


@test_ways
def signals_go_to_the_program(place):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
        process = started(place, f"trap 'echo got; exit 7' {number}; echo ready; while :; do sleep 0.05; done")
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        equal((out, process.returncode), (b"got\n", 7), str(number))


@test_ways
def a_signal_that_the_program_does_not_take_ends_it(place):
    process = started(place, "echo ready; exec sleep 60")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    equal(process.returncode, 143)


@test_ways
def what_ignores_the_signal_goes_on(place):
    process = started(place, "trap '' TERM; echo ready; read line; echo $line")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(b"still here\n", timeout=30)
    equal((out, process.returncode), (b"still here\n", 0))


def alive(marker):
    """Processes with the marker in their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def gone(marker):
    for _ in range(200):
        if not alive(marker):
            return True
        time.sleep(0.05)
    return False


@test_ways
def the_sandbox_ends_with_berm(place):
    marker = f"97531.{os.getpid()}"
    process = started(place, f"(setsid sleep {marker} &); sleep {marker} & echo ready; wait")
    process.kill()
    process.communicate(timeout=30)
    true(gone(marker), f"left over: {alive(marker)}")


@test_ways
def what_is_left_ends_with_the_program(place):
    marker = f"97532.{os.getpid()}"
    begin = time.monotonic()
    place.sh(f"(setsid sleep {marker} >/dev/null 2>&1 &); sleep {marker} >/dev/null 2>&1 & exit 0").ok()
    true(time.monotonic() - begin < 20, "waited for what was left")
    true(gone(marker), f"left over: {alive(marker)}")
