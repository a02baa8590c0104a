//! The program as it is started: exit status, one clear line when it fails, orderly stop.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::TestDatabase;
use crate::support::served::listening;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jianjian"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .env_remove("DATABASE_URL")
        .env_remove("JIANJIAN_CONFIG");
    // Cheap ones are refused, as they should be.
    command.env("JIANJIAN_LOG__FORMAT", "json");
    command
}

fn fails(mut command: Command, status: i32, part: &str) {
    let output = command.output().expect("to run");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(
        line.starts_with("jianjian: ") && line.contains(part),
        "{text}"
    );
}

#[test]
fn what_cannot_work_is_told_in_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let in_directory = |arguments: &[&str]| {
        let mut command = program(arguments);
        command.current_dir(directory.path());
        command
    };
    fails(
        in_directory(&["serve", "--database-url", "mysql://h/d"]),
        2,
        "option --database-url",
    );
    fails(
        in_directory(&["serve", "--database-url", "sqlite:no/such/dir.db"]),
        1,
        "cannot open",
    );
    fails(
        in_directory(&["serve", "--config", "none.toml"]),
        2,
        "none.toml",
    );
    fails(
        in_directory(&["serve", "--bind", "nowhere"]),
        2,
        "server.bind",
    );
    let mut command = in_directory(&["serve"]);
    command.env("JIANJIAN_SERVER__PORT", "80");
    fails(command, 2, "JIANJIAN_SERVER__PORT");
    let later = format!("{}:7\n{}:7\n", "F".repeat(40), "0".repeat(40));
    std::fs::write(directory.path().join("leaked.txt"), later).expect("to write");
    for (file, why) in [
        ("leaked.txt", "it is not ordered by hash at byte 43"),
        ("none.txt", "it cannot be read: No such file"),
    ] {
        let mut command = in_directory(&["serve"]);
        command.env("JIANJIAN_AUTH__LEAKED_PASSWORDS", file);
        let told = format!("{file} is no list of leaked passwords: {why}");
        fails(command, 2, &told);
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    fails(
        in_directory(&["serve", "--bind", &address]),
        1,
        "cannot listen on",
    );
    // Nobody answers there.
    drop(taken);
    let mut command = in_directory(&["health"]);
    command.env("JIANJIAN_SERVER__BIND", &address);
    fails(command, 1, "no answer");
    let output = in_directory(&["no-such-command"]).output().expect("to run");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_database_that_is_away_is_waited_for_and_then_given_up() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    drop(taken);
    let mut command = program(&["serve"]);
    command
        .env(
            "DATABASE_URL",
            format!("postgres://nobody:secret@127.0.0.1:{port}/none"),
        )
        .env("JIANJIAN_DATABASE__WAIT_SECONDS", "1");
    let output = command.output().expect("to run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("trying again"), "{text}");
    assert!(
        text.lines()
            .last()
            .unwrap_or_default()
            .contains("cannot connect to PostgreSQL"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

/// The first administrators of a committee.
const PEOPLE: [&str; 10] = [
    "--username",
    "lin.zhiyuan",
    "--display-name",
    "林致远",
    "--security-username",
    "he.jingming",
    "--security-display-name",
    "何景明",
    "--committee",
    "yunling",
];

/// The committee, where it is new.
const COMMITTEE: [&str; 6] = [
    "--name",
    "政协云岭市委员会",
    "--level",
    "municipal",
    "--region",
    "云岭市",
];

fn create(database: &TestDatabase, arguments: &[&str], input: Option<&str>) -> Output {
    admin(database, "create", arguments, input)
}

fn admin(
    database: &TestDatabase,
    command: &str,
    arguments: &[&str],
    input: Option<&str>,
) -> Output {
    let mut command = program(&["admin", command]);
    command
        .args(arguments)
        .env("DATABASE_URL", database.url_text());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("to start");
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes()).expect("to write");
    }
    child.wait_with_output().expect("to run")
}

#[test]
fn the_first_administrators_are_made_once() {
    let database = TestDatabase::empty();
    let output = create(&database, &PEOPLE, None);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("There is no committee 'yunling'"));

    let first = [&PEOPLE[..], &COMMITTEE].concat();
    let output = create(&database, &first, None);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for made in [
        "system administrator lin.zhiyuan",
        "security administrator he.jingming",
    ] {
        assert!(text.contains(made), "{text}");
    }
    let passwords: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("initial password: "))
        .collect();
    assert_eq!(passwords.len(), 2, "each has one of his own: {text}");
    assert!(passwords.iter().all(|password| password.len() == 23));

    let output = create(&database, &PEOPLE, None);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("already has a system administrator"),
        "{errors}"
    );
}

/// A committee from before this role is not locked out.
#[test]
fn a_committee_without_security_administrator_gets_its_first_one() {
    let database = TestDatabase::empty();
    let first = [&PEOPLE[..], &COMMITTEE].concat();
    assert!(create(&database, &first, None).status.success());
    let another = [
        "--committee",
        "yunling",
        "--username",
        "su.wan",
        "--display-name",
        "苏晚",
    ];
    let add = || admin(&database, "create-security", &another, None);
    let output = add();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("already has a security administrator"),
        "{errors}"
    );

    database.execute("DELETE FROM user_roles WHERE role = 'security_administrator'");
    let output = add();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("security administrator su.wan"), "{text}");
    assert!(text.contains("initial password: "), "{text}");
    assert_eq!(add().status.code(), Some(1), "only the first one");
    let nowhere = [
        "--committee",
        "nowhere",
        "--username",
        "su.wan",
        "--display-name",
        "苏晚",
    ];
    let output = admin(&database, "create-security", &nowhere, None);
    assert!(String::from_utf8_lossy(&output.stderr).contains("There is no committee 'nowhere'"));
}

/// Nobody of the committee could help the last one.
#[test]
fn the_last_security_administrator_is_let_in_again() {
    let database = TestDatabase::empty();
    let first = [&PEOPLE[..], &COMMITTEE].concat();
    assert!(create(&database, &first, None).status.success());
    let recover = |who: &str, more: &[&str], input: Option<&str>| {
        let arguments = [&["--committee", "yunling", "--username", who], more].concat();
        admin(&database, "recover-security", &arguments, input)
    };
    for other in ["lin.zhiyuan", "nobody"] {
        let output = recover(other, &[], None);
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("has no security administrator"), "{errors}");
    }
    let output = recover("he.jingming", &["--password-stdin"], Some("short\n"));
    assert_eq!(output.status.code(), Some(1), "the policy holds here, too");
    let done = "SELECT name FROM events WHERE name IN ('user.password_reset', \
                'user.second_factor_reset') ORDER BY seq";
    assert_eq!(database.names(done), Vec::<String>::new());

    let output = recover("he.jingming", &["--second-factor"], None);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("and no second factor"), "{text}");
    assert!(text.contains("initial password: "), "{text}");
    assert_eq!(
        database.names(done),
        ["user.password_reset", "user.second_factor_reset"]
    );
}

#[test]
fn an_initial_password_can_be_given_but_must_keep_the_rules() {
    let database = TestDatabase::empty();
    let arguments = [
        "--username",
        "admin",
        "--display-name",
        "管理员",
        "--security-username",
        "security",
        "--security-display-name",
        "安全管理员",
        "--committee",
        "hezhou",
        "--name",
        "政协河州县委员会",
        "--level",
        "county",
        "--region",
        "河州县",
        "--password-stdin",
    ];
    let output = create(&database, &arguments, Some("short\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("at least 8"));
    let twice = "lantern-over-water\nlantern-over-water\n";
    let output = create(&database, &arguments, Some(twice));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("a password each"));
    let each = "lantern-over-water\nbeacon-on-the-hill\n";
    let output = create(&database, &arguments, Some(each));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && !text.contains("lantern") && !text.contains("beacon"),
        "{text}"
    );
}

/// A served database; killed when dropped.
struct Served {
    child: Child,
    address: String,
    log: std::thread::JoinHandle<()>,
}

impl Served {
    fn start(database: &TestDatabase, grace: &str) -> Self {
        let mut child = program(&["serve", "--bind", "127.0.0.1:0", "--workers", "1"])
            .env("DATABASE_URL", database.url_text())
            .env("JIANJIAN_SERVER__SHUTDOWN_GRACE_SECONDS", grace)
            .spawn()
            .expect("to start");
        let (address, log) = listening(&mut child);
        Self {
            child,
            address,
            log,
        }
    }

    fn health(&self) -> bool {
        program(&["health"])
            .env("JIANJIAN_SERVER__BIND", &self.address)
            .status()
            .expect("to run")
            .success()
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .expect("kill")
                .success()
        );
    }

    fn wait(mut self) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().expect("to wait") {
                self.log.join().expect("the log");
                return status.code();
            }
            pause();
        }
        self.child.kill().expect("to kill");
        panic!("the service did not stop");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test waits for another process"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_signal_turns_readiness_off_and_then_stops_the_service() {
    let database = TestDatabase::empty();
    let served = Served::start(&database, "2");
    assert!(served.health());
    served.terminate();
    let started = Instant::now();
    while served.health() {
        assert!(started.elapsed() < Duration::from_secs(1), "still ready");
        pause();
    }
    assert_eq!(served.wait(), Some(0));
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(1),
        "it stopped before the grace was over"
    );
}

#[test]
fn a_second_signal_stops_the_service_at_once() {
    let database = TestDatabase::empty();
    let served = Served::start(&database, "60");
    served.terminate();
    while served.health() {
        pause();
    }
    served.terminate();
    assert_eq!(served.wait(), Some(0));
}

#[test]
fn instances_that_start_at_once_apply_each_migration_once() {
    let database = TestDatabase::empty();
    let start = || {
        program(&["migrate"])
            .env("DATABASE_URL", database.url_text())
            .spawn()
            .expect("to start")
    };
    let children: Vec<Child> = (0..4).map(|_| start()).collect();
    let mut applied = Vec::new();
    for child in children {
        let output = child.wait_with_output().expect("to run");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        applied.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("applied "))
                .map(str::to_owned),
        );
    }
    let count = applied.len();
    applied.sort_unstable();
    applied.dedup();
    assert_eq!(count, applied.len(), "{applied:?}");
    assert!(count >= 3, "{applied:?}");
}
