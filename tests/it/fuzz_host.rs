//! A service with somebody in every role and something of every kind, for tools that send requests
//! of their own: `scripts/fuzz` names a file in `JIANJIAN_FUZZ_HOST`. What there is is written into
//! it, and the service runs until the file is gone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jianjian::auth::totp::{self, Secret};
use serde_json::{Value, json};

use crate::conditional;
use crate::permissions::{case_at, columns, step_of};
use crate::support::seed::{PASSWORD, Person, Town};
use crate::support::story::Story;
use crate::support::{TestApp, wants_token};

/// Fewest roles with a token.
const ROLES: usize = 12;

/// Who calls an operation, where another one than the first of the document's roles is right.
fn caller_of(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "submit_opinion_assignment" => "co_handler_clerk",
        "countersign_reply" | "object_reply" => "co_handler_signatory",
        "consent_cosign_proposal" | "decline_cosign_proposal" => "invited_member",
        "draft_reply" | "edit_reply" => "unit_clerk",
        "invite_cosigners_proposal"
        | "object_contact_assignment"
        | "recall_proposal"
        | "request_urgency_proposal"
        | "submit_proposal"
        | "withdraw_proposal" => "member",
        _ => return None,
    })
}

/// The object that an operation is for, in the state from which it starts.
fn object_of(operation: &str, path: &str, case: &Story<'_>) -> Option<String> {
    let row = usize::from(operation == "submit_opinion_assignment");
    if path.contains("{proposal_id}") {
        Some(case.id.clone())
    } else if path.contains("{assignment_id}") {
        case.rows.get(&row).cloned()
    } else if path.contains("{reply_id}") {
        case.replies.get(&0).cloned()
    } else if path.contains("{attachment_id}") {
        case.file.clone()
    } else {
        None
    }
}

/// What there is: who may be signed in as, which identifiers name something, and the best of both
/// for each operation.
pub async fn host(app: &TestApp, town: &Town) -> Value {
    let document = app.openapi().await;
    let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, id) in conditional::objects(app, town).await {
        ids.entry(name).or_default().push(id);
    }
    // Whoever is signed in stays as they are: this one is changed, disabled, told another password.
    ids.insert("user_id", vec![town.examiners[1].user.to_string()]);
    ids.insert("reason_code", vec!["bad_form".to_owned()]);
    ids.insert("version", vec!["current".to_owned(), "1".to_owned()]);
    ids.insert("code", vec!["state-conflict".to_owned()]);
    ids.insert("number", vec!["1".to_owned()]);
    let mut cases: BTreeMap<&str, Story<'_>> = BTreeMap::new();
    let mut best = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("operations").values() {
            let id = operation["operationId"].as_str().expect("a name");
            let step = step_of(id);
            let on_case = [
                "{proposal_id}",
                "{assignment_id}",
                "{reply_id}",
                "{attachment_id}",
            ];
            if on_case.iter().any(|name| path.contains(name)) && !cases.contains_key(step) {
                let case = case_at(app, town, step).await;
                if step == "accepted" {
                    let body = json!({
                        "leader": "周明远", "post": "副市长", "date": "2026-03-02",
                        "kind": "instruction", "due_on": "2026-04-02",
                        "text": "请认真办理。", "unit_ids": [town.units[0]],
                    });
                    case.does(&town.leader, "instruct", body).await;
                }
                cases.insert(step, case);
            }
            let object = cases.get(step).and_then(|case| object_of(id, path, case));
            best.insert(
                id.to_owned(),
                json!({ "id": object, "caller": caller_of(id), "token": wants_token(operation) }),
            );
        }
    }
    for case in cases.values() {
        let mut add = |name, id: &String| {
            let known = ids.entry(name).or_default();
            known.extend((!known.contains(id)).then(|| id.clone()));
        };
        add("proposal_id", &case.id);
        case.rows.values().for_each(|id| add("assignment_id", id));
        case.replies.values().for_each(|id| add("reply_id", id));
        case.file.iter().for_each(|id| add("attachment_id", id));
    }
    let tokens: BTreeMap<_, _> = columns(town)
        .into_iter()
        .map(|(name, person)| (name, app.token(town, &person)))
        .chain([
            ("security_administrator", app.token(town, &town.security)),
            // Signs out, and is nobody afterwards.
            ("leaving", app.token(town, &town.examiners[1])),
        ])
        .collect();
    json!({ "base": app.base(), "tokens": tokens, "ids": ids, "operations": best })
}

/// Cases that no other operation relies on, and how many of them in each state. `scripts/fuzz` goes
/// on with some of them by the examples of the document, to where further operations start from.
const SPARE: [(&str, usize); 10] = [
    ("draft", 3),
    ("submitted", 5),
    ("examined", 1),
    ("filed", 8),
    ("accepted", 14),
    ("drafted", 1),
    ("countersigning", 1),
    ("signed", 2),
    ("handled", 3),
    ("feedback", 5),
];

async fn spare_cases(app: &TestApp, town: &Town, host: &mut Value) {
    let mut spare: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (step, count) in SPARE {
        for _ in 0..count {
            let case = case_at(app, town, step).await;
            let rows: Vec<_> = case.rows.values().collect();
            let replies: Vec<_> = case.replies.values().collect();
            for (name, ids) in [
                ("proposal_id", vec![&case.id]),
                ("assignment_id", rows.clone()),
                ("reply_id", replies.clone()),
            ] {
                let known = host["ids"][name].as_array_mut().expect("identifiers");
                known.extend(ids.into_iter().map(|id| json!(id)));
            }
            let case = json!({ "proposal_id": case.id, "rows": rows, "replies": replies });
            spare.entry(step).or_default().push(case);
        }
    }
    host["spare"] = json!(spare);
}

/// What no schema tells of a body: passwords, tokens and codes that are right. The clock stands
/// still, so a code stays what it is, and nothing of it is used up by a trial.
async fn right_bodies(app: &TestApp, town: &Town, host: &mut Value) {
    let credentials = |person: &Person| json!({ "committee": town.code, "username": person.username, "password": PASSWORD });
    let sign_in = |person: &Person| {
        let login = app.anonymous().post("/api/v1/auth/login");
        login.json(credentials(person)).send()
    };
    let factor = "/api/v1/auth/second-factor";
    // One has begun with the second factor, the other one has it.
    let (enrolling, proven) = (&town.examiners[0], &town.members[3]);
    let mut codes = Vec::new();
    for person in [enrolling, proven] {
        let client = app.signed_in(town, person);
        let begun = client.post(factor).json(json!({})).send().await.status(200);
        let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
        codes.push(secret.code(totp::period(app.clock_now())));
        if person.user == proven.user {
            let confirm = client.post(&format!("{factor}/actions/confirm"));
            let first = secret.code(totp::period(app.clock_now()) - 1);
            confirm
                .json(json!({ "code": first }))
                .send()
                .await
                .status(200);
        }
    }
    let waiting = sign_in(proven).await.status(401);
    let signed_in = sign_in(&town.members[4]).await.status(200);
    let code = json!({ "code": codes[1] });
    let mut right = |operation: &str, caller: Option<&str>, body: Value| {
        let known = &mut host["operations"][operation];
        known["body"] = body;
        if caller.is_some() {
            known["caller"] = json!(caller);
        }
    };
    right("login", None, credentials(&town.members[4]));
    right(
        "login_second_factor",
        None,
        json!({ "challenge": waiting.text("/challenge"), "code": codes[1] }),
    );
    right(
        "refresh_tokens",
        None,
        json!({ "refresh_token": signed_in.text("/refresh_token") }),
    );
    right(
        "change_password",
        Some("leaving"),
        json!({ "old_password": PASSWORD, "new_password": "qing-shui-2026" }),
    );
    right(
        "confirm_second_factor",
        Some("enrolling"),
        json!({ "code": codes[0] }),
    );
    for operation in ["disable_second_factor", "replace_recovery_codes", "step_up"] {
        right(operation, Some("proven"), code.clone());
    }
    host["tokens"]["enrolling"] = json!(app.token(town, enrolling));
    host["tokens"]["proven"] = json!(app.token(town, proven));
}

#[actix_web::test]
async fn a_host_for_fuzzers_has_every_role_and_something_of_every_kind() {
    let app = TestApp::start_with(|config| {
        config.server.workers = 2;
        // All requests come from one address, and many of them name no account.
        config.auth.address_limit.refusals = 0;
    })
    .await;
    let town = app.town().await;
    let mut host = host(&app, &town).await;
    spare_cases(&app, &town, &mut host).await;
    right_bodies(&app, &town, &mut host).await;
    let mut roles = std::collections::BTreeSet::new();
    for (name, token) in host["tokens"].as_object().expect("tokens") {
        let client = app.client(token.as_str().expect("a token"));
        let me = client.get("/api/v1/auth/me").send().await.status(200);
        assert_ne!(me.json["roles"], json!([]), "{name}: {me}");
        roles.insert(me.text("/roles/0/role"));
    }
    assert!(roles.len() >= ROLES, "{roles:?}");
    for (path, name, reader) in [
        ("proposals", "proposal_id", &town.members[0]),
        ("assignments", "assignment_id", &town.auditor),
        ("replies", "reply_id", &town.unit_clerks[0]),
        ("attachments", "attachment_id", &town.members[0]),
        ("units", "unit_id", &town.auditor),
    ] {
        let reader = app.signed_in(&town, reader);
        let ids = host["ids"][name].as_array().expect("identifiers");
        assert!(!ids.is_empty(), "{name}");
        for id in ids {
            let path = format!("/api/v1/{path}/{}", id.as_str().expect("text"));
            reader.get(&path).send().await.status(200);
        }
    }
    if let Some(file) = std::env::var_os("JIANJIAN_FUZZ_HOST").map(PathBuf::from) {
        let made = file.with_extension("new");
        std::fs::write(&made, host.to_string()).expect("to write");
        std::fs::rename(&made, &file).expect("to rename");
        while file.exists() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
