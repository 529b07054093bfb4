"""Approvals by the program itself: `berm run` with a policy that asks, programs and other terminals that answer. run.py runs these."""
import json
import os
import pty
import select
import shutil
import subprocess
import time

TIMEOUT = 60

# Tells what it was asked, and then does what follows.
ANSWERER = """#!/bin/sh
echo $$ >>LOG/pids
cat >>LOG/questions
%s
"""
ALLOW = """echo '{"decision":"allow"%s}'"""
THREADS = """
import collections, sys, threading
got = collections.Counter()
def read(path):
    try:
        got[open(path).read()] += 1
    except OSError as e:
        got[e.errno] += 1
threads = [threading.Thread(target=read, args=(path,)) for path in sys.argv[1:]]
[t.start() for t in threads]
with open('mine', 'w') as file:
    for i in range(100):
        file.write('x'); file.flush()
print('went on', flush=True)
[t.join() for t in threads]
print(dict(got))
"""


class Session:
    """A place with a policy, and the runs in it."""

    def __init__(self, place, way, berm, by, more="", filesystem=""):
        self.place, self.way = place, way
        self.berm = place.path("ws", "berm")
        shutil.copy(berm, self.berm)
        for name in ("home", "config", "state", "log"):
            os.mkdir(place.path(name), 0o700)
            self.give(place.path(name))
        for name in ("a", "b"):
            with open(place.path("asked", name), "w") as file:
                file.write("is %s\n" % name)
            self.give(place.path("asked", name))
        self.policy(by, more, filesystem)

    def give(self, path):
        if os.geteuid() == 0:
            os.chown(path, self.place.identity.uid, self.place.identity.gid)

    def policy(self, by, more="", filesystem=""):
        path = self.place.path("config", "policy.yaml")
        with open(path + ".new", "w") as file:
            file.write("berm: 1\nfilesystem: {default: ask%s}\napprovals: {mode: ask, by: [%s]%s}\n" % (filesystem, by, more))
        self.give(path + ".new")
        os.rename(path + ".new", path)

    def env(self):
        env = {"PATH": "/usr/bin:/bin", "HOME": self.place.path("home"), "BERM_CONFIG_DIR": self.place.path("config"),
               "BERM_STATE_DIR": self.place.path("state")}
        return dict(env, BERM_TEST_NO_USERNS="1") if self.way == "landlock" else env

    def start(self, command, *options):
        return subprocess.Popen([self.berm, "run", "--name", "asks", "--events", self.place.path("log", "events"), *options, "--", *command],
                                cwd=self.place.path("ws"), env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **self.place.identity.popen_args())

    def run(self, *command):
        running = self.start(command)
        try:
            out, err = running.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
        return out, err, running.returncode

    def approve(self, *words):
        return subprocess.run([self.berm, "approve", *words], cwd="/", env=self.env(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=TIMEOUT, **self.place.identity.popen_args())

    def waiting(self, count=1):
        """What waits, once it is so many."""
        for _ in range(200):
            done = self.approve("--json")
            if done.returncode == 0 and len(json.loads(done.stdout)["approvals"]) >= count:
                return json.loads(done.stdout)["approvals"]
            time.sleep(0.05)
        raise AssertionError("nothing waits: %r" % done)

    def log(self, name):
        path = self.place.path("log", name)
        return open(path).read() if os.path.exists(path) else ""

    def questions(self):
        return [json.loads(line) for line in self.log("questions").splitlines()]

    def events(self, op):
        rows = [json.loads(line) for line in self.log("events").splitlines()]
        return [row for row in rows if row["kind"] == "approval" and row["op"] == op]


def answerer(place, script):
    path = place.path("answerer")
    with open(path, "w") as file:
        file.write(ANSWERER.replace("LOG", place.path("log")) % script)
    os.chmod(path, 0o755)
    return "{program: [%s]}" % path


def allow(more=""):
    return ALLOW % more


def once_is_once(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow()))
    a, b = place.path("asked", "a"), place.path("asked", "b")
    out = session.run("/bin/sh", "-c", "cat %s; cat %s; cat %s; echo new >%s/c" % (a, a, b, place.path("asked")))
    asked = [(row["op"], row["object"]["path"]) for row in session.questions()]
    good = out[0] == "is a\nis a\nis b\n" and asked == [("read", a), ("read", a), ("read", b), ("create", place.path("asked", "c"))]
    return good and open(place.path("asked", "c")).read() == "new\n", (out, asked)


def session_covers_the_object(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow(',"scope":"session"')))
    a, b = place.path("asked", "a"), place.path("asked", "b")
    out = session.run("/bin/sh", "-c", "cat %s; head -c4 %s; cat %s; cat %s" % (a, a, a, b))
    asked = [row["object"]["path"] for row in session.questions()]
    return out[0] == "is a\nis ais a\nis b\n" and asked == [a, b], (out, asked)


def session_covers_the_folder(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow(',"scope":"session","extent":"folder"')))
    a, b = place.path("asked", "a"), place.path("asked", "b")
    out = session.run("/bin/sh", "-c", "cat %s; cat %s; cat %s" % (a, b, place.path("secret")))
    asked = [row["object"]["path"] for row in session.questions()]
    return out[0] == "is a\nis b\nsecret" and asked == [a, place.path("secret")], (out, asked)


def always_is_a_line(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow(',"scope":"always","reason":"it is needed"')))
    a = place.path("asked", "a")
    first = session.run("/bin/cat", a)
    line = open(place.path("config", "policy.yaml")).read()
    second = session.run("/bin/cat", a)
    answered = session.events("answered")
    good = first[0] == second[0] == "is a\n" and len(session.questions()) == 1 and "allowed by program (answerer): read" in line
    return good and answered[0]["approval"]["kept"].endswith("policy.yaml"), (first, second, line, answered)


def never_is_a_line(place, way, berm):
    session = Session(place, way, berm, answerer(place, """echo '{"decision":"deny","scope":"always","reason":"never"}'"""))
    a = place.path("asked", "a")
    first = session.run("/bin/sh", "-c", "cat %s; cat %s" % (a, a))
    second = session.run("/bin/cat", a)
    line = open(place.path("config", "policy.yaml")).read()
    good = first[0] == second[0] == "" and len(session.questions()) == 1 and "deny:" in line and "denied by program" in line
    return good and "denied by program answerer (always): never" in first[1], (first, second, line)


def what_is_odd_is_denied(place, way, berm):
    session = Session(place, way, berm, answerer(place, "echo yes"))
    out = session.run("/bin/sh", "-c", "cat %s; echo ok" % place.path("asked", "a"))
    return out[0] == "ok\n" and "Permission denied" in out[1] and "an answer is a JSON object" in out[1], out


def many_share_a_question(place, way, berm):
    session = Session(place, way, berm, answerer(place, "sleep 1; " + allow(',"scope":"session"')))
    out = session.run("/usr/bin/python3", "-c", THREADS, *[place.path("asked", "a")] * 200)
    return out[0] == "went on\n{'is a\\n': 200}\n" and len(session.questions()) == 1, (out, len(session.questions()))


def silence_is_denied(place, way, berm):
    session = Session(place, way, berm, answerer(place, "sleep 50"), more=", timeout: 400ms")
    begin = time.monotonic()
    out = session.run("/bin/sh", "-c", "cat %s; echo ok" % place.path("asked", "a"))
    good = out[0] == "ok\n" and "nobody answered in time" in out[1] and time.monotonic() - begin < 20
    return good and len(session.events("expired")) == 1, (out, session.log("events"))


def is_gone(pid):
    for _ in range(100):
        if not os.path.exists("/proc/%d" % pid):
            return True
        time.sleep(0.05)
    return False


def signal_ends_the_answerer(place, way, berm):
    session = Session(place, way, berm, answerer(place, "sleep 50"))
    running = session.start(["/bin/sh", "-c", "cat %s & p=$!; sleep 1; kill $p; wait $p; echo $?; sleep 3" % place.path("asked", "a")])
    for _ in range(200):
        if session.log("pids"):
            break
        time.sleep(0.05)
    pid = int(session.log("pids") or 0)
    gone = pid > 0 and is_gone(pid) and running.poll() is None
    out = running.communicate(timeout=TIMEOUT)
    return gone and out[0] == "143\n" and len(session.events("withdrawn")) == 1, (gone, out, session.log("events"))


def flood_is_held_back(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow()), more=", rate: 20")
    paths = [place.path("asked", "f%d" % i) for i in range(60)]
    for path in paths:
        with open(path, "w") as file:
            file.write("f")
        session.give(path)
    out = session.run("/usr/bin/python3", "-c", THREADS, *paths)
    times = sorted(row["time"] for row in session.events("asked"))
    spread = [float(t[17:-1]) + 60 * float(t[14:16]) for t in times]
    window = max(sum(1 for t in spread if at <= t < at + 1) for at in spread)
    # five at once, twenty in the second after, and one more for the edge
    return out[0] == "went on\n{'f': 60}\n" and len(times) == 60 and window <= 26, (out, window)


def another_terminal_answers(place, way, berm):
    session = Session(place, way, berm, "control")
    a, b = place.path("asked", "a"), place.path("asked", "b")
    running = session.start(["/bin/sh", "-c", "cat %s; cat %s; cat %s" % (a, a, b)])
    first = session.waiting()[0]
    wrong = session.approve("--once", str(first["id"] + 7))
    one = session.approve("asks", "--session", str(first["id"]), "--reason", "fine")
    second = next(row for row in iter(lambda: session.waiting()[0], None) if row["id"] != first["id"])
    two = session.approve("--deny", str(second["id"]))
    out = running.communicate(timeout=TIMEOUT)
    by = [row["approval"]["by"] for row in session.events("answered")]
    good = first["object"]["path"] == a and second["object"]["path"] == b and (wrong.returncode, one.returncode, two.returncode) == (1, 0, 0)
    return good and out[0] == "is a\nis a\n" and by == ["control", "control"] and "berm approve asks" in out[1], (first, second, wrong, out, by)


def nobody_inside_answers(place, way, berm):
    session = Session(place, way, berm, "control", more=", timeout: 2500ms")
    state = place.path("state", "sessions")
    inside = ("cat %s & sleep 0.5; ./berm approve asks --session 1; ./berm approve --json; BERM_STATE_DIR=%s ./berm approve asks --always 1;"
              "python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect(\"%s/asks\")'; wait; echo over" % (place.path("asked", "a"), place.path("state"), state))
    out = session.run("/bin/sh", "-c", inside)
    by = {row["approval"]["by"] for row in session.events("answered") + session.events("expired")}
    return out[0] == "over\n" and by == {"berm"} and "answered" not in out[0], (out, by)


def nobody_to_ask_is_a_denial(place, way, berm):
    session = Session(place, way, berm, "desktop")
    begin = time.monotonic()
    out = session.run("/bin/sh", "-c", "cat %s; echo ok" % place.path("asked", "a"))
    return out[0] == "ok\n" and time.monotonic() - begin < 20 and not session.events("asked"), out


def change_of_policy_asks_anew(place, way, berm):
    session = Session(place, way, berm, "control")
    running = session.start(["/bin/cat", place.path("asked", "a")])
    first = session.waiting()[0]
    session.policy("control", filesystem=", read: [%s]" % place.path("log"))
    for _ in range(200):
        now = session.waiting()[0]
        if now["id"] != first["id"]:
            break
        time.sleep(0.05)
    done = session.approve("--once", str(now["id"]))
    out = running.communicate(timeout=TIMEOUT)
    return now["id"] != first["id"] and done.returncode == 0 and out[0] == "is a\n", (first, now, done, out)


def who_asks_does_not_change_who_answers(place, way, berm):
    session = Session(place, way, berm, answerer(place, allow()), filesystem=", write: [., %s]" % place.home)
    program = place.path("answerer")
    before = open(program).read()
    other = place.path("other")
    out = session.run("/bin/sh", "-c", "echo x >%s; echo x >%s; echo x >n; mv n %s; rm -f %s; cat %s >/dev/null" % (other, program, program, program, program))
    return os.path.exists(other) and open(program).read() == before and not session.questions(), (out, session.questions())


class Keyboard:
    """`berm approve` at a terminal of its own."""

    def __init__(self, session):
        self.fd, other = pty.openpty()
        self.running = subprocess.Popen([session.berm, "approve", "asks"], cwd="/", env=dict(session.env(), TERM="xterm"), stdin=other,
                                        stdout=other, stderr=other, start_new_session=True, **session.place.identity.popen_args())
        os.close(other)
        self.text = ""

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def see(self, text):
        """What is shown up to this."""
        end = time.monotonic() + 20
        while text not in self.text:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("%r is not shown: %r" % (text, self.text))
            self.text += os.read(self.fd, 4096).decode()
        seen, self.text = self.text.split(text, 1)
        return seen

    def end(self):
        self.press("q")
        status = self.running.wait(timeout=20)
        os.close(self.fd)
        return status


def keys_answer_what_is_shown(place, way, berm):
    session = Session(place, way, berm, "control")
    a, b = place.path("asked", "a"), place.path("asked", "b")
    running = session.start(["/bin/sh", "-c", "sleep 1; cat %s; cat %s" % (a, b)])
    for _ in range(200):
        if session.approve().returncode == 0:
            break
        time.sleep(0.05)
    keyboard = Keyboard(session)
    keyboard.see("q ends")
    keyboard.press("ooo")  # nothing is there yet
    keyboard.see("READ")
    keyboard.press("oo")  # meant for something else: too soon
    keyboard.see("[q]uit")
    time.sleep(0.6)
    keyboard.press("\rx")  # no answers
    time.sleep(0.6)
    waits = running.poll() is None and session.waiting()[0]["object"]["path"] == a
    keyboard.press("o")
    keyboard.see("READ")
    keyboard.see("[q]uit")
    time.sleep(0.6)
    keyboard.press("n")
    out = running.communicate(timeout=TIMEOUT)
    status = keyboard.end() if keyboard.running.poll() is None else keyboard.running.returncode
    return waits and status == 0 and out[0] == "is a\n" and "Permission denied" in out[1], (waits, status, out)


CASES = (once_is_once, session_covers_the_object, session_covers_the_folder, always_is_a_line, never_is_a_line, what_is_odd_is_denied,
         many_share_a_question, silence_is_denied, signal_ends_the_answerer, flood_is_held_back, another_terminal_answers,
         nobody_inside_answers, nobody_to_ask_is_a_denial, keys_answer_what_is_shown, change_of_policy_asks_anew, who_asks_does_not_change_who_answers)
