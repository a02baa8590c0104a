//! A PostgreSQL server of a test's own, which can be killed.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection};
use jianjian::store::DatabaseUrl;
use tempfile::TempDir;

use super::service;

/// The directory of `initdb` and `postgres`, where they are installed.
pub fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .chain([PathBuf::from("/usr/local/pgsql/bin")])
        .filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .collect();
    found.sort_by_key(|bin| {
        let version = bin.parent().and_then(Path::file_name);
        let version = version.and_then(OsStr::to_str);
        version.and_then(|version| version.parse::<u32>().ok())
    });
    found.pop()
}

/// The account that the server runs as, where tests run as root, which it refuses.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    fn needed() -> Option<Self> {
        let own = Command::new("id").arg("-u").output().expect("id");
        if !own.stdout.starts_with(b"0\n") {
            return None;
        }
        let accounts = std::fs::read_to_string("/etc/passwd").expect("the accounts");
        let of = |name: &str| {
            let line = accounts
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = line.split(':').skip(2).map(str::parse);
            let (user, group) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            Some(Self { user, group })
        };
        of("postgres").or_else(|| of("nobody"))
    }
}

/// A server; killed and removed when dropped.
pub struct Cluster {
    bin: PathBuf,
    directory: TempDir,
    port: u16,
    account: Option<Account>,
    main: Mutex<Option<Child>>,
}

impl Cluster {
    /// Makes and starts one; `None` where its programs are not installed.
    pub async fn start(settings: &str) -> Option<Self> {
        let settings = settings.to_owned();
        let made = tokio::task::spawn_blocking(move || Self::make(&settings));
        let cluster = made.await.expect("the server to be made")?;
        cluster.up().await;
        Some(cluster)
    }

    fn make(settings: &str) -> Option<Self> {
        let bin = programs()?;
        // A socket's path is limited.
        let directory = tempfile::Builder::new()
            .prefix("jj-pg-")
            .tempdir_in("/tmp")
            .expect("a directory");
        let cluster = Self {
            bin,
            directory,
            port: service::port(),
            account: Account::needed(),
            main: Mutex::default(),
        };
        cluster.own(cluster.directory.path());
        let initialised = cluster
            .program("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(cluster.data())
            .output()
            .expect("initdb");
        let words = String::from_utf8_lossy(&initialised.stderr);
        assert!(initialised.status.success(), "initdb: {words}");
        let path = cluster.data().join("postgresql.conf");
        let conf = std::fs::read_to_string(&path).expect("postgresql.conf");
        let own = format!(
            "{conf}\nlisten_addresses = '127.0.0.1'\nport = {}\n\
             unix_socket_directories = '{}'\nmax_connections = 60\njit = off\n{settings}\n",
            cluster.port,
            cluster.directory.path().display()
        );
        std::fs::write(&path, own).expect("postgresql.conf");
        Some(cluster)
    }

    /// Gives a directory to the account of the server.
    pub fn own(&self, directory: &Path) {
        if let Some(Account { user, group }) = self.account {
            std::os::unix::fs::chown(directory, Some(user), Some(group)).expect("to give it away");
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What a client connects to.
    pub fn url(&self) -> DatabaseUrl {
        self.url_of("postgres")
    }

    /// One of its databases.
    pub fn url_of(&self, database: &str) -> DatabaseUrl {
        let port = self.port;
        DatabaseUrl::Postgres(format!("postgres://postgres@127.0.0.1:{port}/{database}"))
    }

    /// Starts it; returns when it takes connections.
    pub async fn up(&self) {
        let log = self.directory.path().join("log");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log");
        let child = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .stderr(file)
            .spawn()
            .expect("postgres");
        *self.main.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let DatabaseUrl::Postgres(url) = self.url() else {
            return;
        };
        let started = Instant::now();
        loop {
            let url = url.clone();
            let asked = tokio::task::spawn_blocking(move || PgConnection::establish(&url).is_ok());
            if asked.await.expect("an answer") {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "postgres did not start: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the process that writes the log when nobody waits for it: it may be slow at any time,
    /// and nothing may depend on it. The server must have nothing to do meanwhile.
    pub fn hold_log_writer(&self) {
        let held = self.children().into_iter().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("walwriter")
        });
        signal("STOP", &held.expect("the writer of the log"));
    }

    /// Ends it and everything it started, without a word.
    pub fn kill(&self) {
        let child = self
            .main
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut child) = child else { return };
        // So that it starts nobody while those who are there are looked for.
        signal("STOP", &child.id().to_string());
        for pid in children_of(child.id()) {
            signal("KILL", &pid);
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn children(&self) -> Vec<String> {
        let main = self.main.lock().unwrap_or_else(PoisonError::into_inner);
        let main = main.as_ref().map(Child::id);
        main.map(children_of).unwrap_or_default()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Those whom a process started.
fn children_of(main: u32) -> Vec<String> {
    let children = std::fs::read_to_string(format!("/proc/{main}/task/{main}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().map(str::to_owned).collect()
}

fn signal(name: &str, pid: &str) {
    // Whoever is gone already needs none.
    let _ = Command::new("kill")
        .args([&format!("-{name}"), pid])
        .output();
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
