//! Proposals: make, read, change, list.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::brief::ProposalItem;
use super::out::{self, ProposalOut};
use super::patch::ProposalFormPatch;
use super::possible::{self, PossibleActions};
use crate::api::extract::{Params, PathId};
use crate::api::json::RawBody;
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams, PageSize};
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{MemberId, OrganisationId, ProposalId, SessionId, UnitId, kind};
use crate::store::proposals::{self, Filter, Order};
use crate::workflow::access::Reach;
use crate::workflow::case::Phase;
use crate::workflow::codes::{CaseSeries, ProgrammeTier, SubjectClass};
use crate::workflow::input::{Input, ProposalForm, ProposalIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::{ProposalAction, ProposalStatus};
use crate::workflow::role::Line;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_list_proposals] list_proposals);
    enter!(routes, Access::SignedIn, [__path_create_proposal] create_proposal);
    enter!(routes, Access::SignedIn, [__path_get_proposal] get_proposal);
    enter!(routes, Access::SignedIn, [__path_edit_proposal] edit_proposal);
    enter!(routes, Access::SignedIn, [__path_list_proposal_actions] list_proposal_actions);
}

/// Statuses, separated by commas.
struct Statuses;

impl PartialSchema for Statuses {
    fn schema() -> RefOr<Schema> {
        let one = ProposalStatus::ALL
            .iter()
            .map(|status| status.as_str())
            .collect::<Vec<_>>()
            .join("|");
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(200))
            .pattern(Some(format!("^({one})(,({one}))*$")))
            .examples(["submitted,returned"])
            .into()
    }
}

impl ToSchema for Statuses {}

/// Filters of the list of proposals. All of them must fit.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProposalFilter {
    /// Statuses, separated by commas.
    #[param(value_type = Option<Statuses>, inline, required = false)]
    status: Option<String>,
    /// Subject class.
    #[param(inline, required = false)]
    subject_class: Option<SubjectClass>,
    /// Session.
    #[param(required = false)]
    session_id: Option<SessionId>,
    /// Kind of proposer.
    #[param(inline, required = false)]
    kind: Option<ProposerKind>,
    /// Assigned to this unit, in any round.
    #[param(required = false)]
    unit_id: Option<UnitId>,
    /// Signed by this member, or the member was asked to sign.
    #[param(required = false)]
    member_id: Option<MemberId>,
    /// Handed in by this organisation.
    #[param(required = false)]
    organisation_id: Option<OrganisationId>,
    /// Assigning line.
    #[param(inline, required = false)]
    line: Option<Line>,
    /// Phase inside `assigned`.
    #[param(inline, required = false)]
    phase: Option<Phase>,
    /// In the archive, or not.
    #[param(required = false)]
    archived: Option<bool>,
    /// Tier of the yearly programme.
    #[param(inline, required = false)]
    tier: Option<ProgrammeTier>,
    /// Year of the programme.
    #[serde(default, deserialize_with = "positive")]
    #[param(minimum = 1, required = false, example = 2026)]
    programme_year: Option<i32>,
    /// Absorbed by this proposal.
    #[param(required = false)]
    main_id: Option<ProposalId>,
    /// Case number (案号).
    #[serde(default, deserialize_with = "positive")]
    #[param(minimum = 1, required = false)]
    case_no: Option<i32>,
    /// Series of the case number.
    #[param(inline, required = false)]
    case_series: Option<CaseSeries>,
    /// Serial number (流水号).
    #[serde(default, deserialize_with = "positive")]
    #[param(minimum = 1, required = false)]
    serial_no: Option<i32>,
    /// Part of the title; full-width and half-width, upper and lower case are alike.
    #[param(min_length = 1, max_length = 100, example = "公交", required = false)]
    title: Option<String>,
    /// Changed at or after this moment.
    #[param(value_type = String, format = DateTime, max_length = 40, required = false)]
    #[serde(default, deserialize_with = "moment")]
    updated_since: Option<Timestamp>,
    /// `newest` first (default), `oldest` first, or least recently `updated` first.
    #[param(inline, required = false)]
    sort: Option<Sort>,
    #[serde(default)]
    #[param(ignore)]
    count: bool,
    #[serde(default)]
    #[param(ignore)]
    limit: PageSize,
    #[param(ignore)]
    cursor: Option<String>,
}

/// Orders of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// Least recently changed first.
    Updated,
}

/// A number from 1.
fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    i32::deserialize(deserializer).and_then(|number| {
        if number >= 1 {
            Ok(Some(number))
        } else {
            Err(serde::de::Error::custom(Message::new(
                "须为不小于 1 的整数。",
                "A whole number from 1.",
            )))
        }
    })
}

/// A moment.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(Message::new(
            "须为 RFC 3339 时刻，如 2026-03-05T01:00:00Z。",
            "A moment as in RFC 3339, such as 2026-03-05T01:00:00Z.",
        ))
    })
}

fn statuses(text: &str) -> Result<Vec<ProposalStatus>> {
    text.split(',')
        .map(|part| {
            part.parse().map_err(|error: crate::codes::UnknownCode| {
                Error::new(Code::InvalidParameter).field(
                    "status",
                    "enum",
                    Message::new(format!("没有状态“{}”。", error.value), error.to_string()),
                )
            })
        })
        .collect()
}

fn bounded(title: Option<String>) -> Result<Option<String>> {
    match title {
        Some(title) if !(1..=100).contains(&title.chars().count()) => {
            Err(Error::new(Code::InvalidParameter).field(
                "title",
                "max_length",
                Message::new("须为 1–100 个字符。", "1 to 100 characters."),
            ))
        }
        other => Ok(other),
    }
}

/// List proposals
///
/// The proposals that the caller may see: before filing the own ones (the committee sees all),
/// from filing on those that the roles open. Every item carries status, round, phase, numbers,
/// units with their states, labels, and for a merged one the status of the proposal it follows.
#[utoipa::path(get, path = "/api/v1/proposals", tag = "proposals",
    params(ProposalFilter, PageParams),
    responses((status = 200, description = "A page of proposals", body = Page<ProposalItem>)))]
pub async fn list_proposals(
    app: Data<App>,
    ctx: Ctx,
    Params(params): Params<ProposalFilter>,
) -> Result<Answer> {
    let bound = ProposalFilter {
        cursor: None,
        count: false,
        limit: PageSize::default(),
        ..params.clone()
    };
    let binding = Binding::new(&ctx, &bound);
    let after = params
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let filter = Filter {
        status: params
            .status
            .as_deref()
            .map(statuses)
            .transpose()?
            .unwrap_or_default(),
        class: params.subject_class,
        session: params.session_id,
        kind: params.kind,
        unit: params.unit_id,
        member: params.member_id,
        organisation: params.organisation_id,
        line: params.line,
        phase: params.phase,
        archived: params.archived,
        tier: params.tier,
        programme_year: params.programme_year,
        main: params.main_id,
        case_no: params.case_no,
        case_series: params.case_series,
        serial_no: params.serial_no,
        title: bounded(params.title)?,
        updated_since: params.updated_since,
    };
    let order = match params.sort.unwrap_or(Sort::Newest) {
        Sort::Newest => Order::Newest,
        Sort::Oldest => Order::Oldest,
        Sort::Updated => Order::Updated,
    };
    let (limit, count) = (params.limit, params.count);
    let page = app
        .db
        .read("proposal.list", move |tx| {
            let (committee, reach) = (ctx.committee(), Reach::of(&ctx.principal.actor()));
            let rows = proposals::list(
                tx,
                committee,
                &reach,
                &filter,
                order,
                after.as_ref(),
                limit.get() + 1,
            )?;
            for row in rows.iter().take(limit.get()) {
                ctx.disclosed.row(row.id, row.secrecy);
            }
            let ids: Vec<ProposalId> = rows.iter().map(|row| row.id).collect();
            let lines = proposals::unit_lines(tx, committee, &ids)?;
            let names = proposals::first_proposers(tx, committee, &ids)?;
            let mains: Vec<ProposalId> = rows.iter().filter_map(|row| row.main_id).collect();
            let mains = proposals::statuses(tx, committee, &mains)?;
            let mut page = binding.page(rows, limit, |row| {
                (
                    (order == Order::Updated).then_some(row.updated_at.0),
                    row.id,
                )
            })?;
            if count {
                page.count = Some(proposals::count(tx, committee, &reach, &filter, COUNT_CAP)?);
            }
            Ok(page.map(|row| {
                let name = names.iter().find(|(id, _)| *id == row.id);
                let name = name.map(|(_, name)| name.clone()).unwrap_or_default();
                let main = mains.iter().find(|(id, _)| Some(*id) == row.main_id);
                ProposalItem::from_rows(row, name, &lines, main.map(|(_, status)| *status))
            }))
        })
        .await?;
    Answer::ok(&page)
}

/// Make a proposal
///
/// PT01. Members propose for themselves, organisation clerks for their organisation, committee
/// staff enter paper for either (with `paper_reference`). Limits of length are checked when the
/// draft is submitted.
#[utoipa::path(post, path = "/api/v1/proposals", tag = "proposals",
    request_body(content = ProposalIn, example = json!({
        "kind": "individual",
        "form": {
            "title": "关于优化老城区公交微循环线路的提案",
            "situation": "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。",
            "analysis": "现有线路以干道为主，站点覆盖率不足，接驳不便。",
            "suggestions": ["开通两条社区微循环线路。", "在菜市场、医院增设临时停靠点。"],
            "publish_consent": true,
            "no_secret_declaration": true
        }
    })),
    responses((status = 201, description = "The draft", body = ProposalOut)))]
pub async fn create_proposal(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.act(&ctx.clone(), move |tx| {
        let known = act::create(tx, &ctx, &|| body.parse::<ProposalIn>())?;
        let location = format!("/api/v1/proposals/{}", known.case.proposal.id);
        let answer = out::answer(&ctx, &known)?;
        Ok(Answer {
            status: 201,
            location: Some(location),
            ..answer
        })
    })
    .await
}

/// Read a proposal
///
/// The whole case as the caller may see it, with what may be done next and why something may not.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The case", body = ProposalOut)))]
pub async fn get_proposal(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.get", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            out::answer(&ctx, &known)
        })
        .await
}

/// Change the text of a proposal
///
/// PT02, while it is a draft or returned. A JSON merge patch of the form; the result is a new
/// version, and consents on an older text become stale.
#[utoipa::path(patch, path = "/api/v1/proposals/{proposal_id}", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    request_body(content = ProposalFormPatch, content_type = "application/merge-patch+json",
        example = json!({ "title": "关于优化老城区公交微循环线路和站点的提案" })),
    responses((status = 200, description = "The case with its new text", body = ProposalOut)))]
pub async fn edit_proposal(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.act(&ctx.clone(), move |tx| {
        let action = act::on_proposal(ProposalAction::Edit);
        let known = act::perform(tx, &ctx, Object::Proposal(id), action, &|case| {
            let form = body.merge_into::<ProposalForm>(&case.proposal.form)?;
            Ok(Input::Edit(Box::new(form)))
        })?;
        out::answer(&ctx, &known)
    })
    .await
}

/// What may be done with a proposal
///
/// Every action of the proposal machine: whether the caller may do it now, how to call it, and if
/// not, why not.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/actions", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The actions", body = PossibleActions)))]
pub async fn list_proposal_actions(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    possible_on(&app, ctx, Object::Proposal(id)).await
}

/// The actions on anything of a case.
pub async fn possible_on(app: &App, ctx: Ctx, object: Object) -> Result<Answer> {
    app.db
        .read("case.actions", move |tx| {
            let known = act::look(tx, &ctx, object)?;
            let tag = act::tag(&known);
            let items = possible::of(&ctx, &known);
            Ok(Answer::ok(&PossibleActions { items })?.tag(tag))
        })
        .await
}
