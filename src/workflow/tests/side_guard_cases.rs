//! The guards of the side roads, each in a case in which it and nothing else stands in the way.

use jiff::civil::date;

use super::fixture::{Person as P, World, other_proposal};
use super::guard_cases::{Case, refuse};
use super::inputs;
use crate::workflow::assignment::AssignmentAction;
use crate::workflow::codes::{
    AssignmentRole, ConsultationForm, Grade, HandlingKind, OutcomeMeaning, ProgrammeTier,
    PublicationLevel, PublishedPart, Secrecy,
};
use crate::workflow::decide::Target;
use crate::workflow::input::{Input, NoInput};
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyAction;
use crate::workflow::role::{Actor, Line};
use crate::workflow::rule::Action;

const OFFICER: P = P::Officer(Line::Government);

fn refuse_row(
    world: &mut World,
    who: P,
    number: usize,
    action: Action,
    input: impl Into<Input>,
) -> Refusal {
    world.refused(who, world.row_target(number), action, input)
}

/// The system's row does not apply.
fn by_system(world: &World, target: Target, action: Action) -> Refusal {
    let mut world = world.clone();
    let refusal = world.act(&Actor::system(), target, action, &NoInput {}.into());
    refusal.expect_err("the system's row applied")
}

/// Rated by the only rater.
pub fn rated(grade: Grade) -> World {
    let mut world = World::individual()
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let form = inputs::feedback(world.reply_id(0), grade);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    world
}

/// In the urgent lane.
fn urgent() -> World {
    let mut world = World::individual().filed();
    world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    world
}

/// The lead, which asked for an extension and for a pause.
fn asking() -> World {
    let mut world = World::individual().sole().accepted(0);
    world.on_row(
        0,
        inputs::ASK_EXTENSION,
        inputs::ask_extension(date(2026, 7, 1)),
    );
    world.on_row(0, inputs::ASK_PAUSE, inputs::ask_pause(date(2026, 3, 20)));
    world
}

/// A lead whose clock is paused.
fn paused() -> World {
    let mut world = asking();
    let target = world.row_target(0);
    let input = inputs::pause(None).into();
    world.granted(OFFICER, target, inputs::PAUSE, &input);
    world
}

fn returning() -> World {
    let mut world = World::individual().sole();
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(1)));
    world
}

fn merged() -> World {
    let mut world = World::individual().submit();
    world.on_proposal(P::Chair, Do::Merge, inputs::merge(other_proposal(0)));
    world
}

pub const OF_THE_PROPOSAL: &[Case] = &[
    ("not_a_main", || {
        let mut world = World::individual().submit().absorbing();
        refuse(&mut world, P::Member(0), Do::Recall, NoInput {})
    }),
    ("not_a_main", || {
        let mut world = World::individual().submit().absorbing();
        refuse(
            &mut world,
            P::Chair,
            Do::NotFile,
            inputs::not_file("bad_form"),
        )
    }),
    ("not_a_main", || {
        let mut world = World::individual().filed().absorbing();
        refuse(&mut world, P::Member(0), Do::Withdraw, inputs::withdraw())
    }),
    ("has_absorbed_none", || {
        let mut world = World::individual().submit().absorbing();
        refuse(
            &mut world,
            P::Chair,
            Do::Merge,
            inputs::merge(other_proposal(0)),
        )
    }),
    ("main_not_answered", || {
        let mut world = merged();
        world.case.main.as_mut().unwrap().delivered = true;
        refuse(&mut world, P::Chair, Do::Unmerge, inputs::reason_in())
    }),
    ("main_not_answered", || {
        let mut world = merged();
        world.case.main.as_mut().unwrap().status = ProposalStatus::Handled;
        refuse(&mut world, P::Chair, Do::Unmerge, inputs::reason_in())
    }),
    ("no_reply_delivered", || {
        use AssignmentRole::Separate;
        let world = World::individual()
            .filed()
            .assigned(HandlingKind::Separate, &[(0, Separate), (1, Separate)]);
        let mut world = world.answered(0, OutcomeMeaning::Resolved);
        refuse(&mut world, P::Member(0), Do::Withdraw, inputs::withdraw())
    }),
    ("no_open_withdrawal", || {
        let mut world = World::individual().sole();
        world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
        refuse(&mut world, P::Member(0), Do::Withdraw, inputs::withdraw())
    }),
    ("withdrawal_open", || {
        let mut world = World::individual().filed();
        refuse(&mut world, P::Chair, Do::ApproveWithdrawal, inputs::note())
    }),
    ("open_for_seconding", || {
        refuse(
            &mut World::individual(),
            P::Member(1),
            Do::Second,
            inputs::cosign(),
        )
    }),
    ("not_yet_signed", || {
        let mut world = World::joint().invite(&[1]);
        world.profile.seconding_enabled = true;
        world.case.proposal.marks.open_for_seconding = true;
        refuse(&mut world, P::Member(1), Do::Second, inputs::cosign())
    }),
    ("invitation_lapsed", || {
        let world = World::joint().invite(&[1]);
        let action = Action::Proposal(Do::ExpireInvitations);
        by_system(&world, Target::Proposal, action)
    }),
    ("disposition_open", || {
        let mut world = World::individual().submit();
        world.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
        world.on_proposal(P::Staff, Do::CarryOutDisposition, inputs::disposition());
        refuse(
            &mut world,
            P::Staff,
            Do::CarryOutDisposition,
            inputs::disposition(),
        )
    }),
    ("nothing_owed", || {
        let mut world = World::individual().submit();
        world.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
        refuse(&mut world, P::Staff, Do::Archive, inputs::note())
    }),
    ("not_archived", || {
        let mut world = rated(Grade::Satisfied);
        world.on_proposal(P::Staff, Do::Close, inputs::close());
        world.on_proposal(P::Staff, Do::Archive, inputs::note());
        refuse(&mut world, P::Staff, Do::Archive, inputs::note())
    }),
    ("has_rated", || {
        let mut world = World::individual()
            .sole()
            .answered(0, OutcomeMeaning::Resolved);
        let form = inputs::correction(world.reply_id(0), Grade::Satisfied);
        refuse(&mut world, P::Member(0), Do::CorrectFeedback, form)
    }),
    ("rounds_left", || {
        let mut world = rated(Grade::Dissatisfied);
        world.profile.rehandling_max_rounds = 0;
        refuse(&mut world, P::Chair, Do::Rehandle, inputs::rehandle())
    }),
    ("complaint_open", || {
        let mut world = rated(Grade::Satisfied);
        refuse(
            &mut world,
            P::Member(0),
            Do::WaiveRehandling,
            inputs::waive(),
        )
    }),
    ("no_rehandling_due", || {
        let mut world = rated(Grade::Dissatisfied);
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
    ("no_rehandling_due", || {
        // A meeting does not help while a round is left.
        let mut world = rated(Grade::Dissatisfied);
        let met = inputs::consultation(ConsultationForm::FaceToFaceMeeting, world.env().today());
        world.on_proposal(P::Staff, Do::RecordConsultation, met);
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
    ("consultation_recorded", || {
        let mut world = rated(Grade::Satisfied);
        world.case.proposal.marks.tier = Some(ProgrammeTier::No1);
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
    ("nothing_open", || {
        let open = asking().case.requests[0].clone();
        let mut world = rated(Grade::Satisfied);
        world.case.requests.push(open);
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
];

pub const OF_A_ROW: &[Case] = &[
    ("part_of_another_row", || {
        let world = World::individual().sole().accepted(0);
        let action = Action::Assignment(AssignmentAction::MarkReplied);
        by_system(&world, world.row_target(0), action)
    }),
    ("no_open_suggestion", || {
        let mut world = World::individual().sole();
        world.on_row(0, inputs::SUGGEST, inputs::suggest(1));
        refuse_row(
            &mut world,
            P::UnitClerk(0),
            0,
            inputs::SUGGEST,
            inputs::suggest(2),
        )
    }),
    ("suggestion_open", || {
        let mut world = World::individual().sole();
        refuse_row(
            &mut world,
            OFFICER,
            0,
            inputs::REFUSE_SUGGESTION,
            inputs::deny(),
        )
    }),
    ("row_returnable", || {
        let mut world = returning();
        let target = world.row_target(0);
        let deny = inputs::deny().into();
        world.granted(OFFICER, target, inputs::REJECT_RETURN, &deny);
        // With a window that still runs nothing else stands in the way.
        let clock = world
            .case
            .clocks
            .iter_mut()
            .find(|clock| clock.limit == "5 wd");
        clock.unwrap().stopped_at = None;
        let again = inputs::ask_return(Some(1));
        refuse_row(&mut world, P::UnitClerk(0), 0, inputs::ASK_RETURN, again)
    }),
    ("return_window_open", || {
        let mut world = World::individual().sole().accepted(0);
        world.wait(10);
        let input = inputs::ask_return(Some(1));
        refuse_row(&mut world, P::UnitClerk(0), 0, inputs::ASK_RETURN, input)
    }),
    ("return_window_lapsed", || {
        let world = World::individual().sole();
        let action = Action::Assignment(AssignmentAction::DeemAccepted);
        by_system(&world, world.row_target(0), action)
    }),
    ("whole_without_row", || {
        let mut world = World::individual().sole();
        refuse_row(&mut world, OFFICER, 0, inputs::VOID, inputs::reason_in())
    }),
    ("not_escalated", || {
        let mut world = returning();
        let target = world.row_target(0);
        world.granted(
            OFFICER,
            target,
            inputs::ESCALATE,
            &inputs::escalate().into(),
        );
        refuse_row(&mut world, OFFICER, 0, inputs::ESCALATE, inputs::escalate())
    }),
    ("contact_on_record", || {
        let mut world = World::individual().sole().accepted(0);
        let input = inputs::object_contact(world.env().id());
        refuse_row(&mut world, P::Member(0), 0, inputs::OBJECT_CONTACT, input)
    }),
    ("countersign_lapsed", || {
        let world = World::individual()
            .together()
            .accepted(0)
            .contacted(0)
            .drafted(0, OutcomeMeaning::Resolved)
            .countersigning();
        let action = Action::Reply(ReplyAction::LapseCountersign);
        by_system(&world, world.reply_target(0), action)
    }),
    ("look_back_opens", || {
        let world = World::individual().filed();
        let action = Action::Proposal(Do::OpenLookBack);
        by_system(&world, Target::Proposal, action)
    }),
    ("opinion_lapsed", || {
        let world = World::individual().together();
        let action = Action::Assignment(AssignmentAction::NoteMissingOpinion);
        by_system(&world, world.row_target(1), action)
    }),
    ("due_date_ahead", || {
        let mut world = World::individual().sole().accepted(0);
        world.wait(120);
        let input = inputs::ask_extension(date(2026, 8, 1));
        refuse_row(&mut world, P::UnitClerk(0), 0, inputs::ASK_EXTENSION, input)
    }),
    ("no_open_extension", || {
        let input = inputs::ask_extension(date(2026, 7, 1));
        refuse_row(
            &mut asking(),
            P::UnitClerk(0),
            0,
            inputs::ASK_EXTENSION,
            input,
        )
    }),
    ("extension_open", || {
        let mut world = World::individual().sole().accepted(0);
        let input = inputs::grant_extension(None);
        refuse_row(&mut world, OFFICER, 0, inputs::GRANT_EXTENSION, input)
    }),
    ("no_open_pause", || {
        let input = inputs::ask_pause(date(2026, 3, 20));
        refuse_row(&mut asking(), P::UnitClerk(0), 0, inputs::ASK_PAUSE, input)
    }),
    ("pause_open", || {
        let mut world = World::individual().sole().accepted(0);
        refuse_row(&mut world, OFFICER, 0, inputs::DENY_PAUSE, inputs::deny())
    }),
    ("no_pause_running", || {
        let input = inputs::ask_pause(date(2026, 3, 20));
        refuse_row(&mut paused(), P::UnitClerk(0), 0, inputs::ASK_PAUSE, input)
    }),
    ("pause_running", || {
        let mut world = World::individual().sole().accepted(0);
        refuse_row(&mut world, OFFICER, 0, inputs::RESUME, inputs::note())
    }),
    ("pause_ended", || {
        let world = paused();
        let action = Action::Assignment(AssignmentAction::EndPause);
        by_system(&world, world.row_target(0), action)
    }),
    ("changed_since_rejection", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
        world.on_reply(0, P::Supervision, inputs::REJECT, inputs::reject());
        let target = world.reply_target(0);
        world.refused(P::Signatory(0), target, inputs::SIGN, inputs::sign())
    }),
    ("countersign_disputed", || {
        let mut world = World::individual().together().accepted(0);
        world = world.drafted(0, OutcomeMeaning::Resolved);
        let target = world.reply_target(0);
        world.refused(OFFICER, target, inputs::COORDINATE, inputs::coordinate())
    }),
    ("not_urgent", || {
        let mut world = urgent();
        refuse(&mut world, P::Chair, Do::MarkUrgent, inputs::urgent(&[]))
    }),
    ("is_urgent", || {
        let mut world = World::individual().filed();
        refuse(
            &mut world,
            P::Chair,
            Do::DowngradeUrgency,
            inputs::reason_in(),
        )
    }),
    ("no_open_urgency", || {
        let mut world = World::individual().filed();
        world.on_proposal(P::Staff, Do::RequestUrgency, inputs::reason_in());
        refuse(
            &mut world,
            P::Staff,
            Do::RequestUrgency,
            inputs::reason_in(),
        )
    }),
    ("urgency_requested", || {
        let mut world = World::individual().filed();
        refuse(&mut world, P::Chair, Do::RefuseUrgency, inputs::deny())
    }),
    ("no_open_nomination", || {
        let mut world = World::individual().filed();
        world.on_proposal(P::Staff, Do::NominateKey, inputs::reason_in());
        refuse(&mut world, P::Staff, Do::NominateKey, inputs::reason_in())
    }),
    ("key_open", || {
        let mut world = rated(Grade::Satisfied);
        world.on_proposal(P::Staff, Do::Close, inputs::close());
        let input = inputs::designate(ProgrammeTier::Key, 2026);
        refuse(&mut world, P::Chair, Do::DesignateKey, input)
    }),
    ("in_programme", || {
        let mut world = World::individual().filed();
        refuse(&mut world, P::Chair, Do::ReleaseKey, inputs::deny())
    }),
    ("case_open", || {
        let mut world = World::individual().filed();
        world.on_proposal(
            P::Staff,
            Do::SetSecrecy,
            inputs::secrecy(Secrecy::Restricted),
        );
        let none = PublicationLevel::None;
        world.on_proposal(
            P::Staff,
            Do::ReviewPublication,
            inputs::publication(none, none),
        );
        refuse(
            &mut world,
            P::Staff,
            Do::Publish,
            inputs::publish(PublishedPart::Text),
        )
    }),
    ("published", || {
        let mut world = World::individual().filed();
        let part = PublishedPart::Text;
        refuse(&mut world, P::Staff, Do::Unpublish, inputs::unpublish(part))
    }),
    ("publication_reviewed", || {
        let mut world = World::individual().filed();
        refuse(
            &mut world,
            P::Staff,
            Do::Publish,
            inputs::publish(PublishedPart::Text),
        )
    }),
];
