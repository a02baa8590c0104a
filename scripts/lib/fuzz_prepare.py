"""Goes on with the spare cases of the service to where further operations start from, by the examples
of the document, and tells the run where they are: which object, which caller, which body.

    fuzz_prepare.py HOST DOCUMENT"""

import json
import sys
import urllib.error
import urllib.request


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


HOST = load(sys.argv[1])
OPERATIONS = {}
for path, item in load(sys.argv[2])["paths"].items():
    for method, operation in item.items():
        OPERATIONS[operation["operationId"]] = (method.upper(), path, operation)


class Refused(Exception):
    """What was to be prepared is not possible."""


def call(method, path, role, body=None):
    request = urllib.request.Request(HOST["base"] + path, method=method)
    request.add_header("Authorization", f"Bearer {HOST['tokens'][role]}")
    request.add_header("If-Match", "*")
    if body is not None:
        kind = "merge-patch+json" if method == "PATCH" else "json"
        request.add_header("Content-Type", f"application/{kind}")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(f"{role}: {method} {path}: {error.code} {error.read().decode()}") from error


TODAY = "2026-03-02"
UNITS = {one["name"]: one["id"] for one in call("GET", "/api/v1/units", "auditor")["items"]}
# The lead of every case, and a unit that has nothing to do with it.
LEAD, OTHER = UNITS["市交通运输局"], UNITS["市教育局"]
CO_HANDLER = UNITS["市自然资源和规划局"]
MEETING = {"name": "提案审查委员会第一次全体会议", "date": TODAY}


def example(name):
    """The body that the document gives for an operation."""
    content = next(iter(OPERATIONS[name][2]["requestBody"]["content"].values()))
    if "example" in content:
        return dict(content["example"])
    return dict(next(iter(content["examples"].values()))["value"]) if "examples" in content else {}


def tell(names, **known):
    """What the run should know of these operations."""
    for name in names.split():
        HOST["operations"][name].update(known)


class Case:
    """A spare case of which nothing else is in use."""

    def __init__(self, step):
        spare = HOST["spare"][step].pop()
        self.id, self.rows, self.replies = spare["proposal_id"], spare["rows"], spare["replies"]

    def object_of(self, name):
        path = OPERATIONS[name][1]
        if "{assignment_id}" in path:
            return self.rows[name == "submit_opinion_assignment"]
        return self.replies[0] if "{reply_id}" in path else self.id

    def see(self, what, role="auditor"):
        return call("GET", f"/api/v1/proposals/{self.id}{what}", role)

    def did(self, name, role=None, **changes):
        """Somebody does this, by the example but for what is named."""
        method, path, operation = OPERATIONS[name]
        role = role or HOST["operations"][name]["caller"] or operation["x-roles"][0]
        target = "/".join(self.object_of(name) if "{" in one else one for one in path.split("/"))
        return call(method, target, role, {**example(name), **changes})

    def ready(self, names, role=None, **body):
        """These operations start from here; `body` says what the example cannot know."""
        for name in names.split():
            known = {"id": self.object_of(name)}
            if role:
                known["caller"] = role
            if body:
                known["body"] = {**example(name), **body}
            tell(name, **known)


def returns_and_clocks():
    case = Case("accepted")
    case.did("request_extension_assignment")
    case.ready("deny_extension_assignment grant_extension_assignment")
    soon = {"expected_end": "2026-03-20"}
    case = Case("accepted")
    case.ready("request_pause_assignment", **soon)
    case.ready("request_return_assignment", suggested_unit_id=OTHER)
    case.ready("suggest_units_assignment", units=[OTHER])
    case.ready("record_contact_assignment", date=TODAY)
    case.ready("submit_opinion_assignment")
    case.ready("urge_proposal", addressees=[{"unit_id": LEAD}])
    case = Case("accepted")
    case.did("request_pause_assignment", **soon)
    case.ready("deny_pause_assignment pause_clock_assignment", until="2026-03-20")
    tell("deny_pause_assignment", body=None)
    case = Case("accepted")
    case.did("request_pause_assignment", **soon)
    case.did("pause_clock_assignment", until="2026-03-20")
    case.ready("resume_clock_assignment")
    case = Case("accepted")
    case.did("request_return_assignment", suggested_unit_id=OTHER)
    case.ready("reject_return_assignment")
    case.ready("grant_return_assignment", replacement=[{"unit_id": OTHER, "role": "lead"}])
    case.ready("escalate_return_assignment", meeting=MEETING)
    case = Case("accepted")
    case.did("suggest_units_assignment", units=[OTHER])
    case.ready("refuse_suggestion_assignment")
    third = [{"unit_id": OTHER, "role": "co_handler"}]
    case.ready("adjust_units_proposal", add=third)
    # Without one of two co-handlers the case is joint all the same.
    case = Case("accepted")
    case.did("adjust_units_proposal", add=third)
    case.rows.reverse()
    case.ready("void_assignment")


def before_filing():
    case = Case("submitted")
    case.did("request_urgency_proposal")
    case.ready("mark_urgent_proposal", reference_units=[OTHER])
    case.ready("refuse_urgency_proposal")
    case = Case("submitted")
    case.did("request_urgency_proposal")
    case.did("mark_urgent_proposal", reference_units=[OTHER])
    case.ready("downgrade_urgency_proposal")
    case = Case("examined")
    case.did("not_file_proposal", meeting=MEETING)
    case.ready("carry_out_disposition_proposal", sent_on=TODAY)
    main, absorbed, merged = Case("submitted"), Case("submitted"), Case("submitted")
    tell(
        "create_merge_group",
        body={**example("create_merge_group"), "main_id": main.id, "absorbed_ids": [absorbed.id]},
    )
    filed = Case("filed").id
    for name, changes in (
        ("merge_proposal", {"main_id": filed}),
        ("link_cases_proposal", {"proposal_id": filed}),
        ("examine_proposal", {"draft_units": [LEAD]}),
    ):
        tell(name, body={**example(name), **changes})
    rows = [{"role": "lead", "unit_id": LEAD}, {"role": "co_handler", "unit_id": CO_HANDLER}]
    tell("assign_proposal", body={**example("assign_proposal"), "rows": rows})
    merged.did("merge_proposal", main_id=filed)
    merged.ready("unmerge_proposal archive_proposal")


def on_file():
    below = HOST["ids"]["referral_id"][0]
    below = call("GET", f"/api/v1/incoming-referrals/{below}", "committee_staff")["sender_id"]
    case = Case("filed")
    case.did("nominate_key_proposal")
    case.ready("designate_key_proposal", meeting=MEETING)
    case = Case("filed")
    case.did("nominate_key_proposal")
    case.did("designate_key_proposal", meeting=MEETING)
    case.ready("release_key_proposal")
    case = Case("filed")
    case.did("review_publication_proposal")
    case.ready("publish_proposal")
    case = Case("filed")
    case.did("review_publication_proposal")
    case.did("publish_proposal")
    case.ready("unpublish_proposal", part="text")
    case = Case("filed")
    case.did("withdraw_proposal", role="member")
    case.ready("approve_withdrawal_proposal reject_withdrawal_proposal")
    case = Case("filed")
    case.ready("refer_down_proposal", committee_id=below)
    case.ready("record_consultation_proposal", date=TODAY)
    case.ready("nominate_key_proposal request_urgency_proposal")
    outside = {"body_name": "政协全国委员会提案委员会", "reason": "所提事项须由上级统筹。"}
    tell("refer_up_proposal", id=case.id, body=outside)
    case = Case("accepted")
    call("POST", f"/api/v1/proposals/{case.id}/actions/refer-up", "committee_chair", outside)
    referral = case.see("/referrals")["items"][0]["id"]
    case.ready("note_referral_answer_proposal", referral_id=referral)
    case = Case("filed")
    case.did("refer_down_proposal", committee_id=below)
    referral = case.see("/referrals")["items"][0]["id"]
    case.ready("recall_referral_proposal", referral_id=referral)


def with_countersigned_reply():
    case = Case("accepted")
    case.did("record_contact_assignment", date=TODAY)
    case.did("submit_opinion_assignment")
    case.replies = [case.did("draft_reply")["id"]]
    case.did("request_countersign_reply")
    case.did("countersign_reply")
    return case


def follow_up():
    case = Case("accepted")
    case.did("urge_proposal", addressees=[{"unit_id": LEAD}])
    case.did("instruct_proposal", unit_ids=[LEAD], date=TODAY)
    followed = case.see("/follow-up")
    unit = {"role": "unit_clerk"}
    case.ready(
        "acknowledge_urging_proposal", **unit, urging_id=followed["urgings"][0]["id"]
    )
    case.ready(
        "answer_instruction_proposal", **unit, instruction_id=followed["instructions"][0]["id"]
    )
    case.ready("instruct_proposal", unit_ids=[LEAD], date=TODAY)
    case.ready("supervise_proposal", date=TODAY, commitments=[])
    case = with_countersigned_reply()
    case.ready("sign_reply", role="unit_signatory")
    # The reply promises something.
    case = with_countersigned_reply()
    case.did("sign_reply", role="unit_signatory")
    case.did("approve_reply")
    case.did("deliver_reply", role="unit_clerk")
    promise = case.see("")["promises"][0]["id"]
    case.ready("report_progress_proposal", **unit, promise_id=promise)
    case.did("report_progress_proposal", role="unit_clerk", promise_id=promise)
    case.ready("fulfil_promise_proposal", promise_id=promise)
    case.ready("record_look_back_proposal", date=TODAY)
    case = Case("feedback")
    case.ready("start_tracking_proposal")
    case = Case("feedback")
    case.did("start_tracking_proposal")
    case.ready("stop_tracking_proposal", verdicts=[])


def ratings():
    case = Case("drafted")
    contact = case.see("/records")["contacts"][0]["id"]
    case.ready("object_contact_assignment", role="member", contact_id=contact)
    case = Case("handled")
    rater = next(one["id"] for one in case.see("")["proposers"] if one["role"] == "cosigner")
    case.ready("give_feedback_proposal", role="member", reply_id=case.replies[0])
    case.ready("excuse_rater_proposal", rater_id=rater)
    case.did("give_feedback_proposal", role="member", reply_id=case.replies[0])
    case.ready("correct_feedback_proposal", role="member", reply_id=case.replies[0])
    case = Case("handled")
    case.ready("give_feedback_proposal", role="member", reply_id=case.replies[0])
    case = Case("handled")
    bad = {"reply_id": case.replies[0], "result": "dissatisfied", "comment": "没有答复第二条建议。"}
    case.did("give_feedback_proposal", role="member", **bad)
    case.did("give_feedback_proposal", role="invited_member", reply_id=case.replies[0])
    case.ready("waive_rehandling_proposal", role="member")
    case.ready("rehandle_proposal", cause="dissatisfied")
    case = Case("feedback")
    case.did("close_proposal")
    case.ready("reopen_proposal")


def beside_cases():
    """Bodies that depend on other things than the state of a case."""
    # It would use up the code that the trials of other operations show again and again.
    tell("login_second_factor", body=None)
    tell("delete_attachment", id=HOST["ids"]["attachment_id"][0], caller="member")
    # A reason of the committee's own, of which nothing is in use.
    reason = {"code": "of_our_own", "label": {"zh-CN": "自定理由", "en": "of our own"}}
    call("POST", "/api/v1/refusal-reasons", "administrator", reason)
    own = "activate_refusal_reason delete_refusal_reason update_refusal_reason"
    tell(own, id=reason["code"])
    tell("edit_proposal", body=example("edit_proposal"))
    tell("update_organisation", body={"contact_person": "沈若溪"})
    members = call("GET", "/api/v1/members", "auditor")["items"]
    others = [one["id"] for one in members if one["id"] not in HOST["ids"]["member_id"]]
    tell("invite_cosigners_proposal", body={"member_ids": others[-1:]})
    person = {"username": "shen.ruoxi", "display_name": "沈若溪", "password": "七月流火-Qh4x"}
    tell(
        "create_committee",
        body={
            "code": "yunling-nanhu",
            "name": "政协云岭市南湖区委员会",
            "level": "county",
            "region": "云岭市南湖区",
            "administrator": person,
            "security_administrator": {
                "username": "gu.qinghe",
                "display_name": "顾清和",
                "password": "九月授衣-Tz7w",
            },
        },
    )
    tell("succeed_unit", body={"successor_id": OTHER, "reason": "机构改革。"})
    # An address that need not be looked up; nothing is ever sent there in a run.
    outside = "https://8.8.8.8"
    tell("create_webhook", body={**example("create_webhook"), "url": outside})
    tell(
        "create_openid_provider",
        body={
            "name": "省政务统一身份认证",
            "issuer": outside,
            "client_id": "jianjian",
            "redirect_uri": "https://tian.example.cn/signed-in",
            "claim": "sub",
        },
    )


def main():
    failed = False
    for part in (returns_and_clocks, before_filing, on_file, follow_up, ratings, beside_cases):
        try:
            part()
        except Refused as refused:
            failed = True
            print(f"fuzz_prepare: {part.__name__}: {refused}", file=sys.stderr)
    # What is left of the spare cases may be changed.
    left = [case for cases in HOST["spare"].values() for case in cases]
    HOST["spare"] = [
        one for case in left for one in (case["proposal_id"], *case["rows"], *case["replies"])
    ]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(HOST, file)
    sys.exit(failed)


main()
