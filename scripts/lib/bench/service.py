"""The service under load: started, asked, looked at, stopped."""

import http.client
import json
import os
import re
import socket
import subprocess
import time

PASSWORD = "yunchuan-demo-2026"  # of every account that `jianjian seed` makes
COMMITTEE = "seed-0000"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Service:
    """A server process over one database."""

    def __init__(self, program, url, folder, jobs=True, settings=None):
        self.port = free_port()
        self.log = open(os.path.join(folder, "service.log"), "ab")
        settings = {
            **(settings or {}),
            "DATABASE_URL": url,
            "STORAGE_URL": os.path.join(folder, "files"),
            "JIANJIAN_SERVER__BIND": f"127.0.0.1:{self.port}",
            "JIANJIAN_JOBS__IN_SERVER": "true" if jobs else "false",
            "JIANJIAN_LOG__LEVEL": "warn",
            # One machine asks for all of a committee here.
            **{f"JIANJIAN_LIMITS__{name}": "0" for name in ("READS", "WRITES", "HEAVY", "OPEN", "PROBES")},
        }
        # As the container image sets it.
        image = {"MIMALLOC_PURGE_DELAY": "0", "MIMALLOC_ALLOW_THP": "0"}
        started = time.monotonic()
        self.process = subprocess.Popen(
            [program, "serve"], env={**image, **os.environ, **settings}, stdout=self.log, stderr=self.log
        )
        self.tokens = {}
        self.connection = None
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - started > 120:
                raise SystemExit(f"bench: the service did not start; see {self.log.name}")
            time.sleep(0.005)
        self.start_seconds = time.monotonic() - started

    def is_ready(self):
        try:
            return self.ask("GET", "/health/ready")[0] == 200
        except OSError:
            self.connection = None
            return False

    def ask(self, method, path, body=None, token=None, headers=None):
        """One request; status and body."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self.send(method, path, payload, sent)

    def raw(self, method, path, authorization, headers, body):
        """A request that was made before, as it is."""
        if authorization:
            headers = {**headers, "Authorization": authorization}
        return self.send(method, path, body or None, headers)

    def send(self, method, path, payload, headers):
        """Over a connection that is kept, or a new one where the service has closed it."""
        for fresh in (self.connection is None, True):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.connection.request(method, path, payload, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError) as error:
                self.connection = None
                if fresh:
                    raise OSError("no answer") from error
        raise OSError("no answer")

    def get(self, who, path):
        status, body = self.ask("GET", "/api/v1" + path, token=self.token(who))
        if status != 200:
            raise SystemExit(f"bench: GET {path} as {who}: {status} {body[:300]}")
        return json.loads(body)

    def token(self, who):
        """An access token; a new one when the present one is half through its ten minutes."""
        known = self.tokens.get(who)
        if known is None or time.monotonic() - known[1] > 300:
            status, body = self.ask(
                "POST",
                "/api/v1/auth/login",
                {"committee": COMMITTEE, "username": who, "password": PASSWORD},
            )
            if status != 200:
                raise SystemExit(f"bench: {who} cannot sign in: {status} {body[:300]}")
            known = self.tokens[who] = (json.loads(body)["access_token"], time.monotonic())
        return known[0]

    def statements(self):
        text = self.ask("GET", "/metrics")[1].decode()
        return float(re.search(r"^jianjian_\w*statements\w* (\S+)$", text, re.M).group(1))

    def forget_peak(self):
        """The most memory so far is what it has now."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as refs:
            refs.write("5")

    def memory(self, name="VmRSS"):
        """Resident memory in MiB, now or (`VmHWM`) at most so far."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"{name}:\s+(\d+)", status.read()).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
