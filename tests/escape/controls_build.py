"""Class C, third part: the programs that people run under an agent."""
import os
import shutil
import subprocess
import threading

import needs
from gitworld import home_config, repository
from row import bash, control, py, sh
from world import PATH, Setup

# ---- git ----

GIT = ("git",)
control("C-05a", "status, add, commit, diff, log", sh("git status -s; echo new > n.txt; git add n.txt && git commit -qm new && git diff HEAD~1 --stat > /dev/null && git log --oneline > /dev/null && echo DONE"),
        setup=repository, needs=GIT, real=True)
control("C-05b", "init, config user, remote add, first commit", sh("mkdir n && cd n && git init -q . && git config user.name X && git config user.email x@example.org && "
        "git remote add origin ../other && echo a > a && git add a && git commit -qm a && git config --get user.name && git remote -v > /dev/null && git config --unset user.name && echo DONE"),
        setup=home_config, needs=GIT, real=True)
control("C-05c", "clone, branch, merge, rebase, stash, tag", sh("git clone -q . cloned && cd cloned && git checkout -q -b work && echo w > w && git add w && git commit -qm w && git checkout -q main && "
        "echo m > m && git add m && git commit -qm m && git merge -q work -m merge && git tag v1 && echo s >> m && git stash -q && git stash pop -q && git checkout -q m && "
        "git rebase -q HEAD~1 > /dev/null 2>&1; git reset -q --hard v1 && git branch -D work > /dev/null && git gc -q && git fsck > /dev/null 2>&1 && echo DONE"), setup=repository, needs=GIT, timeout=30)
control("C-05d", "worktree add, commit there, remove", sh("git worktree add -q wt side && cd wt && echo x > x && git add x && git commit -qm x && cd .. && git worktree list > /dev/null && git worktree remove wt && echo DONE"),
        setup=repository, needs=GIT, real=True)
control("C-05e", "submodule add, commit, update", sh("git clone -q --bare . sub.git && git submodule add -q ./sub.git m && git commit -qm m && git submodule update --init -q && git -C m log --oneline > /dev/null && "
        "git submodule status > /dev/null && git submodule deinit -q -f m && echo DONE"), setup=repository, needs=GIT, timeout=30, real=True)
control("C-05f", "push to a bare repository beside, push -u, fetch, pull", sh("git init -q --bare up.git && git remote add up ./up.git && git push -q -u up main && git fetch -q up && git pull -q && git branch -vv > /dev/null && echo DONE"),
        setup=repository, needs=GIT, real=True)
control("C-05g", "branches called config, HEAD-like and hooks", sh("git checkout -q -b config && git checkout -q -b hooks/config && git checkout -q -b feature/.x 2>/dev/null; echo a > b && git add b && git commit -qm b && "
        "git branch -m config config2 && git pack-refs --all && echo DONE"), setup=repository, needs=GIT, real=True)
control("C-05h", "files called config, HEAD and hooks in the work tree", sh("mkdir -p src/hooks conf; echo a > config; echo b > conf/config; echo c > src/hooks/pre-commit; echo d > src/HEAD; git add -A && git commit -qm x && echo DONE"),
        setup=repository, needs=GIT)
control("C-05i", "apply, am, cherry-pick, revert, clean, mv, rm", sh("echo p >> a.txt && git commit -qam p && git format-patch -q -1 && git revert --no-edit HEAD > /dev/null && git am -q 0001-p.patch && git mv a.txt z.txt && "
        "git rm -q sub/b.txt && git commit -qm mv && git cherry-pick HEAD~1 > /dev/null 2>&1; git cherry-pick --abort 2> /dev/null; git clean -fdq && git status -s && echo DONE"), setup=repository, needs=GIT)


def linked_worktree(w):
    """The workspace is a linked worktree whose repository lies beside it."""
    repository(w, "@home@/main")
    w.give()
    done = w.run(["sh", "-c", "git -C %s/main worktree add -q -f %s/wt side" % (w.home, w.home)])
    if done.status:
        raise Setup(done.err)


control("C-05j", "a linked worktree as the workspace", sh("echo x > x && git add x && git commit -qm x && git status -s && git log -1 --oneline > /dev/null && echo DONE"), setup=linked_worktree, cwd="@home@/wt", needs=GIT, real=True)
control("C-05k", "started in a folder of the repository", sh("echo x > x && git add x && git commit -qm x && cd .. && echo y > y && git add y && git commit -qm y && echo DONE"),
        setup=repository, cwd="@ws@/sub", needs=GIT, real=True)
control("C-05l", "git grep, blame, bisect, notes, archive", sh("git grep -q one && git blame a.txt > /dev/null && git notes add -m n && git archive HEAD | tar t > /dev/null && git bisect start HEAD HEAD~1 > /dev/null && git bisect reset -q 2>/dev/null; git describe --always > /dev/null && echo DONE"),
        setup=repository, needs=GIT)
control("C-05m", "git hooks of the user's own still run", sh("echo x > x && git add x && git commit -qm x && cat ran"), needs=GIT, works=lambda w, r: "ran" in r.out,
        setup=lambda w: (repository(w), w.file("@ws@/.git/hooks/pre-commit", "#!/bin/sh\necho ran > ran\n", 0o755)))
control("C-05n", "settings that name no program", sh("git config core.autocrlf input && git config pull.rebase true && git config branch.main.description x && git config color.ui always && git config core.fileMode true && echo DONE"),
        setup=repository, needs=GIT)

# ---- C ----

HELLO_C = "#include <stdio.h>\nint main(void) { puts(\"DONE\"); return 0; }\n"


def c_project(w):
    for i in range(6):
        w.file("@ws@/f%d.c" % i, "int f%d(int x) { return x + %d; }\n" % (i, i))
    w.file("@ws@/main.c", HELLO_C)
    w.file("@ws@/Makefile", "OBJ = main.o $(patsubst %d,f%d.o,0 1 2 3 4 5)\nOBJ = main.o f0.o f1.o f2.o f3.o f4.o f5.o\nprog: $(OBJ)\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -O1 -g -MMD -c -o $@ $<\n-include *.d\n")


control("C-10a", "make -j2 with gcc", sh("make -s -j2 && ./prog"), setup=c_project, needs=("gcc", "make"), real=True, timeout=40)
control("C-10b", "a static program with musl", sh("musl-gcc -static -o p main.c && ./p"), setup=c_project, needs=("musl-gcc",))
control("C-10c", "a static busybox", sh("cp $(command -v busybox) busybox && ./busybox sh -c 'echo a | ./busybox sed s/a/b/' && ./busybox ls -l > /dev/null && ./busybox mkdir d && ./busybox mv d e && ./busybox echo DONE"), needs=("busybox",))
control("C-10d", "a shared library, loaded at run time", sh("echo 'int f(void) { return 7; }' > l.c && gcc -shared -fPIC -o l.so l.c && python3 -c 'import ctypes; assert ctypes.CDLL(\"./l.so\").f() == 7; print(\"DONE\")'"), needs=("gcc",))
control("C-10e", "a profile, a coverage run", sh("gcc --coverage -o p main.c && ./p > /dev/null && ls *.gcda > /dev/null && echo DONE"), setup=c_project, needs=("gcc",))
control("C-10f", "threads and OpenMP", sh("""cat > t.c <<'X'
#include <omp.h>
#include <stdio.h>
int main(void) { int n = 0;
#pragma omp parallel for reduction(+:n)
for (int i = 0; i < 1000; i++) n += i;
puts(n == 499500 ? "DONE" : "?"); }
X
gcc -fopenmp -o t t.c && ./t"""), needs=("gcc",))
control("C-10g", "a crash is reported as one", sh("printf 'int main(void) { *(volatile int *)0 = 1; }' > c.c && gcc -o c c.c && ./c; [ $? = 139 ] && echo DONE"), needs=("gcc",))

# ---- Go ----

GO_PREEMPT = """package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(4)
	stop := make(chan bool)
	for i := 0; i < 2; i++ {
		go func() { x := 0; for { select { case <-stop: return; default: x++ } } }()
	}
	go func() { for { select { case <-stop: return; default: runtime.GC() } } }()
	var wait sync.WaitGroup
	for n := 0; n < 4; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			for i := 0; i < 150; i++ {
				name := "go" + strconv.Itoa(n) + "-" + strconv.Itoa(i)
				if os.WriteFile(name, []byte("x"), 0o644) != nil || os.Rename(name, name+"r") != nil || os.Remove(name+"r") != nil {
					println("failed", name)
					os.Exit(1)
				}
			}
		}(n)
	}
	wait.Wait()
	close(stop)
	os.Stdout.WriteString("DONE\\n")
}
"""
_go_lock = threading.Lock()


def go_cache(w):
    """Compiles once and keeps that; a copy of the compiler's cache goes into each world."""
    folder = os.path.join(needs.TOOLS["folder"], "go")
    with _go_lock:
        if w.read(folder + "/ok") != GO_PREEMPT:
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder + "/src")
            for name, text in (("go.mod", "module example.org/p\n\ngo 1.19\n"), ("main.go", GO_PREEMPT)):
                with open(os.path.join(folder, "src", name), "w") as file:
                    file.write(text)
            env = {"PATH": PATH, "HOME": folder, "GOCACHE": folder + "/cache", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
                   "GOTELEMETRY": "off"}
            subprocess.run(["go", "build", "-o", folder + "/preempt", "."], cwd=folder + "/src", env=env, check=True, capture_output=True, timeout=300)
            with open(folder + "/ok", "w") as file:
                file.write(GO_PREEMPT)
    shutil.copytree(folder + "/src", w.path("@ws@"), dirs_exist_ok=True)
    w.vars["go"] = folder


def go_project(w):
    go_cache(w)
    shutil.copytree(w.vars["go"] + "/cache", w.path("@ws@/.gocache"))


GO_ENV = "export GOCACHE=@ws@/.gocache GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-mod=mod GOTELEMETRY=off PATH=$PATH:/usr/local/go/bin; "
control("C-02", "a Go program under preemption", sh("./preempt"), needs=("go",), real=True, timeout=30,
        setup=lambda w: (go_cache(w), shutil.copy(w.vars["go"] + "/preempt", w.path("@ws@/preempt"))))
control("C-10h", "go build and go vet", sh(GO_ENV + "go build -o p . && ./p"), setup=go_project, needs=("go",), timeout=60, slow=True)

# ---- Rust, Java ----


def rust_project(w):
    w.file("@ws@/Cargo.toml", "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    w.file("@ws@/src/main.rs", "fn main() { println!(\"DONE\"); }\n")
    w.file("@ws@/build.rs", "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }\n")


control("C-10i", "cargo build offline, with a build script", sh("cargo build -q --offline && target/debug/p"), setup=rust_project, needs=("cargo",), timeout=60, slow=True)


def java_project(w):
    w.file("@ws@/Main.java", """import java.nio.file.*; import java.util.stream.*;
public class Main { public static void main(String[] a) throws Exception {
  Path f = Files.createTempFile("x", "y"); Files.writeString(f, "x"); Files.delete(f);
  Files.writeString(Path.of("out"), "y"); Files.move(Path.of("out"), Path.of("out2"));
  int n = IntStream.range(0, 1000).parallel().sum();
  Process p = new ProcessBuilder("sh", "-c", "exit 3").start();
  if (n == 499500 && p.waitFor() == 3) System.out.println("DONE"); } }
""")


control("C-10j", "javac and java", sh("javac Main.java && java Main"), setup=java_project, needs=("javac",), timeout=60, slow=True, real=True)

# ---- Node ----

NODE = """
const { spawn, spawnSync, fork, exec } = require('child_process');
const fs = require('fs'), os = require('os'), path = require('path');
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) { parentPort.postMessage(7); return; }
if (process.argv[2] === 'child') { process.send('hi'); process.disconnect(); return; }
(async () => {
  const sync = spawnSync('sh', ['-c', 'cat; exit 4'], { input: 'in' });
  if (sync.status !== 4 || String(sync.stdout) !== 'in') throw 'spawnSync';
  await new Promise((ok) => { const c = spawn('cat'); c.stdout.on('data', (d) => String(d) === 'x' && ok()); c.stdin.end('x'); });
  await new Promise((ok) => fork(__filename, ['child']).on('message', (m) => m === 'hi' && ok()));
  await new Promise((ok) => new Worker(__filename).on('message', (m) => m === 7 && ok()));
  await new Promise((ok) => { const w = fs.watch('.', (e, f) => { if (f === 'watched') { w.close(); ok(); } }); setTimeout(() => fs.writeFileSync('watched', 'x'), 20); });
  await new Promise((ok) => { const s = require('net').createServer((c) => c.end('y')).listen('node.sock', () => require('net').connect('node.sock').on('data', () => { s.close(); ok(); })); });
  const d = fs.mkdtempSync(path.join(os.tmpdir(), 'x-')); fs.rmSync(d, { recursive: true });
  await fs.promises.writeFile('a', '1'); await fs.promises.rename('a', 'b'); await fs.promises.copyFile('b', 'c'); await fs.promises.rm('b');
  os.cpus(); os.networkInterfaces(); os.userInfo();
  console.log('DONE');
})().catch((e) => { console.error(e); process.exit(1); });
"""
control("C-10k", "node: children, workers, watchers, pipes", ["node", "n.js"], setup=lambda w: w.file("@ws@/n.js", NODE), needs=("node",), timeout=40, real=True)
CLUSTER = """
const cluster = require('cluster');
if (cluster.isPrimary) { const w = cluster.fork(); w.on('message', (m) => { w.kill(); console.log(m); }); w.on('exit', () => process.exit(0)); }
else process.send('DONE');
"""
control("C-10l", "node: cluster", ["node", "c.js"], setup=lambda w: w.file("@ws@/c.js", CLUSTER), needs=("node",), timeout=30)
control("C-10m", "npm run, with a script before it", sh("npm run -s go"), needs=("npm",), timeout=40, real=True,
        setup=lambda w: w.file("@ws@/package.json", "{\"name\":\"p\",\"version\":\"1.0.0\",\"scripts\":{\"prego\":\"echo pre\",\"go\":\"node -e 'console.log(\\\"DO\\\"+\\\"NE\\\")'\"}}"))
control("C-10n", "npm install of a folder beside", sh("npm install -s --offline --no-audit --no-fund ./dep && node -e 'console.log(require(\"dep\"))'"), needs=("npm",), timeout=60, slow=True,
        setup=lambda w: (w.file("@ws@/package.json", "{\"name\":\"p\",\"version\":\"1.0.0\"}"), w.file("@ws@/dep/package.json", "{\"name\":\"dep\",\"version\":\"1.0.0\",\"bin\":\"b.js\"}"),
                         w.file("@ws@/dep/index.js", "module.exports = 'DONE';"), w.file("@ws@/dep/b.js", "#!/usr/bin/env node\n", 0o755)))
control("C-10o", "node: TCP between its own processes", ["node", "-e", "const s=require('net').createServer(c=>c.end('DONE')).listen(0,'127.0.0.1',()=>require('net').connect(s.address().port,'127.0.0.1').on('data',d=>{console.log(String(d));s.close()}))"],
        needs=("node",), only=("ns",))

# ---- Python ----


def python_package(w):
    w.file("@ws@/pkg/setup.py", "from setuptools import setup\nsetup(name='hello-pkg', version='1.0', py_modules=['hello_pkg'], entry_points={'console_scripts': ['hello=hello_pkg:main']})\n")
    w.file("@ws@/pkg/hello_pkg.py", "def main():\n    print('DONE')\n")


control("C-10p", "a virtual environment and a local package", sh("python3 -m venv --system-site-packages --without-pip v && v/bin/python -m pip install -q --no-index --no-deps --no-build-isolation ./pkg 2> err && v/bin/hello || { tail -5 err; exit 1; }"),
        setup=python_package, needs=("venv",), timeout=90, slow=True, real=True)
control("C-10q", "unittest, compiled files, subprocess, threads", sh("""cat > test_x.py <<'X'
import subprocess, sys, threading, unittest, tempfile, sqlite3, ssl, ctypes, hashlib
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(subprocess.check_output([sys.executable, '-c', 'print(1)']), b'1\\n')
        with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').close()
X
python3 -m unittest -q test_x 2> /dev/null && ls __pycache__ > /dev/null && echo DONE"""), timeout=30)

# ---- databases ----

control("C-10r", "sqlite: journal, WAL, many transactions", py("""
import sqlite3
for mode in ('DELETE', 'WAL', 'TRUNCATE'):
    db = sqlite3.connect('x.db', isolation_level=None)
    assert db.execute('PRAGMA journal_mode=' + mode).fetchone()[0].upper() == mode
    db.execute('CREATE TABLE IF NOT EXISTS t(a)')
    for i in range(60): db.execute('INSERT INTO t VALUES (?)', (i,))
    db.close()
assert sqlite3.connect('x.db').execute('SELECT count(*) FROM t').fetchone() == (180,)
print('DONE')
"""), real=True)
POSTGRES = """set -e
export PGDATA=$PWD/pg PATH=@pgbin@:$PATH
initdb -A trust -N -U me > log 2>&1
pg_ctl -s -w -o "-k $PWD/run -c listen_addresses= -c fsync=off" -l log2 start
createdb -h $PWD/run -U me x
psql -qAt -h $PWD/run -U me x -c 'create table t as select generate_series(1,1000) a' -c 'select count(*) from t' | grep -qx 1000
pg_ctl -s -m fast stop
echo DONE"""


def postgres(w):
    w.vars["pgbin"] = needs.postgres_folder()
    w.folder("@ws@/run")


# A path below a long scratch folder may be too long for a socket, so the folder is short.
control("C-10s", "PostgreSQL: initdb, start, query, stop", sh(POSTGRES), setup=postgres, needs=("postgres",), only=("user", "ns"), timeout=90, slow=True, real=True)
control("C-10t", "the sqlite3 program", sh("echo 'create table t(a); insert into t values(1); select \"DONE\";' | sqlite3 x.db"), needs=("sqlite3",))

# ---- tracing is off, and says so ----

control("C-18a", "a tracer is refused and does not hang", sh("strace -o t true; [ $? != 0 ] && echo DONE"), needs=("strace",), bare=sh("strace -o t true; echo DONE"), timeout=10)
control("C-18b", "a debugger is refused and does not hang", sh("gdb -q -batch -ex run --args true < /dev/null > log 2>&1; echo DONE"), needs=("gdb",), timeout=20)
