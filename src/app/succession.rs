//! Reorganisation of units: one takes over from another, and with it what that one still owes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ctx;
use super::act;
use crate::error::{Error, Message, Result};
use crate::ids::{ProposalId, UnitId};
use crate::store::events::Circumstances;
use crate::store::register::{self, Entry, Rows};
use crate::store::units::UnitFields;
use crate::store::{Tx, cases, succession};
use crate::workflow::decide::References;
use crate::workflow::role::Role;
use crate::workflow::succession::{Succession, hand_over};

/// Most cases that one request hands over; the same request again goes on.
const MOST_CASES: usize = 500;

/// Who takes over, and why.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SucceedIn {
    /// The unit that takes over; it must be active.
    pub successor_id: UnitId,
    /// Why, such as the decision on the reorganisation.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = r"\S",
        example = "机构改革：市旅游局并入市文化和旅游局。"
    )]
    pub reason: String,
}

/// A case that could not be handed over.
pub struct Left {
    /// The case.
    pub proposal: ProposalId,
    /// Why not.
    pub error: Error,
}

/// What came of a reorganisation.
pub struct Handed {
    /// The unit that ended.
    pub unit: Entry<UnitFields>,
    /// Cases handed over by this request.
    pub handed_over: usize,
    /// Cases that it could not hand over.
    pub left: Vec<Left>,
    /// Cases not looked at yet.
    pub remaining: usize,
}

/// The unit ends and its successor takes over its open rows, live replies and open promises, case
/// by case. Called again it hands over what is left.
pub fn succeed(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Entry<UnitFields>,
    input: &SucceedIn,
) -> Result<Handed> {
    let committee = ctx.committee();
    let successor = successor(tx, ctx, &before, input.successor_id)?;
    let unit = if before.fields.successor_id.is_some() {
        before
    } else {
        let fields = UnitFields {
            active: false,
            successor_id: Some(successor.id),
            ..before.fields.clone()
        };
        let unit = register::touch(tx, ctx, &before, fields, "succeeded")?;
        succession::note(tx, committee, unit.id, ctx.now, &input.reason)?;
        unit
    };
    let facts = Succession {
        from: unit.id,
        from_name: unit.fields.name.clone(),
        to: successor.id,
        to_name: successor.fields.name,
        to_prefix: successor.fields.reply_prefix,
        reason: input.reason.clone(),
    };
    let owing = succession::owing(tx, committee, unit.id)?;
    let now: Vec<_> = owing.iter().copied().take(MOST_CASES).collect();
    cases::lock_all(tx, committee, &now)?;
    let (mut handed_over, mut left) = (0, Vec::new());
    for proposal in &now {
        match tx.part(|tx| hand_over_case(tx, ctx, *proposal, &facts))? {
            Ok(()) => handed_over += 1,
            Err(error) => left.push(Left {
                proposal: *proposal,
                error,
            }),
        }
    }
    Ok(Handed {
        unit,
        handed_over,
        left,
        remaining: owing.len() - now.len(),
    })
}

/// The unit that takes over: another one, active, and nowhere before it in the chain.
fn successor(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<UnitFields>,
    id: UnitId,
) -> Result<Entry<UnitFields>> {
    let refuse = |code, zh: &'static str, en: &'static str| {
        Err(Error::invalid("/successor_id", code, Message::new(zh, en)))
    };
    if before.fields.successor_id.is_some_and(|known| known != id) {
        return refuse(
            "already_succeeded",
            "该单位已有其他承继单位。",
            "Another unit has taken over already.",
        );
    }
    if id == before.id {
        return refuse(
            "cycle",
            "单位不能承继自身。",
            "A unit cannot take over from itself.",
        );
    }
    let chain = succession::successors(tx, ctx.committee())?;
    if succession::follows(&chain, before.id, id) {
        return refuse(
            "cycle",
            "承继关系不能成环。",
            "That unit was itself taken over by this one.",
        );
    }
    match UnitFields::find(tx, ctx.committee(), id) {
        Ok(unit) if unit.fields.active => Ok(unit),
        Ok(_) => refuse(
            "inactive_reference",
            "承继单位已停用。",
            "The successor is not active.",
        ),
        Err(error) if error.code() == crate::error::Code::NotFound => refuse(
            "unknown_reference",
            "本委员会没有该单位。",
            "The committee has no such unit.",
        ),
        Err(error) => Err(error),
    }
}

fn hand_over_case(tx: &mut Tx<'_>, ctx: &Ctx, id: ProposalId, facts: &Succession) -> Result<()> {
    let loaded = cases::lock(tx, ctx.committee(), id)?.ok_or_else(Error::not_found)?;
    let profile = act::profile_of(tx, &loaded)?;
    let references = References::default();
    let calendar = act::calendar_of(tx, &loaded)?;
    let env = act::env(ctx.now, &profile, &calendar, &references);
    let mut decision =
        hand_over(&loaded.case, facts, env).map_err(|refusal| act::refuse(refusal, None))?;
    let by = Circumstances::of(ctx, &[Role::Administrator]);
    cases::save(
        tx,
        (&loaded.case, &profile),
        &loaded.head,
        &mut decision,
        &profile,
        &by,
    )
}
