"""Scratch worlds: a home, a workspace and an outside folder for one run, with listeners and victims on the host's side."""
import os
import pwd
import re
import select
import secrets
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin"


# A file that one thread has open for writing would be inherited by a child that another thread forks at that moment, and
# nobody could run it meanwhile (ETXTBSY). So nothing is forked while a world is being set up.
FORK = threading.RLock()


class _Popen(subprocess.Popen):
    def __init__(self, *args, **more):
        with FORK:
            super().__init__(*args, **more)


subprocess.Popen = _Popen


class Setup(Exception):
    """The world could not be made; a failure of the row, not of the sandbox."""


class Identity:
    """Who runs the row: root, or an ordinary user that the harness made (or is)."""

    def __init__(self, name, uid, gid):
        self.name, self.uid, self.gid = name, uid, gid
        self.kind = "root" if uid == 0 else "user"
        self.login = pwd.getpwuid(uid).pw_name

    def popen_args(self):
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def end_in_order(*unused):
    """SIGTERM unwinds like an error, so that users and folders are taken away."""
    raise SystemExit(143)


def make_user():
    """An ordinary user without a home of its own, named after the process that has to remove it; those whose process is gone go too."""
    signal.signal(signal.SIGTERM, end_in_order)
    for entry in pwd.getpwall():
        if re.fullmatch(r"bermesc\d+", entry.pw_name) and not os.path.exists("/proc/" + entry.pw_name[7:]):
            remove_user(entry.pw_name)
    name = "bermesc%d" % os.getpid()
    for _ in range(20):
        done = subprocess.run(["useradd", "-M", "-s", "/bin/sh", name], capture_output=True, text=True)
        if done.returncode == 0:
            entry = pwd.getpwnam(name)
            return Identity(name, entry.pw_uid, entry.pw_gid)
        time.sleep(0.1)  # another process holds the lock of /etc/passwd
    raise Setup("useradd: " + done.stderr.strip())


def remove_user(name):
    for _ in range(20):
        if subprocess.run(["userdel", name], capture_output=True).returncode in (0, 6):
            return
        time.sleep(0.1)


def can_have_namespaces(identity):
    return subprocess.run(["unshare", "-Ur", "true"], capture_output=True, **identity.popen_args()).returncode == 0


def place_of_tests():
    """A folder in which a suite can have its own: not below a scratch folder of the sandboxes."""
    return next((folder for folder in ("/srv", "/var/lib") if os.access(folder, os.W_OK)), os.path.expanduser("~"))


class Result:
    def __init__(self, status, out, err, timed_out, seconds):
        self.status, self.out, self.err, self.timed_out, self.seconds = status, out, err, timed_out, seconds


def processes():
    """(pid, command line) of each process that is not a zombie."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % entry, "rb") as file:
                line = file.read()
            if line:
                yield int(entry), line.replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue


def hear_out(conn):
    """Lets the visitor say what it wants to say, so that its send does not fail."""
    try:
        conn.settimeout(0.2)
        conn.recv(100)
    except OSError:
        pass
    conn.close()


class World:
    """Everything one run needs; close() takes it all away."""

    def __init__(self, base, identity, tools):
        self.identity = identity
        self.token = "T0K" + secrets.token_hex(10)
        self.root = tempfile.mkdtemp(prefix="w", dir=base)
        self.home = os.path.join(self.root, "home")
        self.ws = os.path.join(self.home, "project")
        self.out = os.path.join(self.root, "outside")
        for folder in (self.home, self.ws, self.out):
            os.mkdir(folder, 0o755)
        os.chmod(self.root, 0o755)
        self.attempt = os.path.join(self.ws, "attempt")
        with FORK:
            shutil.copy(os.path.join(base, "attempt"), self.attempt)
        self.heard, self.closers, self.fds, self.env = [], [], [], {}
        self.before = {}
        self.notes = {}
        self.vars = {
            "root": self.root, "home": self.home, "ws": self.ws, "out": self.out, "attempt": self.attempt,
            "canary": os.path.join(self.out, "canary"), "tools": tools, "name": os.path.basename(self.root),
            "uid": str(identity.uid), "gid": str(identity.gid), "user": identity.login,
        }

    # ---- files ----

    def path(self, text):
        return self.fill(text) if "@" in text else text

    def fill(self, text):
        return re.sub(r"@(\w+)@", lambda m: self.vars[m.group(1)], text)

    def file(self, path, text="", mode=0o644):
        path = self.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.fill(text))
        os.chmod(path, mode)
        return path

    def secret(self, path, mode=0o600):
        return self.file(path, self.token + "\n", mode)

    def folder(self, path):
        path = self.path(path)
        os.makedirs(path, exist_ok=True)
        return path

    def read(self, path):
        try:
            with open(self.path(path), "rb") as file:
                return file.read().decode("utf-8", "replace")
        except OSError:
            return None

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def give(self):
        """Hands the tree to the identity."""
        if os.geteuid() == self.identity.uid:
            return
        for folder, folders, files in os.walk(self.root):
            for name in [folder] + [os.path.join(folder, f) for f in files + folders]:
                if name not in self.notes.get("keep_owner", ()):
                    os.lchown(name, self.identity.uid, self.identity.gid)

    def snapshot(self, path):
        """What a change of any kind would show in: names, contents, owners, modes, flags, attributes and times."""
        top, seen = self.path(path), {}
        for folder, folders, files in os.walk(top):
            folders.sort()
            for name in [folder] + [os.path.join(folder, f) for f in files]:
                st = os.lstat(name)
                times = (st.st_mtime_ns, st.st_ctime_ns)
                seen[os.path.relpath(name, top)] = (st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_nlink, times)
        return seen

    def watch(self, path):
        self.before[path] = self.snapshot(path)

    def changes(self, path):
        now, before = self.snapshot(path), self.before[path]
        return sorted(name for name in set(now) | set(before) if now.get(name) != before.get(name))

    # ---- running ----

    def environment(self, extra):
        env = {"PATH": PATH, "HOME": self.home, "USER": self.identity.login, "LOGNAME": self.identity.login,
               "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh", "EDITOR": "true", "GIT_TERMINAL_PROMPT": "0"}
        env.update(self.env)
        env.update(extra or {})
        return env

    def run(self, argv, env=None, cwd=None, timeout=20, stdin=b"", on_line=None):
        """Runs as the identity. on_line is called with each complete line of standard output as it comes."""
        start = time.monotonic()
        proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=cwd or self.ws, env=self.environment(env), pass_fds=self.fds,
                                start_new_session=True, **self.identity.popen_args())
        out, err, timed_out = self.pump(proc, stdin, start + timeout, on_line)
        return Result(proc.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), timed_out,
                      time.monotonic() - start)

    @staticmethod
    def pump(proc, stdin, deadline, on_line):
        texts = {proc.stdout.fileno(): b"", proc.stderr.fileno(): b""}
        names = list(texts)
        poll = select.poll()
        for fd in texts:
            poll.register(fd, select.POLLIN)
        if stdin and len(stdin) <= 65536:
            proc.stdin.write(stdin)
        try:
            proc.stdin.close()
        except BrokenPipeError:
            pass
        lines = 0
        ended = None
        while names:
            left = deadline - time.monotonic()
            # A process that was left behind may hold the pipe; it is not waited for.
            if proc.poll() is not None:
                ended = ended or time.monotonic() + 0.5
                left = min(left, ended - time.monotonic())
            if left <= 0:
                break
            for fd, _ in poll.poll(min(left, 0.25) * 1000):
                data = os.read(fd, 65536)
                if not data:
                    poll.unregister(fd)
                    names.remove(fd)
                texts[fd] += data
            complete = texts[proc.stdout.fileno()].split(b"\n")[:-1]
            for line in complete[lines:] if on_line else ():
                on_line(line.decode("utf-8", "replace"))
            lines = len(complete)
        try:
            proc.wait(max(0.05, deadline - time.monotonic()))
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
            for kill in (lambda: os.killpg(proc.pid, signal.SIGKILL), proc.kill):
                try:
                    kill()
                except OSError:
                    pass
            proc.wait()
        result = texts[proc.stdout.fileno()], texts[proc.stderr.fileno()], timed_out
        proc.stdout.close()
        proc.stderr.close()
        return result

    def outside(self, argv, cwd=None, env=None, timeout=5):
        """A command of the person whose machine it is, after the run."""
        if not os.path.isdir(self.path(cwd or self.ws)):
            return Result(127, "", "there is no %s" % cwd, False, 0)
        return self.run([self.fill(word) for word in argv], env=env, cwd=self.path(cwd or self.ws), timeout=timeout)

    # ---- the other side ----

    def survivors(self):
        """Processes whose command line names this world, but for the ones that the harness started."""
        own = self.notes.get("own", set())
        return [(pid, line) for pid, line in processes() if self.root in line and pid not in own]

    def victim(self, session=True):
        """A process of the same user, outside: @victim@ is its pid, @address@ its secret, @victimfd@ an open file."""
        self.secret("@out@/held")
        log = os.path.join(self.out, "signals")
        self.give()
        env = self.environment({"VICTIM_SECRET": self.token})
        proc = subprocess.Popen([self.attempt, "victim", log, self.token, os.path.join(self.out, "held")],
                                stdout=subprocess.PIPE, cwd=self.out, env=env, start_new_session=session, text=True,
                                **self.identity.popen_args())
        pid, address, fd = proc.stdout.readline().split()
        self.notes.setdefault("own", set()).add(proc.pid)
        self.notes["victim"], self.notes["signals"] = proc, log
        self.vars.update(victim=pid, address=address, victimfd=fd)
        self.closers.append(lambda: (proc.kill(), proc.wait(), proc.stdout.close()))
        return proc

    def signals(self):
        return (self.read(self.notes["signals"]) or "").split()

    def serve(self, sock, label):
        """Writes down every visitor."""
        stopping = threading.Event()

        def loop():
            while True:
                try:
                    if sock.type == socket.SOCK_DGRAM:
                        if not sock.recv(100) and stopping.is_set():  # what is shut down reads as empty datagrams
                            return
                    else:
                        conn, _ = sock.accept()
                except OSError:
                    return
                self.heard.append(label)
                if sock.type != socket.SOCK_DGRAM:
                    hear_out(conn)
        if sock.type != socket.SOCK_DGRAM:
            sock.listen(64)
        thread = threading.Thread(target=loop, daemon=True)
        thread.start()

        def stop():
            stopping.set()
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
            thread.join(0.5)
        self.closers.append(stop)
        return sock

    def unix(self, path, kind=socket.SOCK_STREAM):
        """A listener with a path; everybody may connect. The address may be too long, so it is bound from its folder."""
        path = self.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        sock = socket.socket(socket.AF_UNIX, kind)
        fd = os.open(os.path.dirname(path), os.O_PATH)
        sock.bind("/proc/self/fd/%d/%s" % (fd, os.path.basename(path)))
        os.close(fd)
        os.chmod(path, 0o777)
        return self.serve(sock, path)

    def abstract(self, name, kind=socket.SOCK_STREAM):
        sock = socket.socket(socket.AF_UNIX, kind)
        sock.bind("\0" + self.fill(name))
        return self.serve(sock, name)

    def inet(self, address="127.0.0.1", kind=socket.SOCK_STREAM, protocol=0):
        """A listener on the loopback; @port@ is where."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, kind, protocol)
        sock.bind((address, 0))
        self.vars["port"] = str(sock.getsockname()[1])
        return self.serve(sock, "%s:%s" % (address, self.vars["port"]))

    def knock(self, port, address="127.0.0.1"):
        """Tries to reach something inside from the host."""
        try:
            socket.create_connection((address, port), 0.3).close()
            self.heard.append("knock")
        except OSError:
            pass

    def close(self):
        for pid, _ in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        for closer in reversed(self.closers):
            closer()
        for fd in self.fds:
            try:
                os.close(fd)
            except OSError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)
        if os.path.exists(self.root):
            subprocess.run(["chmod", "-R", "u+rwx", self.root], capture_output=True)
            shutil.rmtree(self.root, ignore_errors=True)
