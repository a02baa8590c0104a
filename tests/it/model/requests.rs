//! Commands as requests: address, body, If-Match.

use serde_json::{Value, json};

use super::effects::{Command, Fault, Input};
use super::rules::{Act, Target};
use super::world::{Name, Person, World, day};
use crate::support::seed::{self, Town};
use crate::support::story::{form, meeting, reply_form};
use crate::support::{Reply, TestApp};

/// What the things of a run are called by the service.
#[derive(Debug, Default, Clone)]
pub struct Names {
    pub cases: Vec<Named>,
}

/// What the things of a case are called, by their position in the model.
#[derive(Debug, Default, Clone)]
pub struct Named {
    pub id: String,
    pub rows: Vec<String>,
    pub replies: Vec<String>,
    pub proposers: Vec<String>,
    /// The case as the auditor saw it last.
    pub seen: Value,
    /// The length of its trail.
    pub trail: i64,
}

/// The account of somebody.
pub fn account(town: &Town, who: Person) -> &seed::Person {
    match who {
        Person::Member(n) => &town.members[n],
        Person::OrganisationClerk => &town.clerk,
        Person::Staff => &town.staff,
        Person::Examiner(n) => &town.examiners[n],
        Person::Chair => &town.chair,
        Person::Officer => &town.officer,
        Person::PartyOfficer => &town.party_officer,
        Person::Clerk(n) => &town.unit_clerks[n],
        Person::Signatory(n) => &town.signatories[n],
        Person::Supervision => &town.supervision,
        Person::Leader => &town.leader,
        Person::Auditor => &town.auditor,
        Person::Administrator => &town.administrator,
        Person::Security => &town.security,
    }
}

impl Names {
    /// Address of a thing.
    pub fn address(&self, case: usize, target: Target) -> String {
        let own = &self.cases[case];
        match target {
            Target::Case => format!("/api/v1/proposals/{}", own.id),
            Target::Row(row) => format!("/api/v1/assignments/{}", own.rows[row]),
            Target::Reply(reply) => format!("/api/v1/replies/{}", own.replies[reply]),
        }
    }

    /// The version of a thing when it was seen last.
    fn version(&self, case: usize, target: Target) -> i64 {
        let own = &self.cases[case];
        let of = |list: &str, id: &str| {
            let mut list = own.seen[list].as_array().into_iter().flatten();
            let found = list.find(|one| one["id"] == id);
            found.and_then(|one| one["version"].as_i64()).unwrap_or(0)
        };
        match target {
            Target::Case => own.seen["version"].as_i64().unwrap_or(0),
            Target::Row(row) => of("handling", &own.rows[row]),
            Target::Reply(reply) => of("replies", &own.replies[reply]),
        }
    }
}

/// Sends a command, as its author would.
pub async fn send(
    app: &TestApp,
    town: &Town,
    names: &Names,
    world: &World,
    command: &Command,
) -> Reply {
    let client = app.signed_in(town, account(town, command.who));
    let mut body = body(town, names, world, command);
    if command.fault == Fault::Malformed {
        body["surprise"] = json!(true);
    }
    if command.act == Act::Create {
        return client.post("/api/v1/proposals").json(body).send().await;
    }
    let address = names.address(command.case, command.target);
    let request = match command.act {
        Act::Edit | Act::EditReply => client.patch(&address),
        Act::Draft => client.post(&format!("{address}/replies")),
        act => {
            let action = act.rule().action.replace('_', "-");
            client.post(&format!("{address}/actions/{action}"))
        }
    };
    let behind = if command.fault == Fault::Stale { 7 } else { 0 };
    let version = names.version(command.case, command.target) + behind;
    request.if_match(version).json(body).send().await
}

/// What is handed in with a command.
#[expect(clippy::too_many_lines, reason = "a table")]
fn body(town: &Town, names: &Names, world: &World, command: &Command) -> Value {
    let blank = command.fault == Fault::Blank;
    let text = if blank {
        "            "
    } else {
        "经研究，情况属实，按有关规定办理。"
    };
    let unit = |unit: usize| json!(town.units[unit]);
    let rows = |rows: &[(usize, Name)]| -> Value {
        let rows = rows.iter().map(|(unit, role)| match *role {
            "separate" => json!({ "unit_id": town.units[*unit], "role": role, "part": "其余事项" }),
            _ => json!({ "unit_id": town.units[*unit], "role": role }),
        });
        rows.collect()
    };
    let rater = |(case, position): (usize, usize)| json!(names.cases[case].proposers[position]);
    match (command.act, &command.input) {
        (Act::Create, Input::Joint(joint)) => {
            json!({ "kind": if *joint { "joint" } else { "individual" }, "form": form() })
        }
        (Act::Edit, Input::NewText) => json!({ "situation": format!("第{}稿。", world.texts + 1) }),
        (Act::Edit, Input::NoSecret(value)) => json!({ "no_secret_declaration": value }),
        (Act::Edit, Input::MayPublish(value)) => {
            let reason = (*value == Some(false)).then_some("内容涉及个人。");
            json!({ "publish_consent": value, "publish_refusal_reason": reason })
        }
        (Act::Invite, Input::Member(member)) => {
            json!({ "member_ids": [town.members[*member].member] })
        }
        (
            Act::Withdraw
            | Act::Unmerge
            | Act::Reopen
            | Act::RejectWithdrawal
            | Act::ReturnForRevision
            | Act::RequestUrgency
            | Act::RefuseUrgency
            | Act::DowngradeUrgency
            | Act::RejectReturn
            | Act::Void
            | Act::Reject,
            _,
        ) => json!({ "reason": text }),
        (Act::Examine, Input::Unit(draft)) => json!({
            "opinion": text, "recommendation": "file", "subject_class": "social",
            "checklist": { "standing": true, "content": true, "form": true },
            "draft_units": [unit(*draft)],
        }),
        (Act::File, _) => meeting(),
        (Act::NotFile, _) => {
            let mut body = meeting();
            body["reason_codes"] = json!(["academic_discussion"]);
            body["explanation"] = json!(text);
            body["disposition"] = json!("kept");
            body
        }
        (Act::Dispose, _) => json!({ "note": text }),
        (Act::Merge, Input::Main(main)) => {
            json!({ "main_id": names.cases[*main].id, "opinion": text })
        }
        (Act::Assign, Input::Rows { kind, add, .. }) => {
            json!({ "handling_kind": kind, "rows": rows(add) })
        }
        (Act::AdjustUnits, Input::Rows { kind, add, remove }) => {
            let own = &names.cases[command.case].rows;
            let remove: Vec<_> = remove.iter().map(|row| &own[*row]).collect();
            let mut body = json!({
                "cause": "reorganisation", "reason": text, "add": rows(add), "remove": remove,
            });
            if let Some(kind) = kind {
                body["handling_kind"] = json!(kind);
            }
            body
        }
        (
            _,
            Input::Rating {
                reply,
                dissatisfied,
                paper,
            },
        ) => {
            let grade = if *dissatisfied {
                "dissatisfied"
            } else {
                "satisfied"
            };
            let mut body = json!({
                "reply_id": names.cases[command.case].replies[*reply], "attitude": "satisfied",
                "result": grade, "contact_way": "phone", "comment": text,
            });
            if let Some(paper) = paper {
                body["rater_id"] = rater(*paper);
                body["paper_reference"] = json!("纸质意见表 2026-意-004");
            }
            body
        }
        (Act::Waive, Input::Paper(Some(paper))) => {
            json!({ "rater_id": rater(*paper), "paper_reference": "纸质确认单 2026-重-004" })
        }
        (
            _,
            Input::Again {
                quality,
                kind,
                rows: wanted,
            },
        ) => {
            let cause = if *quality { "quality" } else { "dissatisfied" };
            let mut body = json!({ "cause": cause, "reason": text, "rows": rows(wanted) });
            if let Some(kind) = kind {
                body["handling_kind"] = json!(kind);
            }
            body
        }
        (_, Input::Levels(Some((of_text, of_replies)))) => {
            json!({ "publish_text": of_text, "publish_replies": of_replies })
        }
        (Act::Consult, Input::Meeting(ends)) => {
            let form = if *ends {
                "face_to_face_meeting"
            } else {
                "topical"
            };
            json!({
                "form": form, "date": day(world.now).to_string(), "participants": "各方",
                "minutes": text,
            })
        }
        (Act::SetSecrecy, Input::Secrecy(secrecy)) => json!({ "secrecy": secrecy, "reason": text }),
        (Act::MarkUrgent, Input::Rows { add, .. }) => {
            let units: Vec<_> = add.iter().map(|row| unit(row.0)).collect();
            json!({ "reason": text, "reference_units": units })
        }
        (Act::Accept, _) => json!({ "clerk_name": text, "clerk_phone": "0599-5550145" }),
        (Act::RequestReturn, Input::Unit(wished)) => {
            json!({ "reason": text, "suggested_unit_id": unit(*wished), "signatory": "林涛" })
        }
        (Act::GrantReturn, Input::Rows { kind, add, .. }) => match kind {
            Some(kind) => json!({ "replacement": rows(add), "handling_kind": kind }),
            None => json!({ "replacement": rows(add) }),
        },
        (Act::RecordContact, _) => {
            // Its fault is a day that is still to come.
            let date = if blank {
                day(world.now).tomorrow().expect("a day")
            } else {
                day(world.now)
            };
            json!({
                "way": "phone", "date": date.to_string(), "persons": "林涛；提案者",
                "said": "听取意见。", "proposer_view": "认可。",
            })
        }
        (Act::SubmitOpinion, _) => json!({ "text": text, "signatory": "郑海峰" }),
        (Act::Draft, Input::Outcome(outcome)) => {
            let mut body = reply_form();
            write(&mut body, world, *outcome);
            if outcome.is_none() {
                body.as_object_mut().expect("a form").remove("outcome");
            }
            body
        }
        (Act::EditReply, Input::Outcome(outcome)) => {
            let mut body = json!({});
            write(&mut body, world, *outcome);
            body
        }
        (Act::Countersign | Act::Sign, _) => json!({ "signatory": text }),
        (Act::Object, _) => json!({ "signatory": "郑海峰", "reason": text }),
        (Act::Coordinate, _) => json!({ "decision": text, "decided_by": "市政府办公室" }),
        (Act::Approve, Input::Outcome(Some(changed))) => {
            json!({ "outcome": changed, "reason": text })
        }
        _ => json!({}),
    }
}

/// The text of a reply that is another one each time.
fn write(form: &mut Value, world: &World, outcome: Option<Name>) {
    form["digest"] = json!(format!("第{}稿。", world.texts + 1));
    form["outcome"] = json!(outcome);
    form["promises"] = match outcome {
        Some("in_progress") => {
            json!([{ "text": "开通三号线", "due_on": "2027-12-31", "person": "林涛" }])
        }
        _ => json!([]),
    };
}
