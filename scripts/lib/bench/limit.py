"""The limit of PostgreSQL: the very statements of each operation, captured from its log and sent
again by pgbench.

The values of the requests stand in a table, from which the script fetches those of one request; the
time of that fetch, measured by itself, is taken off again. A write can be done once only, so it is
sent again to a copy of the database that was made before.
"""

import csv
import os
import re
import subprocess
import time
from collections import Counter

import cases
import load
from service import Service

READS = 200  # requests of each read that are captured
WRITES = 1200  # requests of each write that are captured
CLIENTS = 16


def psql(url, text):
    done = subprocess.run(
        ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url],
        input=text, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def create_database(server, name, template=""):
    psql(server, f'CREATE DATABASE "{name}" {template};')
    return server.rsplit("/", 1)[0] + "/" + name


class Log:
    """What the server is asked while somebody looks on."""

    def __init__(self, server):
        self.server = server
        self.marker = subprocess.Popen(
            ["psql", "-qAtX", server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        self.switch("all")
        path = psql(self.server, "SELECT pg_current_logfile('csvlog');")
        self.path = os.path.join(os.environ["BENCH_POSTGRES_DATA"], path)
        self.start = os.path.getsize(self.path)
        return self

    def __exit__(self, *_):
        self.switch("none")
        self.marker.stdin.close()
        self.marker.wait()

    def switch(self, what):
        psql(self.server, f"ALTER SYSTEM SET log_statement = '{what}'; SELECT pg_reload_conf();")
        time.sleep(0.3)

    def mark(self):
        """Whatever was asked so far stands before this."""
        self.marker.stdin.write("SELECT 'a mark of the benchmark';\n")
        self.marker.stdin.flush()
        self.marker.stdout.readline()

    def groups(self):
        """The statements between two marks each, with their values."""
        time.sleep(0.5)
        groups = []
        with open(self.path, newline="") as file:
            file.seek(self.start)
            for row in csv.reader(file):
                kind, _, sql = row[13].partition(": ")
                if "a mark of the benchmark" in sql:
                    groups.append([])
                elif groups and (kind == "statement" or kind.startswith("execute")):
                    groups[-1].append((sql, values(row[14])))
        return groups[:-1]


def values(detail):
    """The values of `parameters: $1 = 'it''s', $2 = NULL`."""
    found = re.findall(r"\$\d+ = (NULL|'(?:[^']|'')*')", detail.partition(": ")[2])
    return tuple(None if one == "NULL" else one[1:-1].replace("''", "'") for one in found)


def captured(url, service, requests):
    """The groups of the shape that most requests have. What is asked now and then by itself, not by
    a request, is left out."""
    with Log(url) as log:
        log.mark()
        for method, path, who, headers, body in map(parsed, requests):
            status, answer = service.raw(method, path, who, headers, body)
            if status >= 300:
                raise SystemExit(f"bench: {method} {path}: {status} {answer[:300]}")
            log.mark()
        groups = log.groups()
    often = Counter(sql for group in groups for sql in {sql for sql, _ in group})
    groups = [[one for one in group if often[one[0]] > len(groups) / 2] for group in groups]
    shape = lambda group: tuple((sql, tuple(v is None for v in vs)) for sql, vs in group)  # noqa: E731
    common = Counter(map(shape, groups)).most_common(1)[0][0]
    alike = [group for group in groups if shape(group) == common]
    if len(alike) < CLIENTS:
        raise SystemExit(f"bench: of {len(groups)} captured requests only {len(alike)} are alike")
    return alike


def parsed(request):
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return method, path, headers.pop("Authorization", None), headers, body


def literal(value):
    """A value in a script of pgbench, which takes any colon for a variable."""
    if value is None:
        return "NULL"
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a")
    return f"E'{text}'"


def filled(sql, fill):
    return re.sub(r"\$(\d+)", lambda found: fill(int(found.group(1)) - 1), sql) + ";\n"


def pgbench(url, folder, script, *options):
    path = os.path.join(folder, "limit.sql")
    with open(path, "w") as file:
        file.write(script)
    command = ["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", *options]
    done = subprocess.run([*command, "-f", path, url], capture_output=True, text=True)
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
    failed = "aborted" in done.stderr or not found
    if failed:
        raise SystemExit(f"bench: pgbench failed:\n{done.stderr[-2000:]}")
    return float(found.group(1))


def limit_of(url, folder, groups, choose, *options):
    """The statements of the captured requests, one request after the other as `choose` numbers them.
    What is the same in all of them is written in, the other values come from a table."""
    flat = [[value for _, vs in group for value in vs] for group in groups]
    varying = [place for place in range(len(flat[0])) if len({row[place] for row in flat}) > 1]
    path = os.path.join(folder, "values.csv")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(flat):
            writer.writerow([number, *(row[place] for place in varying)])
    columns = "".join(f", p{place} text" for place in varying)
    psql(
        url,
        f"DROP TABLE IF EXISTS bench_values; CREATE TABLE bench_values (n int PRIMARY KEY{columns});\n"
        f"\\copy bench_values FROM '{path}' CSV\nANALYZE bench_values;\nCHECKPOINT;\n",
    )
    names = ", ".join(["n", *(f"p{place}" for place in varying)])
    fetch = f"{choose}SELECT {names} FROM bench_values WHERE n = :n \\gset\n"
    script, base = fetch, 0
    for sql, vs in groups[0]:
        script += filled(
            sql,
            lambda place, base=base, vs=vs: f":p{base + place}"
            if base + place in varying
            else literal(vs[place]),
        )
        base += len(vs)
    alone = pgbench(url, folder, fetch, *options)
    whole = pgbench(url, folder, script, *options)
    return 1 / (1 / whole - 1 / alone)


def replay(given, url, where, table):
    """The limit of every operation, on the database as the load has left it."""
    server = os.environ["BENCH_POSTGRES"]
    service = Service(given.program, url, given.folder, jobs=False)
    supply = cases.Supply(service, given.folder)
    print("preparing cases for the limit", flush=True)
    held = supply.prepare(WRITES)
    held["create"] = range(WRITES)
    service.stop()
    copy = create_database(server, "limit", f'TEMPLATE "{url.rsplit("/", 1)[1]}"')
    service = supply.service = Service(given.program, url, given.folder, jobs=False)
    try:
        for name, requests in supply.reads().items():
            groups = captured(url, service, (requests * READS)[:READS])
            choose = f"\\set n random(0, {len(groups) - 1})\n"
            rate = limit_of(url, given.folder, groups, choose, "-T", str(given.seconds))
            # Over the same rows: there are more of them than when the load began.
            shown = load.reads(service, given.folder, requests, CLIENTS, given.seconds)
            table.limit(where, name, rate, len(groups[0]), shown.rate)
        for name, make in supply.writes().items():
            groups = captured(url, service, make(held[name]))
            each = len(groups) // CLIENTS
            choose = f"\\set n :client_id * {each} + :k\n\\set k :k + 1\n"
            rate = limit_of(copy, given.folder, groups, choose, "-t", str(each), "-D", "k=0")
            table.limit(where, name, rate, len(groups[0]))
    finally:
        service.stop()
        psql(server, 'DROP DATABASE "limit";')
