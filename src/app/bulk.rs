//! Many acts in one call, each on a thing of its own and each by itself: the work of a unit's own
//! system, or of a clerk with forty cases. Unlike a meeting's [`super::batch`] every item names the
//! version that its author read, and the events are those of the single acts and no others.

use std::collections::BTreeSet;

use super::Ctx;
use super::act::{self, Known, Object};
use super::ctx::IfMatch;
use crate::error::{Error, Message, Result};
use crate::ids::AssignmentId;
use crate::store::{Tx, cases};
use crate::workflow::input::Input;
use crate::workflow::rule::Action;

/// Most items of one call.
pub const MOST: usize = 200;

/// One act of the list. `T` is what its input is read from.
#[derive(Debug, Clone)]
pub struct Item<T> {
    /// What it is about.
    pub object: Object,
    /// What is to be done.
    pub action: Action,
    /// The version that its author read.
    pub version: i32,
    /// What is handed in.
    pub input: T,
}

/// Performs every act of the list, in its order, all in this transaction. One that is refused
/// leaves nothing and does not hinder the others. Whether its caller may know of the thing and has
/// the right is asked for each before its input is read, as in the single act.
pub fn perform<T>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    items: &[Item<T>],
    parse: &dyn Fn(&Item<T>) -> Result<Input>,
) -> Result<Vec<Result<Known>>> {
    lock(tx, ctx, items)?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let ctx = &Ctx {
            if_match: IfMatch::Tags(vec![item.version.to_string()]),
            ..ctx.clone()
        };
        results
            .push(tx.part(|tx| act::perform(tx, ctx, item.object, item.action, &|_| parse(item)))?);
    }
    Ok(results)
}

/// Locks the cases of all items in one order for everybody.
fn lock<T>(tx: &mut Tx<'_>, ctx: &Ctx, items: &[Item<T>]) -> Result<()> {
    let rows: Vec<AssignmentId> = items
        .iter()
        .filter_map(|item| match item.object {
            Object::Assignment(id) => Some(id),
            Object::Proposal(_) | Object::Reply(_) => None,
        })
        .collect();
    let mut ids = if rows.is_empty() {
        Vec::new()
    } else {
        cases::of_assignments(tx, ctx.committee(), &rows)?
    };
    ids.extend(items.iter().filter_map(|item| match item.object {
        Object::Proposal(id) => Some(id),
        Object::Assignment(_) | Object::Reply(_) => None,
    }));
    cases::lock_all(tx, ctx.committee(), &ids)
}

/// A list that names a thing twice is refused as a whole; `field` is where its name stands.
pub fn check_distinct<K: Ord>(keys: impl Iterator<Item = K>, field: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut error: Option<Error> = None;
    for (index, key) in keys.enumerate() {
        if seen.insert(key) {
            continue;
        }
        let pointer = format!("/items/{index}/{field}");
        let words = Message::new(
            "同一对象不能重复。",
            "It stands in the list already; a thing may stand there once.",
        );
        error = Some(match error {
            Some(error) => error.field(pointer, "duplicate", words),
            None => Error::invalid(pointer, "duplicate", words),
        });
    }
    error.map_or(Ok(()), Err)
}
