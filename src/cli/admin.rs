//! `jianjian admin create`: the first account of a committee.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Failure, out};
use crate::app::setup::{self, FirstAdministrator, NewCommittee};
use crate::auth::password::{HashParams, Passwords};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::startup;
use crate::workflow::lists::CommitteeLevel;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create the first administrator of a committee, and the committee if it does not exist
    Create(Create),
}

#[derive(Debug, clap::Args)]
pub struct Create {
    /// Code of the committee, with which its people sign in
    #[arg(long, value_name = "CODE")]
    committee: String,
    /// Full name of a new committee
    #[arg(long, requires_all = ["level", "region"])]
    name: Option<String>,
    /// Level of a new committee
    #[arg(long, requires_all = ["name", "region"], value_parser = level())]
    level: Option<CommitteeLevel>,
    /// Region of a new committee
    #[arg(long, requires_all = ["name", "level"])]
    region: Option<String>,
    /// Sign-in name of the administrator
    #[arg(long)]
    username: String,
    /// Name of the administrator that others see
    #[arg(long)]
    display_name: String,
    /// Read the initial password from standard input instead of making a random one
    #[arg(long)]
    password_stdin: bool,
}

/// The codes of the list, as help and in messages.
fn level() -> impl TypedValueParser<Value = CommitteeLevel> {
    PossibleValuesParser::new(CommitteeLevel::ALL.iter().map(|level| level.as_str()))
        .try_map(|text| text.parse::<CommitteeLevel>())
}

pub fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let Command::Create(args) = command;
    let password = if args.password_stdin {
        from_stdin()?
    } else {
        setup::initial_password()?
    };
    let costs = HashParams {
        memory_kib: config.auth.argon2_memory_kib,
        passes: config.auth.argon2_iterations,
        lanes: 1,
    };
    let hash = Passwords::new(costs)?.hash_blocking(&password)?;
    let wanted = FirstAdministrator {
        committee: args.committee,
        new_committee: match (args.name, args.level, args.region) {
            (Some(name), Some(level), Some(region)) => Some(NewCommittee {
                name,
                level,
                region,
            }),
            _ => None,
        },
        username: args.username,
        display_name: args.display_name,
    };
    let (shown, told) = (wanted.clone(), password.clone());
    let created = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let now = SystemClock.now();
        db.write("setup.administrator", move |tx| {
            setup::check_password(tx, &wanted, &password)?;
            setup::create_first_administrator(tx, &wanted, &hash, now)
        })
        .await
    })?;
    let state = if created.committee_is_new {
        "created"
    } else {
        "exists already"
    };
    out::line(&format!(
        "committee {} ({}) {state}",
        shown.committee, created.committee
    ));
    out::line(&format!(
        "administrator {} ({}) created",
        shown.username, created.user
    ));
    if !args.password_stdin {
        out::line(&format!("initial password: {told}"));
    }
    out::line("The password must be changed at the first sign-in.");
    Ok(())
}

fn from_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
