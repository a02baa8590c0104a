//! The policy profile: limits and choices of a committee, versioned and pinned to a case at filing
//! (I26). Keys and defaults are those of the policy profile in the domain's reference.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codes::{Grade, OutcomeMeaning, PublicationLevel};
use super::deadline::Limit;
use super::lists::SystemLine;
use super::role::Line;
use crate::code_list;

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

/// A day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

impl MonthDay {
    /// A day of every year.
    pub const fn new(month: i8, day: i8) -> Self {
        Self { month, day }
    }
}

impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl Serialize for MonthDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A leap year, so that 02-29 is a day.
        let date: Date = format!("2024-{text}")
            .parse()
            .map_err(|_| serde::de::Error::custom("expected a month and a day, such as 11-20"))?;
        Ok(Self::new(date.month(), date.day()))
    }
}

/// Limits as text, such as `5 wd`.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Limit;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub fn serialize<S: Serializer>(limit: &Limit, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(limit)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(Error::custom)
    }
}

/// Limits as a bare number, where the key names the unit.
mod amount {
    macro_rules! amount {
        ($module:ident, $new:ident) => {
            pub mod $module {
                use serde::{Deserialize, Deserializer, Serializer};

                use crate::workflow::deadline::Limit;

                pub fn serialize<S: Serializer>(limit: &Limit, s: S) -> Result<S::Ok, S::Error> {
                    s.serialize_u32(limit.amount)
                }

                pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Limit, D::Error> {
                    u32::deserialize(d).map(Limit::$new)
                }
            }
        };
    }
    amount!(hours, hours);
    amount!(days, cd);
}

/// A validated profile. As JSON its members are the keys of the policy profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the policy profile"
)]
pub struct Profile {
    /// Version, pinned to a case when it is filed. Not a key: the register gives it.
    #[serde(skip, default = "first")]
    pub version: i32,
    /// `session.window_opens_months_before`: session proposals are taken from so many months before the plenary.
    #[serde(rename = "session.window_opens_months_before")]
    pub session_window_months: u32,
    /// `cosign.limit_in_session_hours`: K01 inside the session window.
    #[serde(rename = "cosign.limit_in_session_hours", with = "amount::hours")]
    pub cosign_in_session: Limit,
    /// `cosign.limit_ordinary_hours`: K01 otherwise.
    #[serde(rename = "cosign.limit_ordinary_hours", with = "amount::hours")]
    pub cosign_ordinary: Limit,
    /// `cosign.comment_required`: an opinion with the consent.
    #[serde(rename = "cosign.comment_required")]
    pub cosign_comment_required: bool,
    /// `cosign.drop_unsigned_at`: when unsigned invitations are dropped.
    #[serde(rename = "cosign.drop_unsigned_at")]
    pub cosign_drop_unsigned_at: DropUnsigned,
    /// `cosign.reset_on_edit`: a changed text makes consents stale.
    #[serde(rename = "cosign.reset_on_edit")]
    pub cosign_reset_on_edit: bool,
    /// `seconding.enabled`: members may join an opened proposal uninvited (附议).
    #[serde(rename = "seconding.enabled")]
    pub seconding_enabled: bool,
    /// `text.title_max_chars`: longest title.
    #[serde(rename = "text.title_max_chars")]
    pub title_max_chars: usize,
    /// `text.part_max_chars`: longest of the three parts.
    #[serde(rename = "text.part_max_chars")]
    pub part_max_chars: usize,
    /// `text.total_max_chars`: all parts together.
    #[serde(rename = "text.total_max_chars")]
    pub total_max_chars: usize,
    /// `text.total_advice_chars`: from here on a warning.
    #[serde(rename = "text.total_advice_chars")]
    pub total_advice_chars: usize,
    /// `text.analysis_required`: the second part.
    #[serde(rename = "text.analysis_required")]
    pub analysis_required: bool,
    /// `collective.seal_evidence_required`: seal or signature of collectives.
    #[serde(rename = "collective.seal_evidence_required")]
    pub seal_evidence_required: bool,
    /// `attachments.max_count`: files of one document.
    #[serde(rename = "attachments.max_count")]
    pub attachments_max_count: usize,
    /// `attachments.max_mb`: size of one file in MiB.
    #[serde(rename = "attachments.max_mb")]
    pub attachments_max_mb: u32,
    /// `examination.stages`: 1 to 3.
    #[serde(rename = "examination.stages")]
    pub examination_stages: usize,
    /// `examination.distinct_examiners`: another person at each stage.
    #[serde(rename = "examination.distinct_examiners")]
    pub distinct_examiners: bool,
    /// `examination.limit_ordinary`: K03 of ordinary proposals.
    #[serde(rename = "examination.limit_ordinary", with = "text")]
    pub examination_ordinary: Limit,
    /// `revision.limit`: K02.
    #[serde(rename = "revision.limit", with = "text")]
    pub revision: Limit,
    /// `urgent.examination_hours`: K03 of urgent ones.
    #[serde(rename = "urgent.examination_hours", with = "amount::hours")]
    pub examination_urgent: Limit,
    /// `urgent.assignment_hours`: K04 of urgent ones.
    #[serde(rename = "urgent.assignment_hours", with = "amount::hours")]
    pub assignment_urgent: Limit,
    /// `urgent.reply_days`: K10 of urgent ones.
    #[serde(rename = "urgent.reply_days", with = "amount::days")]
    pub reply_urgent: Limit,
    /// `urgent.reference_copy_before_filing`: reference rows early.
    #[serde(rename = "urgent.reference_copy_before_filing")]
    pub urgent_reference_copy: bool,
    /// `assignment.meeting_within_days`: K04 of session proposals, from the end of the session.
    #[serde(rename = "assignment.meeting_within_days", with = "amount::days")]
    pub assignment_session: Limit,
    /// `assignment.ordinary_limit`: K04 of ordinary ones.
    #[serde(rename = "assignment.ordinary_limit", with = "text")]
    pub assignment_ordinary: Limit,
    /// `line_routing`: assigning line of a system line, where it is not the usual one.
    #[serde(rename = "line_routing")]
    pub line_routing: BTreeMap<SystemLine, Line>,
    /// `return.window`: K05.
    #[serde(rename = "return.window", with = "text")]
    pub return_window: Limit,
    /// `return.answer_limit`: K06.
    #[serde(rename = "return.answer_limit", with = "text")]
    pub return_answer: Limit,
    /// `return.requires_suggested_unit`: a return names the unit that should have the case.
    #[serde(rename = "return.requires_suggested_unit")]
    pub return_requires_unit: bool,
    /// `return.late_means_accepted`: a lapsed window means accepted (AT08).
    #[serde(rename = "return.late_means_accepted")]
    pub return_late_accepted: bool,
    /// `return.max_bounces`: returns granted before the arbitration is final.
    #[serde(rename = "return.max_bounces")]
    pub return_max_bounces: u32,
    /// `contact.first_limit`: K07.
    #[serde(rename = "contact.first_limit", with = "text")]
    pub first_contact: Limit,
    /// `contact.required_before_reply`: guard of the signature.
    #[serde(rename = "contact.required_before_reply")]
    pub contact_required: bool,
    /// `opinion.limit`: K08.
    #[serde(rename = "opinion.limit", with = "text")]
    pub opinion: Limit,
    /// `opinion.required_before_sign`: guard of the signature.
    #[serde(rename = "opinion.required_before_sign")]
    pub opinion_required: bool,
    /// `countersign.required`: RT03 to RT06.
    #[serde(rename = "countersign.required")]
    pub countersign_required: bool,
    /// `countersign.limit`: K09.
    #[serde(rename = "countersign.limit", with = "text")]
    pub countersign: Limit,
    /// `countersign.lapse_means`: what a lapsed request means.
    #[serde(rename = "countersign.lapse_means")]
    pub countersign_lapse: LapseMeans,
    /// `reply.limit.session`: K10.
    #[serde(rename = "reply.limit.session", with = "text")]
    pub reply_session: Limit,
    /// `reply.limit.ordinary`: K10.
    #[serde(rename = "reply.limit.ordinary", with = "text")]
    pub reply_ordinary: Limit,
    /// `reply.fixed_date`: absolute end of K10.
    #[serde(rename = "reply.fixed_date")]
    pub reply_fixed_date: Option<Date>,
    /// `reply.party_priority_date`: the earlier one of party proposals.
    #[serde(rename = "reply.party_priority_date")]
    pub reply_party_priority_date: Option<Date>,
    /// `reply.key_fixed_date`: the one of key proposals.
    #[serde(rename = "reply.key_fixed_date")]
    pub reply_key_fixed_date: Option<Date>,
    /// `reply.review_required`: replies are reviewed before delivery.
    #[serde(rename = "reply.review_required")]
    pub review_required: bool,
    /// `reply.review_limit`: K11.
    #[serde(rename = "reply.review_limit", with = "text")]
    pub review: Limit,
    /// `reply.reviewer_may_change_outcome`: with a reason.
    #[serde(rename = "reply.reviewer_may_change_outcome")]
    pub reviewer_may_change_outcome: bool,
    /// `reply.key_signed_by_head`: the unit's head signs key cases.
    #[serde(rename = "reply.key_signed_by_head")]
    pub key_signed_by_head: bool,
    /// `extension.max_months_total`: extensions and pauses never go beyond (I25).
    #[serde(rename = "extension.max_months_total")]
    pub extension_max_months: u32,
    /// `extension.approver`: who decides on extensions.
    #[serde(rename = "extension.approver")]
    pub extension_approver: ExtensionApprover,
    /// `pause.max_days_total`: days of pause in all.
    #[serde(rename = "pause.max_days_total")]
    pub pause_max_days: u32,
    /// `outcome.scheme`: the committee's letter of each meaning.
    #[serde(rename = "outcome.scheme")]
    pub outcome_scheme: BTreeMap<OutcomeMeaning, Letter>,
    /// `outcome.promise_required_for`: meanings that need dated promises.
    #[serde(rename = "outcome.promise_required_for")]
    pub promise_required_for: Vec<OutcomeMeaning>,
    /// `feedback.window`: K12.
    #[serde(rename = "feedback.window", with = "text")]
    pub feedback: Limit,
    /// `feedback.raters`: who rates.
    #[serde(rename = "feedback.raters")]
    pub feedback_raters: Raters,
    /// `feedback.scale_attitude`: grades offered for the handling.
    #[serde(rename = "feedback.scale_attitude")]
    pub scale_attitude: Vec<Grade>,
    /// `feedback.scale_result`: grades offered for the result.
    #[serde(rename = "feedback.scale_result")]
    pub scale_result: Vec<Grade>,
    /// `feedback.lapsed_counts_as`: what silence counts as (I22).
    #[serde(rename = "feedback.lapsed_counts_as")]
    pub feedback_lapsed: LapsedForm,
    /// `rehandling.trigger`: grades on either axis.
    #[serde(rename = "rehandling.trigger")]
    pub rehandling_trigger: Vec<Grade>,
    /// `rehandling.limit`: K10 of a further round.
    #[serde(rename = "rehandling.limit", with = "text")]
    pub rehandling_limit: Limit,
    /// `rehandling.max_rounds`: re-handlings before the face-to-face meeting.
    #[serde(rename = "rehandling.max_rounds")]
    pub rehandling_max_rounds: u32,
    /// `tracking.required_for`: outcomes tracked from delivery on.
    #[serde(rename = "tracking.required_for")]
    pub tracking_required_for: Vec<OutcomeMeaning>,
    /// `tracking.look_back_date`: K16.
    #[serde(rename = "tracking.look_back_date")]
    pub tracking_look_back: MonthDay,
    /// `close.consultation_required_for`: cases that close only with a consultation on record.
    #[serde(rename = "close.consultation_required_for")]
    pub consultation_required_for: Vec<ConsultationCase>,
    /// `publication.catalogue_within`: K17.
    #[serde(rename = "publication.catalogue_within", with = "text")]
    pub catalogue_publication: Limit,
    /// `publication.reply_within`: K18.
    #[serde(rename = "publication.reply_within", with = "text")]
    pub reply_publication: Limit,
    /// `publication.default_level`: level proposed.
    #[serde(rename = "publication.default_level")]
    pub publication_default: PublicationLevel,
    /// `number.separate_series`: ordinary proposals have case numbers of their own.
    #[serde(rename = "number.separate_series")]
    pub separate_series: bool,
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

/// The defaults, as version 1.
pub static DEFAULT: LazyLock<Arc<Profile>> = LazyLock::new(Arc::default);

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
