//! Merging: PT17, PT18, OT05, I18, I19, I39. Handled together, answered separately, and undone as
//! if it had never been.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::sides::{into, refusal};
use crate::support::story::{Story, meeting, members};
use crate::support::{Reply, TestApp};

fn reason() -> Value {
    json!({ "reason": "两案内容不同，分别办理。" })
}

async fn submitted<'a>(app: &'a TestApp, town: &'a Town, who: usize) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[who]).await;
    case.submit().await;
    case
}

async fn filed<'a>(app: &'a TestApp, town: &'a Town, who: usize) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[who]).await;
    case.until_filed().await;
    case
}

/// A case as it reads, without what a merge and its undoing count or start anew.
fn kept(case: Reply) -> Value {
    let mut case = case.json;
    let fields = case.as_object_mut().expect("an object");
    for name in ["version", "updated_at", "clocks"] {
        fields.remove(name);
    }
    case
}

#[actix_web::test]
async fn filed_and_unfiled_ones_are_absorbed_by_a_filed_main() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let main = filed(&app, &town, 0).await;
    let unfiled = submitted(&app, &town, 1).await;
    let on_file = filed(&app, &town, 2).await;
    let number = on_file.seen_by(&town.staff).await.json["case_no"].clone();
    let merged = unfiled.does(&town.chair, "merge", into(&main)).await;
    assert_eq!(merged.json["status"], "merged");
    assert_eq!(merged.json["main"]["id"], main.id.as_str());
    assert_eq!(merged.json["main"]["status"], "filed");
    assert_eq!(merged.json.get("case_no"), None, "it was never filed");
    assert!(merged.json["serial_no"].is_number(), "I18");
    assert!(merged.json["form"]["situation"].is_string(), "I18");
    let merged = on_file.does(&town.chair, "merge", into(&main)).await;
    assert_eq!(merged.json["case_no"], number, "I2, I18");
    let seen = main.seen_by(&town.staff).await;
    assert_eq!(seen.json["absorbed"].as_array().expect("group").len(), 2);
    for other in [&unfiled, &on_file] {
        let clocks = other.seen_by(&town.staff).await.json["clocks"].clone();
        let clocks = clocks.as_array().expect("clocks");
        let stopped = ["K01", "K03", "K04"];
        assert!(
            clocks
                .iter()
                .all(|clock| !stopped.contains(&clock["kind"].as_str().expect("a kind")))
        );
        let events = main.events_seen_by(&town.members[1]).await;
        assert!(events.contains(&"proposal.absorbed".to_owned()));
        other.does(&town.staff, "archive", json!({})).await;
        other.witness(&["PT17"]).await;
    }
    // Desks: nothing waits on the absorbed ones.
    assert!(main.desk(&town.chair).await.is_empty());
    assert_eq!(main.desk(&town.officer).await, ["assign"]);
    main.is_whole().await;
}

#[actix_web::test]
async fn what_cannot_be_merged() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = &town.chair;
    let one = submitted(&app, &town, 0).await;
    let two = submitted(&app, &town, 1).await;
    let on_file = filed(&app, &town, 2).await;
    let draft = Story::draft(&app, &town, &town.members[3]).await;
    for who in [&town.staff, &town.examiners[0], &town.members[0]] {
        one.tries(who, "merge", into(&two)).await.status(403);
    }
    let blank = json!({ "main_id": two.id, "opinion": " " });
    one.is_invalid(chair, "merge", blank, &["/opinion"]).await;
    one.is_invalid(chair, "merge", into(&one), &["/main_id"])
        .await;
    let nobody =
        json!({ "main_id": "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607", "opinion": "内容相近。" });
    one.is_invalid(chair, "merge", nobody, &["/main_id"]).await;
    // What belongs to another committee is unknown here.
    let other_town = app.town_called("linhe").await;
    let foreign = submitted(&app, &other_town, 0).await;
    one.is_invalid(chair, "merge", into(&foreign), &["/main_id"])
        .await;
    foreign
        .tries_on(&other_town.chair, &one.path(), "merge", into(&two))
        .await
        .status(404);
    on_file
        .is_refused(chair, "merge", into(&one), "main_filed")
        .await;
    one.is_refused(chair, "merge", into(&draft), "main_open")
        .await;
    draft.is_out_of_place(chair, "merge", into(&one)).await;
    two.does(chair, "merge", into(&one)).await;
    // One level only: neither into an absorbed one, nor a main into another.
    let three = submitted(&app, &town, 4).await;
    three
        .is_refused(chair, "merge", into(&two), "main_open")
        .await;
    one.is_refused(chair, "merge", into(&three), "has_absorbed_none")
        .await;
    two.is_out_of_place(chair, "merge", into(&three)).await;
    // Another session.
    let later = json!({
        "term_id": town.term, "number": 5, "name": "十四届五次会议",
        "window_opens_on": "2026-03-01", "opens_on": "2026-03-01",
        "deadline_at": "2026-03-09T12:00:00Z", "ends_on": "2026-03-12", "examination_until": "2026-03-30",
    });
    let later = one
        .as_(&town.administrator)
        .post("/api/v1/sessions")
        .json(later)
        .send()
        .await
        .status(201)
        .id();
    let body = json!({
        "kind": "individual", "session_id": later, "form": crate::support::story::form(),
    });
    let next = Story::draft_of(&app, &town, &town.members[3], body).await;
    next.submit().await;
    three
        .is_refused(chair, "merge", into(&next), "same_session")
        .await;
    // A request to withdraw is decided first.
    let why = json!({ "reason": "情况已有变化。" });
    on_file.does(&town.members[2], "withdraw", why).await;
    let main = filed(&app, &town, 0).await;
    on_file
        .is_refused(chair, "merge", into(&main), "no_open_withdrawal")
        .await;
}

#[actix_web::test]
async fn a_main_proposal_stays_where_it_is() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (chair, member) = (&town.chair, &town.members[0]);
    let main = submitted(&app, &town, 0).await;
    let other = submitted(&app, &town, 1).await;
    other.does(chair, "merge", into(&main)).await;
    let back = json!({ "reason": "请补充。" });
    main.is_refused(member, "recall", json!({}), "not_a_main")
        .await;
    main.is_refused(member, "withdraw", back.clone(), "not_a_main")
        .await;
    main.is_refused(chair, "return-for-revision", back.clone(), "not_a_main")
        .await;
    main.is_refused(
        chair,
        "not-file",
        refusal(&["bad_form"], "kept"),
        "not_a_main",
    )
    .await;
    main.examine_all().await;
    main.file().await;
    main.is_refused(member, "withdraw", back.clone(), "not_a_main")
        .await;
    other.does(chair, "unmerge", reason()).await;
    main.does(member, "withdraw", back).await;
}

#[actix_web::test]
async fn every_absorbed_proposer_gets_the_reply_and_rates_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let mut main = submitted(&app, &town, 0).await;
    let alone = submitted(&app, &town, 1).await;
    let body = json!({ "kind": "joint", "form": crate::support::story::form() });
    let joint = Story::draft_of(&app, &town, &people[2], body).await;
    let invited = json!({ "member_ids": members(&people[3..5]) });
    joint.does(&people[2], "invite-cosigners", invited).await;
    joint.does(&people[3], "consent-cosign", json!({})).await;
    joint.submit().await;
    // Before the merge the main one is not theirs to see, and after it, before filing, it is.
    main.seen_by(&people[1]).await.status(404);
    for other in [&alone, &joint] {
        other.does(&town.chair, "merge", into(&main)).await;
    }
    assert_eq!(
        joint.consents(&town.staff).await,
        ["consented", "consented", "dropped"],
        "I17: frozen at merging"
    );
    for who in &people[1..4] {
        main.seen_by(who).await.status(200);
        assert!(main.is_listed_for(&main.as_(who)).await, "{}", who.username);
    }
    main.seen_by(&people[4]).await.status(404);
    assert!(!main.is_listed_for(&main.as_(&people[4])).await);
    main.examine_all().await;
    main.file().await;
    main.assign("sole", &[0]).await;
    let handled = main.answer(0).await;
    assert_eq!(handled.json["proposal"]["status"], "handled");
    // A receipt for each.
    let records =
        |story: &Story<'_>, who: &Person| story.as_(who).get(&format!("{}/records", story.path()));
    let receipts = records(&main, &people[0]).send().await.status(200);
    let receipts = receipts.json["deliveries"].as_array().expect("receipts");
    let mut reached: Vec<_> = receipts
        .iter()
        .map(|receipt| receipt["proposal_id"].as_str().expect("an id"))
        .collect();
    reached.sort_unstable();
    let mut group = [main.id.as_str(), alone.id.as_str(), joint.id.as_str()];
    group.sort_unstable();
    assert_eq!(reached, group, "I18");
    let own = records(&alone, &people[1]).send().await.status(200);
    assert_eq!(own.json["deliveries"].as_array().expect("one").len(), 1);
    let follows = alone.seen_by(&people[1]).await;
    assert_eq!(follows.json["main"]["status"], "handled");
    assert_eq!(follows.json["main"]["delivered"], true);
    let reply = main.as_(&people[1]).get(&main.reply(0)).send().await;
    reply.status(200);
    alone
        .is_refused(&town.chair, "unmerge", reason(), "main_not_answered")
        .await;
    // The round ends when all four have rated.
    for (who, after) in [
        (0, "handled"),
        (2, "handled"),
        (3, "handled"),
        (1, "feedback"),
    ] {
        assert_eq!(main.desk(&people[who]).await, ["give_feedback"]);
        let rated = main.rate(&people[who], 0).await;
        assert_eq!(rated.json["status"], after);
    }
    main.tries(&people[4], "give-feedback", main.grades(0))
        .await
        .status(403);
    main.close().await;
    assert_eq!(
        alone.seen_by(&people[1]).await.json["main"]["status"],
        "closed"
    );
    alone.witness(&["PT17"]).await;
    main.witness(&["PT21", "PT22", "PT23"]).await;
    main.is_whole().await;
}

#[actix_web::test]
async fn undone_everything_is_as_it_was() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (people, chair) = (&town.members, &town.chair);
    let main = filed(&app, &town, 0).await;
    let body = json!({ "kind": "joint", "form": crate::support::story::form() });
    let joint = Story::draft_of(&app, &town, &people[1], body).await;
    let invited = json!({ "member_ids": members(&people[2..5]) });
    joint.does(&people[1], "invite-cosigners", invited).await;
    joint.does(&people[2], "decline-cosign", json!({})).await;
    joint.submit().await;
    let on_file = filed(&app, &town, 2).await;
    joint
        .does(
            &town.examiners[0],
            "examine",
            crate::support::story::opinion(&town),
        )
        .await;
    for case in [&joint, &on_file] {
        let before = kept(case.seen_by(chair).await);
        app.clock.advance(SignedDuration::from_mins(1));
        case.does(chair, "merge", into(&main)).await;
        app.clock.advance(SignedDuration::from_mins(1));
        case.is_invalid(chair, "unmerge", json!({ "reason": " " }), &["/reason"])
            .await;
        case.tries(&town.staff, "unmerge", reason())
            .await
            .status(403);
        case.does(chair, "unmerge", reason()).await;
        assert_eq!(kept(case.seen_by(chair).await), before, "I18");
        case.is_out_of_place(chair, "unmerge", reason()).await;
        let absorbed = main.seen_by(chair).await.json["absorbed"].clone();
        assert_eq!(absorbed, json!([]));
    }
    let clocks = joint.seen_by(chair).await.json["clocks"].clone();
    let mut kinds: Vec<_> = clocks.as_array().expect("clocks").iter().collect();
    kinds.sort_by_key(|clock| clock["kind"].as_str());
    let kinds: Vec<_> = kinds.iter().map(|clock| &clock["kind"]).collect();
    assert_eq!(
        kinds,
        ["K01", "K01", "K03"],
        "two invitations and the examination run anew"
    );
    assert_eq!(joint.desk(&people[3]).await, ["answer_invitation"]);
    joint.does(&people[3], "consent-cosign", json!({})).await;
    let mut on_file = on_file;
    on_file.assign("sole", &[0]).await;
    // Once more, and undone while the main one is in handling: it is archived in between.
    let mut main = main;
    joint.does(chair, "merge", into(&main)).await;
    main.assign("sole", &[1]).await;
    joint.does(&town.staff, "archive", json!({})).await;
    joint
        .is_refused(&town.staff, "archive", json!({}), "not_archived")
        .await;
    let back = joint.does(chair, "unmerge", reason()).await;
    assert_eq!(back.json["status"], "submitted");
    assert_eq!(back.json["marks"].get("archived_at"), None);
    let events = main.events_seen_by(&town.auditor).await;
    let told = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!(told("proposal.absorbed"), 3);
    assert_eq!(told("proposal.released"), 3);
    joint.witness(&["PT17", "PT18", "OT04"]).await;
    joint.is_whole().await;
}

#[actix_web::test]
async fn a_merge_group_succeeds_or_fails_as_a_whole() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let main = submitted(&app, &town, 0).await;
    let one = submitted(&app, &town, 1).await;
    let two = submitted(&app, &town, 2).await;
    let draft = Story::draft(&app, &town, &town.members[3]).await;
    let chair = main.as_(&town.chair);
    let group = |ids: Value| json!({ "main_id": main.id, "absorbed_ids": ids, "opinion": "内容相近，并案办理。" });
    let before = app.database().row_counts();
    let refused = chair
        .post("/api/v1/merge-groups")
        .json(group(json!([one.id, two.id, draft.id])))
        .send()
        .await;
    let refused = refused.status(409).code("state-conflict");
    assert_eq!(refused.json["proposal_id"], draft.id.as_str());
    assert_eq!(app.database().row_counts(), before, "I39");
    assert_eq!(one.status().await, "submitted");
    let twice = group(json!([one.id, one.id]));
    chair
        .post("/api/v1/merge-groups")
        .json(twice)
        .send()
        .await
        .status(422)
        .blames(&["/absorbed_ids/1"]);
    let merged = chair
        .post("/api/v1/merge-groups")
        .json(group(json!([one.id, two.id])))
        .send()
        .await
        .status(201);
    assert_eq!(merged.json["absorbed"].as_array().expect("group").len(), 2);
    one.witness(&["PT17"]).await;
    two.witness(&["PT17"]).await;
    main.is_whole().await;
}

#[actix_web::test]
async fn cases_are_linked_without_merging() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let one = submitted(&app, &town, 0).await;
    let two = filed(&app, &town, 1).await;
    let link = json!({ "kind": "handled_together", "proposal_id": two.id, "note": "一并调研。" });
    one.tries(&town.examiners[0], "link-cases", link.clone())
        .await
        .status(403);
    let selfish = json!({ "kind": "repeat_of", "proposal_id": one.id });
    one.is_invalid(&town.staff, "link-cases", selfish, &["/proposal_id"])
        .await;
    let untouched = two.seen_by(&town.staff).await.version();
    let linked = one.does(&town.staff, "link-cases", link).await;
    assert_eq!(linked.json["status"], "submitted", "I37");
    // Only one of them was written to: whoever has read the other may go on.
    assert_eq!(two.seen_by(&town.staff).await.version(), untouched);
    for (case, direction) in [(&one, "from"), (&two, "to")] {
        let path = format!("{}/links", case.path());
        let links = case.as_(&town.staff).get(&path).send().await.status(200);
        assert_eq!(links.json["items"][0]["direction"], direction);
    }
    one.witness(&["OT05"]).await;
}

#[actix_web::test]
async fn nobody_merges_what_he_signed_on_either_side() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let roles = json!([
        { "role": "committee_chair" },
        { "role": "organisation_clerk", "organisation_id": town.party },
    ]);
    let chair = crate::support::sides::account(&app, &town, "chair.of.party", roles).await;
    let mut text = crate::support::story::form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("盖章原件 2026-集-021");
    let body = json!({ "kind": "party", "form": text });
    let own = Story::draft_of(&app, &town, &town.clerk, body).await;
    own.submit().await;
    let other = submitted(&app, &town, 0).await;
    for (case, main) in [(&own, &other), (&other, &own)] {
        let refused = crate::support::steps::act(&chair, &case.path(), "merge", into(main)).await;
        let refused = refused.status(409).code("guard-unmet");
        assert_eq!(crate::support::sides::unmet(&refused), ["not_a_signer"]);
    }
    // Merged by somebody else, the group is not theirs to decide on either.
    own.does(&town.chair, "merge", into(&other)).await;
    other.examine_all().await;
    let refused = crate::support::steps::act(&chair, &other.path(), "file", meeting()).await;
    assert_eq!(
        crate::support::sides::unmet(&refused.status(409)),
        ["not_a_signer"],
        "I10"
    );
    other.file().await;
}
