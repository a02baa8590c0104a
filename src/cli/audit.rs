//! `jianjian audit`: seals over the audit trail, for whoever looks after the machine.

use std::path::PathBuf;

use super::{Failure, out};
use crate::app::sealing;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::error::{Error, Message, Result};
use crate::ids::CommitteeId;
use crate::startup;
use crate::store::{Db, seals, setup};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Seal what is new now, in every committee
    Seal(Seal),
    /// Write the last seal of a committee, to be kept elsewhere
    ExportHead(ExportHead),
    /// Sign seals with a new key from now on; the private half of the old one is forgotten
    RotateKey,
}

#[derive(Debug, clap::Args)]
pub struct Seal {
    /// Only this committee
    #[arg(long, value_name = "CODE")]
    committee: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct ExportHead {
    /// The committee
    #[arg(long, value_name = "CODE")]
    committee: String,
    /// Where to write it; standard output if absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(command: &Command, config: &Config) -> std::result::Result<(), Failure> {
    startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        match command {
            Command::Seal(args) => seal(&db, args).await.map_err(Failure::from),
            Command::ExportHead(args) => export(&db, args).await,
            Command::RotateKey => {
                let now = SystemClock.now();
                let key = db
                    .write("audit.rotate_key", move |tx| seals::rotate_key(tx, now))
                    .await?;
                out::line(&format!("seals are signed with the key {} now", key.kid));
                Ok(())
            }
        }
    })
}

async fn seal(db: &Db, args: &Seal) -> Result<()> {
    let all = match &args.committee {
        Some(code) => vec![(committee(db, code).await?, code.clone())],
        None => db.read("audit.committees", setup::committees).await?,
    };
    for (committee, code) in all {
        match sealing::seal_all(db, committee, SystemClock.now()).await? {
            Some(seal) => out::line(&format!("{code}: seal {} {}", seal.number, seal.hash)),
            None => out::line(&format!("{code}: nothing is new")),
        }
    }
    Ok(())
}

async fn export(db: &Db, args: &ExportHead) -> std::result::Result<(), Failure> {
    let committee = committee(db, &args.committee).await?;
    let last = db
        .read("audit.seal.last", move |tx| seals::last(tx, committee))
        .await?;
    let Some(seal) = last else {
        let words = format!("{} has no seal yet: jianjian audit seal", args.committee);
        return Err(Failure::Other(words));
    };
    let text = serde_json::to_string_pretty(&seal).map_err(Error::internal)?;
    match &args.out {
        Some(path) => std::fs::write(path, format!("{text}\n"))?,
        None => out::line(&text),
    }
    Ok(())
}

/// The committee of a code.
pub async fn committee(db: &Db, code: &str) -> Result<CommitteeId> {
    let wanted = code.to_owned();
    let found = db
        .read("audit.committee", move |tx| setup::committee(tx, &wanted))
        .await?;
    found.ok_or_else(|| {
        Error::not_found().detail(Message::new(
            format!("没有代码为 {code} 的委员会。"),
            format!("There is no committee '{code}'."),
        ))
    })
}
