//! Steps of a case for tests that are about something else than the workflow.

use serde_json::{Value, json};

use super::seed::Town;
use super::{Client, Reply, TestApp};

/// What a member writes.
pub fn form(title: &str) -> Value {
    json!({
        "title": title,
        "situation": "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。",
        "analysis": "现有线路以干道为主，站点覆盖率不足，接驳不便。",
        "suggestions": ["开通两条社区微循环线路。"],
        "publish_consent": true,
        "no_secret_declaration": true
    })
}

/// A draft of the member.
pub async fn draft(member: &Client, title: &str) -> Reply {
    member
        .post("/api/v1/proposals")
        .json(json!({ "kind": "individual", "form": form(title) }))
        .send()
        .await
        .status(201)
}

/// An act on whatever version there is.
pub async fn act(client: &Client, object: &str, action: &str, body: Value) -> Reply {
    client
        .post(&format!("{object}/actions/{action}"))
        .header("If-Match", "*")
        .json(body)
        .send()
        .await
}

/// Address of a proposal that was handed in.
pub async fn submitted(app: &TestApp, town: &Town, title: &str) -> String {
    let member = app.signed_in(town, &town.members[0]);
    let made = draft(&member, title).await;
    let path = made.text_header("location").to_owned();
    act(&member, &path, "submit", json!({})).await.status(200);
    path
}

/// What an examiner says.
pub fn opinion(town: &Town) -> Value {
    json!({
        "opinion": "一事一案，建议立案。",
        "recommendation": "file",
        "checklist": { "standing": true, "content": true, "form": true },
        "subject_class": "social",
        "draft_units": [town.units[0]],
    })
}

/// Address of a proposal that passed both stages of examination.
pub async fn examined(app: &TestApp, town: &Town, title: &str) -> String {
    let path = submitted(app, town, title).await;
    for examiner in &town.examiners[..2] {
        let examiner = app.signed_in(town, examiner);
        act(&examiner, &path, "examine", opinion(town))
            .await
            .status(200);
    }
    path
}

/// The decision to file.
pub fn filing() -> Value {
    json!({ "meeting": { "name": "提案审查委员会全体会议", "date": "2026-03-02" } })
}

/// Address of a proposal on file.
pub async fn filed(app: &TestApp, town: &Town, title: &str) -> String {
    let path = examined(app, town, title).await;
    let chair = app.signed_in(town, &town.chair);
    act(&chair, &path, "file", filing()).await.status(200);
    path
}

/// The case, assigned to the first unit as lead and the second as co-handler.
pub async fn assigned(app: &TestApp, town: &Town, title: &str) -> Reply {
    let path = filed(app, town, title).await;
    let officer = app.signed_in(town, &town.officer);
    let rows = json!([
        { "unit_id": town.units[0], "role": "lead" },
        { "unit_id": town.units[1], "role": "co_handler" },
    ]);
    let body = json!({ "handling_kind": "joint", "rows": rows });
    act(&officer, &path, "assign", body).await.status(200)
}

/// Who signs for the case in a unit.
pub fn clerk() -> Value {
    json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" })
}

/// A reply as a unit writes it.
pub fn reply() -> Value {
    json!({
        "outcome": "resolved", "digest": "已解决。", "body": "您的提案收悉，现答复如下。",
        "leader": "林涛", "clerk": "陈思源", "phone": "0599-5550145", "publication": "full",
    })
}

/// Addresses of everything there is in a case under way.
pub struct UnderWay {
    /// The proposal.
    pub proposal: String,
    /// The row of the lead, accepted.
    pub lead: String,
    /// The row of the co-handler, not accepted.
    pub other: String,
    /// The draft of the lead's reply.
    pub reply: String,
}

/// A case whose lead has drafted a reply.
pub async fn under_way(app: &TestApp, town: &Town, title: &str) -> UnderWay {
    let case = assigned(app, town, title).await;
    let row = |n: usize| {
        format!(
            "/api/v1/assignments/{}",
            case.text(&format!("/assignments/{n}/id"))
        )
    };
    let (mut lead, mut other) = (row(0), row(1));
    if case.text("/assignments/0/role") != "lead" {
        std::mem::swap(&mut lead, &mut other);
    }
    let unit = app.signed_in(town, &town.unit_clerks[0]);
    act(&unit, &lead, "accept", clerk()).await.status(200);
    let drafted = unit
        .post(&format!("{lead}/replies"))
        .header("If-Match", "*")
        .json(reply())
        .send()
        .await
        .status(201);
    UnderWay {
        proposal: format!("/api/v1/proposals/{}", case.id()),
        lead,
        other,
        reply: drafted.text_header("location").to_owned(),
    }
}

/// The media type of [`parts`].
pub const MULTIPART: &str = "multipart/form-data; boundary=jianjian-test";
/// A file.
pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n";

/// A body with parts: name of the part, name of the file, content.
pub fn parts(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        body.extend(
            format!(
                "--jianjian-test\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .bytes(),
        );
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--jianjian-test--\r\n");
    body
}

/// Uploads a file to a proposal.
pub async fn upload(client: &Client, proposal: &str, name: &str, content: &[u8]) -> Reply {
    client
        .post(&format!("{proposal}/attachments"))
        .raw(MULTIPART, parts(&[("file", Some(name), content)]))
        .send()
        .await
}
