//! The policy profile: limits and choices of a committee, versioned and pinned to a case at filing
//! (I26). Keys and defaults are those of the policy profile in the domain's reference.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::codes::{Grade, OutcomeMeaning, ProgrammeTier, PublicationLevel};
use super::deadline::Limit;
use super::lists::SystemLine;
use super::role::Line;
use crate::code_list;

pub mod forms;
pub mod keys;
mod rules;
#[cfg(test)]
mod tests;

pub use forms::{MonthDay, PolicyLimit, Span};
use forms::{amount, text};

code_list! {
    /// How far a version of the profile is.
    pub enum ProfileStatus {
        Draft = "draft", "草案", "draft";
        Active = "active", "现行", "in force";
        Superseded = "superseded", "已被取代", "superseded";
    }
}

code_list! {
    /// What the activation of a version means to a running case.
    pub enum PolicyEffect {
        Follows = "follows", "未立案，适用新版本", "not filed yet: follows the new version";
        Keeps = "keeps", "已立案，沿用立案时的版本", "on file: keeps the version pinned at filing";
    }
}

impl PolicyEffect {
    /// Whether it is the effect on filed cases (I26).
    pub const fn filed(self) -> bool {
        matches!(self, Self::Keeps)
    }
}

code_list! {
    /// When invitations without an answer are dropped.
    pub enum DropUnsigned {
        Submission = "submission", "提交时", "at submission";
        Filing = "filing", "立案时", "at filing";
    }
}

code_list! {
    /// What a request to countersign means once its time has run out.
    pub enum LapseMeans {
        Agreed = "agreed", "视为同意", "agreed";
        Blocks = "blocks", "不得签发", "the signature waits";
    }
}

code_list! {
    /// Who decides on extensions and pauses.
    pub enum ExtensionApprover {
        AssigningOffice = "assigning_office", "交办部门", "the assigning office";
        WithProposalsCommittee = "with_proposals_committee", "交办部门会同提案委", "together with the Proposals Committee";
    }
}

code_list! {
    /// Who rates a reply.
    pub enum Raters {
        LeadOnly = "lead_only", "第一提案人", "the first proposer";
        EverySigner = "every_signer", "全体提案人", "every signer";
    }
}

code_list! {
    /// What a form counts as that was not given in time.
    pub enum LapsedForm {
        NotReturned = "not_returned", "未反馈", "not returned";
        Satisfied = "satisfied", "满意", "satisfied";
    }
}

code_list! {
    /// Cases that close only with a consultation on record.
    pub enum ConsultationCase {
        No1 = "no_1", "1号提案", "the No. 1 proposal";
        Key = "key", "重点提案", "key proposals";
        Practical = "practical", "实事提案", "practical-matter proposals";
        Urgent = "urgent", "急办提案", "urgent proposals";
        Collective = "collective", "集体提案", "collective proposals";
    }
}

code_list! {
    /// Letters of outcome schemes (办理类别).
    pub enum Letter {
        A = "A", "A类", "A";
        B = "B", "B类", "B";
        C = "C", "C类", "C";
        D = "D", "D类", "D";
    }
}

/// Most cases of a tier in one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(minimum = 1, maximum = 1000, example = 20)]
pub struct Quota(pub u32);

/// Working days before a due date.
#[derive(Debug, ToSchema)]
#[schema(minimum = 1, maximum = 60, example = 7)]
pub struct ReminderStep(pub u32);

/// The settings of a policy profile: every key with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicySettings)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the policy profile"
)]
pub struct Profile {
    /// Version, pinned to a case when it is filed. Not a key: the register gives it.
    #[serde(skip, default = "first")]
    pub version: i32,
    /// Session proposals are taken from so many months before the plenary.
    #[serde(rename = "session.window_opens_months_before")]
    #[schema(minimum = 1, maximum = 24)]
    pub session_window_months: u32,
    /// Time to answer an invitation to co-sign in the session window (K01).
    #[serde(rename = "cosign.limit_in_session_hours", with = "amount::hours")]
    #[schema(value_type = u32, minimum = 1, maximum = 2160)]
    pub cosign_in_session: Limit,
    /// Time to answer an invitation to co-sign otherwise (K01).
    #[serde(rename = "cosign.limit_ordinary_hours", with = "amount::hours")]
    #[schema(value_type = u32, minimum = 1, maximum = 2160)]
    pub cosign_ordinary: Limit,
    /// An opinion is given with the consent to co-sign.
    #[serde(rename = "cosign.comment_required")]
    pub cosign_comment_required: bool,
    /// When unsigned invitations are dropped.
    #[serde(rename = "cosign.drop_unsigned_at")]
    pub cosign_drop_unsigned_at: DropUnsigned,
    /// A changed text makes consents stale.
    #[serde(rename = "cosign.reset_on_edit")]
    pub cosign_reset_on_edit: bool,
    /// Members may join an opened proposal uninvited (附议).
    #[serde(rename = "seconding.enabled")]
    pub seconding_enabled: bool,
    /// Longest title.
    #[serde(rename = "text.title_max_chars")]
    #[schema(minimum = 10, maximum = 200)]
    pub title_max_chars: usize,
    /// Longest of the three parts.
    #[serde(rename = "text.part_max_chars")]
    #[schema(minimum = 100, maximum = 10_000)]
    pub part_max_chars: usize,
    /// All parts together.
    #[serde(rename = "text.total_max_chars")]
    #[schema(minimum = 100, maximum = 30_000)]
    pub total_max_chars: usize,
    /// Advised length of the text; beyond it there is a warning.
    #[serde(rename = "text.total_advice_chars")]
    #[schema(minimum = 100, maximum = 30_000)]
    pub total_advice_chars: usize,
    /// The second part is required.
    #[serde(rename = "text.analysis_required")]
    pub analysis_required: bool,
    /// Collective proposals need a seal or signature.
    #[serde(rename = "collective.seal_evidence_required")]
    pub seal_evidence_required: bool,
    /// Most files of one document.
    #[serde(rename = "attachments.max_count")]
    #[schema(minimum = 0, maximum = 50)]
    pub attachments_max_count: usize,
    /// Size of one file in MiB.
    #[serde(rename = "attachments.max_mb")]
    #[schema(minimum = 1, maximum = 1024)]
    pub attachments_max_mb: u32,
    /// Stages of the examination.
    #[serde(rename = "examination.stages")]
    #[schema(minimum = 1, maximum = 3)]
    pub examination_stages: usize,
    /// Another person at each stage.
    #[serde(rename = "examination.distinct_examiners")]
    pub distinct_examiners: bool,
    /// Examination of ordinary proposals (K03).
    #[serde(rename = "examination.limit_ordinary", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub examination_ordinary: Limit,
    /// Revision of a returned proposal (K02).
    #[serde(rename = "revision.limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub revision: Limit,
    /// Examination of urgent proposals (K03).
    #[serde(rename = "urgent.examination_hours", with = "amount::hours")]
    #[schema(value_type = u32, minimum = 1, maximum = 2160)]
    pub examination_urgent: Limit,
    /// Assignment of urgent proposals (K04).
    #[serde(rename = "urgent.assignment_hours", with = "amount::hours")]
    #[schema(value_type = u32, minimum = 1, maximum = 2160)]
    pub assignment_urgent: Limit,
    /// Reply to urgent proposals (K10).
    #[serde(rename = "urgent.reply_days", with = "amount::days")]
    #[schema(value_type = u32, minimum = 1, maximum = 366)]
    pub reply_urgent: Limit,
    /// Units may get an urgent proposal for reference before it is filed.
    #[serde(rename = "urgent.reference_copy_before_filing")]
    pub urgent_reference_copy: bool,
    /// Assignment of session proposals, from the end of the session (K04).
    #[serde(rename = "assignment.meeting_within_days", with = "amount::days")]
    #[schema(value_type = u32, minimum = 1, maximum = 366)]
    pub assignment_session: Limit,
    /// Assignment of ordinary proposals (K04).
    #[serde(rename = "assignment.ordinary_limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub assignment_ordinary: Limit,
    /// Assigning line of a system line, where it is not the usual one.
    #[serde(rename = "line_routing")]
    pub line_routing: BTreeMap<SystemLine, Line>,
    /// Window to ask for the return of an assignment (K05).
    #[serde(rename = "return.window", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub return_window: Limit,
    /// Answer to a request to return (K06).
    #[serde(rename = "return.answer_limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub return_answer: Limit,
    /// A return names the unit that should have the case.
    #[serde(rename = "return.requires_suggested_unit")]
    pub return_requires_unit: bool,
    /// A lapsed window means accepted (AT08).
    #[serde(rename = "return.late_means_accepted")]
    pub return_late_accepted: bool,
    /// Returns granted before the arbitration is final.
    #[serde(rename = "return.max_bounces")]
    #[schema(minimum = 0, maximum = 10)]
    pub return_max_bounces: u32,
    /// First contact with the proposer (K07).
    #[serde(rename = "contact.first_limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub first_contact: Limit,
    /// No signature without a contact on record.
    #[serde(rename = "contact.required_before_reply")]
    pub contact_required: bool,
    /// Opinion of a co-handler (K08).
    #[serde(rename = "opinion.limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub opinion: Limit,
    /// No signature without the opinions of the co-handlers.
    #[serde(rename = "opinion.required_before_sign")]
    pub opinion_required: bool,
    /// Co-handlers countersign replies (RT03 to RT06).
    #[serde(rename = "countersign.required")]
    pub countersign_required: bool,
    /// Countersignature (K09).
    #[serde(rename = "countersign.limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub countersign: Limit,
    /// What a lapsed request means.
    #[serde(rename = "countersign.lapse_means")]
    pub countersign_lapse: LapseMeans,
    /// Reply to session proposals (K10).
    #[serde(rename = "reply.limit.session", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub reply_session: Limit,
    /// Reply to ordinary proposals (K10).
    #[serde(rename = "reply.limit.ordinary", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub reply_ordinary: Limit,
    /// Absolute end of K10.
    #[serde(
        rename = "reply.fixed_date",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, value_type = String, format = Date, min_length = 10, max_length = 10,
             pattern = "^20[0-9]{2}-")]
    pub reply_fixed_date: Option<Date>,
    /// The earlier one of party proposals.
    #[serde(
        rename = "reply.party_priority_date",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, value_type = String, format = Date, min_length = 10, max_length = 10,
             pattern = "^20[0-9]{2}-")]
    pub reply_party_priority_date: Option<Date>,
    /// The one of key proposals.
    #[serde(
        rename = "reply.key_fixed_date",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, value_type = String, format = Date, min_length = 10, max_length = 10,
             pattern = "^20[0-9]{2}-")]
    pub reply_key_fixed_date: Option<Date>,
    /// Replies are reviewed before delivery.
    #[serde(rename = "reply.review_required")]
    pub review_required: bool,
    /// Review of a reply (K11).
    #[serde(rename = "reply.review_limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub review: Limit,
    /// With a reason.
    #[serde(rename = "reply.reviewer_may_change_outcome")]
    pub reviewer_may_change_outcome: bool,
    /// The unit's head signs key cases.
    #[serde(rename = "reply.key_signed_by_head")]
    pub key_signed_by_head: bool,
    /// Extensions and pauses never go beyond (I25).
    #[serde(rename = "extension.max_months_total")]
    #[schema(minimum = 1, maximum = 24)]
    pub extension_max_months: u32,
    /// Who decides on extensions.
    #[serde(rename = "extension.approver")]
    pub extension_approver: ExtensionApprover,
    /// Days of pause in all.
    #[serde(rename = "pause.max_days_total")]
    #[schema(minimum = 0, maximum = 366)]
    pub pause_max_days: u32,
    /// The committee's letter of each meaning.
    #[serde(rename = "outcome.scheme")]
    pub outcome_scheme: BTreeMap<OutcomeMeaning, Letter>,
    /// Meanings that need dated promises.
    #[serde(rename = "outcome.promise_required_for")]
    #[schema(value_type = BTreeSet<OutcomeMeaning>, min_items = 0, max_items = 8)]
    pub promise_required_for: Vec<OutcomeMeaning>,
    /// Feedback of the proposers (K12).
    #[serde(rename = "feedback.window", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub feedback: Limit,
    /// Who rates.
    #[serde(rename = "feedback.raters")]
    pub feedback_raters: Raters,
    /// Grades offered for the handling.
    #[serde(rename = "feedback.scale_attitude")]
    #[schema(value_type = BTreeSet<Grade>, min_items = 2, max_items = 6)]
    pub scale_attitude: Vec<Grade>,
    /// Grades offered for the result.
    #[serde(rename = "feedback.scale_result")]
    #[schema(value_type = BTreeSet<Grade>, min_items = 2, max_items = 6)]
    pub scale_result: Vec<Grade>,
    /// What silence counts as (I22).
    #[serde(rename = "feedback.lapsed_counts_as")]
    pub feedback_lapsed: LapsedForm,
    /// Grades on either axis.
    #[serde(rename = "rehandling.trigger")]
    #[schema(value_type = BTreeSet<Grade>, min_items = 1, max_items = 6)]
    pub rehandling_trigger: Vec<Grade>,
    /// K10 of a further round.
    #[serde(rename = "rehandling.limit", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub rehandling_limit: Limit,
    /// Re-handlings before the face-to-face meeting.
    #[serde(rename = "rehandling.max_rounds")]
    #[schema(minimum = 0, maximum = 5)]
    pub rehandling_max_rounds: u32,
    /// Outcomes tracked from delivery on.
    #[serde(rename = "tracking.required_for")]
    #[schema(value_type = BTreeSet<OutcomeMeaning>, min_items = 0, max_items = 8)]
    pub tracking_required_for: Vec<OutcomeMeaning>,
    /// Day of the look-back (K16).
    #[serde(rename = "tracking.look_back_date")]
    pub tracking_look_back: MonthDay,
    /// Cases that close only with a consultation on record.
    #[serde(rename = "close.consultation_required_for")]
    #[schema(value_type = BTreeSet<ConsultationCase>, min_items = 0, max_items = 5)]
    pub consultation_required_for: Vec<ConsultationCase>,
    /// Publication of the catalogue entry (K17).
    #[serde(rename = "publication.catalogue_within", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub catalogue_publication: Limit,
    /// Publication of the reply (K18).
    #[serde(rename = "publication.reply_within", with = "text")]
    #[schema(value_type = PolicyLimit)]
    pub reply_publication: Limit,
    /// Level proposed.
    #[serde(rename = "publication.default_level")]
    pub publication_default: PublicationLevel,
    /// Ordinary proposals have case numbers of their own.
    #[serde(rename = "number.separate_series")]
    pub separate_series: bool,
    /// Cases of each tier in a year; a tier that is not named has no quota.
    #[serde(rename = "key.quota_by_tier")]
    pub key_quota: BTreeMap<ProgrammeTier, Quota>,
    /// Key proposals, of those filed.
    #[serde(rename = "key.share_percent")]
    #[schema(minimum = 1, maximum = 100)]
    pub key_share_percent: u32,
    /// Excellent proposals, of those filed.
    #[serde(rename = "excellent.share_percent")]
    #[schema(minimum = 1, maximum = 100)]
    pub excellent_share_percent: u32,
    /// Collective ones among the excellent, at least.
    #[serde(rename = "excellent.collective_min_percent")]
    #[schema(minimum = 0, maximum = 100)]
    pub excellent_collective_percent: u32,
    /// The day on which a year of the members' performance begins.
    #[serde(rename = "performance.year_start")]
    pub performance_year_start: MonthDay,
    /// The yearly report of the units.
    #[serde(rename = "unit_report.due")]
    pub unit_report_due: MonthDay,
    /// Longest public-opinion report.
    #[serde(rename = "opinion_report.max_chars")]
    #[schema(minimum = 100, maximum = 10_000)]
    pub opinion_report_max_chars: u32,
    /// Shortest and longest clue.
    #[serde(rename = "clue.chars")]
    pub clue_chars: Span,
    /// Working days before a due date on which those who owe something are reminded.
    #[serde(rename = "reminder.steps_working_days")]
    #[schema(max_items = 8, value_type = Vec<ReminderStep>, example = json!([15, 7, 3, 1]))]
    pub reminder_steps: Vec<u32>,
}

const fn first() -> i32 {
    1
}

/// The scheme `abc_default`: every meaning has one letter; letters follow from meanings.
pub fn abc_default() -> BTreeMap<OutcomeMeaning, Letter> {
    use OutcomeMeaning as M;
    OutcomeMeaning::ALL
        .iter()
        .map(|meaning| {
            let letter = match meaning {
                M::Resolved | M::ResolvedOtherwise => Letter::A,
                M::PartiallyResolved | M::InProgress | M::Planned => Letter::B,
                M::DeferredByConditions | M::ForReference | M::NotFeasible => Letter::C,
            };
            (*meaning, letter)
        })
        .collect()
}

fn three_grades() -> Vec<Grade> {
    vec![
        Grade::Satisfied,
        Grade::BasicallySatisfied,
        Grade::Dissatisfied,
    ]
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            version: 1,
            session_window_months: 3,
            cosign_in_session: Limit::hours(24),
            cosign_ordinary: Limit::hours(72),
            cosign_comment_required: false,
            cosign_drop_unsigned_at: DropUnsigned::Filing,
            cosign_reset_on_edit: true,
            seconding_enabled: false,
            title_max_chars: 50,
            part_max_chars: 2500,
            total_max_chars: 2500,
            total_advice_chars: 1500,
            analysis_required: false,
            seal_evidence_required: true,
            attachments_max_count: 5,
            attachments_max_mb: 32,
            examination_stages: 2,
            distinct_examiners: true,
            examination_ordinary: Limit::wd(10),
            revision: Limit::wd(10),
            examination_urgent: Limit::hours(24),
            assignment_urgent: Limit::hours(48),
            reply_urgent: Limit::cd(30),
            urgent_reference_copy: true,
            assignment_session: Limit::cd(30),
            assignment_ordinary: Limit::wd(10),
            line_routing: BTreeMap::new(),
            return_window: Limit::wd(5),
            return_answer: Limit::cd(7),
            return_requires_unit: true,
            return_late_accepted: true,
            return_max_bounces: 2,
            first_contact: Limit::wd(15),
            contact_required: true,
            opinion: Limit::mo(1),
            opinion_required: true,
            countersign_required: true,
            countersign: Limit::wd(5),
            countersign_lapse: LapseMeans::Agreed,
            reply_session: Limit::mo(3),
            reply_ordinary: Limit::mo(3),
            reply_fixed_date: None,
            reply_party_priority_date: None,
            reply_key_fixed_date: None,
            review_required: true,
            review: Limit::wd(5),
            reviewer_may_change_outcome: true,
            key_signed_by_head: true,
            extension_max_months: 6,
            extension_approver: ExtensionApprover::AssigningOffice,
            pause_max_days: 30,
            outcome_scheme: abc_default(),
            promise_required_for: vec![OutcomeMeaning::InProgress, OutcomeMeaning::Planned],
            feedback: Limit::wd(15),
            feedback_raters: Raters::EverySigner,
            scale_attitude: three_grades(),
            scale_result: three_grades(),
            feedback_lapsed: LapsedForm::NotReturned,
            rehandling_trigger: vec![Grade::Dissatisfied],
            rehandling_limit: Limit::mo(1),
            rehandling_max_rounds: 1,
            tracking_required_for: vec![OutcomeMeaning::InProgress, OutcomeMeaning::Planned],
            tracking_look_back: MonthDay::new(11, 20),
            consultation_required_for: vec![ConsultationCase::No1, ConsultationCase::Key],
            catalogue_publication: Limit::cd(15),
            reply_publication: Limit::wd(20),
            publication_default: PublicationLevel::Summary,
            separate_series: false,
            key_quota: BTreeMap::new(),
            key_share_percent: 2,
            excellent_share_percent: 2,
            excellent_collective_percent: 20,
            performance_year_start: MonthDay::new(12, 1),
            unit_report_due: MonthDay::new(10, 10),
            opinion_report_max_chars: 1500,
            clue_chars: Span { min: 300, max: 500 },
            reminder_steps: vec![15, 7, 3, 1],
        }
    }
}

impl Profile {
    /// K13: the decision on a request to extend or pause. No key: nothing was found in practice.
    pub const REQUEST_DECISION: Limit = Limit::wd(5);
    /// K14: the decision on a withdrawal.
    pub const WITHDRAWAL_DECISION: Limit = Limit::wd(10);
    /// K20: notice and disposition of a proposal that is not filed.
    pub const DISPOSITION: Limit = Limit::wd(5);

    /// The committee's letter of an outcome.
    pub fn letter(&self, outcome: OutcomeMeaning) -> Letter {
        self.outcome_scheme
            .get(&outcome)
            .copied()
            .unwrap_or(Letter::C)
    }

    /// Whether every signer rates, or the first proposer alone.
    pub fn every_signer_rates(&self) -> bool {
        self.feedback_raters == Raters::EverySigner
    }

    /// The assigning line of units of a system line.
    pub fn line_of(&self, system: SystemLine) -> Line {
        self.line_routing
            .get(&system)
            .copied()
            .unwrap_or_else(|| system.default_line())
    }
}
