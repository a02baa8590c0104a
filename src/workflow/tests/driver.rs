//! People who act at random but plausibly, and people who only want the case to end.

use super::fixture::{MEMBERS, Person, World};
use super::inputs;
use super::plausible::{WALKING_UNITS, plausible};
use crate::workflow::assignment::AssignmentAction as Row;
use crate::workflow::decide::{Target, allowed};
use crate::workflow::desk::{Audience, Duty, Task, duties};
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::reply::ReplyAction as Answer;
use crate::workflow::role::{Actor, Line, Role};
use crate::workflow::rule::{Action, rules};

/// Numbers from which a step is made: what kind of step, whose, which, how long, in which tone.
pub type Move = (u8, u16, u16, u8, u8);

/// Everybody, with the account.
pub struct People(pub Vec<(Person, Actor)>);

impl People {
    pub fn of_the_town() -> Self {
        use Person as P;
        let mut list: Vec<Person> = (0..MEMBERS).map(P::Member).collect();
        list.extend([
            P::MemberAnd(1, Role::Examiner),
            P::MemberAnd(2, Role::CommitteeChair),
            P::MemberAnd(3, Role::CommitteeStaff),
            P::MemberAnd(4, Role::SupervisionOfficer),
        ]);
        list.extend([P::Clerk, P::ClerkOf(1), P::ClerkOf(2)]);
        list.extend([P::Staff, P::Chair, P::Supervision]);
        list.extend([P::Leader, P::Auditor, P::Administrator, P::Security]);
        list.extend(Line::ALL.iter().copied().map(P::Officer));
        list.extend((1..4).map(P::Examiner));
        list.extend((0..WALKING_UNITS).flat_map(|n| [P::UnitClerk(n), P::Signatory(n)]));
        Self(
            list.into_iter()
                .map(|person| (person, person.actor()))
                .collect(),
        )
    }

    pub fn pick(&self, number: u16) -> &(Person, Actor) {
        &self.0[usize::from(number) % self.0.len()]
    }

    /// Everybody a duty waits for.
    pub fn audience(&self, duty: &Duty) -> Vec<&(Person, Actor)> {
        let belongs = |actor: &Actor| {
            let mut own = actor
                .grants
                .iter()
                .filter_map(|g| Audience::of(g, actor.member));
            own.any(|audience| audience == duty.audience)
        };
        self.0.iter().filter(|(_, actor)| belongs(actor)).collect()
    }
}

pub fn targets(world: &World) -> Vec<Target> {
    let rows = world
        .case
        .assignments
        .iter()
        .map(|row| Target::Assignment(row.id));
    let replies = world
        .case
        .replies
        .iter()
        .map(|reply| Target::Reply(reply.id));
    std::iter::once(Target::Proposal)
        .chain(rows)
        .chain(replies)
        .collect()
}

/// The action that the task of a duty names.
pub fn named_by(duty: &Duty) -> (Action, Target) {
    let target = match duty.subject_kind {
        "assignment" => Target::Assignment(duty.subject.cast()),
        "reply" if duty.task != Task::GiveFeedback => Target::Reply(duty.subject.cast()),
        _ => Target::Proposal,
    };
    let action = match (duty.task, target) {
        (Task::Revise | Task::Finish, _) => Action::Proposal(Do::Submit),
        (Task::AnswerInvitation, _) => Action::Proposal(Do::ConsentCosign),
        (Task::Examine, _) => Action::Proposal(Do::Examine),
        (Task::Decide, _) => Action::Proposal(Do::File),
        (Task::Assign, _) => Action::Proposal(Do::Assign),
        (Task::Accept, _) => Action::Assignment(Row::Accept),
        (Task::Contact, _) => Action::Assignment(Row::RecordContact),
        (Task::SubmitOpinion, _) => Action::Assignment(Row::SubmitOpinion),
        (Task::Reply, Target::Reply(_)) => Action::Reply(Answer::Edit),
        (Task::Reply, _) => Action::Reply(Answer::Draft),
        (Task::Countersign, _) => Action::Reply(Answer::Countersign),
        (Task::Sign, _) => Action::Reply(Answer::Sign),
        (Task::Review, _) => Action::Reply(Answer::Approve),
        (Task::Deliver, _) => Action::Reply(Answer::Deliver),
        (Task::GiveFeedback, _) => Action::Proposal(Do::GiveFeedback),
        (Task::Close, _) => Action::Proposal(Do::Close),
        (Task::DecideWithdrawal, _) => Action::Proposal(Do::ApproveWithdrawal),
        (Task::DecideUrgency, _) => Action::Proposal(Do::MarkUrgent),
        (Task::DecideKey, _) => Action::Proposal(Do::DesignateKey),
        (Task::DecideReturn, _) => Action::Assignment(Row::GrantReturn),
        (Task::DecideExtension, _) => Action::Assignment(Row::GrantExtension),
        (Task::DecidePause, _) => Action::Assignment(Row::PauseClock),
        (Task::AnswerSuggestion, _) => Action::Assignment(Row::RefuseSuggestion),
        (Task::Rehandle, _) => Action::Proposal(Do::Rehandle),
        (Task::KeepPromise, _) => Action::Proposal(Do::ReportProgress),
        (Task::AnswerUrging, _) => Action::Proposal(Do::AcknowledgeUrging),
        (Task::AnswerInstruction, _) => Action::Proposal(Do::AnswerInstruction),
        (Task::LookBack, _) => Action::Proposal(Do::RecordLookBack),
        (Task::NoteReferralAnswer, _) => Action::Proposal(Do::NoteReferralAnswer),
        (Task::CarryOutDisposition, _) => Action::Proposal(Do::CarryOutDisposition),
    };
    (action, target)
}

/// What somebody tried.
pub struct Attempt {
    pub actor: Actor,
    pub granted: bool,
}

/// Everything the actor may do now.
pub fn open_to(world: &World, actor: &Actor) -> Vec<(Action, Target)> {
    let of = |target: Target| {
        let list = allowed(&world.case, actor, target, world.env());
        let open = list
            .into_iter()
            .filter(|possible| possible.refusal.is_none());
        open.map(move |possible| (possible.action, target))
    };
    targets(world).into_iter().flat_map(of).collect()
}

/// Acts that end a case early are rare, so that walks come far.
fn is_rare(action: Action) -> bool {
    use Do::{ApproveWithdrawal, Merge, NotFile, ReturnForRevision, SetSecrecy, Withdraw};
    matches!(
        action,
        Action::Proposal(
            Withdraw | NotFile | ReturnForRevision | Merge | ApproveWithdrawal | SetSecrecy
        )
    )
}

/// Acts that are seldom open to anybody.
fn is_seldom(action: Action, tone: u8) -> bool {
    match action {
        Action::Proposal(Do::Unpublish | Do::Unmerge) => tone % 4 == 1,
        Action::Proposal(Do::Merge) => tone % 16 == 3,
        _ => false,
    }
}

/// What happens to the main proposal, outside of this case.
pub fn elsewhere(world: &mut World, step: Move) {
    use ProposalStatus::{Assigned, Filed, Handled, Submitted};
    let Some(main) = &mut world.case.main else {
        return;
    };
    let next = match (main.status, step.4 % 8) {
        (Submitted, 0) => Filed,
        (Filed, 0) => Assigned,
        (Assigned, 0) => Handled,
        (status, _) => status,
    };
    main.status = next;
    main.delivered = next == Handled;
}

/// Plays one step; `None` if only time went by.
pub fn play(world: &mut World, people: &People, step: Move) -> Option<Attempt> {
    let (kind, a, b, days, tone) = step;
    let index = usize::from(b);
    let (actor, action, target) = match kind % 10 {
        0..=4 => {
            let list = duties(&world.case, &world.profile);
            let duty = list.get(usize::from(a) % list.len().max(1))?;
            let audience = people.audience(duty);
            let (named, target) = named_by(duty);
            let other = other_answer(named, target).filter(|_| tone % 3 == 2);
            let (action, target) = other.unwrap_or((named, target));
            (
                audience.get(index % audience.len().max(1))?.1.clone(),
                action,
                target,
            )
        }
        5..=7 => {
            // The first who has something to do, from a person picked at random on.
            let count = people.0.len();
            let turned = (0..count).map(|n| &people.0[(usize::from(a) + n) % count]);
            let (actor, open) = turned
                .map(|(_, actor)| (actor, open_to(world, actor)))
                .map(|(actor, mut open)| {
                    open.retain(|(action, _)| tone % 16 == 3 || !is_rare(*action));
                    // What is seldom possible is not missed when it is.
                    let seldom = open.iter().find(|(action, _)| is_seldom(*action, tone));
                    if let Some(seldom) = seldom.copied() {
                        open = vec![seldom];
                    }
                    (actor, open)
                })
                .find(|(_, open)| !open.is_empty())?;
            let (action, target) = open[index % open.len()];
            (actor.clone(), action, target)
        }
        8 => {
            let actions: Vec<Action> = rules()
                .filter(|rule| !["OT30", "OT31"].contains(&rule.id))
                .map(|rule| rule.action)
                .collect();
            let targets = targets(world);
            let action = actions[index % actions.len()];
            (
                people.pick(a).1.clone(),
                action,
                targets[usize::from(days) % targets.len()],
            )
        }
        _ => {
            // Now and then long enough for opinions and feedback to lapse.
            let days = if days > 230 { 45 } else { days % 20 };
            world.wait(i64::from(days));
            return None;
        }
    };
    let input = if kind == 8 && tone % 2 == 1 {
        inputs::file().into()
    } else {
        plausible(world, &actor, target, action, tone)
    };
    let granted = world.act(&actor, target, action, &input).is_ok();
    Some(Attempt { actor, granted })
}

/// The other answer to what is asked.
fn other_answer(named: Action, target: Target) -> Option<(Action, Target)> {
    let other = match named {
        Action::Proposal(Do::ConsentCosign) => Action::Proposal(Do::DeclineCosign),
        Action::Proposal(Do::ApproveWithdrawal) => Action::Proposal(Do::RejectWithdrawal),
        Action::Assignment(Row::GrantReturn) => inputs::REJECT_RETURN,
        Action::Assignment(Row::GrantExtension) => inputs::DENY_EXTENSION,
        Action::Assignment(Row::PauseClock) => inputs::DENY_PAUSE,
        Action::Assignment(Row::RefuseSuggestion) => {
            return Some((Action::Proposal(Do::AdjustUnits), Target::Proposal));
        }
        Action::Reply(Answer::Edit) => inputs::REQUEST,
        _ => return None,
    };
    Some((other, target))
}

/// Does what the desks ask for until the case has ended; it must end.
pub fn to_the_end(mut world: World, people: &People) -> World {
    for _ in 0..300 {
        if world.status().is_final() {
            return world;
        }
        world.settle();
        let done = one_duty(&mut world, people, false) || one_duty(&mut world, people, true);
        if !done && !give_up(&mut world, people) {
            world.wait(40);
        }
    }
    panic!("the case does not end: {:#?}", world.case);
}

/// The first duty that somebody can do; to mend something, whoever has the right to it.
fn one_duty(world: &mut World, people: &People, mend: bool) -> bool {
    for duty in duties(&world.case, &world.profile) {
        let (named, target) = named_by(&duty);
        let attempts: &[Action] = match (duty.task, mend) {
            (Task::Reply, false) if named == inputs::EDIT => &[inputs::REQUEST],
            (Task::Revise | Task::Finish, true) => &[
                Action::Proposal(Do::Edit),
                Action::Proposal(Do::InviteCosigners),
            ],
            (Task::Examine | Task::Decide, true) => &[
                Action::Proposal(Do::SetSecrecy),
                Action::Proposal(Do::NotFile),
            ],
            (Task::DecideWithdrawal, true) => &[Action::Proposal(Do::RejectWithdrawal)],
            (Task::DecideUrgency, true) => &[Action::Proposal(Do::RefuseUrgency)],
            (Task::DecideKey, true) => &[Action::Proposal(Do::ReleaseKey)],
            (Task::DecideReturn, true) => &[inputs::REJECT_RETURN],
            (Task::DecideExtension, true) => &[inputs::DENY_EXTENSION],
            (Task::DecidePause, true) => &[inputs::DENY_PAUSE],
            (Task::Close, true) => &[
                Action::Proposal(Do::WaiveRehandling),
                Action::Proposal(Do::RecordConsultation),
            ],
            // A report does not end the promise; nobody waits for either.
            (Task::KeepPromise, _) => &[],
            (_, false) | (Task::Reply, true) => &[named],
            (_, true) => &[],
        };
        let wanted = attempts.iter().filter(|action| helps(world, **action));
        for action in wanted.copied().collect::<Vec<_>>() {
            let who = if mend {
                people.0.iter().collect()
            } else {
                people.audience(&duty)
            };
            for (_, actor) in who {
                let input = plausible(world, actor, target, action, 0);
                if world.act(actor, target, action, &input).is_ok() {
                    return true;
                }
            }
        }
    }
    false
}

/// Editing a draft that nothing is wrong with leads nowhere.
fn helps(world: &World, action: Action) -> bool {
    let proposal = &world.case.proposal;
    match action {
        Action::Proposal(Do::Edit) => proposal.text_version <= proposal.submitted_version,
        Action::Proposal(Do::RecordConsultation) => world.case.consultations.is_empty(),
        _ => true,
    }
}

/// A proposal that can no longer be handed in is withdrawn.
fn give_up(world: &mut World, people: &People) -> bool {
    if world.case.proposal.filed_at.is_some() {
        return false;
    }
    let action = Action::Proposal(Do::Withdraw);
    people.0.iter().any(|(_, actor)| {
        let input = plausible(world, actor, Target::Proposal, action, 0);
        world.act(actor, Target::Proposal, action, &input).is_ok()
    })
}
