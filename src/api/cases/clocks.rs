//! The clocks of a case, why each is due when it is, and trial counts.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::clock_explanation::{ClockExplanation, WhatIfOut};
use super::clock_out::ClockFacts;
use crate::api::extract::{Listing, PathId};
use crate::api::json::RawBody;
use crate::api::page::{Binding, Page, PageParams};
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Known, Object};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{ClockId, ProposalId, kind};
use crate::store::{Tx, calendars, cases, clocks, policy_profiles};
use crate::workflow::case::Clock;
use crate::workflow::codes::ClockKind;
use crate::workflow::deadline::{self, Limit, Pause};
use crate::workflow::{access, explain};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_list_case_clocks] list_case_clocks);
    enter!(routes, Access::SignedIn, [__path_explain_clock] explain_clock);
    enter!(routes, Access::SignedIn, [__path_count_what_if] count_what_if);
}

crate::code_list! {
    /// Whether a clock runs.
    pub enum ClockRun {
        Running = "running", "计时中", "running";
        Stopped = "stopped", "已停止", "stopped";
    }
}

/// Narrows the clocks of a case.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CaseClockFilter {
    /// Only those that run, or only those that stopped.
    #[param(inline, nullable = false)]
    pub state: Option<ClockRun>,
    /// Only clocks of this kind.
    #[param(inline, nullable = false)]
    pub kind: Option<ClockKind>,
}

/// List the clocks of a case
///
/// Running and stopped ones, in the order in which they started, as far as the caller may know of
/// what they run for.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/clocks", tag = "clocks",
    params(("proposal_id" = ProposalId, Path, description = "The proposal."), CaseClockFilter, PageParams),
    responses((status = 200, description = "A page of clocks.", body = Page<ClockFacts>)))]
pub async fn list_case_clocks(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
    listing: Listing<CaseClockFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &(id, &filter));
    let cursor = page.cursor.as_deref();
    let after: Option<ClockId> = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let reader = ctx.clone();
    let known = app
        .db
        .read("proposal.clocks", move |tx| {
            act::read(tx, &reader, Object::Proposal(id))
        })
        .await?;
    let actor = ctx.principal.actor();
    let mut clocks: Vec<&Clock> = known
        .case
        .clocks
        .iter()
        .filter(|clock| access::may_read_clock(&known.case, clock, &actor))
        .filter(|clock| filter.kind.is_none_or(|kind| kind == clock.kind))
        .filter(|clock| {
            let runs = clock.stopped_at.is_none();
            filter
                .state
                .is_none_or(|state| (state == ClockRun::Running) == runs)
        })
        .collect();
    clocks.sort_by_key(|clock| clock.id);
    let count = i64::try_from(clocks.len()).unwrap_or(i64::MAX);
    clocks.retain(|clock| after.is_none_or(|after| clock.id > after));
    clocks.truncate(page.limit.get() + 1);
    let mut answer = binding.page(clocks, page.limit, |clock| clock.id)?;
    answer.count = page.count.then_some(count);
    Answer::ok(&answer.map(|clock| ClockFacts::of(clock, ctx.now)))
}

/// Explain a clock
///
/// Why it is due on its day: the rule its limit comes from, the calendar, and every day or jump
/// from the start to the end with what it meant for the count; pauses and extensions with who
/// decided them. The last day told is the last day of the period. A stopped clock is explained
/// with the calendar it names.
#[utoipa::path(get, path = "/api/v1/clocks/{clock_id}/explanation", tag = "clocks",
    params(("clock_id" = ClockId, Path, description = "The clock.")),
    responses((status = 200, description = "The explanation.", body = ClockExplanation)))]
pub async fn explain_clock(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Clock>,
) -> Result<Answer> {
    let explanation = app
        .db
        .read("clock.explain", move |tx| {
            let (known, clock) = find(tx, &ctx, id)?;
            let committee = ctx.committee();
            let calendar = calendars::version(tx, committee, clock.calendar_version)?;
            let profile = policy_profiles::pinned(tx, committee, clock.profile_version)?;
            let deciders = clocks::deciders(tx, committee, &known.case, &clock)?;
            let told = explain::count(&clock, &calendar);
            let origin = explain::origin(&known.case, &clock, &profile);
            Ok(ClockExplanation::of(
                &ctx,
                &known.case,
                &clock,
                told,
                origin,
                &deciders,
            ))
        })
        .await?;
    Answer::ok(&explanation)
}

/// A clock of a case that the caller may know of; 404 otherwise.
fn find(tx: &mut Tx<'_>, ctx: &Ctx, id: ClockId) -> Result<(Known, Clock)> {
    let case = cases::find_by_clock(tx, ctx.committee(), id)?.ok_or_else(Error::not_found)?;
    let known = act::read(tx, ctx, Object::Proposal(case))?;
    let actor = ctx.principal.actor();
    let clock = known
        .case
        .clocks
        .iter()
        .find(|clock| clock.id == id && access::may_read_clock(&known.case, clock, &actor))
        .cloned()
        .ok_or_else(Error::not_found)?;
    Ok((known, clock))
}

/// A pause of a trial count.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfPause {
    /// The first paused day.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-02-25")]
    pub from: Date,
    /// The day on which it goes on.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-03-02")]
    pub until: Date,
}

/// What to count.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfIn {
    /// Version of the calendar; left out: the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 1_000_000, example = 1)]
    pub calendar_version: Option<i32>,
    /// When it starts.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2025-09-26T09:00:00+08:00")]
    pub start: Timestamp,
    /// Amount, one space and unit: `h` hours (at most 87,600), `cd` calendar days (3,660), `wd`
    /// working days (2,500), `mo` months (120).
    #[schema(
        min_length = 3,
        max_length = 12,
        pattern = "^[0-9]{1,6} (h|cd|wd|mo)$",
        example = "5 wd"
    )]
    pub limit: String,
    /// Pauses, in any order.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub pauses: Vec<WhatIfPause>,
}

/// Count a limit on trial
///
/// When a limit that starts at a moment ends, and why, without any case. Nothing is kept. Which
/// pauses the policy would allow is not asked.
#[utoipa::path(post, path = "/api/v1/clocks/what-if", tag = "clocks",
    request_body(content = WhatIfIn, example = json!({
        "start": "2025-09-26T09:00:00+08:00", "limit": "5 wd"
    })),
    responses((status = 200, description = "The count.", body = WhatIfOut)))]
pub async fn count_what_if(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let input: WhatIfIn = body.parse()?;
    let limit = checked(&input)?;
    let wanted = input.calendar_version;
    let committee = ctx.committee();
    let calendar = app
        .db
        .read("clock.what_if", move |tx| {
            let number = wanted.map_or_else(|| calendars::current(tx, committee), Ok)?;
            calendars::version(tx, committee, number).map_err(|error| {
                if error.code() == Code::NotFound {
                    unknown_calendar()
                } else {
                    error
                }
            })
        })
        .await?;
    let pauses = input.pauses.iter();
    let pauses: Vec<_> = pauses
        .map(|pause| Pause {
            from: pause.from,
            until: Some(pause.until),
        })
        .collect();
    let told = deadline::explain(input.start, limit, &pauses, &calendar);
    Answer::ok(&WhatIfOut::of(told))
}

fn unknown_calendar() -> Error {
    Error::invalid(
        "/calendar_version",
        "unknown",
        Message::new(
            "没有这个版本的日历。",
            "There is no such version of the calendar.",
        ),
    )
}

/// The limit, once everything lies inside what a calendar may hold.
fn checked(input: &WhatIfIn) -> Result<Limit> {
    let wrong = |pointer: String, code, zh: String, en: String| {
        Err(Error::invalid(pointer, code, Message::new(zh, en)))
    };
    let days = input
        .pauses
        .iter()
        .flat_map(|pause| [pause.from, pause.until]);
    let outside = days
        .enumerate()
        .find(|(_, day)| !explain::is_countable(*day));
    if let Some((index, _)) = outside {
        return wrong(
            format!("/pauses/{}", index / 2),
            "range",
            "年份须在 2000 至 2099 之间。".to_owned(),
            "A year from 2000 to 2099.".to_owned(),
        );
    }
    if !explain::is_countable(deadline::local_date(input.start)) {
        return wrong(
            "/start".to_owned(),
            "range",
            "年份须在 2000 至 2099 之间。".to_owned(),
            "A year from 2000 to 2099.".to_owned(),
        );
    }
    if let Some(index) = input
        .pauses
        .iter()
        .position(|pause| pause.until < pause.from)
    {
        return wrong(
            format!("/pauses/{index}/until"),
            "before_start",
            "恢复日不得早于中止日。".to_owned(),
            "Not before the first paused day.".to_owned(),
        );
    }
    let Ok(limit) = input.limit.parse::<Limit>() else {
        return wrong(
            "/limit".to_owned(),
            "invalid",
            "须为数量和单位，如 5 wd。".to_owned(),
            "An amount and a unit, such as 5 wd.".to_owned(),
        );
    };
    let most = explain::most(limit.unit);
    if limit.amount > most {
        return wrong(
            "/limit".to_owned(),
            "range",
            format!("最多 {most} {}。", limit.unit),
            format!("At most {most} {}.", limit.unit),
        );
    }
    Ok(limit)
}
