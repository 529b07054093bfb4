"""Random trees, policies and questions. All by one generator of random numbers, so that a seed tells the whole case."""
import os

FOLDERS = ["a", "b", "src", "build", "deep", "with space", ".git", "hooks", "refs", ".ssh", ".vscode", ".config", "secret", "Upper"]
FILES = ["f", "g.txt", "x.key", ".env", ".env.local", "HEAD", "config", "commondir", ".envrc", "tool", "notes", "Makefile", "pre-commit",
         ".bashrc", "Secret.KEY"]
NEW = ["new", "new.key", ".env.new", "config", "HEAD", "refs", ".envrc", "hooks", ".git", "commondir", "post-merge", "secret", "SECRET"]
WAITED = {"HEAD", "refs", "f"}  # names that rules of the git group or of the dice wait for
CONTENTS = {"config": ["[core]\n\tbare = false\n", "[core]\n\tpager = sh\n", ""], ".git": ["gitdir: /nowhere\n"]}
SYSTEM = ["/etc/passwd", "/etc/shadow", "/etc", "/usr/bin/true", "/usr/bin", "/usr/share/doc", "/bin/sh", "/dev/null", "/dev/zero", "/dev",
          "/dev/sda", "/proc/self/status", "/proc/version", "/proc", "/sys", "/root", "/", "/tmp", "/var/tmp", "/tmp/none", "/nowhere/x",
          "/run", "/run/none", "/home", "/srv", "/dev/shm"]


class Tree:
    """Below base: home (with the workspace home/work), and out."""

    def __init__(self, rng, base):
        self.rng, self.base = rng, base
        self.home, self.work, self.out = base + "/home", base + "/home/work", base + "/out"
        self.folders, self.files, self.links = [], [], []
        for folder in (self.home, self.work, self.out):
            self.folder(folder)
        for top, room in ((self.work, 3), (self.home, 2), (self.out, 2)):
            self.fill(top, room)
        if rng.random() < 0.5:
            self.repository(rng.choice([self.work, *self.inside(self.work)]))
        for _ in range(rng.randint(4, 12)):
            self.link()

    def shut(self):
        """At last: what a user's own permissions do. Not 0o300: names below a folder that can be searched, and not listed, are not
        found by the look for what a pattern denies, and the plan tells that."""
        for folder in self.folders[3:]:
            if self.rng.random() < 0.06:
                os.chmod(folder, self.rng.choice([0o700, 0o500, 0o555, 0o600, 0o000, 0o1777]))

    def inside(self, top):
        return [folder for folder in self.folders if folder.startswith(top + "/")]

    def folder(self, path):
        if path in self.folders:
            return
        os.mkdir(path, 0o755)
        self.folders.append(path)

    def file(self, path):
        if os.path.lexists(path):
            return
        contents = CONTENTS.get(os.path.basename(path), ["text\n"])
        with open(path, "w", encoding="ascii") as file:
            file.write(self.rng.choice(contents))
        os.chmod(path, self.rng.choice([0o644, 0o644, 0o755, 0o755, 0o600, 0o700, 0o444, 0o000]))
        self.files.append(path)

    def fill(self, top, room):
        for name in self.rng.sample(FILES, self.rng.randint(1, 5)):
            self.file("%s/%s" % (top, name))
        if room == 0:
            return
        for name in self.rng.sample(FOLDERS, self.rng.randint(1, 3)):
            path = "%s/%s" % (top, name)
            if os.path.lexists(path):
                continue
            self.folder(path)
            if self.rng.random() < 0.85:
                self.fill(path, room - 1)

    def repository(self, folder):
        git = folder + "/.git"
        for path in (git, git + "/hooks", git + "/refs"):
            if not os.path.lexists(path):
                self.folder(path)
        for name in ("HEAD", "config", "hooks/pre-commit", "hooks/update.sample"):
            if os.path.isdir(os.path.dirname("%s/%s" % (git, name))):
                self.file("%s/%s" % (git, name))

    def link(self):
        folder = self.rng.choice(self.folders)
        path = "%s/%s" % (folder, self.rng.choice(["link", "to", "l1", "l2", "refs", "hooks"]))
        targets = [*self.rng.sample(self.folders + self.files, 3), *self.links[:1], path, folder + "/gone", "/etc/passwd", "/etc/shadow",
                   "/tmp", "..", "../.."]
        target = self.rng.choice(targets)
        if target.startswith("/") and self.rng.random() < 0.4:
            target = os.path.relpath(target, folder)
        if not os.path.lexists(path):
            os.symlink(target, path)
            self.links.append(path)


# ---- policies ----

def quoted(text):
    return "'%s'" % text.replace("'", "''")


def escaped(path):
    return "".join("\\" + c if c in "*?[]{}\\" else c for c in path)


def some_path(rng, tree):
    return escaped(rng.choice(tree.folders + tree.folders + tree.files + tree.links))


def some_pattern(rng, tree):
    folder, name = escaped(rng.choice(tree.folders)), rng.choice(FILES + FOLDERS)
    return rng.choice(["**/" + name, "**/*.key", "**/.env*", folder + "/*", folder + "/**/" + name, folder + "/*/" + name,
                       "%s/%s" % (folder, name), "**/{a,b}/" + name, some_path(rng, tree), some_path(rng, tree), folder + "/**",
                       "**/" + name + "/*", "**/[n-o]*", folder + "/none"])


def narrowing(rng, tree):
    line = {"path": some_pattern(rng, tree)}
    if rng.random() < 0.3:
        line["except"] = rng.choice([some_pattern(rng, tree), line["path"] + "/*", "**/*.txt"])
    if rng.random() < 0.12:
        line["beside"] = rng.choice(["HEAD", "refs", "f", "../refs"])
    return line


def protection(rng, tree):
    line = narrowing(rng, tree)
    for word in ("removable", "in-place", "mkdir-only"):
        if rng.random() < 0.15:
            line[word] = "true"
            break
    return line


def write_list(out, key, lines):
    if not lines:
        return
    out.append("  %s:" % key)
    for line in lines:
        words = ", ".join("%s: %s" % (word, value if value == "true" else quoted(value)) for word, value in line.items())
        out.append("    - {%s}" % words)


def policy(rng, tree, view):
    """A profile as text."""
    out = ["berm: 1", "name: random", "about: made by dice"]
    if rng.random() < 0.5:
        out.append("extends: [default]")
        if rng.random() < 0.4:
            out.append("override: [{path: %s, why: dice}]" % quoted(rng.choice(["~/.ssh", "/etc/shadow", "**/.envrc"])))
    else:
        out.append("groups: [%s]" % ", ".join(["system-read", *rng.sample(["git-persistence", "temp", "credentials", "shell-startup",
                                                                            "env-files"], rng.randint(0, 4))]))
    out.append("filesystem:")
    grants = {"read": rng.randint(0, 3), "exec": rng.randint(0, 2), "write": rng.randint(0, 3), "delete": rng.choice([0, 0, 0, 1, 2]),
              "replace": rng.choice([0, 0, 1])}
    granted = []
    work = rng.choice(["read", "write", "write", "write"])
    for key, count in grants.items():
        lines = []
        for _ in range(count):
            path = some_path(rng, tree) if key != "replace" else rng.choice(tree.files)
            line = {"path": path}
            if key != "replace" and rng.random() < 0.15:
                line["extent"] = "file"
            lines.append(line)
        if key == "exec":
            lines.append({"path": tree.base + "/bin"})
        if key == work:
            lines.append({"path": tree.work})
        granted += [line["path"] for line in lines]
        write_list(out, key, lines)
    write_list(out, "deny", [narrowing(rng, tree) for _ in range(rng.randint(0, 3))])
    write_list(out, "protect", [protection(rng, tree) for _ in range(rng.randint(0, 3))])
    if rng.random() < 0.2:
        write_list(out, "ask", [{"path": some_pattern(rng, tree)}])
    if rng.random() < 0.2: # one with a grant in it and one around it shows its own content
        folders = [*tree.folders[3:], tree.home + "/none", tree.work + "/none"]
        free = [folder for folder in folders if not any(os.path.realpath(path).startswith(folder) for path in granted)]
        write_list(out, "scratch", [{"path": rng.choice(free)}])
    if rng.random() < 0.15:
        out.append("  tmp: host")
    out.append("  default: %s" % rng.choice(["ask", "deny"]))
    out.append("  view: %s" % view)
    return "\n".join(out) + "\n"


# ---- questions ----

def respelled(rng, tree, path):
    """The same by another way, at times."""
    if rng.random() < 0.75:
        return path
    choice = rng.randrange(4)
    if choice == 0:
        return path.replace("/home/", "/home/./", 1)
    if choice == 1 and "/" in path[1:]:
        folder, name = path.rsplit("/", 1)
        return "%s/../%s/%s" % (folder, os.path.basename(folder), name)
    if choice == 2 and tree.links:
        return "%s/%s" % (rng.choice(tree.links), os.path.basename(path))
    return path + "/"


def doomed_names(rng, tree):
    """What will be tried to be removed: files, links, empty folders, and one folder that is not empty."""
    every = tree.folders[3:] + tree.files + tree.links
    chosen = [path for path in rng.sample(every, max(1, len(every) // 6)) if os.path.basename(path) not in WAITED]
    full = [path for path in chosen if path in tree.folders and os.listdir(path)]
    return sorted(set(chosen) - set(full[1:]))


def made_names(rng, tree, doomed, count):
    """Names that may be there or not, in folders that stay; then one that rules wait for, in a folder where nothing else is made."""
    empty = {path for path in doomed if path in tree.folders and not os.listdir(path)}
    made = set()
    for _ in range(count):
        folder, name = rng.choice(tree.folders), rng.choice([*NEW, *FILES])
        path = "%s/%s" % (folder, name)
        if folder not in empty and path not in doomed and name not in WAITED:
            made.add(path)
    # A folder of the machine is not there in a scratch folder, so its name can be made: as a file, where others are looked for below it.
    made -= {path for path in made if any(other.startswith(path + "/") for other in [*made, *doomed])}
    rest = [folder for folder in tree.folders
            if folder not in doomed and not any((folder + "/").startswith(path + "/") for path in made) and
            not any(path.startswith(folder + "/") for path in [*made, *doomed])]
    last = ["%s/%s" % (rng.choice(rest), rng.choice(sorted(WAITED)))] if rest else []
    return sorted(made), last


def questions(rng, tree, count):
    """(op of why, op of the try, path), in an order in which none changes what another finds."""
    every = tree.folders + tree.files + tree.links
    looks, writes = [], []
    doomed = doomed_names(rng, tree)
    made, last = made_names(rng, tree, doomed, count // 4)
    for _ in range(count):
        op = rng.choice(["read", "read", "list", "exec", "write", "write"])
        path = rng.choice(every) if rng.random() < 0.85 else rng.choice(SYSTEM)
        if rng.random() < 0.1:
            path += rng.choice(["/gone", "/gone/further"])
        (writes if op == "write" else looks).append((op, op, respelled(rng, tree, path)))
    makes = [("create", "create", path) for path in made]
    removals = [("delete", "rmdir" if path in tree.folders else "unlink", path) for path in doomed]
    return [*looks, *writes, *makes, *removals, *[("create", "create", path) for path in last]]
