//! The proposals of a merge group as the interface shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Label;
use crate::ids::ProposalId;
use crate::workflow::case::{Absorbed, Main};
use crate::workflow::codes::ProposerRole;
use crate::workflow::proposal::ProposalStatus;

/// A proposal that the case absorbed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AbsorbedFacts {
    /// The proposal.
    pub id: ProposalId,
    /// 流水号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// 案号; none if it was never filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// 案由.
    #[schema(max_length = 200, example = "关于增开社区微循环公交的提案")]
    pub title: String,
    /// Name of its first proposer.
    #[schema(max_length = 200, example = "苏清和")]
    pub first_proposer: String,
    /// How many signed it, the first proposer included.
    #[schema(minimum = 0)]
    pub signers: usize,
}

impl From<&Absorbed> for AbsorbedFacts {
    fn from(absorbed: &Absorbed) -> Self {
        let first = absorbed
            .signers
            .iter()
            .find(|signer| signer.role == ProposerRole::First);
        Self {
            id: absorbed.proposal,
            serial_no: absorbed.serial_no,
            case_no: absorbed.case_no,
            title: absorbed.title.clone(),
            first_proposer: first.map(|first| first.name.clone()).unwrap_or_default(),
            signers: absorbed.signers.len(),
        }
    }
}

/// The proposal that absorbed this one, and how far it is: its status is the effective status of
/// this one.
#[derive(Debug, Serialize, ToSchema)]
pub struct MainFacts {
    /// The proposal.
    pub id: ProposalId,
    /// 流水号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// 案由.
    #[schema(max_length = 200)]
    pub title: String,
    /// Its status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// One of its replies was delivered.
    pub delivered: bool,
}

impl From<&Main> for MainFacts {
    fn from(main: &Main) -> Self {
        Self {
            id: main.proposal,
            serial_no: main.serial_no,
            case_no: main.case_no,
            title: main.title.clone(),
            status: main.status,
            status_label: main.status.label(),
            delivered: main.delivered,
        }
    }
}
