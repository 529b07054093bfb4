"""Class G, other names: start files, editor and agent settings, and the home folder."""
import os

from row import attempt, either, escape, exists, holds, sh

SHELL = (".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshenv", ".zshrc", ".zprofile", ".zlogin",
         ".inputrc", ".envrc")
EDITOR = (".vscode/settings.json", ".vscode/tasks.json", ".vscode/launch.json", ".idea/workspace.xml", ".nvimrc", ".exrc",
          ".dir-locals.el", ".vimrc")
AGENT = (".claude/settings.json", ".claude/settings.local.json", ".claude/hooks/x", ".claude/commands/x.md", ".claude/agents/x.md",
         ".codex/config.toml", ".gemini/settings.json", ".mcp.json", ".cursor/mcp.json")


def plant(names):
    return "".join("mkdir -p $(dirname %s) 2>/dev/null; echo planted > %s 2>/dev/null; " % (n, n) for n in names)


def any_planted(names, folder="@ws@/"):
    def oracle(w, r):
        got = [n for n in names if (w.read(folder + n) or "").startswith("planted")]
        return got and "planted: %s" % " ".join(got)
    return oracle


for id, what, names in (("G-06", "shell start files", SHELL), ("G-07", "editor settings", EDITOR), ("G-08", "agent settings", AGENT)):
    escape(id + "a", what + " that do not exist", sh(plant(names) + ":"), any_planted(names), real=True)
    escape(id + "b", what + " four folders down", sh("mkdir -p a/b/c/d; cd a/b/c/d; " + plant(names) + ":"),
           any_planted(names, "@ws@/a/b/c/d/"))
    escape(id + "c", what + " by a rename", sh("mkdir -p .vscode .idea .claude/hooks .claude/commands .claude/agents .codex .gemini .cursor 2>/dev/null; "
                                               + "".join("echo planted > x; mv -f x %s 2>/dev/null; rm -f x; " % n for n in names) + ":"),
           any_planted(names))
    escape(id + "d", what + " by a hard link", sh("mkdir -p .vscode .idea .claude/hooks .claude/commands .claude/agents .codex .gemini .cursor 2>/dev/null; "
                                                  "echo planted > x; " + "".join("ln x %s 2>/dev/null; " % n for n in names) + ":"),
           any_planted(names))
    escape(id + "e", what + " by a renamed folder", sh("mkdir -p t/sub; cd t; " + plant(n.split("/")[-1] if "/" in n else n for n in names) +
                                                       "cd ..; for d in .vscode .idea .claude .codex .gemini .cursor; do cp -r t c; mv c $d; "
                                                       "rm -rf c; done; " +
                                                       "".join("cp t/%s . ; " % n for n in names if "/" not in n) + ":"),
           any_planted(names))


def existing(names):
    def make(w):
        for n in names:
            w.file("@ws@/" + n, "mine\n")
    return make


def replaced(names):
    def oracle(w, r):
        got = [n for n in names if w.read("@ws@/" + n) != "mine\n"]
        return got and "changed: %s" % " ".join(got)
    return oracle


ALL = SHELL + EDITOR + AGENT
escape("G-09a", "settings that exist: write", sh("".join("echo planted > %s; " % n for n in ALL) + ":"), replaced(ALL), setup=existing(ALL),
       real=True)
escape("G-09b", "settings that exist: delete", sh("".join("rm -f %s; " % n for n in ALL) + ":"), replaced(ALL), setup=existing(ALL))
escape("G-09c", "settings that exist: move the folder away and write", sh(
    "for d in .vscode .claude .codex .gemini .cursor .idea; do mv $d t 2>/dev/null && find t -type f | while read f; do echo planted > $f; done; "
    "mv t $d 2>/dev/null; done; :"), replaced([n for n in ALL if "/" in n]), setup=existing(ALL))
escape("G-09d", "settings that exist: truncate, link, exchange",
       sh("echo planted > x; " + "".join("truncate -s 0 %s; ln -f x %s; ./attempt exchange x %s >/dev/null; " % (n, n, n) for n in ALL) + ":"),
       replaced(ALL), setup=existing(ALL))

# ---- the home folder ----

HOME = (("G-12", "programs on the user's path", (".local/bin/ls", "bin/ls", "go/bin/ls", ".cargo/bin/ls")),
        ("G-13a", "start of a session", (".config/autostart/x.desktop", ".config/systemd/user/x.service", ".bashrc", ".profile", ".zshrc")),
        ("G-13b", "ssh", (".ssh/authorized_keys", ".ssh/config", ".ssh/rc")),
        ("G-13c", "tools that run programs by their settings", (".gitconfig", ".config/git/config", ".npmrc", ".docker/config.json", ".kube/config",
                                                                ".cargo/config.toml", ".config/pip/pip.conf", ".gdbinit", ".psqlrc", ".pythonrc.py")),
        ("G-14", "the desktop", (".local/share/applications/x.desktop", ".config/mimeapps.list", ".local/share/thumbnailers/x")),
        ("G-18", "shared caches", (".cache/pip/x", ".m2/settings.xml", ".cargo/registry/x", ".npm/_cacache/x", ".cache/go-build/x")))
for id, what, names in HOME:
    escape(id, "the home folder: " + what, sh("cd; " + plant(names) + ":"), any_planted(names, "@home@/"), real=id == "G-13a")


def ghost_oracle(w, r):
    left = sorted(set(os.listdir(w.ws)) - {"attempt", "kept"})
    return left and "left behind: %s" % " ".join(left)


def envrc(w):
    w.file("@ws@/.envrc", "mine\n")
    w.file("@ws@/kept", "planted\n")


def envrc_changed(w, r):
    path = w.path("@ws@/.envrc")
    if not os.path.exists(path):
        return ".envrc is gone"
    same = w.read(path) == "mine\n" and os.stat(path).st_mode & 0o7777 == 0o644 and not os.listxattr(path)
    return not same and ".envrc is not what it was"


def one_file(w):
    w.file("@ws@/kept", "x\n")


escape("F-17", "names that the sandbox itself leaves behind", sh("cat kept"), ghost_oracle, setup=one_file,
       unproved="without a sandbox nothing is left")
escape("F-18", "a hook five folders down", sh("mkdir -p a/b/c/d/.git/hooks; echo planted > a/b/c/d/.git/hooks/pre-commit"),
       exists("@ws@/a/b/c/d/.git/hooks/pre-commit"), real=True)
SPELLINGS = (".git/hooks/./pre-commit", ".git//hooks///pre-commit", "x/../.git/hooks/pre-commit", ".git/hooks/../hooks/pre-commit",
             "@ws@/.git/hooks/pre-commit", "/proc/self/cwd/.git/hooks/pre-commit", "/proc/self/root@ws@/.git/hooks/pre-commit",
             "/proc/thread-self/cwd/.git/hooks/pre-commit", "../project/.git/hooks/pre-commit", "/dev/fd/3/hooks/pre-commit",
             "/proc/self/fd/3/hooks/pre-commit")
escape("F-20a", "other spellings of a protected name",
       sh("mkdir -p x .git/hooks; exec 3< .git; " + "".join("echo planted > %s; " % s for s in SPELLINGS) + ":"),
       exists("@ws@/.git/hooks/pre-commit"), setup=one_file)
FIXED = ("open", "openat", "openat_rdwr", "openat2", "open_trunc", "creat", "truncate", "unlink", "unlinkat", "rename", "renameat", "renameat2",
         "exchange", "chmod", "fchmodat", "fchmodat2", "fchmodat2_empty", "chmod_magic", "fchmod", "setxattr")
for number, name in enumerate(FIXED):
    escape("F-15" + chr(ord("a") + number), "a protected file that is there, changed by " + name,
           sh("./attempt change %s .envrc kept2" % name if name != "exchange" else "./attempt change exchange .envrc kept"),
           envrc_changed, setup=envrc)
escape("F-15x", "a protected file that is there, by a hard link of its descriptor", sh("./attempt link-fd .envrc l; echo planted > l"), envrc_changed, setup=envrc)
escape("F-15y", "names in another writable folder", sh("cd @out@ && mkdir -p r/.git/hooks && echo planted > r/.git/hooks/pre-commit; echo planted > .envrc"),
       either(exists("@out@/r/.git/hooks/pre-commit"), exists("@out@/.envrc")), flags=("-w", "@out@"), real=True)
CALLS = (("creat", ""), ("open", ""), ("openat2", ""), ("mkdir", ""), ("mkdirat", ""), ("mknod", ""), ("mkfifoat", ""), ("symlink", ""),
         ("symlinkat", ""), ("rename_to", "kept"), ("renameat_to", "kept"), ("link_to", "kept"), ("linkat_to", "kept"), ("tmpfile", "."))
for number, (name, other) in enumerate(CALLS):
    escape("F-16" + chr(ord("a") + number), "a protected name made by " + name,
           sh("mkdir -p .git/hooks; ./attempt change %s .git/hooks/pre-commit %s" % (name, other or "other")),
           exists("@ws@/.git/hooks/pre-commit"), setup=one_file)
