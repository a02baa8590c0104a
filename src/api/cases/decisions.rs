//! Decisions with their meetings and reasons.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::Label;
use crate::error::Result;
use crate::ids::{AssignmentId, DecisionId, ProposalId, ProposerId};
use crate::store::records;
use crate::workflow::assignment::AssignmentAction;
use crate::workflow::codes::{Disposition, HandlingKind, PublicationLevel, Secrecy};
use crate::workflow::input::{AssignRow, Meeting};
use crate::workflow::proposal::ProposalAction;
use crate::workflow::reasons::{ReasonCode, ReasonLabel};
use crate::workflow::reply::ReplyAction;

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionRecord {
    /// Identifier.
    pub id: DecisionId,
    /// Name of the action.
    #[schema(max_length = 64, example = "return_for_revision")]
    pub kind: String,
    /// Its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<Label>,
    /// Handling round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// What was decided.
    pub content: DecisionContent,
}

/// What a decision says; which members are there depends on its kind.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DecisionContent {
    /// The meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
    /// Why: of a return, a withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub reason: Option<String>,
    /// Why in words: of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub explanation: Option<String>,
    /// Why in codes: of a refusal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 20)]
    pub reason_codes: Vec<ReasonCode>,
    /// The same with what they are called.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 20)]
    pub reasons: Vec<ReasonOut>,
    /// What becomes of a refused proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disposition: Option<Disposition>,
    /// Opinion to the units: of an assignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub opinion: Option<String>,
    /// Words of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
    /// How far the text is published: of closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_text: Option<PublicationLevel>,
    /// How far the replies are published: of closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_replies: Option<PublicationLevel>,
    /// The unit's row it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment_id: Option<AssignmentId>,
    /// The proposal that absorbed this one, or did so before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub main_id: Option<ProposalId>,
    /// The rater it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
    /// Where the paper is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub paper_reference: Option<String>,
    /// In the rater's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub comment: Option<String>,
    /// Kind of handling from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<HandlingKind>,
    /// Rows that were added: of changed units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 60)]
    pub add: Vec<AssignRow>,
    /// Rows that became void: of changed units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 60)]
    pub remove: Vec<AssignmentId>,
    /// Rows that took the place of a returned one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 60)]
    pub replacement: Vec<AssignRow>,
    /// Rows of a further round, where they were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 60)]
    pub rows: Vec<AssignRow>,
    /// Statement of the unit, signed by its head: of a dispute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub statement: Option<String>,
    /// Head of the unit who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub unit_head: Option<String>,
    /// The coordination decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub decision: Option<String>,
    /// Who decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub decided_by: Option<String>,
    /// Who may read the case from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub secrecy: Option<Secrecy>,
    /// Body that received a refused proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub receiver: Option<String>,
    /// When it was sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub sent_on: Option<Date>,
    /// What the body answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1000)]
    pub acknowledgement: Option<String>,
    /// Why in one word: `unit_suggestion`, `dispute_decided`, `reorganisation`, `granted_return`,
    /// `correction` of changed units; `dissatisfied`, `quality` of a further round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, example = "dissatisfied")]
    pub cause: Option<String>,
}

/// A reason for not filing, with what the committee calls it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReasonOut {
    /// The reason.
    pub code: ReasonCode,
    /// Its labels.
    pub label: ReasonLabel,
}

/// The reasons with their labels.
pub(super) fn with_labels(
    codes: &[ReasonCode],
    labels: &BTreeMap<ReasonCode, ReasonLabel>,
) -> Vec<ReasonOut> {
    codes
        .iter()
        .filter_map(|code| {
            let label = labels.get(code)?.clone();
            Some(ReasonOut {
                code: code.clone(),
                label,
            })
        })
        .collect()
}

/// The labels of the action that a decision is named after.
fn label(kind: &str) -> Option<Label> {
    let of_proposal = kind.parse().ok().map(ProposalAction::label);
    let of_assignment = || kind.parse().ok().map(AssignmentAction::label);
    let of_reply = || kind.parse().ok().map(ReplyAction::label);
    of_proposal.or_else(of_assignment).or_else(of_reply)
}

/// A decision as it is shown.
pub fn decision((id, kind, round, content, at): records::DecisionRow) -> Result<DecisionRecord> {
    let label = label(&kind);
    Ok(DecisionRecord {
        id,
        label,
        kind,
        round,
        at: at.0,
        content: content.to()?,
    })
}
