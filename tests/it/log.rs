//! The log of the program: one entry, one line, whatever is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::json;

use crate::support::TestApp;

/// How a line of people begins, and how nothing that is sent here begins.
const FORGED: &str = "2026-01-01T00:00:00.000000Z ERROR jianjian: forged";

struct Served {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(app: &TestApp, format: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jianjian"))
            .args(["serve", "--bind", "127.0.0.1:0", "--workers", "1"])
            .current_dir(app.storage())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .env_remove("JIANJIAN_CONFIG")
            .env("JIANJIAN_LOG__FORMAT", format)
            .env("JIANJIAN_LOG__LEVEL", "debug")
            .env("JIANJIAN_JOBS__IN_SERVER", "false")
            .env("DATABASE_URL", app.database().url_text())
            .env("STORAGE_URL", app.storage())
            .spawn()
            .expect("to start");
        let mut log = BufReader::new(child.stderr.take().expect("the log"));
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while log.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                if send.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { child, lines }
    }

    /// The next line for which `of` gives something, and all lines up to it.
    fn until<T>(&self, seen: &mut Vec<String>, of: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("the log ended: {seen:#?}"));
            let found = of(&line);
            seen.push(line);
            if let Some(found) = found {
                return found;
            }
        }
    }
}

/// Sends these bytes and waits for the answer.
fn send(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("to connect");
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).expect("to set");
    stream.write_all(request).expect("to send");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(path: &str, more: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Forged lines, escape sequences and line separators in names, paths and headers.
fn hostile() -> Vec<Vec<u8>> {
    let text = format!("x\n{FORGED}\r\u{1b}[2K\u{9b}1m\u{85}\u{2028}y");
    let login = json!({ "committee": text, "username": text, "password": text });
    // One that the schema lets through: nothing in it is white space.
    let spaceless = json!({
        "committee": "linjiang\u{1b}[2K\u{9b}1m", "username": "x\u{1b}[31m", "password": text,
    });
    let get = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n").into_bytes()
    };
    let encoded =
        "%0A2026-01-01T00:00:00.000000Z%20ERROR%20jianjian:%20forged%1B[2K%C2%9B%E2%80%A8";
    vec![
        post("/api/v1/auth/login", "", &login),
        post("/api/v1/auth/login", "", &spaceless),
        post(
            "/api/v1/auth/refresh",
            "",
            &json!({ "refresh_token": text }),
        ),
        get(&format!("/api/v1/proposals/{encoded}"), ""),
        get(&format!("/api/v1/proposals?q={encoded}"), ""),
        get("/api/v1/proposals/\u{85}\u{9b}31m\u{2028}", ""),
        get(
            "/api/v1/proposals",
            "Authorization: Bearer x\u{9b}31m\u{85}\r\n",
        ),
        get(
            "/api/v1/proposals",
            "Origin: http://\u{85}\u{9b}31m\r\nAccept-Language: \u{2028}\r\n",
        ),
        get(
            "/api/v1/proposals",
            &format!("X-Request-Id: x\r {FORGED}\r\n"),
        ),
    ]
}

#[actix_web::test]
async fn nothing_that_is_sent_forges_a_line() {
    let app = TestApp::start().await;
    for format in ["json", "human"] {
        let served = Served::start(&app, format);
        let mut seen = Vec::new();
        let address = served.until(&mut seen, |line| {
            let (_, rest) = line.split_once("127.0.0.1:")?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(format!("127.0.0.1:{port}"))
        });
        for request in hostile() {
            let answer = send(&address, &request);
            let status = answer.get(9..10).unwrap_or_default().to_owned();
            assert_eq!(status, "4", "{answer}");
        }
        let last = b"GET /api/v1/the-last-one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        send(&address, last);
        served.until(&mut seen, |line| {
            line.contains("/api/v1/the-last-one answered").then_some(())
        });
        let answered = seen.iter().filter(|line| line.contains(" answered 4"));
        assert!(answered.count() >= 8, "{seen:#?}");
        for line in &seen {
            let text = line.trim_end_matches('\n');
            let wild = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
            assert!(!text.contains(wild), "{line:?}");
            assert!(!text.starts_with(FORGED), "{line:?}");
            if format == "json" {
                let entry: serde_json::Value = serde_json::from_str(text).expect("one entry");
                assert!(entry["timestamp"].is_string(), "{line}");
            } else {
                assert!(text.starts_with("20") && text.contains('Z'), "{line:?}");
            }
        }
    }
}
