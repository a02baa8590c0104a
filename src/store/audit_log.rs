//! The audit trail as auditors search it: newest first, by identifier.

use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::connection::MultiBackend;
use super::events::{ACCESS, Event, Stream};
use super::schema::events;
use super::sql_types::At;
use crate::code_list;
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, RequestId, StreamId, SubjectId, UserId};
use crate::workflow::role::Role;

/// Events that are looked at for one page, where nothing leads to those that are wanted.
const WINDOW: i64 = 20_000;

code_list! {
    /// What kind of entry of the audit trail.
    pub enum EntryClass {
        Refusals = "refusals", "拒绝", "who was refused: operations, sign-ins, changes of passwords";
        Reads = "reads", "查阅", "who read restricted cases or the audit trail";
        SignIns = "sign_ins", "登录", "sign-ins and what became of them";
        Administration = "administration", "管理", "registers, accounts, policy, jobs, subscriptions";
        Cases = "cases", "办理", "acts on cases and their files";
    }
}

/// What is searched for. All of it must fit.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Who did it.
    pub actor: Option<UserId>,
    /// In which role.
    pub role: Option<Role>,
    /// Names of events, or beginnings of names that end in `.*`; empty: all.
    pub names: Vec<String>,
    /// Kind of the history.
    pub kind: Option<String>,
    /// The thing: its own history, and who read it or was refused it.
    pub object: Option<SubjectId>,
    /// In this request.
    pub request: Option<RequestId>,
    /// What kind of entry.
    pub class: Option<EntryClass>,
    /// At or after this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

impl LogFilter {
    /// Whether an index leads to what is wanted.
    fn is_narrow(&self) -> bool {
        self.actor.is_some() || self.object.is_some() || self.request.is_some()
    }
}

/// A part of the log.
#[derive(Debug)]
pub struct LogPage {
    /// What fits, newest first.
    pub entries: Vec<(StreamId, Event)>,
    /// Continue before this one; `None`: nothing is left.
    pub next: Option<EventId>,
}

type Condition = Box<dyn BoxableExpression<events::table, MultiBackend, SqlType = Bool>>;

/// Names of refusals.
const REFUSALS: [&str; 5] = [
    "access.refused",
    "user.sign_in_refused",
    "user.sign_in_locked",
    "user.second_factor_refused",
    "user.password_change_refused",
];
/// Names of sign-ins and of what becomes of them.
const SIGN_INS: [&str; 12] = [
    "user.signed_in",
    "user.signed_out",
    "user.own_sign_ins_ended",
    "user.sign_in_refused",
    "user.sign_in_locked",
    "user.second_factor_asked",
    "user.second_factor_confirmed",
    "user.second_factor_refused",
    "user.stepped_up",
    "user.refresh_token_reused",
    "user.password_changed",
    "user.password_change_refused",
];
/// Histories of cases.
const CASES: [&str; 4] = ["proposal", "attachment", "referral", "incoming_referral"];

fn of_class(class: EntryClass) -> Condition {
    match class {
        EntryClass::Refusals => Box::new(events::name.eq_any(REFUSALS)),
        EntryClass::Reads => Box::new(events::name.eq_any(["access.read", "audit.read"])),
        EntryClass::SignIns => Box::new(events::name.eq_any(SIGN_INS)),
        EntryClass::Cases => Box::new(events::stream_kind.eq_any(CASES)),
        EntryClass::Administration => Box::new(
            events::stream_kind
                .ne_all(CASES)
                .and(events::stream_kind.ne(ACCESS))
                .and(events::name.ne_all(SIGN_INS)),
        ),
    }
}

/// Names or beginnings of names.
fn named(names: &[String]) -> Option<Condition> {
    let mut all: Option<Condition> = None;
    for name in names {
        let one: Condition = match name.strip_suffix('*') {
            Some(start) => Box::new(
                events::name
                    .like(format!("{}%", start.replace('_', "\\_")))
                    .escape('\\'),
            ),
            None => Box::new(events::name.eq(name.clone())),
        };
        all = Some(match all {
            Some(others) => Box::new(others.or(one)),
            None => one,
        });
    }
    all
}

/// The entries before an identifier that fit, newest first, at most `limit`. A page may have fewer
/// and still have more behind it: the work of one page is bounded.
pub fn search(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &LogFilter,
    before: Option<EventId>,
    limit: i64,
) -> Result<LogPage> {
    let floor = if filter.is_narrow() {
        None
    } else {
        floor(tx, committee, filter, before)?
    };
    let mut query = events::table
        .filter(events::committee_id.eq(committee))
        .into_boxed::<MultiBackend>();
    if let Some(before) = before {
        query = query.filter(events::id.lt(before));
    }
    if let Some(floor) = floor {
        query = query.filter(events::id.ge(floor));
    }
    if let Some(from) = filter.from {
        query = query
            .filter(events::id.ge(EventId::first_at(from)))
            .filter(events::at.ge(At(from)));
    }
    if let Some(to) = filter.to {
        query = query
            .filter(events::id.lt(first_after(to)))
            .filter(events::at.lt(At(to)));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(events::actor_id.eq(actor));
    }
    if let Some(role) = filter.role {
        query = query.filter(events::actor_role.eq(role.as_str()));
    }
    if let Some(names) = named(&filter.names) {
        query = query.filter(names);
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(events::stream_kind.eq(kind.clone()));
    }
    if let Some(object) = filter.object {
        let streams = [object.cast(), Stream::access_to(committee, object).id];
        query = query.filter(events::stream_id.eq_any(streams));
    }
    if let Some(request) = filter.request {
        query = query.filter(events::request_id.eq(request));
    }
    if let Some(class) = filter.class {
        query = query.filter(of_class(class));
    }
    let mut entries: Vec<(StreamId, Event)> = query
        .order(events::id.desc())
        .limit(limit + 1)
        .select((
            events::stream_id,
            <Event as Selectable<MultiBackend>>::construct_selection(),
        ))
        .load(tx.conn)?;
    let full = i64::try_from(entries.len()).is_ok_and(|count| count > limit);
    if full {
        entries.pop();
        let next = entries.last().map(|(_, event)| event.id);
        return Ok(LogPage { entries, next });
    }
    Ok(LogPage {
        entries,
        next: floor,
    })
}

/// The first identifier that can only name something after the moment.
fn first_after(moment: Timestamp) -> EventId {
    let next = moment.saturating_add(SignedDuration::from_millis(1));
    EventId::first_at(next.unwrap_or(Timestamp::MAX))
}

/// How far a page looks at most: the identifier of the last event in reach, if more lie behind it.
fn floor(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &LogFilter,
    before: Option<EventId>,
) -> Result<Option<EventId>> {
    let mut query = events::table
        .filter(events::committee_id.eq(committee))
        .into_boxed::<MultiBackend>();
    if let Some(before) = before {
        query = query.filter(events::id.lt(before));
    }
    if let Some(to) = filter.to {
        query = query.filter(events::id.lt(first_after(to)));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::id.ge(EventId::first_at(from)));
    }
    Ok(query
        .order(events::id.desc())
        .offset(WINDOW - 1)
        .limit(1)
        .select(events::id)
        .first(tx.conn)
        .optional()?)
}
