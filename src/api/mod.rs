//! The only place that knows actix: routes, extractors, problem documents, the OpenAPI document.

pub mod answer;
pub mod extract;
pub mod guard;
pub mod json;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod register;
pub mod routes;
pub mod units;

use routes::Routes;

/// The complete register of operations.
pub fn routes() -> Routes {
    let mut routes = Routes::new();
    units::routes(&mut routes);
    routes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dump() {
        let routes = routes();
        std::fs::write("/tmp/openapi-registers.json", routes.openapi().to_pretty_json().expect("json")).expect("write");
    }
}
