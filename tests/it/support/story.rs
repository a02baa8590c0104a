//! A case over HTTP, told in sentences: `case.submit().await; case.examine_all().await; …`.
//! Every write carries If-Match with the ETag that its author has just read.

use std::collections::BTreeMap;

use jianjian::store::events::Event;
use jianjian::store::timeline;
use serde_json::{Value, json};

use super::seed::{Person, Town};
use super::{Client, Reply, TestApp, rows};

/// What a member needs to write.
pub fn form() -> Value {
    json!({
        "title": "关于优化老城区公交微循环线路的提案",
        "situation": "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。",
        "analysis": "现有线路以干道为主，站点覆盖率不足，接驳不便。",
        "suggestions": ["开通两条社区微循环线路。", "在菜市场、医院增设临时停靠点。"],
        "publish_consent": true,
        "no_secret_declaration": true
    })
}

/// What an examiner writes who is in favour.
pub fn opinion(town: &Town) -> Value {
    json!({
        "opinion": "一事一案，建议立案。",
        "recommendation": "file",
        "checklist": { "standing": true, "content": true, "form": true },
        "subject_class": "social",
        "draft_units": [town.units[0]],
    })
}

/// The meeting that decided.
pub fn meeting() -> Value {
    json!({ "meeting": { "name": "提案审查委员会全体会议", "date": "2026-03-02" } })
}

/// A reply that resolves the matter.
pub fn reply_form() -> Value {
    json!({
        "outcome": "resolved", "digest": "已解决。", "body": "您的提案收悉，现答复如下……",
        "leader": "林涛", "clerk": "陈思源", "phone": "0599-5550145", "publication": "full",
    })
}

/// A contact with the proposer.
pub fn contact() -> Value {
    json!({
        "way": "face_to_face", "date": "2026-03-02", "persons": "林涛、陈思源；提案者",
        "said": "听取意见。", "proposer_view": "认可。",
    })
}

/// A case and the people of its town.
pub struct Story<'a> {
    /// The service.
    pub app: &'a TestApp,
    /// Its people.
    pub town: &'a Town,
    /// Identifier of the proposal.
    pub id: String,
    /// Who proposes.
    pub proposer: Person,
    /// Rows by the index of their unit in the town.
    pub rows: BTreeMap<usize, String>,
    /// Replies by the index of their unit.
    pub replies: BTreeMap<usize, String>,
    /// A file that goes with its text.
    pub file: Option<String>,
}

impl<'a> Story<'a> {
    /// PT01: an individual proposal.
    pub async fn draft(app: &'a TestApp, town: &'a Town, proposer: &Person) -> Story<'a> {
        let body = json!({ "kind": "individual", "form": form() });
        Self::draft_of(app, town, proposer, body).await
    }

    /// PT01: any proposal.
    pub async fn draft_of(
        app: &'a TestApp,
        town: &'a Town,
        proposer: &Person,
        body: Value,
    ) -> Story<'a> {
        let client = app.signed_in(town, proposer);
        let draft = client
            .post("/api/v1/proposals")
            .json(body)
            .send()
            .await
            .status(201);
        Self {
            app,
            town,
            id: draft.id(),
            proposer: proposer.clone(),
            rows: BTreeMap::new(),
            replies: BTreeMap::new(),
            file: None,
        }
    }

    /// A client signed in as this person.
    pub fn as_(&self, who: &Person) -> Client {
        self.app.signed_in(self.town, who)
    }

    /// Address of the proposal.
    pub fn path(&self) -> String {
        format!("/api/v1/proposals/{}", self.id)
    }

    /// Address of the row of a unit.
    pub fn row(&self, unit: usize) -> String {
        format!("/api/v1/assignments/{}", self.rows[&unit])
    }

    /// Address of the reply of a unit.
    pub fn reply(&self, unit: usize) -> String {
        format!("/api/v1/replies/{}", self.replies[&unit])
    }

    /// The proposal as somebody sees it.
    pub async fn seen_by(&self, who: &Person) -> Reply {
        self.as_(who).get(&self.path()).send().await
    }

    /// The status, as the committee sees it.
    pub async fn status(&self) -> String {
        self.seen_by(&self.town.staff)
            .await
            .status(200)
            .text("/status")
    }

    /// Tries something on an address, with the version that its author has just read.
    pub async fn tries_on(&self, who: &Person, base: &str, action: &str, body: Value) -> Reply {
        let client = self.as_(who);
        let seen = client.get(base).send().await;
        let request = client.post(&format!("{base}/actions/{action}")).json(body);
        match seen.status {
            200 => request.if_match(seen.version()).send().await,
            _ => request.header("If-Match", "*").send().await,
        }
    }

    /// Tries something on the proposal.
    pub async fn tries(&self, who: &Person, action: &str, body: Value) -> Reply {
        self.tries_on(who, &self.path(), action, body).await
    }

    /// Does something on the proposal.
    pub async fn does(&self, who: &Person, action: &str, body: Value) -> Reply {
        self.tries(who, action, body).await.status(200)
    }

    /// Changes the text (PT02).
    pub async fn edit(&self, patch: Value) -> Reply {
        let client = self.as_(&self.proposer);
        let version = client.get(&self.path()).send().await.version();
        client
            .patch(&self.path())
            .if_match(version)
            .json(patch)
            .send()
            .await
            .status(200)
    }

    /// PT06, PT07.
    pub async fn submit(&self) -> Reply {
        self.does(&self.proposer, "submit", json!({})).await
    }

    /// PT14, every stage by another examiner.
    pub async fn examine_all(&self) -> Reply {
        self.does(&self.town.examiners[0], "examine", opinion(self.town))
            .await;
        self.does(&self.town.examiners[1], "examine", opinion(self.town))
            .await
    }

    /// PT15.
    pub async fn file(&self) -> Reply {
        self.does(&self.town.chair, "file", meeting()).await
    }

    /// From the draft to the case number.
    pub async fn until_filed(&self) -> Reply {
        self.submit().await;
        self.examine_all().await;
        self.file().await
    }

    /// PT19 with units by index; the first leads, or all are separate.
    pub async fn assign(&mut self, kind: &str, units: &[usize]) -> Reply {
        let rows: Vec<_> = units
            .iter()
            .enumerate()
            .map(|(n, unit)| match (kind, n) {
                ("separate", _) => json!({
                    "unit_id": self.town.units[*unit], "role": "separate", "part": format!("第{n}部分"),
                }),
                (_, 0) => json!({ "unit_id": self.town.units[*unit], "role": "lead" }),
                _ => json!({ "unit_id": self.town.units[*unit], "role": "co_handler" }),
            })
            .collect();
        let body = json!({ "handling_kind": kind, "rows": rows });
        let assigned = self.does(&self.town.officer, "assign", body).await;
        for row in assigned.json["assignments"].as_array().expect("rows") {
            let unit = self
                .town
                .units
                .iter()
                .position(|unit| json!(unit) == row["unit_id"]);
            let id = row["id"].as_str().expect("an id").to_owned();
            self.rows.insert(unit.expect("a unit of the town"), id);
        }
        assigned
    }

    /// Does something on the row of a unit, as its clerk.
    pub async fn on_row(&self, unit: usize, action: &str, body: Value) -> Reply {
        let clerk = &self.town.unit_clerks[unit];
        self.tries_on(clerk, &self.row(unit), action, body)
            .await
            .status(200)
    }

    /// AT02.
    pub async fn accept(&self, unit: usize) -> Reply {
        let body = json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" });
        self.on_row(unit, "accept", body).await
    }

    /// AT09.
    pub async fn contact(&self, unit: usize) -> Reply {
        self.on_row(unit, "record-contact", contact()).await
    }

    /// AT10.
    pub async fn give_opinion(&self, unit: usize) -> Reply {
        let body = json!({ "text": "我局将同步预留公交停靠条件。", "signatory": "郑海峰" });
        self.on_row(unit, "submit-opinion", body).await
    }

    /// RT01 with a form.
    pub async fn draft_reply_of(&mut self, unit: usize, form: Value) -> Reply {
        let client = self.as_(&self.town.unit_clerks[unit]);
        let row = self.row(unit);
        let version = client.get(&row).send().await.version();
        let drafted = client
            .post(&format!("{row}/replies"))
            .if_match(version)
            .json(form)
            .send()
            .await
            .status(201);
        self.replies.insert(unit, drafted.id());
        drafted
    }

    /// RT01.
    pub async fn draft_reply(&mut self, unit: usize) -> Reply {
        self.draft_reply_of(unit, reply_form()).await
    }

    /// Tries something on the reply of a unit.
    pub async fn tries_on_reply(
        &self,
        who: &Person,
        unit: usize,
        action: &str,
        body: Value,
    ) -> Reply {
        self.tries_on(who, &self.reply(unit), action, body).await
    }

    /// Does something on the reply of a unit.
    pub async fn on_reply(&self, who: &Person, unit: usize, action: &str, body: Value) -> Reply {
        self.tries_on_reply(who, unit, action, body)
            .await
            .status(200)
    }

    /// RT03.
    pub async fn request_countersign(&self, unit: usize) -> Reply {
        self.on_reply(
            &self.town.unit_clerks[unit],
            unit,
            "request-countersign",
            json!({}),
        )
        .await
    }

    /// RT04 by the signatory of a co-handler.
    pub async fn countersign(&self, lead: usize, by: usize) -> Reply {
        let body = json!({ "signatory": "郑海峰" });
        self.on_reply(&self.town.signatories[by], lead, "countersign", body)
            .await
    }

    /// RT06.
    pub async fn sign(&self, unit: usize) -> Reply {
        let body = json!({ "signatory": "林涛" });
        self.on_reply(&self.town.signatories[unit], unit, "sign", body)
            .await
    }

    /// RT07.
    pub async fn approve(&self, unit: usize) -> Reply {
        self.on_reply(&self.town.supervision, unit, "approve", json!({}))
            .await
    }

    /// RT09.
    pub async fn deliver(&self, unit: usize) -> Reply {
        self.on_reply(&self.town.unit_clerks[unit], unit, "deliver", json!({}))
            .await
    }

    /// Accept to deliver, for a unit that answers alone.
    pub async fn answer(&mut self, unit: usize) -> Reply {
        self.accept(unit).await;
        self.contact(unit).await;
        self.draft_reply(unit).await;
        self.sign(unit).await;
        self.approve(unit).await;
        self.deliver(unit).await
    }

    /// An opinion form that is satisfied.
    pub fn grades(&self, unit: usize) -> Value {
        json!({
            "reply_id": self.replies[&unit], "attitude": "satisfied", "result": "satisfied",
            "contact_way": "face_to_face",
        })
    }

    /// PT22.
    pub async fn rate(&self, who: &Person, unit: usize) -> Reply {
        self.does(who, "give-feedback", self.grades(unit)).await
    }

    /// PT25.
    pub async fn close(&self) -> Reply {
        let body = json!({ "publish_text": "full", "publish_replies": "full" });
        self.does(&self.town.staff, "close", body).await
    }

    /// The names of the events that somebody sees.
    pub async fn events_seen_by(&self, who: &Person) -> Vec<String> {
        self.timeline(who)
            .await
            .iter()
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect()
    }

    /// The timeline that somebody sees.
    pub async fn timeline(&self, who: &Person) -> Vec<Value> {
        let path = format!("{}/timeline?limit=100", self.path());
        let page = self.as_(who).get(&path).send().await.status(200);
        page.json["items"].as_array().expect("items").clone()
    }

    /// The whole audit trail, from the database.
    pub async fn trail(&self) -> Vec<Event> {
        let (committee, id) = (self.town.committee, self.id.parse().expect("an id"));
        self.app
            .read(move |tx| timeline::list(tx, committee, id, 0, 1000))
            .await
    }

    /// Asserts that these rows were taken; see [`rows::witness`].
    pub async fn witness(&self, ids: &[&str]) {
        rows::witness(&self.as_(&self.town.auditor), &self.id, ids).await;
    }

    /// Asserts that these rows left no event; see [`rows::witness_without_event`].
    #[expect(
        dead_code,
        reason = "no such row at present: remove this line with the first use"
    )]
    pub async fn witness_without_event(&self, ids: &[&str]) {
        rows::witness_without_event(&self.as_(&self.town.auditor), &self.id, ids).await;
    }

    /// The tasks on somebody's desk.
    pub async fn desk(&self, who: &Person) -> Vec<String> {
        let page = self
            .as_(who)
            .get("/api/v1/desk?limit=100")
            .send()
            .await
            .status(200);
        page.json["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter_map(|item| item["task"].as_str().map(str::to_owned))
            .collect()
    }
}

/// Identifiers of members, for invitations.
pub fn members(people: &[Person]) -> Value {
    json!(
        people
            .iter()
            .filter_map(|person| person.member)
            .collect::<Vec<_>>()
    )
}
