//! The engine: permission → state → guards → effect → the system's own rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::attachments::{AttachmentFacts, Binding};
use super::calendar::Calendar;
use super::case::{Assignment, Case, Clock, Reply};
use super::codes::ClockKind;
use super::deadline::{self, Limit};
use super::guard::View;
use super::input::{Input, ProposalForm, ReplyForm};
use super::lists::SystemLine;
use super::profile::Profile;
use super::refusal::{Refusal, Unmet};
use super::role::{Actor, Role};
use super::rule::{Action, Machine, Rule, State, To, Who, rules, rules_of};
use crate::ids::{
    AssignmentId, AttachmentId, ClockId, ContactId, DecisionId, Id, IdKind, MemberId, ReplyId,
    SubjectId, UnitId,
};

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
        /// Identifier.
        id: ContactId,
        /// The row.
        assignment: AssignmentId,
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
    let (rule, who) = find_rule(case, actor, target, action)?;
    check_guards(rule, case, actor, target, env)?;
    let mut step = Step {
        case: case.clone(),
        actor,
        who,
        target,
        env,
        records: Vec::new(),
        numbers: Vec::new(),
        made: None,
    };
    let mut happened = vec![apply(&mut step, rule, input)?];
    settle(&mut step, &mut happened)?;
    let Step {
        case: after,
        records,
        numbers,
        made,
        ..
    } = step;
    Ok(Decision {
        case: finish(case, after, env.now),
        records,
        numbers,
        happened,
        made,
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
        (Target::Proposal, _) => State::Proposal(case.proposal.status),
        // A reply is drafted on a row that has none yet.
        (Target::Assignment(_), Machine::Reply) => State::Start,
        (Target::Assignment(id), _) => case
            .assignment(id)
            .map_or(State::Start, |row| State::Assignment(row.status)),
        (Target::Reply(id), _) => case
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
        Who::RatingMember => actor
            .member
            .is_some_and(|member| case.signers().any(|signer| signer.member == Some(member))),
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
        | Who::System => true,
    }
}

fn apply(step: &mut Step<'_>, rule: &'static Rule, input: &Input) -> Result<Happened, Refusal> {
    let from = state_of(&step.case, step.target, rule.action);
    (rule.effect)(step, input)?;
    let target = step.made.unwrap_or(step.target);
    if let To::State(to) = rule.to {
        step.set_state(target, to);
    }
    let to = match rule.to {
        To::Stay => from,
        To::State(to) => to,
    };
    Ok(Happened {
        rule: rule.id,
        event: rule.event,
        by_system: step.who == Who::System,
        role: step.who.role(),
        target,
        from,
        to,
        input: input.for_trail(),
    })
}

/// Runs the system's own rows until none applies: "the last reply is delivered", "all answered".
fn settle(step: &mut Step<'_>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
    let system = Actor::system();
    loop {
        let due = rules().find(|rule| {
            rule.who == [Who::System]
                && rule.action.machine() == Machine::Proposal
                && rule
                    .from
                    .contains(&State::Proposal(step.case.proposal.status))
                && check_guards(rule, &step.case, &system, Target::Proposal, step.env).is_ok()
        });
        let Some(rule) = due else { return Ok(()) };
        let mut own = Step {
            case: step.case.clone(),
            actor: &system,
            who: Who::System,
            target: Target::Proposal,
            env: step.env,
            records: Vec::new(),
            numbers: Vec::new(),
            made: None,
        };
        happened.push(apply(
            &mut own,
            rule,
            &Input::None(super::input::NoInput {}),
        )?);
        step.case = own.case;
        step.records.append(&mut own.records);
        step.numbers.append(&mut own.numbers);
    }
}

/// Counts the versions of what changed and notes the moment.
fn finish(before: &Case, mut after: Case, now: Timestamp) -> Case {
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
    if after.proposal.status != before.proposal.status {
        after.proposal.status_since = now;
    }
    after.proposal.updated_at = now;
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
        if !fits || starts_elsewhere || seen || rule.who == [Who::System] {
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

impl Step<'_> {
    fn set_state(&mut self, target: Target, to: State) {
        match (target, to) {
            (Target::Proposal, State::Proposal(status)) => self.case.proposal.status = status,
            (Target::Assignment(id), State::Assignment(status)) => {
                if let Some(row) = self.row_mut(id) {
                    row.status = status;
                }
            }
            (Target::Reply(id), State::Reply(status)) => {
                if let Some(reply) = self.reply_mut(id) {
                    reply.status = status;
                }
            }
            _ => {}
        }
    }

    /// A row, to change it.
    pub fn row_mut(&mut self, id: AssignmentId) -> Option<&mut Assignment> {
        self.case.assignments.iter_mut().find(|row| row.id == id)
    }

    /// A reply, to change it.
    pub fn reply_mut(&mut self, id: ReplyId) -> Option<&mut Reply> {
        self.case.replies.iter_mut().find(|reply| reply.id == id)
    }

    /// The proposal as the subject of a clock.
    pub fn subject(&self) -> SubjectId {
        self.case.proposal.id.cast()
    }

    /// Starts a clock now.
    pub fn start(&mut self, kind: ClockKind, subject: SubjectId, limit: Limit) {
        self.start_from(kind, subject, self.env.now, limit);
    }

    /// Starts a clock that counts from another moment.
    pub fn start_from(&mut self, kind: ClockKind, subject: SubjectId, at: Timestamp, limit: Limit) {
        let due = deadline::due(at, limit, self.env.calendar);
        self.push_clock(kind, subject, at, limit.to_string(), due);
    }

    /// Starts a clock that ends with a fixed day.
    pub fn start_until(&mut self, kind: ClockKind, subject: SubjectId, day: Date) {
        let due = deadline::fixed(day);
        self.push_clock(kind, subject, self.env.now, format!("until {day}"), due);
    }

    fn push_clock(
        &mut self,
        kind: ClockKind,
        subject: SubjectId,
        started_at: Timestamp,
        limit: String,
        due: deadline::Due,
    ) {
        let id: ClockId = self.env.id();
        self.case.clocks.push(Clock {
            id,
            kind,
            subject,
            started_at,
            limit,
            profile_version: self.env.profile.version,
            calendar_version: self.env.calendar.version,
            provisional: due.provisional,
            original_due: due.at,
            due_at: due.at,
            stopped_at: None,
        });
    }

    /// Stops the running clocks of these kinds, of one subject or of all.
    pub fn stop(&mut self, kinds: &[ClockKind], subject: Option<SubjectId>) {
        let now = self.env.now;
        for clock in &mut self.case.clocks {
            if clock.stopped_at.is_none()
                && kinds.contains(&clock.kind)
                && subject.is_none_or(|subject| subject == clock.subject)
            {
                clock.stopped_at = Some(now);
            }
        }
    }

    /// Adds a decision record.
    pub fn record_decision(&mut self, kind: &'static str, content: Value) {
        let id = self.env.id();
        self.records.push(Record::Decision { id, kind, content });
    }
}
