//! Requests and consultations as the interface shows them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Label;
use crate::ids::{AssignmentId, AttachmentId, CaseRequestId, ConsultationId, UnitId};
use crate::workflow::case::{Case, Consultation, Request};
use crate::workflow::codes::{ConsultationForm, RequestKind, RequestStatus};

/// A request in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestBrief {
    /// Identifier.
    pub id: CaseRequestId,
    /// What it asks for.
    pub kind: RequestKind,
    /// Label of the kind.
    pub kind_label: Label,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub requested_at: Timestamp,
    /// New date of an extension, expected end of a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub until: Option<Date>,
}

impl RequestBrief {
    /// From a request.
    pub fn of(request: &Request) -> Self {
        Self {
            id: request.id,
            kind: request.kind,
            kind_label: request.kind.label(),
            requested_at: request.requested_at,
            until: request.form.until,
        }
    }
}

/// What somebody asked for on a case, and what was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestFacts {
    /// Identifier.
    pub id: CaseRequestId,
    /// What it asks for.
    pub kind: RequestKind,
    /// Label of the kind.
    pub kind_label: Label,
    /// How far it is.
    pub status: RequestStatus,
    /// Label of the status.
    pub status_label: Label,
    /// The row it is about; none for a withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment_id: Option<AssignmentId>,
    /// Who asked: the unit, or for a withdrawal the first proposer.
    #[schema(max_length = 200, example = "市交通运输局")]
    pub requested_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub requested_at: Timestamp,
    /// Why.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// Who signed it at the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub signatory: Option<String>,
    /// Units that should have the case, or help with it.
    #[schema(max_items = 20)]
    pub unit_ids: Vec<UnitId>,
    /// New date of an extension, expected end of a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub until: Option<Date>,
    /// The dispute was carried further up.
    pub escalated: bool,
    /// Statement of the unit's head, when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub statement: Option<String>,
    /// Files that go with it.
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decision: Option<RequestDecisionFacts>,
}

/// A decision on a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestDecisionFacts {
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// In which words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
    /// The date that was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub until: Option<Date>,
}

impl RequestFacts {
    /// A request of the case.
    pub fn of(case: &Case, request: &Request) -> Self {
        let unit = request.assignment.and_then(|id| case.assignment(id));
        let requested_by = match unit {
            Some(row) => row.unit_name.clone(),
            None => case
                .first_proposer()
                .map(|first| first.name.clone())
                .unwrap_or_default(),
        };
        let form = &request.form;
        Self {
            id: request.id,
            kind: request.kind,
            kind_label: request.kind.label(),
            status: request.status,
            status_label: request.status.label(),
            assignment_id: request.assignment,
            requested_by,
            requested_at: request.requested_at,
            reason: form.reason.clone(),
            signatory: form.signatory.clone(),
            unit_ids: form.units.clone(),
            until: form.until,
            escalated: request.escalated,
            statement: form.statement.clone(),
            attachment_ids: form.attachment_ids.clone(),
            decision: request
                .decision
                .as_ref()
                .map(|decision| RequestDecisionFacts {
                    at: decision.at,
                    note: decision.note.clone(),
                    until: decision.until,
                }),
        }
    }
}

/// A consultation on record; what was said stands in the records of the case.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsultationFacts {
    /// Identifier.
    pub id: ConsultationId,
    /// The round it belongs to.
    #[schema(minimum = 1)]
    pub round: i32,
    /// Its form.
    pub form: ConsultationForm,
    /// Label of the form.
    pub form_label: Label,
    /// When it was held.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub date: Date,
}

impl From<&Consultation> for ConsultationFacts {
    fn from(held: &Consultation) -> Self {
        Self {
            id: held.id,
            round: held.round,
            form: held.form,
            form_label: held.form.label(),
            date: held.date,
        }
    }
}
