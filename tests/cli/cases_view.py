"""doctor and --explain: what is told, and that nothing is started."""
import json
import os

from harness import BERM, equal, test_ways, true

WORDS = {"yes", "partly", "no"}


def check_plan(plan, *more):
    true(len(plan) >= 5, f"only {len(plan)} lines")
    for line in plan:
        equal(sorted(line), ["enforcer", "guarantee", "holds", "line", "note", *more])
        true(line["holds"] in WORDS and line["guarantee"] and line["line"], repr(line))
        true(line["enforcer"] or line["holds"] == "no", f"nobody holds {line!r}")


@test_ways
def doctor_tells_who_holds_what(place):
    result = place.berm("doctor").ok()
    lines = result.out.splitlines()
    true(lines[0].startswith("berm ") and "Linux" in lines[0], repr(result))
    equal(lines[1], "back-end: " + ("namespaces" if place.way.namespaces else "landlock"))
    true(any(line.startswith("guarantee") for line in lines), repr(result))
    true("\x1b" not in result.out, "colour in a pipe")
    true(all(line == line.rstrip() for line in lines), "spaces at the end of a line")
    equal(result.err, "")


@test_ways
def doctor_as_json(place):
    result = place.berm("doctor", "--json").ok()
    answer = json.loads(result.out)
    equal(answer["backend"], "namespaces" if place.way.namespaces else "landlock")
    equal(answer["refused"], False)
    check_plan(answer["plan"])
    true(isinstance(answer["facts"]["landlock_abi"], int), "no facts")
    true(answer["version"] and answer["kernel"] and answer["machine"], "no names")


@test_ways
def explain_starts_nothing(place):
    result = place.sh("touch ran", "--explain", "-r", "/etc", "--net=host", "--deny", "**/.env").ok()
    true(not os.path.exists(os.path.join(place.work, "ran")), "it ran")
    for text in ("filesystem.write", place.work, "filesystem.read", "filesystem.deny", "**/.env", "network.mode", "host",
                 "back-end:"):
        true(text in result.out, f"{text} is missing: {result.out}")
    place.run("--explain").ok()  # without a command too


@test_ways
def explain_as_json(place):
    answer = json.loads(place.run("--explain", "--json", "-w", "/srv", "true").ok().out)
    equal(answer["workspace"], place.work)
    check_plan(answer["plan"], "origin")
    policy = {(line["line"], line["value"], line["origin"]) for line in answer["policy"]}
    true(("filesystem.write", "/srv", "--write") in policy, repr(policy))
    true(any(line[:2] == ("network.mode", "filtered") and line[2].startswith("profiles/default.yaml:")
             for line in policy), repr(policy))
    origins = {line["line"]: line["origin"] for line in answer["plan"]}
    equal(origins["read+write+delete+exec /srv"], "--write")
    true(origins["read+exec /usr"].startswith("groups/system-read.yaml:"), repr(origins["read+exec /usr"]))


@test_ways
def verbose_names_the_back_end(place):
    result = place.run("-v", "true").ok()
    name = "namespaces" if place.way.namespaces else "landlock"
    true(f"berm: back-end: {name}; workspace: {place.work}; session: " in result.err, repr(result))
    equal(place.run("true").ok().err, "")


@test_ways
def a_demanded_back_end_is_used(place):
    result = place.run("-v", "--backend=landlock", "true").ok()
    true("back-end: landlock" in result.err, repr(result))


@test_ways
def each_view_closes_denied_names(place):
    secret = place.file("home/work/secret.txt", "what nobody may read\n")
    for view in ("hidden", "visible") if place.way.namespaces else ("visible",):
        for options in (("--cwd", "/"), ()):
            result = place.sh(f"cat {secret}; cat /proc/self/comm", "--view", view, "--deny", secret, *options, "-w",
                              place.work)
            true("nobody may read" not in result.out, f"{view}: read")
            equal(result.out, "cat\n", f"{view}: its own /proc")


@test_ways
def a_machine_that_refuses_namespaces_is_found_out(place):
    if not place.way.namespaces:
        return
    for limit in ("user", "mnt", "pid", "net"):
        left = 1 if limit == "mnt" else 0  # "unshare" itself has one
        script = f"echo {left} >/proc/sys/user/max_{limit}_namespaces && exec '{BERM}' run -v /bin/sh -c 'echo x >f && cat f'"
        result = place.command(["unshare", "-Urm", "/bin/sh", "-c", script]).ok("x\n")
        if limit != "net":  # seccomp can stand in for that one
            true("back-end: landlock" in result.err, f"{limit}: {result!r}")


@test_ways
def all_of_the_tree_leaves_nothing_to_hide(place):
    for grant in ("/", "/dev"):
        result = place.berm("run", "-r", grant, "--", "sh", "-c", "echo made; : >/usr/x")
        equal(result.out, "made\n")
        true(result.status != 0, f"-r {grant}: changed /usr")
        if place.way.namespaces:
            result = place.berm("run", "--view", "hidden", "-r", grant, "--", "true")
            equal(result.status, 125)
            true("--view visible" in result.err, repr(result))


@test_ways
def a_folder_is_listed_by_way_of_a_link_to_what_is_around_it(place):
    place.folder("home/work/sub")
    place.file("home/work/secret", "s")
    place.file("home/work/sub/secret", "s")
    os.symlink("..", os.path.join(place.work, "sub/up"))
    result = place.run("--deny", "**/secret", "--", "/bin/ls", "sub/up/").ok()
    true("sub" in result.out, repr(result))
    for name in ("secret", "sub/secret"):
        true(place.run("--deny", "**/secret", "--", "/bin/cat", name).status != 0, name)
        true(place.berm("why", "--deny", "**/secret", "read", name).status == 1, name)


@test_ways
def a_scratch_folder_in_a_grant_covers_it(place):
    place.folder("home/tree/cache")
    place.file("home/tree/cache/old", "from outside")
    policy = place.file("home/scratch.yaml", "berm: 1\nname: s\nabout: s\nextends: [default]\nfilesystem:\n  write: [~/tree]\n"
                                             "  scratch: [~/tree/cache]\n")
    for view in ("hidden", "visible"):
        if place.run("--view", view, "--backend", "namespaces", "--", "/bin/true").status != 0:
            continue
        result = place.run("-p", policy, "--view", view, "--", "/bin/ls", f"{place.home}/tree/cache").ok()
        equal(result.out, "")
        place.run("-p", policy, "--view", view, "--", "/bin/sh", "-c", f"echo x > {place.home}/tree/cache/new").ok()
        true(not os.path.exists(f"{place.home}/tree/cache/new"), view)
