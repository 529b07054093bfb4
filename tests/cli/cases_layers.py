"""Where policies come from: layers that refer to each other, that widen, and files that are not what they should be. Each
wrong one is told with its file, and its line where it has one, and nothing starts."""
import os

from harness import equal, test, test_ways, true

POLICY = "home/.config/berm/policy.yaml"
PROFILES = "home/.config/berm/profiles/"
GROUPS = "home/.config/berm/groups/"
HUGE = 64 * 1024 * 1024


def refused(place, *parts, args=()):
    """Nothing runs; all of the parts are said."""
    marker = os.path.join(place.work, "ran")
    result = place.sh(f"touch {marker}", *args)
    equal(result.status, 125, "status")
    true(not os.path.exists(marker), "it ran all the same")
    for part in parts:
        true(part in result.err, f"{part!r} is not said: {result.err!r}")
    true("Traceback" not in result.err and result.err.startswith("berm: "), f"what is said: {result.err!r}")


def remade(place, name):
    path = os.path.join(place.base, name)
    place.folder(os.path.dirname(name))
    if os.path.lexists(path):
        os.unlink(path)
    return path


# ---- documents that refer to each other ----

@test
def cycles_are_told_where_they_close(place):
    place.file(PROFILES + "a.yaml", "berm: 1\nextends: [b]\n")
    place.file(PROFILES + "b.yaml", "berm: 1\n\nextends: [c]\n")
    place.file(PROFILES + "c.yaml", "berm: 1\n\n\nextends:\n  - a\n")
    refused(place, "c.yaml:5:5", "a", args=("-p", "a"))
    place.file(PROFILES + "self.yaml", "berm: 1\nextends: [self]\n")
    refused(place, "self.yaml:2:11", args=("-p", "self"))
    place.file(GROUPS + "g.yaml", "berm: 1\ngroups: [h]\n")
    place.file(GROUPS + "h.yaml", "berm: 1\ngroups: [g]\n")
    refused(place, "h.yaml:2:10", args=("-g", "g"))


@test
def depth_is_limited_and_told(place):
    for i in range(40):
        place.file(f"{PROFILES}d{i}.yaml", f"berm: 1\nextends: [d{i + 1}]\n")
    place.file(PROFILES + "d40.yaml", "berm: 1\nextends: []\n")
    refused(place, ".yaml:2:11", "deep", args=("-p", "d0"))
    refused(place, "no such", args=("-p", "d99"))


@test
def unknown_names_are_told_with_the_nearest(place):
    place.file(POLICY, "berm: 1\ngroups:\n  - credential\n")
    refused(place, "policy.yaml:3:5", "credential", "try: credentials")
    place.file(POLICY, "berm: 1\nextends: [defaults]\n")
    refused(place, "policy.yaml:2:11", "try: default")


# ---- layers ----

@test
def a_project_that_widens_is_told_by_line(place):
    for number, text, part in (
            (3, "filesystem:\n  read: [/opt]\n", "/opt"),
            (2, "override: [{path: ~/.ssh, why: please}]\n", "override"),
            (2, "groups: [-credentials]\n", "credentials"),
            (3, "network:\n  mode: host\n", "host"),
            (3, "process:\n  may: [ptrace]\n", "ptrace"),
            (3, "environment:\n  set: {LD_PRELOAD: ./x.so}\n", "LD_PRELOAD"),
            (2, "extends: [claude-code]\n", "claude-code")):
        place.file("home/work/.berm.yaml", "berm: 1\n" + text)
        refused(place, f"work/.berm.yaml:{number}:", part)
    place.file("home/work/.berm.yaml", "berm: 1\nfilesystem: {deny: [private]}\n")
    place.sh("true").ok()


@test
def a_required_group_stays(place):
    place.file(POLICY, "berm: 1\ngroups: [-credentials]\n")
    refused(place, "policy.yaml:2:10", "credentials")
    place.file(POLICY, "berm: 1\n")
    place.file(GROUPS + "credentials.yaml", "berm: 1\n")
    refused(place, "credentials.yaml", "required")


@test
def the_floor_is_told_with_the_line_that_wants_it(place):
    place.file(POLICY, "berm: 1\nfilesystem:\n  write:\n    - .\n    - /boot\n")
    refused(place, "policy.yaml:5:7", "'/boot' is never granted", "firmware and boot")
    place.file(POLICY, "berm: 1\nfilesystem:\n  read: [~/../../../../dev//mem]\n")
    refused(place, "policy.yaml:3:", "is never granted", "memory of other processes")
    place.file(POLICY, "berm: 1\noverride: [{path: /dev/mem, why: mine}]\nfilesystem: {read: [/dev/mem]}\n")
    refused(place, "policy.yaml:2:12", "lifts nothing")
    place.file(POLICY, "berm: 1\nfilesystem:\n  write: [/]\n")
    refused(place, "policy.yaml:3:11", "'/' cannot be written as a whole", "try: ")


# ---- files ----

@test
def files_of_others_are_not_read(place):
    for name in (POLICY, PROFILES + "p.yaml", GROUPS + "g.yaml"):
        path = place.file(name, "berm: 1\nextends: []\n" if "groups" not in name else "berm: 1\n")
        for mode in (0o664, 0o646, 0o666):
            os.chmod(path, mode)
            refused(place, path, "others may write", "chmod go-w", args=("-p", "p", "-g", "g") if name != POLICY else ())
        os.chmod(path, 0o644)
        if os.getuid() == 0:
            os.chown(path, 54321, 54321)
            refused(place, path, "somebody else", args=("-p", "p", "-g", "g") if name != POLICY else ())
        os.unlink(path)
        if "profiles" in name:
            place.file(name, "berm: 1\nextends: []\n")


@test
def the_folder_of_policies_is_the_users(place):
    place.file(POLICY, "berm: 1\n")
    folder = os.path.join(place.base, "home/.config/berm")
    os.chmod(folder, 0o777)
    refused(place, folder, "others may write")
    os.chmod(folder, 0o755)
    place.sh("true").ok()


@test
def a_policy_is_a_file_of_a_sensible_size(place):
    for name, args in ((POLICY, ()), (PROFILES + "p.yaml", ("-p", "p")), (GROUPS + "g.yaml", ("-g", "g")), ("home/work/.berm.yaml", ())):
        path = remade(place, name)
        os.mkfifo(path)
        refused(place, path, "no regular file", args=args)
        os.unlink(path)
        os.mkdir(path)
        refused(place, path, "no regular file", args=args)
        os.rmdir(path)
        place.file(name, "berm: 1\n")
        os.truncate(path, HUGE)
        refused(place, path, "larger than", args=args)
        os.unlink(path)
        os.symlink("/dev/zero", path)
        refused(place, path, "no regular file" if "work" not in name else "symbolic link", args=args)
        os.unlink(path)


@test
def a_link_counts_as_what_it_leads_to(place):
    real = place.file("home/dot/policy.yaml", "berm: 1\nfilesystem:\n  raed: [/opt]\n")
    path = remade(place, POLICY)
    os.symlink(real, path)
    refused(place, "policy.yaml:3:3", "raed", "try: read")
    place.file("home/dot/policy.yaml", "berm: 1\nextends: [default]\n")
    place.sh("true").ok()
    os.chmod(real, 0o666)
    refused(place, path, "others may write")
    os.unlink(real)
    place.sh("true").ok()  # a link to nowhere is no policy
    os.symlink(real, os.path.join(place.work, ".berm.yaml"))
    refused(place, "work/.berm.yaml", "symbolic link")


@test_ways
def a_policy_in_the_workspace_is_not_changed_by_what_it_rules(place):
    """The user's own policies may be kept in a repository that is the workspace of this run."""
    place.file("home/work/cfg/policy.yaml", "berm: 1\nextends: [default]\n")
    env = {"BERM_CONFIG_DIR": os.path.join(place.work, "cfg")}
    script = "echo '#' >> cfg/policy.yaml; mkdir cfg/groups; mv cfg c2; rm -rf cfg; echo berm: 1 > cfg/new.yaml; echo x > free && cat free"
    equal(place.sh(script, "-q", env=env).out, "x\n", "output")
    with open(os.path.join(place.work, "cfg/policy.yaml"), encoding="utf-8") as file:
        equal(file.read(), "berm: 1\nextends: [default]\n", "the policy")
    equal(os.listdir(os.path.join(place.work, "cfg")), ["policy.yaml"], "the folder")


@test
def a_file_of_the_project_is_not_the_users(place):
    """Not by its name, not by the place that a relative variable names."""
    for name in ("policy.yaml", ".config/berm/policy.yaml", "berm/policy.yaml", ".berm/policy.yaml"):
        place.file("home/work/" + name, "berm: 1\nextends: [default]\nfilesystem: {read: [/var/lib]}\n")
    for env in ({}, {"XDG_CONFIG_HOME": "."}, {"XDG_CONFIG_HOME": ".config"}, {"BERM_CONFIG_DIR": "berm"}):
        result = place.berm("policy", "show", env=env)
        true("/var/lib " not in result.out and "[/var/lib]" not in result.out, f"{env}: {result!r}")


@test
def relative_names_of_profiles_are_no_paths(place):
    place.file("home/work/evil.yaml", "berm: 1\nextends: []\nfilesystem: {read: [/]}\n")
    for name in ("../work/evil", "../../work/evil", "..", ".", "a/../evil"):
        place.file(POLICY, f"berm: 1\nextends: ['{name}']\n")
        refused(place, "policy.yaml:2:11")
