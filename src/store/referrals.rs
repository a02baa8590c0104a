//! Cases sent to other committees: the rows of the sender, the copies of the receiver, and what the
//! sender sees of a counterpart. Nothing else crosses from one committee to another (I35).

use diesel::prelude::*;
use serde_json::json;

use super::Tx;
use super::connection::MultiBackend;
use super::events::{self, Circumstances, Happening, Stream};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{committees, incoming_referrals, proposals, referrals};
use super::sql_types::{At, Json};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, ProposalId, ReferralId, UserId};
use crate::workflow::case::{Case, Referral};
use crate::workflow::codes::{CaseSeries, ReferralDirection, ReferralStatus, Secrecy};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::referral::{Mirror, Sent};
use crate::workflow::role::Role;

/// A row of `incoming_referrals`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = incoming_referrals)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct Incoming {
    pub committee_id: CommitteeId,
    pub id: ReferralId,
    pub sender_id: CommitteeId,
    pub sender_name: String,
    pub sender_proposal_id: ProposalId,
    pub direction: ReferralDirection,
    pub status: ReferralStatus,
    pub version: i32,
    pub content: Json,
    pub received_at: At,
    pub proposal_id: Option<ProposalId>,
    pub note: Option<String>,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<At>,
}

impl Incoming {
    /// The copy.
    pub fn sent(&self) -> Result<Sent> {
        self.content.clone().to()
    }

    /// Its chain of events, on the side that got it.
    pub fn stream(&self) -> Stream {
        stream(self.committee_id, self.id)
    }
}

fn stream(committee: CommitteeId, id: ReferralId) -> Stream {
    Stream::of(committee, "incoming_referral", id)
}

fn columns() -> <Incoming as Selectable<MultiBackend>>::SelectExpression {
    <Incoming as Selectable<MultiBackend>>::construct_selection()
}

/// What arrives at the other side is told there as coming from the system: who sent it is an
/// account of another committee.
fn from_outside(by: &Circumstances) -> Circumstances {
    Circumstances {
        actor: None,
        actor_name: "system".to_owned(),
        role: Role::System,
        on_behalf_of: None,
        ..by.clone()
    }
}

fn sent_by(case: &Case, id: ReferralId) -> Result<(&Referral, CommitteeId)> {
    let mut all = case.referrals.iter();
    all.find(|one| one.id == id)
        .and_then(|one| Some((one, one.committee?)))
        .ok_or_else(|| Error::internal("a copy without its referral"))
}

/// The other committee gets its copy.
pub fn send(
    tx: &mut Tx<'_>,
    case: &Case,
    id: ReferralId,
    sent: &Sent,
    by: &Circumstances,
) -> Result<()> {
    let (referral, target) = sent_by(case, id)?;
    let sender = case.proposal.committee;
    let name: String = committees::table
        .find(sender)
        .select(committees::name)
        .first_row(tx.conn)?;
    diesel::insert_into(incoming_referrals::table)
        .values((
            incoming_referrals::committee_id.eq(target),
            incoming_referrals::id.eq(id),
            incoming_referrals::sender_id.eq(sender),
            incoming_referrals::sender_name.eq(&name),
            incoming_referrals::sender_proposal_id.eq(case.proposal.id),
            incoming_referrals::direction.eq(referral.direction),
            incoming_referrals::status.eq(ReferralStatus::Sent),
            incoming_referrals::version.eq(1),
            incoming_referrals::content.eq(Json::of(sent)?),
            incoming_referrals::received_at.eq(At(by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    let happening = Happening {
        name: "incoming_referral.received".to_owned(),
        rule: None,
        content: json!({ "sender": name, "direction": referral.direction, "title": sent.title }),
    };
    events::append(tx, &stream(target, id), &from_outside(by), happening)
}

/// The copy waits for no answer any more.
pub fn recall(
    tx: &mut Tx<'_>,
    case: &Case,
    id: ReferralId,
    reason: &str,
    by: &Circumstances,
) -> Result<()> {
    let (_, target) = sent_by(case, id)?;
    end(tx, target, id, ReferralStatus::Recalled, Some(reason), by)?;
    let happening = Happening {
        name: "incoming_referral.recalled".to_owned(),
        rule: None,
        content: json!({ "reason": reason }),
    };
    events::append(tx, &stream(target, id), &from_outside(by), happening)
}

fn end(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ReferralId,
    status: ReferralStatus,
    note: Option<&str>,
    by: &Circumstances,
) -> Result<()> {
    let changed = diesel::update(incoming_referrals::table.find((committee, id)))
        .filter(incoming_referrals::status.eq(ReferralStatus::Sent))
        .set((
            incoming_referrals::status.eq(status),
            incoming_referrals::version.eq(incoming_referrals::version + 1),
            incoming_referrals::note.eq(note),
            incoming_referrals::answered_at.eq(At(by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    if changed == 1 {
        return Ok(());
    }
    // Both sides change under the lock of the sender's case, so this is a race that was lost.
    Err(Error::internal("a referral was answered meanwhile").retryable())
}

/// The text of a case is removed for good: from the copies too (I29).
pub fn hide(tx: &mut Tx<'_>, case: &Case) -> Result<()> {
    for one in &case.referrals {
        let Some(target) = one.committee else {
            continue;
        };
        let key = (target, one.id);
        let content: Option<Json> = incoming_referrals::table
            .find(key)
            .select(incoming_referrals::content)
            .first_row(tx.conn)
            .optional()?;
        if let Some(content) = content {
            let sent: Sent = content.to()?;
            diesel::update(incoming_referrals::table.find(key))
                .set((
                    incoming_referrals::content.eq(Json::of(&sent.without_text())?),
                    incoming_referrals::version.eq(incoming_referrals::version + 1),
                ))
                .prepared()
                .run(tx.conn)?;
        }
    }
    Ok(())
}

/// What a committee was sent under this name.
pub fn find_incoming(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ReferralId,
) -> Result<Option<Incoming>> {
    Ok(incoming_referrals::table
        .find((committee, id))
        .select(columns())
        .first_row(tx.conn)
        .optional()?)
}

/// The answer, on the side that gives it.
pub fn answer(
    tx: &mut Tx<'_>,
    row: &Incoming,
    status: ReferralStatus,
    counterpart: Option<ProposalId>,
    note: Option<&str>,
    by: &Circumstances,
) -> Result<()> {
    end(tx, row.committee_id, row.id, status, note, by)?;
    diesel::update(incoming_referrals::table.find((row.committee_id, row.id)))
        .set((
            incoming_referrals::proposal_id.eq(counterpart),
            incoming_referrals::answered_by.eq(by.actor),
        ))
        .prepared()
        .run(tx.conn)?;
    let happening = Happening {
        name: format!("incoming_referral.{}", status.as_str()),
        rule: None,
        content: json!({ "note": note, "proposal_id": counterpart }),
    };
    events::append(tx, &row.stream(), by, happening)
}

/// Which referrals of a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// This far.
    pub status: Option<ReferralStatus>,
    /// This way.
    pub direction: Option<ReferralDirection>,
}

macro_rules! filtered {
    ($table:ident, $committee:expr, $filter:expr) => {{
        let mut query = $table::table
            .filter($table::committee_id.eq($committee))
            .into_boxed();
        if let Some(status) = $filter.status {
            query = query.filter($table::status.eq(status));
        }
        if let Some(direction) = $filter.direction {
            query = query.filter($table::direction.eq(direction));
        }
        query
    }};
}

macro_rules! page {
    ($table:ident, $committee:expr, $filter:expr, $after:expr, $limit:expr) => {{
        let mut query = filtered!($table, $committee, $filter);
        if let Some(id) = $after {
            query = query.filter($table::id.lt(id));
        }
        query
            .order($table::id.desc())
            .limit(i64::try_from($limit).unwrap_or(i64::MAX))
    }};
}

/// At most `limit` copies that a committee was sent, after a position, newest first.
pub fn incoming(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: Filter,
    after: Option<ReferralId>,
    limit: usize,
) -> Result<Vec<Incoming>> {
    Ok(page!(incoming_referrals, committee, filter, after, limit)
        .select(columns())
        .load(tx.conn)?)
}

/// How many copies there are, counted up to `cap`.
pub fn count_incoming(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: Filter,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<ReferralId> = filtered!(incoming_referrals, committee, filter)
        .limit(cap)
        .select(incoming_referrals::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// A referral of the sender in a list, with its case in short.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The referral.
    pub referral: Referral,
    /// The case.
    pub proposal: ProposalId,
    /// Its title.
    pub title: String,
    /// Its 案号.
    pub case_no: Option<i32>,
    /// Its status.
    pub status: ProposalStatus,
}

/// At most `limit` referrals that a committee sent, after a position, newest first.
pub fn outgoing(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: Filter,
    after: Option<ReferralId>,
    limit: usize,
) -> Result<Vec<Outgoing>> {
    type Line = (super::cases::ReferralRow, ProposalId);
    type Brief = (ProposalId, String, Option<i32>, ProposalStatus);
    let rows: Vec<Line> = page!(referrals, committee, filter, after, limit)
        .select((
            <super::cases::ReferralRow as Selectable<MultiBackend>>::construct_selection(),
            referrals::proposal_id,
        ))
        .load(tx.conn)?;
    let ids: Vec<ProposalId> = rows.iter().map(|row| row.1).collect();
    let cases: Vec<Brief> = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .filter(proposals::id.eq_any(ids))
        .select((
            proposals::id,
            proposals::title,
            proposals::case_no,
            proposals::status,
        ))
        .rows(tx.conn)?;
    rows.into_iter()
        .map(|(row, proposal)| {
            let (_, title, case_no, status) = cases
                .iter()
                .find(|case| case.0 == proposal)
                .cloned()
                .ok_or_else(|| Error::internal("a referral without its case"))?;
            Ok(Outgoing {
                referral: row.into_facts()?,
                proposal,
                title,
                case_no,
                status,
            })
        })
        .collect()
}

/// How many referrals there are, counted up to `cap`.
pub fn count_outgoing(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: Filter,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<ReferralId> = filtered!(referrals, committee, filter)
        .limit(cap)
        .select(referrals::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// How far the counterpart of a referral is: its status and number and nothing else, and not even
/// that once it is no open case any more.
pub fn mirror(tx: &mut Tx<'_>, referral: &Referral) -> Result<Option<Mirror>> {
    let (Some(committee), Some(counterpart)) = (referral.committee, referral.counterpart) else {
        return Ok(None);
    };
    let row: Option<(ProposalStatus, At, Option<i32>, CaseSeries)> = proposals::table
        .find((committee, counterpart))
        .filter(proposals::secrecy.eq(Secrecy::Open))
        .select((
            proposals::status,
            proposals::status_since,
            proposals::case_no,
            proposals::case_series,
        ))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(|(status, since, case_no, case_series)| Mirror {
        status,
        since: since.0,
        case_no,
        case_series,
    }))
}
