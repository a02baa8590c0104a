//! The relying party of OpenID Connect: authorisation code with PKCE, over `oauth2`; ID tokens are
//! checked with `jsonwebtoken`, which is in the tree for our own. No database here.
//!
//! The crate `openidconnect` would do both, but brings an RSA implementation with an advisory that
//! has no remedy (RUSTSEC-2023-0071) and a second set of curves beside those of aws-lc.

mod id_token;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Message, Result};
use crate::webhooks::{Names, Targets};

pub use id_token::{Expected, IdClaims};

/// Bytes of an answer of a provider that are taken.
const LONGEST_ANSWER: usize = 256 * 1024;
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// What the configuration says about identity providers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For development: http, and addresses of this machine.
    pub insecure: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// Names whose addresses are known without asking: for tests, no setting.
    pub names: Names,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            insecure: false,
            timeout: Duration::from_secs(10),
            names: Names::default(),
        }
    }
}

/// How the service is registered at a provider.
#[derive(Clone)]
pub struct Registration {
    /// Issuer.
    pub issuer: String,
    /// Client.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<String>,
    /// Where people are sent back to.
    pub redirect_uri: String,
}

/// What binds the two halves of a sign-in.
#[derive(Clone)]
pub struct Binding {
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Shown with the code; its hash was sent before (RFC 7636).
    pub code_verifier: String,
}

/// What the front end brings back.
#[derive(Clone)]
pub struct Callback {
    /// The authorisation code.
    pub code: String,
    /// The issuer, where the provider names itself (RFC 9207).
    pub issuer: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The provider is away or breaks the standard: words for the log.
    Away(String),
    /// What was brought back is not right: words for the audit trail.
    Wrong(&'static str),
}

/// What a provider says about itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What stands in a token response beside the access token.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

type Relying = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// Speaks with identity providers.
#[derive(Debug, Clone)]
pub struct OpenId {
    client: Client,
    targets: Targets,
    timeout: Duration,
}

fn away(what: impl std::fmt::Display) -> Refusal {
    Refusal::Away(what.to_string())
}

impl OpenId {
    /// Made once for a process.
    pub fn new(settings: Settings) -> Result<Self> {
        let targets = Targets::new(settings.insecure, settings.names);
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(targets.clone()))
            .connect_timeout(CONNECT)
            .timeout(settings.timeout)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Error::internal(error).context("the HTTP client"))?;
        Ok(Self {
            client,
            targets,
            timeout: settings.timeout,
        })
    }

    /// Whether an issuer may be asked at all; 422 at `/issuer` otherwise.
    pub async fn check_issuer(&self, issuer: &str) -> Result<()> {
        let refused = |refusal: crate::webhooks::Refusal| {
            Error::invalid("/issuer", refusal.code(), refusal.message())
        };
        let url = self.targets.parse(issuer).map_err(refused)?;
        let host = url.host_str().unwrap_or_default();
        self.targets.resolve(host).await.map_err(refused)?;
        Ok(())
    }

    /// Whether people may be sent back to an address: https, or this machine in development.
    pub fn check_redirect(&self, address: &str) -> Result<()> {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let is_local = local.iter().any(|start| {
            address
                .strip_prefix(start)
                .is_some_and(|rest| rest.starts_with([':', '/']))
        });
        let is_url = RedirectUrl::new(address.to_owned()).is_ok();
        if is_url && (address.starts_with("https://") || is_local) {
            return Ok(());
        }
        Err(Error::invalid(
            "/redirect_uri",
            "redirect_uri",
            Message::new(
                "须为 https 地址；仅本机开发可用 http。",
                "An https address; http only on the machine of the developer.",
            ),
        ))
    }

    /// Where the front end sends somebody to sign in.
    pub async fn authorization_url(
        &self,
        registration: &Registration,
        binding: &Binding,
        scopes: &[&str],
    ) -> Result<String, Refusal> {
        let metadata = self.metadata(&registration.issuer).await?;
        let endpoint = AuthUrl::new(metadata.authorization_endpoint).map_err(away)?;
        let verifier = PkceCodeVerifier::new(binding.code_verifier.clone());
        let state = CsrfToken::new(binding.state.clone());
        let client = relying(registration)?.set_auth_uri(endpoint);
        let (url, _) = client
            .authorize_url(move || state)
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .add_extra_param("nonce", &binding.nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Exchanges a code for an ID token and checks it.
    pub async fn identify(
        &self,
        registration: &Registration,
        binding: &Binding,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<IdClaims, Refusal> {
        let metadata = self.metadata(&registration.issuer).await?;
        match &callback.issuer {
            Some(issuer) if *issuer != registration.issuer => {
                return Err(Refusal::Wrong("issuer of the answer"));
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(Refusal::Wrong("issuer of the answer is missing"));
            }
            _ => {}
        }
        let endpoint = TokenUrl::new(metadata.token_endpoint).map_err(away)?;
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let offers = |name: &str| methods.iter().any(|method| method == name);
        let mut client = relying(registration)?.set_token_uri(endpoint);
        if offers("client_secret_post") && !offers("client_secret_basic") {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        let tokens = client
            .exchange_code(AuthorizationCode::new(callback.code.clone()))
            .set_pkce_verifier(PkceCodeVerifier::new(binding.code_verifier.clone()))
            .request_async(&|request| self.exchange(request))
            .await;
        let tokens = match tokens {
            Ok(tokens) => tokens,
            Err(RequestTokenError::ServerResponse(answer)) => {
                return Err(match answer.error() {
                    BasicErrorResponseType::InvalidGrant => Refusal::Wrong("code"),
                    other => away(format!("the token endpoint says {other}")),
                });
            }
            Err(RequestTokenError::Request(Failed(what))) => return Err(away(what)),
            Err(other) => return Err(away(other)),
        };
        let keys: JwkSet = self.read(&metadata.jwks_uri).await?;
        let expected = Expected {
            issuer: &registration.issuer,
            client_id: &registration.client_id,
            nonce: &binding.nonce,
        };
        id_token::check(&tokens.extra_fields().id_token, &keys, &expected, now)
            .map_err(Refusal::Wrong)
    }

    async fn metadata(&self, issuer: &str) -> Result<Metadata, Refusal> {
        let base = issuer.trim_end_matches('/');
        let metadata: Metadata = self
            .read(&format!("{base}/.well-known/openid-configuration"))
            .await?;
        // One provider must not speak in the name of another (Discovery 1.0, section 4.3).
        if metadata.issuer != issuer {
            return Err(away("the provider names another issuer"));
        }
        self.targets
            .parse(&metadata.authorization_endpoint)
            .map_err(away)?;
        Ok(metadata)
    }

    /// A JSON document of the provider.
    async fn read<T: DeserializeOwned>(&self, address: &str) -> Result<T, Refusal> {
        let url = self.targets.parse(address).map_err(away)?;
        let request = self.client.get(url).header("accept", "application/json");
        let fetched = async {
            let response = request.send().await.map_err(|error| words(&error))?;
            if response.status() != 200 {
                return Err(format!("answered {}", response.status().as_u16()));
            }
            whole(response).await
        };
        let bytes = tokio::time::timeout(self.timeout, fetched)
            .await
            .map_err(|_| away("no answer in time"))?
            .map_err(away)?;
        serde_json::from_slice(&bytes).map_err(|_| away("the answer is not the document asked for"))
    }

    /// What `oauth2` asks for: one request, with the same care as any other.
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Failed> {
        let (head, body) = request.into_parts();
        let address = head.uri.to_string();
        let url = self
            .targets
            .parse(&address)
            .map_err(|refusal| Failed(refusal.to_string()))?;
        let request = self
            .client
            .request(head.method, url)
            .headers(head.headers)
            .body(body);
        let exchanged = async {
            let response = request.send().await.map_err(|error| words(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            if status.is_server_error() || status.is_redirection() {
                return Err(format!("answered {}", status.as_u16()));
            }
            let mut answer = HttpResponse::new(whole(response).await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        };
        tokio::time::timeout(self.timeout, exchanged)
            .await
            .map_err(|_| Failed("no answer in time".to_owned()))?
            .map_err(Failed)
    }
}

/// Why a request failed, without addresses.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

fn relying(registration: &Registration) -> Result<Relying, Refusal> {
    let redirect = RedirectUrl::new(registration.redirect_uri.clone()).map_err(away)?;
    let client_id = ClientId::new(registration.client_id.clone());
    let client = Relying::new(client_id).set_redirect_uri(redirect);
    Ok(match &registration.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
        None => client,
    })
}

/// The body, unless it is longer than any that is taken.
async fn whole(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            return Err("the answer is too long".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn words(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection, or no trust in the certificate"
    } else {
        "the answer is not HTTP, or broke off"
    };
    what.to_owned()
}

impl From<Refusal> for Error {
    /// Whoever brings back what is wrong is answered like with a wrong password.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Away(what) => Self::new(Code::ProviderUnavailable).context(what),
            Refusal::Wrong(what) => Self::new(Code::BadCredentials).context(what),
        }
    }
}
