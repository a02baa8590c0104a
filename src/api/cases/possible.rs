//! What may be done now, and for everything else why not.

use serde::Serialize;
use utoipa::ToSchema;

use super::actions;
use crate::app::Ctx;
use crate::app::act::{self, Known};
use crate::codes::Label;
use crate::error::{Code, Message};
use crate::workflow::decide::{Possibility, Target};
use crate::workflow::refusal::{Refusal, Unmet};
use crate::workflow::role::Role;

/// An action on a thing, as it stands for the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct PossibleAction {
    /// Name of the action.
    #[schema(max_length = 64, example = "file")]
    pub action: &'static str,
    /// Its labels.
    pub label: Label,
    /// The caller may do it now, given a proper body.
    pub allowed: bool,
    /// How to call it.
    #[schema(max_length = 8, example = "POST")]
    pub method: &'static str,
    /// Where to call it.
    #[schema(
        max_length = 300,
        example = "/api/v1/proposals/prop_019a1b2c3d4e7f8090a1b2c3d4e5f607/actions/file"
    )]
    pub href: String,
    /// Roles that have the right.
    #[schema(max_items = 13)]
    pub roles: Vec<Role>,
    /// Why the caller may not do it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why_not: Option<WhyNot>,
}

/// Why an action is not possible now.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyNot {
    /// Code of the problem that the call would give.
    #[schema(max_length = 64, example = "state-conflict")]
    pub code: &'static str,
    /// The reason in words.
    pub message: Message,
    /// Statuses from which it would work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 12, nullable = false)]
    pub allowed_from: Vec<&'static str>,
    /// Conditions that are not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20, nullable = false)]
    pub unmet: Vec<Unmet>,
}

/// Every action on a thing, for the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct PossibleActions {
    /// The actions, in the order of the table.
    #[schema(max_items = 60)]
    pub items: Vec<PossibleAction>,
}

/// Every action on a thing of a case.
pub fn of(ctx: &Ctx, known: &Known) -> Vec<PossibleAction> {
    let id = match known.target {
        Target::Proposal => known.case.proposal.id.to_string(),
        Target::Assignment(id) => id.to_string(),
        Target::Reply(id) => id.to_string(),
    };
    act::possibilities(ctx, known)
        .into_iter()
        .map(|possibility| describe(possibility, &id))
        .collect()
}

fn describe(possibility: Possibility, id: &str) -> PossibleAction {
    let action = possibility.action;
    let (method, href) = actions::address(action, id);
    PossibleAction {
        action: action.as_str(),
        label: action.label(),
        allowed: possibility.refusal.is_none(),
        method,
        href,
        roles: possibility.roles,
        why_not: possibility.refusal.map(why_not),
    }
}

fn why_not(refusal: Refusal) -> WhyNot {
    let message = refusal.words();
    let (code, allowed_from, unmet) = match refusal {
        Refusal::NotAllowed { .. } => (Code::Forbidden, Vec::new(), Vec::new()),
        Refusal::WrongState { allowed_from, .. } => {
            let from = allowed_from.iter().map(|state| state.as_str()).collect();
            (Code::StateConflict, from, Vec::new())
        }
        Refusal::Unmet(unmet) => (Code::GuardUnmet, Vec::new(), unmet),
        Refusal::Invalid(_) => (Code::InvalidInput, Vec::new(), Vec::new()),
    };
    WhyNot {
        code: code.as_str(),
        message,
        allowed_from,
        unmet,
    }
}
