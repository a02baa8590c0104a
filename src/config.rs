//! Settings: read once at the start from four places, each overriding the one before: the
//! defaults built into the program, a file, the environment, the command line.
//!
//! `RawConfig` has the shape of the file; [`Config`] is what the program works with. Whatever
//! is wrong is told in one line that names the key and where it was set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;

use config::{File, FileFormat, Map, Source, Value, ValueKind};
use serde::Deserialize;

use crate::files::Storage;
use crate::keep::Keeper;
use crate::openid;
use crate::store::room::Limits as Room;
use crate::store::{DatabaseUrl, Threads};

mod auth;
mod clients;
mod limits;
mod mail;
mod room;
mod second_factor;
mod storage;
mod webhooks;

pub use auth::Auth;
pub use clients::Clients;
pub use limits::Limits;
pub use mail::{Mail, MailTls, Notifications};
pub use second_factor::{RequiredFor, SecondFactor};
pub use webhooks::Webhooks;

/// Every setting with its default and its documentation.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Where a value stands that nobody set.
const DEFAULT: &str = "default";

/// What is before the section in the name of an environment variable.
const ENV_PREFIX: &str = "JIANJIAN_";

/// Environment variables under the names that other programs use, with the keys they set.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("STORAGE_URL", "storage.url"),
];

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The storage of files.
    pub storage: Storage,
    /// How many requests a caller may make.
    pub limits: Limits,
    /// Signing in.
    pub auth: Auth,
    /// Work that is done after the answer.
    pub jobs: Jobs,
    /// The mail server; `None`: no mail is sent.
    pub mail: Option<Mail>,
    /// What people are told.
    pub notifications: Notifications,
    /// Messages to other systems.
    pub webhooks: Webhooks,
    /// The second factor.
    pub second_factor: SecondFactor,
    /// Signing in through identity providers.
    pub openid: openid::Settings,
    /// The audit trail.
    pub audit: Audit,
    /// The log.
    pub log: Log,
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Worker threads; 0 for one per processor.
    pub workers: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// How long requests under way may take when the service stops.
    pub shutdown: Duration,
    /// How long the service goes on accepting while it already says that it is not ready.
    pub shutdown_grace: Duration,
    /// Where clients reach the service.
    pub public_url: String,
    /// How the address of a client is found.
    pub clients: Clients,
    /// Origins whose pages may read answers.
    pub allowed_origins: Vec<String>,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Database threads.
    pub threads: Threads,
    /// Whether to bring it up to date at the start.
    pub migrate_on_start: bool,
    /// How long the start waits for a PostgreSQL server that does not answer.
    pub wait: Duration,
    /// The room that must be left.
    pub room: Room,
}

/// Work that is done after the answer.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// The server does it too.
    pub in_server: bool,
    /// How long a worker may hold a job before another one takes it over.
    pub lease: SignedDuration,
}

/// The audit trail.
#[derive(Debug, Clone)]
pub struct Audit {
    /// How often it is sealed.
    pub seal_every: SignedDuration,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// Filter, such as `info,jianjian::store=debug`.
    pub level: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object per line.
    Json,
}

/// A setting that cannot be used, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The settings as they stand in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    server: RawServer,
    database: RawDatabase,
    storage: storage::RawStorage,
    limits: limits::RawLimits,
    auth: auth::RawAuth,
    jobs: RawJobs,
    mail: mail::RawMail,
    notifications: mail::RawNotifications,
    webhooks: webhooks::RawWebhooks,
    secrets: second_factor::RawSecrets,
    second_factor: second_factor::RawSecondFactor,
    openid: second_factor::RawOpenId,
    audit: RawAudit,
    log: RawLog,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAudit {
    seal_hours: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJobs {
    in_server: bool,
    lease_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    bind: String,
    workers: u64,
    connections: u64,
    shutdown_seconds: u64,
    shutdown_grace_seconds: u64,
    public_url: String,
    client_address_header: String,
    trusted_proxies: String,
    allowed_origins: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    url: String,
    read_threads: u64,
    write_threads: u64,
    queue: u64,
    migrate_on_start: bool,
    wait_seconds: u64,
    min_free_mib: u64,
    volume: String,
    max_size_mib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    format: String,
    level: String,
}

/// Where settings come from, beside the defaults.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file, if one is given. It must exist.
    pub file: Option<PathBuf>,
    /// The environment; variables that are no settings are passed over.
    pub environment: Vec<(String, String)>,
    /// From the command line: key such as `server.bind`, name of the flag, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

impl Config {
    /// Reads and checks the settings.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let merged = merge(sources)?;
        let raw = config::Config::builder()
            .add_source(Set(merged.clone().into_iter().collect()))
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError(one_line(&error)))?;
        check(raw, &Origins(merged))
    }
}

/// Every key with the value in force, marked with where it stands.
fn merge(sources: &Sources) -> Result<BTreeMap<String, Value>, ConfigError> {
    let mut merged = keys(DEFAULTS, DEFAULT)?;
    if let Some(path) = &sources.file {
        merged.extend(from_file(path)?);
    }
    merged.extend(from_environment(&sources.environment)?);
    merged.extend(from_flags(&sources.flags));
    Ok(merged)
}

/// The settings in force as TOML, each with where it comes from, without passwords.
pub fn in_force(sources: &Sources) -> Result<String, ConfigError> {
    let config = Config::load(sources)?;
    let merged = merge(sources)?;
    let (mut out, mut section) = (String::new(), String::new());
    for line in DEFAULTS.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            out.extend([
                if out.is_empty() { "[" } else { "\n[" },
                section.as_str(),
                "]\n",
            ]);
        } else if let Some((name, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let key = format!("{section}.{}", name.trim());
            let Some(value) = merged.get(&key) else {
                continue;
            };
            let origin = value.origin().unwrap_or(DEFAULT);
            let shown = match key.as_str() {
                "database.url" => format!("{:?}", config.database.url.to_string()),
                "storage.s3_secret_access_key"
                | "mail.password"
                | "webhooks.key"
                | "secrets.key"
                    if shown_secret(value) =>
                {
                    "\"***\"".to_owned()
                }
                _ => toml(value),
            };
            out.extend([name.trim(), " = ", &shown, " # ", origin, "\n"]);
        }
    }
    Ok(out)
}

/// Whether a secret is set at all: that much may be known.
fn shown_secret(value: &Value) -> bool {
    !matches!(&value.kind, ValueKind::String(text) if text.is_empty())
}

fn toml(value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() => {
            text.clone()
        }
        ValueKind::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// Names of all settings, such as `server.bind`.
pub fn known_keys() -> BTreeSet<String> {
    keys(DEFAULTS, DEFAULT)
        .map(|keys| keys.into_keys().collect())
        .unwrap_or_default()
}

/// The environment variable that sets a key.
pub fn variable(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Keys and values as the `config` crate takes them.
#[derive(Debug, Clone)]
struct Set(Map<String, Value>);

impl Source for Set {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn from_file(path: &Path) -> Result<BTreeMap<String, Value>, ConfigError> {
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError(format!(
            "cannot read the configuration file {origin}: {error}"
        ))
    })?;
    let given = keys(&text, &origin)?;
    let defaults = keys(DEFAULTS, DEFAULT)?;
    for (key, value) in &given {
        let Some(default) = defaults.get(key) else {
            return Err(unknown(key, key, &origin, &known_keys()));
        };
        if kind(value) != kind(default) {
            let what = format!("it must be {}, not {}", kind(default), kind(value));
            return Err(ConfigError(format!("{key}, set in {origin}: {what}")));
        }
    }
    Ok(given)
}

/// What a value is, in words. Only the environment and the command line give numbers as text.
fn kind(value: &Value) -> &'static str {
    match value.kind {
        ValueKind::String(_) => "a text in quotes",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
            "a whole number"
        }
        _ => "something else",
    }
}

/// The keys of a TOML text with their values, each marked with where it stands.
fn keys(text: &str, origin: &str) -> Result<BTreeMap<String, Value>, ConfigError> {
    fn flatten(
        prefix: &str,
        table: Map<String, Value>,
        origin: &String,
        out: &mut BTreeMap<String, Value>,
    ) {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}.{name}")
            };
            match value.kind {
                ValueKind::Table(table) if !prefix.is_empty() || !table.is_empty() => {
                    flatten(&key, table, origin, out);
                }
                kind => {
                    out.insert(key, Value::new(Some(origin), kind));
                }
            }
        }
    }
    let table = File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| {
            ConfigError(format!("{origin} is not valid TOML: {}", one_line(&error)))
        })?;
    let mut out = BTreeMap::new();
    flatten("", table, &origin.to_owned(), &mut out);
    Ok(out)
}

fn from_environment(
    environment: &[(String, String)],
) -> Result<BTreeMap<String, Value>, ConfigError> {
    let known = known_keys();
    let mut out = BTreeMap::new();
    for (name, text) in environment {
        let short = SHORT_NAMES.iter().find(|(short, _)| short == name);
        let key = if let Some((_, key)) = short {
            // The more exact name wins, whatever the order.
            if environment.iter().any(|(name, _)| *name == variable(key)) {
                continue;
            }
            (*key).to_owned()
        } else if let Some(rest) = name
            .strip_prefix(ENV_PREFIX)
            .filter(|rest| rest.contains("__"))
        {
            let key = rest.to_lowercase().replace("__", ".");
            if !known.contains(&key) {
                return Err(unknown(name, &key, "the environment", &known));
            }
            key
        } else {
            continue;
        };
        let origin = format!("the environment variable {name}");
        out.insert(key, Value::new(Some(&origin), text.clone()));
    }
    Ok(out)
}

fn from_flags(flags: &[(&'static str, &'static str, String)]) -> BTreeMap<String, Value> {
    flags
        .iter()
        .map(|(key, flag, text)| {
            let origin = format!("the option {flag}");
            ((*key).to_owned(), Value::new(Some(&origin), text.clone()))
        })
        .collect()
}

fn unknown(shown: &str, key: &str, origin: &str, known: &BTreeSet<String>) -> ConfigError {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let hint = known
        .iter()
        .find(|candidate| last(candidate) == last(key))
        .map_or_else(
            || "see docs/configuration.md".to_owned(),
            |key| format!("did you mean {key}?"),
        );
    ConfigError(format!(
        "there is no setting '{shown}', given in {origin}; {hint}"
    ))
}

fn one_line(error: &config::ConfigError) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Tells where a value comes from.
struct Origins(BTreeMap<String, Value>);

impl Origins {
    fn wrong(&self, key: &str, what: impl fmt::Display) -> ConfigError {
        let origin = self.0.get(key).and_then(Value::origin).unwrap_or(DEFAULT);
        ConfigError(format!("{key}, set in {origin}: {what}"))
    }

    fn within<T: TryFrom<u64>>(
        &self,
        key: &str,
        value: u64,
        min: u64,
        max: u64,
    ) -> Result<T, ConfigError> {
        let wrong = || self.wrong(key, format!("{value} is not from {min} to {max}"));
        if !(min..=max).contains(&value) {
            return Err(wrong());
        }
        T::try_from(value).map_err(|_| wrong())
    }

    /// Keeps secrets with the key that a setting holds, if it holds one.
    fn keeper(&self, setting: &'static str, text: &str) -> Result<Keeper, ConfigError> {
        if text.is_empty() {
            return Ok(Keeper::new(setting, None));
        }
        let bytes = STANDARD.decode(text).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = bytes.ok_or_else(|| self.wrong(setting, "not 32 bytes in base64"))?;
        Ok(Keeper::new(setting, Some(key)))
    }

    fn not_empty(&self, key: &str, value: String) -> Result<String, ConfigError> {
        if value.trim().is_empty() {
            Err(self.wrong(key, "it must not be empty"))
        } else {
            Ok(value)
        }
    }
}

fn check(raw: RawConfig, origins: &Origins) -> Result<Config, ConfigError> {
    let RawConfig {
        server,
        database,
        storage,
        limits,
        auth,
        jobs,
        mail,
        notifications,
        webhooks,
        secrets,
        second_factor,
        openid,
        audit,
        log,
    } = raw;
    let server = check_server(server, origins)?;
    let database = check_database(&database, origins)?;
    Ok(Config {
        auth: auth::check(auth, &server.public_url, origins)?,
        mail: mail::check(mail, &server.public_url, origins)?,
        notifications: mail::check_notifications(&notifications, origins)?,
        server,
        storage: storage::check(storage, &database.url, origins)?,
        database,
        limits: limits::check(&limits, origins)?,
        jobs: Jobs {
            in_server: jobs.in_server,
            lease: SignedDuration::from_secs(origins.within(
                "jobs.lease_seconds",
                jobs.lease_seconds,
                1,
                3600,
            )?),
        },
        webhooks: webhooks::check(&webhooks, origins)?,
        second_factor: second_factor::check(second_factor, &secrets, origins)?,
        openid: second_factor::check_openid(&openid, origins)?,
        audit: Audit {
            seal_every: SignedDuration::from_hours(origins.within(
                "audit.seal_hours",
                audit.seal_hours,
                1,
                168,
            )?),
        },
        log: check_log(log, origins)?,
    })
}

fn check_database(database: &RawDatabase, origins: &Origins) -> Result<Database, ConfigError> {
    let url: DatabaseUrl = database
        .url
        .parse()
        .map_err(|error: String| origins.wrong("database.url", error))?;
    Ok(Database {
        room: room::check(database, &url, origins)?,
        url,
        threads: Threads {
            read: origins.within("database.read_threads", database.read_threads, 1, 256)?,
            write: origins.within("database.write_threads", database.write_threads, 1, 256)?,
            queue: origins.within("database.queue", database.queue, 1, 100_000)?,
        },
        migrate_on_start: database.migrate_on_start,
        wait: Duration::from_secs(origins.within(
            "database.wait_seconds",
            database.wait_seconds,
            0,
            3600,
        )?),
    })
}

fn check_server(server: RawServer, origins: &Origins) -> Result<Server, ConfigError> {
    let seconds = |key, value, max| origins.within(key, value, 0, max).map(Duration::from_secs);
    let public_url = origins.not_empty("server.public_url", server.public_url)?;
    if !(public_url.starts_with("http://") || public_url.starts_with("https://"))
        || public_url.ends_with('/')
    {
        return Err(origins.wrong(
            "server.public_url",
            format!("'{public_url}' does not start with http:// or https://, or ends with a slash"),
        ));
    }
    let allowed_origins = check_allowed_origins(&server.allowed_origins, origins)?;
    Ok(Server {
        bind: server.bind.parse().map_err(|_| {
            let what = format!(
                "'{}' is not an address with a port, such as 127.0.0.1:8080",
                server.bind
            );
            origins.wrong("server.bind", what)
        })?,
        workers: origins.within("server.workers", server.workers, 0, 512)?,
        connections: origins.within("server.connections", server.connections, 1, 1_000_000)?,
        shutdown: seconds("server.shutdown_seconds", server.shutdown_seconds, 3600)?,
        shutdown_grace: seconds(
            "server.shutdown_grace_seconds",
            server.shutdown_grace_seconds,
            300,
        )?,
        public_url,
        clients: clients::check(
            &server.client_address_header,
            &server.trusted_proxies,
            origins,
        )?,
        allowed_origins,
    })
}

/// An origin is what browsers send: scheme, host and, where it is not the usual one, port.
fn check_allowed_origins(text: &str, origins: &Origins) -> Result<Vec<String>, ConfigError> {
    let listed = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    listed
        .map(|one| {
            let host = one
                .strip_prefix("https://")
                .or_else(|| one.strip_prefix("http://"));
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
            };
            match host {
                Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(one.to_owned()),
                _ => Err(origins.wrong(
                    "server.allowed_origins",
                    format!("'{one}' is no origin, such as https://tian.example.cn"),
                )),
            }
        })
        .collect()
}

fn check_log(log: RawLog, origins: &Origins) -> Result<Log, ConfigError> {
    let format = match log.format.as_str() {
        "human" => LogFormat::Human,
        "json" => LogFormat::Json,
        other => {
            return Err(origins.wrong("log.format", format!("'{other}' is neither human nor json")));
        }
    };
    crate::telemetry::filter(&log.level)
        .map_err(|error| origins.wrong("log.level", format!("'{}': {error}", log.level)))?;
    Ok(Log {
        format,
        level: log.level,
    })
}

/// `docs/configuration.md`, made from the commented defaults.
pub fn markdown() -> String {
    let mut out = String::from(MARKDOWN_HEAD);
    let (mut section, mut comment) = (String::new(), Vec::new());
    for line in DEFAULTS.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            out.extend(["\n## `[", &section, "]`\n\n", &comment.join(" "), "\n"]);
            comment.clear();
        } else if let Some((name, value)) = line.split_once('=') {
            let key = format!("{section}.{}", name.trim());
            out.extend([
                "\n### `",
                &key,
                "`\n\n",
                &comment.join("\n"),
                "\n\nDefault: `",
            ]);
            out.extend([value.trim(), "`. Environment: `", &variable(&key), "`.\n"]);
            comment.clear();
        } else {
            comment.clear();
        }
    }
    out
}

const MARKDOWN_HEAD: &str = "\
# Configuration

<!-- Made from config/default.toml with `jianjian config --markdown`; do not edit. -->

Settings come from four places, each overriding the one before:

1. the defaults listed here (`config/default.toml`, built into the program);
2. a TOML file, given by `--config FILE` or the environment variable `JIANJIAN_CONFIG`;
3. environment variables `JIANJIAN_<SECTION>__<KEY>`, `DATABASE_URL` and `STORAGE_URL`;
4. options of the command line, such as `--bind` (see `jianjian help`).

A setting that does not exist or has a value that cannot be used stops the program with exit
status 2 and one line that names the setting and where it was given. Environment variables that
start with `JIANJIAN_` but have no double underscore are no settings and are passed over.
`jianjian config` shows the settings in force, without passwords.
";

#[cfg(test)]
mod tests;
