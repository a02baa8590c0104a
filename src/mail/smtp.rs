//! The way to the mail server.

use std::time::Duration;

use jiff::Timestamp;
use lettre::message::{Mailbox, MultiPart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::Letter;
use crate::config::{Mail, MailTls};
use crate::error::{Error, Result};
use crate::ids::MailId;

/// Sends mails.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Behind the `@` of Message-IDs.
    domain: String,
    /// Where mails point to; `{id}` stands for the case.
    link: String,
    timeout: Duration,
}

/// What became of a mail that was offered to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server took it, and said this.
    Taken(String),
    /// The server refuses it for good, and said this.
    Refused(String),
}

impl Mailer {
    /// From the settings. Nothing is connected yet.
    pub fn new(mail: &Mail) -> Result<Self> {
        let parameters = || TlsParameters::new(mail.host.clone()).map_err(Error::internal);
        let tls = match mail.tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Implicit => Tls::Wrapper(parameters()?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
            .port(mail.port)
            .tls(tls)
            .timeout(Some(mail.timeout))
            .hello_name(ClientId::Domain(mail.domain.clone()));
        let builder = match &mail.credentials {
            Some((name, password)) => {
                builder.credentials(Credentials::new(name.clone(), password.clone()))
            }
            None => builder,
        };
        Ok(Self {
            transport: builder.build(),
            from: mail.from.parse().map_err(Error::internal)?,
            domain: mail.domain.clone(),
            link: mail.link.clone(),
            timeout: mail.timeout,
        })
    }

    /// Where a mail points to for a case.
    pub fn link(&self, case: &str) -> String {
        self.link.replace("{id}", case)
    }

    /// The Message-ID of a mail: always the same, so that a mail that is offered twice, because
    /// nobody knows whether the server took it, can be told for one.
    pub fn message_id(&self, id: MailId) -> String {
        format!("<{}@{}>", id.uuid().simple(), self.domain)
    }

    /// Offers a mail to the server. An error if that is to be tried again.
    pub async fn send(&self, id: MailId, to: &str, letter: &Letter, at: Timestamp) -> Result<Sent> {
        let Ok(to) = to.parse() else {
            return Ok(Sent::Refused("not an address".to_owned()));
        };
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .message_id(Some(self.message_id(id)))
            .date(at.into())
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                letter.text.clone(),
                letter.html.clone(),
            ))
            .map_err(Error::internal)?;
        // The server may be slow at every step; all of them together have this time.
        let sent = tokio::time::timeout(self.timeout, self.transport.send(message)).await;
        match sent {
            Err(_) => Err(Error::internal("the mail server did not answer in time")),
            Ok(Ok(response)) => {
                let said: Vec<_> = response.message().collect();
                Ok(Sent::Taken(format!(
                    "{} {}",
                    response.code(),
                    said.join(" ")
                )))
            }
            Ok(Err(error)) if error.is_permanent() && !about_us(&error) => {
                Ok(Sent::Refused(error.to_string()))
            }
            Ok(Err(error)) => Err(Error::internal(error).context("mail server")),
        }
    }
}

/// Whether the server refuses the service itself, not the mail: nobody's mail may be lost by a
/// wrong password.
fn about_us(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(|code| code.to_string());
    matches!(code.as_deref(), Some("530" | "534" | "535" | "538"))
}
