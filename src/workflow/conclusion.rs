//! Effects of the rows that end a round: PT21–PT25.

use serde_json::json;

use super::attachments::{self, Binding};
use super::authoring::mismatched;
use super::case::{Form, Proposer};
use super::codes::{ClockKind, Grade, PublicationLevel};
use super::decide::{Record, Step};
use super::examination::{not_blank, required};
use super::input::{FeedbackIn, Input};
use super::proposal::ProposalStatus;
use super::refusal::{Refusal, Unmet};
use super::reply::ReplyStatus;
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
    let all = step.case.delivered().all(|reply| {
        step.case
            .forms
            .iter()
            .any(|form| form.reply == reply.id && form.rater == rater.id)
    });
    if all {
        step.stop(&[ClockKind::K12], Some(rater.id.cast()));
    }
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
        None if step.actor.has(Role::CommitteeStaff) => Err(required("/rater_id")),
        None => Err(Refusal::NotAllowed {
            needs: vec![Who::RatingMember, Who::ProposingClerk],
        }),
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

/// PT25: the closing conditions that depend on what is handed in; the others are guards.
pub fn close(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Close(input) = input else {
        return Err(mismatched());
    };
    let mut unmet = Vec::new();
    let trigger = &step.env.profile.rehandling_trigger;
    let dissatisfied = step.case.forms.iter().any(|form| {
        let current = step
            .case
            .replies
            .iter()
            .any(|reply| reply.id == form.reply && reply.status == ReplyStatus::Delivered);
        current && (trigger.contains(&form.attitude) || trigger.contains(&form.result))
    });
    if dissatisfied && input.rehandling_waived.is_none() {
        unmet.push(Unmet {
            guard: "no_rehandling_due",
            invariant: None,
            message: Message::new(
                "有不满意的反馈：须重新办理，或登记提案者书面放弃重办（rehandling_waived）。",
                "A rater is dissatisfied: handle again, or note where the proposer gave it up in writing (rehandling_waived).",
            ),
        });
    }
    let refused = step.case.proposal.form.publish_consent == Some(false);
    if refused && input.publish_text > PublicationLevel::Catalogue {
        unmet.push(Unmet {
            guard: "publication_consented",
            invariant: Some("I30"),
            message: Message::new(
                "提案者不同意公开文本，只能目录公开或不公开。",
                "The proposer refused publication of the text: at most the catalogue.",
            ),
        });
    }
    if !unmet.is_empty() {
        return Err(Refusal::Unmet(unmet));
    }
    step.stop(&[ClockKind::K17, ClockKind::K18], None);
    step.record_decision(
        "close",
        json!({
            "publish_text": input.publish_text,
            "publish_replies": input.publish_replies,
            "rehandling_waived": input.rehandling_waived,
            "note": input.note,
        }),
    );
    Ok(())
}
