//! People who act at random but plausibly, and people who only want the case to end.

use super::fixture::{MEMBERS, Person, World, member};
use super::inputs;
use crate::ids::ProposerId;
use crate::workflow::assignment::AssignmentAction as Row;
use crate::workflow::codes::{AssignmentRole, Grade, HandlingKind, OutcomeMeaning, Recommendation};
use crate::workflow::decide::{Target, allowed};
use crate::workflow::desk::{Audience, Duty, Task, duties};
use crate::workflow::input::{Input, NoInput};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::reasons::BUILT_IN;
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
        list.extend([P::Clerk, P::Staff, P::Chair, P::Supervision]);
        list.extend([P::Leader, P::Auditor, P::Administrator]);
        list.extend(Line::ALL.iter().copied().map(P::Officer));
        list.extend((1..4).map(P::Examiner));
        list.extend((0..4).flat_map(|n| [P::UnitClerk(n), P::Signatory(n)]));
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
    };
    (action, target)
}

/// An input that fits the action; tone 0 is that of somebody who wants the case to go on.
pub fn plausible(world: &World, actor: &Actor, action: Action, tone: u8) -> Input {
    let today = world.env().today();
    match action {
        Action::Proposal(action) => on_proposal(world, actor, action, tone),
        Action::Assignment(Row::Accept) => inputs::accept().into(),
        Action::Assignment(Row::RecordContact) => inputs::contact(today).into(),
        Action::Assignment(Row::SubmitOpinion) => inputs::opinion().into(),
        Action::Reply(Answer::Draft | Answer::Edit) => {
            let outcome = OutcomeMeaning::ALL[usize::from(tone) % 8];
            inputs::reply((tone % 16 != 15).then_some(outcome), today).into()
        }
        Action::Reply(Answer::RequestCountersign | Answer::Deliver) => NoInput {}.into(),
        Action::Reply(Answer::Countersign) => inputs::countersign().into(),
        Action::Reply(Answer::Object) => inputs::object().into(),
        Action::Reply(Answer::Sign) => inputs::sign().into(),
        Action::Reply(Answer::Approve) if tone % 4 == 1 => {
            inputs::approve_as(OutcomeMeaning::ALL[usize::from(tone / 4) % 8]).into()
        }
        Action::Reply(Answer::Approve) => inputs::approve().into(),
        Action::Reply(Answer::Reject) => inputs::reject().into(),
    }
}

fn on_proposal(world: &World, actor: &Actor, action: Do, tone: u8) -> Input {
    match action {
        Do::Edit if tone % 4 == 3 => world.case.proposal.form.clone().into(),
        Do::Edit => inputs::other_text(world.log.len()).into(),
        Do::InviteCosigners => {
            let known = |n: &usize| {
                world
                    .case
                    .proposers
                    .iter()
                    .any(|p| p.member == Some(member(*n)))
            };
            let free = (1..MEMBERS).find(|n| !known(n)).unwrap_or(1);
            let chosen = if tone % 3 == 2 {
                usize::from(tone) % MEMBERS
            } else {
                free
            };
            inputs::invite(&[chosen]).into()
        }
        Do::ConsentCosign | Do::DeclineCosign => inputs::cosign().into(),
        Do::Withdraw => inputs::withdraw().into(),
        Do::ReturnForRevision => inputs::return_for_revision().into(),
        Do::Examine => {
            let mut input = inputs::examine();
            if tone % 8 == 7 {
                input.recommendation = Recommendation::NotFile;
                input.reason_codes = vec![inputs::reason("academic_discussion")];
            }
            input.into()
        }
        Do::File => inputs::file().into(),
        Do::NotFile => inputs::not_file(BUILT_IN[usize::from(tone) % BUILT_IN.len()].code).into(),
        Do::Assign => assignment(tone),
        Do::GiveFeedback => rating(world, actor, tone),
        Do::Close if tone % 3 == 1 => inputs::close().into(),
        Do::Close => inputs::close_waived().into(),
        Do::Create | Do::Submit | Do::Recall | Do::CompleteHandling | Do::ConcludeFeedback => {
            NoInput {}.into()
        }
    }
}

fn assignment(tone: u8) -> Input {
    use AssignmentRole::{CoHandler, Lead, Reference, Separate};
    let (kind, rows): (_, &[_]) = match tone % 4 {
        0 => (
            HandlingKind::Joint,
            &[(3, Reference), (1, CoHandler), (0, Lead), (2, CoHandler)],
        ),
        1 => (HandlingKind::Sole, &[(0, Lead)]),
        2 => (
            HandlingKind::Separate,
            &[(0, Separate), (1, Separate), (2, Reference)],
        ),
        _ => (HandlingKind::Sole, &[(0, Lead), (1, Separate)]),
    };
    inputs::assign(kind, inputs::rows(rows)).into()
}

/// A form that is still owed: the actor's own, or one on paper.
fn rating(world: &World, actor: &Actor, tone: u8) -> Input {
    let case = &world.case;
    let grade = if tone % 4 == 3 {
        Grade::Dissatisfied
    } else {
        Grade::Satisfied
    };
    let mine = |rater: ProposerId| {
        let found = case.proposers.iter().find(|proposer| proposer.id == rater);
        found.is_some_and(|proposer| {
            (proposer.member.is_some() && proposer.member == actor.member)
                || proposer
                    .organisation
                    .is_some_and(|own| actor.organisations().any(|o| o == own))
        })
    };
    let owed = |rater: ProposerId, reply| {
        !case
            .forms
            .iter()
            .any(|form| form.reply == reply && form.rater == rater)
    };
    let raters: Vec<_> = case
        .raters(world.profile.every_signer_rates())
        .map(|p| p.id)
        .collect();
    let pairs: Vec<_> = case
        .delivered()
        .flat_map(|reply| raters.iter().map(move |rater| (*rater, reply.id)))
        .filter(|(rater, reply)| owed(*rater, *reply))
        .collect();
    let is_rater = raters.iter().any(|rater| mine(*rater));
    let chosen = if is_rater {
        pairs.iter().find(|pair| mine(pair.0))
    } else {
        pairs.first()
    };
    match chosen {
        Some((_, reply)) if is_rater => inputs::feedback(*reply, grade).into(),
        Some((rater, reply)) => inputs::paper_feedback(*reply, *rater, grade).into(),
        None => match case.replies.first() {
            Some(reply) => inputs::feedback(reply.id, grade).into(),
            None => NoInput {}.into(),
        },
    }
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
    use Do::{NotFile, ReturnForRevision, Withdraw};
    matches!(
        action,
        Action::Proposal(Withdraw | NotFile | ReturnForRevision)
    )
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
            let (action, target) = named_by(duty);
            (
                audience.get(index % audience.len().max(1))?.1.clone(),
                action,
                target,
            )
        }
        5..=7 => {
            let mut everything = Vec::new();
            for (_, actor) in &people.0 {
                everything.extend(open_to(world, actor).into_iter().map(|open| (actor, open)));
            }
            everything.retain(|(_, (action, _))| tone % 16 == 3 || !is_rare(*action));
            let (actor, (action, target)) = *everything.get(index % everything.len().max(1))?;
            (actor.clone(), action, target)
        }
        8 => {
            let actions: Vec<Action> = rules().map(|rule| rule.action).collect();
            let targets = targets(world);
            let action = actions[index % actions.len()];
            (
                people.pick(a).1.clone(),
                action,
                targets[usize::from(days) % targets.len()],
            )
        }
        _ => {
            world.wait(i64::from(days % 20));
            return None;
        }
    };
    let input = if kind == 8 && tone % 2 == 1 {
        inputs::file().into()
    } else {
        plausible(world, &actor, action, tone)
    };
    let granted = world.act(&actor, target, action, &input).is_ok();
    Some(Attempt { actor, granted })
}

/// Does what the desks ask for until the case has ended; it must end.
pub fn to_the_end(mut world: World, people: &People) -> World {
    for _ in 0..200 {
        if world.status().is_final() {
            return world;
        }
        let done = one_duty(&mut world, people, false) || one_duty(&mut world, people, true);
        if !done && !give_up(&mut world, people) {
            world.wait(40);
        }
    }
    panic!("the case does not end: {:#?}", world.case);
}

/// The first duty that somebody can do.
fn one_duty(world: &mut World, people: &People, mend: bool) -> bool {
    for duty in duties(&world.case, &world.profile) {
        let (named, target) = named_by(&duty);
        let attempts: &[Action] = match (duty.task, mend) {
            (Task::Reply, false) if named == inputs::EDIT => &[inputs::REQUEST],
            (Task::Revise | Task::Finish, true) => &[
                Action::Proposal(Do::Edit),
                Action::Proposal(Do::InviteCosigners),
            ],
            (_, false) | (Task::Reply, true) => &[named],
            (_, true) => &[],
        };
        let wanted = attempts.iter().filter(|action| helps(world, **action));
        for action in wanted.copied().collect::<Vec<_>>() {
            for (_, actor) in people.audience(&duty) {
                let input = plausible(world, actor, action, 0);
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
        _ => true,
    }
}

/// A proposal that can no longer be handed in is withdrawn.
fn give_up(world: &mut World, people: &People) -> bool {
    let action = Action::Proposal(Do::Withdraw);
    people.0.iter().any(|(_, actor)| {
        let input = plausible(world, actor, action, 0);
        world.act(actor, Target::Proposal, action, &input).is_ok()
    })
}
