"""Cases that dice found once, and their like: trees, policies and questions that stay tested whatever the dice throw. BASE is the
folder of the case, in which are home/work, out and bin.

A question: what is tried, where, and what the kernel must say in the hidden view (NEVER: that is not told here).
"""
import errno
import os

NEVER = -1
RULES = "groups: [system-read, temp, login-startup]"  # protects **/.ssh/**, everywhere
HEAD = "berm: 1\nname: fixed\nabout: one of tests/why/fixed.py\n%s\nfilesystem:\n  exec: [BASE/bin]\n"

FIXED = {
    # In a scratch folder around a governed grant rules hold; in one within it, that has no grant, they do not.
    "a scratch folder in another": {
        "in_tmp": True,
        "folders": ["out/.ssh", "out/.ssh/build"],
        "policy": HEAD % RULES + "  write: [BASE/home/work]\n  scratch: [BASE/out/.ssh/build]\n  default: ask\n",
        "questions": [
            ("list", "BASE/out/.ssh/build", 0), ("create", "BASE/out/.ssh/build/new", 0), ("create", "BASE/out/.ssh/new", errno.EACCES),
            ("create", "BASE/out/new", 0), ("create", "BASE/home/new", 0), ("delete", "BASE/out/.ssh/build", NEVER),
            ("create", "BASE/home/work/new", 0), ("create", "/tmp/.pam_environment", errno.EACCES)],
    },
    # One that does not exist on the machine is made in the hidden view alone.
    "a scratch folder that is nowhere": {
        "in_tmp": True,
        "policy": HEAD % RULES + "  write: [BASE/home/work]\n  scratch: [BASE/out/.ssh/none]\n",
        "questions": [("create", "BASE/out/.ssh/none/new", 0), ("create", "BASE/out/new", 0), ("list", "BASE/out/.ssh", 0)],
    },
    # The same in a grant, whose rules end at the scratch folder.
    "a scratch folder in a grant": {
        "folders": ["home/a", "home/a/b"],
        "files": ["home/a/f"],
        "policy": HEAD % "groups: [system-read]" +
        "  write: [BASE/home, BASE/home/work]\n  protect: ['**/.envrc']\n  scratch: [BASE/home/a]\n",
        "questions": [
            ("list", "BASE/home/a", 0), ("read", "BASE/home/a/f", errno.ENOENT), ("create", "BASE/home/a/new", 0),
            ("create", "BASE/home/a/.envrc", 0), ("create", "BASE/home/.envrc", errno.EACCES), ("create", "BASE/home/a/b/new", errno.ENOENT)],
    },
    # A grant in a scratch folder in a grant with the same rights, or with others, and a scratch folder in that again.
    "a grant in a scratch folder in a grant": {
        "folders": ["home/a", "home/a/b", "home/a/c", "home/a/b/d", "home/a/b/d/e"],
        "files": ["home/a/f", "home/a/b/f", "home/a/c/f", "home/a/b/d/f", "home/a/b/d/e/f", "home/a/one", "home/f"],
        "policy": HEAD % "groups: [system-read]" + "  read: [BASE/home/a/c]\n" +
        "  write: [BASE/home, BASE/home/work, BASE/home/a/b, BASE/home/a/b/d/e, {path: BASE/home/a/one, extent: file}]\n" +
        "  scratch: [BASE/home/a, BASE/home/a/b/d]\n",
        "questions": [
            ("list", "BASE/home/a", 0), ("read", "BASE/home/f", 0), ("read", "BASE/home/a/f", errno.ENOENT), ("read", "BASE/home/a/b/f", 0),
            ("read", "BASE/home/a/c/f", 0), ("write", "BASE/home/a/b/f", 0), ("read", "BASE/home/a/b/d/f", errno.ENOENT),
            ("read", "BASE/home/a/b/d/e/f", 0), ("write", "BASE/home/a/b/d/e/f", 0), ("write", "BASE/home/a/one", 0),
            ("create", "BASE/home/a/new", 0), ("create", "BASE/home/a/b/new", 0), ("create", "BASE/home/a/b/d/e/new", 0)],
    },
    # What lies on the machine in its place is nothing that a rule could wait for.
    "a rule that waits in a scratch folder": {
        "folders": ["out/a"],
        "files": ["out/a/commondir"],
        "policy": HEAD % "groups: [system-read, git-persistence]" + "  write: [BASE/home/work]\n  scratch: [BASE/out/a]\n",
        "questions": [("create", "BASE/out/a/commondir", 0), ("create", "BASE/out/a/HEAD", 0)],
    },
    # The visible view has the grant, the hidden one the scratch folder.
    "a grant that is a scratch folder": {
        "folders": ["out/a"],
        "files": ["out/a/f"],
        "policy": HEAD % "groups: [system-read]" +
        "  write: [BASE/out/a, BASE/home/work]\n  protect: ['**/.envrc']\n  scratch: [BASE/out/a]\n",
        "questions": [
            ("list", "BASE/out/a", 0), ("read", "BASE/out/a/f", errno.ENOENT), ("create", "BASE/out/a/new", 0),
            ("create", "BASE/out/a/.envrc", NEVER), ("delete", "BASE/out/a/f", NEVER), ("create", "/dev/shm/.envrc", 0)],
    },
    # SHM is the beginning of names that are the case's own.
    "shared memory of the machine": {
        "shm": ["-f", "-f.key"],
        "policy": HEAD % "groups: [system-read]" + "  write: [/dev/shm, BASE/home/work]\n  delete: [BASE/home/work]\n  protect: ['**/*.key']\n",
        "questions": [
            ("list", "/dev/shm", 0), ("read", "SHM-f", 0), ("write", "SHM-f.key", errno.EACCES), ("create", "SHM-new.key", errno.EACCES),
            ("create", "SHM-new", 0), ("delete", "SHM-f", errno.EACCES), ("delete", "SHM-f.key", errno.EACCES)],
    },
    "shared memory that is not granted": {
        "shm": ["-f"],
        "policy": HEAD % "groups: [system-read]" + "  write: [BASE/home/work]\n  protect: ['**/*.key']\n",
        "questions": [
            ("list", "/dev/shm", 0), ("read", "SHM-f", errno.ENOENT), ("delete", "SHM-f", errno.ENOENT), ("create", "SHM-new.key", 0),
            ("create", "SHM-new", 0)],
    },
    # Of a folder that is reached by ".." or by a link, what counts is how the view shows the folder, not the way to it.
    "links to folders on the way": {
        "folders": ["out/sub", "out/deep"],
        "files": ["out/f", "out/deep/g"],
        "links": {"out/up": "..", "out/here": ".", "out/root": "/", "out/deep/far": "../..", "home/work/up": "../../out"},
        "policy": HEAD % "groups: [system-read]" + "  read:\n    - BASE/out/sub\n    - BASE/home/work\n" +
        "".join("    - {path: BASE/out/%s, extent: file}\n" % name for name in ("up", "here", "root", "deep/far")),
        "questions": [
            *[(op, "BASE/out/" + path, 0 if op == "list" else NEVER) for op in ("list", "read", "write", "exec")
              for path in ("up", "up/", "up/.", "here", "here/here", "sub/..", "root", "deep/far", "deep/far/out/here", "up/out/sub")],
            ("list", "BASE/home/work/up", 0), ("list", "BASE/home/work/..", 0), ("list", "BASE/home/work/../../out/.", 0),
            ("read", "BASE/out/here/f", errno.ENOENT), ("list", "BASE/out/up/gone", errno.ENOENT), ("delete", "BASE/out/up", NEVER)],
    },
}


def shm(base):
    return "/dev/shm/" + base[1:].replace("/", "-")


class Tree:
    """What trees.Tree has, with nothing left to chance."""

    def __init__(self, base, fixed):
        self.base, self.home, self.work, self.out = base, base + "/home", base + "/home/work", base + "/out"
        self.folders, self.files, self.links = [], [], []
        for folder in [self.home, self.work, self.out, *("%s/%s" % (base, name) for name in fixed.get("folders", []))]:
            os.mkdir(folder, 0o755)
            self.folders.append(folder)
        for name in fixed.get("files", []):
            path = "%s/%s" % (base, name)
            with open(path, "w", encoding="ascii") as file:
                file.write("text\n")
            self.files.append(path)
        for name in fixed.get("shm", []):
            self.files.append(shm(base) + name)
            open(self.files[-1], "x", encoding="ascii").close()
        for name, target in fixed.get("links", {}).items():
            os.symlink(target, "%s/%s" % (base, name))
            self.links.append("%s/%s" % (base, name))


def policy(fixed, base, view):
    return fixed["policy"].replace("BASE", base) + "  view: %s\n" % view


def questions(fixed, base, tree):
    """As trees.questions; and beside them what the kernel must say in the hidden view."""
    asked, wanted = [], []
    for op, path, error in fixed["questions"]:
        path = path.replace("BASE", base).replace("SHM", shm(base))
        tried = op if op != "delete" else "rmdir" if path in tree.folders else "unlink"
        asked.append((op, tried, path))
        wanted.append(error)
    return asked, wanted
