//! The engine: permission → state → guards → effect → the system's own rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::attachments::{AttachmentFacts, Binding};
use super::calendar::Calendar;
use super::case::{Before, Case, Proposer};
use super::codes::{AssignmentRole, FollowUpKind, LinkKind, Secrecy};
use super::deadline;
use super::guard::View;
use super::input::{Input, NoInput, ProposalForm, ReplyForm};
use super::lists::SystemLine;
use super::profile::Profile;
use super::proposal::ProposalStatus;
use super::reasons::{ReasonCode, ReasonFacts};
use super::recount;
use super::referral::Sent;
use super::refusal::{Refusal, Unmet};
use super::role::{Actor, Role};
use super::rule::{Action, Cause, Machine, Rule, State, To, Who, rules, rules_of};
use super::wake;
use crate::ids::{
    AssignmentId, AttachmentId, CommitteeId, ConsultationId, ContactId, DecisionId, FollowUpId, Id,
    IdKind, MemberId, OrganisationId, ProposalId, ReferralId, ReplyId, SessionId, UnitId, UserId,
};

mod step;

/// The thing inside a case that an act is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The proposal.
    Proposal,
    /// A unit's row.
    Assignment(AssignmentId),
    /// A reply.
    Reply(ReplyId),
}

/// Facts of a unit named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFacts {
    /// Name.
    pub name: String,
    /// May get new cases.
    pub active: bool,
    /// Word of its document numbers.
    pub reply_prefix: String,
    /// Units that it took over in a reorganisation.
    pub predecessors: Vec<UnitId>,
    /// Its system.
    pub system_line: SystemLine,
}

/// Facts of a member named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFacts {
    /// Name.
    pub name: String,
    /// 界别.
    pub sector: String,
    /// Party.
    pub party: Option<String>,
    /// Number of the member.
    pub member_no: String,
    /// Member of the term of the case, and active.
    pub current: bool,
    /// Its accounts.
    pub accounts: Vec<UserId>,
}

/// Facts of everything an input names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Units by identifier.
    pub units: BTreeMap<UnitId, UnitFacts>,
    /// Members by identifier.
    pub members: BTreeMap<MemberId, MemberFacts>,
    /// Files by identifier.
    pub attachments: BTreeMap<AttachmentId, AttachmentFacts>,
    /// Organisations by identifier.
    pub organisations: BTreeMap<OrganisationId, OrganisationFacts>,
    /// Other proposals by identifier.
    pub proposals: BTreeMap<ProposalId, ProposalFacts>,
    /// How many cases have the place in the programme that the input names.
    pub designated: u32,
    /// Active committees above and below by identifier.
    pub committees: BTreeMap<CommitteeId, CommitteeFacts>,
    /// Reasons for not filing by code.
    pub reasons: BTreeMap<ReasonCode, ReasonFacts>,
}

/// Facts of an organisation named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationFacts {
    /// Name.
    pub name: String,
    /// May propose.
    pub active: bool,
}

/// Facts of another committee named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeFacts {
    /// Name.
    pub name: String,
    /// It stands above; otherwise below.
    pub above: bool,
}

/// Facts of another proposal named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalFacts {
    /// Status.
    pub status: ProposalStatus,
    /// Session.
    pub session: SessionId,
    /// It is absorbed itself.
    pub absorbed: bool,
    /// 流水号.
    pub serial_no: Option<i32>,
    /// 案号.
    pub case_no: Option<i32>,
    /// 案由.
    pub title: String,
    /// Who may read it.
    pub secrecy: Secrecy,
    /// Who signed it, or was asked to.
    pub proposers: Vec<Proposer>,
}

/// What a decision depends on beside the case.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The moment.
    pub now: Timestamp,
    /// The profile of the case.
    pub profile: &'a Profile,
    /// The calendar.
    pub calendar: &'a Calendar,
    /// Facts of what the input names.
    pub references: &'a References,
    /// Source of identifiers.
    pub ids: fn(Timestamp) -> Uuid,
}

impl Env<'_> {
    /// A new identifier.
    pub fn id<K: IdKind>(&self) -> Id<K> {
        Id::from_uuid((self.ids)(self.now))
    }

    /// Today, in the committee's time zone.
    pub fn today(&self) -> Date {
        deadline::local_date(self.now)
    }
}

/// A record that a decision adds and that no later decision needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A version of the proposer's text.
    ProposalText {
        /// Version.
        version: i32,
        /// The text.
        form: ProposalForm,
    },
    /// The text is removed from every version, the metadata stay (I29).
    HideText,
    /// Reasons for not filing that the case has from now on, so that they stay.
    ReasonsUsed {
        /// Name of the action that gave them.
        act: &'static str,
        /// The reasons, in their order.
        codes: Vec<ReasonCode>,
    },
    /// What an opinion says.
    OpinionText {
        /// The opinion.
        id: crate::ids::OpinionId,
        /// Everything the examiner wrote.
        content: Value,
    },
    /// A decision with its meeting and reasons.
    Decision {
        /// Identifier.
        id: DecisionId,
        /// Name of the action.
        kind: &'static str,
        /// What was decided.
        content: Value,
    },
    /// A file goes with a text from now on.
    Attachment {
        /// The file.
        id: AttachmentId,
        /// The text.
        to: Binding,
    },
    /// A contact with the proposer.
    Contact {
        /// The contact.
        id: ContactId,
        /// The record.
        content: Value,
    },
    /// A version of a co-handler's opinion.
    CoOpinion {
        /// The row.
        assignment: AssignmentId,
        /// Version.
        version: i32,
        /// The opinion.
        content: Value,
    },
    /// A version of a reply's text.
    ReplyText {
        /// The reply.
        reply: ReplyId,
        /// Version.
        version: i32,
        /// The text.
        form: ReplyForm,
        /// Its hash.
        hash: String,
    },
    /// A consultation.
    Consultation {
        /// The consultation.
        id: ConsultationId,
        /// The record.
        content: Value,
    },
    /// The words of an entry of the follow-up.
    FollowUp {
        /// The entry.
        id: FollowUpId,
        /// What was written.
        content: Value,
    },
    /// Another committee of this service gets a copy of the case.
    Referred {
        /// The referral.
        id: ReferralId,
        /// The copy.
        sent: Sent,
    },
    /// A copy that another committee got waits for no answer any more.
    ReferralRecalled {
        /// The referral.
        id: ReferralId,
        /// Why.
        reason: String,
    },
    /// The answer to an urging or an instruction.
    FollowUpAnswer {
        /// The entry.
        id: FollowUpId,
        /// The answer.
        text: String,
    },
    /// The reply reached the proposers of one proposal of the merge group.
    Delivery {
        /// The reply.
        reply: ReplyId,
        /// The proposal, main or absorbed.
        proposal: ProposalId,
    },
    /// This proposal was absorbed.
    Merge {
        /// By which one.
        main: ProposalId,
        /// How it was before.
        before: Before,
        /// Opinion and meeting.
        content: Value,
    },
    /// It goes its own way again.
    Unmerge,
    /// A link to another case.
    Link {
        /// What the link says.
        kind: LinkKind,
        /// The other case.
        other: ProposalId,
        /// Remarks.
        note: Option<String>,
    },
    /// What an opinion form says.
    FormContent {
        /// The reply.
        reply: ReplyId,
        /// The rater.
        rater: crate::ids::ProposerId,
        /// Version.
        version: i32,
        /// Entered by staff from paper.
        by_staff: bool,
        /// Everything the rater wrote.
        content: Value,
    },
}

/// A number to be allotted in the transaction of the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// 流水号.
    Serial,
    /// 案号.
    Case,
    /// 文号 of a reply.
    Document(ReplyId),
}

/// Something that happened, for the audit trail.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The row.
    pub rule: &'static str,
    /// Name of the event.
    pub event: &'static str,
    /// By the system, as a consequence.
    pub by_system: bool,
    /// By which right.
    pub role: Role,
    /// What it was about.
    pub target: Target,
    /// Status before and after.
    pub from: State,
    /// Status after.
    pub to: State,
    /// What was handed in, without the text of a proposal.
    pub input: Value,
    /// Another case that it concerns: the main one of a merge.
    pub other: Option<ProposalId>,
}

/// What an act comes to: data, no effects.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The case afterwards.
    pub case: Case,
    /// Records to add.
    pub records: Vec<Record>,
    /// Numbers to allot.
    pub numbers: Vec<Number>,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// What the act made or was about, where that is not the target.
    pub made: Option<Target>,
}

/// A row at work on a copy of the case.
pub struct Step<'a> {
    /// The case, changed as the step goes on.
    pub case: Case,
    /// Who acts.
    pub actor: &'a Actor,
    /// By which right.
    pub who: Who,
    /// What it is about.
    pub target: Target,
    /// What it depends on.
    pub env: Env<'a>,
    /// Records added.
    pub records: Vec<Record>,
    /// Numbers wanted.
    pub numbers: Vec<Number>,
    /// What the act made.
    pub made: Option<Target>,
    /// Another case that the act concerns.
    pub other: Option<ProposalId>,
    /// Rows that are part of this one.
    parts: Vec<Happened>,
}

/// Decides an act. Nothing is changed if it is refused.
pub fn decide(
    case: &Case,
    actor: &Actor,
    target: Target,
    action: Action,
    input: &Input,
    env: Env<'_>,
) -> Result<Decision, Refusal> {
    let mut step = Step::on(case, actor, Who::System, target, env);
    let mut happened = Vec::new();
    settle(&mut step, &mut happened)?;
    let (rule, who) = find_rule(&step.case, actor, target, action)?;
    check_guards(rule, &step.case, actor, target, env)?;
    step.who = who;
    apply(&mut step, rule, input, &mut happened)?;
    settle(&mut step, &mut happened)?;
    let Step {
        case: after,
        records,
        numbers,
        made,
        ..
    } = step;
    Ok(Decision {
        case: finish(case, after, env),
        records,
        numbers,
        happened,
        made,
    })
}

/// What time alone has done to the case by now: invitations that ran out, rows that are deemed
/// accepted, feedback that is concluded. The same rows run before every act, so what is shown is
/// what the next act starts from.
pub fn catch_up(case: &Case, env: Env<'_>) -> Case {
    let system = Actor::system();
    if !recount::is_outdated(case, env.calendar) && due(case, &system, env).is_none() {
        return case.clone();
    }
    let mut step = Step::on(case, &system, Who::System, Target::Proposal, env);
    let mut happened = Vec::new();
    // A system row that refuses would be a fault of the tables; the case is shown as stored then.
    match settle(&mut step, &mut happened) {
        Ok(()) if !happened.is_empty() => finish(case, step.case, env),
        // Counted with another calendar, to the same days.
        Ok(()) => step.case,
        Err(_) => case.clone(),
    }
}

/// Whether time alone, or a new calendar, has done something to the case that is not written yet.
pub fn owes(case: &Case, env: Env<'_>) -> bool {
    recount::moves_a_clock(case, env.calendar) || due(case, &Actor::system(), env).is_some()
}

/// The time-driven and derived rows alone, as an act of the system.
pub fn settled(case: &Case, env: Env<'_>) -> Result<Decision, Refusal> {
    consequence(case, env, |_| Ok(()))
}

/// What follows for the case from something outside it, by the system, between its own rows: a
/// unit ends and another one takes over.
pub fn consequence(
    case: &Case,
    env: Env<'_>,
    change: impl FnOnce(&mut Step<'_>) -> Result<(), Refusal>,
) -> Result<Decision, Refusal> {
    let system = Actor::system();
    let mut step = Step::on(case, &system, Who::System, Target::Proposal, env);
    let mut happened = Vec::new();
    settle(&mut step, &mut happened)?;
    change(&mut step)?;
    happened.append(&mut step.parts);
    settle(&mut step, &mut happened)?;
    Ok(Decision {
        case: finish(case, step.case, env),
        records: step.records,
        numbers: step.numbers,
        happened,
        made: None,
    })
}

/// Whether the actor has any right to the action on this target, whatever the state.
pub fn entitled(case: &Case, actor: &Actor, target: Target, action: Action) -> Result<(), Refusal> {
    let mut needs = Vec::new();
    for rule in rules_of(action) {
        for who in rule.who {
            if holds(*who, case, actor, target) {
                return Ok(());
            }
            needs.push(*who);
        }
    }
    needs.sort_unstable();
    needs.dedup();
    Err(Refusal::NotAllowed { needs })
}

fn find_rule(
    case: &Case,
    actor: &Actor,
    target: Target,
    action: Action,
) -> Result<(&'static Rule, Who), Refusal> {
    entitled(case, actor, target, action)?;
    let now = state_of(case, target, action);
    let Some(rule) = rules_of(action).find(|rule| rule.from.contains(&now)) else {
        let allowed_from = rules_of(action)
            .flat_map(|rule| rule.from)
            .copied()
            .collect();
        return Err(Refusal::WrongState { now, allowed_from });
    };
    match rule
        .who
        .iter()
        .find(|who| holds(**who, case, actor, target))
    {
        Some(who) => Ok((rule, *who)),
        None => Err(Refusal::NotAllowed {
            needs: rule.who.to_vec(),
        }),
    }
}

fn check_guards(
    rule: &Rule,
    case: &Case,
    actor: &Actor,
    target: Target,
    env: Env<'_>,
) -> Result<(), Refusal> {
    let view = View {
        case,
        actor,
        target,
        env,
    };
    let unmet: Vec<Unmet> = rule
        .guards
        .iter()
        .filter_map(|guard| guard.unmet(&view))
        .collect();
    if unmet.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Unmet(unmet))
    }
}

/// The status that an action on a target starts from.
pub fn state_of(case: &Case, target: Target, action: Action) -> State {
    match (target, action.machine()) {
        // A reply is drafted on a row that has none yet.
        (Target::Assignment(_), Machine::Reply) => State::Start,
        _ => status_of(case, target),
    }
}

/// The present status of a thing.
fn status_of(case: &Case, target: Target) -> State {
    match target {
        Target::Proposal => State::Proposal(case.proposal.status),
        Target::Assignment(id) => case
            .assignment(id)
            .map_or(State::Start, |row| State::Assignment(row.status)),
        Target::Reply(id) => case
            .reply(id)
            .map_or(State::Start, |reply| State::Reply(reply.status)),
    }
}

/// Whether the actor is this to the case.
pub fn holds(who: Who, case: &Case, actor: &Actor, target: Target) -> bool {
    if !actor.has(who.role()) {
        return false;
    }
    let unit = match target {
        Target::Proposal => None,
        Target::Assignment(id) => case.assignment(id).map(|row| row.unit),
        Target::Reply(id) => case.reply(id).map(|reply| reply.unit),
    };
    let in_unit = |unit: Option<UnitId>| {
        actor.grants.iter().any(|grant| {
            grant.role == who.role() && grant.unit_id.is_some() && grant.unit_id == unit
        })
    };
    match who {
        Who::FirstProposer => actor.member.is_some_and(|member| {
            case.first_proposer()
                .is_some_and(|first| first.member == Some(member))
        }),
        Who::Invitee => actor.member.is_some_and(|member| {
            case.proposers.iter().any(|proposer| {
                proposer.role != super::codes::ProposerRole::First
                    && proposer.member == Some(member)
            })
        }),
        Who::RatingMember => actor.member.is_some_and(|member| {
            case.signers()
                .chain(case.absorbed.iter().flat_map(|absorbed| &absorbed.signers))
                .any(|signer| signer.member == Some(member))
        }),
        Who::InvitedClerk => case.proposers.iter().any(|proposer| {
            proposer.role != super::codes::ProposerRole::First
                && proposer.organisation.is_some()
                && proposer.is(actor)
        }),
        Who::RatingClerk => case
            .signers()
            .chain(case.absorbed.iter().flat_map(|absorbed| &absorbed.signers))
            .filter_map(|signer| signer.organisation)
            .any(|organisation| actor.organisations().any(|own| own == organisation)),
        Who::ProposingClerk => case
            .proposal
            .organisation
            .is_some_and(|organisation| actor.organisations().any(|own| own == organisation)),
        Who::Proxy => case.proposal.form.paper_reference.is_some(),
        Who::LineOfficer => actor.grants.iter().any(|grant| {
            grant.role == Role::AssigningOfficer
                && grant.line.is_some()
                && grant.line == case.proposal.assigning_line
        }),
        Who::OwnUnitClerk | Who::OwnUnitSignatory => in_unit(unit),
        Who::CaseUnitClerk => case
            .assignments
            .iter()
            .any(|row| row.role != AssignmentRole::Reference && in_unit(Some(row.unit))),
        Who::AddressedClerk => case
            .follow_ups
            .iter()
            .filter(|entry| matches!(entry.kind, FollowUpKind::Urging | FollowUpKind::Instruction))
            .any(|entry| in_unit(entry.unit)),
        Who::CoHandlerSignatory => match target {
            Target::Reply(reply) => case
                .countersigns
                .iter()
                .filter(|request| request.reply == reply)
                .any(|request| in_unit(case.assignment(request.assignment).map(|row| row.unit))),
            _ => false,
        },
        Who::AnyMember
        | Who::AnyClerk
        | Who::Staff
        | Who::Examiner
        | Who::Chair
        | Who::Supervision
        | Who::Leader
        | Who::System => true,
    }
}

fn apply(
    step: &mut Step<'_>,
    rule: &'static Rule,
    input: &Input,
    happened: &mut Vec<Happened>,
) -> Result<(), Refusal> {
    let from = state_of(&step.case, step.target, rule.action);
    (rule.effect)(step, input)?;
    let target = step.made.unwrap_or(step.target);
    if let To::State(to) = rule.to {
        step.set_state(target, to);
    }
    happened.push(Happened {
        rule: rule.id,
        event: rule.event,
        by_system: step.who == Who::System,
        role: step.who.role(),
        target,
        from,
        to: status_of(&step.case, target),
        input: input.for_trail(),
        other: step.other,
    });
    happened.append(&mut step.parts);
    Ok(())
}

/// Counts clocks of earlier calendars anew, then runs the system's own rows until none applies:
/// "the last reply is delivered", "all answered", "the window has lapsed".
fn settle(step: &mut Step<'_>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
    recount::recount(step);
    happened.append(&mut step.parts);
    let system = Actor::system();
    while let Some((rule, target)) = due(&step.case, &system, step.env) {
        let mut own = Step::on(&step.case, &system, Who::System, target, step.env);
        apply(&mut own, rule, &Input::None(NoInput {}), happened)?;
        step.case = own.case;
        step.records.append(&mut own.records);
        step.numbers.append(&mut own.numbers);
    }
    Ok(())
}

/// The next row that the system owes the case, and on what.
fn due(case: &Case, system: &Actor, env: Env<'_>) -> Option<(&'static Rule, Target)> {
    rules()
        .filter(|rule| rule.cause() == Cause::Settled)
        .find_map(|rule| {
            let ready = |target: &Target| {
                rule.from.contains(&status_of(case, *target))
                    && check_guards(rule, case, system, *target, env).is_ok()
            };
            let target = match rule.action.machine() {
                Machine::Proposal => Some(Target::Proposal).filter(ready),
                Machine::Assignment => case
                    .current_rows()
                    .map(|row| Target::Assignment(row.id))
                    .find(ready),
                Machine::Reply => case
                    .replies
                    .iter()
                    .map(|reply| Target::Reply(reply.id))
                    .find(ready),
            };
            target.map(|target| (rule, target))
        })
}

/// Counts the versions of what changed and notes the moment.
fn finish(before: &Case, mut after: Case, env: Env<'_>) -> Case {
    let now = env.now;
    for row in &mut after.assignments {
        if before.assignment(row.id).is_some_and(|old| *old != *row) {
            row.version += 1;
        }
    }
    for reply in &mut after.replies {
        if before.reply(reply.id).is_some_and(|old| *old != *reply) {
            reply.version += 1;
        }
    }
    // An undone merge brings the earlier moment back with the earlier status.
    let (old, new) = (&before.proposal, &after.proposal);
    if new.status != old.status && new.status_since == old.status_since {
        after.proposal.status_since = now;
    }
    after.proposal.updated_at = now;
    wake::schedule(before, &mut after, env);
    after
}

/// What an actor may do with a target: one entry per action of its machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Possibility {
    /// The action.
    pub action: Action,
    /// Roles that have the right.
    pub roles: Vec<Role>,
    /// `None`: it may be done now. Otherwise why not.
    pub refusal: Option<Refusal>,
}

/// The same question as [`decide`] asks, for every action on a target, without an input; so it
/// cannot disagree with what happens.
pub fn allowed(case: &Case, actor: &Actor, target: Target, env: Env<'_>) -> Vec<Possibility> {
    let caught_up;
    let as_it_is =
        !recount::is_outdated(case, env.calendar) && due(case, &Actor::system(), env).is_none();
    let case = if as_it_is {
        case
    } else {
        caught_up = catch_up(case, env);
        &caught_up
    };
    let mut list: Vec<Possibility> = Vec::new();
    for rule in rules() {
        let action = rule.action;
        let fits = match target {
            Target::Proposal => action.machine() == Machine::Proposal,
            Target::Assignment(_) => {
                action.machine() == Machine::Assignment || rule.from == [State::Start]
            }
            Target::Reply(_) => action.machine() == Machine::Reply,
        };
        let starts_elsewhere = rule.from == [State::Start]
            && !(matches!(target, Target::Assignment(_)) && action.machine() == Machine::Reply);
        let seen = list.iter().any(|known| known.action == action);
        if !fits || starts_elsewhere || seen || rule.cause() != Cause::Call {
            continue;
        }
        let mut roles: Vec<Role> = rules_of(action)
            .flat_map(|rule| rule.who)
            .map(|who| who.role())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        let refusal = find_rule(case, actor, target, action)
            .and_then(|(rule, _)| check_guards(rule, case, actor, target, env))
            .err();
        list.push(Possibility {
            action,
            roles,
            refusal,
        });
    }
    list
}
