//! Many acts in one request with a result for each: the work of a unit, and urging.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::bodies;
use crate::api::json::RawBody;
use crate::api::problem::{self, Lang, Problem};
use crate::api::register::object;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Known, Object};
use crate::app::bulk::{self, Item};
use crate::app::{Answer, App, Ctx};
use crate::code_list;
use crate::enter;
use crate::error::{Error, Message, Result};
use crate::ids::{AssignmentId, ProposalId, RequestId};
use crate::workflow::assignment::{AssignmentAction, AssignmentStatus};
use crate::workflow::decide::Target;
use crate::workflow::input::{AddresseeIn, Input, UrgeIn};
use crate::workflow::proposal::{ProposalAction, ProposalStatus};
use crate::workflow::role::Role;
use crate::workflow::rule::Action;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const UNITS: Access = Access::Roles(&[Role::UnitClerk]);
    const URGERS: Access = Access::Roles(&[
        Role::AssigningOfficer,
        Role::SupervisionOfficer,
        Role::CommitteeStaff,
    ]);
    routes.hidden_body::<AssignmentUpdates>();
    routes.hidden_body::<AssignmentUpdate>();
    enter!(routes, UNITS, [__path_update_assignments] update_assignments);
    enter!(routes, URGERS, [__path_urge_batch] urge_batch);
}

code_list! {
    /// What a unit does with a row, where one request does many things.
    pub enum UpdateAction {
        Accept = "accept", "签收", "accept";
        RecordContact = "record_contact", "登记沟通", "record a contact";
        SubmitOpinion = "submit_opinion", "提交会办意见", "submit an opinion";
        SuggestUnits = "suggest_units", "建议增加单位", "suggest units";
        RequestReturn = "request_return", "申退", "ask to return";
        RequestExtension = "request_extension", "申请延期", "ask for an extension";
        RequestPause = "request_pause", "申请中止", "ask for a pause";
    }
}

impl UpdateAction {
    const fn action(self) -> Action {
        Action::Assignment(match self {
            Self::Accept => AssignmentAction::Accept,
            Self::RecordContact => AssignmentAction::RecordContact,
            Self::SubmitOpinion => AssignmentAction::SubmitOpinion,
            Self::SuggestUnits => AssignmentAction::SuggestUnits,
            Self::RequestReturn => AssignmentAction::RequestReturn,
            Self::RequestExtension => AssignmentAction::RequestExtension,
            Self::RequestPause => AssignmentAction::RequestPause,
        })
    }
}

/// What a unit did with many of its rows. The whole request is at most 256 KiB long.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentUpdates {
    /// What is done with every row that does not say otherwise.
    #[serde(default)]
    #[schema(nullable = false)]
    action: Option<UpdateAction>,
    /// What is handed in for every row that says neither `action` nor `input`: the body of the
    /// single operation of `action`.
    #[serde(default)]
    #[schema(nullable = false, value_type = Option<Object>)]
    input: Option<Value>,
    /// The rows, none twice.
    #[schema(min_items = 1, max_items = 200)]
    items: Vec<AssignmentUpdate>,
}

/// What was done with one row.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentUpdate {
    /// The row.
    assignment_id: AssignmentId,
    /// The version of the row that was read: the part of its `ETag` before the dot.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 1)]
    version: i32,
    /// What is done with it.
    #[serde(default)]
    #[schema(nullable = false)]
    action: Option<UpdateAction>,
    /// What is handed in: the body of the single operation of the action.
    #[serde(default)]
    #[schema(nullable = false, value_type = Option<Object>)]
    input: Option<Value>,
}

/// The same as the document shows it, with the bodies that `input` may be. They are checked one by
/// one, so that a wrong one is refused alone and after its row is known to be the caller's.
pub struct AssignmentUpdatesIn;

/// Bodies of the single operations.
struct UpdateInput;
/// One row, as the document shows it.
struct AssignmentUpdateIn;

fn with_input<T: PartialSchema>() -> utoipa::openapi::Object {
    let mut schema = object::<T>();
    let input = Ref::from_schema_name(UpdateInput::name());
    schema.properties.insert("input".to_owned(), input.into());
    schema
}

impl PartialSchema for UpdateInput {
    fn schema() -> RefOr<Schema> {
        let mut any = AnyOfBuilder::new().description(Some(
            "The body of the single operation of the action, such as `AcceptIn` of `accept`.",
        ));
        for action in UpdateAction::ALL {
            if let Some(body) = bodies::of(action.action()) {
                any = any.item(Ref::from_schema_name(body.name));
            }
        }
        any.into()
    }
}

impl ToSchema for UpdateInput {
    fn name() -> std::borrow::Cow<'static, str> {
        "AssignmentUpdateInput".into()
    }
}

impl PartialSchema for AssignmentUpdateIn {
    fn schema() -> RefOr<Schema> {
        with_input::<AssignmentUpdate>().into()
    }
}

impl ToSchema for AssignmentUpdateIn {}

impl PartialSchema for AssignmentUpdatesIn {
    fn schema() -> RefOr<Schema> {
        let mut schema = with_input::<AssignmentUpdates>();
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(AssignmentUpdateIn::name()))
            .min_items(Some(1))
            .max_items(Some(bulk::MOST))
            .description(Some("The rows, none twice."));
        schema.properties.insert("items".to_owned(), items.into());
        schema.into()
    }
}

impl ToSchema for AssignmentUpdatesIn {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        AssignmentUpdates::schemas(schemas);
        for action in UpdateAction::ALL {
            if let Some(body) = bodies::of(action.action()) {
                schemas.extend(body.schemas);
            }
        }
        schemas.push((UpdateInput::name().into_owned(), UpdateInput::schema()));
        let item = AssignmentUpdateIn::schema();
        schemas.push((AssignmentUpdateIn::name().into_owned(), item));
    }
}

/// Many urgings at once (催办). The whole request is at most 256 KiB long.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgingBatchIn {
    /// What is asked, in every case that does not say otherwise.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "该案答复期限将至，请抓紧办理并报告进度。"
    )]
    pub text: String,
    /// By when an answer is expected, in every case that does not say otherwise.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-05-20")]
    pub due_on: Date,
    /// The cases, none twice.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<UrgingBatchItem>,
}

/// A case and who is urged in it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgingBatchItem {
    /// The case.
    pub proposal_id: ProposalId,
    /// The version of the proposal that was read: the part of its `ETag` before a dot.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 9)]
    pub version: i32,
    /// Who is urged, none twice; each owes something.
    #[schema(min_items = 1, max_items = 60)]
    pub addressees: Vec<AddresseeIn>,
    /// What is asked in this case.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub text: Option<String>,
    /// By when an answer is expected in this case.
    #[serde(default)]
    #[schema(nullable = false, value_type = Option<String>, format = Date, max_length = 10)]
    pub due_on: Option<Date>,
}

/// What became of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentUpdatesResult {
    /// One result per item, in the order of the request.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<AssignmentUpdateResult>,
    /// Items that were done.
    #[schema(minimum = 0, maximum = 200, example = 1)]
    pub succeeded: usize,
    /// Items that were refused; nothing of them was changed.
    #[schema(minimum = 0, maximum = 200, example = 0)]
    pub failed: usize,
}

/// What became of one row.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentUpdateResult {
    /// The row.
    pub assignment_id: AssignmentId,
    /// What came of it.
    #[serde(flatten)]
    pub result: ItemResult,
    /// The status of the row afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment_status: Option<AssignmentStatus>,
}

/// What became of the cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct UrgingBatchResult {
    /// One result per case, in the order of the request.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<UrgingBatchItemResult>,
    /// Cases in which somebody was urged.
    #[schema(minimum = 0, maximum = 200, example = 1)]
    pub succeeded: usize,
    /// Cases in which it was refused; nothing of them was changed.
    #[schema(minimum = 0, maximum = 200, example = 0)]
    pub failed: usize,
}

/// What became of one case.
#[derive(Debug, Serialize, ToSchema)]
pub struct UrgingBatchItemResult {
    /// The case.
    pub proposal_id: ProposalId,
    /// What came of it.
    #[serde(flatten)]
    pub result: ItemResult,
    /// The status of the proposal afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposal_status: Option<ProposalStatus>,
}

/// What came of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemResult {
    /// The act happened.
    pub ok: bool,
    /// The HTTP status that the single call would have given.
    #[schema(minimum = 200, maximum = 499, example = 200)]
    pub status: u16,
    /// Why not: the problem document of the single call. Its pointers lead into `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// The version afterwards, for the next act.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, example = 2)]
    pub version: Option<i32>,
}

impl ItemResult {
    fn of(result: &Result<Known>, request: RequestId, lang: Lang) -> Self {
        match result {
            Ok(known) => Self {
                ok: true,
                status: 200,
                problem: None,
                version: Some(act::version(&known.case, known.target)),
            },
            Err(error) => Self {
                ok: false,
                status: error.code().status(),
                problem: Some(problem::document(error, request, lang)),
                version: None,
            },
        }
    }
}

/// How many succeeded and how many failed.
fn counted(results: &[Result<Known>]) -> (usize, usize) {
    let succeeded = results.iter().filter(|result| result.is_ok()).count();
    (succeeded, results.len() - succeeded)
}

/// Update many assignments at once
///
/// What a unit did with up to 200 of its rows: accept them, record contacts, hand in opinions, ask
/// for more time. `action` and `input` stand at the top for all rows, or in an item for that row
/// alone; `input` is the body of the single operation. Every item is done or refused by itself,
/// under the rules of the single call: a row of another unit gives 404, a stale `version` 412. The
/// answer has one result per item, in the order of the list, with the problem document of the
/// single call where it was refused. A list that names a row twice, or has not the right form, is
/// refused as a whole. All of it is one transaction: after a lost answer repeat the request with
/// the same Idempotency-Key. If-Match is not asked for.
#[utoipa::path(
    post, path = "/api/v1/assignment-updates", tag = "batches",
    request_body(content = AssignmentUpdatesIn, examples(
        ("accept" = (summary = "Accept many cases", value = json!({
            "action": "accept",
            "input": { "clerk_name": "陈思源", "clerk_phone": "0599-5550145" },
            "items": [
                { "assignment_id": "asgn_019a1b2c3d4e7f8090a1b2c3d4e5f607", "version": 1 },
                { "assignment_id": "asgn_019a1b2c3d4e7f8090a1b2c3d4e5f608", "version": 1 }
            ]
        }))),
        ("mixed" = (summary = "Something else with each", value = json!({
            "items": [
                {
                    "assignment_id": "asgn_019a1b2c3d4e7f8090a1b2c3d4e5f607", "version": 2,
                    "action": "record_contact",
                    "input": {
                        "way": "phone", "date": "2026-04-10", "persons": "科长陈思源；提案者",
                        "said": "介绍了线路调整方案。", "proposer_view": "认可。"
                    }
                },
                {
                    "assignment_id": "asgn_019a1b2c3d4e7f8090a1b2c3d4e5f608", "version": 2,
                    "action": "submit_opinion",
                    "input": { "text": "我局将同步预留公交停靠条件。", "signatory": "郑海峰" }
                }
            ]
        }))),
    )),
    responses((status = 200, description = "What became of each row.", body = AssignmentUpdatesResult)),
)]
pub async fn update_assignments(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let lang = Lang::of(request.headers());
    let list: AssignmentUpdates = body.parse()?;
    bulk::check_distinct(
        list.items.iter().map(|item| item.assignment_id),
        "assignment_id",
    )?;
    let items = items_of(list)?;
    let read: HashMap<_, _> = UpdateAction::ALL
        .iter()
        .filter_map(|action| Some((action.action(), bodies::of(action.action())?.parse)))
        .collect();
    app.act(&ctx.clone(), move |tx| {
        let parse = |item: &Item<Value>| {
            let read = read.get(&item.action).ok_or_else(Error::not_found)?;
            read(&body.part(&item.input)?)
        };
        let results = bulk::perform(tx, &ctx, &items, &parse)?;
        let (succeeded, failed) = counted(&results);
        let each = items.iter().zip(&results).filter_map(|(item, result)| {
            let Object::Assignment(id) = item.object else {
                return None;
            };
            let status = result.as_ref().ok().and_then(|known| match known.target {
                Target::Assignment(id) => known.case.assignment(id).map(|row| row.status),
                Target::Proposal | Target::Reply(_) => None,
            });
            Some(AssignmentUpdateResult {
                assignment_id: id,
                result: ItemResult::of(result, ctx.request_id, lang),
                assignment_status: status,
            })
        });
        Answer::ok(&AssignmentUpdatesResult {
            items: each.collect(),
            succeeded,
            failed,
        })
    })
    .await
}

/// Every row with what is done with it: its own action and input, or those of the list.
fn items_of(list: AssignmentUpdates) -> Result<Vec<Item<Value>>> {
    let nothing = || Value::Object(serde_json::Map::new());
    let shared = list.input.unwrap_or_else(nothing);
    let each = list.items.into_iter().enumerate();
    each.map(|(index, item)| {
        let input = match (item.action, item.input) {
            (_, Some(own)) => own,
            (Some(_), None) => nothing(),
            (None, None) => shared.clone(),
        };
        let action = item.action.or(list.action).ok_or_else(|| {
            Error::invalid(
                format!("/items/{index}/action"),
                "required",
                Message::new(
                    "须在此处或列表顶层说明操作。",
                    "Say here or at the top what is to be done.",
                ),
            )
        })?;
        Ok(Item {
            object: Object::Assignment(item.assignment_id),
            action: action.action(),
            version: item.version,
            input,
        })
    })
    .collect()
}

/// Urge in many cases at once
///
/// Urges units and raters in up to 200 cases (OT25), each done or refused by itself under the rules
/// of the single call: whoever owes nothing gives 409, a stale `version` 412. `text` and `due_on` stand
/// for all cases; an item may have its own. The answer has one result per case, in the order of
/// the list, with the problem document of the single call where it was refused. A list that names a
/// case twice is refused as a whole. All of it is one transaction: after a lost answer repeat the
/// request with the same Idempotency-Key. If-Match is not asked for.
#[utoipa::path(
    post, path = "/api/v1/urging-batches", tag = "batches",
    request_body(content = UrgingBatchIn, example = json!({
        "text": "该案答复期限将至，请抓紧办理并报告进度。",
        "due_on": "2026-05-20",
        "items": [{
            "proposal_id": "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607", "version": 9,
            "addressees": [{ "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f609" }]
        }]
    })),
    responses((status = 200, description = "What became of each case.", body = UrgingBatchResult)),
)]
pub async fn urge_batch(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let lang = Lang::of(request.headers());
    let list: UrgingBatchIn = body.parse()?;
    bulk::check_distinct(
        list.items.iter().map(|item| item.proposal_id),
        "proposal_id",
    )?;
    let each = list.items.into_iter().map(|item| Item {
        object: Object::Proposal(item.proposal_id),
        action: Action::Proposal(ProposalAction::Urge),
        version: item.version,
        input: Input::Urge(UrgeIn {
            addressees: item.addressees,
            text: item.text.unwrap_or_else(|| list.text.clone()),
            due_on: item.due_on.unwrap_or(list.due_on),
        }),
    });
    let items: Vec<_> = each.collect();
    app.act(&ctx.clone(), move |tx| {
        let results = bulk::perform(tx, &ctx, &items, &|item| Ok(item.input.clone()))?;
        let (succeeded, failed) = counted(&results);
        let each = items.iter().zip(&results).filter_map(|(item, result)| {
            let Object::Proposal(id) = item.object else {
                return None;
            };
            Some(UrgingBatchItemResult {
                proposal_id: id,
                result: ItemResult::of(result, ctx.request_id, lang),
                proposal_status: result.as_ref().ok().map(|known| known.case.proposal.status),
            })
        });
        Answer::ok(&UrgingBatchResult {
            items: each.collect(),
            succeeded,
            failed,
        })
    })
    .await
}
