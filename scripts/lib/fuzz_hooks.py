"""What schemathesis has to know of the service beside its document: who may call what, and which
identifiers name something. `scripts/fuzz` says where the service is (JIANJIAN_FUZZ_HOST)."""

import collections
import hashlib
import json
import os
import re
import threading

import schemathesis

with open(os.environ["JIANJIAN_FUZZ_HOST"], encoding="utf-8") as host_file:
    HOST = json.load(host_file)

# Refusals of well-formed requests that the schema of a body or a parameter cannot tell: each is a
# stable code of docs/errors.md, documented for the operation, and none of them says that the form
# of the request is wrong.
SEMANTIC = {
    "forbidden",
    "password-change-required",
    "bad-credentials",
    "invalid-input",
    "invalid-cursor",
    "idempotency-key-reused",
    "content-removed",
    "too-many-streams",
}

# Operations open to everybody who is signed in, by the part of the path that tells whose they are.
USUAL = [
    ("/assignments", "unit_clerk"),
    ("/replies", "unit_clerk"),
    ("/proposals", "member"),
    ("/attachments", "member"),
    ("", "auditor"),
]
# Whoever signs out is nobody afterwards.
LEAVING = {"logout", "change_password"}
STRANGERS = [
    "member",
    "committee_staff",
    "committee_chair",
    "assigning_officer",
    "unit_clerk",
    "unit_signatory",
    "supervision_officer",
    "administrator",
    "auditor",
]

IDENTIFIER = re.compile(r"^([a-z]{4})_[0-9a-f]{32}$")
KNOWN = collections.defaultdict(list)
for ids in HOST["ids"].values():
    for one in ids:
        if found := IDENTIFIER.match(one):
            KNOWN[found.group(1)].append(one)
# Identifiers begin with the moment at which they were made: those of the service are left alone.
MADE = {one[5:11] for ids in KNOWN.values() for one in ids}


def draw(*parts):
    """A number that depends on nothing but the request, so that a run can be repeated."""
    text = json.dumps(parts, default=str, sort_keys=True, ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def name_of(operation):
    return operation.definition.raw.get("operationId", "")


@schemathesis.auth(refresh_interval=None)
class SomebodyInARole:
    """Three in four requests come from somebody who may, the fourth from anybody."""

    def get(self, case, context):
        name = name_of(case.operation)
        if name in LEAVING:
            return HOST["tokens"]["leaving"]
        known = HOST["operations"].get(name, {})
        roles = case.operation.definition.raw.get("x-roles", [])
        number = draw(name, case.path_parameters, case.query, repr(case.body)[:2000])
        if number % 4 == 0:
            role = STRANGERS[number // 4 % len(STRANGERS)]
        elif known.get("caller"):
            role = known["caller"]
        elif roles:
            role = roles[number // 4 % len(roles)]
        else:
            path = case.operation.path
            role = next(role for part, role in USUAL if part in path)
        return HOST["tokens"][role]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


def real(value, best=None):
    """Well-formed identifiers that name nothing become ones that do, seven times in eight."""
    if isinstance(value, str):
        found = IDENTIFIER.match(value)
        if not found or value[5:11] in MADE or not KNOWN[found.group(1)]:
            return value
        number = draw(value)
        if number % 8 == 0:
            return value
        if best and number % 2 == 0:
            return best
        return KNOWN[found.group(1)][number // 8 % len(KNOWN[found.group(1)])]
    if isinstance(value, dict):
        return {name: real(one) for name, one in value.items()}
    if isinstance(value, list):
        return [real(one) for one in value]
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    known = HOST["operations"].get(name_of(case.operation), {})
    parameters = case.path_parameters
    for name, value in (parameters or {}).items():
        parameters[name] = real(value, known.get("id"))
    for name, value in (case.query or {}).items():
        case.query[name] = real(value)
    case.body = real(case.body)
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if positive and case.operation.method.upper() != "GET" and "If-Match" in {
        one.name for one in case.operation.headers
    }:
        if draw(case.path_parameters, repr(case.body)[:2000]) % 4:
            case.headers["If-Match"] = "*"


SEEN = collections.defaultdict(collections.Counter)
LOCK = threading.Lock()


@schemathesis.hook
def after_call(context, case, response):
    with LOCK:
        SEEN[name_of(case.operation)][response.status_code] += 1


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ in ("RejectedPositiveData", "AcceptedNegativeData"):
        try:
            code = response.json().get("code")
        except ValueError:
            return True
        return code not in SEMANTIC
    return True
