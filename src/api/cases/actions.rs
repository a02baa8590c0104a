//! One operation per action, made from the tables: route, body schema, description, roles,
//! example. Nothing here names a rule of the domain.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use actix_web::web::Data;
use utoipa::ToSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, Ref, Required, ResponseBuilder};

use super::bodies::{self, Body};
use super::docs::{self, Doc};
use super::out::{self, AssignmentOut, ProposalOut, ReplyOut};
use crate::api::extract::PathId;
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::error::Result;
use crate::ids::{AssignmentId, ProposalId, ReplyId, kind};
use crate::workflow::input::Input;
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::{Action, Cause, Machine, is_open_to_machines, rules, rules_of};

/// Enters an operation for every action that people take.
pub fn routes(routes: &mut Routes) {
    let mut entered = Vec::new();
    for rule in rules() {
        if entered.contains(&rule.action) || rule.cause() != Cause::Call {
            continue;
        }
        entered.push(rule.action);
        let Some(body) = bodies::of(rule.action) else {
            continue;
        };
        let operation = describe(rule.action, &body);
        let (action, parse) = (rule.action, body.parse);
        let (_, path) = self::operation(action);
        let schemas = &body.schemas;
        let access = if is_open_to_machines(action) {
            Access::SignedIn
        } else {
            Access::Persons
        };
        match action.machine() {
            Machine::Proposal => routes.enter_operation(
                access,
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
                access,
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
                access,
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
        .act(&ctx.clone(), move |tx| {
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

/// Where the things of a machine are, and the parameter that names one of them.
const fn things(machine: Machine) -> (&'static str, &'static str) {
    match machine {
        Machine::Proposal => ("/api/v1/proposals/", "{proposal_id}"),
        Machine::Assignment => ("/api/v1/assignments/", "{assignment_id}"),
        Machine::Reply => ("/api/v1/replies/", "{reply_id}"),
    }
}

/// The operation of an action that people take: method and template of the address.
pub fn operation(action: Action) -> (&'static str, String) {
    located(action, None)
}

/// The same on one thing: method and address. Drafting a reply is done to a row.
pub fn address(action: Action, id: &str) -> (&'static str, String) {
    located(action, Some(id))
}

/// Making is POST to a collection, editing PATCH on the thing; every other action has an address of
/// its own.
fn located(action: Action, id: Option<&str>) -> (&'static str, String) {
    let thing = |machine| {
        let (collection, parameter) = things(machine);
        let mut path = String::with_capacity(128);
        path.push_str(collection);
        path.push_str(id.unwrap_or(parameter));
        path
    };
    match action {
        Action::Proposal(P::Create) => ("POST", "/api/v1/proposals".to_owned()),
        Action::Reply(R::Draft) => ("POST", thing(Machine::Assignment) + "/replies"),
        Action::Proposal(P::Edit) | Action::Reply(R::Edit) => ("PATCH", thing(action.machine())),
        _ => {
            let mut path = thing(action.machine()) + "/actions/";
            let words = action.as_str().chars();
            path.extend(words.map(|letter| if letter == '_' { '-' } else { letter }));
            ("POST", path)
        }
    }
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
    from.sort_unstable();
    from.dedup();
    let mut guards: Vec<_> = rules_of(action)
        .flat_map(|rule| rule.guards)
        .map(|guard| format!("- `{}`: {}", guard.name, guard.message.1))
        .collect();
    let mut seen = BTreeSet::new();
    guards.retain(|guard| seen.insert(guard.clone()));
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
