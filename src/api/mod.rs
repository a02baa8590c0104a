//! The only place that knows actix: routes, extractors, problem documents, the OpenAPI document.

pub mod answer;
pub mod api_tokens;
pub mod audit;
mod budgets;
pub mod calendars;
pub mod cases;
pub mod code_lists;
pub mod committees;
pub mod cors;
#[cfg(feature = "seeded-defects")]
pub mod defects;
pub mod document;
mod entity_tags;
pub mod events;
pub mod extract;
pub mod guard;
pub mod jobs;
pub mod json;
pub mod limits;
pub mod members;
pub mod notifications;
pub mod openapi;
pub mod openid;
pub mod openid_providers;
pub mod organisations;
pub mod page;
pub mod password_policy;
pub mod policy_docs;
pub mod policy_profiles;
pub mod problem;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
mod query;
pub mod refusal_reasons;
pub mod register;
pub mod routes;
pub mod schemas;
pub mod second_factor;
pub mod service;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_protection;
pub mod sign_ins;
pub mod succession;
pub mod terms;
pub mod units;
mod unread;
pub mod upload;
pub mod users;
pub mod webhook_deliveries;
pub mod webhooks;
pub mod workflow;

use routes::Routes;

/// The complete register of operations, with the finished OpenAPI document.
pub fn routes() -> Routes {
    register_all(Routes::new()).finish()
}

/// The complete register of operations, for those who only route.
pub fn routing() -> Routes {
    register_all(Routes::undocumented())
}

fn register_all(mut routes: Routes) -> Routes {
    cases::routes(&mut routes);
    service::routes(&mut routes);
    workflow::routes(&mut routes);
    sign_in::routes(&mut routes);
    sign_ins::routes(&mut routes);
    second_factor::routes(&mut routes);
    openid::routes(&mut routes);
    committees::routes(&mut routes);
    terms::routes(&mut routes);
    sessions::routes(&mut routes);
    members::routes(&mut routes);
    organisations::routes(&mut routes);
    units::routes(&mut routes);
    succession::routes(&mut routes);
    users::routes(&mut routes);
    sign_in_protection::routes(&mut routes);
    password_policy::routes(&mut routes);
    openid_providers::routes(&mut routes);
    api_tokens::routes(&mut routes);
    refusal_reasons::routes(&mut routes);
    code_lists::routes(&mut routes);
    policy_profiles::routes(&mut routes);
    notifications::routes(&mut routes);
    jobs::routes(&mut routes);
    audit::routes(&mut routes);
    calendars::routes(&mut routes);
    events::routes(&mut routes);
    webhooks::routes(&mut routes);
    routes
}
