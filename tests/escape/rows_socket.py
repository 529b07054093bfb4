"""Classes S and N: helpers on the same machine, and the network when there is none."""
import os
import socket
import subprocess

from row import attempt, claimed, escape, heard, printed, py, sh

DGRAM, SEQ = socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


def listener(path, kind=socket.SOCK_STREAM):
    return lambda w: w.unix(path, kind)


def run_socket(name):
    """A socket where system services have theirs. Taken away with its folder."""
    def make(w):
        folder = "/run/berm-" + w.vars["name"]
        w.vars["run"] = folder
        w.unix(folder + "/" + name)
        os.chmod(folder, 0o755)
        w.closers.append(lambda: (os.unlink(folder + "/" + name), os.rmdir(folder)))
    return make


# ---- by path ----

for id, what, path, flags in (
        ("S-01", "the session bus", "@out@/user/1000/bus", ()),
        ("S-07a", "the ssh agent", "@home@/.ssh/agent.sock", ()),
        ("S-07b", "the gpg agent", "@home@/.gnupg/S.gpg-agent", ()),
        ("S-08", "a terminal multiplexer", "@out@/tmux-0/default", ()),
        ("S-09", "an editor", "@home@/.cache/nvim/server.sock", ()),
        ("S-18a", "a socket of the host's in the workspace", "@ws@/host.sock", ()),
        ("S-18b", "a socket in a readable folder", "@out@/lib/s.sock", ("-r", "@out@")),
        ("S-18c", "a socket in a writable folder", "@out@/lib/s.sock", ("-w", "@out@"))):
    escape(id, "connect to " + what, attempt("unix-connect", path), heard, setup=listener(path), flags=flags,
           real=id in ("S-01", "S-18a"))

for id, what, name in (("S-04", "the system bus", "system_bus_socket"), ("S-05", "a container engine", "docker.sock")):
    escape(id, "connect to %s in /run" % what, attempt("unix-connect", "@run@/" + name), heard, setup=run_socket(name),
           needs=("host-run",), real=id == "S-05")
escape("S-05b", "connect to a container engine by /var/run", sh("./attempt unix-connect /var@run@/docker.sock"), heard,
       setup=run_socket("docker.sock"), needs=("host-run",))


escape("S-18l", "connect to a socket in the home folder, in the visible view", attempt("unix-connect", "@home@/.gnupg/S.gpg-agent"), heard,
       setup=listener("@home@/.gnupg/S.gpg-agent"), flags=("--view", "visible"), only=("ns",))


def in_host_tmp(w):
    path = "/tmp/%s.sock" % w.vars["name"]
    w.unix(path)
    w.closers.append(lambda: os.path.exists(path) and os.unlink(path))


escape("S-11a", "connect to a socket in the host's /tmp", attempt("unix-connect", "/tmp/@name@.sock"), heard, setup=in_host_tmp)
escape("S-11b", "connect to an abstract socket", attempt("abstract", "@name@-x11"), heard,
       setup=lambda w: w.abstract("@name@-x11"), real=True)
escape("S-16a", "an abstract socket, by packets", attempt("abstract", "@name@-seq", "seqpacket"), heard,
       setup=lambda w: w.abstract("@name@-seq", SEQ))
escape("S-16b", "an abstract socket, by datagrams", attempt("abstract", "@name@-dgram", "dgram"), heard,
       setup=lambda w: w.abstract("@name@-dgram", DGRAM))
escape("S-18d", "by packets", attempt("unix-connect", "@ws@/seq.sock", "seqpacket"), heard, setup=listener("@ws@/seq.sock", SEQ))
escape("S-18e", "by a link", sh("ln -s @out@/s.sock l; ./attempt unix-connect l"), heard, setup=listener("@out@/s.sock"))
escape("S-18f", "by a hard link", sh("ln host.sock l; ./attempt unix-connect l"), heard, setup=listener("@ws@/host.sock"))
escape("S-18g", "by another name, after a move", sh("mv host.sock l; ./attempt unix-connect l"), heard,
       setup=listener("@ws@/host.sock"))
escape("S-18h", "by an O_PATH descriptor", attempt("unix-magic", "@ws@/host.sock"), heard, setup=listener("@ws@/host.sock"))
escape("S-18i", "by a relative name", attempt("unix-from-folder", "@out@", "s.sock"), heard, setup=listener("@out@/s.sock"),
       flags=("-r", "@out@"))
escape("S-18j", "by /proc/self/root", sh("cd /proc/self/root@out@ && @ws@/attempt unix-connect s.sock || "
                                         "@ws@/attempt unix-connect /proc/self/root@out@/s.sock"), heard,
       setup=listener("@out@/s.sock"), flags=("-r", "@out@"))
escape("S-18k", "an address that changes during the call", attempt("race-connect", "@ws@/own.sock", "@ws@/host.sock"), heard,
       setup=listener("@ws@/host.sock"), real=True)
for letter, how in zip("abcd", ("sendto", "sendmsg", "sendmmsg", "connect")):
    escape("S-19" + letter, "a datagram to a Unix socket by " + how, attempt("unix-send", how, "@ws@/d.sock"), heard,
           setup=listener("@ws@/d.sock", DGRAM))
    escape("S-20" + letter, "a datagram from one of a pair by " + how, attempt("pair-send", how, "@ws@/d.sock"), heard,
           setup=listener("@ws@/d.sock", DGRAM))
escape("S-10", "the socket beside a granted one", attempt("unix-connect", "@out@/other.sock"), heard,
       setup=lambda w: (w.unix("@out@/granted.sock"), w.unix("@out@/other.sock")), flags=("--socket", "@out@/granted.sock"))

escape("S-17", "an abstract name that somebody outside connects to", attempt("abstract-listen", "@name@-in"), heard,
       only=("ns",), on_line=lambda w, line: line.startswith("READY") and knock_abstract(w))


def knock_abstract(w):
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect("\0%s-in" % w.vars["name"])
        w.heard.append("abstract knock")
    except OSError:
        pass
    sock.close()


# ---- with the host's network, local sockets stay closed ----

HOST = ("-n", "host")
escape("S-21a", "an abstract socket, with the host's network", attempt("abstract", "@name@-host"), heard, setup=lambda w: w.abstract("@name@-host"), flags=HOST,
       real=True)
escape("S-21b", "a socket by its path, with the host's network", attempt("unix-connect", "@home@/.s"), heard, setup=listener("@home@/.s"), flags=HOST)
escape("S-21c", "a socket in the workspace, with the host's network", attempt("unix-connect", "@ws@/s"), heard, setup=listener("@ws@/s"), flags=HOST)
escape("S-21d", "a datagram by its path, with the host's network", attempt("unix-send", "sendto", "@ws@/d"), heard, setup=listener("@ws@/d", DGRAM), flags=HOST)

# ---- other machines' roads ----

escape("S-22", "take a descriptor from an outside process", attempt("take-fd", "@victim@", "@victimfd@"), printed,
       setup=lambda w: w.victim(), real=True)
escape("S-23", "the hypervisor's socket family", attempt("socket", "40", "1", "0"), claimed)
escape("S-28", "an environment variable with a secret", ["env"], printed,
       setup=lambda w: w.env.update(AWS_SECRET_ACCESS_KEY=w.token, SSH_AUTH_SOCK="/x/" + w.token, GITHUB_TOKEN=w.token,
                                    DBUS_SESSION_BUS_ADDRESS="unix:path=/x/" + w.token, MY_API_KEY=w.token))

# ---- IP, while the network is "none" ----

escape("N-01", "TCP to the host's loopback", attempt("tcp", "127.0.0.1", "@port@"), heard, setup=lambda w: w.inet(), real=True)
escape("N-02", "TCP to the machine's own address", attempt("tcp", "127.77.77.77", "@port@"), heard,
       setup=lambda w: w.inet("127.77.77.77"))
escape("N-04", "TCP over IPv6", attempt("tcp", "::1", "@port@"), heard, setup=lambda w: w.inet("::1"), needs=("ipv6",))
escape("N-04b", "TCP over IPv6 with an IPv4 address in it", attempt("tcp", "::ffff:127.0.0.1", "@port@"), heard,
       setup=lambda w: w.inet(), needs=("ipv6",))
escape("N-04c", "TCP to 0.0.0.0", attempt("tcp", "0.0.0.0", "@port@"), heard, setup=lambda w: w.inet())
escape("N-06", "multipath TCP", attempt("tcp", "127.0.0.1", "@port@", "mptcp"), heard, setup=lambda w: w.inet(), needs=("mptcp",))
escape("N-07a", "TCP fast open", attempt("tcp", "127.0.0.1", "@port@", "fastopen"), heard, setup=lambda w: w.inet())
escape("N-07b", "TCP fast open by an option", attempt("tcp-fastopen-connect", "127.0.0.1", "@port@"), heard,
       setup=lambda w: w.inet())
for letter, how in zip("abcd", ("sendto", "sendmsg", "sendmmsg", "connect")):
    escape("N-05" + letter, "UDP by " + how, attempt("udp", how, "127.0.0.1", "@port@"), heard,
           setup=lambda w: w.inet(kind=DGRAM), real=letter == "b")
escape("N-05e", "UDP over IPv6", attempt("udp", "sendto", "::1", "@port@"), heard, setup=lambda w: w.inet("::1", DGRAM),
       needs=("ipv6",))
escape("N-05f", "a lookup by the resolver's library", py("""
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @port@))
"""), heard, setup=lambda w: w.inet(kind=DGRAM))
escape("N-09a", "a raw socket", attempt("socket", "2", "3", "1"), claimed, only=("root",), real=True)
escape("N-09b", "a packet socket", attempt("socket", "17", "3", "768"), claimed, only=("root",), real=True)
escape("N-09c", "a raw IPv6 socket", attempt("socket", "10", "3", "58"), claimed, only=("root",), needs=("ipv6",))
escape("N-10", "an echo socket", attempt("socket", "2", "2", "1"), claimed, unproved="net.ipv4.ping_group_range may be empty")
escape("N-08", "any odd family, with every type", attempt("families"), claimed, real=True)
escape("N-11", "change the addresses of the host by netlink", attempt("add-address", "127.78.78.78"),
       lambda w, r: "127.78.78.78" in subprocess.run(["ip", "addr"], capture_output=True, text=True).stdout and "address set",
       only=("root",), real=True,
       setup=lambda w: w.closers.append(lambda: subprocess.run(["ip", "addr", "del", "127.78.78.78/32", "dev", "lo"],
                                                               capture_output=True)))
for letter, number, what in (("a", "6", "IPsec"), ("b", "12", "packet filters"), ("c", "9", "audit"), ("d", "16", "generic")):
    escape("N-12" + letter, "netlink of " + what, attempt("socket", "16", "3", number), claimed)

# ---- listening ----


def visit(w, line):
    if line.startswith("READY"):
        w.knock(int(line.split()[1]))


escape("N-30a", "a port that the host can reach", attempt("listen", "127.0.0.1", "0"), heard, on_line=visit, real=True)
escape("N-30b", "a port on every address", attempt("listen", "0.0.0.0", "0"), heard, on_line=visit)
escape("N-30c", "a port on IPv6", attempt("listen", "::", "0"), heard, on_line=visit, needs=("ipv6",))
escape("N-30d", "a port without bind", attempt("listen-unbound"), heard, on_line=visit, real=True)
