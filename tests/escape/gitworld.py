"""Repositories for the rows about git, made once for each identity and copied."""
import os
import shutil
import subprocess
import tempfile
import threading

from world import Setup

_lock = threading.Lock()
_made = {}

GITCONFIG = """[user]
	name = Test
	email = test@example.org
[init]
	defaultBranch = main
[protocol "file"]
	allow = always
[advice]
	detachedHead = false
"""


def _make(w):
    """A repository with two commits and a branch, as the identity of the world."""
    folder = tempfile.mkdtemp(prefix="git", dir=os.path.dirname(w.root))
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        os.chown(folder, w.identity.uid, w.identity.gid)
    repo = os.path.join(folder, "repo")
    script = """set -e
mkdir repo; cd repo; git init -q .
echo one > a.txt; mkdir sub; echo two > sub/b.txt; git add .; git commit -qm one
echo more >> a.txt; git commit -qam two
git branch side
"""
    done = w.run(["sh", "-c", script], cwd=folder)
    if done.status:
        raise Setup("git: " + done.err.strip())
    return repo


def home_config(w):
    w.file("@home@/.gitconfig", GITCONFIG)


def repository(w, at="@ws@"):
    """Puts the repository into the workspace (or elsewhere) of this world."""
    home_config(w)
    w.give()
    with _lock:
        key = (os.path.dirname(w.root), w.identity.uid)
        if key not in _made:
            _made[key] = _make(w)
    shutil.copytree(_made[key], w.path(at), symlinks=True, dirs_exist_ok=True)
    w.file(at + "/.git/info/exclude", "/attempt\n/events\n")
