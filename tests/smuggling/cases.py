"""Streams in which two readers of HTTP/1 could see different requests: written out here, and made by putting one odd byte at each
place of a few plain ones."""

HOST = b"Host: a.example\r\n"
END = b"GET /end HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(fields, body=b""):
    return b"POST /first HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


def get(target, version=b"HTTP/1.1", fields=HOST):
    return b"GET " + target + b" " + version + b"\r\n" + fields + b"\r\n"


SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
EMPTY_CHUNKS = b"0\r\n\r\n"


def lengths():
    hidden = SMUGGLED
    size = str(len(hidden)).encode()
    for name, value in [("plain", size), ("zeros", b"00" + size), ("plus", b"+" + size), ("minus", b"-1"), ("hex", b"0x10"),
                        ("space", size[:1] + b" " + size[1:]), ("list", size + b", " + size), ("list-differs", b"0, " + size),
                        ("empty", b""), ("tab", b"\t" + size + b"\t"), ("fraction", size + b".0"), ("exponent", b"1e1"),
                        ("huge", b"18446744073709551616"), ("wraps", b"18446744073709551" + b"6" * 20), ("letters", b"ten"),
                        ("nul", size + b"\0"), ("vt", b"\x0b" + size), ("nbsp", b"\xa0" + size), ("semicolon", size + b";a=b")]:
        yield "length-" + name, post(b"Content-Length: " + value + b"\r\n", hidden) + END
    for name, field in [("space-before-colon", b"Content-Length : "), ("space-in-front", b" Content-Length: "),
                        ("underscore", b"Content_Length: "), ("tab-before-colon", b"Content-Length\t: "),
                        ("lower", b"content-length: "), ("no-space", b"Content-Length:"), ("nul-in-name", b"Content\0-Length: "),
                        ("quoted", b'"Content-Length": '), ("fold-before", b"A: b\r\n Content-Length: "),
                        ("cr-before", b"A: b\rContent-Length: "), ("lf-before", b"A: b\nContent-Length: "),
                        ("fold-in", b"Content-Length:\r\n "), ("dash-cr", b"Content-\rLength: ")]:
        yield "length-name-" + name, post(field + size + b"\r\n", hidden) + END
    yield "length-twice-same", post((b"Content-Length: " + size + b"\r\n") * 2, hidden) + END
    yield "length-twice-differs", post(b"Content-Length: 0\r\nContent-Length: " + size + b"\r\n", hidden) + END
    yield "length-short", post(b"Content-Length: 3\r\n", b"abcd") + END
    yield "length-cut-off", post(b"Content-Length: 3\r\n", b"ab")
    yield "length-with-get", b"GET /first HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc" + END
    yield "length-in-connection", post(b"Connection: Content-Length\r\nContent-Length: " + size + b"\r\n", hidden) + END


def codings():
    both = b"Content-Length: 5\r\n"
    yield "both-length-first", post(both + CHUNKED, EMPTY_CHUNKS) + END
    yield "both-coding-first", post(CHUNKED + both, EMPTY_CHUNKS) + END
    yield "both-hidden", post(b"Content-Length: %d\r\n" % (5 + len(SMUGGLED)) + CHUNKED, EMPTY_CHUNKS + SMUGGLED) + END
    for name, value in [("plain", b"chunked"), ("upper", b"CHUNKED"), ("x", b"xchunked"), ("gzip", b"gzip, chunked"),
            ("last", b"chunked, gzip"),
                        ("identity", b"identity"), ("twice", b"chunked, chunked"), ("empty", b""), ("comma", b",chunked"),
                        ("comma-behind", b"chunked,"), ("parameter", b"chunked;q=1"), ("quoted", b'"chunked"'),
            ("tab", b"\tchunked"), ("vt", b"\x0bchunked"),
                        ("nul", b"chunked\0"), ("space-in", b"chu nked"), ("high", b"\xffchunked"), ("cow", b"cow")]:
        field = b"Transfer-Encoding: " + value + b"\r\n"
        yield "coding-" + name, post(field, EMPTY_CHUNKS) + END
        yield "coding-and-length-" + name, post(b"Content-Length: 5\r\n" + field, EMPTY_CHUNKS) + END
    for name, field in [("space", b"Transfer-Encoding : chunked\r\n"), ("underscore", b"Transfer_Encoding: chunked\r\n"),
            ("front", b" Transfer-Encoding: chunked\r\n"),
                        ("fold", b"Transfer-Encoding:\r\n chunked\r\n"), ("two", CHUNKED + CHUNKED),
            ("two-identity", CHUNKED + b"Transfer-Encoding: identity\r\n"),
                        ("identity-two", b"Transfer-Encoding: identity\r\n" + CHUNKED),
            ("lf", b"A: b\nTransfer-Encoding: chunked\r\n"),
                        ("cr", b"A: b\rTransfer-Encoding: chunked\r\n"),
            ("connection", b"Connection: Transfer-Encoding\r\n" + CHUNKED)]:
        yield "coding-field-" + name, post(field, EMPTY_CHUNKS) + END
    yield "coding-old", b"POST /first HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n" + EMPTY_CHUNKS
    yield "coding-old-alive", b"POST /first HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n" + CHUNKED + b"\r\n" + EMPTY_CHUNKS + END


def chunks():
    rows = [("plain", b"3\r\nabc\r\n0\r\n\r\n"), ("upper", b"A\r\n0123456789\r\n0\r\n\r\n"),
            ("zeros", b"0003\r\nabc\r\n000\r\n\r\n"),
            ("extension", b"3;a=b\r\nabc\r\n0;c\r\n\r\n"), ("extension-quoted", b'3;a="b;c d"\r\nabc\r\n0\r\n\r\n'),
            ("extension-lf", b"3;a\nabc\r\n0\r\n\r\n"),
            ("extension-cr", b"3;a\rb\r\nabc\r\n0\r\n\r\n"), ("extension-nul", b"3;a\0\r\nabc\r\n0\r\n\r\n"),
            ("extension-space", b"3 ;a\r\nabc\r\n0\r\n\r\n"),
            ("extension-empty", b"3;\r\nabc\r\n0\r\n\r\n"), ("extension-two", b"3;;a\r\nabc\r\n0\r\n\r\n"),
            ("extension-inner", b"3; a = b\r\nabc\r\n0\r\n\r\n"),
            ("space", b"3 \r\nabc\r\n0\r\n\r\n"), ("front", b" 3\r\nabc\r\n0\r\n\r\n"), ("hex", b"0x3\r\nabc\r\n0\r\n\r\n"),
            ("plus", b"+3\r\nabc\r\n0\r\n\r\n"),
            ("minus", b"-3\r\nabc\r\n0\r\n\r\n"), ("bare-lf", b"3\nabc\n0\n\n"), ("bare-lf-size", b"3\nabc\r\n0\r\n\r\n"),
            ("bare-lf-data", b"3\r\nabc\n0\r\n\r\n"),
            ("bare-cr", b"3\rabc\r0\r\r"), ("short", b"2\r\nabc\r\n0\r\n\r\n"), ("long", b"4\r\nabc\r\n0\r\n\r\n"),
            ("no-crlf", b"3\r\nabc0\r\n\r\n"),
            ("empty-size", b"\r\nabc\r\n0\r\n\r\n"), ("wraps", b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
            ("wraps-32", b"100000003\r\nabc\r\n0\r\n\r\n"),
            ("trailer", b"3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n"),
            ("trailer-length", b"3\r\nabc\r\n0\r\nContent-Length: 50\r\n\r\n"),
            ("trailer-fold", b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n"), ("trailer-space", b"3\r\nabc\r\n0\r\nA : b\r\n\r\n"),
            ("trailer-lf", b"3\r\nabc\r\n0\r\nA: b\n\r\n"),
            ("end-lf", b"3\r\nabc\r\n0\r\n\n"), ("end-bare", b"3\r\nabc\r\n0\n\n"), ("no-end", b"3\r\nabc\r\n0\r\n"),
            ("cut-off", b"3\r\nab"), ("underscore", b"0_3\r\nabc\r\n0\r\n\r\n"),
            ("letters", b"g\r\n\r\n"), ("comma", b"3,a\r\nabc\r\n0\r\n\r\n"), ("data-like-end", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
            ("hidden", b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n")]
    for name, body in rows:
        yield "chunk-" + name, post(CHUNKED, body) + END


def lines():
    rows = [("plain", get(b"/a")), ("old", get(b"/a", b"HTTP/1.0")), ("nine", b"GET /a\r\n"),
            ("two", get(b"/a", b"HTTP/2.0")), ("one-two", get(b"/a", b"HTTP/1.2")),
            ("zeros", get(b"/a", b"HTTP/01.1")), ("lower", get(b"/a", b"http/1.1")), ("long", get(b"/a", b"HTTP/1.10")),
            ("space-behind", get(b"/a", b"HTTP/1.1 ")),
            ("two-spaces", get(b" /a")), ("tab", b"GET\t/a HTTP/1.1\r\n" + HOST + b"\r\n"), ("three-words", get(b"/a b")),
            ("crlf-in-front", b"\r\n" + get(b"/a")),
            ("lf-in-front", b"\n" + get(b"/a")), ("space-in-front", b" " + get(b"/a")),
            ("bare-lf", get(b"/a").replace(b"\r\n", b"\n")), ("bare-cr", get(b"/a").replace(b"\r\n", b"\r")),
            ("lower-method", b"get /a HTTP/1.1\r\n" + HOST + b"\r\n"),
            ("odd-method", b"G@T /a HTTP/1.1\r\n" + HOST + b"\r\n"), ("preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("nul", get(b"/a\0b")), ("fragment", get(b"/a#b")), ("backslash", get(b"/a\\b")), ("high", get(b"/\xc3\xa4")),
            ("vt", get(b"/a\x0bb")), ("del", get(b"/a\x7f")),
            ("no-slash", get(b"a")), ("star", get(b"*")), ("options-star", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
            ("absolute", get(b"http://a.example/a?b")), ("absolute-bare", get(b"http://a.example")),
            ("absolute-other", get(b"http://b.example/a")), ("absolute-user", get(b"http://u@a.example/a")),
            ("double-slash", get(b"//a//b")), ("dots", get(b"/a/../b/./c")),
            ("dots-escaped", get(b"/a/%2e%2e/b")), ("above", get(b"/../a")), ("escapes", get(b"/%7e%41%2f%3a?%7e%2F")),
            ("overlong", get(b"/%c0%ae%c0%ae/a")), ("percent", get(b"/%")),
            ("brackets", get(b"/a[0]?b[]=c|d")), ("quotes", get(b'/a"b?c"d')), ("query", get(b"/a?b=/../c")),
            ("space-escaped", get(b"/a%20b")), ("no-fields", b"GET /a HTTP/1.0\r\n\r\n")]
    for name, stream in rows:
        yield "line-" + name, stream + END


def fields():
    rows = [("none", b""), ("two-hosts", HOST + HOST), ("two-hosts-differ", HOST + b"Host: b.example\r\n"),
            ("empty-host", b"Host:\r\n"), ("host-list", b"Host: a.example, b.example\r\n"),
            ("host-user", b"Host: u@a.example\r\n"), ("host-path", b"Host: a.example/b\r\n"),
            ("host-space", b"Host : a.example\r\n"), ("host-port", b"Host: a.example:8080\r\n"),
            ("host-first-folded", b" Host: a.example\r\n"), ("fold", HOST + b"A: b\r\n c\r\n"),
            ("fold-empty", HOST + b"A:\r\n \r\n"), ("no-colon", HOST + b"A\r\n"), ("no-name", HOST + b": b\r\n"),
            ("nul", HOST + b"A: b\0c\r\n"), ("cr", HOST + b"A: b\rc\r\n"), ("lf", HOST + b"A: b\nC: d\r\n"),
            ("lf-end", HOST + b"A: b\n"), ("high", HOST + b"A: \xe4\xff\r\n"), ("name-high", HOST + b"\xe4: b\r\n"),
            ("name-parenthesis", HOST + b"A(b): c\r\n"), ("name-space", HOST + b"A b: c\r\n"),
            ("empty-value", HOST + b"A:\r\n"), ("tabs", HOST + b"A:\tb\tc\t\r\n"), ("control", HOST + b"A: \x01\r\n"),
            ("escape", HOST + b"A: \x1b[2J\r\n"),
            ("many", HOST + b"A: b\r\n" * 99), ("too-many", HOST + b"A: b\r\n" * 500),
            ("large", HOST + b"A: " + b"b" * 30000 + b"\r\n"), ("too-large", HOST + b"A: " + b"b" * 70000 + b"\r\n"),
            ("close", HOST + b"Connection: close\r\n"), ("close-list", HOST + b"Connection: a, close\r\n"),
            ("keep", HOST + b"Connection: keep-alive\r\n"), ("connection-host", HOST + b"Connection: host\r\n"),
            ("websocket", HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            ("h2c", HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            ("continue", HOST + b"Expect: 100-continue\r\n")]
    for name, text in rows:
        yield "field-" + name, get(b"/a", fields=text) + END
    for name, text in [("plain", HOST), ("port", b"Host: a.example:443\r\n"), ("other", b"Host: b.example\r\n"),
            ("length", HOST + b"Content-Length: 4\r\n"), ("coding", HOST + CHUNKED)]:
        yield "connect-" + name, b"CONNECT a.example:443 HTTP/1.1\r\n" + text + b"\r\n" + END
    yield "connect-path", b"CONNECT /a HTTP/1.1\r\n" + HOST + b"\r\n" + END
    yield "connect-no-port", b"CONNECT a.example HTTP/1.1\r\n" + HOST + b"\r\n" + END


PLAIN = [("length", post(b"Content-Length: 3\r\n", b"abc") + END),
            ("chunked", post(CHUNKED, b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n") + END)]
ODD = [b"\0", b"\t", b"\n", b"\r", b"\x0b", b" ", b"\"", b",", b"0", b":", b";", b"\\", b"_", b"\x7f", b"\x85", b"\xa0", b"\r\n", b"\r\n ", b"\n\n"]


def mutated():
    for name, stream in PLAIN:
        for at in range(len(stream) - len(END) + 20):
            yield "removed-%s-%d" % (name, at), stream[:at] + stream[at + 1:]
            for odd in ODD:
                yield "put-%s-%d-%s" % (name, at, odd.hex()), stream[:at] + odd + stream[at:]
                yield "replaced-%s-%d-%s" % (name, at, odd.hex()), stream[:at] + odd + stream[at + 1:]


def all_cases():
    for part in (lengths, codings, chunks, lines, fields, mutated):
        yield from part()
