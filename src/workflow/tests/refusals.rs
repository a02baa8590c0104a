//! Refusals: each guard stands alone in the way at least once, and says what is missing.

use std::collections::BTreeSet;

use super::fixture::{Person as P, World};
use super::follow_up::OF_THE_FOLLOW_UP;
use super::guard_cases::{BEFORE_FILING, Case, IN_HANDLING, refuse};
use super::inputs;
use super::side_guard_cases::{OF_A_ROW, OF_THE_PROPOSAL};
use crate::workflow::guard;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::{State, rules};

fn cases() -> impl Iterator<Item = &'static Case> {
    let all = [
        BEFORE_FILING,
        IN_HANDLING,
        OF_THE_PROPOSAL,
        OF_A_ROW,
        OF_THE_FOLLOW_UP,
        super::referrals::GUARDS,
    ];
    all.into_iter().flatten()
}

#[test]
fn each_guard_stands_alone_in_the_way() {
    let wrong = |(name, refused): &Case| match refused() {
        Refusal::Unmet(list) if list.len() == 1 && list[0].guard == *name => None,
        other => Some(format!("{name}: {other:?}")),
    };
    let wrong: Vec<String> = cases().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_guard_has_a_case_and_a_row() {
    let known: BTreeSet<_> = guard::ALL.iter().map(|guard| guard.name).collect();
    let tested: BTreeSet<_> = cases().map(|(name, _)| *name).collect();
    let used: BTreeSet<_> = rules()
        .flat_map(|rule| rule.guards)
        .map(|guard| guard.name)
        .collect();
    assert_eq!(known.len(), guard::ALL.len(), "two guards have one name");
    assert_eq!(known, tested);
    assert_eq!(known, used);
}

#[test]
fn every_guard_speaks_both_languages() {
    for guard in guard::ALL {
        let (zh, en) = guard.message;
        assert!(zh.ends_with('。') && !zh.is_ascii(), "{}", guard.name);
        assert!(en.ends_with('.') && en.is_ascii(), "{}", guard.name);
    }
}

#[test]
fn a_wrong_state_names_the_states_from_which_it_starts() {
    let refusal = refuse(&mut World::individual(), P::Chair, Do::File, inputs::file());
    let Refusal::WrongState { now, allowed_from } = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(now.as_str(), "draft");
    let from: Vec<_> = allowed_from
        .iter()
        .map(|state: &State| state.as_str())
        .collect();
    assert_eq!(from, ["submitted"]);
}

#[test]
fn the_input_of_another_action_is_refused() {
    let mut world = World::individual().submit();
    let refusal = refuse(&mut world, P::Examiner(1), Do::Examine, inputs::file());
    assert_eq!(super::stories::wrong(&refusal).0, "mismatch");
}
