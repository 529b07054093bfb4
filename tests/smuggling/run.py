#!/usr/bin/env python3
"""What berm's parser takes for requests, node's takes for the same: as many, with the same methods, targets and lengths of bodies. berm
may refuse more, but a request that it saw in front of what it refused is one that node saw as well. And what berm sends on is read
by node as exactly the requests that were judged.
"""
import json
import os
import shlex
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
from cases import all_cases  # noqa: E402

TIMEOUT = 300
# Plain messages: a parser that refuses everything would agree with any other.
MUST_SEE = {"length-plain": 2, "coding-plain": 2, "chunk-plain": 2, "chunk-trailer": 2, "chunk-hidden": 2, "line-plain": 2, "line-absolute": 2,
            "line-old": 1, "field-many": 2, "field-close": 1, "field-websocket": 1, "connect-port": 1,
            "line-options-star": 2, "line-escapes": 2, "field-large": 2}
# What follows one that node does not know is not compared: it refuses methods by their names.
METHODS = ("GET", "POST", "OPTIONS", "CONNECT")
# Node refuses these as they come. berm does not send them on as they come.
REWRITTEN = {"line-high": "bytes above 127 in a target become escapes"}


def build(archive, folder):
    program = os.path.join(folder, "streams")
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]
    flags += ["-I" + os.path.join(TOP, name) for name in ("include", "src")]
    source = os.path.join(HERE, "streams.c")
    subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), *flags, "-o", program, source, archive], check=True)
    return program


def ask(command, streams):
    data = b"".join(struct.pack(">I", len(stream)) + stream for stream in streams)
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, timeout=TIMEOUT, check=True)
    answers = [json.loads(line) for line in done.stdout.split(b"\n") if line]
    if len(answers) != len(streams):
        raise SystemExit("%s: %d answers for %d streams" % (command[0], len(answers), len(streams)))
    return answers


def of(requests, target):
    return [(request["method"], request[target], request["body"]) for request in requests]


def judge(name, ours, theirs, sent):
    """What is wrong with the case; None: nothing."""
    seen, other = of(ours["requests"], "target"), of(theirs, "target")
    judged = [request for request in of(ours["requests"], "sent") if request[0] != "CONNECT"]
    known = next((i for i, request in enumerate(seen) if request[0] not in METHODS), None)
    if len(seen) < MUST_SEE.get(name, 0):
        return "refused: " + ours["refused"]
    whole = not ours["refused"] and known is None
    if name not in REWRITTEN and seen[:known] != (other if whole else other[:len(seen[:known])]):
        return "berm saw %s, node saw %s, %s" % (seen, other, ours["refused"] or "nothing was refused")
    if of(sent, "target") != judged[:known]:
        return "judged were %s, node got %s" % (judged, of(sent, "target"))
    return None


def main():
    cases = list(all_cases())
    streams = [stream for _, stream in cases]
    with tempfile.TemporaryDirectory() as folder:
        ours = ask([build(os.path.abspath(sys.argv[1]), folder)], streams)
    node = ["node", "--max-http-header-size=131072", os.path.join(HERE, "server.js")]
    theirs = ask(node, streams)
    sent = ask(node, [bytes.fromhex(answer["forwarded"]) for answer in ours])
    faults = []
    for (name, _), mine, other, got in zip(cases, ours, theirs, sent):
        fault = judge(name, mine, other, got)
        if fault:
            faults.append((name, fault))
    for name, fault in faults[:40]:
        print("---- %s: %s" % (name, fault))
    taken = sum(1 for answer in ours if not answer["refused"])
    print("%d streams, %d of them accepted whole" % (len(cases), taken))
    print("smuggling: %d passed, %d failed" % (len(cases) - len(faults), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
