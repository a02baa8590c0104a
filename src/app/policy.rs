//! The policy profile of a committee: drafted by the administrator, put into force by the chair.
//! An activation touches no running case; the preview shows which would differ.

use super::Ctx;
use crate::codes::Label;
use crate::error::{Code, Error, Result};
use crate::ids::{PolicyProfileId, ProposalId, SessionId};
use crate::store::Tx;
use crate::store::policy_profiles::{self as store, PolicyProfile, RunningCase};
use crate::workflow::access::Reach;
use crate::workflow::profile::keys::{Difference, differences};
use crate::workflow::profile::{PolicyEffect, Profile, ProfileStatus};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Role;

/// Who drafts versions.
pub const DRAFTERS: &[Role] = &[Role::Administrator];
/// Who puts versions into force.
pub const ACTIVATORS: &[Role] = &[Role::CommitteeChair];

/// What a new version is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The session it is for; `None` for all that have none of their own.
    pub session: Option<SessionId>,
    /// What it is for.
    pub note: Option<String>,
    /// Every key with its value.
    pub settings: Profile,
}

/// A draft from the version in force. `parse` reads the request on top of the settings given.
pub fn draft(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parse: &dyn Fn(&Profile) -> Result<Wanted>,
) -> Result<PolicyProfile> {
    let session = parse(&Profile::default())?.session;
    if let Some(session) = session {
        store::check_session(tx, ctx, session)?;
    }
    let base = store::active_for(tx, ctx.committee(), session)?;
    let wanted = parse(&base.settings)?;
    check(&wanted.settings)?;
    let profile_version = store::allot_version(tx, ctx.committee())?;
    let profile = PolicyProfile {
        id: PolicyProfileId::new(ctx.now),
        profile_version,
        session_id: session,
        status: ProfileStatus::Draft,
        settings: numbered(wanted.settings, profile_version),
        note: wanted.note,
        drafted_by: Some(ctx.user()),
        drafted_at: ctx.now,
        activated_by: None,
        activated_at: None,
        version: 1,
    };
    store::insert(tx, ctx.committee(), &profile)?;
    store::record(tx, ctx, "profile.drafted", &(), &profile, DRAFTERS[0])?;
    Ok(profile)
}

/// Changes a draft. Nothing happens where nothing differs.
pub fn change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: PolicyProfile,
    note: Option<String>,
    settings: Profile,
) -> Result<PolicyProfile> {
    must_be_draft(&before)?;
    check(&settings)?;
    let after = PolicyProfile {
        note,
        settings: numbered(settings, before.profile_version),
        ..before.clone()
    };
    if after == before {
        return Ok(before);
    }
    store::update(tx, ctx, &before, after, "profile.changed", DRAFTERS[0])
}

/// Puts a draft into force, in place of the version that was in force for the same sessions.
pub fn activate(tx: &mut Tx<'_>, ctx: &Ctx, before: &PolicyProfile) -> Result<PolicyProfile> {
    must_be_draft(before)?;
    // Rules may have been added since it was drafted.
    check(&before.settings)?;
    store::take_turns(tx, ctx.committee())?;
    if let Some(former) = store::active_of(tx, ctx.committee(), before.session_id)? {
        let after = PolicyProfile {
            status: ProfileStatus::Superseded,
            ..former.clone()
        };
        store::update(tx, ctx, &former, after, "profile.superseded", ACTIVATORS[0])?;
    }
    let after = PolicyProfile {
        status: ProfileStatus::Active,
        activated_by: Some(ctx.user()),
        activated_at: Some(ctx.now),
        ..before.clone()
    };
    store::update(tx, ctx, before, after, "profile.activated", ACTIVATORS[0])
}

fn numbered(settings: Profile, version: i32) -> Profile {
    Profile {
        version,
        ..settings
    }
}

fn must_be_draft(profile: &PolicyProfile) -> Result<()> {
    if profile.status == ProfileStatus::Draft {
        Ok(())
    } else {
        Err(Error::new(Code::StateConflict)
            .with("current_status", profile.status.as_str())
            .with("allowed_from", [ProfileStatus::Draft.as_str()]))
    }
}

/// 422 with every rule across keys that the settings break.
fn check(settings: &Profile) -> Result<()> {
    let wrongs = settings.wrongs();
    if wrongs.is_empty() {
        return Ok(());
    }
    Err(wrongs
        .into_iter()
        .fold(Error::new(Code::InvalidInput), |error, wrong| {
            error.field(
                format!("/settings{}", wrong.pointer),
                wrong.code,
                wrong.message,
            )
        }))
}

/// Running cases of one status.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The status.
    pub status: ProposalStatus,
    /// Whether they would follow.
    pub effect: PolicyEffect,
    /// How many.
    pub cases: i64,
}

impl Counted {
    /// Label of the status.
    pub fn label(self) -> Label {
        self.status.label()
    }
}

/// What an activation would mean.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The version in force that it would take the place of.
    pub against: i32,
    /// What differs, key by key.
    pub changes: Vec<Difference>,
    /// Running cases by status.
    pub counts: Vec<Counted>,
    /// Running cases of one effect, as far as the caller may see them.
    pub cases: Vec<RunningCase>,
}

/// Compares a version with the one in force and looks at the running cases.
pub fn preview(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PolicyProfileId,
    effect: PolicyEffect,
    after: Option<ProposalId>,
    limit: i64,
) -> Result<Preview> {
    let committee = ctx.committee();
    let profile = store::find(tx, committee, id)?;
    let base = store::active_for(tx, committee, profile.session_id)?;
    let scope = store::scope(tx, committee, profile.session_id)?;
    let mut counts = Vec::new();
    for effect in PolicyEffect::ALL {
        let counted = store::counts(tx, committee, &scope, effect.filed())?;
        counts.extend(counted.into_iter().map(|(status, cases)| Counted {
            status,
            effect: *effect,
            cases,
        }));
    }
    let reach = Reach::of(&ctx.principal.actor());
    let filed = effect.filed();
    Ok(Preview {
        against: base.profile_version,
        changes: differences(&base.settings, &profile.settings),
        counts,
        cases: store::cases(tx, committee, &reach, &scope, filed, after, limit)?,
    })
}
