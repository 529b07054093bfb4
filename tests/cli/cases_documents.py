"""What is written about the program is what it does: manual pages, completions, the example."""
import os
import re
import shutil

from harness import BERM, TOP, equal, test, true

COMMANDS = ("run", "shell", "doctor", "learn", "completion", "help", "version")
PARENTS = ("policy", "profile", "group")


def words_below(place, command):
    """The words of "berm policy" and its like, as help lists them."""
    return re.findall(r"^  ([a-z]+)  ", place.berm("help", command).ok().out, re.M)


def options_of(place, command):
    """Long and short options as help lists them."""
    text = place.berm("help", *command.split()).ok().out.split("\noptions:\n", 1)[1]
    return re.findall(r"^  (?:-(\w), |    )--([a-z-]+)", text, re.M)


@test
def manual_pages_are_made_from_the_tables(place):
    place.command([f"{TOP}/scripts/man", "--check", BERM], cwd=TOP).ok("")


@test
def every_option_is_in_the_manual(place):
    for command in ("run", "doctor"):
        with open(f"{TOP}/docs/man/berm-{command}.1", encoding="utf-8") as file:
            page = file.read()
        for letter, name in options_of(place, command):
            usage = (f"Fl {letter} , " if letter else "") + f"Fl \\-{name}"
            true(f".It {usage}" in page, f"{usage} is not in berm-{command}.1")


@test
def completions_have_every_command_and_option(place):
    forms = {
        "bash": ("--{name} ", "-{letter} "),
        "zsh": ("--{name}", "-{letter}"),
        "fish": (" -l {name} ", " -s {letter} "),
    }
    for shell, (long_form, short_form) in forms.items():
        text = place.berm("completion", shell).ok().out
        for command in COMMANDS + tuple(f"{parent} {word}" for parent in PARENTS for word in words_below(place, parent)):
            command_word = command.rsplit(" ", 1)[-1]
            true(re.search(rf"\b{command_word}\b", text), f"{shell}: no {command}")
            for letter, name in options_of(place, command):
                true(long_form.format(name=name) in text, f"{shell}: no --{name}")
                true(not letter or short_form.format(letter=letter) in text, f"{shell}: no -{letter}")


@test
def completions_are_well_formed(place):
    for shell in ("bash", "zsh", "fish"):
        if shutil.which(shell) is None:
            continue
        path = place.file(shell, place.berm("completion", shell).ok().out)
        place.command([shell, "-n", path]).ok()


def bash_completes(place, words):
    path = place.file("completion", place.berm("completion", "bash").ok().out)
    quoted = " ".join(f"'{word}'" for word in words)
    script = (f"source '{path}'; compopt() {{ :; }}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _berm; "
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return place.command(["/bin/bash", "-c", script]).ok().out.split()


@test
def bash_completes_words(place):
    equal(bash_completes(place, ["berm", "do"]), ["doctor"])
    equal(bash_completes(place, ["berm", "run", "--net", ""]), ["filtered", "none", "host"])
    equal(bash_completes(place, ["berm", "run", "--prot"]), ["--protect"])
    equal(bash_completes(place, ["berm", "completion", "z"]), ["zsh"])
    equal(bash_completes(place, ["berm", "help", "sh"]), ["shell"])
    place.file("home/work/some-file")
    equal(bash_completes(place, ["berm", "run", "-r", "some"]), ["some-file"])
    equal(bash_completes(place, ["berm", "run", "-r", "/x", "cat", "some"]), ["some-file"])


@test
def the_example_builds_and_runs(place):
    library = os.path.join(os.path.dirname(BERM), "libberm.a")
    program = os.path.join(place.base, "first")
    place.command(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{TOP}/include", f"{TOP}/examples/first.c", library,
                   "-o", program]).ok("")
    place.file("home/work/seen", "x")
    result = place.command([program]).ok()
    true("seen" in result.out and result.err == "", repr(result))
