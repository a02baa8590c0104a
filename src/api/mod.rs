//! The only place that knows actix: routes, extractors, problem documents, the OpenAPI document.

pub mod answer;
pub mod cases;
pub mod extract;
pub mod guard;
pub mod json;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod routes;
pub mod service;
pub mod sign_in;

use routes::Routes;

/// The complete register of operations.
pub fn routes() -> Routes {
    let mut routes = Routes::new();
    cases::routes(&mut routes);
    service::routes(&mut routes);
    sign_in::routes(&mut routes);
    routes
}
