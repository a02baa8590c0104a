//! Referrals between committees: OT32–OT36, closing condition (g), I28, I29, I35, I37; P-06, P-47.

use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::sides::refusal;
use crate::support::story::{Story, form};
use crate::support::{Reply, TestApp, steps};

/// A county, the city above it, and a city that has nothing to do with them.
async fn towns(app: &TestApp) -> (Town, Town, Town) {
    let county = app.town_called("linjiang").await;
    let city = app.town_called("yunchuan").await;
    let other = app.town_called("beishan").await;
    app.database().execute(
        "UPDATE committees SET level = 'county', \
         parent_id = (SELECT id FROM committees WHERE code = 'yunchuan') WHERE code = 'linjiang'",
    );
    (county, city, other)
}

fn to(town: &Town) -> Value {
    json!({ "committee_id": town.committee, "reason": "所提事项须由上级统筹。" })
}

fn outside(name: &str) -> Value {
    json!({ "body_name": name, "reason": "所提事项须由国家层面统筹。" })
}

/// What a town was sent, newest first.
async fn incoming(app: &TestApp, town: &Town) -> Vec<Value> {
    let staff = app.signed_in(town, &town.staff);
    let page = staff.get("/api/v1/incoming-referrals?limit=100").send();
    let page = page.await.status(200);
    page.json["items"].as_array().expect("items").clone()
}

/// The chair answers.
async fn answer(app: &TestApp, town: &Town, id: &str, action: &str, body: Value) -> Reply {
    let chair = app.signed_in(town, &town.chair);
    let path = format!("/api/v1/incoming-referrals/{id}");
    let seen = chair.get(&path).send().await.status(200);
    let request = chair.post(&format!("{path}/actions/{action}"));
    request.if_match(seen.version()).json(body).send().await
}

/// The referrals of a case as the staff of its committee see them.
async fn sent(case: &Story<'_>) -> Vec<Value> {
    let path = format!("{}/referrals", case.path());
    let list = case.as_(&case.town.staff).get(&path).send().await;
    let list = list.status(200);
    list.json["items"].as_array().expect("items").clone()
}

/// The last event that the proposer is told.
async fn last_told(case: &Story<'_>) -> String {
    let told = case.events_seen_by(&case.proposer).await;
    told.last().expect("an event").clone()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn a_case_goes_up_is_accepted_and_its_counterpart_is_mirrored() {
    let app = TestApp::start().await;
    let (county, city, other) = towns(&app).await;
    let case = Story::draft(&app, &county, &county.members[0]).await;
    case.until_filed().await;
    let before = case.seen_by(&county.staff).await.status(200);
    let after = case.does(&county.chair, "refer-up", to(&city)).await;
    assert_eq!(after.json["status"], before.json["status"], "I37");
    // The proposer is told; the other side has a copy of the text and nothing more.
    assert_eq!(last_told(&case).await, "referral.sent");
    let copies = incoming(&app, &city).await;
    assert_eq!(copies.len(), 1);
    let copy = &copies[0];
    assert_eq!(copy["status"], "sent");
    assert_eq!(copy["direction"], "up");
    assert_eq!(copy["title"], form()["title"]);
    assert_eq!(copy["suggestions"], form()["suggestions"]);
    assert_eq!(copy["proposer"], "林若舟");
    assert_eq!(copy["citation"], "政协第14届委员会第4次会议第1号提案");
    let id = text(copy, "id");
    for town in [&city, &other] {
        for who in [&town.staff, &town.chair, &town.auditor] {
            let stranger = app.signed_in(town, who);
            stranger.get(&case.path()).send().await.status(404);
            let path = format!("{}/referrals", case.path());
            stranger.get(&path).send().await.status(404);
        }
    }
    // A third committee and the sender itself have no such copy; nor have other roles.
    for town in [&other, &county] {
        assert!(incoming(&app, town).await.is_empty());
        let chair = app.signed_in(town, &town.chair);
        let path = format!("/api/v1/incoming-referrals/{id}");
        chair.get(&path).send().await.status(404);
        let accept = chair.post(&format!("{path}/actions/accept"));
        let body = json!({ "member_id": town.members[0].member });
        let accept = accept.header("If-Match", "*").json(body).send();
        accept.await.status(404);
    }
    let member = app.signed_in(&city, &city.members[0]);
    let path = format!("/api/v1/incoming-referrals/{id}");
    member.get(&path).send().await.status(403);
    let staff = app.signed_in(&city, &city.staff);
    let denied = staff
        .post(&format!("{path}/actions/accept"))
        .json(json!({}));
    denied.header("If-Match", "*").send().await.status(403);
    // Whose proposal it becomes must be said, by one name of this committee.
    for (body, place) in [
        (json!({}), "/member_id"),
        (
            json!({ "member_id": county.members[0].member }),
            "/member_id",
        ),
        (
            json!({ "organisation_id": county.party }),
            "/organisation_id",
        ),
    ] {
        let wrong = answer(&app, &city, &id, "accept", body).await;
        wrong.status(422).blames(&[place]);
    }
    let body = json!({ "member_id": city.members[2].member, "note": "由本级委员提出。" });
    let accepted = answer(&app, &city, &id, "accept", body).await.status(200);
    assert_eq!(accepted.json["status"], "accepted");
    let counterpart = accepted.text("/proposal_id");
    let again = answer(&app, &city, &id, "keep-for-reference", json!({})).await;
    again.status(409).code("state-conflict");
    let own = sent(&case).await;
    assert_eq!(own[0]["status"], "accepted");
    assert_eq!(own[0]["counterpart_id"], json!(counterpart));
    assert_eq!(own[0]["counterpart"]["status"], "draft", "P-47");
    assert_eq!(own[0]["note"], "由本级委员提出。");
    assert_eq!(last_told(&case).await, "referral.answered");
    // It goes its way there, from paper, and the sender sees how far it is, and no more.
    let mut there = Story::draft(&app, &city, &city.members[4]).await;
    there.id.clone_from(&counterpart);
    there.proposer = city.staff.clone();
    let complete = json!({ "publish_consent": true, "no_secret_declaration": true });
    there.edit(complete).await;
    there.until_filed().await;
    assert_eq!(
        there.seen_by(&city.members[2]).await.json["kind"],
        "individual"
    );
    let own = sent(&case).await;
    assert_eq!(own[0]["counterpart"]["status"], "filed", "P-47");
    assert_eq!(own[0]["counterpart"]["case_no"], 1);
    for who in [&county.staff, &county.chair, &county.auditor] {
        there
            .app
            .signed_in(&county, who)
            .get(&there.path())
            .send()
            .await
            .status(404);
    }
    // Restricted there, it is not mirrored any more.
    let secrecy = json!({ "secrecy": "restricted", "reason": "内容敏感。" });
    there.does(&city.staff, "set-secrecy", secrecy).await;
    let own = sent(&case).await;
    assert_eq!(own[0]["status"], "accepted");
    assert!(own[0]["counterpart"].is_null());
    case.witness(&["OT32", "OT35"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn a_case_goes_down_and_is_rejected_or_kept_for_reference() {
    let app = TestApp::start().await;
    let (county, city, _) = towns(&app).await;
    let case = Story::draft(&app, &city, &city.members[0]).await;
    case.submit().await;
    case.is_out_of_place(&city.chair, "refer-down", to(&county))
        .await;
    case.examine_all().await;
    case.file().await;
    case.does(&city.chair, "refer-down", to(&county)).await;
    let id = text(&incoming(&app, &county).await[0], "id");
    for body in [
        json!({}),
        json!({ "reason": "" }),
        json!({ "reason": "  " }),
    ] {
        let refused = answer(&app, &county, &id, "reject", body).await;
        refused.status(422);
    }
    let why = json!({ "reason": "所提事项属市级职权范围。" });
    answer(&app, &county, &id, "reject", why).await.status(200);
    assert_eq!(sent(&case).await[0]["status"], "rejected");
    assert_eq!(sent(&case).await[0]["note"], "所提事项属市级职权范围。");
    // Rejected, it may be sent once more; accepted or kept, it is with them.
    case.does(&city.chair, "refer-down", to(&county)).await;
    let copies = incoming(&app, &county).await;
    let open = copies.iter().find(|copy| copy["status"] == "sent");
    let id = text(open.expect("a copy that waits"), "id");
    answer(&app, &county, &id, "keep-for-reference", json!({}))
        .await
        .status(200);
    let all = sent(&case).await;
    let statuses: Vec<_> = all.iter().map(|one| text(one, "status")).collect();
    assert!(
        statuses.contains(&"sent_for_reference".to_owned()),
        "{statuses:?}"
    );
    case.is_invalid(&city.chair, "refer-down", to(&county), &["/committee_id"])
        .await;
    case.witness(&["OT33", "OT35"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn who_may_refer_what_to_whom() {
    let app = TestApp::start().await;
    let (county, city, other) = towns(&app).await;
    let case = Story::draft(&app, &county, &county.members[0]).await;
    let chair = &county.chair;
    case.is_out_of_place(chair, "refer-up", to(&city)).await;
    case.submit().await;
    for who in [&county.staff, &county.members[0], &county.examiners[0]] {
        case.tries(who, "refer-up", to(&city)).await.status(403);
    }
    let two =
        json!({ "committee_id": city.committee, "body_name": "某委员会", "reason": "统筹。" });
    for (body, place) in [
        (to(&other), "/committee_id"),
        (to(&county), "/committee_id"),
        (json!({ "reason": "统筹。" }), "/committee_id"),
        (two, "/committee_id"),
        (outside("  "), "/body_name"),
        (json!({ "body_name": "某委员会", "reason": " " }), "/reason"),
    ] {
        case.is_invalid(chair, "refer-up", body, &[place]).await;
    }
    case.examine_all().await;
    case.file().await;
    // Down is for committees below: the city is above.
    case.is_invalid(chair, "refer-down", to(&city), &["/committee_id"])
        .await;
    let secrecy = json!({ "secrecy": "restricted", "reason": "内容敏感。" });
    case.does(&county.staff, "set-secrecy", secrecy).await;
    case.is_refused(chair, "refer-up", to(&city), "referable")
        .await;
    assert!(incoming(&app, &city).await.is_empty());
    // A refused one may still go up.
    let second = Story::draft(&app, &county, &county.members[1]).await;
    second.submit().await;
    let no = refusal(&["outside_jurisdiction"], "referred_up");
    second.does(chair, "not-file", no).await;
    second.does(chair, "refer-up", to(&city)).await;
    assert_eq!(second.status().await, "not_filed", "I37");
    assert_eq!(incoming(&app, &city).await.len(), 1);
    second.witness(&["OT32"]).await;
}

#[actix_web::test]
async fn a_case_is_not_closed_before_the_answer() {
    let app = TestApp::start().await;
    let (county, city, _) = towns(&app).await;
    let mut case = Story::draft(&app, &county, &county.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    let chair = &county.chair;
    case.does(chair, "refer-up", to(&city)).await;
    case.does(chair, "refer-up", outside("政协全国委员会提案委员会"))
        .await;
    case.answer(0).await;
    case.is_out_of_place(chair, "refer-up", outside("另一委员会"))
        .await;
    case.rate(&county.members[0], 0).await;
    let body = json!({ "publish_text": "full", "publish_replies": "full" });
    case.is_refused(&county.staff, "close", body.clone(), "referrals_answered")
        .await;
    // The one inside is answered there, the other one is noted from paper; staff have it to do.
    let desk = case.desk(&county.staff).await;
    assert!(
        desk.contains(&"note_referral_answer".to_owned()),
        "{desk:?}"
    );
    let all = sent(&case).await;
    let of = |inside: bool| {
        let one = all
            .iter()
            .find(|one| one["committee_id"].is_null() != inside);
        text(one.expect("a referral"), "id")
    };
    let (inside, paper) = (of(true), of(false));
    let note = |id: &str, answer: &str, words: Option<&str>| {
        let mut body = json!({
            "referral_id": id, "answer": answer, "paper_reference": "来函 2026-转-012",
        });
        if let Some(words) = words {
            body["note"] = json!(words);
        }
        body
    };
    let act = "note-referral-answer";
    case.tries(chair, act, note(&paper, "accepted", None))
        .await
        .status(403);
    let staff = &county.staff;
    case.is_invalid(
        staff,
        act,
        note(&inside, "accepted", None),
        &["/referral_id"],
    )
    .await;
    case.is_invalid(staff, act, note(&paper, "rejected", None), &["/note"])
        .await;
    let mut accepted = note(&paper, "accepted", Some("已立案。"));
    accepted["counterpart_no"] = json!("第4027号");
    case.does(staff, act, accepted.clone()).await;
    case.is_refused(staff, act, accepted, "outside_referral_open")
        .await;
    case.is_refused(staff, "close", body, "referrals_answered")
        .await;
    answer(&app, &city, &inside, "keep-for-reference", json!({}))
        .await
        .status(200);
    assert_eq!(case.close().await.json["status"], "closed");
    let noted = sent(&case).await;
    let noted = noted.iter().find(|one| text(one, "id") == paper);
    assert_eq!(noted.expect("it")["counterpart_no"], "第4027号");
    case.witness(&["OT32", "OT34", "OT35", "PT25"]).await;
}

#[actix_web::test]
async fn a_recalled_referral_waits_no_longer_and_can_be_sent_again() {
    let app = TestApp::start().await;
    let (county, city, _) = towns(&app).await;
    let case = Story::draft(&app, &county, &county.members[0]).await;
    case.submit().await;
    let chair = &county.chair;
    case.does(chair, "refer-up", to(&city)).await;
    case.is_invalid(chair, "refer-up", to(&city), &["/committee_id"])
        .await;
    let id = text(&sent(&case).await[0], "id");
    let recall = json!({ "referral_id": id, "reason": "本级已解决。" });
    let tried = case.tries(&county.staff, "recall-referral", recall.clone());
    tried.await.status(403);
    case.does(chair, "recall-referral", recall.clone()).await;
    case.is_refused(chair, "recall-referral", recall, "referral_open")
        .await;
    let late = answer(&app, &city, &id, "keep-for-reference", json!({})).await;
    let late = late.status(409).code("state-conflict");
    assert_eq!(late.text("/current_status"), "recalled");
    case.does(chair, "refer-up", to(&city)).await;
    // The text removed for good is removed from the copies too (I29).
    assert!(!text(&incoming(&app, &city).await[0], "situation").is_empty());
    let no = refusal(&["state_or_party_secret"], "kept");
    case.does(chair, "not-file", no).await;
    for copy in incoming(&app, &city).await {
        assert_eq!(copy["situation"], "", "I29");
        assert_eq!(copy["suggestions"], json!([]), "I29");
    }
    case.witness(&["OT32", "OT36"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn seventeen_put_to_the_national_body_nine_accepted_eight_for_reference() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = app.signed_in(&town, &town.chair);
    let staff = app.signed_in(&town, &town.staff);
    for number in 0..17 {
        let path = steps::submitted(&app, &town, &format!("关于第{number}项工作的提案")).await;
        let refer = outside("政协全国委员会提案委员会");
        steps::act(&chair, &path, "refer-up", refer)
            .await
            .status(200);
        let list = staff.get(&format!("{path}/referrals")).send().await;
        let answer = if number < 9 {
            "accepted"
        } else {
            "sent_for_reference"
        };
        let note = json!({
            "referral_id": list.text("/items/0/id"), "answer": answer,
            "paper_reference": "来函 2026-转-012",
        });
        steps::act(&staff, &path, "note-referral-answer", note)
            .await
            .status(200);
    }
    // P-06.
    for (status, found) in [
        ("accepted", 9),
        ("sent_for_reference", 8),
        ("sent", 0),
        ("rejected", 0),
    ] {
        let path = format!("/api/v1/referrals?status={status}&direction=up&count=true&limit=1");
        let page = staff.get(&path).send().await.status(200);
        assert_eq!(page.json["count"], found, "{status}");
    }
    // Page by page, each once, newest first.
    let mut seen = Vec::new();
    let mut path = "/api/v1/referrals?limit=5".to_owned();
    loop {
        let page = staff.get(&path).send().await.status(200);
        for item in page.json["items"].as_array().expect("items") {
            seen.push(text(item, "title"));
        }
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/referrals?limit=5&cursor={cursor}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 17);
    for who in [&town.members[0], &town.unit_clerks[0], &town.examiners[0]] {
        let denied = app.signed_in(&town, who).get("/api/v1/referrals").send();
        denied.await.status(403);
    }
}

/// A case that another committee, below this one, sent.
pub async fn sent_from(app: &TestApp, below: &Town, town: &Town) -> String {
    let sql = format!(
        "UPDATE committees SET level = 'county', \
         parent_id = (SELECT id FROM committees WHERE code = '{}') WHERE code = '{}'",
        town.code, below.code
    );
    app.database().execute(&sql);
    let case = Story::draft(app, below, &below.members[0]).await;
    case.submit().await;
    let refer = json!({ "committee_id": town.committee, "reason": "须由上级统筹。" });
    case.does(&below.chair, "refer-up", refer).await;
    let staff = app.signed_in(town, &town.staff);
    let list = staff.get("/api/v1/incoming-referrals").send().await;
    list.text("/items/0/id")
}
