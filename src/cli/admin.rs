//! `jianjian admin`: the first accounts of a committee.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Failure, out};
use crate::app::setup::{self, FirstAccount, FirstAdministrators, NewCommittee};
use crate::auth::password::{HashParams, Passwords};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::startup;
use crate::workflow::lists::CommitteeLevel;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create the first system administrator and the first security administrator of a committee,
    /// and the committee if it does not exist
    Create(Create),
    /// Create the first security administrator of a committee that has none
    CreateSecurity(CreateSecurity),
    /// Let a security administrator in again who forgot the password or lost the second factor,
    /// where no other one can help
    RecoverSecurity(RecoverSecurity),
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
    /// Sign-in name of the system administrator, who makes accounts
    #[arg(long)]
    username: String,
    /// Name of the system administrator that others see
    #[arg(long)]
    display_name: String,
    /// Sign-in name of the security administrator, who grants roles: another person
    #[arg(long)]
    security_username: String,
    /// Name of the security administrator that others see
    #[arg(long)]
    security_display_name: String,
    /// Read the initial passwords from standard input instead of making random ones: a line for
    /// the system administrator, a line for the security administrator
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub struct CreateSecurity {
    /// Code of the committee
    #[arg(long, value_name = "CODE")]
    committee: String,
    /// Sign-in name of the security administrator
    #[arg(long)]
    username: String,
    /// Name of the security administrator that others see
    #[arg(long)]
    display_name: String,
    /// Read the initial password from standard input instead of making a random one
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub struct RecoverSecurity {
    /// Code of the committee
    #[arg(long, value_name = "CODE")]
    committee: String,
    /// Sign-in name of the security administrator
    #[arg(long)]
    username: String,
    /// Take the second factor of the account away, too
    #[arg(long)]
    second_factor: bool,
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
    match command {
        Command::Create(args) => create(args, config),
        Command::CreateSecurity(args) => create_security(args, config),
        Command::RecoverSecurity(args) => recover_security(args, config),
    }
}

fn create(args: Create, config: &Config) -> Result<(), Failure> {
    let given = args.password_stdin;
    let system = initial_password(given)?;
    let security = initial_password(given)?;
    if system == security {
        return Err(Failure::Other(
            "the two administrators need a password each".to_owned(),
        ));
    }
    let passwords = passwords(config)?;
    let hashes = (
        passwords.hash_new_blocking("password", &system)?,
        passwords.hash_new_blocking("password", &security)?,
    );
    let wanted = FirstAdministrators {
        committee: args.committee,
        new_committee: match (args.name, args.level, args.region) {
            (Some(name), Some(level), Some(region)) => Some(NewCommittee {
                name,
                level,
                region,
            }),
            _ => None,
        },
        system: FirstAccount {
            username: args.username,
            display_name: args.display_name,
        },
        security: FirstAccount {
            username: args.security_username,
            display_name: args.security_display_name,
        },
    };
    let shown = wanted.clone();
    let to_check = (system.clone(), security.clone());
    let created = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let now = SystemClock.now();
        db.write("setup.administrators", move |tx| {
            let code = &wanted.committee;
            setup::check_password(tx, code, &wanted.system, &to_check.0)?;
            setup::check_password(tx, code, &wanted.security, &to_check.1)?;
            setup::create_first_administrators(tx, &wanted, (&hashes.0, &hashes.1), now)
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
    for (title, account, id, password) in [
        (
            "system administrator",
            &shown.system,
            created.system,
            &system,
        ),
        (
            "security administrator",
            &shown.security,
            created.security,
            &security,
        ),
    ] {
        out::line(&format!("{title} {} ({id}) created", account.username));
        if !given {
            out::line(&format!("initial password: {password}"));
        }
    }
    out::line("Each password must be changed at the first sign-in.");
    Ok(())
}

fn create_security(args: CreateSecurity, config: &Config) -> Result<(), Failure> {
    let password = initial_password(args.password_stdin)?;
    let hash = passwords(config)?.hash_new_blocking("password", &password)?;
    let (code, username) = (args.committee, args.username);
    let account = FirstAccount {
        username: username.clone(),
        display_name: args.display_name,
    };
    let told = password.clone();
    let (_, user) = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let now = SystemClock.now();
        db.write("setup.security", move |tx| {
            setup::check_password(tx, &code, &account, &password)?;
            setup::create_first_security_administrator(tx, &code, &account, &hash, now)
        })
        .await
    })?;
    out::line(&format!(
        "security administrator {username} ({user}) created"
    ));
    tell((!args.password_stdin).then_some(&told));
    Ok(())
}

fn recover_security(args: RecoverSecurity, config: &Config) -> Result<(), Failure> {
    let password = initial_password(args.password_stdin)?;
    let hash = passwords(config)?.hash_new_blocking("password", &password)?;
    let (code, username, second_factor) = (args.committee, args.username, args.second_factor);
    let (name, told) = (username.clone(), password.clone());
    let user = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let now = SystemClock.now();
        db.write("setup.recovery", move |tx| {
            let secret = (password.as_str(), hash.as_str());
            setup::recover_security_administrator(tx, &code, &username, secret, second_factor, now)
        })
        .await
    })?;
    let and = if second_factor {
        " and no second factor"
    } else {
        ""
    };
    out::line(&format!(
        "security administrator {name} ({user}) has a new password{and} and is signed out everywhere"
    ));
    tell((!args.password_stdin).then_some(&told));
    Ok(())
}

fn tell(password: Option<&String>) {
    if let Some(password) = password {
        out::line(&format!("initial password: {password}"));
    }
    out::line("The password must be changed at the first sign-in.");
}

fn passwords(config: &Config) -> Result<Passwords, Failure> {
    let costs = HashParams {
        memory_kib: config.auth.argon2_memory_kib,
        passes: config.auth.argon2_iterations,
        lanes: 1,
    };
    Ok(Passwords::new(costs)?.refusing(config.auth.leaked.clone()))
}

/// A random password, or the next line of standard input.
fn initial_password(given: bool) -> Result<String, Failure> {
    if !given {
        return Ok(setup::initial_password()?);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
