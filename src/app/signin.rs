//! Signing in and out, and who is behind a token.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::second_factor::{self, Way};
use super::{Answer, App, Ctx};
use crate::auth::api_token::{self, ApiToken};
use crate::auth::password::{Verdict, check_rules};
use crate::auth::principal::Principal;
use crate::auth::refresh::RefreshToken;
use crate::auth::ticket::Ticket;
use crate::auth::token::{Claims, Subject};
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, OpenidProviderId, RequestId, SignInId, UserId, kind};
use crate::store::accounts::{self, Account, Names};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::sign_ins::{self, EndReason, SignIn};
use crate::store::{Tx, api_tokens, idempotency, signing_keys};
use crate::workflow::role::Role;

#[cfg(test)]
mod tests;

/// A sign-in ends after this time whatever happens.
pub const SIGN_IN_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A refresh token that nobody used for this time has expired.
pub const REFRESH_IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A used token gives its successor again within this time.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// Refused sign-ins are answered at multiples of this time only, so that the time tells nothing
/// about which of the checks failed.
const REFUSAL_STEP: Duration = Duration::from_millis(100);

/// What somebody offers in order to sign in.
#[derive(Clone)]
pub struct Credentials {
    /// Code of the committee.
    pub committee: String,
    /// Sign-in name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// A sign-in that was begun or continued.
pub struct SignedIn {
    /// Access token.
    pub access_token: String,
    /// The token that gives the next pair.
    pub refresh_token: RefreshToken,
    /// Who signed in.
    pub principal: Principal,
    /// The names of what it belongs to.
    pub names: Names,
    /// A required second factor must be enrolled before anything else.
    pub must_enrol: bool,
}

/// What became of a refresh token, decided inside the transaction.
enum Exchange {
    Continued(Box<(RefreshToken, Principal, Names)>),
    Refused(&'static str),
}

impl App {
    /// The principal of an access token, as the account stands now.
    pub async fn authenticate(&self, token: &str) -> Result<Principal> {
        let now = self.clock.now();
        if token.starts_with(api_token::PREFIX) {
            return self.authenticate_machine(token, now).await;
        }
        let claims = self.verified(token, now).await?;
        let principal = self
            .db
            .read("auth.principal", move |tx| {
                accounts::principal(tx, claims.cid, claims.sid, now)
            })
            .await?;
        // A token whose sign-in belongs to another account was never issued.
        principal
            .filter(|principal| principal.user == claims.sub)
            .ok_or_else(|| Error::new(Code::Unauthenticated).context("the sign-in has ended"))
    }

    /// The principal of a machine client's token. Like a sign-in it is looked up for every request,
    /// so that what is revoked ends at once on every instance.
    async fn authenticate_machine(&self, text: &str, now: Timestamp) -> Result<Principal> {
        let refused = |why: &str| Error::new(Code::Unauthenticated).context(why);
        let token = ApiToken::parse(text).ok_or_else(|| refused("not a token of ours"))?;
        let (committee, id) = (token.committee(), token.id());
        let found = self
            .db
            .read("auth.machine", move |tx| {
                api_tokens::principal(tx, &token, now)
            })
            .await?;
        let (principal, stale) = found.ok_or_else(|| refused("the token is not valid any more"))?;
        if stale {
            // Beside the request: it neither waits for this nor fails with it.
            let db = self.db.clone();
            tokio::spawn(async move {
                let noted = db
                    .write("auth.machine.note", move |tx| {
                        api_tokens::note_use(tx, committee, id, now)
                    })
                    .await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "the use of a token was not noted");
                }
            });
        }
        Ok(principal)
    }

    async fn verified(&self, token: &str, now: Timestamp) -> Result<Claims> {
        if self.keys.is_stale() || self.keys.may_be_elsewhere(token) {
            self.reload_keys().await?;
        }
        self.keys.verify(&self.parties, token, now)
    }

    /// Reads the signing keys anew.
    pub async fn reload_keys(&self) -> Result<()> {
        let keys = self.db.read("auth.keys", signing_keys::list).await?;
        self.keys.replace(keys);
        Ok(())
    }

    /// Makes a new signing key and retires the present one; other instances follow within a
    /// minute.
    pub async fn rotate_keys(&self) -> Result<()> {
        let now = self.clock.now();
        let keys = self
            .db
            .write("auth.rotate", move |tx| signing_keys::rotate(tx, now))
            .await?;
        tracing::info!(keys = keys.len(), "the signing key was rotated");
        self.keys.replace(keys);
        Ok(())
    }

    /// Signs in. Whatever is wrong, the answer is `bad-credentials` at the same cost.
    pub async fn login(&self, offered: Credentials, request: RequestId) -> Result<SignedIn> {
        let started = tokio::time::Instant::now();
        let result = self.try_login(offered, request).await;
        if result
            .as_ref()
            .is_err_and(|error| error.code() == Code::BadCredentials)
        {
            let steps = started.elapsed().as_millis() / REFUSAL_STEP.as_millis() + 1;
            let steps = u32::try_from(steps).unwrap_or(u32::MAX);
            tokio::time::sleep_until(started + REFUSAL_STEP.saturating_mul(steps)).await;
        }
        result
    }

    async fn try_login(&self, offered: Credentials, request: RequestId) -> Result<SignedIn> {
        let now = self.clock.now();
        let (code, username) = (offered.committee, offered.username);
        let found = self
            .db
            .read("auth.login.find", move |tx| {
                let Some((committee, active)) = accounts::committee(tx, &code)? else {
                    return Ok(None);
                };
                let account = accounts::by_username(tx, committee, &username)?;
                Ok(account.map(|account| (committee, active, account)))
            })
            .await?;
        let hash = found
            .as_ref()
            .and_then(|(_, _, account)| account.password_hash.as_deref());
        let verdict = self.passwords.verify(&offered.password, hash).await?;
        let Some((committee, active, account)) = found else {
            tracing::info!("sign-in refused: no such account");
            return Err(Error::new(Code::BadCredentials));
        };
        let refusal = match verdict {
            Verdict::Wrong => Some("wrong_password"),
            _ if account.disabled => Some("disabled"),
            _ if !active => Some("committee_inactive"),
            _ => None,
        };
        if let Some(reason) = refusal {
            let happening = happening("user.sign_in_refused", json!({ "reason": reason }));
            self.note(committee, account.id, request, happening).await?;
            return Err(Error::new(Code::BadCredentials));
        }
        let rehashed = match verdict {
            Verdict::RightButOutdated => Some(self.passwords.hash(&offered.password).await?),
            _ => None,
        };
        let sign_in = SignInId::new(now);
        let token = RefreshToken::first(committee, sign_in)?;
        let begun = Begun {
            committee,
            sign_in,
            account,
            rehashed,
            token_hash: token.hash(),
        };
        let beginning = self
            .db
            .write("auth.login", move |tx| begin(tx, &begun, now, request))
            .await?;
        self.begun(token, beginning, now).await
    }

    /// What whoever wants to sign in is told.
    pub(super) async fn begun(
        &self,
        token: RefreshToken,
        beginning: Beginning,
        now: Timestamp,
    ) -> Result<SignedIn> {
        match beginning {
            Beginning::SignedIn(begun) => {
                let (principal, names) = *begun;
                self.signed_in(token, principal, names, now).await
            }
            Beginning::Asked(ticket) => Err(second_factor::required(&ticket)),
            Beginning::Refused => Err(Error::new(Code::BadCredentials)),
        }
    }

    async fn signed_in(
        &self,
        refresh_token: RefreshToken,
        principal: Principal,
        names: Names,
        now: Timestamp,
    ) -> Result<SignedIn> {
        if self.keys.is_stale() {
            self.reload_keys().await?;
        }
        let subject = Subject {
            committee: principal.committee,
            user: principal.user,
            sign_in: principal.sign_in,
        };
        let access_token = self.keys.issue(&self.parties, subject, now)?;
        Ok(SignedIn {
            access_token,
            refresh_token,
            must_enrol: self.must_enrol(&principal),
            principal,
            names,
        })
    }

    /// Appends to the history of an account what nobody signed in did to it.
    pub(super) async fn note(
        &self,
        committee: CommitteeId,
        user: UserId,
        request: RequestId,
        happening: Happening,
    ) -> Result<()> {
        let now = self.clock.now();
        self.db
            .write("auth.note", move |tx| {
                accounts::lock(tx, committee, user)?;
                let circumstances = unproven(now, request);
                let stream = Stream::of(committee, "user", user);
                events::append(tx, &stream, &circumstances, happening.clone())
            })
            .await
    }

    /// Exchanges a refresh token for the next pair of tokens.
    pub async fn refresh(&self, token: &str, request: RequestId) -> Result<SignedIn> {
        let now = self.clock.now();
        let refused = |why: &str| Error::new(Code::RefreshRefused).context(why);
        let token = RefreshToken::parse(token).ok_or_else(|| refused("not a refresh token"))?;
        if self.keys.is_stale() {
            self.reload_keys().await?;
        }
        // Normally the first; the others only right after a rotation.
        let successors: Vec<_> = self
            .keys
            .refresh_keys(now)
            .iter()
            .map(|key| token.successor(key))
            .collect();
        let exchange = self
            .db
            .write("auth.refresh", move |tx| {
                exchange(tx, &token, &successors, now, request)
            })
            .await?;
        match exchange {
            Exchange::Continued(continued) => {
                let (token, principal, names) = *continued;
                self.signed_in(token, principal, names, now).await
            }
            Exchange::Refused(why) => {
                tracing::info!(why, "refresh refused");
                Err(refused(why))
            }
        }
    }

    /// Signs out: the sign-in ends, and with it every token of it.
    pub async fn logout(&self, ctx: &Ctx) -> Result<Answer> {
        let ctx = ctx.clone();
        self.write(&ctx.clone(), move |tx| {
            let (committee, sign_in) = (ctx.committee(), ctx.principal.sign_in);
            accounts::lock(tx, committee, ctx.user())?;
            if sign_ins::end(tx, committee, sign_in, EndReason::SignedOut, ctx.now)? {
                let happening = happening("user.signed_out", json!({ "sign_in": sign_in }));
                append(tx, &ctx, happening)?;
            }
            Ok(Answer::none())
        })
        .await
    }

    /// The names of what the caller belongs to and is narrowed to.
    pub async fn names(&self, ctx: &Ctx) -> Result<Names> {
        let principal = ctx.principal.clone();
        self.db
            .read("auth.names", move |tx| accounts::names(tx, &principal))
            .await
    }

    /// Changes the own password and ends all other sign-ins.
    pub async fn change_password(&self, ctx: &Ctx, old: &str, new: &str) -> Result<Answer> {
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
            let refused = happening("user.password_change_refused", json!({}));
            self.note(ctx.committee(), ctx.user(), ctx.request_id, refused)
                .await?;
            return Err(wrong_old_password());
        }
        self.write(&ctx.clone(), move |tx| match &change {
            Change::Ready { old_hash, new_hash } => set_password(tx, &ctx, old_hash, new_hash),
            Change::Repeated | Change::WrongPassword => Err(wrong_old_password()),
        })
        .await
    }

    pub(super) async fn is_repeated(&self, ctx: &Ctx) -> Result<bool> {
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
        let account = self
            .db
            .read("auth.password", move |tx| {
                accounts::find(tx, committee, user)
            })
            .await?;
        let old_hash = account.and_then(|account| account.password_hash);
        let verdict = self.passwords.verify(old, old_hash.as_deref()).await?;
        let (Some(old_hash), Verdict::Right | Verdict::RightButOutdated) = (old_hash, verdict)
        else {
            return Ok(Change::WrongPassword);
        };
        check_rules("/new_password", new, &ctx.principal.username)?;
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
        let new_hash = self.passwords.hash(new).await?;
        Ok(Change::Ready { old_hash, new_hash })
    }
}

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

/// What a right password leads to.
struct Begun {
    committee: CommitteeId,
    sign_in: SignInId,
    /// As it was when the password was checked.
    account: Account,
    rehashed: Option<String>,
    token_hash: String,
}

/// What becomes of whoever was found to be right.
pub(super) enum Beginning {
    /// The sign-in stands.
    SignedIn(Box<(Principal, Names)>),
    /// The second factor is awaited.
    Asked(Ticket<kind::Challenge>),
    /// The account was changed since, or may not be used.
    Refused,
}

/// Begins the sign-in, or asks for the second factor.
fn begin(tx: &mut Tx<'_>, begun: &Begun, now: Timestamp, request: RequestId) -> Result<Beginning> {
    let Begun {
        committee,
        sign_in,
        account,
        ..
    } = begun;
    let (committee, sign_in, user) = (*committee, *sign_in, account.id);
    let present = accounts::lock(tx, committee, user)?;
    let unchanged = present
        .is_some_and(|present| !present.disabled && present.password_hash == account.password_hash);
    if !unchanged {
        return Ok(Beginning::Refused);
    }
    if let (Some(old), Some(new)) = (&account.password_hash, &begun.rehashed) {
        accounts::rehash(tx, committee, user, old, new)?;
    }
    if let Some(ticket) = second_factor::ask(tx, committee, user, None, now, request)? {
        return Ok(Beginning::Asked(ticket));
    }
    let opening = Opening {
        committee,
        sign_in,
        user,
        token_hash: begun.token_hash.clone(),
        factor: None,
        provider: None,
    };
    open(tx, &opening, now, request)
}

/// A sign-in that is to begin now.
pub(super) struct Opening {
    pub committee: CommitteeId,
    pub sign_in: SignInId,
    pub user: UserId,
    /// Of its first refresh token.
    pub token_hash: String,
    /// How the second factor was proven, if it was.
    pub factor: Option<Way>,
    /// The identity provider that it comes by; `None`: by password.
    pub provider: Option<OpenidProviderId>,
}

/// Begins a sign-in of a locked account.
pub(super) fn open(
    tx: &mut Tx<'_>,
    opening: &Opening,
    now: Timestamp,
    request: RequestId,
) -> Result<Beginning> {
    let Opening {
        committee,
        sign_in,
        user,
        factor,
        provider,
        ..
    } = *opening;
    let expires_at = now
        .saturating_add(SIGN_IN_LIFETIME)
        .map_err(Error::internal)?;
    let row = SignIn {
        user,
        expires_at,
        ended_at: None,
    };
    sign_ins::begin(tx, committee, sign_in, &row, &opening.token_hash, now)?;
    if factor.is_some() {
        sign_ins::proven(tx, committee, sign_in, now)?;
    }
    if let Some(provider) = provider {
        sign_ins::came_by(tx, committee, sign_in, provider)?;
    }
    let Some(principal) = accounts::principal(tx, committee, sign_in, now)? else {
        return Ok(Beginning::Refused);
    };
    let names = accounts::names(tx, &principal)?;
    let mut content = json!({ "sign_in": sign_in });
    if let Some(way) = factor {
        content["second_factor"] = way.as_str().into();
    }
    if let Some(provider) = provider {
        content["provider"] = provider.to_string().into();
    }
    let happening = happening("user.signed_in", content);
    events::append(
        tx,
        &Stream::of(committee, "user", user),
        &proven(&principal, now, request),
        happening,
    )?;
    Ok(Beginning::SignedIn(Box::new((principal, names))))
}

/// Uses a refresh token. A refusal that ends the sign-in is an `Ok` here, so that it is kept.
fn exchange(
    tx: &mut Tx<'_>,
    token: &RefreshToken,
    successors: &[RefreshToken],
    now: Timestamp,
    request: RequestId,
) -> Result<Exchange> {
    let (committee, id, hash) = (token.committee(), token.sign_in(), token.hash());
    let Some(issued) = sign_ins::find_token(tx, committee, id, &hash)? else {
        return Ok(Exchange::Refused("unknown"));
    };
    let Some(principal) = accounts::principal(tx, committee, id, now)? else {
        return Ok(Exchange::Refused("the sign-in has ended"));
    };
    let expired = issued
        .issued_at
        .saturating_add(REFRESH_IDLE)
        .is_ok_and(|until| until <= now);
    if expired && issued.used_at.is_none() {
        return Ok(Exchange::Refused("expired"));
    }
    let next = if sign_ins::use_token(tx, committee, id, &hash, now)? {
        let next = successors
            .first()
            .ok_or_else(|| Error::internal("no key for a successor"))?;
        sign_ins::add_token(tx, committee, id, &next.hash(), now)?;
        Some(next)
    } else {
        same_again(tx, token, successors, now)?
    };
    if let Some(next) = next {
        let names = accounts::names(tx, &principal)?;
        return Ok(Exchange::Continued(Box::new((
            next.clone(),
            principal,
            names,
        ))));
    }
    accounts::lock(tx, committee, principal.user)?;
    if sign_ins::end(tx, committee, id, EndReason::Reuse, now)? {
        let happening = happening("user.refresh_token_reused", json!({ "sign_in": id }));
        let stream = Stream::of(committee, "user", principal.user);
        events::append(tx, &stream, &unproven(now, request), happening)?;
        tracing::warn!(sign_in = %id, user = %principal.user, "a refresh token was used twice");
    }
    Ok(Exchange::Refused("used before"))
}

/// The successor of a token that was used just now, if nobody has used the successor yet.
fn same_again<'a>(
    tx: &mut Tx<'_>,
    token: &RefreshToken,
    successors: &'a [RefreshToken],
    now: Timestamp,
) -> Result<Option<&'a RefreshToken>> {
    let (committee, id) = (token.committee(), token.sign_in());
    let used_at =
        sign_ins::find_token(tx, committee, id, &token.hash())?.and_then(|issued| issued.used_at);
    let recent = used_at.is_some_and(|at| now.duration_since(at) < GRACE);
    for successor in successors.iter().filter(|_| recent) {
        if let Some(issued) = sign_ins::find_token(tx, committee, id, &successor.hash())? {
            return Ok(Some(successor).filter(|_| issued.used_at.is_none()));
        }
    }
    Ok(None)
}

fn set_password(tx: &mut Tx<'_>, ctx: &Ctx, old_hash: &str, new_hash: &str) -> Result<Answer> {
    let (committee, user) = (ctx.committee(), ctx.user());
    if !accounts::change_password(tx, committee, user, old_hash, new_hash, ctx.now)? {
        return Err(wrong_old_password());
    }
    let keep = Some(ctx.principal.sign_in);
    let ended = sign_ins::end_all(
        tx,
        committee,
        user,
        keep,
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

pub(super) fn happening(name: &str, content: serde_json::Value) -> Happening {
    Happening {
        name: name.to_owned(),
        rule: None,
        content,
    }
}

pub(super) fn append(tx: &mut Tx<'_>, ctx: &Ctx, happening: Happening) -> Result<()> {
    let stream = Stream::of(ctx.committee(), "user", ctx.user());
    events::append(tx, &stream, &Circumstances::of(ctx, &[]), happening)
}

/// Somebody who proved to be the account.
fn proven(principal: &Principal, at: Timestamp, request: RequestId) -> Circumstances {
    Circumstances {
        at,
        actor: Some(principal.user),
        actor_name: principal.display_name.clone(),
        role: principal
            .grants
            .first()
            .map_or(Role::Member, |grant| grant.role),
        on_behalf_of: None,
        request: Some(request),
    }
}

/// Somebody who did not.
pub(super) fn unproven(at: Timestamp, request: RequestId) -> Circumstances {
    Circumstances {
        at,
        actor: None,
        actor_name: "unknown".to_owned(),
        role: Role::System,
        on_behalf_of: None,
        request: Some(request),
    }
}
