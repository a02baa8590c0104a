//! One operation per action, made from the tables: route, body schema, description, roles,
//! example. Nothing here names a rule of the domain.

use actix_web::HttpRequest;
use actix_web::web::Data;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, Ref, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::docs::{self, Doc};
use super::out::{self, AssignmentOut, ProposalOut, ReplyOut};
use crate::api::extract::PathId;
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes, Schemas};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::error::Result;
use crate::ids::{AssignmentId, ProposalId, ReplyId, kind};
use crate::workflow::assignment::AssignmentAction as A;
use crate::workflow::input::{
    AcceptIn, ApproveIn, AssignIn, CloseIn, ContactIn, CosignIn, CountersignIn, ExamineIn,
    FeedbackIn, FileIn, Input, InviteIn, NoInput, NotFileIn, ObjectIn, OpinionIn, RejectIn,
    ReturnForRevisionIn, SignIn, WithdrawIn,
};
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::{Action, Machine, Who, rules, rules_of};

/// How the body of an action is read, and its schema.
struct Body {
    name: String,
    schemas: Schemas,
    parse: fn(&RawBody) -> Result<Input>,
}

fn body<T: ToSchema + PartialSchema>(parse: fn(&RawBody) -> Result<Input>) -> Body {
    let mut schemas = Schemas::new();
    T::schemas(&mut schemas);
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    Body {
        name,
        schemas,
        parse,
    }
}

/// The body of an action; `None` for those that have an operation of another form.
fn body_of(action: Action) -> Option<Body> {
    Some(match action {
        Action::Proposal(action) => match action {
            P::InviteCosigners => body::<InviteIn>(|raw| raw.parse().map(Input::Invite)),
            P::ConsentCosign | P::DeclineCosign => {
                body::<CosignIn>(|raw| raw.parse().map(Input::Cosign))
            }
            P::Submit | P::Recall => body::<NoInput>(|raw| raw.parse().map(Input::None)),
            P::Withdraw => body::<WithdrawIn>(|raw| raw.parse().map(Input::Withdraw)),
            P::ReturnForRevision => {
                body::<ReturnForRevisionIn>(|raw| raw.parse().map(Input::ReturnForRevision))
            }
            P::Examine => body::<ExamineIn>(|raw| raw.parse().map(Input::Examine)),
            P::File => body::<FileIn>(|raw| raw.parse().map(Input::File)),
            P::NotFile => body::<NotFileIn>(|raw| raw.parse().map(Input::NotFile)),
            P::Assign => body::<AssignIn>(|raw| raw.parse().map(Input::Assign)),
            P::GiveFeedback => body::<FeedbackIn>(|raw| raw.parse().map(Input::Feedback)),
            P::Close => body::<CloseIn>(|raw| raw.parse().map(Input::Close)),
            P::Create | P::Edit | P::CompleteHandling | P::ConcludeFeedback => return None,
        },
        Action::Assignment(action) => match action {
            A::Accept => body::<AcceptIn>(|raw| raw.parse().map(Input::Accept)),
            A::RecordContact => body::<ContactIn>(|raw| raw.parse().map(Input::Contact)),
            A::SubmitOpinion => body::<OpinionIn>(|raw| raw.parse().map(Input::Opinion)),
        },
        Action::Reply(action) => match action {
            R::RequestCountersign | R::Deliver => {
                body::<NoInput>(|raw| raw.parse().map(Input::None))
            }
            R::Countersign => body::<CountersignIn>(|raw| raw.parse().map(Input::Countersign)),
            R::Object => body::<ObjectIn>(|raw| raw.parse().map(Input::Object)),
            R::Sign => body::<SignIn>(|raw| raw.parse().map(Input::Sign)),
            R::Approve => body::<ApproveIn>(|raw| raw.parse().map(Input::Approve)),
            R::Reject => body::<RejectIn>(|raw| raw.parse().map(Input::Reject)),
            R::Draft | R::Edit => return None,
        },
    })
}

/// Enters an operation for every action that people take.
pub fn routes(routes: &mut Routes) {
    let mut entered = Vec::new();
    for rule in rules() {
        if entered.contains(&rule.action) || rule.who == [Who::System] {
            continue;
        }
        entered.push(rule.action);
        let Some(body) = body_of(rule.action) else {
            continue;
        };
        let operation = describe(rule.action, &body);
        let (action, parse) = (rule.action, body.parse);
        let path = path(action);
        let schemas = &body.schemas;
        match action.machine() {
            Machine::Proposal => routes.enter_operation(
                Access::SignedIn,
                &HttpMethod::Post,
                &path,
                operation,
                schemas,
                move |app: Data<App>,
                      ctx: Ctx,
                      PathId(id): PathId<kind::Proposal>,
                      request: HttpRequest,
                      body: RawBody| {
                    run(app, ctx, Object::Proposal(id), action, parse, request, body)
                },
            ),
            Machine::Assignment => routes.enter_operation(
                Access::SignedIn,
                &HttpMethod::Post,
                &path,
                operation,
                schemas,
                move |app: Data<App>,
                      ctx: Ctx,
                      PathId(id): PathId<kind::Assignment>,
                      request: HttpRequest,
                      body: RawBody| {
                    run(
                        app,
                        ctx,
                        Object::Assignment(id),
                        action,
                        parse,
                        request,
                        body,
                    )
                },
            ),
            Machine::Reply => routes.enter_operation(
                Access::SignedIn,
                &HttpMethod::Post,
                &path,
                operation,
                schemas,
                move |app: Data<App>,
                      ctx: Ctx,
                      PathId(id): PathId<kind::Reply>,
                      request: HttpRequest,
                      body: RawBody| {
                    run(app, ctx, Object::Reply(id), action, parse, request, body)
                },
            ),
        }
    }
}

async fn run(
    app: Data<App>,
    ctx: Ctx,
    object: Object,
    action: Action,
    parse: fn(&RawBody) -> Result<Input>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let answer = app
        .write(&ctx.clone(), move |tx| {
            let known = act::perform(tx, &ctx, object, action, &|_| parse(&body))?;
            out::answer(&ctx, &known)
        })
        .await;
    // A refusal may take files away with the text (I29).
    if action == Action::Proposal(P::NotFile) {
        app.files.wake();
    }
    answer
}

/// Address of the operation of an action.
fn path(action: Action) -> String {
    let base = match action.machine() {
        Machine::Proposal => "/api/v1/proposals/{proposal_id}",
        Machine::Assignment => "/api/v1/assignments/{assignment_id}",
        Machine::Reply => "/api/v1/replies/{reply_id}",
    };
    format!("{base}/actions/{}", action.as_str().replace('_', "-"))
}

fn describe(action: Action, body: &Body) -> Operation {
    let (noun, tag, parameter, id, answer) = match action.machine() {
        Machine::Proposal => (
            "proposal",
            "proposals",
            "proposal_id",
            ProposalId::name(),
            ProposalOut::name(),
        ),
        Machine::Assignment => (
            "assignment",
            "assignments",
            "assignment_id",
            AssignmentId::name(),
            AssignmentOut::name(),
        ),
        Machine::Reply => (
            "reply",
            "replies",
            "reply_id",
            ReplyId::name(),
            ReplyOut::name(),
        ),
    };
    let Doc { about, example } = docs::of(action);
    let label = action.label();
    let ids: Vec<_> = rules_of(action).map(|rule| rule.id).collect();
    let mut roles: Vec<_> = rules_of(action)
        .flat_map(|rule| rule.who)
        .map(|who| who.role().as_str())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    let mut from: Vec<_> = rules_of(action)
        .flat_map(|rule| rule.from)
        .map(|state| state.as_str())
        .collect();
    from.dedup();
    let guards: Vec<_> = rules_of(action)
        .flat_map(|rule| rule.guards)
        .map(|guard| format!("- `{}`: {}", guard.name, guard.message.1))
        .collect();
    let conditions = if guards.is_empty() {
        String::new()
    } else {
        format!(
            "\n\nConditions, named in `unmet` when they fail:\n{}",
            guards.join("\n")
        )
    };
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(body.name.clone())))
        .example(Some(example))
        .build();
    OperationBuilder::new()
        .operation_id(Some(format!("{}_{noun}", action.as_str())))
        .tag(tag)
        .summary(Some(format!("{} {}", label.zh, label.en)))
        .description(Some(format!(
            "{about}\n\nRows {}; from `{}`; for {}.{conditions}",
            ids.join(", "),
            from.join("`, `"),
            roles.join(", "),
        )))
        .parameter(
            ParameterBuilder::new()
                .name(parameter)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(format!("The {noun}")))
                .schema(Some(Ref::from_schema_name(id)))
                .build(),
        )
        .request_body(Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .required(Some(Required::True))
                .build(),
        ))
        .response(
            "200",
            ResponseBuilder::new()
                .description(format!("The {noun} afterwards, with what may be done next"))
                .content(
                    "application/json",
                    ContentBuilder::new()
                        .schema(Some(Ref::from_schema_name(answer)))
                        .build(),
                )
                .build(),
        )
        .extensions(Some(
            ExtensionsBuilder::new()
                .add("x-roles", roles)
                .add("x-rows", ids)
                .build(),
        ))
        .build()
}
