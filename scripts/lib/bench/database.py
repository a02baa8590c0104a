"""What the benchmark looks up in the database itself, and the one thing that it changes there."""

import sqlite3
import subprocess
from datetime import datetime, timedelta, timezone

from service import COMMITTEE

SERIALS = """
SELECT {id}, {session}, serial_no FROM proposals
WHERE serial_no IS NOT NULL AND committee_id = (SELECT id FROM committees WHERE code = '{code}')
"""
CASES = """
SELECT {id}, {session} || ' ' || case_series, case_no FROM proposals
WHERE case_no IS NOT NULL AND committee_id = (SELECT id FROM committees WHERE code = '{code}')
"""
ACCOUNTS = """
SELECT c.code, u.username FROM users u JOIN committees c ON c.id = u.committee_id
WHERE u.username LIKE 'member%' ORDER BY u.username, c.code
"""
VISIBLE = """
SELECT count(*) FROM proposals
WHERE serial_no IS NOT NULL AND committee_id = (SELECT id FROM committees WHERE code = '{code}')
"""
WAITING = """
SELECT (SELECT count(*) FROM jobs WHERE kind = 'wake_case' AND dead_at IS NULL)
+ (SELECT count(*) FROM clocks WHERE woken = {false} AND wake_at <= '{now}')
"""
ROWS = """
SELECT count(*) FROM assignments
WHERE committee_id = (SELECT id FROM committees WHERE code = '{code}') AND {which} AND proposal_id IN ({ids})
"""
# The window of a row that waits, as if it had been this short: docs/performance.md says why.
FORWARD = """
UPDATE clocks SET due_at = '{due}', wake_at = '{wake}'
WHERE committee_id = (SELECT id FROM committees WHERE code = '{code}')
AND kind = 'K05' AND stopped_at IS NULL AND woken = {false} AND proposal_id IN ({ids})
"""


def hexes(ids):
    """Identifiers without what kind they are."""
    return [one.partition("_")[2] for one in ids]


def written(moment):
    """As both databases read it and SQLite keeps it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Database:
    """Either of them."""

    def serials(self):
        """(series, intake number) of each case that has one."""
        return {row[0]: (row[1], int(row[2])) for row in self.rows(self.text(SERIALS))}

    def case_numbers(self):
        """(series, case number) of each case that has one."""
        return {row[0]: (row[1], int(row[2])) for row in self.rows(self.text(CASES))}

    def accounts(self):
        """(committee, sign-in name) of every member."""
        return self.rows(ACCOUNTS)

    def waiting(self):
        """Cases of which the service has yet to see what time has done to them."""
        return int(self.rows(self.text(WAITING, now=written(datetime.now(timezone.utc))))[0][0])

    def visible(self):
        """Cases that the committee's staff see."""
        return int(self.rows(self.text(VISIBLE))[0][0])

    def pending(self, ids):
        """Rows that wait to be accepted."""
        return self.count(ids, "status = 'pending'")

    def deemed(self, ids):
        """Rows that count as accepted because nobody asked to be rid of them."""
        return self.count(ids, f"status = 'accepted' AND deemed = {self.true}")

    def count(self, ids, which):
        return int(self.rows(self.text(ROWS, ids, which=which))[0][0])

    def bring_forward(self, ids, moment):
        """Lets the windows of these cases end at this moment; gives how many there were."""
        after = moment + timedelta(microseconds=1)
        return self.change(self.text(FORWARD, ids, due=written(moment), wake=written(after)))

    def text(self, template, ids=(), **more):
        ids = ", ".join(self.literal(one) for one in ids)
        return template.format(
            id=self.hex("id"), session=self.hex("session_id"), code=COMMITTEE, ids=ids, false=self.false, **more
        )

    def begin_anew(self):
        """As the limit is measured: it begins after a checkpoint."""


class Sqlite(Database):
    true, false = "1", "0"

    def __init__(self, url):
        self.path = url.partition(":")[2]

    def hex(self, column):
        return f"lower(hex({column}))"

    def literal(self, one):
        return f"x'{one}'"

    def connected(self):
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        # The log is the service's to bring in.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def rows(self, sql):
        connection = self.connected()
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def change(self, sql):
        connection = self.connected()
        try:
            return connection.execute(sql).rowcount
        finally:
            connection.close()


class Postgres(Database):
    true, false = "TRUE", "FALSE"

    def __init__(self, url):
        self.url = url

    def hex(self, column):
        return f"replace({column}::text, '-', '')"

    def literal(self, one):
        return f"'{one}'"

    def asked(self, sql, *options):
        command = ["psql", "-AX", "-F", "\t", "-v", "ON_ERROR_STOP=1", *options, self.url]
        done = subprocess.run(command, input=sql + ";", stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.splitlines()

    def rows(self, sql):
        return [line.split("\t") for line in self.asked(sql, "-qt")]

    def change(self, sql):
        return int(self.asked(sql)[-1].split()[-1])

    def begin_anew(self):
        # The first change of a page after one costs the whole page in the log.
        self.asked("CHECKPOINT")


def of(url):
    return Sqlite(url) if url.startswith("sqlite:") else Postgres(url)
