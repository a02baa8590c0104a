//! The tables as data: statuses, rows, who may and under which conditions. Everything here is
//! made from the rows; nothing repeats what a row says.

pub mod markdown;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::cases::actions;
use super::document::Document;
use super::routes::{Access, Routes};
use crate::codes::Label;
use crate::enter;
use crate::error::{Message, Result};
use crate::workflow::guard::Guard;
use crate::workflow::role::Role;
use crate::workflow::rule::{Machine, Rule, State, To, Who, rules};

/// Enters the operation.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Public, [__path_get_workflow] get_workflow);
}

/// The workflow: what can happen to a case, and how.
#[derive(Debug, Serialize, ToSchema)]
pub struct Workflow {
    /// The machines: proposal, assignment, reply.
    #[schema(min_items = 1, max_items = 3)]
    pub machines: Vec<WorkflowMachine>,
}

/// One machine: its statuses, and one row per way in which it can change.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowMachine {
    /// Which one.
    pub machine: Machine,
    /// Its labels.
    pub label: Label,
    /// Its statuses.
    #[schema(max_items = 30)]
    pub statuses: Vec<WorkflowStatus>,
    /// Its rows.
    #[schema(max_items = 100)]
    pub rows: Vec<WorkflowRow>,
}

/// A status.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowStatus {
    /// Stable identifier.
    #[schema(max_length = 64, example = "filed")]
    pub code: &'static str,
    /// Its labels.
    pub label: Label,
    /// Nothing but an exception leads on from here.
    #[serde(rename = "final")]
    pub is_final: bool,
}

/// A way in which something can change.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowRow {
    /// Identifier of the row; events name it as `rule`.
    #[schema(max_length = 8, example = "PT15")]
    pub id: &'static str,
    /// The action. Several rows of one action start from different statuses.
    #[schema(max_length = 64, example = "file")]
    pub action: &'static str,
    /// Its labels.
    pub label: Label,
    /// Statuses from which it starts; empty for the row that makes the thing.
    #[schema(max_items = 30, example = json!(["submitted"]))]
    pub from: Vec<&'static str>,
    /// The status afterwards; absent if the status stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, example = "filed")]
    pub to: Option<&'static str>,
    /// Who may: any of them.
    #[schema(max_items = 20)]
    pub who: Vec<WorkflowWho>,
    /// Conditions of the case: all of them. What is handed in is checked besides.
    #[schema(max_items = 30)]
    pub guards: Vec<WorkflowGuard>,
    /// Name of the event in the audit trail.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub event: &'static str,
    /// Only the system takes it, as a consequence of something else.
    pub by_system: bool,
    /// The operation with which to ask for it; absent if nobody can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub operation: Option<WorkflowOperation>,
}

/// Who may.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowWho {
    /// The role.
    pub role: Role,
    /// Who it is, in words that say what the role alone does not.
    pub label: Label,
}

/// A condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowGuard {
    /// Stable name, as in `unmet` of a problem document.
    #[schema(max_length = 64, example = "stages_recorded")]
    pub name: &'static str,
    /// The invariant that it keeps, where that has a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 8, example = "I10")]
    pub invariant: Option<&'static str>,
    /// What is missing when it is not met.
    pub message: Message,
}

/// An operation of this interface.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowOperation {
    /// The method.
    #[schema(max_length = 8, example = "POST")]
    pub method: &'static str,
    /// Template of the address.
    #[schema(
        max_length = 200,
        example = "/api/v1/proposals/{proposal_id}/actions/file"
    )]
    pub path: String,
}

impl Workflow {
    /// The workflow as the tables have it.
    pub fn new() -> Self {
        Self {
            machines: Machine::ALL.iter().copied().map(of_machine).collect(),
        }
    }

    /// For the document: one row, with its statuses.
    fn example() -> Self {
        let mut example = Self::new();
        example.machines.truncate(1);
        for machine in &mut example.machines {
            machine.rows.retain(|row| row.event == "proposal.filed");
            let rows = &machine.rows;
            machine.statuses.retain(|status| {
                rows.iter()
                    .any(|row| row.to == Some(status.code) || row.from.contains(&status.code))
            });
        }
        example
    }
}

impl Default for Workflow {
    fn default() -> Self {
        Self::new()
    }
}

fn of_machine(machine: Machine) -> WorkflowMachine {
    WorkflowMachine {
        machine,
        label: machine.label(),
        statuses: machine.states().into_iter().map(of_state).collect(),
        rows: rules()
            .filter(|rule| rule.action.machine() == machine)
            .map(of_rule)
            .collect(),
    }
}

fn of_state(state: State) -> WorkflowStatus {
    WorkflowStatus {
        code: state.as_str(),
        label: state.label(),
        is_final: state.is_final(),
    }
}

fn of_rule(rule: &'static Rule) -> WorkflowRow {
    WorkflowRow {
        id: rule.id,
        action: rule.action.as_str(),
        label: rule.action.label(),
        from: rule
            .from
            .iter()
            .filter(|state| !state.is(State::Start))
            .map(|state| state.as_str())
            .collect(),
        to: match rule.to {
            To::Stay => None,
            To::State(state) => Some(state.as_str()),
        },
        who: rule.who.iter().copied().map(of_who).collect(),
        guards: rule.guards.iter().copied().map(of_guard).collect(),
        event: rule.event,
        by_system: rule.is_by_system(),
        operation: (!rule.is_by_system()).then(|| {
            let (method, path) = actions::operation(rule.action);
            WorkflowOperation { method, path }
        }),
    }
}

fn of_who(who: Who) -> WorkflowWho {
    WorkflowWho {
        role: who.role(),
        label: who.label(),
    }
}

fn of_guard(guard: &Guard) -> WorkflowGuard {
    WorkflowGuard {
        name: guard.name,
        invariant: guard.invariant,
        message: Message::new(guard.message.0, guard.message.1),
    }
}

/// The workflow as it is served.
#[derive(Debug, Clone)]
pub struct Description(Document);

impl Description {
    /// Made once, when the service starts.
    pub fn new() -> Result<Self> {
        Document::from_value(&Workflow::new()).map(Self)
    }
}

/// The workflow
///
/// Every status, and every way in which a proposal, an assignment or a reply can change: from
/// where, to where, who may, under which conditions, with which operation. The same for everybody
/// and without any data; it changes only with the version of the program. What the caller may do
/// with one thing now is told by `…/actions` of that thing.
#[utoipa::path(get, path = "/api/v1/workflow", tag = "proposals",
    responses((status = 200, description = "The machines with their rows.", body = Workflow,
        example = json!(Workflow::example()))))]
pub async fn get_workflow(request: HttpRequest, description: Data<Description>) -> HttpResponse {
    description.0.answer(&request)
}
