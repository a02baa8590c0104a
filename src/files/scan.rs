//! Asks a virus scanner about uploads: `clamd`, to which the content is sent (`INSTREAM`). The only
//! place that knows `clamav_client`.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[cfg(unix)]
use clamav_client::tokio::Socket;
use clamav_client::tokio::{Tcp, scan_stream};
use futures_util::stream::Stream;

use super::Piece;
use crate::error::{Code, Error, Message, Result};

/// Bytes that are sent at a time.
pub(super) const CHUNK: usize = 64 * 1024;
/// What is told of the name of a virus, in characters.
const LONGEST_NAME: usize = 100;

/// Where the scanner listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host and port.
    Tcp(String),
    /// A socket of this machine.
    #[cfg(unix)]
    Socket(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Socket(path.into()))
            } else {
                Err(format!("'{text}' does not name a socket: unix:/PATH"))
            };
        }
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        match port.map(|(_, port)| port.parse::<u16>()) {
            Some(Ok(1..)) => Ok(Self::Tcp(text.to_owned())),
            _ => Err(format!("'{text}' is neither HOST:PORT nor unix:/PATH")),
        }
    }
}

/// A virus scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanner {
    /// Where it listens.
    pub address: Address,
    /// How long it may take for one file.
    pub timeout: Duration,
}

/// What it says of a file.
#[derive(Debug, PartialEq, Eq)]
enum Verdict<'a> {
    Clean,
    /// The name of what was found.
    Infected(&'a str),
    /// Everything else: too large for it, out of memory, not a scanner.
    None(&'a str),
}

impl Scanner {
    /// Refuses content that is infected, and all where there is no verdict.
    pub(super) async fn scan(&self, content: impl Stream<Item = io::Result<Piece>>) -> Result<()> {
        let asked = async {
            match &self.address {
                Address::Tcp(address) => {
                    let host_address = address.as_str();
                    scan_stream(content, Tcp { host_address }, Some(CHUNK)).await
                }
                #[cfg(unix)]
                Address::Socket(socket_path) => {
                    scan_stream(content, Socket { socket_path }, Some(CHUNK)).await
                }
            }
        };
        let reply = tokio::time::timeout(self.timeout, asked)
            .await
            .map_err(|_| unavailable("no verdict in time"))?
            .map_err(unavailable)?;
        let reply = String::from_utf8_lossy(&reply);
        match verdict(&reply) {
            Verdict::Clean => Ok(()),
            Verdict::Infected(name) => {
                tracing::warn!(virus = name, "an upload is infected");
                Err(infected(name))
            }
            Verdict::None(reply) => Err(unavailable(format!("it says {reply:?}"))),
        }
    }
}

fn unavailable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::ScannerUnavailable).context(format!("storage.clamd: {what}"))
}

fn infected(name: &str) -> Error {
    let name: String = name.chars().take(LONGEST_NAME).collect();
    Error::invalid(
        "/file",
        "infected",
        Message::new(
            format!("文件含有病毒或其他恶意内容（{name}），未予保存。"),
            format!("The file is infected ({name}) and was not stored."),
        ),
    )
}

/// A reply such as `stream: OK` or `stream: Eicar-Test-Signature FOUND`.
fn verdict(reply: &str) -> Verdict<'_> {
    let reply = reply.trim_end_matches(['\0', '\n']);
    match reply.strip_prefix("stream: ") {
        Some("OK") => Verdict::Clean,
        Some(found) => found
            .strip_suffix(" FOUND")
            .map_or(Verdict::None(reply), Verdict::Infected),
        None => Verdict::None(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_clean() {
        for (reply, wanted) in [
            ("stream: OK\0", Verdict::Clean),
            ("stream: OK\n", Verdict::Clean),
            (
                "stream: Eicar-Test-Signature FOUND\0",
                Verdict::Infected("Eicar-Test-Signature"),
            ),
            (
                "INSTREAM size limit exceeded. ERROR\0",
                Verdict::None("INSTREAM size limit exceeded. ERROR"),
            ),
            ("stream: OK ERROR\0", Verdict::None("stream: OK ERROR")),
            ("OK", Verdict::None("OK")),
            ("", Verdict::None("")),
        ] {
            assert_eq!(verdict(reply), wanted, "{reply}");
        }
    }

    #[test]
    fn addresses() {
        for text in ["127.0.0.1:3310", "clamav:3310", "[::1]:3310"] {
            assert_eq!(text.parse(), Ok(Address::Tcp(text.to_owned())));
        }
        #[cfg(unix)]
        assert_eq!(
            "unix:/run/clamav/clamd.ctl".parse(),
            Ok(Address::Socket("/run/clamav/clamd.ctl".into()))
        );
        for text in ["clamav", ":3310", "clamav:0", "clamav:none", "unix:clamd"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
