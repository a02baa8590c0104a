//! Effects of the rows by which proposers act: PT01–PT09.

use serde_json::json;

use super::attachments::{self, Binding, BoundKind};
use super::case::{Case, Marks, Proposal, Proposer, Session};
use super::codes::{
    CaseSeries, ClockKind, ConsentStatus, ProposerRole, Secrecy, SessionMark, Urgency,
};
use super::decide::{Decision, Env, Happened, MemberFacts, Number, Record, Step, Target};
use super::examination::required;
use super::guard;
use super::input::{CosignIn, Input, ProposalForm, ProposalIn};
use super::lists::ProposerKind;
use super::profile::DropUnsigned;
use super::proposal::ProposalStatus;
use super::refusal::Refusal;
use super::role::{Actor, Role};
use super::rule::{State, Who};
use crate::ids::{CommitteeId, MemberId, OrganisationId, ProposerId};

/// Who a new proposal is from, as the registers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A member.
    Member(MemberId, MemberFacts),
    /// A collective: name and kind of the organisation, and whether it is active.
    Organisation {
        /// The organisation.
        id: OrganisationId,
        /// Its name.
        name: String,
        /// Its kind.
        kind: ProposerKind,
        /// May propose.
        active: bool,
    },
}

/// PT01: a new case. There is no case yet to decide on, so this row has a door of its own.
pub fn begin(
    committee: CommitteeId,
    session: Session,
    actor: &Actor,
    input: &ProposalIn,
    origin: &Origin,
    env: Env<'_>,
) -> Result<Decision, Refusal> {
    let who = entitled_to_begin(actor, origin)?;
    check_origin(input, origin)?;
    if who == Who::Staff && input.form.paper_reference.is_none() {
        return Err(Refusal::invalid(
            "/form/paper_reference",
            "required",
            "代录入时须注明纸质原件或扫描件。",
            "Entering for somebody else needs the reference of the paper.",
        ));
    }
    check_units(&input.form, "/form", env)?;
    attachments::none_yet(&input.form.attachment_ids, "/form")?;
    let Some(user) = actor.user else {
        return Err(Refusal::NotAllowed {
            needs: vec![Who::AnyMember],
        });
    };
    let proposal = Proposal {
        committee,
        id: env.id(),
        version: 1,
        kind: input.kind,
        status: ProposalStatus::Draft,
        status_since: env.now,
        round: 1,
        serial_no: None,
        case_no: None,
        case_series: CaseSeries::Main,
        session_mark: None,
        form: input.form.clone(),
        text_version: 1,
        submitted_version: 0,
        submission_no: 0,
        subject_class: None,
        assigning_line: None,
        handling_kind: None,
        secrecy: Secrecy::Open,
        urgency: Urgency::Normal,
        profile_version: env.profile.version,
        organisation: match origin {
            Origin::Organisation { id, .. } => Some(*id),
            Origin::Member(..) => None,
        },
        created_by: user,
        filed_at: None,
        marks: Marks {
            open_for_seconding: opened(&input.form, env),
            ..Marks::default()
        },
        created_at: env.now,
        updated_at: env.now,
    };
    let case = Case {
        proposers: vec![first_proposer(origin, env)],
        proposal,
        session,
        opinions: Vec::new(),
        assignments: Vec::new(),
        contacts: Vec::new(),
        replies: Vec::new(),
        countersigns: Vec::new(),
        forms: Vec::new(),
        promises: Vec::new(),
        tracked_since: None,
        requests: Vec::new(),
        consultations: Vec::new(),
        follow_ups: Vec::new(),
        referrals: Vec::new(),
        absorbed: Vec::new(),
        main: None,
        clocks: Vec::new(),
    };
    let without_text = ProposalIn {
        form: input.form.without_text(),
        ..input.clone()
    };
    let happened = Happened {
        rule: "PT01",
        event: "proposal.created",
        by_system: false,
        role: who.role(),
        target: Target::Proposal,
        from: State::Start,
        to: State::Proposal(ProposalStatus::Draft),
        input: serde_json::to_value(without_text).unwrap_or_default(),
        other: None,
    };
    let records = vec![Record::ProposalText {
        version: 1,
        form: input.form.clone(),
    }];
    Ok(Decision {
        case,
        records,
        numbers: Vec::new(),
        happened: vec![happened],
        made: None,
    })
}

/// 可否附议: members see and join the proposal before it is filed. The proposer's wish counts only
/// where the policy knows seconding.
const fn opened(form: &ProposalForm, env: Env<'_>) -> bool {
    form.open_for_seconding && env.profile.seconding_enabled
}

fn entitled_to_begin(actor: &Actor, origin: &Origin) -> Result<Who, Refusal> {
    let own = match origin {
        Origin::Member(member, _) => {
            (actor.has(Role::Member) && actor.member == Some(*member)).then_some(Who::AnyMember)
        }
        Origin::Organisation { id, .. } => actor
            .organisations()
            .any(|organisation| organisation == *id)
            .then_some(Who::AnyClerk),
    };
    let proxy = actor.has(Role::CommitteeStaff).then_some(Who::Staff);
    own.or(proxy).ok_or_else(|| Refusal::NotAllowed {
        needs: vec![Who::AnyMember, Who::AnyClerk, Who::Staff],
    })
}

fn check_origin(input: &ProposalIn, origin: &Origin) -> Result<(), Refusal> {
    let mismatch = || {
        Refusal::invalid(
            "/kind",
            "mismatch",
            "提案者性质与提案者不符。",
            "The kind does not fit the proposer.",
        )
    };
    match origin {
        Origin::Member(_, facts) if !facts.current => Err(Refusal::unmet(
            "current_member",
            Some("I10"),
            "提案者不是本届在任委员。",
            "The proposer is not a member of the present term.",
        )),
        Origin::Member(..) if input.kind.is_collective() => Err(mismatch()),
        Origin::Member(..) => Ok(()),
        Origin::Organisation { active: false, .. } => Err(Refusal::unmet(
            "organisation_active",
            Some("I10"),
            "该组织已停用。",
            "The organisation is not active.",
        )),
        Origin::Organisation { kind, .. }
            if input.kind == *kind || input.kind == ProposerKind::JointCollective =>
        {
            Ok(())
        }
        Origin::Organisation { .. } => Err(mismatch()),
    }
}

fn first_proposer(origin: &Origin, env: Env<'_>) -> Proposer {
    let (member, organisation, name, sector, party, member_no) = match origin {
        Origin::Member(id, facts) => (
            Some(*id),
            None,
            facts.name.clone(),
            Some(facts.sector.clone()),
            facts.party.clone(),
            Some(facts.member_no.clone()),
        ),
        Origin::Organisation { id, name, .. } => (None, Some(*id), name.clone(), None, None, None),
    };
    Proposer {
        id: env.id(),
        position: 1,
        role: ProposerRole::First,
        status: ConsentStatus::Consented,
        member,
        organisation,
        name,
        sector,
        party,
        member_no,
        consented_version: Some(1),
        comment: None,
        decided_at: Some(env.now),
        excused: None,
        waived_round: None,
    }
}

/// The wished-for units must exist and be active.
fn check_units(form: &ProposalForm, base: &str, env: Env<'_>) -> Result<(), Refusal> {
    let known = |unit| {
        env.references
            .units
            .get(unit)
            .is_some_and(|facts| facts.active)
    };
    let unknown = |pointer: String| {
        Refusal::invalid(
            pointer,
            "unknown_unit",
            "没有这个在用的承办单位。",
            "There is no such active unit.",
        )
    };
    if form
        .suggested_lead
        .as_ref()
        .is_some_and(|unit| !known(unit))
    {
        return Err(unknown(format!("{base}/suggested_lead")));
    }
    match form
        .suggested_co_handlers
        .iter()
        .position(|unit| !known(unit))
    {
        Some(index) => Err(unknown(format!("{base}/suggested_co_handlers/{index}"))),
        None => Ok(()),
    }
}

/// PT02: a new version; consents on older text become stale.
pub fn edit(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Edit(form) = input else {
        return Err(mismatched());
    };
    check_units(form, "", step.env)?;
    let binding = Binding::to(BoundKind::ProposalText, step.subject());
    attachments::attach(step, &form.attachment_ids, binding)?;
    let text_changed = !form.parts().eq(step.case.proposal.form.parts())
        || form.attachment_ids != step.case.proposal.form.attachment_ids
        || form.title != step.case.proposal.form.title;
    if step.who == Who::Proxy && form.paper_reference.is_none() {
        return Err(Refusal::invalid(
            "/paper_reference",
            "required",
            "代录入的提案须保留纸质原件编号。",
            "A proposal entered from paper keeps the reference of the paper.",
        ));
    }
    if **form == step.case.proposal.form {
        return Ok(()); // the same again is no new version, and no change since a return
    }
    let version = step.case.proposal.text_version + 1;
    step.case.proposal.text_version = version;
    step.case.proposal.form = (**form).clone();
    step.case.proposal.marks.open_for_seconding = opened(form, step.env);
    step.records.push(Record::ProposalText {
        version,
        form: (**form).clone(),
    });
    if text_changed && step.env.profile.cosign_reset_on_edit {
        let stale: Vec<_> = step
            .case
            .proposers
            .iter_mut()
            .filter(|proposer| {
                proposer.role == ProposerRole::Cosigner
                    && proposer.status == ConsentStatus::Consented
            })
            .map(|proposer| {
                proposer.status = ConsentStatus::Stale;
                proposer.id
            })
            .collect();
        for id in stale {
            start_cosign(step, id);
        }
    }
    Ok(())
}

/// K01.
pub fn start_cosign(step: &mut Step<'_>, id: crate::ids::ProposerId) {
    let in_session = step.case.session.is_open(step.env.now);
    let profile = step.env.profile;
    let limit = if in_session {
        profile.cosign_in_session
    } else {
        profile.cosign_ordinary
    };
    step.start(ClockKind::K01, id.cast(), limit);
}

/// PT03: invitations to current members, or of a joint collective to active organisations; not to
/// the first proposer, and none while one is open. Who declined, let it run out or was dropped
/// at an earlier submission is asked again.
pub fn invite(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Invite(input) = input else {
        return Err(mismatched());
    };
    let collective = step.case.proposal.kind == ProposerKind::JointCollective;
    let (wrong, right) = if collective {
        (input.member_ids.len(), input.organisation_ids.len())
    } else {
        (input.organisation_ids.len(), input.member_ids.len())
    };
    let (own, other) = if collective {
        ("/organisation_ids", "/member_ids")
    } else {
        ("/member_ids", "/organisation_ids")
    };
    if right == 0 {
        return Err(required(own));
    }
    if wrong > 0 {
        return Err(Refusal::invalid(
            other,
            "mismatch",
            "委员联名邀请委员，集体联名邀请单位。",
            "Members are invited to a joint proposal, organisations to a joint collective one.",
        ));
    }
    for (index, member) in input.member_ids.iter().enumerate() {
        let facts = step.env.references.members.get(member);
        let facts = facts.filter(|facts| facts.current).cloned();
        let pointer = format!("/member_ids/{index}");
        let Some(facts) = facts else {
            return Err(Refusal::invalid(
                pointer,
                "unknown_member",
                "没有这位本届在任委员。",
                "There is no such member of the present term.",
            ));
        };
        let invited = Proposer {
            member: Some(*member),
            name: facts.name,
            sector: Some(facts.sector),
            party: facts.party,
            member_no: Some(facts.member_no),
            ..invitation(step)
        };
        add_invitation(step, invited, &pointer)?;
    }
    for (index, organisation) in input.organisation_ids.iter().enumerate() {
        let facts = step.env.references.organisations.get(organisation);
        let facts = facts.filter(|facts| facts.active).cloned();
        let pointer = format!("/organisation_ids/{index}");
        let Some(facts) = facts else {
            return Err(Refusal::invalid(
                pointer,
                "unknown_organisation",
                "没有这个在用的单位。",
                "There is no such active organisation.",
            ));
        };
        let invited = Proposer {
            organisation: Some(*organisation),
            name: facts.name,
            ..invitation(step)
        };
        add_invitation(step, invited, &pointer)?;
    }
    Ok(())
}

/// An invitation to nobody yet.
fn invitation(step: &Step<'_>) -> Proposer {
    let last = step.case.proposers.iter().map(|one| one.position).max();
    Proposer {
        id: step.env.id(),
        position: last.unwrap_or(0) + 1,
        role: ProposerRole::Cosigner,
        status: ConsentStatus::Invited,
        member: None,
        organisation: None,
        name: String::new(),
        sector: None,
        party: None,
        member_no: None,
        consented_version: None,
        comment: None,
        decided_at: None,
        excused: None,
        waived_round: None,
    }
}

fn add_invitation(step: &mut Step<'_>, invited: Proposer, pointer: &str) -> Result<(), Refusal> {
    let known = step.case.proposers.iter_mut().find(|one| {
        (one.member.is_some() && one.member == invited.member)
            || (one.organisation.is_some() && one.organisation == invited.organisation)
    });
    let id = match known {
        None => {
            let id = invited.id;
            step.case.proposers.push(invited);
            id
        }
        Some(known)
            if matches!(
                known.status,
                ConsentStatus::Declined | ConsentStatus::Expired | ConsentStatus::Dropped
            ) =>
        {
            known.status = ConsentStatus::Invited;
            known.consented_version = None;
            known.decided_at = None;
            known.comment = None;
            known.id
        }
        Some(_) => {
            return Err(Refusal::invalid(
                pointer,
                "duplicate",
                "已是提案者或已被邀请。",
                "Signs already, or is invited already.",
            ));
        }
    };
    start_cosign(step, id);
    Ok(())
}

/// `PT04b`: a member joins an opened proposal uninvited.
pub fn second(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Cosign(input) = input else {
        return Err(mismatched());
    };
    let facts = step
        .actor
        .member
        .and_then(|member| Some((member, step.env.references.members.get(&member)?.clone())))
        .filter(|(_, facts)| facts.current);
    let Some((member, facts)) = facts else {
        return Err(Refusal::unmet(
            "current_member",
            Some("I10"),
            "附议人不是本届在任委员。",
            "Only a member of the present term seconds a proposal.",
        ));
    };
    let version = step.case.proposal.text_version;
    let seconder = Proposer {
        role: ProposerRole::Seconder,
        status: ConsentStatus::Consented,
        member: Some(member),
        name: facts.name,
        sector: Some(facts.sector),
        party: facts.party,
        member_no: Some(facts.member_no),
        consented_version: Some(version),
        comment: input.comment.clone(),
        decided_at: Some(step.env.now),
        ..invitation(step)
    };
    step.case.proposers.push(seconder);
    Ok(())
}

/// `PT05b`: invitations whose time ran out.
#[expect(clippy::unnecessary_wraps, reason = "every effect has the same form")]
pub fn expire(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let now = step.env.now;
    let lapsed: Vec<_> = step
        .case
        .lapsed_invitations(now)
        .map(|one| one.id)
        .collect();
    for id in lapsed {
        if let Some(proposer) = step.proposer_mut(id) {
            proposer.status = ConsentStatus::Expired;
        }
        step.stop(&[ClockKind::K01], Some(id.cast()));
    }
    Ok(())
}

/// PT04: consent, bound to the present text (I17).
pub fn consent(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    answer_invitation(step, input, ConsentStatus::Consented)
}

/// PT05: no.
pub fn decline(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    answer_invitation(step, input, ConsentStatus::Declined)
}

fn answer_invitation(
    step: &mut Step<'_>,
    input: &Input,
    answer: ConsentStatus,
) -> Result<(), Refusal> {
    let Input::Cosign(input) = input else {
        return Err(mismatched());
    };
    if answer == ConsentStatus::Consented
        && step.env.profile.cosign_comment_required
        && input.comment.is_none()
    {
        return Err(Refusal::invalid(
            "/comment",
            "required",
            "同意联名须填写意见。",
            "Consent needs an opinion.",
        ));
    }
    let (now, version) = (step.env.now, step.case.proposal.text_version);
    let id = match input.proposer_id {
        Some(id) if step.actor.has(Role::CommitteeStaff) => {
            step.who = Who::Staff;
            on_paper(step, id, input, answer)?
        }
        named => own_invitation(step, named)?,
    };
    let Some(proposer) = step.proposer_mut(id) else {
        return Err(mismatched());
    };
    let subject = proposer.id.cast();
    proposer.status = answer;
    proposer.comment.clone_from(&input.comment);
    proposer.decided_at = Some(now);
    proposer.consented_version = (answer == ConsentStatus::Consented).then_some(version);
    step.stop(&[ClockKind::K01], Some(subject));
    let binding = Binding::to(BoundKind::Consent, subject);
    attachments::attach(step, &input.attachment_ids, binding)?;
    Ok(())
}

/// The actor's own open invitation.
fn own_invitation(step: &Step<'_>, named: Option<ProposerId>) -> Result<ProposerId, Refusal> {
    let mut open = step.case.open_invitations(step.env.now);
    let own = open.find(|one| one.is(step.actor) && named.is_none_or(|named| named == one.id));
    match own {
        Some(own) => Ok(own.id),
        // Only staff can come here without an invitation of their own.
        None if named.is_none() => Err(required("/proposer_id")),
        None => Err(Refusal::invalid(
            "/proposer_id",
            "not_own",
            "不能代他人答复联名邀请。",
            "Nobody but staff answers an invitation to somebody else.",
        )),
    }
}

/// The invitation whose answer staff enter from paper, with its scan.
fn on_paper(
    step: &Step<'_>,
    id: ProposerId,
    input: &CosignIn,
    answer: ConsentStatus,
) -> Result<ProposerId, Refusal> {
    let mut invited = step.case.proposers.iter();
    let invited = invited.find(|one| one.id == id && one.role == ProposerRole::Cosigner);
    let Some(invited) = invited else {
        return Err(Refusal::invalid(
            "/proposer_id",
            "unknown_invitee",
            "本案没有邀请此联名人。",
            "The case asked no such co-signer.",
        ));
    };
    let mut open = step.case.open_invitations(step.env.now);
    if !open.any(|one| one.id == id) {
        let (zh, en) = guard::INVITATION_OPEN.message;
        return Err(Refusal::unmet("invitation_open", Some("I17"), zh, en));
    }
    if input.attachment_ids.is_empty() {
        return Err(Refusal::invalid(
            "/attachment_ids",
            "scan_required",
            "代录入的联名答复须附纸质件扫描件。",
            "An answer entered from paper needs its scan.",
        ));
    }
    // Who examined the proposal does not sign it, on paper either.
    let accounts = invited
        .member
        .and_then(|member| step.env.references.members.get(&member))
        .map_or(&[][..], |facts| &facts.accounts);
    let mut opinions = step.case.opinions.iter();
    if answer == ConsentStatus::Consented
        && opinions.any(|opinion| accounts.contains(&opinion.examiner))
    {
        let (zh, en) = guard::NOT_ITS_EXAMINER.message;
        return Err(Refusal::unmet("not_its_examiner", Some("I10"), zh, en));
    }
    Ok(id)
}

/// PT06, PT07: handing in. Serial number and session mark are given once (I3).
#[expect(clippy::unnecessary_wraps, reason = "every effect has the same form")]
pub fn submit(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let env = step.env;
    let open = step.case.session.is_open(env.now);
    let proposal = &mut step.case.proposal;
    if proposal.serial_no.is_none() {
        step.numbers.push(Number::Serial);
    }
    proposal.session_mark.get_or_insert(if open {
        SessionMark::Session
    } else {
        SessionMark::Ordinary
    });
    proposal.submission_no += 1;
    proposal.submitted_version = proposal.text_version;
    step.stop(&[ClockKind::K02], None);
    if env.profile.cosign_drop_unsigned_at == DropUnsigned::Submission {
        drop_unsigned(step);
    }
    start_examination(step);
    Ok(())
}

/// Where the policy has it so, who has not signed by the submission is not asked any longer.
fn drop_unsigned(step: &mut Step<'_>) {
    for proposer in &mut step.case.proposers {
        if matches!(
            proposer.status,
            ConsentStatus::Invited | ConsentStatus::Stale
        ) {
            proposer.status = ConsentStatus::Dropped;
        }
    }
    step.stop(&[ClockKind::K01], None);
}

/// K03.
pub fn start_examination(step: &mut Step<'_>) {
    let (subject, now) = (step.subject(), step.env.now);
    let limit = examination_limit(step, now);
    step.start_on(ClockKind::K03, subject, now, limit);
}

/// K03: to the day of the session record, unless that was past at the start, in working days, or in
/// hours for urgent ones.
pub fn examination_limit(step: &Step<'_>, start: jiff::Timestamp) -> String {
    let (env, proposal) = (step.env, &step.case.proposal);
    let until = step.case.session.examination_until;
    match (proposal.urgency, proposal.session_mark) {
        (Urgency::Urgent, _) => env.profile.examination_urgent.to_string(),
        (Urgency::Normal, Some(SessionMark::Session))
            if super::deadline::local_date(start) <= until =>
        {
            format!("until {until}")
        }
        _ => env.profile.examination_ordinary.to_string(),
    }
}

/// PT08: back to a draft; the serial number is kept.
#[expect(clippy::unnecessary_wraps, reason = "every effect has the same form")]
pub fn recall(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    step.stop(&[ClockKind::K03], None);
    super::units::void_early(step, "PT08");
    Ok(())
}

/// PT09: taken back for good; with a reason once it was submitted.
pub fn withdraw(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Withdraw(input) = input else {
        return Err(mismatched());
    };
    let reason = input.reason.as_deref().unwrap_or_default();
    if step.case.proposal.submission_no > 0 && reason.trim().is_empty() {
        return Err(Refusal::invalid(
            "/reason",
            "required",
            "已提交过的提案撤案须说明理由。",
            "A proposal that was submitted is withdrawn with a reason.",
        ));
    }
    if !input.attachment_ids.is_empty() {
        return Err(Refusal::invalid(
            "/attachment_ids",
            "no_request",
            "立案前直接撤案，不附附件。",
            "Before the filing the proposal is withdrawn at once: there is no request that files could go with.",
        ));
    }
    step.stop(&[ClockKind::K01, ClockKind::K02, ClockKind::K03], None);
    super::units::void_early(step, "PT09");
    step.record_decision("withdraw", json!({ "reason": input.reason }));
    Ok(())
}

/// The input is not the one of this action: a fault of the program, shown as an empty refusal.
pub fn mismatched() -> Refusal {
    Refusal::invalid(
        "",
        "mismatch",
        "请求内容与操作不符。",
        "The body is not the one of this action.",
    )
}
