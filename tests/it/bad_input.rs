//! Whatever is wrong with a request: a stable code, the places, and nothing is changed.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::{Client, Reply, TestApp, steps};

/// A write with a body that would be accepted.
struct Target {
    client: Client,
    method: Method,
    path: String,
    valid: Value,
    required: &'static [&'static str],
}

impl Target {
    async fn send(&self, body: impl Into<Vec<u8>>) -> Reply {
        let kind = if self.method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        self.send_as(kind, body).await
    }

    async fn send_as(&self, kind: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        let request = self.client.request(self.method.clone(), &self.path);
        request.header("If-Match", "*").raw(kind, body).send().await
    }

    async fn send_json(&self, body: &Value) -> Reply {
        self.send(body.to_string()).await
    }
}

async fn targets(app: &TestApp, town: &Town) -> Vec<Target> {
    let case = steps::under_way(app, town, "关于优化公交线路的提案").await;
    let submitted = steps::submitted(app, town, "关于增设公交站点的提案").await;
    let member = app.signed_in(town, &town.members[0]);
    let draft = steps::draft(&member, "关于改善步行环境的提案").await;
    let administrator = app.signed_in(town, &town.administrator);
    let target = |client: &Client, method, path: &str, valid, required| Target {
        client: client.clone(),
        method,
        path: path.to_owned(),
        valid,
        required,
    };
    let unit =
        json!({ "name": "市体育局", "system_line": "government", "reply_prefix": "云体提复" });
    vec![
        target(
            &member,
            Method::POST,
            "/api/v1/proposals",
            json!({ "kind": "individual", "form": steps::form("关于建设口袋公园的提案") }),
            &["/kind", "/form"],
        ),
        target(
            &member,
            Method::PATCH,
            draft.text_header("location"),
            steps::form("关于建设口袋公园的提案"),
            &["/title"],
        ),
        target(
            &app.signed_in(town, &town.examiners[0]),
            Method::POST,
            &format!("{submitted}/actions/examine"),
            steps::opinion(town),
            &["/opinion", "/recommendation", "/checklist"],
        ),
        target(
            &app.signed_in(town, &town.unit_clerks[1]),
            Method::POST,
            &format!("{}/actions/accept", case.other),
            steps::clerk(),
            &["/clerk_name", "/clerk_phone"],
        ),
        target(
            &app.signed_in(town, &town.signatories[0]),
            Method::POST,
            &format!("{}/actions/sign", case.reply),
            json!({ "signatory": "林涛" }),
            &["/signatory"],
        ),
        target(
            &administrator,
            Method::POST,
            "/api/v1/units",
            unit.clone(),
            &["/name", "/system_line", "/reply_prefix"],
        ),
        target(
            &administrator,
            Method::PATCH,
            &format!("/api/v1/units/{}", town.units[3]),
            unit,
            &["/name", "/system_line", "/reply_prefix"],
        ),
    ]
}

fn pointers(reply: &Reply) -> Vec<String> {
    let errors = reply.json["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| error["pointer"].as_str().map(str::to_owned))
        .collect()
}

#[actix_web::test]
async fn a_body_that_is_not_one_json_value_is_malformed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let targets = targets(&app, &town).await;
    let before = app.database().row_counts();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 13] = [
        b"{",
        b"{\"a\":1,\"a\":2}",
        b"{\"title\":{\"a\":1,\"a\":2}}",
        b"{\"a\":\"\\u0000\"}",
        b"{\"\\u0000\":1}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\xff\xfe\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":1e400}",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b"{'a':1}",
        deep.as_bytes(),
    ];
    for target in &targets {
        for body in bodies {
            let reply = target.send(body).await;
            reply.status(400).code("malformed-json");
        }
        let empty = target.send("").await;
        if target.method == Method::PATCH {
            empty.status(400).code("malformed-json");
        } else {
            empty
                .status(422)
                .code("invalid-body")
                .blames(target.required);
        }
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn a_body_of_the_wrong_form_is_blamed_place_by_place() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let targets = targets(&app, &town).await;
    let before = app.database().row_counts();
    for target in &targets {
        for body in [json!([]), json!("x"), json!(null), json!(1), json!(true)] {
            let reply = target.send_json(&body).await;
            reply.status(422).code("invalid-body").blames(&[""]);
        }
        // Every field in turn: of another type, much too long, with something unknown inside.
        for (name, value) in target.valid.as_object().expect("an object") {
            let mut wrongs = vec![json!({ "unexpected": [] }), json!([[]]), json!(1.5)];
            if value.is_string() {
                wrongs.push("长".repeat(20_001).into());
            }
            if let Some(object) = value.as_object() {
                let mut more = object.clone();
                more.insert("unexpected".to_owned(), json!(1));
                wrongs.push(more.into());
            }
            for wrong in wrongs {
                let mut body = target.valid.clone();
                body[name] = wrong;
                let reply = target
                    .send_json(&body)
                    .await
                    .status(422)
                    .code("invalid-body");
                let place = format!("/{name}");
                let found = pointers(&reply);
                assert!(!found.is_empty(), "{reply}");
                assert!(
                    found.iter().all(|at| at.starts_with(&place)),
                    "{body}: {reply}"
                );
            }
        }
        let mut unknown = target.valid.clone();
        unknown["status"] = json!("closed");
        unknown["a~/b"] = json!(1);
        let reply = target.send_json(&unknown).await;
        reply
            .status(422)
            .code("invalid-body")
            .blames(&["/status", "/a~0~1b"]);
        // Everything that is needed, at once.
        let missing = if target.method == Method::PATCH {
            let fields = target
                .required
                .iter()
                .map(|at| (at[1..].to_owned(), Value::Null));
            Value::Object(fields.collect())
        } else {
            json!({})
        };
        let reply = target.send_json(&missing).await;
        reply
            .status(422)
            .code("invalid-body")
            .blames(target.required);
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn nested_places_are_named_exactly() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let targets = targets(&app, &town).await;
    let mut body = targets[0].valid.clone();
    body["form"]["suggestions"] = json!(["好", "", 3]);
    body["form"]["extra"] = json!(true);
    body["form"]["title"] = json!("");
    let reply = targets[0].send_json(&body).await;
    reply.status(422).code("invalid-body").blames(&[
        "/form/extra",
        "/form/suggestions/1",
        "/form/suggestions/2",
        "/form/title",
    ]);
    let mut body = targets[2].valid.clone();
    body["checklist"] = json!({ "standing": "yes", "content": true, "seal": 1 });
    let reply = targets[2].send_json(&body).await;
    reply.status(422).code("invalid-body").blames(&[
        "/checklist/form",
        "/checklist/seal",
        "/checklist/standing",
    ]);
}

/// A member that is removed has to be one that there is.
#[actix_web::test]
async fn a_merge_patch_names_known_fields() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let unit = format!("/api/v1/units/{}", town.units[0]);
    let before = administrator.get(&unit).send().await.status(200).json;
    let patch = |body: Value| {
        let request = administrator.patch(&unit).header("If-Match", "*");
        request.json(body).send()
    };
    for (body, place) in [
        (json!({ "no_such_field": null }), "/no_such_field"),
        (
            json!({ "name": "另一个名称", "no_such_field": null }),
            "/no_such_field",
        ),
        (json!({ "no_such_field": 1 }), "/no_such_field"),
    ] {
        let reply = patch(body).await.status(422);
        assert_eq!(reply.json["errors"][0]["code"], "unknown_field", "{reply}");
        assert_eq!(reply.json["errors"][0]["pointer"], place, "{reply}");
    }
    assert_eq!(
        administrator.get(&unit).send().await.status(200).json,
        before
    );
}

#[actix_web::test]
async fn the_answer_is_in_the_language_that_was_asked_for() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let body = json!({ "name": 5, "system_line": "court", "nope": 1 });
    let mut said = Vec::new();
    for (language, title) in [
        ("zh-CN", "请求内容不符合要求"),
        ("en", "The body does not have the required form"),
    ] {
        let request = administrator
            .post("/api/v1/units")
            .header("Accept-Language", language);
        let reply = request
            .json(&body)
            .send()
            .await
            .status(422)
            .code("invalid-body");
        assert_eq!(reply.json["title"], title);
        let reply = reply.blames(&["/name", "/nope", "/reply_prefix"]);
        said.push(reply.json["errors"][0]["detail"].clone());
    }
    assert_ne!(said[0], said[1]);
}

#[actix_web::test]
async fn other_media_types_encodings_and_sizes_are_refused() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let targets = targets(&app, &town).await;
    let before = app.database().row_counts();
    for target in &targets {
        let valid = target.valid.to_string();
        let other = if target.method == Method::PATCH {
            "application/json"
        } else {
            "application/merge-patch+json"
        };
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "",
            other,
        ] {
            let reply = target.send_as(kind, valid.clone()).await;
            reply.status(415).code("unsupported-media-type");
        }
        let request = target.client.request(target.method.clone(), &target.path);
        let request = request
            .json(&target.valid)
            .header("Content-Encoding", "gzip");
        let reply = request.header("If-Match", "*").send().await;
        reply.status(415).code("unsupported-media-type");
        let padded = format!("{}{valid}", " ".repeat(256 * 1024));
        target
            .send(padded)
            .await
            .status(413)
            .code("payload-too-large");
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn what_is_not_there_is_not_found_whatever_the_body() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let other = app.town_called("qinghe").await;
    let theirs = steps::under_way(&app, &other, "关于改善河道水质的提案").await;
    let before = app.database().row_counts();
    let zero = "0".repeat(32);
    let unit = format!("/api/v1/units/{}", other.units[0]);
    for path in [
        format!("{}/actions/submit", theirs.proposal),
        format!("{}/actions/accept", theirs.lead),
        format!("{}/actions/sign", theirs.reply),
        format!("{}/replies", theirs.lead),
        format!("/api/v1/proposals/prop_{zero}/actions/submit"),
        format!("/api/v1/proposals/{}/actions/submit", town.units[0]),
        format!("/api/v1/assignments/{}/actions/accept", town.session),
        "/api/v1/proposals/x/actions/submit".to_owned(),
        "/api/v1/proposals/%00/actions/submit".to_owned(),
        "/api/v1/proposals/%ff%fe/actions/submit".to_owned(),
        "/api/v1/proposals/..%2f..%2funits/actions/submit".to_owned(),
        format!("/api/v1/proposals/{}/actions/submit", "p".repeat(4000)),
        format!("{}/actions/no-such-action", theirs.proposal),
    ] {
        for person in [
            &town.members[0],
            &town.chair,
            &town.unit_clerks[0],
            &town.administrator,
        ] {
            let client = app.signed_in(&town, person);
            for body in ["{\"bad\":", "{}"] {
                let request = client.post(&path).header("If-Match", "*");
                let reply = request.raw("application/json", body).send().await;
                reply.status(404).code("not-found");
            }
        }
    }
    let administrator = app.signed_in(&town, &town.administrator);
    for path in [&theirs.proposal, &theirs.reply, &theirs.lead, &unit] {
        administrator
            .get(path)
            .send()
            .await
            .status(404)
            .code("not-found");
    }
    for path in [&theirs.proposal, &theirs.reply, &unit] {
        let request = administrator.patch(path).header("If-Match", "*");
        request
            .json(json!({ "bad": 1 }))
            .send()
            .await
            .status(404)
            .code("not-found");
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn references_to_what_the_committee_does_not_have_are_blamed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let other = app.town_called("qinghe").await;
    let filed = steps::filed(&app, &town, "关于优化公交线路的提案").await;
    let before = app.database().row_counts();
    let officer = app.signed_in(&town, &town.officer);
    let zero = format!("unit_{}", "0".repeat(32));
    let rows = json!([
        { "unit_id": other.units[0], "role": "lead" },
        { "unit_id": zero, "role": "co_handler" },
    ]);
    let body = json!({ "handling_kind": "joint", "rows": rows });
    let reply = steps::act(&officer, &filed, "assign", body).await;
    reply
        .status(422)
        .code("invalid-input")
        .blames(&["/rows/0/unit_id", "/rows/1/unit_id"]);
    let wrong_kind = json!([{ "unit_id": town.session, "role": "lead" }]);
    let body = json!({ "handling_kind": "sole", "rows": wrong_kind });
    let reply = steps::act(&officer, &filed, "assign", body).await;
    reply
        .status(422)
        .code("invalid-body")
        .blames(&["/rows/0/unit_id"]);
    let staff = app.signed_in(&town, &town.staff);
    let mut form = steps::form("关于优化公交线路的提案");
    form["paper_reference"] = json!("纸质提案 2026-代-003");
    for (name, id, pointer) in [
        ("member_id", json!(other.members[0].member), "/member_id"),
        ("session_id", json!(other.session), "/session_id"),
    ] {
        let mut body = json!({
            "kind": "individual", "form": form, "member_id": town.members[0].member,
        });
        body[name] = id;
        let reply = staff.post("/api/v1/proposals").json(body).send().await;
        reply.status(422).code("invalid-input").blames(&[pointer]);
    }
    let body = json!({ "kind": "party", "form": form, "organisation_id": other.party });
    let reply = staff.post("/api/v1/proposals").json(body).send().await;
    reply
        .status(422)
        .code("invalid-input")
        .blames(&["/organisation_id"]);
    assert_eq!(app.database().row_counts(), before);
}
