"""berm policy import: what is made is loaded, checked and run with; what is missing is the status."""
import json
import os

from harness import equal, test, true

SRT = '{"network": {"allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": ["~/.x"], "allowWrite": ["."]}}'
CLAUDE = '{"permissions": {"allow": ["Edit"], "deny": ["Read(**/.env)", "mcp__mail"]}}'


@test
def a_policy_is_imported_checked_and_run_with(place):
    place.file("home/work/srt.json", SRT)
    result = place.berm("policy", "import", "-o", "made.yaml", "srt.json")
    equal((result.status, result.out), (0, ""))
    true("taken for srt" in result.err, repr(result))
    place.berm("policy", "check", "made.yaml").ok()
    place.berm("run", "-p", "./made.yaml", "--", "true").ok()
    equal(place.berm("policy", "import", "-o", "made.yaml", "srt.json").status, 125)


@test
def a_deny_that_is_lost_is_the_status(place):
    place.file("home/work/settings.json", CLAUDE)
    result = place.berm("policy", "import", "--json", "settings.json")
    equal(result.status, 1)
    left = json.loads(result.out)["left"]
    equal([(line["what"], line["narrows"]) for line in left], [("mcp__mail", True)])
    result = place.berm("policy", "import", "settings.json")
    equal(result.status, 1)
    true("# MISSING" in result.out and '"**/.env"' in result.out.replace("'", '"'), repr(result))


@test
def what_is_no_known_policy_is_refused(place):
    place.file("home/work/other.json", '{"x": 1}')
    equal(place.berm("policy", "import", "other.json").status, 125)
    equal(place.berm("policy", "import", "--from", "odd", "other.json").status, 2)
    equal(place.berm("policy", "import").status, 2)
    true(not os.path.exists(os.path.join(place.base, "home/work/made.yaml")), "nothing is written")


LANDLOCK = """abi = 5
[[variable]]
name = "tools"
literal = ["/usr", "/lib", "/lib64", "/bin"]
[[ruleset]]
handled_access_fs = ["abi.all"]
handled_access_net = ["bind_tcp", "connect_tcp"]
[[path_beneath]]   # programs
allowed_access = ["abi.read_execute"]
parent = ["${tools}", "/etc", "/dev", "/proc"]
[[path_beneath]]
allowed_access = ["abi.all"]
parent = ["out"]
"""
NONO = """{"meta": {"name": "reader"}, "workdir": {"access": "read"}, "network": {"block": true},
"filesystem": {"allow": ["$WORKDIR/out"], "read_file": ["~/.npmrc"], "bypass_protection": ["~/.npmrc"],
"deny": ["**/.env"]}, "interactive": false}"""
OPENSHELL = """version: 1
filesystem_policy:
  read_only: [/usr, /lib, /lib64, /bin, /proc, /dev/urandom, /etc]
  read_write: [/sandbox/out, /dev/null]
landlock: {compatibility: best_effort}
"""


@test
def what_is_imported_runs_and_is_as_narrow(place):
    place.file("home/.npmrc", "token\n", 0o600)
    place.file("home/other", "x\n")
    place.folder("home/work/out")
    place.file("home/work/.env", "x\n")
    for kind, name, text in (("landlockconfig", "a.toml", LANDLOCK), ("nono", "b.json", NONO),
                             ("openshell", "c.yaml", OPENSHELL)):
        place.file("home/work/" + name, text)
        result = place.berm("policy", "import", "-o", "made-" + name, name)
        equal(result.status, 0, repr(result))
        true(f"taken for {kind}" in result.err, repr(result))
        place.berm("policy", "check", "made-" + name).ok()
        inside = place.berm("run", "-p", "./made-" + name, "--", "sh", "-c",
                            "echo x > out/f && echo y > /dev/null && cat out/f; echo x > made; cat ../other; cat ../.npmrc")
        lines = inside.out.splitlines()
        equal(lines, ["x", "token"] if kind == "nono" else ["x"], repr(inside))
        true(not os.path.exists(os.path.join(place.base, "home/work/made")), "not written")


@test
def a_mistake_in_toml_has_its_place(place):
    place.file("home/work/a.toml", "[[path_beneath]]\nparent = [\"/usr\"\nallowed_access = []\n")
    result = place.berm("policy", "import", "--from", "landlockconfig", "a.toml")
    equal(result.status, 125)
    true("a.toml:3:1: not TOML that is read here: ',' or ']' is expected" in result.err, repr(result))
