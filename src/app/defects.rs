//! Defects on purpose, to show that the history checker of `tests/it/faults` finds what it is for.
//! Only with the feature `seeded-defects`, never in a release (`api/defects.rs` sees to that), and
//! only the one that the environment names.

use super::{Answer, App, Ctx};
use crate::error::Result;
use crate::store::{Tx, idempotency};

/// The variable that names the defect.
const VARIABLE: &str = "JIANJIAN_STORE_DEFECT";

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// If-Match is not compared with the version.
    NoVersionCheck,
    /// The Idempotency-Key is stored in a transaction of its own, after that of the effect.
    KeyApart,
}

impl Defect {
    /// Whether it is the one that the environment names.
    #[expect(clippy::disallowed_methods, reason = "a switch of tests, no setting")]
    pub(super) fn is_chosen(self) -> bool {
        let name = match self {
            Self::NoVersionCheck => "no-version-check",
            Self::KeyApart => "key-apart",
        };
        std::env::var(VARIABLE).is_ok_and(|chosen| chosen == name)
    }
}

impl App {
    /// [`App::write`] as somebody would write it who has not thought of a crash in between.
    pub(super) async fn write_with_key_apart<F>(&self, ctx: &Ctx, mut work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        let found = ctx.clone();
        let stored = self
            .db
            .read("http.key", move |tx| super::write::stored(tx, &found))
            .await?;
        if let Some(answer) = stored {
            return Ok(answer);
        }
        let answer = self.db.write("http.write", move |tx| work(tx)).await?;
        let (kept, ctx) = (answer.clone(), ctx.clone());
        self.db
            .write("http.key", move |tx| {
                let Some(key) = ctx.idempotency.as_ref() else {
                    return Ok(());
                };
                let scope = super::write::scope(&ctx, key);
                idempotency::claim(tx, &scope, &key.request_hash, ctx.now)?;
                idempotency::finish(tx, &scope, &key.request_hash, &kept, ctx.now)
            })
            .await?;
        self.wake_workers();
        Ok(answer)
    }
}
