"""Load on the service, by wrk, and what it shows."""

import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass

LUA = os.path.join(os.path.dirname(__file__), "load.lua")


@dataclass
class Shown:
    """What one run of load showed; times in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    worst: float
    errors: int
    refusal: str
    names: list


def sign_in(committee, username, password):
    """A request as bytes that signs an account in."""
    body = {"committee": committee, "username": username, "password": password}
    payload = json.dumps(body).encode()
    lines = [
        "POST /api/v1/auth/login HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def request(service, who, method, path, body=None):
    """A request as bytes. A write has a key of its own and takes the case as it is."""
    lines = [
        f"{method} /api/v1{path} HTTP/1.1",
        "Host: 127.0.0.1",
        *([f"Authorization: Bearer {service.token(who)}"] if who else []),
    ]
    payload = b""
    if method != "GET":
        payload = body.encode()
        lines += [
            "Content-Type: application/json",
            f"Content-Length: {len(payload)}",
            "If-Match: *",
            f"Idempotency-Key: {uuid.uuid4()}",
        ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


class Wrk:
    """wrk under way."""

    def __init__(self, service, folder, requests, clients, seconds, count=0, rate=0, names=False):
        self.count = count
        self.out = os.path.join(folder, f"names-{uuid.uuid4().hex}")
        path = os.path.join(folder, f"requests-{uuid.uuid4().hex}")
        with open(path, "wb") as file:
            for one in requests:
                file.write(b"%d\n%b" % (len(one), one))
        self.path = path
        self.names = names
        command = [
            "wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", LUA,
            f"http://127.0.0.1:{service.port}", "--", path, str(count), str(rate),
            self.out if names else "-",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )

    def shown(self):
        text, _ = self.process.communicate()
        os.remove(self.path)
        found, refusal, names = None, "", []
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "BENCH":
                found = [float(figure) for figure in rest.split()]
            elif word == "WORST":
                refusal = rest
        if found is None:
            raise SystemExit(f"bench: wrk failed:\n{text}")
        if self.names:
            with open(self.out) as file:
                names = [tuple(line.split()) for line in file]
            os.remove(self.out)
        count, seconds, p50, p95, p99, worst, errors = found
        return Shown(
            count / seconds, p50 / 1e3, p95 / 1e3, p99 / 1e3, worst / 1e3, int(errors), refusal, names
        )


def reads(service, folder, requests, clients, seconds):
    """The same reads again and again for some seconds."""
    return Wrk(service, folder, requests, clients, seconds).shown()


def writes(service, folder, requests, clients, names=False):
    """Each write once, but for those under way at the end: as many as there are clients."""
    count = len(requests) - clients
    run = Wrk(service, folder, requests, clients, 600, count=count, names=names)
    # It is done with the last answer, and would wait for the end of its time.
    used = time.monotonic()
    while run.process.poll() is None:
        time.sleep(0.05)
        with open(f"/proc/{run.process.pid}/stat") as stat:
            threads = int(stat.read().rsplit(")", 1)[1].split()[17])
        if threads == 1 and time.monotonic() - used > 0.5:
            run.process.send_signal(2)
            break
    return run.shown()
