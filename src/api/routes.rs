//! The register of operations: each is entered once and gives the route, its place in the OpenAPI
//! document and who may call it. What is not entered does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::dev::Handler;
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, Route};
use utoipa::ToSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterIn, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, RefOr, Schema};

use super::{budgets, guard, limits, openapi};
use crate::app::limits::Budget;
use crate::error::{Code, Error};
use crate::workflow::role::Role;

/// Who may call an operation at all; finer rules are asked later, of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Anybody signed in.
    SignedIn,
    /// Anybody signed in, even while the initial password must still be changed.
    PasswordPending,
    /// Any person signed in, even while a second factor must still be enrolled.
    FactorPending,
    /// Anybody signed in, but no machine client.
    Persons,
    /// Holders of one of these roles.
    Roles(&'static [Role]),
}

/// How an operation is entered: who may call it, and what it asks of the sign-in beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrance {
    access: Access,
    step_up: bool,
}

impl From<Access> for Entrance {
    fn from(access: Access) -> Self {
        Self {
            access,
            step_up: false,
        }
    }
}

impl Access {
    /// The same, for a dangerous operation: where the account has a second factor, the sign-in
    /// must have proven it lately.
    pub const fn stepped_up(self) -> Entrance {
        Entrance {
            access: self,
            step_up: true,
        }
    }

    /// Whether machine clients may call the operation, if their role may.
    fn is_open_to_machines(self, method: &Method) -> bool {
        match self {
            Self::Public | Self::SignedIn => true,
            // Who am I, but neither password nor sign-out.
            Self::PasswordPending => method == Method::GET,
            Self::FactorPending | Self::Persons => false,
            Self::Roles(roles) => roles.iter().any(|role| role.is_open_to_machines()),
        }
    }
}

/// What a request is told about the operation it matched.
#[derive(Debug, Clone)]
pub struct Meta {
    /// `operationId` in the OpenAPI document.
    pub operation: Arc<str>,
    /// HTTP method.
    pub method: Method,
    /// Path template.
    pub path: Arc<str>,
    /// Who may call it.
    pub access: Access,
    /// Whether machine clients may, if their role may.
    pub machines: bool,
    /// Whether the second factor must have been proven lately, where the account has one.
    pub step_up: bool,
    /// Whether it takes anything in the query string.
    pub queried: bool,
    /// The budget in which its requests are counted.
    pub budget: Budget,
}

/// What a parameter in a path may be made of, after its name: visible ASCII but for the slash. An expression
/// that stops at slashes alone knows all of Unicode, and takes twenty times the memory, in each thread.
const IN_PATHS: &str = ":[!-.0-~]+}";

/// Schemas of the types an operation refers to.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// The register.
pub struct Routes {
    entries: Vec<(Arc<Meta>, Route)>,
    openapi: OpenApi,
    hidden_bodies: Schemas,
    documented: bool,
}

/// Enters a handler that carries `#[utoipa::path]`.
#[macro_export]
macro_rules! enter {
    ($routes:expr, $access:expr, $($module:ident::)* [$path:ident] $handler:ident) => {
        $routes.enter::<$($module::)* $path, _, _>($access, $($module::)* $handler)
    };
}

impl Routes {
    /// An empty register.
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            openapi: openapi::base(),
            hidden_bodies: Schemas::new(),
            documented: true,
        }
    }

    /// An empty register that keeps the routes alone, for those who only route: each thread of the
    /// server has its own routes, and one document is enough for all of them.
    pub fn undocumented() -> Self {
        Self {
            documented: false,
            ..Self::new()
        }
    }

    /// Enters an operation documented by `P`.
    #[expect(clippy::needless_pass_by_value, reason = "handlers are functions")]
    pub fn enter<P, F, Args>(&mut self, entrance: impl Into<Entrance>, handler: F)
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences + utoipa::__dev::Tags<'static>,
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let entrance = entrance.into();
        let mut schemas = Schemas::new();
        P::schemas(&mut schemas);
        for method in P::methods() {
            let mut operation = P::operation();
            operation.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
            self.enter_operation(
                entrance,
                &method,
                &P::path(),
                operation,
                &schemas,
                handler.clone(),
            );
        }
    }

    /// Enters an operation whose description was made by the program.
    pub fn enter_operation<F, Args>(
        &mut self,
        entrance: impl Into<Entrance>,
        method: &HttpMethod,
        path: &str,
        mut operation: Operation,
        schemas: &Schemas,
        handler: F,
    ) where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let Entrance { access, step_up } = entrance.into();
        let id: Arc<str> = operation.operation_id.as_deref().unwrap_or_default().into();
        let method_name = actix_method(method);
        openapi::complete(&mut operation, &method_name, path, access, step_up);
        let budget = budgets::budget_of(&operation, &method_name, path, access);
        let machines = access.is_open_to_machines(&method_name);
        let required = |name| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(match (access, machines) {
            (Access::Public, _) if method_name == Method::GET => {
                vec![SecurityRequirement::default()]
            }
            (Access::Public, _) => vec![required("credentials")],
            (_, true) => vec![required("access_token"), required("api_token")],
            (_, false) => vec![required("access_token")],
        });
        if let Access::Roles(roles) = access
            && operation.extensions.is_none()
        {
            let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
            operation.extensions = Some(ExtensionsBuilder::new().add("x-roles", roles).build());
        }
        if step_up {
            let own = ExtensionsBuilder::new().add("x-step-up", true).build();
            operation.extensions.get_or_insert_default().merge(own);
        }
        let queried = operation
            .parameters
            .iter()
            .flatten()
            .any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query));
        if self.documented {
            self.document(method, path, operation, schemas);
        }
        let meta = Arc::new(Meta {
            operation: id,
            method: method_name.clone(),
            path: path.into(),
            access,
            machines,
            step_up,
            queried,
            budget,
        });
        let for_guard = Arc::clone(&meta);
        let route =
            Route::new()
                .method(method_name)
                .to(handler)
                .wrap(from_fn(move |request, next| {
                    guard::check(Arc::clone(&for_guard), request, next)
                }));
        self.entries.push((meta, route));
    }

    fn document(
        &mut self,
        method: &HttpMethod,
        path: &str,
        operation: Operation,
        schemas: &Schemas,
    ) {
        let item = self.openapi.paths.paths.entry(path.to_owned()).or_default();
        set_operation(item, method, operation);
        let components = self.openapi.components.get_or_insert_default();
        for (name, schema) in schemas {
            components
                .schemas
                .entry(name.clone())
                .or_insert_with(|| schema.clone());
        }
    }

    /// Makes known the schema of a body that no operation takes as it is, but against which a
    /// merge patch is checked.
    pub fn hidden_body<T: ToSchema>(&mut self) {
        let mut schema = T::schema();
        limits::schema(&mut schema);
        self.hidden_bodies.push((T::name().into_owned(), schema));
    }

    /// The schemas of such bodies.
    pub fn hidden_bodies(&self) -> &Schemas {
        &self.hidden_bodies
    }

    /// Ends the entering: what nothing refers to leaves the document, what is left is completed.
    #[must_use]
    pub fn finish(mut self) -> Self {
        openapi::prune(&mut self.openapi);
        limits::complete(&mut self.openapi);
        self
    }

    /// Every operation that was entered.
    pub fn operations(&self) -> impl Iterator<Item = &Meta> {
        self.entries.iter().map(|(meta, _)| &**meta)
    }

    /// The OpenAPI document.
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }

    /// Gives the routes to actix, one resource per path with 405 for the other methods.
    pub fn configure(self, config: &mut ServiceConfig) {
        let mut paths: BTreeMap<Arc<str>, Vec<(Arc<Meta>, Route)>> = BTreeMap::new();
        for (meta, route) in self.entries {
            paths
                .entry(Arc::clone(&meta.path))
                .or_default()
                .push((meta, route));
        }
        // Fixed segments before parameters, so that `/users/me` would not be taken for an id.
        let mut ordered: Vec<_> = paths.into_iter().collect();
        ordered.sort_by_key(|(path, _)| path.replace('{', "~"));
        for (path, entries) in ordered {
            let allow: Vec<_> = entries
                .iter()
                .map(|(meta, _)| meta.method.to_string())
                .collect();
            let allow: Arc<str> = allow.join(", ").into();
            let mut resource = web::resource(path.replace('}', IN_PATHS));
            for (_, route) in entries {
                resource = resource.route(route);
            }
            config.service(
                resource.default_service(web::to(move |request: HttpRequest| {
                    let allow = Arc::clone(&allow);
                    async move { not_allowed(&request, &allow) }
                })),
            );
        }
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

fn not_allowed(request: &HttpRequest, allow: &str) -> HttpResponse {
    let error = Error::new(Code::MethodNotAllowed).with("allow", allow);
    let mut response = HttpResponse::from_error(error);
    if let Ok(value) = header::HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    tracing::debug!(path = request.path(), "method not allowed");
    response
}

fn actix_method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

fn set_operation(item: &mut PathItem, method: &HttpMethod, operation: Operation) {
    let place = match method {
        HttpMethod::Get => &mut item.get,
        HttpMethod::Post => &mut item.post,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Delete => &mut item.delete,
        HttpMethod::Options => &mut item.options,
        HttpMethod::Head => &mut item.head,
        HttpMethod::Patch => &mut item.patch,
        HttpMethod::Trace => &mut item.trace,
    };
    *place = Some(operation);
}
