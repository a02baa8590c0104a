//! Merging several proposals at once.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::out::{self, ProposalOut};
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::ctx::IfMatch;
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::ProposalId;
use crate::store::Tx;
use crate::workflow::input::{Input, Meeting, MergeIn};
use crate::workflow::proposal::ProposalAction;
use crate::workflow::role::Role;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const CHAIR: Access = Access::Roles(&[Role::CommitteeChair]);
    enter!(routes, CHAIR, [__path_create_merge_group] create_merge_group);
}

/// Proposals that become one case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeGroupIn {
    /// The proposal that goes on (主案).
    pub main_id: ProposalId,
    /// The proposals that it absorbs, none twice.
    #[schema(min_items = 1, max_items = 20)]
    pub absorbed_ids: Vec<ProposalId>,
    /// 并案意见: why they are one matter.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "三件提案均就老城区微循环公交提出建议，内容相近，并案办理。"
    )]
    pub opinion: String,
    /// The meeting that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
}

/// Merge several proposals
///
/// PT17 for each of them, all or none: the proposals named are absorbed by the main one, in the
/// order of their identifiers, in one transaction. When one of them cannot be absorbed the answer
/// is the refusal of that one, named in `proposal_id` (409 `state-conflict` or `guard-unmet`), and
/// nothing is changed. Answers with the main proposal.
#[utoipa::path(post, path = "/api/v1/merge-groups", tag = "proposals",
    request_body(content = MergeGroupIn, example = json!({
        "main_id": "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607",
        "absorbed_ids": [
            "prop_019a1b2c3d4e7f8090a1b2c3d4e5f608",
            "prop_019a1b2c3d4e7f8090a1b2c3d4e5f609"
        ],
        "opinion": "三件提案均就老城区微循环公交提出建议，内容相近，并案办理。",
        "meeting": { "name": "提案审查委员会第一次全体会议", "date": "2026-03-05" }
    })),
    responses((status = 201, description = "The main proposal with what it absorbed", body = ProposalOut)))]
pub async fn create_merge_group(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let group: MergeGroupIn = body.parse()?;
    let order = in_order(&group)?;
    app.act(&ctx.clone(), move |tx| {
        let main = Object::Proposal(group.main_id);
        act::look(tx, &ctx, main).map_err(|error| unknown(error, "/main_id"))?;
        for (index, id) in &order {
            absorb(tx, &ctx, &group, *index, *id)?;
        }
        let known = act::read(tx, &ctx, main)?;
        Ok(Answer {
            status: 201,
            location: Some(format!("/api/v1/proposals/{}", group.main_id)),
            ..out::answer(&ctx, &known)?
        })
    })
    .await
}

/// The absorbed ones by identifier, with their places in the body; none twice, and not the main.
fn in_order(group: &MergeGroupIn) -> Result<Vec<(usize, ProposalId)>> {
    let mut seen = BTreeSet::from([group.main_id]);
    let mut order = Vec::new();
    for (index, id) in group.absorbed_ids.iter().enumerate() {
        if !seen.insert(*id) {
            let message = Message::new(
                "同一提案不能重复，主案不能并入自身。",
                "A proposal stands here once, and the main one not at all.",
            );
            let pointer = format!("/absorbed_ids/{index}");
            return Err(Error::invalid(pointer, "duplicate", message));
        }
        order.push((index, *id));
    }
    order.sort_by_key(|(_, id)| *id);
    Ok(order)
}

fn absorb(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    group: &MergeGroupIn,
    index: usize,
    id: ProposalId,
) -> Result<()> {
    // Nobody reads a version of each of them first: what counts is that each can be absorbed now.
    let ctx = Ctx {
        if_match: IfMatch::Any,
        ..ctx.clone()
    };
    let input = Input::Merge(MergeIn {
        main_id: group.main_id,
        opinion: group.opinion.clone(),
        meeting: group.meeting.clone(),
    });
    let action = act::on_proposal(ProposalAction::Merge);
    act::perform(tx, &ctx, Object::Proposal(id), action, &|_| {
        Ok(input.clone())
    })
    .map_err(|error| unknown(error, &format!("/absorbed_ids/{index}")).with("proposal_id", id))?;
    Ok(())
}

/// A proposal named in the body that is not there is a fault of the body.
fn unknown(error: Error, pointer: &str) -> Error {
    if error.code() != Code::NotFound {
        return error;
    }
    let message = Message::new("没有这件提案。", "There is no such proposal.");
    Error::invalid(pointer, "unknown_proposal", message)
}
