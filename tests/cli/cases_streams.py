"""What goes in and out: bytes, arguments, environment, descriptors, folder."""
import os
import subprocess

from harness import BERM, equal, test_ways, true


@test_ways
def bytes_pass_unchanged(place):
    data = os.urandom(1 << 20)
    process = place.start([BERM, "run", "cat"])
    out, err = process.communicate(data, timeout=60)
    equal((process.returncode, err), (0, b""))
    true(out == data, "bytes were changed")


@test_ways
def output_and_error_stay_apart(place):
    result = place.sh("echo out; echo err >&2; exit 3")
    equal((result.status, result.out, result.err), (3, "out\n", "err\n"))


@test_ways
def a_reader_that_goes_away_ends_the_writer(place):
    result = place.command(["/bin/bash", "-c", f"set -o pipefail; '{BERM}' run yes | head -n 1; echo ${{PIPESTATUS[0]}}"])
    equal(result.out, "y\n141\n")
    equal(result.err, "")


@test_ways
def closed_descriptors_stay_closed(place):
    script = f"exec <&-; '{BERM}' run /bin/sh -c 'test -e /proc/self/fd/0 && echo open || echo closed'"
    equal(place.command(["/bin/sh", "-c", script]).ok().out, "closed\n")
    script = f"'{BERM}' run /bin/sh -c 'echo nobody reads this; exit 5' >&- 2>&-"
    equal(place.command(["/bin/sh", "-c", script]).status, 5)


@test_ways
def other_descriptors_are_not_passed_on(place):
    secret = place.file("secret", "secret")
    script = f"exec 7<'{secret}'; '{BERM}' run /bin/sh -c 'cat <&7; ls /proc/self/fd | wc -l'"
    result = place.command(["/bin/sh", "-c", script])
    true("secret" not in result.out, repr(result))
    equal(result.out, "4\n")  # 0, 1, 2 and the folder that ls reads


@test_ways
def arguments_pass_unchanged(place):
    arguments = ["a b", "", "*", "$HOME", "-q", "--", "new\nline", "'\"\\"]
    code = "import sys; print(ascii(sys.argv[1:]))"
    equal(place.run("--", "/usr/bin/python3", "-c", code, *arguments).ok().out, ascii(arguments) + "\n")


@test_ways
def the_environment_is_a_short_list(place):
    result = place.run("env", env={"AWS_SECRET_ACCESS_KEY": "x", "LD_PRELOAD": "", "MY_SETTING": "1"}).ok()
    names = [line.split("=", 1)[0] for line in result.out.splitlines()]
    for name in ("AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "MY_SETTING"):
        true(name not in names, f"{name} was passed on")
    for name in ("PATH", "HOME", "TERM", "LANG"):
        true(name in names, f"{name} is missing")
    true("BERM_SANDBOX=1" in result.out.splitlines(), "BERM_SANDBOX is missing")


@test_ways
def variables_are_passed_and_set_by_name(place):
    result = place.run("-e", "MY_SETTING", "-eOTHER=a=b", "-e", "NOT_THERE", "env", env={"MY_SETTING": "1"}).ok()
    lines = result.out.splitlines()
    true("MY_SETTING=1" in lines and "OTHER=a=b" in lines, repr(result))
    true(not any(line.startswith("NOT_THERE") for line in lines), repr(result))


@test_ways
def the_folder_is_the_callers(place):
    sub = place.folder("home/work/sub")
    equal(place.run("pwd", cwd=sub).ok().out, sub + "\n")
    equal(place.run("--cwd", "sub", "pwd").ok().out, sub + "\n")
    result = place.run("--cwd", "nowhere", "pwd")
    equal((result.status, result.err), (125, "berm: enter folder 'nowhere': No such file or directory\n"))


@test_ways
def many_runs_at_once(place):
    processes = [place.start([BERM, "run", "/bin/sh", "-c", f"echo {i}"]) for i in range(12)]
    for i, process in enumerate(processes):
        out, err = process.communicate(timeout=60)
        equal((process.returncode, out, err), (0, f"{i}\n".encode(), b""))


@test_ways
def background_children_hold_the_pipe_no_longer_than_the_run(place):
    done = subprocess.run([BERM, "run", "/bin/sh", "-c", "sleep 50 & echo done"], cwd=place.work,
                          env=place.environment(), capture_output=True, preexec_fn=place.become, timeout=30,
                          check=False)
    equal((done.returncode, done.stdout), (0, b"done\n"))
