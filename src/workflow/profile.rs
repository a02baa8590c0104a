//! The policy profile: limits and choices of a committee, versioned and pinned to a case at filing
//! (I26). Keys and defaults are those of the policy profile in the domain's reference.

use super::codes::{Grade, OutcomeMeaning};
use super::deadline::Limit;

/// A validated profile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the policy profile"
)]
pub struct Profile {
    /// Version, pinned to a case when it is filed.
    pub version: i32,
    /// `cosign.limit_in_session_hours`: K01 inside the session window.
    pub cosign_in_session: Limit,
    /// `cosign.limit_ordinary_hours`: K01 otherwise.
    pub cosign_ordinary: Limit,
    /// `cosign.comment_required`.
    pub cosign_comment_required: bool,
    /// `cosign.reset_on_edit`: a changed text makes consents stale.
    pub cosign_reset_on_edit: bool,
    /// `text.title_max_chars`.
    pub title_max_chars: usize,
    /// `text.part_max_chars`: each of the three parts.
    pub part_max_chars: usize,
    /// `text.total_max_chars`: all parts together.
    pub total_max_chars: usize,
    /// `text.analysis_required`.
    pub analysis_required: bool,
    /// `collective.seal_evidence_required`.
    pub seal_evidence_required: bool,
    /// `examination.stages`: 1 to 3.
    pub examination_stages: usize,
    /// `examination.distinct_examiners`.
    pub distinct_examiners: bool,
    /// `examination.limit_ordinary`: K03.
    pub examination_ordinary: Limit,
    /// `urgent.examination_hours`: K03.
    pub examination_urgent: Limit,
    /// `revision.limit`: K02.
    pub revision: Limit,
    /// `assignment.meeting_within_days`: K04 of session proposals, from the end of the session.
    pub assignment_session: Limit,
    /// `assignment.ordinary_limit`: K04.
    pub assignment_ordinary: Limit,
    /// `urgent.assignment_hours`: K04.
    pub assignment_urgent: Limit,
    /// `return.window`: K05.
    pub return_window: Limit,
    /// `contact.first_limit`: K07.
    pub first_contact: Limit,
    /// `contact.required_before_reply`.
    pub contact_required: bool,
    /// `opinion.limit`: K08.
    pub opinion: Limit,
    /// `opinion.required_before_sign`.
    pub opinion_required: bool,
    /// `countersign.required`.
    pub countersign_required: bool,
    /// `countersign.limit`: K09.
    pub countersign: Limit,
    /// `countersign.lapse_means`: a lapsed request counts as agreed.
    pub countersign_lapse_agrees: bool,
    /// `reply.limit.session`: K10.
    pub reply_session: Limit,
    /// `reply.limit.ordinary`: K10.
    pub reply_ordinary: Limit,
    /// `urgent.reply_days`: K10.
    pub reply_urgent: Limit,
    /// `reply.review_required`.
    pub review_required: bool,
    /// `reply.review_limit`: K11.
    pub review: Limit,
    /// `reply.reviewer_may_change_outcome`.
    pub reviewer_may_change_outcome: bool,
    /// `outcome.promise_required_for`; also `tracking.required_for`.
    pub promise_required_for: &'static [OutcomeMeaning],
    /// `feedback.window`: K12.
    pub feedback: Limit,
    /// `feedback.raters` = `every_signer`; otherwise the first proposer alone.
    pub every_signer_rates: bool,
    /// `feedback.scale_attitude` and `feedback.scale_result`: grades offered.
    pub scale: &'static [Grade],
    /// `rehandling.trigger`: grades, on either axis.
    pub rehandling_trigger: &'static [Grade],
    /// `publication.catalogue_within`: K17.
    pub catalogue_publication: Limit,
    /// `publication.reply_within`: K18.
    pub reply_publication: Limit,
    /// K20: notice and disposition of a proposal that is not filed.
    pub disposition: Limit,
}

/// The defaults, as version 1.
pub const DEFAULT: Profile = Profile {
    version: 1,
    cosign_in_session: Limit::hours(24),
    cosign_ordinary: Limit::hours(72),
    cosign_comment_required: false,
    cosign_reset_on_edit: true,
    title_max_chars: 50,
    part_max_chars: 2500,
    total_max_chars: 2500,
    analysis_required: false,
    seal_evidence_required: true,
    examination_stages: 2,
    distinct_examiners: true,
    examination_ordinary: Limit::wd(10),
    examination_urgent: Limit::hours(24),
    revision: Limit::wd(10),
    assignment_session: Limit::cd(30),
    assignment_ordinary: Limit::wd(10),
    assignment_urgent: Limit::hours(48),
    return_window: Limit::wd(5),
    first_contact: Limit::wd(15),
    contact_required: true,
    opinion: Limit::mo(1),
    opinion_required: true,
    countersign_required: true,
    countersign: Limit::wd(5),
    countersign_lapse_agrees: true,
    reply_session: Limit::mo(3),
    reply_ordinary: Limit::mo(3),
    reply_urgent: Limit::cd(30),
    review_required: true,
    review: Limit::wd(5),
    reviewer_may_change_outcome: true,
    promise_required_for: &[OutcomeMeaning::InProgress, OutcomeMeaning::Planned],
    feedback: Limit::wd(15),
    every_signer_rates: true,
    scale: &[
        Grade::Satisfied,
        Grade::BasicallySatisfied,
        Grade::Dissatisfied,
    ],
    rehandling_trigger: &[Grade::Dissatisfied],
    catalogue_publication: Limit::cd(15),
    reply_publication: Limit::wd(20),
    disposition: Limit::wd(5),
};
