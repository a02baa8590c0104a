//! The one way from a handler to a write: idempotency key, trial run, transaction, answer.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ctx::IdempotencyKey;
#[cfg(feature = "seeded-defects")]
use super::defects::Defect;
use super::{App, Ctx};
use crate::error::{Code, Error, Result};
use crate::store::idempotency::{self, Stored};
use crate::store::{Db, Tx};

/// No answer is as long as this, in bytes.
const LONGEST: usize = 64 << 20;

/// The JSON text of an answer, or none. It is made once: what is stored with an idempotency key is
/// what was sent, to the letter, but for secrets, which are shown once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body(Option<String>);

impl Body {
    fn of(body: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(body).map_err(Error::internal)?;
        debug_assert_eq!(
            text.len(),
            serde_json::json!(body).to_string().len(),
            "a name stands twice in an object"
        );
        Ok(Self(Some(text)))
    }

    /// The text; `None` where nothing is said.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text itself.
    pub fn into_text(self) -> Option<String> {
        self.0
    }

    /// Adds members to an object: what the stored answer of an idempotency key must not hold.
    pub fn add(&mut self, members: &impl Serialize) -> Result<()> {
        let Some(text) = &self.0 else { return Ok(()) };
        let mut object: Map<String, Value> = serde_json::from_str(text).map_err(Error::internal)?;
        if let Value::Object(members) = serde_json::json!(members) {
            object.extend(members);
        }
        *self = Self::of(&object)?;
        Ok(())
    }

    /// As it is stored: packed, since it is long and says much again and again.
    pub fn packed(&self) -> Option<Vec<u8>> {
        self.text()
            .map(|text| lz4_flex::compress_prepend_size(text.as_bytes()))
    }

    /// As it was stored; an error if that is not what was packed.
    pub fn unpacked(packed: &[u8]) -> Result<Self> {
        // A row that somebody spoilt must not ask for all memory.
        let (length, _) = lz4_flex::block::uncompressed_size(packed).map_err(Error::internal)?;
        if length > LONGEST {
            return Err(Error::internal("a stored answer is too long"));
        }
        let bytes = lz4_flex::decompress_size_prepended(packed).map_err(Error::internal)?;
        let text = String::from_utf8(bytes).map_err(Error::internal)?;
        Ok(Self(Some(text)))
    }

    /// As answers were stored before they were packed.
    pub fn from_stored(stored: Value) -> Self {
        match stored {
            Value::Null => Self(None),
            Value::String(text) => Self(Some(text)),
            object => Self(Some(object.to_string())),
        }
    }
}

/// A successful answer, in the form in which it can be stored and sent again.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it says.
    pub body: Body,
    /// Strong entity tag of the body, without quotes.
    pub etag: Option<String>,
    /// Where a created object is.
    pub location: Option<String>,
    /// Sent before: the effect happened then.
    pub replayed: bool,
}

impl Answer {
    fn new(status: u16, body: &impl Serialize) -> Result<Self> {
        let body = Body::of(body)?;
        Ok(Self {
            status,
            body,
            etag: None,
            location: None,
            replayed: false,
        })
    }

    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self> {
        Self::new(200, body)
    }

    /// 201 with the created object and where it is.
    pub fn created(body: &impl Serialize, location: String) -> Result<Self> {
        Ok(Self {
            location: Some(location),
            ..Self::new(201, body)?
        })
    }

    /// 204.
    pub fn none() -> Self {
        Self {
            status: 204,
            body: Body::default(),
            etag: None,
            location: None,
            replayed: false,
        }
    }

    /// Adds a strong entity tag.
    #[must_use]
    pub fn tag(mut self, tag: String) -> Self {
        self.etag = Some(tag);
        self
    }

    /// Adds the version as a strong entity tag.
    #[must_use]
    pub fn version(mut self, version: i32) -> Self {
        self.etag = Some(version.to_string());
        self
    }
}

impl Ctx {
    /// Binds the idempotency key of a request with a password in its body to a hash that is as
    /// slow to guess from as a stored password.
    pub async fn guard_password(&mut self, app: &App, secret: &str) -> Result<()> {
        let user = self.user();
        if let Some(key) = &mut self.idempotency {
            let scope = format!("{user} {}", key.key);
            let text = format!("{} {secret}", self.operation);
            key.request_hash = app.passwords.fingerprint(&text, scope.as_bytes()).await?;
        }
        Ok(())
    }
}

impl App {
    /// Runs a write of a signed-in user as one transaction.
    ///
    /// With an Idempotency-Key the answer is stored in the same transaction and given again to a
    /// repeated request; with `validate_only` everything runs and nothing is kept.
    pub async fn write<F>(&self, ctx: &Ctx, work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        self.write_as("http.write", ctx, work).await
    }

    /// The same for acts on cases, which change nothing of accounts.
    pub async fn act<F>(&self, ctx: &Ctx, work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        self.write_as(Db::ACT, ctx, work).await
    }

    async fn write_as<F>(&self, name: &'static str, ctx: &Ctx, mut work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        #[cfg(feature = "seeded-defects")]
        if ctx.idempotency.is_some() && !ctx.validate_only && Defect::KeyApart.is_chosen() {
            return self.write_with_key_apart(ctx, work).await;
        }
        let ctx = ctx.clone();
        let answer = self
            .db
            .write(name, move |tx| {
                let Some(key) = ctx.idempotency.as_ref().filter(|_| !ctx.validate_only) else {
                    let answer = work(tx)?;
                    if !ctx.validate_only {
                        return Ok(answer);
                    }
                    tx.discard();
                    // Version and address of something that does not exist would mislead.
                    return Ok(Answer {
                        etag: None,
                        location: None,
                        ..answer
                    });
                };
                let scope = scope(&ctx, key);
                // Claimed before the work, so that a concurrent twin waits here and then finds
                // the answer instead of doing the work again.
                if let Some(stored) = idempotency::claim(tx, &scope, &key.request_hash, ctx.now)? {
                    return again(stored, key);
                }
                let answer = work(tx)?;
                idempotency::finish(tx, &scope, &key.request_hash, &answer, ctx.now)?;
                Ok(answer)
            })
            .await?;
        self.wake_workers();
        Ok(answer)
    }
}

pub(super) fn scope<'a>(ctx: &'a Ctx, key: &'a IdempotencyKey) -> idempotency::Scope<'a> {
    idempotency::Scope {
        committee: ctx.committee(),
        principal: ctx.user(),
        operation: &ctx.operation,
        key: &key.key,
    }
}

/// The answer that was given to the same request before; an error if the key was used for another.
pub(super) fn stored(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Option<Answer>> {
    let Some(key) = ctx.idempotency.as_ref().filter(|_| !ctx.validate_only) else {
        return Ok(None);
    };
    let stored = idempotency::find(tx, &scope(ctx, key))?;
    stored.map(|stored| again(stored, key)).transpose()
}

fn again(stored: Stored, key: &IdempotencyKey) -> Result<Answer> {
    if stored.request_hash != key.request_hash {
        return Err(Error::new(Code::IdempotencyKeyReused));
    }
    Ok(Answer {
        replayed: true,
        ..stored.answer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_unpacked_as_it_was() {
        let title = "关于优化老城区公交微循环线路的提案";
        for text in [
            String::new(),
            "{}".to_owned(),
            format!("[\"{title}\"]"),
            title.repeat(4000),
        ] {
            let packed = Body(Some(text.clone())).packed().expect("a text");
            assert_eq!(Body::unpacked(&packed).ok(), Some(Body(Some(text.clone()))));
            assert!(
                packed.len() <= text.len() + 16,
                "{} of {}",
                packed.len(),
                text.len()
            );
        }
        assert_eq!(Body::default().packed(), None);
    }

    #[test]
    fn what_was_not_packed_is_an_error() {
        let packed = Body(Some("{\"status\":\"filed\"}".repeat(40))).packed();
        let packed = packed.expect("a text");
        for spoilt in [&packed[..packed.len() - 1], &packed[..3], &[], &[255; 64]] {
            assert!(Body::unpacked(spoilt).is_err(), "{spoilt:?}");
        }
    }
}
