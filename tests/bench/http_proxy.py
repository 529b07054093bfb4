#!/usr/bin/env python3
"""http_proxy.py CORE.a [ROUNDS]: requests on connections that are kept alive, through @egress, tinyproxy and squid, each round in
another order, as a table in Markdown; what an idle connection of @egress takes. The proxies are those of the distribution; who is
not installed is left out. Decides nothing."""
import os
import random
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CONNECTIONS, MILLISECONDS, IDLE = 32, 1500, 5000
LIBRARIES = shlex.split(os.environ.get("LIBS", "-lyaml -lmd -lcares"))
TICKS = os.sysconf("SC_CLK_TCK")


def build(core, folder):
    program = os.path.join(folder, "http_proxy")
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-I" + os.path.join(TOP, "include"), "-I" + os.path.join(TOP, "src"), "-O2",
             "-Wall", "-Wextra", "-o", program, os.path.join(HERE, "http_proxy.c"), core]
    subprocess.run(shlex.split(os.environ.get("CC", "gcc")) + flags + LIBRARIES, check=True)
    return program


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("nothing listens on %d" % port)


class Proxy:
    """One proxy that runs: its port, and the processes whose time counts."""

    def __init__(self, name, argv, port=None):
        self.name = name
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        if port is None:
            self.port = int(self.process.stdout.readline())
            self.pid = int(self.process.stdout.readline())
        else:
            self.port, self.pid = port, self.process.pid
        wait_for(self.port)

    def pids(self):
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.belongs(pid)]

    def belongs(self, pid):
        try:
            return os.getsid(pid) == self.process.pid
        except ProcessLookupError:
            return False

    def seconds(self):
        """Of processor time, so far."""
        total = 0
        for pid in self.pids():
            with open("/proc/%d/stat" % pid) as file:
                words = file.read().rsplit(")", 1)[1].split()
            total += int(words[11]) + int(words[12])
        return total / TICKS

    def memory(self):
        with open("/proc/%d/status" % self.pid) as file:
            return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def tinyproxy(folder):
    port = free_port()
    config = write(folder, "tinyproxy.conf", "Port %d\nListen 127.0.0.1\nMaxClients 2000\nLogLevel Critical\nLogFile \"%s\"\n" % (port, os.path.join(folder, "log")))
    return Proxy("tinyproxy", ["tinyproxy", "-d", "-c", config], port)


def squid(folder):
    """One process, nothing cached, nothing logged: the least that it can do."""
    port = free_port()
    os.chmod(folder, 0o777)
    config = write(folder, "squid.conf", "http_port 127.0.0.1:%d\nhttp_access allow all\ncache deny all\naccess_log none\ncache_log /dev/null\ncache_mem 0\n"
                   "cache_store_log none\npid_filename none\nvia off\nforwarded_for delete\npinger_enable off\ncoredump_dir %s\n" % (port, folder))
    return Proxy("squid", ["squid", "-N", "-f", config], port)


def measure(program, proxy, origin):
    """(requests a second, requests a second of processor time, p50, p99)"""
    before = proxy.seconds()
    words = [program, "load", str(proxy.port), origin, str(CONNECTIONS), str(MILLISECONDS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    spent = proxy.seconds() - before
    rate, p50, p99 = map(float, done[:3])
    return rate, rate * MILLISECONDS / 1000 / max(spent, 1 / TICKS), p50, p99


def rounds_of(program, proxies, origin, rounds):
    numbers = {proxy.name: [] for proxy in proxies}
    order, rng = list(proxies), random.Random(3)
    for _ in range(rounds):
        rng.shuffle(order)
        for proxy in order:
            numbers[proxy.name].append(measure(program, proxy, origin))
    return numbers


def median(values):
    return statistics.median(list(values))


def print_table(numbers):
    mine = numbers["@egress"]
    print("| proxy | requests a second | of processor time | p50 | p99 | @egress against it | by processor time |")
    print("|---|---|---|---|---|---|---|")
    for name, theirs in numbers.items():
        ratios = [median(a[i] / b[i] for a, b in zip(mine, theirs)) for i in (0, 1)]
        columns = [median(row[i] for row in theirs) for i in range(4)]
        print("| %s | %.0f | %.0f | %.0f µs | %.0f µs | **%.2f** | %.2f |" % (name, *columns, *ratios))


def print_idle(program, proxy, origin):
    before = proxy.memory()
    with subprocess.Popen([program, "idle", str(proxy.port), origin, str(IDLE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
        if idle.stdout.readline() == b"ready\n":
            print("\nAn idle connection, with its upstream: %.1f KiB of @egress's memory (%d of them)." % ((proxy.memory() - before) / IDLE, IDLE))
        idle.stdin.close()


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with tempfile.TemporaryDirectory() as folder:
        program = build(sys.argv[1], folder)
        server = subprocess.Popen([program, "origin"], stdout=subprocess.PIPE, text=True)
        origin = server.stdout.readline().strip()
        proxies = [Proxy("@egress", [program, "egress"])]
        proxies += [make(folder) for name, make in (("tinyproxy", tinyproxy), ("squid", squid)) if shutil.which(name)]
        try:
            print_table(rounds_of(program, proxies, origin, rounds))
            print_idle(program, proxies[0], origin)
        finally:
            for proxy in proxies:
                proxy.end()
            server.terminate()
    return 0


sys.exit(main())
