//! What time alone does to a case, done by the system through the same path as people's acts.

use jiff::Timestamp;

use super::act::{env, profile_before, profile_of, refuse};
use super::notify::{self, Post};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId};
use crate::store::cases::{self, Loaded};
use crate::store::events::Circumstances;
use crate::store::{Tx, wakes};
use crate::workflow::calendar::Calendar;
use crate::workflow::decide::{self, References};
use crate::workflow::wake;

/// Looks at a case at a moment of one of its clocks: writes what has lapsed, and when to look
/// again, and reminds those who owe something. Nothing is written of a case to which nothing has happened, its version stays.
pub fn wake(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    post: Post,
    now: Timestamp,
) -> Result<()> {
    let Some(Loaded { mut case, .. }) = cases::load(tx, committee, proposal)? else {
        return Ok(());
    };
    let profile = profile_of(tx, &case)?;
    let references = References::default();
    if decide::owes(&case, env(now, &profile, &references)) {
        let Some(Loaded { case: found, head }) = cases::lock(tx, committee, proposal)? else {
            return Ok(());
        };
        let env = env(now, &profile, &references);
        let mut decision = decide::settled(&found, env).map_err(|refusal| refuse(refusal, None))?;
        let before = (&found, &*profile_before(tx, &found, &profile)?);
        decision.case.proposal.profile_version = profile.version;
        let by = Circumstances::system(now);
        cases::save(tx, before, &head, &mut decision, &profile, &by)?;
        case = decision.case;
    }
    let (moved, reminders) = wake::advance(&mut case, now, &profile, Calendar::builtin());
    wakes::set(tx, committee, &moved)?;
    notify::remind(tx, committee, proposal, &reminders, post, now)
}
