//! The reply machine: one live reply per lead or separate row.

use super::attachments::{self, Binding, BoundKind};
use super::authoring::mismatched;
use super::case::{Case, Countersign, DocumentNo, Promise, Reply};
use super::codes::{AssignmentRole, ClockKind, CountersignStatus, ProgrammeTier, PromiseStatus};
use super::decide::{Number, Record, Step, Target};
use super::examination::{not_blank, required};
use super::guard as g;
use super::guard::View;
use super::input::{Input, ReplyForm};
use super::refusal::Refusal;
use super::rule::{Action, Rule, State, To, Who, is_unambiguous};
use super::units as u;
use crate::code_list;
use crate::ids::ReplyId;

code_list! {
    /// Statuses of a reply.
    pub enum ReplyStatus {
        Draft = "draft", "拟稿", "draft";
        Countersigning = "countersigning", "会签中", "countersigning";
        UnderReview = "under_review", "审核中", "under review";
        Delivered = "delivered", "已送达", "delivered";
        Superseded = "superseded", "已被取代", "superseded";
    }
}

impl ReplyStatus {
    /// Being worked on or under review.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Draft | Self::Countersigning | Self::UnderReview)
    }

    /// Nobody works on it any more; at most a later reply takes its place.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Superseded)
    }
}

code_list! {
    /// Actions on a reply.
    pub enum ReplyAction {
        Draft = "draft", "起草答复", "draft a reply";
        Edit = "edit", "修改答复", "edit the reply";
        RequestCountersign = "request_countersign", "提请会签", "request countersignatures";
        Countersign = "countersign", "会签", "countersign";
        Object = "object", "会签不同意", "object";
        Sign = "sign", "签发", "sign";
        Approve = "approve", "审核通过", "approve";
        Reject = "reject", "驳回重办", "reject";
        Deliver = "deliver", "送达", "deliver";
        Coordinate = "coordinate", "协调裁定", "coordinate";
        Supersede = "supersede", "被取代", "supersede";
        LapseCountersign = "lapse_countersign", "会签逾期", "let the time to countersign run out";
    }
}

use ReplyAction as Do;
use ReplyStatus as S;

const DRAFT: State = State::Reply(S::Draft);
const COUNTERSIGNING: State = State::Reply(S::Countersigning);
const UNDER_REVIEW: State = State::Reply(S::UnderReview);

/// The table.
pub const RULES: &[Rule] = &[
    Rule {
        id: "RT01",
        action: Action::Reply(Do::Draft),
        from: &[State::Start],
        to: To::State(DRAFT),
        who: &[Who::OwnUnitClerk],
        guards: &[
            &g::ROUND_OPEN,
            &g::ROW_REPLIES,
            &g::ROW_ACCEPTED,
            &g::NO_LIVE_REPLY,
        ],
        effect: draft,
        event: "reply.drafted",
    },
    Rule {
        id: "RT02",
        action: Action::Reply(Do::Edit),
        from: &[DRAFT, COUNTERSIGNING],
        to: To::State(DRAFT),
        who: &[Who::OwnUnitClerk],
        guards: &[&g::ROUND_OPEN, &g::ROW_ACCEPTED],
        effect: edit,
        event: "reply.edited",
    },
    Rule {
        id: "RT03",
        action: Action::Reply(Do::RequestCountersign),
        from: &[DRAFT],
        to: To::State(COUNTERSIGNING),
        who: &[Who::OwnUnitClerk],
        guards: &[
            &g::ROUND_OPEN,
            &g::ROW_ACCEPTED,
            &g::IS_JOINT_LEAD,
            &g::OUTCOME_SET,
            &g::CHANGED_SINCE_REJECTION,
        ],
        effect: request_countersign,
        event: "countersign.requested",
    },
    Rule {
        id: "RT04",
        action: Action::Reply(Do::Countersign),
        from: &[COUNTERSIGNING],
        to: To::Stay,
        who: &[Who::CoHandlerSignatory],
        guards: &[&g::ROUND_OPEN, &g::COUNTERSIGN_REQUESTED],
        effect: countersign,
        event: "countersign.given",
    },
    Rule {
        id: "RT05",
        action: Action::Reply(Do::Object),
        from: &[COUNTERSIGNING],
        to: To::State(DRAFT),
        who: &[Who::CoHandlerSignatory],
        guards: &[&g::ROUND_OPEN, &g::COUNTERSIGN_REQUESTED],
        effect: object,
        event: "countersign.objected",
    },
    Rule {
        id: "RT05b",
        action: Action::Reply(Do::Coordinate),
        from: &[DRAFT, COUNTERSIGNING],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::ROUND_OPEN,
            &g::IS_JOINT_LEAD,
            &g::COUNTERSIGN_DISPUTED,
        ],
        effect: coordinate,
        event: "reply.coordinated",
    },
    Rule {
        id: "RT06",
        action: Action::Reply(Do::Sign),
        from: &[DRAFT, COUNTERSIGNING],
        to: To::State(UNDER_REVIEW),
        who: &[Who::OwnUnitSignatory],
        guards: &[
            &g::ROUND_OPEN,
            &g::ROW_ACCEPTED,
            &g::OUTCOME_SET,
            &g::CHANGED_SINCE_REJECTION,
            &g::CONTACT_RECORDED,
            &g::OPINIONS_IN,
            &g::COUNTERSIGNED,
            &g::PROMISES_MADE,
            &g::PROMISES_AHEAD,
            &g::REASONS_GIVEN,
        ],
        effect: sign,
        event: "reply.signed",
    },
    Rule {
        id: "RT07",
        action: Action::Reply(Do::Approve),
        from: &[UNDER_REVIEW],
        to: To::Stay,
        who: &[Who::Supervision, Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_APPROVED],
        effect: approve,
        event: "reply.approved",
    },
    Rule {
        id: "RT08",
        action: Action::Reply(Do::Reject),
        from: &[UNDER_REVIEW],
        to: To::State(DRAFT),
        who: &[Who::Supervision, Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_APPROVED],
        effect: reject,
        event: "reply.rejected",
    },
    Rule {
        id: "RT09",
        action: Action::Reply(Do::Deliver),
        from: &[UNDER_REVIEW],
        to: To::State(State::Reply(S::Delivered)),
        who: &[Who::OwnUnitClerk, Who::Supervision],
        guards: &[&g::ROUND_OPEN, &g::ROW_ACCEPTED, &g::APPROVED],
        effect: deliver,
        event: "reply.delivered",
    },
    Rule {
        id: "RT04b",
        action: Action::Reply(Do::LapseCountersign),
        from: &[COUNTERSIGNING],
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::ROUND_OPEN, &g::COUNTERSIGN_LAPSED],
        effect: lapse_countersign,
        event: "countersign.lapsed",
    },
    Rule {
        id: "RT10",
        action: Action::Reply(Do::Supersede),
        from: &[State::Reply(S::Delivered)],
        to: To::State(State::Reply(S::Superseded)),
        who: &[Who::System],
        guards: &[&g::PART],
        effect: u::part,
        event: "reply.superseded",
    },
    Rule {
        id: "RT11",
        action: Action::Reply(Do::Supersede),
        from: &[DRAFT, COUNTERSIGNING, UNDER_REVIEW],
        to: To::State(State::Reply(S::Superseded)),
        who: &[Who::System],
        guards: &[&g::PART],
        effect: u::part,
        event: "reply.superseded",
    },
];

const _: () = assert!(
    is_unambiguous(RULES),
    "two rows of one action start from the same status"
);

impl Reply {
    /// Whether a coordination decision on the present text replaces countersignatures.
    pub fn is_coordinated(&self) -> bool {
        self.coordinated_hash.as_deref() == Some(self.content_hash.as_str())
    }
}

impl Case {
    /// Whether a reply of the present round is signed: an opinion of a co-handler comes too late.
    pub fn lead_signed(&self) -> bool {
        self.replies
            .iter()
            .filter(|reply| reply.round == self.proposal.round)
            .any(|reply| {
                matches!(
                    reply.status,
                    ReplyStatus::UnderReview | ReplyStatus::Delivered
                )
            })
    }
}

fn own_reply(step: &Step<'_>) -> Result<Reply, Refusal> {
    match step.target {
        Target::Reply(id) => step.case.reply(id).cloned().ok_or_else(mismatched),
        _ => Err(mismatched()),
    }
}

/// A promise must lie in the future when it is written down, and again when it is signed.
fn check_promises(step: &Step<'_>, form: &ReplyForm) -> Result<(), Refusal> {
    match form
        .promises
        .iter()
        .position(|promise| promise.due_on <= step.env.today())
    {
        Some(index) => Err(Refusal::invalid(
            format!("/promises/{index}/due_on"),
            "in_past",
            "落实时限须晚于今天。",
            "A promise is due after today.",
        )),
        None => Ok(()),
    }
}

/// The text with the title that every reply has, and its hash.
fn complete(step: &Step<'_>, form: &ReplyForm) -> (ReplyForm, String) {
    let title = form
        .title
        .clone()
        .unwrap_or_else(|| format!("对{}的答复", step.case.citation()));
    let form = ReplyForm {
        title: Some(title),
        ..form.clone()
    };
    let text = serde_json::to_string(&form).unwrap_or_default();
    let hash = crate::digest::hex(&[text.as_bytes()]);
    (form, hash)
}

/// RT01: version 1.
fn draft(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let (Input::Reply(form), Target::Assignment(row)) = (input, step.target) else {
        return Err(mismatched());
    };
    let Some(row) = step.case.assignment(row) else {
        return Err(mismatched());
    };
    let (assignment, unit) = (row.id, row.unit);
    check_promises(step, form)?;
    let (form, content_hash) = complete(step, form);
    let id: ReplyId = step.env.id();
    let binding = Binding::to(BoundKind::Reply, id.cast());
    attachments::attach(step, &form.attachment_ids, binding)?;
    step.records.push(Record::ReplyText {
        reply: id,
        version: 1,
        form: form.clone(),
        hash: content_hash.clone(),
    });
    step.case.replies.push(Reply {
        id,
        version: 1,
        assignment,
        unit,
        round: step.case.proposal.round,
        status: S::Draft,
        text_version: 1,
        unit_outcome: form.outcome,
        form,
        content_hash,
        approved: false,
        reviewer_outcome: None,
        current_outcome: None,
        document: None,
        signed_by: None,
        signatory: None,
        signed_hash: None,
        signed_at: None,
        reviewed_by: None,
        review_note: None,
        delivered_at: None,
        coordinated_hash: None,
        coordination: None,
        signed_by_head: false,
        rejected_hash: None,
    });
    step.made = Some(Target::Reply(id));
    Ok(())
}

/// RT02: a new version; earlier signatures lapse and open requests are called back.
fn edit(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reply(form) = input else {
        return Err(mismatched());
    };
    let id = own_reply(step)?.id;
    check_promises(step, form)?;
    let binding = Binding::to(BoundKind::Reply, id.cast());
    attachments::attach(step, &form.attachment_ids, binding)?;
    let (form, hash) = complete(step, form);
    call_back(step, id);
    let mut version = 0;
    if let Some(reply) = step.reply_mut(id) {
        reply.text_version += 1;
        version = reply.text_version;
        // A coordination decision was about the earlier text, even if that should come back.
        if reply.content_hash != hash {
            reply.coordinated_hash = None;
        }
        reply.unit_outcome = form.outcome;
        reply.form = form.clone();
        reply.content_hash.clone_from(&hash);
    }
    step.records.push(Record::ReplyText {
        reply: id,
        version,
        form,
        hash,
    });
    Ok(())
}

/// Open requests to countersign are called back.
pub(super) fn call_back(step: &mut Step<'_>, reply: ReplyId) {
    for request in &mut step.case.countersigns {
        if request.reply == reply && request.status == CountersignStatus::Requested {
            request.status = CountersignStatus::Recalled;
        }
    }
    let rows: Vec<_> = step
        .case
        .countersigns
        .iter()
        .filter(|request| request.reply == reply)
        .map(|request| request.assignment)
        .collect();
    for row in rows {
        step.stop(&[ClockKind::K09], Some(row.cast()));
    }
}

/// RT03: one request per co-handler, each with its clock.
fn request_countersign(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let reply = own_reply(step)?;
    let rows: Vec<_> = step
        .case
        .live_rows()
        .filter(|row| row.role == AssignmentRole::CoHandler)
        .map(|row| row.id)
        .collect();
    // Answers on earlier texts stay on record.
    let attempt = 1 + step
        .case
        .countersigns
        .iter()
        .filter(|request| request.reply == reply.id)
        .map(|request| request.attempt)
        .max()
        .unwrap_or(0);
    for row in rows {
        step.case.countersigns.push(Countersign {
            reply: reply.id,
            assignment: row,
            attempt,
            status: CountersignStatus::Requested,
            content_hash: reply.content_hash.clone(),
            remarks: None,
            signatory: None,
            answered_at: None,
        });
        step.start(ClockKind::K09, row.cast(), step.env.profile.countersign);
    }
    Ok(())
}

/// `RT04b`: whose time has run out counts as having agreed.
fn lapse_countersign(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let reply = own_reply(step)?;
    let now = step.env.now;
    let rows: Vec<_> = step
        .case
        .lapsed_countersigns(reply.id, now)
        .map(|request| request.assignment)
        .collect();
    for request in &mut step.case.countersigns {
        if request.reply == reply.id
            && request.status == CountersignStatus::Requested
            && rows.contains(&request.assignment)
        {
            request.status = CountersignStatus::Lapsed;
        }
    }
    for row in rows {
        step.stop(&[ClockKind::K09], Some(row.cast()));
    }
    Ok(())
}

fn answer_countersign(
    step: &mut Step<'_>,
    status: CountersignStatus,
    signatory: &str,
    remarks: Option<&str>,
) -> Result<(), Refusal> {
    not_blank("/signatory", signatory)?;
    let view = View {
        case: &step.case,
        actor: step.actor,
        target: step.target,
        env: step.env,
    };
    let own = g::own_countersign(&view)
        .map(|request| (request.reply, request.assignment, request.attempt));
    let Some((reply, row, attempt)) = own else {
        return Err(mismatched());
    };
    let now = step.env.now;
    for request in &mut step.case.countersigns {
        if (request.reply, request.assignment, request.attempt) == (reply, row, attempt) {
            request.status = status;
            request.signatory = Some(signatory.to_owned());
            request.remarks = remarks.map(str::to_owned);
            request.answered_at = Some(now);
        }
    }
    step.stop(&[ClockKind::K09], Some(row.cast()));
    Ok(())
}

/// RT04: agreement, with or without remarks.
fn countersign(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Countersign(input) = input else {
        return Err(mismatched());
    };
    let status = match input.remarks {
        Some(_) => CountersignStatus::AgreeWithRemarks,
        None => CountersignStatus::Agree,
    };
    answer_countersign(step, status, &input.signatory, input.remarks.as_deref())
}

/// RT05: objection with a reason (I11); all requests end.
fn object(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Object(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    answer_countersign(
        step,
        CountersignStatus::Object,
        &input.signatory,
        Some(&input.reason),
    )?;
    let reply = own_reply(step)?.id;
    call_back(step, reply);
    Ok(())
}

/// RT06: signature, document number, review (I12).
fn sign(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Sign(input) = input else {
        return Err(mismatched());
    };
    not_blank("/signatory", &input.signatory)?;
    let reply = own_reply(step)?;
    let key = matches!(
        step.case.proposal.marks.tier,
        Some(ProgrammeTier::No1 | ProgrammeTier::Key)
    );
    if key && step.env.profile.key_signed_by_head && !input.by_head {
        return Err(Refusal::invalid(
            "/by_head",
            "required",
            "重点提案的答复须由单位主要负责人签发。",
            "The reply to a key proposal is signed by the head of the unit.",
        ));
    }
    let own_prefix = step
        .env
        .references
        .units
        .get(&reply.unit)
        .map(|unit| unit.reply_prefix.clone());
    let Some(prefix) = input.document_prefix.clone().or(own_prefix) else {
        return Err(required("/document_prefix"));
    };
    let (now, user, review) = (
        step.env.now,
        step.actor.user,
        step.env.profile.review_required,
    );
    let year = i32::from(step.env.today().year());
    let id = reply.id;
    if let Some(reply) = step.reply_mut(id) {
        reply.signed_by = user;
        reply.signatory = Some(input.signatory.clone());
        reply.signed_by_head = input.by_head;
        reply.signed_at = Some(now);
        reply.signed_hash = Some(reply.content_hash.clone());
        reply.approved = !review;
        reply.current_outcome = reply.unit_outcome;
    }
    // A reply that was rejected after its first signature keeps its number.
    if reply.document.is_none() {
        if let Some(reply) = step.reply_mut(id) {
            reply.document = Some(DocumentNo {
                prefix,
                year,
                number: None,
            });
        }
        step.numbers.push(Number::Document(id));
    }
    call_back(step, id);
    if review {
        step.start(ClockKind::K11, id.cast(), step.env.profile.review);
    }
    Ok(())
}

/// RT07: passed; the reviewer may see the outcome differently (I14).
fn approve(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Approve(input) = input else {
        return Err(mismatched());
    };
    let reply = own_reply(step)?;
    let changed = input.outcome.is_some() && input.outcome != reply.unit_outcome;
    if changed && !step.env.profile.reviewer_may_change_outcome {
        return Err(Refusal::invalid(
            "/outcome",
            "not_allowed",
            "审核人不得变更办理类别。",
            "The reviewer may not change the outcome.",
        ));
    }
    // A change to an outcome that adopts nothing needs the reasons too: they are in the reply, or
    // they are this reason.
    if changed {
        not_blank("/reason", input.reason.as_deref().unwrap_or_default())?;
    }
    let outcome = input.outcome.or(reply.unit_outcome);
    if let Some(outcome) = outcome
        && step.env.profile.promise_required_for.contains(&outcome)
        && reply.form.promises.is_empty()
    {
        return Err(Refusal::invalid(
            "/outcome",
            "promises_missing",
            "该办理类别须有计划落实事项，请驳回补充。",
            "This outcome needs dated promises: reject the reply instead.",
        ));
    }
    let user = step.actor.user;
    if let Some(reply) = step.reply_mut(reply.id) {
        reply.approved = true;
        reply.reviewer_outcome = outcome;
        reply.current_outcome = outcome;
        reply.reviewed_by = user;
        reply.review_note.clone_from(&input.reason);
    }
    step.stop(&[ClockKind::K11], Some(reply.id.cast()));
    Ok(())
}

/// RT08: back to the unit with a reason (I11); signatures lapse, K10 runs on.
fn reject(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reject(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let (id, user) = (own_reply(step)?.id, step.actor.user);
    call_back(step, id);
    if let Some(reply) = step.reply_mut(id) {
        reply.signed_by = None;
        reply.signatory = None;
        reply.signed_at = None;
        reply.signed_hash = None;
        reply.current_outcome = None;
        reply.rejected_hash = Some(reply.content_hash.clone());
        reply.reviewed_by = user;
        reply.review_note = Some(input.reason.clone());
    }
    step.stop(&[ClockKind::K11], Some(id.cast()));
    Ok(())
}

/// RT09: to every proposer; the row is replied (AT16), promises enter the ledger.
fn deliver(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let reply = own_reply(step)?;
    let (now, profile) = (step.env.now, step.env.profile);
    step.part("AT16", Target::Assignment(reply.assignment), "RT09");
    supersede_earlier(step, &reply);
    let receivers = std::iter::once(step.case.proposal.id)
        .chain(step.case.absorbed.iter().map(|absorbed| absorbed.proposal))
        .map(|proposal| Record::Delivery {
            reply: reply.id,
            proposal,
        });
    let receivers: Vec<_> = receivers.collect();
    step.records.extend(receivers);
    if let Some(reply) = step.reply_mut(reply.id) {
        reply.delivered_at = Some(now);
    }
    for promise in &reply.form.promises {
        let id = step.env.id();
        step.case.promises.push(Promise {
            id,
            reply: reply.id,
            unit: reply.unit,
            status: PromiseStatus::Open,
            text: promise.text.clone(),
            person: promise.person.clone(),
            due_on: promise.due_on,
        });
        step.start_until(ClockKind::K15, id.cast(), promise.due_on);
    }
    let tracked = !reply.form.promises.is_empty()
        || reply
            .current_outcome
            .is_some_and(|outcome| profile.tracking_required_for.contains(&outcome));
    if tracked {
        step.case.tracked_since.get_or_insert(now);
    }
    u::lapse(step, |request| request.assignment == Some(reply.assignment));
    let subject = reply.assignment.cast();
    step.stop(
        &[ClockKind::K05, ClockKind::K07, ClockKind::K10],
        Some(subject),
    );
    // What the unit still asked for has nothing left to be about.
    step.start(ClockKind::K18, reply.id.cast(), profile.reply_publication);
    super::withdrawal::overtake(step);
    Ok(())
}

/// RT10: what the unit, or one it took over, delivered in an earlier round stays readable with its
/// forms and stands no longer.
fn supersede_earlier(step: &mut Step<'_>, reply: &Reply) {
    let units = step.env.references.units.get(&reply.unit);
    let same =
        |unit| unit == reply.unit || units.is_some_and(|facts| facts.predecessors.contains(&unit));
    let earlier: Vec<_> = step
        .case
        .replies
        .iter()
        .filter(|old| old.status == S::Delivered && old.round < reply.round && same(old.unit))
        .map(|old| old.id)
        .collect();
    for id in earlier {
        step.part("RT10", Target::Reply(id), "RT09");
    }
}

/// `RT05b`: takes the place of missing or refused countersignatures on this very text.
fn coordinate(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Coordinate(input) = input else {
        return Err(mismatched());
    };
    not_blank("/decision", &input.decision)?;
    not_blank("/decided_by", &input.decided_by)?;
    let id = own_reply(step)?.id;
    if let Some(reply) = step.reply_mut(id) {
        reply.coordinated_hash = Some(reply.content_hash.clone());
        reply.coordination = Some(input.decision.clone());
    }
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("coordinate", content);
    Ok(())
}
