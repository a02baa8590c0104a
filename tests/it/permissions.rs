//! Who may call what: every operation of the document × every role, with a body that no operation
//! accepts. Whoever may not call it learns 401, 403 or 404 before the body is looked at; whoever
//! may is told what is wrong with the body. The whole matrix is a reviewed snapshot.

use std::collections::BTreeMap;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::contents::{Contents, difference};
use crate::support::seed::{Person, Town};
use crate::support::story::{Story, form, members};
use crate::support::{Client, TestApp, steps, wants_token};

/// A case in a state from which an operation starts.
pub async fn case_at<'a>(app: &'a TestApp, town: &'a Town, step: &str) -> Story<'a> {
    case_of(app, town, step, form()).await
}

/// The same with another text.
pub async fn case_of<'a>(app: &'a TestApp, town: &'a Town, step: &str, form: Value) -> Story<'a> {
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form });
    let case = Story::draft_of(app, town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[2..3]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    lead_to(case, Some(&people[2]), step).await
}

/// Leads a draft with a file to a step, signed by somebody else as well if one was invited.
pub async fn lead_to<'a>(mut case: Story<'a>, invited: Option<&Person>, step: &str) -> Story<'a> {
    let proposer = case.proposer.clone();
    let title = case.seen_by(&proposer).await.text("/form/title");
    let content = [steps::PDF, b"%", title.as_bytes()].concat();
    let name = format!("{title}.pdf");
    let file = steps::upload(&case.as_(&proposer), &case.path(), &name, &content).await;
    let file = file.status(201).id();
    case.edit(json!({ "attachment_ids": [file] })).await;
    case.file = Some(file);
    for now in [
        "submitted",
        "examined",
        "filed",
        "assigned",
        "accepted",
        "drafted",
        "countersigning",
        "signed",
        "approved",
        "handled",
        "feedback",
    ] {
        if step == "draft" {
            return case;
        }
        match now {
            "submitted" => drop(case.submit().await),
            "examined" => drop(case.examine_all().await),
            "filed" => {
                if let Some(invited) = invited {
                    case.does(invited, "consent-cosign", json!({})).await;
                }
                case.file().await;
            }
            "assigned" => drop(case.assign("joint", &[0, 1]).await),
            "accepted" => {
                case.accept(0).await;
                case.accept(1).await;
            }
            "drafted" => {
                case.contact(0).await;
                case.give_opinion(1).await;
                case.draft_reply(0).await;
            }
            "countersigning" => drop(case.request_countersign(0).await),
            "signed" => {
                case.countersign(0, 1).await;
                case.sign(0).await;
            }
            "approved" => drop(case.approve(0).await),
            "handled" => drop(case.deliver(0).await),
            _ => {
                for rater in std::iter::once(&proposer).chain(invited) {
                    let mut form = case.grades(0);
                    form["leader_answered"] = json!(true);
                    case.does(rater, "give-feedback", form).await;
                }
            }
        }
        if now == step {
            return case;
        }
    }
    panic!("no step {step}");
}

/// The state from which an operation on a case is tried.
#[expect(clippy::match_same_arms, reason = "grouped by what belongs together")]
pub fn step_of(operation: &str) -> &'static str {
    match operation {
        "recall_proposal" | "return_for_revision_proposal" | "examine_proposal" => "submitted",
        "file_proposal" | "not_file_proposal" => "examined",
        "assign_proposal" | "get_attachment" | "download_attachment" => "filed",
        "accept_assignment" => "assigned",
        "record_contact_assignment"
        | "submit_opinion_assignment"
        | "draft_reply"
        | "get_assignment"
        | "list_assignment_actions" => "accepted",
        "edit_reply" | "request_countersign_reply" => "drafted",
        "countersign_reply" | "object_reply" | "sign_reply" => "countersigning",
        "approve_reply" | "reject_reply" | "get_reply" | "list_reply_actions" => "signed",
        "deliver_reply" => "approved",
        "give_feedback_proposal" => "handled",
        "close_proposal" | "rehandle_proposal" | "waive_rehandling_proposal" => "feedback",
        "correct_feedback_proposal" | "excuse_rater_proposal" => "handled",
        "get_follow_up"
        | "start_tracking_proposal"
        | "report_progress_proposal"
        | "fulfil_promise_proposal"
        | "stop_tracking_proposal"
        | "supervise_proposal"
        | "urge_proposal"
        | "acknowledge_urging_proposal"
        | "instruct_proposal"
        | "answer_instruction_proposal"
        | "record_look_back_proposal" => "accepted",
        "merge_proposal" | "set_secrecy_proposal" => "submitted",
        "approve_withdrawal_proposal"
        | "reject_withdrawal_proposal"
        | "record_consultation_proposal"
        | "review_publication_proposal"
        | "link_cases_proposal" => "filed",
        "adjust_units_proposal" | "get_rounds" | "list_case_clocks" | "explain_clock" => "accepted",
        "coordinate_reply" => "countersigning",
        name if name.ends_with("_assignment") => "accepted",
        _ => "draft",
    }
}

/// The first columns are one for each role, under its name.
pub const ROLES: usize = 13;

/// The columns: a name and who it is.
pub fn columns(town: &Town) -> Vec<(&'static str, Person)> {
    vec![
        ("member", town.members[0].clone()),
        ("organisation_clerk", town.clerk.clone()),
        ("committee_staff", town.staff.clone()),
        ("examiner", town.examiners[2].clone()),
        ("committee_chair", town.chair.clone()),
        ("assigning_officer", town.officer.clone()),
        ("unit_clerk", town.unit_clerks[0].clone()),
        ("unit_signatory", town.signatories[0].clone()),
        ("supervision_officer", town.supervision.clone()),
        ("leader", town.leader.clone()),
        ("auditor", town.auditor.clone()),
        ("administrator", town.administrator.clone()),
        ("security_administrator", town.security.clone()),
        ("other_member", town.members[1].clone()),
        ("invited_member", town.members[2].clone()),
        ("other_line", town.party_officer.clone()),
        ("co_handler_clerk", town.unit_clerks[1].clone()),
        ("co_handler_signatory", town.signatories[1].clone()),
        ("other_unit_clerk", town.unit_clerks[2].clone()),
        ("other_unit_signatory", town.signatories[2].clone()),
    ]
}

/// The path with identifiers of this town and case.
pub fn fill(
    template: &str,
    operation: &str,
    town: &Town,
    case: &Story<'_>,
    others: &[(&str, String)],
) -> String {
    let row = usize::from(operation == "submit_opinion_assignment");
    let known = |name: &str| match name {
        "proposal_id" => case.id.clone(),
        "assignment_id" => case.rows[&row].clone(),
        "reply_id" => case.replies[&0].clone(),
        "attachment_id" => case.file.clone().expect("a file"),
        "committee_id" => town.committee.to_string(),
        "term_id" => town.term.to_string(),
        "session_id" => town.session.to_string(),
        "member_id" => town.members[0].member.expect("a member").to_string(),
        "organisation_id" => town.party.to_string(),
        "unit_id" => town.units[0].to_string(),
        "version" => "current".to_owned(),
        "user_id" => town.members[0].user.to_string(),
        "code" => "not-found".to_owned(),
        "reason_code" => "bad_form".to_owned(),
        "file" | "path" | "name" | "tail" => String::new(),
        other => others
            .iter()
            .find(|(name, _)| *name == other)
            .unwrap_or_else(|| panic!("say in this test what {{{other}}} of {operation} is"))
            .1
            .clone(),
    };
    template
        .split('/')
        .map(|part| {
            match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                Some(name) => known(name),
                None => part.to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The status of a request with a body that no operation accepts.
pub async fn status(client: &Client, method: &str, path: &str) -> u16 {
    let method: Method = method.to_uppercase().parse().expect("a method");
    let mut request = client.request(method.clone(), path).header("If-Match", "*");
    if method != Method::GET {
        // Tokens must send one; nothing is stored under it, for nothing succeeds.
        request = request.key("permissions-0001");
        request = request.json(json!({ "no_such_field": true }));
    }
    request.send().await.status
}

/// Who got which status, with short names for whoever shares one.
pub fn line(cells: &[(String, u16)]) -> String {
    let shares = |names: &dyn Fn(&str) -> bool| {
        let mut all = cells
            .iter()
            .filter(|(name, _)| names(name))
            .map(|(_, status)| *status);
        let first = all.next();
        first.filter(|first| all.all(|status| status == *first))
    };
    let (elsewhere, here) = (
        shares(&|name| name.ends_with("@elsewhere")),
        shares(&|name| !name.contains('@')),
    );
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    if let Some(status) = here {
        by_status.entry(status).or_default().push("everybody");
    }
    for (name, status) in cells {
        let away = name.ends_with("@elsewhere");
        if (away && elsewhere.is_none()) || (!away && here.is_none()) {
            by_status.entry(*status).or_default().push(name);
        }
    }
    if let Some(status) = elsewhere {
        by_status
            .entry(status)
            .or_default()
            .push("everybody elsewhere");
    }
    let lines: Vec<_> = by_status
        .iter()
        .map(|(status, names)| format!("    {status}: {}", names.join(", ")))
        .collect();
    lines.join("\n")
}

/// All that the service keeps, but for what it notes of whoever asks: refusals, reads of what few
/// may read, budgets.
pub struct Kept(Contents);

impl Kept {
    /// As it is now.
    pub fn of(app: &TestApp) -> Self {
        let mut contents = app.database().contents(None);
        // How much of his budget somebody has used.
        contents.remove("request_budgets");
        Self(contents)
    }

    /// Asserts that nothing else was written meanwhile; gives it as it is then.
    #[track_caller]
    pub fn unchanged(self, app: &TestApp, after: &str) -> Self {
        let now = Self::of(app);
        let changed = difference(&self.0, &now.0);
        assert!(changed.is_empty(), "{after} changed {changed:#?}");
        now
    }
}

#[actix_web::test]
async fn every_operation_is_open_to_the_roles_of_the_matrix_and_to_no_others() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let elsewhere = app.town_called("linjiang").await;
    assert_ne!(town.code, elsewhere.code);
    let document = app.openapi().await;
    let mut cases: BTreeMap<&str, Story<'_>> = BTreeMap::new();
    let mut operations: Vec<(String, String, Value)> = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["operationId"].is_string() {
                operations.push((path.clone(), method.clone(), operation.clone()));
            }
        }
    }
    // Whoever signs out has no token any more.
    operations.sort_by_key(|(path, method, operation)| {
        (
            operation["operationId"] == "logout",
            path.clone(),
            method.clone(),
        )
    });
    let administrator = app.signed_in(&town, &town.administrator);
    let draft = administrator.post("/api/v1/policy-profiles");
    let profile = draft.json(json!({})).send().await.status(201).id();
    let hook = administrator.post("/api/v1/webhooks").json(json!({
        "url": "https://8.8.8.8/", "events": ["proposal.*"], "reads_as": { "role": "auditor" },
    }));
    let hook = hook.send().await.status(201);
    let ping = format!("{}/actions/ping", hook.text_header("location"));
    let ping = administrator.post(&ping).header("If-Match", "*");
    let delivery = ping.json(json!({})).send().await.status(201);
    // The unit's own system, beside its people.
    let security = app.signed_in(&town, &town.security);
    let token = security.post("/api/v1/api-tokens").json(json!({
        "name": "市交通运输局公文系统", "role": "unit_clerk", "unit_id": town.units[0],
        "expires_at": app.clock_now() + jiff::SignedDuration::from_hours(24),
    }));
    let token = token.send().await.status(201);
    let machine = app.client(&token.text("/token"));
    // When a token was first used is noted once.
    machine.get("/api/v1/auth/me").send().await.ok();
    let provider = app.signed_in(&town, &town.security);
    let provider = provider.post("/api/v1/openid-providers").json(json!({
        "name": "市政务统一身份认证", "issuer": "https://8.8.8.8", "client_id": "jianjian",
        "redirect_uri": "https://tian.example.cn/signed-in", "claim": "sub",
    }));
    let provider = provider.send().await.status(201).id();
    app.work().await;
    let jobs = administrator.get("/api/v1/jobs").send().await.status(200);
    let job = jobs.text("/items/0/id");
    let auditor = app.signed_in(&town, &town.auditor);
    let check = auditor.post("/api/v1/audit/checks").json(json!({}));
    let check = check.send().await.status(202).id();
    let below = app.town_called("qingshui").await;
    let referral = crate::referrals::sent_from(&app, &below, &town).await;
    let mut matrix = Vec::new();
    let mut kept = Kept::of(&app);
    for (path, method, operation) in &operations {
        let id = operation["operationId"].as_str().expect("an id");
        let step = step_of(id);
        if !cases.contains_key(step) {
            cases.insert(step, case_at(&app, &town, step).await);
            kept = Kept::of(&app);
        }
        let case = &cases[step];
        let clocks = format!("{}/clocks?limit=1", case.path());
        let clocks = case.as_(&town.auditor).get(&clocks).send().await;
        let clock = clocks.status(200).text("/items/0/id");
        let others = [
            ("profile_id", profile.clone()),
            ("clock_id", clock),
            ("client_id", token.id()),
            ("job_id", job.clone()),
            ("referral_id", referral.clone()),
            ("webhook_id", hook.id()),
            ("delivery_id", delivery.id()),
            ("openid_provider_id", provider.clone()),
            ("check_id", check.clone()),
            ("number", "1".to_owned()),
        ];
        let mut path_here = fill(path, id, &town, case, &others);
        // A stream that is opened does not end.
        if id == "stream_events" {
            path_here.push_str("?after=x");
        }
        let mut cells = vec![(
            "anonymous".to_owned(),
            status(&app.anonymous(), method, &path_here).await,
        )];
        for (name, person) in columns(&town) {
            let client = app.signed_in(&town, &person);
            cells.push((name.to_owned(), status(&client, method, &path_here).await));
        }
        let got = status(&machine, method, &path_here).await;
        let public = !wants_token(operation);
        let schemes = operation["security"].as_array().expect("security");
        let open = schemes
            .iter()
            .any(|scheme| scheme.get("api_token").is_some());
        if !open && !public {
            assert_eq!(got, 403, "{id} for a token");
        }
        cells.push(("unit_clerk_token".to_owned(), got));
        for (name, person) in columns(&elsewhere).into_iter().take(ROLES) {
            let client = app.signed_in(&elsewhere, &person);
            let got = status(&client, method, &path_here).await;
            cells.push((format!("{name}@elsewhere"), got));
        }
        for (name, got) in &cells {
            assert!(*got < 500, "{id} for {name}: {got}");
            if name == "anonymous" && !public {
                assert_eq!(*got, 401, "{id}");
            }
            // Nothing of a case is known in another committee.
            if name.ends_with("@elsewhere")
                && path.contains("_id}")
                && !path.contains("committee_id")
            {
                assert!(matches!(got, 403 | 404), "{id} for {name}: {got}");
            }
            let Some(roles) = operation["x-roles"].as_array() else {
                continue;
            };
            let role = columns(&town).iter().position(|(column, _)| column == name);
            let entitled = roles.iter().any(|role| role == name.as_str());
            if role.is_some_and(|index| index < ROLES) && !entitled {
                assert!(matches!(got, 401 | 403 | 404), "{id} for {name}: {got}");
            }
        }
        // It takes no body, and signs whoever asks out.
        if id != "logout" {
            kept = kept.unchanged(&app, id);
        }
        let method = method.to_uppercase();
        matrix.push(format!(
            "{method} {path} ({id})
{}",
            line(&cells)
        ));
    }
    insta::assert_snapshot!("permissions", matrix.join("\n"));
}
