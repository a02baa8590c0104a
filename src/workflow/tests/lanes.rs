//! The urgent lane, the programme and publication at their edges (3.3, I11, I30): which clocks they move
//! and back, and what becomes public.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::fixture::{Person as P, World};
use super::inputs;
use super::stories::{unmet, wrong};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::calendar::Calendar;
use crate::workflow::codes::{
    ClockKind, Grade, OutcomeMeaning, ProgrammeTier, PublicationLevel, PublishedPart,
    RequestStatus, Urgency,
};
use crate::workflow::deadline::{Limit, due, fixed};
use crate::workflow::decide::Target;
use crate::workflow::input::{Input, PublishIn};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::Action;

fn refused(world: &mut World, who: P, action: Do, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

/// Every running clock of these kinds: its start, its limit, its end.
fn counted(world: &World, kinds: &[ClockKind]) -> Vec<(ClockKind, Timestamp, String, Timestamp)> {
    let clocks = world.case.clocks.iter();
    let running = clocks.filter(|clock| clock.stopped_at.is_none() && kinds.contains(&clock.kind));
    running
        .map(|clock| {
            let limit = clock.limit.clone();
            (clock.kind, clock.started_at, limit, clock.due_at)
        })
        .collect()
}

/// `mark_urgent`: K03, K04 and K10 count on the urgent limits from their original start, and as before when
/// it is taken back; no other clock moves.
#[test]
fn the_urgent_lane_moves_three_clocks_and_back() {
    use ClockKind::{K03, K04, K07, K10, K17};
    let accepted = World::individual().sole().accepted(0).contacted(0);
    for (world, kind, limit) in [
        (World::individual().submit(), K03, Limit::hours(24)),
        (World::individual().filed(), K04, Limit::hours(48)),
        (World::individual().sole(), K10, Limit::cd(30)),
        (accepted, K10, Limit::cd(30)),
    ] {
        let mut world = world;
        let (began, before) = (world.now, counted(&world, &[kind]));
        let others = [K07, K17, ClockKind::K05];
        let beside = counted(&world, &others);
        world.now += SignedDuration::from_hours(5);
        world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
        let expected = due(began, limit, Calendar::builtin()).at;
        let urgent = vec![(kind, began, limit.to_string(), expected)];
        assert_eq!(counted(&world, &[kind]), urgent);
        assert_eq!(counted(&world, &others), beside);
        let mut blank = inputs::reason_in();
        blank.reason = " ".to_owned();
        let refusal = refused(&mut world, P::Chair, Do::DowngradeUrgency, blank);
        assert_eq!(wrong(&refusal).1, "/reason", "I11");
        world.on_proposal(P::Chair, Do::DowngradeUrgency, inputs::reason_in());
        assert_eq!(world.case.proposal.urgency, Urgency::Normal);
        assert_eq!(counted(&world, &[kind]), before);
        assert_eq!(counted(&world, &others), beside);
    }
}

/// The urgent limit is counted from the start even if it has run out by now; and an end in a year that
/// the calendar does not know yet is provisional.
#[test]
fn the_urgent_limit_may_have_run_out_already() {
    let world = World::individual().sole().accepted(0).contacted(0);
    let mut late = world.clone();
    late.wait(40);
    late.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    let end = counted(&late, &[ClockKind::K10])[0].3;
    assert_eq!(end, due(world.now, Limit::cd(30), Calendar::builtin()).at);
    assert!(end < late.now);

    let mut far = world;
    far.profile.reply_urgent = Limit::wd(900);
    far.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    let row = far.row(0).id.cast();
    assert!(far.clock(ClockKind::K10, row).provisional);
}

/// K10, PT24: a further round has its own limit, which neither the lane nor the programme moves.
#[test]
fn a_further_round_has_the_same_time_in_every_lane() {
    let mut world = super::side_guard_cases::rated(Grade::Dissatisfied);
    world.profile.reply_key_fixed_date = Some(date(2026, 3, 20));
    world.on_proposal(P::Chair, Do::Rehandle, inputs::rehandle());
    let before = counted(&world, ClockKind::ALL);
    world.wait(1);
    world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    assert_eq!(counted(&world, ClockKind::ALL), before);
    let key = inputs::designate(ProgrammeTier::Key, 2026);
    world.on_proposal(P::Chair, Do::DesignateKey, key);
    assert_eq!(counted(&world, ClockKind::ALL), before);
    world.on_proposal(P::Chair, Do::DowngradeUrgency, inputs::reason_in());
    assert_eq!(counted(&world, ClockKind::ALL), before);
    let row = world.row(0).id.cast();
    assert!(world.clock(ClockKind::K10, row).changes.is_empty());
}

/// Units get reference copies by the approval, ahead of the filing and where the policy allows it; they
/// end when the matter takes its ordinary course.
#[test]
fn reference_copies_go_ahead_of_the_filing_only() {
    for (filed, allowed, units, granted) in [
        (false, true, &[1, 2][..], true),
        (false, false, &[1, 2], false),
        (true, true, &[1], false),
        (true, false, &[1], false),
        (true, true, &[], true),
        (false, false, &[], true),
    ] {
        let world = World::individual();
        let mut world = if filed { world.filed() } else { world.submit() };
        world.profile.urgent_reference_copy = allowed;
        let input = inputs::urgent(units);
        if !granted {
            let refusal = refused(&mut world, P::Chair, Do::MarkUrgent, input);
            let expected = ("not_allowed", "/reference_units".to_owned());
            assert_eq!(wrong(&refusal), expected);
            continue;
        }
        world.on_proposal(P::Chair, Do::MarkUrgent, input);
        assert_eq!(world.case.assignments.len(), units.len());
        world.on_proposal(P::Chair, Do::DowngradeUrgency, inputs::reason_in());
        let mut rows = world.case.assignments.iter();
        assert!(rows.all(|row| row.status == AssignmentStatus::Void));
    }
}

/// OT08: the request is denied with a reason, and the matter is no more urgent than before.
#[test]
fn a_request_for_the_urgent_lane_is_refused_with_a_reason() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Staff, Do::RequestUrgency, inputs::reason_in());
    let mut blank = inputs::deny();
    blank.reason = String::new();
    let refusal = refused(&mut world, P::Chair, Do::RefuseUrgency, blank);
    assert_eq!(wrong(&refusal).1, "/reason", "I11");
    world.on_proposal(P::Chair, Do::RefuseUrgency, inputs::deny());
    assert_eq!(world.case.requests[0].status, RequestStatus::Denied);
    assert_eq!(world.case.proposal.urgency, Urgency::Normal);
}

/// `reply.key_fixed_date`: a key proposal has it instead of the computed end while it is key; no other
/// clock moves, and no unit falls behind by the decision.
#[test]
fn a_key_proposal_has_its_own_date() {
    let fixed_on = date(2026, 4, 20);
    let mut world = World::individual().sole().accepted(0).contacted(0);
    world.profile.reply_key_fixed_date = Some(fixed_on);
    let before = counted(&world, ClockKind::ALL);
    let key = || inputs::designate(ProgrammeTier::Key, 2026);
    let reply = [ClockKind::K10];
    let end = fixed(fixed_on).at;
    for (now, moved) in [
        (world.now, true),
        (end, true),
        (end + SignedDuration::from_micros(1), false),
    ] {
        let mut world = world.clone();
        world.now = now;
        world.on_proposal(P::Chair, Do::DesignateKey, key());
        let others = |world: &World| -> Vec<_> {
            let all = counted(world, ClockKind::ALL);
            all.into_iter().filter(|one| one.0 != reply[0]).collect()
        };
        let own = before.iter().find(|one| one.0 == reply[0]).unwrap();
        let expected = if moved { end } else { own.3 };
        assert_eq!(counted(&world, &reply)[0].3, expected, "{now}");
        let same = before.iter().filter(|one| one.0 != reply[0]);
        assert_eq!(others(&world), same.cloned().collect::<Vec<_>>());
        world.on_proposal(P::Chair, Do::ReleaseKey, inputs::deny());
        assert_eq!(world.case.proposal.marks.tier, None);
        assert_eq!(counted(&world, &reply)[0], *own);
    }
    // Another tier has no date of its own: nothing is noted on the clock.
    let practical = inputs::designate(ProgrammeTier::Practical, 2026);
    world.on_proposal(P::Chair, Do::DesignateKey, practical);
    let row = world.row(0).id.cast();
    assert!(world.clock(ClockKind::K10, row).changes.is_empty());
}

/// OT12: a nomination that is not followed takes no place away; otherwise the place is gone, with a
/// reason (I11).
#[test]
fn a_nomination_is_denied_before_a_place_is_taken_away() {
    let mut world = World::individual().filed();
    let key = inputs::designate(ProgrammeTier::Key, 2026);
    world.on_proposal(P::Chair, Do::DesignateKey, key);
    world.on_proposal(P::Staff, Do::NominateKey, inputs::reason_in());
    let mut blank = inputs::deny();
    blank.reason = String::new();
    let refusal = refused(&mut world, P::Chair, Do::ReleaseKey, blank);
    assert_eq!(wrong(&refusal).1, "/reason");
    world.on_proposal(P::Chair, Do::ReleaseKey, inputs::deny());
    assert_eq!(world.case.requests[0].status, RequestStatus::Denied);
    let place = |world: &World| {
        let marks = &world.case.proposal.marks;
        (marks.tier, marks.programme_year)
    };
    assert_eq!(place(&world), (Some(ProgrammeTier::Key), Some(2026)));
    world.on_proposal(P::Chair, Do::ReleaseKey, inputs::deny());
    assert_eq!(place(&world), (None, None));
}

/// I30: nothing above the level reviewed, no reply before one is delivered; each part by itself, with its
/// own clock (K17, K18), and taken back with a reason (I11).
#[test]
fn a_part_is_published_up_to_the_level_reviewed() {
    use PublishedPart::{Replies, Text};
    let delivered = World::individual()
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    for part in [Text, Replies] {
        for reviewed in PublicationLevel::ALL {
            for level in PublicationLevel::ALL {
                let mut world = delivered.clone();
                let marks = &mut world.case.proposal.marks;
                marks.publish_text = Some(PublicationLevel::Full);
                marks.publish_replies = Some(PublicationLevel::Full);
                match part {
                    Text => marks.publish_text = Some(*reviewed),
                    Replies => marks.publish_replies = Some(*reviewed),
                }
                let input = PublishIn {
                    part,
                    level: *level,
                };
                let running = world.running();
                if *level == PublicationLevel::None {
                    let refusal = refused(&mut world, P::Staff, Do::Publish, input);
                    assert_eq!(wrong(&refusal).1, "/level");
                } else if level > reviewed {
                    let refusal = refused(&mut world, P::Staff, Do::Publish, input);
                    assert_eq!(unmet(&refusal), ["inside_reviewed_level"]);
                } else {
                    world.on_proposal(P::Staff, Do::Publish, input);
                    let marks = &world.case.proposal.marks;
                    let text = (marks.published_text, marks.text_published_at);
                    let replies = (marks.published_replies, marks.replies_published_at);
                    let (own, other, clock) = match part {
                        Text => (text, replies, ClockKind::K17),
                        Replies => (replies, text, ClockKind::K18),
                    };
                    assert_eq!(own, (Some(*level), Some(world.now)));
                    assert_eq!(other, (None, None));
                    let left = running.iter().filter(|kind| **kind != clock);
                    assert_eq!(world.running(), left.copied().collect::<Vec<_>>());
                }
            }
        }
    }
    let mut world = World::individual().sole();
    let marks = &mut world.case.proposal.marks;
    marks.publish_text = Some(PublicationLevel::Full);
    marks.publish_replies = Some(PublicationLevel::Full);
    let replies = inputs::publish(Replies);
    let refusal = refused(&mut world, P::Staff, Do::Publish, replies);
    assert_eq!(unmet(&refusal), ["reply_delivered"]);
    world.on_proposal(P::Staff, Do::Publish, inputs::publish(Text));
    let other = inputs::unpublish(Replies);
    let refusal = refused(&mut world, P::Staff, Do::Unpublish, other);
    assert_eq!(wrong(&refusal), ("not_published", "/part".to_owned()));
    let mut blank = inputs::unpublish(Text);
    blank.reason = String::new();
    let refusal = refused(&mut world, P::Staff, Do::Unpublish, blank);
    assert_eq!(wrong(&refusal).1, "/reason");
    world.on_proposal(P::Staff, Do::Unpublish, inputs::unpublish(Text));
    let marks = &world.case.proposal.marks;
    assert_eq!(
        (marks.published_text, marks.text_published_at),
        (None, None)
    );
}
