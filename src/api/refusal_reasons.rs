//! Reasons for not filing (不予立案理由), as each committee has them.

use actix_web::HttpRequest;
use actix_web::web::Data;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::extract::{Listing, PathText};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, Page, PageParams};
use super::register::patch_of;
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::Result;
use crate::store::Tx;
use crate::store::refusal_reasons::{
    self, Key, NewRefusalReason, RefusalReason, RefusalReasonFields, RefusalReasonFilter,
};
use crate::workflow::input::NoInput;
use crate::workflow::reasons::ReasonCode;

const PATH: &str = "/api/v1/refusal-reasons";

/// A merge patch (RFC 7396) of what can be changed of a reason.
pub struct RefusalReasonPatch;

impl PartialSchema for RefusalReasonPatch {
    fn schema() -> RefOr<Schema> {
        patch_of::<RefusalReasonFields>()
    }
}

impl ToSchema for RefusalReasonPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RefusalReasonFields::schemas(schemas);
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(refusal_reasons::WRITERS);
    const DECIDERS: Access = Access::Roles(refusal_reasons::DECIDERS);
    routes.hidden_body::<RefusalReasonFields>();
    enter!(routes, Access::SignedIn, [__path_list_refusal_reasons] list_refusal_reasons);
    enter!(routes, WRITERS, [__path_create_refusal_reason] create_refusal_reason);
    enter!(routes, Access::SignedIn, [__path_get_refusal_reason] get_refusal_reason);
    enter!(routes, WRITERS, [__path_update_refusal_reason] update_refusal_reason);
    enter!(routes, WRITERS, [__path_delete_refusal_reason] delete_refusal_reason);
    enter!(routes, DECIDERS, [__path_activate_refusal_reason] activate_refusal_reason);
    enter!(routes, DECIDERS, [__path_retire_refusal_reason] retire_refusal_reason);
}

/// List reasons for not filing
///
/// The reasons of the committee in their order. `status=active` gives those that may be given now;
/// the others are there for their labels.
#[utoipa::path(
    get, path = "/api/v1/refusal-reasons", tag = "code-lists",
    params(RefusalReasonFilter, PageParams),
    responses((status = 200, description = "A page of reasons.", body = Page<RefusalReason>)),
)]
pub async fn list_refusal_reasons(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<RefusalReasonFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let after: Option<Key> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let (committee, with_count) = (ctx.committee(), page.count);
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (rows, count) = app
        .db
        .read("refusal_reason", move |tx| {
            let rows = refusal_reasons::list(tx, committee, &filter, after.as_ref(), limit)?;
            let count = with_count
                .then(|| refusal_reasons::count(tx, committee, &filter))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let mut answer = binding.page(rows, page.limit, RefusalReason::key)?;
    answer.count = count.map(|count| count.min(COUNT_CAP));
    Answer::ok(&answer)
}

/// Create a reason for not filing
///
/// It is a draft until the chair activates it. Its code must not be used by another reason of the
/// committee, and is never changed.
#[utoipa::path(
    post, path = "/api/v1/refusal-reasons", tag = "code-lists",
    request_body(content = NewRefusalReason, example = json!({
        "code": "repeats_answered_case",
        "label": { "zh-CN": "重复已办复提案", "en": "repeats an answered proposal" },
        "hide_text": false
    })),
    responses((status = 201, description = "The reason was created, as a draft.", body = RefusalReason)),
)]
pub async fn create_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let new: NewRefusalReason = body.parse()?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let reason = refusal_reasons::create(tx, &act, new.clone())?;
        let location = format!("{PATH}/{}", reason.code);
        Ok(Answer::created(&reason, location)?.version(reason.version))
    })
    .await
}

/// Read a reason for not filing
///
/// One reason of the committee.
#[utoipa::path(
    get, path = "/api/v1/refusal-reasons/{reason_code}", tag = "code-lists",
    params(("reason_code" = ReasonCode, Path, description = "The reason.")),
    responses((status = 200, description = "The reason.", body = RefusalReason)),
)]
pub async fn get_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    PathText(code): PathText<ReasonCode>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let reason = app
        .db
        .read("refusal_reason", move |tx| {
            refusal_reasons::find(tx, committee, &code)
        })
        .await?;
    shown(&reason)
}

/// Change a reason for not filing
///
/// `position` can always be changed. What the reason means (`label`, `hide_text`) can be changed
/// while it is the committee's own and no case has it; if it was active it becomes a draft again,
/// for the chair to activate. 409 `in-use` says how many cases have it.
#[utoipa::path(
    patch, path = "/api/v1/refusal-reasons/{reason_code}", tag = "code-lists",
    params(("reason_code" = ReasonCode, Path, description = "The reason.")),
    request_body(content = RefusalReasonPatch, content_type = "application/merge-patch+json",
        example = json!({ "hide_text": true })),
    responses((status = 200, description = "The reason as it is now.", body = RefusalReason)),
)]
pub async fn update_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathText(code): PathText<ReasonCode>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = refusal_reasons::lock(tx, act.committee(), &code)?;
        act.if_match.check(before.version)?;
        let fields = body.merge_into(&before.fields())?;
        shown(&refusal_reasons::change(tx, &act, &before, fields)?)
    })
    .await
}

/// Delete a reason for not filing
///
/// For reasons of the committee's own that no case has. Otherwise 409: `in-use` says in `uses` how
/// many cases have it, `guard-unmet` that it is built in. Both can be retired.
#[utoipa::path(
    delete, path = "/api/v1/refusal-reasons/{reason_code}", tag = "code-lists",
    params(("reason_code" = ReasonCode, Path, description = "The reason.")),
    responses((status = 204, description = "The reason is gone.")),
)]
pub async fn delete_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathText(code): PathText<ReasonCode>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = refusal_reasons::lock(tx, act.committee(), &code)?;
        act.if_match.check(before.version)?;
        refusal_reasons::delete(tx, &act, &before)?;
        Ok(Answer::none())
    })
    .await
}

/// Put a reason for not filing to use
///
/// From draft or retired, by decision of the chair: from now on it may be given.
#[utoipa::path(
    post, path = "/api/v1/refusal-reasons/{reason_code}/actions/activate", tag = "code-lists",
    params(("reason_code" = ReasonCode, Path, description = "The reason.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The reason as it is now.", body = RefusalReason)),
)]
pub async fn activate_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathText(code): PathText<ReasonCode>,
    body: RawBody,
) -> Result<Answer> {
    decide(&app, ctx, &request, code, body, refusal_reasons::activate).await
}

/// Take a reason for not filing out of use
///
/// By decision of the chair, built in or not: it may not be given any more. Cases that have it keep
/// it with its label.
#[utoipa::path(
    post, path = "/api/v1/refusal-reasons/{reason_code}/actions/retire", tag = "code-lists",
    params(("reason_code" = ReasonCode, Path, description = "The reason.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The reason as it is now.", body = RefusalReason)),
)]
pub async fn retire_refusal_reason(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathText(code): PathText<ReasonCode>,
    body: RawBody,
) -> Result<Answer> {
    decide(&app, ctx, &request, code, body, refusal_reasons::retire).await
}

async fn decide(
    app: &App,
    ctx: Ctx,
    request: &HttpRequest,
    code: ReasonCode,
    body: RawBody,
    decision: fn(&mut Tx<'_>, &Ctx, &RefusalReason) -> Result<RefusalReason>,
) -> Result<Answer> {
    let ctx = ctx.for_write(request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = refusal_reasons::lock(tx, act.committee(), &code)?;
        body.parse::<NoInput>()?;
        act.if_match.check(before.version)?;
        shown(&decision(tx, &act, &before)?)
    })
    .await
}

fn shown(reason: &RefusalReason) -> Result<Answer> {
    Ok(Answer::ok(reason)?.version(reason.version))
}
