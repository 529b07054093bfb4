"""Class C, first part: shells, pipes, local sockets, terminals, statuses."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from row import attempt, bash, control, py, sh, status
from world import Result

# ---- pipelines and children ----

control("C-01a", "a thousand pipelines", sh("i=0; while [ $i -lt 1000 ]; do echo x | cat > /dev/null || exit 1; i=$((i+1)); done; echo DONE"),
        timeout=60, real=True, slow=True)
control("C-01b", "pipelines with a handler for SIGCHLD",
        bash("trap : CHLD; for i in $(seq 150); do a=$(echo $i | cat | tr -d x); [ \"$a\" = $i ] || exit 1; echo $a > f; done; echo DONE"),
        timeout=40)
control("C-01c", "redirections in a loop", sh("i=0; while [ $i -lt 500 ]; do echo $i > f; read j < f; [ $i = $j ] || exit 1; i=$((i+1)); done; echo DONE"))
control("C-01d", "300 processes at once", sh("i=0; while [ $i -lt 300 ]; do sleep 0.5 & i=$((i+1)); done; wait; echo DONE"), timeout=30)
control("C-01e", "a chain of 100 nested shells", sh("n() { [ $1 -gt 0 ] || { echo DONE; return; }; (n $(($1-1))); }; n 100"), timeout=30)
control("C-01f", "here documents and process substitution", bash("cat <<X > f\nhello\nX\ndiff <(cat f) <(echo hello) && read a < <(echo b) && [ $a = b ] && echo DONE"))
control("C-01g", "xargs with two jobs", sh("seq 200 | xargs -P2 -n5 sh -c 'echo $$ > f.$$; rm f.$$' && echo DONE"))
control("C-01h", "vfork and posix_spawn", py("""
import os, subprocess
for i in range(100):
    pid = os.posix_spawn('/bin/true', ['true'], os.environ)
    assert os.waitpid(pid, 0)[1] == 0
assert subprocess.run(['sh', '-c', 'exit 3']).returncode == 3
print('DONE')
"""))

# ---- sockets of one's own ----

SOCKET = """
import os, socket, sys, threading
kind = getattr(socket, 'SOCK_' + sys.argv[2])
server = socket.socket(socket.AF_UNIX, kind)
server.bind(sys.argv[1])
server.listen(5)
assert server.getsockname() == sys.argv[1], server.getsockname()
def serve():
    conn, _ = server.accept()
    conn.sendall(conn.recv(100).upper())
thread = threading.Thread(target=serve)
thread.start()
client = socket.socket(socket.AF_UNIX, kind)
client.connect(sys.argv[1])
client.sendall(b'done')
print(client.recv(100).decode())
thread.join()
"""
control("C-03a", "a Unix socket in the workspace", py(SOCKET) + ["own.sock", "STREAM"], real=True)
control("C-03b", "a Unix socket in the temporary folder",
        sh("cat > s.py <<'X'%sX\npython3 s.py ${TMPDIR:-/tmp}/berm-own-$$.sock STREAM" % SOCKET), real=True)
control("C-03c", "a Unix socket for packets", py(SOCKET) + ["own.sock", "SEQPACKET"])
control("C-03d", "a socket whose name is absolute", py(SOCKET) + ["@ws@/s", "STREAM"])
control("C-03e", "a pair of stream sockets", py("""
import socket, os
a, b = socket.socketpair()
if os.fork() == 0:
    b.sendall(b'DONE'); os._exit(0)
print(a.recv(10).decode())
"""))
control("C-03f", "a pair of datagram sockets keeps messages apart", py("""
import socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b'one'); a.send(b'two')
assert b.recv(100) == b'one' and b.recv(100) == b'two'
print('DONE')
"""), real=True)
control("C-03g", "a named pipe", sh("mkfifo p; (echo DONE > p) & cat p; wait"), real=True)
control("C-03h", "a named pipe, twenty readers before their writers",
        sh("for i in $(seq 20); do mkfifo p$i; cat p$i > o$i & done; for i in $(seq 20); do echo $i > p$i; done; wait; "
           "for i in $(seq 20); do [ $(cat o$i) = $i ] || exit 1; done; echo DONE"))
control("C-03i", "multiprocessing: pool, queue, manager, shared memory", sh("""cat > m.py <<'X'
import multiprocessing as mp
from multiprocessing import shared_memory
def square(x): return x * x
def put(q): q.put('queued')
if __name__ == '__main__':
    with mp.Pool(4) as pool:
        assert sum(pool.map(square, range(50))) == 40425
    q = mp.Queue()
    p = mp.Process(target=put, args=(q,)); p.start()
    assert q.get(timeout=10) == 'queued'; p.join()
    with mp.Manager() as manager:
        d = manager.dict(); d['a'] = 1
        assert d['a'] == 1
    m = shared_memory.SharedMemory(create=True, size=100)
    m.buf[0] = 7; m.close(); m.unlink()
    lock = mp.Lock()
    with lock: pass
    print('DONE')
X
python3 m.py"""), timeout=30, real=True)
control("C-03j", "multiprocessing: spawn and forkserver", sh("""cat > m.py <<'X'
import multiprocessing as mp
def square(x): return x * x
if __name__ == '__main__':
    for method in ('spawn', 'forkserver'):
        with mp.get_context(method).Pool(2) as pool:
            assert pool.map(square, [3]) == [9]
    print('DONE')
X
python3 m.py"""), timeout=30)
control("C-03k", "an abstract socket of one's own", py("""
import os, socket
s = socket.socket(socket.AF_UNIX); s.bind('\\0berm-own-%d' % os.getpid()); s.listen(1)
c = socket.socket(socket.AF_UNIX); c.connect(s.getsockname())
a, _ = s.accept(); c.sendall(b'DONE'); print(a.recv(10).decode())
"""), only=("ns",))  # docs/guarantees.md, "Without namespaces"
control("C-03l", "a descriptor passed over a socket", py("""
import array, os, socket
a, b = socket.socketpair()
open('f', 'w').write('DONE')
if os.fork() == 0:
    fd = os.open('f', os.O_RDONLY)
    a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [fd]))]); os._exit(0)
_, anc, _, _ = b.recvmsg(1, socket.CMSG_LEN(4))
print(os.read(array.array('i', anc[0][2])[0], 10).decode())
"""))
control("C-03m", "a Unix socket in a folder made inside, for another process", sh("""mkdir -p d/e; cat > s.py <<'X'
import socket
s = socket.socket(socket.AF_UNIX); s.bind('d/e/s'); s.listen(1); print('up', flush=True)
c, _ = s.accept(); c.sendall(b'DONE'); c.close()
X
python3 s.py > up & until [ -s up ]; do :; done
python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.connect('@ws@/d/e/s'); print(s.recv(10).decode())"; wait"""))
control("C-03n", "connecting to a socket that nobody listens on", py("""
import errno, socket
s = socket.socket(socket.AF_UNIX); s.bind('dead'); s.close()
for name, want in (('dead', errno.ECONNREFUSED), ('absent', errno.ENOENT)):
    try: socket.socket(socket.AF_UNIX).connect(name)
    except OSError as e: assert e.errno == want, (name, e)
print('DONE')
"""))
control("C-04a", "names and addresses of interfaces", py("""
import socket
assert any(name == 'lo' for _, name in socket.if_nameindex())
assert socket.getaddrinfo('localhost', 80)
assert socket.gethostname()
print('DONE')
"""), real=True)
control("C-04b", "a server and a client on the sandbox's own loopback", py("""
import socket, threading
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1)
def serve():
    c, _ = s.accept(); c.sendall(b'DONE'); c.close()
threading.Thread(target=serve).start()
c = socket.create_connection(s.getsockname()); print(c.recv(10).decode())
"""), only=("ns",))
control("C-04c", "a name that cannot be resolved is an error, not a hang", py("""
import socket
try: socket.getaddrinfo('no-such-host.invalid', 80); print('?')
except OSError: print('DONE')
"""))
control("C-04d", "asyncio with subprocesses", py("""
import asyncio
async def main():
    p = await asyncio.create_subprocess_exec('sh', '-c', 'cat; exit 3', stdin=-1, stdout=-1)
    out, _ = await p.communicate(b'hello')
    assert out == b'hello' and p.returncode == 3
    w = await asyncio.start_unix_server(lambda r, w: w.close(), path='a.sock')
    r, _ = await asyncio.open_unix_connection('a.sock')
    assert await r.read() == b''
    print('DONE')
asyncio.run(main())
"""))

# ---- status, bytes, signals ----

BYTES = bytes(range(256)) * 1024
for number in (0, 1, 42, 99, 122, 128, 200, 255):
    control("C-19-%d" % number, "exit status %d" % number, sh("exit %d" % number), status(number))
control("C-19a", "ended by a signal", sh("kill -TERM $$"), lambda w, r: r.status in (-15, 143))
control("C-19b", "killed", sh("kill -KILL $$"), lambda w, r: r.status in (-9, 137))
control("C-19c", "256 KiB from standard input to standard output", ["cat"],
        lambda w, r: r.out == BYTES.decode("utf-8", "replace") and r.status == 0, stdin=BYTES[:65536],
        drive=lambda w, wrap, env: pipe_bytes(w, wrap, env))
control("C-19d", "standard error apart", sh("echo out; echo err >&2"), lambda w, r: r.out == "out\n" and "err" in r.err)
control("C-19e", "a reader that goes away early", bash("yes | head -1 > /dev/null; [ ${PIPESTATUS[0]} = 141 ] && echo DONE"))
control("C-19f", "long argument lists", sh("a=$(seq 1 20000 | tr '\\n' ' '); set -- $a; [ $# = 20000 ] && /bin/echo $a | wc -w | grep -qx 20000 && echo DONE"))
control("C-19g", "words with spaces, quotes and newlines", ["printf", "%s|", "a b", "\"c'", "d\ne", "", "$x *"],
        lambda w, r: r.out == "a b|\"c'|d\ne||$x *|")
control("C-19h", "no standard input", sh("cat < /dev/null; echo DONE"))
control("C-19i", "a closed standard output", sh("exec >&-; echo x 2> /dev/null; :"), status(0))
control("C-19j", "standard output is a file of the host's", sh("echo DONE"), lambda w, r: w.read("@out@/log") == "DONE\n",
        drive=lambda w, wrap, env: to_file(w, wrap, env))
control("C-19k", "reopening /dev/stdout when it is a file", sh("echo DONE > /dev/stdout"), lambda w, r: w.read("@out@/log") == "DONE\n",
        drive=lambda w, wrap, env: to_file(w, wrap, env))
control("C-19l", "reopening /dev/stdout when it is a pipe", sh("echo DONE > /dev/stdout"), real=True,
        drive=lambda w, wrap, env: w.run(["sh", "-c", quote(wrap(sh("echo DONE > /dev/stdout"))) + " | cat"], env=env))
control("C-19m", "reopening /dev/stderr and /dev/fd", sh("echo x > /dev/stderr; exec 5> f; echo DONE > /dev/fd/5; cat f"))
control("C-19n", "the working folder", sh("pwd; [ \"$(pwd -P)\" = @ws@ ] && echo DONE"))
control("C-19o", "limits and umask are the caller's", sh("ulimit -n; umask"), lambda w, r: r.out.split() == ["222", "0027"],
        bare=sh("ulimit -n 222; umask 027; ulimit -n; umask"), wrap=("sh", "-c", 'ulimit -n 222; umask 027; exec "$@"', "sh"))
control("C-19p", "signals that the caller ignores stay ignored", sh("kill -HUP $$; echo DONE"),
        bare=sh("trap '' HUP; sh -c 'kill -HUP $$; echo DONE'"), wrap=("sh", "-c", 'trap "" HUP; exec "$@"', "sh"))
control("C-19q", "a program that is not there", ["./no-such-program"], status(127), bare=sh("./no-such-program; exit 127"))
control("C-19r", "a file that cannot be run", ["./plain"], status(126), bare=sh("./plain; exit 126"), setup=lambda w: w.file("@ws@/plain", "x\n"))
control("C-19s", "SIGTERM to the sandbox ends the program", sh("trap 'echo DONE; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
        lambda w, r: "up" in r.out and not r.timed_out and not w.survivors(), drive=lambda w, wrap, env: terminate(w, wrap, env))


def pipe_bytes(w, wrap, env):
    proc = subprocess.run(wrap(["cat"]), input=BYTES, capture_output=True, cwd=w.ws, env=w.environment(env), timeout=15,
                          **w.identity.popen_args())
    same = proc.stdout == BYTES
    return Result(proc.returncode, BYTES.decode("utf-8", "replace") if same else "differs", "", False, 0)


def to_file(w, wrap, env):
    path = w.path("@out@/log")
    words = sh("echo DONE > /dev/stdout") if w.notes.get("reopen") else sh("echo DONE")
    with open(path, "wb") as log:
        os.chmod(path, 0o666)
        proc = subprocess.run(wrap(words), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE, cwd=w.ws,
                              env=w.environment(env), timeout=15, **w.identity.popen_args())
    return Result(proc.returncode, "", proc.stderr.decode("utf-8", "replace"), False, 0)


def terminate(w, wrap, env):
    words = wrap(sh("trap 'echo DONE; exit 0' TERM; echo up; while :; do sleep 0.05; done"))
    proc = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=w.ws, env=w.environment(env),
                            start_new_session=True, **w.identity.popen_args())
    out = proc.stdout.readline().decode()
    proc.send_signal(signal.SIGTERM)
    try:
        more, err = proc.communicate(timeout=5)
        return Result(proc.returncode, out + more.decode(), err.decode(), False, 0)
    except subprocess.TimeoutExpired:
        os.killpg(proc.pid, signal.SIGKILL)
        proc.communicate()
        return Result(-9, out, "", True, 0)


# ---- terminals ----

class Terminal:
    """A terminal with a shell in it; what is typed and what is awaited."""

    def __init__(self, w, argv, env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = w.environment(env)
        env["PS1"], env["HISTFILE"] = "PROMPT>", "/dev/null"
        self.proc = subprocess.Popen(["setsid", "-c", *argv], stdin=slave, stdout=slave, stderr=slave, cwd=w.ws, env=env,
                                     **w.identity.popen_args())
        os.close(slave)
        self.out, self.seen = "", 0

    def wait_for(self, text, seconds=6):
        """True once text came after what was awaited before."""
        end = time.monotonic() + seconds
        while text not in self.out[self.seen:]:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return False
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.out += data.decode("utf-8", "replace")
        self.seen = self.out.index(text, self.seen) + len(text)
        return True

    def type(self, text):
        os.write(self.master, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        os.close(self.master)


def quote(words):
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def session(steps, words):
    """A job-control shell outside that starts the sandbox, and steps: ("wait", text), ("type", text), ("size", rows, columns)."""
    def drive(w, wrap, env):
        terminal = Terminal(w, ["bash", "--norc", "--noprofile", "-i"], env)
        ok, failed = terminal.wait_for("PROMPT>"), None
        terminal.type("stty -echo\n")
        ok = ok and terminal.wait_for("PROMPT>")
        terminal.type(quote(wrap([w.fill(x) for x in words])) + "\n")
        for step in steps:
            if step[0] == "wait" and not terminal.wait_for(step[1]):
                ok, failed = False, step
                break
            if step[0] == "type":
                terminal.type(step[1])
            if step[0] == "size":
                terminal.resize(*step[1:])
        text = terminal.out
        terminal.close()
        return Result(0 if ok else 1, text + ("\nDONE" if ok else ""), "failed at %r in %r" % (failed, text[-300:].replace("\n", " ")) if not ok else "",
                      False, 0)
    return drive


# One process that forks nothing: a shell that is stopped between vfork and exec of a child never reports it. What is
# waited for must not stand in the command, which the shell prints as well.
LOOP = py("import time; print('up', flush=True)\nwhile True: time.sleep(0.05)")
TERMINAL = ("setsid",)
control("C-07a", "Ctrl-C ends the program, the shell goes on", LOOP, needs=TERMINAL, real=True,
        drive=session((("wait", "up"), ("type", "\x03"), ("wait", "PROMPT>"), ("type", "echo status $?\n"), ("wait", "status 130")), LOOP))
STOPPER = bash("echo up; read line; echo got $line; exit 7")
control("C-07b", "Ctrl-Z stops, fg goes on", STOPPER, needs=TERMINAL, real=True,
        drive=session((("wait", "up"), ("type", "\x1a"), ("wait", "Stopped"), ("wait", "PROMPT>"), ("type", "fg\n"), ("type", "hello\n"),
                       ("wait", "got hello"), ("wait", "PROMPT>"), ("type", "echo status $?\n"), ("wait", "status 7")), STOPPER))
TICK = py("import time; print('up', flush=True)\nwhile True: print('ti' + 'ck', flush=True); time.sleep(0.05)")
control("C-07c", "Ctrl-Z twice, bg and fg", TICK, needs=TERMINAL,
        drive=session((("wait", "up"), ("type", "\x1a"), ("wait", "Stopped"), ("type", "fg\n"), ("wait", "tick"), ("type", "\x1a"), ("wait", "Stopped"),
                       ("wait", "PROMPT>"), ("type", "bg\n"), ("wait", "tick"), ("type", "fg\n"), ("wait", "python3"), ("wait", "tick"), ("type", "\x03"),
                       ("wait", "PROMPT>"), ("type", "echo sta''tus $?\n"), ("wait", "status 130")), TICK))
SIZE = py("""
import os, signal, time
def show(*unused): os.write(1, b'%d %d\\n' % (os.get_terminal_size().lines, os.get_terminal_size().columns))
signal.signal(signal.SIGWINCH, show); show()
while True: time.sleep(0.05)
""")
control("C-07d", "the size of the terminal follows", SIZE, needs=TERMINAL, real=True,
        drive=session((("wait", "24 80"), ("size", 40, 132), ("wait", "40 132"), ("type", "\x03"), ("wait", "PROMPT>")), SIZE))
RAW = bash("stty raw -echo; echo up; c=$(head -c 1); stty sane; echo got $c")
control("C-07e", "raw mode", RAW, needs=TERMINAL, drive=session((("wait", "up"), ("type", "q"), ("wait", "got q"), ("wait", "PROMPT>")), RAW))
TTY = bash("tty; test -t 0 && test -t 1 && echo from > /dev/tty && read a < /dev/tty && echo got $a")
control("C-07f", "/dev/tty", TTY, needs=TERMINAL, real=True, drive=session((("wait", "from"), ("type", "x\n"), ("wait", "got x"), ("wait", "PROMPT>")), TTY))
INNER = ["bash", "--norc", "--noprofile", "-i"]
control("C-07g", "a shell with job control inside", INNER, needs=TERMINAL, real=True,
        drive=session((("type", "PS1='IN''SIDE>'\n"), ("wait", "INSIDE>"), ("type", "python3 -c 'import time\nwhile True: print(\"ti\"+\"ck\", flush=True); time.sleep(0.05)'\n"), ("wait", "tick"), ("type", "\x1a"),
                       ("wait", "Stopped"), ("wait", "INSIDE>"), ("type", "fg\n"), ("wait", "tick"), ("type", "\x03"), ("wait", "INSIDE>"), ("type", "exit 5\n"), ("wait", "PROMPT>"),
                       ("type", "echo status $?\n"), ("wait", "status 5")), INNER))
control("C-07h", "script(1) inside", ["script", "-qec", "tty; echo inner", "/dev/null"], needs=("script", "setsid"), real=True,
        drive=session((("wait", "/dev/pts/"), ("wait", "inner"), ("wait", "PROMPT>")), ["script", "-qec", "tty; echo inner", "/dev/null"]))
PTY = py("""
import os, pty, sys
out = b''
def read(fd):
    global out
    data = os.read(fd, 1000); out += data; return data
assert pty.spawn(['sh', '-c', 'test -t 0 && tty && exit 3'], read) == 3 << 8
assert b'/dev/pts/' in out
print('DONE')
""")
control("C-07i", "a pseudo terminal made inside", PTY, real=True)
control("C-07j", "Ctrl-\\ ends the program", LOOP, needs=TERMINAL,
        drive=session((("wait", "up"), ("type", "\x1c"), ("wait", "PROMPT>"), ("type", "echo status $?\n"), ("wait", "status 131")), LOOP))
control("C-07k", "reading the terminal from the background stops", STOPPER, needs=TERMINAL,
        drive=session((("wait", "up"), ("type", "\x1a"), ("wait", "Stopped"), ("wait", "PROMPT>"), ("type", "jobs\n"), ("wait", "Stopped"),
                       ("type", "kill %1; fg\n"), ("wait", "PROMPT>")), STOPPER))
control("C-07l", "a terminal program after the sandbox: its modes are restored", RAW, needs=TERMINAL,
        drive=session((("wait", "up"), ("type", "q"), ("wait", "got q"), ("wait", "PROMPT>"), ("type", "read x; echo got2 $x\n"), ("type", "y\n"),
                       ("wait", "got2 y")), RAW))
