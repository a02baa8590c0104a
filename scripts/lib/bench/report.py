"""The tables of a run, and pass or miss of each figure."""

from statistics import median

# Of PostgreSQL at 16 clients: the share of the limit that has to be reached.
READ_SHARE, WRITE_SHARE = 0.60, 0.65
# Nobody is faster than the statements alone: what was measured then was not the limit.
MOST_SHARE = 1.1
WRITES = ("create", "submit", "file", "accept", "deliver", "feedback")
TRANSITIONS = ("file", "accept", "deliver", "feedback")


class Report:
    def __init__(self):
        self.rows, self.limits, self.services, self.seeds = {}, {}, {}, []

    def seeded(self, url, size, seconds):
        self.seeds.append((url.partition(":")[0], size, seconds))

    def started(self, where, seconds, idle):
        self.services[where] = {"start": seconds, "idle": idle}

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

    def limit(self, where, name, rate, statements, reached=None):
        """What pgbench reached, and the service at the same time, if that was measured again."""
        row = self.rows.get((where, name, 16))
        reached = reached or (row and row["rate"])
        self.limits[where, name] = (rate, reached / rate if reached else None)
        print(f"{where[0]:8} {where[1]:>8} {name:8} limit: {rate:.0f}/s, {statements} statements", flush=True)

    # ---- figures ----

    def figures(self):
        """(what, wanted, seen, passed) of each figure that this run can tell."""
        for (kind, size, seconds), rate in ((seed, seed[1] / seed[2] * 60) for seed in self.seeds):
            yield f"{kind}, seeding {size}", "≥ 20,000/min", f"{rate:,.0f}/min", rate >= 20_000
        for (name, size), service in self.services.items():
            what = f"{name}, {size} proposals"
            yield f"{what}: ready", "≤ 1 s", f"{service['start']:.2f} s", service["start"] <= 1
            yield f"{what}: memory idle", "≤ 60 MiB", f"{service['idle']:.0f} MiB", service["idle"] <= 60
            yield f"{what}: memory at most", "≤ 200 MiB", f"{service['most']:.0f} MiB", service["most"] <= 200
        for (where, name), (_, share) in self.limits.items():
            if share is not None:
                least = WRITE_SHARE if name in WRITES else READ_SHARE
                yield f"postgres, {name}: share of pgbench", f"≥ {least:.2f}", f"{share:.2f}", least <= share <= MOST_SHARE
        for (where, name, clients), row in self.rows.items():
            if where[0] == "sqlite" and clients == 64 and name in TRANSITIONS:
                what = f"sqlite, {where[1]}, {name}, 64 clients"
                yield what, "≥ 4,000/s", f"{row['rate']:,.0f}/s", row["rate"] >= 4000
                yield f"{what}: p99", "≤ 60 ms", f"{row['p99']:.0f} ms", row["p99"] <= 60
            if where[0] == "sqlite" and clients == 64 and name == "detail":
                yield f"sqlite, {where[1]}, detail", "≥ 10,000/s", f"{row['rate']:,.0f}/s", row["rate"] >= 10_000
            yield f"{where[0]}, {where[1]}, {name}, {clients} clients: errors", "0", str(row["errors"]), row[
                "errors"
            ] == 0
        yield from self.growth()

    def growth(self):
        """A million against ten thousand, in the median time of one client."""
        most = {"detail": 1.25, "list": 1.3, "desk": 1.3, **dict.fromkeys(TRANSITIONS, 1.25)}
        for (where, name, clients), row in self.rows.items():
            small = self.rows.get(((where[0], 10_000), name, clients))
            if name in most and clients == 16 and small and where[1] > 10_000:
                times = row["p50"] / small["p50"]
                what = f"{where[0]}, {name}: {where[1]} against 10000"
                yield what, f"≤ {most[name]} ×", f"{times:.2f} ×", times <= most[name]

    def lines(self):
        yield "| Database | Proposals | Operation | Clients | per s | p50 ms | p95 ms | p99 ms | Statements | Limit per s | Share |"
        yield "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        for (where, name, clients), row in self.rows.items():
            limit = self.limits.get((where, name)) if clients == 16 else None
            shown = (f"{limit[0]:,.0f}", f"{limit[1]:.2f}") if limit else ("", "")
            yield (
                f"| {where[0]} | {where[1]} | {name} | {clients} | {row['rate']:,.0f} | {row['p50']:.1f} | "
                f"{row['p95']:.1f} | {row['p99']:.1f} | {row['statements']:.1f} | {shown[0]} | {shown[1]} |"
            )
        yield ""
        yield "| Figure | Wanted | Seen | |"
        yield "| --- | --- | --- | --- |"
        for what, wanted, seen, passed in self.figures():
            if not (passed and what.endswith("errors")):
                yield f"| {what} | {wanted} | {seen} | {'pass' if passed else 'miss'} |"

    def write(self, path):
        with open(path, "w") as file:
            file.write("\n".join(self.lines()) + "\n")
        print("\n".join(self.lines()))

    def verdict(self):
        return all(passed for *_, passed in self.figures())
