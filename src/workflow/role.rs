//! Who may act: roles, how they are narrowed, and the actor that a rule is asked about.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code_list;
use crate::ids::{MemberId, OrganisationId, UnitId, UserId};

code_list! {
    /// The roles of the service. Each is held inside one committee.
    pub enum Role {
        Member = "member", "政协委员", "member";
        OrganisationClerk = "organisation_clerk", "提案单位联系人", "organisation clerk";
        CommitteeStaff = "committee_staff", "提案委办公室", "committee staff";
        Examiner = "examiner", "审查人员", "examiner";
        CommitteeChair = "committee_chair", "提案委主任", "committee chair";
        AssigningOfficer = "assigning_officer", "交办人员", "assigning officer";
        UnitClerk = "unit_clerk", "承办单位经办人", "unit clerk";
        UnitSignatory = "unit_signatory", "签发人", "unit signatory";
        SupervisionOfficer = "supervision_officer", "督查人员", "supervision officer";
        Leader = "leader", "领导", "leader";
        Auditor = "auditor", "审计员", "auditor";
        Administrator = "administrator", "系统管理员", "system administrator";
        SecurityAdministrator = "security_administrator", "安全管理员", "security administrator";
        System = "system", "系统", "system";
    }
}

code_list! {
    /// The three lines along which cases are assigned.
    pub enum Line {
        Party = "party", "党委系统", "party line";
        Government = "government", "政府系统", "government line";
        Cppcc = "cppcc", "政协系统", "CPPCC line";
    }
}

/// What a role must be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowing {
    /// Nothing: the whole committee.
    None,
    /// The member that the account belongs to.
    Member,
    /// One organisation.
    Organisation,
    /// One handling unit.
    Unit,
    /// One assigning line.
    Line,
}

impl Role {
    /// What the role is narrowed to.
    pub const fn narrowing(self) -> Narrowing {
        match self {
            Self::Member => Narrowing::Member,
            Self::OrganisationClerk => Narrowing::Organisation,
            Self::UnitClerk | Self::UnitSignatory => Narrowing::Unit,
            Self::AssigningOfficer => Narrowing::Line,
            Self::CommitteeStaff
            | Self::Examiner
            | Self::CommitteeChair
            | Self::SupervisionOfficer
            | Self::Leader
            | Self::Auditor
            | Self::Administrator
            | Self::SecurityAdministrator
            | Self::System => Narrowing::None,
        }
    }

    /// Whether a token of a machine client may hold the role: those whose work is to keep records
    /// and pass things on. Members sign and rate, examiners and the chair decide, signatories sign,
    /// leaders instruct: that is for persons. Administrators and the auditor watch over others.
    pub const fn is_open_to_machines(self) -> bool {
        matches!(
            self,
            Self::OrganisationClerk
                | Self::CommitteeStaff
                | Self::AssigningOfficer
                | Self::UnitClerk
                | Self::SupervisionOfficer
        )
    }

    /// The three administrators (三员分立): one makes accounts and sets the committee up, one says
    /// who may do what, one reads what both did. None of them has a part in the business, and
    /// nobody is two of them.
    pub const fn is_administrative(self) -> bool {
        matches!(
            self,
            Self::Administrator | Self::SecurityAdministrator | Self::Auditor
        )
    }

    /// The handling side must not see feedback before its conclusion (I21).
    pub const fn is_handling_side(self) -> bool {
        matches!(
            self,
            Self::UnitClerk | Self::UnitSignatory | Self::AssigningOfficer
        )
    }
}

/// A role held by an account, with what it is narrowed to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The handling unit of a `unit_clerk` or `unit_signatory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// The organisation of an `organisation_clerk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// The line of an `assigning_officer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<Line>,
}

impl Grant {
    /// A role over the whole committee.
    pub const fn of(role: Role) -> Self {
        Self {
            role,
            unit_id: None,
            organisation_id: None,
            line: None,
        }
    }

    /// A role in one handling unit.
    pub const fn unit(role: Role, unit: UnitId) -> Self {
        Self {
            role,
            unit_id: Some(unit),
            organisation_id: None,
            line: None,
        }
    }

    /// The contact person of one organisation.
    pub const fn organisation(organisation: OrganisationId) -> Self {
        Self {
            role: Role::OrganisationClerk,
            unit_id: None,
            organisation_id: Some(organisation),
            line: None,
        }
    }

    /// The assigning officer of one line.
    pub const fn line(line: Line) -> Self {
        Self {
            role: Role::AssigningOfficer,
            unit_id: None,
            organisation_id: None,
            line: Some(line),
        }
    }

    /// Whether one account may hold both: one of the three administrators holds nothing else.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.role == other.role
            || !(self.role.is_administrative() || other.role.is_administrative())
    }

    /// Whether the narrowing fits the role, with nothing missing and nothing too much.
    pub const fn is_well_formed(&self) -> bool {
        let (unit, organisation, line) = (
            self.unit_id.is_some(),
            self.organisation_id.is_some(),
            self.line.is_some(),
        );
        match self.role.narrowing() {
            Narrowing::None => {
                !unit && !organisation && !line && !matches!(self.role, Role::System)
            }
            Narrowing::Member => !unit && !organisation && !line,
            Narrowing::Organisation => !unit && organisation && !line,
            Narrowing::Unit => unit && !organisation && !line,
            Narrowing::Line => !unit && !organisation && line,
        }
    }
}

/// Who asks for an act: an account with its grants, or the system itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account; `None` for the system.
    pub user: Option<UserId>,
    /// Name shown in the audit trail.
    pub name: String,
    /// The member on the register that the account belongs to.
    pub member: Option<MemberId>,
    /// The roles held.
    pub grants: Vec<Grant>,
}

impl Actor {
    /// The system, for derived steps and clocks.
    pub fn system() -> Self {
        Self {
            user: None,
            name: "system".to_owned(),
            member: None,
            grants: vec![Grant::of(Role::System)],
        }
    }

    /// Whether any grant is of this role.
    pub fn has(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }

    /// The organisations the actor speaks for.
    pub fn organisations(&self) -> impl Iterator<Item = OrganisationId> + '_ {
        self.grants.iter().filter_map(|grant| grant.organisation_id)
    }

    /// The units in which the actor holds a role.
    pub fn units(&self) -> impl Iterator<Item = UnitId> + '_ {
        self.grants.iter().filter_map(|grant| grant.unit_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2.1: a contact person is of one organisation, clerks and signatories are of one unit, an assigning
    /// officer is of one line; every other role is held over the whole committee, and nobody is the
    /// system.
    #[test]
    fn a_grant_is_narrowed_to_what_its_role_asks_for_and_to_nothing_else() {
        let (yes, no) = (true, false);
        for role in Role::ALL {
            let asked = match role {
                Role::OrganisationClerk => Some((no, yes, no)),
                Role::UnitClerk | Role::UnitSignatory => Some((yes, no, no)),
                Role::AssigningOfficer => Some((no, no, yes)),
                Role::System => None,
                _ => Some((no, no, no)),
            };
            for given in 0..8 {
                let given = (given & 1 > 0, given & 2 > 0, given & 4 > 0);
                let (unit, organisation, line) = given;
                let id = uuid::Uuid::from_u128(1);
                let grant = Grant {
                    role: *role,
                    unit_id: unit.then(|| UnitId::from_uuid(id)),
                    organisation_id: organisation.then(|| OrganisationId::from_uuid(id)),
                    line: line.then_some(Line::Party),
                };
                assert_eq!(grant.is_well_formed(), asked == Some(given), "{grant:?}");
            }
        }
    }

    #[test]
    fn the_three_administrators_go_with_nothing_else() {
        let three = [
            Role::Administrator,
            Role::SecurityAdministrator,
            Role::Auditor,
        ];
        for one in Role::ALL {
            assert_eq!(one.is_administrative(), three.contains(one), "{one}");
            for other in Role::ALL {
                let apart = three.contains(one) || three.contains(other);
                assert_eq!(
                    Grant::of(*one).goes_with(&Grant::of(*other)),
                    one == other || !apart,
                    "{one} with {other}"
                );
            }
        }
    }
}
