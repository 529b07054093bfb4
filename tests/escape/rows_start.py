"""What a repository, a home folder or an environment could make berm grant at the start, before the program runs."""
import os

from gitworld import repository
from row import attempt, either, escape, exists, holds, printed, sh

READ = sh("cat @out@/secret @home@/.ssh/id_rsa @home@/notes 2>/dev/null; echo planted > @out@/new; echo planted > @home@/.bashrc; echo tried")
GOT = either(printed, exists("@out@/new"), holds("@home@/.bashrc"))


def secrets(w):
    w.secret("@out@/secret")
    w.secret("@home@/.ssh/id_rsa")
    w.secret("@home@/notes")


def row(letter, what, setup, **more):
    escape("F-36" + letter, what, READ, GOT, setup=lambda w: (secrets(w), setup(w)), real=letter in "abe", **more)


def git_folder(w, path):
    """The least that git takes for a repository."""
    w.file(path + "/HEAD", "ref: refs/heads/main\n")
    w.file(path + "/config", "[core]\n\tbare = false\n")
    w.folder(path + "/objects")
    w.folder(path + "/refs")


row("a", "a repository around the home folder", lambda w: git_folder(w, "@home@/.git"))
row("b", "a repository around everything", lambda w: git_folder(w, "@root@/.git"))
row("c", "a .git file that leads outside", lambda w: (git_folder(w, "@out@"), w.file("@ws@/.git", "gitdir: @out@\n")))
row("d", "a .git file that leads into the home folder", lambda w: (git_folder(w, "@home@"), w.file("@ws@/.git", "gitdir: @home@\n")))
row("e", "a commondir that leads outside", lambda w: (
    w.file("@ws@/fake/commondir", "@out@\n"), w.file("@ws@/fake/HEAD", "ref: refs/heads/main\n"), w.file("@ws@/fake/gitdir", "@ws@/.git\n"),
    git_folder(w, "@out@"), w.file("@ws@/.git", "gitdir: @ws@/fake\n")))
row("f", "a commondir that leads into the home folder", lambda w: (
    w.file("@ws@/fake/commondir", "../..\n"), w.file("@ws@/fake/HEAD", "ref: refs/heads/main\n"), w.file("@ws@/fake/gitdir", "@ws@/.git\n"),
    git_folder(w, "@home@"), w.file("@ws@/.git", "gitdir: fake\n")))
row("g", "a .git link that leads outside", lambda w: (git_folder(w, "@out@"), os.symlink(w.path("@out@"), w.path("@ws@/.git"))))
row("h", "a program folder in the home folder", lambda w: (w.folder("@home@/bin"), w.env.update(PATH=w.path("@home@/bin:/usr/bin:/bin"))))
row("i", "the home folder itself on the path", lambda w: w.env.update(PATH=w.path("@home@:/usr/bin:/bin")))
row("j", "the root folder on the path", lambda w: w.env.update(PATH="/:/usr/bin:/bin"))
row("k", "a program folder beside a secret", lambda w: (w.folder("@out@/bin"), w.env.update(PATH=w.path("@out@/bin:/usr/bin:/bin"))))
row("l", "an empty and a relative entry on the path", lambda w: w.env.update(PATH=":.:..:../..:/usr/bin:/bin"))
row("m", "tools' variables that name the home folder",
    lambda w: w.env.update({name: w.home for name in ("PYENV_ROOT", "NVM_DIR", "GOPATH", "GOROOT", "CARGO_HOME", "RUSTUP_HOME", "JAVA_HOME",
                                                      "VIRTUAL_ENV", "npm_config_prefix", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}))
row("n", "TMPDIR is the home folder", lambda w: w.env.update(TMPDIR=w.home))
row("o", "TMPDIR is a folder outside", lambda w: w.env.update(TMPDIR=w.out))
row("p", "the path is a link to the home folder", lambda w: (os.symlink(w.home, w.path("@root@/l")), w.env.update(PATH=w.path("@root@/l:/usr/bin:/bin"))))


def other_repository(w):
    """The .git file of an archive that came from elsewhere claims to be a worktree of the person's other project."""
    secrets(w)
    repository(w, "@home@/other")
    w.secret("@home@/other/.git/secret")
    w.file("@home@/other/.git/worktrees/x/commondir", "../..\n")
    w.file("@home@/other/.git/worktrees/x/HEAD", "ref: refs/heads/main\n")
    w.file("@home@/other/.git/worktrees/x/gitdir", "/somewhere/else/.git\n")
    w.file("@ws@/.git", "gitdir: @home@/other/.git/worktrees/x\n")


escape("F-36q", "a .git file that claims another project's worktree", sh("cat @home@/other/.git/secret; echo planted > @home@/other/.git/new"),
       either(printed, exists("@home@/other/.git/new")), setup=other_repository, needs=("git",))
