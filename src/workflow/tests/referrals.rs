//! Referrals: plausible inputs, the guards, and what the answer of another committee does.

use super::fixture::{Person as P, World, above, below};
use super::guard_cases::{Case, refuse};
use super::inputs;
use crate::ids::{CommitteeId, ReferralId};
use crate::workflow::codes::{Grade, ReferralDirection, ReferralStatus, Secrecy};
use crate::workflow::decide::Record;
use crate::workflow::input::*;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::referral::answered;
use crate::workflow::refusal::Refusal;

fn to(committee_id: Option<CommitteeId>, body_name: Option<&str>) -> ReferIn {
    ReferIn {
        committee_id,
        body_name: body_name.map(str::to_owned),
        reason: "所提事项须由上级统筹。".to_owned(),
    }
}

fn outside(number: usize) -> ReferIn {
    to(None, Some(&format!("系统外第{number}委员会")))
}

fn noted(referral_id: ReferralId, answer: ReferralVerdict) -> ReferralAnswerIn {
    ReferralAnswerIn {
        referral_id,
        answer,
        note: Some("已研究。".to_owned()),
        counterpart_no: Some("第4027号".to_owned()),
        paper_reference: "来函 2026-转-012".to_owned(),
    }
}

fn recalled(referral_id: ReferralId) -> RecallReferralIn {
    RecallReferralIn {
        referral_id,
        reason: "本级已解决。".to_owned(),
    }
}

/// Bodies outside of the service only: nobody in the town answers for another committee.
pub fn plausible(world: &World, action: Do, tone: u8) -> Input {
    let open = world.case.open_referrals().next().map(|one| one.id);
    match (action, open) {
        (Do::ReferUp | Do::ReferDown, _) => Input::Refer(outside(world.case.referrals.len())),
        (Do::NoteReferralAnswer, Some(id)) => {
            let answers = ReferralVerdict::ALL;
            Input::ReferralAnswer(noted(id, answers[usize::from(tone) % answers.len()]))
        }
        (Do::RecallReferral, Some(id)) => Input::RecallReferral(recalled(id)),
        _ => Input::None(NoInput {}),
    }
}

fn on(world: &mut World, who: P, action: Do, input: &Input) {
    let act = crate::workflow::rule::Action::Proposal(action);
    world.granted(who, crate::workflow::decide::Target::Proposal, act, input);
}

fn refer(world: &mut World, input: ReferIn) -> ReferralId {
    on(world, P::Chair, Do::ReferUp, &Input::Refer(input));
    world.case.referrals.last().unwrap().id
}

/// To a committee of this service.
pub fn refer_above(world: &mut World) {
    refer(world, to(Some(above()), None));
}

/// To a body that answers on paper.
pub fn refer_outside(world: &mut World) {
    refer(world, outside(0));
}

fn restricted() -> World {
    let mut world = World::individual().filed();
    world.case.proposal.secrecy = Secrecy::Restricted;
    world
}

pub const GUARDS: &[Case] = &[
    ("referable", || {
        refuse(
            &mut restricted(),
            P::Chair,
            Do::ReferUp,
            Input::Refer(outside(0)),
        )
    }),
    ("referable", || {
        let mut world = World::individual().filed();
        world.case.proposal.form.situation.clear();
        refuse(
            &mut world,
            P::Chair,
            Do::ReferDown,
            Input::Refer(outside(0)),
        )
    }),
    ("referral_open", || {
        let mut world = World::individual().filed();
        let id = refer(&mut world, outside(0));
        on(
            &mut world,
            P::Chair,
            Do::RecallReferral,
            &Input::RecallReferral(recalled(id)),
        );
        let again = Input::RecallReferral(recalled(id));
        refuse(&mut world, P::Chair, Do::RecallReferral, again)
    }),
    ("outside_referral_open", || {
        let mut world = World::individual().filed();
        let id = refer(&mut world, to(Some(above()), None));
        let input = Input::ReferralAnswer(noted(id, ReferralVerdict::Accepted));
        refuse(&mut world, P::Staff, Do::NoteReferralAnswer, input)
    }),
    ("referrals_answered", || {
        let mut world = super::side_guard_cases::rated(Grade::Satisfied);
        world.case.referrals = {
            let mut other = World::individual().filed();
            refer(&mut other, outside(0));
            other.case.referrals
        };
        refuse(&mut world, P::Chair, Do::Close, inputs::close())
    }),
];

fn place(refusal: &Refusal) -> (&'static str, String) {
    match refusal {
        Refusal::Invalid(wrongs) => (wrongs[0].code, wrongs[0].pointer.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_referral_goes_the_right_way_to_one_body_once() {
    let mut world = World::individual().filed();
    let action = crate::workflow::rule::Action::Proposal(Do::ReferUp);
    let proposal = crate::workflow::decide::Target::Proposal;
    let unknown = crate::ids::Id::from_uuid(uuid::Uuid::from_u128(99));
    for (input, code) in [
        (to(None, None), "one_of"),
        (to(Some(above()), Some("两者")), "one_of"),
        (to(Some(below()), None), "wrong_direction"),
        (to(Some(unknown), None), "unknown_committee"),
    ] {
        let refusal = world.refused(P::Chair, proposal, action, Input::Refer(input));
        assert_eq!(place(&refusal), (code, "/committee_id".to_owned()));
    }
    refer(&mut world, to(Some(above()), None));
    let sent = world
        .records
        .iter()
        .filter(|record| matches!(record, Record::Referred { .. }));
    assert_eq!(sent.count(), 1, "one copy");
    let again = Input::Refer(to(Some(above()), None));
    let refusal = world.refused(P::Chair, proposal, action, again);
    assert_eq!(place(&refusal).0, "already_referred");
    refer(&mut world, outside(1));
    let again = world.refused(P::Chair, proposal, action, Input::Refer(outside(1)));
    assert_eq!(place(&again), ("already_referred", "/body_name".to_owned()));
    let sent = world
        .records
        .iter()
        .filter(|record| matches!(record, Record::Referred { .. }));
    assert_eq!(sent.count(), 1, "no copy for a body outside of the service");
    assert_eq!(world.status(), ProposalStatus::Filed, "I37");
    world.leaves("a_referral_goes_the_right_way_to_one_body_once");
}

#[test]
fn the_answer_of_another_committee_reaches_the_case_once() {
    let mut world = World::individual().filed();
    let id = refer(&mut world, to(Some(above()), None));
    let counterpart = super::fixture::other_proposal(7);
    let status = ReferralStatus::Accepted;
    let decision = answered(
        &world.case,
        id,
        status,
        Some(counterpart),
        None,
        world.env(),
    )
    .unwrap();
    assert_eq!(decision.case.referrals[0].status, status);
    assert_eq!(decision.case.referrals[0].counterpart, Some(counterpart));
    assert_eq!(decision.case.proposal.status, world.status(), "I37");
    let happened: Vec<_> = decision
        .happened
        .iter()
        .map(|one| (one.rule, one.by_system))
        .collect();
    assert_eq!(happened, [("OT35", true)]);
    world.case = decision.case;
    assert!(answered(&world.case, id, status, None, None, world.env()).is_err());
    world.leaves("the_answer_of_another_committee_reaches_the_case_once");
}

/// OT33, OT32: a committee below is given the case by the row that goes down; bodies outside of the
/// service are as many as they have names.
#[test]
fn each_body_gets_the_case_by_its_own_row() {
    let mut world = World::individual().filed();
    let down = Input::Refer(to(Some(below()), None));
    let refusal = super::guard_cases::refuse(
        &mut world,
        P::Chair,
        Do::ReferDown,
        Input::Refer(to(Some(above()), None)),
    );
    assert_eq!(place(&refusal).0, "wrong_direction");
    on(&mut world, P::Chair, Do::ReferDown, &down);
    for number in [1, 2] {
        on(
            &mut world,
            P::Chair,
            Do::ReferDown,
            &Input::Refer(outside(number)),
        );
    }
    let sent = world.case.referrals.iter();
    let sent: Vec<_> = sent
        .map(|one| (one.direction, one.committee, one.status))
        .collect();
    let (way, status) = (ReferralDirection::Down, ReferralStatus::Sent);
    let expected = [Some(below()), None, None].map(|committee| (way, committee, status));
    assert_eq!(sent, expected);
}

/// OT34: what a body outside answered on paper is noted with the letter; only a rejection needs words (I11).
#[test]
fn an_answer_on_paper_is_noted_once() {
    for answer in ReferralVerdict::ALL {
        let mut world = World::individual().filed();
        refer(&mut world, outside(1));
        let id = refer(&mut world, outside(2));
        let with = |note: Option<&str>| {
            let mut input = noted(id, *answer);
            input.note = note.map(str::to_owned);
            Input::ReferralAnswer(input)
        };
        let mut said = Some("已研究。");
        for note in [None, Some(" ")] {
            if answer.status() == ReferralStatus::Rejected {
                let refusal = refuse(&mut world, P::Staff, Do::NoteReferralAnswer, with(note));
                assert_eq!(place(&refusal), ("required", "/note".to_owned()));
            } else {
                said = note;
            }
        }
        on(&mut world, P::Staff, Do::NoteReferralAnswer, &with(said));
        let [other, own] = &world.case.referrals[..] else {
            panic!("two referrals")
        };
        assert_eq!(own.status, answer.status());
        let noted = own.answer.as_ref().unwrap();
        assert_eq!(noted.note.as_deref(), said);
        assert!(noted.paper_reference.is_some());
        assert_eq!((other.status, &other.answer), (ReferralStatus::Sent, &None));
        let again = with(Some("再次答复。"));
        let refusal = refuse(&mut world, P::Staff, Do::NoteReferralAnswer, again);
        assert_eq!(super::stories::wrong(&refusal).0, "not_waiting");
    }
}
