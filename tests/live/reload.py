"""A run's policy changes while it goes on: by its files, however they are saved, and by `berm policy apply`.

Inside runs a shell that says in a loop what it can reach; its last line is what holds now.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

PATIENCE, WITHIN = 20.0, 1.0
LOOP = """while :; do
  a=; for f in DATA/f secret; do cat "$f" >/dev/null 2>&1 && a="$a ${f##*/}"; done
  { echo x >DATA/new; } 2>/dev/null && a="$a new"
  echo "now:$a"; sleep 0.02
done
"""
GOOD = "berm: 1\nfilesystem:\n  read: [%s]\n"


class Failure(Exception):
    pass


def need(fact, text):
    if not fact:
        raise Failure(text)


class Session:
    """One run with a home folder of its own."""

    def __init__(self, berm, base, identity, way):
        self.berm, self.identity = berm, identity
        self.root = tempfile.mkdtemp(prefix="r", dir=base)
        self.home, self.data = os.path.join(self.root, "home"), os.path.join(self.root, "data")
        self.project, self.conf = os.path.join(self.home, "project"), os.path.join(self.home, ".config", "berm")
        self.events, self.log = os.path.join(self.root, "events"), os.path.join(self.root, "log")
        for folder in (self.data, self.project, self.conf):
            os.makedirs(folder)
        for name in (os.path.join(self.data, "f"), os.path.join(self.project, "secret"), self.events):
            open(name, "w", encoding="utf-8").close()
        with open(os.path.join(self.project, "loop"), "w", encoding="utf-8") as loop:
            loop.write(LOOP.replace("DATA", self.data))
        self.policy = os.path.join(self.conf, "policy.yaml")
        self.env = {"PATH": "/usr/bin:/bin", "HOME": self.home, "XDG_RUNTIME_DIR": os.path.join(self.root, "run"), **way}
        os.mkdir(self.env["XDG_RUNTIME_DIR"], 0o700)
        if os.geteuid() == 0:
            for folder, _, names in os.walk(self.root):
                for path in [folder, *(os.path.join(folder, name) for name in names)]:
                    os.chown(path, identity.uid, identity.gid)
        self.process = self.start("one")
        self.until("the first line", lambda: self.last() is not None)
        # The command can be faster than the socket of its session: the event comes after both.
        self.until("its start", lambda: self.told("start", "session"))

    def start(self, name, events=True):
        command = [self.berm, "run", "--name", name, *(["--events", self.events] if events else []), "--", "sh", "loop"]
        with open(self.log, "w", encoding="utf-8") as log:
            return subprocess.Popen(command, cwd=self.project, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, **self.identity.popen_args())

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def last(self):
        with open(self.log, encoding="utf-8") as log:
            lines = [line for line in log.read().split("\n")[:-1] if line.startswith("now:")]
        return lines[-1][4:].split() if lines else None

    def until(self, what, fact, patience=PATIENCE):
        end = time.monotonic() + patience
        while not fact():
            need(time.monotonic() < end, "%s: not after %.1f s; %s" % (what, patience, self.last()))
            time.sleep(0.01)

    def reaches(self, names, patience=PATIENCE):
        self.until("reaching %s" % names, lambda: sorted(self.last()) == sorted(names), patience)

    def told(self, op, kind="policy"):
        with open(self.events, encoding="utf-8") as events:
            lines = [json.loads(line) for line in events.read().split("\n")[:-1]]
        return [line for line in lines if line["kind"] == kind and line["op"] == op]

    def write(self, text, path=None, by_rename=False):
        path = path or self.policy
        target = path + "~" if by_rename else path
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        if by_rename:
            os.rename(target, path)

    def apply(self, text, *options, name="one"):
        path = os.path.join(self.root, "applied.yaml")
        self.write(text, path)
        return subprocess.run([self.berm, "policy", "apply", *options, name, path], env=self.env, capture_output=True, text=True, timeout=60,
                              **self.identity.popen_args())


def files_come_and_go(session, hidden):
    session.reaches(["secret"])
    time.sleep(0.4)  # the files are watched from then on
    session.write(GOOD % session.data)
    if hidden:
        session.reaches(["f", "secret"])
    session.until("a reload", lambda: len(session.told("reload")) == 1)
    session.write("berm: 1\nfilesystem:\n  deny: [%s/secret]\n  read: [%s]\n" % (session.project, session.data), by_rename=True)
    begin = time.monotonic()
    session.until("a second reload", lambda: len(session.told("reload")) == 2)
    if hidden:
        session.reaches(["f"], WITHIN + PATIENCE / 2)
    seconds = time.monotonic() - begin
    need(seconds < WITHIN or os.getloadavg()[0] > 2, "a narrowing took %.2f s" % seconds)
    need(session.told("reload")[1]["generation"] == 3, session.told("reload"))
    os.unlink(session.policy)
    session.reaches(["secret"])


def mistakes_keep_the_last_good_one(session, hidden):
    time.sleep(0.4)
    session.write(GOOD % session.data)
    session.until("a reload", lambda: len(session.told("reload")) == 1)
    before = ["f", "secret"] if hidden else session.last()
    session.reaches(before)
    session.write("berm: 1\nfilesystem:\n  reed: [/]\n")
    session.until("a refusal", lambda: len(session.told("refuse")) == 1)
    session.write("berm: 1\nfilesystem:\n  reed: [/]\n")
    time.sleep(0.6)
    need(len(session.told("refuse")) == 1, "the same mistake was told again")
    need(":3:3: unknown key 'reed'" in session.told("refuse")[0]["detail"], session.told("refuse"))
    need(sorted(session.last()) == sorted(before) or not hidden, "a mistake changed what holds: %s" % session.last())
    # Half a file that its writer has not closed yet is none.
    with open(session.policy, "w", encoding="utf-8") as file:
        file.write("berm: 1\nfilesystem:\n  deny: [")
        file.flush()
        time.sleep(0.6)
        need(len(session.told("refuse")) == 1 and len(session.told("reload")) == 1, "half a file was read")
        file.write("\"**/none\"]\n")
    session.until("the whole file", lambda: len(session.told("reload")) == 2)


def apply_tells_each_line(session, hidden):
    done = session.apply(GOOD % session.data, "--json")
    need(done.returncode == 0, done.stdout + done.stderr)
    answer = json.loads(done.stdout)
    change = [change for change in answer["changes"] if change["line"] == "read " + session.data]
    need(answer["ok"] and answer["generation"] == 2 and len(change) == 1, answer)
    need(change[0]["when"] == "now" or not hidden, change)
    if change[0]["when"] == "now":
        session.reaches(["f", "secret"])
    done = session.apply("berm: 1\nfilesystem:\n  reed: [/]\n")
    need(done.returncode == 1 and ":3:3: unknown key 'reed'" in done.stderr and "stays" in done.stderr, done.stdout + done.stderr)
    done = session.apply((GOOD % session.data) + "tests:\n  - { read: %s/f, is: deny }\n" % session.data)
    need(done.returncode == 1, "a policy that fails its own test was taken: " + done.stdout + done.stderr)
    done = session.apply("berm: 1\n")
    need(done.returncode == 0 and "removed" in done.stdout, done.stdout + done.stderr)
    session.reaches(["secret"])
    done = session.apply("berm: 1\n", name="two")
    need(done.returncode == 125 and "no session 'two' runs" in done.stderr, done.stderr)


def nobody_inside_can_ask(session, hidden):
    path = os.path.join(session.project, "wide.yaml")
    session.write("berm: 1\nfilesystem:\n  write: [%s]\n" % session.data, path)
    shutil.copy(session.berm, os.path.join(session.project, "berm"))
    inside = ["./berm", "policy", "apply", "inner", "wide.yaml"]
    done = subprocess.run([session.berm, "run", "-q", "--name", "inner", "-e", "XDG_RUNTIME_DIR", "--", *inside], cwd=session.project,
                          env=session.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          **session.identity.popen_args())
    need(done.returncode not in (0, 1), "a session answered from inside: %s" % (done.stdout + done.stderr))


def sockets_of_killed_sessions_go(session, hidden):
    sockets = os.path.join(session.env["XDG_RUNTIME_DIR"], "berm")
    session.process.send_signal(signal.SIGKILL)
    session.process.wait()
    need(os.listdir(sockets) == ["one"], os.listdir(sockets))
    session.process = session.start("three", events=False)
    session.until("its socket", lambda: os.listdir(sockets) == ["three"])


CASES = [files_come_and_go, mistakes_keep_the_last_good_one, apply_tells_each_line, nobody_inside_can_ask, sockets_of_killed_sessions_go]
WAYS = {"namespaces": {}, "landlock": {"BERM_TEST_NO_USERNS": "1"}}


def run_case(berm, base, identity, way, case):
    """None, or what is wrong."""
    session = None
    try:
        session = Session(berm, base, identity, WAYS[way])
        case(session, way == "namespaces")
        return None
    except Failure as failure:
        log = open(session.log, encoding="utf-8").read()[-600:] if session else ""
        return "%s\n%s" % (failure, log)
    finally:
        if session:
            session.close()
