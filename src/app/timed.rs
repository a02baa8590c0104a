//! What time alone does to a case, done by the system through the same path as people's acts.

use jiff::Timestamp;

use super::act::{calendar_of, env, profile_before, profile_of, refuse};
use super::notify::{self, Post};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId};
use crate::store::cases::{self, Loaded};
use crate::store::events::Circumstances;
use crate::store::{Tx, wakes};
use crate::workflow::decide::{self, References};
use crate::workflow::wake;

/// Looks at a case at a moment of one of its clocks: writes what has lapsed, and when to look
/// again, and reminds those who owe something. Nothing is written of a case to which nothing has
/// happened, its version stays.
pub fn wake(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    post: Post,
    now: Timestamp,
) -> Result<()> {
    // Held from the start: no act moves a clock in between.
    let Some(loaded) = cases::keep(tx, committee, proposal)? else {
        return Ok(());
    };
    let calendar = calendar_of(tx, &loaded)?;
    let profile = profile_of(tx, &loaded)?;
    let Loaded { mut case, head, .. } = loaded;
    let references = References::default();
    let env = env(now, &profile, &calendar, &references);
    if decide::owes(&case, env) {
        case.proposal.version += 1;
        let mut decision = decide::settled(&case, env).map_err(|refusal| refuse(refusal, None))?;
        let before = (&case, &*profile_before(tx, &case, &profile)?);
        decision.case.proposal.profile_version = profile.version;
        let by = Circumstances::system(now);
        cases::save(tx, before, &head, &mut decision, &profile, &by)?;
        case = decision.case;
    }
    let (moved, reminders) = wake::advance(&mut case, now, &profile, &calendar);
    wakes::set(tx, committee, &moved)?;
    notify::remind(tx, committee, proposal, &reminders, post, now)
}
