//! A unit's row: read, its actions, a first draft of its reply.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::out::{self, AssignmentOut, ReplyOut};
use super::possible::PossibleActions;
use super::proposals::possible_on;
use crate::api::extract::PathId;
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, kind};
use crate::workflow::decide::Target;
use crate::workflow::input::{Input, ReplyForm};
use crate::workflow::reply::ReplyAction;
use crate::workflow::rule::Action;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_assignment] get_assignment);
    enter!(routes, Access::SignedIn, [__path_list_assignment_actions] list_assignment_actions);
    enter!(routes, Access::SignedIn, [__path_draft_reply] draft_reply);
}

/// Read an assignment
///
/// One row with its case in short, for whoever may know of it.
#[utoipa::path(get, path = "/api/v1/assignments/{assignment_id}", tag = "assignments",
    params(("assignment_id" = AssignmentId, Path, description = "The assignment")),
    responses((status = 200, description = "The row with its case in short", body = AssignmentOut)))]
pub async fn get_assignment(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Assignment>,
) -> Result<Answer> {
    app.db
        .read("assignment.get", move |tx| {
            let known = act::read(tx, &ctx, Object::Assignment(id))?;
            out::answer(&ctx, &known)
        })
        .await
}

/// What may be done with an assignment
///
/// Every act that the caller has a right to: those that work now, and for the others why not.
#[utoipa::path(get, path = "/api/v1/assignments/{assignment_id}/actions", tag = "assignments",
    params(("assignment_id" = AssignmentId, Path, description = "The assignment")),
    responses((status = 200, description = "The actions", body = PossibleActions)))]
pub async fn list_assignment_actions(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Assignment>,
) -> Result<Answer> {
    possible_on(&app, ctx, Object::Assignment(id)).await
}

/// Draft a reply
///
/// RT01: the clerk of a lead or separate unit drafts the reply of an accepted row; one live reply
/// per row.
#[utoipa::path(post, path = "/api/v1/assignments/{assignment_id}/replies", tag = "replies",
    params(("assignment_id" = AssignmentId, Path, description = "The assignment")),
    request_body(content = ReplyForm, example = json!({
        "outcome": "in_progress",
        "digest": "已优化两条线路，年内再开通一条。",
        "body": "您提出的《关于优化老城区公交微循环线路的提案》收悉，现答复如下：一、已对两条线路作出调整……",
        "implemented": ["已开通社区微循环 1 号线。"],
        "promises": [{ "text": "开通社区微循环 3 号线", "due_on": "2026-12-31", "person": "林涛" }],
        "leader": "林涛", "clerk": "陈思源", "phone": "0599-5550145", "publication": "full"
    })),
    responses((status = 201, description = "The draft", body = ReplyOut)))]
pub async fn draft_reply(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Assignment>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.act(&ctx.clone(), move |tx| {
        let action = Action::Reply(ReplyAction::Draft);
        let known = act::perform(tx, &ctx, Object::Assignment(id), action, &|_| {
            Ok(Input::Reply(Box::new(body.parse::<ReplyForm>()?)))
        })?;
        let Target::Reply(reply) = known.target else {
            return Err(Error::internal("a draft made no reply"));
        };
        let answer = out::answer(&ctx, &known)?;
        let location = Some(format!("/api/v1/replies/{reply}"));
        Ok(Answer {
            status: 201,
            location,
            ..answer
        })
    })
    .await
}
