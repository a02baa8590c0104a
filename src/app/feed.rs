//! The feed as one reader may know it: thin entries, in the order of commits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Result;
use crate::ids::{
    AttachmentId, CommitteeId, EventId, Id, IdKind, ProposalId, StreamId, WebhookId, kind,
};
use crate::store::feed::{self, Seen};
use crate::store::{Tx, cases, proposals};
use crate::workflow::access::{self, EventFacts, Reach};
use crate::workflow::case::Case;
use crate::workflow::role::Actor;

/// Events that are looked at for one page.
const WINDOW: i64 = 1000;
/// Cases that are read for one page, where only the case says who may know of an event.
const CASES: usize = 40;

/// Something that happened, without texts: what it is about is read where it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ThinEvent {
    /// Identifier.
    pub id: EventId,
    /// What happened.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub name: String,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// The role that entitled the actor; `system` for what time or the rules did.
    #[schema(max_length = 64, example = "committee_chair")]
    pub actor_role: String,
    /// Whose history it is in: `proposal`, or a register such as `unit`.
    #[schema(max_length = 32, example = "proposal")]
    pub kind: String,
    /// What it is about.
    pub subject: EventSubject,
    /// Status of the subject before; absent where it has none or did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, nullable = false, example = "submitted")]
    pub before: Option<String>,
    /// Status of the subject after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, nullable = false, example = "filed")]
    pub after: Option<String>,
    /// The case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposal_id: Option<ProposalId>,
    /// Its case number (案号), once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 9_999_999, example = 12)]
    pub case_no: Option<i32>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventSubject {
    /// `proposal`, `assignment`, `reply`, or a register such as `unit`.
    #[schema(max_length = 32, example = "proposal")]
    pub kind: String,
    /// Its identifier.
    #[schema(max_length = 64, example = "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607")]
    pub id: String,
}

/// What a reader wants of the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names, or beginnings of names that end in `.*`; empty: all.
    pub names: Vec<String>,
    /// Kinds of histories; empty: all.
    pub kinds: Vec<String>,
}

impl Wanted {
    /// Whether an event is wanted.
    pub fn takes(&self, kind: &str, name: &str) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => pattern == name,
        };
        (self.names.is_empty() || self.names.iter().any(named))
            && (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
    }
}

/// A part of the feed.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// What the reader may know of and wants, with the position of each.
    pub events: Vec<(i64, ThinEvent)>,
    /// Up to here the feed was looked at: the next page is behind it.
    pub end: i64,
    /// There was more behind it.
    pub more: bool,
}

/// The events behind a position that the reader may know of now, at most `limit`. A page may be
/// empty and still have more behind it: the work of one page is bounded, and its end moves on.
pub fn page(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reader: &Actor,
    after: i64,
    wanted: &Wanted,
    limit: usize,
) -> Result<FeedPage> {
    let rows = feed::scan(tx, committee, after, WINDOW)?;
    let mut sieve = Sieve::of(tx, committee, reader, wanted, &rows)?;
    let (mut chosen, mut end) = (Vec::new(), after);
    for row in &rows {
        if chosen.len() >= limit {
            break;
        }
        let Some(shown) = sieve.shows(tx, row)? else {
            break;
        };
        end = row.position;
        if shown {
            chosen.push(row);
        }
    }
    let last = rows.last().map_or(after, |row| row.position);
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == WINDOW);
    Ok(FeedPage {
        events: thin(tx, committee, &chosen, &sieve.readable)?,
        end,
        more: end < last || full,
    })
}

/// Tells event by event what a reader is shown.
struct Sieve<'a> {
    committee: CommitteeId,
    reader: &'a Actor,
    wanted: &'a Wanted,
    /// The cases that may be read, with their numbers.
    readable: BTreeMap<ProposalId, Option<i32>>,
    cases: BTreeMap<ProposalId, Option<Case>>,
}

impl<'a> Sieve<'a> {
    fn of(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        reader: &'a Actor,
        wanted: &'a Wanted,
        rows: &[Seen],
    ) -> Result<Self> {
        let ids: BTreeSet<ProposalId> = rows
            .iter()
            .filter(|row| row.stream_kind == PROPOSAL)
            .filter(|row| wanted.takes(&row.stream_kind, &row.name))
            .map(|row| row.stream_id.cast())
            .collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let readable = proposals::readable(tx, committee, &Reach::of(reader), &ids)?;
        Ok(Self {
            committee,
            reader,
            wanted,
            readable: readable.into_iter().collect(),
            cases: BTreeMap::new(),
        })
    }

    /// `None`: too many cases were read for this page already.
    fn shows(&mut self, tx: &mut Tx<'_>, row: &Seen) -> Result<Option<bool>> {
        if !self.wanted.takes(&row.stream_kind, &row.name) {
            return Ok(Some(false));
        }
        if row.stream_kind != PROPOSAL {
            let may = access::may_see_other_event(&row.stream_kind, &row.name, self.reader);
            return Ok(Some(may));
        }
        let id: ProposalId = row.stream_id.cast();
        if !self.readable.contains_key(&id) {
            return Ok(Some(false));
        }
        if let Some(answer) = access::sees_event_of_any_case(&row.name, self.reader) {
            return Ok(Some(answer));
        }
        if !self.cases.contains_key(&id) {
            if self.cases.len() == CASES {
                return Ok(None);
            }
            let case = cases::load(tx, self.committee, id)?.map(|loaded| loaded.case);
            self.cases.insert(id, case);
        }
        let event = EventFacts {
            name: &row.name,
            at: row.at.0,
        };
        let case = self.cases.get(&id).and_then(Option::as_ref);
        // The case itself has the last word on who may read it.
        let sees = |case: &Case| {
            access::may_read(case, self.reader) && access::may_see_event(case, event, self.reader)
        };
        Ok(Some(case.is_some_and(sees)))
    }
}

const PROPOSAL: &str = "proposal";

fn thin(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    rows: &[&Seen],
    numbers: &BTreeMap<ProposalId, Option<i32>>,
) -> Result<Vec<(i64, ThinEvent)>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let positions: Vec<_> = rows.iter().map(|row| row.position).collect();
    let mut contents: BTreeMap<i64, Value> = feed::contents(tx, committee, &positions)?
        .into_iter()
        .map(|(position, content)| (position, content.0))
        .collect();
    let told = rows.iter().map(|row| {
        let content = contents.remove(&row.position).unwrap_or_default();
        (row.position, thin_event(row, &content, numbers))
    });
    Ok(told.collect())
}

fn thin_event(
    row: &Seen,
    content: &Value,
    numbers: &BTreeMap<ProposalId, Option<i32>>,
) -> ThinEvent {
    let case = (row.stream_kind == PROPOSAL).then(|| row.stream_id.cast::<kind::Proposal>());
    let of_case = |name: &str| {
        let status = content.get(name).filter(|_| case.is_some());
        let status = status.and_then(Value::as_str).unwrap_or_default();
        Some(status.to_owned()).filter(|status| !status.is_empty())
    };
    let target = |name: &str| {
        let pointer = format!("/target/{name}");
        content.pointer(&pointer).and_then(Value::as_str)
    };
    let subject = match (target("kind"), target("id")) {
        (Some(kind), Some(id)) if case.is_some() => EventSubject {
            kind: kind.to_owned(),
            id: id.to_owned(),
        },
        _ => EventSubject {
            kind: row.stream_kind.clone(),
            id: name_of(&row.stream_kind, row.stream_id),
        },
    };
    ThinEvent {
        id: row.id,
        name: row.name.clone(),
        at: row.at.0,
        actor_role: row.actor_role.clone(),
        kind: row.stream_kind.clone(),
        subject,
        before: of_case("before"),
        after: of_case("after"),
        proposal_id: case,
        case_no: case.and_then(|id| numbers.get(&id).copied().flatten()),
    }
}

/// The public identifier of the thing behind a history.
pub fn name_of(kind_name: &str, id: StreamId) -> String {
    fn text<K: IdKind>(id: StreamId) -> String {
        id.cast::<K>().to_string()
    }
    match kind_name {
        "committee" => text::<kind::Committee>(id),
        "term" => text::<kind::Term>(id),
        "session" => text::<kind::Session>(id),
        "member" => text::<kind::Member>(id),
        "organisation" => text::<kind::Organisation>(id),
        "unit" => text::<kind::Unit>(id),
        "user" => text::<kind::User>(id),
        "profile" => text::<kind::PolicyProfile>(id),
        "api_token" => text::<kind::ApiToken>(id),
        "job" => text::<kind::Job>(id),
        PROPOSAL => text::<kind::Proposal>(id),
        "attachment" => AttachmentId::to_string(&id.cast()),
        "webhook" => WebhookId::to_string(&id.cast()),
        _ => Id::to_string(&id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_of_names_are_taken() {
        let wanted = |names: &[&str]| Wanted {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            kinds: Vec::new(),
        };
        assert!(wanted(&[]).takes("proposal", "proposal.filed"));
        assert!(wanted(&["proposal.filed"]).takes("proposal", "proposal.filed"));
        assert!(!wanted(&["proposal.filed"]).takes("proposal", "proposal.filed_again"));
        assert!(wanted(&["x", "proposal.*"]).takes("proposal", "proposal.filed"));
        assert!(!wanted(&["proposal.*"]).takes("proposal", "proposals"));
        let kinds = Wanted {
            kinds: vec!["unit".to_owned()],
            ..Wanted::default()
        };
        assert!(!kinds.takes("proposal", "proposal.filed"));
    }
}
