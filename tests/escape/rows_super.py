"""Class V: the supervisor itself. What is aimed at is always a protected name in the workspace."""
import os

from row import attempt, control, escape, exists, printed, sh
from world import Setup

HOOK = "@ws@/.git/hooks/pre-commit"


def repository(w):
    w.file("@ws@/.git/hooks/pre-commit.sample", "sample\n")
    w.file("@ws@/.git/config", "[core]\n\tbare = false\n")
    w.file("@ws@/.git/HEAD", "ref: refs/heads/main\n")
    w.folder("@ws@/.git/objects")
    w.folder("@ws@/.git/refs")
    w.folder("@ws@/plain")


def row(id, what, words, **more):
    escape(id, what, words, exists(HOOK), setup=repository, **more)


row("V-01a", "a path that changes during the call", attempt("race-string", "create", "@ws@/plain/pre-commit", HOOK), real=True)
row("V-01b", "a new name that changes during a rename", attempt("race-string", "rename", "@ws@/plain/pre-commit", HOOK))
row("V-01c", "a link that changes during the call",
    attempt("race-link", "create", "@ws@/l", "@ws@/plain", "@ws@/.git/hooks", "pre-commit"), real=True)
row("V-01d", "a link to the folder above that changes",
    sh("mkdir -p plain/hooks; ./attempt race-link create l plain .git hooks/pre-commit"))
row("V-01e", "flags of openat2 that change during the call", attempt("race-openat2", HOOK))
row("V-02", "memory that goes away during the call", attempt("race-memory", HOOK))
row("V-05a", "a working folder that another thread changes",
    attempt("race-start", "cwd", "@ws@/plain", "@ws@/.git/hooks", "pre-commit"), real=True)
row("V-05b", "a folder's descriptor that another thread changes",
    attempt("race-start", "fd", "@ws@/plain", "@ws@/.git/hooks", "pre-commit"), real=True)
escape("V-05c", "two folders that change places", sh("mkdir a; ./attempt race-folders @ws@/a @ws@/.git/hooks pre-commit"),
       exists(HOOK), setup=repository)
# The temporary folder is the sandbox's own, so what happens there is not done on behalf, and truly at the same time.
row("V-01f", "a link in the temporary folder that changes during the call",
    sh("t=${TMPDIR:-/tmp}; ./attempt race-link create $t/l-@name@ @ws@/plain @ws@/.git/hooks pre-commit"), real=True)
row("V-01g", "a link in the temporary folder to the folder above",
    sh("t=${TMPDIR:-/tmp}; mkdir -p plain/hooks; ./attempt race-link create $t/l-@name@ @ws@/plain @ws@/.git hooks/pre-commit"))
row("V-01h", "two folders in the temporary folder, one with a link, that change places",
    sh("t=${TMPDIR:-/tmp}/@name@; mkdir -p $t/a $t/b; ln -s @ws@/plain $t/a/l; ln -s @ws@/.git/hooks $t/b/l; "
       "./attempt race-folders $t/a $t/b l/pre-commit"))
row("V-01i", "a link in the temporary folder that is made a folder of", sh("t=${TMPDIR:-/tmp}; mkdir plain/hooks; "
    "./attempt race-link mkdir $t/l-@name@ @ws@/plain @ws@/.git hooks/pre-commit"))
row("V-05d", "the magic link of the working folder, changed by another thread",
    attempt("race-start", "magic-cwd", "@ws@/plain", "@ws@/.git/hooks", "pre-commit"), real=True)
row("V-05e", "the magic link of a descriptor, changed by another thread",
    attempt("race-start", "magic-fd", "@ws@/plain", "@ws@/.git/hooks", "pre-commit"), real=True)
row("V-03", "children that die while their calls wait", attempt("flood", HOOK), real=True)

GOOD = "[core]\n\tbare = false\n\tfilemode = true # %s\n"
EVIL = "[core]\n\tbare = false\n\tfsmonitor = touch x #\n"


def judged(w):
    repository(w)
    good = GOOD % ""
    pad = max(len(good), len(EVIL))
    w.file("@ws@/good", good + "#" * (pad - len(good)))
    w.file("@ws@/evil", EVIL + "#" * (pad - len(EVIL)))


def evil_config(w, r):
    return "fsmonitor" in (w.read("@ws@/.git/config") or "") and ".git/config names a program"


escape("V-06a", "a configuration that changes while it is judged", attempt("race-judge", "good", "evil", "@ws@/.git/config"),
       evil_config, setup=judged, real=True)
escape("V-06b", "a descriptor that is kept over the rename",
       sh("cp good g; exec 3<>g; mv g .git/config; cat evil >&3"), evil_config, setup=judged, real=True)
escape("V-06c", "a hard link that is kept over the rename", sh("cp good g; ln g h; mv g .git/config; cat evil > h"), evil_config,
       setup=judged)
escape("V-06d", "a map that is kept over the rename", ["/usr/bin/python3", "-c", """
import mmap, os, shutil
shutil.copy('good', 'g')
with open('g', 'r+b') as file:
    view = mmap.mmap(file.fileno(), 0)
try:
    os.rename('g', '.git/config')
finally:
    evil = open('evil', 'rb').read()
    view[:len(evil)] = evil
    view.flush()
"""], evil_config, setup=judged)
escape("V-06e", "an appending descriptor", sh("cp good g; exec 3>>g; mv g .git/config; cat evil >&3"), evil_config, setup=judged)

# ---- calls that no program makes ----

for seed in range(6):
    control("V-07" + "abcdef"[seed], "random calls, then an ordinary one (seed %d)" % seed, attempt("fuzz", str(seed), "500"),
            works=lambda w, r: r.status == 0 and "still served" in r.out and not w.exists("@ws@/fuzz/.git/hooks/x-planted"), real=seed == 0, timeout=30)

# ---- fails closed ----


def secret(w):
    w.secret("@out@/secret")


CLOSED = ("./attempt", "read", "@out@/secret")
WITHOUT = (("a", "Landlock", "--no-landlock"), ("b", "a listener", "--no-notify"), ("c", "seccomp", "--no-seccomp"))
for letter, what, option in WITHOUT:
    wrap = ("@tools@/nouserns", option)
    escape("V-16" + letter, "a machine without namespaces and without %s: read" % what, sh("cat @out@/secret; echo refused"), printed,
           setup=secret, wrap=wrap, only=("ll",), may_refuse=True)
    escape("V-16" + letter + "w", "a machine without namespaces and without %s: plant" % what,
           sh("echo planted > .git/hooks/pre-commit; echo refused"), exists(HOOK), setup=repository, wrap=wrap,
           only=("ll",), may_refuse=True)

# ---- the sandbox program, from inside ----

NESTED = ("-r", "@tools@", "-x", "@tools@")
escape("V-25a", "run berm again with more rights", ["@tools@/berm", "run", "-q", "-r", "@out@", "--", "cat", "@out@/secret"], printed,
       bare=["cat", "@out@/secret"], setup=secret, flags=NESTED, ours=True, real=True, may_refuse=True)
escape("V-25b", "run berm again and plant a hook",
       ["@tools@/berm", "run", "-q", "--", "sh", "-c", "echo planted > .git/hooks/pre-commit"], exists(HOOK),
       bare=["sh", "-c", "echo planted > .git/hooks/pre-commit"], setup=repository, flags=NESTED, ours=True, may_refuse=True)
escape("V-25c", "run berm again with the host's network",
       ["@tools@/berm", "run", "-q", "-n", "host", "--", "./attempt", "tcp", "127.0.0.1", "@port@"],
       lambda w, r: w.heard and "the listener was reached", bare=["./attempt", "tcp", "127.0.0.1", "@port@"],
       setup=lambda w: w.inet(), flags=NESTED, ours=True, may_refuse=True)


def planted_helpers(w):
    """The repository ships programs that a careless sandbox would start by their names."""
    for name in ("git", "bwrap", "newuidmap", "newgidmap", "mount", "sh", "fusermount", "ip", "which", "env"):
        w.file("@ws@/bin/" + name, "#!/bin/sh\n: > @canary@\n", 0o755)
    w.env["PATH"] = w.path("@ws@/bin") + ":/usr/bin:/bin"
    w.file("@ws@/.git/config", "[core]\n\tfsmonitor = @ws@/bin/git\n")


escape("V-21", "helpers from a PATH in the workspace", ["git", "status"], exists("@canary@"), setup=planted_helpers)


def events_file(w):
    w.file("@ws@/events", "")
    w.file("@out@/victim", "keep me\n")


escape("V-23a", "the event log: write it from inside", sh("rm -f events; ln -s @out@/victim events; cat .. > x 2>/dev/null; "
                                                          "cat @home@/.ssh/id; echo x > .git/hooks/pre-commit"),
       lambda w, r: w.read("@out@/victim") != "keep me\n" and "berm wrote through a planted link",
       setup=lambda w: (events_file(w), repository(w)), flags=("--events", "@ws@/events"), ours=True,
       unproved="without berm nobody writes the log")


def temp_links(w):
    """Names that a careless program would use in the temporary folder exist already, as links."""
    folder = w.folder("@root@/tmp")
    for name in ("berm", "berm-%d" % w.identity.uid, "berm-" + w.identity.login, "berm.sock", "berm.log", "berm-tmp"):
        os.symlink(w.path("@out@"), os.path.join(folder, name))
    w.env["TMPDIR"] = folder
    os.chmod(folder, 0o1777)
    w.watch("@out@")


escape("V-24", "predictable temporary names", sh("echo planted > ${TMPDIR:-/tmp}/x; for d in @root@/tmp/*; do echo planted > $d/y; done"),
       lambda w, r: w.changes("@out@") and "written through a planted link", setup=temp_links)
