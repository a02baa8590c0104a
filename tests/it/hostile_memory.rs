//! What hostile clients cost in memory: the service runs as a process of its own, and everything of
//! `hostile.rs` is sent to it by several at once while others hold their half-sent requests open.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use serde_json::json;

use crate::hostile::{bodies, connect, exchange, frames, queries, uploads};
use crate::support::seed::{PASSWORD, Town};
use crate::support::served::Served;
use crate::support::{TestApp, steps};

/// By so much the memory may grow, in KiB.
const GROWTH: u64 = 64 * 1024;
/// Clients that send everything.
const AT_ONCE: usize = 4;
/// Connections that are held open, each with most of a body.
const HELD: usize = 100;

/// Nobody is refused because of how many there are: that would be another guard.
const ANY_NUMBER: [(&str, &str); 6] = [
    ("JIANJIAN_AUTH__ADDRESS_REFUSALS", "0"),
    ("JIANJIAN_LIMITS__READS", "0"),
    ("JIANJIAN_LIMITS__WRITES", "0"),
    ("JIANJIAN_LIMITS__HEAVY", "0"),
    ("JIANJIAN_LIMITS__OPEN", "0"),
    ("JIANJIAN_LIMITS__PROBES", "0"),
];

async fn signed_in(served: &Served, town: &Town, username: &str) -> Option<String> {
    let http = awc::Client::builder()
        .timeout(Duration::from_secs(60))
        .finish();
    let body = json!({ "committee": town.code, "username": username, "password": PASSWORD });
    let request = TestApp::client_at(&http, served.base(), None).post("/api/v1/auth/login");
    let reply = request.json(body).send().await;
    reply.json["access_token"].as_str().map(str::to_owned)
}

/// Most of a body, and then nothing.
fn hold(base: &str) -> TcpStream {
    let mut stream = connect(base);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\n\
                Content-Type: application/json\r\nContent-Length: 260000\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("to send");
    stream.write_all(&vec![b' '; 200_000]).expect("to send");
    stream
}

/// Sends everything, each client from another place on; gives the answers that blame the service.
fn attack(base: &str, token: &str, place: &str) -> Vec<String> {
    let held: Vec<_> = (0..HELD).map(|_| hold(base)).collect();
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|client| {
            let (base, token, place) = (base.to_owned(), token.to_owned(), place.to_owned());
            std::thread::spawn(move || {
                let owned = |(name, bytes): (&str, Vec<u8>)| (name.to_owned(), bytes);
                let mut cases: Vec<_> = frames().into_iter().map(owned).collect();
                cases.extend(bodies().into_iter().map(owned));
                cases.extend(queries(&token));
                cases.extend(uploads(&token, &place).into_iter().map(owned));
                let turn = cases.len() * client / AT_ONCE;
                cases.rotate_left(turn);
                let answers = cases.iter().map(|(name, bytes)| {
                    let (verdict, _) = exchange(&base, bytes);
                    format!("{name}: {verdict}")
                });
                let blaming = |answer: &String| answer.contains(": 5");
                answers.filter(blaming).collect::<Vec<_>>()
            })
        })
        .collect();
    let blaming = clients
        .into_iter()
        .flat_map(|client| client.join().expect("a client"));
    let blaming = blaming.collect();
    drop(held);
    blaming
}

#[actix_web::test]
async fn hostile_input_costs_little_memory() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于绿道的提案").await;
    let place = draft.text_header("location").to_owned();
    let served = Served::start(&app, &ANY_NUMBER);
    let token = signed_in(&served, &town, &town.members[0].username).await;
    let token = token.expect("a token");
    let idle = served.idle();
    let base = served.base().to_owned();
    let blaming = spawn_blocking(move || attack(&base, &token, &place)).await;
    let most = served.most();
    assert_eq!(blaming.expect("answers"), [""; 0]);
    tell(&format!("memory: {idle} KiB idle, {most} KiB at most"));
    assert!(most <= idle + GROWTH, "from {idle} KiB to {most} KiB");
}

/// The measure sees what a single request takes: a password that is hashed in 128 MiB.
#[actix_web::test]
async fn a_request_that_takes_much_memory_is_seen() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut settings = ANY_NUMBER.to_vec();
    settings.push(("JIANJIAN_AUTH__ARGON2_MEMORY_KIB", "131072"));
    let served = Served::start(&app, &settings);
    let idle = served.idle();
    assert!(signed_in(&served, &town, "nobody").await.is_none());
    let most = served.most();
    assert!(most > idle + GROWTH, "from {idle} KiB to {most} KiB");
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs it by hand")]
fn tell(text: &str) {
    eprintln!("{text}");
}
