//! A case in short: in lists, and inside the answers about its assignments and replies.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Label;
use crate::ids::{AssignmentId, ProposalId, SessionId, UnitId};
use crate::store::cases::ProposalRow;
use crate::store::proposals::UnitLine;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::{Case, Phase};
use crate::workflow::codes::{
    AssignmentRole, CaseSeries, HandlingKind, Secrecy, SessionMark, SubjectClass, Urgency,
};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Line;

/// A proposal in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalItem {
    /// Identifier.
    pub id: ProposalId,
    /// Version; the ETag of the proposal.
    #[schema(minimum = 1)]
    pub version: i32,
    /// 案由.
    #[schema(max_length = 200, example = "关于优化老城区公交微循环线路的提案")]
    pub title: String,
    /// Kind of the proposer.
    pub kind: ProposerKind,
    /// Name of the first proposer.
    #[schema(max_length = 200, example = "周明远")]
    pub first_proposer: String,
    /// The session.
    pub session_id: SessionId,
    /// Status.
    pub status: ProposalStatus,
    /// Handling round, from 1.
    #[schema(minimum = 1)]
    pub round: i32,
    /// Phase inside `assigned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phase: Option<Phase>,
    /// 已并入: the proposal that absorbed this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub merged_into: Option<ProposalId>,
    /// Status of the proposal that absorbed this one, which this one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub effective_status: Option<ProposalStatus>,
    /// Required replies of the present round.
    #[schema(minimum = 0)]
    pub required_replies: usize,
    /// How many of them were delivered.
    #[schema(minimum = 0)]
    pub delivered_replies: usize,
    /// 流水号; from the first submission on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// 案号; from filing on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Series of the case number: ordinary proposals may be numbered apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub case_series: Option<CaseSeries>,
    /// Session or ordinary proposal; from the first submission on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session_mark: Option<SessionMark>,
    /// Class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_class: Option<SubjectClass>,
    /// Assigning line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigning_line: Option<Line>,
    /// How the units share the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<HandlingKind>,
    /// The urgent lane.
    pub urgency: Urgency,
    /// Secrecy.
    pub secrecy: Secrecy,
    /// Units of the present round.
    #[schema(max_items = 100)]
    pub assignments: Vec<AssignmentBrief>,
    /// Since when it has this status.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub status_since: Timestamp,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// When the case was last written to.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub updated_at: Timestamp,
    /// Labels of the codes above.
    pub labels: CaseLabels,
}

/// A unit's row in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentBrief {
    /// Identifier.
    pub id: AssignmentId,
    /// The unit.
    pub unit_id: UnitId,
    /// Its name.
    #[schema(max_length = 200, example = "市交通运输局")]
    pub unit_name: String,
    /// What the unit is to the case.
    pub role: AssignmentRole,
    /// Status.
    pub status: AssignmentStatus,
    /// Labels of role and status.
    pub labels: RowLabels,
}

/// Labels of a unit's row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowLabels {
    /// Of the role.
    pub role: Label,
    /// Of the status.
    pub status: Label,
}

/// Labels of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLabels {
    /// Of the status.
    pub status: Label,
    /// Of the effective status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub effective_status: Option<Label>,
    /// Of the phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phase: Option<Label>,
    /// Of the kind of proposer.
    pub kind: Label,
    /// Of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_class: Option<Label>,
    /// Of the assigning line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigning_line: Option<Label>,
    /// Of the kind of handling.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<Label>,
    /// Of the session mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session_mark: Option<Label>,
}

fn row_labels(role: AssignmentRole, status: AssignmentStatus) -> RowLabels {
    RowLabels {
        role: role.label(),
        status: status.label(),
    }
}

/// The phase of a listed case, from its rows of the present round.
fn phase(row: &ProposalRow, lines: &[&UnitLine]) -> Option<Phase> {
    (row.status == ProposalStatus::Assigned).then(|| {
        let waiting = lines.iter().any(|line| {
            line.role.replies()
                && matches!(
                    line.status,
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

/// Delivered and required replies of a listed case, from its rows of the present round.
fn replies(lines: &[&UnitLine]) -> (usize, usize) {
    let bound = lines
        .iter()
        .filter(|line| line.role.replies() && line.status.is_live());
    let delivered = bound
        .clone()
        .filter(|line| line.status == AssignmentStatus::Replied);
    (delivered.count(), bound.count())
}

impl ProposalItem {
    /// From the rows of a list.
    pub fn from_rows(
        row: ProposalRow,
        first_proposer: String,
        lines: &[UnitLine],
        effective_status: Option<ProposalStatus>,
    ) -> Self {
        let current: Vec<&UnitLine> = lines
            .iter()
            .filter(|line| line.proposal_id == row.id && line.round == row.round)
            .collect();
        let phase = phase(&row, &current);
        let (delivered_replies, required_replies) = replies(&current);
        let assignments = current
            .into_iter()
            .map(|line| AssignmentBrief {
                id: line.id,
                unit_id: line.unit_id,
                unit_name: line.unit_name.clone(),
                role: line.role,
                status: line.status,
                labels: row_labels(line.role, line.status),
            })
            .collect();
        Self {
            id: row.id,
            version: row.version,
            kind: row.kind,
            first_proposer,
            session_id: row.session_id,
            status: row.status,
            round: row.round,
            phase,
            merged_into: row.main_id,
            effective_status,
            required_replies,
            delivered_replies,
            serial_no: row.serial_no,
            case_no: row.case_no,
            case_series: row.case_no.map(|_| row.case_series),
            session_mark: row.session_mark,
            subject_class: row.subject_class,
            assigning_line: row.assigning_line,
            handling_kind: row.handling_kind,
            urgency: row.urgency,
            secrecy: row.secrecy,
            assignments,
            status_since: row.status_since.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            labels: CaseLabels {
                status: row.status.label(),
                effective_status: effective_status.map(ProposalStatus::label),
                phase: phase.map(Phase::label),
                kind: row.kind.label(),
                subject_class: row.subject_class.map(SubjectClass::label),
                assigning_line: row.assigning_line.map(Line::label),
                handling_kind: row.handling_kind.map(HandlingKind::label),
                session_mark: row.session_mark.map(SessionMark::label),
            },
            title: row.title,
        }
    }

    /// From a whole case.
    pub fn from_case(case: &Case) -> Self {
        let proposal = &case.proposal;
        let phase = case.phase();
        let (delivered_replies, required_replies) = case.replies_delivered();
        let effective_status = case.main.as_ref().map(|main| main.status);
        Self {
            id: proposal.id,
            version: proposal.version,
            title: proposal.form.title.clone(),
            kind: proposal.kind,
            first_proposer: case
                .first_proposer()
                .map(|p| p.name.clone())
                .unwrap_or_default(),
            session_id: case.session.id,
            status: proposal.status,
            round: proposal.round,
            phase,
            merged_into: case.main.as_ref().map(|main| main.proposal),
            effective_status,
            required_replies,
            delivered_replies,
            serial_no: proposal.serial_no,
            case_no: proposal.case_no,
            case_series: proposal.case_no.map(|_| proposal.case_series),
            session_mark: proposal.session_mark,
            subject_class: proposal.subject_class,
            assigning_line: proposal.assigning_line,
            handling_kind: proposal.handling_kind,
            urgency: proposal.urgency,
            secrecy: proposal.secrecy,
            assignments: case
                .current_rows()
                .map(|row| AssignmentBrief {
                    id: row.id,
                    unit_id: row.unit,
                    unit_name: row.unit_name.clone(),
                    role: row.role,
                    status: row.status,
                    labels: row_labels(row.role, row.status),
                })
                .collect(),
            status_since: proposal.status_since,
            created_at: proposal.created_at,
            updated_at: proposal.updated_at,
            labels: CaseLabels {
                status: proposal.status.label(),
                effective_status: effective_status.map(ProposalStatus::label),
                phase: phase.map(Phase::label),
                kind: proposal.kind.label(),
                subject_class: proposal.subject_class.map(SubjectClass::label),
                assigning_line: proposal.assigning_line.map(Line::label),
                handling_kind: proposal.handling_kind.map(HandlingKind::label),
                session_mark: proposal.session_mark.map(SessionMark::label),
            },
        }
    }
}
