//! `jianjian demo`: from an empty directory to a running service with a demo committee.

use std::sync::Arc;
use std::time::Instant;

use super::{Failure, out};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::demo::{self, CODE, Made, PASSWORD, RECEIVED};
use crate::startup;

/// Makes the data if the database is empty, then serves until it is told to stop.
pub fn run(mut config: Config) -> Result<(), Failure> {
    // The demo tells a story of the past. Workers, who live today, would interrupt it.
    let works = std::mem::take(&mut config.jobs.in_server);
    let database = config.database.url.to_string();
    Ok(startup::block_on(async move {
        let clock = Arc::new(SystemClock);
        let started = Instant::now();
        let mut running = startup::build(config, Arc::<SystemClock>::clone(&clock)).await?;
        if !demo::is_made(running.app()).await? {
            out::line("Making the demo committee …");
        }
        let made = demo::make(running.app(), clock.now()).await?;
        if works {
            running.start_jobs();
        }
        tell(&running.address().to_string(), &database, made, started);
        running.until_signal().await
    })?)
}

fn tell(address: &str, database: &str, made: Made, started: Instant) {
    let base = format!("http://{address}");
    match made {
        Made::New { proposals, acts } => out::line(&format!(
            "Made {RECEIVED} received proposals and {} drafts in {acts} acts, {:.1} s.",
            proposals - RECEIVED,
            started.elapsed().as_secs_f64()
        )),
        Made::Kept => out::line("The demo committee is there already; its data are kept."),
    }
    out::text(&format!(
        r#"
jianjian 件件 — demo committee 政协云川市委员会 (code {CODE}), data in {database}

  interactive documentation   {base}/docs
  OpenAPI document            {base}/openapi.json

Accounts, all with the password {PASSWORD}:
  member1 … member328           政协委员                members
  org1 … org26                  提案单位联系人          clerks of parties and organisations
  staff, chair                  提案委办公室、主任      committee office and chair
  examiner1 … examiner4         审查人员                examiners
  officer.gov, officer.party, officer.cppcc  交办人员   assigning officers
  unit1 … unit86                承办单位经办人          unit clerks
  signatory1 … signatory86      签发人                  unit signatories
  supervision, leader           督查人员、领导          supervision officer, leader
  admin, security, auditor      三员：系统、安全、审计  system and security administrator, auditor

Try, in another terminal:
  TOKEN=$(curl -s {base}/api/v1/auth/login -H 'Content-Type: application/json' -d '{{"committee":"{CODE}","username":"chair","password":"{PASSWORD}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s {base}/api/v1/desk -H "Authorization: Bearer $TOKEN"
  curl -s '{base}/api/v1/proposals?status=assigned&limit=2' -H "Authorization: Bearer $TOKEN"

Stop with Ctrl-C.
"#
    ));
}
