//! Uploads, where a virus scanner looks at them.

use std::path::Path;
use std::time::Duration;

use crate::support::clamd::{Answer, Clamd, VIRUS};
use crate::support::steps::{MULTIPART, PDF, draft, parts, upload};
use crate::support::{Client, Reply, TestApp};

/// A PDF of some hundred kilobytes, which is sent in several pieces.
fn pdf(end: &str) -> Vec<u8> {
    [PDF, &b"y".repeat(300_000), end.as_bytes()].concat()
}

/// How many files the storage holds.
fn stored(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| if path.is_dir() { stored(&path) } else { 1 })
        .sum()
}

/// A draft and a client of its proposer.
async fn case(app: &TestApp) -> (Client, String) {
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let path = draft(&member, "关于优化社区公交微循环的提案").await;
    let path = path.text_header("location").to_owned();
    (member, path)
}

fn is_infected(reply: Reply) {
    let reply = reply.status(422).code("invalid-input").blames(&["/file"]);
    assert_eq!(reply.text("/errors/0/code"), "infected");
    let detail = reply.text("/errors/0/detail");
    assert!(detail.contains("Test-Signature"), "{reply}");
}

#[actix_web::test]
async fn an_infected_file_is_refused_and_nothing_of_it_is_kept() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut scanners = vec![Clamd::start()];
    #[cfg(unix)]
    scanners.push(Clamd::start_at(&folder.path().join("clamd.ctl")));
    for clamd in scanners {
        let scanner = clamd.scanner();
        let app = TestApp::start_with(|config| config.storage.scanner = Some(scanner)).await;
        let (member, path) = case(&app).await;
        let before = app.database().row_counts();
        let bad = pdf(VIRUS);
        is_infected(upload(&member, &path, "a.pdf", &bad).await);
        // A trial tells it, too.
        let trial = member
            .post(&format!("{path}/attachments?validate_only=true"))
            .raw(MULTIPART, parts(&[("file", Some("a.pdf"), &bad)]));
        is_infected(trial.send().await);
        assert_eq!(app.database().row_counts(), before);
        assert_eq!(stored(app.storage()), 0);

        // It gets the whole file, and what it does not know is taken and kept as it is.
        let good = pdf("");
        let taken = upload(&member, &path, "a.pdf", &good).await.status(201);
        assert!(clamd.files() == [bad.clone(), bad, good.clone()]);
        let content = format!("{}/content", taken.text_header("location"));
        let content = member.get(&content).send().await.status(200);
        assert!(content.body == good);
        // Of what is refused anyhow it is not asked.
        let refused = upload(&member, &path, "a.exe", VIRUS.as_bytes()).await;
        assert_eq!(
            refused.status(422).text("/errors/0/code"),
            "extension_mismatch"
        );
        assert_eq!(clamd.files().len(), 3);
    }
}

#[actix_web::test]
async fn without_a_verdict_nothing_is_taken() {
    let clamd = Clamd::start();
    let mut scanner = clamd.scanner();
    scanner.timeout = Duration::from_millis(300);
    let app = TestApp::start_with(|config| config.storage.scanner = Some(scanner)).await;
    let (member, path) = case(&app).await;
    let before = app.database().row_counts();
    let send = || {
        member
            .post(&format!("{path}/attachments"))
            .header("Idempotency-Key", "the-same-key")
            .raw(MULTIPART, parts(&[("file", Some("a.pdf"), &pdf(""))]))
            .send()
    };
    for answer in [
        Answer::Silent,
        Answer::HangsUp,
        Answer::Says(""),
        Answer::Says("INSTREAM size limit exceeded. ERROR\0"),
        Answer::Says("stream: Can't allocate memory ERROR\0"),
        Answer::Says("HTTP/1.1 400 Bad Request\r\n\r\n"),
    ] {
        clamd.answers(answer);
        let refused = send().await.status(503).code("scanner-unavailable");
        assert!(!refused.text_header("retry-after").is_empty(), "{answer:?}");
    }
    assert_eq!(app.database().row_counts(), before);
    assert_eq!(stored(app.storage()), 0);
    // Everything else works, and so does the same upload later.
    member.get(&path).send().await.status(200);
    clamd.answers(Answer::Honest);
    send().await.status(201);
    assert_eq!(stored(app.storage()), 1);
}

#[actix_web::test]
async fn a_scanner_that_is_not_there_lets_nothing_through() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    drop(taken);
    let mut scanner = Clamd::start().scanner();
    scanner.address = format!("127.0.0.1:{port}").parse().expect("an address");
    let app = TestApp::start_with(|config| config.storage.scanner = Some(scanner)).await;
    let (member, path) = case(&app).await;
    let refused = upload(&member, &path, "a.pdf", PDF).await;
    refused.status(503).code("scanner-unavailable");
    assert_eq!(stored(app.storage()), 0);
}

#[actix_web::test]
async fn without_a_scanner_it_is_taken() {
    let app = TestApp::start().await;
    let (member, path) = case(&app).await;
    let taken = upload(&member, &path, "a.pdf", &pdf(VIRUS)).await;
    taken.status(201);
}
