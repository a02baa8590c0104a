//! A mail server on loopback that keeps what it gets and misbehaves on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jianjian::config::{Config, Mail, MailTls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with the next mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes it.
    Accept,
    /// 451: try later.
    Busy,
    /// 550: no such reader.
    Refuse,
    /// Says nothing any more.
    Hang,
    /// Takes it, and is gone before it says so.
    DropAfterData,
}

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Whom it is for.
    pub to: String,
    /// As it came.
    pub raw: String,
}

impl Received {
    /// A header that is not folded.
    pub fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let line = self.raw.lines().find(|line| line.starts_with(&start));
        line.map_or_else(String::new, |line| line[start.len()..].trim().to_owned())
    }

    /// The text of all parts.
    pub fn words(&self) -> String {
        let boundary = self.raw.split("boundary=\"").nth(1).expect("parts");
        let boundary = boundary.split('"').next().expect("a boundary").to_owned();
        let boundary = format!("--{boundary}");
        let parts = self.raw.split(&boundary).skip(1);
        parts.map(decoded).collect()
    }
}

fn decoded(part: &str) -> String {
    let Some((head, body)) = part.split_once("\r\n\r\n") else {
        return String::new();
    };
    let bytes = if head.contains("base64") {
        let text: String = body.split_whitespace().collect();
        STANDARD.decode(text).expect("base64")
    } else if head.contains("quoted-printable") {
        let joined = body.replace("=\r\n", "");
        let (mut out, mut rest) = (Vec::new(), joined.as_bytes());
        while let Some((first, after)) = rest.split_first() {
            let hex = (*first == b'=').then(|| after.get(..2)).flatten();
            let byte =
                hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            out.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &after[2..] } else { after };
        }
        out
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).expect("UTF-8")
}

#[derive(Default)]
struct State {
    moods: VecDeque<Mood>,
    received: Vec<Received>,
    attempts: usize,
}

/// The server.
#[derive(Clone)]
pub struct Smtp {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Smtp {
    /// Listens until the test ends.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            state: Arc::default(),
        };
        let own = server.clone();
        actix_web::rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                actix_web::rt::spawn(async move { own.talk(stream).await });
            }
        });
        server
    }

    /// Settings that send here.
    pub fn settings(&self, config: &mut Config) {
        config.mail = Some(Mail {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: MailTls::None,
            credentials: None,
            from: "件件 <no-reply@example.cn>".to_owned(),
            domain: "jianjian.example.cn".to_owned(),
            link: "https://desk.example.cn/cases/{id}".to_owned(),
            timeout: Duration::from_millis(1500),
        });
    }

    /// What it does with the next mails.
    pub fn then(&self, moods: &[Mood]) {
        self.state.lock().expect("the state").moods.extend(moods);
    }

    /// What arrived.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().expect("the state").received.clone()
    }

    /// How often a mail was offered.
    pub fn attempts(&self) -> usize {
        self.state.lock().expect("the state").attempts
    }

    fn keep(&self, to: &str, raw: &str) {
        let (to, raw) = (to.to_owned(), raw.to_owned());
        let mut state = self.state.lock().expect("the state");
        state.received.push(Received { to, raw });
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read);
        write.write_all(b"220 test ESMTP\r\n").await.ok()?;
        let (mut line, mut to, mut mood) = (String::new(), String::new(), Mood::Accept);
        loop {
            line.clear();
            if lines.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let verb = line.get(..4).unwrap_or_default().to_uppercase();
            let answer: &[u8] = match verb.as_str() {
                "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
                "MAIL" => {
                    let mut state = self.state.lock().expect("the state");
                    state.attempts += 1;
                    mood = state.moods.pop_front().unwrap_or(Mood::Accept);
                    b"250 ok\r\n"
                }
                "RCPT" if mood == Mood::Refuse => b"550 no such reader\r\n",
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    b"250 ok\r\n"
                }
                "DATA" if mood == Mood::Busy => b"451 try later\r\n",
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    let mut raw = String::new();
                    while !raw.ends_with("\r\n.\r\n") {
                        if lines.read_line(&mut raw).await.ok()? == 0 {
                            return None;
                        }
                    }
                    match mood {
                        Mood::Hang => {
                            tokio::time::sleep(Duration::from_secs(60)).await;
                            return None;
                        }
                        Mood::DropAfterData => {
                            self.keep(&to, &raw);
                            return None;
                        }
                        _ => self.keep(&to, &raw),
                    }
                    b"250 taken\r\n"
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await.ok()?;
                    return Some(());
                }
                _ => b"250 ok\r\n",
            };
            write.write_all(answer).await.ok()?;
        }
    }
}
