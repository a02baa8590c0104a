//! Clients that mean no good: what they get, how soon, and what it costs the others.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use actix_web::rt::task::spawn_blocking;

use crate::support::{TestApp, steps};

const LOGIN: &str = "/api/v1/auth/login";

fn connect(base: &str) -> TcpStream {
    let stream = TcpStream::connect(base.trim_start_matches("http://")).expect("to connect");
    let patience = Some(Duration::from_secs(15));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

/// Status and code of the first answer.
fn verdict(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let Some(status) = text.get(9..12) else {
        return "closed".to_owned();
    };
    let code = text
        .split_once("\"code\":\"")
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or_default();
    format!("{status} {code}").trim_end().to_owned()
}

fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    if !body.is_empty() {
        bytes.truncate(bytes.len() - 2);
        let _ = write!(bytes, "Content-Length: {}\r\n\r\n", body.len());
    }
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Names of files lead nowhere.
#[actix_web::test]
async fn a_file_name_is_a_name_and_no_path() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于绿道的提案").await;
    let place = draft.text_header("location");
    for name in [
        "../../etc/passwd.pdf",
        "..\\..\\a.pdf",
        "/etc/a.pdf",
        "C:\\a.pdf",
    ] {
        let reply = steps::upload(&member, place, name, steps::PDF).await;
        if reply.status == 201 {
            let shown = reply.to_string();
            assert!(!shown.contains("..") && !shown.contains("/etc"), "{shown}");
        } else {
            assert_eq!(reply.status, 422, "{reply}");
        }
    }
}

/// Starts as told, then sends a byte now and then until the service has had enough.
fn drip(base: &str, start: &[u8], every: Option<Duration>) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = connect(base);
    stream.write_all(start).expect("to send");
    let mut answer = Vec::new();
    stream
        .set_read_timeout(Some(every.unwrap_or(Duration::from_secs(15))))
        .expect("a timeout");
    let mut piece = [0; 4096];
    while started.elapsed() < Duration::from_secs(15) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if !answer.is_empty() || stream.write_all(b"a").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
        if !answer.is_empty() {
            break;
        }
    }
    (verdict(&answer), started.elapsed())
}

#[actix_web::test]
async fn clients_that_stall_or_drip_are_gone_within_ten_seconds() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于绿道的提案").await;
    let place = draft.text_header("location").to_owned();
    let token = app.token(&town, &town.members[0]);
    let body = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{\"committee\":\""
    );
    let upload = format!(
        "POST {place}/attachments HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7"
    );
    let slowly = Some(Duration::from_millis(500));
    let cases = [
        ("a silent connection", String::new(), None, 7),
        (
            "a stalled head",
            "GET /health/live HTTP/1.1\r\nHost:".to_owned(),
            None,
            7,
        ),
        (
            "a dripping head",
            "GET /health/live HTTP/1.1\r\nX-A: ".to_owned(),
            slowly,
            7,
        ),
        ("a stalled body", body.clone(), None, 12),
        ("a dripping body", body, slowly, 12),
        ("a stalled upload", upload.clone(), None, 12),
        ("a dripping upload", upload, slowly, 12),
    ];
    let clients: Vec<_> = cases
        .into_iter()
        .map(|(name, start, every, most)| {
            let base = app.base().to_owned();
            let client = std::thread::spawn(move || drip(&base, start.as_bytes(), every));
            (name, most, client)
        })
        .collect();
    // Meanwhile others are served.
    for _ in 0..20 {
        let started = Instant::now();
        member.get(&place).send().await.status(200);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    for (name, most, client) in clients {
        let joined = spawn_blocking(move || client.join())
            .await
            .expect("to wait");
        let (verdict, took) = joined.expect("a verdict");
        assert!(
            took < Duration::from_secs(most),
            "{name}: {verdict} after {took:?}"
        );
        assert!(
            verdict == "closed" || verdict.starts_with('4'),
            "{name}: {verdict}"
        );
    }
}

/// A thousand connections that say nothing, and one that pipelines: others are served.
#[actix_web::test]
async fn idle_connections_and_floods_stop_nobody() {
    let app = TestApp::start().await;
    let base = app.base().to_owned();
    let idle: Vec<_> = (0..1_000).map(|_| connect(&base)).collect();
    let one = request("GET /health/live", "", b"");
    let one = String::from_utf8(one)
        .expect("text")
        .replace("Connection: close\r\n", "");
    let flood = {
        let base = base.clone();
        std::thread::spawn(move || {
            let mut stream = connect(&base);
            let all = one.repeat(2_000);
            let mut writer = stream.try_clone().expect("a second handle");
            // Nothing is read until all is sent, or the service takes no more.
            let writing = std::thread::spawn(move || writer.write_all(all.as_bytes()));
            let mut answers = 0;
            let (mut piece, mut text) = ([0; 65_536], Vec::new());
            while answers < 2_000 {
                match stream.read(&mut piece) {
                    Ok(count @ 1..) => text.extend_from_slice(&piece[..count]),
                    _ => break,
                }
                answers = text.windows(12).filter(|at| at == b"HTTP/1.1 200").count();
            }
            let _ = writing.join();
            answers
        })
    };
    for _ in 0..10 {
        let started = Instant::now();
        app.anonymous()
            .get("/health/ready")
            .send()
            .await
            .status(200);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    let answers = spawn_blocking(move || flood.join()).await.expect("to wait");
    assert_eq!(answers.expect("answers"), 2_000);
    drop(idle);
}

/// Beyond the most connections, clients wait until one of them goes; those that say nothing do.
#[actix_web::test]
async fn the_most_connections_are_a_limit_that_heals() {
    let app = TestApp::start_with(|config| config.server.connections = 10).await;
    let base = app.base().to_owned();
    let silent: Vec<_> = (0..10).map(|_| connect(&base)).collect();
    let started = Instant::now();
    let reply = app.anonymous().get("/health/live").send().await;
    reply.status(200);
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(1),
        "the limit held nobody: {took:?}"
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    drop(silent);
}
