//! Keyset paging: opaque cursors, bound to the list, its filter and the committee.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::app::Ctx;
use crate::digest;
use crate::error::{Code, Error, Message, Result};
use crate::ids::CommitteeId;

/// How many items a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u8);

impl PageSize {
    /// Largest page.
    pub const MAX: u8 = 100;

    /// As a limit for a query.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(20)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .ok()
            .filter(|size| (1..=Self::MAX).contains(size))
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(Message::new(
                    "须为 1 至 100 的整数。",
                    "A whole number from 1 to 100.",
                ))
            })
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, at most `limit`.
    #[schema(max_items = 100)]
    pub items: Vec<T>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub next_cursor: Option<String>,
    /// Number of items on all pages, with `count=true`; counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000, nullable = false)]
    pub count: Option<i64>,
}

/// Largest number that `count=true` counts to.
pub const COUNT_CAP: i64 = 10_000;

/// Binds cursors to one list as one caller sees it.
#[derive(Debug, Clone)]
pub struct Binding(String);

impl Binding {
    /// The list that `ctx` asks for with these filters; `filters` must not hold cursor or limit.
    pub fn new(ctx: &Ctx, filters: &impl std::fmt::Debug) -> Self {
        Self(digest::hex(&[
            ctx.committee().uuid().as_bytes(),
            ctx.operation.as_bytes(),
            format!("{filters:?}").as_bytes(),
        ]))
    }

    /// The feed of a committee, whatever is asked of it: a place in it is the same for everybody.
    pub fn feed(committee: CommitteeId) -> Self {
        Self(digest::hex(&[committee.uuid().as_bytes(), b"feed"]))
    }

    /// A cursor that continues after `key`.
    pub fn encode(&self, key: &impl Serialize) -> Result<String> {
        let key = serde_json::to_string(key).map_err(Error::internal)?;
        let seal = self.seal(&key);
        Ok(URL_SAFE_NO_PAD.encode(format!("{seal}{key}")))
    }

    /// The key to continue after.
    pub fn decode<K: DeserializeOwned>(&self, cursor: &str) -> Result<K> {
        self.decode_from("cursor", cursor)
    }

    /// The same for a cursor that stands in the parameter or header `place`.
    pub fn decode_from<K: DeserializeOwned>(&self, place: &str, cursor: &str) -> Result<K> {
        let invalid = || {
            Error::new(Code::InvalidCursor).field(
                place,
                "invalid",
                Message::new(
                    "游标不属于本列表。",
                    "The cursor does not belong to this list.",
                ),
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid())?;
        let (seal, key) = text.split_at_checked(SEAL).ok_or_else(invalid)?;
        if seal != self.seal(key) {
            return Err(invalid());
        }
        serde_json::from_str(key).map_err(|_| invalid())
    }

    fn seal(&self, key: &str) -> String {
        let mut seal = digest::hex(&[self.0.as_bytes(), key.as_bytes()]);
        seal.truncate(SEAL);
        seal
    }

    /// Makes a page of `limit + 1` rows, the last of which only tells that there is more.
    pub fn page<T, K: Serialize>(
        &self,
        mut items: Vec<T>,
        limit: PageSize,
        key: impl Fn(&T) -> K,
    ) -> Result<Page<T>> {
        let more = items.len() > limit.get();
        items.truncate(limit.get());
        let next_cursor = match items.last() {
            Some(last) if more => Some(self.encode(&key(last))?),
            _ => None,
        };
        Ok(Page {
            items,
            next_cursor,
            count: None,
        })
    }
}

impl<T> Page<T> {
    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next_cursor: self.next_cursor,
            count: self.count,
        }
    }
}

/// Characters of the seal in front of the key.
const SEAL: usize = 20;

/// Which page of a list is wanted: the parameters that every list has.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Items per page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where to continue.
    pub cursor: Option<String>,
    /// Whether to count the items on all pages.
    #[serde(default)]
    pub count: bool,
}

impl PageQuery {
    /// Names of the parameters; all others belong to the filter of the list.
    pub const NAMES: [&'static str; 3] = ["limit", "cursor", "count"];
}

/// The parameters of a [`PageQuery`], for the OpenAPI document.
pub struct PageParams;

impl utoipa::IntoParams for PageParams {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let count = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .default(Some(false.into()));
        let mut parameters = CursorParams::into_params(place);
        parameters.push(
            ParameterBuilder::new()
                .name("count")
                .parameter_in(ParameterIn::Query)
                .description(Some("Also count the items on all pages, up to 10,000."))
                .schema(Some(count))
                .build(),
        );
        parameters
    }
}

/// The parameters of lists that are paged but not counted.
pub struct CursorParams;

impl utoipa::IntoParams for CursorParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1.0))
            .maximum(Some(f64::from(PageSize::MAX)))
            .default(Some(20.into()))
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::Int32,
            )));
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(500))
            .pattern(Some("^[A-Za-z0-9_-]+$"));
        vec![
            ParameterBuilder::new()
                .name("limit")
                .parameter_in(ParameterIn::Query)
                .description(Some("Items per page."))
                .schema(Some(limit))
                .build(),
            ParameterBuilder::new()
                .name("cursor")
                .parameter_in(ParameterIn::Query)
                .description(Some(
                    "`next_cursor` of the page before, with the same filters.",
                ))
                .schema(Some(cursor))
                .build(),
        ]
    }
}
