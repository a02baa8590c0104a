//! A whole case, as the caller may see it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::brief::ProposalItem;
use super::clock_out::ClockFacts;
use super::group_out::{AbsorbedFacts, MainFacts};
use super::handling_out::{AssignmentFacts, FeedbackFacts, PromiseFacts, ReplyFacts};
use super::possible::{self, PossibleAction};
use super::request_out::{ConsultationFacts, RequestFacts};
use crate::app::act::Known;
use crate::app::{Answer, Ctx};
use crate::codes::Label;
use crate::error::Result;
use crate::ids::{MemberId, OpinionId, OrganisationId, ProposerId};
use crate::workflow::access;
use crate::workflow::advice::{self, Warning};
use crate::workflow::case::{Marks, Opinion, Proposer};
use crate::workflow::codes::{
    ConsentStatus, OutcomeMeaning, ProgrammeTier, ProposerRole, PublicationLevel, Recommendation,
    Stage,
};
use crate::workflow::decide::Target;
use crate::workflow::input::ProposalForm;

/// A proposal with everything that hangs on it, and what the caller may do next.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalOut {
    /// The proposal in short: status, round, phase, numbers, units, labels.
    #[serde(flatten)]
    pub item: ProposalItem,
    /// Number of the session in the term (次).
    #[schema(minimum = 1)]
    pub session_number: i32,
    /// Number of the term (届).
    #[schema(minimum = 1)]
    pub term_number: i32,
    /// The text, as the caller may read it.
    pub form: ProposalForm,
    /// Number of the present text.
    #[schema(minimum = 1)]
    pub text_version: i32,
    /// How often it was handed in.
    #[schema(minimum = 0)]
    pub submission_no: i32,
    /// Version of the policy profile that holds for the case: pinned once it is filed, before
    /// that the one in force for its session.
    #[schema(minimum = 1)]
    pub profile_version: i32,
    /// First proposer and co-signers.
    #[schema(max_items = 60)]
    pub proposers: Vec<ProposerFacts>,
    /// Examination opinions; for the committee.
    #[schema(max_items = 100)]
    pub opinions: Vec<OpinionFacts>,
    /// Rows of all rounds.
    #[schema(max_items = 300)]
    pub handling: Vec<AssignmentFacts>,
    /// Replies the caller may read.
    #[schema(max_items = 300)]
    pub replies: Vec<ReplyFacts>,
    /// Opinion forms the caller may read.
    #[schema(max_items = 1000)]
    pub feedback: Vec<FeedbackFacts>,
    /// What was asked for, as far as the caller may know: withdrawal, further units, return,
    /// extension, pause.
    #[schema(max_items = 300)]
    pub requests: Vec<RequestFacts>,
    /// Consultations on record.
    #[schema(max_items = 200)]
    pub consultations: Vec<ConsultationFacts>,
    /// The proposals that this one absorbed: its replies go to their proposers too.
    #[schema(max_items = 200)]
    pub absorbed: Vec<AbsorbedFacts>,
    /// The proposal that absorbed this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub main: Option<MainFacts>,
    /// How often a unit of this round was allowed to return the case.
    #[schema(minimum = 0)]
    pub bounces: usize,
    /// What is noted about it and is no status.
    pub marks: MarksFacts,
    /// Promises of the delivered replies.
    #[schema(max_items = 1000)]
    pub promises: Vec<PromiseFacts>,
    /// Running clocks.
    #[schema(max_items = 300)]
    pub clocks: Vec<ClockFacts>,
    /// Worst outcome of the delivered replies of this round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
    /// Label of the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome_label: Option<Label>,
    /// Since when the case is tracked after its reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub tracked_since: Option<Timestamp>,
    /// What could be better in a text that can still be changed; nothing of it stops anybody.
    #[schema(max_items = 10)]
    pub warnings: Vec<Warning>,
    /// What may be done with the proposal now, and for the rest why not.
    #[schema(max_items = 60)]
    pub actions: Vec<PossibleAction>,
}

/// What is noted about a case and is no status.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarksFacts {
    /// Year of the programme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 2000, maximum = 2100)]
    pub programme_year: Option<i32>,
    /// How far the text is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub published_text: Option<PublicationLevel>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub text_published_at: Option<Timestamp>,
    /// How far the replies are published.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub published_replies: Option<PublicationLevel>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub replies_published_at: Option<Timestamp>,
    /// 归档: when it was put into the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub archived_at: Option<Timestamp>,
    /// Its place in the yearly programme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub programme_tier: Option<ProgrammeTier>,
    /// Label of the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub programme_tier_label: Option<Label>,
    /// How far the text may be published, as reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_text: Option<PublicationLevel>,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_text_label: Option<Label>,
    /// How far the replies may be published, as reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_replies: Option<PublicationLevel>,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_replies_label: Option<Label>,
    /// When the disposition of a refused proposal was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub disposed_at: Option<Timestamp>,
    /// 可否附议: members may join uninvited.
    pub open_for_seconding: bool,
}

impl From<&Marks> for MarksFacts {
    fn from(marks: &Marks) -> Self {
        Self {
            archived_at: marks.archived_at,
            programme_tier: marks.tier,
            programme_tier_label: marks.tier.map(ProgrammeTier::label),
            publish_text: marks.publish_text,
            publish_text_label: marks.publish_text.map(PublicationLevel::label),
            publish_replies: marks.publish_replies,
            publish_replies_label: marks.publish_replies.map(PublicationLevel::label),
            disposed_at: marks.disposed_at,
            open_for_seconding: marks.open_for_seconding,
            programme_year: marks.programme_year,
            published_text: marks.published_text,
            text_published_at: marks.text_published_at,
            published_replies: marks.published_replies,
            replies_published_at: marks.replies_published_at,
        }
    }
}

/// A first proposer, co-signer or seconder.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposerFacts {
    /// Identifier; names the rater of an opinion form.
    pub id: ProposerId,
    /// What it is to the proposal.
    pub role: ProposerRole,
    /// How far the consent is.
    pub status: ConsentStatus,
    /// Name.
    #[schema(max_length = 200)]
    pub name: String,
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// The collective.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// 界别.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub sector: Option<String>,
    /// Party.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub party: Option<String>,
    /// Need not rate: left office, deceased.
    pub excused: bool,
    /// Why; for the committee and the proposers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub excused_reason: Option<String>,
    /// Round in which another one was given up in writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub waived_round: Option<i32>,
    /// Label of the role.
    pub role_label: Label,
    /// Label of the consent.
    pub status_label: Label,
}

impl ProposerFacts {
    fn of(proposer: &Proposer, insider: bool) -> Self {
        Self {
            id: proposer.id,
            role: proposer.role,
            status: proposer.status,
            name: proposer.name.clone(),
            member_id: proposer.member,
            organisation_id: proposer.organisation,
            sector: proposer.sector.clone(),
            party: proposer.party.clone(),
            excused: proposer.excused.is_some(),
            excused_reason: proposer.excused.clone().filter(|_| insider),
            waived_round: proposer.waived_round,
            role_label: proposer.role.label(),
            status_label: proposer.status.label(),
        }
    }
}

/// An examination opinion.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpinionFacts {
    /// Identifier.
    pub id: OpinionId,
    /// The submission it is about.
    #[schema(minimum = 1)]
    pub submission_no: i32,
    /// Stage.
    pub stage: Stage,
    /// Recommendation.
    pub recommendation: Recommendation,
    /// Label of the stage.
    pub stage_label: Label,
    /// Label of the recommendation.
    pub recommendation_label: Label,
}

impl From<&Opinion> for OpinionFacts {
    fn from(opinion: &Opinion) -> Self {
        Self {
            id: opinion.id,
            submission_no: opinion.submission_no,
            stage: opinion.stage,
            recommendation: opinion.recommendation,
            stage_label: opinion.stage.label(),
            recommendation_label: opinion.recommendation.label(),
        }
    }
}

/// A form without what the caller may not read.
pub fn form_for(mut form: ProposalForm, contacts: bool) -> ProposalForm {
    if !contacts {
        form.contact_person = None;
        form.contact_phone = None;
        form.paper_reference = None;
        form.seal_evidence = None;
    }
    form
}

impl ProposalOut {
    /// The case as the caller may see it.
    pub fn of(ctx: &Ctx, known: &Known) -> Self {
        let (case, actor) = (&known.case, ctx.principal.actor());
        let contacts = access::may_read_contacts(case, &actor);
        let opinions = if access::may_read_opinions(&actor) {
            &case.opinions[..]
        } else {
            &[]
        };
        let insider = access::may_read_opinions(&actor) || access::is_own(case, &actor);
        let outcome = case.outcome();
        Self {
            item: ProposalItem::from_case(case),
            session_number: case.session.number,
            term_number: case.session.term_number,
            form: form_for(case.proposal.form.clone(), contacts),
            text_version: case.proposal.text_version,
            submission_no: case.proposal.submission_no,
            profile_version: known.profile.version,
            proposers: case
                .proposers
                .iter()
                .map(|proposer| ProposerFacts::of(proposer, insider))
                .collect(),
            opinions: opinions.iter().map(Into::into).collect(),
            handling: case
                .assignments
                .iter()
                .map(|row| AssignmentFacts::of(case, row, &actor))
                .collect(),
            replies: case
                .replies
                .iter()
                .filter(|reply| access::may_read_reply(case, reply, &actor))
                .map(|reply| ReplyFacts::of(known, reply))
                .collect(),
            feedback: case
                .forms
                .iter()
                .filter(|form| access::may_read_form(case, form, &actor))
                .map(|form| FeedbackFacts::of(case, form))
                .collect(),
            requests: case
                .requests
                .iter()
                .filter(|request| access::may_read_request(case, request, &actor))
                .map(|request| RequestFacts::of(case, request))
                .collect(),
            consultations: case.consultations.iter().map(Into::into).collect(),
            absorbed: case.absorbed.iter().map(Into::into).collect(),
            main: case.main.as_ref().map(Into::into),
            bounces: case.bounces(),
            marks: (&case.proposal.marks).into(),
            promises: case.promises.iter().map(Into::into).collect(),
            clocks: case
                .clocks
                .iter()
                .filter(|clock| clock.stopped_at.is_none())
                .filter(|clock| access::may_read_clock(case, clock, &actor))
                .map(|clock| ClockFacts::of(clock, ctx.now))
                .collect(),
            outcome,
            outcome_label: outcome.map(OutcomeMeaning::label),
            tracked_since: case.tracked_since,
            warnings: advice::warnings(case, &known.profile),
            actions: possible::of(ctx, known),
        }
    }
}

/// A unit's row with its case in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentOut {
    /// The row.
    #[serde(flatten)]
    pub assignment: AssignmentFacts,
    /// What the unit asked for, as far as the caller may know.
    #[schema(max_items = 60)]
    pub requests: Vec<RequestFacts>,
    /// How often a unit of this round was allowed to return the case.
    #[schema(minimum = 0)]
    pub bounces: usize,
    /// Its clocks that run.
    #[schema(max_items = 20)]
    pub clocks: Vec<ClockFacts>,
    /// The case it belongs to.
    pub proposal: ProposalItem,
    /// What may be done with the row now, and for the rest why not.
    #[schema(max_items = 60)]
    pub actions: Vec<PossibleAction>,
}

/// A reply with its case in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyOut {
    /// The reply.
    #[serde(flatten)]
    pub reply: ReplyFacts,
    /// The case it belongs to.
    pub proposal: ProposalItem,
    /// What may be done with the reply now, and for the rest why not.
    #[schema(max_items = 60)]
    pub actions: Vec<PossibleAction>,
}

/// The thing that was asked for or acted on, with its version.
pub fn answer(ctx: &Ctx, known: &Known) -> Result<Answer> {
    let (case, actor) = (&known.case, ctx.principal.actor());
    let tag = crate::app::act::tag(known);
    let answer = match known.target {
        Target::Proposal => Answer::ok(&ProposalOut::of(ctx, known))?,
        Target::Assignment(id) => {
            let row = case
                .assignment(id)
                .ok_or_else(crate::error::Error::not_found)?;
            Answer::ok(&AssignmentOut {
                assignment: AssignmentFacts::of(case, row, &actor),
                requests: case
                    .requests
                    .iter()
                    .filter(|request| request.assignment == Some(id))
                    .filter(|request| access::may_read_request(case, request, &actor))
                    .map(|request| RequestFacts::of(case, request))
                    .collect(),
                bounces: case.bounces(),
                clocks: case
                    .clocks
                    .iter()
                    .filter(|clock| clock.stopped_at.is_none() && clock.subject == id.cast())
                    .map(|clock| ClockFacts::of(clock, ctx.now))
                    .collect(),
                proposal: ProposalItem::from_case(case),
                actions: possible::of(ctx, known),
            })?
        }
        Target::Reply(id) => {
            let reply = case.reply(id).ok_or_else(crate::error::Error::not_found)?;
            Answer::ok(&ReplyOut {
                reply: ReplyFacts::of(known, reply),
                proposal: ProposalItem::from_case(case),
                actions: possible::of(ctx, known),
            })?
        }
    };
    Ok(answer.tag(tag))
}
