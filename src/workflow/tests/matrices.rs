//! The tables as text. A change of a right or of a way shows here first.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::workflow::assignment::{AssignmentAction, AssignmentStatus};
use crate::workflow::proposal::{ProposalAction, ProposalStatus};
use crate::workflow::reply::{ReplyAction, ReplyStatus};
use crate::workflow::role::Role;
use crate::workflow::rule::{Action, Cause, Rule, State, To, Who, rules, rules_of};

/// Columns as wide as their widest cell; the first row is the head.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        writeln!(text, "{}", cells.join(" | ").trim_end()).unwrap();
    }
    text
}

fn name(state: State) -> String {
    match state {
        State::Start => "(start)".to_owned(),
        _ => state.as_str().to_owned(),
    }
}

/// One line per state, one column per action; a cell names the row and where it leads.
fn state_by_action(states: &[State], actions: &[Action]) -> String {
    let mut rows = vec![vec!["action".to_owned()]];
    rows[0].extend(states.iter().map(|state| name(*state)));
    for &action in actions {
        let cell = |state: &State| {
            let rule = rules_of(action).find(|rule| rule.from.contains(state));
            rule.map_or(String::new(), |rule| match rule.to {
                To::Stay => rule.id.to_owned(),
                To::State(to) => format!("{}>{}", rule.id, to.as_str()),
            })
        };
        let mut row = vec![action.as_str().to_owned()];
        row.extend(states.iter().map(cell));
        rows.push(row);
    }
    aligned(&rows)
}

fn proposal_actions() -> Vec<Action> {
    ProposalAction::ALL
        .iter()
        .copied()
        .map(Action::Proposal)
        .collect()
}

fn assignment_actions() -> Vec<Action> {
    AssignmentAction::ALL
        .iter()
        .copied()
        .map(Action::Assignment)
        .collect()
}

fn reply_actions() -> Vec<Action> {
    ReplyAction::ALL
        .iter()
        .copied()
        .map(Action::Reply)
        .collect()
}

fn with_start(states: impl Iterator<Item = State>) -> Vec<State> {
    std::iter::once(State::Start).chain(states).collect()
}

#[test]
fn proposal_states_by_actions() {
    let states = with_start(ProposalStatus::ALL.iter().copied().map(State::Proposal));
    insta::assert_snapshot!(state_by_action(&states, &proposal_actions()));
}

#[test]
fn assignment_states_by_actions() {
    let states = with_start(AssignmentStatus::ALL.iter().copied().map(State::Assignment));
    insta::assert_snapshot!(state_by_action(&states, &assignment_actions()));
}

#[test]
fn reply_states_by_actions() {
    let states = with_start(ReplyStatus::ALL.iter().copied().map(State::Reply));
    insta::assert_snapshot!(state_by_action(&states, &reply_actions()));
}

/// What the holder of the role must be to the case, in a word.
fn mark(who: Who) -> &'static str {
    match who {
        Who::FirstProposer => "first",
        Who::Invitee | Who::InvitedClerk => "invitee",
        Who::RatingMember | Who::RatingClerk => "rater",
        Who::ProposingClerk => "own",
        Who::Proxy => "paper",
        Who::LineOfficer => "line",
        Who::OwnUnitClerk | Who::OwnUnitSignatory => "unit",
        Who::CoHandlerSignatory => "co-handler",
        Who::AnyMember | Who::AnyClerk => "self",
        Who::CaseUnitClerk => "unit of the case",
        Who::AddressedClerk => "addressed unit",
        Who::Staff | Who::Examiner | Who::Chair | Who::Supervision | Who::Leader | Who::System => {
            "yes"
        }
    }
}

/// One line per action, one column per role; a cell says under which condition.
#[test]
fn roles_by_actions() {
    let mut rows = vec![vec!["action".to_owned()]];
    rows[0].extend(Role::ALL.iter().map(|role| role.as_str().to_owned()));
    for action in [proposal_actions(), assignment_actions(), reply_actions()].concat() {
        let cell = |role: &Role| {
            let whos = rules_of(action).flat_map(|rule| rule.who);
            let marks: BTreeSet<_> = whos
                .filter(|who| who.role() == *role)
                .map(|who| mark(*who))
                .collect();
            marks.into_iter().collect::<Vec<_>>().join(",")
        };
        let mut row = vec![format!("{:?}.{}", action.machine(), action.as_str()).to_lowercase()];
        row.extend(Role::ALL.iter().map(cell));
        rows.push(row);
    }
    insta::assert_snapshot!(aligned(&rows));
}

/// Guards of every row, so that a lost condition is seen.
#[test]
fn guards_of_every_row() {
    let mut text = String::new();
    for rule in rules() {
        let guards: Vec<_> = rule.guards.iter().map(|guard| guard.name).collect();
        writeln!(
            text,
            "{:5} {:21} {}",
            rule.id,
            rule.action.as_str(),
            guards.join(" ")
        )
        .unwrap();
    }
    insta::assert_snapshot!(text.replace(" \n", "\n"));
}

#[test]
fn every_row_is_well_formed() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        let id = rule.id;
        // AT12, AT14 and AT15 name two actions each, PT06 and PT07 share one.
        let action = rule.action.as_str();
        assert!(seen.insert((id, action)), "{id} {action} stands twice");
        assert!(!rule.who.is_empty(), "{id} has nobody");
        assert!(!rule.from.is_empty(), "{id} starts nowhere");
        let (noun, verb) = rule.event.split_once('.').unwrap_or_default();
        let word = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        // The reference of the domain gives these two a name of one word.
        let bare = ["urged", "instructed"].contains(&rule.event);
        assert!(
            bare || (word(noun) && word(verb)),
            "{id}: {} is not noun.verb",
            rule.event
        );
        assert!(machine_fits(rule), "{id} mixes machines");
        let mut who = rule.who.to_vec();
        who.sort_unstable();
        who.dedup();
        assert_eq!(who.len(), rule.who.len(), "{id} names somebody twice");
    }
}

fn machine_fits(rule: &Rule) -> bool {
    let prefix = match rule.action {
        Action::Proposal(_) if rule.id.starts_with("OT") => "OT",
        Action::Proposal(_) => "PT",
        Action::Assignment(_) => "AT",
        Action::Reply(_) => "RT",
    };
    let to = match rule.to {
        To::Stay => None,
        To::State(state) => Some(state),
    };
    rule.id.starts_with(prefix)
        && rule.from.iter().chain(&to).all(|state| {
            matches!(
                (rule.action, state),
                (_, State::Start)
                    | (Action::Proposal(_), State::Proposal(_))
                    | (Action::Assignment(_), State::Assignment(_))
                    | (Action::Reply(_), State::Reply(_))
            )
        })
}

#[test]
fn every_action_has_a_row() {
    for action in [proposal_actions(), assignment_actions(), reply_actions()].concat() {
        assert!(
            rules_of(action).next().is_some(),
            "{} has no row",
            action.as_str()
        );
    }
}

#[test]
fn final_statuses_are_left_by_exceptions_only() {
    for status in ProposalStatus::ALL {
        let state = State::Proposal(*status);
        let leads_on = |rule: &&Rule| rule.from.contains(&state) && !stays(rule);
        let leaving: Vec<_> = rules().filter(leads_on).map(|rule| rule.id).collect();
        match *status {
            ProposalStatus::Merged => assert_eq!(leaving, ["PT18"]),
            ProposalStatus::Closed => assert_eq!(leaving, ["PT26"]),
            status => assert_eq!(leaving.is_empty(), status.is_final(), "{status}"),
        }
    }
}

/// PT18 restores the status from before, which the table cannot name.
fn stays(rule: &Rule) -> bool {
    rule.to == To::Stay && rule.id != "PT18"
}

/// I37: rows beside the machines never lead anywhere.
#[test]
fn orthogonal_rows_stay() {
    let mut orthogonal = rules().filter(|rule| rule.id.starts_with("OT"));
    assert!(orthogonal.all(|rule| rule.to == To::Stay));
}

/// Nothing is left of a secret proposal but its refusal, and time.
#[test]
fn of_a_secret_proposal_only_its_refusal_is_left() {
    let submitted = State::Proposal(ProposalStatus::Submitted);
    let left: Vec<_> = rules()
        .filter(|rule| rule.cause() != Cause::Part)
        .filter(|rule| rule.from.contains(&submitted))
        .filter(|rule| rule.guards.iter().all(|guard| guard.name != "not_secret"))
        .map(|rule| rule.id)
        .collect();
    assert_eq!(left, ["PT05b", "PT16"], "I29");
}
