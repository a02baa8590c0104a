"""What schemathesis has to know of the service beside its document: who may call what, which
identifiers name something, and how to try an act again and again. `scripts/fuzz` says where the
service is (JIANJIAN_FUZZ_HOST) and where the tally of the run goes (JIANJIAN_FUZZ_TALLY)."""

import atexit
import collections
import hashlib
import json
import os
import re

import schemathesis
from schemathesis.generation.meta import TestPhase

with open(os.environ["JIANJIAN_FUZZ_HOST"], encoding="utf-8") as host_file:
    HOST = json.load(host_file)
ROLE_OF = {token: role for role, token in HOST["tokens"].items()}

# Refusals of well-formed requests that the schema of a body or a parameter cannot tell: each is a
# stable code of docs/errors.md, documented for the operation, and none of them says that the form
# of the request is wrong.
SEMANTIC = {
    "bad-credentials",
    "challenge-refused",
    "content-removed",
    "forbidden",
    "idempotency-key-reused",
    "invalid-cursor",
    "invalid-input",
    "password-change-required",
    "provider-unavailable",
    "refresh-refused",
    "second-factor-held",
    "second-factor-refused",
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
# Whoever signs out, here or elsewhere, may be nobody afterwards.
LEAVING = {"logout", "change_password", "end_sign_ins"}
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

ETAGS = re.compile(r'(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)')
IDENTIFIER = re.compile(r"^([a-z]{4})_[0-9a-f]{32}$")
KNOWN = collections.defaultdict(list)
for ids in HOST["ids"].values():
    for one in ids:
        if found := IDENTIFIER.match(one):
            KNOWN[found.group(1)].append(one)
ALL = {one for ids in KNOWN.values() for one in ids}
# Identifiers begin with the moment at which they were made, and the clock of the service stands still.
MADE = {one[5:11] for one in ALL}
# What the tokens and the other operations rely on is only tried, never changed.
KEPT = ALL - set(HOST["spare"])


def draw(*parts):
    """A number that depends on nothing but the request, so that a run can be repeated."""
    text = json.dumps(parts, default=str, sort_keys=True, ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def name_of(operation):
    return operation.definition.raw.get("operationId", "")


# A short run on both databases sends bad requests of operations with a body to one of them each: what
# is wrong with the form of a body is found out before any database is asked.
SHARE = os.environ.get("JIANJIAN_FUZZ_SHARE")


def known_of(case):
    return HOST["operations"].get(name_of(case.operation), {})


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def filter_case(context, case):
    if SHARE is None or is_positive(case) or not case.operation.body:
        return True
    number = draw(name_of(case.operation), case.path_parameters, case.query, repr(case.body)[:2000])
    return number // 64 % 2 == int(SHARE)


@schemathesis.auth(refresh_interval=None)
class SomebodyInARole:
    """Of the good requests three in four come from somebody who may, the fourth from anybody. Bad ones
    come from somebody who may: others are refused whatever they send."""

    def get(self, case, context):
        name = name_of(case.operation)
        if name in LEAVING:
            return HOST["tokens"]["leaving"]
        roles = case.operation.definition.raw.get("x-roles", [])
        number = draw(name, case.path_parameters, case.query, repr(case.body)[:2000])
        # The first of all from somebody who may: what follows learns from the answer.
        if number % 4 == 0 and name in ASKED and is_positive(case):
            role = STRANGERS[number // 4 % len(STRANGERS)]
        elif known_of(case).get("caller"):
            role = known_of(case)["caller"]
        elif roles:
            role = roles[number // 4 % len(roles)]
        else:
            path = case.operation.path
            role = next(role for part, role in USUAL if part in path)
        return HOST["tokens"][role]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


def real(value, salt, made, best=None):
    """Well-formed identifiers that name nothing become ones that do, seven times in eight; always
    where there is no salt. Those of a run that made things itself are left alone."""
    if isinstance(value, str):
        found = IDENTIFIER.match(value)
        if not found or not KNOWN[found.group(1)]:
            return value
        if value in ALL or (made and value[5:11] in MADE):
            return value
        number = draw(value, salt)
        if salt is not None and number % 8 == 0:
            return value
        if best and (salt is None or number % 4):
            return best
        return KNOWN[found.group(1)][number // 8 % len(KNOWN[found.group(1)])]
    if isinstance(value, dict):
        return {name: real(one, salt, made) for name, one in value.items()}
    if isinstance(value, list):
        return [real(one, salt, made) for one in value]
    return value


def names(case):
    """The identifiers that a request names."""
    text = json.dumps([case.path_parameters, case.body], default=str)
    return set(re.findall(r"[a-z]{4}_[0-9a-f]{32}", text))


def has(case, place, name):
    return name in {one.name for one in getattr(case.operation, place)}


def mend_if_match(case):
    """In the coverage phase schemathesis finds no good value for a header that has to have quotes or
    a star in it, and puts a bad one into every request, whatever else the request is to show."""
    value = case.headers.get("If-Match")
    data = case.meta.phase.data if case.meta is not None else None
    shown = getattr(data, "parameter", None) == "If-Match"
    if value is not None and hasattr(data, "scenario") and not shown:
        if not ETAGS.fullmatch(str(value)):
            case.headers["If-Match"] = "*"


@schemathesis.hook
def before_call(context, case, kwargs):
    known = known_of(case)
    mend_if_match(case)
    first = is_positive(case) and name_of(case.operation) not in ASKED
    salt = None if first else draw(case.path_parameters, case.query, repr(case.body)[:2000])
    # Examples and limits are only tried: what they would make has the same name each time.
    phase = case.meta.phase.name if case.meta is not None else None
    made = phase not in (TestPhase.EXAMPLES, TestPhase.COVERAGE)
    parameters = case.path_parameters
    for name, value in (parameters or {}).items():
        best = known.get("id")
        parameters[name] = best if first and best else real(value, salt, made, best)
    for name, value in (case.query or {}).items():
        case.query[name] = real(value, salt, made)
    # What is put there anew is held against its schema again, and a body that is left out fits none.
    body = real(case.body, salt, made)
    if body != case.body:
        case.body = body
    if not is_positive(case):
        return
    ASKED.add(name_of(case.operation))
    if case.operation.method.upper() == "GET":
        return
    usual = first or salt % 4
    # What no schema can tell: a password, a token, a code. After some wrong codes no right one would
    # be taken either.
    if known.get("body") is not None and (usual or known["caller"] in ("enrolling", "proven")):
        case.body = known["body"]
    if usual and has(case, "headers", "If-Match"):
        case.headers["If-Match"] = "*"
    # New things are made; what is there already stays as it is, and can be tried again.
    makes = re.fullmatch("/api/v1/[a-z-]+", case.operation.path) and case.operation.method == "post"
    kept = not made or not makes or names(case) & KEPT
    if kept and has(case, "query", "validate_only"):
        case.query = {**(case.query or {}), "validate_only": "true"}


# Operations that were asked with good values.
ASKED = set()
TALLY = collections.defaultdict(collections.Counter)


FAILURES = collections.Counter()
# The checks behind the kinds of failures that `scripts/fuzz --control` asks for.
CHECKS = {
    "AcceptedNegativeData": "negative_data_rejection",
    "IgnoredAuth": "ignored_auth",
    "JsonSchemaError": "response_schema_conformance",
    "MissingHeaders": "response_headers_conformance",
    "ResponseTimeExceeded": "max_response_time",
    "ServerError": "not_a_server_error",
    "UndefinedContentType": "content_type_conformance",
    "UndefinedStatusCode": "status_code_conformance",
    "UnsupportedMethodResponse": "unsupported_method",
}


@schemathesis.hook
def after_call(context, case, response):
    sent = response.request.headers.get("Authorization") or ""
    role = ROLE_OF.get(sent.removeprefix("Bearer "), "anonymous")
    TALLY[name_of(case.operation)][f"{role} {response.status_code}"] += 1


def is_answered_well(kind, case, response):
    """Whether an answer is right that the schemas alone do not explain."""
    if response.status_code == 304:
        return "If-None-Match" in case.headers
    try:
        body = response.json()
    except ValueError:
        return False
    if body.get("code") in SEMANTIC:
        return True
    # Two parameters that exclude each other: OpenAPI cannot say so.
    if body.get("code") == "invalid-parameter":
        return any(one["code"] == "conflict" for one in body["errors"])
    if kind != "AcceptedNegativeData":
        return False
    # Many acts in one request: a wrong one is refused alone, in its place of the answer.
    refused = [one["problem"]["code"] for one in body.get("items", []) if not one.get("ok", True)]
    if refused and (body["succeeded"] == 0 or "invalid-body" in refused):
        return True
    # A form with one part, a picture: what an upload is for. schemathesis counts every form with a
    # file in it as bad, its own "valid object" too.
    sent = response.request.body
    if "multipart" in (case.media_type or "") and isinstance(sent, bytes):
        return sent.count(b"Content-Disposition") == 1 and (b"\x89PNG" in sent or b"JFIF" in sent)
    return False


def waited_for_a_name(response):
    """Whether the answer took the time that the machine's DNS took to say that there is no such host."""
    try:
        errors = response.json().get("errors", [])
    except (AttributeError, ValueError):
        return False
    return any(one.get("code") == "target_unresolved" for one in errors)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    if kind == "ResponseTimeExceeded" and waited_for_a_name(response):
        return False
    if kind in ("RejectedPositiveData", "AcceptedNegativeData"):
        if is_answered_well(kind, case, response):
            return False
    FAILURES[CHECKS.get(kind, kind)] += 1
    return True


@atexit.register
def write_tally():
    """What was asked by whom, and how it was answered, for `scripts/lib/fuzz_report.py`."""
    if path := os.environ.get("JIANJIAN_FUZZ_TALLY"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"operations": TALLY, "failures": FAILURES}, file)
