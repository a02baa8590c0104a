//! Every guard, by name, in a case in which it and nothing else stands in the way.

use super::fixture::{Person as P, World};
use super::inputs;
use crate::workflow::codes::{AssignmentRole, Grade, HandlingKind, OutcomeMeaning, Secrecy};
use crate::workflow::decide::Target;
use crate::workflow::input::{NoInput, ProposalForm, Suggestion};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::role::Role;
use crate::workflow::rule::Action;

pub type Case = (&'static str, fn() -> Refusal);

fn system_refused(world: &World, action: Do) -> Refusal {
    let mut world = world.clone();
    let before = world.case.clone();
    let system = crate::workflow::role::Actor::system();
    let input = NoInput {}.into();
    let refusal = world.act(&system, Target::Proposal, Action::Proposal(action), &input);
    assert_eq!(world.case, before);
    refusal.expect_err("the system's row applied")
}

fn submit_with(form: ProposalForm) -> Refusal {
    let mut world = World::individual();
    world.on_proposal(P::Member(0), Do::Edit, form);
    refuse(&mut world, P::Member(0), Do::Submit, NoInput {})
}

fn submit_collective(kind: ProposerKind, form: ProposalForm, days: i64) -> Refusal {
    let mut world = World::collective(kind);
    world.on_proposal(P::Clerk, Do::Edit, form);
    world.wait(days);
    refuse(&mut world, P::Clerk, Do::Submit, NoInput {})
}

pub fn refuse(
    world: &mut World,
    who: P,
    action: Do,
    input: impl Into<crate::workflow::input::Input>,
) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

fn sign(world: &mut World) -> Refusal {
    world.refused(
        P::Signatory(0),
        world.reply_target(0),
        inputs::SIGN,
        inputs::sign(),
    )
}

fn with_reference() -> World {
    use AssignmentRole::{Lead, Reference};
    World::individual()
        .filed()
        .assigned(HandlingKind::Sole, &[(0, Lead), (1, Reference)])
}

pub const BEFORE_FILING: &[Case] = &[
    ("text_complete", || {
        submit_with(ProposalForm {
            suggestions: vec![Suggestion("  ".to_owned())],
            ..inputs::form()
        })
    }),
    ("text_within_limits", || {
        submit_with(ProposalForm {
            title: "长".repeat(51),
            ..inputs::form()
        })
    }),
    ("publication_decided", || {
        submit_with(ProposalForm {
            publish_consent: Some(false),
            ..inputs::form()
        })
    }),
    ("no_secret_declared", || {
        submit_with(ProposalForm {
            no_secret_declaration: false,
            ..inputs::form()
        })
    }),
    ("joint_has_cosigners", || {
        let mut world = World::joint().invite(&[1]);
        world.on_proposal(P::Member(1), Do::DeclineCosign, inputs::cosign());
        refuse(&mut world, P::Member(0), Do::Submit, NoInput {})
    }),
    ("collective_evidence", || {
        let form = ProposalForm {
            seal_evidence: None,
            ..inputs::form()
        };
        submit_collective(ProposerKind::Party, form, 0)
    }),
    ("convener_in_window", || {
        let form = ProposalForm {
            convener: None,
            ..inputs::form()
        };
        submit_collective(ProposerKind::Sector, form, 0)
    }),
    ("convener_in_window", || {
        submit_collective(ProposerKind::Sector, inputs::form(), 10)
    }),
    ("convener_in_window", || {
        let mut world = World::collective(ProposerKind::MemberGroup).submit();
        world.on_proposal(
            P::Staff,
            Do::ReturnForRevision,
            inputs::return_for_revision(),
        );
        let form = ProposalForm {
            convener: None,
            ..inputs::other_text(2)
        };
        world.on_proposal(P::Clerk, Do::Edit, form);
        refuse(&mut world, P::Clerk, Do::Submit, NoInput {})
    }),
    ("changed_since_return", || {
        let mut world = World::individual().submit();
        world.on_proposal(
            P::Chair,
            Do::ReturnForRevision,
            inputs::return_for_revision(),
        );
        refuse(&mut world, P::Member(0), Do::Submit, NoInput {})
    }),
    ("not_yet_examined", || {
        let mut world = World::individual().submit();
        world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
        refuse(&mut world, P::Member(0), Do::Recall, NoInput {})
    }),
    ("not_a_signer", || {
        let mut world = World::individual().submit().examined();
        refuse(
            &mut world,
            P::MemberAnd(0, Role::CommitteeChair),
            Do::File,
            inputs::file(),
        )
    }),
    ("not_its_examiner", || {
        let mut world = World::joint().invite(&[1]).submit();
        let examiner = P::MemberAnd(2, Role::Examiner);
        world.on_proposal(examiner, Do::Examine, inputs::examine());
        world.on_proposal(
            P::Staff,
            Do::ReturnForRevision,
            inputs::return_for_revision(),
        );
        let mut world = world.invite(&[2]);
        refuse(
            &mut world,
            P::Member(2),
            Do::ConsentCosign,
            inputs::cosign(),
        )
    }),
    ("stage_due", || {
        let mut world = World::individual().submit().examined();
        refuse(&mut world, P::Examiner(3), Do::Examine, inputs::examine())
    }),
    ("other_examiner", || {
        let mut world = World::individual().submit();
        world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
        refuse(&mut world, P::Examiner(1), Do::Examine, inputs::examine())
    }),
    ("stages_recorded", || {
        let mut world = World::individual().submit();
        world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
        refuse(&mut world, P::Chair, Do::File, inputs::file())
    }),
    ("not_secret", || {
        let mut world = World::individual().submit().examined();
        world.case.proposal.secrecy = Secrecy::Secret;
        refuse(&mut world, P::Chair, Do::File, inputs::file())
    }),
    ("revision_lapsed", || {
        let mut world = World::individual().submit();
        world.on_proposal(
            P::Chair,
            Do::ReturnForRevision,
            inputs::return_for_revision(),
        );
        let input = inputs::not_file("bad_form");
        refuse(&mut world, P::Chair, Do::NotFile, input)
    }),
    ("invitation_open", || {
        let mut world = World::joint().invite(&[1]);
        world.wait(2);
        refuse(
            &mut world,
            P::Member(1),
            Do::ConsentCosign,
            inputs::cosign(),
        )
    }),
    ("invitation_open", || {
        let mut world = World::joint().invite(&[1]).consent(1);
        refuse(
            &mut world,
            P::Member(1),
            Do::DeclineCosign,
            inputs::cosign(),
        )
    }),
    ("is_joint", || {
        refuse(
            &mut World::individual(),
            P::Member(0),
            Do::InviteCosigners,
            inputs::invite(&[1]),
        )
    }),
];

pub const IN_HANDLING: &[Case] = &[
    ("round_open", || {
        let mut world = World::individual().together().accepted(0).contacted(0);
        world = world
            .drafted(0, OutcomeMeaning::Resolved)
            .countersigning()
            .agreed(1)
            .agreed(2);
        world.wait(60);
        world = world.signed(0).approved(0).delivered(0);
        let input = inputs::contact(world.env().today());
        world.refused(P::UnitClerk(1), world.row_target(1), inputs::CONTACT, input)
    }),
    ("row_owes_something", || {
        let mut world = with_reference();
        world.refused(
            P::UnitClerk(1),
            world.row_target(1),
            inputs::ACCEPT,
            inputs::accept(),
        )
    }),
    ("is_co_handler", || {
        let mut world = World::individual().sole().accepted(0);
        world.refused(
            P::UnitClerk(0),
            world.row_target(0),
            inputs::OPINION,
            inputs::opinion(),
        )
    }),
    ("lead_not_signed", || {
        let mut world = World::individual()
            .together()
            .accepted(0)
            .accepted(1)
            .contacted(0);
        world = world
            .drafted(0, OutcomeMeaning::Resolved)
            .countersigning()
            .agreed(1)
            .agreed(2);
        world.wait(60);
        world = world.signed(0);
        world.refused(
            P::UnitClerk(1),
            world.row_target(1),
            inputs::OPINION,
            inputs::opinion(),
        )
    }),
    ("row_replies", || {
        let mut world = World::individual().together().accepted(1);
        let form = inputs::reply(None, world.env().today());
        world.refused(P::UnitClerk(1), world.row_target(1), inputs::DRAFT, form)
    }),
    ("row_accepted", || {
        let mut world = World::individual().sole();
        let form = inputs::reply(None, world.env().today());
        world.refused(P::UnitClerk(0), world.row_target(0), inputs::DRAFT, form)
    }),
    ("no_live_reply", || {
        let mut world = World::individual()
            .sole()
            .accepted(0)
            .drafted(0, OutcomeMeaning::Resolved);
        let form = inputs::reply(None, world.env().today());
        world.refused(P::UnitClerk(0), world.row_target(0), inputs::DRAFT, form)
    }),
    ("outcome_set", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        let form = inputs::reply(None, world.env().today());
        world.on_row(0, inputs::DRAFT, form);
        sign(&mut world)
    }),
    ("contact_recorded", || {
        sign(
            &mut World::individual()
                .sole()
                .accepted(0)
                .drafted(0, OutcomeMeaning::Resolved),
        )
    }),
    ("opinions_in", || {
        let world = World::individual().together().accepted(0).contacted(0);
        let mut world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
        world = world.agreed(1).agreed(2);
        sign(&mut world)
    }),
    ("countersigned", || {
        let mut world = World::individual().together();
        for number in [0, 1, 2] {
            world = world.accepted(number);
        }
        world = world.opinion(1).opinion(2).contacted(0);
        sign(
            &mut world
                .drafted(0, OutcomeMeaning::Resolved)
                .countersigning()
                .agreed(1),
        )
    }),
    ("promises_made", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        let mut form = inputs::reply(Some(OutcomeMeaning::Planned), world.env().today());
        form.promises.clear();
        world.on_row(0, inputs::DRAFT, form);
        sign(&mut world)
    }),
    ("reasons_given", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        let mut form = inputs::reply(Some(OutcomeMeaning::NotFeasible), world.env().today());
        form.not_adopted_reason = None;
        world.on_row(0, inputs::DRAFT, form);
        sign(&mut world)
    }),
    ("is_joint_lead", || {
        let mut world = World::individual()
            .sole()
            .accepted(0)
            .drafted(0, OutcomeMeaning::Resolved);
        world.refused(
            P::UnitClerk(0),
            world.reply_target(0),
            inputs::REQUEST,
            NoInput {},
        )
    }),
    ("countersign_requested", || {
        let mut world = World::individual().together().accepted(0);
        world = world
            .drafted(0, OutcomeMeaning::Resolved)
            .countersigning()
            .agreed(1);
        let target = world.reply_target(0);
        world.refused(
            P::Signatory(1),
            target,
            inputs::COUNTERSIGN,
            inputs::countersign(),
        )
    }),
    ("not_approved", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        world = world
            .drafted(0, OutcomeMeaning::Resolved)
            .signed(0)
            .approved(0);
        world.refused(
            P::Supervision,
            world.reply_target(0),
            inputs::APPROVE,
            inputs::approve(),
        )
    }),
    ("approved", || {
        let mut world = World::individual().sole().accepted(0).contacted(0);
        world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
        world.refused(
            P::UnitClerk(0),
            world.reply_target(0),
            inputs::DELIVER,
            NoInput {},
        )
    }),
    ("all_delivered", || {
        system_refused(&World::individual().sole(), Do::CompleteHandling)
    }),
    ("all_rated", || {
        let world = World::individual()
            .sole()
            .answered(0, OutcomeMeaning::Resolved);
        system_refused(&world, Do::ConcludeFeedback)
    }),
    ("not_yet_rated", || {
        let mut world = World::joint().invite(&[1]).consent(1).sole();
        world = world.answered(0, OutcomeMeaning::Resolved);
        let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, rating.clone());
        refuse(&mut world, P::Member(0), Do::GiveFeedback, rating)
    }),
    ("promises_tracked", || {
        let mut world = World::individual()
            .sole()
            .answered(0, OutcomeMeaning::Planned);
        let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, rating);
        world.case.tracked_since = None;
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
];
