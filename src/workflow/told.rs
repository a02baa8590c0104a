//! Who is told of an event: the "event → told" columns of the tables.
//!
//! "The unit" is its clerks; its signatories are told where they have to act, or where the tables
//! name them. "The proposers" are the first proposer and everybody who signed, those of absorbed
//! proposals too. Who may no longer read the case is told without its title; that is asked when
//! the message is shown.

use super::case::{Assignment, Case, FollowUp, Proposer, Request};
use super::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, ProposerRole,
    RequestKind, RequestStatus,
};
use super::decide::{Happened, Target};
use super::desk::Audience;
use super::profile::{ExtensionApprover, Profile};
use super::reply::ReplyStatus;
use super::role::Role;
use super::rule::State;
use crate::ids::{AssignmentId, SubjectId, UnitId};

/// Everybody who is told of what happened, from the case as it is afterwards; nobody twice.
pub fn told(happened: &Happened, case: &Case, profile: &Profile) -> Vec<Audience> {
    let mut telling = Telling {
        happened,
        case,
        profile,
        list: Vec::new(),
    };
    if !(telling.authoring() || telling.decisions() || telling.handling()) {
        telling.after_the_answer();
    }
    let mut seen = Vec::new();
    for audience in telling.list {
        if !seen.contains(&audience) {
            seen.push(audience);
        }
    }
    seen
}

struct Telling<'a> {
    happened: &'a Happened,
    case: &'a Case,
    profile: &'a Profile,
    list: Vec<Audience>,
}

/// The audience of a proposer: the member, or the clerks of the organisation.
pub fn of_proposer(proposer: &Proposer) -> Option<Audience> {
    match (proposer.member, proposer.organisation) {
        (Some(member), _) => Some(Audience::member(member)),
        (None, organisation) => organisation.map(Audience::organisation),
    }
}

/// Until the decision on filing. Each of these functions says whether the event is one of its own.
impl Telling<'_> {
    fn authoring(&mut self) -> bool {
        match self.happened.event {
            "proposal.created" => {
                if self.case.proposal.form.paper_reference.is_some() {
                    self.first();
                }
            }
            "proposal.edited" => self.waiting_since_now(ConsentStatus::Stale),
            "cosign.invited" => self.waiting_since_now(ConsentStatus::Invited),
            "cosign.expired" => {
                self.first();
                self.expired_now();
            }
            "cosign.consented" | "cosign.declined" | "proposal.seconded" => self.first(),
            "proposal.submitted" => {
                self.role(Role::CommitteeStaff);
                self.co_signers();
            }
            "proposal.resubmitted" => {
                self.role(Role::CommitteeStaff);
                self.role(Role::Examiner);
            }
            "proposal.recalled" => self.role(Role::CommitteeStaff),
            "proposal.withdrawn" if self.happened.rule == "PT09" => {
                self.role(Role::CommitteeStaff);
                self.co_signers();
            }
            "proposal.returned" => {
                self.first();
                self.co_signers();
            }
            "examination.recorded" => {
                if self
                    .case
                    .stage_due(self.profile.examination_stages)
                    .is_none()
                {
                    self.role(Role::CommitteeChair);
                }
            }
            _ => return false,
        }
        true
    }

    fn decisions(&mut self) -> bool {
        match self.happened.event {
            "proposal.filed" => {
                self.proposers();
                self.line();
            }
            "proposal.not_filed"
            | "disposition.carried_out"
            | "referral.sent"
            | "referral.recalled"
            | "publication.published"
            | "publication.withdrawn" => self.proposers(),
            "referral.answered" => {
                self.proposers();
                self.role(Role::CommitteeStaff);
            }
            "proposal.withdrawn" => {
                self.proposers();
                self.units_of_round();
            }
            "withdrawal.requested" => {
                self.role(Role::CommitteeChair);
                self.line();
            }
            "withdrawal.rejected" => self.requester(RequestKind::Withdrawal),
            "proposal.merged" => {
                self.proposers();
                self.list
                    .extend(self.happened.other.map(Audience::proposers_of));
            }
            "proposal.unmerged" => {
                self.proposers();
                self.list
                    .extend(self.happened.other.map(Audience::proposers_of));
                self.list
                    .extend(self.happened.other.map(Audience::units_of));
            }
            "urgency.requested" | "key.nominated" => self.role(Role::CommitteeChair),
            "urgency.refused" => self.requester(RequestKind::Urgency),
            "proposal.urgent" | "urgency.downgraded" => {
                self.role(Role::Examiner);
                self.line();
                self.every_unit();
            }
            "proposal.key" | "key.released" | "proposal.closed" | "proposal.reopened" => {
                self.units();
                self.proposers();
            }
            _ => return false,
        }
        true
    }
}

/// From the assignment to the delivery.
impl Telling<'_> {
    fn handling(&mut self) -> bool {
        match self.happened.event {
            "proposal.assigned" | "units.adjusted" => {
                self.every_unit();
                self.proposers();
            }
            "assignment.created" | "return.rejected" | "suggestion.refused"
            | "assignment.voided" | "pause.denied" | "reply.approved" | "reply.rejected" => {
                self.own_unit();
            }
            "assignment.accepted" | "units.suggested" | "return.requested" => self.line(),
            "extension.requested" | "pause.requested" => {
                self.line();
                if self.profile.extension_approver == ExtensionApprover::WithProposalsCommittee {
                    self.role(Role::CommitteeChair);
                }
            }
            "return.granted" => {
                self.own_unit();
                self.replacement();
                self.proposers();
            }
            "return.escalated" => self.role(Role::Leader),
            "assignment.deemed_accepted" | "assignment.handed_over" | "contact.objected" => {
                self.own_unit();
                self.line();
            }
            "contact.recorded" => self.proposers(),
            "opinion.submitted" | "countersign.given" | "countersign.lapsed" => self.lead(),
            // Of whatever clock: those who handle the case plan with its dates.
            "clock.recounted" => self.units(),
            "opinion.missing" => {
                self.own_unit();
                self.lead();
            }
            "extension.decided" => {
                self.own_unit();
                if self.granted(RequestKind::Extension) {
                    self.proposers();
                }
            }
            "clock.paused" | "clock.resumed" => {
                self.own_unit();
                self.proposers();
            }
            "reply.edited" => {
                if self.happened.from == State::Reply(ReplyStatus::Countersigning) {
                    self.asked_to_countersign(CountersignStatus::Recalled);
                }
            }
            "countersign.requested" => self.asked_to_countersign(CountersignStatus::Requested),
            "countersign.objected" => {
                self.lead();
                self.line();
            }
            "reply.coordinated" => {
                self.lead();
                self.co_handlers();
            }
            "reply.signed" => {
                self.role(Role::SupervisionOfficer);
                self.line();
            }
            _ => return false,
        }
        true
    }

    fn after_the_answer(&mut self) {
        match self.happened.event {
            "reply.delivered" => {
                self.proposers();
                self.line();
                self.role(Role::CommitteeStaff);
                self.co_handlers();
            }
            "proposal.handled" => {
                self.raters();
                self.role(Role::CommitteeStaff);
            }
            "feedback.given" => {
                self.role(Role::CommitteeStaff);
                self.rater_of_the_form();
            }
            "feedback.corrected" => {
                self.role(Role::CommitteeStaff);
                self.named_rater();
            }
            "feedback.concluded" => self.conclusion(),
            "proposal.rehandling" => {
                self.units();
                let signatories: Vec<_> = self.handlers().map(|row| row.unit).collect();
                let signatory = |unit| Audience::unit(Role::UnitSignatory, unit);
                self.list.extend(signatories.into_iter().map(signatory));
                self.proposers();
            }
            "rehandling.waived" => {
                self.role(Role::CommitteeChair);
                self.line();
            }
            "tracking.started" | "tracking.stopped" => {
                self.units();
                self.proposers();
            }
            "tracking.progress" => {
                self.proposers();
                self.role(Role::SupervisionOfficer);
            }
            "promise.fulfilled" => {
                self.proposers();
                self.entries(FollowUpKind::Fulfilment);
            }
            "look_back.opened" => self.role(Role::SupervisionOfficer),
            "supervision.recorded" => self.entries(FollowUpKind::Commitment),
            "urged" => self.entries(FollowUpKind::Urging),
            "urging.answered" => {
                self.role(Role::SupervisionOfficer);
                self.role(Role::CommitteeStaff);
                self.line();
            }
            "instructed" => self.entries(FollowUpKind::Instruction),
            "instruction.answered" => {
                self.role(Role::Leader);
                self.role(Role::CommitteeStaff);
            }
            // Nobody: see `topics::QUIET`.
            _ => {}
        }
    }

    fn conclusion(&mut self) {
        let case = self.case;
        self.units();
        self.proposers();
        self.role(Role::CommitteeStaff);
        // "Re-handling due".
        let dissatisfied = case
            .complaints(&self.profile.rehandling_trigger)
            .any(|form| form.round == case.proposal.round);
        let left = u32::try_from(case.proposal.round)
            .is_ok_and(|round| round <= self.profile.rehandling_max_rounds);
        if dissatisfied && left {
            self.role(Role::CommitteeChair);
            self.line();
        }
    }
}

/// The audiences that the tables name.
impl Telling<'_> {
    fn role(&mut self, role: Role) {
        self.list.push(Audience::role(role));
    }

    fn line(&mut self) {
        self.list
            .extend(self.case.proposal.assigning_line.map(Audience::line));
    }

    fn first(&mut self) {
        self.list
            .extend(self.case.first_proposer().and_then(of_proposer));
    }

    /// Co-signers and seconders who signed or were asked to and have not declined.
    fn co_signers(&mut self) {
        let others = self.case.proposers.iter();
        let others = others.filter(|one| one.role != ProposerRole::First && one.signs());
        self.list.extend(others.filter_map(of_proposer));
    }

    fn proposers(&mut self) {
        let signed = self.case.everybody().filter(|one| {
            one.role == ProposerRole::First || one.status == ConsentStatus::Consented
        });
        self.list.extend(signed.filter_map(of_proposer));
    }

    fn raters(&mut self) {
        let raters = self.case.raters(self.profile.every_signer_rates());
        self.list.extend(raters.filter_map(of_proposer));
    }

    /// Whose invitation began in this act: its clock started with it.
    fn waiting_since_now(&mut self, status: ConsentStatus) {
        let (case, now) = (self.case, self.case.proposal.updated_at);
        let asked = case.proposers.iter().filter(|one| {
            one.status == status
                && case
                    .running(ClockKind::K01, one.id.cast())
                    .is_some_and(|clock| clock.started_at == now)
        });
        self.list.extend(asked.filter_map(of_proposer));
    }

    fn expired_now(&mut self) {
        let (case, now) = (self.case, self.case.proposal.updated_at);
        let stopped = |subject: SubjectId| {
            case.clocks.iter().any(|clock| {
                clock.kind == ClockKind::K01
                    && clock.subject == subject
                    && clock.stopped_at == Some(now)
            })
        };
        let expired = case
            .proposers
            .iter()
            .filter(|one| one.status == ConsentStatus::Expired && stopped(one.id.cast()));
        self.list.extend(expired.filter_map(of_proposer));
    }

    fn clerks(&mut self, units: impl IntoIterator<Item = UnitId>) {
        let clerk = |unit| Audience::unit(Role::UnitClerk, unit);
        self.list.extend(units.into_iter().map(clerk));
    }

    /// Rows of the round that are live and more than a reference copy.
    fn handlers(&self) -> impl Iterator<Item = &Assignment> {
        self.case
            .live_rows()
            .filter(|row| row.role != AssignmentRole::Reference)
    }

    fn units(&mut self) {
        let units: Vec<_> = self.handlers().map(|row| row.unit).collect();
        self.clerks(units);
    }

    /// Those with a reference copy too.
    fn every_unit(&mut self) {
        let case = self.case;
        self.clerks(case.live_rows().map(|row| row.unit));
    }

    /// Those whose row ended with the case, too.
    fn units_of_round(&mut self) {
        let case = self.case;
        let rows = case
            .current_rows()
            .filter(|row| row.status != super::assignment::AssignmentStatus::Returned);
        self.clerks(rows.map(|row| row.unit));
    }

    fn lead(&mut self) {
        let lead = self
            .case
            .live_rows()
            .find(|row| row.role == AssignmentRole::Lead);
        self.clerks(lead.map(|row| row.unit));
    }

    fn co_handlers(&mut self) {
        let case = self.case;
        let rows = case.live_rows();
        let rows = rows.filter(|row| row.role == AssignmentRole::CoHandler);
        self.clerks(rows.map(|row| row.unit));
    }

    fn own_row(&self) -> Option<AssignmentId> {
        match self.happened.target {
            Target::Assignment(id) => Some(id),
            Target::Reply(id) => self.case.reply(id).map(|reply| reply.assignment),
            Target::Proposal => None,
        }
    }

    fn own_unit(&mut self) {
        let row = self.own_row().and_then(|id| self.case.assignment(id));
        self.clerks(row.map(|row| row.unit));
    }

    /// The row that took the place of the returned one.
    fn replacement(&mut self) {
        let own = self.own_row().and_then(|id| self.case.assignment(id));
        let other = own.and_then(|row| row.replaced_by);
        let other = other.and_then(|id| self.case.assignment(id));
        self.clerks(other.map(|row| row.unit));
    }

    /// Clerks and signatories of the co-handlers whose last request on this reply stands so.
    fn asked_to_countersign(&mut self, status: CountersignStatus) {
        let Target::Reply(reply) = self.happened.target else {
            return;
        };
        let requests = self.case.last_countersigns(reply);
        let asked = requests.filter(|request| request.status == status);
        let rows = asked.filter_map(|request| self.case.assignment(request.assignment));
        let units: Vec<_> = rows.map(|row| row.unit).collect();
        let both = |unit| [Role::UnitClerk, Role::UnitSignatory].map(|r| Audience::unit(r, unit));
        self.list.extend(units.into_iter().flat_map(both));
    }

    /// The last request of a kind, on the row it happened to or on the proposal.
    fn request(&self, kind: RequestKind) -> Option<&Request> {
        let row = self.own_row();
        self.case
            .requests
            .iter()
            .rev()
            .find(|request| request.kind == kind && request.assignment == row)
    }

    fn requester(&mut self, kind: RequestKind) {
        let by = self.request(kind).map(|request| request.requested_by);
        self.list.extend(by.map(Audience::user));
    }

    fn granted(&self, kind: RequestKind) -> bool {
        self.request(kind)
            .is_some_and(|request| request.status == RequestStatus::Granted)
    }

    /// I20: the rater gets a copy, and a notice of what staff entered.
    fn rater_of_the_form(&mut self) {
        let rater = self.case.forms.last().map(|form| form.rater);
        let rater = self.case.everybody().find(|one| Some(one.id) == rater);
        self.list.extend(rater.and_then(of_proposer));
    }

    /// The rater for whom staff entered it.
    fn named_rater(&mut self) {
        let named = self.happened.input.get("rater_id");
        let named = named.and_then(|id| serde_json::from_value(id.clone()).ok());
        let rater = self.case.everybody().find(|one| Some(one.id) == named);
        self.list.extend(rater.and_then(of_proposer));
    }

    /// Units and raters that the entries of the last act of a kind are about.
    fn entries(&mut self, kind: FollowUpKind) {
        let case = self.case;
        let of_kind = |entry: &&FollowUp| entry.kind == kind;
        let Some(act) = case
            .follow_ups
            .iter()
            .rev()
            .find(of_kind)
            .map(|one| one.act)
        else {
            return;
        };
        // A supervision without commitments is no news for a unit that made some before.
        let last = case.follow_ups.last().map(|entry| entry.act);
        if kind == FollowUpKind::Commitment && last != Some(act) {
            return;
        }
        let entries = case.follow_ups.iter().filter(of_kind);
        for entry in entries.filter(|entry| entry.act == act) {
            self.clerks(entry.unit);
            let rater = case.everybody().find(|one| Some(one.id) == entry.rater);
            self.list.extend(rater.and_then(of_proposer));
        }
    }
}
