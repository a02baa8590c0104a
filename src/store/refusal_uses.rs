//! Which cases have which reasons for not filing, and what an act needs to know of the reasons.

use std::collections::BTreeMap;

use diesel::dsl;
use diesel::prelude::*;

use super::Tx;
use super::connection::AnyConnection;
use super::prepared::Prepare;
use super::refusal_reasons::{self, RefusalReason};
use super::run::Run;
use super::schema::{self, refusal_uses};
use crate::app::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, ProposalId};
use crate::workflow::reasons::{ReasonCode, ReasonFacts, ReasonLabel, ReasonStatus};
use crate::workflow::refusal::Unmet;

/// Facts of the reasons named, which stay as they are until the transaction ends.
pub fn facts(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    codes: &[ReasonCode],
) -> Result<BTreeMap<ReasonCode, ReasonFacts>> {
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    if let AnyConnection::Postgres(conn) = &mut *tx.conn {
        schema::refusal_reasons::table
            .filter(schema::refusal_reasons::committee_id.eq(committee))
            .filter(schema::refusal_reasons::code.eq_any(codes))
            .order(schema::refusal_reasons::code)
            .select(schema::refusal_reasons::version)
            .for_share()
            .load::<i32>(conn)?;
    }
    let facts = refusal_reasons::named(tx, committee, codes)?
        .into_iter()
        .map(|reason| {
            let facts = ReasonFacts {
                active: reason.status == ReasonStatus::Active,
                hides_text: reason.hide_text,
                label: reason.label,
            };
            (reason.code, facts)
        });
    Ok(facts.collect())
}

/// What the reasons named are called.
pub fn labels(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    codes: &[ReasonCode],
) -> Result<BTreeMap<ReasonCode, ReasonLabel>> {
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let reasons = refusal_reasons::named(tx, committee, codes)?.into_iter();
    Ok(reasons.map(|reason| (reason.code, reason.label)).collect())
}

/// How many cases have a reason.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId, code: &ReasonCode) -> Result<i64> {
    Ok(refusal_uses::table
        .filter(refusal_uses::committee_id.eq(committee))
        .filter(refusal_uses::code.eq(code))
        .select(dsl::count(refusal_uses::proposal_id).aggregate_distinct())
        .row(tx.conn)?)
}

/// Notes that a case, which must be locked, has these reasons.
pub(in crate::store) fn note(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    act: &str,
    codes: &[ReasonCode],
) -> Result<()> {
    let known: Vec<ReasonCode> = refusal_uses::table
        .filter(refusal_uses::committee_id.eq(committee))
        .filter(refusal_uses::proposal_id.eq(proposal))
        .filter(refusal_uses::act.eq(act))
        .select(refusal_uses::code)
        .rows(tx.conn)?;
    for (position, code) in (1..).zip(codes) {
        if known.contains(code) {
            continue;
        }
        diesel::insert_into(refusal_uses::table)
            .values((
                refusal_uses::committee_id.eq(committee),
                refusal_uses::proposal_id.eq(proposal),
                refusal_uses::act.eq(act),
                refusal_uses::code.eq(code),
                refusal_uses::position.eq(position),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// 409 unless the reason is the committee's own and no case has it.
pub(in crate::store) fn check_free(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    reason: &RefusalReason,
) -> Result<()> {
    if reason.built_in {
        let message = Message::new(
            "系统自带的理由不能删除或改变含义，只能停用。",
            "A built-in reason is neither deleted nor given another meaning; it can be retired.",
        );
        let unmet = Unmet {
            guard: "not_built_in",
            invariant: None,
            message: message.clone(),
        };
        return Err(Error::new(Code::GuardUnmet)
            .detail(message)
            .with("unmet", [unmet]));
    }
    let uses = count(tx, ctx.committee(), &reason.code)?;
    if uses == 0 {
        return Ok(());
    }
    Err(Error::new(Code::InUse)
        .detail(Message::new(
            format!(
                "理由“{}”已用于 {uses} 件提案，不能删除或改变含义，可以停用。",
                reason.label.zh
            ),
            format!(
                "{uses} case(s) have the reason '{}': it is neither deleted nor given another meaning; it can be retired.",
                reason.label.en
            ),
        ))
        .with("uses", uses))
}
