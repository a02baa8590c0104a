//! Reorganisation of handling units.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::PathId;
use super::json::RawBody;
use super::problem::{self, Lang, Problem};
use super::routes::{Access, Routes};
use crate::app::succession::{self as reorganisation, Handed, SucceedIn};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::Result;
use crate::ids::{ProposalId, UnitId, kind};
use crate::store::register::Rows;
use crate::store::succession;
use crate::store::units::UnitFields;
use crate::workflow::role::Role;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const ADMINISTRATOR: Access = Access::Roles(&[Role::Administrator]);
    enter!(routes, ADMINISTRATOR, [__path_succeed_unit] succeed_unit);
}

/// What came of a reorganisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitSuccession {
    /// The unit that ended; it is not active any more.
    pub unit_id: UnitId,
    /// The unit that took over.
    pub successor_id: UnitId,
    /// When it took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub succeeded_at: Option<Timestamp>,
    /// Why, as noted then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub reason: Option<String>,
    /// Cases handed over by this request.
    #[schema(minimum = 0, maximum = 500, example = 12)]
    pub handed_over: usize,
    /// Cases left as they were, and why.
    #[schema(max_items = 500)]
    pub left: Vec<CaseLeft>,
    /// Cases not looked at yet: send the request again.
    #[schema(minimum = 0, example = 0)]
    pub remaining: usize,
}

/// A case that could not be handed over.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLeft {
    /// The case.
    pub proposal_id: ProposalId,
    /// Why not.
    #[schema(value_type = Problem)]
    pub problem: Value,
}

/// Let a successor take over a unit
///
/// For a reorganisation in which one unit is merged into another. The unit becomes inactive for
/// good, and its open rows of the present round, its live replies and its open promises pass to the
/// successor, case by case (AT18); clocks run on unchanged and what is done stays under the old
/// name. Where the successor has an open row in the case already, the stronger role stays (lead,
/// separate, co-handler, reference) and the other row becomes void; the kind of handling follows.
/// At most 500 cases are handed over at once: `remaining` says how many are still to come, and the
/// same request again goes on. Accounts are not moved: give those concerned a role in the successor.
/// To rename a unit, change its name.
#[utoipa::path(
    post, path = "/api/v1/units/{unit_id}/actions/succeed", tag = "registers",
    params(("unit_id" = UnitId, Path, description = "The unit that ends.")),
    request_body = SucceedIn,
    responses((status = 200, description = "How many cases were handed over.", body = UnitSuccession)),
)]
pub async fn succeed_unit(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Unit>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let lang = Lang::of(request.headers());
    app.write(&ctx.clone(), move |tx| {
        let before = UnitFields::find(tx, ctx.committee(), id.0)?;
        ctx.if_match.check(before.version)?;
        let input: SucceedIn = body.parse()?;
        let handed = reorganisation::succeed(tx, &ctx, before, &input)?;
        let noted = succession::noted(tx, ctx.committee(), id.0)?;
        let version = handed.unit.version;
        let told = told(handed, input.successor_id, noted, &ctx, lang);
        Ok(Answer::ok(&told)?.version(version))
    })
    .await
}

fn told(
    handed: Handed,
    successor: UnitId,
    (succeeded_at, reason): (Option<Timestamp>, Option<String>),
    ctx: &Ctx,
    lang: Lang,
) -> UnitSuccession {
    let left = handed.left.into_iter().map(|left| CaseLeft {
        proposal_id: left.proposal,
        problem: problem::document(&left.error, ctx.request_id, lang),
    });
    UnitSuccession {
        unit_id: handed.unit.id,
        successor_id: successor,
        succeeded_at,
        reason,
        handed_over: handed.handed_over,
        left: left.collect(),
        remaining: handed.remaining,
    }
}
