//! Desks as text, off the main way: requests, the end of a round, what follows a case, referrals (3.3, 3.7, 3.9).

use jiff::civil::date;

use super::desks::waits;
use super::fixture::{Person as P, World, unit};
use super::follow_up::{fulfil, instruct, look_back, progress, rated as answered, supervise, urge};
use super::inputs;
use super::side_guard_cases::rated;
use crate::workflow::codes::{AssignmentRole, Grade, HandlingKind, OutcomeMeaning, Secrecy};
use crate::workflow::input::{AddresseeIn, AnswerInstructionIn, AnswerUrgingIn, Input, UrgeIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus as S};
use crate::workflow::role::Line;

use AssignmentRole::{Lead, Separate};

const OFFICER: P = P::Officer(Line::Government);

/// PT10–PT12, OT06–OT10: the chair decides on a withdrawal (K14), on the urgent lane, on a nomination.
#[test]
fn requests_on_the_proposal_wait_for_the_chair() {
    let assign = "officer government: assign proposal, K04 2026-04-07";
    for (who, ask, input, decision, deny) in [
        (
            P::Member(0),
            Do::Withdraw,
            Input::from(inputs::withdraw()),
            "decide_withdrawal proposal, K14 of request 0 2026-03-16",
            Do::RejectWithdrawal,
        ),
        (
            P::Staff,
            Do::RequestUrgency,
            inputs::reason_in().into(),
            "decide_urgency proposal",
            Do::RefuseUrgency,
        ),
        (
            P::Staff,
            Do::NominateKey,
            inputs::reason_in().into(),
            "decide_key proposal",
            Do::ReleaseKey,
        ),
    ] {
        let mut world = World::individual().filed();
        world.on_proposal(who, ask, input);
        waits(&world, &[assign, &format!("committee_chair: {decision}")]);
        world.on_proposal(P::Chair, deny, inputs::deny());
        waits(&world, &[assign]);
    }
}

/// AT03–AT14, K06, K13, I8: the officer of the line decides on what a unit asks for. A unit that asked to
/// return works on nothing until then; one that asked for anything else owes what it owed.
#[test]
fn requests_of_a_unit_wait_for_its_line() {
    let world = World::individual().sole().accepted(0).contacted(0);
    let reply = "clerk 0: reply row 0, K10 2026-06-02";
    let day = date(2026, 3, 20);
    for (ask, input, deny, decision, works) in [
        (
            inputs::ASK_RETURN,
            Input::from(inputs::ask_return(Some(5))),
            inputs::REJECT_RETURN,
            "decide_return row 0, K06 2026-03-09",
            false,
        ),
        (
            inputs::ASK_EXTENSION,
            inputs::ask_extension(date(2026, 7, 1)).into(),
            inputs::DENY_EXTENSION,
            "decide_extension row 0, K13 of request 0 2026-03-09",
            true,
        ),
        (
            inputs::ASK_PAUSE,
            inputs::ask_pause(day).into(),
            inputs::DENY_PAUSE,
            "decide_pause row 0, K13 of request 0 2026-03-09",
            true,
        ),
        (
            inputs::SUGGEST,
            inputs::suggest(5).into(),
            inputs::REFUSE_SUGGESTION,
            "answer_suggestion row 0",
            true,
        ),
    ] {
        let mut world = world.clone();
        world.on_row(0, ask, input);
        let decide = format!("officer government: {decision}");
        waits(&world, &[&decide, reply][..=usize::from(works)]);
        let row = world.row_target(0);
        world.granted(OFFICER, row, deny, &inputs::deny().into());
        waits(&world, &[reply]);
    }
}

/// PT24, PT25, `rehandling.trigger`, `rehandling.max_rounds`: chair and officer order another round while a
/// rater of this round is dissatisfied and one is left; otherwise staff close the case.
#[test]
fn the_end_of_a_round_waits_for_another_one_or_for_closing() {
    let close = ["committee_staff: close proposal"];
    let again = [
        "committee_chair: rehandle proposal",
        "officer government: rehandle proposal",
    ];
    for (grade, rounds, expected) in [
        (Grade::Satisfied, 1, &close[..]),
        (Grade::Dissatisfied, 0, &close),
        (Grade::Dissatisfied, 1, &again),
        (Grade::Dissatisfied, 2, &again),
    ] {
        let mut world = rated(grade);
        world.profile.rehandling_max_rounds = rounds;
        waits(&world, expected);
    }
    let mut waived = rated(Grade::Dissatisfied);
    waived.on_proposal(P::Member(0), Do::WaiveRehandling, inputs::waive());
    waits(&waived, &close);

    // A second round with unit 1 alone; what was said of the reply of unit 0 was the first one's.
    let parts = [(0, Separate), (1, Separate)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Separate, &parts);
    world.profile.rehandling_max_rounds = 2;
    world = world.answered(0, OutcomeMeaning::Resolved);
    world = world.answered(1, OutcomeMeaning::Resolved);
    for number in [0, 1] {
        let form = inputs::feedback(world.reply_id(number), Grade::Dissatisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    }
    waits(&world, &again);
    let second = inputs::rehandle_with(HandlingKind::Sole, &[(1, Lead)]);
    world.on_proposal(OFFICER, Do::Rehandle, second);
    let owed = [
        "clerk 1: contact row 1, K07 2026-03-23",
        "clerk 1: reply row 1, K10 2026-04-02",
    ];
    waits(&world, &owed);
    world = world.contacted(1).drafted(1, OutcomeMeaning::Resolved);
    world = world.signed(1).approved(1).delivered(1);
    let form = inputs::feedback(world.reply_id(1), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    assert_eq!(world.status(), S::Feedback);
    waits(&world, &close);
    world.profile.rehandling_max_rounds = 1;
    waits(&world, &close);
}

/// OT21–OT23, OT31, K15, K16, I27: an open promise waits for its unit whatever the case is; from January on
/// a look-back for the supervision.
#[test]
fn promises_wait_for_their_unit_and_a_look_back_for_the_supervision() {
    let mut world = answered(OutcomeMeaning::Planned);
    let promise = world.case.promises[0].id;
    let close = "committee_staff: close proposal";
    let keep = "clerk 0: keep_promise promise 0, K15 2026-08-29";
    waits(&world, &[close, keep]);
    world.on_proposal(P::Staff, Do::Close, inputs::close());
    waits(&world, &[keep]);
    world.on_proposal(P::UnitClerk(0), Do::ReportProgress, progress(Some(promise)));
    let mut kept = world.clone();
    kept.on_proposal(P::Supervision, Do::FulfilPromise, fulfil(promise));
    waits(&kept, &[]);
    world.now = "2027-01-02T02:00:00Z".parse().unwrap();
    world.settle();
    let look = "supervision_officer: look_back proposal, K16 2027-11-20";
    waits(&world, &[keep, look]);
    let held = look_back(world.env().today());
    world.on_proposal(P::Supervision, Do::RecordLookBack, held);
    waits(&world, &[keep]);
}

/// OT25, OT26, K21: an urging waits for whom it asks, unit or rater, beside what is owed; not once the case
/// has ended otherwise.
#[test]
fn an_urging_waits_for_whom_it_asks() {
    let mut world = World::individual().together();
    let pending = [0, 1, 2].map(|n| format!("clerk {n}: accept row {n}, K05 2026-03-09"));
    let today = world.env().today();
    let mut input = urge(&world, today);
    input.addressees.truncate(2);
    world.on_proposal(P::Staff, Do::Urge, input);
    let urged = [0, 1].map(|n| format!("clerk {n}: answer_urging entry {n}, K21 2026-03-12"));
    let all: Vec<_> = pending.iter().chain(&urged).map(String::as_str).collect();
    waits(&world, &all);
    let answer = AnswerUrgingIn {
        urging_id: world.case.follow_ups[1].id,
        text: "本周报送。".to_owned(),
    };
    world.on_proposal(P::UnitClerk(1), Do::AcknowledgeUrging, answer);
    waits(&world, &all[..4]);
    for (status, expected) in [
        (S::Closed, &all[3..4]),
        (S::Withdrawn, &[]),
        (S::Merged, &[]),
    ] {
        world.case.proposal.status = status;
        waits(&world, expected);
    }
    world.case.proposal.status = S::NotFiled;
    waits(&world, &["committee_staff: carry_out_disposition proposal"]);
}

/// OT25: a rater who was urged, by whatever it is one.
#[test]
fn an_urging_of_a_rater_waits_for_the_one_it_names() {
    let sole = |world: World| {
        let world = world.assigned(HandlingKind::Sole, &[(0, Lead)]);
        world.answered(0, OutcomeMeaning::Resolved)
    };
    let joint = World::joint().invite(&[1]).consent(1).filed();
    let party = World::collective(ProposerKind::Party).filed();
    for (mut world, place, name) in [
        (sole(joint.clone()), 0, "member 0"),
        (sole(joint), 1, "member 1"),
        (sole(party), 0, "organisation 0"),
        (sole(World::individual().filed().absorbing()), 2, "member 6"),
    ] {
        let rater = world.case.everybody().nth(place).map(|one| one.id);
        let input = UrgeIn {
            addressees: vec![AddresseeIn {
                unit_id: None,
                rater_id: rater,
            }],
            ..urge(&world, world.env().today())
        };
        world.on_proposal(P::Staff, Do::Urge, input);
        for proposer in world.case.proposers.iter_mut().chain(
            world
                .case
                .absorbed
                .iter_mut()
                .flat_map(|one| &mut one.signers),
        ) {
            proposer.excused = Some("已辞去委员职务。".to_owned());
        }
        waits(
            &world,
            &[&format!("{name}: answer_urging entry 0, K21 2026-03-12")],
        );
    }
}

/// OT27, OT28, K19, I34: an instruction waits for each unit it names until it has answered; a record of
/// supervision waits for nobody.
#[test]
fn an_instruction_waits_for_each_unit() {
    let mut world = answered(OutcomeMeaning::Resolved);
    let close = "committee_staff: close proposal";
    let today = world.env().today();
    let mut input = instruct(1, today);
    input.unit_ids.push(unit(2));
    world.on_proposal(P::Leader, Do::Instruct, Input::Instruct(Box::new(input)));
    let owed = [1, 2].map(|n| {
        format!(
            "clerk {n}: answer_instruction entry {}, K19 2026-04-01",
            n - 1
        )
    });
    waits(&world, &[close, &owed[0], &owed[1]]);
    let answer = AnswerInstructionIn {
        instruction_id: world.case.follow_ups[0].id,
        text: "已开专题会。".to_owned(),
    };
    world.on_proposal(P::UnitClerk(1), Do::AnswerInstruction, answer);
    waits(&world, &[close, &owed[1]]);
    let mut record = supervise(&world, today);
    record.commitments.clear();
    let record = Input::Supervise(Box::new(record));
    world.on_proposal(P::Supervision, Do::Supervise, record);
    waits(&world, &[close, &owed[1]]);
}

/// 3.7: staff note what a body outside of the service answers on paper; committees of the service answer
/// themselves, and nobody is asked about a secret.
#[test]
fn a_referral_outside_of_the_service_waits_for_staff() {
    let mut world = World::individual().filed();
    let assign = "officer government: assign proposal, K04 2026-04-07";
    super::referrals::refer_above(&mut world);
    waits(&world, &[assign]);
    super::referrals::refer_outside(&mut world);
    waits(
        &world,
        &[assign, "committee_staff: note_referral_answer referral 1"],
    );
    for (secrecy, asked) in [(Secrecy::Restricted, true), (Secrecy::Secret, false)] {
        world.case.proposal.secrecy = secrecy;
        let note = "committee_staff: note_referral_answer referral 1";
        waits(&world, &[assign, note][..=usize::from(asked)]);
    }
}
