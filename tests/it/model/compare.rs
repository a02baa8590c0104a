//! What the service shows, beside what the reference model expects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::effects::Refusal;
use super::requests::Names;
use super::rules::{Act, Target};
use super::world::{Person, World};
use crate::support::Reply;
use crate::support::seed::Town;

/// What the model and the service say to a command, if they differ.
pub fn of_verdict(expected: &Result<(), Refusal>, answer: &Reply) -> Option<String> {
    let code = answer.json["code"].as_str().unwrap_or_default();
    let unmet = guards(&answer.json["unmet"]);
    let same = match expected {
        Ok(()) => (200..300).contains(&answer.status),
        Err(Refusal::Unknown) => answer.status == 404,
        Err(Refusal::Forbidden) => answer.status == 403,
        Err(Refusal::Invalid) => answer.status == 422,
        Err(Refusal::Stale) => answer.status == 412,
        Err(Refusal::State) => (answer.status, code) == (409, "state-conflict"),
        Err(Refusal::Guards(names)) => {
            (answer.status, code) == (409, "guard-unmet") && unmet == *names
        }
    };
    (!same).then(|| format!("expected {expected:?}, but {answer}"))
}

fn guards(unmet: &Value) -> BTreeSet<&str> {
    let list = unmet.as_array().into_iter().flatten();
    list.filter_map(|one| one["guard"].as_str()).collect()
}

/// The places in which two views differ.
pub fn of_views(expected: &Value, seen: &Value) -> Vec<String> {
    let keys: BTreeSet<_> = [expected, seen]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|object| object.keys())
        .collect();
    keys.into_iter()
        .filter(|key| expected[key.as_str()] != seen[key.as_str()])
        .map(|key| {
            let (expected, seen) = (&expected[key.as_str()], &seen[key.as_str()]);
            format!("{key}: expected {expected}, seen {seen}")
        })
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn sorted(mut list: Vec<Value>) -> Value {
    list.sort_by_key(Value::to_string);
    list.into()
}

/// A case as the service shows it to the auditor, reduced to what the model knows.
pub fn seen(case: &Value) -> Value {
    let of = |value: &Value, keys: &[&str]| -> Value {
        let pairs = keys
            .iter()
            .map(|key| ((*key).to_owned(), value[*key].clone()));
        Value::Object(pairs.collect())
    };
    let rows: BTreeMap<_, _> = list(case, "handling")
        .map(|row| {
            let mut view = of(
                row,
                &[
                    "unit_id",
                    "role",
                    "status",
                    "round",
                    "returnable",
                    "deemed",
                    "carried_over",
                    "contacted",
                    "opinions",
                    "opinion_missing",
                ],
            );
            let asks = list(row, "open_requests").any(|one| one["kind"] == "return");
            view["asks"] = json!(asks);
            (row["id"].as_str().unwrap_or_default(), view)
        })
        .collect();
    let replies: BTreeMap<_, _> = list(case, "replies")
        .map(|reply| {
            let mut view = of(
                reply,
                &[
                    "assignment_id",
                    "round",
                    "status",
                    "text_version",
                    "approved",
                    "unit_outcome",
                    "reviewer_outcome",
                ],
            );
            let asked = list(reply, "countersigns")
                .map(|one| of(one, &["assignment_id", "attempt", "status"]));
            view["countersigns"] = sorted(asked.collect());
            (reply["id"].as_str().unwrap_or_default(), view)
        })
        .collect();
    let forms = list(case, "feedback").map(|form| {
        of(
            form,
            &["reply_id", "rater_id", "round", "result", "late", "version"],
        )
    });
    let open = list(case, "requests").filter(|one| one["status"] == "open");
    let mut view = of(
        case,
        &[
            "status",
            "round",
            "kind",
            "urgency",
            "secrecy",
            "serial_no",
            "case_no",
            "effective_status",
            "phase",
            "handling_kind",
            "assigning_line",
            "text_version",
            "submission_no",
            "bounces",
            "required_replies",
            "delivered_replies",
        ],
    );
    view["proposers"] = list(case, "proposers")
        .map(|one| of(one, &["id", "member_id", "role", "status", "waived_round"]))
        .collect();
    view["opinions"] = json!(list(case, "opinions").count());
    view["rows"] = json!(rows);
    view["replies"] = json!(replies);
    view["forms"] = sorted(forms.collect());
    view["requests"] = sorted(open.map(|one| one["kind"].clone()).collect());
    view["archived"] = json!(case["marks"]["archived_at"].is_string());
    view["disposed"] = json!(case["marks"]["disposed_at"].is_string());
    view["publish_text"] = case["marks"]["publish_text"].clone();
    view["publish_replies"] = case["marks"]["publish_replies"].clone();
    view["main"] = case["main"]["id"].clone();
    view["absorbed"] = sorted(
        list(case, "absorbed")
            .map(|one| one["id"].clone())
            .collect(),
    );
    view
}

/// The same view as the model has it.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn expected(world: &World, names: &Names, town: &Town, at: usize) -> Value {
    let (own, called) = (&world.cases[at], &names.cases[at]);
    let live: Vec<_> = world.live_rows(at);
    let bound: Vec<_> = live.iter().map(|row| &own.rows[*row]).collect();
    let bound: Vec<_> = bound.into_iter().filter(|row| row.replies()).collect();
    let waits = |row: &&&super::world::Row| matches!(row.status, "pending" | "return_requested");
    let phase = (own.status == "assigned").then(|| {
        if bound.iter().any(|row| waits(&row)) {
            "awaiting_acceptance"
        } else {
            "in_handling"
        }
    });
    let in_round = |one: &&super::world::Row| one.round == own.round;
    let rows = own.rows.iter().filter(in_round);
    let bounces = rows.filter(|row| row.status == "returned").count();
    let rows: BTreeMap<_, _> = own
        .rows
        .iter()
        .zip(&called.rows)
        .map(|(row, id)| {
            let view = json!({
                "unit_id": town.units[row.unit], "role": row.role, "status": row.status,
                "round": row.round, "returnable": row.returnable, "deemed": row.deemed,
                "carried_over": row.carried_over, "contacted": row.contacted,
                "opinions": row.opinions, "opinion_missing": row.opinion_missing,
                "asks": row.status == "return_requested" && own.requests.contains(&"return"),
            });
            (id, view)
        })
        .collect();
    let replies: BTreeMap<_, _> = own
        .replies
        .iter()
        .zip(&called.replies)
        .map(|(reply, id)| {
            let asked = reply.countersigns.iter().map(|one| {
                json!({
                    "assignment_id": called.rows[one.row], "attempt": one.attempt,
                    "status": one.status,
                })
            });
            let view = json!({
                "assignment_id": called.rows[reply.row], "round": reply.round,
                "status": reply.status, "text_version": reply.text_version,
                "approved": reply.approved, "unit_outcome": reply.outcome,
                "reviewer_outcome": reply.reviewed_outcome,
                "countersigns": sorted(asked.collect()),
            });
            (id, view)
        })
        .collect();
    let forms = own.forms.iter().map(|form| {
        let grade = if form.dissatisfied {
            "dissatisfied"
        } else {
            "satisfied"
        };
        json!({
            "reply_id": called.replies[form.reply], "round": form.round, "result": grade,
            "rater_id": names.cases[form.rater.0].proposers[form.rater.1],
            "late": form.late, "version": form.version,
        })
    });
    let proposers: Vec<_> = own
        .proposers
        .iter()
        .zip(&called.proposers)
        .map(|(one, id)| {
            json!({
                "id": id, "member_id": town.members[one.member].member, "status": one.status,
                "role": if one.first { "first" } else { "cosigner" },
                "waived_round": (one.waived > 0).then_some(one.waived),
            })
        })
        .collect();
    let absorbed = world.absorbed(at);
    let levels = own.publication;
    let mut view = json!({
        "status": own.status,
        "round": own.round,
        "kind": if own.joint { "joint" } else { "individual" },
        "urgency": if own.urgent { "urgent" } else { "normal" },
        "secrecy": own.secrecy,
        "serial_no": own.serial,
        "case_no": own.case_no,
        "effective_status": own.main.map(|main| world.cases[main].status),
        "phase": phase,
        "handling_kind": own.handling,
        "assigning_line": own.line,
        "text_version": own.text_version,
        "submission_no": own.submissions,
        "bounces": bounces,
        "required_replies": bound.len(),
        "delivered_replies": bound.iter().filter(|row| row.status == "replied").count(),
        "proposers": proposers,
        "opinions": own.opinions.len(),
        "archived": own.archived,
        "disposed": own.disposed,
        "publish_text": levels.map(|levels| levels.0),
        "publish_replies": levels.map(|levels| levels.1),
        "main": own.main.map(|main| &names.cases[main].id),
    });
    view["rows"] = json!(rows);
    view["replies"] = json!(replies);
    view["forms"] = sorted(forms.collect());
    view["requests"] = sorted(own.requests.iter().map(|one| json!(one)).collect());
    let absorbed = absorbed.into_iter().map(|case| json!(names.cases[case].id));
    view["absorbed"] = sorted(absorbed.collect());
    view
}

/// The differences between what somebody is told to be possible, and what the model says.
pub fn of_actions(
    world: &World,
    who: Person,
    (case, target): (usize, Target),
    answer: &Reply,
) -> Vec<String> {
    let known = match target {
        Target::Reply(reply) => world.may_know_reply(who, case, reply),
        _ => true,
    };
    if !(known && world.may_read(who, case)) {
        return (answer.status != 404)
            .then(|| format!("{who:?} may not know of it, but {answer}"))
            .into_iter()
            .collect();
    }
    let fits = |act: &Act| match target {
        Target::Case => !act.is_about_row() && !act.is_about_reply() && *act != Act::Create,
        Target::Row(_) => act.is_about_row(),
        Target::Reply(_) => act.is_about_reply(),
    };
    // What staff enter from paper is not modelled.
    let paper = |act: &Act| who == Person::Staff && matches!(act, Act::Consent | Act::Decline);
    let acts = Act::ALL.into_iter().filter(fits).filter(|act| !paper(act));
    acts.filter_map(|act| {
        let rule = act.rule();
        let status = world.status(case, target);
        let unmet = world.unmet(act, who, case, target);
        let expected = if !world.is_entitled(act, who, case, target) {
            ("forbidden", BTreeSet::new())
        } else if !rule.from.is_empty() && !rule.from.contains(&status) {
            ("state-conflict", BTreeSet::new())
        } else if !unmet.is_empty() {
            ("guard-unmet", unmet)
        } else {
            ("", BTreeSet::new())
        };
        let item = list(&answer.json, "items").find(|item| item["action"] == rule.action);
        let Some(item) = item else {
            return Some(format!("{who:?} is not told about {}", rule.action));
        };
        let code = item["why_not"]["code"].as_str().unwrap_or_default();
        let told = (code, guards(&item["why_not"]["unmet"]));
        let same = told == expected && (item["allowed"] == json!(expected.0.is_empty()));
        (!same).then(|| format!("{who:?} {act:?}: expected {expected:?}, told {item}"))
    })
    .collect()
}
