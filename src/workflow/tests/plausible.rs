//! What somebody hands in with an action, so that it may well be granted.

use jiff::ToSpan;

use super::fixture::{MEMBERS, World, member, other_proposal, unit};
use super::inputs;
use crate::ids::{AssignmentId, ProposerId};
use crate::workflow::assignment::{AssignmentAction as Row, AssignmentStatus};
use crate::workflow::case::Assignment;
use crate::workflow::codes::{
    AdjustCause, AssignmentRole, ClockKind, ConsultationForm, Grade, HandlingKind, OutcomeMeaning,
    ProgrammeTier, PublicationLevel, PublishedPart, Recommendation, Secrecy,
};
use crate::workflow::deadline;
use crate::workflow::decide::Target;
use crate::workflow::input::{CloseIn, CosignIn, Input, NoInput, ProposalForm, SignIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::reasons::BUILT_IN;
use crate::workflow::reply::ReplyAction as Answer;
use crate::workflow::role::{Actor, Role};
use crate::workflow::rule::Action;

/// Units that take part in walks.
pub const WALKING_UNITS: usize = 5;

/// An input that fits the action; tone 0 is that of somebody who wants the case to go on.
pub fn plausible(world: &World, actor: &Actor, target: Target, action: Action, tone: u8) -> Input {
    match action {
        Action::Proposal(action) => on_proposal(world, actor, action, tone),
        Action::Assignment(action) => on_row(world, target, action, tone),
        Action::Reply(action) => on_reply(world, action, tone),
    }
}

fn on_row(world: &World, target: Target, action: Row, tone: u8) -> Input {
    let today = world.env().today();
    let row = match target {
        Target::Assignment(id) => world.case.assignment(id),
        _ => None,
    };
    match action {
        Row::Create
        | Row::DeemAccepted
        | Row::NoteMissingOpinion
        | Row::EndPause
        | Row::MarkReplied
        | Row::HandOver
        | Row::ResumeClock => NoInput {}.into(),
        Row::Accept => inputs::accept().into(),
        Row::RecordContact => inputs::contact(today).into(),
        Row::SubmitOpinion => inputs::opinion().into(),
        Row::SuggestUnits => inputs::suggest(free_unit(world, tone)).into(),
        Row::RequestReturn => inputs::ask_return(Some(free_unit(world, tone))).into(),
        Row::GrantReturn => grant_return(world, row, tone),
        Row::EscalateReturn => inputs::escalate().into(),
        Row::RefuseSuggestion | Row::RejectReturn | Row::DenyExtension | Row::DenyPause => {
            inputs::deny().into()
        }
        Row::RequestExtension => {
            let last = row.and_then(|row| last_day(world, row.id));
            let days = i64::from(tone % 40) + 1;
            inputs::ask_extension(last.unwrap_or(today).saturating_add(days.days())).into()
        }
        Row::GrantExtension if tone % 4 == 3 => {
            inputs::grant_extension(Some(today.saturating_add(120.days()))).into()
        }
        Row::GrantExtension => inputs::grant_extension(None).into(),
        Row::RequestPause => {
            let days = i64::from(tone % 20) + 1;
            inputs::ask_pause(today.saturating_add(days.days())).into()
        }
        Row::PauseClock => {
            inputs::pause((tone % 3 == 1).then(|| today.saturating_add(7.days()))).into()
        }
        Row::ObjectContact => {
            let contacts = world.case.contacts.iter();
            let open = contacts.filter(|contact| contact.objection.is_none());
            let mut own = open.filter(|one| row.is_some_and(|row| row.id == one.assignment));
            match own.next() {
                Some(contact) => inputs::object_contact(contact.id).into(),
                None => NoInput {}.into(),
            }
        }
        Row::Void => inputs::reason_in().into(),
    }
}

fn on_reply(world: &World, action: Answer, tone: u8) -> Input {
    match action {
        Answer::Draft | Answer::Edit => {
            let outcome = OutcomeMeaning::ALL[usize::from(tone) % 8];
            let wanted = (tone % 16 != 15).then_some(outcome);
            let mut form = inputs::reply(wanted, world.env().today());
            form.digest = format!("已优化两条线路（{}）。", world.log.len());
            form.into()
        }
        Answer::RequestCountersign
        | Answer::Deliver
        | Answer::Supersede
        | Answer::LapseCountersign => NoInput {}.into(),
        Answer::Countersign => inputs::countersign().into(),
        Answer::Object => inputs::object().into(),
        Answer::Sign => SignIn {
            by_head: tone.is_multiple_of(2),
            ..inputs::sign()
        }
        .into(),
        Answer::Approve if tone % 4 == 1 => {
            inputs::approve_as(OutcomeMeaning::ALL[usize::from(tone / 4) % 8]).into()
        }
        Answer::Approve => inputs::approve().into(),
        Answer::Reject => inputs::reject().into(),
        Answer::Coordinate => inputs::coordinate().into(),
    }
}

#[expect(clippy::match_same_arms, reason = "grouped by what belongs together")]
fn on_proposal(world: &World, actor: &Actor, action: Do, tone: u8) -> Input {
    let today = world.env().today();
    let main = other_proposal(usize::from(tone) % 5);
    match action {
        Do::Edit if tone % 4 == 3 => world.case.proposal.form.clone().into(),
        Do::Edit => ProposalForm {
            open_for_seconding: world.case.proposal.form.open_for_seconding,
            ..inputs::other_text(world.log.len())
        }
        .into(),
        Do::InviteCosigners => invitation(world, tone),
        Do::ConsentCosign | Do::DeclineCosign => answer_of_a_cosigner(world, actor).into(),
        Do::Second => inputs::cosign().into(),
        Do::Withdraw => inputs::withdraw().into(),
        Do::ReturnForRevision => inputs::return_for_revision().into(),
        Do::Examine => {
            let mut input = inputs::examine();
            if tone % 8 == 7 {
                input.recommendation = Recommendation::NotFile;
                input.reason_codes = vec![inputs::reason("academic_discussion")];
            }
            input.into()
        }
        Do::File => inputs::file().into(),
        Do::NotFile => inputs::not_file(BUILT_IN[usize::from(tone) % BUILT_IN.len()].code).into(),
        Do::Assign => assignment(tone),
        Do::GiveFeedback => rating(world, actor, tone, false),
        Do::CorrectFeedback => rating(world, actor, tone, true),
        Do::Close => close(world, tone).into(),
        Do::Create
        | Do::Submit
        | Do::Recall
        | Do::CompleteHandling
        | Do::ConcludeFeedback
        | Do::ExpireInvitations
        | Do::RecountClock
        | Do::OpenLookBack => NoInput {}.into(),
        Do::ApproveWithdrawal | Do::Archive => inputs::note().into(),
        Do::RejectWithdrawal => inputs::deny().into(),
        Do::CarryOutDisposition => inputs::disposition().into(),
        Do::Merge => inputs::merge(main).into(),
        Do::LinkCases => inputs::link(main).into(),
        Do::Unmerge | Do::Reopen => inputs::reason_in().into(),
        Do::AdjustUnits => adjustment(world, tone),
        Do::ExcuseRater => {
            let mut raters = world.case.raters(world.profile.every_signer_rates());
            let waits = |id: ProposerId| world.case.running(ClockKind::K12, id.cast()).is_some();
            let waiting = raters.find(|rater| waits(rater.id)).map(|rater| rater.id);
            inputs::excuse(waiting.unwrap_or(world.case.proposers[0].id)).into()
        }
        Do::Rehandle => another_round(tone),
        Do::WaiveRehandling => {
            let trigger = &world.profile.rehandling_trigger;
            let raters: Vec<_> = world.case.complaints(trigger).map(|f| f.rater).collect();
            match raters.first() {
                Some(rater) if !raters.iter().any(|id| speaks_for(world, actor, *id)) => {
                    inputs::waive_on_paper(*rater).into()
                }
                _ => inputs::waive().into(),
            }
        }
        Do::RecordConsultation => {
            let forms = ConsultationForm::ALL;
            inputs::consultation(forms[usize::from(tone) % forms.len()], today).into()
        }
        Do::ReviewPublication => {
            let close = close(world, 0);
            let level = |wanted: Option<PublicationLevel>| wanted.unwrap_or(PublicationLevel::None);
            inputs::publication(level(close.publish_text), level(close.publish_replies)).into()
        }
        Do::RequestUrgency | Do::DowngradeUrgency | Do::NominateKey => inputs::reason_in().into(),
        Do::RefuseUrgency | Do::ReleaseKey => inputs::deny().into(),
        Do::MarkUrgent => inputs::urgent(&[usize::from(tone) % 4][..usize::from(tone % 2)]).into(),
        Do::DesignateKey => {
            inputs::designate(ProgrammeTier::ALL[usize::from(tone) % 4], 2026).into()
        }
        Do::Publish => inputs::publish(PublishedPart::ALL[usize::from(tone) % 2]).into(),
        Do::Unpublish if world.case.proposal.marks.published_text.is_some() => {
            inputs::unpublish(PublishedPart::Text).into()
        }
        Do::Unpublish => inputs::unpublish(PublishedPart::Replies).into(),
        Do::StartTracking
        | Do::ReportProgress
        | Do::FulfilPromise
        | Do::StopTracking
        | Do::Supervise
        | Do::Urge
        | Do::AcknowledgeUrging
        | Do::Instruct
        | Do::AnswerInstruction
        | Do::RecordLookBack => super::follow_up::plausible(world, actor, action, tone),
        Do::ReferUp
        | Do::ReferDown
        | Do::NoteReferralAnswer
        | Do::ReceiveReferralAnswer
        | Do::RecallReferral => super::referrals::plausible(world, action, tone),
        Do::SetSecrecy => inputs::secrecy(Secrecy::ALL[usize::from(tone) % 3]).into(),
    }
}

/// As far as the proposer and the secrecy allow it.
fn close(world: &World, tone: u8) -> CloseIn {
    let proposal = &world.case.proposal;
    let highest = match (proposal.secrecy, proposal.form.publish_consent) {
        (Secrecy::Open, Some(false)) => PublicationLevel::Catalogue,
        (Secrecy::Open, _) => PublicationLevel::Full,
        _ => PublicationLevel::None,
    };
    CloseIn {
        publish_text: (tone % 4 != 3).then_some(highest),
        publish_replies: (tone % 4 != 3).then_some(highest),
        note: None,
    }
}

fn invitation(world: &World, tone: u8) -> Input {
    if world.case.proposal.kind == ProposerKind::JointCollective {
        return inputs::invite_organisations(&[1 + usize::from(tone) % 2]).into();
    }
    let known = |n: &usize| {
        let mut proposers = world.case.proposers.iter();
        proposers.any(|p| p.member == Some(member(*n)))
    };
    let free = (1..MEMBERS).find(|n| !known(n)).unwrap_or(1);
    let chosen = if tone % 3 == 2 {
        usize::from(tone) % MEMBERS
    } else {
        free
    };
    inputs::invite(&[chosen]).into()
}

/// The actor's own answer, or one on paper.
fn answer_of_a_cosigner(world: &World, actor: &Actor) -> CosignIn {
    let open: Vec<_> = world.case.open_invitations(world.now).collect();
    let own = open.iter().any(|one| one.is(actor));
    match open.first() {
        Some(first) if !own && actor.has(Role::CommitteeStaff) => {
            inputs::cosign_on_paper(first.id, world.staged(actor))
        }
        _ => inputs::cosign(),
    }
}

fn last_day(world: &World, row: AssignmentId) -> Option<jiff::civil::Date> {
    let clock = crate::workflow::extension::clock_of(&world.case, row)?;
    Some(deadline::last_day(clock.due_at))
}

/// A unit that has no row in this round.
fn free_unit(world: &World, tone: u8) -> usize {
    let bound = |n: usize| world.case.live_rows().any(|row| row.unit == unit(n));
    let start = usize::from(tone);
    let mut turned = (0..WALKING_UNITS).map(|n| (start + n) % WALKING_UNITS);
    turned.find(|n| !bound(*n)).unwrap_or(start % WALKING_UNITS)
}

fn grant_return(world: &World, row: Option<&Assignment>, tone: u8) -> Input {
    let role = row.map_or(AssignmentRole::Lead, |row| row.role);
    let free = free_unit(world, tone / 4);
    let mut input = match tone % 4 {
        3 => inputs::grant_return(&[]),
        _ => inputs::grant_return(&[(free, role)]),
    };
    if tone % 8 == 7 {
        input.handling_kind = Some(HandlingKind::Sole);
    }
    input.into()
}

fn adjustment(world: &World, tone: u8) -> Input {
    use AssignmentRole::{CoHandler, Lead, Reference, Separate};
    let free = free_unit(world, tone / 8);
    let open = world
        .case
        .live_rows()
        .filter(|row| row.status != AssignmentStatus::Replied);
    let last: Vec<_> = open.last().map(|row| row.id).into_iter().collect();
    let kind = world.case.proposal.handling_kind;
    let mut input = match (tone % 8, kind) {
        (0 | 1, Some(HandlingKind::Separate)) => inputs::adjust(&[(free, Separate)], Vec::new()),
        (0 | 1, _) => inputs::adjust(&[(free, CoHandler)], Vec::new()),
        (2, _) => inputs::adjust(&[(free, Reference)], Vec::new()),
        (4, Some(HandlingKind::Sole)) => inputs::adjust(&[(free, Lead)], last),
        (4, Some(HandlingKind::Joint)) => inputs::adjust(&[(free, CoHandler)], last),
        (4, _) => inputs::adjust(&[(free, Separate)], last),
        _ => inputs::adjust(&[], last),
    };
    input.handling_kind = match (tone % 8, kind) {
        (0 | 1, Some(HandlingKind::Sole)) => Some(HandlingKind::Joint),
        (5, _) => Some(HandlingKind::Sole),
        _ => None,
    };
    if tone.is_multiple_of(3) {
        input.cause = AdjustCause::UnitSuggestion;
    }
    input.into()
}

fn another_round(tone: u8) -> Input {
    use AssignmentRole::{CoHandler, Lead, Separate};
    match tone % 6 {
        3 => inputs::rehandle_with(HandlingKind::Sole, &[(0, Lead)]).into(),
        4 => inputs::rehandle_with(HandlingKind::Joint, &[(1, Lead), (0, CoHandler)]).into(),
        5 => inputs::rehandle_with(HandlingKind::Separate, &[(0, Separate), (3, Separate)]).into(),
        _ => inputs::rehandle().into(),
    }
}

fn assignment(tone: u8) -> Input {
    use AssignmentRole::{CoHandler, Lead, Reference, Separate};
    let (kind, rows): (_, &[_]) = match tone % 4 {
        0 => (
            HandlingKind::Joint,
            &[(3, Reference), (1, CoHandler), (0, Lead), (2, CoHandler)],
        ),
        1 => (HandlingKind::Sole, &[(0, Lead)]),
        2 => (
            HandlingKind::Separate,
            &[(0, Separate), (1, Separate), (2, Reference)],
        ),
        _ => (HandlingKind::Sole, &[(0, Lead), (1, Separate)]),
    };
    inputs::assign(kind, inputs::rows(rows)).into()
}

/// Whether the actor is this proposer, of the case or of an absorbed one.
fn speaks_for(world: &World, actor: &Actor, rater: ProposerId) -> bool {
    let mut everybody = world.case.everybody();
    everybody.any(|proposer| proposer.id == rater && proposer.is(actor))
}

/// A form that is still owed, or one to correct: the actor's own, or one on paper.
fn rating(world: &World, actor: &Actor, tone: u8, given: bool) -> Input {
    let case = &world.case;
    let grade = if tone % 4 == 3 {
        Grade::Dissatisfied
    } else {
        Grade::Satisfied
    };
    let mine = |rater: ProposerId| speaks_for(world, actor, rater);
    let fits = |rater: ProposerId, reply| {
        let mut forms = case.forms.iter();
        forms.any(|form| form.reply == reply && form.rater == rater) == given
    };
    let raters: Vec<_> = case
        .raters(world.profile.every_signer_rates())
        .map(|p| p.id)
        .collect();
    let pairs: Vec<_> = case
        .delivered()
        .flat_map(|reply| raters.iter().map(move |rater| (*rater, reply.id)))
        .filter(|(rater, reply)| fits(*rater, *reply))
        .collect();
    let is_rater = raters.iter().any(|rater| mine(*rater));
    let chosen = if is_rater {
        pairs.iter().find(|pair| mine(pair.0))
    } else {
        pairs.first()
    };
    match chosen {
        Some((_, reply)) if is_rater => inputs::feedback(*reply, grade).into(),
        Some((rater, reply)) if actor.has(Role::CommitteeStaff) => {
            inputs::paper_feedback(*reply, *rater, grade).into()
        }
        Some((_, reply)) => inputs::feedback(*reply, grade).into(),
        None => match case.replies.first() {
            Some(reply) => inputs::feedback(reply.id, grade).into(),
            None => NoInput {}.into(),
        },
    }
}
