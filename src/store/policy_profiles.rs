//! The policy profiles of a committee: every version ever drafted. A version that has been in
//! force never changes, so what cases need of it is kept in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diesel::dsl::count_star;
use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connection::MultiBackend;
use super::events::{self, Circumstances, Happening, Stream};
use super::prepared::Prepare;
use super::proposals::visible;
use super::register::referred;
use super::run::Run;
use super::schema::{policy_profiles, proposals};
use super::sessions::SessionFields;
use super::sql_types::{At, Json};
use super::{Tx, numbers};
use crate::app::Ctx;
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, PolicyProfileId, ProposalId, SessionId, UserId};
use crate::workflow::access::Reach;
use crate::workflow::profile::{Profile, ProfileStatus};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::{Actor, Role};

/// Kind of the event streams.
const KIND: &str = "profile";
/// Series of the numbers of versions.
const SERIES: &str = "policy_profile";

/// A version of the policy profile.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PolicyProfile {
    /// Identifier.
    pub id: PolicyProfileId,
    /// Running number in the committee, from 1; proposals and clocks name it.
    #[schema(minimum = 1, example = 2)]
    pub profile_version: i32,
    /// The session it is for; absent: every session that has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session_id: Option<SessionId>,
    /// Draft, in force, or superseded.
    pub status: ProfileStatus,
    /// Every key with its value.
    pub settings: Profile,
    /// What it is for, in the words of who drafted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 500,
        example = "按市政协新修订的提案工作条例调整"
    )]
    pub note: Option<String>,
    /// Who drafted it; absent for the defaults that came with the committee.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub drafted_by: Option<UserId>,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub drafted_at: Timestamp,
    /// Who put it into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub activated_by: Option<UserId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub activated_at: Option<Timestamp>,
    /// Number of the present version of the row; in quotes, it is the ETag.
    #[schema(minimum = 1, example = 1)]
    pub version: i32,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = policy_profiles)]
struct ProfileRow {
    id: PolicyProfileId,
    profile_version: i32,
    session_id: Option<SessionId>,
    status: ProfileStatus,
    settings: Json,
    note: Option<String>,
    drafted_by: Option<UserId>,
    drafted_at: At,
    activated_by: Option<UserId>,
    activated_at: Option<At>,
    version: i32,
}

impl TryFrom<ProfileRow> for PolicyProfile {
    type Error = Error;

    fn try_from(row: ProfileRow) -> Result<Self> {
        Ok(Self {
            settings: stored(row.profile_version, row.settings)?,
            id: row.id,
            profile_version: row.profile_version,
            session_id: row.session_id,
            status: row.status,
            note: row.note,
            drafted_by: row.drafted_by,
            drafted_at: row.drafted_at.0,
            activated_by: row.activated_by,
            activated_at: row.activated_at.map(|at| at.0),
            version: row.version,
        })
    }
}

fn stored(version: i32, settings: Json) -> Result<Profile> {
    Profile::of_stored(version, settings.0)
        .map_err(|error| Error::internal(error).context(format!("policy profile {version}")))
}

fn columns() -> <ProfileRow as Selectable<MultiBackend>>::SelectExpression {
    <ProfileRow as Selectable<MultiBackend>>::construct_selection()
}

/// Narrows a list of policy profiles.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PolicyProfileFilter {
    /// Only versions of this status.
    #[param(inline, nullable = false)]
    pub status: Option<ProfileStatus>,
    /// Only versions for this session.
    #[param(nullable = false)]
    pub session_id: Option<SessionId>,
}

fn matching(
    committee: CommitteeId,
    filter: &PolicyProfileFilter,
) -> policy_profiles::BoxedQuery<'_, MultiBackend> {
    let mut query = policy_profiles::table
        .filter(policy_profiles::committee_id.eq(committee))
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(policy_profiles::status.eq(status));
    }
    if let Some(session) = filter.session_id {
        query = query.filter(policy_profiles::session_id.eq(session));
    }
    query
}

/// Versions behind number `after`, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &PolicyProfileFilter,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<PolicyProfile>> {
    let mut query = matching(committee, filter);
    if let Some(number) = after {
        query = query.filter(policy_profiles::profile_version.lt(number));
    }
    let rows: Vec<ProfileRow> = query
        .order(policy_profiles::profile_version.desc())
        .limit(limit)
        .select(columns())
        .load(tx.conn)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Number of versions.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &PolicyProfileFilter) -> Result<i64> {
    Ok(matching(committee, filter).count().get_result(tx.conn)?)
}

/// One version, or 404.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: PolicyProfileId) -> Result<PolicyProfile> {
    let row: ProfileRow = policy_profiles::table
        .find((committee, id))
        .select(columns())
        .first_row(tx.conn)?;
    row.try_into()
}

/// The version in force for exactly this scope.
pub fn active_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    session: Option<SessionId>,
) -> Result<Option<PolicyProfile>> {
    let query = policy_profiles::table
        .filter(policy_profiles::committee_id.eq(committee))
        .filter(policy_profiles::status.eq(ProfileStatus::Active))
        .into_boxed();
    let query = match session {
        Some(session) => query.filter(policy_profiles::session_id.eq(session)),
        None => query.filter(policy_profiles::session_id.is_null()),
    };
    let row: Option<ProfileRow> = query.select(columns()).first(tx.conn).optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The version that holds for new cases of a session, or of all that have none of their own.
pub fn active_for(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    session: Option<SessionId>,
) -> Result<PolicyProfile> {
    if session.is_some()
        && let Some(own) = active_of(tx, committee, session)?
    {
        return Ok(own);
    }
    active_of(tx, committee, None)?.ok_or_else(none_active)
}

fn none_active() -> Error {
    Error::internal("the committee has no active policy profile")
}

/// The session that a version is for must be one of the committee's; 422 at `/session_id`.
pub fn check_session(tx: &mut Tx<'_>, ctx: &Ctx, session: SessionId) -> Result<()> {
    referred::<SessionFields>(tx, ctx, session, "/session_id", |_| true)
}

/// The number of a new version.
pub fn allot_version(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i32> {
    numbers::allot(tx, committee, SERIES)
}

/// Lets one activation after the other find what is in force.
pub fn take_turns(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<()> {
    numbers::allot(tx, committee, "policy_profile_activation").map(drop)
}

/// Stores a new version.
pub fn insert(tx: &mut Tx<'_>, committee: CommitteeId, profile: &PolicyProfile) -> Result<()> {
    diesel::insert_into(policy_profiles::table)
        .values((
            policy_profiles::committee_id.eq(committee),
            policy_profiles::id.eq(profile.id),
            policy_profiles::session_id.eq(profile.session_id),
            policy_profiles::profile_version.eq(profile.profile_version),
            policy_profiles::status.eq(profile.status),
            policy_profiles::settings.eq(Json::of(&profile.settings)?),
            policy_profiles::note.eq(&profile.note),
            policy_profiles::drafted_by.eq(profile.drafted_by),
            policy_profiles::drafted_at.eq(At(profile.drafted_at)),
            policy_profiles::activated_by.eq(profile.activated_by),
            policy_profiles::activated_at.eq(profile.activated_at.map(At)),
            policy_profiles::version.eq(profile.version),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Stores what `before` has become, one version of the row later, with an event.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &PolicyProfile,
    after: PolicyProfile,
    event: &str,
    role: Role,
) -> Result<PolicyProfile> {
    let after = PolicyProfile {
        version: before.version + 1,
        ..after
    };
    let row = policy_profiles::table
        .find((ctx.committee(), before.id))
        .filter(policy_profiles::version.eq(before.version));
    let changed = diesel::update(row)
        .set((
            policy_profiles::status.eq(after.status),
            policy_profiles::settings.eq(Json::of(&after.settings)?),
            policy_profiles::note.eq(&after.note),
            policy_profiles::activated_by.eq(after.activated_by),
            policy_profiles::activated_at.eq(after.activated_at.map(At)),
            policy_profiles::version.eq(after.version),
        ))
        .prepared()
        .run(tx.conn)?;
    if changed == 0 {
        // Somebody else was faster: run again, and compare If-Match with what he left.
        return Err(Error::new(Code::VersionMismatch).retryable());
    }
    record(tx, ctx, event, before, &after, role)?;
    Ok(after)
}

/// An event of a version.
pub fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &str,
    before: &impl Serialize,
    after: &PolicyProfile,
    role: Role,
) -> Result<()> {
    events::append(
        tx,
        &Stream::of(ctx.committee(), KIND, after.id),
        &Circumstances::of(ctx, &[role]),
        Happening::change(event, before, after),
    )
}

/// Version 1 of a new committee: the defaults, in force.
pub fn insert_first(tx: &mut Tx<'_>, committee: CommitteeId, now: Timestamp) -> Result<()> {
    let profile_version = allot_version(tx, committee)?;
    let first = PolicyProfile {
        id: PolicyProfileId::new(now),
        profile_version,
        session_id: None,
        status: ProfileStatus::Active,
        settings: Profile {
            version: profile_version,
            ..Profile::default()
        },
        note: None,
        drafted_by: None,
        drafted_at: now,
        activated_by: None,
        activated_at: Some(now),
        version: 1,
    };
    insert(tx, committee, &first)?;
    events::append(
        tx,
        &Stream::of(committee, KIND, first.id),
        &Circumstances::acting(&Actor::system(), Role::System, now, None),
        Happening::change("profile.activated", &(), &first),
    )
}

/// Versions in memory, by committee and number: the version of the row they were read from, and
/// the settings.
type Memory = BTreeMap<(CommitteeId, i32), (i32, Arc<Profile>)>;

static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

/// Most versions kept in memory, some kilobytes each.
const KEPT: usize = 1000;

fn remembered(committee: CommitteeId, number: i32) -> Option<(i32, Arc<Profile>)> {
    let memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.get(&(committee, number)).cloned()
}

fn remember(committee: CommitteeId, number: i32, row: i32, profile: Profile) -> Arc<Profile> {
    let profile = Arc::new(profile);
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= KEPT {
        memory.clear();
    }
    memory.insert((committee, number), (row, Arc::clone(&profile)));
    profile
}

/// The settings pinned to a case (I26). Read once: a version that was in force never changes.
pub fn pinned(tx: &mut Tx<'_>, committee: CommitteeId, number: i32) -> Result<Arc<Profile>> {
    if let Some((_, profile)) = remembered(committee, number) {
        return Ok(profile);
    }
    read(tx, committee, number)?
        .ok_or_else(|| Error::internal(format!("there is no policy profile {number}")))
}

fn read(tx: &mut Tx<'_>, committee: CommitteeId, number: i32) -> Result<Option<Arc<Profile>>> {
    let found: Option<(i32, Json)> = policy_profiles::table
        .filter(policy_profiles::committee_id.eq(committee))
        .filter(policy_profiles::profile_version.eq(number))
        .select((policy_profiles::version, policy_profiles::settings))
        .first_row(tx.conn)
        .optional()?;
    found
        .map(|(row, settings)| Ok(remember(committee, number, row, stored(number, settings)?)))
        .transpose()
}

/// Which versions of a committee are in force, for which sessions, and the version of the row of each.
macro_rules! active_versions {
    ($committee:expr) => {
        $crate::store::schema::policy_profiles::table
            .filter($crate::store::schema::policy_profiles::committee_id.eq($committee))
            .filter(
                $crate::store::schema::policy_profiles::status
                    .eq($crate::workflow::profile::ProfileStatus::Active),
            )
            .select((
                $crate::store::schema::policy_profiles::session_id,
                $crate::store::schema::policy_profiles::profile_version,
                $crate::store::schema::policy_profiles::version,
            ))
    };
}
pub(in crate::store) use active_versions;

/// One of them.
pub(in crate::store) type ActiveVersion = (Option<SessionId>, i32, i32);

/// The versions of a committee that are in force.
#[derive(Debug, Clone)]
pub struct ActiveVersions(pub(in crate::store) Vec<ActiveVersion>);

impl ActiveVersions {
    /// The one for a session: its own, or else the one for all sessions without their own.
    fn for_session(&self, session: Option<SessionId>) -> Option<&ActiveVersion> {
        let own = |wanted: Option<SessionId>| self.0.iter().find(move |one| one.0 == wanted);
        session
            .and_then(|session| own(Some(session)))
            .or_else(|| own(None))
    }
}

/// The settings in force for a session: one indexed read, so that an activation holds at once; none if
/// this transaction has `read` which they are.
pub fn in_force(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    session: Option<SessionId>,
    read: Option<&ActiveVersions>,
) -> Result<Arc<Profile>> {
    let active = match read {
        Some(active) => active,
        None => &ActiveVersions(active_versions!(committee).rows(tx.conn)?),
    };
    let (_, number, row) = *active.for_session(session).ok_or_else(none_active)?;
    match remembered(committee, number) {
        // Of another version of the row: read in a transaction that came to nothing.
        Some((known, profile)) if known == row => Ok(profile),
        _ => self::read(tx, committee, number)?.ok_or_else(none_active),
    }
}

/// Which running cases an activation would concern: those of a session, or those of the sessions
/// that have no profile of their own.
#[derive(Debug, Clone)]
pub enum Scope {
    /// One session.
    Session(SessionId),
    /// All but these.
    AllBut(Vec<SessionId>),
}

/// The scope of a version.
pub fn scope(tx: &mut Tx<'_>, committee: CommitteeId, session: Option<SessionId>) -> Result<Scope> {
    if let Some(session) = session {
        return Ok(Scope::Session(session));
    }
    let own: Vec<Option<SessionId>> = policy_profiles::table
        .filter(policy_profiles::committee_id.eq(committee))
        .filter(policy_profiles::status.eq(ProfileStatus::Active))
        .filter(policy_profiles::session_id.is_not_null())
        .select(policy_profiles::session_id)
        .rows(tx.conn)?;
    Ok(Scope::AllBut(own.into_iter().flatten().collect()))
}

/// Statuses of running cases.
fn running() -> Vec<ProposalStatus> {
    let mut statuses = ProposalStatus::ALL.to_vec();
    statuses.retain(|status| !status.is_final());
    statuses
}

fn concerned<'a>(
    committee: CommitteeId,
    scope: &Scope,
    filed: bool,
) -> proposals::BoxedQuery<'a, MultiBackend> {
    let query = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .filter(proposals::status.eq_any(running()))
        .into_boxed();
    let query = match scope {
        Scope::Session(session) => query.filter(proposals::session_id.eq(*session)),
        Scope::AllBut(others) => query.filter(proposals::session_id.ne_all(others.clone())),
    };
    if filed {
        query.filter(proposals::filed_at.is_not_null())
    } else {
        query.filter(proposals::filed_at.is_null())
    }
}

/// Running cases of each status, filed ones or not.
pub fn counts(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    scope: &Scope,
    filed: bool,
) -> Result<Vec<(ProposalStatus, i64)>> {
    running()
        .into_iter()
        .map(|status| {
            let cases: i64 = concerned(committee, scope, filed)
                .filter(proposals::status.eq(status))
                .select(count_star())
                .get_result(tx.conn)?;
            Ok((status, cases))
        })
        .filter(|counted| !matches!(counted, Ok((_, 0))))
        .collect()
}

/// A running case, as far as the preview shows it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = proposals)]
pub struct RunningCase {
    /// Identifier.
    pub id: ProposalId,
    /// Status.
    pub status: ProposalStatus,
    /// Serial number.
    pub serial_no: Option<i32>,
    /// Case number.
    pub case_no: Option<i32>,
    /// The version that holds for it.
    pub profile_version: i32,
}

/// Running cases that a caller may see, in the order in which they were made, behind `after`.
pub fn cases(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reach: &Reach,
    scope: &Scope,
    filed: bool,
    after: Option<ProposalId>,
    limit: i64,
) -> Result<Vec<RunningCase>> {
    let mut query = concerned(committee, scope, filed);
    if let Some(condition) = visible(reach) {
        query = query.filter(condition);
    }
    if let Some(id) = after {
        query = query.filter(proposals::id.gt(id));
    }
    Ok(query
        .order(proposals::id)
        .limit(limit)
        .select(<RunningCase as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?)
}
