"""The hours that matter: the plenary, the assignment meeting, and the day on which its windows lapse."""

import json
import re
import time
import uuid
from datetime import datetime, timedelta, timezone
from itertools import cycle

import cases
import load
import paced
from database import hexes

SUBMISSIONS = 200  # created and handed in, a second
READS = 500  # a second
MEMBERS = 64  # who hand in
AFTER = 1.0  # seconds from a draft to its submission
BATCH = 500  # cases that one request may assign or file
BESIDE = 200  # reads a second beside the meeting
PROPOSAL = re.compile(rb'"id":"prop_([0-9a-f]{32})"')
SERIAL = re.compile(rb'"serial_no":(\d+)')


# ---- the plenary hour ----


def posts(service, who, path, body):
    """Makes the bytes of a write that somebody sends again and again: its key is new each time."""
    made = load.request(service, who, "POST", path, body)
    key = re.search(rb"Idempotency-Key: ([0-9a-f-]{36})", made)
    before, after = made[: key.start(1)], made[key.end(1) :]
    return lambda: before + str(uuid.uuid4()).encode() + after


def submission(service, who):
    """A draft, and a second later it is handed in."""
    stand_in = "0" * 32
    submit = posts(service, who, f"/proposals/prop_{stand_in}/actions/submit", "{}")

    def receipt(body):
        return PROPOSAL.search(body)[1].decode(), int(SERIAL.search(body)[1])

    def then(body):
        name = PROPOSAL.search(body)[1]
        make = lambda: submit().replace(stand_in.encode(), name, 1)  # noqa: E731
        return AFTER, paced.Request("submit", make, keep=receipt)

    return paced.Request("create", posts(service, who, "/proposals", cases.draft(0)), then=then)


def mixed(supply):
    """Details, pages of lists, desks and timelines in turn, each as often."""
    reads = supply.reads()
    turns = [cycle(reads[name]) for name in ("detail", "list", "desk", "timeline")]

    def one(requests):
        request = next(requests)
        return paced.Request("read", lambda: request)

    return (one(turn) for turn in cycle(turns))


def plenary(service, supply, database, seconds):
    """What was seen of each kind, and what became of the numbers."""
    people = cycle([submission(service, f"member{n + 1}") for n in range(MEMBERS)])
    writing = list(zip(paced.every(seconds, SUBMISSIONS), people))
    reading = list(zip(paced.every(seconds, READS), mixed(supply)))
    before = database.serials()
    seen = paced.Paced(service.port, [writing, reading]).seen()
    submitted = seen.get("submit", paced.Kind()).kept
    return seen, numbers(before, database.serials(), submitted)


def numbers(before, after, acknowledged):
    """What is wrong with the numbers: (acknowledged and not there as it was acknowledged, numbers that two
    have, numbers that nobody has). `before` and `after`: (series, number) of each case that has one."""
    lost = sum(after.get(case, ("", 0))[1] != number for case, number in acknowledged)
    lost += len(acknowledged) - len(dict(acknowledged))
    given, since = {}, {}
    for series, number in before.values():
        since[series] = max(since.get(series, 0), number)
    for series, number in after.values():
        given.setdefault(series, []).append(number)
    doubled = sum(len(all_of) - len(set(all_of)) for all_of in given.values())
    missing = sum(
        len(set(range(since.get(series, 0) + 1, max(all_of) + 1)) - set(all_of))
        for series, all_of in given.items()
    )
    return lost, doubled, missing


# ---- the assignment meeting ----


def filed(supply, count):
    """So many cases with a case number, filed by a meeting's list."""
    service = supply.service
    ids = supply.drafts(count + count // 16 + 32)
    ids = [name[0] for name in supply.all_of(supply.submit(ids), "submit")]
    for who in ("examiner1", "examiner2"):
        ids = [name[0] for name in supply.all_of(supply.examine(who, ids), "examine")]
    ids = ids[:count]
    meeting = {"name": "提案审查委员会全体会议", "date": cases.TODAY}
    for part in parts(ids):
        items = [{"proposal_id": one} for one in part]
        batch(service, "chair", "/filing-batches", {"meeting": meeting, "items": items})
    return ids


def parts(ids):
    return [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]


def batch(service, who, path, body):
    """A list on which every act must happen."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    status, answer = service.ask("POST", "/api/v1" + path, body, service.token(who), headers)
    if status != 200 or json.loads(answer)["failed"]:
        raise SystemExit(f"bench: {path}: {status} {answer[:500]}")


def meeting(service, supply, database, ids, quiet):
    """Seconds that the list took, the p99 of reads before and meanwhile in ms, their errors, and what became
    of the case numbers. As a meeting would: one list after the other, each as long as a request may be."""
    meanwhile = 120
    reading = list(zip(paced.every(quiet + meanwhile, BESIDE), mixed(supply)))
    service.token("officer.gov")
    before = database.case_numbers()
    load_beside = paced.Paced(service.port, [reading])
    time.sleep(max(0, load_beside.start + quiet - time.monotonic()))
    begun = time.monotonic()
    for part in parts(ids):
        rows = [{"unit_id": supply.unit, "role": "lead"}]
        items = [{"proposal_id": one, "handling_kind": "sole", "rows": rows} for one in part]
        order = {
            "meeting": {"name": "提案交办会", "date": cases.TODAY},
            "opinion": "请于三个月内答复提案者。",
            "items": items,
        }
        batch(service, "officer.gov", "/assignment-batches", order)
    ended = time.monotonic()
    load_beside.stop()
    reads = load_beside.seen()["read"]
    # The first second of a load opens connections.
    alone = paced.percentile(reads.between(load_beside.start + 1, begun), 0.99)
    beside = paced.percentile(reads.between(begun, ended), 0.99)
    wrong = numbers(before, database.case_numbers(), [])
    return ended - begun, alone, beside, reads, wrong


# ---- the windows lapse ----


def lapse(database, ids, most):
    """Seconds from the moment at which the windows of these cases lapse until the last row is deemed accepted.

    A window ends with a working day, so none ends while a benchmark waits: the moment of these clocks is
    written nearer behind the service's back, in the database that was made for this. What follows is the
    service's own work."""
    moment = datetime.now(timezone.utc) + timedelta(seconds=3)
    ids = hexes(ids)
    moved = database.bring_forward(ids, moment)
    if moved != len(ids):
        raise SystemExit(f"bench: of {len(ids)} windows {moved} could be moved")
    until = moment + timedelta(seconds=most)
    while database.pending(ids):
        if datetime.now(timezone.utc) > until:
            break
        time.sleep(0.2)
    spent = (datetime.now(timezone.utc) - moment).total_seconds()
    return spent, database.deemed(ids)
