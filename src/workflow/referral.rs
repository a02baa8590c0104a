//! Effects of referrals (转报、转办): OT32–OT36. A case is put to the committee above, or given to one
//! below; its own status stays (I37). What the other side sees is what was sent, and nothing else
//! (I35); of its counterpart the sender sees how far it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authoring::mismatched;
use super::case::{Case, Referral, ReferralAnswer};
use super::codes::{CaseSeries, ReferralDirection, ReferralStatus};
use super::decide::{Decision, Env, Record, Step, Target, consequence};
use super::examination::not_blank;
use super::input::{Input, ReferIn};
use super::lists::ProposerKind;
use super::refusal::Refusal;
use super::rule::Who;
use crate::ids::{CommitteeId, ReferralId};

/// What another committee is sent of a case: a copy, kept on its side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// 案由.
    pub title: String,
    /// 情况.
    pub situation: String,
    /// 分析.
    #[serde(default)]
    pub analysis: String,
    /// 建议.
    pub suggestions: Vec<String>,
    /// Who proposed it; not there where the proposer keeps the name out of publications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposer: Option<String>,
    /// Kind of the proposer.
    pub kind: ProposerKind,
    /// How the sender cites the case, once it is filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
    /// Why it was sent.
    pub reason: String,
}

impl Sent {
    fn of(case: &Case, reason: &str) -> Self {
        let form = &case.proposal.form;
        let first = case.first_proposer().map(|first| first.name.clone());
        Self {
            title: form.title.clone(),
            situation: form.situation.clone(),
            analysis: form.analysis.clone(),
            suggestions: form.suggestions.iter().map(|one| one.0.clone()).collect(),
            proposer: first.filter(|_| !form.hide_my_name),
            kind: case.proposal.kind,
            citation: case.proposal.case_no.map(|_| case.citation()),
            reason: reason.to_owned(),
        }
    }

    /// The same without the text, where that is removed for good (I29).
    #[must_use]
    pub fn without_text(&self) -> Self {
        Self {
            situation: String::new(),
            analysis: String::new(),
            suggestions: Vec::new(),
            ..self.clone()
        }
    }
}

/// OT32: put to the committee above.
pub fn refer_up(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    refer(step, input, ReferralDirection::Up)
}

/// OT33: given to a committee below.
pub fn refer_down(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    refer(step, input, ReferralDirection::Down)
}

fn refer(step: &mut Step<'_>, input: &Input, direction: ReferralDirection) -> Result<(), Refusal> {
    let Input::Refer(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let (committee, body) = addressee(step, input, direction)?;
    let same = |one: &Referral| match committee {
        Some(id) => one.committee == Some(id),
        None => one.committee.is_none() && one.body == body,
    };
    let again = step.case.referrals.iter().any(|one| {
        same(one)
            && matches!(
                one.status,
                ReferralStatus::Sent | ReferralStatus::Accepted | ReferralStatus::ForReference
            )
    });
    if again {
        return Err(Refusal::invalid(
            pointer(input),
            "already_referred",
            "本案已转送该委员会，且未被退回。",
            "The case is with that committee already.",
        ));
    }
    let Some(user) = step.actor.user else {
        return Err(Refusal::NotAllowed {
            needs: vec![Who::Chair],
        });
    };
    let id: ReferralId = step.env.id();
    step.case.referrals.push(Referral {
        id,
        direction,
        committee,
        body,
        status: ReferralStatus::Sent,
        reason: input.reason.clone(),
        sent_by: user,
        sent_at: step.env.now,
        counterpart: None,
        answer: None,
    });
    if committee.is_some() {
        let sent = Sent::of(&step.case, &input.reason);
        step.records.push(Record::Referred { id, sent });
    }
    Ok(())
}

fn pointer(input: &ReferIn) -> &'static str {
    if input.committee_id.is_some() {
        "/committee_id"
    } else {
        "/body_name"
    }
}

/// A committee of this service on the right side of the tree, or a body outside of it by name.
fn addressee(
    step: &Step<'_>,
    input: &ReferIn,
    direction: ReferralDirection,
) -> Result<(Option<CommitteeId>, String), Refusal> {
    match (input.committee_id, &input.body_name) {
        (Some(id), None) => {
            let Some(facts) = step.env.references.committees.get(&id) else {
                return Err(Refusal::invalid(
                    "/committee_id",
                    "unknown_committee",
                    "上下级中没有该委员会，或已停用。",
                    "There is no such active committee above or below.",
                ));
            };
            if facts.above != (direction == ReferralDirection::Up) {
                return Err(Refusal::invalid(
                    "/committee_id",
                    "wrong_direction",
                    "上报须选上级委员会，下转须选下级委员会。",
                    "Up goes to a committee above, down to one below.",
                ));
            }
            Ok((Some(id), facts.name.clone()))
        }
        (None, Some(name)) => {
            not_blank("/body_name", name)?;
            Ok((None, name.trim().to_owned()))
        }
        _ => Err(Refusal::invalid(
            "/committee_id",
            "one_of",
            "须填写本系统内的委员会或系统外的单位名称之一。",
            "Name either a committee of this service or a body outside of it.",
        )),
    }
}

/// OT34: staff note what a body outside of this service answered on paper.
pub fn note_answer(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::ReferralAnswer(input) = input else {
        return Err(mismatched());
    };
    not_blank("/paper_reference", &input.paper_reference)?;
    let status = input.answer.status();
    let note = input.note.clone().unwrap_or_default();
    if status == ReferralStatus::Rejected {
        not_blank("/note", &note)?;
    }
    let outside = |one: &&Referral| one.committee.is_none();
    let open = open(step, input.referral_id).filter(outside);
    if open.is_none() {
        return Err(not_waiting());
    }
    let answer = ReferralAnswer {
        at: step.env.now,
        note: input.note.clone(),
        paper_reference: Some(input.paper_reference.clone()),
        counterpart_no: input.counterpart_no.clone(),
    };
    settle(step, input.referral_id, status, answer);
    Ok(())
}

/// OT36: taken back as long as it waits for an answer (I11).
pub fn recall(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::RecallReferral(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let Some(inside) = open(step, input.referral_id).map(|one| one.committee.is_some()) else {
        return Err(not_waiting());
    };
    let answer = ReferralAnswer {
        at: step.env.now,
        note: Some(input.reason.clone()),
        paper_reference: None,
        counterpart_no: None,
    };
    settle(step, input.referral_id, ReferralStatus::Recalled, answer);
    if inside {
        let id = input.referral_id;
        let reason = input.reason.clone();
        step.records.push(Record::ReferralRecalled { id, reason });
    }
    Ok(())
}

/// OT35: what the other committee answered reaches the case of the sender.
pub fn answered(
    case: &Case,
    id: ReferralId,
    status: ReferralStatus,
    counterpart: Option<crate::ids::ProposalId>,
    note: Option<&str>,
    env: Env<'_>,
) -> Result<Decision, Refusal> {
    consequence(case, env, |step| {
        if open(step, id).is_none() {
            return Err(not_waiting());
        }
        let answer = ReferralAnswer {
            at: step.env.now,
            note: note.map(str::to_owned),
            paper_reference: None,
            counterpart_no: None,
        };
        let body = settle(step, id, status, answer);
        if let Some(one) = step.case.referrals.iter_mut().find(|one| one.id == id) {
            one.counterpart = counterpart;
        }
        let input: Value = json!({
            "referral_id": id, "answer": status, "body_name": body, "note": note,
        });
        step.part_with("OT35", Target::Proposal, input);
        Ok(())
    })
}

fn open<'a>(step: &'a Step<'_>, id: ReferralId) -> Option<&'a Referral> {
    step.case.open_referrals().find(|one| one.id == id)
}

fn not_waiting() -> Refusal {
    Refusal::invalid(
        "/referral_id",
        "not_waiting",
        "没有该项待答复的转报转办。",
        "No referral of that name waits for an answer that is noted here.",
    )
}

fn settle(
    step: &mut Step<'_>,
    id: ReferralId,
    status: ReferralStatus,
    answer: ReferralAnswer,
) -> String {
    let mut all = step.case.referrals.iter_mut();
    let Some(one) = all.find(|one| one.id == id) else {
        return String::new();
    };
    one.status = status;
    one.answer = Some(answer);
    one.body.clone()
}

/// How far a counterpart is, as the sender may know (P-47).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Its status.
    pub status: super::proposal::ProposalStatus,
    /// Since when.
    pub since: Timestamp,
    /// Its 案号.
    pub case_no: Option<i32>,
    /// The series of that.
    pub case_series: CaseSeries,
}
