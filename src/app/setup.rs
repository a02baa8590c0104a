//! What the command line does with administrators: it makes the first ones of a committee, since no
//! account exists after an installation, and lets the last security administrator in again.

use jiff::Timestamp;
use serde_json::json;

use crate::app::second_factor;
use crate::auth::known_words::Owner;
use crate::auth::policy::PasswordPolicy;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, UserId};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::register::{Entry, Register, Rows};
use crate::store::users::{self, UserFields, UserIn};
use crate::store::{Tx, accounts, passwords, setup};
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::{Actor, Grant, Role};

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

/// An account to begin with.
#[derive(Debug, Clone)]
pub struct FirstAccount {
    /// Sign-in name.
    pub username: String,
    /// Name shown to others.
    pub display_name: String,
}

/// The first administrators of a committee: one makes accounts, the other says who may do what.
#[derive(Debug, Clone)]
pub struct FirstAdministrators {
    /// Code of the committee.
    pub committee: String,
    /// What to make of it if it does not exist.
    pub new_committee: Option<NewCommittee>,
    /// The system administrator.
    pub system: FirstAccount,
    /// The security administrator.
    pub security: FirstAccount,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The committee.
    pub committee: CommitteeId,
    /// Whether it is new.
    pub committee_is_new: bool,
    /// The system administrator.
    pub system: UserId,
    /// The security administrator.
    pub security: UserId,
}

/// Whether an initial password keeps the policy of the committee; a new one begins with the
/// default.
pub fn check_password(
    tx: &mut Tx<'_>,
    committee: &str,
    account: &FirstAccount,
    password: &str,
) -> Result<()> {
    let policy = match setup::committee(tx, committee)? {
        Some(committee) => passwords::policy(tx, committee)?.0,
        None => PasswordPolicy::default(),
    };
    let owner = Owner {
        username: &account.username,
        display_name: &account.display_name,
        committee,
    };
    policy.check("password", password, &owner)
}

/// Makes the first system administrator and the first security administrator of a committee, who
/// must each change the password at the first sign-in, and the committee if there is none of that
/// code. Refused where the committee has a system administrator already.
pub fn create_first_administrators(
    tx: &mut Tx<'_>,
    wanted: &FirstAdministrators,
    (system_hash, security_hash): (&str, &str),
    now: Timestamp,
) -> Result<Created> {
    check(wanted)?;
    let found = setup::committee(tx, &wanted.committee)?;
    let committee = match found {
        Some(committee) if setup::has(tx, committee, Role::Administrator)? => {
            return Err(exists(&wanted.committee, Role::Administrator));
        }
        Some(committee) => committee,
        None => create_committee(tx, wanted, now)?,
    };
    let mut make = |account, role, hash| create_account(tx, committee, account, role, hash, now);
    Ok(Created {
        committee,
        committee_is_new: found.is_none(),
        system: make(&wanted.system, Role::Administrator, system_hash)?,
        security: make(&wanted.security, Role::SecurityAdministrator, security_hash)?,
    })
}

/// Makes the first security administrator of a committee that is older than this role. Refused
/// where it has one.
pub fn create_first_security_administrator(
    tx: &mut Tx<'_>,
    code: &str,
    account: &FirstAccount,
    password_hash: &str,
    now: Timestamp,
) -> Result<(CommitteeId, UserId)> {
    let mut rules = Rules::default();
    rules.account(account, "username", "display_name");
    rules.end()?;
    let committee = setup::committee(tx, code)?.ok_or_else(|| nowhere(code))?;
    let role = Role::SecurityAdministrator;
    if setup::has(tx, committee, role)? {
        return Err(exists(code, role));
    }
    let user = create_account(tx, committee, account, role, password_hash, now)?;
    Ok((committee, user))
}

/// Gives a security administrator a new initial password, ends the sign-ins of the account and, if
/// asked for, takes its second factor away: nobody of the committee could do it for the last one.
/// Refused for every other account, which its security administrator can help.
pub fn recover_security_administrator(
    tx: &mut Tx<'_>,
    code: &str,
    username: &str,
    (password, password_hash): (&str, &str),
    and_second_factor: bool,
    now: Timestamp,
) -> Result<UserId> {
    let committee = setup::committee(tx, code)?.ok_or_else(|| nowhere(code))?;
    let account = accounts::by_username(tx, committee, username)?;
    let role = Role::SecurityAdministrator;
    let before = match account {
        Some(account) => UserFields::find(tx, committee, account.id)?,
        None => return Err(no_such_administrator(code, username)),
    };
    if !before.fields.roles.contains(&Grant::of(role)) {
        return Err(no_such_administrator(code, username));
    }
    let policy = passwords::policy(tx, committee)?.0;
    let owner = Owner {
        username,
        display_name: &before.fields.display_name,
        committee: code,
    };
    policy.check("password", password, &owner)?;
    let by = by_hand(now);
    let mut after = users::reset_password_by(tx, committee, &by, &before, password_hash)?;
    if and_second_factor {
        after = second_factor::reset_by(tx, committee, &by, &after)?;
    }
    Ok(after.id)
}

fn nowhere(code: &str) -> Error {
    Error::not_found().detail(Message::new(
        format!("没有代码为 {code} 的委员会。"),
        format!("There is no committee '{code}'."),
    ))
}

fn no_such_administrator(code: &str, username: &str) -> Error {
    let label = Role::SecurityAdministrator.label();
    Error::not_found().detail(Message::new(
        format!("{code} 没有账号名为 {username} 的{}。", label.zh),
        format!("The committee '{code}' has no {} '{username}'.", label.en),
    ))
}

fn exists(code: &str, role: Role) -> Error {
    let label = role.label();
    Error::new(Code::AlreadyExists).detail(Message::new(
        format!("{code} 已有{}。", label.zh),
        format!("The committee '{code}' already has a {}.", label.en),
    ))
}

fn create_account(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    account: &FirstAccount,
    role: Role,
    password_hash: &str,
    now: Timestamp,
) -> Result<UserId> {
    let fields = UserFields::new(
        UserIn {
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            member_id: None,
            disabled: false,
        },
        vec![Grant::of(role)],
    );
    let entry = Entry::new(fields, now);
    users::insert(tx, committee, &entry, Some(password_hash))?;
    let happening = Happening::change("user.created", &(), &entry);
    let stream = Stream::of(committee, UserFields::NAME, entry.id);
    events::append(tx, &stream, &by_hand(now), happening)?;
    Ok(entry.id)
}

fn create_committee(
    tx: &mut Tx<'_>,
    wanted: &FirstAdministrators,
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

/// Collects what is wrong.
#[derive(Default)]
struct Rules(Vec<(String, &'static str, &'static str)>);

impl Rules {
    fn rule(&mut self, holds: bool, field: &str, zh: &'static str, en: &'static str) {
        if !holds {
            self.0.push((field.to_owned(), zh, en));
        }
    }

    fn account(&mut self, account: &FirstAccount, username: &str, display_name: &str) {
        self.rule(
            is_name(&account.username, 3, 64, b"._-")
                && account
                    .username
                    .starts_with(|c: char| c.is_ascii_alphanumeric()),
            username,
            "须为 3–64 个小写字母、数字、点、下划线或连字符，以字母或数字开头。",
            "3 to 64 lower-case letters, digits, dots, underscores or hyphens, starting with a letter or digit.",
        );
        self.rule(
            is_text(&account.display_name, 50),
            display_name,
            "须为 1–50 个字符。",
            "1 to 50 characters.",
        );
    }

    fn end(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let none = Error::new(Code::InvalidInput);
        Err(self.0.into_iter().fold(none, |error, (field, zh, en)| {
            error.field(field, "invalid", Message::new(zh, en))
        }))
    }
}

fn check(wanted: &FirstAdministrators) -> Result<()> {
    let mut rules = Rules::default();
    rules.rule(
        is_name(&wanted.committee, 2, 39, b"-")
            && wanted
                .committee
                .starts_with(|c: char| c.is_ascii_lowercase()),
        "committee",
        "须为 2–39 个小写字母、数字或连字符，以字母开头。",
        "2 to 39 lower-case letters, digits or hyphens, starting with a letter.",
    );
    rules.account(&wanted.system, "username", "display_name");
    rules.account(
        &wanted.security,
        "security_username",
        "security_display_name",
    );
    rules.rule(
        wanted.system.username != wanted.security.username,
        "security_username",
        "系统管理员和安全管理员须为不同的账号。",
        "System administrator and security administrator are two accounts.",
    );
    if let Some(new) = &wanted.new_committee {
        for (text, field) in [(&new.name, "name"), (&new.region, "region")] {
            rules.rule(
                is_text(text, 100),
                field,
                "须为 1–100 个字符。",
                "1 to 100 characters.",
            );
        }
    }
    rules.end()
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
            let owner = Owner {
                username: "lin.zhiyuan",
                display_name: "林知远",
                committee: "yunling",
            };
            assert!(
                strict.check("password", &password, &owner).is_ok(),
                "{password}"
            );
        }
    }
}
