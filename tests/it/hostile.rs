//! Clients that mean no good: what they get, how soon, and what it costs the others. The verdicts
//! are a snapshot, so that both databases give the same.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use actix_web::rt::task::spawn_blocking;

use crate::support::{TestApp, steps};

const LOGIN: &str = "/api/v1/auth/login";

pub fn connect(base: &str) -> TcpStream {
    let stream = TcpStream::connect(base.trim_start_matches("http://")).expect("to connect");
    let patience = Some(Duration::from_secs(15));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

/// Everything until the service closes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..count]);
    }
    all
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

/// Sends bytes as they are and reads at the same time; gives the verdict and when it came.
pub fn exchange(base: &str, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = connect(base);
    let mut writer = stream.try_clone().expect("a second handle");
    let bytes = bytes.to_vec();
    // The service may answer and close before it has read everything.
    let writing = std::thread::spawn(move || writer.write_all(&bytes));
    let mut answer = vec![0; 1];
    let begun = stream.read(&mut answer).unwrap_or(0);
    let took = started.elapsed();
    answer.truncate(begun);
    answer.extend(rest(&mut stream));
    let _ = writing.join();
    let whole = started.elapsed();
    assert!(
        whole < Duration::from_secs(6),
        "it was not let go: {whole:?}"
    );
    (verdict(&answer), took)
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

fn json(body: &[u8]) -> Vec<u8> {
    let line = format!("POST {LOGIN}");
    request(&line, "Content-Type: application/json\r\n", body)
}

/// Heads and frames that no client of good will sends.
pub fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let live = "GET /health/live";
    let post = format!("POST {LOGIN}");
    let kind = "Content-Type: application/json\r\n";
    let with = |headers: &str, rest: &str| {
        let mut bytes = request(&post, &format!("{kind}{headers}"), b"");
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    };
    let many = (0..500).fold(String::new(), |all, n| all + &format!("X-{n}: 1\r\n"));
    let wide = format!("X-Wide: {}\r\n", "a".repeat(1 << 20));
    let long = "a".repeat(20_000);
    vec![
        // Nothing is wrong with the first of each table: what is refused is refused for what it is.
        ("nothing wrong in the frame", request(live, "", b"")),
        ("500 headers", request(live, &many, b"")),
        ("a header of 1 MiB", request(live, &wide, b"")),
        ("a path of 20 kB", request(&format!("GET /{long}"), "", b"")),
        (
            "a query of 20 kB",
            request(&format!("{live}?{long}"), "", b""),
        ),
        ("NUL in a header", request(live, "X-A: a\0b\r\n", b"")),
        ("NUL in the path", request("GET /a\0b", "", b"")),
        ("a folded header", request(live, "X-A: a\r\n b\r\n", b"")),
        (
            "a blank before the colon",
            request(live, "X-A : a\r\n", b""),
        ),
        ("a header without a name", request(live, ": a\r\n", b"")),
        ("HTTP/0.9", b"GET /health/live\r\n\r\n".to_vec()),
        (
            "HTTP/3.0",
            b"GET /health/live HTTP/3.0\r\nHost: a\r\n\r\n".to_vec(),
        ),
        ("CONNECT", request("CONNECT a:443", "", b"")),
        ("TRACE", request("TRACE /health/live", "", b"")),
        ("an unknown method", request("BREW /health/live", "", b"")),
        (
            "the absolute form",
            request("GET http://other/health/live", "", b""),
        ),
        (
            "a length that is no number",
            with("Content-Length: x\r\n", ""),
        ),
        ("a negative length", with("Content-Length: -1\r\n", "{}")),
        ("a signed length", with("Content-Length: +2\r\n", "{}")),
        (
            "two lengths",
            with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}x"),
        ),
        (
            "a length beyond 64 bits",
            with("Content-Length: 99999999999999999999\r\n", ""),
        ),
        (
            "a length of 100 MB",
            with("Content-Length: 99999999\r\n", ""),
        ),
        (
            "a length and chunks",
            with(
                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                "2\r\n{}\r\n0\r\n\r\n",
            ),
        ),
        (
            "an unknown transfer encoding",
            with("Transfer-Encoding: xor\r\n", "{}"),
        ),
        (
            "chunks of no size",
            with("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk beyond 64 bits",
            with(
                "Transfer-Encoding: chunked\r\n",
                "fffffffffffffffff\r\n{}\r\n",
            ),
        ),
        ("no line", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec()),
    ]
}

/// Bodies that are not what they should be.
pub fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = "{\"a\":".repeat(40_000);
    let padded = format!("{}{{}}", " ".repeat(300 * 1024));
    let digits = format!("{{\"committee\":{}}}", "9".repeat(100_000));
    let line = format!("POST {LOGIN}");
    let typed = |headers: &str| request(&line, headers, b"{}");
    let plain = br#"{"committee":"a","username":"b","password":"c"}"#;
    vec![
        ("nothing wrong in the body", json(plain)),
        ("300 KiB", json(padded.as_bytes())),
        ("100,000 brackets", json(deep.as_bytes())),
        ("40,000 objects, never closed", json(objects.as_bytes())),
        ("a key twice", json(b"{\"a\":1,\"a\":2}")),
        (
            "a key twice, once escaped",
            json(b"{\"a\":1,\"\\u0061\":2}"),
        ),
        ("NUL escaped", json(b"{\"committee\":\"\\u0000\"}")),
        ("NUL raw", json(b"{\"committee\":\"\0\"}")),
        ("a lone surrogate", json(b"{\"committee\":\"\\ud800\"}")),
        (
            "surrogates in the wrong order",
            json(b"{\"committee\":\"\\udc00\\ud800\"}"),
        ),
        ("invalid UTF-8", json(b"{\"committee\":\"\xff\xfe\"}")),
        (
            "an encoded surrogate",
            json(b"{\"committee\":\"\xed\xa0\x80\"}"),
        ),
        ("an overlong NUL", json(b"{\"committee\":\"\xc0\x80\"}")),
        ("a byte order mark", json(b"\xef\xbb\xbf{}")),
        ("1e400", json(b"{\"committee\":1e400}")),
        ("-0", json(b"{\"committee\":-0}")),
        ("100,000 digits", json(digits.as_bytes())),
        ("NaN", json(b"{\"committee\":NaN}")),
        ("something behind", json(b"{} {}")),
        ("a comma at the end", json(b"{\"committee\":\"a\",}")),
        ("nothing", json(b"")),
        ("a text", json(b"\"x\"")),
        ("no media type", typed("")),
        ("another media type", typed("Content-Type: text/plain\r\n")),
        (
            "gzip",
            typed("Content-Type: application/json\r\nContent-Encoding: gzip\r\n"),
        ),
        (
            "two encodings",
            typed("Content-Type: application/json\r\nContent-Encoding: gzip, br\r\n"),
        ),
    ]
}

/// Query strings of a list.
pub fn queries(token: &str) -> Vec<(String, Vec<u8>)> {
    let long = "a".repeat(7 * 1024);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let cases = [
        "limit=100",
        "limit=1000000000",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=1&limit=1",
        "limit=%",
        "limit=%zz",
        "title=%00",
        "title=%ff%fe",
        "title=%ed%a0%80",
        "a[]=1",
        "&&&",
        "=",
        "%00=1",
        "sort=%27%3B--",
        "cursor=%F0%9F%92%A9",
    ];
    let cases = cases
        .iter()
        .map(|query| ((*query).to_owned(), (*query).to_owned()));
    cases
        .chain([("a title of 7 KiB".to_owned(), format!("title={long}"))])
        .map(|(name, query)| {
            let line = format!("GET /api/v1/proposals?{query}");
            (format!("?{name}"), request(&line, &bearer, b""))
        })
        .collect()
}

/// Uploads.
pub fn uploads(token: &str, proposal: &str) -> Vec<(&'static str, Vec<u8>)> {
    let line = format!("POST {proposal}/attachments");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let form = format!("{bearer}Content-Type: multipart/form-data; boundary=b\r\n");
    let part = |name: &str, file: &str, content: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n\
             {content}\r\n"
        )
    };
    let send = |headers: &str, body: &str| request(&line, headers, body.as_bytes());
    let headers = (0..20_000).fold(String::new(), |all, n| all + &format!("X-{n}: 1\r\n"));
    let endless = format!("--b\r\n{headers}\r\nx\r\n--b--\r\n");
    let many = part("x", "a.pdf", "x").repeat(5_000) + "--b--\r\n";
    let pdf = "%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n";
    let bare = "Content-Type: multipart/form-data\r\n";
    let chunks = format!("{form}Transfer-Encoding: chunked\r\n");
    let mut endless_chunks = request(&line, &chunks, b"");
    let head = part("file", "a.pdf", &"%PDF-1.7\n".repeat(2_000));
    let piece = format!("{:x}\r\n{head}\r\n", head.len());
    endless_chunks.extend_from_slice(piece.as_bytes());
    endless_chunks.extend_from_slice(b"fffffffff\r\n");
    endless_chunks.extend_from_slice(&vec![b'a'; 34 << 20]);
    vec![
        (
            "no boundary",
            send(&format!("{bearer}{bare}"), &part("file", "a.pdf", pdf)),
        ),
        ("another boundary", send(&form, "--c\r\n\r\nx\r\n--c--\r\n")),
        ("no parts", send(&form, "--b--\r\n")),
        ("5,000 parts", send(&form, &many)),
        ("20,000 headers of a part", send(&form, &endless)),
        (
            "a part that does not end",
            send(&form, &part("file", "a.pdf", pdf)),
        ),
        (
            "two files",
            send(&form, &(part("file", "a.pdf", pdf).repeat(2) + "--b--\r\n")),
        ),
        (
            "a program",
            send(&form, &(part("file", "a.pdf", "\x7fELF") + "--b--\r\n")),
        ),
        ("34 MiB in chunks", endless_chunks),
        (
            "a length of 1 GB",
            send(&format!("{form}Content-Length: 1000000000\r\n"), ""),
        ),
    ]
}

#[actix_web::test]
async fn hostile_requests_get_the_same_verdict_on_both_databases_at_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于绿道的提案").await;
    let place = draft.text_header("location").to_owned();
    let token = app.token(&town, &town.members[0]);
    let before = app.database().row_counts();
    let owned = |(name, bytes): (&str, _)| (name.to_owned(), bytes);
    let mut cases: Vec<(String, Vec<u8>)> = frames().into_iter().map(owned).collect();
    cases.extend(bodies().into_iter().map(owned));
    cases.extend(queries(&token));
    cases.extend(uploads(&token, &place).into_iter().map(owned));
    let base = app.base().to_owned();
    let told = spawn_blocking(move || {
        let mut told = String::new();
        for (name, bytes) in cases {
            let (verdict, took) = exchange(&base, &bytes);
            assert!(
                took < Duration::from_secs(3),
                "{name}: {verdict} after {took:?}"
            );
            let status = verdict.get(..3).unwrap_or_default();
            assert!(!status.starts_with('5'), "{name}: {verdict}");
            let _ = writeln!(told, "{name}: {verdict}");
            // Whatever it was: the next client is served.
            let (next, _) = exchange(&base, &request("GET /health/live", "", b""));
            assert_eq!(next, "200", "after {name}");
        }
        told
    })
    .await
    .expect("the verdicts");
    assert_eq!(app.database().row_counts(), before);
    member.get(&place).send().await.status(200);
    insta::assert_snapshot!(told);
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

/// Nobody looks longer than this whether a client is let go.
const LOOKED_AT: Duration = Duration::from_secs(13);

/// Starts as told, then sends a byte now and then until the service has had enough.
fn drip(base: &str, start: &[u8], every: Option<Duration>) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = connect(base);
    stream.write_all(start).expect("to send");
    let mut answer = Vec::new();
    stream
        .set_read_timeout(Some(every.unwrap_or(LOOKED_AT)))
        .expect("a timeout");
    let mut piece = [0; 4096];
    while started.elapsed() < LOOKED_AT {
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
    // Somebody who waits for ever, to see that this would be seen.
    let listener = TcpListener::bind("127.0.0.1:0").expect("to listen");
    let patient = format!("http://{}", listener.local_addr().expect("an address"));
    let control = ("a patient service", String::new(), None, 7);
    let clients: Vec<_> = cases
        .into_iter()
        .chain([control])
        .map(|(name, start, every, most)| {
            let is_control = name == "a patient service";
            let base = if is_control { &patient } else { app.base() }.to_owned();
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
    let mut kept = Vec::new();
    for (name, most, client) in clients {
        let joined = spawn_blocking(move || client.join())
            .await
            .expect("to wait");
        let (verdict, took) = joined.expect("a verdict");
        if took >= Duration::from_secs(most) {
            kept.push(name);
        } else {
            assert!(
                verdict == "closed" || verdict.starts_with('4'),
                "{name}: {verdict}"
            );
        }
    }
    assert_eq!(kept, ["a patient service"]);
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
            let (mut piece, mut text) = (vec![0; 65_536], Vec::new());
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
