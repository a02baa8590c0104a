//! Receivers of webhooks on this machine: good ones and bad ones.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::rt::net::{TcpListener, TcpStream};
use actix_web::rt::{spawn, task::JoinHandle};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An answer with a status, further headers and a body.
    Status(u16, &'static str, &'static str),
    /// No answer at all.
    Hang,
    /// The head of an answer, one byte at a time.
    Drip,
    /// 500 with a body that does not end.
    Huge,
}

/// Taken.
pub const OK: Answer = Answer::Status(204, "", "");

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Received {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("the header");
        value.to_str().expect("text")
    }

    /// The message.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The name of the event.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }
}

/// A server on this machine that takes messages.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    answer: Arc<Mutex<Answer>>,
    received: Arc<Mutex<Vec<Received>>>,
    listening: JoinHandle<()>,
}

impl Receiver {
    /// Starts one.
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("to listen");
        let port = listener.local_addr().expect("an address").port();
        let answer = Arc::new(Mutex::new(answer));
        let received = Arc::new(Mutex::new(Vec::new()));
        let listening = {
            let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
            spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    spawn(serve(stream, Arc::clone(&answer), Arc::clone(&received)));
                }
            })
        };
        Self {
            url: format!("http://127.0.0.1:{port}/in"),
            answer,
            received,
            listening,
        }
    }

    /// From now on it answers otherwise.
    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().expect("the answer") = answer;
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("the requests").clone()
    }

    /// How much came so far.
    pub fn count(&self) -> usize {
        self.received.lock().expect("the requests").len()
    }

    /// Waits until so much has come.
    pub async fn wait(&self, count: usize) {
        let from = Instant::now();
        while self.count() < count {
            assert!(
                from.elapsed() < Duration::from_secs(30),
                "{} of {count}",
                self.count()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<Mutex<Answer>>,
    received: Arc<Mutex<Vec<Received>>>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    received.lock().expect("the requests").push(request);
    let answer = answer.lock().expect("the answer").clone();
    // The sender may go away at any time.
    let _ = reply(&mut stream, answer).await;
}

async fn reply(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Status(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(head.as_bytes()).await?;
            stream.shutdown().await
        }
        Answer::Hang => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            Ok(())
        }
        Answer::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\n" {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            Ok(())
        }
        Answer::Huge => {
            let head = "HTTP/1.1 500 X\r\nConnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&[b'x'; 8192]).await?;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ")?;
        let name: HeaderName = name.to_ascii_lowercase().parse().ok()?;
        headers.insert(name, HeaderValue::from_str(value).ok()?);
    }
    let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
    Some(Received { headers, body })
}
