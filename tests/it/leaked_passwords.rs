//! Passwords that leaked, where the operator provides a file of them.

use std::path::Path;

use jianjian::auth::leaked::Leaked;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::support::seed::Town;
use crate::support::{Reply, TestApp};

/// Writes the file: these, and some thousands more.
fn write(file: &Path, passwords: &[&str]) {
    let others = (0..5000).map(|number| format!("other-{number}"));
    let all = passwords.iter().map(|&password| password.to_owned());
    let mut lines: Vec<String> = others
        .chain(all)
        .map(|password| {
            let hash = Sha1::digest(password.as_bytes());
            let hex = hash.iter().map(|byte| format!("{byte:02X}"));
            format!("{}:{}\r\n", hex.collect::<String>(), password.len())
        })
        .collect();
    lines.sort_unstable();
    std::fs::write(file, lines.concat()).expect("to write");
}

/// Codes of the rules that a body broke, each with its place.
fn broken(reply: &Reply) -> Vec<(String, String)> {
    let errors = reply.json["errors"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors
        .map(|error| (text(&error["pointer"]), text(&error["code"])))
        .collect()
}

fn leaked(pointer: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), "password_leaked".to_owned())]
}

/// An account that has no password yet, and the path of the operation that gives it one.
async fn newcomer(app: &TestApp, town: &Town) -> String {
    let user = json!({ "username": "newcomer", "display_name": "顾清扬" });
    let administrator = app.signed_in(town, &town.administrator);
    let user = administrator.post("/api/v1/users").json(user).send().await;
    let user = user.status(201);
    format!("{}/actions/reset-password", user.text_header("location"))
}

#[actix_web::test]
async fn a_new_password_is_none_of_those_that_leaked() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("leaked.txt");
    // The last one is in the file as it was typed, not as it is kept.
    let known = [
        "lantern-over-water",
        "灯火照见回信的人呀",
        "ｌａｎｔｅｒｎ-77",
    ];
    write(&file, &known);
    let list = Leaked::at(&file).expect("a list");
    let app = TestApp::start_with(|config| config.auth.leaked = Some(list)).await;
    let town = app.town().await;
    let path = newcomer(&app, &town).await;
    let security = app.signed_in(&town, &town.security);
    let initial = async |password: &str| {
        let request = security.post(&path).header("If-Match", "*");
        request.json(json!({ "password": password })).send().await
    };
    let before = app.database().row_counts();
    for password in known {
        let refused = initial(password).await.status(422).code("invalid-input");
        assert_eq!(broken(&refused), leaked("/password"), "{refused}");
    }
    // Full-width letters are kept as the usual ones.
    let refused = initial("ｌａｎｔｅｒｎ-over-water").await.status(422);
    assert_eq!(broken(&refused), leaked("/password"), "{refused}");
    assert_eq!(app.database().row_counts(), before);
    // What the form asks for comes first.
    let short = initial("short").await.status(422);
    assert_eq!(broken(&short)[0].1, "min_length", "{short}");
    initial("Lantern-over-water").await.status(200);

    let signed_in = app.login(&town, "newcomer", "Lantern-over-water").await;
    let client = app.client(&signed_in.status(200).text("/access_token"));
    let change = async |new: &str| {
        let body = json!({ "old_password": "Lantern-over-water", "new_password": new });
        client.post("/api/v1/auth/password").json(body).send().await
    };
    let refused = change(known[0]).await.status(422).code("invalid-input");
    assert_eq!(broken(&refused), leaked("/new_password"), "{refused}");
    let detail = refused.text("/errors/0/detail");
    assert!(detail.contains("泄露"), "{refused}");

    // Another file takes its place.
    let next = folder.path().join("next.txt");
    write(&next, &["another-that-leaked"]);
    std::fs::rename(&next, &file).expect("to rename");
    let refused = change("another-that-leaked").await.status(422);
    assert_eq!(broken(&refused), leaked("/new_password"), "{refused}");
    // Without the file none is taken: nobody would know.
    let away = folder.path().join("away.txt");
    std::fs::rename(&file, &away).expect("to rename");
    change(known[0]).await.status(500).code("internal");
    std::fs::rename(&away, &file).expect("to rename");
    change(known[0]).await.status(204);
}

#[actix_web::test]
async fn the_first_administrators_of_a_committee_have_none_of_them() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("leaked.txt");
    write(&file, &["lantern-over-water"]);
    let list = Leaked::at(&file).expect("a list");
    let app = TestApp::start_with(|config| config.auth.leaked = Some(list)).await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let found = async |password: &str, security: &str| {
        let body = json!({
            "code": "linjiang", "name": "政协临江县委员会", "level": "county", "region": "临江县",
            "administrator": {
                "username": "founder", "display_name": "沈若溪", "password": password,
            },
            "security_administrator": {
                "username": "guard", "display_name": "陆明远", "password": security,
            },
        });
        let request = administrator.post("/api/v1/committees").json(body);
        request.send().await
    };
    let refused = found("first-beacon", "lantern-over-water").await;
    let refused = refused.status(422);
    let place = "/security_administrator/password";
    assert_eq!(broken(&refused), leaked(place), "{refused}");
    found("first-beacon", "second-beacon").await.status(201);
}

#[actix_web::test]
async fn without_a_file_they_are_taken() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let path = newcomer(&app, &town).await;
    let security = app.signed_in(&town, &town.security);
    let request = security.post(&path).header("If-Match", "*");
    let body = json!({ "password": "lantern-over-water" });
    request.json(body).send().await.status(200);
}
