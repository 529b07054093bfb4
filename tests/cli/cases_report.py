"""Denials as they are told: the last line, and the events."""
import json
import os
import re

from harness import BERM, equal, test_ways, true


def events_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@test_ways
def a_denial_is_told_at_the_end(place):
    result = place.sh("echo x 2>/dev/null >.envrc; echo still here")
    equal((result.status, result.out), (0, "still here\n"))
    true(re.fullmatch(r"berm: 1 denied: \w+ '.*/\.envrc' by \w+: shell start files \(groups/.+\)\n", result.err), repr(result))
    equal(place.sh("echo x 2>/dev/null >.envrc", "-q").err, "")
    equal(place.sh("true").err, "")


@test_ways
def it_is_one_short_screen(place):
    result = place.sh("for d in a b c d e f g; do mkdir $d; echo x 2>/dev/null >$d/.envrc; done; true")
    lines = result.err.splitlines()
    equal(len(lines), 7, repr(result))
    equal((lines[0], lines[-1]), ("berm: 7 denied", "    and 2 more"))
    true(all("/.envrc' by " in line for line in lines[1:-1]), repr(result))


@test_ways
def the_lines_of_learn_are_offered(place):
    script = "chmod 600 ../file 2>/dev/null; chmod 600 ../file 2>/dev/null; echo x 2>/dev/null >.envrc; true"
    place.file("home/file")
    result = place.sh(script, "--backend", "landlock", "--events", f"{place.home}/log")
    lines = result.err.splitlines()
    equal(lines[:2], ['berm: 3 denied; "berm learn" would add this line', "    + filesystem.write: ~/file"], repr(result))
    true(lines[3].startswith(f"    meta '{place.home}/file' by chmod, 2 times: ") and
         lines[3].endswith(f"; try: -w {place.home}/file"), repr(result))
    true(f"'{place.work}/.envrc' by " in lines[2] and "try" not in lines[2], repr(result))
    equal(events_of(f"{place.home}/log")[-1]["offers"], ["filesystem.write: ~/file"])
    learned = place.berm("learn", "--json", f"{place.home}/log").ok()  # the same code
    equal([f"{line['line']}: {line['value']}" for line in json.loads(learned.out)["lines"]], ["filesystem.write: ~/file"])
    true("offers" not in events_of(place.sh("true", "--events", f"{place.home}/log2") and f"{place.home}/log2")[-1],
         "nothing was denied")


@test_ways
def events_are_json_lines(place):
    place.sh("echo x 2>/dev/null >.envrc; exit 4", "--events", f"{place.home}/log", "--name", "quiet-1")
    events = events_of(f"{place.home}/log")
    equal([event["kind"] for event in events], ["session", "policy", "file", "session"])
    equal([event["op"] for event in (events[0], events[1], events[3])], ["start", "load", "stop"])
    equal([event["seq"] for event in events], [1, 2, 3, 4])
    for event in events:
        equal((event["v"], event["session"]), (1, "quiet-1"))
        true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"]), event["time"])
    equal((events[1]["generation"], events[1]["detail"]), (1, "profile default"))
    denial = events[2]
    equal(denial["verdict"], "deny")
    equal(denial["object"]["path"], f"{place.work}/.envrc")
    true(denial["by"]["rule"] == "filesystem.protect" and denial["by"]["layer"] == "group shell-startup", repr(denial))
    true(denial["by"]["at"].startswith("groups/shell-startup.yaml:"), repr(denial))
    true(denial["errno"] in ("EACCES", "EPERM", "EROFS") and denial["retry"] is False, repr(denial))
    true(denial["task"]["exe"].startswith("/"), repr(denial))


@test_ways
def events_are_appended(place):
    path = place.file("home/log", '{"v":1}\n')
    place.run("--events", path, "true").ok()
    place.run("--events", path, "true").ok()
    events = events_of(path)
    equal(len(events), 7)
    true(events[1]["session"] != events[4]["session"], "two sessions have one name")


@test_ways
def events_to_a_descriptor(place):
    script = f"'{BERM}' run --events fd:9 -- /bin/sh -c 'echo to nine 2>/dev/null >&9; true' 9>'{place.home}/log'"
    place.command(["/bin/sh", "-c", script]).ok()
    equal([event["op"] for event in events_of(f"{place.home}/log")], ["start", "load", "stop"])
    for bad in ("fd:77", "fd:x", "fd:"):
        result = place.run("--events", bad, "true")
        equal(result.status, 125, repr(result))
        true(result.err.startswith("berm: "), repr(result))


@test_ways
def who_is_watched_does_not_edit_the_notes(place):
    result = place.sh("echo forged 2>/dev/null >>log; rm -f log 2>/dev/null; mv log x 2>/dev/null; true",
                      "--events", "log").ok()
    events = events_of(f"{place.work}/log")
    true(all(event["v"] == 1 for event in events), repr(result))
    true(any(event["kind"] == "file" for event in events), "the attempt is not told")


@test_ways
def a_link_left_in_the_workspace_is_not_followed(place):
    target = place.file("home/target", "precious\n")
    os.symlink(target, f"{place.work}/log")
    os.symlink(place.home, f"{place.work}/folder")
    for name in ("log", "folder/new"):
        result = place.run("--events", name, "true")
        equal(result.status, 125, repr(result))
    with open(target, encoding="utf-8") as file:
        equal(file.read(), "precious\n")
    true(not os.path.exists(f"{place.home}/new"), "made outside")


@test_ways
def events_that_cannot_be_written_are_told(place):
    result = place.run("-q", "--events", "/dev/full", "true")
    equal((result.status, result.err), (0, "berm: events are not complete: write events: No space left on device\n"))


@test_ways
def the_time_limit_is_an_event(place):
    place.sh("sleep 60", "--timeout", "200ms", "--events", f"{place.home}/log")
    events = events_of(f"{place.home}/log")
    equal([event["kind"] for event in events], ["session", "policy", "limit", "session"])


@test_ways
def what_is_on_the_floor_is_granted_by_nothing(place):
    """No flag is named that would be refused; what a flag grants is still told."""
    result = place.sh("echo 1 2>/dev/null >/sys/kernel/x", "--events", f"{place.home}/log")
    true("try:" not in result.err and "-w /sys" not in result.err, result.err)
    denials = [event for event in events_of(f"{place.home}/log") if event.get("verdict") == "deny"]
    if place.way.user == 0 or place.way.namespaces:  # else the machine's own permissions come first
        true("nothing grants it: settings of the kernel, its devices and control groups" in result.err, result.err)
        equal([(denial["by"]["rule"], denial["by"]["layer"]) for denial in denials], [("floor", "floor")])
    true(not any("grant" in denial for denial in denials), denials)
    place.file("home/else", "1\n")
    refused = place.run("-w", "/sys/kernel", "true")
    true(refused.status == 125 and "is never granted" in refused.err, refused.err)
    for question in (("write", "/sys/kernel/x"), ("read", "/dev/sda"), ("create", "/boot/x")):
        told = place.berm("why", *question)
        true("nothing grants it" in told.out and "try:" not in told.out, told.out)
    true("try: -w" in place.berm("why", "write", f"{place.home}/else").out, "a flag that grants it")
