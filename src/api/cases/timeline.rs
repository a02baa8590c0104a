//! The history of a case.

use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::decisions::{ReasonOut, with_labels};
use crate::api::extract::{Params, PathId};
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams, PageSize};
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, ProposalId, RequestId, kind};
use crate::store::events::Event;
use crate::store::{Tx, refusal_uses, timeline};
use crate::workflow::access::{self, EventFacts};
use crate::workflow::case::Case;
use crate::workflow::reasons::ReasonCode;
use crate::workflow::role::Role;
use crate::workflow::rule::rules;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_timeline] get_timeline);
}

/// Parameters of the timeline.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineParams {
    #[serde(default)]
    #[param(ignore)]
    limit: PageSize,
    #[param(ignore)]
    cursor: Option<String>,
    #[serde(default)]
    #[param(ignore)]
    count: bool,
}

/// Something that happened to a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineItem {
    /// Identifier.
    pub id: EventId,
    /// Position, from 1; without gaps in the whole history.
    #[schema(minimum = 1)]
    pub seq: i32,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// Name of the event.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub name: String,
    /// Its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<Label>,
    /// Row of the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 8, example = "PT15")]
    pub rule: Option<String>,
    /// Who; `system` for derived steps. Examiners and raters are named to the committee only.
    #[schema(max_length = 200, example = "提案委主任")]
    pub actor: String,
    /// The role that entitled the actor.
    #[schema(max_length = 64, example = "committee_chair")]
    pub actor_role: String,
    /// In whose place, where staff entered what stands on paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub on_behalf_of: Option<String>,
    /// Status before; empty if it did not exist.
    #[schema(max_length = 64)]
    pub before: String,
    /// Status after.
    #[schema(max_length = 64)]
    pub after: String,
    /// Kind and identifier of what it is about.
    pub target: TimelineTarget,
    /// Why: of a refusal to file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 20)]
    pub reasons: Vec<ReasonOut>,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<RequestId>,
}

/// What an event is about.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct TimelineTarget {
    /// `proposal`, `assignment` or `reply`.
    #[schema(max_length = 20, example = "assignment")]
    pub kind: String,
    /// Its identifier.
    #[schema(max_length = 64)]
    pub id: String,
}

/// The labels of an event: of the action behind its row of the tables, unless several actions
/// share row and event.
fn label_of(event: &Event) -> Option<Label> {
    let own = |zh, en| Some(Label { zh, en });
    match event.name.as_str() {
        "extension.decided" => return own("延期决定", "decision on the extension"),
        "clock.resumed" => return own("恢复计时", "clock resumed"),
        "proposal.absorbed" => return own("并入提案", "absorbed a proposal"),
        "proposal.released" => return own("撤销并入", "released an absorbed proposal"),
        _ => {}
    }
    let rule = event.rule.as_deref()?;
    rules()
        .find(|row| row.id == rule && row.event == event.name)
        .or_else(|| rules().find(|row| row.id == rule))
        .map(|row| row.action.label())
}

impl TimelineItem {
    fn of(event: Event) -> Self {
        let text = |name: &str| {
            event
                .content
                .0
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let target = event.content.0.get("target").cloned().unwrap_or_default();
        Self {
            id: event.id,
            seq: event.seq,
            at: event.at.0,
            before: text("before"),
            after: text("after"),
            target: serde_json::from_value(target).unwrap_or_default(),
            label: label_of(&event),
            name: event.name,
            rule: event.rule,
            actor: event.actor_name,
            actor_role: event.actor_role,
            on_behalf_of: event.on_behalf_of,
            reasons: Vec::new(),
            request_id: event.request_id,
        }
    }
}

/// The event of a refusal to file, whose reasons all readers of the case may know.
const NOT_FILED: &str = "proposal.not_filed";

/// The reasons that a refusal to file gives, with what they are called.
fn reasons(tx: &mut Tx<'_>, committee: CommitteeId, event: &Event) -> Result<Vec<ReasonOut>> {
    let codes = event.content.0.pointer("/input/reason_codes");
    let codes: Vec<ReasonCode> =
        serde_json::from_value(codes.cloned().unwrap_or_default()).unwrap_or_default();
    let labels = refusal_uses::labels(tx, committee, &codes)?;
    Ok(with_labels(&codes, &labels))
}

/// What a caller may not know: examiners by name, drafts of units, forms before conclusion (I21).
fn hide(item: &mut TimelineItem, ctx: &Ctx, case: &Case) -> bool {
    let actor = ctx.principal.actor();
    let event = EventFacts {
        name: &item.name,
        at: item.at,
    };
    if !access::may_see_event(case, event, &actor) {
        return true;
    }
    let committee = ctx.principal.has_any(&[
        Role::CommitteeStaff,
        Role::Examiner,
        Role::CommitteeChair,
        Role::Auditor,
    ]);
    if !committee && item.actor_role == Role::Examiner.as_str() {
        item.actor = String::new();
    }
    false
}

/// The timeline of a case
///
/// Everything that happened to it, oldest first, from the audit trail.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/timeline", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal"), TimelineParams, PageParams),
    responses((status = 200, description = "A page of events", body = Page<TimelineItem>)))]
pub async fn get_timeline(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
    Params(params): Params<TimelineParams>,
) -> Result<Answer> {
    let binding = Binding::new(&ctx, &id);
    let after = params
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let page = app
        .db
        .read("proposal.timeline", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let limit = params.limit.get() + 1;
            let events = timeline::list(tx, ctx.committee(), id, after.unwrap_or(0), limit)?;
            // A proposal is refused once at most.
            let refusal = events.iter().find(|event| event.name == NOT_FILED);
            let why = refusal
                .map(|event| reasons(tx, ctx.committee(), event))
                .transpose()?;
            let mut page = binding
                .page(events, params.limit, |event| event.seq)?
                .map(TimelineItem::of);
            for item in &mut page.items {
                if item.name == NOT_FILED {
                    item.reasons = why.clone().unwrap_or_default();
                }
            }
            if params.count {
                page.count = Some(timeline::count(tx, ctx.committee(), id)?.min(COUNT_CAP));
            }
            page.items.retain_mut(|item| !hide(item, &ctx, &known.case));
            Ok(page)
        })
        .await?;
    Answer::ok(&page)
}
