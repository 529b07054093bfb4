"""Class C, last part: what the flags grant works, and the sandbox's own promises."""
import json
import os

from row import attempt, control, py, said_done, sh, status

control("C-40a", "-r: a readable folder", sh("cat @out@/f"), works=lambda w, r: r.out == "x\n", setup=lambda w: w.file("@out@/f", "x\n"), flags=("-r", "@out@"), real=True)
control("C-40b", "-w: a writable folder", sh("echo new > @out@/g && mv @out@/g @out@/h && mkdir @out@/d && rm -r @out@/d && chmod 600 @out@/f && echo DONE"),
        setup=lambda w: w.file("@out@/f", "x\n"), flags=("-w", "@out@"), real=True)
control("C-40c", "-x: a runnable folder", sh("@out@/bin/p"), setup=lambda w: w.file("@out@/bin/p", "#!/bin/sh\necho DONE\n", 0o755), flags=("-r", "@out@", "-x", "@out@/bin"), real=True)
control("C-40d", "-w: one file", sh("echo DONE > @out@/f && cat @out@/f"), setup=lambda w: w.file("@out@/f", "x\n"), flags=("-w", "@out@/f"))
control("C-40e", "--socket: one socket of the host's", attempt("unix-connect", "@out@/s.sock"), works=lambda w, r: "ACHIEVED" in r.out, setup=lambda w: w.unix("@out@/s.sock"),
        flags=("--socket", "@out@/s.sock"), real=True)
control("C-40f", "-n host: the network", attempt("tcp", "127.0.0.1", "@port@"), works=lambda w, r: "ACHIEVED" in r.out, setup=lambda w: w.inet(), flags=("-n", "host"), real=True)
control("C-40g", "-n host: a port of one's own", py("""
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 0)); s.listen(1)
c = socket.create_connection(s.getsockname()); a, _ = s.accept(); a.sendall(b'DONE'); print(c.recv(9).decode())
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0)); u.sendto(b'DONE', u.getsockname()); print(u.recv(9).decode())
"""), flags=("-n", "host"))
control("C-40h", "-e: a variable", sh("echo $GIVEN$PASSED"), works=lambda w, r: r.out == "DONEDONE\n", env={"GIVEN": "DONE", "PASSED": "DONE"}, flags=("-e", "GIVEN", "-e", "PASSED=DONE"))
control("C-40i", "--deny: the others can be read, the name can be listed", sh("cat conf/plain && ls conf | grep -q key && ! cat conf/key 2> /dev/null && echo DONE"),
        ours=True, works=said_done, setup=lambda w: (w.file("@ws@/conf/key", "k\n"), w.file("@ws@/conf/plain", "p\n")), flags=("--deny", "@ws@/conf/key"), real=True)
control("C-40ia", "--deny: access tells of it", sh("cat conf/plain && ls conf | grep -q key && ! test -r conf/key && ! cat conf/key 2> /dev/null && echo DONE"),
        ours=True, works=said_done, setup=lambda w: (w.file("@ws@/conf/key", "k\n"), w.file("@ws@/conf/plain", "p\n")), flags=("--deny", "@ws@/conf/key"), only=("ns",))
control("C-40j", "--protect: the file can be read, the others written", sh("cat conf/rules > /dev/null && echo x > conf/plain && mv conf/plain conf/other && ! (echo x > conf/rules) 2> /dev/null && echo DONE"),
        ours=True, setup=lambda w: (w.file("@ws@/conf/rules", "k\n"),), flags=("--protect", "@ws@/conf/rules"))


def many(w):
    for i in range(100):
        w.folder("@root@/many/%d" % i)


def many_rules(w):
    """Five thousand lines: most of them are below others, as in policies that were learned."""
    words = []
    for i in range(5000):
        words += ["-r", w.path("@root@/many/%d%s" % (i % 100, "/x%d" % i if i >= 100 else ""))]
    return words


def left_in(home):
    """What there is but the project and folders around something; the folders of sessions and of their denials, once they are empty, are
    berm's own, and so are the workspace's package caches (docs/groups.md)."""
    found = []
    own = [os.path.join(home, "project"), os.path.join(home, ".local", "share", "berm-packages")]
    for folder, names, files in os.walk(home):
        names[:] = [name for name in names if os.path.join(folder, name) not in own]
        found += [os.path.relpath(os.path.join(folder, name), home) for name in files]
        if not names and not files and os.path.join(".local", "state", "berm-denials") not in folder:
            found.append(os.path.relpath(folder, home))
    return sorted(set(found) - {os.path.join(".local", "state", "berm", "sessions"), os.path.join(".local", "share")})


control("C-40k", "-r: the whole home folder", sh("cat ~/notes && ls -A ~ > /dev/null && echo DONE"), setup=lambda w: w.file("@home@/notes", "x\n"), flags=("-r", "@home@"))
control("C-40l", "-r: a folder that holds the home folder", sh("cat ~/notes && echo DONE"), setup=lambda w: w.file("@home@/notes", "x\n"), flags=("-r", "@root@"))
control("C-40m", "-w: the home folder, and nothing is left in it", sh("echo x > ~/new && echo DONE"), works=lambda w, r: said_done(w, r) and
        left_in(w.home) == ["new"], setup=None, flags=("-w", "@home@"))
control("C-40n", "a grant that does not exist", sh("echo DONE"), flags=("-r", "@out@/no/such"))
control("C-40o", "a file, a folder below it and the one above", sh("cat @out@/a/b/f && cat @out@/a/g && echo DONE"), flags=("-r", "@out@/a/b/f", "-w", "@out@/a/b", "-r", "@out@/a"),
        setup=lambda w: (w.file("@out@/a/b/f", "x\n"), w.file("@out@/a/g", "x\n")))
control("C-41", "a policy of five thousand lines", sh("ls @root@/many/7 && echo DONE"), setup=many, flags=many_rules, timeout=30, real=True)
control("C-42a", "--timeout ends the run with 124", ["sleep", "20"], works=lambda w, r: r.status == 124 and r.seconds < 10, ours=True, flags=("--timeout", "1"))
control("C-42b", "--timeout takes background processes along", sh("setsid sleep 23.5 & sleep 20"), works=lambda w, r: r.status == 124 and not w.survivors(), ours=True, flags=("--timeout", "1"))
control("C-42c", "--fail-on-deny", sh("echo x > .bashrc; exit 0"), works=status(123), ours=True, flags=("--fail-on-deny",))


control("C-42d", "--limit file-size", sh("trap '' XFSZ; head -c 3000000 /dev/zero > big 2> /dev/null; [ $(stat -c %s big) -le 1000000 ] && echo DONE"), flags=("--limit", "file-size=1000000"), ours=True)
control("C-42e", "--limit memory", py("""
try: x = bytearray(600 << 20); print('got it')
except MemoryError: print('DONE')
"""), flags=("--limit", "memory=256MiB"), ours=True)
control("C-42f", "--limit processes stops a fork bomb, the host goes on", py("""
import os, time
pids = []
try:
    for i in range(400):
        pid = os.fork()
        if pid == 0: time.sleep(5); os._exit(0)
        pids.append(pid)
    print('forked', len(pids))
except BlockingIOError: print('DONE')
for pid in pids: os.kill(pid, 9); os.waitpid(pid, 0)
"""), flags=("--limit", "processes=100"), ours=True, only=("user",))
control("C-42g", "--limit files", sh("[ $(ulimit -n) = 77 ] && echo DONE"), flags=("--limit", "files=77"), ours=True)
control("C-42h", "--limit cpu", sh("while :; do :; done"), works=lambda w, r: r.status in (128 + 24, 137, -24, -9) and r.seconds < 10, flags=("--limit", "cpu=1"), ours=True)
control("C-18c", "--allow ptrace: strace and gdb", sh("strace -f -o t sh -c true && grep -q exit t && gdb -q -batch -ex run --args true < /dev/null 2>&1 | grep -q exited && echo DONE"),
        flags=("--allow", "ptrace"), needs=("strace", "gdb"), timeout=30, real=True)
control("C-18d", "--allow ptrace does not reach outside", attempt("trace", "@victim@"), works=lambda w, r: r.status == 1 and "refused" in r.out, setup=lambda w: w.victim(),
        flags=("--allow", "ptrace"), ours=True)
control("C-05o", "--allow memfd-exec", attempt("exec-memfd", "./attempt", "say", "ran"), works=lambda w, r: "ACHIEVED ran" in r.out, flags=("--allow", "memfd-exec"))
control("C-20e", "--allow userns: user namespaces inside", sh("unshare -U true && echo DONE"), flags=("--allow", "userns"))


def events(w, r):
    lines = [json.loads(line) for line in (w.read("@out@/events") or "").splitlines()]
    return any(".bashrc" in json.dumps(line) and line.get("verdict") == "deny" for line in lines)


def harmless_events(w, r):
    """Names with control bytes come out as JSON, one event a line, nothing forged."""
    lines = [json.loads(line) for line in (w.read("@out@/events") or "").splitlines()]
    return bool(lines) and not any(line.get("forged") for line in lines) and any("bashrc" in json.dumps(line) for line in lines)


EVENTS = ("--events", "@out@/events")
control("C-43a", "--events: a denial is an event", sh("echo x > .bashrc; :"), works=events, ours=True, flags=EVENTS, real=True)
control("C-43b", "--events: names with newlines and quotes", py("""
import os
name = '{"v":1}\\n{"forged":true,"verdict":"allow"}\\x1b[2J"'
os.mkdir(name)
try: open(name + '/.bashrc', 'w')
except OSError: print('refused')
"""), works=harmless_events, flags=EVENTS, ours=True)
control("C-20a", "berm inside berm", ["@tools@/berm", "run", "-q", "--", "sh", "-c", "echo x > f && cat f && echo DONE"], ours=True,
        flags=("-r", "@tools@", "-x", "@tools@"), real=True)
control("C-20b", "three deep", ["@tools@/berm", "run", "-q", "-r", "@tools@", "-x", "@tools@", "--", "@tools@/berm", "run", "-q", "--", "echo", "DONE"], ours=True,
        flags=("-r", "@tools@", "-x", "@tools@"))
control("C-20c", "a program that adds ten Landlock layers", py("""
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
for i in range(10):
    fd = libc.syscall(444, struct.pack('Q', 1), 8, 0)
    assert fd >= 0 and libc.syscall(446, fd, 0) == 0, ctypes.get_errno()
open('f', 'w').write('x'); print('DONE')
"""))
control("C-20d", "a program that installs a seccomp filter", py("""
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))
prog = struct.pack('HxxxxxxQ', 1, ctypes.addressof(code))
assert libc.prctl(22, 2, prog) == 0, ctypes.get_errno()
open('f', 'w').write('x'); print('DONE')
"""))
control("C-44a", "four sandboxes in one workspace at once", sh("echo DONE"), works=lambda w, r: r.out.count("DONE") == 4, drive=lambda w, wrap, env: four(w, wrap, env))
control("C-44b", "fifty sandboxes one after the other leave nothing behind", sh(":"), works=lambda w, r: r.status == 0 and not w.survivors() and r.out == "",
        drive=lambda w, wrap, env: leftovers(w, wrap, env), timeout=60, slow=True)


def four(w, wrap, env):
    words = wrap(["sh", "-c", "for i in $(seq 30); do echo $$ > $$.x; mv $$.x $$.y; done; echo DONE"])
    text = " & ".join(quote(words) for _ in range(4)) + " & wait"
    return w.run(["sh", "-c", text], env=env)


def quote(words):
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def leftovers(w, wrap, env):
    """Files and folders that runs leave in the temporary folder are printed."""
    folder = w.path("@root@/tmp")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o1777)
    count = 50
    text = "i=0; while [ $i -lt %d ]; do %s || exit 1; i=$((i+1)); done; ls -A '%s'" % (count, quote(wrap(["true"])), folder)
    return w.run(["sh", "-c", text], env={**env, "TMPDIR": folder}, timeout=60)
