//! Effects of the rows that end a round: PT21–PT25.

use serde_json::json;

use super::attachments::{self, Binding};
use super::authoring::mismatched;
use super::case::{Form, Proposer};
use super::codes::{ClockKind, Grade, PublicationLevel, RequestKind, Secrecy};
use super::decide::{Record, Step};
use super::examination::{not_blank, required};
use super::input::{FeedbackIn, Input};
use super::proposal::ProposalStatus;
use super::refusal::{Refusal, Unmet};
use super::role::Role;
use super::rule::Who;
use crate::error::Message;

/// PT21: the last required reply was delivered (I15).
#[expect(clippy::unnecessary_wraps, reason = "every effect has the same form")]
pub fn complete_handling(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    // Of co-handlers: nothing can be returned or said any more.
    let left_over = [
        ClockKind::K05,
        ClockKind::K06,
        ClockKind::K07,
        ClockKind::K08,
        ClockKind::K09,
    ];
    step.stop(&left_over, None);
    // What is still asked for can no longer be decided, and would keep the case open for ever.
    // A nomination can: the programme takes answered cases too.
    super::units::lapse(step, |request| request.kind != RequestKind::Key);
    let raters: Vec<_> = step
        .case
        .raters(step.env.profile.every_signer_rates())
        .map(|rater| rater.id)
        .collect();
    for rater in raters {
        step.start(ClockKind::K12, rater.cast(), step.env.profile.feedback);
    }
    Ok(())
}

/// PT22: an opinion form, one per reply and rater (I20).
pub fn give_feedback(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Feedback(input) = input else {
        return Err(mismatched());
    };
    let reply = step
        .case
        .delivered()
        .find(|reply| reply.id == input.reply_id)
        .map(|reply| reply.id)
        .ok_or_else(|| {
            Refusal::invalid(
                "/reply_id",
                "unknown_reply",
                "不是本轮已送达的答复。",
                "This is not a delivered reply of the present round.",
            )
        })?;
    // Staff who signed the proposal themselves give their own form without naming a rater.
    let by_staff = step.actor.has(Role::CommitteeStaff) && input.rater_id.is_some();
    if by_staff {
        step.who = Who::Staff;
    }
    let rater = rater(step, input, by_staff)?;
    if step
        .case
        .forms
        .iter()
        .any(|form| form.reply == reply && form.rater == rater.id)
    {
        return Err(Refusal::unmet(
            "not_yet_rated",
            Some("I20"),
            "已对该答复作过反馈。",
            "This reply was rated by this rater already.",
        ));
    }
    check_form(step, input)?;
    let binding = Binding::to_form(reply, rater.id);
    attachments::attach(step, &input.attachment_ids, binding)?;
    let late = step.case.proposal.status == ProposalStatus::Feedback;
    step.case.forms.push(Form {
        reply,
        rater: rater.id,
        round: step.case.proposal.round,
        version: 1,
        attitude: input.attitude,
        result: input.result,
        late,
    });
    let content = serde_json::to_value(input).unwrap_or_default();
    let record = Record::FormContent {
        reply,
        rater: rater.id,
        version: 1,
        by_staff,
        content,
    };
    step.records.push(record);
    stop_if_answered(step, &rater);
    Ok(())
}

/// K12 stops with the rater's last form.
fn stop_if_answered(step: &mut Step<'_>, rater: &Proposer) {
    let all = step.case.delivered().all(|reply| {
        step.case
            .forms
            .iter()
            .any(|form| form.reply == reply.id && form.rater == rater.id)
    });
    if all {
        step.stop(&[ClockKind::K12], Some(rater.id.cast()));
    }
}

/// `PT22b`: a new version of a form that was given; the earlier one stays (I13, I20).
pub fn correct_feedback(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Feedback(input) = input else {
        return Err(mismatched());
    };
    let by_staff = step.actor.has(Role::CommitteeStaff) && input.rater_id.is_some();
    if by_staff {
        step.who = Who::Staff;
    }
    let rater = rater(step, input, by_staff)?;
    check_form(step, input)?;
    let binding = Binding::to_form(input.reply_id, rater.id);
    attachments::attach(step, &input.attachment_ids, binding)?;
    let round = step.case.proposal.round;
    let late = step.case.proposal.status == ProposalStatus::Feedback;
    let form =
        step.case.forms.iter_mut().find(|form| {
            form.reply == input.reply_id && form.rater == rater.id && form.round == round
        });
    let Some(form) = form else {
        return Err(Refusal::invalid(
            "/reply_id",
            "unknown_form",
            "本轮没有对该答复的反馈可更正。",
            "There is no form on this reply in the present round.",
        ));
    };
    form.version += 1;
    form.attitude = input.attitude;
    form.result = input.result;
    form.late = late;
    let version = form.version;
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::FormContent {
        reply: input.reply_id,
        rater: rater.id,
        version,
        by_staff,
        content,
    });
    Ok(())
}

/// `PT22c`: a rater who left office or died leaves the denominator.
pub fn excuse_rater(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Excuse(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let waiting = step
        .case
        .raters(step.env.profile.every_signer_rates())
        .any(|rater| {
            rater.id == input.rater_id
                && step.case.running(ClockKind::K12, rater.id.cast()).is_some()
        });
    if !waiting {
        return Err(Refusal::invalid(
            "/rater_id",
            "unknown_rater",
            "该人员不是待反馈的反馈人。",
            "This is not a rater who still owes a form.",
        ));
    }
    if let Some(proposer) = step.proposer_mut(input.rater_id) {
        proposer.excused = Some(input.reason.clone());
    }
    step.stop(&[ClockKind::K12], Some(input.rater_id.cast()));
    step.record_decision(
        "excuse_rater",
        json!({ "rater_id": input.rater_id, "reason": input.reason }),
    );
    Ok(())
}

/// The rater: the actor itself, or the one whose paper staff enter (I20).
fn rater(step: &Step<'_>, input: &FeedbackIn, by_staff: bool) -> Result<Proposer, Refusal> {
    let mut raters = step.case.raters(step.env.profile.every_signer_rates());
    if by_staff {
        if input.paper_reference.is_none() {
            return Err(required("/paper_reference"));
        }
        return raters
            .find(|rater| Some(rater.id) == input.rater_id)
            .cloned()
            .ok_or_else(|| {
                Refusal::invalid(
                    "/rater_id",
                    "unknown_rater",
                    "该人员不是本案反馈人。",
                    "This is not a rater of the case.",
                )
            });
    }
    match raters.find(|rater| rater.is(step.actor)) {
        Some(_) if input.rater_id.is_some() || input.paper_reference.is_some() => {
            Err(Refusal::invalid(
                "/rater_id",
                "not_for_raters",
                "本人反馈时不得填写。",
                "Only staff who enter a paper form give these.",
            ))
        }
        Some(own) => Ok(own.clone()),
        // Staff: the guards let nobody else through who is no rater.
        None => Err(required("/rater_id")),
    }
}

fn check_form(step: &Step<'_>, input: &FeedbackIn) -> Result<(), Refusal> {
    let profile = step.env.profile;
    for (pointer, grade, scale) in [
        ("/attitude", input.attitude, &profile.scale_attitude),
        ("/result", input.result, &profile.scale_result),
    ] {
        if !scale.contains(&grade) {
            return Err(Refusal::invalid(
                pointer,
                "not_in_scale",
                "本届评价等次中没有这一项。",
                "This grade is not on the committee's scale.",
            ));
        }
    }
    let dissatisfied = [input.attitude, input.result].contains(&Grade::Dissatisfied);
    if dissatisfied {
        not_blank("/comment", input.comment.as_deref().unwrap_or_default())?;
    }
    if step.case.proposal.kind.is_collective() && input.leader_answered.is_none() {
        return Err(required("/leader_answered"));
    }
    Ok(())
}

/// PT23: everybody answered; the forms become visible to units and signers.
#[expect(clippy::unnecessary_wraps, reason = "every effect has the same form")]
pub fn conclude_feedback(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    step.stop(&[ClockKind::K12], None);
    Ok(())
}

/// OT02: how far text and replies may be published, reviewed together (I30).
pub fn review_publication(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Publication(input) = input else {
        return Err(mismatched());
    };
    decide_publication(step, input.publish_text, input.publish_replies)?;
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("review_publication", content);
    Ok(())
}

fn decide_publication(
    step: &mut Step<'_>,
    text: PublicationLevel,
    replies: PublicationLevel,
) -> Result<(), Refusal> {
    let proposal = &step.case.proposal;
    let mut unmet = Vec::new();
    if proposal.form.publish_consent == Some(false) && text > PublicationLevel::Catalogue {
        unmet.push(Unmet {
            guard: "publication_consented",
            invariant: Some("I30"),
            message: Message::new(
                "提案者不同意公开文本，只能目录公开或不公开。",
                "The proposer refused publication of the text: at most the catalogue.",
            ),
        });
    }
    if proposal.secrecy != Secrecy::Open && text.max(replies) > PublicationLevel::None {
        unmet.push(Unmet {
            guard: "case_open",
            invariant: Some("I30"),
            message: Message::new(
                "内部、涉密提案不得公开。",
                "A restricted or secret case is not published.",
            ),
        });
    }
    if !unmet.is_empty() {
        return Err(Refusal::Unmet(unmet));
    }
    let marks = &mut step.case.proposal.marks;
    marks.publish_text = Some(text);
    marks.publish_replies = Some(replies);
    // What is public already never stays above the level reviewed (I30).
    if lower(&mut marks.published_text, text) {
        marks.text_published_at = None;
    }
    if lower(&mut marks.published_replies, replies) {
        marks.replies_published_at = None;
    }
    // The clocks run until the publication, or the decision not to publish.
    if text == PublicationLevel::None {
        step.stop(&[ClockKind::K17], None);
    }
    if replies == PublicationLevel::None {
        step.stop(&[ClockKind::K18], None);
    }
    Ok(())
}

/// Takes a published level down to the one reviewed; whether nothing stays public of it.
fn lower(published: &mut Option<PublicationLevel>, reviewed: PublicationLevel) -> bool {
    *published = published
        .map(|level| level.min(reviewed))
        .filter(|level| *level != PublicationLevel::None);
    published.is_none()
}

/// PT25: the publication is decided by now or here (e); the other closing conditions are guards.
pub fn close(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Close(input) = input else {
        return Err(mismatched());
    };
    let marks = &step.case.proposal.marks;
    let (Some(text), Some(replies)) = (
        input.publish_text.or(marks.publish_text),
        input.publish_replies.or(marks.publish_replies),
    ) else {
        return Err(Refusal::unmet(
            "publication_reviewed",
            Some("I30"),
            "文本和答复的公开与否须先审核确定，或随办结填写。",
            "Say how far text and replies are published, here or by a review before.",
        ));
    };
    decide_publication(step, text, replies)?;
    // Promises, look-backs, publication, instructions and urgings go on after the end, too.
    let kept = [
        ClockKind::K15,
        ClockKind::K16,
        ClockKind::K17,
        ClockKind::K18,
        ClockKind::K19,
        ClockKind::K21,
    ];
    let running: Vec<_> = ClockKind::ALL
        .iter()
        .copied()
        .filter(|kind| !kept.contains(kind))
        .collect();
    step.stop(&running, None);
    step.record_decision(
        "close",
        json!({ "publish_text": text, "publish_replies": replies, "note": input.note }),
    );
    Ok(())
}
