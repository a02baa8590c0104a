"""Load at a constant rate: each request has a moment at which it is due, and its time counts from that
moment, whether or not a connection was free then. So a service that stands still for a second is seen to be
late with all that was due in that second, and not with one request for each connection (wrk waits for an
answer before it asks again, and could not tell).

Every line of requests is a process of its own, so that one does not make the other late.
"""

import asyncio
import gc
import multiprocessing
import re
import time
from collections import deque
from dataclasses import dataclass, field

CONNECTIONS = 64  # at most, of one line
PATIENCE = 30  # seconds that an answer may take
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


@dataclass
class Kind:
    """What was seen of the requests of one kind: (when it was due, its time) in seconds, and what was
    kept of each answer."""

    times: list = field(default_factory=list)
    kept: list = field(default_factory=list)
    errors: int = 0
    refusal: str = ""

    def between(self, since, until):
        """Those that were due then."""
        return [spent for due, spent in self.times if since <= due < until]


def percentile(times, share):
    """In milliseconds."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


@dataclass
class Request:
    """One request: `make` gives its bytes when it is sent, `keep` what is wanted of the answer, and
    `then` another request that needs the answer, due so many seconds after this one."""

    name: str
    make: object
    keep: object = None
    then: object = None


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, line):
        self.line, self.job, self.got, self.used = line, None, b"", False
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def send(self, job):
        self.job, self.got = job, b""
        self.transport.write(job.bytes)

    def data_received(self, data):
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        if end < 0 or self.job is None:
            return
        length = LENGTH.search(self.got, 0, end)
        if length is None or len(self.got) < end + 4 + int(length[1]):
            return
        job, self.job, self.used = self.job, None, True
        self.line.answered(self, job, int(self.got[9:12]), self.got[end + 4 :])

    def connection_lost(self, _):
        self.line.lost(self)


class Job:
    """A request on its way."""

    __slots__ = ("request", "due", "bytes", "tried")

    def __init__(self, request, due):
        self.request, self.due, self.bytes, self.tried = request, due, None, 0


class Line:
    """The requests of one process."""

    def __init__(self, port, plan, stopped):
        self.port, self.plan, self.stopped = port, plan, stopped
        self.idle, self.waiting, self.opened = [], deque(), 0
        self.under_way, self.seen = 0, {}
        self.planned = True
        self.done = asyncio.Event()

    async def run(self, start):
        self.loop = asyncio.get_running_loop()
        for due, request in self.plan:
            wait = start + due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if self.stopped.is_set():
                break
            self.begin(Job(request, start + due))
        self.planned = False
        if self.under_way:
            try:
                await asyncio.wait_for(self.done.wait(), PATIENCE)
            except asyncio.TimeoutError:
                self.of("unanswered").errors += self.under_way
        return self.seen

    def of(self, name):
        return self.seen.setdefault(name, Kind())

    def begin(self, job):
        self.under_way += 1
        self.waiting.append(job)
        self.next()

    def next(self):
        while self.waiting and self.idle:
            connection = self.idle.pop()
            if connection.transport.is_closing():
                continue
            job = self.waiting.popleft()
            job.bytes = job.bytes or job.request.make()
            job.tried += 1
            connection.send(job)
        wanted = min(len(self.waiting), CONNECTIONS) - (self.opening if self.waiting else 0)
        while wanted > 0 and self.opened < CONNECTIONS:
            wanted -= 1
            self.opened += 1
            self.opening += 1
            self.loop.create_task(self.open())

    opening = 0

    async def open(self):
        try:
            _, connection = await self.loop.create_connection(
                lambda: Connection(self), "127.0.0.1", self.port
            )
            self.idle.append(connection)
        except OSError:
            self.opened -= 1
            await asyncio.sleep(0.01)
        finally:
            self.opening -= 1
        self.next()

    def answered(self, connection, job, status, body):
        now = time.monotonic()
        kind = self.of(job.request.name)
        kind.times.append((job.due, now - job.due))
        if status >= 300:
            kind.errors += 1
            kind.refusal = f"{status} {body[:300].decode(errors='replace')}"
        elif job.request.keep:
            kind.kept.append(job.request.keep(body))
        self.idle.append(connection)
        if status < 300 and job.request.then:
            after, request = job.request.then(body)
            due = job.due + after
            self.under_way += 1
            self.loop.call_later(max(0, due - now), self.follow, Job(request, due))
        self.ended()

    def follow(self, job):
        self.waiting.append(job)
        self.next()

    def ended(self):
        self.under_way -= 1
        if not self.under_way and not self.planned:
            self.done.set()
        self.next()

    def lost(self, connection):
        self.opened -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        job, connection.job = connection.job, None
        if job is None:
            return
        # A connection that the service closed just when it was used again. A write has a key.
        if job.tried == 1 and connection.used and not connection.got:
            self.waiting.appendleft(job)
            self.next()
            return
        kind = self.of(job.request.name)
        kind.errors += 1
        kind.refusal = "no answer"
        self.ended()


def _work(port, plan, start, stopped, pipe):
    # The heap of the parent is left alone: looking through it would make requests late.
    gc.disable()
    pipe.send(asyncio.run(Line(port, plan, stopped).run(start)))
    pipe.close()


class Paced:
    """Lines of requests under way; each is a list of (seconds after the start, request)."""

    def __init__(self, port, lines):
        context = multiprocessing.get_context("fork")
        self.stopped = context.Event()
        self.start = time.monotonic() + 0.5
        self.parts = []
        for plan in lines:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(port, plan, self.start, self.stopped, theirs), daemon=True
            )
            process.start()
            theirs.close()
            self.parts.append((process, ours))

    def stop(self):
        """What is due from now on is not sent."""
        self.stopped.set()

    def seen(self):
        """What was seen of each kind, when all is over."""
        kinds = {}
        for process, pipe in self.parts:
            try:
                kinds |= pipe.recv()
            except EOFError:
                raise SystemExit("bench: a process that makes load has died") from None
            process.join()
        return kinds


def every(seconds, rate):
    """The moments of a constant rate."""
    return (place / rate for place in range(int(seconds * rate)))
