//! The reference model's own reading of the tables: who may do what, from which status.

use super::world::{Name, Person, Role, World};

/// Something that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Create,
    Edit,
    Invite,
    Consent,
    Decline,
    Submit,
    Recall,
    Withdraw,
    ApproveWithdrawal,
    RejectWithdrawal,
    ReturnForRevision,
    Examine,
    File,
    NotFile,
    Dispose,
    Merge,
    Unmerge,
    Assign,
    AdjustUnits,
    GiveFeedback,
    CorrectFeedback,
    Rehandle,
    Waive,
    Close,
    Reopen,
    Consult,
    ReviewPublication,
    SetSecrecy,
    Archive,
    RequestUrgency,
    MarkUrgent,
    RefuseUrgency,
    DowngradeUrgency,
    Accept,
    RequestReturn,
    GrantReturn,
    RejectReturn,
    RecordContact,
    SubmitOpinion,
    Void,
    Draft,
    EditReply,
    RequestCountersign,
    Countersign,
    Object,
    Coordinate,
    Sign,
    Approve,
    Reject,
    Deliver,
}

/// What an act is done to: a case, the row or the reply of a case by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Case,
    Row(usize),
    Reply(usize),
}

/// What gives somebody the right to an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    FirstProposer,
    Invitee,
    Rater,
    Any(Role),
    /// Only for what was entered from paper, which the model never does.
    Proxy,
    /// The organisation that proposes, which the model never has.
    ProposingOrganisation,
    LineOfficer,
    OwnClerk,
    OwnSignatory,
    AskedSignatory,
}

impl Right {
    /// The role that goes with it.
    pub fn role(self) -> Role {
        match self {
            Self::FirstProposer | Self::Invitee | Self::Rater => Role::Member,
            Self::Any(role) => role,
            Self::Proxy => Role::Staff,
            Self::ProposingOrganisation => Role::OrganisationClerk,
            Self::LineOfficer => Role::Officer,
            Self::OwnClerk => Role::Clerk,
            Self::OwnSignatory | Self::AskedSignatory => Role::Signatory,
        }
    }
}

/// A row of the table: name of the action, statuses it starts from (none: any), who may.
pub struct Rule {
    pub action: Name,
    pub from: &'static [Name],
    pub who: &'static [Right],
}

const PROPOSING: &[Right] = &[
    Right::FirstProposer,
    Right::ProposingOrganisation,
    Right::Proxy,
];
const INVITED: &[Right] = &[Right::Invitee, Right::ProposingOrganisation];
const RATING: &[Right] = &[
    Right::Rater,
    Right::ProposingOrganisation,
    Right::Any(Role::Staff),
];
const CHAIR: &[Right] = &[Right::Any(Role::Chair)];
const STAFF: &[Right] = &[Right::Any(Role::Staff)];
const STAFF_OR_CHAIR: &[Right] = &[Right::Any(Role::Staff), Right::Any(Role::Chair)];
const OFFICER: &[Right] = &[Right::LineOfficer];
const CLERK: &[Right] = &[Right::OwnClerk];
const ASKED: &[Right] = &[Right::AskedSignatory];
const REVIEWER: &[Right] = &[Right::Any(Role::Supervision), Right::LineOfficer];
const FROM_FILED: &[Name] = &["filed", "assigned", "handled", "feedback", "closed"];
const UNDER_WAY: &[Name] = &["submitted", "filed", "assigned"];
const UNSIGNED: &[Name] = &["draft", "countersigning"];

impl Act {
    /// Every act.
    pub const ALL: [Self; 50] = {
        use Act::*;
        [
            Create,
            Edit,
            Invite,
            Consent,
            Decline,
            Submit,
            Recall,
            Withdraw,
            ApproveWithdrawal,
            RejectWithdrawal,
            ReturnForRevision,
            Examine,
            File,
            NotFile,
            Dispose,
            Merge,
            Unmerge,
            Assign,
            AdjustUnits,
            GiveFeedback,
            CorrectFeedback,
            Rehandle,
            Waive,
            Close,
            Reopen,
            Consult,
            ReviewPublication,
            SetSecrecy,
            Archive,
            RequestUrgency,
            MarkUrgent,
            RefuseUrgency,
            DowngradeUrgency,
            Accept,
            RequestReturn,
            GrantReturn,
            RejectReturn,
            RecordContact,
            SubmitOpinion,
            Void,
            Draft,
            EditReply,
            RequestCountersign,
            Countersign,
            Object,
            Coordinate,
            Sign,
            Approve,
            Reject,
            Deliver,
        ]
    };

    /// Whether it is done to a row, or to a reply.
    pub fn is_about_row(self) -> bool {
        (Self::Accept..=Self::Draft).contains(&self)
    }

    /// Whether it is done to a reply.
    pub fn is_about_reply(self) -> bool {
        self >= Self::EditReply
    }

    /// Its row of the table (3.2 to 3.5 of the domain).
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn rule(self) -> Rule {
        let (action, from, who): (Name, &'static [Name], &'static [Right]) = match self {
            Self::Create => (
                "create",
                &[],
                &[
                    Right::Any(Role::Member),
                    Right::ProposingOrganisation,
                    Right::Any(Role::Staff),
                ],
            ),
            Self::Edit => ("edit", &["draft", "returned"], PROPOSING),
            Self::Invite => ("invite_cosigners", &["draft", "returned"], PROPOSING),
            Self::Consent => (
                "consent_cosign",
                &["draft", "submitted", "returned"],
                INVITED,
            ),
            Self::Decline => (
                "decline_cosign",
                &["draft", "submitted", "returned"],
                INVITED,
            ),
            Self::Submit => ("submit", &["draft", "returned"], PROPOSING),
            Self::Recall => ("recall", &["submitted"], PROPOSING),
            Self::Withdraw => (
                "withdraw",
                &["draft", "submitted", "returned", "filed", "assigned"],
                PROPOSING,
            ),
            Self::ApproveWithdrawal => ("approve_withdrawal", &["filed", "assigned"], CHAIR),
            Self::RejectWithdrawal => ("reject_withdrawal", &["filed", "assigned"], CHAIR),
            Self::ReturnForRevision => (
                "return_for_revision",
                &["submitted"],
                &[
                    Right::Any(Role::Examiner),
                    Right::Any(Role::Staff),
                    Right::Any(Role::Chair),
                ],
            ),
            Self::Examine => ("examine", &["submitted"], &[Right::Any(Role::Examiner)]),
            Self::File => ("file", &["submitted"], CHAIR),
            Self::NotFile => ("not_file", &["submitted", "returned"], CHAIR),
            Self::Dispose => ("carry_out_disposition", &["not_filed"], STAFF),
            Self::Merge => ("merge", &["submitted", "filed"], CHAIR),
            Self::Unmerge => ("unmerge", &["merged"], CHAIR),
            Self::Assign => ("assign", &["filed"], OFFICER),
            Self::AdjustUnits => ("adjust_units", &["assigned"], OFFICER),
            Self::GiveFeedback => ("give_feedback", &["handled", "feedback"], RATING),
            Self::CorrectFeedback => ("correct_feedback", &["handled", "feedback"], RATING),
            Self::Rehandle => (
                "rehandle",
                &["feedback"],
                &[Right::Any(Role::Chair), Right::LineOfficer],
            ),
            Self::Waive => ("waive_rehandling", &["feedback"], RATING),
            Self::Close => ("close", &["feedback"], STAFF_OR_CHAIR),
            Self::Reopen => ("reopen", &["closed"], CHAIR),
            Self::Consult => (
                "record_consultation",
                FROM_FILED,
                &[
                    Right::Any(Role::Staff),
                    Right::LineOfficer,
                    Right::Any(Role::Supervision),
                ],
            ),
            Self::ReviewPublication => (
                "review_publication",
                &[
                    "filed", "assigned", "handled", "feedback", "closed", "merged",
                ],
                STAFF,
            ),
            Self::SetSecrecy => ("set_secrecy", &[], STAFF_OR_CHAIR),
            Self::Archive => (
                "archive",
                &["not_filed", "merged", "withdrawn", "closed"],
                STAFF,
            ),
            Self::RequestUrgency => (
                "request_urgency",
                UNDER_WAY,
                &[
                    Right::FirstProposer,
                    Right::ProposingOrganisation,
                    Right::Any(Role::Staff),
                    Right::LineOfficer,
                ],
            ),
            Self::MarkUrgent => ("mark_urgent", UNDER_WAY, CHAIR),
            Self::RefuseUrgency => ("refuse_urgency", UNDER_WAY, CHAIR),
            Self::DowngradeUrgency => ("downgrade_urgency", UNDER_WAY, CHAIR),
            Self::Accept => ("accept", &["pending"], CLERK),
            Self::RequestReturn => ("request_return", &["pending", "accepted"], CLERK),
            Self::GrantReturn => ("grant_return", &["return_requested"], OFFICER),
            Self::RejectReturn => ("reject_return", &["return_requested"], OFFICER),
            Self::RecordContact => ("record_contact", &["accepted", "opinion_submitted"], CLERK),
            Self::SubmitOpinion => ("submit_opinion", &["accepted", "opinion_submitted"], CLERK),
            Self::Void => (
                "void",
                &[
                    "pending",
                    "accepted",
                    "return_requested",
                    "opinion_submitted",
                ],
                OFFICER,
            ),
            Self::Draft => ("draft", &[], CLERK),
            Self::EditReply => ("edit", UNSIGNED, CLERK),
            Self::RequestCountersign => ("request_countersign", &["draft"], CLERK),
            Self::Countersign => ("countersign", &["countersigning"], ASKED),
            Self::Object => ("object", &["countersigning"], ASKED),
            Self::Coordinate => ("coordinate", UNSIGNED, OFFICER),
            Self::Sign => ("sign", UNSIGNED, &[Right::OwnSignatory]),
            Self::Approve => ("approve", &["under_review"], REVIEWER),
            Self::Reject => ("reject", &["under_review"], REVIEWER),
            Self::Deliver => (
                "deliver",
                &["under_review"],
                &[Right::OwnClerk, Right::Any(Role::Supervision)],
            ),
        };
        Rule { action, from, who }
    }
}

impl World {
    /// Whether somebody has this right here.
    pub fn holds(&self, right: Right, who: Person, case: usize, target: Target) -> bool {
        if !who.has(right.role()) {
            return false;
        }
        let own = &self.cases[case];
        let unit = match target {
            Target::Case => None,
            Target::Row(row) => Some(own.rows[row].unit),
            Target::Reply(reply) => Some(own.replies[reply].unit),
        };
        let is = |member: usize| who.member() == Some(member);
        match right {
            Right::FirstProposer => is(own.proposers[0].member),
            Right::Invitee => own.proposers[1..].iter().any(|one| is(one.member)),
            Right::Rater => self.raters(case).iter().any(|one| is(self.member(*one))),
            Right::Any(_) => true,
            Right::Proxy | Right::ProposingOrganisation => false,
            Right::LineOfficer => who.line().is_some() && who.line() == own.line,
            Right::OwnClerk | Right::OwnSignatory => unit.is_some() && who.unit() == unit,
            Right::AskedSignatory => match target {
                Target::Reply(reply) => {
                    let mut asked = own.replies[reply].countersigns.iter();
                    asked.any(|one| Some(own.rows[one.row].unit) == who.unit())
                }
                _ => false,
            },
        }
    }

    /// Whether somebody has any right to the act on this.
    pub fn is_entitled(&self, act: Act, who: Person, case: usize, target: Target) -> bool {
        let mut rights = act.rule().who.iter();
        rights.any(|right| self.holds(*right, who, case, target))
    }

    /// Whether somebody may know of a case: the rows "read a case" of the permission matrix.
    pub fn may_read(&self, who: Person, case: usize) -> bool {
        let own = &self.cases[case];
        let filed = own.case_no.is_some();
        let any = |roles: &[Role]| roles.iter().any(|role| who.has(*role));
        let committee = [Role::Staff, Role::Examiner, Role::Chair, Role::Auditor];
        let steering = [Role::Officer, Role::Supervision, Role::Leader];
        let mut signed = own
            .proposers
            .iter()
            .filter(|one| one.status != "dropped")
            .map(|one| one.member)
            .chain(self.raters(case).into_iter().map(|one| self.member(one)));
        let mut units = own
            .rows
            .iter()
            .filter(|row| filed || row.status != "void")
            .map(|row| Some(row.unit));
        any(&committee)
            || signed.any(|member| who.member() == Some(member))
            || (filed && any(&steering))
            || (filed && own.secrecy == "open" && any(&[Role::Member, Role::OrganisationClerk]))
            || (who.unit().is_some() && units.any(|unit| unit == who.unit()))
    }

    /// Whether somebody may know of a reply: everybody who reads the case, once it is delivered;
    /// before that its unit, those asked to countersign, its reviewers and the auditor.
    pub fn may_know_reply(&self, who: Person, case: usize, reply: usize) -> bool {
        let own = &self.cases[case].replies[reply];
        let reviews = who.has(Role::Officer) && own.status == "under_review";
        let entitled = Act::ALL.iter().any(|act| {
            act.is_about_reply() && self.is_entitled(*act, who, case, Target::Reply(reply))
        });
        let rows = &self.cases[case].rows;
        let asked = own
            .countersigns
            .iter()
            .any(|one| one.status != "recalled" && Some(rows[one.row].unit) == who.unit());
        let in_unit = who.unit() == Some(own.unit);
        own.was_delivered || reviews || who.has(Role::Auditor) || in_unit || asked || entitled
    }
}
