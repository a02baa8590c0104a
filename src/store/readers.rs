//! From audiences to accounts: who of the people of a committee is told, and how.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::prelude::*;

use super::Tx;
use super::notification_settings::{self, Chosen};
use super::run::Run;
use super::schema::{assignments, proposals, proposers, user_roles, users};
use crate::error::Result;
use crate::ids::{CommitteeId, MemberId, OrganisationId, ProposalId, UnitId, UserId};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::codes::{ConsentStatus, ProposerRole};
use crate::workflow::desk::Scope;
use crate::workflow::role::{Line, Narrowing, Role};

/// The accounts behind audiences.
#[derive(Debug, Default)]
pub struct Readers {
    by_scope: HashMap<Scope, BTreeSet<UserId>>,
    /// What a scope that names another case stands for.
    stands_for: BTreeMap<Scope, Vec<Scope>>,
    chosen: HashMap<UserId, Chosen>,
    handling_side: HashSet<UserId>,
}

impl Readers {
    /// The accounts of one audience.
    pub fn of(&self, scope: Scope) -> BTreeSet<UserId> {
        let own = [scope];
        let scopes = self.stands_for.get(&scope).map_or(&own[..], Vec::as_slice);
        let found = scopes.iter().filter_map(|scope| self.by_scope.get(scope));
        found.flatten().copied().collect()
    }

    /// How an account is told.
    pub fn chosen(&self, user: UserId) -> Option<&Chosen> {
        self.chosen.get(&user)
    }

    /// I21: whether the account works on the handling side, whatever other roles it holds.
    pub fn is_on_handling_side(&self, user: UserId) -> bool {
        self.handling_side.contains(&user)
    }
}

type GrantRow = (
    UserId,
    Option<MemberId>,
    Role,
    Option<UnitId>,
    Option<OrganisationId>,
    Option<Line>,
);

/// Looks up everybody behind these audiences, with ten statements at most. Accounts that are
/// shut are nobody's readers.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, scopes: &BTreeSet<Scope>) -> Result<Readers> {
    let mut readers = Readers::default();
    if scopes.is_empty() {
        return Ok(readers);
    }
    readers.stands_for = expand(tx, committee, scopes)?;
    let wanted: BTreeSet<Scope> = scopes
        .iter()
        .chain(readers.stands_for.values().flatten())
        .copied()
        .collect();
    for (user, member, role, unit, organisation, line) in grants(tx, committee, &wanted)? {
        let scope = match (role, unit, organisation, line) {
            (Role::Member, ..) => member.map(Scope::Member),
            (role, Some(unit), ..) => Some(Scope::Unit(role, unit)),
            (_, _, Some(organisation), _) => Some(Scope::Organisation(organisation)),
            (.., Some(line)) => Some(Scope::Line(line)),
            (role, None, None, None) => Some(Scope::Role(role)),
        };
        let scope = scope.filter(|scope| wanted.contains(scope));
        let own = Some(Scope::User(user)).filter(|scope| wanted.contains(scope));
        for scope in scope.into_iter().chain(own) {
            readers.by_scope.entry(scope).or_default().insert(user);
        }
    }
    let everybody: BTreeSet<UserId> = readers.by_scope.values().flatten().copied().collect();
    readers.chosen = notification_settings::of(tx, committee, &everybody)?;
    readers.handling_side = handling_side(tx, committee, &everybody)?;
    Ok(readers)
}

/// The grants of accounts that are not shut, where `$holds`.
macro_rules! granted {
    ($conn:expr, $committee:expr, $holds:expr) => {
        users::table
            .inner_join(
                user_roles::table.on(user_roles::committee_id
                    .eq(users::committee_id)
                    .and(user_roles::user_id.eq(users::id))),
            )
            .filter(users::committee_id.eq($committee))
            .filter(users::disabled.eq(false))
            .filter($holds)
            .select((
                users::id,
                users::member_id,
                user_roles::role,
                user_roles::unit_id,
                user_roles::organisation_id,
                user_roles::line,
            ))
            .rows::<GrantRow>($conn)?
    };
}

/// A statement for each way to name an audience, since each has an index of its own: with "or"
/// between them a database reads all grants of the committee.
fn grants(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    wanted: &BTreeSet<Scope>,
) -> Result<Vec<GrantRow>> {
    let (mut roles, mut units, mut organisations) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lines, mut members, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for scope in wanted {
        match scope {
            Scope::Role(role) => roles.push(*role),
            Scope::Unit(_, unit) => units.push(*unit),
            Scope::Organisation(organisation) => organisations.push(*organisation),
            Scope::Line(line) => lines.push(line.as_str()),
            Scope::Member(member) => members.push(*member),
            Scope::User(user) => accounts.push(*user),
            Scope::ProposersOf(_) | Scope::UnitsOf(_) => {}
        }
    }
    let mut found = Vec::new();
    if !roles.is_empty() {
        let holds = user_roles::role.eq_any(roles);
        found.extend(granted!(tx.conn, committee, holds));
    }
    if !units.is_empty() {
        let holds = user_roles::unit_id.assume_not_null().eq_any(units);
        found.extend(granted!(tx.conn, committee, holds));
    }
    if !organisations.is_empty() {
        let organisation = user_roles::organisation_id.assume_not_null();
        let holds = user_roles::role
            .eq_any(narrowed_to(Narrowing::Organisation))
            .and(organisation.eq_any(organisations));
        found.extend(granted!(tx.conn, committee, holds));
    }
    if !lines.is_empty() {
        let holds = user_roles::role
            .eq_any(narrowed_to(Narrowing::Line))
            .and(user_roles::line.assume_not_null().eq_any(lines));
        found.extend(granted!(tx.conn, committee, holds));
    }
    if !members.is_empty() {
        let holds = users::member_id.assume_not_null().eq_any(members);
        found.extend(granted!(tx.conn, committee, holds));
    }
    if !accounts.is_empty() {
        found.extend(granted!(tx.conn, committee, users::id.eq_any(accounts)));
    }
    Ok(found)
}

/// The roles that are narrowed to one thing of a kind; grants are found by role.
fn narrowed_to(kind: Narrowing) -> Vec<Role> {
    let roles = Role::ALL.iter().copied();
    roles.filter(|role| role.narrowing() == kind).collect()
}

/// The proposers and units of the other cases that audiences name.
fn expand(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    scopes: &BTreeSet<Scope>,
) -> Result<BTreeMap<Scope, Vec<Scope>>> {
    let mut found: BTreeMap<Scope, Vec<Scope>> = BTreeMap::new();
    let signed: Vec<ProposalId> = scopes
        .iter()
        .filter_map(|scope| match scope {
            Scope::ProposersOf(id) => Some(*id),
            _ => None,
        })
        .collect();
    let handled: Vec<ProposalId> = scopes
        .iter()
        .filter_map(|scope| match scope {
            Scope::UnitsOf(id) => Some(*id),
            _ => None,
        })
        .collect();
    if !signed.is_empty() {
        type Row = (ProposalId, Option<MemberId>, Option<OrganisationId>);
        let rows: Vec<Row> = proposers::table
            .filter(proposers::committee_id.eq(committee))
            .filter(proposers::proposal_id.eq_any(signed))
            .filter(
                proposers::role
                    .eq(ProposerRole::First)
                    .or(proposers::status.eq(ConsentStatus::Consented)),
            )
            .select((
                proposers::proposal_id,
                proposers::member_id,
                proposers::organisation_id,
            ))
            .rows(tx.conn)?;
        for (case, member, organisation) in rows {
            let own = member
                .map(Scope::Member)
                .or(organisation.map(Scope::Organisation));
            found
                .entry(Scope::ProposersOf(case))
                .or_default()
                .extend(own);
        }
    }
    if !handled.is_empty() {
        let rows: Vec<(ProposalId, UnitId)> = assignments::table
            .inner_join(
                proposals::table.on(proposals::committee_id
                    .eq(assignments::committee_id)
                    .and(proposals::id.eq(assignments::proposal_id))),
            )
            .filter(assignments::committee_id.eq(committee))
            .filter(assignments::proposal_id.eq_any(handled))
            .filter(assignments::round.eq(proposals::round))
            .filter(
                assignments::status.ne_all([AssignmentStatus::Returned, AssignmentStatus::Void]),
            )
            .select((assignments::proposal_id, assignments::unit_id))
            .rows(tx.conn)?;
        for (case, unit) in rows {
            let clerk = Scope::Unit(Role::UnitClerk, unit);
            found.entry(Scope::UnitsOf(case)).or_default().push(clerk);
        }
    }
    // A case without any stands for nobody.
    for scope in scopes {
        if matches!(scope, Scope::ProposersOf(_) | Scope::UnitsOf(_)) {
            found.entry(*scope).or_default();
        }
    }
    Ok(found)
}

fn handling_side(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    everybody: &BTreeSet<UserId>,
) -> Result<HashSet<UserId>> {
    let roles: Vec<Role> = Role::ALL
        .iter()
        .copied()
        .filter(|role| role.is_handling_side())
        .collect();
    let found: Vec<UserId> = user_roles::table
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::user_id.eq_any(everybody.iter().copied()))
        .filter(user_roles::role.eq_any(roles))
        .select(user_roles::user_id)
        .rows(tx.conn)?;
    Ok(found.into_iter().collect())
}
