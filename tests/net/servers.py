"""A network of the suite's own: addresses on the loopback of a network namespace, and real servers on them."""
import ctypes
import fcntl
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891c
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000
# Nothing leaves the namespace, so that they may be of somebody: what is kept for documentation is nowhere to be reached.
DNS, WEB, OTHER, RAW, PRIVATE = "93.184.215.53", "93.184.215.14", "93.184.215.15", "93.184.215.16", "10.1.2.3"
WEB6 = "2606:4700:aaaa::14"
NAMES = {
    "web.example.org": [WEB], "other.example.org": [OTHER], "raw.example.org": [RAW], "both.example.org": [WEB6, WEB],
    "private.example.org": [PRIVATE], "local.example.org": ["127.0.0.1"], "mixed.example.org": [PRIVATE, WEB],
    "meta.example.org": ["169.254.169.254"], "mapped.example.org": ["::ffff:10.1.2.3"],
}
REBINDS = "rebind.example.org"
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter(folder):
    """A network and a mount namespace; the machine's resolver is the suite's."""
    root = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(CLONE_NEWNET | CLONE_NEWNS | (0 if root else CLONE_NEWUSER)))
    if not root:
        for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
            with open("/proc/self/" + name, "w", encoding="ascii") as file:
                file.write(text)
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    for name, text in (("resolv.conf", "nameserver %s\n" % DNS), ("hosts", "127.0.0.1 localhost\n%s web.example.org\n" % OTHER)):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text if name != "hosts" else "127.0.0.1 localhost\n")
        os.chmod(path, 0o644)
        check(libc.mount(path.encode(), os.path.realpath("/etc/" + name).encode(), None, MS_BIND, None))
    addresses()


def addresses():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", 0x49))
        for number, address in enumerate((DNS, WEB, OTHER, RAW, PRIVATE)):
            name = b"lo:%d" % (number + 1)
            packed = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(sock, SIOCSIFADDR, struct.pack("16s16s8x", name, packed))
            packed = struct.pack("HH4s8x", socket.AF_INET, 0, b"\xff\xff\xff\xff")
            fcntl.ioctl(sock, SIOCSIFNETMASK, struct.pack("16s16s8x", name, packed))
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCSIFADDR, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, WEB6), 128, 1))
    except OSError:
        NAMES["both.example.org"] = [WEB]  # a machine without IPv6


# ---- DNS ----------------------------------------------------------------------------------------------------------------

class Dns:
    """What was asked is in asked, for names that nobody may have asked for."""

    def __init__(self):
        self.asked, self.rebinds = [], False

    def addresses(self, name):
        if name == REBINDS:
            return [PRIVATE] if self.rebinds else [WEB]
        return NAMES.get(name)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12:at + 5]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked.append(name)
        found = self.addresses(name)
        data = [socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found or []
                if (":" in one) == (kind == 28) and kind in (1, 28)]
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if found is not None else 3), 1, len(data), 0, 0)
        return head + question + b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(one)) + one for one in data)

    def start(self):
        dns = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                self.request[1].sendto(dns.answer(self.request[0]), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                size = self.rfile.read(2)
                if len(size) == 2:
                    answer = dns.answer(self.rfile.read(struct.unpack(">H", size)[0]))
                    self.wfile.write(struct.pack(">H", len(answer)) + answer)

        serve(socketserver.ThreadingUDPServer((DNS, 53), Udp))
        serve(socketserver.ThreadingTCPServer((DNS, 53), Tcp))


# ---- servers ------------------------------------------------------------------------------------------------------------

def serve(server):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = ("hello %s from %s %s\n" % (self.path, self.headers.get("Host"), self.server.server_address[0])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        size = len(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        self.path = "%s with %d bytes" % (self.path, size)
        self.do_GET()

    def log_message(self, *unused):
        pass


class Http6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


class Greeter(socketserver.BaseRequestHandler):
    """Speaks first, and says what it was told."""

    def handle(self):
        self.request.sendall(b"220 hello\n")
        text = self.request.recv(100)
        self.request.sendall(b"you said " + text)


class Postgres(socketserver.BaseRequestHandler):
    def handle(self):
        if len(self.request.recv(8)) == 8:
            self.request.sendall(b"N")
        self.request.recv(1000)
        fields = b"SFATAL\0CXX000\0Mthe suite has no database\0\0"
        self.request.sendall(b"E" + struct.pack(">I", len(fields) + 4) + fields)


class Redis(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline():
            self.wfile.write(b"+PONG\r\n")


class Ssh(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"SSH-2.0-suite_of_berm\r\n")
        self.request.recv(2000)


def certificate(folder):
    names = ",".join("DNS:" + name for name in NAMES)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=suite", "-addext", "subjectAltName=" + names, "-keyout", folder + "/key.crt-key", "-out",
                    folder + "/ca.crt"], check=True, capture_output=True)


def repository(folder):
    """A bare repository as files, for git's dumb protocol."""
    tree, bare = folder + "/tree", folder + "/www/repo.git"
    env = {**os.environ, "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (["init", "-q", tree], ["-C", tree, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q",
                  "--allow-empty", "-m", "first"], ["clone", "-q", "--bare", tree, bare], ["-C", bare, "update-server-info"]):
        subprocess.run(["git", *words], check=True, env=env, capture_output=True)


def start(folder):
    dns = Dns()
    dns.start()
    for address in (WEB, OTHER, PRIVATE):
        serve(ThreadingHTTPServer((address, 80), Http))
    serve(ThreadingHTTPServer(("127.0.0.1", 8099), Http))
    if len(NAMES["both.example.org"]) > 1:
        serve(Http6((WEB6, 80), Http))
    certificate(folder)
    os.mkdir(folder + "/www")
    repository(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/ca.crt", folder + "/key.crt-key")

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder + "/www")

        def do_GET(self):
            if self.path.startswith("/repo.git"):
                super().do_GET()
            else:
                Http.do_GET(self)

        def log_message(self, *unused):
            pass

    for address in (WEB, OTHER):
        server = ThreadingHTTPServer((address, 443), Files)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        serve(server)
    for port, handler in ((25, Greeter), (5432, Postgres), (6379, Redis), (22, Ssh)):
        serve(socketserver.ThreadingTCPServer((RAW, port), handler))
    return dns
