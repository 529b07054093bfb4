"""Class C, second part: files, links, locks, times and modes in a workspace whose changes are supervised."""
import os

from row import bash, control, py, sh

control("C-30a", "atomic save by a rename", sh("echo a > f; echo b > f.tmp; mv f.tmp f; [ $(cat f) = b ] && echo DONE"), real=True)
control("C-30b", "an unnamed file that gets a name", sh("./attempt change tmpfile named . > /dev/null && [ $(cat named) = planted ] && echo DONE"), real=True)
control("C-30c", "flock and record locks between processes", py("""
import fcntl, os
f = open('lock', 'w')
fcntl.flock(f, fcntl.LOCK_EX)
if os.fork() == 0:
    g = open('lock', 'w')
    try: fcntl.flock(g, fcntl.LOCK_EX | fcntl.LOCK_NB); os._exit(1)
    except BlockingIOError: os._exit(0)
assert os.wait()[1] == 0
fcntl.flock(f, fcntl.LOCK_UN); fcntl.lockf(f, fcntl.LOCK_EX)
print('DONE')
"""))
control("C-30d", "a shared map that is written", py("""
import mmap
open('m', 'wb').write(b'x' * 8192)
with open('m', 'r+b') as f:
    v = mmap.mmap(f.fileno(), 0); v[0:4] = b'DONE'; v.flush()
print(open('m').read(4))
"""))
control("C-30e", "inotify", py("""
import ctypes, os
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
assert libc.inotify_add_watch(fd, b'.', 0x100 | 0x80) > 0
open('seen', 'w').close(); os.rename('seen', 'seen2')
assert b'seen' in os.read(fd, 4096)
print('DONE')
"""), real=True)
control("C-30f", "hard links", sh("echo DONE > a; ln a b; [ $(stat -c %h a) = 2 ] && rm a && cat b"))
control("C-30g", "symbolic links of every kind", sh("mkdir -p d/e; echo DONE > d/e/f; ln -s d/e l; ln -s nowhere broken; ln -s l/f m; ln -sfn d l2; readlink broken >/dev/null; cat m"))
control("C-30h", "exchange of two names", sh("echo a > a; echo b > b; ./attempt exchange a b > /dev/null && [ $(cat a) = b ] && echo DONE"))
control("C-30i", "a file that is deleted while open", sh("exec 3<> f; rm f; echo DONE >&3; cat /proc/self/fd/3"))
control("C-30j", "renames between folders", sh("mkdir a b; echo x > a/f; mv a/f b/f; mkdir a/d; mv a/d b/; [ -d b/d ] && mv b c && [ -f c/f ] && echo DONE"), real=True)
control("C-30k", "move a tree over folders and back", sh("mkdir -p x/y/z; for i in 1 2 3; do echo $i > x/y/z/$i; done; mv x/y .; mv y w; cp -a w x/; rm -r w; ls -R x | wc -l >/dev/null; [ $(cat x/w/z/3) = 3 ] && echo DONE"))
control("C-30l", "tar, with times, modes and links", sh("mkdir t; echo a > t/a; chmod 750 t/a; ln t/a t/h; ln -s a t/s; touch -d '2001-02-03 04:05:06' t/a; tar cf x.tar t; "
        "rm -rf t; tar xpf x.tar; [ $(stat -c '%a %Y %h' t/a | tr ' ' _) = 750_981173106_2 ] && [ $(readlink t/s) = a ] && echo DONE"), env={"TZ": "UTC"}, real=True)
control("C-30m", "rsync -a", sh("mkdir -p s/d; echo a > s/d/a; touch -d 2001-02-03 s/d/a; rsync -a s/ t/; cmp s/d/a t/d/a && [ $(stat -c %Y s/d/a) = $(stat -c %Y t/d/a) ] && echo DONE"),
        needs=("rsync",))
control("C-30n", "cp -a keeps times, modes and attributes", sh("echo a > a; chmod 640 a; touch -d 2001-02-03 a; cp -a a b; [ $(stat -c %a%Y a) = $(stat -c %a%Y b) ] && echo DONE"))
control("C-30o", "umask 077 and 022", sh("umask 077; echo > a; mkdir d; umask 022; echo > b; mkdir e; [ $(stat -c %a a d b e | tr '\\n' ' ' | tr -d ' ') = 600700644755 ] && echo DONE"), real=True)
control("C-30p", "modes asked for at creation", py("""
import os
os.umask(0)
for mode in (0o600, 0o644, 0o777, 0o1777, 0o400):
    fd = os.open('f%o' % mode, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode)
    assert os.fstat(fd).st_mode & 0o7777 == mode, oct(mode)
    os.mkdir('d%o' % mode, mode)
    assert os.stat('d%o' % mode).st_mode & 0o1777 == mode & 0o1777
print('DONE')
"""))
control("C-30q", "a folder with the group bit", sh("mkdir g; chmod 2775 g; mkdir g/d; [ $(stat -c %a g) = 2775 ] && [ $(stat -c %a g/d) -ge 2000 ] && echo DONE"))
control("C-30r", "chmod +x and run", sh("printf '#!/bin/sh\\necho DONE\\n' > p; chmod +x p; ./p"), real=True)
control("C-30s", "write, close, run at once, 200 times", py("""
import os, subprocess
for i in range(200):
    with open('p', 'w') as f: f.write('#!/bin/true\\n')
    os.chmod('p', 0o755)
    subprocess.run(['./p'], check=True)
    os.unlink('p')
print('DONE')
"""), real=True)
control("C-30t", "user attributes", py("""
import os
open('f', 'w').close()
os.setxattr('f', 'user.x', b'1'); assert os.getxattr('f', 'user.x') == b'1'
os.removexattr('f', 'user.x'); assert os.listxattr('f') == []
print('DONE')
"""))
control("C-30u", "times by every call", py("""
import os
open('f', 'w').close()
os.utime('f', (1, 2)); assert os.stat('f').st_mtime == 2
fd = os.open('f', os.O_RDONLY); os.utime(fd, (3, 4)); assert os.stat('f').st_mtime == 4
os.symlink('f', 'l'); os.utime('l', (5, 6), follow_symlinks=False); assert os.lstat('l').st_mtime == 6 and os.stat('f').st_mtime == 4
print('DONE')
"""))
control("C-30v", "names that are not UTF-8", py("""
import os
for name in (b'\\xff\\xfe', b'new\\nline', b'tab\\t', b'-rf', b'a' * 255, 'ü€𝄞'.encode(), b' ', b'quote\\'"'):
    with open(name, 'wb') as f: f.write(b'x')
    os.rename(name, name[:200] + b'2'); os.unlink(name[:200] + b'2')
print('DONE')
"""))
control("C-30w", "paths longer than 4096 bytes", py("""
import os
for i in range(30):
    os.mkdir('d' * 200); os.chdir('d' * 200)
open('f', 'w').write('DONE'); os.rename('f', 'g'); print(open('g').read())
os.unlink('g'); os.mkdir('x'); os.rmdir('x')
"""))
control("C-30x", "sparse files, holes and preallocation", sh("truncate -s 1G s; [ $(stat -c %b s) -lt 100 ] && fallocate -l 1M f && fallocate -p -o 0 -l 4096 f && cp --sparse=always s s2 && echo DONE"))
control("C-30y", "copies inside the kernel", py("""
import os
open('a', 'w').write('DONE' * 1000)
a, b = os.open('a', os.O_RDONLY), os.open('b', os.O_CREAT | os.O_RDWR, 0o644)
n = os.copy_file_range(a, b, 2000); os.sendfile(b, a, n, 2000)
r, w = os.pipe(); os.splice(a, w, 100, offset_src=0); assert os.read(r, 4) == b'DONE'
assert os.fstat(b).st_size == 4000
print('DONE')
"""))
control("C-30z", "four processes append to one file", sh("for i in 1 2 3 4; do (for j in $(seq 100); do echo line >> f; done) & done; wait; [ $(wc -l < f) = 400 ] && echo DONE"))
control("C-31a", "two thousand files made and removed", py("""
import os, shutil
os.mkdir('many')
for i in range(2000): open('many/%d' % i, 'w').close()
assert len(os.listdir('many')) == 2000
shutil.rmtree('many')
print('DONE')
"""), timeout=30)
ERRNO = """
import errno, os
def want(code, call, *args, **more):
    try: call(*args, **more)
    except OSError as e:
        assert e.errno == code, (call.__name__, args, e)
        return
    raise AssertionError((call.__name__, args, 'succeeded'))
open('f', 'w').close(); os.mkdir('d'); open('d/x', 'w').close(); os.symlink('loop', 'loop'); os.symlink('nowhere', 'dangling')
W, C, X = os.O_WRONLY, os.O_CREAT, os.O_EXCL
want(errno.ENOENT, os.open, 'no/such', W | C)
want(errno.ENOENT, os.open, 'nofile', W)
want(errno.ENOENT, os.open, '', W | C)
want(errno.EEXIST, os.open, 'f', W | C | X)
want(errno.EEXIST, os.open, 'dangling', W | C | X)
want(errno.EISDIR, os.open, 'd', W)
want(errno.ENOTDIR, os.open, 'f/x', W | C)
want(errno.ELOOP, os.open, 'loop', W)
want(errno.ELOOP, os.open, 'dangling', W | os.O_NOFOLLOW)
want(errno.ENOTDIR, os.open, 'f', W | os.O_DIRECTORY)
want(errno.ENAMETOOLONG, os.open, 'n' * 256, W | C)
want(errno.EEXIST, os.mkdir, 'f')
want(errno.EEXIST, os.mkdir, 'd')
want(errno.ENOENT, os.mkdir, 'no/d')
want(errno.ENOTEMPTY, os.rmdir, 'd')
want(errno.ENOTDIR, os.rmdir, 'f')
want(errno.ENOENT, os.rmdir, 'no')
want(errno.EISDIR, os.unlink, 'd')
want(errno.ENOENT, os.unlink, 'no')
want(errno.ENOENT, os.rename, 'no', 'x')
want(errno.EISDIR, os.rename, 'f', 'd')
want(errno.ENOTDIR, os.rename, 'd', 'f')
os.mkdir('e')
want(errno.ENOTEMPTY, os.rename, 'e', 'd')
want(errno.EINVAL, os.rename, 'd', 'd/sub')
want(errno.EEXIST, os.link, 'f', 'd')
want(errno.EPERM, os.link, 'd', 'l')
want(errno.EEXIST, os.symlink, 'x', 'f')
want(errno.ENOENT, os.chmod, 'no', 0o644)
want(errno.ENOENT, os.truncate, 'no', 0)
want(errno.EISDIR, os.truncate, 'd', 0)
want(errno.ENOENT, os.utime, 'no')
want(errno.EBADF, os.open, 'x', W | C, dir_fd=99)
fd = os.open('f', os.O_RDONLY)
want(errno.ENOTDIR, os.open, 'x', W | C, dir_fd=fd)
want(errno.EBADF, os.write, fd, b'x')
os.unlink('dangling'); os.symlink('made-through', 'dangling'); os.close(os.open('dangling', W | C)); assert os.path.exists('made-through')
os.mkdir('slash/'); os.rename('slash/', 'slash2/'); os.rmdir('slash2/')
print('DONE')
"""
control("C-31b", "errors are the kernel's own", py(ERRNO), real=True)
control("C-31c", "pointers that lead nowhere", py("""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for call, args in (('open', (8, 0o101, 0o644)), ('mkdir', (8, 0o755)), ('unlink', (8,)), ('rename', (8, b'x')), ('rename', (b'x', 8)), ('truncate', (8, 0)),
                   ('chmod', (8, 0)), ('symlink', (8, b'x')), ('link', (8, b'y'))):
    words = [ctypes.c_void_p(a) if a == 8 else a for a in args]
    assert getattr(libc, call)(*words) == -1 and ctypes.get_errno() == errno.EFAULT, (call, ctypes.get_errno())
print('DONE')
"""))
control("C-31d", "limits on file size hold", sh("(ulimit -f 8; trap '' XFSZ; head -c 100000 /dev/zero > big 2>/dev/null); [ $(stat -c %s big) -le 8192 ] && echo DONE"))
control("C-31e", "a folder of one's own without the write bit", sh("mkdir r; chmod 555 r; (echo x > r/f) 2>/dev/null && echo no || echo DONE"), only=("user",))
control("C-31f", "a file of one's own without rights", sh("echo x > f; chmod 0 f; cat f 2>/dev/null && echo no; chmod 644 f; echo DONE"), only=("user",))
control("C-31g", "devices: null, zero, full, urandom", sh("echo x > /dev/null; head -c 5 /dev/zero | wc -c | grep -qx 5; head -c 5 /dev/urandom | wc -c | grep -qx 5; "
        "(echo x > /dev/full) 2>/dev/null && exit 1; echo DONE"), real=True)
control("C-31h", "/proc of one's own", sh("cat /proc/self/status /proc/self/maps /proc/cpuinfo /proc/meminfo /proc/stat /proc/uptime /proc/loadavg /proc/mounts > /dev/null && ls /proc/self/fd >/dev/null "
        "&& [ $(readlink /proc/self/cwd) = @ws@ ] && nproc > /dev/null && cat /proc/$$/cmdline /proc/$$/environ >/dev/null && echo DONE"), real=True)
control("C-31i", "the thread's name, written in /proc", py("""
open('/proc/self/comm', 'w').write('renamed')
assert open('/proc/self/comm').read() == 'renamed\\n'
open('/proc/self/oom_score_adj', 'w').write('500')
print('DONE')
"""), only=("ns",))  # docs/guarantees.md, "Without namespaces"
control("C-31j", "who we are", sh("[ $(id -un) = @user@ ] && [ $(id -u) = @uid@ ] && getent passwd @user@ > /dev/null && hostname > /dev/null && echo DONE"), real=True)
control("C-31k", "time zones, locales, certificates", sh("TZ=Europe/Paris date > /dev/null && locale > /dev/null && test -r /etc/ssl && ls /usr/share > /dev/null && test -r /etc/hosts && test -r /etc/nsswitch.conf && echo DONE"))
control("C-31l", "temporary files", sh("f=$(mktemp) && echo DONE > $f && d=$(mktemp -d) && mv $f $d/x && cat $d/x && rm -r $d; python3 -c 'import tempfile; tempfile.TemporaryFile().write(b\"x\")' && echo DONE"), real=True)
control("C-31m", "/tmp and /dev/shm", sh("echo a > /dev/shm/berm-own-$$ && rm /dev/shm/berm-own-$$ && t=${TMPDIR:-/tmp} && printf '#!/bin/sh\\necho DONE\\n' > $t/berm-own-$$ && chmod +x $t/berm-own-$$ && $t/berm-own-$$ && rm $t/berm-own-$$"))
control("C-31n", "a home folder where caches can be kept", sh("c=${XDG_CACHE_HOME:-$HOME/.cache} && mkdir -p $c/tool && echo DONE > $c/tool/x && cat $c/tool/x"), real=True)
control("C-31o", "find, grep, du and ls over the workspace", sh("mkdir -p a/b; echo needle > a/b/c; find . -type f > /dev/null && grep -rq needle a && du -s . > /dev/null && ls -laR . > /dev/null && echo DONE"))
control("C-31p", "ls of the root folder", sh("ls -la / > /dev/null && ls /usr/bin | wc -l > /dev/null && echo DONE"), only=("ns",))
control("C-31pl", "ls of the system's folders", sh("ls /usr /etc > /dev/null && ls /usr/bin | wc -l > /dev/null && echo DONE"))
control("C-31q", "sed -i, patch, install, ed-style tools", sh("echo a > f; sed -i s/a/b/ f; [ $(cat f) = b ] && install -m 755 -D f i/j/f && [ $(stat -c %a i/j/f) = 755 ] && perl -pi -e s/b/c/ f && [ $(cat f) = c ] && echo DONE"))
control("C-31r", "openat2 with restrictions of its own", py("""
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
os.mkdir('d'); open('outer', 'w').close(); os.symlink('../outer', 'd/up')
d = os.open('d', os.O_RDONLY)
def openat2(name, flags, mode, resolve):
    return libc.syscall(437, d, name, struct.pack('QQQ', flags, mode, resolve), 24)
assert openat2(b'up', os.O_WRONLY, 0, 8) == -1 and ctypes.get_errno() == 18
assert openat2(b'up', os.O_WRONLY, 0, 4) == -1 and ctypes.get_errno() == 40
fd = openat2(b'new', os.O_WRONLY | os.O_CREAT, 0o600, 8)
assert fd >= 0 and os.fstat(fd).st_mode & 0o777 == 0o600
print('DONE')
"""))
control("C-31s", "flags of an opened file stay as asked", py("""
import fcntl, os
fd = os.open('f', os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
flags = fcntl.fcntl(fd, fcntl.F_GETFL)
assert flags & os.O_APPEND and flags & os.O_NONBLOCK and flags & os.O_RDWR and fcntl.fcntl(fd, fcntl.F_GETFD) == 1
fd = os.open('f', os.O_WRONLY | os.O_NOFOLLOW); assert os.get_inheritable(fd) is False
os.lseek(fd, 100, 0); os.write(fd, b'x'); assert os.fstat(fd).st_size == 101
fd = os.open('f', os.O_RDWR | os.O_TRUNC); assert os.fstat(fd).st_size == 0
print('DONE')
"""))
control("C-31t", "threads that make files at the same time", py("""
import os, threading
bad = []
def work(n):
    for i in range(100):
        name = 't%d-%d' % (n, i)
        try:
            with open(name, 'w') as f: f.write('x')
            os.rename(name, name + 'r'); os.unlink(name + 'r')
        except OSError as e: bad.append(e)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert not bad, bad[:3]
print('DONE')
"""), timeout=30, real=True)


def linked(w):
    """Reached by a link, as with a dotfile manager or a home on another disk."""
    real = w.folder("@root@/elsewhere/project")
    w.file("@root@/elsewhere/project/f", "here\n")
    os.symlink(real, w.path("@home@/link"))


control("C-15a", "a workspace that is reached by a link", sh("[ $(cat f) = here ] && echo x > g && mv g h && echo DONE"), setup=linked, cwd="@home@/link", real=True)


def grants(w):
    w.file("@root@/data/real/file", "DONE\n")
    os.symlink("real", w.path("@root@/data/link"))


control("C-15b", "a grant that is a link", sh("cat @root@/data/link/file"), setup=grants, flags=("-r", "@root@/data/link"), real=True)
control("C-15c", "a grant below a link", sh("cat @root@/data/link/file"), setup=grants, flags=("-r", "@root@/data/link/file"))


def innocent_links(w):
    for name in (".claude", ".vscode", ".config"):
        w.folder("@root@/dotfiles/" + name)
        os.symlink(w.path("@root@/dotfiles/" + name), w.path("@ws@/" + name))
    os.symlink(w.path("@root@/dotfiles"), w.path("@home@/dotfiles"))
    os.symlink("nowhere", w.path("@ws@/.envrc"))


control("C-15d", "start files and settings that are links", sh("echo x > f; echo DONE"), setup=innocent_links, real=True)
control("C-15e", "/var/run, /bin, /lib as links", sh("ls /var/run/ > /dev/null; /bin/true && /usr/bin/true && ls /lib/ > /dev/null && echo DONE"))
control("C-15f", "a folder with spaces, quotes and umlauts", sh("cat f && echo y > g && cat g"), setup=lambda w: w.file("@root@/a b \"ü'*/f", "x\n"),
        cwd="@root@/a b \"ü'*", works=lambda w, r: r.out == "x\ny\n")
