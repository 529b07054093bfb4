"""berm inside berm: works, and can only narrow."""
import os

from harness import BERM, equal, test_ways, true


def inside(place, script, outer=(), inner=()):
    folder = os.path.dirname(BERM)
    return place.run("-x", folder, *outer, "--", BERM, "run", *inner, "--", "/bin/sh", "-c", script)


@test_ways
def it_works_inside(place):
    result = inside(place, "echo $BERM_SANDBOX; pwd; echo x >made && cat made")
    equal((result.status, result.out), (0, f"1\n{place.work}\nx\n"), repr(result))


@test_ways
def statuses_pass_through_both(place):
    equal(inside(place, "exit 42").status, 42)
    equal(inside(place, "kill -TERM $$").status, 143)


@test_ways
def the_inner_one_cannot_widen(place):
    other = place.folder("other")
    place.file("other/text", "hello\n")
    result = inside(place, f"cat '{other}/text'; echo x >'{other}/new'", inner=("-w", other))
    true("hello" not in result.out, repr(result))
    true(not os.path.exists(f"{other}/new"), "written from inside")


@test_ways
def what_is_protected_outside_is_protected_inside(place):
    result = inside(place, "echo x >.envrc")
    true(result.status != 0 and not os.path.exists(f"{place.work}/.envrc"), repr(result))


@test_ways
def the_inner_one_can_narrow(place):
    other = place.folder("other")
    place.file("other/text", "hello\n")
    equal(place.run("-r", other, "cat", f"{other}/text").ok().out, "hello\n")
    result = inside(place, f"cat '{other}/text'; true", outer=("-r", other)).ok()
    true("hello" not in result.out, repr(result))


@test_ways
def a_smaller_workspace_is_refused_by_name(place):
    # What is protected in the outer one is written by its supervisor, which the inner one's limits do not hold.
    place.folder("home/work/sub")
    folder = os.path.dirname(BERM)
    script = f"cd sub && exec '{BERM}' run -- /bin/sh -c 'echo x >../outside'"
    result = place.run("-x", folder, "--", "/bin/sh", "-c", script)
    true(not os.path.exists(f"{place.work}/outside"), "the inner workspace was not held")
    true(result.status == 125 and place.work in result.err, repr(result))


@test_ways
def a_line_that_nobody_holds_is_refused_by_name(place):
    result = inside(place, "touch ran", inner=("--deny", "secret"))
    equal(result.status, 125, repr(result))
    true("secret" in result.err and not os.path.exists(f"{place.work}/ran"), repr(result))
