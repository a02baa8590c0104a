//! Backups under load and the way back: nothing that was acknowledged is lost, nothing broken is
//! taken for whole, and nothing is overwritten.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;

use actix_web::rt::spawn;
use jianjian::config::Config;
use jianjian::files::Place;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::database::{TestDatabase, server};
use crate::support::seed::Town;
use crate::support::{Client, TestApp, steps};

/// The program with the settings of an installation.
fn program(database: &TestDatabase, storage: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jianjian"));
    command
        .args(arguments)
        .env_remove("JIANJIAN_CONFIG")
        .env("DATABASE_URL", database.url_text())
        .env("STORAGE_URL", storage)
        .env("JIANJIAN_LOG__FORMAT", "json")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in UTF-8")
}

fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part));
    parts.concat()
}

/// Runs the program to its end, which must be a good one; gives what it said.
fn does(mut command: Command) -> String {
    let output = command.output().expect("to run");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output)
}

/// Runs the program, which must fail with these words and change nothing.
#[track_caller]
fn refuses(mut command: Command, words: &str) {
    let output = command.output().expect("to run");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(words), "{words}: {said}");
}

/// A proposal that the service has acknowledged, with its file.
#[derive(Clone)]
struct Acknowledged {
    /// Which of the members handed it in.
    member: usize,
    path: String,
    attachment: String,
    content: Vec<u8>,
}

async fn hand_in(client: &Client, member: usize, title: &str) -> Acknowledged {
    let made = steps::draft(client, title).await;
    let path = made.text_header("location").to_owned();
    let content = [steps::PDF, title.as_bytes()].concat();
    let file = steps::upload(client, &path, "附件.pdf", &content).await;
    let attachment = format!("/api/v1/attachments/{}", file.status(201).id());
    steps::act(client, &path, "submit", json!({}))
        .await
        .status(200);
    Acknowledged {
        member,
        path,
        attachment,
        content,
    }
}

/// People who hand in one proposal after the other until they are stopped.
struct Load {
    acknowledged: Rc<RefCell<Vec<Acknowledged>>>,
    stop: Rc<Cell<bool>>,
    people: Vec<actix_web::rt::task::JoinHandle<()>>,
}

impl Load {
    fn start(app: &TestApp, town: &Town) -> Self {
        let (acknowledged, stop) = (Rc::<RefCell<Vec<_>>>::default(), Rc::new(Cell::new(false)));
        let people = town
            .members
            .iter()
            .take(4)
            .enumerate()
            .map(|(number, member)| {
                let client = app.signed_in(town, member);
                let (acknowledged, stop) = (Rc::clone(&acknowledged), Rc::clone(&stop));
                spawn(async move {
                    for round in 0.. {
                        if stop.get() {
                            break;
                        }
                        let title = format!("关于第{number}片区第{round}条线路的提案");
                        let one = hand_in(&client, number, &title).await;
                        acknowledged.borrow_mut().push(one);
                    }
                })
            });
        Self {
            people: people.collect(),
            acknowledged,
            stop,
        }
    }

    async fn until(&self, count: usize) -> Vec<Acknowledged> {
        while self.acknowledged.borrow().len() < count {
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        }
        self.acknowledged.borrow().clone()
    }

    async fn stop(self) -> usize {
        self.stop.set(true);
        for person in self.people {
            person.await.expect("no failed request");
        }
        self.acknowledged.borrow().len()
    }
}

/// Backs an installation up into a directory, on a thread of its own.
async fn back_up(app: &TestApp, to: PathBuf) -> String {
    let command = program(
        app.database(),
        app.storage(),
        &["backup", "--to", text(&to)],
    );
    actix_web::rt::task::spawn_blocking(move || does(command))
        .await
        .expect("to wait")
}

/// Where a backup is restored to.
struct Elsewhere {
    database: TestDatabase,
    files: PathBuf,
    _directory: TempDir,
}

impl Elsewhere {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self {
            database: TestDatabase::empty(),
            files: directory.path().join("files"),
            _directory: directory,
        }
    }

    fn program(&self, arguments: &[&str]) -> Command {
        program(&self.database, &self.files, arguments)
    }

    fn restore(&self, backup: &Path) -> Command {
        self.program(&["restore", "--from", text(backup)])
    }

    fn serve(&self) -> impl FnOnce(&mut Config) + use<> {
        let (url, files) = (self.database.url().clone(), self.files.clone());
        move |config| {
            config.database.url = url;
            config.storage.place = Place::Directory(files);
        }
    }
}

#[actix_web::test]
async fn a_backup_under_load_has_everything_acknowledged_before_and_a_service_starts_on_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let directory = tempfile::tempdir().expect("a directory");
    let load = Load::start(&app, &town);
    // A backup of so little can be made before anybody is through, so several are; the last one counts. If
    // writes waited for it, they would do so for each.
    let mut number = 0;
    let (backup, before, during) = loop {
        number += 1;
        let backup = directory.path().join(format!("backup-{number}"));
        let before = load.until(12).await;
        back_up(&app, backup.clone()).await;
        let during = load.acknowledged.borrow().len() - before.len();
        if during > 0 || number == 20 {
            break (backup, before, during);
        }
    };
    load.stop().await;
    assert!(during > 0, "nobody could write while backups were made");

    let elsewhere = Elsewhere::new();
    let checked = does(elsewhere.program(&["restore", "--check", "--from", text(&backup)]));
    assert!(checked.contains("files of the backup"), "{checked}");
    let restored = does(elsewhere.restore(&backup));
    for check in [
        "migrations",
        "audit chains",
        "rows",
        "numbers",
        "figures",
        "attachments",
    ] {
        let line = format!("ok       {check}");
        assert!(restored.contains(&line), "{check}: {restored}");
    }
    let again = does(elsewhere.program(&["restore", "--check"]));
    assert!(!again.contains("WRONG"), "{again}");

    let second = TestApp::start_with(elsewhere.serve()).await;
    let member = second.signed_in(&town, &town.members[0]);
    let auditor = second.signed_in(&town, &town.auditor);
    for one in &before {
        let seen = auditor.get(&one.path).send().await.status(200);
        assert_eq!(seen.json["status"], "submitted", "{}", one.path);
        let uploader = second.signed_in(&town, &town.members[one.member]);
        let file = uploader.get(&format!("{}/content", one.attachment));
        let file = file.send().await.status(200);
        assert_eq!(file.body, one.content, "{}", one.attachment);
    }
    let next = hand_in(&member, 0, "关于恢复之后新增线路的提案").await;
    let number = member.get(&next.path).send().await.status(200).json["serial_no"].clone();
    let taken = "SELECT count(serial_no) AS n FROM proposals";
    let taken = elsewhere.database.number(taken);
    assert_eq!(
        number,
        json!(taken),
        "the series goes on behind the last number"
    );
}

/// A small installation with a backup.
async fn backed_up(directory: &TempDir) -> (TestApp, Acknowledged, PathBuf) {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    hand_in(&member, 0, "关于第一条线路的提案").await;
    let one = hand_in(&member, 0, "关于第二条线路的提案").await;
    let backup = directory.path().join("backup");
    back_up(&app, backup.clone()).await;
    (app, one, backup)
}

/// A copy of a backup to spoil.
fn copied(backup: &Path, name: &str) -> PathBuf {
    let to = backup.with_file_name(name);
    let done = Command::new("cp").arg("-r").args([backup, &to]).status();
    assert!(done.expect("cp").success());
    to
}

/// The paths of the manifest: the copy of the database first, then the files.
fn listed(backup: &Path) -> Vec<PathBuf> {
    let manifest = std::fs::read(backup.join("manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    let path = |file: &Value| backup.join(file["path"].as_str().expect("a path"));
    files.iter().map(path).collect()
}

fn flip_a_byte(file: &Path) {
    let mut content = std::fs::read(file).expect("a file");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(file, content).expect("to write");
}

#[actix_web::test]
async fn a_spoilt_backup_is_refused_and_nothing_of_it_restored() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_app, _, backup) = backed_up(&directory).await;
    let elsewhere = Elsewhere::new();
    let check = |backup: &Path| elsewhere.program(&["restore", "--check", "--from", text(backup)]);
    does(check(&backup));
    for (number, (spoil, words)) in [
        (
            (|backup: &Path| flip_a_byte(&listed(backup)[0])) as fn(&Path),
            "was changed",
        ),
        (|backup| flip_a_byte(&listed(backup)[1]), "was changed"),
        (
            |backup| {
                let file = std::fs::File::options()
                    .write(true)
                    .open(&listed(backup)[0]);
                file.and_then(|file| file.set_len(8192)).expect("to cut");
            },
            "has 8192 bytes, not",
        ),
        (
            |backup| std::fs::remove_file(&listed(backup)[1]).expect("to remove"),
            "No such file",
        ),
        (
            |backup| std::fs::remove_file(backup.join("manifest.json")).expect("to remove"),
            "is no backup",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let spoilt = copied(&backup, &format!("spoilt-{number}"));
        spoil(&spoilt);
        refuses(check(&spoilt), words);
        refuses(elsewhere.restore(&spoilt), words);
        assert!(!elsewhere.files.exists(), "{words}");
    }
    // Nothing of all that was restored: there is still room for the good one, once.
    does(elsewhere.restore(&backup));
    let full = if server().is_some() {
        "not empty"
    } else {
        "already"
    };
    refuses(elsewhere.restore(&backup), full);
}

/// Makes the checksum of the manifest that of the changed copy, as somebody would who knows how.
fn sign_again(backup: &Path) {
    let file = backup.join("manifest.json");
    let text = std::fs::read(&file).expect("the manifest");
    let mut manifest: Value = serde_json::from_slice(&text).expect("JSON");
    let copy = std::fs::read(&listed(backup)[0]).expect("the copy");
    let mut hash = jianjian::digest::Running::new();
    hash.update(&copy);
    manifest["files"][0]["size"] = json!(copy.len());
    manifest["files"][0]["sha256"] = json!(hash.finish());
    std::fs::write(&file, manifest.to_string()).expect("to write");
}

#[actix_web::test]
async fn what_is_wrong_inside_is_found_in_a_backup_and_in_a_living_database() {
    let directory = tempfile::tempdir().expect("a directory");
    let (app, one, backup) = backed_up(&directory).await;
    let living = || program(app.database(), app.storage(), &["restore", "--check"]);
    does(living());
    let cases = [
        (
            "UPDATE events SET actor_name = '别人' WHERE name = 'proposal.submitted'",
            "audit chains",
        ),
        (
            "UPDATE proposals SET serial_no = 7 WHERE serial_no = 2",
            "numbers",
        ),
        (
            "UPDATE number_series SET last_number = 3 WHERE series LIKE 'serial:%'",
            "numbers",
        ),
        (
            "UPDATE proposals SET status = 'filed' WHERE serial_no = 1",
            "rows",
        ),
    ];
    for (number, (sql, check)) in cases.iter().enumerate() {
        let spoilt = copied(&backup, &format!("changed-{number}"));
        if server().is_none() {
            let file = listed(&spoilt).swap_remove(0);
            let inside = TestDatabase::at(&file);
            inside.lift_guards();
            inside.execute(sql);
            sign_again(&spoilt);
            let from = ["restore", "--check", "--from", text(&spoilt)];
            refuses(
                program(app.database(), app.storage(), &from),
                &format!("WRONG    {check}"),
            );
        }
    }
    // The same where the service runs; the last ones first, so that each is found by its own check.
    for (sql, check) in cases.iter().rev() {
        let elsewhere = Elsewhere::new();
        does(elsewhere.restore(&backup));
        elsewhere.database.lift_guards();
        elsewhere.database.execute(sql);
        refuses(
            elsewhere.program(&["restore", "--check"]),
            &format!("WRONG    {check}"),
        );
    }
    let id = one.attachment.rsplit('_').next().expect("an id").to_owned();
    let file = find(app.storage(), &id).expect("the file");
    flip_a_byte(&file);
    refuses(living(), "WRONG    attachments");
    let to = directory.path().join("second");
    let second = || {
        program(
            app.database(),
            app.storage(),
            &["backup", "--to", text(&to)],
        )
    };
    refuses(second(), "has not the checksum");
    std::fs::remove_file(&file).expect("to remove");
    refuses(living(), "WRONG    attachments");
    refuses(second(), "the storage has lost");
    let names = std::fs::read_dir(directory.path()).expect("a directory");
    let names: Vec<_> = names
        .map(|name| name.expect("a name").file_name())
        .collect();
    let left = names
        .iter()
        .filter(|name| name.to_string_lossy().contains("second"));
    assert_eq!(left.count(), 0, "a failed backup leaves nothing: {names:?}");
}

/// The file whose name ends like this.
fn find(folder: &Path, end: &str) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let found = if path.is_dir() {
            find(&path, end)
        } else {
            text(&path).ends_with(end).then_some(path)
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[actix_web::test]
async fn a_backup_that_is_killed_leaves_nothing_that_looks_whole_and_none_overwrites() {
    let directory = tempfile::tempdir().expect("a directory");
    let (app, _, backup) = backed_up(&directory).await;
    let again = ["backup", "--to", text(&backup)];
    refuses(
        program(app.database(), app.storage(), &again),
        "overwrites nothing",
    );
    for millis in [5, 20, 40, 60, 90] {
        let to = directory.path().join(format!("killed-{millis}"));
        let mut child = program(
            app.database(),
            app.storage(),
            &["backup", "--to", text(&to)],
        )
        .spawn()
        .expect("to start");
        actix_web::rt::time::sleep(Duration::from_millis(millis)).await;
        child.kill().expect("to kill");
        child.wait().expect("to end");
        if to.exists() {
            let check = ["restore", "--check", "--from", text(&to)];
            does(program(app.database(), app.storage(), &check));
        }
    }
    // What a killed one leaves is no backup.
    let left = directory.path().join(".killed.incomplete-0");
    std::fs::create_dir(&left).expect("a directory");
    std::fs::copy(&listed(&backup)[0], left.join("database.sqlite3")).expect("to copy");
    let elsewhere = Elsewhere::new();
    refuses(elsewhere.restore(&left), "is no backup");

    // Nor is anything restored over something.
    std::fs::create_dir_all(&elsewhere.files).expect("a directory");
    std::fs::write(elsewhere.files.join("kept.txt"), "kept").expect("to write");
    refuses(elsewhere.restore(&backup), "is not empty");
    let living = program(
        app.database(),
        &directory.path().join("none"),
        &["restore", "--from", text(&backup)],
    );
    let there = if server().is_some() {
        "is not empty"
    } else {
        "is there already"
    };
    refuses(living, there);
    does(program(
        app.database(),
        app.storage(),
        &["restore", "--check"],
    ));
}
