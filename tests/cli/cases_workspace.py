"""Which folder is the workspace."""
import os

from harness import equal, test_ways, true


def can_write(place, path, **more):
    """Whether a run can make the file; seen from outside."""
    place.sh(f"echo x >'{path}' 2>/dev/null", **more)
    made = os.path.exists(path)
    if made:
        os.unlink(path)
    return made


def git(place, *args, **more):
    return place.command(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main",
                          *args], **more).ok()


@test_ways
def without_git_it_is_the_current_folder(place):
    sub = place.folder("home/work/sub")
    true(can_write(place, f"{sub}/f", cwd=sub), "the current folder is not writable")
    true(not can_write(place, f"{place.work}/f", cwd=sub), "the folder above is writable")


@test_ways
def with_git_it_is_the_top_level(place):
    sub = place.folder("home/work/a/b")
    git(place, "init", "-q")
    true(can_write(place, f"{place.work}/f", cwd=sub), "the top level is not writable")
    true(not can_write(place, f"{place.home}/f", cwd=sub), "the folder above is writable")


@test_ways
def in_a_linked_worktree_git_works(place):
    git(place, "init", "-q")
    place.file("home/work/a", "1\n")
    git(place, "add", "a")
    git(place, "commit", "-q", "-m", "one")
    git(place, "worktree", "add", "-q", "../tree")
    tree = os.path.join(place.home, "tree")
    result = place.sh("echo 2 >a && git -c user.name=t -c user.email=t@example.org commit -q -a -m two && "
                      "git log --format=%s", cwd=tree)
    equal((result.status, result.out), (0, "two\none\n"), repr(result))
    true(not can_write(place, f"{place.work}/f", cwd=tree), "the main working tree is writable")
    true(not can_write(place, f"{place.work}/.git/hooks/post-commit", cwd=tree), "a hook was planted")


@test_ways
def a_hostile_git_file_widens_nothing(place):
    target = place.folder("home/target")
    os.makedirs(f"{target}/objects")
    os.makedirs(f"{target}/refs")
    place.file("home/target/HEAD", "ref: refs/heads/main\n")
    place.file("home/work/.git", f"gitdir: {target}\n")
    for name in (target, f"{target}/objects", f"{target}/refs"):
        place.give(name)
    true(not can_write(place, f"{target}/f"), "the target of a hostile .git file is writable")


@test_ways
def the_home_folder_is_never_a_workspace(place):
    true(not can_write(place, f"{place.home}/f", cwd=place.home), "home is writable")
    result = place.run("true", cwd=place.home).ok()
    true(result.err.startswith("berm: no workspace: "), repr(result))
    equal(place.run("-q", "true", cwd=place.home).ok().err, "")


@test_ways
def a_repository_in_home_does_not_make_it_one(place):
    git(place, "init", "-q", cwd=place.home)
    sub = place.folder("home/config")
    true(not can_write(place, f"{place.home}/f", cwd=sub), "home is writable")


@test_ways
def the_root_is_never_a_workspace(place):
    result = place.run("true", cwd="/").ok()
    true(result.err.startswith("berm: no workspace: "), repr(result))
    true(not can_write(place, f"{place.home}/f", cwd="/"), "home is writable from /")


@test_ways
def home_can_be_named(place):
    script = f"echo x >'{place.home}/named'"
    place.sh(script, "-w", place.home, cwd=place.home).ok()
    true(os.path.exists(f"{place.home}/named"), "not writable though named")
    place.sh("echo y >named2", "-w", ".", cwd=place.home).ok()
    true(os.path.exists(f"{place.home}/named2"), "not writable though named by '.'")


@test_ways
def flags_grant_other_folders(place):
    other = place.folder("other")
    place.file("other/text", "hello\n")
    true(place.run("cat", f"{other}/text").status != 0, "read without a grant")
    equal(place.run("-r", other, "cat", f"{other}/text").ok().out, "hello\n")
    true(place.sh(f"echo x >'{other}/f'", "-r", other).status != 0, "written with a read grant")
    place.sh(f"echo x >'{other}/f'", "-w", other).ok()
    program = place.file("other/program", "#!/bin/sh\necho ran\n", 0o755)
    true(place.run("-r", other, program).status == 126, "run with a read grant")
    equal(place.run("-x", other, program).ok().out, "ran\n")


@test_ways
def denied_and_protected_names_hold(place):
    place.file("home/work/.env", "SECRET=1\n")
    place.file("home/work/fixed", "1\n")
    options = ("--deny", "**/.env", "--protect", "fixed")
    true(place.run(*options, "cat", ".env").status != 0, "a denied file was read")
    true(place.sh("echo 2 >fixed", *options).status != 0, "a protected file was changed")
    true(place.sh("rm fixed", *options).status != 0, "a protected file was removed")
    equal(place.run(*options, "cat", "fixed").ok().out, "1\n")
    place.sh("echo 2 >other && mkdir d && mv other d/", *options).ok()


@test_ways
def nothing_is_removed_where_nothing_is_written(place):
    """A line that one back-end could hold and the other not is refused by both; within what is written it holds."""
    for name in ("a/x", "a/y", "b/x"):
        place.file(f"home/work/{name}", "1\n")
    head = "berm: 1\nextends: [none]\nfilesystem:\n  "
    file = place.file("home/work/p.yaml", head + "read: [.]\n  delete: [./a]\n")
    result = place.sh("rm a/x", "-p", file)
    true(result.status == 125 and "p.yaml:5:12: nothing can be removed where nothing can be written: './a'" in result.err
         and "try: filesystem.write" in result.err, result.err)
    file = place.file("home/work/p.yaml", head + "write: [.]\n  delete: [./a]\n")
    place.sh("rm a/x && echo 2 >b/x", "-p", file).ok()
    true(place.sh("rm b/x", "-p", file).status != 0, "a file was removed")
    true(place.sh("mv a/y b/x", "-p", file).status != 0, "a file was replaced")


@test_ways
def a_protected_folder_is_protected_with_all_in_it(place):
    """By a pattern, with an exception, with a label of its own."""
    for name in ("lib/gen/old", "pkg/sub/old", "own/sub/old", "other/old"):
        place.file(f"home/work/{name}", "1\n")
    file = place.file("home/work/p.yaml", """berm: 1
filesystem:
  write: [.]
  protect: [{path: ./lib, except: [./lib/gen]}, "./p[k]g", {path: ./own, label: mine}]
""")
    for path in ("lib/new", "lib/gen2", "pkg/new", "pkg/sub/new", "pkg/sub/old", "own/new", "own/sub/old"):
        true(place.sh(f"echo 2 >{path}", "-p", file).status != 0, f"{path} was changed")
    for path in ("lib/gen/new", "lib/gen/old", "other/old"):
        place.sh(f"echo 2 >{path}", "-p", file).ok()
