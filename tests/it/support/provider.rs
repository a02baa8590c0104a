//! An identity provider on this machine that does as it is told: right, wrong and badly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The client and its secret.
pub const CLIENT: (&str, &str) = ("jianjian", "s3cret");
/// Where people are sent back to.
pub const REDIRECT: &str = "https://tian.example.cn/signed-in";

/// How an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// By the provider.
    Right,
    /// By another key under the same name.
    OtherKey,
    /// With a shared secret: the public key that everybody knows.
    PublicKeyAsSecret,
    /// With the client secret.
    ClientSecret,
    /// Not at all.
    None,
}

/// What goes wrong beside the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The keys are elsewhere.
    Redirect,
    /// The keys do not end.
    Huge,
    /// An error of the server where codes are exchanged.
    Broken,
    /// It names another issuer.
    OtherIssuer,
    /// It names an endpoint of an inner network.
    InnerEndpoint,
}

/// What it was told.
pub struct Manner {
    /// Claims that differ from the right ones; `null` leaves one out.
    pub claims: Value,
    /// How the token is signed.
    pub signed: Signed,
    /// Type in the header of the token.
    pub typ: &'static str,
    /// What goes wrong.
    pub fault: Fault,
    /// Whether it says that it names itself in its answers (RFC 9207).
    pub names_itself: bool,
    /// Codes that were given out: challenge and nonce.
    codes: BTreeMap<String, (String, String)>,
    /// How many were given out.
    given: usize,
    /// Requests to exchange a code.
    pub exchanges: usize,
}

/// The provider.
pub struct Provider {
    /// Its issuer.
    pub issuer: String,
    manner: Arc<Mutex<Manner>>,
}

struct Inside {
    manner: Arc<Mutex<Manner>>,
    key: Ed25519KeyPair,
    /// Seconds since 1970.
    now: i64,
}

impl Provider {
    /// Starts one whose clock stands.
    pub fn start(now: jiff::Timestamp) -> Self {
        let manner = Arc::new(Mutex::new(Manner {
            claims: json!({}),
            signed: Signed::Right,
            typ: "JWT",
            fault: Fault::None,
            names_itself: false,
            codes: BTreeMap::new(),
            given: 0,
            exchanges: 0,
        }));
        let inside = Data::new(Inside {
            manner: Arc::clone(&manner),
            key: Ed25519KeyPair::generate().expect("a key"),
            now: now.as_second(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(inside.clone())
                .default_service(web::to(serve))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("to listen");
        let issuer = format!("http://{}", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { issuer, manner }
    }

    /// What it was told, to be changed.
    pub fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody follows the address and agrees: gives the code.
    pub fn agree(&self, authorization_url: &str) -> String {
        let url = reqwest::Url::parse(authorization_url).expect("an address");
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert!(authorization_url.starts_with(&format!("{}/auth?", self.issuer)));
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT.0);
        assert_eq!(query["redirect_uri"], REDIRECT);
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let mut manner = self.manner();
        manner.given += 1;
        let code = format!("code-{}", manner.given);
        let bound = (query["code_challenge"].clone(), query["nonce"].clone());
        manner.codes.insert(code.clone(), bound);
        code
    }
}

async fn serve(request: HttpRequest, body: Bytes, inside: Data<Inside>) -> HttpResponse {
    let issuer = format!("http://{}", request.connection_info().host());
    let manner = || inside.manner.lock().unwrap_or_else(PoisonError::into_inner);
    match request.path() {
        "/.well-known/openid-configuration" => {
            let manner = manner();
            let named = match manner.fault {
                Fault::OtherIssuer => "https://id.example.cn",
                _ => issuer.as_str(),
            };
            let token_endpoint = match manner.fault {
                Fault::InnerEndpoint => "http://169.254.169.254/token".to_owned(),
                _ => format!("{issuer}/token"),
            };
            HttpResponse::Ok().json(json!({
                "issuer": named,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": token_endpoint,
                "jwks_uri": format!("{issuer}/keys"),
                "authorization_response_iss_parameter_supported": manner.names_itself,
            }))
        }
        "/keys" => match manner().fault {
            Fault::Redirect => HttpResponse::Found()
                .insert_header(("Location", "/elsewhere"))
                .finish(),
            Fault::Huge => HttpResponse::Ok().body("[".repeat(1024 * 1024)),
            _ => HttpResponse::Ok().json(json!({ "keys": [{
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "one",
                "x": URL_SAFE_NO_PAD.encode(inside.key.public_key()),
            }]})),
        },
        "/token" => {
            let mut manner = manner();
            exchange(&request, &body, &issuer, &inside, &mut manner)
        }
        _ => HttpResponse::NotFound().finish(),
    }
}

/// The token endpoint: client, code, code verifier and address must be right.
fn exchange(
    request: &HttpRequest,
    body: &[u8],
    issuer: &str,
    inside: &Inside,
    manner: &mut Manner,
) -> HttpResponse {
    manner.exchanges += 1;
    if manner.fault == Fault::Broken {
        return HttpResponse::InternalServerError().body("<html>");
    }
    let refuse = |code: &str| HttpResponse::BadRequest().json(json!({ "error": code }));
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1))
    );
    let authorization = request.headers().get("authorization");
    if authorization.and_then(|value| value.to_str().ok()) != Some(basic.as_str()) {
        return refuse("invalid_client");
    }
    let form: BTreeMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
    let Some((challenge, nonce)) = form.get("code").and_then(|code| manner.codes.remove(code))
    else {
        return refuse("invalid_grant");
    };
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let hashed = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    if hashed != challenge || form.get("redirect_uri").map(String::as_str) != Some(REDIRECT) {
        return refuse("invalid_grant");
    }
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT.0, "sub": "subject-1", "nonce": nonce,
        "iat": inside.now, "exp": inside.now + 300, "preferred_username": "staff",
    });
    for (name, value) in manner.claims.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    if let Value::Object(claims) = &mut claims {
        claims.retain(|_, value| !value.is_null());
    }
    let token = sign(&claims, manner, &inside.key);
    HttpResponse::Ok().json(json!({
        "access_token": "unused", "token_type": "Bearer", "expires_in": 60, "id_token": token,
    }))
}

fn sign(claims: &Value, manner: &Manner, key: &Ed25519KeyPair) -> String {
    let der = |key: &Ed25519KeyPair| key.to_pkcs8().expect("a key").as_ref().to_vec();
    let (algorithm, encoding) = match manner.signed {
        Signed::Right => (Algorithm::EdDSA, EncodingKey::from_ed_der(&der(key))),
        Signed::OtherKey => {
            let other = Ed25519KeyPair::generate().expect("a key");
            (Algorithm::EdDSA, EncodingKey::from_ed_der(&der(&other)))
        }
        Signed::PublicKeyAsSecret => {
            let secret = key.public_key().as_ref();
            (Algorithm::HS256, EncodingKey::from_secret(secret))
        }
        Signed::ClientSecret => {
            let secret = CLIENT.1.as_bytes();
            (Algorithm::HS256, EncodingKey::from_secret(secret))
        }
        Signed::None => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let header = json!({ "alg": "none", "typ": "JWT", "kid": "one" });
            return format!("{}.{}.", part(&header), part(claims));
        }
    };
    let header = Header {
        typ: Some(manner.typ.to_owned()),
        kid: Some("one".to_owned()),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, claims, &encoding).expect("a token")
}
