//! Files that go with texts: uploaded, named by acts, read by whoever may read the text, removed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use awc::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::Person;
use crate::support::steps::{MULTIPART, PDF, parts, upload as try_upload};
use crate::support::story::{Story, contact, form, members, reply_form};
use crate::support::{Reply, TestApp};

/// Uploads a file; gives its identifier.
async fn upload(case: &Story<'_>, who: &Person, name: &str, content: &[u8]) -> String {
    try_upload(&case.as_(who), &case.path(), name, content)
        .await
        .status(201)
        .id()
}

/// A PDF that differs from others.
fn pdf(text: &str) -> Vec<u8> {
    [PDF, text.as_bytes()].concat()
}

fn at(id: &str) -> String {
    format!("/api/v1/attachments/{id}")
}

async fn content(case: &Story<'_>, who: &Person, id: &str) -> Reply {
    let path = format!("{}/content", at(id));
    case.as_(who).get(&path).send().await
}

/// What somebody finds in the list of the case.
async fn listed(case: &Story<'_>, who: &Person) -> Vec<String> {
    let path = format!("{}/attachments", case.path());
    let list = case.as_(who).get(&path).send().await.status(200);
    list.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Every file that the storage holds.
fn stored(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(stored(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Tries to change the text of the proposal.
async fn try_edit(case: &Story<'_>, patch: Value) -> Reply {
    case.as_(&case.proposer)
        .patch(&case.path())
        .header("If-Match", "*")
        .json(patch)
        .send()
        .await
}

#[actix_web::test]
async fn a_file_goes_with_the_text_from_the_draft_to_those_who_read_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let member = case.as_(&town.members[0]);
    let staged = try_upload(&member, &case.path(), "公交客流调研报告（终稿）.pdf", PDF)
        .await
        .status(201);
    let id = staged.id();
    assert_eq!(staged.text("/status"), "staged");
    assert_eq!(staged.text("/name"), "公交客流调研报告（终稿）.pdf");
    assert_eq!(staged.text("/media_type"), "application/pdf");
    assert_eq!(staged.json["size"], PDF.len());
    assert_eq!(staged.text_header("location"), at(&id));
    let sha256 = staged.text("/sha256");
    assert_eq!(sha256.len(), 64);
    // Staged, it is there for its uploader alone, and the case is as it was.
    for who in [&town.staff, &town.auditor] {
        case.as_(who).get(&at(&id)).send().await.status(404);
        content(&case, who, &id).await.status(404).code("not-found");
        assert!(listed(&case, who).await.is_empty());
    }
    assert_eq!(listed(&case, &town.members[0]).await, [id.as_str()]);
    assert_eq!(case.seen_by(&town.members[0]).await.version(), 1);
    let edited = case.edit(json!({ "attachment_ids": [id] })).await;
    assert_eq!(edited.json["form"]["attachment_ids"], json!([id]));
    assert_eq!(edited.json["text_version"], 2);
    case.submit().await;
    let facts = case.as_(&town.staff).get(&at(&id)).send().await.status(200);
    assert_eq!(facts.text("/status"), "bound");
    assert_eq!(facts.text("/bound_to/kind"), "proposal_text");
    assert_eq!(facts.text("/bound_to/id"), case.id);
    assert_eq!(facts.json["current"], true);
    let got = content(&case, &town.staff, &id).await.status(200);
    assert_eq!(got.body, PDF);
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-length", &PDF.len().to_string()),
        ("etag", &format!("\"{sha256}\"")),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        (
            "content-security-policy",
            "default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(got.text_header(name), value, "{name}");
    }
    let saved = got.text_header("content-disposition");
    assert!(saved.starts_with("attachment; filename=\"") && saved.contains("UTF-8''%E5%85%AC"));
    assert!(got.text_header("repr-digest").starts_with("sha-256=:"));
    let known = case
        .as_(&town.staff)
        .get(&format!("{}/content", at(&id)))
        .header("If-None-Match", format!("\"{sha256}\""))
        .send()
        .await;
    assert!(known.status(304).body.is_empty());
    // Another member and the units know of it once they may know of the case.
    for who in [&town.members[1], &town.unit_clerks[0]] {
        content(&case, who, &id).await.status(404);
    }
    let anonymous = app.anonymous().get(&at(&id)).send().await;
    anonymous.status(401);
    case.examine_all().await;
    case.file().await;
    content(&case, &town.members[1], &id).await.status(200);
    content(&case, &town.unit_clerks[0], &id).await.status(404);
    // What the trail says of it tells the content but not the name.
    let events = case.trail().await;
    let trail = format!("{events:?}");
    assert!(trail.contains(&id) && !trail.contains("公交客流调研报告"));
    assert_eq!(stored(app.storage()).len(), 1);
}

#[actix_web::test]
async fn the_content_decides_and_the_extension_must_fit() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let member = case.as_(&town.members[0]);
    for (name, content, code) in [
        (
            "报告.pdf",
            &b"MZ\x90\0\x03\0\0\0"[..],
            "content_not_allowed",
        ),
        ("报告.docx", b"PK\x03\x04 and so on", "content_not_allowed"),
        ("page.txt", b"\xff\xfetext", "content_not_allowed"),
        (
            "page.html",
            b"<script>alert(1)</script>",
            "extension_mismatch",
        ),
        ("run.exe", PDF, "extension_mismatch"),
        ("报告", PDF, "extension_mismatch"),
        ("报告.docx", PDF, "extension_mismatch"),
        ("空.pdf", b"", "empty"),
    ] {
        let refused = try_upload(&member, &case.path(), name, content).await;
        let refused = refused.status(422).code("invalid-input").blames(&["/file"]);
        assert_eq!(refused.json["errors"][0]["code"], code, "{name}");
    }
    for (name, content) in [
        ("a.PDF", PDF),
        ("说明.txt", "第一条".as_bytes()),
        ("b.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("c.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ] {
        upload(&case, &town.members[0], name, content).await;
    }
    assert_eq!(stored(app.storage()).len(), 4);
}

#[actix_web::test]
async fn names_are_made_harmless() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let member = case.as_(&town.members[0]);
    for (given, kept) in [
        ("../../../etc/passwd.pdf", "passwd.pdf".to_owned()),
        ("..\\\\..\\\\boot.pdf", "boot.pdf".to_owned()),
        ("x\u{202e}fdp.pdf", "xfdp.pdf".to_owned()),
        (
            &format!("{}.pdf", "长".repeat(300)),
            format!("{}.pdf", "长".repeat(196)),
        ),
    ] {
        let made = try_upload(&member, &case.path(), given, PDF).await;
        assert_eq!(made.status(201).text("/name"), kept, "{given}");
    }
    // The extended form of the name comes first.
    let body = b"--jianjian-test\r\nContent-Disposition: form-data; name=\"file\"; \
        filename=\"x.pdf\"; filename*=UTF-8''%E9%99%84%E4%BB%B6%00.pdf\r\n\r\n%PDF-1.4\r\n\
        --jianjian-test--\r\n";
    let path = format!("{}/attachments", case.path());
    let made = member.post(&path).raw(MULTIPART, &body[..]).send().await;
    assert_eq!(made.status(201).text("/name"), "附件.pdf");
    // A NUL in the head of a part is no head at all.
    let nul = parts(&[("file", Some("a\0.pdf"), PDF)]);
    let refused = member.post(&path).raw(MULTIPART, nul).send().await;
    assert!([400, 422].contains(&refused.status), "{refused}");
    for file in stored(app.storage()) {
        let name = file.file_name().and_then(|name| name.to_str());
        assert_eq!(name.map(str::len), Some(64 + 1 + 32), "{}", file.display());
    }
}

#[actix_web::test]
async fn a_body_of_another_form_is_refused() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let member = case.as_(&town.members[0]);
    let path = format!("{}/attachments", case.path());
    let send = |kind: &'static str, body: Vec<u8>| member.post(&path).raw(kind, body).send();
    let json = send("application/json", b"{}".to_vec()).await;
    let json = json.status(415).code("unsupported-media-type");
    assert_eq!(json.text("/accepts"), "multipart/form-data");
    let mixed = "multipart/mixed; boundary=jianjian-test";
    let body = parts(&[("file", Some("a.pdf"), PDF)]);
    send(mixed, body.clone()).await.status(415);
    let cut = body[..body.len() - 20].to_vec();
    for (kind, body) in [
        ("multipart/form-data", body.clone()),
        (MULTIPART, b"nothing of the kind".to_vec()),
        (MULTIPART, cut),
    ] {
        send(kind, body)
            .await
            .status(400)
            .code("malformed-multipart");
    }
    for (body, pointer) in [
        (parts(&[]), "/file"),
        (parts(&[("file", None, PDF)]), "/file"),
        (parts(&[("other", Some("a.pdf"), PDF)]), "/other"),
        (
            parts(&[("file", Some("a.pdf"), PDF), ("file", Some("b.pdf"), PDF)]),
            "/file",
        ),
    ] {
        let refused = send(MULTIPART, body).await.status(422);
        refused.code("invalid-body").blames(&[pointer]);
    }
    assert!(stored(app.storage()).is_empty());
    // Whoever may not upload learns nothing of the body.
    for (who, status) in [(&town.members[1], 404), (&town.examiners[0], 403)] {
        let refused = case
            .as_(who)
            .post(&path)
            .raw("text/plain", "?")
            .send()
            .await;
        refused.status(status);
    }
}

/// Sends a request as it is and reads what comes back, until the connection ends or is silent.
fn raw(app: &TestApp, head: &str, mut more: impl FnMut() -> Option<Vec<u8>>) -> Vec<u8> {
    let address = app.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("to connect");
    // The rest of a body without a length is waited for, so the connection may stay open.
    let patience = std::time::Duration::from_secs(3);
    stream.set_read_timeout(Some(patience)).expect("to set");
    stream.write_all(head.as_bytes()).expect("to send");
    while let Some(piece) = more() {
        // The service may end it before all is sent.
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[actix_web::test]
async fn too_much_is_refused_while_it_arrives() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let token = app.token(&town, &town.members[0]);
    let head = |length: &str| {
        format!(
            "POST {}/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {MULTIPART}\r\n{length}\r\n\r\n",
            case.path()
        )
    };
    let start = "--jianjian-test\r\nContent-Disposition: form-data; name=\"file\"; \
        filename=\"a.pdf\"\r\n\r\n%PDF-1.7\n";
    // Declared too large: refused at once.
    let refused = raw(&app, &head("Content-Length: 40000000"), || None);
    let refused = String::from_utf8_lossy(&refused);
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    assert!(refused.contains("\"max_bytes\":33554432"), "{refused}");
    // Not declared: refused as soon as the limit is passed, whatever would follow.
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let mut sent = 0;
    let refused = raw(&app, &head("Transfer-Encoding: chunked"), || {
        sent += 1;
        match sent {
            1 => Some(chunk(start.as_bytes())),
            2..=35 => Some(chunk(&vec![b'x'; 1024 * 1024])),
            _ => None,
        }
    });
    assert!(refused.starts_with(b"HTTP/1.1 413"));
    assert!(stored(app.storage()).is_empty());
    // The largest that is allowed comes back as it was, in parts.
    let mut large = vec![b'x'; 32 * 1024 * 1024];
    large[..5].copy_from_slice(b"%PDF-");
    let id = upload(&case, &town.members[0], "大.pdf", &large).await;
    let got = content(&case, &town.members[0], &id).await.status(200);
    assert!(got.body == large);
    large.push(b'x');
    let refused = try_upload(&case.as_(&town.members[0]), &case.path(), "a.pdf", &large).await;
    refused.status(413).code("payload-too-large");
}

#[actix_web::test]
async fn a_text_takes_own_files_of_its_case_within_the_limits() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, &people[0], body).await;
    let invited = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invited).await;
    let other = Story::draft(&app, &town, &people[0]).await;
    let mut own = Vec::new();
    for number in 0..6 {
        let name = format!("{number}.pdf");
        own.push(upload(&case, &people[0], &name, &pdf(&name)).await);
    }
    let elsewhere = upload(&other, &people[0], "a.pdf", PDF).await;
    let foreign = upload(&case, &people[1], "b.pdf", PDF).await;
    let unknown = "atta_019a1b2c3d4e7f8090a1b2c3d4e5f607";
    for (ids, pointer, code) in [
        (json!([own[0], own[0]]), "/attachment_ids/1", "duplicate"),
        (
            json!([own[0], elsewhere]),
            "/attachment_ids/1",
            "unknown_attachment",
        ),
        (json!([foreign]), "/attachment_ids/0", "unknown_attachment"),
        (json!([unknown]), "/attachment_ids/0", "unknown_attachment"),
        (json!(own), "/attachment_ids", "max_items"),
    ] {
        let refused = try_edit(&case, json!({ "attachment_ids": ids })).await;
        let refused = refused.status(422).code("invalid-input").blames(&[pointer]);
        assert_eq!(refused.json["errors"][0]["code"], code);
    }
    let many = json!({ "attachment_ids": vec![unknown; 21] });
    try_edit(&case, many).await.status(422).code("invalid-body");
    // There is no case before there is a proposal.
    let mut early = form();
    early["attachment_ids"] = json!([own[0]]);
    let made = case.as_(&people[0]).post("/api/v1/proposals");
    let made = made.json(json!({ "kind": "individual", "form": early }));
    let refused = made.send().await.status(422).code("invalid-input");
    refused.blames(&["/form/attachment_ids"]);
    // Files belong to what a co-signer consents to.
    case.does(&people[1], "consent-cosign", json!({})).await;
    let edited = case.edit(json!({ "attachment_ids": own[..5] })).await;
    assert_eq!(edited.json["proposers"][1]["status"], "stale");
    // The consent may bring a file of its own, and only its author's.
    for (ids, status) in [(json!([own[5]]), 422), (json!([foreign]), 200)] {
        let body = json!({ "attachment_ids": ids });
        let consent = case.tries(&people[1], "consent-cosign", body).await;
        consent.status(status);
    }
    let facts = case.as_(&people[0]).get(&at(&foreign)).send().await;
    assert_eq!(facts.status(200).text("/bound_to/kind"), "consent");
    // Named by a text, a file does not serve for another one and does not go away.
    let client = case.as_(&people[0]);
    let gone = client.request(Method::DELETE, &at(&own[0]));
    let gone = gone.header("If-Match", "*").send().await;
    gone.status(409).code("in-use");
    // Left out again, it stays with the earlier version, for those who may read that.
    case.edit(json!({ "attachment_ids": own[1..5] })).await;
    let facts = client.get(&at(&own[0])).send().await.status(200);
    assert_eq!(facts.json["current"], false);
    content(&case, &town.auditor, &own[0]).await.status(200);
    content(&case, &people[1], &own[0]).await.status(200);
    content(&case, &people[2], &own[0]).await.status(404);
    case.edit(json!({ "attachment_ids": [own[0]] })).await;
    content(&case, &people[1], &own[0]).await.status(200);
}

#[actix_web::test]
async fn the_files_of_a_reply_are_part_of_what_is_signed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.accept(1).await;
    let (lead, other) = (&town.unit_clerks[0], &town.unit_clerks[1]);
    // The units' own records.
    let met = upload(&case, lead, "沟通记录.txt", "面商记录".as_bytes()).await;
    let mut body = contact();
    body["attachment_ids"] = json!([met]);
    case.on_row(0, "record-contact", body).await;
    let agreed = upload(&case, other, "会办意见.pdf", &pdf("会办")).await;
    let body = json!({ "text": "同意。", "signatory": "郑海峰", "attachment_ids": [agreed] });
    case.on_row(1, "submit-opinion", body).await;
    content(&case, member, &met).await.status(200);
    content(&case, &town.leader, &met).await.status(404);
    content(&case, lead, &agreed).await.status(200);
    content(&case, member, &agreed).await.status(404);
    let records = format!("{}/records", case.path());
    let records = case.as_(lead).get(&records).send().await.status(200);
    assert_eq!(records.json["contacts"][0]["attachment_ids"], json!([met]));
    assert_eq!(
        records.json["co_opinions"][0]["content"]["attachment_ids"],
        json!([agreed])
    );
    // The reply.
    let plan = upload(&case, lead, "实施方案.pdf", &pdf("方案")).await;
    let mut text = reply_form();
    text["attachment_ids"] = json!([plan]);
    let drafted = case.draft_reply_of(0, text).await;
    let hash = drafted.text("/content_hash");
    case.request_countersign(0).await;
    content(&case, &town.signatories[1], &plan)
        .await
        .status(200);
    content(&case, member, &plan).await.status(404);
    case.countersign(0, 1).await;
    let better = upload(&case, lead, "实施方案2.pdf", &pdf("方案二")).await;
    let edited = case.as_(lead).patch(&case.reply(0)).header("If-Match", "*");
    let edited = edited
        .json(json!({ "attachment_ids": [better] }))
        .send()
        .await;
    let edited = edited.status(200);
    assert_ne!(
        edited.text("/content_hash"),
        hash,
        "files are part of the hash"
    );
    let unsigned = case.tries_on_reply(
        &town.signatories[0],
        0,
        "sign",
        json!({ "signatory": "林涛" }),
    );
    unsigned.await.status(409).code("guard-unmet");
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    content(&case, member, &better).await.status(200);
    content(&case, &town.members[1], &better).await.status(200);
    content(&case, member, &plan).await.status(404);
    content(&case, &town.auditor, &plan).await.status(200);
    // An opinion form: not for the handling side before the conclusion (I21).
    let seen = upload(&case, member, "现场照片.png", b"\x89PNG\r\n\x1a\n\0").await;
    let mut grades = case.grades(0);
    grades["attachment_ids"] = json!([seen]);
    let trial = case
        .as_(member)
        .post(&format!(
            "{}/actions/give-feedback?validate_only=true",
            case.path()
        ))
        .header("If-Match", "*")
        .json(&grades);
    trial.send().await.status(200);
    case.does(member, "give-feedback", grades).await;
    let facts = case.as_(&town.staff).get(&at(&seen)).send().await;
    let facts = facts.status(200);
    assert_eq!(facts.text("/bound_to/kind"), "opinion_form");
    assert_eq!(facts.text("/bound_to/id"), case.replies[&0]);
    assert!(facts.text("/bound_to/rater_id").starts_with("prps_"));
}

#[actix_web::test]
async fn the_files_of_a_form_are_hidden_from_units_until_all_have_answered() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    let seen = upload(&case, &people[0], "现场照片.png", b"\x89PNG\r\n\x1a\n\0").await;
    let mut grades = case.grades(0);
    grades["attachment_ids"] = json!([seen]);
    case.does(&people[0], "give-feedback", grades).await;
    content(&case, &town.staff, &seen).await.status(200);
    content(&case, &town.unit_clerks[0], &seen)
        .await
        .status(404);
    assert!(listed(&case, &town.unit_clerks[0]).await.is_empty());
    case.rate(&people[1], 0).await;
    content(&case, &town.unit_clerks[0], &seen)
        .await
        .status(200);
}

/// Waits until the storage holds this many files.
async fn until_stored(app: &TestApp, count: usize) {
    for _ in 0..200 {
        if stored(app.storage()).len() == count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{:?}", stored(app.storage()));
}

#[actix_web::test]
async fn a_text_that_must_go_takes_its_files_with_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    let first = upload(&case, member, "绝密一.pdf", &pdf("一")).await;
    let second = upload(&case, member, "绝密二.pdf", &pdf("二")).await;
    let staged = upload(&case, member, "绝密三.pdf", &pdf("三")).await;
    case.edit(json!({ "attachment_ids": [first] })).await;
    case.edit(json!({ "attachment_ids": [second] })).await;
    case.submit().await;
    assert_eq!(stored(app.storage()).len(), 3);
    let body = json!({
        "meeting": { "name": "提案审查委员会全体会议", "date": "2026-03-02" },
        "reason_codes": ["state_or_party_secret"], "explanation": "涉及秘密。",
        "disposition": "kept",
    });
    case.does(&town.chair, "not-file", body).await;
    until_stored(&app, 0).await;
    for id in [&first, &second] {
        let gone = content(&case, member, id).await;
        gone.status(410).code("content-removed");
        let facts = case.as_(member).get(&at(id)).send().await.status(200);
        assert_eq!(facts.text("/status"), "removed");
        assert_eq!(facts.text("/name"), "removed.pdf");
        assert_eq!(facts.json["content_href"], Value::Null);
    }
    content(&case, member, &staged).await.status(404);
    assert_eq!(listed(&case, member).await.len(), 2);
}

#[actix_web::test]
async fn what_nobody_uses_goes_away() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    let client = case.as_(member);
    let used = upload(&case, member, "a.pdf", &pdf("a")).await;
    case.edit(json!({ "attachment_ids": [used] })).await;
    // By hand.
    let doomed = upload(&case, member, "b.pdf", &pdf("b")).await;
    let delete = || client.request(Method::DELETE, &at(&doomed));
    let refused = delete().send().await;
    refused.status(428).code("precondition-required");
    let refused = delete().if_match(7).send().await;
    refused.status(412).code("version-mismatch");
    delete().if_match(1).send().await.status(204);
    delete().if_match(1).send().await.status(404);
    client.get(&at(&doomed)).send().await.status(404);
    until_stored(&app, 1).await;
    // By time.
    let late = upload(&case, member, "c.pdf", &pdf("c")).await;
    app.clock.advance(SignedDuration::from_hours(23));
    app.app.sweep_files().await.expect("to sweep");
    app.signed_in(&town, member)
        .get(&at(&late))
        .send()
        .await
        .status(200);
    app.clock.advance(SignedDuration::from_hours(2));
    app.app.sweep_files().await.expect("to sweep");
    let client = app.signed_in(&town, member);
    client.get(&at(&late)).send().await.status(404);
    assert_eq!(stored(app.storage()).len(), 1);
    content(&case, member, &used).await.status(200);
    let edit = json!({ "attachment_ids": [used, late] });
    let refused = try_edit(&case, edit).await.status(422);
    refused.blames(&["/attachment_ids/1"]);
}

#[actix_web::test]
async fn an_upload_that_is_repeated_happens_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let member = case.as_(&town.members[0]);
    let path = format!("{}/attachments", case.path());
    let send = |name: &str, content: &[u8], query: &str| {
        let body = parts(&[("file", Some(name), content)]);
        let request = member.post(&format!("{path}{query}"));
        request.key("upload-0001").raw(MULTIPART, body).send()
    };
    let trial = send("a.pdf", PDF, "?validate_only=true").await.status(201);
    assert_eq!(trial.text_header("location"), "");
    assert!(stored(app.storage()).is_empty());
    let first = send("a.pdf", PDF, "").await.status(201);
    let again = send("a.pdf", PDF, "").await.status(201);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    for (name, content) in [("b.pdf", PDF), ("a.pdf", b"%PDF-1.4 other")] {
        let refused = send(name, content, "").await;
        refused.status(422).code("idempotency-key-reused");
    }
    assert_eq!(stored(app.storage()).len(), 1);
    // At once: one effect, and nothing left over.
    let twin = || {
        let body = parts(&[("file", Some("twin.pdf"), PDF)]);
        member
            .post(&path)
            .key("upload-0002")
            .raw(MULTIPART, body)
            .send()
    };
    let (a, b, c) = tokio::join!(twin(), twin(), twin());
    let ids = [a, b, c].map(|reply| reply.status(201).id());
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    app.app.sweep_files().await.expect("to sweep");
    assert_eq!(stored(app.storage()).len(), 2);
    assert_eq!(listed(&case, &town.members[0]).await.len(), 2);
}

#[actix_web::test]
async fn not_more_than_twenty_files_wait() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    for number in 0..20 {
        upload(&case, member, "a.pdf", &pdf(&number.to_string())).await;
    }
    let client = case.as_(member);
    let refused = try_upload(&client, &case.path(), "a.pdf", PDF).await;
    let refused = refused.status(409).code("guard-unmet");
    assert_eq!(refused.json["unmet"][0]["guard"], "staged_within_limit");
    let other = Story::draft(&app, &town, member).await;
    upload(&other, member, "a.pdf", PDF).await;
}

#[actix_web::test]
async fn a_storage_that_is_away_or_lies_is_found_out() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    let id = upload(&case, member, "a.pdf", &pdf(&"x".repeat(50_000))).await;
    // Changed behind the back of the service, of the same size.
    let file = stored(app.storage()).remove(0);
    let mut bytes = std::fs::read(&file).expect("to read");
    bytes[40_000] ^= 1;
    std::fs::write(&file, &bytes).expect("to write");
    let token = app.token(&town, member);
    let head = format!(
        "GET {}/content HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n",
        at(&id)
    );
    let answer = raw(&app, &head, || None);
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n");
    assert!(answer.len() - body.expect("a head") - 4 < bytes.len());
    // Of another size, or lost.
    std::fs::write(&file, b"%PDF-").expect("to write");
    let broken = content(&case, member, &id).await;
    broken.status(500).code("internal");
    // Nothing can be stored.
    let committee = town.committee.uuid().simple().to_string();
    std::fs::remove_dir_all(app.storage().join(&committee)).expect("to remove");
    content(&case, member, &id).await.status(500);
    std::fs::write(app.storage().join(&committee), "in the way").expect("to write");
    let client = case.as_(member);
    let refused = try_upload(&client, &case.path(), "b.pdf", PDF).await;
    let refused = refused.status(503).code("storage-unavailable");
    assert!(!refused.text_header("retry-after").is_empty());
    assert_eq!(listed(&case, member).await, [id.as_str()]);
    std::fs::remove_file(app.storage().join(&committee)).expect("to remove");
    // What was announced and never came is forgotten.
    app.clock.advance(SignedDuration::from_hours(25));
    app.app.sweep_files().await.expect("to sweep");
    assert_eq!(app.database().row_counts()["attachments"], 0);
}
