//! The one path of every act of the three machines: load → may know → may do → input → decide →
//! write → answer. People and the demo take the same one.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::Ctx;
use crate::error::{Code, Error, FieldError, Message, Result};
use crate::ids::{MemberId, OrganisationId, ProposalId, ReplyId};
use crate::store::Tx;
use crate::store::attachments;
use crate::store::calendars;
pub use crate::store::cases::Object;
use crate::store::cases::{self, Loaded, Opening};
use crate::store::events::Circumstances;
use crate::store::policy_profiles;
use crate::store::references::{self, Named};
use crate::workflow::access;
use crate::workflow::calendar::Calendar;
use crate::workflow::case::Case;
use crate::workflow::decide::{self, Decision, Env, Possibility, References, Target};
use crate::workflow::input::{CosignIn, Input, NoInput, ProposalIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::Profile;
use crate::workflow::proposal::ProposalAction;
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyAction;
use crate::workflow::role::{Actor, Grant, Role};
use crate::workflow::rule::{Action, State, Who, is_open_to_machines, roles_of, rules, rules_of};
use crate::workflow::{Origin, begin};

/// Its place in the case.
const fn target_of(object: Object) -> Target {
    match object {
        Object::Proposal(_) => Target::Proposal,
        Object::Assignment(id) => Target::Assignment(id),
        Object::Reply(id) => Target::Reply(id),
    }
}

/// A case that the caller may know of, and the thing in it that was asked for.
pub struct Known {
    /// The facts.
    pub case: Case,
    /// The thing.
    pub target: Target,
    /// The profile of the case.
    pub profile: Arc<Profile>,
    /// The committee's calendar.
    pub calendar: Arc<Calendar>,
}

/// Reads a case for a caller; 404 if it is not there or the caller may not know of it. A reply is
/// read only by those who may read its text.
pub fn read(tx: &mut Tx<'_>, ctx: &Ctx, object: Object) -> Result<Known> {
    let known = look(tx, ctx, object)?;
    match known.target {
        Target::Reply(id) if !readable(&known.case, id, &ctx.principal.actor()) => {
            Err(Error::not_found())
        }
        _ => Ok(known),
    }
}

/// The same for questions that tell nothing of a reply's text: whoever has a right to an act on a
/// reply may ask what can be done with it.
pub fn look(tx: &mut Tx<'_>, ctx: &Ctx, object: Object) -> Result<Known> {
    let target = target_of(object);
    let loaded = cases::load(tx, ctx.committee(), object)?;
    let loaded = known(loaded, target, &ctx.principal.actor())?;
    let profile = profile_of(tx, &loaded)?;
    let calendar = calendar_of(tx, &loaded)?;
    ctx.disclosed.case(&loaded.case);
    Ok(Known {
        case: caught_up(ctx, &loaded.case, &profile, &calendar),
        target,
        profile,
        calendar,
    })
}

fn readable(case: &Case, reply: ReplyId, actor: &Actor) -> bool {
    case.reply(reply)
        .is_some_and(|reply| access::may_read_reply(case, reply, actor))
}

fn known(loaded: Option<Loaded>, target: Target, actor: &Actor) -> Result<Loaded> {
    let loaded = loaded
        .filter(|loaded| access::may_read(&loaded.case, actor))
        .ok_or_else(Error::not_found)?;
    if let Target::Reply(id) = target {
        let entitled = readable(&loaded.case, id, actor)
            || crate::workflow::reply::RULES
                .iter()
                .any(|rule| decide::entitled(&loaded.case, actor, target, rule.action).is_ok());
        if !entitled {
            return Err(Error::not_found());
        }
    }
    Ok(loaded)
}

/// What the caller may do with a thing now, and for the rest why not.
pub fn possibilities(ctx: &Ctx, known: &Known) -> Vec<Possibility> {
    let references = References::default();
    let all = decide::allowed(
        &known.case,
        &ctx.principal.actor(),
        known.target,
        env(ctx.now, &known.profile, &known.calendar, &references),
    );
    as_asked(ctx, all)
}

/// To a machine client what is for persons is not allowed.
fn as_asked(ctx: &Ctx, mut all: Vec<Possibility>) -> Vec<Possibility> {
    if ctx.principal.machine.is_some() {
        let persons = |one: &&mut Possibility| !is_open_to_machines(one.action);
        for possibility in all.iter_mut().filter(persons) {
            let needs = rules_of(possibility.action).flat_map(|rule| rule.who);
            possibility.refusal = Some(Refusal::NotAllowed {
                needs: needs.copied().collect(),
            });
        }
    }
    all
}

/// The profile of a case: the one pinned at filing (I26), before that the one in force for its
/// session.
pub(super) fn profile_of(tx: &mut Tx<'_>, loaded: &Loaded) -> Result<Arc<Profile>> {
    let (proposal, session) = (&loaded.case.proposal, Some(loaded.case.session.id));
    if proposal.filed_at.is_some() {
        return policy_profiles::pinned(tx, proposal.committee, proposal.profile_version);
    }
    policy_profiles::in_force(tx, proposal.committee, session, loaded.active.as_ref())
}

/// The profile under which the case was last written to: that of the duties that are stored.
pub(super) fn profile_before(
    tx: &mut Tx<'_>,
    case: &Case,
    now: &Arc<Profile>,
) -> Result<Arc<Profile>> {
    let proposal = &case.proposal;
    if proposal.profile_version == now.version {
        Ok(Arc::clone(now))
    } else {
        policy_profiles::pinned(tx, proposal.committee, proposal.profile_version)
    }
}

/// The calendar that acts on a case count with: the committee's current version. Its number was
/// read with the case.
pub(super) fn calendar_of(tx: &mut Tx<'_>, loaded: &Loaded) -> Result<Arc<Calendar>> {
    calendars::version(tx, loaded.case.proposal.committee, loaded.calendar)
}

/// What decisions depend on.
pub(super) fn env<'a>(
    now: Timestamp,
    profile: &'a Profile,
    calendar: &'a Calendar,
    references: &'a References,
) -> Env<'a> {
    Env {
        now,
        profile,
        calendar,
        references,
        ids: new_uuid,
    }
}

fn new_uuid(now: Timestamp) -> Uuid {
    ProposalId::new(now).uuid()
}

/// Performs an act in the transaction. `parse` reads the input; it is asked only once the caller
/// is known to have a right to the act, so a malformed body tells a stranger nothing.
pub fn perform(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    object: Object,
    action: Action,
    parse: &dyn Fn(&Case) -> Result<Input>,
) -> Result<Known> {
    let actor = ctx.principal.actor();
    let target = target_of(object);
    let loaded = known(cases::lock(tx, ctx.committee(), object)?, target, &actor)?;
    let calendar = calendar_of(tx, &loaded)?;
    let case = &loaded.case;
    decide::entitled(case, &actor, target, action).map_err(|refusal| refuse(refusal, None))?;
    let input = parse(case)?;
    let profile = profile_of(tx, &loaded)?;
    check_version(ctx, &caught_up(ctx, case, &profile, &calendar), target)?;
    let named = named_in(case, &actor, target, action, &input);
    let mut references = references::load(tx, ctx.committee(), case.session.term, &named)?;
    references.attachments = attachments::find_all(tx, ctx.committee(), input.attachments())?
        .iter()
        .map(|row| (row.id, row.facts()))
        .collect();
    let env = env(ctx.now, &profile, &calendar, &references);
    let mut decision =
        decide::decide(case, &actor, target, action, &input, env).map_err(|refusal| {
            let possible = as_asked(ctx, decide::allowed(case, &actor, target, env));
            refuse(refusal, Some(&possible))
        })?;
    let by = circumstances(ctx, &actor, &decision, &input);
    let before = (case, &*profile_before(tx, case, &profile)?);
    // Until the case is filed it follows the profile in force; from then on this is fixed.
    decision.case.proposal.profile_version = profile.version;
    cases::save(tx, before, &loaded.head, &mut decision, env.profile, &by)?;
    let target = decision.made.unwrap_or(target);
    Ok(Known {
        case: decision.case,
        target,
        profile,
        calendar,
    })
}

/// The case with what time alone has done to it by now, as the next act will find it.
fn caught_up(ctx: &Ctx, case: &Case, profile: &Profile, calendar: &Calendar) -> Case {
    let references = References::default();
    decide::catch_up(case, env(ctx.now, profile, calendar, &references))
}

/// What the act may need facts of: what its input names, the unit of the reply, the member who
/// joins.
fn named_in(case: &Case, actor: &Actor, target: Target, action: Action, input: &Input) -> Named {
    let mut named = Named {
        units: input.units(),
        members: input.members(),
        organisations: input.organisations(),
        proposals: input.proposals(),
        reasons: input.reasons().to_vec(),
        committees: match input {
            Input::Refer(input) => input.committee_id.into_iter().collect(),
            _ => Vec::new(),
        },
        place: match input {
            Input::Designate(input) => Some((input.tier, input.year)),
            _ => None,
        },
    };
    if let (Target::Reply(id), Action::Reply(ReplyAction::Sign | ReplyAction::Deliver)) =
        (target, action)
    {
        named.units.extend(case.reply(id).map(|reply| reply.unit));
    }
    if let Input::Cosign(CosignIn {
        proposer_id: Some(id),
        ..
    }) = input
    {
        let invited = case.proposers.iter().find(|one| one.id == *id);
        named.members.extend(invited.and_then(|one| one.member));
    }
    if action == Action::Proposal(ProposalAction::Second) {
        named.members.extend(actor.member);
    }
    named
}

/// If-Match against the version before this transaction locked the case.
fn check_version(ctx: &Ctx, case: &Case, target: Target) -> Result<()> {
    #[cfg(feature = "seeded-defects")]
    if super::defects::Defect::NoVersionCheck.is_chosen() {
        return Ok(());
    }
    match target {
        Target::Proposal => ctx.if_match.check_part(case.proposal.version - 1),
        Target::Assignment(_) | Target::Reply(_) => ctx.if_match.check_part(version(case, target)),
    }
}

/// The entity tag of what is answered about a thing. A row or a reply is shown with its case in
/// short, so the tag names the versions of both; a case that is not filed yet is shown as the
/// profile in force has it, so the tag names that too. If-Match looks at the first.
pub fn tag(known: &Known) -> String {
    let (case, target) = (&known.case, known.target);
    let version = version(case, target);
    match target {
        Target::Proposal if case.proposal.filed_at.is_some() => version.to_string(),
        Target::Proposal => format!("{version}.{}", known.profile.version),
        Target::Assignment(_) | Target::Reply(_) => format!("{version}.{}", case.proposal.version),
    }
}

/// The version of a thing.
pub fn version(case: &Case, target: Target) -> i32 {
    match target {
        Target::Proposal => case.proposal.version,
        Target::Assignment(id) => case.assignment(id).map_or(0, |row| row.version),
        Target::Reply(id) => case.reply(id).map_or(0, |reply| reply.version),
    }
}

fn circumstances(ctx: &Ctx, actor: &Actor, decision: &Decision, input: &Input) -> Circumstances {
    let role = decision
        .happened
        .iter()
        // What time did by itself before the act is the system's.
        .find(|happened| !happened.by_system)
        .map_or(Role::Member, |happened| happened.role);
    let mut by = Circumstances::acting(actor, role, ctx.now, Some(ctx.request_id));
    if role == Role::CommitteeStaff {
        let rater = match input {
            Input::Feedback(form) => form.rater_id,
            Input::Waive(paper) => paper.rater_id,
            Input::Cosign(paper) => paper.proposer_id,
            _ => None,
        };
        by.on_behalf_of = match rater {
            Some(rater) => decision
                .case
                .everybody()
                .find(|proposer| proposer.id == rater)
                .map(|proposer| proposer.name.clone()),
            None if let Input::Instruct(paper) = input => Some(paper.leader.clone()),
            None if is_proxy(decision) => decision
                .case
                .first_proposer()
                .map(|first| first.name.clone()),
            None => None,
        };
    }
    by
}

/// Whether staff acted in the proposer's place: only on the rows that are the proposer's own, not
/// when they return or close a proposal that happens to come from paper.
fn is_proxy(decision: &Decision) -> bool {
    let own = decision.happened.iter().find(|one| !one.by_system);
    own.is_some_and(|happened| {
        rules().any(|rule| {
            rule.id == happened.rule
                && (rule.who.contains(&Who::Proxy) || rule.from == [State::Start])
        })
    })
}

/// PT01: makes a proposal.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, parse: &dyn Fn() -> Result<ProposalIn>) -> Result<Known> {
    let actor = ctx.principal.actor();
    let entitled = [Who::AnyMember, Who::AnyClerk, Who::Staff];
    if !ctx.principal.has_any(&entitled.map(Who::role)) {
        let needs = entitled.to_vec();
        return Err(refuse(Refusal::NotAllowed { needs }, None));
    }
    begin_for(tx, ctx, &actor, &parse()?, false)
}

/// PT01 as a consequence: a case that another committee sent becomes a proposal here. The account
/// that accepted it made it, and staff go on with it as with one from paper.
pub(super) fn create_from_outside(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    input: &ProposalIn,
) -> Result<ProposalId> {
    let actor = Actor {
        grants: vec![Grant::of(Role::CommitteeStaff)],
        ..ctx.principal.actor()
    };
    let made = begin_for(tx, ctx, &actor, input, true)?;
    Ok(made.case.proposal.id)
}

fn begin_for(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    actor: &Actor,
    input: &ProposalIn,
    by_system: bool,
) -> Result<Known> {
    let today = crate::workflow::deadline::local_date(ctx.now);
    let Opening {
        session,
        calendar,
        active,
    } = cases::session_for(tx, ctx.committee(), input.session_id, today)?.ok_or_else(no_session)?;
    let calendar = calendars::version(tx, ctx.committee(), calendar)?;
    let origin = origin(tx, ctx, input, session.term)?;
    let named = Named {
        units: input.form.units(),
        ..Named::default()
    };
    let references = references::load(tx, ctx.committee(), session.term, &named)?;
    let own = Some(session.id);
    let profile = policy_profiles::in_force(tx, ctx.committee(), own, active.as_ref())?;
    let mut decision = begin(
        ctx.committee(),
        session,
        actor,
        input,
        &origin,
        env(ctx.now, &profile, &calendar, &references),
    )
    .map_err(|refusal| refuse(refusal, None))?;
    for happened in &mut decision.happened {
        happened.by_system |= by_system;
    }
    let by = circumstances(ctx, actor, &decision, &Input::None(NoInput {}));
    cases::create(tx, &mut decision, &profile, &by)?;
    Ok(Known {
        case: decision.case,
        target: Target::Proposal,
        profile,
        calendar,
    })
}

fn no_session() -> Error {
    Error::invalid(
        "/session_id",
        "unknown_session",
        Message::new(
            "没有可用的会议（次）。",
            "There is no such session, or none has opened yet.",
        ),
    )
}

/// Who the proposal is from: a member, named by staff or the caller itself; or an organisation.
fn origin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    input: &ProposalIn,
    term: crate::ids::TermId,
) -> Result<Origin> {
    if input.kind.is_collective() {
        let own = ctx
            .principal
            .grants
            .iter()
            .find_map(|grant| grant.organisation_id);
        let id = input
            .organisation_id
            .or(own)
            .ok_or_else(|| missing("/organisation_id"))?;
        return organisation(tx, ctx, id);
    }
    let own = ctx
        .principal
        .member
        .filter(|_| ctx.principal.has_any(&[Role::Member]));
    let id = input
        .member_id
        .or(own)
        .ok_or_else(|| missing("/member_id"))?;
    member(tx, ctx, id, term)
}

/// Kind of an organisation of the committee.
pub(super) fn kind_of(tx: &mut Tx<'_>, ctx: &Ctx, id: OrganisationId) -> Result<ProposerKind> {
    references::organisation(tx, ctx.committee(), id)?
        .map(|(_, kind, _)| kind)
        .ok_or_else(|| unknown("/organisation_id"))
}

fn organisation(tx: &mut Tx<'_>, ctx: &Ctx, id: OrganisationId) -> Result<Origin> {
    references::organisation(tx, ctx.committee(), id)?
        .map(|(name, kind, active)| Origin::Organisation {
            id,
            name,
            kind,
            active,
        })
        .ok_or_else(|| unknown("/organisation_id"))
}

fn member(tx: &mut Tx<'_>, ctx: &Ctx, id: MemberId, term: crate::ids::TermId) -> Result<Origin> {
    references::member(tx, ctx.committee(), term, id)?
        .map(|facts| Origin::Member(id, facts))
        .ok_or_else(|| unknown("/member_id"))
}

fn missing(pointer: &str) -> Error {
    Error::invalid(
        pointer,
        "required",
        Message::new("必填。", "This is required."),
    )
}

fn unknown(pointer: &str) -> Error {
    Error::invalid(
        pointer,
        "unknown",
        Message::new(
            "本委员会名录中没有此项。",
            "It is not on the committee's register.",
        ),
    )
}

/// A refusal as a problem document, with what the caller may do instead.
pub(super) fn refuse(refusal: Refusal, possible: Option<&[Possibility]>) -> Error {
    let words = refusal.words();
    let error = match refusal {
        Refusal::NotAllowed { needs } => Error::new(Code::Forbidden)
            .detail(words)
            .with("needs", roles_of(&needs)),
        Refusal::WrongState { now, allowed_from } => Error::new(Code::StateConflict)
            .detail(words)
            .with("current_status", now.as_str())
            .with(
                "allowed_from",
                allowed_from
                    .iter()
                    .map(|state| state.as_str())
                    .collect::<Vec<_>>(),
            ),
        Refusal::Unmet(unmet) => Error::new(Code::GuardUnmet)
            .detail(words)
            .with("unmet", unmet),
        Refusal::Invalid(wrongs) => {
            wrongs
                .into_iter()
                .fold(Error::new(Code::InvalidInput), |error, wrong| {
                    let field = FieldError {
                        pointer: wrong.pointer,
                        code: wrong.code,
                        message: wrong.message,
                    };
                    error.field(field.pointer, field.code, field.message)
                })
        }
    };
    let Some(possible) = possible else {
        return error;
    };
    let allowed: Vec<_> = possible
        .iter()
        .filter(|possibility| possibility.refusal.is_none())
        .map(|possibility| possibility.action.as_str())
        .collect();
    error.with("allowed_actions", allowed)
}

/// The action of a proposal by its identifier, for callers that hold it as data.
pub const fn on_proposal(action: ProposalAction) -> Action {
    Action::Proposal(action)
}
