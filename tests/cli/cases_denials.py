"""What was denied, as the program inside is told: BERM_DENIALS, and berm why without a question."""
import json
import os
import signal
import time

from harness import BERM, WAIT, equal, test, test_ways, true

DENIED = "echo x 2>/dev/null >.envrc"  # a name that is protected
TOLD = 'i=0; until test -e "$BERM_DENIALS" || test $i -eq 400; do sleep 0.02; i=$((i+1)); done'


def base_of(place):
    return f"{place.home}/.local/state/berm-denials"


def left(place):
    """Files that are left in the folders of sessions."""
    return [name for folder, _, names in os.walk(base_of(place)) for name in names]


@test_ways
def the_program_inside_reads_what_it_was_denied(place):
    result = place.sh(f'test -e "$BERM_DENIALS" && echo early; {DENIED}; {TOLD}; cat "$BERM_DENIALS"', "-q", "--name", "s-1")
    event = json.loads(result.out)
    equal((event["v"], event["session"], event["verdict"], event["retry"], event["count"]), (1, "s-1", "deny", False, 1))
    equal(event["object"]["path"], f"{place.work}/.envrc")
    true(event["by"]["at"].startswith("groups/shell-startup.yaml:"), repr(event))
    equal(left(place), [])


@test_ways
def why_inside_tells_what_was_denied(place):
    result = place.sh(f"'{BERM}' why; echo $?; {DENIED}; mkdir d; echo x 2>/dev/null >d/.bashrc; {TOLD}; sleep 0.3; '{BERM}' why; echo $?; "
                      f"'{BERM}' why --json", "-q")
    lines = result.out.splitlines()
    equal(lines[:2], ["nothing that this sandbox tells of was denied", "0"], repr(result))
    true(lines[2].startswith("denied: ") and f"'{place.work}/.envrc'" in lines[2], repr(result))
    true("shell start files" in lines[3] and "(groups/shell-startup.yaml:" in lines[3], repr(result))
    equal(lines[4], "    retrying will not help; no flag allows it")
    true(f"'{place.work}/d/.bashrc'" in lines[5], repr(result))  # the newest comes last
    equal(lines[8], "1")
    equal([json.loads(line)["object"]["path"] for line in lines[9:]],
          [f"{place.work}/.envrc", f"{place.work}/d/.bashrc"])


@test_ways
def the_same_again_is_one_line_with_a_count(place):
    result = place.sh(f"for i in 1 2 3 4 5 6 7 8 9; do {DENIED}; done; sleep 1.2; {DENIED}; sleep 0.3; '{BERM}' why --json", "-q")
    events = [json.loads(line) for line in result.out.splitlines()]
    equal(len(events), 1, repr(result))
    true(events[0]["count"] == 10, repr(events))


@test_ways
def nothing_inside_changes_what_it_was_denied(place):
    script = f"""{DENIED}; {TOLD}; f=$BERM_DENIALS; d=${{f%/*}}
        exec 2>/dev/null
        echo forged >"$f"; echo forged >>"$f"; echo forged >"$d/next"; rm -f "$f"; mv "$f" "$d/x"; mv "$d" "$d.x"
        cp /etc/hostname "$d/y"; ln "$f" hard; ln -s /etc/passwd "$d/z"; ln "$f" "$d/w"; mkdir "$d/v"; chmod 777 "$f" "$d"
        touch -d 2001-01-01 "$f"; mv .. "$d"; truncate -s 0 "$f"; rmdir "$d"; mkdir -p "$d.new"; mv "$d.new" "$d"
        echo forged >>hard; cat "$f"; ls -A "$d" >&1"""
    for grants in ((), ("-w", f"{place.home}/.local")):
        lines = place.sh(script, "-q", *grants).out.splitlines()
        equal(lines[-1], "denials.jsonl", repr(lines))
        true(len(lines) > 1 and all(json.loads(line)["v"] == 1 for line in lines[:-1]), repr(lines))
        equal(left(place), [])


@test_ways
def another_session_is_not_told(place):
    result = place.sh(f"ls -A '{base_of(place)}' | wc -l; cat '{base_of(place)}'/*/*", "-q")
    other = place.start([BERM, "run", "-q", "--", "/bin/sh", "-c", f"{DENIED}; {TOLD}; echo ready; cat"])
    try:
        equal(other.stdout.readline(), b"ready\n")
        result = place.sh(f'cat "{base_of(place)}"/*/*', "-q")
        true(".envrc" not in result.out, repr(result))
    finally:
        other.communicate(timeout=WAIT)


@test_ways
def what_a_killed_run_leaves_is_swept(place):
    run = place.start([BERM, "run", "-q", "--", "/bin/sh", "-c", f"{DENIED}; echo ready; cat"])
    equal(run.stdout.readline(), b"ready\n")
    deadline = time.monotonic() + WAIT
    while not left(place) and time.monotonic() < deadline:
        time.sleep(0.01)
    equal(left(place), ["denials.jsonl"])
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=WAIT)
    place.run("true").ok()
    equal(left(place), [])


@test_ways
def a_place_that_is_closed_has_no_file(place):
    result = place.sh('echo "${BERM_DENIALS-none}"', "--deny", f"{place.home}/.local/state").ok("none\n")
    os.makedirs(base_of(place), exist_ok=True)
    place.give(base_of(place))
    os.chmod(base_of(place), 0o777)
    result = place.sh('echo "${BERM_DENIALS-none}"')
    equal(result.out, "none\n", repr(result))


@test
def outside_there_is_nothing_to_tell(place):
    result = place.berm("why")
    equal((result.status, result.out), (2, ""))
    true("this is no sandbox that tells" in result.err, repr(result))
    path = place.file("home/forged", "no event\n")
    result = place.berm("why", env={"BERM_DENIALS": path})
    equal((result.status, result.out), (0, "nothing that this sandbox tells of was denied\n"), repr(result))
    os.mkfifo(f"{place.home}/fifo")
    equal(place.berm("why", env={"BERM_DENIALS": f"{place.home}/fifo"}).status, 125)
    equal(place.berm("why", env={"BERM_DENIALS": f"{place.home}/not-there"}).status, 0)


@test_ways
def many_denials_do_not_make_it_slow(place):
    script = (f"i=0; while [ $i -lt 3000 ]; do echo 2>/dev/null >.envrc; i=$((i+1)); done; sleep 0.3; "
              f"'{BERM}' why --json | tail -n 1")
    started = time.monotonic()
    result = place.sh(script, "-q")
    true(time.monotonic() - started < WAIT / 2, "slow")
    equal(json.loads(result.out)["object"]["path"], f"{place.work}/.envrc")


HOOK = """hook() { echo '{"hook_event_name":"'$2'","tool_use_id":"'$3'","tool_name":"Bash"}' | "$berm" why --hook $1; }
berm="%s"
""" % BERM


@test_ways
def a_hook_tells_what_was_denied_while_a_tool_ran(place):
    script = HOOK + f"""{DENIED}; {TOLD}; sleep 0.3
        hook claude-code PreToolUse a; hook claude-code PostToolUse a; hook claude-code PostToolUseFailure a
        echo none; hook claude-code PreToolUse b; hook claude-code PreToolUse c; mkdir d; echo x 2>/dev/null >d/.bashrc; sleep 0.3
        hook claude-code PostToolUseFailure b; hook claude-code PostToolUseFailure b; hook claude-code PostToolUse c
        hook claude-code Stop c; echo rubbish | "$berm" why --hook claude-code; ls -A "${{TMPDIR:-/tmp}}" | grep claude"""
    lines = place.sh(script, "-q").out.splitlines()
    equal((lines[0], len(lines)), ("none", 3), repr(lines))
    for line, event in zip(lines[1:], ("PostToolUseFailure", "PostToolUse")):
        said = json.loads(line)["hookSpecificOutput"]
        equal(said["hookEventName"], event)
        true(f"{place.work}/d/.bashrc" in said["additionalContext"], line)
        true(".envrc" not in said["additionalContext"], "what was denied before the tool ran")
        true("retrying will not help" in said["additionalContext"], line)


@test_ways
def hooks_of_the_other_agents(place):
    script = HOOK + f"""hook gemini-cli BeforeTool; hook codex PreToolUse a; hook opencode before a; {DENIED}; {TOLD}
        hook gemini-cli AfterTool; hook codex PostToolUse a; hook opencode after a"""
    lines = place.sh(script, "-q").out.splitlines()
    equal([json.loads(line)["hookSpecificOutput"]["hookEventName"] for line in lines[:2]], ["AfterTool", "PostToolUse"])
    true(lines[2].startswith("berm, the sandbox") and f"{place.work}/.envrc" in lines[3], repr(lines))
    result = place.berm("why", "--hook", "fish")
    equal((result.status, result.out), (2, ""))
    equal(place.berm("why", "--hook", "codex", stdin=b"{}").out, "")  # outside there is nothing to tell


@test_ways
def an_agent_is_started_with_its_hook(place):
    place.file("home/bin/claude", '#!/bin/sh\nfor word; do echo "$word"; done\n', 0o755)
    path = {"PATH": f"{place.home}/bin:/usr/bin:/bin"}
    flags = ("-x", f"{place.home}/bin", "-q")
    lines = place.run(*flags, "--", "claude", "-p", "a b", env=path).ok().out.splitlines()
    equal((lines[0], lines[2:]), ("--settings", ["-p", "a b"]), repr(lines))
    hooks = json.loads(lines[1])["hooks"]
    equal(sorted(hooks), ["PostToolUse", "PostToolUseFailure", "PreToolUse"])
    equal(hooks["PreToolUse"], [{"matcher": "*", "hooks": [{"type": "command", "command": f"{BERM} why --hook claude-code"}]}])
    for words in (["--settings", "x"], ["--settings=x", "-p"]):  # somebody else has set it
        equal(place.run(*flags, "--", "claude", *words, env=path).ok().out.splitlines(), words)
    equal(place.run(*flags, "-p", "default", "--", "claude", "-p", env=path).ok().out, "-p\n")
    place.file("home/work/.berm.yaml", "berm: 1\nprocess: {hook: none}\n")
    equal(place.run(*flags, "--", "claude", "-p", env=path).ok().out, "-p\n")
