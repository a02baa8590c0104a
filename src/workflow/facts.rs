//! What is read from a case to be shown; no rule of the tables needs it.

use jiff::civil::Date;

use super::assignment::AssignmentStatus;
use super::case::{Case, Clock, ClockChange, Reply};
use super::codes::OutcomeMeaning;
use crate::ids::AssignmentId;

impl Case {
    /// The agreed end of the pause that runs on a row's reply or opinion clock.
    pub fn paused_until(&self, row: AssignmentId) -> Option<Date> {
        super::extension::pause_running(self, row)
    }

    /// What the unit of a reply delivered last in an earlier round.
    pub fn earlier_reply(&self, reply: &Reply) -> Option<&Reply> {
        self.replies
            .iter()
            .filter(|old| {
                old.unit == reply.unit && old.round < reply.round && old.delivered_at.is_some()
            })
            .max_by_key(|old| old.round)
    }

    /// Required replies of the present round: how many were delivered, and how many there are.
    pub fn replies_delivered(&self) -> (usize, usize) {
        let delivered = self
            .bound_rows()
            .filter(|row| row.status == AssignmentStatus::Replied)
            .count();
        (delivered, self.bound_rows().count())
    }

    /// Worst outcome of the replies that were delivered in a round, superseded later or not.
    pub fn outcome_of(&self, round: i32) -> Option<OutcomeMeaning> {
        self.replies
            .iter()
            .filter(|reply| reply.round == round && reply.delivered_at.is_some())
            .filter_map(|reply| reply.current_outcome)
            .max()
    }
}

impl Clock {
    /// The day on which it goes on, while it stands still.
    pub fn paused_until(&self) -> Option<Date> {
        // An extension may have been granted meanwhile.
        self.changes.iter().rev().find_map(|change| match change {
            ClockChange::Paused {
                until,
                ended: false,
                ..
            } if self.stopped_at.is_none() => Some(*until),
            _ => None,
        })
    }
}
