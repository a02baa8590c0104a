//! The mail server and what people are told.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{ConfigError, Origins};

/// The mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub tls: MailTls,
    /// Name and password of the account.
    pub credentials: Option<(String, String)>,
    /// Sender.
    pub from: String,
    /// Behind the `@` of Message-IDs, and how the service introduces itself.
    pub domain: String,
    /// Where mails point to; `{id}` stands for the case.
    pub link: String,
    /// How long the server may take for one mail.
    pub timeout: Duration,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all; only on the same machine.
    None,
    /// Before anything is said.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// What people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notifications {
    /// How long messages are kept after they were read.
    pub keep_read: SignedDuration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    host: String,
    port: u64,
    tls: String,
    username: String,
    password: String,
    from: String,
    link: String,
    timeout_seconds: u64,
}

impl fmt::Debug for RawMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawMail")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotifications {
    keep_read_days: u64,
}

pub(super) fn check_notifications(
    raw: &RawNotifications,
    origins: &Origins,
) -> Result<Notifications, ConfigError> {
    let days: i64 = origins.within("notifications.keep_read_days", raw.keep_read_days, 1, 3650)?;
    Ok(Notifications {
        keep_read: SignedDuration::from_hours(24 * days),
    })
}

pub(super) fn check(
    raw: RawMail,
    public_url: &str,
    origins: &Origins,
) -> Result<Option<Mail>, ConfigError> {
    let (tls, usual_port) = match raw.tls.as_str() {
        "starttls" => (MailTls::StartTls, 587),
        "implicit" => (MailTls::Implicit, 465),
        "none" => (MailTls::None, 25),
        other => {
            let what = format!("'{other}' is none of starttls, implicit, none");
            return Err(origins.wrong("mail.tls", what));
        }
    };
    let port: u16 = origins.within("mail.port", raw.port, 0, 65_535)?;
    let seconds = origins.within("mail.timeout_seconds", raw.timeout_seconds, 1, 240)?;
    if raw.host.is_empty() {
        return Ok(None);
    }
    if tls == MailTls::None && !is_loopback(&raw.host) {
        let what = "without encryption only a server on the same machine is taken (mail.host)";
        return Err(origins.wrong("mail.tls", what));
    }
    if raw.from.parse::<lettre::message::Mailbox>().is_err() {
        let what = "it must be a sender, such as 件件 <no-reply@example.cn>";
        return Err(origins.wrong("mail.from", what));
    }
    let credentials = match (raw.username.is_empty(), raw.password.is_empty()) {
        (true, true) => None,
        (false, false) => Some((raw.username, raw.password)),
        _ => {
            let what = "name and password are given together or not at all";
            return Err(origins.wrong("mail.username", what));
        }
    };
    let link = match raw.link.as_str() {
        "" => format!("{public_url}/api/v1/proposals/{{id}}"),
        link if is_link(link) => raw.link,
        _ => {
            let what = "it must start with https:// or http:// and contain {id}";
            return Err(origins.wrong("mail.link", what));
        }
    };
    Ok(Some(Mail {
        domain: host_of(public_url).to_owned(),
        host: raw.host,
        port: if port == 0 { usual_port } else { port },
        tls,
        credentials,
        from: raw.from,
        link,
        timeout: Duration::from_secs(seconds),
    }))
}

fn is_link(link: &str) -> bool {
    (link.starts_with("https://") || link.starts_with("http://"))
        && link.contains("{id}")
        && !link.contains(|char: char| char.is_control() || char.is_whitespace())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The host of an address, without port.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    }
}
