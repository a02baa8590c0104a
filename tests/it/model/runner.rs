//! Plays commands against the service and the reference model, side by side.

use std::collections::BTreeMap;

use jianjian::store::{Tx, timeline};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::commands::{Dice, Step, is_over, next};
use super::compare;
use super::effects::{Command, Input, Refusal};
use super::requests::{Named, Names, account, send};
use super::rules::{Act, Target};
use super::world::{BOTH, Person, World};
use crate::support::people::grant;
use crate::support::seed::Town;
use crate::support::{START, TestApp};

/// How often each kind of command succeeded, and was refused.
#[derive(Debug, Default)]
pub struct Tally {
    commands: BTreeMap<String, (usize, usize)>,
    refusals: BTreeMap<String, usize>,
    towns: usize,
    looks: usize,
}

impl Tally {
    fn note(&mut self, kind: String, verdict: &Result<(), Refusal>) {
        let counts = self.commands.entry(kind).or_default();
        let Err(refusal) = verdict else {
            counts.0 += 1;
            return;
        };
        counts.1 += 1;
        let names = match refusal {
            Refusal::Guards(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            other => vec![format!("{other:?}")],
        };
        for name in names {
            *self.refusals.entry(name).or_default() += 1;
        }
    }

    /// Kinds of commands that never succeeded, and acts that were never refused.
    pub fn missing(&self) -> Vec<String> {
        let of = |kind: &String| self.commands.get(kind).copied().unwrap_or_default();
        let mut missing = Vec::new();
        for act in Act::ALL {
            let kinds = kinds(act);
            missing.extend(kinds.iter().filter(|kind| of(kind).0 == 0).cloned());
            if kinds.iter().all(|kind| of(kind).1 == 0) {
                missing.push(format!("{act:?} refused"));
            }
        }
        missing
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (done, refused) = self
            .commands
            .values()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        writeln!(
            f,
            "{} runs: {done} commands done, {refused} refused; {} looks at what is possible",
            self.towns, self.looks
        )?;
        for (kind, (done, refused)) in &self.commands {
            writeln!(f, "{kind:>24} {done:>6} done {refused:>6} refused")?;
        }
        for (why, times) in &self.refusals {
            writeln!(f, "{why:>24} {times:>6}")?;
        }
        Ok(())
    }
}

/// The kinds into which an act falls.
fn kinds(act: Act) -> Vec<String> {
    let name = format!("{act:?}");
    match act {
        Act::Submit => vec![name, "Resubmit".to_owned()],
        Act::Withdraw => vec![name, "RequestWithdrawal".to_owned()],
        Act::Assign => ["sole", "joint", "separate", "reference"]
            .iter()
            .map(|kind| format!("Assign {kind}"))
            .collect(),
        Act::GiveFeedback => vec![format!("{name} good"), format!("{name} bad")],
        _ => vec![name],
    }
}

/// The kind that this command is of.
fn kind(world: &World, command: &Command) -> String {
    let name = format!("{:?}", command.act);
    match (command.act, &command.input) {
        (Act::Submit, _) if world.cases[command.case].status == "returned" => "Resubmit".to_owned(),
        (Act::Withdraw, _) if world.cases[command.case].case_no.is_some() => {
            "RequestWithdrawal".to_owned()
        }
        (Act::Assign, Input::Rows { kind, add, .. }) => {
            let copy = add.iter().any(|row| row.1 == "reference");
            let kind = if copy {
                "reference"
            } else {
                kind.unwrap_or("")
            };
            format!("{name} {kind}")
        }
        (Act::GiveFeedback, Input::Rating { dissatisfied, .. }) => {
            format!("{name} {}", if *dissatisfied { "bad" } else { "good" })
        }
        _ => name,
    }
}

/// Where the two disagree, and how it came to that.
#[derive(Debug)]
pub struct Failure {
    /// The number at which it showed.
    pub at: usize,
    /// Everything up to there, and the differences.
    pub story: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.story)
    }
}

/// A town of its own, with the model of it.
pub struct Run<'a> {
    app: &'a TestApp,
    town: Town,
    pub world: World,
    pub names: Names,
}

impl<'a> Run<'a> {
    /// A new committee on the first day.
    pub async fn begin(app: &'a TestApp, tally: &mut Tally) -> Self {
        app.clock.set(START.parse().expect("a moment"));
        tally.towns += 1;
        let town = app.town_called(&format!("model{}", tally.towns)).await;
        // One of the members examines, too (I10).
        let security = app.signed_in(&town, &town.security);
        let path = format!("/api/v1/users/{}", town.members[BOTH].user);
        let roles = json!([{ "role": "member" }, { "role": "examiner" }]);
        grant(&security, &path, &roles).await.status(200);
        Self {
            app,
            town,
            world: World::at(app.clock_now()),
            names: Names::default(),
        }
    }

    /// One step of both; the differences afterwards.
    pub async fn step(&mut self, step: &Step, tally: &mut Tally) -> Vec<String> {
        match step {
            Step::Wait(days) => {
                self.app
                    .clock
                    .advance(SignedDuration::from_hours(24 * days));
                self.world.now = self.app.clock_now();
                self.world.settle();
                let mut all = Vec::new();
                for case in 0..self.world.cases.len() {
                    // Time does nothing to those that are over.
                    if is_over(self.world.cases[case].status) {
                        continue;
                    }
                    all.extend(self.look(case).await);
                }
                all
            }
            Step::Do(command) => self.command(command, tally).await,
        }
    }

    async fn command(&mut self, command: &Command, tally: &mut Tally) -> Vec<String> {
        let before = self.world.clone();
        let expected = self.world.perform(command);
        if before.cases.get(command.case).is_some() || command.act == Act::Create {
            let kind = match command.act {
                Act::Create => format!("{:?}", command.act),
                _ => kind(&before, command),
            };
            tally.note(kind, &expected);
        }
        let answer = send(self.app, &self.town, &self.names, &before, command).await;
        if let Some(difference) = compare::of_verdict(&expected, &answer) {
            return vec![difference];
        }
        if command.act == Act::Create {
            if expected.is_err() {
                return Vec::new();
            }
            self.names.cases.push(Named {
                id: answer.id(),
                ..Named::default()
            });
            return self.look(self.names.cases.len() - 1).await;
        }
        let case = command.case;
        let old = self.names.cases[case].clone();
        let mut differences = self.look(case).await;
        let new = &self.names.cases[case];
        let grown = new.trail > old.trail && new.seen["version"] != old.seen["version"];
        let same = new.trail == old.trail && new.seen["version"] == old.seen["version"];
        if expected.is_ok() && !grown {
            differences.push("done, but neither version nor trail went on".to_owned());
        }
        if expected.is_err() && !same {
            differences.push("refused, but version or trail went on".to_owned());
        }
        // A merge, its end, and whatever becomes of a main case show in the others.
        let others: Vec<_> = (0..self.world.cases.len())
            .filter(|other| *other != case)
            .filter(|other| {
                let linked = |world: &World| {
                    world.cases[*other].main == Some(case) || world.cases[case].main == Some(*other)
                };
                linked(&before) || linked(&self.world)
            })
            .collect();
        if expected.is_ok() {
            for other in others {
                differences.extend(self.look(other).await);
            }
        }
        differences
    }

    /// Reads a case and compares it with the model.
    async fn look(&mut self, case: usize) -> Vec<String> {
        let auditor = self.app.signed_in(&self.town, &self.town.auditor);
        let path = self.names.address(case, Target::Case);
        let answer = auditor.get(&path).send().await;
        if answer.status != 200 {
            return vec![answer.to_string()];
        }
        let (committee, id) = (self.town.committee, &self.names.cases[case].id);
        let id = id.parse().expect("an id");
        let count = move |tx: &mut Tx<'_>| timeline::count(tx, committee, id);
        let trail = self.app.read(count).await;
        let named = &mut self.names.cases[case];
        named.trail = trail;
        named.seen = answer.json;
        self.learn(case);
        let seen = compare::seen(&self.names.cases[case].seen);
        let expected = compare::expected(&self.world, &self.names, &self.town, case);
        let differences = compare::of_views(&expected, &seen);
        let prefix = |one: String| format!("case {case}: {one}");
        differences.into_iter().map(prefix).collect()
    }

    /// Learns what new rows, replies and proposers are called.
    fn learn(&mut self, case: usize) {
        let (own, town) = (&self.world.cases[case], &self.town);
        let named = &mut self.names.cases[case];
        let seen = named.seen.clone();
        let mut rows = unknown(&seen["handling"], &named.rows);
        for row in &own.rows[named.rows.len().min(own.rows.len())..] {
            let found = rows.iter().position(|one| {
                one["unit_id"] == json!(town.units[row.unit])
                    && one["role"] == row.role
                    && one["round"] == row.round
            });
            let Some(found) = found else { break };
            named.rows.push(id_of(rows.remove(found)));
        }
        let mut replies = unknown(&seen["replies"], &named.replies);
        for reply in &own.replies[named.replies.len().min(own.replies.len())..] {
            let row = named.rows.get(reply.row);
            let found = replies
                .iter()
                .position(|one| row.is_some_and(|row| one["assignment_id"] == row.as_str()));
            let Some(found) = found else { break };
            named.replies.push(id_of(replies.remove(found)));
        }
        let mut proposers = unknown(&seen["proposers"], &named.proposers);
        for proposer in &own.proposers[named.proposers.len().min(own.proposers.len())..] {
            let member = json!(town.members[proposer.member].member);
            let found = proposers.iter().position(|one| one["member_id"] == member);
            let Some(found) = found else { break };
            named.proposers.push(id_of(proposers.remove(found)));
        }
    }

    /// Asks what somebody may do now, and compares.
    pub async fn ask(&self, number: u64) -> Vec<String> {
        let mut dice = Dice::of(number ^ 0xA5A5);
        let people = Person::all();
        let who = people[dice.below(people.len())];
        let case = dice.below(self.world.cases.len());
        let own = &self.world.cases[case];
        let target = match dice.below(4) {
            0 | 1 if !own.replies.is_empty() => Target::Reply(dice.below(own.replies.len())),
            2 if !own.rows.is_empty() => Target::Row(dice.below(own.rows.len())),
            _ => Target::Case,
        };
        let path = format!("{}/actions", self.names.address(case, target));
        let client = self.app.signed_in(&self.town, account(&self.town, who));
        let answer = client.get(&path).send().await;
        compare::of_actions(&self.world, who, (case, target), &answer)
    }
}

fn unknown<'v>(list: &'v Value, known: &[String]) -> Vec<&'v Value> {
    let list = list.as_array().into_iter().flatten();
    list.filter(|one| !known.iter().any(|id| one["id"] == id.as_str()))
        .collect()
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap_or_default().to_owned()
}

/// Plays a list of numbers in a town of its own.
pub async fn play(app: &TestApp, numbers: &[u64], tally: &mut Tally) -> Result<(), Failure> {
    let mut run = Run::begin(app, tally).await;
    let mut story = String::new();
    for (at, number) in numbers.iter().enumerate() {
        let step = next(&run.world, *number);
        let line = format!("{at:>4} {} {step:?}\n", super::world::day(run.world.now));
        story.push_str(&line);
        let mut differences = run.step(&step, tally).await;
        if differences.is_empty() && number % 3 == 0 && !run.world.cases.is_empty() {
            tally.looks += 1;
            differences = run.ask(*number).await;
        }
        if !differences.is_empty() {
            story.push_str(&differences.join("\n"));
            return Err(Failure { at, story });
        }
    }
    Ok(())
}

/// How often a failing list is played again to make it shorter.
const MOST_TRIES: usize = 40;

/// Takes out of a failing list whatever it fails without.
pub async fn shrink(
    app: &TestApp,
    mut numbers: Vec<u64>,
    mut failure: Failure,
) -> (Vec<u64>, Failure) {
    numbers.truncate(failure.at + 1);
    let (mut part, mut tries) = (numbers.len() / 2, 0);
    let mut tally = Tally {
        towns: 1_000_000,
        ..Tally::default()
    };
    while part > 0 && tries < MOST_TRIES {
        let mut start = 0;
        while start < numbers.len() && tries < MOST_TRIES {
            tries += 1;
            let end = (start + part).min(numbers.len());
            let mut fewer = numbers.clone();
            fewer.drain(start..end);
            match play(app, &fewer, &mut tally).await {
                Err(still) => {
                    fewer.truncate(still.at + 1);
                    (numbers, failure) = (fewer, still);
                }
                Ok(()) => start = end,
            }
        }
        part /= 2;
    }
    (numbers, failure)
}
