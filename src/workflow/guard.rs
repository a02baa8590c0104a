//! Named conditions of a case. A guard needs no input: it is asked by [`super::decide::decide`] and
//! by [`super::decide::allowed`] alike. Conditions on what is handed in stand in the effects.

use std::collections::BTreeSet;

use super::assignment::AssignmentStatus;
use super::case::{Assignment, Case, Reply, Request};
use super::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, HandlingKind,
    ProgrammeTier, ProposerRole, RequestKind, RequestStatus, Secrecy,
};
use super::decide::{Env, Target};
use super::lists::ProposerKind;
use super::profile::{ConsultationCase, LapseMeans};
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

    /// The open request of a kind on the row.
    fn asked(&self, kind: RequestKind) -> Option<&Request> {
        self.row()
            .and_then(|row| self.case.open_request(kind, Some(row.id)))
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
        "联名提案（含集体联名）须至少有一位未拒绝的联名人。", "A joint proposal needs at least one co-signer who has not declined.",
        |view| {
            !matches!(view.case.proposal.kind, ProposerKind::Joint | ProposerKind::JointCollective)
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
    /// I10: nobody examines or decides on a proposal he or she signed, or an organisation he or she
    /// speaks for; the absorbed ones are decided on with their main one.
    NOT_A_SIGNER, "not_a_signer", Some("I10"),
        "不得审查或决定本人或本人所代表单位提出、联名的提案。",
        "Nobody examines or decides on a proposal that he or she, or an organisation he or she speaks for, signed.",
        |view| !view.case.is_signed_by(view.actor);
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
    /// Nothing is left of a secret proposal but its refusal.
    NOT_SECRET, "not_secret", Some("I29"),
        "涉密提案只能不予立案，不得再作其他处理。", "A secret proposal can only be refused; nothing else is done with it.",
        |view| view.case.proposal.secrecy != Secrecy::Secret;
    /// From `returned` only once K02 has lapsed.
    REVISION_LAPSED, "revision_lapsed", None,
        "修改期限未满。", "The time for revision has not run out.",
        |view| view.case.proposal.status != ProposalStatus::Returned
            || view.case.lapsed(ClockKind::K02, view.case.proposal.id.cast(), view.env.now);
    /// The invitation waits for an answer and has not run out.
    INVITATION_OPEN, "invitation_open", Some("I17"),
        "联名邀请已答复或已过期。", "The invitation is answered or has run out.",
        |view| {
            // Staff enter the answer of any of them from paper.
            let staff = view.actor.has(Role::CommitteeStaff);
            view.case.open_invitations(view.env.now).any(|proposer| staff || proposer.is(view.actor))
        };
    /// Only joint proposals have co-signers.
    IS_JOINT, "is_joint", None,
        "只有联名提案可以邀请联名人。", "Only a joint proposal has co-signers.",
        |view| matches!(view.case.proposal.kind, ProposerKind::Joint | ProposerKind::JointCollective);
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
        |view| !view.case.lead_signed();
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
            || view.row().is_some_and(|row| view.case.contacted(row.id));
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
    /// I12: what is promised is still ahead when it is signed.
    PROMISES_AHEAD, "promises_ahead", Some("I12"),
        "计划落实事项的时限已过，请先修改答复。", "The date of a promise is past: change the reply first.",
        |view| view.reply().is_some_and(|reply| {
            reply.form.promises.iter().all(|promise| promise.due_on > view.env.today())
        });
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
    /// K09 has lapsed, and the policy takes silence for agreement.
    COUNTERSIGN_LAPSED, "countersign_lapsed", Some("I12"),
        "会签期限未满，或逾期不视为同意。",
        "No time to countersign has run out, or silence is not taken for agreement.",
        |view| view.env.profile.countersign_lapse == LapseMeans::Agreed
            && view.reply().is_some_and(|reply| {
                view.case.lapsed_countersigns(reply.id, view.env.now).next().is_some()
            });
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
    /// Every rater answered every reply of the round, or let the time run out (I22).
    ALL_RATED, "all_rated", Some("I22"),
        "尚有提案者未反馈且未逾期。", "A rater has neither answered nor let the time run out.",
        |view| view.case.raters(view.env.profile.every_signer_rates()).all(|rater| {
            view.case.lapsed(ClockKind::K12, rater.id.cast(), view.env.now)
                || view.case.delivered().all(|reply| {
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
    /// The row is taken as a part of another one only.
    PART, "part_of_another_row", None,
        "仅作为其他操作的一部分发生。", "Happens only as a part of another row.",
        |_| false;
    /// I19: a main proposal stays with those it absorbed.
    NOT_A_MAIN, "not_a_main", Some("I19"),
        "本案已并入其他提案，须先撤销并案。", "Other proposals were merged into this one: unmerge them first.",
        |view| view.case.absorbed.is_empty();
    /// Merge groups have one level.
    HAS_ABSORBED_NONE, "has_absorbed_none", Some("I18"),
        "本案是并案主案，不能再并入他案。", "A main proposal is not absorbed itself.",
        |view| view.case.absorbed.is_empty();
    /// The main proposal is not answered yet.
    MAIN_NOT_ANSWERED, "main_not_answered", Some("I18"),
        "主案已答复，不能再撤销并案。", "The main proposal was answered already.",
        |view| view.case.main.as_ref().is_some_and(|main| !main.delivered && matches!(
            main.status,
            ProposalStatus::Submitted | ProposalStatus::Filed | ProposalStatus::Assigned
        ));
    /// No reply was delivered in any round.
    NO_REPLY_DELIVERED, "no_reply_delivered", None,
        "已有答复送达，不能撤案。", "A reply was delivered already.",
        |view| !view.case.ever_delivered();
    /// Nobody has asked for a withdrawal.
    NO_OPEN_WITHDRAWAL, "no_open_withdrawal", None,
        "已有待决定的撤案申请。", "A withdrawal is asked for already.",
        |view| view.case.open_request(RequestKind::Withdrawal, None).is_none();
    /// A withdrawal waits for its decision.
    WITHDRAWAL_OPEN, "withdrawal_open", None,
        "没有待决定的撤案申请。", "No withdrawal is asked for.",
        |view| view.case.open_request(RequestKind::Withdrawal, None).is_some();
    /// The proposal was opened to others, and the policy knows seconding.
    OPEN_FOR_SECONDING, "open_for_seconding", None,
        "本案未开放附议。", "The proposal is not open for seconding.",
        |view| view.env.profile.seconding_enabled && view.case.proposal.marks.open_for_seconding;
    /// Not a proposer of the case yet.
    NOT_YET_SIGNED, "not_yet_signed", None,
        "已是本案提案者或已被邀请。", "Signs already, or is invited already.",
        |view| view.actor.member.is_some_and(|member| {
            view.case.proposers.iter().all(|proposer| proposer.member != Some(member))
        });
    /// The time of an invitation has run out.
    INVITATION_LAPSED, "invitation_lapsed", Some("I17"),
        "没有过期的联名邀请。", "No invitation has run out.",
        |view| view.case.lapsed_invitations(view.env.now).next().is_some();
    /// What becomes of a refused proposal is still to be done.
    DISPOSITION_OPEN, "disposition_open", None,
        "处置已办理。", "The disposition was carried out already.",
        |view| view.case.proposal.marks.disposed_at.is_none();
    /// The actor has given a form in this round, or for staff anybody has.
    HAS_RATED, "has_rated", Some("I20"),
        "本轮没有可更正的反馈。", "There is no form of this round to correct.",
        |view| {
            let staff = view.actor.has(Role::CommitteeStaff);
            let round = view.case.proposal.round;
            view.case.forms.iter().filter(|form| form.round == round).any(|form| {
                view.case.raters(view.env.profile.every_signer_rates())
                    .any(|one| one.id == form.rater && (staff || one.is(view.actor)))
            })
        };
    /// A further round is allowed.
    ROUNDS_LEFT, "rounds_left", None,
        "重新办理次数已用完，请面商或专门解释。", "No further round is allowed: hold a face-to-face meeting or give a special explanation.",
        |view| u32::try_from(view.case.proposal.round)
            .is_ok_and(|round| round <= view.env.profile.rehandling_max_rounds);
    /// A form asks for another round, the actor's own or for staff anybody's.
    COMPLAINT_OPEN, "complaint_open", None,
        "没有须重新办理的反馈。", "No form asks for another round.",
        |view| {
            let staff = view.actor.has(Role::CommitteeStaff);
            view.case.complaints(&view.env.profile.rehandling_trigger).any(|form| {
                staff || view.case.everybody().any(|one| one.id == form.rater && one.is(view.actor))
            })
        };
    /// Closing condition (c).
    NO_REHANDLING_DUE, "no_rehandling_due", None,
        "有不满意的反馈：须重新办理；重办次数用完的须有面商或专门解释记录；或由提案者书面放弃重办。",
        "A rater is dissatisfied: handle again; with no round left record the face-to-face meeting or special explanation; or the rater gives it up in writing.",
        |view| {
            let profile = view.env.profile;
            let round = view.case.proposal.round;
            let used = u32::try_from(round).is_ok_and(|round| round > profile.rehandling_max_rounds);
            let met = view.case.consultations.iter()
                .any(|held| held.round == round && held.form.ends_rehandling());
            (used && met) || view.case.complaints(&profile.rehandling_trigger).next().is_none()
        };
    /// Closing condition (f).
    CONSULTATION_RECORDED, "consultation_recorded", None,
        "该类提案办结前须有协商记录。", "A case of this kind closes only with a consultation on record.",
        |view| !view.env.profile.consultation_required_for.iter().any(|kind| applies(*kind, view.case))
            || !view.case.consultations.is_empty();
    /// Closing condition (g).
    NOTHING_OPEN, "nothing_open", None,
        "尚有未决定的申请。", "A request is not decided yet.",
        |view| view.case.requests.iter().all(|request| request.status != RequestStatus::Open);
    /// Closing condition (g): no instruction waits for its feedback.
    INSTRUCTIONS_ANSWERED, "instructions_answered", None,
        "有领导批示尚未反馈办理情况。", "A leader's instruction waits for its feedback.",
        |view| view.case.unanswered(FollowUpKind::Instruction).next().is_none();
    /// Closing condition (g): no referral waits for its answer.
    REFERRALS_ANSWERED, "referrals_answered", None,
        "转报转办尚未得到答复。", "A referral waits for its answer.",
        |view| view.case.open_referrals().next().is_none();
    /// What another committee may be sent: an open case whose text is there.
    REFERABLE, "referable", Some("I29"),
        "内部、涉密或正文已移除的提案不得转报转办。",
        "A restricted or secret case, or one whose text was removed, is not sent to others.",
        |view| view.case.proposal.secrecy == Secrecy::Open
            && !view.case.proposal.form.situation.trim().is_empty();
    /// A referral waits for its answer.
    REFERRAL_OPEN, "referral_open", None,
        "没有待答复的转报转办。", "No referral waits for its answer.",
        |view| view.case.open_referrals().next().is_some();
    /// A referral to a body outside of this service waits for its answer.
    OUTSIDE_REFERRAL_OPEN, "outside_referral_open", None,
        "没有待登记答复的系统外转报转办。", "No referral to a body outside of this service waits for its answer.",
        |view| view.case.open_referrals().any(|one| one.committee.is_none());
    /// The case is tracked.
    TRACKED, "tracked", Some("I27"),
        "本案未列入跟踪办理。", "The case is not tracked.",
        |view| view.case.tracked_since.is_some();
    /// The case is not tracked yet.
    NOT_TRACKED, "not_tracked", None,
        "本案已在跟踪办理中。", "The case is tracked already.",
        |view| view.case.tracked_since.is_none();
    /// A promise is open.
    PROMISE_OPEN, "promise_open", Some("I27"),
        "没有未落实的承诺事项。", "No promise is open.",
        |view| view.case.open_promises().next().is_some();
    /// A closed case is urged only while it is tracked.
    TRACKED_IF_CLOSED, "tracked_if_closed", None,
        "已办结的提案仅在跟踪办理中可催办。", "A closed case is urged only while it is tracked.",
        |view| view.case.proposal.status != ProposalStatus::Closed
            || view.case.tracked_since.is_some();
    /// Somebody owes something that can be urged.
    SOMETHING_OWED, "something_owed", None,
        "本案没有待催办的事项。", "Nobody owes anything on this case.",
        |view| !super::follow_up::debtors(view.case, view.env.profile).is_empty();
    /// An urging waits for the actor's answer.
    URGED, "urged", None,
        "没有待答复的催办。", "No urging waits for your answer.",
        |view| view.case.unanswered(FollowUpKind::Urging)
            .any(|entry| view.case.asks(entry, view.actor));
    /// An instruction waits for feedback of the actor's unit.
    INSTRUCTED, "instructed", None,
        "没有待反馈的批示。", "No instruction waits for your unit's feedback.",
        |view| view.case.unanswered(FollowUpKind::Instruction)
            .any(|entry| view.case.asks(entry, view.actor));
    /// Promises are open, or the yearly look-back is due.
    LOOK_BACK_DUE, "look_back_due", None,
        "没有未落实的承诺事项，也没有待办的回头看。", "No promise is open and no look-back is due.",
        |view| view.case.open_promises().next().is_some()
            || view.case.running(ClockKind::K16, view.case.proposal.id.cast()).is_some();
    /// K16: a promise from before this year is open, and no look-back of this year was opened
    /// or is owed still.
    LOOK_BACK_OPENS, "look_back_opens", None,
        "没有跨年未落实的承诺事项，或本年回头看已启动。",
        "No promise of an earlier year is open, or the look-back of this year was opened already.",
        |view| super::follow_up::look_back_opens(view.case, view.env.now);
    /// Nothing is owed except tracking.
    NOTHING_OWED, "nothing_owed", None,
        "尚有未决定的申请或未办理的处置。", "A request is open, or the disposition is not carried out.",
        |view| view.case.requests.iter().all(|request| request.status != RequestStatus::Open)
            && (view.case.proposal.status != ProposalStatus::NotFiled
                || view.case.proposal.marks.disposed_at.is_some());
    /// Not in the archive yet.
    NOT_ARCHIVED, "not_archived", None,
        "已归档。", "It is in the archive already.",
        |view| view.case.proposal.marks.archived_at.is_none();
    /// One suggestion at a time.
    NO_OPEN_SUGGESTION, "no_open_suggestion", None,
        "本单位已有待答复的建议。", "The unit's suggestion is not answered yet.",
        |view| view.asked(RequestKind::Units).is_none();
    /// A suggestion waits for its answer.
    SUGGESTION_OPEN, "suggestion_open", None,
        "没有待答复的单位建议。", "The unit suggests nothing at present.",
        |view| view.asked(RequestKind::Units).is_some();
    /// I9: after rejection, deemed acceptance, final arbitration or carry-over nothing is returned.
    ROW_RETURNABLE, "row_returnable", Some("I9"),
        "该承办关系不得再申退。", "This row can no longer be returned.",
        |view| view.row().is_some_and(|row| row.returnable);
    /// The window to ask for a return runs, or has lapsed without effect.
    RETURN_WINDOW_OPEN, "return_window_open", Some("I9"),
        "申退期已过。", "The window for returning has run out.",
        |view| view.row().is_some_and(|row| {
            let running = view.case.running(ClockKind::K05, row.id.cast()).is_some();
            let lapsed = view.case.lapsed(ClockKind::K05, row.id.cast(), view.env.now);
            running && (!lapsed
                || (row.status == AssignmentStatus::Pending && !view.env.profile.return_late_accepted))
        });
    /// The window has lapsed, and the policy takes silence for acceptance.
    RETURN_WINDOW_LAPSED, "return_window_lapsed", Some("I9"),
        "申退期未满。", "The window for returning has not run out.",
        |view| view.env.profile.return_late_accepted
            && view.row().is_some_and(|row| {
                row.role != AssignmentRole::Reference
                    && view.case.lapsed(ClockKind::K05, row.id.cast(), view.env.now)
            });
    /// AT17: the rows that stay fit the kind of handling.
    WHOLE_WITHOUT_ROW, "whole_without_row", Some("I4"),
        "其余承办单位须仍符合办理方式（请用调整承办单位）。",
        "The other units must still make a whole of the kind of handling: adjust the units instead.",
        |view| view.row().is_some_and(|row| super::units::whole_without(view.case, row.id));
    /// The dispute was not carried further up yet.
    NOT_ESCALATED, "not_escalated", None,
        "争议已提请裁定。", "The dispute was escalated already.",
        |view| view.asked(RequestKind::Return).is_some_and(|request| !request.escalated);
    /// A contact of the unit is on record.
    CONTACT_ON_RECORD, "contact_on_record", None,
        "该单位没有沟通记录。", "The unit has recorded no contact.",
        |view| view.row().is_some_and(|row| view.case.contacted(row.id));
    /// The time for the opinion has run out.
    OPINION_LAPSED, "opinion_lapsed", None,
        "会办意见期限未满。", "The time for the opinion has not run out.",
        |view| view.row().is_some_and(|row| {
            row.opinions == 0 && !row.opinion_missing
                && view.case.lapsed(ClockKind::K08, row.id.cast(), view.env.now)
        });
    /// The due date is not past.
    DUE_DATE_AHEAD, "due_date_ahead", None,
        "期限已过，或没有可延期的期限。", "The due date is past, or there is none to move.",
        |view| view.row().and_then(|row| super::extension::clock_of(view.case, row.id))
            .is_some_and(|clock| view.env.now <= clock.due_at);
    /// One request at a time.
    NO_OPEN_EXTENSION, "no_open_extension", None,
        "已有待决定的延期申请。", "An extension is asked for already.",
        |view| view.asked(RequestKind::Extension).is_none();
    /// An extension waits for its decision.
    EXTENSION_OPEN, "extension_open", None,
        "没有待决定的延期申请。", "No extension is asked for.",
        |view| view.asked(RequestKind::Extension).is_some();
    /// One request at a time.
    NO_OPEN_PAUSE, "no_open_pause", None,
        "已有待决定的中止申请。", "A pause is asked for already.",
        |view| view.asked(RequestKind::Pause).is_none();
    /// A pause waits for its decision.
    PAUSE_OPEN, "pause_open", None,
        "没有待决定的中止申请。", "No pause is asked for.",
        |view| view.asked(RequestKind::Pause).is_some();
    /// The clock is not paused already.
    NO_PAUSE_RUNNING, "no_pause_running", None,
        "期限已在中止中。", "The clock is paused already.",
        |view| view.row().is_some_and(|row| super::extension::pause_running(view.case, row.id).is_none());
    /// The clock is paused.
    PAUSE_RUNNING, "pause_running", None,
        "期限未中止。", "The clock is not paused.",
        |view| view.row().is_some_and(|row| super::extension::pause_running(view.case, row.id).is_some());
    /// The agreed end of the pause has come.
    PAUSE_ENDED, "pause_ended", None,
        "中止期未满。", "The agreed end of the pause has not come.",
        |view| view.row().is_some_and(|row| super::extension::pause_running(view.case, row.id)
            .is_some_and(|until| until <= view.env.today()));
    /// Something changed since the review rejected the text.
    CHANGED_SINCE_REJECTION, "changed_since_rejection", None,
        "驳回后尚未修改。", "Nothing was changed since the review rejected the text.",
        |view| view.reply().is_some_and(|reply| {
            reply.rejected_hash.as_deref() != Some(reply.content_hash.as_str())
        });
    /// A countersignature is missing or refused.
    COUNTERSIGN_DISPUTED, "countersign_disputed", None,
        "没有缺失或不同意的会签。", "No countersignature is missing or refused.",
        |view| view.reply().is_some_and(|reply| {
            reply.status == ReplyStatus::Countersigning
                || view.case.last_countersigns(reply.id)
                    .any(|request| request.status == CountersignStatus::Object)
        });
    /// Not in the urgent lane.
    NOT_URGENT, "not_urgent", None,
        "已是急办提案。", "It is urgent already.",
        |view| view.case.proposal.urgency == super::codes::Urgency::Normal;
    /// In the urgent lane.
    IS_URGENT, "is_urgent", None,
        "不是急办提案。", "It is not urgent.",
        |view| view.case.proposal.urgency == super::codes::Urgency::Urgent;
    /// One request at a time.
    NO_OPEN_URGENCY, "no_open_urgency", None,
        "已有待决定的急办申请。", "Urgent handling is asked for already.",
        |view| view.case.open_request(RequestKind::Urgency, None).is_none();
    /// Urgent handling waits for its decision.
    URGENCY_REQUESTED, "urgency_requested", None,
        "没有待决定的急办申请。", "Urgent handling is not asked for.",
        |view| view.case.open_request(RequestKind::Urgency, None).is_some();
    /// One nomination at a time.
    NO_OPEN_NOMINATION, "no_open_nomination", None,
        "已有待决定的推荐。", "It is nominated already.",
        |view| view.case.open_request(RequestKind::Key, None).is_none();
    /// A closed case only while it still owes something.
    KEY_OPEN, "key_open", None,
        "已办结且无未落实事项的提案不再列入。", "A closed case is taken only while a promise is open.",
        |view| view.case.proposal.status != ProposalStatus::Closed
            || view.case.promises.iter().any(|promise| promise.status == super::codes::PromiseStatus::Open);
    /// Nominated for the programme, or in it.
    IN_PROGRAMME, "in_programme", None,
        "未列入也未被推荐。", "It is neither in the programme nor nominated.",
        |view| view.case.proposal.marks.tier.is_some()
            || view.case.open_request(RequestKind::Key, None).is_some();
    /// Nothing restricted or secret is published.
    CASE_OPEN, "case_open", Some("I30"),
        "内部、涉密提案不得公开。", "A restricted or secret case is not published.",
        |view| view.case.proposal.secrecy == Secrecy::Open;
    /// A part is published.
    PUBLISHED, "published", None,
        "没有已公开的部分。", "No part is published.",
        |view| {
            let marks = &view.case.proposal.marks;
            marks.published_text.is_some() || marks.published_replies.is_some()
        };
    /// Reviewed for publication.
    PUBLICATION_REVIEWED, "publication_reviewed", Some("I30"),
        "须先进行公开审核。", "The publication must be reviewed first.",
        |view| view.case.proposal.marks.publish_text.is_some();
}

fn applies(kind: ConsultationCase, case: &Case) -> bool {
    let proposal = &case.proposal;
    match kind {
        ConsultationCase::No1 => proposal.marks.tier == Some(ProgrammeTier::No1),
        ConsultationCase::Key => proposal.marks.tier == Some(ProgrammeTier::Key),
        ConsultationCase::Practical => proposal.marks.tier == Some(ProgrammeTier::Practical),
        ConsultationCase::Urgent => proposal.urgency == super::codes::Urgency::Urgent,
        ConsultationCase::Collective => proposal.kind.is_collective(),
    }
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
    if reply.is_coordinated() {
        return true;
    }
    // From a draft only a coordination decision leads to the signature: earlier answers lapsed.
    if reply.status != ReplyStatus::Countersigning {
        return false;
    }
    let agreed: BTreeSet<_> = view
        .case
        .last_countersigns(reply.id)
        .filter(|request| request.content_hash == reply.content_hash)
        .filter(|request| match request.status {
            CountersignStatus::Agree
            | CountersignStatus::AgreeWithRemarks
            | CountersignStatus::Lapsed => true,
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
