"""A page far down a list against the first one."""

import re

import load

DEEP = 10_000  # the page that is asked for
MOST = 20  # cases on a page
CURSOR = re.compile(rb'"next_cursor":"([^"]+)"')


def deep(given, service, data):
    """The page that was reached, how many cases a page had, and the median times of the first page and of
    that one, in ms, for one client. Pages are as large as they can be for so many of them to exist."""
    size = max(1, min(MOST, data.visible() // DEEP))
    first = f"/proposals?limit={size}"
    path, number = first, 1
    while number < DEEP:
        status, body = service.ask("GET", "/api/v1" + path, token=service.token("staff"))
        if status != 200:
            raise SystemExit(f"bench: GET {path}: {status} {body[:300]}")
        cursor = CURSOR.search(body)
        if not cursor:
            break
        path, number = f"{first}&cursor={cursor[1].decode()}", number + 1
    times = {first: [], path: []}
    for _ in range(3):
        for one, seen in times.items():
            request = load.request(service, "staff", "GET", one)
            seen.append(load.reads(service, given.folder, [request], 1, 1))
    if any(run.errors for seen in times.values() for run in seen):
        raise SystemExit("bench: a page was refused")
    near, far = (sorted(run.p50 for run in seen)[1] for seen in times.values())
    return number, size, near, far
