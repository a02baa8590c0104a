//! Effects of the yearly programme and of publication: OT10–OT14.

use serde_json::json;

use super::authoring::mismatched;
use super::case::RequestForm;
use super::codes::{PublicationLevel, PublishedPart, RequestKind, RequestStatus};
use super::decide::Step;
use super::examination::{not_blank, required};
use super::input::Input;
use super::refusal::Refusal;
use super::urgency::relimit_replies;
use super::withdrawal::{answer, ask};

/// OT10: proposed for the programme; the chair decides.
pub fn nominate(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let form = RequestForm {
        reason: input.reason.clone(),
        ..RequestForm::default()
    };
    ask(step, RequestKind::Key, None, form)?;
    Ok(())
}

/// OT11: a place in the programme of a year, inside its quota, by decision of a meeting.
pub fn designate(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Designate(input) = input else {
        return Err(mismatched());
    };
    let marks = &step.case.proposal.marks;
    if marks.tier == Some(input.tier) && marks.programme_year == Some(input.year) {
        return Err(Refusal::invalid(
            "/tier",
            "unchanged",
            "已是该层级提案。",
            "It has this place already.",
        ));
    }
    if let Some(quota) = step.env.profile.key_quota.get(&input.tier)
        && step.env.references.designated >= quota.0
    {
        return Err(Refusal::unmet(
            "inside_quota",
            None,
            format!("该年度该层级名额为 {} 件，已用完。", quota.0),
            format!("The quota of {} of this tier and year is used up.", quota.0),
        ));
    }
    let marks = &mut step.case.proposal.marks;
    marks.tier = Some(input.tier);
    marks.programme_year = Some(input.year);
    answer(
        step,
        RequestKind::Key,
        None,
        RequestStatus::Granted,
        input.note.as_deref(),
        None,
    );
    relimit_replies(step);
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("designate_key", content);
    Ok(())
}

/// OT12: out of the programme again, or not taken into it (I11).
pub fn release(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let denied = answer(
        step,
        RequestKind::Key,
        None,
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    // A nomination that is not followed takes no place away.
    if denied.is_some() {
        return Ok(());
    }
    let marks = &mut step.case.proposal.marks;
    let tier = marks.tier.take();
    let year = marks.programme_year.take();
    relimit_replies(step);
    step.record_decision(
        "release_key",
        json!({ "tier": tier, "year": year, "reason": input.reason }),
    );
    Ok(())
}

/// OT13: a part becomes public at a level, never above the one reviewed (I30).
pub fn publish(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Publish(input) = input else {
        return Err(mismatched());
    };
    let marks = &step.case.proposal.marks;
    let (reviewed, clock) = match input.part {
        PublishedPart::Text => (marks.publish_text, super::codes::ClockKind::K17),
        PublishedPart::Replies => (marks.publish_replies, super::codes::ClockKind::K18),
    };
    if input.level == PublicationLevel::None {
        return Err(required("/level"));
    }
    if reviewed.is_none_or(|reviewed| input.level > reviewed) {
        return Err(Refusal::unmet(
            "inside_reviewed_level",
            Some("I30"),
            "不得超过审核确定的公开程度。",
            "Not above the level that the review allows.",
        ));
    }
    if input.part == PublishedPart::Replies && !step.case.ever_delivered() {
        return Err(Refusal::unmet(
            "reply_delivered",
            Some("I30"),
            "尚无已送达的答复。",
            "No reply was delivered yet.",
        ));
    }
    let now = step.env.now;
    let marks = &mut step.case.proposal.marks;
    let (level, since) = match input.part {
        PublishedPart::Text => (&mut marks.published_text, &mut marks.text_published_at),
        PublishedPart::Replies => (
            &mut marks.published_replies,
            &mut marks.replies_published_at,
        ),
    };
    *level = Some(input.level);
    *since = Some(now);
    step.stop(&[clock], None);
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("publish", content);
    Ok(())
}

/// OT14: taken back, with a reason (I11).
pub fn unpublish(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Unpublish(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let marks = &mut step.case.proposal.marks;
    let (level, since) = match input.part {
        PublishedPart::Text => (&mut marks.published_text, &mut marks.text_published_at),
        PublishedPart::Replies => (
            &mut marks.published_replies,
            &mut marks.replies_published_at,
        ),
    };
    if level.take().is_none() {
        return Err(Refusal::invalid(
            "/part",
            "not_published",
            "该部分未公开。",
            "This part is not published.",
        ));
    }
    *since = None;
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("unpublish", content);
    Ok(())
}
