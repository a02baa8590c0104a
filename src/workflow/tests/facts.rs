//! What is shown of a case and no rule needs: the pause that runs, what was answered before, how many
//! replies there are, what they come to.

use super::fixture::{Person as P, World};
use super::inputs;
use crate::workflow::calendar::add_days;
use crate::workflow::case::Case;
use crate::workflow::codes::{AssignmentRole, ClockKind, Grade, HandlingKind, OutcomeMeaning};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::Line;

const OFFICER: P = P::Officer(Line::Government);

/// AT14, AT15: the agreed end is shown while the clock stands still, also of a clock that is extended
/// meanwhile; not of one that goes on or has stopped.
#[test]
fn a_pause_is_shown_while_it_lasts() {
    let mut world = World::individual().together();
    for number in [0, 1, 2] {
        world = world.accepted(number);
    }
    let today = world.env().today();
    let ends = [Some(add_days(today, 9)), Some(add_days(today, 12)), None];
    let shown = |case: &Case, world: &World| {
        [0, 1, 2].map(|number| case.paused_until(world.row(number).id))
    };
    assert_eq!(shown(&world.case, &world), [None; 3]);
    for (number, until) in ends.into_iter().enumerate() {
        let Some(until) = until else { continue };
        let row = world.row_target(number);
        world.on_row(number, inputs::ASK_PAUSE, inputs::ask_pause(until));
        world.granted(OFFICER, row, inputs::PAUSE, &inputs::pause(None).into());
    }
    assert_eq!(shown(&world.case, &world), ends);
    let later = add_days(today, 120);
    let row = world.row_target(0);
    world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(later));
    let input = inputs::grant_extension(None).into();
    world.granted(OFFICER, row, inputs::GRANT_EXTENSION, &input);
    assert_eq!(shown(&world.case, &world), ends);
    world.granted(OFFICER, row, inputs::RESUME, &inputs::note().into());
    world = world.opinion(1);
    assert_eq!(shown(&world.case, &world), [None; 3]);
    let stopped = world.clock(ClockKind::K08, world.row(1).id.cast());
    assert_eq!(stopped.paused_until(), None);
}

/// PT24, I16: two units answer, one goes on alone for two more rounds.
#[test]
fn a_reply_is_shown_with_the_one_before_it() {
    use AssignmentRole::{Lead, Separate};
    let filed = World::individual().filed();
    let rows = [(0, Separate), (1, Separate), (2, Separate)];
    let mut world = filed.assigned(HandlingKind::Separate, &rows);
    world.profile.rehandling_max_rounds = 2;
    let count = |world: &World| world.case.replies_delivered();
    assert_eq!(count(&world), (0, 3));
    for (number, outcome) in [
        (0, OutcomeMeaning::Resolved),
        (1, OutcomeMeaning::PartiallyResolved),
        (2, OutcomeMeaning::Resolved),
    ] {
        world = world.answered(number, outcome);
        assert_eq!(count(&world), (number + 1, 3));
    }
    for round in 1..3 {
        let delivered: Vec<_> = world.case.delivered().map(|reply| reply.id).collect();
        for reply in delivered {
            let form = inputs::feedback(reply, Grade::Dissatisfied);
            world.on_proposal(P::Member(0), Do::GiveFeedback, form);
        }
        let input = inputs::rehandle_with(HandlingKind::Sole, &[(0, Lead)]);
        world.on_proposal(OFFICER, Do::Rehandle, input);
        assert_eq!(count(&world), (0, 1));
        // Nobody has answered in this round yet, whatever the draft says.
        world = world.contacted(0).drafted(0, OutcomeMeaning::NotFeasible);
        assert_eq!(world.case.outcome_of(round + 1), None);
        world = world.signed(0).approved(0).delivered(0);
        assert_eq!(count(&world), (1, 1));
    }
    // Superseded or not, each round comes to the worst that was answered in it.
    let outcomes = [1, 2, 3, 4].map(|round| world.case.outcome_of(round));
    let again = Some(OutcomeMeaning::NotFeasible);
    let first = Some(OutcomeMeaning::PartiallyResolved);
    assert_eq!(outcomes, [first, again, again, None]);
    let replies = &world.case.replies;
    let earlier: Vec<_> = replies
        .iter()
        .map(|reply| {
            let earlier = world.case.earlier_reply(reply)?;
            Some((earlier.unit == reply.unit, earlier.round))
        })
        .collect();
    assert_eq!(
        earlier,
        [None, None, None, Some((true, 1)), Some((true, 2))]
    );
    // What was never delivered was no answer.
    let mut case = world.case.clone();
    case.replies[3].delivered_at = None;
    let earlier = case.earlier_reply(&case.replies[4]).map(|one| one.round);
    assert_eq!(earlier, Some(1));
}
