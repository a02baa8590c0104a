//! One attempt to sign in: what is found, how it is counted, whether it passes, what it begins.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Credentials, Origin, SIGN_IN_LIFETIME, happening, proven, unproven};
use crate::app::App;
use crate::app::second_factor::{self, Way};
use crate::auth::password::Verdict;
use crate::auth::principal::Principal;
use crate::auth::throttle::{AddressLimit, Counted, Lock, Tally};
use crate::auth::ticket::Ticket;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, OpenidProviderId, RequestId, SignInId, UserId, kind};
use crate::store::accounts::{self, Account, Names};
use crate::store::events::{self, Stream};
use crate::store::sign_ins::{self, SignIn};
use crate::store::{Tx, passwords, throttles};

/// What is found of what somebody offers, before the password is looked at.
pub(super) struct Found {
    known: Option<Known>,
    /// For how long nothing more is taken from the address.
    pub(super) wait: Option<SignedDuration>,
}

/// What is found in a committee that exists.
#[derive(Clone)]
struct Known {
    committee: CommitteeId,
    active: bool,
    /// Whoever gives this name is counted here, whether there is an account or not.
    counted: Counted,
    address: Option<Counted>,
    lock: Option<Lock>,
    /// As it was when its password was checked.
    account: Option<Account>,
}

impl Found {
    pub(super) fn password_hash(&self) -> Option<&str> {
        self.known
            .as_ref()
            .and_then(|known| known.account.as_ref())
            .and_then(|account| account.password_hash.as_deref())
    }
}

impl App {
    /// Finds committee, account and policy, and what is remembered of the address.
    pub(super) async fn find_account(
        &self,
        offered: &Credentials,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Found> {
        let (code, username) = (offered.committee.clone(), offered.username.clone());
        let (address, limit) = (origin.address, self.address_limit);
        self.db
            .read("auth.login.find", move |tx| {
                let Some((committee, active)) = accounts::committee(tx, &code)? else {
                    return Ok(Found {
                        known: None,
                        wait: None,
                    });
                };
                let address = address
                    .filter(|_| limit.refusals > 0)
                    .map(|address| Counted::address(committee, address));
                let tally = match &address {
                    Some(address) => throttles::find(tx, committee, address)?,
                    None => None,
                };
                let (policy, _) = passwords::policy(tx, committee)?;
                let known = Known {
                    committee,
                    active,
                    counted: Counted::name(committee, &username),
                    address,
                    lock: policy.lock(),
                    account: accounts::by_username(tx, committee, &username)?,
                };
                Ok(Found {
                    known: Some(known),
                    wait: limit.wait(tally.as_ref(), now),
                })
            })
            .await
    }

    /// Makes the hash anew at the present cost. The sign-in does not fail with it.
    pub(super) async fn rehash(&self, attempt: &Attempt, password: &str) {
        let Some((committee, account)) = attempt.account() else {
            return;
        };
        let Some(old) = account.password_hash.clone() else {
            return;
        };
        let user = account.id;
        let done = async {
            let new = self.passwords.hash(password).await?;
            let rehash = move |tx: &mut Tx<'_>| accounts::rehash(tx, committee, user, &old, &new);
            self.db.write("auth.rehash", rehash).await
        };
        if let Err(error) = done.await {
            tracing::info!(%error, "a hash at another cost was kept");
        }
    }
}

/// An attempt whose password was looked at.
#[derive(Clone)]
pub(super) struct Attempt {
    known: Option<Known>,
    right: bool,
    origin: Origin,
    now: Timestamp,
}

impl Attempt {
    pub(super) fn new(found: Found, verdict: Verdict, origin: Origin, now: Timestamp) -> Self {
        Self {
            known: found.known,
            right: verdict != Verdict::Wrong,
            origin,
            now,
        }
    }

    pub(super) fn committee(&self) -> Option<CommitteeId> {
        self.known.as_ref().map(|known| known.committee)
    }

    fn account(&self) -> Option<(CommitteeId, &Account)> {
        let known = self.known.as_ref()?;
        Some((known.committee, known.account.as_ref()?))
    }

    /// What it begins, if it passes; if not it is counted, and the audit trail told. A right
    /// password does not pass while the name is blocked: it is the same as a wrong one.
    pub(super) fn judge(&self, tx: &mut Tx<'_>, limit: AddressLimit) -> Result<Option<Passed>> {
        let Some(known) = &self.known else {
            return Ok(None);
        };
        let before = throttles::lock(tx, known.committee, &known.counted)?;
        let blocked = before.is_some_and(|tally| tally.blocked(self.now).is_some());
        let reason = match &known.account {
            None => "no_account",
            Some(_) if blocked => "blocked",
            Some(_) if !self.right => "wrong_password",
            Some(account) if account.disabled => "disabled",
            Some(_) if !known.active => "committee_inactive",
            Some(account) => {
                if before.is_some() {
                    throttles::forget(tx, known.committee, &known.counted)?;
                }
                return Ok(Some(Passed {
                    committee: known.committee,
                    account: account.clone(),
                    refused_before: before.map_or(0, |tally| tally.refused),
                }));
            }
        };
        let refusal = Refusal {
            committee: known.committee,
            counted: &known.counted,
            lock: known.lock,
            user: known.account.as_ref().map(|account| account.id),
            event: "user.sign_in_refused",
            reason,
        };
        refusal.record(tx, before, self.now, self.origin.request)?;
        if let Some(address) = &known.address {
            let before = throttles::lock(tx, known.committee, address)?;
            let tally = limit.refuse(before, self.now);
            throttles::put(tx, known.committee, address, before.as_ref(), &tally)?;
        }
        Ok(None)
    }
}

/// An attempt that passed.
pub(super) struct Passed {
    committee: CommitteeId,
    /// As it was when the password was checked.
    account: Account,
    /// How many were refused under the name before.
    refused_before: i32,
}

/// A refusal that is counted under a name.
pub(super) struct Refusal<'a> {
    pub(super) committee: CommitteeId,
    pub(super) counted: &'a Counted,
    pub(super) lock: Option<Lock>,
    /// The account, if there is one.
    pub(super) user: Option<UserId>,
    pub(super) event: &'static str,
    pub(super) reason: &'static str,
}

impl Refusal<'_> {
    /// Counts it, and tells the history of the account: the first few one by one, then with their
    /// number and now and then, so that a flood does not fill the disk. A lock is always told.
    pub(super) fn record(
        &self,
        tx: &mut Tx<'_>,
        before: Option<Tally>,
        now: Timestamp,
        request: RequestId,
    ) -> Result<()> {
        let was_locked = before.is_some_and(|tally| tally.is_locked(self.lock, now));
        let mut tally = Tally::refuse(before, self.lock, now);
        let locked = tally.is_locked(self.lock, now);
        let told = tally.note(now);
        throttles::put(tx, self.committee, self.counted, before.as_ref(), &tally)?;
        tracing::info!(reason = self.reason, refused = tally.refused, "refused");
        let Some(user) = self.user else {
            return Ok(());
        };
        let reason = match self.reason {
            "blocked" if was_locked => "locked",
            "blocked" => "delayed",
            other => other,
        };
        let mut tell = |name: &str, content| {
            accounts::lock(tx, self.committee, user)?;
            let stream = Stream::of(self.committee, "user", user);
            let circumstances = unproven(now, request);
            events::append(tx, &stream, &circumstances, happening(name, content))
        };
        if told {
            let content = json!({ "reason": reason, "refused_in_a_row": tally.refused });
            tell(self.event, content)?;
        }
        if locked && !was_locked {
            let content = json!({ "until": tally.blocked_until, "failures": tally.failures });
            tell("user.sign_in_locked", content)?;
        }
        Ok(())
    }
}

/// What becomes of whoever was found to be right.
pub(in crate::app) enum Beginning {
    /// The sign-in stands.
    SignedIn(Box<(Principal, Names)>),
    /// The second factor is awaited.
    Asked(Ticket<kind::Challenge>),
    /// The account was changed since, or may not be used.
    Refused,
}

/// A sign-in that is to begin now.
pub(in crate::app) struct Opening {
    pub committee: CommitteeId,
    pub sign_in: SignInId,
    pub user: UserId,
    /// Of its first refresh token.
    pub token_hash: String,
    /// How the second factor was proven, if it was.
    pub factor: Option<Way>,
    /// The identity provider that it comes by; `None`: by password.
    pub provider: Option<OpenidProviderId>,
    /// How many were refused under the name before.
    pub refused_before: i32,
}

/// Begins the sign-in, or asks for the second factor.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    passed: &Passed,
    (sign_in, token_hash): (SignInId, &str),
    now: Timestamp,
    request: RequestId,
) -> Result<Beginning> {
    let (committee, user) = (passed.committee, passed.account.id);
    let present = accounts::lock(tx, committee, user)?;
    let unchanged = present.is_some_and(|present| {
        !present.disabled && present.password_hash == passed.account.password_hash
    });
    if !unchanged {
        return Ok(Beginning::Refused);
    }
    if let Some(ticket) = second_factor::ask(tx, committee, user, None, now, request)? {
        return Ok(Beginning::Asked(ticket));
    }
    let opening = Opening {
        committee,
        sign_in,
        user,
        token_hash: token_hash.to_owned(),
        factor: None,
        provider: None,
        refused_before: passed.refused_before,
    };
    open(tx, &opening, now, request)
}

/// Begins a sign-in of a locked account.
pub(in crate::app) fn open(
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
    if opening.refused_before > 0 {
        content["refused_before"] = json!(opening.refused_before);
    }
    if let Some(way) = factor {
        content["second_factor"] = way.as_str().into();
    }
    if let Some(provider) = provider {
        content["provider"] = provider.to_string().into();
    }
    events::append(
        tx,
        &Stream::of(committee, "user", user),
        &proven(&principal, now, request),
        happening("user.signed_in", content),
    )?;
    Ok(Beginning::SignedIn(Box::new((principal, names))))
}
