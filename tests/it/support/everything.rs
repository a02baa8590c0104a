//! Something of every kind in a committee: cases in many states with all that goes with them,
//! registers, accounts with all that they have, messages, the trail.

use jianjian::auth::totp::{self, Secret};
use serde_json::{Value, json};

use super::people::grant;
use super::seed::{PASSWORD, Person, Town};
use super::sides::{into, refusal};
use super::story::{Story, form, reply_form};
use super::{Client, TestApp, rounds};
use crate::conditional;
use crate::permissions::case_of;

/// The states in which there is a case.
const STEPS: [&str; 7] = [
    "draft",
    "submitted",
    "filed",
    "assigned",
    "countersigning",
    "handled",
    "feedback",
];

/// Words that nothing else bears; they go into every name and every text.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'m> {
    /// For people to read.
    pub word: &'m str,
    /// For codes and addresses.
    pub ascii: &'m str,
    /// Number of the term, which goes into every citation.
    pub term: i32,
}

/// Marks the names of a town in which nothing has happened yet.
pub fn mark(app: &TestApp, town: &Town, mark: Mark<'_>) {
    let Mark { word, ascii, term } = mark;
    let ours = format!(
        "IN (SELECT id FROM committees WHERE code = '{}')",
        town.code
    );
    for (table, column) in [
        ("members", "name"),
        ("units", "name"),
        ("units", "reply_prefix"),
        ("organisations", "name"),
        ("users", "display_name"),
        ("sessions", "name"),
        ("terms", "name"),
    ] {
        app.database().execute(&format!(
            "UPDATE {table} SET {column} = '{word}' || {column} WHERE committee_id {ours}"
        ));
    }
    app.database().execute(&format!(
        "UPDATE users SET username = '{ascii}.' || username WHERE committee_id {ours}"
    ));
    app.database().execute(&format!(
        "UPDATE terms SET number = {term} WHERE committee_id {ours}"
    ));
}

/// A proposal's text.
fn titled(mark: Mark<'_>, number: usize) -> Value {
    let mut form = form();
    let word = mark.word;
    form["title"] = json!(format!("关于{word}第{number}条公交微循环线路的提案"));
    form["situation"] = json!(format!("{word}一带道路狭窄，常规公交难以驶入。"));
    form
}

/// A reply that promises something.
fn promising(mark: Mark<'_>) -> Value {
    let mut form = reply_form();
    form["outcome"] = json!("in_progress");
    form["body"] = json!(format!("{}一带的线路现答复如下……", mark.word));
    form["promises"] = json!([
        { "text": format!("开通{}三号线", mark.word), "due_on": "2026-12-31", "person": "林涛" }
    ]);
    form
}

async fn post(client: &Client, path: &str, body: Value) -> super::Reply {
    let request = client.post(path).header("If-Match", "*");
    request.json(body).send().await.ok()
}

/// A town with something of everything, where the words do not matter.
pub async fn town(app: &TestApp) -> Town {
    let (town, below) = (
        app.town_called("shangyou").await,
        app.town_called("xiayou").await,
    );
    let words = Mark {
        word: "白鹭",
        ascii: "bailu",
        term: 12,
    };
    mark(app, &town, words);
    fill(app, &town, &below, words).await;
    town
}

/// Fills a town. `below` becomes the committee below it, which sends it a case.
pub async fn fill(app: &TestApp, town: &Town, below: &Town, mark: Mark<'_>) {
    registers(app, town, mark).await;
    accounts(app, town, mark).await;
    for (number, step) in STEPS.into_iter().enumerate() {
        case_of(app, town, step, titled(mark, number)).await;
    }
    side_roads(app, town, mark).await;
    handling(app, town, mark).await;
    let auditor = app.signed_in(town, &town.auditor);
    post(&auditor, "/api/v1/audit/seals", json!({})).await;
    app.work().await;
    conditional::objects_with(app, town, below).await;
    let sent = case_of(app, town, "filed", titled(mark, 40)).await;
    let down = json!({
        "committee_id": below.committee, "reason": format!("{}属县级职权。", mark.word),
    });
    sent.does(&town.chair, "refer-down", down).await;
    app.work().await;
}

/// What accounts have beside their name.
async fn accounts(app: &TestApp, town: &Town, mark: Mark<'_>) {
    let name = |person: &Person| format!("{}.{}", mark.ascii, person.username);
    let (spare, second) = (&town.unit_clerks[3], &town.examiners[1]);
    let client = app.sign_in(&town.code, &name(spare), PASSWORD).await;
    let change = json!({ "old_password": PASSWORD, "new_password": "lantern-over-water-2026" });
    post(&client, "/api/v1/auth/password", change).await;
    let login = |username: String, password: &str| {
        let body = json!({ "committee": town.code, "username": username, "password": password });
        app.anonymous().post("/api/v1/auth/login").json(body).send()
    };
    login(name(spare), "not-this-one").await.status(401);
    let client = app.signed_in(town, second);
    let factor = "/api/v1/auth/second-factor";
    let begun = post(&client, factor, json!({})).await;
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let code = secret.code(totp::period(app.clock_now()));
    let confirm = format!("{factor}/actions/confirm");
    post(&client, &confirm, json!({ "code": code })).await;
    login(name(second), PASSWORD).await.status(401);
    let staff = app.signed_in(town, &town.staff);
    let settings = json!({ "email": format!("{}@example.cn", mark.ascii) });
    let settings = staff.patch("/api/v1/notification-settings").json(settings);
    settings.send().await.status(200);
}

/// Registers, code lists, calendars, policies.
async fn registers(app: &TestApp, town: &Town, mark: Mark<'_>) {
    let administrator = app.signed_in(town, &town.administrator);
    let security = app.signed_in(town, &town.security);
    let unit = json!({
        "name": format!("{}水利局", mark.word), "system_line": "government",
        "reply_prefix": format!("{}水提复", mark.word),
    });
    let unit = administrator
        .post("/api/v1/units")
        .key("a-unit-0001")
        .json(unit);
    unit.send().await.status(201);
    let reason = json!({
        "code": format!("{}_matter", mark.ascii),
        "label": { "zh-CN": format!("{}事项", mark.word), "en": format!("{} matter", mark.ascii) },
    });
    let reason = post(&administrator, "/api/v1/refusal-reasons", reason).await;
    let reason = reason.text_header("location").to_owned();
    let chair = app.signed_in(town, &town.chair);
    post(&chair, &format!("{reason}/actions/activate"), json!({})).await;
    let calendar = json!({
        "source_note": format!("{}放假通知", mark.word),
        "csv": format!("date,kind,name\n2027-01-01,holiday,{}节\n", mark.word),
    });
    post(&administrator, "/api/v1/calendars", calendar).await;
    let policy = json!({ "profile": "modern", "min_length": 9, "history": 3 });
    let policy = security.put("/api/v1/password-policy").json(policy);
    policy.header("If-Match", "*").send().await.status(200);
    let provider = json!({
        "name": format!("{}统一身份认证", mark.word), "issuer": "https://8.8.4.4",
        "client_id": "jianjian-2", "redirect_uri": "https://tian.example.cn/signed-in", "claim": "sub",
    });
    let provider = post(&security, "/api/v1/openid-providers", provider).await;
    let link = format!("{}/actions/link", provider.text_header("location"));
    let subject = json!({ "user_id": town.leader.user, "subject": format!("{}-1", mark.ascii) });
    post(&security, &link, subject).await;
}

/// Refused, merged, linked, restricted.
async fn side_roads(app: &TestApp, town: &Town, mark: Mark<'_>) {
    let refused = case_of(app, town, "submitted", titled(mark, 20)).await;
    let mut body = refusal(&[&format!("{}_matter", mark.ascii)], "kept");
    body["explanation"] = json!(format!("{}事项不属于受理范围。", mark.word));
    refused.does(&town.chair, "not-file", body).await;
    let main = case_of(app, town, "filed", titled(mark, 21)).await;
    let absorbed = case_of(app, town, "submitted", titled(mark, 22)).await;
    absorbed.does(&town.chair, "merge", into(&main)).await;
    let filed = case_of(app, town, "filed", titled(mark, 23)).await;
    let other = case_of(app, town, "filed", titled(mark, 24)).await;
    let link = json!({
        "kind": "handled_together", "note": format!("{}一并研究。", mark.word),
        "proposal_id": other.id,
    });
    filed.does(&town.staff, "link-cases", link).await;
    let secrecy =
        json!({ "secrecy": "restricted", "reason": format!("{}规划未公开。", mark.word) });
    other.does(&town.staff, "set-secrecy", secrecy).await;
}

/// A leader's instruction to the first unit.
pub async fn instruct(case: &Story<'_>, word: &str) {
    let instruction = json!({
        "leader": "周明远", "post": "副市长", "date": "2026-03-02", "kind": "instruction",
        "due_on": "2026-04-02", "text": format!("{word}一带请认真办理。"),
        "unit_ids": [case.town.units[0]],
    });
    case.does(&case.town.leader, "instruct", instruction).await;
}

/// What goes on around a case that is handled.
async fn handling(app: &TestApp, town: &Town, mark: Mark<'_>) {
    let word = mark.word;
    let case = case_of(app, town, "accepted", titled(mark, 30)).await;
    let unit = town.units[0];
    instruct(&case, word).await;
    let urging = json!({
        "addressees": [{ "unit_id": unit }], "due_on": "2026-05-20",
        "text": format!("{word}一案请抓紧办理。"),
    });
    case.does(&town.supervision, "urge", urging).await;
    let extension = json!({
        "new_date": "2026-07-31", "reason": format!("{word}方案须经审议。"), "signatory": "林涛",
    });
    case.on_row(0, "request-extension", extension).await;
    let consultation = rounds::consultation("face_to_face_meeting", "2026-03-02");
    case.does(&town.staff, "record-consultation", consultation)
        .await;
    let mut promised = Story::draft_of(
        app,
        town,
        &town.members[0],
        json!({ "kind": "individual", "form": titled(mark, 31) }),
    )
    .await;
    promised.sole().await;
    promised.accept(0).await;
    promised.contact(0).await;
    promised.draft_reply_of(0, promising(mark)).await;
    promised.sign(0).await;
    promised.approve(0).await;
    promised.deliver(0).await;
    let security = app.signed_in(town, &town.security);
    // Somebody with two roles.
    let both = json!([{ "role": "unit_clerk", "unit_id": unit }, { "role": "unit_signatory", "unit_id": unit }]);
    let account = format!("/api/v1/users/{}", town.signatories[3].user);
    grant(&security, &account, &both).await.status(200);
}
