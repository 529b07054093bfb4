"""berm policy, profile, group: what is in force, what is wrong with it, what differs."""
import json
import os

from harness import equal, test, test_ways, true

PLAIN = "berm: 1\nname: mine\nfilesystem:\n  read: [/opt/x]\n  deny: [./secret]\n"


def lines_of(place, *args):
    """The lines of the merged policy as JSON."""
    return json.loads(place.berm("policy", "show", "--json", *args).ok().out)["policy"]


@test
def words_are_listed_and_the_nearest_is_named(place):
    for parent in ("policy", "profile", "group"):
        result = place.berm(parent).ok()
        true(result.out.startswith(f"usage: berm {parent} WORD"), repr(result))
        equal(place.berm("help", parent).ok().out, result.out)
    result = place.berm("policy", "chek")
    equal((result.status, result.err), (2, "berm: unknown word 'chek' after 'policy'\ntry: berm policy check\n"))
    result = place.berm("help", "profile", "lst")
    equal((result.status, result.err), (2, "berm: unknown word 'lst' after 'profile'\ntry: berm profile list\n"))
    true(place.berm("help", "policy", "show").ok().out.startswith("usage: berm policy show"), "help of a word")
    true("--read PATH" in place.berm("policy", "show", "--help").ok().out, "the flags of run")


@test
def show_has_every_line_with_its_place(place):
    place.file("home/.config/berm/policy.yaml", "berm: 1\nfilesystem:\n  read:\n    - /opt/mine\n")
    plain = place.berm("policy", "show").ok().out
    true("profile default" in plain and "/opt/mine" in plain and "policy.yaml" not in plain, plain)
    origin = place.berm("policy", "show", "--origin").ok().out
    mine = [line for line in origin.split("\n") if "/opt/mine" in line]
    true(len(mine) == 1 and mine[0].endswith("/policy.yaml:4:7"), mine)
    mine = [line for line in lines_of(place) if line["value"] == "/opt/mine"]
    equal([(line["line"], line["layer"], line["holds"]) for line in mine], [("filesystem.read", "user", True)])
    true(mine[0]["at"].endswith("/policy.yaml:4:7"), mine)


@test
def show_answers_for_the_same_run(place):
    true(any(line["value"] == "none" and line["layer"] == "flag" for line in lines_of(place, "--net=none")), "the flag")
    file = place.file("home/work/p.yaml", PLAIN)
    lines = lines_of(place, "-p", file)
    true(any(line["value"] == "./secret" and line["at"].endswith("p.yaml:5:10") for line in lines), "the profile")
    git = [line for line in lines_of(place, "-g", "-git") if line["at"].startswith("groups/git.yaml")]
    equal(git, [])


@test
def show_says_what_is_off_and_by_whom(place):
    place.file("home/.config/berm/policy.yaml",
               "berm: 1\nenvironment: {set: {A: \"1\"}}\n")
    off = [line for line in lines_of(place, "-e", "A=2") if line["value"] == "A=1"]
    equal([line["holds"] for line in off], [False])
    true(off[0]["off"].startswith("command line"), off)
    text = place.berm("policy", "show", "--origin", "-e", "A=2").ok().out
    true("A=1 [off: command line" in " ".join(text.split()), "in the table")


def longest_line_of(place, columns):
    script = f"stty cols {columns} 2>/dev/null; exec berm_program policy show --origin"
    script = script.replace("berm_program", __import__("harness").BERM)
    result = place.command(["script", "-qec", f"sh -c '{script}'", "/dev/null"], env={"NO_COLOR": "1"})
    true(result.status == 0 and result.out, repr(result))
    return max(len(line.rstrip("\r")) for line in result.out.split("\n"))


@test
def show_is_as_wide_as_the_terminal(place):
    long = "/opt/" + "/".join(["a-long-name-of-a-folder"] * 9)
    place.file("home/.config/berm/policy.yaml", f"berm: 1\nfilesystem: {{read: [{long}]}}\n")
    for columns in (40, 90, 160):
        longest = longest_line_of(place, columns)
        true(columns - 10 < longest <= columns, f"a line of {longest} in {columns}")
    true(longest_line_of(place, 400) > len(long), "in one line where it fits")


@test
def what_is_no_terminal_gets_a_line_for_each_row(place):
    long = "/opt/" + "/".join(["a-long-name-of-a-folder"] * 9)
    place.file("home/.config/berm/policy.yaml", f"berm: 1\nfilesystem: {{read: [{long}]}}\n")
    for args in (["policy", "show"], ["policy", "show", "--origin"]):
        rows = place.berm(*args).ok().out.split("\n\n", 1)[1].rstrip("\n").split("\n")
        true(any(long in row for row in rows), args)
    shown = [line for line in lines_of(place) if line["line"] != "berm" and line["line"] != "when"]
    equal(len(rows), len(shown) + 1)
    floor = place.berm("policy", "floor").ok().out.rstrip("\n").split("\n")
    equal(len(floor), len(json.loads(place.berm("policy", "floor", "--json").ok().out)) + 1)


@test
def check_tells_each_mistake_with_its_place(place):
    true(place.berm("policy", "check").ok().out.startswith("policy: ok, "), "the policy here")
    place.file("home/work/p.yaml", PLAIN)
    true(place.berm("policy", "check", "p.yaml").ok().out.startswith("p.yaml: ok, "), "a file")
    place.file("home/work/p.yaml", PLAIN.replace("deny", "denny").replace("read: [/opt/x]", "read: [/opt/x, 12, a/../..]"))
    result = place.berm("policy", "check", "p.yaml")
    equal((result.status, result.out), (1, ""))
    true(f"{place.work}/p.yaml:5:3: unknown key 'denny' in 'filesystem'\n  try: deny\n" in result.err, result.err)
    found = json.loads(place.berm("policy", "check", "--json", "p.yaml").out)
    true(not found[0]["ok"] and found[0]["problems"][-1]["try"] == "deny", found)


@test
def check_looks_at_each_file(place):
    place.file("home/work/good.yaml", PLAIN)
    place.file("home/work/bad.yaml", "berm: 2\n")
    result = place.berm("policy", "check", "good.yaml", "bad.yaml")
    equal(result.status, 1)
    true(result.out.startswith("good.yaml: ok") and "bad.yaml:1:7:" in result.err, repr(result))
    equal(place.berm("policy", "check", "nothing.yaml").status, 1)
    both = json.loads(place.berm("policy", "check", "--json", "good.yaml", "bad.yaml").out)
    equal([one["ok"] for one in both], [True, False])


@test
def check_looks_at_a_project_where_it_is(place):
    place.command(["git", "init", "-q", "."]).ok()
    place.file("home/work/.berm.yaml", "berm: 1\nfilesystem: {deny: [./x]}\n")
    place.berm("policy", "check", f"{place.work}/.berm.yaml", cwd=place.home).ok()
    place.file("home/work/.berm.yaml", "berm: 1\nfilesystem: {read: [/opt/x]}\n")
    result = place.berm("policy", "check", f"{place.work}/.berm.yaml", cwd=place.home)
    equal(result.status, 1)
    true(".berm.yaml:2:" in result.err, result.err)


@test
def diff_says_what_is_wider(place):
    place.berm("policy", "diff", "default", "default").ok("0 wider, 0 narrower, 0 neutral\n")
    place.file("home/work/p.yaml", PLAIN + "network: {mode: host}\n")
    result = place.berm("policy", "diff", "default", "p.yaml")
    equal(result.status, 1)
    true(f"+ filesystem.read: /opt/x  ({place.work}/p.yaml:4:10)  wider\n" in result.out, result.out)
    true(f"+ filesystem.deny: ./secret  ({place.work}/p.yaml:5:10)  narrower\n" in result.out, result.out)
    lines = json.loads(place.berm("policy", "diff", "--json", "default", "p.yaml").out)
    mode = [line for line in lines if line["line"] == "network.mode"]
    equal([(line["after"]["value"], line["effect"]) for line in mode], [("host", "wider")])
    result = place.berm("policy", "diff", "default")
    equal((result.status, result.err.split("\n")[0]), (2, "berm: two profiles or files are compared"))


@test
def accept_keeps_a_consent_for_one_content(place):
    place.command(["git", "init", "-q", "."]).ok()
    place.berm("policy", "accept").ok("")
    wants = "berm: 1\nwants:\n  filesystem: {read: [/opt/x]}\n"
    place.file("home/work/.berm.yaml", wants)
    shown = place.berm("policy", "accept", "--show").ok().out
    true("+ filesystem.read: /opt/x  (line 3)\n" in shown, shown)
    value = shown.split("hash ")[1].strip()
    result = place.berm("policy", "accept")
    equal((result.status, result.err.split("\n")[0]), (1, "berm: nobody is at a terminal to agree"))
    equal(place.berm("policy", "accept", "--accept-hash", "0" * 64).status, 1)
    true(not any(line["value"] == "/opt/x" for line in lines_of(place)), "before")
    place.berm("policy", "accept", "--accept-hash", value).ok()
    true(any(line["value"] == "/opt/x" and line["holds"] for line in lines_of(place)), "after")
    true("agreed to already" in place.berm("policy", "accept").ok("").err, "once is enough")
    place.file("home/work/.berm.yaml", wants + "# changed\n")
    true(not any(line["value"] == "/opt/x" for line in lines_of(place)), "a changed file asks again")


@test
def schema_is_one(place):
    schema = json.loads(place.berm("policy", "schema").ok().out)
    equal(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
    true("filesystem" in schema["properties"], "a section")


@test
def profiles_and_groups_are_listed(place):
    place.file("home/.config/berm/profiles/web.yaml", "berm: 1\nname: web\nabout: pages\nprograms: [webber]\n")
    result = place.berm("profile", "list").ok().out
    true("default " in result and "shipped" in result and "web " in result and "webber" in result, result)
    listed = {one["name"]: one for one in json.loads(place.berm("profile", "list", "--json").ok().out)}
    equal((listed["web"]["about"], listed["web"]["shipped"], listed["default"]["shipped"]), ("pages", False, True))
    groups = {one["name"]: one for one in json.loads(place.berm("group", "list", "--json").ok().out)}
    true(groups["credentials"]["required"] and not groups["git"]["required"], "required ones")
    true(all(one["about"] for one in groups.values()), "each has a line about it")


@test
def profiles_and_groups_are_shown(place):
    true("~/.ssh" in place.berm("group", "show", "credentials").ok().out, "a group")
    shown = json.loads(place.berm("group", "show", "credentials", "--json").ok().out)
    true(any(line["line"] == "filesystem.deny" for line in shown["lines"]), "as JSON")
    text = place.berm("profile", "show", "default", "--yaml").ok().out
    place.file("home/work/copy.yaml", text)
    place.berm("policy", "check", "copy.yaml").ok()
    result = place.berm("profile", "show", "defualt")
    equal((result.status, result.err), (1, "berm: no profile 'defualt'\ntry: berm profile show default\n"))
    equal(place.berm("group", "show").status, 2)


@test
def a_new_profile_is_one(place):
    place.berm("profile", "new", "web", "--from", "none").ok("")
    path = f"{place.home}/.config/berm/profiles/web.yaml"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    true("extends: [none]" in text and os.stat(path).st_mode & 0o777 == 0o600, text)
    place.berm("policy", "check", "-p", "web").ok()
    # what stands there as examples is right
    examples = [line[2:] if line.startswith("# ") and not line[2:3].isupper() else line for line in text.split("\n")]
    place.file("home/work/examples.yaml", "\n".join(line for line in examples if not line.startswith("Lines")))
    place.berm("policy", "check", "examples.yaml").ok()
    # never over another
    equal(place.berm("profile", "new", "web").status, 125)
    with open(path, encoding="utf-8") as file:
        equal(file.read(), text)
    equal(place.berm("profile", "new", "../x").status, 2)
    equal(place.berm("profile", "new", "y", "--from", "nothing").status, 1)


@test
def a_broken_profile_is_told_and_the_others_are_listed(place):
    place.file("home/.config/berm/profiles/bad.yaml", "berm: 1\nfoo: 1\n")
    result = place.berm("profile", "list")
    equal(result.status, 1)
    true("default" in result.out and "bad.yaml:2:1" in result.err, repr(result))


@test
def a_policy_that_fails_its_own_tests_starts_nothing(place):
    text = PLAIN + "tests:\n  - {read: ~/.ssh/id, is: deny}\n  - {read: /opt/x/y, is: allow}\n"
    place.file("home/work/p.yaml", text)
    result = place.berm("policy", "test", "p.yaml").ok()
    equal(result.out, f"ok     read ~/.ssh/id is deny  ({place.work}/p.yaml:7:5)\n"
                      f"ok     read /opt/x/y is allow  ({place.work}/p.yaml:8:5)\n2 passed, 0 failed\n")
    true("2 tests passed" in place.berm("policy", "check", "p.yaml").ok().out, "check runs them")
    place.run("-p", "./p.yaml", "--", "true").ok("")
    place.file("home/work/p.yaml", text.replace("is: allow", "is: deny"))
    result = place.berm("policy", "test", "p.yaml")
    equal(result.status, 1)
    true("FAILED read /opt/x/y is deny" in result.out and "1 passed, 1 failed\n" in result.out, result.out)
    tests = json.loads(place.berm("policy", "test", "--json", "p.yaml").out)
    equal([(one["passed"], one["got"]) for one in tests], [(True, "deny"), (False, "allow")])
    equal(place.berm("policy", "check", "p.yaml").status, 1)
    result = place.run("-p", "./p.yaml", "--", "touch", "started")
    equal((result.status, os.path.exists(f"{place.work}/started")), (125, False))
    true("p.yaml:8:5: test fails: 'read /opt/x/y' is allow, not deny" in result.err, result.err)
    place.berm("policy", "test").ok("0 passed, 0 failed\n")


@test_ways
def sockets_of_sessions_are_never_granted(place):
    runtime = place.folder("runtime")
    env = {"XDG_RUNTIME_DIR": runtime}
    for flags in (("--socket", f"{runtime}/berm/other"), ("-r", f"{runtime}/berm"), ("-w", f"{runtime}/berm")):
        result = place.berm("run", *flags, "--", "true", env=env)
        equal(result.status, 125)
        true("berm's own state" in result.err, repr(result))
    result = place.berm("run", "-w", runtime, "--", "sh", "-c", f"echo x >{runtime}/free; ls {runtime}/berm", env=env)
    true(result.status != 0 and os.path.exists(f"{runtime}/free"), repr(result))
