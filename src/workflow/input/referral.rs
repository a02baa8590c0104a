//! What is handed in about referrals, on either side.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code_list;
use crate::ids::{CommitteeId, ReferralId};
use crate::workflow::codes::ReferralStatus;

/// OT32, OT33: a case is put to the committee above, or given to one below. Either a committee of
/// this service or a body outside of it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferIn {
    /// A committee of this service: above for up, below for down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub committee_id: Option<CommitteeId>,
    /// A body that is not in this service; staff note its answer from paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "政协全国委员会提案委员会"
    )]
    pub body_name: Option<String>,
    /// Why it is sent.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "所提事项须由上级统筹，建议作为上级政协提案提出。"
    )]
    pub reason: String,
}

code_list! {
    /// What a committee answers to a referral.
    pub enum ReferralVerdict {
        Accepted = "accepted", "立案(接收)", "accepted";
        Rejected = "rejected", "退回", "rejected";
        ForReference = "sent_for_reference", "转参考", "taken for reference";
    }
}

impl ReferralVerdict {
    /// What becomes of the referral.
    pub const fn status(self) -> ReferralStatus {
        match self {
            Self::Accepted => ReferralStatus::Accepted,
            Self::Rejected => ReferralStatus::Rejected,
            Self::ForReference => ReferralStatus::ForReference,
        }
    }
}

/// OT34: what a body outside of this service answered on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferralAnswerIn {
    /// The referral.
    pub referral_id: ReferralId,
    /// What it answered.
    pub answer: ReferralVerdict,
    /// Its words; the reason, where it rejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "已转有关部门参考。"
    )]
    pub note: Option<String>,
    /// Number of the counterpart there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "第4027号"
    )]
    pub counterpart_no: Option<String>,
    /// Where the paper is kept.
    #[schema(min_length = 1, max_length = 200, example = "来函 2026-转-012")]
    pub paper_reference: String,
}

/// OT36: a referral that nobody has answered is taken back (I11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallReferralIn {
    /// The referral.
    pub referral_id: ReferralId,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "事项已由本级解决，不再上报。"
    )]
    pub reason: String,
}
