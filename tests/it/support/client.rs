//! A client that tests read well with: `app.client(token).post(path).json(&body).send().await`.

use awc::http::Method;
use awc::http::header::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::seed::Town;

/// Sends requests to one service, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: awc::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// Signs in, or is refused.
    pub async fn login(&self, town: &Town, username: &str, password: &str) -> Reply {
        let body = json!({ "committee": town.code, "username": username, "password": password });
        self.post("/api/v1/auth/login").json(body).send().await
    }

    pub(super) fn new(http: awc::Client, base: String, token: Option<String>) -> Self {
        Self { http, base, token }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// POST.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// PATCH; a body is sent as a merge patch.
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// PUT.
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let json_type = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let mut inner = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            inner = inner.bearer_auth(token);
        }
        Request {
            inner,
            json_type,
            body: None,
        }
    }
}

/// A request under construction.
pub struct Request {
    inner: awc::ClientRequest,
    json_type: &'static str,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Adds or replaces a header.
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.inner = self.inner.insert_header((name, value.as_ref()));
        self
    }

    /// If-Match with the version as a strong entity tag.
    pub fn if_match(self, version: impl std::fmt::Display) -> Self {
        self.header("If-Match", format!("\"{version}\""))
    }

    /// Idempotency-Key.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// A JSON body.
    pub fn json(self, body: impl Serialize) -> Self {
        let json_type = self.json_type;
        let body = serde_json::to_vec(&body).expect("the body as JSON");
        self.raw(json_type, body)
    }

    /// Any body.
    pub fn raw(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.inner = self.inner.insert_header(("Content-Type", content_type));
        self.body = Some(body.into());
        self
    }

    /// Sends it and gives the answer whose body is still to come.
    pub async fn open(
        self,
    ) -> awc::ClientResponse<
        impl futures_util::Stream<Item = Result<actix_web::web::Bytes, awc::error::PayloadError>>,
    > {
        let what = format!("{} {}", self.inner.get_method(), self.inner.get_uri());
        self.inner
            .send()
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Reply {
        let what = format!("{} {}", self.inner.get_method(), self.inner.get_uri());
        let mut response = match self.body {
            Some(body) => self.inner.send_body(body).await,
            None => self.inner.send().await,
        }
        .unwrap_or_else(|error| panic!("{what}: {error}"));
        let body = response
            .body()
            .limit(64 * 1024 * 1024)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let reply = Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            json: serde_json::from_slice(&body).unwrap_or_default(),
            body: body.to_vec(),
            what,
        };
        // Whatever list it is.
        assert_eq!(
            reply.next_page().is_some(),
            reply.json["next_cursor"].is_string(),
            "{reply}"
        );
        reply
    }
}

/// An answer. The methods that assert give it back, so that they can be chained.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; `Null` if it is none.
    pub json: Value,
    /// The body as it came.
    pub body: Vec<u8>,
    what: String,
}

impl Reply {
    /// Asserts any 2xx.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{self}");
        self
    }

    /// Asserts the status.
    #[track_caller]
    pub fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Asserts a problem document with this code.
    #[track_caller]
    pub fn code(self, code: &str) -> Self {
        assert_eq!(
            self.text_header("content-type"),
            "application/problem+json",
            "{self}"
        );
        assert_eq!(self.json["code"], code, "{self}");
        assert_eq!(self.json["status"], self.status, "{self}");
        assert_eq!(self.json["type"], format!("/errors/{code}"), "{self}");
        self
    }

    /// Asserts that a problem document blames these places, in any order.
    #[track_caller]
    pub fn blames(self, pointers: &[&str]) -> Self {
        let mut found: Vec<_> = self.json["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        let mut wanted = pointers.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{self}");
        self
    }

    /// A header as text; empty if it is not there.
    pub fn text_header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Identifiers of what a list shows.
    pub fn item_ids(&self) -> Vec<String> {
        let items = self.json["items"].as_array().expect("items");
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        items.iter().map(id).collect()
    }

    /// Where `Link: rel="next"` leads.
    pub fn next_page(&self) -> Option<String> {
        let link = self.text_header("link");
        let path = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
        assert!(path.contains(self.json["next_cursor"].as_str().expect("a cursor")));
        Some(path.to_owned())
    }

    /// The version of the object in the ETag; that of its case may follow behind a dot.
    #[track_caller]
    pub fn version(&self) -> i32 {
        self.text_header("etag")
            .trim_matches('"')
            .split('.')
            .next()
            .and_then(|version| version.parse().ok())
            .unwrap_or_else(|| panic!("{self}"))
    }

    /// The text at a JSON pointer such as `/id`.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("no text at {pointer}: {self}"))
            .to_owned()
    }

    /// The `id` of the object.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text("/id")
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} answered {}: {}",
            self.what,
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }
}
