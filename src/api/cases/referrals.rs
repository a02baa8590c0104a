//! Cases sent to other committees, on the side of the sender: of one case, and over all cases.

use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{Listing, PathId};
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams};
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::digest;
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, ProposalId, ReferralId, kind};
use crate::store::Tx;
use crate::store::referrals::{self, Filter, Outgoing};
use crate::workflow::access;
use crate::workflow::case::Referral;
use crate::workflow::codes::{CaseSeries, ReferralDirection, ReferralStatus};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::referral::Mirror;
use crate::workflow::role::Role;

/// Those who read the referrals of every case, and what other committees sent.
pub(super) const READERS: &[Role] = &[Role::CommitteeStaff, Role::CommitteeChair, Role::Auditor];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_referrals] get_referrals);
    enter!(routes, Access::Roles(READERS), [__path_list_referrals] list_referrals);
}

/// A case sent to another committee.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferralFacts {
    /// Identifier, the same on both sides.
    pub id: ReferralId,
    /// Up or down.
    pub direction: ReferralDirection,
    /// Label of the direction.
    pub direction_label: Label,
    /// The committee of this service; none for a body outside of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub committee_id: Option<CommitteeId>,
    /// Its name when it was sent.
    #[schema(max_length = 200, example = "政协云岭省委员会")]
    pub body_name: String,
    /// How far it is.
    pub status: ReferralStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Why it was sent.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub sent_at: Timestamp,
    /// When it was answered or recalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub answered_at: Option<Timestamp>,
    /// Words of the answer, or the reason of the recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
    /// Where the answer on paper is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub paper_reference: Option<String>,
    /// The proposal that it became there; this name is all that leads to it from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counterpart_id: Option<ProposalId>,
    /// Number of the counterpart, as the paper says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub counterpart_no: Option<String>,
    /// How far the counterpart is now, as long as it is an open case there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counterpart: Option<MirrorFacts>,
}

/// How far the counterpart of a referral is, at the other committee.
#[derive(Debug, Serialize, ToSchema)]
pub struct MirrorFacts {
    /// Its status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Since when.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub status_since: Timestamp,
    /// Its 案号 there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Series of that number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub case_series: Option<CaseSeries>,
}

impl From<Mirror> for MirrorFacts {
    fn from(mirror: Mirror) -> Self {
        Self {
            status: mirror.status,
            status_label: mirror.status.label(),
            status_since: mirror.since,
            case_no: mirror.case_no,
            case_series: mirror.case_no.map(|_| mirror.case_series),
        }
    }
}

impl ReferralFacts {
    fn of(tx: &mut Tx<'_>, one: &Referral) -> Result<Self> {
        let answer = one.answer.as_ref();
        Ok(Self {
            id: one.id,
            direction: one.direction,
            direction_label: one.direction.label(),
            committee_id: one.committee,
            body_name: one.body.clone(),
            status: one.status,
            status_label: one.status.label(),
            reason: one.reason.clone(),
            sent_at: one.sent_at,
            answered_at: answer.map(|answer| answer.at),
            note: answer.and_then(|answer| answer.note.clone()),
            paper_reference: answer.and_then(|answer| answer.paper_reference.clone()),
            counterpart_id: one.counterpart,
            counterpart_no: answer.and_then(|answer| answer.counterpart_no.clone()),
            counterpart: referrals::mirror(tx, one)?.map(Into::into),
        })
    }
}

/// The referrals of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseReferrals {
    /// In the order in which they were sent.
    #[schema(max_items = 200)]
    pub items: Vec<ReferralFacts>,
}

/// The referrals of a case
///
/// To whom the case was sent, what came back, and how far its counterpart is there now. For the
/// committee, those who steer the case, leaders, its units and its proposers; empty for others.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/referrals", tag = "referrals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The referrals", body = CaseReferrals)))]
pub async fn get_referrals(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.referrals", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let (case, actor) = (&known.case, ctx.principal.actor());
            let readable = access::may_read_referrals(case, &actor);
            let all = case.referrals.iter().filter(|_| readable);
            let items = all
                .map(|one| ReferralFacts::of(tx, one))
                .collect::<Result<_>>()?;
            let list = CaseReferrals { items };
            // What is mirrored changes without a write to this case.
            let text = serde_json::to_vec(&list).map_err(Error::internal)?;
            Ok(Answer::ok(&list)?.tag(digest::hex(&[&text])))
        })
        .await
}

/// Filters of the lists of referrals.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReferralListFilter {
    /// This far.
    #[param(inline, required = false)]
    pub(super) status: Option<ReferralStatus>,
    /// Up or down.
    #[param(inline, required = false)]
    pub(super) direction: Option<ReferralDirection>,
}

impl From<ReferralListFilter> for Filter {
    fn from(filter: ReferralListFilter) -> Self {
        Self {
            status: filter.status,
            direction: filter.direction,
        }
    }
}

/// A referral with its case in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferralItem {
    /// The referral.
    #[serde(flatten)]
    pub referral: ReferralFacts,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    #[schema(max_length = 200)]
    pub title: String,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Status of the case.
    pub proposal_status: ProposalStatus,
}

impl ReferralItem {
    fn of(tx: &mut Tx<'_>, line: Outgoing) -> Result<Self> {
        Ok(Self {
            referral: ReferralFacts::of(tx, &line.referral)?,
            proposal_id: line.proposal,
            title: line.title,
            case_no: line.case_no,
            proposal_status: line.status,
        })
    }
}

/// List referrals
///
/// Cases that the committee sent to others, newest first, with the answer and how far each
/// counterpart is now. With `count=true` and a status: how many were accepted, how many taken for
/// reference.
#[utoipa::path(get, path = "/api/v1/referrals", tag = "referrals",
    params(ReferralListFilter, PageParams),
    responses((status = 200, description = "A page of referrals", body = Page<ReferralItem>)))]
pub async fn list_referrals(
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
        .read("referrals", move |tx| {
            let (committee, limit) = (ctx.committee(), page.limit.get() + 1);
            let rows = referrals::outgoing(tx, committee, filter, after, limit)?;
            let rows = binding.page(rows, page.limit, |row| row.referral.id)?;
            let count = page
                .count
                .then(|| referrals::count_outgoing(tx, committee, filter, COUNT_CAP))
                .transpose()?;
            let items = rows.items.into_iter();
            Ok(Page {
                items: items
                    .map(|row| ReferralItem::of(tx, row))
                    .collect::<Result<_>>()?,
                next_cursor: rows.next_cursor,
                count,
            })
        })
        .await?;
    Answer::ok(&answer)
}
