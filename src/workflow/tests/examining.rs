//! Examination, filing and refusal at their edges (PT13–PT19, PT16): what the last stage settles, which
//! number and which clock a filed case gets, and what becomes of a refused one.

use super::fixture::{Person as P, UNITS, World, other_proposal, unit};
use super::inputs;
use super::stories::wrong;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::calendar::add_days;
use crate::workflow::codes::{
    AssignmentRole, CaseSeries, ClockKind, Disposition, HandlingKind, Recommendation, Secrecy,
    SessionMark, SubjectClass,
};
use crate::workflow::decide::{Record, Target};
use crate::workflow::input::{ExamineIn, Input, NotFileIn};
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::refusal::Refusal;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

fn refused(world: &mut World, who: P, action: Do, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

/// An opinion that settles nothing.
fn bare(recommendation: Recommendation) -> ExamineIn {
    let codes = match recommendation {
        Recommendation::NotFile => vec![inputs::reason("bad_form")],
        _ => Vec::new(),
    };
    ExamineIn {
        recommendation,
        reason_codes: codes,
        subject_class: None,
        assigning_line: None,
        draft_units: Vec::new(),
        ..inputs::examine()
    }
}

/// PT14: who recommends filing at the last stage gives class and line, unless an earlier stage did; the
/// line may follow from the unit that should lead. Earlier stages, and other recommendations, may leave
/// both open.
#[test]
fn the_last_stage_settles_class_and_line() {
    use Recommendation::{File, NotFile};
    let (class, line) = (Some(SubjectClass::Social), Some(Line::Government));
    let lead = || vec![unit(0)];
    for recommendation in [File, NotFile] {
        for stages in [1, 2, 3] {
            let mut world = World::individual().submit();
            world.profile.examination_stages = stages;
            for examiner in 1..stages {
                let input = bare(recommendation);
                world.on_proposal(P::Examiner(examiner), Do::Examine, input);
            }
            let who = P::Examiner(stages);
            for (class, line, units, missing) in [
                (None, None, vec![], Some("/subject_class")),
                (None, line, vec![], Some("/subject_class")),
                (class, None, vec![], Some("/assigning_line")),
                (class, line, vec![], None),
                (class, None, lead(), None),
            ] {
                let input = ExamineIn {
                    subject_class: class,
                    assigning_line: line,
                    draft_units: units.clone(),
                    ..bare(recommendation)
                };
                let mut world = world.clone();
                if let Some(place) = missing.filter(|_| recommendation == File) {
                    let refusal = refused(&mut world, who, Do::Examine, input);
                    assert_eq!(wrong(&refusal), ("required", place.to_owned()), "{stages}");
                } else {
                    world.on_proposal(who, Do::Examine, input);
                    let proposal = &world.case.proposal;
                    assert_eq!(proposal.subject_class, class);
                    let proposed = units.first().map(|_| Line::Government);
                    assert_eq!(proposal.assigning_line, line.or(proposed));
                }
            }
        }
    }
    // What an earlier stage settled stays.
    let mut world = World::individual().submit();
    world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
    world.on_proposal(P::Examiner(2), Do::Examine, bare(File));
    let proposal = &world.case.proposal;
    assert_eq!(
        (proposal.subject_class, proposal.assigning_line),
        (class, line)
    );
}

/// PT14: the units that an examiner has in mind are active, and each is named once.
#[test]
fn draft_units_are_active_and_named_once() {
    let mut world = World::individual().submit();
    for (units, code, place) in [
        (vec![unit(UNITS)], "unknown_unit", 0),
        (vec![unit(0), unit(UNITS + 5)], "unknown_unit", 1),
        (vec![unit(0), unit(1), unit(0)], "duplicate", 2),
    ] {
        let input = ExamineIn {
            draft_units: units,
            ..inputs::examine()
        };
        let refusal = refused(&mut world, P::Examiner(1), Do::Examine, input);
        let place = format!("/draft_units/{place}");
        assert_eq!(wrong(&refusal), (code, place));
    }
}

/// I2, `number.separate_series`: ordinary proposals are numbered by themselves where the profile says so.
#[test]
fn ordinary_proposals_may_have_numbers_of_their_own() {
    use SessionMark::{Ordinary, Session};
    for (mark, separate, series) in [
        (Session, false, CaseSeries::Main),
        (Session, true, CaseSeries::Main),
        (Ordinary, false, CaseSeries::Main),
        (Ordinary, true, CaseSeries::Ordinary),
    ] {
        let mut world = World::individual();
        world.profile.separate_series = separate;
        world.wait(if mark == Ordinary { 20 } else { 0 });
        let world = world.filed();
        assert_eq!(world.case.proposal.session_mark, Some(mark));
        assert_eq!(world.case.proposal.case_series, series, "{mark} {separate}");
    }
}

/// K04, PT18: an ordinary case is to be assigned so many days after its filing; after an unmerge the time
/// starts anew. Of the urgent lane, which moves a clock that runs, it counts from the filing.
#[test]
fn the_time_to_assign_starts_anew_after_an_unmerge() {
    let mut world = World::individual();
    world.wait(20);
    let mut world = world.filed();
    let filed_at = world.now;
    let started = |world: &World| {
        let id = world.case.proposal.id.cast();
        world
            .case
            .running(ClockKind::K04, id)
            .map(|one| one.started_at)
    };
    assert_eq!(started(&world), Some(filed_at));
    world.wait(3);
    let mut urgent = world.clone();
    urgent.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    assert_eq!(started(&urgent), Some(filed_at));
    world.on_proposal(P::Chair, Do::Merge, inputs::merge(other_proposal(1)));
    assert_eq!(started(&world), None);
    world.wait(2);
    world.on_proposal(P::Chair, Do::Unmerge, inputs::reason_in());
    assert_eq!(started(&world), Some(world.now));
}

/// PT16: another channel is used only where the proposer agrees; to be kept a refused proposal needs
/// nobody's consent.
#[test]
fn a_refused_proposal_goes_elsewhere_with_the_proposers_consent() {
    let world = World::individual().submit();
    for disposition in Disposition::ALL {
        for agrees in [false, true] {
            let input = NotFileIn {
                disposition: *disposition,
                proposer_agrees: agrees,
                ..inputs::not_file("bad_form")
            };
            let mut world = world.clone();
            if agrees || *disposition == Disposition::Kept {
                world.on_proposal(P::Chair, Do::NotFile, input);
                assert_eq!(world.status(), ProposalStatus::NotFiled);
            } else {
                let refusal = refused(&mut world, P::Chair, Do::NotFile, input);
                assert_eq!(wrong(&refusal), ("required", "/proposer_agrees".to_owned()));
            }
        }
    }
}

/// `PT16b`, K20: a disposition has been carried out by the day it is noted.
#[test]
fn a_disposition_is_past() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
    let today = world.env().today();
    let on = |days: i64| {
        let mut input = inputs::disposition();
        input.sent_on = Some(add_days(today, days));
        input
    };
    let refusal = refused(&mut world, P::Staff, Do::CarryOutDisposition, on(1));
    assert_eq!(wrong(&refusal), ("in_future", "/sent_on".to_owned()));
    for days in [0, -1] {
        let mut world = world.clone();
        world.on_proposal(P::Staff, Do::CarryOutDisposition, on(days));
        assert_eq!(world.case.proposal.marks.disposed_at, Some(world.now));
        assert!(!world.running().contains(&ClockKind::K20));
    }
}

/// PT19, I5: a unit that had a copy ahead may get the case; the copies of others stay.
#[test]
fn a_copy_ahead_gives_way_to_the_row_of_its_unit() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[1, 2]));
    let mut world = world.examined();
    world.on_proposal(P::Chair, Do::File, inputs::file());
    let world = world.assigned(HandlingKind::Sole, &[(1, AssignmentRole::Lead)]);
    let rows: Vec<_> = world
        .case
        .assignments
        .iter()
        .map(|row| (row.unit, row.role, row.status))
        .collect();
    assert_eq!(
        rows,
        [
            (unit(1), AssignmentRole::Reference, AssignmentStatus::Void),
            (
                unit(2),
                AssignmentRole::Reference,
                AssignmentStatus::Pending
            ),
            (unit(1), AssignmentRole::Lead, AssignmentStatus::Pending),
        ]
    );
}

/// I29: a secret proposal loses its text with the refusal, and so does one that is refused for what must
/// not be read; any other keeps it. The title stays.
#[test]
fn what_is_refused_as_secret_loses_its_text() {
    for (secrecy, code, hidden) in [
        (Secrecy::Open, "bad_form", false),
        (Secrecy::Restricted, "bad_form", false),
        (Secrecy::Secret, "bad_form", true),
        (Secrecy::Open, "state_or_party_secret", true),
    ] {
        let mut world = World::individual().submit();
        world.case.proposal.secrecy = secrecy;
        let before = world.case.proposal.form.clone();
        world.on_proposal(P::Chair, Do::NotFile, inputs::not_file(code));
        let form = &world.case.proposal.form;
        assert_eq!(form.title, before.title);
        let expected = if hidden { "" } else { &before.situation };
        assert_eq!(form.situation, expected, "{secrecy} {code}");
        assert_eq!(world.records.contains(&Record::HideText), hidden);
    }
}
