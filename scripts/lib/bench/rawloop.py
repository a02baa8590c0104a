"""The limit of SQLite: the very statements of each operation, sent again by one thread that does nothing
else (rawloop.c), to the library that the program has in it, with the same settings.

SQLite has no log of statements. So the program is built once more with a library that writes down what it is
asked (statements.h), is asked one request at a time, and what stands in the file afterwards belongs to that
request. The measured program knows nothing of this. A write can be done once only, so it is sent again to a
copy of the file that was made before; each request has its own commit, as it had when it was captured.
"""

import glob
import os
import re
import shutil
import sqlite3
import struct
import subprocess

import cases
import limit
import load
from service import Service

READS = 200  # requests of each read that are captured
WRITES = 600  # requests of each write that are captured
CLIENTS = 16
TOGETHER = 64  # writes in one commit of the service at most
HERE = os.path.dirname(__file__)

RECORD = re.compile(rb"0x[0-9a-f]+ (\d+) (\d+)\n")
LITERAL = re.compile(
    rb"(NULL)|x'([0-9a-fA-F]*)'|'((?:[^']|'')*)'|(-?\d+\.\d+(?:e[+-]?\d+)?)|(-?\d+)"
)
# Where a value may stand: not in a text, a name in quotes, or a comment.
PLACES = re.compile(rb"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(\?\d*)", re.S)


def library(program):
    """The library in the program: it was built beside it."""
    found = glob.glob(os.path.join(os.path.dirname(program), "build/libsqlite3-sys-*/out/libsqlite3.a"))
    if not found:
        raise SystemExit(f"bench: no libsqlite3.a beside {program}: was it built there?")
    return max(found, key=os.path.getmtime)


def built(program, folder):
    loop = os.path.join(folder, "rawloop")
    command = ["cc", "-O2", "-o", loop, os.path.join(HERE, "rawloop.c"), library(program)]
    subprocess.run([*command, "-lpthread", "-ldl", "-lm"], check=True)
    return loop


# ---- what was asked ----


class Trace:
    """The file that the listening program writes."""

    def __init__(self, path):
        self.path = path
        open(path, "wb").close()

    def size(self):
        return os.path.getsize(self.path)

    def records(self, since, until):
        """(connection, text, text with the values) of each statement in a part of the file."""
        with open(self.path, "rb") as file:
            file.seek(since)
            part = file.read(until - since)
        at = 0
        while at < len(part):
            head = RECORD.match(part, at)
            bare, full = int(head[1]), int(head[2])
            begin = head.end()
            yield head[0].split(b" ", 1)[0], part[begin : begin + bare], part[
                begin + bare : begin + bare + full
            ]
            at = begin + bare + full

    def requests(self, marks):
        """The statements of each request, one transaction after the other, whatever else a connection
        did meanwhile. What a connection says of itself when it is opened is left out."""
        open_ones, groups = {}, []
        for since, until in zip(marks, marks[1:]):
            group = []
            for connection, text, whole in self.records(since, until):
                if text.startswith(b"PRAGMA") or b"pragma_" in text:
                    continue
                unit = open_ones.setdefault(connection, [])
                unit.append((text, values(text, whole)))
                begun = unit[0][0].startswith(b"BEGIN")
                if not begun or text.startswith((b"COMMIT", b"ROLLBACK")) and b" TO " not in text:
                    group += open_ones.pop(connection)
            groups.append(group)
        return [group for group in groups if group]


def pieces(text, known={}):  # noqa: B006 - kept from call to call
    """A text, cut where its values stand."""
    if text not in known:
        cut, begin = [], 0
        for found in PLACES.finditer(text):
            if found[1]:
                cut.append(text[begin : found.start()])
                begin = found.end()
        known[text] = (*cut, text[begin:])
    return known[text]


def values(text, whole):
    found, at, cut = [], 0, pieces(text)
    for place, piece in enumerate(cut):
        if not whole.startswith(piece, at):
            raise SystemExit(f"bench: values cannot be told from the text: {whole[:300]}")
        at += len(piece)
        if place + 1 < len(cut):
            literal = LITERAL.match(whole, at)
            if not literal:
                raise SystemExit(f"bench: no value at {whole[at : at + 60]} of {text[:300]}")
            found.append(packed(literal))
            at = literal.end()
    return b"".join(found), len(found)


def packed(literal):
    null, blob, text, real, whole = literal.groups()
    if null:
        return b"n"
    if whole is not None:
        return b"i" + struct.pack("=q", int(whole))
    if real is not None:
        return b"r" + struct.pack("=d", float(real))
    kind, value = (b"b", bytes.fromhex(blob.decode())) if blob is not None else (b"t", text.replace(b"''", b"'"))
    return kind + struct.pack("=I", len(value)) + value


def captured(service, trace, requests):
    marks = []
    for method, path, who, headers, body in map(limit.parsed, requests):
        marks.append(trace.size())
        status, answer = service.raw(method, path, who, headers, body)
        if status >= 300:
            raise SystemExit(f"bench: {method} {path}: {status} {answer[:300]}")
    return trace.requests([*marks, trace.size()])


# ---- and asked again ----


def script(groups, path):
    """What rawloop.c reads."""
    texts = {}
    parts = []
    for group in groups:
        parts.append(struct.pack("=I", len(group)))
        for text, (packed_values, count) in group:
            place = texts.setdefault(b"?".join(pieces(text)), len(texts))
            parts.append(struct.pack("=II", place, count) + packed_values)
    with open(path, "wb") as file:
        file.write(struct.pack("=I", len(texts)))
        for text in texts:
            file.write(struct.pack("=I", len(text)) + text)
        file.write(struct.pack("=I", len(groups)))
        file.writelines(parts)


def looped(loop, database, groups, folder, seconds, together=1):
    """Requests in a second, with so many in one commit."""
    path = os.path.join(folder, "rawloop.script")
    script(groups, path)
    done = subprocess.run([loop, database, path, str(seconds), str(together)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench: {done.stderr}")
    count, spent, _ = done.stdout.split()
    os.remove(path)
    return int(count) / float(spent)


def replay(given, url, where, table):
    """The limit of every operation, on the database as the load has left it."""
    if not os.access(given.listening, os.X_OK):
        print(f"no limit of SQLite: {given.listening} is not there", flush=True)
        return
    loop = built(given.program, given.folder)
    service = Service(given.program, url, given.folder, jobs=False)
    supply = cases.Supply(service, given.folder)
    print("preparing cases for the limit", flush=True)
    held = supply.prepare(WRITES)
    held["create"] = range(WRITES)
    reads = supply.reads()
    # Over the same rows: there are more of them than when the load began.
    shown = {
        name: load.reads(service, given.folder, requests, CLIENTS, given.seconds).rate
        for name, requests in reads.items()
    }
    service.stop()
    path = url.partition(":")[2]
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()
    copy, second = (os.path.join(given.folder, name) for name in ("limit.db", "together.db"))
    shutil.copyfile(path, copy)
    shutil.copyfile(path, second)
    trace = Trace(os.path.join(given.folder, "statements"))
    service = supply.service = Service(
        given.listening, url, given.folder, jobs=False, settings={"BENCH_STATEMENTS": trace.path}
    )
    try:
        for name, requests in supply.reads().items():
            groups = captured(service, trace, (requests * READS)[:READS])
            rate = looped(loop, copy, groups, given.folder, given.seconds)
            table.limit(where, name, rate, typical(groups), shown[name])
        for name, make in supply.writes().items():
            groups = captured(service, trace, make(held[name]))
            rate = looped(loop, copy, groups, given.folder, 0)
            table.limit(where, name, rate, typical(groups))
            table.together(where, name, looped(loop, second, groups, given.folder, 0, TOGETHER))
    finally:
        service.stop()
        os.remove(trace.path)
        for end in ("", "-wal", "-shm"):
            for one in (copy, second):
                if os.path.exists(one + end):
                    os.remove(one + end)


def typical(groups):
    """Statements of a request."""
    return sorted(len(group) for group in groups)[len(groups) // 2]
