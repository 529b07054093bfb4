#!/usr/bin/env python3
"""The network filter with real clients and real servers, in a network of the suite's own, in which nothing leaves the machine.

As root the suite runs as root and as an ordinary user. BERM_MUST_RUN=1 makes a skip a failure; --only WORD runs the rows whose
names have it.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests/escape"))
sys.path.insert(0, HERE)
import servers  # noqa: E402
from servers import DNS, OTHER, PRIVATE, RAW, WEB  # noqa: E402
from world import PATH, Identity, can_have_namespaces, make_user, place_of_tests, remove_user  # noqa: E402

TIMEOUT = 20
ROWS = []
WEB_OK = "hello / from web.example.org " + WEB


class Skip(Exception):
    pass


def row(*needs, ways=("namespaces",)):
    def add(function):
        ROWS.append((function.__name__.replace("_", " "), function, needs, ways))
        return function
    return add


def equal(found, expected, what):
    if found != expected:
        raise AssertionError("%s: %r, not %r" % (what, found, expected))


def has(text, part):
    if part not in text:
        raise AssertionError("%r is not in %r" % (part, text[-1500:]))


def lacks(text, part):
    if part in text:
        raise AssertionError("%r is in %r" % (part, text[-1500:]))


class Place:
    """A home and a workspace for one row."""

    def __init__(self, base, berm, identity, way, dns):
        self.base, self.berm, self.identity, self.way, self.dns = base, berm, identity, way, dns
        self.home, self.work, self.log = base + "/home", base + "/home/work", base + "/events"
        self.env = {"PATH": PATH, "HOME": self.home, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": base + "/run"}
        if way == "landlock":
            self.env["BERM_TEST_NO_USERNS"] = "1"
        for folder in (self.home, self.work, base + "/run"):
            os.makedirs(folder, mode=0o700)
        shutil.copy(os.path.join(os.path.dirname(berm), "ca.crt"), self.work + "/ca.crt")
        if os.geteuid() == 0 and identity.uid != 0:
            for folder, _, files in os.walk(base):
                for path in [folder, *[os.path.join(folder, name) for name in files]]:
                    os.lchown(path, identity.uid, identity.gid)

    def popen(self, flags, words, **more):
        return subprocess.Popen([self.berm, "run", "--events", self.log, *flags, "--", *words], cwd=self.work, env=self.env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.identity.popen_args(),
                                **more)

    def run(self, flags, *words):
        with self.popen(flags, words) as child:
            try:
                out, err = child.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                child.kill()
                raise AssertionError("takes too long: %s" % " ".join(words)) from None
        return child.returncode, out, err

    def shell(self, flags, text):
        return self.run(flags, "sh", "-c", text)

    def events(self, **wanted):
        with open(self.log, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        return [event for event in events if all(event.get(key) == value for key, value in wanted.items())]

    def why(self, flags, target):
        done = subprocess.run([self.berm, "why", *flags, "--json", "connect", target], cwd=self.work, env=self.env, text=True,
                              capture_output=True, timeout=TIMEOUT, check=False, **self.identity.popen_args())
        return json.loads(done.stdout)["answer"]


def allow(*hosts):
    return [word for host in hosts for word in ("--allow-net", host)]


# ---- clients ------------------------------------------------------------------------------------------------------------

@row("curl", ways=("namespaces", "landlock"))
def curl_reaches_what_is_allowed(place):
    code, out, err = place.run(allow("web.example.org:80"), "curl", "-sS", "http://web.example.org/")
    equal((code, out.strip()), (0, WEB_OK), "curl: " + err)
    allowed = place.events(kind="net", op="connect", verdict="allow")
    equal([event["object"]["address"] for event in allowed], ["web.example.org:80"], "events")
    closed = place.events(kind="net", op="close")
    equal(len(closed), 1, "closed")
    if closed[0]["sent"] < 50 or closed[0]["received"] < 50:
        raise AssertionError("bytes: %r" % closed)


@row("curl", ways=("namespaces", "landlock"))
def curl_is_refused_with_what_would_allow_it(place):
    code, out, err = place.run([], "curl", "-sS", "https://web.example.org/")
    equal((code != 0, out), (True, ""), "curl: " + err)
    has(err, "--allow-net web.example.org")
    lacks(" ".join(place.dns.asked[place.asked:]), "web.example.org")
    denied = place.events(kind="dns", op="query", verdict="deny")
    equal(denied[0]["object"]["address"], "web.example.org", "event")
    equal(denied[0]["grant"], "--allow-net web.example.org", "grant")


@row("curl")
def curl_over_tls(place):
    code, out, err = place.run(allow("web.example.org"), "curl", "-sS", "--cacert", "ca.crt", "https://web.example.org/")
    equal((code, out.strip()), (0, WEB_OK), "curl: " + err)


@row("curl")
def another_port_is_another_host(place):
    code, _, err = place.run(allow("web.example.org"), "curl", "-sS", "-m", "5", "http://web.example.org/")
    equal(code in (7, 22, 52, 56, 0), True, "curl: " + err)
    has(err, "--allow-net web.example.org:80")
    equal(place.events(kind="net", op="connect", verdict="deny")[0]["grant"], "--allow-net web.example.org:80", "grant")


@row("curl")
def an_http_refusal_says_why(place):
    _, out, _ = place.run(allow("web.example.org"), "curl", "-s", "-m", "5", "-w", " %{http_code}", "http://web.example.org/")
    has(out, " 403")
    told = json.loads(out[:out.rindex("}") + 1])
    equal(told["grant"], "--allow-net web.example.org:80", "grant")
    equal(told["retry"], False, "retry")


@row("wget")
def wget(place):
    code, out, err = place.run(allow("web.example.org:80"), "wget", "-q", "-O-", "http://web.example.org/")
    equal((code, out.strip()), (0, WEB_OK), "wget: " + err)


@row("git")
def git_over_https(place):
    code, out, err = place.shell(allow("web.example.org"), "GIT_SSL_CAINFO=$PWD/ca.crt git clone -q https://web.example.org/repo.git "
                                 "&& git -C repo log --format=%s")
    equal((code, out.strip()), (0, "first"), "git: " + err)


@row("node")
def node_fetch(place):
    text = "fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t)).catch(e => { console.error(e.cause.code); " \
           "process.exit(9) })"
    code, out, err = place.run(allow("web.example.org:80"), "node", "-e", text, "http://web.example.org/")
    equal((code, out.strip()), (0, WEB_OK), "node: " + err)
    code, out, err = place.run(allow("web.example.org:80"), "node", "-e", text, "http://other.example.org/")
    equal(code, 9, "node: " + err)


@row("python3")
def python_urllib(place):
    text = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], b'x' * 100000, timeout=8).read().decode())"
    code, out, err = place.run(allow("web.example.org:80"), "/usr/bin/python3", "-c", text, "http://web.example.org/up")
    equal((code, out.strip()), (0, "hello /up with 100000 bytes from web.example.org " + WEB), "python: " + err)


@row("psql")
def psql(place):
    _, _, err = place.run(allow("raw.example.org:5432"), "psql", "-w", "-h", "raw.example.org", "-U", "a", "b")
    has(err, "the suite has no database")


@row("ssh")
def ssh_speaks_with_its_server(place):
    _, _, err = place.run(allow("raw.example.org:22"), "ssh", "-v", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "raw.example.org")
    has(err, "suite_of_berm")


@row("redis-cli")
def redis_cli(place):
    code, out, err = place.run(allow("raw.example.org:6379"), "redis-cli", "-h", "raw.example.org", "PING")
    equal((code, out.strip()), (0, "PONG"), "redis-cli: " + err)


@row("python3", ways=("namespaces", "landlock"))
def a_server_that_speaks_first(place):
    text = "import socket; s = socket.create_connection(('raw.example.org', 25), 5); print(s.recv(99)); s.sendall(b'me'); print(s.recv(99))"
    code, out, err = place.run(allow("raw.example.org:25"), "/usr/bin/python3", "-c", text)
    equal((code, out.split("\n")[:2]), (0, ["b'220 hello\\n'", "b'you said me'"]), "python: " + err)


@row("busybox")
def a_static_program(place):
    code, out, err = place.run(allow("web.example.org:80"), "busybox", "wget", "-q", "-O-", "http://web.example.org/")
    equal((code, out.strip()), (0, WEB_OK), "busybox: " + err)


# ---- names and addresses ------------------------------------------------------------------------------------------------

@row("python3")
def an_unknown_name_is_unknown_at_once(place):
    text = "import socket, time; a = time.monotonic()\ntry: socket.getaddrinfo('nowhere.example.org', 80)\n" \
           "except socket.gaierror as e: print(e.errno, time.monotonic() - a < 1)"
    code, out, err = place.run([], "/usr/bin/python3", "-c", text)
    equal((code, out.strip()), (0, "-2 True"), "python: " + err)


@row("python3")
def an_allowed_name_has_an_address_of_its_own(place):
    text = "import socket; print(socket.gethostbyname('web.example.org'), socket.gethostbyname('localhost'))"
    code, out, err = place.run(allow("web.example.org"), "/usr/bin/python3", "-c", text)
    equal((code, out.split()[0].rsplit(".", 2)[0], out.split()[1]), (0, "198.18", "127.0.0.1"), "python: " + err)


@row("curl")
def literal_addresses(place):
    code, out, err = place.run(allow(WEB + ":80"), "curl", "-sS", "http://%s/" % WEB)
    equal((code, out.strip()), (0, "hello / from %s %s" % (WEB, WEB)), "curl: " + err)
    code, out, _ = place.run(allow("web.example.org:80"), "curl", "-sS", "-m", "5", "http://%s/" % WEB)
    lacks(out, "hello")
    code, out, _ = place.run(allow("93.184.215.0/28:80"), "curl", "-sS", "-m", "5", "http://%s/" % OTHER)
    has(out, "hello")


@row("curl")
def private_addresses_need_a_line_of_their_own(place):
    for name in ("private.example.org", "local.example.org", "meta.example.org", "mapped.example.org"):
        port = ":8099" if name.startswith("local") else ":80"
        _, out, err = place.run(allow(name + port), "curl", "-s", "-m", "5", "http://" + name + port)
        lacks(out, "hello")
        has(err, " is ")
    denied = place.events(kind="net", op="connect", verdict="deny")[0]
    equal(denied["by"]["text"], "10.1.2.3 is private (RFC 1918)", "event")
    equal(denied["grant"], "--allow-net 10.1.2.3:80", "grant")
    _, out, _ = place.run(allow("private.example.org:80", PRIVATE + ":80"), "curl", "-s", "http://private.example.org/")
    has(out, "hello / from private.example.org " + PRIVATE)


@row("curl")
def a_name_may_be_private(place):
    with open(place.work + "/p.yaml", "w", encoding="ascii") as file:
        file.write('berm: 1\nname: p\nnetwork: {allow: [{to: "private.example.org:80", private: true}]}\n')
    _, out, err = place.run(["-p", "./p.yaml"], "curl", "-sS", "http://private.example.org/")
    has(out + err, "hello / from private.example.org " + PRIVATE)


@row("curl")
def a_mixed_name_is_dialled_where_it_may(place):
    _, out, err = place.run(allow("mixed.example.org:80"), "curl", "-sS", "http://mixed.example.org/")
    has(out + err, "hello / from mixed.example.org " + WEB)


@row("curl")
def a_name_that_changes_its_mind(place):
    place.dns.rebinds = False
    flags = allow("rebind.example.org:80")
    _, out, _ = place.run(flags, "curl", "-s", "-m", "5", "http://rebind.example.org/")
    has(out, "hello")
    place.dns.rebinds = True
    _, out, _ = place.run(flags, "curl", "-s", "-m", "5", "http://rebind.example.org/")
    lacks(out, "hello")


@row("curl")
def denied_by_a_line(place):
    flags = allow("*.example.org:80") + ["--deny-net", "other.example.org"]
    _, out, _ = place.run(flags, "curl", "-s", "-m", "5", "http://web.example.org/")
    has(out, "hello")
    _, out, err = place.run(flags, "curl", "-s", "-m", "5", "http://other.example.org/")
    lacks(out, "hello")
    lacks(err, "try: --allow-net other")


# ---- ways around --------------------------------------------------------------------------------------------------------

@row("python3")
def the_name_in_tls_must_be_the_name(place):
    text = "import socket, ssl; c = ssl.create_default_context(cafile='ca.crt'); s = socket.create_connection(('web.example.org', 443), 5)" \
           "\ntry: c.wrap_socket(s, server_hostname='other.example.org'); print('through')\nexcept OSError as e: print('refused')"
    code, out, err = place.run(allow("web.example.org", "other.example.org"), "/usr/bin/python3", "-c", text)
    equal((code, out.strip()), (0, "refused"), "python: " + err)


@row("curl")
def the_name_in_http_must_be_the_name(place):
    _, out, _ = place.run(allow("web.example.org:80"), "curl", "-s", "-m", "5", "-H", "Host: other.example.org", "http://web.example.org/")
    lacks(out, "hello")


@row("python3", ways=("namespaces", "landlock"))
def other_roads_are_closed(place):
    with open(os.path.join(HERE, "roads.py"), encoding="utf-8") as file:
        text = file.read()
    code, out, err = place.run(allow("web.example.org:80"), "/usr/bin/python3", "-c", text, WEB, OTHER, RAW, DNS)
    equal((code, out), (0, ""), "roads: " + err)


@row("python3")
def datagrams_are_refused_quickly(place):
    text = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a = time.monotonic(); s.settimeout(5)\n" \
           "try:\n s.connect(('%s', 443)); s.send(b'x'); s.recv(9)\nexcept OSError as e: print(e.errno != 11, time.monotonic() - a < 1)"
    code, out, err = place.run(allow("web.example.org"), "/usr/bin/python3", "-c", text % WEB)
    equal((code, out.strip()), (0, "True True"), "python: " + err)


# ---- the run ------------------------------------------------------------------------------------------------------------

@row("curl")
def why_says_what_the_run_does(place):
    flags = allow("web.example.org:80", "10.0.0.0/8:80", "*.b.example.org") + ["--deny-net", "other.example.org"]
    for target in ("web.example.org:80", "web.example.org:443", "other.example.org:80", PRIVATE + ":80", WEB + ":80"):
        _, out, _ = place.run(flags, "curl", "-s", "-m", "5", "http://" + target + "/")
        answer = place.why(flags, target)
        equal("hello" in out, answer == "allow", "%s: why says %s" % (target, answer))


@row("curl")
def a_changed_policy_counts_at_once(place):
    policy = place.home + "/.config/berm/policy.yaml"
    os.makedirs(os.path.dirname(policy), mode=0o700)

    def write(hosts):
        with open(policy + ".new", "w", encoding="ascii") as file:
            file.write("berm: 1\nnetwork: {allow: [%s]}\n" % ", ".join('"%s"' % host for host in hosts))
        os.rename(policy + ".new", policy)

    write(["raw.example.org:25"])
    if os.geteuid() == 0:
        for path in (place.home + "/.config", place.home + "/.config/berm", policy):
            os.lchown(path, place.identity.uid, place.identity.gid)
    loop = "while :; do curl -s -m 2 http://web.example.org/ | grep -q hello && echo yes || echo no; sleep 0.05; done"
    with place.popen([], ["sh", "-c", loop], bufsize=1) as child:
        try:
            wait_for(child, "no")
            time.sleep(0.8)  # the watch begins
            write(["raw.example.org:25", "web.example.org:80"])
            took = wait_for(child, "yes")
            write(["raw.example.org:25"])
            gone = wait_for(child, "no")
        finally:
            child.terminate()
            child.stdout.close()
            child.wait(TIMEOUT)
    if took > 1.5 or gone > 1.5:
        raise AssertionError("added after %.2f s, taken after %.2f s" % (took, gone))


def wait_for(child, word):
    begin = time.monotonic()
    for line in child.stdout:
        if line.strip() == word:
            return time.monotonic() - begin
        if time.monotonic() - begin > 5:
            break
    raise AssertionError("never %s: %s" % (word, child.stderr.read() if child.poll() is not None else ""))


def egress_of(pid):
    for entry in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % entry, encoding="ascii") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            if int(rest.split()[1]) == pid and "egress" in name:
                return int(entry)
        except (OSError, ValueError, IndexError):
            continue
    raise AssertionError("no @egress")


@row("curl")
def without_its_filter_nothing_is_reached(place):
    text = "curl -s -m 5 http://web.example.org/; while [ ! -e go ]; do sleep 0.05; done; curl -s -m 5 http://web.example.org/; echo over"
    with place.popen(allow("web.example.org:80"), ["sh", "-c", text], bufsize=1) as child:
        has(child.stdout.readline(), "hello")
        os.kill(egress_of(child.pid), signal.SIGKILL)
        with open(place.work + "/go", "w", encoding="ascii"):
            pass
        out, err = child.communicate(timeout=TIMEOUT)
    equal((child.returncode, out.strip()), (0, "over"), "shell")
    equal(err.count("the network filter"), 1, err)
    equal(len(place.events(kind="role", op="died")), 1, "events")


@row("curl")
def the_filter_has_no_environment(place):
    place.env["SUITE_SECRET"] = "c0ffee" * 4
    with place.popen(allow("web.example.org:80"), ["sleep", "2"]) as child:
        time.sleep(0.3)
        with open("/proc/%d/environ" % egress_of(child.pid), "rb") as file:
            lacks(file.read().decode(), "c0ffee")
        child.kill()


# ---- the suite ----------------------------------------------------------------------------------------------------------

def run_row(base, berm, dns, identity, way, entry):
    name, function, needs, _ = entry
    missing = [need for need in needs if shutil.which(need, path=PATH) is None]
    if missing:
        return "SKIP", "no " + missing[0]
    if way == "namespaces" and not can_have_namespaces(identity):
        return "SKIP", "no user namespaces"
    place = Place(tempfile.mkdtemp(prefix="row-", dir=base), berm, identity, way, dns)
    os.chmod(place.base, 0o755)
    place.asked = len(dns.asked)
    try:
        function(place)
    except Exception:  # whatever it is, the next row is run
        return "FAIL", traceback.format_exc(limit=-2)
    return "ok", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("berm")
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    options = parser.parse_args()
    user = make_user() if os.geteuid() == 0 else None
    identities = [Identity("root", 0, 0), user] if user else [Identity(os.environ.get("USER", "user"), os.geteuid(), os.getegid())]
    base = tempfile.mkdtemp(prefix="berm-net-", dir=place_of_tests())
    os.chmod(base, 0o755)
    counts = {"ok": 0, "FAIL": 0, "SKIP": 0}
    try:
        berm = shutil.copy(options.berm, os.path.join(base, "berm"))
        servers.enter(base)
        dns = servers.start(base)
        for entry in ROWS:
            for identity in identities:
                for way in entry[3]:
                    if options.only not in entry[0]:
                        continue
                    begin = time.monotonic()
                    word, text = run_row(base, berm, dns, identity, way, entry)
                    counts[word] += 1
                    print("%-4s  %-4s %-10s %s (%.1f s)%s" % (word, identity.kind, way, entry[0], time.monotonic() - begin,
                                                              ": " + text if text else ""), flush=True)
    finally:
        if user:
            remove_user(user.name)
        if options.keep:
            print("kept: " + base)
        else:
            shutil.rmtree(base, ignore_errors=True)
    if os.environ.get("BERM_MUST_RUN") == "1":
        counts["FAIL"], counts["SKIP"] = counts["FAIL"] + counts["SKIP"], 0
    print("%d passed, %d failed%s" % (counts["ok"], counts["FAIL"], ", %d skipped" % counts["SKIP"] if counts["SKIP"] else ""))
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
