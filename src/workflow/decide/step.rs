//! A row at work: what effects do to their copy of the case.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::{Env, Happened, Record, Step, Target, status_of};
use crate::ids::{AssignmentId, ClockId, ProposerId, ReplyId, SubjectId};
use crate::workflow::case::{Assignment, Case, Clock, Proposer, Reply};
use crate::workflow::codes::ClockKind;
use crate::workflow::deadline::{self, Limit};
use crate::workflow::role::{Actor, Role};
use crate::workflow::rule::{State, To, Who, rules};

impl<'a> Step<'a> {
    pub(super) fn on(
        case: &Case,
        actor: &'a Actor,
        who: Who,
        target: Target,
        env: Env<'a>,
    ) -> Self {
        Self {
            case: case.clone(),
            actor,
            who,
            target,
            env,
            records: Vec::new(),
            numbers: Vec::new(),
            made: None,
            other: None,
            parts: Vec::new(),
        }
    }

    /// Another row of the tables happens as a part of this one, by the system: its status is set
    /// and it stands in the trail under its own name.
    pub fn part(&mut self, id: &'static str, target: Target, reason: &'static str) {
        self.part_with(id, target, serde_json::json!({ "because_of": reason }));
    }

    /// The same with all that the trail shall say of it.
    pub fn part_with(&mut self, id: &'static str, target: Target, input: Value) {
        let from = status_of(&self.case, target);
        // The row that starts from here, where several bear the same number.
        let Some(rule) = rules().find(|rule| {
            rule.id == id && (rule.from.contains(&from) || rule.from == [State::Start])
        }) else {
            return;
        };
        if let To::State(to) = rule.to {
            self.set_state(target, to);
        }
        self.parts.push(Happened {
            rule: rule.id,
            event: rule.event,
            by_system: true,
            role: Role::System,
            target,
            from: if rule.from == [State::Start] {
                State::Start
            } else {
                from
            },
            to: status_of(&self.case, target),
            input,
            other: self.other,
        });
    }

    pub(super) fn set_state(&mut self, target: Target, to: State) {
        match (target, to) {
            (Target::Proposal, State::Proposal(status)) => self.case.proposal.status = status,
            (Target::Assignment(id), State::Assignment(status)) => {
                if let Some(row) = self.row_mut(id) {
                    row.status = status;
                }
            }
            (Target::Reply(id), State::Reply(status)) => {
                if let Some(reply) = self.reply_mut(id) {
                    reply.status = status;
                }
            }
            _ => {}
        }
    }

    /// A row, to change it.
    pub fn row_mut(&mut self, id: AssignmentId) -> Option<&mut Assignment> {
        self.case.assignments.iter_mut().find(|row| row.id == id)
    }

    /// A reply, to change it.
    pub fn reply_mut(&mut self, id: ReplyId) -> Option<&mut Reply> {
        self.case.replies.iter_mut().find(|reply| reply.id == id)
    }

    /// A proposer of the case or of one it absorbed, to change it.
    pub fn proposer_mut(&mut self, id: ProposerId) -> Option<&mut Proposer> {
        self.case
            .proposers
            .iter_mut()
            .chain(
                self.case
                    .absorbed
                    .iter_mut()
                    .flat_map(|absorbed| &mut absorbed.signers),
            )
            .find(|proposer| proposer.id == id)
    }

    /// Stops every running clock.
    pub fn stop_all(&mut self) {
        let now = self.env.now;
        for clock in &mut self.case.clocks {
            clock.stopped_at.get_or_insert(now);
        }
    }

    /// The proposal as the subject of a clock.
    pub fn subject(&self) -> SubjectId {
        self.case.proposal.id.cast()
    }

    /// Starts a clock now.
    pub fn start(&mut self, kind: ClockKind, subject: SubjectId, limit: Limit) {
        self.start_from(kind, subject, self.env.now, limit);
    }

    /// Starts a clock that counts from another moment.
    pub fn start_from(&mut self, kind: ClockKind, subject: SubjectId, at: Timestamp, limit: Limit) {
        let due = deadline::due(at, limit, self.env.calendar);
        self.push_clock(kind, subject, at, limit.to_string(), due);
    }

    /// Starts a clock on a limit as it is stored: `5 wd`, or `until 2026-03-31`.
    pub fn start_on(&mut self, kind: ClockKind, subject: SubjectId, at: Timestamp, limit: String) {
        let fixed = limit
            .strip_prefix("until ")
            .and_then(|day| day.parse().ok());
        let due = match (fixed, limit.parse::<Limit>()) {
            (Some(day), _) => deadline::fixed(day),
            (None, Ok(limit)) => deadline::due(at, limit, self.env.calendar),
            // Limits come from the profile; one that cannot be read ends at once, visibly.
            (None, Err(_)) => deadline::Due {
                at,
                provisional: true,
            },
        };
        self.push_clock(kind, subject, at, limit, due);
    }

    /// Starts a clock that ends with a fixed day.
    pub fn start_until(&mut self, kind: ClockKind, subject: SubjectId, day: Date) {
        let due = deadline::fixed(day);
        self.push_clock(kind, subject, self.env.now, format!("until {day}"), due);
    }

    fn push_clock(
        &mut self,
        kind: ClockKind,
        subject: SubjectId,
        started_at: Timestamp,
        limit: String,
        due: deadline::Due,
    ) {
        let id: ClockId = self.env.id();
        self.case.clocks.push(Clock {
            id,
            kind,
            subject,
            started_at,
            limit,
            profile_version: self.env.profile.version,
            calendar_version: self.env.calendar.version,
            provisional: due.provisional,
            original_due: due.at,
            due_at: due.at,
            stopped_at: None,
            changes: Vec::new(),
            wake_at: None,
        });
    }

    /// Stops the running clocks of these kinds, of one subject or of all.
    pub fn stop(&mut self, kinds: &[ClockKind], subject: Option<SubjectId>) {
        let now = self.env.now;
        for clock in &mut self.case.clocks {
            if clock.stopped_at.is_none()
                && kinds.contains(&clock.kind)
                && subject.is_none_or(|subject| subject == clock.subject)
            {
                clock.stopped_at = Some(now);
            }
        }
    }

    /// Adds a decision record.
    pub fn record_decision(&mut self, kind: &'static str, content: Value) {
        let id = self.env.id();
        self.records.push(Record::Decision { id, kind, content });
    }
}
