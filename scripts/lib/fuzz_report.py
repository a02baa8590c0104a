"""What a run of schemathesis has reached: one line for each role, and whether every operation of
the document was answered well to somebody and refused to somebody.

    fuzz_report.py TALLY DOCUMENT BACKEND"""

import collections
import json
import sys

# Operations that nobody is served by in a run, each with what it would take.
NOT_SERVED = {
    "start_openid": "an identity provider",
    "finish_openid": "an identity provider",
    "login_second_factor": "a code, which it uses up",
    "second_proposal": "a policy that lets members join",
    "retry_job": "a job that was given up",
}


def operations(document):
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in ("get", "put", "post", "patch", "delete"):
                yield operation["operationId"]


def main(tally, document, backend):
    with open(tally, encoding="utf-8") as file:
        asked = json.load(file)["operations"]
    with open(document, encoding="utf-8") as file:
        known = sorted(operations(json.load(file)))
    roles = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    for operation, answers in asked.items():
        for answer, count in answers.items():
            role, status = answer.rsplit(" ", 1)
            roles[role][operation][int(status) // 100] += count
    for role, seen in sorted(roles.items()):
        total = sum(seen.values(), collections.Counter())
        served = sum(1 for answers in seen.values() if answers[2])
        print(
            f"{backend} {role}: {total.total()} requests to {len(seen)} operations, "
            f"{served} of them served; 2xx {total[2]}, 3xx {total[3]}, 4xx {total[4]}, 5xx {total[5]}"
        )
    missing = []
    for name in known:
        answers = collections.Counter()
        for seen in roles.values():
            answers += seen[name] if name in seen else collections.Counter()
        if not answers[4]:
            missing.append(f"{name}: refused to nobody")
        if not answers[2] and name not in NOT_SERVED:
            missing.append(f"{name}: served to nobody")
        if answers[2] and name in NOT_SERVED:
            missing.append(f"{name}: served after all, so it is no exception")
    for line in missing:
        print(f"{backend} {line}", file=sys.stderr)
    print(
        f"{backend}: {len(known)} operations, {len(known) - len(NOT_SERVED)} to be served, "
        f"{len(missing)} gaps"
    )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
