//! What acts on rows and replies change in the reference model (3.4, 3.5 of the domain).

use super::effects::{Command, Fault, Input, Outcome, Refusal};
use super::rules::Act;
use super::world::{BOUNCES, Countersign, Reply, Row, World, working_days};

impl World {
    /// AT02–AT17, RT01.
    pub fn on_row(&mut self, command: &Command, index: usize) -> Outcome {
        let at = command.case;
        // A contact has no text that is looked at: its fault is a day that is still to come.
        let looked_at = !matches!(command.act, Act::GrantReturn | Act::Draft);
        if command.fault == Fault::Blank && looked_at {
            return Err(Refusal::Invalid);
        }
        let row = &mut self.cases[at].rows[index];
        match (command.act, &command.input) {
            (Act::Accept, _) => row.status = "accepted",
            (Act::RequestReturn, Input::Unit(unit)) => {
                if *unit == row.unit {
                    return Err(Refusal::Invalid);
                }
                row.status = "return_requested";
                row.window = None;
                self.cases[at].requests.push("return");
            }
            (Act::GrantReturn, Input::Rows { kind, add, .. }) => {
                let (unit, role) = (row.unit, row.role);
                self.end_row(at, index, "returned");
                if add.contains(&(unit, role)) {
                    return Err(Refusal::Invalid);
                }
                let own = &mut self.cases[at];
                own.handling = kind.or(own.handling);
                let returned = |one: &&Row| one.round == own.round && one.status == "returned";
                let bounces = own.rows.iter().filter(returned).count();
                self.add_rows(at, add, bounces < BOUNCES)?;
                self.check_whole(at)?;
            }
            (Act::RejectReturn, _) => {
                row.status = "accepted";
                row.returnable = false;
                self.cases[at].forget("return");
            }
            (Act::RecordContact, _) => row.contacted = true,
            (Act::SubmitOpinion, _) => {
                row.status = "opinion_submitted";
                row.opinions += 1;
                row.opinion_until = None;
            }
            (Act::Void, _) => self.end_row(at, index, "void"),
            (Act::Draft, Input::Outcome(outcome)) => {
                let (unit, round) = (row.unit, self.cases[at].round);
                self.texts += 1;
                self.cases[at].replies.push(Reply {
                    row: index,
                    unit,
                    round,
                    status: "draft",
                    text_version: 1,
                    text: self.texts,
                    outcome: *outcome,
                    reviewed_outcome: None,
                    approved: false,
                    was_delivered: false,
                    coordinated: None,
                    rejected: None,
                    countersigns: Vec::new(),
                });
            }
            (act, input) => panic!("{act:?} does not go with {input:?}"),
        }
        Ok(())
    }

    /// RT02–RT09.
    pub fn on_reply(&mut self, command: &Command, index: usize) -> Outcome {
        let (who, at, now) = (command.who, command.case, self.now);
        let looked_at = matches!(
            command.act,
            Act::Countersign | Act::Object | Act::Coordinate | Act::Sign | Act::Reject
        );
        if command.fault == Fault::Blank && looked_at {
            return Err(Refusal::Invalid);
        }
        let rows = self.live_rows(at);
        let own = &mut self.cases[at];
        let asked: Vec<_> = rows
            .into_iter()
            .filter(|row| own.rows[*row].role == "co_handler")
            .collect();
        let units: Vec<_> = own.rows.iter().map(|row| row.unit).collect();
        let reply = &mut own.replies[index];
        let answer = |one: &&mut Countersign| {
            one.status == "requested" && Some(units[one.row]) == who.unit()
        };
        match (command.act, &command.input) {
            (Act::EditReply, input) => {
                reply.text_version += 1;
                if let Input::Outcome(outcome) = input {
                    self.texts += 1;
                    reply.text = self.texts;
                    reply.outcome = *outcome;
                    reply.coordinated = None;
                }
                reply.status = "draft";
                reply.call_back();
            }
            (Act::RequestCountersign, _) => {
                let last = reply.countersigns.iter().map(|one| one.attempt).max();
                for row in asked {
                    reply.countersigns.push(Countersign {
                        row,
                        attempt: last.unwrap_or(0) + 1,
                        status: "requested",
                        text: reply.text,
                        until: working_days(now, 5),
                    });
                }
                reply.status = "countersigning";
            }
            (Act::Countersign, _) => {
                let open = reply.countersigns.iter_mut().find(answer);
                open.expect("an open request").status = "agree";
            }
            (Act::Object, _) => {
                let open = reply.countersigns.iter_mut().find(answer);
                open.expect("an open request").status = "object";
                reply.status = "draft";
                reply.call_back();
            }
            (Act::Coordinate, _) => reply.coordinated = Some(reply.text),
            (Act::Sign, _) => {
                reply.status = "under_review";
                reply.approved = false;
                reply.call_back();
            }
            (Act::Approve, Input::Outcome(changed)) => {
                if changed.is_some() && *changed != reply.outcome && command.fault == Fault::Blank {
                    return Err(Refusal::Invalid);
                }
                reply.approved = true;
                reply.reviewed_outcome = changed.or(reply.outcome);
            }
            (Act::Reject, _) => {
                reply.status = "draft";
                reply.rejected = Some(reply.text);
            }
            (Act::Deliver, _) => self.deliver(at, index),
            (act, input) => panic!("{act:?} does not go with {input:?}"),
        }
        Ok(())
    }

    /// RT09: the row is answered, and what its unit delivered in an earlier round stands no longer.
    fn deliver(&mut self, at: usize, index: usize) {
        let own = &mut self.cases[at];
        let (row, unit, round) = {
            let reply = &mut own.replies[index];
            reply.status = "delivered";
            reply.was_delivered = true;
            (reply.row, reply.unit, reply.round)
        };
        own.rows[row].status = "replied";
        for old in &mut own.replies {
            if old.status == "delivered" && old.unit == unit && old.round < round {
                old.status = "superseded";
            }
        }
        // (decision) A withdrawal that was asked for can no longer be granted, and lapses.
        own.requests.retain(|one| *one != "withdrawal");
    }
}
