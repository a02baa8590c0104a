//! A case: the facts of one proposal with everything that hangs on it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::assignment::AssignmentStatus;
use super::codes::{
    AssignmentRole, CaseSeries, ClockKind, ConsentStatus, CountersignStatus, FollowUpKind,
    FollowUpStatus, Grade, HandlingKind, OutcomeMeaning, ProgrammeTier, PromiseStatus,
    ProposerRole, PublicationLevel, Recommendation, ReferralStatus, RequestKind, RequestStatus,
    Secrecy, SessionMark, Stage, SubjectClass, Urgency,
};
use super::input::{ProposalForm, ReplyForm};
use super::lists::ProposerKind;
use super::proposal::ProposalStatus;
use super::reply::ReplyStatus;
use super::role::{Actor, Line, Role};
use crate::code_list;
use crate::ids::{
    AssignmentId, ClockId, CommitteeId, MemberId, OpinionId, OrganisationId, PromiseId, ProposalId,
    ProposerId, ReplyId, SessionId, SubjectId, TermId, UnitId, UserId,
};

mod side_roads;

pub use side_roads::{
    Absorbed, Before, Consultation, Contact, FollowUp, Main, Referral, ReferralAnswer, Request,
    RequestDecision, RequestForm,
};

/// The facts on which every decision rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The proposal itself.
    pub proposal: Proposal,
    /// The session it belongs to.
    pub session: Session,
    /// First proposer and co-signers, in order.
    pub proposers: Vec<Proposer>,
    /// Examination opinions of all submissions.
    pub opinions: Vec<Opinion>,
    /// Rows of all rounds.
    pub assignments: Vec<Assignment>,
    /// Contact records of all rows.
    pub contacts: Vec<Contact>,
    /// Replies of all rounds.
    pub replies: Vec<Reply>,
    /// Requests to countersign: of every text of each reply.
    pub countersigns: Vec<Countersign>,
    /// Opinion forms of all rounds, the last version of each.
    pub forms: Vec<Form>,
    /// Promises of all replies.
    pub promises: Vec<Promise>,
    /// Since when the case is tracked; `None` if it is not.
    pub tracked_since: Option<Timestamp>,
    /// What was asked for: withdrawal, return, extension, pause, further units.
    pub requests: Vec<Request>,
    /// Consultations on record.
    pub consultations: Vec<Consultation>,
    /// Progress, verdicts, supervision, urgings, instructions, in order; their words are records.
    pub follow_ups: Vec<FollowUp>,
    /// To whom the case was sent, in order.
    pub referrals: Vec<Referral>,
    /// The proposals absorbed by this one.
    pub absorbed: Vec<Absorbed>,
    /// The proposal that absorbed this one.
    pub main: Option<Main>,
    /// Clocks, running and stopped.
    pub clocks: Vec<Clock>,
}

/// The proposal of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The tenant.
    pub committee: CommitteeId,
    /// Identifier.
    pub id: ProposalId,
    /// Rises with every write on the case.
    pub version: i32,
    /// Kind of the proposer.
    pub kind: ProposerKind,
    /// Status of the proposal machine.
    pub status: ProposalStatus,
    /// Since when.
    pub status_since: Timestamp,
    /// Handling round, from 1.
    pub round: i32,
    /// Given at the first submission (I3).
    pub serial_no: Option<i32>,
    /// Given at filing (I2).
    pub case_no: Option<i32>,
    /// The series that the case number is from.
    pub case_series: CaseSeries,
    /// Set at the first submission.
    pub session_mark: Option<SessionMark>,
    /// What the proposer wrote: the present version.
    pub form: ProposalForm,
    /// Number of the present version.
    pub text_version: i32,
    /// Version that was handed in last; 0 before the first submission.
    pub submitted_version: i32,
    /// How often it was handed in.
    pub submission_no: i32,
    /// Set at examination.
    pub subject_class: Option<SubjectClass>,
    /// Set at examination.
    pub assigning_line: Option<Line>,
    /// Of the present round.
    pub handling_kind: Option<HandlingKind>,
    /// Who may read it.
    pub secrecy: Secrecy,
    /// The urgent lane.
    pub urgency: Urgency,
    /// Pinned at filing (I26).
    pub profile_version: i32,
    /// The collective proposer.
    pub organisation: Option<OrganisationId>,
    /// The account that made it.
    pub created_by: UserId,
    /// When it was filed.
    pub filed_at: Option<Timestamp>,
    /// What is noted about it and is no status.
    pub marks: Marks,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the case was last written to.
    pub updated_at: Timestamp,
}

/// What is noted about a case and is no status; kept apart because most cases have none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// 归档: when it was put into the archive.
    pub archived_at: Option<Timestamp>,
    /// Its place in the yearly programme.
    pub tier: Option<ProgrammeTier>,
    /// The year of the programme.
    pub programme_year: Option<i32>,
    /// How far the text is published.
    pub published_text: Option<PublicationLevel>,
    /// Since when.
    pub text_published_at: Option<Timestamp>,
    /// How far the replies are published.
    pub published_replies: Option<PublicationLevel>,
    /// Since when.
    pub replies_published_at: Option<Timestamp>,
    /// How far the text may be published, as reviewed.
    pub publish_text: Option<PublicationLevel>,
    /// How far the replies may be published, as reviewed.
    pub publish_replies: Option<PublicationLevel>,
    /// When the disposition of a refused proposal was carried out.
    pub disposed_at: Option<Timestamp>,
    /// 可否附议: members may join uninvited.
    pub open_for_seconding: bool,
}

/// The session a proposal belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Identifier.
    pub id: SessionId,
    /// Its term.
    pub term: TermId,
    /// Number of the term (届).
    pub term_number: i32,
    /// Number of the session in the term (次).
    pub number: i32,
    /// First day on which session proposals may be handed in.
    pub window_opens_on: Date,
    /// Last moment for session proposals.
    pub deadline_at: Timestamp,
    /// Last day of the plenary.
    pub ends_on: Date,
    /// K03 of session proposals.
    pub examination_until: Date,
}

/// A proposer of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposer {
    /// Identifier; names the rater on opinion forms.
    pub id: ProposerId,
    /// Order; the first proposer is 1.
    pub position: i32,
    /// First proposer or co-signer.
    pub role: ProposerRole,
    /// How far the consent is.
    pub status: ConsentStatus,
    /// A member …
    pub member: Option<MemberId>,
    /// … or a collective.
    pub organisation: Option<OrganisationId>,
    /// Name, copied from the register.
    pub name: String,
    /// Sector, copied from the register.
    pub sector: Option<String>,
    /// Party, copied from the register.
    pub party: Option<String>,
    /// Number of the member, copied from the register.
    pub member_no: Option<String>,
    /// Text version the consent is bound to.
    pub consented_version: Option<i32>,
    /// Opinion given with the consent, or reason of the refusal.
    pub comment: Option<String>,
    /// When consent was given or refused.
    pub decided_at: Option<Timestamp>,
    /// Why this proposer need not rate: left office, deceased.
    pub excused: Option<String>,
    /// Round in which re-handling was given up in writing.
    pub waived_round: Option<i32>,
}

/// An examination opinion; immutable (I13).
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Identifier.
    pub id: OpinionId,
    /// The submission it is about.
    pub submission_no: i32,
    /// The stage.
    pub stage: Stage,
    /// Who gave it.
    pub examiner: UserId,
    /// What it recommends.
    pub recommendation: Recommendation,
}

/// A row that binds one unit to the case in one round.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Assignment {
    /// Identifier.
    pub id: AssignmentId,
    /// Rises with every change of the row.
    pub version: i32,
    /// The round.
    pub round: i32,
    /// Order of the rows; the lead is first.
    pub position: i32,
    /// What the unit is to the case.
    pub role: AssignmentRole,
    /// The unit.
    pub unit: UnitId,
    /// Its name at that time.
    pub unit_name: String,
    /// Status of the assignment machine.
    pub status: AssignmentStatus,
    /// Part of the matter, for separate handling.
    pub part: Option<String>,
    /// Whether a return may still be asked for (I9).
    pub returnable: bool,
    /// Accepted by lapse of the window.
    pub deemed: bool,
    /// When it was signed for.
    pub accepted_at: Option<Timestamp>,
    /// Clerk in charge.
    pub clerk_name: Option<String>,
    /// Telephone of the clerk.
    pub clerk_phone: Option<String>,
    /// The co-handler was silent when K08 lapsed.
    pub opinion_missing: bool,
    /// Versions of the co-handler's opinion.
    pub opinions: i32,
    /// Carried over from the round before: accepted from the start, not returnable (I9).
    pub carried_over: bool,
    /// The row that took its place after a granted return.
    pub replaced_by: Option<AssignmentId>,
}

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Identifier.
    pub id: ReplyId,
    /// Rises with every change.
    pub version: i32,
    /// The row it answers for.
    pub assignment: AssignmentId,
    /// The unit.
    pub unit: UnitId,
    /// The round.
    pub round: i32,
    /// Status of the reply machine.
    pub status: ReplyStatus,
    /// Number of the present text version.
    pub text_version: i32,
    /// The present text.
    pub form: ReplyForm,
    /// SHA-256 of the present text, in hexadecimal; signatures are bound to it.
    pub content_hash: String,
    /// Passed the review.
    pub approved: bool,
    /// What the unit says it comes to (I14).
    pub unit_outcome: Option<OutcomeMeaning>,
    /// What the reviewer says (I14).
    pub reviewer_outcome: Option<OutcomeMeaning>,
    /// What holds now, after tracking (I14).
    pub current_outcome: Option<OutcomeMeaning>,
    /// Word, year and number of the document.
    pub document: Option<DocumentNo>,
    /// Account that signed.
    pub signed_by: Option<UserId>,
    /// Name of the signatory.
    pub signatory: Option<String>,
    /// Hash of the text that was signed.
    pub signed_hash: Option<String>,
    /// When it was signed.
    pub signed_at: Option<Timestamp>,
    /// Account that reviewed.
    pub reviewed_by: Option<UserId>,
    /// Reason of a rejection or a changed outcome.
    pub review_note: Option<String>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Hash of the text for which a coordination decision replaces countersignatures.
    pub coordinated_hash: Option<String>,
    /// The decision, in words.
    pub coordination: Option<String>,
    /// Signed by the head of the unit.
    pub signed_by_head: bool,
    /// Hash of the text that the review rejected last.
    pub rejected_hash: Option<String>,
}

/// Number of a reply document (文号): unique per unit, word and year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentNo {
    /// Word of the unit, such as 云教提复.
    pub prefix: String,
    /// Year.
    pub year: i32,
    /// Running number; `None` until the store has allotted it.
    pub number: Option<i32>,
}

impl std::fmt::Display for DocumentNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}〔{}〕{}号",
            self.prefix,
            self.year,
            self.number.unwrap_or_default()
        )
    }
}

/// A request to a co-handler to countersign a reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Countersign {
    /// The reply.
    pub reply: ReplyId,
    /// The co-handler's row.
    pub assignment: AssignmentId,
    /// Its answer.
    pub status: CountersignStatus,
    /// Number of the request on this reply, from 1; earlier ones stay on record.
    pub attempt: i32,
    /// Hash of the text it is about.
    pub content_hash: String,
    /// Remarks or the reason of the objection.
    pub remarks: Option<String>,
    /// Who answered.
    pub signatory: Option<String>,
    /// When.
    pub answered_at: Option<Timestamp>,
}

/// An opinion form: one per reply and rater (I20).
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The reply.
    pub reply: ReplyId,
    /// The rater.
    pub rater: ProposerId,
    /// The round.
    pub round: i32,
    /// Version, from 1.
    pub version: i32,
    /// Axis one.
    pub attitude: Grade,
    /// Axis two.
    pub result: Grade,
    /// Given after conclusion.
    pub late: bool,
}

/// A dated promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// Identifier.
    pub id: PromiseId,
    /// The reply that made it.
    pub reply: ReplyId,
    /// The unit that owes it.
    pub unit: UnitId,
    /// How far it is.
    pub status: PromiseStatus,
    /// What is promised.
    pub text: String,
    /// Who is responsible.
    pub person: String,
    /// By when.
    pub due_on: Date,
}

/// A clock of the case (I23).
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// Identifier.
    pub id: ClockId,
    /// Which clock.
    pub kind: ClockKind,
    /// The proposer, assignment or reply it runs for, or the proposal.
    pub subject: SubjectId,
    /// When it started.
    pub started_at: Timestamp,
    /// The limit, such as `5 wd`, or `until 2026-03-31`.
    pub limit: String,
    /// Profile in force at its start.
    pub profile_version: i32,
    /// Calendar used.
    pub calendar_version: i32,
    /// The calendar has no data for the year yet.
    pub provisional: bool,
    /// Due moment when it started.
    pub original_due: Timestamp,
    /// Due moment now.
    pub due_at: Timestamp,
    /// When it stopped; `None` while it runs.
    pub stopped_at: Option<Timestamp>,
    /// Pauses and extensions, in order of time (counting rule 7).
    pub changes: Vec<ClockChange>,
    /// When time next does something to it by itself; `None`: never, as far as is known. Kept by
    /// the engine for the worker.
    pub wake_at: Option<Timestamp>,
}

/// A change of a running clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ClockChange {
    /// It stood still from the first day up to, not including, the last.
    Paused {
        /// First day that is not counted.
        from: Date,
        /// The day it goes on; the agreed one until it is resumed.
        until: Date,
        /// Went on, by a decision or at the agreed end.
        ended: bool,
    },
    /// It counts on another limit, from its original start: the case became urgent, or is no
    /// longer.
    Relimited {
        /// The day of the decision.
        on: Date,
        /// The limit before.
        from: String,
        /// The limit now.
        to: String,
    },
    /// The due date was moved.
    Extended {
        /// The day of the decision.
        decided_on: Date,
        /// The new last day.
        until: Date,
    },
    /// Another version of the calendar counts the same time otherwise (counting rule 8).
    Recounted {
        /// The day it was counted anew.
        on: Date,
        /// The calendar before.
        from_version: i32,
        /// The calendar now.
        to_version: i32,
        /// The last day before.
        due_before: Date,
        /// The last day now.
        due_after: Date,
    },
}

code_list! {
    /// Where a case stands inside `assigned`; derived, never stored.
    pub enum Phase {
        AwaitingAcceptance = "awaiting_acceptance", "待签收", "awaiting acceptance";
        InHandling = "in_handling", "办理中", "in handling";
    }
}

impl Case {
    /// Phase inside `assigned`.
    pub fn phase(&self) -> Option<Phase> {
        (self.proposal.status == ProposalStatus::Assigned).then(|| {
            let waiting = self.bound_rows().any(|row| {
                matches!(
                    row.status,
                    AssignmentStatus::Pending | AssignmentStatus::ReturnRequested
                )
            });
            if waiting {
                Phase::AwaitingAcceptance
            } else {
                Phase::InHandling
            }
        })
    }

    /// Rows of the present round.
    pub fn current_rows(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments
            .iter()
            .filter(|row| row.round == self.proposal.round)
    }

    /// Rows of the present round that are neither void nor returned.
    pub fn live_rows(&self) -> impl Iterator<Item = &Assignment> {
        self.current_rows().filter(|row| row.status.is_live())
    }

    /// Live rows that owe a reply: lead and separate.
    pub fn bound_rows(&self) -> impl Iterator<Item = &Assignment> {
        self.live_rows().filter(|row| row.role.replies())
    }

    /// Replies delivered in the present round.
    pub fn delivered(&self) -> impl Iterator<Item = &Reply> {
        self.replies.iter().filter(|reply| {
            reply.round == self.proposal.round && reply.status == ReplyStatus::Delivered
        })
    }

    /// A row by identifier.
    pub fn assignment(&self, id: AssignmentId) -> Option<&Assignment> {
        self.assignments.iter().find(|row| row.id == id)
    }

    /// A reply by identifier.
    pub fn reply(&self, id: ReplyId) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.id == id)
    }

    /// The reply of a row that is being worked on or under review.
    pub fn live_reply(&self, row: AssignmentId) -> Option<&Reply> {
        self.replies
            .iter()
            .find(|reply| reply.assignment == row && reply.status.is_live())
    }

    /// The first proposer.
    pub fn first_proposer(&self) -> Option<&Proposer> {
        self.proposers
            .iter()
            .find(|proposer| proposer.role == ProposerRole::First)
    }

    /// Whether the actor, or an organisation it speaks for, signed the case or one it absorbed, or
    /// was asked to sign and has not declined.
    pub fn is_signed_by(&self, actor: &Actor) -> bool {
        self.everybody()
            .any(|proposer| proposer.signs() && proposer.is(actor))
    }

    /// The contacts of a row.
    pub fn contacted(&self, row: AssignmentId) -> bool {
        self.contacts
            .iter()
            .any(|contact| contact.assignment == row)
    }

    /// The open request of a kind, on a row or on the proposal.
    pub fn open_request(&self, kind: RequestKind, row: Option<AssignmentId>) -> Option<&Request> {
        self.requests.iter().find(|request| {
            request.kind == kind
                && request.assignment == row
                && request.status == RequestStatus::Open
        })
    }

    /// Promises that are not kept yet, and not given up.
    pub fn open_promises(&self) -> impl Iterator<Item = &Promise> {
        self.promises
            .iter()
            .filter(|promise| promise.status == PromiseStatus::Open)
    }

    /// Entries of a kind that wait for an answer.
    pub fn unanswered(&self, kind: FollowUpKind) -> impl Iterator<Item = &FollowUp> {
        self.follow_ups
            .iter()
            .filter(move |entry| entry.kind == kind && entry.status == FollowUpStatus::Open)
    }

    /// Referrals that wait for an answer.
    pub fn open_referrals(&self) -> impl Iterator<Item = &Referral> {
        let open = |one: &&Referral| one.status == ReferralStatus::Sent;
        self.referrals.iter().filter(open)
    }

    /// Whether an entry waits for an answer of the actor.
    pub fn asks(&self, entry: &FollowUp, actor: &Actor) -> bool {
        let unit = entry.unit.is_some_and(|unit| {
            actor
                .grants
                .iter()
                .any(|grant| grant.role == Role::UnitClerk && grant.unit_id == Some(unit))
        });
        let rater = entry.rater.is_some_and(|rater| {
            self.everybody()
                .any(|proposer| proposer.id == rater && proposer.is(actor))
        });
        unit || rater
    }

    /// Invitations whose time has run out by now.
    pub fn lapsed_invitations(&self, now: Timestamp) -> impl Iterator<Item = &Proposer> {
        self.proposers.iter().filter(move |proposer| {
            matches!(
                proposer.status,
                ConsentStatus::Invited | ConsentStatus::Stale
            ) && self.lapsed(ClockKind::K01, proposer.id.cast(), now)
        })
    }

    /// Requests to countersign a reply whose time has run out.
    pub fn lapsed_countersigns(
        &self,
        reply: ReplyId,
        now: Timestamp,
    ) -> impl Iterator<Item = &Countersign> {
        self.countersigns.iter().filter(move |request| {
            request.reply == reply
                && request.status == CountersignStatus::Requested
                && self.lapsed(ClockKind::K09, request.assignment.cast(), now)
        })
    }

    /// Invitations that wait for an answer and have not run out.
    pub fn open_invitations(&self, now: Timestamp) -> impl Iterator<Item = &Proposer> {
        self.proposers.iter().filter(move |proposer| {
            proposer.role == ProposerRole::Cosigner
                && matches!(
                    proposer.status,
                    ConsentStatus::Invited | ConsentStatus::Stale
                )
                && !self.lapsed(ClockKind::K01, proposer.id.cast(), now)
        })
    }

    /// Returns granted in the present round.
    pub fn bounces(&self) -> usize {
        self.current_rows()
            .filter(|row| row.status == AssignmentStatus::Returned)
            .count()
    }

    /// The requests to countersign of the last attempt; answers to earlier ones count no more.
    pub fn last_countersigns(&self, reply: ReplyId) -> impl Iterator<Item = &Countersign> {
        let of = move |request: &&Countersign| request.reply == reply;
        let last = self.countersigns.iter().filter(of).map(|one| one.attempt);
        let last = last.max();
        self.countersigns
            .iter()
            .filter(of)
            .filter(move |request| Some(request.attempt) == last)
    }

    /// Whether a reply was ever delivered, in any round.
    pub fn ever_delivered(&self) -> bool {
        self.replies
            .iter()
            .any(|reply| reply.delivered_at.is_some())
    }

    /// Forms that ask for another round: on a reply that still stands, not given up in writing.
    pub fn complaints<'a>(&'a self, trigger: &'a [Grade]) -> impl Iterator<Item = &'a Form> {
        self.forms.iter().filter(move |form| {
            let stands = self
                .reply(form.reply)
                .is_some_and(|reply| reply.status == ReplyStatus::Delivered);
            let waived = self.everybody().any(|proposer| {
                proposer.id == form.rater && proposer.waived_round >= Some(form.round)
            });
            stands
                && !waived
                && (trigger.contains(&form.attitude) || trigger.contains(&form.result))
        })
    }

    /// Proposers of the case and of the ones it absorbed.
    pub fn everybody(&self) -> impl Iterator<Item = &Proposer> {
        self.proposers
            .iter()
            .chain(self.absorbed.iter().flat_map(|absorbed| &absorbed.signers))
    }

    /// First proposer and every co-signer that counts (I17).
    pub fn signers(&self) -> impl Iterator<Item = &Proposer> {
        self.proposers.iter().filter(|proposer| {
            proposer.role == ProposerRole::First
                || (proposer.role == ProposerRole::Cosigner
                    && proposer.status == ConsentStatus::Consented)
        })
    }

    /// Who rates the replies: the signers of the case and of those it absorbed, or the first
    /// proposer of each. Those who were excused are left out.
    pub fn raters(&self, every_signer: bool) -> impl Iterator<Item = &Proposer> {
        self.signers()
            .chain(self.absorbed.iter().flat_map(|absorbed| &absorbed.signers))
            .filter(move |proposer| every_signer || proposer.role == ProposerRole::First)
            .filter(|proposer| proposer.excused.is_none())
    }

    /// A running clock.
    pub fn running(&self, kind: ClockKind, subject: SubjectId) -> Option<&Clock> {
        self.clocks.iter().find(|clock| {
            clock.kind == kind && clock.subject == subject && clock.stopped_at.is_none()
        })
    }

    /// Whether the clock ran out without having been stopped.
    pub fn lapsed(&self, kind: ClockKind, subject: SubjectId, now: Timestamp) -> bool {
        self.running(kind, subject)
            .is_some_and(|clock| now > clock.due_at)
    }

    /// Opinions on the present submission.
    pub fn current_opinions(&self) -> impl Iterator<Item = &Opinion> {
        self.opinions
            .iter()
            .filter(|opinion| opinion.submission_no == self.proposal.submission_no)
    }

    /// The next stage of examination, of the `stages` that the profile asks for.
    pub fn stage_due(&self, stages: usize) -> Option<Stage> {
        Stage::ALL.iter().take(stages).copied().find(|stage| {
            self.current_opinions()
                .all(|opinion| opinion.stage != *stage)
        })
    }

    /// How the case is cited: its number with the session that it belongs to.
    pub fn citation(&self) -> String {
        let (session, number) = (&self.session, self.proposal.case_no.unwrap_or_default());
        let place = format!(
            "政协第{}届委员会第{}次会议",
            session.term_number, session.number
        );
        match self.proposal.case_series {
            CaseSeries::Main => format!("{place}第{number}号提案"),
            CaseSeries::Ordinary => format!("{place}平时提案第{number}号"),
        }
    }

    /// Outcome meaning of the whole case: the worst of the delivered replies.
    pub fn outcome(&self) -> Option<OutcomeMeaning> {
        self.outcome_of(self.proposal.round)
    }
}

impl Proposer {
    /// Signed, or was asked to and has not declined.
    pub const fn signs(&self) -> bool {
        !matches!(
            self.status,
            ConsentStatus::Declined | ConsentStatus::Dropped | ConsentStatus::Expired
        )
    }

    /// Whether the actor is this proposer, or speaks for it.
    pub fn is(&self, actor: &Actor) -> bool {
        (self.member.is_some() && self.member == actor.member)
            || self
                .organisation
                .is_some_and(|own| actor.organisations().any(|held| held == own))
    }
}

impl Session {
    /// Whether session proposals may be handed in at that moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        super::deadline::local_date(now) >= self.window_opens_on && now <= self.deadline_at
    }
}
