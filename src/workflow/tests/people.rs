//! The people of the town, with fixed identifiers.

use uuid::Uuid;

use crate::ids::{Id, IdKind, MemberId, OrganisationId, ProposalId, UnitId};
use crate::workflow::role::{Actor, Grant, Line, Role};

/// Members of the present term; one more is not current.
pub const MEMBERS: usize = 8;
/// Active organisations; one more is not active.
pub const ORGANISATIONS: usize = 3;
/// Active units; one more is not active.
pub const UNITS: usize = 34;

pub fn fixed<K: IdKind>(group: u128, number: usize) -> Id<K> {
    Id::from_uuid(Uuid::from_u128((group << 64) | (number as u128 + 1)))
}

pub fn member(number: usize) -> MemberId {
    fixed(1, number)
}

pub fn unit(number: usize) -> UnitId {
    fixed(2, number)
}

pub fn organisation() -> OrganisationId {
    organisation_no(0)
}

/// The organisation of [`organisation`] and others; the last one is not active.
pub fn organisation_no(number: usize) -> OrganisationId {
    fixed(3, number)
}

/// Other proposals: submitted, filed, filed in another session, absorbed, closed.
pub fn other_proposal(number: usize) -> ProposalId {
    fixed(8, number)
}

/// The people of the town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// A member, with nothing but that role.
    Member(usize),
    /// A member who holds a second role.
    MemberAnd(usize, Role),
    /// Contact person of the organisation.
    Clerk,
    /// Contact person of another organisation.
    ClerkOf(usize),
    Staff,
    Examiner(usize),
    Chair,
    Officer(Line),
    UnitClerk(usize),
    Signatory(usize),
    Supervision,
    Leader,
    Auditor,
    Administrator,
    Security,
}

use Person as P;

impl Person {
    /// The account with its grants; the same person always has the same account.
    pub fn actor(self) -> Actor {
        let (account, grant, own) = match self {
            P::Member(n) => (n, Grant::of(Role::Member), Some(n)),
            P::MemberAnd(n, role) => (n, Grant::of(role), Some(n)),
            P::Clerk => (100, Grant::organisation(organisation()), None),
            P::ClerkOf(n) => (400 + n, Grant::organisation(organisation_no(n)), None),
            P::Staff => (101, Grant::of(Role::CommitteeStaff), None),
            P::Chair => (102, Grant::of(Role::CommitteeChair), None),
            P::Supervision => (103, Grant::of(Role::SupervisionOfficer), None),
            P::Leader => (104, Grant::of(Role::Leader), None),
            P::Auditor => (105, Grant::of(Role::Auditor), None),
            P::Administrator => (106, Grant::of(Role::Administrator), None),
            P::Security => (107, Grant::of(Role::SecurityAdministrator), None),
            P::Officer(line) => (110 + line as usize, Grant::line(line), None),
            P::Examiner(n) => (120 + n, Grant::of(Role::Examiner), None),
            P::UnitClerk(n) => (200 + n, Grant::unit(Role::UnitClerk, unit(n)), None),
            P::Signatory(n) => (300 + n, Grant::unit(Role::UnitSignatory, unit(n)), None),
        };
        let mut grants = vec![grant];
        if own.is_some() && grant.role != Role::Member {
            grants.push(Grant::of(Role::Member));
        }
        Actor {
            user: Some(fixed(4, account)),
            name: format!("{self:?}"),
            member: own.map(member),
            grants,
        }
    }
}
