//! What handlers take from a request beside the body; every failure is a problem document.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;

use super::json::RawBody;
use super::page::PageQuery;
use super::query;
use super::routes::Meta;
use crate::app::audit::Disclosed;
use crate::app::ctx::{IdempotencyKey, IfMatch};
use crate::app::{App, Ctx};
use crate::auth::principal::Principal;
use crate::config::Clients;
use crate::digest;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{Id, IdKind, RequestId};

/// The one identifier in the path. Anything that is not an identifier of that kind names nothing.
#[derive(Debug, Clone, Copy)]
pub struct PathId<K: IdKind>(pub Id<K>);

impl<K: IdKind> FromRequest for PathId<K> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request
            .match_info()
            .iter()
            .next()
            .and_then(|(_, text)| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| Error::not_found().into()))
    }
}

/// The one text in the path, as what it stands for. Anything else names nothing.
#[derive(Debug, Clone)]
pub struct PathText<T>(pub T);

impl<T: FromStr> FromRequest for PathText<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().iter().next();
        let value = text.and_then(|(_, text)| text.parse().ok());
        ready(value.map(Self).ok_or_else(|| Error::not_found().into()))
    }
}

/// The query string as a `T`; unknown and repeated parameters are refused.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            query::parse(request.query_string())
                .map(Self)
                .map_err(Into::into),
        )
    }
}

/// The query string of a list: what it is narrowed to, and which page is wanted.
#[derive(Debug)]
pub struct Listing<F> {
    /// What the list is narrowed to.
    pub filter: F,
    /// Which page is wanted.
    pub page: PageQuery,
}

impl<F: DeserializeOwned> FromRequest for Listing<F> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut filter = form_urlencoded::Serializer::new(String::new());
        let mut page = form_urlencoded::Serializer::new(String::new());
        for (name, value) in query::pairs(request.query_string()) {
            let part = if PageQuery::NAMES.contains(&&*name) {
                &mut page
            } else {
                &mut filter
            };
            part.append_pair(&name, &value);
        }
        let listing = query::parse(&filter.finish()).and_then(|filter| {
            Ok(Self {
                filter,
                page: query::parse(&page.finish())?,
            })
        });
        ready(listing.map_err(Into::into))
    }
}

/// The circumstances of the request without its body; for reads.
impl FromRequest for Ctx {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(ctx(request).map_err(Into::into))
    }
}

fn ctx(request: &HttpRequest) -> Result<Ctx> {
    let missing = |what| Error::internal(format!("the request carries no {what}"));
    let extensions = request.extensions();
    let principal = extensions
        .get::<Principal>()
        .cloned()
        .ok_or_else(|| missing("principal"))?;
    let meta = extensions
        .get::<Arc<Meta>>()
        .cloned()
        .ok_or_else(|| missing("operation"))?;
    let app = request
        .app_data::<Data<App>>()
        .ok_or_else(|| missing("App"))?;
    Ok(Ctx {
        principal,
        now: app.clock.now(),
        request_id: request_id(request),
        operation: Arc::clone(&meta.operation),
        idempotency: None,
        if_match: if_match(request)?,
        validate_only: false,
        disclosed: extensions.get::<Disclosed>().cloned().unwrap_or_default(),
    })
}

/// Name of the request, given by the outermost middleware.
pub fn request_id(request: &HttpRequest) -> RequestId {
    request
        .extensions()
        .get::<RequestId>()
        .copied()
        .unwrap_or(RequestId::from_uuid(uuid::Uuid::nil()))
}

/// The address of the client, as the settings say how to find it.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let Some(clients) = request.app_data::<Data<Clients>>() else {
        return Some(peer);
    };
    let values: Vec<_> = clients
        .header()
        .into_iter()
        .flat_map(|name| request.headers().get_all(name))
        .filter_map(|value| value.to_str().ok())
        .collect();
    Some(clients.address(peer, values.into_iter()))
}

impl Ctx {
    /// Completes the circumstances of a write: the idempotency key is bound to the body, and
    /// `?validate_only=true` makes it a trial.
    pub fn for_write(mut self, request: &HttpRequest, body: &RawBody) -> Result<Self> {
        self.idempotency = idempotency_key(request, &[body.bytes()])?;
        self.validate_only = validate_only(request)?;
        Ok(self)
    }

    /// The same for a body that was not kept: the key is bound to what tells it from others.
    pub fn for_parts(mut self, request: &HttpRequest, parts: &[&[u8]]) -> Result<Self> {
        self.idempotency = idempotency_key(request, parts)?;
        self.validate_only = validate_only(request)?;
        Ok(self)
    }
}

fn validate_only(request: &HttpRequest) -> Result<bool> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WriteParams {
        #[serde(default)]
        validate_only: bool,
    }
    query::parse::<WriteParams>(request.query_string()).map(|params| params.validate_only)
}

/// A key may stand in double quotes, as the draft of the header has it.
fn unquoted(key: &str) -> &str {
    let inner = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    inner.unwrap_or(key)
}

fn idempotency_key(request: &HttpRequest, body: &[&[u8]]) -> Result<Option<IdempotencyKey>> {
    let mut values = request.headers().get_all("idempotency-key");
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|_| values.next().is_none())
        .and_then(key_of)
        .ok_or_else(|| {
            Error::new(Code::InvalidHeader).field(
                "Idempotency-Key",
                "invalid",
                Message::new(
                    "须为 8–128 个可见 ASCII 字符。",
                    "8 to 128 visible ASCII characters.",
                ),
            )
        })?;
    let address = request.uri().to_string();
    let mut parts = vec![request.method().as_str().as_bytes(), address.as_bytes()];
    parts.extend(body);
    let request_hash = digest::hex(&parts);
    Ok(Some(IdempotencyKey {
        key: key.to_owned(),
        request_hash,
    }))
}

/// The key that a header gives, bare or in one pair of double quotes.
pub(super) fn key_of(value: &str) -> Option<&str> {
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    Some(unquoted(value)).filter(|key| (8..=128).contains(&key.len()) && key.bytes().all(visible))
}

/// Longest list of entity tags that is looked at, in bytes.
pub const MAX_ETAGS: usize = 200;

/// What a client knows already. Tags that are none name nothing it could have.
pub(super) fn check_known(headers: &header::HeaderMap) -> Result<()> {
    let known = headers.get_all(header::IF_NONE_MATCH);
    if known.map(header::HeaderValue::len).sum::<usize>() > MAX_ETAGS {
        return Err(invalid_tags("If-None-Match"));
    }
    Ok(())
}

fn invalid_tags(header: &'static str) -> Error {
    Error::new(Code::InvalidHeader).field(
        header,
        "invalid",
        Message::new(
            "须为 * 或带引号的 ETag，总长不超过 200 字节。",
            "Either * or entity tags in double quotes, 200 bytes in all.",
        ),
    )
}

fn if_match(request: &HttpRequest) -> Result<IfMatch> {
    let mut values = request.headers().get_all(header::IF_MATCH);
    let Some(value) = values.next() else {
        return Ok(IfMatch::Missing);
    };
    value
        .to_str()
        .ok()
        .filter(|_| values.next().is_none())
        .and_then(tags_of)
        .ok_or_else(|| invalid_tags("If-Match"))
}

/// What the value of If-Match accepts; `None` where it is not well formed.
pub(super) fn tags_of(value: &str) -> Option<IfMatch> {
    let text = Some(value).filter(|value| value.len() <= MAX_ETAGS)?.trim();
    if text == "*" {
        return Some(IfMatch::Any);
    }
    tags(text).map(IfMatch::Tags)
}

/// Entity tags with commas between them. A weak one keeps its mark: it never matches, but is well
/// formed (RFC 9110, 13.1.1).
fn tags(text: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = text;
    loop {
        let (mark, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => ("W/", quoted),
            None => ("", rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        tags.push(format!("{mark}{tag}"));
        let after = after.trim_start_matches([' ', '\t']);
        if after.is_empty() {
            return Some(tags);
        }
        rest = after.strip_prefix(',')?.trim_start_matches([' ', '\t']);
    }
}
