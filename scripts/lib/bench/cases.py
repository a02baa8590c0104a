"""What the load is made of: cases of every kind of request, made over HTTP like any others."""

import json
from datetime import datetime, timedelta, timezone

import load

MEMBERS = 8
OPEN_ROWS = 200  # of a busy department
TODAY = datetime.now(timezone(timedelta(hours=8))).date().isoformat()
SITUATION = (
    "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。近年来老城区常住人口老龄化程度"
    "不断提高，沿线菜市场、医院、学校集中，早晚高峰接送与就诊客流叠加，步行距离普遍超过八百米。"
) * 4
SUGGESTIONS = ["开通两条社区微循环线路，衔接轨道站点。", "在菜市场、医院增设临时停靠点。"]
REPLY = "您提出的提案收悉，现答复如下：一、已对两条线路作出调整，平均候车时间缩短至八分钟。" * 12


def dump(value):
    return json.dumps(value, ensure_ascii=False)


def draft(number):
    return dump(
        {
            "kind": "individual",
            "form": {
                "title": f"关于优化老城区公交微循环线路的提案（第{number}件）",
                "situation": SITUATION,
                "analysis": SITUATION,
                "suggestions": SUGGESTIONS,
                "no_secret_declaration": True,
                "publish_consent": True,
            },
        }
    )


class Supply:
    """Cases on every rung of their way, each used once."""

    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        self.cases, self.busy, self.full = [], None, []
        self.units = service.get("staff", "/units?limit=100")["items"]
        lines = {unit["id"]: unit["system_line"] for unit in self.units}
        for number in range(1, len(self.units) + 1):
            self.unit = service.get(f"unit{number}", "/auth/me")["roles"][0]["unit"]["id"]
            if lines.get(self.unit) == "government":
                self.clerk, self.signatory = f"unit{number}", f"signatory{number}"
                break

    def member(self, number):
        return f"member{number % MEMBERS + 1}"

    # ---- the requests of each kind ----

    def create(self, count, since=0):
        return [
            load.request(self.service, self.member(n), "POST", "/proposals", draft(n))
            for n in range(since, since + count)
        ]

    def act(self, who, kind, ids, action, body):
        """One act on each; `who` and `body` may depend on the place in the list."""
        return [
            load.request(
                self.service,
                who(place) if callable(who) else who,
                "POST",
                f"/{kind}/{one}/actions/{action}",
                body(place) if callable(body) else dump(body),
            )
            for place, one in enumerate(ids)
        ]

    def all_of(self, requests, what):
        """Sends all and gives what the answers name; a refusal ends the benchmark."""
        clients = 16
        shown = load.writes(
            self.service, self.folder, requests + requests[:clients], clients, names=True
        )
        # The first ones are sent again while the last ones are waited for, and answered the same.
        names = list(dict.fromkeys(name for name in shown.names if name[0] != "-"))
        if shown.errors > clients or len(names) < len(requests) * 0.95:
            raise SystemExit(f"bench: {what}: {shown.errors} refused: {shown.refusal}")
        return names

    # ---- the way ----

    def drafts(self, count):
        """Drafts of one member: whoever made one must submit it."""
        requests = [
            load.request(self.service, "member1", "POST", "/proposals", draft(n)) for n in range(count)
        ]
        return [name[0] for name in self.all_of(requests, "create")]

    def submit(self, ids):
        return self.act("member1", "proposals", ids, "submit", {})

    def examine(self, who, ids):
        opinion = {
            "opinion": "一事一案，事实清楚，建议立案。",
            "recommendation": "file",
            "checklist": {"standing": True, "content": True, "form": True},
            "subject_class": "social",
            "draft_units": [self.unit],
        }
        return self.act(who, "proposals", ids, "examine", opinion)

    def file(self, ids):
        meeting = {"meeting": {"name": "提案审查委员会全体会议", "date": TODAY}}
        return self.act("chair", "proposals", ids, "file", meeting)

    def assign(self, ids):
        rows = [{"unit_id": self.unit, "role": "lead"}]
        order = {"handling_kind": "sole", "rows": rows, "opinion": "请于三个月内答复提案者。"}
        return self.act("officer.gov", "proposals", ids, "assign", order)

    def accept(self, rows):
        clerk = {"clerk_name": "陈思源", "clerk_phone": "0599-5550145"}
        return self.act(self.clerk, "assignments", rows, "accept", clerk)

    def contact(self, rows):
        contact = {
            "way": "face_to_face",
            "date": TODAY,
            "persons": "科长陈思源；委员",
            "said": "介绍了线路调整方案，听取了意见。",
            "proposer_view": "对方案表示认可。",
        }
        return self.act(self.clerk, "assignments", rows, "record-contact", contact)

    def reply(self, rows):
        reply = {
            "outcome": "resolved",
            "digest": "已优化两条线路。",
            "body": REPLY,
            "implemented": ["已开通社区微循环 1 号线。"],
            "promises": [],
            "leader": "林涛",
            "clerk": "陈思源",
            "phone": "0599-5550145",
            "publication": "full",
        }
        body = dump(reply)
        return [
            load.request(self.service, self.clerk, "POST", f"/assignments/{row}/replies", body)
            for row in rows
        ]

    def sign(self, replies):
        return self.act(self.signatory, "replies", replies, "sign", {"signatory": "林涛"})

    def approve(self, replies):
        return self.act("supervision", "replies", replies, "approve", {})

    def deliver(self, replies):
        return self.act(self.clerk, "replies", replies, "deliver", {})

    def feedback(self, pairs):
        def form(place):
            return dump(
                {
                    "reply_id": pairs[place][1],
                    "attitude": "satisfied",
                    "result": "satisfied",
                    "contact_way": "face_to_face",
                    "comment": "答复针对性强，希望抓好落实。",
                }
            )

        return self.act("member1", "proposals", [pair[0] for pair in pairs], "give-feedback", form)

    def prepare(self, count):
        """For each act that is measured, what it is done to: `count` cases for each."""
        held = {}
        ids = self.drafts(count * 5)
        held["submit"], ids = ids[:count], ids[count:]
        ids = [name[0] for name in self.all_of(self.submit(ids), "submit")]
        for who in ("examiner1", "examiner2"):
            ids = [name[0] for name in self.all_of(self.examine(who, ids), "examine")]
        held["file"], ids = ids[:count], ids[count:]
        ids = [name[0] for name in self.all_of(self.file(ids), "file")]
        rows = [name[1] for name in self.all_of(self.assign(ids), "assign")]
        held["accept"], rows = rows[:count], rows[count:]
        self.all_of(self.accept(rows), "accept")
        self.all_of(self.contact(rows), "contact")
        replies = [name[2] for name in self.all_of(self.reply(rows), "reply")]
        self.all_of(self.sign(replies), "sign")
        self.all_of(self.approve(replies), "approve")
        held["deliver"], replies = replies[:count], replies[count:]
        held["feedback"] = [
            (name[0], name[2]) for name in self.all_of(self.deliver(replies), "deliver")
        ]
        return held

    def writes(self):
        """How the requests of each kind of write are made of what they are done to."""
        return {
            "create": lambda numbers: self.create(len(numbers), numbers[0]),
            "submit": self.submit,
            "file": self.file,
            "accept": self.accept,
            "deliver": self.deliver,
            "feedback": self.feedback,
        }

    # ---- reads ----

    def newest(self):
        """As many cases as there are on five pages."""
        ids, cursor = [], ""
        for _ in range(5):
            page = self.service.get("staff", f"/proposals?limit=100{cursor}")
            ids += [one["id"] for one in page["items"]]
            if not page.get("next_cursor"):
                break
            cursor = f"&cursor={page['next_cursor']}"
        return ids

    def department(self, rows):
        """The clerk for whom about so much waits."""
        clerks = [f"unit{number}" for number in range(1, len(self.units) + 1)]
        waiting = {
            clerk: self.service.get(clerk, "/desk?limit=1&count=true")["count"] for clerk in clerks
        }
        return min(clerks, key=lambda clerk: abs(waiting[clerk] - rows))

    def with_full_pages(self):
        """Units with a page of assigned cases, or all where none has so many: but that of the writes, whose
        thousands of new cases are all handled."""
        page = lambda one: self.service.get("staff", f"/proposals?unit_id={one}&status=assigned&limit=20")  # noqa: E731
        all_of = [unit["id"] for unit in self.units if unit["id"] != self.unit]
        return [one for one in all_of if len(page(one)["items"]) == 20] or all_of

    def reads(self):
        """The requests of each kind of read, over the same cases as long as the supply lasts."""
        ids = self.cases = self.cases or self.newest()
        self.busy = self.busy or self.department(OPEN_ROWS)
        units = self.full = self.full or self.with_full_pages()
        staff = lambda path: load.request(self.service, "staff", "GET", path)  # noqa: E731
        return {
            "detail": [staff(f"/proposals/{one}") for one in ids],
            "list": [staff(f"/proposals?unit_id={one}&status=assigned&limit=20") for one in units],
            "desk": [load.request(self.service, self.busy, "GET", "/desk?limit=20")],
            "timeline": [staff(f"/proposals/{one}/timeline?limit=20") for one in ids],
            "actions": [staff(f"/proposals/{one}/actions") for one in ids],
            "me": [staff("/auth/me")],
        }
