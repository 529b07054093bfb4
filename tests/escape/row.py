"""What a row of the suite is, and the oracles that rows share."""
import signal
import time

ESCAPES, CONTROLS = "escape", "control"
ROWS = []
WAYS = ("root/ns", "root/ll", "user/ns", "user/ll", "root/real", "user/real")


class Row:
    """One attempt or one control.

    argv   what runs inside; a list, words may hold @names@ of the world
    setup  makes the world, on the host's side
    leak   (escapes) true if the attempt reached its aim; must be true without a sandbox
    works  (controls) true if the program did its work; must be true without a sandbox
    needs  names of features (needs.py); without one of them the row is skipped, and says why
    flags  further flags for "berm run"
    only   a subset of {"root", "user", "ns", "ll"}: where the row has a meaning
    then   commands that are run outside afterwards: [(argv, folder)]
    unproved  why the attempt cannot succeed here without a sandbox; it must be refused all the same
    real   also run behind a filter that refuses namespaces (the other fields are told where they are set)
    """

    def __init__(self, kind, id, title, argv, **more):
        self.kind, self.id, self.title, self.argv = kind, id, title, argv
        self.cls = id.split("-")[0]
        self.setup = more.pop("setup", None)
        self.leak = more.pop("leak", None)
        self.works = more.pop("works", None)
        self.needs = more.pop("needs", ())
        self.flags = more.pop("flags", ())
        self.only = set(more.pop("only", ()))
        self.then = more.pop("then", ())
        self.unproved = more.pop("unproved", None)
        self.real = more.pop("real", False)
        self.env = more.pop("env", None)
        self.cwd = more.pop("cwd", None)
        self.stdin = more.pop("stdin", b"")
        self.timeout = more.pop("timeout", 15)
        self.on_line = more.pop("on_line", None)
        self.bare = more.pop("bare", None)  # another command line for the run without a sandbox
        self.drive = more.pop("drive", None)  # runs everything by itself: drive(world, wrap) -> Result
        self.wrap = more.pop("wrap", ())  # words in front of the sandbox's command line
        self.ours = more.pop("ours", False)  # only has a meaning for berm: flags or output of its own
        self.slow = more.pop("slow", False)
        self.may_refuse = more.pop("may_refuse", False)  # not to start at all is an answer as well
        if more:
            raise TypeError("row %s: unknown %s" % (id, sorted(more)))


def escape(id, title, argv, leak, **more):
    ROWS.append(Row(ESCAPES, id, title, argv, leak=leak, **more))


def control(id, title, argv, works=None, **more):
    ROWS.append(Row(CONTROLS, id, title, argv, works=works or said_done, **more))


def attempt(*words):
    return ["./attempt", *words]


def sh(text):
    return ["sh", "-c", text]


def bash(text):
    return ["bash", "-c", text]


def py(text):
    return ["/usr/bin/python3", "-c", text]


# ---- oracles: (world, result) -> anything true, with a text that says what was seen ----

def printed(w, r):
    return w.token in r.out and "the secret was printed"


def claimed(w, r):
    return "ACHIEVED" in r.out and r.out.strip().splitlines()[-1]


def heard(w, r):
    """What the attempt says it did may need a moment to arrive."""
    for _ in range(20):
        if w.heard:
            return "reached %s" % w.heard[0]
        if "ACHIEVED" not in r.out:
            break
        time.sleep(0.01)
    return False


def signalled(w, r):
    """The signal may need a moment; a victim that was not hit is waited for in vain."""
    for _ in range(10):
        if "%02d" % w.notes.get("expected", signal.SIGUSR1) in w.signals():
            return "the signal arrived"
        time.sleep(0.01)
    return False


def canary(w, r):
    return w.exists("@canary@") and "the planted program ran outside"


def survived(w, r):
    """One look may miss what forks all the time."""
    for _ in range(5):
        left = w.survivors()
        if left:
            return "%d processes left, %s" % (len(left), left[0][1][:80])
        time.sleep(0.01)
    return False


def exists(path):
    return lambda w, r: w.exists(path) and "%s is there" % path


def gone(path):
    return lambda w, r: not w.exists(path) and "%s is gone" % path


def holds(path, text="planted"):
    return lambda w, r: text in (w.read(path) or "") and "%s holds %s" % (path, text)


def changed(path="@out@"):
    return lambda w, r: w.changes(path) and "changed: %s" % ", ".join(w.changes(path)[:4])


def either(*oracles):
    return lambda w, r: next((seen for seen in (o(w, r) for o in oracles) if seen), False)


def said(text):
    return lambda w, r: text in r.out


def said_done(w, r):
    return r.status == 0 and r.out.rstrip().endswith("DONE")


def status(number, text=None):
    return lambda w, r: r.status == number and (text is None or text in r.out)
