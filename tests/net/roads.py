"""Inside: prints each road that leads out past the filter. Arguments: addresses that have listeners."""
import socket
import struct
import sys

web, other, raw, dns = sys.argv[1:5]


def reached(make, *, wait=3):
    """Does something come back, or is something taken by the other side?"""
    try:
        return make(wait)
    except (OSError, ValueError):
        return False


def speaks(address, port, line):
    def make(wait):
        with socket.create_connection((address, port), wait) as sock:
            sock.sendall(line)
            return b"hello" in sock.recv(999)
    return make


def bound(wait):
    """A source address of one's own choice."""
    with socket.socket() as sock:
        sock.settimeout(wait)
        sock.bind(("127.0.0.1", 0))
        sock.connect((other, 80))
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return b"hello" in sock.recv(999)


def query(address, port):
    """A datagram for a resolver that is not ours, for a name that nobody may know."""
    def make(wait):
        name = b"\x07nowhere\x07example\x03org\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(wait)
            sock.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1), (address, port))
            answer = sock.recv(999)
            return answer[3] & 15 == 0 and answer[7] > 0
    return make


def raw_socket(kind, protocol):
    def make(wait):
        with socket.socket(socket.AF_INET, kind, protocol) as sock:
            sock.sendto(b"\x08\0\xf7\xff\0\0\0\0", (other, 0))
            return True
    return make


def packets(wait):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300) as sock:
        return sock is not None


def fast_open(wait):
    """Data with the first segment, by sendto instead of connect."""
    with socket.socket() as sock:
        sock.settimeout(wait)
        sock.sendto(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0x20000000, (other, 80))
        return b"hello" in sock.recv(999)


def mark(wait):
    with socket.socket() as sock:
        sock.settimeout(wait)
        sock.setsockopt(socket.SOL_SOCKET, 36, 1)
        sock.connect((other, 80))
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return b"hello" in sock.recv(999)


get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
roads = {
    "a raw address": speaks(other, 80, get),
    "an allowed host's address": speaks(web, 80, get),
    "IPv4 as IPv6": speaks("::ffff:" + other, 80, get),
    "the machine's loopback": speaks("127.0.0.1", 8099, get),
    "the machine's loopback, otherwise written": speaks("127.9.9.9", 8099, get),
    "nothing's address": speaks("0.0.0.0", 8099, get),
    "another source": bound,
    "a resolver of one's own": query(dns, 53),
    "a resolver on another port": query(dns, 5353),
    "ICMP": raw_socket(socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "raw IP": raw_socket(socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packets": packets,
    "fast open": fast_open,
    "a mark": mark,
    "mail": speaks(raw, 25, b"x"),
}
for name, make in roads.items():
    if reached(make):
        print(name)

