//! Who is signed in.

use jiff::Timestamp;

use crate::ids::{ApiTokenId, CommitteeId, MemberId, SignInId, UserId};
use crate::workflow::role::{Actor, Grant, Role};

/// The account behind a request, as it stands in the database at that moment; for reads, as it stood less than
/// five seconds ago ([`super::remembered`]).
#[derive(Debug, Clone)]
pub struct Principal {
    /// The tenant; every query is scoped by it.
    pub committee: CommitteeId,
    /// The account.
    pub user: UserId,
    /// The sign-in that the access token belongs to.
    pub sign_in: SignInId,
    /// Sign-in name.
    pub username: String,
    /// Name shown to others.
    pub display_name: String,
    /// The member on the register that the account belongs to.
    pub member: Option<MemberId>,
    /// The roles held.
    pub grants: Vec<Grant>,
    /// Only the password may be changed until it has been.
    pub must_change_password: bool,
    /// What is known of the second factor.
    pub factor: Factor,
    /// The token, where a machine asks and nobody has signed in.
    pub machine: Option<Machine>,
}

/// What is known of the second factor of whoever signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Factor {
    /// The account has one.
    pub enrolled: bool,
    /// When it was last proven in this sign-in, here or by the identity provider.
    pub proven_at: Option<Timestamp>,
}

/// What is known of a machine client beside its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its token.
    pub token: ApiTokenId,
    /// The operations that it may call; `None`: all that are open to machines and its role.
    pub operations: Option<Vec<String>>,
}

impl Principal {
    /// Whether any grant is of one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.grants.iter().any(|grant| roles.contains(&grant.role))
    }

    /// The principal as the workflow sees it.
    pub fn actor(&self) -> Actor {
        Actor {
            user: Some(self.user),
            name: self.display_name.clone(),
            member: self.member,
            grants: self.grants.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_roles_is_enough_and_one_is_needed() {
        let at = Timestamp::UNIX_EPOCH;
        let principal = Principal {
            committee: CommitteeId::new(at),
            user: UserId::new(at),
            sign_in: SignInId::new(at),
            username: "he.qingyuan".to_owned(),
            display_name: "何清源".to_owned(),
            member: Some(MemberId::new(at)),
            grants: vec![Grant::of(Role::Member), Grant::of(Role::Leader)],
            must_change_password: false,
            factor: Factor::default(),
            machine: None,
        };
        assert!(principal.has_any(&[Role::Auditor, Role::Leader]));
        assert!(!principal.has_any(&[Role::Auditor, Role::Administrator]));
        assert!(!principal.has_any(&[]));
        let actor = principal.actor();
        assert_eq!(actor.user, Some(principal.user));
        assert_eq!(actor.member, principal.member);
        assert_eq!(actor.grants, principal.grants);
        assert_eq!(actor.name, "何清源");
    }
}
