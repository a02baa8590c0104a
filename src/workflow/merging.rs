//! Effects of merging, of its undoing, and of links between cases: PT17, PT18, OT05.
//!
//! A merge changes the absorbed proposal only: it keeps numbers, text and signers and follows the
//! main one. The main proposal is answered to all proposers (I18) and cannot leave the examination
//! alone (I19).

use serde_json::json;

use super::authoring::{mismatched, start_cosign, start_examination};
use super::case::{Before, Main};
use super::codes::{ClockKind, ConsentStatus, Secrecy};
use super::decide::{ProposalFacts, Record, Step};
use super::examination::{freeze_signers, not_blank, start_assignment};
use super::guard;
use super::input::Input;
use super::proposal::ProposalStatus;
use super::refusal::Refusal;
use crate::ids::ProposalId;

/// PT17: absorbed by another proposal of the same session.
pub fn merge(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Merge(input) = input else {
        return Err(mismatched());
    };
    not_blank("/opinion", &input.opinion)?;
    let facts = other(step, input.main_id, "/main_id")?.clone();
    check_main(step, &facts)?;
    step.other = Some(input.main_id);
    let before = Before {
        status: step.case.proposal.status,
        status_since: step.case.proposal.status_since,
        kind: step.case.proposal.kind,
        signers: step
            .case
            .proposers
            .iter()
            .map(|proposer| (proposer.id, proposer.status))
            .collect(),
    };
    freeze_signers(step);
    step.stop(&[ClockKind::K01, ClockKind::K03, ClockKind::K04], None);
    // The main proposal takes its own course: what was asked for this one is not decided any more.
    super::units::lapse(step, |_| true);
    step.case.main = Some(Main {
        proposal: input.main_id,
        status: facts.status,
        serial_no: facts.serial_no,
        case_no: facts.case_no,
        title: facts.title,
        delivered: false,
        before: before.clone(),
    });
    step.records.push(Record::Merge {
        main: input.main_id,
        before,
        content: json!({ "opinion": input.opinion, "meeting": input.meeting }),
    });
    step.record_decision(
        "merge",
        json!({ "main_id": input.main_id, "opinion": input.opinion, "meeting": input.meeting }),
    );
    Ok(())
}

/// Facts of another case that the input names.
fn other<'a>(
    step: &'a Step<'_>,
    id: ProposalId,
    pointer: &str,
) -> Result<&'a ProposalFacts, Refusal> {
    let own = step.case.proposal.id == id;
    step.env
        .references
        .proposals
        .get(&id)
        .filter(|_| !own)
        .ok_or_else(|| {
            Refusal::invalid(
                pointer,
                "unknown_proposal",
                "没有这件提案，或即为本案。",
                "There is no such other proposal.",
            )
        })
}

fn check_main(step: &Step<'_>, main: &ProposalFacts) -> Result<(), Refusal> {
    let own = step.case.proposal.status;
    let open = matches!(
        main.status,
        ProposalStatus::Submitted | ProposalStatus::Filed
    );
    let filed_into_unfiled =
        own == ProposalStatus::Filed && main.status == ProposalStatus::Submitted;
    if main.session != step.case.session.id {
        return Err(Refusal::unmet(
            "same_session",
            Some("I18"),
            "只能与同一届次会议的提案并案。",
            "Only proposals of the same session are merged.",
        ));
    }
    if main
        .proposers
        .iter()
        .any(|proposer| proposer.signs() && proposer.is(step.actor))
    {
        let guard = &guard::NOT_A_SIGNER;
        let (zh, en) = guard.message;
        return Err(Refusal::unmet(guard.name, guard.invariant, zh, en));
    }
    if main.secrecy == Secrecy::Secret {
        let guard = &guard::NOT_SECRET;
        let (zh, en) = guard.message;
        return Err(Refusal::unmet(guard.name, guard.invariant, zh, en));
    }
    if main.absorbed || !open {
        return Err(Refusal::unmet(
            "main_open",
            Some("I18"),
            "主案须为审查中或已立案，且未被并入他案。",
            "The main proposal must be submitted or filed, and not absorbed itself.",
        ));
    }
    if filed_into_unfiled {
        return Err(Refusal::unmet(
            "main_filed",
            Some("I18"),
            "已立案的提案只能并入已立案的主案。",
            "A filed proposal is merged only into a filed one.",
        ));
    }
    Ok(())
}

/// PT18: everything as it was before (I18); the clock of the status starts anew.
pub fn unmerge(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let Some(main) = step.case.main.take() else {
        return Err(mismatched());
    };
    step.other = Some(main.proposal);
    step.case.proposal.status = main.before.status;
    step.case.proposal.status_since = main.before.status_since;
    step.case.proposal.kind = main.before.kind;
    step.case.proposal.marks.archived_at = None;
    let mut waiting = Vec::new();
    for proposer in &mut step.case.proposers {
        let before = main
            .before
            .signers
            .iter()
            .find(|(id, _)| *id == proposer.id);
        let Some((_, status)) = before else { continue };
        proposer.status = *status;
        if matches!(status, ConsentStatus::Invited | ConsentStatus::Stale) {
            waiting.push(proposer.id);
        }
    }
    for id in waiting {
        start_cosign(step, id);
    }
    if main.before.status == ProposalStatus::Filed {
        start_assignment(step);
    } else {
        start_examination(step);
    }
    step.records.push(Record::Unmerge);
    step.record_decision(
        "unmerge",
        json!({ "main_id": main.proposal, "reason": input.reason }),
    );
    Ok(())
}

/// OT05: handled together, or a repeat, without merging.
pub fn link(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Link(input) = input else {
        return Err(mismatched());
    };
    other(step, input.proposal_id, "/proposal_id")?;
    step.records.push(Record::Link {
        kind: input.kind,
        other: input.proposal_id,
        note: input.note.clone(),
    });
    Ok(())
}
