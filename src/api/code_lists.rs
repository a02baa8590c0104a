//! The fixed code lists of the field as data, so that front ends need no copy of them.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::none_match;
use super::routes::{Access, Routes};
use crate::codes::Label;
use crate::jobs::kind::{JobKind, JobState, Lane as JobLane};
use crate::mail::{Language, MailKind, MailStatus};
use crate::webhooks::{DeliveryStatus, WebhookStatus};
use crate::workflow::assignment::{AssignmentAction, AssignmentStatus};
use crate::workflow::attachments::{AttachmentStatus, BoundKind, FileType};
use crate::workflow::calendar::DayMark;
use crate::workflow::case::Phase;
use crate::workflow::codes::{
    AdjustCause, Adoption, AssignmentRole, CaseSeries, ClockKind, ConsentStatus, ConsultationForm,
    ContactWay, CountersignStatus, Disposition, DrivingMode, FollowUpKind, FollowUpStatus, Grade,
    HandlingKind, InstructionKind, LinkKind, OutcomeMeaning, ProgrammeTier, PromiseStatus,
    PromiseVerdict, ProposerRole, PublicationLevel, PublishedPart, Recommendation,
    ReferralDirection, ReferralStatus, RehandlingCause, Relevance, RequestKind, RequestStatus,
    Secrecy, SessionMark, SourceKind, Stage, SubjectClass, SupervisionMode, Urgency,
};
use crate::workflow::desk::Task;
use crate::workflow::explain::DayVerdict;
use crate::workflow::input::ReferralVerdict;
use crate::workflow::lists::{CommitteeLevel, ProposerKind, SystemLine};
use crate::workflow::profile::{
    ConsultationCase, DropUnsigned, ExtensionApprover, LapseMeans, LapsedForm, Letter,
    PolicyEffect, ProfileStatus, Raters,
};
use crate::workflow::proposal::{ProposalAction, ProposalStatus};
use crate::workflow::reasons::ReasonStatus;
use crate::workflow::reply::{ReplyAction, ReplyStatus};
use crate::workflow::role::{Line, Role};
use crate::workflow::rule::Machine;
use crate::workflow::topics::{Delivery, Group};

/// A code with its labels.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CodeItem {
    /// The code, as it stands in requests and answers.
    #[schema(max_length = 64, example = "phone")]
    pub code: &'static str,
    /// Its labels.
    pub label: Label,
}

/// A fixed code list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CodeList {
    /// Name of the list: the name of its schema in this document, in snake case.
    #[schema(max_length = 64, example = "contact_way")]
    pub list: &'static str,
    /// The codes, in the order of the list.
    #[schema(max_items = 100)]
    pub codes: Vec<CodeItem>,
}

/// Every fixed code list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CodeLists {
    /// The lists, by name.
    #[schema(max_items = 100)]
    pub items: Vec<CodeList>,
}

macro_rules! lists {
    ($($name:literal $list:ty;)+) => {
        vec![$(CodeList {
            list: $name,
            codes: <$list>::ALL
                .iter()
                .map(|code| CodeItem { code: code.as_str(), label: code.label() })
                .collect(),
        }),+]
    };
}

/// Every fixed code list, by name. Reasons for not filing are data of each committee.
pub fn all() -> CodeLists {
    let mut items = lists! {
        "adjust_cause" AdjustCause;
        "adoption" Adoption;
        "assignment_action" AssignmentAction;
        "assignment_role" AssignmentRole;
        "assignment_status" AssignmentStatus;
        "attachment_status" AttachmentStatus;
        "bound_kind" BoundKind;
        "case_series" CaseSeries;
        "clock_kind" ClockKind;
        "committee_level" CommitteeLevel;
        "consent_status" ConsentStatus;
        "consultation_case" ConsultationCase;
        "consultation_form" ConsultationForm;
        "contact_way" ContactWay;
        "countersign_status" CountersignStatus;
        "day_mark" DayMark;
        "day_verdict" DayVerdict;
        "delivery" Delivery;
        "delivery_status" DeliveryStatus;
        "disposition" Disposition;
        "driving_mode" DrivingMode;
        "drop_unsigned" DropUnsigned;
        "extension_approver" ExtensionApprover;
        "file_type" FileType;
        "follow_up_kind" FollowUpKind;
        "follow_up_status" FollowUpStatus;
        "grade" Grade;
        "group" Group;
        "handling_kind" HandlingKind;
        "instruction_kind" InstructionKind;
        "job_kind" JobKind;
        "job_state" JobState;
        "lane" JobLane;
        "language" Language;
        "lapse_means" LapseMeans;
        "lapsed_form" LapsedForm;
        "letter" Letter;
        "line" Line;
        "link_kind" LinkKind;
        "machine" Machine;
        "mail_kind" MailKind;
        "mail_status" MailStatus;
        "outcome_meaning" OutcomeMeaning;
        "phase" Phase;
        "policy_effect" PolicyEffect;
        "profile_status" ProfileStatus;
        "programme_tier" ProgrammeTier;
        "promise_status" PromiseStatus;
        "promise_verdict" PromiseVerdict;
        "proposal_action" ProposalAction;
        "proposal_status" ProposalStatus;
        "proposer_kind" ProposerKind;
        "proposer_role" ProposerRole;
        "publication_level" PublicationLevel;
        "published_part" PublishedPart;
        "raters" Raters;
        "reason_status" ReasonStatus;
        "recommendation" Recommendation;
        "referral_direction" ReferralDirection;
        "referral_status" ReferralStatus;
        "referral_verdict" ReferralVerdict;
        "rehandling_cause" RehandlingCause;
        "relevance" Relevance;
        "reply_action" ReplyAction;
        "reply_status" ReplyStatus;
        "request_kind" RequestKind;
        "request_status" RequestStatus;
        "role" Role;
        "secrecy" Secrecy;
        "session_mark" SessionMark;
        "source_kind" SourceKind;
        "stage" Stage;
        "subject_class" SubjectClass;
        "supervision_mode" SupervisionMode;
        "system_line" SystemLine;
        "task" Task;
        "urgency" Urgency;
        "webhook_status" WebhookStatus;
    };
    items.sort_unstable_by_key(|list| list.list);
    CodeLists { items }
}

/// Entity tag and text; they change only with the version of the program.
static ANSWER: LazyLock<(String, String)> = LazyLock::new(|| {
    // Texts and numbers always become JSON.
    let text = serde_json::to_string(&all()).unwrap_or_default();
    (
        format!("\"{}\"", crate::digest::hex(&[text.as_bytes()])),
        text,
    )
});

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    crate::enter!(routes, Access::Public, [__path_list_code_lists] list_code_lists);
}

/// List the fixed code lists
///
/// Every fixed list with its codes and labels, for forms and filters. It changes only with the
/// version of the program; keep it and ask again with If-None-Match. Lists that a committee makes
/// its own stand elsewhere: `GET /api/v1/refusal-reasons`.
#[utoipa::path(get, path = "/api/v1/code-lists", tag = "code-lists",
    responses((status = 200, description = "The lists.", body = CodeLists)))]
pub async fn list_code_lists(request: HttpRequest) -> HttpResponse {
    let (etag, text) = &*ANSWER;
    let unchanged = none_match(&request, etag);
    let mut response = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .content_type("application/json");
    if unchanged {
        response.finish()
    } else {
        response.body(text.as_str())
    }
}
