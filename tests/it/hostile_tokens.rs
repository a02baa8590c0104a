//! Access tokens of people who mean harm: each gets 401 with the same problem and nothing else, and
//! changes nothing. The corpus is signed with the real key wherever that is what makes it hostile.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jianjian::auth::token::StoredKey;
use jianjian::store::signing_keys;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::{PASSWORD, Person, Town};

const ME: &str = "/api/v1/auth/me";

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Signs like the service, whatever it is.
fn signed(key: &StoredKey, header: &Value, claims: &Value) -> String {
    raw_signed(key, &format!("{}.{}", part(header), part(claims)))
}

fn raw_signed(key: &StoredKey, message: &str) -> String {
    let pair = Ed25519KeyPair::from_pkcs8(&key.private_key).expect("a key");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

struct Forge {
    key: StoredKey,
    header: Value,
    claims: Value,
}

impl Forge {
    async fn of(app: &TestApp, town: &Town, person: &Person) -> Self {
        let key = app.read(signing_keys::list).await.remove(0);
        let now = app.clock_now().as_second();
        Self {
            header: json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key.kid }),
            claims: json!({
                "iss": app.app.parties.issuer, "aud": app.app.parties.audience,
                "sub": person.user, "cid": town.committee, "sid": person.sign_in, "jti": "x",
                "iat": now, "nbf": now, "exp": now + 600,
            }),
            key,
        }
    }

    fn good(&self) -> String {
        signed(&self.key, &self.header, &self.claims)
    }

    fn claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        signed(&self.key, &self.header, &claims)
    }

    fn header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        signed(&self.key, &header, &self.claims)
    }

    fn without(&self, name: &str) -> String {
        let (mut header, mut claims) = (self.header.clone(), self.claims.clone());
        for value in [&mut header, &mut claims] {
            value.as_object_mut().expect("an object").remove(name);
        }
        signed(&self.key, &header, &claims)
    }
}

/// In what a token differs from the good one: members of the header, claims, whether the signature
/// is ours. Whatever cannot be read differs as a whole.
fn differences(forge: &Forge, token: &str) -> Vec<String> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return vec!["shape".to_owned()];
    };
    let mut found = Vec::new();
    for (what, text, good) in [
        ("header", header, &forge.header),
        ("claim", claims, &forge.claims),
    ] {
        let text = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(&text) else {
            found.push(what.to_owned());
            continue;
        };
        let good = good.as_object().expect("an object");
        let names: BTreeSet<_> = members.keys().chain(good.keys()).collect();
        let differs = names
            .into_iter()
            .filter(|name| members.get(*name) != good.get(*name));
        found.extend(differs.map(|name| format!("{what} {name}")));
    }
    let key = UnparsedPublicKey::new(&ED25519, &forge.key.public_key);
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    let message = format!("{header}.{claims}");
    if key.verify(message.as_bytes(), &signature).is_err() {
        found.push("signature".to_owned());
    }
    found
}

/// Tokens that are wrong in what they say.
fn wrong_claims(forge: &Forge, town: &Town, other: &Town) -> Vec<(String, String)> {
    let now = forge.claims["iat"].as_i64().expect("a moment");
    let mut corpus = vec![
        (
            "expired by a second beyond the leeway",
            forge.claim("exp", json!(now - 5)),
        ),
        ("expired long ago", forge.claim("exp", json!(0))),
        ("negative exp", forge.claim("exp", json!(-1))),
        ("exp as text", forge.claim("exp", json!("9999999999"))),
        ("exp as a fraction", forge.claim("exp", json!(9e99))),
        ("exp null", forge.claim("exp", Value::Null)),
        (
            "valid for a year",
            forge.claim("exp", json!(now + 31_536_000)),
        ),
        ("not valid yet", forge.claim("nbf", json!(now + 6))),
        ("issued in the future", forge.claim("iat", json!(now + 6))),
        (
            "foreign issuer",
            forge.claim("iss", json!("https://evil.example")),
        ),
        (
            "issuer as a list",
            forge.claim("iss", json!([forge.claims["iss"]])),
        ),
        ("foreign audience", forge.claim("aud", json!("other"))),
        (
            "audience as a list",
            forge.claim("aud", json!(["jianjian"])),
        ),
        ("empty audience", forge.claim("aud", json!(""))),
        (
            "another account under the same sign-in",
            forge.claim("sub", json!(town.administrator.user)),
        ),
        (
            "the sign-in of another account",
            forge.claim("sid", json!(town.administrator.sign_in)),
        ),
        (
            "another committee",
            forge.claim("cid", json!(other.committee)),
        ),
        (
            "a sign-in of another committee",
            forge.claim("sid", json!(other.staff.sign_in)),
        ),
        (
            "a subject of another kind",
            forge.claim("sub", json!(town.committee)),
        ),
        (
            "a subject in capitals",
            forge.claim("sub", json!(town.staff.user.to_string().to_uppercase())),
        ),
        (
            "a sign-in that never was",
            forge.claim("sid", json!("sign_00000000000070008000000000000000")),
        ),
        ("no claims", signed(&forge.key, &forge.header, &json!({}))),
        (
            "claims as a list",
            signed(&forge.key, &forge.header, &json!([1])),
        ),
    ]
    .into_iter()
    .map(|(what, token)| (what.to_owned(), token))
    .collect::<Vec<_>>();
    for name in [
        "iss", "aud", "sub", "cid", "sid", "jti", "iat", "nbf", "exp",
    ] {
        corpus.push((format!("without {name}"), forge.without(name)));
    }
    let twice = forge
        .claims
        .to_string()
        .replacen('{', r#"{"sub":"user_x","#, 1);
    let twice = format!("{}.{}", part(&forge.header), URL_SAFE_NO_PAD.encode(twice));
    corpus.push((
        "a claim given twice".to_owned(),
        raw_signed(&forge.key, &twice),
    ));
    corpus
}

/// Tokens that are wrong in how they say it.
fn wrong_headers(forge: &Forge) -> Vec<(String, String)> {
    let other = StoredKey::generate(jiff::Timestamp::UNIX_EPOCH).expect("a key");
    let x = URL_SAFE_NO_PAD.encode(&other.public_key);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    let own = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": forge.key.kid, "jwk": jwk });
    let mut corpus = vec![
        ("alg none", forge.header("alg", json!("none"))),
        ("alg NONE", forge.header("alg", json!("NONE"))),
        ("alg in small letters", forge.header("alg", json!("eddsa"))),
        ("alg ES256", forge.header("alg", json!("ES256"))),
        ("alg RS256", forge.header("alg", json!("RS256"))),
        ("typ JWT", forge.header("typ", json!("JWT"))),
        ("typ in capitals", forge.header("typ", json!("AT+JWT"))),
        (
            "unknown kid",
            forge.header("kid", json!("0000000000000000")),
        ),
        (
            "kid as a path",
            forge.header("kid", json!("../../dev/null")),
        ),
        ("kid as a query", forge.header("kid", json!("' OR '1'='1"))),
        ("kid as a list", forge.header("kid", json!([forge.key.kid]))),
        ("kid null", forge.header("kid", Value::Null)),
        (
            "jku",
            forge.header("jku", json!("https://evil.example/jwks.json")),
        ),
        (
            "x5u",
            forge.header("x5u", json!("https://evil.example/x.pem")),
        ),
        ("x5c", forge.header("x5c", json!(["MIIB"]))),
        ("crit", forge.header("crit", json!(["exp"]))),
        ("zip", forge.header("zip", json!("DEF"))),
        ("another key", signed(&other, &forge.header, &forge.claims)),
        (
            "another key that it brings along",
            signed(&other, &own, &forge.claims),
        ),
        ("without typ", forge.without("typ")),
        ("without kid", forge.without("kid")),
        ("without alg", forge.without("alg")),
    ]
    .into_iter()
    .map(|(what, token)| (what.to_owned(), token))
    .collect::<Vec<_>>();
    let twice = forge.header.to_string();
    let twice = twice.replacen('{', &format!(r#"{{"kid":"{}","#, forge.key.kid), 1);
    let twice = format!("{}.{}", URL_SAFE_NO_PAD.encode(twice), part(&forge.claims));
    corpus.push(("kid given twice".to_owned(), raw_signed(&forge.key, &twice)));
    for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let header = Header {
            typ: Some("at+jwt".into()),
            kid: Some(forge.key.kid.clone()),
            ..Header::new(alg)
        };
        let secret = EncodingKey::from_secret(&forge.key.public_key);
        let token = jsonwebtoken::encode(&header, &forge.claims, &secret).expect("a token");
        corpus.push((format!("{alg:?} with the public key"), token));
    }
    corpus
}

/// Tokens of the wrong shape.
fn wrong_shapes(forge: &Forge) -> Vec<(String, String)> {
    let good = forge.good();
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    let none = part(&json!({ "alg": "none", "typ": "at+jwt", "kid": forge.key.kid }));
    let mut upgraded = forge.claims.clone();
    upgraded["exp"] = json!(i64::MAX);
    // The last character carries bits that mean nothing.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet
        .find(&signature[signature.len() - 1..])
        .expect("base64url");
    let last = &alphabet[last ^ 1..=last ^ 1];
    [
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.x")),
        ("five parts, as if enciphered", format!("{good}.x.y")),
        ("alg none without a signature", format!("{none}.{claims}.")),
        (
            "alg none with the signature",
            format!("{none}.{claims}.{signature}"),
        ),
        (
            "other claims under the signature",
            format!("{header}.{}.{signature}", part(&upgraded)),
        ),
        ("cut off", good[..good.len() - 4].to_owned()),
        ("padding", format!("{good}=")),
        (
            "another spelling of the signature",
            format!("{}{last}", &good[..good.len() - 1]),
        ),
        (
            "a signature of zeros",
            format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        ),
        ("not base64", format!("{header}.{claims}.***")),
        ("dots", "...".to_owned()),
        ("Chinese letters", "令牌.令牌.令牌".to_owned()),
        ("huge", format!("{header}.{}.{signature}", "A".repeat(6000))),
        ("null", "null".to_owned()),
        ("two tokens", format!("{good} {good}")),
        ("two tokens with a comma", format!("{good}, Bearer {good}")),
    ]
    .into_iter()
    .map(|(what, token)| (what.to_owned(), token))
    .collect()
}

/// What came back: status, names of the headers, the problem without its request.
type Verdict = (u16, Vec<String>, Value);

/// Sends a request whose head is written by hand; no client library would send some of these.
fn send(app: &TestApp, path: &str, lines: &[String]) -> Verdict {
    let address = app.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("to connect");
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for line in lines {
        head.extend([line.as_str(), "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).expect("to send");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let names = lines.filter_map(|line| Some(line.split_once(':')?.0.to_lowercase()));
    let mut names: Vec<_> = names.collect();
    names.sort();
    let mut problem: Value = serde_json::from_str(body).unwrap_or_default();
    problem["instance"] = Value::Null;
    (status.expect("a status"), names, problem)
}

fn bearer(token: &str) -> Vec<String> {
    vec![format!("Authorization: Bearer {token}")]
}

/// Each token is the good one but for one thing, so that it is refused for that; where an attack
/// takes two, they are named. What a claim given twice comes to depends on the reader.
#[actix_web::test]
async fn a_hostile_token_is_a_good_one_but_for_one_thing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let other = app.town_called("linjiang").await;
    let forge = Forge::of(&app, &town, &town.staff).await;
    assert_eq!(differences(&forge, &forge.good()), [""; 0]);
    let two = [
        "HS256 with the public key: header alg, signature",
        "HS384 with the public key: header alg, signature",
        "HS512 with the public key: header alg, signature",
        "another key that it brings along: header jwk, signature",
    ];
    let readers = ["no claims", "a claim given twice", "kid given twice"];
    let mut wrong = Vec::new();
    let claims = wrong_claims(&forge, &town, &other).into_iter();
    for (what, token) in claims.chain(wrong_headers(&forge)) {
        let found = differences(&forge, &token);
        let told = format!("{what}: {}", found.join(", "));
        let fits = found.len() == 1
            || two.contains(&told.as_str())
            || (readers.contains(&what.as_str()) && !found.contains(&"signature".to_owned()));
        if !fits {
            wrong.push(told);
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[actix_web::test]
async fn no_hostile_token_gets_further_than_401() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let other = app.town_called("linjiang").await;
    let forge = Forge::of(&app, &town, &town.staff).await;
    let good = forge.good();
    let login = json!({ "committee": town.code, "username": "staff", "password": PASSWORD });
    let login = app.anonymous().post("/api/v1/auth/login").json(login);
    let refresh_token = login.send().await.status(200).text("/refresh_token");

    let mut corpus: Vec<(String, String, Vec<String>)> = Vec::new();
    let tokens = [
        wrong_claims(&forge, &town, &other),
        wrong_headers(&forge),
        wrong_shapes(&forge),
        vec![("a refresh token".to_owned(), refresh_token)],
    ];
    for (what, token) in tokens.into_iter().flatten() {
        corpus.push((what, ME.to_owned(), bearer(&token)));
    }
    let mut lines = |what: &str, path: String, lines: Vec<String>| {
        corpus.push((what.to_owned(), path, lines));
    };
    let own = || ME.to_owned();
    lines("no token", own(), Vec::new());
    lines("an empty header", own(), vec!["Authorization:".into()]);
    lines(
        "a scheme without a token",
        own(),
        vec!["Authorization: Bearer ".into()],
    );
    lines(
        "a token without a scheme",
        own(),
        vec![format!("Authorization: {good}")],
    );
    lines(
        "another scheme",
        own(),
        vec![format!("Authorization: Basic {good}")],
    );
    lines(
        "the header twice",
        own(),
        [bearer(&good), bearer(&good)].concat(),
    );
    lines(
        "a second header that is empty",
        own(),
        [bearer(&good), vec!["Authorization:".into()]].concat(),
    );
    lines(
        "in a cookie",
        own(),
        vec![format!("Cookie: access_token={good}")],
    );
    lines(
        "in the address",
        format!("{ME}?access_token={good}"),
        Vec::new(),
    );
    lines(
        "in another header",
        own(),
        vec![format!("X-Authorization: Bearer {good}")],
    );

    let (accepted, _, _) = send(&app, ME, &bearer(&good));
    assert_eq!(
        accepted, 200,
        "the token is good before anything is done to it"
    );
    let (accepted, _, _) = send(&app, ME, &[format!("authorization: bEARER {good}")]);
    assert_eq!(accepted, 200, "the scheme may be written in any case");
    let before = app.database().row_counts();
    let mut first: Option<Verdict> = None;
    assert!(corpus.len() >= 80, "{}", corpus.len());
    // In the middle of the others, so that it would be seen if this loop saw nothing.
    let twin = ("the good one".to_owned(), ME.to_owned(), bearer(&good));
    corpus.insert(corpus.len() / 2, twin);
    let mut let_in = Vec::new();
    for (what, path, lines) in &corpus {
        let verdict = send(&app, path, lines);
        if verdict.0 == 200 {
            let_in.push(what.as_str());
            continue;
        }
        assert_eq!(verdict.0, 401, "{what}: {verdict:?}");
        assert_eq!(verdict.2["code"], "unauthenticated", "{what}");
        assert_eq!(
            *first.get_or_insert_with(|| verdict.clone()),
            verdict,
            "{what}"
        );
    }
    assert_eq!(let_in, ["the good one"]);
    assert_eq!(app.database().row_counts(), before);
}
