//! The second factor: enrolling it, signing in with it, proving it again before what is dangerous.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::signin::{self, Beginning, Opening, SignedIn};
use super::{Answer, App, Ctx};
use crate::auth::principal::Principal;
use crate::auth::refresh::RefreshToken;
use crate::auth::ticket::{CHALLENGE, Ticket};
use crate::auth::totp::{RecoveryCode, Secret};
use crate::error::{Code, Error, Message, Result};
use crate::ids::{ChallengeId, CommitteeId, OpenidProviderId, RequestId, SignInId, UserId, kind};
use crate::keep::Keeper;
use crate::store::events::{self, Circumstances, Stream};
use crate::store::register::{self, Entry, Register};
use crate::store::second_factors::{self, Attempt, Challenge};
use crate::store::sign_ins::{self, EndReason};
use crate::store::users::UserFields;
use crate::store::{Tx, accounts};

/// How long a sign-in waits for the second factor.
const OPEN: SignedDuration = SignedDuration::from_mins(5);

/// How a second factor was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a code of the authenticator.
    Code,
    /// By a recovery code.
    RecoveryCode,
    /// By the identity provider, whose word is taken.
    Provider,
}

impl Way {
    /// As it stands in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Provider => "provider",
        }
    }
}

/// The second factor of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    /// There is one, and it counts.
    pub enrolled: bool,
    /// One was begun and waits for its first code.
    pub pending: bool,
    /// The account must have one.
    pub required: bool,
    /// Recovery codes that were not used.
    #[schema(minimum = 0, maximum = 10)]
    pub recovery_codes_left: i64,
    /// When it was last proven in this sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, format = DateTime, max_length = 40, example = "2026-01-18T01:30:00Z")]
    pub proven_at: Option<Timestamp>,
    /// Until when dangerous operations may be called; only with a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, format = DateTime, max_length = 40, example = "2026-01-18T01:40:00Z")]
    pub stepped_up_until: Option<Timestamp>,
}

/// Until when dangerous operations may be called.
#[derive(Debug, Serialize, ToSchema)]
pub struct SteppedUp {
    /// The moment from which they ask for a code again.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-01-18T01:40:00Z")]
    pub stepped_up_until: Timestamp,
}

impl App {
    /// Whether nothing may be done before a second factor is enrolled.
    pub fn must_enrol(&self, principal: &Principal) -> bool {
        let factor = principal.factor;
        !factor.enrolled
            && factor.proven_at.is_none()
            && self.second_factor.required_for.includes(principal)
    }

    /// 403 unless the second factor was proven lately, where the account has one.
    pub fn check_step_up(&self, principal: &Principal) -> Result<()> {
        let factor = principal.factor;
        let max_age = self.second_factor.step_up;
        let now = self.clock.now();
        let is_recent = |at: Timestamp| now.duration_since(at) < max_age;
        if !factor.enrolled || factor.proven_at.is_some_and(is_recent) {
            return Ok(());
        }
        Err(Error::new(Code::StepUpRequired).with("max_age_seconds", max_age.as_secs()))
    }

    /// The second factor of the caller.
    pub async fn standing(&self, ctx: &Ctx) -> Result<Standing> {
        let (committee, user) = (ctx.committee(), ctx.user());
        let (row, recovery_codes_left) = self
            .db
            .read("second_factor.get", move |tx| {
                let row = second_factors::find(tx, committee, user)?;
                Ok((row, second_factors::codes_left(tx, committee, user)?))
            })
            .await?;
        let enrolled = row.as_ref().is_some_and(|row| row.confirmed_at.is_some());
        let proven_at = ctx.principal.factor.proven_at;
        Ok(Standing {
            enrolled,
            pending: row.is_some() && !enrolled,
            required: self.second_factor.required_for.includes(&ctx.principal),
            recovery_codes_left,
            proven_at,
            stepped_up_until: proven_at
                .filter(|_| enrolled)
                .map(|at| at + self.second_factor.step_up),
        })
    }

    /// Begins a second factor: it counts once a code of it was shown.
    pub async fn enrol(&self, ctx: &Ctx, secret: &Secret) -> Result<Answer> {
        let ctx = ctx.clone();
        let kept = self
            .second_factor
            .keeper
            .keep(&secret.reveal(), &ctx.user().to_string())?;
        self.write(&ctx.clone(), move |tx| {
            let (committee, user) = (ctx.committee(), ctx.user());
            accounts::lock(tx, committee, user)?;
            let present = second_factors::find(tx, committee, user)?;
            if present.is_some_and(|row| row.confirmed_at.is_some()) {
                return Err(Error::new(Code::GuardUnmet).detail(Message::new(
                    "该账号已有第二因素；更换设备须先停用，再重新登记。",
                    "The account has a second factor already; disable it before you enrol another one.",
                )));
            }
            second_factors::put(tx, committee, user, &kept, ctx.now)?;
            let happening = signin::happening("user.second_factor_enrolled", json!({}));
            signin::append(tx, &ctx, happening)?;
            Answer::ok(&json!({}))
        })
        .await
    }

    /// Shows the first code: from now on the second factor counts, and sign-ins that did not prove
    /// it end.
    pub async fn confirm(&self, ctx: &Ctx, code: &str, codes: &[RecoveryCode]) -> Result<Answer> {
        let (act, keeper) = (ctx.clone(), self.second_factor.keeper.clone());
        let (code, hashes) = (code.to_owned(), hashes(codes, ctx));
        self.attempt(ctx, move |tx| {
            let (committee, user) = (act.committee(), act.user());
            accounts::lock(tx, committee, user)?;
            let row = second_factors::find(tx, committee, user)?;
            if row.is_none_or(|row| row.confirmed_at.is_some()) {
                return Err(Error::new(Code::GuardUnmet).detail(Message::new(
                    "没有等待确认的第二因素；请先登记。",
                    "No second factor waits for its first code; enrol one first.",
                )));
            }
            prove(tx, &keeper, (committee, user), &code, act.now)?;
            second_factors::confirm(tx, committee, user, act.now)?;
            second_factors::replace_codes(tx, committee, user, &hashes, act.now)?;
            sign_ins::proven(tx, committee, act.principal.sign_in, act.now)?;
            let (keep, reason) = (act.principal.sign_in, EndReason::SecondFactorConfirmed);
            let ended = sign_ins::end_all(tx, committee, user, Some(keep), reason, act.now)?;
            let content = json!({ "sign_ins_ended": ended });
            let happening = signin::happening("user.second_factor_confirmed", content);
            signin::append(tx, &act, happening)?;
            Answer::ok(&json!({}))
        })
        .await
    }

    /// Removes the own second factor.
    pub async fn disable(&self, ctx: &Ctx, code: &str) -> Result<Answer> {
        let code = code.to_owned();
        self.with_factor(ctx, code, |tx, act, way| {
            let (committee, user) = (act.committee(), act.user());
            second_factors::remove(tx, committee, user)?;
            sign_ins::forget_proofs(tx, committee, user)?;
            let content = json!({ "proven_by": way.as_str() });
            let happening = signin::happening("user.second_factor_disabled", content);
            signin::append(tx, act, happening)?;
            Ok(Answer::none())
        })
        .await
    }

    /// Puts new recovery codes in the place of the old ones.
    pub async fn replace_codes(
        &self,
        ctx: &Ctx,
        code: &str,
        codes: &[RecoveryCode],
    ) -> Result<Answer> {
        let hashes = hashes(codes, ctx);
        self.with_factor(ctx, code.to_owned(), move |tx, act, way| {
            let (committee, user) = (act.committee(), act.user());
            second_factors::replace_codes(tx, committee, user, &hashes, act.now)?;
            let content = json!({ "proven_by": way.as_str() });
            let happening = signin::happening("user.recovery_codes_replaced", content);
            signin::append(tx, act, happening)?;
            Answer::ok(&json!({}))
        })
        .await
    }

    /// Proves the second factor again, for the operations that ask for it.
    pub async fn step_up(&self, ctx: &Ctx, code: &str) -> Result<Answer> {
        let stepped_up_until = ctx.now + self.second_factor.step_up;
        self.with_factor(ctx, code.to_owned(), move |tx, act, way| {
            sign_ins::proven(tx, act.committee(), act.principal.sign_in, act.now)?;
            let content = json!({ "sign_in": act.principal.sign_in, "by": way.as_str() });
            signin::append(tx, act, signin::happening("user.stepped_up", content))?;
            Answer::ok(&SteppedUp { stepped_up_until })
        })
        .await
    }

    /// Does what asks for a code of the caller's second factor.
    async fn with_factor<F>(&self, ctx: &Ctx, code: String, mut work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>, &Ctx, Way) -> Result<Answer> + Send + 'static,
    {
        let (act, keeper) = (ctx.clone(), self.second_factor.keeper.clone());
        self.attempt(ctx, move |tx| {
            let owner = (act.committee(), act.user());
            accounts::lock(tx, owner.0, owner.1)?;
            let row = second_factors::find(tx, owner.0, owner.1)?;
            if row.is_none_or(|row| row.confirmed_at.is_none()) {
                return Err(no_factor());
            }
            let way = prove(tx, &keeper, owner, &code, act.now)?;
            work(tx, &act, way)
        })
        .await
    }

    /// A write with a code in its body. The attempt is counted before the code is looked at; a
    /// wrong one is told of in the history of the account. A trial run counts too: it tells as
    /// much about the code as the act itself.
    async fn attempt<F>(&self, ctx: &Ctx, work: F) -> Result<Answer>
    where
        F: FnMut(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        if !self.is_repeated(ctx).await? {
            match self
                .count_attempt(ctx.committee(), ctx.user(), ctx.now)
                .await?
            {
                Attempt::Counted => {}
                Attempt::Held(until) => return Err(held(until, ctx.now)),
                Attempt::Missing => return Err(no_factor()),
            }
        }
        let result = self.write(ctx, work).await;
        if let Err(error) = &result
            && error.code() == Code::SecondFactorRefused
        {
            self.note_wrong_code(ctx.committee(), ctx.user(), ctx.request_id)
                .await?;
            return Err(Error::invalid(
                "/code",
                "code_refused",
                Message::new(
                    "动态码或恢复码错误、已过期或已使用过。",
                    "The code is wrong, expired or was used before.",
                ),
            ));
        }
        result
    }

    async fn count_attempt(
        &self,
        committee: CommitteeId,
        user: UserId,
        now: Timestamp,
    ) -> Result<Attempt> {
        self.db
            .write("second_factor.attempt", move |tx| {
                second_factors::count_attempt(tx, committee, user, now)
            })
            .await
    }

    async fn note_wrong_code(
        &self,
        committee: CommitteeId,
        user: UserId,
        request: RequestId,
    ) -> Result<()> {
        let refused = signin::happening("user.second_factor_refused", json!({}));
        self.note(committee, user, request, refused).await
    }

    /// Completes a sign-in that waits for the second factor.
    pub async fn answer_challenge(
        &self,
        challenge: &str,
        code: &str,
        request: RequestId,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let refused = || Error::new(Code::ChallengeRefused);
        let ticket = Ticket::parse(CHALLENGE, challenge).ok_or_else(refused)?;
        let (committee, asked) = (ticket.committee(), ticket.clone());
        let open = self
            .db
            .read("second_factor.challenge", move |tx| {
                second_factors::open_challenge(tx, &asked, now)
            })
            .await?;
        let user = open.ok_or_else(refused)?.user;
        match self.count_attempt(committee, user, now).await? {
            Attempt::Counted => {}
            Attempt::Held(until) => return Err(held(until, now)),
            Attempt::Missing => return Err(refused()),
        }
        let sign_in = SignInId::new(now);
        let token = RefreshToken::first(committee, sign_in)?;
        let answer = Answered {
            ticket,
            code: code.to_owned(),
            sign_in,
            token_hash: token.hash(),
        };
        let keeper = self.second_factor.keeper.clone();
        let result = self
            .db
            .write("second_factor.login", move |tx| {
                complete(tx, &keeper, &answer, now, request)
            })
            .await;
        if let Err(error) = &result
            && error.code() == Code::SecondFactorRefused
        {
            self.note_wrong_code(committee, user, request).await?;
        }
        self.begun(token, result?, now).await
    }
}

/// The answer to a challenge, with what the sign-in will be.
struct Answered {
    ticket: Ticket<kind::Challenge>,
    code: String,
    sign_in: SignInId,
    token_hash: String,
}

/// Uses the challenge and the code and begins the sign-in, or changes nothing.
fn complete(
    tx: &mut Tx<'_>,
    keeper: &Keeper,
    answer: &Answered,
    now: Timestamp,
    request: RequestId,
) -> Result<Beginning> {
    let refused = || Error::new(Code::ChallengeRefused);
    let ticket = &answer.ticket;
    let committee = ticket.committee();
    let found = second_factors::open_challenge(tx, ticket, now)?;
    let Challenge { user, provider } = found.ok_or_else(refused)?;
    accounts::lock(tx, committee, user)?;
    // What was read before the lock may have changed until it was held.
    let is_open = second_factors::open_challenge(tx, ticket, now)?.is_some();
    if !is_open || !second_factors::use_challenge(tx, committee, ticket.id(), now)? {
        return Err(refused());
    }
    let way = prove(tx, keeper, (committee, user), &answer.code, now)?;
    let opening = Opening {
        committee,
        sign_in: answer.sign_in,
        user,
        token_hash: answer.token_hash.clone(),
        factor: Some(way),
        provider,
        refused_before: 0,
    };
    signin::open(tx, &opening, now, request)
}

/// Whether the code is one of the second factor's, or a recovery code; it is used with that.
fn prove(
    tx: &mut Tx<'_>,
    keeper: &Keeper,
    (committee, user): (CommitteeId, UserId),
    code: &str,
    now: Timestamp,
) -> Result<Way> {
    let wrong = || Error::new(Code::SecondFactorRefused);
    let row = second_factors::find(tx, committee, user)?.ok_or_else(wrong)?;
    if let Some(recovery) = RecoveryCode::parse(code) {
        let hash = recovery.hash(committee, user);
        let is_fresh = second_factors::use_recovery_code(tx, committee, user, &hash, now)?;
        return if is_fresh {
            Ok(Way::RecoveryCode)
        } else {
            Err(wrong())
        };
    }
    let secret = Secret::parse(&keeper.read(&row.secret, &user.to_string())?)?;
    let period = secret
        .period_of(code, now, row.last_step)
        .ok_or_else(wrong)?;
    if second_factors::use_step(tx, committee, user, period)? {
        Ok(Way::Code)
    } else {
        Err(wrong())
    }
}

/// Makes whoever showed the first factor wait for the second, if the account has one.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    provider: Option<OpenidProviderId>,
    now: Timestamp,
    request: RequestId,
) -> Result<Option<Ticket<kind::Challenge>>> {
    let row = second_factors::find(tx, committee, user)?;
    if row.is_none_or(|row| row.confirmed_at.is_none()) {
        return Ok(None);
    }
    let ticket = Ticket::new(CHALLENGE, committee, ChallengeId::new(now))?;
    let challenge = Challenge { user, provider };
    second_factors::challenge(tx, &ticket, &challenge, now, now + OPEN)?;
    let content = json!({ "challenge": ticket.id() });
    events::append(
        tx,
        &Stream::of(committee, "user", user),
        &signin::unproven(now, request),
        signin::happening("user.second_factor_asked", content),
    )?;
    Ok(Some(ticket))
}

/// Removes the second factor of an account whose owner lost it, and ends the sign-ins.
pub fn reset(tx: &mut Tx<'_>, ctx: &Ctx, before: &Entry<UserFields>) -> Result<Entry<UserFields>> {
    let circumstances = Circumstances::of(ctx, UserFields::WRITERS);
    reset_by(tx, ctx.committee(), &circumstances, before)
}

/// The same, where nobody has signed in.
pub fn reset_by(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    circumstances: &Circumstances,
    before: &Entry<UserFields>,
) -> Result<Entry<UserFields>> {
    let (fields, event) = (before.fields.clone(), "second_factor_reset");
    let after = register::touch_by(tx, committee, circumstances, before, fields, event)?;
    second_factors::remove(tx, committee, after.id)?;
    let reason = EndReason::SecondFactorReset;
    sign_ins::end_all(tx, committee, after.id, None, reason, circumstances.at)?;
    Ok(after)
}

/// What whoever waits is told.
pub(super) fn required(ticket: &Ticket<kind::Challenge>) -> Error {
    Error::new(Code::SecondFactorRequired)
        .with("challenge", ticket.reveal())
        .with("expires_in", OPEN.as_secs())
}

fn held(until: Timestamp, now: Timestamp) -> Error {
    let seconds = until.duration_since(now).as_secs().max(0) + 1;
    Error::new(Code::SecondFactorHeld).with("retry_after", seconds)
}

fn no_factor() -> Error {
    Error::new(Code::GuardUnmet).detail(Message::new(
        "该账号没有第二因素。",
        "The account has no second factor.",
    ))
}

fn hashes(codes: &[RecoveryCode], ctx: &Ctx) -> Vec<String> {
    let hash = |code: &RecoveryCode| code.hash(ctx.committee(), ctx.user());
    codes.iter().map(hash).collect()
}
