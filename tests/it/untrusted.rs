//! Servers whose certificate nobody vouches for: nothing is sent to them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use jianjian::config::{Mail, MailTls};
use jianjian::ids::MailId;
use jianjian::keep::Keeper;
use jianjian::mail::{Letter, Mailer};
use jianjian::openid::{self, OpenId, Registration};
use jianjian::webhooks::{self, Message, Names, Secret, Sender};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Signed by itself, for `localhost` and 127.0.0.1, good for a hundred years.
const PEM: &[u8] = include_bytes!("support/untrusted.pem");
const PATIENCE: Duration = Duration::from_secs(10);

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(PEM).expect("a certificate")
}

/// A server with that certificate: its port, and what became of each connection, which is the
/// first that was said after the handshake, or why there was none.
async fn server() -> (u16, Receiver<Result<String, String>>) {
    let key = PrivateKeyDer::from_pem_slice(PEM).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .expect("a server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (send, came) = channel();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let outcome = match acceptor.accept(stream).await {
                Ok(mut stream) => {
                    let _ = stream.write_all(b"220 localhost ready\r\n").await;
                    let mut said = [0; 64];
                    let read = stream.read(&mut said).await.unwrap_or_default();
                    Ok(String::from_utf8_lossy(&said[..read]).into_owned())
                }
                Err(error) => Err(error.to_string()),
            };
            if send.send(outcome).is_err() {
                return;
            }
        }
    });
    (port, came)
}

/// Why the last connection came to nothing.
async fn refused(came: &Receiver<Result<String, String>>) -> String {
    for _ in 0..100 {
        if let Ok(outcome) = came.try_recv() {
            return outcome.expect_err("something was said to it");
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody connected");
}

/// Somebody who was told to trust the certificate speaks with the server: nothing else is wrong
/// with it.
#[actix_web::test]
async fn the_server_is_a_good_one_but_for_trust() {
    let (port, came) = server().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).expect("a root");
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream.expect("to connect"))
        .await
        .expect("a handshake");
    stream.write_all(b"hello").await.expect("to send");
    stream.flush().await.expect("to send");
    let said = loop {
        if let Ok(outcome) = came.try_recv() {
            break outcome;
        }
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(said, Ok("hello".to_owned()));
}

#[actix_web::test]
async fn webhooks_are_not_sent_to_a_server_that_nobody_vouches_for() {
    let (port, came) = server().await;
    let sender = Sender::new(webhooks::Settings {
        keeper: Keeper::new("webhooks.key", None),
        insecure: true,
        timeout: PATIENCE,
        names: Names::default(),
        source: "https://tian.example.cn".to_owned(),
    });
    let message = Message {
        url: format!("https://localhost:{port}/hook"),
        id: "dlv_019a1b2c3d4e7f8090a1b2c3d4e5f607".to_owned(),
        at: 1_764_403_200,
        body: "{}".to_owned(),
        secrets: vec![Secret::random().expect("a secret")],
    };
    let outcome = sender.expect("a sender").send(&message).await;
    assert!(
        !outcome.is_delivered() && outcome.status.is_none(),
        "{outcome:?}"
    );
    let why = refused(&came).await;
    assert!(why.contains("UnknownCA"), "{why}");
}

#[actix_web::test]
async fn identity_providers_that_nobody_vouches_for_are_not_asked() {
    let (port, came) = server().await;
    let provider = OpenId::new(openid::Settings {
        insecure: true,
        timeout: PATIENCE,
        names: Names::default(),
    });
    let registration = Registration {
        issuer: format!("https://localhost:{port}"),
        client_id: "jianjian".to_owned(),
        client_secret: None,
        redirect_uri: "https://tian.example.cn/signed-in".to_owned(),
    };
    let binding = openid::Binding {
        state: "s".repeat(43),
        nonce: "n".repeat(43),
        code_verifier: "v".repeat(43),
    };
    let provider = provider.expect("a client");
    let asked = provider
        .authorization_url(&registration, &binding, &["openid"])
        .await;
    assert!(asked.is_err());
    let why = refused(&came).await;
    assert!(why.contains("UnknownCA"), "{why}");
}

#[actix_web::test]
async fn mails_are_not_given_to_a_server_that_nobody_vouches_for() {
    let (port, came) = server().await;
    let mailer = Mailer::new(&Mail {
        host: "localhost".to_owned(),
        port,
        tls: MailTls::Implicit,
        credentials: Some(("jianjian".to_owned(), "lantern-over-water".to_owned())),
        from: "jianjian@example.cn".to_owned(),
        domain: "example.cn".to_owned(),
        link: "https://tian.example.cn/{id}".to_owned(),
        timeout: PATIENCE,
    });
    let letter = Letter {
        subject: "提醒".to_owned(),
        text: "提醒".to_owned(),
        html: "<p>提醒</p>".to_owned(),
    };
    let now = "2026-11-29T08:00:00Z".parse().expect("a moment");
    let mailer = mailer.expect("a mailer");
    let sent = mailer
        .send(MailId::new(now), "chen.wei@example.cn", &letter, now)
        .await;
    assert!(sent.is_err(), "{sent:?}");
    let why = refused(&came).await;
    assert!(why.contains("UnknownCA"), "{why}");
}
