//! What waits for whom: a pure function of the case. The store keeps its result beside the case,
//! so that a desk is one indexed read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::assignment::AssignmentStatus;
use super::case::{Assignment, Case, FollowUp, Reply, Request};
use super::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, HandlingKind,
    ProposerRole, RequestKind, RequestStatus, Secrecy,
};
use super::profile::Profile;
use super::proposal::ProposalStatus;
use super::reply::ReplyStatus;
use super::role::{Grant, Line, Role};
use crate::code_list;
use crate::ids::{ClockId, Id, MemberId, OrganisationId, ProposalId, SubjectId, UnitId, UserId};

code_list! {
    /// What is expected of somebody.
    pub enum Task {
        Revise = "revise", "修改后重新提交", "revise and submit again";
        Finish = "finish", "完成并提交草稿", "finish and submit the draft";
        AnswerInvitation = "answer_invitation", "答复联名邀请", "answer the invitation to sign";
        Examine = "examine", "审查", "examine";
        Decide = "decide", "决定立案与否", "decide on filing";
        Assign = "assign", "交办", "assign";
        Accept = "accept", "签收", "accept the case";
        Contact = "contact", "与提案者沟通", "contact the proposer";
        SubmitOpinion = "submit_opinion", "提交会办意见", "submit the opinion to the lead";
        Reply = "reply", "起草答复", "draft the reply";
        Countersign = "countersign", "会签", "countersign";
        Sign = "sign", "签发答复", "sign the reply";
        Review = "review", "审核答复", "review the reply";
        Deliver = "deliver", "送达答复", "deliver the reply";
        GiveFeedback = "give_feedback", "反馈意见", "give feedback";
        Close = "close", "办结", "close";
        DecideWithdrawal = "decide_withdrawal", "决定撤案申请", "decide on the withdrawal";
        DecideUrgency = "decide_urgency", "决定急办申请", "decide on urgent handling";
        DecideKey = "decide_key", "决定重点提案推荐", "decide on the nomination";
        DecideReturn = "decide_return", "答复申退", "decide on the return";
        DecideExtension = "decide_extension", "决定延期申请", "decide on the extension";
        DecidePause = "decide_pause", "决定中止申请", "decide on the pause";
        AnswerSuggestion = "answer_suggestion", "答复单位建议", "answer the suggestion of units";
        Rehandle = "rehandle", "重新办理", "order re-handling";
        CarryOutDisposition = "carry_out_disposition", "办理处置", "carry out the disposition";
        KeepPromise = "keep_promise", "落实承诺", "keep the promise and report";
        AnswerUrging = "answer_urging", "答复催办", "answer the urging";
        AnswerInstruction = "answer_instruction", "反馈批示办理情况", "give feedback on the instruction";
        LookBack = "look_back", "回头看", "look back at the open promises";
        NoteReferralAnswer = "note_referral_answer", "登记转报转办答复", "note the answer to the referral";
    }
}

/// Who a duty waits for: a role, narrowed to the member, organisation, unit or line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audience(String);

impl Audience {
    /// A role over the whole committee.
    pub fn role(role: Role) -> Self {
        Self(role.as_str().to_owned())
    }

    /// One member.
    pub fn member(member: MemberId) -> Self {
        Self(format!("member:{}", member.uuid().simple()))
    }

    /// The clerks of one organisation.
    pub fn organisation(organisation: OrganisationId) -> Self {
        Self(format!(
            "organisation_clerk:{}",
            organisation.uuid().simple()
        ))
    }

    /// Holders of a role in one unit.
    pub fn unit(role: Role, unit: UnitId) -> Self {
        Self(format!("{role}:{}", unit.uuid().simple()))
    }

    /// The assigning officers of one line.
    pub fn line(line: Line) -> Self {
        Self(format!("assigning_officer:{line}"))
    }

    /// The audience a grant belongs to; `member` is that of the account.
    pub fn of(grant: &Grant, member: Option<MemberId>) -> Option<Self> {
        match (grant.role, grant.unit_id, grant.organisation_id, grant.line) {
            (Role::Member, ..) => member.map(Self::member),
            (role, Some(unit), ..) => Some(Self::unit(role, unit)),
            (_, _, Some(organisation), _) => Some(Self::organisation(organisation)),
            (.., Some(line)) => Some(Self::line(line)),
            (role, None, None, None) => Some(Self::role(role)),
        }
    }

    /// One account.
    pub fn user(user: UserId) -> Self {
        Self(format!("user:{}", user.uuid().simple()))
    }

    /// Everybody who signed another case.
    pub fn proposers_of(proposal: ProposalId) -> Self {
        Self(format!("proposers_of:{}", proposal.uuid().simple()))
    }

    /// The clerks of the units that handle another case.
    pub fn units_of(proposal: ProposalId) -> Self {
        Self(format!("units_of:{}", proposal.uuid().simple()))
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the stored form says; `None` if it is not one.
    pub fn scope(&self) -> Option<Scope> {
        let Some((kind, rest)) = self.0.split_once(':') else {
            return self.0.parse().ok().map(Scope::Role);
        };
        if kind == Role::AssigningOfficer.as_str() {
            return rest.parse().ok().map(Scope::Line);
        }
        let id = rest.parse().ok()?;
        Some(match kind {
            "member" => Scope::Member(Id::from_uuid(id)),
            "organisation_clerk" => Scope::Organisation(Id::from_uuid(id)),
            "user" => Scope::User(Id::from_uuid(id)),
            "proposers_of" => Scope::ProposersOf(Id::from_uuid(id)),
            "units_of" => Scope::UnitsOf(Id::from_uuid(id)),
            role => Scope::Unit(role.parse().ok()?, Id::from_uuid(id)),
        })
    }
}

/// Where the people of an audience are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Holders of a role that is narrowed to nothing.
    Role(Role),
    /// The account of a member.
    Member(MemberId),
    /// The clerks of an organisation.
    Organisation(OrganisationId),
    /// Holders of a role in a unit.
    Unit(Role, UnitId),
    /// The assigning officers of a line.
    Line(Line),
    /// One account.
    User(UserId),
    /// Everybody who signed a case.
    ProposersOf(ProposalId),
    /// The clerks of the units that handle a case.
    UnitsOf(ProposalId),
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duty {
    /// For whom.
    pub audience: Audience,
    /// What.
    pub task: Task,
    /// `proposal`, `assignment`, `reply`, `proposer`, `promise`, `follow_up` or `referral`.
    pub subject_kind: &'static str,
    /// On what.
    pub subject: SubjectId,
    /// By when; `None` where no clock runs.
    pub due_at: Option<Timestamp>,
    /// The clock that runs for it.
    pub clock: Option<ClockId>,
}

struct Desk<'a> {
    case: &'a Case,
    profile: &'a Profile,
    list: Vec<Duty>,
}

/// Every duty of a case, in a stable order.
pub fn duties(case: &Case, profile: &Profile) -> Vec<Duty> {
    let mut desk = Desk {
        case,
        profile,
        list: Vec::new(),
    };
    match case.proposal.status {
        ProposalStatus::Draft => {
            desk.proposer(Task::Finish, None);
            desk.invitations();
        }
        ProposalStatus::Returned => {
            desk.proposer(Task::Revise, Some(ClockKind::K02));
            desk.invitations();
        }
        ProposalStatus::Submitted => {
            desk.invitations();
            let examined = case.stage_due(profile.examination_stages).is_none();
            let (role, task) = if examined {
                (Role::CommitteeChair, Task::Decide)
            } else {
                (Role::Examiner, Task::Examine)
            };
            desk.proposal(Audience::role(role), task, Some(ClockKind::K03));
        }
        ProposalStatus::Filed => {
            if let Some(line) = case.proposal.assigning_line {
                desk.proposal(Audience::line(line), Task::Assign, Some(ClockKind::K04));
            }
        }
        ProposalStatus::Assigned => {
            for row in case.live_rows() {
                desk.row(row);
            }
        }
        ProposalStatus::Handled => desk.raters(),
        ProposalStatus::Feedback => desk.end_of_round(),
        ProposalStatus::NotFiled if case.proposal.marks.disposed_at.is_none() => {
            let staff = Audience::role(Role::CommitteeStaff);
            desk.proposal(staff, Task::CarryOutDisposition, Some(ClockKind::K20));
        }
        ProposalStatus::NotFiled
        | ProposalStatus::Merged
        | ProposalStatus::Withdrawn
        | ProposalStatus::Closed => {}
    }
    desk.requests();
    desk.follow_ups();
    desk.referrals();
    desk.list.sort();
    desk.list.dedup();
    desk.list
}

impl Desk<'_> {
    fn push(
        &mut self,
        audience: Audience,
        task: Task,
        (subject_kind, subject): (&'static str, SubjectId),
        clock: Option<(ClockKind, SubjectId)>,
    ) {
        let clock = clock.and_then(|(kind, subject)| self.case.running(kind, subject));
        self.list.push(Duty {
            audience,
            task,
            subject_kind,
            subject,
            due_at: clock.map(|clock| clock.due_at),
            clock: clock.map(|clock| clock.id),
        });
    }

    fn proposal(&mut self, audience: Audience, task: Task, clock: Option<ClockKind>) {
        let subject: SubjectId = self.case.proposal.id.cast();
        self.push(
            audience,
            task,
            ("proposal", subject),
            clock.map(|kind| (kind, subject)),
        );
    }

    fn proposer(&mut self, task: Task, clock: Option<ClockKind>) {
        let Some(first) = self.case.first_proposer() else {
            return;
        };
        match (first.member, first.organisation) {
            (Some(member), _) => self.proposal(Audience::member(member), task, clock),
            (None, Some(organisation)) => {
                self.proposal(Audience::organisation(organisation), task, clock);
            }
            (None, None) => {}
        }
        if self.case.proposal.form.paper_reference.is_some() {
            self.proposal(Audience::role(Role::CommitteeStaff), task, clock);
        }
    }

    fn invitations(&mut self) {
        let case = self.case;
        for proposer in &case.proposers {
            let waits = proposer.role == ProposerRole::Cosigner
                && matches!(
                    proposer.status,
                    ConsentStatus::Invited | ConsentStatus::Stale
                );
            let audience = match (proposer.member, proposer.organisation) {
                (Some(member), _) => Some(Audience::member(member)),
                (None, organisation) => organisation.map(Audience::organisation),
            };
            if let (true, Some(audience)) = (waits, audience) {
                let subject = proposer.id.cast();
                self.push(
                    audience,
                    Task::AnswerInvitation,
                    ("proposer", subject),
                    Some((ClockKind::K01, subject)),
                );
            }
        }
    }

    /// Another round while one is left and a rater is dissatisfied; otherwise the case closes.
    fn end_of_round(&mut self) {
        let case = self.case;
        let complaint = case
            .complaints(&self.profile.rehandling_trigger)
            .any(|form| form.round == case.proposal.round);
        let left = u32::try_from(case.proposal.round)
            .is_ok_and(|round| round <= self.profile.rehandling_max_rounds);
        if !(complaint && left) {
            self.proposal(Audience::role(Role::CommitteeStaff), Task::Close, None);
            return;
        }
        self.proposal(Audience::role(Role::CommitteeChair), Task::Rehandle, None);
        if let Some(line) = case.proposal.assigning_line {
            self.proposal(Audience::line(line), Task::Rehandle, None);
        }
    }

    /// Promises that are open, urgings and instructions that wait for their answer.
    fn follow_ups(&mut self) {
        let case = self.case;
        for promise in case.open_promises() {
            let clerk = Audience::unit(Role::UnitClerk, promise.unit);
            let subject = promise.id.cast();
            let clock = Some((ClockKind::K15, subject));
            self.push(clerk, Task::KeepPromise, ("promise", subject), clock);
        }
        if case
            .running(ClockKind::K16, case.proposal.id.cast())
            .is_some()
        {
            let supervision = Audience::role(Role::SupervisionOfficer);
            self.proposal(supervision, Task::LookBack, Some(ClockKind::K16));
        }
        let urged = !matches!(
            case.proposal.status,
            ProposalStatus::Withdrawn | ProposalStatus::Merged | ProposalStatus::NotFiled
        );
        for entry in case.unanswered(FollowUpKind::Urging).filter(|_| urged) {
            let clerk = |unit| Audience::unit(Role::UnitClerk, unit);
            let rater = case.everybody().find(|one| Some(one.id) == entry.rater);
            let rater = rater.and_then(|one| match (one.member, one.organisation) {
                (Some(member), _) => Some(Audience::member(member)),
                (None, organisation) => organisation.map(Audience::organisation),
            });
            if let Some(audience) = entry.unit.map(clerk).or(rater) {
                self.entry(audience, Task::AnswerUrging, ClockKind::K21, entry);
            }
        }
        for entry in case.unanswered(FollowUpKind::Instruction) {
            if let Some(unit) = entry.unit {
                let clerk = Audience::unit(Role::UnitClerk, unit);
                self.entry(clerk, Task::AnswerInstruction, ClockKind::K19, entry);
            }
        }
    }

    /// Bodies outside of this service answer on paper.
    fn referrals(&mut self) {
        let case = self.case;
        let outside = case.open_referrals().filter(|one| one.committee.is_none());
        for referral in outside.filter(|_| case.proposal.secrecy != Secrecy::Secret) {
            let place = ("referral", referral.id.cast());
            let staff = Audience::role(Role::CommitteeStaff);
            self.push(staff, Task::NoteReferralAnswer, place, None);
        }
    }

    fn entry(&mut self, audience: Audience, task: Task, clock: ClockKind, entry: &FollowUp) {
        let subject = entry.id.cast();
        self.push(
            audience,
            task,
            ("follow_up", subject),
            Some((clock, subject)),
        );
    }

    /// What was asked for and waits for a decision.
    fn requests(&mut self) {
        let case = self.case;
        let open = |request: &&Request| request.status == RequestStatus::Open;
        for request in case.requests.iter().filter(open) {
            let decided_by_request = Some((ClockKind::K13, request.id.cast()));
            let (task, clock) = match request.kind {
                RequestKind::Withdrawal | RequestKind::Urgency | RequestKind::Key => {
                    let task = match request.kind {
                        RequestKind::Urgency => Task::DecideUrgency,
                        RequestKind::Key => Task::DecideKey,
                        _ => Task::DecideWithdrawal,
                    };
                    let clock = Some((ClockKind::K14, request.id.cast()));
                    let place = ("proposal", case.proposal.id.cast());
                    self.push(Audience::role(Role::CommitteeChair), task, place, clock);
                    continue;
                }
                RequestKind::Return => (
                    Task::DecideReturn,
                    request.assignment.map(|row| (ClockKind::K06, row.cast())),
                ),
                RequestKind::Extension => (Task::DecideExtension, decided_by_request),
                RequestKind::Pause => (Task::DecidePause, decided_by_request),
                RequestKind::Units => (Task::AnswerSuggestion, None),
            };
            if let (Some(row), Some(line)) = (request.assignment, case.proposal.assigning_line) {
                let place = ("assignment", row.cast());
                self.push(Audience::line(line), task, place, clock);
            }
        }
    }

    fn row(&mut self, row: &Assignment) {
        let subject: SubjectId = row.id.cast();
        let place = ("assignment", subject);
        let clerk = Audience::unit(Role::UnitClerk, row.unit);
        match (row.status, row.role) {
            (_, AssignmentRole::Reference) => {}
            (AssignmentStatus::Pending, _) => {
                self.push(clerk, Task::Accept, place, Some((ClockKind::K05, subject)));
            }
            (AssignmentStatus::Accepted, AssignmentRole::CoHandler)
                if !row.opinion_missing && !self.case.lead_signed() =>
            {
                self.push(
                    clerk,
                    Task::SubmitOpinion,
                    place,
                    Some((ClockKind::K08, subject)),
                );
            }
            // Its time ran out, or the lead has signed: it owes nothing more.
            (AssignmentStatus::Accepted, AssignmentRole::CoHandler) => {}
            (AssignmentStatus::Accepted, _) => {
                if !self.case.contacted(row.id) {
                    self.push(
                        clerk.clone(),
                        Task::Contact,
                        place,
                        Some((ClockKind::K07, subject)),
                    );
                }
                match self.case.live_reply(row.id) {
                    Some(reply) => self.reply(row, reply),
                    None => self.push(clerk, Task::Reply, place, Some((ClockKind::K10, subject))),
                }
            }
            _ => {}
        }
    }

    fn reply(&mut self, row: &Assignment, reply: &Reply) {
        let place = ("reply", reply.id.cast());
        let due = Some((ClockKind::K10, row.id.cast()));
        let clerk = Audience::unit(Role::UnitClerk, row.unit);
        let signatory = Audience::unit(Role::UnitSignatory, row.unit);
        match reply.status {
            ReplyStatus::Draft => {
                let joint = row.role == AssignmentRole::Lead
                    && self.case.proposal.handling_kind == Some(HandlingKind::Joint);
                self.push(clerk, Task::Reply, place, due);
                if !joint || !self.profile.countersign_required || reply.is_coordinated() {
                    self.push(signatory, Task::Sign, place, due);
                }
            }
            ReplyStatus::Countersigning => {
                let open: Vec<_> = self
                    .case
                    .countersigns
                    .iter()
                    .filter(|request| {
                        request.reply == reply.id && request.status == CountersignStatus::Requested
                    })
                    .filter_map(|request| self.case.assignment(request.assignment))
                    .map(|row| (row.unit, row.id))
                    .collect();
                // A coordination decision replaces those that are missing.
                if open.is_empty() || reply.is_coordinated() {
                    self.push(signatory, Task::Sign, place, due);
                }
                if open.is_empty() {
                    // A co-handler that came later was not asked: the clerk asks everybody again.
                    let asked = |row: &Assignment| {
                        self.case
                            .countersigns
                            .iter()
                            .any(|one| one.reply == reply.id && one.assignment == row.id)
                    };
                    let mut co_handlers = self.case.live_rows();
                    if co_handlers.any(|row| row.role == AssignmentRole::CoHandler && !asked(row)) {
                        self.push(clerk, Task::Reply, place, due);
                    }
                }
                for (unit, row) in open {
                    let audience = Audience::unit(Role::UnitSignatory, unit);
                    let clock = Some((ClockKind::K09, row.cast()));
                    self.push(audience, Task::Countersign, place, clock);
                }
            }
            ReplyStatus::UnderReview if reply.approved => {
                self.push(clerk, Task::Deliver, place, due);
            }
            ReplyStatus::UnderReview => {
                let clock = Some((ClockKind::K11, reply.id.cast()));
                self.push(
                    Audience::role(Role::SupervisionOfficer),
                    Task::Review,
                    place,
                    clock,
                );
                if let Some(line) = self.case.proposal.assigning_line {
                    self.push(Audience::line(line), Task::Review, place, clock);
                }
            }
            ReplyStatus::Delivered | ReplyStatus::Superseded => {}
        }
    }

    fn raters(&mut self) {
        let case = self.case;
        for rater in case.raters(self.profile.every_signer_rates()) {
            let audience = match (rater.member, rater.organisation) {
                (Some(member), _) => Audience::member(member),
                (None, Some(organisation)) => Audience::organisation(organisation),
                (None, None) => continue,
            };
            for reply in case.delivered() {
                let rated = case
                    .forms
                    .iter()
                    .any(|form| form.reply == reply.id && form.rater == rater.id);
                if !rated {
                    let clock = Some((ClockKind::K12, rater.id.cast()));
                    let place = ("reply", reply.id.cast());
                    self.push(audience.clone(), Task::GiveFeedback, place, clock);
                }
            }
        }
    }
}
