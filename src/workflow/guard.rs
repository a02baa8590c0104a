//! Named conditions of a case. A guard needs no input: it is asked by [`super::decide::decide`] and
//! by [`super::decide::allowed`] alike. Conditions on what is handed in stand in the effects.

use std::collections::BTreeSet;

use super::assignment::AssignmentStatus;
use super::case::{Assignment, Case, Reply};
use super::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, HandlingKind, ProposerRole,
    Secrecy,
};
use super::decide::{Env, Target};
use super::lists::ProposerKind;
use super::profile::LapseMeans;
use super::proposal::ProposalStatus;
use super::refusal::Unmet;
use super::reply::ReplyStatus;
use super::role::{Actor, Role};
use crate::error::Message;

/// What a guard looks at.
pub struct View<'a> {
    /// The case.
    pub case: &'a Case,
    /// Who would act.
    pub actor: &'a Actor,
    /// On what.
    pub target: Target,
    /// When, under which profile.
    pub env: Env<'a>,
}

impl View<'_> {
    fn row(&self) -> Option<&Assignment> {
        match self.target {
            Target::Proposal => None,
            Target::Assignment(id) => self.case.assignment(id),
            Target::Reply(id) => self
                .case
                .reply(id)
                .and_then(|reply| self.case.assignment(reply.assignment)),
        }
    }

    fn reply(&self) -> Option<&Reply> {
        match self.target {
            Target::Reply(id) => self.case.reply(id),
            _ => None,
        }
    }
}

/// A condition.
pub struct Guard {
    /// Stable name.
    pub name: &'static str,
    /// The invariant it keeps, where it has a number.
    pub invariant: Option<&'static str>,
    /// What is missing when it fails, in zh-CN and English.
    pub message: (&'static str, &'static str),
    /// Whether it is met.
    pub met: fn(&View<'_>) -> bool,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Guard {
    /// What is missing, if it is not met.
    pub fn unmet(&self, view: &View<'_>) -> Option<Unmet> {
        (!(self.met)(view)).then(|| Unmet {
            guard: self.name,
            invariant: self.invariant,
            message: Message::new(self.message.0, self.message.1),
        })
    }
}

macro_rules! guards {
    ($($(#[$doc:meta])* $ident:ident, $name:literal, $invariant:expr, $zh:literal, $en:literal, $met:expr;)+) => {
        $(
            $(#[$doc])*
            pub static $ident: Guard = Guard {
                name: $name,
                invariant: $invariant,
                message: ($zh, $en),
                met: $met,
            };
        )+
        /// Every guard.
        pub static ALL: &[&Guard] = &[$(&$ident),+];
    };
}

guards! {
    /// The text has a title, a situation and a suggestion.
    TEXT_COMPLETE, "text_complete", None,
        "案由、情况和至少一条建议须填写完整（政策要求时还须填写分析）。",
        "Title, situation and at least one suggestion are required (the analysis too, where the profile asks for it).",
        |view| {
            let form = &view.case.proposal.form;
            !form.title.trim().is_empty()
                && !form.situation.trim().is_empty()
                && form.suggestions.iter().any(|suggestion| !suggestion.0.trim().is_empty())
                && (!view.env.profile.analysis_required || !form.analysis.trim().is_empty())
        };
    /// The text keeps the lengths of the profile.
    TEXT_WITHIN_LIMITS, "text_within_limits", None,
        "案由、各部分或全文超过政策规定的字数。",
        "The title, a part or the whole text is longer than the policy profile allows.",
        |view| {
            let (form, profile) = (&view.case.proposal.form, view.env.profile);
            form.title.chars().count() <= profile.title_max_chars
                && form.parts().all(|part| part.chars().count() <= profile.part_max_chars)
                && form.total_chars() <= profile.total_max_chars
        };
    /// Publication consent given, or refused with a reason.
    PUBLICATION_DECIDED, "publication_decided", None,
        "须选择是否同意公开；不同意时须说明缘由。",
        "Say whether the text may be published; a refusal needs a reason.",
        |view| {
            let form = &view.case.proposal.form;
            match form.publish_consent {
                Some(true) => true,
                Some(false) => form.publish_refusal_reason.is_some(),
                None => false,
            }
        };
    /// The proposer declares that the text holds no secrets.
    NO_SECRET_DECLARED, "no_secret_declared", None,
        "须作不涉密声明。", "Declare that the text holds no secrets.",
        |view| view.case.proposal.form.no_secret_declaration;
    /// A joint proposal has at least one invitation that is not declined.
    JOINT_HAS_COSIGNERS, "joint_has_cosigners", Some("I17"),
        "联名提案须至少有一位未拒绝的联名人。", "A joint proposal needs at least one co-signer who has not declined.",
        |view| {
            view.case.proposal.kind != ProposerKind::Joint
                || view.case.proposers.iter().any(|proposer| {
                    proposer.role == ProposerRole::Cosigner
                        && (proposer.status == ConsentStatus::Consented
                            || (matches!(proposer.status, ConsentStatus::Invited | ConsentStatus::Stale)
                                && !view.case.lapsed(ClockKind::K01, proposer.id.cast(), view.env.now)))
                })
        };
    /// A collective shows seal or signature.
    COLLECTIVE_EVIDENCE, "collective_evidence", None,
        "集体提案须有公章或签名凭证，并填写联系人和电话。",
        "A collective proposal needs evidence of seal or signature, a contact person and a telephone.",
        |view| {
            let (proposal, form) = (&view.case.proposal, &view.case.proposal.form);
            !proposal.kind.is_collective()
                || ((form.seal_evidence.is_some() || !view.env.profile.seal_evidence_required)
                    && form.contact_person.is_some()
                    && form.contact_phone.is_some())
        };
    /// Sector and group proposals: convener's signature; first handed in inside the plenary window.
    CONVENER_IN_WINDOW, "convener_in_window", None,
        "界别、小组提案须有召集人签名，且须在全会提案期内提交。",
        "A sector or group proposal needs its convener's signature, inside the session window.",
        |view| {
            let needs = matches!(view.case.proposal.kind, ProposerKind::Sector | ProposerKind::MemberGroup);
            !needs || (view.case.proposal.form.convener.is_some()
                && (view.case.proposal.submission_no > 0
                    || view.case.session.is_open(view.env.now)))
        };
    /// Something changed since the return.
    CHANGED_SINCE_RETURN, "changed_since_return", None,
        "退回后尚未修改内容。", "Nothing was changed since the proposal came back.",
        |view| view.case.proposal.text_version > view.case.proposal.submitted_version;
    /// Nobody has given an opinion on this submission.
    NOT_YET_EXAMINED, "not_yet_examined", None,
        "已有审查意见，不能撤回。", "An opinion on this submission exists already.",
        |view| view.case.current_opinions().next().is_none();
    /// I10: nobody examines or decides on a proposal he or she signed.
    NOT_A_SIGNER, "not_a_signer", Some("I10"),
        "不得审查或决定本人提出或联名的提案。", "Nobody examines or decides on a proposal he or she signed.",
        |view| view.actor.member.is_none_or(|member| !view.case.is_signer(member));
    /// I10, the other way round: nobody signs a proposal he or she examined.
    NOT_ITS_EXAMINER, "not_its_examiner", Some("I10"),
        "不得联名本人审查过的提案。", "Nobody signs a proposal he or she examined.",
        |view| view.actor.user.is_none_or(|user| {
            view.case.opinions.iter().all(|opinion| opinion.examiner != user)
        });
    /// A stage of examination is left.
    STAGE_DUE, "stage_due", None,
        "各审查阶段均已完成。", "Every stage of the examination is recorded.",
        |view| view.case.stage_due(view.env.profile.examination_stages).is_some();
    /// Another person examines at each stage.
    OTHER_EXAMINER, "other_examiner", None,
        "各审查阶段须由不同人员办理。", "Each stage is examined by another person.",
        |view| !view.env.profile.distinct_examiners
            || view.actor.user.is_none_or(|user| {
                view.case.current_opinions().all(|opinion| opinion.examiner != user)
            });
    /// Every stage of the profile is recorded.
    STAGES_RECORDED, "stages_recorded", None,
        "尚有审查阶段未完成。", "A stage of the examination is not recorded yet.",
        |view| view.case.stage_due(view.env.profile.examination_stages).is_none();
    /// A secret text is never filed.
    NOT_SECRET, "not_secret", None,
        "涉密内容不得立案。", "A secret text cannot be filed.",
        |view| view.case.proposal.secrecy != Secrecy::Secret;
    /// From `returned` only once K02 has lapsed.
    REVISION_LAPSED, "revision_lapsed", None,
        "修改期限未满。", "The time for revision has not run out.",
        |view| view.case.proposal.status != ProposalStatus::Returned
            || view.case.lapsed(ClockKind::K02, view.case.proposal.id.cast(), view.env.now);
    /// The invitation waits for an answer and has not run out.
    INVITATION_OPEN, "invitation_open", Some("I17"),
        "联名邀请已答复或已过期。", "The invitation is answered or has run out.",
        |view| view.actor.member.is_some_and(|member| {
            view.case.proposers.iter().any(|proposer| {
                proposer.member == Some(member)
                    && matches!(proposer.status, ConsentStatus::Invited | ConsentStatus::Stale)
                    && !view.case.lapsed(ClockKind::K01, proposer.id.cast(), view.env.now)
            })
        });
    /// Only joint proposals have co-signers.
    IS_JOINT, "is_joint", None,
        "只有联名提案可以邀请联名人。", "Only a joint proposal has co-signers.",
        |view| view.case.proposal.kind == ProposerKind::Joint;
    /// The round of the row is the present one and still in handling.
    ROUND_OPEN, "round_open", Some("I16"),
        "本轮办理已经结束。", "The round of handling is over.",
        |view| view.case.proposal.status == ProposalStatus::Assigned
            && view.row().is_some_and(|row| row.round == view.case.proposal.round);
    /// Reference rows owe nothing and accept no act.
    ROW_OWES_SOMETHING, "row_owes_something", Some("I6"),
        "参阅单位无须办理。", "A reference unit owes nothing.",
        |view| view.row().is_some_and(|row| row.role != AssignmentRole::Reference);
    /// The row is a co-handler's.
    IS_CO_HANDLER, "is_co_handler", Some("I6"),
        "只有会办单位提交会办意见。", "Only a co-handler gives an opinion to the lead.",
        |view| view.row().is_some_and(|row| row.role == AssignmentRole::CoHandler);
    /// The lead has not signed yet.
    LEAD_NOT_SIGNED, "lead_not_signed", Some("I13"),
        "主办单位已签发答复。", "The lead has signed its reply already.",
        |view| view.case.replies.iter().filter(|reply| reply.round == view.case.proposal.round)
            .all(|reply| !matches!(reply.status, ReplyStatus::UnderReview | ReplyStatus::Delivered));
    /// Only lead and separate rows carry a reply (I6).
    ROW_REPLIES, "row_replies", Some("I6"),
        "只有主办或分办单位答复提案者。", "Only a lead or separate unit replies to the proposer.",
        |view| view.row().is_some_and(|row| row.role.replies());
    /// The row is signed for, and not in dispute.
    ROW_ACCEPTED, "row_accepted", Some("I8"),
        "须先签收，且不在申退中。", "The case must be signed for, and no return may be asked for.",
        |view| view.row().is_some_and(|row| row.status == AssignmentStatus::Accepted);
    /// One live reply per row.
    NO_LIVE_REPLY, "no_live_reply", None,
        "已有正在办理的答复。", "A reply is being worked on already.",
        |view| view.row().is_some_and(|row| view.case.live_reply(row.id).is_none());
    /// I12: the outcome meaning is set.
    OUTCOME_SET, "outcome_set", Some("I12"),
        "须填写办理类别。", "The outcome meaning must be set.",
        |view| view.reply().is_some_and(|reply| reply.form.outcome.is_some());
    /// I12: a contact with the proposer is on record.
    CONTACT_RECORDED, "contact_recorded", Some("I12"),
        "答复前须有与提案者的沟通记录。", "A contact with the proposer must be recorded before the reply.",
        |view| !view.env.profile.contact_required
            || view.row().is_some_and(|row| view.case.contacted.contains(&row.id));
    /// I12: opinions of all co-handlers are in, or their time has run out.
    OPINIONS_IN, "opinions_in", Some("I12"),
        "尚有会办意见未提交且未逾期。", "An opinion of a co-handler is neither in nor overdue.",
        |view| !view.env.profile.opinion_required
            || view.row().is_some_and(|row| row.role != AssignmentRole::Lead)
            || view.case.live_rows().filter(|row| row.role == AssignmentRole::CoHandler).all(|row| {
                row.opinions > 0
                    || row.opinion_missing
                    || view.case.lapsed(ClockKind::K08, row.id.cast(), view.env.now)
            });
    /// I12: the co-handlers agree with the text, or their time has run out.
    COUNTERSIGNED, "countersigned", Some("I12"),
        "须先请会办单位会签，且全部同意或逾期视为同意。",
        "The co-handlers must countersign first; each agrees, or its time has run out.",
        |view| countersigned(view);
    /// I12: dated promises where the outcome asks for them.
    PROMISES_MADE, "promises_made", Some("I12"),
        "该办理类别须填写至少一项有时限的计划落实事项。", "This outcome needs at least one promise with a date.",
        |view| view.reply().is_some_and(|reply| reply.form.outcome.is_none_or(|outcome| {
            !view.env.profile.promise_required_for.contains(&outcome) || !reply.form.promises.is_empty()
        }));
    /// A reply that adopts nothing says why.
    REASONS_GIVEN, "reasons_given", None,
        "该办理类别须说明未采纳理由；不公开的须说明原因。",
        "This outcome needs the reasons for not adopting; a reply that is not published needs a reason.",
        |view| view.reply().is_some_and(|reply| {
            (reply.form.outcome.is_none_or(|outcome| !outcome.needs_reasons())
                || reply.form.not_adopted_reason.is_some())
                && (reply.form.publication != super::codes::PublicationLevel::None
                    || reply.form.non_publication_reason.is_some())
        });
    /// Countersigning is asked for where there are co-handlers.
    IS_JOINT_LEAD, "is_joint_lead", None,
        "只有会办件的主办单位需要会签。", "Only the lead of a joint case asks for countersignatures.",
        |view| view.row().is_some_and(|row| row.role == AssignmentRole::Lead)
            && view.case.proposal.handling_kind == Some(HandlingKind::Joint);
    /// The signatory's unit has an open request.
    COUNTERSIGN_REQUESTED, "countersign_requested", None,
        "本单位没有待办的会签。", "The unit has no open request to countersign.",
        |view| own_countersign(view).is_some();
    /// Not approved yet.
    NOT_APPROVED, "not_approved", Some("I13"),
        "答复已审核通过。", "The reply has passed the review already.",
        |view| view.reply().is_some_and(|reply| !reply.approved);
    /// Approved, and the text is the one that was signed.
    APPROVED, "approved", Some("I13"),
        "答复须先审核通过，且内容与签发版本一致。",
        "The reply must have passed the review, with the very text that was signed.",
        |view| view.reply().is_some_and(|reply| {
            reply.approved
                && reply.document.is_some()
                && reply.signed_hash.as_deref() == Some(reply.content_hash.as_str())
        });
    /// Every required reply of the round is delivered (I15).
    ALL_DELIVERED, "all_delivered", Some("I15"),
        "尚有答复未送达。", "A required reply is not delivered yet.",
        |view| {
            let mut rows = view.case.bound_rows().peekable();
            rows.peek().is_some() && rows.all(|row| row.status == AssignmentStatus::Replied)
        };
    /// Every rater answered every reply of the round.
    ALL_RATED, "all_rated", Some("I22"),
        "尚有提案者未反馈。", "A rater has not answered yet.",
        |view| view.case.delivered().all(|reply| {
            view.case.raters(view.env.profile.every_signer_rates()).all(|rater| {
                view.case.forms.iter().any(|form| form.reply == reply.id && form.rater == rater.id)
            })
        });
    /// A form is left to give: the actor's own, or for staff anybody's.
    NOT_YET_RATED, "not_yet_rated", Some("I20"),
        "应反馈的答复均已反馈。", "Every reply that could be rated was rated already.",
        |view| {
            let staff = view.actor.has(Role::CommitteeStaff);
            view.case.raters(view.env.profile.every_signer_rates())
                .filter(|rater| staff || rater.is(view.actor))
                .any(|rater| view.case.delivered().any(|reply| {
                    !view.case.forms.iter().any(|form| form.reply == reply.id && form.rater == rater.id)
                }))
        };
    /// Every open promise is tracked (I27).
    PROMISES_TRACKED, "promises_tracked", Some("I27"),
        "未落实的承诺事项须在跟踪办理中。", "Every open promise must be under active tracking.",
        |view| view.case.tracked_since.is_some()
            || view.case.promises.iter().all(|promise| promise.status != super::codes::PromiseStatus::Open);
}

fn countersigned(view: &View<'_>) -> bool {
    let (Some(reply), Some(row)) = (view.reply(), view.row()) else {
        return false;
    };
    let joint = row.role == AssignmentRole::Lead
        && view.case.proposal.handling_kind == Some(HandlingKind::Joint);
    if !joint || !view.env.profile.countersign_required {
        return true;
    }
    let agreed: BTreeSet<_> = view
        .case
        .countersigns
        .iter()
        .filter(|request| request.reply == reply.id && request.content_hash == reply.content_hash)
        .filter(|request| match request.status {
            CountersignStatus::Agree | CountersignStatus::AgreeWithRemarks => true,
            CountersignStatus::Requested => {
                view.env.profile.countersign_lapse == LapseMeans::Agreed
                    && view
                        .case
                        .lapsed(ClockKind::K09, request.assignment.cast(), view.env.now)
            }
            CountersignStatus::Object | CountersignStatus::Recalled => false,
        })
        .map(|request| request.assignment)
        .collect();
    view.case
        .live_rows()
        .filter(|row| row.role == AssignmentRole::CoHandler)
        .all(|row| agreed.contains(&row.id))
}

/// The open request to a unit in which the actor is signatory.
pub fn own_countersign<'a>(view: &View<'a>) -> Option<&'a super::case::Countersign> {
    let Target::Reply(reply) = view.target else {
        return None;
    };
    view.case.countersigns.iter().find(|request| {
        request.reply == reply
            && request.status == CountersignStatus::Requested
            && view.case.assignment(request.assignment).is_some_and(|row| {
                view.actor.grants.iter().any(|grant| {
                    grant.role == Role::UnitSignatory && grant.unit_id == Some(row.unit)
                })
            })
    })
}
