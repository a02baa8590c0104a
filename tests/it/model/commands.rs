//! Random commands: what people of a town may well do, and what they had better not.

use super::effects::{Command, Fault, Input};
use super::rules::{Act, Target};
use super::world::{MEMBERS, Name, Person, UNITS, World};

/// Numbers that follow from a seed (`SplitMix64`), the same ones every time.
pub struct Dice(u64);

impl Dice {
    /// Dice with this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a small number");
        usize::try_from(self.roll() % end).expect("a small number")
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Days go by.
    Wait(i64),
    /// Somebody does something.
    Do(Command),
}

/// Cases under way at a time, and in a run.
const CASES: usize = 3;
const ALL_CASES: usize = 7;

/// Whether a case has come to an end that hardly anything leads out of.
pub fn is_over(status: Name) -> bool {
    matches!(status, "withdrawn" | "not_filed" | "merged" | "closed")
}

/// What the number means in this state of things, so that a list of numbers is a run, whatever is
/// taken out of it.
pub fn next(world: &World, number: u64) -> Step {
    let mut dice = Dice::of(number);
    let under_way = world.cases.iter().filter(|one| !is_over(one.status));
    let missing = under_way.count() < CASES && world.cases.len() < ALL_CASES;
    if world.cases.is_empty() || (missing && dice.once_in(6)) {
        return Step::Do(creation(&mut dice));
    }
    if dice.once_in(16) && super::world::day(world.now) < jiff::civil::date(2026, 9, 1) {
        return Step::Wait([1, 1, 2, 4, 7, 16, 31][dice.below(7)]);
    }
    let possible = possible(world, &mut dice);
    let mode = dice.below(100);
    let Some(sensible) = weighted(world, &possible, &mut dice) else {
        return Step::Wait(1);
    };
    let command = match mode {
        0..62 => sensible,
        // The status is right; the conditions may not be met.
        62..74 => doubtful(world, &possible, &mut dice).unwrap_or(sensible),
        74..82 => Command {
            who: anybody(&mut dice),
            ..sensible
        },
        82..90 => Command {
            fault: [Fault::Malformed, Fault::Stale, Fault::Blank, Fault::Blank][dice.below(4)],
            ..sensible
        },
        _ => anything(world, &mut dice).unwrap_or(sensible),
    };
    // What staff enter from paper is not modelled.
    let paper = matches!(command.act, Act::Consent | Act::Decline) && command.who == Person::Staff;
    let who = if paper { Person::Auditor } else { command.who };
    Step::Do(Command { who, ..command })
}

fn anybody(dice: &mut Dice) -> Person {
    *dice.pick(&Person::all()).expect("people")
}

fn creation(dice: &mut Dice) -> Command {
    let who = if dice.once_in(6) {
        [
            Person::Chair,
            Person::Clerk(0),
            Person::Supervision,
            Person::Auditor,
        ][dice.below(4)]
    } else {
        Person::Member(dice.below(MEMBERS))
    };
    Command {
        who,
        act: Act::Create,
        case: 0,
        target: Target::Case,
        input: Input::Joint(dice.once_in(2)),
        fault: if dice.once_in(8) {
            Fault::Malformed
        } else {
            Fault::None
        },
    }
}

/// What the acts of a case can be done to.
fn targets(world: &World, case: usize, act: Act) -> Vec<Target> {
    let own = &world.cases[case];
    if act.is_about_row() {
        (0..own.rows.len()).map(Target::Row).collect()
    } else if act.is_about_reply() {
        (0..own.replies.len()).map(Target::Reply).collect()
    } else {
        vec![Target::Case]
    }
}

/// Whatever starts from the present statuses, each by somebody who has the right to it.
fn possible(world: &World, dice: &mut Dice) -> Vec<Command> {
    let mut list = Vec::new();
    for case in 0..world.cases.len() {
        for act in &Act::ALL[1..] {
            let from = act.rule().from;
            for target in targets(world, case, *act) {
                if from.is_empty() || from.contains(&world.status(case, target)) {
                    let usual = usual(world, *act, case, target, dice);
                    list.extend(usual);
                }
            }
        }
    }
    list
}

/// Somebody who has the right, with an input that fits.
fn usual(world: &World, act: Act, case: usize, target: Target, dice: &mut Dice) -> Option<Command> {
    let mut people = Person::all();
    people.retain(|who| world.is_entitled(act, *who, case, target));
    let who = *dice.pick(&people)?;
    Some(Command {
        who,
        act,
        case,
        target,
        input: input(world, act, who, case, target, dice)?,
        fault: Fault::None,
    })
}

/// Anything on anything, in whatever status.
fn anything(world: &World, dice: &mut Dice) -> Option<Command> {
    let act = *dice.pick(&Act::ALL[1..])?;
    let case = dice.below(world.cases.len());
    let target = *dice.pick(&targets(world, case, act))?;
    usual(world, act, case, target, dice).or_else(|| {
        let who = anybody(dice);
        Some(Command {
            who,
            act,
            case,
            target,
            input: input(world, act, who, case, target, dice)?,
            fault: Fault::None,
        })
    })
}

/// One of those that the model would grant; what leads on is more likely than what leads astray.
fn weighted(world: &World, possible: &[Command], dice: &mut Dice) -> Option<Command> {
    let granted: Vec<_> = possible
        .iter()
        .filter(|command| world.clone().perform(command).is_ok())
        .collect();
    let total: usize = granted.iter().map(|one| weight(world, one)).sum();
    let mut left = dice.below(total);
    for command in granted {
        let weight = weight(world, command);
        if left < weight {
            return Some(command.clone());
        }
        left -= weight;
    }
    None
}

/// One of those that the model would not grant, every act as likely as another.
fn doubtful(world: &World, possible: &[Command], dice: &mut Dice) -> Option<Command> {
    let refused: Vec<_> = possible
        .iter()
        .filter(|command| world.clone().perform(command).is_err())
        .collect();
    let mut acts: Vec<_> = refused.iter().map(|command| command.act).collect();
    acts.sort_unstable();
    acts.dedup();
    let act = *dice.pick(&acts)?;
    let mut same = refused;
    same.retain(|command| command.act == act);
    dice.pick(&same).map(|command| (*command).clone())
}

fn weight(world: &World, command: &Command) -> usize {
    let own = &world.cases[command.case];
    let row = match command.target {
        Target::Row(row) => Some(&own.rows[row]),
        _ => None,
    };
    let reply = match command.target {
        Target::Reply(reply) => Some(&own.replies[reply]),
        _ => None,
    };
    match command.act {
        Act::Submit | Act::File | Act::Assign | Act::Sign | Act::Deliver => 60,
        Act::Examine
        | Act::Draft
        | Act::RequestCountersign
        | Act::Countersign
        | Act::GiveFeedback
        | Act::Approve => 50,
        Act::Accept | Act::Dispose | Act::Rehandle => 35,
        Act::RecordContact if !row.is_some_and(|row| row.contacted) => 40,
        Act::SubmitOpinion if row.is_some_and(|row| row.opinions == 0) => 40,
        Act::EditReply
            if reply.is_some_and(|reply| {
                reply.rejected == Some(reply.text)
                    || matches!(reply.outcome, None | Some("planned" | "not_feasible"))
            }) =>
        {
            50
        }
        Act::Waive => 40,
        Act::Consent
        | Act::Invite
        | Act::Close
        | Act::RejectWithdrawal
        | Act::GrantReturn
        | Act::RejectReturn => 25,
        Act::Merge | Act::Unmerge => 15,
        Act::Edit
        | Act::RequestReturn
        | Act::Reject
        | Act::Object
        | Act::Coordinate
        | Act::Reopen
        | Act::ApproveWithdrawal => 12,
        Act::AdjustUnits | Act::Decline | Act::RefuseUrgency | Act::ReturnForRevision => 6,
        Act::Recall | Act::CorrectFeedback => 8,
        Act::Void | Act::Archive => 4,
        Act::Withdraw if own.case_no.is_some() => 5,
        Act::NotFile => 3,
        Act::Withdraw => 1,
        Act::SetSecrecy if command.input == Input::Secrecy("secret") => 1,
        _ => 2,
    }
}

/// A unit that has no row in the present round, or any.
fn free_unit(world: &World, case: usize, dice: &mut Dice) -> usize {
    let own = &world.cases[case];
    let bound: Vec<_> = world
        .live_rows(case)
        .iter()
        .map(|row| own.rows[*row].unit)
        .collect();
    let free: Vec<_> = (0..UNITS).filter(|unit| !bound.contains(unit)).collect();
    match dice.pick(&free) {
        Some(unit) if !dice.once_in(10) => *unit,
        _ => dice.below(UNITS),
    }
}

const OUTCOMES: [Option<Name>; 8] = [
    Some("resolved"),
    Some("resolved"),
    Some("resolved_otherwise"),
    Some("partially_resolved"),
    Some("in_progress"),
    None,
    Some("planned"),
    Some("not_feasible"),
];

/// An input that goes with the act; `None` where there is nothing to speak of.
fn input(
    world: &World,
    act: Act,
    who: Person,
    case: usize,
    target: Target,
    dice: &mut Dice,
) -> Option<Input> {
    let own = &world.cases[case];
    let everybody: Vec<_> = (0..world.cases.len())
        .flat_map(|case| (0..world.cases[case].proposers.len()).map(move |at| (case, at)))
        .collect();
    Some(match act {
        Act::Create => Input::Joint(dice.once_in(2)),
        Act::Edit => match dice.below(6) {
            0 => Input::SameText,
            1 => Input::NoSecret(dice.once_in(2)),
            2 => Input::NoSecret(true),
            3 => Input::MayPublish([Some(true), Some(false), None][dice.below(3)]),
            _ => Input::NewText,
        },
        Act::Invite => Input::Member(dice.below(MEMBERS)),
        Act::Examine => Input::Unit(if dice.once_in(4) { 3 } else { dice.below(3) }),
        Act::Merge => {
            let fits = |other: &usize| {
                let status = world.cases[*other].status;
                *other != case && matches!(status, "submitted" | "filed")
            };
            let mains: Vec<_> = (0..world.cases.len()).filter(fits).collect();
            match dice.pick(&mains) {
                Some(main) if !dice.once_in(5) => Input::Main(*main),
                _ => Input::Main(dice.below(world.cases.len())),
            }
        }
        Act::Assign => assignment(dice),
        Act::AdjustUnits => adjustment(world, case, dice),
        Act::MarkUrgent => Input::Rows {
            kind: None,
            add: if dice.once_in(2) {
                vec![(dice.below(UNITS), "reference")]
            } else {
                Vec::new()
            },
            remove: Vec::new(),
        },
        Act::GiveFeedback | Act::CorrectFeedback => {
            let delivered = world.delivered(case);
            let reply = match dice.pick(&delivered) {
                Some(reply) if !dice.once_in(12) => *reply,
                _ if own.replies.is_empty() => return None,
                _ => dice.below(own.replies.len()),
            };
            let raters = world.raters(case);
            let by_staff = who == Person::Staff && !dice.once_in(5);
            let named = dice.once_in(8);
            let named = dice.pick(if named { &everybody } else { &raters });
            Input::Rating {
                reply,
                dissatisfied: dice.once_in(2),
                paper: named.copied().filter(|_| by_staff || dice.once_in(12)),
            }
        }
        Act::Waive => {
            let raters: Vec<_> = world.complaints(case).iter().map(|one| one.rater).collect();
            let named = dice.pick(&raters).or_else(|| everybody.first());
            let by_staff = who == Person::Staff && !dice.once_in(5);
            Input::Paper(named.copied().filter(|_| by_staff))
        }
        Act::Rehandle => again(dice),
        Act::Close | Act::ReviewPublication => {
            let none = act == Act::Close && dice.once_in(4);
            let level = ["none", "catalogue", "summary", "full"];
            let levels = (level[dice.below(4)], level[dice.below(4)]);
            Input::Levels((!none).then_some(levels))
        }
        Act::Consult => Input::Meeting(!dice.once_in(3)),
        Act::SetSecrecy => Input::Secrecy(["open", "restricted", "secret"][dice.below(3)]),
        Act::RequestReturn => Input::Unit(dice.below(UNITS)),
        Act::GrantReturn => {
            let role = match target {
                Target::Row(row) => own.rows[row].role,
                _ => "lead",
            };
            let replacement = (free_unit(world, case, dice), role);
            let none = dice.once_in(5);
            Input::Rows {
                kind: (none && dice.once_in(2)).then_some("sole"),
                add: if none { Vec::new() } else { vec![replacement] },
                remove: Vec::new(),
            }
        }
        Act::EditReply if dice.once_in(5) => Input::SameText,
        Act::Draft | Act::EditReply => Input::Outcome(OUTCOMES[dice.below(8)]),
        Act::Approve => Input::Outcome(match dice.below(3) {
            0 => Some("partially_resolved"),
            _ => None,
        }),
        _ => Input::Plain,
    })
}

/// Kinds of handling with rows that fit, most of the time.
fn assignment(dice: &mut Dice) -> Input {
    let first = dice.below(UNITS);
    let unit = |n: usize| (first + n) % UNITS;
    let (kind, mut add) = match dice.below(12) {
        0..4 => ("sole", vec![(unit(0), "lead")]),
        4..8 => ("joint", vec![(unit(0), "lead"), (unit(1), "co_handler")]),
        8..11 => (
            "separate",
            vec![(unit(0), "separate"), (unit(1), "separate")],
        ),
        _ => ("sole", vec![(unit(0), "lead"), (unit(0), "co_handler")]),
    };
    if kind == "joint" && dice.once_in(2) {
        add.push((unit(2), "co_handler"));
    }
    if dice.once_in(4) {
        add.push((unit(3), "reference"));
    }
    Input::Rows {
        kind: Some(kind),
        add,
        remove: Vec::new(),
    }
}

/// One unit more, one less, or another one.
fn adjustment(world: &World, case: usize, dice: &mut Dice) -> Input {
    let own = &world.cases[case];
    let free = free_unit(world, case, dice);
    let last = world.live_rows(case).last().copied();
    let (kind, add, remove) = match (dice.below(6), own.handling) {
        (0, _) => (None, vec![(free, "reference")], Vec::new()),
        (1 | 2, Some("sole")) => (Some("joint"), vec![(free, "co_handler")], Vec::new()),
        (1 | 2, Some("joint")) => (None, vec![(free, "co_handler")], Vec::new()),
        (1 | 2, _) => (None, vec![(free, "separate")], Vec::new()),
        (3, _) => (None, Vec::new(), last.into_iter().collect()),
        (4, _) => (Some("sole"), Vec::new(), last.into_iter().collect()),
        (_, Some("sole")) => (None, vec![(free, "lead")], last.into_iter().collect()),
        (_, _) => (None, vec![(free, "co_handler")], last.into_iter().collect()),
    };
    Input::Rows { kind, add, remove }
}

/// Another round: of all units, or with other ones.
fn again(dice: &mut Dice) -> Input {
    let first = dice.below(UNITS);
    let unit = |n: usize| (first + n) % UNITS;
    let (kind, rows) = match dice.below(8) {
        0 => (Some("sole"), vec![(unit(0), "lead")]),
        1 => (
            Some("joint"),
            vec![(unit(0), "lead"), (unit(1), "co_handler")],
        ),
        2 => (Some("sole"), Vec::new()),
        _ => (None, Vec::new()),
    };
    Input::Again {
        quality: dice.once_in(3),
        kind,
        rows,
    }
}
