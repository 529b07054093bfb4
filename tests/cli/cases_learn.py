"""berm learn: from what is denied to the lines that allow it."""
import json

from harness import equal, test, test_ways, true


def policy_of(place):
    with open(f"{place.home}/.config/berm/policy.yaml", encoding="utf-8") as file:
        return file.read()


def learn(place, script, *options):
    return place.berm("learn", "--closed", *options, "--", "/bin/sh", "-c", script)


def learned(place, script, *options):
    """Lines as (key, value), and objects that are not proposed."""
    result = json.loads(learn(place, script, "--json", *options).ok().out)
    return ({(line["line"], line["value"]) for line in result["lines"]}, {one["object"] for one in result["not_proposed"]})


@test_ways
def what_is_denied_is_proposed(place):
    place.file("home/docs/a", "a")
    place.file("home/tools/run", "#!/bin/sh\necho run\n", 0o755)
    lines, skipped = learned(place, "cat ../docs/a; ../tools/run; echo x >../new; ls ../docs; mkdir ../folder")
    equal(lines, {("filesystem.read", "~/docs/a"), ("filesystem.exec", "~/tools/run"), ("filesystem.replace", "~/new"),
                  ("filesystem.read", "~/docs"), ("filesystem.write", "~/folder")})
    equal(skipped, set())


@test_ways
def what_is_closed_is_never_proposed(place):
    place.folder("home/.ssh")
    place.file("home/.ssh/id", "key")
    place.file("home/mine/.env", "secret")
    place.file("home/mine/a", "a")
    lines, skipped = learned(place, "cat ../.ssh/id ../mine/a ../mine/.env", "--deny", "**/.env")
    equal(lines, {("filesystem.read", "~/mine/a")})
    equal(skipped, {f"{place.home}/.ssh/id", f"{place.home}/mine/.env"})
    text = learn(place, "cat ../.ssh/id").ok().out
    true("filesystem.deny: ~/.ssh (groups/credentials.yaml:" in text, text)


@test_ways
def what_was_learned_is_enough(place):
    for name in "abc":
        place.file(f"home/docs/{name}", name)
    place.file("home/tools/run", "#!/bin/sh\necho run\n", 0o755)
    script = "set -e; cat ../docs/a ../docs/b ../docs/c; ../tools/run; echo x >../new.json"
    true(place.sh(script).status != 0, "before")
    result = learn(place, script, "--runs", "9", "--yes")
    true(result.status == 0 and "lines written into" in result.err, repr(result))
    equal(place.sh(script).ok().out, "abcrun\n")
    true("read: [~/docs]" in policy_of(place) and "exec: [~/tools/run]" in policy_of(place), policy_of(place))
    result = learn(place, script)
    true("nothing was denied" in result.ok().err, repr(result))


@test
def the_file_keeps_what_stands_in_it(place):
    place.file("home/docs/a", "a")
    before = "berm: 1\n# mine\nfilesystem:\n  read:\n    # why\n    - /opt/x\n"
    place.file("home/.config/berm/policy.yaml", before)
    learn(place, "cat ../docs/a", "--yes").ok()
    equal(policy_of(place), before.replace("    - /opt", "    - ~/docs/a\n    - /opt"))
    into = place.file("home/other.yaml", "berm: 1\n")
    place.file("home/docs/b", "b")
    learn(place, "cat ../docs/b", "--yes", "--into", into).ok()
    with open(into, encoding="utf-8") as file:
        equal(file.read(), "berm: 1\nfilesystem:\n  read: [~/docs/b]\n")


@test
def nothing_is_written_without_a_yes(place):
    place.file("home/docs/a", "a")
    result = learn(place, "cat ../docs/a").ok()
    true("+ filesystem.read: ~/docs/a\n" in result.out and "nothing was written" in result.err, repr(result))
    policy = learn(place, "cat ../docs/a", "--print").ok().out
    equal(policy, "berm: 1\n\nfilesystem:\n  read:\n    - ~/docs/a\n".replace("1\n\n", "1\n"))
    result = place.command(["test", "-e", f"{place.home}/.config/berm/policy.yaml"])
    equal(result.status, 1)


@test
def events_of_a_run_are_learned_from(place):
    place.file("home/docs/a", "a")
    place.sh("echo x >../docs/new", "--backend", "landlock", "--events", "/tmp/../" + place.base.lstrip("/") + "/ev")
    result = place.berm("learn", f"{place.base}/ev")
    true("+ filesystem.replace: ~/docs/new\n" in result.ok().out, repr(result))
    bad = place.file("bad", "{}\n")
    result = place.berm("learn", bad)
    equal(result.status, 125)
    true(f"{bad}:1:1: not an event" in result.err, result.err)


@test
def usage_is_checked(place):
    for args in (["learn"], ["learn", "--runs", "0", "--", "true"], ["learn", "--runs", "x", "--", "true"],
                 ["learn", "a", "b"]):
        equal(place.berm(*args).status, 2, str(args))
    equal(place.berm("learn", "--", "/nowhere/x").status, 127)
    equal(place.berm("learn", "nowhere").status, 125)


@test_ways
def what_would_be_asked_for_is_allowed_and_recorded(place):
    place.file("home/docs/a", "secret")
    place.file("home/.ssh/id", "key")
    script = "cat ../docs/a ../.ssh/id; echo x >../docs/b"
    result = place.berm("learn", "--print", "--", "/bin/sh", "-c", script)
    true("secret" in result.out and "key" not in result.out, repr(result))
    true("- ~/docs/a" in result.out and "- ~/docs/b" in result.out and ".ssh" not in result.out, repr(result))
    equal(place.command(["cat", f"{place.home}/docs/b"]).ok().out, "x\n")


@test
def what_a_run_can_do_is_not_more_while_it_is_learned(place):
    place.file("home/docs/a", "secret")
    result = learn(place, "cat ../docs/a; echo x >../docs/b")
    true("secret" not in result.out, repr(result))
    equal(place.command(["ls", f"{place.home}/docs"]).ok().out, "a\n")
