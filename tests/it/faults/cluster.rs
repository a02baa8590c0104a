//! A PostgreSQL server of a test's own, which can be killed. Unlike the one that other tests share
//! it writes to the disk as a real one does.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The directory of `initdb`, `pg_ctl` and `postgres`, where they are installed.
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

/// A server; killed and removed when dropped.
pub struct Cluster {
    bin: PathBuf,
    directory: TempDir,
    port: u16,
    as_root: bool,
}

impl Cluster {
    /// Makes and starts one; `None` where its programs are not installed.
    pub fn start(settings: &str) -> Option<Self> {
        let bin = programs()?;
        // A socket's path is limited.
        let directory = tempfile::Builder::new()
            .prefix("jj-pg-")
            .tempdir_in("/tmp")
            .expect("a directory");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let id = Command::new("id").arg("-u").output().expect("id");
        let cluster = Self {
            bin,
            directory,
            port,
            as_root: id.stdout.starts_with(b"0\n"),
        };
        if cluster.as_root {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(cluster.directory.path())
                .status();
            assert!(owned.expect("chown").success());
        }
        cluster.run(
            "initdb",
            &[
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
        );
        let path = cluster.data().join("postgresql.conf");
        let conf = std::fs::read_to_string(&path).expect("postgresql.conf");
        let own = format!(
            "{conf}\nlisten_addresses = '127.0.0.1'\nport = {port}\n\
             unix_socket_directories = '{}'\nmax_connections = 60\njit = off\n{settings}\n",
            cluster.directory.path().display()
        );
        std::fs::write(&path, own).expect("postgresql.conf");
        cluster.up();
        Some(cluster)
    }

    /// Its files.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What a client connects to.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it; returns when it takes connections.
    pub fn up(&self) {
        let log = self.directory.path().join("log");
        let log = log.to_str().expect("a name");
        self.run("pg_ctl", &["start", "--silent", "--wait", "--log", log]);
    }

    /// Ends it and everything it started, without a word.
    pub fn kill(&self) {
        let pids = std::fs::read_to_string(self.data().join("postmaster.pid"));
        let pids = pids.unwrap_or_default();
        let Some(main) = pids.lines().next().map(str::to_owned) else {
            return;
        };
        let children = format!("/proc/{main}/task/{main}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        for pid in [main.as_str()]
            .into_iter()
            .chain(children.split_whitespace())
        {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.bin.join(program);
        let mut command = if self.as_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Not a pipe: the server keeps what it inherits.
        let output = self.directory.path().join("output");
        let file = std::fs::File::create(&output).expect("a file");
        let done = command
            .args(arguments)
            .arg("--pgdata")
            .arg(self.data())
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .stdin(std::process::Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .status()
            .expect(program);
        let log = std::fs::read_to_string(self.directory.path().join("log"));
        assert!(
            done.success(),
            "{program}: {}{}",
            std::fs::read_to_string(&output).unwrap_or_default(),
            log.unwrap_or_default()
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
