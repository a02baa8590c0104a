//! If-Match and If-None-Match, on everything that the document lists.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::{Client, Reply, TestApp, steps};

/// Addresses of objects by the name of their path parameter.
pub async fn objects(app: &TestApp, town: &Town) -> Vec<(&'static str, String)> {
    let below = app.town_called("qingshui").await;
    objects_with(app, town, &below).await
}

/// The same, where another committee becomes the one below, of which a case was sent up.
pub async fn objects_with(app: &TestApp, town: &Town, below: &Town) -> Vec<(&'static str, String)> {
    let case = steps::under_way(app, town, "关于优化公交线路的提案").await;
    let member = app.signed_in(town, &town.members[0]);
    let body = json!({ "kind": "joint", "form": steps::form("关于增设公交站点的提案") });
    let joint = member
        .post("/api/v1/proposals")
        .json(body)
        .send()
        .await
        .status(201);
    let invited = json!({ "member_ids": [town.members[1].member] });
    let joint = joint.text_header("location").to_owned();
    steps::act(&member, &joint, "invite-cosigners", invited)
        .await
        .status(200);
    // A reply that waits for the signature of the other unit.
    let asked = steps::under_way(app, town, "关于改善步行环境的提案").await;
    let lead = app.signed_in(town, &town.unit_clerks[0]);
    let other = app.signed_in(town, &town.unit_clerks[1]);
    steps::act(&other, &asked.other, "accept", steps::clerk())
        .await
        .status(200);
    let opinion = json!({ "text": "我局将在道路改造中同步预留停靠条件。", "signatory": "郑海峰" });
    steps::act(&other, &asked.other, "submit-opinion", opinion)
        .await
        .status(200);
    steps::act(&lead, &asked.reply, "request-countersign", json!({}))
        .await
        .status(200);
    let administrator = app.signed_in(town, &town.administrator);
    let draft = administrator.post("/api/v1/policy-profiles");
    let draft = draft.json(json!({})).send().await.status(201);
    let hook = administrator.post("/api/v1/webhooks").json(json!({
        "url": "https://8.8.8.8/", "events": ["proposal.*"], "reads_as": { "role": "auditor" },
    }));
    let hook = hook.send().await.status(201);
    let ping = format!("{}/actions/ping", hook.text_header("location"));
    let ping = administrator.post(&ping).header("If-Match", "*");
    let delivery = ping.json(json!({})).send().await.status(201);
    let security = app.signed_in(town, &town.security);
    let token = security.post("/api/v1/api-tokens").json(json!({
        "name": "市规划局公文系统", "role": "unit_clerk", "unit_id": town.units[1],
        "expires_at": app.clock_now() + jiff::SignedDuration::from_hours(24),
    }));
    let token = token.send().await.status(201);
    let provider = app.signed_in(town, &town.security);
    let provider = provider.post("/api/v1/openid-providers").json(json!({
        "name": "市政务统一身份认证", "issuer": "https://8.8.8.8", "client_id": "jianjian",
        "redirect_uri": "https://tian.example.cn/signed-in", "claim": "sub",
    }));
    let provider = provider.send().await.status(201);
    app.work().await;
    let jobs = administrator.get("/api/v1/jobs").send().await.status(200);
    let clocks = format!("{}/clocks", case.proposal);
    let staff = app.signed_in(town, &town.staff);
    let clocks = staff.get(&clocks).send().await.status(200);
    let check = app
        .signed_in(town, &town.auditor)
        .post("/api/v1/audit/checks");
    let check = check.json(json!({})).send().await.status(202);
    let referral = crate::referrals::sent_from(app, below, town).await;
    let file = steps::upload(&member, &joint, "a.pdf", steps::PDF)
        .await
        .status(201);
    let id = |path: &str| path.rsplit('/').next().expect("an id").to_owned();
    vec![
        ("proposal_id", id(&case.proposal)),
        ("proposal_id", id(&joint)),
        ("assignment_id", id(&case.lead)),
        ("assignment_id", id(&case.other)),
        ("reply_id", id(&case.reply)),
        ("reply_id", id(&asked.reply)),
        ("attachment_id", file.id()),
        ("term_id", town.term.to_string()),
        ("session_id", town.session.to_string()),
        ("organisation_id", town.party.to_string()),
        ("unit_id", town.units[0].to_string()),
        (
            "member_id",
            town.members[0].member.expect("a member").to_string(),
        ),
        ("user_id", town.leader.user.to_string()),
        ("committee_id", town.committee.to_string()),
        ("profile_id", draft.id()),
        ("client_id", token.id()),
        ("job_id", jobs.text("/items/0/id")),
        ("clock_id", clocks.text("/items/0/id")),
        ("referral_id", referral),
        ("webhook_id", hook.id()),
        ("delivery_id", delivery.id()),
        ("openid_provider_id", provider.id()),
        ("check_id", check.id()),
    ]
}

fn people(app: &TestApp, town: &Town) -> Vec<Client> {
    [
        &town.administrator,
        &town.security,
        &town.members[0],
        &town.members[1],
        &town.staff,
        &town.examiners[0],
        &town.chair,
        &town.officer,
        &town.supervision,
        &town.auditor,
        &town.unit_clerks[0],
        &town.unit_clerks[1],
        &town.signatories[0],
        &town.signatories[1],
    ]
    .map(|person| app.signed_in(town, person))
    .into()
}

/// Every operation on an object: method, path with the id, example of a body.
fn operations(
    document: &Value,
    objects: &[(&str, String)],
) -> Vec<(Method, String, String, Value)> {
    let mut found = Vec::new();
    for (template, item) in document["paths"].as_object().expect("paths") {
        let Some(start) = template.find('{').filter(|_| template.contains("_id}")) else {
            continue;
        };
        let end = template.find('}').expect("a name");
        let name = &template[start + 1..end];
        let mine: Vec<_> = objects.iter().filter(|(kind, _)| *kind == name).collect();
        assert!(!mine.is_empty(), "no object for {template}");
        for (method, operation) in item.as_object().expect("operations") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let contents = operation["requestBody"]["content"].as_object();
            let example = contents.and_then(|map| map.values().next()?.get("example").cloned());
            for (_, id) in &mine {
                let path = template.replace(&format!("{{{name}}}"), id);
                let body = example.clone().unwrap_or_else(|| match name {
                    "user_id" if template.contains("reset") => {
                        json!({ "password": "七月流火-Qh4x" })
                    }
                    _ => json!({}),
                });
                let operation = operation["operationId"]
                    .as_str()
                    .expect("a name")
                    .to_owned();
                found.push((method.clone(), path, operation, body));
            }
        }
    }
    found
}

async fn send(
    client: &Client,
    method: &Method,
    path: &str,
    body: &Value,
    tag: Option<&str>,
) -> Reply {
    let request = client.request(method.clone(), &format!("{path}?validate_only=true"));
    let request = match tag {
        Some(tag) => request.header("If-Match", tag),
        None => request,
    };
    request.json(body).send().await
}

#[actix_web::test]
async fn every_change_of_an_object_needs_the_version_that_was_read() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let objects = objects(&app, &town).await;
    let people = people(&app, &town);
    let document = app.openapi().await;
    let before = app.database().row_counts();
    let mut unmatched = std::collections::BTreeMap::new();
    for (method, path, operation, body) in operations(&document, &objects) {
        // An upload changes nothing that was read.
        if method == Method::GET || operation == "upload_attachment" {
            continue;
        }
        let seen = unmatched
            .entry(operation)
            .or_insert_with(|| (false, String::new()));
        for client in &people {
            let reply = send(client, &method, &path, &body, None).await;
            if reply.status == 403 || reply.status == 404 {
                continue;
            }
            if reply.status != 428 {
                seen.1 = reply.to_string();
                continue;
            }
            reply.code("precondition-required");
            seen.0 = true;
            for stale in [
                "\"0\"",
                "\"999\"",
                "\"998\", \"999\"",
                "W/\"1\"",
                "\"x\"",
                "\".1\"",
                "\"01\"",
            ] {
                let reply = send(client, &method, &path, &body, Some(stale)).await;
                let reply = reply.status(412).code("version-mismatch");
                let present = reply.text("/current_etag");
                let weak = format!("W/{present}");
                send(client, &method, &path, &body, Some(&weak))
                    .await
                    .status(412);
                let list = format!("\"998\", {present}");
                let passed = send(client, &method, &path, &body, Some(&list)).await;
                assert!(![400, 412, 428].contains(&passed.status), "{passed}");
            }
            for wrong in ["1", "abc", "\"1", "*, \"1\"", "\"1\" \"2\"", "w/\"1\""] {
                let reply = send(client, &method, &path, &body, Some(wrong)).await;
                reply.status(400).code("invalid-header");
            }
            let any = send(client, &method, &path, &body, Some("*")).await;
            assert!(
                any.status < 500 && ![400, 412, 428].contains(&any.status),
                "{any}"
            );
            break;
        }
    }
    for (operation, (asked, other)) in unmatched {
        // In this town nobody is asked for an answer to an instruction.
        let entitled = operation != "answer_instruction_proposal";
        assert!(
            asked || !entitled,
            "{operation} asked nobody for If-Match: {other}"
        );
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn every_object_has_a_strong_tag_that_saves_sending_it_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let objects = objects(&app, &town).await;
    let people = people(&app, &town);
    let document = app.openapi().await;
    let mut checked = 0;
    for (method, path, operation, _) in operations(&document, &objects) {
        if method != Method::GET
            || operation == "list_openid_links"
            || [
                "/timeline",
                "/preview",
                "/deliveries",
                "/clocks",
                "/explanation",
                "/referrals",
            ]
            .iter()
            .any(|end| path.ends_with(end))
        {
            continue;
        }
        let mut reader = None;
        for client in &people {
            let reply = client.get(&path).send().await;
            if reply.status == 200 {
                reader = Some((client, reply));
                break;
            }
        }
        let (client, reply) = reader.unwrap_or_else(|| panic!("nobody reads {path}"));
        let tag = reply.text_header("etag").to_owned();
        // The tag of a file's content is its checksum; links have no version, theirs is a digest.
        if ["download_attachment", "list_links"].contains(&operation.as_str()) {
            assert_eq!(tag.len(), 66, "{tag}");
        } else {
            let version = format!("\"{}", reply.version());
            assert!(tag.starts_with(&version), "{operation}: {tag}");
        }
        for same in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"0\", {tag}"),
            "*".to_owned(),
        ] {
            let again = client
                .get(&path)
                .header("If-None-Match", &same)
                .send()
                .await;
            let again = again.status(304);
            assert!(again.body.is_empty());
            assert_eq!(again.text_header("etag"), tag);
        }
        for other in ["\"0\"", "0", "nonsense"] {
            client
                .get(&path)
                .header("If-None-Match", other)
                .send()
                .await
                .status(200);
        }
        checked += 1;
    }
    assert!(checked >= 15, "{checked}");
}

/// Remembers what each tag stood for, as each reader saw it.
#[derive(Default)]
struct Tags(std::collections::BTreeMap<(usize, String, String), Value>);

impl Tags {
    async fn look(&mut self, readers: &[Client], paths: &[&String], after: &str) {
        for (number, reader) in readers.iter().enumerate() {
            for path in paths {
                let reply = reader.get(path).send().await;
                if reply.status != 200 {
                    continue;
                }
                let key = (
                    number,
                    (*path).clone(),
                    reply.text_header("etag").to_owned(),
                );
                let before = self.0.entry(key).or_insert_with(|| reply.json.clone());
                assert_eq!(
                    *before, reply.json,
                    "the tag of {path} stayed after {after}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn a_tag_of_a_case_stands_for_one_state_only() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = steps::under_way(&app, &town, "关于优化公交线路的提案").await;
    let client = |person| app.signed_in(&town, person);
    let readers = [
        client(&town.staff),
        client(&town.unit_clerks[0]),
        client(&town.members[0]),
    ];
    let (lead, other) = (client(&town.unit_clerks[0]), client(&town.unit_clerks[1]));
    let opinion = json!({ "text": "我局将同步预留停靠条件。", "signatory": "郑海峰" });
    let signed = json!({ "signatory": "林涛" });
    let contact = json!({
        "way": "face_to_face", "date": "2026-03-02", "persons": "林涛；提案者",
        "said": "听取意见。", "proposer_view": "认可。",
    });
    let mut tags = Tags::default();
    let paths: &[&String] = &[&case.proposal];
    tags.look(&readers, paths, "the start").await;
    for (who, object, action, body) in [
        (&other, &case.other, "accept", steps::clerk()),
        (&other, &case.other, "submit-opinion", opinion),
        (&lead, &case.reply, "request-countersign", json!({})),
        (
            &client(&town.signatories[1]),
            &case.reply,
            "countersign",
            signed.clone(),
        ),
        (&lead, &case.lead, "record-contact", contact),
        (&client(&town.signatories[0]), &case.reply, "sign", signed),
        (
            &client(&town.supervision),
            &case.reply,
            "approve",
            json!({}),
        ),
    ] {
        steps::act(who, object, action, body).await.status(200);
        tags.look(&readers, paths, action).await;
    }
}

#[actix_web::test]
async fn a_tag_of_a_row_or_a_reply_stands_for_one_state_only() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = steps::under_way(&app, &town, "关于优化公交线路的提案").await;
    let client = |person| app.signed_in(&town, person);
    let readers = [client(&town.staff), client(&town.unit_clerks[0])];
    let (lead, other) = (client(&town.unit_clerks[0]), client(&town.unit_clerks[1]));
    let opinion = json!({ "text": "我局将同步预留停靠条件。", "signatory": "郑海峰" });
    let mut tags = Tags::default();
    let lists = [&case.lead, &case.other, &case.reply].map(|path| format!("{path}/actions"));
    let paths: Vec<_> = [&case.lead, &case.other, &case.reply]
        .into_iter()
        .chain(&lists)
        .collect();
    tags.look(&readers, &paths, "the start").await;
    for (who, object, action, body) in [
        (&other, &case.other, "accept", steps::clerk()),
        (&other, &case.other, "submit-opinion", opinion),
        (&lead, &case.reply, "request-countersign", json!({})),
        (
            &client(&town.signatories[1]),
            &case.reply,
            "countersign",
            json!({ "signatory": "郑海峰" }),
        ),
    ] {
        let acted = steps::act(who, object, action, body).await.status(200);
        let read = who.get(object).send().await.status(200);
        assert_eq!(
            read.text_header("etag"),
            acted.text_header("etag"),
            "{action}"
        );
        assert_eq!(read.json, acted.json, "{action}");
        tags.look(&readers, &paths, action).await;
    }
}
