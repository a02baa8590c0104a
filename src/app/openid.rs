//! Signing in through an identity provider of the committee.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::App;
use super::second_factor::{self, Way};
use super::signin::{self, Beginning, Opening, SignedIn};
use crate::auth::refresh::RefreshToken;
use crate::auth::ticket::{self, STATE, Ticket};
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, OpenidFlowId, OpenidProviderId, RequestId, SignInId, kind};
use crate::openid::{Binding, Callback, IdClaims, Refusal, Registration};
use crate::store::events::{self, Stream};
use crate::store::openid::{self, AccountClaim, Flow, OpenidProviderFields};
use crate::store::register::{Entry, Rows};
use crate::store::{Tx, accounts};

/// How long somebody may take to sign in at the provider.
pub const FLOW: SignedDuration = SignedDuration::from_mins(10);

/// A sign-in that was begun at a provider.
pub struct Started {
    /// Where the front end sends the browser.
    pub authorization_url: String,
    /// Comes back with the code.
    pub state: String,
}

/// A provider with its secret as it is kept.
type Provider = (Entry<OpenidProviderFields>, Option<String>);

fn provider(tx: &mut Tx<'_>, committee: CommitteeId, id: OpenidProviderId) -> Result<Provider> {
    let entry = OpenidProviderFields::find(tx, committee, id)?;
    if !entry.fields.enabled {
        return Err(Error::not_found());
    }
    let secret = openid::client_secret(tx, committee, id)?;
    Ok((entry, secret))
}

/// What is asked of the provider.
fn scopes(claim: AccountClaim) -> &'static [&'static str] {
    match claim {
        AccountClaim::Subject => &["openid"],
        AccountClaim::Username => &["openid", "profile"],
    }
}

impl App {
    /// Begins a sign-in: where the browser goes, and what it must come back with.
    pub async fn start_openid(&self, code: String, id: OpenidProviderId) -> Result<Started> {
        let now = self.clock.now();
        let (committee, provider) = self
            .db
            .read("openid.provider", move |tx| {
                let found = accounts::committee(tx, &code)?.filter(|(_, active)| *active);
                let (committee, _) = found.ok_or_else(Error::not_found)?;
                Ok((committee, provider(tx, committee, id)?))
            })
            .await?;
        let ticket = Ticket::new(STATE, committee, OpenidFlowId::new(now))?;
        let binding = Binding {
            state: ticket.reveal().to_owned(),
            nonce: ticket::random_text()?,
            code_verifier: ticket::random_text()?,
        };
        let (entry, _) = &provider;
        let registration = self.registration(&provider)?;
        let claim = entry.fields.claim;
        let authorization_url = self
            .openid
            .authorization_url(&registration, &binding, scopes(claim))
            .await?;
        let keeper = &self.second_factor.keeper;
        let flow = Flow {
            provider: id,
            provider_version: entry.version,
            code_verifier: keeper.keep(&binding.code_verifier, &ticket.id().to_string())?,
            nonce: binding.nonce,
        };
        self.db
            .write("openid.start", move |tx| {
                openid::begin_flow(tx, &ticket, &flow, now, now + FLOW)
            })
            .await?;
        Ok(Started {
            authorization_url,
            state: binding.state,
        })
    }

    fn registration(&self, (entry, secret): &Provider) -> Result<Registration> {
        let (owner, keeper) = (entry.id.to_string(), &self.second_factor.keeper);
        let client_secret = secret.as_deref().map(|kept| keeper.read(kept, &owner));
        Ok(Registration {
            issuer: entry.fields.issuer.clone(),
            client_id: entry.fields.client_id.clone(),
            client_secret: client_secret.transpose()?,
            redirect_uri: entry.fields.redirect_uri.clone(),
        })
    }

    /// Completes a sign-in with what the browser came back with. The state is used up before the
    /// provider is asked, so that nothing is tried twice.
    pub async fn finish_openid(
        &self,
        state: &str,
        callback: Callback,
        request: RequestId,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let refused = || Error::new(Code::ChallengeRefused);
        let ticket = Ticket::<kind::OpenidFlow>::parse(STATE, state).ok_or_else(refused)?;
        let committee = ticket.committee();
        let taken = ticket.clone();
        let found = self
            .db
            .write("openid.flow", move |tx| {
                let Some(flow) = openid::take_flow(tx, &taken, now)? else {
                    return Ok(None);
                };
                // A provider that was shut or changed meanwhile: start again.
                let provider = match provider(tx, committee, flow.provider) {
                    Err(error) if error.code() == Code::NotFound => return Ok(None),
                    other => other?,
                };
                let unchanged = provider.0.version == flow.provider_version;
                Ok(unchanged.then_some((flow, provider)))
            })
            .await?;
        let (flow, provider) = found.ok_or_else(refused)?;
        let owner = ticket.id().to_string();
        let binding = Binding {
            state: String::new(),
            nonce: flow.nonce,
            code_verifier: self
                .second_factor
                .keeper
                .read(&flow.code_verifier, &owner)?,
        };
        let registration = self.registration(&provider)?;
        let identified = self
            .openid
            .identify(&registration, &binding, &callback, now)
            .await;
        let came = Came {
            committee,
            provider: provider.0,
            request,
        };
        match identified {
            Ok(claims) => self.admit(came, &claims, now).await,
            Err(refusal) => {
                if let Refusal::Wrong(why) = refusal {
                    self.note_provider(&came, why, None, now).await?;
                }
                Err(refusal.into())
            }
        }
    }

    /// Signs in the account that the claims name, or asks for its second factor.
    async fn admit(&self, came: Came, claims: &IdClaims, now: Timestamp) -> Result<SignedIn> {
        let (committee, fields) = (came.committee, &came.provider.fields);
        let value = match fields.claim {
            AccountClaim::Subject => Some(claims.sub.clone()),
            AccountClaim::Username => claims.preferred_username.clone(),
        };
        let vouched = fields
            .second_factor
            .as_ref()
            .is_some_and(|words| claims.says(words));
        let sign_in = SignInId::new(now);
        let token = RefreshToken::first(committee, sign_in)?;
        let (provider, claim, request) = (came.provider.id, fields.claim, came.request);
        let token_hash = token.hash();
        let beginning = self
            .db
            .write("openid.login", move |tx| {
                let account = match &value {
                    Some(value) => openid::account(tx, committee, provider, claim, value)?,
                    None => None,
                };
                let Some(user) = account.map(|account| account.id) else {
                    return Ok(Beginning::Refused);
                };
                let present = accounts::lock(tx, committee, user)?;
                if present.is_none_or(|account| account.disabled) {
                    return Ok(Beginning::Refused);
                }
                if !vouched
                    && let Some(ticket) =
                        second_factor::ask(tx, committee, user, Some(provider), now, request)?
                {
                    return Ok(Beginning::Asked(ticket));
                }
                let opening = Opening {
                    committee,
                    sign_in,
                    user,
                    token_hash: token_hash.clone(),
                    factor: vouched.then_some(Way::Provider),
                    provider: Some(provider),
                    refused_before: 0,
                };
                signin::open(tx, &opening, now, request)
            })
            .await?;
        if matches!(beginning, Beginning::Refused) {
            let why = "no account that may sign in";
            self.note_provider(&came, why, Some(&claims.sub), now)
                .await?;
        }
        self.begun(token, beginning, now).await
    }

    /// Appends to the history of a provider why somebody who came by it was refused.
    async fn note_provider(
        &self,
        came: &Came,
        why: &'static str,
        subject: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        tracing::info!(provider = %came.provider.id, why, "sign-in by a provider refused");
        let mut content = json!({ "reason": why });
        if let Some(subject) = subject {
            content["subject"] = subject.into();
        }
        let stream = Stream::of(came.committee, "openid_provider", came.provider.id);
        let request = came.request;
        self.db
            .write("openid.note", move |tx| {
                let happening =
                    signin::happening("openid_provider.sign_in_refused", content.clone());
                events::append(tx, &stream, &signin::unproven(now, request), happening)
            })
            .await
    }
}

/// By which provider somebody came.
struct Came {
    committee: CommitteeId,
    provider: Entry<OpenidProviderFields>,
    request: RequestId,
}
