"""Class G, git: every road to a program that git would run outside, with git itself as the oracle.

Inside, something is planted; outside, the person types a git command. The canary is a file outside of every grant."""
from gitworld import repository
from world import Setup
from row import attempt, bash, canary, either, escape, exists, holds, sh

STATUS = ((["git", "status"], "@ws@"),)
EVIL = "[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tfsmonitor = touch @canary@\\n"
EVIL_BARE = "[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = @ws@\\n\\tfsmonitor = touch @canary@\\n"
ALIAS = "[alias]\\n\\tst = !touch @canary@\\n"
SKELETON = "mkdir -p {d}/objects {d}/refs; "
HEAD = "echo 'ref: refs/heads/main' > {d}/HEAD; "
CONFIG = "printf '%s' > {d}/config; " % EVIL


def layout(folder, *parts):
    return "".join(parts).replace("{d}", folder)


def road(id, what, script, then=STATUS, setup=repository, **more):
    escape(id, what, sh(script) if isinstance(script, str) else script, canary, setup=setup, then=then, needs=("git",), **more)


# ---- writing the configuration ----

road("G-02a", "append to .git/config", "printf '[core]\\nfsmonitor = touch @canary@\\n' >> .git/config", real=True)
road("G-02b", "git config core.fsmonitor", "git config core.fsmonitor 'touch @canary@'", real=True)
road("G-02c", "delete .git/config and make it anew", "rm -f .git/config; printf '%s' > .git/config" % EVIL)
road("G-02d", "rename a file over .git/config", "printf '%s' > x; mv -f x .git/config" % EVIL, real=True)
road("G-02e", "link a file to .git/config", "rm -f .git/config; printf '%s' > x; ln x .git/config" % EVIL)
road("G-02f", "a symbolic link as .git/config", "rm -f .git/config; printf '%s' > x; ln -s ../x .git/config" % EVIL)
road("G-02g", "rename a symbolic link to .git/config", "printf '%s' > x; ln -s ../x l; mv -f l .git/config" % EVIL)
road("G-02h", "exchange a file with .git/config", "printf '%s' > x; ./attempt exchange x .git/config" % EVIL)
road("G-02i", "reopen a reading descriptor", "exec 3< .git/config; printf '[core]\\nfsmonitor = touch @canary@\\n' >> /proc/self/fd/3")
road("G-02j", "another spelling of the name", "printf '[core]\\nfsmonitor = touch @canary@\\n' >> ./sub/../.git/./config")
road("G-02k", "from inside of .git", "cd .git && printf '[core]\\nfsmonitor = touch @canary@\\n' >> config")
road("G-02l", "by /proc/self/cwd", "printf '[core]\\nfsmonitor = touch @canary@\\n' >> /proc/self/cwd/.git/config")
road("G-02m", "by a link to .git", "ln -s .git g; printf '[core]\\nfsmonitor = touch @canary@\\n' >> g/config")
road("G-02n", "an unnamed file that gets the name", "rm -f .git/config; ./attempt change tmpfile .git/config . ; "
     "printf '%s' > .git/config" % EVIL)
road("G-02o", "a line that only looks like a comment", "printf '[core]\\n\\tbare = false # x \\\\\\n\\tfsmonitor = touch @canary@\\n' > x; mv -f x .git/config")
road("G-02p", "a section and a key on one line", "printf '[core] bare = false\\n[core] fsmonitor = touch @canary@\\n' > x; mv -f x .git/config")
road("G-02q", "upper case", "printf '[CORE]\\n\\tFSMonitor = touch @canary@\\n' > x; mv -f x .git/config")
road("G-02r", "a byte order mark before it", "printf '\\357\\273\\277[core]\\n\\tfsmonitor = touch @canary@\\n' > x; mv -f x .git/config")
road("G-02s", "carriage returns", "printf '[core]\\r\\n\\tfsmonitor = touch @canary@\\r\\n' > x; mv -f x .git/config")
road("G-02t", "continuation lines", "printf '[core]\\n\\tfsmonitor = to\\\\\\nuch @canary@\\n' > x; mv -f x .git/config")
road("G-02u", "a quoted value", "printf '[core]\\n\\tfsmonitor = \"touch @canary@\"\\n' > x; mv -f x .git/config")
road("G-02v", "an included file", "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > inc; git config include.path ../inc; "
     "printf '[include]\\n\\tpath = ../inc\\n' > x; mv -f x .git/config")
road("G-02w", "an included file under a condition", "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > inc; "
     "git config includeIf.gitdir:/.path @ws@/inc")
road("G-02x", "the configuration of a worktree", "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > .git/config.worktree; "
     "git config extensions.worktreeConfig true")
road("G-02y", "git config --worktree", "git config extensions.worktreeConfig true; git config --worktree core.fsmonitor 'touch @canary@'")
road("G-02z", "write on after git took the lock", "exec 3>.git/config.lock; cat .git/config >&3; mv .git/config.lock .git/config; "
     "printf '[core]\\nfsmonitor = touch @canary@\\n' >&3")

# ---- other keys, each with the command that would run it ----

KEYS = (
    ("a", "core.hooksPath", "@ws@/evil", "mkdir evil; printf '#!/bin/sh\\ntouch @canary@\\n' > evil/post-checkout; chmod +x evil/post-checkout",
     (["git", "checkout", "-q", "side"],)),
    ("b", "diff.external", "touch @canary@", "echo x >> a.txt", (["git", "diff"],)),
    ("c", "diff.evil.textconv", "touch @canary@; cat", "echo '*.txt diff=evil' > .gitattributes; echo x >> a.txt", (["git", "diff"],)),
    ("d", "diff.evil.command", "touch @canary@", "echo '*.txt diff=evil' > .gitattributes; echo x >> a.txt", (["git", "diff"],)),
    ("e", "filter.evil.clean", "touch @canary@; cat", "echo '*.txt filter=evil' > .gitattributes; echo x >> a.txt", (["git", "status"], ["git", "add", "a.txt"])),
    ("f", "filter.evil.smudge", "touch @canary@; cat", "echo '*.txt filter=evil' > .gitattributes", (["git", "checkout", "-q", "HEAD~1"],)),
    ("g", "filter.evil.process", "touch @canary@", "echo '*.txt filter=evil' > .gitattributes; echo x >> a.txt", (["git", "add", "a.txt"],)),
    ("h", "alias.st", "!touch @canary@", "", (["git", "st"],)),
    ("i", "core.sshCommand", "touch @canary@;", "", (["git", "fetch", "ssh://localhost/x"],)),
    ("j", "credential.helper", "!touch @canary@;", "", (["sh", "-c", "echo url=https://x | git -c core.askPass=true credential fill"],)),
    ("k", "core.editor", "touch @canary@; true", "", (["git", "commit", "--allow-empty"],)),
    ("l", "gpg.program", "@ws@/gpg", "printf '#!/bin/sh\\ntouch @canary@\\n' > gpg; chmod +x gpg", (["git", "commit", "-S", "--allow-empty", "-m", "x"],)),
    ("m", "remote.origin.uploadpack", "touch @canary@;", "git config remote.origin.url @ws@/.git", (["git", "fetch", "origin"],)),
    ("n", "core.gitProxy", "@ws@/ask", "printf '#!/bin/sh\\ntouch @canary@\\n' > ask; chmod +x ask", (["git", "fetch", "git://localhost/x"],)),
    ("o", "trailer.x.cmd", "touch @canary@;", "git config trailer.x.key X", (["git", "interpret-trailers", "--trailer", "X:y", "a.txt"],)),
    ("p", "sequence.editor", "touch @canary@;", "", (["git", "rebase", "-i", "HEAD~1"],)),
    ("q", "core.askPass", "@ws@/ask", "printf '#!/bin/sh\\ntouch @canary@\\n' > ask; chmod +x ask", (["sh", "-c", "echo url=https://x | git credential fill"],)),
    ("r", "merge.evil.driver", "touch @canary@;", "echo '*.txt merge=evil' > .gitattributes; git checkout -q side; echo s > a.txt; "
     "git commit -qam s; git checkout -q main; echo m > a.txt; git commit -qam m", (["git", "merge", "side"],)),
    ("s", "uploadpack.packObjectsHook", "touch @canary@;", "", (["git", "-c", "uploadpack.packObjectsHook=", "status"],)),
    ("t", "core.alternateRefsCommand", "touch @canary@;", "mkdir -p alt/objects; echo @ws@/.git/objects > .git/objects/info/alternates",
     (["git", "fetch", "."],)),
    ("u", "interactive.diffFilter", "touch @canary@; cat", "echo x >> a.txt", (["sh", "-c", "echo n | git add -p"],)),
    ("v", "mergetool.evil.cmd", "touch @canary@", "git config merge.tool evil", (["git", "mergetool", "--no-prompt", "--tool=evil"],)),
    ("w", "browser.evil.cmd", "touch @canary@;", "git config web.browser evil", (["git", "web--browse", "file:///x"],)),
    ("x", "man.evil.cmd", "touch @canary@;", "git config man.viewer evil", (["git", "help", "-m", "status"],)),
    ("y", "difftool.evil.cmd", "touch @canary@", "git config diff.tool evil; echo x >> a.txt", (["git", "difftool", "--no-prompt", "--tool=evil"],)),
)
# These need a conflict, a tool or a terminal that the harness has not; the key itself must not get in.
BY_KEY = {"s", "t", "v", "w", "x", "u"}


def key_planted(key):
    section, name = key.rsplit(".", 1)
    return lambda w, r: "@" not in key and name.lower() in (w.read("@ws@/.git/config") or "").lower() and "%s is in .git/config" % key


for letter, key, value, before, after in KEYS:
    oracle = either(canary, key_planted(key)) if letter in BY_KEY else canary
    escape("G-03" + letter, "git config " + key, sh("%s\ngit config %s '%s'" % (before or ":", key, value)), oracle,
           setup=repository, needs=("git",), then=tuple((words, "@ws@") for words in after), real=letter in "ah")

escape("G-03z", "git config core.worktree: files elsewhere", sh("git config core.worktree @out@; git config core.bare false"),
       exists("@out@/a.txt"), setup=repository, needs=("git",), then=((["git", "checkout", "-q", "-f", "HEAD"], "@ws@/.git"),))
escape("G-04a", "an url that runs a program", sh("git remote add origin 'ext::touch @canary@'; git config protocol.ext.allow always"),
       canary, setup=repository, needs=("git",), then=((["git", "fetch", "origin"], "@ws@"),))
escape("G-04b", "an url that is replaced by one that runs a program",
       sh("git config url.ext::sh.insteadOf x:; git config 'url.ext::touch @canary@ .insteadOf' 'y:'; "
          "git config protocol.allow always; git remote add origin y:z"), canary, setup=repository, needs=("git",),
       then=((["git", "fetch", "origin"], "@ws@"),))
escape("G-04c", "clone with a planted setting", sh("git clone -q -c core.fsmonitor='touch @canary@' . cloned"), canary,
       setup=repository, needs=("git",), then=((["git", "status"], "@ws@/cloned"),))
escape("G-04d", "init with a planted template", sh("mkdir -p t/hooks; printf '#!/bin/sh\\ntouch @canary@\\n' > t/hooks/post-checkout; "
                                                   "chmod +x t/hooks/post-checkout; git clone -q --template=t . cloned"),
       canary, setup=repository, needs=("git",), then=((["git", "checkout", "-q", "-b", "x"], "@ws@/cloned"),))
escape("G-04e", "submodule.*.update", sh("git clone -q --bare . sub.git; git -c protocol.file.allow=always submodule add -q ./sub.git m; "
                                         "git commit -qm m; git config submodule.m.update '!touch @canary@'"), canary,
       setup=repository, needs=("git",), then=((["sh", "-c", "cd m && git checkout -q HEAD~1; cd .. && git submodule update"], "@ws@"),))

# ---- hooks ----

HOOK_TEXT = "printf '#!/bin/sh\\ntouch @canary@\\n' > %s; chmod +x %s"
CHECKOUT = ((["git", "checkout", "-q", "-b", "x"], "@ws@"),)
for letter, what, script in (
        ("a", "make it", HOOK_TEXT % (".git/hooks/post-checkout", ".git/hooks/post-checkout")),
        ("b", "move it there", HOOK_TEXT % ("h", "h") + "; mv h .git/hooks/post-checkout"),
        ("c", "link it there", HOOK_TEXT % ("h", "h") + "; ln h .git/hooks/post-checkout"),
        ("d", "link it there symbolically", HOOK_TEXT % ("h", "h") + "; ln -s ../../h .git/hooks/post-checkout"),
        ("e", "rename a sample", HOOK_TEXT % (".git/hooks/pre-push.sample", ".git/hooks/pre-push.sample") +
         "; mv .git/hooks/pre-push.sample .git/hooks/post-checkout"),
        ("f", "put another folder there", "mkdir h; " + HOOK_TEXT % ("h/post-checkout", "h/post-checkout") +
         "; mv .git/hooks .git/old; mv h .git/hooks"),
        ("g", "exchange the folder", "mkdir h; " + HOOK_TEXT % ("h/post-checkout", "h/post-checkout") + "; ./attempt exchange h .git/hooks"),
        ("h", "a link in place of the folder", "mkdir h; " + HOOK_TEXT % ("h/post-checkout", "h/post-checkout") +
         "; rm -rf .git/hooks; ln -s ../h .git/hooks"),
        ("i", "through a link to the folder", "ln -s .git/hooks h; " + HOOK_TEXT % ("h/post-checkout", "h/post-checkout")),
        ("j", "from inside the folder", "cd .git/hooks && " + HOOK_TEXT % ("post-checkout", "post-checkout")),
        ("k", "an unnamed file that gets the name", "./attempt change tmpfile .git/hooks/post-checkout . ; "
         + HOOK_TEXT % (".git/hooks/post-checkout", ".git/hooks/post-checkout")),
        ("l", "copy of a whole .git folder", "cp -r .git g2; " + HOOK_TEXT % ("g2/hooks/post-checkout", "g2/hooks/post-checkout") +
         "; mv .git old; mv g2 .git"),
        ("m", "a folder called hooks, then .git around it", "mkdir -p n/hooks; " + HOOK_TEXT % ("n/hooks/post-checkout", "n/hooks/post-checkout") +
         "; cp -r .git/objects .git/refs .git/HEAD .git/config .git/index n/; mv .git old; mv n .git"),
        ("n", "run git's own hook installer", "git config core.hooksPath .git/hooks; cp ./attempt .git/hooks/post-checkout; "
         + HOOK_TEXT % (".git/hooks/post-checkout", ".git/hooks/post-checkout"))):
    escape("G-01" + letter, "a hook: " + what, sh(script), canary, setup=repository, needs=("git",), then=CHECKOUT, real=letter in "af")


def active_hook(w):
    """A hook of the user's own that is there, and runs."""
    repository(w)
    w.file("@ws@/.git/hooks/post-checkout", "#!/bin/sh\n:\n", 0o755)


def sleeping_hook(w):
    repository(w)
    w.file("@ws@/.git/hooks/post-checkout", "#!/bin/sh\ntouch @canary@\n", 0o644)


for letter, what, script, setup in (
        ("p", "append to one that is there", "echo 'touch @canary@' >> .git/hooks/post-checkout", active_hook),
        ("q", "write it through a hard link", "ln .git/hooks/post-checkout l; echo 'touch @canary@' >> l", active_hook),
        ("r", "write it through a reopened descriptor", "exec 3<.git/hooks/post-checkout; echo 'touch @canary@' >> /proc/self/fd/3", active_hook),
        ("s", "make one runnable", "chmod +x .git/hooks/post-checkout", sleeping_hook),
        ("t", "make one runnable by descriptor", "./attempt change fchmod .git/hooks/post-checkout", sleeping_hook),
        ("v", "make one runnable by an access list", "./attempt change acl .git/hooks/post-checkout", sleeping_hook),
        ("w", "make one runnable by an access list, lsetxattr", "./attempt change lacl .git/hooks/post-checkout", sleeping_hook),
        ("x", "make one runnable by an access list, fsetxattr", "./attempt change facl .git/hooks/post-checkout", sleeping_hook),
        ("y", "make one runnable by an access list, setxattrat", "./attempt change aclat .git/hooks/post-checkout", sleeping_hook),
        ("u", "make one runnable by O_PATH", "./attempt change fchmodat2_empty .git/hooks/post-checkout", sleeping_hook)):
    escape("G-01" + letter, "a hook: " + what, sh(script), canary, setup=setup, needs=("git",), then=CHECKOUT)

# ---- a repository where none was ----


def no_repository(w):
    repository(w, "@ws@/seed")
    w.folder("@ws@/data")


def plain_folder(w):
    """A repository in the workspace, and folders beside it."""
    repository(w)
    w.folder("@ws@/data")


NEST = SKELETON + HEAD + CONFIG
PREPARED = layout("data", NEST)
ROADS = (
    ("a", "rename a folder to .git", PREPARED + "mv .git old 2>/dev/null; mv data .git", "@ws@", plain_folder),
    ("b", "rename a folder to sub/.git", PREPARED + "mv data sub/.git", "@ws@/sub", plain_folder),
    ("c", "a .git file that names a folder", PREPARED + "echo 'gitdir: @ws@/data' > sub/.git", "@ws@/sub", plain_folder),
    ("d", "a .git file renamed into place", PREPARED + "echo 'gitdir: ../data' > x; mv x sub/.git", "@ws@/sub", plain_folder),
    ("e", "a .git file linked into place", PREPARED + "echo 'gitdir: ../data' > x; ln x sub/.git", "@ws@/sub", plain_folder),
    ("f", "a .git link", PREPARED + "ln -s ../data sub/.git", "@ws@/sub", plain_folder),
    ("g", "a .git link renamed into place", PREPARED + "ln -s ../data x; mv x sub/.git", "@ws@/sub", plain_folder),
    ("h", "exchange a folder with sub/.git", PREPARED + "mkdir sub/.git; ./attempt exchange data sub/.git", "@ws@/sub", plain_folder),
    ("i", "commondir", "mkdir -p data/objects data/refs; " + layout("data", CONFIG) + "echo ../data > .git/commondir", "@ws@", plain_folder),
    ("j", "commondir renamed into place", "mkdir -p data/objects data/refs; " + layout("data", CONFIG) +
     "echo ../data > x; mv x .git/commondir", "@ws@", plain_folder),
    ("k", "a bare layout, configuration last", layout("sub", SKELETON, HEAD, "printf '%s' > {d}/config" % EVIL_BARE), "@ws@/sub", plain_folder),
    ("l", "a bare layout, HEAD last", layout("sub", SKELETON, "printf '%s' > {d}/config; " % EVIL_BARE, HEAD), "@ws@/sub", plain_folder),
    ("m", "a bare layout in a new folder", layout("bare", SKELETON, "printf '%s' > {d}/config; " % EVIL_BARE, HEAD), "@ws@/bare", plain_folder),
    ("n", "a bare layout, HEAD by a link", layout("sub", SKELETON, "printf '%s' > {d}/config; " % EVIL_BARE) +
     "ln -s refs/heads/main sub/HEAD; mkdir -p sub/refs/heads; git rev-parse HEAD > sub/refs/heads/main", "@ws@/sub", plain_folder),
    ("o", "a bare layout, HEAD renamed", layout("sub", SKELETON, "printf '%s' > {d}/config; " % EVIL_BARE) +
     "echo 'ref: refs/heads/main' > h; mv h sub/HEAD", "@ws@/sub", plain_folder),
    ("p", "a bare layout, configuration renamed", layout("sub", SKELETON, HEAD) + "printf '%s' > c; mv c sub/config" % EVIL_BARE, "@ws@/sub",
     plain_folder),
    ("q", "a bare layout, HEAD hard-linked", layout("sub", SKELETON, "printf '%s' > {d}/config; " % EVIL_BARE) + "ln .git/HEAD sub/HEAD",
     "@ws@/sub", plain_folder),
    ("r", "a bare layout, configuration hard-linked", layout("sub", SKELETON, HEAD) + "printf '%s' > c; ln c sub/config" % EVIL_BARE,
     "@ws@/sub", plain_folder),
    ("s", "a bare layout, configuration by a link", layout("sub", SKELETON, HEAD) + "printf '%s' > c; ln -s ../c sub/config" % EVIL_BARE,
     "@ws@/sub", plain_folder),
    ("t", "HEAD beside commondir, configuration elsewhere", "mkdir -p data/objects data/refs; printf '%s' > data/config; " % ALIAS +
     layout("sub", HEAD) + "echo ../data > sub/commondir", "@ws@/sub", plain_folder),
    ("u", "commondir beside HEAD, the other way round", layout("sub", HEAD) + "mkdir -p data/objects data/refs; "
     "printf '%s' > data/config; echo @ws@/data > c; mv c sub/commondir" % ALIAS, "@ws@/sub", plain_folder),
    ("v", "a bare layout renamed from parts", "mkdir p; " + layout("p", SKELETON) + "printf '%s' > p/config; mv p q; " % EVIL_BARE +
     layout("q", HEAD), "@ws@/q", plain_folder),
    ("w", "a linked worktree's own configuration", "git worktree add -q wt; printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > "
     ".git/worktrees/wt/config.worktree; git config extensions.worktreeConfig true", "@ws@/wt", plain_folder),
    ("x", "a linked worktree's commondir", "git worktree add -q wt; mkdir -p data/objects data/refs; " + layout("data", CONFIG) +
     "cp -r .git/objects .git/refs data/; echo @ws@/data > .git/worktrees/wt/commondir", "@ws@/wt", plain_folder),
    ("y", "a linked worktree's .git file", PREPARED + "git worktree add -q wt; echo 'gitdir: @ws@/data' > wt/.git", "@ws@/wt", plain_folder),
    ("z", "git init --separate-git-dir", "mkdir n; git init -q --separate-git-dir=@ws@/data n; git --git-dir=@ws@/data config core.fsmonitor "
     "'touch @canary@'; printf '[core]\\nfsmonitor = touch @canary@\\n' >> data/config", "@ws@/n", lambda w: repository(w)),
)
for letter, what, script, where, setup in ROADS:
    road("G-24" + letter, what, script, then=((["git", "status"], where), (["git", "st"], where)), setup=setup, real=letter in "acfik")

REFS = "mkdir -p sub/objects; printf '%s' > sub/config; " % EVIL_BARE + layout("sub", HEAD)
for letter, what, script in (
        ("a", "mkdir", "mkdir sub/refs"), ("b", "a renamed folder", "mkdir r; mv r sub/refs"), ("c", "a link", "ln -s ../.git/refs sub/refs"),
        ("d", "a file that is runnable", ": > sub/refs; chmod +x sub/refs"), ("e", "a renamed link", "ln -s ../.git/refs r; mv r sub/refs"),
        ("f", "an exchanged folder", "mkdir r; : > sub/refs; ./attempt exchange r sub/refs"), ("g", "a hard link", "cp attempt r; ln r sub/refs"),
        ("h", "a fifo", "mkfifo -m 777 sub/refs"), ("i", "a renamed parent", "mkdir n; mv sub n/x; mkdir n/x/refs; mv n/x sub")):
    road("G-28" + letter, "a bare layout, refs last: " + what, REFS + script, then=((["git", "status"], "@ws@/sub"),), setup=plain_folder)
    road("G-29" + letter, "a .git file to a folder, refs last: " + what, REFS + script + "; mkdir n2; echo 'gitdir: ../sub' > n2/.git",
         then=((["git", "status"], "@ws@/n2"),), setup=plain_folder)
# ---- rules that hold beside something: it is moved away and back ----

SUB = "git clone -q --bare . sub.git; git submodule add -q ./sub.git m; "
road("G-30a", "a submodule's configuration while its refs are away", SUB + "cd .git/modules/m; mv refs r; printf '[core]\\n\\tfsmonitor = touch @canary@\\n' >> config; "
     "mv r refs", then=((["git", "status"], "@ws@/m"),), real=True)
road("G-30b", "a submodule's hook while its refs are away", SUB + "cd .git/modules/m; mv refs r; " + HOOK_TEXT % ("hooks/post-checkout", "hooks/post-checkout") + "; mv r refs",
     then=((["git", "checkout", "-q", "-b", "x"], "@ws@/m"),), real=True)
road("G-30c", "a submodule's commondir while its HEAD is away", SUB + "mkdir -p data/objects data/refs; " + layout("data", CONFIG) +
     "cp -r .git/modules/m/objects .git/modules/m/refs data/; cd .git/modules/m; mv HEAD h; echo @ws@/data > commondir; mv h HEAD", then=((["git", "status"], "@ws@/m"),))
road("G-30d", "commondir while HEAD is away", "mkdir -p data; " + layout("data", CONFIG) + "cp -r .git/objects .git/refs data/; mv .git/HEAD h; echo @ws@/data > .git/commondir; "
     "mv h .git/HEAD")
road("G-30e", "a prepared folder inside .git, refs last", "mkdir -p .git/x/objects; printf '%s' > .git/x/config; " % EVIL + layout(".git/x", HEAD) +
     "cp -r .git/refs .git/x/; mkdir n; echo 'gitdir: ../.git/x' > n/.git", then=((["git", "status"], "@ws@/n"),))
road("G-30f", "a folder around the submodule's is moved away and back", SUB + "mv .git/modules mm; mv mm/m/refs r; printf '[core]\\n\\tfsmonitor = touch @canary@\\n' >> mm/m/config; "
     "mv r mm/m/refs; mv mm .git/modules", then=((["git", "status"], "@ws@/m"),))
road("G-30g", "a bare repository's hook while its refs are away", "git clone -q --bare . b.git; mv b.git/refs r; " + HOOK_TEXT % ("b.git/hooks/post-update", "b.git/hooks/post-update") +
     "; mv r b.git/refs", then=((["git", "push", "-q", "b.git", "main:x"], "@ws@"),))
road("G-30h", "a bare repository's configuration while its refs are away", "git clone -q --bare . b.git; mv b.git/refs r; printf '[alias]\\n\\tst = !touch @canary@\\n' >> "
     "b.git/config; mv r b.git/refs", then=((["git", "st"], "@ws@/b.git"),))

# ---- what the person's own configuration leads to ----


def own(script):
    def make(w):
        repository(w)
        w.give()
        done = w.run(["sh", "-c", w.fill(script)])
        if done.status:
            raise Setup(done.err)
    return make


PLANT = HOOK_TEXT % ("@hooks@/post-checkout", "@hooks@/post-checkout")
for letter, what, before, hooks in (
        ("a", "core.hooksPath in the work tree", "mkdir .githooks; git config core.hooksPath .githooks", ".githooks"),
        ("b", "core.hooksPath in the work tree, folder not there yet", "git config core.hooksPath tools/hooks", "tools/hooks"),
        ("c", "core.hooksPath of the person", "mkdir .h; git config --global core.hooksPath .h", ".h"),
        ("d", "the hooks folder is a link into the work tree", "mkdir h; rm -rf .git/hooks; ln -s ../h .git/hooks", "h"),
        ("e", "a hook is a link into the work tree", "mkdir s; echo : > s/post-checkout; chmod +x s/post-checkout; ln -s ../../s/post-checkout .git/hooks/", "s"),
        ("f", "core.hooksPath, absolute", "mkdir hk; git config core.hooksPath @ws@/hk", "hk")):
    road("G-31" + letter, "a hook: " + what, "mkdir -p %s; " % hooks + PLANT.replace("@hooks@", hooks), then=CHECKOUT, setup=own(before), real=letter == "a")
road("G-32a", "a file that the configuration includes", "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > team.inc",
     setup=own("git config include.path ../team.inc; : > team.inc"))
road("G-32b", "a file that the configuration includes, not there yet", "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' > team.inc",
     setup=own("git config include.path ../team.inc"))

road("G-25a", "a new repository's configuration", "mkdir n && cd n && git init -q . && git config core.fsmonitor 'touch @canary@'",
     then=((["git", "status"], "@ws@/n"),))
road("G-25b", "a repository made by hand", layout("n/.git", "mkdir -p n/.git; ", NEST), then=((["git", "status"], "@ws@/n"),))
road("G-25c", "five levels down", layout("a/b/c/d/e/.git", "mkdir -p a/b/c/d/e/.git; ", NEST), then=((["git", "status"], "@ws@/a/b/c/d/e"),),
     real=True)
road("G-25d", "a submodule's configuration", "git clone -q --bare . sub.git; git submodule add -q ./sub.git m; "
     "printf '[core]\\n\\tfsmonitor = touch @canary@\\n' >> .git/modules/m/config; git -C m config core.fsmonitor 'touch @canary@'",
     then=((["git", "status"], "@ws@/m"),))
road("G-25e", "a submodule's hook", "git clone -q --bare . sub.git; git submodule add -q ./sub.git m; "
     + HOOK_TEXT % (".git/modules/m/hooks/post-checkout", ".git/modules/m/hooks/post-checkout"),
     then=((["git", "checkout", "-q", "-b", "x"], "@ws@/m"),))
road("G-25f", "a submodule's .git file", PREPARED + "git clone -q --bare . sub.git; git submodule add -q ./sub.git m; "
     "echo 'gitdir: @ws@/data' > m/.git", then=((["git", "status"], "@ws@/m"),), setup=plain_folder)
road("G-25g", "an archive with a repository in it", "mkdir -p src/n; " + layout("src/n/dotgit", "mkdir -p src/n/dotgit; ", NEST) +
     "tar cf x.tar -C src --transform=s/dotgit/.git/ n; tar xf x.tar", then=((["git", "status"], "@ws@/n"),))
road("G-25h", "rsync or cp of a prepared folder", "mkdir -p src; " + layout("src/dotgit", "mkdir -p src/dotgit; ", NEST) +
     "mkdir n; cp -r src/dotgit n/.git", then=((["git", "status"], "@ws@/n"),))
road("G-25i", "the folder above is renamed to .git", "mkdir -p up/x; " + layout("up", NEST) + "mkdir n; mv up n/.git",
     then=((["git", "status"], "@ws@/n"),))
road("G-25j", "a folder moved away and back with a new configuration", "mv .git g; printf '[core]\\nfsmonitor = touch @canary@\\n' >> g/config; "
     "mv g .git")
road("G-25k", ".git moved away, made anew", "mv .git g; mkdir .git; cp -r g/* .git/; printf '%s' > .git/config" % EVIL)
road("G-25l", "a .git file with a second line", PREPARED + "printf 'gitdir: ../data\\n\\n' > sub/.git", then=((["git", "status"], "@ws@/sub"),),
     setup=plain_folder)
road("G-25m", "a .git file that goes up and down", "mkdir -p .git/x; " + PREPARED + "echo 'gitdir: ../.git/x/../../data' > sub/.git",
     then=((["git", "status"], "@ws@/sub"),), setup=plain_folder)
road("G-25n", "a folder inside .git that is a link out of it", PREPARED + "ln -s ../data .git/x; echo 'gitdir: ../.git/x' > sub/.git",
     then=((["git", "status"], "@ws@/sub"),), setup=plain_folder)
road("G-25o", "a folder inside .git as a git folder", layout(".git/x", "mkdir -p .git/x; ", NEST) + "echo 'gitdir: ../.git/x' > sub/.git",
     then=((["git", "status"], "@ws@/sub"),), setup=plain_folder)


def head_repo(w):
    repository(w)
    w.file("@ws@/pack/HEAD", "ref: refs/heads/main\n")
    w.folder("@ws@/pack/objects")
    w.folder("@ws@/pack/refs")


road("G-25p", "a configuration beside a HEAD of the user's", "printf '%s' > pack/config" % EVIL_BARE, then=((["git", "status"], "@ws@/pack"),),
     setup=head_repo)


# ---- a .git file that leads out of the workspace; /proc/self/root stands for /proc/NUMBER/root, the sandbox's own view ----


def hostile_outside(w):
    repository(w)
    for folder in ("@out@/evil/.git", "@out@/bare"):
        w.folder(folder + "/objects")
        w.folder(folder + "/refs")
        w.file(folder + "/HEAD", "ref: refs/heads/main\n")
        w.file(folder + "/config", "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch @canary@\n".replace("@canary@", w.path("@canary@")))


IN_PROC = "/proc/self/root@out@/evil"
for letter, what, script, where in (
        ("a", "written in place, by way of /proc", "echo 'gitdir: %s/.git' > sub/.git" % IN_PROC, "@ws@/sub"),
        ("b", "written in place, to a bare repository", "echo 'gitdir: @out@/bare' > sub/.git", "@ws@/sub"),
        ("c", "a path that climbs to /proc", "echo 'gitdir: ../../../../../../../../../..%s/.git' > sub/.git" % IN_PROC, "@ws@/sub"),
        ("d", "a descriptor that is held until the end", "exec 3> sub/.git; printf 'gitdir: ../.git\\n' >&3; mkdir x; "
         "printf 'gitdir: %s/.git\\n' > /proc/self/fd/3" % IN_PROC, "@ws@/sub"),
        ("e", "a good one, linked and written by the other name", "echo 'gitdir: ../.git' > sub/.git; mkdir x; ln sub/.git l; "
         "echo 'gitdir: %s/.git' > l" % IN_PROC, "@ws@/sub"),
        ("f", "a good one, written over", "git worktree add -q wt; echo 'gitdir: %s/.git' > wt/.git" % IN_PROC, "@ws@/wt"),
        ("g", "commondir of a linked worktree", "git worktree add -q wt; echo '%s/.git' > .git/worktrees/wt/commondir" % IN_PROC, "@ws@/wt"),
        ("h", "commondir of one made by hand", "mkdir -p .git/worktrees/wt wt; echo '%s/.git' > .git/worktrees/wt/commondir; "
         "echo 'ref: refs/heads/main' > .git/worktrees/wt/HEAD; echo '@ws@/wt/.git' > .git/worktrees/wt/gitdir; "
         "echo 'gitdir: ../.git/worktrees/wt' > wt/.git" % IN_PROC, "@ws@/wt"),
        ("i", "a folder that is a link into /proc", "ln -s %s l" % IN_PROC, "@ws@/l"),
        ("j", "such a link, from below", "ln -s ../../../../../../../../../..%s sub/l" % IN_PROC, "@ws@/sub/l"),
        ("k", "such a link inside of .git", "ln -s %s/.git .git/modules; mkdir .git/modules/x; ln -s %s/.git .git/worktrees; "
         "mkdir -p x; ln -s %s e; echo 'gitdir: ../e/.git' > x/.git" % (IN_PROC, IN_PROC, IN_PROC), "@ws@/x")):
    road("G-26" + letter, "a .git file: " + what, script, then=((["git", "status"], where),), setup=hostile_outside, real=letter in "agi")
