"""Command lines that are wrong, and what help says."""
from harness import equal, test, true

COMMANDS = ("run", "shell", "doctor", "learn", "policy", "profile", "group", "completion", "help", "version")


def refused(place, args, message, hint):
    result = place.berm(*args)
    equal(result.status, 2, f"status of {args}")
    equal(result.out, "", "output")
    equal(result.err, f"berm: {message}\n" + (f"try: {hint}\n" if hint else ""), "error")


@test
def alone_it_lists_the_commands(place):
    result = place.berm().ok()
    for name in COMMANDS:
        true(f"\n  {name}  " in result.out, f"{name} is not listed: {result!r}")
    equal(result.err, "")
    equal(place.berm("--help").ok().out, result.out)
    equal(place.berm("-h").ok().out, result.out)
    equal(place.berm("help").ok().out, result.out)


@test
def every_command_has_help(place):
    for name in COMMANDS:
        result = place.berm(name, "--help").ok()
        true(result.out.startswith(f"usage: berm {name}"), repr(result))
        equal(place.berm("help", name).ok().out, result.out)
        equal(place.berm(name, "-h").ok().out, result.out)


@test
def the_version(place):
    result = place.berm("--version").ok()
    true(result.out.startswith("berm ") and result.out.count(".") == 2 and result.out.endswith("\n"), repr(result))
    equal(place.berm("version").ok().out, result.out)
    equal(place.berm("-V").ok().out, result.out)


@test
def unknown_commands_name_the_nearest(place):
    refused(place, ["rnu"], "unknown command 'rnu'", "berm run")
    refused(place, ["docter", "--json"], "unknown command 'docter'", "berm doctor")
    refused(place, ["xyzzy"], "unknown command 'xyzzy'", "berm help")
    refused(place, ["help", "shel"], "unknown command 'shel'", "berm shell")
    refused(place, ["--vresion"], "unknown command '--vresion'", "berm version")


@test
def unknown_options_name_the_nearest(place):
    refused(place, ["run", "--raed", "/x", "true"], "unknown option '--raed'", "--read")
    refused(place, ["run", "-Z", "true"], "unknown option '-Z'", "berm help run")
    refused(place, ["doctor", "--jsno"], "unknown option '--jsno'", "--json")
    refused(place, ["run", "--prot=/x", "true"], "unknown option '--prot'", "--protect")


@test
def values_are_checked(place):
    refused(place, ["run", "-r"], "no value for option '--read'", "--read=PATH")
    refused(place, ["run", "--quiet=1", "true"], "option '--quiet' takes no value", "berm help run")
    refused(place, ["run", "-n", "hots", "true"], "unknown value 'hots' for '--net'", "--net=host")
    refused(place, ["run", "--no-profile", "-p", "strict", "true"], "'--no-profile' beside '--profile'", "--profile=strict alone")
    refused(place, ["run", "-n", "hots", "true"], "unknown value 'hots' for '--net'", "--net=host")
    refused(place, ["run", "--limit", "memory=lots", "true"], "not a size: 'lots'", "berm help run")
    refused(place, ["run", "--timeout", "0", "true"], "a time of nothing: '0'", "berm help run")
    refused(place, ["run", "--allow", "everything", "true"], "unknown value 'everything' for '--allow'",
            "--allow=EXTRA")


@test
def operands_are_checked(place):
    refused(place, ["run"], "no command to run", "berm help run")
    refused(place, ["run", "-q", "--"], "no command to run", "berm help run")
    refused(place, ["shell", "bash"], "unexpected argument 'bash'", "berm help shell")
    refused(place, ["doctor", "now"], "unexpected argument 'now'", "berm help doctor")
    refused(place, ["completion"], "no shell named", "berm completion bash|zsh|fish")
    refused(place, ["completion", "tcsh"], "no completions for 'tcsh'", "berm completion bash|zsh|fish")


@test
def what_is_wrong_cannot_command_the_terminal(place):
    refused(place, ["\x1b[2Jrun"], "unknown command '?[2Jrun'", "berm help")


@test
def results_that_cannot_be_written_are_failures(place):
    result = place.command(["/bin/sh", "-c", f"'{place_berm()}' help >/dev/full"])
    equal(result.status, 125)
    equal(result.err, "berm: write to standard output: No space left on device\n")


def place_berm():
    from harness import BERM
    return BERM
