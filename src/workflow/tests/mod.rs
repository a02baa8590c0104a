//! Tests of the workflow core: the tables as text, stories, refusals, random walks.

mod accounts;
mod at_rest;
mod beginnings;
mod calendar_files;
mod changing;
mod counting;
mod debts;
mod desk_side_roads;
mod desks;
mod driver;
mod early_scenarios;
mod effects;
mod examining;
mod extending;
mod facts;
mod files;
mod fixture;
mod follow_up;
mod guard_cases;
mod hearing;
mod holding;
mod inputs;
mod instructions;
mod invariants;
mod kept;
mod lanes;
mod matrices;
mod meanings;
mod naming;
mod offers;
mod people;
mod plausible;
mod rating;
mod readers;
mod reading;
mod recounting;
mod reference;
mod referrals;
mod refusals;
mod reminders;
mod scenarios;
mod sharing;
mod side_guard_cases;
mod side_inputs;
mod side_scenarios;
mod signing;
mod stories;
mod successors;
mod told;
mod traces;
mod turns;
mod waking;
mod walks;

/// A case as it is after PT01.
pub(super) fn any_case() -> super::case::Case {
    fixture::World::individual().case
}
