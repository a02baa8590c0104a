//! How accounts are told: address, language, and what they chose for each group of messages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::notification_settings as dsl;
use super::sql_types::{At, Json};
use crate::error::Result;
use crate::ids::{CommitteeId, UserId};
use crate::mail::Language;
use crate::workflow::topics::{Delivery, Group};

/// What an account chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Where mails go; `None`: none are sent.
    pub email: Option<String>,
    /// The language of mails.
    pub language: Language,
    /// For each group that is not told as usual: how.
    pub choices: BTreeMap<Group, Delivery>,
    /// Rises with every change; 1 before the first.
    pub version: i32,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            email: None,
            language: Language::Chinese,
            choices: BTreeMap::new(),
            version: 1,
        }
    }
}

impl Chosen {
    /// How the account is told of a group.
    pub fn delivery(&self, group: Group) -> Delivery {
        self.choices
            .get(&group)
            .copied()
            .unwrap_or_else(|| group.usual())
    }
}

type Row = (UserId, Option<String>, Language, Json, i32);

fn chosen((user, email, language, choices, version): Row) -> Result<(UserId, Chosen)> {
    let chosen = Chosen {
        email,
        language,
        choices: choices.to()?,
        version,
    };
    Ok((user, chosen))
}

/// The settings of these accounts; those without any are left out.
pub fn of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    users: &BTreeSet<UserId>,
) -> Result<HashMap<UserId, Chosen>> {
    let rows: Vec<Row> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq_any(users.iter().copied()))
        .select((
            dsl::user_id,
            dsl::email,
            dsl::language,
            dsl::choices,
            dsl::version,
        ))
        .rows(tx.conn)?;
    rows.into_iter().map(chosen).collect()
}

/// The settings of one account.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Chosen> {
    let mut found = of(tx, committee, &BTreeSet::from([user]))?;
    Ok(found.remove(&user).unwrap_or_default())
}

/// Writes the settings of one account; the account is locked, so nobody else writes them.
pub fn put(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    chosen: &Chosen,
    now: Timestamp,
) -> Result<()> {
    let fields = (
        dsl::email.eq(&chosen.email),
        dsl::language.eq(chosen.language),
        dsl::choices.eq(Json::of(&chosen.choices)?),
        dsl::version.eq(chosen.version),
        dsl::updated_at.eq(At(now)),
    );
    let changed = diesel::update(dsl::table.find((committee, user)))
        .set(fields)
        .prepared()
        .run(tx.conn)?;
    if changed > 0 {
        return Ok(());
    }
    diesel::insert_into(dsl::table)
        .values((
            dsl::committee_id.eq(committee),
            dsl::user_id.eq(user),
            dsl::email.eq(&chosen.email),
            dsl::language.eq(chosen.language),
            dsl::choices.eq(Json::of(&chosen.choices)?),
            dsl::version.eq(chosen.version),
            dsl::updated_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
