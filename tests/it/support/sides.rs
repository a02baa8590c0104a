//! Steps of the side roads around examination: joint signing, merging, withdrawal, secrecy.

use jianjian::store::checks::{self, Finding, Outcome};
use serde_json::{Value, json};

use super::people::{self, PASSWORD};
use super::seed::{Person, Town};
use super::story::Story;
use super::{Client, Reply, TestApp};

/// The guards that a refusal names.
pub fn unmet(reply: &Reply) -> Vec<String> {
    reply.json["unmet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|unmet| unmet["guard"].as_str().map(str::to_owned))
        .collect()
}

/// A refusal to file, for these reasons and with what becomes of it.
pub fn refusal(reasons: &[&str], disposition: &str) -> Value {
    json!({
        "meeting": { "name": "提案审查委员会全体会议", "date": "2026-03-02" },
        "reason_codes": reasons, "explanation": "不属于提案受理范围，已向提案者说明。",
        "disposition": disposition, "proposer_agrees": true,
    })
}

/// 并案 into a main proposal.
pub fn into(main: &Story<'_>) -> Value {
    json!({ "main_id": main.id, "opinion": "内容相近，并案办理。" })
}

impl Story<'_> {
    /// What must not change when an act is refused: the version, and how long the history is.
    pub async fn mark(&self) -> (i32, usize) {
        let auditor = &self.town.auditor;
        let version = self.seen_by(auditor).await.status(200).version();
        (version, self.timeline(auditor).await.len())
    }

    /// Tries something that this guard refuses, and that changes nothing.
    pub async fn is_refused(&self, who: &Person, action: &str, body: Value, guard: &str) -> Reply {
        let before = self.mark().await;
        let reply = self.tries(who, action, body).await;
        let reply = reply.status(409).code("guard-unmet");
        let found = unmet(&reply);
        assert!(found.iter().any(|name| name == guard), "{guard}: {reply}");
        assert_eq!(self.mark().await, before, "{action} changed something");
        reply
    }

    /// Tries something from a status that does not allow it, and that changes nothing.
    pub async fn is_out_of_place(&self, who: &Person, action: &str, body: Value) -> Reply {
        let before = self.mark().await;
        let reply = self.tries(who, action, body).await;
        let reply = reply.status(409).code("state-conflict");
        assert_eq!(self.mark().await, before, "{action} changed something");
        reply
    }

    /// Tries something with a body in which these places are wrong, and that changes nothing.
    pub async fn is_invalid(&self, who: &Person, action: &str, body: Value, places: &[&str]) {
        let before = self.mark().await;
        let reply = self.tries(who, action, body).await;
        reply.status(422).blames(places);
        assert_eq!(self.mark().await, before, "{action} changed something");
    }

    /// The states of the proposers, in order.
    pub async fn consents(&self, who: &Person) -> Vec<String> {
        let seen = self.seen_by(who).await.status(200);
        let proposers = seen.json["proposers"].as_array().expect("proposers");
        proposers
            .iter()
            .map(|one| one["status"].as_str().expect("a status").to_owned())
            .collect()
    }

    /// Whether somebody finds it in the list.
    pub async fn is_listed_for(&self, client: &Client) -> bool {
        let page = client.get("/api/v1/proposals?limit=100").send().await;
        let page = page.status(200);
        let items = page.json["items"].as_array().expect("items");
        items.iter().any(|item| item["id"] == self.id.as_str())
    }

    /// A running clock of the case itself.
    pub async fn case_clock(&self, kind: &str) -> Option<Value> {
        let seen = self.seen_by(&self.town.auditor).await.status(200);
        let clocks = seen.json["clocks"].as_array().expect("clocks").clone();
        clocks.into_iter().find(|clock| clock["kind"] == kind)
    }

    /// Asserts that every chain of the audit trail is whole.
    pub async fn is_whole(&self) {
        is_whole(self.app).await;
    }
}

/// Asserts that every chain of the audit trail is whole, and that rows and numbers are what a check
/// of a restored database asks for.
pub async fn is_whole(app: &TestApp) {
    let findings = app.read(checks::content).await;
    let wrong = |finding: &&Finding| finding.outcome != Outcome::Fine;
    assert_eq!(findings.iter().find(wrong), None);
}

/// An account with these roles, made over HTTP by both administrators; it is signed in.
pub async fn account(app: &TestApp, town: &Town, username: &str, roles: Value) -> Client {
    let user = json!({ "username": username, "display_name": "陈思源" });
    let system = app.signed_in(town, &town.administrator);
    let security = app.signed_in(town, &town.security);
    people::account(&system, &security, user, &roles).await;
    app.first_sign_in(&town.code, username, people::FIRST).await
}

/// Puts these settings into force: drafted by the administrator, activated by the chair.
pub async fn policy(app: &TestApp, town: &Town, settings: Value) {
    let administrator = app.signed_in(town, &town.administrator);
    let chair = app.signed_in(town, &town.chair);
    let base = "/api/v1/policy-profiles";
    let draft = json!({ "settings": settings });
    let draft = administrator.post(base).json(draft).send().await;
    let path = format!("{base}/{}", draft.status(201).id());
    let version = chair.get(&path).send().await.status(200).version();
    let request = chair.post(&format!("{path}/actions/activate"));
    let request = request.if_match(version).json(json!({}));
    request.send().await.status(200);
}

/// The same account once more, when its token has run out.
pub async fn again(app: &TestApp, town: &Town, username: &str) -> Client {
    app.sign_in(&town.code, username, PASSWORD).await
}

/// An organisation and its clerk.
pub async fn organisation(app: &TestApp, town: &Town, name: &str, kind: &str) -> (String, Client) {
    let administrator = app.signed_in(town, &town.administrator);
    let body = json!({ "name": name, "kind": kind, "active": true });
    let made = administrator
        .post("/api/v1/organisations")
        .json(body)
        .send()
        .await
        .status(201);
    let id = made.id();
    let username = format!("clerk.{}", &id[id.len() - 8..]);
    let roles = json!([{ "role": "organisation_clerk", "organisation_id": id }]);
    let client = account(app, town, &username, roles).await;
    (id, client)
}
