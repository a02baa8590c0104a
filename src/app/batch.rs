//! Many cases in one act: an assignment meeting, the list of a filing meeting. Each case succeeds
//! or fails as a whole and by itself, in the order of the list (I39).

use std::collections::BTreeSet;

use serde_json::json;

use super::Ctx;
use super::act::{self, Known, Object};
use super::ctx::IfMatch;
use crate::error::{Error, Message, Result};
use crate::ids::ProposalId;
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::{Tx, cases};
use crate::workflow::input::{Input, Meeting};
use crate::workflow::proposal::ProposalAction;
use crate::workflow::role::Role;

/// One case of a batch and what is to be done with it.
#[derive(Debug, Clone)]
pub struct Item {
    /// The case.
    pub proposal: ProposalId,
    /// What is handed in for it, as in the single call.
    pub input: Input,
}

/// What became of one case.
pub struct Outcome {
    /// The case.
    pub proposal: ProposalId,
    /// Its 案号, if the act happened; or why it did not.
    pub result: std::result::Result<Option<i32>, Error>,
}

/// Performs an action on every case of the list, in its order, all in this transaction. A refused
/// case leaves nothing and does not hinder the others.
pub fn perform(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    action: ProposalAction,
    by: Role,
    meeting: Option<&Meeting>,
    items: &[Item],
) -> Result<Vec<Outcome>> {
    check_distinct(items)?;
    let ids: Vec<_> = items.iter().map(|item| item.proposal).collect();
    cases::lock_all(tx, ctx.committee(), &ids)?;
    // Nobody has read all of them just before: whatever version there is.
    let ctx = &Ctx {
        if_match: IfMatch::Any,
        ..ctx.clone()
    };
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let object = Object::Proposal(item.proposal);
        let action = act::on_proposal(action);
        let result = tx.part(|tx| {
            let Known { case, .. } =
                act::perform(tx, ctx, object, action, &|_| Ok(item.input.clone()))?;
            Ok(case.proposal.case_no)
        })?;
        outcomes.push(Outcome {
            proposal: item.proposal,
            result,
        });
    }
    record(tx, ctx, action, by, meeting, &outcomes)?;
    Ok(outcomes)
}

/// The list as a whole is refused if a case stands in it twice.
fn check_distinct(items: &[Item]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let twice = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !seen.insert(item.proposal));
    let error = twice.fold(None, |error: Option<Error>, (index, _)| {
        let pointer = format!("/items/{index}/proposal_id");
        let words = Message::new("同一提案不能重复。", "A case may stand here once.");
        Some(match error {
            Some(error) => error.field(pointer, "duplicate", words),
            None => Error::invalid(pointer, "duplicate", words),
        })
    });
    error.map_or(Ok(()), Err)
}

/// One event of the committee beside those of the cases: which act, and its list in order.
fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    action: ProposalAction,
    by: Role,
    meeting: Option<&Meeting>,
    outcomes: &[Outcome],
) -> Result<()> {
    let (done, refused): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|outcome| outcome.result.is_ok());
    let ids = |list: &[&Outcome]| list.iter().map(|one| one.proposal).collect::<Vec<_>>();
    let happening = Happening {
        name: "batch.executed".to_owned(),
        rule: None,
        content: json!({
            "action": action.as_str(),
            "meeting": meeting,
            "succeeded": ids(&done),
            "failed": ids(&refused),
        }),
    };
    let stream = Stream::of(ctx.committee(), "committee", ctx.committee());
    events::append(tx, &stream, &Circumstances::of(ctx, &[by]), happening)
}
