#!/usr/bin/env python3
"""Kill tests: a process of the sandbox is killed at each step of set-up and while it runs; nothing may be left, and nothing
may have run outside of the sandbox.

Steps are found by counting system calls of all processes under ptrace (stepper.c), and by the clock. Every process of the
sandbox has the marker in its command line, berm's helper included, since it is a fork. The program writes a file that no
grant covers, if it can.

BERM_KILL_ALL=1 kills at every call, else at a sample of them. BERM_MUST_RUN=1 makes a skip a failure.
"""
import argparse
import concurrent.futures
import os
import random
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests/escape"))
from world import Identity, make_user, processes, remove_user  # noqa: E402

WAYS = {"ns": {}, "ll": {"BERM_TEST_NO_USERNS": "1"}}
SAMPLE, BY_CLOCK, PATIENCE = 24, 24, 1.0


def build(folder):
    os.makedirs(folder, exist_ok=True)
    for name in ("stepper", "agent"):
        source, target = os.path.join(HERE, name + ".c"), os.path.join(folder, name)
        if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
            flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-static", "-o", target, source]
            subprocess.run(shlex.split(os.environ.get("CC", "gcc")) + flags, check=True)


class Scene:
    """A workspace, an outside folder and a marker for one run."""

    def __init__(self, base, identity, way):
        self.base, self.identity, self.way = base, identity, way
        self.marker = "K1LL" + secrets.token_hex(8)
        self.root = tempfile.mkdtemp(prefix="k", dir=base)
        self.ws, self.proof = os.path.join(self.root, "home", "project"), os.path.join(self.root, "proof")
        self.tmp = os.path.join(self.root, "tmp")
        os.makedirs(self.ws)
        os.mkdir(self.tmp)
        shutil.copy(os.path.join(base, "agent"), self.ws)
        os.chmod(self.root, 0o755)
        if os.geteuid() == 0:
            for folder in (self.root, os.path.dirname(self.ws), self.ws, self.tmp):
                os.chown(folder, identity.uid, identity.gid)

    def env(self):
        return {"PATH": "/usr/bin:/bin", "HOME": os.path.dirname(self.ws), "USER": self.identity.login, "TMPDIR": self.tmp, **WAYS[self.way]}

    def command(self):
        return [os.path.join(self.base, "berm"), "run", "-q", "--", "./agent", self.marker, self.proof]

    def popen(self, front=()):
        return subprocess.Popen([*front, *self.command()], cwd=self.ws, env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, start_new_session=True, **self.identity.popen_args())

    def left(self):
        return [(pid, line) for pid, line in processes() if self.marker in line]

    def runs(self):
        return os.path.exists(os.path.join(self.ws, "runs"))

    def verdict(self):
        """None, or what is wrong after the kill."""
        end = time.monotonic() + PATIENCE
        while self.left() and time.monotonic() < end:
            time.sleep(0.005)
        left = self.left()
        for pid, _ in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if os.path.exists(self.proof):
            return "the program wrote outside of its grants"
        return "%d processes left: %s" % (len(left), left[0][1][:100]) if left else None

    def close(self):
        for pid, _ in self.left():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)


def finish(proc, seconds=5):
    try:
        return proc.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(proc.pid, signal.SIGKILL)
        return proc.communicate()


def proof_works(base, identity):
    """Without a sandbox the program writes the proof and survives; else the tests could not fail."""
    scene = Scene(base, identity, "ns")
    try:
        proc = subprocess.Popen(["./agent", scene.marker, scene.proof], cwd=scene.ws, start_new_session=True, **identity.popen_args())
        wait_until(lambda: len(scene.left()) == 2)
        proc.kill()
        proc.wait()
        return os.path.exists(scene.proof) and bool(scene.left())
    finally:
        scene.close()


def wait_until(test, seconds=5):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def count_calls(base, identity, way):
    scene = Scene(base, identity, way)
    try:
        out, err = finish(scene.popen([os.path.join(base, "stepper"), "0", "first"]), 10)
        words = out.decode().split()
        wrong = scene.verdict()
        if len(words) < 6 or wrong:
            return 0, 0, wrong or "stepper: %s%s" % (out.decode()[-200:], err.decode()[-200:])
        return int(words[1]), int(words[3]), None if int(words[3]) else "the program never started: %s" % err.decode()[-200:]
    finally:
        scene.close()


def at_call(base, identity, way, role, number):
    scene = Scene(base, identity, way)
    try:
        finish(scene.popen([os.path.join(base, "stepper"), str(number), role]), 10)
        return scene.verdict()
    finally:
        scene.close()


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def victim(proc, role):
    """The pid that plays the role, or None: berm, its helper, or what the helper started."""
    if role == "berm":
        return proc.pid
    helpers = children(proc.pid)
    if role == "helper":
        return helpers[-1] if helpers else None
    below = [pid for helper in helpers for pid in children(helper)]
    return below[-1] if below else None


def hit(pid, sig):
    try:
        os.kill(pid, sig)
    except OSError:
        pass


def by_clock(base, identity, way, role, delay):
    scene = Scene(base, identity, way)
    try:
        proc = scene.popen()
        end = time.perf_counter() + delay
        while time.perf_counter() < end:
            pass
        pid = victim(proc, role)
        if pid:
            hit(pid, signal.SIGKILL)
        if role == "program" or not pid:
            hit(proc.pid, signal.SIGKILL)
        finish(proc)
        return scene.verdict()
    finally:
        scene.close()


def running(base, identity, way, role, sig, stop_first=False):
    """The same when everything is up. Only the program's own end is not the end of berm."""
    scene = Scene(base, identity, way)
    try:
        proc = scene.popen()
        if not wait_until(scene.runs):
            hit(proc.pid, signal.SIGKILL)
            return "the program never started: %s" % finish(proc)[1].decode()[-200:]
        pid = victim(proc, role)
        if not pid:
            hit(proc.pid, signal.SIGKILL)
            finish(proc)
            return "nobody plays %s" % role
        if stop_first:
            hit(pid, signal.SIGSTOP)
        hit(pid, sig)
        if sig != signal.SIGKILL:
            wait_until(lambda: proc.poll() is not None, 3)
        finish(proc)
        return scene.verdict()
    finally:
        scene.close()


def stopped_program(base, identity, way):
    """The program is stopped when berm is killed: it can handle no signal but one."""
    scene = Scene(base, identity, way)
    try:
        proc = scene.popen()
        if not wait_until(scene.runs):
            hit(proc.pid, signal.SIGKILL)
            return "the program never started: %s" % finish(proc)[1].decode()[-200:]
        for pid, line in scene.left():
            if line.startswith("./agent"):
                hit(pid, signal.SIGSTOP)
        hit(proc.pid, signal.SIGKILL)
        finish(proc)
        return scene.verdict()
    finally:
        scene.close()


def sample(total, everything):
    """Calls to kill at: all, or some spread evenly, more densely towards the end where the processes are."""
    if everything or total <= SAMPLE:
        return range(1, total + 1)
    return sorted({1 + i * total // SAMPLE for i in range(SAMPLE)} | set(range(max(1, total - 8), total + 1)))


def cases(base, identity, way, everything):
    """(name, function, arguments) of one configuration; counting comes first."""
    calls, exec_at, wrong = count_calls(base, identity, way)
    name = "%s/%s" % (identity.kind, way)
    yield name + " counting run", (lambda: wrong), ()
    if wrong:
        return
    print("%s: %d system calls in all, the program starts after %d" % (name, calls, exec_at), flush=True)
    for role in ("first", "helper", "caller"):
        for number in sample(calls, everything):
            yield "%s %s killed at call %d" % (name, role, number), at_call, (base, identity, way, role, number)
    rng = random.Random(identity.uid * 2 + len(way))
    for i in range(BY_CLOCK):
        role = ("berm", "helper", "program")[i % 3]
        delay = rng.uniform(0, 0.006)
        yield "%s %s killed after %.2f ms" % (name, role, delay * 1000), by_clock, (base, identity, way, role, delay)
    for role in ("berm", "helper", "program"):
        yield "%s %s killed while running" % (name, role), running, (base, identity, way, role, signal.SIGKILL)
    yield "%s helper stopped, then killed" % name, running, (base, identity, way, "helper", signal.SIGKILL, True)
    yield "%s berm killed, program stopped" % name, stopped_program, (base, identity, way)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("berm", nargs="?", default=os.path.join(TOP, "build/release/berm"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--way", help="one of root/ns, root/ll, user/ns, user/ll")
    parser.add_argument("-v", "--verbose", action="store_true")
    opts = parser.parse_args()
    start = time.monotonic()
    folder = os.path.join(TOP, "build/kill")
    build(folder)
    base = tempfile.mkdtemp(prefix="berm-kill-")
    os.chmod(base, 0o755)
    for name, program in (("stepper", os.path.join(folder, "stepper")), ("agent", os.path.join(folder, "agent")), ("berm", opts.berm)):
        shutil.copy(program, os.path.join(base, name))
    made = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), made] if made else [Identity("user", os.getuid(), os.getgid())]
    passed, failed, skipped = 0, 0, 0
    if not made:
        print("skip: not root, the ways of root are left out")
        skipped += 1
    everything = os.environ.get("BERM_KILL_ALL") == "1"
    try:
        for identity in identities:
            if not proof_works(base, identity):
                print("FAIL %s: without a sandbox the program must write its proof and stay" % identity.kind)
                failed += 1
        with concurrent.futures.ThreadPoolExecutor(opts.jobs) as pool:
            work = [(name, pool.submit(function, *args)) for identity in identities for way in WAYS
                    if not opts.way or opts.way == "%s/%s" % (identity.kind, way) for name, function, args in cases(base, identity, way, everything)]
            for name, future in work:
                wrong = future.result()
                passed, failed = passed + (not wrong), failed + bool(wrong)
                if wrong or opts.verbose:
                    print("%s %s%s" % ("FAIL" if wrong else "ok  ", name, ": " + wrong if wrong else ""), flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        if made:
            remove_user(made.name)
    if os.environ.get("BERM_MUST_RUN") == "1":
        failed, skipped = failed + skipped, 0
    print("%.0f s" % (time.monotonic() - start))
    print("kill: %d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
