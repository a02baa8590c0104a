//! Changing the own password.

use serde_json::json;
use tokio::time::Instant;

use super::attempt::Refusal;
use super::{append, at_next_step, happening};
use crate::app::{Answer, App, Ctx};
use crate::auth::known_words::Owner;
use crate::auth::password::Verdict;
use crate::auth::policy::PasswordPolicy;
use crate::auth::throttle::Counted;
use crate::error::{Error, Message, Result};
use crate::ids::CommitteeId;
use crate::store::sign_ins::{self, EndReason};
use crate::store::{Tx, accounts, idempotency, passwords, setup, throttles};

/// What a wish for another password comes to before the transaction.
enum Change {
    /// The same request was answered before: the stored answer is given again, and nothing is
    /// checked against the new state.
    Repeated,
    WrongPassword,
    Ready {
        old_hash: String,
        new_hash: String,
    },
}

impl App {
    /// The password policy of a committee, and its code, which no password may contain.
    pub async fn password_policy(
        &self,
        committee: CommitteeId,
    ) -> Result<(PasswordPolicy, String)> {
        self.db
            .read("auth.policy", move |tx| {
                let (policy, _) = passwords::policy(tx, committee)?;
                Ok((policy, setup::code(tx, committee)?))
            })
            .await
    }

    /// Changes the own password and ends all other sign-ins. Whoever guesses the present one here
    /// is counted and answered as when signing in.
    pub async fn change_password(&self, ctx: &Ctx, old: &str, new: &str) -> Result<Answer> {
        let started = Instant::now();
        let mut ctx = ctx.clone();
        if let Some(key) = &mut ctx.idempotency {
            // A plain hash of this body would be a fast way to guess the passwords in it.
            let scope = format!("{} {}", ctx.principal.user, key.key);
            let text = format!("{old}\n{new}");
            key.request_hash = self.passwords.fingerprint(&text, scope.as_bytes()).await?;
        }
        let change = if self.is_repeated(&ctx).await? {
            Change::Repeated
        } else {
            self.checked_change(&ctx, old, new).await?
        };
        if matches!(change, Change::WrongPassword) {
            at_next_step(started, self.refusal_step).await;
            return Err(wrong_old_password());
        }
        self.write(&ctx.clone(), move |tx| match &change {
            Change::Ready { old_hash, new_hash } => set_password(tx, &ctx, old_hash, new_hash),
            Change::Repeated | Change::WrongPassword => Err(wrong_old_password()),
        })
        .await
    }

    pub(in crate::app) async fn is_repeated(&self, ctx: &Ctx) -> Result<bool> {
        let ctx = ctx.clone();
        let Some(key) = ctx.idempotency.clone() else {
            return Ok(false);
        };
        self.db
            .read("auth.password.repeated", move |tx| {
                let scope = idempotency::Scope {
                    committee: ctx.committee(),
                    principal: ctx.user(),
                    operation: &ctx.operation,
                    key: &key.key,
                };
                Ok(idempotency::find(tx, &scope)?.is_some())
            })
            .await
    }

    async fn checked_change(&self, ctx: &Ctx, old: &str, new: &str) -> Result<Change> {
        let (committee, user) = (ctx.committee(), ctx.user());
        let (policy, code, account, earlier) = self
            .db
            .read("auth.password", move |tx| {
                let (policy, _) = passwords::policy(tx, committee)?;
                let code = setup::code(tx, committee)?;
                let account = accounts::find(tx, committee, user)?;
                let earlier = passwords::earlier(tx, committee, user, policy.history - 1)?;
                Ok((policy, code, account, earlier))
            })
            .await?;
        let old_hash = account.and_then(|account| account.password_hash);
        let verdict = self.passwords.verify(old, old_hash.as_deref()).await?;
        let passed = self.old_password_passes(ctx, verdict).await?;
        let Some(old_hash) = old_hash.filter(|_| passed) else {
            return Ok(Change::WrongPassword);
        };
        let owner = Owner {
            username: &ctx.principal.username,
            display_name: &ctx.principal.display_name,
            committee: &code,
        };
        policy.check("/new_password", new, &owner)?;
        if self.passwords.verify(new, Some(&old_hash)).await? != Verdict::Wrong {
            return Err(Error::invalid(
                "/new_password",
                "password_unchanged",
                Message::new(
                    "新密码不能与原密码相同。",
                    "The new password is the old one.",
                ),
            ));
        }
        for hash in earlier {
            if self.passwords.verify(new, Some(&hash)).await? != Verdict::Wrong {
                return Err(used_before(policy.history));
            }
        }
        let new_hash = self.passwords.hash_new("/new_password", new).await?;
        Ok(Change::Ready { old_hash, new_hash })
    }

    /// Whether the present password was right and the name is not blocked; counts it if not. A
    /// trial counts, too: it would tell as much.
    async fn old_password_passes(&self, ctx: &Ctx, verdict: Verdict) -> Result<bool> {
        let (ctx, right) = (ctx.clone(), verdict != Verdict::Wrong);
        self.db
            .write("auth.password.count", move |tx| {
                let committee = ctx.committee();
                let counted = Counted::name(committee, &ctx.principal.username);
                let before = throttles::lock(tx, committee, &counted)?;
                let blocked = before.is_some_and(|tally| tally.blocked(ctx.now).is_some());
                if right && !blocked {
                    if before.is_some() {
                        throttles::forget(tx, committee, &counted)?;
                    }
                    return Ok(true);
                }
                let (policy, _) = passwords::policy(tx, committee)?;
                let refusal = Refusal {
                    committee,
                    counted: &counted,
                    lock: policy.lock(),
                    user: Some(ctx.user()),
                    event: "user.password_change_refused",
                    reason: if blocked { "blocked" } else { "wrong_password" },
                };
                refusal.record(tx, before, ctx.now, ctx.request_id)?;
                Ok(false)
            })
            .await
    }
}

fn set_password(tx: &mut Tx<'_>, ctx: &Ctx, old_hash: &str, new_hash: &str) -> Result<Answer> {
    let (committee, user) = (ctx.committee(), ctx.user());
    if !accounts::change_password(tx, committee, user, old_hash, new_hash, ctx.now)? {
        return Err(wrong_old_password());
    }
    passwords::keep(tx, committee, user, old_hash)?;
    let ended = sign_ins::end_all(
        tx,
        committee,
        user,
        Some(ctx.principal.sign_in),
        EndReason::PasswordChanged,
        ctx.now,
    )?;
    append(
        tx,
        ctx,
        happening("user.password_changed", json!({ "sign_ins_ended": ended })),
    )?;
    Ok(Answer::none())
}

fn wrong_old_password() -> Error {
    Error::invalid(
        "/old_password",
        "password_wrong",
        Message::new("原密码不正确。", "This is not the present password."),
    )
}

fn used_before(history: i32) -> Error {
    Error::invalid(
        "/new_password",
        "password_used_before",
        Message::new(
            format!("不能使用最近 {history} 次用过的密码。"),
            format!("It is among the last {history} passwords."),
        ),
    )
}
