//! Where webhooks may go, and what subscriptions may say.

use serde_json::{Value, json};

use crate::support::{TestApp, steps};

const HOOKS: &str = "/api/v1/webhooks";

fn body(url: &str, events: &[&str], role: &str) -> Value {
    json!({ "url": url, "events": events, "reads_as": { "role": role } })
}

#[actix_web::test]
async fn targets_inside_are_refused_and_nothing_is_changed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let name = |name: &str, address: &str| {
        let mut names = app.app.sender.targets.names.write().expect("names");
        names.insert(name.to_owned(), vec![address.parse().expect("an address")]);
    };
    name("loop.example.cn", "127.0.0.1");
    name("meta.example.cn", "169.254.169.254");
    name("mapped.example.cn", "::ffff:10.0.0.1");
    name("hooks.example.cn", "8.8.8.8");
    let before = app.database().row_counts();
    for (url, code) in [
        ("http://hooks.example.cn/", "target_scheme"),
        ("ftp://hooks.example.cn/", "target_scheme"),
        ("https://user:pw@hooks.example.cn/", "target_credentials"),
        ("https://hooks.example.cn/#top", "target_fragment"),
        ("https://hooks.example.cn:25/", "target_port"),
        ("hooks.example.cn", "target_malformed"),
        ("https://exa mple.cn/", "target_malformed"),
        ("https://localhost/", "target_name"),
        ("https://api.localhost./", "target_name"),
        ("https://intranet/", "target_name"),
        ("https://db.internal/", "target_name"),
        ("https://127.0.0.1/", "target_address"),
        ("https://127.1/", "target_address"),
        ("https://2130706433/", "target_address"),
        ("https://017700000001/", "target_address"),
        ("https://0x7f.0.0.1/", "target_address"),
        ("https://0/", "target_address"),
        ("https://10.0.0.1/", "target_address"),
        ("https://172.20.0.1/", "target_address"),
        ("https://192.168.1.1/", "target_address"),
        ("https://100.100.100.200/", "target_address"),
        ("https://169.254.169.254/", "target_address"),
        ("https://224.0.0.1/", "target_address"),
        ("https://[::1]/", "target_address"),
        ("https://[::]/", "target_address"),
        ("https://[::ffff:127.0.0.1]/", "target_address"),
        ("https://[64:ff9b::a00:1]/", "target_address"),
        ("https://[2002:7f00:1::]/", "target_address"),
        ("https://[fd00:ec2::254]/", "target_address"),
        ("https://[fe80::1]/", "target_address"),
        ("https://loop.example.cn/", "target_address"),
        ("https://meta.example.cn/", "target_address"),
        ("https://mapped.example.cn/", "target_address"),
    ] {
        let refused = administrator
            .post(HOOKS)
            .json(body(url, &["proposal.*"], "committee_staff"))
            .send()
            .await;
        let refused = refused.status(422).code("invalid-input").blames(&["/url"]);
        assert_eq!(refused.json["errors"][0]["code"], code, "{url}: {refused}");
    }
    assert_eq!(app.database().row_counts(), before);

    // A name that leads elsewhere later is found out at the delivery.
    let wanted = body(
        "https://hooks.example.cn/in",
        &["proposal.*"],
        "committee_staff",
    );
    let made = administrator.post(HOOKS).json(wanted).send().await;
    let path = made.status(201).text_header("location").to_owned();
    name("hooks.example.cn", "127.0.0.1");
    let member = app.signed_in(&town, &town.members[0]);
    steps::draft(&member, "关于优化公交线路的提案").await;
    app.work().await;
    let log = administrator
        .get(&format!("{path}/deliveries"))
        .send()
        .await;
    let log = log.status(200);
    let error = log.json["items"][0]["attempts"][0]["error"]
        .as_str()
        .expect("an error");
    assert!(
        error.starts_with("The host is not at a public address"),
        "{error}"
    );
    let patch = administrator.patch(&path).header("If-Match", "*");
    let refused = patch
        .json(json!({ "url": "https://loop.example.cn/" }))
        .send()
        .await;
    refused.status(422).blames(&["/url"]);
}

#[actix_web::test]
async fn names_of_events_and_roles_are_checked() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let url = "https://8.8.8.8/";
    let unit = "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607";
    for (wrong, code, pointer) in [
        (
            body(url, &["Proposal"], "auditor"),
            "invalid-body",
            "/events/0",
        ),
        (body(url, &[], "auditor"), "invalid-body", "/events"),
        (
            body(url, &["proposal.*"], "member"),
            "invalid-input",
            "/reads_as",
        ),
        (
            body(url, &["proposal.*"], "unit_clerk"),
            "invalid-input",
            "/reads_as",
        ),
        (
            json!({ "url": url, "events": ["x"], "reads_as": { "role": "unit_clerk", "unit_id": unit } }),
            "invalid-input",
            "/reads_as/unit_id",
        ),
        (
            json!({ "url": url, "events": ["x"], "reads_as": { "role": "auditor" }, "secret": "x" }),
            "invalid-body",
            "/secret",
        ),
    ] {
        administrator
            .post(HOOKS)
            .json(&wrong)
            .send()
            .await
            .status(422)
            .code(code)
            .blames(&[pointer]);
    }
}
