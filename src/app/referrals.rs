//! What a committee answers to a case that another one sent it: it accepts it as a proposal of its
//! own, rejects it, or takes it for reference. The answer reaches the sender's case in the same
//! transaction.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Ctx, act};
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, MemberId, OrganisationId, ProposalId, ReferralId};
use crate::store::committees::CommitteeFields;
use crate::store::events::Circumstances;
use crate::store::referrals::{self, Incoming};
use crate::store::register::Rows;
use crate::store::{Tx, cases};
use crate::workflow::codes::ReferralStatus;
use crate::workflow::decide::References;
use crate::workflow::input::{ProposalForm, ProposalIn, Suggestion};
use crate::workflow::lists::ProposerKind;
use crate::workflow::referral::{self, Sent};
use crate::workflow::role::Role;

/// Whose proposal the case becomes: a member's, or an organisation's.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptReferralIn {
    /// The member who proposes it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// The organisation that proposes it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// Words to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "已由本级委员作为提案提出。"
    )]
    pub note: Option<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It becomes a proposal here.
    Accept(AcceptReferralIn),
    /// It does not, for this reason.
    Reject(String),
    /// It is kept for reference, with these words.
    Keep(Option<String>),
}

/// Answers what the caller's committee was sent.
pub fn answer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    parse: &dyn Fn() -> Result<Reply>,
) -> Result<Incoming> {
    let committee = ctx.committee();
    let found =
        |tx: &mut Tx<'_>| referrals::find_incoming(tx, committee, id)?.ok_or_else(Error::not_found);
    let sender = found(tx)?;
    let reply = parse()?;
    // The lock of the sender's case comes first on both sides.
    let (owner, proposal) = (sender.sender_id, sender.sender_proposal_id);
    let loaded = cases::lock(tx, owner, proposal)?
        .ok_or_else(|| Error::internal("a copy without the case it is of"))?;
    let row = found(tx)?;
    ctx.if_match.check(row.version)?;
    if row.status != ReferralStatus::Sent {
        return Err(Error::new(Code::StateConflict)
            .detail(Message::new(
                "该转报转办已答复或已撤回。",
                "It was answered or recalled already.",
            ))
            .with("current_status", row.status.as_str())
            .with("allowed_from", [ReferralStatus::Sent.as_str()]));
    }
    let by = Circumstances::of(ctx, &[Role::CommitteeChair]);
    let (status, counterpart, note) = match reply {
        Reply::Accept(input) => {
            let made = counterpart(tx, ctx, &row, &input)?;
            (ReferralStatus::Accepted, Some(made), input.note)
        }
        Reply::Reject(reason) => (ReferralStatus::Rejected, None, Some(reason)),
        Reply::Keep(note) => (ReferralStatus::ForReference, None, note),
    };
    let note = note.as_deref();
    referrals::answer(tx, &row, status, counterpart, note, &by)?;
    let profile = act::profile_of(tx, &loaded)?;
    let before = act::profile_before(tx, &loaded.case, &profile)?;
    let references = References::default();
    let calendar = act::calendar_of(tx, &loaded)?;
    let env = act::env(ctx.now, &profile, &calendar, &references);
    let mut decision = referral::answered(&loaded.case, id, status, counterpart, note, env)
        .map_err(|refusal| act::refuse(refusal, None))?;
    decision.case.proposal.profile_version = profile.version;
    // In the sender's trail nobody of another committee stands by name.
    let by = Circumstances {
        actor: None,
        actor_name: own_name(tx, committee)?,
        role: Role::System,
        ..by
    };
    let old = (&loaded.case, &*before);
    cases::save(tx, old, &loaded.head, &mut decision, &profile, &by)?;
    found(tx)
}

fn own_name(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<String> {
    Ok(CommitteeFields::find(tx, committee, committee)?.fields.name)
}

/// The proposal that it becomes: a draft of the proposer, which staff complete and hand in as from
/// paper.
fn counterpart(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    row: &Incoming,
    input: &AcceptReferralIn,
) -> Result<ProposalId> {
    let Sent {
        title,
        situation,
        analysis,
        suggestions,
        citation,
        ..
    } = row.sent()?;
    if input.member_id.is_some() == input.organisation_id.is_some() {
        return Err(Error::invalid(
            "/member_id",
            "one_of",
            Message::new(
                "须填写提案委员或提案单位之一。",
                "Name either the member or the organisation that proposes it.",
            ),
        ));
    }
    let kind = match input.organisation_id {
        Some(id) => act::kind_of(tx, ctx, id)?,
        None => ProposerKind::Individual,
    };
    let paper: String = format!("{}转来 {}", row.sender_name, citation.unwrap_or_default())
        .trim()
        .chars()
        .take(200)
        .collect();
    let proposal = ProposalIn {
        kind,
        session_id: None,
        member_id: input.member_id,
        organisation_id: input.organisation_id,
        form: ProposalForm {
            title,
            situation,
            analysis,
            suggestions: suggestions.into_iter().map(Suggestion).collect(),
            paper_reference: Some(paper),
            ..ProposalForm::default()
        },
    };
    act::create_from_outside(tx, ctx, &proposal)
}
