"""On a terminal, below a real shell: job control, signals by keys, size, modes.

The programs inside are bash: where sh is dash, a stop between its vfork and the child's exec leaves it waiting for ever,
with or without a sandbox."""
import fcntl
import os
import re
import select
import signal
import struct
import termios
import time

from harness import BERM, Failure, equal, test_ways, true

PATIENCE = 30
FOREGROUND = r"\$B (--no-ask )?bash.*\r\n"  # "fg" names the job
INTERRUPT, QUIT, STOP = b"\x03", b"\x1c", b"\x1a"


class Terminal:
    """An interactive bash on a pseudo terminal; "$B" runs a program in a sandbox."""

    def __init__(self, place, rows=24, columns=80):
        self.text = ""
        self.count = 0
        self.master, slave = os.openpty()
        modes = termios.tcgetattr(slave)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for number in range(3):
                    os.dup2(slave, number)
                os.closerange(3, 64)
                if os.getuid() == 0:
                    os.fchown(0, place.way.user, -1)
                place.become()
                os.chdir(place.work)
                environment = place.environment({"PS1": "", "PS2": "", "TERM": "dumb", "B": f"{BERM} run"})
                os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], environment)
            finally:
                os._exit(127)
        os.close(slave)
        self.resize(rows, columns)
        self.line("echo started")
        self.expect(r"started\r\n")

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def keys(self, data):
        os.write(self.master, data)

    def line(self, text):
        self.keys(text.encode() + b"\n")

    def expect(self, pattern):
        """Reads until the pattern is there, and returns its match; the text up to there is gone."""
        end = time.monotonic() + PATIENCE
        while True:
            match = re.search(pattern, self.text)
            if match:
                self.text = self.text[match.end():]
                return match
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure(f"waited for {pattern!r}, saw {self.text!r}")
            try:
                data = os.read(self.master, 4096)
            except OSError as error:
                raise Failure(f"the terminal is gone, saw {self.text!r}") from error
            self.text += data.decode(errors="replace")

    def ask(self, command, pattern=r"(.*)"):
        """The first line of what a command of the shell prints."""
        self.count += 1
        self.line(f"echo \"<{self.count}:$({command})>\"")
        return self.expect(rf"<{self.count}:{pattern}>").group(1)

    def close(self):
        """Ends everything of this terminal's session."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(pid)) == self.pid:
                    os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.waitpid(self.pid, 0)
        os.close(self.master)


def stops(terminal):
    """Waits until the shell sees a stopped job."""
    end = time.monotonic() + PATIENCE
    while "Stopped" not in terminal.ask("jobs -s | tr -d '\\n'"):
        true(time.monotonic() < end, "the job does not stop")
        time.sleep(0.05)


def on_terminal(function):
    """A test that gets a terminal beside its place."""
    def wrapped(place):
        terminal = Terminal(place)
        try:
            function(place, terminal)
        finally:
            terminal.close()
    wrapped.__name__ = function.__name__
    return test_ways(wrapped)


@on_terminal
def ctrl_c_ends_the_program_alone(place, terminal):
    terminal.line("$B bash -c 'echo ready; exec sleep 100'; echo status $?")
    terminal.expect("ready")
    terminal.keys(INTERRUPT)
    terminal.expect("status 130\r\n")
    equal(terminal.ask("echo alive"), "alive")


@on_terminal
def ctrl_c_can_be_taken(place, terminal):
    terminal.line("$B bash -c 'trap \"echo taken; exit 5\" INT; echo ready; while :; do sleep 0.05; done'; echo status $?")
    terminal.expect("ready")
    terminal.keys(INTERRUPT)
    terminal.expect("taken")
    terminal.expect("status 5\r\n")


@on_terminal
def ctrl_backslash_too(place, terminal):
    terminal.line("$B sh -c 'echo ready; exec sleep 100'; echo status $?")  # bash itself ignores this key
    terminal.expect("ready")
    terminal.keys(QUIT)
    terminal.expect("status 131\r\n")


@on_terminal
def ctrl_z_stops_and_fg_goes_on(place, terminal):
    terminal.line("$B bash -c 'trap \"echo on\" CONT; echo ready; until test -e go; do sleep 0.05; done'; echo status $?")
    for begin in ("ready", "on\r\n", "on\r\n"):
        terminal.expect(begin)
        terminal.keys(STOP)
        terminal.expect("Stopped")
        equal(terminal.ask("jobs | wc -l"), "1")
        terminal.line("fg; echo status $?")
    terminal.expect("on\r\n")
    place.file("home/work/go")
    terminal.expect("status 0\r\n")


@on_terminal
def bg_lets_it_run_and_reading_stops_it(place, terminal):
    # Where something may be asked on the terminal the command has one of its own, and just waits.
    terminal.line("$B --no-ask bash -c 'echo ready; sleep 0.3; echo worked; read line; echo got $line'")
    terminal.expect("ready")
    terminal.keys(STOP)
    terminal.expect("Stopped")
    terminal.line("bg")
    terminal.expect("worked")
    # It wants to read now, in the background: stopped, and the shell keeps the terminal.
    stops(terminal)
    terminal.line("fg")
    terminal.expect(FOREGROUND)
    terminal.line("hello")
    terminal.expect("got hello\r\n")


@on_terminal
def started_in_the_background(place, terminal):
    terminal.line("$B bash -c 'read line; echo got $line' &")
    stops(terminal)
    terminal.line("fg")
    terminal.expect(FOREGROUND)
    terminal.line("hello")
    terminal.expect("got hello\r\n")


@on_terminal
def kill_stop_and_cont_by_the_shell(place, terminal):
    terminal.line("$B bash -c 'echo ready; while :; do sleep 0.05; done' &")
    terminal.expect("ready")
    terminal.line("kill -TSTP %1")
    stops(terminal)
    terminal.line("kill -CONT %1; kill -TERM %1; wait %1; echo status $?")
    terminal.expect("status 143\r\n")


@on_terminal
def a_pipeline_with_a_pager_works(place, terminal):
    # "less" reads from the terminal while it is the program's output that it shows.
    terminal.line("$B bash -c 'echo one; echo two' | sh -c 'cat >/dev/null; read key </dev/tty; echo key $key'")
    terminal.line("q")
    terminal.expect("key q\r\n")


@on_terminal
def a_program_in_a_pipeline_can_ask_the_terminal(place, terminal):
    terminal.line("$B bash -c 'echo ready >&2; read line </dev/tty; echo got $line' | cat; echo end")
    terminal.expect("ready")
    terminal.line("hello")
    terminal.expect("got hello\r\n")
    terminal.expect("end\r\n")


@on_terminal
def a_pipeline_is_stopped_and_continued(place, terminal):
    terminal.line("$B bash -c 'echo ready >&2; sleep 0.5; echo done' | cat; echo end")
    terminal.expect("ready")
    terminal.keys(STOP)
    terminal.expect("Stopped")
    terminal.line("fg")
    terminal.expect("done\r\n")


@on_terminal
def a_pipeline_is_interrupted(place, terminal):
    terminal.line("$B bash -c 'echo ready >&2; exec sleep 100' | cat; echo status ${PIPESTATUS[0]}")
    terminal.expect("ready")
    terminal.keys(INTERRUPT)
    equal(terminal.ask("echo alive"), "alive")
    equal(terminal.ask("jobs | wc -l"), "0")


@on_terminal
def the_size_is_seen_and_its_change(place, terminal):
    script = "trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done"
    terminal.line(f"$B bash -c \"{script}\"")
    terminal.expect("24 80\r\n")
    terminal.expect("ready")
    terminal.resize(40, 100)
    terminal.expect("40 100\r\n")
    terminal.keys(INTERRUPT)


@on_terminal
def modes_are_as_before(place, terminal):
    before = terminal.ask("stty -g </dev/tty")
    terminal.line("$B bash -c 'stty raw -echo; kill -KILL $$'; echo status $?")
    terminal.expect("status 137")
    equal(terminal.ask("stty -g </dev/tty"), before)
    terminal.line("$B no-such-program; echo status $?")
    terminal.expect("status 127")
    equal(terminal.ask("stty -g </dev/tty"), before)


@on_terminal
def a_stopped_program_has_its_modes_again(place, terminal):
    terminal.line("$B bash -c 'stty -icanon min 1; echo ready; dd bs=1 count=1 2>/dev/null; echo; stty -a | "
                  "grep -o -- -icanon'")
    terminal.expect("ready")
    terminal.keys(STOP)
    terminal.expect("Stopped")
    true("-icanon" not in terminal.ask("stty -a </dev/tty | tr '\\n' ' '"), "the shell has the program's modes")
    terminal.line("fg")
    terminal.expect(FOREGROUND)
    terminal.keys(b"x")
    terminal.expect("x\r\n-icanon\r\n")


@on_terminal
def an_interactive_shell_has_job_control(place, terminal):
    terminal.line(f"SHELL=/bin/bash {BERM} shell")
    terminal.line("PS1=; stty -echo; echo $BERM_SANDBOX inside")
    terminal.expect("1 inside\r\n")
    terminal.line("sleep 100")
    time.sleep(0.3)
    terminal.keys(STOP)
    terminal.expect("Stopped")
    equal(terminal.ask("jobs | wc -l"), "1")
    terminal.line("kill %1; sleep 100; echo interrupted $?")
    time.sleep(0.3)
    terminal.keys(INTERRUPT)
    equal(terminal.ask("echo alive"), "alive")
    terminal.line("exit 9")
    terminal.expect("exit\r\n")
    time.sleep(0.5)  # on a terminal of its own the shell would get what is typed before it has ended
    terminal.line("echo status $?")
    terminal.expect("status 9\r\n")


@on_terminal
def doctor_fits_the_terminal(place, terminal):
    for columns in (40, 80, 160):
        terminal.resize(24, columns)
        terminal.line(f"NO_COLOR=1 TERM=xterm {BERM} doctor; echo end$?")
        text = terminal.expect(r"(?s)(.*)end0\r\n").group(1)
        widest = max(len(line) for line in text.split("\r\n"))
        true(widest <= columns, f"a line of {widest} on {columns} columns")
        true("\x1b" not in text, "colour in spite of NO_COLOR")
    terminal.line(f"TERM=xterm {BERM} doctor; echo end$?")
    true("\x1b[" in terminal.expect(r"(?s)(.*)end0\r\n").group(1), "no colour on a terminal")


@on_terminal
def the_closed_terminal_ends_the_program(place, terminal):
    terminal.line("$B bash -c 'trap \"echo hung up >hup; exit\" HUP; echo ready; while :; do sleep 0.05; done'")
    terminal.expect("ready")
    master = os.dup(terminal.master)
    os.close(terminal.master)
    terminal.master = master
    os.kill(terminal.pid, signal.SIGHUP)
    for _ in range(200):
        if os.path.exists(f"{place.work}/hup"):
            return
        time.sleep(0.05)
    raise Failure("the program was not told")
