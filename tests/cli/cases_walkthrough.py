"""docs/walkthrough.md, word by word: each command is run, each line of output is what stands there."""
import os
import re

from harness import BERM, TOP, Failure, equal, test, true

HOME = "/home/you"


def commands_of(text):
    """Commands with the output that stands behind each, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for line in block.split("\n")[:-1]:
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith("> ") and not found[-1][1]:
                found[-1] = (found[-1][0] + "\n" + line[2:], [])
            else:
                found[-1][1].append(line)
    return found


def pattern_of(lines):
    """A line "..." is any lines, "..." within one is anything."""
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(piece) for piece in line.split("...")) + r"\n")
    return "".join(parts)


@test
def the_walkthrough_is_true(place):
    with open(f"{TOP}/docs/walkthrough.md", encoding="utf-8") as file:
        steps = commands_of(file.read())
    true(len(steps) > 15, "there are steps")
    project = place.folder("home/project")
    place.command(["git", "init", "-q", project]).ok()
    place.file("home/reference/notes", "hello\n")
    place.file("home/notes.txt", "remember\n")
    place.file("home/.ssh/id_ed25519", "key\n", 0o600)
    tools = place.folder("tools")
    os.symlink(BERM, f"{tools}/berm")
    for command, lines in steps:
        script = command.replace(HOME, place.home)
        # what a person sees: what was written first stands first
        result = place.command(["/bin/bash", "-c", f"{{ {script}\n}} 2>&1"], cwd=project,
                               env={"PATH": f"{tools}:/usr/bin:/bin", "COLUMNS": "100"})
        seen = result.out.replace(place.home, HOME)
        if not re.fullmatch(pattern_of(lines), seen):
            raise Failure(f"'{command}' says {seen!r}, not {lines!r}")


@test
def the_readme_names_commands_that_there_are(place):
    with open(f"{TOP}/README.md", encoding="utf-8") as file:
        used = set(re.findall(r"^\$ \$berm (\w+)(?: (\w+))?", file.read(), re.M))
    true(used, "commands")
    for command, word in used:
        args = [command, word] if command in ("policy", "profile", "group") else [command]
        equal(place.berm("help", *args).status, 0, f"berm {args}")
