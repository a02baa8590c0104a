//! What acts on a case change in the reference model (3.2, 3.3 of the domain).

use super::effects::{Command, Fault, Input, Outcome, Refusal, guard};
use super::rules::Act;
use super::world::{Form, Person, World, invitation, working_days};

impl World {
    /// PT02–PT26 and what is orthogonal to the status.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn on_case(&mut self, command: &Command) -> Outcome {
        let (who, at) = (command.who, command.case);
        let blank = command.fault == Fault::Blank;
        let submitted = self.cases[at].submissions > 0;
        let needs_text = match command.act {
            Act::Withdraw => submitted,
            Act::ReturnForRevision
            | Act::Examine
            | Act::NotFile
            | Act::Dispose
            | Act::Merge
            | Act::Unmerge
            | Act::RejectWithdrawal
            | Act::AdjustUnits
            | Act::Reopen
            | Act::Consult
            | Act::SetSecrecy
            | Act::RequestUrgency
            | Act::MarkUrgent
            | Act::RefuseUrgency
            | Act::DowngradeUrgency => true,
            _ => false,
        };
        if blank && needs_text {
            return Err(Refusal::Invalid);
        }
        let (now, text) = (self.now, self.texts + 1);
        let own = &mut self.cases[at];
        match (command.act, &command.input) {
            (Act::Edit, Input::NewText) => {
                self.texts = text;
                own.text_version += 1;
                for one in &mut own.proposers[1..] {
                    if one.status == "consented" {
                        one.status = "stale";
                        one.until = Some(invitation(now));
                    }
                }
            }
            (Act::Edit, Input::NoSecret(value)) if own.no_secret != *value => {
                own.no_secret = *value;
                own.text_version += 1;
            }
            (Act::Edit, Input::MayPublish(value)) if own.may_publish != *value => {
                own.may_publish = *value;
                own.text_version += 1;
            }
            // (decision) The same text again is accepted and is no new version.
            (Act::Edit, _) => {}
            (Act::Invite, Input::Member(member)) => own.invite(*member, invitation(now))?,
            (Act::Consent | Act::Decline, _) => {
                let status = if command.act == Act::Consent {
                    "consented"
                } else {
                    "declined"
                };
                let mut all = own.proposers[1..].iter_mut();
                let invited = all.find(|one| Some(one.member) == who.member());
                let invited = invited.expect("the right of an invitee");
                invited.status = status;
                invited.until = None;
            }
            (Act::Submit, _) => {
                own.status = "submitted";
                own.submissions += 1;
                own.submitted_version = own.text_version;
                own.revision_until = None;
                if own.serial.is_none() {
                    self.serials += 1;
                    own.serial = Some(self.serials);
                }
            }
            (Act::Recall, _) => {
                own.status = "draft";
                own.end_early();
            }
            (Act::Withdraw, _) if own.case_no.is_some() => own.requests.push("withdrawal"),
            (Act::Withdraw, _) => {
                own.status = "withdrawn";
                own.end_invitations();
                own.end_early();
            }
            (Act::ApproveWithdrawal, _) => {
                own.status = "withdrawn";
                own.requests.clear();
                for row in self.live_rows(at) {
                    if self.cases[at].rows[row].status != "replied" {
                        self.end_row(at, row, "void");
                    }
                }
            }
            (Act::RejectWithdrawal, _) => own.requests.retain(|one| *one != "withdrawal"),
            (Act::ReturnForRevision, _) => {
                own.status = "returned";
                own.end_early();
                own.revision_until = Some(working_days(now, 10));
            }
            (Act::Examine, Input::Unit(unit)) => {
                own.opinions.push((own.submissions, who));
                own.line = Some(if *unit == 3 { "party" } else { "government" });
            }
            (Act::File, _) => {
                own.status = "filed";
                own.freeze_signers();
                self.case_numbers += 1;
                own.case_no = Some(self.case_numbers);
            }
            (Act::NotFile, _) => {
                own.status = "not_filed";
                own.end_invitations();
                own.end_early();
            }
            (Act::Dispose, _) => own.disposed = true,
            (Act::Merge, Input::Main(main)) => self.merge(at, *main)?,
            (Act::Unmerge, _) => own.unmerge(invitation(now)),
            (Act::Assign, Input::Rows { kind, add, .. }) => {
                for row in self.live_rows(at) {
                    if add
                        .iter()
                        .any(|named| named.0 == self.cases[at].rows[row].unit)
                    {
                        self.end_row(at, row, "void");
                    }
                }
                self.cases[at].handling = *kind;
                self.cases[at].status = "assigned";
                self.add_rows(at, add, true)?;
                self.check_whole(at)?;
            }
            (Act::AdjustUnits, Input::Rows { kind, add, remove }) => {
                let kind = kind.or(own.handling);
                if add.is_empty() && remove.is_empty() && kind == own.handling {
                    return Err(Refusal::Invalid);
                }
                for row in remove {
                    let open = self.live_rows(at).contains(row)
                        && self.cases[at].rows[*row].status != "replied";
                    if !open {
                        return Err(Refusal::Invalid);
                    }
                    self.end_row(at, *row, "void");
                }
                self.cases[at].handling = kind;
                self.add_rows(at, add, true)?;
                self.check_whole(at)?;
            }
            (Act::GiveFeedback | Act::CorrectFeedback, _) => self.rate(command)?,
            (Act::Rehandle, _) => self.rehandle(command)?,
            (Act::Waive, Input::Paper(paper)) => {
                let speaks = |rater: &(usize, usize)| match paper {
                    Some(named) if who == Person::Staff => rater == named,
                    _ => who.member() == Some(self.member(*rater)),
                };
                let complaints = self.complaints(at);
                let mut raters = complaints.iter().map(|form| form.rater);
                let Some((case, position)) = raters.find(speaks) else {
                    return Err(Refusal::Invalid);
                };
                self.cases[case].proposers[position].waived = self.cases[at].round;
            }
            (Act::Close | Act::ReviewPublication, Input::Levels(levels)) => {
                let Some((text, replies)) = levels.or(own.publication) else {
                    return Err(guard("publication_reviewed"));
                };
                own.decide_publication(text, replies)?;
                if command.act == Act::Close {
                    own.status = "closed";
                }
            }
            (Act::Reopen, _) => {
                own.status = "feedback";
                own.archived = false;
            }
            (Act::Consult, Input::Meeting(ends)) => {
                if *ends {
                    own.meetings.push(own.round);
                }
            }
            (Act::SetSecrecy, Input::Secrecy(secrecy)) => {
                let late = *secrecy == "secret" && own.status != "submitted";
                if late || *secrecy == own.secrecy {
                    return Err(Refusal::Invalid);
                }
                own.secrecy = secrecy;
                if *secrecy != "open" {
                    own.publication = own.publication.map(|_| ("none", "none"));
                }
            }
            (Act::Archive, _) => own.archived = true,
            (Act::RequestUrgency, _) => own.requests.push("urgency"),
            (Act::MarkUrgent, Input::Rows { add, .. }) => {
                if !add.is_empty() && own.case_no.is_some() {
                    return Err(Refusal::Invalid);
                }
                own.urgent = true;
                own.requests.retain(|one| *one != "urgency");
                self.add_rows(at, add, true)?;
            }
            (Act::RefuseUrgency, _) => own.requests.retain(|one| *one != "urgency"),
            (Act::DowngradeUrgency, _) => {
                own.urgent = false;
                if own.case_no.is_none() {
                    own.end_early();
                }
            }
            (act, input) => panic!("{act:?} does not go with {input:?}"),
        }
        Ok(())
    }

    /// PT17: only what becomes of the absorbed proposal; the main one stays as it is.
    fn merge(&mut self, at: usize, main: usize) -> Outcome {
        if main == at {
            return Err(Refusal::Invalid);
        }
        let other = &self.cases[main];
        if other.secrecy == "secret" {
            return Err(guard("not_secret"));
        }
        if !matches!(other.status, "submitted" | "filed") {
            return Err(guard("main_open"));
        }
        if self.cases[at].status == "filed" && other.status == "submitted" {
            return Err(guard("main_filed"));
        }
        let own = &mut self.cases[at];
        let signers = own.proposers.iter().map(|one| (one.member, one.status));
        own.before = Some((own.status, own.joint, signers.collect()));
        own.freeze_signers();
        own.requests.clear();
        own.main = Some(main);
        own.status = "merged";
        Ok(())
    }

    /// PT22, `PT22b`.
    fn rate(&mut self, command: &Command) -> Outcome {
        let (who, at) = (command.who, command.case);
        let Input::Rating {
            reply,
            dissatisfied,
            paper,
        } = command.input
        else {
            panic!("{command:?} needs a rating");
        };
        let giving = command.act == Act::GiveFeedback;
        let standing = self.delivered(at).contains(&reply);
        if giving && !standing {
            return Err(Refusal::Invalid);
        }
        let mine = |one: &(usize, usize)| who.member() == Some(self.member(*one));
        let raters = self.raters(at);
        let rater = match paper {
            Some(rater) if who == Person::Staff => raters.contains(&rater).then_some(rater),
            // Who rates for himself names no rater.
            Some(_) => None,
            None => raters.into_iter().find(mine),
        };
        let Some(rater) = rater else {
            return Err(Refusal::Invalid);
        };
        if giving && self.has_rated(at, rater, reply) {
            return Err(guard("not_yet_rated"));
        }
        if dissatisfied && command.fault == Fault::Blank {
            return Err(Refusal::Invalid);
        }
        let own = &mut self.cases[at];
        let late = own.status == "feedback";
        if giving {
            own.forms.push(Form {
                reply,
                rater,
                round: own.round,
                dissatisfied,
                late,
                version: 1,
            });
            return Ok(());
        }
        let round = own.round;
        let mut forms = own.forms.iter_mut();
        let form = forms.find(|one| (one.reply, one.rater, one.round) == (reply, rater, round));
        let Some(form) = form else {
            return Err(Refusal::Invalid);
        };
        form.version += 1;
        form.dissatisfied = dissatisfied;
        form.late = late;
        Ok(())
    }

    /// PT24: rows of earlier rounds stay as they are (I16).
    fn rehandle(&mut self, command: &Command) -> Outcome {
        let at = command.case;
        let Input::Again {
            quality,
            kind,
            rows,
        } = &command.input
        else {
            panic!("{command:?} needs a cause");
        };
        let round = self.cases[at].round;
        if *quality && command.fault == Fault::Blank {
            return Err(Refusal::Invalid);
        }
        if !quality && !self.complaints(at).iter().any(|form| form.round == round) {
            return Err(guard("rehandling_due"));
        }
        let before = self.live_rows(at);
        let before: Vec<_> = before
            .into_iter()
            .map(|row| (self.cases[at].rows[row].unit, self.cases[at].rows[row].role))
            .collect();
        let rows: Vec<_> = if rows.is_empty() {
            let owing = before.iter().filter(|row| row.1 != "reference");
            owing.copied().collect()
        } else {
            rows.clone()
        };
        let own = &mut self.cases[at];
        own.round += 1;
        own.status = "assigned";
        own.handling = kind.or(own.handling);
        own.feedback_until = None;
        self.add_rows(at, &rows, true)?;
        self.check_whole(at)?;
        let own = &mut self.cases[at];
        for row in own.rows.iter_mut().filter(|row| row.round == own.round) {
            if before.iter().any(|old| old.0 == row.unit) {
                row.status = "accepted";
                row.carried_over = true;
                row.returnable = false;
                row.window = None;
            }
        }
        Ok(())
    }
}
