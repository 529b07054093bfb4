"""Class E: running what may be read and not run."""
import os
import shutil

from row import attempt, claimed, escape, sh


def program(w):
    """A static program, a dynamic one and a script outside, all with the execute bit."""
    folder = w.folder("@out@/bin")
    shutil.copy(w.attempt, os.path.join(folder, "prog"))
    shutil.copy("/bin/echo", os.path.join(folder, "dynamic"))
    w.file("@out@/bin/script", "#!/bin/sh\necho ACHIEVED a script\n", 0o755)


READ = ("-r", "@out@")
for id, what, words in (
        ("E-01a", "start it", attempt("exec", "@out@/bin/prog", "say", "ran")),
        ("E-01b", "by a link", sh("ln -s @out@/bin/prog l; ./l say ran")),
        ("E-01c", "by /proc/self/root", attempt("exec", "/proc/self/root@out@/bin/prog", "say", "ran")),
        ("E-01d", "by its descriptor", attempt("exec-fd", "@out@/bin/prog", "say", "ran")),
        ("E-01e", "by a hard link", sh("ln @out@/bin/prog l; ./l say ran")),
        ("E-01f", "start a script", attempt("exec", "@out@/bin/script")),
        ("E-01g", "after a move into the workspace", sh("./attempt change rename @out@/bin/prog moved > /dev/null; ./moved say ran")),
        ("E-03", "by the loader", sh("for ld in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do "
                                     "$ld @out@/bin/dynamic ACHIEVED by the loader && break; done"))):
    only = ("ns",) if id == "E-03" else ()
    escape(id, "a program that may only be read: " + what, words, claimed, setup=program, flags=READ, only=only,
           real=id in ("E-01a", "E-01d"))
escape("E-01h", "a program outside every grant", attempt("exec", "@out@/bin/prog", "say", "ran"), claimed, setup=program)
escape("E-01i", "a program outside every grant, in the visible view", attempt("exec", "@out@/bin/prog", "say", "ran"), claimed, setup=program,
       flags=("--view", "visible"), only=("ns",))
escape("E-05a", "a program that never was a file", attempt("exec-memfd", "./attempt", "say", "ran"), claimed, real=True)
escape("E-05b", "a readable program through a memfd", attempt("exec-memfd", "@out@/bin/prog", "say", "ran"), claimed, setup=program,
       flags=READ)
escape("E-12", "a readable file mapped as code", attempt("map-exec", "@out@/bin/prog"), claimed, setup=program, flags=READ,
       only=("ns",))
