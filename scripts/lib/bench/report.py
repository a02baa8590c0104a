"""The tables of a run, and pass or miss of each figure."""

import os
from statistics import median

import paced

# At 16 clients: the share of the limit that has to be reached.
READ_SHARE, WRITE_SHARE = 0.60, 0.65
# Nobody is faster than the statements alone: what was measured then was not the limit.
MOST_SHARE = 1.1
SIGN_INS = 15  # a second, for each processor: what docs/configuration.md promises
PLENARY_MS = 250
CASES_PER_SECOND = 250  # that a meeting assigns
WINDOWS_SECONDS = 30  # for 5,000 of them
WRITES = ("create", "submit", "file", "accept", "deliver", "feedback")
TRANSITIONS = ("file", "accept", "deliver", "feedback")


def cell(row):
    """What a run of load showed, in short."""
    if row is None:
        return ""
    errors = f"; {row['errors']} errors" if row["errors"] else ""
    times = " ".join(f"{row[name]:.1f}" for name in ("p50", "p95", "p99"))
    return f"{row['rate']:,.0f}; {times}; {row['statements']:.1f}; {row['memory']:.0f}{errors}"


class Report:
    def __init__(self):
        self.rows, self.limits, self.services, self.seeds = {}, {}, {}, []
        self.grouped = {}
        self.peaks = []

    def seeded(self, url, size, seconds):
        self.seeds.append((url.partition(":")[0], size, seconds))

    def started(self, where, seconds, idle, owing):
        self.services[where] = {"start": seconds, "idle": idle, "owing": owing}

    def ended(self, where, most):
        self.services[where]["most"] = most

    def add(self, where, name, clients, runs, statements, memory):
        row = {
            field: median(getattr(run, field) for run in runs)
            for field in ("rate", "p50", "p95", "p99")
        }
        row |= {
            "errors": sum(run.errors for run in runs),
            "statements": statements,
            "memory": memory,
            "refusal": next((run.refusal for run in runs if run.refusal), ""),
        }
        self.rows[where, name, clients] = row
        print(
            f"{where[0]:8} {where[1]:>8} {name:8} {clients:>4} clients: {row['rate']:>8.0f}/s, "
            f"p50 {row['p50']:.1f} p95 {row['p95']:.1f} p99 {row['p99']:.1f} ms, "
            f"{row['errors']} errors, {statements:.1f} statements, {memory:.0f} MiB {row['refusal']}",
            flush=True,
        )

    def timed(self, where, name, seconds, kind):
        """Requests that came at a constant rate."""
        times = [spent for _, spent in kind.times]
        row = {"rate": len(times) / seconds, "errors": kind.errors, "refusal": kind.refusal}
        row |= {f"p{share}": paced.percentile(times, share / 100) for share in (50, 95, 99)}
        row |= {"statements": None, "memory": None}
        self.rows[where, name, "paced"] = row
        print(
            f"{where[0]:8} {where[1]:>8} {name}: {row['rate']:.0f}/s, p50 {row['p50']:.1f} p95 {row['p95']:.1f} "
            f"p99 {row['p99']:.1f} ms, {row['errors']} errors {row['refusal']}",
            flush=True,
        )
        return row

    def figure(self, where, what, wanted, seen, passed):
        """A figure of its own."""
        self.peaks.append((f"{where[0]}, {where[1]}, {what}", wanted, seen, passed))
        print(f"{where[0]:8} {where[1]:>8} {what}: {seen}, wanted {wanted}", flush=True)

    def plenary(self, where, seconds, seen, wrong, memory):
        for name in sorted(seen):
            row = self.timed(where, f"plenary {name}", seconds, seen[name])
            p99 = row["p99"]
            what = f"plenary hour, {seconds} s, {name}: p99"
            self.figure(where, what, f"≤ {PLENARY_MS} ms", f"{p99:.0f} ms", p99 <= PLENARY_MS)
            self.figure(where, f"plenary hour, errors of {name}", "0", str(row["errors"]), row["errors"] == 0)
        self.numbers(where, "plenary hour, intake numbers", wrong)
        self.figure(where, "plenary hour: memory at most", "≤ 200 MiB", f"{memory:.0f} MiB", memory <= 200)

    def numbers(self, where, what, wrong):
        lost, doubled, missing = wrong
        seen = f"{lost} lost, {doubled} doubled, {missing} left out"
        self.figure(where, what, "none lost or doubled", seen, wrong == (0, 0, 0))

    def meeting(self, where, count, seconds, alone, beside, reads, wrong):
        self.timed(where, "reads beside a meeting", max(due for due, _ in reads.times) - reads.times[0][0], reads)
        most = count / CASES_PER_SECOND
        what = f"a meeting assigns {count} cases"
        self.figure(where, what, f"≤ {most:.1f} s", f"{seconds:.1f} s", seconds <= most)
        what, seen = f"{what}: p99 of reads beside it", f"{beside:.1f} ms, before {alone:.1f} ms"
        self.figure(where, what, "≤ 2 × before", f"{seen}: {beside / alone:.2f} ×", beside <= 2 * alone)
        self.numbers(where, "meeting, case numbers", wrong)

    def lapse_limit(self, count):
        return WINDOWS_SECONDS * count / 5000

    def lapsed(self, where, count, seconds, deemed):
        most = self.lapse_limit(count)
        what = f"{count} return windows lapse at one moment"
        seen = f"{seconds:.1f} s" if deemed == count else f"{deemed} of {count} after {seconds:.0f} s"
        self.figure(where, what, f"≤ {most:.1f} s", seen, seconds <= most and deemed == count)

    def deep(self, where, number, size, near, far):
        what = f"page {number} of a list, {size} cases each, against page 1"
        seen = f"{far / near:.2f} × ({far:.2f} ms, {near:.2f} ms)"
        self.figure(where, what, "≤ 1.5 × the median", seen, far <= 1.5 * near)

    def limit(self, where, name, rate, statements, reached=None):
        """What the statements alone reached, and the service at the same time, if that was measured again."""
        row = self.rows.get((where, name, 16))
        reached = reached or (row and row["rate"])
        self.limits[where, name] = (rate, reached / rate if reached else None)
        print(f"{where[0]:8} {where[1]:>8} {name:8} limit: {rate:.0f}/s, {statements} statements", flush=True)

    def together(self, where, name, rate):
        """The same on SQLite with 64 requests in one commit, as the service writes at best."""
        row = self.rows.get((where, name, 64))
        self.grouped[where, name] = (rate, row["rate"] / rate if row else None)
        print(f"{where[0]:8} {where[1]:>8} {name:8} limit, 64 in a commit: {rate:.0f}/s", flush=True)

    # ---- figures ----

    def figures(self):
        """(what, wanted, seen, passed) of each figure that this run can tell."""
        for (kind, size, seconds), rate in ((seed, seed[1] / seed[2] * 60) for seed in self.seeds):
            yield f"{kind}, seeding {size}", "≥ 20,000/min", f"{rate:,.0f}/min", rate >= 20_000
        for (name, size), service in self.services.items():
            what = f"{name}, {size} proposals"
            yield f"{what}: ready", "≤ 1 s", f"{service['start']:.2f} s", service["start"] <= 1
            idle = f"{service['idle']:.0f} MiB; {service['owing']:.0f} after all that a seeded database owes"
            yield f"{what}: memory idle", "≤ 60 MiB", idle, service["idle"] <= 60
            yield f"{what}: memory at most, under any load", "≤ 200 MiB", f"{service['most']:.0f} MiB", service["most"] <= 200
        for (where, name), (_, share) in self.limits.items():
            if share is not None and where[0] == "postgres":
                least = WRITE_SHARE if name in WRITES else READ_SHARE
                what = f"postgres, {where[1]}, {name}: share of pgbench"
                yield what, f"≥ {least:.2f}", f"{share:.2f}", least <= share <= MOST_SHARE
        for (where, name, clients), row in self.rows.items():
            if where[0] == "sqlite" and clients == 64 and name in TRANSITIONS:
                what = f"sqlite, {where[1]}, {name}, 64 clients"
                yield what, "≥ 4,000/s", f"{row['rate']:,.0f}/s", row["rate"] >= 4000
                yield f"{what}: p99", "≤ 60 ms", f"{row['p99']:.0f} ms", row["p99"] <= 60
            if where[0] == "sqlite" and clients == 64 and name == "detail":
                yield f"sqlite, {where[1]}, detail", "≥ 10,000/s", f"{row['rate']:,.0f}/s", row["rate"] >= 10_000
            if name == "sign-in" and clients == 16:
                least = SIGN_INS * os.cpu_count()
                yield f"{where[0]}, {where[1]}, sign-in", f"≥ {least}/s", f"{row['rate']:.0f}/s", row["rate"] >= least
            yield f"{where[0]}, {where[1]}, {name}, {clients} clients: errors", "0", str(row["errors"]), row[
                "errors"
            ] == 0
        yield from self.peaks
        yield from self.growth()

    def growth(self):
        """Every size against the smallest, in the median time at the fewest clients."""
        most = {"detail": 1.25, "list": 1.3, "desk": 1.3, **dict.fromkeys(TRANSITIONS, 1.25)}
        fewest = min((clients for *_, clients in self.rows if clients != "paced"), default=0)
        for (where, name, clients), row in self.rows.items():
            smallest = min(size for (kind, size), *_ in self.rows if kind == where[0])
            small = self.rows.get(((where[0], smallest), name, clients))
            if name in most and clients == fewest and small and where[1] > smallest:
                times = row["p50"] / small["p50"]
                what = f"{where[0]}, {name}, {clients} clients: median time at {where[1]} against {smallest}"
                yield what, f"≤ {most[name]} ×", f"{times:.2f} ×", times <= most[name]

    def lines(self):
        yield "| Database | Proposals | Operation | Clients | per s | p50 ms | p95 ms | p99 ms | Statements | Limit per s | Share |"
        yield "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        for (where, name, clients), row in self.rows.items():
            limits = {16: self.limits, 64: self.grouped}.get(clients, {})
            limit = limits.get((where, name), (None, None))
            shown = (
                "" if limit[0] is None else f"{limit[0]:,.0f}",
                "" if limit[1] is None else f"{limit[1]:.2f}",
            )
            statements = "" if row["statements"] is None else f"{row['statements']:.1f}"
            yield (
                f"| {where[0]} | {where[1]} | {name} | {clients} | {row['rate']:,.0f} | {row['p50']:.1f} | "
                f"{row['p95']:.1f} | {row['p99']:.1f} | {statements} | {shown[0]} | {shown[1]} |"
            )
        yield ""
        yield "| Figure | Wanted | Seen | |"
        yield "| --- | --- | --- | --- |"
        for what, wanted, seen, passed in self.figures():
            if not (passed and what.endswith("errors")):
                yield f"| {what} | {wanted} | {seen} | {'pass' if passed else 'miss'} |"

    def grid(self):
        """A table for each database and size: an operation in each row, a number of clients in each column."""
        for where in dict.fromkeys(place for place, *_ in self.rows):
            rows = {
                (name, clients): row
                for (place, name, clients), row in self.rows.items()
                if place == where and clients != "paced"
            }
            columns = list(dict.fromkeys(clients for _, clients in rows))
            yield f"{where[0]}, {where[1]:,} proposals: a second; p50, p95, p99 in ms; statements; MiB after it"
            yield ""
            yield "| Operation | " + " | ".join(f"{clients} clients" for clients in columns) + " |"
            yield "| --- |" + " --- |" * len(columns)
            for name in dict.fromkeys(name for name, _ in rows):
                cells = (cell(rows.get((name, clients))) for clients in columns)
                yield f"| {name} | " + " | ".join(cells) + " |"
            yield ""

    def write(self, path):
        with open(path, "w") as file:
            file.write("\n".join([*self.lines(), "", *self.grid()]) + "\n")

    def show(self):
        print("\n".join(self.lines()))

    def verdict(self):
        return all(passed for *_, passed in self.figures())
