//! Cases that other committees sent: what arrived, and the answer to it.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::referrals::{READERS, ReferralListFilter};
use crate::api::extract::{Listing, PathId};
use crate::api::json::RawBody;
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams};
use crate::api::routes::{Access, Routes};
use crate::app::referrals::{self as answers, AcceptReferralIn, Reply};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::{Error, Message, Result};
use crate::ids::{CommitteeId, ProposalId, ReferralId, kind};
use crate::store::referrals::{self, Incoming};
use crate::workflow::codes::{ReferralDirection, ReferralStatus};
use crate::workflow::input::{NoteIn, ReasonIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::referral::Sent;
use crate::workflow::role::Role;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const CHAIR: Access = Access::Roles(&[Role::CommitteeChair]);
    const READ: Access = Access::Roles(READERS);
    enter!(routes, READ, [__path_list_incoming_referrals] list_incoming_referrals);
    enter!(routes, READ, [__path_get_incoming_referral] get_incoming_referral);
    enter!(routes, CHAIR, [__path_accept_incoming_referral] accept_incoming_referral);
    enter!(routes, CHAIR, [__path_reject_incoming_referral] reject_incoming_referral);
    enter!(routes, CHAIR, [__path_keep_incoming_referral] keep_incoming_referral);
}

/// A case that another committee sent: a copy of what it wanted to be seen, and nothing else of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncomingReferral {
    /// Identifier, the same on both sides.
    pub id: ReferralId,
    /// Rises with every change; the entity tag.
    #[schema(minimum = 1)]
    pub version: i32,
    /// Who sent it.
    pub sender_id: CommitteeId,
    /// Its name at that time.
    #[schema(max_length = 200, example = "政协云岭市委员会")]
    pub sender_name: String,
    /// Up or down, as the sender sees it.
    pub direction: ReferralDirection,
    /// Label of the direction.
    pub direction_label: Label,
    /// `sent` while it waits for an answer.
    pub status: ReferralStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Why it was sent.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// 案由.
    #[schema(max_length = 200)]
    pub title: String,
    /// 情况; empty where the text was removed since.
    #[schema(max_length = 10000)]
    pub situation: String,
    /// 分析.
    #[schema(max_length = 10000)]
    pub analysis: String,
    /// 建议.
    #[schema(max_items = 20)]
    pub suggestions: Vec<crate::workflow::input::Suggestion>,
    /// Who proposed it there, unless that is to stay unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub proposer: Option<String>,
    /// Kind of the proposer.
    pub kind: ProposerKind,
    /// How the sender cites the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub citation: Option<String>,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub received_at: Timestamp,
    /// When it was answered, or recalled by the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub answered_at: Option<Timestamp>,
    /// Words of the answer, or the reason of the recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
    /// The proposal that it became here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposal_id: Option<ProposalId>,
}

impl IncomingReferral {
    fn of(row: &Incoming) -> Result<Self> {
        let sent: Sent = row.sent()?;
        let suggestion = crate::workflow::input::Suggestion;
        Ok(Self {
            id: row.id,
            version: row.version,
            sender_id: row.sender_id,
            sender_name: row.sender_name.clone(),
            direction: row.direction,
            direction_label: row.direction.label(),
            status: row.status,
            status_label: row.status.label(),
            reason: sent.reason,
            title: sent.title,
            situation: sent.situation,
            analysis: sent.analysis,
            suggestions: sent.suggestions.into_iter().map(suggestion).collect(),
            proposer: sent.proposer,
            kind: sent.kind,
            citation: sent.citation,
            received_at: row.received_at.0,
            answered_at: row.answered_at.map(|at| at.0),
            note: row.note.clone(),
            proposal_id: row.proposal_id,
        })
    }
}

fn answer(row: &Incoming) -> Result<Answer> {
    Ok(Answer::ok(&IncomingReferral::of(row)?)?.version(row.version))
}

/// List incoming referrals
///
/// Cases that other committees sent to this one, newest first; those with status `sent` wait for
/// the chair's answer.
#[utoipa::path(get, path = "/api/v1/incoming-referrals", tag = "referrals",
    params(ReferralListFilter, PageParams),
    responses((status = 200, description = "A page of referrals", body = Page<IncomingReferral>)))]
pub async fn list_incoming_referrals(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<ReferralListFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let filter = filter.into();
    let answer = app
        .db
        .read("incoming_referrals", move |tx| {
            let (committee, limit) = (ctx.committee(), page.limit.get() + 1);
            let rows = referrals::incoming(tx, committee, filter, after, limit)?;
            let rows = binding.page(rows, page.limit, |row| row.id)?;
            let count = page
                .count
                .then(|| referrals::count_incoming(tx, committee, filter, COUNT_CAP))
                .transpose()?;
            let items = rows.items.iter().map(IncomingReferral::of);
            Ok(Page {
                items: items.collect::<Result<_>>()?,
                next_cursor: rows.next_cursor,
                count,
            })
        })
        .await?;
    Answer::ok(&answer)
}

/// Read an incoming referral
///
/// The copy that the other committee sent, and what became of it here.
#[utoipa::path(get, path = "/api/v1/incoming-referrals/{referral_id}", tag = "referrals",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    responses((status = 200, description = "The referral", body = IncomingReferral)))]
pub async fn get_incoming_referral(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Referral>,
) -> Result<Answer> {
    app.db
        .read("incoming_referral", move |tx| {
            let row = referrals::find_incoming(tx, ctx.committee(), id)?;
            answer(&row.ok_or_else(Error::not_found)?)
        })
        .await
}

async fn reply(
    app: Data<App>,
    ctx: Ctx,
    id: ReferralId,
    (request, body): (HttpRequest, RawBody),
    parse: fn(&RawBody) -> Result<Reply>,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.act(&ctx.clone(), move |tx| {
        answer(&answers::answer(tx, &ctx, id, &|| parse(&body))?)
    })
    .await
}

/// Accept an incoming referral
///
/// It becomes a draft of a member or an organisation of this committee, named in `proposal_id`;
/// staff complete it and hand it in as one from paper. The sender's case is told, its status stays;
/// from then on the sender sees status and number of the draft, and nothing else of it.
#[utoipa::path(post, path = "/api/v1/incoming-referrals/{referral_id}/actions/accept",
    tag = "referrals",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    request_body(content = AcceptReferralIn, example = json!({
        "member_id": "memb_019a1b2c3d4e7f8090a1b2c3d4e5f607",
        "note": "已由本级委员作为提案提出。"
    })),
    responses((status = 200, description = "The referral, answered", body = IncomingReferral)))]
pub async fn accept_incoming_referral(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Referral>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let parse = |body: &RawBody| body.parse().map(Reply::Accept);
    reply(app, ctx, id, (request, body), parse).await
}

/// Reject an incoming referral
///
/// With a reason, which the sender is told.
#[utoipa::path(post, path = "/api/v1/incoming-referrals/{referral_id}/actions/reject",
    tag = "referrals",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    request_body(content = ReasonIn, example = json!({ "reason": "所提事项属市级职权范围。" })),
    responses((status = 200, description = "The referral, answered", body = IncomingReferral)))]
pub async fn reject_incoming_referral(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Referral>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let parse = |body: &RawBody| {
        let ReasonIn { reason } = body.parse()?;
        if reason.trim().is_empty() {
            let words = Message::new("必填。", "This is required.");
            return Err(Error::invalid("/reason", "required", words));
        }
        Ok(Reply::Reject(reason))
    };
    reply(app, ctx, id, (request, body), parse).await
}

/// Keep an incoming referral for reference
///
/// It is used as a reference and becomes no proposal (转参考); the sender is told.
#[utoipa::path(post, path = "/api/v1/incoming-referrals/{referral_id}/actions/keep-for-reference",
    tag = "referrals",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    request_body(content = NoteIn, example = json!({ "note": "已转有关专门委员会参考。" })),
    responses((status = 200, description = "The referral, answered", body = IncomingReferral)))]
pub async fn keep_incoming_referral(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Referral>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let parse = |body: &RawBody| {
        let NoteIn { note } = body.parse()?;
        Ok(Reply::Keep(note))
    };
    reply(app, ctx, id, (request, body), parse).await
}
