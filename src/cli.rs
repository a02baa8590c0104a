//! The command line.
//!
//! Exit status 0: done; 1: failed; 2: the command line or a setting cannot be used. What goes
//! wrong is told on standard error in one line.

mod admin;
mod audit;
mod backup;
mod demo;
mod health;
mod jobs;
mod openapi;
mod out;
mod seed;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::clock::SystemClock;
use crate::config::{self, Config, ConfigError, Sources};
use crate::error::Error;
use crate::{startup, telemetry};

/// REST API that drives the proposals of a consultative assembly from submission to close-out.
#[derive(Debug, Parser)]
#[command(name = "jianjian", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Settings {
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE", env = "JIANJIAN_CONFIG")]
    config: Option<PathBuf>,
    /// Database; overrides the setting database.url
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// human or json; overrides the setting log.format
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Such as info or warn,jianjian=debug; overrides the setting log.level
    #[arg(long, global = true, value_name = "FILTER")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests until SIGTERM or SIGINT
    Serve(ServeArgs),
    /// Do the work that is done after the answer, beside one or more servers
    Worker,
    /// Serve a demo committee with invented data, made on the first run
    Demo(ServeArgs),
    /// Fill the database with synthetic committees, for load tests
    Seed(seed::Args),
    /// Bring the database up to date
    Migrate,
    /// Make the first administrators of a committee
    #[command(subcommand)]
    Admin(admin::Command),
    /// Look after the work that is done after the answer
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Copy the database and the files, while the service runs, into a new directory
    Backup(backup::Backup),
    /// Bring a backup back to where nothing is, or check one, or check what is there
    Restore(backup::Restore),
    /// Check every chain and every seal of the audit trail; name the first broken place of each kind
    Verify(verify::Args),
    /// Seal the audit trail, export seals
    #[command(subcommand)]
    Audit(audit::Command),
    /// Ask the running service whether it is ready
    Health,
    /// Show the settings in force, without passwords
    Config(ConfigArgs),
    /// Write the OpenAPI document to openapi/openapi.json
    Openapi(openapi::Args),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Address and port; overrides the setting server.bind
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Threads that answer requests; overrides the setting server.workers
    #[arg(long, value_name = "COUNT")]
    workers: Option<String>,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// Print the reference of all settings instead
    #[arg(long, conflicts_with = "defaults")]
    markdown: bool,
    /// Print the commented defaults instead, to start a configuration file from
    #[arg(long)]
    defaults: bool,
}

/// Why a command failed.
enum Failure {
    /// A setting cannot be used.
    Config(ConfigError),
    /// Anything else, in one line.
    Other(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Error> for Failure {
    /// The words for the log are for whoever has the command line, too.
    fn from(error: Error) -> Self {
        let mut words = match (error.detail_message(), error.log_context()) {
            (Some(detail), _) => detail.en.to_string(),
            (None, Some(context)) => context.to_owned(),
            (None, None) => error.code().title().en.to_owned(),
        };
        for field in error.fields() {
            words.extend(["; ", &field.pointer, ": ", &field.message.en]);
        }
        Self::Other(words)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let (message, code) = match run(Cli::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Config(error)) => (error.to_string(), 2),
        Err(Failure::Other(message)) => (message, 1),
    };
    out::error(&message);
    ExitCode::from(code)
}

fn run(cli: Cli) -> Result<(), Failure> {
    let sources = sources(&cli);
    match cli.command {
        Command::Openapi(args) => openapi::run(&args),
        Command::Config(args) => {
            out::text(&match args {
                ConfigArgs { markdown: true, .. } => config::markdown(),
                ConfigArgs { defaults: true, .. } => config::DEFAULTS.to_owned(),
                ConfigArgs { .. } => config::in_force(&sources)?,
            });
            Ok(())
        }
        Command::Serve(_) => {
            let config = load(&sources)?;
            Ok(startup::block_on(startup::serve(
                config,
                Arc::new(SystemClock),
            ))?)
        }
        Command::Worker => Ok(startup::block_on(startup::work(
            load(&sources)?,
            Arc::new(SystemClock),
        ))?),
        Command::Demo(_) => demo::run(load(&sources)?),
        Command::Seed(args) => seed::run(&args, &load(&sources)?),
        Command::Migrate => {
            let config = load(&sources)?;
            let applied = startup::block_on(startup::migrate(&config.database))?;
            for name in &applied {
                out::line(&format!("applied {name}"));
            }
            if applied.is_empty() {
                out::line("the database is up to date");
            }
            Ok(())
        }
        Command::Admin(command) => admin::run(command, &Config::load(&sources)?),
        Command::Jobs(command) => jobs::run(&command, &load(&sources)?),
        Command::Backup(args) => backup::back_up(&args, &load(&sources)?),
        Command::Restore(args) => backup::restore(&args, &load(&sources)?),
        Command::Verify(args) => verify::run(&args, &load(&sources)?),
        Command::Audit(command) => audit::run(&command, &load(&sources)?),
        Command::Health => health::run(&Config::load(&sources)?),
    }
}

/// Reads the settings and starts the log.
fn load(sources: &Sources) -> Result<Config, Failure> {
    let config = Config::load(sources)?;
    telemetry::start_log(&config.log).map_err(Failure::Other)?;
    Ok(config)
}

fn sources(cli: &Cli) -> Sources {
    let mut flags = vec![
        ("database.url", "--database-url", &cli.settings.database_url),
        ("log.format", "--log-format", &cli.settings.log_format),
        ("log.level", "--log-level", &cli.settings.log_level),
    ];
    if let Command::Serve(args) | Command::Demo(args) = &cli.command {
        flags.push(("server.bind", "--bind", &args.bind));
        flags.push(("server.workers", "--workers", &args.workers));
    }
    Sources {
        file: cli.settings.config.clone(),
        // Names and values that are not UTF-8 cannot be settings.
        environment: std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
            .collect(),
        flags: flags
            .into_iter()
            .filter_map(|(key, flag, text)| Some((key, flag, text.clone()?)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn verify_cli() {
        Cli::command().debug_assert();
    }
}
