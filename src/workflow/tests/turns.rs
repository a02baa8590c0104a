//! Side roads at their edges: a withdrawal that a reply overtakes, another round, giving it up, opening
//! again, consultations, secrecy, merging, links and places in the programme.

use super::fixture::{Person as P, UNITS, World, other_proposal, unit};
use super::inputs;
use super::side_guard_cases::rated;
use super::stories::{unmet, wrong};
use crate::workflow::calendar::add_days;
use crate::workflow::case::Case;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, ConsultationForm, Grade, HandlingKind,
    OutcomeMeaning, ProgrammeTier, PublicationLevel, RequestStatus, Secrecy,
};
use crate::workflow::decide::{Record, Target};
use crate::workflow::input::{Input, WaiveIn};
use crate::workflow::profile::Quota;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::refusal::Refusal;
use crate::workflow::role::{Line, Role};
use crate::workflow::rule::Action;

use AssignmentRole::Separate;

const OFFICER: P = P::Officer(Line::Government);

fn refused(world: &mut World, who: P, action: Do, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

/// RT09, PT10: the first delivered reply ends the request that is open, with its clock; one that was
/// decided stays as it was (I13).
#[test]
fn a_delivered_reply_overtakes_the_open_withdrawal() {
    let filed = World::individual().filed();
    let world = filed.assigned(HandlingKind::Separate, &[(0, Separate), (1, Separate)]);
    let world = world.accepted(0).contacted(0);
    let mut world = world
        .drafted(0, OutcomeMeaning::Resolved)
        .signed(0)
        .approved(0);
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    world.on_proposal(P::Chair, Do::RejectWithdrawal, inputs::deny());
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    assert!(world.running().contains(&ClockKind::K14));
    let world = world.delivered(0);
    assert_eq!(world.status(), ProposalStatus::Assigned, "one is left");
    let requests = world.case.requests.iter();
    let status: Vec<_> = requests.map(|request| request.status).collect();
    assert_eq!(status, [RequestStatus::Denied, RequestStatus::Lapsed]);
    assert!(!world.running().contains(&ClockKind::K14));
}

/// Two units answered, each to nobody's satisfaction.
fn dissatisfied() -> World {
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Separate, &[(0, Separate), (1, Separate)]);
    for number in [0, 1] {
        world = world.answered(number, OutcomeMeaning::Resolved);
    }
    for number in [0, 1] {
        let form = inputs::feedback(world.reply_id(number), Grade::Dissatisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    }
    world
}

/// PT24: a unit that goes on keeps its name and need not be active any more; one that comes anew must be.
/// None stands there twice (I5), and what is wrong is shown where it stands.
#[test]
fn another_round_checks_the_units_that_come_anew() {
    let mut world = dissatisfied();
    let of = |rows: &[usize]| {
        let rows: Vec<_> = rows.iter().map(|number| (*number, Separate)).collect();
        inputs::rehandle_with(HandlingKind::Separate, &rows)
    };
    for (rows, code, place) in [
        (vec![0, UNITS], "unknown_unit", 1),
        (vec![2, 0, UNITS + 5], "unknown_unit", 2),
        (vec![0, 1, 0], "duplicate", 2),
        (vec![0, 2, 2], "duplicate", 2),
    ] {
        let refusal = refused(&mut world, OFFICER, Do::Rehandle, of(&rows));
        assert_eq!(wrong(&refusal), (code, format!("/rows/{place}/unit_id")));
    }
    let mut input = of(&[0, 1, 2]);
    input.rows[2].part = None;
    let refusal = refused(&mut world, OFFICER, Do::Rehandle, input);
    assert_eq!(wrong(&refusal), ("required", "/rows/2/part".to_owned()));

    let facts = world.references.units.get_mut(&unit(0)).unwrap();
    facts.active = false;
    facts.name = "改名局".to_owned();
    world.on_proposal(OFFICER, Do::Rehandle, of(&[0, 1, 2]));
    let names = [0, 1, 2].map(|number| world.row(number).unit_name.clone());
    assert_eq!(names, ["第0局", "第1局", "第2局"]);
    assert_eq!(world.case.proposal.round, 2);
}

/// `PT24b`: each rater gives up for himself; staff for the one they name, from paper.
#[test]
fn another_round_is_given_up_by_each_rater() {
    let world = World::joint().invite(&[1]).consent(1);
    let mut world = world.sole().answered(0, OutcomeMeaning::Resolved);
    for number in [0, 1] {
        let form = inputs::feedback(world.reply_id(0), Grade::Dissatisfied);
        world.on_proposal(P::Member(number), Do::GiveFeedback, form);
    }
    let ids = [0, 1].map(|number| world.case.proposers[number].id);
    let waived = |case: &Case| [0, 1].map(|number| case.proposers[number].waived_round);
    for number in [0, 1] {
        let mut expected = [None; 2];
        expected[number] = Some(1);
        let mut on_paper = world.clone();
        let input = inputs::waive_on_paper(ids[number]);
        on_paper.on_proposal(P::Staff, Do::WaiveRehandling, input);
        assert_eq!(waived(&on_paper.case), expected);
        let mut own = world.clone();
        let input = WaiveIn {
            rater_id: Some(ids[number]),
            ..inputs::waive()
        };
        own.on_proposal(P::Member(number), Do::WaiveRehandling, input);
        assert_eq!(waived(&own.case), expected);
    }
    let mut input = inputs::waive_on_paper(ids[1]);
    input.paper_reference = None;
    let refusal = refused(&mut world, P::Staff, Do::WaiveRehandling, input);
    assert_eq!(wrong(&refusal).1, "/paper_reference");
}

/// PT26: with a reason (I11), and out of the archive again.
#[test]
fn a_case_that_is_opened_again_leaves_the_archive() {
    let mut world = rated(Grade::Satisfied);
    world.case.proposal.status = ProposalStatus::Closed;
    world.case.proposal.marks.archived_at = Some(world.now);
    let mut blank = inputs::reason_in();
    blank.reason = " ".to_owned();
    let refusal = refused(&mut world, P::Chair, Do::Reopen, blank);
    assert_eq!(wrong(&refusal).1, "/reason");
    world.on_proposal(P::Chair, Do::Reopen, inputs::reason_in());
    assert_eq!(world.status(), ProposalStatus::Feedback);
    assert_eq!(world.case.proposal.marks.archived_at, None);
}

/// OT01: a consultation has been held by the day it is recorded.
#[test]
fn a_consultation_is_past() {
    let mut world = rated(Grade::Dissatisfied);
    let today = world.env().today();
    let on = |days: i64| inputs::consultation(ConsultationForm::ALL[0], add_days(today, days));
    let refusal = refused(&mut world, P::Staff, Do::RecordConsultation, on(1));
    assert_eq!(wrong(&refusal), ("in_future", "/date".to_owned()));
    for days in [0, -1] {
        world.on_proposal(P::Staff, Do::RecordConsultation, on(days));
    }
    let held = world.case.consultations.iter();
    let held: Vec<_> = held.map(|one| one.date).collect();
    assert_eq!(held, [today, add_days(today, -1)]);
}

/// 3.3 `set_secrecy`: secret only while submitted, and no main of a merge (I19); what is not open is not
/// published (I30), and what becomes open again keeps what was decided.
#[test]
fn secrecy_has_its_time_and_hides() {
    let submitted = || World::individual().submit();
    let filed = || World::individual().filed();
    for (mut world, to, refusal) in [
        (submitted(), Secrecy::Secret, None),
        (submitted(), Secrecy::Restricted, None),
        (submitted(), Secrecy::Open, Some("unchanged")),
        (filed(), Secrecy::Secret, Some("only_while_submitted")),
        (filed(), Secrecy::Restricted, None),
        (
            submitted().absorbing(),
            Secrecy::Secret,
            Some("main_of_a_merge"),
        ),
        (submitted().absorbing(), Secrecy::Restricted, None),
    ] {
        let input = inputs::secrecy(to);
        if let Some(code) = refusal {
            let refusal = refused(&mut world, P::Staff, Do::SetSecrecy, input);
            assert_eq!(wrong(&refusal), (code, "/secrecy".to_owned()));
        } else {
            world.on_proposal(P::Staff, Do::SetSecrecy, input);
            assert_eq!(world.case.proposal.secrecy, to);
        }
    }
    let mut world = filed();
    let full = Some(PublicationLevel::Full);
    let publish = |world: &mut World| {
        let (now, marks) = (world.now, &mut world.case.proposal.marks);
        (marks.publish_text, marks.publish_replies) = (full, None);
        (marks.published_text, marks.text_published_at) = (full, Some(now));
    };
    publish(&mut world);
    let input = inputs::secrecy(Secrecy::Restricted);
    world.on_proposal(P::Staff, Do::SetSecrecy, input);
    let marks = &world.case.proposal.marks;
    assert_eq!(marks.publish_text, Some(PublicationLevel::None));
    assert_eq!(marks.publish_replies, None, "not decided yet");
    assert_eq!(
        (marks.published_text, marks.text_published_at),
        (None, None)
    );
    publish(&mut world);
    let before = world.case.proposal.marks.clone();
    world.on_proposal(P::Staff, Do::SetSecrecy, inputs::secrecy(Secrecy::Open));
    assert_eq!(world.case.proposal.marks, before);
}

/// I10, PT17: nobody merges into a proposal that he or she signed; who declined did not sign it.
#[test]
fn a_signer_of_the_main_proposal_does_not_merge_into_it() {
    let who = P::MemberAnd(6, Role::CommitteeChair);
    let joint = World::joint().invite(&[6]).consent(6);
    let signer = joint.case.proposers[1].clone();
    let another = joint.case.proposers[0].clone();
    for (status, granted) in [
        (ConsentStatus::Consented, false),
        (ConsentStatus::Declined, true),
    ] {
        let mut world = World::individual().submit();
        let mut signer = signer.clone();
        signer.status = status;
        let main = world.references.proposals.get_mut(&other_proposal(0));
        main.unwrap().proposers = vec![another.clone(), signer];
        let input = inputs::merge(other_proposal(0));
        if granted {
            world.on_proposal(who, Do::Merge, input);
            assert_eq!(world.status(), ProposalStatus::Merged);
        } else {
            let refusal = refused(&mut world, who, Do::Merge, input);
            assert_eq!(unmet(&refusal), ["not_a_signer"]);
        }
    }
}

/// OT05: a link leaves a record, and is to another proposal.
#[test]
fn cases_are_linked_to_others() {
    let mut world = World::individual().filed();
    let own = inputs::link(world.case.proposal.id);
    let refusal = refused(&mut world, P::Staff, Do::LinkCases, own);
    let expected = ("unknown_proposal", "/proposal_id".to_owned());
    assert_eq!(wrong(&refusal), expected);
    world.records.clear();
    let input = inputs::link(other_proposal(4));
    world.on_proposal(P::Staff, Do::LinkCases, input);
    let linked = |record: &Record| match record {
        Record::Link { other, .. } => Some(*other),
        _ => None,
    };
    let linked: Vec<_> = world.records.iter().filter_map(linked).collect();
    assert_eq!(linked, [other_proposal(4)]);
}

/// OT11: another tier or another year is another place; a quota is full when as many are designated.
#[test]
fn a_place_in_the_programme_is_of_a_tier_and_a_year() {
    let designate = inputs::designate;
    let mut world = World::individual().filed();
    world.on_proposal(
        P::Chair,
        Do::DesignateKey,
        designate(ProgrammeTier::Key, 2026),
    );
    let again = designate(ProgrammeTier::Key, 2026);
    let refusal = refused(&mut world, P::Chair, Do::DesignateKey, again);
    assert_eq!(wrong(&refusal), ("unchanged", "/tier".to_owned()));
    for (tier, year) in [
        (ProgrammeTier::Key, 2027),
        (ProgrammeTier::Practical, 2027),
        (ProgrammeTier::Practical, 2026),
    ] {
        world.on_proposal(P::Chair, Do::DesignateKey, designate(tier, year));
        let marks = &world.case.proposal.marks;
        assert_eq!((marks.tier, marks.programme_year), (Some(tier), Some(year)));
    }
    let mut world = World::individual().filed();
    world.profile.key_quota = [(ProgrammeTier::Key, Quota(2))].into();
    for (designated, tier, granted) in [
        (1, ProgrammeTier::Key, true),
        (2, ProgrammeTier::Key, false),
        (3, ProgrammeTier::Key, false),
        (3, ProgrammeTier::Practical, true),
    ] {
        let mut world = world.clone();
        world.references.designated = designated;
        let input = designate(tier, 2026);
        if granted {
            world.on_proposal(P::Chair, Do::DesignateKey, input);
        } else {
            let refusal = refused(&mut world, P::Chair, Do::DesignateKey, input);
            assert_eq!(unmet(&refusal), ["inside_quota"]);
        }
    }
}
