"""The benchmark: see scripts/bench."""

import argparse
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

import cases
import database
import limit
import load
import pages
import peaks
import rawloop
import report
from service import PASSWORD, Service


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repetition, one number of clients, 10 k")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--proposals", default="10000,1000000", help="sizes, with commas")
    parser.add_argument("--clients", default="1,16,64,256", help="with commas")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6, help="of each run of reads")
    parser.add_argument("--writes", type=int, default=3000, help="requests of each run of writes")
    parser.add_argument("--plenary", type=int, default=300, help="seconds of the plenary hour; 0: none")
    parser.add_argument("--meeting", type=int, default=5000, help="cases that it assigns; 0: none")
    parser.add_argument("--program", required=True)
    parser.add_argument("--listening", default="", help="the same, built to write down its statements")
    parser.add_argument("--out", default="target/bench", help="where databases and tables are kept")
    given = parser.parse_args()
    if given.quick:
        given.proposals, given.repeat = "10000", 1
        given.seconds, given.writes = 3, 1200
        given.plenary, given.meeting = 20, 500
    given.proposals = [int(one) for one in given.proposals.split(",")]
    given.clients = [int(one) for one in given.clients.split(",")]
    return given


# What the figures are about.
QUICK_CLIENTS = {"sqlite": [64], "postgres": [16]}
# From here on a database is used where it was made, and its limit is not measured: there is no room for copies.
LARGE = 100_000


def seeded(given, name, size):
    """The address of a database with so many proposals, made once for SQLite and kept."""
    if name == "postgres":
        url = limit.create_database(os.environ["BENCH_POSTGRES"], f"bench_{size}")
        seed(given, url, size)
        return url
    kept = os.path.join(given.out, f"seeded-{size}.db")
    if not os.path.exists(kept):
        making = kept + ".making"
        for end in ("", "-wal", "-shm"):
            if os.path.exists(making + end):
                os.remove(making + end)
        seed(given, f"sqlite:{making}", size)
        # What stands in the log of the file comes into the file.
        with sqlite3.connect(making) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.close()
        os.rename(making, kept)
    if size >= LARGE:
        return f"sqlite:{kept}"
    copy = os.path.join(given.folder, f"bench-{size}.db")
    shutil.copyfile(kept, copy)
    # Or the first commits wait for the disk to take the copy.
    os.sync()
    return f"sqlite:{copy}"


def seed(given, url, size):
    print(f"seeding {size} proposals", flush=True)
    started = time.monotonic()
    subprocess.run(
        [given.program, "--log-level", "warn", "seed", "--proposals", str(size)],
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    given.report.seeded(url, size, time.monotonic() - started)


def measured(given, service, data, where, table):
    """Every read and every write, at every number of clients."""
    supply = cases.Supply(service, given.folder)
    total = given.writes * given.repeat * len(given.clients)
    extra = sum(given.clients) * given.repeat
    print("preparing cases", flush=True)
    held = supply.prepare(total + extra)
    held["create"] = list(range(total + extra))
    for clients in given.clients:
        # Tokens end.
        service.tokens.clear()
        for name, requests in supply.reads().items():
            repeated(given, service, where, table, name, clients, requests, given.seconds)
        for name, make in supply.writes().items():
            runs, before, count = [], service.statements(), 0
            for _ in range(given.repeat):
                size = given.writes + clients
                some, held[name] = held[name][:size], held[name][size:]
                data.begin_anew()
                runs.append(load.writes(service, given.folder, make(some), clients))
                count += len(some)
            spent = service.statements() - before
            table.add(where, name, clients, runs, spent / count, service.memory())
    return supply


def repeated(given, service, where, table, name, clients, requests, seconds):
    """The same requests again and again for some seconds."""
    before = service.statements()
    runs = [load.reads(service, given.folder, requests, clients, seconds) for _ in range(given.repeat)]
    spent = service.statements() - before
    count = sum(run.rate for run in runs) * seconds
    table.add(where, name, clients, runs, spent / count, service.memory())


def sign_ins(given, service, where, table, accounts):
    """Passwords offered for every account in turn; nobody is refused, so nobody is slowed down."""
    requests = [load.sign_in(committee, username, PASSWORD) for committee, username in accounts]
    for clients in given.clients:
        # Of more at once most are told to come back: scripts/storm.
        if clients > 64:
            continue
        # They are few in a second.
        seconds = max(given.seconds, 6)
        repeated(given, service, where, table, "sign-in", clients, requests, seconds)


def peak_hours(given, service, supply, data, where, table):
    """The plenary hour, the assignment meeting, and its windows."""
    if given.plenary:
        print("the plenary hour", flush=True)
        service.tokens.clear()
        service.forget_peak()
        seen, wrong = peaks.plenary(service, supply, data, given.plenary)
        table.plenary(where, given.plenary, seen, wrong, service.memory("VmHWM"))
    if given.meeting:
        print("preparing an assignment meeting", flush=True)
        service.tokens.clear()
        ids = peaks.filed(supply, given.meeting)
        service.tokens.clear()
        quiet = 5 if given.quick else 15
        table.meeting(where, len(ids), *peaks.meeting(service, supply, data, ids, quiet))
        table.lapsed(where, len(ids), *peaks.lapse(data, ids, 4 * table.lapse_limit(len(ids)) + 30))


def main():
    given = arguments()
    os.makedirs(given.out, exist_ok=True)
    given.report = table = report.Report()
    names = ["sqlite", "postgres"] if given.database == "both" else [given.database]
    with tempfile.TemporaryDirectory(dir=given.out) as given.folder:
        for size in given.proposals:
            for name in names:
                one(given, name, size, table)
                table.write(os.path.join(given.out, "table.md"))
    table.show()
    raise SystemExit(0 if table.verdict() else 1)


def settled(data, size):
    """A database that was kept for some time owes what time has done since; that is not the load's."""
    for _ in range(600 + size // 500):
        if not data.waiting():
            return
        time.sleep(1)


def one(given, name, size, table):
    where = (name, size)
    if given.quick:
        given.clients = QUICK_CLIENTS[name]
    url = seeded(given, name, size)
    data = database.of(url)
    # What was just seeded owes seals and sweeps. What a service takes that has nothing to do is seen when it
    # was started again.
    service = Service(given.program, url, given.folder)
    time.sleep(2)
    settled(data, size)
    owing = service.memory()
    service.stop()
    service = Service(given.program, url, given.folder)
    time.sleep(2)
    table.started(where, service.start_seconds, service.memory(), owing)
    try:
        supply = measured(given, service, data, where, table)
        table.ended(where, service.memory("VmHWM"))
        sign_ins(given, service, where, table, data.accounts())
        table.deep(where, *pages.deep(given, service, data))
        # The hours that matter are those of the largest.
        if size == max(given.proposals):
            peak_hours(given, service, supply, data, where, table)
    finally:
        service.stop()
    if size < LARGE:
        replay = limit.replay if name == "postgres" else rawloop.replay
        replay(given, url, where, table)


if __name__ == "__main__":
    main()
