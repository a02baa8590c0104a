//! Batches: what a meeting decides on hundreds of cases, in one request.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::json::RawBody;
use crate::api::problem::{self, Lang, Problem};
use crate::api::routes::{Access, Routes};
use crate::app::batch::{self, Item, Outcome};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::Result;
use crate::ids::{ProposalId, RequestId};
use crate::workflow::codes::{HandlingKind, SubjectClass};
use crate::workflow::input::{AssignIn, AssignRow, FileIn, Input, Meeting};
use crate::workflow::proposal::ProposalAction;
use crate::workflow::role::{Line, Role};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const OFFICER: Access = Access::Roles(&[Role::AssigningOfficer]);
    const CHAIR: Access = Access::Roles(&[Role::CommitteeChair]);
    enter!(routes, OFFICER, [__path_assign_batch] assign_batch);
    enter!(routes, CHAIR, [__path_file_batch] file_batch);
}

/// What an assignment meeting decides (交办会). The whole request is at most 256 KiB long.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentBatchIn {
    /// The assignment meeting, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
    /// Opinion given to the units of every case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "请各主办单位于三个月内答复提案者。"
    )]
    pub opinion: Option<String>,
    /// The cases, none twice.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<AssignmentBatchItem>,
}

/// A case and its units.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentBatchItem {
    /// The case.
    pub proposal_id: ProposalId,
    /// How the units share it (I4).
    pub handling_kind: HandlingKind,
    /// One row per unit.
    #[schema(min_items = 1, max_items = 60)]
    pub rows: Vec<AssignRow>,
}

/// What a filing meeting decides (立案会议).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilingBatchIn {
    /// The meeting that decided.
    pub meeting: Meeting,
    /// The cases in the order of the meeting's list, none twice; they are numbered in this order.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<FilingBatchItem>,
}

/// A case to be filed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilingBatchItem {
    /// The case.
    pub proposal_id: ProposalId,
    /// Class, where the decision differs from the examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_class: Option<SubjectClass>,
    /// Line, where the decision differs from the examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigning_line: Option<Line>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// What became of the cases of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// One result per case, in the order of the request.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<BatchItemResult>,
    /// Cases on which the act happened.
    #[schema(minimum = 0, maximum = 500, example = 1)]
    pub succeeded: usize,
    /// Cases on which it was refused; nothing of them was changed.
    #[schema(minimum = 0, maximum = 500, example = 0)]
    pub failed: usize,
}

/// What became of one case of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchItemResult {
    /// The case.
    pub proposal_id: ProposalId,
    /// The act happened.
    pub ok: bool,
    /// The HTTP status that the single call would have given.
    #[schema(minimum = 200, maximum = 499, example = 200)]
    pub status: u16,
    /// Why not: the problem document of the single call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// 案号 after the act.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, example = 17)]
    pub case_no: Option<i32>,
}

impl BatchResult {
    fn of(outcomes: Vec<Outcome>, request: RequestId, lang: Lang) -> Self {
        let items: Vec<_> = outcomes
            .into_iter()
            .map(|Outcome { proposal, result }| match result {
                Ok(case_no) => BatchItemResult {
                    proposal_id: proposal,
                    ok: true,
                    status: 200,
                    problem: None,
                    case_no,
                },
                Err(error) => BatchItemResult {
                    proposal_id: proposal,
                    ok: false,
                    status: error.code().status(),
                    problem: Some(problem::document(&error, request, lang)),
                    case_no: None,
                },
            })
            .collect();
        let succeeded = items.iter().filter(|item| item.ok).count();
        Self {
            failed: items.len() - succeeded,
            succeeded,
            items,
        }
    }
}

/// Assign many cases at once
///
/// An assignment meeting gives hundreds of cases to their units in one request. Every case is
/// assigned (PT19) or refused by itself, under the rules of the single call; a refused one is left
/// as it was and does not hinder the others. The answer has one result per case, in the order of
/// the list, with the problem document of the single call where it was refused. A list that names a
/// case twice is refused as a whole. All of it is one transaction: after a lost answer repeat the
/// request with the same Idempotency-Key. If-Match is not asked for.
#[utoipa::path(
    post, path = "/api/v1/assignment-batches", tag = "batches",
    request_body = AssignmentBatchIn,
    responses((status = 200, description = "What became of each case.", body = BatchResult)),
)]
pub async fn assign_batch(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let batch: AssignmentBatchIn = body.parse()?;
    let items = batch.items.into_iter().map(|item| Item {
        proposal: item.proposal_id,
        input: Input::Assign(AssignIn {
            handling_kind: item.handling_kind,
            rows: item.rows,
            meeting: batch.meeting.clone(),
            opinion: batch.opinion.clone(),
        }),
    });
    let (items, meeting) = (items.collect(), batch.meeting.clone());
    let act = (ProposalAction::Assign, Role::AssigningOfficer);
    run(app, ctx, &request, &body, act, meeting, items).await
}

/// File many cases at once
///
/// Records the decisions of a filing meeting. Every case is filed (PT15) or refused by itself,
/// under the rules of the single call, and those filed get consecutive case numbers in the order of
/// the list; a refused one takes no number. A list that names a case twice is refused as a whole.
/// All of it is one transaction: after a lost answer repeat the request with the same
/// Idempotency-Key. If-Match is not asked for.
#[utoipa::path(
    post, path = "/api/v1/filing-batches", tag = "batches",
    request_body = FilingBatchIn,
    responses((status = 200, description = "What became of each case.", body = BatchResult)),
)]
pub async fn file_batch(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let batch: FilingBatchIn = body.parse()?;
    let items = batch.items.into_iter().map(|item| Item {
        proposal: item.proposal_id,
        input: Input::File(FileIn {
            meeting: batch.meeting.clone(),
            subject_class: item.subject_class,
            assigning_line: item.assigning_line,
            note: item.note,
        }),
    });
    let (items, meeting) = (items.collect(), Some(batch.meeting.clone()));
    let act = (ProposalAction::File, Role::CommitteeChair);
    run(app, ctx, &request, &body, act, meeting, items).await
}

async fn run(
    app: Data<App>,
    ctx: Ctx,
    request: &HttpRequest,
    body: &RawBody,
    (action, by): (ProposalAction, Role),
    meeting: Option<Meeting>,
    items: Vec<Item>,
) -> Result<Answer> {
    let ctx = ctx.for_write(request, body)?;
    let lang = Lang::of(request.headers());
    app.act(&ctx.clone(), move |tx| {
        let outcomes = batch::perform(tx, &ctx, action, by, meeting.as_ref(), &items)?;
        Answer::ok(&BatchResult::of(outcomes, ctx.request_id, lang))
    })
    .await
}
