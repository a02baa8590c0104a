//! The first administrator of a committee, made on the command line: no account exists after an
//! installation.

use jiff::Timestamp;
use serde_json::json;

use crate::auth::policy::PasswordPolicy;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, UserId};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::{Tx, passwords, setup};
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::{Actor, Role};

/// A committee that may have to be made.
#[derive(Debug, Clone)]
pub struct NewCommittee {
    /// Full name.
    pub name: String,
    /// Where it stands in the tree.
    pub level: CommitteeLevel,
    /// The region.
    pub region: String,
}

/// The first administrator of a committee.
#[derive(Clone)]
pub struct FirstAdministrator {
    /// Code of the committee.
    pub committee: String,
    /// What to make of it if it does not exist.
    pub new_committee: Option<NewCommittee>,
    /// Sign-in name.
    pub username: String,
    /// Name shown to others.
    pub display_name: String,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The committee.
    pub committee: CommitteeId,
    /// Whether it is new.
    pub committee_is_new: bool,
    /// The administrator.
    pub user: UserId,
}

/// Whether the initial password keeps the policy of the committee; a new one begins with the
/// default.
pub fn check_password(tx: &mut Tx<'_>, wanted: &FirstAdministrator, password: &str) -> Result<()> {
    let policy = match setup::committee(tx, &wanted.committee)? {
        Some(committee) => passwords::policy(tx, committee)?.0,
        None => PasswordPolicy::default(),
    };
    policy.check("password", password, &wanted.username)
}

/// Makes the first administrator of a committee, who must change the password at the first
/// sign-in, and the committee if there is none of that code. Refused where the committee has an
/// administrator already.
pub fn create_first_administrator(
    tx: &mut Tx<'_>,
    wanted: &FirstAdministrator,
    password_hash: &str,
    now: Timestamp,
) -> Result<Created> {
    check(wanted)?;
    let found = setup::committee(tx, &wanted.committee)?;
    let committee = match found {
        Some(committee) if setup::has_administrator(tx, committee)? => {
            return Err(Error::new(Code::AlreadyExists).detail(Message::new(
                format!("{} 已有管理员。", wanted.committee),
                format!(
                    "The committee '{}' already has an administrator.",
                    wanted.committee
                ),
            )));
        }
        Some(committee) => committee,
        None => create_committee(tx, wanted, now)?,
    };
    let user = UserId::new(now);
    let texts = (
        wanted.username.as_str(),
        wanted.display_name.as_str(),
        password_hash,
    );
    setup::insert_administrator(tx, committee, user, texts, now)?;
    let after = json!({
        "username": wanted.username,
        "display_name": wanted.display_name,
        "roles": [Role::Administrator],
    });
    let happening = Happening::change("user.created", &(), &after);
    events::append(
        tx,
        &Stream::of(committee, "user", user),
        &by_hand(now),
        happening,
    )?;
    Ok(Created {
        committee,
        committee_is_new: found.is_none(),
        user,
    })
}

fn create_committee(
    tx: &mut Tx<'_>,
    wanted: &FirstAdministrator,
    now: Timestamp,
) -> Result<CommitteeId> {
    let Some(NewCommittee {
        name,
        level,
        region,
    }) = &wanted.new_committee
    else {
        return Err(Error::not_found().detail(Message::new(
            format!(
                "没有代码为 {} 的委员会；新建须给出名称、层级和地区。",
                wanted.committee
            ),
            format!(
                "There is no committee '{}'; give its name, level and region to create it.",
                wanted.committee
            ),
        )));
    };
    let committee = CommitteeId::new(now);
    setup::insert_committee(
        tx,
        committee,
        (&wanted.committee, name, *level, region),
        now,
    )?;
    let after = json!({
        "code": wanted.committee, "name": name, "level": level, "region": region, "active": true,
    });
    let happening = Happening::change("committee.created", &(), &after);
    events::append(
        tx,
        &Stream::of(committee, "committee", committee),
        &by_hand(now),
        happening,
    )?;
    Ok(committee)
}

/// Whoever has the command line of the server.
fn by_hand(now: Timestamp) -> Circumstances {
    let actor = Actor {
        name: "command line".to_owned(),
        ..Actor::system()
    };
    Circumstances::acting(&actor, Role::System, now, None)
}

fn check(wanted: &FirstAdministrator) -> Result<()> {
    let mut error = Error::new(Code::InvalidInput);
    let mut rule = |holds: bool, field: &str, zh: &'static str, en: &'static str| {
        if !holds {
            error = std::mem::replace(&mut error, Error::new(Code::InvalidInput)).field(
                field,
                "invalid",
                Message::new(zh, en),
            );
        }
    };
    rule(
        is_name(&wanted.committee, 2, 39, b"-")
            && wanted
                .committee
                .starts_with(|c: char| c.is_ascii_lowercase()),
        "committee",
        "须为 2–39 个小写字母、数字或连字符，以字母开头。",
        "2 to 39 lower-case letters, digits or hyphens, starting with a letter.",
    );
    rule(
        is_name(&wanted.username, 3, 64, b"._-")
            && wanted
                .username
                .starts_with(|c: char| c.is_ascii_alphanumeric()),
        "username",
        "须为 3–64 个小写字母、数字、点、下划线或连字符，以字母或数字开头。",
        "3 to 64 lower-case letters, digits, dots, underscores or hyphens, starting with a letter or digit.",
    );
    rule(
        is_text(&wanted.display_name, 50),
        "display_name",
        "须为 1–50 个字符。",
        "1 to 50 characters.",
    );
    if let Some(new) = &wanted.new_committee {
        rule(
            is_text(&new.name, 100),
            "name",
            "须为 1–100 个字符。",
            "1 to 100 characters.",
        );
        rule(
            is_text(&new.region, 100),
            "region",
            "须为 1–100 个字符。",
            "1 to 100 characters.",
        );
    }
    if error.fields().is_empty() {
        Ok(())
    } else {
        Err(error)
    }
}

fn is_name(text: &str, min: usize, max: usize, others: &[u8]) -> bool {
    (min..=max).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte)
        })
}

fn is_text(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.contains('\0')
}

/// A random password of about 100 bits, easy to read out: `K3x9w-…`. It has characters of all four
/// classes, so that it keeps every policy.
pub fn initial_password() -> Result<String> {
    loop {
        let mut password = random_groups()?;
        let first = password.find(|sign: char| sign.is_ascii_lowercase());
        let has_digit = password.contains(|sign: char| sign.is_ascii_digit());
        if let Some(first) = first.filter(|_| has_digit) {
            password[first..=first].make_ascii_uppercase();
            if password.contains(|sign: char| sign.is_ascii_lowercase()) {
                return Ok(password);
            }
        }
    }
}

/// Four groups of five signs that are not taken for others.
fn random_groups() -> Result<String> {
    const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random bytes to be had"))?;
    let mut password = String::with_capacity(23);
    for (number, byte) in bytes.into_iter().enumerate() {
        if number > 0 && number % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(SIGNS[usize::from(byte % 32)]));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy::PasswordProfile;

    #[test]
    fn initial_passwords_keep_the_strictest_policy() {
        let strict = PasswordPolicy {
            min_length: 20,
            min_classes: 4,
            ..PasswordPolicy::of(PasswordProfile::Mlps3)
        };
        for _ in 0..200 {
            let password = initial_password().expect("a password");
            assert!(
                strict.check("password", &password, "lin.zhiyuan").is_ok(),
                "{password}"
            );
        }
    }
}
