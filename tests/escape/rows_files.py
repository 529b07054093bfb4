"""Class F: reading and writing outside, changing what may only be read, names that change under a check."""
import os
import subprocess

from row import attempt, changed, claimed, either, escape, exists, gone, holds, printed, said, sh
from world import Result


def secret(*paths):
    def make(w):
        for path in paths:
            w.secret(path)
    return make


def outside(w):
    """A folder of the same user's, outside: a file, an attribute, a folder with something in it."""
    w.file("@out@/file", "keep me\n")
    w.file("@out@/dir/inner", "keep me\n")
    w.folder("@out@/empty")
    os.setxattr(w.path("@out@/file"), "user.there", b"1")
    w.file("@ws@/mine", "mine\n")
    w.watch("@out@")


# ---- plain reading ----

CLOSED = (
    ("a", "a private ssh key", "@home@/.ssh/id_ed25519"),
    ("b", "cloud credentials", "@home@/.aws/credentials"),
    ("c", "a token of the GitHub program", "@home@/.config/gh/hosts.yml"),
    ("d", "a browser's cookies", "@home@/.mozilla/firefox/x.default/cookies.sqlite"),
    ("e", "a keyring", "@home@/.local/share/keyrings/login.keyring"),
    ("f", "a gpg key", "@home@/.gnupg/private-keys-v1.d/1.key"),
    ("g", "docker's credentials", "@home@/.docker/config.json"),
    ("h", "a cluster's credentials", "@home@/.kube/config"),
    ("i", "git's stored passwords", "@home@/.git-credentials"),
    ("j", "the shell's history", "@home@/.bash_history"),
    ("k", ".env of the project beside", "@home@/other-project/.env"),
    ("l", "a document in the home folder", "@home@/Documents/letter.txt"),
    ("m", "a file outside the home folder", "@out@/secret"),
    ("n", "package registry tokens", "@home@/.pypirc"),
)
for letter, what, path in CLOSED:
    escape("F-01" + letter, "read " + what, attempt("read", path), printed, setup=secret(path), real=letter in "am")

escape("F-01p", "read the password hashes as root", ["head", "-c", "200", "/etc/shadow"],
       lambda w, r: r.out.startswith("root:") and "the file was printed", only=("root",))
escape("F-01q", "search the home folder for secrets", ["grep", "-rs", "T0K", "@home@"], printed,
       setup=secret("@home@/.ssh/id_rsa", "@home@/notes/todo", "@home@/.netrc"))

# ---- other names for the same file ----

escape("F-02a", "the same file by /proc/self/root", attempt("read", "/proc/self/root@out@/secret"), printed,
       setup=secret("@out@/secret"))
escape("F-02b", "the same file by /proc/thread-self/root", attempt("read", "/proc/thread-self/root@out@/secret"), printed,
       setup=secret("@out@/secret"))
escape("F-02c", "the same file through the working folder", attempt("read", "/proc/self/cwd/../../outside/secret"), printed,
       setup=secret("@out@/secret"))
escape("F-03a", "the root of an outside process", attempt("proc-file", "@victim@", "root@out@/held"), printed,
       setup=lambda w: w.victim())
escape("F-03b", "the working folder of an outside process", attempt("proc-file", "@victim@", "cwd/held"), printed,
       setup=lambda w: w.victim())
escape("F-04", "the open file of an outside process", attempt("proc-file", "@victim@", "fd/@victimfd@"), printed,
       setup=lambda w: w.victim())


# ---- inherited descriptors ----

def inherit(flags, path):
    def make(w):
        w.secret("@out@/secret")
        fd = os.open(w.path(path), flags)
        os.set_inheritable(fd, True)
        w.fds.append(fd)
        w.vars["fd"] = str(fd)
    return make


def inherit_socket(w):
    import socket
    one, two = socket.socketpair()
    two.send(w.token.encode() + b"\n")
    w.fds.append(os.dup(one.fileno()))
    w.vars["fd"] = str(w.fds[0])
    w.closers.append(lambda: (one.close(), two.close()))


def inherit_pipe(w):
    read_end, write_end = os.pipe()
    os.write(write_end, w.token.encode() + b"\n")
    w.fds.extend((read_end, write_end))
    w.vars["fd"] = str(read_end)


escape("F-05a", "an inherited file", attempt("read-fd", "@fd@"), printed, setup=inherit(os.O_RDONLY, "@out@/secret"))
escape("F-05b", "an inherited socket", attempt("read-fd", "@fd@"), printed, setup=inherit_socket)
escape("F-05c", "an inherited pipe", attempt("read-fd", "@fd@"), printed, setup=inherit_pipe)
escape("F-05d", "any descriptor above 2", attempt("list-fds"), claimed, setup=inherit(os.O_RDONLY, "@out@/secret"))
def inherit_as_input(w):
    """Standard input is a folder of the host's."""
    w.secret("@out@/secret")


escape("F-05f", "standard input is a folder outside: read from it", attempt(), printed, setup=inherit_as_input, real=True,
       drive=lambda w, wrap, env: folder_as_input(w, wrap, env, ["@attempt@", "read-from-fd", "0", "secret"]))
escape("F-05g", "standard input is a folder outside: write to it", attempt(), exists("@out@/new"), setup=inherit_as_input,
       drive=lambda w, wrap, env: folder_as_input(w, wrap, env, sh("echo planted > /proc/self/fd/0/new")))


def folder_as_input(w, wrap, env, words):
    fd = os.open(w.out, os.O_RDONLY | os.O_DIRECTORY)
    done = subprocess.run(wrap([w.fill(x) for x in words]), stdin=fd, capture_output=True, text=True, cwd=w.ws, env=w.environment(env), timeout=15,
                          **w.identity.popen_args())
    os.close(fd)
    return Result(done.returncode, done.stdout, done.stderr, False, 0)


escape("F-01r", "what root alone may read in /etc", sh("for f in $(find /etc -type f ! -perm -o=r 2>/dev/null); do head -c1 $f > /dev/null 2>&1 && echo ACHIEVED $f; done; :"),
       claimed, only=("root",), real=True)
escape("F-05e", "an inherited descriptor that blocks nothing but names a file", attempt("read", "/proc/self/fd/@fd@"), printed,
       setup=inherit(os.O_PATH, "@out@/secret"))
escape("F-06a", "a name from an inherited folder", attempt("read-from-fd", "@fd@", "secret"), printed,
       setup=inherit(os.O_RDONLY, "@out@"))
escape("F-06b", "upwards from an inherited folder", attempt("read-from-fd", "@fd@", "../outside/secret"), printed,
       setup=inherit(os.O_PATH, "@ws@/.."))
escape("F-06c", "upwards from the workspace's own descriptor", sh("exec 3< .; ./attempt read-from-fd 3 ../../outside/secret"),
       printed, setup=secret("@out@/secret"))
escape("F-07a", "started in the home folder: read beside it", ["cat", ".ssh/id_rsa"], printed, cwd="@home@",
       setup=secret("@home@/.ssh/id_rsa"), ours=False)
escape("F-07b", "started in the home folder: write a start file", ["sh", "-c", "echo planted > .bashrc"],
       holds("@home@/.bashrc"), cwd="@home@")
escape("F-07c", "started in the root folder: read a secret", ["cat", ".@out@/secret"], printed, cwd="/",
       setup=secret("@out@/secret"))

# ---- links ----


def planted_links(w):
    w.secret("@out@/secret")
    os.symlink(w.path("@out@/secret"), w.path("@ws@/link"))
    os.symlink("../../outside", w.path("@ws@/folder"))
    os.symlink("link", w.path("@ws@/chain"))
    os.symlink("/proc/self/root" + w.path("@out@"), w.path("@ws@/magic"))


escape("F-08a", "read through a link in the repository", ["cat", "link"], printed, setup=planted_links, real=True)
escape("F-08b", "read through a link to a folder", ["cat", "folder/secret"], printed, setup=planted_links)
escape("F-08c", "read through a chain of links", ["cat", "chain"], printed, setup=planted_links)
escape("F-08d", "read through a link into /proc", ["cat", "magic/secret"], printed, setup=planted_links)
escape("F-08e", "write through a link to a folder", sh("echo planted > folder/new"), exists("@out@/new"), setup=planted_links)
escape("F-08f", "a link made inside", sh("ln -s @out@/secret here && cat here"), printed, setup=secret("@out@/secret"))


def linked_settings(w):
    """Folders that a set-up could want to mount or create are links to the outside."""
    for name in (".git", ".vscode", ".claude", ".idea", ".codex", ".husky"):
        w.folder("@out@/" + name)
        os.symlink(w.path("@out@/" + name), w.path("@ws@/" + name))
    w.watch("@out@")


escape("F-11", "set-up follows a link of the repository",
       sh("mkdir -p .vscode .git/hooks; echo x > .vscode/settings.json; echo x > .claude/x; echo x > .git/config"),
       changed(), setup=linked_settings)

for letter, what, words in (
        ("a", "by name", sh("ln @out@/secret stolen && cat stolen")),
        ("b", "by descriptor", attempt("link-fd", "@out@/secret", "stolen")),
        ("c", "and write through it", sh("ln @out@/secret stolen && echo planted > stolen"))):
    oracle = either(printed, holds("@out@/secret"))
    escape("F-13" + letter, "a hard link to an outside file, " + what, words, oracle, setup=secret("@out@/secret"))

escape("F-21a", "an O_PATH descriptor, reopened", attempt("read-opath", "@out@/secret"), printed, setup=secret("@out@/secret"))
escape("F-21b", "a name moved out of the workspace", sh("mv mine @out@/moved"), exists("@out@/moved"), setup=outside)
escape("F-21c", "a name moved into the workspace", sh("mv @out@/file here && cat here"), gone("@out@/file"), setup=outside)

# ---- names that change under the check ----


def race_world(w):
    w.folder("@ws@/plain")
    w.file("@ws@/plain/secret", "")
    w.secret("@out@/secret")


escape("F-10a", "a link that changes while a file is made", attempt("race-link", "create", "@ws@/l", "@ws@/plain", "@out@", "x"),
       exists("@out@/x"), setup=race_world)
escape("F-10b", "a link that changes while a file is read",
       attempt("race-link", "read", "@ws@/l", "@ws@/plain", "@out@", "secret"), printed, setup=race_world)
escape("F-10c", "a link that changes while a folder is made", attempt("race-link", "mkdir", "@ws@/l", "@ws@/plain", "@out@", "d"),
       exists("@out@/d"), setup=race_world)
escape("F-10d", "a path string that changes while a file is read",
       attempt("race-string", "read", "@ws@/plain/secret", "@out@/secret"), printed, setup=race_world)
escape("F-10e", "a path string that changes while a file is made", attempt("race-string", "create", "@ws@/plain/y", "@out@/y"),
       exists("@out@/y"), setup=race_world)

# ---- plain writing ----

PLAIN_WRITES = (
    ("a", "make a file outside", sh("echo planted > @out@/new")),
    ("b", "append to a file outside", sh("echo planted >> @out@/file")),
    ("c", "delete a file outside", sh("rm -f @out@/file")),
    ("d", "delete a folder outside", sh("rm -rf @out@/dir")),
    ("e", "rename a file outside", sh("mv @out@/file @out@/renamed")),
    ("f", "make a folder outside", sh("mkdir @out@/folder")),
    ("g", "make a link outside", sh("ln -s x @out@/link")),
    ("h", "make a fifo outside", sh("mkfifo @out@/fifo")),
    ("i", "bind a socket outside", attempt("unix-bind", "@out@/sock")),
    ("j", "write by a shared map", attempt("write-map", "@out@/file")),
    ("k", "write by a reopened descriptor", attempt("write-reopened", "@out@/file")),
    ("l", "exchange an inner and an outer name", attempt("exchange", "@out@/file", "@ws@/mine")),
    ("m", "make files beside the workspace", sh("echo planted > @ws@/../new; cp mine ../../outside/copy")),
)
for letter, what, words in PLAIN_WRITES:
    escape("F-30" + letter, what, words, changed(), setup=outside, real=letter in "abc")

escape("F-31a", "a file in the host's /tmp", sh("echo planted > /tmp/@name@.planted"),
       lambda w, r: os.path.exists("/tmp/%s.planted" % w.vars["name"]) and "the host's /tmp has it",
       setup=lambda w: w.closers.append(lambda: os.path.exists("/tmp/%s.planted" % w.vars["name"])
                                        and os.unlink("/tmp/%s.planted" % w.vars["name"])))
escape("F-31b", "a file in the host's /dev/shm", sh("echo planted > /dev/shm/@name@.planted"),
       lambda w, r: os.path.exists("/dev/shm/%s.planted" % w.vars["name"]) and "the host's /dev/shm has it",
       setup=lambda w: w.closers.append(lambda: os.path.exists("/dev/shm/%s.planted" % w.vars["name"])
                                        and os.unlink("/dev/shm/%s.planted" % w.vars["name"])))


def host_tmp_file(folder):
    def make(w):
        path = "%s/%s.secret" % (folder, w.vars["name"])
        w.secret(path, 0o644)
        os.chown(path, w.identity.uid, w.identity.gid)
        w.closers.append(lambda: os.path.exists(path) and os.unlink(path))
    return make


escape("F-31c", "read a file in the host's /tmp", attempt("read", "/tmp/@name@.secret"), printed, setup=host_tmp_file("/tmp"))
escape("F-31d", "read a file in the host's /dev/shm", attempt("read", "/dev/shm/@name@.secret"), printed,
       setup=host_tmp_file("/dev/shm"))
escape("F-31e", "read a file in the host's /var/tmp", attempt("read", "/var/tmp/@name@.secret"), printed,
       setup=host_tmp_file("/var/tmp"))

# ---- metadata of what may be read ----

META = ("chmod", "fchmod", "fchmodat", "fchmodat2", "fchmodat2_empty", "chmod_magic", "chown", "lchown", "fchown", "fchownat",
        "fchownat_empty", "utime", "utimes", "futimesat", "utimensat", "futimens", "setxattr", "lsetxattr", "fsetxattr",
        "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "setflags", "fssetxattr", "file_setattr")
for number, name in enumerate(META):
    escape("F-22%s" % chr(ord("a") + number), "metadata of a readable file by " + name,
           attempt("change", name, "@out@/file"), changed(), setup=outside, flags=("-r", "@out@"),
           real=name in ("fchmod", "futimens", "setflags"))

# ---- contents and names of what may be read ----

CHANGES = (
    ("open", "@out@/file", ""), ("open", "@out@/new", ""), ("openat_rdwr", "@out@/file", ""), ("openat2", "@out@/file", ""),
    ("open_trunc", "@out@/file", ""), ("creat", "@out@/file", ""), ("truncate", "@out@/file", ""), ("unlink", "@out@/file", ""),
    ("unlinkat", "@out@/file", ""), ("rmdir", "@out@/empty", ""), ("mkdir", "@out@/new", ""), ("mkdirat", "@out@/new", ""),
    ("mknod", "@out@/new", ""), ("mkfifoat", "@out@/new", ""), ("rename", "@out@/file", "@out@/b"),
    ("renameat", "@out@/file", "@out@/b"), ("renameat2", "@out@/file", "@out@/b"), ("rename_to", "@out@/b", "@ws@/mine"),
    ("renameat_to", "@out@/b", "@ws@/mine"), ("link", "@out@/file", "@out@/b"), ("link_to", "@out@/b", "@ws@/mine"),
    ("linkat", "@out@/file", "@ws@/b"), ("linkat_to", "@out@/b", "@ws@/mine"), ("symlink", "@out@/new", ""),
    ("symlinkat", "@out@/new", ""), ("tmpfile", "@out@/new", "@ws@"),
)
for number, (name, path, other) in enumerate(CHANGES):
    escape("F-25%s" % chr(ord("a") + number), "change a readable folder by %s" % name,
           attempt("change", name, path, other or "other"), changed(), setup=outside, flags=("-r", "@out@"))

escape("F-23", "learn a name outside in the hidden view", attempt("stat", "@out@/file"), claimed, setup=outside, only=("ns",))
escape("F-24", "list the home folder in the hidden view", ["ls", "-A", "@home@"], lambda w, r: ".ssh" in r.out and "names seen",
       setup=secret("@home@/.ssh/id_rsa"), only=("ns",))


# ---- the visible view: the host's tree can be seen, and no more ----

VISIBLE = ("--view", "visible")
for letter, what, words, oracle in (
        ("a", "read", attempt("read", "@out@/secret"), printed), ("b", "make", sh("echo planted > @out@/new"), exists("@out@/new")),
        ("c", "chmod", attempt("change", "chmod", "@out@/file"), changed()), ("d", "utimes", attempt("change", "utimensat", "@out@/file"), changed()),
        ("e", "setxattr", attempt("change", "setxattr", "@out@/file"), changed()), ("f", "rename", sh("mv @out@/file @out@/g"), changed()),
        ("g", "read by /proc/self/root", attempt("read", "/proc/self/root@out@/secret"), printed),
        ("h", "O_PATH and reopen", attempt("read-opath", "@out@/secret"), printed), ("i", "hard link", sh("ln @out@/secret l; cat l"), printed)):
    escape("F-26" + letter, "in the visible view, outside: " + what, words, oracle, flags=VISIBLE, only=("ns",),
           setup=lambda w: (w.secret("@out@/secret"), outside(w)))

# ---- handles and rings ----

def handle(w):
    w.secret("@out@/secret")
    done = w.outside([w.attempt, "print-handle", "@out@/secret"])
    w.vars["bytes"], w.vars["type"], w.vars["hex"] = done.out.split()


escape("F-28", "an inode by its handle", attempt("read-handle", "@ws@", "@bytes@", "@type@", "@hex@"), printed, setup=handle,
       only=("root",), real=True)
escape("F-32a", "read by io_uring", attempt("uring-read", "@out@/secret"), printed, setup=secret("@out@/secret"),
       needs=("io_uring",), real=True)
escape("F-32b", "write by io_uring", attempt("uring-write", "@out@/planted"), exists("@out@/planted"), needs=("io_uring",))
escape("F-33", "openat2 with its own flags", attempt("read-openat2", "@out@/secret"), printed, setup=secret("@out@/secret"))
escape("F-38", "a secret in a compiler's error message", sh("gcc -x c -c -o /dev/null @out@/secret"),
       lambda w, r: w.token in r.err and "the compiler printed it", setup=secret("@out@/secret"), needs=("gcc",))
escape("F-40", "write berm's own configuration", sh("mkdir -p ~/.config/berm/policy.d && echo 'berm: 1' > ~/.config/berm/policy.yaml"),
       exists("@home@/.config/berm/policy.yaml"))

# ---- what berm tells of denials ----

DENIALS = "@home@/.local/state/berm-denials"


def told(w):
    """A folder as an earlier session left it, so that there is something without a sandbox too."""
    w.file(DENIALS + "/0000000000000000/denials.jsonl", "old\n", 0o400)
    os.chmod(w.path(DENIALS), 0o700)
    os.chmod(w.path(DENIALS + "/0000000000000000"), 0o700)


def forged(words):
    """Something is denied, and told; then words, with the file as $f and its folder as $d."""
    return sh("f=${BERM_DENIALS:-%s/0000000000000000/denials.jsonl}; d=${f%%/*}; (echo x > .envrc) 2>/dev/null; i=0; "
              "until test -e $f || test $i -eq 200; do sleep 0.02; i=$((i+1)); done; echo forged > mine; %s; cat $f" % (DENIALS, words))


for letter, what, words in (
        ("a", "write them", "chmod 600 $f; echo forged >> $f; echo forged > $f"),
        ("b", "put a file in their place", "cp mine other; mv -f mine $f; rm -f $f; cp other $f"),
        ("c", "write them by a hard link", "ln $f hard; chmod 600 hard; echo forged >> hard"),
        ("d", "put a folder in the place of theirs", "mkdir new; cp mine new/denials.jsonl; mv $d $d.old; mv new $d"),
        ("e", "write them by way of the root of the process", "chmod 600 /proc/self/root$f; echo forged >> /proc/self/root$f"),
        ("f", "lead their name elsewhere", "rm -f $f; ln -sf $PWD/mine $f"),
        ("g", "write them by a descriptor that was opened for reading",
         "exec 7<$f; chmod 600 /proc/self/fd/7; echo forged >> /proc/self/fd/7"),
        ("h", "write the next ones before berm does", "for i in 1 2 3 4 5 6 7 8 9; do echo forged > $d/next; done; mv -f $d/next $f")):
    escape("F-41" + letter, "what was denied: " + what, forged(words), said("forged"), setup=told, real=letter == "a")
    escape("F-42" + letter, "the same with a grant around it: " + what, forged(words), said("forged"), setup=told,
           flags=("-w", "@home@/.local/state"))

# ---- deny and protect inside a grant ----


def denied(w):
    w.secret("@ws@/conf/a/key")
    w.secret("@ws@/.env")
    w.file("@ws@/conf/plain", "plain\n")


DENY = ("--deny", "@ws@/conf/a/key", "--deny", "@ws@/.env")
for letter, what, words in (
        ("a", "read it", ["cat", ".env"]),
        ("b", "by another spelling", ["cat", "./conf/../conf//a/./key"]),
        ("c", "move the folder above away", sh("mv conf c2; cat c2/a/key")),
        ("d", "rename it", sh("mv .env plain; cat plain")),
        ("e", "link it", sh("ln .env plain; cat plain")),
        ("f", "link it symbolically", sh("ln -s .env plain; cat plain")),
        ("g", "by /proc/self/cwd", ["cat", "/proc/self/cwd/.env"]),
        ("h", "from a folder's descriptor", sh("exec 3<conf/a; ./attempt read-from-fd 3 key")),
        ("i", "exchange it with a plain file", sh("echo > x; ./attempt exchange x .env; cat x")),
        ("j", "openat2", attempt("read-openat2", ".env")),
        ("k", "O_PATH and reopen", attempt("read-opath", ".env")),
        ("l", "a hard link by descriptor", attempt("link-fd", ".env", "plain")),
        ("m", "map over the folder above by exchange", sh("mkdir d; ./attempt exchange conf/a d; cat d/key")),
        ("n", "copy the whole folder", sh("cp -r conf copy 2>/dev/null; cat copy/a/key")),
        ("o", "archive the workspace", sh("tar cf - . 2>/dev/null | strings -n 8 2>/dev/null || tar cf - . 2>/dev/null"))):
    escape("F-37" + letter, "a denied file in the workspace: " + what, words, printed, setup=denied, flags=DENY,
           real=letter in "acf")
escape("F-37p", "a denied file: a string that changes", attempt("race-string", "read", "conf/plain", ".env"), printed,
       setup=denied, flags=DENY)
escape("F-37q", "a denied file: a link that changes", sh("mkdir p; : > p/key; ./attempt race-link read l p conf/a key"),
       printed, setup=denied, flags=DENY)
escape("F-37r", "a denied name: delete and make anew", sh("rm -f .env; echo planted > .env"), holds("@ws@/.env"),
       setup=denied, flags=DENY)
escape("F-37s", "a denied name that does not exist: make it", sh("echo planted > secrets.txt"), exists("@ws@/secrets.txt"),
       flags=("--deny", "@ws@/secrets.txt"))

PROTECT = ("--protect", "@ws@/conf/rules")


def protected(w):
    w.file("@ws@/conf/rules", "rules\n")
    w.file("@ws@/mine", "planted\n")


for letter, what, words in (
        ("a", "write it", sh("echo planted > conf/rules")),
        ("b", "delete and make anew", sh("rm -f conf/rules; echo planted > conf/rules")),
        ("c", "rename over it", sh("mv -f mine conf/rules")),
        ("d", "move the folder above away and back", sh("mv conf c2; echo planted > c2/rules; mv c2 conf")),
        ("e", "exchange", attempt("exchange", "mine", "conf/rules")),
        ("f", "link over it", sh("rm -f conf/rules; ln mine conf/rules")),
        ("g", "write by a hard link", sh("ln conf/rules l; echo planted > l")),
        ("h", "truncate", sh("truncate -s 1 conf/rules")),
        ("i", "reopen a reading descriptor", attempt("write-reopened", "conf/rules")),
        ("j", "a shared map", attempt("write-map", "conf/rules")),
        ("k", "put another folder in its place", sh("mkdir e; echo planted > e/rules; ./attempt exchange e conf"))):
    escape("F-14" + letter, "a protected file: " + what, words,
           lambda w, r: w.read("@ws@/conf/rules") != "rules\n" and "conf/rules is %r" % w.read("@ws@/conf/rules"),
           setup=protected, flags=PROTECT, real=letter in "ad")
