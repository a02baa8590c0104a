//! Replies: read, change, their actions.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::out::{self, ReplyOut};
use super::patch::ReplyFormPatch;
use super::possible::PossibleActions;
use super::proposals::possible_on;
use crate::api::extract::PathId;
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{ReplyId, kind};
use crate::workflow::input::{Input, ReplyForm};
use crate::workflow::reply::ReplyAction;
use crate::workflow::rule::Action;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_reply] get_reply);
    enter!(routes, Access::SignedIn, [__path_edit_reply] edit_reply);
    enter!(routes, Access::SignedIn, [__path_list_reply_actions] list_reply_actions);
}

/// Read a reply
///
/// Before its delivery it is for its unit, for those asked to countersign and for its reviewers.
#[utoipa::path(get, path = "/api/v1/replies/{reply_id}", tag = "replies",
    params(("reply_id" = ReplyId, Path, description = "The reply")),
    responses((status = 200, description = "The reply with its case in short", body = ReplyOut)))]
pub async fn get_reply(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Reply>,
) -> Result<Answer> {
    app.db
        .read("reply.get", move |tx| {
            let known = act::read(tx, &ctx, Object::Reply(id))?;
            out::answer(&ctx, &known)
        })
        .await
}

/// Change the text of a reply
///
/// RT02: a JSON merge patch of the form. The result is a new version; earlier signatures lapse and
/// open requests to countersign are called back.
#[utoipa::path(patch, path = "/api/v1/replies/{reply_id}", tag = "replies",
    params(("reply_id" = ReplyId, Path, description = "The reply")),
    request_body(content = ReplyFormPatch, content_type = "application/merge-patch+json",
        example = json!({ "outcome": "partially_resolved" })),
    responses((status = 200, description = "The reply with its new text", body = ReplyOut)))]
pub async fn edit_reply(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Reply>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.act(&ctx.clone(), move |tx| {
        let action = Action::Reply(ReplyAction::Edit);
        let known = act::perform(tx, &ctx, Object::Reply(id), action, &|case| {
            let present = case.reply(id).ok_or_else(Error::not_found)?;
            Ok(Input::Reply(Box::new(
                body.merge_into::<ReplyForm>(&present.form)?,
            )))
        })?;
        out::answer(&ctx, &known)
    })
    .await
}

/// What may be done with a reply
///
/// Every act that the caller has a right to: those that work now, and for the others why not.
#[utoipa::path(get, path = "/api/v1/replies/{reply_id}/actions", tag = "replies",
    params(("reply_id" = ReplyId, Path, description = "The reply")),
    responses((status = 200, description = "The actions", body = PossibleActions)))]
pub async fn list_reply_actions(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Reply>,
) -> Result<Answer> {
    possible_on(&app, ctx, Object::Reply(id)).await
}
