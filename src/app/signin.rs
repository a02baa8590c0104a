//! Signing in and out, and who is behind a token.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use super::second_factor;
use super::{Answer, App, Ctx};
use crate::auth::api_token::{self, ApiToken};
use crate::auth::password::Verdict;
use crate::auth::principal::Principal;
use crate::auth::refresh::RefreshToken;
use crate::auth::token::{Claims, Subject};
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, RequestId, SignInId, UserId};
use crate::store::accounts::{self, Names};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::sign_ins::{self, EndReason};
use crate::store::{Tx, api_tokens, signing_keys};
use crate::workflow::role::Role;

use attempt::{Attempt, begin};
pub(super) use attempt::{Beginning, Opening, open};

mod attempt;
mod own_password;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod timing;

/// A sign-in ends after this time whatever happens.
pub const SIGN_IN_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A refresh token that nobody used for this time has expired.
pub const REFRESH_IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A used token gives its successor again within this time.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// Refused sign-ins are answered at multiples of this time only, so that the time tells nothing
/// about which of the checks failed.
pub(super) const REFUSAL_STEP: Duration = Duration::from_millis(100);

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

/// Where a request to sign in comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The request.
    pub request: RequestId,
    /// The address of the client, where it is known.
    pub address: Option<IpAddr>,
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

/// What an access token is shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A request that reads.
    Read,
    /// A request that may change something.
    Write,
    /// To stay where something is told.
    Watch,
}

/// What became of a refresh token, decided inside the transaction.
enum Exchange {
    Continued(Box<(RefreshToken, Principal, Names)>),
    Refused(&'static str),
}

impl App {
    /// The principal of an access token, as the account stands now. The request counts as use of
    /// the sign-in.
    pub async fn authenticate(&self, token: &str) -> Result<Principal> {
        self.authenticated(token, Purpose::Write).await
    }

    /// The same for a request that only reads: as the account stood less than
    /// [`KEPT`](crate::auth::remembered::KEPT) ago, with everything that this process has done to it since.
    pub async fn authenticate_reader(&self, token: &str) -> Result<Principal> {
        self.authenticated(token, Purpose::Read).await
    }

    /// The same for what goes on without anybody at work, such as an open stream: a sign-in that
    /// is only watched ends like one that is not used.
    pub async fn recheck(&self, token: &str) -> Result<Principal> {
        self.authenticated(token, Purpose::Watch).await
    }

    async fn authenticated(&self, token: &str, purpose: Purpose) -> Result<Principal> {
        let now = self.clock.now();
        if token.starts_with(api_token::PREFIX) {
            return self.authenticate_machine(token, now).await;
        }
        let claims = self.verified(token, now).await?;
        let (committee, sign_in) = (claims.cid, claims.sid);
        // A token whose sign-in belongs to another account was never issued.
        let is_of = |one: &Principal| one.committee == committee && one.user == claims.sub;
        // Read before the account is: what changes meanwhile begins another one.
        let generation = self.db.generation();
        if purpose == Purpose::Read
            && let Some(known) = self.remembered.find(sign_in, generation, now)
            && is_of(&known)
        {
            return Ok(known);
        }
        let seen = self
            .db
            .read("auth.principal", move |tx| {
                accounts::seen(tx, committee, sign_in, now)
            })
            .await?;
        let seen = seen
            .filter(|seen| is_of(&seen.principal))
            .ok_or_else(|| Error::new(Code::Unauthenticated).context("the sign-in has ended"))?;
        if seen.unnoted && purpose != Purpose::Watch {
            self.beside("auth.note", move |tx| {
                sign_ins::note_use(tx, committee, sign_in, now)
            });
        }
        // Of whoever only watches nothing was noted.
        if purpose != Purpose::Watch {
            self.remembered.remember(&seen.principal, generation, now);
        }
        Ok(seen.principal)
    }

    /// Writes beside the request: it neither waits for this nor fails with it.
    fn beside<F>(&self, name: &'static str, work: F)
    where
        F: FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static,
    {
        let db = self.db.clone();
        tokio::spawn(async move {
            if let Err(error) = db.write(name, work).await {
                tracing::warn!(%error, name, "the use of a token was not noted");
            }
        });
    }

    /// The principal of a machine client's token. It is looked up for every request,
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
            self.beside("auth.machine.note", move |tx| {
                api_tokens::note_use(tx, committee, id, now)
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
    pub async fn login(&self, offered: Credentials, origin: Origin) -> Result<SignedIn> {
        let started = Instant::now();
        let result = self.try_login(offered, origin).await;
        if result
            .as_ref()
            .is_err_and(|error| error.code() == Code::BadCredentials)
        {
            at_next_step(started, self.refusal_step).await;
        }
        result
    }

    /// Find, limit the address, verify, count and judge, begin: in this order, and each for
    /// everybody, so that what is refused does the same work.
    async fn try_login(&self, offered: Credentials, origin: Origin) -> Result<SignedIn> {
        let place = self.passwords.place()?;
        let now = self.clock.now();
        let found = self.find_account(&offered, &origin, now).await?;
        if let Some(wait) = found.wait {
            return Err(too_many_from_address(wait));
        }
        let verdict = self
            .passwords
            .verify_from(place, &offered.password, found.password_hash())
            .await?;
        let attempt = Attempt::new(found, verdict, origin, now);
        let Some(committee) = attempt.committee() else {
            // The way through the door takes its time, too.
            self.db.write("auth.login", |_| Ok(())).await?;
            return Err(Error::new(Code::BadCredentials));
        };
        let sign_in = SignInId::new(now);
        let token = RefreshToken::first(committee, sign_in)?;
        let (judged, limit, hash) = (attempt.clone(), self.address_limit, token.hash());
        let beginning = self
            .db
            .write("auth.login", move |tx| match judged.judge(tx, limit)? {
                Some(passed) => begin(tx, &passed, (sign_in, &hash), now, origin.request),
                None => Ok(Beginning::Refused),
            })
            .await?;
        let passed = !matches!(beginning, Beginning::Refused);
        if passed && verdict == Verdict::RightButOutdated {
            self.rehash(&attempt, &offered.password).await;
        }
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

/// Waits for the next moment at which refusals are answered.
async fn at_next_step(started: Instant, step: Duration) {
    let past = started.elapsed().as_millis();
    let steps = past
        .checked_div(step.as_millis())
        .map_or(0, |steps| steps + 1);
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    tokio::time::sleep_until(started + step.saturating_mul(steps)).await;
}

/// Nothing is told but how long to wait: the count goes by the address alone.
fn too_many_from_address(wait: SignedDuration) -> Error {
    let seconds = wait.as_secs().saturating_add(1);
    Error::new(Code::TooManySignIns).with("retry_after", seconds)
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
